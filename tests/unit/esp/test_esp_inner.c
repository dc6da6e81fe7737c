/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/esp/esp_inner.h"
#include "ipsec/esp/esp_sum.h"

static const uint8_t v4_udp[] = { 0x45, 0xb8, 0, 32, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1,
				  198, 51, 100, 2, 0x13, 0x88, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4 };

static void test_reads_ipv4(void **state)
{
	struct esp_inner in;

	assert_int_equal(esp_inner_read(v4_udp, sizeof(v4_udp), &in), 0);
	assert_int_equal(in.family, IP_V4);
	assert_int_equal(in.proto, 17);
	assert_int_equal(in.tos, 0xb8);
	assert_true(in.df && !in.fragment && in.has_ports);
	assert_int_equal(in.header, 20);
	assert_int_equal(in.len, 32);
	assert_int_equal(in.sport, 5000);
	assert_int_equal(in.dport, 53);
	assert_true(in.src.v == 0xc0000201 && in.dst.v == 0xc6336402);
}

static void test_every_length_that_is_cut_is_refused(void **state)
{
	struct esp_inner in;

	for (size_t len = 0; len < sizeof(v4_udp); len++) {
		uint8_t *copy = malloc(len + 1); /* so that a tool sees a read too far */

		memcpy(copy, v4_udp, len);
		assert_int_equal(esp_inner_read(copy, len, &in), -1);
		free(copy);
	}
}

static void test_ports_of_a_later_fragment_are_not_read(void **state)
{
	struct esp_inner in;
	uint8_t p[sizeof(v4_udp)];

	memcpy(p, v4_udp, sizeof(p));
	p[6] = 0x20; /* first of several: ports are there */
	assert_int_equal(esp_inner_read(p, sizeof(p), &in), 0);
	assert_true(in.fragment && in.has_ports);
	p[7] = 10;
	assert_int_equal(esp_inner_read(p, sizeof(p), &in), 0);
	assert_true(in.fragment && !in.has_ports);
}

static void test_header_lengths_that_lie(void **state)
{
	struct esp_inner in;
	uint8_t p[sizeof(v4_udp)];

	memcpy(p, v4_udp, sizeof(p));
	p[0] = 0x44;
	assert_int_equal(esp_inner_read(p, sizeof(p), &in), -1);
	p[0] = 0x4f;
	assert_int_equal(esp_inner_read(p, sizeof(p), &in), -1);
	p[0] = 0x45;
	p[3] = 19;
	assert_int_equal(esp_inner_read(p, sizeof(p), &in), -1);
	p[3] = 33;
	assert_int_equal(esp_inner_read(p, sizeof(p), &in), -1);
	p[0] = 0x55;
	p[3] = 32;
	assert_int_equal(esp_inner_read(p, sizeof(p), &in), -1);
}

/* A hop-by-hop header, a fragment header, a destination header, then UDP. */
static size_t v6_chain(uint8_t *p, uint16_t fragment_offset)
{
	static const uint8_t head[] = { 0x6b, 0x80, 0, 0, 0, 36, 0, 64 };

	memset(p, 0, 76);
	memcpy(p, head, sizeof(head));
	p[8] = 0x20;
	p[24] = 0x20;
	p[40] = 44; /* hop-by-hop, 8 bytes */
	p[48] = 60; /* fragment */
	p[50] = (uint8_t)(fragment_offset >> 5);
	p[51] = (uint8_t)(fragment_offset << 3);
	p[56] = 17; /* destination options, 8 bytes */
	p[64] = 0x13;
	p[65] = 0x88;
	p[67] = 53;
	return 76;
}

static void test_follows_ipv6_extension_headers(void **state)
{
	struct esp_inner in;
	uint8_t p[80];
	size_t len = v6_chain(p, 0);

	assert_int_equal(esp_inner_read(p, len, &in), 0);
	assert_int_equal(in.family, IP_V6);
	assert_int_equal(in.tos, 0xb8);
	assert_int_equal(in.proto, 17);
	assert_int_equal(in.header, 64);
	assert_true(in.fragment && in.has_ports && in.df);
	assert_int_equal(in.sport, 5000);
	len = v6_chain(p, 100);
	assert_int_equal(esp_inner_read(p, len, &in), 0);
	assert_int_equal(in.proto, 60); /* what the fragment says it goes on with */
	assert_false(in.has_ports);
	for (size_t cut = 0; cut < 76; cut++) {
		v6_chain(p, 0);
		assert_int_equal(esp_inner_read(p, cut, &in), -1);
	}
}

static void test_endless_extension_headers_are_refused(void **state)
{
	struct esp_inner in;
	uint8_t p[40 + 20 * 8] = { 0x60, 0, 0, 0, 0, 20 * 8, 60, 64 };

	for (unsigned int i = 0; i < 20; i++)
		p[40 + 8 * i] = 60;
	assert_int_equal(esp_inner_read(p, sizeof(p), &in), -1);
}

/* RFC 6040 figure 4: rows are the inner field, columns the outer one. */
static void test_congestion_is_told_inside(void **state)
{
	static const int figure[4][4] = {
		/* outer: none, ECT(1), ECT(0), CE; the numbers of the field */
		[0] = { 0, 0, 0, -1 },
		[1] = { 1, 1, 1, 3 },
		[2] = { 2, 1, 2, 3 },
		[3] = { 3, 3, 3, 3 },
	};

	for (unsigned int inner = 0; inner < 4; inner++)
		for (unsigned int outer = 0; outer < 4; outer++)
			for (unsigned int v6 = 0; v6 < 2; v6++) {
				uint8_t p[80];
				struct esp_inner in;
				int want = figure[inner][outer];

				if (v6) {
					v6_chain(p, 0);
					p[1] = (uint8_t)(0x80 | inner << 4);
				} else {
					memcpy(p, v4_udp, sizeof(v4_udp));
					p[1] = (uint8_t)(0xb8 | inner);
				}
				assert_int_equal(esp_inner_read(p, v6 ? 76 : 32, &in), 0);
				assert_int_equal(esp_inner_ecn(p, &in, (uint8_t)(0x40 | outer)), want < 0 ? -1 : 0);
				if (want < 0)
					continue;
				assert_int_equal(in.tos, 0xb8 | want);
				assert_int_equal(esp_inner_read(p, v6 ? 76 : 32, &in), 0);
				assert_int_equal(in.tos, 0xb8 | want);
				if (!v6 && want != (int)inner)
					assert_int_equal(esp_sum_fold(esp_sum_add(0, p, 20)), 0xffff);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_ipv4),
		cmocka_unit_test(test_every_length_that_is_cut_is_refused),
		cmocka_unit_test(test_ports_of_a_later_fragment_are_not_read),
		cmocka_unit_test(test_header_lengths_that_lie),
		cmocka_unit_test(test_follows_ipv6_extension_headers),
		cmocka_unit_test(test_endless_extension_headers_are_refused),
		cmocka_unit_test(test_congestion_is_told_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
