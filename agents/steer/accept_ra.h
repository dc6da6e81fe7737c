/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * accept_ra - router advertisements on links: taken, though this machine forwards.
 *
 * A link whose IPv6 gateway is not configured learns it, and its address, from
 * advertisements, which a router ignores unless accept_ra is 2. A link with a
 * configured gateway, and a tunnel, take none. What was there before is saved
 * first and comes back when the interface is no link any more, or by
 * accept_ra_release(); a restart or a crash changes nothing.
 */
#ifndef SAV_ACCEPT_RA_H
#define SAV_ACCEPT_RA_H

#include <stddef.h>

#include "lib/diag.h"
#include "lib/filter.h"

#define ACCEPT_RA_CONF "/proc/sys/net/ipv6/conf"

struct accept_ra_want {
	char interface[FILTER_IFNAME_SIZE];
	int value;
};

struct accept_ra;

/* conf is ACCEPT_RA_CONF (tests: a directory like it). NULL: the state file
 * is damaged, and the operator's values are not known. */
struct accept_ra *accept_ra_open(const char *conf, const char *state_path,
				 void (*privileges)(bool raise), struct diag *diag);
void accept_ra_close(struct accept_ra *a); /* changes nothing */
/* Sets these, and puts back those that are not among them any more. */
int accept_ra_own(struct accept_ra *a, const struct accept_ra_want *want, size_t n,
		  struct diag *diag);
int accept_ra_release(struct accept_ra *a, struct diag *diag);

#endif /* SAV_ACCEPT_RA_H */
