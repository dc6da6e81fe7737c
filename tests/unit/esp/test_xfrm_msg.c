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

#include "ipsec/esp/xfrm_msg_nl.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_its_prefixes),
		cmocka_unit_test(a_small_universe_in_full),
		cmocka_unit_test(ports_are_one_or_all),
		cmocka_unit_test(what_is_no_prefix_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
