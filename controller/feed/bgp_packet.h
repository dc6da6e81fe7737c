/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bgp_packet - TCP connections to the routers that have a `bgp neighbor`.
 *
 * savd always connects: it needs no privileged port for that, and two
 * connections never collide. What is lost is tried again.
 */
#ifndef SAV_BGP_PACKET_H
#define SAV_BGP_PACKET_H

#include "lib/turn_packet.h"

#include "controller/engine_bgp.h"

struct bgp_neighbors;

/* turns: shared with all that reads from the network; outlives the neighbors. */
struct bgp_neighbors *bgp_neighbors_new(struct event_loop *loop, struct turns *turns,
					struct engine *engine);
void bgp_neighbors_free(struct bgp_neighbors *bn); /* tells the routers */
/* After a change of the configuration: connects to what is new or changed, ends
 * what is gone. */
void bgp_neighbors_apply(struct bgp_neighbors *bn, const struct config *cfg);

#endif /* SAV_BGP_PACKET_H */
