/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Hooks of providers: real programs, with the time of the test.
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

#include "agents/steer/hook.h"

#define TRIES 2000 /* of 5 ms */

static char dir[] = "/tmp/opensav-hook.XXXXXX";
static char noted[512];

static void note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	assert_true(alarm);
	snprintf(noted, sizeof(noted), "%s", text);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

/* A script in the directory, which $D names for it. */
static struct hook_event hook(const char *name, const char *script)
{
	struct hook_event e = { .provider = "isp1",
				.has = { true, true },
				.alive = { true, true },
				.prefixes = "192.0.2.0/24 2001:db8::/32" };
	FILE *f;

	snprintf(e.file, sizeof(e.file), "%s/%s", dir, name);
	f = fopen(e.file, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\nD=%s\n%s\n", dir, script);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(e.file, 0755), 0);
	return e;
}

/* Until nothing runs. */
static void finish(struct hooks *h, int64_t now)
{
	for (int i = 0; i < TRIES && hooks_look(h, now) == HOOK_LOOK_MS; i++)
		usleep(5000);
	assert_int_not_equal(hooks_look(h, now), HOOK_LOOK_MS);
}

static void expect_file(const char *name, const char *text)
{
	char path[256], got[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(got, 1, sizeof(got) - 1, f);
	fclose(f);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void test_it_is_told_what_happens(void **state)
{
	struct hook_event e = hook(
		"tell", "echo $# $OPENSAV_PROVIDER $OPENSAV_STATE $OPENSAV_STATE_IPV4 "
			"$OPENSAV_STATE_IPV6 $OPENSAV_PREFIXES \"$HOME\" >>$D/told; cat "
			">>$D/told");
	struct hooks *h = hooks_new(note, NULL);

	(void)state;
	noted[0] = '\0';
	setenv("HOME", "/secret", 1);
	hooks_set(h, &e, 1, 0);
	finish(h, 0);
	hooks_set(h, &e, 1, 0); /* nothing new */
	finish(h, 0);
	e.alive[IP_V6] = false;
	hooks_set(h, &e, 1, 0);
	finish(h, 0);
	e.alive[IP_V4] = false;
	hooks_set(h, &e, 1, 0);
	finish(h, 0);
	e.has[IP_V6] = false;
	e.alive[IP_V4] = true;
	snprintf(e.prefixes, sizeof(e.prefixes), "192.0.2.0/24");
	hooks_set(h, &e, 1, 0);
	finish(h, 0);
	expect_file("told", "0 isp1 up up up 192.0.2.0/24 2001:db8::/32 \n"
			    "0 isp1 up up down 192.0.2.0/24 2001:db8::/32 \n"
			    "0 isp1 down down down 192.0.2.0/24 2001:db8::/32 \n"
			    "0 isp1 up up none 192.0.2.0/24 \n");
	assert_string_equal(noted, "");
	hooks_free(h);
}

/* A link that flaps while the program runs: one more run, with what is true then. */
static void test_only_the_last_state_waits(void **state)
{
	struct hook_event e = hook("slow", "echo $OPENSAV_STATE >>$D/states; while [ ! "
					   "-e $D/go ]; do sleep 0.01; done");
	struct hooks *h = hooks_new(note, NULL);
	char go[256];

	(void)state;
	hooks_set(h, &e, 1, 0);
	for (int i = 0; i < 20; i++) {
		e.alive[IP_V4] = e.alive[IP_V6] = i % 2;
		hooks_set(h, &e, 1, 0);
	}
	e.alive[IP_V4] = e.alive[IP_V6] = false;
	hooks_set(h, &e, 1, 0);
	snprintf(go, sizeof(go), "%s/go", dir);
	fclose(fopen(go, "w"));
	finish(h, 0);
	expect_file("states", "up\ndown\n");
	hooks_free(h);
}

static void test_it_ends_in_time(void **state)
{
	struct hook_event e = hook("endless", "sleep 1000 & echo $! >$D/child; wait");
	struct hooks *h = hooks_new(note, NULL);

	(void)state;
	noted[0] = '\0';
	hooks_set(h, &e, 1, 0);
	assert_int_equal(hooks_look(h, HOOK_LIMIT_MS - 1), HOOK_LOOK_MS);
	assert_string_equal(noted, "");
	finish(h, HOOK_LIMIT_MS);
	assert_non_null(strstr(noted, "longer than 10 s"));
	hooks_free(h);
}

static void test_failures_are_explained(void **state)
{
	struct hook_event e = hook("fails", "exit 3");
	struct hooks *h = hooks_new(note, NULL);

	(void)state;
	hooks_set(h, &e, 1, 0);
	finish(h, 0);
	assert_non_null(strstr(noted, "failed with status 3"));
	snprintf(e.file, sizeof(e.file), "%s/not-there", dir);
	hooks_set(h, &e, 1, 0);
	finish(h, 0);
	assert_non_null(strstr(noted, "cannot be run"));
	noted[0] = '\0';
	e.file[0] = '\0';
	hooks_set(h, &e, 1, 0);
	finish(h, 0);
	hooks_set(h, NULL, 0, 0); /* the provider is gone */
	finish(h, 0);
	assert_string_equal(noted, "");
	hooks_free(h);
}

/* Its server is away for a minute: told again and again, ever more rarely, until it
 * has worked. */
static void test_a_failed_one_is_run_again(void **state)
{
	struct hook_event e = hook("again", "echo $OPENSAV_STATE >>$D/tries; test -e $D/well");
	struct hooks *h = hooks_new(note, NULL);
	int64_t now = 0, due, before = 0;
	char well[256];

	(void)state;
	hooks_set(h, &e, 1, now);
	finish(h, now);
	for (int i = 0; i < 3; i++) {
		due = hooks_look(h, now);
		assert_true(due >= HOOK_RETRY_MS && due > before);
		before = due;
		now += due - 1;
		assert_int_equal(hooks_look(h, now), 1);
		finish(h, ++now);
	}
	expect_file("tries", "up\nup\nup\nup\n");
	/* news wait for nothing */
	e.alive[IP_V4] = e.alive[IP_V6] = false;
	hooks_set(h, &e, 1, now);
	finish(h, now);
	assert_int_equal(hooks_look(h, now), HOOK_RETRY_MS);
	snprintf(well, sizeof(well), "%s/well", dir);
	fclose(fopen(well, "w"));
	now += HOOK_RETRY_MS;
	finish(h, now);
	expect_file("tries", "up\nup\nup\nup\ndown\ndown\n");
	assert_int_equal(hooks_look(h, now + HOOK_RETRY_MAX_MS), -1);
	/* not for more than ten minutes */
	assert_int_equal(unlink(well), 0);
	e.alive[IP_V4] = true;
	hooks_set(h, &e, 1, now);
	for (int i = 0; i < 12; i++) {
		finish(h, now);
		due = hooks_look(h, now);
		assert_true(due > 0 && due <= HOOK_RETRY_MAX_MS);
		now += due;
	}
	assert_int_equal(due, HOOK_RETRY_MAX_MS);
	hooks_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_told_what_happens),
		cmocka_unit_test(test_only_the_last_state_waits),
		cmocka_unit_test(test_it_ends_in_time),
		cmocka_unit_test(test_failures_are_explained),
		cmocka_unit_test(test_a_failed_one_is_run_again),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
