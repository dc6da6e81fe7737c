/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_server - datagrams in, answers out: accounting (RFC 2866) and dynamic
 * authorization (RFC 5176).
 *
 * Decides who may speak, whether a request is genuine, new and of now, and hands
 * it to the sessions. An answer says that its change will survive: it waits for
 * radius_server_answer(), which the caller calls when what has changed is saved.
 * Pure: no sockets, no clock.
 */
#ifndef SAV_RADIUS_SERVER_H
#define SAV_RADIUS_SERVER_H

#include "controller/radius/radius_session.h"

struct radius_server;

struct radius_source {
	void *socket; /* the caller's, for the answer */
	struct ip_addr addr;
	uint16_t port;
	bool dynamic;	     /* it came to a port for CoA and Disconnect */
	struct ip_addr local; /* where it was sent to: answers come from there */
	uint32_t ifindex;     /* where it came in */
};

struct radius_server_ops {
	void (*send)(void *ctx, const struct radius_source *to, const uint8_t *data,
		     size_t len);
	void (*note)(void *ctx, bool alarm, const char *text);
};

/* Both must outlive the server. */
struct radius_server *radius_server_new(const struct config *cfg, struct radius_sessions *rs,
					const struct radius_server_ops *ops, void *ctx);
void radius_server_free(struct radius_server *srv);

/* wall_s: seconds since the epoch. */
void radius_server_datagram(struct radius_server *srv, const struct radius_source *from,
			    const void *data, size_t len, int64_t now_ms, int64_t wall_s);
/* What was changed by the requests so far is saved, or could not be: then nobody
 * gets an answer, and a request that comes again is taken as new. */
void radius_server_answer(struct radius_server *srv, bool saved);
/* Answers that wait. */
size_t radius_server_waiting(const struct radius_server *srv);

/* ---- to show ---- */

struct radius_client_stats {
	char client[CONFIG_NAME_SIZE];
	uint64_t received, answered, duplicates;
	uint64_t start, interim, stop, on_off, other;
	uint64_t coa, disconnect, naks;
	uint64_t malformed;	 /* no RADIUS, or without what it must have */
	uint64_t not_genuine;	 /* wrong secret: authenticator or signature */
	uint64_t unsigned_count; /* without the Message-Authenticator that it must have */
	uint64_t stale;		 /* outside the window of Event-Timestamp */
	uint64_t not_permitted;	 /* CoA or Disconnect from one that may not, other codes */
	uint64_t dropped;	 /* too many sessions or requests */
	int64_t last_ms;	 /* genuine request */
};
typedef void radius_client_stats_fn(const struct radius_client_stats *s, void *arg);
void radius_server_clients(const struct radius_server *srv, radius_client_stats_fn *fn,
			   void *arg);
uint64_t radius_server_unknown(const struct radius_server *srv); /* from nobody we know */

#endif /* SAV_RADIUS_SERVER_H */
