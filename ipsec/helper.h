/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * helper - what ike, signer and esp have in common as processes.
 *
 * Each is started by sav-iked with its channel as descriptor PROC_CONTROL_FD,
 * gives up what it does not need, says PROC_READY, and ends when the channel
 * does. None is of use in a shell.
 */
#ifndef SAV_HELPER_H
#define SAV_HELPER_H

#include "ipsec/proc.h"
#include "lib/diag.h"

/* The channel to main, or exit with status 2 and a word on who starts this. */
struct proc_chan *helper_begin(const char *name);
/* Of a helper that needs no right: the file system is hidden, then it becomes --uid
 * and --gid of its command line (nobody without), drops all capabilities and
 * every system call but those of the sandbox and these (SYS_*). -1: diag. */
int helper_give_up_rights(int argc, char **argv, const long *calls, size_t n, struct diag *diag);
void helper_ready(struct proc_chan *main_chan);
/* A line for main's log. */
void helper_log(struct proc_chan *main_chan, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* main is told why; exits with status 1. */
void helper_give_up(struct proc_chan *main_chan, const struct diag *diag) __attribute__((noreturn));
uint64_t helper_now_ms(void); /* monotonic */

#endif /* SAV_HELPER_H */
