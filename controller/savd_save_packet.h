/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd_save - when what happens is written to the database: some milliseconds after
 * it happened, bit by bit, and again for as long as the database cannot be written.
 */
#ifndef SAV_SAVD_SAVE_PACKET_H
#define SAV_SAVD_SAVE_PACKET_H

#include "lib/frr_compat.h"

#include "controller/savd.h"

/* Makes savd->history. */
void savd_save_start(struct savd *savd, struct event_loop *loop);
/* Writes all that waits, if the database takes it: the last time, while there is an
 * engine. What is noted from then on is for the log only. */
void savd_save_all(void);
void savd_save_stop(void);

void savd_save_soon(void);
/* What is too old leaves the database, from some seconds after the start on. */
void savd_save_trim(void);

#endif /* SAV_SAVD_SAVE_PACKET_H */
