/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * shell - carries out one line that was typed or came from a script: filters,
 * the shell's own commands, and what is printed where.
 */
#ifndef SAVSH_SHELL_H
#define SAVSH_SHELL_H

#include <stdbool.h>

#include "controller/savsh/session.h"

/* Also the exit status of savsh. */
enum shell_status {
	SHELL_OK = 0,
	SHELL_FAILED = 1,
	SHELL_USAGE = 2,
	SHELL_UNREACHABLE = 3,
};

struct shell {
	struct session *session;
	bool interactive;  /* else errors go to standard error, and "LINE?" helps */
	bool done;	   /* "exit" at the top node */
	bool cannot_write; /* standard output is gone: no use in going on */
};

enum shell_status shell_run(struct shell *shell, const char *line);

#endif /* SAVSH_SHELL_H */
