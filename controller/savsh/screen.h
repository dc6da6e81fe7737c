/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * screen - where answers go: a terminal, with a pager for long ones, or a file
 * or pipe, which gets the plain bytes.
 */
#ifndef SAVSH_SCREEN_H
#define SAVSH_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Long answers go through SAVSH_PAGER, or less -FRX, from now on (or not). */
void screen_set_paging(bool on);

/* A long answer is one of more lines than this; 0: than the terminal has. */
void screen_set_length(unsigned int lines);

/* Whether states and errors have colours on a terminal, see colour.h; else none. */
void screen_set_colour(bool on);

/* From now on a long answer on a terminal ends where a signal handler has set
 * *stop; the caller resets it. */
void screen_set_stop(const volatile sig_atomic_t *stop);

/* Prints an answer to standard output. On a terminal, control characters
 * become visible: parts of an answer come from strangers (a BGP peer's system
 * name), who must not get at the operator's terminal. -1: could not be
 * written; errno says why. */
int screen_print(const char *text, size_t len);

/* The same without the pager, for lines that come in between. */
int screen_print_lines(const char *text, size_t len);

/* The same to standard error, never paged; for errors of scripts. */
void screen_complain(const char *text, size_t len);

#endif /* SAVSH_SCREEN_H */
