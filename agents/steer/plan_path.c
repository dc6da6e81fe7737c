/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Paths: their interfaces and gateways, and whether they can be used.
 */
#include "agents/steer/plan_impl.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"

static const struct steer_tunnel *tunnel_find(const struct plan_maker *m, const char *name)
{
	for (size_t i = 0; i < m->world->n_tunnels; i++) {
		if (strcmp(m->world->tunnels[i].name, name) == 0)
			return &m->world->tunnels[i];
	}
	return NULL;
}

static const char *device_of(const struct plan_maker *m, const struct site_path *config)
{
	const struct steer_tunnel *t =
		config->kind == PATH_TUNNEL ? tunnel_find(m, config->name) : NULL;

	if (config->device[0])
		return config->device;
	return t && t->device[0] ? t->device : config->name;
}

/* What sav-iked says, or a tunnel's name that is an interface too, has been
 * checked by nobody: a link's or an inside interface's rules are not a tunnel's. */
static const char *why_not_device(const struct plan_maker *m, const struct site_path *config)
{
	return config->kind == PATH_TUNNEL
		       ? site_not_for_tunnel(m->site, device_of(m, config), config->name)
		       : NULL;
}

static void set_device(const struct plan_maker *m, const struct site_path *config, struct path *p)
{
	snprintf(p->device, sizeof(p->device), "%s",
		 why_not_device(m, config) ? "" : device_of(m, config));
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
	const char *why = why_not_device(m, config);
	const struct steer_tunnel *t;
	char text[PATH_REASON_SIZE];

	if (why) {
		snprintf(text, sizeof(text), "not by interface %.15s: %.64s", device_of(m, config),
			 why);
		unusable(pp, f, text);
		return false;
	}
	if (pp->vrf[0]) {
		plan_say_vrf(text, sizeof(text), pp->vrf, pp->path.device);
		unusable(pp, f, text);
		return false;
	}
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
	pp->path.possible[f] = pp->usable[f];
	if (pp->usable[f] && state->alive == PATH_DOWN)
		unusable(pp, f, state->reason[0] ? state->reason : "no answers");
}

/* What has to leave by the provider's paths. */
static void collect_sources(const struct plan_provider *p, enum ip_family f, struct addrset *out)
{
	for (size_t i = 0; i < p->n_prefixes; i++) {
		if (p->prefixes[i].family == f)
			addrset_append(out, &p->prefixes[i]);
	}
	if (p->has_nat[f])
		addrset_append(out, &p->nat_to[f]);
	addrset_normalize(out);
}

/* One of the addresses, as the shortest prefix of those that are missing. */
static void first_prefix(const struct ip_prefix *p, void *arg)
{
	struct ip_prefix *first = arg;

	if (first->len == 0)
		*first = *p;
}

static void check_selectors(struct plan_path *pp, struct plan_provider *p, enum ip_family f,
			    const struct addrset *selectors)
{
	struct addrset sources = { 0 }, missing = { 0 };
	struct ip_prefix example = { .family = f };
	char text[IP_TEXT_SIZE], why[PATH_REASON_SIZE];

	collect_sources(p, f, &sources);
	addrset_subtract(&missing, &sources, selectors);
	addrset_each_prefix(&missing, first_prefix, &example);
	if (addrset_is_empty(&missing))
		goto out;
	ip_prefix_format(&example, text);
	if (!addrset_equal(&missing, &sources)) {
		snprintf(p->problem, sizeof(p->problem), "tunnel %.24s: selectors without %s",
			 pp->path.name, text);
		goto out;
	}
	snprintf(why, sizeof(why), "its selectors have no source of the provider's, as %s", text);
	unusable(pp, f, why);
	pp->path.possible[f] = false;
out:
	addrset_fini(&sources);
	addrset_fini(&missing);
}

static void add_subnet(const struct ip_prefix *p, void *arg)
{
	struct plan_path *pp = arg;

	plan_append_prefix(&pp->subnets, &pp->n_subnets, p);
}

/* While sav-iked is started anew its interface is gone, then there and down, then up
 * and without keys. */
static bool is_excused(const struct plan_maker *m, const struct site_path *config,
		       const struct agent_interface *in)
{
	const struct steer_tunnel *t;

	if (config->kind != PATH_TUNNEL || !m->world->tunnels_away)
		return false;
	t = tunnel_find(m, config->name);
	return !in || !in->up || (t && !t->up);
}

static void set_vrf(const struct plan_maker *m, struct plan_path *pp)
{
	const struct agent_interface *in = plan_interface_anywhere(m, pp->path.device);

	if (in)
		memcpy(pp->vrf, in->vrf, sizeof(pp->vrf));
}

void plan_make_path(struct plan_maker *m, const struct site_provider *provider,
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
	set_vrf(m, pp);
	in = plan_interface_find(m, p->device);
	p->excused = is_excused(m, config, in);
	if (in) {
		p->ifindex = in->index;
		p->device_up = in->up;
	}
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		p->has_head[f] = config->has_head[f];
		p->head[f] = config->head[f];
		judge_path(m, config, pp, f);
	}
	if (config->kind == PATH_LINK && in)
		addrset_each_prefix(link_table_connected(m->world->links, p->device),
				    add_subnet, pp);
}

void plan_check_selectors(struct plan_maker *m)
{
	struct plan *plan = m->plan;

	for (size_t i = 0; i < plan->n_paths; i++) {
		struct plan_path *pp = &plan->paths[i];
		struct plan_provider *p = plan->providers;
		const struct steer_tunnel *t = NULL;

		if (pp->path.kind == PATH_TUNNEL)
			t = tunnel_find(m, pp->path.name);
		if (!t || addrset_is_empty(&t->sources))
			continue;
		while (p->number != pp->provider)
			p++;
		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			if (t->carries[f])
				check_selectors(pp, p, f, &t->sources);
		}
	}
}
