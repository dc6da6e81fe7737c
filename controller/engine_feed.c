/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * BMP streams: which router they come from, and what they say.
 */
#include "controller/engine_feed_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Peer Ups that follow the start of a stream, and each other, this closely are
 * its initial dump; later ones are sessions that came up just then. */
#define BURST_MS 1000

/* ---- what a stream says ---- */

static struct engine_router *router_of(struct engine_feed *feed, const char *sysname)
{
	struct engine *e = feed->engine;

	if (feed->relay[0] != '\0')
		return config_router_find(e->cfg, feed->relay)
			       ? engine_router_get(e, feed->relay)
			       : NULL;
	for (size_t i = 0; i < e->cfg->n_routers; i++) {
		const struct config_router *r = &e->cfg->routers[i];

		for (size_t k = 0; k < r->n_bmp_sources; k++) {
			if (ip_addr_equal(&r->bmp_sources[k], &feed->source))
				return engine_router_get(e, r->name);
		}
	}
	for (size_t i = 0; i < e->cfg->n_routers; i++) {
		const struct config_router *r = &e->cfg->routers[i];

		if (strcmp(r->name, sysname) == 0 && r->n_bmp_sources == 0)
			return engine_router_get(e, r->name);
	}
	return NULL;
}

static void refuse(struct engine_feed *feed, const char *sysname)
{
	char source[IP_TEXT_SIZE];

	feed->refused = true;
	ip_addr_format(&feed->source, source);
	if (feed->relay[0] != '\0')
		diag_set(&feed->diag, "BMP relayed from %s: there is no router %s any more",
			 source, feed->relay);
	else if (config_router_find(feed->engine->cfg, sysname))
		diag_set(&feed->diag,
			 "BMP speaker at %s calls itself %s, whose bmp source is another "
			 "address: type \"bmp source %s\" in router %s if it is right",
			 source, sysname, source, sysname);
	else
		diag_set(&feed->diag,
			 "BMP speaker at %s calls itself %s and there is no such router: type "
			 "\"router %s\", or \"bmp source %s\" in the router that it is",
			 source, sysname, sysname, source);
}

/* A certificate counts for more than an address. */
static bool may_replace(const struct engine_feed *feed, const struct engine_feed *held)
{
	if (feed->relay[0] != '\0')
		return true;
	return held->relay[0] == '\0' && ip_addr_equal(&held->source, &feed->source);
}

static void on_initiation(struct engine_feed *feed, const char *sysname)
{
	struct engine_router *r = router_of(feed, sysname);

	if (feed->router) /* RFC 7854 allows one; a second is only information */
		return;
	if (!r) {
		refuse(feed, sysname);
		return;
	}
	if (r->feed && !may_replace(feed, r->feed)) {
		char held[IP_TEXT_SIZE], source[IP_TEXT_SIZE];

		feed->refused = true;
		diag_set(&feed->diag,
			 "BMP speaker at %s claims to be router %s, which is connected from "
			 "%s: one of the two has the wrong name",
			 ip_addr_format(&feed->source, source), r->name,
			 ip_addr_format(&r->feed->source, held));
		return;
	}
	if (r->feed) { /* the same box once more: the older stream is a dead one */
		r->feed->superseded = true;
		r->feed->router = NULL;
	}
	feed->forced = r->redump_pending;
	r->redump_pending = false;
	r->feed = feed;
	feed->router = r;
	bmp_feed_set_router(feed->bmp, r->index);
	feed->engine->states_changed = true;
	engine_wake(feed->engine);
	engine_note(feed->engine, false, "router %s: BMP connected", r->name);
}

static void on_peer_up(struct engine_feed *feed, const struct bmp_event *event)
{
	struct engine_peer *p = engine_peer_get(feed->engine, event->peer);
	/* up on an earlier stream and never down since: the same session */
	bool same = p->up && p->stream != feed->serial;
	size_t n = engine_peer_paths(p);

	if (!same)
		p->known_up_ms = feed->now_ms;
	if (same || n != 0)
		p->had_paths = n;
	p->initial = feed->now_ms - feed->burst_ms <= BURST_MS;
	if (p->initial)
		feed->burst_ms = feed->now_ms;
	p->info = *event->info;
	p->has_info = true;
	p->up = true;
	p->complete = p->eor = p->unconfirmed = false;
	p->doubt = NULL;
	p->restart_due_ms = -1;
	rib_peer_retry(p->rib);
	p->stream = feed->serial;
	p->up_ms = feed->now_ms;
	feed->engine->remap = true;
	engine_peer_changed(feed->engine, p);
}

static void on_peer_down(struct engine_feed *feed, const struct bmp_event *event)
{
	struct engine_peer *p = engine_peer_get(feed->engine, event->peer);
	bool was_up = p->up;
	char addr[IP_TEXT_SIZE];

	p->up = p->complete = p->eor = p->unconfirmed = false;
	p->doubt = NULL;
	if (event->restart_s) {
		p->restart_due_ms = feed->now_ms + (int64_t)event->restart_s * 1000;
		engine_note(feed->engine, false,
			    "router %s: peer %s restarts gracefully: its routes stay for "
			    "%u s at most",
			    p->router->name,
			    ip_addr_format(&rib_peer_key(p->rib)->addr, addr),
			    event->restart_s);
	} else if (was_up) {
		engine_note(feed->engine, false, "router %s: peer %s is down",
			    p->router->name,
			    ip_addr_format(&rib_peer_key(p->rib)->addr, addr));
	}
	p->stream = feed->serial;
	engine_peer_changed(feed->engine, p);
}

static void on_event(const struct bmp_event *event, void *arg)
{
	struct engine_feed *feed = arg;
	struct engine_peer *p;

	if (feed->refused)
		return;
	switch (event->type) {
	case BMP_EVENT_INITIATION:
		on_initiation(feed, event->text);
		break;
	case BMP_EVENT_PEER_UP:
		on_peer_up(feed, event);
		break;
	case BMP_EVENT_PEER_DOWN:
		on_peer_down(feed, event);
		break;
	case BMP_EVENT_END_OF_RIB:
		p = engine_peer_get(feed->engine, event->peer);
		p->eor = true;
		engine_peer_changed(feed->engine, p);
		break;
	case BMP_EVENT_REFUSED:
		engine_note(feed->engine, true, "router %s: %s",
			    feed->router ? feed->router->name : "?", event->text);
		break;
	case BMP_EVENT_TERMINATION:
		break;
	}
}

struct engine_feed *engine_feed_open(struct engine *e, const struct ip_addr *source,
				     void *user, int64_t now_ms)
{
	struct engine_feed *feed = mem_alloc(sizeof(*feed));

	feed->engine = e;
	feed->source = *source;
	feed->user = user;
	feed->serial = ++e->serial;
	feed->opened_ms = feed->last_ms = feed->changed_ms = feed->now_ms = now_ms;
	feed->burst_ms = now_ms;
	feed->bmp = bmp_feed_new(e->rib, BMP_ROUTER_UNKNOWN, on_event, feed);
	feed->next = e->feeds;
	e->feeds = feed;
	return feed;
}

void engine_feed_relayed(struct engine_feed *feed, const char *router)
{
	snprintf(feed->relay, sizeof(feed->relay), "%s", router);
}

int engine_feed_bytes(struct engine_feed *feed, const void *data, size_t len,
		      int64_t now_ms, struct diag *diag)
{
	const struct bmp_feed_stats *stats = bmp_feed_stats(feed->bmp);
	char source[IP_TEXT_SIZE];

	engine_catch_up(feed->engine);
	feed->now_ms = feed->last_ms = now_ms;
	if (feed->silent) {
		feed->silent = false;
		feed->engine->states_changed = true;
		engine_wake(feed->engine);
	}
	if (feed->superseded)
		return diag_set(diag, "BMP from %s: the router has opened a newer stream",
				ip_addr_format(&feed->source, source));
	if (bmp_feed_bytes(feed->bmp, data, len, diag) < 0)
		return diag_prepend(diag, "BMP from %s%s%s",
				    ip_addr_format(&feed->source, source),
				    feed->router ? ", router " : "",
				    feed->router ? feed->router->name : "");
	if (feed->refused) {
		*diag = feed->diag;
		return -1;
	}
	if (!feed->router && stats->messages != 0)
		return diag_set(diag,
				"BMP from %s does not begin with an Initiation message "
				"(RFC 7854 sec. 4.3)",
				ip_addr_format(&feed->source, source));
	if (stats->announced + stats->withdrawn != feed->changes) {
		feed->changes = stats->announced + stats->withdrawn;
		feed->changed_ms = now_ms;
	}
	return 0;
}

void engine_feed_queued(struct engine_feed *feed, size_t bytes)
{
	feed->queued = bytes;
	if (bytes > feed->queued_max)
		feed->queued_max = bytes;
}

void engine_feed_close(struct engine_feed *feed, const char *why, int64_t now_ms)
{
	struct engine *e = feed->engine;
	struct engine_feed **at = &e->feeds;

	(void)now_ms;
	engine_catch_up(e);
	while (*at != feed)
		at = &(*at)->next;
	*at = feed->next;
	bmp_feed_free(feed->bmp);
	if (feed->router) {
		feed->router->feed = NULL;
		engine_note(e, !feed->redump_asked,
			    "router %s: BMP closed (%s); its routes stay as they were",
			    feed->router->name, why);
		/* edges that read this router are not settled any more */
		e->states_changed = true;
		engine_wake(e);
	}
	free(feed);
}

bool engine_feed_is_live(const struct engine_router *r)
{
	return r->feed && !r->feed->silent;
}

void *engine_feed_user(const struct engine_feed *feed)
{
	return feed->user;
}

bool engine_feed_is_relayed(const struct engine_feed *feed)
{
	return feed->relay[0] != '\0';
}

/* ---- to show ---- */

void engine_feeds_walk(const struct engine *e, engine_feed_fn *fn, void *arg)
{
	for (const struct engine_feed *feed = e->feeds; feed; feed = feed->next) {
		struct engine_feed_status status = {
			.router = feed->router ? feed->router->name : "",
			.relayed = feed->relay[0] != '\0',
			.source = feed->source,
			.sysdescr = bmp_feed_sysdescr(feed->bmp),
			.since_ms = feed->opened_ms,
			.last_ms = feed->last_ms,
			.stats = bmp_feed_stats(feed->bmp),
			.redumps = feed->router ? feed->router->redumps : 0,
			.queued_bytes = feed->queued + bmp_feed_pending(feed->bmp),
			.queued_max_bytes = feed->queued_max,
			.silent = feed->silent,
		};

		fn(&status, arg);
	}
}
