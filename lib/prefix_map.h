/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * prefix_map - prefixes of one family, each with a number of the owner's.
 *
 * A hash table made for a whole forwarding table: 12 bytes for an IPv4 prefix
 * and 24 for an IPv6 one, and 6 to 12 for finding it. Nodes are named by
 * number and keep it until they are erased, so that a walk can be interrupted
 * and taken up again while the table changes.
 */
#ifndef SAV_PREFIX_MAP_H
#define SAV_PREFIX_MAP_H

#include "lib/ip.h"

struct prefix_map {
	enum ip_family family;
	uint32_t n; /* prefixes */

	uint8_t *nodes; /* node 0 is no node */
	uint32_t end, cap_nodes, free_node;
	uint32_t *slots; /* node numbers, open addressing */
	uint32_t cap_slots;
	uint64_t seed;
	uint32_t by_len[129];
};

/* seed: secret, so that nobody can announce prefixes that collide. */
void prefix_map_init(struct prefix_map *m, enum ip_family family, uint64_t seed);
void prefix_map_fini(struct prefix_map *m); /* it is empty and usable */
size_t prefix_map_bytes(const struct prefix_map *m);

/* 0 where there is no such prefix. */
uint32_t prefix_map_find(const struct prefix_map *m, const struct ip_prefix *p);
uint32_t prefix_map_get(struct prefix_map *m, const struct ip_prefix *p); /* or makes */
void prefix_map_erase(struct prefix_map *m, uint32_t node);
/* The longest prefix that holds the address and is accepted by fn, or 0. */
typedef bool prefix_map_fn(const struct prefix_map *m, uint32_t node, const void *arg);
uint32_t prefix_map_longest(const struct prefix_map *m, u128 addr, prefix_map_fn *fn,
			    const void *arg);

/* Walking: all numbers from 1 to end - 1 that are used, in no order. */
bool prefix_map_is_used(const struct prefix_map *m, uint32_t node);
struct ip_prefix prefix_map_prefix(const struct prefix_map *m, uint32_t node);
/* 0 at first. Both are valid until the next prefix_map_get(). */
uint32_t *prefix_map_value(const struct prefix_map *m, uint32_t node);
uint8_t *prefix_map_flags(const struct prefix_map *m, uint32_t node);

#endif /* SAV_PREFIX_MAP_H */
