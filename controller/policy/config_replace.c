/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What goes, goes first: two customers may swap a prefix, two edges a peer. So
 * objects that lose something of which there can be only one are changed twice.
 */
#include "controller/policy/config_replace_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/mem.h"

static bool same_addrs(const struct ip_addr *a, size_t n_a, const struct ip_addr *b,
		       size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++) {
		if (!ip_addr_equal(&a[i], &b[i]))
			return false;
	}
	return n_a == n_b;
}

bool config_replace_same_prefixes(const struct ip_prefix *a, size_t n_a,
			  const struct ip_prefix *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++) {
		if (ip_prefix_cmp(&a[i], &b[i]) != 0)
			return false;
	}
	return n_a == n_b;
}

/* ---- routers ---- */

static bool same_bgp(const struct config_bgp *a, const struct config_bgp *b)
{
	return a->as == b->as && a->port == b->port &&
	       ip_addr_equal(&a->addr, &b->addr) && strcmp(a->password, b->password) == 0;
}

static bool same_router(const struct config_router *a, const struct config_router *b)
{
	return same_bgp(&a->bgp, &b->bgp) && a->exclude_bgp == b->exclude_bgp &&
	       a->bmp_stats_s == b->bmp_stats_s && a->redump_s == b->redump_s &&
	       same_addrs(a->bmp_sources, a->n_bmp_sources, b->bmp_sources,
			  b->n_bmp_sources) &&
	       same_addrs(a->excluded, a->n_excluded, b->excluded, b->n_excluded);
}

static int routers_loosen(struct replace *r)
{
	for (size_t i = 0; i < r->cfg->n_routers; i++) {
		const struct config_router *have = &r->cfg->routers[i];
		const struct config_router *want =
			config_router_find(r->target, have->name);
		struct config_router copy;
		int rc;

		if (have->bgp.as == 0 || (want && same_bgp(&have->bgp, &want->bgp)))
			continue;
		config_router_copy(&copy, have);
		copy.bgp = (struct config_bgp){ 0 };
		rc = config_router_put(r->cfg, &copy, r->diag);
		config_router_fini(&copy);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int routers_put(struct replace *r)
{
	for (size_t i = 0; i < r->target->n_routers; i++) {
		const struct config_router *want = &r->target->routers[i];
		const struct config_router *have = config_router_find(r->cfg, want->name);

		if ((!have || !same_router(have, want)) &&
		    config_router_put(r->cfg, want, r->diag) < 0)
			return -1;
	}
	return 0;
}

static int routers_del(struct replace *r)
{
	for (size_t i = r->cfg->n_routers; i-- > 0;) {
		const char *name = r->cfg->routers[i].name;

		if (!config_router_find(r->target, name) &&
		    config_router_del(r->cfg, name, r->diag) < 0)
			return -1;
	}
	return 0;
}

/* ---- customers ---- */

static bool same_term(const struct config_term *a, const struct config_term *b)
{
	return ip_prefix_cmp(&a->prefix, &b->prefix) == 0 && a->from == b->from &&
	       a->until == b->until && a->overlap == b->overlap;
}

static bool same_customer(const struct config_customer *a,
			  const struct config_customer *b)
{
	if (a->as != b->as || a->n_terms != b->n_terms)
		return false;
	for (size_t i = 0; i < a->n_terms; i++) {
		if (!same_term(&a->terms[i], &b->terms[i]))
			return false;
	}
	return config_replace_same_prefixes(a->prefixes, a->n_prefixes, b->prefixes, b->n_prefixes);
}

static int prefix_cmp(const void *item, const void *key)
{
	return ip_prefix_cmp(item, key);
}

static bool wants_prefix(const struct config_customer *want, const struct ip_prefix *p)
{
	bool found = false;

	if (want)
		array_locate(want->prefixes, want->n_prefixes, sizeof(*p), p, prefix_cmp,
			     &found);
	return found && !config_term_find(want, p);
}

/* Only what stays as it is; what becomes different comes back later. */
static int customer_loosen(struct replace *r, const struct config_customer *have)
{
	const struct config_customer *want = config_customer_find(r->target, have->name);
	struct config_customer copy;
	bool less = false;
	int rc = 0;

	if (want && same_customer(have, want))
		return 0;
	config_customer_copy(&copy, have);
	for (size_t i = have->n_prefixes; i-- > 0;) {
		if (!config_term_find(have, &have->prefixes[i]) &&
		    !wants_prefix(want, &have->prefixes[i]))
			less = config_record_remove(&copy, &have->prefixes[i]);
	}
	for (size_t i = have->n_terms; i-- > 0;) {
		const struct config_term *t =
			want ? config_term_find(want, &have->terms[i].prefix) : NULL;

		if (!t || !same_term(t, &have->terms[i]))
			less = config_record_remove(&copy, &have->terms[i].prefix);
	}
	if (less)
		rc = config_customer_put(r->cfg, &copy, r->diag);
	config_customer_fini(&copy);
	return rc;
}

static int customers_loosen(struct replace *r)
{
	for (size_t i = 0; i < r->cfg->n_customers; i++) {
		if (customer_loosen(r, &r->cfg->customers[i]) < 0)
			return -1;
	}
	return 0;
}

static int customers_put(struct replace *r)
{
	for (size_t i = 0; i < r->target->n_customers; i++) {
		const struct config_customer *want = &r->target->customers[i];
		const struct config_customer *have =
			config_customer_find(r->cfg, want->name);

		if ((!have || !same_customer(have, want)) &&
		    config_customer_put(r->cfg, want, r->diag) < 0)
			return -1;
	}
	return 0;
}

static int customers_del(struct replace *r)
{
	for (size_t i = r->cfg->n_customers; i-- > 0;) {
		const char *name = r->cfg->customers[i].name;

		if (!config_customer_find(r->target, name) &&
		    config_customer_del(r->cfg, name, r->diag) < 0)
			return -1;
	}
	return 0;
}

/* ---- edges ---- */

static bool same_edge(const struct config_edge *a, const struct config_edge *b)
{
	return strcmp(a->customer, b->customer) == 0 && a->role == b->role &&
	       a->mode == b->mode && a->action == b->action &&
	       a->holddown_s == b->holddown_s &&
	       a->brake_shrink_percent == b->brake_shrink_percent &&
	       a->brake_growth_percent == b->brake_growth_percent &&
	       a->feasible_paths == b->feasible_paths &&
	       a->stale_s == b->stale_s && a->stale_policy == b->stale_policy &&
	       a->pending == b->pending && strcmp(a->profile, b->profile) == 0 &&
	       same_addrs(a->peers, a->n_peers, b->peers, b->n_peers) &&
	       config_replace_same_prefixes(a->prefixes, a->n_prefixes, b->prefixes, b->n_prefixes);
}

static int edges_del(struct replace *r)
{
	for (size_t i = r->cfg->n_edges; i-- > 0;) {
		const struct config_edge *e = &r->cfg->edges[i];

		if (!config_edge_find(r->target, e->router, e->interface) &&
		    config_edge_del(r->cfg, e->router, e->interface, r->diag) < 0)
			return -1;
	}
	return 0;
}

static int edges_loosen(struct replace *r)
{
	for (size_t i = 0; i < r->cfg->n_edges; i++) {
		const struct config_edge *have = &r->cfg->edges[i];
		const struct config_edge *want =
			config_edge_find(r->target, have->router, have->interface);
		struct config_edge copy;
		int rc;

		if (have->n_peers == 0 ||
		    same_addrs(have->peers, have->n_peers, want->peers, want->n_peers))
			continue;
		config_edge_copy(&copy, have);
		for (size_t k = 0; k < have->n_peers; k++)
			config_addrs_set(&copy.peers, &copy.n_peers, &have->peers[k],
					 false);
		rc = config_edge_put(r->cfg, &copy, r->diag);
		config_edge_fini(&copy);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int edges_put(struct replace *r)
{
	for (size_t i = 0; i < r->target->n_edges; i++) {
		const struct config_edge *want = &r->target->edges[i];
		const struct config_edge *have =
			config_edge_find(r->cfg, want->router, want->interface);

		if ((!have || !same_edge(have, want)) &&
		    config_edge_put(r->cfg, want, r->diag) < 0)
			return -1;
	}
	return 0;
}

/* ---- all ---- */

/* Who watches has work with each change that grows with the configuration: it is
 * told at the end, once for each part. */
struct told {
	struct config *cfg;
	config_watch_fn *before, *watch;
	void *arg;
	bool parts[CONFIG_PARTS];
};

static void gather(enum config_part part, const char *router, const char *interface,
		   void *arg)
{
	struct told *t = arg;

	(void)router;
	(void)interface;
	t->parts[part] = true;
}

static void told_begin(struct told *t, struct config *cfg)
{
	*t = (struct told){ cfg, cfg->before, cfg->watch, cfg->watch_arg };
	if (t->before)
		t->before(CONFIG_EDGE, NULL, NULL, t->arg);
	cfg->before = NULL;
	cfg->watch = gather;
	cfg->watch_arg = t;
}

static void told_end(struct told *t)
{
	t->cfg->before = t->before;
	t->cfg->watch = t->watch;
	t->cfg->watch_arg = t->arg;
	/* edges are of routers that are known */
	if (t->watch && t->parts[CONFIG_ROUTER])
		t->watch(CONFIG_ROUTER, NULL, NULL, t->arg);
	for (enum config_part part = 0; t->watch && part < CONFIG_PARTS; part++) {
		if (part != CONFIG_ROUTER && t->parts[part])
			t->watch(part, NULL, NULL, t->arg);
	}
}

static int replace(struct replace *r)
{
	if (edges_del(r) < 0 || edges_loosen(r) < 0 || customers_loosen(r) < 0 ||
	    routers_loosen(r) < 0)
		return -1;
	if (routers_put(r) < 0 || customers_put(r) < 0 || edges_put(r) < 0 ||
	    config_replace_lists(r) < 0 || config_replace_radius(r) < 0)
		return -1;
	return customers_del(r) < 0 ? -1 : routers_del(r);
}

int config_replace(struct config *cfg, const struct config *target, struct diag *diag)
{
	struct replace r = { cfg, target, diag };
	struct told told;
	int rc;

	told_begin(&told, cfg);
	rc = replace(&r);
	told_end(&told);
	return rc;
}
