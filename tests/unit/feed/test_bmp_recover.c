/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Recordings of BMP that are damaged inside: one damaged message costs that message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/bmp.h"
#include "tests/unit/feed/bmp_build.h"
#include "tests/unit/feed/feed_bench.h"

#define N 8 /* messages: Initiation, Peer Up, and routes */

/* Returns where each message begins. */
static void put_stream(struct bench *b, size_t at[N + 1])
{
	const uint32_t as = 65001;
	char prefix[32];

	wr_fini(&b->out);
	at[0] = 0;
	build_initiation(&b->out, "test 1.0", "r1");
	at[1] = b->out.len;
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
	for (int i = 2; i < N; i++) {
		at[i] = b->out.len;
		snprintf(prefix, sizeof(prefix), "198.51.%d.0/24", i);
		build_announce(&b->out, &bench_pre, prefix, &as, 1);
	}
	at[N] = b->out.len;
}

static void play(struct bench *b, size_t piece)
{
	struct diag diag;

	bench_reconnect(b);
	bmp_feed_set_recording(b->feed);
	for (size_t i = 0; i < b->out.len; i += piece) {
		if (piece > b->out.len - i)
			piece = b->out.len - i;
		assert_int_equal(bmp_feed_bytes(b->feed, b->out.data + i, piece, &diag),
				 0);
	}
	assert_int_equal(bmp_feed_end(b->feed, &diag), 0);
}

static void lost_one(struct bench *b, uint64_t from, uint64_t bytes)
{
	const struct bmp_feed_stats *s = bench_stats(b);

	assert_int_equal(s->announced, N - 3);
	assert_int_equal(s->messages, N - 1);
	assert_int_equal(s->searches, 1);
	assert_int_equal(s->first_skip, from);
	assert_int_equal(s->skipped, bytes);
	assert_int_equal(bmp_feed_pending(b->feed), 0);
}

static void test_nothing_is_damaged(void **state)
{
	struct bench *b = *state;
	size_t at[N + 1];

	put_stream(b, at);
	play(b, b->out.len);
	assert_int_equal(bench_stats(b)->announced, N - 2);
	assert_int_equal(bench_stats(b)->searches, 0);
	assert_int_equal(bench_stats(b)->malformed, 0);
}

static void test_header_damaged(void **state)
{
	static const uint32_t lengths[] = { 0, 5, 47, 48, 60, 300, 0x100001, UINT32_MAX };
	struct bench *b = *state;
	size_t at[N + 1];

	put_stream(b, at);
	b->out.data[at[4]] = 4; /* version */
	play(b, b->out.len);
	lost_one(b, at[4], at[5] - at[4]);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		put_stream(b, at);
		wr_patch32(&b->out, at[4] + 1, lengths[i]);
		play(b, b->out.len);
		lost_one(b, at[4], at[5] - at[4]);
	}
	/* so long that it would end behind the file: what is in between is not lost */
	put_stream(b, at);
	wr_patch32(&b->out, at[4] + 1, 5000);
	play(b, b->out.len);
	lost_one(b, at[4], at[5] - at[4]);
}

static void test_bytes_put_in(void **state)
{
	struct bench *b = *state;
	struct wr more = { 0 };
	size_t at[N + 1];

	put_stream(b, at);
	wr_bytes(&more, b->out.data, at[5]);
	for (int i = 0; i < 1000; i++)
		wr_u8(&more, (uint8_t)(i % 7));
	wr_bytes(&more, b->out.data + at[5], at[N] - at[5]);
	wr_fini(&b->out);
	b->out = more;
	play(b, b->out.len);
	assert_int_equal(bench_stats(b)->announced, N - 2);
	assert_int_equal(bench_stats(b)->first_skip, at[5]);
	assert_int_equal(bench_stats(b)->skipped, 1000);
}

static void test_bytes_at_the_end(void **state)
{
	struct bench *b = *state;
	size_t at[N + 1];

	put_stream(b, at);
	wr_bytes(&b->out, "GET / HTTP/1.0\n", 15);
	play(b, b->out.len);
	assert_int_equal(bench_stats(b)->announced, N - 2);
	assert_int_equal(bench_stats(b)->first_skip, at[N]);
	assert_int_equal(bench_stats(b)->skipped, 15);
}

static void test_every_cut_is_a_warning(void **state)
{
	struct bench *b = *state;
	size_t at[N + 1];

	put_stream(b, at);
	for (b->out.len = at[N - 1] + 1; b->out.len < at[N]; b->out.len++) {
		play(b, b->out.len);
		assert_int_equal(bench_stats(b)->messages, N - 1);
		assert_int_equal(bench_stats(b)->searches, 0);
		assert_int_equal(bmp_feed_pending(b->feed), b->out.len - at[N - 1]);
	}
}

/* No damage of one byte costs more than the message that it is in, and none is met
 * without a count. */
static void test_any_byte_damaged(void **state)
{
	static const uint8_t values[] = { 0, 1, 3, 0x7f, 0xff };
	struct bench *b = *state;
	size_t at[N + 1];

	put_stream(b, at);
	for (size_t i = at[2]; i < at[N]; i++) {
		for (size_t k = 0; k < sizeof(values); k++) {
			uint8_t old = b->out.data[i];

			b->out.data[i] = values[k];
			play(b, b->out.len);
			assert_true(bench_stats(b)->announced >= N - 3);
			b->out.data[i] = old;
		}
	}
}

static void test_how_it_is_cut_makes_no_difference(void **state)
{
	struct bench *b = *state;
	struct bmp_feed_stats whole;
	size_t at[N + 1];

	put_stream(b, at);
	wr_patch32(&b->out, at[3] + 1, 77);
	b->out.data[at[5]] = 0;
	b->out.len -= 5;
	play(b, b->out.len);
	whole = *bench_stats(b);
	assert_int_equal(whole.searches, 2);
	for (size_t piece = 1; piece < 90; piece++) {
		play(b, piece);
		assert_memory_equal(bench_stats(b), &whole, sizeof(whole));
		assert_int_equal(bmp_feed_pending(b->feed), at[N] - at[N - 1] - 5);
	}
}

static void test_types_not_known_are_no_damage(void **state)
{
	struct bench *b = *state;
	const uint32_t as = 65001;
	struct wr none = { 0 };

	build_initiation(&b->out, "test 1.0", "r1");
	build_bmp(&b->out, 200, &none);
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
	build_announce(&b->out, &bench_pre, "198.51.100.0/24", &as, 1);
	play(b, b->out.len);
	assert_int_equal(bench_stats(b)->by_type[7], 1);
	assert_int_equal(bench_stats(b)->searches, 0);
	assert_int_equal(bench_stats(b)->announced, 1);
}

static void test_something_else(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	bmp_feed_set_recording(b->feed);
	assert_int_equal(bmp_feed_bytes(b->feed, "GET / HTTP/1.0\n", 15, &diag), -1);
	assert_string_equal(diag.text,
			    "byte 0: this is not BMP version 3 (version byte is 71)");
	assert_int_equal(bmp_feed_end(b->feed, &diag), -1);
}

static void test_the_search_is_bounded(void **state)
{
	struct bench *b = *state;
	static uint8_t zeros[1 << 20];
	size_t at[N + 1];
	struct diag diag;
	int ret = 0;

	put_stream(b, at);
	bmp_feed_set_recording(b->feed);
	assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, b->out.len, &diag), 0);
	for (int i = 0; i < 20 && ret == 0; i++) {
		ret = bmp_feed_bytes(b->feed, zeros, sizeof(zeros), &diag);
		assert_true(bmp_feed_pending(b->feed) < 2 * BMP_MESSAGE_MAX);
	}
	assert_int_equal(ret, -1);
	assert_non_null(strstr(diag.text, "no BMP message in 16777216 bytes from here"));
	assert_int_equal(bmp_feed_end(b->feed, &diag), -1);
}

/* What is wrong inside of a sound message is counted, with the place of the first. */
static void test_the_first_of_each_kind_is_told(void **state)
{
	struct bench *b = *state;
	struct build_update u = { 0 };
	const uint32_t as = 65001;
	size_t at[N + 1], masked, bad;

	put_stream(b, at);
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			masked = b->out.len;
		build_usual(&u.attrs, &as, 1);
		build_prefix(&u.nlri, "198.51.101.0/23");
		build_routes(&b->out, &bench_pre, &u);
		if (i == 0)
			bad = b->out.len;
		build_usual(&u.attrs, &as, 1);
		wr_u8(&u.nlri, 99); /* an impossible length */
		wr_be64(&u.nlri, 0);
		build_routes(&b->out, &bench_pre, &u);
	}
	play(b, b->out.len);
	assert_int_equal(bench_stats(b)->host_bits, 2);
	assert_int_equal(bench_stats(b)->first_host_bits, masked);
	assert_int_equal(bench_stats(b)->malformed + bench_stats(b)->treat_as_withdraw,
			 2);
	assert_int_equal(bench_stats(b)->first_damaged, bad);
	assert_int_equal(bench_stats(b)->searches, 0);
}

/* 4,096 in one message (RFC 8654 allows it), of which half were announced. */
static void test_4096_withdrawals_in_one_message(void **state)
{
	struct bench *b = *state;
	const uint32_t as = 65001;
	char prefix[32];

	build_initiation(&b->out, "test 1.0", "r1");
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
	for (int round = 0; round < 2; round++) {
		struct build_update u = { 0 };

		if (round == 0)
			build_usual(&u.attrs, &as, 1);
		for (int i = 0; i < 4096; i += 2 - round) {
			snprintf(prefix, sizeof(prefix), "20.%d.%d.0/24", i >> 8,
				 i & 255);
			build_prefix(round ? &u.withdrawn : &u.nlri, prefix);
		}
		build_routes(&b->out, &bench_pre, &u);
	}
	build_announce(&b->out, &bench_pre, "198.51.100.0/24", &as, 1);
	play(b, b->out.len);
	assert_int_equal(bench_stats(b)->malformed, 0);
	assert_int_equal(bench_stats(b)->withdrawn, 4096);
	assert_int_equal(bench_stats(b)->withdrawn_unknown, 2048);
	assert_int_equal(bench_stats(b)->announced, 2049);
	assert_int_equal(bench_count(b, bench_pre.addr, RIB_PRE, IP_V4), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_nothing_is_damaged),
		BENCH_TEST(test_header_damaged),
		BENCH_TEST(test_bytes_put_in),
		BENCH_TEST(test_bytes_at_the_end),
		BENCH_TEST(test_every_cut_is_a_warning),
		BENCH_TEST(test_any_byte_damaged),
		BENCH_TEST(test_how_it_is_cut_makes_no_difference),
		BENCH_TEST(test_types_not_known_are_no_damage),
		BENCH_TEST(test_something_else),
		BENCH_TEST(test_the_search_is_bounded),
		BENCH_TEST(test_the_first_of_each_kind_is_told),
		BENCH_TEST(test_4096_withdrawals_in_one_message),
	};

	return cmocka_run_group_tests_name("bmp_recover", tests, NULL, NULL);
}
