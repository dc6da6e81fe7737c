/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * live - the computed set of every edge, kept in step with the routes.
 *
 * What sets.h computes from scratch, brought up to date route by route: a
 * change of a route costs what it changes, whatever else is configured or in
 * the RIB. Pure like sets: no clock, no log; readiness and hold-down come after.
 *
 * Routes only note where sets may differ; live_drain() evaluates those places
 * and tells what came and what went, so that a burst costs one evaluation and
 * a route that went and came back is no change at all. Sets that many edges
 * read (efp-b) are held once, the loose ones once for each router that has such
 * edges, for its blackholes count.
 *
 * A prefix that leaves a set costs a look at the table's more-specifics of it, as
 * it may leave as many pieces: some milliseconds for a /8 with 40,000 of them,
 * nothing to speak of for most. Of what routers forward by, a change of a route
 * costs likewise, and once more for each router whose loose edges read it.
 *
 * How an engine uses it. Edges and routers are indexes into the config of the
 * last live_policy().
 *
 *   a peer appears          live_source_add(), before its routes or after, but
 *                           see there
 *   the rib's watcher       live_route()
 *   a peer moves            live_source_move()
 *   a peer goes             live_source_remove(), then rib_peer_remove(); or
 *                           let the watcher tell each path first, at equal cost
 *   End-of-RIB, Peer Up     live_source_refresh()
 *   policy changed          live_policy(), then live_ports() and live_fib() of
 *                           routers that are new, live_source_move() for the
 *                           sources whose edge is another one now. Drain
 *                           before the change: what is told next is then the
 *                           command's own effect and need not wait
 *   a forwarding table      live_fib(), live_fib_route(); live_ports() when the
 *                           numbers of interfaces may have changed
 *   engine_run()            live_drain()
 *
 * Per call of edge(): enforced grows by *added, *added stops waiting (hold's
 * entries less *added), *removed within enforced starts to wait; each of these
 * touches the delta's ranges only. An engine that also keeps one enforced set
 * for each shared set sets shared(), and derives an edge's filter from it by
 * live_edge_decorate(): then no set is held for each of thousands of edges.
 */
#ifndef SAV_LIVE_H
#define SAV_LIVE_H

#include "controller/sets/sets.h"

struct live;
struct live_source;

/* Where the sets of strict and strict-direct come from. */
enum live_strict {
	LIVE_STRICT_BEST_PATH, /* as sets.h does for a recording */
	LIVE_STRICT_GIVEN,     /* live_fib(), live_strict_part() */
};

struct live *live_new(enum live_strict strict);
void live_free(struct live *live); /* with its sources; before the rib goes */

/* Takes over what it needs of the policy. Costs the routes of the peers whose
 * edge's role or mode changed, and a look at every edge. Nothing may wait to be
 * drained. Sources of a router that is not in the config any more go on
 * counting until they are removed; those of an edge that is gone are on none. */
void live_policy(struct live *live, const struct config *cfg);

/* Adds what the rib holds of the peer now. Inside a rib_watch_fn that includes
 * the path it is called for, which must then not be told as well. */
struct live_source *live_source_add(struct live *live, const struct sets_source *source);
void live_source_move(struct live *live, struct live_source *source, size_t edge,
		      bool ibgp);
void live_source_remove(struct live *live, struct live_source *source);
/* rib_peer_saw_post() may have changed the view that counts. An announcement
 * looks by itself; what no route follows (End-of-RIB) has to be said here. Not
 * inside a rib_watch_fn. */
void live_source_refresh(struct live *live, struct live_source *source);

/* As rib_watch_fn, for either view. */
void live_route(struct live *live, struct live_source *source, enum rib_view view,
		const struct ip_prefix *prefix, const struct rib_attr *old,
		const struct rib_attr *new);

/* What this router forwards by; NULL: that is not known. It stays the caller's, and
 * is changed by live_fib_route() alone until it is taken back. Costs the table
 * if an edge of the router is strict; loose edges are looked at as a whole. A
 * router that leaves the config has none any more. */
void live_fib(struct live *live, size_t router, struct fib *fib);
/* As fib_set(), for a router that has a table; costs the routes inside the prefix. */
void live_fib_route(struct live *live, size_t router, const struct ip_prefix *prefix,
		    enum agent_route_kind kind, const uint32_t *indexes, size_t n);
/* The number of each edge's interface, 0 where it is not known. Where one has
 * changed the strict edges of its router are computed anew. */
void live_ports(struct live *live, const uint32_t *index);

/* Without live_fib(), something else decides: between first and last this edge,
 * whose mode is strict or strict-direct, accepts *part, before decoration. */
void live_strict_part(struct live *live, size_t edge, enum ip_family family, u128 first,
		      u128 last, const struct rangeset *part);

/* Sets that all edges of a mode share. */
enum live_shared {
	LIVE_OWN, /* none: the edge has a set of its own, or only decoration */
	LIVE_EFP_B,
};
#define LIVE_SHARED 2

struct live_ops {
	/* The computed set of this edge changed. The two do not meet; what is
	 * added was not in the set, what is removed was. */
	void (*edge)(void *ctx, size_t edge, const struct addrset *added,
		     const struct addrset *removed);
	/* A shared set changed, before decoration. NULL: edge() is called for
	 * each edge that reads it. Else this comes first and concerns all edges
	 * that read the set now and did before, and edge() tells of an edge with
	 * a shared set only what the policy changed besides; where it changed
	 * which set is read, the whole difference. A set that no edge reads any
	 * more is forgotten, and begins as empty when one does again. */
	void (*shared)(void *ctx, enum live_shared which, const struct addrset *added,
		       const struct addrset *removed);
};
void live_drain(struct live *live, const struct live_ops *ops, void *ctx);
bool live_is_dirty(const struct live *live); /* there is something to drain */

/* As of the last drain; *out is replaced. */
void live_edge_set(const struct live *live, size_t edge, struct addrset *out);
/* What of *where is in the edge's set; costs what it is about. *out is replaced. */
void live_edge_part(const struct live *live, size_t edge, const struct addrset *where,
		    struct addrset *out);
enum live_shared live_edge_shared(const struct live *live, size_t edge);
void live_shared_set(const struct live *live, enum live_shared which,
		     struct addrset *out);
/* What the edge makes of its mode's set, or of any part of it: ((raw, plus the
 * record) minus special-purpose minus own) plus exceptions. */
void live_edge_decorate(const struct live *live, size_t edge, const struct addrset *raw,
			struct addrset *out);
/* As if the edge had that mode, feasible with all paths: of the routes as they are
 * now; strict only as of live_fib(). Walks all prefixes, or for feasible and strict
 * what they read. cfg: as of the last live_policy(). *out is replaced. */
void live_edge_set_as(struct live *live, const struct config *cfg, size_t edge,
		      enum edge_mode mode, struct addrset *out);

/* Whether it would admit the address in that mode, by the routes as they are now;
 * strict only as of live_fib(). Costs what holds the address. cfg: as of the last
 * live_policy(). */
bool live_edge_admits_as(struct live *live, const struct config *cfg, size_t edge,
			 enum edge_mode mode, const struct ip_addr *addr);

/* Of all paths that the edge's router has of the prefix, where the best that was
 * received on the edge comes, from 1 on. 0: none was, or no edge of the router has
 * mode feasible paths N. */
size_t live_edge_rank(const struct live *live, size_t edge, const struct ip_prefix *p);

/* All prefixes that anybody announces with this origin, in no order. */
typedef void live_prefix_of_fn(const struct ip_prefix *p, void *arg);
void live_origin_walk(struct live *live, uint32_t as, live_prefix_of_fn *fn, void *arg);

struct live_stats {
	size_t prefixes, origins, sources;
	size_t bytes; /* all memory held */
};
void live_stats(const struct live *live, struct live_stats *stats);

#endif /* SAV_LIVE_H */
