/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which edges a peer's paths come in by.
 *
 * In this order: what the operator says; the link that a session's own address is
 * on, if the peer's is on it as well; the link that the peer's address is on; the
 * router's route to it, whose links are all of them the peer's. For a path of the
 * router's own BGP session the next hop is the peer. What several links could be
 * is nobody's: guessed wrong, an edge would drop honest packets and another one
 * accept forged ones.
 */
#include "controller/engine_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAY_PEER "type \"peer ADDRESS\" in its edge"

struct query {
	const struct engine *e;
	const struct engine_router *r;
	const struct ip_addr *addr;
	struct engine_place *out;
};

/* Interfaces of a router, by their number in its inventory. */
struct links {
	size_t n;
	size_t at[ENGINE_WAYS_MAX];
};

static bool say(struct query *q, enum engine_placing placing, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool say(struct query *q, enum engine_placing placing, const char *fmt, ...)
{
	va_list ap;

	q->out->placing = placing;
	va_start(ap, fmt);
	vsnprintf(q->out->text, sizeof(q->out->text), fmt, ap);
	va_end(ap);
	return true;
}

/* ---- links and their edges ---- */

static void links_add(struct links *l, size_t at)
{
	if (l->n < ENGINE_WAYS_MAX)
		l->at[l->n++] = at;
}

static const char *link_name(const struct query *q, size_t at)
{
	return q->r->inventory.interfaces[at].name;
}

static const struct config_edge *edge_of(const struct query *q, const char *interface)
{
	return config_edge_find(q->e->cfg, q->r->name, interface);
}

static void edges_add(struct query *q, const struct config_edge *c)
{
	struct engine_place *out = q->out;
	size_t edge = (size_t)(c - q->e->cfg->edges), i = out->n;

	for (size_t k = 0; k < out->n; k++) {
		if (out->edges[k] == edge)
			return;
	}
	if (out->n == ENGINE_WAYS_MAX)
		return;
	for (; i > 0 && out->edges[i - 1] > edge; i--)
		out->edges[i] = out->edges[i - 1];
	out->edges[i] = edge;
	out->n++;
}

/* The one link there is: its edge, or it is none. */
static bool on_link(struct query *q, const char *interface, const char *how)
{
	const struct config_edge *c = edge_of(q, interface);

	if (!c)
		return say(q, PLACE_NONE, "its interface is not an edge: %s", interface);
	edges_add(q, c);
	return say(q, PLACE_EDGE, "%s", how);
}

/* One of these links, and nothing tells which. If none of them is an edge there
 * is nothing to be told. */
static bool on_one_of(struct query *q, const struct links *l, const char *why)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct config_edge *c = edge_of(q, link_name(q, l->at[i]));

		if (c)
			edges_add(q, c);
	}
	return say(q, q->out->n != 0 ? PLACE_UNCLEAR : PLACE_NONE, "%s: " SAY_PEER, why);
}

/* ---- what the inventory knows ---- */

/* Of the prefixes that the interface is connected to, the longest that holds the
 * address: its length, or 0. */
static unsigned int connected_len(const struct agent_interface *i,
				  const struct ip_addr *addr)
{
	unsigned int best = 0;

	for (size_t k = 0; k < i->n_addresses; k++) {
		const struct ip_addr *a = &i->addresses[k].addr;
		unsigned int len = i->addresses[k].len;
		struct ip_prefix net;

		if (a->family != addr->family || len <= best)
			continue;
		net = ip_prefix_make((enum ip_family)a->family, a->v, len);
		if (ip_prefix_contains(&net, (enum ip_family)addr->family, addr->v))
			best = len;
	}
	return best;
}

/* As the kernel would forward to it: the longest decides. */
static void links_to(const struct query *q, struct links *out)
{
	const struct agent_inventory *inv = &q->r->inventory;
	unsigned int best = 1;

	out->n = 0;
	for (size_t i = 0; i < inv->n; i++) {
		unsigned int len = connected_len(&inv->interfaces[i], q->addr);

		if (len < best)
			continue;
		if (len > best)
			out->n = 0;
		best = len;
		links_add(out, i);
	}
}

static bool has_address(const struct agent_interface *i, const struct ip_addr *addr)
{
	for (size_t k = 0; k < i->n_addresses; k++) {
		if (ip_addr_equal(&i->addresses[k].addr, addr))
			return true;
	}
	return false;
}

static void links_with(const struct query *q, const struct ip_addr *addr,
		       struct links *out)
{
	const struct agent_inventory *inv = &q->r->inventory;

	out->n = 0;
	for (size_t i = 0; i < inv->n; i++) {
		if (has_address(&inv->interfaces[i], addr))
			links_add(out, i);
	}
}

static void links_common(const struct links *a, const struct links *b, struct links *out)
{
	out->n = 0;
	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++) {
			if (a->at[i] == b->at[k])
				links_add(out, a->at[i]);
		}
	}
}

static bool is_link_local(const struct ip_addr *addr)
{
	if (addr->family == IP_V4)
		return (addr->v >> 16) == 0xa9fe; /* RFC 3927 */
	return (addr->v >> 118) == 0x3fa; /* fe80::/10 */
}

/* ---- the router's route ---- */

/* What a default route leads to may be anywhere: as in mode strict. */
static unsigned int min_len(const struct ip_addr *addr)
{
	return addr->family == IP_V4 ? 8 : 16;
}

struct names {
	char text[ENGINE_MAPPING_SIZE / 2];
	size_t used;
};

static void names_add(struct names *n, const char *name)
{
	if (n->used < sizeof(n->text))
		n->used += (size_t)snprintf(n->text + n->used, sizeof(n->text) - n->used,
					    "%s%s", n->used ? ", " : "", name);
}

static bool by_links_of_route(struct query *q, const struct fib_route *route)
{
	struct names edges = { .text = "" }, others = { .text = "" };

	for (size_t i = 0; i < route->n; i++) {
		const char *name = engine_interface_name(q->r, route->indexes[i]);
		const struct config_edge *c = name ? edge_of(q, name) : NULL;

		if (c)
			edges_add(q, c);
		names_add(c ? &edges : &others, name ? name : "an unknown interface");
	}
	if (q->out->n == 0)
		return say(q, PLACE_NONE,
			   "its interface is not an edge: the route to it leaves by %s",
			   others.text);
	return say(q, PLACE_EDGE, "by the route to it, which leaves by %s%s%s%s", edges.text,
		   others.used ? "; not an edge: " : "", others.text,
		   route->n > ENGINE_WAYS_MAX ? " (the first 64 links count)" : "");
}

/* why: what the inventory had to say. */
static bool by_route(struct query *q, const char *why)
{
	struct fib_route route;

	q->out->routed = true;
	if (!q->r->fib)
		return say(q, PLACE_WAITS,
			   "%s, and the agent has not sent the router's routes (yet): wait "
			   "for them, or " SAY_PEER,
			   why);
	if (!fib_longest(q->r->fib, q->addr, min_len(q->addr), &route))
		return say(q, PLACE_UNCLEAR,
			   "%s, and the router has no route to it (a default route does not "
			   "count): " SAY_PEER,
			   why);
	if (route.kind == AGENT_ROUTE_REJECT)
		return say(q, PLACE_UNCLEAR,
			   "%s, and the router's route to it is a blackhole: " SAY_PEER, why);
	return by_links_of_route(q, &route);
}

/* ---- sessions that BMP shows ---- */

/* A link without a prefix (an unnumbered or point-to-point one has /32 or /128)
 * is known by the session's own address alone; a loopback looks the same, but is
 * no edge. */
static bool is_bare_link(const struct query *q, const struct ip_addr *local, size_t at)
{
	const struct agent_interface *i = &q->r->inventory.interfaces[at];

	for (size_t k = 0; k < i->n_addresses; k++) {
		if (ip_addr_equal(&i->addresses[k].addr, local))
			return i->addresses[k].len == ip_bits((enum ip_family)local->family) &&
			       edge_of(q, i->name);
	}
	return false;
}

static bool by_session(struct query *q, const struct ip_addr *local,
		       const struct links *connected)
{
	struct links with, both;

	links_with(q, local, &with);
	if (is_link_local(q->addr))
		both = with;
	else
		links_common(&with, connected, &both);
	if (both.n == 1)
		return on_link(q, link_name(q, both.at[0]), "by the session's local address");
	if (both.n > 1)
		return on_one_of(q, &both, "several interfaces have the session's local address");
	if (is_link_local(q->addr))
		return say(q, PLACE_UNCLEAR,
			   "no interface has the session's local address: " SAY_PEER);
	if (connected->n == 0 && with.n == 1 && !q->r->fib && is_bare_link(q, local, with.at[0]))
		return on_link(q, link_name(q, with.at[0]), "by the session's local address");
	return false;
}

/* ---- all of it ---- */

static bool by_statement(struct query *q)
{
	const struct config_edge *c = config_edge_by_peer(q->e->cfg, q->r->name, q->addr);

	if (!c)
		return false;
	edges_add(q, c);
	return say(q, PLACE_EDGE, "by its peer statement");
}

/* How a path comes in whose next hop, or announcing peer, is at this address. */
static bool by_address(struct query *q, const struct links *connected, bool hop)
{
	struct links own;

	links_with(q, q->addr, &own);
	q->out->own_hop = own.n != 0;
	if (own.n != 0 || q->addr->v == 0)
		return say(q, PLACE_NONE, "the next hop is the router itself: it names no edge");
	if (connected->n == 1)
		return on_link(q, link_name(q, connected->at[0]),
			       hop ? "by the next hop's connected prefix" :
				     "by the prefix that its interface is connected to");
	/* the kernel's table has a route for it on each link */
	if (is_link_local(q->addr) || (connected->n > 1 && !q->r->fib))
		return on_one_of(q, connected, "several interfaces are connected to it");
	return by_route(q, connected->n ? "several interfaces are connected to it" :
					  "no interface is connected to it");
}

/* Any address of the router serves for a session inside the network; its routes
 * enter by next hops that the session does not show. */
static bool by_nature(struct query *q, const struct engine_peer *p, bool hop)
{
	if (!config_router_find(q->e->cfg, q->r->name))
		return say(q, PLACE_NONE, "there is no such router any more");
	if (!hop && !p->has_info)
		return say(q, PLACE_NONE, "no Peer Up seen yet");
	if (!hop && p->info.is_ibgp)
		return say(q, PLACE_NONE, "an internal session: its routes are no edge's");
	if (!q->r->inventory_known)
		return say(q, PLACE_NONE, "the router's agent has sent no inventory yet");
	return false;
}

void engine_place(const struct engine *e, const struct engine_peer *p,
		  struct engine_place *out)
{
	struct query q = { e, p->router, &rib_peer_key(p->rib)->addr, out };
	bool hop = engine_bgp_is_peer(p);
	struct links connected;

	out->placing = PLACE_NONE;
	out->routed = out->own_hop = false;
	out->n = 0;
	if (by_statement(&q) || by_nature(&q, p, hop))
		return;
	links_to(&q, &connected);
	if (hop || !by_session(&q, &p->info.local_addr, &connected))
		by_address(&q, &connected, hop);
}

bool engine_place_may_be(const struct engine *e, const struct engine_peer *p, size_t edge)
{
	struct engine_place place;

	engine_place(e, p, &place);
	for (size_t i = 0; i < place.n; i++) {
		if (edge == SETS_NO_EDGE ? config_edge_is_customer(&e->cfg->edges[place.edges[i]]) :
					   place.edges[i] == edge)
			return true;
	}
	return false;
}

bool engine_place_reads(const struct engine_router *r, const struct ip_prefix *prefix)
{
	if (!prefix)
		return r->n_routed != 0;
	for (size_t i = 0; i < r->n_routed; i++) {
		if (ip_prefix_contains(prefix, (enum ip_family)r->routed[i].family,
				       r->routed[i].v))
			return true;
	}
	return false;
}
