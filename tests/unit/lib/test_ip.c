/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/ip.h"

static const u128 v6_max = ~(u128)0;

static u128 make(uint64_t hi, uint64_t lo)
{
	return (u128)hi << 64 | lo;
}

static void sizes(void **state)
{
	assert_int_equal(ip_bits(IP_V4), 32);
	assert_int_equal(ip_bits(IP_V6), 128);
	assert_int_equal(ip_bytes(IP_V4), 4);
	assert_int_equal(ip_bytes(IP_V6), 16);
	assert_true(ip_max(IP_V4) == 0xffffffff);
	assert_true(ip_max(IP_V6) == v6_max);
}

static void bytes_round_trip(void **state)
{
	uint8_t in[16], out[16];

	srand(3);
	for (int round = 0; round < 1000; round++) {
		enum ip_family family = round % 2 ? IP_V6 : IP_V4;

		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)rand();
		ip_to_bytes(ip_from_bytes(in, family), family, out);
		assert_memory_equal(in, out, ip_bytes(family));
	}
	assert_true(ip_from_bytes((const uint8_t *)"\xc0\0\2\1", IP_V4) == 0xc0000201);
}

static void addresses_parse_and_print(void **state)
{
	static const struct {
		const char *in, *out;
		enum ip_family family;
		uint64_t hi, lo;
	} good[] = {
		{ "0.0.0.0", "0.0.0.0", IP_V4, 0, 0 },
		{ "255.255.255.255", "255.255.255.255", IP_V4, 0, 0xffffffff },
		{ "192.0.2.1", "192.0.2.1", IP_V4, 0, 0xc0000201 },
		{ "::", "::", IP_V6, 0, 0 },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", IP_V6, 0x20010db800000000, 1 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_V6, UINT64_MAX,
		  UINT64_MAX },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", IP_V6, 0, 0xffffc0000201 },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char buf[IP_TEXT_SIZE];
		struct ip_addr addr;

		assert_true(ip_addr_parse(good[i].in, &addr));
		assert_int_equal(addr.family, good[i].family);
		assert_true(addr.v == make(good[i].hi, good[i].lo));
		assert_string_equal(ip_addr_format(&addr, buf), good[i].out);
	}
}

static void bad_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"1.2.3.-4",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.4/8",
		"01.2.3.4x",
		"::1::",
		":::",
		"12345::",
		"::g",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"fe80::1%eth0",
		"[::1]",
		"0x7f.0.0.1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ip_addr addr = { 42, IP_V6 };

		if (ip_addr_parse(bad[i], &addr))
			fail_msg("accepted \"%s\"", bad[i]);
		assert_true(addr.v == 42);
	}
}

static void prefixes_round_trip(void **state)
{
	srand(4);
	for (int round = 0; round < 5000; round++) {
		enum ip_family family = round % 2 ? IP_V6 : IP_V4;
		struct ip_prefix p, back = { 0 };
		char buf[IP_TEXT_SIZE];
		uint8_t raw[16];

		for (size_t i = 0; i < sizeof(raw); i++)
			raw[i] = (uint8_t)rand();
		p = ip_prefix_make(family, ip_from_bytes(raw, family),
				   (unsigned int)rand() % (ip_bits(family) + 1));
		assert_int_equal(ip_prefix_parse(ip_prefix_format(&p, buf), &back),
				 IP_PARSE_OK);
		assert_int_equal(ip_prefix_cmp(&p, &back), 0);
	}
}

static void prefix_texts(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"10.0.0.0",
		"10.0.0.0/",
		"/8",
		"10.0.0.0/33",
		"::/129",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/8 ",
		"10.0.0.0/ 8",
		"10.0.0.0//8",
		"10.0.0.0/8/8",
		"10.0.0.0/0008",
		"10.0.0.0/4294967304",
		"10/8",
		"::/1281",
		"1111111111111111111111111111111111111111111111111111111111111111111/8",
	};
	struct ip_prefix p = { 42, IP_V6, 7 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ip_prefix_parse(bad[i], &p) != IP_PARSE_SYNTAX)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_true(p.v == 42 && p.family == IP_V6 && p.len == 7);
	}
	assert_int_equal(ip_prefix_parse("10.1.2.3/8", &p), IP_PARSE_HOST_BITS);
	assert_true(p.v == 0x0a000000);
	assert_int_equal(p.len, 8);
	assert_int_equal(ip_prefix_parse("::1/0", &p), IP_PARSE_HOST_BITS);
	assert_true(p.v == 0);
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &p), IP_PARSE_OK);
	assert_int_equal(ip_prefix_parse("::/0", &p), IP_PARSE_OK);
	assert_int_equal(ip_prefix_parse("255.255.255.255/32", &p), IP_PARSE_OK);
	assert_int_equal(
		ip_prefix_parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", &p),
		IP_PARSE_OK);
}

/* Every length: last, contains and covers agree with each other. */
static void prefix_bounds(void **state)
{
	for (enum ip_family family = IP_V4; family <= IP_V6; family++) {
		for (unsigned int len = 0; len <= ip_bits(family); len++) {
			u128 inside = ip_max(family) / 3;
			struct ip_prefix p = ip_prefix_make(family, inside, len);
			u128 last = ip_prefix_last(&p);
			struct ip_prefix half;

			assert_true(ip_prefix_contains(&p, family, p.v));
			assert_true(ip_prefix_contains(&p, family, last));
			assert_true(ip_prefix_contains(&p, family, inside));
			if (p.v != 0)
				assert_false(ip_prefix_contains(&p, family, p.v - 1));
			if (last != ip_max(family))
				assert_false(ip_prefix_contains(&p, family, last + 1));
			assert_false(ip_prefix_contains(&p, 1 - family, p.v));
			assert_true(ip_prefix_covers(&p, &p));
			if (len == ip_bits(family)) {
				assert_true(p.v == last);
				continue;
			}
			half = ip_prefix_make(family, last, len + 1);
			assert_true(ip_prefix_covers(&p, &half));
			assert_false(ip_prefix_covers(&half, &p));
			assert_true(half.v - p.v == last - half.v + 1);
		}
	}
}

static void order(void **state)
{
	struct ip_prefix a = ip_prefix_make(IP_V4, 0x0a000000, 8);
	struct ip_prefix b = ip_prefix_make(IP_V4, 0x0a000000, 9);
	struct ip_prefix c = ip_prefix_make(IP_V4, 0xffffffff, 32);
	struct ip_prefix d = ip_prefix_make(IP_V6, 0, 0);

	assert_true(ip_prefix_cmp(&a, &b) < 0);
	assert_true(ip_prefix_cmp(&b, &c) < 0);
	assert_true(ip_prefix_cmp(&c, &d) < 0);
	assert_true(ip_prefix_cmp(&d, &a) > 0);
	assert_int_equal(ip_prefix_cmp(&a, &a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(bytes_round_trip),
		cmocka_unit_test(addresses_parse_and_print),
		cmocka_unit_test(bad_addresses),
		cmocka_unit_test(prefixes_round_trip),
		cmocka_unit_test(prefix_texts),
		cmocka_unit_test(prefix_bounds),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
