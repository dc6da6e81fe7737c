/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/rib/path_table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define CAP_MIN 16
/* What path_slot.generation can hold. */
#define GENERATION_MAX 0xffffffu
/* Looking at a slot costs so much less than removing one. */
#define LOOKS_PER_UNIT 16

void path_table_init(struct path_table *t, enum ip_family family, uint64_t seed)
{
	*t = (struct path_table){ .family = family, .seed = seed };
}

void path_table_fini(struct path_table *t)
{
	free(t->mem);
	path_table_init(t, t->family, t->seed);
}

static inline size_t words(const struct path_table *t)
{
	return t->family == IP_V4 ? 1 : 4;
}

static inline size_t stride(const struct path_table *t)
{
	return sizeof(struct path_slot) / sizeof(uint32_t) + words(t);
}

size_t path_table_bytes(const struct path_table *t)
{
	return t->cap * stride(t) * sizeof(uint32_t);
}

static inline struct path_slot *at(const struct path_table *t, uint32_t i)
{
	return (struct path_slot *)(t->mem + i * stride(t));
}

struct path_slot *path_table_at(const struct path_table *t, uint32_t i)
{
	return at(t, i);
}

struct path_key path_key_make(const struct ip_prefix *p, uint32_t path_id)
{
	struct path_key key = { .path_id = path_id, .len = p->len };

	if (p->family == IP_V4) {
		key.addr[0] = (uint32_t)p->v;
	} else {
		for (int i = 0; i < 4; i++)
			key.addr[i] = (uint32_t)(p->v >> (96 - 32 * i));
	}
	return key;
}

struct ip_prefix path_slot_prefix(const struct path_table *t, const struct path_slot *s)
{
	struct ip_prefix p = { .family = (uint8_t)t->family, .len = s->len };

	for (size_t i = 0; i < words(t); i++)
		p.v = p.v << 32 | s->addr[i];
	return p;
}

/* The two halves of a 128-bit product folded together: one multiplication
 * that mixes all bits, and without the seed its collisions are unknown. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	u128 m = (u128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Home slot. The path id stays out of it on purpose, see the header. The hash
 * is scaled, not masked: growing keeps the order of slots, so a rehash reads
 * and writes sequentially, and the capacity need not be a power of two. */
static inline uint32_t home(const struct path_table *t, const uint32_t *addr, uint8_t len)
{
	uint64_t h = mix(((uint64_t)addr[0] << 8 | len) ^ t->seed, 0x9e3779b97f4a7c15u);

	if (t->family == IP_V6) {
		h = mix(h ^ addr[1], 0xa0761d6478bd642fu ^ t->seed);
		h = mix(h ^ ((uint64_t)addr[2] << 32 | addr[3]), 0xe7037ed1a0b428dbu);
	}
	h = mix(h ^ t->seed, 0x8ebc6af09c88c6e3u);
	return (uint32_t)((h >> 32) * t->cap >> 32);
}

static inline bool same_prefix(const struct path_table *t, const struct path_slot *s,
			       const struct path_key *key)
{
	if (s->addr[0] != key->addr[0] || s->len != key->len)
		return false;
	return t->family == IP_V4 || memcmp(s->addr, key->addr, 16) == 0;
}

static inline uint32_t next(const struct path_table *t, uint32_t i)
{
	return i + 1 == t->cap ? 0 : i + 1;
}

struct path_slot *path_table_find(const struct path_table *t, const struct path_key *key)
{
	if (t->n == 0)
		return NULL;
	for (uint32_t i = home(t, key->addr, key->len);; i = next(t, i)) {
		struct path_slot *s = at(t, i);

		if (s->attr == 0)
			return NULL;
		if (s->path_id == key->path_id && same_prefix(t, s, key))
			return s;
	}
}

struct path_slot *path_table_find_any(const struct path_table *t,
				      const struct path_key *key)
{
	if (t->n == 0)
		return NULL;
	for (uint32_t i = home(t, key->addr, key->len);; i = next(t, i)) {
		struct path_slot *s = at(t, i);

		if (s->attr == 0)
			return NULL;
		if (same_prefix(t, s, key))
			return s;
	}
}

void path_table_prefetch(const struct path_table *t, const struct path_key *key)
{
	if (t->cap != 0)
		__builtin_prefetch(at(t, home(t, key->addr, key->len)), 1);
}

static void resize(struct path_table *t, uint32_t cap)
{
	struct path_table old = *t;
	size_t bytes = stride(t) * sizeof(uint32_t);

	t->cap = cap;
	t->sweep_at = old.cap ? (uint32_t)((uint64_t)t->sweep_at * cap / old.cap) : 0;
	t->mem = mem_calloc(cap, bytes);
	for (uint32_t i = 0; i < old.cap; i++) {
		const struct path_slot *s = at(&old, i);
		uint32_t to;

		if (s->attr == 0)
			continue;
		to = home(t, s->addr, s->len);
		while (at(t, to)->attr != 0)
			to = next(t, to);
		memcpy(at(t, to), s, bytes);
	}
	free(old.mem);
}

/* 16, 24, 32, 48, 64, ...: half a doubling at a time wastes less. */
static uint32_t cap_above(uint32_t cap)
{
	if (cap < CAP_MIN)
		return CAP_MIN;
	return (cap & (cap - 1)) == 0 ? cap / 2 * 3 : cap / 3 * 4;
}

struct path_slot *path_table_insert(struct path_table *t, const struct path_key *key)
{
	unsigned int siblings = 0;
	struct path_slot *s;

	/* Full at 7/8. Growing before the search may grow for a key that is
	 * there already, which costs nothing but the time of it. */
	if (t->n >= t->cap - t->cap / 8)
		resize(t, cap_above(t->cap));
	for (uint32_t i = home(t, key->addr, key->len);; i = next(t, i)) {
		s = at(t, i);
		if (s->attr == 0)
			break;
		if (!same_prefix(t, s, key))
			continue;
		if (s->path_id == key->path_id)
			return s;
		if (++siblings == PATH_TABLE_SIBLINGS_MAX)
			return NULL;
	}
	s->path_id = key->path_id;
	s->len = key->len;
	s->generation = t->generation;
	memcpy(s->addr, key->addr, words(t) * sizeof(uint32_t));
	t->n++;
	t->n_fresh++;
	return s;
}

static inline uint32_t distance(const struct path_table *t, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + t->cap - from;
}

void path_table_erase(struct path_table *t, struct path_slot *slot)
{
	size_t bytes = stride(t) * sizeof(uint32_t);
	uint32_t hole = (uint32_t)((size_t)((uint32_t *)slot - t->mem) / stride(t));

	t->n--;
	t->n_fresh -= slot->generation == t->generation;
	t->n_dead -= slot->generation < t->dead_before;
	for (uint32_t i = next(t, hole); at(t, i)->attr != 0; i = next(t, i)) {
		struct path_slot *s = at(t, i);

		/* A slot may move up to the hole unless that is before its home. */
		if (distance(t, home(t, s->addr, s->len), i) < distance(t, hole, i))
			continue;
		memcpy(at(t, hole), s, bytes);
		hole = i;
	}
	memset(at(t, hole), 0, bytes);
}

void path_table_fit(struct path_table *t)
{
	uint32_t cap = CAP_MIN;

	if (t->cap <= CAP_MIN || t->n >= t->cap / 8)
		return;
	if (t->n == 0) {
		path_table_fini(t);
		return;
	}
	while (t->n > cap / 2)
		cap = cap_above(cap);
	resize(t, cap);
}

/* ---- generations */

bool path_table_is_dead(const struct path_table *t, const struct path_slot *slot)
{
	return slot->generation < t->dead_before;
}

void path_table_refresh(struct path_table *t, struct path_slot *slot)
{
	t->n_dead -= slot->generation < t->dead_before;
	t->n_fresh += slot->generation != t->generation;
	slot->generation = t->generation;
}

/* Once in 16 million marks: dead, stale and fresh are 0, 1 and 2 again. */
static void renumber(struct path_table *t)
{
	for (uint32_t i = 0; i < t->cap; i++) {
		struct path_slot *s = at(t, i);

		s->generation = s->generation < t->dead_before	 ? 0
				: s->generation != t->generation ? 1
								 : 2;
	}
	t->dead_before = 1;
	t->generation = 2;
}

void path_table_mark_stale(struct path_table *t)
{
	if (t->n_fresh == 0)
		return;
	if (t->generation == GENERATION_MAX)
		renumber(t);
	t->generation++;
	t->n_fresh = 0;
}

void path_table_kill_stale(struct path_table *t)
{
	t->dead_before = t->generation;
	t->n_dead = t->n - t->n_fresh;
}

/* From the end to the front: what erasing moves up comes from where the sweep
 * has been, so it does not move anything that it has yet to see, but from the
 * front to the back. That meets it on its next lap. */
bool path_table_sweep(struct path_table *t, size_t *budget, path_table_dead_fn *fn,
		      void *arg)
{
	uint32_t looks = 0;

	while (t->n_dead != 0 && *budget != 0) {
		struct path_slot *slot;

		if (t->sweep_at == 0 || t->sweep_at > t->cap)
			t->sweep_at = t->cap;
		slot = at(t, --t->sweep_at);
		if (slot->attr != 0 && slot->generation < t->dead_before) {
			fn(t, slot, arg);
			--*budget;
		} else if (++looks % LOOKS_PER_UNIT == 0) {
			--*budget;
		}
	}
	return t->n_dead != 0;
}
