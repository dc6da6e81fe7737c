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

struct engine_router *engine_router_get(struct engine *e, const char *name)
{
	struct engine_router *r = engine_router_find(e, name);

	if (r)
		return r;
	r = mem_alloc(sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->index = (uint32_t)e->n_routers;
	r->redump_ms = INT64_MIN;
	r->lost_ms = r->fib_lost_ms = -1;
	e->routers = mem_realloc(e->routers, e->n_routers + 1, sizeof(*e->routers));
	e->routers[e->n_routers++] = r;
	return r;
}

static struct engine_edge *edge_new(void)
{
	return mem_alloc(sizeof(struct engine_edge));
}

static void edge_free(struct engine_edge *edge)
{
	addrset_fini(&edge->computed);
	addrset_fini(&edge->loose);
	hold_fini(&edge->hold);
	filter_fini(&edge->filter);
	free(edge);
}

/* An edge that comes again goes on counting, so that an answer to a filter of
 * its first life is never taken for one to a filter of its second. */
static void keep_generation(struct engine *e, const struct engine_edge *edge)
{
	if (edge->filter.generation > e->last_generation)
		e->last_generation = edge->filter.generation;
}

static void edge_retire(struct engine *e, size_t old)
{
	struct engine_edge *edge = e->edges[old];

	keep_generation(e, edge);
	if (edge->handed_out || edge->restored)
		e->ops.filter_gone(e->ctx, e->edge_keys[old].router,
				   e->edge_keys[old].interface);
	edge_free(edge);
}

void engine_wake(struct engine *e)
{
	if (e->ops.wake)
		e->ops.wake(e->ctx);
}

void engine_edge_dirty(struct engine *e, size_t edge)
{
	e->edges[edge]->dirty = true;
	e->dirty = true;
	engine_wake(e);
}

static int key_cmp(const struct engine_key *key, const struct config_edge *c)
{
	int cmp = strcmp(key->router, c->router);

	return cmp ? cmp : strcmp(key->interface, c->interface);
}

/* Brings the parallel array in step with cfg->edges; both are sorted. */
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
			edges[i] = edge_new();
		snprintf(keys[i].router, sizeof(keys[i].router), "%s", c->router);
		snprintf(keys[i].interface, sizeof(keys[i].interface), "%s", c->interface);
	}
	while (old < e->n_edges)
		edge_retire(e, old++);
	free(e->edges);
	free(e->edge_keys);
	e->edges = edges;
	e->edge_keys = keys;
	e->n_edges = n;
}

/* ---- policy changes ---- */

static void catch_up(struct engine *e);

/* A command's own effect must be told from that of routes that changed around
 * it: those from before are worked off before it, and the command itself before
 * routes change again (engine_catch_up). */
static void before_config(enum config_part part, const char *router, const char *interface,
			  void *arg)
{
	struct engine *e = arg;

	(void)router;
	(void)interface;
	if (part != CONFIG_LISTEN && !e->commanded)
		catch_up(e);
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
	case CONFIG_ROUTER:
		engine_router_get(e, router);
		if (e->ops.routers_changed)
			e->ops.routers_changed(e->ctx);
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
	e->commanded = e->states_changed = true;
	engine_wake(e);
	for (size_t i = 0; i < e->n_edges; i++) {
		e->edges[i]->by_command = true;
		engine_edge_dirty(e, i);
	}
}

struct engine *engine_new(struct config *cfg, const struct engine_ops *ops, void *ctx)
{
	struct engine *e = mem_alloc(sizeof(*e));

	e->cfg = cfg;
	e->ops = *ops;
	e->ctx = ctx;
	e->rib = rib_new();
	engine_feeds_init(e);
	cfg->before = before_config;
	cfg->watch = after_config;
	cfg->watch_arg = e;
	for (size_t i = 0; i < cfg->n_routers; i++)
		engine_router_get(e, cfg->routers[i].name);
	edges_sync(e);
	for (size_t i = 0; i < e->n_edges; i++)
		engine_edge_dirty(e, i);
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	e->cfg->before = NULL;
	e->cfg->watch = NULL;
	engine_feeds_fini(e);
	rib_free(e->rib);
	for (size_t i = 0; i < e->n_edges; i++)
		edge_free(e->edges[i]);
	for (size_t i = 0; i < e->n_routers; i++) {
		agent_inventory_fini(&e->routers[i]->inventory);
		engine_fib_free(e->routers[i]);
		free(e->routers[i]);
	}
	free(e->edges);
	free(e->edge_keys);
	free(e->routers);
	free(e);
}

const struct rib *engine_rib(const struct engine *e)
{
	return e->rib;
}

static struct engine_edge *edge_find(const struct engine *e, const char *router,
				     const char *interface, size_t *index)
{
	const struct config_edge *c = config_edge_find(e->cfg, router, interface);

	if (!c)
		return NULL;
	*index = (size_t)(c - e->cfg->edges);
	return e->edges[*index];
}

void engine_restore(struct engine *e, const char *router, const struct filter *f)
{
	size_t index;
	struct engine_edge *edge = edge_find(e, router, f->interface, &index);

	if (!edge) {
		e->ops.filter_gone(e->ctx, router, f->interface);
		return;
	}
	filter_copy(&edge->filter, f);
	addrset_copy(&edge->hold.enforced, &f->accept);
	edge->restored = true;
	edge->started = f->action == FILTER_ENFORCE;
	edge->kept = f->action != FILTER_OFF;
	engine_edge_dirty(e, index);
}

void engine_inventory(struct engine *e, const char *router,
		      const struct agent_inventory *inv)
{
	struct engine_router *r = engine_router_get(e, router);

	engine_catch_up(e);
	agent_inventory_copy(&r->inventory, inv);
	r->inventory_known = true;
	engine_fib_inventory(e, r);
	e->remap = true;
	engine_wake(e);
}

const struct agent_inventory *engine_router_inventory(const struct engine *e,
						      const char *router)
{
	const struct engine_router *r = engine_router_find(e, router);

	return r && r->inventory_known ? &r->inventory : NULL;
}

/* ---- one edge ---- */

/* Sets ready, settled and reason by what the mode reads. */
static void edge_judge(struct engine *e, size_t index)
{
	const struct config_edge *c = &e->cfg->edges[index];
	struct engine_edge *edge = e->edges[index];
	enum edge_mode mode = config_edge_mode(c);

	edge->ready = edge->settled = false;
	edge->reason[0] = '\0';
	switch (mode) {
	case MODE_OFF:
	case MODE_ACL:
	case MODE_EGRESS:
	case MODE_DEFAULT:
		edge->ready = edge->settled = true;
		break;
	case MODE_STRICT:
	case MODE_STRICT_DIRECT:
		engine_fib_state(e, index, mode, edge);
		break;
	case MODE_LOOSE:
	case MODE_LOOSE_NO_DEFAULT:
		engine_peers_state(e, index, mode, edge);
		engine_fibs_state(e, edge);
		break;
	case MODE_FEASIBLE:
	case MODE_EFP_A:
	case MODE_EFP_B:
		engine_peers_state(e, index, mode, edge);
		break;
	}
	engine_peers_roles(e, index, edge);
	if (edge->ready && addrset_is_empty(&edge->computed)) {
		edge->ready = false;
		snprintf(edge->reason, sizeof(edge->reason),
			 "the computed set is empty: it would drop everything");
	}
}

/* An operator's command takes effect at once, also where it takes away; what
 * waits for other causes goes on waiting. */
static void edge_command(struct engine_edge *edge, const struct addrset *before)
{
	struct addrset gone = { 0 };

	addrset_subtract(&gone, before, &edge->computed);
	addrset_intersect(&gone, &gone, &edge->hold.enforced);
	/* The brake goes on holding what other causes took. */
	if (hold_drop(&edge->hold, &gone))
		brake_forget(&edge->brake, &gone);
	addrset_fini(&gone);
}

/* Takes over *computed, the set that follows from routes and policy now. */
static void edge_take(struct engine *e, size_t index, struct addrset *computed)
{
	struct engine_edge *edge = e->edges[index];
	struct addrset before = edge->computed;

	edge->computed = *computed;
	edge_judge(e, index);
	/* Not into an incomplete table, as a change of mode could; a session that
	 * is down is no hindrance, there always is one. */
	if (edge->by_command && edge->have_computed && edge->settled &&
	    !addrset_is_empty(&edge->computed))
		edge_command(edge, &before);
	edge->by_command = false;
	edge->have_computed = true;
	addrset_fini(&before);
}

/* Brings the enforced set after the computed one, as far as time and the state
 * of the feeds allow. */
static void edge_follow(struct engine *e, size_t index, int64_t now_ms)
{
	const struct config_edge *c = &e->cfg->edges[index];
	struct engine_edge *edge = e->edges[index];

	edge_judge(e, index);
	edge->started = edge->started || edge->ready;
	if (config_edge_mode(c) == MODE_OFF)
		edge->started = edge->kept = false;
	if (!edge->started && !edge->kept) {
		/* Nothing is enforced yet, so there is nothing to protect. */
		hold_fini(&edge->hold);
		brake_release(&edge->brake);
		addrset_copy(&edge->hold.enforced, &edge->computed);
	} else if (edge->settled) {
		hold_update(&edge->hold, &edge->computed, (int64_t)c->holddown_s * 1000,
			    now_ms);
	} else {
		hold_add(&edge->hold, &edge->computed);
	}
}

/* What has waited for its whole hold-down, less what a pre-policy path still
 * speaks for (FRR loses post-policy routes). */
static void edge_leaving(struct engine *e, size_t index, int64_t now_ms,
			 struct addrset *leaving)
{
	const struct hold *hold = &e->edges[index]->hold;

	for (size_t i = 0; i < hold->n && hold->entries[i].due_ms <= now_ms; i++) {
		if (!engine_peers_doubt(e, index, &hold->entries[i], now_ms))
			addrset_union(leaving, leaving, &hold->entries[i].gone);
	}
}

static void edge_expire(struct engine *e, size_t index, int64_t now_ms)
{
	const struct config_edge *c = &e->cfg->edges[index];
	struct engine_edge *edge = e->edges[index];
	struct addrset leaving = { 0 }, after = { 0 };
	bool braked = false;

	if (edge->settled)
		edge_leaving(e, index, now_ms, &leaving);
	if (!addrset_is_empty(&leaving)) {
		addrset_subtract(&after, &edge->hold.enforced, &leaving);
		braked = !brake_allows(&edge->brake, &after, c->brake_shrink_percent);
		if (!braked)
			hold_drop(&edge->hold, &leaving);
	}
	if (braked && !edge->braked)
		engine_note(e, true,
			    "edge %s %s: a removal of more than %u%% of its addresses is held "
			    "back; check the feed, then type \"brake release %s %s\"",
			    c->router, c->interface, c->brake_shrink_percent, c->router,
			    c->interface);
	edge->braked = braked;
	brake_note(&edge->brake, &edge->hold.enforced, now_ms);
	addrset_fini(&leaving);
	addrset_fini(&after);
}

static void filter_peers(const struct engine *e, size_t index, struct filter *f)
{
	const struct config_edge *c = &e->cfg->edges[index];
	struct ip_addr *list = NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->n_peers; i++)
		config_addrs_set(&list, &n, &c->peers[i], true);
	for (const struct engine_peer *p = e->edges[index]->peers; p; p = p->edge_next) {
		if (n < FILTER_PEERS_MAX)
			config_addrs_set(&list, &n, &rib_peer_key(p->rib)->addr, true);
	}
	filter_set_peers(f, list, n);
	free(list);
}

static enum filter_action effective_action(const struct config_edge *c,
					   const struct engine_edge *edge)
{
	if (config_edge_mode(c) == MODE_OFF || edge->stale == STALE_OFF)
		return FILTER_OFF;
	return edge->started ? c->action : FILTER_OBSERVE;
}

static bool same_peers(const struct filter *a, const struct filter *b)
{
	if (a->n_peers != b->n_peers)
		return false;
	for (size_t i = 0; i < a->n_peers; i++) {
		if (!ip_addr_equal(&a->peers[i], &b->peers[i]))
			return false;
	}
	return true;
}

static void edge_hand_out(struct engine *e, size_t index)
{
	const struct config_edge *c = &e->cfg->edges[index];
	struct engine_edge *edge = e->edges[index];
	enum filter_action action = effective_action(c, edge);
	struct addrset accept = { 0 };
	struct filter peers = { 0 };
	bool changed;

	filter_peers(e, index, &peers);
	addrset_union(&accept, &edge->hold.enforced, &edge->loose);
	changed = edge->filter.generation == 0 || action != edge->filter.action ||
		  !addrset_equal(&accept, &edge->filter.accept) ||
		  !same_peers(&peers, &edge->filter);
	if (action != edge->filter.action || !edge->handed_out)
		engine_note(e, false, "edge %s %s: %s%s%s", c->router, c->interface,
			    filter_action_name(action), edge->reason[0] ? ", " : "",
			    edge->reason);
	if (changed) {
		snprintf(edge->filter.interface, sizeof(edge->filter.interface), "%s",
			 c->interface);
		if (edge->filter.generation == 0)
			edge->filter.generation = e->last_generation;
		edge->filter.generation++;
		edge->filter.action = action;
		addrset_copy(&edge->filter.accept, &accept);
		filter_set_peers(&edge->filter, peers.peers, peers.n_peers);
	}
	if (changed || !edge->handed_out)
		e->ops.filter_set(e->ctx, c->router, &edge->filter);
	edge->handed_out = true;
	edge->touched = false;
	addrset_fini(&accept);
	filter_fini(&peers);
}

/* An edge without a role takes no part; a filter it had goes. */
static void edge_deactivate(struct engine *e, size_t index)
{
	const struct config_edge *c = &e->cfg->edges[index];

	if (e->edges[index]->handed_out || e->edges[index]->restored)
		e->ops.filter_gone(e->ctx, c->router, c->interface);
	keep_generation(e, e->edges[index]);
	edge_free(e->edges[index]);
	e->edges[index] = edge_new();
	snprintf(e->edges[index]->reason, sizeof(e->edges[index]->reason),
		 "the edge has no role: type \"role customer\" (or stub, host, peer, "
		 "provider, internal)");
}

/* ---- time ---- */

static bool reads_network(enum edge_mode mode)
{
	return mode == MODE_EFP_A || mode == MODE_EFP_B || mode == MODE_LOOSE ||
	       mode == MODE_LOOSE_NO_DEFAULT;
}

static bool reads_router(enum edge_mode mode)
{
	return mode == MODE_STRICT_DIRECT; /* strict reads the FIB alone */
}

static void spread_dirt(struct engine *e)
{
	if (!e->routes_changed)
		return;
	for (size_t i = 0; i < e->n_edges; i++) {
		enum edge_mode mode = config_edge_mode(&e->cfg->edges[i]);

		if ((e->routes_changed && reads_network(mode)) ||
		    (reads_router(mode) &&
		     engine_router_get(e, e->cfg->edges[i].router)->routes_changed))
			e->edges[i]->dirty = e->dirty = true;
	}
	e->routes_changed = false;
	for (size_t i = 0; i < e->n_routers; i++)
		e->routers[i]->routes_changed = false;
}

static struct sets_source *sources_list(const struct engine *e, size_t *n)
{
	struct sets_source *list = NULL;

	*n = 0;
	for (const struct engine_peer *p = e->peers; p; p = p->next) {
		const struct config_router *r = config_router_find(e->cfg, p->router->name);

		if (!r)
			continue;
		list = mem_realloc(list, *n + 1, sizeof(*list));
		list[(*n)++] = (struct sets_source){
			.peer = p->rib,
			.edge = p->edge,
			.router = (size_t)(r - e->cfg->routers),
			.ibgp = p->info.is_ibgp,
		};
	}
	return list;
}

static void recompute(struct engine *e)
{
	size_t n_sources;
	struct sets_source *sources;
	struct sets_pass *pass;
	struct engine_fibs fibs;

	if (!e->dirty)
		return;
	sources = sources_list(e, &n_sources);
	pass = sets_pass_new(e->cfg, sources, n_sources);
	engine_fibs_give(e, pass, &fibs);
	for (size_t i = 0; i < e->n_edges; i++) {
		struct addrset computed = { 0 };

		if (!e->edges[i]->dirty)
			continue;
		e->edges[i]->dirty = false;
		e->edges[i]->touched = e->touched = true;
		if (e->cfg->edges[i].role == ROLE_NONE)
			continue;
		sets_pass_edge(pass, i, &computed);
		edge_take(e, i, &computed);
	}
	sets_pass_free(pass);
	engine_fibs_fini(&fibs);
	free(sources);
	e->dirty = false;
}

/* All that needs no time: where peers are, and the computed sets. */
static void catch_up(struct engine *e)
{
	if (e->remap) {
		e->remap = false;
		engine_peers_remap(e);
		e->states_changed = true;
	}
	spread_dirt(e);
	recompute(e);
	e->commanded = false;
}

void engine_catch_up(struct engine *e)
{
	if (e->commanded)
		catch_up(e);
}

static void earliest(int64_t *next, int64_t at)
{
	if (at >= 0 && (*next < 0 || at < *next))
		*next = at;
}

bool engine_is_dirty(const struct engine *e)
{
	return e->dirty || e->touched || e->remap || e->routes_changed || e->states_changed ||
	       engine_is_sweeping(e);
}

/* What policy loose admits on top of the last good set. */
static void loose_set(struct engine *e, size_t index, struct addrset *out)
{
	size_t n_sources;
	struct sets_source *sources = sources_list(e, &n_sources);
	struct sets_pass *pass = sets_pass_new(e->cfg, sources, n_sources);
	struct engine_fibs fibs;

	engine_fibs_give(e, pass, &fibs);
	sets_pass_edge_as(pass, index, MODE_LOOSE, out);
	sets_pass_free(pass);
	engine_fibs_fini(&fibs);
	free(sources);
}

/* When a feed that the edge lives by has been dead for as long as its policy
 * allows, or -1. */
static int64_t stale_ms(const struct engine *e, size_t index)
{
	const struct config_edge *c = &e->cfg->edges[index];
	int64_t since = engine_dead_since_ms(e, index);

	if (c->stale_policy == STALE_HOLD || !e->edges[index]->started || since < 0)
		return -1;
	return since + (int64_t)c->stale_s * 1000;
}

static void stale_note(struct engine *e, const struct config_edge *c,
		       enum stale_policy stale)
{
	static const char *const texts[] = {
		[STALE_HOLD] = "its feed is back: its own set again",
		[STALE_LOOSE] = "its feed is dead: loose as well (stale loose)",
		[STALE_OFF] = "its feed is dead: nothing is filtered (stale off)",
	};

	engine_note(e, stale != STALE_HOLD, "edge %s %s: %s", c->router, c->interface,
		    texts[stale]);
}

/* Degrades the edge, or takes that back. Returns when it will have to, or -1. */
static int64_t edge_stale(struct engine *e, size_t index, int64_t now_ms)
{
	const struct config_edge *c = &e->cfg->edges[index];
	struct engine_edge *edge = e->edges[index];
	int64_t at_ms = stale_ms(e, index);
	bool dead = at_ms >= 0 && at_ms <= now_ms;
	enum stale_policy stale = dead ? c->stale_policy : STALE_HOLD;

	if (stale != edge->stale) {
		edge->stale = stale;
		edge->touched = true;
		addrset_fini(&edge->loose);
		if (stale == STALE_LOOSE)
			loose_set(e, index, &edge->loose);
		stale_note(e, c, stale);
	}
	return dead ? -1 : at_ms;
}

/* What does not depend on a new set: readiness, hold-downs, the filter's other
 * parts. Returns when the edge wants to be looked at again, or -1. */
static int64_t edge_run(struct engine *e, size_t index, bool judge, int64_t now_ms)
{
	struct engine_edge *edge = e->edges[index];
	int64_t due, stale_at = edge_stale(e, index, now_ms);

	edge->touched |= judge;
	if (edge->touched)
		edge_follow(e, index, now_ms);
	due = hold_next_ms(&edge->hold);
	if (edge->touched || (due >= 0 && due <= now_ms)) {
		edge_expire(e, index, now_ms);
		edge_hand_out(e, index);
		due = hold_next_ms(&edge->hold);
	}
	if (due >= 0 && due <= now_ms)
		due = now_ms + RETRY_MS;
	earliest(&due, stale_at);
	return due;
}

int64_t engine_run(struct engine *e, int64_t now_ms)
{
	int64_t next;
	bool judge;

	e->now_ms = now_ms;
	engine_catch_up(e);
	engine_sweep_begin(e);
	next = engine_feeds_run(e, now_ms);
	engine_sweep_end(e);
	catch_up(e);
	judge = e->states_changed;
	e->states_changed = e->touched = false;
	for (size_t i = 0; i < e->n_edges; i++) {
		if (e->cfg->edges[i].role != ROLE_NONE)
			earliest(&next, edge_run(e, i, judge, now_ms));
		else if (e->edges[i]->touched)
			edge_deactivate(e, i);
	}
	return next;
}

bool engine_brake_release(struct engine *e, const char *router, const char *interface)
{
	size_t index;
	struct engine_edge *edge = edge_find(e, router, interface, &index);

	if (!edge)
		return false;
	brake_release(&edge->brake);
	engine_edge_dirty(e, index);
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
	size_t index;
	const struct engine_edge *edge = edge_find(e, router, interface, &index);

	if (!edge)
		return false;
	*status = (struct engine_edge_status){
		.config = &e->cfg->edges[index],
		.filter = &edge->filter,
		.computed = &edge->computed,
		.hold = &edge->hold,
		.active = e->cfg->edges[index].role != ROLE_NONE,
		.ready = edge->ready,
		.started = edge->started,
		.stale = edge->stale != STALE_HOLD,
		.brake = edge->braked,
		.interface_seen = interface_seen(e, &e->cfg->edges[index]),
	};
	snprintf(status->reason, sizeof(status->reason), "%s", edge->reason);
	return true;
}
