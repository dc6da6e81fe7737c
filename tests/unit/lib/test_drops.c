/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/drops.h"

static const uint8_t udp4[] = {
	0x46, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18, 7, 9, 192, 0, 2, 1,
	1, 1, 1, 1, /* an option: the header has six words */
	0x13, 0x88, 0, 53, 0, 8, 0, 0,
};

static void packets_are_read(void **state)
{
	struct drop row = { .interface = "eth0", .samples = 3 };
	char text[DROP_WHAT_SIZE], address[IP_TEXT_SIZE];

	(void)state;
	assert_true(drop_parse(udp4, sizeof(udp4), &row));
	assert_string_equal(ip_addr_format(&row.source, address), "198.18.7.9");
	assert_string_equal(ip_addr_format(&row.destination, address), "192.0.2.1");
	assert_string_equal(drop_what(&row, text), "udp 53");
	assert_string_equal(row.interface, "eth0");
	assert_int_equal(row.samples, 3);
	assert_int_equal(row.bytes, 32);
}

/* A sample is cut, and a forger writes what he likes. */
static void cut_packets_are_not_overread(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof(udp4); len++) {
		struct drop row = { 0 };

		assert_int_equal(drop_parse(udp4, len, &row), len >= 20);
		if (len >= 20)
			assert_int_equal(row.port, len >= 28 ? 53 : DROPS_NO_PORT);
	}
}

static void extensions_are_skipped(void **state)
{
	uint8_t p[40 + 16 + 8 + 4] = { 0x60, [6] = 0 /* hop by hop */ };
	char text[DROP_WHAT_SIZE];
	struct drop row = { 0 };

	(void)state;
	p[8] = 0x20;
	p[9] = 0x01;
	p[40] = 44; /* fragment */
	p[41] = 1;  /* 16 bytes */
	p[56] = 58; /* ICMPv6 */
	p[64] = 128;
	assert_true(drop_parse(p, sizeof(p), &row));
	assert_string_equal(drop_what(&row, text), "icmpv6 type 128");
	assert_int_equal(row.bytes, 40);
	p[59] = 8; /* not the first fragment */
	assert_true(drop_parse(p, sizeof(p), &row));
	assert_string_equal(drop_what(&row, text), "icmpv6");
	p[40] = 0; /* hop by hop for ever: not followed beyond the bound */
	assert_true(drop_parse(p, sizeof(p), &row));
	p[0] = 0x50;
	assert_false(drop_parse(p, sizeof(p), &row));
}

static struct drop sample(uint32_t source, uint32_t port)
{
	return (struct drop){ .interface = "eth0",
			      .source = { source, IP_V4 },
			      .protocol = 17,
			      .port = port,
			      .samples = 1,
			      .bytes = 100 };
}

static void networks_are_one_row(void **state)
{
	struct drop a = sample(0xc6120001, 53), b = sample(0xc61200ff, 53),
		    c = sample(0xc6120101, 53), out[8];
	struct drops d;

	(void)state;
	drops_init(&d, 8);
	drops_add(&d, &a, 1000);
	drops_add(&d, &b, 2000);
	drops_add(&d, &c, 3000);
	assert_int_equal(drops_top(&d, NULL, out, 8), 2);
	assert_int_equal(out[0].samples, 2);
	assert_true(out[0].source.v == 0xc61200ff);
	assert_int_equal(out[0].first_ms, 1000);
	assert_int_equal(out[0].bytes, 200);
	assert_int_equal(drops_top(&d, "eth1", out, 8), 0);
	assert_int_equal(drops_take(&d, out, 8), 2);
	assert_int_equal(drops_take(&d, out, 8), 0);
	drops_add(&d, &a, 4000);
	assert_int_equal(drops_take(&d, out, 8), 1);
	assert_int_equal(out[0].samples, 1);
	assert_int_equal(out[0].bytes, 100);
	drops_expire(&d, 3000 + DROPS_IDLE_MS);
	assert_int_equal(d.n, 1);
	drops_fini(&d);
}

/* One in three packets from one network among all that can be forged. */
static void the_frequent_stay_when_all_sources_are_forged(void **state)
{
	struct drop heavy = sample(0x0a000001, 80), out[4];
	struct drops d;
	uint64_t count = 0;

	(void)state;
	drops_init(&d, 64);
	for (uint32_t i = 0; i < 30000; i++) {
		struct drop other = sample(0x40000000 + i * 1024, i % 7);

		drops_add(&d, i % 3 == 0 ? &heavy : &other, i);
		count += i % 3 == 0;
	}
	assert_int_equal(d.n, 64);
	assert_int_equal(d.samples, 30000);
	assert_int_equal(drops_top(&d, NULL, out, 4), 4);
	assert_true(out[0].source.v == heavy.source.v);
	assert_in_range(out[0].samples, count, count + out[0].doubt);
	drops_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_read),
		cmocka_unit_test(cut_packets_are_not_overread),
		cmocka_unit_test(extensions_are_skipped),
		cmocka_unit_test(networks_are_one_row),
		cmocka_unit_test(the_frequent_stay_when_all_sources_are_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
