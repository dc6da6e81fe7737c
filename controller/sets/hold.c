/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/hold.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* A flapping peer must not grow the list without bound: due times are rounded
 * up to this part of the hold-down, so that there are at most as many. */
#define HOLD_SLOTS 64

void hold_fini(struct hold *h)
{
	addrset_fini(&h->enforced);
	for (size_t i = 0; i < h->n; i++)
		addrset_fini(&h->entries[i].gone);
	free(h->entries);
	*h = (struct hold){ 0 };
}

/* Forgets entries with nothing left to wait for. */
static void prune(struct hold *h)
{
	size_t used = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (addrset_is_empty(&h->entries[i].gone))
			addrset_fini(&h->entries[i].gone);
		else
			h->entries[used++] = h->entries[i];
	}
	h->n = used;
}

static void subtract_everywhere(struct hold *h, const struct addrset *set)
{
	for (size_t i = 0; i < h->n; i++)
		addrset_subtract(&h->entries[i].gone, &h->entries[i].gone, set);
	prune(h);
}

void hold_waiting(const struct hold *h, struct addrset *out)
{
	addrset_fini(out);
	for (size_t i = 0; i < h->n; i++)
		addrset_union(out, out, &h->entries[i].gone);
}

static int64_t round_up(int64_t due_ms, int64_t holddown_ms)
{
	int64_t slot = holddown_ms / HOLD_SLOTS;

	return slot > 1 ? (due_ms + slot - 1) / slot * slot : due_ms;
}

static void start_waiting(struct hold *h, const struct addrset *gone, int64_t now_ms,
			  int64_t due_ms)
{
	size_t at = 0;

	while (at < h->n && h->entries[at].due_ms < due_ms)
		at++;
	if (at == h->n || h->entries[at].due_ms != due_ms) {
		h->entries = mem_realloc(h->entries, h->n + 1, sizeof(*h->entries));
		memmove(&h->entries[at + 1], &h->entries[at],
			(h->n - at) * sizeof(*h->entries));
		h->entries[at] = (struct hold_entry){ .due_ms = due_ms };
		h->n++;
	}
	h->entries[at].since_ms = now_ms;
	addrset_union(&h->entries[at].gone, &h->entries[at].gone, gone);
}

bool hold_add(struct hold *h, const struct addrset *computed)
{
	struct addrset fresh = { 0 };
	bool grew;

	addrset_subtract(&fresh, computed, &h->enforced);
	grew = !addrset_is_empty(&fresh);
	if (grew)
		addrset_union(&h->enforced, &h->enforced, &fresh);
	addrset_fini(&fresh);
	subtract_everywhere(h, computed);
	return grew;
}

bool hold_update(struct hold *h, const struct addrset *computed, int64_t holddown_ms,
		 int64_t now_ms)
{
	struct addrset missing = { 0 }, waiting = { 0 };
	bool grew = hold_add(h, computed);

	hold_waiting(h, &waiting);
	addrset_subtract(&missing, &h->enforced, computed);
	addrset_subtract(&missing, &missing, &waiting);
	if (!addrset_is_empty(&missing))
		start_waiting(h, &missing, now_ms,
			      round_up(now_ms + holddown_ms, holddown_ms));
	addrset_fini(&missing);
	addrset_fini(&waiting);
	return grew;
}

bool hold_drop(struct hold *h, const struct addrset *gone)
{
	struct addrset hit = { 0 };
	bool changed;

	addrset_intersect(&hit, &h->enforced, gone);
	changed = !addrset_is_empty(&hit);
	addrset_fini(&hit);
	if (changed) {
		addrset_subtract(&h->enforced, &h->enforced, gone);
		subtract_everywhere(h, gone);
	}
	return changed;
}

int64_t hold_next_ms(const struct hold *h)
{
	return h->n ? h->entries[0].due_ms : -1;
}
