/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * config_replace_impl - what the files of config_replace share.
 */
#ifndef SAV_CONFIG_REPLACE_IMPL_H
#define SAV_CONFIG_REPLACE_IMPL_H

#include "controller/policy/config_replace.h"

struct replace {
	struct config *cfg;
	const struct config *target;
	struct diag *diag;
};

bool config_replace_same_prefixes(const struct ip_prefix *a, size_t n_a,
				  const struct ip_prefix *b, size_t n_b);

/* Each 0, or -1 with r->diag. */
int config_replace_lists(struct replace *r);
int config_replace_radius(struct replace *r);

#endif /* SAV_CONFIG_REPLACE_IMPL_H */
