/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Many routes that go at once, a slice at a time.
 *
 * Peer Down of a full table, the end of a re-dump, a peer that is gone: the RIB
 * only notes what is dead, and here it is taken away. Between two slices other
 * feeds are read. What is dead still counts until then: it leaves no set later
 * for that, since removals wait, and a session that comes up again meanwhile
 * keeps what it tells anew.
 */
#include "controller/engine_feed_impl.h"

/* Paths by one run of the engine. */
#define SLICE 2048
/* And between two, so that the next has no more to bring into the sets than it
 * does in some milliseconds. */
#define BETWEEN 4096

bool engine_is_sweeping(const struct engine *e)
{
	return rib_is_sweeping(e->rib) || engine_bgp_is_sweeping(e);
}

bool engine_sweep(struct engine *e, size_t paths)
{
	size_t left = BETWEEN - e->swept, budget = paths < left ? paths : left;

	if (budget == 0 || !engine_is_sweeping(e))
		return false;
	left = budget;
	engine_catch_up(e);
	if (!engine_bgp_sweep(e, &left) && !rib_sweep(e->rib, &left))
		e->states_changed = true; /* peers may be complete now */
	e->swept += budget - left;
	engine_wake(e);
	return e->swept < BETWEEN && engine_is_sweeping(e);
}

/* ---- peers that are gone */

void engine_peer_drop(struct engine *e, struct engine_peer *p, uint32_t serial)
{
	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			rib_peer_clear(p->rib, (enum rib_view)view,
				       (enum ip_family)family);
	p->dropped = serial;
	e->dropped = true;
	engine_peer_changed(e, p);
}

static bool has_paths(const struct rib_peer *peer)
{
	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			if (rib_path_count(peer, (enum rib_view)view,
					   (enum ip_family)family) != 0)
				return true;
	return rib_peer_is_sweeping(peer);
}

/* It was named again, by that stream or one after it, or is a next hop of a session
 * that there is again. */
static bool is_back(const struct engine_peer *p)
{
	return engine_bgp_is_peer(p) ? p->router->bgp != NULL : p->stream >= p->dropped;
}

static void reap(struct engine *e)
{
	struct engine_peer *next;

	if (!e->dropped)
		return;
	e->dropped = false;
	for (struct engine_peer *p = e->peers; p; p = next) {
		next = p->next;
		if (p->dropped == 0)
			continue;
		if (is_back(p))
			p->dropped = 0;
		else if (!has_paths(p->rib))
			engine_peer_free(e, p);
		else
			e->dropped = true;
	}
}

void engine_sweep_begin(struct engine *e)
{
	e->swept = BETWEEN - SLICE;
	engine_sweep(e, SLICE);
}

void engine_sweep_end(struct engine *e)
{
	engine_sweep(e, SLICE);
	reap(e);
	e->swept = 0;
}
