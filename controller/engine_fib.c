/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What routers forward by, as their agents tell it.
 *
 * A table that is being sent anew is built aside and takes the old one's place
 * when it is whole: half a table would give an edge what a more specific route
 * that has yet to come sends elsewhere. While the agent is away, or has lost
 * the thread, the last table stays and nothing leaves the edges' sets.
 */
#include "controller/engine_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/digest.h"
#include "lib/mem.h"

static bool is_strict(enum edge_mode mode)
{
	return mode == MODE_STRICT || mode == MODE_STRICT_DIRECT;
}

static bool is_loose(enum edge_mode mode)
{
	return mode == MODE_LOOSE || mode == MODE_LOOSE_NO_DEFAULT;
}

/* ---- in ---- */

static void set_live(struct engine *e, struct engine_router *r, bool live)
{
	if (r->fib_live == live)
		return;
	r->fib_live = live;
	e->states_changed = true;
	engine_wake(e);
}

static struct fib *fresh_fib(void)
{
	uint64_t seed;

	digest_random(&seed, sizeof(seed));
	return fib_new(seed);
}

void engine_fib(struct engine *e, const char *router, const struct agent_routes *routes,
		int64_t now_ms)
{
	struct engine_router *r = engine_router_get(e, router);
	struct fib *loading;

	engine_catch_up(e);
	r->fib_ms = now_ms;
	if (routes->reset) {
		fib_free(r->fib_loading);
		r->fib_loading = fresh_fib();
	}
	loading = r->fib_loading;
	if (!loading && !r->fib) /* changes of a table that never began */
		return;
	for (size_t i = 0; i < routes->n; i++) {
		const struct agent_route *route = &routes->routes[i];
		const uint32_t *indexes = routes->indexes + route->first;

		if (loading) {
			fib_set(loading, &route->prefix, route->kind, indexes, route->n);
			continue;
		}
		engine_live_fib_route(e, r, &route->prefix, route->kind, indexes, route->n);
		e->remap |= engine_place_reads(r, &route->prefix);
	}
	if (loading && routes->complete) {
		r->fib_loading = NULL;
		engine_live_fib(e, r, loading);
		e->remap |= engine_place_reads(r, NULL);
	}
	set_live(e, r, routes->complete);
}

void engine_fib_lost(struct engine *e, const char *router)
{
	struct engine_router *r = engine_router_find(e, router);

	if (!r)
		return;
	fib_free(r->fib_loading);
	r->fib_loading = NULL;
	set_live(e, r, false);
}

void engine_fib_free(struct engine_router *r)
{
	fib_free(r->fib);
	fib_free(r->fib_loading);
	free(r->routed);
}

/* strict reads its own router's, loose those of the whole network; and a neighbor
 * that is on no link is placed by the route to it. */
bool engine_wants_fib(const struct engine *e, const char *router)
{
	const struct engine_router *r = engine_router_find(e, router);

	if (!config_router_find(e->cfg, router))
		return false;
	if (r && r->n_routed != 0)
		return true;
	for (size_t i = 0; i < e->cfg->n_edges; i++) {
		const struct config_edge *c = &e->cfg->edges[i];
		enum edge_mode mode = config_edge_mode(c);

		if (c->role != ROLE_NONE &&
		    (is_loose(mode) ||
		     (is_strict(mode) && strcmp(c->router, router) == 0)))
			return true;
	}
	return false;
}

/* Both edges and routers are sorted by router. */
void engine_wants_fibs(const struct engine *e, bool *wants)
{
	const struct config *cfg = e->cfg;
	bool all = false;
	size_t at = 0;

	memset(wants, false, cfg->n_routers * sizeof(*wants));
	for (size_t i = 0; i < cfg->n_edges; i++) {
		const struct config_edge *c = &cfg->edges[i];

		if (c->role == ROLE_NONE)
			continue;
		while (at < cfg->n_routers && strcmp(cfg->routers[at].name, c->router) < 0)
			at++;
		all = all || is_loose(config_edge_mode(c));
		if (at < cfg->n_routers && is_strict(config_edge_mode(c)))
			wants[at] = true;
	}
	for (size_t i = 0; i < e->n_routers; i++) {
		const struct config_router *r =
			e->routers[i]->n_routed == 0 ?
				NULL :
				config_router_find(cfg, e->routers[i]->name);

		if (r)
			wants[r - cfg->routers] = true;
	}
	for (size_t i = 0; all && i < cfg->n_routers; i++)
		wants[i] = true;
}

bool engine_wants_changed(struct engine *e)
{
	bool changed = e->wants_changed;

	e->wants_changed = false;
	return changed;
}

/* ---- interfaces ---- */

const char *engine_interface_name(const struct engine_router *r, uint32_t index)
{
	for (size_t i = 0; i < r->inventory.n; i++) {
		if (r->inventory.interfaces[i].index == index)
			return r->inventory.interfaces[i].name;
	}
	return NULL;
}

/* Sorted by name. */
static uint32_t interface_index(const struct engine_router *r, const char *name)
{
	size_t lo = 0, hi = r->inventory.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(r->inventory.interfaces[mid].name, name);

		if (c == 0)
			return r->inventory.interfaces[mid].index;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

uint32_t *engine_edge_ports(const struct engine *e)
{
	uint32_t *index = mem_calloc(e->n_edges + 1, sizeof(*index));

	for (size_t i = 0; i < e->n_edges; i++) {
		const struct engine_router *r =
			engine_router_find(e, e->cfg->edges[i].router);

		if (r)
			index[i] = interface_index(r, e->cfg->edges[i].interface);
	}
	return index;
}

/* ---- ready ---- */

static void not_ready(struct engine_edge *state, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void not_ready(struct engine_edge *state, const char *fmt, ...)
{
	va_list ap;

	state->ready = false;
	if (state->reason[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(state->reason, sizeof(state->reason), fmt, ap);
	va_end(ap);
}

void engine_fib_state(const struct engine *e, size_t edge, enum edge_mode mode,
		      struct engine_edge *state)
{
	const char *name = e->cfg->edges[edge].router;
	const struct engine_router *r = engine_router_find(e, name);

	state->ready = state->settled = true;
	if (!r || !r->fib) {
		state->settled = false;
		not_ready(state, "the agent of router %s has not sent its routes yet", name);
		return;
	}
	if (!r->fib_live) {
		state->settled = false;
		not_ready(state,
			  "the agent of router %s is away or sends its routes anew: the last "
			  "ones count until then",
			  name);
	}
	if (mode == MODE_STRICT_DIRECT)
		engine_peers_state(e, edge, mode, state);
}

/* Routers without an agent have no table to wait for. */
void engine_fibs_state(const struct engine *e, struct engine_edge *state)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		const struct engine_router *r = e->routers[i];

		if (r->fib ? r->fib_live : !r->inventory_known)
			continue;
		if (!config_router_find(e->cfg, r->name))
			continue;
		state->settled = false;
		if (!r->fib)
			not_ready(state, "the agent of router %s has not sent its routes yet",
				  r->name);
	}
}

/* ---- to show ---- */

static void say_interfaces(const struct engine_router *r, const struct fib_route *route,
			   char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < route->n && used < size; i++) {
		const char *name = engine_interface_name(r, route->indexes[i]);
		char number[32];

		snprintf(number, sizeof(number), "interface number %u", route->indexes[i]);
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 name ? name : number);
	}
}

bool engine_fib_explain(const struct engine *e, const char *router, const struct ip_addr *addr,
			struct ip_prefix *prefix, char *text, size_t size)
{
	const struct engine_router *r = engine_router_find(e, router);
	unsigned int min_len = addr->family == IP_V4 ? 8 : 16;
	char p[IP_TEXT_SIZE], by[128];
	struct fib_route route;

	if (!r || !r->fib) {
		snprintf(text, size, "router %s has sent no routes", router);
		return false;
	}
	if (!fib_longest(r->fib, addr, min_len, &route)) {
		snprintf(text, size, "router %s has no route of /%u or longer for it", router,
			 min_len);
		return false;
	}
	*prefix = route.prefix;
	ip_prefix_format(prefix, p);
	say_interfaces(r, &route, by, sizeof(by));
	if (route.kind == AGENT_ROUTE_REJECT)
		snprintf(text, size, "longest match %s of router %s is a blackhole", p, router);
	else
		snprintf(text, size, "longest match %s of router %s leaves by %s", p, router, by);
	return true;
}

void engine_fibs_walk(const struct engine *e, engine_fib_fn *fn, void *arg)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		const struct engine_router *r = e->routers[i];
		struct engine_fib_status status = {
			.router = r->name,
			.wanted = engine_wants_fib(e, r->name),
			.known = r->fib != NULL,
			.complete = r->fib && r->fib_live,
			.loading = r->fib_loading != NULL,
			.last_ms = r->fib_ms,
		};

		if (!status.wanted && !r->fib)
			continue;
		for (enum ip_family f = IP_V4; r->fib && f < IP_FAMILIES; f++)
			status.routes[f] = fib_count(r->fib, f);
		status.bytes = r->fib ? fib_bytes(r->fib) : 0;
		fn(&status, arg);
	}
}
