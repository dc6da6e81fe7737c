/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/nft_site_rule.h"

#include <netinet/in.h>
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#define IP4_CHECKSUM 10 /* offset into the header, RFC 791 section 3.1 */

struct nftnl_rule *site_rule(const struct site_build *b)
{
	return expr_rule(b->rs);
}

void site_rule_device(struct nftnl_rule *r, uint32_t key, const char *name)
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

void site_rule_direction(struct nftnl_rule *r, uint8_t direction)
{
	load_ct(r, NFT_CT_DIRECTION);
	expr_cmp(r, NFT_CMP_EQ, &direction, 1);
}

void site_rule_state(struct nftnl_rule *r, uint32_t state)
{
	const uint32_t none = 0;

	load_ct(r, NFT_CT_STATE);
	expr_mask(r, &state, sizeof(state));
	expr_cmp(r, NFT_CMP_NEQ, &none, sizeof(none));
}

static void our_bits(const struct site_build *b, struct nftnl_rule *r, uint32_t op, uint32_t value)
{
	expr_mask(r, &b->plan->site->mark_mask, sizeof(uint32_t));
	expr_cmp(r, op, &value, sizeof(value));
}

void site_rule_mark_is(const struct site_build *b, struct nftnl_rule *r, uint32_t op, uint32_t value)
{
	expr_meta(r, NFT_META_MARK);
	our_bits(b, r, op, value);
}

void site_rule_flow_is(const struct site_build *b, struct nftnl_rule *r, uint32_t value)
{
	load_ct(r, NFT_CT_MARK);
	our_bits(b, r, NFT_CMP_EQ, value);
}

/* Of what is in the register our bits become value. */
static void put_bits(const struct site_build *b, struct nftnl_rule *r, uint32_t value)
{
	const uint32_t others = ~b->plan->site->mark_mask;

	expr_bits(r, &others, &value, sizeof(value));
}

void site_rule_set_mark(const struct site_build *b, struct nftnl_rule *r, uint32_t value)
{
	struct nftnl_expr *e;

	expr_meta(r, NFT_META_MARK);
	put_bits(b, r, value);
	e = expr_add(r, "meta");
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, EXPR_REG);
}

void site_rule_set_flow(const struct site_build *b, struct nftnl_rule *r, uint32_t value)
{
	struct nftnl_expr *e;

	load_ct(r, NFT_CT_MARK);
	put_bits(b, r, value);
	e = expr_add(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_SREG, EXPR_REG);
}

void site_rule_goto(struct nftnl_rule *r, const char *chain)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)NFT_GOTO);
	nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

void site_rule_count(struct nftnl_rule *r, enum nft_site_count what, uint32_t number)
{
	char name[32];

	nft_site_counter_name(what, number, name);
	expr_count(r, name);
}

void site_rule_destination_type(struct nftnl_rule *r, uint32_t from, uint32_t to)
{
	struct nftnl_expr *e = expr_add(r, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	expr_range(r, &from, &to, sizeof(from));
}

void site_rule_route(struct nftnl_rule *r, uint32_t flags, uint8_t present)
{
	struct nftnl_expr *e = expr_add(r, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_OIF);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, flags | NFTA_FIB_F_PRESENT);
	expr_cmp(r, NFT_CMP_EQ, &present, 1);
}

uint32_t site_rule_mark(const struct site_build *b, enum site_mark kind, uint32_t number)
{
	return site_mark(b->plan->site, kind, number);
}

void site_rule_load(struct nftnl_rule *r, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len);
}

void site_rule_set_source(struct nftnl_rule *r, const struct ip_addr *source)
{
	const bool v4 = source->family == IP_V4;
	struct nftnl_expr *e;
	uint8_t bytes[16];

	ip_to_bytes(source->v, source->family, bytes);
	site_rule_load(r, EXPR_REG, bytes, ip_bytes(source->family));
	e = expr_add(r, "payload");
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_SREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, v4 ? EXPR_IP4_SADDR : EXPR_IP6_SADDR);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, ip_bytes(source->family));
	/* the header's own checksum; of IPv6 the one of ICMPv6 covers the address */
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_TYPE,
			   v4 ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, v4 ? IP4_CHECKSUM : 0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_FLAGS, v4 ? 0 : NFT_PAYLOAD_L4CSUM_PSEUDOHDR);
}
