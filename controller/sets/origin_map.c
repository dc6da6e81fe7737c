/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/origin_map.h"

#include <stdlib.h>

#include "lib/mem.h"

/* A slot is free while its origin is this; no AS number reaches it. */
#define FREE_SLOT UINT64_MAX

void origin_map_fini(struct origin_map *map)
{
	for (size_t i = 0; i < map->cap; i++)
		free(map->slots[i].edges);
	free(map->slots);
	*map = (struct origin_map){ 0 };
}

static size_t slot_of(const struct origin_map *map, uint64_t origin)
{
	size_t at = (size_t)((origin * 0x9e3779b97f4a7c15u) >> 20) & (map->cap - 1);

	while (map->slots[at].origin != FREE_SLOT && map->slots[at].origin != origin)
		at = (at + 1) & (map->cap - 1);
	return at;
}

static void grow(struct origin_map *map)
{
	struct origin_map bigger = { .n = map->n, .cap = map->cap ? map->cap * 2 : 64 };

	bigger.slots = mem_calloc(bigger.cap, sizeof(*bigger.slots));
	for (size_t i = 0; i < bigger.cap; i++)
		bigger.slots[i].origin = FREE_SLOT;
	for (size_t i = 0; i < map->cap; i++) {
		if (map->slots[i].origin != FREE_SLOT)
			bigger.slots[slot_of(&bigger, map->slots[i].origin)] = map->slots[i];
	}
	free(map->slots);
	*map = bigger;
}

struct origin_edges *origin_map_add(struct origin_map *map, uint64_t origin)
{
	struct origin_edges *slot;

	if ((map->n + 1) * 2 > map->cap)
		grow(map);
	slot = &map->slots[slot_of(map, origin)];
	if (slot->origin == FREE_SLOT) {
		slot->origin = origin;
		map->n++;
	}
	return slot;
}

struct origin_edges *origin_map_find(const struct origin_map *map, uint64_t origin)
{
	struct origin_edges *slot;

	if (map->cap == 0)
		return NULL;
	slot = &map->slots[slot_of(map, origin)];
	return slot->origin == FREE_SLOT ? NULL : slot;
}

void origin_edges_add(struct origin_edges *oe, size_t edge)
{
	for (size_t i = 0; i < oe->n; i++) {
		if (oe->edges[i] == edge)
			return;
	}
	oe->edges = mem_realloc(oe->edges, oe->n + 1, sizeof(*oe->edges));
	oe->edges[oe->n++] = edge;
}
