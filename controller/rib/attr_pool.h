/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * attr_pool - path attributes, each distinct set stored once and counted.
 *
 * A full table has four to five routes per distinct set, so a path keeps a
 * 4-byte number instead of some 130 bytes. Sets lie in an attr_slab and the index
 * grows in 256 parts, so no single set has to wait for all others to move.
 */
#ifndef SAV_ATTR_POOL_H
#define SAV_ATTR_POOL_H

#include "controller/rib/attr_slab.h"
#include "controller/rib/rib.h"

struct attr_ref;

/* Open addressing by the low bits of the hash; the first eight are the part. */
struct attr_part {
	struct attr_ref *ref;
	uint32_t cap; /* 0, or a power of two */
	uint32_t n;
};

#define ATTR_PARTS 256

struct attr_pool {
	struct attr_slab nodes;
	struct attr_part part[ATTR_PARTS];
	uint32_t n;
	uint32_t last; /* the set seen last: most updates carry several routes */
	uint64_t seed;
	size_t bytes; /* of the index, and of long paths */
};

void attr_pool_init(struct attr_pool *pool, uint64_t seed);
void attr_pool_fini(struct attr_pool *pool);

/* The number of this set, with one more reference; copied in when it is new. */
uint32_t attr_pool_get(struct attr_pool *pool, const struct rib_attr *attr);
/* Asks for the memory that attr_pool_get() will want, in two steps because the
 * second address comes out of the first: returns what the second step needs. */
uint32_t attr_pool_prefetch(const struct attr_pool *pool, const struct rib_attr *attr);
void attr_pool_prefetch_node(const struct attr_pool *pool, uint32_t hash);
void attr_pool_put(struct attr_pool *pool, uint32_t number);
size_t attr_pool_bytes(const struct attr_pool *pool); /* all that it holds */
const struct rib_attr *attr_pool_at(const struct attr_pool *pool, uint32_t number);
bool attr_equal(const struct rib_attr *a, const struct rib_attr *b);

#endif /* SAV_ATTR_POOL_H */
