/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The MTU of an interface that many peers have, as they come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ipsec/iked_fit.h"

static void it_is_the_least_and_rises_when_that_one_goes(void **state)
{
	struct iked_fit fit = { 0 };

	assert_int_equal(iked_fit_least(&fit), 0);
	iked_fit_add(&fit, 1446);
	iked_fit_add(&fit, 1422);
	iked_fit_add(&fit, 1438); /* the last one's is not everybody's */
	assert_int_equal(iked_fit_least(&fit), 1422);
	iked_fit_add(&fit, 1422); /* its new keys, before the old ones go */
	iked_fit_remove(&fit, 1422);
	assert_int_equal(iked_fit_least(&fit), 1422);
	iked_fit_remove(&fit, 1422);
	assert_int_equal(iked_fit_least(&fit), 1438);
	iked_fit_remove(&fit, 1438);
	iked_fit_remove(&fit, 1446);
	assert_int_equal(iked_fit_least(&fit), 0);
	iked_fit_fini(&fit);
}

static void what_is_not_known_does_not_count(void **state)
{
	struct iked_fit fit = { 0 };

	iked_fit_add(&fit, 0);
	iked_fit_remove(&fit, 0);
	iked_fit_add(&fit, 1400);
	iked_fit_add(&fit, 0);
	assert_int_equal(iked_fit_least(&fit), 1400);
	iked_fit_remove(&fit, 0);
	assert_int_equal(iked_fit_least(&fit), 1400);
	iked_fit_fini(&fit);
}

/* Against a plain list. */
static void many_that_come_and_go(void **state)
{
	struct iked_fit fit = { 0 };
	uint32_t there[64] = { 0 }, least;

	srand(7);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t *one = &there[rand() % 64];

		if (*one)
			iked_fit_remove(&fit, *one);
		*one = rand() % 3 ? 0 : 1300 + (uint32_t)(rand() % 9);
		iked_fit_add(&fit, *one);
		least = 0;
		for (unsigned k = 0; k < 64; k++)
			if (there[k] && (least == 0 || there[k] < least))
				least = there[k];
		assert_int_equal(iked_fit_least(&fit), least);
	}
	iked_fit_fini(&fit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_least_and_rises_when_that_one_goes),
		cmocka_unit_test(what_is_not_known_does_not_count),
		cmocka_unit_test(many_that_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
