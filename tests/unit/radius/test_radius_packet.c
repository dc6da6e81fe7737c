/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/radius/radius_prefix.h"

#define SECRET "xyzzy5461"

static int decode(const char *hex, struct radius_packet *p, uint8_t *buf, struct diag *diag)
{
	size_t n = 0;
	unsigned int byte;

	for (; *hex; hex += 2) {
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		buf[n++] = (uint8_t)byte;
	}
	return radius_decode(buf, n, p, diag);
}

/* RFC 2865 sec. 7.1: the answer to nemo's request. */
static void test_rfc_example(void **state)
{
	static const char request[] = "010000380f403f9473978057bd83d5cb98f4227a"
				      "01066e656d6f02120dbe708d93d413ce3196e43f782a0aee"
				      "0406c0a80110050600000003";
	static const char response[] = "0200002686fe220e7624ba2a1005f6bf9b55e0b2"
				       "0606000000010f06000000000e06c0a80103";
	uint8_t a[64], b[64];
	struct radius_packet req, resp;
	struct wr wr = { 0 };
	struct diag diag;

	(void)state;
	assert_int_equal(decode(request, &req, a, &diag), 0);
	assert_int_equal(decode(response, &resp, b, &diag), 0);
	assert_true(radius_response_is_from(&resp, req.authenticator, SECRET));
	assert_false(radius_response_is_from(&resp, req.authenticator, "other"));
	b[resp.len - 1] ^= 1;
	assert_false(radius_response_is_from(&resp, req.authenticator, SECRET));
	radius_put_password(&wr, "arctangent", req.authenticator, SECRET);
	assert_int_equal(wr.len, 18);
	assert_memory_equal(wr.data, a + 26, 18);
	wr_fini(&wr);
}

static void test_bad_lengths(void **state)
{
	static const char *const bad[] = {
		"04",
		"0401001300000000000000000000000000000000",	   /* 19 */
		"0401ffff00000000000000000000000000000000",	   /* 65535 */
		"0401001600000000000000000000000000000000",	   /* longer than it is */
		"040100150000000000000000000000000000000001",	   /* no length */
		"04010016000000000000000000000000000000000100",   /* length 0 */
		"04010016000000000000000000000000000000000101",   /* length 1 */
		"040100160000000000000000000000000000000001ff",   /* length 255 */
	};
	uint8_t buf[64];
	struct radius_packet p = { .id = 77 };
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (decode(bad[i], &p, buf, &diag) == 0)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(p.id, 77); /* untouched */
	}
	/* what follows the packet's own length is padding */
	assert_int_equal(decode("04010016000000000000000000000000000000002c02ffffff", &p, buf,
				&diag), 0);
	assert_int_equal(p.len, 22);
}

static void nested(struct wr *wr)
{
	static const uint8_t inner[] = { 26, 8, 0, 0, 0, 11, 1, 2 };

	wr_u8(wr, 26);
	wr_u8(wr, 6 + sizeof(inner));
	wr_be32(wr, 10);
	wr_bytes(wr, inner, sizeof(inner));
}

static void test_nested_vendor_stays_bytes(void **state)
{
	struct wr wr = { 0 };
	struct radius_packet p;
	struct radius_attr attr;
	struct radius_iter it;
	struct diag diag;

	(void)state;
	radius_begin(&wr, RADIUS_ACCOUNTING_REQUEST, 1);
	nested(&wr);
	wr_bytes(&wr, (const uint8_t[]){ 26, 7, 0, 0, 0, 7, 255 }, 7); /* no attributes */
	wr_bytes(&wr, (const uint8_t[]){ 26, 4, 0, 1 }, 4);		/* no vendor */
	wr_bytes(&wr, (const uint8_t[]){ 26, 8, 0, 0, 0, 7, 1, 0 }, 8); /* length 0 inside */
	radius_end_request(&wr, false, SECRET);
	assert_int_equal(radius_decode(wr.data, wr.len, &p, &diag), 0);
	radius_iter_init(&it, p.attrs);
	assert_true(radius_next(&it, &attr));
	assert_int_equal(attr.vendor, 10);
	assert_int_equal(attr.type, 26);
	assert_int_equal(attr.len, 6);
	assert_true(radius_next(&it, &attr));
	assert_int_equal(attr.vendor, 7);
	assert_int_equal(attr.type, 0);
	assert_true(radius_next(&it, &attr));
	assert_int_equal(attr.vendor, 0);
	assert_int_equal(attr.type, 26);
	assert_true(radius_next(&it, &attr));
	assert_int_equal(attr.vendor, 7);
	assert_int_equal(attr.type, 0);
	assert_false(radius_next(&it, &attr));
	wr_fini(&wr);
}

static void test_signature(void **state)
{
	struct wr wr = { 0 };
	struct radius_packet p;
	struct diag diag;

	(void)state;
	radius_begin(&wr, RADIUS_COA_REQUEST, 9);
	radius_put_text(&wr, RADIUS_USER_NAME, "joe");
	radius_end_request(&wr, true, SECRET);
	assert_int_equal(radius_decode(wr.data, wr.len, &p, &diag), 0);
	assert_true(radius_request_is_from(&p, SECRET));
	assert_false(radius_request_is_from(&p, "wrong"));
	assert_int_equal(radius_signature(&p, NULL, SECRET), RADIUS_SIGNED);
	assert_int_equal(radius_signature(&p, NULL, "wrong"), RADIUS_SIGNED_WRONG);
	wr.data[wr.len - 1] ^= 1;
	assert_int_equal(radius_signature(&p, NULL, SECRET), RADIUS_SIGNED_WRONG);
	assert_false(radius_request_is_from(&p, SECRET));
	wr_fini(&wr);
	/* two of them, and one that is too short */
	radius_begin(&wr, RADIUS_COA_REQUEST, 9);
	radius_put(&wr, RADIUS_MESSAGE_AUTHENTICATOR, "0123456789abcdef", 16);
	radius_end_request(&wr, true, SECRET);
	assert_int_equal(radius_decode(wr.data, wr.len, &p, &diag), 0);
	assert_int_equal(radius_signature(&p, NULL, SECRET), RADIUS_SIGNED_WRONG);
	wr_fini(&wr);
	radius_begin(&wr, RADIUS_COA_REQUEST, 9);
	radius_put(&wr, RADIUS_MESSAGE_AUTHENTICATOR, "0123", 4);
	radius_end_request(&wr, false, SECRET);
	assert_int_equal(radius_decode(wr.data, wr.len, &p, &diag), 0);
	assert_int_equal(radius_signature(&p, NULL, SECRET), RADIUS_SIGNED_WRONG);
	wr_fini(&wr);
}

/* ---- prefixes ---- */

static const struct {
	const char *text, *prefix, *gateway; /* prefix NULL: refused */
	enum ip_family family;
} routes[] = {
	{ "192.168.1.0/24 192.168.1.1 1 2 -1 3 400", "192.168.1.0/24", "192.168.1.1", IP_V4 },
	{ "192.168.1.0 192.168.1.1 1", "192.168.1.0/24", "192.168.1.1", IP_V4 },
	{ "10.0.0.0 0.0.0.0 1", "10.0.0.0/8", "0.0.0.0", IP_V4 },
	{ "172.16.0.0 0.0.0.0 1", "172.16.0.0/16", "0.0.0.0", IP_V4 },
	{ "198.51.100.0/24", "198.51.100.0/24", "0.0.0.0", IP_V4 },
	{ "  198.51.100.0/24\t\t0.0.0.0   ", "198.51.100.0/24", "0.0.0.0", IP_V4 },
	{ "198.51.100.77/24 0.0.0.0 1", "198.51.100.0/24", "0.0.0.0", IP_V4 },
	{ "198.51.100.0/255.255.255.128 0.0.0.0", "198.51.100.0/25", "0.0.0.0", IP_V4 },
	{ "198.51.100.0 255.255.255.192 0.0.0.0 1", "198.51.100.0/26", "0.0.0.0", IP_V4 },
	{ "198.51.100.0/24 1", "198.51.100.0/24", "0.0.0.0", IP_V4 },
	{ "0.0.0.0/0 0.0.0.0 1", "0.0.0.0/0", "0.0.0.0", IP_V4 },
	{ "2000:0:0:106::/64 2000::106:a00:20ff:fe99:a998 1", "2000:0:0:106::/64",
	  "2000::106:a00:20ff:fe99:a998", IP_V6 },
	{ "2001:db8::/48 :: 1", "2001:db8::/48", "::", IP_V6 },
	{ "2001:db8::1", "2001:db8::1/128", "::", IP_V6 },
	{ "", NULL, NULL, IP_V4 },
	{ "   ", NULL, NULL, IP_V4 },
	{ "198.51.100.0/33 0.0.0.0", NULL, NULL, IP_V4 },
	{ "198.51.100.0/ 0.0.0.0", NULL, NULL, IP_V4 },
	{ "198.51.100.0/-1 0.0.0.0", NULL, NULL, IP_V4 },
	{ "198.51.100.0/24 gateway", NULL, NULL, IP_V4 },
	{ "224.0.0.0 0.0.0.0", NULL, NULL, IP_V4 },
	{ "2001:db8::/48", NULL, NULL, IP_V4 },
	{ "198.51.100.0/24", NULL, NULL, IP_V6 },
	{ "ip route 198.51.100.0", NULL, NULL, IP_V4 },
};

static void test_routes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		char text[IP_TEXT_SIZE];
		struct ip_prefix p;
		struct ip_addr via;
		struct diag diag;
		int rc = radius_route_parse(routes[i].text, strlen(routes[i].text),
					    routes[i].family, &p, &via, &diag);

		if ((rc == 0) != (routes[i].prefix != NULL))
			fail_msg("\"%s\": %d", routes[i].text, rc);
		if (rc < 0)
			continue;
		assert_string_equal(ip_prefix_format(&p, text), routes[i].prefix);
		assert_string_equal(ip_addr_format(&via, text), routes[i].gateway);
	}
}

static void test_route_with_zero_bytes(void **state)
{
	struct ip_prefix p;
	struct ip_addr via;
	struct diag diag;

	(void)state;
	assert_int_equal(radius_route_parse("10.1.0.0/16\0", 12, IP_V4, &p, &via, &diag), 0);
	assert_int_equal(radius_route_parse("10.1\0.0.0/16", 12, IP_V4, &p, &via, &diag), -1);
}

static void assert_prefixes(const struct wr *wr, const char *want, size_t unusable)
{
	static struct radius_prefixes out;
	char text[IP_TEXT_SIZE], all[512] = "";

	radius_prefixes_read((struct radius_attrs){ wr->data, wr->len }, &out);
	for (size_t i = 0; i < out.n; i++) {
		strcat(all, ip_prefix_format(&out.p[i].prefix, text));
		strcat(all, " ");
	}
	assert_string_equal(all, want);
	assert_int_equal(out.unusable, unusable);
}

static void test_prefixes(void **state)
{
	static const uint8_t v6[] = { 0, 56, 0x20, 1, 0xd, 0xb8, 0, 1, 2 };
	static const uint8_t address[16] = { 0x20, 1, 0xd, 0xb8, [15] = 9 };
	static const uint8_t too_long[] = { 0, 129 };
	struct wr wr = { 0 };

	(void)state;
	radius_put_u32(&wr, RADIUS_FRAMED_IP_ADDRESS, 0xc6336409);
	radius_put_text(&wr, RADIUS_FRAMED_ROUTE, "203.0.113.0/25 0.0.0.0 1");
	radius_put_text(&wr, RADIUS_FRAMED_ROUTE, "203.0.113.128/26 198.51.100.9 1");
	radius_put_text(&wr, RADIUS_FRAMED_ROUTE, "192.0.2.0/24 198.51.100.10 1"); /* another's */
	radius_put(&wr, RADIUS_DELEGATED_IPV6_PREFIX, v6, sizeof(v6));
	radius_put(&wr, RADIUS_FRAMED_IPV6_ADDRESS, address, sizeof(address));
	radius_put(&wr, RADIUS_FRAMED_IPV6_PREFIX, too_long, sizeof(too_long));
	radius_put_text(&wr, RADIUS_FRAMED_IPV6_ROUTE, "2001:db8:7::/48 fe80::1 1");
	assert_prefixes(&wr,
			"2001:db8:1:200::/56 2001:db8::9/128 198.51.100.9/32 203.0.113.0/25 "
			"203.0.113.128/26 2001:db8:7::/48 ",
			2);
	wr_fini(&wr);
	radius_put_u32(&wr, RADIUS_FRAMED_IP_ADDRESS, 0xfffffffe); /* the NAS chooses */
	radius_put_u32(&wr, RADIUS_FRAMED_IP_NETMASK, 0xffffff00);
	assert_prefixes(&wr, "", 0);
	wr_fini(&wr);
	radius_put_u32(&wr, RADIUS_FRAMED_IP_ADDRESS, 0xc6336409);
	radius_put_u32(&wr, RADIUS_FRAMED_IP_NETMASK, 0xff00ff00); /* with a hole */
	assert_prefixes(&wr, "198.51.100.9/32 ", 1);
	wr_fini(&wr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_example),
		cmocka_unit_test(test_bad_lengths),
		cmocka_unit_test(test_nested_vendor_stays_bytes),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_route_with_zero_bytes),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
