/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a taken-over ike can ask of the kernel for a tunnel: what is configured, and no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/ts.h"
#include "ipsec/iked_check.h"

static struct {
	struct ike_tunnel tunnel;
	struct proc_child child;
	struct ike_ts_list local_ts, remote_ts;
	struct ike_proposals esp;
	struct ip_addr link;
} now;

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static struct ike_ts_list ts(const char *text)
{
	struct ike_ts_list list = { .n = 1 };
	struct diag diag;

	assert_int_equal(ike_ts_parse(text, &list.list[0], &diag), 0);
	return list;
}

static int setup(void **st)
{
	struct diag diag;

	memset(&now, 0, sizeof(now));
	ike_tunnel_defaults(&now.tunnel);
	now.link = addr("192.0.2.2");
	now.tunnel.link = 3;
	now.local_ts = ts("198.51.100.0/24");
	now.remote_ts = ts("10.0.0.0/8");
	now.esp.n = 1;
	assert_int_equal(ike_proposal_parse("aes256gcm16-x25519-esn", IKE_PROTO_ESP, &now.esp.list[0], &diag), 0);
	now.tunnel.local_ts = &now.local_ts;
	now.tunnel.remote_ts = &now.remote_ts;
	now.tunnel.esp = &now.esp;
	now.child = (struct proc_child){ .suite = { .encr = ENCR_AES_GCM_16, .key_bits = 256 }, .esn = true,
					 .local_ts = ts("198.51.100.0/25"), .remote_ts = ts("10.9.0.0/16") };
	now.child.path.link = 3;
	now.child.path.local.addr = now.link;
	now.child.path.remote.addr = addr("203.0.113.1");
	return 0;
}

static bool ok(void)
{
	struct diag diag;

	return iked_child_check(&now.child, &now.tunnel, &now.link, &diag) == 0;
}

static void selectors_inside_the_configured_ones(void **st)
{
	assert_true(ok());
	now.child.remote_ts = ts("0.0.0.0/0");
	assert_false(ok());
	now.child.remote_ts = ts("11.0.0.1/32");
	assert_false(ok());
	setup(st);
	now.child.local_ts = ts("198.51.0.0/16");
	assert_false(ok());
	setup(st);
	now.child.local_ts.n = 0;
	assert_false(ok());
	setup(st);
	now.child.remote_ts = ts("2001:db8::/32");
	assert_false(ok());
	setup(st);
	now.child.remote_ts.n = 2;
	now.child.remote_ts.list[1] = ts("12.0.0.0/8").list[0];
	assert_false(ok());
}

static void an_address_that_was_given(void **st)
{
	now.tunnel.request_address = true;
	now.child.local_ts = ts("10.77.0.5/32");
	assert_true(ok());
	now.child.local_ts = ts("10.77.0.0/24");
	assert_false(ok());
	setup(st);
	now.tunnel.pool = ip_prefix_make(IP_V4, addr("100.64.0.0").v, 16);
	now.child.remote_ts = ts("100.64.3.4/32");
	assert_true(ok());
	now.child.remote_ts = ts("100.65.3.4/32");
	assert_false(ok());
	now.child.remote_ts = ts("100.64.0.0/16");
	assert_false(ok());
}

static void algorithms_that_were_offered(void **st)
{
	now.child.suite.key_bits = 128;
	assert_false(ok());
	setup(st);
	now.child.suite = (struct crypto_suite){ .encr = ENCR_NULL, .integ = AUTH_HMAC_SHA1_96 };
	assert_false(ok());
	setup(st);
	now.child.esn = false;
	assert_false(ok());
}

static void transport_between_the_two_hosts(void **st)
{
	now.tunnel.transport = now.child.transport = true;
	now.local_ts = ts("0.0.0.0/0");
	now.remote_ts = ts("203.0.113.0/24");
	now.child.local_ts = ts("192.0.2.2/32");
	now.child.remote_ts = ts("203.0.113.1/32");
	assert_true(ok());
	now.child.remote_ts = ts("203.0.113.2/32");
	assert_false(ok());
	now.child.encap = true; /* as it was before the NAT gave it another */
	assert_true(ok());
	now.child.remote_ts = ts("203.0.114.2/32");
	assert_false(ok());
	now.child.remote_ts = ts("203.0.113.0/24");
	assert_false(ok());
	now.child.remote_ts = ts("203.0.113.1/32");
	now.child.local_ts = ts("0.0.0.0/0");
	assert_false(ok());
	now.child.local_ts = ts("192.0.2.2/32");
	now.child.transport = false;
	assert_false(ok());
}

static void of_its_link(void **st)
{
	now.child.path.link = 4;
	assert_false(ok());
	setup(st);
	now.child.path.local.addr = addr("192.0.2.3");
	assert_false(ok());
}

static void host_selectors_keep_ports(void **st)
{
	struct ip_addr local = addr("198.51.100.7"), remote = addr("203.0.113.1");
	struct ike_ts_list l, r;

	now.remote_ts = ts("203.0.113.0/24 proto tcp port 25");
	iked_host_selectors(&now.tunnel, &local, &remote, &l, &r);
	assert_int_equal(l.n, 1);
	assert_true(ip_addr_equal(&l.list[0].first, &local) && ip_addr_equal(&l.list[0].last, &local));
	assert_int_equal(r.n, 1);
	assert_true(ip_addr_equal(&r.list[0].first, &remote) && ip_addr_equal(&r.list[0].last, &remote));
	assert_int_equal(r.list[0].port_first, 25);
	remote = addr("203.0.114.1");
	iked_host_selectors(&now.tunnel, &local, &remote, &l, &r);
	assert_int_equal(r.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, setup)
		T(selectors_inside_the_configured_ones),
		T(an_address_that_was_given),
		T(algorithms_that_were_offered),
		T(transport_between_the_two_hosts),
		T(of_its_link),
		T(host_selectors_keep_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
