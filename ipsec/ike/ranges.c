/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/prefix_index.h"

struct ranges {
	struct prefix_index by_family[IP_FAMILIES]; /* at each prefix the first of its entries */
};

struct entry {
	struct entry *next;
	struct sa_child *child;
};

struct ranges *ranges_new(uint64_t seed)
{
	struct ranges *r = mem_alloc(sizeof(*r));

	for (int f = 0; f < IP_FAMILIES; f++)
		prefix_index_init(&r->by_family[f], (enum ip_family)f, seed + (uint64_t)f);
	return r;
}

static struct entry *first_of(const struct prefix_index *x, uint32_t node)
{
	struct entry *entry;

	_Static_assert(sizeof(entry) <= PREFIX_INDEX_DATA * sizeof(uint32_t), "a pointer fits");
	memcpy(&entry, prefix_index_data(x, node), sizeof(entry));
	return entry;
}

static void set_first(const struct prefix_index *x, uint32_t node, struct entry *entry)
{
	memcpy(prefix_index_data(x, node), &entry, sizeof(entry));
}

static bool free_entries(const struct prefix_index *x, uint32_t node, void *arg)
{
	for (struct entry *entry = first_of(x, node), *next; entry; entry = next) {
		next = entry->next;
		free(entry);
	}
	return false;
}

void ranges_free(struct ranges *r)
{
	if (!r)
		return;
	for (int f = 0; f < IP_FAMILIES; f++) {
		const struct ip_prefix all = { .family = (uint8_t)f };

		prefix_index_inside(&r->by_family[f], &all, true, free_entries, NULL);
		prefix_index_fini(&r->by_family[f]);
	}
	free(r);
}

static struct ip_prefix cover_of(const struct ike_ts *ts)
{
	enum ip_family family = (enum ip_family)ts->first.family;
	unsigned len = ip_bits(family);

	for (u128 differ = ts->first.v ^ ts->last.v; differ; differ >>= 1)
		len--;
	return ip_prefix_make(family, ts->first.v, len);
}

void ranges_add(struct ranges *r, struct sa_child *child)
{
	for (unsigned i = 0; i < child->remote_ts->n; i++) {
		const struct ip_prefix cover = cover_of(&child->remote_ts->list[i]);
		struct prefix_index *x = &r->by_family[cover.family];
		uint32_t node = prefix_index_get(x, &cover);
		struct entry *entry = mem_alloc(sizeof(*entry));

		*entry = (struct entry){ first_of(x, node), child };
		set_first(x, node, entry);
	}
}

static void remove_one(struct prefix_index *x, uint32_t node, const struct sa_child *child)
{
	struct entry *first = first_of(x, node), **at = &first, *entry;

	while (*at && (*at)->child != child)
		at = &(*at)->next;
	entry = *at;
	if (!entry)
		return;
	*at = entry->next;
	free(entry);
	if (first)
		set_first(x, node, first);
	else
		prefix_index_erase(x, node);
}

void ranges_remove(struct ranges *r, const struct sa_child *child)
{
	for (unsigned i = 0; i < child->remote_ts->n; i++) {
		const struct ip_prefix cover = cover_of(&child->remote_ts->list[i]);
		struct prefix_index *x = &r->by_family[cover.family];
		uint32_t node = prefix_index_find(x, &cover);

		if (node)
			remove_one(x, node, child);
	}
}

struct looking {
	bool (*wanted)(void *ctx, const struct sa_child *child);
	void *ctx;
	struct sa_child *found;
};

/* True leaves out what is inside as well. */
static bool look(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct looking *l = arg;

	for (struct entry *entry = l->found ? NULL : first_of(x, node); entry && !l->found; entry = entry->next)
		if (l->wanted(l->ctx, entry->child))
			l->found = entry->child;
	return l->found != NULL;
}

struct sa_child *ranges_find(struct ranges *r, const struct ike_ts *ts,
			     bool (*wanted)(void *ctx, const struct sa_child *child), void *ctx)
{
	const struct ip_prefix cover = cover_of(ts);
	struct prefix_index *x = &r->by_family[cover.family];
	struct looking l = { wanted, ctx, NULL };

	if (!prefix_index_covering(x, &cover, look, &l))
		prefix_index_inside(x, &cover, false, look, &l);
	return l.found;
}
