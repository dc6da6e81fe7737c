/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rd - read-only cursor over bytes that came from outside.
 *
 * The first read past the end marks the cursor failed; every later read is
 * a no-op that yields zero. Parse straight through, then ask rd_done() once.
 */
#ifndef SAV_RD_H
#define SAV_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *p;   /* next unread byte */
	const uint8_t *end; /* one past the last readable byte */
	bool failed;
};

struct rd rd_init(const void *data, size_t len);
size_t rd_left(const struct rd *rd);

uint8_t rd_u8(struct rd *rd);
uint16_t rd_be16(struct rd *rd);
uint32_t rd_be32(struct rd *rd);
uint64_t rd_be64(struct rd *rd);
void rd_bytes(struct rd *rd, void *dst, size_t len);

/* Carve the next len bytes into a cursor of their own. If they are not
 * there, both cursors are failed, so a child can never outrun its parent. */
struct rd rd_sub(struct rd *rd, size_t len);

/* Like rd_bytes() without the bytes. */
void rd_skip(struct rd *rd, size_t len);

/* All consumed and nothing failed: the only "success" a decoder returns on. */
bool rd_done(const struct rd *rd);

#endif /* SAV_RD_H */
