/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random networks, and for every address of a small universe the definitions
 * of the modes applied literally: loops over routes, no sets, no sorting.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "tests/unit/sets/net.h"
#include "tests/unit/sets/random.h"

/* 1024 blocks of each family, 20.0.0.0/18 and 2a00::/26 the first of them. */
#define BITS  10
#define CELLS (1 << BITS)

#define ROUTERS_MAX   3
#define EDGES_MAX     7
#define PEERS_MAX     10
#define ROUTES_MAX    40
#define CUSTOMERS_MAX 3
#define LIST_MAX      3

#define ROUNDS	    5000
#define SECONDS_MAX 8

struct peer {
	unsigned int router;
	int edge; /* -1: none */
	bool ibgp;
	struct ip_addr addr;
};

struct route {
	unsigned int peer;
	struct ip_prefix prefix;
	uint32_t path_id;
	struct rib_attr attr;
};

struct prefixes {
	struct ip_prefix p[LIST_MAX];
	unsigned int n;
};

struct edge {
	unsigned int router;
	enum edge_role role;
	enum edge_mode mode;
	unsigned int paths; /* of mode feasible; 0: all */
	int customer; /* -1: none */
	struct prefixes exceptions;
};

struct world {
	unsigned int n_routers, n_edges, n_peers, n_routes, n_customers;
	struct edge edges[EDGES_MAX];
	struct peer peers[PEERS_MAX];
	struct route routes[ROUTES_MAX];
	struct prefixes records[CUSTOMERS_MAX], own;
};

static u128 cell_addr(enum ip_family family, unsigned int cell)
{
	return family == IP_V4 ? ((u128)20 << 24) + ((u128)cell << 14)
			       : ((u128)0x2a00 << 112) + ((u128)cell << 102);
}

/* ---- the model: what the text says, one address at a time ---- */

static bool holds(const struct ip_prefix *p, const struct ip_addr *a)
{
	return ip_prefix_contains(p, a->family, a->v);
}

static bool any_holds(const struct prefixes *list, const struct ip_addr *a)
{
	for (unsigned int i = 0; i < list->n; i++) {
		if (holds(&list->p[i], a))
			return true;
	}
	return false;
}

/* Default, or shorter than /8 (IPv6 /16). */
static bool is_short(const struct ip_prefix *p)
{
	return p->family == IP_V4 ? p->len < 8 : p->len < 16;
}

static bool on_customer(const struct world *w, const struct route *r)
{
	int edge = w->peers[r->peer].edge;

	return edge >= 0 &&
	       (w->edges[edge].role == ROLE_CUSTOMER || w->edges[edge].role == ROLE_STUB);
}

static bool same_origin(const struct route *x, const struct route *y)
{
	if (x->attr.origin_kind != y->attr.origin_kind ||
	    x->attr.origin_kind == RIB_ORIGIN_NONE)
		return false;
	return x->attr.origin_kind == RIB_ORIGIN_OWN ||
	       x->attr.origin_as == y->attr.origin_as;
}

/* The route's origin is in Set A. */
static bool in_a(const struct world *w, const struct route *r)
{
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *a = &w->routes[i];

		if (!is_short(&a->prefix) && on_customer(w, a) && same_origin(a, r))
			return true;
	}
	return false;
}

/* "X(o) goes to every customer edge that received a prefix of X(o)" */
static bool x_goes_to(const struct world *w, const struct route *of, int edge)
{
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *x = &w->routes[i];

		if (is_short(&x->prefix) || !same_origin(x, of))
			continue;
		for (unsigned int k = 0; k < w->n_routes; k++) {
			const struct route *got = &w->routes[k];

			if (on_customer(w, got) && w->peers[got->peer].edge == edge &&
			    ip_prefix_cmp(&got->prefix, &x->prefix) == 0)
				return true;
		}
	}
	return false;
}

static bool efp_a(const struct world *w, int edge, const struct ip_addr *a)
{
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *r = &w->routes[i];

		if (!is_short(&r->prefix) && holds(&r->prefix, a) && in_a(w, r) &&
		    x_goes_to(w, r, edge))
			return true;
	}
	return false;
}

static bool efp_b(const struct world *w, const struct ip_addr *a)
{
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *r = &w->routes[i];

		if (!is_short(&r->prefix) && holds(&r->prefix, a) &&
		    (on_customer(w, r) || in_a(w, r)))
			return true;
	}
	return false;
}

static bool feasible(const struct world *w, int edge, const struct ip_addr *a)
{
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *r = &w->routes[i];

		if (!is_short(&r->prefix) && holds(&r->prefix, a) &&
		    w->peers[r->peer].edge == edge)
			return true;
	}
	return false;
}

static bool loose(const struct world *w, bool with_short, const struct ip_addr *a)
{
	for (unsigned int i = 0; i < w->n_customers; i++) {
		if (any_holds(&w->records[i], a))
			return true;
	}
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *r = &w->routes[i];

		if ((with_short || !is_short(&r->prefix)) && holds(&r->prefix, a))
			return true;
	}
	return false;
}

/* Is x better than y in this one step of RFC 4271 9.1.1 and 9.1.2.2? */
static bool beats(const struct world *w, const struct route *x, const struct route *y,
		  int step)
{
	const struct rib_attr *a = &x->attr, *b = &y->attr;
	const struct peer *p = &w->peers[x->peer], *q = &w->peers[y->peer];

	switch (step) {
	case 0:
		return (a->has_local_pref ? a->local_pref : 100) >
		       (b->has_local_pref ? b->local_pref : 100);
	case 1:
		return a->as_path_hops < b->as_path_hops;
	case 2:
		return a->origin_code < b->origin_code;
	case 3:
		return a->neighbor_as == b->neighbor_as &&
		       (a->has_med ? a->med : 0) < (b->has_med ? b->med : 0);
	case 4:
		return !p->ibgp && q->ibgp;
	case 5:
		return p->addr.family != q->addr.family ? p->addr.family < q->addr.family
							: p->addr.v < q->addr.v;
	/* several paths of one peer, which the RFC does not know */
	case 6:
		return a->neighbor_as < b->neighbor_as;
	default:
		return (a->has_med ? a->med : 0) < (b->has_med ? b->med : 0);
	}
}

/* The one that is best of those alive; -1: none is. */
static int best_of(const struct world *w, const bool *candidates)
{
	bool alive[ROUTES_MAX];

	memcpy(alive, candidates, sizeof(alive));
	for (int step = 0; step < 8; step++) {
		bool next[ROUTES_MAX];

		for (unsigned int i = 0; i < w->n_routes; i++) {
			next[i] = alive[i];
			for (unsigned int k = 0; k < w->n_routes; k++) {
				if (alive[i] && alive[k] &&
				    beats(w, &w->routes[k], &w->routes[i], step))
					next[i] = false;
			}
		}
		memcpy(alive, next, w->n_routes * sizeof(bool));
	}
	for (unsigned int i = 0; i < w->n_routes; i++) {
		if (alive[i])
			return (int)i;
	}
	return -1;
}

/* RFC 7911 path ids apart. */
static bool same_path(const struct route *x, const struct route *y)
{
	const struct rib_attr *a = &x->attr, *b = &y->attr;

	return x->peer == y->peer && ip_prefix_cmp(&x->prefix, &y->prefix) == 0 &&
	       a->origin_kind == b->origin_kind && a->origin_as == b->origin_as &&
	       a->as_path_hops == b->as_path_hops && a->origin_code == b->origin_code &&
	       a->neighbor_as == b->neighbor_as && a->has_local_pref == b->has_local_pref &&
	       a->local_pref == b->local_pref && a->has_med == b->has_med &&
	       a->med == b->med;
}

/* Of the router's paths for this prefix the best, the best of the others, and so
 * on: one of so many came by the edge. */
static bool is_among_best(const struct world *w, int edge, const struct ip_prefix *p)
{
	bool left[ROUTES_MAX] = { false };

	for (unsigned int i = 0; i < w->n_routes; i++)
		left[i] = w->peers[w->routes[i].peer].router == w->edges[edge].router &&
			  ip_prefix_cmp(&w->routes[i].prefix, p) == 0;
	for (unsigned int n = 0; n < w->edges[edge].paths; n++) {
		int best = best_of(w, left);

		if (best < 0)
			break;
		if (w->peers[w->routes[best].peer].edge == edge)
			return true;
		for (unsigned int i = 0; i < w->n_routes; i++)
			left[i] = left[i] && !same_path(&w->routes[i], &w->routes[best]);
	}
	return false;
}

static bool feasible_best(const struct world *w, int edge, const struct ip_addr *a)
{
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *r = &w->routes[i];

		if (!is_short(&r->prefix) && holds(&r->prefix, a) &&
		    is_among_best(w, edge, &r->prefix))
			return true;
	}
	return false;
}

/* The router's longest match: routes that compete for this address. */
static bool competes(const struct world *w, unsigned int router, const struct ip_addr *a,
		     const struct route *r)
{
	if (w->peers[r->peer].router != router || is_short(&r->prefix) ||
	    !holds(&r->prefix, a))
		return false;
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *other = &w->routes[i];

		if (w->peers[other->peer].router == router && !is_short(&other->prefix) &&
		    holds(&other->prefix, a) && other->prefix.len > r->prefix.len)
			return false;
	}
	return true;
}

static bool strict(const struct world *w, int edge, bool direct, const struct ip_addr *a)
{
	unsigned int router = w->edges[edge].router;
	bool alive[ROUTES_MAX] = { false }, any_direct = false, mine = false;
	int best;

	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct peer *p = &w->peers[w->routes[i].peer];

		alive[i] = competes(w, router, a, &w->routes[i]);
		if (alive[i] && !p->ibgp && on_customer(w, &w->routes[i])) {
			any_direct = true;
			mine |= p->edge == edge;
		}
	}
	if (direct && any_direct)
		return mine;
	best = best_of(w, alive);
	return best >= 0 && w->peers[w->routes[best].peer].edge == edge;
}

static bool by_mode(const struct world *w, int edge, enum edge_mode mode,
		    const struct ip_addr *a)
{
	switch (mode) {
	case MODE_STRICT:
		return strict(w, edge, false, a);
	case MODE_STRICT_DIRECT:
		return strict(w, edge, true, a);
	case MODE_FEASIBLE:
		return w->edges[edge].paths != 0 ? feasible_best(w, edge, a)
						 : feasible(w, edge, a);
	case MODE_EFP_A:
		return efp_a(w, edge, a);
	case MODE_EFP_B:
		return efp_b(w, a);
	case MODE_LOOSE:
		return loose(w, true, a);
	case MODE_LOOSE_NO_DEFAULT:
		return loose(w, false, a);
	case MODE_ACL:
	case MODE_EGRESS:
	case MODE_DEFAULT:
	case MODE_OFF:
		break;
	}
	return false;
}

static bool is_own(const struct world *w, const struct ip_addr *a)
{
	if (!any_holds(&w->own, a))
		return false;
	for (unsigned int i = 0; i < w->n_customers; i++) {
		if (any_holds(&w->records[i], a))
			return false;
	}
	return true;
}

static bool model_accepts(const struct world *w, int edge, const struct ip_addr *a)
{
	const struct edge *e = &w->edges[edge];
	bool in;

	if (e->mode == MODE_OFF || any_holds(&e->exceptions, a))
		return true;
	in = by_mode(w, edge, e->mode, a) ||
	     (e->customer >= 0 && any_holds(&w->records[e->customer], a));
	return in && (e->role == ROLE_INTERNAL || !is_own(w, a));
}

/* ---- random worlds ---- */

static struct ip_prefix some_prefix(uint64_t *seed)
{
	enum ip_family family = random_below(seed, 2);
	unsigned int cell = random_below(seed, CELLS), len = random_below(seed, BITS + 1);
	unsigned int base = family == IP_V4 ? 8 : 16;

	/* half of all near each other, so that they meet */
	if (random_below(seed, 2))
		cell &= 0x3f;
	return ip_prefix_make(family, cell_addr(family, cell), base + len);
}

static void some_prefixes(uint64_t *seed, struct prefixes *list)
{
	list->n = random_below(seed, LIST_MAX + 1);
	for (unsigned int i = 0; i < list->n; i++)
		list->p[i] = some_prefix(seed);
}

static struct rib_attr some_attr(uint64_t *seed)
{
	struct rib_attr a = {
		.as_path_hops = (uint16_t)random_below(seed, 3),
		.origin_code = (uint8_t)random_below(seed, 2),
		.neighbor_as = random_below(seed, 2),
		.has_local_pref = random_below(seed, 3) == 0,
		.has_med = random_below(seed, 2) == 0,
	};

	a.local_pref = a.has_local_pref ? 99 + random_below(seed, 3) : 0;
	a.med = a.has_med ? random_below(seed, 3) : 0;
	switch (random_below(seed, 8)) {
	case 0:
		a.origin_kind = RIB_ORIGIN_NONE;
		break;
	case 1:
		a.origin_kind = RIB_ORIGIN_OWN;
		break;
	default:
		a.origin_kind = RIB_ORIGIN_AS;
		a.origin_as = random_below(seed, 4);
	}
	return a;
}

static struct route some_route(const struct world *w, uint64_t *seed, uint32_t path_id)
{
	struct route r = { .peer = random_below(seed, w->n_peers),
			   .path_id = path_id,
			   .attr = some_attr(seed) };

	r.prefix = some_prefix(seed);
	/* often one that is there already: several paths, several origins */
	if (w->n_routes && random_below(seed, 2))
		r.prefix = w->routes[random_below(seed, w->n_routes)].prefix;
	if (random_below(seed, 16) == 0)
		r.prefix = ip_prefix_make(
			r.prefix.family, r.prefix.v,
			random_below(seed, r.prefix.family == IP_V4 ? 8 : 16));
	return r;
}

static void make_edges(struct world *w, uint64_t *seed)
{
	w->n_routers = 1 + random_below(seed, ROUTERS_MAX);
	w->n_edges = 1 + random_below(seed, EDGES_MAX);
	w->n_customers = random_below(seed, CUSTOMERS_MAX + 1);
	for (unsigned int i = 0; i < w->n_customers; i++)
		some_prefixes(seed, &w->records[i]);
	some_prefixes(seed, &w->own);
	for (unsigned int i = 0; i < w->n_edges; i++) {
		struct edge *e = &w->edges[i];

		e->router = random_below(seed, w->n_routers);
		e->role = random_below(seed, 2) ? ROLE_CUSTOMER
						: ROLE_CUSTOMER + random_below(seed, 6);
		e->mode = MODE_ACL + random_below(seed, MODE_OFF);
		if (random_below(seed, 4) == 0)
			e->mode = MODE_FEASIBLE;
		if (e->mode == MODE_FEASIBLE)
			e->paths = random_below(seed, 5);
		e->customer = (int)random_below(seed, w->n_customers + 1) - 1;
		if (random_below(seed, 3) == 0)
			some_prefixes(seed, &e->exceptions);
	}
}

static void make_peers(struct world *w, uint64_t *seed)
{
	w->n_peers = 1 + random_below(seed, PEERS_MAX);
	for (unsigned int i = 0; i < w->n_peers; i++) {
		struct peer *p = &w->peers[i];

		p->ibgp = random_below(seed, 4) == 0;
		p->edge = p->ibgp ? -1 : (int)random_below(seed, w->n_edges + 1) - 1;
		p->router = p->edge < 0 ? random_below(seed, w->n_routers)
					: w->edges[p->edge].router;
		p->addr.family = (uint8_t)random_below(seed, 2);
		p->addr.v = (u128)(random_below(seed, 1000) * 16 + i);
	}
}

static void make_world(struct world *w, uint64_t *seed)
{
	unsigned int n = random_below(seed, ROUTES_MAX);

	*w = (struct world){ 0 };
	make_edges(w, seed);
	make_peers(w, seed);
	for (unsigned int i = 0; i < n; i++) {
		w->routes[i] = some_route(w, seed, i);
		w->n_routes = i + 1;
	}
}

/* ---- the real thing ---- */

static const char *const router_names[] = { "a", "b", "c" };
static const char *const edge_names[] = { "e0", "e1", "e2", "e3", "e4", "e5", "e6" };
static const char *const customer_names[] = { "x", "y", "z" };

static void take_list(struct ip_prefix **list, size_t *n, const struct prefixes *from)
{
	for (unsigned int i = 0; i < from->n; i++)
		config_prefixes_set(list, n, &from->p[i], true);
}

static void put_policy(struct config *cfg, const struct world *w)
{
	struct diag diag;

	for (unsigned int i = 0; i < w->n_routers; i++) {
		struct config_router r = { 0 };

		strcpy(r.name, router_names[i]);
		assert_int_equal(config_router_put(cfg, &r, &diag), 0);
	}
	for (unsigned int i = 0; i < w->n_customers; i++) {
		struct config_customer c = { 0 };

		strcpy(c.name, customer_names[i]);
		take_list(&c.prefixes, &c.n_prefixes, &w->records[i]);
		assert_int_equal(config_customer_put(cfg, &c, &diag), 0);
		config_customer_fini(&c);
	}
	for (unsigned int i = 0; i < w->own.n; i++)
		assert_int_equal(config_own_set(cfg, &w->own.p[i], true, &diag), 0);
	for (unsigned int i = 0; i < w->n_edges; i++) {
		const struct edge *e = &w->edges[i];
		struct config_edge c;

		config_edge_init(&c, router_names[e->router], edge_names[i]);
		c.role = e->role;
		c.mode = e->mode;
		c.feasible_paths = e->paths;
		if (e->customer >= 0)
			strcpy(c.customer, customer_names[e->customer]);
		take_list(&c.prefixes, &c.n_prefixes, &e->exceptions);
		assert_int_equal(config_edge_put(cfg, &c, &diag), 0);
		config_edge_fini(&c);
	}
}

static size_t edge_index(const struct config *cfg, const struct world *w,
			 unsigned int edge)
{
	const struct config_edge *e = config_edge_find(
		cfg, router_names[w->edges[edge].router], edge_names[edge]);

	assert_non_null(e);
	return (size_t)(e - cfg->edges);
}

/* out[] of every edge, with peers and routes taken in a random order. */
static void compute(const struct world *w, uint64_t *seed, struct addrset *out)
{
	unsigned int first_peer = random_below(seed, w->n_peers);
	unsigned int first_route = w->n_routes ? random_below(seed, w->n_routes) : 0;
	unsigned int first_edge = random_below(seed, w->n_edges);
	struct sets_source sources[PEERS_MAX] = { 0 };
	struct rib *rib = rib_new();
	struct sets_pass *pass;
	struct config cfg;

	config_init(&cfg);
	cfg.trusts = true; /* records overlap at random */
	put_policy(&cfg, w);
	for (unsigned int i = 0; i < w->n_peers; i++) {
		const struct peer *p = &w->peers[(i + first_peer) % w->n_peers];
		struct rib_peer_key key = { .router = p->router, .addr = p->addr };

		sources[i] = (struct sets_source){
			.peer = rib_peer_get(rib, &key),
			.edge = p->edge < 0 ? SETS_NO_EDGE
					    : edge_index(&cfg, w, (unsigned int)p->edge),
			.router = p->router,
			.ibgp = p->ibgp,
		};
	}
	for (unsigned int i = 0; i < w->n_routes; i++) {
		const struct route *r = &w->routes[(i + first_route) % w->n_routes];
		struct rib_peer_key key = { .router = w->peers[r->peer].router,
					    .addr = w->peers[r->peer].addr };

		rib_announce(rib_peer_find(rib, &key), RIB_PRE, &r->prefix, r->path_id,
			     &r->attr);
	}
	pass = sets_pass_new(&cfg, sources, w->n_peers);
	for (unsigned int i = 0; i < w->n_edges; i++) {
		unsigned int edge = (i + first_edge) % w->n_edges;

		sets_pass_edge(pass, edge_index(&cfg, w, edge), &out[edge]);
	}
	sets_pass_free(pass);
	rib_free(rib);
	config_fini(&cfg);
}

static void free_sets(struct addrset *sets)
{
	for (unsigned int i = 0; i < EDGES_MAX; i++)
		addrset_fini(&sets[i]);
}

/* ---- checks ---- */

static void check_cell(const struct world *w, unsigned int edge,
		       const struct addrset *set, enum ip_family family,
		       unsigned int cell)
{
	struct ip_addr first = { cell_addr(family, cell), (uint8_t)family };
	struct ip_addr last = { cell_addr(family, cell + 1) - 1, (uint8_t)family };
	bool want = model_accepts(w, (int)edge, &first);
	char text[IP_TEXT_SIZE];

	if (addrset_contains(set, &first) != want || addrset_contains(set, &last) != want)
		fail_msg("edge %u (role %s, mode %s): %s is%s in its set", edge,
			 edge_role_name(w->edges[edge].role),
			 edge_mode_name(w->edges[edge].mode),
			 ip_addr_format(&first, text), want ? " not" : "");
}

struct minimal {
	struct ip_prefix last;
	bool any;
	struct addrset sum;
};

/* Ascending, disjoint, and no two halves of one block. */
static void check_prefix(const struct ip_prefix *p, void *arg)
{
	struct minimal *m = arg;

	if (m->any && m->last.family == p->family) {
		assert_true(ip_prefix_last(&m->last) < p->v);
		if (m->last.len == p->len && p->len > 0) {
			struct ip_prefix up =
				ip_prefix_make(p->family, p->v, p->len - 1u);

			assert_false(ip_prefix_covers(&up, &m->last));
		}
	}
	m->last = *p;
	m->any = true;
	addrset_append(&m->sum, p);
}

static void check_minimal(const struct addrset *set)
{
	struct minimal m = { .any = false };

	addrset_each_prefix(set, check_prefix, &m);
	addrset_normalize(&m.sum);
	assert_true(addrset_equal(&m.sum, set));
	addrset_fini(&m.sum);
}

static void check_world(const struct world *w, uint64_t *seed)
{
	struct addrset sets[EDGES_MAX] = { 0 }, again[EDGES_MAX] = { 0 };

	compute(w, seed, sets);
	compute(w, seed, again);
	for (unsigned int edge = 0; edge < w->n_edges; edge++) {
		for (unsigned int cell = 0; cell < CELLS; cell++) {
			/* all of the dense part, a sample of the rest */
			if (cell >= 64 && cell % 7 != edge)
				continue;
			check_cell(w, edge, &sets[edge], IP_V4, cell);
			check_cell(w, edge, &sets[edge], IP_V6, cell);
		}
		check_minimal(&sets[edge]);
		assert_true(addrset_equal(&sets[edge], &again[edge]));
	}
	free_sets(sets);
	free_sets(again);
}

static bool within(const struct addrset *inner, const struct addrset *outer)
{
	return rangeset_covers(&outer->f[IP_V4], &inner->f[IP_V4]) &&
	       rangeset_covers(&outer->f[IP_V6], &inner->f[IP_V6]);
}

/* paths: of mode feasible; 0: all */
static void compute_with(const struct world *w, enum edge_mode mode, unsigned int paths,
			 uint64_t *seed, struct addrset *out)
{
	struct world copy = *w;

	for (unsigned int i = 0; i < w->n_edges; i++) {
		copy.edges[i].mode = mode;
		copy.edges[i].paths = paths;
	}
	compute(&copy, seed, out);
}

static void compute_as(const struct world *w, enum edge_mode mode, uint64_t *seed,
		       struct addrset *out)
{
	compute_with(w, mode, 0, seed, out);
}

static bool is_customer(const struct edge *e)
{
	return e->role == ROLE_CUSTOMER || e->role == ROLE_STUB;
}

/* strict in feasible in efp-a in efp-b, for customers and defined origins */
static void check_order_of_modes(struct world *w, uint64_t *seed)
{
	struct addrset strict_sets[EDGES_MAX] = { 0 }, feasible_sets[EDGES_MAX] = { 0 },
		       a[EDGES_MAX] = { 0 }, b[EDGES_MAX] = { 0 },
		       one[EDGES_MAX] = { 0 }, two[EDGES_MAX] = { 0 };

	for (unsigned int i = 0; i < w->n_routes; i++) {
		if (w->routes[i].attr.origin_kind == RIB_ORIGIN_NONE)
			w->routes[i].attr.origin_kind = RIB_ORIGIN_AS;
	}
	compute_as(w, MODE_STRICT, seed, strict_sets);
	compute_with(w, MODE_FEASIBLE, 1, seed, one);
	compute_with(w, MODE_FEASIBLE, 2, seed, two);
	compute_as(w, MODE_FEASIBLE, seed, feasible_sets);
	compute_as(w, MODE_EFP_A, seed, a);
	compute_as(w, MODE_EFP_B, seed, b);
	for (unsigned int i = 0; i < w->n_edges; i++) {
		assert_true(within(&strict_sets[i], &one[i]));
		assert_true(within(&one[i], &two[i]));
		assert_true(within(&two[i], &feasible_sets[i]));
		if (!is_customer(&w->edges[i]))
			continue;
		assert_true(within(&feasible_sets[i], &a[i]));
		assert_true(within(&a[i], &b[i]));
	}
	free_sets(strict_sets);
	free_sets(one);
	free_sets(two);
	free_sets(feasible_sets);
	free_sets(a);
	free_sets(b);
}

static void check_growth(struct world *w, enum edge_mode mode, uint64_t *seed)
{
	struct addrset before[EDGES_MAX] = { 0 }, after[EDGES_MAX] = { 0 };

	compute_as(w, mode, seed, before);
	w->routes[w->n_routes] = some_route(w, seed, w->n_routes);
	w->n_routes++;
	compute_as(w, mode, seed, after);
	w->n_routes--;
	for (unsigned int i = 0; i < w->n_edges; i++)
		assert_true(within(&before[i], &after[i]));
	free_sets(before);
	free_sets(after);
}

static void test_random_networks(void **state)
{
	uint64_t seed = random_seed();
	time_t until = time(NULL) + SECONDS_MAX;
	struct world *w = mem_alloc(sizeof(*w));
	int round;

	for (round = 0; round < ROUNDS && time(NULL) < until; round++) {
		make_world(w, &seed);
		check_world(w, &seed);
		check_growth(w, MODE_EFP_A, &seed);
		check_growth(w, MODE_EFP_B, &seed);
		check_order_of_modes(w, &seed);
	}
	printf("# %d networks\n", round);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
