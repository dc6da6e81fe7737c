/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * database_vty - database check, backup, vacuum; show database.
 */
#ifndef SAV_DATABASE_VTY_H
#define SAV_DATABASE_VTY_H

#include "lib/frr_compat.h"

#include "controller/savd.h"

void database_vty_init(struct event_loop *loop, struct savd *savd);
/* Ends what runs, unfinished; before the store is closed. */
void database_vty_stop(void);

#endif /* SAV_DATABASE_VTY_H */
