/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * kernel_fake - the kernel of the unit tests: tables in memory, and faults.
 */
#ifndef SAV_KERNEL_FAKE_H
#define SAV_KERNEL_FAKE_H

#include "agents/kernel.h"

struct kernel_fake {
	unsigned int applies; /* transactions that were accepted */
	unsigned int rebuilds;
	unsigned int refuse; /* refuse this many of the next transactions */
	char refuse_interface[FILTER_IFNAME_SIZE]; /* always refuse this edge */
	char forget_interface[FILTER_IFNAME_SIZE]; /* accept it, change nothing */
};

struct kernel_fake *kernel_fake(struct kernel *k);
/* Somebody else deletes the table, or an edge of it. */
void kernel_fake_flush(struct kernel *k);
void kernel_fake_damage(struct kernel *k, const char *interface);
/* What the edge's connected set holds; NULL without edge. */
const struct addrset *kernel_fake_connected(struct kernel *k, const char *interface);

#endif /* SAV_KERNEL_FAKE_H */
