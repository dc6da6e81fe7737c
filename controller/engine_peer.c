/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Peers: what is known of each, and by which edges its paths come in.
 */
#include "controller/engine_feed_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* ---- peers ---- */

static struct engine_way *way_new(struct engine_peer *p)
{
	struct engine_way *way = mem_alloc(sizeof(*way));

	way->peer = p;
	way->edge = SETS_NO_EDGE;
	return way;
}

static void ways_free(struct engine_way *way)
{
	struct engine_way *next;

	for (; way; way = next) {
		next = way->next;
		free(way);
	}
}

struct engine_peer *engine_peer_get(struct engine *e, struct rib_peer *rib)
{
	struct engine_peer *p = rib_peer_user(rib);

	if (p)
		return p;
	p = mem_alloc(sizeof(*p));
	p->rib = rib;
	p->router = e->routers[rib_peer_key(rib)->router];
	p->ways = way_new(p);
	snprintf(p->mapping, sizeof(p->mapping), "no Peer Up seen yet");
	p->restart_due_ms = -1;
	p->next = e->peers;
	e->peers = p;
	rib_peer_set_user(rib, p);
	e->remap = true;
	return p;
}

size_t engine_peer_paths(const struct engine_peer *p)
{
	size_t n = 0;

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		n += rib_path_count(p->rib, rib_peer_view(p->rib, family), family);
	return n;
}

void engine_peer_changed(struct engine *e, const struct engine_peer *p)
{
	(void)p;
	e->states_changed = e->routes_changed = true;
	engine_wake(e);
}

static void on_route(struct rib_peer *rib, enum rib_view view, const struct ip_prefix *prefix,
		     const struct rib_attr *old, const struct rib_attr *new, void *arg)
{
	struct engine *e = arg;
	struct engine_peer *p = engine_peer_get(e, rib);

	if (p->router->feed)
		p->changed_ms = p->router->feed->now_ms;
	engine_live_route(e, p, view, prefix, old, new);
	engine_wake(e);
}

/* At once: what is shown next goes over the edges' peers. */
static void edges_forget(struct engine *e, const struct engine_peer *gone)
{
	for (const struct engine_way *way = gone->ways; way; way = way->next) {
		struct engine_way **at;

		if (way->edge == SETS_NO_EDGE)
			continue;
		at = &e->edges[way->edge]->ways;
		while (*at && *at != way)
			at = &(*at)->edge_next;
		if (*at)
			*at = way->edge_next;
	}
}

void engine_peer_free(struct engine *e, struct engine_peer *gone)
{
	struct engine_peer **at = &e->peers;

	while (*at != gone)
		at = &(*at)->next;
	engine_peer_changed(e, gone);
	e->remap = true;
	*at = gone->next;
	edges_forget(e, gone);
	engine_live_forget(e, gone);
	rib_peer_remove(gone->rib);
	ways_free(gone->ways);
	engine_doubt_forget(gone);
	free(gone);
}

void engine_feeds_init(struct engine *e)
{
	rib_defer(e->rib);
	rib_watch(e->rib, on_route, e);
}

void engine_feeds_fini(struct engine *e)
{
	rib_watch(e->rib, NULL, NULL);
	engine_bgp_fini(e);
	while (e->feeds)
		engine_feed_close(e->feeds, "savd stops", e->now_ms);
	while (e->peers) {
		struct engine_peer *p = e->peers;

		e->peers = p->next;
		ways_free(p->ways);
		engine_doubt_forget(p);
		free(p);
	}
}

/* ---- which edges ---- */

bool engine_peer_is_on(const struct engine_peer *p, size_t edge)
{
	for (const struct engine_way *way = p->ways; way && !way->gone; way = way->next) {
		if (way->edge == edge)
			return true;
	}
	return false;
}

bool engine_peer_has_edge(const struct engine_peer *p)
{
	return p->ways->edge != SETS_NO_EDGE;
}

bool engine_peer_is_customer(const struct engine *e, const struct engine_peer *p)
{
	for (const struct engine_way *way = p->ways; way && !way->gone; way = way->next) {
		if (way->edge != SETS_NO_EDGE &&
		    config_edge_is_customer(&e->cfg->edges[way->edge]))
			return true;
	}
	return false;
}

/* One way for each edge; what is left over goes when live knows. */
static bool ways_set(struct engine_peer *p, const size_t *edges, size_t n)
{
	const size_t none = SETS_NO_EDGE;
	struct engine_way **at = &p->ways;
	bool changed = false;

	if (n == 0) {
		edges = &none;
		n = 1;
	}
	for (size_t i = 0; i < n; i++, at = &(*at)->next) {
		if (!*at)
			*at = way_new(p);
		changed |= (*at)->gone || (*at)->edge != edges[i];
		(*at)->gone = false;
		(*at)->edge = edges[i];
	}
	for (; *at; at = &(*at)->next) {
		changed |= !(*at)->gone;
		(*at)->gone = true;
		(*at)->edge = SETS_NO_EDGE;
	}
	return changed;
}

/* Once, when it begins to be so: nobody else looks for it. */
static void tell_place(struct engine *e, struct engine_peer *p)
{
	bool unclear = p->placing == PLACE_UNCLEAR;
	char addr[IP_TEXT_SIZE];

	if (!p->up || (p->placing != PLACE_WAITS && !unclear)) {
		p->place_told = false;
		return;
	}
	if (p->place_told)
		return;
	p->place_told = true;
	engine_note(e, unclear, "router %s: peer %s is on no edge: %s", p->router->name,
		    ip_addr_format(&rib_peer_key(p->rib)->addr, addr), p->mapping);
}

static void routed_add(struct engine_router *r, const struct ip_addr *addr)
{
	r->routed = mem_realloc(r->routed, r->n_routed + 1, sizeof(*r->routed));
	r->routed[r->n_routed++] = *addr;
}

static void peer_remap(struct engine *e, struct engine_peer *p)
{
	bool on_edge;
	struct engine_place place;

	engine_place(e, p, &place);
	on_edge = place.placing == PLACE_EDGE;
	if (engine_bgp_is_peer(p))
		engine_bgp_peer_state(p, on_edge);
	if (ways_set(p, place.edges, on_edge ? place.n : 0) || p->placing != place.placing)
		engine_peer_changed(e, p);
	if (p->placing == PLACE_WAITS && place.placing == PLACE_UNCLEAR)
		p->place_told = false; /* not as an alarm */
	p->placing = (uint8_t)place.placing;
	p->own_hop = place.own_hop;
	snprintf(p->mapping, sizeof(p->mapping), "%s", place.text);
	if (place.routed)
		routed_add(p->router, &rib_peer_key(p->rib)->addr);
	if (!on_edge && place.placing != PLACE_NONE)
		e->n_unplaced++;
	tell_place(e, p);
}

void engine_peers_remap(struct engine *e)
{
	for (size_t i = 0; i < e->n_edges; i++)
		e->edges[i]->ways = NULL;
	for (size_t i = 0; i < e->n_routers; i++)
		e->routers[i]->n_routed = 0;
	e->wants_changed = true;
	e->n_unplaced = 0;
	for (struct engine_peer *p = e->peers; p; p = p->next) {
		peer_remap(e, p);
		for (struct engine_way *way = p->ways; way; way = way->next) {
			if (way->edge == SETS_NO_EDGE)
				continue;
			way->edge_next = e->edges[way->edge]->ways;
			e->edges[way->edge]->ways = way;
		}
	}
}

/* ---- to show ---- */

bool engine_peer_is_connected(const struct engine_peer *p)
{
	if (engine_bgp_is_peer(p))
		return engine_bgp_is_live(p->router);
	return engine_feed_is_live(p->router) && p->router->feed->serial == p->stream;
}

static void show_peer(const struct engine *e, const struct engine_peer *p,
		      engine_peer_fn *fn, void *arg)
{
	const struct config_edge *edges[ENGINE_WAYS_MAX];
	struct engine_peer_status status = {
		.peer = p->rib,
		.router = p->router->name,
		.edges = edges,
		.mapping = p->mapping,
		.unclear = p->placing == PLACE_UNCLEAR,
		.info = p->info,
		.up = p->up,
		.complete = p->complete,
		.feed_connected = engine_peer_is_connected(p),
		.full = rib_peer_is_full(p->rib),
	};

	for (const struct engine_way *way = p->ways; way; way = way->next) {
		if (way->edge != SETS_NO_EDGE)
			edges[status.n_edges++] = &e->cfg->edges[way->edge];
	}
	status.edge = status.n_edges ? edges[0] : NULL;
	fn(&status, arg);
}

void engine_peers_walk(const struct engine *e, engine_peer_fn *fn, void *arg)
{
	for (const struct engine_peer *p = e->peers; p; p = p->next)
		show_peer(e, p, fn, arg);
}
