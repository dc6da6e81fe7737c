/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/prefix_map.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* A free node's value is the next free one. */
struct tail {
	uint32_t value;
	uint8_t len;
	uint8_t used;
	uint8_t flags;
	uint8_t pad;
};

static size_t addr_bytes(const struct prefix_map *m)
{
	return m->family == IP_V4 ? 4 : 16;
}

static size_t node_bytes(const struct prefix_map *m)
{
	return addr_bytes(m) + sizeof(struct tail);
}

static uint8_t *node_at(const struct prefix_map *m, uint32_t node)
{
	return m->nodes + (size_t)node * node_bytes(m);
}

static struct tail *tail_at(const struct prefix_map *m, uint32_t node)
{
	/* the address before it is a whole number of words */
	return (struct tail *)(void *)(node_at(m, node) + addr_bytes(m));
}

void prefix_map_init(struct prefix_map *m, enum ip_family family, uint64_t seed)
{
	*m = (struct prefix_map){ .family = family, .seed = seed, .end = 1 };
}

void prefix_map_fini(struct prefix_map *m)
{
	free(m->nodes);
	free(m->slots);
	prefix_map_init(m, m->family, m->seed);
}

size_t prefix_map_bytes(const struct prefix_map *m)
{
	return m->cap_nodes * node_bytes(m) + m->cap_slots * sizeof(*m->slots);
}

static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

static uint32_t home(const struct prefix_map *m, u128 v, unsigned int len)
{
	uint64_t h = mix(m->seed ^ (uint64_t)v);

	h = mix(h ^ (uint64_t)(v >> 64) ^ m->seed >> 17);
	return (uint32_t)mix(h + len) & (m->cap_slots - 1);
}

bool prefix_map_is_used(const struct prefix_map *m, uint32_t node)
{
	return node != 0 && node < m->end && tail_at(m, node)->used != 0;
}

struct ip_prefix prefix_map_prefix(const struct prefix_map *m, uint32_t node)
{
	return (struct ip_prefix){ .v = ip_from_bytes(node_at(m, node), m->family),
				   .family = (uint8_t)m->family,
				   .len = tail_at(m, node)->len };
}

uint32_t *prefix_map_value(const struct prefix_map *m, uint32_t node)
{
	return &tail_at(m, node)->value;
}

uint8_t *prefix_map_flags(const struct prefix_map *m, uint32_t node)
{
	return &tail_at(m, node)->flags;
}

/* The slot of the prefix, or the empty one where it would go. */
static uint32_t slot_of(const struct prefix_map *m, u128 v, unsigned int len)
{
	uint32_t at = home(m, v, len);
	uint8_t raw[16];

	ip_to_bytes(v, m->family, raw);
	while (m->slots[at] != 0) {
		uint32_t node = m->slots[at];

		if (tail_at(m, node)->len == len &&
		    memcmp(node_at(m, node), raw, addr_bytes(m)) == 0)
			break;
		at = (at + 1) & (m->cap_slots - 1);
	}
	return at;
}

uint32_t prefix_map_find(const struct prefix_map *m, const struct ip_prefix *p)
{
	return m->n == 0 ? 0 : m->slots[slot_of(m, p->v, p->len)];
}

static uint32_t home_of(const struct prefix_map *m, uint32_t node)
{
	struct ip_prefix p = prefix_map_prefix(m, node);

	return home(m, p.v, p.len);
}

/* At most two thirds full. */
static void slots_grow(struct prefix_map *m)
{
	uint32_t old = m->cap_slots;

	if (m->n < old / 3 * 2)
		return;
	m->cap_slots = old ? old * 2 : 64;
	free(m->slots);
	m->slots = mem_calloc(m->cap_slots, sizeof(*m->slots));
	for (uint32_t node = 1; node < m->end; node++) {
		uint32_t at;

		if (!prefix_map_is_used(m, node))
			continue;
		at = home_of(m, node);
		while (m->slots[at] != 0)
			at = (at + 1) & (m->cap_slots - 1);
		m->slots[at] = node;
	}
}

static uint32_t node_new(struct prefix_map *m)
{
	uint32_t node = m->free_node;

	if (node != 0) {
		m->free_node = tail_at(m, node)->value;
		return node;
	}
	if (m->end >= m->cap_nodes) {
		m->cap_nodes = m->cap_nodes ? m->cap_nodes + m->cap_nodes / 4 : 64;
		m->nodes = mem_realloc(m->nodes, m->cap_nodes, node_bytes(m));
	}
	return m->end++;
}

uint32_t prefix_map_get(struct prefix_map *m, const struct ip_prefix *p)
{
	uint32_t node = prefix_map_find(m, p);

	if (node != 0)
		return node;
	slots_grow(m);
	node = node_new(m);
	m->slots[slot_of(m, p->v, p->len)] = node;
	ip_to_bytes(p->v, m->family, node_at(m, node));
	*tail_at(m, node) = (struct tail){ .len = p->len, .used = 1 };
	m->n++;
	m->by_len[p->len]++;
	return node;
}

/* Those behind move up, as far as they may: no tombstones. */
void prefix_map_erase(struct prefix_map *m, uint32_t node)
{
	struct ip_prefix p = prefix_map_prefix(m, node);
	uint32_t mask = m->cap_slots - 1, hole = slot_of(m, p.v, p.len), at = hole;

	for (;;) {
		uint32_t want;

		at = (at + 1) & mask;
		if (m->slots[at] == 0)
			break;
		want = home_of(m, m->slots[at]);
		if (((at - want) & mask) >= ((at - hole) & mask)) {
			m->slots[hole] = m->slots[at];
			hole = at;
		}
	}
	m->slots[hole] = 0;
	*tail_at(m, node) = (struct tail){ .value = m->free_node };
	m->free_node = node;
	m->n--;
	m->by_len[p.len]--;
}

uint32_t prefix_map_longest(const struct prefix_map *m, u128 addr, prefix_map_fn *fn,
			    const void *arg)
{
	for (unsigned int len = ip_bits(m->family) + 1; m->n != 0 && len-- > 0;) {
		struct ip_prefix p = ip_prefix_make(m->family, addr, len);
		uint32_t node = m->by_len[len] ? prefix_map_find(m, &p) : 0;

		if (node != 0 && (!fn || fn(m, node, arg)))
			return node;
	}
	return 0;
}
