/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * north - what the agent and its controller say to each other.
 *
 * One session at a time, fed with bytes and `now` by north_packet.c, which
 * owns the socket and TLS. No clock and no socket here: tests run it in
 * virtual time. now_ms is monotonic.
 */
#ifndef SAV_NORTH_H
#define SAV_NORTH_H

#include "agents/held.h"
#include "agents/kernel.h"
#include "lib/diag.h"
#include "lib/wr.h"
#include "schema/agent_msg.h"

#define NORTH_PORT	   2630
#define NORTH_KEEPALIVE_MS 10000
#define NORTH_IDLE_MS	   (3 * NORTH_KEEPALIVE_MS)
#define NORTH_HANDSHAKE_MS 10000      /* from Hello to Welcome */
#define NORTH_CERTIFY_MS   3600000
#define NORTH_BATCH_MAX	   256	      /* filters in one transaction */
#define NORTH_QUEUE_BYTES  (1u << 20) /* beyond: no counters, no inventory */

struct north;

struct north_ops {
	/* As they arrived together. */
	void (*filters)(void *ctx, const struct agent_filter *const *filters, size_t n);
	void (*edge_list)(void *ctx, const char (*interfaces)[FILTER_IFNAME_SIZE],
			  size_t n);
	void (*welcome)(void *ctx, uint64_t epoch);
	const struct held *(*held)(void *ctx);
	const struct agent_inventory *(*inventory)(void *ctx);
	/* The caller frees the array; -1: none this time. */
	int (*counters)(void *ctx, struct kernel_counters **out, size_t *n);
	/* Samples of drops since the last call, at most max rows; how many. May be
	 * NULL. */
	size_t (*drops)(void *ctx, struct drop *rows, size_t max);
	/* Both may be NULL. The controller wants routes from now on, all of them
	 * first, or none any more; also called with true on a new session. */
	void (*want_routes)(void *ctx, bool want);
	/* The next chunk into *out, which is empty; false: nothing to say. */
	bool (*routes)(void *ctx, struct agent_routes *out);
	/* Both may be NULL. What certificate to ask for now, and the request,
	 * appended to csr; false: none. */
	bool (*certify)(void *ctx, enum pki_kind *kind, struct wr *csr);
	/* The answer; error is "" when there is a certificate. */
	void (*certified)(void *ctx, enum pki_kind kind, const struct agent_blob *cert,
			  const char *error);
	/* The hand brake is on; NULL: there is none. */
	bool (*all_off)(void *ctx);
	/* One line for the log. */
	void (*note)(void *ctx, bool alarm, const char *text);
};

enum north_state {
	NORTH_DOWN,
	NORTH_HELLO, /* sent; waiting for Welcome */
	NORTH_UP,
};

struct north *north_new(const struct north_ops *ops, void *ctx);
void north_free(struct north *n);

/* The TLS session is up, or is gone (why is for the log and "show"). */
void north_begin(struct north *n, int64_t now_ms);
void north_end(struct north *n, const char *why, int64_t now_ms);

/* Bytes from the controller. Filters are kept until north_flush(), so that
 * those that arrive together become one transaction. -1: the session is over,
 * send what is in north_output() and close. */
int north_bytes(struct north *n, const void *data, size_t len, int64_t now_ms,
		struct diag *diag);
void north_flush(struct north *n);

/* Timers; call it every second or so. -1 as above. */
int north_tick(struct north *n, int64_t now_ms, struct diag *diag);

/* Bytes for the controller; the sender consumes them. */
struct wr *north_output(struct north *n);

void north_ack(struct north *n, const char *interface, uint64_t generation,
	       const uint8_t hash[FILTER_HASH_SIZE], const char *error);
void north_inventory_changed(struct north *n);
void north_all_off_changed(struct north *n);
/* Asks for the certificate that is due, if one is. Done by itself when a session
 * begins and every NORTH_CERTIFY_MS. */
void north_certify(struct north *n);

/* Queues what there is to say of routes, up to the queue's bound; true: there is
 * more, come again when the queue is shorter. */
bool north_routes(struct north *n);

struct north_status {
	enum north_state state;
	int64_t since_ms;	 /* of that state */
	int64_t last_contact_ms; /* -1: never */
	uint64_t epoch;		 /* of the present or last session, 0: none */
	uint32_t lease_s;	 /* 0: none was given */
	uint64_t sessions, filters, acks;
	char last_error[256]; /* why the last session or attempt ended */
};
const struct north_status *north_status(const struct north *n);
const char *north_state_name(enum north_state state);
/* The controller has been silent for longer than the lease. */
bool north_lease_expired(const struct north *n, int64_t now_ms);

/* 1 s to 30 s, doubling with each failure in a row, give or take a quarter so
 * that a thousand agents do not come back at once. */
int64_t north_backoff_ms(unsigned int failures, uint32_t random);

#endif /* SAV_NORTH_H */
