/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * relay - BMP of the router's own bgpd, carried to the controller.
 *
 * One BMP session at a time, in a connection to the controller that carries
 * nothing else. The connection is made first: bgpd is let in only when its
 * bytes can go on at once, and is refused otherwise, which it takes as a
 * reason to come again later and to send its whole table then. What the
 * controller does not take fast enough waits here, up to a bound; at the bound
 * the session is over. So bgpd never waits for us, and no byte is ever missing
 * from the middle of a stream.
 *
 * No clock and no socket here: relay_packet.c has them. now_ms is monotonic.
 */
#ifndef SAV_RELAY_H
#define SAV_RELAY_H

#include "lib/diag.h"
#include "lib/wr.h"
#include "schema/agent_msg.h"

#define RELAY_PORT		11019
#define RELAY_BUFFER_MIB	64
#define RELAY_BUFFER_MAX_MIB	4096
#define RELAY_STATUS_MS		10000 /* keeps the connection alive as well */
#define RELAY_IDLE_MS		(3 * RELAY_STATUS_MS)
#define RELAY_HANDSHAKE_MS	10000  /* from Hello to Welcome */
#define RELAY_PAUSE_MIN_MS	5000   /* after an overflow; doubles each time */
#define RELAY_PAUSE_MAX_MS	600000 /* a session of this age ends the row */

struct relay;

enum relay_state {
	RELAY_DOWN,
	RELAY_HELLO, /* sent; waiting for Welcome */
	RELAY_READY, /* bgpd may come */
	RELAY_BUSY,  /* it has */
};
const char *relay_state_name(enum relay_state state);

struct relay *relay_new(size_t limit_bytes);
void relay_free(struct relay *r);
void relay_set_limit(struct relay *r, size_t limit_bytes);

/* The TLS session is up, or is gone: a BMP session ends with it. */
void relay_begin(struct relay *r, int64_t now_ms);
void relay_end(struct relay *r, const char *why, int64_t now_ms);
/* Bytes from the controller. -1: the connection is over. */
int relay_bytes(struct relay *r, const void *data, size_t len, int64_t now_ms,
		struct diag *diag);
/* Timers; call it every second or so. -1 as above. */
int relay_tick(struct relay *r, int64_t now_ms, struct diag *diag);
/* What to send next; the sender consumes it and asks again. */
struct wr *relay_output(struct relay *r);

/* bgpd has connected. false: refused and counted; close it. */
bool relay_take(struct relay *r, int64_t now_ms);
/* Its bytes. -1: the buffer is full, hang up on both sides and come again after
 * relay_pause_ms(). */
int relay_put(struct relay *r, const void *data, size_t len, int64_t now_ms,
	      struct diag *diag);
int64_t relay_pause_ms(const struct relay *r);

struct relay_status {
	enum relay_state state;
	int64_t since_ms;	/* of that state */
	size_t waiting_bytes;	/* in the buffer */
	struct agent_relay_status totals;
	char last_error[256]; /* why the last connection ended, "" */
};
const struct relay_status *relay_status(struct relay *r);

#endif /* SAV_RELAY_H */
