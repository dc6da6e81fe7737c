/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "controller/savsh/logline.h"

#define HEADER 72

struct packet {
	uint8_t data[256];
	size_t len;
};

static void put(struct packet *p, size_t at, uint32_t v)
{
	memcpy(p->data + at, &v, sizeof(v));
}

static struct packet packet(const char *text, uint32_t mark)
{
	struct packet p = { .len = HEADER + strlen(text) };

	put(&p, 12, HEADER);
	put(&p, 36, 4);
	put(&p, 44, (uint32_t)strlen(text));
	put(&p, 48, mark);
	memcpy(p.data + HEADER, text, strlen(text));
	return p;
}

static bool shows(const struct packet *p, const char *text)
{
	struct wr out = { 0 };
	/* on the heap, so that a sanitizer sees a byte beyond */
	void *copy = malloc(p->len);
	bool found = false;

	memcpy(copy, p->data, p->len);
	if (logline_add("savd", copy, p->len, &out)) {
		size_t len = strlen(text);

		found = out.len >= len && memcmp(out.data + out.len - len, text, len) == 0;
	} else {
		assert_int_equal(out.len, 0);
	}
	wr_fini(&out);
	free(copy);
	return found;
}

static void a_message(void **state)
{
	struct packet p = packet("[ABCDE-12345] hello", 14);

	assert_true(shows(&p, " savd: warning: hello\n"));
	put(&p, 36, 99);
	assert_true(shows(&p, " savd: log: hello\n"));
}

static void lost_ones_are_told(void **state)
{
	struct packet p = packet("x", 0);
	struct wr out = { 0 };

	put(&p, 32, 7);
	assert_true(logline_add("savd", p.data, p.len, &out));
	assert_memory_equal(out.data, "savd: 7 log messages before this were lost\n", 43);
	wr_fini(&out);
}

static void lengths_that_lie(void **state)
{
	struct packet p = packet("text", 0);

	put(&p, 44, UINT32_MAX);
	assert_true(shows(&p, " text\n"));
	put(&p, 48, UINT32_MAX);
	assert_true(shows(&p, " text\n"));
	put(&p, 12, UINT32_MAX);
	assert_false(shows(&p, ""));
	put(&p, 12, HEADER - 1);
	assert_false(shows(&p, ""));
	p = packet("", 0);
	assert_true(shows(&p, " savd: warning: \n"));
	p.len = HEADER - 1;
	assert_false(shows(&p, ""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message),
		cmocka_unit_test(lost_ones_are_told),
		cmocka_unit_test(lengths_that_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
