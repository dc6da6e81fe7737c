/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Port forwards, and what private sources become.
 */
#include <netinet/in.h>
#include <stdio.h>

#include <linux/netfilter/nf_nat.h>
#include <linux/rtnetlink.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "agents/steer/nft_site_rule.h"

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

static void put_forward(const struct site_build *b, const char *dev, const struct ip_prefix *to,
			const struct site_forward *f)
{
	const uint16_t port = htons(f->port), to_port = htons(f->to_port);
	struct nftnl_rule *r = site_rule(b);
	struct nftnl_expr *e;
	uint8_t bytes[16];

	site_rule_device(r, NFT_META_IIFNAME, dev);
	if (to) {
		expr_prefix(r, false, to);
	} else {
		expr_family(r, f->to.family);
		site_rule_destination_type(r, RTN_LOCAL, RTN_LOCAL);
	}
	expr_l4(r, f->protocol);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	expr_cmp(r, NFT_CMP_EQ, &port, sizeof(port));
	ip_to_bytes(f->to.v, f->to.family, bytes);
	site_rule_load(r, NFT_REG_1, bytes, ip_bytes(f->to.family));
	site_rule_load(r, NFT_REG_2, &to_port, sizeof(to_port));
	e = translate(r, NFT_NAT_DNAT, f->to.family,
		      NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MAX, NFT_REG_2);
}

/* By every path of the provider, to any address of this machine and to the one
 * that private sources are translated to, be it this machine's or not. */
void site_build_forwards(const struct site_build *b)
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

static void becomes(struct nftnl_rule *r, const struct ip_prefix *to, enum ip_family f)
{
	const bool one = to->len == ip_bits(f);
	struct nftnl_expr *e;
	uint8_t bytes[16];

	ip_to_bytes(to->v, f, bytes);
	site_rule_load(r, NFT_REG_1, bytes, ip_bytes(f));
	if (!one) {
		ip_to_bytes(ip_prefix_last(to), f, bytes);
		site_rule_load(r, NFT_REG_2, bytes, ip_bytes(f));
	}
	e = translate(r, NFT_NAT_SNAT, f, NF_NAT_RANGE_MAP_IPS | (one ? 0 : NF_NAT_RANGE_NETMAP));
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MAX, one ? NFT_REG_1 : NFT_REG_2);
}

static void translate_by(const struct site_build *b, const struct plan_path *pp,
			 const struct plan_provider *p, enum ip_family f)
{
	const uint32_t chosen = site_rule_mark(b, SITE_MARK_PROVIDER, p->number);
	struct nftnl_rule *r = site_rule(b);

	site_rule_device(r, NFT_META_OIFNAME, pp->path.device);
	expr_family(r, f);
	site_rule_flow_is(b, r, chosen);
	becomes(r, &p->nat_to[f], f);
	/* Nobody was chosen for those that a specific route of the main table leads here, nor
	 * for this machine's own: it is this provider now. A packet with a path's mark keeps
	 * the source that it has. */
	for (size_t i = 0; i < b->plan->n_privates; i++) {
		if (b->plan->privates[i].family != f)
			continue;
		r = site_rule(b);
		site_rule_device(r, NFT_META_OIFNAME, pp->path.device);
		expr_prefix(r, true, &b->plan->privates[i]);
		site_rule_mark_is(b, r, NFT_CMP_EQ, 0);
		site_rule_flow_is(b, r, 0);
		site_rule_set_flow(b, r, chosen);
		becomes(r, &p->nat_to[f], f);
	}
}

void site_build_translate(const struct site_build *b)
{
	for (size_t i = 0; i < b->plan->n_paths; i++) {
		const struct plan_path *pp = &b->plan->paths[i];
		const struct plan_provider *p = plan_provider_find(b->plan, pp->provider);

		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			if (p->has_nat[f])
				translate_by(b, pp, p, f);
		}
	}
}
