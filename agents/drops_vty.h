/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * drops_vty - reads the samples of drops, and shows what was dropped most.
 */
#ifndef SAV_DROPS_VTY_H
#define SAV_DROPS_VTY_H

#include "agents/agent.h"
#include "lib/frr_compat.h"

struct agent_drops_config {
	unsigned int group; /* NFLOG */
	void (*privileges)(bool raise);
};

/* Commands first; reading begins with the event loop. */
void agent_drops_init(struct agent *agent);
void agent_drops_start(struct event_loop *loop, const struct agent_drops_config *config);
void agent_drops_stop(void);
/* For the controller: north_ops. */
size_t agent_drops_take(void *ctx, struct drop *rows, size_t max);

#endif /* SAV_DROPS_VTY_H */
