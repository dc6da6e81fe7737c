/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_expr - rules of nftables put together from expressions, and as text.
 *
 * Register 1 holds whatever is being compared; nothing lives across rules.
 */
#ifndef SAV_NFT_EXPR_H
#define SAV_NFT_EXPR_H

#include "agents/nft_txn.h"
#include "lib/ip.h"

struct nftnl_expr;
struct nftnl_rule;

#define EXPR_REG NFT_REG_1

#define EXPR_IP4_SADDR 12 /* offsets into the headers, RFC 791 and RFC 8200 */
#define EXPR_IP4_DADDR 16
#define EXPR_IP6_SADDR 8
#define EXPR_IP6_DADDR 24

/* The rules of one chain. */
struct expr_rules {
	const char *table, *chain;
	struct nftnl_rule **r;
	size_t n;
};

struct nftnl_rule *expr_rule(struct expr_rules *rs); /* a new one, at the end */
struct nftnl_expr *expr_add(struct nftnl_rule *r, const char *name);
void expr_meta(struct nftnl_rule *r, uint32_t key);
void expr_payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len);
void expr_cmp(struct nftnl_rule *r, uint32_t op, const void *data, uint32_t len);
void expr_range(struct nftnl_rule *r, const void *from, const void *to, uint32_t len);
/* register & bits */
void expr_mask(struct nftnl_rule *r, const void *bits, uint32_t len);
/* (register & bits) ^ flip */
void expr_bits(struct nftnl_rule *r, const void *bits, const void *flip, uint32_t len);
void expr_verdict(struct nftnl_rule *r, int code);
void expr_count(struct nftnl_rule *r, const char *counter);
void expr_family(struct nftnl_rule *r, enum ip_family family);
void expr_l4(struct nftnl_rule *r, uint8_t proto);
/* Matches the address in the header against a prefix. */
void expr_prefix(struct nftnl_rule *r, bool source, const struct ip_prefix *p);

void expr_free_rules(struct expr_rules *rs);
/* Appends them to their chain; frees them. */
void expr_put_rules(struct txn *t, struct expr_rules *rs);

/* Text by which rules are compared with what the kernel has. */
struct expr_text {
	char *s; /* malloc'ed */
	size_t len, cap;
};
int expr_add_text(struct expr_text *x, struct nftnl_rule *r); /* or -EBADMSG */
/* The whole; "" if there is none. x is to be forgotten. */
char *expr_end_text(struct expr_text *x);
char *expr_rules_text(struct expr_rules *rs); /* frees the rules */

#endif /* SAV_NFT_EXPR_H */
