/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_site_impl - between nft_site.c and nft_site_read.c.
 */
#ifndef SAV_NFT_SITE_IMPL_H
#define SAV_NFT_SITE_IMPL_H

#include "agents/nft_expr.h"
#include "agents/steer/nft_site.h"

struct nft_site {
	void (*privileges)(bool raise);
	struct mnl_socket *nl;
	char *text;		/* of all rules, as they should be; NULL: none of ours yet */
	uint32_t generation;	/* of all nftables, as of our last look */
	bool others_changed;
	/* Chains and counters as created: while they are the same, only rules change. */
	char *layout;
};

void nft_site_privileges(const struct nft_site *n, bool raise);

/* A list that ends with what NFT_SITE_COUNTS; the caller frees *out. 0, or the
 * kernel's negative errno. */
int nft_site_read_counters(struct nft_site *n, struct nft_site_counter **out);
/* All rules of the table, malloc'ed; NULL: no such table. */
char *nft_site_read_text(struct nft_site *n);
/* The line that begins a chain's rules. */
void nft_site_add_chain(struct expr_text *x, const char *chain);
/* The kernel lists chains as they were made, one by one over the years. Takes
 * text. */
char *nft_site_sort_chains(char *text);

#endif /* SAV_NFT_SITE_IMPL_H */
