/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which address a path's own packets have, what private sources become, and
 * what may leave. All prefixes of all providers are known by then: an address
 * that lies in another provider's is none of ours, wherever it is.
 */
#include "agents/steer/plan_impl.h"

#include <stdio.h>

#include "lib/mem.h"

void plan_note_problem(struct plan_provider *p, const struct ip_prefix *prefix,
		       const char *other)
{
	char text[IP_TEXT_SIZE];

	snprintf(p->problem, sizeof(p->problem), "%s is provider %.24s's and not used",
		 ip_prefix_format(prefix, text), other);
}

const struct plan_provider *plan_owner_of(const struct plan *plan, const struct ip_addr *a,
					  uint32_t but)
{
	for (size_t i = 0; i < plan->n_providers; i++) {
		const struct plan_provider *p = &plan->providers[i];

		for (size_t j = 0; j < p->n_prefixes && p->number != but; j++) {
			if (ip_prefix_contains(&p->prefixes[j], a->family, a->v))
				return p;
		}
	}
	return NULL;
}

/* ---- which of the addresses ---- */

struct choice {
	const struct plan_maker *m;
	const struct plan_path *pp;
	const struct ip_addr *present; /* or NULL */
	bool found;
	unsigned int rank;
	struct ip_addr best;
};

/* The lower, the better: first what the kernel says of it, as RFC 6724 section 5
 * has it (rule 3: no deprecated one); one in the gateway's subnet before one
 * that is only visiting (a virtual address); the one in use before its equals. */
static unsigned int rank_of(const struct choice *c, const struct agent_address *a)
{
	const enum ip_family f = a->addr.family;
	const struct ip_prefix net = ip_prefix_make(f, a->addr.v, a->len);
	const struct path *p = &c->pp->path;
	const bool far = p->has_gateway[f] && !ip_prefix_contains(&net, f, p->gateway[f].v);
	const bool other = !c->present || !ip_addr_equal(c->present, &a->addr);

	return (plan_is_link_local(&a->addr) ? 100u : 0u) + a->fit * 10u + (far ? 2u : 0u) +
	       (other ? 1u : 0u);
}

static void consider(struct choice *c, const struct agent_address *a)
{
	const unsigned int rank = rank_of(c, a);

	/* a packet that has it would not even be sent (RFC 4862 section 5.4) */
	if (a->fit == ADDRESS_TENTATIVE || (c->found && rank >= c->rank))
		return;
	c->found = true;
	c->rank = rank;
	c->best = a->addr;
}

static struct choice choice_of(const struct plan_maker *m, const struct plan_path *pp,
			       enum ip_family f)
{
	const struct plan_path *was =
		m->world->before ? plan_path_find(m->world->before, pp->path.number) : NULL;

	return (struct choice){ .m = m, .pp = pp,
				.present = was && was->path.has_source[f] ? &was->path.source[f]
									  : NULL };
}

/* Of the path's own interface. link_local: those of IPv4, which inside a tunnel
 * are used like any other (RFC 3927 section 2.7 is about links). */
static bool own_source(const struct plan_maker *m, const struct plan_path *pp, enum ip_family f,
		       bool link_local, struct ip_addr *out)
{
	const struct agent_interface *in = plan_interface_find(m, pp->path.device);
	struct choice c = choice_of(m, pp, f);

	for (size_t i = 0; in && i < in->n_addresses; i++) {
		const struct ip_addr *a = &in->addresses[i].addr;

		if (a->family == f && plan_is_link_local(a) == link_local &&
		    (f == IP_V4 || !link_local) && !plan_owner_of(m->plan, a, pp->provider))
			consider(&c, &in->addresses[i]);
	}
	*out = c.best;
	return c.found;
}

/* A tunnel's interface mostly has no address of its own, but its probes need
 * one: of the provider's what is ours. */
static bool borrowed_source(const struct plan_maker *m, const struct plan_path *pp,
			    enum ip_family f, struct ip_addr *out)
{
	const struct agent_inventory *inv = &m->world->links->inventory;
	struct choice c = choice_of(m, pp, f);

	for (size_t i = 0; i < inv->n; i++) {
		if (inv->interfaces[i].vrf[0])
			continue; /* the kernel refuses it */
		for (size_t j = 0; j < inv->interfaces[i].n_addresses; j++) {
			const struct agent_address *a = &inv->interfaces[i].addresses[j];

			if (a->addr.family == f && !plan_is_link_local(&a->addr) &&
			    addrset_contains(&pp->egress, &a->addr))
				consider(&c, a);
		}
	}
	*out = c.best;
	return c.found;
}

static void link_source(const struct plan_maker *m, struct plan_path *pp, enum ip_family f)
{
	struct path *p = &pp->path;

	p->has_source[f] = own_source(m, pp, f, false, &p->source[f]);
	pp->has_preferred[f] = p->has_source[f];
	pp->preferred[f] = p->source[f];
}

static void tunnel_source(const struct plan_maker *m, struct plan_path *pp, enum ip_family f)
{
	struct path *p = &pp->path;
	struct ip_addr inner;

	if (p->ifindex == 0)
		return;
	pp->has_preferred[f] = own_source(m, pp, f, false, &pp->preferred[f]) ||
			       borrowed_source(m, pp, f, &pp->preferred[f]);
	p->has_source[f] = pp->has_preferred[f];
	p->source[f] = pp->preferred[f];
	/* a head in 169.254/16 answers nobody else, and knows no way to others */
	if (f == IP_V4 && own_source(m, pp, f, true, &inner) &&
	    (!p->has_source[f] || (p->has_head[f] && plan_is_link_local(&p->head[f])))) {
		p->has_source[f] = true;
		p->source[f] = inner;
	}
}

/* ---- translation ---- */

/* As written; IPv6: a prefix to map to, where there is one (RFC 6296); else the
 * first link's address. */
static bool find_nat(const struct plan_maker *m, const struct plan_provider *p, enum ip_family f,
		     struct ip_prefix *out)
{
	if (p->config->has_nat_to[f]) {
		*out = plan_host_of(&p->config->nat_to[f]);
		return true;
	}
	for (size_t i = 0; f == IP_V6 && i < p->n_prefixes; i++) {
		if (p->prefixes[i].family == IP_V6 && p->prefixes[i].len <= 64) {
			*out = p->prefixes[i];
			return true;
		}
	}
	for (size_t i = 0; i < m->plan->n_paths; i++) {
		const struct plan_path *pp = &m->plan->paths[i];

		if (pp->provider == p->number && pp->path.kind == PATH_LINK &&
		    pp->path.has_source[f]) {
			*out = plan_host_of(&pp->path.source[f]);
			return true;
		}
	}
	return false;
}

static void choose_nat(const struct plan_maker *m, struct plan_provider *p, enum ip_family f)
{
	const struct ip_prefix *to = &p->nat_to[f];
	const struct plan_provider *owner;
	struct ip_addr first;

	p->has_nat[f] = find_nat(m, p, f, &p->nat_to[f]);
	if (!p->has_nat[f])
		return;
	first = (struct ip_addr){ to->v, to->family };
	owner = plan_owner_of(m->plan, &first, p->number);
	if (owner) {
		plan_note_problem(p, to, owner->name);
		p->has_nat[f] = false;
	}
}

/* ---- what may leave ---- */

static void make_egress(struct plan_maker *m, struct plan_path *pp)
{
	struct plan_provider *p = m->plan->providers;
	const struct agent_interface *in = plan_interface_anywhere(m, pp->path.device);

	while (p->number != pp->provider)
		p++;
	for (size_t i = 0; i < p->n_prefixes; i++)
		addrset_append(&pp->egress, &p->prefixes[i]);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (p->has_nat[f])
			addrset_append(&pp->egress, &p->nat_to[f]);
	}
	for (size_t i = 0; in && i < in->n_addresses; i++) {
		const struct ip_addr *a = &in->addresses[i].addr;
		const struct plan_provider *owner = plan_owner_of(m->plan, a, p->number);
		const struct ip_prefix one = plan_host_of(a);

		if (owner)
			plan_note_problem(p, &one, owner->name);
		else if (a->family == IP_V4 || !plan_is_link_local(a))
			addrset_append(&pp->egress, &one);
	}
	addrset_normalize(&pp->egress);
}

/* ---- the whole ---- */

/* A link's source is what private ones become, which may leave by all paths of
 * the provider, and that is what a tunnel borrows from. */
void plan_make_sources(struct plan_maker *m)
{
	struct plan *plan = m->plan;

	for (size_t i = 0; i < plan->n_paths; i++) {
		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			if (plan->paths[i].path.kind == PATH_LINK)
				link_source(m, &plan->paths[i], f);
		}
	}
	for (size_t i = 0; i < plan->n_providers; i++) {
		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			if (plan->providers[i].nat)
				choose_nat(m, &plan->providers[i], f);
		}
	}
	for (size_t i = 0; i < plan->n_paths; i++) {
		struct plan_path *pp = &plan->paths[i];

		make_egress(m, pp);
		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			if (pp->path.kind == PATH_TUNNEL)
				tunnel_source(m, pp, f);
		}
	}
}
