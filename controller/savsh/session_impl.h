/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * session_impl - what session.c and session_help.c share; nobody else's.
 */
#ifndef SAVSH_SESSION_IMPL_H
#define SAVSH_SESSION_IMPL_H

#include "controller/savsh/seat.h"
#include "controller/savsh/session.h"

struct session {
	struct seat seats[SESSION_DAEMONS_MAX];
	size_t n;
	volatile sig_atomic_t *stop;
};

#endif /* SAVSH_SESSION_IMPL_H */
