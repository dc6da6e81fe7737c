/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_metrics_vty - sav-iked's endpoint for Prometheus.
 */
#ifndef SAV_IKED_METRICS_VTY_H
#define SAV_IKED_METRICS_VTY_H

/* "metrics listen" and "show metrics". */
void iked_metrics_vty_init(void);
/* After the last fork: listens from now on. */
void iked_metrics_start(void);
void iked_metrics_stop(void);

#endif /* SAV_IKED_METRICS_VTY_H */
