/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * seat - one daemon in a session: its connection, and the CLI node in which
 * that connection is.
 */
#ifndef SAVSH_SEAT_H
#define SAVSH_SEAT_H

#include "controller/savsh/client.h"
#include "controller/savsh/session.h"
#include "lib/wr.h"

struct place {
	int level; /* LEVEL_... */
	char node[64];
	char prompt[160];
};

struct seat {
	struct client *client;
	struct place place;
	int error; /* of the last attempt to connect; negative errno, or 0 */
	bool log_wanted; /* its log is to be shown, also after it was restarted */
	int log_fd;	 /* where the log comes from, or -1 */
};

int seat_open(struct seat *seat);
bool seat_is_open(const struct seat *seat);

/* Runs a command and looks up the place after it; as client_run(). */
int seat_run(struct seat *seat, const char *line, struct reply *reply);
void seat_run_quietly(struct seat *seat, const char *line);
/* Begins or ends to get the daemon's log. 0, or -1 with what it said against it in
 * out. */
int seat_log(struct seat *seat, bool on, struct wr *out);
void seat_log_close(struct seat *seat);
/* To the top node, from wherever it is. */
void seat_go_up(struct seat *seat);

/* Runs one of lib/shell_vty.h's commands about a line. -1: no answer. */
int seat_ask(struct seat *seat, const char *command, const char *line,
	     struct reply *reply);

/* Why the daemon cannot be reached and what to do about it: one line. */
void seat_explain(const struct seat *seat, struct wr *out);
/* What an error of seat_run() means. */
const char *seat_break_reason(int error);

#endif /* SAVSH_SEAT_H */
