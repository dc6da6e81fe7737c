/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/engine_complete.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "controller/engine_impl.h"
#include "lib/mem.h"
#include "lib/prefix_map.h"

#define NO_PEER UINT32_MAX

struct wanted {
	struct ip_prefix prefix;
	enum complete_source source;
	uint32_t peer; /* of the walk's, or NO_PEER */
};

/* Of each prefix the first source stays. */
struct list {
	struct wanted *w;
	size_t n, cap;
	struct prefix_map there[IP_FAMILIES];
	/* while it is filled */
	enum complete_source source;
	uint32_t peer;
	bool cut;
	int64_t told; /* how often */
};

struct edges {
	const uint32_t *number; /* ascending */
	size_t n;
};

/* In this order. */
enum phase {
	LOOK_AT_RECORD,
	LIST_PEERS,
	LOOK_AT_PEERS,
	LOOK_AT_ORIGIN,
	CHECK_EDGES,
};

struct complete_walk {
	struct engine *e;
	uint64_t policies; /* the engine's, by which these two are good: */
	const struct config_customer *customer;
	struct edges edges;
	const char *router, *interface; /* NULL: all of them */
	complete_gap_fn *fn;
	void *arg;
	struct list list;
	struct rib_peer_key *peers; /* by name: they come and go */
	size_t n_peers, cap_peers;
	struct complete_sum sum;
	int64_t steps;

	enum phase phase;
	size_t at; /* which edge or peer */
	enum ip_family family; /* of a peer: which table */
	unsigned int part;     /* and how far */
	size_t checked;	       /* of an edge: wanted ones */
};

const char *complete_source_name(enum complete_source source)
{
	static const char *const names[] = {
		[COMPLETE_RECORD] = "record",
		[COMPLETE_SESSION] = "radius",
		[COMPLETE_ANNOUNCED] = "announced",
		[COMPLETE_ORIGIN] = "origin",
	};

	return names[source];
}

/* ---- its edges ---- */

static int by_customer(const void *a, const void *b, void *arg)
{
	const struct config_edge *edges = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = strcmp(edges[x].customer, edges[y].customer);

	return c != 0 ? c : (x > y) - (x < y);
}

/* Whoever asks asks for one customer after the other. */
static void index_edges(struct engine *e)
{
	if (e->by_customer)
		return;
	e->by_customer = mem_calloc(e->n_edges + 1, sizeof(*e->by_customer));
	for (uint32_t i = 0; i < e->n_edges; i++)
		e->by_customer[i] = i;
	qsort_r(e->by_customer, e->n_edges, sizeof(*e->by_customer), by_customer,
		e->cfg->edges);
}

static struct edges edges_of(struct engine *e, const char *customer)
{
	size_t lo = 0, hi = e->n_edges;
	struct edges found;

	index_edges(e);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(e->cfg->edges[e->by_customer[mid]].customer, customer) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	found = (struct edges){ e->by_customer + lo, 0 };
	while (lo + found.n < e->n_edges &&
	       strcmp(e->cfg->edges[found.number[found.n]].customer, customer) == 0)
		found.n++;
	return found;
}

/* ---- what is its own ---- */

static void list_init(struct list *l)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uint64_t)(uintptr_t)l * UINT64_C(0x9e3779b97f4a7c15);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		prefix_map_init(&l->there[f], f, seed);
	l->peer = NO_PEER;
}

static void list_fini(struct list *l)
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		prefix_map_fini(&l->there[f]);
	free(l->w);
}

static void want(const struct ip_prefix *p, void *arg)
{
	struct list *l = arg;
	struct prefix_map *there = &l->there[p->family];
	uint32_t known = there->n;

	l->told++;
	if (l->n == COMPLETE_PREFIXES_MAX) {
		l->cut |= prefix_map_find(there, p) == 0;
		return;
	}
	prefix_map_get(there, p);
	if (there->n == known)
		return;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->w = mem_realloc(l->w, l->cap, sizeof(*l->w));
	}
	l->w[l->n++] = (struct wanted){ *p, l->source, l->peer };
}

static void want_path(const struct ip_prefix *p, uint32_t path_id,
		      const struct rib_attr *attr, void *arg)
{
	struct list *l = arg;

	(void)path_id;
	(void)attr;
	if (sets_prefix_is_too_short(p))
		l->told++;
	else
		want(p, l);
}

static void next_phase(struct complete_walk *w)
{
	w->phase++;
	w->at = 0;
}

static void look_at_record(struct complete_walk *w)
{
	w->list.source = COMPLETE_RECORD;
	for (size_t i = 0; i < w->customer->n_prefixes; i++)
		want(&w->customer->prefixes[i], &w->list);
	next_phase(w);
}

/* A peer of several links is on several edges, and is looked at once. */
static bool is_first_edge(const struct complete_walk *w, const struct engine_peer *p, size_t edge)
{
	for (const struct engine_way *way = p->ways; way; way = way->next) {
		if (!way->gone && way->edge < edge &&
		    strcmp(w->e->cfg->edges[way->edge].customer, w->customer->name) == 0)
			return false;
	}
	return true;
}

static void list_peer(struct complete_walk *w, const struct engine_peer *p)
{
	if (w->n_peers == w->cap_peers) {
		w->cap_peers = w->cap_peers ? w->cap_peers * 2 : 8;
		w->peers = mem_realloc(w->peers, w->cap_peers, sizeof(*w->peers));
	}
	w->peers[w->n_peers++] = *rib_peer_key(p->rib);
}

/* Of one edge. */
static void list_peers(struct complete_walk *w)
{
	const struct engine_way *way;
	size_t edge;

	w->steps++;
	if (w->at == w->edges.n) {
		next_phase(w);
		return;
	}
	edge = w->edges.number[w->at++];
	for (way = w->e->edges[edge]->ways; way; way = way->edge_next) {
		w->steps++;
		if (!way->gone && is_first_edge(w, way->peer, edge))
			list_peer(w, way->peer);
	}
}

static void next_peer(struct complete_walk *w)
{
	w->at++;
	w->family = IP_V4;
	w->part = 0;
}

static bool has_too_many(const struct rib_peer *p)
{
	size_t n = 0;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		n += rib_path_count(p, rib_peer_view(p, f), f);
	return n > COMPLETE_PATHS_MAX;
}

/* A part of one peer. One that has grown too large meanwhile is looked at all the
 * same. */
static void look_at_peers(struct complete_walk *w)
{
	const struct rib_peer *p;

	w->steps++;
	if (w->at == w->n_peers) {
		next_phase(w);
		return;
	}
	p = rib_peer_find(w->e->rib, &w->peers[w->at]);
	if (!p) {
		next_peer(w);
		return;
	}
	if (w->family == IP_V4 && w->part == 0 && has_too_many(p)) {
		w->sum.skipped++;
		next_peer(w);
		return;
	}
	w->list.source = COMPLETE_ANNOUNCED;
	w->list.peer = (uint32_t)w->at;
	if (rib_walk_part(p, rib_peer_view(p, w->family), w->family, w->part++, want_path,
			  &w->list))
		return;
	w->part = 0;
	if (++w->family == IP_FAMILIES)
		next_peer(w);
}

static int by_prefix(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return ip_prefix_cmp(&x->prefix, &y->prefix);
}

static void look_at_origin(struct complete_walk *w)
{
	w->list.source = COMPLETE_ORIGIN;
	w->list.peer = NO_PEER;
	if (w->customer->as != 0)
		live_origin_walk(w->e->live, w->customer->as, want, &w->list);
	/* who only counts need not wait for it */
	if (w->fn && w->list.n != 0)
		qsort(w->list.w, w->list.n, sizeof(*w->list.w), by_prefix);
	w->sum.prefixes = w->list.n;
	w->sum.cut = w->list.cut;
	next_phase(w);
}

/* ---- whether it is admitted ---- */

/* true: all of it. Else *missing is the first address that is not. */
static bool covers(const struct rangeset *s, const struct ip_prefix *p,
		   struct ip_addr *missing)
{
	u128 last = ip_prefix_last(p);
	size_t lo = 0, hi = s->n;

	*missing = (struct ip_addr){ p->v, p->family };
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->r[mid].last < p->v)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == s->n || s->r[lo].first > p->v)
		return false;
	if (s->r[lo].last >= last)
		return true;
	missing->v = s->r[lo].last + 1; /* the next range is not adjacent */
	return false;
}

static void tell_gap(const struct complete_walk *w, struct complete_gap *gap, uint32_t peer)
{
	if (peer != NO_PEER) {
		const struct rib_peer_key *key = &w->peers[peer];

		gap->peer = rib_peer_find(w->e->rib, key);
		gap->peer_router = w->e->routers[key->router]->name;
	}
	w->fn(gap, w->arg);
}

/* Up to n of the list, from the given one on. */
static void check_list(struct complete_walk *w, size_t edge, const struct list *l, size_t from,
		       size_t n)
{
	const struct addrset *accept = &engine_edge_filter(w->e->edges[edge])->accept;

	for (size_t i = from; i < l->n && i - from < n; i++) {
		const struct wanted *want = &l->w[i];
		struct complete_gap gap = {
			.edge = &w->e->cfg->edges[edge],
			.prefix = want->prefix,
			.source = want->source,
		};

		w->steps++;
		if (covers(&accept->f[want->prefix.family], &want->prefix, &gap.missing))
			continue;
		w->sum.gaps++;
		if (w->fn)
			tell_gap(w, &gap, want->peer);
	}
}

static void check_sessions(struct complete_walk *w, size_t edge)
{
	struct list sessions = { .source = COMPLETE_SESSION };
	struct addrset given = { 0 };

	list_init(&sessions);
	engine_sessions_set(w->e, w->e->edges[edge], &given);
	addrset_each_prefix(&given, want, &sessions);
	check_list(w, edge, &sessions, 0, sessions.n);
	w->sum.cut |= sessions.cut;
	w->sum.prefixes += sessions.n;
	addrset_fini(&given);
	list_fini(&sessions);
}

static bool is_asked_for(const struct complete_walk *w, const struct config_edge *c)
{
	if (c->role == ROLE_NONE || config_edge_mode(c) == MODE_OFF)
		return false;
	return !w->interface ||
	       (strcmp(c->router, w->router) == 0 && strcmp(c->interface, w->interface) == 0);
}

/* A part of one edge; false: there are no more. */
static bool check_edges(struct complete_walk *w)
{
	size_t edge;

	w->steps++;
	if (w->at == w->edges.n)
		return false;
	edge = w->edges.number[w->at];
	if (is_asked_for(w, &w->e->cfg->edges[edge])) {
		check_list(w, edge, &w->list, w->checked, COMPLETE_PIECE);
		w->checked += COMPLETE_PIECE;
		if (w->checked < w->list.n)
			return true;
		check_sessions(w, edge);
		w->sum.edges++;
	}
	w->checked = 0;
	w->at++;
	return true;
}

/* ---- one customer ---- */

static bool walk_init(struct complete_walk *w, struct engine *e, const char *customer)
{
	*w = (struct complete_walk){
		.e = e,
		.policies = e->policies,
		.customer = config_customer_find(e->cfg, customer),
	};
	if (!w->customer)
		return false;
	w->edges = edges_of(e, customer);
	list_init(&w->list);
	return true;
}

static void walk_fini(struct complete_walk *w)
{
	list_fini(&w->list);
	free(w->peers);
}

/* false: that was all. */
static bool walk_on(struct complete_walk *w)
{
	int64_t told = w->list.told;
	bool more = true;

	switch (w->phase) {
	case LOOK_AT_RECORD:
		look_at_record(w);
		break;
	case LIST_PEERS:
		list_peers(w);
		break;
	case LOOK_AT_PEERS:
		look_at_peers(w);
		break;
	case LOOK_AT_ORIGIN:
		look_at_origin(w);
		break;
	case CHECK_EDGES:
		more = check_edges(w);
		break;
	}
	w->steps += w->list.told - told;
	return more;
}

bool engine_complete(struct engine *e, const char *customer, const char *router,
		     const char *interface, complete_gap_fn *fn, void *arg,
		     struct complete_sum *sum)
{
	struct complete_walk w;

	*sum = (struct complete_sum){ 0 };
	if (!walk_init(&w, e, customer))
		return false;
	w.router = router;
	w.interface = interface;
	w.fn = fn;
	w.arg = arg;
	while (walk_on(&w))
		;
	*sum = w.sum;
	walk_fini(&w);
	return true;
}

struct complete_walk *complete_walk_new(struct engine *e, const char *customer)
{
	struct complete_walk *w = mem_alloc(sizeof(*w));

	if (walk_init(w, e, customer))
		return w;
	free(w);
	return NULL;
}

enum complete_state complete_walk_run(struct complete_walk *w, int64_t *steps,
				      struct complete_sum *sum)
{
	int64_t began = w->steps, end = began + *steps;
	bool more = true;

	if (w->policies != w->e->policies)
		return COMPLETE_CHANGED;
	while (more && w->steps < end)
		more = walk_on(w);
	*steps -= w->steps - began;
	if (more)
		return COMPLETE_MORE;
	*sum = w->sum;
	return COMPLETE_DONE;
}

void complete_walk_free(struct complete_walk *w)
{
	if (!w)
		return;
	walk_fini(w);
	free(w);
}
