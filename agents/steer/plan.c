/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/plan.h"

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

struct maker {
	struct plan *plan;
	const struct site *site;
	const struct steer_world *world;
};

/* ---- addresses ---- */

static bool is_link_local(const struct ip_addr *a)
{
	const struct ip_prefix v4 = ip_prefix_make(IP_V4, (u128)0xa9fe0000, 16);
	const struct ip_prefix v6 = ip_prefix_make(IP_V6, (u128)0xfe80 << 112, 10);

	return ip_prefix_contains(a->family == IP_V4 ? &v4 : &v6, a->family, a->v);
}

static struct ip_prefix host_of(const struct ip_addr *a)
{
	return ip_prefix_make(a->family, a->v, ip_bits(a->family));
}

static bool overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

static const struct agent_interface *interface_find(const struct maker *m, const char *name)
{
	const struct agent_inventory *inv = &m->world->links->inventory;

	for (size_t i = 0; i < inv->n; i++) {
		if (strcmp(inv->interfaces[i].name, name) == 0)
			return &inv->interfaces[i];
	}
	return NULL;
}

static void append_prefix(struct ip_prefix **list, size_t *n, const struct ip_prefix *p)
{
	for (size_t i = 0; i < *n; i++) {
		if (ip_prefix_cmp(&(*list)[i], p) == 0)
			return;
	}
	*list = mem_realloc(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = *p;
}

/* ---- paths ---- */

static const struct steer_tunnel *tunnel_find(const struct maker *m, const char *name)
{
	for (size_t i = 0; i < m->world->n_tunnels; i++) {
		if (strcmp(m->world->tunnels[i].name, name) == 0)
			return &m->world->tunnels[i];
	}
	return NULL;
}

static void set_device(const struct maker *m, const struct site_path *config, struct path *p)
{
	const struct steer_tunnel *t =
		p->kind == PATH_TUNNEL ? tunnel_find(m, config->name) : NULL;
	const char *name = config->name;

	if (t && t->device[0])
		name = t->device;
	if (config->device[0])
		name = config->device;
	snprintf(p->device, sizeof(p->device), "%s",
		 strlen(name) < sizeof(p->device) ? name : "");
}

static void set_addresses(const struct agent_interface *in, struct path *p)
{
	p->ifindex = in->index;
	p->device_up = in->up;
	for (size_t i = 0; i < in->n_addresses; i++) {
		const struct ip_addr *a = &in->addresses[i].addr;

		if (is_link_local(a) || p->has_source[a->family])
			continue;
		p->has_source[a->family] = true;
		p->source[a->family] = *a;
	}
}

static const struct steer_gateway *gateway_find(const struct maker *m, uint32_t ifindex)
{
	for (size_t i = 0; i < m->world->n_gateways; i++) {
		if (m->world->gateways[i].ifindex == ifindex)
			return &m->world->gateways[i];
	}
	return NULL;
}

/* False: the family cannot be routed by this link. */
static bool set_gateway(const struct maker *m, const struct site_path *config, struct path *p,
			enum ip_family f)
{
	const struct steer_gateway *g = gateway_find(m, p->ifindex);

	if (config->has_gateway[f]) {
		p->has_gateway[f] = true;
		p->gateway[f] = config->gateway[f];
		return true;
	}
	if (!g || !g->found[f] || p->ifindex == 0)
		return false;
	p->has_gateway[f] = g->has_address[f];
	p->gateway[f] = g->address[f];
	return true;
}

static void unusable(struct plan_path *pp, enum ip_family f, const char *why)
{
	pp->usable[f] = false;
	snprintf(pp->why[f], sizeof(pp->why[f]), "%s", why);
}

/* Can this family be routed by it at all? The liveness is not asked. */
static bool has_way(const struct maker *m, const struct site_path *config,
		    struct plan_path *pp, enum ip_family f)
{
	const struct steer_tunnel *t;

	if (pp->path.ifindex == 0) {
		unusable(pp, f, "there is no such interface");
		return false;
	}
	if (config->kind == PATH_LINK) {
		if (set_gateway(m, config, &pp->path, f))
			return true;
		unusable(pp, f, "no gateway: neither configured nor a default route by this "
				"interface");
		return false;
	}
	t = tunnel_find(m, config->name);
	if (t && !t->carries[f]) {
		unusable(pp, f, "its selectors are of the other family");
		return false;
	}
	return true;
}

static void judge_path(const struct maker *m, const struct site_path *config,
		       struct plan_path *pp, enum ip_family f)
{
	const struct path_state *state = &m->world->states[pp->path.number];
	const struct steer_tunnel *t;

	pp->usable[f] = has_way(m, config, pp, f);
	if (!pp->usable[f])
		return;
	if (!pp->path.device_up) {
		unusable(pp, f, "the interface is down");
		return;
	}
	t = config->kind == PATH_TUNNEL ? tunnel_find(m, config->name) : NULL;
	if (t && !t->up)
		unusable(pp, f, "sav-iked has no keys for it");
	else if (config->kind == PATH_TUNNEL && !t && m->world->tunnels_known &&
		 config->device[0] == '\0')
		unusable(pp, f, "sav-iked has no such tunnel");
	else if (state->alive == PATH_DOWN)
		unusable(pp, f, state->reason[0] ? state->reason : "no answers");
}

static void add_subnet(const struct ip_prefix *p, void *arg)
{
	struct plan_path *pp = arg;

	append_prefix(&pp->subnets, &pp->n_subnets, p);
}

static void make_path(struct maker *m, const struct site_provider *provider,
		      const struct site_path *config)
{
	struct plan *plan = m->plan;
	const struct agent_interface *in;
	struct plan_path *pp;
	struct path *p;

	plan->paths = mem_realloc(plan->paths, plan->n_paths + 1, sizeof(*plan->paths));
	pp = &plan->paths[plan->n_paths++];
	*pp = (struct plan_path){ .provider = provider->number };
	p = &pp->path;
	p->number = config->number;
	p->kind = config->kind;
	snprintf(p->name, sizeof(p->name), "%s", config->name);
	snprintf(p->provider, sizeof(p->provider), "%s", provider->name);
	snprintf(p->via, sizeof(p->via), "%s", config->via);
	p->mark = site_mark(m->site, SITE_MARK_PATH, config->number);
	p->mark_mask = m->site->mark_mask;
	p->watch = provider->watch;
	set_device(m, config, p);
	in = interface_find(m, p->device);
	if (in)
		set_addresses(in, p);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		p->has_head[f] = config->has_head[f];
		p->head[f] = config->head[f];
		judge_path(m, config, pp, f);
	}
	if (config->kind == PATH_LINK)
		addrset_each_prefix(link_table_connected(m->world->links, p->device),
				    add_subnet, pp);
}

const struct plan_path *plan_path_find(const struct plan *plan, uint32_t number)
{
	for (size_t i = 0; i < plan->n_paths; i++) {
		if (plan->paths[i].path.number == number)
			return &plan->paths[i];
	}
	return NULL;
}

/* ---- providers ---- */

static void note_problem(struct plan_provider *p, const struct ip_prefix *prefix,
			 const char *other)
{
	char text[IP_TEXT_SIZE];

	snprintf(p->problem, sizeof(p->problem), "%s is provider %.24s's and not used",
		 ip_prefix_format(prefix, text), other);
}

/* Static ones have been checked; others come as they come. */
static void take_prefix(struct maker *m, struct plan_provider *p, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < m->site->n_providers; i++) {
		const struct site_provider *other = &m->site->providers[i];

		for (size_t j = 0; j < other->n_prefixes && other != p->config; j++) {
			if (other->prefixes[j].source == SITE_STATIC &&
			    overlap(&other->prefixes[j].prefix, prefix)) {
				note_problem(p, prefix, other->name);
				return;
			}
		}
	}
	for (size_t i = 0; i < m->plan->n_providers; i++) {
		const struct plan_provider *other = &m->plan->providers[i];

		for (size_t j = 0; j < other->n_prefixes && other != p; j++) {
			if (overlap(&other->prefixes[j], prefix)) {
				note_problem(p, prefix, other->name);
				return;
			}
		}
	}
	append_prefix(&p->prefixes, &p->n_prefixes, prefix);
}

static void take_addresses(struct maker *m, struct plan_provider *p, const char *link)
{
	const struct agent_interface *in = interface_find(m, link);

	for (size_t i = 0; in && i < in->n_addresses; i++) {
		struct ip_prefix one = host_of(&in->addresses[i].addr);

		if (!is_link_local(&in->addresses[i].addr))
			take_prefix(m, p, &one);
	}
}

/* What a client has put into the routing table, and what of it is already on
 * the inside interfaces: that is seen first after a restart. */
static void take_delegations(struct maker *m, struct plan_provider *p,
			     const struct ip_prefix *within)
{
	const struct ip_prefix ula = ip_prefix_make(IP_V6, (u128)0xfc << 120, 7);
	const struct steer_world *w = m->world;

	for (size_t i = 0; i < w->n_delegations; i++) {
		if (ip_prefix_covers(within, &w->delegations[i]))
			take_prefix(m, p, &w->delegations[i]);
	}
	for (size_t i = 0; i < m->site->n_insides; i++) {
		const struct agent_interface *in = interface_find(m, m->site->insides[i]);

		for (size_t j = 0; in && j < in->n_addresses; j++) {
			const struct agent_address *a = &in->addresses[j];
			struct ip_prefix net;

			if (a->addr.family != IP_V6 || is_link_local(&a->addr) || a->len == 128)
				continue;
			net = ip_prefix_make(IP_V6, a->addr.v, a->len);
			if (ip_prefix_covers(within, &net) && !ip_prefix_covers(&ula, &net))
				take_prefix(m, p, &net);
		}
	}
}

static void take_prefixes(struct maker *m, struct plan_provider *p)
{
	for (size_t i = 0; i < p->config->n_prefixes; i++) {
		const struct site_prefix *c = &p->config->prefixes[i];

		switch (c->source) {
		case SITE_STATIC:
			append_prefix(&p->prefixes, &p->n_prefixes, &c->prefix);
			break;
		case SITE_ADDRESS:
			take_addresses(m, p, c->link);
			break;
		case SITE_DELEGATION:
			take_delegations(m, p, &c->prefix);
			break;
		}
	}
}

/* The provider's address for private sources: as written; IPv6: a prefix to
 * map to, where there is one (RFC 6296); else the first link's address. */
static void choose_nat(struct maker *m, struct plan_provider *p, enum ip_family f)
{
	if (p->config->has_nat_to[f]) {
		p->has_nat[f] = true;
		p->nat_to[f] = host_of(&p->config->nat_to[f]);
		return;
	}
	for (size_t i = 0; f == IP_V6 && i < p->n_prefixes; i++) {
		if (p->prefixes[i].family == IP_V6 && p->prefixes[i].len <= 64) {
			p->has_nat[f] = true;
			p->nat_to[f] = p->prefixes[i];
			return;
		}
	}
	for (size_t i = 0; i < m->plan->n_paths; i++) {
		const struct plan_path *pp = &m->plan->paths[i];

		if (pp->provider == p->number && pp->path.kind == PATH_LINK &&
		    pp->path.has_source[f]) {
			p->has_nat[f] = true;
			p->nat_to[f] = host_of(&pp->path.source[f]);
			return;
		}
	}
}

static void make_provider(struct maker *m, const struct site_provider *config)
{
	struct plan *plan = m->plan;
	struct plan_provider *p;

	plan->providers = mem_realloc(plan->providers, plan->n_providers + 1,
				      sizeof(*plan->providers));
	p = &plan->providers[plan->n_providers++];
	*p = (struct plan_provider){ .number = config->number,
				     .nat = config->nat,
				     .config = config };
	snprintf(p->name, sizeof(p->name), "%s", config->name);
	for (size_t i = 0; i < config->n_paths; i++)
		make_path(m, config, &config->paths[i]);
	take_prefixes(m, p);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		for (size_t i = 0; i < plan->n_paths; i++) {
			if (plan->paths[i].provider == p->number && plan->paths[i].usable[f])
				p->alive[f] = true;
		}
		if (config->nat)
			choose_nat(m, p, f);
	}
}

const struct plan_provider *plan_provider_find(const struct plan *plan, uint32_t number)
{
	for (size_t i = 0; i < plan->n_providers; i++) {
		if (plan->providers[i].number == number)
			return &plan->providers[i];
	}
	return NULL;
}

bool plan_can_nat(const struct plan_provider *p, enum ip_family family)
{
	return p->nat && p->has_nat[family] && p->alive[family];
}

/* ---- private sources ---- */

static void make_privates(struct maker *m)
{
	const struct ip_prefix rfc1918[] = {
		ip_prefix_make(IP_V4, (u128)0x0a000000, 8),
		ip_prefix_make(IP_V4, (u128)0xac100000, 12),
		ip_prefix_make(IP_V4, (u128)0xc0a80000, 16),
	};
	const struct ip_prefix ula = ip_prefix_make(IP_V6, (u128)0xfc << 120, 7);
	struct plan *plan = m->plan;

	for (size_t i = 0; i < m->site->n_privates; i++)
		append_prefix(&plan->privates, &plan->n_privates, &m->site->privates[i]);
	if (plan->n_privates != 0)
		return;
	for (size_t i = 0; i < 3; i++)
		append_prefix(&plan->privates, &plan->n_privates, &rfc1918[i]);
	for (size_t i = 0; i < m->site->n_insides; i++) {
		const struct agent_interface *in = interface_find(m, m->site->insides[i]);

		for (size_t j = 0; in && j < in->n_addresses; j++) {
			const struct agent_address *a = &in->addresses[j];
			struct ip_prefix net;

			if (a->addr.family != IP_V6 || !ip_prefix_contains(&ula, IP_V6, a->addr.v))
				continue;
			net = ip_prefix_make(IP_V6, a->addr.v, a->len);
			append_prefix(&plan->privates, &plan->n_privates, &net);
		}
	}
}

/* ---- what may leave ---- */

static void make_egress(struct maker *m, struct plan_path *pp)
{
	const struct plan_provider *p = plan_provider_find(m->plan, pp->provider);
	const struct agent_interface *in = interface_find(m, pp->path.device);

	for (size_t i = 0; i < p->n_prefixes; i++)
		addrset_append(&pp->egress, &p->prefixes[i]);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (p->has_nat[f])
			addrset_append(&pp->egress, &p->nat_to[f]);
	}
	for (size_t i = 0; in && i < in->n_addresses; i++) {
		struct ip_prefix one = host_of(&in->addresses[i].addr);

		if (!is_link_local(&in->addresses[i].addr))
			addrset_append(&pp->egress, &one);
	}
	addrset_normalize(&pp->egress);
}

/* The interface's address, else of the provider's what is ours. */
static bool pick_source(const struct maker *m, const struct plan_path *pp, enum ip_family f,
			struct ip_addr *out)
{
	const struct agent_inventory *inv = &m->world->links->inventory;

	if (pp->path.has_source[f]) {
		*out = pp->path.source[f];
		return true;
	}
	for (size_t i = 0; i < inv->n; i++) {
		for (size_t j = 0; j < inv->interfaces[i].n_addresses; j++) {
			*out = inv->interfaces[i].addresses[j].addr;
			if (out->family == f && !is_link_local(out) &&
			    addrset_contains(&pp->egress, out))
				return true;
		}
	}
	return false;
}

/* A tunnel's interface mostly has no address, but its probes need one. */
static void borrow_source(const struct maker *m, struct plan_path *pp)
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (pp->path.kind == PATH_TUNNEL && pp->path.ifindex != 0)
			pp->path.has_source[f] = pick_source(m, pp, f, &pp->path.source[f]);
	}
}

/* ---- rules ---- */

static struct plan_rule *new_rule(struct maker *m, enum place place, enum ip_family f,
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

static void rule_mark(struct maker *m, enum place place, enum ip_family f, uint32_t mark,
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

static void path_rules(struct maker *m, const struct plan_path *pp, enum ip_family f)
{
	const uint32_t n = pp->path.number;
	const struct site *s = m->site;

	rule_mark(m, AT_PATH, f, pp->path.mark, site_table(s, SITE_MARK_PATH, n));
	rule_mark(m, AT_FLOW, f, site_mark(s, SITE_MARK_FLOW, n),
		  site_table(s, SITE_MARK_FLOW, n));
	rule_mark(m, AT_FLOW_PROVIDER, f, site_mark(s, SITE_MARK_FLOW, n),
		  site_table(s, SITE_MARK_PROVIDER, pp->provider));
	for (size_t i = 0; i < pp->n_subnets; i++) {
		for (size_t j = 0; j < s->n_insides && pp->subnets[i].family == f; j++) {
			struct plan_rule *r = new_rule(m, AT_NEAR, f, PLAN_GOTO,
						       s->rule_base + AT_FAR);

			rule_iif(r, s->insides[j]);
			r->has_to = true;
			r->to = pp->subnets[i];
		}
	}
}

static void own_address_rules(struct maker *m, const struct plan_path *pp, enum ip_family f)
{
	const struct agent_interface *in = interface_find(m, pp->path.device);

	for (size_t i = 0; in && i < in->n_addresses; i++) {
		const struct ip_addr *a = &in->addresses[i].addr;
		struct plan_rule *r;

		if (a->family != f || is_link_local(a))
			continue;
		r = new_rule(m, AT_OWN_ADDRESS, f, PLAN_LOOKUP,
			     site_table(m->site, SITE_MARK_PATH, pp->path.number));
		rule_iif(r, "lo");
		r->has_from = true;
		r->from = host_of(a);
	}
}

static void source_rule(struct maker *m, enum place place, const char *iif,
			const struct plan_provider *p, const struct ip_prefix *from)
{
	struct plan_rule *r = new_rule(m, place, from->family, PLAN_LOOKUP,
				       site_table(m->site, SITE_MARK_PROVIDER, p->number));

	rule_iif(r, iif);
	r->has_from = true;
	r->from = *from;
}

static void provider_rules(struct maker *m, const struct plan_provider *p, enum ip_family f)
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

static void site_rules(struct maker *m, enum ip_family f)
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

static void make_rules(struct maker *m)
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
	drop_doubles(plan);
	qsort(plan->rules, plan->n_rules, sizeof(*plan->rules), by_priority);
}

/* ---- routes ---- */

static struct plan_route *new_route(struct maker *m, uint32_t table, const struct ip_prefix *to,
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
static void path_route(struct maker *m, const struct plan_path *pp, uint32_t table,
		       const struct ip_prefix *to, uint32_t metric)
{
	const enum ip_family f = to->family;
	struct plan_route *r = new_route(m, table, to, metric);

	r->ifindex = pp->path.ifindex;
	r->has_source = pp->path.has_source[f];
	r->source = pp->path.source[f];
	if (to->len == 0 && pp->path.has_gateway[f]) {
		r->has_gateway = true;
		r->gateway = pp->path.gateway[f];
	}
}

static void path_routes(struct maker *m, const struct plan_path *pp, uint32_t table,
			enum ip_family f, uint32_t metric)
{
	const struct ip_prefix all = ip_prefix_make(f, 0, 0);

	path_route(m, pp, table, &all, metric);
	for (size_t i = 0; i < pp->n_subnets; i++) {
		if (pp->subnets[i].family == f)
			path_route(m, pp, table, &pp->subnets[i], metric);
	}
}

static void prohibit_rest(struct maker *m, uint32_t table, enum ip_family f)
{
	const struct ip_prefix all = ip_prefix_make(f, 0, 0);

	new_route(m, table, &all, METRIC_PROHIBIT)->prohibit = true;
}

/* A dead path's own table keeps its route: how else would it be seen alive? */
static void own_table(struct maker *m, const struct plan_path *pp, enum ip_family f)
{
	const uint32_t table = site_table(m->site, SITE_MARK_PATH, pp->path.number);
	const bool gateway_known = pp->path.kind == PATH_TUNNEL || pp->path.has_gateway[f] ||
				   pp->usable[f];

	if (pp->path.ifindex != 0 && pp->path.device_up && gateway_known)
		path_routes(m, pp, table, f, METRIC_STEP);
	prohibit_rest(m, table, f);
}

static void live_paths(struct maker *m, uint32_t table, enum ip_family f, uint32_t provider,
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

static void make_routes(struct maker *m, enum ip_family f)
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

/* ---- the whole ---- */

void plan_make(struct plan *plan, const struct site *site, const struct steer_world *world)
{
	struct maker m = { .plan = plan, .site = site, .world = world };
	const struct site_provider *first = site_provider_find(site, site->default_provider);

	*plan = (struct plan){ .site = site };
	if (!site_is_used(site))
		return;
	if (first)
		make_provider(&m, first);
	for (size_t i = 0; i < site->n_providers; i++) {
		if (&site->providers[i] != first)
			make_provider(&m, &site->providers[i]);
	}
	for (size_t i = 0; i < plan->n_paths; i++) {
		make_egress(&m, &plan->paths[i]);
		borrow_source(&m, &plan->paths[i]);
	}
	make_privates(&m);
	make_rules(&m);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		make_routes(&m, f);
}

void plan_fini(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_paths; i++) {
		free(plan->paths[i].subnets);
		addrset_fini(&plan->paths[i].egress);
	}
	for (size_t i = 0; i < plan->n_providers; i++)
		free(plan->providers[i].prefixes);
	free(plan->paths);
	free(plan->providers);
	free(plan->rules);
	free(plan->routes);
	free(plan->privates);
	*plan = (struct plan){ 0 };
}
