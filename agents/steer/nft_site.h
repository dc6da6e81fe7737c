/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_site - table "inet opensav-steer": flows pinned, translated, and nothing
 * foreign let out.
 *
 *   classify  prerouting, mangle   a flow that came by a path gets its mark
 *   inside    from inside          marks of flows back; who may leave, by source
 *   private   private sources      the first packet of a flow chooses a provider
 *   refuse    ICMP administratively prohibited (ICMPv6 code 5, RFC 4443 3.1),
 *             counted; not to a source that is not where it came from
 *   output    answers of this machine leave by the path of the question
 *   error     ICMP errors too, with an address that the path lets out
 *   forwards  destinations of port forwards
 *   translate private sources, to the provider's (RFC 3022, RFC 6296)
 *   leave     postrouting, after translation: per path, what may leave
 *
 * No sets: rules alone change in one step, and a look-up in an interval set
 * can miss while the set changes. The table is without owner and stays when
 * the agent ends or dies.
 */
#ifndef SAV_NFT_SITE_H
#define SAV_NFT_SITE_H

#include "agents/steer/plan.h"

#define NFT_SITE_TABLE "opensav-steer"

struct nft_site;

struct nft_site *nft_site_open(void (*privileges)(bool raise), struct diag *diag);
void nft_site_close(struct nft_site *n); /* changes nothing */
/* From what is there to what the plan says, in one transaction; nothing is
 * done when it is there already. A plan without providers removes the table. */
int nft_site_apply(struct nft_site *n, const struct plan *plan, struct diag *diag);
/* Somebody else has changed nftables since the last look: apply again. */
bool nft_site_was_changed(struct nft_site *n);
/* Forgets the flows of this family with this mark; they begin anew. */
int nft_site_forget_flows(struct nft_site *n, enum ip_family family, uint32_t mark,
			  uint32_t mask, struct diag *diag);

enum nft_site_count {
	NFT_SITE_FOREIGN, /* rejected: source of no provider; number 0 */
	NFT_SITE_DEAD,	  /* rejected: of provider number, which has no live path */
	NFT_SITE_EGRESS,  /* dropped at path number: foreign there */
	NFT_SITE_PROBE,	  /* foreign, let out at path number for a completeness probe */
	NFT_SITE_COUNTS
};
struct nft_site_counter {
	enum nft_site_count what;
	uint32_t number;
	uint64_t packets, bytes;
};
/* The caller frees *out. */
int nft_site_counters(struct nft_site *n, struct nft_site_counter **out, size_t *n_out,
		      struct diag *diag);

/* ---- between nft_site.c and nft_site_rule.h's files ---- */

struct expr_rules;

#define NFT_SITE_CHAINS_MAX (16 + PATH_NUMBER_MAX)

struct nft_site_chain {
	char name[32];
	const char *type; /* NULL: no base chain */
	uint32_t hook;
	int32_t priority;
};
size_t nft_site_chains(const struct plan *plan, struct nft_site_chain chains[NFT_SITE_CHAINS_MAX]);
void nft_site_counter_name(enum nft_site_count what, uint32_t number, char name[32]);
bool nft_site_counter_parse(const char *name, struct nft_site_counter *out);
/* The rules of that chain, appended to rs. */
void nft_site_rules(const struct plan *plan, const char *chain, struct expr_rules *rs);

#endif /* SAV_NFT_SITE_H */
