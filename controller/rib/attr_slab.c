/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/rib/attr_slab.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define NONE ATTR_SLAB_BLOCKS

void attr_slab_fini(struct attr_slab *slab)
{
	for (uint32_t i = 1; i < slab->n_chunks; i++)
		free(slab->chunk[i].mem);
	free(slab->chunk);
	*slab = (struct attr_slab){ 0 };
}

static inline uint32_t *room_of(struct attr_slab *slab, const struct attr_chunk *c)
{
	return &slab->room[c->stride / ATTR_SLAB_UNIT];
}

static void room_add(struct attr_slab *slab, uint32_t at)
{
	struct attr_chunk *c = &slab->chunk[at];

	c->prev = 0;
	c->next = *room_of(slab, c);
	if (c->next != 0)
		slab->chunk[c->next].prev = at;
	*room_of(slab, c) = at;
}

static void room_remove(struct attr_slab *slab, const struct attr_chunk *c)
{
	if (c->prev != 0)
		slab->chunk[c->prev].next = c->next;
	else
		*room_of(slab, c) = c->next;
	if (c->next != 0)
		slab->chunk[c->next].prev = c->prev;
}

static uint32_t chunk_new(struct attr_slab *slab, size_t stride)
{
	uint32_t at = slab->free_chunk;
	struct attr_chunk *c;

	if (at != 0) {
		slab->free_chunk = slab->chunk[at].next;
	} else {
		if (slab->n_chunks == 0)
			slab->n_chunks = 1;
		if (slab->n_chunks > UINT32_MAX / ATTR_SLAB_BLOCKS)
			abort(); /* out of numbers: more than 100 GB */
		if (slab->n_chunks >= slab->cap_chunks) {
			slab->bytes -= slab->cap_chunks * sizeof(*c);
			slab->cap_chunks = slab->cap_chunks + slab->cap_chunks / 2 + 16;
			slab->bytes += slab->cap_chunks * sizeof(*c);
			slab->chunk = mem_realloc(slab->chunk, slab->cap_chunks, sizeof(*c));
		}
		at = slab->n_chunks++;
	}
	c = &slab->chunk[at];
	*c = (struct attr_chunk){ .stride = (uint16_t)stride, .free = NONE };
	c->mem = mem_calloc(ATTR_SLAB_BLOCKS, stride);
	slab->n_held++;
	room_add(slab, at);
	return at;
}

static void chunk_free(struct attr_slab *slab, uint32_t at)
{
	struct attr_chunk *c = &slab->chunk[at];

	room_remove(slab, c);
	slab->n_held--;
	free(c->mem);
	*c = (struct attr_chunk){ .next = slab->free_chunk };
	slab->free_chunk = at;
}

uint32_t attr_slab_get(struct attr_slab *slab, size_t size)
{
	size_t units = (size + ATTR_SLAB_UNIT - 1) / ATTR_SLAB_UNIT;
	uint32_t at = slab->room[units], block;
	struct attr_chunk *c;

	if (at == 0)
		at = chunk_new(slab, units * ATTR_SLAB_UNIT);
	c = &slab->chunk[at];
	block = c->free;
	if (block == NONE)
		block = c->fresh++;
	else
		memcpy(&c->free, c->mem + (size_t)block * c->stride, sizeof(c->free));
	slab->bytes += c->stride;
	if (++c->used == ATTR_SLAB_BLOCKS)
		room_remove(slab, c);
	return at * ATTR_SLAB_BLOCKS + block;
}

void attr_slab_put(struct attr_slab *slab, uint32_t number)
{
	uint32_t at = number / ATTR_SLAB_BLOCKS;
	struct attr_chunk *c = &slab->chunk[at];

	memcpy(attr_slab_at(slab, number), &c->free, sizeof(c->free));
	c->free = (uint16_t)(number % ATTR_SLAB_BLOCKS);
	slab->bytes -= c->stride;
	if (c->used-- == ATTR_SLAB_BLOCKS)
		room_add(slab, at);
	/* The only one with room stays, or a single block that comes and goes would
	 * take a chunk along each time. */
	if (c->used == 0 && (c->prev != 0 || c->next != 0))
		chunk_free(slab, at);
}
