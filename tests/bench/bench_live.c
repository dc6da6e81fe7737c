/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What keeping the sets of all edges in step with the routes costs: building
 * them for a full table, one update after that, and memory.
 *
 * usage: bench_live [PREFIXES EDGES PROVIDERS]...
 *
 * The providers announce the whole table; a tenth of it is the customers' own,
 * from as many origins as in the Internet's table: 13 prefixes each, or one per
 * edge where there are more edges than that. A third of the customer edges each is
 * feasible, efp-a and efp-b, all provider edges are loose. Updates are flaps, new paths,
 * changed origins and more-specifics, half of them from customers; the sets are brought
 * up to date and told after each single one, which is the worst case. Time is
 * what live adds to the RIB's own work, except where a peer is cleared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/feed/bgp.h"
#include "controller/sets/live.h"
#include "lib/mem.h"
#include "tests/bench/bench_table.h"

#define PROVIDERS_MAX 100
#define UPDATES	      200000

/* ---- the network */

struct entry {
	struct ip_prefix prefix;
	uint32_t origin;
};

struct network {
	struct config cfg;
	struct rib *rib;
	struct rib_peer **customers, *providers[PROVIDERS_MAX];
	size_t n_customers, n_providers;
	struct entry *table;
	size_t n_table;
	struct live *live;
	uint64_t spent; /* in live, since it was set to 0 */
	bool timed;	/* each route */
	size_t told;	/* ranges */
};

static struct rib_peer *add_peer(struct network *net, uint32_t number,
				 enum edge_role role, enum edge_mode mode)
{
	struct rib_peer_key key = { .addr = { 0x0a000000u + number, IP_V4 } };
	struct config_edge e;
	struct diag diag;
	char name[FILTER_IFNAME_SIZE];

	snprintf(name, sizeof(name), "e%05u", number);
	config_edge_init(&e, "r", name);
	e.role = role;
	e.mode = mode;
	config_addrs_set(&e.peers, &e.n_peers, &key.addr, true);
	if (config_edge_put(&net->cfg, &e, &diag) < 0) {
		fprintf(stderr, "%s\n", diag.text);
		exit(1);
	}
	config_edge_fini(&e);
	return rib_peer_get(net->rib, &key);
}

static void announce(struct rib_peer *peer, const struct ip_prefix *p, const uint32_t *as,
		     uint8_t hops)
{
	struct rib_attr attr = { .next_hop = rib_peer_key(peer)->addr };
	uint8_t path[2 + 4 * 8] = { 2, hops };

	for (int i = 0; i < hops; i++) {
		path[2 + 4 * i] = (uint8_t)(as[i] >> 24);
		path[3 + 4 * i] = (uint8_t)(as[i] >> 16);
		path[4 + 4 * i] = (uint8_t)(as[i] >> 8);
		path[5 + 4 * i] = (uint8_t)as[i];
	}
	bgp_attr_set_path(&attr, path, (uint16_t)(2 + 4 * hops));
	rib_announce(peer, RIB_PRE, p, 0, &attr);
}

static void announce_provider(struct network *net, size_t provider,
			      const struct ip_prefix *p, uint32_t origin)
{
	/* an origin's prefixes come by one or two ways */
	uint32_t transit =
		2000 + (origin * 7 + (bench_below(4) == 0) + (uint32_t)provider) % 500;
	const uint32_t as[] = { 1000 + (uint32_t)provider, transit, origin };

	announce(net->providers[provider], p, as, 3);
}

static bool is_customers(uint32_t origin)
{
	return origin < 200000;
}

/* nth 1: where only half of the prefixes are announced. */
static struct rib_peer *customer_of(const struct network *net, uint32_t origin, int nth)
{
	size_t first = (origin - 100000) % net->n_customers;

	return net->customers[nth ? (first + 1 + origin % 7) % net->n_customers : first];
}

static void add_prefix(struct network *net, const struct ip_prefix *p)
{
	uint32_t n_origins = net->n_customers > 7500 ? (uint32_t)net->n_customers : 7500;
	uint32_t origin =
		bench_below(10) == 0 ? 100000 + bench_below(n_origins) : 200000 + bench_below(75000);

	net->table[net->n_table++] = (struct entry){ *p, origin };
	for (size_t i = 0; i < net->n_providers; i++)
		announce_provider(net, i, p, origin);
	if (is_customers(origin)) {
		announce(customer_of(net, origin, 0), p, &origin, 1);
		if (origin % 5 == 0 && bench_below(2) == 0)
			announce(customer_of(net, origin, 1), p, &origin, 1);
	}
}

static void build(struct network *net, size_t prefixes, size_t edges, size_t providers)
{
	static const enum edge_mode modes[] = { MODE_FEASIBLE, MODE_EFP_A, MODE_EFP_B };
	struct config_router r = { .name = "r" };
	struct bench_table table;
	struct diag diag;

	config_init(&net->cfg);
	config_router_put(&net->cfg, &r, &diag);
	net->rib = rib_new();
	net->n_customers = edges;
	net->n_providers = providers;
	net->table = mem_calloc(prefixes, sizeof(*net->table));
	net->customers = mem_calloc(edges, sizeof(struct rib_peer *));
	for (size_t i = 0; i < edges; i++)
		net->customers[i] =
			add_peer(net, (uint32_t)i, ROLE_CUSTOMER, modes[i % 3]);
	for (uint32_t i = 0; i < providers; i++)
		net->providers[i] = add_peer(net, 60000 + i, ROLE_PROVIDER, MODE_LOOSE);
	bench_table_init(&table);
	while (net->n_table < prefixes) {
		struct ip_prefix p = bench_table_next(&table);

		add_prefix(net, &p);
	}
}

/* ---- live */

static void on_route(struct rib_peer *peer, enum rib_view view,
		     const struct ip_prefix *prefix, const struct rib_attr *old,
		     const struct rib_attr *new, void *arg)
{
	struct network *net = arg;
	uint64_t t = net->timed ? bench_cpu_ns() : 0;

	live_route(net->live, rib_peer_user(peer), view, prefix, old, new);
	if (net->timed)
		net->spent += bench_cpu_ns() - t;
}

static void on_edge(void *ctx, size_t edge, const struct addrset *added,
		    const struct addrset *removed)
{
	struct network *net = ctx;

	(void)edge;
	net->told += added->f[IP_V4].n + removed->f[IP_V4].n;
}

static void on_shared(void *ctx, enum live_shared which, const struct addrset *added,
		      const struct addrset *removed)
{
	on_edge(ctx, which, added, removed);
}

static const struct live_ops by_set = { .edge = on_edge, .shared = on_shared };
static const struct live_ops by_edge = { .edge = on_edge };

static void drain(struct network *net, const struct live_ops *ops)
{
	uint64_t t = bench_cpu_ns();

	live_drain(net->live, ops, net);
	net->spent += bench_cpu_ns() - t;
}

static double from_scratch(struct network *net)
{
	double t = bench_cpu_s();
	size_t edge = 0; /* they are in the order of their peers */

	net->live = live_new(LIVE_STRICT_BEST_PATH);
	live_policy(net->live, &net->cfg);
	/* as an engine starts: nothing is known yet */
	live_drain(net->live, &by_set, net);
	for (struct rib_peer *p = rib_peer_first(net->rib); p; p = rib_peer_next(p)) {
		const struct sets_source s = { .peer = p, .edge = edge++, .router = 0 };

		rib_peer_set_user(p, live_source_add(net->live, &s));
	}
	live_drain(net->live, &by_set, net);
	return bench_cpu_s() - t;
}

/* All edges' sets, as a filter for each takes them. */
static double export_all(struct network *net)
{
	double t = bench_cpu_s();
	struct addrset set = { 0 };

	for (size_t i = 0; i < net->n_customers; i++)
		live_edge_set(net->live, i, &set);
	addrset_fini(&set);
	return bench_cpu_s() - t;
}

/* ---- updates */

enum kind {
	PROVIDER_FLAP,	 /* withdrawn, then announced again */
	PROVIDER_PATH,	 /* another path, the same origin */
	PROVIDER_ORIGIN, /* somebody else's */
	CUSTOMER_FLAP,	 /* the case that counts */
	CUSTOMER_ORIGIN,
	MORE_SPECIFIC, /* a customer's, which comes and goes */
	KINDS,
};

struct samples {
	uint64_t *ns;
	size_t n;
};

static void sample(struct network *net, const struct live_ops *ops, struct samples *s)
{
	drain(net, ops);
	s->ns[s->n++] = net->spent;
	net->spent = 0;
}

static const struct entry *some_customer_entry(const struct network *net)
{
	const struct entry *e;

	do
		e = &net->table[bench_below((uint32_t)net->n_table)];
	while (!is_customers(e->origin));
	return e;
}

static void flap(struct network *net, struct rib_peer *peer, const struct entry *e,
		 const struct live_ops *ops, struct samples *s)
{
	rib_withdraw(peer, RIB_PRE, &e->prefix, 0);
	sample(net, ops, s);
}

/* Two samples: there and back again. */
static void update(struct network *net, enum kind kind, const struct live_ops *ops,
		   struct samples *s)
{
	size_t provider = bench_below((uint32_t)net->n_providers);
	const struct entry *e = kind >= CUSTOMER_FLAP
					? some_customer_entry(net)
					: &net->table[bench_below((uint32_t)net->n_table)];
	struct rib_peer *customer =
		kind >= CUSTOMER_FLAP ? customer_of(net, e->origin, 0) : NULL;
	uint32_t other = e->origin + 1;
	struct ip_prefix inner = ip_prefix_make(IP_V4, e->prefix.v, 26);

	switch (kind) {
	case PROVIDER_FLAP:
		flap(net, net->providers[provider], e, ops, s);
		announce_provider(net, provider, &e->prefix, e->origin);
		break;
	case PROVIDER_PATH:
		announce_provider(net, (provider + 1) % net->n_providers, &e->prefix,
				  e->origin);
		sample(net, ops, s);
		announce_provider(net, provider, &e->prefix, e->origin);
		break;
	case PROVIDER_ORIGIN:
		announce_provider(net, provider, &e->prefix, other);
		sample(net, ops, s);
		announce_provider(net, provider, &e->prefix, e->origin);
		break;
	case CUSTOMER_FLAP:
		flap(net, customer, e, ops, s);
		announce(customer, &e->prefix, &e->origin, 1);
		break;
	case CUSTOMER_ORIGIN:
		announce(customer, &e->prefix, &other, 1);
		sample(net, ops, s);
		announce(customer, &e->prefix, &e->origin, 1);
		break;
	case MORE_SPECIFIC:
		announce(customer, &inner, &e->origin, 1);
		sample(net, ops, s);
		rib_withdraw(customer, RIB_PRE, &inner, 0);
		break;
	case KINDS:
		break;
	}
	sample(net, ops, s);
}

static void measure_updates(struct network *net, const char *name,
			    const struct live_ops *ops, size_t updates)
{
	struct samples s = { .ns = mem_calloc(updates + 2, sizeof(*s.ns)) };

	net->spent = net->told = 0;
	net->timed = true;
	while (s.n < updates)
		update(net, (enum kind)bench_below(KINDS), ops, &s);
	printf(",\"%s\":{\"updates\":%zu,\"median_us\":%.2f,\"p99_us\":%.2f,"
	       "\"p99_9_us\":%.2f,\"max_us\":%.2f,\"ranges_told\":%zu}",
	       name, s.n, (double)bench_percentile(s.ns, s.n, 50) / 1e3,
	       (double)bench_percentile(s.ns, s.n, 99) / 1e3,
	       (double)bench_percentile(s.ns, s.n, 99.9) / 1e3,
	       (double)bench_percentile(s.ns, s.n, 100) / 1e3,
	       net->told);
	free(s.ns);
}

/* One edge asks for best paths: those of all sources of its router. */
static void measure_strict(struct network *net)
{
	struct config_edge e;
	struct live_stats before, after;
	struct diag diag;
	double t;

	live_stats(net->live, &before);
	config_edge_copy(&e, &net->cfg.edges[0]);
	e.mode = MODE_STRICT;
	config_edge_put(&net->cfg, &e, &diag);
	config_edge_fini(&e);
	t = bench_cpu_s();
	live_policy(net->live, &net->cfg);
	live_drain(net->live, &by_set, net);
	t = bench_cpu_s() - t;
	live_stats(net->live, &after);
	printf(",\"strict\":{\"seconds\":%.3f,\"bytes\":%zu}", t,
	       after.bytes - before.bytes);
	measure_updates(net, "update_strict", &by_set, UPDATES / 10);
}

/* A peer goes with all its routes, out of the RIB too. */
static void measure_peer(struct network *net)
{
	struct rib_peer *peer = net->providers[0];
	size_t paths = rib_path_count(peer, RIB_PRE, IP_V4);
	double t = bench_cpu_s();

	net->timed = false;
	rib_peer_clear(peer, RIB_PRE, IP_V4);
	drain(net, &by_set);
	printf(",\"peer_clear\":{\"paths\":%zu,\"seconds\":%.3f}", paths, bench_cpu_s() - t);
}

struct size {
	size_t prefixes, edges, providers;
};

static void row(const void *arg)
{
	const struct size *size = arg;
	size_t prefixes = size->prefixes, edges = size->edges, providers = size->providers;
	struct network net = { 0 };
	struct rib_stats rib;
	struct live_stats stats;
	size_t before, after;
	double t, t_export;

	build(&net, prefixes, edges, providers);
	rib_stats(net.rib, &rib);
	before = bench_resident_bytes();
	t = from_scratch(&net);
	after = bench_resident_bytes();
	t_export = export_all(&net);
	live_stats(net.live, &stats);
	printf("{\"prefixes\":%zu,\"customer_edges\":%zu,\"providers\":%zu,\"paths\":%zu,"
	       "\"from_scratch_seconds\":%.3f,\"export_seconds\":%.3f,\"live_bytes\":%zu,"
	       "\"live_bytes_per_prefix\":%.1f,\"resident_bytes\":%zu,\"rib_bytes\":%zu,"
	       "\"all_bytes_per_path\":%.1f",
	       prefixes, edges, providers, rib.paths, t, t_export, stats.bytes,
	       (double)stats.bytes / (double)stats.prefixes, after - before, rib.bytes,
	       (double)(stats.bytes + rib.bytes) / (double)rib.paths);
	rib_watch(net.rib, on_route, &net);
	measure_updates(&net, "update", &by_set, UPDATES);
	measure_updates(&net, "update_each_edge", &by_edge, UPDATES / 10);
	measure_peer(&net);
	measure_strict(&net);
	printf("}");
}

int main(int argc, char **argv)
{
	static const struct size usual[] = {
		{ 250000, 1000, 2 },   { 500000, 1000, 2 }, { 1000000, 1000, 2 },
		{ 2000000, 1000, 2 },  { 1000000, 100, 2 }, { 1000000, 10000, 2 },
		{ 1000000, 1000, 10 },
	};

	printf("{\"bench\":\"live\",\"rows\":[");
	for (int i = 1; i + 2 < argc; i += 3) {
		struct size size = { strtoul(argv[i], NULL, 10), strtoul(argv[i + 1], NULL, 10),
				     strtoul(argv[i + 2], NULL, 10) };

		if (size.providers == 0 || size.providers > PROVIDERS_MAX) {
			fprintf(stderr,
				"usage: bench_live [PREFIXES EDGES PROVIDERS]...\n");
			return 2;
		}
		printf("%s", i > 1 ? "," : "");
		bench_fork(row, &size);
	}
	for (size_t i = 0; argc == 1 && i < sizeof(usual) / sizeof(usual[0]); i++) {
		printf("%s", i ? "," : "");
		bench_fork(row, &usual[i]);
	}
	printf("]}\n");
	return 0;
}
