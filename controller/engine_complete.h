/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine_complete - whether a customer's filters admit all that is its own, as
 * RFC 3704 sec. 4.2 asks of each of its providers.
 *
 * Its own is, in this order: its record; what the RADIUS sessions of an edge
 * give, on that edge; what the peers on any of its edges announce; and what
 * anybody announces whose origin is its AS. On each edge of the customer all of
 * that should be admitted, by the set that the router was told: who is multihomed
 * may send from any of it by any link. Prefixes that no mode but loose believes
 * (sets.h) are left aside, and so are edges without a role and of mode off.
 *
 * Costs what there is of it, and a look at the edge's set for each. Who has other
 * work waiting takes it in slices.
 */
#ifndef SAV_ENGINE_COMPLETE_H
#define SAV_ENGINE_COMPLETE_H

#include "controller/engine.h"

/* A peer with more paths sends more than a customer's own: it is not looked at.
 * In all so many prefixes are. */
#define COMPLETE_PATHS_MAX    20000
#define COMPLETE_PREFIXES_MAX 100000

enum complete_source {
	COMPLETE_RECORD,
	COMPLETE_SESSION,
	COMPLETE_ANNOUNCED,
	COMPLETE_ORIGIN,
};
const char *complete_source_name(enum complete_source source);

struct complete_gap {
	const struct config_edge *edge;
	struct ip_prefix prefix;
	enum complete_source source; /* the first that has the prefix */
	const struct rib_peer *peer; /* ANNOUNCED: who does */
	const char *peer_router;     /* its router */
	struct ip_addr missing;	     /* the first address of it that is refused */
};
typedef void complete_gap_fn(const struct complete_gap *gap, void *arg);

struct complete_sum {
	size_t edges;	 /* that were compared */
	size_t prefixes; /* of its own: those of sessions for their edge only */
	size_t gaps;		/* pairs of prefix and edge */
	size_t skipped;		/* peers that were not looked at */
	bool cut;		/* there are more prefixes than are looked at */
};

/* Gaps come edge by edge, prefixes ascending. interface NULL: all edges of the
 * customer; else the one. false: there is no such customer. fn may be NULL. All at
 * once: it can take tens of milliseconds where there is very much. */
bool engine_complete(struct engine *e, const char *customer, const char *router,
		     const char *interface, complete_gap_fn *fn, void *arg,
		     struct complete_sum *sum);

/* The same of all edges of a customer, bit by bit. What comes or goes between two
 * slices, of routes and of sessions, may count or not. */
struct complete_walk;
enum complete_state {
	COMPLETE_MORE,
	COMPLETE_DONE,
	COMPLETE_CHANGED, /* the configuration is another one: begin anew */
};

/* NULL: there is no such customer. */
struct complete_walk *complete_walk_new(struct engine *e, const char *customer);
/* Goes on until *steps are used up, which it counts down: one for each prefix, path
 * or edge that is looked at. It may go beyond by COMPLETE_PIECE, a record, what
 * one AS originates, and what the sessions of one edge give. *sum is filled when it is done. */
#define COMPLETE_PIECE 512
enum complete_state complete_walk_run(struct complete_walk *w, int64_t *steps,
				      struct complete_sum *sum);
void complete_walk_free(struct complete_walk *w); /* or NULL */

#endif /* SAV_ENGINE_COMPLETE_H */
