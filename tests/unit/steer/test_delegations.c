/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/steer/delegations.h"

static char dir[64], path[96];
static struct diag diag;

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

static bool change(struct delegations *d, const char *text, bool add)
{
	const struct ip_prefix p = prefix(text);

	return delegations_change(d, &p, add);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_delegations.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/delegations", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void what_was_delegated_is_kept(void **state)
{
	struct delegations d = { .n = 0 }, again;

	(void)state;
	assert_int_equal(delegations_load(&again, path, &diag), 0);
	assert_int_equal(again.n, 0);
	assert_true(change(&d, "2001:db8:1::/56", true));
	assert_false(change(&d, "2001:db8:1::/56", true));
	assert_true(change(&d, "2001:db8:2::/48", true));
	assert_int_equal(delegations_save(&d, path, &diag), 0);
	assert_int_equal(delegations_load(&again, path, &diag), 0);
	assert_int_equal(again.n, 2);
	assert_int_equal(ip_prefix_cmp(&again.list[1], &d.list[1]), 0);
	assert_true(change(&d, "2001:db8:1::/56", false));
	assert_false(change(&d, "2001:db8:1::/56", false));
	assert_true(change(&d, "2001:db8:2::/48", false));
	assert_int_equal(delegations_save(&d, path, &diag), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void there_is_a_most_and_it_is_read_back(void **state)
{
	struct delegations d = { .n = 0 }, again;
	char text[32];

	(void)state;
	for (int i = 0; i < DELEGATIONS_MAX + 3; i++) {
		snprintf(text, sizeof(text), "2001:db8:%x::/56", i + 1);
		assert_int_equal(change(&d, text, true), i < DELEGATIONS_MAX);
	}
	assert_false(change(&d, "2001:db8:ffff::/56", false));
	assert_int_equal(delegations_save(&d, path, &diag), 0);
	assert_int_equal(delegations_load(&again, path, &diag), 0);
	assert_int_equal(again.n, DELEGATIONS_MAX);
}

static void a_damaged_file_is_told_and_nothing_of_it_taken(void **state)
{
	static const char *const bad[] = {
		"",
		"opensav accept_ra 1\n",
		"opensav delegations 1\n2001:db8::/56\n2001:db8::1/56\n",
		"opensav delegations 1\n192.0.2.0/24\n",
		"opensav delegations 1\n2001:db8:1::/56\n2001:db8:1::/56\n",
		"opensav delegations 1\n2001:db8:1::/56",
		"opensav delegations 1\nx\n",
	};
	struct delegations d;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(bad[i]);
		d.n = 7;
		assert_int_equal(delegations_load(&d, path, &diag), -1);
		assert_int_equal(d.n, 0);
		assert_non_null(strstr(diag.text, path));
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_delegated_is_kept),
		CASE(there_is_a_most_and_it_is_read_back),
		CASE(a_damaged_file_is_told_and_nothing_of_it_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
