/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an edge may rely on: peers, routers, roles, paths in doubt.
 */
#include "controller/engine_feed_impl.h"

#include <stdio.h>
#include <string.h>

/* ---- what an edge may rely on ---- */

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
	if (!engine_peer_is_connected(p)) {
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
		if (feed && engine_redump_is_allowed(feed, now_ms))
			engine_redump_ask(feed, now_ms, "pre-policy and post-policy routes disagree");
	}
	return doubt;
}
