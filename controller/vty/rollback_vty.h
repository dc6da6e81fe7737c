/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rollback_vty - the ways back: `rollback`, `commit confirmed`, and what they
 * would change. And the way of a file into the running configuration.
 */
#ifndef SAV_ROLLBACK_VTY_H
#define SAV_ROLLBACK_VTY_H

#include "lib/frr_compat.h"

#include "vty.h"

#include "controller/savd.h"

void rollback_vty_init(struct event_loop *loop, struct savd *savd);
/* After journal_init(): a commit that was not confirmed before the last end of
 * savd is taken up again. */
void rollback_vty_start(void);
void rollback_vty_stop(void);

/* copy FILE running-config, configure check */
void config_copy_vty_init(struct savd *savd);

/* The lines that go and come between two configurations' texts, "" for none;
 * returns whether there are any. */
bool rollback_print_diff(struct vty *vty, const char *old, const char *new);

#endif /* SAV_ROLLBACK_VTY_H */
