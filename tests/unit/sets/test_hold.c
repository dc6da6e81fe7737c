/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sets/hold.h"
#include "tests/unit/sets/net.h"
#include "tests/unit/sets/random.h"

#define HOLD_MS 900000
#define SLOT_MS (HOLD_MS / 64) /* due times are rounded up to these */

/* "1.0.0.0/24 2001:db8::/32" */
static struct addrset set_of(const char *text)
{
	struct addrset set = { 0 };
	char copy[200], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " "))) {
		struct ip_prefix p;

		if (*word == '\0')
			continue;
		p = net_prefix(word);
		addrset_append(&set, &p);
	}
	addrset_normalize(&set);
	return set;
}

/* The computed set is this one now. */
static bool compute(struct hold *h, const struct addrset *computed)
{
	struct addrset old = { 0 }, added = { 0 }, removed = { 0 }, fresh = { 0 };
	bool grew;

	hold_computed(h, &old);
	addrset_subtract(&added, computed, &old);
	addrset_subtract(&removed, &old, computed);
	hold_remove(h, &removed);
	hold_add(h, &added, &fresh);
	grew = !addrset_is_empty(&fresh);
	addrset_fini(&old);
	addrset_fini(&added);
	addrset_fini(&removed);
	addrset_fini(&fresh);
	return grew;
}

static bool update(struct hold *h, const char *computed, int64_t now)
{
	struct addrset set = set_of(computed);
	bool grew = compute(h, &set);

	hold_wait(h, HOLD_MS, now);
	addrset_fini(&set);
	return grew;
}

static bool drop(struct hold *h, const struct addrset *gone)
{
	struct addrset left = { 0 };
	bool changed;

	hold_drop(h, gone, &left);
	changed = !addrset_is_empty(&left);
	addrset_fini(&left);
	return changed;
}

/* What the engine does with entries that are due. */
static bool expire(struct hold *h, int64_t now)
{
	bool changed = false;

	while (h->n && h->entries[0].due_ms <= now) {
		struct addrset gone = { 0 };

		dynaddrset_export(&h->entries[0].gone, &gone);
		changed |= drop(h, &gone);
		addrset_fini(&gone);
	}
	return changed;
}

static void check_text(const struct addrset *set, const char *want, int line)
{
	char *got = net_set_text(set);

	if (strcmp(got, want) != 0)
		fail_msg("line %d: \"%s\", not \"%s\"", line, got, want);
	free(got);
}
static void check_enforced(const struct hold *h, const char *want, int line)
{
	struct addrset enforced = { 0 };
	u128 size[IP_FAMILIES];

	dynaddrset_export(&h->enforced, &enforced);
	check_text(&enforced, want, line);
	hold_size(h, size);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		assert_true(size[family] == rangeset_size(&enforced.f[family]));
	addrset_fini(&enforced);
}
#define assert_enforced(h, text) check_enforced(h, text, __LINE__)

static void check_waiting(const struct hold *h, const char *want, int line)
{
	struct addrset waiting = { 0 };

	hold_waiting(h, &waiting);
	check_text(&waiting, want, line);
	addrset_fini(&waiting);
}
#define assert_waiting(h, text) check_waiting(h, text, __LINE__)

static void test_additions_count_at_once(void **state)
{
	struct hold h;

	hold_init(&h);
	assert_int_equal(hold_next_ms(&h), -1);
	assert_true(update(&h, "1.0.0.0/24", 0));
	assert_enforced(&h, "1.0.0.0/24");
	assert_false(update(&h, "1.0.0.0/25 1.0.0.128/25", 1));
	assert_true(update(&h, "1.0.0.0/23 2001:db8::/32", 2));
	assert_enforced(&h, "1.0.0.0/23 2001:db8::/32");
	assert_int_equal(hold_next_ms(&h), -1);
	hold_fini(&h);
}

static void test_removals_wait(void **state)
{
	struct hold h;
	int64_t due;

	hold_init(&h);
	update(&h, "1.0.0.0/24 1.0.1.0/24", 0);
	assert_false(update(&h, "1.0.0.0/24", 1000));
	assert_enforced(&h, "1.0.0.0/23");
	assert_waiting(&h, "1.0.1.0/24");
	due = hold_next_ms(&h);
	assert_in_range(due, 1000 + HOLD_MS, 1000 + HOLD_MS + SLOT_MS);
	assert_false(expire(&h, due - 1));
	assert_enforced(&h, "1.0.0.0/23");
	assert_true(expire(&h, due));
	assert_enforced(&h, "1.0.0.0/24");
	assert_int_equal(hold_next_ms(&h), -1);
	hold_fini(&h);
}

static void test_coming_back_ends_the_wait(void **state)
{
	struct hold h;

	hold_init(&h);
	update(&h, "1.0.0.0/24", 0);
	update(&h, "", 1000);
	assert_waiting(&h, "1.0.0.0/24");
	assert_false(update(&h, "1.0.0.0/25", 500000));
	assert_waiting(&h, "1.0.0.128/25");
	/* gone again: from now on, not from then */
	update(&h, "", 600000);
	assert_int_equal(h.n, 2);
	assert_true(expire(&h, 1000 + HOLD_MS + SLOT_MS));
	assert_enforced(&h, "1.0.0.0/25");
	assert_in_range(hold_next_ms(&h), 600000 + HOLD_MS, 600000 + HOLD_MS + SLOT_MS);
	assert_int_equal(h.entries[0].since_ms, 600000);
	hold_fini(&h);
}

/* While a feed dumps its table: what it has shown stops waiting, what it has
 * not shown yet does not begin to. */
static void test_add_only(void **state)
{
	struct hold h;
	struct addrset part = set_of("1.0.1.0/24 1.0.9.0/24");

	hold_init(&h);
	update(&h, "1.0.0.0/22", 0);
	update(&h, "1.0.2.0/23", 1000);
	assert_waiting(&h, "1.0.0.0/23");
	assert_true(compute(&h, &part));
	assert_false(compute(&h, &part));
	assert_enforced(&h, "1.0.0.0/22 1.0.9.0/24");
	assert_waiting(&h, "1.0.0.0/24");
	/* whole again: now it begins */
	hold_wait(&h, HOLD_MS, 50000);
	assert_waiting(&h, "1.0.0.0/24 1.0.2.0/23");
	assert_int_equal(h.n, 2);
	addrset_fini(&part);
	hold_fini(&h);
}

static void test_dropped_by_word(void **state)
{
	struct hold h;
	struct addrset some = set_of("1.0.1.0/24 9.0.0.0/8");

	hold_init(&h);
	update(&h, "1.0.0.0/22", 0);
	update(&h, "1.0.2.0/23", 0);
	assert_true(drop(&h, &some));
	assert_enforced(&h, "1.0.0.0/24 1.0.2.0/23");
	assert_waiting(&h, "1.0.0.0/24");
	assert_false(drop(&h, &some));
	addrset_fini(&some);
	hold_fini(&h);
}

static void test_without_hold_down(void **state)
{
	struct hold h;
	struct addrset one = set_of("1.0.0.0/24"), none = { 0 };

	hold_init(&h);
	compute(&h, &one);
	compute(&h, &none);
	hold_wait(&h, 0, 78);
	assert_int_equal(hold_next_ms(&h), 78);
	assert_true(expire(&h, 78));
	assert_enforced(&h, "");
	addrset_fini(&one);
	hold_fini(&h);
}

/* A hold-down that is made shorter or longer counts from when it was gone. */
static void test_another_hold_down(void **state)
{
	struct addrset left = { 0 };
	struct hold h;
	struct ip_addr a = net_addr("1.0.1.1");

	hold_init(&h);
	update(&h, "1.0.0.0/22", 0);
	update(&h, "1.0.0.0/24 1.0.2.0/23", 1000000);
	update(&h, "1.0.0.0/24 1.0.3.0/24", 1100000);
	assert_int_equal(h.n, 2);
	hold_retime(&h, 10000);
	assert_in_range(hold_next_ms(&h), 1010000, 1010000 + 10000 / 64);
	assert_int_equal(hold_due_ms(&h, &a), hold_next_ms(&h));
	hold_retime(&h, 2 * HOLD_MS);
	assert_in_range(hold_next_ms(&h), 1000000 + 2 * HOLD_MS,
			1000000 + 2 * HOLD_MS + 2 * SLOT_MS);
	hold_retime(&h, 86400000); /* one slot of 22 minutes for both */
	assert_int_equal(h.n, 1);
	assert_int_equal(h.entries[0].since_ms, 1100000);
	assert_waiting(&h, "1.0.1.0/24 1.0.2.0/24");
	hold_drop_absent(&h, &left);
	assert_enforced(&h, "1.0.0.0/24 1.0.3.0/24");
	assert_int_equal(hold_next_ms(&h), -1);
	addrset_fini(&left);
	hold_fini(&h);
}

/* The whole of IPv6 is one address more than can be counted. */
static void test_everything(void **state)
{
	struct addrset all = { 0 }, none = { 0 };
	u128 size[IP_FAMILIES];
	struct hold h;

	hold_init(&h);
	assert_true(hold_computes_nothing(&h));
	rangeset_append(&all.f[IP_V6], 0, ip_max(IP_V6));
	compute(&h, &all);
	hold_size(&h, size);
	assert_true(size[IP_V6] == ~(u128)0 && size[IP_V4] == 0);
	assert_false(hold_computes_nothing(&h));
	compute(&h, &none);
	assert_true(hold_computes_nothing(&h));
	drop(&h, &all);
	hold_size(&h, size);
	assert_true(size[IP_V6] == 0);
	addrset_fini(&all);
	hold_fini(&h);
}

/* A peer that flaps for days costs no memory. */
static void test_the_list_is_bounded(void **state)
{
	struct hold h;
	int64_t now = 0;

	hold_init(&h);
	for (int i = 0; i < 20000; i++, now += 500) {
		struct addrset set = { 0 };

		for (u128 a = 0; a < 64; a++) {
			if ((unsigned int)i % 64 != (unsigned int)a)
				rangeset_append(&set.f[IP_V4], a * 2, a * 2);
		}
		compute(&h, &set);
		hold_wait(&h, HOLD_MS, now);
		expire(&h, now);
		assert_true(h.n <= 66);
		addrset_fini(&set);
	}
	hold_fini(&h);
}

/* ---- against a model with one clock for each address ---- */

#define ADDRS 24

struct model {
	bool computed[ADDRS], enforced[ADDRS];
	int64_t absent_ms[ADDRS]; /* of what is enforced and not computed */
};

static struct addrset as_set(const bool *in)
{
	struct addrset set = { 0 };

	for (unsigned int i = 0; i < ADDRS; i++) {
		if (in[i])
			rangeset_append(&set.f[i & 1], i / 2, i / 2);
	}
	addrset_normalize(&set);
	return set;
}

static void model_update(struct model *m, bool whole, int64_t now)
{
	for (int i = 0; i < ADDRS; i++) {
		if (m->computed[i]) {
			m->enforced[i] = true;
			m->absent_ms[i] = -1;
		} else if (m->enforced[i] && m->absent_ms[i] < 0 && whole) {
			m->absent_ms[i] = now;
		}
	}
}

static void check_against_model(struct model *m, const struct hold *h, int64_t hold_ms,
				int64_t now)
{
	for (int i = 0; i < ADDRS; i++) {
		struct ip_addr a = { (u128)i / 2, i & 1 };
		bool held = dynaddrset_contains(&h->enforced, &a);
		int64_t absent = now - m->absent_ms[i];

		if (!m->enforced[i]) {
			assert_false(held);
		} else if (m->absent_ms[i] < 0 || absent < hold_ms) {
			assert_true(held);
		} else if (absent > hold_ms + hold_ms / 64) {
			assert_false(held);
		}
		if (!held)
			m->enforced[i] = false;
	}
}

static void check_entries(const struct hold *h)
{
	struct addrset seen = { 0 }, both = { 0 }, gone = { 0 }, enforced = { 0 };

	for (size_t i = 0; i < h->n; i++) {
		if (i)
			assert_true(h->entries[i - 1].due_ms < h->entries[i].due_ms);
		dynaddrset_export(&h->entries[i].gone, &gone);
		assert_false(addrset_is_empty(&gone));
		addrset_intersect(&both, &seen, &gone);
		assert_true(addrset_is_empty(&both));
		addrset_union(&seen, &seen, &gone);
	}
	dynaddrset_export(&h->enforced, &enforced);
	addrset_subtract(&seen, &seen, &enforced);
	assert_true(addrset_is_empty(&seen));
	addrset_fini(&both);
	addrset_fini(&gone);
	addrset_fini(&enforced);
}

static void one_history(uint64_t *seed)
{
	int64_t hold_ms = (int64_t)random_below(seed, 3) * 450000, now = 0;
	struct model m = { .absent_ms = { 0 } };
	struct hold h;

	hold_init(&h);
	for (int i = 0; i < ADDRS; i++)
		m.absent_ms[i] = -1;
	for (int step = 0; step < 400; step++) {
		bool whole = random_below(seed, 4) != 0;
		struct addrset set;

		now += (int64_t)random_below(seed, 60000);
		for (unsigned int k = random_below(seed, 4); k > 0; k--)
			m.computed[random_below(seed, ADDRS)] ^= true;
		set = as_set(m.computed);
		compute(&h, &set);
		if (whole)
			hold_wait(&h, hold_ms, now);
		addrset_fini(&set);
		model_update(&m, whole, now);
		expire(&h, now);
		check_against_model(&m, &h, hold_ms, now);
		check_entries(&h);
	}
	hold_fini(&h);
}

static void test_against_a_clock_per_address(void **state)
{
	uint64_t seed = random_seed();

	for (int i = 0; i < 300; i++)
		one_history(&seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_additions_count_at_once),
		cmocka_unit_test(test_removals_wait),
		cmocka_unit_test(test_coming_back_ends_the_wait),
		cmocka_unit_test(test_add_only),
		cmocka_unit_test(test_dropped_by_word),
		cmocka_unit_test(test_without_hold_down),
		cmocka_unit_test(test_another_hold_down),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_the_list_is_bounded),
		cmocka_unit_test(test_against_a_clock_per_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
