/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What RADIUS sessions give to edges.
 *
 * A set of its own beside what live computes, for a session's address counts
 * where the operator's own space does not: the edge's set is live's and, less
 * special-purpose sources, that of its sessions. A change costs what it changes.
 */
#include "controller/engine_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sets/special.h"
#include "lib/array.h"
#include "lib/mem.h"

/* ---- by name: an edge may be configured after its sessions are there ---- */

static int key_cmp(const void *item, const void *key)
{
	struct engine_sessions *const *s = item;
	const struct engine_key *k = key;
	int cmp = strcmp((*s)->router, k->router);

	return cmp ? cmp : strcmp((*s)->interface, k->interface);
}

static size_t locate(const struct engine *e, const char *router, const char *interface,
		     bool *found)
{
	struct engine_key key;

	snprintf(key.router, sizeof(key.router), "%s", router);
	snprintf(key.interface, sizeof(key.interface), "%s", interface);
	return array_locate(e->sessions, e->n_sessions, sizeof(*e->sessions), &key, key_cmp,
			    found);
}

struct engine_sessions *engine_sessions_find(const struct engine *e, const char *router,
					     const char *interface)
{
	bool found;
	size_t at = locate(e, router, interface, &found);

	return found ? e->sessions[at] : NULL;
}

static struct engine_sessions *sessions_get(struct engine *e, const char *router,
					    const char *interface)
{
	void *array = e->sessions;
	struct engine_sessions *s;
	bool found;
	size_t at = locate(e, router, interface, &found);

	if (found)
		return e->sessions[at];
	s = mem_alloc(sizeof(*s));
	snprintf(s->router, sizeof(s->router), "%s", router);
	snprintf(s->interface, sizeof(s->interface), "%s", interface);
	dynaddrset_init(&s->set);
	array_insert(&array, &e->n_sessions, sizeof(s), at, &s);
	e->sessions = array;
	return s;
}

void engine_sessions_fini(struct engine *e)
{
	for (size_t i = 0; i < e->n_sessions; i++) {
		dynaddrset_fini(&e->sessions[i]->set);
		free(e->sessions[i]);
	}
	free(e->sessions);
	addrset_fini(&e->special);
}

/* ---- what counts of them ---- */

static void less_special(const struct engine *e, const struct engine_edge *edge,
			 struct addrset *set)
{
	if (!edge->sessions_whole)
		addrset_subtract(set, set, &e->special);
}

/* Takes out of *set what the edge's mode, record and exceptions admit. */
static void less_live(const struct engine *e, const struct engine_edge *edge,
		      struct addrset *set)
{
	struct addrset there = { 0 };

	if (addrset_is_empty(set))
		return;
	live_edge_part(e->live, edge->index, set, &there);
	addrset_subtract(set, set, &there);
	addrset_fini(&there);
}

void engine_sessions_set(const struct engine *e, const struct engine_edge *edge,
			 struct addrset *out)
{
	addrset_fini(out);
	if (!edge->sessions)
		return;
	dynaddrset_export(&edge->sessions->set, out);
	less_special(e, edge, out);
}

bool engine_sessions_without(const struct engine *e, const struct engine_edge *edge,
			     const struct addrset *set, struct addrset *out)
{
	struct addrset there = { 0 };

	if (!edge->sessions || dynaddrset_is_empty(&edge->sessions->set))
		return false;
	dynaddrset_intersect(&edge->sessions->set, set, &there);
	less_special(e, edge, &there);
	addrset_subtract(out, set, &there);
	addrset_fini(&there);
	return true;
}

static bool is_internal(const struct engine *e, const struct engine_edge *edge)
{
	return e->cfg->edges[edge->index].role == ROLE_INTERNAL;
}

void engine_sessions_load(struct engine *e, struct engine_edge *edge)
{
	struct addrset all = { 0 };

	edge->sessions_whole = is_internal(e, edge);
	engine_sessions_set(e, edge, &all);
	engine_edge_grant(e, edge, &all);
	addrset_fini(&all);
}

/* ---- policy ---- */

static void edge_policy(struct engine *e, struct engine_edge *edge,
			const struct addrset *was)
{
	bool whole = is_internal(e, edge);
	struct addrset before = { 0 }, after = { 0 }, less = { 0 };

	dynaddrset_export(&edge->sessions->set, &after);
	addrset_copy(&before, &after);
	if (!edge->sessions_whole)
		addrset_subtract(&before, &before, was);
	edge->sessions_whole = whole;
	less_special(e, edge, &after);
	addrset_subtract(&less, &before, &after);
	less_live(e, edge, &less);
	engine_edge_lose(e, edge, &less);
	addrset_subtract(&after, &after, &before);
	engine_edge_grant(e, edge, &after);
	addrset_fini(&before);
	addrset_fini(&after);
	addrset_fini(&less);
}

void engine_sessions_policy(struct engine *e)
{
	struct addrset was = e->special;
	bool same;

	e->special = (struct addrset){ 0 };
	special_sources(&e->special, e->cfg->permits, e->cfg->n_permits);
	same = addrset_equal(&was, &e->special);
	for (size_t i = 0; i < e->n_edges; i++) {
		struct engine_edge *edge = e->edges[i];

		if (edge->synced && edge->sessions &&
		    (!same || edge->sessions_whole != is_internal(e, edge)))
			edge_policy(e, edge, &was);
	}
	addrset_fini(&was);
}

/* ---- changes ---- */

static void take_away(struct engine *e, struct engine_edge *edge, struct addrset *gone,
		      enum engine_leave leave)
{
	less_special(e, edge, gone);
	less_live(e, edge, gone);
	if (leave == ENGINE_LEAVE_NOW)
		engine_edge_take(e, edge, gone);
	else
		engine_edge_lose(e, edge, gone);
}

static void give(struct engine *e, struct engine_edge *edge, struct addrset *came)
{
	less_special(e, edge, came);
	engine_edge_grant(e, edge, came);
}

void engine_sessions_change(struct engine *e, const char *router, const char *interface,
			    const struct addrset *added, const struct addrset *removed,
			    enum engine_leave leave, unsigned int sessions)
{
	struct engine_sessions *s = sessions_get(e, router, interface);
	struct engine_edge *edge = engine_edge_find(e, router, interface);
	struct addrset came = { 0 }, gone = { 0 };

	if (edge && edge->synced)
		engine_catch_up(e);
	dynaddrset_add(&s->set, added, &came);
	dynaddrset_remove(&s->set, removed, &gone);
	s->n = sessions;
	s->seen = s->seen || sessions > 0;
	if (edge) {
		edge->sessions = s;
		engine_edge_touch(e, edge);
		engine_wake(e);
	}
	if (edge && edge->synced) { /* else all of it is taken later */
		addrset_normalize(&came);
		addrset_normalize(&gone);
		give(e, edge, &came);
		take_away(e, edge, &gone, leave);
	}
	addrset_fini(&came);
	addrset_fini(&gone);
}

bool engine_edge_is_current(const struct engine *e, const char *router, const char *interface)
{
	const struct engine_edge *edge = engine_edge_find(e, router, interface);

	return edge && edge->synced && !edge->touched && !e->policy_changed;
}

bool engine_edge_waits_for_session(const struct engine *e, const struct engine_edge *edge)
{
	const struct engine_sessions *s = edge->sessions;

	if (s && s->n > 0)
		return false;
	switch (e->cfg->edges[edge->index].pending) {
	case PENDING_OBSERVE:
		return true;
	case PENDING_DROP:
		return false;
	case PENDING_NONE:
		break;
	}
	return s && s->seen && dynaddrset_is_empty(&edge->hold.enforced);
}
