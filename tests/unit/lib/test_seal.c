/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct keys {
	char dir[64], a[80], b[80];
	struct seal *one, *other;
};

static int setup(void **state)
{
	static struct keys k;
	struct diag diag;

	snprintf(k.dir, sizeof(k.dir), "/tmp/opensav-seal.XXXXXX");
	assert_non_null(mkdtemp(k.dir));
	snprintf(k.a, sizeof(k.a), "%s/a", k.dir);
	snprintf(k.b, sizeof(k.b), "%s/b", k.dir);
	k.one = seal_new(k.a, &diag);
	k.other = seal_new(k.b, &diag);
	assert_non_null(k.one);
	assert_non_null(k.other);
	*state = &k;
	return 0;
}

static int teardown(void **state)
{
	struct keys *k = *state;

	seal_free(k->one);
	seal_free(k->other);
	unlink(k->a);
	unlink(k->b);
	rmdir(k->dir);
	return 0;
}

static void test_what_is_sealed_opens_again(void **state)
{
	struct keys *k = *state;
	char secret[SEAL_SECRET_MAX + 1], text[SEAL_TEXT_SIZE], again[SEAL_TEXT_SIZE], back[256];

	for (size_t len = 0; len <= SEAL_SECRET_MAX; len++) {
		memset(secret, 'x', len);
		secret[len] = '\0';
		seal_text(k->one, secret, text);
		seal_text(k->one, secret, again);
		assert_string_equal(text, again); /* so that configurations compare */
		assert_null(strstr(text, len > 3 ? secret : "xxxx"));
		assert_true(seal_open(k->one, text, back, sizeof(back)));
		assert_string_equal(back, secret);
	}
}

static void test_after_a_restart_too(void **state)
{
	struct keys *k = *state;
	char text[SEAL_TEXT_SIZE], back[64];
	struct diag diag;
	struct stat st;

	seal_text(k->one, "s3cret", text);
	seal_free(k->one);
	k->one = seal_new(k->a, &diag);
	assert_true(seal_open(k->one, text, back, sizeof(back)));
	assert_string_equal(back, "s3cret");
	assert_int_equal(stat(k->a, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_nothing_else_opens(void **state)
{
	struct keys *k = *state;
	char text[SEAL_TEXT_SIZE], back[64] = "untouched";

	seal_text(k->one, "s3cret", text);
	assert_false(seal_open(k->other, text, back, sizeof(back)));
	assert_false(seal_open(k->one, text, back, 6)); /* no room for its NUL */
	assert_true(seal_open(k->one, text, back, 7));
	for (size_t i = 0; text[i] != '\0'; i++) {
		char was = text[i];

		text[i] = was == '0' ? '1' : '0';
		assert_false(seal_open(k->one, text, back, sizeof(back)));
		text[i] = '\0';
		assert_false(seal_open(k->one, text, back, sizeof(back)));
		text[i] = 'g';
		assert_false(seal_open(k->one, text, back, sizeof(back)));
		text[i] = was;
	}
	assert_false(seal_open(k->one, "", back, sizeof(back)));
	assert_string_equal(back, "s3cret");
}

static void test_a_bad_key_file_is_told(void **state)
{
	struct keys *k = *state;
	struct diag diag;

	assert_int_equal(truncate(k->b, 5), 0);
	assert_null(seal_new(k->b, &diag));
	assert_non_null(strstr(diag.text, "remove it"));
	assert_null(seal_new("/nonexistent/key", &diag));
	assert_non_null(strstr(diag.text, "/nonexistent/key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_sealed_opens_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_after_a_restart_too, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_else_opens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_bad_key_file_is_told, setup, teardown),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
