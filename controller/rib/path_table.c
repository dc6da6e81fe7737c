/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/rib/path_table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define CAP_MIN 16
/* A table of more slots than that is in parts. */
#define SMALL_MAX 16384
/* What path_slot.generation can hold. */
#define GENERATION_MAX 0xffffffu
/* Looking at a slot costs so much less than removing one. */
#define LOOKS_PER_UNIT 16

void path_table_init(struct path_table *t, enum ip_family family, uint64_t seed)
{
	*t = (struct path_table){ .family = family, .seed = seed };
}

static inline unsigned int n_parts(const struct path_table *t)
{
	return t->parts ? PATH_TABLE_PARTS : 1;
}

static inline struct path_part *part_at(struct path_table *t, unsigned int i)
{
	return t->parts ? &t->parts[i] : &t->one;
}

void path_table_fini(struct path_table *t)
{
	for (unsigned int i = 0; i < n_parts(t); i++)
		free(part_at(t, i)->mem);
	free(t->parts);
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

static inline struct path_slot *at(const struct path_table *t, const struct path_part *p,
				   uint32_t i)
{
	return (struct path_slot *)(p->mem + i * stride(t));
}

struct path_slot *path_table_at(const struct path_table *t, unsigned int part, uint32_t i)
{
	const struct path_part *p = t->parts ? &t->parts[part] : &t->one;

	return part < n_parts(t) && i < p->cap ? at(t, p, i) : NULL;
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

/* The path id stays out of it on purpose, see the header. */
static inline uint64_t hash_of(const struct path_table *t, const uint32_t *addr, uint8_t len)
{
	uint64_t h = mix(((uint64_t)addr[0] << 8 | len) ^ t->seed, 0x9e3779b97f4a7c15u);

	if (t->family == IP_V6) {
		h = mix(h ^ addr[1], 0xa0761d6478bd642fu ^ t->seed);
		h = mix(h ^ ((uint64_t)addr[2] << 32 | addr[3]), 0xe7037ed1a0b428dbu);
	}
	return mix(h ^ t->seed, 0x8ebc6af09c88c6e3u);
}

/* The first eight bits of the hash are the part, the next 32 the home slot. They
 * are scaled, not masked: growing keeps the order of slots, so a rehash reads
 * and writes sequentially, and the capacity need not be a power of two. */
static inline unsigned int part_number(const struct path_table *t, uint64_t h)
{
	return t->parts ? (unsigned int)(h >> 56) : 0;
}

static inline const struct path_part *part_of(const struct path_table *t, uint64_t h)
{
	return t->parts ? &t->parts[h >> 56] : &t->one;
}

static inline uint32_t home(const struct path_part *p, uint64_t h)
{
	return (uint32_t)((h >> 24 & UINT32_MAX) * p->cap >> 32);
}

static inline bool same_prefix(const struct path_table *t, const struct path_slot *s,
			       const uint32_t *addr, uint8_t len)
{
	if (s->addr[0] != addr[0] || s->len != len)
		return false;
	return t->family == IP_V4 || memcmp(s->addr, addr, 16) == 0;
}

static inline uint32_t next(const struct path_part *p, uint32_t i)
{
	return i + 1 == p->cap ? 0 : i + 1;
}

struct path_slot *path_table_find(const struct path_table *t, const struct path_key *key)
{
	uint64_t h = hash_of(t, key->addr, key->len);
	const struct path_part *p = part_of(t, h);

	if (p->n == 0)
		return NULL;
	for (uint32_t i = home(p, h);; i = next(p, i)) {
		struct path_slot *s = at(t, p, i);

		if (s->attr == 0)
			return NULL;
		if (s->path_id == key->path_id && same_prefix(t, s, key->addr, key->len))
			return s;
	}
}

struct path_slot *path_table_find_any(const struct path_table *t,
				      const struct path_key *key)
{
	const struct path_part *p;
	uint64_t h;

	if (t->n == 0)
		return NULL;
	h = hash_of(t, key->addr, key->len);
	p = part_of(t, h);
	if (p->n == 0)
		return NULL;
	for (uint32_t i = home(p, h);; i = next(p, i)) {
		struct path_slot *s = at(t, p, i);

		if (s->attr == 0)
			return NULL;
		if (same_prefix(t, s, key->addr, key->len))
			return s;
	}
}

struct path_slot *path_table_find_more(const struct path_table *t,
				       const struct path_slot *slot)
{
	uint64_t h = hash_of(t, slot->addr, (uint8_t)slot->len);
	const struct path_part *p = part_of(t, h);
	uint32_t i = (uint32_t)((size_t)((const uint32_t *)slot - p->mem) / stride(t));

	for (i = next(p, i);; i = next(p, i)) {
		struct path_slot *s = at(t, p, i);

		if (s->attr == 0)
			return NULL;
		if (same_prefix(t, s, slot->addr, (uint8_t)slot->len))
			return s;
	}
}

bool path_table_is_only(const struct path_table *t, const struct path_slot *slot)
{
	const struct path_part *p;
	uint64_t h;

	if (t->n_more == 0)
		return true;
	h = hash_of(t, slot->addr, (uint8_t)slot->len);
	p = part_of(t, h);
	for (uint32_t i = home(p, h);; i = next(p, i)) {
		const struct path_slot *s = at(t, p, i);

		if (s->attr == 0)
			return true;
		if (s != slot && same_prefix(t, s, slot->addr, (uint8_t)slot->len))
			return false;
	}
}

void path_table_prefetch(const struct path_table *t, const struct path_key *key)
{
	const struct path_part *p;
	uint64_t h;

	if (t->n == 0)
		return;
	h = hash_of(t, key->addr, key->len);
	p = part_of(t, h);
	if (p->cap != 0) {
		const char *slot = (const char *)at(t, p, home(p, h));

		__builtin_prefetch(slot, 1);
		__builtin_prefetch(slot + 64, 1); /* a search is five slots and more */
	}
}

static void part_put(const struct path_table *t, struct path_part *p,
		     const struct path_slot *s, uint64_t h)
{
	uint32_t to = home(p, h);

	while (at(t, p, to)->attr != 0)
		to = next(p, to);
	memcpy(at(t, p, to), s, stride(t) * sizeof(uint32_t));
}

static void resize(struct path_table *t, struct path_part *p, uint32_t cap)
{
	struct path_part old = *p;
	size_t bytes = stride(t) * sizeof(uint32_t);

	if (t->sweep_at != 0 && part_at(t, t->sweep_part) == p)
		t->sweep_at = (uint32_t)((uint64_t)t->sweep_at * cap / old.cap);
	p->cap = cap;
	p->mem = cap ? mem_calloc(cap, bytes) : NULL;
	t->bytes += (size_t)cap * bytes;
	t->bytes -= (size_t)old.cap * bytes;
	for (uint32_t i = 0; i < old.cap; i++) {
		const struct path_slot *s = at(t, &old, i);

		if (s->attr != 0)
			part_put(t, p, s, hash_of(t, s->addr, (uint8_t)s->len));
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

/* Full at 7/8. */
static bool is_full(const struct path_part *p)
{
	return p->n >= p->cap - p->cap / 8;
}

static void split(struct path_table *t)
{
	struct path_part old = t->one;

	t->one = (struct path_part){ 0 };
	t->parts = mem_calloc(PATH_TABLE_PARTS, sizeof(*t->parts));
	t->bytes = PATH_TABLE_PARTS * sizeof(*t->parts);
	t->sweep_part = t->sweep_at = t->erased_part = 0;
	for (uint32_t i = 0; i < old.cap; i++) {
		const struct path_slot *s = at(t, &old, i);
		struct path_part *p;
		uint64_t h;

		if (s->attr == 0)
			continue;
		h = hash_of(t, s->addr, (uint8_t)s->len);
		p = &t->parts[part_number(t, h)];
		if (is_full(p))
			resize(t, p, cap_above(p->cap));
		part_put(t, p, s, h);
		p->n++;
	}
	free(old.mem);
}

/* Before the search: it may grow for a key that is there already, which costs
 * nothing but the time of it. */
static struct path_part *make_room(struct path_table *t, uint64_t h)
{
	struct path_part *p = part_at(t, part_number(t, h));

	if (is_full(p) && p == &t->one && p->cap >= SMALL_MAX) {
		split(t);
		p = &t->parts[part_number(t, h)];
	}
	if (is_full(p))
		resize(t, p, cap_above(p->cap));
	return p;
}

struct path_slot *path_table_insert(struct path_table *t, const struct path_key *key)
{
	uint64_t h = hash_of(t, key->addr, key->len);
	struct path_part *p = make_room(t, h);
	unsigned int siblings = 0;
	struct path_slot *s;

	for (uint32_t i = home(p, h);; i = next(p, i)) {
		s = at(t, p, i);
		if (s->attr == 0)
			break;
		if (!same_prefix(t, s, key->addr, key->len))
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
	p->n++;
	t->n++;
	t->n_fresh++;
	t->n_more += siblings != 0;
	return s;
}

static inline uint32_t distance(const struct path_part *p, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + p->cap - from;
}

void path_table_erase(struct path_table *t, struct path_slot *slot)
{
	size_t bytes = stride(t) * sizeof(uint32_t);
	uint64_t h = hash_of(t, slot->addr, (uint8_t)slot->len);
	struct path_part *p = part_at(t, part_number(t, h));
	uint32_t hole = (uint32_t)((size_t)((uint32_t *)slot - p->mem) / stride(t));

	t->erased_part = part_number(t, h);
	t->n_more -= !path_table_is_only(t, slot);
	p->n--;
	t->n--;
	t->n_fresh -= slot->generation == t->generation;
	t->n_dead -= slot->generation < t->dead_before;
	for (uint32_t i = next(p, hole); at(t, p, i)->attr != 0; i = next(p, i)) {
		struct path_slot *s = at(t, p, i);
		uint32_t from = home(p, hash_of(t, s->addr, (uint8_t)s->len));

		/* A slot may move up to the hole unless that is before its home. */
		if (distance(p, from, i) < distance(p, hole, i))
			continue;
		memcpy(at(t, p, hole), s, bytes);
		hole = i;
	}
	memset(at(t, p, hole), 0, bytes);
}

static void part_fit(struct path_table *t, struct path_part *p)
{
	uint32_t cap = CAP_MIN;

	if (p->n == 0) {
		resize(t, p, 0);
		return;
	}
	if (p->cap <= CAP_MIN || p->n >= p->cap / 8)
		return;
	while (p->n > cap / 2)
		cap = cap_above(cap);
	resize(t, p, cap);
}

void path_table_fit(struct path_table *t)
{
	if (t->n == 0)
		path_table_fini(t);
	else
		part_fit(t, part_at(t, t->erased_part));
}

/* ---- generations */

bool path_table_is_dead(const struct path_table *t, const struct path_slot *slot)
{
	return slot->attr != 0 && slot->generation < t->dead_before;
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
	for (unsigned int part = 0; part < n_parts(t); part++) {
		struct path_slot *s;

		for (uint32_t i = 0; (s = path_table_at(t, part, i)) != NULL; i++)
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

/* A part has been swept from its end to its front: what erasing moves up comes
 * from where the sweep has been, but for what it moves from the front to the
 * back. There it is now, and the next part's turn after that. */
static void sweep_next_part(struct path_table *t, size_t *budget, path_table_dead_fn *fn,
			    void *arg)
{
	struct path_part *p = part_at(t, t->sweep_part);

	for (uint32_t i = p->cap; i != 0 && at(t, p, i - 1)->attr != 0; i--) {
		while (path_table_is_dead(t, at(t, p, i - 1))) {
			if (*budget == 0)
				return;
			fn(t, at(t, p, i - 1), arg);
			--*budget;
		}
	}
	part_fit(t, p);
	t->sweep_part = (t->sweep_part + 1) % n_parts(t);
	t->sweep_at = part_at(t, t->sweep_part)->cap;
}

bool path_table_sweep(struct path_table *t, size_t *budget, path_table_dead_fn *fn,
		      void *arg)
{
	uint32_t looks = 0;

	while (t->n_dead != 0 && *budget != 0) {
		if (++looks % LOOKS_PER_UNIT == 0)
			--*budget;
		if (t->sweep_at == 0) {
			sweep_next_part(t, budget, fn, arg);
		} else {
			struct path_part *p = part_at(t, t->sweep_part);
			struct path_slot *slot = at(t, p, --t->sweep_at);

			if (path_table_is_dead(t, slot)) {
				fn(t, slot, arg);
				*budget -= *budget != 0;
			}
		}
	}
	return t->n_dead != 0;
}
