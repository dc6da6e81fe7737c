/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/wr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void wr_fini(struct wr *wr)
{
	free(wr->data);
	*wr = (struct wr){ 0 };
}

static uint8_t *claim(struct wr *wr, size_t len)
{
	uint8_t *at;

	if (len > wr->cap - wr->len) {
		size_t cap = wr->cap ? wr->cap : 256;

		while (cap - wr->len < len)
			cap *= 2;
		wr->data = mem_realloc(wr->data, cap, 1);
		wr->cap = cap;
	}
	at = wr->data + wr->len;
	wr->len += len;
	return at;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

void wr_u8(struct wr *wr, uint8_t v)
{
	*claim(wr, 1) = v;
}

void wr_be16(struct wr *wr, uint16_t v)
{
	put16(claim(wr, 2), v);
}

void wr_be32(struct wr *wr, uint32_t v)
{
	put32(claim(wr, 4), v);
}

void wr_be64(struct wr *wr, uint64_t v)
{
	wr_be32(wr, (uint32_t)(v >> 32));
	wr_be32(wr, (uint32_t)v);
}

void wr_bytes(struct wr *wr, const void *src, size_t len)
{
	if (len != 0)
		memcpy(claim(wr, len), src, len);
}

void wr_patch16(struct wr *wr, size_t at, uint16_t v)
{
	assert(at + 2 <= wr->len);
	put16(wr->data + at, v);
}

void wr_patch32(struct wr *wr, size_t at, uint32_t v)
{
	assert(at + 4 <= wr->len);
	put32(wr->data + at, v);
}

void wr_consume(struct wr *wr, size_t len)
{
	assert(len <= wr->len);
	wr->len -= len;
	if (wr->len != 0)
		memmove(wr->data, wr->data + len, wr->len);
}
