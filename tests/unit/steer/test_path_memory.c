/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an agent leaves to the next one about dead paths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/steer/path_memory.h"

static char file[] = "/tmp/opensav-paths.XXXXXX";

static void put(struct site *s, const char *provider, const char *link)
{
	struct site_path c = { .kind = PATH_LINK };
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "%s", link);
	assert_int_equal(
		site_path_put(s, site_provider_get(s, provider, &diag), &c, &diag), 0);
}

static uint32_t number(const struct site *s, const char *link)
{
	return site_path_find(s, PATH_LINK, link, NULL)->number;
}

static int setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	site_init(s);
	put(s, "a", "wan0");
	put(s, "a", "wan1");
	put(s, "b", "wan2");
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	site_fini(*state);
	free(*state);
	return 0;
}

static enum path_alive loaded(const struct site *s, const char *link)
{
	struct path_state states[PATH_NUMBER_MAX + 1] = { 0 };
	const struct path_state *p = &states[number(s, link)];

	path_memory_load(file, s, states, 77);
	if (p->alive == PATH_DOWN) {
		assert_int_equal(p->since_ms, 77);
		assert_string_not_equal(p->reason, "");
	}
	return p->alive;
}

static void save(const struct site *s, const char *dead)
{
	struct path_state states[PATH_NUMBER_MAX + 1] = { 0 };
	struct diag diag;

	states[number(s, dead)].alive = PATH_DOWN;
	states[number(s, "wan2")].alive = PATH_UP;
	assert_int_equal(path_memory_save(file, s, states, &diag), 0);
}

static void test_the_dead_are_remembered(void **state)
{
	struct site *s = *state;
	struct diag diag;

	save(s, "wan1");
	assert_int_equal(loaded(s, "wan1"), PATH_DOWN);
	assert_int_equal(loaded(s, "wan0"), PATH_UNKNOWN);
	assert_int_equal(loaded(s, "wan2"), PATH_UNKNOWN);
	/* the number is another link's now */
	assert_int_equal(site_path_del(s, site_provider_find(s, "a"), PATH_LINK, "wan1", &diag), 0);
	put(s, "a", "wan9");
	assert_int_equal(loaded(s, "wan9"), PATH_UNKNOWN);
}

static void rewrite(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void test_others_files_say_nothing(void **state)
{
	struct site *s = *state;
	char line[4096], all[8192] = "";
	FILE *f;

	/* of another boot */
	rewrite("opensav paths 1 00000000-0000-0000-0000-000000000000\ndead 1 a wan0\n");
	assert_int_equal(loaded(s, "wan0"), PATH_UNKNOWN);
	rewrite("");
	assert_int_equal(loaded(s, "wan0"), PATH_UNKNOWN);
	unlink(file);
	assert_int_equal(loaded(s, "wan0"), PATH_UNKNOWN);
	/* what is strange is passed by, what is not counts */
	save(s, "wan0");
	f = fopen(file, "r");
	assert_non_null(f);
	assert_non_null(fgets(all, 200, f));
	fclose(f);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	strcat(all, line);
	strcat(all, "\ndead\ndead 99999 a wan0\ndead 1 a wan0 more\n\ndead 2 a wan1");
	rewrite(all);
	assert_int_equal(loaded(s, "wan0"), PATH_UNKNOWN);
	assert_int_equal(loaded(s, "wan1"), PATH_DOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_dead_are_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_files_say_nothing, setup, teardown),
	};
	int fd = mkstemp(file), rc;

	if (fd < 0)
		return 1;
	close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file);
	return rc;
}
