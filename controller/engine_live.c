/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Routes, peers, tables and policy into live, and what it computes into edges.
 */
#include "controller/engine_impl.h"

#include <stdlib.h>

#include "lib/mem.h"

/* The first since the last run asks for the next. */
static void routes_changed(struct engine *e)
{
	if (!e->routes_changed)
		engine_wake(e);
	e->routes_changed = true;
}

/* ---- peers and routes ---- */

static void way_forget(struct engine *e, struct engine_way *way)
{
	if (!way->live)
		return;
	live_source_remove(e->live, way->live);
	way->live = NULL;
	routes_changed(e);
}

static void way_sync(struct engine *e, struct engine_way *way, size_t router)
{
	const struct engine_peer *p = way->peer;
	struct sets_source source = {
		.peer = p->rib,
		.edge = way->edge,
		.router = router,
		.ibgp = p->info.is_ibgp,
	};

	if (way->live)
		live_source_move(e->live, way->live, way->edge, p->info.is_ibgp);
	else
		way->live = live_source_add(e->live, &source);
}

static void source_sync(struct engine *e, struct engine_peer *p)
{
	const struct config_router *r = config_router_find(e->cfg, p->router->name);
	struct engine_way **at = &p->ways, *way;

	while ((way = *at)) {
		if (r && !way->gone)
			way_sync(e, way, (size_t)(r - e->cfg->routers));
		else
			way_forget(e, way);
		if (way->gone) {
			*at = way->next;
			free(way);
		} else {
			at = &way->next;
		}
	}
}

void engine_live_forget(struct engine *e, struct engine_peer *p)
{
	for (struct engine_way *way = p->ways; way; way = way->next)
		way_forget(e, way);
}

/* A peer that live does not have yet comes with all its routes in source_sync(). */
void engine_live_route(struct engine *e, struct engine_peer *p, enum rib_view view,
		       const struct ip_prefix *prefix, const struct rib_attr *old,
		       const struct rib_attr *new)
{
	for (const struct engine_way *way = p->ways; way; way = way->next) {
		if (way->live)
			live_route(e->live, way->live, view, prefix, old, new);
	}
	routes_changed(e);
}

static void sources_sync(struct engine *e)
{
	for (struct engine_peer *p = e->peers; p; p = p->next)
		source_sync(e, p);
}

/* Post-policy was heard of for the first time, and no route may have followed. */
static void views_sync(struct engine *e)
{
	uint64_t views = rib_view_changes(e->rib);

	if (views == e->views)
		return;
	e->views = views;
	for (const struct engine_peer *p = e->peers; p; p = p->next) {
		for (const struct engine_way *way = p->ways; way; way = way->next) {
			if (way->live)
				live_source_refresh(e->live, way->live);
		}
	}
}

/* ---- forwarding tables ---- */

/* Where live knows the router, or -1. */
static int router_index(const struct engine *e, const struct engine_router *r)
{
	const struct config_router *c = config_router_find(e->cfg, r->name);

	return c ? (int)(c - e->cfg->routers) : -1;
}

void engine_live_fib_route(struct engine *e, struct engine_router *r,
			   const struct ip_prefix *prefix, enum agent_route_kind kind,
			   const uint32_t *indexes, size_t n)
{
	int router = router_index(e, r);

	if (router >= 0)
		live_fib_route(e->live, (size_t)router, prefix, kind, indexes, n);
	else
		fib_set(r->fib, prefix, kind, indexes, n);
	routes_changed(e);
}

void engine_live_fib(struct engine *e, struct engine_router *r, struct fib *fib)
{
	int router = router_index(e, r);

	if (router >= 0)
		live_fib(e->live, (size_t)router, NULL);
	fib_free(r->fib);
	r->fib = fib;
	if (router >= 0)
		live_fib(e->live, (size_t)router, fib);
	routes_changed(e);
}

static void fibs_sync(struct engine *e)
{
	for (size_t i = 0; i < e->cfg->n_routers; i++) {
		const struct engine_router *r =
			engine_router_find(e, e->cfg->routers[i].name);

		if (r)
			live_fib(e->live, i, r->fib);
	}
}

static void ports_sync(struct engine *e)
{
	uint32_t *index = engine_edge_ports(e);

	live_ports(e->live, index);
	free(index);
	e->ports_changed = false;
	e->routes_changed = true; /* the run has begun */
}

/* ---- what is computed ---- */

static void on_edge(void *ctx, size_t index, const struct addrset *added,
		    const struct addrset *removed)
{
	struct engine *e = ctx;
	struct engine_edge *edge = e->edges[index];
	struct addrset came = { 0 }, gone = { 0 };

	if (!edge->synced) /* then all of it is taken later */
		return;
	/* what sessions give stays, and is there already */
	if (engine_sessions_without(e, edge, removed, &gone))
		removed = &gone;
	if (engine_sessions_without(e, edge, added, &came))
		added = &came;
	engine_edge_lose(e, edge, removed);
	engine_edge_gain(e, edge, added);
	addrset_fini(&came);
	addrset_fini(&gone);
}

static void drain(struct engine *e)
{
	static const struct live_ops ops = { .edge = on_edge };

	e->routes_changed = false;
	if (live_is_dirty(e->live))
		live_drain(e->live, &ops, e);
}

/* An edge that begins to take part; what it had is of the store. */
static void edge_load(struct engine *e, struct engine_edge *edge)
{
	struct addrset all = { 0 };

	live_edge_set(e->live, edge->index, &all);
	edge->synced = true;
	edge->by_command = false; /* a restored set is what growth is measured by */
	engine_edge_gain(e, edge, &all);
	addrset_fini(&all);
	engine_sessions_load(e, edge);
}

static void edges_command(struct engine *e)
{
	e->network.known = false;
	for (size_t i = 0; i < e->n_edges; i++) {
		struct engine_edge *edge = e->edges[i];

		if (e->cfg->edges[i].role != ROLE_NONE) {
			if (!edge->synced)
				edge_load(e, edge);
			else if (edge->by_command)
				engine_edge_command(e, edge);
		}
		engine_edge_touch(e, edge);
	}
}

void engine_live_run(struct engine *e)
{
	bool policy = e->policy_changed, remap = e->remap;

	if (remap) {
		e->remap = false;
		engine_peers_remap(e);
		e->states_changed = true;
	}
	if (policy) {
		live_policy(e->live, e->cfg);
		e->policy_changed = false;
		fibs_sync(e);
	}
	if (policy || e->ports_changed)
		ports_sync(e);
	if (policy || remap)
		sources_sync(e);
	views_sync(e);
	drain(e);
	if (policy) {
		engine_sessions_policy(e);
		edges_command(e);
	}
}
