/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What routers forward by: strict, strict-direct, and the tables' part of loose.
 *
 * As with best paths (live_strict.c), a route owns what no longer one covers,
 * and a change passes that part on from the edges it left by to those it leaves
 * by now. The loose modes only mark the prefix, and cut the tables there when
 * they are looked at.
 */
#include "controller/sets/live_impl.h"

#include <stdlib.h>

#include "lib/mem.h"

/* As sets_prefix_is_too_short(). */
static unsigned int min_len(enum ip_family family)
{
	return family == IP_V4 ? 8 : 16;
}

/* ---- who has what a route owns */

static int by_index(const void *a, const void *b)
{
	const struct port *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static bool add_direct(struct live *live, struct live_edge *edge, void *arg)
{
	if (live_edge_has_mode(live, edge->slot, MODE_STRICT_DIRECT))
		live_slots_add(arg, edge->slot);
	return false;
}

static bool is_any(struct live *live, struct live_edge *edge, void *arg)
{
	(void)live;
	(void)edge;
	(void)arg;
	return true;
}

static void find_owners(struct live *live, struct live_router *r,
			const struct fib_route *route, struct slots *out)
{
	bool direct;

	out->n = 0;
	if (route->kind != AGENT_ROUTE_UNICAST)
		return;
	direct = r->n_direct != 0 &&
		 live_direct_edges(live, r, &route->prefix, is_any, NULL);
	if (direct)
		live_direct_edges(live, r, &route->prefix, add_direct, out);
	for (size_t i = 0; r->n_ports != 0 && i < route->n; i++) {
		const struct port key = { .index = route->indexes[i] };
		const struct port *port =
			bsearch(&key, r->ports, r->n_ports, sizeof(key), by_index);

		if (port && (live_edge_has_mode(live, port->edge->slot, MODE_STRICT) ||
			     (!direct && live_edge_has_mode(live, port->edge->slot,
							    MODE_STRICT_DIRECT))))
			live_slots_add(out, port->edge->slot);
	}
}

/* Owners of what the prefix's route has or, were there one, would have. */
static void owners_at(struct live *live, struct live_router *r, const struct ip_prefix *p,
		      struct slots *out)
{
	struct fib_route route;

	out->n = 0;
	if (fib_covering(r->fib, p, min_len((enum ip_family)p->family), &route))
		find_owners(live, r, &route, out);
}

/* ---- one route */

static void pass_on(struct live *live, struct live_router *r, const struct ip_prefix *p)
{
	struct rangeset part = { 0 };

	if (live_slots_same(&live->before, &live->after))
		return;
	fib_uncovered(r->fib, p, &part);
	live_strict_pass_on(live, &live->before, &live->after, (enum ip_family)p->family,
			    &part);
	rangeset_fini(&part);
}

static enum agent_route_kind kind_at(const struct fib *fib, const struct ip_prefix *p)
{
	struct fib_route route;

	return fib_exact(fib, p, &route) ? route.kind : AGENT_ROUTE_GONE;
}

void live_fib_route(struct live *live, size_t router, const struct ip_prefix *prefix,
		    enum agent_route_kind kind, const uint32_t *indexes, size_t n)
{
	struct live_router *r = live->router_by_index[router];
	bool strict = r->n_strict != 0 && !sets_prefix_is_too_short(prefix);
	enum agent_route_kind was = kind_at(r->fib, prefix);

	if (strict)
		owners_at(live, r, prefix, &live->before);
	fib_set(r->fib, prefix, kind, indexes, n);
	if (strict) {
		owners_at(live, r, prefix, &live->after);
		pass_on(live, r, prefix);
	}
	if (kind != was)
		live_mark_loose(live, prefix);
}

/* Of the very prefix: a customer's path says nothing of what is inside of it. */
static void direct_owners(struct live *live, struct live_router *r,
			  const struct ip_prefix *p, struct slots *out)
{
	struct fib_route route;

	out->n = 0;
	if (fib_exact(r->fib, p, &route))
		find_owners(live, r, &route, out);
}

void live_fib_direct_before(struct live *live, struct live_router *r,
			    const struct ip_prefix *p)
{
	direct_owners(live, r, p, &live->before);
}

void live_fib_direct_after(struct live *live, struct live_router *r,
			   const struct ip_prefix *p)
{
	direct_owners(live, r, p, &live->after);
	pass_on(live, r, p);
}

/* ---- whole tables */

struct fill {
	struct live *live;
	struct live_router *router;
	struct live_edge *edge; /* NULL: all */
	struct rangeset *parts; /* by slot of the edge */
};

static void fill_range(const struct fib_route *route, u128 first, u128 last, void *arg)
{
	struct fill *f = arg;
	struct slots *owners = &f->live->after;

	find_owners(f->live, f->router, route, owners);
	for (size_t i = 0; i < owners->n; i++) {
		uint32_t slot = owners->slot[i];

		if (!f->edge || f->edge->slot == slot)
			rangeset_append(&f->parts[slot], first, last);
	}
}

static void fill_edge(struct live *live, struct live_edge *e, enum ip_family family,
		      struct rangeset *part)
{
	rangeset_normalize(part);
	live_set_replace(live, e->set, family, 0, ip_max(family), part);
	rangeset_fini(part);
}

void live_fib_fill(struct live *live, struct live_router *r, struct live_edge *edge)
{
	struct fill f = { live, r, edge, NULL };

	if (r->n_strict == 0)
		return;
	f.parts = mem_calloc(live->edge_slots.n, sizeof(*f.parts));
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		const struct ip_prefix all = { .family = (uint8_t)family };

		if (r->fib)
			fib_cut(r->fib, &all, min_len(family), fill_range, &f);
		for (size_t i = 0; i < live->n_index; i++) {
			struct live_edge *e = live->by_index[i];

			if (e->at == r && e->set && live_mode_is_strict(e->set->mode) &&
			    (!edge || edge == e))
				fill_edge(live, e, family, &f.parts[e->slot]);
		}
	}
	free(f.parts);
}

void live_mark_loose_all(struct live *live)
{
	for (size_t i = 0; i < live->n_routers; i++) {
		for (size_t k = 0; k < LIVE_LOOSE_MODES; k++) {
			if (live->routers[i]->loose[k])
				live_set_mark_all(live, live->routers[i]->loose[k]);
		}
	}
}

void live_fib(struct live *live, size_t router, struct fib *fib)
{
	struct live_router *r = live->router_by_index[router];

	if (r->fib == fib)
		return;
	r->fib = fib;
	live_fib_fill(live, r, NULL);
	live_mark_loose_all(live);
}

/* ---- interfaces */

void live_ports_sync(struct live *live, struct live_router *r)
{
	free(r->ports);
	r->ports = NULL;
	r->n_ports = r->n_strict = r->n_direct = 0;
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		if (e->at != r || !live_mode_is_strict(e->mode))
			continue;
		r->n_strict++;
		r->n_direct += e->mode == MODE_STRICT_DIRECT;
		if (e->port == 0)
			continue;
		r->ports = mem_realloc(r->ports, r->n_ports + 1, sizeof(*r->ports));
		r->ports[r->n_ports++] = (struct port){ e->port, e };
	}
	if (r->n_ports != 0)
		qsort(r->ports, r->n_ports, sizeof(*r->ports), by_index);
}

void live_ports(struct live *live, const uint32_t *index)
{
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		e->at->ports_changed |=
			e->port != index[i] && live_mode_is_strict(e->mode);
		e->port = index[i];
	}
	for (size_t i = 0; i < live->n_routers; i++) {
		struct live_router *r = live->routers[i];

		if (!r->ports_changed)
			continue;
		r->ports_changed = false;
		live_ports_sync(live, r);
		if (r->fib)
			live_fib_fill(live, r, NULL);
	}
}

/* ---- loose */

void live_mark_loose(struct live *live, const struct ip_prefix *p)
{
	for (size_t i = 0; i < live->n_loose; i++) {
		struct live_set *set = live->loose[i];

		if (set->mode == MODE_LOOSE || !sets_prefix_is_too_short(p))
			live_set_mark(live, set, p);
	}
}

struct cut {
	enum agent_route_kind kind;
	struct rangeset *out;
};

static void cut_range(const struct fib_route *route, u128 first, u128 last, void *arg)
{
	struct cut *c = arg;

	if (route->kind == c->kind)
		rangeset_append(c->out, first, last);
}

static void add_records(const struct rangeset *records, const struct ip_prefix *p,
			struct rangeset *content)
{
	u128 last = ip_prefix_last(p);
	size_t lo = 0, hi = records->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (records->r[mid].last < p->v)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < records->n && records->r[lo].first <= last; lo++) {
		struct ip_range r = records->r[lo];

		rangeset_append(content, r.first < p->v ? p->v : r.first,
				r.last > last ? last : r.last);
	}
}

/* The router's own table decides what is a blackhole, as it would itself. */
static void reject(const struct fib *fib, const struct ip_prefix *p,
		   struct rangeset *content)
{
	enum ip_family family = (enum ip_family)p->family;
	struct rangeset part = { 0 };
	struct cut c = { AGENT_ROUTE_REJECT, &part };

	if (!fib || fib_rejects(fib, family) == 0)
		return;
	fib_cut(fib, p, min_len(family), cut_range, &c);
	rangeset_normalize(&part);
	rangeset_subtract(content, content, &part);
	rangeset_fini(&part);
}

static bool is_all_of(const struct rangeset *content, const struct ip_prefix *p)
{
	return content->n == 1 && content->r[0].first == p->v &&
	       content->r[0].last == ip_prefix_last(p);
}

void live_loose_finish(const struct live *live, const struct live_set *set,
		       const struct ip_prefix *p, struct rangeset *content)
{
	enum ip_family family = (enum ip_family)p->family;
	struct cut c = { AGENT_ROUTE_UNICAST, content };

	rangeset_normalize(content);
	for (size_t i = 0; i < live->n_routers && !is_all_of(content, p); i++) {
		const struct fib *fib = live->routers[i]->fib;

		if (!fib)
			continue;
		fib_cut(fib, p, set->mode == MODE_LOOSE ? 0 : min_len(family), cut_range,
			&c);
		rangeset_normalize(content);
	}
	if (!is_all_of(content, p)) {
		add_records(&live->records.f[family], p, content);
		rangeset_normalize(content);
	}
	reject(set->at->fib, p, content);
}
