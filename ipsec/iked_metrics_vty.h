/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_metrics_vty - sav-iked's endpoint for Prometheus.
 */
#ifndef SAV_IKED_METRICS_VTY_H
#define SAV_IKED_METRICS_VTY_H

#include "ipsec/proc.h"
#include "lib/metrics.h"

/* "metrics listen" and "show metrics". */
void iked_metrics_vty_init(void);
/* After the last fork: listens from now on. */
void iked_metrics_start(void);
void iked_metrics_stop(void);

/* ---- iked_metrics_packet.c */
void iked_metrics_event(const struct proc_event *event); /* of ike's */
metrics_collect_fn iked_metrics_ike;

#endif /* SAV_IKED_METRICS_VTY_H */
