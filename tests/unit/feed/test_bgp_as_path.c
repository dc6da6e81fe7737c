/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/feed/bgp_bench.h"

/* Decodes an UPDATE whose AS_PATH has these bytes. */
static enum bgp_update_verdict path_of(const uint8_t *path, size_t len,
				       struct bgp_update *u)
{
	struct build_update b = { 0 };

	build_origin(&b.attrs, 0);
	build_attr(&b.attrs, 0x40, 2, path, len);
	build_next_hop(&b.attrs, "192.0.2.1");
	build_prefix(&b.nlri, "10.0.0.0/8");
	return decode(&b, u);
}

#define PATH_OF(u, ...)                                                                  \
	path_of((const uint8_t[]){ __VA_ARGS__ },                                        \
		sizeof((const uint8_t[]){ __VA_ARGS__ }), u)

static void test_origin_of_path(void **state)
{
	struct bgp_update u;

	/* RFC 6811 sec. 2 */
	assert_int_equal(path_of(NULL, 0, &u), BGP_UPDATE_OK);
	assert_int_equal(u.attr.origin_kind, RIB_ORIGIN_OWN);
	assert_int_equal(u.attr.neighbor_as, 0);
	PATH_OF(&u, 2, 2, 0, 0, 0, 1, 0, 0, 0, 2);
	assert_int_equal(u.attr.origin_kind, RIB_ORIGIN_AS);
	assert_int_equal(u.attr.origin_as, 2);
	/* a set at the end: none; it counts one hop */
	PATH_OF(&u, 2, 1, 0, 0, 0, 1, 1, 2, 0, 0, 0, 2, 0, 0, 0, 3);
	assert_int_equal(u.attr.origin_kind, RIB_ORIGIN_NONE);
	assert_int_equal(u.attr.as_path_hops, 2);
	assert_int_equal(u.attr.neighbor_as, 1);
	/* a set in front has no leftmost AS */
	PATH_OF(&u, 1, 1, 0, 0, 0, 9, 2, 1, 0, 0, 0, 1);
	assert_int_equal(u.attr.origin_as, 1);
	assert_int_equal(u.attr.neighbor_as, 0);
	/* confederation only: the own AS; no hops */
	PATH_OF(&u, 3, 2, 0, 0, 0, 1, 0, 0, 0, 2);
	assert_int_equal(u.attr.origin_kind, RIB_ORIGIN_OWN);
	assert_int_equal(u.attr.as_path_hops, 0);
	/* confederation in front of an AS_SEQUENCE */
	PATH_OF(&u, 4, 1, 0, 0, 0, 9, 3, 1, 0, 0, 0, 8, 2, 1, 0, 0, 0, 5);
	assert_int_equal(u.attr.origin_as, 5);
	assert_int_equal(u.attr.neighbor_as, 5);
	assert_int_equal(u.attr.as_path_hops, 1);
}

static void test_path_strip_and_contains(void **state)
{
	struct bgp_update u;

	PATH_OF(&u, 2, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3);
	assert_true(bgp_path_contains(&u.attr, 3));
	assert_false(bgp_path_contains(&u.attr, 4));
	assert_false(bgp_attr_strip_first(&u.attr, 2, scratch));
	assert_true(bgp_attr_strip_first(&u.attr, 1, scratch));
	assert_memory_equal(u.attr.as_path,
			    ((const uint8_t[]){ 2, 2, 0, 0, 0, 2, 0, 0, 0, 3 }), 10);
	assert_int_equal(u.attr.as_path_len, 10);
	assert_int_equal(u.attr.neighbor_as, 2);
	/* twice over, now inside scratch */
	assert_true(bgp_attr_strip_first(&u.attr, 2, scratch));
	assert_true(bgp_attr_strip_first(&u.attr, 3, scratch));
	assert_int_equal(u.attr.as_path_len, 0);
	assert_int_equal(u.attr.origin_kind, RIB_ORIGIN_OWN);
	assert_false(bgp_attr_strip_first(&u.attr, 3, scratch));
	/* a set is not a number that was put in front */
	PATH_OF(&u, 1, 1, 0, 0, 0, 1);
	assert_false(bgp_attr_strip_first(&u.attr, 1, scratch));
}

static void test_malformed_paths_are_withdrawals(void **state)
{
	struct bgp_update u;

	/* RFC 7606 7.2: overrun, underrun, empty segment, unknown type */
	assert_int_equal(PATH_OF(&u, 2, 2, 0, 0, 0, 1), BGP_UPDATE_WITHDRAW);
	assert_int_equal(u.bad_attr, 2);
	assert_next(&u.announced[0], "10.0.0.0/8", 0, false);
	assert_int_equal(PATH_OF(&u, 2, 1, 0, 0, 0, 1, 2), BGP_UPDATE_WITHDRAW);
	assert_int_equal(PATH_OF(&u, 2, 0), BGP_UPDATE_WITHDRAW);
	assert_int_equal(PATH_OF(&u, 5, 1, 0, 0, 0, 1), BGP_UPDATE_WITHDRAW);
	assert_int_equal(PATH_OF(&u, 0, 1, 0, 0, 0, 1), BGP_UPDATE_WITHDRAW);
	/* AS 0, RFC 7607 */
	assert_int_equal(PATH_OF(&u, 2, 1, 0, 0, 0, 0), BGP_UPDATE_WITHDRAW);
}

/* An UPDATE of a 2-octet session. */
static enum bgp_update_verdict path2_of(const uint8_t *path, size_t len,
					const uint8_t *path4, size_t len4,
					const uint8_t *aggregator, struct bgp_update *u)
{
	const struct bgp_update_ctx ctx = { .as2 = true };
	struct build_update b = { 0 };

	build_origin(&b.attrs, 0);
	build_attr(&b.attrs, 0x40, 2, path, len);
	build_next_hop(&b.attrs, "192.0.2.1");
	if (path4)
		build_attr(&b.attrs, 0xc0, 17, path4, len4);
	if (aggregator) {
		build_attr(&b.attrs, 0xc0, 7, aggregator, 6);
		build_attr(&b.attrs, 0xc0, 18, "\0\1\0\0\1\2\3\4", 8);
	}
	build_prefix(&b.nlri, "10.0.0.0/8");
	return decode_ctx(&b, &ctx, u);
}

static void assert_path(const struct bgp_update *u, const uint32_t *as, size_t n)
{
	struct rd rd = rd_init(u->attr.as_path, u->attr.as_path_len);
	size_t i = 0;

	while (rd_left(&rd) != 0) {
		rd_skip(&rd, 1);
		for (uint8_t k = rd_u8(&rd); k != 0; k--)
			assert_int_equal(rd_be32(&rd), i < n ? as[i] : 0), i++;
	}
	assert_int_equal(i, n);
}

static void test_as4_path_merge(void **state)
{
	/* 1 2 TRANS TRANS with AS4_PATH 65536 65537: RFC 6793 4.2.3 */
	const uint8_t path[] = { 2, 4, 0, 1, 0, 2, 0x5b, 0xa0, 0x5b, 0xa0 };
	const uint8_t path4[] = { 2, 2, 0, 1, 0, 0, 0, 1, 0, 1 };
	struct bgp_update u;

	assert_int_equal(path2_of(path, sizeof(path), path4, sizeof(path4), NULL, &u),
			 BGP_UPDATE_OK);
	assert_path(&u, ARRAY(1, 2, 65536, 65537), 4);
	assert_int_equal(u.attr.origin_as, 65537);
	assert_int_equal(u.attr.as_path_hops, 4);
	/* without AS4_PATH the placeholder stays */
	assert_int_equal(path2_of(path, sizeof(path), NULL, 0, NULL, &u), BGP_UPDATE_OK);
	assert_path(&u, ARRAY(1, 2, BGP_AS_TRANS, BGP_AS_TRANS), 4);
}

static void test_as4_path_longer_than_as_path_is_ignored(void **state)
{
	const uint8_t path[] = { 2, 1, 0x5b, 0xa0 };
	const uint8_t path4[] = { 2, 2, 0, 1, 0, 0, 0, 1, 0, 1 };
	struct bgp_update u;

	assert_int_equal(path2_of(path, sizeof(path), path4, sizeof(path4), NULL, &u),
			 BGP_UPDATE_OK);
	assert_path(&u, ARRAY(BGP_AS_TRANS), 1);
}

static void test_as4_path_after_aggregation_by_an_old_speaker(void **state)
{
	const uint8_t path[] = { 2, 2, 0, 1, 0x5b, 0xa0 };
	const uint8_t path4[] = { 2, 1, 0, 1, 0, 0 };
	struct bgp_update u;

	/* AGGREGATOR with a real AS: AS4_PATH is out of date */
	path2_of(path, sizeof(path), path4, sizeof(path4),
		 (const uint8_t *)"\0\5\1\2\3\4", &u);
	assert_path(&u, ARRAY(1, BGP_AS_TRANS), 2);
	path2_of(path, sizeof(path), path4, sizeof(path4),
		 (const uint8_t *)"\x5b\xa0\1\2\3\4", &u);
	assert_path(&u, ARRAY(1, 65536), 2);
}

static void test_as4_path_with_sets_and_confederations(void **state)
{
	/* confed (8) leads; 1 2; {3 4} counts one; TRANS */
	const uint8_t path[] = { 3, 1, 0, 8, 2, 2, 0, 1, 0,    2,
				 1, 2, 0, 3, 0, 4, 2, 1, 0x5b, 0xa0 };
	/* a confederation segment has no business here and is dropped */
	const uint8_t path4[] = { 3, 1, 0, 0, 0, 9, 2, 1, 0, 1, 0, 0 };
	struct bgp_update u;

	assert_int_equal(path2_of(path, sizeof(path), path4, sizeof(path4), NULL, &u),
			 BGP_UPDATE_OK);
	assert_path(&u, ARRAY(8, 1, 2, 3, 4, 65536), 6);
	assert_int_equal(u.attr.as_path_hops, 4);
	assert_int_equal(u.attr.origin_as, 65536);
}

static void test_malformed_as4_path_is_discarded(void **state)
{
	const uint8_t path[] = { 2, 1, 0x5b, 0xa0 };
	const uint8_t odd[] = { 2, 1, 0, 1, 0, 0, 0 };
	const uint8_t empty_segment[] = { 2, 0, 2, 1, 0, 1, 0, 0 };
	struct bgp_update u;

	assert_int_equal(path2_of(path, sizeof(path), odd, sizeof(odd), NULL, &u),
			 BGP_UPDATE_OK);
	assert_int_equal(u.attr_discarded, 1);
	assert_path(&u, ARRAY(BGP_AS_TRANS), 1);
	assert_int_equal(path2_of(path, sizeof(path), empty_segment,
				  sizeof(empty_segment), NULL, &u),
			 BGP_UPDATE_OK);
	assert_int_equal(u.attr_discarded, 1);
	assert_path(&u, ARRAY(BGP_AS_TRANS), 1);
}

static void test_as4_path_in_a_4_octet_session_is_discarded(void **state)
{
	struct build_update b = { 0 };
	struct bgp_update u;

	build_usual(&b.attrs, ARRAY(1, 2), 2);
	build_attr(&b.attrs, 0xc0, 17, "\2\1\0\1\0\0", 6);
	build_prefix(&b.nlri, "10.0.0.0/8");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_int_equal(u.attr_discarded, 1);
	assert_path(&u, ARRAY(1, 2), 2);
}

static void test_2_octet_path_too_long_to_rebuild(void **state)
{
	static uint8_t path[128 * (2 + 2 * 255)];
	struct bgp_update u;

	for (size_t i = 0; i < sizeof(path); i += 512) {
		memset(path + i, 1, 512);
		path[i] = 2;
		path[i + 1] = 255;
	}
	/* 64 KiB of path would become 128 KiB */
	assert_int_equal(path2_of(path, 127 * 512, NULL, 0, NULL, &u),
			 BGP_UPDATE_WITHDRAW);
	assert_int_equal(path2_of(path, 64 * 512, NULL, 0, NULL, &u), BGP_UPDATE_OK);
	assert_int_equal(u.attr.as_path_hops, 64 * 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin_of_path),
		cmocka_unit_test(test_path_strip_and_contains),
		cmocka_unit_test(test_malformed_paths_are_withdrawals),
		cmocka_unit_test(test_as4_path_merge),
		cmocka_unit_test(test_as4_path_longer_than_as_path_is_ignored),
		cmocka_unit_test(test_as4_path_after_aggregation_by_an_old_speaker),
		cmocka_unit_test(test_as4_path_with_sets_and_confederations),
		cmocka_unit_test(test_malformed_as4_path_is_discarded),
		cmocka_unit_test(test_as4_path_in_a_4_octet_session_is_discarded),
		cmocka_unit_test(test_2_octet_path_too_long_to_rebuild),
	};

	return cmocka_run_group_tests_name("bgp_as_path", tests, NULL, NULL);
}
