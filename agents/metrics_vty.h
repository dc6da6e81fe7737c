/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * metrics_vty - the agent's endpoint for Prometheus and its commands.
 */
#ifndef SAV_AGENTS_METRICS_VTY_H
#define SAV_AGENTS_METRICS_VTY_H

#include "agents/agent.h"
#include "lib/metrics.h"

struct event_loop;

/* The commands; statements of the configuration file are kept for the start. */
void agent_metrics_vty_init(void);
/* After the last fork: listens from now on. Returns where other modules register
 * their own collectors. */
struct metrics_registry *agent_metrics_start(struct event_loop *loop, struct agent *agent);
void agent_metrics_stop(void);

#endif /* SAV_AGENTS_METRICS_VTY_H */
