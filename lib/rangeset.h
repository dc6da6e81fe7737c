/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rangeset - a set of addresses of one family.
 *
 * Kept as sorted, disjoint, non-adjacent closed ranges, so that equal sets
 * are equal arrays and the minimal CIDR form (the one that RFC 4632 calls
 * aggregated) follows from it without search. All binary operations are one
 * linear pass. Filters are sets of *addresses*: two routes for the same
 * addresses are one entry here, whatever their lengths.
 */
#ifndef SAV_RANGESET_H
#define SAV_RANGESET_H

#include "lib/ip.h"

struct ip_range {
	u128 first, last; /* both inside the set */
};

struct rangeset {
	struct ip_range *r;
	size_t n, cap;
};

void rangeset_fini(struct rangeset *s); /* leaves the empty set */
void rangeset_copy(struct rangeset *dst, const struct rangeset *src);

/* Building: append in any order, overlaps welcome; then normalize once.
 * Between the two the set is not readable by the other functions. */
void rangeset_append(struct rangeset *s, u128 first, u128 last);
void rangeset_append_prefix(struct rangeset *s, const struct ip_prefix *p);
void rangeset_normalize(struct rangeset *s);

/* dst = a op b. dst may be one of the operands. */
void rangeset_union(struct rangeset *dst, const struct rangeset *a,
		    const struct rangeset *b);
void rangeset_subtract(struct rangeset *dst, const struct rangeset *a,
		       const struct rangeset *b);
void rangeset_intersect(struct rangeset *dst, const struct rangeset *a,
			const struct rangeset *b);
void rangeset_complement(struct rangeset *dst, const struct rangeset *a,
			 enum ip_family family);

bool rangeset_is_empty(const struct rangeset *s);
bool rangeset_equal(const struct rangeset *a, const struct rangeset *b);
bool rangeset_contains(const struct rangeset *s, u128 v);
/* Every address of inner is in s. */
bool rangeset_covers(const struct rangeset *s, const struct rangeset *inner);
/* Number of addresses; saturates (the whole of IPv6 does not fit). */
u128 rangeset_size(const struct rangeset *s);

/* Minimal CIDR blocks in ascending order. */
typedef void rangeset_prefix_fn(const struct ip_prefix *p, void *arg);
void rangeset_each_prefix(const struct rangeset *s, enum ip_family family,
			  rangeset_prefix_fn *fn, void *arg);
size_t rangeset_prefix_count(const struct rangeset *s, enum ip_family family);

/* An address set of both families, indexed by enum ip_family. */
struct addrset {
	struct rangeset f[IP_FAMILIES];
};

void addrset_fini(struct addrset *s);
void addrset_copy(struct addrset *dst, const struct addrset *src);
void addrset_append(struct addrset *s, const struct ip_prefix *p);
void addrset_normalize(struct addrset *s);
void addrset_union(struct addrset *dst, const struct addrset *a, const struct addrset *b);
void addrset_subtract(struct addrset *dst, const struct addrset *a,
		      const struct addrset *b);
void addrset_intersect(struct addrset *dst, const struct addrset *a,
		       const struct addrset *b);
bool addrset_is_empty(const struct addrset *s);
bool addrset_equal(const struct addrset *a, const struct addrset *b);
bool addrset_contains(const struct addrset *s, const struct ip_addr *addr);
void addrset_each_prefix(const struct addrset *s, rangeset_prefix_fn *fn, void *arg);
size_t addrset_prefix_count(const struct addrset *s);

#endif /* SAV_RANGESET_H */
