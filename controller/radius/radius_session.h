/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_session - the sessions that NASes tell of, and what addresses each
 * edge has by them.
 *
 * A session is named by the client it came from, its NAS and Acct-Session-Id.
 * Its attributes are kept and replaced kind by kind: an Interim-Update that
 * names a Delegated-IPv6-Prefix changes nothing of the IPv4 address.
 * Pure: the caller brings `now` (milliseconds, monotonic) and event times
 * (seconds since the epoch, of the NAS); what follows leaves by struct
 * radius_session_ops.
 */
#ifndef SAV_RADIUS_SESSION_H
#define SAV_RADIUS_SESSION_H

#include "controller/policy/config.h"
#include "controller/radius/radius_prefix.h"
#include "controller/radius/radius_rule.h"
#include "lib/rangeset.h"

struct radius_sessions;
struct radius_session;

/* Bounds: beyond them a new session is refused, the oldest memory goes. */
#define RADIUS_SESSIONS_MAX   1000000
#define RADIUS_ENDED_MAX      65536
#define RADIUS_ENDED_MS	      300000 /* how long a Stop outruns a late Start */
#define RADIUS_MOVE_MS	      10000  /* the old edge waits so long for the new one */
#define RADIUS_ATTRS_MAX      2048   /* bytes kept of one session */

/* Why addresses leave an edge. */
enum radius_leave {
	RADIUS_LEAVE_NOW,  /* the session ended or moved, or the operator says so */
	RADIUS_LEAVE_HOLD, /* nobody said that it ended: hold-down and brake decide */
};

struct radius_session_ops {
	/* What an edge accepts by its sessions: add first, then take away. Either
	 * may be empty; sessions is how many it has now. */
	void (*edge)(void *ctx, const char *router, const char *interface,
		     const struct addrset *added, const struct addrset *removed,
		     enum radius_leave leave, unsigned int sessions);
	/* A rule says that this edge is to be made if it is not there; mode, action
	 * and customer are those of the session's own attributes, "" where it has
	 * none. */
	void (*edge_wanted)(void *ctx, const struct radius_where *where, const char *mode,
			    const char *action, const char *customer);
	/* For the log; alarm: an operator should look. */
	void (*note)(void *ctx, bool alarm, const char *text);
};

struct radius_session_stats {
	size_t sessions, silent, without_edge;
	size_t prefixes;   /* that some edge accepts by a session */
	size_t conflicts;  /* prefixes that several sessions claim now */
	size_t leaving;	   /* on old edges, waiting for new ones */
	uint64_t started, stopped, lost, moved, late, conflicts_seen, refused, unusable;
};

struct radius_sessions *radius_sessions_new(const struct config *cfg,
					    const struct radius_session_ops *ops, void *ctx);
void radius_sessions_free(struct radius_sessions *rs);

/* ---- what a NAS says ---- */

struct radius_event {
	const struct config_radius_client *client;
	const char *nas;
	const uint8_t *session; /* Acct-Session-Id */
	size_t session_len;
	int64_t at;    /* event time; estimated where the NAS sent none */
	bool at_known; /* it did: events of one session can be put in order */
	struct radius_attrs attrs;
};

enum radius_outcome {
	RADIUS_DONE,
	RADIUS_LATE, /* older than what is known: nothing changed */
	RADIUS_FULL, /* there are too many: nothing changed, do not answer */
	RADIUS_NONE, /* there is no such session */
};
enum radius_outcome radius_session_start(struct radius_sessions *rs,
					 const struct radius_event *ev, int64_t now_ms);
/* The same, and counts as a sign of life. */
enum radius_outcome radius_session_interim(struct radius_sessions *rs,
					   const struct radius_event *ev, int64_t now_ms);
enum radius_outcome radius_session_stop(struct radius_sessions *rs,
					const struct radius_event *ev, int64_t now_ms);
/* Accounting-On or -Off: all sessions of the NAS that began before. They leave
 * under hold-down and brake: nobody said of any of them that it ended. */
void radius_nas_restart(struct radius_sessions *rs, const struct radius_event *ev,
			int64_t now_ms);

/* ---- by others than the NAS ---- */

/* CoA: these attributes replace those of their kinds. */
void radius_session_change(struct radius_sessions *rs, struct radius_session *s,
			   struct radius_attrs attrs, int64_t now_ms);
/* Disconnect, or a command. */
void radius_session_end(struct radius_sessions *rs, struct radius_session *s,
			int64_t now_ms);
/* A profile of an edge, which is a session without a NAS; attrs with no data:
 * it is gone. name: unique. */
void radius_session_profile(struct radius_sessions *rs, const char *name,
			    const char *router, const char *interface,
			    struct radius_attrs attrs, int64_t now_ms);

/* The router has in its kernel all that the edge was given. */
void radius_sessions_applied(struct radius_sessions *rs, const char *router,
			     const char *interface, int64_t now_ms);
/* Clients, rules, pools or policy are others now: every session is judged anew. */
void radius_sessions_reconfigure(struct radius_sessions *rs, int64_t now_ms);
/* Silence and waiting run out. Returns when to call again (absolute), or -1. */
int64_t radius_sessions_run(struct radius_sessions *rs, int64_t now_ms);

/* ---- saving ---- */

/* As store_radius.h saves it; pointers live until the next call. */
struct radius_saved {
	const char *client, *nas;
	const uint8_t *session;
	size_t session_len;
	const char *router, *interface;
	int64_t started, changed;
	struct radius_attrs attrs;
};
/* What has changed since it was saved; gone: its row goes. -1 from fn ends the
 * walk. All of it stays unsaved until radius_sessions_saved() says that the
 * walk's work is on disk; nothing may change between the two. */
typedef int radius_save_fn(const struct radius_saved *s, bool gone, void *arg);
bool radius_sessions_unsaved(const struct radius_sessions *rs);
int radius_sessions_save(const struct radius_sessions *rs, radius_save_fn *fn, void *arg);
void radius_sessions_saved(struct radius_sessions *rs);
/* After a start, before anything else. false: its client is not there any more,
 * or there is no room. */
bool radius_sessions_restore(struct radius_sessions *rs, const struct radius_saved *saved,
			     int64_t now_ms);

/* ---- to show ---- */

/* "session 0000001a of bng1 (user joe)" */
void radius_session_name(const struct radius_session *s, char *dst, size_t size);
/* For the operation `edge`: whose doing it is. false: time's, or a rule's. */
bool radius_sessions_at_work(const struct radius_sessions *rs, char *dst, size_t size);

enum radius_prefix_state {
	RADIUS_ACCEPTED,
	RADIUS_OUTSIDE_POOL,
	RADIUS_TOO_SHORT, /* of `radius prefix-length`; a default route always is */
	RADIUS_TOO_LONG,
	RADIUS_CLAIMED,	  /* another session has it (radius conflict) */
	RADIUS_NO_EDGE,
};
const char *radius_prefix_state_name(enum radius_prefix_state state);

struct radius_session_view {
	struct radius_saved saved;
	bool profile;
	bool silent;
	uint32_t rule;
	int64_t last_ms; /* heard of it */
	size_t n_prefixes;
	const struct radius_prefix *prefixes;
	const enum radius_prefix_state *states;
	size_t unusable; /* attributes that name no prefix */
};
typedef bool radius_session_fn(struct radius_session *s,
			       const struct radius_session_view *view, void *arg);
/* In no order, until fn says false; fn must change nothing. */
void radius_sessions_walk(const struct radius_sessions *rs, radius_session_fn *fn,
			  void *arg);
/* Those that have this prefix or one that covers it. */
void radius_sessions_at(struct radius_sessions *rs, const struct ip_prefix *p,
			radius_session_fn *fn, void *arg);
void radius_session_stats(const struct radius_sessions *rs,
			  struct radius_session_stats *stats);
unsigned int radius_edge_sessions(const struct radius_sessions *rs, const char *router,
				  const char *interface);

#endif /* SAV_RADIUS_SESSION_H */
