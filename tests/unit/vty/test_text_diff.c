/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/vty/text_diff.h"

static int keep(const char *heading, const char *diff, void *arg)
{
	char *all = arg;
	size_t len = strlen(all);

	snprintf(all + len, 4000 - len, "[%s]\n%s", heading, diff);
	return 0;
}

static void diff_of(const char *old, const char *new, char all[4000])
{
	struct text_config a, b;

	text_config_parse(&a, old);
	text_config_parse(&b, new);
	all[0] = '\0';
	assert_int_equal(text_config_diff(&a, &b, keep, all), 0);
	text_config_fini(&a);
	text_config_fini(&b);
}

static const char full[] = "own-prefix 192.0.2.0/24\nhistory days 9\n!\n"
			   "router r1\n bmp source 192.0.2.1\nexit\n!\n"
			   "customer acme\nexit\n!\n"
			   "edge r1 eth0\n mode strict\n role stub\nexit\n!\n";

static void test_what_differs(void **state)
{
	char all[4000];

	(void)state;
	diff_of(full, full, all);
	assert_string_equal(all, "");
	diff_of("", "router r1\nexit\n!\n", all);
	assert_string_equal(all, "[router r1]\n+router r1\n");
	diff_of("edge r1 eth0\n mode strict\nexit\n", "edge r1 eth0\n mode loose\nexit\n",
		all);
	assert_string_equal(all, "[edge r1 eth0]\n- mode strict\n+ mode loose\n");
	diff_of(full, "history days 9\n!\nrouter r1\nexit\n", all);
	assert_string_equal(all, "[]\n-own-prefix 192.0.2.0/24\n"
				 "[router r1]\n- bmp source 192.0.2.1\n"
				 "[customer acme]\n-customer acme\n"
				 "[edge r1 eth0]\n-edge r1 eth0\n- mode strict\n- role stub\n");
}

/* The heading of an object without lines is one by its "exit", a line of the top
 * level by what follows it. */
static void test_headings_and_lines(void **state)
{
	struct text_config c;

	(void)state;
	text_config_parse(&c, "a\nb\n c\nexit\nd\nexit\ne\n");
	assert_int_equal(c.n_objects, 3);
	assert_int_equal(text_config_get(&c, "")->n_lines, 2);
	assert_int_equal(text_config_get(&c, "b")->n_lines, 1);
	assert_true(text_config_get(&c, "d")->exists);
	assert_false(text_config_get(&c, "zzz")->exists);
	text_config_fini(&c);
}

/* Who is named stands before who names it, in whatever order they came. */
static void test_text_is_in_an_order_that_reads(void **state)
{
	struct text_config c;
	struct wr out = { 0 };

	(void)state;
	text_config_parse(&c, "edge r1 eth0\n customer a\nexit\ncustomer a\nexit\n"
			      "radius client x\nexit\nrouter r1\nexit\nown-prefix ::/0\n");
	text_config_print(&c, &out);
	assert_string_equal((char *)out.data,
			    "own-prefix ::/0\n!\nrouter r1\nexit\n!\ncustomer a\nexit\n!\n"
			    "edge r1 eth0\n customer a\nexit\n!\nradius client x\nexit\n!\n");
	wr_fini(&out);
	text_config_fini(&c);
}

/* ---- undo ---- */

/* Up to 6 objects of up to 8 lines each, and the top level. */
static char *some_text(unsigned int *seed)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int line = 0; line < 8; line++) {
		if (rand_r(seed) % 3 == 0)
			fprintf(out, "own-prefix %d\n", line);
	}
	for (int object = 0; object < 6; object++) {
		if (rand_r(seed) % 3 == 0)
			continue;
		fprintf(out, "%s %d\n", object % 2 ? "router" : "customer", object);
		for (int line = 0; line < 8; line++) {
			if (rand_r(seed) % 2 == 0)
				fprintf(out, " line %d\n", line);
		}
		fprintf(out, "exit\n!\n");
	}
	fclose(out);
	return text;
}

static int undo(const char *heading, const char *diff, void *arg)
{
	text_object_undo(text_config_get(arg, heading), diff);
	return 0;
}

static void test_undoing_leads_back(void **state)
{
	unsigned int seed = 5;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char *old = some_text(&seed), *new = some_text(&seed);
		struct text_config a, b, c;
		struct wr want = { 0 }, have = { 0 };

		text_config_parse(&a, old);
		text_config_parse(&b, new);
		text_config_parse(&c, new);
		assert_int_equal(text_config_diff(&a, &b, undo, &c), 0);
		text_config_print(&a, &want);
		text_config_print(&c, &have);
		assert_string_equal((char *)have.data, (char *)want.data);
		wr_fini(&want);
		wr_fini(&have);
		text_config_fini(&a);
		text_config_fini(&b);
		text_config_fini(&c);
		free(old);
		free(new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_differs),
		cmocka_unit_test(test_headings_and_lines),
		cmocka_unit_test(test_text_is_in_an_order_that_reads),
		cmocka_unit_test(test_undoing_leads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
