/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fib - what one router forwards by: prefixes and the interfaces they leave by.
 *
 * As its agent reads it from the kernel: the main table, and of several routes
 * for a prefix the one that is used. Interfaces are kernel indexes; the
 * agent's inventory knows their names. Up to 75 bytes for an IPv4 route and 100
 * for an IPv6 one, for they are kept in order: a change costs what it concerns.
 */
#ifndef SAV_FIB_H
#define SAV_FIB_H

#include "lib/rangeset.h"
#include "schema/agent_msg.h"

struct fib;

/* seed: secret; see prefix_map. */
struct fib *fib_new(uint64_t seed);
void fib_free(struct fib *fib);
size_t fib_count(const struct fib *fib, enum ip_family family);
size_t fib_rejects(const struct fib *fib, enum ip_family family); /* blackholes and such */
size_t fib_bytes(const struct fib *fib);

/* AGENT_ROUTE_GONE takes the prefix out. */
void fib_set(struct fib *fib, const struct ip_prefix *p, enum agent_route_kind kind,
	     const uint32_t *indexes, size_t n);

struct fib_route {
	struct ip_prefix prefix;
	enum agent_route_kind kind; /* not GONE */
	uint32_t list;		    /* equal numbers are equal lists */
	const uint32_t *indexes;
	size_t n;
};
/* false: no route of at least min_len bits holds the address. */
bool fib_longest(const struct fib *fib, const struct ip_addr *addr, unsigned int min_len,
		 struct fib_route *out);

/* The route of the longest prefix of at least min_len bits that covers p; p's own
 * is one. */
bool fib_covering(const struct fib *fib, const struct ip_prefix *p, unsigned int min_len,
		  struct fib_route *out);
bool fib_exact(const struct fib *fib, const struct ip_prefix *p, struct fib_route *out);
/* What of p no route of a longer prefix holds; *out is replaced. */
void fib_uncovered(const struct fib *fib, const struct ip_prefix *p, struct rangeset *out);

/* Cuts what lies in `within` into ranges by the longest match among the routes of
 * at least min_len bits, in ascending order; what no route holds is left out.
 * Costs what routes there are inside of it. */
typedef void fib_range_fn(const struct fib_route *route, u128 first, u128 last, void *arg);
void fib_cut(const struct fib *fib, const struct ip_prefix *within, unsigned int min_len,
	     fib_range_fn *range, void *arg);

#endif /* SAV_FIB_H */
