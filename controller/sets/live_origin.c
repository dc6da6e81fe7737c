/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Origins: whether each is in Set A, its prefixes X(o) (RFC 8704 sec. 3.2), and
 * the customer edges that received one of them.
 *
 * X(o) is a list of node numbers that is only ever appended to: a prefix that
 * left stays until a pass finds it gone, and one that came back is there twice.
 * That makes leaving free, in 4 bytes a prefix instead of a linked list's 16.
 */
#include "controller/sets/live_impl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define V6_BIT	  0x80000000u
#define SLOTS_MIN 64

#define NUMBER_BITS 31
#define NUMBER_MASK ((1u << NUMBER_BITS) - 1)

void live_origins_fini(struct origins *all)
{
	for (uint32_t i = 0; i < all->n; i++) {
		free(all->o[i].list);
		free(all->o[i].give);
	}
	free(all->o);
	free(all->slots);
	*all = (struct origins){ .seed = all->seed };
}

size_t live_origins_bytes(const struct origins *all)
{
	size_t bytes = all->cap * sizeof(*all->o) + all->cap_slots * sizeof(*all->slots);

	for (uint32_t i = 0; i < all->n; i++)
		bytes += all->o[i].cap_list * sizeof(uint32_t) +
			 all->o[i].cap_give * sizeof(struct give);
	return bytes;
}

/* ---- by key */

static uint32_t home(const struct origins *all, uint64_t key)
{
	u128 m = (u128)(key ^ all->seed) * 0x9e3779b97f4a7c15u;

	return (uint32_t)((uint64_t)m ^ (uint64_t)(m >> 64)) & (all->cap_slots - 1);
}

static uint32_t slot_number(uint64_t slot)
{
	return (uint32_t)slot & NUMBER_MASK;
}

uint32_t live_origin_find(const struct origins *all, uint64_t key)
{
	if (all->used == 0)
		return 0;
	for (uint32_t i = home(all, key);; i = (i + 1) & (all->cap_slots - 1)) {
		if (all->slots[i] == 0)
			return 0;
		if (all->slots[i] >> NUMBER_BITS == key)
			return slot_number(all->slots[i]);
	}
}

void live_origin_prefetch(const struct origins *all, uint64_t key)
{
	if (all->used != 0)
		__builtin_prefetch(&all->slots[home(all, key)]);
}

static void slot_put(struct origins *all, uint64_t slot)
{
	uint32_t i = home(all, slot >> NUMBER_BITS);

	while (all->slots[i] != 0)
		i = (i + 1) & (all->cap_slots - 1);
	all->slots[i] = slot;
}

static void slots_grow(struct origins *all)
{
	uint64_t *old = all->slots;
	uint32_t n_old = all->cap_slots;

	all->cap_slots = n_old ? n_old * 2 : SLOTS_MIN;
	all->slots = mem_calloc(all->cap_slots, sizeof(*all->slots));
	for (uint32_t i = 0; i < n_old; i++) {
		if (old[i] != 0)
			slot_put(all, old[i]);
	}
	free(old);
}

static void slot_erase(struct origins *all, uint32_t origin)
{
	uint32_t mask = all->cap_slots - 1, hole = home(all, all->o[origin].key);

	while (slot_number(all->slots[hole]) != origin)
		hole = (hole + 1) & mask;
	for (uint32_t i = (hole + 1) & mask; all->slots[i] != 0; i = (i + 1) & mask) {
		/* may move up to the hole unless that is before its home */
		if (((i - home(all, all->slots[i] >> NUMBER_BITS)) & mask) <
		    ((i - hole) & mask))
			continue;
		all->slots[hole] = all->slots[i];
		hole = i;
	}
	all->slots[hole] = 0;
}

static uint32_t number_new(struct origins *all)
{
	uint32_t number = all->free;

	if (number != 0) {
		all->free = all->o[number].n_list;
		all->o[number].n_list = 0;
		return number;
	}
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap + all->cap / 2 : 64;
		all->o = mem_realloc(all->o, all->cap, sizeof(*all->o));
	}
	if (all->n == 0)
		all->o[all->n++] = (struct origin){ 0 };
	all->o[all->n] = (struct origin){ 0 };
	return all->n++;
}

uint32_t live_origin_get(struct origins *all, uint64_t key)
{
	uint32_t origin = live_origin_find(all, key);

	if (origin != 0)
		return origin;
	if ((all->used + 1) * 2 > all->cap_slots)
		slots_grow(all);
	origin = number_new(all);
	all->o[origin].key = key;
	slot_put(all, key << NUMBER_BITS | origin);
	all->used++;
	return origin;
}

static void origin_free(struct origins *all, uint32_t origin)
{
	struct origin *o = &all->o[origin];

	slot_erase(all, origin);
	all->used--;
	free(o->list);
	free(o->give);
	*o = (struct origin){ .n_list = all->free };
	all->free = origin;
}

/* ---- X(o) */

static bool is_there(const struct live *live, uint32_t origin, uint32_t entry)
{
	const struct prefix_index *x = &live->index[entry & V6_BIT ? IP_V6 : IP_V4];
	uint32_t node = entry & ~V6_BIT;

	return prefix_index_is_used(x, node) && live_has_origin(live, x, node, origin);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void tidy(struct live *live, uint32_t origin)
{
	struct origin *o = &live->origins.o[origin];
	uint32_t used = 0;

	qsort(o->list, o->n_list, sizeof(*o->list), by_number);
	for (uint32_t i = 0; i < o->n_list; i++) {
		if ((used == 0 || o->list[used - 1] != o->list[i]) &&
		    is_there(live, origin, o->list[i]))
			o->list[used++] = o->list[i];
	}
	o->n_list = used;
}

void live_origin_prefix_add(struct live *live, uint32_t origin, enum ip_family family,
			    uint32_t node)
{
	struct origin *o = &live->origins.o[origin];

	if (o->n_list == o->cap_list) {
		if (o->n_list > 16 && o->n_list > 2 * o->n_prefixes)
			tidy(live, origin);
		if (o->n_list >= o->cap_list / 2) {
			o->cap_list = o->cap_list ? o->cap_list * 2 : 2;
			o->list = mem_realloc(o->list, o->cap_list, sizeof(*o->list));
		}
	}
	o->list[o->n_list++] = node | (family == IP_V6 ? V6_BIT : 0);
	o->n_prefixes++;
}

void live_origin_prefix_drop(struct origins *all, uint32_t origin)
{
	if (--all->o[origin].n_prefixes == 0)
		origin_free(all, origin);
}

void live_origin_each(struct live *live, uint32_t origin, live_prefix_fn *fn, void *arg)
{
	struct origin *o = &live->origins.o[origin];

	if (o->n_list > 16 && o->n_list > 2 * o->n_prefixes)
		tidy(live, origin);
	for (uint32_t i = 0; i < o->n_list; i++) {
		const struct prefix_index *x =
			&live->index[o->list[i] & V6_BIT ? IP_V6 : IP_V4];
		struct ip_prefix p;

		if (!is_there(live, origin, o->list[i]))
			continue;
		p = prefix_index_prefix(x, o->list[i] & ~V6_BIT);
		fn(live, &p, arg);
	}
}

/* ---- edges */

static uint32_t give_at(const struct origin *o, uint32_t edge)
{
	uint32_t lo = 0, hi = o->n_give;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (o->give[mid].edge < edge)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool live_origin_gives(const struct origin *o, uint32_t edge)
{
	uint32_t at = give_at(o, edge);

	return at < o->n_give && o->give[at].edge == edge;
}

bool live_origin_give(struct origin *o, uint32_t edge)
{
	uint32_t at = give_at(o, edge);

	if (at < o->n_give && o->give[at].edge == edge) {
		o->give[at].n++;
		return false;
	}
	if (o->n_give == o->cap_give) {
		o->cap_give = o->cap_give ? o->cap_give * 2 : 2;
		o->give = mem_realloc(o->give, o->cap_give, sizeof(*o->give));
	}
	memmove(&o->give[at + 1], &o->give[at], (o->n_give - at) * sizeof(*o->give));
	o->give[at] = (struct give){ edge, 1 };
	o->n_give++;
	return true;
}

bool live_origin_take_back(struct origin *o, uint32_t edge)
{
	uint32_t at = give_at(o, edge);

	if (--o->give[at].n != 0)
		return false;
	o->n_give--;
	memmove(&o->give[at], &o->give[at + 1], (o->n_give - at) * sizeof(*o->give));
	return true;
}
