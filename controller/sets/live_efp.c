/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who holds a prefix, and what follows from it: feasible, loose, and the two
 * algorithms of RFC 8704.
 *
 * Each prefix counts the paths of each of its origins, and of each edge where
 * somebody asks. From these counts:
 *   feasible    the edge has a path of the prefix
 *   efp-a       some origin of the prefix is in Set A and gives to the edge,
 *               that is, the edge received one of its prefixes
 *   efp-b       a customer edge has a path, or some origin is in Set A
 *   loose       there is a path
 * So whether a prefix is in a set is looked up, never stored, and a route has
 * only to mark the prefixes for which the answer may be another one now.
 */
#include "controller/sets/live_impl.h"

#include <stdlib.h>

#include "lib/mem.h"

/* Keys of refs: an origin's number, or an edge's slot and whether it counts as
 * a customer, by a session with its router; as that may change, these are counted
 * apart. */
#define KEY_EDGE     0x80000000u
#define KEY_CUSTOMER 1u
#define KEY_DIRECT   2u

/* The words that prefix_index keeps. Nearly all prefixes have one origin. */
struct held {
	uint32_t origin, count; /* count 0: no path at all */
	uint32_t more;		/* refs */
};

static struct held *held_at(const struct prefix_index *x, uint32_t node)
{
	return (struct held *)prefix_index_data(x, node);
}

static uint32_t edge_key(const struct live_class *class)
{
	return KEY_EDGE | class->edge << 2 | (class->customer ? KEY_CUSTOMER : 0) |
	       (class->direct ? KEY_DIRECT : 0);
}

static uint32_t key_slot(uint32_t key)
{
	return (key & ~KEY_EDGE) >> 2;
}

static bool is_customer_key(uint32_t key)
{
	return (key & KEY_EDGE) && (key & KEY_CUSTOMER);
}

/* ---- refs */

static uint32_t ref_new(struct live *live)
{
	uint32_t ref = live->free_ref;

	if (ref != 0) {
		live->free_ref = live->refs[ref].next;
		return ref;
	}
	if (live->n_refs == live->cap_refs) {
		live->cap_refs = live->cap_refs + live->cap_refs / 4 + 64;
		live->refs = mem_realloc(live->refs, live->cap_refs, sizeof(*live->refs));
	}
	if (live->n_refs == 0)
		live->n_refs = 1;
	return live->n_refs++;
}

static void ref_free(struct live *live, uint32_t ref)
{
	live->refs[ref].next = live->free_ref;
	live->free_ref = ref;
}

/* true: the key is new here. */
static bool ref_add(struct live *live, uint32_t *head, uint32_t key)
{
	uint32_t ref;

	for (ref = *head; ref != 0; ref = live->refs[ref].next) {
		if (live->refs[ref].key == key) {
			live->refs[ref].count++;
			return false;
		}
	}
	ref = ref_new(live);
	live->refs[ref] = (struct ref){ .key = key, .count = 1, .next = *head };
	*head = ref;
	return true;
}

/* true: that was the last of it. The key is there, or counts are wrong. */
static bool ref_drop(struct live *live, uint32_t *head, uint32_t key)
{
	uint32_t *at = head, ref;

	while (*at != 0 && live->refs[*at].key != key)
		at = &live->refs[*at].next;
	ref = *at;
	if (ref == 0)
		abort();
	if (--live->refs[ref].count != 0)
		return false;
	*at = live->refs[ref].next;
	ref_free(live, ref);
	return true;
}

static bool origin_add(struct live *live, struct held *h, uint32_t origin)
{
	if (h->count == 0) {
		h->origin = origin;
		h->count = 1;
		return true;
	}
	if (h->origin == origin) {
		h->count++;
		return false;
	}
	return ref_add(live, &h->more, origin);
}

/* The place of the first origin is empty: another one takes it. */
static void origin_promote(struct live *live, struct held *h)
{
	uint32_t *at = &h->more, ref;

	while (*at != 0 && (live->refs[*at].key & KEY_EDGE))
		at = &live->refs[*at].next;
	ref = *at;
	if (ref == 0)
		return;
	h->origin = live->refs[ref].key;
	h->count = live->refs[ref].count;
	*at = live->refs[ref].next;
	ref_free(live, ref);
}

static bool origin_drop(struct live *live, struct held *h, uint32_t origin)
{
	if (h->count == 0 || h->origin != origin)
		return ref_drop(live, &h->more, origin);
	if (--h->count != 0)
		return false;
	origin_promote(live, h);
	return true;
}

bool live_has_origin(const struct live *live, const struct prefix_index *x, uint32_t node,
		     uint32_t origin)
{
	const struct held *h = held_at(x, node);

	if (h->count != 0 && h->origin == origin)
		return true;
	for (uint32_t ref = h->more; ref != 0; ref = live->refs[ref].next) {
		if (live->refs[ref].key == origin)
			return true;
	}
	return false;
}

/* ---- membership */

static bool in_set_a(const struct live *live, uint32_t origin)
{
	return origin != 0 && live->origins.o[origin].customers != 0;
}

static bool is_given(const struct live *live, uint32_t origin, uint32_t edge)
{
	return in_set_a(live, origin) &&
	       live_origin_gives(&live->origins.o[origin], edge);
}

static bool has_efp_a(const struct live *live, const struct held *h, uint32_t edge)
{
	if (is_given(live, h->origin, edge))
		return true;
	for (uint32_t ref = h->more; ref != 0; ref = live->refs[ref].next) {
		uint32_t key = live->refs[ref].key;

		if (!(key & KEY_EDGE) && is_given(live, key, edge))
			return true;
	}
	return false;
}

static bool has_efp_b(const struct live *live, const struct held *h)
{
	if (h->count != 0 && in_set_a(live, h->origin))
		return true;
	for (uint32_t ref = h->more; ref != 0; ref = live->refs[ref].next) {
		uint32_t key = live->refs[ref].key;

		if (key & KEY_EDGE ? is_customer_key(key) : in_set_a(live, key))
			return true;
	}
	return false;
}

static bool has_edge(const struct live *live, const struct held *h, uint32_t edge)
{
	for (uint32_t ref = h->more; ref != 0; ref = live->refs[ref].next) {
		uint32_t key = live->refs[ref].key;

		if ((key & KEY_EDGE) && key_slot(key) == edge)
			return true;
	}
	return false;
}

/* Prefixes that are too short hold neither origin nor edge: live_take(). */
bool live_set_has(const struct live *live, const struct live_set *set,
		  const struct prefix_index *x, uint32_t node)
{
	const struct held *h = held_at(x, node);
	struct ip_prefix p;

	switch (set->mode) {
	case MODE_FEASIBLE:
		if (set->edge->paths == 0)
			return has_edge(live, h, set->edge->slot);
		p = prefix_index_prefix(x, node);
		return !sets_prefix_is_too_short(&p) &&
		       strict_is_among_best(live, set->edge->at->strict, &p,
					    set->edge->slot, set->edge->paths);
	case MODE_EFP_A:
		return has_efp_a(live, h, set->edge->slot);
	case MODE_EFP_B:
		return has_efp_b(live, h);
	case MODE_LOOSE: /* and what live_fib.c adds */
		return true;
	case MODE_LOOSE_NO_DEFAULT:
		p = prefix_index_prefix(x, node);
		return !sets_prefix_is_too_short(&p);
	case MODE_DEFAULT:
	case MODE_ACL:
	case MODE_STRICT: /* live_strict.c */
	case MODE_STRICT_DIRECT:
	case MODE_EGRESS:
	case MODE_OFF:
		break;
	}
	return false;
}

/* ---- marks */

static void mark_edge(struct live *live, uint32_t edge, enum edge_mode mode,
		      const struct ip_prefix *p)
{
	struct live_set *set = live->edges[edge]->set;

	if (set && set->mode == mode)
		live_set_mark(live, set, p);
}

static void mark_given(struct live *live, uint32_t origin, const struct ip_prefix *p)
{
	const struct origin *o = &live->origins.o[origin];

	for (uint32_t i = 0; i < o->n_give; i++)
		mark_edge(live, o->give[i].edge, MODE_EFP_A, p);
}

static void mark_for_edge(struct live *live, const struct ip_prefix *p, void *arg)
{
	mark_edge(live, *(const uint32_t *)arg, MODE_EFP_A, p);
}

static void mark_for_all(struct live *live, const struct ip_prefix *p, void *arg)
{
	live_set_mark(live, live->shared[LIVE_EFP_B], p);
	mark_given(live, *(const uint32_t *)arg, p);
}

static bool wants_efp_a(const struct live *live, uint32_t edge)
{
	const struct live_set *set = live->edges[edge]->set;

	return set && set->mode == MODE_EFP_A;
}

/* All of X(o) may have come to the edge, or gone from it. */
static void mark_gift(struct live *live, uint32_t origin, uint32_t edge)
{
	if (in_set_a(live, origin) && wants_efp_a(live, edge))
		live_origin_each(live, origin, mark_for_edge, &edge);
}

void live_efp_fill(struct live *live, struct live_edge *edge)
{
	for (uint32_t i = 1; i < live->origins.n; i++) {
		if (live->origins.o[i].n_prefixes != 0 && is_given(live, i, edge->slot))
			mark_gift(live, i, edge->slot);
	}
}

/* ---- what follows from an origin or an edge that comes or goes */

static void give(struct live *live, uint32_t origin, uint32_t edge)
{
	if (live_origin_give(&live->origins.o[origin], edge))
		mark_gift(live, origin, edge);
}

static void take_back(struct live *live, uint32_t origin, uint32_t edge)
{
	if (live_origin_take_back(&live->origins.o[origin], edge))
		mark_gift(live, origin, edge);
}

typedef void gift_fn(struct live *live, uint32_t origin, uint32_t edge);

static void each_origin(struct live *live, const struct held *h, uint32_t edge,
			gift_fn *fn)
{
	if (h->count != 0 && h->origin != 0)
		fn(live, h->origin, edge);
	for (uint32_t ref = h->more; ref != 0; ref = live->refs[ref].next) {
		uint32_t key = live->refs[ref].key;

		if (!(key & KEY_EDGE) && key != 0)
			fn(live, key, edge);
	}
}

static void each_customer(struct live *live, const struct held *h, uint32_t origin,
			  gift_fn *fn)
{
	for (uint32_t ref = h->more; ref != 0; ref = live->refs[ref].next) {
		uint32_t key = live->refs[ref].key;

		if (is_customer_key(key))
			fn(live, origin, key_slot(key));
	}
}

static void edge_moved(struct live *live, const struct held *h,
		       const struct live_class *class, const struct ip_prefix *p,
		       gift_fn *fn)
{
	mark_edge(live, class->edge, MODE_FEASIBLE, p);
	if (class->customer)
		each_origin(live, h, class->edge, fn);
}

static void origin_came(struct live *live, uint32_t node, uint32_t origin,
			const struct ip_prefix *p)
{
	if (origin == 0)
		return;
	live_origin_prefix_add(live, origin, (enum ip_family)p->family, node);
	each_customer(live, held_at(&live->index[p->family], node), origin, give);
	if (in_set_a(live, origin))
		mark_given(live, origin, p);
}

static void origin_went(struct live *live, uint32_t node, uint32_t origin,
			const struct ip_prefix *p)
{
	if (origin == 0)
		return;
	if (in_set_a(live, origin))
		mark_given(live, origin, p);
	each_customer(live, held_at(&live->index[p->family], node), origin, take_back);
	live_origin_prefix_drop(&live->origins, origin);
}

static void set_a_add(struct live *live, uint32_t origin)
{
	if (origin != 0 && live->origins.o[origin].customers++ == 0)
		live_origin_each(live, origin, mark_for_all, &origin);
}

static void set_a_drop(struct live *live, uint32_t origin)
{
	if (origin != 0 && --live->origins.o[origin].customers == 0)
		live_origin_each(live, origin, mark_for_all, &origin);
}

/* ---- one path */

/* As sets.c: the own AS needs no number to be told from all others. */
static bool origin_key(const struct rib_attr *attr, uint64_t *key)
{
	switch ((enum rib_origin)attr->origin_kind) {
	case RIB_ORIGIN_AS:
		*key = attr->origin_as;
		return true;
	case RIB_ORIGIN_OWN:
		*key = (uint64_t)1 << 32;
		return true;
	case RIB_ORIGIN_NONE:
		return false;
	}
	return false;
}

bool live_same_origin(const struct rib_attr *a, const struct rib_attr *b)
{
	uint64_t x = UINT64_MAX, y = UINT64_MAX; /* no key is that */

	origin_key(a, &x);
	origin_key(b, &y);
	return x == y;
}

void live_prefetch(const struct live *live, const struct rib_attr *attr)
{
	uint64_t key;

	if (origin_key(attr, &key))
		live_origin_prefetch(&live->origins, key);
}

/* The prefix is in a shared set, or it is not; a set that nobody reads does
 * not matter. */
static bool shared_has(const struct live *live, enum live_shared which,
		       const struct prefix_index *x, uint32_t node)
{
	const struct live_set *set = live->shared[which];

	return set && live_set_has(live, set, x, node);
}

bool live_direct_edges(struct live *live, const struct live_router *r,
		       const struct ip_prefix *p, live_edge_fn *fn, void *arg)
{
	const struct prefix_index *x = &live->index[p->family];
	uint32_t node = prefix_index_find(x, p);

	if (node == 0)
		return false;
	for (uint32_t ref = held_at(x, node)->more; ref != 0; ref = live->refs[ref].next) {
		uint32_t key = live->refs[ref].key;
		struct live_edge *e;

		if (!(key & KEY_EDGE) || !(key & KEY_DIRECT))
			continue;
		e = live->edges[key_slot(key)];
		if (e->at == r && fn(live, e, arg))
			return true;
	}
	return false;
}

/* Where a path of a customer's own decides about strict-direct. */
static struct live_router *direct_at(const struct live *live,
				     const struct live_class *class)
{
	struct live_router *r = class->direct ? live->edges[class->edge]->at : NULL;

	return r && r->fib && r->n_direct != 0 ? r : NULL;
}

static void counted_add(struct live *live, struct held *h, const struct live_class *class,
			const struct ip_prefix *prefix)
{
	struct live_router *r = direct_at(live, class);

	if (r)
		live_fib_direct_before(live, r, prefix);
	if (ref_add(live, &h->more, edge_key(class)))
		edge_moved(live, h, class, prefix, give);
	if (r)
		live_fib_direct_after(live, r, prefix);
}

static void counted_drop(struct live *live, struct held *h,
			 const struct live_class *class, const struct ip_prefix *prefix)
{
	struct live_router *r = direct_at(live, class);

	if (r)
		live_fib_direct_before(live, r, prefix);
	if (ref_drop(live, &h->more, edge_key(class)))
		edge_moved(live, h, class, prefix, take_back);
	if (r)
		live_fib_direct_after(live, r, prefix);
}

void live_take(struct live *live, const struct live_class *class,
	       const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	struct prefix_index *x = &live->index[prefix->family];
	bool is_short = sets_prefix_is_too_short(prefix);
	uint32_t node = prefix_index_get(x, prefix), origin = 0;
	struct held *h = held_at(x, node);
	bool fresh = h->count == 0, was;
	uint64_t key;

	if (!is_short && origin_key(attr, &key))
		origin = live_origin_get(&live->origins, key);
	if (!fresh && h->origin == origin && (is_short || !class->counted)) {
		h->count++; /* nearly always: one more says the same */
		return;
	}
	was = !fresh && shared_has(live, LIVE_EFP_B, x, node);
	if (!is_short && class->counted)
		counted_add(live, h, class, prefix);
	if (origin_add(live, h, origin))
		origin_came(live, node, origin, prefix);
	if (!is_short && class->customer)
		set_a_add(live, origin);
	if (fresh)
		live_mark_loose(live, prefix);
	if (!was && shared_has(live, LIVE_EFP_B, x, node))
		live_set_mark(live, live->shared[LIVE_EFP_B], prefix);
}

/* Backwards, so that whatever looks meanwhile finds what it found then. */
void live_drop(struct live *live, const struct live_class *class,
	       const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	struct prefix_index *x = &live->index[prefix->family];
	bool is_short = sets_prefix_is_too_short(prefix);
	uint32_t node = prefix_index_find(x, prefix), origin = 0;
	struct held *h;
	uint64_t key;
	bool was;

	if (node == 0)
		abort(); /* counts are wrong */
	h = held_at(x, node);
	if (!is_short && origin_key(attr, &key))
		origin = live_origin_find(&live->origins, key);
	if (h->count > 1 && h->origin == origin && (is_short || !class->counted)) {
		h->count--;
		return;
	}
	was = shared_has(live, LIVE_EFP_B, x, node);
	if (!is_short && class->customer)
		set_a_drop(live, origin);
	if (!is_short && class->counted)
		counted_drop(live, h, class, prefix);
	if (origin_drop(live, h, origin))
		origin_went(live, node, origin, prefix);
	if (was && (h->count == 0 || !shared_has(live, LIVE_EFP_B, x, node)))
		live_set_mark(live, live->shared[LIVE_EFP_B], prefix);
	if (h->count == 0) {
		live_mark_loose(live, prefix);
		prefix_index_erase(x, node);
	}
}
