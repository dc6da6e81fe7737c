/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hold - from the computed set to the enforced set of one edge, in time.
 *
 * Additions count at once. An address leaves only after it has been absent
 * from the computed set for the whole hold-down (RFC 8704 sec. 3.6.2 asks for
 * hysteresis on removal), whatever made it absent. Pure: the caller brings
 * `now`, in milliseconds of a clock that never steps back.
 */
#ifndef SAV_HOLD_H
#define SAV_HOLD_H

#include "lib/rangeset.h"

struct hold_entry {
	int64_t due_ms;
	int64_t since_ms;    /* the last of it became absent */
	struct addrset gone; /* absent from the computed set, still enforced */
};

struct hold {
	struct addrset enforced;
	struct hold_entry *entries; /* by due_ms; their sets are disjoint */
	size_t n;
};

void hold_fini(struct hold *h);

/* Takes the computed set: enforced grows at once; what is enforced but not
 * computed starts to wait, what came back stops waiting. True if enforced
 * changed. */
bool hold_update(struct hold *h, const struct addrset *computed, int64_t holddown_ms,
		 int64_t now_ms);

/* As hold_update() while the computed set cannot be trusted to be whole: grows,
 * what came back stops waiting, nothing begins to wait. */
bool hold_add(struct hold *h, const struct addrset *computed);

/* These addresses leave now: they are due, or the operator says so. True if
 * enforced changed. */
bool hold_drop(struct hold *h, const struct addrset *gone);

/* When something is due next, or -1. */
int64_t hold_next_ms(const struct hold *h);
/* All that waits; *out is replaced. */
void hold_waiting(const struct hold *h, struct addrset *out);

#endif /* SAV_HOLD_H */
