/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/rib/fib.h"

#include <stdlib.h>
#include <string.h>

#include "lib/intern.h"
#include "lib/mem.h"
#include "lib/prefix_map.h"

/* A prefix's value is the number of a list: its kind, then its interfaces. */
struct fib {
	struct prefix_map map[IP_FAMILIES];
	struct intern lists;
};

struct fib *fib_new(uint64_t seed)
{
	struct fib *fib = mem_alloc(sizeof(*fib));

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_map_init(&fib->map[family], family, seed + family);
	return fib;
}

void fib_free(struct fib *fib)
{
	if (!fib)
		return;
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_map_fini(&fib->map[family]);
	intern_fini(&fib->lists);
	free(fib);
}

size_t fib_count(const struct fib *fib, enum ip_family family)
{
	return fib->map[family].n;
}

size_t fib_bytes(const struct fib *fib)
{
	return sizeof(*fib) + prefix_map_bytes(&fib->map[IP_V4]) +
	       prefix_map_bytes(&fib->map[IP_V6]) + intern_bytes(&fib->lists);
}

void fib_set(struct fib *fib, const struct ip_prefix *p, enum agent_route_kind kind,
	     const uint32_t *indexes, size_t n)
{
	struct prefix_map *m = &fib->map[p->family];
	uint32_t values[AGENT_ROUTE_INDEXES_MAX + 1] = { (uint32_t)kind };
	uint32_t node, *value, list;

	if (n > AGENT_ROUTE_INDEXES_MAX)
		n = AGENT_ROUTE_INDEXES_MAX;
	if (kind == AGENT_ROUTE_GONE) {
		node = prefix_map_find(m, p);
		if (node != 0) {
			intern_put(&fib->lists, *prefix_map_value(m, node));
			prefix_map_erase(m, node);
		}
		return;
	}
	if (n != 0)
		memcpy(values + 1, indexes, n * sizeof(*indexes));
	list = intern_get(&fib->lists, values, n + 1);
	node = prefix_map_get(m, p);
	value = prefix_map_value(m, node);
	intern_put(&fib->lists, *value);
	*value = list;
}

static struct fib_route route_at(const struct fib *fib, enum ip_family family, uint32_t node)
{
	struct fib_route out = { .prefix = prefix_map_prefix(&fib->map[family], node) };
	const uint32_t *values;

	out.list = *prefix_map_value(&fib->map[family], node);
	values = intern_values(&fib->lists, out.list, &out.n);
	out.kind = (enum agent_route_kind)values[0];
	out.indexes = values + 1;
	out.n--;
	return out;
}

static bool is_long_enough(const struct prefix_map *m, uint32_t node, const void *arg)
{
	return prefix_map_prefix(m, node).len >= *(const unsigned int *)arg;
}

bool fib_longest(const struct fib *fib, const struct ip_addr *addr, unsigned int min_len,
		 struct fib_route *out)
{
	enum ip_family family = (enum ip_family)addr->family;
	uint32_t node = prefix_map_longest(&fib->map[family], addr->v, is_long_enough, &min_len);

	if (node == 0)
		return false;
	*out = route_at(fib, family, node);
	return true;
}

/* ---- in order ---- */

struct item {
	u128 v;
	uint32_t node;
	uint8_t len;
};

static int by_prefix(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->v != y->v)
		return x->v < y->v ? -1 : 1;
	return (x->len > y->len) - (x->len < y->len);
}

static struct item *sorted(const struct prefix_map *m, unsigned int min_len, size_t *n)
{
	struct item *items = mem_calloc((size_t)m->n + 1, sizeof(*items));

	*n = 0;
	for (uint32_t node = 1; node < m->end; node++) {
		struct ip_prefix p;

		if (!prefix_map_is_used(m, node))
			continue;
		p = prefix_map_prefix(m, node);
		if (p.len >= min_len)
			items[(*n)++] = (struct item){ p.v, node, p.len };
	}
	if (*n != 0)
		qsort(items, *n, sizeof(*items), by_prefix);
	return items;
}

/* The routes that hold the place where the cut is, outermost first. */
struct cut {
	struct fib_route open[129];
	unsigned int depth;
	u128 at; /* all below is told */
	fib_range_fn *range;
	void *arg;
};

static void tell(struct cut *c, u128 last)
{
	c->range(&c->open[c->depth - 1], c->at, last, c->arg);
}

/* Closes the routes that end before v. */
static void close_before(struct cut *c, u128 v)
{
	while (c->depth != 0) {
		u128 last = ip_prefix_last(&c->open[c->depth - 1].prefix);

		if (last >= v)
			break;
		if (c->at <= last) {
			tell(c, last);
			c->at = last + 1;
		}
		c->depth--;
	}
}

/* at may not be moved beyond the last address of all, so the end is told by
 * what it has not reached yet. */
static void close_all(struct cut *c)
{
	bool done = false;

	for (; c->depth != 0; c->depth--) {
		u128 last = ip_prefix_last(&c->open[c->depth - 1].prefix);

		if (done || c->at > last)
			continue;
		tell(c, last);
		done = last == ip_max((enum ip_family)c->open[c->depth - 1].prefix.family);
		if (!done)
			c->at = last + 1;
	}
}

void fib_cut(const struct fib *fib, enum ip_family family, unsigned int min_len,
	     fib_range_fn *range, void *arg)
{
	struct cut c = { .range = range, .arg = arg };
	size_t n;
	struct item *items = sorted(&fib->map[family], min_len, &n);

	for (size_t i = 0; i < n; i++) {
		struct fib_route route = route_at(fib, family, items[i].node);

		close_before(&c, route.prefix.v);
		if (c.depth != 0 && c.at < route.prefix.v)
			tell(&c, route.prefix.v - 1);
		c.at = route.prefix.v;
		c.open[c.depth++] = route;
	}
	close_all(&c);
	free(items);
}
