/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/routes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/intern.h"
#include "lib/mem.h"
#include "lib/prefix_map.h"

#define CHUNK 5000 /* routes in a message */

/* One metric of a prefix; its list is kind, nexthop object, interfaces. */
struct alt {
	uint32_t next; /* of the same prefix, higher metric; or free */
	uint32_t metric;
	uint32_t list;
	uint32_t dump; /* the last dump, or change, that had it */
};

#define FLAG_DIRTY 1 /* in the list of what is to be said */

struct routes {
	struct prefix_map map[IP_FAMILIES]; /* the value is the first alt */
	struct intern lists;
	struct alt *alts; /* alts[0] is none */
	uint32_t n_alts, cap_alts, free_alt;
	uint32_t dump;
	bool complete;

	bool want;
	bool reset;		       /* the next message says so */
	uint32_t cursor[IP_FAMILIES];  /* the first node not said yet */
	uint32_t *dirty[IP_FAMILIES];  /* nodes, each once */
	size_t n_dirty[IP_FAMILIES], cap_dirty[IP_FAMILIES];
	bool said_complete;
};

struct routes *routes_new(uint64_t seed)
{
	struct routes *r = mem_alloc(sizeof(*r));

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		prefix_map_init(&r->map[f], f, seed + f);
	r->n_alts = 1;
	return r;
}

void routes_free(struct routes *r)
{
	if (!r)
		return;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		prefix_map_fini(&r->map[f]);
		free(r->dirty[f]);
	}
	intern_fini(&r->lists);
	free(r->alts);
	free(r);
}

size_t routes_count(const struct routes *r, enum ip_family family)
{
	return r->map[family].n;
}

/* ---- alternatives ---- */

static uint32_t alt_new(struct routes *r)
{
	uint32_t at = r->free_alt;

	if (at != 0) {
		r->free_alt = r->alts[at].next;
		return at;
	}
	if (r->n_alts >= r->cap_alts) {
		r->cap_alts = r->cap_alts ? r->cap_alts + r->cap_alts / 4 : 64;
		r->alts = mem_realloc(r->alts, r->cap_alts, sizeof(*r->alts));
	}
	return r->n_alts++;
}

static void alt_drop(struct routes *r, uint32_t at)
{
	intern_put(&r->lists, r->alts[at].list);
	r->alts[at] = (struct alt){ .next = r->free_alt };
	r->free_alt = at;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort_indexes(struct route_entry *e)
{
	size_t n = 0;

	if (e->n > 1)
		qsort(e->indexes, e->n, sizeof(*e->indexes), by_value);
	for (size_t i = 0; i < e->n; i++) {
		if (n == 0 || e->indexes[n - 1] != e->indexes[i])
			e->indexes[n++] = e->indexes[i];
	}
	e->n = n;
}

static uint32_t list_of(struct routes *r, struct route_entry *e)
{
	uint32_t values[AGENT_ROUTE_INDEXES_MAX + 2];

	sort_indexes(e);
	values[0] = (uint32_t)e->kind;
	values[1] = e->nexthop_id;
	if (e->n != 0)
		memcpy(values + 2, e->indexes, e->n * sizeof(*values));
	return intern_get(&r->lists, values, e->n + 2);
}

static bool list_is_usable(const struct routes *r, uint32_t list)
{
	size_t n = 0;
	const uint32_t *v = intern_values(&r->lists, list, &n);

	return v[0] != AGENT_ROUTE_UNICAST || n > 2;
}

/* The one that the kernel uses, 0: none. */
static uint32_t best(const struct routes *r, enum ip_family family, uint32_t node)
{
	uint32_t at = *prefix_map_value(&r->map[family], node);

	while (at != 0 && !list_is_usable(r, r->alts[at].list))
		at = r->alts[at].next;
	return at ? r->alts[at].list : 0;
}

static void set_dirty(struct routes *r, enum ip_family family, uint32_t node)
{
	struct prefix_map *m = &r->map[family];

	if (!r->want) {
		if (*prefix_map_value(m, node) == 0)
			prefix_map_erase(m, node);
		return;
	}
	if (*prefix_map_flags(m, node) & FLAG_DIRTY)
		return;
	*prefix_map_flags(m, node) |= FLAG_DIRTY;
	if (r->n_dirty[family] == r->cap_dirty[family]) {
		r->cap_dirty[family] = r->cap_dirty[family] * 2 + 64;
		r->dirty[family] = mem_realloc(r->dirty[family], r->cap_dirty[family],
					       sizeof(*r->dirty[family]));
	}
	r->dirty[family][r->n_dirty[family]++] = node;
}

/* Where an alternative of this metric is linked, or would be. */
static uint32_t *alt_link(struct routes *r, enum ip_family family, uint32_t node,
			  uint32_t metric)
{
	uint32_t *link = prefix_map_value(&r->map[family], node);

	while (*link != 0 && r->alts[*link].metric < metric)
		link = &r->alts[*link].next;
	return link;
}

/* ---- from the kernel ---- */

static bool was_dumped(struct routes *r, enum ip_family family, uint32_t node, uint32_t metric)
{
	uint32_t at = *alt_link(r, family, node, metric);

	return at != 0 && r->alts[at].metric == metric && r->alts[at].dump == r->dump;
}

void routes_put(struct routes *r, struct route_entry *e, bool dumped)
{
	enum ip_family family = (enum ip_family)e->prefix.family;
	uint32_t node = prefix_map_get(&r->map[family], &e->prefix);
	uint32_t fresh, list, was, *link;

	if (dumped && was_dumped(r, family, node, e->metric))
		return;
	fresh = alt_new(r); /* may move the array: before the link is looked up */
	list = list_of(r, e);
	was = best(r, family, node);
	link = alt_link(r, family, node, e->metric);

	if (*link != 0 && r->alts[*link].metric == e->metric) {
		/* kept alive until was and is are compared */
		r->alts[fresh] = (struct alt){ .list = r->alts[*link].list };
		r->alts[*link].list = list;
		r->alts[*link].dump = r->dump;
	} else {
		r->alts[fresh] = (struct alt){ *link, e->metric, list, r->dump };
		*link = fresh;
		fresh = 0;
	}
	if (best(r, family, node) != was)
		set_dirty(r, family, node);
	if (fresh != 0)
		alt_drop(r, fresh);
}

static void unlink_alt(struct routes *r, enum ip_family family, uint32_t node, uint32_t *link)
{
	uint32_t at = *link, was = best(r, family, node);

	*link = r->alts[at].next;
	if (best(r, family, node) != was || *prefix_map_value(&r->map[family], node) == 0)
		set_dirty(r, family, node);
	alt_drop(r, at);
}

bool routes_del(struct routes *r, struct route_entry *e)
{
	enum ip_family family = (enum ip_family)e->prefix.family;
	uint32_t node = prefix_map_find(&r->map[family], &e->prefix), list;
	uint32_t *link;
	bool same;

	if (node == 0)
		return true;
	link = alt_link(r, family, node, e->metric);
	if (*link == 0 || r->alts[*link].metric != e->metric)
		return true;
	list = list_of(r, e);
	same = r->alts[*link].list == list;
	intern_put(&r->lists, list);
	if (same)
		unlink_alt(r, family, node, link);
	return same;
}

void routes_dump_begin(struct routes *r)
{
	r->dump++;
}

static void sweep_node(struct routes *r, enum ip_family family, uint32_t node)
{
	for (;;) {
		uint32_t *link;

		if (!prefix_map_is_used(&r->map[family], node))
			return;
		link = prefix_map_value(&r->map[family], node);
		while (*link != 0 && r->alts[*link].dump == r->dump)
			link = &r->alts[*link].next;
		if (*link == 0)
			return;
		unlink_alt(r, family, node, link);
	}
}

void routes_dump_end(struct routes *r)
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		for (uint32_t node = 1; node < r->map[f].end; node++)
			sweep_node(r, f, node);
	}
	r->complete = true;
}

void routes_lost(struct routes *r)
{
	r->complete = false;
}

bool routes_use_nexthop(const struct routes *r, uint32_t nexthop_id)
{
	for (uint32_t i = 1; i < r->lists.n; i++) {
		size_t n;
		const uint32_t *v = intern_values(&r->lists, i, &n);

		if (v && v[1] == nexthop_id)
			return true;
	}
	return false;
}

bool routes_use_index(const struct routes *r, uint32_t index)
{
	for (uint32_t i = 1; i < r->lists.n; i++) {
		size_t n = 0;
		const uint32_t *v = intern_values(&r->lists, i, &n);

		for (size_t j = 2; v && j < n; j++) {
			if (v[j] == index)
				return true;
		}
	}
	return false;
}

/* ---- to the controller ---- */

static void forget_dirty(struct routes *r, enum ip_family family)
{
	struct prefix_map *m = &r->map[family];

	for (size_t i = 0; i < r->n_dirty[family]; i++) {
		uint32_t node = r->dirty[family][i];

		*prefix_map_flags(m, node) &= (uint8_t)~FLAG_DIRTY;
		if (*prefix_map_value(m, node) == 0)
			prefix_map_erase(m, node);
	}
	free(r->dirty[family]);
	r->dirty[family] = NULL;
	r->n_dirty[family] = r->cap_dirty[family] = 0;
}

void routes_want(struct routes *r, bool want)
{
	r->want = want;
	r->reset = want;
	r->said_complete = false;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		forget_dirty(r, f);
		r->cursor[f] = 1;
	}
}

static void say(const struct routes *r, enum ip_family family, uint32_t node,
		struct agent_routes *out)
{
	struct ip_prefix p = prefix_map_prefix(&r->map[family], node);
	uint32_t list = best(r, family, node);
	const uint32_t *v = NULL;
	size_t n = 2;

	if (list != 0)
		v = intern_values(&r->lists, list, &n);
	agent_routes_add(out, &p, v ? (enum agent_route_kind)v[0] : AGENT_ROUTE_GONE,
			 v ? v + 2 : NULL, n - 2);
}

/* The first pass over all of the table; true when it is through. */
static bool say_all(struct routes *r, enum ip_family family, struct agent_routes *out)
{
	const struct prefix_map *m = &r->map[family];

	for (; r->cursor[family] < m->end; r->cursor[family]++) {
		if (out->n == CHUNK)
			return false;
		if (prefix_map_is_used(m, r->cursor[family]) &&
		    best(r, family, r->cursor[family]) != 0)
			say(r, family, r->cursor[family], out);
	}
	r->cursor[family] = UINT32_MAX; /* what comes now is a change */
	return true;
}

static bool say_changes(struct routes *r, enum ip_family family, struct agent_routes *out)
{
	struct prefix_map *m = &r->map[family];

	while (r->n_dirty[family] != 0) {
		uint32_t node = r->dirty[family][r->n_dirty[family] - 1];

		if (out->n == CHUNK)
			return false;
		r->n_dirty[family]--;
		say(r, family, node, out);
		*prefix_map_flags(m, node) &= (uint8_t)~FLAG_DIRTY;
		if (*prefix_map_value(m, node) == 0)
			prefix_map_erase(m, node);
	}
	return true;
}

bool routes_next(struct routes *r, struct agent_routes *out)
{
	bool through = true;

	if (!r->want)
		return false;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		through = through && say_all(r, f, out);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		through = through && say_changes(r, f, out);
	out->reset = r->reset;
	out->complete = through && r->complete;
	if (out->n == 0 && !out->reset && out->complete == r->said_complete)
		return false;
	r->reset = false;
	r->said_complete = out->complete;
	return true;
}
