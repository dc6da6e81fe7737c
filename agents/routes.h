/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * routes - what this machine forwards by, and what the controller has not been
 * told of it yet.
 *
 * Fed with routes as the kernel reports them (routes_nl.c); of several routes
 * for a prefix the one with the lowest metric counts. What is to be said is
 * remembered per prefix, not as a queue: a route that flaps a thousand times
 * while the controller is slow is said once. No socket, no clock.
 */
#ifndef SAV_ROUTES_H
#define SAV_ROUTES_H

#include "schema/agent_msg.h"

struct routes;

/* As the kernel has it. */
struct route_entry {
	struct ip_prefix prefix;
	uint32_t metric;
	uint32_t nexthop_id; /* of the nexthop object, 0: none */
	enum agent_route_kind kind; /* UNICAST without interfaces: not usable */
	uint32_t indexes[AGENT_ROUTE_INDEXES_MAX]; /* in any order */
	size_t n;
};

/* seed: secret; see prefix_map. */
struct routes *routes_new(uint64_t seed);
void routes_free(struct routes *r);
size_t routes_count(const struct routes *r, enum ip_family family); /* prefixes */

/* ---- from the kernel ---- */

/* e->indexes is sorted. Of several in one dump that differ in nothing but where
 * they go, the kernel uses the first. */
void routes_put(struct routes *r, struct route_entry *e, bool dumped);
/* False: what is there differs from what the kernel says went; only a dump tells. */
bool routes_del(struct routes *r, struct route_entry *e);
/* Between the two every route of the kernel is put; the others go. Until the
 * first end, and from routes_lost() to the next, nothing is complete. */
void routes_dump_begin(struct routes *r);
void routes_dump_end(struct routes *r);
void routes_lost(struct routes *r);
/* A route uses this nexthop object, or leaves by this interface. */
bool routes_use_nexthop(const struct routes *r, uint32_t nexthop_id);
bool routes_use_index(const struct routes *r, uint32_t index);

/* ---- to the controller ---- */

/* A new session: all is said again, or nothing is wanted. */
void routes_want(struct routes *r, bool want);
/* The next message into *out, which is empty; false: nothing to say. */
bool routes_next(struct routes *r, struct agent_routes *out);

#endif /* SAV_ROUTES_H */
