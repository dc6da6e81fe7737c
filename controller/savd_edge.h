/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd_edge - what savd knows of each edge besides the engine's state: struct
 * savd_edge, sorted by router and interface.
 */
#ifndef SAV_SAVD_EDGE_H
#define SAV_SAVD_EDGE_H

#include "controller/savd.h"

/* For configured edges only, so that an agent cannot fill memory: else NULL. Valid
 * until savd_edge_forget(). */
struct savd_edge *savd_edge_get(struct savd *s, const char *router, const char *interface);
void savd_edge_forget(struct savd *s, const char *router, const char *interface);

/* It has this generation since then (seconds since 1970). One that it had before,
 * as after a restart, is no change. */
void savd_edge_changed(struct savd_edge *e, uint64_t generation, int64_t when_s);

void savd_edges_fini(struct savd *s);

#endif /* SAV_SAVD_EDGE_H */
