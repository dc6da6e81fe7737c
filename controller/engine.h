/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine - from feeds, policy and inventories to the filter of every edge.
 *
 * The middle of savd: owns the RIB, what is known of routers and peers, and
 * per edge the computed and the enforced set. Everything comes in by calls
 * that bring `now` (milliseconds, monotonic); results leave by struct
 * engine_ops. No socket, no clock, no libfrr: tests drive it in virtual time.
 */
#ifndef SAV_ENGINE_H
#define SAV_ENGINE_H

#include "controller/feed/bmp_feed.h"
#include "controller/policy/config.h"
#include "controller/rib/rib.h"
#include "controller/sets/hold.h"
#include "schema/agent_msg.h"

struct engine;
struct engine_feed; /* one BMP stream */

struct engine_ops {
	/* The edge's filter changed (a new generation): save it, send it. f is
	 * without its set, which costs as much as it is long: whoever wants it
	 * asks engine_filter(), at once or when several changes have come. */
	void (*filter_set)(void *ctx, const char *router, const struct filter *f);
	void (*filter_gone)(void *ctx, const char *router, const char *interface);
	/* Close this stream so that the router dumps everything again. */
	void (*feed_redump)(void *ctx, struct engine_feed *feed);
	/* There is work for engine_run(). Called often; must be cheap. */
	void (*wake)(void *ctx);
	/* A listen statement was added or removed. */
	void (*listens_changed)(void *ctx);
	/* A router was added, changed or removed; NULL: nobody cares. */
	void (*routers_changed)(void *ctx);
	/* An edge was added, changed or removed; NULL: nobody cares. */
	void (*edges_changed)(void *ctx);
	/* A RADIUS session that gives this address to the edge: its prefix, and its
	 * name as text. false: there is none; then text may hold a sentence about
	 * one that has the address elsewhere, else "". NULL: there are no sessions. */
	bool (*session)(void *ctx, const char *router, const char *interface,
			const struct ip_addr *addr, struct ip_prefix *prefix, char *text,
			size_t size);
	/* Something an operator should see in the log; one line. */
	void (*note)(void *ctx, bool alarm, const char *text);
};

/* cfg stays the caller's and must outlive the engine; the engine takes its
 * watch hooks. */
struct engine *engine_new(struct config *cfg, const struct engine_ops *ops, void *ctx);
void engine_free(struct engine *e);
const struct rib *engine_rib(const struct engine *e);

/* A generation saved before a restart: enforced from now on, and nothing leaves
 * it until the feeds are complete again. Before the first engine_run(). */
void engine_restore(struct engine *e, const char *router, const struct filter *f);

/* ---- BMP ---- */
struct engine_feed *engine_feed_open(struct engine *e, const struct ip_addr *source,
				     void *user, int64_t now_ms);
/* Right after engine_feed_open(): the stream is this router's, whatever it says,
 * since its agent brings it and has proved who it is. It takes the place of any
 * other stream of the router. */
void engine_feed_relayed(struct engine_feed *feed, const char *router);
/* -1 with diag: close the stream (then call engine_feed_close). */
int engine_feed_bytes(struct engine_feed *feed, const void *data, size_t len,
		      int64_t now_ms, struct diag *diag);
/* So many bytes of the stream are known to wait behind those given: the lag. */
void engine_feed_queued(struct engine_feed *feed, size_t bytes);
void engine_feed_close(struct engine_feed *feed, const char *why, int64_t now_ms);
void *engine_feed_user(const struct engine_feed *feed);
bool engine_feed_is_relayed(const struct engine_feed *feed);

/* ---- agents ---- */
void engine_inventory(struct engine *e, const char *router,
		      const struct agent_inventory *inv);
const struct agent_inventory *engine_router_inventory(const struct engine *e,
						      const char *router);

/* What the router forwards by; see schema/README.md. */
void engine_fib(struct engine *e, const char *router, const struct agent_routes *routes,
		int64_t now_ms);
/* The agent is gone: its last routes count on, and nothing leaves. */
void engine_fib_lost(struct engine *e, const char *router);
/* One of its edges has a mode that reads the FIB, or a neighbor is placed by it. */
bool engine_wants_fib(const struct engine *e, const char *router);
/* The same of all: wants has a place for each of cfg->routers. */
void engine_wants_fibs(const struct engine *e, bool *wants);
/* Since it was asked last, that may have become another answer. */
bool engine_wants_changed(struct engine *e);

/* ---- RADIUS sessions ---- */
enum engine_leave {
	ENGINE_LEAVE_NOW,  /* a session ended: as after an operator's command */
	ENGINE_LEAVE_HOLD, /* hold-down and brakes decide */
};
/* What the sessions of an edge give to it has changed, and how many there are.
 * The edge need not be configured (yet). Less special-purpose sources, but not
 * own space, it is part of the computed set; it is there with the next run. */
void engine_sessions_change(struct engine *e, const char *router, const char *interface,
			    const struct addrset *added, const struct addrset *removed,
			    enum engine_leave leave, unsigned int sessions);
/* The last filter has all that was given to the edge so far. */
bool engine_edge_is_current(const struct engine *e, const char *router,
			    const char *interface);

/* ---- time ---- */
/* Recomputes what changed, lets hold-downs run out, asks for re-dumps.
 * Returns when it wants to be called again at the latest (absolute), or -1. */
int64_t engine_run(struct engine *e, int64_t now_ms);
/* True when a route or policy change waits for engine_run(). */
bool engine_is_dirty(const struct engine *e);
/* Routes that went en masse are taken away bit by bit: some by each engine_run(),
 * and up to this many by each call, between which other feeds can be read. Call
 * it again while it returns true, and otherwise after the next engine_run(). */
bool engine_sweep(struct engine *e, size_t paths);
bool engine_is_sweeping(const struct engine *e);
/* The operator accepts what a brake holds back. false: there is no such edge. */
bool engine_brake_release(struct engine *e, const char *router, const char *interface);

/* ---- to show ---- */
/* What made a filter another one than that before it: the first address that came
 * into its set and the first that left; none of both if it is something else. */
struct engine_change {
	bool came, went;
	struct ip_addr came_addr, went_addr;
};

struct engine_edge_status {
	const struct config_edge *config;
	const struct filter *filter;	   /* what its router was told last; whole */
	const struct hold *hold;	   /* enforced, and what waits to leave */
	bool active;			   /* has a role and takes part */
	bool ready;			   /* all that the mode reads is complete */
	bool started;			   /* has been ready once: enforces if told so */
	bool stale;			   /* degraded: its feed is dead */
	bool brake;			   /* removals wait for the operator */
	bool growth;			   /* growth does: engine_edge_excess() */
	bool interface_seen;		   /* the agent's inventory has it */
	unsigned int sessions;		   /* RADIUS sessions */
	char reason[160];		   /* why not ready, "" if ready */
};
bool engine_edge_status(const struct engine *e, const char *router, const char *interface,
			struct engine_edge_status *status);
/* Of the last filter that was handed out. */
struct engine_change engine_edge_change(const struct engine *e, const char *router,
					const char *interface);
/* The last filter, whole; NULL: there is no such edge. Valid until the next call
 * for the engine that is not const. */
const struct filter *engine_filter(const struct engine *e, const char *router,
				   const char *interface);
/* The computed set, and what of it the growth brake holds back. Replace *out. */
void engine_edge_computed(const struct engine *e, const char *router,
			  const char *interface, struct addrset *out);
void engine_edge_excess(const struct engine *e, const char *router, const char *interface,
			struct addrset *out);
/* For tests: -1 with diag where a set that was kept up differs from what sets.h
 * computes from scratch, or a filter from its parts. */
int engine_check(struct engine *e, struct diag *diag);

struct engine_peer_status {
	const struct rib_peer *peer;
	const char *router;
	const struct config_edge *edge; /* NULL: reached by no edge; the first of */
	const struct config_edge *const *edges; /* these, if several links lead to it */
	size_t n_edges;
	const char *mapping; /* how they were found, or why not */
	bool unclear;	     /* it is on no edge, and the operator should say on which */
	struct bmp_peer_info info;
	bool up, complete, feed_connected;
	bool full; /* at its bound of paths: some were left out */
};
typedef void engine_peer_fn(const struct engine_peer_status *status, void *arg);
void engine_peers_walk(const struct engine *e, engine_peer_fn *fn, void *arg);

struct engine_feed_status {
	const char *router; /* "" before Initiation */
	bool relayed;	    /* by the router's agent */
	struct ip_addr source;
	const char *sysdescr;
	int64_t since_ms, last_ms; /* opened, last bytes */
	const struct bmp_feed_stats *stats;
	unsigned int redumps; /* forced so far on this router */
	size_t queued_bytes, queued_max_bytes; /* not read yet: now, and at most so far */
	bool silent;	      /* for longer than its statistics interval allows */
};
typedef void engine_feed_fn(const struct engine_feed_status *status, void *arg);
void engine_feeds_walk(const struct engine *e, engine_feed_fn *fn, void *arg);

/* What an edge that is not ready waits for. */
struct engine_wait {
	const char *router;
	struct ip_addr peer; /* v 0: the router's feed as such */
	const char *why;     /* "is down" */
};
typedef void engine_wait_fn(const struct engine_wait *wait, void *arg);
void engine_edge_waits(const struct engine *e, const char *router, const char *interface,
		       engine_wait_fn *fn, void *arg);

/* A peer that has left the edge, and may still talk to its router. */
struct engine_left {
	struct ip_addr addr;
	int64_t due_ms; /* until then; -1: the feeds have to be complete first */
};
typedef void engine_left_fn(const struct engine_left *left, void *arg);
void engine_edge_left_walk(const struct engine *e, const char *router, const char *interface,
			   engine_left_fn *fn, void *arg);

struct engine_fib_status {
	const char *router;
	size_t routes[IP_FAMILIES];
	size_t bytes;	  /* of memory */
	int64_t last_ms;  /* last heard of, if known or loading */
	bool wanted;	  /* an edge's mode reads it */
	bool known;	  /* the whole table came at least once */
	bool complete;	  /* and nothing is missing now */
	bool loading;	  /* it is being sent anew */
};
typedef void engine_fib_fn(const struct engine_fib_status *status, void *arg);
/* Of routers where it is wanted or known. */
void engine_fibs_walk(const struct engine *e, engine_fib_fn *fn, void *arg);

enum explain_step {
	EXPLAIN_INACTIVE,  /* the edge has no role yet */
	EXPLAIN_OFF,	   /* mode off */
	EXPLAIN_EXCEPTION, /* the edge's own prefix statement */
	EXPLAIN_SPECIAL,   /* special-purpose source */
	EXPLAIN_OWN,	   /* own space */
	EXPLAIN_RECORD,	   /* the customer's record */
	EXPLAIN_SESSION,   /* a RADIUS session */
	EXPLAIN_ROUTE,	   /* admitted by the mode; the route that did it, if one did */
	EXPLAIN_HOLD,	   /* no longer computed, still in its hold-down */
	EXPLAIN_GROWTH,	   /* admitted, but held back by the growth brake */
	EXPLAIN_NONE,	   /* nothing admits it */
};

struct explain {
	bool accept;   /* in the set that the router has */
	bool enforced; /* false: the edge only observes */
	bool admitted; /* enforced or not: it is in the set */
	enum explain_step step;
	struct ip_prefix prefix;    /* of the statement, record or route */
	const struct rib_peer *peer; /* EXPLAIN_ROUTE, if a route of this edge's peers */
	int64_t hold_due_ms;	    /* EXPLAIN_HOLD */
	char text[320];		    /* one sentence */
	/* Refused, but it may talk to the router itself: one sentence; or "" */
	char to_router[200];
};
/* false: there is no such edge. */
bool engine_explain(const struct engine *e, const char *router, const char *interface,
		    const struct ip_addr *addr, int64_t now_ms, struct explain *out);

#endif /* SAV_ENGINE_H */
