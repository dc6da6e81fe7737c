/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * history_vty - what was: commands, events, and filters at a time.
 */
#ifndef SAV_HISTORY_VTY_H
#define SAV_HISTORY_VTY_H

#include "controller/savd.h"

/* Takes libfrr's own `show history` away, which is about one connection. */
void history_vty_init(struct savd *savd);
/* show edge ... at TIME, explain ... at TIME; part of history_vty_init(). */
void past_vty_init(struct savd *savd);

#endif /* SAV_HISTORY_VTY_H */
