/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uplink_packet - a TLS connection to the controller that is made again and
 * again: the socket, the handshake and the timers below north and relay.
 */
#ifndef SAV_UPLINK_PACKET_H
#define SAV_UPLINK_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/wr.h"

#define UPLINK_HOST_SIZE 256
#define UPLINK_PEER_SIZE (UPLINK_HOST_SIZE + 16)

struct event_loop;
struct uplink;

/* Called from the event loop; lost() also from within the calls that end a
 * session. */
struct uplink_ops {
	/* The handshake is done. */
	void (*up)(void *ctx);
	/* -1 with diag: the session is over; output is sent if it fits. */
	int (*bytes)(void *ctx, const void *data, size_t len, struct diag *diag);
	/* All that could be read now has been; may be NULL. */
	void (*read_done)(void *ctx);
	/* What to send next; the uplink consumes it and asks again. */
	struct wr *(*output)(void *ctx);
	/* The session, or an attempt at one, is over. */
	void (*lost)(void *ctx, const char *why);
};

struct uplink_config {
	const char *what;		   /* begins the log lines: "controller" */
	const char *no_certificate;	   /* what to do without the files below */
	const char *cert, *key, *ca;	   /* paths; read at each attempt */
	int send_buffer;		   /* bytes in the kernel; 0: as it likes */
};

/* The config's texts, and ctx, stay the caller's. */
struct uplink *uplink_new(struct event_loop *loop, const struct uplink_config *config,
			  const struct uplink_ops *ops, void *ctx);
void uplink_free(struct uplink *u);

/* Where the controller is, an address or a name; connects, and reconnects for
 * ever. "" stops. A session that was up is lost, because of why. */
void uplink_connect(struct uplink *u, const char *host, uint16_t port, const char *why);
/* There may be output that did not come from a received message. */
void uplink_wake(struct uplink *u);
/* The session has been of use: the next attempt after it comes soon. */
void uplink_good(struct uplink *u);
/* Ends the session, after what of the output can be sent at once; tries again
 * after pause_ms, or when the usual pause is over if that is longer. */
void uplink_hang_up(struct uplink *u, const char *why, int64_t pause_ms);

/* "192.0.2.1 port 2630", or "" */
const char *uplink_peer(const struct uplink *u);
/* Milliseconds until the next attempt; -1 while connected or stopped. */
int64_t uplink_retry_ms(const struct uplink *u);

#endif /* SAV_UPLINK_PACKET_H */
