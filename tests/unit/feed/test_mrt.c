/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/mrt.h"
#include "tests/unit/feed/mrt_build.h"

/* ---- headers */

static enum mrt_verdict judge(uint16_t type, uint16_t subtype, uint32_t len)
{
	const struct mrt_header h = { .type = type, .subtype = subtype, .len = len };

	return mrt_header_judge(&h);
}

static void test_header_judge(void **state)
{
	(void)state;
	assert_int_equal(judge(13, 2, 100), MRT_HEADER_YES);
	assert_int_equal(judge(13, 2, 6), MRT_HEADER_NO); /* shorter than any */
	assert_int_equal(judge(13, 13, 100), MRT_HEADER_MAYBE);
	assert_int_equal(judge(16, 4, 43), MRT_HEADER_YES);
	assert_int_equal(judge(16, 12, 43), MRT_HEADER_MAYBE);
	assert_int_equal(judge(17, 1, 38), MRT_HEADER_NO);
	assert_int_equal(judge(12, 2, 46), MRT_HEADER_YES);
	assert_int_equal(judge(11, 0, 50), MRT_HEADER_MAYBE); /* OSPFv2 */
	assert_int_equal(judge(64, 0, 0), MRT_HEADER_MAYBE);
	assert_int_equal(judge(0, 0, 0), MRT_HEADER_NO); /* a hole of zeros */
	assert_int_equal(judge(13, 2, UINT32_MAX), MRT_HEADER_NO);
	assert_int_equal(judge(13, 2, (uint32_t)MRT_RECORD_MAX), MRT_HEADER_YES);
}

/* ---- the examples of RFC 6396 appendix A */

/* The RFC's total attribute length, 0x1f, is wrong: there are 0x23 bytes. */
static void test_rfc6396_figure_16(void **state)
{
	static const uint8_t update[] = "\x00\x00\xfb\xf0\x00\x00\xfb\xf1\x00\x00\x00\x01"
					"\xc0\x00\x02\x55\xc6\x33\x64\x04"
					"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
					"\xff\xff\xff\xff\x00\x3e\x02\x00"
					"\x00\x00\x1f\x40\x01\x01\x02\x40\x02\x0e\x02\x03"
					"\x00\x00\xfb\xf0\x00\x00\xfb\xff"
					"\x00\x00\xfb\xf6\x40\x03\x04\xc6\x33\x64\x55\xc0"
					"\x08\x04\xfb\xf0\x00\x0e\x18\xcb"
					"\x00\x71";
	const struct rib_attr *attr;
	struct mrt_world *w = *state;
	struct wr body = { 0 };

	wr_bytes(&body, update, sizeof(update) - 1);
	assert_int_equal(body.len, 82);
	build_mrt_record(&w->in, 16, 4, &body);
	mrt_world_run(w);
	assert_int_equal(w->stats.malformed, 1);
	w->in.data[12 + 42] = 0x23;
	mrt_world_run(w);
	attr = mrt_world_route(w, PEER1, "203.0.113.0/24");
	assert_non_null(attr);
	assert_int_equal(attr->origin_as, 64502);
	assert_int_equal(attr->neighbor_as, 64496);
	assert_int_equal(attr->as_path_hops, 3);
	assert_int_equal(attr->origin_code, 2);
	assert_int_equal(w->sessions, 1);
}

static void test_rfc6396_figure_18(void **state)
{
	static const uint8_t table[] =
		"\xc6\x33\x64\x04\x00\x00\x00\x02\x02\xc6\x33\x64\x05\xc6\x33\x64\x05\x00"
		"\x01\x00\x05"
		"\x02\xc0\x00\x02\x21\xc0\x00\x02\x21\x00\x01\x00\x06";
	struct mrt_peer_index index;
	struct mrt_peer peer;

	(void)state;
	assert_true(mrt_peer_index_decode(rd_init(table, sizeof(table) - 1), &index));
	assert_int_equal(index.n, 2);
	assert_true(mrt_peer_next(&index, &peer));
	assert_int_equal(peer.as, 65541);
	assert_int_equal((uint32_t)peer.addr.v, 0xc6336405);
	assert_true(mrt_peer_next(&index, &peer));
	assert_int_equal(peer.as, 65542);
	assert_int_equal(peer.id, 0xc0000221);
	assert_false(mrt_peer_next(&index, &peer));
	for (size_t len = 0; len < sizeof(table) - 1; len++)
		assert_false(mrt_peer_index_decode(rd_init(table, len), &index));
	assert_false(mrt_peer_index_decode(rd_init(table, sizeof(table)), &index));
}

/* Its MP_REACH_NLRI is the whole attribute, against the RFC's own 4.3.4; dumps
 * of both forms exist. */
static const uint8_t figure_19_attrs[] = "\x40\x01\x01\x00\x50\x02\x00\x0e\x02\x03\x00"
					 "\x00\xfb\xf0\x00\x00\xfb\xff\x00\x00\xfb"
					 "\xf6\x80\x0e\x2b\x00\x02\x01\x20\x20\x01\x0d"
					 "\xb8\x00\x0d\x00\xff\x00\x00\x00\x00\x00"
					 "\x00\x01\x87\xfe\x80\x00\x00\x00\x00\x00\x00"
					 "\x02\x12\xf2\xff\xfe\x9f\x1b\x00\x00\x00"
					 "\x20\x20\x01\x0d\xb8";

static void test_rfc6396_figure_19(void **state)
{
	struct wr attrs = { 0 };
	struct mrt_world *w = *state;
	const struct rib_attr *attr;
	struct ip_addr hop;

	wr_bytes(&attrs, figure_19_attrs, sizeof(figure_19_attrs) - 1);
	assert_int_equal(attrs.len, 68);
	build_mrt_index(&w->in);
	build_mrt_rib(&w->in, 4, "2001:db8::/32", 1, &attrs);
	mrt_world_run(w);
	attr = mrt_world_route(w, PEER2, "2001:db8::/32");
	assert_non_null(attr);
	assert_int_equal(attr->origin_as, 64502);
	ip_addr_parse("2001:db8:d:ff::187", &hop);
	assert_true(ip_addr_equal(&attr->next_hop, &hop));
	assert_int_equal(mrt_world_paths(w), 1);
	wr_fini(&attrs);
}

static void test_short_mp_reach(void **state)
{
	const uint32_t as[] = { 64496, 64502 };
	struct wr attrs = { 0 }, nh = { 0 };
	struct mrt_world *w = *state;
	const struct rib_attr *attr;
	struct ip_addr hop;

	build_origin(&attrs, 0);
	build_as_path(&attrs, as, 2);
	wr_u8(&nh, 16);
	build_mrt_addr(&nh, "2001:db8:d:ff::187");
	build_attr(&attrs, 0x80, 14, nh.data, nh.len);
	build_mrt_index(&w->in);
	build_mrt_rib(&w->in, 4, "2001:db8::/32", 0, &attrs);
	mrt_world_run(w);
	attr = mrt_world_route(w, PEER1, "2001:db8::/32");
	assert_non_null(attr);
	ip_addr_parse("2001:db8:d:ff::187", &hop);
	assert_true(ip_addr_equal(&attr->next_hop, &hop));
	wr_fini(&attrs);
	wr_fini(&nh);
}

/* ---- tables */

static void test_empty_path_has_no_origin(void **state)
{
	struct mrt_world *w = *state;
	struct wr attrs = { 0 };

	build_usual(&attrs, NULL, 0);
	build_mrt_index(&w->in);
	build_mrt_rib(&w->in, 2, "198.51.100.0/24", 0, &attrs);
	build_mrt_announce(&w->in, &build_ext, "198.51.101.0/24", NULL, 0);
	mrt_world_run(w);
	assert_int_equal(mrt_world_route(w, PEER1, "198.51.100.0/24")->origin_kind,
			 RIB_ORIGIN_NONE);
	assert_int_equal(mrt_world_route(w, PEER1, "198.51.101.0/24")->origin_kind,
			 RIB_ORIGIN_NONE);
	wr_fini(&attrs);
}

static void test_many_entries_one_bad(void **state)
{
	const uint32_t as[] = { 64496 };
	struct wr attrs = { 0 }, bad = { 0 }, body = { 0 };
	struct mrt_world *w = *state;

	build_usual(&attrs, as, 1);
	build_origin(&bad, 7); /* neither AS_PATH nor a value that exists */
	build_mrt_index(&w->in);
	wr_be32(&body, 0);
	build_prefix(&body, "198.51.101.0/23");
	wr_be16(&body, 3);
	build_mrt_entry(&body, 0, &bad);
	build_mrt_entry(&body, 1, &attrs);
	build_mrt_entry(&body, 2, &attrs); /* no such peer */
	build_mrt_record(&w->in, 13, 2, &body);
	mrt_world_run(w);
	assert_null(mrt_world_route(w, PEER1, "198.51.100.0/23"));
	assert_non_null(mrt_world_route(w, PEER2, "198.51.100.0/23"));
	assert_int_equal(w->stats.entries, 3);
	assert_int_equal(w->stats.announced, 1);
	assert_int_equal(w->stats.treat_as_withdraw, 1);
	assert_int_equal(w->stats.no_peer, 1);
	assert_int_equal(w->stats.host_bits, 1);
	assert_int_equal(w->stats.malformed, 0);
	wr_fini(&attrs);
	wr_fini(&bad);
}

/* All of a record or nothing: the last of its entries runs over the end. */
static void test_record_cut_inside(void **state)
{
	const uint32_t as[] = { 64496 };
	struct wr attrs = { 0 }, body = { 0 };
	struct mrt_world *w = *state;

	build_usual(&attrs, as, 1);
	build_mrt_index(&w->in);
	wr_be32(&body, 0);
	build_prefix(&body, "198.51.100.0/24");
	wr_be16(&body, 3);
	build_mrt_entry(&body, 0, &attrs);
	build_mrt_entry(&body, 1, &attrs);
	build_mrt_record(&w->in, 13, 2, &body);
	build_mrt_rib(&w->in, 2, "198.51.101.0/24", 0, &attrs);
	mrt_world_run(w);
	assert_int_equal(w->stats.malformed, 1);
	assert_int_equal(w->stats.searches, 0);
	assert_int_equal(mrt_world_paths(w), 1);
	wr_fini(&attrs);
}

static void test_table_without_index(void **state)
{
	const uint32_t as[] = { 64496 };
	struct wr attrs = { 0 }, body = { 0 };
	struct mrt_world *w = *state;

	build_usual(&attrs, as, 1);
	build_mrt_rib(&w->in, 2, "198.51.100.0/24", 0, &attrs);
	build_mrt_index(&w->in);
	build_mrt_rib(&w->in, 2, "198.51.101.0/24", 0, &attrs);
	/* a damaged index must not leave the one before in force */
	wr_be32(&body, 0);
	wr_be32(&body, 9);
	build_mrt_record(&w->in, 13, 1, &body);
	build_mrt_rib(&w->in, 2, "198.51.102.0/24", 0, &attrs);
	mrt_world_run(w);
	assert_int_equal(w->stats.no_peer, 2);
	assert_int_equal(w->stats.malformed, 1);
	assert_int_equal(mrt_world_paths(w), 1);
	wr_fini(&attrs);
}

static void put_entry_id(struct wr *out, uint16_t peer, uint32_t id,
			 const struct wr *attrs)
{
	wr_be16(out, peer);
	wr_be32(out, 0);
	wr_be32(out, id);
	wr_be16(out, (uint16_t)attrs->len);
	wr_bytes(out, attrs->data, attrs->len);
}

static void test_rib_addpath(void **state)
{
	const uint32_t as[] = { 64496 }, other[] = { 64496, 64511 };
	struct wr a = { 0 }, b = { 0 }, body = { 0 };
	struct mrt_world *w = *state;

	build_usual(&a, as, 1);
	build_usual(&b, other, 2);
	build_mrt_index(&w->in);
	wr_be32(&body, 0);
	build_prefix(&body, "198.51.100.0/24");
	wr_be16(&body, 3);
	put_entry_id(&body, 0, 1, &a);
	put_entry_id(&body, 0, 2, &b);
	put_entry_id(&body, 0, 1, &b); /* the last word on path 1 */
	build_mrt_record(&w->in, 13, 8, &body);
	mrt_world_run(w);
	assert_int_equal(w->stats.announced, 3);
	assert_int_equal(mrt_world_paths(w), 2);
	assert_int_equal(mrt_world_route(w, PEER1, "198.51.100.0/24")->origin_as, 64511);
	wr_fini(&a);
	wr_fini(&b);
}

static void put_generic(struct wr *out, uint16_t subtype, uint16_t afi, uint8_t safi,
			const char *prefix, const struct wr *attrs)
{
	struct wr body = { 0 };

	wr_be32(&body, 0);
	wr_be16(&body, afi);
	wr_u8(&body, safi);
	if (subtype == 12)
		build_prefix_id(&body, 7, prefix);
	else
		build_prefix(&body, prefix);
	wr_be16(&body, 1);
	build_mrt_entry(&body, 0, attrs);
	build_mrt_record(out, 13, subtype, &body);
}

static void test_rib_generic(void **state)
{
	const uint32_t as[] = { 64496 };
	struct mrt_world *w = *state;
	struct wr attrs = { 0 };

	build_usual(&attrs, as, 1);
	build_mrt_index(&w->in);
	put_generic(&w->in, 6, 1, 1, "198.51.100.0/24", &attrs);
	put_generic(&w->in, 6, 2, 1, "2001:db8::/32", &attrs);
	put_generic(&w->in, 12, 1, 1, "198.51.101.0/24", &attrs);
	put_generic(&w->in, 6, 1, 128, "198.51.102.0/24", &attrs); /* VPN */
	put_generic(&w->in, 6, 25, 70, "198.51.103.0/24", &attrs); /* EVPN */
	mrt_world_run(w);
	assert_int_equal(mrt_world_paths(w), 3);
	assert_int_equal(w->stats.ignored_afi, 2);
	assert_int_equal(w->stats.malformed, 0);
	wr_fini(&attrs);
}

static void test_table_dump(void **state)
{
	/* AS_PATH 64496 23456 in two octets, AS4_PATH 4200000001 */
	static const uint8_t path[] = "\x02\x02\xfb\xf0\x5b\xa0";
	static const uint8_t as4_path[] = "\x02\x01\xfa\x56\xea\x01";
	struct wr attrs = { 0 }, body = { 0 };
	const struct rib_attr *attr;
	struct mrt_world *w = *state;

	build_origin(&attrs, 0);
	build_attr(&attrs, 0x40, 2, path, 6);
	build_next_hop(&attrs, "192.0.2.1");
	build_attr(&attrs, 0xc0, 17, as4_path, 6);
	wr_be32(&body, 1); /* view 0, sequence 1 */
	build_mrt_addr(&body, "198.51.100.7");
	wr_u8(&body, 24);
	wr_u8(&body, 1);
	wr_be32(&body, 0);
	build_mrt_addr(&body, PEER1);
	wr_be16(&body, 64496);
	wr_be16(&body, (uint16_t)attrs.len);
	wr_bytes(&body, attrs.data, attrs.len);
	build_mrt_record(&w->in, 12, 1, &body);
	mrt_world_run(w);
	attr = mrt_world_route(w, PEER1, "198.51.100.0/24");
	assert_non_null(attr);
	assert_int_equal(attr->origin_as, 4200000001u);
	assert_int_equal(w->stats.host_bits, 1);
	wr_fini(&attrs);
}

/* ---- messages */

static void test_last_word_wins(void **state)
{
	const uint32_t as[] = { 64496 }, longer[] = { 64496, 64511 };
	struct mrt_world *w = *state;
	struct wr attrs = { 0 };

	build_usual(&attrs, as, 1);
	build_mrt_index(&w->in);
	build_mrt_rib(&w->in, 2, "198.51.100.0/24", 0, &attrs);
	build_mrt_rib(&w->in, 2, "198.51.101.0/24", 0, &attrs);
	build_mrt_announce(&w->in, &build_ext, "198.51.100.0/24", longer, 2);
	build_mrt_withdraw(&w->in, &build_ext, "198.51.101.0/24");
	build_mrt_withdraw(&w->in, &build_ext, "198.51.102.0/24");
	mrt_world_run(w);
	assert_int_equal(mrt_world_route(w, PEER1, "198.51.100.0/24")->origin_as, 64511);
	assert_null(mrt_world_route(w, PEER1, "198.51.101.0/24"));
	assert_int_equal(w->stats.withdrawn, 2);
	assert_int_equal(w->stats.withdrawn_unknown, 1);
	wr_fini(&attrs);
}

static void test_extended_time_and_two_octets(void **state)
{
	static const uint8_t path[] = "\x02\x01\xfb\xf0";
	const struct build_session s = { .et = true,
				   .as2 = true,
				   .peer = PEER2,
				   .peer_as = 64496,
				   .local_as = 64500 };
	struct build_update u = { 0 };
	struct mrt_world *w = *state;

	build_origin(&u.attrs, 0);
	build_attr(&u.attrs, 0x40, 2, path, 4);
	build_next_hop(&u.attrs, "192.0.2.1");
	build_u32_attr(&u.attrs, 0x40, 5, 300);
	build_prefix(&u.nlri, "198.51.100.0/24");
	build_mrt_update(&w->in, &s, 1, &u);
	mrt_world_run(w);
	assert_int_equal(mrt_world_route(w, PEER2, "198.51.100.0/24")->origin_as, 64496);
	/* LOCAL_PREF from outside (RFC 7606 7.5) */
	assert_false(mrt_world_route(w, PEER2, "198.51.100.0/24")->has_local_pref);
}

static void test_message_addpath(void **state)
{
	const uint32_t as[] = { 64496 };
	struct build_update u = { 0 };
	struct mrt_world *w = *state;

	build_usual(&u.attrs, as, 1);
	build_prefix_id(&u.nlri, 1, "198.51.100.0/24");
	build_prefix_id(&u.nlri, 2, "198.51.100.0/24");
	build_mrt_update(&w->in, &build_ext, 9, &u);
	build_prefix_id(&u.withdrawn, 2, "198.51.100.0/24");
	build_mrt_update(&w->in, &build_ext, 9, &u);
	mrt_world_run(w);
	assert_int_equal(w->stats.announced, 2);
	assert_int_equal(w->stats.withdrawn, 1);
	assert_int_equal(mrt_world_paths(w), 1);
}

static void test_own_messages_are_left_out(void **state)
{
	const uint32_t as[] = { 64500 };
	struct build_update u = { 0 };
	struct mrt_world *w = *state;

	for (uint16_t subtype = 6; subtype <= 11; subtype++) {
		if (subtype == 8 || subtype == 9)
			continue;
		build_usual(&u.attrs, as, 1);
		build_prefix(&u.nlri, "198.51.100.0/24");
		build_mrt_update(&w->in, &build_ext, subtype, &u);
	}
	mrt_world_run(w);
	assert_int_equal(w->stats.ignored_local, 4);
	assert_int_equal(mrt_world_paths(w), 0);
}

static void test_leaving_established_removes_routes(void **state)
{
	const uint32_t as[] = { 64496 };
	const struct build_session other = { .peer = PEER2,
				       .peer_as = 64497,
				       .local_as = 64500 };
	struct mrt_world *w = *state;

	build_mrt_announce(&w->in, &build_ext, "198.51.100.0/24", as, 1);
	build_mrt_announce(&w->in, &other, "198.51.100.0/24", as, 1);
	/* a second connection that is refused, while the first one stays up */
	build_mrt_state(&w->in, &build_ext, 3, 4);
	build_mrt_state(&w->in, &build_ext, 4, 1);
	mrt_world_run(w);
	assert_int_equal(w->stats.states, 2);
	assert_int_equal(mrt_world_paths(w), 2);
	build_mrt_state(&w->in, &build_ext, 6, 1);
	mrt_world_run(w);
	assert_null(mrt_world_route(w, PEER1, "198.51.100.0/24"));
	assert_non_null(mrt_world_route(w, PEER2, "198.51.100.0/24"));
	assert_int_equal(w->sessions, 4);
}

static void test_reflected_route_is_ignored(void **state)
{
	const uint32_t plain[] = { 64496 }, loop[] = { 64496, 64500, 64497 };
	const uint32_t beacon[] = { 64496, 64500 };
	struct mrt_world *w = *state;

	build_mrt_announce(&w->in, &build_ext, "198.51.100.0/24", plain, 1);
	build_mrt_announce(&w->in, &build_ext, "198.51.100.0/24", loop, 3);
	build_mrt_announce(&w->in, &build_ext, "198.51.101.0/24", beacon, 2);
	mrt_world_run(w);
	assert_null(mrt_world_route(w, PEER1, "198.51.100.0/24"));
	assert_non_null(mrt_world_route(w, PEER1, "198.51.101.0/24"));
	assert_int_equal(w->stats.looped, 1);
}

static void test_bad_attributes_withdraw(void **state)
{
	const uint32_t as[] = { 64496 };
	struct build_update u = { 0 };
	struct mrt_world *w = *state;

	build_mrt_announce(&w->in, &build_ext, "198.51.100.0/24", as, 1);
	build_usual(&u.attrs, as, 1);
	build_attr(&u.attrs, 0xc0, 8, "abc", 3);
	build_prefix(&u.nlri, "198.51.100.0/24");
	build_mrt_update(&w->in, &build_ext, 4, &u);
	mrt_world_run(w);
	assert_int_equal(w->stats.treat_as_withdraw, 1);
	assert_int_equal(w->stats.malformed, 0);
	assert_int_equal(mrt_world_paths(w), 0);
}

/* 4,096 in one record (RFC 8654 allows it), of which half were announced. */
static void test_4096_withdrawals_in_one_record(void **state)
{
	const uint32_t as[] = { 64496 };
	struct mrt_world *w = *state;
	char prefix[32];

	for (int round = 0; round < 2; round++) {
		struct build_update u = { 0 };

		if (round == 0)
			build_usual(&u.attrs, as, 1);
		for (int i = 0; i < 4096; i += 2 - round) {
			snprintf(prefix, sizeof(prefix), "20.%d.%d.0/24", i >> 8, i & 255);
			build_prefix(round ? &u.withdrawn : &u.nlri, prefix);
		}
		build_mrt_update(&w->in, &build_ext, 4, &u);
	}
	build_mrt_announce(&w->in, &build_ext, "198.51.100.0/24", as, 1);
	mrt_world_run(w);
	assert_int_equal(w->stats.malformed, 0);
	assert_int_equal(w->stats.withdrawn, 4096);
	assert_int_equal(w->stats.withdrawn_unknown, 2048);
	assert_int_equal(w->stats.announced, 2049);
	assert_int_equal(mrt_world_paths(w), 1);
}

static void test_the_first_of_each_kind_is_told(void **state)
{
	const uint32_t as[] = { 64496 };
	struct build_update u = { 0 };
	struct mrt_world *w = *state;
	size_t masked, bad;

	build_mrt_announce(&w->in, &build_ext, "198.51.100.0/24", as, 1);
	masked = w->in.len;
	build_mrt_announce(&w->in, &build_ext, "198.51.101.0/23", as, 1);
	bad = w->in.len;
	build_usual(&u.attrs, as, 1);
	wr_u8(&u.nlri, 99); /* an impossible length */
	wr_be64(&u.nlri, 0);
	build_mrt_update(&w->in, &build_ext, 4, &u);
	build_mrt_announce(&w->in, &build_ext, "198.51.103.0/23", as, 1);
	mrt_world_run(w);
	assert_int_equal(w->stats.host_bits, 2);
	assert_int_equal(w->stats.first_host_bits, masked);
	assert_int_equal(w->stats.malformed + w->stats.treat_as_withdraw, 1);
	assert_int_equal(w->stats.first_damaged, bad);
}

static void test_other_records_are_counted(void **state)
{
	const uint32_t as[] = { 64496 };
	struct mrt_world *w = *state;
	struct wr body = { 0 };

	wr_bytes(&body, "what OSPF said", 14);
	build_mrt_record(&w->in, 11, 0, &body);
	build_mrt_announce(&w->in, &build_ext, "198.51.100.0/24", as, 1);
	wr_bytes(&body, "of a later RFC", 14);
	build_mrt_record(&w->in, 99, 3, &body);
	wr_bytes(&body, "and again", 9);
	build_mrt_record(&w->in, 99, 3, &body);
	build_mrt_announce(&w->in, &build_ext, "198.51.101.0/24", as, 1);
	wr_bytes(&body, "BGP4MP_ENTRY", 12);
	build_mrt_record(&w->in, 16, 2, &body);
	wr_bytes(&body, "multicast", 9);
	build_mrt_record(&w->in, 13, 3, &body);
	mrt_world_run(w);
	assert_int_equal(w->stats.ignored_type, 5);
	assert_int_equal(w->stats.records, 7);
	assert_int_equal(w->stats.searches, 0);
	assert_int_equal(mrt_world_paths(w), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MRT_CASE(test_header_judge),
		MRT_CASE(test_rfc6396_figure_16),
		MRT_CASE(test_rfc6396_figure_18),
		MRT_CASE(test_rfc6396_figure_19),
		MRT_CASE(test_short_mp_reach),
		MRT_CASE(test_empty_path_has_no_origin),
		MRT_CASE(test_many_entries_one_bad),
		MRT_CASE(test_record_cut_inside),
		MRT_CASE(test_table_without_index),
		MRT_CASE(test_rib_addpath),
		MRT_CASE(test_rib_generic),
		MRT_CASE(test_table_dump),
		MRT_CASE(test_last_word_wins),
		MRT_CASE(test_extended_time_and_two_octets),
		MRT_CASE(test_message_addpath),
		MRT_CASE(test_own_messages_are_left_out),
		MRT_CASE(test_leaving_established_removes_routes),
		MRT_CASE(test_reflected_route_is_ignored),
		MRT_CASE(test_bad_attributes_withdraw),
		MRT_CASE(test_4096_withdrawals_in_one_record),
		MRT_CASE(test_the_first_of_each_kind_is_told),
		MRT_CASE(test_other_records_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
