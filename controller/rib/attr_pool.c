/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/rib/attr_pool.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct attr_node {
	struct rib_attr attr;
	uint32_t refs;
	uint32_t number;
	uint8_t path[];
};

union attr_entry {
	struct attr_node *node;
	uint32_t next_free;
};

struct attr_ref {
	struct attr_node *node; /* NULL: free */
	uint32_t hash;
};

#define INDEX_MIN 64

void attr_pool_init(struct attr_pool *pool, uint64_t seed)
{
	*pool = (struct attr_pool){ .seed = seed };
}

void attr_pool_fini(struct attr_pool *pool)
{
	for (uint32_t i = 0; i < pool->cap_index; i++)
		free(pool->index[i].node);
	free(pool->index);
	free(pool->entry);
	attr_pool_init(pool, pool->seed);
}

const struct rib_attr *attr_pool_at(const struct attr_pool *pool, uint32_t number)
{
	return &pool->entry[number].node->attr;
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
	       a->origin_kind == b->origin_kind && a->origin_as == b->origin_as &&
	       a->neighbor_as == b->neighbor_as && a->as_path_hops == b->as_path_hops &&
	       (a->as_path_len == 0 ||
		memcmp(a->as_path, b->as_path, a->as_path_len) == 0);
}

static void index_resize(struct attr_pool *pool, uint32_t cap)
{
	struct attr_ref *old = pool->index;
	uint32_t old_cap = pool->cap_index;

	pool->index = mem_calloc(cap, sizeof(*pool->index));
	pool->cap_index = cap;
	pool->bytes += (size_t)cap * sizeof(*old) - (size_t)old_cap * sizeof(*old);
	for (uint32_t i = 0; i < old_cap; i++) {
		uint32_t to = old[i].hash & (cap - 1);

		if (old[i].node == NULL)
			continue;
		while (pool->index[to].node != NULL)
			to = (to + 1) & (cap - 1);
		pool->index[to] = old[i];
	}
	free(old);
}

static uint32_t number_new(struct attr_pool *pool)
{
	uint32_t number = pool->free_head;

	if (number != 0) {
		pool->free_head = pool->entry[number].next_free;
		return number;
	}
	if (pool->n_entries == pool->cap_entries) {
		uint32_t cap = pool->cap_entries ? pool->cap_entries / 2 * 3 : INDEX_MIN;

		pool->entry = mem_realloc(pool->entry, cap, sizeof(*pool->entry));
		pool->bytes += (size_t)(cap - pool->cap_entries) * sizeof(*pool->entry);
		pool->cap_entries = cap;
	}
	if (pool->n_entries == 0)
		pool->entry[pool->n_entries++].node = NULL;
	return pool->n_entries++;
}

/* What malloc keeps for a block: the usable part and its header. */
static size_t node_bytes(struct attr_node *node)
{
	return malloc_usable_size(node) + sizeof(size_t);
}

static struct attr_node *node_new(const struct rib_attr *attr)
{
	struct attr_node *node = mem_alloc(sizeof(*node) + attr->as_path_len);

	node->attr = *attr;
	node->attr.as_path = node->path;
	if (attr->as_path_len != 0)
		memcpy(node->path, attr->as_path, attr->as_path_len);
	node->refs = 1;
	return node;
}

uint32_t attr_pool_get(struct attr_pool *pool, const struct rib_attr *attr)
{
	struct attr_node *node;
	uint32_t hash, i;

	if (pool->last != 0) {
		node = pool->entry[pool->last].node;
		if (attr_equal(&node->attr, attr)) {
			node->refs++;
			return pool->last;
		}
	}
	if (pool->n >= pool->cap_index - pool->cap_index / 8)
		index_resize(pool, pool->cap_index ? pool->cap_index * 2 : INDEX_MIN);
	hash = attr_hash(pool, attr);
	for (i = hash & (pool->cap_index - 1); pool->index[i].node != NULL;
	     i = (i + 1) & (pool->cap_index - 1)) {
		node = pool->index[i].node;
		if (pool->index[i].hash == hash && attr_equal(&node->attr, attr)) {
			node->refs++;
			pool->last = node->number;
			return node->number;
		}
	}
	node = node_new(attr);
	node->number = number_new(pool);
	pool->entry[node->number].node = node;
	pool->index[i] = (struct attr_ref){ node, hash };
	pool->n++;
	pool->bytes += node_bytes(node);
	pool->last = node->number;
	return node->number;
}

uint32_t attr_pool_prefetch(const struct attr_pool *pool, const struct rib_attr *attr)
{
	uint32_t hash = attr_hash(pool, attr);

	if (pool->cap_index != 0)
		__builtin_prefetch(&pool->index[hash & (pool->cap_index - 1)]);
	return hash;
}

void attr_pool_prefetch_node(const struct attr_pool *pool, uint32_t hash)
{
	if (pool->cap_index == 0)
		return;
	for (uint32_t i = hash & (pool->cap_index - 1); pool->index[i].node != NULL;
	     i = (i + 1) & (pool->cap_index - 1)) {
		const struct attr_node *node = pool->index[i].node;

		if (pool->index[i].hash != hash)
			continue;
		__builtin_prefetch(node);
		__builtin_prefetch(&node->refs, 1);
		return;
	}
}

static void index_erase(struct attr_pool *pool, const struct attr_node *node)
{
	uint32_t mask = pool->cap_index - 1, hole = attr_hash(pool, &node->attr) & mask;

	while (pool->index[hole].node != node)
		hole = (hole + 1) & mask;
	for (uint32_t i = (hole + 1) & mask; pool->index[i].node != NULL;
	     i = (i + 1) & mask) {
		uint32_t home = pool->index[i].hash & mask;

		/* may move up to the hole unless that is before its home */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		pool->index[hole] = pool->index[i];
		hole = i;
	}
	pool->index[hole] = (struct attr_ref){ NULL, 0 };
}

void attr_pool_put(struct attr_pool *pool, uint32_t number)
{
	struct attr_node *node = pool->entry[number].node;

	if (--node->refs != 0)
		return;
	index_erase(pool, node);
	pool->bytes -= node_bytes(node);
	free(node);
	pool->entry[number].next_free = pool->free_head;
	pool->free_head = number;
	if (pool->last == number)
		pool->last = 0;
	pool->n--;
	if (pool->n == 0) {
		/* Numbers in use pin the table of entries; now none is. */
		attr_pool_fini(pool);
	} else if (pool->cap_index > INDEX_MIN && pool->n < pool->cap_index / 8) {
		index_resize(pool, pool->cap_index / 4);
	}
}
