/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/engine_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* How soon a hold-down that may not run out yet is looked at again. */
#define RETRY_MS 1000

void engine_note(struct engine *e, bool alarm, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (e->ops.note)
		e->ops.note(e->ctx, alarm, text);
}

/* ---- routers and edges ---- */

struct engine_router *engine_router_find(const struct engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		if (strcmp(e->routers[i]->name, name) == 0)
			return e->routers[i];
	}
	return NULL;
}

static struct engine_router *router_new(struct engine *e, const char *name)
{
	struct engine_router *r = mem_alloc(sizeof(*r));

	snprintf(r->name, sizeof(r->name), "%s", name);
	r->index = (uint32_t)e->n_routers;
	r->redump_ms = INT64_MIN;
	r->lost_ms = r->fib_lost_ms = -1;
	e->routers = mem_realloc(e->routers, e->n_routers + 1, sizeof(*e->routers));
	e->routers[e->n_routers++] = r;
	return r;
}

struct engine_router *engine_router_get(struct engine *e, const char *name)
{
	struct engine_router *r = engine_router_find(e, name);

	return r ? r : router_new(e, name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every configured router is known, however many there are. */
static void routers_sync(struct engine *e)
{
	size_t known = e->n_routers;
	const char **names = mem_calloc(known + 1, sizeof(*names));

	for (size_t i = 0; i < known; i++)
		names[i] = e->routers[i]->name;
	qsort(names, known, sizeof(*names), name_order);
	for (size_t i = 0; i < e->cfg->n_routers; i++) {
		const char *name = e->cfg->routers[i].name;

		if (!bsearch(name, names, known, sizeof(*names), by_name))
			router_new(e, name);
	}
	free(names);
}

static void edge_retire(struct engine *e, size_t old)
{
	struct engine_edge *edge = e->edges[old];

	engine_keep_generation(e, edge);
	if (edge->handed_out || edge->restored)
		e->ops.filter_gone(e->ctx, e->edge_keys[old].router,
				   e->edge_keys[old].interface);
	engine_edge_free(edge);
}

void engine_wake(struct engine *e)
{
	if (e->ops.wake)
		e->ops.wake(e->ctx);
}

static int key_cmp(const struct engine_key *key, const struct config_edge *c)
{
	int cmp = strcmp(key->router, c->router);

	return cmp ? cmp : strcmp(key->interface, c->interface);
}

/* Brings the parallel array in step with cfg->edges; both are sorted. All edges are
 * looked at next, so that none has to be on the list. */
static void edges_sync(struct engine *e)
{
	size_t n = e->cfg->n_edges, old = 0;
	struct engine_edge **edges = mem_calloc(n + 1, sizeof(*edges));
	struct engine_key *keys = mem_calloc(n + 1, sizeof(*keys));

	for (size_t i = 0; i < n; i++) {
		const struct config_edge *c = &e->cfg->edges[i];

		while (old < e->n_edges && key_cmp(&e->edge_keys[old], c) < 0)
			edge_retire(e, old++);
		if (old < e->n_edges && key_cmp(&e->edge_keys[old], c) == 0)
			edges[i] = e->edges[old++];
		else
			edges[i] = engine_edge_new();
		edges[i]->index = i;
		edges[i]->sessions = engine_sessions_find(e, c->router, c->interface);
		snprintf(keys[i].router, sizeof(keys[i].router), "%s", c->router);
		snprintf(keys[i].interface, sizeof(keys[i].interface), "%s", c->interface);
	}
	while (old < e->n_edges)
		edge_retire(e, old++);
	free(e->edges);
	free(e->edges_due);
	free(e->edge_keys);
	free(e->by_customer);
	e->by_customer = NULL;
	e->edges_due = mem_calloc(n + 1, sizeof(*e->edges_due));
	e->edges = edges;
	e->edge_keys = keys;
	e->n_edges = n;
	e->touched = NULL;
	for (size_t i = 0; i < n; i++) {
		e->edges[i]->touched = false;
		e->edges_due[i] = e->edges[i]->due_ms;
		engine_edge_touch(e, e->edges[i]);
	}
}

/* ---- policy changes ---- */

/* A command's own effect must be told from that of routes that changed around
 * it: those from before are worked off before it, and the command itself before
 * routes change again (engine_catch_up). */
static void before_config(enum config_part part, const char *router, const char *interface,
			  void *arg)
{
	struct engine *e = arg;

	(void)router;
	(void)interface;
	if (part != CONFIG_LISTEN && part != CONFIG_FEED && !e->policy_changed)
		engine_live_run(e);
}

static void after_config(enum config_part part, const char *router, const char *interface,
			 void *arg)
{
	struct engine *e = arg;

	switch (part) {
	case CONFIG_LISTEN:
		if (e->ops.listens_changed)
			e->ops.listens_changed(e->ctx);
		return;
	case CONFIG_FEED:
		engine_bound_sync(e);
		return;
	case CONFIG_ROUTER:
		if (router)
			engine_router_get(e, router);
		else
			routers_sync(e);
		break;
	case CONFIG_EDGE:
		edges_sync(e);
		/* now: until then the peers' edges are indexes into the old array */
		engine_peers_remap(e);
		break;
	case CONFIG_CUSTOMER:
	case CONFIG_SPACE:
		break;
	}
	(void)interface;
	e->policy_changed = e->states_changed = e->wants_changed = true;
	e->policies++;
	engine_wake(e);
	for (size_t i = 0; i < e->n_edges; i++)
		e->edges[i]->by_command = true;
	/* last: it may forget sessions, whose routes are not the command's own effect */
	if (part == CONFIG_ROUTER && e->ops.routers_changed)
		e->ops.routers_changed(e->ctx);
	if (part == CONFIG_EDGE && e->ops.edges_changed)
		e->ops.edges_changed(e->ctx);
}

struct engine *engine_new(struct config *cfg, const struct engine_ops *ops, void *ctx)
{
	struct engine *e = mem_alloc(sizeof(*e));

	e->cfg = cfg;
	e->ops = *ops;
	e->ctx = ctx;
	e->rib = rib_new();
	e->live = live_new(LIVE_STRICT_GIVEN);
	e->edges_due_ms = e->feeds_due_ms = e->wanted_ms = -1;
	e->feeds_ms = INT64_MIN;
	engine_feeds_init(e);
	engine_bound_sync(e);
	cfg->before = before_config;
	cfg->watch = after_config;
	cfg->watch_arg = e;
	routers_sync(e);
	edges_sync(e);
	e->policy_changed = e->states_changed = e->wants_changed = true;
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	e->cfg->before = NULL;
	e->cfg->watch = NULL;
	engine_feeds_fini(e);
	engine_sessions_fini(e);
	live_free(e->live);
	rib_free(e->rib);
	for (size_t i = 0; i < e->n_edges; i++)
		engine_edge_free(e->edges[i]);
	for (size_t i = 0; i < e->n_routers; i++) {
		agent_inventory_fini(&e->routers[i]->inventory);
		engine_fib_free(e->routers[i]);
		engine_compare_free(e->routers[i]);
		free(e->routers[i]);
	}
	free(e->edges);
	free(e->edges_due);
	free(e->edge_keys);
	free(e->by_customer);
	free(e->routers);
	free(e);
}

const struct rib *engine_rib(const struct engine *e)
{
	return e->rib;
}

void engine_restore(struct engine *e, const char *router, const struct filter *f)
{
	struct engine_edge *edge = engine_edge_find(e, router, f->interface);
	struct addrset fresh = { 0 };

	if (!edge) {
		e->ops.filter_gone(e->ctx, router, f->interface);
		return;
	}
	filter_copy(&edge->filter, f);
	edge->filter_old = false;
	hold_add(&edge->hold, &f->accept, &fresh);
	addrset_normalize(&fresh);
	hold_remove(&edge->hold, &fresh); /* nothing has computed it yet */
	addrset_fini(&fresh);
	engine_exempt_restore(edge);
	edge->restored = true;
	edge->started = f->action == FILTER_ENFORCE;
	edge->kept = f->action != FILTER_OFF;
	engine_edge_touch(e, edge);
	engine_wake(e);
}

void engine_inventory(struct engine *e, const char *router,
		      const struct agent_inventory *inv)
{
	struct engine_router *r = engine_router_get(e, router);

	engine_catch_up(e);
	agent_inventory_copy(&r->inventory, inv);
	r->inventory_known = true;
	e->remap = e->ports_changed = true;
	engine_wake(e);
}

const struct agent_inventory *engine_router_inventory(const struct engine *e,
						      const char *router)
{
	const struct engine_router *r = engine_router_find(e, router);

	return r && r->inventory_known ? &r->inventory : NULL;
}

/* ---- time ---- */

void engine_catch_up(struct engine *e)
{
	if (e->policy_changed)
		engine_live_run(e);
}

static void earliest(int64_t *next, int64_t at)
{
	if (at >= 0 && (*next < 0 || at < *next))
		*next = at;
}

bool engine_is_dirty(const struct engine *e)
{
	return e->touched || e->policy_changed || e->remap || e->routes_changed ||
	       e->states_changed || engine_is_sweeping(e);
}

/* Come so late, we were not running (stopped, swapped out, a machine that was
 * frozen): what waits in the sockets happened before what is due now. So it is read
 * first, and for this long nothing leaves a set and no feed is judged. */
#define LATE_MS	 10000
#define AWAKE_MS 5000

static void note_late(struct engine *e, int64_t now_ms)
{
	if (e->wanted_ms < 0 || now_ms - e->wanted_ms <= LATE_MS)
		return;
	e->awake_ms = now_ms + AWAKE_MS;
	engine_note(e, false, "%lld s passed in which savd did not run: nothing leaves a set "
		    "until what the feeds say of them has been read",
		    (long long)(now_ms - e->wanted_ms) / 1000);
}

/* Feeds are looked at when something about them changed, when they asked for it,
 * and now and then: there may be many peers, and a route is no reason. */
#define FEEDS_EVERY_MS 1000

static void run_feeds(struct engine *e, int64_t now_ms)
{
	if (!e->states_changed && !e->remap && now_ms - FEEDS_EVERY_MS < e->feeds_ms &&
	    (e->feeds_due_ms < 0 || now_ms < e->feeds_due_ms))
		return;
	if (now_ms < e->awake_ms) {
		e->feeds_due_ms = e->awake_ms;
		return;
	}
	e->feeds_ms = now_ms;
	e->feeds_due_ms = engine_feeds_run(e, now_ms);
}

static void run_edge(struct engine *e, struct engine_edge *edge, enum engine_look look,
		     int64_t now_ms)
{
	if (e->cfg->edges[edge->index].role == ROLE_NONE) {
		e->edges_due[edge->index] = -1;
		if (edge->touched)
			engine_edge_deactivate(e, edge);
		return;
	}
	edge->touched = true; /* what it does to itself is no reason for more */
	engine_edge_run(e, edge, look, now_ms);
	edge->touched = false;
	e->edges_due[edge->index] = edge->due_ms;
	earliest(&e->edges_due_ms, edge->due_ms);
}

static void run_touched(struct engine *e, int64_t now_ms)
{
	struct engine_edge *next;

	for (struct engine_edge *edge = e->touched; edge; edge = next) {
		next = edge->next_touched;
		run_edge(e, edge, ENGINE_LOOK_TOUCHED, now_ms);
	}
	e->touched = NULL;
}

/* What is touched, what is due, or with judge all. */
static void run_edges(struct engine *e, bool judge, int64_t now_ms)
{
	bool due = e->edges_due_ms >= 0 && e->edges_due_ms <= now_ms;

	if (!judge)
		run_touched(e, now_ms);
	if (!judge && !due)
		return;
	e->touched = NULL;
	e->edges_due_ms = -1;
	e->network.known = false;
	for (size_t i = 0; i < e->n_edges; i++) {
		if (judge || (e->edges_due[i] >= 0 && e->edges_due[i] <= now_ms))
			run_edge(e, e->edges[i],
				 judge ? ENGINE_LOOK_JUDGE : ENGINE_LOOK_TIME, now_ms);
		else
			earliest(&e->edges_due_ms, e->edges_due[i]);
	}
}

int64_t engine_run(struct engine *e, int64_t now_ms)
{
	int64_t next;
	bool judge;

	e->now_ms = now_ms;
	note_late(e, now_ms);
	e->doubt_paths = 0;
	engine_catch_up(e);
	engine_sweep_begin(e);
	run_feeds(e, now_ms);
	engine_sweep_end(e);
	engine_live_run(e);
	judge = e->states_changed;
	e->states_changed = false;
	run_edges(e, judge, now_ms);
	next = e->feeds_due_ms;
	earliest(&next, e->edges_due_ms);
	e->wanted_ms = next;
	earliest(&next, engine_compare_run(e, now_ms));
	return next;
}

bool engine_brake_release(struct engine *e, const char *router, const char *interface)
{
	struct engine_edge *edge = engine_edge_find(e, router, interface);

	if (!edge)
		return false;
	engine_live_run(e); /* what is to be let in is known */
	engine_edge_release(e, edge);
	engine_wake(e);
	return true;
}

static bool interface_seen(const struct engine *e, const struct config_edge *c)
{
	const struct agent_inventory *inv = engine_router_inventory(e, c->router);

	for (size_t i = 0; inv && i < inv->n; i++) {
		if (strcmp(inv->interfaces[i].name, c->interface) == 0)
			return true;
	}
	return false;
}

bool engine_edge_status(const struct engine *e, const char *router, const char *interface,
			struct engine_edge_status *status)
{
	struct engine_edge *edge = engine_edge_find(e, router, interface);
	const struct config_edge *c;

	if (!edge)
		return false;
	c = &e->cfg->edges[edge->index];
	*status = (struct engine_edge_status){
		.config = c,
		.filter = engine_edge_filter(edge),
		.hold = &edge->hold,
		.active = c->role != ROLE_NONE,
		.ready = edge->ready,
		.started = edge->started,
		.stale = edge->stale != STALE_HOLD,
		.brake = edge->braked,
		.growth = edge->grown,
		.interface_seen = interface_seen(e, c),
		.sessions = edge->sessions ? edge->sessions->n : 0,
	};
	snprintf(status->reason, sizeof(status->reason), "%s", edge->reason);
	return true;
}

struct engine_change engine_edge_change(const struct engine *e, const char *router,
					const char *interface)
{
	const struct engine_edge *edge = engine_edge_find(e, router, interface);

	return edge ? edge->change : (struct engine_change){ 0 };
}

const struct filter *engine_filter(const struct engine *e, const char *router,
				   const char *interface)
{
	struct engine_edge *edge = engine_edge_find(e, router, interface);

	return edge ? engine_edge_filter(edge) : NULL;
}

void engine_edge_excess(const struct engine *e, const char *router, const char *interface,
			struct addrset *out)
{
	const struct engine_edge *edge = engine_edge_find(e, router, interface);

	addrset_fini(out);
	if (edge)
		dynaddrset_export(&edge->excess, out);
}

void engine_edge_computed(const struct engine *e, const char *router,
			  const char *interface, struct addrset *out)
{
	const struct engine_edge *edge = engine_edge_find(e, router, interface);
	struct addrset excess = { 0 };

	addrset_fini(out);
	if (!edge)
		return;
	hold_computed(&edge->hold, out);
	dynaddrset_export(&edge->excess, &excess);
	addrset_union(out, out, &excess);
	addrset_fini(&excess);
}
