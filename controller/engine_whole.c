/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * When a peer's table is whole, when a stream is settled, when to dump anew.
 */
#include "controller/engine_feed_impl.h"

/* When a peer's table is believed to be whole. Neither Peer Up nor End-of-RIB
 * says so: FRR (8.4.4) sends the first routes of a new session seconds after its
 * Peer Up, and a dump that began in between ends all the same. So a peer has to
 * be up for a while and quiet; one that never is quiet has a limit. */
#define WHOLE_AGE_MS   10000
#define WHOLE_QUIET_MS 5000
#define WHOLE_LIMIT_MS 60000
/* While the End-of-RIB of a dump is still to come: a full table by a slow line
 * takes minutes, and to ask for it anew would only make it longer. */
#define WHOLE_DUMP_LIMIT_MS (10 * WHOLE_LIMIT_MS)
/* Peers of earlier streams that this one has not named by then are gone. */
#define SETTLE_MS	30000
#define SETTLE_LIMIT_MS 120000
/* As many paths as before a flap, and quiet: believed so soon without a dump. */
#define BACK_AGE_MS 30000
/* BMP has no keepalive, but a router reports statistics: three reports missed. */
#define SILENT_INTERVALS 3
#define LOOK_MS		250

/* ---- completion ---- */

/* What the dump left out goes first: false while that lasts. */
static bool complete(struct engine_feed *feed, struct engine_peer *p)
{
	char addr[IP_TEXT_SIZE];

	bmp_feed_peer_complete(feed->bmp, p->rib);
	engine_sweep(feed->engine, SIZE_MAX);
	if (rib_peer_is_sweeping(p->rib))
		return false;
	p->complete = feed->heard = true;
	p->dump_ms = feed->opened_ms;
	engine_peer_changed(feed->engine, p);
	p->doubt = NULL;
	p->full_times = 0;
	p->had_paths = engine_peer_paths(p);
	engine_note(feed->engine, false, "router %s: peer %s is complete, %zu paths",
		    p->router->name, ip_addr_format(&rib_peer_key(p->rib)->addr, addr),
		    p->had_paths);
	return true;
}

static void note_doubt(struct engine *e, const struct engine_peer *p)
{
	char addr[IP_TEXT_SIZE];

	engine_note(e, true,
		    "router %s: peer %s %s; nothing waits for it after \"exclude peer %s\" "
		    "in its router",
		    p->router->name, ip_addr_format(&rib_peer_key(p->rib)->addr, addr),
		    p->doubt, addr);
}

/* Pre-policy has prefixes that post-policy lacks: denied by policy, or lost. */
static bool views_differ(const struct engine_peer *p)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (rib_peer_view(p->rib, family) == RIB_POST &&
		    rib_pre_only(p->rib, family) != 0)
			return true;
	}
	return false;
}

enum verdict {
	WAIT,
	WHOLE,
	WHOLE_AGAIN, /* for now: a dump is due */
	NEEDS_DUMP,
	NOT_BELIEVED,
	FULL, /* something was left out: engine_bound.c */
};

static bool has_post(const struct engine_peer *p)
{
	return rib_peer_view(p->rib, IP_V4) == RIB_POST ||
	       rib_peer_view(p->rib, IP_V6) == RIB_POST;
}

/* An empty table that has ended may be a lie: FRR without
 * soft-reconfiguration sends only the withdrawals of a pre-policy table. NULL:
 * nothing speaks against it. */
static const char *doubt_of(const struct engine_feed *feed, const struct engine_peer *p)
{
	const struct bmp_peer_counts *counts = bmp_feed_peer_counts(feed->bmp, p->rib);

	for (int view = 0; view < RIB_VIEWS; view++) {
		for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
			if (rib_path_count(p->rib, (enum rib_view)view, family) != 0)
				return NULL;
		}
	}
	if (counts && counts->withdrawn_unknown != 0)
		return "shows no routes, but withdraws routes that it never announced "
		       "(bgpd: soft-reconfiguration inbound, or monitor post-policy)";
	if (counts && counts->reported != 0)
		return "shows no routes, but its statistics count some";
	return p->had_paths != 0 ? "shows no routes any more: a new dump has to confirm it"
				 : NULL;
}

/* All that it had before its session went down has come back. */
static bool is_back(const struct engine_peer *p, int64_t now_ms)
{
	return p->had_paths != 0 && engine_peer_paths(p) >= p->had_paths &&
	       now_ms - p->up_ms >= BACK_AGE_MS && !views_differ(p);
}

/* A session that came up after its stream's dump has no End-of-RIB, and FRR may
 * have lost post-policy paths of it (8.4.4 sends them as withdrawals while next
 * hops are unresolved): only a dump that began when the session was settled
 * shows its table. What such a dump leaves out was denied by policy. */
static enum verdict judge_table(const struct engine_feed *feed, struct engine_peer *p,
				int64_t now_ms)
{
	int64_t age_ms = now_ms - p->up_ms;
	int64_t last_ms = p->changed_ms > p->up_ms ? p->changed_ms : p->up_ms;
	bool quiet;
	bool dumped = feed->forced && p->initial;
	bool ends = p->initial && !p->eor; /* its End-of-RIB is to come */
	/* a dump that is stuck on its way to us is no dump that is over */
	int64_t limit_ms = ends ? WHOLE_DUMP_LIMIT_MS : WHOLE_LIMIT_MS;

	/* routers dump peer after peer: its turn may not have come */
	if (ends && feed->changed_ms > last_ms)
		last_ms = feed->changed_ms;
	quiet = now_ms - last_ms >= WHOLE_QUIET_MS && feed->queued == 0;
	if (rib_peer_is_full(p->rib))
		return FULL;
	if (rib_peer_is_sweeping(p->rib))
		return WAIT;
	if (age_ms < WHOLE_AGE_MS ||
	    (!quiet && age_ms < limit_ms))
		return WAIT;
	p->doubt = doubt_of(feed, p);
	/* what the last dump had, this one has not: it takes another */
	if (p->doubt && (!dumped || p->had_paths != 0))
		return NEEDS_DUMP;
	/* post-policy may be empty by policy, and says so twice */
	if (p->doubt)
		return has_post(p) ? WHOLE : NOT_BELIEVED;
	if (!p->eor && !dumped)
		return is_back(p, now_ms) ? WHOLE_AGAIN : NEEDS_DUMP;
	if (feed->opened_ms - p->known_up_ms < WHOLE_AGE_MS && views_differ(p))
		return NEEDS_DUMP;
	return WHOLE;
}

static void drop_unnamed(struct engine *e, struct engine_feed *feed)
{
	struct engine_peer *next;

	for (struct engine_peer *p = e->peers; p; p = next) {
		next = p->next;
		if (p->router == feed->router && p->stream != feed->serial &&
		    !engine_bgp_is_peer(p))
			engine_peer_drop(e, p, feed->serial);
	}
}

bool engine_redump_is_allowed(const struct engine_feed *feed, int64_t now_ms)
{
	int64_t last_ms = feed->router->redump_ms;

	return !feed->redump_asked &&
	       (last_ms == INT64_MIN || now_ms - last_ms >= ENGINE_REDUMP_EVERY_MS);
}

void engine_redump_ask(struct engine_feed *feed, int64_t now_ms, const char *why)
{
	struct engine_router *r = feed->router;

	feed->redump_asked = true;
	r->redump_ms = now_ms;
	r->redump_pending = true;
	r->redumps++;
	engine_note(feed->engine, false, "router %s: closing BMP for a complete dump: %s",
		    r->name, why);
	feed->engine->ops.feed_redump(feed->engine->ctx, feed);
}

static void earlier(int64_t *next_ms, int64_t at_ms)
{
	if (at_ms >= 0 && (*next_ms < 0 || at_ms < *next_ms))
		*next_ms = at_ms;
}

/* When a dump may be asked for again. */
static int64_t redump_ms(const struct engine_feed *feed, int64_t now_ms)
{
	if (engine_redump_is_allowed(feed, now_ms))
		return now_ms;
	return feed->redump_asked ? -1 : feed->router->redump_ms + ENGINE_REDUMP_EVERY_MS;
}

/* Judges every peer of the stream that is not complete. */
static void judge_peers(struct engine *e, struct engine_feed *feed, int64_t now_ms,
			int64_t *next_ms)
{
	const char *why = "sessions came up after the last one";
	bool wait = false, redump = false;
	int64_t at_ms;

	for (struct engine_peer *p = e->peers; p; p = p->next) {
		const char *doubt = p->doubt;

		if (p->stream != feed->serial || !p->up)
			continue;
		redump |= p->unconfirmed;
		if (p->complete)
			continue;
		switch (judge_table(feed, p, now_ms)) {
		case WHOLE_AGAIN:
			p->unconfirmed = redump = true;
			wait |= !complete(feed, p);
			break;
		case WHOLE:
			wait |= !complete(feed, p);
			break;
		case NEEDS_DUMP:
			redump = true;
			/* or all comes back before that */
			if (now_ms < p->up_ms + BACK_AGE_MS)
				earlier(next_ms, p->up_ms + BACK_AGE_MS);
			break;
		case WAIT:
			wait = true;
			break;
		case NOT_BELIEVED:
			if (!doubt)
				note_doubt(e, p);
			break;
		case FULL:
			at_ms = engine_bound_dump_ms(e, p);
			if (at_ms > now_ms)
				earlier(next_ms, at_ms);
			if (at_ms < 0 || at_ms > now_ms)
				break;
			redump = true;
			why = "there is room for paths that were left out";
			break;
		}
		e->states_changed |= doubt != p->doubt;
	}
	if (wait)
		earlier(next_ms, now_ms + LOOK_MS);
	if (!redump || wait)
		return;
	/* one dump for all sessions that are coming up together */
	if (engine_redump_is_allowed(feed, now_ms))
		engine_redump_ask(feed, now_ms, why);
	else
		earlier(next_ms, redump_ms(feed, now_ms));
}

static void settle(struct engine *e, struct engine_feed *feed, int64_t now_ms,
		   int64_t *next_ms)
{
	int64_t quiet_ms = now_ms - feed->changed_ms, age_ms = now_ms - feed->opened_ms;

	if (feed->settled)
		return;
	if (age_ms < SETTLE_MS ||
	    ((quiet_ms < WHOLE_QUIET_MS || feed->queued != 0) && age_ms < SETTLE_LIMIT_MS)) {
		earlier(next_ms, now_ms + LOOK_MS);
		return;
	}
	feed->settled = feed->heard = true;
	e->states_changed = true;
	drop_unnamed(e, feed);
}

/* A dump on the router's timer, and one of a stream that says nothing: if it is
 * half open, closing it is all the cure. */
static void look_at_clock(struct engine *e, struct engine_feed *feed, int64_t now_ms,
			  int64_t *next_ms)
{
	const struct config_router *c = config_router_find(e->cfg, feed->router->name);
	int64_t silent_ms = c ? (int64_t)c->bmp_stats_s * 1000 * SILENT_INTERVALS : 0;
	int64_t dump_ms = -1;

	if (silent_ms != 0 && !feed->silent && now_ms - feed->last_ms >= silent_ms) {
		feed->silent = true;
		e->states_changed = true;
		engine_note(e, true,
			    "router %s: BMP has been silent for %lld s, three statistics "
			    "intervals: what it told is not relied on any more",
			    feed->router->name, (long long)silent_ms / 1000);
	}
	if (silent_ms != 0 && !feed->silent)
		earlier(next_ms, feed->last_ms + silent_ms);
	if (feed->silent)
		dump_ms = redump_ms(feed, now_ms);
	else if (c && c->redump_s != 0 && feed->settled)
		dump_ms = feed->opened_ms + (int64_t)c->redump_s * 1000;
	if (dump_ms >= 0 && dump_ms < redump_ms(feed, now_ms))
		dump_ms = redump_ms(feed, now_ms);
	if (dump_ms >= 0 && dump_ms <= now_ms)
		engine_redump_ask(feed, now_ms,
				  feed->silent ? "it says nothing" : "its timer has run out");
	else
		earlier(next_ms, dump_ms);
}

static void feed_run(struct engine *e, struct engine_feed *feed, int64_t now_ms,
		     int64_t *next_ms)
{
	judge_peers(e, feed, now_ms, next_ms);
	settle(e, feed, now_ms, next_ms);
	if (!feed->redump_asked)
		look_at_clock(e, feed, now_ms, next_ms);
}

/* ---- restarts ---- */

/* RFC 4724 sec. 4.2: a peer that is not back in its time has lost its routes. */
static void end_restarts(struct engine *e, int64_t now_ms, int64_t *next_ms)
{
	for (struct engine_peer *p = e->peers; p; p = p->next) {
		char addr[IP_TEXT_SIZE];

		if (p->restart_due_ms > now_ms) {
			earlier(next_ms, p->restart_due_ms);
			continue;
		}
		if (p->restart_due_ms < 0)
			continue;
		p->restart_due_ms = -1;
		for (int view = 0; view < RIB_VIEWS; view++) {
			for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
				rib_peer_clear(p->rib, (enum rib_view)view, family);
		}
		engine_peer_changed(e, p);
		engine_note(e, false, "router %s: peer %s has not come back: its routes go",
			    p->router->name,
			    ip_addr_format(&rib_peer_key(p->rib)->addr, addr));
	}
}

static void note_since(int64_t *lost_ms, bool live, int64_t now_ms)
{
	if (live)
		*lost_ms = -1;
	else if (*lost_ms < 0)
		*lost_ms = now_ms;
}

/* Since when each router has no feed, or no forwarding table; one that never
 * had any counts from the first look, for it may have had one before we started. */
static void note_lost(struct engine *e, int64_t now_ms)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		struct engine_router *r = e->routers[i];

		note_since(&r->lost_ms, engine_feed_is_live(r) || engine_bgp_is_live(r), now_ms);
		note_since(&r->fib_lost_ms, r->fib_live, now_ms);
	}
}

int64_t engine_feeds_run(struct engine *e, int64_t now_ms)
{
	int64_t next_ms = -1;

	for (struct engine_feed *feed = e->feeds; feed; feed = feed->next) {
		if (feed->router && !feed->redump_asked)
			feed_run(e, feed, now_ms, &next_ms);
	}
	end_restarts(e, now_ms, &next_ms);
	note_lost(e, now_ms);
	engine_doubt_tidy(e, now_ms);
	return next_ms;
}
