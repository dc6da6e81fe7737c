/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * attr_slab - blocks of a few sizes, each with a 32-bit number from which its
 * address follows without a look at anything but a short table.
 *
 * Against malloc(): no header at each block, no table of pointers by number, and
 * so one miss of the cache less on the way from a path to its attributes. Blocks
 * lie 16,384 to a chunk, all of one size. An empty chunk is given back; the room in
 * others is for the next blocks of that size. Pages of 2 MB were tried for the
 * chunks: they gained nothing.
 */
#ifndef SAV_ATTR_SLAB_H
#define SAV_ATTR_SLAB_H

#include <stddef.h>
#include <stdint.h>

#define ATTR_SLAB_UNIT	 16
#define ATTR_SLAB_MAX	 256 /* bytes of a block */
#define ATTR_SLAB_BLOCKS 16384 /* of a chunk */

struct attr_chunk {
	uint8_t *mem;	     /* NULL: not in use */
	uint16_t stride;     /* bytes of a block */
	uint16_t used;	     /* blocks */
	uint16_t fresh;	     /* from this one on none was ever used */
	uint16_t free;	     /* first one given back, ATTR_SLAB_BLOCKS: none */
	uint32_t prev, next; /* of its size, with room; next: also not in use */
};

struct attr_slab {
	struct attr_chunk *chunk; /* 0 is none, so that no block has number 0 */
	uint32_t n_chunks, cap_chunks;
	uint32_t free_chunk;
	uint32_t room[ATTR_SLAB_MAX / ATTR_SLAB_UNIT + 1]; /* by size */
	uint32_t n_held; /* chunks that are there */
	size_t bytes;	 /* of the blocks in use, and the table */
};

/* All zero is an empty one. */
void attr_slab_fini(struct attr_slab *slab);
/* size: 1 to ATTR_SLAB_MAX. Not zeroed. Never 0; aborts when memory is out. */
uint32_t attr_slab_get(struct attr_slab *slab, size_t size);
void attr_slab_put(struct attr_slab *slab, uint32_t number);

static inline void *attr_slab_at(const struct attr_slab *slab, uint32_t number)
{
	const struct attr_chunk *c = &slab->chunk[number / ATTR_SLAB_BLOCKS];

	return c->mem + (size_t)(number % ATTR_SLAB_BLOCKS) * c->stride;
}

#endif /* SAV_ATTR_SLAB_H */
