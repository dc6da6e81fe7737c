/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * IP in IP inside an SA, between the two workers of ends.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"
#include "tests/unit/esp/ends.h"

#define END_LEFT  0xcb007101u /* 203.0.113.1 */
#define END_RIGHT 0xcb007102u

/* Both sides have new SAs; a side that has no IP in IP shows what is in ESP. */
static void put_ends(const struct esp_ipip two, bool left, bool right)
{
	for (unsigned int side = 0; side < 2; side++) {
		between = (side == LEFT ? left : right) ? two : (struct esp_ipip){ 0 };
		esp_worker_del(ends[side].worker, 0x1000 + side);
		add_sa(side, IPIP, false, true);
	}
	between = (struct esp_ipip){ 0 };
}

static void put_between(bool left, bool right)
{
	put_ends((struct esp_ipip){ { END_LEFT, IP_V4 }, { END_RIGHT, IP_V4 } }, left, right);
}

/* An IPv4 header in front of len bytes at packet + 20; returns the whole's length. */
static size_t put_outer(uint32_t src, uint32_t dst, uint8_t proto, uint16_t fragment, size_t len)
{
	memset(packet, 0, 20);
	packet[0] = 0x45;
	esp_put16(packet + 2, (uint16_t)(20 + len));
	esp_put16(packet + 6, fragment);
	packet[8] = 64;
	packet[9] = proto;
	esp_put32(packet + 12, src);
	esp_put32(packet + 16, dst);
	esp_put16(packet + 10, esp_sum_final(esp_sum_add(0, packet, 20), false));
	return 20 + len;
}

static void test_ip_in_ip_carries_what_the_selectors_do_not_have(void **state)
{
	struct packet_conf conf = small;
	size_t len, total = 0;

	put_between(true, true);
	expect_small();
	assert_int_equal(ends[LEFT].room, 1418); /* its header is 20 */
	conf.v6 = true;
	leave(&conf);
	arrive();
	len = packet_make(&conf, packet);
	assert_int_equal(got(RIGHT, back), len);
	assert_memory_equal(back, packet, len);
	/* a train from the kernel */
	conf = (struct packet_conf){ .proto = 6, .last_src = 1, .last_dst = 2, .df = true, .flags = 0x10, .payload = 60000 };
	len = packet_make(&conf, packet);
	put_frame(&(struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1378, .hdr_len = 40,
					    .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 20, .csum_offset = 16 },
		  packet, len);
	assert_int_equal(counters(LEFT).too_big, 0);
	arrive();
	while ((len = got(RIGHT, back)) > 0)
		total += len - 40;
	assert_int_equal(total, 60000);
}

static void test_ip_in_ip_tells_how_much_fits(void **state)
{
	struct packet_conf conf = small;
	size_t total = 0, n;

	put_between(true, true);
	conf.payload = 1418;
	conf.df = true;
	leave(&conf);
	assert_int_equal(counters(LEFT).too_big, 1);
	assert_true(got(LEFT, back) > 28);
	assert_int_equal(esp_get16(back + 26), 1418);
	conf.payload = 1418 - 28;
	leave(&conf);
	arrive();
	assert_int_equal(got(RIGHT, back), 1418);
	conf.payload = 4000;
	conf.df = false;
	leave(&conf);
	arrive();
	while ((n = got(RIGHT, back)) > 0) {
		assert_true(n <= 1418);
		total += n - 20;
	}
	assert_int_equal(total, 4008);
}

static void test_ip_in_ip_is_a_header_of_the_two_ends(void **state)
{
	struct packet_conf conf = small;
	struct esp_inner outer;
	size_t len;

	put_between(true, false);
	conf.tos = 0xb9;
	leave(&conf);
	arrive();
	len = packet_make(&conf, packet);
	assert_int_equal(got(RIGHT, back), 20 + len);
	assert_int_equal(esp_inner_read(back, 20 + len, &outer), 0);
	assert_int_equal(outer.proto, ESP_NEXT_V4);
	assert_int_equal(outer.src.v, END_LEFT);
	assert_int_equal(outer.dst.v, END_RIGHT);
	assert_int_equal(outer.tos, 0xb9);
	assert_true(outer.df);
	assert_int_equal(esp_sum_fold(esp_sum_add(0, back, 20)), 0xffff);
	assert_memory_equal(back + 20, packet, len);
	/* what the ends say to each other has none, and other hosts of the /30 have */
	packet_make(&small, packet + 20);
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, put_outer(END_LEFT, END_RIGHT, 17, 0, 60));
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, put_outer(END_LEFT, END_RIGHT + 1, 17, 0, 60));
	arrive();
	assert_int_equal(got(RIGHT, back), 80);
	assert_int_equal(got(RIGHT, back), 100);
}

static void test_ip_in_ip_between_ipv6_addresses(void **state)
{
	const u128 net = (u128)0x20010db800030000 << 64;
	const struct esp_ipip two = { { net + 1, IP_V6 }, { net + 2, IP_V6 } };
	struct packet_conf conf = small;
	struct esp_inner outer;
	size_t len;

	put_ends(two, true, true);
	expect_small();
	assert_int_equal(ends[LEFT].room, 1398); /* its header is 40 */
	conf.v6 = true;
	leave(&conf);
	arrive();
	len = packet_make(&conf, packet);
	assert_int_equal(got(RIGHT, back), len);
	assert_memory_equal(back, packet, len);
	add_sa(RIGHT, IPIP + 1, false, true);
	between = two;
	add_sa(LEFT, IPIP + 1, false, true);
	between = (struct esp_ipip){ 0 };
	leave(&small);
	arrive();
	len = packet_make(&small, packet);
	assert_int_equal(got(RIGHT, back), 40 + len);
	assert_int_equal(esp_inner_read(back, 40 + len, &outer), 0);
	assert_int_equal(outer.family, IP_V6);
	assert_int_equal(outer.proto, ESP_NEXT_V4);
	assert_true(ip_addr_equal(&outer.src, &two.local) && ip_addr_equal(&outer.dst, &two.remote));
	assert_memory_equal(back + 40, packet, len);
}

static void test_ip_in_ip_that_lies_is_counted(void **state)
{
	size_t len = packet_make(&small, packet + 20);
	struct esp_worker_counters c;

	put_between(false, true);
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, put_outer(END_LEFT, END_RIGHT, ESP_NEXT_V4, 0, len));
	arrive();
	assert_int_equal(got(RIGHT, back), len);
	assert_memory_equal(back, packet + 20, len);
	/* a part of one, nothing inside, half a packet inside, one of the other family */
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, put_outer(END_LEFT, END_RIGHT, ESP_NEXT_V4, 0x2000, len));
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, put_outer(END_LEFT, END_RIGHT, ESP_NEXT_V4, 0, 0));
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, put_outer(END_LEFT, END_RIGHT, ESP_NEXT_V4, 0, len - 1));
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, put_outer(END_LEFT, END_RIGHT, ESP_NEXT_V6, 0, len));
	arrive();
	assert_int_equal(got(RIGHT, back), 0);
	c = counters(RIGHT);
	assert_int_equal(c.verdicts[ESP_OK], 1);
	assert_int_equal(c.verdicts[ESP_BAD_INNER], 4);
	/* between others there is no IP in IP for us: it goes in as it came */
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, put_outer(END_LEFT + 2, END_RIGHT, ESP_NEXT_V4, 0, len));
	arrive();
	assert_int_equal(got(RIGHT, back), 20 + len);
}

static void test_ip_in_ip_whose_ends_are_not_agreed_upon_is_refused(void **state)
{
	struct ike_child_keys keys = { .encr = { .len = 20 } };
	const struct ike_ts_list link = net("203.0.113.0", 30, "2001:db8:3::");
	struct esp_sa_conf conf = { .tunnel = 3, .owner = 1, .spi_in = 0x2000, .spi_out = 0x2001,
				    .suite = { ENCR_AES_GCM_16, 128, AUTH_NONE }, .in = &keys, .out = &keys,
				    .local_ts = &link, .remote_ts = &link,
				    .ipip = { { END_LEFT, IP_V4 }, { END_LEFT + 3, IP_V4 } } };

	assert_int_equal(esp_worker_add(ends[LEFT].worker, &conf, true), -1);
	conf.ipip.remote.v = END_RIGHT;
	assert_int_equal(esp_worker_add(ends[LEFT].worker, &conf, true), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_ip_in_ip_carries_what_the_selectors_do_not_have),
		CASE(test_ip_in_ip_tells_how_much_fits),
		CASE(test_ip_in_ip_is_a_header_of_the_two_ends),
		CASE(test_ip_in_ip_between_ipv6_addresses),
		CASE(test_ip_in_ip_that_lies_is_counted),
		CASE(test_ip_in_ip_whose_ends_are_not_agreed_upon_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
