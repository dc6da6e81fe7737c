/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keys of BFD sessions: read from their files, and anew.
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

#include "agents/steer/bfd_key.h"
#include "agents/steer/bfd_wire.h"

static char dir[] = "/tmp/opensav-bfd-key.XXXXXX", one[64], two[64];

static void put(const char *file, const char *text, mode_t mode)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(file, mode), 0);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(one, sizeof(one), "%s/one", dir);
	snprintf(two, sizeof(two), "%s/two", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(one);
	unlink(two);
	return rmdir(dir);
}

struct failures {
	int n;
	char last[512];
};

static void count(void *ctx, const char *text)
{
	struct failures *f = ctx;

	f->n++;
	snprintf(f->last, sizeof(f->last), "%s", text);
}

static bool has_key(const struct path_watch *w, const char *key)
{
	uint8_t padded[PATH_BFD_KEY_BYTES] = { 0 };

	memcpy(padded, key, strlen(key));
	return memcmp(w->bfd_key, padded, sizeof(padded)) == 0;
}

static void test_a_key_is_a_line_padded_with_zeros(void **state)
{
	struct path_watch w = { .bfd_key = { 9, 9, 9 } };
	struct diag diag;

	(void)state;
	put(one, "a.key\n", 0600);
	assert_int_equal(bfd_key_read(&w, one, &diag), 0);
	assert_true(has_key(&w, "a.key"));
	assert_string_equal(w.bfd_key_file, one);
}

static void test_what_is_no_key_changes_nothing(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
	} bad[] = { { "", 0600 }, { "\n", 0600 }, { "twenty-one characters", 0600 }, { "key", 0644 } };
	struct path_watch w = { .bfd_key = { 9, 9, 9 }, .bfd_key_file = "/before" }, before = w;
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(one, bad[i].text, bad[i].mode);
		assert_int_equal(bfd_key_read(&w, one, &diag), -1);
		assert_memory_equal(&w, &before, sizeof(w));
	}
	unlink(one);
	assert_int_equal(bfd_key_read(&w, one, &diag), -1);
	assert_int_equal(bfd_key_read(&w, dir, &diag), -1);
	assert_memory_equal(&w, &before, sizeof(w));
}

/* The paths whose key has changed are watched anew, and no other. */
static void test_a_reload_takes_what_has_changed(void **state)
{
	struct site_provider p[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct site site = { .providers = p, .n_providers = 3 };
	struct failures failures = { 0 };
	struct path was = { .number = 1 }, is = was;
	struct diag diag;

	(void)state;
	put(one, "first\n", 0600);
	put(two, "other\n", 0600);
	for (int i = 0; i < 2; i++) {
		p[i].watch.bfd_auth = BFD_AUTH_SHA1;
		assert_int_equal(bfd_key_read(&p[i].watch, i ? two : one, &diag), 0);
	}
	was.watch = is.watch = p[0].watch;
	bfd_keys_reload(&site, count, &failures);
	is.watch = p[0].watch;
	assert_int_equal(failures.n, 0);
	assert_true(path_same_way(&was, &is));

	put(one, "second\n", 0600);
	unlink(two);
	bfd_keys_reload(&site, count, &failures);
	is.watch = p[0].watch;
	assert_true(has_key(&p[0].watch, "second"));
	assert_false(path_same_way(&was, &is));
	/* one that has gone is told, and stays */
	assert_int_equal(failures.n, 1);
	assert_non_null(strstr(failures.last, "provider b"));
	assert_non_null(strstr(failures.last, two));
	assert_true(has_key(&p[1].watch, "other"));
	/* and whoever has none is not asked */
	assert_true(has_key(&p[2].watch, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_is_a_line_padded_with_zeros),
		cmocka_unit_test(test_what_is_no_key_changes_nothing),
		cmocka_unit_test(test_a_reload_takes_what_has_changed),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
