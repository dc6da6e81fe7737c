/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rib - the Adj-RIBs-In of every BGP peer of every router, as the feeds tell.
 *
 * A peer is keyed by (router, peer type, distinguisher, address), a path by
 * (peer, view, prefix, path id); the last word on a path wins. Path
 * attributes are interned: a path costs a table slot, not a copy. Removing a
 * peer costs O(its paths): at once, or after rib_defer() in slices. Nothing
 * here knows time, sockets or policy.
 */
#ifndef SAV_RIB_H
#define SAV_RIB_H

#include "lib/ip.h"

struct rib;
struct rib_peer;

/* RFC 7854 sec. 4.2: the L flag. The two are kept apart. */
enum rib_view {
	RIB_PRE,
	RIB_POST,
};
#define RIB_VIEWS 2

/* Origin AS of a path as RFC 6811 sec. 2 defines it. */
enum rib_origin {
	RIB_ORIGIN_AS,	 /* origin_as holds it */
	RIB_ORIGIN_NONE, /* the final segment is an AS_SET */
	RIB_ORIGIN_OWN,	 /* empty or confederation-only path: the own AS */
};

/* What the set computation and the BGP decision process need of a path;
 * immutable and shared once interned. */
struct rib_attr {
	uint32_t origin_as;	/* valid with RIB_ORIGIN_AS */
	uint8_t origin_kind;	/* enum rib_origin */
	uint8_t origin_code;	/* RFC 4271 ORIGIN: 0 IGP, 1 EGP, 2 INCOMPLETE */
	uint8_t has_local_pref; /* else RFC 4271 9.1.2.2 offline rule: 100 */
	uint8_t has_med;
	uint32_t local_pref;
	uint32_t med;
	uint32_t neighbor_as;	 /* leftmost AS of a leading AS_SEQUENCE, else 0 */
	uint16_t as_path_hops;	 /* RFC 4271 9.1.2.2 (a): a set counts one */
	uint16_t as_path_len;	 /* bytes of as_path */
	uint8_t no_advertise;	 /* community NO_ADVERTISE (RFC 1997) */
	struct ip_addr next_hop; /* family of the next hop; v 0 where absent */
	const uint8_t *as_path;	 /* segments with 4-byte AS numbers, network order,
				  * after AS4_PATH merge and local-AS strip */
};

struct rib_peer_key {
	uint32_t router; /* index given by the caller, one per router name */
	uint8_t type; /* RFC 7854 4.2: 0 global, 1 RD, 2 local; 3 Loc-RIB is never here */
	uint64_t distinguisher;
	struct ip_addr addr;
};

/* One change of one path. old or new is NULL for an addition or removal;
 * an implicit replace has both. Called after the change is in the table; the
 * watcher must not change the rib. */
typedef void rib_watch_fn(struct rib_peer *peer, enum rib_view view,
			  const struct ip_prefix *prefix, const struct rib_attr *old,
			  const struct rib_attr *new, void *arg);

struct rib *rib_new(void);
void rib_free(struct rib *rib);
void rib_watch(struct rib *rib, rib_watch_fn *fn, void *arg); /* one watcher */

/* Finds or creates; NULL from _find when unknown. Pointers stay valid until
 * rib_peer_remove(). */
struct rib_peer *rib_peer_get(struct rib *rib, const struct rib_peer_key *key);
struct rib_peer *rib_peer_find(const struct rib *rib, const struct rib_peer_key *key);
/* With all its paths, watcher told; never deferred: clear and sweep it before. */
void rib_peer_remove(struct rib_peer *peer);
const struct rib_peer_key *rib_peer_key(const struct rib_peer *peer);
/* The view that counts: post-policy once rib_peer_saw_post() was told of any
 * post-policy message of this family (also an End-of-RIB or a withdrawal),
 * else pre-policy. Sticky for the life of the peer, also across streams. */
void rib_peer_saw_post(struct rib_peer *peer, enum ip_family family);
enum rib_view rib_peer_view(const struct rib_peer *peer, enum ip_family family);
uint64_t rib_view_changes(const struct rib *rib); /* how often one did, of all peers */
/* One pointer of the owner of the rib; NULL at first, never freed here. */
void rib_peer_set_user(struct rib_peer *peer, void *user);
void *rib_peer_user(const struct rib_peer *peer);
struct rib_peer *rib_peer_first(const struct rib *rib);
struct rib_peer *rib_peer_next(const struct rib_peer *peer);

/* *attr is copied (with its as_path) when it is not interned yet.
 * Returns 1 when something changed, 0 when the very same path was there, -1
 * when it is left out and counted: the peer is at its bound (rib_bound()), or
 * sends hundreds of add-path paths of one prefix. What was there stays. */
int rib_announce(struct rib_peer *peer, enum rib_view view,
		 const struct ip_prefix *prefix, uint32_t path_id,
		 const struct rib_attr *attr);
/* A full table is bound by waiting for memory. A caller that knows some routes
 * ahead says so here, and a route or two later hands what was returned to the
 * second function; both only make a later rib_announce() of it faster. */
uint32_t rib_prefetch(const struct rib_peer *peer, enum rib_view view,
		      const struct ip_prefix *prefix, const struct rib_attr *attr);
void rib_prefetch_attr(const struct rib_peer *peer, uint32_t hash);
/* false: no such path (RFC 7854 plausibility: "withdraw of unknown"). */
bool rib_withdraw(struct rib_peer *peer, enum rib_view view,
		  const struct ip_prefix *prefix, uint32_t path_id);

/* Re-dump support: mark all paths of the peer and family stale, let the dump
 * refresh them, then sweep what it did not mention. Sweep returns the number
 * that goes. Marked paths count like any other until swept. */
void rib_stale_mark(struct rib_peer *peer, enum rib_view view, enum ip_family family);
size_t rib_stale_sweep(struct rib_peer *peer, enum rib_view view, enum ip_family family);
void rib_peer_clear(struct rib_peer *peer, enum rib_view view, enum ip_family family);

/* From now on rib_stale_sweep() and rib_peer_clear() take no time: what they
 * take away is dead, and rib_sweep() removes it. A path that comes again
 * meanwhile lives. The dead are still found and walked, as whatever the watcher
 * was told of is, until it is told that they are gone. Pre-policy goes first,
 * so that it never seems to hold what post-policy has lost. */
void rib_defer(struct rib *rib);
/* Removes dead paths until *budget is used up: one for each, and a little for
 * looking for them. False: there are no more. */
bool rib_sweep(struct rib *rib, size_t *budget);
bool rib_is_sweeping(const struct rib *rib);
bool rib_peer_is_sweeping(const struct rib_peer *peer);

/* Bounds what one peer can make us keep, over both views and families: so many
 * paths; a path counts once more for every RIB_PATH_UNIT bytes of AS_PATH (64
 * hops), since the attributes are not bounded otherwise. 0: no bound, which is
 * the default. Dead paths count until they are swept. full is called when the
 * first path of a peer is left out, and again after rib_peer_retry(); it must
 * not change the rib. */
#define RIB_PATH_UNIT 256
typedef void rib_full_fn(struct rib_peer *peer, void *arg);
void rib_bound(struct rib *rib, size_t max_paths, rib_full_fn *full, void *arg);
void rib_peer_retry(struct rib_peer *peer);
bool rib_peer_is_full(const struct rib_peer *peer);
uint64_t rib_peer_weight(const struct rib_peer *peer); /* what counts against it */
uint64_t rib_peer_refused(const struct rib_peer *peer); /* paths so far */

/* Without the dead. */
size_t rib_path_count(const struct rib_peer *peer, enum rib_view view,
		      enum ip_family family);
typedef void rib_path_fn(const struct ip_prefix *prefix, uint32_t path_id,
			 const struct rib_attr *attr, void *arg);
/* Unspecified order. fn must not change the rib. */
void rib_walk(const struct rib_peer *peer, enum rib_view view, enum ip_family family,
	      rib_path_fn *fn, void *arg);
/* A 256th of it, part 0 to 255, so that a long walk can be interrupted: a path that
 * is there all the while is met in its part, or seldom in two. A small table is a
 * single part. False: that was the last one. */
bool rib_walk_part(const struct rib_peer *peer, enum rib_view view, enum ip_family family,
		   unsigned int part, rib_path_fn *fn, void *arg);
/* How many prefixes there are only pre-policy: denied by policy, or lost. The dead
 * count. All, where post-policy is not sent. */
size_t rib_pre_only(const struct rib_peer *peer, enum ip_family family);
/* This path, or NULL. */
const struct rib_attr *rib_path(const struct rib_peer *peer, enum rib_view view,
				const struct ip_prefix *prefix, uint32_t path_id);
/* All paths of exactly this prefix; how many. */
size_t rib_walk_prefix(const struct rib_peer *peer, enum rib_view view,
		       const struct ip_prefix *prefix, rib_path_fn *fn, void *arg);
/* Any path of exactly this prefix, or NULL. */
const struct rib_attr *rib_lookup(const struct rib_peer *peer, enum rib_view view,
				  const struct ip_prefix *prefix);

struct rib_stats {
	size_t peers, paths, attrs; /* paths: with the dead */
	size_t bytes;		    /* all memory the rib holds */
	size_t refused;		    /* announcements beyond either bound */
};
void rib_stats(const struct rib *rib, struct rib_stats *stats);

#endif /* SAV_RIB_H */
