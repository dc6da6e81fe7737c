/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_fit - the MTU of an interface that many peers have: the longest packet that
 * fits all who are there.
 *
 * Peers differ by what ESP adds on their paths, in UDP or not, IPv6 or IPv4, and by
 * their ciphers: so thousands of them have a handful of sizes.
 */
#ifndef SAV_IKED_FIT_H
#define SAV_IKED_FIT_H

#include <stddef.h>
#include <stdint.h>

struct iked_fit_size {
	uint32_t bytes;
	unsigned users;
};

/* All zero: nobody is there. */
struct iked_fit {
	struct iked_fit_size *list;
	size_t n;
};

/* bytes 0: not known, and does not count. What is removed was added. */
void iked_fit_add(struct iked_fit *fit, uint32_t bytes);
void iked_fit_remove(struct iked_fit *fit, uint32_t bytes);
/* 0: nobody is there whose size is known. */
uint32_t iked_fit_least(const struct iked_fit *fit);
void iked_fit_fini(struct iked_fit *fit);

#endif /* SAV_IKED_FIT_H */
