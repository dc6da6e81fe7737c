/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/plan_flows.h"

#include <string.h>

struct leaving {
	const struct plan *old, *new;
	struct site marks; /* as the old plan gave them */
	struct plan_flows *out;
	size_t n;
};

static void leave(struct leaving *l, enum site_mark kind, uint32_t number, enum ip_family f)
{
	const struct plan_flows gone = { (uint8_t)f, site_mark(&l->marks, kind, number),
					 l->marks.mark_mask };

	for (size_t i = 0; i < l->n; i++) {
		if (l->out[i].family == gone.family && l->out[i].mark == gone.mark)
			return;
	}
	if (l->n < PLAN_FLOWS_MAX)
		l->out[l->n++] = gone;
}

static bool same_nat(const struct plan_provider *a, const struct plan_provider *b,
		     enum ip_family f)
{
	return a->has_nat[f] == b->has_nat[f] &&
	       (!a->has_nat[f] || ip_prefix_cmp(&a->nat_to[f], &b->nat_to[f]) == 0);
}

static bool same_source(const struct path *a, const struct path *b, enum ip_family f)
{
	return b->has_source[f] && ip_addr_equal(&a->source[f], &b->source[f]);
}

/* now: what has its number, or NULL. */
static void provider_leaves(struct leaving *l, const struct plan_provider *was,
			    const struct plan_provider *now, bool all)
{
	if (now && strcmp(was->name, now->name) != 0)
		now = NULL; /* the number has been given again */
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		const bool gone = all || !now || (was->alive[f] && !now->alive[f]);

		if (gone || !same_nat(was, now, f))
			leave(l, SITE_MARK_PROVIDER, was->number, f);
		for (size_t i = 0; i < l->old->n_paths && gone; i++) {
			if (l->old->paths[i].provider == was->number)
				leave(l, SITE_MARK_FLOW, l->old->paths[i].path.number, f);
		}
	}
}

static void path_leaves(struct leaving *l, const struct plan_path *was,
			const struct plan_path *now)
{
	const bool gone = !now || now->provider != was->provider ||
			  now->path.kind != was->path.kind ||
			  strcmp(now->path.name, was->path.name) != 0;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (gone || (was->path.has_source[f] && !same_source(&was->path, &now->path, f)))
			leave(l, SITE_MARK_FLOW, was->path.number, f);
	}
}

/* Of one that there was no plan about: a predecessor's may be there. */
static void dead_from_the_start(struct leaving *l, const struct plan_provider *now)
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (now->alive[f])
			continue;
		leave(l, SITE_MARK_PROVIDER, now->number, f);
		for (size_t i = 0; i < l->new->n_paths; i++) {
			if (l->new->paths[i].provider == now->number)
				leave(l, SITE_MARK_FLOW, l->new->paths[i].path.number, f);
		}
	}
}

size_t plan_flows_gone(const struct plan *old, const struct plan *new,
		       struct plan_flows out[PLAN_FLOWS_MAX])
{
	struct leaving l = { .old = old, .new = new, .out = out };
	bool all;

	if (old->n_paths != 0)
		l.marks.mark_mask = old->paths[0].path.mark_mask;
	else
		l.marks.mark_mask = new->site->mark_mask;
	all = l.marks.mark_mask != new->site->mark_mask;
	for (size_t i = 0; i < old->n_providers; i++)
		provider_leaves(&l, &old->providers[i],
				plan_provider_find(new, old->providers[i].number), all);
	for (size_t i = 0; i < old->n_paths; i++)
		path_leaves(&l, &old->paths[i],
			    plan_path_find(new, old->paths[i].path.number));
	for (size_t i = 0; i < new->n_providers && !all; i++) {
		if (!plan_provider_find(old, new->providers[i].number))
			dead_from_the_start(&l, &new->providers[i]);
	}
	return l.n;
}
