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

struct delegations {
	struct ip_prefix list[DELEGATIONS_MAX];
	size_t n;
};

/* False: nothing has changed. */
bool delegations_change(struct delegations *d, const struct ip_prefix *p, bool add);
/* No file is no delegation. -1: it is damaged; d is empty then. */
int delegations_load(struct delegations *d, const char *path, struct diag *diag);
int delegations_save(const struct delegations *d, const char *path, struct diag *diag);

#endif /* SAV_DELEGATIONS_H */
