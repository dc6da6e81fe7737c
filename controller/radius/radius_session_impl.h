/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_session_impl - what the files of the session state share; nobody else
 * includes it.
 *
 * radius_session.c: sessions and time. radius_claim.c: who has which prefix.
 * radius_table.c: finding sessions, edges and NASes by name.
 */
#ifndef SAV_RADIUS_SESSION_IMPL_H
#define SAV_RADIUS_SESSION_IMPL_H

#include "controller/radius/radius_session.h"
#include "lib/prefix_index.h"

/* ---- names ---- */

/* One NAS of one client. Kept as long as savd runs: there are few. */
struct radius_nas {
	struct radius_nas *next;
	char client[CONFIG_NAME_SIZE];
	char nas[RADIUS_NAS_SIZE];
	struct radius_session *sessions;
	int64_t restart_at; /* event time of the last Accounting-On or -Off */
	bool restarted;
};

/* An edge that has, or had, sessions. */
struct radius_edge {
	struct radius_edge *next; /* of its slot */
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	unsigned int sessions;
};

/* ---- sessions ---- */

/* One prefix of one session. Claims of one prefix are a list, oldest first. */
struct radius_claim {
	struct radius_session *session;
	struct radius_edge *edge;
	struct radius_claim *next;
	uint32_t node; /* of the index of its family; 0: in no list */
	bool granted;  /* its edge accepts it */
};

struct radius_session {
	struct radius_session *slot_next;
	struct radius_session *nas_next, **nas_link; /* of its NAS */
	struct radius_session *heard_next, *heard_prev;
	struct radius_session *save_next;
	struct radius_nas *nas;
	struct radius_edge *edge; /* NULL: none */
	uint64_t hash;
	uint8_t *attrs;
	uint16_t attrs_len;
	uint8_t id_len;
	uint8_t interims;  /* up to 2 */
	bool ended;	   /* only remembered */
	bool reusable;	   /* ended, and its NAS began anew: the name may come again */
	bool silent;
	bool profile;
	bool queued;	   /* to be saved */
	bool saved;	   /* it has a row */
	uint32_t rule;
	int64_t started, changed; /* event times */
	int64_t last_ms;
	uint64_t order; /* of its coming: who was first */
	struct radius_prefix *prefixes;
	enum radius_prefix_state *states;
	struct radius_claim *claims; /* one for each prefix */
	uint16_t n_prefixes, unusable;
	uint8_t id[];
};

/* Doubly linked, by last_ms: the one heard of longest ago is the first. */
struct radius_list {
	struct radius_session *first, *last;
	size_t n;
};

/* A prefix that stays on its old edge until the new one has it. */
struct radius_leaving {
	struct radius_leaving *next;
	struct radius_edge *edge, *waits_for;
	struct ip_prefix prefix;
	int64_t due_ms;
};

/* Each kind has its own: a flood of one must not hide another. */
enum radius_alarm_kind {
	RADIUS_ALARM_CONFLICT,
	RADIUS_ALARM_REFUSED,
	RADIUS_ALARM_SILENT,
	RADIUS_ALARM_NO_EDGE,
	RADIUS_ALARMS,
};

struct radius_sessions {
	const struct config *cfg;
	struct radius_session_ops ops;
	void *ctx;
	struct radius_session **slots;
	size_t n_slots, n; /* sessions that are up, */
	size_t on_edges;   /* and those of them that have an edge */
	uint64_t seed;
	struct radius_nas *nases;
	struct radius_edge **edges;
	size_t n_edge_slots, n_edges;
	struct prefix_index index[IP_FAMILIES]; /* data[0], [1]: the claims */
	struct radius_list alive;  /* that are known to send Interim-Updates */
	struct radius_list silent; /* and did not */
	struct radius_list ended;
	struct radius_session *unsaved, **unsaved_end;
	struct radius_leaving *leaving, **leaving_end;
	const struct radius_session *at_work; /* whose doing it is what is told, or NULL */
	uint64_t order;
	struct radius_session_stats stats;
	struct radius_alarm {
		int64_t at_ms; /* of the last one told */
		unsigned int untold;
		bool told;
	} alarms[RADIUS_ALARMS];
};

/* radius_table.c */
void radius_table_init(struct radius_sessions *rs);
void radius_table_fini(struct radius_sessions *rs);
struct radius_session *radius_table_find(const struct radius_sessions *rs, const char *client,
					 const char *nas, const uint8_t *id, size_t len);
struct radius_session *radius_table_add(struct radius_sessions *rs, const char *client,
					const char *nas, const uint8_t *id, size_t len);
/* Out of the table, and freed. */
void radius_table_remove(struct radius_sessions *rs, struct radius_session *s);
struct radius_nas *radius_nas_get(struct radius_sessions *rs, const char *client,
				  const char *nas);
struct radius_edge *radius_edge_find(const struct radius_sessions *rs, const char *router,
				     const char *interface);
struct radius_edge *radius_edge_get(struct radius_sessions *rs, const char *router,
				    const char *interface);
void radius_list_put(struct radius_list *list, struct radius_session *s); /* at the end */
void radius_list_take(struct radius_list *list, struct radius_session *s);

/* radius_claim.c */
void radius_claims_init(struct radius_sessions *rs);
void radius_claims_fini(struct radius_sessions *rs);
/* What the session has becomes these prefixes on this edge (NULL: none), whose
 * sessions it is counted among. */
void radius_claims_set(struct radius_sessions *rs, struct radius_session *s,
		       struct radius_edge *edge, const struct radius_prefixes *prefixes,
		       enum radius_leave leave, int64_t now_ms);
/* Anew what policy says of them. */
void radius_claims_judge(struct radius_sessions *rs, struct radius_session *s,
			 int64_t now_ms);
/* Waiting ends: due, or all that wait for this edge (may be NULL). */
void radius_claims_leave(struct radius_sessions *rs, const struct radius_edge *applied,
			 int64_t now_ms);
/* A line, of which one of a kind is shown in ten seconds. */
void radius_sessions_alarm(struct radius_sessions *rs, enum radius_alarm_kind kind,
			   int64_t now_ms, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct radius_saved radius_session_saved(const struct radius_session *s);

#endif /* SAV_RADIUS_SESSION_IMPL_H */
