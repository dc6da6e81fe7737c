/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd_run - when the engine works, and where goes what it decides: filters to the
 * agents and into the history, wishes to feeds and listeners.
 */
#ifndef SAV_SAVD_RUN_PACKET_H
#define SAV_SAVD_RUN_PACKET_H

#include "lib/frr_compat.h"

#include "controller/savd.h"

/* For engine_new(); its context is not looked at. */
extern const struct engine_ops savd_engine_ops;

void savd_run_init(struct savd *savd, struct event_loop *loop);
/* The first time, at once: what was restored is handed out. */
void savd_run_start(void);
void savd_run_stop(void);

#endif /* SAV_SAVD_RUN_PACKET_H */
