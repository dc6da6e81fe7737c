/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * relay_buffer - bytes that wait to be sent, in blocks, up to a bound.
 *
 * Memory follows what really waits. Nothing is moved, so that a long queue
 * costs no more a byte than a short one.
 */
#ifndef SAV_RELAY_BUFFER_H
#define SAV_RELAY_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_BLOCK_BYTES 65536

struct relay_block;

struct relay_buffer {
	struct relay_block *first, *last;
	size_t off;   /* of first: what was taken */
	size_t bytes; /* that wait */
	size_t limit, high;
};

void relay_buffer_init(struct relay_buffer *b, size_t limit);
void relay_buffer_clear(struct relay_buffer *b); /* limit and high stay */
/* false, and nothing is taken, when it would be more than the limit. */
bool relay_buffer_put(struct relay_buffer *b, const void *data, size_t len);
/* The first bytes in one piece, at most a block's worth; 0: nothing waits. */
size_t relay_buffer_peek(const struct relay_buffer *b, const uint8_t **data);
void relay_buffer_drop(struct relay_buffer *b, size_t len); /* of what peek gave */

#endif /* SAV_RELAY_BUFFER_H */
