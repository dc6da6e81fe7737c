/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Answers of this machine, by the path of the question.
 */
#include <netinet/in.h>
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "agents/steer/nft_site_rule.h"

static void take_error(const struct site_build *b, uint8_t protocol)
{
	struct nftnl_rule *r = site_rule(b);

	site_rule_mark_is(b, r, NFT_CMP_EQ, 0);
	expr_l4(r, protocol);
	site_rule_state(r, STATE_RELATED);
	site_rule_goto(r, CHAIN_ERROR);
}

/* No other path of the provider lets this source out. */
static bool only_here(const struct plan *plan, const struct plan_path *pp, enum ip_family f)
{
	if (pp->path.kind != PATH_LINK || !pp->path.has_source[f])
		return false;
	for (size_t i = 0; i < plan->n_paths; i++) {
		const struct plan_path *other = &plan->paths[i];

		if (other != pp && other->provider == pp->provider &&
		    addrset_contains(&other->egress, &pp->path.source[f]))
			return false;
	}
	return true;
}

/* With a link's own address an answer leaves by that link or not at all, also when
 * the link is dead and its provider's flows go elsewhere. */
static void answer_from_link(const struct site_build *b, const struct plan_path *pp,
			     enum ip_family f)
{
	const struct ip_prefix source =
		ip_prefix_make(f, pp->path.source[f].v, ip_bits(f));
	struct nftnl_rule *r = site_rule(b);

	site_rule_mark_is(b, r, NFT_CMP_EQ, 0);
	site_rule_direction(r, DIRECTION_REPLY);
	site_rule_flow_is(b, r, site_rule_mark(b, SITE_MARK_FLOW, pp->path.number));
	expr_prefix(r, true, &source);
	site_rule_set_mark(b, r, pp->path.mark);
	expr_verdict(r, NF_ACCEPT);
}

void site_build_output(const struct site_build *b)
{
	take_error(b, IPPROTO_ICMP);
	take_error(b, IPPROTO_ICMPV6);
	for (size_t i = 0; i < b->plan->n_paths; i++) {
		const uint32_t flow =
			site_rule_mark(b, SITE_MARK_FLOW, b->plan->paths[i].path.number);
		struct nftnl_rule *r;

		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			if (only_here(b->plan, &b->plan->paths[i], f))
				answer_from_link(b, &b->plan->paths[i], f);
		}
		r = site_rule(b);
		site_rule_mark_is(b, r, NFT_CMP_EQ, 0);
		site_rule_direction(r, DIRECTION_REPLY);
		site_rule_flow_is(b, r, flow);
		site_rule_set_mark(b, r, flow);
	}
}

/* ---- errors about what we forward ----
 *
 * The kernel has given them the source of the route that they had without a
 * mark, mostly the default provider's, which no other path lets out. The error
 * about what came by a path leaves by it, and has that path's own address
 * (RFC 1812 section 4.3.2.4) unless it has one of the provider already. */

struct path_error {
	const struct site_build *b;
	uint32_t mark;
};

static struct nftnl_rule *about_flow(const struct path_error *e)
{
	struct nftnl_rule *r = site_rule(e->b);

	site_rule_direction(r, DIRECTION_REPLY);
	site_rule_flow_is(e->b, r, e->mark);
	return r;
}

static void leave_by(const struct path_error *e, struct nftnl_rule *r)
{
	site_rule_set_mark(e->b, r, e->mark);
	expr_verdict(r, NF_ACCEPT);
}

static void right_already(const struct ip_prefix *p, void *arg)
{
	struct nftnl_rule *r = about_flow(arg);

	expr_prefix(r, true, p);
	leave_by(arg, r);
}

static void path_errors(const struct site_build *b, const struct plan_path *pp)
{
	struct path_error e = { b, site_rule_mark(b, SITE_MARK_FLOW, pp->path.number) };

	addrset_each_prefix(&pp->egress, right_already, &e);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		struct nftnl_rule *r;

		if (!pp->has_preferred[f])
			continue;
		r = about_flow(&e);
		expr_family(r, f);
		site_rule_set_source(r, &pp->preferred[f]);
		leave_by(&e, r);
	}
}

void site_build_error(const struct site_build *b)
{
	for (size_t i = 0; i < b->plan->n_paths; i++)
		path_errors(b, &b->plan->paths[i]);
	/* about answers to a translated flow: translation gives it the source */
	for (size_t i = 0; i < b->plan->n_providers; i++) {
		const uint32_t mark =
			site_rule_mark(b, SITE_MARK_PROVIDER, b->plan->providers[i].number);
		struct nftnl_rule *r = site_rule(b);

		site_rule_direction(r, DIRECTION_ORIGINAL);
		site_rule_flow_is(b, r, mark);
		site_rule_set_mark(b, r, mark);
		expr_verdict(r, NF_ACCEPT);
	}
}
