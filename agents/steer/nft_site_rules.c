/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>

#include <linux/icmp.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "agents/nft_expr.h"
#include "agents/steer/nft_site.h"

#define CHAIN_PRIVATE "private"
#define CHAIN_EXEMPT  "exempt"
#define CHAIN_REFUSE  "refuse"
#define CHAIN_INSIDE  "inside"

#define ICMP6_POLICY_FAIL 5 /* RFC 4443 3.1: source address failed ingress/egress policy */

/* Connection states as ct state has them. */
#define STATE_NEW 8u
#define DIRECTION_ORIGINAL 0
#define DIRECTION_REPLY	   1

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

/* ---- what a rule asks and does ---- */

struct build {
	const struct plan *plan;
	struct expr_rules *rs;
};

static struct nftnl_rule *rule(const struct build *b)
{
	return expr_rule(b->rs);
}

static void device(struct nftnl_rule *r, uint32_t key, const char *name)
{
	char padded[FILTER_IFNAME_SIZE] = "";

	snprintf(padded, sizeof(padded), "%s", name);
	expr_meta(r, key);
	expr_cmp(r, NFT_CMP_EQ, padded, sizeof(padded));
}

static void load_ct(struct nftnl_rule *r, uint32_t key)
{
	struct nftnl_expr *e = expr_add(r, "ct");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, EXPR_REG);
}

static void ct_direction(struct nftnl_rule *r, uint8_t direction)
{
	load_ct(r, NFT_CT_DIRECTION);
	expr_cmp(r, NFT_CMP_EQ, &direction, 1);
}

static void ct_is_new(struct nftnl_rule *r)
{
	const uint32_t state = STATE_NEW, none = 0;

	load_ct(r, NFT_CT_STATE);
	expr_mask(r, &state, sizeof(state));
	expr_cmp(r, NFT_CMP_NEQ, &none, sizeof(none));
}

static void our_bits(const struct build *b, struct nftnl_rule *r, uint32_t op, uint32_t value)
{
	expr_mask(r, &b->plan->site->mark_mask, sizeof(uint32_t));
	expr_cmp(r, op, &value, sizeof(value));
}

static void mark_is(const struct build *b, struct nftnl_rule *r, uint32_t op, uint32_t value)
{
	expr_meta(r, NFT_META_MARK);
	our_bits(b, r, op, value);
}

static void ct_mark_is(const struct build *b, struct nftnl_rule *r, uint32_t value)
{
	load_ct(r, NFT_CT_MARK);
	our_bits(b, r, NFT_CMP_EQ, value);
}

/* Others' bits of the mark stay. */
static void set_mark(const struct build *b, struct nftnl_rule *r, uint32_t value)
{
	const uint32_t others = ~b->plan->site->mark_mask;
	struct nftnl_expr *e;

	expr_meta(r, NFT_META_MARK);
	expr_bits(r, &others, &value, sizeof(value));
	e = expr_add(r, "meta");
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, EXPR_REG);
}

static void set_ct_mark(const struct build *b, struct nftnl_rule *r, uint32_t value)
{
	const uint32_t others = ~b->plan->site->mark_mask;
	struct nftnl_expr *e;

	load_ct(r, NFT_CT_MARK);
	expr_bits(r, &others, &value, sizeof(value));
	e = expr_add(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_SREG, EXPR_REG);
}

static void go(struct nftnl_rule *r, const char *chain)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)NFT_GOTO);
	nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void count(struct nftnl_rule *r, enum nft_site_count what, uint32_t number)
{
	char name[32];

	nft_site_counter_name(what, number, name);
	expr_count(r, name);
}

/* The type of the destination, within a range. Of IPv6 the kernel looks at
 * routes for it, and says "unreachable" where a rule prohibits. */
static void destination_type(struct nftnl_rule *r, uint32_t from, uint32_t to)
{
	struct nftnl_expr *e = expr_add(r, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	expr_range(r, &from, &to, sizeof(from));
}

/* There is (not) a route with these flags. */
static void has_route(struct nftnl_rule *r, uint32_t flags, uint8_t present)
{
	struct nftnl_expr *e = expr_add(r, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_OIF);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, flags | NFTA_FIB_F_PRESENT);
	expr_cmp(r, NFT_CMP_EQ, &present, 1);
}

static uint32_t mark(const struct build *b, enum site_mark kind, uint32_t number)
{
	return site_mark(b->plan->site, kind, number);
}

/* ---- chains ---- */

static void build_classify(const struct build *b)
{
	for (size_t i = 0; i < b->plan->n_paths; i++) {
		const struct path *p = &b->plan->paths[i].path;
		struct nftnl_rule *r = rule(b);

		device(r, NFT_META_IIFNAME, p->device);
		ct_is_new(r);
		ct_mark_is(b, r, 0);
		set_ct_mark(b, r, mark(b, SITE_MARK_FLOW, p->number));
	}
	for (size_t i = 0; i < b->plan->site->n_insides; i++) {
		struct nftnl_rule *r = rule(b);

		device(r, NFT_META_IIFNAME, b->plan->site->insides[i]);
		go(r, CHAIN_INSIDE);
	}
}

/* Back to where it was pinned: by direction, so that a provider's choice is not
 * taken for the way that a flow came by. */
static void restore(const struct build *b, uint8_t direction, uint32_t value)
{
	struct nftnl_rule *r = rule(b);

	ct_direction(r, direction);
	ct_mark_is(b, r, value);
	set_mark(b, r, value);
	expr_verdict(r, NF_ACCEPT);
}

static void build_inside(const struct build *b)
{
	const struct ip_prefix link_local = ip_prefix_make(IP_V6, (u128)0xfe80 << 112, 10);
	const struct plan *plan = b->plan;
	struct nftnl_rule *r = rule(b);

	mark_is(b, r, NFT_CMP_NEQ, 0);
	set_mark(b, r, 0);
	for (size_t i = 0; i < plan->n_paths; i++)
		restore(b, DIRECTION_REPLY,
			mark(b, SITE_MARK_FLOW, plan->paths[i].path.number));
	for (size_t i = 0; i < plan->n_providers; i++)
		restore(b, DIRECTION_ORIGINAL,
			mark(b, SITE_MARK_PROVIDER, plan->providers[i].number));
	for (size_t i = 0; i < plan->n_providers; i++) {
		const struct plan_provider *p = &plan->providers[i];

		for (size_t j = 0; j < p->n_prefixes; j++) {
			if (!p->alive[p->prefixes[j].family])
				continue;
			r = rule(b);
			expr_prefix(r, true, &p->prefixes[j]);
			expr_verdict(r, NF_ACCEPT);
		}
	}
	r = rule(b); /* local, broadcast, anycast, multicast: not forwarded by our tables */
	destination_type(r, RTN_LOCAL, RTN_MULTICAST);
	expr_verdict(r, NF_ACCEPT);
	r = rule(b); /* the kernel does not forward them */
	expr_prefix(r, true, &link_local);
	expr_verdict(r, NF_ACCEPT);
	/* the private ranges after the providers' own, should they overlap */
	for (size_t i = 0; i < plan->n_providers; i++) {
		const struct plan_provider *p = &plan->providers[i];

		for (size_t j = 0; j < p->n_prefixes; j++) {
			if (p->alive[p->prefixes[j].family])
				continue;
			r = rule(b);
			expr_prefix(r, true, &p->prefixes[j]);
			set_mark(b, r, mark(b, SITE_MARK_QUESTION, 0));
			has_route(r, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK, 1);
			go(r, CHAIN_EXEMPT);
			r = rule(b);
			expr_prefix(r, true, &p->prefixes[j]);
			count(r, NFT_SITE_DEAD, p->number);
			go(r, CHAIN_REFUSE);
		}
	}
	for (size_t i = 0; i < plan->n_privates; i++) {
		r = rule(b);
		expr_prefix(r, true, &plan->privates[i]);
		go(r, CHAIN_PRIVATE);
	}
	r = rule(b);
	set_mark(b, r, mark(b, SITE_MARK_QUESTION, 0));
	has_route(r, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK, 1);
	go(r, CHAIN_EXEMPT);
	r = rule(b);
	count(r, NFT_SITE_FOREIGN, 0);
	go(r, CHAIN_REFUSE);
}

static void choose(const struct build *b, struct nftnl_rule *r, uint32_t provider)
{
	ct_is_new(r);
	set_ct_mark(b, r, mark(b, SITE_MARK_PROVIDER, provider));
	set_mark(b, r, mark(b, SITE_MARK_PROVIDER, provider));
	expr_verdict(r, NF_ACCEPT);
}

/* What is on a provider's own link (its modem, its resolver) is reached by that
 * provider; all else by the first one that lives. */
static void build_private(const struct build *b)
{
	const struct plan *plan = b->plan;
	struct nftnl_rule *r;

	for (size_t i = 0; i < plan->n_nested; i++) {
		r = rule(b);
		expr_prefix(r, false, &plan->nested[i]);
		go(r, CHAIN_EXEMPT);
	}
	for (size_t i = 0; i < plan->n_paths; i++) {
		const struct plan_path *pp = &plan->paths[i];
		const struct plan_provider *p = plan_provider_find(plan, pp->provider);

		for (size_t j = 0; j < pp->n_subnets; j++) {
			if (!plan_can_nat(p, pp->subnets[j].family))
				continue;
			r = rule(b);
			expr_prefix(r, false, &pp->subnets[j]);
			choose(b, r, p->number);
		}
	}
	r = rule(b);
	set_mark(b, r, mark(b, SITE_MARK_QUESTION, 0));
	has_route(r, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK, 1);
	go(r, CHAIN_EXEMPT);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		for (size_t i = 0; i < plan->n_providers; i++) {
			if (!plan_can_nat(&plan->providers[i], f))
				continue;
			r = rule(b);
			expr_family(r, f);
			choose(b, r, plan->providers[i].number);
			break;
		}
	}
	r = rule(b);
	count(r, NFT_SITE_DEAD, 0);
	go(r, CHAIN_REFUSE);
}

static void build_exempt(const struct build *b)
{
	struct nftnl_rule *r = rule(b);

	set_mark(b, r, 0);
	expr_verdict(r, NF_ACCEPT);
}

static void reject(const struct build *b, enum ip_family f, uint8_t code)
{
	struct nftnl_rule *r = rule(b);
	struct nftnl_expr *e;

	expr_family(r, f);
	e = expr_add(r, "reject");
	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

/* An answer to a forged source would be somebody else's noise. */
static void build_refuse(const struct build *b)
{
	struct nftnl_rule *r = rule(b);

	has_route(r, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF, 0);
	expr_verdict(r, NF_DROP);
	reject(b, IP_V4, ICMP_PKT_FILTERED);
	reject(b, IP_V6, ICMP6_POLICY_FAIL);
}

static void build_output(const struct build *b)
{
	for (size_t i = 0; i < b->plan->n_paths; i++) {
		const uint32_t flow = mark(b, SITE_MARK_FLOW, b->plan->paths[i].path.number);
		struct nftnl_rule *r = rule(b);

		mark_is(b, r, NFT_CMP_EQ, 0);
		ct_direction(r, DIRECTION_REPLY);
		ct_mark_is(b, r, flow);
		set_mark(b, r, flow);
	}
}

/* ---- translation ---- */

static void load(struct nftnl_rule *r, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len);
}

static struct nftnl_expr *translate(struct nftnl_rule *r, uint32_t type, enum ip_family f,
				    uint32_t flags)
{
	struct nftnl_expr *e = expr_add(r, "nat");

	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, type);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, f == IP_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FLAGS, flags);
	return e;
}

static void put_forward(const struct build *b, const char *dev, const struct ip_prefix *to,
			const struct site_forward *f)
{
	const uint16_t port = htons(f->port), to_port = htons(f->to_port);
	struct nftnl_rule *r = rule(b);
	struct nftnl_expr *e;
	uint8_t bytes[16];

	device(r, NFT_META_IIFNAME, dev);
	if (to) {
		expr_prefix(r, false, to);
	} else {
		expr_family(r, f->to.family);
		destination_type(r, RTN_LOCAL, RTN_LOCAL);
	}
	expr_l4(r, f->protocol);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	expr_cmp(r, NFT_CMP_EQ, &port, sizeof(port));
	ip_to_bytes(f->to.v, f->to.family, bytes);
	load(r, NFT_REG_1, bytes, ip_bytes(f->to.family));
	load(r, NFT_REG_2, &to_port, sizeof(to_port));
	e = translate(r, NFT_NAT_DNAT, f->to.family,
		      NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MAX, NFT_REG_2);
}

/* By every path of the provider, to any address of this machine and to the one
 * that private sources are translated to, be it this machine's or not. */
static void build_forwards(const struct build *b)
{
	for (size_t i = 0; i < b->plan->n_paths; i++) {
		const struct plan_path *pp = &b->plan->paths[i];
		const struct plan_provider *p = plan_provider_find(b->plan, pp->provider);

		for (size_t j = 0; j < p->config->n_forwards; j++) {
			const struct site_forward *f = &p->config->forwards[j];
			const struct ip_prefix *nat = &p->nat_to[f->to.family];

			put_forward(b, pp->path.device, NULL, f);
			if (p->has_nat[f->to.family] && nat->len == ip_bits(f->to.family))
				put_forward(b, pp->path.device, nat, f);
		}
	}
}

static void build_translate(const struct build *b)
{
	for (size_t i = 0; i < b->plan->n_paths; i++) {
		const struct plan_path *pp = &b->plan->paths[i];
		const struct plan_provider *p = plan_provider_find(b->plan, pp->provider);

		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			const bool one = p->nat_to[f].len == ip_bits(f);
			struct nftnl_rule *r;
			struct nftnl_expr *e;
			uint8_t bytes[16];

			if (!p->has_nat[f])
				continue;
			r = rule(b);
			device(r, NFT_META_OIFNAME, pp->path.device);
			expr_family(r, f);
			ct_mark_is(b, r, mark(b, SITE_MARK_PROVIDER, p->number));
			ip_to_bytes(p->nat_to[f].v, f, bytes);
			load(r, NFT_REG_1, bytes, ip_bytes(f));
			if (!one) {
				ip_to_bytes(ip_prefix_last(&p->nat_to[f]), f, bytes);
				load(r, NFT_REG_2, bytes, ip_bytes(f));
			}
			e = translate(r, NFT_NAT_SNAT, f,
				      NF_NAT_RANGE_MAP_IPS | (one ? 0 : NF_NAT_RANGE_NETMAP));
			nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MAX,
					   one ? NFT_REG_1 : NFT_REG_2);
		}
	}
}

/* ---- what may leave ---- */

static void build_leave(const struct build *b)
{
	char chain[32];

	for (size_t i = 0; i < b->plan->n_paths; i++) {
		struct nftnl_rule *r = rule(b);

		leave_name(b->plan->paths[i].path.number, chain);
		device(r, NFT_META_OIFNAME, b->plan->paths[i].path.device);
		go(r, chain);
	}
}

static void accept_source(const struct ip_prefix *p, void *arg)
{
	struct nftnl_rule *r = rule(arg);

	expr_prefix(r, true, p);
	expr_verdict(r, NF_ACCEPT);
}

/* The completeness probe's own packets: all of it has to fit. */
static void let_probe_out(const struct build *b, const struct path *path, enum ip_family f)
{
	const struct plan_reach *reach = &b->plan->reach;
	const struct ip_prefix to = ip_prefix_make(f, reach->to[f].v, ip_bits(f));
	const uint16_t port = htons(reach->port[f]);
	struct nftnl_rule *r = rule(b);

	mark_is(b, r, NFT_CMP_EQ, path->mark);
	expr_meta(r, NFT_META_PRIORITY);
	expr_cmp(r, NFT_CMP_EQ, &reach->priority, sizeof(reach->priority));
	expr_prefix(r, false, &to);
	expr_l4(r, IPPROTO_UDP);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	expr_cmp(r, NFT_CMP_EQ, &port, sizeof(port));
	count(r, NFT_SITE_PROBE, path->number);
	expr_verdict(r, NF_ACCEPT);
}

/* Link-local sources and the unspecified one (address detection) are for the
 * link; no router forwards them. */
static void build_path_leave(const struct build *b, const struct plan_path *pp)
{
	const struct ip_prefix link_local = ip_prefix_make(IP_V6, (u128)0xfe80 << 112, 10);
	const struct ip_prefix unspecified = ip_prefix_make(IP_V6, 0, 128);
	struct build copy = *b;
	struct nftnl_rule *r;

	addrset_each_prefix(&pp->egress, accept_source, &copy);
	accept_source(&link_local, &copy);
	accept_source(&unspecified, &copy);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (b->plan->reach.on[f])
			let_probe_out(b, &pp->path, f);
	}
	r = rule(b);
	count(r, NFT_SITE_EGRESS, pp->path.number);
	expr_verdict(r, NF_DROP);
}

void nft_site_rules(const struct plan *plan, const char *chain, struct expr_rules *rs)
{
	static const struct {
		const char *name;
		void (*build)(const struct build *b);
	} builders[] = {
		{ "classify", build_classify }, { CHAIN_INSIDE, build_inside },
		{ CHAIN_PRIVATE, build_private }, { CHAIN_EXEMPT, build_exempt },
		{ CHAIN_REFUSE, build_refuse },	  { "output", build_output },
		{ "forwards", build_forwards }, { "translate", build_translate },
		{ "leave", build_leave },
	};
	const struct build b = { plan, rs };
	uint32_t number;

	for (size_t i = 0; i < sizeof(builders) / sizeof(builders[0]); i++) {
		if (strcmp(builders[i].name, chain) == 0)
			builders[i].build(&b);
	}
	if (sscanf(chain, "leave/%u", &number) == 1)
		build_path_leave(&b, plan_path_find(plan, number));
}
