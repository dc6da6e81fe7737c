/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Strict: the best paths of one router, and whose each address is by longest
 * match (RFC 3704 sec. 2.2).
 *
 * A prefix owns what no longer prefix of the router's covers. A path that
 * changes moves that part from the edges that owned it to those that own it
 * now; where the prefix itself comes or goes, the other side is the next
 * shorter one. Nothing else changes, so sets are edited at once.
 *
 * The same paths, in order, tell which are among the N best, for mode feasible
 * with that many: such sets are marked where the answer changes (live_set.c).
 */
#include "controller/sets/live_impl.h"

#include <stdlib.h>

#include "controller/sets/best_path.h"
#include "lib/mem.h"

/* One path. Attributes belong to the RIB, which keeps them as long as it has
 * the path, and tells before it lets go. */
struct candidate {
	const struct rib_attr *attr;
	uint32_t source; /* slot */
	uint32_t next;
};

/* The best paths of a prefix: an edge that each came by, and its rank. */
struct places {
	struct {
		uint32_t edge; /* slot */
		size_t rank;
	} *p;
	size_t n, cap;
};

struct strict {
	struct prefix_index index[IP_FAMILIES]; /* data[0]: candidates */
	struct candidate *pool;			/* pool[0] is none */
	uint32_t n, cap, free;
	/* working space */
	struct best_candidate *order;
	const struct live_source **order_source;
	size_t cap_order;
	struct slots before, after;
	struct places best_before, best_after;
};

struct strict *strict_new(uint64_t seed)
{
	struct strict *s = mem_alloc(sizeof(*s));

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_index_init(&s->index[family], family, seed);
	return s;
}

void strict_free(struct strict *s)
{
	if (!s)
		return;
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_index_fini(&s->index[family]);
	free(s->pool);
	free(s->order);
	free(s->order_source);
	free(s->best_before.p);
	free(s->best_after.p);
	free(s->before.slot);
	free(s->after.slot);
	free(s);
}

size_t strict_bytes(const struct strict *s)
{
	size_t bytes = sizeof(*s) + s->cap * sizeof(*s->pool);

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		bytes += prefix_index_bytes(&s->index[family]);
	return bytes;
}

/* ---- candidates */

static void candidate_add(struct strict *s, uint32_t *head, uint32_t source,
			  const struct rib_attr *attr)
{
	uint32_t c = s->free;

	if (c != 0) {
		s->free = s->pool[c].next;
	} else {
		if (s->n == s->cap) {
			s->cap = s->cap + s->cap / 4 + 64;
			s->pool = mem_realloc(s->pool, s->cap, sizeof(*s->pool));
		}
		if (s->n == 0)
			s->n = 1;
		c = s->n++;
	}
	s->pool[c] = (struct candidate){ attr, source, *head };
	*head = c;
}

static void candidate_drop(struct strict *s, uint32_t *head, uint32_t source,
			   const struct rib_attr *attr)
{
	uint32_t *at = head, c;

	while (*at != 0 && (s->pool[*at].source != source || s->pool[*at].attr != attr))
		at = &s->pool[*at].next;
	c = *at;
	if (c == 0)
		abort(); /* a path that was never told */
	*at = s->pool[c].next;
	s->pool[c].next = s->free;
	s->free = c;
}

static size_t list_candidates(const struct live *live, struct strict *s, uint32_t head)
{
	size_t n = 0;

	for (uint32_t c = head; c != 0; c = s->pool[c].next) {
		const struct live_source *source = live->by_slot[s->pool[c].source];

		if (n == s->cap_order) {
			s->cap_order = s->cap_order ? s->cap_order * 2 : 16;
			s->order = mem_realloc(s->order, s->cap_order, sizeof(*s->order));
			s->order_source = mem_realloc(s->order_source, s->cap_order,
						      sizeof(struct live_source *));
		}
		s->order_source[n] = source;
		s->order[n++] = (struct best_candidate){
			.attr = s->pool[c].attr,
			.peer = rib_peer_key(source->peer)->addr,
			.from = source->peer,
			.ibgp = source->ibgp,
		};
	}
	return n;
}

/* ---- owners */

void live_slots_add(struct slots *list, uint32_t slot)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->slot[i] == slot)
			return;
	}
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 8;
		list->slot = mem_realloc(list->slot, list->cap, sizeof(*list->slot));
	}
	list->slot[list->n++] = slot;
}

bool live_slots_have(const struct slots *list, uint32_t slot)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->slot[i] == slot)
			return true;
	}
	return false;
}

bool live_edge_has_mode(const struct live *live, uint32_t edge, enum edge_mode mode)
{
	return live->edges[edge]->set && live->edges[edge]->set->mode == mode;
}

/* The edges in one of the two modes that accept what this prefix owns. */
static void find_owners(const struct live *live, struct strict *s, uint32_t head,
			struct slots *out)
{
	size_t n = list_candidates(live, s, head);
	bool direct = false;
	uint32_t best;

	out->n = 0;
	if (n == 0)
		return;
	best = s->order_source[best_path(s->order, n)]->class.edge;
	for (size_t i = 0; i < n; i++) {
		const struct live_source *source = s->order_source[i];

		if (source->ibgp || !source->class.customer)
			continue;
		direct = true;
		if (live_edge_has_mode(live, source->class.edge, MODE_STRICT_DIRECT))
			live_slots_add(out, source->class.edge);
	}
	if (best != NO_SLOT && (live_edge_has_mode(live, best, MODE_STRICT) ||
				(!direct && live_edge_has_mode(live, best, MODE_STRICT_DIRECT))))
		live_slots_add(out, best);
}

/* Owners of what the prefix has or, were it there, would have. */
static void owners_at(const struct live *live, struct strict *s,
		      const struct ip_prefix *prefix, struct slots *out)
{
	struct prefix_index *x = &s->index[prefix->family];
	uint32_t node = prefix_index_find(x, prefix);

	if (node == 0)
		node = prefix_index_parent(x, prefix);
	out->n = 0;
	if (node != 0)
		find_owners(live, s, prefix_index_data(x, node)[0], out);
}

/* ---- changes */

static bool append_inner(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct ip_prefix p = prefix_index_prefix(x, node);

	rangeset_append_prefix(arg, &p);
	return true;
}

static void uncovered(struct strict *s, const struct ip_prefix *p, struct rangeset *out)
{
	struct rangeset inner = { 0 };

	prefix_index_inside(&s->index[p->family], p, false, append_inner, &inner);
	rangeset_normalize(&inner);
	rangeset_append_prefix(out, p);
	rangeset_subtract(out, out, &inner);
	rangeset_fini(&inner);
}

static void update(struct strict *s, const struct live_source *source,
		   const struct ip_prefix *prefix, const struct rib_attr *old,
		   const struct rib_attr *new)
{
	struct prefix_index *x = &s->index[prefix->family];
	uint32_t node = prefix_index_get(x, prefix);
	uint32_t *head = prefix_index_data(x, node);

	if (new)
		candidate_add(s, head, source->slot, new);
	if (old)
		candidate_drop(s, head, source->slot, old);
	if (*head == 0)
		prefix_index_erase(x, node);
}

bool live_slots_same(const struct slots *a, const struct slots *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!live_slots_have(b, a->slot[i]))
			return false;
	}
	return true;
}

void live_strict_pass_on(struct live *live, const struct slots *before,
			 const struct slots *after, enum ip_family family,
			 const struct rangeset *part)
{
	for (size_t i = 0; i < before->n; i++) {
		uint32_t edge = before->slot[i];

		if (!live_slots_have(after, edge))
			live_set_lose(live, live->edges[edge]->set, family, part);
	}
	for (size_t i = 0; i < after->n; i++) {
		uint32_t edge = after->slot[i];

		if (!live_slots_have(before, edge))
			live_set_gain(live, live->edges[edge]->set, family, part);
	}
}

/* Of one prefix at most max paths; those that came by an edge are listed. */
static void rank(const struct live *live, struct strict *s, const struct ip_prefix *prefix,
		 size_t max, struct places *out)
{
	struct prefix_index *x = &s->index[prefix->family];
	uint32_t node = prefix_index_find(x, prefix);
	size_t n = 0;

	if (node != 0)
		n = list_candidates(live, s, prefix_index_data(x, node)[0]);
	best_paths(s->order, n, max);
	if (n > out->cap) {
		out->cap = n + 8;
		out->p = mem_realloc(out->p, out->cap, sizeof(*out->p));
	}
	out->n = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t edge = s->order_source[i]->class.edge;

		if (s->order[i].rank == 0 || edge == NO_SLOT)
			continue;
		out->p[out->n].edge = edge;
		out->p[out->n++].rank = s->order[i].rank;
	}
}

/* The best one's; 0: it has none. */
static size_t rank_of(const struct places *best, uint32_t edge)
{
	size_t least = 0;

	for (size_t i = 0; i < best->n; i++) {
		if (best->p[i].edge == edge && (least == 0 || best->p[i].rank < least))
			least = best->p[i].rank;
	}
	return least;
}

static void mark_moved(struct live *live, struct strict *s, const struct places *edges,
		       const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < edges->n; i++) {
		uint32_t edge = edges->p[i].edge;
		size_t paths = live->edges[edge]->paths;
		size_t was = rank_of(&s->best_before, edge);
		size_t is = rank_of(&s->best_after, edge);

		if ((was != 0 && was <= paths) != (is != 0 && is <= paths))
			live_set_mark(live, live->edges[edge]->set, prefix);
	}
}

bool strict_is_among_best(const struct live *live, struct strict *s,
			  const struct ip_prefix *prefix, uint32_t edge, size_t paths)
{
	rank(live, s, prefix, paths, &s->best_after);
	return rank_of(&s->best_after, edge) != 0;
}

size_t strict_rank(const struct live *live, struct strict *s,
		   const struct ip_prefix *prefix, uint32_t edge)
{
	rank(live, s, prefix, SIZE_MAX, &s->best_after);
	return rank_of(&s->best_after, edge);
}

static void change_owners(struct live *live, struct strict *s,
			  const struct ip_prefix *prefix)
{
	enum ip_family family = (enum ip_family)prefix->family;
	struct rangeset part = { 0 };

	if (live_slots_same(&s->before, &s->after))
		return;
	uncovered(s, prefix, &part);
	live_strict_pass_on(live, &s->before, &s->after, family, &part);
	rangeset_fini(&part);
}

void strict_change(struct live *live, struct strict *s, const struct live_source *source,
		   const struct ip_prefix *prefix, const struct rib_attr *old,
		   const struct rib_attr *new)
{
	bool own = live->strict == LIVE_STRICT_BEST_PATH;
	size_t max = source->at->max_paths;

	if (sets_prefix_is_too_short(prefix))
		return;
	if (own)
		owners_at(live, s, prefix, &s->before);
	if (max != 0)
		rank(live, s, prefix, max, &s->best_before);
	update(s, source, prefix, old, new);
	if (own) {
		owners_at(live, s, prefix, &s->after);
		change_owners(live, s, prefix);
	}
	if (max == 0)
		return;
	rank(live, s, prefix, max, &s->best_after);
	mark_moved(live, s, &s->best_before, prefix);
	mark_moved(live, s, &s->best_after, prefix);
}

/* ---- new sets */

void strict_reserve(struct strict *s, enum ip_family family, size_t n)
{
	prefix_index_reserve(&s->index[family], n);
}

void strict_load(struct strict *s, const struct live_source *source,
		 const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	if (!sets_prefix_is_too_short(prefix))
		update(s, source, prefix, NULL, attr);
}

struct fill {
	struct live *live;
	struct strict *strict;
	struct live_edge *edge; /* NULL: all */
};

static bool fill_one(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct fill *f = arg;
	struct slots *owners = &f->strict->after;
	struct rangeset part = { 0 };
	struct ip_prefix p = prefix_index_prefix(x, node);

	find_owners(f->live, f->strict, prefix_index_data(x, node)[0], owners);
	if (owners->n == 0 || (f->edge && !live_slots_have(owners, f->edge->slot)))
		return false;
	uncovered(f->strict, &p, &part);
	for (size_t i = 0; i < owners->n; i++) {
		struct live_edge *e = f->live->edges[owners->slot[i]];

		if (!f->edge || f->edge == e)
			live_set_gain(f->live, e->set, x->family, &part);
	}
	rangeset_fini(&part);
	return false;
}

void strict_fill(struct live *live, struct strict *s, struct live_edge *edge)
{
	struct fill f = { live, s, edge };

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		const struct ip_prefix everything = { .family = (uint8_t)family };

		prefix_index_inside(&s->index[family], &everything, true, fill_one, &f);
	}
}
