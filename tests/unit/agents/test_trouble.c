/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What fails again and again is told once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "agents/trouble.h"

static void test_who_fails_at_each_attempt_is_told_once(void **state)
{
	struct trouble t = { .n_told = 0 };

	(void)state;
	assert_true(trouble_begins(&t, "message damaged", 0));
	for (int64_t now = 1000; now < 100000; now += 1000)
		assert_false(trouble_begins(&t, "message damaged", now));
	assert_string_equal(t.text, "message damaged");
}

static void test_who_comes_and_goes_is_told_once(void **state)
{
	struct trouble t = { .n_told = 0 };

	(void)state;
	assert_false(trouble_ends(&t, 0)); /* nothing was wrong */
	assert_true(trouble_begins(&t, "ended", 1000));
	assert_true(trouble_begins(&t, "not there", 1500));
	assert_true(trouble_ends(&t, 2000));
	assert_string_equal(t.text, "");
	for (int64_t now = 3000; now < 100000; now += 1000) {
		assert_false(trouble_begins(&t, "ended", now));
		assert_string_equal(t.text, "ended");
		assert_false(trouble_begins(&t, "not there", now + 300));
		assert_false(trouble_ends(&t, now + 600));
		assert_string_equal(t.text, "");
	}
}

static void test_after_calm_it_is_news_again(void **state)
{
	struct trouble t = { .n_told = 0 };

	(void)state;
	assert_true(trouble_begins(&t, "ended", 1000));
	assert_true(trouble_ends(&t, 2000));
	assert_false(trouble_ends(&t, 5000)); /* still: the calm has begun at 2000 */
	assert_false(trouble_begins(&t, "ended", 2000 + TROUBLE_CALM_MS - 1));
	assert_false(trouble_ends(&t, 20000));
	assert_true(trouble_begins(&t, "ended", 20000 + TROUBLE_CALM_MS));
	assert_true(trouble_ends(&t, 40000));
}

static void test_texts_that_always_differ_end_somewhere(void **state)
{
	struct trouble t = { .n_told = 0 };
	unsigned int told = 0;
	char text[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "error %d", i);
		told += trouble_begins(&t, text, i);
		assert_string_equal(t.text, text);
	}
	assert_int_equal(told, TROUBLE_TOLD_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_fails_at_each_attempt_is_told_once),
		cmocka_unit_test(test_who_comes_and_goes_is_told_once),
		cmocka_unit_test(test_after_calm_it_is_news_again),
		cmocka_unit_test(test_texts_that_always_differ_end_somewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
