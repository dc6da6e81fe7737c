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

static bool update(struct hold *h, const char *computed, int64_t now)
{
	struct addrset set = set_of(computed);
	bool grew = hold_update(h, &set, HOLD_MS, now);

	addrset_fini(&set);
	return grew;
}

/* What the engine does with entries that are due. */
static bool expire(struct hold *h, int64_t now)
{
	bool changed = false;

	while (h->n && h->entries[0].due_ms <= now) {
		struct addrset gone = { 0 };

		addrset_copy(&gone, &h->entries[0].gone);
		changed |= hold_drop(h, &gone);
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
#define assert_enforced(h, text) check_text(&(h)->enforced, text, __LINE__)

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
	struct hold h = { 0 };

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
	struct hold h = { 0 };
	int64_t due;

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
	struct hold h = { 0 };

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
	struct hold h = { 0 };
	struct addrset part = set_of("1.0.1.0/24 1.0.9.0/24");

	update(&h, "1.0.0.0/22", 0);
	update(&h, "1.0.2.0/23", 1000);
	assert_waiting(&h, "1.0.0.0/23");
	assert_true(hold_add(&h, &part));
	assert_false(hold_add(&h, &part));
	assert_enforced(&h, "1.0.0.0/22 1.0.9.0/24");
	assert_waiting(&h, "1.0.0.0/24");
	addrset_fini(&part);
	hold_fini(&h);
}

static void test_dropped_by_word(void **state)
{
	struct hold h = { 0 };
	struct addrset some = set_of("1.0.1.0/24 9.0.0.0/8");

	update(&h, "1.0.0.0/22", 0);
	update(&h, "1.0.2.0/23", 0);
	assert_true(hold_drop(&h, &some));
	assert_enforced(&h, "1.0.0.0/24 1.0.2.0/23");
	assert_waiting(&h, "1.0.0.0/24");
	assert_false(hold_drop(&h, &some));
	addrset_fini(&some);
	hold_fini(&h);
}

static void test_without_hold_down(void **state)
{
	struct hold h = { 0 };
	struct addrset one = set_of("1.0.0.0/24"), none = { 0 };

	hold_update(&h, &one, 0, 77);
	hold_update(&h, &none, 0, 78);
	assert_int_equal(hold_next_ms(&h), 78);
	assert_true(expire(&h, 78));
	assert_enforced(&h, "");
	addrset_fini(&one);
	hold_fini(&h);
}

/* A peer that flaps for days costs no memory. */
static void test_the_list_is_bounded(void **state)
{
	struct hold h = { 0 };
	int64_t now = 0;

	for (int i = 0; i < 20000; i++, now += 500) {
		struct addrset set = { 0 };

		for (u128 a = 0; a < 64; a++) {
			if ((unsigned int)i % 64 != (unsigned int)a)
				rangeset_append(&set.f[IP_V4], a * 2, a * 2);
		}
		hold_update(&h, &set, HOLD_MS, now);
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
		bool held = addrset_contains(&h->enforced, &a);
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
	struct addrset seen = { 0 }, both = { 0 };

	for (size_t i = 0; i < h->n; i++) {
		if (i)
			assert_true(h->entries[i - 1].due_ms < h->entries[i].due_ms);
		assert_false(addrset_is_empty(&h->entries[i].gone));
		addrset_intersect(&both, &seen, &h->entries[i].gone);
		assert_true(addrset_is_empty(&both));
		addrset_union(&seen, &seen, &h->entries[i].gone);
	}
	addrset_subtract(&seen, &seen, &h->enforced);
	assert_true(addrset_is_empty(&seen));
	addrset_fini(&both);
}

static void one_history(uint64_t *seed)
{
	int64_t hold_ms = (int64_t)random_below(seed, 3) * 450000, now = 0;
	struct model m = { .absent_ms = { 0 } };
	struct hold h = { 0 };

	for (int i = 0; i < ADDRS; i++)
		m.absent_ms[i] = -1;
	for (int step = 0; step < 400; step++) {
		bool whole = random_below(seed, 4) != 0;
		struct addrset set;

		now += (int64_t)random_below(seed, 60000);
		for (unsigned int k = random_below(seed, 4); k > 0; k--)
			m.computed[random_below(seed, ADDRS)] ^= true;
		set = as_set(m.computed);
		if (whole)
			hold_update(&h, &set, hold_ms, now);
		else
			hold_add(&h, &set);
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
		cmocka_unit_test(test_the_list_is_bounded),
		cmocka_unit_test(test_against_a_clock_per_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
