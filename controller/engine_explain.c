/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Why an address may or may not enter by an edge.
 */
#include "controller/engine_impl.h"

#include <stdio.h>
#include <string.h>

#include "controller/sets/special.h"

struct question {
	const struct engine *e;
	const struct config_edge *c;
	const struct engine_edge *edge;
	size_t index;
	const struct ip_addr *addr;
	int64_t now_ms;
	char addr_text[IP_TEXT_SIZE], mode[EDGE_MODE_TEXT_SIZE];
};

/* The longest prefix of a list that holds the address. */
static bool covered_by(const struct ip_prefix *list, size_t n, const struct ip_addr *addr,
		       struct ip_prefix *found)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (ip_prefix_contains(&list[i], addr->family, addr->v) &&
		    (!any || list[i].len > found->len)) {
			*found = list[i];
			any = true;
		}
	}
	return any;
}

/* The longest route of this peer that holds the address. */
static const struct rib_attr *peer_route(const struct engine_peer *p,
					 const struct ip_addr *addr, struct ip_prefix *found)
{
	enum rib_view view = rib_peer_view(p->rib, addr->family);
	const struct rib_attr *attr;

	for (unsigned int len = ip_bits(addr->family) + 1; len-- > 0;) {
		*found = ip_prefix_make(addr->family, addr->v, len);
		if (sets_prefix_is_too_short(found))
			break;
		attr = rib_lookup(p->rib, view, found);
		if (attr)
			return attr;
	}
	return NULL;
}

/* The longest covering route over all peers; of this edge only, or of any. */
static const struct engine_peer *best_route(const struct question *q, bool this_edge,
					    struct ip_prefix *found,
					    const struct rib_attr **attr)
{
	const struct engine_peer *best = NULL;

	for (const struct engine_peer *p = q->e->peers; p; p = p->next) {
		const struct rib_attr *a;
		struct ip_prefix at;

		if (this_edge && !engine_peer_is_on(p, q->index))
			continue;
		a = peer_route(p, q->addr, &at);
		/* of the same prefix: who brought it into the network */
		if (a && (!best || at.len > found->len ||
			  (at.len == found->len && best->info.is_ibgp && !p->info.is_ibgp))) {
			best = p;
			*found = at;
			*attr = a;
		}
	}
	return best;
}

/* Mode feasible paths N: the longest prefix of which one of the N best paths came
 * by this edge, and a peer that sent it. */
static const struct engine_peer *best_counted(const struct question *q,
					      struct ip_prefix *found,
					      const struct rib_attr **attr)
{
	enum ip_family family = (enum ip_family)q->addr->family;

	for (unsigned int len = ip_bits(family) + 1; !q->e->policy_changed && len-- > 0;) {
		size_t rank;

		*found = ip_prefix_make(family, q->addr->v, len);
		if (sets_prefix_is_too_short(found))
			break;
		rank = live_edge_rank(q->e->live, q->index, found);
		if (rank == 0 || rank > q->c->feasible_paths)
			continue;
		for (const struct engine_way *w = q->edge->ways; w; w = w->edge_next) {
			const struct rib_peer *rib = w->peer->rib;

			*attr = rib_lookup(rib, rib_peer_view(rib, family), found);
			if (*attr)
				return w->peer;
		}
	}
	return NULL;
}

static void origin_text(const struct rib_attr *attr, char *text, size_t size)
{
	if (attr->origin_kind == RIB_ORIGIN_AS)
		snprintf(text, size, "origin AS %u", attr->origin_as);
	else
		snprintf(text, size, "no origin AS");
}

static void say_route(const struct question *q, struct explain *out,
		      const struct engine_peer *p, const struct rib_attr *attr)
{
	char prefix[IP_TEXT_SIZE], peer[IP_TEXT_SIZE], origin[32];

	out->peer = p->rib;
	origin_text(attr, origin, sizeof(origin));
	snprintf(out->text, sizeof(out->text),
		 "%s is in %s, which peer %s announces on this edge (%s, mode %s)", q->addr_text,
		 ip_prefix_format(&out->prefix, prefix),
		 ip_addr_format(&rib_peer_key(p->rib)->addr, peer), origin,
		 q->mode);
}

static bool reads_fib(const struct question *q)
{
	enum edge_mode mode = config_edge_mode(q->c);

	return mode == MODE_STRICT || mode == MODE_STRICT_DIRECT;
}

/* strict-direct may have it from a path of this edge's customer instead. */
static void say_fib(const struct question *q, struct explain *out)
{
	char route[200];

	engine_fib_explain(q->e, q->c->router, q->addr, &out->prefix, route, sizeof(route));
	snprintf(out->text, sizeof(out->text), "%s: %s (mode %s)", q->addr_text, route,
		 q->mode);
}

/* It may be known to RADIUS all the same. */
static bool say_session(const struct question *q, struct explain *out)
{
	char text[240] = "";

	if (!q->e->ops.session ||
	    q->e->ops.session(q->e->ctx, q->c->router, q->c->interface, q->addr,
			      &out->prefix, text, sizeof(text)) ||
	    text[0] == '\0')
		return false;
	snprintf(out->text, sizeof(out->text), "nothing on this edge admits %s: %s",
		 q->addr_text, text);
	return true;
}

/* The edge has a path, but it does not count. */
static bool say_not_among_best(const struct question *q, struct explain *out)
{
	const struct rib_attr *attr = NULL;
	char prefix[IP_TEXT_SIZE], peer[IP_TEXT_SIZE];
	struct ip_prefix found;
	const struct engine_peer *p = best_route(q, true, &found, &attr);

	if (!p || q->e->policy_changed)
		return false;
	out->peer = p->rib;
	out->prefix = found;
	snprintf(out->text, sizeof(out->text),
		 "%s is in %s, which peer %s announces on this edge, but the best path of it "
		 "here is number %zu of the router's (mode %s)",
		 q->addr_text, ip_prefix_format(&found, prefix),
		 ip_addr_format(&rib_peer_key(p->rib)->addr, peer),
		 live_edge_rank(q->e->live, q->index, &found), q->mode);
	return true;
}

/* Somebody else's route is the usual reason why a source is not ours. */
static void say_nothing_admits(const struct question *q, struct explain *out)
{
	const struct rib_attr *attr = NULL;
	char prefix[IP_TEXT_SIZE], peer[IP_TEXT_SIZE], origin[32];
	const struct engine_peer *p = best_route(q, false, &out->prefix, &attr);

	out->step = EXPLAIN_NONE;
	if (say_session(q, out))
		return;
	if (reads_fib(q)) {
		say_fib(q, out);
		return;
	}
	if (q->c->feasible_paths != 0 && say_not_among_best(q, out))
		return;
	if (!p) {
		snprintf(out->text, sizeof(out->text),
			 "no route, record or exception of this edge holds %s (mode %s), and no "
			 "other peer announces it",
			 q->addr_text, q->mode);
		return;
	}
	out->peer = p->rib;
	origin_text(attr, origin, sizeof(origin));
	snprintf(out->text, sizeof(out->text),
		 "no route, record or exception of this edge holds %s (mode %s); %s comes from "
		 "peer %s of router %s%s%s (%s)",
		 q->addr_text, q->mode, ip_prefix_format(&out->prefix, prefix),
		 ip_addr_format(&rib_peer_key(p->rib)->addr, peer), p->router->name,
		 engine_peer_has_edge(p) ? " on " : "",
		 engine_peer_has_edge(p) ? q->e->cfg->edges[p->ways->edge].interface : "",
		 origin);
}

static bool explain_exception(const struct question *q, struct explain *out)
{
	char prefix[IP_TEXT_SIZE];

	if (!covered_by(q->c->prefixes, q->c->n_prefixes, q->addr, &out->prefix))
		return false;
	out->step = EXPLAIN_EXCEPTION;
	snprintf(out->text, sizeof(out->text), "%s is in %s, an exception of this edge",
		 q->addr_text, ip_prefix_format(&out->prefix, prefix));
	return true;
}

static bool explain_subtracted(const struct question *q, struct explain *out)
{
	struct addrset special = { 0 }, own = { 0 };
	bool hit = false;

	if (q->c->role == ROLE_INTERNAL)
		return false;
	special_sources(&special, q->e->cfg->permits, q->e->cfg->n_permits);
	sets_own_space(q->e->cfg, &own);
	if (addrset_contains(&special, q->addr)) {
		out->step = EXPLAIN_SPECIAL;
		snprintf(out->text, sizeof(out->text),
			 "%s is a special-purpose address, %s: never a source from outside",
			 q->addr_text, special_name(q->addr));
		hit = true;
	} else if (addrset_contains(&own, q->addr)) {
		out->step = EXPLAIN_OWN;
		covered_by(q->e->cfg->own, q->e->cfg->n_own, q->addr, &out->prefix);
		if (!say_session(q, out))
			snprintf(out->text, sizeof(out->text),
				 "%s is own space that no customer's record holds: never a "
				 "source from outside",
				 q->addr_text);
		hit = true;
	}
	addrset_fini(&special);
	addrset_fini(&own);
	return hit;
}

static bool explain_record(const struct question *q, struct explain *out)
{
	const struct config_customer *customer = NULL;
	char prefix[IP_TEXT_SIZE];

	if (q->c->customer[0] != '\0')
		customer = config_customer_find(q->e->cfg, q->c->customer);
	if (!customer ||
	    !covered_by(customer->prefixes, customer->n_prefixes, q->addr, &out->prefix))
		return false;
	out->step = EXPLAIN_RECORD;
	snprintf(out->text, sizeof(out->text), "%s is in %s of the record of customer %s",
		 q->addr_text, ip_prefix_format(&out->prefix, prefix), customer->name);
	return true;
}

static bool explain_session(const struct question *q, struct explain *out)
{
	char name[240], prefix[IP_TEXT_SIZE];

	if (!q->e->ops.session || !hold_is_computed(&q->edge->hold, q->addr) ||
	    !q->e->ops.session(q->e->ctx, q->c->router, q->c->interface, q->addr,
			       &out->prefix, name, sizeof(name)))
		return false;
	out->step = EXPLAIN_SESSION;
	snprintf(out->text, sizeof(out->text), "%s is in %s of RADIUS %s", q->addr_text,
		 ip_prefix_format(&out->prefix, prefix), name);
	return true;
}

static bool explain_route(const struct question *q, struct explain *out)
{
	const struct rib_attr *attr = NULL;
	const struct engine_peer *p;

	if (!hold_is_computed(&q->edge->hold, q->addr))
		return false;
	out->step = EXPLAIN_ROUTE;
	if (reads_fib(q)) {
		say_fib(q, out);
		return true;
	}
	if (q->c->feasible_paths != 0)
		p = best_counted(q, &out->prefix, &attr);
	else
		p = best_route(q, true, &out->prefix, &attr);
	if (p) {
		say_route(q, out, p, attr);
		return true;
	}
	p = best_route(q, false, &out->prefix, &attr);
	if (p) {
		char prefix[IP_TEXT_SIZE], peer[IP_TEXT_SIZE], origin[32];

		out->peer = p->rib;
		origin_text(attr, origin, sizeof(origin));
		snprintf(out->text, sizeof(out->text),
			 "%s is in %s (%s), heard from peer %s of router %s; mode %s admits it "
			 "here too",
			 q->addr_text, ip_prefix_format(&out->prefix, prefix), origin,
			 ip_addr_format(&rib_peer_key(p->rib)->addr, peer), p->router->name,
			 q->mode);
	} else {
		snprintf(out->text, sizeof(out->text), "mode %s admits %s",
			 q->mode, q->addr_text);
	}
	return true;
}

static void say_hold(const struct question *q, struct explain *out)
{
	int64_t left_ms = out->hold_due_ms - q->now_ms;

	if (out->hold_due_ms >= 0 && left_ms > 0)
		snprintf(out->text, sizeof(out->text),
			 "nothing admits %s any more; it stays accepted for its hold-down, %lld s "
			 "more",
			 q->addr_text, (long long)(left_ms + 999) / 1000);
	else if (q->edge->braked)
		snprintf(out->text, sizeof(out->text),
			 "nothing admits %s any more, but so much would leave with it that it "
			 "stays accepted until you type \"brake release %s %s\"",
			 q->addr_text, q->c->router, q->c->interface);
	else
		snprintf(out->text, sizeof(out->text),
			 "nothing admits %s any more, but it stays accepted until the feeds are "
			 "complete",
			 q->addr_text);
}

static bool explain_stale(const struct question *q, struct explain *out)
{
	if (!addrset_contains(&q->edge->loose, q->addr))
		return false;
	out->step = EXPLAIN_ROUTE;
	snprintf(out->text, sizeof(out->text),
		 "the edge's feed is dead, and its stale policy loose admits %s as well",
		 q->addr_text);
	return true;
}

static bool explain_hold(const struct question *q, struct explain *out)
{
	const struct hold *hold = &q->edge->hold;

	if (!dynaddrset_contains(&hold->enforced, q->addr))
		return false;
	out->step = EXPLAIN_HOLD;
	out->hold_due_ms = hold_due_ms(hold, q->addr);
	say_hold(q, out);
	return true;
}

static bool explain_growth(const struct question *q, struct explain *out)
{
	const struct rib_attr *attr = NULL;
	const struct engine_peer *p;
	char prefix[IP_TEXT_SIZE], by[100] = "";

	if (!dynaddrset_contains(&q->edge->excess, q->addr))
		return false;
	out->step = EXPLAIN_GROWTH;
	p = reads_fib(q) ? NULL : best_route(q, false, &out->prefix, &attr);
	if (p) {
		char peer[IP_TEXT_SIZE];

		out->peer = p->rib;
		snprintf(by, sizeof(by), " by %s of peer %s",
			 ip_prefix_format(&out->prefix, prefix),
			 ip_addr_format(&rib_peer_key(p->rib)->addr, peer));
	}
	snprintf(out->text, sizeof(out->text),
		 "mode %s admits %s%s, but so much came that it stays out until you type "
		 "\"brake release %s %s\"",
		 q->mode, q->addr_text, by, q->c->router,
		 q->c->interface);
	return true;
}

static void explain_set(const struct question *q, struct explain *out)
{
	const struct ip_addr *addr = q->addr;

	if (explain_exception(q, out))
		return;
	/* What a command or a hold-down still lets in comes before the reason
	 * why it would not be let in again. */
	if (!dynaddrset_contains(&q->edge->hold.enforced, addr) && explain_subtracted(q, out))
		return;
	if (hold_is_computed(&q->edge->hold, addr) && explain_record(q, out))
		return;
	if (explain_session(q, out) || explain_route(q, out) || explain_hold(q, out) ||
	    explain_stale(q, out) || explain_growth(q, out))
		return;
	say_nothing_admits(q, out);
}

bool engine_explain(const struct engine *e, const char *router, const char *interface,
		    const struct ip_addr *addr, int64_t now_ms, struct explain *out)
{
	const struct config_edge *c = config_edge_find(e->cfg, router, interface);
	struct question q = { .e = e, .c = c, .addr = addr, .now_ms = now_ms };

	if (!c)
		return false;
	*out = (struct explain){ .hold_due_ms = -1 };
	q.index = (size_t)(c - e->cfg->edges);
	q.edge = e->edges[q.index];
	ip_addr_format(addr, q.addr_text);
	edge_mode_text(c, q.mode);
	out->enforced = q.edge->filter.action == FILTER_ENFORCE;
	out->admitted = q.edge->filter.action == FILTER_OFF ||
			addrset_contains(&q.edge->filter.accept, addr);
	out->accept = !out->enforced || out->admitted;
	if (c->role == ROLE_NONE) {
		out->step = EXPLAIN_INACTIVE;
		snprintf(out->text, sizeof(out->text), "the edge has no role yet: it filters nothing");
		return true;
	}
	if (config_edge_mode(c) == MODE_OFF) {
		out->step = EXPLAIN_OFF;
		snprintf(out->text, sizeof(out->text), "mode off accepts everything");
		return true;
	}
	explain_set(&q, out);
	if (!out->admitted)
		engine_exempt_say(e, q.edge, addr, now_ms, out->to_router,
				  sizeof(out->to_router));
	return true;
}
