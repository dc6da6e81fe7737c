/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * relay_packet - the relay's sockets: towards bgpd, and to the controller.
 */
#ifndef SAV_RELAY_PACKET_H
#define SAV_RELAY_PACKET_H

#include "agents/agent_files.h"
#include "agents/relay.h"
#include "lib/ip.h"

struct event_loop;
struct relay_packet;

/* Where bgpd connects to. */
struct relay_listen {
	struct ip_addr addr; /* of the loopback interface */
	uint16_t port;	     /* 0: there is no relay */
	uint32_t buffer_mib;
};

struct relay_packet_ops {
	bool (*certified)(void *ctx); /* there is a certificate to connect with */
	void (*note)(void *ctx, bool alarm, const char *text); /* for the log */
};

/* files and ctx stay the caller's. */
struct relay_packet *relay_packet_new(struct event_loop *loop,
				      const struct agent_files *files,
				      const struct relay_packet_ops *ops, void *ctx);
void relay_packet_free(struct relay_packet *rp);

/* Either may come first. A change ends the session. */
void relay_packet_listen(struct relay_packet *rp, const struct relay_listen *listen);
void relay_packet_connect(struct relay_packet *rp, const char *host, uint16_t port);
/* A certificate has come, or is another one now. */
void relay_packet_certified(struct relay_packet *rp);

const struct relay_listen *relay_packet_where(const struct relay_packet *rp);
const struct relay_status *relay_packet_status(const struct relay_packet *rp);
int64_t relay_packet_retry_ms(const struct relay_packet *rp); /* -1: none is due */
/* What is wrong with the socket for bgpd, "" if nothing is. */
const char *relay_packet_error(const struct relay_packet *rp);

#endif /* SAV_RELAY_PACKET_H */
