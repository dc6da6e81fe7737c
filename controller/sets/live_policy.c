/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Edges, what policy adds to and takes from their modes, and changes of both.
 */
#include "controller/sets/live_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sets/special.h"
#include "lib/mem.h"

/* ---- decoration */

void live_decor_open(const struct decor *d, const struct addrset *block,
		     struct addrset *set)
{
	if (addrset_is_empty(set))
		return;
	if (!d->internal)
		addrset_subtract(set, set, block);
	if (!addrset_is_empty(&d->fixed))
		addrset_subtract(set, set, &d->fixed);
}

void live_edge_export(const struct live *live, const struct live_edge *e,
		      struct addrset *out)
{
	addrset_fini(out);
	for (enum ip_family family = IP_V4; e->set && family < IP_FAMILIES; family++)
		dynset_export(&e->set->now[family], &out->f[family]);
	if (!e->decor.internal)
		addrset_subtract(out, out, &live->block);
	addrset_union(out, out, &e->decor.fixed);
}

void live_edge_decorate(const struct live *live, size_t edge, const struct addrset *raw,
			struct addrset *out)
{
	const struct decor *d = &live->by_index[edge]->decor;

	addrset_copy(out, raw);
	if (!d->internal)
		addrset_subtract(out, out, &live->block);
	addrset_union(out, out, &d->fixed);
}

/* Sets of strict are edited before they are drained: that is taken back. */
static void part_of_set(const struct live_set *set, enum ip_family family,
			const struct rangeset *where, struct rangeset *out)
{
	struct rangeset change = { 0 };

	for (size_t i = 0; i < where->n; i++)
		dynset_part(&set->now[family], where->r[i].first, where->r[i].last, out);
	rangeset_normalize(out);
	if (!live_mode_is_strict(set->mode))
		return;
	for (size_t i = 0; i < where->n; i++)
		dynset_part(&set->gained[family], where->r[i].first, where->r[i].last,
			    &change);
	rangeset_normalize(&change);
	rangeset_subtract(out, out, &change);
	rangeset_fini(&change);
	for (size_t i = 0; i < where->n; i++)
		dynset_part(&set->lost[family], where->r[i].first, where->r[i].last,
			    &change);
	rangeset_normalize(&change);
	rangeset_union(out, out, &change);
	rangeset_fini(&change);
}

void live_edge_part(const struct live *live, size_t edge, const struct addrset *where,
		    struct addrset *out)
{
	const struct live_edge *e = live->by_index[edge];

	addrset_fini(out);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		struct rangeset fixed = { 0 };

		if (e->set)
			part_of_set(e->set, family, &where->f[family], &out->f[family]);
		if (!e->decor.internal)
			rangeset_subtract(&out->f[family], &out->f[family],
					  &live->block.f[family]);
		rangeset_intersect(&fixed, &e->decor.fixed.f[family], &where->f[family]);
		rangeset_union(&out->f[family], &out->f[family], &fixed);
		rangeset_fini(&fixed);
	}
}

static void append_all(struct addrset *out, const struct ip_prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		addrset_append(out, &list[i]);
}

static void everything(struct addrset *out)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		rangeset_append(&out->f[family], 0, ip_max(family));
}

static void all_records(const struct config *cfg, struct addrset *out)
{
	for (size_t i = 0; i < cfg->n_customers; i++)
		append_all(out, cfg->customers[i].prefixes, cfg->customers[i].n_prefixes);
	addrset_normalize(out);
}

static void decor_make(struct decor *d, const struct config *cfg,
		       const struct config_edge *c, enum edge_mode mode,
		       const struct addrset *block)
{
	const struct config_customer *customer = NULL;
	struct addrset exceptions = { 0 };

	*d = (struct decor){ .internal = c->role == ROLE_INTERNAL };
	if (mode == MODE_OFF) {
		everything(&d->fixed);
		return;
	}
	if (c->customer[0] != '\0')
		customer = config_customer_find(cfg, c->customer);
	if (customer)
		append_all(&d->fixed, customer->prefixes, customer->n_prefixes);
	addrset_normalize(&d->fixed);
	if (!d->internal)
		addrset_subtract(&d->fixed, &d->fixed, block);
	append_all(&exceptions, c->prefixes, c->n_prefixes);
	addrset_normalize(&exceptions);
	addrset_union(&d->fixed, &d->fixed, &exceptions);
	addrset_fini(&exceptions);
}

void live_edge_set_as(struct live *live, const struct config *cfg, size_t edge,
		      enum edge_mode mode, struct addrset *out)
{
	struct decor d;

	decor_make(&d, cfg, &cfg->edges[edge], mode, &live->block);
	live_edge_collect(live, live->by_index[edge], mode, out);
	if (!d.internal)
		addrset_subtract(out, out, &live->block);
	addrset_union(out, out, &d.fixed);
	addrset_fini(&d.fixed);
}

/* ---- what a change of decoration does */

static void symmetric_difference(struct rangeset *out, const struct rangeset *a,
				 const struct rangeset *b)
{
	struct rangeset other = { 0 };

	rangeset_subtract(&other, b, a);
	rangeset_subtract(out, a, b);
	rangeset_union(out, out, &other);
	rangeset_fini(&other);
}

/* What of the mode's set does not count. */
static void hidden(const struct decor *d, const struct addrset *block,
		   enum ip_family family, struct rangeset *out)
{
	rangeset_copy(out, &d->fixed.f[family]);
	if (!d->internal)
		rangeset_union(out, out, &block->f[family]);
}

/* The edge's set where the two decorations may differ. */
static void within(const struct live_edge *e, const struct decor *d,
		   const struct addrset *block, enum ip_family family,
		   const struct rangeset *where, struct rangeset *out)
{
	struct rangeset fixed = { 0 };

	rangeset_fini(out);
	for (size_t i = 0; e->set && i < where->n; i++)
		dynset_part(&e->set->now[family], where->r[i].first, where->r[i].last,
			    out);
	if (!d->internal)
		rangeset_subtract(out, out, &block->f[family]);
	rangeset_intersect(&fixed, &d->fixed.f[family], where);
	rangeset_union(out, out, &fixed);
	rangeset_fini(&fixed);
}

void live_edge_redecorated(const struct live *live, const struct live_edge *e,
			   struct addrset *added, struct addrset *removed)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		struct rangeset a = { 0 }, b = { 0 }, where = { 0 };

		hidden(&e->was, &live->was_block, family, &a);
		hidden(&e->decor, &live->block, family, &b);
		symmetric_difference(&where, &a, &b);
		symmetric_difference(&a, &e->was.fixed.f[family],
				     &e->decor.fixed.f[family]);
		rangeset_union(&where, &where, &a);
		within(e, &e->was, &live->was_block, family, &where, &a);
		within(e, &e->decor, &live->block, family, &where, &b);
		rangeset_subtract(&added->f[family], &b, &a);
		rangeset_subtract(&removed->f[family], &a, &b);
		rangeset_fini(&a);
		rangeset_fini(&b);
		rangeset_fini(&where);
	}
}

/* ---- routers */

static size_t router_at(const struct live *live, const char *name)
{
	size_t lo = 0, hi = live->n_routers;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(live->routers[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct live_router *router_get(struct live *live, const char *name)
{
	size_t at = router_at(live, name);
	struct live_router *r;

	if (at < live->n_routers && strcmp(live->routers[at]->name, name) == 0)
		return live->routers[at];
	r = mem_alloc(sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", name);
	live->routers = mem_realloc(live->routers, live->n_routers + 1,
				    sizeof(struct live_router *));
	memmove(&live->routers[at + 1], &live->routers[at],
		(live->n_routers - at) * sizeof(struct live_router *));
	live->routers[at] = r;
	live->n_routers++;
	return r;
}

static void routers_sync(struct live *live, const struct config *cfg)
{
	free(live->router_by_index);
	for (size_t i = 0; i < live->n_routers; i++)
		live->routers[i]->in_config = false;
	live->router_by_index =
		mem_calloc(cfg->n_routers + 1, sizeof(struct live_router *));
	for (size_t i = 0; i < cfg->n_routers; i++)
		live->router_by_index[i] = router_get(live, cfg->routers[i].name);
	for (size_t i = 0; i < cfg->n_routers; i++)
		live->router_by_index[i]->in_config = true;
	for (size_t i = 0; i < live->n_routers; i++) {
		struct live_router *r = live->routers[i];

		if (r->in_config || !r->fib)
			continue;
		r->fib = NULL; /* its edges are gone as well */
		live_mark_loose_all(live);
	}
}

/* ---- edges */

static struct live_edge *edge_new(struct live *live, const struct config_edge *c)
{
	struct live_edge *e = mem_alloc(sizeof(*e));

	snprintf(e->router, sizeof(e->router), "%s", c->router);
	snprintf(e->interface, sizeof(e->interface), "%s", c->interface);
	e->mode = MODE_DEFAULT;
	e->whole = true;
	e->slot = live_number_get(&live->edge_slots);
	live->edges =
		mem_realloc(live->edges, live->edge_slots.n, sizeof(struct live_edge *));
	live->edges[e->slot] = e;
	return e;
}

static void set_release(struct live *live, struct live_edge *e)
{
	if (e->set && e->set->edge)
		live_set_free(live, e->set);
	e->set = NULL;
}

static void edge_free(struct live *live, struct live_edge *e)
{
	set_release(live, e);
	addrset_fini(&e->decor.fixed);
	addrset_fini(&e->was.fixed);
	addrset_fini(&e->before);
	live->edges[e->slot] = NULL;
	live_number_put(&live->edge_slots, e->slot);
	free(e);
}

void live_edges_fini(struct live *live)
{
	for (size_t i = 0; i < live->n_index; i++)
		edge_free(live, live->by_index[i]);
	for (size_t i = 0; i < live->n_routers; i++) {
		strict_free(live->routers[i]->strict);
		free(live->routers[i]->ports);
		free(live->routers[i]);
	}
	free(live->by_index);
	free(live->edges);
	free(live->routers);
	free(live->router_by_index);
}

static int edge_cmp(const struct live_edge *e, const struct config_edge *c)
{
	int cmp = strcmp(e->router, c->router);

	return cmp ? cmp : strcmp(e->interface, c->interface);
}

/* Both lists are sorted. Edges that are gone are left in *gone, alive. */
static void edges_sync(struct live *live, const struct config *cfg,
		       struct live_edge ***gone, size_t *n_gone)
{
	struct live_edge **old = live->by_index;
	size_t n_old = live->n_index, at = 0;

	*gone = mem_calloc(n_old + 1, sizeof(struct live_edge *));
	live->by_index = mem_calloc(cfg->n_edges + 1, sizeof(struct live_edge *));
	live->n_index = cfg->n_edges;
	for (size_t i = 0; i < cfg->n_edges; i++) {
		while (at < n_old && edge_cmp(old[at], &cfg->edges[i]) < 0)
			(*gone)[(*n_gone)++] = old[at++];
		if (at < n_old && edge_cmp(old[at], &cfg->edges[i]) == 0)
			live->by_index[i] = old[at++];
		else
			live->by_index[i] = edge_new(live, &cfg->edges[i]);
		live->by_index[i]->index = i;
	}
	while (at < n_old)
		(*gone)[(*n_gone)++] = old[at++];
	free(old);
}

static void edges_retire(struct live *live, struct live_edge **gone, size_t n_gone)
{
	for (size_t i = 0; i < n_gone; i++) {
		gone[i]->index = SETS_NO_EDGE;
		set_release(live, gone[i]);
	}
	for (struct live_source *s = live->sources; s; s = s->next) {
		if (s->edge && s->edge->index == SETS_NO_EDGE)
			s->edge = NULL;
	}
}

static bool has_set(enum edge_mode mode)
{
	return live_mode_is_strict(mode) || live_mode_is_loose(mode) ||
	       mode == MODE_FEASIBLE || mode == MODE_EFP_A ||
	       live_mode_shared(mode) != LIVE_OWN;
}

/* Role and mode. Where the set that is read is another one, the difference can
 * only be found by comparison: what was is kept, before anything changes. */
static void edge_take(struct live *live, struct live_edge *e, const struct config *cfg)
{
	const struct config_edge *c = &cfg->edges[e->index];
	const struct config_router *r = config_router_find(cfg, c->router);
	enum edge_mode mode = config_edge_mode(c);

	if (!e->whole && (mode != e->mode || c->feasible_paths != e->paths) &&
	    (has_set(mode) || has_set(e->mode))) {
		e->whole = true;
		live_edge_export(live, e, &e->before);
	}
	e->mode = mode;
	e->paths = c->feasible_paths;
	e->customer = config_edge_is_customer(c);
	e->at = r ? live->router_by_index[r - cfg->routers] : router_get(live, c->router);
}

/* Of any length: it is no received route. */
static void mark_loose_prefix(const struct ip_prefix *p, void *arg)
{
	struct live *live = arg;

	for (size_t i = 0; i < live->n_loose; i++)
		live_set_mark(live, live->loose[i], p);
}

/* The loose sets hold them, less what their router rejects. */
static void take_records(struct live *live, const struct config *cfg)
{
	struct addrset was = live->records;

	live->records = (struct addrset){ 0 };
	all_records(cfg, &live->records);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		struct rangeset differ = { 0 };

		symmetric_difference(&differ, &was.f[family], &live->records.f[family]);
		rangeset_each_prefix(&differ, family, mark_loose_prefix, live);
		rangeset_fini(&differ);
	}
	addrset_fini(&was);
}

static void redecorate(struct live *live, const struct config *cfg)
{
	struct addrset own = { 0 };
	bool same_block;

	live->was_block = live->block;
	live->block = (struct addrset){ 0 };
	special_sources(&live->block, cfg->permits, cfg->n_permits);
	sets_own_space(cfg, &own);
	addrset_union(&live->block, &live->block, &own);
	same_block = addrset_equal(&live->block, &live->was_block);
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		e->was = e->decor;
		decor_make(&e->decor, cfg, &cfg->edges[i], e->mode, &live->block);
		e->redecorated =
			!e->whole && (!addrset_equal(&e->was.fixed, &e->decor.fixed) ||
				      e->was.internal != e->decor.internal ||
				      (!same_block && !e->decor.internal));
	}
	addrset_fini(&own);
}

/* ---- sets */

static void shared_sync(struct live *live)
{
	bool read[LIVE_SHARED] = { false };

	for (size_t i = 0; i < live->n_index; i++)
		read[live_mode_shared(live->by_index[i]->mode)] = true;
	for (int which = LIVE_OWN + 1; which < LIVE_SHARED; which++) {
		static const enum edge_mode modes[LIVE_SHARED] = {
			[LIVE_EFP_B] = MODE_EFP_B,
		};

		if (read[which] && !live->shared[which]) {
			live->shared[which] = live_set_new(modes[which], NULL);
			live_set_mark_all(live, live->shared[which]);
		} else if (!read[which]) {
			live_set_free(live, live->shared[which]);
			live->shared[which] = NULL;
		}
	}
}

static size_t loose_number(enum edge_mode mode)
{
	return mode == MODE_LOOSE_NO_DEFAULT;
}

static bool loose_is_read(const struct live *live, const struct live_router *r, size_t k)
{
	for (size_t i = 0; i < live->n_index; i++) {
		const struct live_edge *e = live->by_index[i];

		if (e->at == r && live_mode_is_loose(e->mode) &&
		    loose_number(e->mode) == k)
			return true;
	}
	return false;
}

static void loose_list(struct live *live)
{
	live->n_loose = 0;
	for (size_t i = 0; i < live->n_routers; i++) {
		for (size_t k = 0; k < LIVE_LOOSE_MODES; k++) {
			if (!live->routers[i]->loose[k])
				continue;
			live->loose = mem_realloc(live->loose, live->n_loose + 1,
						  sizeof(struct live_set *));
			live->loose[live->n_loose++] = live->routers[i]->loose[k];
		}
	}
}

static void loose_sync(struct live *live)
{
	static const enum edge_mode modes[LIVE_LOOSE_MODES] = { MODE_LOOSE,
								MODE_LOOSE_NO_DEFAULT };

	for (size_t i = 0; i < live->n_routers; i++) {
		struct live_router *r = live->routers[i];

		for (size_t k = 0; k < LIVE_LOOSE_MODES; k++) {
			bool read = loose_is_read(live, r, k);

			if (read && !r->loose[k]) {
				r->loose[k] = live_set_new(modes[k], NULL);
				r->loose[k]->at = r;
				live_set_mark_all(live, r->loose[k]);
			} else if (!read) {
				live_set_free(live, r->loose[k]);
				r->loose[k] = NULL;
			}
		}
	}
	loose_list(live);
}

static struct live_set *set_of(struct live *live, struct live_edge *e)
{
	enum live_shared which = live_mode_shared(e->mode);

	if (which != LIVE_OWN)
		return live->shared[which];
	if (live_mode_is_loose(e->mode))
		return e->at->loose[loose_number(e->mode)];
	return live_set_new(e->mode, e);
}

/* Who is to be told of a set that several edges may read. */
static void readers_sync(struct live *live)
{
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_set *set = live->by_index[i]->set;

		if (set && !set->edge)
			set->n_readers = 0;
	}
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_set *set = live->by_index[i]->set;

		if (!set || set->edge)
			continue;
		set->readers = mem_realloc(set->readers, set->n_readers + 1,
					   sizeof(struct live_edge *));
		set->readers[set->n_readers++] = live->by_index[i];
	}
}

/* An edge that reads a new set of its own gets an empty one for now. */
static void sets_sync(struct live *live)
{
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		if (e->whole)
			set_release(live, e);
	}
	shared_sync(live);
	loose_sync(live);
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		if (e->whole && has_set(e->mode))
			e->set = set_of(live, e);
	}
	readers_sync(live);
	for (size_t i = 0; i < live->n_routers; i++)
		live_ports_sync(live, live->routers[i]);
}

static void mark_path(struct live *live, struct live_source *source,
		      const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	(void)attr;
	if (!sets_prefix_is_too_short(prefix))
		live_set_mark(live, source->edge->set, prefix);
}

/* What was counted before a set was there has marked nothing in it. */
static void sets_fill(struct live *live)
{
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		if (e->whole && e->mode == MODE_EFP_A)
			live_efp_fill(live, e);
		else if (e->whole && live_mode_is_strict(e->mode) &&
			 live->strict == LIVE_STRICT_BEST_PATH && e->at->strict)
			strict_fill(live, e->at->strict, e);
		else if (e->whole && live_mode_is_strict(e->mode) && e->at->fib)
			live_fib_fill(live, e->at, e);
	}
	for (struct live_source *s = live->sources; s; s = s->next) {
		if (s->edge && s->edge->whole && s->edge->mode == MODE_FEASIBLE)
			live_source_walk(live, s, mark_path);
	}
}

/* ---- best paths, for the routers that need them */

static bool wants_best(const struct live *live, const struct live_edge *e)
{
	return e->paths != 0 || (live->strict == LIVE_STRICT_BEST_PATH &&
				 live_mode_is_strict(e->mode));
}

static bool needs_strict(const struct live *live, const struct live_router *r)
{
	for (size_t i = 0; i < live->n_index; i++) {
		if (live->by_index[i]->at == r && wants_best(live, live->by_index[i]))
			return true;
	}
	return false;
}

static void strict_path(struct live *live, struct live_source *source,
			const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	(void)live;
	strict_load(source->at->strict, source, prefix, attr);
}

static void strict_source(struct live *live, struct live_source *source)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		strict_reserve(source->at->strict, family,
			       rib_path_count(source->peer, source->view[family], family));
	live_source_walk(live, source, strict_path);
}

static void count_paths(struct live *live)
{
	for (size_t i = 0; i < live->n_routers; i++)
		live->routers[i]->max_paths = 0;
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		if (e->paths > e->at->max_paths)
			e->at->max_paths = e->paths;
	}
}

static void strict_end(struct live *live)
{
	count_paths(live);
	for (size_t i = 0; i < live->n_routers; i++) {
		struct live_router *r = live->routers[i];

		if (r->strict && !needs_strict(live, r)) {
			strict_free(r->strict);
			r->strict = NULL;
		}
	}
}

static void strict_begin(struct live *live)
{
	bool any = false;

	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		if (wants_best(live, e) && !e->at->strict) {
			e->at->strict = strict_new(live->seed);
			e->at->strict_is_new = any = true;
		}
	}
	for (struct live_source *s = live->sources; any && s; s = s->next) {
		if (s->at->strict_is_new)
			strict_source(live, s);
	}
	for (size_t i = 0; any && i < live->n_routers; i++) {
		struct live_router *r = live->routers[i];

		if (r->strict_is_new && live->strict == LIVE_STRICT_BEST_PATH)
			strict_fill(live, r->strict, NULL);
		r->strict_is_new = false;
	}
}

/* ---- all of it */

void live_policy(struct live *live, const struct config *cfg)
{
	struct live_edge **gone = NULL;
	size_t n_gone = 0;

	if (live_is_dirty(live))
		abort(); /* two causes in one answer */
	live->policy_changed = true;
	routers_sync(live, cfg);
	edges_sync(live, cfg, &gone, &n_gone);
	for (size_t i = 0; i < live->n_index; i++)
		edge_take(live, live->by_index[i], cfg);
	redecorate(live, cfg);
	take_records(live, cfg);
	edges_retire(live, gone, n_gone);
	sets_sync(live);
	strict_end(live);
	for (struct live_source *s = live->sources; s; s = s->next)
		live_source_classify(live, s);
	sets_fill(live);
	strict_begin(live);
	for (size_t i = 0; i < n_gone; i++)
		edge_free(live, gone[i]);
	free(gone);
}

void live_policy_settle(struct live *live)
{
	if (!live->policy_changed)
		return;
	for (size_t i = 0; i < live->n_index; i++) {
		struct live_edge *e = live->by_index[i];

		addrset_fini(&e->was.fixed);
		addrset_fini(&e->before);
		e->redecorated = e->whole = false;
	}
	addrset_fini(&live->was_block);
	live->policy_changed = false;
}
