/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store_history - who changed what, and what became of the filters.
 *
 * Times are milliseconds since 1970. Commands are written in the transaction
 * of the change that they made (store_begin() around both); set changes and
 * events come in batches after the filters have been sent. All of it is bounded
 * by store_history_trim().
 */
#ifndef SAV_STORE_HISTORY_H
#define SAV_STORE_HISTORY_H

#include "controller/store/store.h"

/* ---- commands ---- */

#define STORE_WHO_SIZE 128

struct store_command {
	int64_t id, at_ms;
	int64_t revision; /* that it made; 0: the configuration is as it was */
	const char *who, *line;
	const char *result; /* "" done, else why it was refused */
};

/* Sets id, and, if it made one, revision: the next number. */
int store_command_add(struct store *store, struct store_command *c, bool revision,
		      struct diag *diag);
/* One object's part: "-LINE\n" and "+LINE\n" of its text. seq from 0. */
int store_command_change(struct store *store, int64_t command, int64_t seq,
			 const char *object, const char *diff, struct diag *diag);
/* Newest first, until fn returns false. */
typedef bool store_command_fn(const struct store_command *c, void *arg);
int store_commands_walk(struct store *store, store_command_fn *fn, void *arg,
			struct diag *diag);
/* What revisions above `after` changed, newest first. */
typedef void store_change_fn(int64_t revision, const char *object, const char *diff,
			     void *arg);
int store_changes_walk(struct store *store, int64_t after, store_change_fn *fn, void *arg,
		       struct diag *diag);
/* The newest, and the oldest that can be gone back to. */
int store_revisions(struct store *store, int64_t *newest, int64_t *oldest,
		    struct diag *diag);

/* `commit confirmed`: what happens unless `commit` follows. */
struct store_pending {
	int64_t revision; /* to return to */
	int64_t due_ms;
	char who[STORE_WHO_SIZE];
};
/* NULL: nothing is pending any more. */
int store_pending_set(struct store *store, const struct store_pending *p,
		      struct diag *diag);
/* 1: *p is filled, 0: nothing is pending. */
int store_pending_get(struct store *store, struct store_pending *p, struct diag *diag);

/* ---- sets ---- */

/* The change from the filter that store_generation_save() saved last to f, which
 * is to be called with f next, in the same batch. */
int store_set_change_add(struct store *store, const char *router, const struct filter *f,
			 int64_t at_ms, const char *reason, struct diag *diag);
int store_set_gone_add(struct store *store, const char *router, const char *interface,
		       int64_t at_ms, struct diag *diag);

struct store_set_change {
	int64_t at_ms;
	uint64_t generation;
	const char *action; /* "" the edge was removed */
	struct addrset added, removed;
	bool has_whole;
	struct addrset whole; /* the set after this change */
	const char *reason;
};
/* Of one edge up to a time: newest first, until fn returns false. */
typedef bool store_set_change_fn(const struct store_set_change *c, void *arg);
int store_set_changes_walk(struct store *store, const char *router, const char *interface,
			   int64_t until_ms, store_set_change_fn *fn, void *arg,
			   struct diag *diag);

struct store_set {
	int64_t at_ms; /* when it came to be */
	uint64_t generation;
	char action[16]; /* "" there was no such edge */
	struct addrset accept;
};
/* The filter of an edge as it was at a time. 1: *set is filled (fini it), 0:
 * nothing is known of that time. */
int store_set_at(struct store *store, const char *router, const char *interface,
		 int64_t at_ms, struct store_set *set, struct diag *diag);
void store_set_fini(struct store_set *set);

/* ---- events ---- */

struct store_event {
	int64_t at_ms;
	bool alarm;
	const char *text;
};
int store_event_add(struct store *store, const struct store_event *e, struct diag *diag);
/* Newest first from a time on backwards, until fn returns false. */
typedef bool store_event_fn(const struct store_event *e, void *arg);
int store_events_walk(struct store *store, int64_t until_ms, store_event_fn *fn, void *arg,
		      struct diag *diag);

/* ---- limits ---- */

/* Takes away at most so many rows of what is older than the time, or the oldest
 * beyond the bytes; returns how many, or -1. What an edge's set is computed from
 * stays, whatever its age. */
int store_history_trim(struct store *store, int64_t before_ms, int64_t max_bytes,
		       int max_rows, struct diag *diag);
/* Rows and bytes of the history. */
int store_history_size(struct store *store, int64_t *rows, int64_t *bytes,
		       struct diag *diag);

#endif /* SAV_STORE_HISTORY_H */
