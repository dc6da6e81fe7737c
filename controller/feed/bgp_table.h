/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bgp_table - what a router tells over its own BGP session, in the rib.
 *
 * Such a session does not say from which of the router's peers a path came,
 * but a path that kept its next hop names the neighbour that it leads to. So
 * each next hop is a peer of its own in the rib, of type RIB_PEER_NEXT_HOP.
 * A withdrawal carries no next hop: an index remembers where each path is. It
 * outlives the session, as the paths do.
 */
#ifndef SAV_BGP_TABLE_H
#define SAV_BGP_TABLE_H

#include "controller/rib/rib.h"

/* Beside the peer types of RFC 7854 in rib_peer_key. */
#define RIB_PEER_NEXT_HOP 255

/* Paths to further next hops are kept under the unspecified address. */
#define BGP_TABLE_NEXT_HOPS_MAX 4096

struct bgp_table;

struct bgp_table *bgp_table_new(struct rib *rib, uint32_t router);
/* Without the paths: their peers are the rib's, to be removed by its owner. */
void bgp_table_free(struct bgp_table *t);

/* The last word on (prefix, path id); its next hop may have changed. */
void bgp_table_announce(struct bgp_table *t, const struct ip_prefix *prefix,
			uint32_t path_id, const struct rib_attr *attr);
bool bgp_table_withdraw(struct bgp_table *t, const struct ip_prefix *prefix,
			uint32_t path_id);

/* A new session: what it does not mention until it says so is dead then, and
 * removed by bgp_table_sweep() until *budget is used up. False: none is left. */
void bgp_table_stale_mark(struct bgp_table *t);
void bgp_table_stale_kill(struct bgp_table *t, enum ip_family family);
bool bgp_table_sweep(struct bgp_table *t, size_t *budget);
bool bgp_table_is_sweeping(const struct bgp_table *t);

/* All paths of exactly this prefix, whatever their next hop; how many. */
typedef void bgp_table_fn(struct rib_peer *hop, const struct rib_attr *attr, void *arg);
size_t bgp_table_walk_prefix(const struct bgp_table *t, const struct ip_prefix *prefix,
			     bgp_table_fn *fn, void *arg);

/* Without the dead. */
size_t bgp_table_count(const struct bgp_table *t, enum ip_family family);
/* The owner removes a peer (without paths) from the rib after this. */
void bgp_table_forget_peer(struct bgp_table *t, const struct rib_peer *peer);

#endif /* SAV_BGP_TABLE_H */
