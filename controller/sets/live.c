/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sources, their routes, and what is told of the sets.
 */
#include "controller/sets/live_impl.h"

#include <stdlib.h>
#include <sys/random.h>

#include "lib/mem.h"

uint32_t live_number_get(struct numbers *numbers)
{
	return numbers->n_spare ? numbers->spare[--numbers->n_spare] : numbers->n++;
}

void live_number_put(struct numbers *numbers, uint32_t number)
{
	if (numbers->n_spare == numbers->cap_spare) {
		numbers->cap_spare = numbers->cap_spare ? numbers->cap_spare * 2 : 16;
		numbers->spare =
			mem_realloc(numbers->spare, numbers->cap_spare, sizeof(uint32_t));
	}
	numbers->spare[numbers->n_spare++] = number;
}

struct live *live_new(enum live_strict strict)
{
	struct live *live = mem_alloc(sizeof(*live));

	live->strict = strict;
	/* Customers choose the prefixes and the origins that are hashed. */
	if (getrandom(&live->seed, sizeof(live->seed), GRND_NONBLOCK) < 0)
		live->seed = (uint64_t)(uintptr_t)live * 0x9e3779b97f4a7c15u;
	live->origins.seed = live->seed;
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_index_init(&live->index[family], family, live->seed);
	return live;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	for (struct live_source *s = live->sources, *next; s; s = next) {
		next = s->next;
		free(s);
	}
	live_policy_settle(live);
	live_edges_fini(live);
	for (int which = 0; which < LIVE_SHARED; which++)
		live_set_free(live, live->shared[which]);
	for (size_t i = 0; i < live->n_loose; i++)
		live_set_free(live, live->loose[i]);
	free(live->loose);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_index_fini(&live->index[family]);
	live_origins_fini(&live->origins);
	addrset_fini(&live->block);
	addrset_fini(&live->was_block);
	addrset_fini(&live->records);
	free(live->before.slot);
	free(live->after.slot);
	free(live->edge_slots.spare);
	free(live->source_slots.spare);
	free(live->by_slot);
	free(live->refs);
	free(live);
}

/* ---- paths */

static void path_add(struct live *live, struct live_source *source,
		     const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	live_take(live, &source->class, prefix, attr);
	if (source->at->strict)
		strict_change(live, source->at->strict, source, prefix, NULL, attr);
}

static void path_remove(struct live *live, struct live_source *source,
			const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	live_drop(live, &source->class, prefix, attr);
	if (source->at->strict)
		strict_change(live, source->at->strict, source, prefix, attr, NULL);
}

void live_route(struct live *live, struct live_source *source, enum rib_view view,
		const struct ip_prefix *prefix, const struct rib_attr *old,
		const struct rib_attr *new)
{
	if (view == source->view[prefix->family]) {
		/* The new one first, so that no count falls to nothing between. */
		if (!old || !new || !live_same_origin(old, new)) {
			if (new)
				live_take(live, &source->class, prefix, new);
			if (old)
				live_drop(live, &source->class, prefix, old);
		}
		if (source->at->strict)
			strict_change(live, source->at->strict, source, prefix, old, new);
	}
	/* Not at a removal: it may be one of rib_peer_clear(), which has taken the
	 * table away before it tells, so that a walk would find nothing. */
	if (new)
		live_source_refresh(live, source);
}

/* ---- walks */

/* A long walk is bound by waiting for memory, so it asks ahead. */
#define BATCH 32

struct walk {
	struct live *live;
	struct live_source *source;
	live_path_fn *fn;
	const struct prefix_index *x;
	struct {
		struct ip_prefix prefix;
		const struct rib_attr *attr;
	} batch[BATCH];
	size_t n;
};

static void walk_flush(struct walk *w)
{
	for (size_t i = 0; i < w->n; i++) {
		prefix_index_prefetch_node(w->x, &w->batch[i].prefix);
		live_prefetch(w->live, w->batch[i].attr);
	}
	for (size_t i = 0; i < w->n; i++)
		w->fn(w->live, w->source, &w->batch[i].prefix, w->batch[i].attr);
	w->n = 0;
}

static void walk_path(const struct ip_prefix *prefix, uint32_t path_id,
		      const struct rib_attr *attr, void *arg)
{
	struct walk *w = arg;

	(void)path_id;
	prefix_index_prefetch(w->x, prefix);
	__builtin_prefetch(attr);
	w->batch[w->n].prefix = *prefix;
	w->batch[w->n++].attr = attr;
	if (w->n == BATCH)
		walk_flush(w);
}

static void walk_family(struct live *live, struct live_source *source,
			enum ip_family family, live_path_fn *fn)
{
	struct walk w = {
		.live = live, .source = source, .fn = fn, .x = &live->index[family]
	};

	rib_walk(source->peer, source->view[family], family, walk_path, &w);
	walk_flush(&w);
}

void live_source_walk(struct live *live, struct live_source *source, live_path_fn *fn)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		walk_family(live, source, family, fn);
}

void live_source_refresh(struct live *live, struct live_source *source)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		enum rib_view view = rib_peer_view(source->peer, family);

		if (view == source->view[family])
			continue;
		walk_family(live, source, family, path_remove);
		source->view[family] = view;
		walk_family(live, source, family, path_add);
	}
}

/* ---- sources */

static struct live_class class_of(const struct live_edge *edge, bool ibgp)
{
	if (!edge)
		return (struct live_class){ .edge = NO_SLOT };
	return (struct live_class){ .edge = edge->slot,
				    .customer = edge->customer,
				    .direct = edge->customer && !ibgp,
				    .counted = edge->customer ||
					       edge->mode == MODE_FEASIBLE };
}

struct live_source *live_source_add(struct live *live, const struct sets_source *source)
{
	struct live_source *s = mem_alloc(sizeof(*s));

	s->peer = source->peer;
	s->at = live->router_by_index[source->router];
	s->ibgp = source->ibgp;
	s->edge = source->edge == SETS_NO_EDGE ? NULL : live->by_index[source->edge];
	s->class = class_of(s->edge, s->ibgp);
	s->slot = live_number_get(&live->source_slots);
	live->by_slot = mem_realloc(live->by_slot, live->source_slots.n,
				    sizeof(struct live_source *));
	live->by_slot[s->slot] = s;
	s->next = live->sources;
	if (s->next)
		s->next->prev = s;
	live->sources = s;
	live->n_sources++;
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		s->view[family] = rib_peer_view(s->peer, family);
		prefix_index_reserve(&live->index[family],
				     rib_path_count(s->peer, s->view[family], family));
		walk_family(live, s, family, path_add);
	}
	return s;
}

void live_source_remove(struct live *live, struct live_source *source)
{
	live_source_walk(live, source, path_remove);
	if (source->prev)
		source->prev->next = source->next;
	else
		live->sources = source->next;
	if (source->next)
		source->next->prev = source->prev;
	live->by_slot[source->slot] = NULL;
	live_number_put(&live->source_slots, source->slot);
	live->n_sources--;
	free(source);
}

static void strict_remove(struct live *live, struct live_source *source,
			  const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	strict_change(live, source->at->strict, source, prefix, attr, NULL);
}

static void strict_add(struct live *live, struct live_source *source,
		       const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	strict_change(live, source->at->strict, source, prefix, NULL, attr);
}

/* source->class still is where the path counts, source->edge where it will. */
static void path_reclass(struct live *live, struct live_source *source,
			 const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	struct live_class to = class_of(source->edge, source->ibgp);

	live_take(live, &to, prefix, attr);
	live_drop(live, &source->class, prefix, attr);
}

void live_source_classify(struct live *live, struct live_source *source)
{
	struct live_class from = source->class;
	struct live_class to = class_of(source->edge, source->ibgp);
	bool moves = from.edge != to.edge;

	if (!moves && from.customer == to.customer && from.counted == to.counted &&
	    from.direct == to.direct)
		return;
	/* A path's owners follow from its source, so it leaves with the old class
	 * and comes back with the new one. */
	if (source->at->strict)
		live_source_walk(live, source, strict_remove);
	if (from.customer != to.customer || from.counted != to.counted ||
	    from.direct != to.direct || (moves && to.counted))
		live_source_walk(live, source, path_reclass);
	source->class = to;
	if (source->at->strict)
		live_source_walk(live, source, strict_add);
}

void live_source_move(struct live *live, struct live_source *source, size_t edge,
		      bool ibgp)
{
	struct live_edge *to = edge == SETS_NO_EDGE ? NULL : live->by_index[edge];

	/* Best paths look at ibgp itself, so it may not change under them. */
	if (source->at->strict && source->ibgp != ibgp) {
		live_source_walk(live, source, strict_remove);
		source->ibgp = ibgp;
		live_source_walk(live, source, strict_add);
	}
	source->ibgp = ibgp;
	source->edge = to;
	live_source_classify(live, source);
}

void live_strict_part(struct live *live, size_t edge, enum ip_family family, u128 first,
		      u128 last, const struct rangeset *part)
{
	live_set_replace(live, live->by_index[edge]->set, family, first, last, part);
}

/* ---- what is told */

bool live_is_dirty(const struct live *live)
{
	return live->queue || live->policy_changed;
}

/* Two changes, one after the other, as one: what came and went is none. */
static void compose(struct addrset *added, struct addrset *removed,
		    const struct addrset *then_added, const struct addrset *then_removed)
{
	struct addrset a = { 0 }, r = { 0 };

	addrset_subtract(&a, then_added, removed);
	addrset_subtract(&r, then_removed, added);
	addrset_subtract(added, added, then_removed);
	addrset_subtract(removed, removed, then_added);
	addrset_union(added, added, &a);
	addrset_union(removed, removed, &r);
	addrset_fini(&a);
	addrset_fini(&r);
}

static void tell(const struct live_edge *e, const struct addrset *added,
		 const struct addrset *removed, const struct live_ops *ops, void *ctx)
{
	if (!addrset_is_empty(added) || !addrset_is_empty(removed))
		ops->edge(ctx, e->index, added, removed);
}

/* A change of the edge's set alone. */
static void tell_routes(const struct live_edge *e, const struct live_ops *ops, void *ctx)
{
	const struct live_set *set = e->set;
	bool internal = e->decor.internal;
	struct addrset added = { 0 }, removed = { 0 };

	if (addrset_is_empty(&e->decor.fixed)) { /* nearly always: no copy */
		tell(e, internal ? &set->added : &set->open_added,
		     internal ? &set->removed : &set->open_removed, ops, ctx);
		return;
	}
	addrset_subtract(&added, internal ? &set->added : &set->open_added,
			 &e->decor.fixed);
	addrset_subtract(&removed, internal ? &set->removed : &set->open_removed,
			 &e->decor.fixed);
	tell(e, &added, &removed, ops, ctx);
	addrset_fini(&added);
	addrset_fini(&removed);
}

/* The policy changed: first what routes did to the edge as it was, then what
 * the policy did to the outcome. */
static void tell_policy(struct live *live, const struct live_edge *e, bool is_told,
			const struct live_ops *ops, void *ctx)
{
	struct addrset added = { 0 }, removed = { 0 }, more = { 0 }, less = { 0 };

	if (e->whole) {
		live_edge_export(live, e, &more);
		addrset_subtract(&added, &more, &e->before);
		addrset_subtract(&removed, &e->before, &more);
	} else {
		if (e->set && !is_told) {
			addrset_copy(&added, &e->set->added);
			addrset_copy(&removed, &e->set->removed);
			live_decor_open(&e->was, &live->was_block, &added);
			live_decor_open(&e->was, &live->was_block, &removed);
		}
		live_edge_redecorated(live, e, &more, &less);
		compose(&added, &removed, &more, &less);
	}
	tell(e, &added, &removed, ops, ctx);
	addrset_fini(&added);
	addrset_fini(&removed);
	addrset_fini(&more);
	addrset_fini(&less);
}

static void open_set(const struct live *live, struct live_set *set)
{
	addrset_subtract(&set->open_added, &set->added, &live->block);
	addrset_subtract(&set->open_removed, &set->removed, &live->block);
}

static void tell_shared(const struct live *live, const struct live_ops *ops, void *ctx)
{
	for (int which = LIVE_OWN + 1; which < LIVE_SHARED; which++) {
		const struct live_set *set = live->shared[which];

		if (set &&
		    (!addrset_is_empty(&set->added) || !addrset_is_empty(&set->removed)))
			ops->shared(ctx, (enum live_shared)which, &set->added,
				    &set->removed);
	}
}

static void tell_readers(const struct live_set *set, const struct live_ops *ops,
			 void *ctx)
{
	for (size_t i = 0; i < set->n_readers; i++)
		tell_routes(set->readers[i], ops, ctx);
}

/* The caller asked for the set as such, and so does not want it edge by edge. */
static bool is_told_once(const struct live_set *set, const struct live_ops *ops)
{
	return ops->shared && set && live_mode_shared(set->mode) != LIVE_OWN;
}

static void tell_all(struct live *live, const struct live_ops *ops, void *ctx)
{
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];
		bool is_told = is_told_once(e->set, ops);

		if (e->whole || e->redecorated)
			tell_policy(live, e, is_told, ops, ctx);
		else if (e->set && !is_told)
			tell_routes(e, ops, ctx);
	}
}

void live_drain(struct live *live, const struct live_ops *ops, void *ctx)
{
	for (struct live_set *set = live->queue; set; set = set->next_queued) {
		if (live_set_evaluate(live, set))
			open_set(live, set);
	}
	if (ops->shared)
		tell_shared(live, ops, ctx);
	if (live->policy_changed)
		tell_all(live, ops, ctx);
	for (struct live_set *set = live->queue, *next; set; set = next) {
		next = set->next_queued;
		if (!live->policy_changed && set->edge)
			tell_routes(set->edge, ops, ctx);
		else if (!live->policy_changed && !is_told_once(set, ops))
			tell_readers(set, ops, ctx);
		live_set_settle(set);
	}
	live->queue = NULL;
	live_policy_settle(live);
}

/* ---- to read */

void live_edge_set(const struct live *live, size_t edge, struct addrset *out)
{
	live_edge_export(live, live->by_index[edge], out);
}

enum live_shared live_edge_shared(const struct live *live, size_t edge)
{
	return live_mode_shared(live->by_index[edge]->mode);
}

void live_shared_set(const struct live *live, enum live_shared which, struct addrset *out)
{
	addrset_fini(out);
	for (enum ip_family family = IP_V4; live->shared[which] && family < IP_FAMILIES;
	     family++)
		dynset_export(&live->shared[which]->now[family], &out->f[family]);
}

void live_stats(const struct live *live, struct live_stats *stats)
{
	*stats = (struct live_stats){
		.prefixes = live->index[IP_V4].n + live->index[IP_V6].n,
		.origins = live->origins.used,
		.sources = live->n_sources,
		.bytes = sizeof(*live) + live->cap_refs * sizeof(struct ref) +
			 live_origins_bytes(&live->origins) +
			 live->n_sources * sizeof(struct live_source) +
			 live->n_index * sizeof(struct live_edge),
	};
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		stats->bytes += prefix_index_bytes(&live->index[family]);
	for (int which = 0; which < LIVE_SHARED; which++)
		stats->bytes +=
			live->shared[which] ? live_set_bytes(live->shared[which]) : 0;
	for (size_t i = 0; i < live->n_loose; i++)
		stats->bytes += live_set_bytes(live->loose[i]);
	for (size_t i = 0; i < live->n_index; i++) {
		const struct live_set *set = live->by_index[i]->set;

		stats->bytes += set && set->edge ? live_set_bytes(set) : 0;
	}
	for (size_t i = 0; i < live->n_routers; i++) {
		if (live->routers[i]->strict)
			stats->bytes += strict_bytes(live->routers[i]->strict);
	}
}
