/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/sets.h"

#include <stdlib.h>
#include <string.h>

#include "controller/sets/best_path.h"
#include "controller/sets/origin_map.h"
#include "controller/sets/route_list.h"
#include "controller/sets/sets_fib.h"
#include "controller/sets/special.h"
#include "lib/mem.h"

struct sets_pass {
	const struct config *cfg;
	const struct sets_source *sources;
	size_t n_sources;
	struct addrset special, own, records;
	const struct fib *const *fibs; /* NULL: strict is by best path */
	const uint32_t *index;

	bool have_efp;
	struct addrset *efp_a; /* per edge */
	struct addrset efp_b;  /* the same for all; */
	bool have_efp_b_open;
	struct addrset efp_b_open; /* and less special and own */

	struct routes **ranked; /* per router: its routes, sorted; NULL: not asked for */

	bool *have_strict; /* per router */
	struct addrset *strict, *strict_direct; /* per edge */
};

bool sets_prefix_is_too_short(const struct ip_prefix *p)
{
	return p->len < (p->family == IP_V4 ? 8 : 16);
}

/* ---- walking the Adj-RIBs-In ---- */

struct walk {
	struct addrset *set;   /* where prefixes go, or */
	struct routes *routes; /* where routes go */
	size_t source;
	bool keep_short, keep_default;
};

static void take_path(const struct ip_prefix *prefix, uint32_t path_id,
		      const struct rib_attr *attr, void *arg)
{
	struct walk *w = arg;

	(void)path_id;
	if (sets_prefix_is_too_short(prefix) && !(prefix->len ? w->keep_short : w->keep_default))
		return;
	if (w->set) {
		addrset_append(w->set, prefix);
		return;
	}
	route_list_add(w->routes, &(struct route){ *prefix, attr, w->source });
}

static void walk_peer(const struct rib_peer *peer, struct walk *w)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		rib_walk(peer, rib_peer_view(peer, family), family, take_path, w);
}

/* ---- feasible, loose ---- */

static void feasible(const struct sets_pass *pass, size_t edge, struct addrset *out)
{
	struct walk w = { .set = out };

	for (size_t i = 0; i < pass->n_sources; i++) {
		if (pass->sources[i].edge == edge)
			walk_peer(pass->sources[i].peer, &w);
	}
	addrset_normalize(out);
}

static const struct routes *routes_of(struct sets_pass *pass, size_t router)
{
	struct walk w = { 0 };

	if (!pass->ranked)
		pass->ranked = mem_calloc(pass->cfg->n_routers, sizeof(*pass->ranked));
	if (pass->ranked[router])
		return pass->ranked[router];
	w.routes = pass->ranked[router] = mem_alloc(sizeof(struct routes));
	for (; w.source < pass->n_sources; w.source++) {
		if (pass->sources[w.source].router == router)
			walk_peer(pass->sources[w.source].peer, &w);
	}
	route_list_sort(w.routes);
	return w.routes;
}

/* One of the best paths of the run was received on the edge. */
static bool is_among_best(const struct sets_pass *pass, const struct route *run, size_t n,
			  size_t edge, size_t paths)
{
	struct best_candidate *c = mem_calloc(n, sizeof(*c));
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		const struct sets_source *s = &pass->sources[run[i].source];

		c[i] = (struct best_candidate){ .attr = run[i].attr,
						.peer = rib_peer_key(s->peer)->addr,
						.from = s->peer,
						.ibgp = s->ibgp };
	}
	best_paths(c, n, paths);
	for (size_t i = 0; !found && i < n; i++)
		found = c[i].rank != 0 && pass->sources[run[i].source].edge == edge;
	free(c);
	return found;
}

/* RFC 3704 sec. 2.3: "all or N (where N is less than all) feasible BGP paths". */
static void feasible_best(struct sets_pass *pass, size_t edge, size_t router,
			  size_t paths, struct addrset *out)
{
	const struct routes *routes = routes_of(pass, router);

	for (size_t i = 0, end; i < routes->n; i = end) {
		end = route_list_run_end(routes, i);
		if (is_among_best(pass, &routes->r[i], end - i, edge, paths))
			addrset_append(out, &routes->r[i].prefix);
	}
	addrset_normalize(out);
}

/* A router that has no route for a source drops it in the loose form of RFC 3704
 * sec. 2.4 too when its route is a blackhole: operators use that against
 * attackers. The router's own table decides, as it would itself. */
static void loose_fibs(const struct sets_pass *pass, size_t router, bool with_default,
		       struct addrset *out)
{
	struct addrset part = { 0 };

	for (size_t i = 0; i < pass->cfg->n_routers; i++) {
		if (pass->fibs[i])
			sets_fib_routed(pass->fibs[i], with_default, &part);
	}
	addrset_normalize(&part);
	addrset_union(out, out, &part);
	addrset_fini(&part);
	if (!pass->fibs[router])
		return;
	sets_fib_rejected(pass->fibs[router], &part);
	addrset_normalize(&part);
	addrset_subtract(out, out, &part);
	addrset_fini(&part);
}

static void loose(const struct sets_pass *pass, size_t router, bool with_default,
		  struct addrset *out)
{
	struct walk w = { .set = out, .keep_short = with_default, .keep_default = with_default };

	for (size_t i = 0; i < pass->n_sources; i++)
		walk_peer(pass->sources[i].peer, &w);
	addrset_normalize(out);
	addrset_union(out, out, &pass->records);
	if (pass->fibs)
		loose_fibs(pass, router, with_default, out);
}

/* ---- RFC 8704 ---- */

static bool is_customer_source(const struct sets_pass *pass, size_t source)
{
	size_t edge = pass->sources[source].edge;

	return edge != SETS_NO_EDGE && config_edge_is_customer(&pass->cfg->edges[edge]);
}

/* The own AS needs no number to be told from all others. */
static bool origin_key(const struct rib_attr *attr, uint64_t *key)
{
	switch ((enum rib_origin)attr->origin_kind) {
	case RIB_ORIGIN_AS:
		*key = attr->origin_as;
		return true;
	case RIB_ORIGIN_OWN:
		*key = (uint64_t)1 << 32;
		return true;
	case RIB_ORIGIN_NONE:
		return false;
	}
	return false;
}

static bool in_set_a(const struct origin_map *a, const struct route *r,
		     struct origin_edges **found)
{
	uint64_t key;

	*found = origin_key(r->attr, &key) ? origin_map_find(a, key) : NULL;
	return *found != NULL;
}

/* Sec. 3.1.1 step 3, by prefix and not by origin: each edge that received a
 * prefix of X(o) gets all of X(o). One run holds all routes for one prefix. */
static void link_run(struct sets_pass *pass, const struct routes *routes, size_t from,
		     size_t to, struct origin_map *a)
{
	for (size_t i = from; i < to; i++) {
		struct origin_edges *oe;

		if (!in_set_a(a, &routes->r[i], &oe))
			continue;
		for (size_t j = from; j < to; j++) {
			size_t source = routes->r[j].source;

			if (is_customer_source(pass, source))
				origin_edges_add(oe, pass->sources[source].edge);
		}
	}
}

static void efp_build(struct sets_pass *pass, const struct routes *routes)
{
	struct origin_map a = { 0 };
	struct origin_edges *oe;
	uint64_t key;

	for (size_t i = 0; i < routes->n; i++) {
		if (is_customer_source(pass, routes->r[i].source) &&
		    origin_key(routes->r[i].attr, &key))
			origin_map_add(&a, key);
	}
	for (size_t i = 0, end; i < routes->n; i = end) {
		end = route_list_run_end(routes, i);
		link_run(pass, routes, i, end, &a);
	}
	for (size_t i = 0; i < routes->n; i++) {
		const struct route *r = &routes->r[i];
		bool member = in_set_a(&a, r, &oe);

		for (size_t j = 0; member && j < oe->n; j++)
			addrset_append(&pass->efp_a[oe->edges[j]], &r->prefix);
		/* sec. 3.4: P has every prefix of the customer edges, also
		 * those whose origin is not defined; Q asks for the origin */
		if (member || is_customer_source(pass, r->source))
			addrset_append(&pass->efp_b, &r->prefix);
	}
	origin_map_fini(&a);
}

static void efp(struct sets_pass *pass)
{
	struct routes routes = { 0 };
	struct walk w = { .routes = &routes };

	if (pass->have_efp)
		return;
	pass->have_efp = true;
	pass->efp_a = mem_calloc(pass->cfg->n_edges, sizeof(*pass->efp_a));
	for (w.source = 0; w.source < pass->n_sources; w.source++)
		walk_peer(pass->sources[w.source].peer, &w);
	route_list_sort(&routes);
	efp_build(pass, &routes);
	for (size_t i = 0; i < pass->cfg->n_edges; i++)
		addrset_normalize(&pass->efp_a[i]);
	addrset_normalize(&pass->efp_b);
	route_list_fini(&routes);
}

/* ---- strict ---- */

/* The edge of the best path of one run, and all edges with customer eBGP
 * paths (RFC 3704 sec. 2.2: as if directly learned paths won). */
struct owners {
	size_t best;
	size_t *direct;
	size_t n_direct;
};

static void find_owners(const struct sets_pass *pass, const struct route *run, size_t n,
			struct owners *o)
{
	struct best_candidate *c = mem_calloc(n, sizeof(*c));

	o->direct = mem_calloc(n, sizeof(*o->direct));
	o->n_direct = 0;
	for (size_t i = 0; i < n; i++) {
		const struct sets_source *s = &pass->sources[run[i].source];

		c[i] = (struct best_candidate){ .attr = run[i].attr,
						.peer = rib_peer_key(s->peer)->addr,
						.ibgp = s->ibgp };
		if (!s->ibgp && is_customer_source(pass, run[i].source))
			o->direct[o->n_direct++] = s->edge;
	}
	o->best = pass->sources[run[best_path(c, n)].source].edge;
	free(c);
}

/* What of prefix no longer prefix of the table covers: routes are sorted, so
 * the more specific ones follow at once. */
static void uncovered(const struct routes *routes, size_t at, size_t next,
		      struct rangeset *out)
{
	const struct ip_prefix *p = &routes->r[at].prefix;
	struct rangeset inner = { 0 };

	for (size_t i = next; i < routes->n; i++) {
		const struct ip_prefix *q = &routes->r[i].prefix;

		if (!ip_prefix_covers(p, q))
			break;
		rangeset_append_prefix(&inner, q);
	}
	rangeset_normalize(&inner);
	rangeset_append_prefix(out, p);
	rangeset_subtract(out, out, &inner);
	rangeset_fini(&inner);
}

static void grant(struct addrset *edge_set, enum ip_family family,
		  const struct rangeset *part)
{
	for (size_t i = 0; i < part->n; i++)
		rangeset_append(&edge_set->f[family], part->r[i].first, part->r[i].last);
}

static void strict_router(struct sets_pass *pass, const struct routes *routes)
{
	for (size_t i = 0, end; i < routes->n; i = end) {
		enum ip_family family = routes->r[i].prefix.family;
		struct rangeset part = { 0 };
		struct owners o;

		end = route_list_run_end(routes, i);
		find_owners(pass, &routes->r[i], end - i, &o);
		uncovered(routes, i, end, &part);
		if (o.best != SETS_NO_EDGE) {
			grant(&pass->strict[o.best], family, &part);
			if (o.n_direct == 0)
				grant(&pass->strict_direct[o.best], family, &part);
		}
		for (size_t j = 0; j < o.n_direct; j++)
			grant(&pass->strict_direct[o.direct[j]], family, &part);
		rangeset_fini(&part);
		free(o.direct);
	}
}

static size_t router_index(const struct config *cfg, const char *name)
{
	return (size_t)(config_router_find(cfg, name) - cfg->routers);
}

/* ---- strict from the FIB ---- */

struct direct {
	const struct sets_pass *pass;
	struct routes routes; /* customers' eBGP paths of the router, sorted */
	size_t *edges;	      /* as large as there are sources */
};

static int prefix_to_route(const void *a, const void *b)
{
	const struct ip_prefix *p = a;
	const struct route *r = b;

	return ip_prefix_cmp(p, &r->prefix);
}

static size_t direct_edges(const struct ip_prefix *prefix, const size_t **edges, void *arg)
{
	struct direct *d = arg;
	const struct route *hit =
		d->routes.n ? bsearch(prefix, d->routes.r, d->routes.n, sizeof(*hit),
				      prefix_to_route) :
			      NULL;
	size_t at, n = 0;

	if (!hit)
		return 0;
	at = (size_t)(hit - d->routes.r);
	while (at > 0 && prefix_to_route(prefix, &d->routes.r[at - 1]) == 0)
		at--;
	for (size_t end = route_list_run_end(&d->routes, at); at < end; at++) {
		size_t edge = d->pass->sources[d->routes.r[at].source].edge;

		/* add-path: several paths of a source are one edge */
		if (n == 0 || d->edges[n - 1] != edge)
			d->edges[n++] = edge;
	}
	*edges = d->edges;
	return n;
}

static void strict_fib(struct sets_pass *pass, size_t router)
{
	const char *name = pass->cfg->routers[router].name;
	struct direct d = { .pass = pass };
	struct walk w = { .routes = &d.routes };

	if (!pass->fibs[router])
		return;
	for (w.source = 0; w.source < pass->n_sources; w.source++) {
		const struct sets_source *s = &pass->sources[w.source];

		if (s->router == router && !s->ibgp && is_customer_source(pass, w.source))
			walk_peer(s->peer, &w);
	}
	route_list_sort(&d.routes);
	d.edges = mem_calloc(d.routes.n + 1, sizeof(*d.edges));
	sets_fib_strict(pass->cfg, name, pass->fibs[router], pass->index,
			direct_edges, &d, pass->strict, pass->strict_direct);
	free(d.edges);
	route_list_fini(&d.routes);
}

void sets_pass_set_fibs(struct sets_pass *pass, const struct fib *const *fibs,
			const uint32_t *index)
{
	pass->fibs = fibs;
	pass->index = index;
}

static void strict(struct sets_pass *pass, size_t router)
{
	struct routes routes = { 0 };
	struct walk w = { .routes = &routes };
	const struct config *cfg = pass->cfg;

	if (!pass->have_strict) {
		pass->have_strict = mem_calloc(cfg->n_routers, sizeof(bool));
		pass->strict = mem_calloc(cfg->n_edges, sizeof(*pass->strict));
		pass->strict_direct = mem_calloc(cfg->n_edges, sizeof(*pass->strict_direct));
	}
	if (pass->have_strict[router])
		return;
	pass->have_strict[router] = true;
	for (w.source = 0; !pass->fibs && w.source < pass->n_sources; w.source++) {
		if (pass->sources[w.source].router == router)
			walk_peer(pass->sources[w.source].peer, &w);
	}
	route_list_sort(&routes);
	strict_router(pass, &routes);
	route_list_fini(&routes);
	if (pass->fibs)
		strict_fib(pass, router);
	for (size_t i = 0; i < cfg->n_edges; i++) {
		if (router_index(cfg, cfg->edges[i].router) == router) {
			addrset_normalize(&pass->strict[i]);
			addrset_normalize(&pass->strict_direct[i]);
		}
	}
}

/* ---- the pass ---- */

static void append_all(struct addrset *out, const struct ip_prefix *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		addrset_append(out, &list[i]);
}

static void all_records(const struct config *cfg, struct addrset *out)
{
	for (size_t i = 0; i < cfg->n_customers; i++)
		append_all(out, cfg->customers[i].prefixes, cfg->customers[i].n_prefixes);
	addrset_normalize(out);
}

void sets_own_space(const struct config *cfg, struct addrset *out)
{
	struct addrset records = { 0 };

	addrset_fini(out);
	append_all(out, cfg->own, cfg->n_own);
	addrset_normalize(out);
	all_records(cfg, &records);
	addrset_subtract(out, out, &records);
	addrset_fini(&records);
}

struct sets_pass *sets_pass_new(const struct config *cfg, const struct sets_source *sources,
				size_t n_sources)
{
	struct sets_pass *pass = mem_alloc(sizeof(*pass));

	pass->cfg = cfg;
	pass->sources = sources;
	pass->n_sources = n_sources;
	special_sources(&pass->special, cfg->permits, cfg->n_permits);
	sets_own_space(cfg, &pass->own);
	all_records(cfg, &pass->records);
	return pass;
}

static void free_per_edge(const struct sets_pass *pass, struct addrset *sets)
{
	for (size_t i = 0; sets && i < pass->cfg->n_edges; i++)
		addrset_fini(&sets[i]);
	free(sets);
}

void sets_pass_free(struct sets_pass *pass)
{
	addrset_fini(&pass->special);
	addrset_fini(&pass->own);
	addrset_fini(&pass->records);
	addrset_fini(&pass->efp_b);
	addrset_fini(&pass->efp_b_open);
	free_per_edge(pass, pass->efp_a);
	free_per_edge(pass, pass->strict);
	free_per_edge(pass, pass->strict_direct);
	for (size_t i = 0; pass->ranked && i < pass->cfg->n_routers; i++) {
		if (pass->ranked[i])
			route_list_fini(pass->ranked[i]);
		free(pass->ranked[i]);
	}
	free(pass->ranked);
	free(pass->have_strict);
	free(pass);
}

/* paths: of mode feasible; 0: all. */
static void mode_set(struct sets_pass *pass, size_t edge, enum edge_mode mode,
		     size_t paths, struct addrset *out)
{
	size_t router = router_index(pass->cfg, pass->cfg->edges[edge].router);

	switch (mode) {
	case MODE_DEFAULT:
	case MODE_OFF:
	case MODE_ACL:	  /* the record alone, which every mode adds */
	case MODE_EGRESS: /* likewise: the record of this provider */
		break;
	case MODE_STRICT:
		strict(pass, router);
		addrset_copy(out, &pass->strict[edge]);
		break;
	case MODE_STRICT_DIRECT:
		strict(pass, router);
		addrset_copy(out, &pass->strict_direct[edge]);
		break;
	case MODE_FEASIBLE:
		if (paths != 0)
			feasible_best(pass, edge, router, paths, out);
		else
			feasible(pass, edge, out);
		break;
	case MODE_EFP_A:
		efp(pass);
		addrset_copy(out, &pass->efp_a[edge]);
		break;
	case MODE_EFP_B:
		efp(pass);
		addrset_copy(out, &pass->efp_b);
		break;
	case MODE_LOOSE:
		loose(pass, router, true, out);
		break;
	case MODE_LOOSE_NO_DEFAULT:
		loose(pass, router, false, out);
		break;
	}
}

static void everything(struct addrset *out)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		rangeset_append(&out->f[family], 0, ip_max(family));
}

static void take_blocked(const struct sets_pass *pass, struct addrset *set)
{
	addrset_subtract(set, set, &pass->special);
	addrset_subtract(set, set, &pass->own);
}

/* Large, and the same for thousands of edges: what is taken off it is taken once. */
static const struct addrset *efp_b_open(struct sets_pass *pass)
{
	efp(pass);
	if (!pass->have_efp_b_open) {
		addrset_copy(&pass->efp_b_open, &pass->efp_b);
		take_blocked(pass, &pass->efp_b_open);
		pass->have_efp_b_open = true;
	}
	return &pass->efp_b_open;
}

/* Its customer's, accepted whatever the routes say. */
static void record(const struct sets_pass *pass, const struct config_edge *e,
		   struct addrset *out)
{
	const struct config_customer *customer =
		e->customer[0] ? config_customer_find(pass->cfg, e->customer) : NULL;

	if (customer)
		append_all(out, customer->prefixes, customer->n_prefixes);
	addrset_normalize(out);
}

static void edge_set(struct sets_pass *pass, size_t edge, enum edge_mode mode,
		     size_t paths, struct addrset *out)
{
	const struct config_edge *e = &pass->cfg->edges[edge];
	bool open = e->role != ROLE_INTERNAL;
	struct addrset extra = { 0 };

	addrset_fini(out);
	if (mode == MODE_OFF) {
		everything(out);
		return;
	}
	record(pass, e, &extra);
	if (open && mode == MODE_EFP_B) {
		take_blocked(pass, &extra);
		addrset_copy(out, efp_b_open(pass));
		open = false;
	} else {
		mode_set(pass, edge, mode, paths, out);
	}
	if (!addrset_is_empty(&extra))
		addrset_union(out, out, &extra);
	if (open)
		take_blocked(pass, out);
	addrset_fini(&extra);
	append_all(&extra, e->prefixes, e->n_prefixes);
	addrset_normalize(&extra);
	if (!addrset_is_empty(&extra))
		addrset_union(out, out, &extra);
	addrset_fini(&extra);
}

void sets_pass_edge(struct sets_pass *pass, size_t edge, struct addrset *out)
{
	const struct config_edge *e = &pass->cfg->edges[edge];

	edge_set(pass, edge, config_edge_mode(e), e->feasible_paths, out);
}

void sets_pass_edge_as(struct sets_pass *pass, size_t edge, enum edge_mode mode,
		       struct addrset *out)
{
	edge_set(pass, edge, mode, 0, out);
}
