/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/rib/attr_pool.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct attr_node {
	struct rib_attr attr;
	uint32_t refs;
	uint8_t path[]; /* where it is not too long */
};

struct attr_ref {
	uint32_t number; /* 0: free */
	uint32_t hash;
};

#define PART_MIN 16
/* A longer path is kept apart; 42 hops fit. */
#define PATH_MAX_HERE (ATTR_SLAB_MAX - offsetof(struct attr_node, path))

void attr_pool_init(struct attr_pool *pool, uint64_t seed)
{
	*pool = (struct attr_pool){ .seed = seed };
}

static inline struct attr_node *node_at(const struct attr_pool *pool, uint32_t number)
{
	return attr_slab_at(&pool->nodes, number);
}

const struct rib_attr *attr_pool_at(const struct attr_pool *pool, uint32_t number)
{
	return &node_at(pool, number)->attr;
}

size_t attr_pool_bytes(const struct attr_pool *pool)
{
	return pool->bytes + pool->nodes.bytes;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	u128 m = (u128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* What follows from as_path (origin, neighbour, hops) need not be hashed. */
static uint32_t attr_hash(const struct attr_pool *pool, const struct rib_attr *a)
{
	uint64_t h = mix(((uint64_t)a->local_pref << 32 | a->med) ^ pool->seed,
			 0x9e3779b97f4a7c15u);
	const uint8_t *p = a->as_path;
	size_t left = a->as_path_len;

	h = mix(h ^ (uint64_t)a->next_hop.v, 0xa0761d6478bd642fu ^ pool->seed);
	h = mix(h ^ (uint64_t)(a->next_hop.v >> 64) ^ (uint64_t)a->origin_code << 8,
		0xe7037ed1a0b428dbu);
	for (; left >= 8; p += 8, left -= 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		h = mix(h ^ w, 0x8ebc6af09c88c6e3u ^ pool->seed);
	}
	if (left != 0) {
		uint64_t w = 0;

		memcpy(&w, p, left);
		h = mix(h ^ w ^ (uint64_t)left << 56, 0x589965cc75374cc3u ^ pool->seed);
	}
	return (uint32_t)(h >> 32);
}

bool attr_equal(const struct rib_attr *a, const struct rib_attr *b)
{
	return a->as_path_len == b->as_path_len && a->next_hop.v == b->next_hop.v &&
	       a->next_hop.family == b->next_hop.family &&
	       a->local_pref == b->local_pref && a->med == b->med &&
	       a->origin_code == b->origin_code &&
	       a->has_local_pref == b->has_local_pref && a->has_med == b->has_med &&
	       a->no_advertise == b->no_advertise &&
	       a->origin_kind == b->origin_kind && a->origin_as == b->origin_as &&
	       a->neighbor_as == b->neighbor_as && a->as_path_hops == b->as_path_hops &&
	       (a->as_path_len == 0 ||
		memcmp(a->as_path, b->as_path, a->as_path_len) == 0);
}

static inline struct attr_part *part_of(struct attr_pool *pool, uint32_t hash)
{
	return &pool->part[hash >> 24];
}

static void part_resize(struct attr_pool *pool, struct attr_part *p, uint32_t cap)
{
	struct attr_ref *old = p->ref;
	uint32_t old_cap = p->cap;

	p->ref = cap ? mem_calloc(cap, sizeof(*p->ref)) : NULL;
	p->cap = cap;
	pool->bytes += (size_t)cap * sizeof(*old);
	pool->bytes -= (size_t)old_cap * sizeof(*old);
	for (uint32_t i = 0; i < old_cap; i++) {
		uint32_t to = old[i].hash & (cap - 1);

		if (old[i].number == 0)
			continue;
		while (p->ref[to].number != 0)
			to = (to + 1) & (cap - 1);
		p->ref[to] = old[i];
	}
	free(old);
}

/* What malloc keeps for a block: the usable part and its header. */
static size_t block_bytes(void *block)
{
	return malloc_usable_size(block) + sizeof(size_t);
}

static uint32_t node_new(struct attr_pool *pool, const struct rib_attr *attr)
{
	size_t here = attr->as_path_len <= PATH_MAX_HERE ? attr->as_path_len : 0;
	uint32_t number = attr_slab_get(&pool->nodes, offsetof(struct attr_node, path) + here);
	struct attr_node *node = node_at(pool, number);
	uint8_t *path = node->path;

	if (here != attr->as_path_len) {
		path = mem_alloc(attr->as_path_len);
		pool->bytes += block_bytes(path);
	}
	if (attr->as_path_len != 0)
		memcpy(path, attr->as_path, attr->as_path_len);
	node->attr = *attr;
	node->attr.as_path = path;
	node->refs = 1;
	return number;
}

static void node_free(struct attr_pool *pool, uint32_t number)
{
	struct attr_node *node = node_at(pool, number);

	if (node->attr.as_path != node->path) {
		uint8_t *path = (uint8_t *)(uintptr_t)node->attr.as_path;

		pool->bytes -= block_bytes(path);
		free(path);
	}
	attr_slab_put(&pool->nodes, number);
}

void attr_pool_fini(struct attr_pool *pool)
{
	for (int i = 0; i < ATTR_PARTS; i++) {
		const struct attr_part *p = &pool->part[i];

		for (uint32_t k = 0; k < p->cap; k++) {
			if (p->ref[k].number != 0)
				node_free(pool, p->ref[k].number);
		}
		free(p->ref);
	}
	attr_slab_fini(&pool->nodes);
	attr_pool_init(pool, pool->seed);
}

uint32_t attr_pool_get(struct attr_pool *pool, const struct rib_attr *attr)
{
	struct attr_node *node;
	struct attr_part *p;
	uint32_t hash, i;

	if (pool->last != 0) {
		node = node_at(pool, pool->last);
		if (attr_equal(&node->attr, attr)) {
			node->refs++;
			return pool->last;
		}
	}
	hash = attr_hash(pool, attr);
	p = part_of(pool, hash);
	if (p->n >= p->cap - p->cap / 8)
		part_resize(pool, p, p->cap ? p->cap * 2 : PART_MIN);
	for (i = hash & (p->cap - 1); p->ref[i].number != 0; i = (i + 1) & (p->cap - 1)) {
		if (p->ref[i].hash != hash)
			continue;
		node = node_at(pool, p->ref[i].number);
		if (attr_equal(&node->attr, attr)) {
			node->refs++;
			pool->last = p->ref[i].number;
			return pool->last;
		}
	}
	pool->last = node_new(pool, attr);
	p->ref[i] = (struct attr_ref){ pool->last, hash };
	p->n++;
	pool->n++;
	return pool->last;
}

uint32_t attr_pool_prefetch(const struct attr_pool *pool, const struct rib_attr *attr)
{
	uint32_t hash = attr_hash(pool, attr);
	const struct attr_part *p = &pool->part[hash >> 24];

	if (p->cap != 0)
		__builtin_prefetch(&p->ref[hash & (p->cap - 1)]);
	return hash;
}

void attr_pool_prefetch_node(const struct attr_pool *pool, uint32_t hash)
{
	const struct attr_part *p = &pool->part[hash >> 24];

	if (p->cap == 0)
		return;
	for (uint32_t i = hash & (p->cap - 1); p->ref[i].number != 0;
	     i = (i + 1) & (p->cap - 1)) {
		const struct attr_node *node;

		if (p->ref[i].hash != hash)
			continue;
		/* all lines, up to the end of a path of six */
		node = node_at(pool, p->ref[i].number);
		__builtin_prefetch(node, 1);
		__builtin_prefetch((const char *)node + 64, 1);
		__builtin_prefetch(&node->path[2 + 4 * 6 - 1]);
		return;
	}
}

static void part_erase(struct attr_pool *pool, uint32_t number)
{
	uint32_t hash = attr_hash(pool, attr_pool_at(pool, number));
	struct attr_part *p = part_of(pool, hash);
	uint32_t mask = p->cap - 1, hole = hash & mask;

	while (p->ref[hole].number != number)
		hole = (hole + 1) & mask;
	for (uint32_t i = (hole + 1) & mask; p->ref[i].number != 0; i = (i + 1) & mask) {
		uint32_t home = p->ref[i].hash & mask;

		/* may move up to the hole unless that is before its home */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		p->ref[hole] = p->ref[i];
		hole = i;
	}
	p->ref[hole] = (struct attr_ref){ 0 };
	p->n--;
	if (p->n == 0)
		part_resize(pool, p, 0);
	else if (p->cap > PART_MIN && p->n < p->cap / 8)
		part_resize(pool, p, p->cap / 4);
}

void attr_pool_put(struct attr_pool *pool, uint32_t number)
{
	if (--node_at(pool, number)->refs != 0)
		return;
	part_erase(pool, number);
	node_free(pool, number);
	if (pool->last == number)
		pool->last = 0;
	pool->n--;
	if (pool->n == 0) /* the last chunk of each size */
		attr_pool_fini(pool);
}
