/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Traffic that was seen on an edge against the set that the policy gives it.
 *
 * The policy is that of --what-if where there is one; then only what the
 * present policy lets in counts as dropped.
 */
#include "controller/replay.h"

#include <stdlib.h>
#include <string.h>

#include "controller/feed/unpack.h"
#include "lib/mem.h"

/* A dropped source and the longest route that holds it. */
struct flow {
	struct observed_source s;
	struct ip_prefix cover; /* a /24 or /64 where no route does */
	bool routed;
};

struct group {
	struct ip_prefix prefix;
	bool routed;
	uint64_t bytes, packets;
	size_t sources;
	const struct flow *largest;
};

struct total {
	uint64_t bytes, packets;
	size_t sources;
};

struct report {
	struct replay *r;      /* who was asked: its options */
	struct replay *policy; /* who judges */
	size_t edge;	       /* of policy */
	const struct replay_traffic *t;
	struct total all, dropped;
	struct flow *flows; /* by address, later by bytes */
	size_t n_flows;
	struct group *groups;
	size_t n_groups;
};

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static void total_add(struct total *t, const struct observed_source *s)
{
	t->bytes = sum(t->bytes, s->bytes);
	t->packets = sum(t->packets, s->packets);
	t->sources++;
}

/* ---- files */

void replay_traffic_check(struct replay *r)
{
	struct replay *judge = r->what_if ? r->what_if : r;

	for (size_t i = 0; i < r->n_traffic; i++) {
		struct replay_traffic *t = &r->traffic[i];

		if (!t->router && judge->cfg.n_edges == 1) {
			t->router = judge->cfg.edges[0].router;
			t->interface = judge->cfg.edges[0].interface;
		} else if (!t->router) {
			replay_complain(
				r,
				"%s: on which edge was this seen? %s has %zu: write "
				"--observed ROUTER/INTERFACE=%s",
				t->path, judge->config_path, judge->cfg.n_edges, t->path);
		} else if (!config_edge_find(&judge->cfg, t->router, t->interface)) {
			replay_complain(r, "%s: edge %s %s is not in %s", t->path,
					t->router, t->interface, judge->config_path);
		}
	}
}

static bool same_edge(const struct replay_traffic *a, const struct replay_traffic *b)
{
	return strcmp(a->router, b->router) == 0 &&
	       strcmp(a->interface, b->interface) == 0;
}

static int read_file(struct observed *o, struct unpack *file, struct diag *diag)
{
	static uint8_t buf[1 << 18];
	struct diag late;
	long n;

	while ((n = unpack_read(file, buf, sizeof(buf), diag)) > 0) {
		if (observed_bytes(o, buf, (size_t)n, diag) < 0) {
			n = -1;
			break;
		}
	}
	if (n == 0)
		return observed_end(o, diag);
	observed_end(o, &late); /* another file may follow */
	return -1;
}

static void read_traffic(struct replay *r, struct replay_traffic *t)
{
	struct replay_traffic *owner = r->traffic;
	struct unpack *file;
	struct diag diag;

	while (!same_edge(owner, t))
		owner++;
	if (!owner->seen)
		owner->seen = observed_new();
	file = unpack_open(t->path, &diag);
	if (!file || read_file(owner->seen, file, &diag) < 0)
		replay_complain(r, "%s: %s", t->path, diag.text);
	else if (unpack_is_cut(file))
		fprintf(stderr, "sav-replay: %s: the compressed data is cut short\n",
			t->path);
	unpack_close(file);
}

static void warn(const struct replay_traffic *t, uint64_t n, const char *what)
{
	if (n != 0)
		fprintf(stderr, "sav-replay: traffic of edge %s %s: %llu %s\n", t->router,
			t->interface, (unsigned long long)n, what);
}

void replay_traffic_read(struct replay *r)
{
	for (size_t i = 0; i < r->n_traffic; i++)
		read_traffic(r, &r->traffic[i]);
	for (size_t i = 0; i < r->n_traffic; i++) {
		const struct replay_traffic *t = &r->traffic[i];
		const struct observed_stats *s;

		if (!t->seen)
			continue;
		s = observed_stats(t->seen);
		warn(t, s->outgoing, "packets left out that the capturing host sent");
		warn(t, s->other, "packets left out that are not IP");
		warn(t, s->cut, "packets left out that end before their source address");
		warn(t, s->link_scope, "entries left out of 0.0.0.0, :: and fe80::/10");
		warn(t, s->unfinished,
		     "bytes of an unfinished packet at the end of a file");
	}
}

/* ---- what is dropped */

static bool is_peer(const struct config_edge *e, const struct ip_addr *addr)
{
	for (size_t i = 0; i < e->n_peers; i++) {
		if (ip_addr_equal(&e->peers[i], addr))
			return true;
	}
	return false;
}

static void keep_dropped(struct report *rep, const struct addrset *drops)
{
	const struct config_edge *e = &rep->policy->cfg.edges[rep->edge];
	size_t n;
	const struct observed_source *s = observed_sources(rep->t->seen, &n);

	rep->flows = mem_calloc(n + 1, sizeof(*rep->flows));
	for (size_t i = 0; i < n; i++) {
		struct flow *f = &rep->flows[rep->n_flows];
		enum ip_family family = (enum ip_family)s[i].addr.family;

		total_add(&rep->all, &s[i]);
		/* a router's neighbour may always talk to it */
		if (!addrset_contains(drops, &s[i].addr) || is_peer(e, &s[i].addr))
			continue;
		total_add(&rep->dropped, &s[i]);
		f->s = s[i];
		f->cover = ip_prefix_make(family, s[i].addr.v, family == IP_V4 ? 24 : 64);
		rep->n_flows++;
	}
}

/* What the policy drops, and does not drop already. */
static void find_dropped(struct report *rep)
{
	const struct config_edge *now =
		config_edge_find(&rep->r->cfg, rep->t->router, rep->t->interface);
	struct addrset accepts = { 0 }, drops = { 0 };

	sets_pass_edge(rep->policy->pass, rep->edge, &accepts);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		rangeset_complement(&drops.f[f], &accepts.f[f], f);
	if (rep->policy != rep->r && now) {
		sets_pass_edge(rep->r->pass, (size_t)(now - rep->r->cfg.edges), &accepts);
		addrset_intersect(&drops, &drops, &accepts);
	}
	keep_dropped(rep, &drops);
	addrset_fini(&accepts);
	addrset_fini(&drops);
}

static void take_route(const struct ip_prefix *prefix, uint32_t path_id,
		       const struct rib_attr *attr, void *arg)
{
	struct report *rep = arg;
	size_t low = 0, high = rep->n_flows;

	(void)path_id;
	(void)attr;
	if (sets_prefix_is_too_short(prefix))
		return;
	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct ip_addr *addr = &rep->flows[mid].s.addr;

		if (addr->family < prefix->family ||
		    (addr->family == prefix->family && addr->v < prefix->v))
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < rep->n_flows; low++) {
		struct flow *f = &rep->flows[low];

		if (!ip_prefix_contains(prefix, f->s.addr.family, f->s.addr.v))
			break;
		if (!f->routed || f->cover.len < prefix->len)
			f->cover = *prefix;
		f->routed = true;
	}
}

static void find_routes(struct report *rep)
{
	for (size_t i = 0; rep->n_flows != 0 && i < rep->policy->n_sources; i++) {
		const struct rib_peer *peer = rep->policy->sources[i].peer;

		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
			rib_walk(peer, rib_peer_view(peer, f), f, take_route, rep);
	}
}

/* ---- groups */

static int flows_by_bytes(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	if (x->s.bytes != y->s.bytes)
		return x->s.bytes < y->s.bytes ? 1 : -1;
	if (x->s.addr.family != y->s.addr.family)
		return x->s.addr.family - y->s.addr.family;
	return (x->s.addr.v > y->s.addr.v) - (x->s.addr.v < y->s.addr.v);
}

static int groups_by_prefix(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int ret = ip_prefix_cmp(&x->prefix, &y->prefix);

	if (ret == 0 && x->routed != y->routed)
		return x->routed - y->routed;
	if (ret == 0) /* the largest flow first */
		return (x->largest > y->largest) - (x->largest < y->largest);
	return ret;
}

static int groups_by_bytes(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return groups_by_prefix(a, b);
}

static void find_groups(struct report *rep)
{
	struct group *g = mem_calloc(rep->n_flows + 1, sizeof(*g));
	size_t n = 0;

	qsort(rep->flows, rep->n_flows, sizeof(*rep->flows), flows_by_bytes);
	for (size_t i = 0; i < rep->n_flows; i++) {
		const struct flow *f = &rep->flows[i];

		g[i] =
			(struct group){ f->cover,     f->routed, f->s.bytes,
					f->s.packets, 1,	 f };
	}
	qsort(g, rep->n_flows, sizeof(*g), groups_by_prefix);
	for (size_t i = 0; i < rep->n_flows; i++) {
		if (n != 0 && g[n - 1].routed == g[i].routed &&
		    ip_prefix_cmp(&g[n - 1].prefix, &g[i].prefix) == 0) {
			g[n - 1].bytes = sum(g[n - 1].bytes, g[i].bytes);
			g[n - 1].packets = sum(g[n - 1].packets, g[i].packets);
			g[n - 1].sources++;
		} else {
			g[n++] = g[i];
		}
	}
	qsort(g, n, sizeof(*g), groups_by_bytes);
	rep->groups = g;
	rep->n_groups = n;
}

/* ---- output */

static size_t shown(const struct report *rep, size_t n)
{
	return n < rep->r->top ? n : rep->r->top;
}

static void put_counts(const struct report *rep, uint64_t bytes, uint64_t packets)
{
	if (rep->r->json)
		printf("\"bytes\":%llu,\"packets\":%llu,", (unsigned long long)bytes,
		       (unsigned long long)packets);
	else
		printf("%llu bytes, %llu packet%s", (unsigned long long)bytes,
		       (unsigned long long)packets, packets == 1 ? "" : "s");
}

static void put_group(const struct report *rep, const struct group *g,
		      const struct replay_judgement *j, bool first)
{
	char text[IP_TEXT_SIZE];

	ip_prefix_format(&g->prefix, text);
	if (rep->r->json) {
		printf("%s{\"prefix\":\"%s\",\"routed\":%s,\"sources\":%zu,",
		       first ? "" : ",", text, g->routed ? "true" : "false", g->sources);
		put_counts(rep, g->bytes, g->packets);
		replay_judge_json(j, &g->prefix);
		printf("}");
		return;
	}
	printf(" drop %s: ", text);
	put_counts(rep, g->bytes, g->packets);
	printf(", %zu source%s: ", g->sources, g->sources == 1 ? "" : "s");
	replay_judge_text(j, &g->prefix);
	printf("\n");
}

/* A statement names the route; where there is none, the address alone. */
static struct ip_prefix statement_of(const struct flow *f)
{
	enum ip_family family = (enum ip_family)f->s.addr.family;

	return f->routed ? f->cover
			 : ip_prefix_make(family, f->s.addr.v, ip_bits(family));
}

static void put_flow(const struct report *rep, const struct flow *f,
		     const struct replay_judgement *j, bool first)
{
	struct ip_prefix what = statement_of(f);
	char text[IP_TEXT_SIZE];

	if (rep->r->json) {
		printf("%s{\"address\":\"%s\",", first ? "" : ",",
		       ip_addr_format(&f->s.addr, text));
		if (f->routed)
			printf("\"prefix\":\"%s\",", ip_prefix_format(&f->cover, text));
		put_counts(rep, f->s.bytes, f->s.packets);
		replay_judge_json(j, &what);
		printf("}");
		return;
	}
	printf(" drop %s: ", ip_addr_format(&f->s.addr, text));
	put_counts(rep, f->s.bytes, f->s.packets);
	printf(": ");
	replay_judge_text(j, &what);
	printf("\n");
}

static void put_groups(const struct report *rep)
{
	size_t n = shown(rep, rep->n_groups);
	struct replay_judgement *j = mem_calloc(n + 1, sizeof(*j));
	struct ip_addr *addrs = mem_calloc(n + 1, sizeof(*addrs));

	for (size_t i = 0; i < n; i++)
		addrs[i] = rep->groups[i].largest->s.addr;
	replay_judge(rep->policy, rep->edge, addrs, n, j);
	for (size_t i = 0; i < n; i++)
		put_group(rep, &rep->groups[i], &j[i], i == 0);
	free(addrs);
	free(j);
}

static void put_flows(const struct report *rep)
{
	size_t n = shown(rep, rep->n_flows);
	struct replay_judgement *j = mem_calloc(n + 1, sizeof(*j));
	struct ip_addr *addrs = mem_calloc(n + 1, sizeof(*addrs));

	for (size_t i = 0; i < n; i++)
		addrs[i] = rep->flows[i].s.addr;
	replay_judge(rep->policy, rep->edge, addrs, n, j);
	for (size_t i = 0; i < n; i++)
		put_flow(rep, &rep->flows[i], &j[i], i == 0);
	free(addrs);
	free(j);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void put_json_report(const struct report *rep, const struct config_edge *e)
{
	printf("{\"router\":\"%s\",\"interface\":\"%s\",\"mode\":\"%s\",", e->router,
	       e->interface, edge_mode_name(config_edge_mode(e)));
	put_counts(rep, rep->all.bytes, rep->all.packets);
	printf("\"sources\":%zu,\"droppedBytes\":%llu,\"droppedPackets\":%llu,"
	       "\"droppedSources\":%zu,\"prefixCount\":%zu,\"prefixes\":[",
	       rep->all.sources, (unsigned long long)rep->dropped.bytes,
	       (unsigned long long)rep->dropped.packets, rep->dropped.sources,
	       rep->n_groups);
	put_groups(rep);
	printf("],\"topSources\":[");
	put_flows(rep);
	printf("]}");
}

static void put_text_report(const struct report *rep, const struct config_edge *e)
{
	printf("observed on edge %s %s mode %s: %s %.2f%% of the bytes (%llu of %llu), "
	       "%.2f%% of the sources (%zu of %zu)\n",
	       e->router, e->interface, edge_mode_name(config_edge_mode(e)),
	       rep->policy == rep->r ? "drops" : "newly drops",
	       percent(rep->dropped.bytes, rep->all.bytes),
	       (unsigned long long)rep->dropped.bytes, (unsigned long long)rep->all.bytes,
	       percent(rep->dropped.sources, rep->all.sources), rep->dropped.sources,
	       rep->all.sources);
	put_groups(rep);
	if (shown(rep, rep->n_groups) < rep->n_groups)
		printf(" %zu more prefixes are not shown\n",
		       rep->n_groups - shown(rep, rep->n_groups));
	put_flows(rep);
	if (shown(rep, rep->n_flows) < rep->n_flows)
		printf(" %zu more sources are not shown\n",
		       rep->n_flows - shown(rep, rep->n_flows));
}

static void report(struct replay *r, const struct replay_traffic *t)
{
	struct report rep = { .r = r, .policy = r->what_if ? r->what_if : r, .t = t };
	const struct config_edge *e =
		config_edge_find(&rep.policy->cfg, t->router, t->interface);

	rep.edge = (size_t)(e - rep.policy->cfg.edges);
	find_dropped(&rep);
	find_routes(&rep);
	find_groups(&rep);
	if (r->json)
		put_json_report(&rep, e);
	else
		put_text_report(&rep, e);
	free(rep.groups);
	free(rep.flows);
}

void replay_observed(struct replay *r)
{
	bool first = true;

	for (size_t i = 0; i < r->n_traffic; i++) {
		if (!r->traffic[i].seen)
			continue;
		if (r->json && !first)
			printf(",");
		report(r, &r->traffic[i]);
		first = false;
	}
}
