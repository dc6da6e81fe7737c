/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * north_packet - the socket, TLS and timers below north.
 */
#ifndef SAV_NORTH_PACKET_H
#define SAV_NORTH_PACKET_H

#include "agents/north.h"

#define NORTH_HOST_SIZE 256
#define NORTH_PEER_SIZE (NORTH_HOST_SIZE + 16)

struct event_loop;
struct north_packet;

/* Files of an enrolled agent, below its state directory. */
struct north_files {
	char key[4096], cert[4096], ca[4096];
};

/* north and files stay the caller's. */
struct north_packet *north_packet_new(struct event_loop *loop, struct north *north,
				      const struct north_files *files);
void north_packet_free(struct north_packet *np);

/* Where the controller is; connects, and reconnects for ever. An address or a
 * name; "" stops. */
void north_packet_connect(struct north_packet *np, const char *host, uint16_t port);
/* There may be output that did not come from a received message. */
void north_packet_wake(struct north_packet *np);

/* "192.0.2.1 port 2630", or "" */
const char *north_packet_peer(const struct north_packet *np);
/* Milliseconds until the next attempt; -1 while connected or stopped. */
int64_t north_packet_retry_ms(const struct north_packet *np);

#endif /* SAV_NORTH_PACKET_H */
