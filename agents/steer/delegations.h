/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * delegations - the prefixes that DHCPv6 clients of this machine were delegated
 * (RFC 8415 section 6.3), and the file that keeps them over a new start.
 */
#ifndef SAV_DELEGATIONS_H
#define SAV_DELEGATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/diag.h"
#include "lib/ip.h"

#define DELEGATIONS_MAX 64 /* more are not taken */

/* What a look-up of an address finds in the main table. */
enum delegation_seen {
	DELEGATION_SINK,  /* what makes the rest of a delegation unreachable */
	DELEGATION_PART,  /* a route longer than asked about: a part that has been handed on */
	DELEGATION_OTHER, /* another route, or none */
	DELEGATION_UNKNOWN,
};
typedef enum delegation_seen delegation_look_fn(void *ctx, const struct ip_addr *a, uint8_t len);

struct delegations {
	struct ip_prefix list[DELEGATIONS_MAX];
	size_t n;
};

/* False: nothing has changed. */
bool delegations_change(struct delegations *d, const struct ip_prefix *p, bool add);
/* Does its route exist? Asked for in both halves. */
bool delegation_is_there(const struct ip_prefix *p, delegation_look_fn *look, void *ctx);
/* The delegation of which this subnet is a part: the largest prefix around it where every
 * other half is unreachable or handed on. False: there is none, or a route makes more
 * unreachable than a /32, which nobody delegates.
 * A dump could say it at once, but one of a large table holds its lock, and the packets of
 * one processor, all the while: 60 ms for 200,000 routes, though a filter lets only one
 * through (fib6_dump_table() of Linux). */
bool delegation_around(const struct ip_prefix *subnet, delegation_look_fn *look, void *ctx,
		       struct ip_prefix *out);
/* No file is no delegation. -1: it is damaged; d is empty then. */
int delegations_load(struct delegations *d, const char *path, struct diag *diag);
int delegations_save(const struct delegations *d, const char *path, struct diag *diag);

#endif /* SAV_DELEGATIONS_H */
