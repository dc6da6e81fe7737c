/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rpfilter - the kernel's own reverse path filter steps back where we filter.
 *
 * The kernel uses the larger of net.ipv4.conf.all.rp_filter and the
 * interface's own value, so one interface cannot be relaxed alone: the others
 * first get their effective value as their own, then managed ones and "all"
 * become 0. What was there before is saved first, and comes back only by
 * rpfilter_release(): neither a restart nor a crash of the agent may change
 * what packets meet.
 */
#ifndef SAV_RPFILTER_H
#define SAV_RPFILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/diag.h"
#include "lib/filter.h"

#define RPFILTER_CONF "/proc/sys/net/ipv4/conf"

struct rpfilter;

/* conf is RPFILTER_CONF (tests: a directory like it). A state file that cannot
 * be read is an error here: taking over again would save our own values as if
 * they were the operator's. */
struct rpfilter *rpfilter_open(const char *conf, const char *state_path,
			       void (*privileges)(bool raise), struct diag *diag);
void rpfilter_close(struct rpfilter *rp); /* changes nothing */

/* Managed: the interfaces whose filter drops. Others are left as they are, or
 * get back what they had. May be called at any time and again. */
int rpfilter_own(struct rpfilter *rp, const char (*managed)[FILTER_IFNAME_SIZE], size_t n,
		 struct diag *diag);
/* Puts everything back as it was found. */
int rpfilter_release(struct rpfilter *rp, struct diag *diag);
bool rpfilter_is_owned(const struct rpfilter *rp);

#endif /* SAV_RPFILTER_H */
