/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/nft_expr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "lib/mem.h"

struct nftnl_rule *expr_rule(struct expr_rules *rs)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (!r)
		abort();
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_INET);
	if (rs->table)
		nftnl_rule_set_str(r, NFTNL_RULE_TABLE, rs->table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, rs->chain);
	rs->r = mem_realloc(rs->r, rs->n + 1, sizeof(struct nftnl_rule *));
	rs->r[rs->n++] = r;
	return r;
}

struct nftnl_expr *expr_add(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (!e)
		abort();
	nftnl_rule_add_expr(r, e);
	return e;
}

void expr_meta(struct nftnl_rule *r, uint32_t key)
{
	struct nftnl_expr *e = expr_add(r, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, EXPR_REG);
}

void expr_payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, EXPR_REG);
}

void expr_cmp(struct nftnl_rule *r, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

void expr_range(struct nftnl_rule *r, const void *from, const void *to, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "range");

	nftnl_expr_set_u32(e, NFTNL_EXPR_RANGE_SREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_RANGE_OP, NFT_RANGE_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_RANGE_FROM_DATA, from, len);
	nftnl_expr_set(e, NFTNL_EXPR_RANGE_TO_DATA, to, len);
}

void expr_bits(struct nftnl_rule *r, const void *bits, const void *flip, uint32_t len)
{
	struct nftnl_expr *e = expr_add(r, "bitwise");

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, bits, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, flip, len);
}

void expr_mask(struct nftnl_rule *r, const void *bits, uint32_t len)
{
	static const uint8_t zero[16];

	expr_bits(r, bits, zero, len);
}

void expr_verdict(struct nftnl_rule *r, int code)
{
	struct nftnl_expr *e = expr_add(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
}

void expr_count(struct nftnl_rule *r, const char *counter)
{
	struct nftnl_expr *e = expr_add(r, "objref");

	nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, counter);
}

void expr_family(struct nftnl_rule *r, enum ip_family family)
{
	uint8_t proto = family == IP_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	expr_meta(r, NFT_META_NFPROTO);
	expr_cmp(r, NFT_CMP_EQ, &proto, 1);
}

void expr_l4(struct nftnl_rule *r, uint8_t proto)
{
	expr_meta(r, NFT_META_L4PROTO);
	expr_cmp(r, NFT_CMP_EQ, &proto, 1);
}

void expr_prefix(struct nftnl_rule *r, bool source, const struct ip_prefix *p)
{
	const enum ip_family f = p->family;
	const uint32_t len = ip_bytes(f);
	uint8_t bytes[16], bits[16];

	expr_family(r, f);
	if (f == IP_V4)
		expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER,
			     source ? EXPR_IP4_SADDR : EXPR_IP4_DADDR, len);
	else
		expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER,
			     source ? EXPR_IP6_SADDR : EXPR_IP6_DADDR, len);
	if (p->len < ip_bits(f)) {
		/* an address and its prefix differ in the host bits: all ones, less those */
		ip_to_bytes(ip_max(f) - (ip_prefix_last(p) - p->v), f, bits);
		expr_mask(r, bits, len);
	}
	ip_to_bytes(p->v, f, bytes);
	expr_cmp(r, NFT_CMP_EQ, bytes, len);
}

/* ---- to the kernel, to text ---- */

void expr_free_rules(struct expr_rules *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		nftnl_rule_free(rs->r[i]);
	free(rs->r);
	rs->r = NULL;
	rs->n = 0;
}

void expr_put_rules(struct txn *t, struct expr_rules *rs)
{
	for (size_t i = 0; i < rs->n; i++) {
		struct nlmsghdr *nlh = txn_get(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
					       "add a rule to chain", rs->chain);

		nftnl_rule_set_str(rs->r[i], NFTNL_RULE_TABLE, rs->table);
		nftnl_rule_nlmsg_build_payload(nlh, rs->r[i]);
		txn_put(t);
	}
	expr_free_rules(rs);
}

static int add_expr_text(struct nftnl_expr *e, void *arg)
{
	struct expr_text *x = arg;
	char one[512];
	int len = nftnl_expr_snprintf(one, sizeof(one), e, NFTNL_OUTPUT_DEFAULT, 0);

	if (len < 0 || (size_t)len >= sizeof(one))
		return -1;
	if (x->cap - x->len < sizeof(one) + 64) {
		x->cap = x->cap * 2 + 4096;
		x->s = mem_realloc(x->s, x->cap, 1);
	}
	x->len += (size_t)sprintf(x->s + x->len, "%s %s;",
				  nftnl_expr_get_str(e, NFTNL_EXPR_NAME), one);
	return 0;
}

int expr_add_text(struct expr_text *x, struct nftnl_rule *r)
{
	if (nftnl_expr_foreach(r, add_expr_text, x) < 0)
		return -EBADMSG;
	if (x->s)
		x->s[x->len++] = '\n'; /* the slack above has room */
	return 0;
}

char *expr_end_text(struct expr_text *x)
{
	if (!x->s)
		return mem_strdup("");
	x->s[x->len] = '\0';
	return x->s;
}

char *expr_rules_text(struct expr_rules *rs)
{
	struct expr_text x = { 0 };

	for (size_t i = 0; i < rs->n; i++)
		expr_add_text(&x, rs->r[i]);
	expr_free_rules(rs);
	return expr_end_text(&x);
}
