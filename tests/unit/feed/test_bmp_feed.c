/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/bmp.h"
#include "controller/feed/bmp_feed.h"
#include "lib/mem.h"
#include "tests/unit/feed/bmp_build.h"

#define ARRAY(...) (const uint32_t[]){ __VA_ARGS__ }

static const struct build_open us = { .as = 64500, .id = 1, .role = -1 };
static const struct build_open them = { .as = 65001, .id = 2, .role = -1 };
static const struct build_open ibgp = { .as = 64500, .id = 3, .role = -1 };
static const struct build_peer pre = { .addr = "10.0.1.2", .as = 65001 };
static const struct build_peer post = { .addr = "10.0.1.2", .as = 65001, .flags = BMP_FLAG_POST };

/* ---- a feed under test, what it said, and a stream being written */

struct bench {
	struct rib *rib;
	struct bmp_feed *feed;
	struct wr out;
	int events[BMP_EVENT_TERMINATION + 1];
	struct bmp_event last;
	struct bmp_peer_info info;
	char text[300];
};

static void on_event(const struct bmp_event *event, void *arg)
{
	struct bench *b = arg;

	b->events[event->type]++;
	b->last = *event;
	if (event->text)
		snprintf(b->text, sizeof(b->text), "%s", event->text);
	if (event->info)
		b->info = *event->info;
}

static int setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	b->rib = rib_new();
	b->feed = bmp_feed_new(b->rib, 7, on_event, b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	bmp_feed_free(b->feed);
	rib_free(b->rib);
	wr_fini(&b->out);
	free(b);
	return 0;
}

/* Gives the feed what was written so far. */
static void flow(struct bench *b)
{
	struct diag diag;

	assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, b->out.len, &diag), 0);
	assert_int_equal(bmp_feed_pending(b->feed), 0);
	wr_fini(&b->out);
}

/* The router connects anew. */
static void reconnect(struct bench *b)
{
	bmp_feed_free(b->feed);
	b->feed = bmp_feed_new(b->rib, 7, on_event, b);
}

static struct rib_peer *peer_at(const struct bench *b, const char *addr)
{
	struct rib_peer_key key = { .router = 7 };

	assert_true(ip_addr_parse(addr, &key.addr));
	return rib_peer_find(b->rib, &key);
}

static size_t count(const struct bench *b, const char *addr, enum rib_view view,
		    enum ip_family family)
{
	const struct rib_peer *peer = peer_at(b, addr);

	return peer ? rib_path_count(peer, view, family) : 0;
}

static const struct rib_attr *path(const struct bench *b, const char *addr,
				   enum rib_view view, const char *prefix)
{
	const struct rib_peer *peer = peer_at(b, addr);
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(prefix, &p), IP_PARSE_OK);
	return peer ? rib_lookup(peer, view, &p) : NULL;
}

static const struct bmp_feed_stats *stats(const struct bench *b)
{
	return bmp_feed_stats(b->feed);
}

static void up(struct bench *b, const char *sysdescr)
{
	build_initiation(&b->out, sysdescr, "pe1");
	build_peer_up(&b->out, &pre, "10.0.1.1", &us, &them);
	flow(b);
}

/* ---- the stream */

static void test_initiation_and_termination(void **state)
{
	struct bench *b = *state;
	static const uint8_t why[] = { 0, 1, 0, 2, 0, 2 };
	struct wr body = { 0 };

	assert_string_equal(bmp_feed_sysname(b->feed), "");
	build_initiation(&b->out, "FRRouting 8.4.4\x1b[2J", "pe1");
	flow(b);
	assert_string_equal(bmp_feed_sysname(b->feed), "pe1");
	assert_string_equal(bmp_feed_sysdescr(b->feed), "FRRouting 8.4.4?[2J");
	assert_int_equal(b->last.type, BMP_EVENT_INITIATION);
	assert_string_equal(b->text, "pe1");
	wr_bytes(&body, why, sizeof(why));
	build_bmp(&b->out, BMP_TERMINATION, &body);
	flow(b);
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
	flow(b);
	assert_int_equal(stats(b)->messages, 3);
	assert_int_equal(stats(b)->by_type[7], 2);
	assert_int_equal(stats(b)->by_type[6], 1);
	assert_int_equal(stats(b)->malformed, 1); /* the mirror has no peer header */
	wr_fini(&body);
}

static void test_stream_out_of_step_is_an_error(void **state)
{
	static const uint8_t bad[][6] = {
		{ 4, 0, 0, 0, 6, 4 }, /* version */
		{ 3, 0, 0, 0, 5, 4 }, /* shorter than its own header */
		{ 3, 0, 0x10, 0, 1, 4 }, /* a byte over 1 MiB */
	};
	struct bench *b = *state;
	struct diag diag;

	for (size_t i = 0; i < 3; i++) {
		build_initiation(&b->out, "x", "y");
		wr_bytes(&b->out, bad[i], 6);
		assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, b->out.len, &diag), -1);
		assert_non_null(strstr(diag.text, "byte 16:"));
		/* and stays one, whatever follows */
		assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, 16, &diag), -1);
		assert_int_equal(stats(b)->messages, 1);
		wr_fini(&b->out);
		reconnect(b);
		/* the same, a byte at a time */
		build_initiation(&b->out, "x", "y");
		wr_bytes(&b->out, bad[i], 6);
		for (size_t at = 0; at + 1 < b->out.len; at++)
			assert_int_equal(bmp_feed_bytes(b->feed, b->out.data + at, 1, &diag), 0);
		assert_int_equal(bmp_feed_bytes(b->feed, b->out.data + b->out.len - 1, 1, &diag),
				 -1);
		assert_non_null(strstr(diag.text, "byte 16:"));
		wr_fini(&b->out);
		reconnect(b);
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
	assert_int_equal(stats(b)->by_type[7], 1);
	assert_string_equal(bmp_feed_sysname(b->feed), "after");
	wr_fini(&body);
}

static void test_end_of_input_inside_a_message(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	build_initiation(&b->out, "x", "y");
	build_peer_up(&b->out, &pre, "10.0.1.1", &us, &them);
	assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, b->out.len - 9, &diag), 0);
	assert_int_equal(bmp_feed_pending(b->feed), b->out.len - 9 - 16);
	assert_int_equal(b->events[BMP_EVENT_PEER_UP], 0);
	assert_int_equal(bmp_feed_bytes(b->feed, b->out.data + b->out.len - 9, 9, &diag), 0);
	assert_int_equal(bmp_feed_pending(b->feed), 0);
	assert_int_equal(b->events[BMP_EVENT_PEER_UP], 1);
}

/* ---- peers */

static void test_peer_up_tells_what_the_opens_say(void **state)
{
	const struct build_open s = { .as = 64500, .id = 0x01020304, .role = 0, .addpath = { 1, 0 } };
	const struct build_open r = { .as = 4200000001u, .id = 5, .role = 3, .addpath = { 2, 3 },
				      .graceful_restart = true };
	struct bench *b = *state;
	struct ip_addr want;
	struct rib_peer *peer;

	build_peer_up(&b->out, &pre, "10.0.1.1", &s, &r);
	flow(b);
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
	peer = peer_at(b, "10.0.1.2");
	assert_ptr_equal(b->last.peer, peer);
	assert_int_equal(bmp_feed_peer_info(b->feed, peer)->remote_id, 5);
	build_peer_down(&b->out, &pre, 4);
	flow(b);
	assert_null(bmp_feed_peer_info(b->feed, peer));
}

static void test_damaged_peer_up_is_skipped(void **state)
{
	struct bench *b = *state;

	build_peer_up(&b->out, &pre, "10.0.1.1", &us, &them);
	b->out.data[6 + 42 + 20 + 3] = 0; /* marker of the first OPEN */
	flow(b);
	assert_int_equal(stats(b)->malformed, 1);
	assert_int_equal(b->events[BMP_EVENT_PEER_UP], 0);
}

static void test_routes_without_peer_up_are_taken(void **state)
{
	struct bench *b = *state;

	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(64500, 65001), 2);
	flow(b);
	/* nobody knows the local AS yet, so nothing is stripped */
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->as_path_hops, 2);
	assert_int_equal(stats(b)->no_peer_up, 1);
	assert_int_equal(stats(b)->announced, 1);
}

static void test_peer_down_removes_both_views_and_families(void **state)
{
	struct bench *b = *state;

	up(b, "x");
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &post, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &post, "2001:db8::/32", ARRAY(65001), 1);
	flow(b);
	assert_int_equal(count(b, "10.0.1.2", RIB_PRE, IP_V4), 1);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 1);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V6), 1);
	build_peer_down(&b->out, &pre, 3);
	flow(b);
	assert_int_equal(b->last.type, BMP_EVENT_PEER_DOWN);
	assert_int_equal(b->last.reason, 3);
	assert_int_equal(count(b, "10.0.1.2", RIB_PRE, IP_V4), 0);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 0);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V6), 0);
}

static void test_repeated_peer_down_is_harmless(void **state)
{
	const struct build_peer never = { .addr = "10.9.9.9", .as = 1 };
	struct bench *b = *state;

	build_peer_down(&b->out, &never, 2);
	build_peer_down(&b->out, &never, 2);
	flow(b);
	assert_int_equal(b->events[BMP_EVENT_PEER_DOWN], 0);
	assert_null(peer_at(b, "10.9.9.9"));
	up(b, "x");
	for (int i = 0; i < 3; i++)
		build_peer_down(&b->out, &pre, 2);
	flow(b);
	assert_int_equal(b->events[BMP_EVENT_PEER_DOWN], 1);
	assert_int_equal(stats(b)->malformed, 0);
}

static void test_two_peers_do_not_mix(void **state)
{
	const struct build_peer other = { .addr = "10.0.2.2", .as = 65002 };
	struct bench *b = *state;

	up(b, "x");
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &other, "192.0.2.0/24", ARRAY(65002), 1);
	build_peer_down(&b->out, &pre, 1);
	flow(b);
	assert_null(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24"));
	assert_int_equal(path(b, "10.0.2.2", RIB_PRE, "192.0.2.0/24")->origin_as, 65002);
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
	flow(b);
	assert_int_equal(stats(b)->refused_vrf, 9);
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
	flow(b);
	for (struct rib_peer *p = rib_peer_first(b->rib); p; p = rib_peer_next(p), n++) {
		assert_int_equal(rib_peer_key(p)->type, vrf[n].type);
		assert_true(rib_peer_key(p)->distinguisher == vrf[n].distinguisher);
		assert_int_equal(rib_path_count(p, RIB_PRE, IP_V4), n != 0);
	}
	assert_int_equal(n, 3);
	assert_int_equal(stats(b)->refused_vrf, 0);
}

static void test_loc_rib_and_adj_rib_out_are_ignored(void **state)
{
	const struct build_peer loc = { .type = 3, .addr = "0.0.0.0" };
	const struct build_peer adj_out = { .flags = 0x10, .addr = "10.0.1.2" };
	const struct build_peer odd = { .type = 9, .addr = "10.0.1.2" };
	struct bench *b = *state;

	build_peer_up(&b->out, &loc, "0.0.0.0", &us, &us);
	build_announce(&b->out, &loc, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &adj_out, "192.0.2.0/24", ARRAY(64500, 65001), 2);
	build_announce(&b->out, &odd, "192.0.2.0/24", ARRAY(65001), 1);
	flow(b);
	assert_int_equal(stats(b)->ignored_locrib, 2);
	assert_int_equal(stats(b)->ignored_adj_out, 1);
	assert_int_equal(stats(b)->ignored_peer_type, 1);
	assert_null(rib_peer_first(b->rib));
	/* RFC 8671 6.3: in a Peer Up the flag has no meaning */
	build_peer_up(&b->out, &adj_out, "10.0.1.1", &us, &them);
	flow(b);
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
			flow(b);
	}
	flow(b);
	assert_int_equal(stats(b)->refused_peers, 5);
}

/* ---- re-dumps */

static void test_new_stream_keeps_paths_until_end_of_rib(void **state)
{
	struct bench *b = *state;

	up(b, "x");
	build_announce(&b->out, &post, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &post, "198.51.100.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &post, "2001:db8::/32", ARRAY(65001), 1);
	build_announce(&b->out, &pre, "203.0.113.0/24", ARRAY(65001), 1);
	flow(b);
	reconnect(b);
	up(b, "x");
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	build_announce(&b->out, &post, "192.0.2.0/24", ARRAY(65001), 1);
	flow(b);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	build_end_of_rib(&b->out, &post, IP_V4);
	flow(b);
	assert_int_equal(b->last.type, BMP_EVENT_END_OF_RIB);
	assert_int_equal(b->last.view, RIB_POST);
	assert_int_equal(b->last.family, IP_V4);
	/* that view and family only */
	assert_non_null(path(b, "10.0.1.2", RIB_POST, "192.0.2.0/24"));
	assert_null(path(b, "10.0.1.2", RIB_POST, "198.51.100.0/24"));
	assert_non_null(path(b, "10.0.1.2", RIB_POST, "2001:db8::/32"));
	assert_non_null(path(b, "10.0.1.2", RIB_PRE, "203.0.113.0/24"));
	/* FRR sends no End-of-RIB for a peer that came up late */
	bmp_feed_peer_complete(b->feed, peer_at(b, "10.0.1.2"));
	assert_non_null(path(b, "10.0.1.2", RIB_POST, "192.0.2.0/24"));
	assert_null(path(b, "10.0.1.2", RIB_POST, "2001:db8::/32"));
	assert_null(path(b, "10.0.1.2", RIB_PRE, "203.0.113.0/24"));
}

static void test_peer_up_of_a_peer_that_is_up_marks_stale(void **state)
{
	struct bench *b = *state;

	up(b, "x");
	build_announce(&b->out, &post, "192.0.2.0/24", ARRAY(65001), 1);
	build_peer_up(&b->out, &pre, "10.0.1.1", &us, &them);
	flow(b);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 1);
	build_end_of_rib(&b->out, &post, IP_V4);
	flow(b);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 0);
}

static void test_end_of_rib_without_a_dump_removes_nothing(void **state)
{
	struct bench *b = *state;

	up(b, "x");
	build_announce(&b->out, &post, "192.0.2.0/24", ARRAY(65001), 1);
	build_end_of_rib(&b->out, &post, IP_V4);
	build_end_of_rib(&b->out, &post, IP_V4);
	flow(b);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 1);
	assert_int_equal(b->events[BMP_EVENT_END_OF_RIB], 2);
}

static void test_any_post_policy_message_makes_post_the_view(void **state)
{
	struct bench *b = *state;

	up(b, "x");
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &pre, "2001:db8::/32", ARRAY(65001), 1);
	flow(b);
	assert_int_equal(rib_peer_view(peer_at(b, "10.0.1.2"), IP_V4), RIB_PRE);
	build_withdraw(&b->out, &post, "192.0.2.0/24");
	flow(b);
	assert_int_equal(rib_peer_view(peer_at(b, "10.0.1.2"), IP_V4), RIB_POST);
	assert_int_equal(rib_peer_view(peer_at(b, "10.0.1.2"), IP_V6), RIB_PRE);
	build_end_of_rib(&b->out, &post, IP_V6);
	flow(b);
	assert_int_equal(rib_peer_view(peer_at(b, "10.0.1.2"), IP_V6), RIB_POST);
	/* sticky, also when the session goes */
	build_peer_down(&b->out, &pre, 1);
	flow(b);
	assert_int_equal(rib_peer_view(peer_at(b, "10.0.1.2"), IP_V4), RIB_POST);
}

/* ---- routes */

static void test_withdrawal_of_an_unknown_path_is_counted(void **state)
{
	struct bench *b = *state;

	up(b, "x");
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_withdraw(&b->out, &pre, "192.0.2.0/24");
	build_withdraw(&b->out, &pre, "192.0.2.0/24");
	build_withdraw(&b->out, &pre, "2001:db8::/32");
	flow(b);
	assert_int_equal(stats(b)->withdrawn, 3);
	assert_int_equal(stats(b)->withdrawn_unknown, 2);
}

static void test_damage_withdraws_or_skips(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;

	up(b, "x");
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(65001), 1);
	build_announce(&b->out, &pre, "198.51.100.0/24", ARRAY(65001), 1);
	/* a malformed attribute: treat-as-withdraw */
	build_usual(&u.attrs, ARRAY(65001), 1);
	build_attr(&u.attrs, 0xc0, 8, "abc", 3);
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &pre, &u);
	/* routes that cannot be read: nothing can be done */
	build_usual(&u.attrs, ARRAY(65001), 1);
	wr_u8(&u.nlri, 33);
	build_routes(&b->out, &pre, &u);
	flow(b);
	assert_null(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24"));
	assert_non_null(path(b, "10.0.1.2", RIB_PRE, "198.51.100.0/24"));
	assert_int_equal(stats(b)->treat_as_withdraw, 1);
	assert_int_equal(stats(b)->malformed, 1);
	assert_int_equal(stats(b)->withdrawn, 1);
}

static void test_host_bits_are_masked_and_counted(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;

	up(b, "x");
	build_usual(&u.attrs, ARRAY(65001), 1);
	build_prefix(&u.nlri, "192.0.2.77/25");
	build_routes(&b->out, &pre, &u);
	flow(b);
	assert_non_null(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/25"));
	assert_int_equal(stats(b)->host_bits, 1);
}

static void test_a_prefix_in_both_fields_is_announced(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;

	/* RFC 4271 4.3 */
	up(b, "x");
	build_usual(&u.attrs, ARRAY(65001), 1);
	build_prefix(&u.withdrawn, "192.0.2.0/24");
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &pre, &u);
	flow(b);
	assert_non_null(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24"));
}

static void test_both_ipv4_and_ipv6_routes_in_one_update(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;
	struct wr nlri = { 0 };

	up(b, "x");
	build_usual(&u.attrs, ARRAY(65001), 1);
	build_prefix(&nlri, "2001:db8::/32");
	build_mp_reach(&u.attrs, 2, 1, "2001:db8::9", &nlri);
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &pre, &u);
	flow(b);
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->next_hop.family, IP_V4);
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "2001:db8::/32")->next_hop.family, IP_V6);
	wr_fini(&nlri);
}

static void addpath_update(struct bench *b, uint32_t id, const char *prefix, uint32_t as)
{
	struct build_update u = { 0 };

	build_usual(&u.attrs, ARRAY(as), 1);
	build_prefix_id(&u.nlri, id, prefix);
	build_routes(&b->out, &pre, &u);
}

static void test_addpath_where_both_opens_agree(void **state)
{
	struct build_open s = us, r = them;
	struct bench *b = *state;
	struct build_update u = { 0 };

	s.addpath[IP_V4] = 1;
	r.addpath[IP_V4] = 2;
	build_initiation(&b->out, "some router", "pe1");
	build_peer_up(&b->out, &pre, "10.0.1.1", &s, &r);
	addpath_update(b, 1, "192.0.2.0/24", 65001);
	addpath_update(b, 2, "192.0.2.0/24", 65002);
	flow(b);
	assert_int_equal(count(b, "10.0.1.2", RIB_PRE, IP_V4), 2);
	build_prefix_id(&u.withdrawn, 1, "192.0.2.0/24");
	build_routes(&b->out, &pre, &u);
	flow(b);
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_as, 65002);
	/* the other direction is not ours: no path ids come from the peer */
	build_peer_down(&b->out, &pre, 1);
	s.addpath[IP_V4] = 2;
	r.addpath[IP_V4] = 1;
	build_peer_up(&b->out, &pre, "10.0.1.1", &s, &r);
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(65001), 1);
	flow(b);
	assert_int_equal(count(b, "10.0.1.2", RIB_PRE, IP_V4), 1);
	assert_int_equal(stats(b)->malformed, 0);
}

static void test_local_pref_counts_after_policy_only(void **state)
{
	struct bench *b = *state;
	const struct build_peer *views[] = { &pre, &post };

	/* RFC 7606 7.5 for what the eBGP peer sent; policy may set it */
	up(b, "x");
	for (int i = 0; i < 2; i++) {
		struct build_update u = { 0 };

		build_usual(&u.attrs, ARRAY(65001), 1);
		build_u32_attr(&u.attrs, 0x40, 5, 300);
		build_prefix(&u.nlri, "192.0.2.0/24");
		build_routes(&b->out, views[i], &u);
	}
	flow(b);
	assert_false(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->has_local_pref);
	assert_int_equal(path(b, "10.0.1.2", RIB_POST, "192.0.2.0/24")->local_pref, 300);
	assert_int_equal(stats(b)->attr_discard, 1);
}

static void test_ibgp_path_of_our_own(void **state)
{
	const struct build_peer core = { .addr = "10.0.0.9", .as = 64500 };
	struct build_update u = { 0 };
	struct bench *b = *state;

	build_peer_up(&b->out, &core, "10.0.0.1", &us, &ibgp);
	build_usual(&u.attrs, NULL, 0);
	build_u32_attr(&u.attrs, 0x40, 5, 100);
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &core, &u);
	flow(b);
	assert_true(b->info.is_ibgp);
	assert_int_equal(path(b, "10.0.0.9", RIB_PRE, "192.0.2.0/24")->origin_kind,
			 RIB_ORIGIN_OWN);
	assert_int_equal(path(b, "10.0.0.9", RIB_PRE, "192.0.2.0/24")->local_pref, 100);
}

static void test_a_flag_means_2_octet_paths(void **state)
{
	const struct build_peer old = { .flags = BMP_FLAG_AS2, .addr = "10.0.1.2", .as = 65001 };
	struct build_update u = { 0 };
	struct bench *b = *state;

	up(b, "some router");
	build_origin(&u.attrs, 0);
	build_attr(&u.attrs, 0x40, 2, "\2\2\xfd\xe9\x5b\xa0", 6);
	build_attr(&u.attrs, 0xc0, 17, "\2\1\0\1\0\5", 6);
	build_next_hop(&u.attrs, "192.0.2.1");
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &old, &u);
	flow(b);
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_as, 65541);
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->neighbor_as, 65001);
}

static void test_loops_are_no_paths(void **state)
{
	struct bench *b = *state;

	up(b, "some router");
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(65001), 1);
	flow(b);
	build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(65001, 64500, 65002), 3);
	build_announce(&b->out, &pre, "198.51.100.0/24", ARRAY(65001, 64500), 2);
	flow(b);
	/* what the loop replaced is gone too */
	assert_int_equal(count(b, "10.0.1.2", RIB_PRE, IP_V4), 0);
	assert_int_equal(stats(b)->looped, 2);
	assert_int_equal(stats(b)->withdrawn, 0);
}

/* ---- FRR's exporter, as built and as recorded */

static void test_frr_strips_by_version(void **state)
{
	static const struct {
		const char *sysdescr;
		bool strips;
	} cases[] = {
		{ "FRRouting 8.4.4", true },	   { "FRRouting 10.6.1", true },
		{ "FRRouting 10.7.0", false },	   { "FRRouting 10.10", false },
		{ "FRRouting 11.0-dev", false },   { "FRRouting 8.0.1 (frr-8.0-vsr)", true },
		{ "FRRouting (unknown)", true },   { "Cisco IOS XR 7.4", false },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		up(b, cases[i].sysdescr);
		build_announce(&b->out, &pre, "192.0.2.0/24", ARRAY(64500, 65001), 2);
		flow(b);
		if (cases[i].strips)
			assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->neighbor_as,
					 65001);
		else
			assert_null(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24"));
		/* a peer whose AS does not lead keeps its path whole */
		build_announce(&b->out, &pre, "198.51.100.0/24", ARRAY(65001, 65002), 2);
		flow(b);
		assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "198.51.100.0/24")->as_path_hops,
				 2);
		build_peer_down(&b->out, &pre, 1);
		flow(b);
		reconnect(b);
	}
}

static void test_frr_strips_nothing_on_ibgp(void **state)
{
	const struct build_peer core = { .addr = "10.0.0.9", .as = 64500 };
	struct bench *b = *state;

	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_peer_up(&b->out, &core, "10.0.0.1", &us, &ibgp);
	build_announce(&b->out, &core, "192.0.2.0/24", ARRAY(65009, 65010), 2);
	build_announce(&b->out, &core, "198.51.100.0/24", ARRAY(64500, 65010), 2);
	flow(b);
	assert_int_equal(path(b, "10.0.0.9", RIB_PRE, "192.0.2.0/24")->neighbor_as, 65009);
	assert_null(path(b, "10.0.0.9", RIB_PRE, "198.51.100.0/24"));
	assert_int_equal(stats(b)->looped, 1);
}

static void test_frr_2_octet_session_without_a_flag(void **state)
{
	struct build_open old = them;
	struct build_update u = { 0 };
	struct bench *b = *state;

	old.no_as4 = true;
	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_peer_up(&b->out, &pre, "10.0.1.1", &us, &old);
	build_origin(&u.attrs, 0);
	build_attr(&u.attrs, 0x40, 2, "\2\2\xfb\xf4\xfd\xe9", 6); /* 64500 65001 */
	build_next_hop(&u.attrs, "192.0.2.1");
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &pre, &u);
	flow(b);
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_as, 65001);
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->as_path_hops, 1);
}

static void test_frr_ipv4_route_without_next_hop(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;

	/* RFC 8950 session: the next hop is IPv6 and FRR's BMP has no room for it */
	up(b, "FRRouting 8.4.4");
	build_origin(&u.attrs, 0);
	build_as_path(&u.attrs, ARRAY(64500, 65001), 2);
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &pre, &u);
	flow(b);
	assert_int_equal(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_as, 65001);
	assert_int_equal(stats(b)->treat_as_withdraw, 0);
}

static void test_frr_addpath_session_without_path_ids(void **state)
{
	struct build_open s = us, r = them;
	struct bench *b = *state;

	s.addpath[IP_V4] = 1;
	r.addpath[IP_V4] = 3;
	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_peer_up(&b->out, &pre, "10.0.1.1", &s, &r);
	build_announce(&b->out, &pre, "192.0.2.0/25", ARRAY(64500, 65001), 2);
	build_announce(&b->out, &pre, "10.0.0.0/8", ARRAY(64500, 65001), 2);
	flow(b);
	assert_non_null(path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/25"));
	assert_non_null(path(b, "10.0.1.2", RIB_PRE, "10.0.0.0/8"));
	assert_int_equal(count(b, "10.0.1.2", RIB_PRE, IP_V4), 2);
	assert_int_equal(stats(b)->malformed, 0);
}

static void test_frr_pre_policy_of_withdrawals_only(void **state)
{
	struct bench *b = *state;

	/* without soft-reconfiguration inbound nothing else is ever sent */
	up(b, "FRRouting 8.4.4");
	build_withdraw(&b->out, &pre, "192.0.2.0/24");
	build_withdraw(&b->out, &pre, "2001:db8::/32");
	build_announce(&b->out, &post, "192.0.2.0/24", ARRAY(64500, 65001), 2);
	flow(b);
	assert_int_equal(count(b, "10.0.1.2", RIB_PRE, IP_V4), 0);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 1);
	assert_int_equal(stats(b)->withdrawn_unknown, 2);
}

/* A recorded stream, see tests/data/bmp/README. */
struct recording {
	uint8_t *data;
	size_t len, at;
};

static void open_recording(struct recording *r, const char *name)
{
	const char *src = getenv("OPENSAV_SRC");
	char file[1024];
	FILE *f;

	snprintf(file, sizeof(file), "%s/tests/data/bmp/%s", src ? src : ".", name);
	f = fopen(file, "rb");
	if (f == NULL) {
		print_message("# %s: not there (set OPENSAV_SRC)\n", file);
		fail();
	}
	r->data = malloc(1 << 20);
	assert_non_null(r->data);
	r->len = fread(r->data, 1, 1 << 20, f);
	r->at = 0;
	fclose(f);
	assert_in_range(r->len, 1000, (1 << 20) - 1);
}

static void close_recording(struct recording *r)
{
	free(r->data);
}

/* Plays up to and with the n-th event of a type; all that is left with n 0. */
static void play(struct bench *b, struct recording *r, enum bmp_event_type type, int n)
{
	struct diag diag;

	while (r->at < r->len && (n == 0 || b->events[type] < n)) {
		size_t len = (size_t)r->data[r->at + 3] << 8 | r->data[r->at + 4];

		assert_int_equal(bmp_feed_bytes(b->feed, r->data + r->at, len, &diag), 0);
		r->at += len;
	}
	assert_int_equal(bmp_feed_pending(b->feed), 0);
	assert_true(n == 0 || b->events[type] == n);
}

static void has_no_local_as(const struct ip_prefix *prefix, uint32_t path_id,
			    const struct rib_attr *attr, void *arg)
{
	assert_false(bgp_path_contains(attr, 64500));
	assert_int_equal(attr->origin_as, attr->neighbor_as);
	assert_int_equal(attr->as_path_hops, 1);
	++*(int *)arg;
}

static void test_frr_recorded_local_as_is_stripped(void **state)
{
	struct bench *b = *state;
	struct recording r;
	int n = 0;

	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_END_OF_RIB, 8);
	for (struct rib_peer *p = rib_peer_first(b->rib); p; p = rib_peer_next(p)) {
		for (int view = 0; view < RIB_VIEWS; view++) {
			rib_walk(p, (enum rib_view)view, IP_V4, has_no_local_as, &n);
			rib_walk(p, (enum rib_view)view, IP_V6, has_no_local_as, &n);
		}
	}
	assert_int_equal(n, 15);
	assert_int_equal(path(b, "10.0.1.2", RIB_POST, "203.0.113.0/24")->origin_as, 65001);
	assert_int_equal(path(b, "10.0.2.2", RIB_POST, "203.0.113.0/24")->origin_as, 65002);
	assert_int_equal(path(b, "2001:db8:2::2", RIB_POST, "2001:db8:f::/48")->origin_as,
			 65002);
	close_recording(&r);
}

static void test_frr_recorded_loops_are_ignored(void **state)
{
	struct bench *b = *state;
	struct recording r;

	/* each customer reflects the other's prefix: 65001 64500 65002 */
	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_END_OF_RIB, 8);
	assert_int_equal(stats(b)->looped, 3);
	assert_null(path(b, "10.0.1.2", RIB_PRE, "198.51.101.0/24"));
	assert_null(path(b, "10.0.2.2", RIB_PRE, "198.51.100.0/24"));
	assert_null(path(b, "2001:db8:1::2", RIB_PRE, "2001:db8:a2::/48"));
	close_recording(&r);
}

static void test_frr_recorded_post_ipv6_is_lost_until_a_re_dump(void **state)
{
	struct bench *b = *state;
	struct recording r;

	open_recording(&r, "frr-8.4.4-cold.bin");
	play(b, &r, BMP_EVENT_PEER_UP, 0);
	close_recording(&r);
	/* only ever withdrawn, although bgpd has them valid and best */
	assert_int_equal(count(b, "2001:db8:1::2", RIB_POST, IP_V6), 0);
	assert_int_equal(count(b, "2001:db8:1::2", RIB_PRE, IP_V6), 2);
	assert_int_equal(rib_peer_view(peer_at(b, "2001:db8:1::2"), IP_V6), RIB_POST);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	assert_true(stats(b)->withdrawn_unknown > 0);
	assert_int_equal(b->events[BMP_EVENT_END_OF_RIB], 0);

	reconnect(b);
	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_END_OF_RIB, 8);
	close_recording(&r);
	assert_int_equal(count(b, "2001:db8:1::2", RIB_POST, IP_V6), 2);
	assert_int_equal(count(b, "2001:db8:2::2", RIB_POST, IP_V6), 2);
}

static void test_frr_recorded_denied_prefix_comes_and_goes(void **state)
{
	struct bench *b = *state;
	struct recording r;

	/* policy-denied 198.51.100.128/25: announced in the dump's pre-policy
	 * view, withdrawn in live updates, never in post-policy */
	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_END_OF_RIB, 8);
	assert_non_null(path(b, "10.0.1.2", RIB_PRE, "198.51.100.128/25"));
	assert_null(path(b, "10.0.1.2", RIB_POST, "198.51.100.128/25"));
	play(b, &r, BMP_EVENT_PEER_UP, 0);
	assert_null(path(b, "10.0.1.2", RIB_PRE, "198.51.100.128/25"));
	assert_null(path(b, "10.0.1.2", RIB_POST, "198.51.100.128/25"));
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	close_recording(&r);
}

static void test_frr_recorded_peer_down_without_withdrawals(void **state)
{
	struct bench *b = *state;
	struct recording r;

	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_PEER_DOWN, 1);
	assert_int_equal(b->last.reason, BMP_DOWN_REMOTE_NOTIFICATION);
	assert_ptr_equal(b->last.peer, peer_at(b, "10.0.2.2"));
	assert_int_equal(count(b, "10.0.2.2", RIB_PRE, IP_V4), 0);
	assert_int_equal(count(b, "10.0.2.2", RIB_POST, IP_V4), 0);
	assert_int_equal(count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	/* ten Peer Downs, two sessions that went */
	play(b, &r, BMP_EVENT_PEER_UP, 0);
	assert_int_equal(stats(b)->by_type[BMP_PEER_DOWN], 10);
	assert_int_equal(b->events[BMP_EVENT_PEER_DOWN], 2);
	assert_int_equal(b->events[BMP_EVENT_PEER_UP], 6);
	close_recording(&r);
}

static void test_frr_recorded_end_of_rib_per_view_and_family(void **state)
{
	struct bench *b = *state;
	struct recording r;

	/* two of the four sessions carry each family; both views */
	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_END_OF_RIB, 4);
	assert_int_equal(b->last.family, IP_V4);
	assert_int_equal(count(b, "2001:db8:1::2", RIB_POST, IP_V6), 0);
	play(b, &r, BMP_EVENT_END_OF_RIB, 8);
	assert_int_equal(b->last.family, IP_V6);
	assert_int_equal(count(b, "2001:db8:1::2", RIB_POST, IP_V6), 2);
	/* none is sent for the sessions that came back later */
	play(b, &r, BMP_EVENT_PEER_UP, 0);
	assert_int_equal(b->events[BMP_EVENT_END_OF_RIB], 8);
	close_recording(&r);
}

/* However TCP cuts the stream, the same rib and counts come out. */
static void test_frr_recorded_in_any_chunks(void **state)
{
	static const size_t chunk[] = { 1, 5, 6, 7, 47, 1000, 1 << 20 };
	struct bmp_feed_stats first = { 0 };
	struct recording r;

	(void)state;
	open_recording(&r, "frr-8.4.4-table.bin");
	for (size_t i = 0; i < sizeof(chunk) / sizeof(chunk[0]); i++) {
		struct rib *rib = rib_new();
		struct bmp_feed *feed = bmp_feed_new(rib, 0, NULL, NULL);
		struct rib_stats total;
		struct diag diag;

		for (size_t at = 0; at < r.len; at += chunk[i]) {
			size_t n = r.len - at < chunk[i] ? r.len - at : chunk[i];
			/* its own block, so that reading beyond it shows */
			uint8_t *copy = mem_dup(r.data + at, n);

			assert_int_equal(bmp_feed_bytes(feed, copy, n, &diag), 0);
			free(copy);
		}
		assert_int_equal(bmp_feed_pending(feed), 0);
		rib_stats(rib, &total);
		assert_int_equal(total.paths, 11);
		if (i == 0)
			first = *bmp_feed_stats(feed);
		assert_memory_equal(&first, bmp_feed_stats(feed), sizeof(first));
		bmp_feed_free(feed);
		rib_free(rib);
	}
	assert_int_equal(first.messages, 145);
	assert_int_equal(first.malformed, 0);
	close_recording(&r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_initiation_and_termination),
		T(test_unknown_types_are_counted),
		T(test_stream_out_of_step_is_an_error),
		T(test_longest_message_passes_in_pieces),
		T(test_end_of_input_inside_a_message),
		T(test_peer_up_tells_what_the_opens_say),
		T(test_damaged_peer_up_is_skipped),
		T(test_routes_without_peer_up_are_taken),
		T(test_peer_down_removes_both_views_and_families),
		T(test_repeated_peer_down_is_harmless),
		T(test_two_peers_do_not_mix),
		T(test_vrf_peers_are_refused_once_each),
		T(test_vrf_peers_are_kept_apart_where_allowed),
		T(test_loc_rib_and_adj_rib_out_are_ignored),
		T(test_a_stream_cannot_invent_peers_without_end),
		T(test_new_stream_keeps_paths_until_end_of_rib),
		T(test_peer_up_of_a_peer_that_is_up_marks_stale),
		T(test_end_of_rib_without_a_dump_removes_nothing),
		T(test_any_post_policy_message_makes_post_the_view),
		T(test_withdrawal_of_an_unknown_path_is_counted),
		T(test_damage_withdraws_or_skips),
		T(test_host_bits_are_masked_and_counted),
		T(test_a_prefix_in_both_fields_is_announced),
		T(test_both_ipv4_and_ipv6_routes_in_one_update),
		T(test_addpath_where_both_opens_agree),
		T(test_local_pref_counts_after_policy_only),
		T(test_ibgp_path_of_our_own),
		T(test_a_flag_means_2_octet_paths),
		T(test_loops_are_no_paths),
		T(test_frr_strips_by_version),
		T(test_frr_strips_nothing_on_ibgp),
		T(test_frr_2_octet_session_without_a_flag),
		T(test_frr_ipv4_route_without_next_hop),
		T(test_frr_addpath_session_without_path_ids),
		T(test_frr_pre_policy_of_withdrawals_only),
		T(test_frr_recorded_local_as_is_stripped),
		T(test_frr_recorded_loops_are_ignored),
		T(test_frr_recorded_post_ipv6_is_lost_until_a_re_dump),
		T(test_frr_recorded_denied_prefix_comes_and_goes),
		T(test_frr_recorded_peer_down_without_withdrawals),
		T(test_frr_recorded_end_of_rib_per_view_and_family),
		cmocka_unit_test(test_frr_recorded_in_any_chunks),
	};

	return cmocka_run_group_tests_name("bmp_feed", tests, NULL, NULL);
}
