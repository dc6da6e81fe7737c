/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * plan_impl - between plan.c, plan_path.c, plan_source.c and plan_rules.c.
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
/* NULL too when it lies in a VRF: routes and rules of ours do not lead there, and its
 * addresses are not this machine's in the default one. */
const struct agent_interface *plan_interface_find(const struct plan_maker *m, const char *name);
/* Of an interface there: what is wrong, and the remedy. */
void plan_say_vrf(char *out, size_t size, const char *vrf, const char *device);
/* Wherever it lies. */
const struct agent_interface *plan_interface_anywhere(const struct plan_maker *m, const char *name);

void plan_append_prefix(struct ip_prefix **list, size_t *n, const struct ip_prefix *p);
void plan_note_problem(struct plan_provider *p, const struct ip_prefix *prefix,
		       const char *other);
/* The provider, but not that one, in whose prefix it lies; or NULL. */
const struct plan_provider *plan_owner_of(const struct plan *plan, const struct ip_addr *a,
					  uint32_t but);

void plan_make_path(struct plan_maker *m, const struct site_provider *provider,
		    const struct site_path *config);
/* After paths and providers' prefixes are there. */
void plan_make_sources(struct plan_maker *m);
/* After these: a tunnel whose selectors have none of its provider's sources is no
 * path, whatever else is well with it: what it is given it drops. */
void plan_check_selectors(struct plan_maker *m);
/* After all of them. */
void plan_make_rules(struct plan_maker *m);
void plan_make_routes(struct plan_maker *m, enum ip_family f);

#endif /* SAV_PLAN_IMPL_H */
