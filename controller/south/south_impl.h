/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * south_impl - shared by south.c (routers, edges), south_session.c,
 * south_enroll.c (certificates) and south_relay.c (BMP).
 */
#ifndef SAV_SOUTH_IMPL_H
#define SAV_SOUTH_IMPL_H

#include "controller/south/south.h"
#include "lib/frame.h"

/* One generation of an edge's content; desired, in flight and held share it. */
struct south_content {
	unsigned int refs;
	struct filter filter;
	uint8_t hash[FILTER_HASH_SIZE];
};

struct south_edge {
	char interface[FILTER_IFNAME_SIZE];
	struct south_content *desired;	/* NULL: nothing yet */
	struct south_content *inflight; /* sent, not answered */
	int64_t inflight_ms;
	/* What the agent has, as it says. held is its content where that is
	 * known here, which is what a delta needs. */
	bool has_held;
	uint64_t held_generation;
	uint8_t held_hash[FILTER_HASH_SIZE];
	struct south_content *held;
	int64_t held_ms;
	/* After a refusal. */
	bool want_snapshot;
	unsigned int failures;
	int64_t retry_ms; /* nothing is sent before */
	char error[AGENT_TEXT_SIZE];
};

struct south_router {
	char name[AGENT_NAME_SIZE];
	struct south_edge **edges; /* by interface */
	/* What Hello said, for edges that are configured later; generation 0:
	 * no longer true. */
	struct agent_held *held;
	size_t n_held;
	size_t n_edges, cap_edges;
	size_t turn; /* the edge whose turn it is to send */
	bool listed; /* south_edges() has been called */
	bool list_pending;
	bool want_routes;      /* for whichever session */
	bool told_want_routes; /* to this one */
	bool all_off;	       /* its hand brake is on, as it says */
	unsigned int certified; /* certificates given since certified_ms */
	int64_t certified_ms;
	struct south_session *session; /* NULL: not connected */
	int64_t since_ms;
	char address[SOUTH_ADDRESS_SIZE];
	char software[AGENT_NAME_SIZE];
	enum pki_kind kind;
	char serial[PKI_SERIAL_SIZE];
	int64_t not_after;
	char last_error[AGENT_TEXT_SIZE];
	struct south_session *relay; /* of its BMP, NULL: not connected */
	bool relay_seen;
	int64_t relay_since_ms;
	char relay_address[SOUTH_ADDRESS_SIZE];
	char relay_error[AGENT_TEXT_SIZE]; /* why its last session ended */
	struct agent_relay_status relay_status;
};

struct south {
	struct south_config config;
	struct south_ops ops;
	void *ctx;
	struct south_totals totals;
	struct south_router **routers; /* by name */
	size_t n_routers, cap_routers;
	struct south_session *sessions; /* newest first */
	int64_t refusals_ms;		/* since when refusals are counted for the log */
	unsigned int refusals;
};

enum session_phase {
	PHASE_TLS,	/* handshake */
	PHASE_STRANGER, /* no certificate: may enroll */
	PHASE_KNOWN,	/* certificate is good, Hello is awaited */
	PHASE_UP,
	PHASE_RELAY, /* likewise, of a relay */
};

struct south_session {
	struct south *south;
	struct south_session *next;
	void *io;
	enum session_phase phase;
	enum south_state state;
	struct south_router *router; /* PHASE_UP, until cut or replaced */
	struct south_router *relay_of; /* PHASE_RELAY, likewise */
	void *feed;    /* of ops.relay_open(), NULL: no BMP has come */
	bool redump;   /* is to end, so that the router sends all again */
	struct pki_cert cert;
	struct frame_in *in;
	struct wr out;
	size_t out_off;
	int64_t opened_ms, rx_ms, tx_ms;
	int64_t expires_ms; /* the certificate's end, INT64_MAX: none */
	int64_t flush_ms;   /* SOUTH_FLUSHING: then it is dead */
	char address[SOUTH_ADDRESS_SIZE];
	char why[AGENT_TEXT_SIZE]; /* of the end */
};

__attribute__((format(printf, 3, 4))) void south_note(struct south *s, bool alarm,
						      const char *fmt, ...);

struct south_router *south_router_get(struct south *s, const char *name);
struct south_edge *south_edge_find(const struct south_router *r, const char *interface);

/* Compares what the agent says it holds with what is known here. */
void south_router_held(struct south_router *r, uint64_t epoch, uint64_t our_epoch,
		       const struct agent_held *held, size_t n, int64_t now_ms);
void south_router_ack(struct south *s, struct south_router *r,
		      const struct agent_msg *msg, int64_t now_ms);
/* The session is gone: nothing is in flight any more. */
void south_router_detach(struct south_router *r, int64_t now_ms);
/* Queues the edge list and Filters, as far as the queue's bound allows. */
void south_router_fill(struct south *s, struct south_router *r, int64_t now_ms);
/* When an edge may be sent again or its Ack is overdue; INT64_MAX: never. */
int64_t south_router_due(const struct south_router *r, int64_t now_ms);
/* The edge whose Ack is overdue, or NULL. */
const struct south_edge *south_router_overdue(const struct south_router *r,
					      int64_t now_ms);

size_t south_session_queued(const struct south_session *ss);
void south_session_send(struct south_session *ss, const struct agent_msg *msg,
			int64_t now_ms);
/* Says why (unless NULL) and ends; the rest of the input is not looked at. */
__attribute__((format(printf, 4, 5))) void south_session_end(struct south_session *ss,
							     int64_t now_ms, bool tell,
							     const char *fmt, ...);
int64_t south_session_run(struct south_session *ss, int64_t now_ms);
void south_session_refuse(struct south_session *ss, int64_t now_ms, const char *why);
void south_session_unexpected(struct south_session *ss, int64_t now_ms);
void south_session_welcome(struct south_session *ss, int64_t now_ms);

/* south_enroll.c */
void south_enroll(struct south_session *ss, const struct agent_msg *msg, int64_t now_ms);
void south_certify(struct south_session *ss, const struct agent_msg *msg, int64_t now_ms);

/* south_relay.c */
void south_relay_hello(struct south_session *ss, const struct agent_msg *msg,
		       int64_t now_ms);
void south_relay_message(struct south_session *ss, const struct agent_msg *msg,
			 int64_t now_ms);
void south_relay_leave(struct south_session *ss, int64_t now_ms);

#endif /* SAV_SOUTH_IMPL_H */
