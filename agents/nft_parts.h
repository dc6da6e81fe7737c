/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_parts - how the accepted addresses of one family lie in the kernel.
 *
 * Two shapes. An accept-list holds the accepted ranges, and a packet passes
 * that is in it; a drop-list holds their complement, and a packet passes that
 * is not. The smaller one is taken. Since ranges are stored as ranges and not
 * cut into prefixes, their sizes differ by one at most: with CIDR blocks the
 * complement of a full table would be many times smaller, here it is not.
 *
 * A large list is split into parts by address, each a set of its own behind a
 * verdict map: the kernel's work for a change grows with the set that is
 * changed (a fresh array for each transaction), and its work for reading one
 * with the square of the set. Bounds of parts follow the contents, so no
 * clustering of prefixes, natural or contrived, fills one of them alone.
 *
 * Values only: no kernel here.
 */
#ifndef SAV_NFT_PARTS_H
#define SAV_NFT_PARTS_H

#include "agents/kernel.h"

#define PARTS_RANGES 4096 /* in one part when the bounds are drawn */

struct part {
	u128 first;	/* up to the next part's first - 1 */
	uint64_t chain; /* version of its chain; 0 if there is one part only */
	uint64_t set;	/* version of its set */
	bool unread;	/* changed, and not yet read back */
};

struct parts {
	enum kernel_shape shape; /* not KERNEL_SHAPE_AUTO */
	uint64_t map;		 /* version of the verdict map, 0: one part only */
	struct part *p;		 /* ascending; the first begins at 0 */
	size_t n;
};

void parts_fini(struct parts *ps);
void parts_copy(struct parts *dst, const struct parts *src);
/* The same objects in the kernel. */
bool parts_equal(const struct parts *a, const struct parts *b);

/* The shape for these addresses where the present one is now. Changing shape
 * costs a complete new list, so the other one must be smaller by more than a
 * quarter. now may be KERNEL_SHAPE_AUTO: there is none yet. */
enum kernel_shape parts_choose(const struct rangeset *accept, enum ip_family family,
			       enum kernel_shape now);

/* Draws bounds for parts of some target ranges, and counts *version up for
 * each new object. ps must be empty. */
void parts_plan(struct parts *ps, enum kernel_shape shape, const struct rangeset *accept,
		size_t target, uint64_t *version);
/* Are the bounds still good? No part has grown to four times the target, and
 * the whole has not shrunk to a quarter of one. */
bool parts_fit(const struct parts *ps, enum ip_family family,
	       const struct rangeset *accept, size_t target);

u128 parts_last(const struct parts *ps, size_t i, enum ip_family family);
/* What the set of part i holds when these are accepted; out is replaced. */
void parts_slice(const struct parts *ps, size_t i, enum ip_family family,
		 const struct rangeset *accept, struct rangeset *out);
/* Does the set of part i change? Cheaper than two slices. */
bool parts_differ(const struct parts *ps, size_t i, enum ip_family family,
		  const struct rangeset *old, const struct rangeset *new);
/* The other way: appends to accept what the contents of part i accept. */
void parts_join(const struct parts *ps, size_t i, enum ip_family family,
		const struct rangeset *contents, struct rangeset *accept);

#endif /* SAV_NFT_PARTS_H */
