/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Would an edge admit an address in this mode or that, by the routes as they are
 * now, and what would it admit in all. For an address nothing is walked but what
 * holds it.
 */
#include "controller/sets/live_impl.h"

struct ask {
	const struct live *live;
	struct live_set set; /* as the edge would read in that mode */
};

static bool is_member(const struct prefix_index *x, uint32_t node, void *arg)
{
	const struct ask *ask = arg;

	return live_set_has(ask->live, &ask->set, x, node);
}

static struct ip_prefix host_of(const struct ip_addr *addr)
{
	enum ip_family family = (enum ip_family)addr->family;

	return ip_prefix_make(family, addr->v, ip_bits(family));
}

static bool by_index(struct live *live, struct live_edge *e, enum edge_mode mode,
		     const struct ip_addr *addr)
{
	struct ask ask = { live, { .mode = mode, .edge = e } };
	struct ip_prefix host = host_of(addr);

	return prefix_index_covering(&live->index[host.family], &host, is_member, &ask);
}

static bool by_loose(struct live *live, struct live_edge *e, enum edge_mode mode,
		     const struct ip_addr *addr)
{
	struct ask ask = { live, { .mode = mode, .at = e->at } };
	struct ip_prefix host = host_of(addr);
	struct rangeset content = { 0 };
	bool held;

	if (prefix_index_covering(&live->index[host.family], &host, is_member, &ask))
		rangeset_append_prefix(&content, &host);
	live_loose_finish(live, &ask.set, &host, &content);
	held = content.n != 0;
	rangeset_fini(&content);
	return held;
}

/* The index remembers edges only where a mode asks for them, so the peers' own
 * tables are looked at. */
static bool by_peers(const struct live *live, const struct live_edge *e,
		     const struct ip_addr *addr)
{
	enum ip_family family = (enum ip_family)addr->family;

	for (const struct live_source *s = live->sources; s; s = s->next) {
		for (unsigned int len = ip_bits(family) + 1; s->edge == e && len-- > 0;) {
			struct ip_prefix p = ip_prefix_make(family, addr->v, len);

			if (sets_prefix_is_too_short(&p))
				break;
			if (rib_lookup(s->peer, s->view[family], &p))
				return true;
		}
	}
	return false;
}

static bool is_any(struct live *live, struct live_edge *edge, void *arg)
{
	(void)live;
	(void)edge;
	(void)arg;
	return true;
}

static bool is_edge(struct live *live, struct live_edge *edge, void *arg)
{
	(void)live;
	return edge == arg;
}

/* As sets_prefix_is_too_short(). */
#define MIN_LEN(family) ((family) == IP_V4 ? 8u : 16u)

static bool route_admits(struct live *live, struct live_edge *e, bool direct,
			 const struct fib_route *route)
{
	if (route->kind != AGENT_ROUTE_UNICAST)
		return false;
	if (direct && live_direct_edges(live, e->at, &route->prefix, is_any, NULL))
		return live_direct_edges(live, e->at, &route->prefix, is_edge, e);
	for (size_t i = 0; i < route->n; i++) {
		if (e->port != 0 && route->indexes[i] == e->port)
			return true;
	}
	return false;
}

static bool by_fib(struct live *live, struct live_edge *e, bool direct,
		   const struct ip_addr *addr)
{
	struct fib_route route;

	return e->at->fib && fib_longest(e->at->fib, addr, MIN_LEN(addr->family), &route) &&
	       route_admits(live, e, direct, &route);
}

static bool by_mode(struct live *live, struct live_edge *e, enum edge_mode mode,
		    const struct ip_addr *addr)
{
	switch (mode) {
	case MODE_DEFAULT:
	case MODE_ACL:
	case MODE_EGRESS:
		break;
	case MODE_OFF:
		return true;
	case MODE_STRICT:
	case MODE_STRICT_DIRECT:
		return by_fib(live, e, mode == MODE_STRICT_DIRECT, addr);
	case MODE_FEASIBLE:
		return by_peers(live, e, addr);
	case MODE_EFP_A:
	case MODE_EFP_B:
		return by_index(live, e, mode, addr);
	case MODE_LOOSE:
	case MODE_LOOSE_NO_DEFAULT:
		return by_loose(live, e, mode, addr);
	}
	return false;
}

static bool holds(const struct ip_prefix *list, size_t n, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_prefix_contains(&list[i], (enum ip_family)addr->family, addr->v))
			return true;
	}
	return false;
}

static bool record_holds(const struct config *cfg, const struct config_edge *c,
			 const struct ip_addr *addr)
{
	const struct config_customer *customer =
		c->customer[0] ? config_customer_find(cfg, c->customer) : NULL;

	return customer && holds(customer->prefixes, customer->n_prefixes, addr);
}

/* ---- all of a set */

static void take_path(const struct ip_prefix *prefix, uint32_t path_id,
		      const struct rib_attr *attr, void *arg)
{
	(void)path_id;
	(void)attr;
	if (!sets_prefix_is_too_short(prefix))
		addrset_append(arg, prefix);
}

static void collect_peers(const struct live *live, const struct live_edge *e,
			  struct addrset *out)
{
	for (const struct live_source *s = live->sources; s; s = s->next) {
		for (enum ip_family f = IP_V4; s->edge == e && f < IP_FAMILIES; f++)
			rib_walk(s->peer, s->view[f], f, take_path, out);
	}
	addrset_normalize(out);
}

struct cut {
	struct live *live;
	struct live_edge *edge;
	bool direct;
	struct rangeset *out;
};

static void take_range(const struct fib_route *route, u128 first, u128 last, void *arg)
{
	struct cut *c = arg;

	if (route_admits(c->live, c->edge, c->direct, route))
		rangeset_append(c->out, first, last);
}

static void collect_fib(struct live *live, struct live_edge *e, bool direct,
			struct addrset *out)
{
	for (enum ip_family f = IP_V4; e->at->fib && f < IP_FAMILIES; f++) {
		const struct ip_prefix all = { .family = (uint8_t)f };
		struct cut c = { live, e, direct, &out->f[f] };

		fib_cut(e->at->fib, &all, MIN_LEN(f), take_range, &c);
		rangeset_normalize(&out->f[f]);
	}
}

void live_edge_collect(struct live *live, struct live_edge *edge, enum edge_mode mode,
		       struct addrset *out)
{
	const struct live_set set = { .mode = mode, .edge = edge, .at = edge->at };

	addrset_fini(out);
	switch (mode) {
	case MODE_DEFAULT:
	case MODE_ACL:
	case MODE_EGRESS:
	case MODE_OFF: /* decoration has it */
		break;
	case MODE_STRICT:
	case MODE_STRICT_DIRECT:
		collect_fib(live, edge, mode == MODE_STRICT_DIRECT, out);
		break;
	case MODE_FEASIBLE:
		collect_peers(live, edge, out);
		break;
	case MODE_EFP_A:
	case MODE_EFP_B:
	case MODE_LOOSE:
	case MODE_LOOSE_NO_DEFAULT:
		live_set_collect(live, &set, out);
		break;
	}
}

/* ---- one address */

bool live_edge_admits_as(struct live *live, const struct config *cfg, size_t edge,
			 enum edge_mode mode, const struct ip_addr *addr)
{
	const struct config_edge *c = &cfg->edges[edge];

	if (mode == MODE_OFF || holds(c->prefixes, c->n_prefixes, addr))
		return true;
	if (c->role != ROLE_INTERNAL && addrset_contains(&live->block, addr))
		return false;
	return record_holds(cfg, c, addr) ||
	       by_mode(live, live->by_index[edge], mode, addr);
}

size_t live_edge_rank(const struct live *live, size_t edge, const struct ip_prefix *p)
{
	const struct live_edge *e = live->by_index[edge];

	return e->at->strict ? strict_rank(live, e->at->strict, p, e->slot) : 0;
}

struct origin_walk {
	live_prefix_of_fn *fn;
	void *arg;
};

static void tell_prefix(struct live *live, const struct ip_prefix *p, void *arg)
{
	const struct origin_walk *w = arg;

	(void)live;
	w->fn(p, w->arg);
}

void live_origin_walk(struct live *live, uint32_t as, live_prefix_of_fn *fn, void *arg)
{
	uint32_t origin = live_origin_find(&live->origins, as);
	struct origin_walk w = { fn, arg };

	if (origin != 0)
		live_origin_each(live, origin, tell_prefix, &w);
}
