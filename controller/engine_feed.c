/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Streams, peers, and which edge a peer is reached by.
 */
#include "controller/engine_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* When a peer's table is believed to be whole. Neither Peer Up nor End-of-RIB
 * says so: FRR (8.4.4) sends the first routes of a new session seconds after its
 * Peer Up, and a dump that began in between ends all the same. So a peer has to
 * be up for a while and quiet; one that never is quiet has a limit. */
#define WHOLE_AGE_MS   10000
#define WHOLE_QUIET_MS 5000
#define WHOLE_LIMIT_MS 60000
/* Peer Ups that follow the start of a stream, and each other, this closely are
 * its initial dump; later ones are sessions that came up just then. */
#define BURST_MS 1000
/* Peers of earlier streams that this one has not named by then are gone. */
#define SETTLE_MS	30000
#define SETTLE_LIMIT_MS 120000
#define REDUMP_EVERY_MS ((int64_t)600 * 1000)
#define LOOK_MS		250

/* ---- peers ---- */

static struct engine_peer *peer_get(struct engine *e, struct rib_peer *rib)
{
	struct engine_peer *p = rib_peer_user(rib);

	if (p)
		return p;
	p = mem_alloc(sizeof(*p));
	p->rib = rib;
	p->router = e->routers[rib_peer_key(rib)->router];
	p->edge = SETS_NO_EDGE;
	p->mapping = "no Peer Up seen yet";
	p->next = e->peers;
	e->peers = p;
	rib_peer_set_user(rib, p);
	e->remap = true;
	return p;
}

/* Routes of this peer changed. */
static void peer_dirty(struct engine *e, const struct engine_peer *p)
{
	if (p->edge != SETS_NO_EDGE)
		engine_edge_dirty(e, p->edge);
	p->router->routes_changed = true;
	e->routes_changed = true;
	engine_wake(e);
}

/* What may be relied on changed with this peer, and so may have routes. */
static void peer_state(struct engine *e, const struct engine_peer *p)
{
	e->states_changed = true;
	peer_dirty(e, p);
}

static void on_route(struct rib_peer *rib, enum rib_view view, const struct ip_prefix *prefix,
		     const struct rib_attr *old, const struct rib_attr *new, void *arg)
{
	struct engine *e = arg;
	struct engine_peer *p = peer_get(e, rib);

	(void)old;
	(void)new;

	if (p->router->feed)
		p->changed_ms = p->router->feed->now_ms;
	if (view == rib_peer_view(rib, prefix->family))
		peer_dirty(e, p);
}

void engine_peer_free(struct engine *e, struct engine_peer *gone)
{
	struct engine_peer **at = &e->peers;

	while (*at != gone)
		at = &(*at)->next;
	peer_state(e, gone);
	e->remap = true;
	*at = gone->next;
	rib_peer_remove(gone->rib);
	free(gone);
}

void engine_feeds_init(struct engine *e)
{
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

		/* an index of before a deletion may be out of range: that
		 * edge is dirty by the command itself */
		if (p->edge != edge && p->edge != SETS_NO_EDGE && p->edge < e->n_edges)
			engine_edge_dirty(e, p->edge);
		if (p->edge != edge) {
			p->edge = edge;
			peer_state(e, p);
		}
		if (edge != SETS_NO_EDGE) {
			p->edge_next = e->edges[edge]->peers;
			e->edges[edge]->peers = p;
		}
	}
}

/* ---- what a stream says ---- */

static struct engine_router *router_of(struct engine_feed *feed, const char *sysname)
{
	struct engine *e = feed->engine;

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
	if (config_router_find(feed->engine->cfg, sysname))
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

static void on_initiation(struct engine_feed *feed, const char *sysname)
{
	struct engine_router *r = router_of(feed, sysname);

	if (feed->router) /* RFC 7854 allows one; a second is only information */
		return;
	if (!r) {
		refuse(feed, sysname);
		return;
	}
	if (r->feed && !ip_addr_equal(&r->feed->source, &feed->source)) {
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
	struct engine_peer *p = peer_get(feed->engine, event->peer);

	/* up on an earlier stream and never down since: the same session */
	if (!p->up || p->stream == feed->serial)
		p->known_up_ms = feed->now_ms;
	p->initial = feed->now_ms - feed->burst_ms <= BURST_MS;
	if (p->initial)
		feed->burst_ms = feed->now_ms;
	p->info = *event->info;
	p->has_info = true;
	p->up = true;
	p->complete = p->eor = false;
	p->stream = feed->serial;
	p->up_ms = feed->now_ms;
	feed->engine->remap = true;
	peer_state(feed->engine, p);
}

static void on_peer_down(struct engine_feed *feed, const struct bmp_event *event)
{
	struct engine_peer *p = peer_get(feed->engine, event->peer);

	p->up = p->complete = p->eor = false;
	p->stream = feed->serial;
	peer_state(feed->engine, p);
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
		p = peer_get(feed->engine, event->peer);
		p->eor = true;
		peer_state(feed->engine, p);
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

int engine_feed_bytes(struct engine_feed *feed, const void *data, size_t len,
		      int64_t now_ms, struct diag *diag)
{
	const struct bmp_feed_stats *stats = bmp_feed_stats(feed->bmp);
	char source[IP_TEXT_SIZE];

	engine_catch_up(feed->engine);
	feed->now_ms = feed->last_ms = now_ms;
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

void *engine_feed_user(const struct engine_feed *feed)
{
	return feed->user;
}

/* ---- completion ---- */

static void complete(struct engine_feed *feed, struct engine_peer *p)
{
	char addr[IP_TEXT_SIZE];

	p->complete = feed->heard = true;
	p->dump_ms = feed->opened_ms;
	bmp_feed_peer_complete(feed->bmp, p->rib);
	peer_state(feed->engine, p);
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

static bool redump_is_allowed(const struct engine_feed *feed, int64_t now_ms)
{
	int64_t last_ms = feed->router->redump_ms;

	return !feed->redump_asked &&
	       (last_ms == INT64_MIN || now_ms - last_ms >= REDUMP_EVERY_MS);
}

static void ask_redump(struct engine_feed *feed, int64_t now_ms, const char *why)
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
	if (redump && !wait && redump_is_allowed(feed, now_ms))
		ask_redump(feed, now_ms, "sessions came up after the last one");
	if (!feed->settled && age_ms >= SETTLE_MS &&
	    (quiet_ms >= WHOLE_QUIET_MS || age_ms >= SETTLE_LIMIT_MS)) {
		feed->settled = feed->heard = true;
		e->states_changed = true;
		drop_unnamed(e, feed);
	}
	return waiting || !feed->settled;
}

/* Since when each router has no feed; one that never had any counts from the
 * first look, for it may have had one before we started. */
static void note_lost(struct engine *e, int64_t now_ms)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		struct engine_router *r = e->routers[i];

		if (r->feed || engine_bgp_is_live(r))
			r->lost_ms = -1;
		else if (r->lost_ms < 0)
			r->lost_ms = now_ms;
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

/* ---- what an edge may rely on ---- */

static bool is_connected(const struct engine_peer *p)
{
	if (engine_bgp_is_peer(p))
		return engine_bgp_is_live(p->router);
	return p->router->feed && p->router->feed->serial == p->stream;
}

/* Does a mode that reads the whole network depend on this peer? Internal
 * sessions bring what other routers' feeds bring as well. */
static bool network_reads(const struct engine *e, const struct engine_peer *p)
{
	if (p->edge != SETS_NO_EDGE)
		return true;
	return p->up && !p->info.is_ibgp && config_router_find(e->cfg, p->router->name);
}

static void not_ready(struct engine_edge *state, const char *why, const struct engine_peer *p)
{
	char addr[IP_TEXT_SIZE];

	state->ready = false;
	if (state->reason[0] == '\0')
		snprintf(state->reason, sizeof(state->reason), "peer %s of router %s %s",
			 ip_addr_format(&rib_peer_key(p->rib)->addr, addr), p->router->name,
			 why);
}

static void judge_peer(const struct engine_peer *p, struct engine_edge *state)
{
	if (!is_connected(p)) {
		state->settled = false;
		not_ready(state, "has no live feed", p);
	} else if (!p->up) {
		not_ready(state, "is down", p);
	} else if (!p->complete) {
		state->settled = false;
		not_ready(state, "has not sent its whole table yet", p);
	}
}

/* Peers that the operator named and no feed has shown. */
static void judge_named(const struct engine *e, size_t edge, struct engine_edge *state)
{
	const struct config_edge *c = &e->cfg->edges[edge];

	for (size_t i = 0; i < c->n_peers; i++) {
		const struct engine_peer *p = state->peers;
		char addr[IP_TEXT_SIZE];

		while (p && !ip_addr_equal(&rib_peer_key(p->rib)->addr, &c->peers[i]))
			p = p->edge_next;
		if (p)
			continue;
		state->ready = false;
		if (state->reason[0] == '\0')
			snprintf(state->reason, sizeof(state->reason),
				 "no feed has shown peer %s of this edge",
				 ip_addr_format(&c->peers[i], addr));
	}
}

/* Network-wide sets read every router that has a customer edge; a stream that
 * has just begun may not have named its peers yet. */
static void judge_routers(const struct engine *e, struct engine_edge *state)
{
	const char *judged = "";

	for (size_t i = 0; i < e->cfg->n_edges; i++) {
		const struct config_edge *c = &e->cfg->edges[i];
		const struct engine_router *r;

		if (!config_edge_is_customer(c) || strcmp(c->router, judged) == 0)
			continue;
		judged = c->router;
		r = engine_router_find(e, c->router);
		if (r && ((r->feed && r->feed->heard) || engine_bgp_is_complete(r)))
			continue;
		state->ready = state->settled = false;
		if (state->reason[0] == '\0')
			snprintf(state->reason, sizeof(state->reason), "router %s %s", c->router,
				 r && (r->feed || engine_bgp_is_live(r)) ?
					 "has not sent a whole table yet" :
						"has no live feed");
	}
}

static size_t judge_network(const struct engine *e, struct engine_edge *state)
{
	size_t n = 0;

	for (const struct engine_peer *p = e->peers; p; p = p->next) {
		if (network_reads(e, p)) {
			judge_peer(p, state);
			n++;
		}
	}
	judge_routers(e, state);
	return n;
}

static size_t judge_edge(const struct engine *e, size_t edge, struct engine_edge *state)
{
	size_t n = 0;

	for (const struct engine_peer *p = state->peers; p; p = p->edge_next) {
		judge_peer(p, state);
		n++;
	}
	judge_named(e, edge, state);
	return n;
}

void engine_peers_state(const struct engine *e, size_t edge, enum edge_mode mode,
			struct engine_edge *state)
{
	size_t n;

	state->ready = state->settled = true;
	if (mode == MODE_FEASIBLE)
		n = judge_edge(e, edge, state);
	else
		n = judge_network(e, state);
	if (n == 0) {
		state->ready = state->settled = false;
		if (state->reason[0] == '\0')
			snprintf(state->reason, sizeof(state->reason),
				 "no BGP peer is known on this edge");
	}
}

/* What the other side calls itself (RFC 9234 sec. 4.1), by the edge's role. */
static bool role_fits(enum edge_role role, int remote)
{
	switch (role) {
	case ROLE_CUSTOMER:
	case ROLE_STUB:
	case ROLE_HOST:
		return remote == BGP_ROLE_CUSTOMER;
	case ROLE_PEER: /* an exchange's route server counts as a peer */
		return remote == BGP_ROLE_PEER || remote == BGP_ROLE_RS ||
		       remote == BGP_ROLE_RS_CLIENT;
	case ROLE_PROVIDER:
		return remote == BGP_ROLE_PROVIDER;
	case ROLE_INTERNAL:
	case ROLE_NONE:
		return true;
	}
	return true;
}

static const char *role_text(int remote)
{
	static const char *const names[] = { "provider", "route server",
					     "route server client", "customer", "peer" };

	return remote >= 0 && remote < 5 ? names[remote] : "unknown";
}

void engine_peers_roles(struct engine *e, size_t edge, struct engine_edge *state)
{
	const struct config_edge *c = &e->cfg->edges[edge];

	for (struct engine_peer *p = state->peers; p; p = p->edge_next) {
		char addr[IP_TEXT_SIZE];

		if (!p->up || p->info.is_ibgp || p->info.remote_role == BGP_ROLE_NONE ||
		    role_fits(c->role, p->info.remote_role)) {
			p->role_alarm = false;
			continue;
		}
		ip_addr_format(&rib_peer_key(p->rib)->addr, addr);
		if (!p->role_alarm)
			engine_note(e, true,
				    "edge %s %s has role %s, but its peer %s calls itself %s in "
				    "BGP (RFC 9234): correct one of the two",
				    c->router, c->interface, edge_role_name(c->role), addr,
				    role_text(p->info.remote_role));
		p->role_alarm = true;
		if (state->started)
			continue;
		state->ready = false;
		snprintf(state->reason, sizeof(state->reason),
			 "peer %s calls itself %s in BGP (RFC 9234), the edge's role is %s", addr,
			 role_text(p->info.remote_role), edge_role_name(c->role));
	}
}

struct grace {
	const struct engine_peer *p;
	struct addrset lost;
};

static void grace_path(const struct ip_prefix *prefix, uint32_t path_id,
		       const struct rib_attr *attr, void *arg)
{
	struct grace *g = arg;

	(void)path_id;
	(void)attr;
	if (!sets_prefix_is_too_short(prefix) && !rib_lookup(g->p->rib, RIB_POST, prefix))
		addrset_append(&g->lost, prefix);
}

/* The peer's pre-policy alone holds some of gone. */
static bool is_doubted(const struct engine_peer *p, const struct addrset *gone)
{
	struct grace g = { .p = p };
	bool any;

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (rib_peer_view(p->rib, family) == RIB_POST)
			rib_walk(p->rib, RIB_PRE, family, grace_path, &g);
	}
	addrset_normalize(&g.lost);
	addrset_intersect(&g.lost, &g.lost, gone);
	any = !addrset_is_empty(&g.lost);
	addrset_fini(&g.lost);
	return any;
}

/* The customers' tables are what most of a network-wide set consists of; those
 * of providers are too long to be walked for this. */
static bool may_speak_for(const struct engine *e, const struct engine_peer *p, size_t edge)
{
	return p->edge == edge ||
	       (p->edge != SETS_NO_EDGE &&
		config_edge_mode(&e->cfg->edges[edge]) != MODE_FEASIBLE &&
		config_edge_is_customer(&e->cfg->edges[p->edge]));
}

/* The feed has left out paths with a loop already. A pre-policy path delays a
 * post-policy removal until a dump that began after it: such a dump has the
 * last word, so peers that have completed one speak for nothing here. What left
 * together waits together: with the origin of a path a network-wide set loses
 * more than its prefix. */
bool engine_peers_doubt(struct engine *e, size_t edge, const struct hold_entry *entry,
			int64_t now_ms)
{
	bool doubt = false;

	for (const struct engine_peer *p = e->peers; p; p = p->next) {
		struct engine_feed *feed = p->router->feed;

		if (!may_speak_for(e, p, edge) || p->dump_ms > entry->since_ms ||
		    !is_doubted(p, &entry->gone))
			continue;
		doubt = true;
		if (feed && redump_is_allowed(feed, now_ms))
			ask_redump(feed, now_ms, "pre-policy and post-policy routes disagree");
	}
	return doubt;
}

/* ---- to show ---- */

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
			.feed_connected = is_connected(p),
		};

		fn(&status, arg);
	}
}

void engine_feeds_walk(const struct engine *e, engine_feed_fn *fn, void *arg)
{
	for (const struct engine_feed *feed = e->feeds; feed; feed = feed->next) {
		struct engine_feed_status status = {
			.router = feed->router ? feed->router->name : "",
			.source = feed->source,
			.sysdescr = bmp_feed_sysdescr(feed->bmp),
			.since_ms = feed->opened_ms,
			.last_ms = feed->last_ms,
			.stats = bmp_feed_stats(feed->bmp),
			.redumps = feed->router ? feed->router->redumps : 0,
		};

		fn(&status, arg);
	}
}
