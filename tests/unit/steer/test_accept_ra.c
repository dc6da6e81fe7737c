/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A directory stands in for /proc/sys/net/ipv6/conf.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/steer/accept_ra.h"

static char dir[64], conf[80], state_file[80];
static struct diag diag;

static void put(const char *interface, int value)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", conf, interface);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/accept_ra", conf, interface);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%d\n", value);
	fclose(f);
}

static int get(const char *interface)
{
	char path[160];
	int value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/accept_ra", conf, interface);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &value) != 1)
		value = -1;
	if (f)
		fclose(f);
	return value;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_accept_ra.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(state_file, sizeof(state_file), "%s/accept_ra", dir);
	mkdir(conf, 0755);
	put("wan0", 1);
	put("wan1", 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static struct accept_ra *must_open(void)
{
	struct accept_ra *a = accept_ra_open(conf, state_file, NULL, &diag);

	assert_non_null(a);
	return a;
}

static const struct accept_ra_want both[] = { { "wan0", 2 }, { "wan1", 2 } };

static void what_was_there_comes_back_when_it_is_no_link_any_more(void **state)
{
	struct accept_ra *a = must_open();

	(void)state;
	assert_int_equal(accept_ra_own(a, both, 2, &diag), 0);
	assert_int_equal(get("wan0"), 2);
	assert_int_equal(get("wan1"), 2);
	assert_int_equal(accept_ra_own(a, both, 1, &diag), 0);
	assert_int_equal(get("wan1"), 0);
	assert_int_equal(accept_ra_release(a, &diag), 0);
	assert_int_equal(get("wan0"), 1);
	assert_int_equal(access(state_file, F_OK), -1);
	accept_ra_close(a);
}

/* After a kill -9 the kernel has our values: they must not be taken for the
 * operator's. */
static void a_restart_knows_what_was_there_before_us(void **state)
{
	struct accept_ra *a = must_open();

	(void)state;
	assert_int_equal(accept_ra_own(a, both, 2, &diag), 0);
	accept_ra_close(a);
	assert_int_equal(get("wan0"), 2);
	a = must_open();
	assert_int_equal(accept_ra_own(a, both, 2, &diag), 0);
	assert_int_equal(accept_ra_release(a, &diag), 0);
	assert_int_equal(get("wan0"), 1);
	assert_int_equal(get("wan1"), 0);
	accept_ra_close(a);
}

static void an_interface_that_is_not_there_is_no_error(void **state)
{
	const struct accept_ra_want none[] = { { "ppp9", 2 }, { "wan0", 2 } };
	struct accept_ra *a = must_open();

	(void)state;
	assert_int_equal(accept_ra_own(a, none, 2, &diag), 0);
	assert_int_equal(get("wan0"), 2);
	put("ppp9", 1); /* there it is */
	assert_int_equal(accept_ra_own(a, none, 2, &diag), 0);
	assert_int_equal(get("ppp9"), 2);
	assert_int_equal(accept_ra_release(a, &diag), 0);
	assert_int_equal(get("ppp9"), 1);
	accept_ra_close(a);
}

static void a_damaged_state_file_is_not_guessed_at(void **state)
{
	FILE *f = fopen(state_file, "w");

	(void)state;
	assert_non_null(f);
	fputs("opensav accept_ra 1\ninterface wan0\n", f);
	fclose(f);
	assert_null(accept_ra_open(conf, state_file, NULL, &diag));
	assert_non_null(strstr(diag.text, state_file));
	assert_non_null(strstr(diag.text, "delete the file"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(what_was_there_comes_back_when_it_is_no_link_any_more),
		CASE(a_restart_knows_what_was_there_before_us),
		CASE(an_interface_that_is_not_there_is_no_error),
		CASE(a_damaged_state_file_is_not_guessed_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
