/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * metrics - numbers for Prometheus, in its text exposition format 0.0.4.
 *
 * A snapshot is made by collectors, in steps that are short enough to stand
 * between two events of a daemon's loop; whoever serves it decides when the
 * next step is due. A sample may come at any time: its family's lines are kept
 * together, as the format wants them. No socket, no clock, no libfrr; the HTTP
 * side is metrics_packet.h.
 *
 * Names: PROGRAM_NOUN_UNIT, base units (seconds, bytes), _total for counters,
 * _timestamp_seconds for points in time.
 */
#ifndef SAV_METRICS_H
#define SAV_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wr.h"

enum metric_type {
	METRIC_GAUGE,
	METRIC_COUNTER,
};

/* Static: the snapshot keeps the pointer, which identifies the family. */
struct metric {
	const char *name;
	const char *help; /* one sentence */
	enum metric_type type;
};

/* The families of a file, at its top. */
#define GAUGE(id, name, help)	static const struct metric id = { name, help, METRIC_GAUGE }
#define COUNTER(id, name, help) static const struct metric id = { name, help, METRIC_COUNTER }

/* The labels of one thing, written once and used for each of its samples. */
struct metric_labels {
	struct wr text; /* name="value",name="value" */
};
void metric_labels_fini(struct metric_labels *l);
void metric_labels_clear(struct metric_labels *l); /* keeps the memory */
/* Any bytes: what is not printable ASCII becomes \xNN in the value. Returns the
 * length before, for metric_labels_cut(). */
size_t metric_label(struct metric_labels *l, const char *name, const char *value);
void metric_labels_cut(struct metric_labels *l, size_t len);

struct metrics; /* a snapshot */

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* labels: NULL for none. One sample for each family and set of labels. */
void metric_add(struct metrics *m, const struct metric *f, const struct metric_labels *labels,
		uint64_t value);
void metric_add_bool(struct metrics *m, const struct metric *f,
		     const struct metric_labels *labels, bool value);
/* In seconds, from milliseconds or microseconds. */
void metric_add_ms(struct metrics *m, const struct metric *f,
		   const struct metric_labels *labels, int64_t ms);
void metric_add_us(struct metrics *m, const struct metric *f,
		   const struct metric_labels *labels, int64_t us);

/* Dates that are made of two clocks differ by their rounding at each look, and
 * changes() would count that: *kept stays, and is returned, while ms is within
 * half a second of it. *kept is 0 at first. */
int64_t metric_steady_ms(int64_t *kept, int64_t ms);

/* The text in pieces, one per family in the order of their first samples; they
 * live as long as the snapshot. Returns their number. */
size_t metrics_pieces(const struct metrics *m, const struct wr *const **pieces);
size_t metrics_bytes(const struct metrics *m);

/* ---- collectors ---- */

/* Adds samples: a millisecond's worth at most, say those of one edge. *step is
 * 0 at the first call of a snapshot, then what the collector left there; events
 * run between two calls. True: that was all. */
typedef bool metrics_collect_fn(struct metrics *m, uint64_t *step, void *arg);

struct metrics_registry;

struct metrics_registry *metrics_registry_new(void);
void metrics_registry_free(struct metrics_registry *r);
/* In this order. arg must outlive the registry or metrics_registry_remove(). */
void metrics_registry_add(struct metrics_registry *r, metrics_collect_fn *fn, void *arg);
void metrics_registry_remove(struct metrics_registry *r, metrics_collect_fn *fn, void *arg);

/* A walk over all collectors, zeroed at first, one step at a time; false when
 * the snapshot is complete. */
struct metrics_walk {
	size_t collector;
	uint64_t step;
};
bool metrics_walk_step(struct metrics_registry *r, struct metrics_walk *w,
		       struct metrics *m);

/* ---- what every process has ---- */

/* process_* (cpu, memory, file descriptors, start) from /proc. */
metrics_collect_fn metrics_collect_process;
struct metrics_build {
	struct metric family; /* savd_build_info */
	const char *version, *library;
};
metrics_collect_fn metrics_collect_build; /* arg: struct metrics_build * */

#endif /* SAV_METRICS_H */
