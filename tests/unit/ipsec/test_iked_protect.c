/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Routes that somebody else deletes: when they are put back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ipsec/iked_protect.h"

static void who_deletes_once_finds_it_back_at_once(void **state)
{
	struct iked_pause p = { 0 };

	assert_int_equal(iked_pause_take(&p, 5), 0);
	assert_int_equal(iked_pause_take(&p, 5 + IKED_CALM_MS), 0);
	assert_int_equal(iked_pause_take(&p, 5 + 3 * IKED_CALM_MS), 0);
}

/* Another program that deletes it as soon as it is there. */
static void two_programs_do_not_fight_at_full_speed(void **state)
{
	struct iked_pause p = { 0 };
	uint64_t now = 1000, last = 0;
	unsigned n = 0;

	for (; now < 3601000; n++) { /* an hour */
		uint32_t wait = iked_pause_take(&p, now);

		assert_true(wait >= last && wait <= IKED_PAUSE_MOST_MS);
		assert_true(n == 0 || wait >= IKED_PAUSE_FIRST_MS);
		now += wait + 1;
		last = wait;
	}
	assert_int_equal(last, IKED_PAUSE_MOST_MS);
	assert_in_range(n, 56, 70);
	/* it has ended: what comes later is the first again */
	assert_int_equal(iked_pause_take(&p, now + IKED_CALM_MS), 0);
	assert_int_equal(iked_pause_take(&p, now + IKED_CALM_MS + 1), IKED_PAUSE_FIRST_MS);
}

/* A timer is a millisecond early sometimes, and then it is deleted again at once. */
static void a_timer_that_is_early_begins_nothing_anew(void **state)
{
	struct iked_pause p = { 0 };
	uint64_t now = 1000;

	assert_int_equal(iked_pause_take(&p, now), 0);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(iked_pause_take(&p, now), IKED_PAUSE_FIRST_MS << i);
		now += (IKED_PAUSE_FIRST_MS << i) - 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_deletes_once_finds_it_back_at_once),
		cmocka_unit_test(a_timer_that_is_early_begins_nothing_anew),
		cmocka_unit_test(two_programs_do_not_fight_at_full_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
