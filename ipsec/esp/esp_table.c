/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_table.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "lib/prefix_map.h"
#include "lib/rangeset.h"

#define NO_ENTRY 0

/* One prefix of one SA's remote selectors. */
struct entry {
	struct esp_sa *sa;
	uint32_t next; /* at the same prefix, older */
};

/* A tunnel's device and the ways out of it. */
struct tunnel {
	uint32_t number;
	struct prefix_map ways[IP_FAMILIES]; /* value: number of the newest entry */
	uint32_t n_sas;			     /* sending ones */
	struct tunnel *next;
};

struct esp_table {
	uint64_t seed;
	struct esp_sa **spis; /* chains by next_spi */
	uint32_t n_slots, n_sas;
	struct tunnel **tunnels;
	uint32_t n_tunnel_slots, n_tunnels;
	struct entry *entries; /* entry 0 is none */
	uint32_t n_entries, cap_entries, free_entry;
};

#define SLOTS_MIN 16

struct esp_table *esp_table_new(uint64_t seed)
{
	struct esp_table *t = mem_alloc(sizeof(*t));

	t->seed = seed;
	t->n_slots = t->n_tunnel_slots = SLOTS_MIN;
	t->spis = mem_calloc(t->n_slots, sizeof(t->spis[0]));
	t->tunnels = mem_calloc(t->n_tunnel_slots, sizeof(t->tunnels[0]));
	t->n_entries = 1;
	return t;
}

static void tunnel_free(struct tunnel *tunnel)
{
	for (unsigned int f = 0; f < IP_FAMILIES; f++)
		prefix_map_fini(&tunnel->ways[f]);
	free(tunnel);
}

void esp_table_free(struct esp_table *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->n_slots; i++)
		for (struct esp_sa *sa = t->spis[i], *next; sa; sa = next) {
			next = sa->next_spi;
			esp_sa_free(sa);
		}
	for (uint32_t i = 0; i < t->n_tunnel_slots; i++)
		for (struct tunnel *tunnel = t->tunnels[i], *next; tunnel; tunnel = next) {
			next = tunnel->next;
			tunnel_free(tunnel);
		}
	free(t->spis);
	free(t->tunnels);
	free(t->entries);
	free(t);
}

/* ---- by SPI. We chose the SPIs ourselves, at random: no secret is needed. */

static struct esp_sa **spi_slot(const struct esp_table *t, uint32_t spi)
{
	return &t->spis[(spi * UINT32_C(2654435761)) >> 7 & (t->n_slots - 1)];
}

static void spis_grow(struct esp_table *t)
{
	struct esp_sa **old = t->spis;
	uint32_t n_old = t->n_slots;

	t->n_slots *= 2;
	t->spis = mem_calloc(t->n_slots, sizeof(t->spis[0]));
	for (uint32_t i = 0; i < n_old; i++)
		for (struct esp_sa *sa = old[i], *next; sa; sa = next) {
			struct esp_sa **slot = spi_slot(t, sa->spi_in);

			next = sa->next_spi;
			sa->next_spi = *slot;
			*slot = sa;
		}
	free(old);
}

struct esp_sa *esp_table_by_spi(const struct esp_table *t, uint32_t spi_in)
{
	struct esp_sa *sa = *spi_slot(t, spi_in);

	while (sa && sa->spi_in != spi_in)
		sa = sa->next_spi;
	return sa;
}

int esp_table_add(struct esp_table *t, struct esp_sa *sa)
{
	struct esp_sa **slot;

	if (esp_table_by_spi(t, sa->spi_in))
		return -1;
	if (t->n_sas >= t->n_slots)
		spis_grow(t);
	slot = spi_slot(t, sa->spi_in);
	sa->next_spi = *slot;
	*slot = sa;
	t->n_sas++;
	return 0;
}

/* ---- by tunnel; numbers are the operator's, dense */

static struct tunnel **tunnel_slot(const struct esp_table *t, uint32_t number)
{
	struct tunnel **slot = &t->tunnels[number & (t->n_tunnel_slots - 1)];

	while (*slot && (*slot)->number != number)
		slot = &(*slot)->next;
	return slot;
}

static void tunnels_grow(struct esp_table *t)
{
	struct tunnel **old = t->tunnels;
	uint32_t n_old = t->n_tunnel_slots;

	t->n_tunnel_slots *= 2;
	t->tunnels = mem_calloc(t->n_tunnel_slots, sizeof(t->tunnels[0]));
	for (uint32_t i = 0; i < n_old; i++)
		for (struct tunnel *tunnel = old[i], *next; tunnel; tunnel = next) {
			struct tunnel **slot = &t->tunnels[tunnel->number & (t->n_tunnel_slots - 1)];

			next = tunnel->next;
			tunnel->next = *slot;
			*slot = tunnel;
		}
	free(old);
}

static struct tunnel *tunnel_get(struct esp_table *t, uint32_t number)
{
	struct tunnel **slot = tunnel_slot(t, number);

	if (*slot)
		return *slot;
	if (t->n_tunnels >= t->n_tunnel_slots) {
		tunnels_grow(t);
		slot = tunnel_slot(t, number);
	}
	*slot = mem_alloc(sizeof(**slot));
	(*slot)->number = number;
	for (unsigned int f = 0; f < IP_FAMILIES; f++)
		prefix_map_init(&(*slot)->ways[f], f, t->seed);
	t->n_tunnels++;
	return *slot;
}

/* ---- ways out */

static uint32_t entry_new(struct esp_table *t)
{
	uint32_t e = t->free_entry;

	if (e != NO_ENTRY) {
		t->free_entry = t->entries[e].next;
		return e;
	}
	if (t->n_entries >= t->cap_entries) {
		t->cap_entries = t->cap_entries ? t->cap_entries * 2 : SLOTS_MIN;
		t->entries = mem_realloc(t->entries, t->cap_entries, sizeof(t->entries[0]));
	}
	return t->n_entries++;
}

struct change {
	struct esp_table *t;
	struct prefix_map *ways;
	struct esp_sa *sa;
	bool add;
};

static void way_remove(struct esp_table *t, struct prefix_map *ways, const struct ip_prefix *p,
		       const struct esp_sa *sa)
{
	uint32_t node = prefix_map_find(ways, p), *at;

	if (node == 0)
		return;
	at = prefix_map_value(ways, node);
	while (*at != NO_ENTRY && t->entries[*at].sa != sa)
		at = &t->entries[*at].next;
	if (*at != NO_ENTRY) {
		uint32_t gone = *at;

		*at = t->entries[gone].next;
		t->entries[gone] = (struct entry){ .next = t->free_entry };
		t->free_entry = gone;
	}
	if (*prefix_map_value(ways, node) == NO_ENTRY)
		prefix_map_erase(ways, node);
}

static void change_way(const struct ip_prefix *p, void *arg)
{
	struct change *c = arg;
	uint32_t e, *value;

	if (!c->add) {
		way_remove(c->t, c->ways, p, c->sa);
		return;
	}
	e = entry_new(c->t);
	value = prefix_map_value(c->ways, prefix_map_get(c->ways, p));
	c->t->entries[e] = (struct entry){ .sa = c->sa, .next = *value };
	*value = e;
}

static void change_ways(struct esp_table *t, struct esp_sa *sa, bool add)
{
	struct tunnel *tunnel = tunnel_get(t, sa->tunnel);

	for (unsigned int f = 0; f < IP_FAMILIES; f++) {
		struct change c = { .t = t, .ways = &tunnel->ways[f], .sa = sa, .add = add };
		struct rangeset ranges = { 0 };

		for (unsigned int i = 0; i < sa->remote_ts.n; i++)
			if (sa->remote_ts.list[i].first.family == f)
				rangeset_append(&ranges, sa->remote_ts.list[i].first.v,
						sa->remote_ts.list[i].last.v);
		rangeset_normalize(&ranges);
		rangeset_each_prefix(&ranges, f, change_way, &c);
		rangeset_fini(&ranges);
	}
	tunnel->n_sas += add ? 1 : -1u;
}

static void tunnel_drop_if_idle(struct esp_table *t, uint32_t number)
{
	struct tunnel **slot = tunnel_slot(t, number), *tunnel = *slot;

	if (!tunnel || tunnel->n_sas > 0)
		return;
	*slot = tunnel->next;
	tunnel_free(tunnel);
	t->n_tunnels--;
}

void esp_table_use(struct esp_table *t, struct esp_sa *sa)
{
	if (sa->sending)
		return;
	sa->sending = true;
	change_ways(t, sa, true);
}

void esp_table_unuse(struct esp_table *t, struct esp_sa *sa)
{
	if (!sa->sending)
		return;
	sa->sending = false;
	change_ways(t, sa, false);
	tunnel_drop_if_idle(t, sa->tunnel);
}

int esp_table_del(struct esp_table *t, uint32_t spi_in)
{
	struct esp_sa **at = spi_slot(t, spi_in), *sa;

	while (*at && (*at)->spi_in != spi_in)
		at = &(*at)->next_spi;
	if (!*at)
		return -1;
	sa = *at;
	*at = sa->next_spi;
	t->n_sas--;
	esp_table_unuse(t, sa);
	esp_sa_free(sa);
	return 0;
}

struct wanted {
	const struct esp_table *t;
	const struct esp_inner *inner;
	uint32_t twin;
	struct esp_sa **found;
};

static bool selects(const struct prefix_map *ways, uint32_t node, const void *arg)
{
	const struct wanted *w = arg;

	for (uint32_t e = *prefix_map_value(ways, node); e != NO_ENTRY; e = w->t->entries[e].next)
		if (w->t->entries[e].sa->twin == w->twin && esp_sa_selects(w->t->entries[e].sa, w->inner, true)) {
			*w->found = w->t->entries[e].sa;
			return true;
		}
	return false;
}

struct esp_sa *esp_table_choose(const struct esp_table *t, uint32_t tunnel, const struct esp_inner *inner, uint32_t twin)
{
	const struct tunnel *at = *tunnel_slot(t, tunnel);
	struct esp_sa *sa = NULL;
	struct wanted wanted = { t, inner, twin, &sa };

	if (at)
		prefix_map_longest(&at->ways[inner->family], inner->dst.v, selects, &wanted);
	return sa;
}

void esp_table_each(const struct esp_table *t, void (*fn)(void *ctx, struct esp_sa *sa), void *ctx)
{
	for (uint32_t i = 0; i < t->n_slots; i++)
		for (struct esp_sa *sa = t->spis[i], *next; sa; sa = next) {
			next = sa->next_spi;
			fn(ctx, sa);
		}
}

size_t esp_table_count(const struct esp_table *t)
{
	return t->n_sas;
}

size_t esp_table_bytes(const struct esp_table *t)
{
	size_t bytes = sizeof(*t) + t->n_slots * sizeof(t->spis[0]) + t->n_tunnel_slots * sizeof(t->tunnels[0]) +
		       t->cap_entries * sizeof(t->entries[0]);

	for (uint32_t i = 0; i < t->n_tunnel_slots; i++)
		for (const struct tunnel *tunnel = t->tunnels[i]; tunnel; tunnel = tunnel->next) {
			bytes += sizeof(*tunnel);
			for (unsigned int f = 0; f < IP_FAMILIES; f++)
				bytes += prefix_map_bytes(&tunnel->ways[f]);
		}
	return bytes;
}
