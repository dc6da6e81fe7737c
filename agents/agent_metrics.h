/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * agent_metrics - what sav-agent tells Prometheus, see lib/metrics.h.
 */
#ifndef SAV_AGENT_METRICS_H
#define SAV_AGENT_METRICS_H

#include "agents/agent.h"
#include "lib/metrics.h"

struct agent_metrics;

/* Both stay the caller's and must outlive it. */
struct agent_metrics *agent_metrics_new(const struct agent *agent,
					struct metrics_registry *registry);
void agent_metrics_free(struct agent_metrics *am);

#endif /* SAV_AGENT_METRICS_H */
