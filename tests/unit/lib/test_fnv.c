/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/fnv.h"

/* The values of FNV's authors, in their test of the 32-bit FNV-1a. */
static void test_it_is_fnv_1a(void **state)
{
	(void)state;
	assert_int_equal(fnv_text(""), 0x811c9dc5);
	assert_int_equal(fnv_text("a"), 0xe40c292c);
	assert_int_equal(fnv_text("foobar"), 0xbf9cf968);
}

static void test_parts_are_as_the_whole(void **state)
{
	(void)state;
	assert_int_equal(fnv_more(fnv_more(FNV_BEGIN, "foo", 3), "bar", 3), fnv_text("foobar"));
	assert_int_equal(fnv_more(FNV_BEGIN, "foobar and more", 6), fnv_text("foobar"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_fnv_1a),
		cmocka_unit_test(test_parts_are_as_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
