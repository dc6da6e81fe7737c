/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bgp_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "controller/rib/path_table.h"
#include "lib/mem.h"

/* Numbers of next hops are 1 and up: 0 is a free slot of a path_table. */
struct hop {
	struct ip_addr addr;
	uint32_t number;
};

struct bgp_table {
	struct rib *rib;
	uint32_t router;
	struct rib_peer **peers; /* by number; NULL: forgotten, the number is free */
	uint32_t n_peers;
	struct hop *hops; /* sorted by address */
	size_t n_hops;
	struct path_table index[IP_FAMILIES];
};

struct bgp_table *bgp_table_new(struct rib *rib, uint32_t router)
{
	struct bgp_table *t = mem_alloc(sizeof(*t));
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uint64_t)(uintptr_t)t * 0x9e3779b97f4a7c15u;
	t->rib = rib;
	t->router = router;
	t->n_peers = 1;
	t->peers = mem_calloc(1, sizeof(struct rib_peer *));
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		path_table_init(&t->index[family], family, seed);
	return t;
}

void bgp_table_free(struct bgp_table *t)
{
	if (!t)
		return;
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		path_table_fini(&t->index[family]);
	free(t->peers);
	free(t->hops);
	free(t);
}

/* ---- next hops ---- */

static int addr_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return (a->v > b->v) - (a->v < b->v);
}

static size_t hop_locate(const struct bgp_table *t, const struct ip_addr *addr,
			 bool *found)
{
	size_t lo = 0, hi = t->n_hops;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = addr_cmp(&t->hops[mid].addr, addr);

		if (c == 0)
			*found = true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t number_take(struct bgp_table *t)
{
	for (uint32_t i = 1; i < t->n_peers; i++) {
		if (!t->peers[i])
			return i;
	}
	t->peers =
		mem_realloc(t->peers, (size_t)t->n_peers + 1, sizeof(struct rib_peer *));
	return t->n_peers++;
}

static uint32_t hop_add(struct bgp_table *t, size_t at, const struct ip_addr *addr)
{
	struct rib_peer_key key = { .router = t->router,
				    .type = RIB_PEER_NEXT_HOP,
				    .addr = *addr };
	uint32_t number = number_take(t);

	t->peers[number] = rib_peer_get(t->rib, &key);
	t->hops = mem_realloc(t->hops, t->n_hops + 1, sizeof(*t->hops));
	memmove(&t->hops[at + 1], &t->hops[at], (t->n_hops - at) * sizeof(*t->hops));
	t->hops[at] = (struct hop){ .addr = *addr, .number = number };
	t->n_hops++;
	return number;
}

static uint32_t hop_get(struct bgp_table *t, const struct ip_addr *addr)
{
	struct ip_addr none = { 0 };
	bool found;
	size_t at = hop_locate(t, addr, &found);

	if (!found && t->n_hops >= BGP_TABLE_NEXT_HOPS_MAX) {
		addr = &none;
		at = hop_locate(t, addr, &found);
	}
	return found ? t->hops[at].number : hop_add(t, at, addr);
}

void bgp_table_forget_peer(struct bgp_table *t, const struct rib_peer *peer)
{
	bool found;
	size_t at = hop_locate(t, &rib_peer_key(peer)->addr, &found);

	if (!found)
		return;
	t->peers[t->hops[at].number] = NULL;
	t->n_hops--;
	memmove(&t->hops[at], &t->hops[at + 1], (t->n_hops - at) * sizeof(*t->hops));
}

/* ---- paths ---- */

void bgp_table_announce(struct bgp_table *t, const struct ip_prefix *prefix,
			uint32_t path_id, const struct rib_attr *attr)
{
	struct path_table *index = &t->index[prefix->family];
	struct path_key key = path_key_make(prefix, path_id);
	struct path_slot *slot = path_table_insert(index, &key);
	uint32_t before, number;
	bool taken;

	if (!slot) /* the rib would not take it either */
		return;
	path_table_refresh(index, slot);
	before = slot->attr;
	number = hop_get(t, &attr->next_hop);
	slot->attr = number;
	/* what a router sends on has passed its policy */
	rib_peer_saw_post(t->peers[number], (enum ip_family)prefix->family);
	taken = rib_announce(t->peers[number], RIB_POST, prefix, path_id, attr) >= 0;
	if (!taken && before != number) /* else the path that was there stays */
		path_table_erase(index, slot);
	if (before != 0 && before != number)
		rib_withdraw(t->peers[before], RIB_POST, prefix, path_id);
}

static void slot_remove(struct bgp_table *t, struct path_table *index,
			struct path_slot *slot, const struct ip_prefix *prefix)
{
	uint32_t path_id = slot->path_id;
	struct rib_peer *peer = t->peers[slot->attr];

	path_table_erase(index, slot);
	rib_withdraw(peer, RIB_POST, prefix, path_id);
}

bool bgp_table_withdraw(struct bgp_table *t, const struct ip_prefix *prefix,
			uint32_t path_id)
{
	struct path_table *index = &t->index[prefix->family];
	struct path_key key = path_key_make(prefix, path_id);
	struct path_slot *slot = path_table_find(index, &key);
	bool alive;

	if (!slot)
		return false;
	alive = !path_table_is_dead(index, slot);
	slot_remove(t, index, slot, prefix);
	path_table_fit(index);
	return alive;
}

void bgp_table_stale_mark(struct bgp_table *t)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		path_table_mark_stale(&t->index[family]);
}

void bgp_table_stale_kill(struct bgp_table *t, enum ip_family family)
{
	path_table_kill_stale(&t->index[family]);
}

static void sweep_slot(struct path_table *index, struct path_slot *slot, void *arg)
{
	struct ip_prefix prefix = path_slot_prefix(index, slot);

	slot_remove(arg, index, slot, &prefix);
}

bool bgp_table_sweep(struct bgp_table *t, size_t *budget)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		struct path_table *index = &t->index[family];

		if (index->n_dead == 0)
			continue;
		if (path_table_sweep(index, budget, sweep_slot, t))
			return true;
		path_table_fit(index);
	}
	return false;
}

size_t bgp_table_walk_prefix(const struct bgp_table *t, const struct ip_prefix *prefix,
			     bgp_table_fn *fn, void *arg)
{
	const struct path_table *index = &t->index[prefix->family];
	struct path_key key = path_key_make(prefix, 0);
	const struct path_slot *slot = path_table_find_any(index, &key);
	size_t n = 0;

	for (; slot; slot = path_table_find_more(index, slot), n++) {
		struct rib_peer *hop = t->peers[slot->attr];

		fn(hop, rib_path(hop, RIB_POST, prefix, slot->path_id), arg);
	}
	return n;
}

bool bgp_table_is_sweeping(const struct bgp_table *t)
{
	return t->index[IP_V4].n_dead != 0 || t->index[IP_V6].n_dead != 0;
}

size_t bgp_table_count(const struct bgp_table *t, enum ip_family family)
{
	return t->index[family].n - t->index[family].n_dead;
}
