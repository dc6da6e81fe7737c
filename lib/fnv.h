/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fnv - where something is in a table of buckets: FNV-1a, 32 bits.
 *
 * Of names that an operator has chosen and of what the kernel or we made up, or where a
 * full bucket hurts nobody but him who fills it. It has no secret: what a stranger could
 * choose in bulk, to be slow for others, wants a beginning that he does not know.
 */
#ifndef SAV_FNV_H
#define SAV_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BEGIN 2166136261u

/* h is FNV_BEGIN, or what came of the bytes before these. */
uint32_t fnv_more(uint32_t h, const void *data, size_t len);
uint32_t fnv_text(const char *text);

#endif /* SAV_FNV_H */
