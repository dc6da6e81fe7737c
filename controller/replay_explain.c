/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Why an address may or may not enter by an edge: the step of the order of
 * sets.h that decides, and for routes the one that the mode went by.
 */
#include "controller/replay.h"

#include <stdlib.h>
#include <string.h>

#include "controller/sets/best_path.h"
#include "controller/sets/special.h"
#include "lib/mem.h"

/* A route that holds the address. */
struct covering {
	struct ip_prefix prefix;
	const struct rib_attr *attr;
	size_t source;
};

struct question {
	struct replay *r;
	const struct ip_addr *addr;
	struct covering *c; /* the longest first */
	size_t n, cap;
	size_t source; /* while walking */
};

struct answer {
	bool accept;
	const char *step;   /* the words of savd's explain */
	struct ip_prefix prefix; /* with has_prefix */
	bool has_prefix;
	const struct covering *route; /* or NULL */
	char text[512];
};

/* ---- routes that hold the address */

static void take_covering(const struct ip_prefix *prefix, uint32_t path_id,
			  const struct rib_attr *attr, void *arg)
{
	struct question *q = arg;

	(void)path_id;
	if (!ip_prefix_contains(prefix, q->addr->family, q->addr->v))
		return;
	if (q->n == q->cap) {
		q->cap = q->cap ? q->cap * 2 : 16;
		q->c = mem_realloc(q->c, q->cap, sizeof(*q->c));
	}
	q->c[q->n++] = (struct covering){ *prefix, attr, q->source };
}

static int longest_first(const void *a, const void *b)
{
	const struct covering *x = a, *y = b;

	if (x->prefix.len != y->prefix.len)
		return y->prefix.len - x->prefix.len;
	return (x->source > y->source) - (x->source < y->source);
}

static void find_covering(struct question *q)
{
	enum ip_family family = (enum ip_family)q->addr->family;

	for (q->source = 0; q->source < q->r->n_sources; q->source++) {
		const struct rib_peer *peer = q->r->sources[q->source].peer;

		rib_walk(peer, rib_peer_view(peer, family), family, take_covering, q);
	}
	if (q->n != 0)
		qsort(q->c, q->n, sizeof(*q->c), longest_first);
}

/* ---- RFC 8704: whether an origin is in Set A, and what ties it to an edge */

struct origin_walk {
	const struct rib_attr *origin; /* look for its like */
	bool found;
	struct ip_prefix prefix;
	const struct replay *r; /* else only prefixes that this edge received */
	size_t edge;
};

static bool same_origin(const struct rib_attr *a, const struct rib_attr *b)
{
	return a->origin_kind != RIB_ORIGIN_NONE && a->origin_kind == b->origin_kind &&
	       a->origin_as == b->origin_as;
}

static bool edge_received(const struct replay *r, size_t edge, const struct ip_prefix *p)
{
	for (size_t i = 0; i < r->n_sources; i++) {
		const struct rib_peer *peer = r->sources[i].peer;

		if (r->sources[i].edge == edge &&
		    rib_lookup(peer, rib_peer_view(peer, p->family), p))
			return true;
	}
	return false;
}

static void take_origin(const struct ip_prefix *prefix, uint32_t path_id,
			const struct rib_attr *attr, void *arg)
{
	struct origin_walk *w = arg;

	(void)path_id;
	if (!same_origin(attr, w->origin) || sets_prefix_is_too_short(prefix))
		return;
	if (w->r && !edge_received(w->r, w->edge, prefix))
		return;
	/* one answer, whatever order the rib walks in */
	if (!w->found || ip_prefix_cmp(prefix, &w->prefix) < 0)
		w->prefix = *prefix;
	w->found = true;
}

static bool is_customer(const struct replay *r, size_t source)
{
	size_t edge = r->sources[source].edge;

	return edge != SETS_NO_EDGE && config_edge_is_customer(&r->cfg.edges[edge]);
}

/* Walks all sources, or the customers' only. */
static void walk_origin(const struct replay *r, bool customers, struct origin_walk *w)
{
	for (size_t i = 0; i < r->n_sources; i++) {
		const struct rib_peer *peer = r->sources[i].peer;

		if (customers && !is_customer(r, i))
			continue;
		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
			rib_walk(peer, rib_peer_view(peer, f), f, take_origin, w);
	}
}

static bool in_set_a(const struct replay *r, const struct rib_attr *attr)
{
	struct origin_walk w = { .origin = attr };

	walk_origin(r, true, &w);
	return w.found;
}

/* A prefix of the same origin, from anybody, that this edge received. */
static bool tied_to_edge(const struct replay *r, size_t edge, const struct rib_attr *attr,
			 struct ip_prefix *witness)
{
	struct origin_walk w = { .origin = attr, .r = r, .edge = edge };

	if (!in_set_a(r, attr))
		return false;
	walk_origin(r, false, &w);
	*witness = w.prefix;
	return w.found;
}

/* ---- texts */

static void route_text(const struct question *q, const struct covering *c, char *text,
		       size_t size)
{
	const struct sets_source *s = &q->r->sources[c->source];
	char prefix[IP_TEXT_SIZE], peer[IP_TEXT_SIZE], origin[32] = "no origin AS";

	if (c->attr->origin_kind == RIB_ORIGIN_AS)
		snprintf(origin, sizeof(origin), "origin AS %u", c->attr->origin_as);
	else if (c->attr->origin_kind == RIB_ORIGIN_OWN)
		snprintf(origin, sizeof(origin), "origin the own AS");
	snprintf(text, size, "%s from peer %s of router %s%s%s (%s)",
		 ip_prefix_format(&c->prefix, prefix),
		 ip_addr_format(&rib_peer_key(s->peer)->addr, peer),
		 q->r->cfg.routers[s->router].name, s->edge == SETS_NO_EDGE ? "" : " on ",
		 s->edge == SETS_NO_EDGE ? "" : q->r->cfg.edges[s->edge].interface, origin);
}

static void say_route(const struct question *q, struct answer *a, const struct covering *c,
		      const char *why)
{
	char route[256];

	route_text(q, c, route, sizeof(route));
	a->step = "route";
	a->route = c;
	a->prefix = c->prefix;
	a->has_prefix = true;
	snprintf(a->text, sizeof(a->text), "%s%s", route, why);
}

/* The longest prefix of a list that holds the address. */
static bool covered_by(const struct ip_prefix *list, size_t n, const struct ip_addr *addr,
		       struct answer *a)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_prefix_contains(&list[i], addr->family, addr->v) &&
		    (!a->has_prefix || list[i].len > a->prefix.len)) {
			a->prefix = list[i];
			a->has_prefix = true;
		}
	}
	return a->has_prefix;
}

/* ---- modes */

static const struct covering *first_not_short(const struct question *q)
{
	for (size_t i = 0; i < q->n; i++) {
		if (!sets_prefix_is_too_short(&q->c[i].prefix))
			return &q->c[i];
	}
	return NULL;
}

/* The best path of the router's longest match. */
static const struct covering *strict_route(const struct question *q, size_t router)
{
	struct best_candidate *list = mem_calloc(q->n + 1, sizeof(*list));
	const struct covering **at = mem_calloc(q->n + 1, sizeof(struct covering *));
	const struct covering *best = NULL;
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++) {
		const struct covering *c = &q->c[i];
		const struct sets_source *s = &q->r->sources[c->source];

		if (s->router != router || sets_prefix_is_too_short(&c->prefix))
			continue;
		if (n != 0 && c->prefix.len != at[0]->prefix.len)
			break;
		list[n] = (struct best_candidate){ .attr = c->attr,
						   .peer = rib_peer_key(s->peer)->addr,
						   .ibgp = s->ibgp };
		at[n++] = c;
	}
	if (n != 0)
		best = at[best_path(list, n)];
	free(at);
	free(list);
	return best;
}

/* Mode feasible paths N: one of the router's N best paths of the prefix of c came by
 * the edge. */
static bool is_among_best(const struct question *q, size_t edge, const struct covering *c)
{
	struct best_candidate *list = mem_calloc(q->n, sizeof(*list));
	size_t *source = mem_calloc(q->n, sizeof(*source)), n = 0;
	size_t router = q->r->sources[c->source].router;
	bool found = false;

	for (size_t i = 0; i < q->n; i++) {
		const struct sets_source *s = &q->r->sources[q->c[i].source];

		if (s->router != router || ip_prefix_cmp(&q->c[i].prefix, &c->prefix) != 0)
			continue;
		list[n] = (struct best_candidate){ .attr = q->c[i].attr,
						   .peer = rib_peer_key(s->peer)->addr,
						   .from = s->peer,
						   .ibgp = s->ibgp };
		source[n++] = q->c[i].source;
	}
	best_paths(list, n, q->r->cfg.edges[edge].feasible_paths);
	for (size_t i = 0; !found && i < n; i++)
		found = list[i].rank != 0 && q->r->sources[source[i]].edge == edge;
	free(source);
	free(list);
	return found;
}

/* Of this edge, the longest; counted: where the edge takes the best paths only, one
 * of these. */
static const struct covering *edge_route(const struct question *q, size_t edge, bool counted)
{
	counted = counted && q->r->cfg.edges[edge].feasible_paths != 0;
	for (size_t i = 0; i < q->n; i++) {
		if (q->r->sources[q->c[i].source].edge == edge &&
		    !sets_prefix_is_too_short(&q->c[i].prefix) &&
		    (!counted || is_among_best(q, edge, &q->c[i])))
			return &q->c[i];
	}
	return NULL;
}

static void explain_efp_a(const struct question *q, size_t edge, struct answer *a)
{
	for (size_t i = 0; i < q->n; i++) {
		const struct covering *c = &q->c[i];
		struct ip_prefix witness;
		char why[128], text[IP_TEXT_SIZE];

		if (sets_prefix_is_too_short(&c->prefix) ||
		    !tied_to_edge(q->r, edge, c->attr, &witness))
			continue;
		snprintf(why, sizeof(why), "; this edge received %s of that origin",
			 ip_prefix_format(&witness, text));
		say_route(q, a, c,
			  q->r->sources[c->source].edge == edge ? "" : why);
		return;
	}
}

static void explain_efp_b(const struct question *q, struct answer *a)
{
	for (size_t i = 0; i < q->n; i++) {
		const struct covering *c = &q->c[i];

		if (sets_prefix_is_too_short(&c->prefix))
			continue;
		if (is_customer(q->r, c->source)) {
			say_route(q, a, c, "; customer routes count on every customer edge");
			return;
		}
		if (in_set_a(q->r, c->attr)) {
			say_route(q, a, c, "; a customer edge announces routes of that origin");
			return;
		}
	}
}

/* Which route the mode admits the address by. */
static void explain_mode(const struct question *q, size_t edge, enum edge_mode mode,
			 size_t router, struct answer *a)
{
	const struct covering *c = edge_route(q, edge, true);

	if (c && mode == MODE_EFP_B)
		say_route(q, a, c, "");
	else if (mode == MODE_EFP_A)
		explain_efp_a(q, edge, a);
	else if (mode == MODE_EFP_B)
		explain_efp_b(q, a);
	else if (mode == MODE_STRICT)
		c = strict_route(q, router);
	else if ((mode == MODE_LOOSE || mode == MODE_LOOSE_NO_DEFAULT) && !c && q->n != 0)
		c = &q->c[0];
	if (!a->route && c)
		say_route(q, a, c, mode == MODE_STRICT ? ", the router's best path" : "");
	if (!a->route) {
		a->step = "route";
		snprintf(a->text, sizeof(a->text), "mode %s admits it", edge_mode_name(mode));
	}
}

/* Somebody else's route is the usual reason why a source is not this edge's. */
static void explain_none(const struct question *q, size_t edge, enum edge_mode mode,
			 size_t router, struct answer *a)
{
	const struct covering *c = NULL;
	char route[256];

	if (q->r->cfg.edges[edge].feasible_paths != 0)
		c = edge_route(q, edge, false);
	if (c) {
		say_route(q, a, c, ", not among the router's best paths that count");
		a->step = "none";
		return;
	}
	a->step = "none";
	if (mode == MODE_STRICT || mode == MODE_STRICT_DIRECT)
		c = strict_route(q, router);
	if (!c)
		c = first_not_short(q);
	if (!c) {
		snprintf(a->text, sizeof(a->text),
			 "no exception, record or route of any peer holds it");
		return;
	}
	say_route(q, a, c, "");
	a->step = "none";
	route_text(q, c, route, sizeof(route));
	snprintf(a->text, sizeof(a->text), "nothing of this edge holds it; %s does", route);
}

/* ---- edges */

static bool explain_subtracted(const struct question *q, struct answer *a)
{
	const struct config *cfg = &q->r->cfg;
	struct addrset special = { 0 }, own = { 0 };

	special_sources(&special, cfg->permits, cfg->n_permits);
	sets_own_space(cfg, &own);
	if (addrset_contains(&special, q->addr)) {
		a->step = "special-purpose";
		snprintf(a->text, sizeof(a->text), "special-purpose address: %s",
			 special_name(q->addr));
	} else if (addrset_contains(&own, q->addr)) {
		char prefix[IP_TEXT_SIZE];

		a->step = "own-prefix";
		covered_by(cfg->own, cfg->n_own, q->addr, a);
		snprintf(a->text, sizeof(a->text), "own space, %s",
			 ip_prefix_format(&a->prefix, prefix));
	}
	addrset_fini(&special);
	addrset_fini(&own);
	return a->step != NULL;
}

static bool explain_record(const struct question *q, const struct config_edge *e,
			   struct answer *a)
{
	const struct config *cfg = &q->r->cfg;
	const struct config_customer *c =
		e->customer[0] ? config_customer_find(cfg, e->customer) : NULL;
	bool loose = config_edge_mode(e) == MODE_LOOSE ||
		     config_edge_mode(e) == MODE_LOOSE_NO_DEFAULT;
	char prefix[IP_TEXT_SIZE];

	if (!c || !covered_by(c->prefixes, c->n_prefixes, q->addr, a)) {
		/* loose takes every customer's */
		for (size_t i = 0; loose && !a->has_prefix && i < cfg->n_customers; i++) {
			c = &cfg->customers[i];
			covered_by(c->prefixes, c->n_prefixes, q->addr, a);
		}
	}
	if (!c || !a->has_prefix)
		return false;
	a->step = "record";
	snprintf(a->text, sizeof(a->text), "%s of the record of customer %s",
		 ip_prefix_format(&a->prefix, prefix), c->name);
	return true;
}

/* a->accept is known. */
static void explain_verdict(const struct question *q, size_t edge, struct answer *a)
{
	const struct config_edge *e = &q->r->cfg.edges[edge];
	size_t router =
		(size_t)(config_router_find(&q->r->cfg, e->router) - q->r->cfg.routers);
	char prefix[IP_TEXT_SIZE];

	if (config_edge_mode(e) == MODE_OFF) {
		a->step = "off";
		snprintf(a->text, sizeof(a->text), "mode off accepts everything");
	} else if (covered_by(e->prefixes, e->n_prefixes, q->addr, a)) {
		a->step = "exception";
		snprintf(a->text, sizeof(a->text), "%s, an exception of this edge",
			 ip_prefix_format(&a->prefix, prefix));
	} else if (!a->accept && e->role != ROLE_INTERNAL && explain_subtracted(q, a)) {
		return;
	} else if (!a->accept) {
		explain_none(q, edge, config_edge_mode(e), router, a);
	} else if (!explain_record(q, e, a)) {
		explain_mode(q, edge, config_edge_mode(e), router, a);
	}
}

static void explain_edge(const struct question *q, struct sets_pass *pass, size_t edge,
			 struct answer *a)
{
	struct addrset set = { 0 };

	*a = (struct answer){ 0 };
	sets_pass_edge(pass, edge, &set);
	a->accept = addrset_contains(&set, q->addr);
	addrset_fini(&set);
	explain_verdict(q, edge, a);
}

static void put_text(const struct config_edge *e, const struct answer *a)
{
	char mode[EDGE_MODE_TEXT_SIZE];

	printf(" edge %s %s mode %s: %s: %s: %s\n", e->router, e->interface,
	       edge_mode_text(e, mode), a->accept ? "accept" : "drop", a->step, a->text);
}

static void put_json(const struct replay *r, const struct config_edge *e,
		     const struct answer *a)
{
	char text[IP_TEXT_SIZE];

	printf("{\"router\":\"%s\",\"interface\":\"%s\",\"mode\":\"%s\",\"verdict\":\"%s\","
	       "\"step\":\"%s\"",
	       e->router, e->interface, edge_mode_name(config_edge_mode(e)),
	       a->accept ? "accept" : "drop", a->step);
	if (a->has_prefix)
		printf(",\"prefix\":\"%s\"", ip_prefix_format(&a->prefix, text));
	if (a->route) {
		const struct rib_peer_key *key =
			rib_peer_key(r->sources[a->route->source].peer);

		printf(",\"peer\":\"%s\",\"peerRouter\":\"%s\"",
		       ip_addr_format(&key->addr, text), r->cfg.routers[r->sources[a->route->source].router].name);
		if (a->route->attr->origin_kind == RIB_ORIGIN_AS)
			printf(",\"origin\":%u", a->route->attr->origin_as);
	}
	printf(",\"reason\":");
	replay_put_string(stdout, a->text);
	printf("}");
}

static void explain_one(struct replay *r, struct sets_pass *pass, const struct ip_addr *addr)
{
	struct question q = { .r = r, .addr = addr };
	char text[IP_TEXT_SIZE];

	find_covering(&q);
	printf(r->json ? "{\"address\":\"%s\",\"edges\":[" : "%s\n",
	       ip_addr_format(addr, text));
	for (size_t i = 0; i < r->cfg.n_edges; i++) {
		struct answer a;

		explain_edge(&q, pass, i, &a);
		if (r->json) {
			printf("%s", i ? "," : "");
			put_json(r, &r->cfg.edges[i], &a);
		} else {
			put_text(&r->cfg.edges[i], &a);
		}
	}
	if (r->json)
		printf("]}");
	free(q.c);
}

void replay_explain(struct replay *r, struct sets_pass *pass)
{
	if (r->json)
		printf("[");
	for (size_t i = 0; i < r->n_explain; i++) {
		if (r->json && i != 0)
			printf(",");
		explain_one(r, pass, &r->explain[i]);
	}
	if (r->json)
		printf("]");
}

/* ---- many drops on one edge: one walk over the routes for all of them */

struct questions {
	struct question *q; /* ascending */
	size_t n, source;
};

static void take_for_all(const struct ip_prefix *prefix, uint32_t path_id,
			 const struct rib_attr *attr, void *arg)
{
	struct questions *all = arg;
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct ip_addr *addr = all->q[mid].addr;

		if (addr->family < prefix->family ||
		    (addr->family == prefix->family && addr->v < prefix->v))
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < all->n; low++) {
		struct question *q = &all->q[low];

		if (!ip_prefix_contains(prefix, q->addr->family, q->addr->v))
			break;
		q->source = all->source;
		take_covering(prefix, path_id, attr, q);
	}
}

void replay_why(struct replay *r, size_t edge, const struct ip_addr *addrs, size_t n,
		struct replay_why *out)
{
	struct questions all = { .q = mem_calloc(n + 1, sizeof(*all.q)), .n = n };

	for (size_t i = 0; i < n; i++)
		all.q[i] = (struct question){ .r = r, .addr = &addrs[i] };
	for (all.source = 0; n != 0 && all.source < r->n_sources; all.source++) {
		const struct rib_peer *peer = r->sources[all.source].peer;

		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
			rib_walk(peer, rib_peer_view(peer, f), f, take_for_all, &all);
	}
	for (size_t i = 0; i < n; i++) {
		struct question *q = &all.q[i];
		struct answer a = { 0 };

		if (q->n != 0)
			qsort(q->c, q->n, sizeof(*q->c), longest_first);
		explain_verdict(q, edge, &a);
		out[i] = (struct replay_why){ .step = a.step,
					      .prefix = a.prefix,
					      .has_prefix = a.has_prefix };
		memcpy(out[i].text, a.text, sizeof(out[i].text));
		free(q->c);
	}
	free(all.q);
}
