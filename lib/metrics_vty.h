/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * metrics_vty - commands about metrics that every daemon has.
 */
#ifndef SAV_METRICS_VTY_H
#define SAV_METRICS_VTY_H

#include "lib/metrics_packet.h"

struct vty;

/* Installs "show metrics [json]". */
void metrics_vty_init(void);
/* What the commands are about, once it is there; the lists stay the caller's. */
void metrics_vty_set(struct metrics_http *http, struct metrics_listen *const *listens,
		     const size_t *n);
/* Tells the operator who has just typed the statement that it does not work
 * yet, and why. */
void metrics_vty_report(struct vty *vty, const struct metrics_listen *l);

#endif /* SAV_METRICS_VTY_H */
