/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/policy/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/mem.h"
#include "lib/name.h"

/* ---- words ---- */

static const char *const role_names[] = {
	[ROLE_NONE] = "",	  [ROLE_CUSTOMER] = "customer", [ROLE_STUB] = "stub",
	[ROLE_HOST] = "host",	  [ROLE_PEER] = "peer",		[ROLE_PROVIDER] = "provider",
	[ROLE_INTERNAL] = "internal",
};

static const char *const mode_names[] = {
	[MODE_DEFAULT] = "",
	[MODE_ACL] = "acl",
	[MODE_STRICT] = "strict",
	[MODE_STRICT_DIRECT] = "strict-direct",
	[MODE_FEASIBLE] = "feasible",
	[MODE_EFP_A] = "efp-a",
	[MODE_EFP_B] = "efp-b",
	[MODE_LOOSE] = "loose",
	[MODE_LOOSE_NO_DEFAULT] = "loose-no-default",
	[MODE_EGRESS] = "egress",
	[MODE_OFF] = "off",
};

static const char *const stale_names[] = {
	[STALE_HOLD] = "hold",
	[STALE_LOOSE] = "loose",
	[STALE_OFF] = "off",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Index of text in names, or -1; empty words stand for "not said". */
static int word_find(const char *const *names, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		if (names[i][0] != '\0' && strcmp(names[i], text) == 0)
			return (int)i;
	}
	return -1;
}

const char *edge_role_name(enum edge_role role)
{
	return role_names[role];
}

bool edge_role_parse(const char *text, enum edge_role *role)
{
	int i = word_find(role_names, COUNT(role_names), text);

	if (i >= 0)
		*role = (enum edge_role)i;
	return i >= 0;
}

const char *edge_mode_name(enum edge_mode mode)
{
	return mode_names[mode];
}

const char *edge_mode_text(const struct config_edge *e, char text[EDGE_MODE_TEXT_SIZE])
{
	const char *mode = edge_mode_name(config_edge_mode(e));

	if (e->feasible_paths != 0)
		snprintf(text, EDGE_MODE_TEXT_SIZE, "%s paths %u", mode, e->feasible_paths);
	else
		snprintf(text, EDGE_MODE_TEXT_SIZE, "%s", mode);
	return text;
}

bool edge_mode_parse(const char *text, enum edge_mode *mode)
{
	int i = word_find(mode_names, COUNT(mode_names), text);

	if (i >= 0)
		*mode = (enum edge_mode)i;
	return i >= 0;
}

const char *stale_policy_name(enum stale_policy policy)
{
	return stale_names[policy];
}

bool stale_policy_parse(const char *text, enum stale_policy *policy)
{
	int i = word_find(stale_names, COUNT(stale_names), text);

	if (i >= 0)
		*policy = (enum stale_policy)i;
	return i >= 0;
}

enum edge_mode config_edge_mode(const struct config_edge *e)
{
	if (e->mode != MODE_DEFAULT)
		return e->mode;
	switch (e->role) {
	case ROLE_HOST:
		return MODE_ACL;
	case ROLE_STUB:
		return MODE_STRICT;
	case ROLE_CUSTOMER:
		return MODE_EFP_B;
	case ROLE_PEER:
	case ROLE_PROVIDER:
		return MODE_LOOSE;
	case ROLE_INTERNAL:
	case ROLE_NONE:
		return MODE_OFF;
	}
	return MODE_OFF;
}

bool config_edge_is_customer(const struct config_edge *e)
{
	return e->role == ROLE_CUSTOMER || e->role == ROLE_STUB;
}

/* ---- small sorted arrays ---- */

static int prefix_cmp(const void *a, const void *b)
{
	return ip_prefix_cmp(a, b);
}

static int addr_cmp(const void *a, const void *b)
{
	const struct ip_addr *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return (x->v > y->v) - (x->v < y->v);
}

static int listen_cmp(const void *a, const void *b)
{
	const struct config_listen *x = a, *y = b;
	int c = addr_cmp(&x->addr, &y->addr);

	return c ? c : (x->port > y->port) - (x->port < y->port);
}

/* Routers and customers begin with their name; edges with both of theirs. */
static int name_cmp(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What an edge is looked up by. Never copied into a struct config_edge, whose
 * arrays would cut a long name to that of another edge. */
struct edge_key {
	const char *router, *interface;
};

static int edge_cmp(const void *a, const void *b)
{
	const struct config_edge *edge = a;
	const struct edge_key *key = b;
	int c = strcmp(edge->router, key->router);

	return c ? c : strcmp(edge->interface, key->interface);
}

bool config_prefixes_set(struct ip_prefix **list, size_t *n, const struct ip_prefix *p,
			 bool add)
{
	void *array = *list;
	bool done = array_set(&array, n, sizeof(*p), p, prefix_cmp, add);

	*list = array;
	return done;
}

bool config_addrs_set(struct ip_addr **list, size_t *n, const struct ip_addr *a, bool add)
{
	void *array = *list;
	bool done = array_set(&array, n, sizeof(*a), a, addr_cmp, add);

	*list = array;
	return done;
}

/* ---- objects ---- */

static void *dup_array(const void *src, size_t n, size_t size)
{
	return n ? mem_dup(src, n * size) : NULL;
}

void config_router_copy(struct config_router *dst, const struct config_router *src)
{
	*dst = *src;
	dst->bmp_sources =
		dup_array(src->bmp_sources, src->n_bmp_sources, sizeof(*src->bmp_sources));
	dst->excluded = dup_array(src->excluded, src->n_excluded, sizeof(*src->excluded));
}

void config_router_fini(struct config_router *r)
{
	free(r->bmp_sources);
	free(r->excluded);
	*r = (struct config_router){ 0 };
}

void config_customer_copy(struct config_customer *dst, const struct config_customer *src)
{
	*dst = *src;
	dst->prefixes = dup_array(src->prefixes, src->n_prefixes, sizeof(*src->prefixes));
	dst->terms = dup_array(src->terms, src->n_terms, sizeof(*src->terms));
}

void config_customer_fini(struct config_customer *c)
{
	free(c->prefixes);
	free(c->terms);
	*c = (struct config_customer){ 0 };
}

void config_edge_init(struct config_edge *e, const char *router, const char *interface)
{
	*e = (struct config_edge){
		.action = FILTER_OBSERVE,
		.holddown_s = CONFIG_HOLDDOWN_S,
		.brake_shrink_percent = CONFIG_BRAKE_SHRINK,
		.brake_growth_percent = CONFIG_BRAKE_GROWTH,
		.stale_s = CONFIG_STALE_S,
	};
	snprintf(e->router, sizeof(e->router), "%s", router);
	snprintf(e->interface, sizeof(e->interface), "%s", interface);
}

void config_edge_copy(struct config_edge *dst, const struct config_edge *src)
{
	*dst = *src;
	dst->peers = dup_array(src->peers, src->n_peers, sizeof(*src->peers));
	dst->prefixes = dup_array(src->prefixes, src->n_prefixes, sizeof(*src->prefixes));
}

void config_edge_fini(struct config_edge *e)
{
	free(e->peers);
	free(e->prefixes);
	*e = (struct config_edge){ 0 };
}

void config_init(struct config *cfg)
{
	*cfg = (struct config){ 0 };
	config_radius_init(&cfg->radius);
}

void config_fini(struct config *cfg)
{
	for (size_t i = 0; i < cfg->n_routers; i++)
		config_router_fini(&cfg->routers[i]);
	for (size_t i = 0; i < cfg->n_customers; i++)
		config_customer_fini(&cfg->customers[i]);
	for (size_t i = 0; i < cfg->n_edges; i++)
		config_edge_fini(&cfg->edges[i]);
	free(cfg->routers);
	free(cfg->customers);
	free(cfg->edges);
	free(cfg->own);
	free(cfg->permits);
	free(cfg->bmp_listens);
	free(cfg->agent_listens);
	free(cfg->metrics_listens);
	free(cfg->bmp_allows);
	config_record_forget(cfg);
	config_radius_fini(&cfg->radius);
	*cfg = (struct config){ 0 };
}

void config_clone(struct config *dst, const struct config *src)
{
	*dst = *src;
	dst->sink = NULL;
	dst->records = NULL;
	dst->before = dst->watch = NULL;
	dst->routers = dup_array(src->routers, src->n_routers, sizeof(*src->routers));
	for (size_t i = 0; i < src->n_routers; i++)
		config_router_copy(&dst->routers[i], &src->routers[i]);
	dst->customers = dup_array(src->customers, src->n_customers, sizeof(*src->customers));
	for (size_t i = 0; i < src->n_customers; i++)
		config_customer_copy(&dst->customers[i], &src->customers[i]);
	dst->edges = dup_array(src->edges, src->n_edges, sizeof(*src->edges));
	for (size_t i = 0; i < src->n_edges; i++)
		config_edge_copy(&dst->edges[i], &src->edges[i]);
	dst->own = dup_array(src->own, src->n_own, sizeof(*src->own));
	dst->permits = dup_array(src->permits, src->n_permits, sizeof(*src->permits));
	dst->bmp_listens =
		dup_array(src->bmp_listens, src->n_bmp_listens, sizeof(*src->bmp_listens));
	dst->agent_listens = dup_array(src->agent_listens, src->n_agent_listens,
				       sizeof(*src->agent_listens));
	dst->metrics_listens = dup_array(src->metrics_listens, src->n_metrics_listens,
					 sizeof(*src->metrics_listens));
	dst->bmp_allows =
		dup_array(src->bmp_allows, src->n_bmp_allows, sizeof(*src->bmp_allows));
	config_radius_copy(&dst->radius, &src->radius);
}

/* ---- look-up ---- */

const struct config_router *config_router_find(const struct config *cfg, const char *name)
{
	bool found;
	size_t at = array_locate(cfg->routers, cfg->n_routers, sizeof(*cfg->routers), name,
			   name_cmp, &found);

	return found ? &cfg->routers[at] : NULL;
}

const struct config_customer *config_customer_find(const struct config *cfg,
						    const char *name)
{
	bool found;
	size_t at = array_locate(cfg->customers, cfg->n_customers, sizeof(*cfg->customers), name,
			   name_cmp, &found);

	return found ? &cfg->customers[at] : NULL;
}

static size_t edge_locate(const struct config *cfg, const char *router,
			  const char *interface, bool *found)
{
	struct edge_key key = { router, interface };

	return array_locate(cfg->edges, cfg->n_edges, sizeof(*cfg->edges), &key, edge_cmp, found);
}

const struct config_edge *config_edge_find(const struct config *cfg, const char *router,
					   const char *interface)
{
	bool found;
	size_t at = edge_locate(cfg, router, interface, &found);

	return found ? &cfg->edges[at] : NULL;
}

static bool edge_has_peer(const struct config_edge *e, const struct ip_addr *peer)
{
	bool found;

	array_locate(e->peers, e->n_peers, sizeof(*peer), peer, addr_cmp, &found);
	return found;
}

const struct config_edge *config_edge_by_peer(const struct config *cfg, const char *router,
					      const struct ip_addr *peer)
{
	bool found;

	for (size_t i = edge_locate(cfg, router, "", &found); i < cfg->n_edges; i++) {
		if (strcmp(cfg->edges[i].router, router) != 0)
			break;
		if (edge_has_peer(&cfg->edges[i], peer))
			return &cfg->edges[i];
	}
	return NULL;
}

/* ---- checks ---- */

static int check_name(const char *what, const char *name, struct diag *diag)
{
	if (name_is_valid(name))
		return 0;
	return diag_set(diag,
			"%s name \"%s\" is not valid: use 1 to 63 letters, digits, '.', "
			"'_' or '-', starting with a letter or digit",
			what, name);
}

static int check_edge_bounds(const struct config_edge *e, struct diag *diag)
{
	if (e->holddown_s > CONFIG_HOLDDOWN_MAX_S)
		return diag_set(diag, "holddown %u: use 0 to %u seconds", e->holddown_s,
				CONFIG_HOLDDOWN_MAX_S);
	if (e->brake_shrink_percent < 1 || e->brake_shrink_percent > 100)
		return diag_set(diag, "brake shrink %u: use 1 to 100 percent",
				e->brake_shrink_percent);
	if (e->brake_growth_percent > CONFIG_BRAKE_GROWTH_MAX)
		return diag_set(diag,
				"brake growth %u: use 1 to %u percent, or 0 for no brake",
				e->brake_growth_percent, CONFIG_BRAKE_GROWTH_MAX);
	if (e->feasible_paths > CONFIG_PATHS_MAX)
		return diag_set(diag, "mode feasible paths %u: use 1 to %u, or leave it out for all",
				e->feasible_paths, CONFIG_PATHS_MAX);
	if (e->feasible_paths != 0 && e->mode != MODE_FEASIBLE)
		return diag_set(diag, "paths belong to mode feasible");
	if (e->n_peers > FILTER_PEERS_MAX)
		return diag_set(diag, "an edge has at most %u peers", FILTER_PEERS_MAX);
	if (e->profile[0] != '\0')
		return check_name("profile", e->profile, diag);
	return 0;
}

static int check_edge(const struct config *cfg, const struct config_edge *e,
		      struct diag *diag)
{
	if (!filter_ifname_is_valid(e->interface))
		return diag_set(diag, "\"%s\" is not an interface name", e->interface);
	if (!config_router_find(cfg, e->router))
		return diag_set(diag,
				"there is no router %s: type \"router %s\" in configuration "
				"mode first",
				e->router, e->router);
	if (e->customer[0] != '\0' && !config_customer_find(cfg, e->customer))
		return diag_set(diag,
				"there is no customer %s: type \"customer %s\" in "
				"configuration mode first",
				e->customer, e->customer);
	for (size_t i = 0; i < e->n_peers; i++) {
		const struct config_edge *other =
			config_edge_by_peer(cfg, e->router, &e->peers[i]);
		char text[IP_TEXT_SIZE];

		if (other && strcmp(other->interface, e->interface) != 0)
			return diag_set(diag,
					"peer %s is on edge %s %s already: type \"no peer %s\" "
					"there first",
					ip_addr_format(&e->peers[i], text), other->router,
					other->interface, text);
	}
	return check_edge_bounds(e, diag);
}

static void tell(const struct config *cfg, enum config_part part, const char *router,
		 const char *interface)
{
	if (cfg->watch)
		cfg->watch(part, router, interface, cfg->watch_arg);
}

/* The last words before a checked change goes to the sink. */
static void announce(const struct config *cfg, enum config_part part, const char *router,
		     const char *interface)
{
	if (cfg->before)
		cfg->before(part, router, interface, cfg->watch_arg);
}

/* ---- changes ---- */

static int check_bgp(const struct config *cfg, const struct config_router *r,
		     struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	if (r->bgp.as == 0)
		return r->bgp.password[0] == '\0' ?
			       0 :
			       diag_set(diag, "type \"bgp neighbor ADDRESS as AS\" first");
	if (r->bgp.port == 0 || r->bgp.addr.v == 0)
		return diag_set(diag, "bgp neighbor needs an address and a port");
	for (const char *p = r->bgp.password; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return diag_set(diag, "bgp password: use 1 to %d printable characters "
					      "without blanks",
					CONFIG_BGP_PASSWORD_SIZE - 1);
	}
	for (size_t i = 0; i < cfg->n_routers; i++) {
		const struct config_router *other = &cfg->routers[i];

		if (other->bgp.as != 0 && strcmp(other->name, r->name) != 0 &&
		    ip_addr_equal(&other->bgp.addr, &r->bgp.addr) &&
		    other->bgp.port == r->bgp.port)
			return diag_set(diag, "bgp neighbor %s is router %s's already",
					ip_addr_format(&r->bgp.addr, text), other->name);
	}
	return 0;
}

static int check_bmp(const struct config_router *r, struct diag *diag)
{
	if (r->bmp_stats_s > CONFIG_STATS_MAX_S)
		return diag_set(diag, "bmp stats-interval is 1 to %d seconds",
				CONFIG_STATS_MAX_S);
	if (r->redump_s != 0 &&
	    (r->redump_s < CONFIG_REDUMP_MIN_S || r->redump_s > CONFIG_REDUMP_MAX_S))
		return diag_set(diag, "bmp redump-interval is %d to %u seconds",
				CONFIG_REDUMP_MIN_S, CONFIG_REDUMP_MAX_S);
	return 0;
}

int config_router_put(struct config *cfg, const struct config_router *r, struct diag *diag)
{
	struct config_router copy;
	bool found;
	size_t at;

	if (check_name("router", r->name, diag) < 0 || check_bgp(cfg, r, diag) < 0 ||
	    check_bmp(r, diag) < 0)
		return -1;
	announce(cfg, CONFIG_ROUTER, r->name, NULL);
	if (cfg->sink && cfg->sink->router(cfg->sink_ctx, r->name, r, diag) < 0)
		return -1;
	at = array_locate(cfg->routers, cfg->n_routers, sizeof(*r), r->name, name_cmp, &found);
	config_router_copy(&copy, r);
	if (found) {
		config_router_fini(&cfg->routers[at]);
		cfg->routers[at] = copy;
	} else {
		void *array = cfg->routers;

		array_insert(&array, &cfg->n_routers, sizeof(copy), at, &copy);
		cfg->routers = array;
	}
	tell(cfg, CONFIG_ROUTER, copy.name, NULL);
	return 0;
}

/* The customer's new value in the array; what was there is in *old. */
static struct config_customer *customer_place(struct config *cfg,
					      const struct config_customer *c,
					      struct config_customer *old)
{
	void *array = cfg->customers;
	bool found;
	size_t at = array_locate(cfg->customers, cfg->n_customers, sizeof(*c), c->name,
				 name_cmp, &found);

	*old = found ? cfg->customers[at] : (struct config_customer){ 0 };
	if (found)
		cfg->customers[at] = *c;
	else
		array_insert(&array, &cfg->n_customers, sizeof(*c), at, c);
	cfg->customers = found ? cfg->customers : array;
	return &cfg->customers[at];
}

int config_customer_put(struct config *cfg, const struct config_customer *c,
			struct diag *diag)
{
	struct config_customer copy, old;

	if (check_name("customer", c->name, diag) < 0)
		return -1;
	config_customer_copy(&copy, c);
	config_record_apply(cfg, &copy);
	if (config_record_check(cfg, config_customer_find(cfg, c->name), &copy, diag) < 0)
		goto refused;
	announce(cfg, CONFIG_CUSTOMER, NULL, NULL);
	if (cfg->sink && cfg->sink->customer(cfg->sink_ctx, c->name, &copy, diag) < 0)
		goto refused;
	config_record_changed(cfg, &old, customer_place(cfg, &copy, &old));
	config_customer_fini(&old);
	tell(cfg, CONFIG_CUSTOMER, NULL, NULL);
	return 0;
refused:
	config_customer_fini(&copy);
	return -1;
}

int config_edge_put(struct config *cfg, const struct config_edge *e, struct diag *diag)
{
	struct config_edge copy;
	bool found;
	size_t at;

	if (check_edge(cfg, e, diag) < 0)
		return -1;
	announce(cfg, CONFIG_EDGE, e->router, e->interface);
	if (cfg->sink && cfg->sink->edge(cfg->sink_ctx, e->router, e->interface, e, diag) < 0)
		return -1;
	at = edge_locate(cfg, e->router, e->interface, &found);
	config_edge_copy(&copy, e);
	if (found) {
		config_edge_fini(&cfg->edges[at]);
		cfg->edges[at] = copy;
	} else {
		void *array = cfg->edges;

		array_insert(&array, &cfg->n_edges, sizeof(copy), at, &copy);
		cfg->edges = array;
	}
	tell(cfg, CONFIG_EDGE, copy.router, copy.interface);
	return 0;
}

int config_router_del(struct config *cfg, const char *name, struct diag *diag)
{
	bool found;
	size_t at = array_locate(cfg->routers, cfg->n_routers, sizeof(*cfg->routers), name,
			   name_cmp, &found);
	char key[CONFIG_NAME_SIZE];

	if (!found)
		return diag_set(diag, "there is no router %s", name);
	for (size_t i = 0; i < cfg->n_edges; i++) {
		const struct config_edge *e = &cfg->edges[i];

		if (strcmp(e->router, name) == 0)
			return diag_set(diag,
					"router %s still has edges: type \"no edge %s %s\" first",
					name, name, e->interface);
	}
	snprintf(key, sizeof(key), "%s", name);
	announce(cfg, CONFIG_ROUTER, key, NULL);
	if (cfg->sink && cfg->sink->router(cfg->sink_ctx, key, NULL, diag) < 0)
		return -1;
	config_router_fini(&cfg->routers[at]);
	array_remove(cfg->routers, &cfg->n_routers, sizeof(*cfg->routers), at);
	tell(cfg, CONFIG_ROUTER, key, NULL);
	return 0;
}

int config_customer_del(struct config *cfg, const char *name, struct diag *diag)
{
	bool found;
	size_t at = array_locate(cfg->customers, cfg->n_customers, sizeof(*cfg->customers), name,
			   name_cmp, &found);

	if (!found)
		return diag_set(diag, "there is no customer %s", name);
	for (size_t i = 0; i < cfg->n_edges; i++) {
		const struct config_edge *e = &cfg->edges[i];

		if (strcmp(e->customer, name) == 0)
			return diag_set(diag,
					"customer %s is used by edge %s %s: type \"no customer\" "
					"there first",
					name, e->router, e->interface);
	}
	announce(cfg, CONFIG_CUSTOMER, NULL, NULL);
	if (cfg->sink && cfg->sink->customer(cfg->sink_ctx, name, NULL, diag) < 0)
		return -1;
	config_record_changed(cfg, &cfg->customers[at], NULL);
	config_customer_fini(&cfg->customers[at]);
	array_remove(cfg->customers, &cfg->n_customers, sizeof(*cfg->customers), at);
	tell(cfg, CONFIG_CUSTOMER, NULL, NULL);
	return 0;
}

int config_edge_del(struct config *cfg, const char *router, const char *interface,
		    struct diag *diag)
{
	bool found;
	size_t at = edge_locate(cfg, router, interface, &found);
	struct config_edge gone;

	if (!found)
		return diag_set(diag, "there is no edge %s %s", router, interface);
	announce(cfg, CONFIG_EDGE, router, interface);
	if (cfg->sink && cfg->sink->edge(cfg->sink_ctx, router, interface, NULL, diag) < 0)
		return -1;
	gone = cfg->edges[at];
	array_remove(cfg->edges, &cfg->n_edges, sizeof(*cfg->edges), at);
	tell(cfg, CONFIG_EDGE, gone.router, gone.interface);
	config_edge_fini(&gone);
	return 0;
}

int config_own_set(struct config *cfg, const struct ip_prefix *p, bool add,
		   struct diag *diag)
{
	announce(cfg, CONFIG_SPACE, NULL, NULL);
	if (cfg->sink && cfg->sink->own_prefix(cfg->sink_ctx, p, add, diag) < 0)
		return -1;
	if (config_prefixes_set(&cfg->own, &cfg->n_own, p, add))
		tell(cfg, CONFIG_SPACE, NULL, NULL);
	return 0;
}

int config_permit_set(struct config *cfg, const struct ip_prefix *p, bool add,
		      struct diag *diag)
{
	announce(cfg, CONFIG_SPACE, NULL, NULL);
	if (cfg->sink && cfg->sink->permit(cfg->sink_ctx, p, add, diag) < 0)
		return -1;
	if (config_prefixes_set(&cfg->permits, &cfg->n_permits, p, add))
		tell(cfg, CONFIG_SPACE, NULL, NULL);
	return 0;
}

int config_bmp_listen_set(struct config *cfg, const struct config_listen *l, bool add,
			  struct diag *diag)
{
	void *array = cfg->bmp_listens;

	if (cfg->sink && cfg->sink->bmp_listen(cfg->sink_ctx, l, add, diag) < 0)
		return -1;
	if (array_set(&array, &cfg->n_bmp_listens, sizeof(*l), l, listen_cmp, add)) {
		cfg->bmp_listens = array;
		tell(cfg, CONFIG_LISTEN, NULL, NULL);
	}
	return 0;
}

int config_agent_listen_set(struct config *cfg, const struct config_listen *l, bool add,
			    struct diag *diag)
{
	void *array = cfg->agent_listens;

	if (cfg->sink && cfg->sink->agent_listen(cfg->sink_ctx, l, add, diag) < 0)
		return -1;
	if (array_set(&array, &cfg->n_agent_listens, sizeof(*l), l, listen_cmp, add)) {
		cfg->agent_listens = array;
		tell(cfg, CONFIG_LISTEN, NULL, NULL);
	}
	return 0;
}

int config_metrics_listen_set(struct config *cfg, const struct config_listen *l, bool add,
			      struct diag *diag)
{
	void *array = cfg->metrics_listens;

	if (cfg->sink && cfg->sink->metrics_listen(cfg->sink_ctx, l, add, diag) < 0)
		return -1;
	if (array_set(&array, &cfg->n_metrics_listens, sizeof(*l), l, listen_cmp, add)) {
		cfg->metrics_listens = array;
		tell(cfg, CONFIG_LISTEN, NULL, NULL);
	}
	return 0;
}

int config_history_set(struct config *cfg, const struct config_history *h,
		       struct diag *diag)
{
	if (cfg->sink && cfg->sink->history(cfg->sink_ctx, h, diag) < 0)
		return -1;
	cfg->history = *h;
	return 0;
}

struct config_history config_history_get(const struct config *cfg)
{
	struct config_history h = cfg->history;

	if (h.days == 0)
		h.days = CONFIG_HISTORY_DAYS;
	if (h.megabytes == 0)
		h.megabytes = CONFIG_HISTORY_MEGABYTES;
	return h;
}
