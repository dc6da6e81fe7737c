/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "controller/sets/brake.h"
#include "tests/unit/sets/net.h"

#define HOUR ((int64_t)3600 * 1000)

/* n4 IPv4 addresses and n6 IPv6 ones. */
static struct addrset of_size(u128 n4, u128 n6)
{
	struct addrset set = { 0 };

	if (n4)
		rangeset_append(&set.f[IP_V4], 0, n4 - 1);
	if (n6)
		rangeset_append(&set.f[IP_V6], 0, n6 - 1);
	return set;
}

static void note(struct brake *b, u128 n4, u128 n6, int64_t now)
{
	struct addrset set = of_size(n4, n6);

	brake_note(b, &set, now);
	addrset_fini(&set);
}

static bool allows(const struct brake *b, u128 n4, u128 n6, unsigned int percent)
{
	struct addrset set = of_size(n4, n6);
	bool yes = brake_allows(b, &set, percent);

	addrset_fini(&set);
	return yes;
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
	/* a slow decay cannot slip past it within the day */
	note(&b, 600, 0, 24 * HOUR);
	assert_true(allows(&b, 400, 0, 50));
	assert_false(allows(&b, 299, 0, 50));
}

static void test_gaps_in_time(void **state)
{
	struct brake b = { 0 };

	note(&b, 1000, 0, 5 * HOUR);
	/* hours without a call forget nothing too early */
	note(&b, 100, 0, 28 * HOUR);
	assert_false(allows(&b, 100, 0, 50));
	note(&b, 100, 0, 29 * HOUR);
	assert_true(allows(&b, 60, 0, 50));
	/* and days without one leave no ghost of a ring entry */
	note(&b, 10, 0, 1000 * HOUR);
	assert_true(allows(&b, 5, 0, 50));
	note(&b, 10, 0, 1023 * HOUR);
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
	struct addrset gone = of_size(900, 0);

	note(&b, 1000, 8, 0);
	brake_forget(&b, &gone);
	assert_true(allows(&b, 50, 8, 50));
	assert_false(allows(&b, 49, 8, 50));
	assert_false(allows(&b, 0, 8, 100));
	assert_false(allows(&b, 100, 0, 100));
	/* never below nothing */
	brake_forget(&b, &gone);
	assert_true(allows(&b, 0, 8, 50));
	addrset_fini(&gone);
}

static void test_all_addresses(void **state)
{
	struct brake b = { 0 };
	struct addrset all = { 0 };

	rangeset_append(&all.f[IP_V4], 0, ip_max(IP_V4));
	rangeset_append(&all.f[IP_V6], 0, ip_max(IP_V6));
	brake_note(&b, &all, 0);
	assert_true(brake_allows(&b, &all, 1));
	assert_false(allows(&b, (u128)1 << 31, (u128)1 << 126, 50));
	assert_true(allows(&b, (u128)1 << 31, (u128)1 << 127, 50));
	addrset_fini(&all);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
