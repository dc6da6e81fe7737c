/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * north_packet - north on its connection to the controller.
 */
#ifndef SAV_NORTH_PACKET_H
#define SAV_NORTH_PACKET_H

#include "agents/agent_files.h"
#include "agents/north.h"
#include "agents/uplink_packet.h"

struct north_packet;

/* north and files stay the caller's. */
struct north_packet *north_packet_new(struct event_loop *loop, struct north *north,
				      const struct agent_files *files);
void north_packet_free(struct north_packet *np);

/* Where the controller is; connects, and reconnects for ever. An address or a
 * name; "" stops. */
void north_packet_connect(struct north_packet *np, const char *host, uint16_t port);
/* There may be output that did not come from a received message. */
void north_packet_wake(struct north_packet *np);

/* Milliseconds until the next attempt; -1 while connected or stopped. */
int64_t north_packet_retry_ms(const struct north_packet *np);

#endif /* SAV_NORTH_PACKET_H */
