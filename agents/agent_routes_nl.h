/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * agent_routes_nl - reads the routes while the controller wants them.
 */
#ifndef SAV_AGENT_ROUTES_NL_H
#define SAV_AGENT_ROUTES_NL_H

#include "schema/agent_msg.h"

struct event_loop;
struct routes_nl_status;

/* wake is called when there may be something to send. */
struct agent_routes_ops {
	void (*privileges)(bool raise);
	void (*wake)(void);
};

void agent_routes_init(struct event_loop *loop, const struct agent_routes_ops *ops);
void agent_routes_fini(void);
void agent_routes_want(bool want);
bool agent_routes_next(struct agent_routes *out);
/* NULL: not wanted, nothing is read. */
const struct routes_nl_status *agent_routes_status(size_t routes[IP_FAMILIES]);

#endif /* SAV_AGENT_ROUTES_NL_H */
