/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mem.h"
#include "tests/unit/feed/feed_bench.h"

/* ---- FRR's exporter, as built and as recorded */

static void test_frr_strips_by_version(void **state)
{
	static const struct {
		const char *sysdescr;
		bool strips;
	} cases[] = {
		{ "FRRouting 8.4.4", true },
		{ "FRRouting 10.6.1", true },
		{ "FRRouting 10.7.0", false },
		{ "FRRouting 10.10", false },
		{ "FRRouting 11.0-dev", false },
		{ "FRRouting 8.0.1 (frr-8.0-vsr)", true },
		{ "FRRouting (unknown)", true },
		{ "Cisco IOS XR 7.4", false },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_up(b, cases[i].sysdescr);
		build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(64500, 65001),
			       2);
		bench_flow(b);
		if (cases[i].strips)
			assert_int_equal(
				bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")
					->neighbor_as,
				65001);
		else
			assert_null(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24"));
		/* a peer whose AS does not lead keeps its path whole */
		build_announce(&b->out, &bench_pre, "198.51.100.0/24",
			       ARRAY(65001, 65002), 2);
		bench_flow(b);
		assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "198.51.100.0/24")
					 ->as_path_hops,
				 2);
		build_peer_down(&b->out, &bench_pre, 1);
		bench_flow(b);
		bench_reconnect(b);
	}
}

static void test_frr_strips_nothing_on_ibgp(void **state)
{
	const struct build_peer core = { .addr = "10.0.0.9", .as = 64500 };
	struct bench *b = *state;

	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_peer_up(&b->out, &core, "10.0.0.1", &bench_us, &bench_ibgp);
	build_announce(&b->out, &core, "192.0.2.0/24", ARRAY(65009, 65010), 2);
	build_announce(&b->out, &core, "198.51.100.0/24", ARRAY(64500, 65010), 2);
	bench_flow(b);
	assert_int_equal(bench_path(b, "10.0.0.9", RIB_PRE, "192.0.2.0/24")->neighbor_as,
			 65009);
	assert_null(bench_path(b, "10.0.0.9", RIB_PRE, "198.51.100.0/24"));
	assert_int_equal(bench_stats(b)->looped, 1);
}

/* "neighbor X local-as 64499" on a router in AS 64500: FRR puts 64499 before what
 * it receives, and 64500 and 64499 before what it shows of that. */
static void test_frr_local_as_is_no_loop(void **state)
{
	static const struct {
		uint32_t path[6];
		size_t n;
		int hops; /* 0: looped */
	} cases[] = {
		{ { 64499, 64500, 64499, 65001, 65002 }, 5, 2 },
		{ { 64499, 64500, 65001, 65002 }, 4, 2 }, /* no-prepend */
		{ { 64499, 64499, 65001 }, 3, 1 },	  /* replace-as */
		{ { 64499, 65001 }, 2, 1 },		  /* both */
		{ { 64499, 64500, 64499, 65001, 64500 }, 5, 0 },
		{ { 64499, 64500, 64499, 65001, 64499 }, 5, 0 },
		{ { 64499, 65001, 64499, 65002 }, 4, 0 },
	};
	struct build_open us = bench_us;
	struct bench *b = *state;

	us.as = 64499;
	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &us, &bench_them);
	bench_flow(b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct rib_attr *attr;

		build_announce(&b->out, &bench_pre, "192.0.2.0/24", cases[i].path,
			       cases[i].n);
		bench_flow(b);
		attr = bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24");
		assert_int_equal(attr ? attr->as_path_hops : 0, cases[i].hops);
		if (attr)
			assert_int_equal(attr->neighbor_as, 65001);
	}
	assert_int_equal(bench_stats(b)->looped, 3);
}

/* A router that shows paths as it holds them: its own AS is known by an internal
 * session, and is a loop on a session with a local AS too. */
static void test_local_as_of_a_router_that_prepends_nothing(void **state)
{
	const struct build_peer core = { .addr = "10.0.0.9", .as = 64500 };
	struct build_open us = bench_us;
	struct bench *b = *state;

	us.as = 64499;
	build_initiation(&b->out, "FRRouting 10.7.0", "pe1");
	build_peer_up(&b->out, &core, "10.0.0.1", &bench_us, &bench_ibgp);
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &us, &bench_them);
	build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(64499, 65001), 2);
	build_announce(&b->out, &bench_pre, "198.51.100.0/24", ARRAY(64499, 65001, 64500),
		       3);
	bench_flow(b);
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->as_path_hops,
			 1);
	assert_null(bench_path(b, "10.0.1.2", RIB_PRE, "198.51.100.0/24"));
	assert_int_equal(bench_stats(b)->looped, 1);
}

/* Whoever sends an empty AS_PATH over eBGP gets no share in our own prefixes. */
static void test_empty_external_path_has_no_origin(void **state)
{
	static const char *const exporters[] = { "FRRouting 8.4.4", "FRRouting 10.7.0" };
	const struct build_peer core = { .addr = "10.0.0.9", .as = 64500 };
	struct bench *b = *state;

	for (size_t i = 0; i < 2; i++) {
		build_initiation(&b->out, exporters[i], "pe1");
		build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
		build_peer_up(&b->out, &core, "10.0.0.1", &bench_us, &bench_ibgp);
		build_announce(&b->out, &bench_pre, "192.0.2.0/24", ARRAY(64500), i == 0);
		build_announce(&b->out, &core, "192.0.2.0/24", NULL, 0);
		bench_flow(b);
		assert_int_equal(
			bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_kind,
			RIB_ORIGIN_NONE);
		assert_int_equal(
			bench_path(b, "10.0.0.9", RIB_PRE, "192.0.2.0/24")->origin_kind,
			RIB_ORIGIN_OWN);
		assert_int_equal(bench_stats(b)->empty_path, 1);
		assert_int_equal(bench_stats(b)->looped, 0);
		bench_reconnect(b);
	}
}

static void test_frr_2_octet_session_without_a_flag(void **state)
{
	struct build_open old = bench_them;
	struct build_update u = { 0 };
	struct bench *b = *state;

	old.no_as4 = true;
	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &old);
	build_origin(&u.attrs, 0);
	build_attr(&u.attrs, 0x40, 2, "\2\2\xfb\xf4\xfd\xe9", 6); /* 64500 65001 */
	build_next_hop(&u.attrs, "192.0.2.1");
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &bench_pre, &u);
	bench_flow(b);
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_as,
			 65001);
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->as_path_hops,
			 1);
}

static void test_frr_ipv4_route_without_next_hop(void **state)
{
	struct build_update u = { 0 };
	struct bench *b = *state;

	/* RFC 8950 session: the next hop is IPv6 and FRR's BMP has no room for it */
	bench_up(b, "FRRouting 8.4.4");
	build_origin(&u.attrs, 0);
	build_as_path(&u.attrs, ARRAY(64500, 65001), 2);
	build_prefix(&u.nlri, "192.0.2.0/24");
	build_routes(&b->out, &bench_pre, &u);
	bench_flow(b);
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/24")->origin_as,
			 65001);
	assert_int_equal(bench_stats(b)->treat_as_withdraw, 0);
}

static void test_frr_addpath_session_without_path_ids(void **state)
{
	struct build_open s = bench_us, r = bench_them;
	struct bench *b = *state;

	s.addpath[IP_V4] = 1;
	r.addpath[IP_V4] = 3;
	build_initiation(&b->out, "FRRouting 8.4.4", "pe1");
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &s, &r);
	build_announce(&b->out, &bench_pre, "192.0.2.0/25", ARRAY(64500, 65001), 2);
	build_announce(&b->out, &bench_pre, "10.0.0.0/8", ARRAY(64500, 65001), 2);
	bench_flow(b);
	assert_non_null(bench_path(b, "10.0.1.2", RIB_PRE, "192.0.2.0/25"));
	assert_non_null(bench_path(b, "10.0.1.2", RIB_PRE, "10.0.0.0/8"));
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_PRE, IP_V4), 2);
	assert_int_equal(bench_stats(b)->malformed, 0);
}

static void test_frr_pre_policy_of_withdrawals_only(void **state)
{
	struct bench *b = *state;

	/* without soft-reconfiguration inbound nothing else is ever sent */
	bench_up(b, "FRRouting 8.4.4");
	build_withdraw(&b->out, &bench_pre, "192.0.2.0/24");
	build_withdraw(&b->out, &bench_pre, "2001:db8::/32");
	build_announce(&b->out, &bench_post, "192.0.2.0/24", ARRAY(64500, 65001), 2);
	bench_flow(b);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_PRE, IP_V4), 0);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 1);
	assert_int_equal(bench_stats(b)->withdrawn_unknown, 2);
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
	assert_int_equal(bench_path(b, "10.0.1.2", RIB_POST, "203.0.113.0/24")->origin_as,
			 65001);
	assert_int_equal(bench_path(b, "10.0.2.2", RIB_POST, "203.0.113.0/24")->origin_as,
			 65002);
	assert_int_equal(
		bench_path(b, "2001:db8:2::2", RIB_POST, "2001:db8:f::/48")->origin_as,
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
	assert_int_equal(bench_stats(b)->looped, 3);
	assert_null(bench_path(b, "10.0.1.2", RIB_PRE, "198.51.101.0/24"));
	assert_null(bench_path(b, "10.0.2.2", RIB_PRE, "198.51.100.0/24"));
	assert_null(bench_path(b, "2001:db8:1::2", RIB_PRE, "2001:db8:a2::/48"));
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
	assert_int_equal(bench_count(b, "2001:db8:1::2", RIB_POST, IP_V6), 0);
	assert_int_equal(bench_count(b, "2001:db8:1::2", RIB_PRE, IP_V6), 2);
	assert_int_equal(rib_peer_view(bench_peer(b, "2001:db8:1::2"), IP_V6), RIB_POST);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	assert_true(bench_stats(b)->withdrawn_unknown > 0);
	assert_int_equal(b->events[BMP_EVENT_END_OF_RIB], 0);

	bench_reconnect(b);
	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_END_OF_RIB, 8);
	close_recording(&r);
	assert_int_equal(bench_count(b, "2001:db8:1::2", RIB_POST, IP_V6), 2);
	assert_int_equal(bench_count(b, "2001:db8:2::2", RIB_POST, IP_V6), 2);
}

static void test_frr_recorded_denied_prefix_comes_and_goes(void **state)
{
	struct bench *b = *state;
	struct recording r;

	/* policy-denied 198.51.100.128/25: announced in the dump's pre-policy
	 * view, withdrawn in live updates, never in post-policy */
	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_END_OF_RIB, 8);
	assert_non_null(bench_path(b, "10.0.1.2", RIB_PRE, "198.51.100.128/25"));
	assert_null(bench_path(b, "10.0.1.2", RIB_POST, "198.51.100.128/25"));
	play(b, &r, BMP_EVENT_PEER_UP, 0);
	assert_null(bench_path(b, "10.0.1.2", RIB_PRE, "198.51.100.128/25"));
	assert_null(bench_path(b, "10.0.1.2", RIB_POST, "198.51.100.128/25"));
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	close_recording(&r);
}

static void test_frr_recorded_peer_down_without_withdrawals(void **state)
{
	struct bench *b = *state;
	struct recording r;

	open_recording(&r, "frr-8.4.4-table.bin");
	play(b, &r, BMP_EVENT_PEER_DOWN, 1);
	assert_int_equal(b->last.reason, BMP_DOWN_REMOTE_NOTIFICATION);
	assert_ptr_equal(b->last.peer, bench_peer(b, "10.0.2.2"));
	assert_int_equal(bench_count(b, "10.0.2.2", RIB_PRE, IP_V4), 0);
	assert_int_equal(bench_count(b, "10.0.2.2", RIB_POST, IP_V4), 0);
	assert_int_equal(bench_count(b, "10.0.1.2", RIB_POST, IP_V4), 2);
	/* ten Peer Downs, two sessions that went */
	play(b, &r, BMP_EVENT_PEER_UP, 0);
	assert_int_equal(bench_stats(b)->by_type[BMP_PEER_DOWN], 10);
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
	assert_int_equal(bench_count(b, "2001:db8:1::2", RIB_POST, IP_V6), 0);
	play(b, &r, BMP_EVENT_END_OF_RIB, 8);
	assert_int_equal(b->last.family, IP_V6);
	assert_int_equal(bench_count(b, "2001:db8:1::2", RIB_POST, IP_V6), 2);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(test_frr_strips_by_version),
		BENCH_TEST(test_frr_strips_nothing_on_ibgp),
		BENCH_TEST(test_frr_local_as_is_no_loop),
		BENCH_TEST(test_local_as_of_a_router_that_prepends_nothing),
		BENCH_TEST(test_empty_external_path_has_no_origin),
		BENCH_TEST(test_frr_2_octet_session_without_a_flag),
		BENCH_TEST(test_frr_ipv4_route_without_next_hop),
		BENCH_TEST(test_frr_addpath_session_without_path_ids),
		BENCH_TEST(test_frr_pre_policy_of_withdrawals_only),
		BENCH_TEST(test_frr_recorded_local_as_is_stripped),
		BENCH_TEST(test_frr_recorded_loops_are_ignored),
		BENCH_TEST(test_frr_recorded_post_ipv6_is_lost_until_a_re_dump),
		BENCH_TEST(test_frr_recorded_denied_prefix_comes_and_goes),
		BENCH_TEST(test_frr_recorded_peer_down_without_withdrawals),
		BENCH_TEST(test_frr_recorded_end_of_rib_per_view_and_family),
		cmocka_unit_test(test_frr_recorded_in_any_chunks),
	};

	return cmocka_run_group_tests_name("bmp_feed_frr", tests, NULL, NULL);
}
