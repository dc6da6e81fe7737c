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

const struct agent_interface *plan_interface_anywhere(const struct plan_maker *m, const char *name)
{
	const struct agent_inventory *inv = &m->world->links->inventory;

	for (size_t i = 0; i < inv->n; i++) {
		if (strcmp(inv->interfaces[i].name, name) == 0)
			return &inv->interfaces[i];
	}
	return NULL;
}

const struct agent_interface *plan_interface_find(const struct plan_maker *m, const char *name)
{
	const struct agent_interface *in = plan_interface_anywhere(m, name);

	return in && in->vrf[0] == '\0' ? in : NULL;
}

void plan_append_prefix(struct ip_prefix **list, size_t *n, const struct ip_prefix *p)
{
	for (size_t i = 0; i < *n; i++) {
		if (ip_prefix_cmp(&(*list)[i], p) == 0)
			return;
	}
	*list = mem_realloc(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = *p;
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

static bool overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

/* Static ones have been checked; others come as they come. */
static void take_prefix(struct plan_maker *m, struct plan_provider *p, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < m->site->n_providers; i++) {
		const struct site_provider *other = &m->site->providers[i];

		for (size_t j = 0; j < other->n_prefixes && other != p->config; j++) {
			if (other->prefixes[j].source == SITE_STATIC &&
			    overlap(&other->prefixes[j].prefix, prefix)) {
				plan_note_problem(p, prefix, other->name);
				return;
			}
		}
	}
	for (size_t i = 0; i < m->plan->n_providers; i++) {
		const struct plan_provider *other = &m->plan->providers[i];

		for (size_t j = 0; j < other->n_prefixes && other != p; j++) {
			if (overlap(&other->prefixes[j], prefix)) {
				plan_note_problem(p, prefix, other->name);
				return;
			}
		}
	}
	plan_append_prefix(&p->prefixes, &p->n_prefixes, prefix);
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

void plan_inside_subnets(const struct site *site, const struct link_table *links,
			 void (*fn)(void *ctx, const struct ip_prefix *subnet), void *ctx)
{
	const struct ip_prefix ula = ip_prefix_make(IP_V6, (u128)0xfc << 120, 7);
	const struct steer_world world = { .links = links };
	const struct plan_maker m = { .site = site, .world = &world };

	for (size_t i = 0; i < site->n_insides; i++) {
		const struct agent_interface *in = plan_interface_find(&m, site->insides[i]);

		for (size_t j = 0; in && j < in->n_addresses; j++) {
			const struct agent_address *a = &in->addresses[j];
			struct ip_prefix net;

			if (a->addr.family != IP_V6 || plan_is_link_local(&a->addr) || a->len == 128)
				continue;
			net = ip_prefix_make(IP_V6, a->addr.v, a->len);
			if (!ip_prefix_covers(&ula, &net))
				fn(ctx, &net);
		}
	}
}

struct taking {
	struct plan_maker *m;
	struct plan_provider *p;
	const struct ip_prefix *within;
};

static void take_subnet(void *ctx, const struct ip_prefix *subnet)
{
	const struct taking *t = ctx;

	if (ip_prefix_covers(t->within, subnet))
		take_prefix(t->m, t->p, subnet);
}

/* What a client has put into the routing table, and what of it is already on
 * the inside interfaces. */
static void take_delegations(struct plan_maker *m, struct plan_provider *p,
			     const struct ip_prefix *within)
{
	struct taking t = { m, p, within };
	const struct steer_world *w = m->world;

	for (size_t i = 0; i < w->n_delegations; i++) {
		if (ip_prefix_covers(within, &w->delegations[i]))
			take_prefix(m, p, &w->delegations[i]);
	}
	plan_inside_subnets(m->site, w->links, take_subnet, &t);
}

static void take_prefixes(struct plan_maker *m, struct plan_provider *p)
{
	for (size_t i = 0; i < p->config->n_prefixes; i++) {
		const struct site_prefix *c = &p->config->prefixes[i];

		switch (c->source) {
		case SITE_STATIC:
			plan_append_prefix(&p->prefixes, &p->n_prefixes, &c->prefix);
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
		plan_make_path(m, config, &config->paths[i]);
	take_prefixes(m, p);
}

static void set_alive(struct plan *plan, struct plan_provider *p)
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		for (size_t i = 0; i < plan->n_paths; i++) {
			if (plan->paths[i].provider == p->number && plan->paths[i].usable[f])
				p->alive[f] = true;
		}
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
		plan_append_prefix(&plan->privates, &plan->n_privates, &m->site->privates[i]);
	if (plan->n_privates != 0)
		return;
	for (size_t i = 0; i < 3; i++)
		plan_append_prefix(&plan->privates, &plan->n_privates, &rfc1918[i]);
	for (size_t i = 0; i < m->site->n_insides; i++) {
		const struct agent_interface *in = plan_interface_find(m, m->site->insides[i]);

		for (size_t j = 0; in && j < in->n_addresses; j++) {
			const struct agent_address *a = &in->addresses[j];
			struct ip_prefix net;

			if (a->addr.family != IP_V6 || !ip_prefix_contains(&ula, IP_V6, a->addr.v))
				continue;
			net = ip_prefix_make(IP_V6, a->addr.v, a->len);
			plan_append_prefix(&plan->privates, &plan->n_privates, &net);
		}
	}
}

/* ---- inside subnets within a link's ---- */

struct nesting {
	struct plan *plan;
	const struct plan_path *pp;
};

static void note_nested(const struct ip_prefix *p, void *arg)
{
	const struct nesting *n = arg;

	for (size_t i = 0; i < n->pp->n_subnets; i++) {
		if (ip_prefix_covers(&n->pp->subnets[i], p) && p->len > n->pp->subnets[i].len)
			plan_append_prefix(&n->plan->nested, &n->plan->n_nested, p);
	}
}

/* A part of what is on a link may have been routed to us and be inside. */
static void make_nested(struct plan_maker *m)
{
	struct nesting n = { .plan = m->plan };

	for (size_t i = 0; i < m->plan->n_paths; i++) {
		n.pp = &m->plan->paths[i];
		for (size_t j = 0; j < m->site->n_insides; j++)
			addrset_each_prefix(
				link_table_connected(m->world->links, m->site->insides[j]),
				note_nested, &n);
	}
}

/* ---- what cannot be steered ---- */

void plan_say_vrf(char *out, size_t size, const char *vrf, const char *device)
{
	snprintf(out, size, "in VRF %.15s, only the default one is steered: \"ip link set %.15s nomaster\"",
		 vrf, device);
}

static void note_insides(struct plan_maker *m)
{
	struct plan *plan = m->plan;
	char text[PATH_REASON_SIZE];

	for (size_t i = 0; i < m->site->n_insides && plan->problem[0] == '\0'; i++) {
		const struct agent_interface *in = plan_interface_anywhere(m, m->site->insides[i]);

		if (!in || in->vrf[0] == '\0')
			continue;
		plan_say_vrf(text, sizeof(text), in->vrf, in->name);
		snprintf(plan->problem, sizeof(plan->problem), "inside %s is %s", in->name, text);
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
	plan_make_sources(&m);
	plan_check_selectors(&m);
	for (size_t i = 0; i < plan->n_providers; i++)
		set_alive(plan, &plan->providers[i]);
	make_privates(&m);
	make_nested(&m);
	note_insides(&m);
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
	free(plan->nested);
	*plan = (struct plan){ 0 };
}
