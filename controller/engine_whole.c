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
/* Peers of earlier streams that this one has not named by then are gone. */
#define SETTLE_MS	30000
#define SETTLE_LIMIT_MS 120000
#define REDUMP_EVERY_MS ((int64_t)600 * 1000)
#define LOOK_MS		250

/* ---- completion ---- */

static void complete(struct engine_feed *feed, struct engine_peer *p)
{
	char addr[IP_TEXT_SIZE];

	p->complete = feed->heard = true;
	p->dump_ms = feed->opened_ms;
	bmp_feed_peer_complete(feed->bmp, p->rib);
	engine_peer_changed(feed->engine, p);
	engine_note(feed->engine, false, "router %s: peer %s is complete, %zu paths",
		    p->router->name, ip_addr_format(&rib_peer_key(p->rib)->addr, addr),
		    rib_path_count(p->rib, rib_peer_view(p->rib, IP_V4), IP_V4) +
			    rib_path_count(p->rib, rib_peer_view(p->rib, IP_V6), IP_V6));
}

struct difference {
	const struct engine_peer *p;
	bool found;
};

static void look_for(const struct ip_prefix *prefix, uint32_t path_id,
		     const struct rib_attr *attr, void *arg)
{
	struct difference *d = arg;

	(void)path_id;
	(void)attr;
	if (!d->found && !rib_lookup(d->p->rib, RIB_POST, prefix))
		d->found = true;
}

/* Pre-policy has prefixes that post-policy lacks: denied by policy, or lost. */
static bool views_differ(const struct engine_peer *p)
{
	struct difference d = { .p = p };

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (rib_peer_view(p->rib, family) == RIB_POST)
			rib_walk(p->rib, RIB_PRE, family, look_for, &d);
	}
	return d.found;
}

enum verdict {
	WAIT,
	WHOLE,
	NEEDS_DUMP,
};

/* A session that came up after its stream's dump has no End-of-RIB, and FRR may
 * have lost post-policy paths of it (8.4.4 sends them as withdrawals while next
 * hops are unresolved): only a dump that began when the session was settled
 * shows its table. What such a dump leaves out was denied by policy. */
static enum verdict judge_table(const struct engine_feed *feed, const struct engine_peer *p,
				int64_t now_ms)
{
	int64_t age_ms = now_ms - p->up_ms;
	int64_t last_ms = p->changed_ms > p->up_ms ? p->changed_ms : p->up_ms;

	if (age_ms < WHOLE_AGE_MS ||
	    (now_ms - last_ms < WHOLE_QUIET_MS && age_ms < WHOLE_LIMIT_MS))
		return WAIT;
	if (!p->eor && !(feed->forced && p->initial))
		return NEEDS_DUMP;
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
			engine_peer_free(e, p);
	}
}

bool engine_redump_is_allowed(const struct engine_feed *feed, int64_t now_ms)
{
	int64_t last_ms = feed->router->redump_ms;

	return !feed->redump_asked &&
	       (last_ms == INT64_MIN || now_ms - last_ms >= REDUMP_EVERY_MS);
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

/* True when something about this stream will change without new bytes. */
static bool feed_run(struct engine *e, struct engine_feed *feed, int64_t now_ms)
{
	int64_t quiet_ms = now_ms - feed->changed_ms, age_ms = now_ms - feed->opened_ms;
	bool waiting = false, wait = false, redump = false;

	for (struct engine_peer *p = e->peers; p; p = p->next) {
		if (p->stream != feed->serial || !p->up || p->complete)
			continue;
		switch (judge_table(feed, p, now_ms)) {
		case WHOLE:
			complete(feed, p);
			continue;
		case NEEDS_DUMP:
			redump = true;
			break;
		case WAIT:
			wait = true;
			break;
		}
		waiting = true;
	}
	/* one dump for all sessions that are coming up together */
	if (redump && !wait && engine_redump_is_allowed(feed, now_ms))
		engine_redump_ask(feed, now_ms, "sessions came up after the last one");
	if (!feed->settled && age_ms >= SETTLE_MS &&
	    (quiet_ms >= WHOLE_QUIET_MS || age_ms >= SETTLE_LIMIT_MS)) {
		feed->settled = feed->heard = true;
		e->states_changed = true;
		drop_unnamed(e, feed);
	}
	return waiting || !feed->settled;
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
	bool again = false;

	note_lost(e, now_ms);

	for (struct engine_feed *feed = e->feeds; feed; feed = feed->next) {
		if (feed->router && !feed->redump_asked)
			again |= feed_run(e, feed, now_ms);
	}
	return again ? now_ms + LOOK_MS : -1;
}
