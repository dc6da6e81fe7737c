/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random networks that change: routes, views, peers, their edges, policy. At
 * random moments the sets that live kept up are compared with those that sets
 * computes from scratch, edge by edge, and so are the copies that follow what
 * live told. In half of the networks routers have forwarding tables.
 *
 * OPENSAV_TEST_EVENTS is the number of events, OPENSAV_TEST_SEED repeats a run.
 */
#include <stdlib.h>
#include <string.h>

#include "controller/sets/live.h"
#include "lib/mem.h"
#include "tests/unit/sets/net.h"
#include "tests/unit/sets/random.h"

#define EVENTS	   1000000 /* of routes, at least */
#define EVENTS_NET 20000   /* in one network */

#define ROUTERS	     3
#define INTERFACES   6
#define PEERS_MAX    14
#define PREFIXES_MAX 160
#define CUSTOMERS    3
#define ORIGINS_MAX  40

struct edge_copy {
	bool exists;
	struct addrset set; /* as live told it */
};

struct peer {
	struct rib_peer *rib; /* NULL: not there */
	struct live_source *live;
	unsigned int number, router;
	unsigned int first, span; /* prefixes that it announces */
	int interface;		  /* -1: no edge */
	bool ibgp;
};

struct world {
	uint64_t seed;
	struct config cfg;
	struct rib *rib;
	struct live *live;
	struct peer peers[PEERS_MAX];
	unsigned int n_peers;
	struct ip_prefix prefixes[PREFIXES_MAX];
	unsigned int n_prefixes;
	struct edge_copy copies[ROUTERS][INTERFACES];
	struct addrset shared[LIVE_SHARED]; /* likewise */
	bool by_shared;			    /* shared() is asked for */
	bool policy_changed;		    /* since the last drain */
	bool by_fib;			    /* strict is given */
	struct fib *fibs[ROUTERS];	    /* NULL: none told */
	uint32_t ports[ROUTERS][INTERFACES];
	unsigned int fill;		    /* of ten events, how many announce */
	unsigned int n_origins;
	unsigned int least; /* of each ten prefixes, so many are not among the shortest */
	unsigned int next_number;
	unsigned long events, drains, told[MODE_OFF + 1], told_shared, asked, admitted;
};

static unsigned int below(struct world *w, unsigned int n)
{
	return random_below(&w->seed, n);
}

static bool one_in(struct world *w, unsigned int n)
{
	return below(w, n) == 0;
}

/* ---- names: "r1" comes after "q0", so that a router can push the others on ---- */

static const char *const router_names[ROUTERS] = { "r0", "r1", "r2" };
static const char *const interface_names[INTERFACES] = { "e0", "e1", "e2",
							 "e3", "e4", "e5" };

static size_t edge_index(const struct world *w, unsigned int router, int interface)
{
	const struct config_edge *e;

	if (interface < 0)
		return SETS_NO_EDGE;
	e = config_edge_find(&w->cfg, router_names[router], interface_names[interface]);
	return e ? (size_t)(e - w->cfg.edges) : SETS_NO_EDGE;
}

static struct edge_copy *copy_of(struct world *w, size_t edge)
{
	const struct config_edge *e = &w->cfg.edges[edge];

	return &w->copies[e->router[1] - '0'][e->interface[1] - '0'];
}

static size_t router_index(const struct world *w, const char *name)
{
	const struct config_router *r = config_router_find(&w->cfg, name);

	assert_non_null(r);
	return (size_t)(r - w->cfg.routers);
}

/* ---- routes ---- */

/* A /8 makes all that it covers a non-event, so not every network has them. */
static unsigned int some_length(struct world *w, unsigned int n)
{
	unsigned int skip = below(w, 10) < w->least ? 11 : 0;

	return skip + below(w, n - skip);
}

/* Few bits differ, so that prefixes cover each other: customers' space, private
 * and documentation prefixes, lengths from the default route on. */
static struct ip_prefix some_prefix(struct world *w)
{
	static const uint8_t len4[] = { 0,  7,	8,  9,	10, 15, 16, 16, 17, 17, 17, 23,
					23, 23, 24, 24, 24, 24, 24, 25, 25, 25, 26, 32 };
	static const uint8_t len6[] = { 0,  15, 16, 20, 32, 32, 33, 33, 33, 47, 47, 48,
					48, 48, 48, 49, 49, 49, 49, 64, 64, 65, 65, 128 };
	static const uint32_t tops[] = { 10, 20, 20, 21, 21, 100, 192, 193 };
	u128 v;

	if (one_in(w, 3)) {
		v = (u128)(0x20010000u + below(w, 4) * 0x0db8u) << 96;
		v |= random_u64(&w->seed) & 0x0001800180010001u;
		v |= (u128)(random_u64(&w->seed) & 0x0000000380018001u) << 64;
		return ip_prefix_make(IP_V6, v, len6[some_length(w, sizeof(len6))]);
	}
	v = tops[below(w, 8)] << 24 | (random_u64(&w->seed) & 0x00c18181u);
	return ip_prefix_make(IP_V4, v, len4[some_length(w, sizeof(len4))]);
}

static struct rib_attr some_attr(struct world *w)
{
	struct rib_attr a = { .origin_kind = RIB_ORIGIN_AS,
			      /* private numbers too */
			      .origin_as = 64496 + below(w, w->n_origins),
			      /* prepends */
			      .as_path_hops = (uint16_t)(1 + below(w, 3)),
			      .origin_code = (uint8_t)(below(w, 4) == 0),
			      .neighbor_as = 64496 + below(w, 3),
			      .has_local_pref = one_in(w, 4),
			      .has_med = one_in(w, 3) };

	if (one_in(w, 10)) {
		a.origin_kind = RIB_ORIGIN_NONE; /* AS_SET */
		a.origin_as = 0;
	} else if (one_in(w, 10)) {
		a.origin_kind = RIB_ORIGIN_OWN; /* empty, or a confederation's */
		a.origin_as = a.as_path_hops = 0;
	}
	a.local_pref = a.has_local_pref ? 90 + below(w, 3) * 10 : 0;
	a.med = a.has_med ? below(w, 3) : 0;
	return a;
}

static void on_route(struct rib_peer *rib, enum rib_view view,
		     const struct ip_prefix *prefix, const struct rib_attr *old,
		     const struct rib_attr *new, void *arg)
{
	struct world *w = arg;
	struct peer *p = rib_peer_user(rib);

	w->events++;
	if (p->live)
		live_route(w->live, p->live, view, prefix, old, new);
}

static struct peer *some_peer(struct world *w)
{
	struct peer *p = &w->peers[below(w, w->n_peers)];

	return p->rib ? p : NULL;
}

/* Each prefix has one or two natural origins, as in the world at large; MOAS
 * and leaks come on top. */
static void announce(struct world *w, struct peer *p, unsigned int nth)
{
	unsigned int which = (p->first + nth) % w->n_prefixes;
	struct rib_attr attr = some_attr(w);
	enum rib_view view = RIB_POST;

	if (attr.origin_kind == RIB_ORIGIN_AS && !one_in(w, 4))
		attr.origin_as = 64496 + which / 4 % w->n_origins;
	if (one_in(w, 4) || rib_peer_view(p->rib, IP_V4) == RIB_PRE)
		view = RIB_PRE;
	rib_announce(p->rib, view, &w->prefixes[which], one_in(w, 4) ? below(w, 3) : 0,
		     &attr);
}

static void withdraw(struct world *w, struct peer *p, unsigned int nth)
{
	unsigned int which = (p->first + nth) % w->n_prefixes;
	enum rib_view view = rib_peer_view(p->rib, IP_V4);

	rib_withdraw(p->rib, one_in(w, 6) ? RIB_PRE : view, &w->prefixes[which],
		     one_in(w, 4) ? below(w, 3) : 0);
}

/* ---- peers ---- */

static void peer_live_add(struct world *w, struct peer *p)
{
	struct sets_source s = { .peer = p->rib,
				 .edge = edge_index(w, p->router, p->interface),
				 .router = router_index(w, router_names[p->router]),
				 .ibgp = p->ibgp };

	p->live = live_source_add(w->live, &s);
}

/* Mostly where an edge is. */
static void some_place(struct world *w, struct peer *p)
{
	const struct config_edge *e;

	p->router = below(w, ROUTERS);
	p->interface = one_in(w, 5) ? -1 : (int)below(w, INTERFACES);
	if (p->interface < 0 || w->cfg.n_edges == 0 || one_in(w, 4))
		return;
	e = &w->cfg.edges[below(w, (unsigned int)w->cfg.n_edges)];
	p->router = (unsigned int)(e->router[1] - '0');
	p->interface = e->interface[1] - '0';
}

static void peer_add(struct world *w, struct peer *p)
{
	struct rib_peer_key key = { 0 };

	some_place(w, p);
	p->ibgp = one_in(w, p->interface < 0 ? 2 : 10);
	p->number = w->next_number++;
	p->span = 1 + below(w, one_in(w, 3) ? w->n_prefixes : w->n_prefixes / 4);
	p->first = below(w, w->n_prefixes);
	key.router = p->router;
	/* unlike any other's: the last tie of the decision process is by address */
	key.addr = (struct ip_addr){ 0x0a000000 + p->number, IP_V4 };
	p->rib = rib_peer_get(w->rib, &key);
	rib_peer_set_user(p->rib, p);
	if (one_in(w, 3)) { /* routes before the source */
		for (unsigned int i = 0; i < 20; i++)
			announce(w, p, below(w, p->span));
	}
	peer_live_add(w, p);
}

static void peer_remove(struct world *w, struct peer *p)
{
	if (one_in(w, 2)) { /* the watcher tells path by path */
		for (int view = 0; view < RIB_VIEWS; view++)
			for (int family = 0; family < IP_FAMILIES; family++)
				rib_peer_clear(p->rib, (enum rib_view)view,
					       (enum ip_family)family);
	}
	live_source_remove(w->live, p->live);
	p->live = NULL;
	rib_peer_remove(p->rib);
	p->rib = NULL;
}

static void peer_event(struct world *w)
{
	struct peer *p = &w->peers[below(w, w->n_peers)];
	enum ip_family family = below(w, 2);
	enum rib_view view = below(w, 2);

	if (!p->rib) {
		peer_add(w, p);
		return;
	}
	switch (below(w, 6)) {
	case 0:
		peer_remove(w, p);
		break;
	case 1:
		p->interface = (int)below(w, INTERFACES + 1) - 1;
		p->ibgp = one_in(w, p->interface < 0 ? 2 : 10);
		live_source_move(w->live, p->live,
				 edge_index(w, p->router, p->interface), p->ibgp);
		break;
	case 2:
		rib_peer_clear(p->rib, view, family);
		break;
	case 3: /* a dump that repeats a part only */
		rib_stale_mark(p->rib, view, family);
		for (unsigned int i = 0; i < 30; i++)
			announce(w, p, below(w, p->span));
		rib_stale_sweep(p->rib, view, family);
		break;
	case 4:
		rib_peer_saw_post(p->rib, family);
		if (one_in(w, 2)) /* else the next route of it shows, or none does */
			live_source_refresh(w->live, p->live);
		break;
	case 5:
		live_source_remove(w->live, p->live);
		peer_live_add(w, p);
		break;
	}
}

/* ---- policy ---- */

static void router_put(struct world *w, const char *name)
{
	struct config_router r = { 0 };
	struct diag diag;

	snprintf(r.name, sizeof(r.name), "%s", name);
	assert_int_equal(config_router_put(&w->cfg, &r, &diag), 0);
}

static void some_list(struct world *w, struct ip_prefix **list, size_t *n)
{
	for (unsigned int i = below(w, 4); i > 0; i--) {
		struct ip_prefix p = some_prefix(w);

		config_prefixes_set(list, n, &p, true);
	}
}

static enum edge_mode some_mode(struct world *w)
{
	static const enum edge_mode busy[] = { MODE_STRICT, MODE_STRICT_DIRECT,
					       MODE_FEASIBLE, MODE_EFP_A, MODE_EFP_B };

	return one_in(w, 3) ? below(w, MODE_OFF + 1) : busy[below(w, 5)];
}

/* Of mode feasible half take some of the best paths only. */
static void set_mode(struct world *w, struct config_edge *e)
{
	e->mode = some_mode(w);
	e->feasible_paths = 0;
	if (e->mode == MODE_FEASIBLE && one_in(w, 2))
		e->feasible_paths = 1 + below(w, 4);
}

static void edge_put(struct world *w, unsigned int router, unsigned int interface)
{
	static const enum edge_role roles[] = {
		ROLE_CUSTOMER, ROLE_CUSTOMER, ROLE_CUSTOMER, ROLE_STUB, ROLE_PEER,
		ROLE_PROVIDER, ROLE_INTERNAL, ROLE_HOST,     ROLE_NONE
	};
	struct config_edge e;
	struct diag diag;

	config_edge_init(&e, router_names[router], interface_names[interface]);
	e.role = roles[below(w, sizeof(roles) / sizeof(roles[0]))];
	set_mode(w, &e);
	if (one_in(w, 3))
		snprintf(e.customer, sizeof(e.customer), "c%u", below(w, CUSTOMERS));
	if (one_in(w, 4))
		some_list(w, &e.prefixes, &e.n_prefixes);
	assert_int_equal(config_edge_put(&w->cfg, &e, &diag), 0);
	config_edge_fini(&e);
}

static void customer_put(struct world *w, unsigned int number)
{
	struct config_customer c = { 0 };
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "c%u", number);
	some_list(w, &c.prefixes, &c.n_prefixes);
	assert_int_equal(config_customer_put(&w->cfg, &c, &diag), 0);
	config_customer_fini(&c);
}

/* As a change of some edge's one property, which is what commands are. */
static void edge_change(struct world *w)
{
	struct config_edge e;
	struct diag diag;

	if (w->cfg.n_edges == 0)
		return;
	config_edge_copy(&e, &w->cfg.edges[below(w, (unsigned int)w->cfg.n_edges)]);
	if (one_in(w, 2))
		set_mode(w, &e);
	else
		e.role = ROLE_CUSTOMER + below(w, ROLE_INTERNAL);
	config_edge_put(&w->cfg, &e, &diag);
	config_edge_fini(&e);
}

static void router_shift(struct world *w)
{
	struct diag diag;

	if (config_router_find(&w->cfg, "q0"))
		config_router_del(&w->cfg, "q0", &diag);
	else
		router_put(w, "q0");
}

static void policy_change(struct world *w)
{
	unsigned int router = below(w, ROUTERS), interface = below(w, INTERFACES);
	struct ip_prefix p = some_prefix(w);
	struct diag diag;

	switch (below(w, 9)) {
	case 0:
	case 1:
		edge_change(w);
		break;
	case 2:
	case 3:
		edge_put(w, router, interface);
		break;
	case 4:
		config_edge_del(&w->cfg, router_names[router], interface_names[interface],
				&diag);
		break;
	case 5:
		customer_put(w, below(w, CUSTOMERS));
		break;
	case 6:
		config_own_set(&w->cfg, &p, one_in(w, 2) || w->cfg.n_own < 2, &diag);
		break;
	case 7:
		config_permit_set(&w->cfg, &p, one_in(w, 2), &diag);
		break;
	case 8:
		router_shift(w);
		break;
	}
}

/* ---- forwarding tables ---- */

static uint32_t *edge_ports(const struct world *w)
{
	uint32_t *index = mem_calloc(w->cfg.n_edges + 1, sizeof(*index));

	for (size_t i = 0; i < w->cfg.n_edges; i++) {
		const struct config_edge *e = &w->cfg.edges[i];

		index[i] = w->ports[e->router[1] - '0'][e->interface[1] - '0'];
	}
	return index;
}

static void ports_tell(struct world *w)
{
	uint32_t *index = edge_ports(w);

	live_ports(w->live, index);
	free(index);
}

static void ports_shuffle(struct world *w, unsigned int router)
{
	uint32_t *ports = w->ports[router];
	unsigned int a = below(w, INTERFACES), b = below(w, INTERFACES);
	uint32_t held = ports[a];

	ports[a] = ports[b];
	ports[b] = one_in(w, 5) ? 0 : held;
	if (ports[a] == 0 && one_in(w, 2)) { /* a number that nobody has */
		ports[a] = 1;
		for (unsigned int i = 0; i < INTERFACES; i++)
			ports[a] += i != a ? ports[i] : 0;
	}
}

static size_t some_interfaces(struct world *w, uint32_t *index)
{
	size_t n = 1 + (one_in(w, 3) ? below(w, 3) : 0);

	for (size_t i = 0; i < n; i++)
		index[i] = (uint32_t)(i * 3 + 1 + below(w, 3));
	return n;
}

static void fib_change(struct world *w, struct fib *loading, unsigned int router)
{
	const struct ip_prefix *p = &w->prefixes[below(w, w->n_prefixes)];
	enum agent_route_kind kind = AGENT_ROUTE_UNICAST;
	uint32_t index[3];
	size_t n = some_interfaces(w, index);

	if (below(w, 10) >= w->fill)
		kind = AGENT_ROUTE_GONE;
	else if (one_in(w, 8))
		kind = AGENT_ROUTE_REJECT;
	if (kind != AGENT_ROUTE_UNICAST)
		n = 0;
	w->events++;
	if (loading)
		fib_set(loading, p, kind, index, n);
	else
		live_fib_route(w->live, router_index(w, router_names[router]), p, kind,
			       index, n);
}

/* A whole table in the old one's place, or none. */
static void fib_whole(struct world *w, unsigned int router)
{
	struct fib *fib = one_in(w, 4) ? NULL : fib_new(random_u64(&w->seed));

	for (unsigned int i = fib ? below(w, 60) : 0; i > 0; i--)
		fib_change(w, fib, router);
	live_fib(w->live, router_index(w, router_names[router]), NULL);
	fib_free(w->fibs[router]);
	w->fibs[router] = fib;
	live_fib(w->live, router_index(w, router_names[router]), fib);
}

static void fib_event(struct world *w)
{
	unsigned int router = below(w, ROUTERS);

	if (!w->fibs[router] || one_in(w, 300)) {
		fib_whole(w, router);
	} else if (one_in(w, 300)) {
		ports_shuffle(w, router);
		ports_tell(w);
	} else {
		fib_change(w, NULL, router);
	}
}

static void policy_tell(struct world *w)
{
	live_policy(w->live, &w->cfg);
	if (w->by_fib)
		ports_tell(w);
	w->policy_changed = true;
	for (unsigned int i = 0; i < w->n_peers; i++) {
		struct peer *p = &w->peers[i];

		if (p->live)
			live_source_move(w->live, p->live,
					 edge_index(w, p->router, p->interface), p->ibgp);
	}
}

/* ---- what is told, and what is so ---- */

static void follow(struct addrset *set, const struct addrset *added,
		   const struct addrset *removed)
{
	struct addrset both = { 0 };

	addrset_intersect(&both, set, added);
	assert_true(addrset_is_empty(&both));
	addrset_subtract(&both, removed, set);
	assert_true(addrset_is_empty(&both));
	addrset_subtract(set, set, removed);
	addrset_union(set, set, added);
	addrset_fini(&both);
}

static void on_edge(void *ctx, size_t edge, const struct addrset *added,
		    const struct addrset *removed)
{
	struct world *w = ctx;

	w->told[config_edge_mode(&w->cfg.edges[edge])]++;
	assert_false(addrset_is_empty(added) && addrset_is_empty(removed));
	if (!w->by_shared || live_edge_shared(w->live, edge) == LIVE_OWN)
		follow(&copy_of(w, edge)->set, added, removed);
	else /* only the policy says more than shared() */
		assert_true(w->policy_changed);
}

static void on_shared(void *ctx, enum live_shared which, const struct addrset *added,
		      const struct addrset *removed)
{
	struct world *w = ctx;

	w->told_shared++;
	follow(&w->shared[which], added, removed);
}

/* Sets that nobody reads are forgotten. */
static void forget_shared(struct world *w)
{
	bool read[LIVE_SHARED] = { false };

	for (size_t i = 0; i < w->cfg.n_edges; i++)
		read[live_edge_shared(w->live, i)] = true;
	for (int i = 0; i < LIVE_SHARED; i++) {
		if (!read[i])
			addrset_fini(&w->shared[i]);
	}
}

static void sync_copies(struct world *w)
{
	for (unsigned int r = 0; r < ROUTERS; r++) {
		for (unsigned int i = 0; i < INTERFACES; i++) {
			struct edge_copy *copy = &w->copies[r][i];

			copy->exists = edge_index(w, r, (int)i) != SETS_NO_EDGE;
			if (!copy->exists)
				addrset_fini(&copy->set);
		}
	}
}

static void check_edge(struct world *w, struct sets_pass *pass, size_t edge)
{
	struct addrset truth = { 0 }, kept = { 0 };
	struct edge_copy *copy = copy_of(w, edge);
	enum live_shared which = live_edge_shared(w->live, edge);

	sets_pass_edge(pass, edge, &truth);
	live_edge_set(w->live, edge, &kept);
	if (!addrset_equal(&truth, &kept)) {
		char *a = net_set_text(&truth), *b = net_set_text(&kept);

		fail_msg("edge %zu, %s, after %lu events: \"%s\", not \"%s\"", edge,
			 edge_mode_name(config_edge_mode(&w->cfg.edges[edge])), w->events,
			 b, a);
	}
	if (w->by_shared && which != LIVE_OWN)
		live_edge_decorate(w->live, edge, &w->shared[which], &copy->set);
	assert_true(addrset_equal(&copy->set, &truth));
	addrset_fini(&truth);
	addrset_fini(&kept);
}

/* One address, mostly of a prefix that is announced, in any mode. */
static void ask(struct world *w, struct sets_pass *pass)
{
	const struct ip_prefix *p = &w->prefixes[below(w, w->n_prefixes)];
	struct ip_addr addr = { one_in(w, 2) ? p->v : ip_prefix_last(p), p->family };
	enum edge_mode mode = MODE_DEFAULT + 1 + below(w, MODE_OFF);
	struct addrset set = { 0 }, all = { 0 };
	bool truth;
	size_t edge;

	/* best paths are those of a recording */
	if (w->cfg.n_edges == 0 ||
	    (!w->by_fib && (mode == MODE_STRICT || mode == MODE_STRICT_DIRECT)))
		return;
	edge = below(w, (unsigned int)w->cfg.n_edges);
	sets_pass_edge_as(pass, edge, mode, &set);
	truth = addrset_contains(&set, &addr);
	if (live_edge_admits_as(w->live, &w->cfg, edge, mode, &addr) != truth)
		fail_msg("mode %s: %s", edge_mode_name(mode), truth ? "refused" : "admitted");
	live_edge_set_as(w->live, &w->cfg, edge, mode, &all);
	if (!addrset_equal(&all, &set))
		fail_msg("mode %s is another set", edge_mode_name(mode));
	addrset_fini(&all);
	w->asked++;
	w->admitted += truth;
	addrset_fini(&set);
}

static void drain_and_check(struct world *w)
{
	const struct live_ops ops = { .edge = on_edge,
				      .shared = w->by_shared ? on_shared : NULL };
	struct sets_source sources[PEERS_MAX];
	const struct fib **fibs;
	struct sets_pass *pass;
	uint32_t *index;
	size_t n = 0;

	for (unsigned int i = 0; i < w->n_peers; i++) {
		const struct peer *p = &w->peers[i];

		if (!p->live)
			continue;
		live_source_refresh(w->live, p->live);
		sources[n++] = (struct sets_source){
			.peer = p->rib,
			.edge = edge_index(w, p->router, p->interface),
			.router = router_index(w, router_names[p->router]),
			.ibgp = p->ibgp,
		};
	}
	sync_copies(w);
	forget_shared(w);
	live_drain(w->live, &ops, w);
	w->policy_changed = false;
	assert_false(live_is_dirty(w->live));
	w->drains++;
	pass = sets_pass_new(&w->cfg, sources, n);
	index = edge_ports(w);
	fibs = mem_calloc(w->cfg.n_routers, sizeof(*fibs));
	for (unsigned int i = 0; i < ROUTERS; i++)
		fibs[router_index(w, router_names[i])] = w->fibs[i];
	if (w->by_fib)
		sets_pass_set_fibs(pass, fibs, index);
	for (size_t i = 0; i < w->cfg.n_edges; i++)
		check_edge(w, pass, i);
	for (unsigned int i = 0; i < 4; i++)
		ask(w, pass);
	sets_pass_free(pass);
	free(fibs);
	free(index);
}

/* ---- networks ---- */

static void world_make(struct world *w)
{
	config_init(&w->cfg);
	w->cfg.trusts = true; /* records overlap at random */
	w->rib = rib_new();
	w->by_fib = one_in(w, 2);
	w->live = live_new(w->by_fib ? LIVE_STRICT_GIVEN : LIVE_STRICT_BEST_PATH);
	rib_watch(w->rib, on_route, w);
	w->by_shared = one_in(w, 2);
	w->fill = 2 + below(w, 6);
	w->least = below(w, 3) * 5;
	w->n_origins = 1 + below(w, ORIGINS_MAX);
	w->n_peers = 2 + below(w, PEERS_MAX - 1);
	w->n_prefixes = 8 + below(w, PREFIXES_MAX - 7);
	for (unsigned int i = 0; i < w->n_prefixes; i++)
		w->prefixes[i] = some_prefix(w);
	for (unsigned int i = 0; i < ROUTERS; i++)
		router_put(w, router_names[i]);
	for (unsigned int i = 0; i < CUSTOMERS; i++)
		customer_put(w, i);
	for (unsigned int i = 2 + below(w, 12); i > 0; i--)
		edge_put(w, below(w, ROUTERS), below(w, INTERFACES));
	for (unsigned int r = 0; r < ROUTERS; r++)
		for (unsigned int i = 0; i < INTERFACES; i++)
			w->ports[r][i] = i + 1;
	policy_tell(w);
}

static void world_end(struct world *w)
{
	/* as savd stops, or with peers that go first */
	for (unsigned int i = 0; i < w->n_peers; i++) {
		if (w->peers[i].rib && one_in(w, 2))
			peer_remove(w, &w->peers[i]);
	}
	if (one_in(w, 2))
		drain_and_check(w);
	memset(w->peers, 0, sizeof(w->peers));
	live_free(w->live);
	for (unsigned int r = 0; r < ROUTERS; r++) {
		fib_free(w->fibs[r]);
		w->fibs[r] = NULL;
	}
	rib_free(w->rib);
	config_fini(&w->cfg);
	for (unsigned int r = 0; r < ROUTERS; r++)
		for (unsigned int i = 0; i < INTERFACES; i++)
			addrset_fini(&w->copies[r][i].set);
	for (int i = 0; i < LIVE_SHARED; i++)
		addrset_fini(&w->shared[i]);
}

static void event(struct world *w)
{
	struct peer *p = some_peer(w);
	unsigned int nth = p ? below(w, p->span) : 0;

	if (w->by_fib && one_in(w, 3))
		fib_event(w);
	else if (!p || one_in(w, 300))
		peer_event(w);
	else if (below(w, 10) < w->fill)
		announce(w, p, nth);
	else
		withdraw(w, p, nth);
}

static void world_run(struct world *w, unsigned long events)
{
	unsigned long until = w->events + events;
	unsigned int burst = 1 + below(w, 200);

	while (w->events < until) {
		for (unsigned int i = below(w, burst) + 1; i > 0; i--)
			event(w);
		drain_and_check(w);
		if (!one_in(w, 20))
			continue;
		for (unsigned int i = 1 + below(w, 3); i > 0; i--)
			policy_change(w);
		policy_tell(w);
		if (one_in(w, 2))
			drain_and_check(w);
	}
}

static void test_any_sequence_ends_as_from_scratch(void **state)
{
	const char *text = getenv("OPENSAV_TEST_EVENTS");
	unsigned long events = text ? strtoul(text, NULL, 0) : EVENTS;
	struct world *w = mem_alloc(sizeof(*w));

	w->seed = random_seed();
	while (w->events < events) {
		world_make(w);
		world_run(w, EVENTS_NET);
		world_end(w);
	}
	printf("# %lu events, %lu comparisons of all edges; changes told:", w->events,
	       w->drains);
	for (enum edge_mode mode = MODE_DEFAULT + 1; mode <= MODE_OFF; mode++)
		printf(" %s %lu,", edge_mode_name(mode), w->told[mode]);
	printf(" shared %lu; asked %lu, admitted %lu\n", w->told_shared, w->asked,
	       w->admitted);
	assert_true(w->admitted > 0 && w->admitted < w->asked);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_sequence_ends_as_from_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
