/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Selectors as the kernel's policies have them: ranges as prefixes, one port or all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/xfrm.h>

#include <netlink/msg.h>

#include "ipsec/esp/xfrm_msg_nl.h"
#include "ipsec/ike/ike.h"

static struct ike_ts range(const char *first, const char *last)
{
	struct ike_ts ts = { .port_last = UINT16_MAX };

	assert_true(ip_addr_parse(first, &ts.first));
	assert_true(ip_addr_parse(last, &ts.last));
	return ts;
}

/* The prefixes follow each other without a gap, from first to last; their number. */
static unsigned int cut(struct ike_ts whole)
{
	struct ike_ts rest = whole, prefix;
	u128 next = whole.first.v;
	unsigned int n = 0;

	while (xfrm_msg_cut(&rest, &prefix)) {
		u128 size = prefix.last.v - prefix.first.v + 1;

		assert_true(prefix.first.v == next);
		assert_true((size & (size - 1)) == 0); /* 0: all of IPv6 */
		assert_true(size == 0 || prefix.first.v % size == 0);
		next = prefix.last.v + 1;
		n++;
		assert_true(n <= 256);
	}
	assert_true(next == (u128)(whole.last.v + 1));
	return n;
}

static void a_range_is_its_prefixes(void **st)
{
	assert_int_equal(cut(range("192.0.2.0", "192.0.2.255")), 1);
	assert_int_equal(cut(range("192.0.2.1", "192.0.2.1")), 1);
	assert_int_equal(cut(range("192.0.2.1", "192.0.2.254")), 14);
	assert_int_equal(cut(range("0.0.0.0", "255.255.255.255")), 1);
	assert_int_equal(cut(range("255.255.255.254", "255.255.255.255")), 1);
	assert_int_equal(cut(range("0.0.0.1", "255.255.255.255")), 32);
	assert_int_equal(cut(range("2001:db8::", "2001:db8::ffff")), 1);
	assert_int_equal(cut(range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), 1);
	assert_int_equal(cut(range("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe")), 254);
}

static void a_small_universe_in_full(void **st)
{
	for (unsigned int first = 0; first < 64; first++)
		for (unsigned int last = first; last < 64; last++) {
			struct ike_ts ts = range("192.0.2.0", "192.0.2.0");

			ts.first.v += first;
			ts.last.v += last;
			assert_in_range(cut(ts), 1, 12);
		}
}

static void ports_are_one_or_all(void **st)
{
	struct ike_ts a = range("192.0.2.0", "192.0.2.127"), b = range("198.51.100.1", "198.51.100.1");
	struct xfrm_selector sel;

	assert_true(xfrm_msg_selector(&a, &b, &sel));
	assert_int_equal(sel.prefixlen_s, 25);
	assert_int_equal(sel.prefixlen_d, 32);
	assert_int_equal(sel.sport_mask, 0);
	a.protocol = 6;
	a.port_first = a.port_last = 80;
	assert_true(xfrm_msg_selector(&a, &b, &sel));
	assert_int_equal(sel.proto, 6);
	assert_int_equal(ntohs(sel.sport), 80);
	assert_int_equal(sel.sport_mask, UINT16_MAX);
	assert_int_equal(sel.dport_mask, 0);
	a.port_last = 81; /* a mask could not say it, and more must not pass */
	assert_false(xfrm_msg_selector(&a, &b, &sel));
}

static void what_is_no_prefix_is_refused(void **st)
{
	struct ike_ts a = range("192.0.2.1", "192.0.2.2"), b = range("198.51.100.1", "198.51.100.1"),
		      six = range("2001:db8::", "2001:db8::");
	struct xfrm_selector sel;

	assert_false(xfrm_msg_selector(&a, &b, &sel));
	assert_false(xfrm_msg_selector(&b, &six, &sel));
}

/* The soft limits of a state as the kernel is told them, both directions the same. */
static struct xfrm_lifetime_cfg limits(const struct esp_sa_conf *conf)
{
	struct xfrm_lifetime_cfg lft = { 0 };
	struct xfrm_keys keys = { 0 };
	struct xfrm_child c = { .conf = *conf, .keys = &keys };

	for (unsigned int out = 0; out < 2; out++) {
		struct nl_msg *msg = xfrm_msg_state(&c, out, XFRM_MSG_NEWSA);
		const struct xfrm_usersa_info *info = nlmsg_data(nlmsg_hdr(msg));

		assert_true(out == 0 || memcmp(&lft, &info->lft, sizeof(lft)) == 0);
		lft = info->lft;
		nlmsg_free(msg);
	}
	return lft;
}

/* Before its numbers are used up the kernel says so, as sav-esp does. */
static void an_sa_is_renewed_after_packets_and_bytes(void **st)
{
	struct esp_sa_conf conf = { .suite = { ENCR_AES_GCM_16, 128, AUTH_NONE } };
	struct xfrm_lifetime_cfg lft = limits(&conf);

	assert_true(lft.soft_packet_limit > UINT32_MAX / 2 && lft.soft_packet_limit < UINT32_MAX - (UINT32_MAX >> 3));
	assert_true(lft.soft_byte_limit > 0 && lft.soft_byte_limit <= UINT64_C(1) << 36);
	assert_true(lft.hard_packet_limit == XFRM_INF && lft.hard_byte_limit == XFRM_INF);
	conf.esn = true;
	lft = limits(&conf);
	assert_true(lft.soft_packet_limit > UINT32_MAX && lft.soft_packet_limit < XFRM_INF);
	conf.soft_packets = 7;
	conf.soft_bytes = 9;
	lft = limits(&conf);
	assert_true(lft.soft_packet_limit == 7 && lft.soft_byte_limit == 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_its_prefixes),
		cmocka_unit_test(a_small_universe_in_full),
		cmocka_unit_test(ports_are_one_or_all),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(an_sa_is_renewed_after_packets_and_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
