/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/rd.h"

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
				 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };

static void reads_in_network_order(void **state)
{
	struct rd rd = rd_init(bytes, sizeof(bytes));

	assert_int_equal(rd_u8(&rd), 0x01);
	assert_int_equal(rd_be16(&rd), 0x0203);
	assert_int_equal(rd_be32(&rd), 0x04050607);
	assert_true(rd_be64(&rd) == 0x08090a0b0c0d0e0fULL);
	assert_int_equal(rd_left(&rd), 0);
	assert_true(rd_done(&rd));
}

static void high_bits_are_not_signs(void **state)
{
	static const uint8_t ones[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct rd rd = rd_init(ones, 8);

	assert_true(rd_be32(&rd) == UINT32_MAX);
	rd = rd_init(ones, 8);
	assert_true(rd_be64(&rd) == UINT64_MAX);
}

/* Each read, one byte short: zero, failed, and nothing after it works. */
static void a_read_past_the_end_sticks(void **state)
{
	uint8_t out[4];

	for (size_t len = 0; len < 8; len++) {
		struct rd rd = rd_init(bytes, len);

		assert_true(rd_be64(&rd) == 0);
		assert_true(rd.failed);
		assert_int_equal(rd_left(&rd), 0);
		assert_int_equal(rd_u8(&rd), 0);
		memset(out, 7, sizeof(out));
		rd_bytes(&rd, out, sizeof(out));
		assert_memory_equal(out, "\0\0\0\0", 4);
		assert_false(rd_done(&rd));
	}
	struct rd rd = rd_init(bytes, 1);
	assert_int_equal(rd_be16(&rd), 0);
	rd = rd_init(bytes, 3);
	assert_int_equal(rd_be32(&rd), 0);
	rd = rd_init(bytes, 0);
	assert_int_equal(rd_u8(&rd), 0);
	assert_true(rd.failed);
}

static void trailing_bytes_are_not_done(void **state)
{
	struct rd rd = rd_init(bytes, 2);

	rd_u8(&rd);
	assert_false(rd_done(&rd));
	rd_u8(&rd);
	assert_true(rd_done(&rd));
}

static void children_stay_inside(void **state)
{
	struct rd rd = rd_init(bytes, 6);
	struct rd sub = rd_sub(&rd, 4), inner;

	assert_int_equal(rd_left(&sub), 4);
	assert_int_equal(rd_left(&rd), 2);
	assert_int_equal(rd_be32(&sub), 0x01020304);
	assert_int_equal(rd_u8(&sub), 0);
	assert_true(sub.failed);
	assert_int_equal(rd_be16(&rd), 0x0506); /* the parent goes on */
	assert_true(rd_done(&rd));

	rd = rd_init(bytes, 3);
	sub = rd_sub(&rd, 4);
	assert_true(rd.failed);
	assert_true(sub.failed);
	assert_false(rd_done(&sub));
	inner = rd_sub(&sub, 0); /* of a failed parent: failed */
	assert_true(inner.failed);

	rd = rd_init(bytes, 3);
	sub = rd_sub(&rd, 0);
	assert_true(rd_done(&sub));
}

/* Lengths near the top of size_t must not wrap around. */
static void huge_lengths(void **state)
{
	struct rd rd = rd_init(bytes, sizeof(bytes)), sub;

	rd_u8(&rd);
	rd_skip(&rd, SIZE_MAX);
	assert_true(rd.failed);
	rd = rd_init(bytes, sizeof(bytes));
	rd_u8(&rd);
	sub = rd_sub(&rd, SIZE_MAX - 1);
	assert_true(sub.failed);
	assert_int_equal(rd_left(&sub), 0);
}

static void nothing_at_all(void **state)
{
	struct rd rd = rd_init(NULL, 0);
	uint8_t out;

	rd_bytes(&rd, &out, 0);
	rd_skip(&rd, 0);
	assert_true(rd_done(&rd));
	rd_skip(&rd, 1);
	assert_false(rd_done(&rd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_network_order),
		cmocka_unit_test(high_bits_are_not_signs),
		cmocka_unit_test(a_read_past_the_end_sticks),
		cmocka_unit_test(trailing_bytes_are_not_done),
		cmocka_unit_test(children_stay_inside),
		cmocka_unit_test(huge_lengths),
		cmocka_unit_test(nothing_at_all),
	};

	return cmocka_run_group_tests_name("rd", tests, NULL, NULL);
}
