/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/feed/feed_bench.h"

/* ---- the stream */

static void test_initiation_and_termination(void **state)
{
	struct bench *b = *state;
	static const uint8_t why[] = { 0, 1, 0, 2, 0, 2 };
	struct wr body = { 0 };

	assert_string_equal(bmp_feed_sysname(b->feed), "");
	build_initiation(&b->out, "FRRouting 8.4.4\x1b[2J", "pe1");
	bench_flow(b);
	assert_string_equal(bmp_feed_sysname(b->feed), "pe1");
	assert_string_equal(bmp_feed_sysdescr(b->feed), "FRRouting 8.4.4?[2J");
	assert_int_equal(b->last.type, BMP_EVENT_INITIATION);
	assert_string_equal(b->text, "pe1");
	wr_bytes(&body, why, sizeof(why));
	build_bmp(&b->out, BMP_TERMINATION, &body);
	bench_flow(b);
	assert_int_equal(b->last.type, BMP_EVENT_TERMINATION);
	assert_string_equal(b->text, "out of resources");
	wr_fini(&body);
}

static void test_unknown_types_are_counted(void **state)
{
	struct bench *b = *state;
	struct wr body = { 0 };

	wr_be32(&body, 0xdeadbeef);
	build_bmp(&b->out, 7, &body);
	build_bmp(&b->out, 200, &body);
	build_bmp(&b->out, BMP_ROUTE_MIRRORING, &body);
	bench_flow(b);
	assert_int_equal(bench_stats(b)->messages, 3);
	assert_int_equal(bench_stats(b)->by_type[7], 2);
	assert_int_equal(bench_stats(b)->by_type[6], 1);
	assert_int_equal(bench_stats(b)->malformed,
			 1); /* the mirror has no peer header */
	wr_fini(&body);
}

static void test_stream_out_of_step_is_an_error(void **state)
{
	static const uint8_t bad[][6] = {
		{ 4, 0, 0, 0, 6, 4 },	 /* version */
		{ 3, 0, 0, 0, 5, 4 },	 /* shorter than its own header */
		{ 3, 0, 0x10, 0, 1, 4 }, /* a byte over 1 MiB */
	};
	struct bench *b = *state;
	struct diag diag;

	for (size_t i = 0; i < 3; i++) {
		build_initiation(&b->out, "x", "y");
		wr_bytes(&b->out, bad[i], 6);
		assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, b->out.len, &diag),
				 -1);
		assert_non_null(strstr(diag.text, "byte 16:"));
		/* and stays one, whatever follows */
		assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, 16, &diag), -1);
		assert_int_equal(bench_stats(b)->messages, 1);
		wr_fini(&b->out);
		bench_reconnect(b);
		/* the same, a byte at a time */
		build_initiation(&b->out, "x", "y");
		wr_bytes(&b->out, bad[i], 6);
		for (size_t at = 0; at + 1 < b->out.len; at++)
			assert_int_equal(
				bmp_feed_bytes(b->feed, b->out.data + at, 1, &diag), 0);
		assert_int_equal(
			bmp_feed_bytes(b->feed, b->out.data + b->out.len - 1, 1, &diag),
			-1);
		assert_non_null(strstr(diag.text, "byte 16:"));
		wr_fini(&b->out);
		bench_reconnect(b);
	}
}

static void test_longest_message_passes_in_pieces(void **state)
{
	struct bench *b = *state;
	struct wr body = { 0 };
	struct diag diag;

	while (body.len < BMP_MESSAGE_MAX - BMP_HEADER_SIZE)
		wr_u8(&body, 0);
	build_bmp(&b->out, 99, &body);
	build_initiation(&b->out, "x", "after");
	for (size_t at = 0; at < b->out.len; at += 60000) {
		size_t n = b->out.len - at < 60000 ? b->out.len - at : 60000;

		assert_int_equal(bmp_feed_bytes(b->feed, b->out.data + at, n, &diag), 0);
	}
	assert_int_equal(bench_stats(b)->by_type[7], 1);
	assert_string_equal(bmp_feed_sysname(b->feed), "after");
	wr_fini(&body);
}

static void test_end_of_input_inside_a_message(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	build_initiation(&b->out, "x", "y");
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
	assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, b->out.len - 9, &diag), 0);
	assert_int_equal(bmp_feed_pending(b->feed), b->out.len - 9 - 16);
	assert_int_equal(b->events[BMP_EVENT_PEER_UP], 0);
	assert_int_equal(bmp_feed_bytes(b->feed, b->out.data + b->out.len - 9, 9, &diag),
			 0);
	assert_int_equal(bmp_feed_pending(b->feed), 0);
	assert_int_equal(b->events[BMP_EVENT_PEER_UP], 1);
}

static void test_router_named_by_the_initiation(void **state)
{
	struct bench *b = *state;

	bmp_feed_free(b->feed);
	b->feed = bmp_feed_new(b->rib, BMP_ROUTER_UNKNOWN, bench_on_event, b);
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	bench_flow(b);
	assert_null(rib_peer_first(b->rib));
	assert_int_equal(bench_stats(b)->malformed, 2);
	bmp_feed_set_router(b->feed, 7);
	bench_up(b, "x");
	assert_non_null(bench_peer(b, "10.0.1.2"));
	/* a second name is only information */
	bmp_feed_set_router(b->feed, 8);
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_PRE, IP_V4), 1);
}

/* ---- peers */

static void test_peer_up_tells_what_the_opens_say(void **state)
{
	const struct build_open s = {
		.as = 64500, .id = 0x01020304, .role = 0, .addpath = { 1, 0 }
	};
	const struct build_open r = { .as = 4200000001u,
				      .id = 5,
				      .role = 3,
				      .addpath = { 2, 3 },
				      .graceful_restart = true };
	struct bench *b = *state;
	struct ip_addr want;
	struct rib_peer *peer;

	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &s, &r);
	bench_flow(b);
	assert_int_equal(b->last.type, BMP_EVENT_PEER_UP);
	assert_true(ip_addr_parse("10.0.1.1", &want));
	assert_true(ip_addr_equal(&b->info.local_addr, &want));
	assert_int_equal(b->info.local_as, 64500);
	assert_int_equal(b->info.remote_as, 4200000001u);
	assert_int_equal(b->info.local_id, 0x01020304);
	assert_int_equal(b->info.remote_id, 5);
	assert_int_equal(b->info.local_role, BGP_ROLE_PROVIDER);
	assert_int_equal(b->info.remote_role, BGP_ROLE_CUSTOMER);
	assert_false(b->info.is_ibgp);
	assert_true(b->info.addpath_rx[IP_V4]);
	assert_false(b->info.addpath_rx[IP_V6]);
	assert_true(b->info.graceful_restart);
	peer = bench_peer(b, "10.0.1.2");
	assert_ptr_equal(b->last.peer, peer);
	assert_int_equal(bmp_feed_peer_info(b->feed, peer)->remote_id, 5);
	build_peer_down(&b->out, &bench_pre, 4);
	bench_flow(b);
	assert_null(bmp_feed_peer_info(b->feed, peer));
}

static void test_damaged_peer_up_is_skipped(void **state)
{
	struct bench *b = *state;

	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
	b->out.data[6 + 42 + 20 + 3] = 0; /* marker of the first OPEN */
	bench_flow(b);
	assert_int_equal(bench_stats(b)->malformed, 1);
	assert_int_equal(b->events[BMP_EVENT_PEER_UP], 0);
}

static void test_routes_without_peer_up_are_taken(void **state)
{
	struct bench *b = *state;

	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(64500, 65001), 2);
	bench_flow(b);
	/* nobody knows the local AS yet, so nothing is stripped */
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->as_path_hops,
			 2);
	assert_int_equal(bench_stats(b)->no_peer_up, 1);
	assert_int_equal(bench_stats(b)->announced, 1);
}

static void test_peer_down_removes_both_views_and_families(void **state)
{
	struct bench *b = *state;

	bench_up(b, "x");
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &bench_post, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &bench_post, "2001:db8::/32", ARRAY(65001), 1);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_PRE, IP_V4), 1);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 1);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V6), 1);
	build_peer_down(&b->out, &bench_pre, 3);
	bench_flow(b);
	assert_int_equal(b->last.type, BMP_EVENT_PEER_DOWN);
	assert_int_equal(b->last.reason, 3);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_PRE, IP_V4), 0);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 0);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V6), 0);
}

static void test_repeated_peer_down_is_harmless(void **state)
{
	const struct build_peer never = { .addr = "10.9.9.9", .as = 1 };
	struct bench *b = *state;

	build_peer_down(&b->out, &never, 2);
	build_peer_down(&b->out, &never, 2);
	bench_flow(b);
	assert_int_equal(b->events[BMP_EVENT_PEER_DOWN], 0);
	assert_null(bench_peer(b, "10.9.9.9"));
	bench_up(b, "x");
	for (int i = 0; i < 3; i++)
		build_peer_down(&b->out, &bench_pre, 2);
	bench_flow(b);
	assert_int_equal(b->events[BMP_EVENT_PEER_DOWN], 1);
	assert_int_equal(bench_stats(b)->malformed, 0);
}

static void test_two_peers_do_not_mix(void **state)
{
	const struct build_peer other = { .addr = "10.0.2.2", .as = 65002 };
	struct bench *b = *state;

	bench_up(b, "x");
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &other, "192.0.2.0/24", ARRAY(65002), 1);
	build_peer_down(&b->out, &bench_pre, 1);
	bench_flow(b);
	assert_null(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24"));
	assert_int_equal(bench_path(b, "10.0.2.2", RIB_PRE, "192.0.2.0/24")->origin_as,
			 65002);
}

static void test_vrf_peers_are_refused_once_each(void **state)
{
	const struct build_peer vrf[] = {
		{ .type = 1, .distinguisher = 0xfde800000001, .addr = "10.0.1.2" },
		{ .type = 1, .addr = "10.0.1.2" },
		{ .type = 0, .distinguisher = 5, .addr = "10.0.1.2" },
	};
	struct bench *b = *state;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3; i++)
			build_announce(&b->out, &vrf[i], "192.0.2.0/24", ARRAY(65001), 1);
	}
	bench_flow(b);
	assert_int_equal(bench_stats(b)->refused_vrf, 9);
	assert_int_equal(b->events[BMP_EVENT_REFUSED], 3);
	assert_non_null(strstr(b->text, "10.0.1.2"));
	assert_null(rib_peer_first(b->rib));
}

static void test_vrf_peers_are_kept_apart_where_allowed(void **state)
{
	const struct build_peer vrf[] = {
		{ .type = 1, .distinguisher = 1, .addr = "10.0.1.2" },
		{ .type = 1, .distinguisher = 2, .addr = "10.0.1.2" },
		{ .type = 0, .distinguisher = 0, .addr = "10.0.1.2" },
	};
	struct bench *b = *state;
	int n = 0;

	bmp_feed_set_allow_rd(b->feed, true);
	for (int i = 0; i < 3; i++)
		build_announce(&b->out, &vrf[i], "192.0.2.0/24", ARRAY(65001), 1);
	build_withdraw(&b->out, &vrf[0], "192.0.2.0/24");
	bench_flow(b);
	for (struct rib_peer *p = rib_peer_first(b->rib); p; p = rib_peer_next(p), n++) {
		assert_int_equal(rib_peer_key(p)->type, vrf[n].type);
		assert_true(rib_peer_key(p)->distinguisher == vrf[n].distinguisher);
		assert_int_equal(rib_path_count(p, RIB_PRE, IP_V4), n != 0);
	}
	assert_int_equal(n, 3);
	assert_int_equal(bench_stats(b)->refused_vrf, 0);
}

static void test_loc_rib_and_adj_rib_out_are_ignored(void **state)
{
	const struct build_peer loc = { .type = 3, .addr = "0.0.0.0" };
	const struct build_peer adj_out = { .flags = 0x10, .addr = "10.0.1.2" };
	const struct build_peer odd = { .type = 9, .addr = "10.0.1.2" };
	struct bench *b = *state;

	build_peer_up(&b->out, &loc, "0.0.0.0", &bench_us, &bench_us);
	build_announce(&b->out, &loc, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &adj_out, "192.0.2.0/24", ARRAY(64500, 65001), 2);
	build_announce(&b->out, &odd, "192.0.2.0/24", ARRAY(65001), 1);
	bench_flow(b);
	assert_int_equal(bench_stats(b)->ignored_locrib, 2);
	assert_int_equal(bench_stats(b)->ignored_adj_out, 1);
	assert_int_equal(bench_stats(b)->ignored_peer_type, 1);
	assert_null(rib_peer_first(b->rib));
	/* RFC 8671 6.3: in a Peer Up the flag has no meaning */
	build_peer_up(&b->out, &adj_out, "10.0.1.1", &bench_us, &bench_them);
	bench_flow(b);
	assert_int_equal(b->events[BMP_EVENT_PEER_UP], 1);
}

static void test_a_stream_cannot_invent_peers_without_end(void **state)
{
	struct build_peer peer = { .as = 1 };
	struct bench *b = *state;
	char addr[IP_TEXT_SIZE];

	peer.addr = addr;
	for (uint32_t i = 0; i < 65536 + 5; i++) {
		struct ip_addr a = { 0x0a000000 + i, IP_V4 };

		ip_addr_format(&a, addr);
		build_end_of_rib(&b->out, &peer, IP_V4);
		if (i % 4096 == 0)
			bench_flow(b);
	}
	bench_flow(b);
	assert_int_equal(bench_stats(b)->refused_peers, 5);
}

/* ---- re-dumps */

static void test_new_stream_keeps_paths_until_end_of_rib(void **state)
{
	struct bench *b = *state;

	bench_up(b, "x");
	build_announce(&b->out, &bench_post, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &bench_post, "198.51.100.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &bench_post, "2001:db8::/32", ARRAY(65001), 1);
	build_announce(&b->out, &bench_pre, "203.0.113.0/24", ARRAY(65001), 1);
	bench_flow(b);
	bench_reconnect(b);
	bench_up(b, "x");
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	build_announce(&b->out, &bench_post, "192.0.2.0/24", ARRAY(65001), 1);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	build_end_of_rib(&b->out, &bench_post, IP_V4);
	bench_flow(b);
	assert_int_equal(b->last.type, BMP_EVENT_END_OF_RIB);
	assert_int_equal(b->last.view, RIB_POST);
	assert_int_equal(b->last.family, IP_V4);
	/* that view and family only */
	assert_non_null(bench_path(b, "10.0.1.2", RIB_POST, "192.0.2.0/24"));
	assert_null(bench_path(b, "10.0.1.2", RIB_POST, "198.51.100.0/24"));
	assert_non_null(bench_path(b, "10.0.1.2", RIB_POST, "2001:db8::/32"));
	assert_non_null(bench_path(b, "10.0.1.2", RIB_PRE, "203.0.113.0/24"));
	/* FRR sends no End-of-RIB for a peer that came up late */
	bmp_feed_peer_complete(b->feed, bench_peer(b, "10.0.1.2"));
	assert_non_null(bench_path(b, "10.0.1.2", RIB_POST, "192.0.2.0/24"));
	assert_null(bench_path(b, "10.0.1.2", RIB_POST, "2001:db8::/32"));
	assert_null(bench_path(b, "10.0.1.2", RIB_PRE, "203.0.113.0/24"));
}

static void test_peer_up_of_a_peer_that_is_up_marks_stale(void **state)
{
	struct bench *b = *state;

	bench_up(b, "x");
	build_announce(&b->out, &bench_post, "192.0.2.0/24", ARRAY(65001), 1);
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 1);
	build_end_of_rib(&b->out, &bench_post, IP_V4);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 0);
}

static void test_end_of_rib_without_a_dump_removes_nothing(void **state)
{
	struct bench *b = *state;

	bench_up(b, "x");
	build_announce(&b->out, &bench_post, "192.0.2.0/24", ARRAY(65001), 1);
	build_end_of_rib(&b->out, &bench_post, IP_V4);
	build_end_of_rib(&b->out, &bench_post, IP_V4);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 1);
	assert_int_equal(b->events[BMP_EVENT_END_OF_RIB], 2);
}

static void test_any_post_policy_message_makes_post_the_view(void **state)
{
	struct bench *b = *state;

	bench_up(b, "x");
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &bench_pre, "2001:db8::/32", ARRAY(65001), 1);
	bench_flow(b);
	assert_int_equal(rib_peer_view(bench_peer(b, "10.0.1.2"), IP_V4), RIB_PRE);
	build_withdraw(&b->out, &bench_post, "192.0.2.0/24");
	bench_flow(b);
	assert_int_equal(rib_peer_view(bench_peer(b, "10.0.1.2"), IP_V4), RIB_POST);
	assert_int_equal(rib_peer_view(bench_peer(b, "10.0.1.2"), IP_V6), RIB_PRE);
	build_end_of_rib(&b->out, &bench_post, IP_V6);
	bench_flow(b);
	assert_int_equal(rib_peer_view(bench_peer(b, "10.0.1.2"), IP_V6), RIB_POST);
	/* sticky, also when the session goes */
	build_peer_down(&b->out, &bench_pre, 1);
	bench_flow(b);
	assert_int_equal(rib_peer_view(bench_peer(b, "10.0.1.2"), IP_V4), RIB_POST);
}

/* ---- routes */

static void test_withdrawal_of_an_unknown_path_is_counted(void **state)
{
	struct bench *b = *state;

	bench_up(b, "x");
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_withdraw(&b->out, &bench_pre, "192.0.2.0/24");
	build_withdraw(&b->out, &bench_pre, "192.0.2.0/24");
	build_withdraw(&b->out, &bench_pre, "2001:db8::/32");
	bench_flow(b);
	assert_int_equal(bench_stats(b)->withdrawn, 3);
	assert_int_equal(bench_stats(b)->withdrawn_unknown, 2);
}

static void test_damage_withdraws_or_skips(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;

	bench_up(b, "x");
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &bench_pre, "198.51.100.0/24", ARRAY(65001), 1);
	/* a malformed attribute: treat-as-withdraw */
	build_usual(&u.attrs, ARRAY(65001), 1);
	build_attr(&u.attrs, 0xc0, 8, "abc", 3);
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &bench_pre, &u);
	/* routes that cannot be read: nothing can be done */
	build_usual(&u.attrs, ARRAY(65001), 1);
	wr_u8(&u.nlri, 33);
	build_routes(&b->out, &bench_pre, &u);
	bench_flow(b);
	assert_null(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24"));
	assert_non_null(bench_path(b, "10.0.1.2", RIB_PRE, "198.51.100.0/24"));
	assert_int_equal(bench_stats(b)->treat_as_withdraw, 1);
	assert_int_equal(bench_stats(b)->malformed, 1);
	assert_int_equal(bench_stats(b)->withdrawn, 1);
}

static void test_host_bits_are_masked_and_counted(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;

	bench_up(b, "x");
	build_usual(&u.attrs, ARRAY(65001), 1);
	build_prefix(&u.nlri, "192.0.2.77/25");
	build_routes(&b->out, &bench_pre, &u);
	bench_flow(b);
	assert_non_null(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/25"));
	assert_int_equal(bench_stats(b)->host_bits, 1);
}

static void test_a_prefix_in_both_fields_is_announced(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;

	/* RFC 4271 4.3 */
	bench_up(b, "x");
	build_usual(&u.attrs, ARRAY(65001), 1);
	build_prefix(&u.withdrawn, "192.0.2.0/24");
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &bench_pre, &u);
	bench_flow(b);
	assert_non_null(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24"));
}

static void test_both_ipv4_and_ipv6_routes_in_one_update(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;
	struct wr nlri = { 0 };

	bench_up(b, "x");
	build_usual(&u.attrs, ARRAY(65001), 1);
	build_prefix(&nlri, "2001:db8::/32");
	build_mp_reach(&u.attrs, 2, 1, "2001:db8::9", &nlri);
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &bench_pre, &u);
	bench_flow(b);
	assert_int_equal(
		bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->next_hop.family,
		IP_V4);
	assert_int_equal(
		bench_path(b, "10.0.1.2", RIB_PRE, "2001:db8::/32")->next_hop.family,
		IP_V6);
	wr_fini(&nlri);
}

static void addpath_update(struct bench *b, uint32_t id, const char *prefix, uint32_t as)
{
	struct build_update u = { 0 };

	build_usual(&u.attrs, ARRAY(as), 1);
	build_prefix_id(&u.nlri, id, prefix);
	build_routes(&b->out, &bench_pre, &u);
}

static void test_addpath_where_both_opens_agree(void **state)
{
	struct build_open s = bench_us, r = bench_them;
	struct bench *b = *state;
	struct build_update u = { 0 };

	s.addpath[IP_V4] = 1;
	r.addpath[IP_V4] = 2;
	build_initiation(&b->out, "some router", "pe1");
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &s, &r);
	addpath_update(b, 1, "192.0.2.0/24", 65001);
	addpath_update(b, 2, "192.0.2.0/24", 65002);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_PRE, IP_V4), 2);
	build_prefix_id(&u.withdrawn, 1, "192.0.2.0/24");
	build_routes(&b->out, &bench_pre, &u);
	bench_flow(b);
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_as,
			 65002);
	/* the other direction is not ours: no path ids come from the peer */
	build_peer_down(&b->out, &bench_pre, 1);
	s.addpath[IP_V4] = 2;
	r.addpath[IP_V4] = 1;
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &s, &r);
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_PRE, IP_V4), 1);
	assert_int_equal(bench_stats(b)->malformed, 0);
}

static void test_local_pref_counts_after_policy_only(void **state)
{
	struct bench *b = *state;
	const struct build_peer *views[] = { &bench_pre, &bench_post };

	/* RFC 7606 7.5 for what the eBGP peer sent; policy may set it */
	bench_up(b, "x");
	for (int i = 0; i < 2; i++) {
		struct build_update u = { 0 };

		build_usual(&u.attrs, ARRAY(65001), 1);
		build_u32_attr(&u.attrs, 0x40, 5, 300);
		build_prefix(&u.nlri, "192.0.2.0/24");
		build_routes(&b->out, views[i], &u);
	}
	bench_flow(b);
	assert_false(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->has_local_pref);
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_POST, "192.0.2.0/24")->local_pref,
			 300);
	assert_int_equal(bench_stats(b)->attr_discard, 1);
}

static void test_ibgp_path_of_our_own(void **state)
{
	const struct build_peer core = { .addr = "10.0.0.9", .as = 64500 };
	struct build_update u = { 0 };
	struct bench *b = *state;

	build_peer_up(&b->out, &core, "10.0.0.1", &bench_us, &bench_ibgp);
	build_usual(&u.attrs, NULL, 0);
	build_u32_attr(&u.attrs, 0x40, 5, 100);
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &core, &u);
	bench_flow(b);
	assert_true(b->info.is_ibgp);
	assert_int_equal(bench_path(b, "10.0.0.9", RIB_PRE, "192.0.2.0/24")->origin_kind,
			 RIB_ORIGIN_OWN);
	assert_int_equal(bench_path(b, "10.0.0.9", RIB_PRE, "192.0.2.0/24")->local_pref,
			 100);
}

static void test_a_flag_means_2_octet_paths(void **state)
{
	const struct build_peer old = { .flags = BMP_FLAG_AS2,
					.addr = "10.0.1.2",
					.as = 65001 };
	struct build_update u = { 0 };
	struct bench *b = *state;

	bench_up(b, "some router");
	build_origin(&u.attrs, 0);
	build_attr(&u.attrs, 0x40, 2, "\2\2\xfd\xe9\x5b\xa0", 6);
	build_attr(&u.attrs, 0xc0, 17, "\2\1\0\1\0\5", 6);
	build_next_hop(&u.attrs, "192.0.2.1");
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &old, &u);
	bench_flow(b);
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_as,
			 65541);
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->neighbor_as,
			 65001);
}

static void test_loops_are_no_paths(void **state)
{
	struct bench *b = *state;

	bench_up(b, "some router");
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001), 1);
	bench_flow(b);
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(65001, 64500, 65002),
		       3);
	build_announce(&b->out, &bench_pre, "198.51.100.0/24", ARRAY(65001, 64500), 2);
	bench_flow(b);
	/* what the loop replaced is gone too */
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_PRE, IP_V4), 0);
	assert_int_equal(bench_stats(b)->looped, 2);
	assert_int_equal(bench_stats(b)->withdrawn, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_initiation_and_termination),
		BENCH_TEST(test_unknown_types_are_counted),
		BENCH_TEST(test_stream_out_of_step_is_an_error),
		BENCH_TEST(test_longest_message_passes_in_pieces),
		BENCH_TEST(test_end_of_input_inside_a_message),
		BENCH_TEST(test_router_named_by_the_initiation),
		BENCH_TEST(test_peer_up_tells_what_the_opens_say),
		BENCH_TEST(test_damaged_peer_up_is_skipped),
		BENCH_TEST(test_routes_without_peer_up_are_taken),
		BENCH_TEST(test_peer_down_removes_both_views_and_families),
		BENCH_TEST(test_repeated_peer_down_is_harmless),
		BENCH_TEST(test_two_peers_do_not_mix),
		BENCH_TEST(test_vrf_peers_are_refused_once_each),
		BENCH_TEST(test_vrf_peers_are_kept_apart_where_allowed),
		BENCH_TEST(test_loc_rib_and_adj_rib_out_are_ignored),
		BENCH_TEST(test_a_stream_cannot_invent_peers_without_end),
		BENCH_TEST(test_new_stream_keeps_paths_until_end_of_rib),
		BENCH_TEST(test_peer_up_of_a_peer_that_is_up_marks_stale),
		BENCH_TEST(test_end_of_rib_without_a_dump_removes_nothing),
		BENCH_TEST(test_any_post_policy_message_makes_post_the_view),
		BENCH_TEST(test_withdrawal_of_an_unknown_path_is_counted),
		BENCH_TEST(test_damage_withdraws_or_skips),
		BENCH_TEST(test_host_bits_are_masked_and_counted),
		BENCH_TEST(test_a_prefix_in_both_fields_is_announced),
		BENCH_TEST(test_both_ipv4_and_ipv6_routes_in_one_update),
		BENCH_TEST(test_addpath_where_both_opens_agree),
		BENCH_TEST(test_local_pref_counts_after_policy_only),
		BENCH_TEST(test_ibgp_path_of_our_own),
		BENCH_TEST(test_a_flag_means_2_octet_paths),
		BENCH_TEST(test_loops_are_no_paths),
	};

	return cmocka_run_group_tests_name("bmp_feed", tests, NULL, NULL);
}
