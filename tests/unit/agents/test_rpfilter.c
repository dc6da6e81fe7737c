/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A directory stands in for /proc/sys/net/ipv4/conf.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/rpfilter.h"

static char dir[64], conf[96], state_file[96];

static void put(const char *interface, int value)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", conf, interface);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/rp_filter", conf, interface);
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

	snprintf(path, sizeof(path), "%s/%s/rp_filter", conf, interface);
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_rpfilter.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(state_file, sizeof(state_file), "%s/rp_filter", dir);
	mkdir(conf, 0755);
	put("all", 1);
	put("default", 0);
	put("lo", 0);
	put("eth0", 0);
	put("eth1", 2);
	put("eth2.100", 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static struct rpfilter *open_it(void)
{
	struct diag diag;
	struct rpfilter *rp = rpfilter_open(conf, state_file, NULL, &diag);

	assert_non_null(rp);
	return rp;
}

static void own(struct rpfilter *rp, const char *one, const char *two)
{
	char names[2][FILTER_IFNAME_SIZE] = { "", "" };
	struct diag diag;

	snprintf(names[0], sizeof(names[0]), "%s", one);
	snprintf(names[1], sizeof(names[1]), "%s", two);
	assert_int_equal(rpfilter_own(rp, (const char(*)[FILTER_IFNAME_SIZE])names,
				      (one[0] != 0) + (size_t)(two[0] != 0), &diag),
			 0);
}

static void nothing_managed_nothing_touched(void **state)
{
	struct rpfilter *rp = open_it();

	(void)state;
	own(rp, "", "");
	assert_false(rpfilter_is_owned(rp));
	assert_int_equal(get("all"), 1);
	assert_int_equal(access(state_file, F_OK), -1);
	rpfilter_close(rp);
}

/* Nobody but the managed interface may notice: max(all, own) stays as it was. */
static void others_keep_their_effective_value(void **state)
{
	struct rpfilter *rp = open_it();

	(void)state;
	own(rp, "eth0", "");
	assert_int_equal(get("all"), 0);
	assert_int_equal(get("eth0"), 0);
	assert_int_equal(get("eth1"), 2);
	assert_int_equal(get("eth2.100"), 1);
	assert_int_equal(get("lo"), 1);
	assert_int_equal(get("default"), 1);
	rpfilter_close(rp);
}

static void release_restores_everything(void **state)
{
	struct rpfilter *rp = open_it();
	struct diag diag;

	(void)state;
	own(rp, "eth0", "eth1");
	assert_int_equal(get("eth1"), 0);
	assert_int_equal(rpfilter_release(rp, &diag), 0);
	assert_int_equal(get("all"), 1);
	assert_int_equal(get("default"), 0);
	assert_int_equal(get("eth0"), 0);
	assert_int_equal(get("eth1"), 2);
	assert_int_equal(get("eth2.100"), 0);
	assert_int_equal(access(state_file, F_OK), -1);
	rpfilter_close(rp);
}

static void a_restart_does_not_take_our_values_for_the_operators(void **state)
{
	struct rpfilter *rp = open_it();
	struct diag diag;

	(void)state;
	own(rp, "eth0", "");
	rpfilter_close(rp);
	assert_int_equal(get("all"), 0); /* closing changes nothing */
	rp = open_it();
	assert_true(rpfilter_is_owned(rp));
	own(rp, "eth0", "");
	assert_int_equal(rpfilter_release(rp, &diag), 0);
	assert_int_equal(get("all"), 1);
	assert_int_equal(get("eth2.100"), 0);
	rpfilter_close(rp);
}

static void an_edge_that_goes_gets_its_protection_back(void **state)
{
	struct rpfilter *rp = open_it();

	(void)state;
	own(rp, "eth0", "eth1");
	own(rp, "eth1", "");
	assert_int_equal(get("eth0"), 1);
	assert_int_equal(get("eth1"), 0);
	rpfilter_close(rp);
}

static void an_interface_that_appears_later(void **state)
{
	struct rpfilter *rp = open_it();
	struct diag diag;

	(void)state;
	own(rp, "eth0", "");
	put("ppp0", get("default")); /* as the kernel does it */
	put("ppp1", get("default"));
	own(rp, "eth0", "ppp0");
	assert_int_equal(get("ppp0"), 0);
	assert_int_equal(get("ppp1"), 1);
	assert_int_equal(rpfilter_release(rp, &diag), 0);
	assert_int_equal(get("ppp0"), 0);
	rpfilter_close(rp);
}

/* A managed one that is deleted and made again begins with the default. */
static void an_interface_that_comes_back(void **state)
{
	struct rpfilter *rp = open_it();

	(void)state;
	own(rp, "eth0", "");
	put("eth0", get("default"));
	own(rp, "eth0", "");
	assert_int_equal(get("eth0"), 0);
	rpfilter_close(rp);
}

static void an_operator_who_sets_all_again(void **state)
{
	struct rpfilter *rp = open_it();

	(void)state;
	own(rp, "eth0", "");
	put("all", 2);
	own(rp, "eth0", "");
	assert_int_equal(get("all"), 0);
	assert_int_equal(get("eth2.100"), 2);
	assert_int_equal(get("eth0"), 0);
	rpfilter_close(rp);
}

static void an_operators_own_change_is_left_alone(void **state)
{
	struct rpfilter *rp = open_it();

	(void)state;
	own(rp, "eth0", "");
	put("eth1", 0);
	own(rp, "eth0", "");
	assert_int_equal(get("eth1"), 0);
	rpfilter_close(rp);
}

static void a_damaged_state_file_stops_it(void **state)
{
	struct diag diag;
	FILE *f = fopen(state_file, "w");

	(void)state;
	fputs("rubbish\n", f);
	fclose(f);
	assert_null(rpfilter_open(conf, state_file, NULL, &diag));
	assert_non_null(strstr(diag.text, "damaged"));
	assert_int_equal(get("all"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_managed_nothing_touched),
		TEST(others_keep_their_effective_value),
		TEST(release_restores_everything),
		TEST(a_restart_does_not_take_our_values_for_the_operators),
		TEST(an_edge_that_goes_gets_its_protection_back),
		TEST(an_interface_that_appears_later),
		TEST(an_interface_that_comes_back),
		TEST(an_operator_who_sets_all_again),
		TEST(an_operators_own_change_is_left_alone),
		TEST(a_damaged_state_file_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
