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

#define CHUNK	 4096
#define PART_MIN 16

void attr_pool_init(struct attr_pool *pool, uint64_t seed)
{
	*pool = (struct attr_pool){ .seed = seed };
}

void attr_pool_fini(struct attr_pool *pool)
{
	for (int i = 0; i < ATTR_PARTS; i++) {
		const struct attr_part *p = &pool->part[i];

		for (uint32_t k = 0; k < p->cap; k++)
			free(p->ref[k].node);
		free(p->ref);
	}
	for (uint32_t i = 0; i < pool->n_chunks; i++)
		free(pool->chunk[i]);
	free(pool->chunk);
	attr_pool_init(pool, pool->seed);
}

static inline union attr_entry *entry_at(const struct attr_pool *pool, uint32_t number)
{
	return &pool->chunk[number / CHUNK][number % CHUNK];
}

const struct rib_attr *attr_pool_at(const struct attr_pool *pool, uint32_t number)
{
	return &entry_at(pool, number)->node->attr;
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

		if (old[i].node == NULL)
			continue;
		while (p->ref[to].node != NULL)
			to = (to + 1) & (cap - 1);
		p->ref[to] = old[i];
	}
	free(old);
}

static void chunk_add(struct attr_pool *pool)
{
	pool->chunk = mem_realloc(pool->chunk, (size_t)pool->n_chunks + 1,
				  sizeof(union attr_entry *));
	pool->chunk[pool->n_chunks++] = mem_calloc(CHUNK, sizeof(union attr_entry));
	pool->bytes += CHUNK * sizeof(union attr_entry) + sizeof(union attr_entry *);
}

static uint32_t number_new(struct attr_pool *pool)
{
	uint32_t number = pool->free_head;

	if (number != 0) {
		pool->free_head = entry_at(pool, number)->next_free;
		return number;
	}
	if (pool->n_entries == 0)
		pool->n_entries = 1;
	if (pool->n_entries >= pool->n_chunks * CHUNK)
		chunk_add(pool);
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
	struct attr_part *p;
	uint32_t hash, i;

	if (pool->last != 0) {
		node = entry_at(pool, pool->last)->node;
		if (attr_equal(&node->attr, attr)) {
			node->refs++;
			return pool->last;
		}
	}
	hash = attr_hash(pool, attr);
	p = part_of(pool, hash);
	if (p->n >= p->cap - p->cap / 8)
		part_resize(pool, p, p->cap ? p->cap * 2 : PART_MIN);
	for (i = hash & (p->cap - 1); p->ref[i].node != NULL; i = (i + 1) & (p->cap - 1)) {
		node = p->ref[i].node;
		if (p->ref[i].hash == hash && attr_equal(&node->attr, attr)) {
			node->refs++;
			pool->last = node->number;
			return node->number;
		}
	}
	node = node_new(attr);
	node->number = number_new(pool);
	entry_at(pool, node->number)->node = node;
	p->ref[i] = (struct attr_ref){ node, hash };
	p->n++;
	pool->n++;
	pool->bytes += node_bytes(node);
	pool->last = node->number;
	return node->number;
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
	for (uint32_t i = hash & (p->cap - 1); p->ref[i].node != NULL;
	     i = (i + 1) & (p->cap - 1)) {
		const struct attr_node *node = p->ref[i].node;

		if (p->ref[i].hash != hash)
			continue;
		__builtin_prefetch(node);
		__builtin_prefetch(&node->refs, 1);
		return;
	}
}

static void part_erase(struct attr_pool *pool, const struct attr_node *node)
{
	uint32_t hash = attr_hash(pool, &node->attr);
	struct attr_part *p = part_of(pool, hash);
	uint32_t mask = p->cap - 1, hole = hash & mask;

	while (p->ref[hole].node != node)
		hole = (hole + 1) & mask;
	for (uint32_t i = (hole + 1) & mask; p->ref[i].node != NULL; i = (i + 1) & mask) {
		uint32_t home = p->ref[i].hash & mask;

		/* may move up to the hole unless that is before its home */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		p->ref[hole] = p->ref[i];
		hole = i;
	}
	p->ref[hole] = (struct attr_ref){ NULL, 0 };
	p->n--;
	if (p->n == 0)
		part_resize(pool, p, 0);
	else if (p->cap > PART_MIN && p->n < p->cap / 8)
		part_resize(pool, p, p->cap / 4);
}

void attr_pool_put(struct attr_pool *pool, uint32_t number)
{
	struct attr_node *node = entry_at(pool, number)->node;

	if (--node->refs != 0)
		return;
	part_erase(pool, node);
	pool->bytes -= node_bytes(node);
	free(node);
	entry_at(pool, number)->next_free = pool->free_head;
	pool->free_head = number;
	if (pool->last == number)
		pool->last = 0;
	pool->n--;
	if (pool->n == 0) /* numbers in use pin the chunks; now none is */
		attr_pool_fini(pool);
}
