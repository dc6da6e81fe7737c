/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * blocks - the parts of an address set for people to read: its CIDR blocks,
 * largest first, and how many addresses there are.
 */
#ifndef SAV_BLOCKS_H
#define SAV_BLOCKS_H

#include "lib/rangeset.h"

struct blocks {
	struct ip_prefix *p;
	size_t n, cap;
};

/* IPv4 before IPv6: their sizes do not compare. To be freed by blocks_fini(). */
struct blocks blocks_of(const struct addrset *set);
void blocks_fini(struct blocks *b);

/* Addresses of a block; saturates for ::/0, as rangeset_size() does. */
u128 block_size(const struct ip_prefix *p);

#define BLOCKS_DIGITS_SIZE 48
#define BLOCKS_TEXT_SIZE   80
/* In decimal; the result lies somewhere in buf. */
const char *blocks_digits(u128 v, char buf[BLOCKS_DIGITS_SIZE]);
/* "256 IPv4 addresses"; IPv6 is counted in networks of 64 bits where there is a
 * whole one. */
const char *blocks_amount(u128 v, enum ip_family family, char buf[BLOCKS_TEXT_SIZE]);

#endif /* SAV_BLOCKS_H */
