/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rules and routes out of paths and providers.
 */
#include "agents/steer/plan_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define METRIC_STEP	10
#define METRIC_OTHERS	1000 /* paths of providers that are not the default one */
#define METRIC_PROHIBIT 4000000000u
#define TABLE_MAIN	254

enum place {
	AT_PATH = 0,
	AT_MAIN = 5,
	AT_FLOW = 10,
	AT_FLOW_PROVIDER = 11,
	AT_NESTED = 18,
	AT_NEAR = 20,
	AT_SPECIFIC = 40,
	AT_QUESTION = 50,
	AT_FAR = 55,
	AT_CHOSEN = 60,
	AT_SOURCE = 70,
	AT_OWN_ADDRESS = 74,
	AT_OWN_PREFIX = 75,
	AT_FOREIGN = 80,
	AT_OWN = 90,
};

/* ---- rules ---- */

static struct plan_rule *new_rule(struct plan_maker *m, enum place place, enum ip_family f,
				  enum plan_action action, uint32_t target)
{
	struct plan *plan = m->plan;
	struct plan_rule *r;

	plan->rules = mem_realloc(plan->rules, plan->n_rules + 1, sizeof(*plan->rules));
	r = &plan->rules[plan->n_rules++];
	*r = (struct plan_rule){ .priority = m->site->rule_base + (uint32_t)place,
				 .family = (uint8_t)f,
				 .action = (uint8_t)action,
				 .target = target };
	return r;
}

static void rule_mark(struct plan_maker *m, enum place place, enum ip_family f, uint32_t mark,
		      uint32_t table)
{
	struct plan_rule *r = new_rule(m, place, f, PLAN_LOOKUP, table);

	r->mark = mark;
	r->mask = m->site->mark_mask;
}

static void rule_iif(struct plan_rule *r, const char *iif)
{
	snprintf(r->iif, sizeof(r->iif), "%s", iif);
}

static void inside_rules_to(struct plan_maker *m, enum place place, const struct ip_prefix *to,
			    enum place past)
{
	const struct site *s = m->site;

	for (size_t i = 0; i < s->n_insides; i++) {
		struct plan_rule *r = new_rule(m, place, to->family, PLAN_GOTO,
					       s->rule_base + (uint32_t)past);

		rule_iif(r, s->insides[i]);
		r->has_to = true;
		r->to = *to;
	}
}

static void path_rules(struct plan_maker *m, const struct plan_path *pp, enum ip_family f)
{
	const uint32_t n = pp->path.number;
	const struct site *s = m->site;

	rule_mark(m, AT_PATH, f, pp->path.mark, site_table(s, SITE_MARK_PATH, n));
	rule_mark(m, AT_FLOW, f, site_mark(s, SITE_MARK_FLOW, n),
		  site_table(s, SITE_MARK_FLOW, n));
	rule_mark(m, AT_FLOW_PROVIDER, f, site_mark(s, SITE_MARK_FLOW, n),
		  site_table(s, SITE_MARK_PROVIDER, pp->provider));
	for (size_t i = 0; i < pp->n_subnets; i++) {
		if (pp->subnets[i].family == f)
			inside_rules_to(m, AT_NEAR, &pp->subnets[i], AT_FAR);
	}
}

static void own_address_rules(struct plan_maker *m, const struct plan_path *pp, enum ip_family f)
{
	const struct agent_interface *in = plan_interface_find(m, pp->path.device);

	for (size_t i = 0; in && i < in->n_addresses; i++) {
		const struct ip_addr *a = &in->addresses[i].addr;
		struct plan_rule *r;

		if (a->family != f || plan_is_link_local(a) ||
		    plan_owner_of(m->plan, a, pp->provider))
			continue;
		r = new_rule(m, AT_OWN_ADDRESS, f, PLAN_LOOKUP,
			     site_table(m->site, SITE_MARK_PATH, pp->path.number));
		rule_iif(r, "lo");
		r->has_from = true;
		r->from = plan_host_of(a);
	}
}

static void source_rule(struct plan_maker *m, enum place place, const char *iif,
			const struct plan_provider *p, const struct ip_prefix *from)
{
	struct plan_rule *r = new_rule(m, place, from->family, PLAN_LOOKUP,
				       site_table(m->site, SITE_MARK_PROVIDER, p->number));

	rule_iif(r, iif);
	r->has_from = true;
	r->from = *from;
}

static void provider_rules(struct plan_maker *m, const struct plan_provider *p, enum ip_family f)
{
	const struct site *s = m->site;

	rule_mark(m, AT_CHOSEN, f, site_mark(s, SITE_MARK_PROVIDER, p->number),
		  site_table(s, SITE_MARK_PROVIDER, p->number));
	for (size_t i = 0; i < p->n_prefixes; i++) {
		if (p->prefixes[i].family != f)
			continue;
		for (size_t j = 0; j < s->n_insides; j++)
			source_rule(m, AT_SOURCE, s->insides[j], p, &p->prefixes[i]);
		source_rule(m, AT_OWN_PREFIX, "lo", p, &p->prefixes[i]);
	}
	if (p->has_nat[f])
		source_rule(m, AT_OWN_PREFIX, "lo", p, &p->nat_to[f]);
}

static void site_rules(struct plan_maker *m, enum ip_family f)
{
	const struct site *s = m->site;
	struct plan_rule *r;

	rule_mark(m, AT_MAIN, f, site_mark(s, SITE_MARK_QUESTION, 1), TABLE_MAIN);
	r = new_rule(m, AT_SPECIFIC, f, PLAN_LOOKUP, TABLE_MAIN);
	r->specific_only = true;
	r = new_rule(m, AT_QUESTION, f, PLAN_PROHIBIT, 0);
	r->mark = site_mark(s, SITE_MARK_QUESTION, 0);
	r->mask = s->mark_mask;
	new_rule(m, AT_FAR, f, PLAN_NOP, 0);
	for (size_t i = 0; i < s->n_insides; i++)
		rule_iif(new_rule(m, AT_FOREIGN, f, PLAN_PROHIBIT, 0), s->insides[i]);
	if (s->default_provider[0] != '\0')
		rule_iif(new_rule(m, AT_OWN, f, PLAN_LOOKUP,
				  site_table(s, SITE_MARK_QUESTION, 0)),
			 "lo");
}

static int by_priority(const void *a, const void *b)
{
	const struct plan_rule *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return memcmp(x, y, sizeof(*x));
}

bool plan_rule_equal(const struct plan_rule *a, const struct plan_rule *b)
{
	return a->priority == b->priority && a->family == b->family &&
	       a->action == b->action && a->specific_only == b->specific_only &&
	       strcmp(a->iif, b->iif) == 0 && a->mark == b->mark && a->mask == b->mask &&
	       a->target == b->target && a->has_from == b->has_from && a->has_to == b->has_to &&
	       (!a->has_from || ip_prefix_cmp(&a->from, &b->from) == 0) &&
	       (!a->has_to || ip_prefix_cmp(&a->to, &b->to) == 0);
}

/* The same one twice: an address that is also a prefix, for one. */
static void drop_doubles(struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_rules; i++) {
		bool seen = false;

		for (size_t j = 0; j < n && !seen; j++)
			seen = plan_rule_equal(&plan->rules[j], &plan->rules[i]);
		if (!seen)
			plan->rules[n++] = plan->rules[i];
	}
	plan->n_rules = n;
}

void plan_make_rules(struct plan_maker *m)
{
	struct plan *plan = m->plan;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		site_rules(m, f);
		for (size_t i = 0; i < plan->n_paths; i++) {
			path_rules(m, &plan->paths[i], f);
			own_address_rules(m, &plan->paths[i], f);
		}
		for (size_t i = 0; i < plan->n_providers; i++)
			provider_rules(m, &plan->providers[i], f);
	}
	for (size_t i = 0; i < plan->n_nested; i++)
		inside_rules_to(m, AT_NESTED, &plan->nested[i], AT_SPECIFIC);
	drop_doubles(plan);
	qsort(plan->rules, plan->n_rules, sizeof(*plan->rules), by_priority);
}

/* ---- routes ---- */

static struct plan_route *new_route(struct plan_maker *m, uint32_t table, const struct ip_prefix *to,
				    uint32_t metric)
{
	struct plan *plan = m->plan;
	struct plan_route *r;

	plan->routes = mem_realloc(plan->routes, plan->n_routes + 1, sizeof(*plan->routes));
	r = &plan->routes[plan->n_routes++];
	*r = (struct plan_route){
		.family = to->family, .table = table, .metric = metric, .to = *to
	};
	return r;
}

/* The source is what own packets get that have none. */
static void path_route(struct plan_maker *m, const struct plan_path *pp, uint32_t table,
		       const struct ip_prefix *to, uint32_t metric)
{
	const enum ip_family f = to->family;
	struct plan_route *r = new_route(m, table, to, metric);

	r->ifindex = pp->path.ifindex;
	r->has_source = pp->has_preferred[f];
	r->source = pp->preferred[f];
	if (to->len == 0 && pp->path.has_gateway[f]) {
		r->has_gateway = true;
		r->gateway = pp->path.gateway[f];
	}
}

static void path_routes(struct plan_maker *m, const struct plan_path *pp, uint32_t table,
			enum ip_family f, uint32_t metric)
{
	const struct ip_prefix all = ip_prefix_make(f, 0, 0);

	path_route(m, pp, table, &all, metric);
	for (size_t i = 0; i < pp->n_subnets; i++) {
		if (pp->subnets[i].family == f)
			path_route(m, pp, table, &pp->subnets[i], metric);
	}
}

static void prohibit_rest(struct plan_maker *m, uint32_t table, enum ip_family f)
{
	const struct ip_prefix all = ip_prefix_make(f, 0, 0);

	new_route(m, table, &all, METRIC_PROHIBIT)->prohibit = true;
}

/* A dead path's own table keeps its route: how else would it be seen alive? */
static void own_table(struct plan_maker *m, const struct plan_path *pp, enum ip_family f)
{
	const uint32_t table = site_table(m->site, SITE_MARK_PATH, pp->path.number);
	const bool gateway_known = pp->path.kind == PATH_TUNNEL || pp->path.has_gateway[f] ||
				   pp->usable[f];

	if (pp->path.ifindex != 0 && pp->path.device_up && gateway_known)
		path_routes(m, pp, table, f, METRIC_STEP);
	prohibit_rest(m, table, f);
}

static void live_paths(struct plan_maker *m, uint32_t table, enum ip_family f, uint32_t provider,
		       uint32_t metric)
{
	for (size_t i = 0; i < m->plan->n_paths; i++) {
		const struct plan_path *pp = &m->plan->paths[i];

		if (pp->provider != provider || !pp->usable[f])
			continue;
		path_routes(m, pp, table, f, metric);
		metric += METRIC_STEP;
	}
}

void plan_make_routes(struct plan_maker *m, enum ip_family f)
{
	const uint32_t own = site_table(m->site, SITE_MARK_QUESTION, 0);
	struct plan *plan = m->plan;

	for (size_t i = 0; i < plan->n_providers; i++) {
		const struct plan_provider *p = &plan->providers[i];
		const uint32_t table = site_table(m->site, SITE_MARK_PROVIDER, p->number);

		live_paths(m, table, f, p->number, METRIC_STEP);
		prohibit_rest(m, table, f);
		if (m->site->default_provider[0] != '\0')
			live_paths(m, own, f, p->number,
				   METRIC_STEP + (uint32_t)i * METRIC_OTHERS);
	}
	for (size_t i = 0; i < plan->n_paths; i++) {
		const struct plan_path *pp = &plan->paths[i];

		own_table(m, pp, f);
		if (pp->usable[f])
			path_routes(m, pp,
				    site_table(m->site, SITE_MARK_FLOW, pp->path.number), f,
				    METRIC_STEP);
	}
}

bool plan_route_same_key(const struct plan_route *a, const struct plan_route *b)
{
	return a->family == b->family && a->table == b->table && a->metric == b->metric &&
	       ip_prefix_cmp(&a->to, &b->to) == 0;
}

bool plan_route_equal(const struct plan_route *a, const struct plan_route *b)
{
	if (!plan_route_same_key(a, b) || a->prohibit != b->prohibit)
		return false;
	if (a->prohibit)
		return true;
	return a->ifindex == b->ifindex && a->has_gateway == b->has_gateway &&
	       a->has_source == b->has_source &&
	       (!a->has_gateway || ip_addr_equal(&a->gateway, &b->gateway)) &&
	       (!a->has_source || ip_addr_equal(&a->source, &b->source));
}
