/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From bytes of BMP to sets, against the model: random networks in which routers report
 * announcements and withdrawals of paths as they are in the world: prepended,
 * with AS_SETs, private numbers and confederations, several origins and several
 * paths of a prefix, more-specifics elsewhere, leaked default routes, loops;
 * forwarding tables with several interfaces to a route. At random moments the sets
 * that were kept up answer for random addresses as the model does, and now and then
 * for all there are.
 *
 * OPENSAV_TEST_EVENTS is the number of events, OPENSAV_TEST_SEED repeats a run.
 */
#include "tests/unit/sets/model.h"

#include <stdlib.h>
#include <string.h>

#include "controller/feed/bmp.h"
#include "controller/feed/bmp_feed.h"
#include "controller/sets/live.h"
#include "lib/mem.h"
#include "tests/unit/feed/bmp_build.h"
#include "tests/unit/sets/net.h"
#include "tests/unit/sets/random.h"

#ifdef __SANITIZE_ADDRESS__ /* so much slower */
#define EVENTS 100000
#else
#define EVENTS 1000000
#endif
#define EVENTS_NET 10000 /* in one network */

/* 64 blocks of each family, 20.0.0.0/14 and 2a00::/22 the first of them. */
#define BITS  6
#define CELLS (1 << BITS)

enum feature {
	F_IPV6,
	F_PREPEND,
	F_SET,
	F_PRIVATE,
	F_CONFED,
	F_LOOP,
	F_EMPTY,
	F_MOAS,
	F_ADDPATH,
	F_DEFAULT,
	F_ECMP,
	F_REJECT,
	F_WITHDRAW,
	F_DOWN,
	F_MODE,
	FEATURES
};
static const char *const feature_names[FEATURES] = {
	"IPv6",		 "prepended",
	"AS_SET",	 "private AS",
	"confederation", "loop",
	"empty path",	 "several origins",
	"several paths", "default or shorter than /8",
	"ECMP",		 "blackhole",
	"withdrawn",	 "session down",
	"change of mode"
};

struct world {
	uint64_t seed;
	struct model m;
	struct config cfg;
	struct rib *rib;
	struct live *live;
	struct bmp_feed *feeds[MODEL_ROUTERS];
	struct live_source *sources[MODEL_PEERS];
	struct fib *fibs[MODEL_ROUTERS];
	enum rib_view views[MODEL_PEERS];
	char addrs[MODEL_PEERS][IP_TEXT_SIZE];
	unsigned int first[MODEL_PEERS],
		span[MODEL_PEERS]; /* prefixes that it announces */
	unsigned int n_as;
	unsigned long events, compared, accepted, seen[FEATURES];
};

static const char *const router_names[MODEL_ROUTERS] = { "r0", "r1" };

static unsigned int below(struct world *w, unsigned int n)
{
	return random_below(&w->seed, n);
}

static bool one_in(struct world *w, unsigned int n)
{
	return below(w, n) == 0;
}

/* ---- networks */

static u128 cell_addr(enum ip_family family, unsigned int cell)
{
	return family == IP_V4 ? ((u128)20 << 24) + ((u128)cell << 18)
			       : ((u128)0x2a00 << 112) + ((u128)cell << 106);
}

static struct ip_prefix some_prefix(struct world *w)
{
	enum ip_family family = one_in(w, 3) ? IP_V6 : IP_V4;
	unsigned int base = family == IP_V4 ? 8 : 16, len = base + below(w, BITS + 1);

	if (one_in(w, 8))
		len = one_in(w, 2) ? 0 : base - 1 - below(w, 3);
	return ip_prefix_make(family, cell_addr(family, below(w, CELLS)), len);
}

static void make_prefixes(struct world *w)
{
	struct model *m = &w->m;

	m->n_prefixes = 4 + below(w, MODEL_PREFIXES - 3);
	for (unsigned int i = 0; i < m->n_prefixes; i++) {
		bool again;

		do {
			again = false;
			m->prefixes[i] = some_prefix(w);
			for (unsigned int k = 0; k < i; k++)
				again |= ip_prefix_cmp(&m->prefixes[i],
						       &m->prefixes[k]) == 0;
		} while (again);
	}
	m->record = ip_prefix_make(IP_V4, cell_addr(IP_V4, below(w, CELLS)), 14);
	m->own = ip_prefix_make(IP_V4, cell_addr(IP_V4, below(w, CELLS)),
				12 + below(w, 3));
}

static void edge_put(struct world *w, unsigned int i)
{
	const struct model_edge *e = &w->m.edges[i];
	struct config_edge c;
	char name[8];
	struct diag diag;

	snprintf(name, sizeof(name), "e%u", i);
	config_edge_init(&c, router_names[e->router], name);
	c.role = e->role;
	c.mode = e->mode;
	strcpy(c.customer, "c");
	assert_int_equal(config_edge_put(&w->cfg, &c, &diag), 0);
	config_edge_fini(&c);
}

static enum edge_mode some_mode(struct world *w)
{
	static const enum edge_mode fib[] = { MODE_STRICT, MODE_STRICT_DIRECT };
	static const enum edge_mode all[] = {
		MODE_STRICT, MODE_STRICT_DIRECT,    MODE_FEASIBLE, MODE_EFP_A, MODE_EFP_B,
		MODE_LOOSE,  MODE_LOOSE_NO_DEFAULT, MODE_ACL,	   MODE_OFF
	};

	/* what loose reads of a forwarding table is tested elsewhere */
	return w->m.has_fib && !one_in(w, 4) ? fib[below(w, 2)]
	       : w->m.has_fib		     ? MODE_EFP_A
					     : all[below(w, one_in(w, 5) ? 9 : 7)];
}

static void make_edges(struct world *w)
{
	static const enum edge_role roles[] = { ROLE_CUSTOMER, ROLE_CUSTOMER,
						ROLE_CUSTOMER, ROLE_STUB,
						ROLE_PEER,     ROLE_PROVIDER,
						ROLE_INTERNAL };
	struct config_customer c = { .name = "c" };
	struct diag diag;

	for (unsigned int i = 0; i < MODEL_ROUTERS; i++) {
		struct config_router r = { 0 };

		strcpy(r.name, router_names[i]);
		assert_int_equal(config_router_put(&w->cfg, &r, &diag), 0);
	}
	config_prefixes_set(&c.prefixes, &c.n_prefixes, &w->m.record, true);
	assert_int_equal(config_customer_put(&w->cfg, &c, &diag), 0);
	config_customer_fini(&c);
	assert_int_equal(config_own_set(&w->cfg, &w->m.own, true, &diag), 0);
	w->m.n_edges = 2 + below(w, MODEL_EDGES - 1);
	for (unsigned int i = 0; i < w->m.n_edges; i++) {
		w->m.edges[i] = (struct model_edge){ .router = below(w, MODEL_ROUTERS),
						     .role = roles[below(w, 7)],
						     .mode = some_mode(w),
						     .port = 1 + i };
		edge_put(w, i);
	}
}

static size_t edge_index(const struct world *w, int edge)
{
	const struct config_edge *c;
	char name[8];

	if (edge < 0)
		return SETS_NO_EDGE;
	snprintf(name, sizeof(name), "e%d", edge);
	c = config_edge_find(&w->cfg, router_names[w->m.edges[edge].router], name);
	assert_non_null(c);
	return (size_t)(c - w->cfg.edges);
}

static void policy_tell(struct world *w)
{
	uint32_t ports[MODEL_EDGES] = { 0 };

	live_policy(w->live, &w->cfg);
	for (unsigned int i = 0; i < w->m.n_edges; i++)
		ports[edge_index(w, (int)i)] = w->m.edges[i].port;
	if (w->m.has_fib)
		live_ports(w->live, ports);
}

/* ---- sessions */

static void on_route(struct rib_peer *rib, enum rib_view view,
		     const struct ip_prefix *prefix, const struct rib_attr *old,
		     const struct rib_attr *new, void *arg)
{
	struct world *w = arg;
	struct live_source **source = rib_peer_user(rib);

	if (source && *source)
		live_route(w->live, *source, view, prefix, old, new);
}

static struct build_peer header_of(const struct world *w, unsigned int p)
{
	return (struct build_peer){ .addr = w->addrs[p],
				    .as = w->m.peers[p].ibgp ? MODEL_OWN_AS : 65001,
				    .flags =
					    w->views[p] == RIB_POST ? BMP_FLAG_POST : 0 };
}

static void flow(struct world *w, unsigned int p, struct wr *bytes)
{
	struct diag diag;

	if (bmp_feed_bytes(w->feeds[w->m.peers[p].router], bytes->data, bytes->len,
			   &diag) < 0)
		fail_msg("%s", diag.text);
	wr_fini(bytes);
}

static void session_up(struct world *w, unsigned int p)
{
	struct build_open us = {
		.as = MODEL_OWN_AS, .id = 1, .role = -1, .addpath = { 3, 3 }
	};
	struct build_open them = { .id = 2, .role = -1, .addpath = { 3, 3 } };
	struct build_peer header = header_of(w, p);
	struct wr out = { 0 };

	them.as = header.as;
	build_peer_up(&out, &header, "10.255.0.1", &us, &them);
	flow(w, p, &out);
}

static void session_down(struct world *w, unsigned int p)
{
	struct build_peer header = header_of(w, p);
	struct wr out = { 0 };

	build_peer_down(&out, &header, BMP_DOWN_REMOTE);
	flow(w, p, &out);
	memset(w->m.paths[p], 0, sizeof(w->m.paths[p]));
	w->seen[F_DOWN]++;
	session_up(w, p);
}

static void make_peers(struct world *w)
{
	struct model *m = &w->m;

	m->n_peers = 2 + below(w, MODEL_PEERS - 1);
	for (unsigned int p = 0; p < m->n_peers; p++) {
		struct model_peer *peer = &m->peers[p];
		struct rib_peer_key key = { 0 };
		struct sets_source source = { 0 };

		peer->ibgp = one_in(w, 5);
		peer->edge = peer->ibgp || one_in(w, 6) ? -1 : (int)below(w, m->n_edges);
		peer->router = peer->edge < 0 ? below(w, MODEL_ROUTERS)
					      : m->edges[peer->edge].router;
		peer->addr = 0x0a000000 + below(w, 1000) * 16 + p;
		w->views[p] = one_in(w, 2) ? RIB_POST : RIB_PRE;
		w->first[p] = below(w, m->n_prefixes);
		w->span[p] = 1 + below(w, one_in(w, 2) ? m->n_prefixes : 4);
		key.router = peer->router;
		key.addr = (struct ip_addr){ peer->addr, IP_V4 };
		ip_addr_format(&key.addr, w->addrs[p]);
		source.peer = rib_peer_get(w->rib, &key);
		source.edge = edge_index(w, peer->edge);
		source.router = peer->router;
		source.ibgp = peer->ibgp;
		rib_peer_set_user((struct rib_peer *)(uintptr_t)source.peer,
				  &w->sources[p]);
		w->sources[p] = live_source_add(w->live, &source);
		session_up(w, p);
	}
}

/* ---- routes */

static uint32_t some_as(struct world *w)
{
	static const uint32_t as[] = { 3356,  15169,  65001,	   65002, 64512,
				       65534, 200000, 4200000001u, 7 };
	uint32_t one = one_in(w, 3) ? as[below(w, 9)] : 1000 + below(w, w->n_as);

	w->seen[F_PRIVATE] += (one >= 64512 && one <= 65534) || one >= 4200000000u;
	return one;
}

static void some_segment(struct world *w, struct model_path *p, unsigned int type)
{
	struct model_segment *s = &p->segments[p->n_segments++];
	uint32_t as = some_as(w);

	s->type = type;
	s->n = 1 + below(w, 3);
	for (unsigned int i = 0; i < s->n; i++)
		s->as[i] = one_in(w, 3) ? as : some_as(w);
	if (type != MODEL_SEQUENCE || !one_in(w, 4))
		return;
	/* prepended */
	w->seen[F_PREPEND]++;
	while (s->n < 6)
		s->as[s->n++] = as;
}

static struct model_path some_path(struct world *w, const struct model_peer *peer)
{
	struct model_path p = { .there = true,
				.origin_code = below(w, 2),
				.has_pref = one_in(w, 3),
				.has_med = one_in(w, 3) };

	if (peer->ibgp && one_in(w, 4)) {
		w->seen[F_CONFED]++;
		some_segment(w, &p,
			     one_in(w, 3) ? MODEL_CONFED_SET : MODEL_CONFED_SEQUENCE);
	}
	if (!one_in(w, 20))
		some_segment(w, &p, MODEL_SEQUENCE);
	if (one_in(w, 10)) {
		w->seen[F_SET]++;
		some_segment(w, &p, MODEL_SET);
	}
	w->seen[F_EMPTY] += p.n_segments == 0;
	if (p.n_segments != 0 && one_in(w, 25)) {
		w->seen[F_LOOP]++;
		p.segments[0].as[below(w, p.segments[0].n)] = MODEL_OWN_AS;
	}
	p.pref = p.has_pref ? 99 + below(w, 3) : 0;
	p.med = p.has_med ? below(w, 3) : 0;
	return p;
}

static void put_path(struct wr *attrs, const struct model_path *p, bool with_pref)
{
	struct wr value = { 0 };

	build_origin(attrs, (uint8_t)p->origin_code);
	for (unsigned int i = 0; i < p->n_segments; i++) {
		wr_u8(&value, (uint8_t)p->segments[i].type);
		wr_u8(&value, (uint8_t)p->segments[i].n);
		for (unsigned int k = 0; k < p->segments[i].n; k++)
			wr_be32(&value, p->segments[i].as[k]);
	}
	build_attr(attrs, 0x40, 2, value.data, value.len);
	wr_fini(&value);
	if (p->has_med)
		build_u32_attr(attrs, 0x80, 4, p->med);
	if (with_pref && p->has_pref)
		build_u32_attr(attrs, 0x40, 5, p->pref);
}

/* LOCAL_PREF is of no use before policy from another AS (RFC 4271 5.1.5). */
static bool takes_pref(const struct world *w, unsigned int p)
{
	return w->m.peers[p].ibgp || w->views[p] == RIB_POST;
}

static void put_nlri(struct build_update *u, const struct ip_prefix *prefix, uint32_t id,
		     bool announce)
{
	struct wr nlri = { 0 };
	char text[IP_TEXT_SIZE];

	ip_prefix_format(prefix, text);
	if (prefix->family == IP_V4) {
		build_prefix_id(announce ? &u->nlri : &u->withdrawn, id, text);
		if (announce)
			build_next_hop(&u->attrs, "192.0.2.1");
		return;
	}
	build_prefix_id(&nlri, id, text);
	if (announce)
		build_mp_reach(&u->attrs, 2, 1, "2001:db8::1", &nlri);
	else
		build_mp_unreach(&u->attrs, 2, 1, &nlri);
	wr_fini(&nlri);
}

static void note_origins(struct world *w, unsigned int prefix)
{
	unsigned int others = 0;

	for (unsigned int p = 0; p < w->m.n_peers; p++)
		for (unsigned int id = 0; id < MODEL_IDS; id++)
			others += w->m.paths[p][prefix][id].there;
	w->seen[F_MOAS] += others > 1;
}

static void route_event(struct world *w, bool announce)
{
	unsigned int p = below(w, w->m.n_peers);
	unsigned int i = (w->first[p] + below(w, w->span[p])) % w->m.n_prefixes;
	unsigned int id = one_in(w, 4);
	struct model_path *path = &w->m.paths[p][i][id];
	struct build_peer header = header_of(w, p);
	struct build_update u = { 0 };
	struct wr out = { 0 };

	*path = (struct model_path){ .there = false };
	if (announce) {
		*path = some_path(w, &w->m.peers[p]);
		put_path(&u.attrs, path, takes_pref(w, p));
		path->has_pref = path->has_pref && takes_pref(w, p);
		path->there = !model_is_loop(path);
	}
	put_nlri(&u, &w->m.prefixes[i], id, announce);
	build_routes(&out, &header, &u);
	flow(w, p, &out);
	w->seen[F_WITHDRAW] += !announce;
	w->seen[F_IPV6] += w->m.prefixes[i].family == IP_V6;
	w->seen[F_ADDPATH] += announce && w->m.paths[p][i][1 - id].there;
	w->seen[F_DEFAULT] += announce && sets_prefix_is_too_short(&w->m.prefixes[i]);
	note_origins(w, i);
}

static void fib_event(struct world *w)
{
	unsigned int router = below(w, MODEL_ROUTERS), i = below(w, w->m.n_prefixes);
	struct model_fib_route *r = &w->m.fib[router][i];
	uint32_t index[3];
	size_t n = 0;

	*r = (struct model_fib_route){ .there = !one_in(w, 3) };
	r->reject = r->there && one_in(w, 8);
	for (unsigned int k = 0; r->there && !r->reject && k < 3; k++) {
		uint32_t port = 1 + below(w, MODEL_EDGES);

		if ((k == 0 || one_in(w, 3)) && !(r->ports >> port & 1)) {
			r->ports |= 1u << port;
			index[n++] = port;
		}
	}
	w->seen[F_ECMP] += n > 1;
	w->seen[F_REJECT] += r->reject;
	live_fib_route(w->live, router, &w->m.prefixes[i],
		       !r->there   ? AGENT_ROUTE_GONE
		       : r->reject ? AGENT_ROUTE_REJECT
				   : AGENT_ROUTE_UNICAST,
		       index, n);
}

/* ---- the comparison */

static void compare_at(struct world *w, const struct addrset *set, unsigned int edge,
		       enum ip_family family, unsigned int cell)
{
	struct ip_addr a = { cell_addr(family, cell) + 1, (uint8_t)family };
	bool want = model_accepts(&w->m, edge, &a);
	char text[IP_TEXT_SIZE];

	w->compared++;
	w->accepted += want;
	if (addrset_contains(set, &a) != want)
		fail_msg("edge %u, %s, after %lu events: %s is %s", edge,
			 edge_mode_name(w->m.edges[edge].mode), w->events,
			 ip_addr_format(&a, text), want ? "dropped" : "accepted");
}

static void on_edge(void *ctx, size_t edge, const struct addrset *added,
		    const struct addrset *removed)
{
	(void)ctx;
	(void)edge;
	assert_false(addrset_is_empty(added) && addrset_is_empty(removed));
}

static void compare(struct world *w, bool all)
{
	const struct live_ops ops = { .edge = on_edge };
	struct addrset set = { 0 };

	for (unsigned int p = 0; p < w->m.n_peers; p++)
		live_source_refresh(w->live, w->sources[p]);
	live_drain(w->live, &ops, NULL);
	for (unsigned int edge = 0; edge < w->m.n_edges; edge++) {
		live_edge_set(w->live, edge_index(w, (int)edge), &set);
		for (unsigned int i = 0; i < (all ? 2 * CELLS : 6); i++)
			compare_at(w, &set, edge, i & 1 ? IP_V6 : IP_V4,
				   all ? i / 2 : below(w, CELLS));
	}
	addrset_fini(&set);
}

/* ---- histories */

static void world_make(struct world *w)
{
	memset(&w->m, 0, sizeof(w->m));
	memset(w->sources, 0, sizeof(w->sources));
	config_init(&w->cfg);
	w->m.has_fib = one_in(w, 3);
	w->n_as = 1 + below(w, one_in(w, 2) ? 10 : 1000);
	w->rib = rib_new();
	w->live = live_new(w->m.has_fib ? LIVE_STRICT_GIVEN : LIVE_STRICT_BEST_PATH);
	rib_watch(w->rib, on_route, w);
	make_prefixes(w);
	make_edges(w);
	policy_tell(w);
	for (unsigned int i = 0; i < MODEL_ROUTERS; i++) {
		w->feeds[i] = bmp_feed_new(w->rib, i, NULL, NULL);
		w->fibs[i] = w->m.has_fib ? fib_new(i) : NULL;
		live_fib(w->live, i, w->fibs[i]);
	}
	make_peers(w);
}

static void world_end(struct world *w)
{
	live_free(w->live);
	for (unsigned int i = 0; i < MODEL_ROUTERS; i++) {
		bmp_feed_free(w->feeds[i]);
		fib_free(w->fibs[i]);
	}
	rib_watch(w->rib, NULL, NULL);
	rib_free(w->rib);
	config_fini(&w->cfg);
}

static void mode_event(struct world *w)
{
	unsigned int edge = below(w, w->m.n_edges);

	compare(w, false); /* nothing may wait when the policy changes */
	w->m.edges[edge].mode = some_mode(w);
	edge_put(w, edge);
	policy_tell(w);
	w->seen[F_MODE]++;
}

static void world_run(struct world *w)
{
	unsigned long until = w->events + EVENTS_NET;
	unsigned int fill = 1 + below(w, 8);

	for (; w->events < until; w->events++) {
		if (one_in(w, 2000))
			session_down(w, below(w, w->m.n_peers));
		else if (one_in(w, 3000))
			mode_event(w);
		else if (w->m.has_fib && one_in(w, 3))
			fib_event(w);
		else
			route_event(w, below(w, 10) < fill);
		if (one_in(w, 200))
			compare(w, one_in(w, 30));
	}
	compare(w, true);
}

static void test_any_history_is_as_the_model_has_it(void **state)
{
	const char *text = getenv("OPENSAV_TEST_EVENTS");
	unsigned long events = text ? strtoul(text, NULL, 0) : EVENTS;
	struct world *w = mem_alloc(sizeof(*w));

	(void)state;
	w->seed = random_seed();
	while (w->events < events) {
		world_make(w);
		world_run(w);
		world_end(w);
	}
	printf("# %lu events, %lu comparisons, %lu accepted;", w->events, w->compared,
	       w->accepted);
	for (int f = 0; f < FEATURES; f++) {
		printf(" %s %lu,", feature_names[f], w->seen[f]);
		/* a short run need not meet all of them */
		assert_true(events < EVENTS || w->seen[f] != 0);
	}
	printf("\n");
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_history_is_as_the_model_has_it),
	};

	return cmocka_run_group_tests_name("live_model", tests, NULL, NULL);
}
