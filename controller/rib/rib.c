/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/rib/rib.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "controller/rib/attr_pool.h"
#include "controller/rib/path_table.h"
#include "lib/mem.h"

struct rib_peer {
	struct rib *rib;
	struct rib_peer *prev, *next; /* in order of creation */
	struct rib_peer *hash_next;
	struct rib_peer_key key;
	struct path_table table[RIB_VIEWS][IP_FAMILIES];
	bool post[IP_FAMILIES];
	size_t pre_only[IP_FAMILIES]; /* prefixes that post-policy has not */
	bool queued; /* to be swept */
	bool full;   /* told so */
	struct rib_peer *sweep_next;
	uint64_t weight; /* what counts against the bound */
	uint64_t refused;
	void *user;
};

struct rib {
	struct attr_pool attrs;
	struct rib_peer *first, *last;
	struct rib_peer **bucket;
	size_t n_buckets; /* power of two */
	size_t peers, paths, refused;
	size_t table_bytes;
	uint64_t view_changes;
	uint64_t seed;
	rib_watch_fn *watch;
	void *watch_arg;
	bool deferred;
	struct rib_peer *sweep_first, *sweep_last;
	size_t max_weight; /* of one peer; 0: any */
	rib_full_fn *full;
	void *full_arg;
};

#define BUCKETS_MIN 16

struct rib *rib_new(void)
{
	struct rib *rib = mem_alloc(sizeof(*rib));

	/* Customers choose the prefixes that are hashed. Nothing that a caller
	 * sees depends on the seed but the order of rib_walk(). */
	if (getrandom(&rib->seed, sizeof(rib->seed), GRND_NONBLOCK) < 0)
		rib->seed = (uint64_t)(uintptr_t)rib * 0x9e3779b97f4a7c15u;
	attr_pool_init(&rib->attrs, rib->seed);
	rib->n_buckets = BUCKETS_MIN;
	rib->bucket = mem_calloc(rib->n_buckets, sizeof(struct rib_peer *));
	return rib;
}

static void peer_free(struct rib_peer *peer)
{
	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			path_table_fini(&peer->table[view][family]);
	free(peer);
}

void rib_free(struct rib *rib)
{
	if (rib == NULL)
		return;
	for (struct rib_peer *peer = rib->first, *next; peer; peer = next) {
		next = peer->next;
		peer_free(peer);
	}
	attr_pool_fini(&rib->attrs);
	free(rib->bucket);
	free(rib);
}

void rib_watch(struct rib *rib, rib_watch_fn *fn, void *arg)
{
	rib->watch = fn;
	rib->watch_arg = arg;
}

/* ---- peers */

static size_t bucket_of(const struct rib *rib, const struct rib_peer_key *key)
{
	uint64_t h = rib->seed;
	const uint64_t part[] = { (uint64_t)key->router << 32 | (uint64_t)key->type << 8 |
					  key->addr.family,
				  key->distinguisher, (uint64_t)key->addr.v,
				  (uint64_t)(key->addr.v >> 64) };

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		u128 m = (u128)(h ^ part[i]) * 0x9e3779b97f4a7c15u;

		h = (uint64_t)m ^ (uint64_t)(m >> 64);
	}
	return h & (rib->n_buckets - 1);
}

static bool key_equal(const struct rib_peer_key *a, const struct rib_peer_key *b)
{
	return a->router == b->router && a->type == b->type &&
	       a->distinguisher == b->distinguisher && ip_addr_equal(&a->addr, &b->addr);
}

struct rib_peer *rib_peer_find(const struct rib *rib, const struct rib_peer_key *key)
{
	struct rib_peer *peer = rib->bucket[bucket_of(rib, key)];

	while (peer && !key_equal(&peer->key, key))
		peer = peer->hash_next;
	return peer;
}

static void buckets_grow(struct rib *rib)
{
	free(rib->bucket);
	rib->n_buckets *= 2;
	rib->bucket = mem_calloc(rib->n_buckets, sizeof(struct rib_peer *));
	for (struct rib_peer *peer = rib->first; peer; peer = peer->next) {
		struct rib_peer **head = &rib->bucket[bucket_of(rib, &peer->key)];

		peer->hash_next = *head;
		*head = peer;
	}
}

struct rib_peer *rib_peer_get(struct rib *rib, const struct rib_peer_key *key)
{
	struct rib_peer *peer = rib_peer_find(rib, key), **head;

	if (peer)
		return peer;
	if (rib->peers == rib->n_buckets)
		buckets_grow(rib);
	peer = mem_alloc(sizeof(*peer));
	peer->rib = rib;
	peer->key = *key;
	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			path_table_init(&peer->table[view][family],
					(enum ip_family)family, rib->seed);
	head = &rib->bucket[bucket_of(rib, key)];
	peer->hash_next = *head;
	*head = peer;
	peer->prev = rib->last;
	if (rib->last)
		rib->last->next = peer;
	else
		rib->first = peer;
	rib->last = peer;
	rib->peers++;
	return peer;
}

const struct rib_peer_key *rib_peer_key(const struct rib_peer *peer)
{
	return &peer->key;
}

void rib_peer_saw_post(struct rib_peer *peer, enum ip_family family)
{
	if (peer->post[family])
		return;
	peer->post[family] = true;
	peer->rib->view_changes++;
}

uint64_t rib_view_changes(const struct rib *rib)
{
	return rib->view_changes;
}

enum rib_view rib_peer_view(const struct rib_peer *peer, enum ip_family family)
{
	return peer->post[family] ? RIB_POST : RIB_PRE;
}

void rib_peer_set_user(struct rib_peer *peer, void *user)
{
	peer->user = user;
}

void *rib_peer_user(const struct rib_peer *peer)
{
	return peer->user;
}

struct rib_peer *rib_peer_first(const struct rib *rib)
{
	return rib->first;
}

struct rib_peer *rib_peer_next(const struct rib_peer *peer)
{
	return peer->next;
}

/* ---- paths */

static void tell(struct rib_peer *peer, enum rib_view view,
		 const struct ip_prefix *prefix, uint32_t old, uint32_t new)
{
	struct rib *rib = peer->rib;

	if (rib->watch == NULL)
		return;
	rib->watch(peer, view, prefix, old ? attr_pool_at(&rib->attrs, old) : NULL,
		   new ? attr_pool_at(&rib->attrs, new) : NULL, rib->watch_arg);
}

static uint64_t weight_of(const struct rib_attr *attr)
{
	return 1 + attr->as_path_len / RIB_PATH_UNIT;
}

static int refuse(struct rib_peer *peer)
{
	peer->rib->refused++;
	peer->refused++;
	return -1;
}

/* A path of the slot's prefix has come, or is about to go, by way of its view:
 * keeps count of the prefixes that only pre-policy has. Costs a look-up only
 * where both views are there. */
static void count_prefix(struct rib_peer *peer, enum rib_view view, const struct path_slot *slot,
			 const struct path_key *key, enum ip_family family, bool comes)
{
	const struct path_table *other = &peer->table[!view][family];
	bool in_other;

	if (!path_table_is_only(&peer->table[view][family], slot))
		return;
	in_other = path_table_find_any(other, key) != NULL;
	if (in_other == (view == RIB_PRE)) /* in both, or in post-policy alone */
		return;
	if (comes == (view == RIB_PRE))
		peer->pre_only[family]++;
	else
		peer->pre_only[family]--;
}

/* Makes room in the peer's account for new instead of old, which may be NULL. */
static bool charge(struct rib_peer *peer, const struct rib_attr *old,
		   const struct rib_attr *new)
{
	struct rib *rib = peer->rib;
	uint64_t before = old ? weight_of(old) : 0, after = weight_of(new);

	if (rib->max_weight != 0 && after > before &&
	    peer->weight + after - before > rib->max_weight) {
		if (!peer->full && rib->full)
			rib->full(peer, rib->full_arg);
		peer->full = true;
		return false;
	}
	peer->weight += after - before;
	return true;
}

int rib_announce(struct rib_peer *peer, enum rib_view view,
		 const struct ip_prefix *prefix, uint32_t path_id,
		 const struct rib_attr *attr)
{
	struct rib *rib = peer->rib;
	struct path_table *t = &peer->table[view][prefix->family];
	struct path_key key = path_key_make(prefix, path_id);
	size_t before = t->bytes;
	struct path_slot *slot = path_table_insert(t, &key);
	const struct rib_attr *was;
	uint32_t old;

	rib->table_bytes += t->bytes - before;
	if (slot == NULL)
		return refuse(peer);
	path_table_refresh(t, slot);
	old = slot->attr;
	was = old ? attr_pool_at(&rib->attrs, old) : NULL;
	/* A re-dump repeats what is there: no look-up by content for that. */
	if (was && attr_equal(was, attr))
		return 0;
	if (!charge(peer, was, attr)) {
		if (!was)
			path_table_erase(t, slot);
		return refuse(peer);
	}
	slot->attr = attr_pool_get(&rib->attrs, attr);
	if (old == 0) {
		rib->paths++;
		count_prefix(peer, view, slot, &key, prefix->family, true);
	}
	tell(peer, view, prefix, old, slot->attr);
	if (old != 0)
		attr_pool_put(&rib->attrs, old);
	return 1;
}

void rib_bound(struct rib *rib, size_t max_paths, rib_full_fn *full, void *arg)
{
	rib->max_weight = max_paths;
	rib->full = full;
	rib->full_arg = arg;
}

void rib_peer_retry(struct rib_peer *peer)
{
	peer->full = false;
}

bool rib_peer_is_full(const struct rib_peer *peer)
{
	return peer->full;
}

uint64_t rib_peer_weight(const struct rib_peer *peer)
{
	return peer->weight;
}

uint64_t rib_peer_refused(const struct rib_peer *peer)
{
	return peer->refused;
}

uint32_t rib_prefetch(const struct rib_peer *peer, enum rib_view view,
		      const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	struct path_key key = path_key_make(prefix, 0);

	path_table_prefetch(&peer->table[view][prefix->family], &key);
	path_table_prefetch(&peer->table[!view][prefix->family], &key);
	return attr_pool_prefetch(&peer->rib->attrs, attr);
}

void rib_prefetch_attr(const struct rib_peer *peer, uint32_t hash)
{
	attr_pool_prefetch_node(&peer->rib->attrs, hash);
}

/* Takes the slot out, then tells and lets go of its attributes. */
static void remove_slot(struct rib_peer *peer, enum rib_view view, struct path_table *t,
			struct path_slot *slot)
{
	struct ip_prefix prefix = path_slot_prefix(t, slot);
	struct path_key key = path_key_make(&prefix, slot->path_id);
	uint32_t old = slot->attr;

	count_prefix(peer, view, slot, &key, prefix.family, false);
	path_table_erase(t, slot);
	peer->rib->paths--;
	peer->weight -= weight_of(attr_pool_at(&peer->rib->attrs, old));
	tell(peer, view, &prefix, old, 0);
	attr_pool_put(&peer->rib->attrs, old);
}

static void fit(struct rib *rib, struct path_table *t)
{
	size_t before = t->bytes;

	path_table_fit(t);
	rib->table_bytes -= before - t->bytes;
}

bool rib_withdraw(struct rib_peer *peer, enum rib_view view,
		  const struct ip_prefix *prefix, uint32_t path_id)
{
	struct path_table *t = &peer->table[view][prefix->family];
	struct path_key key = path_key_make(prefix, path_id);
	struct path_slot *slot = path_table_find(t, &key);
	bool alive;

	if (slot == NULL)
		return false;
	alive = !path_table_is_dead(t, slot);
	remove_slot(peer, view, t, slot);
	fit(peer->rib, t);
	return alive;
}

/* ---- many at once */

struct sweep {
	struct rib_peer *peer;
	enum rib_view view;
};

static void sweep_slot(struct path_table *t, struct path_slot *slot, void *arg)
{
	const struct sweep *s = arg;

	remove_slot(s->peer, s->view, t, slot);
}

/* True: this table has more. */
static bool sweep_table(struct rib_peer *peer, enum rib_view view, enum ip_family family,
			size_t *budget)
{
	struct path_table *t = &peer->table[view][family];
	struct sweep s = { peer, view };
	size_t before = t->bytes;
	bool more;

	if (t->n_dead == 0)
		return false;
	more = path_table_sweep(t, budget, sweep_slot, &s);
	if (!more)
		path_table_fit(t);
	peer->rib->table_bytes -= before - t->bytes;
	return more;
}

static void sweep_later(struct rib_peer *peer)
{
	struct rib *rib = peer->rib;

	if (peer->queued)
		return;
	peer->queued = true;
	peer->sweep_next = NULL;
	if (rib->sweep_last)
		rib->sweep_last->sweep_next = peer;
	else
		rib->sweep_first = peer;
	rib->sweep_last = peer;
}

static void sweep_forget(struct rib_peer *peer)
{
	struct rib *rib = peer->rib;
	struct rib_peer **at = &rib->sweep_first, *before = NULL;

	if (!peer->queued)
		return;
	for (; *at != peer; at = &(*at)->sweep_next)
		before = *at;
	*at = peer->sweep_next;
	if (rib->sweep_last == peer)
		rib->sweep_last = before;
	peer->queued = false;
}

void rib_defer(struct rib *rib)
{
	rib->deferred = true;
}

bool rib_sweep(struct rib *rib, size_t *budget)
{
	struct rib_peer *peer;

	while ((peer = rib->sweep_first)) {
		for (int view = 0; view < RIB_VIEWS; view++)
			for (int family = 0; family < IP_FAMILIES; family++)
				if (sweep_table(peer, (enum rib_view)view,
						(enum ip_family)family, budget))
					return true;
		sweep_forget(peer);
	}
	return false;
}

bool rib_is_sweeping(const struct rib *rib)
{
	return rib->sweep_first != NULL;
}

bool rib_peer_is_sweeping(const struct rib_peer *peer)
{
	return peer->queued;
}

void rib_stale_mark(struct rib_peer *peer, enum rib_view view, enum ip_family family)
{
	path_table_mark_stale(&peer->table[view][family]);
}

size_t rib_stale_sweep(struct rib_peer *peer, enum rib_view view, enum ip_family family)
{
	struct path_table *t = &peer->table[view][family];
	size_t gone = t->n - t->n_fresh - t->n_dead, budget = SIZE_MAX;

	path_table_kill_stale(t);
	if (t->n_dead == 0)
		return 0;
	if (peer->rib->deferred)
		sweep_later(peer);
	else
		sweep_table(peer, view, family, &budget);
	return gone;
}

void rib_peer_clear(struct rib_peer *peer, enum rib_view view, enum ip_family family)
{
	path_table_mark_stale(&peer->table[view][family]);
	rib_stale_sweep(peer, view, family);
}

static void clear_now(struct rib_peer *peer, enum rib_view view, enum ip_family family)
{
	size_t budget = SIZE_MAX;

	path_table_mark_stale(&peer->table[view][family]);
	path_table_kill_stale(&peer->table[view][family]);
	sweep_table(peer, view, family, &budget);
}

void rib_peer_remove(struct rib_peer *peer)
{
	struct rib *rib = peer->rib;
	struct rib_peer **at = &rib->bucket[bucket_of(rib, &peer->key)];

	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			clear_now(peer, (enum rib_view)view, (enum ip_family)family);
	while (*at != peer)
		at = &(*at)->hash_next;
	*at = peer->hash_next;
	sweep_forget(peer);
	if (peer->prev)
		peer->prev->next = peer->next;
	else
		rib->first = peer->next;
	if (peer->next)
		peer->next->prev = peer->prev;
	else
		rib->last = peer->prev;
	rib->peers--;
	peer_free(peer);
}

size_t rib_path_count(const struct rib_peer *peer, enum rib_view view,
		      enum ip_family family)
{
	return peer->table[view][family].n - peer->table[view][family].n_dead;
}

bool rib_walk_part(const struct rib_peer *peer, enum rib_view view, enum ip_family family,
		   unsigned int part, rib_path_fn *fn, void *arg)
{
	const struct path_table *t = &peer->table[view][family];
	const struct path_slot *slot;

	for (uint32_t i = 0; (slot = path_table_at(t, part, i)) != NULL; i++) {
		struct ip_prefix prefix;

		if (slot->attr == 0)
			continue;
		prefix = path_slot_prefix(t, slot);
		fn(&prefix, slot->path_id, attr_pool_at(&peer->rib->attrs, slot->attr),
		   arg);
	}
	/* a table that grows into parts later was small, and has been seen, now */
	return t->parts && part + 1 < PATH_TABLE_PARTS;
}

void rib_walk(const struct rib_peer *peer, enum rib_view view, enum ip_family family,
	      rib_path_fn *fn, void *arg)
{
	unsigned int part = 0;

	while (rib_walk_part(peer, view, family, part, fn, arg))
		part++;
}

const struct rib_attr *rib_path(const struct rib_peer *peer, enum rib_view view,
				const struct ip_prefix *prefix, uint32_t path_id)
{
	const struct path_table *t = &peer->table[view][prefix->family];
	struct path_key key = path_key_make(prefix, path_id);
	const struct path_slot *slot = path_table_find(t, &key);

	return slot ? attr_pool_at(&peer->rib->attrs, slot->attr) : NULL;
}

size_t rib_walk_prefix(const struct rib_peer *peer, enum rib_view view,
		       const struct ip_prefix *prefix, rib_path_fn *fn, void *arg)
{
	const struct path_table *t = &peer->table[view][prefix->family];
	struct path_key key = path_key_make(prefix, 0);
	const struct path_slot *slot = path_table_find_any(t, &key);
	size_t n = 0;

	for (; slot; slot = path_table_find_more(t, slot), n++)
		fn(prefix, slot->path_id, attr_pool_at(&peer->rib->attrs, slot->attr), arg);
	return n;
}

const struct rib_attr *rib_lookup(const struct rib_peer *peer, enum rib_view view,
				  const struct ip_prefix *prefix)
{
	const struct path_table *t = &peer->table[view][prefix->family];
	struct path_key key = path_key_make(prefix, 0);
	const struct path_slot *slot = path_table_find_any(t, &key);

	return slot ? attr_pool_at(&peer->rib->attrs, slot->attr) : NULL;
}

size_t rib_pre_only(const struct rib_peer *peer, enum ip_family family)
{
	return peer->pre_only[family];
}

void rib_stats(const struct rib *rib, struct rib_stats *stats)
{
	*stats = (struct rib_stats){
		.peers = rib->peers,
		.paths = rib->paths,
		.attrs = rib->attrs.n,
		.refused = rib->refused,
		.bytes = sizeof(*rib) + rib->n_buckets * sizeof(struct rib_peer *) +
			 rib->peers * sizeof(struct rib_peer) + rib->table_bytes +
			 attr_pool_bytes(&rib->attrs),
	};
}
