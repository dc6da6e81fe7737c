/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * session - one operator in front of several daemons.
 *
 * A command goes to the daemon whose node the operator is in, then to the
 * others in their order, until one knows it; "unknown", "ambiguous" and
 * "incomplete" from one do not count once another carries it out. Daemons that
 * share a node all get the commands of that node. Entering, changing and
 * leaving a node is repeated in the others, so that they stay in step. "show
 * running-config" and "write" are for all.
 *
 * A daemon that restarts in the meantime is connected again, at the top node;
 * so are then all others, because half a context is worse than none.
 */
#ifndef SAVSH_SESSION_H
#define SAVSH_SESSION_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/wr.h"

#define SESSION_DAEMONS_MAX 8

enum verdict {
	VERDICT_OK,	/* carried out */
	VERDICT_FAILED, /* refused, or done in part: text says why */
	VERDICT_NO_MATCH,
	VERDICT_AMBIGUOUS,
	VERDICT_INCOMPLETE,
	VERDICT_LOST, /* no daemon, or its connection broke: text says which */
};

struct answer {
	enum verdict verdict;
	struct wr text;	 /* of the daemons; not NUL-terminated */
	struct wr notes; /* about connections that were made again; likewise */
};

void answer_fini(struct answer *answer);

struct session;

/* dir: of the sockets NAME.vty; names: n of them, the first is asked first. A
 * signal handler that sets *stop ends a wait for an answer; the session resets
 * it when it has given up waiting. */
struct session *session_new(const char *dir, const char *const *names, size_t n,
			    volatile sig_atomic_t *stop);
void session_free(struct session *session);

/* Connects to every daemon that is there; the number of those. */
size_t session_open(struct session *session);
/* One line per daemon that is not connected, why, and what to do about it. Not
 * even_absent: without those that just do not run, as not all do everywhere. */
void session_explain(const struct session *session, bool even_absent, struct wr *out);
/* "savd, sav-agent": those that are connected, or those that are not. Empty if
 * there are none; the caller frees. */
char *session_names(const struct session *session, bool connected);

/* Runs one command line, without filters. */
void session_run(struct session *session, const char *line, struct answer *answer);

/* ---- the daemons' logs, "terminal monitor" */

/* On or off, of one daemon, or of all that are connected (NULL). The number of
 * daemons that do; out: complaints. */
size_t session_log(struct session *session, const char *daemon, bool on, struct wr *out);
/* What to poll for; the number of them. */
size_t session_log_fds(const struct session *session, struct pollfd *fds);
/* Appends the log lines that are there to out; does not wait. */
void session_log_read(struct session *session, struct wr *out);

/* As lib/shell_vty.h counts them; nodes below CONFIG are LEVEL_CONFIG + 1... */
enum { LEVEL_VIEW, LEVEL_ENABLE, LEVEL_CONFIG };

/* Where the operator is. */
int session_level(const struct session *session);
const char *session_prompt(const struct session *session);

/* Candidates for the last word of line, sorted; NULL-terminated, or NULL if
 * there are none. The caller frees each and the array. */
char **session_complete(struct session *session, const char *line);

/* What may come next, as a table ready to print; false: nothing. */
bool session_help(struct session *session, const char *line, struct wr *out);

/* What the daemons would have understood in place of a line that they did not
 * (verdict says how): "% expected: ...", or nothing if they do not say. */
void session_expected(struct session *session, const char *line, enum verdict verdict,
		      struct wr *out);

#endif /* SAVSH_SESSION_H */
