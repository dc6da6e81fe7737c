/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sorted arrays: where something is, and what comes after it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "lib/array.h"

static int by_value(const void *item, const void *key)
{
	const int a = *(const int *)item, b = *(const int *)key;

	return (a > b) - (a < b);
}

static void test_each_item_is_found_and_left_behind(void **state)
{
	void *array = NULL;
	size_t n = 0;
	bool found;

	(void)state;
	for (int i = 0; i < 50; i++) {
		const int item = (i * 37) % 50 * 2; /* even numbers, in some order */

		assert_true(array_set(&array, &n, sizeof(int), &item, by_value, true));
		assert_false(array_set(&array, &n, sizeof(int), &item, by_value, true));
	}
	for (int key = -1; key <= 100; key++) {
		const size_t at = array_locate(array, n, sizeof(int), &key, by_value, &found);
		const size_t after = array_after(array, n, sizeof(int), &key, by_value);
		size_t beyond = 0;

		while (beyond < n && ((int *)array)[beyond] <= key)
			beyond++;
		assert_int_equal(found, key >= 0 && key < 100 && key % 2 == 0);
		assert_int_equal(after, beyond);
		assert_int_equal(after, at + found);
	}
	free(array);
}

static void test_a_walk_of_an_array_that_shrinks_meanwhile(void **state)
{
	int items[] = { 1, 3, 5, 7 }, last = 0;
	void *array = NULL;
	size_t n = 0;
	size_t at;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		array_set(&array, &n, sizeof(int), &items[i], by_value, true);
	at = array_after(array, n, sizeof(int), &last, by_value);
	assert_int_equal(at, 0);
	last = 3;
	array_remove(array, &n, sizeof(int), 1); /* the one that the walk is at */
	at = array_after(array, n, sizeof(int), &last, by_value);
	assert_int_equal(((int *)array)[at], 5);
	last = 7;
	assert_int_equal(array_after(array, n, sizeof(int), &last, by_value), n);
	assert_int_equal(array_after(NULL, 0, sizeof(int), &last, by_value), 0);
	free(array);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_item_is_found_and_left_behind),
		cmocka_unit_test(test_a_walk_of_an_array_that_shrinks_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
