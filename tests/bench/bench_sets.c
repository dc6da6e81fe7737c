/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How long the sets of all customer edges take to compute from scratch, mode
 * by mode, over a full table.
 *
 * usage: bench_sets [PREFIXES EDGES]...
 *
 * Two providers announce the whole table. A tenth of it is the customers'
 * own: each origin has one customer edge, a fifth of them a second one where
 * it announces only half of its prefixes (the case that RFC 8704 is about).
 * Lengths are mixed as in the Internet's table, and more-specifics nest.
 */
#include <stdio.h>
#include <stdlib.h>

#include "controller/feed/bgp.h"
#include "controller/sets/sets.h"
#include "lib/mem.h"
#include "tests/bench/bench_table.h"

#define PROVIDERS 2

/* ---- the network */

struct network {
	struct config cfg;
	struct rib *rib;
	struct rib_peer **customers, *providers[PROVIDERS];
	struct sets_source *sources;
	size_t n_customers, n_sources;
};

static void must(int rc, const struct diag *diag)
{
	if (rc < 0) {
		fprintf(stderr, "%s\n", diag->text);
		exit(1);
	}
}

static struct rib_peer *add_peer(struct network *net, uint32_t number, enum edge_role role)
{
	struct rib_peer_key key = { .addr = { 0x0a000000u + number, IP_V4 } };
	struct config_edge e;
	struct diag diag;
	char name[FILTER_IFNAME_SIZE];

	snprintf(name, sizeof(name), "e%05u", number);
	config_edge_init(&e, "r", name);
	e.role = role;
	config_addrs_set(&e.peers, &e.n_peers, &key.addr, true);
	must(config_edge_put(&net->cfg, &e, &diag), &diag);
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

static void add_prefix(struct network *net, const struct ip_prefix *p, size_t n_origins)
{
	bool customer = bench_below(10) == 0;
	uint32_t origin = customer ? 100000 + bench_below((uint32_t)n_origins)
				   : 200000 + bench_below(75000);

	for (int i = 0; i < PROVIDERS; i++) {
		/* an origin's prefixes come by one or two ways */
		uint32_t transit = 2000 + (origin * 7 + (bench_below(4) == 0) + (uint32_t)i) % 500;
		const uint32_t as[] = { 1000 + (uint32_t)i, transit, origin };

		announce(net->providers[i], p, as, 3);
	}
	if (customer) {
		size_t first = (origin - 100000) % net->n_customers;
		size_t second = (first + 1 + origin % 7) % net->n_customers;

		announce(net->customers[first], p, &origin, 1);
		if (origin % 5 == 0 && bench_below(2) == 0)
			announce(net->customers[second], p, &origin, 1);
	}
}

static void build(struct network *net, size_t prefixes, size_t edges)
{
	struct config_router r = { .name = "r" };
	struct bench_table table;
	struct diag diag;

	config_init(&net->cfg);
	must(config_router_put(&net->cfg, &r, &diag), &diag);
	net->rib = rib_new();
	net->n_customers = edges;
	net->customers = mem_calloc(edges, sizeof(struct rib_peer *));
	for (size_t i = 0; i < edges; i++)
		net->customers[i] = add_peer(net, (uint32_t)i, ROLE_CUSTOMER);
	for (uint32_t i = 0; i < PROVIDERS; i++)
		net->providers[i] = add_peer(net, 60000 + i, ROLE_PROVIDER);
	bench_table_init(&table);
	for (size_t i = 0; i < prefixes; i++) {
		struct ip_prefix p = bench_table_next(&table);

		add_prefix(net, &p, edges * 3);
	}
	net->sources = mem_calloc(edges + PROVIDERS, sizeof(*net->sources));
	for (struct rib_peer *p = rib_peer_first(net->rib); p; p = rib_peer_next(p)) {
		const struct config_edge *e =
			config_edge_by_peer(&net->cfg, "r", &rib_peer_key(p)->addr);

		net->sources[net->n_sources++] = (struct sets_source){
			.peer = p, .edge = (size_t)(e - net->cfg.edges), .router = 0
		};
	}
}

/* ---- */

static void count_block(const struct ip_prefix *p, void *arg)
{
	(void)p;
	++*(size_t *)arg;
}

/* One pass over all edges; edges of the role have this mode, others are off. */
static void measure(struct network *net, enum edge_role role, enum edge_mode mode)
{
	struct sets_pass *pass;
	struct addrset set = { 0 };
	size_t blocks = 0, edges = 0;
	double t = bench_cpu_s();

	for (size_t i = 0; i < net->cfg.n_edges; i++)
		net->cfg.edges[i].mode = net->cfg.edges[i].role == role ? mode : MODE_OFF;
	pass = sets_pass_new(&net->cfg, net->sources, net->n_sources);
	for (size_t i = 0; i < net->cfg.n_edges; i++) {
		if (net->cfg.edges[i].role != role)
			continue;
		sets_pass_edge(pass, i, &set);
		addrset_each_prefix(&set, count_block, &blocks);
		edges++;
	}
	addrset_fini(&set);
	sets_pass_free(pass);
	t = bench_cpu_s() - t;
	printf(",\"%s\":{\"edges\":%zu,\"seconds\":%.3f,\"blocks\":%zu}", edge_mode_name(mode),
	       edges, t, blocks);
}

struct size {
	size_t prefixes, edges;
};

static void row(const void *arg)
{
	const struct size *size = arg;
	size_t prefixes = size->prefixes, edges = size->edges;
	static const enum edge_mode modes[] = { MODE_FEASIBLE, MODE_STRICT, MODE_STRICT_DIRECT,
						MODE_EFP_A, MODE_EFP_B };
	struct network net = { 0 };
	struct rib_stats stats;
	double t = bench_cpu_s();
	size_t loaded;

	build(&net, prefixes, edges);
	t = bench_cpu_s() - t;
	rib_stats(net.rib, &stats);
	loaded = bench_peak_bytes();
	printf("{\"prefixes\":%zu,\"customer_edges\":%zu,\"paths\":%zu,\"load_seconds\":%.3f",
	       prefixes, edges, stats.paths, t);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		measure(&net, ROLE_CUSTOMER, modes[i]);
	measure(&net, ROLE_PROVIDER, MODE_LOOSE);
	printf(",\"rib_bytes\":%zu,\"sets_peak_bytes\":%zu}", stats.bytes,
	       bench_peak_bytes() - loaded);
}

int main(int argc, char **argv)
{
	static const struct size usual[] = { { 250000, 100 },  { 500000, 100 },
					   { 1000000, 100 }, { 250000, 1000 },
					   { 500000, 1000 }, { 1000000, 1000 } };

	if (argc % 2 != 1) {
		fprintf(stderr, "usage: bench_sets [PREFIXES EDGES]...\n");
		return 2;
	}
	printf("{\"bench\":\"sets\",\"rows\":[");
	for (int i = 1; i < argc; i += 2) {
		printf("%s", i > 1 ? "," : "");
		bench_fork(row, &(struct size){ strtoul(argv[i], NULL, 10),
						 strtoul(argv[i + 1], NULL, 10) });
	}
	for (size_t i = 0; argc == 1 && i < sizeof(usual) / sizeof(usual[0]); i++) {
		printf("%s", i ? "," : "");
		bench_fork(row, &usual[i]);
	}
	printf("]}\n");
	return 0;
}
