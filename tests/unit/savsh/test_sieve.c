/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "controller/savsh/sieve.h"

static const char text[] = "edge R1 eth0\n mode acl\n\nedge R2 eth1\n mode strict\nlast";

/* The output of line's filters over text, after a check of its command. */
static void check(const char *line, const char *command, const char *want)
{
	struct sieve sieve;
	struct diag diag;
	struct wr out = { 0 };
	char *found;

	assert_int_equal(sieve_parse(line, &sieve, &found, &diag), 0);
	assert_string_equal(found, command);
	sieve_apply(&sieve, text, strlen(text), &out);
	wr_u8(&out, 0);
	assert_string_equal((char *)out.data, want);
	wr_fini(&out);
	free(found);
	sieve_fini(&sieve);
}

static void refuse(const char *line, const char *why)
{
	struct sieve sieve;
	struct diag diag;
	char *command;

	assert_int_equal(sieve_parse(line, &sieve, &command, &diag), -1);
	assert_non_null(strstr(diag.text, why));
	assert_null(command);
}

static void no_filter(void **state)
{
	check("show edges", "show edges", text);
	check("  show edges  ", "show edges", text);
	check("", "", text);
}

static void one_filter(void **state)
{
	check("show | include mode", "show", " mode acl\n mode strict\n");
	check("show | exclude mode|^$", "show", "edge R1 eth0\nedge R2 eth1\nlast");
	check("show | begin R2", "show", "edge R2 eth1\n mode strict\nlast");
	check("show | begin nothing", "show", "");
	check("show | count", "show", "6\n");
}

static void abbreviated(void **state)
{
	check("show |i mode", "show", " mode acl\n mode strict\n");
	check("show | inc ^last$", "show", "last");
	check("show\t|\tc ", "show", "6\n");
}

static void chained(void **state)
{
	check("show | include mode | exclude acl | count", "show", "1\n");
	check("show | include nothing | count", "show", "0\n");
}

static void expression_keeps_its_bars_and_blanks(void **state)
{
	check("show | include (acl|strict)", "show", " mode acl\n mode strict\n");
	check("show | include R1  *eth", "show", "edge R1 eth0\n");
	check("show a|b", "show a|b", text);
}

static void anchors_hold_per_line(void **state)
{
	check("show | include ^edge.*0$", "show", "edge R1 eth0\n");
	check("show | include ^$", "show", "\n");
}

static void mistakes(void **state)
{
	refuse("show |", "unknown filter \"\"; expected: include, exclude, begin, count");
	refuse("show | grep x", "unknown filter \"grep\"");
	refuse("show | includes x", "unknown filter \"includes\"");
	refuse("show | include", "a regular expression after \"include\"");
	refuse("show | include (", "no regular expression");
	refuse("show | count x", "takes no argument");
	refuse("show | include x | begin", "after \"begin\"");
	refuse("x |c |c |c |c |c |c |c |c |c", "more than 8");
}

static void start_of_the_filters(void **state)
{
	const char *line = "show a|b | include x|y | count";

	assert_null(sieve_start("show a|b"));
	assert_null(sieve_start("|"));
	assert_ptr_equal(sieve_start(line), line + 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_filter),
		cmocka_unit_test(one_filter),
		cmocka_unit_test(abbreviated),
		cmocka_unit_test(chained),
		cmocka_unit_test(expression_keeps_its_bars_and_blanks),
		cmocka_unit_test(anchors_hold_per_line),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(start_of_the_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
