/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/engine_complete.h"

#include <stdlib.h>
#include <string.h>

#include "controller/engine_impl.h"
#include "lib/mem.h"

struct wanted {
	struct ip_prefix prefix;
	enum complete_source source;
	const struct engine_peer *peer;
};

struct list {
	struct wanted *w;
	size_t n, cap;
	/* while it is filled */
	enum complete_source source;
	const struct engine_peer *peer;
	bool cut;
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

/* ---- what is its own ---- */

static void want(const struct ip_prefix *p, void *arg)
{
	struct list *l = arg;

	if (l->n == COMPLETE_PREFIXES_MAX) {
		l->cut = true;
		return;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->w = mem_realloc(l->w, l->cap, sizeof(*l->w));
	}
	l->w[l->n++] = (struct wanted){ *p, l->source, l->peer };
}

static void want_path(const struct ip_prefix *p, uint32_t path_id,
		      const struct rib_attr *attr, void *arg)
{
	(void)path_id;
	(void)attr;
	if (!sets_prefix_is_too_short(p))
		want(p, arg);
}

/* false: it has too many. */
static bool want_peer(struct list *l, const struct engine_peer *p)
{
	size_t n = 0;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		n += rib_path_count(p->rib, rib_peer_view(p->rib, f), f);
	if (n > COMPLETE_PATHS_MAX)
		return false;
	l->peer = p;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		rib_walk(p->rib, rib_peer_view(p->rib, f), f, want_path, l);
	l->peer = NULL;
	return true;
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

struct edges {
	const uint32_t *number; /* ascending */
	size_t n;
};

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

/* A peer of several links is on several edges, and is looked at once. */
static bool is_first_edge(const struct engine_peer *p, const struct edges *edges, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (engine_peer_is_on(p, edges->number[i]))
			return false;
	}
	return true;
}

static void want_peers(const struct engine *e, const struct edges *edges, struct list *l,
		       struct complete_sum *sum)
{
	l->source = COMPLETE_ANNOUNCED;
	for (size_t i = 0; i < edges->n; i++) {
		const struct engine_way *w = e->edges[edges->number[i]]->ways;

		for (; w; w = w->edge_next) {
			if (!w->gone && is_first_edge(w->peer, edges, i) &&
			    !want_peer(l, w->peer))
				sum->skipped++;
		}
	}
}

static int by_prefix(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int c = ip_prefix_cmp(&x->prefix, &y->prefix);

	return c != 0 ? c : (x->source > y->source) - (x->source < y->source);
}

/* Of each prefix the first source stays. */
static void sort(struct list *l)
{
	size_t n = 0;

	if (l->n != 0)
		qsort(l->w, l->n, sizeof(*l->w), by_prefix);
	for (size_t i = 0; i < l->n; i++) {
		if (n == 0 || ip_prefix_cmp(&l->w[n - 1].prefix, &l->w[i].prefix) != 0)
			l->w[n++] = l->w[i];
	}
	l->n = n;
}

/* All but the sessions', which are an edge's. */
static void want_all(const struct engine *e, const struct config_customer *c,
		     const struct edges *edges, struct list *l, struct complete_sum *sum)
{
	l->source = COMPLETE_RECORD;
	for (size_t i = 0; i < c->n_prefixes; i++)
		want(&c->prefixes[i], l);
	want_peers(e, edges, l, sum);
	l->source = COMPLETE_ORIGIN;
	if (c->as != 0)
		live_origin_walk(e->live, c->as, want, l);
	sort(l);
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

struct check {
	const struct config_edge *edge;
	const struct addrset *accept;
	complete_gap_fn *fn;
	void *arg;
	struct complete_sum *sum;
};

static void check_list(const struct check *c, const struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct wanted *w = &l->w[i];
		struct complete_gap gap = {
			.edge = c->edge,
			.prefix = w->prefix,
			.source = w->source,
			.peer = w->peer ? w->peer->rib : NULL,
			.peer_router = w->peer ? w->peer->router->name : NULL,
		};

		if (covers(&c->accept->f[w->prefix.family], &w->prefix, &gap.missing))
			continue;
		c->sum->gaps++;
		if (c->fn)
			c->fn(&gap, c->arg);
	}
}

static void check_edge(const struct engine *e, size_t index, const struct list *l,
		       complete_gap_fn *fn, void *arg, struct complete_sum *sum)
{
	const struct config_edge *edge = &e->cfg->edges[index];
	struct list sessions = { .source = COMPLETE_SESSION };
	struct check c = { .edge = edge, .fn = fn, .arg = arg, .sum = sum };
	struct addrset given = { 0 };

	if (edge->role == ROLE_NONE || config_edge_mode(edge) == MODE_OFF)
		return;
	c.accept = &engine_edge_filter(e->edges[index])->accept;
	check_list(&c, l);
	engine_sessions_set(e, e->edges[index], &given);
	addrset_each_prefix(&given, want, &sessions);
	check_list(&c, &sessions);
	addrset_fini(&given);
	free(sessions.w);
	sum->cut |= sessions.cut;
	sum->edges++;
	sum->prefixes += sessions.n;
}

bool engine_complete(struct engine *e, const char *customer, const char *router,
		     const char *interface, complete_gap_fn *fn, void *arg,
		     struct complete_sum *sum)
{
	const struct config_customer *c = config_customer_find(e->cfg, customer);
	struct list l = { 0 };
	struct edges edges;

	*sum = (struct complete_sum){ 0 };
	if (!c)
		return false;
	edges = edges_of(e, customer);
	want_all(e, c, &edges, &l, sum);
	sum->prefixes = l.n;
	for (size_t i = 0; i < edges.n; i++) {
		const struct config_edge *edge = &e->cfg->edges[edges.number[i]];

		if (!interface || (strcmp(edge->router, router) == 0 &&
				   strcmp(edge->interface, interface) == 0))
			check_edge(e, edges.number[i], &l, fn, arg, sum);
	}
	sum->cut |= l.cut;
	free(l.w);
	return true;
}
