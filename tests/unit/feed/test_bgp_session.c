/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/bgp_session.h"
#include "controller/feed/bgp_table.h"
#include "lib/mem.h"
#include "tests/unit/feed/feed_bench.h"

#define OUR_AS 64500u
#define OUR_ID 0xc000020au

/* A session, the table behind it, and the router's next bytes. */
struct box {
	struct rib *rib;
	struct bgp_table *table;
	struct bgp_session *s;
	struct wr in;
	int64_t now_ms;
	struct diag diag;
	int ret;
	int up, eor[IP_FAMILIES];
};

static void on_established(void *arg, const struct bgp_open *open)
{
	struct box *b = arg;

	(void)open;
	b->up++;
	bgp_table_stale_mark(b->table);
}

static void on_announce(void *arg, const struct ip_prefix *prefix, uint32_t path_id,
			const struct rib_attr *attr)
{
	struct box *b = arg;

	bgp_table_announce(b->table, prefix, path_id, attr);
}

static void on_withdraw(void *arg, const struct ip_prefix *prefix, uint32_t path_id)
{
	struct box *b = arg;

	bgp_table_withdraw(b->table, prefix, path_id);
}

static void on_end_of_rib(void *arg, enum ip_family family)
{
	struct box *b = arg;

	b->eor[family]++;
	bgp_table_stale_kill(b->table, family);
	while (bgp_table_sweep(b->table, &(size_t){ 1 }))
		;
}

static const struct bgp_session_ops ops = {
	.established = on_established,
	.announce = on_announce,
	.withdraw = on_withdraw,
	.end_of_rib = on_end_of_rib,
};

static void begin(struct box *b)
{
	struct bgp_session_config config = { .as = OUR_AS, .id = OUR_ID };

	bgp_session_free(b->s);
	b->s = bgp_session_new(&config, &ops, b, b->now_ms);
}

static int setup(void **state)
{
	struct box *b = mem_alloc(sizeof(*b));

	b->rib = rib_new();
	b->table = bgp_table_new(b->rib, 7);
	b->now_ms = 1000;
	begin(b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;

	bgp_session_free(b->s);
	bgp_table_free(b->table);
	rib_free(b->rib);
	wr_fini(&b->in);
	free(b);
	return 0;
}

/* What is in b->in arrives, in one piece or byte by byte. */
static void flow(struct box *b)
{
	b->ret = bgp_session_bytes(b->s, b->in.data, b->in.len, b->now_ms, &b->diag);
	wr_fini(&b->in);
}

static void trickle(struct box *b)
{
	for (size_t i = 0; i < b->in.len; i++)
		b->ret = bgp_session_bytes(b->s, b->in.data + i, 1, b->now_ms, &b->diag);
	wr_fini(&b->in);
}

static void keepalive(struct box *b)
{
	struct wr body = { 0 };

	build_bgp(&b->in, BGP_MSG_KEEPALIVE, &body);
}

static void open_of(struct box *b, uint8_t addpath)
{
	struct build_open open = { .as = OUR_AS,
				   .id = 0xc0000201,
				   .role = -1,
				   .addpath = { addpath, addpath } };

	build_open(&b->in, &open);
}

static void establish(struct box *b, uint8_t addpath)
{
	open_of(b, addpath);
	keepalive(b);
	flow(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(bgp_session_state(b->s), BGP_ESTABLISHED);
	wr_fini(bgp_session_output(b->s));
}

/* The session is over, and the last thing sent is this NOTIFICATION. */
static void assert_notified(struct box *b, uint8_t code, uint8_t subcode)
{
	struct wr *out = bgp_session_output(b->s);
	struct rd rd = rd_init(out->data, out->len);
	struct bgp_msg msg = { 0 };

	assert_int_equal(b->ret, -1);
	assert_int_equal(bgp_session_state(b->s), BGP_CLOSED);
	assert_int_equal(bgp_session_next_ms(b->s), -1);
	while (rd_left(&rd) != 0)
		assert_true(bgp_msg_decode(&rd, &msg));
	assert_int_equal(msg.type, BGP_MSG_NOTIFICATION);
	assert_int_equal(rd_u8(&msg.body), code);
	assert_int_equal(rd_u8(&msg.body), subcode);
}

static void update(struct box *b, struct build_update *u)
{
	struct wr body = { 0 };

	build_update_body(&body, u);
	build_bgp(&b->in, BGP_MSG_UPDATE, &body);
	build_update_fini(u);
	wr_fini(&body);
}

static void announce4(struct box *b, const char *prefix, uint32_t id,
		      const char *next_hop, uint32_t as)
{
	struct build_update u = { 0 };

	build_origin(&u.attrs, 0);
	build_as_path(&u.attrs, &as, 1);
	build_next_hop(&u.attrs, next_hop);
	build_u32_attr(&u.attrs, 0x40, 5, 100 + id);
	if (id)
		build_prefix_id(&u.nlri, id, prefix);
	else
		build_prefix(&u.nlri, prefix);
	update(b, &u);
}

static void withdraw4(struct box *b, const char *prefix, uint32_t id)
{
	struct build_update u = { 0 };

	if (id)
		build_prefix_id(&u.withdrawn, id, prefix);
	else
		build_prefix(&u.withdrawn, prefix);
	update(b, &u);
}

static void announce6(struct box *b, const char *prefix, uint32_t id,
		      const char *next_hop, uint32_t as)
{
	struct build_update u = { 0 };
	struct wr nlri = { 0 };

	build_origin(&u.attrs, 0);
	build_as_path(&u.attrs, &as, 1);
	build_prefix_id(&nlri, id, prefix);
	build_mp_reach(&u.attrs, 2, 1, next_hop, &nlri);
	update(b, &u);
	wr_fini(&nlri);
}

static void end_of_rib(struct box *b, enum ip_family family)
{
	struct build_update u = { 0 };
	struct wr none = { 0 };

	if (family == IP_V6)
		build_mp_unreach(&u.attrs, 2, 1, &none);
	update(b, &u);
}

static struct rib_peer *hop(const struct box *b, const char *addr)
{
	struct rib_peer_key key = { .router = 7, .type = RIB_PEER_NEXT_HOP };

	assert_true(ip_addr_parse(addr, &key.addr));
	return rib_peer_find(b->rib, &key);
}

static size_t count(const struct box *b, const char *addr, enum ip_family family)
{
	struct rib_peer *peer = hop(b, addr);

	return peer ? rib_path_count(peer, RIB_POST, family) : 0;
}

/* ---- opening ---- */

static void test_open_offers_what_is_needed(void **state)
{
	struct box *b = *state;
	struct wr *out = bgp_session_output(b->s);
	struct rd rd = rd_init(out->data, out->len);
	struct bgp_open open;
	struct bgp_msg msg;

	assert_true(bgp_msg_decode(&rd, &msg));
	assert_true(rd_done(&rd));
	assert_int_equal(msg.type, BGP_MSG_OPEN);
	assert_true(bgp_open_decode(msg.body, &open));
	assert_int_equal(open.as, OUR_AS);
	assert_int_equal(open.id, OUR_ID);
	assert_int_equal(open.hold_time, 90);
	assert_true(open.as4 && open.extended_message && open.graceful_restart);
	for (int f = 0; f < IP_FAMILIES; f++) {
		assert_true(open.mp[f] && open.addpath_receive[f]);
		assert_false(open.addpath_send[f]);
	}
}

static void test_handshake(void **state)
{
	struct box *b = *state;

	open_of(b, 2);
	trickle(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(bgp_session_state(b->s), BGP_OPEN_CONFIRM);
	assert_int_equal(b->up, 0);
	keepalive(b);
	trickle(b);
	assert_int_equal(bgp_session_state(b->s), BGP_ESTABLISHED);
	assert_int_equal(b->up, 1);
	assert_true(bgp_session_has_addpath(b->s, IP_V4));
	assert_true(bgp_session_has_addpath(b->s, IP_V6));
}

static void open_body(struct wr *body, uint8_t version, uint16_t as, uint16_t hold,
		      uint32_t id)
{
	wr_u8(body, version);
	wr_be16(body, as);
	wr_be16(body, hold);
	wr_be32(body, id);
	wr_u8(body, 0);
}

static void test_open_errors(void **state)
{
	static const struct {
		uint8_t version;
		uint16_t as, hold;
		uint32_t id;
		uint8_t subcode;
	} cases[] = {
		{ 3, OUR_AS, 90, 1, 1 }, { 4, 64501, 90, 1, 2 },
		{ 4, OUR_AS, 90, 0, 3 }, { 4, OUR_AS, 90, OUR_ID, 3 },
		{ 4, OUR_AS, 1, 1, 6 },	 { 4, OUR_AS, 2, 1, 6 },
	};
	struct box *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wr body = { 0 };

		begin(b);
		open_body(&body, cases[i].version, cases[i].as, cases[i].hold,
			  cases[i].id);
		build_bgp(&b->in, BGP_MSG_OPEN, &body);
		flow(b);
		assert_notified(b, BGP_ERROR_OPEN, cases[i].subcode);
		wr_fini(&body);
	}
	assert_int_equal(b->up, 0);
}

static void test_open_with_bytes_too_many_is_malformed(void **state)
{
	struct box *b = *state;
	struct wr body = { 0 };

	open_body(&body, 4, OUR_AS, 90, 1);
	wr_u8(&body, 7);
	build_bgp(&b->in, BGP_MSG_OPEN, &body);
	flow(b);
	assert_notified(b, BGP_ERROR_OPEN, 0);
	wr_fini(&body);
}

static void test_messages_out_of_place(void **state)
{
	struct box *b = *state;

	keepalive(b);
	flow(b);
	assert_notified(b, BGP_ERROR_FSM, 1);
	begin(b);
	open_of(b, 0);
	end_of_rib(b, IP_V4);
	flow(b);
	assert_notified(b, BGP_ERROR_FSM, 2);
	begin(b);
	establish(b, 0);
	open_of(b, 0);
	flow(b);
	assert_notified(b, BGP_ERROR_FSM, 3);
}

static void test_header_errors(void **state)
{
	static const uint8_t lengths[] = { 18, 20 };
	struct box *b = *state;

	establish(b, 0);
	for (int i = 0; i < 19; i++)
		wr_u8(&b->in, 0xfe);
	flow(b);
	assert_notified(b, BGP_ERROR_HEADER, 1);
	for (size_t i = 0; i < sizeof(lengths); i++) { /* of a KEEPALIVE */
		begin(b);
		keepalive(b);
		b->in.data[17] = lengths[i];
		flow(b);
		assert_notified(b, BGP_ERROR_HEADER, 2);
	}
	begin(b);
	keepalive(b);
	b->in.data[18] = 6;
	flow(b);
	assert_notified(b, BGP_ERROR_HEADER, 3);
}

/* ---- time ---- */

static void test_keepalives_go_out_and_hold_timer_runs_out(void **state)
{
	struct box *b = *state;

	establish(b, 0);
	assert_int_equal(bgp_session_next_ms(b->s), b->now_ms + 30000);
	b->now_ms += 30000;
	assert_int_equal(bgp_session_timer(b->s, b->now_ms, &b->diag), 0);
	assert_int_equal(bgp_session_output(b->s)->len, BGP_HEADER_SIZE);
	keepalive(b);
	flow(b);
	b->now_ms += 89999;
	assert_int_equal(bgp_session_timer(b->s, b->now_ms, &b->diag), 0);
	b->now_ms += 1;
	b->ret = bgp_session_timer(b->s, b->now_ms, &b->diag);
	assert_notified(b, BGP_ERROR_HOLD_TIMER, 0);
}

static void test_a_router_that_never_opens(void **state)
{
	struct box *b = *state;

	assert_int_equal(bgp_session_next_ms(b->s), b->now_ms + 240000);
	b->now_ms += 240000;
	b->ret = bgp_session_timer(b->s, b->now_ms, &b->diag);
	assert_notified(b, BGP_ERROR_HOLD_TIMER, 0);
}

static void test_hold_time_zero_is_no_timer(void **state)
{
	struct box *b = *state;
	struct wr body = { 0 };

	open_body(&body, 4, OUR_AS, 0, 1);
	build_bgp(&b->in, BGP_MSG_OPEN, &body);
	keepalive(b);
	flow(b);
	assert_int_equal(bgp_session_state(b->s), BGP_ESTABLISHED);
	assert_int_equal(bgp_session_next_ms(b->s), -1);
	wr_fini(&body);
}

/* ---- routes ---- */

static void test_every_path_is_under_its_next_hop(void **state)
{
	struct box *b = *state;
	struct ip_prefix p;

	establish(b, 2);
	announce4(b, "203.0.113.0/24", 1, "192.0.2.74", 64502);
	announce4(b, "203.0.113.0/24", 2, "192.0.2.78", 64503);
	announce6(b, "2001:db8:b2::/48", 1, "2001:db8:0:b1::2", 64502);
	announce6(b, "2001:db8:b2::/48", 2, "2001:db8:0:b2::2", 64503);
	trickle(b);
	assert_int_equal(count(b, "192.0.2.74", IP_V4), 1);
	assert_int_equal(count(b, "192.0.2.78", IP_V4), 1);
	assert_int_equal(count(b, "2001:db8:0:b1::2", IP_V6), 1);
	assert_int_equal(count(b, "2001:db8:0:b2::2", IP_V6), 1);
	assert_int_equal(ip_prefix_parse("203.0.113.0/24", &p), IP_PARSE_OK);
	assert_int_equal(rib_lookup(hop(b, "192.0.2.78"), RIB_POST, &p)->origin_as,
			 64503);
	assert_int_equal(rib_lookup(hop(b, "192.0.2.78"), RIB_POST, &p)->local_pref, 102);
	assert_int_equal(rib_peer_view(hop(b, "192.0.2.78"), IP_V4), RIB_POST);
	withdraw4(b, "203.0.113.0/24", 1);
	flow(b);
	assert_int_equal(count(b, "192.0.2.74", IP_V4), 0);
	assert_int_equal(count(b, "192.0.2.78", IP_V4), 1);
}

static void test_a_path_moves_to_its_new_next_hop(void **state)
{
	struct box *b = *state;

	establish(b, 0);
	announce4(b, "203.0.113.0/24", 0, "192.0.2.74", 64502);
	announce4(b, "203.0.113.0/24", 0, "192.0.2.78", 64502);
	flow(b);
	assert_int_equal(count(b, "192.0.2.74", IP_V4), 0);
	assert_int_equal(count(b, "192.0.2.78", IP_V4), 1);
	withdraw4(b, "203.0.113.0/24", 0);
	withdraw4(b, "203.0.113.0/24", 0);
	flow(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(bgp_table_count(b->table, IP_V4), 0);
	assert_int_equal(count(b, "192.0.2.78", IP_V4), 0);
}

static void test_end_of_rib_sweeps_what_a_new_session_left_out(void **state)
{
	struct box *b = *state;

	establish(b, 2);
	announce4(b, "203.0.113.0/24", 1, "192.0.2.74", 64502);
	announce4(b, "198.51.100.0/24", 1, "192.0.2.74", 64502);
	end_of_rib(b, IP_V4);
	end_of_rib(b, IP_V6);
	flow(b);
	assert_int_equal(b->eor[IP_V4], 1);
	assert_int_equal(b->eor[IP_V6], 1);
	begin(b); /* lost: the routes stay */
	assert_int_equal(count(b, "192.0.2.74", IP_V4), 2);
	establish(b, 2);
	announce4(b, "203.0.113.0/24", 9, "192.0.2.74", 64502);
	flow(b);
	assert_int_equal(count(b, "192.0.2.74", IP_V4), 3);
	end_of_rib(b, IP_V4);
	flow(b);
	assert_int_equal(count(b, "192.0.2.74", IP_V4), 1);
	assert_int_equal(bgp_table_count(b->table, IP_V4), 1);
}

static void test_a_looped_path_is_none_and_ends_what_it_replaces(void **state)
{
	struct box *b = *state;

	establish(b, 0);
	announce4(b, "203.0.113.0/24", 0, "192.0.2.74", 64502);
	announce4(b, "203.0.113.0/24", 0, "192.0.2.74", OUR_AS);
	flow(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(bgp_session_stats(b->s)->looped, 1);
	assert_int_equal(bgp_table_count(b->table, IP_V4), 0);
}

/* RFC 7606 7.1: a wrong ORIGIN withdraws; the session goes on. */
static void test_a_malformed_attribute_is_a_withdrawal(void **state)
{
	struct box *b = *state;
	struct build_update u = { 0 };
	uint32_t as = 64502;

	establish(b, 0);
	announce4(b, "203.0.113.0/24", 0, "192.0.2.74", as);
	build_origin(&u.attrs, 9);
	build_as_path(&u.attrs, &as, 1);
	build_next_hop(&u.attrs, "192.0.2.74");
	build_prefix(&u.nlri, "203.0.113.0/24");
	update(b, &u);
	flow(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(bgp_session_stats(b->s)->treat_as_withdraw, 1);
	assert_int_equal(bgp_table_count(b->table, IP_V4), 0);
}

static void test_an_update_whose_prefixes_cannot_be_told_ends_it(void **state)
{
	struct box *b = *state;
	struct wr body = { 0 };

	establish(b, 0);
	announce4(b, "203.0.113.0/24", 0, "192.0.2.74", 64502);
	flow(b);
	wr_be16(&body, 500); /* withdrawn routes beyond the message */
	wr_be16(&body, 0);
	build_bgp(&b->in, BGP_MSG_UPDATE, &body);
	flow(b);
	assert_notified(b, BGP_ERROR_UPDATE, 1);
	assert_int_equal(bgp_table_count(b->table, IP_V4), 1);
	wr_fini(&body);
}

static void test_notification_is_not_answered(void **state)
{
	struct box *b = *state;
	struct wr body = { 0 };

	establish(b, 0);
	wr_u8(&body, 6);
	wr_u8(&body, 2);
	build_bgp(&b->in, BGP_MSG_NOTIFICATION, &body);
	flow(b);
	assert_int_equal(b->ret, -1);
	assert_int_equal(bgp_session_output(b->s)->len, 0);
	assert_non_null(strstr(b->diag.text, "6/2"));
	wr_fini(&body);
}

static void test_cease(void **state)
{
	struct box *b = *state;

	establish(b, 0);
	bgp_session_cease(b->s, BGP_CEASE_SHUTDOWN);
	b->ret = bgp_session_timer(b->s, b->now_ms, &b->diag);
	assert_notified(b, BGP_ERROR_CEASE, BGP_CEASE_SHUTDOWN);
	bgp_session_cease(b->s, BGP_CEASE_SHUTDOWN);
	assert_int_equal(bgp_session_output(b->s)->len, BGP_HEADER_SIZE + 2);
}

static void test_next_hops_are_bounded(void **state)
{
	struct box *b = *state;

	establish(b, 2);
	for (uint32_t i = 0; i < BGP_TABLE_NEXT_HOPS_MAX + 10; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V4, 0x0a000000 + (i << 8), 24);
		struct rib_attr attr = { .next_hop = { 0xc0000000 + i, IP_V4 } };

		bgp_table_announce(b->table, &p, 1, &attr);
	}
	assert_int_equal(count(b, "0.0.0.0", IP_V4), 10);
	assert_int_equal(bgp_table_count(b->table, IP_V4), BGP_TABLE_NEXT_HOPS_MAX + 10);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_open_offers_what_is_needed),
		T(test_handshake),
		T(test_open_errors),
		T(test_open_with_bytes_too_many_is_malformed),
		T(test_messages_out_of_place),
		T(test_header_errors),
		T(test_keepalives_go_out_and_hold_timer_runs_out),
		T(test_a_router_that_never_opens),
		T(test_hold_time_zero_is_no_timer),
		T(test_every_path_is_under_its_next_hop),
		T(test_a_path_moves_to_its_new_next_hop),
		T(test_end_of_rib_sweeps_what_a_new_session_left_out),
		T(test_a_looped_path_is_none_and_ends_what_it_replaces),
		T(test_a_malformed_attribute_is_a_withdrawal),
		T(test_an_update_whose_prefixes_cannot_be_told_ends_it),
		T(test_notification_is_not_answered),
		T(test_cease),
		T(test_next_hops_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
