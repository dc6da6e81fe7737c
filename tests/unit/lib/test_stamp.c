/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/stamp.h"

static int64_t must(const char *text)
{
	int64_t ms = -1;

	if (!stamp_parse(text, &ms))
		fail_msg("%s was refused", text);
	return ms;
}

static void test_parse(void **state)
{
	(void)state;
	assert_int_equal(must("1970-01-01"), 0);
	assert_int_equal(must("2001-09-09T01:46:40Z"), 1000000000000);
	assert_int_equal(must("2001-09-09T01:46:40.007"), 1000000000007);
	assert_int_equal(must("2001-09-09T01:46"), 1000000000000 - 40000);
	assert_int_equal(must("2024-02-29"), 1709164800000);
}

static void test_refuse(void **state)
{
	static const char *const bad[] = { "",
					   "2026",
					   "2026-1-1",
					   "2026-02-29",
					   "2026-13-01",
					   "2026-00-10",
					   "2026-01-01T",
					   "2026-01-01T25:00",
					   "2026-01-01T10:61",
					   "2026-01-01 10:00",
					   "2026-01-01T10:00:00.1",
					   "2026-01-01ZZ",
					   "1969-12-31",
					   "yesterday" };
	int64_t ms = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (stamp_parse(bad[i], &ms))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(ms, 5);
	}
}

static void test_ago(void **state)
{
	int64_t ms;

	(void)state;
	assert_true(stamp_parse_ago("-90s", 100000, &ms));
	assert_int_equal(ms, 10000);
	assert_true(stamp_parse_ago("-3d", 300000000, &ms));
	assert_int_equal(ms, 300000000 - 3 * 86400000);
	assert_true(stamp_parse_ago("1970-01-02", 7, &ms));
	assert_int_equal(ms, 86400000);
	assert_false(stamp_parse_ago("-", 7, &ms));
	assert_false(stamp_parse_ago("-5", 7, &ms));
	assert_false(stamp_parse_ago("-s", 7, &ms));
	assert_false(stamp_parse_ago("-5y", 7, &ms));
	assert_false(stamp_parse_ago("-5mm", 7, &ms));
	assert_false(stamp_parse_ago("-99999999999999999999s", 7, &ms));
}

static void test_round_trip(void **state)
{
	char text[STAMP_TEXT_SIZE];

	(void)state;
	assert_string_equal(stamp_format(1000000000007, text),
			    "2001-09-09T01:46:40.007Z");
	assert_string_equal(stamp_format_short(1709164800000, text), "2024-02-29");
	assert_string_equal(stamp_format_short(1709164860000, text), "2024-02-29T00:01Z");
	srandom(1);
	for (int i = 0; i < 10000; i++) {
		int64_t ms = (int64_t)random() * 1000 + random() % 1000;

		assert_int_equal(must(stamp_format(ms, text)), ms);
		assert_int_equal(must(stamp_format_short(ms, text)), ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_ago),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
