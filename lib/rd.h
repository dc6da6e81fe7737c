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

/* What decoders call for each field of each route is here: called as functions
 * these cost a third of a full table's way from BMP into the RIB. */

static inline struct rd rd_init(const void *data, size_t len)
{
	const uint8_t *p = (const uint8_t *)data;

	return (struct rd){ .p = p, .end = len ? p + len : p };
}

static inline size_t rd_left(const struct rd *rd)
{
	return rd->failed ? 0 : (size_t)(rd->end - rd->p);
}

/* For the functions below: claims len bytes; NULL (and the failed mark) if they
 * are not all there. */
static inline const uint8_t *rd_take(struct rd *rd, size_t len)
{
	const uint8_t *p = rd->p;

	if (rd->failed || len > (size_t)(rd->end - rd->p)) {
		rd->failed = true;
		return NULL;
	}
	if (len != 0)
		rd->p += len;
	return p;
}

static inline uint8_t rd_u8(struct rd *rd)
{
	const uint8_t *p = rd_take(rd, 1);

	return p ? p[0] : 0;
}

static inline uint16_t rd_be16(struct rd *rd)
{
	const uint8_t *p = rd_take(rd, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t rd_be32(struct rd *rd)
{
	const uint8_t *p = rd_take(rd, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
			       p[3]
		 : 0;
}

uint64_t rd_be64(struct rd *rd);
void rd_bytes(struct rd *rd, void *dst, size_t len);

/* Carve the next len bytes into a cursor of their own. If they are not
 * there, both cursors are failed, so a child can never outrun its parent. */
static inline struct rd rd_sub(struct rd *rd, size_t len)
{
	const uint8_t *p = rd_take(rd, len);
	struct rd sub = rd_init(p, rd->failed ? 0 : len);

	sub.failed = rd->failed;
	return sub;
}

/* Like rd_bytes() without the bytes. */
static inline void rd_skip(struct rd *rd, size_t len)
{
	(void)rd_take(rd, len);
}

/* All consumed and nothing failed: the only "success" a decoder returns on. */
static inline bool rd_done(const struct rd *rd)
{
	return !rd->failed && rd->p == rd->end;
}

#endif /* SAV_RD_H */
