/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * path_table - the paths of one peer, view and family: (prefix, path id) to
 * the number of an interned attribute set.
 *
 * Open addressing with linear probing in 16 bytes per IPv4 and 28 bytes per
 * IPv6 slot. All paths of a prefix share one hash, so they lie together and
 * "any path of this prefix" is one probe. Erasing moves later slots up, so
 * there are no tombstones and a table never degrades.
 *
 * A table that is not small consists of 256 of them, told apart by the first
 * bits of the hash, which grow and shrink one by one: no insertion moves more
 * than that part of the paths, whatever their number.
 *
 * Each slot knows the generation of its last word. Marking everything stale,
 * or dead, costs nothing: a new generation begins. Dead slots are still found
 * until path_table_sweep() has come by, which does as much as it is told to.
 */
#ifndef SAV_PATH_TABLE_H
#define SAV_PATH_TABLE_H

#include "lib/ip.h"

/* Paths of one prefix from one peer. They share a probe sequence, so without
 * a bound a peer with add-path could make each of its routes cost a scan. */
#define PATH_TABLE_SIBLINGS_MAX 512

struct path_key {
	uint32_t addr[4]; /* most significant word first; IPv4 uses addr[0] */
	uint32_t path_id;
	uint8_t len;
};

struct path_slot {
	uint32_t attr; /* 0: the slot is free */
	uint32_t path_id;
	uint32_t len : 8;
	uint32_t generation : 24;
	uint32_t addr[]; /* 1 or 4 words */
};

struct path_part {
	uint32_t *mem;
	uint32_t cap; /* slots; 0 or 2^k or 3 * 2^k */
	uint32_t n;
};

#define PATH_TABLE_PARTS 256

struct path_table {
	struct path_part *parts; /* NULL: the table is small, and all of it is */
	struct path_part one;	 /* here */
	uint32_t n;
	uint32_t n_fresh;    /* of the present generation */
	uint32_t n_dead;     /* of a generation before dead_before */
	uint32_t n_more;     /* not the only, nor the first, of their prefix */
	uint32_t generation; /* never below dead_before */
	uint32_t dead_before;
	uint32_t sweep_part, sweep_at; /* where path_table_sweep() goes on */
	uint32_t erased_part;	       /* something was erased there last */
	enum ip_family family;
	uint64_t seed;
	size_t bytes; /* of memory */
};

/* seed: secret, so that a peer cannot choose prefixes that collide. */
void path_table_init(struct path_table *t, enum ip_family family, uint64_t seed);
void path_table_fini(struct path_table *t); /* the table is empty and usable */

struct path_key path_key_make(const struct ip_prefix *p, uint32_t path_id);
struct ip_prefix path_slot_prefix(const struct path_table *t, const struct path_slot *s);

/* Slots are valid until the next insert, erase or fit. */
/* The i-th of a part, which is free where attr is 0; NULL: there are no more. A
 * path stays in its part, unless the table stops being small: then all that was
 * in part 0 is spread over all parts. */
struct path_slot *path_table_at(const struct path_table *t, unsigned int part, uint32_t i);
struct path_slot *path_table_find(const struct path_table *t, const struct path_key *key);
struct path_slot *path_table_find_any(const struct path_table *t,
				      const struct path_key *key);
/* Another path of the slot's prefix, or NULL: all of them, begun by find_any. */
struct path_slot *path_table_find_more(const struct path_table *t,
				       const struct path_slot *slot);
/* Asks the processor for the memory that a look-up of the key will want. */
void path_table_prefetch(const struct path_table *t, const struct path_key *key);
/* Finds or makes; a new slot has attr 0 and the caller sets it at once. NULL
 * when the prefix has PATH_TABLE_SIBLINGS_MAX paths already. */
struct path_slot *path_table_insert(struct path_table *t, const struct path_key *key);
/* No other path has this one's prefix. */
bool path_table_is_only(const struct path_table *t, const struct path_slot *slot);
/* The path was mentioned again: it is neither stale nor dead. */
void path_table_refresh(struct path_table *t, struct path_slot *slot);
/* Moves later slots up: during a scan look at the same index again. */
void path_table_erase(struct path_table *t, struct path_slot *slot);
/* Gives memory back where something was erased last, if little is left there. */
void path_table_fit(struct path_table *t);

/* All paths become stale, or all that are stale become dead; both at once,
 * whatever the size. */
void path_table_mark_stale(struct path_table *t);
void path_table_kill_stale(struct path_table *t);
bool path_table_is_dead(const struct path_table *t, const struct path_slot *slot);
/* Hands dead slots to fn, which erases each; stops when *budget is used up: one
 * for each, and one for every 16 slots that it had to look at. False: none is
 * left. Memory is given back on the way. Between calls the table may change in every
 * way. */
typedef void path_table_dead_fn(struct path_table *t, struct path_slot *slot, void *arg);
bool path_table_sweep(struct path_table *t, size_t *budget, path_table_dead_fn *fn,
		      void *arg);

#endif /* SAV_PATH_TABLE_H */
