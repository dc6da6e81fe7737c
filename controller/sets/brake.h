/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * brake - refuses what would change an edge's set by too much at once.
 *
 * The measure is the number of addresses per family against its maximum of the
 * last 24 hours. A router that lost its table, or a policy gone wrong, looks like
 * a customer that gave up most of its space; a customer that leaks a full table
 * looks like one that grew a thousandfold.
 *
 * Growth is measured against the maximum of the 24 hours before the hour that is
 * under way, so that many small steps do not raise their own measure, and while
 * any of it is held the measure stands still. Below a floor growth is free: a
 * customer with one /24 may get many more.
 */
#ifndef SAV_BRAKE_H
#define SAV_BRAKE_H

#include "lib/rangeset.h"

#define BRAKE_HOURS    24
#define BRAKE_FLOOR_V4 ((u128)1 << 16) /* addresses: as in a /16 */
#define BRAKE_FLOOR_V6 ((u128)1 << 96) /* as in a /32 */

struct brake {
	u128 peak[BRAKE_HOURS][IP_FAMILIES]; /* by hour, a ring */
	u128 last[IP_FAMILIES];		     /* size at the last note */
	u128 base[IP_FAMILIES];		     /* what growth is measured against */
	int64_t hour;			     /* of the newest entry */
	bool used;
	bool holding; /* set by the caller: some growth is held back */
};

/* The sizes in force at now_ms; call on every change, before one that is asked
 * about and after. */
void brake_note(struct brake *b, const u128 size[IP_FAMILIES], int64_t now_ms);
/* May the set shrink to these sizes? percent: the largest part that may go,
 * 1..100. A family that had addresses may never become empty. */
bool brake_allows(const struct brake *b, const u128 after[IP_FAMILIES],
		  unsigned int percent);
/* How many addresses a family of this size may gain now. percent: of the measure;
 * 0: as many as there are. */
u128 brake_room(const struct brake *b, enum ip_family family, u128 size,
		unsigned int percent);
/* A command took so many addresses: they are no part of the measure any more. */
void brake_forget(struct brake *b, const u128 gone[IP_FAMILIES]);
/* A command brought so many. */
void brake_grant(struct brake *b, const u128 came[IP_FAMILIES]);
/* The operator has agreed: forget the past. */
void brake_release(struct brake *b);

#endif /* SAV_BRAKE_H */
