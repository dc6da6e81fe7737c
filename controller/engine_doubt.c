/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Paths in doubt: what pre-policy alone has may be policy, or lost by the router.
 *
 * Which prefixes these are is looked for when a removal asks, some paths of a
 * table at a time: a table may be long, and nobody waits but the removal.
 */
#include "controller/engine_feed_impl.h"

#include <stdlib.h>

#include "lib/mem.h"

/* Paths that are looked at by one run of the engine. */
#define PATHS_PER_RUN 16384
/* An answer is kept for those that ask about the same time. */
#define KEEP_MS 60000

struct engine_lost {
	struct dynaddrset set; /* what pre-policy alone had */
	int64_t ms;	       /* at that time; INT64_MIN: not known yet */
	struct dynaddrset found;
	int64_t walk_ms; /* when the walk began; -1: there is none */
	enum ip_family family;
	unsigned int part;
};

static struct engine_lost *lost_of(struct engine_peer *p)
{
	if (p->lost)
		return p->lost;
	p->lost = mem_alloc(sizeof(*p->lost));
	dynaddrset_init(&p->lost->set);
	dynaddrset_init(&p->lost->found);
	p->lost->ms = INT64_MIN;
	p->lost->walk_ms = -1;
	return p->lost;
}

void engine_doubt_forget(struct engine_peer *p)
{
	if (!p->lost)
		return;
	dynaddrset_fini(&p->lost->set);
	dynaddrset_fini(&p->lost->found);
	free(p->lost);
	p->lost = NULL;
}

void engine_doubt_tidy(struct engine *e, int64_t now_ms)
{
	for (struct engine_peer *p = e->peers; p; p = p->next) {
		if (p->lost && p->lost->walk_ms < 0 && p->lost->ms < now_ms - KEEP_MS)
			engine_doubt_forget(p);
	}
}

struct looked_at {
	const struct rib_peer *peer;
	struct addrset lost;
};

static void look_at(const struct ip_prefix *prefix, uint32_t path_id,
		    const struct rib_attr *attr, void *arg)
{
	struct looked_at *l = arg;

	(void)path_id;
	(void)attr;
	if (!sets_prefix_is_too_short(prefix) && !rib_lookup(l->peer, RIB_POST, prefix))
		addrset_append(&l->lost, prefix);
}

/* One part of one family. False: that was the last of this family. */
static bool walk_part(struct engine *e, struct engine_peer *p, struct engine_lost *lost)
{
	struct looked_at l = { .peer = p->rib };
	size_t paths = rib_path_count(p->rib, RIB_PRE, lost->family);
	bool more;

	if (rib_peer_view(p->rib, lost->family) != RIB_POST ||
	    rib_pre_only(p->rib, lost->family) == 0)
		return false;
	more = rib_walk_part(p->rib, RIB_PRE, lost->family, lost->part++, look_at, &l);
	addrset_normalize(&l.lost);
	dynaddrset_add(&lost->found, &l.lost, NULL);
	addrset_fini(&l.lost);
	/* a table that is not in parts is short */
	e->doubt_paths += paths / 256 + 1;
	return more;
}

/* Until nothing is left of the table, or of this run's share. */
static bool walk(struct engine *e, struct engine_peer *p, struct engine_lost *lost)
{
	if (lost->walk_ms < 0) {
		lost->walk_ms = e->now_ms;
		lost->family = IP_V4;
		lost->part = 0;
	}
	while (lost->family < IP_FAMILIES) {
		if (e->doubt_paths >= PATHS_PER_RUN)
			return false;
		if (!walk_part(e, p, lost)) {
			lost->family++;
			lost->part = 0;
		}
	}
	dynaddrset_fini(&lost->set);
	lost->set = lost->found;
	dynaddrset_init(&lost->found);
	lost->ms = lost->walk_ms;
	lost->walk_ms = -1;
	return true;
}

static bool has_lost(const struct engine_peer *p)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (rib_peer_view(p->rib, family) == RIB_POST &&
		    rib_pre_only(p->rib, family) != 0)
			return true;
	}
	return false;
}

enum answer {
	NO,
	YES,
	NOT_YET,
};

/* Does the peer's pre-policy alone hold some of what is gone? As of when that was
 * due, or later. */
static enum answer is_doubted(struct engine *e, struct engine_peer *p,
			      const struct engine_gone *gone)
{
	struct addrset some = { 0 };
	struct engine_lost *lost;
	bool any;

	if (!has_lost(p))
		return NO;
	lost = lost_of(p);
	while (lost->ms < gone->due_ms) {
		if (!walk(e, p, lost))
			return NOT_YET;
	}
	dynaddrset_intersect(&lost->set, &gone->set, &some);
	any = !addrset_is_empty(&some);
	addrset_fini(&some);
	return any ? YES : NO;
}

/* The customers' tables are what most of a network-wide set consists of; those
 * of providers are too long to be walked for this. */
static bool may_speak_for(const struct engine *e, const struct engine_peer *p, size_t edge)
{
	return engine_peer_is_on(p, edge) ||
	       (config_edge_mode(&e->cfg->edges[edge]) != MODE_FEASIBLE &&
		engine_peer_is_customer(e, p));
}

/* The feed has left out paths with a loop already. A pre-policy path delays a
 * post-policy removal until a dump that began after it: such a dump has the
 * last word, so peers that have completed one speak for nothing here. What left
 * together waits together: with the origin of a path a network-wide set loses
 * more than its prefix. */
bool engine_peers_doubt(struct engine *e, size_t edge, const struct engine_gone *gone,
			int64_t now_ms)
{
	bool doubt = false;

	if (rib_view_changes(e->rib) == 0) /* there is no post-policy at all */
		return false;
	for (struct engine_peer *p = e->peers; p; p = p->next) {
		struct engine_feed *feed = p->router->feed;

		if (!may_speak_for(e, p, edge) || p->dump_ms > gone->since_ms)
			continue;
		switch (is_doubted(e, p, gone)) {
		case NO:
			break;
		case NOT_YET:
			e->doubt_unsure = doubt = true;
			break;
		case YES:
			doubt = true;
			if (feed && engine_redump_is_allowed(feed, now_ms))
				engine_redump_ask(
					feed, now_ms,
					"pre-policy and post-policy routes disagree");
			break;
		}
	}
	return doubt;
}
