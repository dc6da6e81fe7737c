/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "controller/sets/brake.h"
#include "tests/unit/sets/net.h"

#define HOUR ((int64_t)3600 * 1000)

static void note(struct brake *b, u128 n4, u128 n6, int64_t now)
{
	const u128 size[IP_FAMILIES] = { n4, n6 };

	brake_note(b, size, now);
}

static bool allows(const struct brake *b, u128 n4, u128 n6, unsigned int percent)
{
	const u128 size[IP_FAMILIES] = { n4, n6 };

	return brake_allows(b, size, percent);
}

static void test_the_bound_is_exact(void **state)
{
	struct brake b = { 0 };

	note(&b, 1000, 0, 0);
	assert_true(allows(&b, 500, 0, 50));
	assert_false(allows(&b, 499, 0, 50));
	assert_true(allows(&b, 990, 0, 1));
	assert_false(allows(&b, 989, 0, 1));
	assert_true(allows(&b, 1, 0, 100));
	assert_true(allows(&b, 5000, 0, 1));
}

static void test_no_family_becomes_empty(void **state)
{
	struct brake b = { 0 };

	note(&b, 1000, 16, 0);
	assert_false(allows(&b, 0, 16, 100));
	assert_false(allows(&b, 1000, 0, 100));
	assert_true(allows(&b, 1, 1, 100));
	/* one that had nothing may stay so */
	brake_release(&b);
	note(&b, 1000, 0, 0);
	assert_true(allows(&b, 1000, 0, 50));
}

static void test_either_family_holds(void **state)
{
	struct brake b = { 0 };

	note(&b, 1000, (u128)1 << 80, 0);
	assert_true(allows(&b, 500, (u128)1 << 79, 50));
	assert_false(allows(&b, 1000, ((u128)1 << 79) - ((u128)1 << 70), 50));
	assert_false(allows(&b, 499, (u128)1 << 80, 50));
}

static void test_the_measure_is_the_maximum_of_a_day(void **state)
{
	struct brake b = { 0 };

	note(&b, 1000, 0, 0);
	for (int64_t h = 1; h < 24; h++) {
		note(&b, 600, 0, h * HOUR);
		assert_false(allows(&b, 400, 0, 50));
	}
	/* a slow decay cannot slip past it within the day; the first hour's size
	 * was that of the second one's begin */
	note(&b, 600, 0, 24 * HOUR);
	assert_false(allows(&b, 400, 0, 50));
	note(&b, 600, 0, 25 * HOUR);
	assert_true(allows(&b, 400, 0, 50));
	assert_false(allows(&b, 299, 0, 50));
}

static void test_gaps_in_time(void **state)
{
	struct brake b = { 0 };

	note(&b, 1000, 0, 5 * HOUR);
	/* in hours without a call it was as before */
	note(&b, 100, 0, 28 * HOUR);
	assert_false(allows(&b, 100, 0, 50));
	note(&b, 100, 0, 51 * HOUR);
	assert_false(allows(&b, 60, 0, 50));
	note(&b, 100, 0, 52 * HOUR);
	assert_true(allows(&b, 60, 0, 50));
	/* and days without one leave no ghost of a ring entry */
	note(&b, 10, 0, 1000 * HOUR);
	assert_false(allows(&b, 5, 0, 50));
	assert_true(allows(&b, 50, 0, 50));
	note(&b, 10, 0, 1024 * HOUR);
	assert_true(allows(&b, 5, 0, 50));
}

static void test_release_forgets(void **state)
{
	struct brake b = { 0 };

	assert_true(allows(&b, 0, 0, 1));
	note(&b, 1000, 1000, 0);
	brake_release(&b);
	assert_true(allows(&b, 0, 0, 1));
	note(&b, 10, 0, 1);
	assert_false(allows(&b, 4, 0, 50));
	assert_true(allows(&b, 5, 0, 50));
}

static void test_a_command_shrinks_the_measure(void **state)
{
	struct brake b = { 0 };
	const u128 gone[IP_FAMILIES] = { 900, 0 };

	note(&b, 1000, 8, 0);
	brake_forget(&b, gone);
	assert_true(allows(&b, 50, 8, 50));
	assert_false(allows(&b, 49, 8, 50));
	assert_false(allows(&b, 0, 8, 100));
	assert_false(allows(&b, 100, 0, 100));
	/* never below nothing */
	brake_forget(&b, gone);
	assert_true(allows(&b, 0, 8, 50));
}

static void test_all_addresses(void **state)
{
	const u128 all[IP_FAMILIES] = { (u128)1 << 32, ~(u128)0 };
	struct brake b = { 0 };

	brake_note(&b, all, 0);
	assert_true(brake_allows(&b, all, 1));
	assert_false(allows(&b, (u128)1 << 31, (u128)1 << 126, 50));
	assert_true(allows(&b, (u128)1 << 31, (u128)1 << 127, 50));
	assert_true(brake_room(&b, IP_V6, ~(u128)0, 100) == 0);
	assert_true(brake_room(&b, IP_V6, 5, 100) == ~(u128)0 - 5);
}

/* ---- growth ---- */

#define FLOOR BRAKE_FLOOR_V4

static u128 room(const struct brake *b, u128 size, unsigned int percent)
{
	return brake_room(b, IP_V4, size, percent);
}

static void test_growth_has_a_bound(void **state)
{
	struct brake b = { 0 };

	assert_true(room(&b, 0, 50) == ~(u128)0); /* nothing is known yet */
	note(&b, 10 * FLOOR, 0, 0);
	assert_true(room(&b, 10 * FLOOR, 50) == 5 * FLOOR);
	assert_true(room(&b, 14 * FLOOR, 50) == FLOOR);
	assert_true(room(&b, 16 * FLOOR, 50) == 0);
	assert_true(room(&b, 10 * FLOOR, 100000) == 10000 * FLOOR);
	assert_true(room(&b, 10 * FLOOR, 0) == ~(u128)0);
	/* what went for a while may come back */
	note(&b, FLOOR, 0, 1);
	assert_true(room(&b, FLOOR, 50) == 14 * FLOOR);
}

static void test_growth_is_free_to_the_floor(void **state)
{
	struct brake b = { 0 };

	note(&b, 256, 0, 0);
	assert_true(room(&b, 256, 10) == FLOOR - 256);
	assert_true(brake_room(&b, IP_V6, 0, 10) == BRAKE_FLOOR_V6);
}

/* Step by step nobody gets further than at once. */
static void test_small_steps_do_not_raise_the_measure(void **state)
{
	struct brake b = { 0 };

	note(&b, 10 * FLOOR, 0, 0);
	for (u128 n = 10; n <= 15; n++)
		note(&b, n * FLOOR, 0, (int64_t)n * 1000);
	assert_true(room(&b, 15 * FLOOR, 50) == 0);
	/* in the next hour that is what it is */
	note(&b, 15 * FLOOR, 0, HOUR);
	assert_true(room(&b, 15 * FLOOR, 100) == 15 * FLOOR);
}

static void test_the_measure_waits_with_what_is_held(void **state)
{
	struct brake b = { 0 };

	note(&b, 10 * FLOOR, 0, 0);
	note(&b, 15 * FLOOR, 0, 1);
	b.holding = true;
	note(&b, 15 * FLOOR, 0, 30 * HOUR);
	assert_true(room(&b, 15 * FLOOR, 50) == 0);
	brake_release(&b);
	assert_true(room(&b, 15 * FLOOR, 50) == ~(u128)0);
	note(&b, 40 * FLOOR, 0, 30 * HOUR);
	assert_true(room(&b, 40 * FLOOR, 50) == 20 * FLOOR);
}

/* A quiet day, then growth: the measure is what it was, not what it was once. */
static void test_growth_after_a_gap(void **state)
{
	struct brake b = { 0 };

	note(&b, 1 * FLOOR, 0, 0);
	note(&b, 10 * FLOOR, 0, 1);
	note(&b, 10 * FLOOR, 0, 100 * HOUR);
	assert_true(room(&b, 10 * FLOOR, 50) == 5 * FLOOR);
}

static void test_commands_move_the_measure(void **state)
{
	const u128 some[IP_FAMILIES] = { 10 * FLOOR, 0 };
	struct brake b = { 0 };

	note(&b, 10 * FLOOR, 0, 0);
	brake_grant(&b, some);
	assert_true(room(&b, 20 * FLOOR, 50) == 10 * FLOOR);
	brake_forget(&b, some);
	assert_true(room(&b, 10 * FLOOR, 50) == 5 * FLOOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_bound_is_exact),
		cmocka_unit_test(test_no_family_becomes_empty),
		cmocka_unit_test(test_either_family_holds),
		cmocka_unit_test(test_the_measure_is_the_maximum_of_a_day),
		cmocka_unit_test(test_gaps_in_time),
		cmocka_unit_test(test_release_forgets),
		cmocka_unit_test(test_a_command_shrinks_the_measure),
		cmocka_unit_test(test_all_addresses),
		cmocka_unit_test(test_growth_has_a_bound),
		cmocka_unit_test(test_growth_is_free_to_the_floor),
		cmocka_unit_test(test_small_steps_do_not_raise_the_measure),
		cmocka_unit_test(test_the_measure_waits_with_what_is_held),
		cmocka_unit_test(test_growth_after_a_gap),
		cmocka_unit_test(test_commands_move_the_measure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
