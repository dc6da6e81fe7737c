/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_edges - what is known to be in the kernel, and the handle that knows it.
 *
 * Inside of the nftables back end only: kernel_nft.c, nft_change.c, nft_scan.c.
 */
#ifndef SAV_NFT_EDGES_H
#define SAV_NFT_EDGES_H

#include "agents/kernel.h"
#include "agents/nft_parts.h"
#include "agents/nft_rules.h"
#include "agents/nft_txn.h"

/* What is known to be in the kernel besides the contents of the filters. */
struct edge {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t version; /* the highest of its objects */
	uint64_t others;  /* version of its connected and peer sets */
	struct parts parts[IP_FAMILIES];
	struct addrset connected; /* as installed */
	enum filter_action action;
	char comment[RULES_COMMENT_SIZE]; /* of its last rule */
	struct kernel_counters last;
	bool in_map; /* while scanning */
};

struct edges {
	struct edge *e; /* sorted by name */
	size_t n, cap;
};

struct kernel {
	struct kernel_options options;
	enum kernel_strategy strategy;
	struct mnl_socket *nl;
	bool secpath; /* this kernel has "meta secpath" */
	bool present; /* the table exists */
	bool brake;
	uint32_t generation; /* of all nftables, as of our last look */
	bool others_changed; /* something, since kernel_was_changed() */
	struct diag damage;  /* not empty: only kernel_rebuild() helps */
	bool halfway;	     /* prepared, but the change was refused */
	struct edges edges;
};

struct edge *edges_find(const struct edges *es, const char *interface); /* or NULL */
struct edge *edges_get(struct edges *es, const char *interface); /* made if missing */
void edges_drop(struct edges *es, const char *interface);
void edges_fini(struct edges *es);
void edge_copy(struct edge *dst, const struct edge *src);
void edge_fini(struct edge *e);

#endif /* SAV_NFT_EDGES_H */
