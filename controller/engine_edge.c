/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One edge: from what is computed for it to the filter of its router.
 *
 * A change costs what it changes. Only engine_edge_filter() goes over a set, when
 * somebody wants it, and so do the rare cases that say so.
 */
#include "controller/engine_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* How soon a hold-down that may not run out yet is looked at again; or one of which
 * it is not known yet whether it may. */
#define RETRY_MS 1000
#define SOON_MS	 50

struct engine_edge *engine_edge_new(void)
{
	struct engine_edge *edge = mem_alloc(sizeof(*edge));

	hold_init(&edge->hold);
	hold_init(&edge->exempt);
	dynaddrset_init(&edge->excess);
	dynaddrset_init(&edge->gained);
	dynaddrset_init(&edge->lost);
	edge->due_ms = edge->stale_due_ms = -1;
	return edge;
}

void engine_edge_free(struct engine_edge *edge)
{
	hold_fini(&edge->hold);
	hold_fini(&edge->exempt);
	dynaddrset_fini(&edge->excess);
	dynaddrset_fini(&edge->gained);
	dynaddrset_fini(&edge->lost);
	addrset_fini(&edge->commanded);
	addrset_fini(&edge->loose);
	filter_fini(&edge->filter);
	free(edge);
}

void engine_keep_generation(struct engine *e, const struct engine_edge *edge)
{
	if (edge->filter.generation > e->last_generation)
		e->last_generation = edge->filter.generation;
}

struct engine_edge *engine_edge_find(const struct engine *e, const char *router,
				     const char *interface)
{
	const struct config_edge *c = config_edge_find(e->cfg, router, interface);

	return c ? e->edges[c - e->cfg->edges] : NULL;
}

void engine_edge_touch(struct engine *e, struct engine_edge *edge)
{
	if (edge->touched)
		return;
	edge->touched = true;
	edge->next_touched = e->touched;
	e->touched = edge;
}

static const struct config_edge *config_of(const struct engine *e,
					   const struct engine_edge *edge)
{
	return &e->cfg->edges[edge->index];
}

/* ---- what came to and left the enforced set ---- */

static void note_gain(struct engine_edge *edge, const struct addrset *fresh)
{
	dynaddrset_note(&edge->gained, &edge->lost, fresh);
}

static void note_loss(struct engine_edge *edge, struct addrset *left)
{
	addrset_normalize(left);
	dynaddrset_note(&edge->lost, &edge->gained, left);
}

static void sizes(const struct addrset *set, u128 size[IP_FAMILIES])
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		size[family] = rangeset_size(&set->f[family]);
}

static void note_size(struct engine_edge *edge, int64_t now_ms)
{
	u128 size[IP_FAMILIES];

	hold_size(&edge->hold, size);
	edge->brake.holding = !dynaddrset_is_empty(&edge->excess);
	brake_note(&edge->brake, size, now_ms);
}

/* ---- growth ---- */

/* The loose modes are open by intention, and grow manifold with the first feed of
 * a provider; in acl all is the operator's or RADIUS's word. */
static bool mode_may_leak(enum edge_mode mode)
{
	switch (mode) {
	case MODE_STRICT:
	case MODE_STRICT_DIRECT:
	case MODE_FEASIBLE:
	case MODE_EFP_A:
	case MODE_EFP_B:
		return true;
	case MODE_DEFAULT:
	case MODE_ACL:
	case MODE_LOOSE:
	case MODE_LOOSE_NO_DEFAULT:
	case MODE_EGRESS:
	case MODE_OFF:
		break;
	}
	return false;
}

static bool growth_is_braked(const struct engine *e, const struct engine_edge *edge)
{
	const struct config_edge *c = config_of(e, edge);

	return c->brake_growth_percent != 0 && mode_may_leak(config_edge_mode(c)) &&
	       edge->started && !edge->by_command;
}

static int by_size(const void *a, const void *b)
{
	const struct ip_range *x = a, *y = b;
	u128 m = x->last - x->first, n = y->last - y->first;

	if (m != n)
		return m < n ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

/* Takes out of *news what there is no room for, and leaves that in *held. Small
 * ranges go first: one leaked /8 does not keep an honest /24 out. */
static void hold_back(struct rangeset *news, u128 room, struct rangeset *held)
{
	struct rangeset sorted = { 0 };

	if (rangeset_size(news) <= room)
		return;
	rangeset_copy(&sorted, news);
	qsort(sorted.r, sorted.n, sizeof(*sorted.r), by_size);
	for (size_t i = 0; i < sorted.n; i++) {
		u128 more = sorted.r[i].last - sorted.r[i].first; /* less one */

		if (more < room)
			room -= more + 1;
		else
			rangeset_append(held, sorted.r[i].first, sorted.r[i].last);
	}
	rangeset_normalize(held);
	rangeset_subtract(news, news, held);
	rangeset_fini(&sorted);
}

/* Splits *added by what the growth brake lets in. */
static void brake_growth(const struct engine *e, struct engine_edge *edge,
			 struct addrset *added, struct addrset *held)
{
	unsigned int percent = config_of(e, edge)->brake_growth_percent;
	struct addrset news = { 0 }, there = { 0 };
	u128 size[IP_FAMILIES];

	note_size(edge, e->now_ms);
	hold_size(&edge->hold, size);
	dynaddrset_intersect(&edge->hold.enforced, added, &there);
	addrset_subtract(&news, added, &there);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		hold_back(&news.f[family],
			  brake_room(&edge->brake, family, size[family], percent),
			  &held->f[family]);
	addrset_subtract(added, added, held);
	addrset_fini(&news);
	addrset_fini(&there);
}

static void admit(struct engine *e, struct engine_edge *edge, const struct addrset *added)
{
	struct addrset fresh = { 0 };

	hold_add(&edge->hold, added, &fresh);
	addrset_normalize(&fresh);
	note_gain(edge, &fresh);
	if (edge->by_command) {
		u128 size[IP_FAMILIES];

		sizes(&fresh, size);
		brake_grant(&edge->brake, size);
	}
	engine_edge_touch(e, edge);
	addrset_fini(&fresh);
}

static void admit_excess(struct engine *e, struct engine_edge *edge)
{
	struct addrset all = { 0 };

	if (dynaddrset_is_empty(&edge->excess))
		return;
	dynaddrset_export(&edge->excess, &all);
	dynaddrset_fini(&edge->excess);
	admit(e, edge, &all);
	addrset_fini(&all);
}

void engine_edge_gain(struct engine *e, struct engine_edge *edge,
		      const struct addrset *added)
{
	struct addrset in = { 0 }, held = { 0 };

	if (addrset_is_empty(added))
		return;
	if (!growth_is_braked(e, edge)) {
		admit(e, edge, added);
		return;
	}
	addrset_copy(&in, added);
	brake_growth(e, edge, &in, &held);
	admit(e, edge, &in);
	dynaddrset_add(&edge->excess, &held, NULL);
	addrset_fini(&in);
	addrset_fini(&held);
}

void engine_edge_lose(struct engine *e, struct engine_edge *edge,
		      const struct addrset *removed)
{
	struct addrset held = { 0 }, rest = { 0 };

	if (addrset_is_empty(removed))
		return;
	addrset_copy(&rest, removed);
	if (!dynaddrset_is_empty(&edge->excess)) {
		dynaddrset_remove(&edge->excess, removed, &held);
		addrset_normalize(&held);
		addrset_subtract(&rest, &rest, &held);
	}
	hold_remove(&edge->hold, &rest);
	if (edge->by_command)
		addrset_union(&edge->commanded, &edge->commanded, &rest);
	engine_edge_touch(e, edge);
	addrset_fini(&held);
	addrset_fini(&rest);
}

/* ---- RADIUS ---- */

void engine_edge_grant(struct engine *e, struct engine_edge *edge,
		       const struct addrset *added)
{
	bool by_command = edge->by_command;

	if (addrset_is_empty(added))
		return;
	/* the growth brake may hold it for another cause */
	dynaddrset_remove(&edge->excess, added, NULL);
	edge->by_command = true;
	admit(e, edge, added);
	edge->by_command = by_command;
}

void engine_edge_take(struct engine *e, struct engine_edge *edge,
		      const struct addrset *removed)
{
	struct addrset left = { 0 };
	u128 size[IP_FAMILIES];

	if (addrset_is_empty(removed))
		return;
	engine_edge_lose(e, edge, removed);
	hold_drop(&edge->hold, removed, &left);
	note_loss(edge, &left);
	sizes(&left, size);
	brake_forget(&edge->brake, size);
	addrset_fini(&left);
}

void engine_edge_release(struct engine *e, struct engine_edge *edge)
{
	admit_excess(e, edge);
	brake_release(&edge->brake);
	edge->expire_ms = 0;
	engine_edge_touch(e, edge);
}

/* ---- commands ---- */

static bool computes_nothing(const struct engine_edge *edge)
{
	return hold_computes_nothing(&edge->hold) && dynaddrset_is_empty(&edge->excess);
}

static void judge_empty(const struct engine *e, struct engine_edge *edge)
{
	bool drop = config_of(e, edge)->pending == PENDING_DROP;

	edge->ready = edge->feeds_ready;
	if (edge->ready && engine_edge_waits_for_session(e, edge)) {
		edge->ready = false;
		snprintf(edge->reason, sizeof(edge->reason),
			 "there is no RADIUS session: it only counts until one is reported");
		return;
	}
	if (!edge->ready || drop || !computes_nothing(edge)) {
		if (edge->ready)
			edge->reason[0] = '\0';
		return;
	}
	edge->ready = false;
	snprintf(edge->reason, sizeof(edge->reason),
		 "the computed set is empty: it would drop everything");
}

/* The same for all edges, and it looks at all peers. */
static void judge_network(struct engine *e, struct engine_edge *edge, enum edge_mode mode)
{
	if (e->network.known) {
		edge->ready = e->network.ready;
		edge->settled = e->network.settled;
		memcpy(edge->reason, e->network.reason, sizeof(edge->reason));
		return;
	}
	engine_peers_state(e, edge->index, mode, edge);
	e->network.known = true;
	e->network.ready = edge->ready;
	e->network.settled = edge->settled;
	memcpy(e->network.reason, edge->reason, sizeof(edge->reason));
}

/* Sets ready, settled and reason by what the mode reads. */
static void judge_edge(struct engine *e, struct engine_edge *edge)
{
	enum edge_mode mode = config_edge_mode(config_of(e, edge));

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
		engine_fib_state(e, edge->index, mode, edge);
		break;
	case MODE_LOOSE:
	case MODE_LOOSE_NO_DEFAULT:
		judge_network(e, edge, mode);
		engine_fibs_state(e, edge);
		break;
	case MODE_FEASIBLE:
		engine_peers_state(e, edge->index, mode, edge);
		break;
	case MODE_EFP_A:
	case MODE_EFP_B:
		judge_network(e, edge, mode);
		break;
	}
	engine_peers_roles(e, edge->index, edge);
	edge->feeds_ready = edge->ready;
	judge_empty(e, edge);
}

/* An operator's command takes effect at once, also where it takes away; what
 * waits for other causes goes on waiting. Not into an incomplete table, as a
 * change of mode could; a session that is down is no hindrance, there always is
 * one. */
void engine_edge_command(struct engine *e, struct engine_edge *edge)
{
	struct addrset left = { 0 };
	u128 size[IP_FAMILIES];

	judge_edge(e, edge);
	if (edge->settled && !addrset_is_empty(&edge->commanded) &&
	    !computes_nothing(edge)) {
		hold_drop(&edge->hold, &edge->commanded, &left);
		note_loss(edge, &left);
		sizes(&left, size);
		/* The brake goes on holding what other causes took. */
		brake_forget(&edge->brake, size);
		addrset_fini(&left);
	}
	addrset_fini(&edge->commanded);
	edge->by_command = false;
	if (!growth_is_braked(e, edge))
		admit_excess(e, edge);
	edge->expire_ms = 0;
	engine_edge_touch(e, edge);
}

/* ---- time ---- */

static void note_hold_down(struct engine *e, struct engine_edge *edge)
{
	uint32_t holddown_s = config_of(e, edge)->holddown_s;

	if (edge->holddown_s != holddown_s) {
		hold_retime(&edge->hold, (int64_t)holddown_s * 1000);
		hold_retime(&edge->exempt, (int64_t)holddown_s * 1000);
	}
	edge->holddown_s = holddown_s;
}

/* Brings the enforced set after the computed one, as far as time and the state
 * of the feeds allow. */
static void follow(struct engine *e, struct engine_edge *edge, int64_t now_ms)
{
	const struct config_edge *c = config_of(e, edge);
	bool started = edge->started;

	judge_empty(e, edge);
	edge->started = edge->started || edge->ready;
	if (config_edge_mode(c) == MODE_OFF)
		edge->started = edge->kept = false;
	note_hold_down(e, edge);
	/* Its first fill is no growth, and no measure of any. */
	if (!started || !edge->started) {
		admit_excess(e, edge);
		brake_release(&edge->brake);
	}
	if (!edge->started && !edge->kept) {
		struct addrset left = { 0 };

		/* Nothing is enforced yet, so there is nothing to protect. */
		hold_drop_absent(&edge->hold, &left);
		note_loss(edge, &left);
		addrset_fini(&left);
		engine_exempt_drop_left(edge);
	} else if (edge->settled) {
		hold_wait(&edge->hold, (int64_t)c->holddown_s * 1000, now_ms);
		engine_exempt_wait(e, edge, now_ms);
	}
}

/* What has waited for its whole hold-down, less what a pre-policy path still
 * speaks for (FRR loses post-policy routes). Costs what is due. */
static void leaving(struct engine *e, struct engine_edge *edge, int64_t now_ms,
		    struct addrset *out)
{
	const struct hold *hold = &edge->hold;

	e->doubt_unsure = false;
	for (size_t i = 0; i < hold->n && hold->entries[i].due_ms <= now_ms; i++) {
		struct engine_gone gone = { .since_ms = hold->entries[i].since_ms,
					    .due_ms = hold->entries[i].due_ms };

		dynaddrset_export(&hold->entries[i].gone, &gone.set);
		if (!engine_peers_doubt(e, edge->index, &gone, now_ms))
			addrset_union(out, out, &gone.set);
		addrset_fini(&gone.set);
	}
}

static bool may_leave(struct engine *e, struct engine_edge *edge, const struct addrset *gone)
{
	u128 after[IP_FAMILIES], size[IP_FAMILIES];

	if (engine_edge_waits_for_session(e, edge)) /* it only counts meanwhile */
		return true;
	hold_size(&edge->hold, after);
	sizes(gone, size);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		after[family] -= size[family];
	return brake_allows(&edge->brake, after, config_of(e, edge)->brake_shrink_percent);
}

static void note_brakes(struct engine *e, struct engine_edge *edge, bool braked)
{
	const struct config_edge *c = config_of(e, edge);
	bool grown = !dynaddrset_is_empty(&edge->excess);

	if (braked && !edge->braked)
		engine_note(e, true,
			    "edge %s %s: a removal of more than %u%% of its addresses is held "
			    "back; check the feed, then type \"brake release %s %s\"",
			    c->router, c->interface, c->brake_shrink_percent, c->router,
			    c->interface);
	if (grown && !edge->grown)
		engine_note(e, true,
			    "edge %s %s: growth by more than %u%% of its addresses is held "
			    "back; if it is no leak, type \"brake release %s %s\"",
			    c->router, c->interface, c->brake_growth_percent, c->router,
			    c->interface);
	edge->braked = braked;
	edge->grown = grown;
}

static void expire(struct engine *e, struct engine_edge *edge, int64_t now_ms)
{
	int64_t due = hold_next_ms(&edge->hold);
	bool braked = edge->braked && due >= 0 && due <= now_ms;
	struct addrset gone = { 0 }, left = { 0 };

	if (due >= 0 && due <= now_ms && edge->expire_ms < e->awake_ms)
		edge->expire_ms = e->awake_ms;
	if (due >= 0 && due <= now_ms && edge->expire_ms <= now_ms) {
		if (edge->settled)
			leaving(e, edge, now_ms, &gone);
		braked = !addrset_is_empty(&gone) && !may_leave(e, edge, &gone);
		if (!braked) {
			hold_drop(&edge->hold, &gone, &left);
			note_loss(edge, &left);
		}
		addrset_fini(&gone);
		addrset_fini(&left);
		due = hold_next_ms(&edge->hold);
		edge->expire_ms = due < 0 || due > now_ms ? 0 :
				  e->doubt_unsure	  ? now_ms + SOON_MS :
							    now_ms + RETRY_MS;
	}
	note_brakes(e, edge, braked);
	note_size(edge, now_ms);
}

/* When to look at the hold-downs again. */
static int64_t next_expiry(const struct engine *e, const struct engine_edge *edge)
{
	int64_t due = hold_next_ms(&edge->hold), exempt = engine_exempt_next_ms(e, edge);

	if (due >= 0 && due < edge->expire_ms)
		due = edge->expire_ms;
	return due < 0 || (exempt >= 0 && exempt < due) ? exempt : due;
}

/* ---- stale ---- */

/* When a feed that the edge lives by has been dead for as long as its policy
 * allows, or -1. */
static int64_t stale_ms(const struct engine *e, const struct engine_edge *edge)
{
	const struct config_edge *c = config_of(e, edge);
	int64_t since;

	if (c->stale_policy == STALE_HOLD || !edge->started)
		return -1;
	since = engine_dead_since_ms(e, edge->index);
	return since < 0 ? -1 : since + (int64_t)c->stale_s * 1000;
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

/* Degrades the edge, or takes that back: true. Walks all routes for policy loose. */
static bool judge_stale(struct engine *e, struct engine_edge *edge, int64_t now_ms)
{
	const struct config_edge *c = config_of(e, edge);
	int64_t at_ms = stale_ms(e, edge);
	bool dead = at_ms >= 0 && at_ms <= now_ms;
	enum stale_policy stale = dead ? c->stale_policy : STALE_HOLD;

	edge->stale_due_ms = dead ? -1 : at_ms;
	if (stale == edge->stale)
		return false;
	edge->stale = stale;
	edge->loose_changed |= !addrset_is_empty(&edge->loose);
	addrset_fini(&edge->loose);
	if (stale == STALE_LOOSE)
		live_edge_set_as(e->live, e->cfg, edge->index, MODE_LOOSE, &edge->loose);
	edge->loose_changed |= !addrset_is_empty(&edge->loose);
	stale_note(e, c, stale);
	return true;
}

/* ---- the filter ---- */

const struct filter *engine_edge_filter(struct engine_edge *edge)
{
	if (!edge->filter_old)
		return &edge->filter;
	dynaddrset_export(&edge->hold.enforced, &edge->filter.accept);
	addrset_union(&edge->filter.accept, &edge->filter.accept, &edge->loose);
	edge->filter_old = false;
	return &edge->filter;
}

static bool differs(const struct dynaddrset *change, const struct addrset *loose)
{
	struct addrset set = { 0 };
	bool any;

	if (dynaddrset_is_empty(change))
		return false;
	if (addrset_is_empty(loose))
		return true;
	dynaddrset_export(change, &set);
	addrset_subtract(&set, &set, loose);
	any = !addrset_is_empty(&set);
	addrset_fini(&set);
	return any;
}

static void note_change(struct engine_edge *edge)
{
	struct engine_change *c = &edge->change;

	c->came = dynaddrset_first(&edge->gained, &c->came_addr);
	c->went = dynaddrset_first(&edge->lost, &c->went_addr);
}

/* The set is another one than that handed out; forgets what made it so. */
static bool take_changes(struct engine_edge *edge)
{
	bool changed = edge->loose_changed || differs(&edge->gained, &edge->loose) ||
		       differs(&edge->lost, &edge->loose);

	note_change(edge);
	dynaddrset_fini(&edge->gained);
	dynaddrset_fini(&edge->lost);
	edge->loose_changed = false;
	return changed;
}

static enum filter_action effective_action(const struct engine *e,
					   const struct engine_edge *edge)
{
	const struct config_edge *c = config_of(e, edge);

	if (config_edge_mode(c) == MODE_OFF || edge->stale == STALE_OFF)
		return FILTER_OFF;
	if (!edge->started || engine_edge_waits_for_session(e, edge))
		return FILTER_OBSERVE;
	return c->action;
}

static void hand_out(struct engine *e, struct engine_edge *edge)
{
	const struct config_edge *c = config_of(e, edge);
	enum filter_action action = effective_action(e, edge);
	bool changed = take_changes(edge), first = !edge->handed_out;

	edge->filter_old |= changed;
	changed |= edge->filter.generation == 0 || action != edge->filter.action;
	changed |= engine_exempt_take(edge);
	if (action != edge->filter.action || first)
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
	}
	edge->handed_out = true;
	if (changed || first)
		e->ops.filter_set(e->ctx, c->router, &edge->filter);
}

/* An edge without a role takes no part; a filter it had goes. */
void engine_edge_deactivate(struct engine *e, struct engine_edge *edge)
{
	const struct config_edge *c = config_of(e, edge);
	struct engine_edge *fresh = engine_edge_new();

	if (edge->handed_out || edge->restored)
		e->ops.filter_gone(e->ctx, c->router, c->interface);
	engine_keep_generation(e, edge);
	fresh->ways = edge->ways;
	fresh->sessions = edge->sessions;
	fresh->index = edge->index;
	snprintf(fresh->reason, sizeof(fresh->reason),
		 "the edge has no role: type \"role customer\" (or stub, host, peer, "
		 "provider, internal)");
	e->edges[edge->index] = fresh;
	engine_edge_free(edge);
}

void engine_edge_run(struct engine *e, struct engine_edge *edge, enum engine_look look,
		     int64_t now_ms)
{
	bool judge = look == ENGINE_LOOK_JUDGE, changed = look != ENGINE_LOOK_TIME;
	int64_t due;

	if (judge)
		judge_edge(e, edge);
	if (judge || (edge->stale_due_ms >= 0 && edge->stale_due_ms <= now_ms))
		changed |= judge_stale(e, edge, now_ms);
	if (judge || !edge->handed_out)
		engine_exempt_judge(e, edge);
	if (changed)
		follow(e, edge, now_ms);
	due = next_expiry(e, edge);
	if (changed || (due >= 0 && due <= now_ms)) {
		expire(e, edge, now_ms);
		engine_exempt_expire(e, edge, now_ms);
		hand_out(e, edge);
	}
	edge->due_ms = next_expiry(e, edge);
	if (edge->stale_due_ms >= 0 &&
	    (edge->due_ms < 0 || edge->stale_due_ms < edge->due_ms))
		edge->due_ms = edge->stale_due_ms;
}
