/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * metrics_listen_vty - "metrics listen" of a daemon whose configuration is
 * libfrr's file: the statement, its list, and the endpoint that it opens.
 */
#ifndef SAV_METRICS_LISTEN_VTY_H
#define SAV_METRICS_LISTEN_VTY_H

#include "lib/metrics.h"

struct event_loop;

/* Installs the commands, those of metrics_vty.h too; statements of the file are
 * kept for the start. */
void metrics_listen_vty_init(void);
/* After the last fork: listens from now on. The registry stays the caller's. */
void metrics_listen_vty_start(struct event_loop *loop, struct metrics_registry *registry);
void metrics_listen_vty_stop(void);

#endif /* SAV_METRICS_LISTEN_VTY_H */
