/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Packets that are too long: the message to the sender, fragments that give the
 * whole again, and MSS options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_fit.h"
#include "ipsec/esp/esp_sum.h"
#include "tests/unit/esp/packets.h"

static uint8_t packet[PACKET_MAX], out[PACKET_MAX], whole[PACKET_MAX];

static const struct packet_conf udp4 = { .proto = 17, .last_src = 1, .last_dst = 2, .sport = 9, .dport = 10, .id = 77, .payload = 3000 };
static const struct packet_conf udp6 = { .v6 = true, .proto = 17, .last_src = 1, .last_dst = 2, .sport = 9, .dport = 10, .payload = 3000 };

static struct esp_inner make(const struct packet_conf *conf)
{
	struct esp_inner in;
	size_t len = packet_make(conf, packet);

	assert_int_equal(esp_inner_read(packet, len, &in), 0);
	return in;
}

static void test_too_big_goes_to_the_source_and_quotes_the_packet(void **state)
{
	struct esp_inner in = make(&udp4), answer;
	size_t len = esp_too_big(packet, &in, 1234, out);

	assert_int_equal(len, 576);
	assert_int_equal(esp_inner_read(out, len, &answer), 0);
	assert_true(ip_addr_equal(&answer.dst, &in.src));
	assert_true(ip_addr_equal(&answer.src, &in.dst));
	assert_int_equal(answer.proto, 1);
	assert_int_equal(esp_sum_fold(esp_sum_add(0, out, 20)), 0xffff);
	assert_int_equal(esp_sum_fold(esp_sum_add(0, out + 20, len - 20)), 0xffff);
	assert_memory_equal(out + 20, "\x03\x04", 2);
	assert_int_equal(esp_get16(out + 26), 1234);
	assert_memory_equal(out + 28, packet, len - 28);
}

static void test_too_big_of_ipv6_fits_the_least_mtu(void **state)
{
	struct esp_inner in = make(&udp6), answer;
	size_t len = esp_too_big(packet, &in, 1300, out);

	assert_int_equal(len, 1280);
	assert_int_equal(esp_inner_read(out, len, &answer), 0);
	assert_true(ip_addr_equal(&answer.dst, &in.src));
	assert_int_equal(answer.proto, 58);
	assert_int_equal(out[40], 2);
	assert_int_equal(esp_get32(out + 44), 1300);
	assert_true(packet_is_right(out, len));
}

static void test_nobody_is_told_about_errors_fragments_and_groups(void **state)
{
	struct packet_conf conf = udp4;
	struct esp_inner in = make(&conf);

	in.fragment = true;
	in.has_ports = false;
	assert_int_equal(esp_too_big(packet, &in, 1000, out), 0);
	in = make(&conf);
	in.dst.v = 0xe0000001;
	assert_int_equal(esp_too_big(packet, &in, 1000, out), 0);
	in = make(&conf);
	in.src.v = 0;
	assert_int_equal(esp_too_big(packet, &in, 1000, out), 0);
	conf.proto = 1; /* type 0, an echo's answer: told; then unreachable: not */
	in = make(&conf);
	assert_int_not_equal(esp_too_big(packet, &in, 1000, out), 0);
	in.sport = 3 << 8 | 1;
	assert_int_equal(esp_too_big(packet, &in, 1000, out), 0);
}

/* The receiver's work, the plain way. */
static size_t put_together(const struct esp_inner *in, uint32_t mtu)
{
	uint32_t n = esp_fragments(in, mtu);
	size_t total = 0;

	for (uint32_t i = n; i-- > 0;) {
		struct esp_inner piece;
		size_t len = esp_fragment_put(packet, in, mtu, i, out), at;

		assert_int_equal(len, esp_fragment_length(in, mtu, i));
		assert_true(len <= mtu);
		assert_int_equal(esp_inner_read(out, len, &piece), 0);
		assert_int_equal(piece.len, len);
		assert_int_equal(esp_sum_fold(esp_sum_add(0, out, 20)), 0xffff);
		assert_int_equal(esp_get16(out + 4), esp_get16(packet + 4));
		at = ((size_t)esp_get16(out + 6) & 0x1fff) * 8;
		assert_int_equal((out[6] & 0x20) != 0, i + 1 < n);
		memcpy(whole + at, out + 20, len - 20);
		total += len - 20;
	}
	return total;
}

static void test_fragments_give_the_whole_again(void **state)
{
	static const uint32_t mtus[] = { 68, 576, 577, 1280, 1399, 1400, 2999, 3027, 3028 };

	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		struct esp_inner in = make(&udp4);

		assert_int_equal(put_together(&in, mtus[i]), in.len - 20);
		assert_memory_equal(whole, packet + 20, in.len - 20);
	}
}

static void test_a_fragment_is_cut_where_it_lies(void **state)
{
	struct esp_inner in = make(&udp4);

	esp_put16(packet + 6, 0x2000 | 100);
	in.fragment = true;
	esp_fragment_put(packet, &in, 576, esp_fragments(&in, 576) - 1, out);
	assert_true(out[6] & 0x20); /* its own last part is not the last */
	esp_fragment_put(packet, &in, 576, 1, out);
	assert_int_equal(esp_get16(out + 6) & 0x1fff, 100 + 552 / 8);
}

static void test_what_cannot_be_cut(void **state)
{
	struct esp_inner in = make(&udp6);

	assert_int_equal(esp_fragments(&in, 1280), 0);
	in = make(&udp4);
	assert_int_equal(esp_fragments(&in, 27), 0);
	in.header = 24;
	assert_int_equal(esp_fragments(&in, 1280), 0);
}

/* A SYN with MSS behind other options. */
static struct esp_inner make_syn(bool v6, uint8_t nops, uint16_t mss)
{
	struct packet_conf conf = { .v6 = v6, .proto = 6, .last_src = 1, .last_dst = 2, .flags = 0x02, .options = 12 };
	struct esp_inner in = make(&conf);
	uint8_t *tcp = packet + in.header, field[2] = { 0, 0 };

	memset(tcp + 20, 1, 12);
	tcp[20 + nops] = 2;
	tcp[21 + nops] = 4;
	esp_put16(tcp + 22 + nops, mss);
	/* the checksum anew, by what packets.c says is right */
	esp_put16(tcp + 16, 0);
	esp_put16(field, esp_sum_final(esp_sum_add(v6 ? esp_sum_pseudo(IP_V6, packet + 8, packet + 24, 6, in.len - in.header) :
							esp_sum_pseudo(IP_V4, packet + 12, packet + 16, 6, in.len - in.header),
						   tcp, in.len - in.header),
				       false));
	memcpy(tcp + 16, field, 2);
	assert_true(packet_is_right(packet, in.len));
	return in;
}

static void test_mss_is_lowered_and_the_checksum_stays_right(void **state)
{
	for (unsigned int v6 = 0; v6 < 2; v6++)
		for (uint8_t nops = 0; nops < 4; nops++) { /* at odd places too */
			struct esp_inner in = make_syn(v6, nops, 1460);

			assert_true(esp_mss_clamp(packet, &in, 1400, false));
			assert_int_equal(esp_get16(packet + in.header + 22 + nops), 1400 - (v6 ? 60 : 40));
			assert_true(packet_is_right(packet, in.len));
			assert_false(esp_mss_clamp(packet, &in, 1500, false));
		}
}

static void test_mss_of_an_unfinished_packet_leaves_the_checksum(void **state)
{
	struct esp_inner in = make_syn(false, 0, 1460);
	uint8_t sum[2];

	memcpy(sum, packet + in.header + 16, 2);
	assert_true(esp_mss_clamp(packet, &in, 1000, true));
	assert_memory_equal(sum, packet + in.header + 16, 2);
}

static void test_options_that_lie_are_left_alone(void **state)
{
	static const uint8_t bad[][4] = { { 2, 0, 5, 180 }, { 2, 3, 5, 180 }, { 8, 200, 2, 4 }, { 0, 2, 4, 5 }, { 3, 1, 2, 4 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct esp_inner in = make_syn(false, 0, 1460);

		memset(packet + in.header + 20, 1, 12);
		memcpy(packet + in.header + 20, bad[i], 4);
		memcpy(whole, packet, in.len);
		assert_false(esp_mss_clamp(packet, &in, 576, false));
		assert_memory_equal(whole, packet, in.len);
	}
	/* an option that begins with the last byte; a header longer than the packet */
	{
		struct esp_inner in = make_syn(false, 0, 1460);

		memset(packet + in.header + 20, 1, 11);
		packet[in.header + 31] = 2;
		assert_false(esp_mss_clamp(packet, &in, 576, false));
		packet[in.header + 12] = 0xf0;
		assert_false(esp_mss_clamp(packet, &in, 576, false));
	}
}

static void test_only_syns_are_touched(void **state)
{
	struct esp_inner in = make_syn(false, 0, 1460);

	packet[in.header + 13] = 0x10;
	assert_false(esp_mss_clamp(packet, &in, 576, false));
}

static void test_a_changed_sum_is_the_sum_anew(void **state)
{
	uint8_t data[40], field[2];

	for (unsigned int seed = 0; seed < 2000; seed++) {
		uint8_t new[6];
		size_t at = seed % 30, len = seed % 7;

		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)((seed + i) * 2654435761u >> 24);
		for (size_t i = 0; i < sizeof(new); i++)
			new[i] = (uint8_t)((seed + i) * 40503u >> 8);
		esp_put16(field, esp_sum_final(esp_sum_add(0, data, sizeof(data)), false));
		esp_sum_change(field, data + at, new, at, len);
		memcpy(data + at, new, len);
		assert_int_equal(esp_sum_fold(esp_sum_add(esp_get16(field), data, sizeof(data))), 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_big_goes_to_the_source_and_quotes_the_packet),
		cmocka_unit_test(test_too_big_of_ipv6_fits_the_least_mtu),
		cmocka_unit_test(test_nobody_is_told_about_errors_fragments_and_groups),
		cmocka_unit_test(test_fragments_give_the_whole_again),
		cmocka_unit_test(test_a_fragment_is_cut_where_it_lies),
		cmocka_unit_test(test_what_cannot_be_cut),
		cmocka_unit_test(test_mss_is_lowered_and_the_checksum_stays_right),
		cmocka_unit_test(test_mss_of_an_unfinished_packet_leaves_the_checksum),
		cmocka_unit_test(test_options_that_lie_are_left_alone),
		cmocka_unit_test(test_only_syns_are_touched),
		cmocka_unit_test(test_a_changed_sum_is_the_sum_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
