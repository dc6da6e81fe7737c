/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * best_path - the BGP decision process of RFC 4271 sec. 9.1.1 and 9.1.2.2.
 *
 * By LOCAL_PREF (absent: 100), length of AS_PATH, ORIGIN, MULTI_EXIT_DISC among
 * paths of one neighbour AS, external over internal, and the lowest peer
 * address. What a feed does not carry is left out: the IGP's cost to the next
 * hop (9.1.2.2 e), the BGP identifier (f), and what a router's operator
 * configured besides (weights, med missing-as-worst, always-compare-med,
 * multipath). So where such a step decides, the router may prefer another path.
 */
#ifndef SAV_BEST_PATH_H
#define SAV_BEST_PATH_H

#include "controller/rib/rib.h"

struct best_candidate {
	const struct rib_attr *attr;
	struct ip_addr peer;
	bool ibgp;
	/* For best_paths(): candidates of one peer with one attr are one path, which
	 * comes in by several links. */
	const struct rib_peer *from;
	size_t rank; /* its answer: from 1 on; 0: not among the best */
	bool out;    /* working space */
};

/* Index of the winner among n >= 1 candidates for one prefix. */
size_t best_path(struct best_candidate *c, size_t n);
/* Ranks at most max paths: the winner, the winner among the others, and so on. */
void best_paths(struct best_candidate *c, size_t n, size_t max);

#endif /* SAV_BEST_PATH_H */
