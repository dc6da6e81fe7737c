/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * wr - growing byte writer, the counterpart of rd.
 *
 * Memory belongs to the writer until wr_fini(); it grows as needed (bounded
 * by the callers' own limits), so a write never fails.
 */
#ifndef SAV_WR_H
#define SAV_WR_H

#include <stddef.h>
#include <stdint.h>

struct wr {
	uint8_t *data;
	size_t len;
	size_t cap;
};

void wr_fini(struct wr *wr); /* frees; the writer is empty and usable again */

void wr_u8(struct wr *wr, uint8_t v);
void wr_be16(struct wr *wr, uint16_t v);
void wr_be32(struct wr *wr, uint32_t v);
void wr_be64(struct wr *wr, uint64_t v);
void wr_bytes(struct wr *wr, const void *src, size_t len);

/* Overwrites two or four bytes written before (lengths known late). */
void wr_patch16(struct wr *wr, size_t at, uint16_t v);
void wr_patch32(struct wr *wr, size_t at, uint32_t v);

/* Drops the first len bytes (they have been sent). */
void wr_consume(struct wr *wr, size_t len);

#endif /* SAV_WR_H */
