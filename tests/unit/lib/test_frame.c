/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "lib/frame.h"
#include "lib/mem.h"

static void one_byte_at_a_time(void **state)
{
	struct frame_in *f = frame_in_new(100);
	struct wr wr = { 0 };
	const uint8_t *body;
	struct diag diag;
	size_t len, seen = 0;

	frame_put(&wr, "hello", 5);
	frame_put(&wr, "", 0);
	frame_put(&wr, "worlds", 6);
	for (size_t i = 0; i < wr.len; i++) {
		assert_int_equal(frame_in_bytes(f, wr.data + i, 1, &diag), 0);
		while (frame_in_next(f, &body, &len)) {
			static const char *const want[] = { "hello", "", "worlds" };

			assert_int_equal(len, strlen(want[seen]));
			assert_memory_equal(body, want[seen], len);
			seen++;
		}
		assert_int_equal(frame_in_is_partial(f), i != 8 && i != 12 && i != 22);
	}
	assert_int_equal(seen, 3);
	wr_fini(&wr);
	frame_in_free(f);
}

/* Random chunking gives the same frames as one chunk. */
static void any_chunking(void **state)
{
	srand(7);
	for (int round = 0; round < 200; round++) {
		struct frame_in *f = frame_in_new(3000);
		struct wr wr = { 0 };
		size_t sent = 0, got = 0, off = 0;
		struct diag diag;

		for (int i = 0; i < 20; i++) {
			uint8_t body[3000];
			size_t len = (size_t)rand() % (i % 5 ? 40 : 3001);

			memset(body, i, len);
			frame_put(&wr, body, len);
			sent++;
		}
		while (off < wr.len) {
			size_t n = 1 + (size_t)rand() % 500;
			const uint8_t *body;
			size_t len;

			if (n > wr.len - off)
				n = wr.len - off;
			assert_int_equal(frame_in_bytes(f, wr.data + off, n, &diag), 0);
			off += n;
			while (frame_in_next(f, &body, &len)) {
				for (size_t i = 0; i < len; i++)
					assert_int_equal(body[i], got);
				got++;
			}
		}
		assert_int_equal(got, sent);
		assert_false(frame_in_is_partial(f));
		wr_fini(&wr);
		frame_in_free(f);
	}
}

static void limit_is_exact(void **state)
{
	struct frame_in *f = frame_in_new(4);
	const uint8_t *body;
	struct diag diag;
	size_t len;

	assert_int_equal(frame_in_bytes(f, "\0\0\0\4abcd", 8, &diag), 0);
	assert_true(frame_in_next(f, &body, &len));
	assert_int_equal(len, 4);
	assert_int_equal(frame_in_bytes(f, "\0\0\0\5", 4, &diag), -1);
	assert_string_equal(diag.text, "frame of 5 bytes, limit is 4");
	frame_in_free(f);
}

/* The header of the second frame is already in the chunk of the first. */
static void oversized_behind_a_good_one(void **state)
{
	struct frame_in *f = frame_in_new(4);
	const uint8_t *body;
	struct diag diag;
	size_t len;

	assert_int_equal(frame_in_bytes(f, "\0\0\0\1a\xff\xff\xff\xff", 9, &diag), -1);
	assert_false(frame_in_next(f, &body, &len));
	assert_int_equal(frame_in_bytes(f, "\0", 1, &diag), -1);
	frame_in_free(f);
}

static void oversized_header_in_pieces(void **state)
{
	struct frame_in *f = frame_in_new(1 << 20);
	struct diag diag;

	assert_int_equal(frame_in_bytes(f, "\x7f", 1, &diag), 0);
	assert_int_equal(frame_in_bytes(f, "\xff\xff", 2, &diag), 0);
	assert_int_equal(frame_in_bytes(f, "\xff", 1, &diag), -1);
	frame_in_free(f);
}

/* 64 MiB of small frames in one chunk with a partial one behind each: a
 * reassembly that moves the rest for every frame would take minutes. */
static void many_frames_are_not_quadratic(void **state)
{
	struct frame_in *f = frame_in_new(100);
	struct wr wr = { 0 };
	clock_t start = clock();
	size_t n = 0, len;
	const uint8_t *body;
	struct diag diag;

	for (int i = 0; i < 1000000; i++)
		frame_put(&wr, "0123456789", 10);
	for (size_t off = 0; off < wr.len;) {
		size_t chunk = wr.len - off < 4000001 ? wr.len - off : 4000001;

		assert_int_equal(frame_in_bytes(f, wr.data + off, chunk, &diag), 0);
		off += chunk;
		while (frame_in_next(f, &body, &len))
			n++;
	}
	assert_int_equal(n, 1000000);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 10);
	wr_fini(&wr);
	frame_in_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_byte_at_a_time),
		cmocka_unit_test(any_chunking),
		cmocka_unit_test(limit_is_exact),
		cmocka_unit_test(oversized_behind_a_good_one),
		cmocka_unit_test(oversized_header_in_pieces),
		cmocka_unit_test(many_frames_are_not_quadratic),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
