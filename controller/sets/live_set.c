/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sets, and the places where they may differ from what was told last.
 */
#include "controller/sets/live_impl.h"

#include <stdlib.h>

#include "lib/mem.h"

/* A place costs a descent of the index, so from a sixteenth of all prefixes on
 * one pass over all of them is cheaper. */
#define ALL_MIN	    4096
#define ALL_PART    16
#define COMPACT_MIN 1024
#define AHEAD	    6

enum live_shared live_mode_shared(enum edge_mode mode)
{
	switch (mode) {
	case MODE_EFP_B:
		return LIVE_EFP_B;
	case MODE_LOOSE: /* of a router */
	case MODE_LOOSE_NO_DEFAULT:
	case MODE_DEFAULT:
	case MODE_ACL:
	case MODE_STRICT:
	case MODE_STRICT_DIRECT:
	case MODE_FEASIBLE:
	case MODE_EFP_A:
	case MODE_EGRESS:
	case MODE_OFF:
		break;
	}
	return LIVE_OWN;
}

bool live_mode_is_loose(enum edge_mode mode)
{
	return mode == MODE_LOOSE || mode == MODE_LOOSE_NO_DEFAULT;
}

bool live_mode_is_strict(enum edge_mode mode)
{
	return mode == MODE_STRICT || mode == MODE_STRICT_DIRECT;
}

struct live_set *live_set_new(enum edge_mode mode, struct live_edge *edge)
{
	struct live_set *set = mem_alloc(sizeof(*set));

	set->mode = mode;
	set->edge = edge;
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		dynset_init(&set->now[family], family);
		dynset_init(&set->gained[family], family);
		dynset_init(&set->lost[family], family);
	}
	return set;
}

static void regions_fini(struct regions *g)
{
	free(g->p);
	*g = (struct regions){ 0 };
}

static void enqueue(struct live *live, struct live_set *set)
{
	if (set->queued)
		return;
	set->queued = true;
	set->next_queued = live->queue;
	live->queue = set;
}

static void unqueue(struct live *live, const struct live_set *set)
{
	struct live_set **at = &live->queue;

	while (*at != set)
		at = &(*at)->next_queued;
	*at = set->next_queued;
}

void live_set_free(struct live *live, struct live_set *set)
{
	if (!set)
		return;
	if (set->queued)
		unqueue(live, set);
	live_set_settle(set);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		dynset_fini(&set->now[family]);
		regions_fini(&set->dirty[family]);
	}
	free(set->readers);
	free(set);
}

size_t live_set_bytes(const struct live_set *set)
{
	size_t bytes = sizeof(*set);

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		bytes += dynset_bytes(&set->now[family]) +
			 set->dirty[family].cap * sizeof(struct ip_prefix);
	return bytes;
}

/* ---- where */

static int by_prefix(const void *a, const void *b)
{
	return ip_prefix_cmp(a, b);
}

/* What lies inside another one is looked at with that one. */
static void compact(struct regions *g)
{
	size_t used = 0;

	if (g->n != 0)
		qsort(g->p, g->n, sizeof(*g->p), by_prefix);
	for (size_t i = 0; i < g->n; i++) {
		if (used == 0 || !ip_prefix_covers(&g->p[used - 1], &g->p[i]))
			g->p[used++] = g->p[i];
	}
	g->n = used;
}

static bool is_most(const struct live *live, const struct regions *g,
		    enum ip_family family)
{
	return g->n >= ALL_MIN && g->n >= live->index[family].n / ALL_PART;
}

void live_set_mark(struct live *live, struct live_set *set, const struct ip_prefix *p)
{
	struct regions *g;

	if (!set)
		return;
	g = &set->dirty[p->family];
	enqueue(live, set);
	if (g->all)
		return;
	if (g->n == g->cap) {
		if (g->n >= COMPACT_MIN)
			compact(g);
		if (g->n >= g->cap / 2) {
			g->cap = g->cap ? g->cap * 2 : 4;
			g->p = mem_realloc(g->p, g->cap, sizeof(*g->p));
		}
	}
	g->p[g->n++] = *p;
	/* Only for what is shared: a pass over everything for each of many
	 * edges would be no bargain while the first routes come in. */
	if (!set->edge && is_most(live, g, p->family)) {
		regions_fini(g);
		g->all = true;
	}
}

void live_set_mark_all(struct live *live, struct live_set *set)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		regions_fini(&set->dirty[family]);
		set->dirty[family].all = true;
	}
	enqueue(live, set);
}

/* ---- evaluation */

struct member {
	const struct live *live;
	const struct live_set *set;
	struct rangeset content;
};

static bool is_member(const struct prefix_index *x, uint32_t node, void *arg)
{
	const struct member *m = arg;

	return live_set_has(m->live, m->set, x, node);
}

static bool take_member(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct member *m = arg;
	struct ip_prefix p;

	if (!live_set_has(m->live, m->set, x, node))
		return false;
	p = prefix_index_prefix(x, node);
	rangeset_append_prefix(&m->content, &p);
	return true;
}

/* A shorter prefix that is in the set was in it at the last drain, so that all of
 * it is in now, or its own place is looked at, and this one with it. Not so where
 * a blackhole may have taken a part. */
static bool may_be_covered(const struct live_set *set, const struct ip_prefix *p)
{
	struct ip_prefix next;

	if (p->len == 0)
		return false;
	if (live_mode_is_loose(set->mode))
		return true;
	next = ip_prefix_make((enum ip_family)p->family, p->v, p->len - 1u);
	return dynset_covers(&set->now[p->family], next.v, ip_prefix_last(&next));
}

static void evaluate(struct live *live, struct live_set *set, const struct ip_prefix *p)
{
	struct prefix_index *x = &live->index[p->family];
	struct member m = { .live = live, .set = set };
	uint32_t node = prefix_index_find(x, p);

	if ((node != 0 && live_set_has(live, set, x, node)) ||
	    (may_be_covered(set, p) && prefix_index_covering(x, p, is_member, &m)))
		rangeset_append_prefix(&m.content, p);
	else
		prefix_index_inside(x, p, true, take_member, &m);
	if (live_mode_is_loose(set->mode))
		live_loose_finish(live, set, p, &m.content);
	else
		rangeset_normalize(&m.content);
	dynset_replace(&set->now[p->family], p->v, ip_prefix_last(p), &m.content,
		       &set->added.f[p->family], &set->removed.f[p->family]);
	rangeset_fini(&m.content);
}

void live_set_collect(struct live *live, const struct live_set *set, struct addrset *out)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		const struct ip_prefix everything = { .family = (uint8_t)family };
		struct member m = { .live = live, .set = set };

		prefix_index_inside(&live->index[family], &everything, true, take_member,
				    &m);
		if (live_mode_is_loose(set->mode))
			live_loose_finish(live, set, &everything, &m.content);
		else
			rangeset_normalize(&m.content);
		rangeset_fini(&out->f[family]);
		out->f[family] = m.content;
	}
}

/* Each place waits for memory, so the next ones are asked for ahead. */
static void evaluate_places(struct live *live, struct live_set *set,
			    const struct regions *g, enum ip_family family)
{
	const struct prefix_index *x = &live->index[family];

	for (size_t i = 0; i < g->n; i++) {
		if (i + 2 * AHEAD < g->n)
			prefix_index_prefetch(x, &g->p[i + 2 * AHEAD]);
		if (i + AHEAD < g->n)
			prefix_index_prefetch_node(x, &g->p[i + AHEAD]);
		evaluate(live, set, &g->p[i]);
	}
}

static void evaluate_family(struct live *live, struct live_set *set,
			    enum ip_family family)
{
	struct regions *g = &set->dirty[family];
	const struct ip_prefix everything = { .family = (uint8_t)family };

	if (!g->all)
		compact(g);
	if (g->all || is_most(live, g, family))
		evaluate(live, set, &everything);
	else
		evaluate_places(live, set, g, family);
	regions_fini(g);
	rangeset_normalize(&set->added.f[family]);
	rangeset_normalize(&set->removed.f[family]);
}

bool live_set_evaluate(struct live *live, struct live_set *set)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (live_mode_is_strict(set->mode)) {
			dynset_export(&set->gained[family], &set->added.f[family]);
			dynset_export(&set->lost[family], &set->removed.f[family]);
		} else {
			evaluate_family(live, set, family);
		}
	}
	return !addrset_is_empty(&set->added) || !addrset_is_empty(&set->removed);
}

void live_set_settle(struct live_set *set)
{
	addrset_fini(&set->added);
	addrset_fini(&set->removed);
	addrset_fini(&set->open_added);
	addrset_fini(&set->open_removed);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		dynset_fini(&set->gained[family]);
		dynset_fini(&set->lost[family]);
	}
	set->queued = false;
	set->next_queued = NULL;
}

/* ---- edits at once */

void live_set_replace(struct live *live, struct live_set *set, enum ip_family family,
		      u128 first, u128 last, const struct rangeset *part)
{
	struct rangeset came = { 0 }, went = { 0 };

	dynset_replace(&set->now[family], first, last, part, &came, &went);
	for (size_t i = 0; i < came.n; i++)
		dynset_note(&set->gained[family], &set->lost[family], &came.r[i]);
	for (size_t i = 0; i < went.n; i++)
		dynset_note(&set->lost[family], &set->gained[family], &went.r[i]);
	if (came.n != 0 || went.n != 0)
		enqueue(live, set);
	rangeset_fini(&came);
	rangeset_fini(&went);
}

void live_set_gain(struct live *live, struct live_set *set, enum ip_family family,
		   const struct rangeset *part)
{
	for (size_t i = 0; i < part->n; i++) {
		const struct rangeset one = { .r = &part->r[i], .n = 1 };

		live_set_replace(live, set, family, part->r[i].first, part->r[i].last,
				 &one);
	}
}

void live_set_lose(struct live *live, struct live_set *set, enum ip_family family,
		   const struct rangeset *part)
{
	static const struct rangeset nothing;

	for (size_t i = 0; i < part->n; i++)
		live_set_replace(live, set, family, part->r[i].first, part->r[i].last,
				 &nothing);
}
