/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * origin_map - from an origin AS to the edges its prefixes belong to.
 */
#ifndef SAV_ORIGIN_MAP_H
#define SAV_ORIGIN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct origin_edges {
	uint64_t origin; /* as given to origin_map_add() */
	size_t *edges;	 /* unordered, no duplicates */
	size_t n;
};

struct origin_map {
	struct origin_edges *slots;
	size_t n, cap; /* cap is a power of two */
};

void origin_map_fini(struct origin_map *map);
/* Finds or creates; the pointer is valid until the next add. */
struct origin_edges *origin_map_add(struct origin_map *map, uint64_t origin);
struct origin_edges *origin_map_find(const struct origin_map *map, uint64_t origin);
void origin_edges_add(struct origin_edges *oe, size_t edge);

#endif /* SAV_ORIGIN_MAP_H */
