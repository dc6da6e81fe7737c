/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rd.h"

#include <string.h>

struct rd rd_init(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct rd){ .p = p, .end = len ? p + len : p };
}

size_t rd_left(const struct rd *rd)
{
	return rd->failed ? 0 : (size_t)(rd->end - rd->p);
}

/* Claims len bytes; NULL (and the failed mark) if they are not all there. */
static const uint8_t *take(struct rd *rd, size_t len)
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

uint8_t rd_u8(struct rd *rd)
{
	const uint8_t *p = take(rd, 1);

	return p ? p[0] : 0;
}

uint16_t rd_be16(struct rd *rd)
{
	const uint8_t *p = take(rd, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t rd_be32(struct rd *rd)
{
	const uint8_t *p = take(rd, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
			       p[3]
		 : 0;
}

uint64_t rd_be64(struct rd *rd)
{
	struct rd eight = rd_sub(rd, 8); /* all or nothing */
	uint64_t hi = rd_be32(&eight);

	return hi << 32 | rd_be32(&eight);
}

void rd_bytes(struct rd *rd, void *dst, size_t len)
{
	const uint8_t *p = take(rd, len);

	if (len == 0)
		return;
	if (p)
		memcpy(dst, p, len);
	else
		memset(dst, 0, len);
}

void rd_skip(struct rd *rd, size_t len)
{
	(void)take(rd, len);
}

struct rd rd_sub(struct rd *rd, size_t len)
{
	const uint8_t *p = take(rd, len);
	struct rd sub = rd_init(p, rd->failed ? 0 : len);

	sub.failed = rd->failed;
	return sub;
}

bool rd_done(const struct rd *rd)
{
	return !rd->failed && rd->p == rd->end;
}
