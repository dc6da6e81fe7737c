/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * best_path - the BGP decision process of RFC 4271 sec. 9.1.2.2.
 *
 * Without the steps that need what a feed does not carry (IGP cost, BGP
 * identifier): an absent LOCAL_PREF counts 100, the last tie goes to the
 * lowest peer address, and there is one winner.
 */
#ifndef SAV_BEST_PATH_H
#define SAV_BEST_PATH_H

#include "controller/rib/rib.h"

struct best_candidate {
	const struct rib_attr *attr;
	struct ip_addr peer;
	bool ibgp;
	bool out; /* working space */
};

/* Index of the winner among n >= 1 candidates for one prefix. */
size_t best_path(struct best_candidate *c, size_t n);

#endif /* SAV_BEST_PATH_H */
