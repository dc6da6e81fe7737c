/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_site_rule - what a rule of table opensav-steer asks and does; between the
 * files that build its chains.
 */
#ifndef SAV_NFT_SITE_RULE_H
#define SAV_NFT_SITE_RULE_H

#include "agents/nft_expr.h"
#include "agents/steer/nft_site.h"

struct site_build {
	const struct plan *plan;
	struct expr_rules *rs;
};

#define CHAIN_ERROR "error" /* where output sends ICMP errors */

/* Connection states as ct state has them, and directions. */
#define STATE_RELATED	   4u
#define STATE_NEW	   8u
#define DIRECTION_ORIGINAL 0
#define DIRECTION_REPLY	   1

struct nftnl_rule *site_rule(const struct site_build *b); /* a new one, at the end */

/* Asks. key: NFT_META_IIFNAME or NFT_META_OIFNAME. */
void site_rule_device(struct nftnl_rule *r, uint32_t key, const char *name);
void site_rule_direction(struct nftnl_rule *r, uint8_t direction);
void site_rule_state(struct nftnl_rule *r, uint32_t state);
/* Our bits of the packet's mark; of its flow's. op: NFT_CMP_... */
void site_rule_mark_is(const struct site_build *b, struct nftnl_rule *r, uint32_t op,
		       uint32_t value);
void site_rule_flow_is(const struct site_build *b, struct nftnl_rule *r, uint32_t value);
/* The type of the destination, within a range. Of IPv6 the kernel looks at
 * routes for it, and says "unreachable" where a rule prohibits. */
void site_rule_destination_type(struct nftnl_rule *r, uint32_t from, uint32_t to);
/* There is (not) a route with these flags (NFTA_FIB_F_...). */
void site_rule_route(struct nftnl_rule *r, uint32_t flags, uint8_t present);

/* Does. Others' bits of a mark stay. */
void site_rule_set_mark(const struct site_build *b, struct nftnl_rule *r, uint32_t value);
void site_rule_set_flow(const struct site_build *b, struct nftnl_rule *r, uint32_t value);
void site_rule_set_source(struct nftnl_rule *r, const struct ip_addr *source);
void site_rule_load(struct nftnl_rule *r, uint32_t reg, const void *data, uint32_t len);
void site_rule_goto(struct nftnl_rule *r, const char *chain);
void site_rule_count(struct nftnl_rule *r, enum nft_site_count what, uint32_t number);

uint32_t site_rule_mark(const struct site_build *b, enum site_mark kind, uint32_t number);

/* Chains. */
void site_build_output(const struct site_build *b);
void site_build_error(const struct site_build *b);
void site_build_forwards(const struct site_build *b);
void site_build_translate(const struct site_build *b);

#endif /* SAV_NFT_SITE_RULE_H */
