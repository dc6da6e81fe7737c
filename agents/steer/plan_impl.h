/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * plan_impl - between plan.c and plan_rules.c.
 */
#ifndef SAV_PLAN_IMPL_H
#define SAV_PLAN_IMPL_H

#include "agents/steer/plan.h"

struct plan_maker {
	struct plan *plan;
	const struct site *site;
	const struct steer_world *world;
};

bool plan_is_link_local(const struct ip_addr *a);
struct ip_prefix plan_host_of(const struct ip_addr *a);
const struct agent_interface *plan_interface_find(const struct plan_maker *m, const char *name);

/* After paths and providers are there. */
void plan_make_rules(struct plan_maker *m);
void plan_make_routes(struct plan_maker *m, enum ip_family f);

#endif /* SAV_PLAN_IMPL_H */
