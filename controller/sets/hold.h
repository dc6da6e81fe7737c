/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hold - from the computed set to the enforced set of one edge, in time.
 *
 * Additions count at once. An address leaves only after it has been absent
 * from the computed set for the whole hold-down (RFC 8704 sec. 3.6.2 asks for
 * hysteresis on removal), whatever made it absent. Told of changes only, and
 * each call costs what changed and not the set. Pure: the caller brings `now`,
 * in milliseconds of a clock that never steps back.
 */
#ifndef SAV_HOLD_H
#define SAV_HOLD_H

#include "lib/dynset.h"

struct hold_entry {
	int64_t due_ms;
	int64_t since_ms;	/* the last of it became absent */
	struct dynaddrset gone; /* absent from the computed set, still enforced */
};

struct hold {
	struct dynaddrset enforced;
	struct dynaddrset absent; /* of that: not in the computed set */
	struct dynaddrset idle;	  /* of that: has not begun to wait */
	u128 size[IP_FAMILIES];	  /* addresses enforced, modulo 2^128 */
	struct hold_entry *entries; /* by due_ms; their sets are disjoint */
	size_t n;
};

void hold_init(struct hold *h);
void hold_fini(struct hold *h); /* it is empty and usable */

/* The computed set gained *added: enforced grows at once, what came back stops
 * waiting. What is new in enforced is appended to *fresh; normalized by the
 * caller, as in the calls below. */
void hold_add(struct hold *h, const struct addrset *added, struct addrset *fresh);
/* The computed set lost *removed, all of which is enforced and not absent yet. */
void hold_remove(struct hold *h, const struct addrset *removed);
/* What is absent and does not wait begins to: to be called after changes while
 * the computed set can be trusted to be whole. */
void hold_wait(struct hold *h, int64_t holddown_ms, int64_t now_ms);
/* What of *gone is absent leaves now: it is due, or the operator says so. */
void hold_drop(struct hold *h, const struct addrset *gone, struct addrset *left);
/* All that is absent leaves now: nothing is enforced yet. */
void hold_drop_absent(struct hold *h, struct addrset *left);
/* The hold-down is another one: what waits has waited since it became absent. */
void hold_retime(struct hold *h, int64_t holddown_ms);

/* When something is due next, or -1. */
int64_t hold_next_ms(const struct hold *h);
/* When this address is due, or -1. */
int64_t hold_due_ms(const struct hold *h, const struct ip_addr *addr);
/* All that waits; *out is replaced. */
void hold_waiting(const struct hold *h, struct addrset *out);
/* Enforced less absent; *out is replaced. Costs the set. */
void hold_computed(const struct hold *h, struct addrset *out);
bool hold_is_computed(const struct hold *h, const struct ip_addr *addr);
bool hold_computes_nothing(const struct hold *h);
/* Number of addresses enforced; saturates. */
void hold_size(const struct hold *h, u128 size[IP_FAMILIES]);

#endif /* SAV_HOLD_H */
