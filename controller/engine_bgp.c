/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Routers' own BGP sessions, and their routes.
 */
#include "controller/engine_bgp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/engine_impl.h"
#include "controller/feed/bgp_table.h"
#include "lib/mem.h"

/* A router that sends no End-of-RIB has told everything when it is silent for so long. */
#define QUIET_MS 60000

/* Lives as long as its router's routes, over all sessions. */
struct engine_bgp {
	struct engine *engine;
	struct engine_router *router;
	struct bgp_table *table;
	struct bgp_session *session; /* NULL: none */
	bool established;	     /* this session has been */
	bool eor[IP_FAMILIES];
	bool complete;	/* it has told the whole table */
	bool finishing; /* so it has, and what it left out goes */
	int64_t now_ms; /* of the bytes being read */
	int64_t since_ms, changed_ms;
	unsigned int sessions;
	char last_error[200];
};

static bool is_established(const struct engine_bgp *b)
{
	return b->session && bgp_session_state(b->session) == BGP_ESTABLISHED;
}

bool engine_bgp_is_live(const struct engine_router *r)
{
	return r->bgp && is_established(r->bgp);
}

bool engine_bgp_is_complete(const struct engine_router *r)
{
	return engine_bgp_is_live(r) && r->bgp->complete;
}

struct bgp_table *engine_bgp_table(const struct engine_router *r)
{
	return r->bgp ? r->bgp->table : NULL;
}

bool engine_bgp_has_family(const struct engine_router *r, enum ip_family family)
{
	return r->bgp && r->bgp->session && bgp_session_has_family(r->bgp->session, family);
}

bool engine_bgp_has_addpath(const struct engine_router *r, enum ip_family family)
{
	return r->bgp && r->bgp->session && bgp_session_has_addpath(r->bgp->session, family);
}

bool engine_bgp_is_peer(const struct engine_peer *p)
{
	return rib_peer_key(p->rib)->type == RIB_PEER_NEXT_HOP;
}

/* ---- peers ---- */

/* Peers take their state with their edges: engine_bgp_peer_state(). */
static void state_changed(struct engine_bgp *b)
{
	b->engine->remap = b->engine->states_changed = true;
	b->engine->routes_changed = true;
	engine_wake(b->engine);
}

/* Next hops that nothing uses any more; while a session lasts they stay, for an
 * edge whose only customer withdraws everything still has that customer. */
static void drop_unused(struct engine_bgp *b)
{
	struct engine_peer *next;

	for (struct engine_peer *p = b->engine->peers; p; p = next) {
		next = p->next;
		if (p->router != b->router || !engine_bgp_is_peer(p) ||
		    rib_peer_is_sweeping(p->rib) ||
		    rib_path_count(p->rib, RIB_POST, IP_V4) != 0 ||
		    rib_path_count(p->rib, RIB_POST, IP_V6) != 0)
			continue;
		bgp_table_forget_peer(b->table, p->rib);
		engine_peer_free(b->engine, p);
	}
}

void engine_bgp_peer_state(struct engine_peer *p, bool on_edge)
{
	p->up = engine_bgp_is_live(p->router);
	p->complete = engine_bgp_is_complete(p->router) && !rib_peer_is_full(p->rib);
	if (!rib_peer_is_full(p->rib))
		p->doubt = NULL;
	/* What leads to no edge of this router is of the network's inside. */
	p->info.is_ibgp = !on_edge;
	p->info.local_role = p->info.remote_role = BGP_ROLE_NONE;
}

/* ---- what the session says ---- */

/* Next hops with more paths than the bound allows get another chance. */
static void retry_full(struct engine_bgp *b)
{
	for (struct engine_peer *p = b->engine->peers; p; p = p->next) {
		if (p->router == b->router && engine_bgp_is_peer(p))
			rib_peer_retry(p->rib);
	}
}

static void on_established(void *arg, const struct bgp_open *open)
{
	struct engine_bgp *b = arg;

	(void)open;
	b->sessions++;
	b->established = true;
	b->complete = b->finishing = b->eor[IP_V4] = b->eor[IP_V6] = false;
	b->since_ms = b->changed_ms = b->now_ms;
	retry_full(b);
	bgp_table_stale_mark(b->table);
	state_changed(b);
	engine_note(b->engine, false, "router %s: BGP session established",
		    b->router->name);
}

static void on_announce(void *arg, const struct ip_prefix *prefix, uint32_t path_id,
			const struct rib_attr *attr)
{
	struct engine_bgp *b = arg;

	b->changed_ms = b->now_ms;
	bgp_table_announce(b->table, prefix, path_id, attr);
}

static void on_withdraw(void *arg, const struct ip_prefix *prefix, uint32_t path_id)
{
	struct engine_bgp *b = arg;

	b->changed_ms = b->now_ms;
	bgp_table_withdraw(b->table, prefix, path_id);
}

static void finish(struct engine_bgp *b)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		bgp_table_stale_kill(b->table, family);
	b->finishing = true;
	state_changed(b);
}

static void finished(struct engine_bgp *b)
{
	b->finishing = false;
	if (!is_established(b)) /* lost meanwhile */
		return;
	drop_unused(b);
	for (struct engine_peer *p = b->engine->peers; p; p = p->next) {
		if (p->router == b->router && engine_bgp_is_peer(p) &&
		    !rib_peer_is_full(p->rib))
			p->full_times = 0;
	}
	b->complete = true;
	state_changed(b);
	engine_note(b->engine, false, "router %s: BGP table is complete, %zu paths",
		    b->router->name,
		    bgp_table_count(b->table, IP_V4) + bgp_table_count(b->table, IP_V6));
}

static void on_end_of_rib(void *arg, enum ip_family family)
{
	struct engine_bgp *b = arg;

	if (b->complete || b->finishing)
		return;
	b->eor[family] = true;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (bgp_session_has_family(b->session, f) && !b->eor[f])
			return;
	}
	finish(b);
}

static const struct bgp_session_ops session_ops = {
	.established = on_established,
	.announce = on_announce,
	.withdraw = on_withdraw,
	.end_of_rib = on_end_of_rib,
};

/* ---- sessions ---- */

struct engine_bgp *engine_bgp_open(struct engine *e, const char *router,
				   const struct bgp_session_config *config,
				   int64_t now_ms)
{
	struct engine_router *r;
	struct engine_bgp *b;

	if (!config_router_find(e->cfg, router))
		return NULL;
	r = engine_router_get(e, router);
	b = r->bgp;
	if (!b) {
		b = r->bgp = mem_alloc(sizeof(*b));
		b->engine = e;
		b->router = r;
		b->table = bgp_table_new(e->rib, r->index);
	}
	bgp_session_free(b->session);
	b->established = b->complete = false;
	b->now_ms = b->since_ms = now_ms;
	b->session = bgp_session_new(config, &session_ops, b, now_ms);
	return b;
}

int engine_bgp_bytes(struct engine_bgp *b, const void *data, size_t len, int64_t now_ms,
		     struct diag *diag)
{
	engine_catch_up(b->engine);
	b->now_ms = now_ms;
	return bgp_session_bytes(b->session, data, len, now_ms, diag);
}

/* A next hop's paths were left out, and there is room for them now. When a new
 * session may be had for that, or -1. */
static int64_t full_due_ms(const struct engine_bgp *b)
{
	int64_t due_ms = -1, last_ms = b->router->redump_ms;

	for (const struct engine_peer *p = b->engine->peers; p; p = p->next) {
		int64_t at_ms = -1;

		if (p->router == b->router && engine_bgp_is_peer(p) &&
		    rib_peer_is_full(p->rib))
			at_ms = engine_bound_dump_ms(b->engine, p);
		if (at_ms >= 0 && (due_ms < 0 || at_ms < due_ms))
			due_ms = at_ms;
	}
	if (due_ms >= 0 && last_ms != INT64_MIN && due_ms < last_ms + ENGINE_REDUMP_EVERY_MS)
		due_ms = last_ms + ENGINE_REDUMP_EVERY_MS;
	return due_ms;
}

static int begin_anew(struct engine_bgp *b, int64_t now_ms, struct diag *diag)
{
	b->router->redump_ms = now_ms;
	b->router->redumps++;
	bgp_session_cease(b->session, BGP_CEASE_RESET);
	return diag_set(diag, "closed for a complete table: there is room for paths that were "
			      "left out");
}

int engine_bgp_timer(struct engine_bgp *b, int64_t now_ms, int64_t *next_ms,
		     struct diag *diag)
{
	int64_t quiet_ms = b->changed_ms + QUIET_MS;

	engine_catch_up(b->engine);
	b->now_ms = now_ms;
	if (bgp_session_timer(b->session, now_ms, diag) < 0)
		return -1;
	*next_ms = bgp_session_next_ms(b->session);
	if (is_established(b) && b->complete) {
		int64_t due_ms = full_due_ms(b);

		if (due_ms >= 0 && due_ms <= now_ms)
			return begin_anew(b, now_ms, diag);
	}
	if (!is_established(b) || b->complete || b->finishing)
		return 0;
	if (quiet_ms <= now_ms)
		finish(b);
	else if (*next_ms < 0 || quiet_ms < *next_ms)
		*next_ms = quiet_ms;
	return 0;
}

void engine_bgp_cease(struct engine_bgp *b, uint8_t subcode)
{
	bgp_session_cease(b->session, subcode);
}

struct wr *engine_bgp_output(struct engine_bgp *b)
{
	return bgp_session_output(b->session);
}

void engine_bgp_close(struct engine_bgp *b, const char *why, int64_t now_ms)
{
	engine_catch_up(b->engine);
	bgp_session_free(b->session);
	b->session = NULL;
	b->complete = false;
	b->since_ms = now_ms;
	snprintf(b->last_error, sizeof(b->last_error), "%s", why);
	if (b->established)
		engine_note(
			b->engine, true,
			"router %s: BGP session lost (%s); its routes stay as they were",
			b->router->name, why);
	state_changed(b);
}

static void bgp_free(struct engine_bgp *b)
{
	bgp_session_free(b->session);
	bgp_table_free(b->table);
	b->router->bgp = NULL;
	free(b);
}

void engine_bgp_forget(struct engine *e, const char *router)
{
	struct engine_router *r = engine_router_find(e, router);
	struct engine_peer *next;

	if (!r || !r->bgp)
		return;
	engine_catch_up(e);
	state_changed(r->bgp);
	bgp_free(r->bgp);
	for (struct engine_peer *p = e->peers; p; p = next) {
		next = p->next;
		if (p->router == r && engine_bgp_is_peer(p))
			engine_peer_drop(e, p, 1);
	}
	engine_sweep_end(e); /* a few are gone at once */
}

bool engine_bgp_is_sweeping(const struct engine *e)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		const struct engine_bgp *b = e->routers[i]->bgp;

		if (b && (b->finishing || bgp_table_is_sweeping(b->table)))
			return true;
	}
	return false;
}

bool engine_bgp_sweep(struct engine *e, size_t *budget)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		struct engine_bgp *b = e->routers[i]->bgp;

		if (!b)
			continue;
		if (bgp_table_sweep(b->table, budget))
			return true;
		if (b->finishing)
			finished(b);
	}
	return false;
}

void engine_bgp_fini(struct engine *e)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		if (e->routers[i]->bgp)
			bgp_free(e->routers[i]->bgp);
	}
}

/* ---- to show ---- */

void engine_bgp_walk(const struct engine *e, engine_bgp_fn *fn, void *arg)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		const struct engine_bgp *b = e->routers[i]->bgp;
		struct engine_bgp_status status;

		if (!b)
			continue;
		status = (struct engine_bgp_status){
			.router = b->router->name,
			.state = b->session ? bgp_session_state(b->session) : BGP_CLOSED,
			.complete = engine_bgp_is_complete(b->router),
			.since_ms = b->since_ms,
			.sessions = b->sessions,
			.last_error = b->last_error,
		};
		if (b->session)
			status.stats = *bgp_session_stats(b->session);
		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			status.paths[f] = bgp_table_count(b->table, f);
			status.family[f] = engine_bgp_has_family(b->router, f);
			status.addpath[f] = engine_bgp_has_addpath(b->router, f);
		}
		fn(&status, arg);
	}
}
