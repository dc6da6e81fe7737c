/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>

#include <linux/icmp.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "agents/steer/nft_site_rule.h"

#define CHAIN_PRIVATE "private"
#define CHAIN_EXEMPT  "exempt"
#define CHAIN_REFUSE  "refuse"
#define CHAIN_INSIDE  "inside"

#define ICMP6_POLICY_FAIL 5 /* RFC 4443 3.1: source address failed ingress/egress policy */

static const struct {
	const char *name, *type;
	uint32_t hook;
	int32_t priority;
} fixed[] = {
	/* between connection tracking (-200) and translation of destinations (-100) */
	{ "classify", "filter", NF_INET_PRE_ROUTING, -150 },
	{ CHAIN_INSIDE, NULL, 0, 0 },
	{ CHAIN_PRIVATE, NULL, 0, 0 },
	{ CHAIN_EXEMPT, NULL, 0, 0 },
	{ CHAIN_REFUSE, NULL, 0, 0 },
	{ CHAIN_ERROR, NULL, 0, 0 },
	{ "output", "route", NF_INET_LOCAL_OUT, -150 },
	{ "forwards", "nat", NF_INET_PRE_ROUTING, -100 },
	{ "translate", "nat", NF_INET_POST_ROUTING, 100 },
	/* sources are what the wire will see */
	{ "leave", "filter", NF_INET_POST_ROUTING, 200 },
};

static void leave_name(uint32_t number, char name[32])
{
	snprintf(name, 32, "leave/%u", number);
}

size_t nft_site_chains(const struct plan *plan, struct nft_site_chain chains[NFT_SITE_CHAINS_MAX])
{
	size_t n = 0;

	for (; n < sizeof(fixed) / sizeof(fixed[0]); n++) {
		chains[n] = (struct nft_site_chain){ .type = fixed[n].type,
						     .hook = fixed[n].hook,
						     .priority = fixed[n].priority };
		snprintf(chains[n].name, sizeof(chains[n].name), "%s", fixed[n].name);
	}
	for (size_t i = 0; i < plan->n_paths; i++) {
		chains[n] = (struct nft_site_chain){ .type = NULL };
		leave_name(plan->paths[i].path.number, chains[n++].name);
	}
	return n;
}

static const char *const count_words[NFT_SITE_COUNTS] = { "foreign", "dead", "egress",
						       "probe" };

void nft_site_counter_name(enum nft_site_count what, uint32_t number, char name[32])
{
	snprintf(name, 32, "%s/%u", count_words[what], number);
}

bool nft_site_counter_parse(const char *name, struct nft_site_counter *out)
{
	char word[16];

	if (sscanf(name, "%15[a-z]/%u", word, &out->number) != 2)
		return false;
	for (out->what = 0; out->what < NFT_SITE_COUNTS; out->what++) {
		if (strcmp(count_words[out->what], word) == 0)
			return true;
	}
	return false;
}

/* ---- chains ---- */

static void build_classify(const struct site_build *b)
{
	for (size_t i = 0; i < b->plan->n_paths; i++) {
		const struct path *p = &b->plan->paths[i].path;
		struct nftnl_rule *r = site_rule(b);

		site_rule_device(r, NFT_META_IIFNAME, p->device);
		site_rule_state(r, STATE_NEW);
		site_rule_flow_is(b, r, 0);
		site_rule_set_flow(b, r, site_rule_mark(b, SITE_MARK_FLOW, p->number));
	}
	for (size_t i = 0; i < b->plan->site->n_insides; i++) {
		struct nftnl_rule *r = site_rule(b);

		site_rule_device(r, NFT_META_IIFNAME, b->plan->site->insides[i]);
		site_rule_goto(r, CHAIN_INSIDE);
	}
}

/* Back to where it was pinned: by direction, so that a provider's choice is not
 * taken for the way that a flow came by. */
static void restore(const struct site_build *b, uint8_t direction, uint32_t value)
{
	struct nftnl_rule *r = site_rule(b);

	site_rule_direction(r, direction);
	site_rule_flow_is(b, r, value);
	site_rule_set_mark(b, r, value);
	expr_verdict(r, NF_ACCEPT);
}

static void build_inside(const struct site_build *b)
{
	const struct ip_prefix link_local = ip_prefix_make(IP_V6, (u128)0xfe80 << 112, 10);
	const struct plan *plan = b->plan;
	struct nftnl_rule *r = site_rule(b);

	site_rule_mark_is(b, r, NFT_CMP_NEQ, 0);
	site_rule_set_mark(b, r, 0);
	for (size_t i = 0; i < plan->n_paths; i++)
		restore(b, DIRECTION_REPLY,
			site_rule_mark(b, SITE_MARK_FLOW, plan->paths[i].path.number));
	for (size_t i = 0; i < plan->n_providers; i++)
		restore(b, DIRECTION_ORIGINAL,
			site_rule_mark(b, SITE_MARK_PROVIDER, plan->providers[i].number));
	for (size_t i = 0; i < plan->n_providers; i++) {
		const struct plan_provider *p = &plan->providers[i];

		for (size_t j = 0; j < p->n_prefixes; j++) {
			if (!p->alive[p->prefixes[j].family])
				continue;
			r = site_rule(b);
			expr_prefix(r, true, &p->prefixes[j]);
			expr_verdict(r, NF_ACCEPT);
		}
	}
	r = site_rule(b); /* local, broadcast, anycast, multicast: not forwarded by our tables */
	site_rule_destination_type(r, RTN_LOCAL, RTN_MULTICAST);
	expr_verdict(r, NF_ACCEPT);
	r = site_rule(b); /* the kernel does not forward them */
	expr_prefix(r, true, &link_local);
	expr_verdict(r, NF_ACCEPT);
	/* the private ranges after the providers' own, should they overlap */
	for (size_t i = 0; i < plan->n_providers; i++) {
		const struct plan_provider *p = &plan->providers[i];

		for (size_t j = 0; j < p->n_prefixes; j++) {
			if (p->alive[p->prefixes[j].family])
				continue;
			r = site_rule(b);
			expr_prefix(r, true, &p->prefixes[j]);
			site_rule_set_mark(b, r, site_rule_mark(b, SITE_MARK_QUESTION, 0));
			site_rule_route(r, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK, 1);
			site_rule_goto(r, CHAIN_EXEMPT);
			r = site_rule(b);
			expr_prefix(r, true, &p->prefixes[j]);
			site_rule_count(r, NFT_SITE_DEAD, p->number);
			site_rule_goto(r, CHAIN_REFUSE);
		}
	}
	for (size_t i = 0; i < plan->n_privates; i++) {
		r = site_rule(b);
		expr_prefix(r, true, &plan->privates[i]);
		site_rule_goto(r, CHAIN_PRIVATE);
	}
	r = site_rule(b);
	site_rule_set_mark(b, r, site_rule_mark(b, SITE_MARK_QUESTION, 0));
	site_rule_route(r, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK, 1);
	site_rule_goto(r, CHAIN_EXEMPT);
	r = site_rule(b);
	site_rule_count(r, NFT_SITE_FOREIGN, 0);
	site_rule_goto(r, CHAIN_REFUSE);
}

static void choose(const struct site_build *b, struct nftnl_rule *r, uint32_t provider)
{
	site_rule_state(r, STATE_NEW);
	site_rule_set_flow(b, r, site_rule_mark(b, SITE_MARK_PROVIDER, provider));
	site_rule_set_mark(b, r, site_rule_mark(b, SITE_MARK_PROVIDER, provider));
	expr_verdict(r, NF_ACCEPT);
}

/* What is on a provider's own link (its modem, its resolver) is reached by that
 * provider; all else by the first one that lives. */
static void build_private(const struct site_build *b)
{
	const struct plan *plan = b->plan;
	struct nftnl_rule *r;

	for (size_t i = 0; i < plan->n_nested; i++) {
		r = site_rule(b);
		expr_prefix(r, false, &plan->nested[i]);
		site_rule_goto(r, CHAIN_EXEMPT);
	}
	for (size_t i = 0; i < plan->n_paths; i++) {
		const struct plan_path *pp = &plan->paths[i];
		const struct plan_provider *p = plan_provider_find(plan, pp->provider);

		for (size_t j = 0; j < pp->n_subnets; j++) {
			if (!plan_can_nat(p, pp->subnets[j].family))
				continue;
			r = site_rule(b);
			expr_prefix(r, false, &pp->subnets[j]);
			choose(b, r, p->number);
		}
	}
	r = site_rule(b);
	site_rule_set_mark(b, r, site_rule_mark(b, SITE_MARK_QUESTION, 0));
	site_rule_route(r, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK, 1);
	site_rule_goto(r, CHAIN_EXEMPT);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		for (size_t i = 0; i < plan->n_providers; i++) {
			if (!plan_can_nat(&plan->providers[i], f))
				continue;
			r = site_rule(b);
			expr_family(r, f);
			choose(b, r, plan->providers[i].number);
			break;
		}
	}
	r = site_rule(b);
	site_rule_count(r, NFT_SITE_DEAD, 0);
	site_rule_goto(r, CHAIN_REFUSE);
}

static void build_exempt(const struct site_build *b)
{
	struct nftnl_rule *r = site_rule(b);

	site_rule_set_mark(b, r, 0);
	expr_verdict(r, NF_ACCEPT);
}

static void reject(const struct site_build *b, enum ip_family f, uint8_t code)
{
	struct nftnl_rule *r = site_rule(b);
	struct nftnl_expr *e;

	expr_family(r, f);
	e = expr_add(r, "reject");
	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

/* An answer to a forged source would be somebody else's noise. */
static void build_refuse(const struct site_build *b)
{
	struct nftnl_rule *r = site_rule(b);

	site_rule_route(r, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF, 0);
	expr_verdict(r, NF_DROP);
	reject(b, IP_V4, ICMP_PKT_FILTERED);
	reject(b, IP_V6, ICMP6_POLICY_FAIL);
}

/* ---- what may leave ---- */

static void build_leave(const struct site_build *b)
{
	char chain[32];

	for (size_t i = 0; i < b->plan->n_paths; i++) {
		struct nftnl_rule *r = site_rule(b);

		leave_name(b->plan->paths[i].path.number, chain);
		site_rule_device(r, NFT_META_OIFNAME, b->plan->paths[i].path.device);
		site_rule_goto(r, chain);
	}
}

static void accept_source(const struct ip_prefix *p, void *arg)
{
	struct nftnl_rule *r = site_rule(arg);

	expr_prefix(r, true, p);
	expr_verdict(r, NF_ACCEPT);
}

/* The completeness probe's own packets: all of it has to fit. */
static void let_probe_out(const struct site_build *b, const struct path *path, enum ip_family f)
{
	const struct plan_reach *reach = &b->plan->reach;
	const struct ip_prefix to = ip_prefix_make(f, reach->to[f].v, ip_bits(f));
	const uint16_t port = htons(reach->port[f]);
	struct nftnl_rule *r = site_rule(b);

	site_rule_mark_is(b, r, NFT_CMP_EQ, path->mark);
	expr_meta(r, NFT_META_PRIORITY);
	expr_cmp(r, NFT_CMP_EQ, &reach->priority, sizeof(reach->priority));
	expr_prefix(r, false, &to);
	expr_l4(r, IPPROTO_UDP);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	expr_cmp(r, NFT_CMP_EQ, &port, sizeof(port));
	site_rule_count(r, NFT_SITE_PROBE, path->number);
	expr_verdict(r, NF_ACCEPT);
}

/* Link-local sources and the unspecified one (address detection) are for the
 * link; no router forwards them. */
static void build_path_leave(const struct site_build *b, const struct plan_path *pp)
{
	const struct ip_prefix link_local = ip_prefix_make(IP_V6, (u128)0xfe80 << 112, 10);
	const struct ip_prefix unspecified = ip_prefix_make(IP_V6, 0, 128);
	struct site_build copy = *b;
	struct nftnl_rule *r;

	addrset_each_prefix(&pp->egress, accept_source, &copy);
	accept_source(&link_local, &copy);
	accept_source(&unspecified, &copy);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (b->plan->reach.on[f])
			let_probe_out(b, &pp->path, f);
	}
	r = site_rule(b);
	site_rule_count(r, NFT_SITE_EGRESS, pp->path.number);
	expr_verdict(r, NF_DROP);
}

void nft_site_rules(const struct plan *plan, const char *chain, struct expr_rules *rs)
{
	static const struct {
		const char *name;
		void (*build)(const struct site_build *b);
	} builders[] = {
		{ "classify", build_classify }, { CHAIN_INSIDE, build_inside },
		{ CHAIN_PRIVATE, build_private }, { CHAIN_EXEMPT, build_exempt },
		{ CHAIN_REFUSE, build_refuse },	  { "output", site_build_output },
		{ "forwards", site_build_forwards }, { CHAIN_ERROR, site_build_error },  { "translate", site_build_translate },
		{ "leave", build_leave },
	};
	const struct site_build b = { plan, rs };
	uint32_t number;

	for (size_t i = 0; i < sizeof(builders) / sizeof(builders[0]); i++) {
		if (strcmp(builders[i].name, chain) == 0)
			builders[i].build(&b);
	}
	if (sscanf(chain, "leave/%u", &number) == 1)
		build_path_leave(&b, plan_path_find(plan, number));
}
