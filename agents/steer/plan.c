/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/plan_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* ---- addresses ---- */

bool plan_is_link_local(const struct ip_addr *a)
{
	const struct ip_prefix v4 = ip_prefix_make(IP_V4, (u128)0xa9fe0000, 16);
	const struct ip_prefix v6 = ip_prefix_make(IP_V6, (u128)0xfe80 << 112, 10);

	return ip_prefix_contains(a->family == IP_V4 ? &v4 : &v6, a->family, a->v);
}

struct ip_prefix plan_host_of(const struct ip_addr *a)
{
	return ip_prefix_make(a->family, a->v, ip_bits(a->family));
}

static bool overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

const struct agent_interface *plan_interface_find(const struct plan_maker *m, const char *name)
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

static const struct steer_tunnel *tunnel_find(const struct plan_maker *m, const char *name)
{
	for (size_t i = 0; i < m->world->n_tunnels; i++) {
		if (strcmp(m->world->tunnels[i].name, name) == 0)
			return &m->world->tunnels[i];
	}
	return NULL;
}

static void set_device(const struct plan_maker *m, const struct site_path *config, struct path *p)
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

		if (plan_is_link_local(a) || p->has_source[a->family])
			continue;
		p->has_source[a->family] = true;
		p->source[a->family] = *a;
	}
}

static const struct steer_gateway *gateway_find(const struct plan_maker *m, uint32_t ifindex)
{
	for (size_t i = 0; i < m->world->n_gateways; i++) {
		if (m->world->gateways[i].ifindex == ifindex)
			return &m->world->gateways[i];
	}
	return NULL;
}

/* False: the family cannot be routed by this link. */
static bool set_gateway(const struct plan_maker *m, const struct site_path *config, struct path *p,
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
static bool has_way(const struct plan_maker *m, const struct site_path *config,
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

static void judge_path(const struct plan_maker *m, const struct site_path *config,
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

static void make_path(struct plan_maker *m, const struct site_provider *provider,
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
	in = plan_interface_find(m, p->device);
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
static void take_prefix(struct plan_maker *m, struct plan_provider *p, const struct ip_prefix *prefix)
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

static void take_addresses(struct plan_maker *m, struct plan_provider *p, const char *link)
{
	const struct agent_interface *in = plan_interface_find(m, link);

	for (size_t i = 0; in && i < in->n_addresses; i++) {
		struct ip_prefix one = plan_host_of(&in->addresses[i].addr);

		if (!plan_is_link_local(&in->addresses[i].addr))
			take_prefix(m, p, &one);
	}
}

/* What a client has put into the routing table, and what of it is already on
 * the inside interfaces: that is seen first after a restart. */
static void take_delegations(struct plan_maker *m, struct plan_provider *p,
			     const struct ip_prefix *within)
{
	const struct ip_prefix ula = ip_prefix_make(IP_V6, (u128)0xfc << 120, 7);
	const struct steer_world *w = m->world;

	for (size_t i = 0; i < w->n_delegations; i++) {
		if (ip_prefix_covers(within, &w->delegations[i]))
			take_prefix(m, p, &w->delegations[i]);
	}
	for (size_t i = 0; i < m->site->n_insides; i++) {
		const struct agent_interface *in = plan_interface_find(m, m->site->insides[i]);

		for (size_t j = 0; in && j < in->n_addresses; j++) {
			const struct agent_address *a = &in->addresses[j];
			struct ip_prefix net;

			if (a->addr.family != IP_V6 || plan_is_link_local(&a->addr) || a->len == 128)
				continue;
			net = ip_prefix_make(IP_V6, a->addr.v, a->len);
			if (ip_prefix_covers(within, &net) && !ip_prefix_covers(&ula, &net))
				take_prefix(m, p, &net);
		}
	}
}

static void take_prefixes(struct plan_maker *m, struct plan_provider *p)
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
static void choose_nat(struct plan_maker *m, struct plan_provider *p, enum ip_family f)
{
	if (p->config->has_nat_to[f]) {
		p->has_nat[f] = true;
		p->nat_to[f] = plan_host_of(&p->config->nat_to[f]);
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
			p->nat_to[f] = plan_host_of(&pp->path.source[f]);
			return;
		}
	}
}

static void make_provider(struct plan_maker *m, const struct site_provider *config)
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

static void make_privates(struct plan_maker *m)
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
		const struct agent_interface *in = plan_interface_find(m, m->site->insides[i]);

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

static void make_egress(struct plan_maker *m, struct plan_path *pp)
{
	const struct plan_provider *p = plan_provider_find(m->plan, pp->provider);
	const struct agent_interface *in = plan_interface_find(m, pp->path.device);

	for (size_t i = 0; i < p->n_prefixes; i++)
		addrset_append(&pp->egress, &p->prefixes[i]);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (p->has_nat[f])
			addrset_append(&pp->egress, &p->nat_to[f]);
	}
	for (size_t i = 0; in && i < in->n_addresses; i++) {
		struct ip_prefix one = plan_host_of(&in->addresses[i].addr);

		if (!plan_is_link_local(&in->addresses[i].addr))
			addrset_append(&pp->egress, &one);
	}
	addrset_normalize(&pp->egress);
}

/* The interface's address, else of the provider's what is ours. */
static bool pick_source(const struct plan_maker *m, const struct plan_path *pp, enum ip_family f,
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
			if (out->family == f && !plan_is_link_local(out) &&
			    addrset_contains(&pp->egress, out))
				return true;
		}
	}
	return false;
}

/* A tunnel's interface mostly has no address, but its probes need one. */
static void borrow_source(const struct plan_maker *m, struct plan_path *pp)
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (pp->path.kind == PATH_TUNNEL && pp->path.ifindex != 0)
			pp->path.has_source[f] = pick_source(m, pp, f, &pp->path.source[f]);
	}
}

/* ---- the whole ---- */

void plan_make(struct plan *plan, const struct site *site, const struct steer_world *world)
{
	struct plan_maker m = { .plan = plan, .site = site, .world = world };
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
	plan_make_rules(&m);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		plan_make_routes(&m, f);
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
