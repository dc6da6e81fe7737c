/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_scan - from what the kernel has to what we know.
 */
#ifndef SAV_NFT_SCAN_H
#define SAV_NFT_SCAN_H

#include "agents/nft_edges.h"

/* 0 or a negative errno. */
int scan_table_exists(const struct kernel *k, bool *exists);
/* The counters of these edges, into their "last". 0 or a negative errno. */
int scan_counters(const struct kernel *k, struct edges *es);
/* Learns everything but the contents of the filters. What does not fit is noted
 * as damage and is no failure. */
int scan_all(struct kernel *k, struct diag *diag);
/* Does the kernel hold this filter: the parts that changed since they were last
 * read, or all of them. 0, or -1 with what differs. */
int scan_verify_edge(const struct kernel *k, struct edge *e, const struct filter *want,
		     bool all, struct diag *diag);
/* The contents of one edge's sets and its action. */
int scan_read_edge(const struct kernel *k, const struct edge *e, struct filter *out,
		   struct diag *diag);

#endif /* SAV_NFT_SCAN_H */
