/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * prefix_index - the prefixes of one family, each once, with room for three
 * numbers of the owner's at each.
 *
 * A trie that joins paths without branches, for what covers a prefix and what
 * lies in it in ascending order; over it a hash table, since most look-ups are
 * for a prefix that is there. Nodes are named by number: 28 bytes each for
 * IPv4 and 40 for IPv6, up to two for a prefix, and 6 bytes of hash table.
 *
 * New prefixes enter the trie when it is asked for, or many at once, part by part,
 * instead of from end to end of memory for each. The hash table, once it is not
 * small, consists of 256 that grow one by one: nothing ever waits for a whole table
 * to be moved or linked.
 */
#ifndef SAV_PREFIX_INDEX_H
#define SAV_PREFIX_INDEX_H

#include "lib/ip.h"

#define PREFIX_INDEX_DATA 3 /* words at each prefix, all 0 at first */

struct prefix_slots {
	uint32_t *slot; /* node numbers, open addressing */
	uint32_t cap, n;
};

#define PREFIX_INDEX_PARTS 256

struct prefix_index {
	enum ip_family family;
	uint32_t n; /* prefixes */

	uint32_t *mem; /* node 0 is no node */
	uint32_t n_nodes, cap_nodes, free_node;
	uint32_t root;
	uint32_t *unlinked; /* nodes that are not in the trie yet */
	uint32_t n_unlinked, cap_unlinked;
	uint32_t reserved; /* until there are so many they may all wait */
	struct prefix_slots *parts; /* NULL: the table is small, and all of it is */
	struct prefix_slots one;    /* here */
	uint32_t cap_slots;	    /* of all */
	uint64_t seed;
};

/* seed: secret, so that a peer cannot choose prefixes that collide. */
void prefix_index_init(struct prefix_index *x, enum ip_family family, uint64_t seed);
void prefix_index_fini(struct prefix_index *x);
size_t prefix_index_bytes(const struct prefix_index *x);

/* So many prefixes will be held: saves the growing, and they are linked together,
 * which is twice as fast, and then waited for together. */
void prefix_index_reserve(struct prefix_index *x, size_t n);

/* 0 where there is no such prefix. */
uint32_t prefix_index_find(const struct prefix_index *x, const struct ip_prefix *p);
/* Or makes it. */
uint32_t prefix_index_get(struct prefix_index *x, const struct ip_prefix *p);
void prefix_index_erase(struct prefix_index *x, uint32_t node);
/* Asks the processor for the memory that a look-up will want, in two steps:
 * the second address comes out of the first. */
void prefix_index_prefetch(const struct prefix_index *x, const struct ip_prefix *p);
void prefix_index_prefetch_node(const struct prefix_index *x, const struct ip_prefix *p);

/* Valid until the next prefix_index_get(). */
uint32_t *prefix_index_data(const struct prefix_index *x, uint32_t node);
struct ip_prefix prefix_index_prefix(const struct prefix_index *x, uint32_t node);
/* A number whose prefix was erased may name nothing, or another prefix by now. */
bool prefix_index_is_used(const struct prefix_index *x, uint32_t node);

typedef bool prefix_index_fn(const struct prefix_index *x, uint32_t node, void *arg);
/* The prefixes that cover p, p too, from short to long, until fn says true.
 * Returns whether it did. */
bool prefix_index_covering(struct prefix_index *x, const struct ip_prefix *p,
			   prefix_index_fn *fn, void *arg);
/* The prefixes inside p in ascending order, p too if with_itself; fn says true
 * to leave out what lies inside of one. fn must not change the index. */
void prefix_index_inside(struct prefix_index *x, const struct ip_prefix *p,
			 bool with_itself, prefix_index_fn *fn, void *arg);
/* The longest prefix that covers p and is not p, or 0. */
uint32_t prefix_index_parent(struct prefix_index *x, const struct ip_prefix *p);

#endif /* SAV_PREFIX_INDEX_H */
