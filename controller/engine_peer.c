/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Peers: what is known of each, and which edge it is reached by.
 */
#include "controller/engine_feed_impl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* ---- peers ---- */

struct engine_peer *engine_peer_get(struct engine *e, struct rib_peer *rib)
{
	struct engine_peer *p = rib_peer_user(rib);

	if (p)
		return p;
	p = mem_alloc(sizeof(*p));
	p->rib = rib;
	p->router = e->routers[rib_peer_key(rib)->router];
	p->edge = SETS_NO_EDGE;
	p->mapping = "no Peer Up seen yet";
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

/* At once: what is shown next goes over the edge's peers. */
static void edge_forget(struct engine *e, struct engine_peer *gone)
{
	struct engine_peer **at;

	if (gone->edge == SETS_NO_EDGE)
		return;
	at = &e->edges[gone->edge]->peers;
	while (*at && *at != gone)
		at = &(*at)->edge_next;
	if (*at)
		*at = gone->edge_next;
}

void engine_peer_free(struct engine *e, struct engine_peer *gone)
{
	struct engine_peer **at = &e->peers;

	while (*at != gone)
		at = &(*at)->next;
	engine_peer_changed(e, gone);
	e->remap = true;
	*at = gone->next;
	edge_forget(e, gone);
	engine_live_forget(e, gone);
	rib_peer_remove(gone->rib);
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
		free(p);
	}
}

/* ---- which edge ---- */

static bool has_address(const struct agent_interface *i, const struct ip_addr *addr)
{
	for (size_t k = 0; k < i->n_addresses; k++) {
		if (ip_addr_equal(&i->addresses[k].addr, addr))
			return true;
	}
	return false;
}

/* The interface that carries the router's own side of the session. Several
 * have the same link-local address: then nobody can tell, and none is it. */
static const char *local_interface(const struct agent_inventory *inv,
				   const struct ip_addr *local, bool *ambiguous)
{
	const char *name = NULL;

	*ambiguous = false;
	for (size_t i = 0; i < inv->n; i++) {
		if (!has_address(&inv->interfaces[i], local))
			continue;
		*ambiguous = name != NULL;
		name = inv->interfaces[i].name;
	}
	return name;
}

static size_t edge_of_local(const struct engine *e, const struct engine_peer *p,
			    const char **mapping)
{
	const struct config_edge *c;
	const char *interface;
	bool ambiguous;

	/* Any address of the router serves for a session inside the network; its
	 * routes enter by next hops that the session does not show. */
	if (p->info.is_ibgp) {
		*mapping = "an internal session: its routes are no edge's";
		return SETS_NO_EDGE;
	}
	if (!p->router->inventory_known) {
		*mapping = "the router's agent has sent no inventory yet";
		return SETS_NO_EDGE;
	}
	interface = local_interface(&p->router->inventory, &p->info.local_addr, &ambiguous);
	if (ambiguous) {
		*mapping = "several interfaces have the session's local address: "
			   "type \"peer ADDRESS\" in its edge";
		return SETS_NO_EDGE;
	}
	if (!interface) {
		*mapping = "no interface has the session's local address";
		return SETS_NO_EDGE;
	}
	c = config_edge_find(e->cfg, p->router->name, interface);
	*mapping = c ? "by the session's local address" : "its interface is not an edge";
	return c ? (size_t)(c - e->cfg->edges) : SETS_NO_EDGE;
}

static size_t edge_of_peer(const struct engine *e, struct engine_peer *p)
{
	const struct config_edge *c;

	if (engine_bgp_is_peer(p))
		return engine_bgp_edge(e, p);
	c = config_edge_by_peer(e->cfg, p->router->name, &rib_peer_key(p->rib)->addr);
	if (c) {
		p->mapping = "by its peer statement";
		return (size_t)(c - e->cfg->edges);
	}
	if (!p->has_info) {
		p->mapping = "no Peer Up seen yet";
		return SETS_NO_EDGE;
	}
	return edge_of_local(e, p, &p->mapping);
}

void engine_peers_remap(struct engine *e)
{
	for (size_t i = 0; i < e->n_edges; i++)
		e->edges[i]->peers = NULL;
	for (struct engine_peer *p = e->peers; p; p = p->next) {
		size_t edge = edge_of_peer(e, p);

		if (p->edge != edge) {
			p->edge = edge;
			engine_peer_changed(e, p);
		}
		if (edge != SETS_NO_EDGE) {
			p->edge_next = e->edges[edge]->peers;
			e->edges[edge]->peers = p;
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

void engine_peers_walk(const struct engine *e, engine_peer_fn *fn, void *arg)
{
	for (const struct engine_peer *p = e->peers; p; p = p->next) {
		struct engine_peer_status status = {
			.peer = p->rib,
			.router = p->router->name,
			.edge = p->edge == SETS_NO_EDGE ? NULL : &e->cfg->edges[p->edge],
			.mapping = p->mapping,
			.info = p->info,
			.up = p->up,
			.complete = p->complete,
			.feed_connected = engine_peer_is_connected(p),
		};

		fn(&status, arg);
	}
}
