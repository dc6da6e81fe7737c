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
 * Costs what there is of it, and a look at the edge's set for each.
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
 * customer; else the one. false: there is no such customer. fn may be NULL. */
bool engine_complete(struct engine *e, const char *customer, const char *router,
		     const char *interface, complete_gap_fn *fn, void *arg,
		     struct complete_sum *sum);

#endif /* SAV_ENGINE_COMPLETE_H */
