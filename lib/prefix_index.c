/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/prefix_index.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define SLOTS_MIN 16
#define SMALL_MAX 16384 /* slots of a table that is not in parts */
#define PART_BITS 16
#define PARTS_MIN 4096 /* of fewer nodes it does not matter where they are */
#define LATER_MAX 16384 /* so many wait to be linked: some milliseconds */

struct node {
	uint32_t child[2];
	uint8_t len;
	uint8_t used; /* a prefix of the index, else only a branch */
	uint16_t unused;
	uint32_t data[PREFIX_INDEX_DATA];
	uint32_t addr[]; /* 1 or 4 words, most significant first */
};

struct key {
	uint32_t addr[4];
	uint8_t len;
};

static inline size_t words(const struct prefix_index *x)
{
	return x->family == IP_V4 ? 1 : 4;
}

static inline size_t stride(const struct prefix_index *x)
{
	return sizeof(struct node) / sizeof(uint32_t) + words(x);
}

static inline struct node *at(const struct prefix_index *x, uint32_t node)
{
	return (struct node *)(x->mem + node * stride(x));
}

void prefix_index_init(struct prefix_index *x, enum ip_family family, uint64_t seed)
{
	*x = (struct prefix_index){ .family = family, .seed = seed };
}

static inline unsigned int n_parts(const struct prefix_index *x)
{
	return x->parts ? PREFIX_INDEX_PARTS : 1;
}

static inline struct prefix_slots *part_at(struct prefix_index *x, unsigned int i)
{
	return x->parts ? &x->parts[i] : &x->one;
}

void prefix_index_fini(struct prefix_index *x)
{
	for (unsigned int i = 0; i < n_parts(x); i++)
		free(part_at(x, i)->slot);
	free(x->parts);
	free(x->mem);
	free(x->unlinked);
	prefix_index_init(x, x->family, x->seed);
}

size_t prefix_index_bytes(const struct prefix_index *x)
{
	return (x->cap_nodes * stride(x) + x->cap_slots + x->cap_unlinked) *
		       sizeof(uint32_t) +
	       (x->parts ? PREFIX_INDEX_PARTS * sizeof(*x->parts) : 0);
}

uint32_t *prefix_index_data(const struct prefix_index *x, uint32_t node)
{
	return at(x, node)->data;
}

bool prefix_index_is_used(const struct prefix_index *x, uint32_t node)
{
	return node < x->n_nodes && at(x, node)->used;
}

static inline struct key key_of(const struct ip_prefix *p)
{
	struct key k = { .len = p->len };

	if (p->family == IP_V4) {
		k.addr[0] = (uint32_t)p->v;
	} else {
		for (int i = 0; i < 4; i++)
			k.addr[i] = (uint32_t)(p->v >> (96 - 32 * i));
	}
	return k;
}

struct ip_prefix prefix_index_prefix(const struct prefix_index *x, uint32_t node)
{
	const struct node *n = at(x, node);
	struct ip_prefix p = { .family = (uint8_t)x->family, .len = n->len };

	for (size_t i = 0; i < words(x); i++)
		p.v = p.v << 32 | n->addr[i];
	return p;
}

/* ---- the hash table */

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	u128 m = (u128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t hash_of(const struct prefix_index *x, const uint32_t *addr, uint8_t len)
{
	uint64_t h = mix(((uint64_t)addr[0] << 8 | len) ^ x->seed, 0x9e3779b97f4a7c15u);

	if (x->family == IP_V6) {
		h = mix(h ^ addr[1], 0xa0761d6478bd642fu ^ x->seed);
		h = mix(h ^ ((uint64_t)addr[2] << 32 | addr[3]), 0xe7037ed1a0b428dbu);
	}
	return mix(h ^ x->seed, 0x8ebc6af09c88c6e3u);
}

static inline struct prefix_slots *part_of(struct prefix_index *x, uint64_t h)
{
	return x->parts ? &x->parts[h >> 56] : &x->one;
}

/* As in the RIB's tables: scaled, so that the capacity is free to be any. */
static inline uint32_t home(const struct prefix_slots *t, uint64_t h)
{
	return (uint32_t)((h >> 24 & UINT32_MAX) * t->cap >> 32);
}

static inline uint64_t node_hash(const struct prefix_index *x, uint32_t node)
{
	const struct node *n = at(x, node);

	return hash_of(x, n->addr, n->len);
}

static inline bool is_key(const struct prefix_index *x, const struct node *n,
			  const struct key *k)
{
	if (n->addr[0] != k->addr[0] || n->len != k->len)
		return false;
	return x->family == IP_V4 || memcmp(n->addr, k->addr, 16) == 0;
}

static inline uint32_t next_slot(const struct prefix_slots *t, uint32_t i)
{
	return i + 1 == t->cap ? 0 : i + 1;
}

static uint32_t lookup(const struct prefix_index *x, const struct key *k, uint64_t h)
{
	const struct prefix_slots *t = x->parts ? &x->parts[h >> 56] : &x->one;

	if (t->n == 0)
		return 0;
	for (uint32_t i = home(t, h);; i = next_slot(t, i)) {
		if (t->slot[i] == 0 || is_key(x, at(x, t->slot[i]), k))
			return t->slot[i];
	}
}

uint32_t prefix_index_find(const struct prefix_index *x, const struct ip_prefix *p)
{
	struct key k = key_of(p);

	return lookup(x, &k, hash_of(x, k.addr, k.len));
}

/* Where the search for it begins; NULL: there is nothing there. */
static inline const uint32_t *first_slot(const struct prefix_index *x, const struct ip_prefix *p)
{
	struct key k = key_of(p);
	uint64_t h = hash_of(x, k.addr, k.len);
	const struct prefix_slots *t = x->parts ? &x->parts[h >> 56] : &x->one;

	return t->cap != 0 ? &t->slot[home(t, h)] : NULL;
}

void prefix_index_prefetch(const struct prefix_index *x, const struct ip_prefix *p)
{
	const uint32_t *slot = first_slot(x, p);

	if (slot)
		__builtin_prefetch(slot);
}

void prefix_index_prefetch_node(const struct prefix_index *x, const struct ip_prefix *p)
{
	const uint32_t *slot = first_slot(x, p);

	if (slot && *slot != 0)
		__builtin_prefetch(at(x, *slot), 1);
}

static void slot_put(struct prefix_slots *t, uint32_t node, uint64_t h)
{
	uint32_t i = home(t, h);

	while (t->slot[i] != 0)
		i = next_slot(t, i);
	t->slot[i] = node;
}

static void slots_resize(struct prefix_index *x, struct prefix_slots *t, uint32_t cap)
{
	struct prefix_slots old = *t;

	t->cap = cap;
	t->slot = mem_calloc(cap, sizeof(*t->slot));
	x->cap_slots += cap - old.cap;
	for (uint32_t i = 0; i < old.cap; i++) {
		if (old.slot[i] != 0)
			slot_put(t, old.slot[i], node_hash(x, old.slot[i]));
	}
	free(old.slot);
}

/* At 2/3. */
static inline bool is_full(const struct prefix_slots *t)
{
	return t->n >= t->cap - t->cap / 3;
}

/* Parts begin with unlike sizes, so that they do not grow all at about one time. */
static uint32_t first_cap(const struct prefix_index *x, const struct prefix_slots *t)
{
	return x->parts ? 4 * SLOTS_MIN + (uint32_t)(t - x->parts) / 8 : SLOTS_MIN;
}

static struct prefix_slots *slots_room(struct prefix_index *x, struct prefix_slots *t)
{
	if (is_full(t))
		slots_resize(x, t, t->cap ? t->cap + t->cap / 2 : first_cap(x, t));
	return t;
}

static void split(struct prefix_index *x)
{
	struct prefix_slots old = x->one;

	x->one = (struct prefix_slots){ 0 };
	x->parts = mem_calloc(PREFIX_INDEX_PARTS, sizeof(*x->parts));
	x->cap_slots = 0;
	for (uint32_t i = 0; i < old.cap; i++) {
		uint64_t h;

		if (old.slot[i] == 0)
			continue;
		h = node_hash(x, old.slot[i]);
		slot_put(slots_room(x, part_of(x, h)), old.slot[i], h);
		part_of(x, h)->n++;
	}
	free(old.slot);
}

static void slot_add(struct prefix_index *x, uint32_t node, uint64_t h)
{
	if (!x->parts && x->one.cap >= SMALL_MAX && is_full(&x->one))
		split(x);
	slot_put(slots_room(x, part_of(x, h)), node, h);
	part_of(x, h)->n++;
}

static inline uint32_t distance(const struct prefix_slots *t, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + t->cap - from;
}

static void slot_erase(struct prefix_index *x, uint32_t node)
{
	uint64_t h = node_hash(x, node);
	struct prefix_slots *t = part_of(x, h);
	uint32_t hole = home(t, h);

	while (t->slot[hole] != node)
		hole = next_slot(t, hole);
	for (uint32_t i = next_slot(t, hole); t->slot[i] != 0; i = next_slot(t, i)) {
		uint32_t from = home(t, node_hash(x, t->slot[i]));

		/* may move up to the hole unless that is before its home */
		if (distance(t, from, i) < distance(t, hole, i))
			continue;
		t->slot[hole] = t->slot[i];
		hole = i;
	}
	t->slot[hole] = 0;
	t->n--;
}

/* ---- the trie */

static inline unsigned int bit(const uint32_t *addr, unsigned int i)
{
	return addr[i >> 5] >> (31 - (i & 31)) & 1;
}

/* How many of the first max bits are the same. */
static inline unsigned int common(const uint32_t *a, const uint32_t *b, unsigned int max)
{
	for (unsigned int i = 0; i * 32 < max; i++) {
		uint32_t differ = a[i] ^ b[i];
		unsigned int same;

		if (differ == 0)
			continue;
		same = i * 32 + (unsigned int)__builtin_clz(differ);
		return same < max ? same : max;
	}
	return max;
}

static inline bool covers(const struct node *n, const struct key *k)
{
	return n->len <= k->len && common(n->addr, k->addr, n->len) == n->len;
}

static uint32_t node_new(struct prefix_index *x, const uint32_t *addr, unsigned int len)
{
	uint32_t number = x->free_node;
	struct node *n;

	if (number != 0) {
		x->free_node = at(x, number)->child[0];
	} else {
		if (x->n_nodes == x->cap_nodes) {
			/* grown in place where the system can; never in one
			 * doubling, which would be most of the memory */
			x->cap_nodes = x->cap_nodes + x->cap_nodes / 4 + 16;
			x->mem = mem_realloc(x->mem, x->cap_nodes,
					     stride(x) * sizeof(uint32_t));
		}
		if (x->n_nodes == 0)
			x->n_nodes = 1;
		number = x->n_nodes++;
	}
	n = at(x, number);
	memset(n, 0, stride(x) * sizeof(uint32_t));
	n->len = (uint8_t)len;
	for (unsigned int i = 0; i * 32 < len; i++)
		n->addr[i] = len - i * 32 >= 32
				     ? addr[i]
				     : addr[i] & ~(UINT32_MAX >> (len - i * 32));
	return number;
}

static void node_free(struct prefix_index *x, uint32_t number)
{
	struct node *n = at(x, number);

	n->used = 0;
	n->child[0] = x->free_node;
	x->free_node = number;
}

/* A place that holds the number of a node: root or a child of another. */
struct link {
	uint32_t node; /* 0: the root */
	unsigned int side;
};

static uint32_t link_get(const struct prefix_index *x, struct link l)
{
	return l.node ? at(x, l.node)->child[l.side] : x->root;
}

static void link_set(struct prefix_index *x, struct link l, uint32_t to)
{
	if (l.node)
		at(x, l.node)->child[l.side] = to;
	else
		x->root = to;
}

/* Where the prefix of a new node belongs. A mere branch there gives way. */
static void insert(struct prefix_index *x, uint32_t new)
{
	const struct node *n = at(x, new);
	struct key k = { .len = n->len };
	struct link l = { 0 };
	uint32_t below, branch;
	unsigned int same = 0;

	memcpy(k.addr, n->addr, words(x) * sizeof(uint32_t));
	while ((below = link_get(x, l)) != 0) {
		n = at(x, below);
		same = common(n->addr, k.addr, n->len < k.len ? n->len : k.len);
		if (same < n->len)
			break;
		if (n->len == k.len) {
			memcpy(at(x, new)->child, n->child, sizeof(n->child));
			link_set(x, l, new);
			node_free(x, below);
			return;
		}
		l = (struct link){ below, bit(k.addr, n->len) };
	}
	if (below == 0) {
		link_set(x, l, new);
	} else if (same == k.len) {
		at(x, new)->child[bit(at(x, below)->addr, same)] = below;
		link_set(x, l, new);
	} else {
		branch = node_new(x, k.addr, same);
		at(x, branch)->child[bit(at(x, below)->addr, same)] = below;
		at(x, branch)->child[bit(k.addr, same)] = new;
		link_set(x, l, branch);
	}
}

/* Which part of the table: by 16 bits, for IPv6 by those that tell apart what
 * lies in 2000::/3. */
static inline uint32_t part(const struct prefix_index *x, uint32_t node)
{
	uint32_t addr = at(x, node)->addr[0];

	return (x->family == IP_V4 ? addr : addr << 3) >> (32 - PART_BITS);
}

static uint32_t *by_part(const struct prefix_index *x)
{
	uint32_t *start = mem_calloc((1u << PART_BITS) + 1, sizeof(*start));
	uint32_t *sorted = mem_calloc(x->n_unlinked, sizeof(*sorted));

	for (uint32_t i = 0; i < x->n_unlinked; i++)
		start[part(x, x->unlinked[i]) + 1]++;
	for (uint32_t i = 1; i <= 1u << PART_BITS; i++)
		start[i] += start[i - 1];
	for (uint32_t i = 0; i < x->n_unlinked; i++)
		sorted[start[part(x, x->unlinked[i])]++] = x->unlinked[i];
	free(start);
	return sorted;
}

static void link_all(struct prefix_index *x)
{
	if (x->n_unlinked >= PARTS_MIN) {
		uint32_t *sorted = by_part(x);

		free(x->unlinked);
		x->unlinked = sorted;
	}
	for (uint32_t i = 0; i < x->n_unlinked; i++)
		insert(x, x->unlinked[i]);
	x->n_unlinked = 0;
	x->reserved = 0;
	if (x->cap_unlinked >= PARTS_MIN) {
		free(x->unlinked);
		x->unlinked = NULL;
		x->cap_unlinked = 0;
	}
}

static void link_later(struct prefix_index *x, uint32_t node)
{
	if (x->n_unlinked == x->cap_unlinked) {
		x->cap_unlinked = x->cap_unlinked ? x->cap_unlinked * 2 : 16;
		x->unlinked =
			mem_realloc(x->unlinked, x->cap_unlinked, sizeof(*x->unlinked));
	}
	x->unlinked[x->n_unlinked++] = node;
	if (x->n_unlinked >= LATER_MAX && x->n >= x->reserved)
		link_all(x);
}

uint32_t prefix_index_get(struct prefix_index *x, const struct ip_prefix *p)
{
	struct key k = key_of(p);
	uint64_t h = hash_of(x, k.addr, k.len);
	uint32_t node = lookup(x, &k, h);

	if (node != 0)
		return node;
	node = node_new(x, k.addr, k.len);
	at(x, node)->used = 1;
	slot_add(x, node, h);
	link_later(x, node);
	x->n++;
	return node;
}

void prefix_index_reserve(struct prefix_index *x, size_t n)
{
	size_t each = n;

	x->reserved = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	if (!x->parts && n > SMALL_MAX)
		split(x);
	if (x->parts) /* they do not fill alike */
		each = n / PREFIX_INDEX_PARTS + n / PREFIX_INDEX_PARTS / 8;
	for (unsigned int i = 0; i < n_parts(x); i++) {
		struct prefix_slots *t = part_at(x, i);
		uint64_t cap = first_cap(x, t) + each + each / 2 + each * i / 512;

		if (cap > t->cap && cap < UINT32_MAX / 2)
			slots_resize(x, t, (uint32_t)cap);
	}
}

/* What a node without use of its own leaves to the one above it. */
static uint32_t only_child(const struct node *n)
{
	return n->child[0] ? n->child[0] : n->child[1];
}

void prefix_index_erase(struct prefix_index *x, uint32_t node)
{
	struct node *n;
	struct link l = { 0 }, above = { 0 };

	link_all(x);
	n = at(x, node); /* branches were made */
	slot_erase(x, node);
	x->n--;
	n->used = 0;
	memset(n->data, 0, sizeof(n->data));
	if (n->child[0] != 0 && n->child[1] != 0)
		return;
	while (link_get(x, l) != node) {
		above = l;
		l.node = link_get(x, l);
		l.side = bit(n->addr, at(x, l.node)->len);
	}
	link_set(x, l, only_child(n));
	/* A branch above that has lost one side is none any more. */
	if (only_child(n) == 0 && l.node != 0 && !at(x, l.node)->used) {
		link_set(x, above, only_child(at(x, l.node)));
		node_free(x, l.node);
	}
	node_free(x, node);
	if (x->n == 0)
		prefix_index_fini(x);
}

/* ---- to walk */

bool prefix_index_covering(struct prefix_index *x, const struct ip_prefix *p,
			   prefix_index_fn *fn, void *arg)
{
	struct key k = key_of(p);
	uint32_t node;

	link_all(x);
	node = x->root;
	while (node != 0 && covers(at(x, node), &k)) {
		if (at(x, node)->used && fn(x, node, arg))
			return true;
		if (at(x, node)->len == k.len)
			break;
		node = at(x, node)->child[bit(k.addr, at(x, node)->len)];
	}
	return false;
}

uint32_t prefix_index_parent(struct prefix_index *x, const struct ip_prefix *p)
{
	struct key k = key_of(p);
	uint32_t node, parent = 0;

	link_all(x);
	node = x->root;
	while (node != 0 && at(x, node)->len < k.len && covers(at(x, node), &k)) {
		if (at(x, node)->used)
			parent = node;
		node = at(x, node)->child[bit(k.addr, at(x, node)->len)];
	}
	return parent;
}

/* As deep as an address has bits. */
static void walk(const struct prefix_index *x, uint32_t node, uint32_t leave_out,
		 prefix_index_fn *fn, void *arg)
{
	while (node != 0) {
		const struct node *n = at(x, node);

		if (n->used && node != leave_out && fn(x, node, arg))
			return;
		walk(x, n->child[0], 0, fn, arg);
		node = n->child[1];
	}
}

void prefix_index_inside(struct prefix_index *x, const struct ip_prefix *p,
			 bool with_itself, prefix_index_fn *fn, void *arg)
{
	struct key k = key_of(p);
	uint32_t itself = lookup(x, &k, hash_of(x, k.addr, k.len)), node = itself;

	link_all(x);
	if (itself == 0) {
		node = x->root;
		while (node != 0 && at(x, node)->len < k.len) {
			if (!covers(at(x, node), &k))
				return;
			node = at(x, node)->child[bit(k.addr, at(x, node)->len)];
		}
		if (node == 0 || common(at(x, node)->addr, k.addr, k.len) != k.len)
			return;
	}
	walk(x, node, with_itself ? 0 : itself, fn, arg);
}
