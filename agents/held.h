/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * held - the last good filter of every edge, and whose generations they are.
 */
#ifndef SAV_HELD_H
#define SAV_HELD_H

#include "lib/filter.h"

#define HELD_MAX 65536 /* edges; AGENT_INTERFACES_MAX */

struct held {
	uint64_t epoch;		/* of the controller's database, 0 for none */
	struct filter *filters; /* sorted by interface */
	size_t n, cap;
};

void held_fini(struct held *h);
/* NULL if there is none; valid until the next change. */
const struct filter *held_find(const struct held *h, const char *interface);
void held_put(struct held *h, const struct filter *f); /* copied */
void held_remove(struct held *h, const char *interface);

#endif /* SAV_HELD_H */
