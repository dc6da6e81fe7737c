/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/relay_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct relay_block {
	struct relay_block *next;
	size_t len;
	uint8_t data[RELAY_BLOCK_BYTES];
};

void relay_buffer_init(struct relay_buffer *b, size_t limit)
{
	*b = (struct relay_buffer){ .limit = limit };
}

static void first_free(struct relay_buffer *b)
{
	struct relay_block *block = b->first;

	b->first = block->next;
	if (!b->first)
		b->last = NULL;
	b->off = 0;
	free(block);
}

void relay_buffer_clear(struct relay_buffer *b)
{
	while (b->first)
		first_free(b);
	b->bytes = 0;
}

bool relay_buffer_put(struct relay_buffer *b, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (len > b->limit - b->bytes || b->bytes > b->limit)
		return false;
	b->bytes += len;
	if (b->bytes > b->high)
		b->high = b->bytes;
	while (len != 0) {
		struct relay_block *block = b->last;
		size_t n;

		if (!block || block->len == RELAY_BLOCK_BYTES) {
			block = mem_alloc(sizeof(*block));
			if (b->last)
				b->last->next = block;
			else
				b->first = block;
			b->last = block;
		}
		n = RELAY_BLOCK_BYTES - block->len;
		if (n > len)
			n = len;
		memcpy(block->data + block->len, p, n);
		block->len += n;
		p += n;
		len -= n;
	}
	return true;
}

size_t relay_buffer_peek(const struct relay_buffer *b, const uint8_t **data)
{
	if (!b->first)
		return 0;
	*data = b->first->data + b->off;
	return b->first->len - b->off;
}

void relay_buffer_drop(struct relay_buffer *b, size_t len)
{
	b->bytes -= len;
	b->off += len;
	if (b->off == b->first->len)
		first_free(b);
}
