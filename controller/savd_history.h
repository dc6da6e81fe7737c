/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd_history - what happens to filters and what is worth a line in the log,
 * on its way into the database.
 *
 * Filters are sent first and saved after, many in one transaction: nothing here
 * touches the disk but savd_history_save() and _trim().
 */
#ifndef SAV_SAVD_HISTORY_H
#define SAV_SAVD_HISTORY_H

#include "controller/savd.h"

struct savd_history;

struct savd_history *savd_history_new(struct savd *savd);
void savd_history_free(struct savd_history *h);

/* An engine run begins: what it sends is for this reason. */
void savd_history_run(struct savd_history *h);
/* What the coming run will do to the edge's filter, it will do for this. */
void savd_history_because(struct savd_history *h, const char *router, const char *interface,
			  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A filter of this edge was sent. */
void savd_history_sent(struct savd_history *h, struct savd_edge *e);
/* The edge is no more. */
void savd_history_gone(struct savd_history *h, const char *router, const char *interface);
/* Bounded: beyond SAVD_EVENTS_MAX unsaved ones only their number is kept. */
void savd_history_event(struct savd_history *h, bool alarm, const char *text);
#define SAVD_EVENTS_MAX 4096

/* Some of what is not saved yet, in one transaction of some milliseconds: 1: call it
 * again, 0: that was all; -1 with diag: nothing, it stays for the next call. */
int savd_history_save(struct savd_history *h, struct diag *diag);
/* Takes away some of what the configuration says not to keep; 1: there may be
 * more, 0: that was all, -1 with diag. */
int savd_history_trim(struct savd_history *h, struct diag *diag);

#endif /* SAV_SAVD_HISTORY_H */
