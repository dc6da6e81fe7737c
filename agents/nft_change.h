/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_change - from wanted changes to messages for the kernel.
 */
#ifndef SAV_NFT_CHANGE_H
#define SAV_NFT_CHANGE_H

#include "agents/nft_edges.h"

#define CHANGE_PRIORITY (-300) /* raw: NF_IP_PRI_RAW and NF_IP6_PRI_RAW */

/* A change goes in two transactions where one would hurt. Rules switch at once
 * for all of a transaction, but since Linux gave interval sets a sorted array,
 * that array is made *after* the switch: a set that is filled in the same
 * transaction as the rule that first looks into it misses everything for some
 * milliseconds (measured: a quarter of the honest packets while sets were
 * swapped a hundred times a second). So "prepare" fills what no packet looks
 * at yet, and "change" then points the packets at it. A mere delta of a live
 * set needs no preparation. */
struct steps {
	struct txn *prepare, *change;
};

/* The table itself: NFT_MSG_NEWTABLE or NFT_MSG_DELTABLE. */
void change_put_table(struct txn *t, uint16_t type);
/* Table, map and base chain with its rules. */
void change_put_frame(const struct kernel *k, struct txn *t);
/* A chain with one rule, made and deleted: does this kernel take it? */
void change_put_probe(struct txn *t, enum rules_part part);

/* next: the edge as it will be, for the time when the kernel has taken it; its
 * name is "" if it is removed. The caller has it zeroed and frees it. */
void change_put(const struct kernel *k, const struct steps *s,
		const struct kernel_change *c, struct edge *next);

/* A new edge with next's name and connected subnets; its counters begin where
 * they were last seen. */
void change_create_edge(const struct kernel *k, const struct steps *s,
			const struct filter *f, struct edge *next);
/* What the edge's rules are, without the comment. */
void change_rules(const struct kernel *k, const struct edge *e, struct rules_edge *r);
/* Generation and hash, as they stand at the last rule of an edge. */
void change_comment(const struct filter *f, char comment[RULES_COMMENT_SIZE]);

#endif /* SAV_NFT_CHANGE_H */
