/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/feed/bgp_bench.h"

/* ---- header and OPEN */

static void test_header(void **state)
{
	uint8_t raw[23];
	struct bgp_msg msg;
	struct rd rd;

	memset(raw, 0xff, 16);
	memcpy(raw + 16, (const uint8_t[]){ 0, 21, 3, 6, 2, 9, 9 }, 7);
	rd = rd_init(raw, sizeof(raw));
	assert_true(bgp_msg_decode(&rd, &msg));
	assert_int_equal(msg.type, BGP_MSG_NOTIFICATION);
	assert_int_equal(rd_left(&msg.body), 2);
	assert_int_equal(rd_left(&rd), 2);
	raw[17] = 18; /* shorter than a header */
	rd = rd_init(raw, sizeof(raw));
	assert_false(bgp_msg_decode(&rd, &msg));
	raw[17] = 24; /* longer than what is there */
	rd = rd_init(raw, sizeof(raw));
	assert_false(bgp_msg_decode(&rd, &msg));
	raw[17] = 21;
	raw[3] = 0; /* marker */
	rd = rd_init(raw, sizeof(raw));
	assert_false(bgp_msg_decode(&rd, &msg));
}

static bool open_of(const struct wr *body, struct bgp_open *open)
{
	return bgp_open_decode(rd_init(body->data, body->len), open);
}

static void test_open_capabilities(void **state)
{
	const struct build_open spec = { .as = 4200000000u,
					 .id = 0x0a000001,
					 .role = BGP_ROLE_CUSTOMER,
					 .addpath = { 3, 1 },
					 .graceful_restart = true };
	struct wr msg = { 0 };
	struct bgp_open open;
	struct bgp_msg m;
	struct rd rd;

	build_open(&msg, &spec);
	rd = rd_init(msg.data, msg.len);
	assert_true(bgp_msg_decode(&rd, &m));
	assert_true(bgp_open_decode(m.body, &open));
	assert_int_equal(open.as, 4200000000u);
	assert_true(open.as4);
	assert_int_equal(open.id, 0x0a000001);
	assert_int_equal(open.hold_time, 180);
	assert_int_equal(open.role, BGP_ROLE_CUSTOMER);
	assert_true(open.graceful_restart);
	assert_true(open.mp[IP_V4] && open.mp[IP_V6]);
	assert_true(open.addpath_receive[IP_V4] && open.addpath_send[IP_V4]);
	assert_true(open.addpath_receive[IP_V6] && !open.addpath_send[IP_V6]);
	/* every truncation is refused and leaves *open alone */
	for (size_t len = 0; len < rd_left(&m.body); len++) {
		struct bgp_open none = { .as = 7 };

		assert_false(bgp_open_decode(rd_init(m.body.p, len), &none));
		assert_int_equal(none.as, 7);
	}
	wr_fini(&msg);
}

static void put_open(struct wr *body, const uint8_t *params, size_t len)
{
	wr_u8(body, 4);
	wr_be16(body, 65001);
	wr_be16(body, 90);
	wr_be32(body, 1);
	wr_bytes(body, params, len);
}

static void test_open_without_capabilities(void **state)
{
	struct wr body = { 0 };
	struct bgp_open open;

	put_open(&body, (const uint8_t[]){ 0 }, 1);
	assert_true(open_of(&body, &open));
	assert_int_equal(open.as, 65001);
	assert_false(open.as4);
	assert_int_equal(open.role, BGP_ROLE_NONE);
	assert_true(open.mp[IP_V4]);
	assert_false(open.mp[IP_V6]);
	wr_u8(&body, 0); /* a trailing byte */
	assert_false(open_of(&body, &open));
	wr_fini(&body);
}

static void test_open_extended_parameters(void **state)
{
	/* RFC 9072: 255, 255, 16-bit length; parameters with 16-bit lengths */
	const uint8_t params[] = { 255, 255, 0, 9, 2, 0, 6, 65, 4, 0, 1, 0, 0 };
	struct wr body = { 0 };
	struct bgp_open open;

	put_open(&body, params, sizeof(params));
	assert_true(open_of(&body, &open));
	assert_int_equal(open.as, 65536);
	wr_fini(&body);
}

static void test_open_of_wrong_version(void **state)
{
	struct wr body = { 0 };
	struct bgp_open open;

	put_open(&body, (const uint8_t[]){ 0 }, 1);
	body.data[0] = 3;
	assert_false(open_of(&body, &open));
	wr_fini(&body);
}

static void test_open_with_unlike_roles_has_none(void **state)
{
	/* RFC 9234 4.2 */
	const uint8_t params[] = { 8, 2, 6, 9, 1, 0, 9, 1, 3 };
	const uint8_t twice[] = { 8, 2, 6, 9, 1, 3, 9, 1, 3 };
	const uint8_t unknown[] = { 5, 2, 3, 9, 1, 77 };
	struct wr body = { 0 };
	struct bgp_open open;

	put_open(&body, params, sizeof(params));
	assert_true(open_of(&body, &open));
	assert_int_equal(open.role, BGP_ROLE_NONE);
	wr_fini(&body);
	put_open(&body, twice, sizeof(twice));
	assert_true(open_of(&body, &open));
	assert_int_equal(open.role, BGP_ROLE_CUSTOMER);
	wr_fini(&body);
	put_open(&body, unknown, sizeof(unknown));
	assert_true(open_of(&body, &open));
	assert_int_equal(open.role, BGP_ROLE_NONE);
	wr_fini(&body);
}

/* ---- UPDATE, well-formed */

static void test_update_of_rfc4271(void **state)
{
	struct build_update b = { 0 };
	struct bgp_update u;

	build_prefix(&b.withdrawn, "203.0.113.0/24");
	build_usual(&b.attrs, ARRAY(65001, 65002), 2);
	build_u32_attr(&b.attrs, 0x80, 4, 50);
	build_u32_attr(&b.attrs, 0x40, 5, 200);
	build_prefix(&b.nlri, "192.0.2.0/24");
	build_prefix(&b.nlri, "10.0.0.0/8");
	build_prefix(&b.nlri, "0.0.0.0/0");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_next(&u.withdrawn[0], "203.0.113.0/24", 0, false);
	assert_end(&u.withdrawn[0]);
	assert_next(&u.announced[0], "192.0.2.0/24", 0, false);
	assert_next(&u.announced[0], "10.0.0.0/8", 0, false);
	assert_next(&u.announced[0], "0.0.0.0/0", 0, false);
	assert_end(&u.announced[0]);
	assert_int_equal(u.attr.origin_kind, RIB_ORIGIN_AS);
	assert_int_equal(u.attr.origin_as, 65002);
	assert_int_equal(u.attr.neighbor_as, 65001);
	assert_int_equal(u.attr.as_path_hops, 2);
	assert_int_equal(u.attr.as_path_len, 10);
	assert_true(u.attr.has_med && u.attr.has_local_pref);
	assert_int_equal(u.attr.med, 50);
	assert_int_equal(u.attr.local_pref, 200);
	assert_int_equal((uint32_t)u.attr.next_hop.v, 0xc0000201);
	assert_false(u.end_of_rib[IP_V4] || u.end_of_rib[IP_V6]);
}

static void test_host_bits_are_masked(void **state)
{
	struct build_update b = { 0 };
	struct bgp_update u;

	build_usual(&b.attrs, ARRAY(65001), 1);
	build_prefix(&b.nlri, "192.0.2.255/25");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_next(&u.announced[0], "192.0.2.128/25", 0, true);
}

static void test_ipv6_in_mp_attributes(void **state)
{
	struct build_update b = { 0 };
	struct wr nlri = { 0 };
	struct bgp_update u;

	build_prefix(&nlri, "2001:db8::/32");
	build_prefix(&nlri, "::/0");
	build_prefix(&nlri, "2001:db8::1/128");
	build_mp_reach(&b.attrs, 2, 1, "2001:db8::9", &nlri);
	build_origin(&b.attrs, 2);
	build_as_path(&b.attrs, ARRAY(65001), 1);
	build_mp_unreach(&b.attrs, 2, 1, &nlri);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_next(&u.announced[1], "2001:db8::/32", 0, false);
	assert_next(&u.announced[1], "::/0", 0, false);
	assert_next(&u.announced[1], "2001:db8::1/128", 0, false);
	assert_end(&u.announced[1]);
	assert_next(&u.withdrawn[1], "2001:db8::/32", 0, false);
	assert_int_equal(u.attr.origin_code, 2);
	assert_int_equal((uint16_t)u.mp_next_hop.v, 9);
	assert_int_equal(u.mp_next_hop.family, IP_V6);
	wr_fini(&nlri);
}

static void test_ipv4_with_ipv6_next_hop(void **state)
{
	struct build_update b = { 0 };
	struct wr nlri = { 0 };
	struct bgp_update u;

	/* RFC 8950 */
	build_prefix(&nlri, "192.0.2.0/24");
	build_mp_reach(&b.attrs, 1, 1, "2001:db8::9", &nlri);
	build_origin(&b.attrs, 0);
	build_as_path(&b.attrs, ARRAY(65001), 1);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_next(&u.announced[1], "192.0.2.0/24", 0, false);
	wr_fini(&nlri);
}

static void test_other_families_are_passed_over(void **state)
{
	const uint8_t evpn[] = { 0, 25, 70, 4, 192, 0, 2, 1, 0, 1, 2, 3 };
	struct build_update b = { 0 };
	struct bgp_update u;

	build_attr(&b.attrs, 0x80, 14, evpn, sizeof(evpn));
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_int_equal(u.other_afi, 1);
	assert_end(&u.announced[1]);
	build_attr(&b.attrs, 0x80, 15, (const uint8_t[]){ 0, 1, 128, 9 }, 4);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_int_equal(u.other_afi, 1);
	assert_false(u.end_of_rib[IP_V4]);
}

static void test_end_of_rib(void **state)
{
	struct build_update b = { 0 };
	struct wr none = { 0 };
	struct bgp_update u;

	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_true(u.end_of_rib[IP_V4] && !u.end_of_rib[IP_V6]);
	build_mp_unreach(&b.attrs, 2, 1, &none);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_true(!u.end_of_rib[IP_V4] && u.end_of_rib[IP_V6]);
	build_mp_unreach(&b.attrs, 1, 1, &none);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_true(u.end_of_rib[IP_V4]);
	/* of another family: none of ours */
	build_mp_unreach(&b.attrs, 2, 128, &none);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_false(u.end_of_rib[IP_V4] || u.end_of_rib[IP_V6]);
	/* an empty MP_UNREACH_NLRI beside something else says nothing */
	build_mp_unreach(&b.attrs, 2, 1, &none);
	build_prefix(&b.withdrawn, "10.0.0.0/8");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_false(u.end_of_rib[IP_V4] || u.end_of_rib[IP_V6]);
	build_mp_unreach(&b.attrs, 2, 1, &none);
	build_origin(&b.attrs, 0);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_false(u.end_of_rib[IP_V4] || u.end_of_rib[IP_V6]);
}

static void test_addpath(void **state)
{
	const struct bgp_update_ctx ctx = { .form = { BGP_NLRI_ADDPATH,
						      BGP_NLRI_PLAIN } };
	struct build_update b = { 0 };
	struct bgp_update u;

	build_usual(&b.attrs, ARRAY(65001), 1);
	build_prefix_id(&b.nlri, 7, "192.0.2.0/24");
	build_prefix_id(&b.nlri, 0xffffffff, "192.0.2.0/24");
	build_prefix_id(&b.withdrawn, 1, "10.0.0.0/8");
	assert_int_equal(decode_ctx(&b, &ctx, &u), BGP_UPDATE_OK);
	assert_next(&u.withdrawn[0], "10.0.0.0/8", 1, false);
	assert_next(&u.announced[0], "192.0.2.0/24", 7, false);
	assert_next(&u.announced[0], "192.0.2.0/24", 0xffffffff, false);
	assert_end(&u.announced[0]);
}

static void test_addpath_or_one(void **state)
{
	const struct bgp_update_ctx ctx = { .form = { BGP_NLRI_ADDPATH_OR_ONE,
						      BGP_NLRI_ADDPATH_OR_ONE } };
	static const char *const lone[] = { "0.0.0.0/0", "10.0.0.0/8", "192.0.2.0/25",
					    "0.0.0.0/32", "192.0.2.255/32" };
	struct build_update b = { 0 };
	struct bgp_update u;

	for (size_t i = 0; i < sizeof(lone) / sizeof(lone[0]); i++) {
		build_usual(&b.attrs, ARRAY(65001), 1);
		build_prefix(&b.nlri, lone[i]);
		assert_int_equal(decode_ctx(&b, &ctx, &u), BGP_UPDATE_OK);
		assert_next(&u.announced[0], lone[i], 0, false);
		assert_end(&u.announced[0]);
		build_usual(&b.attrs, ARRAY(65001), 1);
		build_prefix_id(&b.nlri, 1, lone[i]);
		assert_int_equal(decode_ctx(&b, &ctx, &u), BGP_UPDATE_OK);
		assert_next(&u.announced[0], lone[i], 1, false);
		assert_end(&u.announced[0]);
	}
}

/* ---- RFC 7606 */

static void test_missing_mandatory_attributes(void **state)
{
	for (int leave_out = 0; leave_out < 3; leave_out++) {
		struct build_update b = { 0 };
		struct bgp_update u;

		if (leave_out != 0)
			build_origin(&b.attrs, 0);
		if (leave_out != 1)
			build_as_path(&b.attrs, ARRAY(1), 1);
		if (leave_out != 2)
			build_next_hop(&b.attrs, "192.0.2.1");
		build_prefix(&b.nlri, "10.0.0.0/8");
		assert_int_equal(decode(&b, &u), BGP_UPDATE_WITHDRAW);
		assert_int_equal(u.bad_attr, leave_out + 1);
	}
}

static void test_missing_next_hop_where_it_may(void **state)
{
	const struct bgp_update_ctx ctx = { .next_hop_optional = true };
	struct build_update b = { 0 };
	struct bgp_update u;

	build_origin(&b.attrs, 0);
	build_as_path(&b.attrs, ARRAY(1), 1);
	build_prefix(&b.nlri, "10.0.0.0/8");
	assert_int_equal(decode_ctx(&b, &ctx, &u), BGP_UPDATE_OK);
	assert_true(u.attr.next_hop.v == 0);
}

struct bad {
	uint8_t flags, type, len;
	enum bgp_update_verdict verdict;
	unsigned int discarded;
};

static void test_wrong_flags_and_lengths(void **state)
{
	static const struct bad bad[] = {
		{ 0x40, 1, 2, BGP_UPDATE_WITHDRAW, 0 }, /* ORIGIN, 7.1 */
		{ 0xc0, 1, 1, BGP_UPDATE_WITHDRAW, 0 }, /* 3(c) */
		{ 0x00, 2, 0, BGP_UPDATE_WITHDRAW, 0 },
		{ 0x40, 3, 5, BGP_UPDATE_WITHDRAW, 0 }, /* NEXT_HOP, 7.3 */
		{ 0x80, 4, 3, BGP_UPDATE_WITHDRAW, 0 }, /* MED, 7.4 */
		{ 0xc0, 4, 4, BGP_UPDATE_WITHDRAW, 0 },
		{ 0x40, 5, 0, BGP_UPDATE_WITHDRAW, 0 }, /* LOCAL_PREF, 7.5 */
		{ 0x40, 6, 1, BGP_UPDATE_OK, 1 },	/* ATOMIC_AGGREGATE, 7.6 */
		{ 0xc0, 6, 0, BGP_UPDATE_OK, 1 },	/* 3(f) */
		{ 0xc0, 7, 6, BGP_UPDATE_OK, 1 },	/* AGGREGATOR, 7.7 */
		{ 0x80, 7, 8, BGP_UPDATE_OK, 1 },
		{ 0xc0, 8, 6, BGP_UPDATE_WITHDRAW, 0 }, /* COMMUNITIES, 7.8 */
		{ 0xc0, 8, 0, BGP_UPDATE_WITHDRAW, 0 },
		{ 0x80, 9, 3, BGP_UPDATE_WITHDRAW, 0 },	  /* ORIGINATOR_ID, 7.9 */
		{ 0x80, 10, 0, BGP_UPDATE_WITHDRAW, 0 },  /* CLUSTER_LIST, 7.10 */
		{ 0xc0, 16, 12, BGP_UPDATE_WITHDRAW, 0 }, /* 7.14 */
		{ 0xc0, 25, 8, BGP_UPDATE_WITHDRAW, 0 },  /* 7.15 */
		{ 0xc0, 32, 8, BGP_UPDATE_WITHDRAW, 0 },  /* RFC 8092 */
		{ 0xc0, 35, 2, BGP_UPDATE_WITHDRAW, 0 },  /* RFC 9234 sec. 5 */
		{ 0x80, 14, 4, BGP_UPDATE_SKIP, 0 },	  /* MP_REACH_NLRI, 5.3 */
		{ 0xc0, 15, 3, BGP_UPDATE_SKIP, 0 },	  /* flags, 5.3 */
		{ 0x80, 15, 2, BGP_UPDATE_SKIP, 0 },	  /* MP_UNREACH_NLRI */
		{ 0x40, 99, 1, BGP_UPDATE_SKIP, 0 },	  /* unknown, well-known */
		{ 0xc0, 99, 0, BGP_UPDATE_OK, 0 },	  /* unknown, optional */
	};
	static const uint8_t zeros[16];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct build_update b = { 0 };
		struct bgp_update u;

		build_attr(&b.attrs, bad[i].flags, bad[i].type, zeros, bad[i].len);
		if (bad[i].type != 1)
			build_origin(&b.attrs, 0);
		if (bad[i].type != 2)
			build_as_path(&b.attrs, ARRAY(1), 1);
		if (bad[i].type != 3)
			build_next_hop(&b.attrs, "192.0.2.1");
		build_prefix(&b.nlri, "10.0.0.0/8");
		assert_int_equal(decode(&b, &u), bad[i].verdict);
		assert_int_equal(u.attr_discarded, bad[i].discarded);
	}
}

static void test_undefined_origin_is_a_withdrawal(void **state)
{
	struct build_update b = { 0 };
	struct bgp_update u;

	build_origin(&b.attrs, 3);
	build_as_path(&b.attrs, ARRAY(1), 1);
	build_next_hop(&b.attrs, "192.0.2.1");
	build_prefix(&b.nlri, "10.0.0.0/8");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_WITHDRAW);
}

static void test_repeated_attributes(void **state)
{
	struct build_update b = { 0 };
	struct wr nlri = { 0 };
	struct bgp_update u;

	/* 3(g): the first one counts, also where a later one is damaged */
	build_usual(&b.attrs, ARRAY(1), 1);
	build_as_path(&b.attrs, ARRAY(2), 1);
	build_attr(&b.attrs, 0x40, 1, "abc", 3);
	build_prefix(&b.nlri, "10.0.0.0/8");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_OK);
	assert_int_equal(u.attr_discarded, 2);
	assert_int_equal(u.attr.origin_as, 1);
	/* but not for the two with routes in them */
	build_prefix(&nlri, "2001:db8::/32");
	for (int i = 0; i < 2; i++)
		build_mp_unreach(&b.attrs, 2, 1, &nlri);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_SKIP);
	wr_fini(&nlri);
}

static void test_internal_attributes_from_an_external_peer(void **state)
{
	const struct bgp_update_ctx ctx = { .external = true };
	struct build_update b = { 0 };
	struct bgp_update u;

	build_usual(&b.attrs, ARRAY(1), 1);
	build_u32_attr(&b.attrs, 0x40, 5, 500);
	build_attr(&b.attrs, 0x80, 10, "abc", 3);
	build_prefix(&b.nlri, "10.0.0.0/8");
	assert_int_equal(decode_ctx(&b, &ctx, &u), BGP_UPDATE_OK);
	assert_false(u.attr.has_local_pref);
	assert_int_equal(u.attr_discarded, 2);
}

static void test_attribute_beyond_the_total_length(void **state)
{
	struct build_update b = { 0 };
	struct bgp_update u;

	/* sec. 4: the routes are found by the total length and withdrawn */
	build_usual(&b.attrs, ARRAY(1), 1);
	wr_bytes(&b.attrs, "\xc0\x08\x08\x00", 4);
	build_prefix(&b.nlri, "10.0.0.0/8");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_WITHDRAW);
	assert_next(&u.announced[0], "10.0.0.0/8", 0, false);
	/* two bytes that are no attribute */
	build_usual(&b.attrs, ARRAY(1), 1);
	wr_bytes(&b.attrs, "\xc0\x08", 2);
	build_prefix(&b.nlri, "10.0.0.0/8");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_WITHDRAW);
}

static void test_damage_without_routes_is_skipped(void **state)
{
	struct build_update b = { 0 };
	struct bgp_update u;

	/* 5.2: which routes it was about cannot be known */
	build_origin(&b.attrs, 9);
	build_prefix(&b.withdrawn, "10.0.0.0/8");
	assert_int_equal(decode(&b, &u), BGP_UPDATE_SKIP);
}

static void test_routes_that_cannot_be_read(void **state)
{
	struct build_update b = { 0 };
	struct wr nlri = { 0 };
	struct bgp_update u;

	/* 5.3: length beyond the family's, or beyond the field */
	build_usual(&b.attrs, ARRAY(1), 1);
	wr_bytes(&b.nlri, "\x21\1\2\3\4\5", 6);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_SKIP);
	build_usual(&b.attrs, ARRAY(1), 1);
	wr_bytes(&b.nlri, "\x18\1\2", 3);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_SKIP);
	wr_bytes(&b.withdrawn, "\x18\1\2", 3);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_SKIP);
	wr_u8(&nlri, 129);
	build_mp_unreach(&b.attrs, 2, 1, &nlri);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_SKIP);
	build_mp_reach(&b.attrs, 2, 1, "2001:db8::1", &nlri);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_SKIP);
	wr_fini(&nlri);
}

static void test_next_hop_of_a_wrong_length(void **state)
{
	struct build_update b = { 0 };
	struct wr none = { 0 };
	struct bgp_update u;

	/* 7.11: an IPv4 next hop of IPv6 routes */
	build_mp_reach(&b.attrs, 2, 1, "192.0.2.1", &none);
	assert_int_equal(decode(&b, &u), BGP_UPDATE_SKIP);
}

static void test_lengths_beyond_the_message(void **state)
{
	static const uint8_t body[][6] = { { 0, 1, 0, 0, 0, 0 },
					   { 0, 0, 0, 3, 0, 0 },
					   { 0, 9, 0, 0, 0, 0 } };
	struct bgp_update_ctx ctx = { 0 };
	struct bgp_update u;

	/* the first one is a withdrawn 0.0.0.0/0, no attributes, one byte 0 */
	assert_int_equal(bgp_update_decode(rd_init(body[0], 5), &ctx, scratch, &u),
			 BGP_UPDATE_OK);
	assert_int_equal(bgp_update_decode(rd_init(body[1], 6), &ctx, scratch, &u),
			 BGP_UPDATE_SKIP);
	assert_int_equal(bgp_update_decode(rd_init(body[2], 6), &ctx, scratch, &u),
			 BGP_UPDATE_SKIP);
	assert_int_equal(bgp_update_decode(rd_init(body[2], 3), &ctx, scratch, &u),
			 BGP_UPDATE_SKIP);
	assert_int_equal(bgp_update_decode(rd_init(NULL, 0), &ctx, scratch, &u),
			 BGP_UPDATE_SKIP);
}

/* ---- attributes of a table dump */

static void test_attributes_of_an_mrt_dump(void **state)
{
	const struct bgp_update_ctx ctx = { .mrt = true };
	uint8_t nh[17] = { 16, 0x20, 0x01, 0x0d, 0xb8 };
	struct wr attrs = { 0 }, nlri = { 0 };
	struct bgp_update u;

	build_origin(&attrs, 0);
	build_as_path(&attrs, ARRAY(1, 2), 2);
	build_attr(&attrs, 0x80, 14, nh, sizeof(nh));
	assert_int_equal(
		bgp_attrs_decode(rd_init(attrs.data, attrs.len), &ctx, scratch, &u),
		BGP_UPDATE_OK);
	assert_int_equal((uint16_t)(u.mp_next_hop.v >> 112), 0x2001);
	assert_int_equal(u.attr.origin_as, 2);
	wr_fini(&attrs);
	/* the whole attribute is taken as well */
	build_origin(&attrs, 0);
	build_as_path(&attrs, ARRAY(1), 1);
	build_mp_reach(&attrs, 2, 1, "2001:db8::1", &nlri);
	assert_int_equal(
		bgp_attrs_decode(rd_init(attrs.data, attrs.len), &ctx, scratch, &u),
		BGP_UPDATE_OK);
	assert_int_equal((uint16_t)u.mp_next_hop.v, 1);
	/* without AS_PATH there is no origin to be had */
	assert_int_equal(bgp_attrs_decode(rd_init(attrs.data, 4), &ctx, scratch, &u),
			 BGP_UPDATE_WITHDRAW);
	wr_fini(&attrs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_open_capabilities),
		cmocka_unit_test(test_open_without_capabilities),
		cmocka_unit_test(test_open_extended_parameters),
		cmocka_unit_test(test_open_of_wrong_version),
		cmocka_unit_test(test_open_with_unlike_roles_has_none),
		cmocka_unit_test(test_update_of_rfc4271),
		cmocka_unit_test(test_host_bits_are_masked),
		cmocka_unit_test(test_ipv6_in_mp_attributes),
		cmocka_unit_test(test_ipv4_with_ipv6_next_hop),
		cmocka_unit_test(test_other_families_are_passed_over),
		cmocka_unit_test(test_end_of_rib),
		cmocka_unit_test(test_addpath),
		cmocka_unit_test(test_addpath_or_one),
		cmocka_unit_test(test_missing_mandatory_attributes),
		cmocka_unit_test(test_missing_next_hop_where_it_may),
		cmocka_unit_test(test_wrong_flags_and_lengths),
		cmocka_unit_test(test_undefined_origin_is_a_withdrawal),
		cmocka_unit_test(test_repeated_attributes),
		cmocka_unit_test(test_internal_attributes_from_an_external_peer),
		cmocka_unit_test(test_attribute_beyond_the_total_length),
		cmocka_unit_test(test_damage_without_routes_is_skipped),
		cmocka_unit_test(test_routes_that_cannot_be_read),
		cmocka_unit_test(test_next_hop_of_a_wrong_length),
		cmocka_unit_test(test_lengths_beyond_the_message),
		cmocka_unit_test(test_attributes_of_an_mrt_dump),
	};

	return cmocka_run_group_tests_name("bgp", tests, NULL, NULL);
}
