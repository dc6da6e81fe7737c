/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ranges - children of one tunnel, found by the addresses of their peers.
 *
 * Private to the engine's files. A selector is kept at the shortest prefix that has all
 * of it: two that have an address in common lie one inside the other then, so that only
 * what covers a prefix and what is inside of it need be looked at.
 */
#ifndef SAV_RANGES_H
#define SAV_RANGES_H

#include "ipsec/ike/sa.h"

struct ranges;

struct ranges *ranges_new(uint64_t seed); /* secret: peers choose selectors */
void ranges_free(struct ranges *ranges);  /* or NULL */

/* Its remote selectors stay as they are until it is removed. */
void ranges_add(struct ranges *ranges, struct sa_child *child);
void ranges_remove(struct ranges *ranges, const struct sa_child *child);

/* The first child that is wanted, NULL: none. It is asked of all that have an address of
 * ts, and perhaps of others, and of one several times; it changes nothing here. */
struct sa_child *ranges_find(struct ranges *ranges, const struct ike_ts *ts,
			     bool (*wanted)(void *ctx, const struct sa_child *child), void *ctx);

#endif /* SAV_RANGES_H */
