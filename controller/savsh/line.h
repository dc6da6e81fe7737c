/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * line - the interactive command line: editing, completion, '?' and history.
 */
#ifndef SAVSH_LINE_H
#define SAVSH_LINE_H

#include <signal.h>

#include "controller/savsh/session.h"

/* One per process, because readline is. stop: set by SIGINT and SIGTERM, from
 * now on, so that a wait for a daemon ends. */
void line_init(struct session *session, volatile sig_atomic_t *stop);
/* Shortens the history file. */
void line_fini(void);

/* The next line, without its newline, or NULL at the end of the input; the
 * caller frees. Ctrl-Z is "end", Ctrl-D on an empty line "exit". */
char *line_read(const char *prompt);

/* Keeps a line for this and later sessions, unless it may hold a secret. */
void line_remember(const char *line);

#endif /* SAVSH_LINE_H */
