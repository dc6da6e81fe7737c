/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses that a peer gives us: it may say anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/ts.h"
#include "ipsec/iked_virtual.h"

static int check(const char *selector, const char *address)
{
	struct ike_ts_list local = { .n = selector != NULL };
	struct ike_tunnel t = { .local_ts = &local };
	struct ip_addr addr;
	struct diag diag;

	assert_true(ip_addr_parse(address, &addr));
	if (selector)
		assert_int_equal(ike_ts_parse(selector, &local.list[0], &diag), 0);
	return iked_virtual_check(&t, &addr, &diag);
}

static void hosts_have_addresses(void **state)
{
	assert_int_equal(check(NULL, "10.1.2.3"), 0);
	assert_int_equal(check(NULL, "198.51.100.7"), 0);
	assert_int_equal(check(NULL, "2001:db8::7"), 0);
	assert_int_equal(check(NULL, "fd00::7"), 0);
}

static void some_are_no_hosts(void **state)
{
	static const char *const bad[] = { "0.1.2.3",	"127.0.0.1", "169.254.1.1",	 "224.0.0.1", "255.255.255.255",
					   "240.0.0.1", "::1",	     "::ffff:127.0.0.1", "fe80::1",   "ff02::1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check(NULL, bad[i]), -1);
}

static void selectors_bound_them(void **state)
{
	assert_int_equal(check("10.1.0.0/16", "10.1.2.3"), 0);
	assert_int_equal(check("10.1.0.0/16", "10.2.2.3"), -1);
	assert_int_equal(check("10.1.0.0/16", "2001:db8::7"), -1);
	assert_int_equal(check("10.1.0.0/16 proto udp", "10.1.2.3"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_have_addresses),
		cmocka_unit_test(some_are_no_hosts),
		cmocka_unit_test(selectors_bound_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
