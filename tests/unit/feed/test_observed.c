/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/capture.h"
#include "controller/feed/observed.h"
#include "lib/wr.h"

static struct diag diag;

/* ---- lists */

static struct observed *read_bytes(const void *data, size_t len, size_t piece, int want)
{
	struct observed *o = observed_new();
	int ret = 0;

	diag.text[0] = '\0';
	for (size_t at = 0; ret == 0 && at < len; at += piece)
		ret = observed_bytes(o, (const uint8_t *)data + at,
				     len - at < piece ? len - at : piece, &diag);
	if (ret == 0)
		ret = observed_end(o, &diag);
	if (ret != want)
		fail_msg("%d, not %d: %s", ret, want, diag.text);
	return o;
}

static struct observed *read_text(const char *text, int want)
{
	return read_bytes(text, strlen(text), 3, want);
}

static void check(struct observed *o, size_t at, const char *addr, uint64_t bytes,
		  uint64_t packets)
{
	const struct observed_source *s;
	char text[IP_TEXT_SIZE];
	size_t n;

	s = observed_sources(o, &n);
	assert_true(at < n);
	assert_string_equal(ip_addr_format(&s[at].addr, text), addr);
	assert_int_equal(s[at].bytes, bytes);
	assert_int_equal(s[at].packets, packets);
}

static size_t count(struct observed *o)
{
	size_t n;

	observed_sources(o, &n);
	return n;
}

static void test_list(void **state)
{
	struct observed *o = read_text("# from the collector\r\n"
				       "\n"
				       "address,bytes,packets\r\n"
				       "198.51.100.7,1500,1\n"
				       " 2001:db8::1 ,\t40\n"
				       "  # again\n"
				       "198.51.100.7,500,2",
				       0);

	(void)state;
	assert_int_equal(count(o), 2);
	check(o, 0, "198.51.100.7", 2000, 3);
	check(o, 1, "2001:db8::1", 40, 0);
	assert_int_equal(observed_stats(o)->packets, 3);
	observed_free(o);
}

static void test_list_needs_no_heading(void **state)
{
	struct observed *o = read_text("192.0.2.1,1\n", 0);

	(void)state;
	check(o, 0, "192.0.2.1", 1, 0);
	observed_free(o);
	o = read_text("", 0);
	assert_int_equal(count(o), 0);
	observed_free(o);
	o = read_text("\n\n", 0);
	assert_int_equal(count(o), 0);
	observed_free(o);
}

static void test_list_sums_saturate(void **state)
{
	struct observed *o =
		read_text("192.0.2.1,18446744073709551615\n192.0.2.1,5\n", 0);

	(void)state;
	check(o, 0, "192.0.2.1", UINT64_MAX, 0);
	observed_free(o);
}

static void test_list_errors(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "192.0.2.1,1\naddress,bytes\n",
		  "line 2: \"address\" is not an IP address" },
		{ "192.0.2.300,1\n", "line 1: \"192.0.2.300\" is not an IP address" },
		{ "192.0.2.0/24,1\n", "line 1: \"192.0.2.0/24\" is not" },
		{ "192.0.2.1\n", "line 1: \"\" is not a number of bytes" },
		{ "192.0.2.1,-1\n", "line 1: \"-1\" is not a number of bytes" },
		{ "192.0.2.1,0x10\n", "line 1: \"0x10\" is not a number of bytes" },
		{ "192.0.2.1,18446744073709551616\n",
		  "line 1: \"18446744073709551616\"" },
		{ "192.0.2.1,1,many\n", "line 1: \"many\" is not a number of packets" },
		{ "192.0.2.1,1,1,1\n", "line 1: more than three columns" },
		{ "\x1b[31m1,1\n", "line 1: \"?[31m1\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		observed_free(read_text(cases[i].text, -1));
		if (strncmp(diag.text, cases[i].error, strlen(cases[i].error)) != 0)
			fail_msg("%s: %s", cases[i].text, diag.text);
	}
}

static void test_list_is_bounded(void **state)
{
	static char line[100000];
	struct observed *o;

	(void)state;
	memset(line, '1', sizeof(line));
	o = read_bytes(line, sizeof(line), sizeof(line), -1);
	assert_string_equal(diag.text, "line 1: the line is too long");
	observed_free(o);
	o = read_bytes("192.0.2.1\0,1\n", 13, 13, -1);
	assert_string_equal(diag.text, "line 1: this is neither text nor a pcap file");
	observed_free(o);
}

static void test_link_scope_is_left_out(void **state)
{
	struct observed *o =
		read_text("0.0.0.0,1\n::,1\nfe80::1,1\nfebf::1,1\nfec0::1,1\n", 0);

	(void)state;
	assert_int_equal(count(o), 1);
	assert_int_equal(observed_stats(o)->link_scope, 4);
	check(o, 0, "fec0::1", 1, 0);
	observed_free(o);
}

static void test_many_sources(void **state)
{
	struct observed *o = observed_new();
	char line[64];

	(void)state;
	for (unsigned int i = 0; i < 40000; i++) {
		snprintf(line, sizeof(line), "10.%u.%u.1,2\n", i % 5000 / 256, i % 256);
		assert_int_equal(observed_bytes(o, line, strlen(line), &diag), 0);
	}
	assert_int_equal(observed_end(o, &diag), 0);
	assert_int_equal(observed_stats(o)->packets, 40000);
	for (size_t i = 0, n = count(o), bytes = 0; i <= n; i++) {
		if (i == n)
			assert_int_equal(bytes, 80000);
		else
			bytes += observed_sources(o, &n)[i].bytes;
	}
	observed_free(o);
}

/* ---- captures */

static struct wr file;
static bool little;

static void put32(uint32_t v)
{
	wr_be32(&file, little ? __builtin_bswap32(v) : v);
}

static void begin(bool little_endian, uint32_t magic, uint32_t link)
{
	little = little_endian;
	file.len = 0;
	put32(magic);
	wr_be16(&file, little ? 0x0200 : 2);
	wr_be16(&file, little ? 0x0400 : 4);
	put32(0);
	put32(0);
	put32(65535);
	put32(link);
}

static void packet(const char *link_header, size_t len, const char *source,
		   uint32_t extra)
{
	uint8_t ip[40] = { 0x45 };
	struct ip_addr addr;
	size_t size = 20;

	assert_true(ip_addr_parse(source, &addr));
	if (addr.family == IP_V6) {
		ip[0] = 0x60;
		size = 40;
	}
	ip_to_bytes(addr.v, (enum ip_family)addr.family, ip + (size == 40 ? 8 : 12));
	put32(1);
	put32(2);
	put32((uint32_t)(len + size));
	put32((uint32_t)(len + size) + extra);
	wr_bytes(&file, link_header, len);
	wr_bytes(&file, ip, size);
}

#define MACS			      "\1\1\1\1\1\1\2\2\2\2\2\2"
#define PACKET(header, source, extra) packet(header, sizeof(header) - 1, source, extra)

static struct observed *read_file(int want)
{
	return read_bytes(file.data, file.len, 5, want);
}

static void test_ethernet_in_all_orders(void **state)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct observed *o;

		begin(i & 1, magics[i >> 1], 1);
		PACKET(MACS "\x08\x00", "198.51.100.1", 1000);
		PACKET(MACS "\x86\xdd", "2001:db8::1", 0);
		PACKET(MACS "\x81\x00\x00\x07\x08\x00", "198.51.100.1", 0);
		PACKET(MACS "\x88\xa8\x00\x07\x81\x00\x00\x08\x86\xdd", "2001:db8::2", 0);
		PACKET(MACS "\x08\x06", "198.51.100.9", 0); /* ARP */
		PACKET(MACS "\x86\xdd", "198.51.100.9", 0); /* lies */
		o = read_file(0);
		assert_int_equal(count(o), 3);
		check(o, 0, "198.51.100.1", 1040, 2);
		check(o, 1, "2001:db8::1", 40, 1);
		check(o, 2, "2001:db8::2", 40, 1);
		assert_int_equal(observed_stats(o)->packets, 6);
		assert_int_equal(observed_stats(o)->other, 2);
		observed_free(o);
	}
}

static void test_raw(void **state)
{
	static const uint32_t links[] = { 101, 12, 14, 228 };

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct observed *o;

		begin(true, 0xa1b2c3d4, links[i]);
		PACKET("", "198.51.100.1", 8);
		o = read_file(0);
		check(o, 0, "198.51.100.1", 28, 1);
		observed_free(o);
	}
}

static void test_cooked_leaves_out_what_was_sent(void **state)
{
	struct observed *o;

	(void)state;
	begin(true, 0xa1b2c3d4, 113);
	PACKET("\0\0\0\1\0\6\2\2\2\2\2\2\0\0\x08\x00", "198.51.100.1", 0);
	PACKET("\0\4\0\1\0\6\2\2\2\2\2\2\0\0\x08\x00", "198.51.100.2", 0);
	o = read_file(0);
	assert_int_equal(count(o), 1);
	check(o, 0, "198.51.100.1", 20, 1);
	assert_int_equal(observed_stats(o)->outgoing, 1);
	observed_free(o);
	begin(true, 0xa1b2c3d4, 276);
	PACKET("\x86\xdd\0\0\0\0\0\2\0\1\0\6\2\2\2\2\2\2\0\0", "2001:db8::1", 0);
	PACKET("\x86\xdd\0\0\0\0\0\2\0\1\4\6\2\2\2\2\2\2\0\0", "2001:db8::2", 0);
	PACKET("\x81\x00\0\0\0\0\0\2\0\1\0\6\2\2\2\2\2\2\0\0\0\7\x08\x00", "198.51.100.1",
	       0);
	o = read_file(0);
	assert_int_equal(count(o), 2);
	check(o, 0, "198.51.100.1", 20, 1);
	check(o, 1, "2001:db8::1", 40, 1);
	observed_free(o);
}

static void test_every_cut(void **state)
{
	size_t whole;

	(void)state;
	begin(true, 0xa1b2c3d4, 1);
	PACKET(MACS "\x08\x00", "198.51.100.1", 0);
	PACKET(MACS "\x86\xdd", "2001:db8::1", 0);
	whole = file.len;
	for (size_t len = CAPTURE_HEADER_BYTES; len <= whole; len++) {
		struct observed *o = read_bytes(file.data, len, len, 0);
		size_t first = CAPTURE_HEADER_BYTES + CAPTURE_RECORD_BYTES + 34;

		assert_int_equal(count(o), len < first ? 0 : len < whole ? 1 : 2);
		assert_int_equal(observed_stats(o)->unfinished,
				 len < first   ? len - CAPTURE_HEADER_BYTES
				 : len < whole ? len - first
					       : 0);
		observed_free(o);
	}
	observed_free(read_bytes(file.data, CAPTURE_HEADER_BYTES - 1, 7, -1));
	assert_string_equal(diag.text, "the header of the capture is cut short");
}

/* A snapshot length that cuts every packet somewhere. */
static void test_short_packets(void **state)
{
	static const uint8_t frame[34] = { [12] = 8, [14] = 0x45, [26] = 198 };

	(void)state;
	for (size_t len = 0; len <= sizeof(frame); len++) {
		struct observed *o;

		begin(true, 0xa1b2c3d4, 1);
		put32(1);
		put32(2);
		put32((uint32_t)len);
		put32(1514);
		wr_bytes(&file, frame, len);
		o = read_file(0);
		assert_int_equal(observed_stats(o)->cut, len < 30);
		assert_int_equal(count(o), len >= 30);
		if (len >= 30)
			check(o, 0, "198.0.0.0", 1500, 1);
		observed_free(o);
	}
}

static void test_hostile_lengths(void **state)
{
	struct observed *o;

	(void)state;
	begin(true, 0xa1b2c3d4, 1);
	PACKET(MACS "\x08\x00", "198.51.100.1", 0);
	for (int i = 0; i < 4; i++)
		put32(UINT32_MAX);
	o = read_file(-1);
	assert_string_equal(diag.text, "byte 74: no packet of a capture is like this");
	observed_free(o);
	/* shorter than what is stored of it */
	begin(true, 0xa1b2c3d4, 1);
	packet(MACS "\x08\x00", 14, "198.51.100.1", (uint32_t)-20);
	o = read_file(0);
	check(o, 0, "198.51.100.1", 20, 1);
	observed_free(o);
}

static void test_refused(void **state)
{
	static const struct {
		uint32_t magic, link;
		const char *error;
	} cases[] = {
		{ 0x0a0d0d0a, 1, "this is pcapng: convert it with \"tcpdump -r" },
		{ 0xa1b2c3d4, 147, "link type 147 cannot be read" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(false, cases[i].magic, cases[i].link);
		observed_free(read_file(-1));
		if (strncmp(diag.text, cases[i].error, strlen(cases[i].error)) != 0)
			fail_msg("%s", diag.text);
	}
	begin(false, 0xa1b2c3d4, 1);
	file.data[5] = 3;
	observed_free(read_file(-1));
	assert_string_equal(diag.text, "version 3 of pcap is not known, only 2");
	begin(false, 0xa1b2c3d5, 1);
	observed_free(read_file(-1));
	assert_string_equal(diag.text, "line 1: this is neither text nor a pcap file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_needs_no_heading),
		cmocka_unit_test(test_list_sums_saturate),
		cmocka_unit_test(test_list_errors),
		cmocka_unit_test(test_list_is_bounded),
		cmocka_unit_test(test_link_scope_is_left_out),
		cmocka_unit_test(test_many_sources),
		cmocka_unit_test(test_ethernet_in_all_orders),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_cooked_leaves_out_what_was_sent),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_short_packets),
		cmocka_unit_test(test_hostile_lengths),
		cmocka_unit_test(test_refused),
	};
	int ret = cmocka_run_group_tests(tests, NULL, NULL);

	wr_fini(&file);
	return ret;
}
