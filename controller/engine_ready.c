/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an edge may rely on: peers, routers, roles.
 */
#include "controller/engine_feed_impl.h"

#include <stdio.h>
#include <string.h>

/* ---- what an edge may rely on ---- */

/* What stands in an edge's way, one by one: the first becomes its reason. */
struct judge {
	const struct engine *e;
	struct engine_edge *state; /* ready, settled, reason */
	engine_wait_fn *fn;	   /* NULL: nobody asks for the others */
	void *arg;
};

static void wait_for(struct judge *j, const char *router, const struct ip_addr *peer,
		     const char *why)
{
	struct engine_wait wait = { .router = router, .why = why };
	struct engine_edge *state = j->state;
	char addr[IP_TEXT_SIZE];

	state->ready = false;
	if (peer)
		wait.peer = *peer;
	if (j->fn)
		j->fn(&wait, j->arg);
	if (state->reason[0] != '\0')
		return;
	if (peer)
		snprintf(state->reason, sizeof(state->reason), "peer %s of router %s %s",
			 ip_addr_format(peer, addr), router, why);
	else
		snprintf(state->reason, sizeof(state->reason), "router %s %s", router, why);
}

/* The operator knows of it: no edge waits for it. What it sends still counts. */
static bool is_excluded(const struct engine *e, const char *router,
			const struct ip_addr *peer)
{
	const struct config_router *r = config_router_find(e->cfg, router);

	for (size_t i = 0; r && i < r->n_excluded; i++) {
		if (ip_addr_equal(&r->excluded[i], peer))
			return true;
	}
	return r && r->exclude_bgp;
}

/* Does a mode that reads the whole network depend on this peer? Internal sessions
 * bring what other routers' feeds bring as well, or what comes from routers that
 * have none: so one is waited for that is in the middle of its table, and not if
 * it is down or shows nothing. */
static bool network_reads(const struct engine *e, const struct engine_peer *p)
{
	if (engine_peer_has_edge(p))
		return true;
	if (!p->up || !config_router_find(e->cfg, p->router->name))
		return false;
	return !p->info.is_ibgp || (engine_peer_paths(p) != 0 && engine_peer_is_connected(p));
}

static void judge_peer(struct judge *j, const struct engine_peer *p)
{
	const struct ip_addr *addr = &rib_peer_key(p->rib)->addr;
	const char *router = p->router->name;

	if (is_excluded(j->e, router, addr))
		return;
	if (!engine_peer_is_connected(p)) {
		j->state->settled = false;
		wait_for(j, router, addr, "has no live feed");
	} else if (!p->up) {
		wait_for(j, router, addr, "is down");
	} else if (!p->complete) {
		j->state->settled = false;
		wait_for(j, router, addr,
			 p->doubt ? p->doubt : "has not sent its whole table yet");
	}
}

/* Peers that the operator named and no feed has shown. */
static void judge_named(struct judge *j, size_t edge)
{
	const struct config_edge *c = &j->e->cfg->edges[edge];

	for (size_t i = 0; i < c->n_peers; i++) {
		const struct engine_way *way = j->state->ways;

		while (way && !ip_addr_equal(&rib_peer_key(way->peer->rib)->addr, &c->peers[i]))
			way = way->edge_next;
		if (!way && !is_excluded(j->e, c->router, &c->peers[i]))
			wait_for(j, c->router, &c->peers[i], "has been shown by no feed");
	}
}

static void judge_router(struct judge *j, const char *name)
{
	const struct engine_router *r = engine_router_find(j->e, name);
	const struct config_router *c = config_router_find(j->e->cfg, name);
	bool live = r && (engine_feed_is_live(r) || engine_bgp_is_live(r));

	if (c && c->exclude_bgp)
		return;
	if (r && ((engine_feed_is_live(r) && r->feed->heard) || engine_bgp_is_complete(r)))
		return;
	j->state->settled = false;
	wait_for(j, name, NULL,
		 live ? "has not sent a whole table yet" : "has no live feed of BMP or BGP");
}

/* BGP with others than ourselves is to be expected there. */
static bool is_border(const struct config_edge *c)
{
	return config_edge_is_customer(c) || c->role == ROLE_PEER || c->role == ROLE_PROVIDER;
}

/* Network-wide sets read every router that has such an edge: a provider may be
 * the only one who tells of a customer's other prefixes. A stream that has just
 * begun may not have named its peers yet. */
static void judge_routers(struct judge *j)
{
	const char *judged = "";

	for (size_t i = 0; i < j->e->cfg->n_edges; i++) {
		const struct config_edge *c = &j->e->cfg->edges[i];

		if (!is_border(c) || strcmp(c->router, judged) == 0)
			continue;
		judged = c->router;
		judge_router(j, judged);
	}
}

/* Peers that may be on the edge, or, SETS_NO_EDGE, on any customer's, and are on
 * none yet. No edge begins without them; while the router's routes are to come,
 * nothing leaves either. */
static void judge_unplaced(struct judge *j, const struct engine_peer *p, size_t edge)
{
	const struct ip_addr *addr = &rib_peer_key(p->rib)->addr;

	if (!p->up || engine_peer_has_edge(p) || is_excluded(j->e, p->router->name, addr))
		return;
	if (p->placing == PLACE_WAITS) {
		j->state->settled = false;
		wait_for(j, p->router->name, addr,
			 "is on no edge before the router's routes are here, or a \"peer\" "
			 "statement");
	} else if (p->placing == PLACE_UNCLEAR && engine_place_may_be(j->e, p, edge)) {
		wait_for(j, p->router->name, addr,
			 "may be on one edge or another: it takes a \"peer\" statement");
	}
}

/* Whose session ends on a customer's interface is known by the interfaces of its
 * router, which an agent tells; until then its routes are no customer's, and what
 * they bring is missing in every network-wide set. */
static void judge_interfaces(struct judge *j)
{
	const char *judged = "";

	for (size_t i = 0; i < j->e->cfg->n_edges; i++) {
		const struct config_edge *c = &j->e->cfg->edges[i];
		const struct config_router *cr = config_router_find(j->e->cfg, c->router);
		const struct engine_router *r = engine_router_find(j->e, c->router);

		if (!config_edge_is_customer(c) || c->n_peers != 0 || j->e->edges[i]->ways ||
		    (r && r->inventory_known) || (cr && cr->exclude_bgp) ||
		    strcmp(c->router, judged) == 0)
			continue;
		judged = c->router;
		j->state->settled = false;
		wait_for(j, c->router, NULL,
			 "has an agent that has not told its interfaces yet");
	}
}

static size_t judge_network(struct judge *j)
{
	size_t n = 0;

	for (const struct engine_peer *p = j->e->peers; p; p = p->next) {
		judge_unplaced(j, p, SETS_NO_EDGE);
		if (network_reads(j->e, p)) {
			judge_peer(j, p);
			n++;
		}
	}
	judge_routers(j);
	judge_interfaces(j);
	return n;
}

static size_t judge_edge(struct judge *j, size_t edge)
{
	const char *router = j->e->cfg->edges[edge].router;
	size_t n = 0;

	for (const struct engine_way *way = j->state->ways; way; way = way->edge_next) {
		judge_peer(j, way->peer);
		n++;
	}
	judge_named(j, edge);
	if (j->e->n_unplaced == 0)
		return n;
	for (const struct engine_peer *p = j->e->peers; p; p = p->next) {
		if (strcmp(p->router->name, router) == 0)
			judge_unplaced(j, p, edge);
	}
	return n;
}

/* The customers' sessions with this router, which strict-direct reads beside its
 * FIB; a router without BGP has none. */
static void judge_direct(struct judge *j, const char *router)
{
	judge_router(j, router);
	for (const struct engine_peer *p = j->e->peers; p; p = p->next) {
		if (strcmp(p->router->name, router) != 0)
			continue;
		if (engine_peer_is_customer(j->e, p))
			judge_peer(j, p);
		judge_unplaced(j, p, SETS_NO_EDGE);
	}
}

static void judge_all(struct judge *j, size_t edge, enum edge_mode mode)
{
	size_t n = 1;

	if (mode == MODE_STRICT_DIRECT)
		judge_direct(j, j->e->cfg->edges[edge].router);
	else if (mode == MODE_FEASIBLE)
		n = judge_edge(j, edge);
	else
		n = judge_network(j);
	if (n != 0)
		return;
	j->state->ready = j->state->settled = false;
	if (j->state->reason[0] == '\0')
		snprintf(j->state->reason, sizeof(j->state->reason),
			 "no BGP peer is known on this edge");
}

void engine_peers_state(const struct engine *e, size_t edge, enum edge_mode mode,
			struct engine_edge *state)
{
	struct judge j = { .e = e, .state = state };

	if (mode != MODE_STRICT_DIRECT) /* else its FIB has been judged */
		state->ready = state->settled = true;
	judge_all(&j, edge, mode);
}

static bool reads_bgp(enum edge_mode mode)
{
	return mode == MODE_FEASIBLE || mode == MODE_EFP_A || mode == MODE_EFP_B ||
	       mode == MODE_LOOSE || mode == MODE_LOOSE_NO_DEFAULT ||
	       mode == MODE_STRICT_DIRECT;
}

void engine_edge_waits(const struct engine *e, const char *router, const char *interface,
		       engine_wait_fn *fn, void *arg)
{
	const struct config_edge *c = config_edge_find(e->cfg, router, interface);
	struct engine_edge scratch = { 0 };
	struct judge j = { .e = e, .state = &scratch, .fn = fn, .arg = arg };

	if (!c || c->role == ROLE_NONE || !reads_bgp(config_edge_mode(c)))
		return;
	scratch.ways = e->edges[c - e->cfg->edges]->ways;
	judge_all(&j, (size_t)(c - e->cfg->edges), config_edge_mode(c));
}

/* ---- since when nothing tells ---- */

static void earlier(int64_t *since, int64_t at)
{
	if (at >= 0 && (*since < 0 || at < *since))
		*since = at;
}

static int64_t bgp_lost_ms(const struct engine *e, const char *router)
{
	const struct engine_router *r = engine_router_find(e, router);
	const struct config_router *c = config_router_find(e->cfg, router);

	return r && !(c && c->exclude_bgp) ? r->lost_ms : -1;
}

static int64_t network_lost_ms(const struct engine *e, const char *router)
{
	int64_t since = bgp_lost_ms(e, router);
	const char *seen = "";

	for (size_t i = 0; i < e->cfg->n_edges; i++) {
		const struct config_edge *c = &e->cfg->edges[i];

		if (!is_border(c) || strcmp(c->router, seen) == 0)
			continue;
		seen = c->router;
		earlier(&since, bgp_lost_ms(e, seen));
	}
	return since;
}

int64_t engine_dead_since_ms(const struct engine *e, size_t edge)
{
	const char *router = e->cfg->edges[edge].router;
	const struct engine_router *r = engine_router_find(e, router);
	int64_t since = -1;

	switch (config_edge_mode(&e->cfg->edges[edge])) {
	case MODE_STRICT:
		return r ? r->fib_lost_ms : -1;
	case MODE_STRICT_DIRECT:
		earlier(&since, r ? r->fib_lost_ms : -1);
		earlier(&since, bgp_lost_ms(e, router));
		return since;
	case MODE_FEASIBLE:
		return bgp_lost_ms(e, router);
	case MODE_EFP_A:
	case MODE_EFP_B:
		return network_lost_ms(e, router);
	case MODE_LOOSE:
	case MODE_LOOSE_NO_DEFAULT:
		since = network_lost_ms(e, router);
		if (r && r->fib)
			earlier(&since, r->fib_lost_ms);
		return since;
	case MODE_DEFAULT:
	case MODE_ACL:
	case MODE_EGRESS:
	case MODE_OFF:
		break;
	}
	return -1;
}

/* ---- roles ---- */

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

	for (struct engine_way *way = state->ways; way; way = way->edge_next) {
		const struct engine_peer *p = way->peer;
		char addr[IP_TEXT_SIZE];

		if (!p->up || p->info.is_ibgp || p->info.remote_role == BGP_ROLE_NONE ||
		    role_fits(c->role, p->info.remote_role)) {
			way->role_alarm = false;
			continue;
		}
		ip_addr_format(&rib_peer_key(p->rib)->addr, addr);
		if (!way->role_alarm)
			engine_note(e, true,
				    "edge %s %s has role %s, but its peer %s calls itself %s in "
				    "BGP (RFC 9234): correct one of the two",
				    c->router, c->interface, edge_role_name(c->role), addr,
				    role_text(p->info.remote_role));
		way->role_alarm = true;
		if (state->started)
			continue;
		state->ready = false;
		snprintf(state->reason, sizeof(state->reason),
			 "peer %s calls itself %s in BGP (RFC 9234), the edge's role is %s", addr,
			 role_text(p->info.remote_role), edge_role_name(c->role));
	}
}
