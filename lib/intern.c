/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/intern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct intern_list {
	uint32_t refs;
	uint32_t hash;
	uint32_t next_free;
	uint32_t n;
	uint32_t values[];
};

void intern_fini(struct intern *in)
{
	for (uint32_t i = 1; i < in->n; i++)
		free(in->lists[i]);
	free(in->lists);
	free(in->slots);
	*in = (struct intern){ 0 };
}

size_t intern_bytes(const struct intern *in)
{
	size_t bytes = in->cap * sizeof(*in->lists) + in->cap_slots * sizeof(*in->slots);

	for (uint32_t i = 1; i < in->n; i++)
		bytes += sizeof(**in->lists) + in->lists[i]->n * sizeof(uint32_t);
	return bytes;
}

const uint32_t *intern_values(const struct intern *in, uint32_t number, size_t *n)
{
	const struct intern_list *list = number < in->n ? in->lists[number] : NULL;

	if (!list || list->refs == 0)
		return NULL;
	*n = list->n;
	return list->values;
}

/* Lists hold interface indexes, which no stranger chooses: no secret. */
static uint32_t hash_of(const uint32_t *values, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++) {
		h = (h ^ values[i]) * 0x9e3779b1u;
		h ^= h >> 15;
	}
	return h;
}

static bool is_equal(const struct intern_list *list, uint32_t hash, const uint32_t *values,
		     size_t n)
{
	return list->hash == hash && list->n == n &&
	       (n == 0 || memcmp(list->values, values, n * sizeof(*values)) == 0);
}

static void slots_put(struct intern *in, uint32_t number)
{
	uint32_t at = in->lists[number]->hash & (in->cap_slots - 1);

	while (in->slots[at] != 0)
		at = (at + 1) & (in->cap_slots - 1);
	in->slots[at] = number;
}

static void slots_rebuild(struct intern *in)
{
	free(in->slots);
	in->slots = mem_calloc(in->cap_slots, sizeof(*in->slots));
	for (uint32_t i = 1; i < in->n; i++) {
		if (in->lists[i]->refs != 0)
			slots_put(in, i);
	}
}

static uint32_t find(const struct intern *in, uint32_t hash, const uint32_t *values, size_t n)
{
	uint32_t at = hash & (in->cap_slots - 1);

	if (in->cap_slots == 0)
		return 0;
	while (in->slots[at] != 0 && !is_equal(in->lists[in->slots[at]], hash, values, n))
		at = (at + 1) & (in->cap_slots - 1);
	return in->slots[at];
}

static uint32_t number_new(struct intern *in)
{
	uint32_t number = in->free;

	if (number != 0) {
		in->free = in->lists[number]->next_free;
		free(in->lists[number]);
		return number;
	}
	if (in->n == 0)
		in->n = 1;
	if (in->n >= in->cap) {
		in->cap = in->cap ? in->cap * 2 : 16;
		in->lists = mem_realloc(in->lists, in->cap, sizeof(struct intern_list *));
		in->lists[0] = NULL;
	}
	return in->n++;
}

uint32_t intern_get(struct intern *in, const uint32_t *values, size_t n)
{
	uint32_t hash = hash_of(values, n), number = find(in, hash, values, n);
	struct intern_list *list;

	if (number != 0) {
		in->lists[number]->refs++;
		return number;
	}
	number = number_new(in);
	list = mem_alloc(sizeof(*list) + n * sizeof(*values));
	list->refs = 1;
	list->hash = hash;
	list->n = (uint32_t)n;
	if (n != 0)
		memcpy(list->values, values, n * sizeof(*values));
	in->lists[number] = list;
	in->used++;
	if (in->used * 2 > in->cap_slots) {
		in->cap_slots = in->cap_slots ? in->cap_slots * 2 : 32;
		slots_rebuild(in);
	} else {
		slots_put(in, number);
	}
	return number;
}

void intern_keep(struct intern *in, uint32_t number)
{
	in->lists[number]->refs++;
}

static void slots_drop(struct intern *in, uint32_t number)
{
	uint32_t mask = in->cap_slots - 1, hole = in->lists[number]->hash & mask, at;

	while (in->slots[hole] != number)
		hole = (hole + 1) & mask;
	at = hole;
	for (;;) {
		uint32_t want;

		at = (at + 1) & mask;
		if (in->slots[at] == 0)
			break;
		want = in->lists[in->slots[at]]->hash & mask;
		if (((at - want) & mask) >= ((at - hole) & mask)) {
			in->slots[hole] = in->slots[at];
			hole = at;
		}
	}
	in->slots[hole] = 0;
}

void intern_put(struct intern *in, uint32_t number)
{
	struct intern_list *list = number ? in->lists[number] : NULL;

	if (!list || --list->refs != 0)
		return;
	slots_drop(in, number);
	in->used--;
	list->next_free = in->free;
	in->free = number;
}
