/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/rd.h"
#include "lib/wr.h"

static void what_is_written_reads_back(void **state)
{
	struct wr wr = { 0 };
	uint8_t out[3];
	struct rd rd;

	wr_u8(&wr, 0xfe);
	wr_be16(&wr, 0xfedc);
	wr_be32(&wr, 0xfedcba98);
	wr_be64(&wr, 0xfedcba9876543210ULL);
	wr_bytes(&wr, "abc", 3);
	wr_bytes(&wr, NULL, 0);
	rd = rd_init(wr.data, wr.len);
	assert_int_equal(rd_u8(&rd), 0xfe);
	assert_int_equal(rd_be16(&rd), 0xfedc);
	assert_true(rd_be32(&rd) == 0xfedcba98);
	assert_true(rd_be64(&rd) == 0xfedcba9876543210ULL);
	rd_bytes(&rd, out, 3);
	assert_memory_equal(out, "abc", 3);
	assert_true(rd_done(&rd));
	wr_fini(&wr);
	assert_null(wr.data);
	assert_int_equal(wr.len, 0);
}

static void patches_change_only_their_bytes(void **state)
{
	struct wr wr = { 0 };

	wr_bytes(&wr, "AAAAAAAA", 8);
	wr_patch16(&wr, 1, 0x4243);
	wr_patch32(&wr, 4, 0x44454647);
	assert_memory_equal(wr.data, "ABCADEFG", 8);
	wr_fini(&wr);
}

static void consume_from_the_front(void **state)
{
	struct wr wr = { 0 };

	wr_consume(&wr, 0);
	wr_bytes(&wr, "abcdef", 6);
	wr_consume(&wr, 2);
	assert_int_equal(wr.len, 4);
	assert_memory_equal(wr.data, "cdef", 4);
	wr_bytes(&wr, "gh", 2);
	assert_memory_equal(wr.data, "cdefgh", 6);
	wr_consume(&wr, 6);
	assert_int_equal(wr.len, 0);
	wr_u8(&wr, 'z');
	assert_int_equal(wr.data[0], 'z');
	wr_fini(&wr);
}

static void growth_keeps_the_content(void **state)
{
	struct wr wr = { 0 };

	for (uint32_t i = 0; i < 100000; i++)
		wr_be32(&wr, i);
	assert_int_equal(wr.len, 400000);
	struct rd rd = rd_init(wr.data, wr.len);
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(rd_be32(&rd), i);
	wr_fini(&wr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(patches_change_only_their_bytes),
		cmocka_unit_test(consume_from_the_front),
		cmocka_unit_test(growth_keeps_the_content),
	};

	return cmocka_run_group_tests_name("wr", tests, NULL, NULL);
}
