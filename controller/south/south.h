/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * south - the sessions with agents, and what each router shall hold and holds.
 *
 * Two halves. The desired state: set by the engine at any time, kept per
 * (router, interface) whether or not the agent is connected. The sessions: fed
 * with bytes and `now` by south_packet.c, which owns sockets and TLS. In
 * between: per edge at most one Filter waits for its Ack; meanwhile the newest
 * desired state waits and replaces older ones, so a slow router gets fewer and
 * larger steps, never a queue. A delta is sent when the content of what the
 * agent holds is known here, else a snapshot.
 *
 * No socket, no clock, no libfrr: tests run it in virtual time. now_ms is
 * monotonic; callbacks run inside the calls below and may call back, except
 * south_session_close() and south_free().
 */
#ifndef SAV_SOUTH_H
#define SAV_SOUTH_H

#include "lib/diag.h"
#include "lib/filter.h"
#include "lib/pki.h"
#include "schema/agent_msg.h"

#define SOUTH_PORT	    2630
#define SOUTH_HANDSHAKE_MS  10000 /* from accept to Hello or Enroll */
#define SOUTH_KEEPALIVE_MS  10000
#define SOUTH_IDLE_MS	    (3 * SOUTH_KEEPALIVE_MS)
#define SOUTH_ACK_MS	    120000 /* an agent that does not answer is cut */
#define SOUTH_RETRY_MS	    5000   /* after a refusal; doubles to SOUTH_RETRY_MAX_MS */
#define SOUTH_RETRY_MAX_MS  60000
#define SOUTH_STRANGERS_MAX 64	       /* sessions without Hello */
#define SOUTH_STRANGER_MS   2000       /* then one may be cut for a newcomer */
#define SOUTH_QUEUE_BYTES   (1u << 20) /* more is not queued until some is sent */
#define SOUTH_ADDRESS_SIZE  64
#define SOUTH_CERTIFY_MAX   8 /* certificates for one agent a day, without a token */

struct south;
struct south_session;

/* An agent whose Hello was accepted. */
struct south_peer {
	const char *name;
	enum pki_kind kind; /* PKI_ROUTER or PKI_EDGE */
	const char *address;
	const char *software;
	const char *serial;
	int64_t not_after;
};

struct south_ops {
	/* Uses up the token with this name and SHA-256 of its secret; false with
	 * diag when there is none, it is used, or it has expired. */
	bool (*enroll)(void *ctx, const char *name, const uint8_t secret_hash[32],
		       enum pki_kind *kind, struct diag *diag);
	/* Has the signer make a certificate (DER, appended to cert). */
	int (*issue)(void *ctx, const struct pki_identity *id, const uint8_t *spki,
		     size_t spki_len, struct wr *cert, struct diag *diag);
	/* Records a new certificate before the agent gets it; false with diag:
	 * the agent does not get it. */
	bool (*enrolled)(void *ctx, const struct pki_cert *cert, struct diag *diag);
	/* Known and not revoked; else diag names agent, certificate and remedy. */
	bool (*certificate_ok)(void *ctx, const char *name, const char *serial_hex,
			       struct diag *diag);
	void (*up)(void *ctx, const struct south_peer *peer);
	void (*down)(void *ctx, const char *name, const char *why);
	void (*inventory)(void *ctx, const char *name, const struct agent_inventory *inv);
	/* May be NULL. Only while south_want_routes() says yes. */
	void (*routes)(void *ctx, const char *name, const struct agent_routes *routes);
	/* error is "" when the kernel holds generation, as it should. */
	void (*ack)(void *ctx, const char *name, const char *interface,
		    uint64_t generation, const uint8_t hash[FILTER_HASH_SIZE],
		    const char *error);
	void (*counters)(void *ctx, const char *name,
			 const struct agent_counters *counters, size_t n);
	/* May be NULL. Samples of what the router drops, since the last ones. */
	void (*drops)(void *ctx, const char *name, const struct drop *rows, size_t n);
	/* May be NULL: no relays. There is a router of that name; else diag says
	 * what to type. */
	bool (*relay_ok)(void *ctx, const char *router, struct diag *diag);
	/* BMP of that router begins; what comes back is given to the other two.
	 * ss is for south_relay_redump(). */
	void *(*relay_open)(void *ctx, const char *router, const char *address,
			    struct south_session *ss);
	/* waiting: bytes of the stream that wait in the agent behind these. -1 with
	 * diag: the stream is refused, close it. */
	int (*relay_bytes)(void *ctx, void *feed, const struct agent_blob *data,
			   uint64_t waiting, struct diag *diag);
	void (*relay_close)(void *ctx, void *feed, const char *why);
	/* One line for the log. */
	void (*note)(void *ctx, bool alarm, const char *text);
	/* The session has output or is over: south_packet.c sets this one. */
	void (*wake)(void *io);
};

struct south_config {
	uint64_t epoch; /* of the database, not 0 */
	uint32_t lease_s;
	uint32_t counters_interval_s;
	const uint8_t *ca; /* DER, for Enrolled; copied */
	size_t ca_len;
};

/* ops and ctx stay the caller's; ops is copied. */
struct south *south_new(const struct south_config *config, const struct south_ops *ops,
			void *ctx);
void south_free(struct south *s); /* sessions must be closed */

/* ---- desired state ---- */

/* The whole list of a router's edges: others are released by its agent, and
 * their desired state is forgotten. Until the first call for a router no list
 * is sent and its agent releases nothing, so a controller that has just
 * started cannot open what it has not loaded yet. */
void south_edges(struct south *s, const char *router,
		 const char (*interfaces)[FILTER_IFNAME_SIZE], size_t n, int64_t now_ms);
/* Newest wins; copied. Adds the edge to the list if it is not on it. */
void south_filter_set(struct south *s, const char *router, const struct filter *desired,
		      int64_t now_ms);
/* Takes the edge off the list. */
void south_filter_remove(struct south *s, const char *router, const char *interface,
			 int64_t now_ms);
/* Whether the agent shall send what its router forwards by; at first: no. */
void south_want_routes(struct south *s, const char *router, bool want, int64_t now_ms);
/* Ends the sessions of the agent and its relay, telling them why (revoked);
 * false: there are none. */
bool south_session_cut(struct south *s, const char *router, const char *why,
		       int64_t now_ms);

/* ---- to show ---- */

struct south_edge_status {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t desired_generation; /* 0: nothing desired yet */
	uint64_t held_generation;    /* 0: unknown, or not one of ours */
	uint8_t held_hash[FILTER_HASH_SIZE];
	bool in_sync;		     /* holds exactly the desired state */
	bool in_flight;		     /* a Filter waits for its Ack */
	int64_t held_ms;	     /* when held was learned, -1: never */
	char error[AGENT_TEXT_SIZE]; /* of the last attempt, "" if it worked */
};
struct south_relay_status {
	bool seen;	  /* there was one since the start */
	bool connected;
	int64_t since_ms; /* of that state */
	char address[SOUTH_ADDRESS_SIZE];
	char last_error[AGENT_TEXT_SIZE]; /* why the last session ended */
	struct agent_relay_status totals; /* as it said last */
};
struct south_status {
	char name[AGENT_NAME_SIZE];
	bool all_off; /* its hand brake is on, as it said last */
	bool connected;
	int64_t since_ms; /* of that state; -1: never connected */
	int64_t contact_ms; /* heard last; -1: never */
	/* Of the present or the last session. */
	char address[SOUTH_ADDRESS_SIZE];
	char software[AGENT_NAME_SIZE];
	enum pki_kind kind;
	char serial[PKI_SERIAL_SIZE];
	int64_t not_after;
	char last_error[AGENT_TEXT_SIZE]; /* why the last session ended */
	struct south_relay_status relay;
	struct south_edge_status *edges;  /* by name */
	size_t n_edges;
};
/* false: nothing is known of that router. Free with south_status_fini(). */
bool south_status(const struct south *s, const char *router, struct south_status *status);
void south_status_fini(struct south_status *status);
typedef void south_router_fn(const char *router, void *arg);
void south_routers_walk(const struct south *s, south_router_fn *fn, void *arg);

struct south_totals {
	uint64_t sessions, enrolled, refused, replaced, idle, malformed;
	uint64_t snapshots, deltas, acks, errors;
	uint64_t certified, relayed; /* without a token; BMP sessions */
};
const struct south_totals *south_totals(const struct south *s);

/* ---- sessions, for south_packet.c and tests ---- */

enum south_state {
	SOUTH_RUNNING,
	SOUTH_FLUSHING, /* send the output, then close */
	SOUTH_DEAD,	/* close now */
};

/* False: so many handshakes are under way, and all so young, that newcomers
 * should wait in the kernel's queue. After a restart every agent comes at once,
 * and cutting the ones that are nearly through would help nobody. */
bool south_can_accept(const struct south *s, int64_t now_ms);
/* A connection was accepted; io is what ops->wake gets. At the bound the oldest
 * stranger of the address that has the most of them is cut. */
struct south_session *south_session_open(struct south *s, const char *address, void *io,
					 int64_t now_ms);
/* A connection that failed before it had a session's rights (TLS): counted, and
 * a few a minute logged. */
void south_refused(struct south *s, const char *why, int64_t now_ms);
/* The TLS handshake is done; cert is NULL when the client showed none. wall_s
 * is the time of day, for the certificate's end. */
void south_session_secure(struct south_session *ss, const struct pki_cert *cert,
			  int64_t wall_s, int64_t now_ms);
void south_session_bytes(struct south_session *ss, const void *data, size_t len,
			 int64_t now_ms);
/* What waits to be sent; valid until the next call for this session. */
size_t south_session_output(const struct south_session *ss, const uint8_t **data);
void south_session_sent(struct south_session *ss, size_t len, int64_t now_ms);
enum south_state south_session_state(const struct south_session *ss);
/* What could not be done in the middle of a callback; call it after wake. */
void south_session_settle(struct south_session *ss, int64_t now_ms);
/* Ends a relay's session soon, so that its router sends everything again. May be
 * called from callbacks. */
void south_relay_redump(struct south_session *ss);
/* Frees. why is the transport's reason; the session's own goes first. */
void south_session_close(struct south_session *ss, const char *why, int64_t now_ms);

/* Timeouts, keepalives, retries. Returns when to call again (absolute), or -1. */
int64_t south_run(struct south *s, int64_t now_ms);

#endif /* SAV_SOUTH_H */
