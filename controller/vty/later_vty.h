/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * later_vty - a command whose answer comes later, while the daemon goes on.
 */
#ifndef SAV_LATER_VTY_H
#define SAV_LATER_VTY_H

#include "lib/frr_compat.h"

#include "vty.h"

/* An answer that has been promised to one VTY. A shell that has gone meanwhile does
 * not get it, and nobody else notices. */
struct later;

/* NULL: this VTY cannot wait, it is not a shell's. Else the command returns
 * CMD_SUSPEND without having printed anything. */
struct later *later_new(struct event_loop *loop, struct vty *vty);
/* The whole answer, which is freed by it, and the command's status. */
void later_answer(struct later *later, char *text, int status);
/* All that could not be sent yet; when the daemon ends. */
void later_stop(void);

#endif /* SAV_LATER_VTY_H */
