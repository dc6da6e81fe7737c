/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/bmp.h"
#include "tests/unit/feed/bmp_build.h"

static struct rd rd_of(const struct wr *wr)
{
	return rd_init(wr->data, wr->len);
}

static void test_header(void **state)
{
	struct wr msg = { 0 }, body = { 0 };
	struct bmp_header header;
	struct rd rd;

	wr_u8(&body, 9);
	build_bmp(&msg, BMP_INITIATION, &body);
	rd = rd_of(&msg);
	assert_true(bmp_header_decode(&rd, &header));
	assert_int_equal(header.version, 3);
	assert_int_equal(header.len, 7);
	assert_int_equal(header.type, BMP_INITIATION);
	assert_int_equal(rd_left(&rd), 1);
	rd = rd_init(msg.data, 5);
	assert_false(bmp_header_decode(&rd, &header));
	wr_fini(&msg);
	wr_fini(&body);
}

static void test_peer_header(void **state)
{
	const struct build_peer v4 = { .type = 1,
				       .flags = 0x40,
				       .distinguisher = 0xfde800000001,
				       .addr = "192.0.2.1",
				       .as = 4200000000u };
	const struct build_peer v6 = { .addr = "2001:db8::1", .as = 1 };
	struct ip_addr want;
	struct bmp_peer peer;
	struct wr raw = { 0 };
	struct rd rd;

	build_peer_header(&raw, &v4);
	assert_int_equal(raw.len, BMP_PEER_SIZE);
	rd = rd_of(&raw);
	assert_true(bmp_peer_decode(&rd, &peer));
	assert_true(rd_done(&rd));
	assert_int_equal(peer.type, BMP_PEER_RD);
	assert_int_equal(peer.flags, BMP_FLAG_POST);
	assert_true(peer.distinguisher == 0xfde800000001);
	assert_true(ip_addr_parse("192.0.2.1", &want));
	assert_true(ip_addr_equal(&peer.addr, &want));
	assert_int_equal(peer.as, 4200000000u);
	rd = rd_init(raw.data, BMP_PEER_SIZE - 1);
	assert_false(bmp_peer_decode(&rd, &peer));
	wr_fini(&raw);
	build_peer_header(&raw, &v6);
	rd = rd_of(&raw);
	assert_true(bmp_peer_decode(&rd, &peer));
	assert_int_equal(peer.flags, BMP_FLAG_V6);
	assert_true(ip_addr_parse("2001:db8::1", &want));
	assert_true(ip_addr_equal(&peer.addr, &want));
	wr_fini(&raw);
}

static void test_tlvs(void **state)
{
	const uint8_t raw[] = { 0, 1, 0, 2, 'h', 'i', 0, 9, 0, 0, 0, 2, 0, 5, 'x' };
	struct rd rd = rd_init(raw, sizeof(raw));
	struct bmp_tlv tlv;

	assert_true(bmp_tlv_next(&rd, &tlv));
	assert_int_equal(tlv.type, 1);
	assert_int_equal(rd_left(&tlv.value), 2);
	assert_true(bmp_tlv_next(&rd, &tlv));
	assert_int_equal(tlv.type, 9);
	assert_int_equal(rd_left(&tlv.value), 0);
	assert_false(bmp_tlv_next(&rd, &tlv));
	assert_true(rd.failed);
	rd = rd_init(raw, 10);
	while (bmp_tlv_next(&rd, &tlv))
		;
	assert_true(rd_done(&rd));
}

static const struct build_peer a_peer = { .addr = "2001:db8::2", .as = 65001 };
static const struct build_open sent = { .as = 64500, .id = 1, .role = 0 };
static const struct build_open received = { .as = 65001, .id = 2, .role = 3 };

static void test_peer_up(void **state)
{
	struct bmp_peer_up up;
	struct bmp_peer peer;
	struct ip_addr want;
	struct wr msg = { 0 };
	struct rd rd, rest;

	build_peer_up(&msg, &a_peer, "2001:db8::1", &sent, &received);
	rd = rd_of(&msg);
	rd_skip(&rd, BMP_HEADER_SIZE);
	assert_true(bmp_peer_decode(&rd, &peer));
	rest = rd;
	assert_true(bmp_peer_up_decode(rest, &peer, &up));
	assert_true(ip_addr_parse("2001:db8::1", &want));
	assert_true(ip_addr_equal(&up.local_addr, &want));
	assert_int_equal(up.local_port, 179);
	assert_int_equal(up.remote_port, 40000);
	assert_int_equal(up.sent.as, 64500);
	assert_int_equal(up.sent.role, BGP_ROLE_PROVIDER);
	assert_int_equal(up.received.as, 65001);
	assert_int_equal(up.received.role, BGP_ROLE_CUSTOMER);
	/* any truncation is refused, *up stays as it was */
	for (size_t len = 0; len < rd_left(&rest); len++) {
		struct bmp_peer_up none = { .local_port = 7 };

		assert_false(bmp_peer_up_decode(rd_init(rest.p, len), &peer, &none));
		assert_int_equal(none.local_port, 7);
	}
	wr_fini(&msg);
}

static bool down_of(const char *raw, size_t len, struct bmp_peer_down *down)
{
	return bmp_peer_down_decode(rd_init(raw, len), down);
}

static void test_peer_down(void **state)
{
	static const char notification[] = "\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
					   "\xff\xff\xff\xff\xff\xff\0\x15\3\6\2";
	struct bmp_peer_down down;

	assert_true(down_of(notification, 22, &down));
	assert_int_equal(down.reason, BMP_DOWN_REMOTE_NOTIFICATION);
	assert_int_equal(down.code, 6);
	assert_int_equal(down.subcode, 2);
	/* what cannot be read does not make the peer less down */
	assert_true(down_of(notification, 10, &down));
	assert_int_equal(down.code, 0);
	assert_true(down_of("\2\0\x12", 3, &down));
	assert_int_equal(down.fsm_event, 18);
	assert_true(down_of("\4", 1, &down));
	assert_true(down_of("\xc8", 1, &down));
	assert_int_equal(down.reason, 200);
	assert_false(down_of("", 0, &down));
}

static void sum(uint16_t type, uint64_t value, void *arg)
{
	uint64_t *total = arg;

	*total = *total * 1000 + type * 100 + value;
}

static void test_statistics(void **state)
{
	static const uint8_t raw[] = { 0, 0, 0, 3, 0, 1, 0, 4, 0, 0, 0, 5, 0, 7, 0,
				       8, 0, 0, 0, 0, 0, 0, 0, 6, 0, 9, 0, 1, 1 };
	uint64_t total = 0;

	assert_true(bmp_statistics_decode(rd_init(raw, sizeof(raw)), sum, &total));
	assert_true(total == 105706);
	/* fewer or more than announced */
	total = 0;
	assert_false(bmp_statistics_decode(rd_init(raw, 24), sum, &total));
	assert_false(bmp_statistics_decode(rd_init(raw, sizeof(raw) - 1), sum, &total));
	assert_false(bmp_statistics_decode(rd_init(raw, 3), sum, &total));
	assert_true(total == 0);
	assert_true(bmp_statistics_decode(rd_init("\0\0\0\0", 4), NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),	  cmocka_unit_test(test_peer_header),
		cmocka_unit_test(test_tlvs),	  cmocka_unit_test(test_peer_up),
		cmocka_unit_test(test_peer_down), cmocka_unit_test(test_statistics),
	};

	return cmocka_run_group_tests_name("bmp", tests, NULL, NULL);
}
