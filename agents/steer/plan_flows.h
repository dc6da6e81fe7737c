/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * plan_flows - which flows one plan leaves behind for the next.
 *
 * A flow is pinned by its mark for as long as it lasts: translated to an address
 * that is gone, by a provider that is dead or was taken out of the
 * configuration, it would go on into nothing, and a number that is given again
 * would make it another provider's. Such flows are forgotten and begin anew.
 */
#ifndef SAV_PLAN_FLOWS_H
#define SAV_PLAN_FLOWS_H

#include "agents/steer/plan.h"

struct plan_flows {
	uint8_t family;
	uint32_t mark, mask;
};

#define PLAN_FLOWS_MAX (4 * 2 * IP_FAMILIES * (PATH_NUMBER_MAX + 1))

/* Each once. Returns how many. */
size_t plan_flows_gone(const struct plan *old, const struct plan *new,
		       struct plan_flows out[PLAN_FLOWS_MAX]);

#endif /* SAV_PLAN_FLOWS_H */
