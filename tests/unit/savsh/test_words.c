/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "controller/savsh/words.h"

static void words_of_a_line(void **state)
{
	struct words words;
	char *joined;

	words_init(&words, "  show\tedges  json ");
	assert_int_equal(words.n, 3);
	assert_string_equal(words.word[1], "edges");
	joined = words_join(&words, 2);
	assert_string_equal(joined, "show edges ");
	free(joined);
	joined = words_join(&words, 0);
	assert_string_equal(joined, "");
	free(joined);
	words_fini(&words);
	words_init(&words, "");
	assert_int_equal(words.n, 0);
	words_fini(&words);
}

static void blank_lines(void **state)
{
	assert_true(line_is_blank(""));
	assert_true(line_is_blank(" \t\r\n"));
	assert_true(line_is_blank(" ! comment"));
	assert_true(line_is_blank("#comment"));
	assert_false(line_is_blank(" show"));
}

static void abbreviations(void **state)
{
	static const char pattern[] = "sh.ow ru.nning-config";

	assert_true(line_is("show running-config", pattern));
	assert_true(line_is("sh ru", pattern));
	assert_true(line_is("do show run json", pattern));
	assert_false(line_is("s run", pattern));
	assert_false(line_is("show", pattern));
	assert_false(line_is("show r", pattern));
	assert_false(line_is("show running-configs", pattern));
	assert_false(line_is("shows running-config", pattern));
	assert_false(line_is("", pattern));
}

static void do_lines(void **state)
{
	assert_true(line_is_do("do show"));
	assert_true(line_is_do(" do\tshow"));
	assert_false(line_is_do("do"));
	assert_false(line_is_do("domainname x"));
}

static void secrets(void **state)
{
	static const char *const lines[] = {
		"secret s",
		" radius secret s",
		"sec s",
		"no SECRET s",
		"password 8 x",
		"passw x",
		"enable password x",
		"client 10.0.0.1 shared-secret x",
		"psk 0x1234",
		"pre-shared-key k",
		"pre-shared k",
		"enroll abcdef",
		"enr abcdef",
		"token t",
		"passphrase p",
		"key passphrase p",
		"agent enroll secret",
	};
	static const char *const harmless[] = {
		"show edges",
		"prefix 10.0.0.0/8",
		"pre 10.0.0.0/8",
		"agent enroll edge1",
		"holddown 900 seconds",
		"show key",
		"passive",
		"",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!line_is_secret(lines[i]))
			fail_msg("not taken for a secret: %s", lines[i]);
	for (i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (line_is_secret(harmless[i]))
			fail_msg("taken for a secret: %s", harmless[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_a_line), cmocka_unit_test(blank_lines),
		cmocka_unit_test(abbreviations),   cmocka_unit_test(do_lines),
		cmocka_unit_test(secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
