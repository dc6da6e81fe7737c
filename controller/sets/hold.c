/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/hold.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* A flapping peer must not grow the list without bound: due times are rounded
 * up to this part of the hold-down, so that there are at most as many. */
#define HOLD_SLOTS 64

void hold_init(struct hold *h)
{
	*h = (struct hold){ 0 };
	dynaddrset_init(&h->enforced);
	dynaddrset_init(&h->absent);
	dynaddrset_init(&h->idle);
}

void hold_fini(struct hold *h)
{
	dynaddrset_fini(&h->enforced);
	dynaddrset_fini(&h->absent);
	dynaddrset_fini(&h->idle);
	for (size_t i = 0; i < h->n; i++)
		dynaddrset_fini(&h->entries[i].gone);
	free(h->entries);
	hold_init(h);
}

static u128 size_from(const struct rangeset *s, size_t from)
{
	u128 size = 0;

	for (size_t i = from; i < s->n; i++)
		size += s->r[i].last - s->r[i].first + 1;
	return size;
}

/* Forgets entries with nothing left to wait for. */
static void prune(struct hold *h)
{
	size_t used = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (dynaddrset_is_empty(&h->entries[i].gone))
			dynaddrset_fini(&h->entries[i].gone);
		else
			h->entries[used++] = h->entries[i];
	}
	h->n = used;
}

static void stop_waiting(struct hold *h, const struct addrset *set)
{
	if (addrset_is_empty(set))
		return;
	dynaddrset_remove(&h->idle, set, NULL);
	for (size_t i = 0; i < h->n; i++)
		dynaddrset_remove(&h->entries[i].gone, set, NULL);
	prune(h);
}

void hold_waiting(const struct hold *h, struct addrset *out)
{
	addrset_fini(out);
	for (size_t i = 0; i < h->n; i++) {
		struct addrset part = { 0 };

		dynaddrset_export(&h->entries[i].gone, &part);
		addrset_union(out, out, &part);
		addrset_fini(&part);
	}
}

static int64_t round_up(int64_t due_ms, int64_t holddown_ms)
{
	int64_t slot = holddown_ms / HOLD_SLOTS;

	return slot > 1 ? (due_ms + slot - 1) / slot * slot : due_ms;
}

/* The entry of that time, found or made. */
static struct hold_entry *entry_at(struct hold *h, int64_t due_ms, int64_t since_ms)
{
	size_t at = 0;

	while (at < h->n && h->entries[at].due_ms < due_ms)
		at++;
	if (at == h->n || h->entries[at].due_ms != due_ms) {
		h->entries = mem_realloc(h->entries, h->n + 1, sizeof(*h->entries));
		memmove(&h->entries[at + 1], &h->entries[at],
			(h->n - at) * sizeof(*h->entries));
		h->entries[at] =
			(struct hold_entry){ .due_ms = due_ms, .since_ms = since_ms };
		dynaddrset_init(&h->entries[at].gone);
		h->n++;
	}
	if (h->entries[at].since_ms < since_ms)
		h->entries[at].since_ms = since_ms;
	return &h->entries[at];
}

/* *from joins what the entry holds, and is empty after. */
static void entry_take(struct hold_entry *entry, struct dynaddrset *from)
{
	struct addrset set = { 0 };

	if (dynaddrset_is_empty(&entry->gone)) {
		dynaddrset_fini(&entry->gone);
		entry->gone = *from;
		dynaddrset_init(from);
		return;
	}
	dynaddrset_export(from, &set);
	dynaddrset_add(&entry->gone, &set, NULL);
	dynaddrset_fini(from);
	addrset_fini(&set);
}

void hold_add(struct hold *h, const struct addrset *added, struct addrset *fresh)
{
	struct addrset back = { 0 };

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		size_t from = fresh->f[family].n;

		dynset_add_all(&h->enforced.f[family], &added->f[family],
			       &fresh->f[family]);
		h->size[family] += size_from(&fresh->f[family], from);
	}
	dynaddrset_remove(&h->absent, added, &back);
	stop_waiting(h, &back);
	addrset_fini(&back);
}

void hold_remove(struct hold *h, const struct addrset *removed)
{
	dynaddrset_add(&h->absent, removed, NULL);
	dynaddrset_add(&h->idle, removed, NULL);
}

void hold_wait(struct hold *h, int64_t holddown_ms, int64_t now_ms)
{
	if (dynaddrset_is_empty(&h->idle))
		return;
	entry_take(entry_at(h, round_up(now_ms + holddown_ms, holddown_ms), now_ms),
		   &h->idle);
}

void hold_drop(struct hold *h, const struct addrset *gone, struct addrset *left)
{
	struct addrset hit = { 0 };

	dynaddrset_remove(&h->absent, gone, &hit);
	addrset_normalize(&hit);
	dynaddrset_remove(&h->enforced, &hit, NULL);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		h->size[family] -= size_from(&hit.f[family], 0);
		for (size_t i = 0; i < hit.f[family].n; i++)
			rangeset_append(&left->f[family], hit.f[family].r[i].first,
					hit.f[family].r[i].last);
	}
	stop_waiting(h, &hit);
	addrset_fini(&hit);
}

void hold_drop_absent(struct hold *h, struct addrset *left)
{
	struct addrset gone = { 0 };

	if (dynaddrset_is_empty(&h->absent))
		return;
	dynaddrset_export(&h->absent, &gone);
	hold_drop(h, &gone, left);
	addrset_fini(&gone);
}

void hold_retime(struct hold *h, int64_t holddown_ms)
{
	struct hold_entry *old = h->entries;
	size_t n = h->n;

	h->entries = NULL;
	h->n = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t due_ms = round_up(old[i].since_ms + holddown_ms, holddown_ms);

		entry_take(entry_at(h, due_ms, old[i].since_ms), &old[i].gone);
	}
	free(old);
}

int64_t hold_next_ms(const struct hold *h)
{
	return h->n ? h->entries[0].due_ms : -1;
}

int64_t hold_due_ms(const struct hold *h, const struct ip_addr *addr)
{
	for (size_t i = 0; i < h->n; i++) {
		if (dynaddrset_contains(&h->entries[i].gone, addr))
			return h->entries[i].due_ms;
	}
	return -1;
}

void hold_computed(const struct hold *h, struct addrset *out)
{
	struct addrset absent = { 0 };

	dynaddrset_export(&h->enforced, out);
	dynaddrset_export(&h->absent, &absent);
	addrset_subtract(out, out, &absent);
	addrset_fini(&absent);
}

bool hold_is_computed(const struct hold *h, const struct ip_addr *addr)
{
	return dynaddrset_contains(&h->enforced, addr) &&
	       !dynaddrset_contains(&h->absent, addr);
}

/* Absent is a part of enforced, so that all of it is absent when both have the
 * same ranges; only then both are looked at. */
bool hold_computes_nothing(const struct hold *h)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		const struct dynset *all = &h->enforced.f[family];
		const struct dynset *absent = &h->absent.f[family];
		struct rangeset a = { 0 }, b = { 0 };
		bool same;

		if (all->n != absent->n)
			return false;
		dynset_export(all, &a);
		dynset_export(absent, &b);
		same = rangeset_equal(&a, &b);
		rangeset_fini(&a);
		rangeset_fini(&b);
		if (!same)
			return false;
	}
	return true;
}

void hold_size(const struct hold *h, u128 size[IP_FAMILIES])
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		bool wrapped = h->size[family] == 0 && h->enforced.f[family].n != 0;

		size[family] = wrapped ? ~(u128)0 : h->size[family];
	}
}
