/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "controller/savsh/colour.h"

#define G "\033[32m"
#define Y "\033[33m"
#define R "\033[31m"
#define P "\033[0m"

static void becomes(const char *text, const char *coloured)
{
	struct wr out = { 0 };

	colour_add(text, strlen(text), &out);
	wr_u8(&out, 0);
	assert_string_equal(out.data, coloured);
	wr_fini(&out);
}

static void states(void **state)
{
	becomes("pe1 up\npe2 down\n", "pe1 " G "up" P "\npe2 " R "down" P "\n");
	becomes(" action observe", " action " Y "observe" P);
	becomes("(stale), ready:", "(" Y "stale" P "), " G "ready" P ":");
	becomes("", "");
	becomes("\n\n", "\n\n");
}

static void names_are_no_states(void **state)
{
	becomes("edge pe1/up cust-down upper", "edge pe1/up cust-down upper");
}

static void negated(void **state)
{
	becomes("not complete, no sync up", "not complete, no sync " G "up" P);
}

static void complaints_as_a_whole(void **state)
{
	becomes("% edge up\nedge up\n", R "% edge up" P "\nedge " G "up" P "\n");
}

static void json_stays(void **state)
{
	becomes("{\n\"state\": up }\n", "{\n\"state\": up }\n");
	becomes("[ up ]", "[ up ]");
}

static void who_wants_colours(void **state)
{
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_true(colour_is_wanted());
	setenv("NO_COLOR", "", 1);
	assert_true(colour_is_wanted());
	setenv("NO_COLOR", "0", 1);
	assert_false(colour_is_wanted());
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(colour_is_wanted());
	unsetenv("TERM");
	assert_false(colour_is_wanted());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(states),
		cmocka_unit_test(names_are_no_states),
		cmocka_unit_test(negated),
		cmocka_unit_test(complaints_as_a_whole),
		cmocka_unit_test(json_stays),
		cmocka_unit_test(who_wants_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
