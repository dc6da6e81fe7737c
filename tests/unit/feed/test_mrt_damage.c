/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Damaged, cut and foreign MRT: one damaged record costs that record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/mrt_feed.h"
#include "tests/unit/feed/mrt_build.h"

/* Five routes; returns where each record begins. */
static void put_five(struct mrt_world *w, size_t at[6])
{
	static const char *const prefix[] = { "198.51.100.0/24", "198.51.101.0/24",
					      "198.51.102.0/24", "198.51.103.0/24",
					      "198.51.104.0/24" };
	const uint32_t as[] = { 64496 };

	for (int i = 0; i < 5; i++) {
		at[i] = w->in.len;
		build_mrt_announce(&w->in, &build_ext, prefix[i], as, 1);
	}
	at[5] = w->in.len;
}

static void lost_one(struct mrt_world *w, size_t skipped)
{
	mrt_world_run(w);
	assert_int_equal(mrt_world_paths(w), 4);
	assert_null(mrt_world_route(w, PEER1, "198.51.101.0/24"));
	assert_int_equal(w->stats.searches, skipped != 0);
	assert_int_equal(w->stats.skipped, skipped);
	assert_int_equal(w->pending, 0);
}

static void test_length_too_short(void **state)
{
	struct mrt_world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 8, (uint32_t)(at[2] - at[1] - 12 - 7));
	lost_one(w, at[2] - at[1]);
	assert_int_equal(w->stats.first_skip, at[1]);
}

static void test_length_too_long(void **state)
{
	struct mrt_world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 8, (uint32_t)(at[2] - at[1] + 3));
	lost_one(w, at[2] - at[1]);
}

static void test_length_beyond_the_end(void **state)
{
	struct mrt_world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 8, (uint32_t)MRT_RECORD_MAX);
	lost_one(w, at[2] - at[1]);
}

static void test_type_damaged(void **state)
{
	struct mrt_world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 4, 0);
	lost_one(w, at[2] - at[1]);
}

static void test_message_damaged(void **state)
{
	struct mrt_world *w = *state;
	size_t at[6];

	put_five(w, at);
	w->in.data[at[1] + 12 + 20] = 0; /* of the marker */
	lost_one(w, 0);
	assert_int_equal(w->stats.malformed, 1);
}

static void test_bytes_put_in(void **state)
{
	struct mrt_world *w = *state;
	struct wr whole;
	size_t at[6];

	put_five(w, at);
	whole = w->in;
	w->in = (struct wr){ 0 };
	wr_bytes(&w->in, whole.data, at[3]);
	for (int i = 0; i < 100; i++)
		wr_u8(&w->in, 0);
	wr_bytes(&w->in, whole.data + at[3], at[5] - at[3]);
	mrt_world_run(w);
	assert_int_equal(mrt_world_paths(w), 5);
	assert_int_equal(w->stats.skipped, 100);
	wr_fini(&whole);
}

static void test_first_record_damaged(void **state)
{
	struct mrt_world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, 4, UINT32_MAX);
	mrt_world_run(w);
	assert_int_equal(mrt_world_paths(w), 4);
}

static void test_every_cut_is_a_warning(void **state)
{
	struct mrt_world *w = *state;
	size_t at[6], whole;

	put_five(w, at);
	whole = w->in.len;
	for (w->in.len = at[4] + 1; w->in.len < whole; w->in.len++) {
		mrt_world_run(w);
		assert_int_equal(w->stats.records, 4);
		assert_int_equal(w->stats.searches, 0);
		assert_int_equal(w->pending, w->in.len - at[4]);
	}
}

static void test_how_it_is_cut_makes_no_difference(void **state)
{
	struct mrt_world *w = *state;
	struct mrt_feed_stats whole;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 8, (uint32_t)(at[2] - at[1] + 3));
	w->in.data[at[3] + 12 + 20] = 0;
	w->in.len -= 5;
	mrt_world_run(w);
	whole = w->stats;
	assert_int_equal(whole.searches, 1);
	assert_int_equal(whole.malformed, 1);
	assert_int_equal(w->pending, at[5] - at[4] - 5);
	for (size_t piece = 1; piece < 40; piece++) {
		assert_int_equal(mrt_world_run_piecewise(w, piece), 0);
		assert_memory_equal(&w->stats, &whole, sizeof(whole));
	}
}

static void test_no_mrt_at_all(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/bash\n";
	struct mrt_world *w = *state;

	wr_bytes(&w->in, text, sizeof(text) - 1);
	assert_int_equal(mrt_world_run_piecewise(w, 1000), -1);
	assert_string_equal(w->diag.text, "this is not MRT: no record in 32 bytes");
}

static void test_search_is_bounded(void **state)
{
	struct mrt_world *w = *state;
	struct mrt_feed *feed;
	char zeros[4096] = { 0 };
	size_t at[6], n = 0;
	int rc;

	put_five(w, at);
	feed = mrt_feed_new(w->rib, 0, NULL, NULL);
	assert_int_equal(mrt_feed_bytes(feed, w->in.data, w->in.len, &w->diag), 0);
	do {
		rc = mrt_feed_bytes(feed, zeros, sizeof(zeros), &w->diag);
		n += sizeof(zeros);
	} while (rc == 0);
	assert_true(n >= MRT_SEARCH_MAX && n <= MRT_SEARCH_MAX + 2 * sizeof(zeros));
	assert_int_equal(mrt_feed_bytes(feed, zeros, 1, &w->diag), -1);
	assert_int_equal(mrt_feed_end(feed, &w->diag), -1);
	mrt_feed_free(feed);
	assert_int_equal(mrt_world_paths(w), 5);
}

static void test_nothing_at_all(void **state)
{
	struct mrt_world *w = *state;

	mrt_world_run(w);
	assert_int_equal(w->stats.records, 0);
}

/* Without a RIB everything is decoded and counted all the same. */
static void test_count_only(void **state)
{
	struct mrt_world *w = *state;
	struct mrt_feed *feed = mrt_feed_new(NULL, 0, NULL, NULL);
	size_t at[6];

	put_five(w, at);
	build_mrt_withdraw(&w->in, &build_ext, "198.51.100.0/24");
	build_mrt_state(&w->in, &build_ext, 6, 1);
	assert_int_equal(mrt_feed_bytes(feed, w->in.data, w->in.len, &w->diag), 0);
	assert_int_equal(mrt_feed_end(feed, &w->diag), 0);
	assert_int_equal(mrt_feed_stats(feed)->announced, 5);
	assert_int_equal(mrt_feed_stats(feed)->withdrawn, 1);
	assert_int_equal(mrt_feed_stats(feed)->states, 1);
	mrt_feed_free(feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MRT_CASE(test_length_too_short),
		MRT_CASE(test_length_too_long),
		MRT_CASE(test_length_beyond_the_end),
		MRT_CASE(test_type_damaged),
		MRT_CASE(test_message_damaged),
		MRT_CASE(test_bytes_put_in),
		MRT_CASE(test_first_record_damaged),
		MRT_CASE(test_every_cut_is_a_warning),
		MRT_CASE(test_how_it_is_cut_makes_no_difference),
		MRT_CASE(test_no_mrt_at_all),
		MRT_CASE(test_search_is_bounded),
		MRT_CASE(test_nothing_at_all),
		MRT_CASE(test_count_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
