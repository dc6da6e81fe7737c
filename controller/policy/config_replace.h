/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * config_replace - from one configuration to another by the fewest changes.
 */
#ifndef SAV_CONFIG_REPLACE_H
#define SAV_CONFIG_REPLACE_H

#include "controller/policy/config.h"

/* Makes cfg say what target says, each change checked, stored and told as if it
 * were typed, in an order in which each is possible. -1 with diag: a change was
 * refused, and those before it are made. Whoever watches is told at the end. */
int config_replace(struct config *cfg, const struct config *target, struct diag *diag);

#endif /* SAV_CONFIG_REPLACE_H */
