/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sets_fib - what the modes take from a router's forwarding table.
 *
 * The pass (sets.h) decides which mode takes what; here a table is walked.
 */
#ifndef SAV_SETS_FIB_H
#define SAV_SETS_FIB_H

#include "controller/policy/config.h"
#include "controller/rib/fib.h"

/* The edges of the customers' eBGP paths of this very prefix on this router;
 * returns their number. */
typedef size_t sets_direct_fn(const struct ip_prefix *prefix, const size_t **edges, void *arg);

/* Appends to the sets of the router's edges (one per edge of cfg) what leaves
 * by them; normalized by the caller. Routes shorter than /8 (IPv6 /16) count for
 * nothing: the default route of a router leaves by some edge, and would open it.
 * index: of each edge's interface, 0 if unknown. direct may be NULL: then the
 * second set stays empty. */
void sets_fib_strict(const struct config *cfg, const char *router, const struct fib *fib,
		     const uint32_t *index, sets_direct_fn *direct, void *arg,
		     struct addrset *strict, struct addrset *strict_direct);
/* Appends all that unicast routes hold by longest match. */
void sets_fib_routed(const struct fib *fib, bool with_default, struct addrset *out);
/* Appends all whose longest match rejects, short routes left aside. */
void sets_fib_rejected(const struct fib *fib, struct addrset *out);

#endif /* SAV_SETS_FIB_H */
