/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/rib/fib.h"

#include <stdlib.h>
#include <string.h>

#include "lib/intern.h"
#include "lib/mem.h"
#include "lib/prefix_index.h"

/* The first word at a prefix is the number of a list: its kind, then its
 * interfaces. The index puts new prefixes in order when it is asked, so it is
 * behind a pointer: what is read may be a const struct fib. */
struct fib {
	struct prefix_index *index; /* one for each family */
	struct intern lists;
	size_t n_reject[IP_FAMILIES];
};

struct fib *fib_new(uint64_t seed)
{
	struct fib *fib = mem_alloc(sizeof(*fib));

	fib->index = mem_calloc(IP_FAMILIES, sizeof(*fib->index));
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_index_init(&fib->index[family], family, seed + family);
	return fib;
}

void fib_free(struct fib *fib)
{
	if (!fib)
		return;
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_index_fini(&fib->index[family]);
	intern_fini(&fib->lists);
	free(fib->index);
	free(fib);
}

size_t fib_count(const struct fib *fib, enum ip_family family)
{
	return fib->index[family].n;
}

size_t fib_rejects(const struct fib *fib, enum ip_family family)
{
	return fib->n_reject[family];
}

size_t fib_bytes(const struct fib *fib)
{
	return sizeof(*fib) + prefix_index_bytes(&fib->index[IP_V4]) +
	       prefix_index_bytes(&fib->index[IP_V6]) + intern_bytes(&fib->lists);
}

static struct fib_route route_at(const struct fib *fib, enum ip_family family, uint32_t node)
{
	struct fib_route out = { .prefix = prefix_index_prefix(&fib->index[family], node) };
	const uint32_t *values;

	out.list = *prefix_index_data(&fib->index[family], node);
	values = intern_values(&fib->lists, out.list, &out.n);
	out.kind = (enum agent_route_kind)values[0];
	out.indexes = values + 1;
	out.n--;
	return out;
}

/* The route's list is given back; node 0 is no route. */
static void let_go(struct fib *fib, enum ip_family family, uint32_t node)
{
	uint32_t *list = prefix_index_data(&fib->index[family], node);

	if (*list == 0)
		return;
	if (route_at(fib, family, node).kind == AGENT_ROUTE_REJECT)
		fib->n_reject[family]--;
	intern_put(&fib->lists, *list);
}

void fib_set(struct fib *fib, const struct ip_prefix *p, enum agent_route_kind kind,
	     const uint32_t *indexes, size_t n)
{
	enum ip_family family = (enum ip_family)p->family;
	struct prefix_index *x = &fib->index[family];
	uint32_t values[AGENT_ROUTE_INDEXES_MAX + 1] = { (uint32_t)kind };
	uint32_t node, list;

	if (n > AGENT_ROUTE_INDEXES_MAX)
		n = AGENT_ROUTE_INDEXES_MAX;
	if (kind == AGENT_ROUTE_GONE) {
		node = prefix_index_find(x, p);
		if (node != 0) {
			let_go(fib, family, node);
			prefix_index_erase(x, node);
		}
		return;
	}
	if (n != 0)
		memcpy(values + 1, indexes, n * sizeof(*indexes));
	list = intern_get(&fib->lists, values, n + 1);
	node = prefix_index_get(x, p);
	let_go(fib, family, node);
	*prefix_index_data(x, node) = list;
	fib->n_reject[family] += kind == AGENT_ROUTE_REJECT;
}

struct longest {
	unsigned int min_len;
	uint32_t node;
};

static bool take_longer(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct longest *l = arg;

	if (prefix_index_prefix(x, node).len >= l->min_len)
		l->node = node;
	return false;
}

bool fib_covering(const struct fib *fib, const struct ip_prefix *p, unsigned int min_len,
		  struct fib_route *out)
{
	enum ip_family family = (enum ip_family)p->family;
	struct longest l = { .min_len = min_len };

	prefix_index_covering(&fib->index[family], p, take_longer, &l);
	if (l.node == 0)
		return false;
	*out = route_at(fib, family, l.node);
	return true;
}

bool fib_longest(const struct fib *fib, const struct ip_addr *addr, unsigned int min_len,
		 struct fib_route *out)
{
	const struct ip_prefix p = ip_prefix_make((enum ip_family)addr->family, addr->v,
						  ip_bits((enum ip_family)addr->family));

	return fib_covering(fib, &p, min_len, out);
}

bool fib_exact(const struct fib *fib, const struct ip_prefix *p, struct fib_route *out)
{
	uint32_t node = prefix_index_find(&fib->index[p->family], p);

	if (node == 0)
		return false;
	*out = route_at(fib, (enum ip_family)p->family, node);
	return true;
}

static bool append_inner(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct ip_prefix p = prefix_index_prefix(x, node);

	rangeset_append_prefix(arg, &p);
	return true; /* what lies inside of it is no more */
}

void fib_uncovered(const struct fib *fib, const struct ip_prefix *p, struct rangeset *out)
{
	struct rangeset inner = { 0 };

	prefix_index_inside(&fib->index[p->family], p, false, append_inner, &inner);
	rangeset_normalize(&inner);
	rangeset_fini(out);
	rangeset_append_prefix(out, p);
	rangeset_subtract(out, out, &inner);
	rangeset_fini(&inner);
}

/* ---- in order ---- */

/* The routes that hold the place where the cut is, outermost first. */
struct cut {
	const struct fib *fib;
	struct {
		struct fib_route route;
		u128 last;
	} open[130];
	unsigned int depth;
	unsigned int min_len;
	u128 at; /* all below is told */
	fib_range_fn *range;
	void *arg;
};

static void tell(struct cut *c, u128 last)
{
	c->range(&c->open[c->depth - 1].route, c->at, last, c->arg);
}

static void open_route(struct cut *c, const struct fib_route *route, u128 last)
{
	c->open[c->depth].route = *route;
	c->open[c->depth++].last = last;
}

/* Closes the routes that end before v. */
static void close_before(struct cut *c, u128 v)
{
	while (c->depth != 0) {
		u128 last = c->open[c->depth - 1].last;

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
static void close_all(struct cut *c, enum ip_family family)
{
	bool done = false;

	for (; c->depth != 0; c->depth--) {
		u128 last = c->open[c->depth - 1].last;

		if (done || c->at > last)
			continue;
		tell(c, last);
		done = last == ip_max(family);
		if (!done)
			c->at = last + 1;
	}
}

static bool cut_at(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct cut *c = arg;
	struct fib_route route;

	if (prefix_index_prefix(x, node).len < c->min_len)
		return false;
	route = route_at(c->fib, x->family, node);
	close_before(c, route.prefix.v);
	if (c->depth != 0 && c->at < route.prefix.v)
		tell(c, route.prefix.v - 1);
	c->at = route.prefix.v;
	open_route(c, &route, ip_prefix_last(&route.prefix));
	return false;
}

void fib_cut(const struct fib *fib, const struct ip_prefix *within, unsigned int min_len,
	     fib_range_fn *range, void *arg)
{
	struct cut c = {
		.fib = fib, .min_len = min_len, .at = within->v, .range = range, .arg = arg
	};
	enum ip_family family = (enum ip_family)within->family;
	struct fib_route above;

	if (fib_covering(fib, within, min_len, &above))
		open_route(&c, &above, ip_prefix_last(within));
	prefix_index_inside(&fib->index[family], within, false, cut_at, &c);
	close_all(&c, family);
}
