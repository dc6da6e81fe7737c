/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd_metrics - what savd tells Prometheus, see lib/metrics.h.
 *
 * One file per subject: routers' feeds and agents, edges (the many), and savd
 * itself. Other modules register collectors of their own in savd.metrics.
 */
#ifndef SAV_SAVD_METRICS_H
#define SAV_SAVD_METRICS_H

#include "controller/savd.h"
#include "lib/metrics.h"

#define SAVD_GAUGE(id, name, help) \
	static const struct metric id = { name, help, METRIC_GAUGE }
#define SAVD_COUNTER(id, name, help) \
	static const struct metric id = { name, help, METRIC_COUNTER }

struct savd_metrics;

/* Registers all collectors. savd and state_dir stay the caller's. */
struct savd_metrics *savd_metrics_new(struct savd *savd, struct metrics_registry *registry,
				      const char *state_dir);
void savd_metrics_free(struct savd_metrics *sm);

/* arg: struct savd * */
metrics_collect_fn savd_metrics_feeds;

/* arg: struct savd_metrics_edges * */
struct savd_metrics_edges;
struct savd_metrics_edges *savd_metrics_edges_new(struct savd *savd);
void savd_metrics_edges_free(struct savd_metrics_edges *me);
metrics_collect_fn savd_metrics_edges;

/* The wall clock less savd's, to turn its times into dates. */
int64_t savd_metrics_offset_ms(void);
/* One sample more with one label more. */
void savd_metrics_add(struct metrics *m, const struct metric *f, struct metric_labels *labels,
		      const char *label, const char *value, uint64_t v);

#endif /* SAV_SAVD_METRICS_H */
