/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * kernel_shape - what is the same for every back end of kernel.h.
 */
#include "agents/kernel.h"

size_t kernel_shape_size(const struct rangeset *accept, enum ip_family family,
			 enum kernel_shape shape)
{
	bool to_start, to_end;

	if (shape != KERNEL_SHAPE_DROP || accept->n == 0)
		return shape == KERNEL_SHAPE_DROP ? 1 : accept->n;
	to_start = accept->r[0].first == 0;
	to_end = accept->r[accept->n - 1].last == ip_max(family);
	return accept->n + 1 - to_start - to_end;
}

const char *kernel_shape_name(enum kernel_shape shape)
{
	return shape == KERNEL_SHAPE_ACCEPT ? "accept-list"
	       : shape == KERNEL_SHAPE_DROP ? "drop-list"
					    : "auto";
}
