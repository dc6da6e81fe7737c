/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/sets/model.h"

/* One path, with all that is needed to speak of it. */
struct route {
	unsigned int peer, prefix;
	const struct model_path *path;
};

/* Calls visit for each path; stops at the first true. */
typedef bool visit_fn(const struct model *m, const struct route *r, void *arg);

static bool any(const struct model *m, visit_fn *visit, void *arg)
{
	for (unsigned int p = 0; p < m->n_peers; p++) {
		for (unsigned int i = 0; i < m->n_prefixes; i++) {
			for (unsigned int id = 0; id < MODEL_IDS; id++) {
				struct route r = { p, i, &m->paths[p][i][id] };

				if (r.path->there && visit(m, &r, arg))
					return true;
			}
		}
	}
	return false;
}

static bool holds(const struct ip_prefix *p, const struct ip_addr *a)
{
	unsigned int bits = p->family == IP_V4 ? 32 : 128;

	if (p->family != a->family)
		return false;
	return p->len == 0 || p->v >> (bits - p->len) == a->v >> (bits - p->len);
}

/* "A received default route, or a received prefix shorter than /8 (IPv6 /16), is
 * discarded before every mode but loose" */
static bool is_short(const struct ip_prefix *p)
{
	return p->len < (p->family == IP_V4 ? 8 : 16);
}

static bool is_usable(const struct model *m, const struct route *r,
		      const struct ip_addr *a)
{
	return !is_short(&m->prefixes[r->prefix]) && holds(&m->prefixes[r->prefix], a);
}

static bool from_customer(const struct model *m, const struct route *r)
{
	int edge = m->peers[r->peer].edge;

	return edge >= 0 &&
	       (m->edges[edge].role == ROLE_CUSTOMER || m->edges[edge].role == ROLE_STUB);
}

/* ---- paths */

bool model_is_loop(const struct model_path *p)
{
	for (unsigned int i = 0; i < p->n_segments; i++) {
		for (unsigned int k = 0; k < p->segments[i].n; k++) {
			if (p->segments[i].as[k] == MODEL_OWN_AS)
				return true;
		}
	}
	return false;
}

static bool is_confed(const struct model_segment *s)
{
	return s->type == MODEL_CONFED_SEQUENCE || s->type == MODEL_CONFED_SET;
}

/* RFC 6811 sec. 2: 0 is nobody. What an external peer sends without any number of its
 * own is not ours. */
static uint32_t origin(const struct model *m, const struct route *r)
{
	const struct model_path *p = r->path;
	const struct model_segment *last;
	bool only_confeds = true;

	for (unsigned int i = 0; i < p->n_segments; i++)
		only_confeds = only_confeds && is_confed(&p->segments[i]);
	if (only_confeds)
		return p->n_segments == 0 && !m->peers[r->peer].ibgp ? 0 : MODEL_OWN_AS;
	last = &p->segments[p->n_segments - 1];
	return last->type == MODEL_SEQUENCE ? last->as[last->n - 1] : 0;
}

static unsigned int hops(const struct model_path *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n_segments; i++) {
		if (p->segments[i].type == MODEL_SEQUENCE)
			n += p->segments[i].n;
		else if (p->segments[i].type == MODEL_SET)
			n++;
	}
	return n;
}

/* RFC 4271 9.1.2.2 (c): the AS that MEDs are compared within. */
static uint32_t neighbor(const struct model_path *p)
{
	for (unsigned int i = 0; i < p->n_segments; i++) {
		if (!is_confed(&p->segments[i]))
			return p->segments[i].type == MODEL_SEQUENCE
				       ? p->segments[i].as[0]
				       : 0;
	}
	return 0;
}

/* ---- RFC 8704 */

struct search {
	int edge;
	uint32_t origin;
	unsigned int prefix;
	const struct ip_addr *addr;
};

static bool customer_has_origin(const struct model *m, const struct route *r, void *arg)
{
	const struct search *s = arg;

	return from_customer(m, r) && !is_short(&m->prefixes[r->prefix]) &&
	       origin(m, r) == s->origin;
}

static bool in_set_a(const struct model *m, uint32_t as)
{
	struct search s = { .origin = as };

	return as != 0 && any(m, customer_has_origin, &s);
}

static bool edge_received_prefix(const struct model *m, const struct route *r, void *arg)
{
	const struct search *s = arg;

	return from_customer(m, r) && m->peers[r->peer].edge == s->edge &&
	       r->prefix == s->prefix;
}

/* This route is of X(o), and the edge received its prefix. */
static bool edge_received_of_x(const struct model *m, const struct route *r, void *arg)
{
	struct search s = *(const struct search *)arg;

	if (is_short(&m->prefixes[r->prefix]) || origin(m, r) != s.origin)
		return false;
	s.prefix = r->prefix;
	return any(m, edge_received_prefix, &s);
}

static bool efp_a_route(const struct model *m, const struct route *r, void *arg)
{
	struct search s = *(const struct search *)arg;

	s.origin = origin(m, r);
	return is_usable(m, r, s.addr) && in_set_a(m, s.origin) &&
	       any(m, edge_received_of_x, &s);
}

static bool efp_b_route(const struct model *m, const struct route *r, void *arg)
{
	const struct search *s = arg;

	return is_usable(m, r, s->addr) &&
	       (from_customer(m, r) || in_set_a(m, origin(m, r)));
}

/* ---- the others */

static bool feasible_route(const struct model *m, const struct route *r, void *arg)
{
	const struct search *s = arg;

	return is_usable(m, r, s->addr) && m->peers[r->peer].edge == s->edge;
}

static bool loose_route(const struct model *m, const struct route *r, void *arg)
{
	const struct search *s = arg;

	return holds(&m->prefixes[r->prefix], s->addr);
}

static bool loose_no_default_route(const struct model *m, const struct route *r,
				   void *arg)
{
	const struct search *s = arg;

	return is_usable(m, r, s->addr);
}

/* ---- strict: the decision process of RFC 4271 9.1.2.2 */

#define COMPETE_MAX (MODEL_PEERS * MODEL_IDS)

struct contest {
	unsigned int router, len;
	const struct ip_addr *addr;
	struct route routes[COMPETE_MAX];
	unsigned int n;
};

static bool longest(const struct model *m, const struct route *r, void *arg)
{
	struct contest *c = arg;
	unsigned int len = m->prefixes[r->prefix].len;

	if (m->peers[r->peer].router != c->router || !is_usable(m, r, c->addr))
		return false;
	if (len > c->len)
		c->n = 0;
	if (len >= c->len) {
		c->len = len;
		c->routes[c->n++] = *r;
	}
	return false;
}

static bool is_worse(const struct model *m, const struct route *x, const struct route *y,
		     int step)
{
	const struct model_path *a = x->path, *b = y->path;

	switch (step) {
	case 0:
		return (a->has_pref ? a->pref : 100) < (b->has_pref ? b->pref : 100);
	case 1:
		return hops(a) > hops(b);
	case 2:
		return a->origin_code > b->origin_code;
	case 3:
		return neighbor(a) == neighbor(b) &&
		       (a->has_med ? a->med : 0) > (b->has_med ? b->med : 0);
	case 4:
		return m->peers[x->peer].ibgp && !m->peers[y->peer].ibgp;
	default:
		return m->peers[x->peer].addr > m->peers[y->peer].addr;
	}
}

static bool best_path(const struct model *m, int edge, const struct contest *c)
{
	bool out[COMPETE_MAX] = { false };

	for (int step = 0; step < 6; step++) {
		bool worse[COMPETE_MAX] = { false };

		for (unsigned int i = 0; i < c->n; i++)
			for (unsigned int k = 0; k < c->n; k++)
				worse[i] = worse[i] ||
					   (!out[k] && is_worse(m, &c->routes[i],
								&c->routes[k], step));
		for (unsigned int i = 0; i < c->n; i++)
			out[i] = out[i] || worse[i];
	}
	for (unsigned int i = 0; i < c->n; i++) {
		if (!out[i])
			return m->peers[c->routes[i].peer].edge == edge;
	}
	return false;
}

/* "where this router has customer eBGP paths for the matching prefix, the edges of all
 * of them accept" */
static bool direct(const struct model *m, int edge, const struct contest *c, bool *found)
{
	bool mine = false;

	for (unsigned int i = 0; i < c->n; i++) {
		if (!from_customer(m, &c->routes[i]) || m->peers[c->routes[i].peer].ibgp)
			continue;
		*found = true;
		mine = mine || m->peers[c->routes[i].peer].edge == edge;
	}
	return mine;
}

static bool strict_bgp(const struct model *m, int edge, bool directly,
		       const struct ip_addr *a)
{
	struct contest c = { .router = m->edges[edge].router, .addr = a };
	bool found = false, mine;

	any(m, longest, &c);
	mine = direct(m, edge, &c, &found);
	return directly && found ? mine : best_path(m, edge, &c);
}

/* ---- strict by the forwarding table */

static bool same_prefix(const struct model *m, const struct route *r, void *arg)
{
	struct contest *c = arg;

	if (m->peers[r->peer].router == c->router && r->prefix == c->len)
		c->routes[c->n++] = *r;
	return false;
}

static bool strict_fib(const struct model *m, int edge, bool directly,
		       const struct ip_addr *a)
{
	unsigned int router = m->edges[edge].router;
	int best = -1;
	bool found = false, mine;
	struct contest c = { .router = router, .addr = a };

	for (unsigned int i = 0; i < m->n_prefixes; i++) {
		const struct ip_prefix *p = &m->prefixes[i];

		if (m->fib[router][i].there && !is_short(p) && holds(p, a) &&
		    (best < 0 || p->len > m->prefixes[best].len))
			best = (int)i;
	}
	if (best < 0 || m->fib[router][best].reject)
		return false;
	c.len = (unsigned int)best;
	any(m, same_prefix, &c);
	mine = direct(m, edge, &c, &found);
	if (directly && found)
		return mine;
	return m->fib[router][best].ports >> m->edges[edge].port & 1;
}

/* ---- a mode, and what is done to all of them */

static bool by_mode(const struct model *m, int edge, const struct ip_addr *a)
{
	struct search s = { .edge = edge, .addr = a };
	enum edge_mode mode = m->edges[edge].mode;

	switch (mode) {
	case MODE_STRICT:
	case MODE_STRICT_DIRECT:
		return m->has_fib ? strict_fib(m, edge, mode == MODE_STRICT_DIRECT, a)
				  : strict_bgp(m, edge, mode == MODE_STRICT_DIRECT, a);
	case MODE_FEASIBLE:
		return any(m, feasible_route, &s);
	case MODE_EFP_A:
		return any(m, efp_a_route, &s);
	case MODE_EFP_B:
		return any(m, efp_b_route, &s);
	case MODE_LOOSE:
		return any(m, loose_route, &s);
	case MODE_LOOSE_NO_DEFAULT:
		return any(m, loose_no_default_route, &s);
	default: /* acl and egress: the record alone */
		return false;
	}
}

bool model_accepts(const struct model *m, unsigned int edge, const struct ip_addr *a)
{
	if (m->edges[edge].mode == MODE_OFF)
		return true;
	if (holds(&m->record, a)) /* of every edge, and no part of own space */
		return true;
	if (holds(&m->own, a) && m->edges[edge].role != ROLE_INTERNAL)
		return false;
	return by_mode(m, (int)edge, a);
}
