/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The window against a plain list of all numbers seen, and the guesses of
 * RFC 4303 appendix A at every border.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/esp/esp_window.h"

static void test_zero_is_never_right(void **state)
{
	struct esp_window w = { 0 };

	assert_int_equal(esp_window_check(&w, 0), ESP_SEQ_OLD);
}

static void test_is_at_least_as_wide_as_promised(void **state)
{
	assert_true(ESP_WINDOW_SIZE >= 1024);
}

#define SPAN 20000
static void test_agrees_with_a_list_of_all_numbers(void **state)
{
	static bool seen[SPAN * 70];
	struct esp_window w = { 0 };
	uint64_t top = 0;

	srandom(7);
	for (unsigned int i = 0; i < 200000; i++) {
		/* mostly close to the front, at times a jump or an old one */
		uint64_t seq = top + 40 - (uint64_t)(random() % (random() % 20 ? 80 : 6000));
		enum esp_seq want = ESP_SEQ_NEW;

		if (random() % 5000 == 0)
			seq = top + (uint64_t)(random() % 10000);
		if (seq >= SPAN * 70 || (int64_t)seq < 0)
			continue;
		if (seq == 0 || seq + ESP_WINDOW_SIZE <= top)
			want = ESP_SEQ_OLD;
		else if (seen[seq])
			want = ESP_SEQ_AGAIN;
		assert_int_equal(esp_window_check(&w, seq), want);
		if (want != ESP_SEQ_NEW)
			continue;
		assert_int_equal(esp_window_commit(&w, seq), seq > top);
		seen[seq] = true;
		if (seq > top)
			top = seq;
	}
	assert_true(top > SPAN);
}

static void test_a_jump_over_the_whole_ring_forgets_all(void **state)
{
	struct esp_window w = { 0 };

	for (uint64_t seq = 1; seq < 3000; seq++)
		esp_window_commit(&w, seq);
	assert_true(esp_window_commit(&w, 1000000));
	assert_int_equal(esp_window_check(&w, 1000000), ESP_SEQ_AGAIN);
	for (uint64_t seq = 1000000 - ESP_WINDOW_SIZE + 1; seq < 1000000; seq++)
		assert_int_equal(esp_window_check(&w, seq), ESP_SEQ_NEW);
	assert_int_equal(esp_window_check(&w, 1000000 - ESP_WINDOW_SIZE), ESP_SEQ_OLD);
}

/* For each top, every number that can be in flight is guessed from its half. */
static void test_the_high_half_is_guessed(void **state)
{
	static const uint64_t tops[] = { 1,
					 ESP_WINDOW_SIZE - 2,
					 ESP_WINDOW_SIZE - 1,
					 ESP_WINDOW_SIZE,
					 UINT32_MAX - 1,
					 UINT32_MAX,
					 UINT64_C(1) << 32,
					 (UINT64_C(1) << 32) + ESP_WINDOW_SIZE - 2,
					 (UINT64_C(1) << 32) + ESP_WINDOW_SIZE - 1,
					 (UINT64_C(7) << 32) + 12345 };

	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		struct esp_window w = { .top = tops[i] };
		uint64_t from = tops[i] >= ESP_WINDOW_SIZE ? tops[i] - ESP_WINDOW_SIZE + 1 : 1;

		for (uint64_t seq = from; seq < tops[i] + 100000; seq++)
			assert_true(esp_window_infer(&w, (uint32_t)seq, true) == seq);
		assert_true(esp_window_infer(&w, (uint32_t)tops[i], false) == (uint32_t)tops[i]);
	}
}

static void test_no_number_before_the_first_or_after_the_last(void **state)
{
	struct esp_window w = { .top = 5 };

	assert_true(esp_window_infer(&w, UINT32_MAX, true) == 0);
	w.top = UINT64_MAX;
	assert_true(esp_window_infer(&w, 3, true) == 0);
	assert_true(esp_window_infer(&w, UINT32_MAX, true) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero_is_never_right),
		cmocka_unit_test(test_is_at_least_as_wide_as_promised),
		cmocka_unit_test(test_agrees_with_a_list_of_all_numbers),
		cmocka_unit_test(test_a_jump_over_the_whole_ring_forgets_all),
		cmocka_unit_test(test_the_high_half_is_guessed),
		cmocka_unit_test(test_no_number_before_the_first_or_after_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
