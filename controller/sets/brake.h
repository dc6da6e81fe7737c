/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * brake - refuses a removal that would take too much of an edge's set at once.
 *
 * The measure is the number of addresses per family against its maximum of
 * the last 24 hours: a router that lost its table, or a policy gone wrong,
 * looks like a customer that gave up most of its space. Additions are never
 * braked here.
 */
#ifndef SAV_BRAKE_H
#define SAV_BRAKE_H

#include "lib/rangeset.h"

#define BRAKE_HOURS 24

struct brake {
	u128 peak[BRAKE_HOURS][IP_FAMILIES]; /* by hour, a ring */
	int64_t hour;			     /* of the newest entry */
	bool used;
};

/* The set in force at now_ms; call on every change and about hourly. */
void brake_note(struct brake *b, const struct addrset *set, int64_t now_ms);
/* May the set become `after`? percent: the largest part that may go, 1..100.
 * A family that had addresses may never become empty. */
bool brake_allows(const struct brake *b, const struct addrset *after, unsigned int percent);
/* A command took these addresses: they are no part of the measure any more. */
void brake_forget(struct brake *b, const struct addrset *gone);
/* The operator has agreed: forget the past. */
void brake_release(struct brake *b);

#endif /* SAV_BRAKE_H */
