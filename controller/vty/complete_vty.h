/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * complete_vty - show customer completeness, of one and of all.
 */
#ifndef SAV_COMPLETE_VTY_H
#define SAV_COMPLETE_VTY_H

#include "lib/frr_compat.h"

#include "controller/savd.h"

void complete_vty_init(struct event_loop *loop, struct savd *savd);
void complete_vty_stop(void); /* ends what runs; before later_stop() */

#endif /* SAV_COMPLETE_VTY_H */
