/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Why an address is in or out.
 */
#include "tests/unit/controller/lab.h"

#include "tests/unit/controller/lab_nets.h"

static void test_explain(void **state)
{
	lab_play(*state, ONE_EDGE
		 "customer acme 20.9.0.0/16\n"
		 "set r1 eth0 customer acme\n"
		 "set r1 eth0 prefix 192.168.7.0/24\n"
		 "own 20.3.128.0/17\n"
		 "edge r1 eth1 customer feasible\n"
		 "edge r1 eth2 internal\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1 65001\n"
		 "up r1 10.0.1.2 10.0.1.1 65002\n"
		 "add r1 10.0.0.2 20.1.0.0/16 65001\n"
		 "add r1 10.0.0.2 20.0.0.0/14 65001 7\n"
		 "add r1 10.0.1.2 20.40.0.0/16 65002 9\n"
		 "eor r1 10.0.0.2\n"
		 "eor r1 10.0.1.2\n"
		 "wait 40\n"
		 "explain r1 eth0 20.1.0.1 20.1.0.1 is in 20.1.0.0/16, which peer 10.0.0.2 "
		 "announces on this edge (origin AS 65001, mode feasible)\n"
		 "explain r1 eth0 20.2.0.1 20.2.0.1 is in 20.0.0.0/14, which peer 10.0.0.2 "
		 "announces on this edge (origin AS 7, mode feasible)\n"
		 "explain r1 eth0 20.9.0.1 20.9.0.1 is in 20.9.0.0/16 of the record of "
		 "customer acme\n"
		 "explain r1 eth0 192.168.7.1 192.168.7.1 is in 192.168.7.0/24, an exception "
		 "of this edge\n"
		 "explain r1 eth0 192.168.8.1 192.168.8.1 is a special-purpose address, private "
		 "use (RFC 1918): never a source from outside\n"
		 "explain r1 eth0 20.3.200.1 20.3.200.1 is own space that no customer's record "
		 "holds: never a source from outside\n"
		 "explain r1 eth0 20.40.0.1 no route, record or exception of this edge holds "
		 "20.40.0.1 (mode feasible); 20.40.0.0/16 comes from peer 10.0.1.2 of router r1 "
		 "on eth1 (origin AS 9)\n"
		 "explain r1 eth0 99.1.2.3 no route, record or exception of this edge holds "
		 "99.1.2.3 (mode feasible), and no other peer announces it\n"
		 "explain r1 eth2 99.1.2.3 mode off accepts everything\n"
		 "del r1 10.0.0.2 20.1.0.0/16\n"
		 "del r1 10.0.0.2 20.0.0.0/14\n"
		 "add r1 10.0.0.2 20.2.0.0/15 65001\n"
		 "wait 40\n"
		 "explain r1 eth0 20.1.0.1 nothing admits 20.1.0.1 any more; it stays accepted "
		 "for its hold-down, 61 s more\n"
		 "close r1\n"
		 "wait 100\n"
		 "explain r1 eth0 20.1.0.1 nothing admits 20.1.0.1 any more, but it stays "
		 "accepted until the feeds are complete\n");
}

static void test_explain_what_others_announce(void **state)
{
	lab_play(*state, NETWORK
		 R1_UP
		 R2_UP
		 "wait 40\n"
		 "explain r1 eth0 20.3.0.1 20.3.0.1 is in 20.3.0.0/16 (origin AS 65002), heard "
		 "from peer 10.9.0.2 of router r2; mode efp-b admits it here too\n"
		 "set r2 up mode loose\n"
		 "add r2 10.9.0.2 0.0.0.0/0 3356\n"
		 "wait 0\n"
		 "explain r2 up 99.1.2.3 mode loose admits 99.1.2.3\n");
}

static void test_explain_before_anything_ran(void **state)
{
	lab_play(*state, ONE_EDGE
		 "explain r1 eth0 20.1.0.1 no route, record or exception of this edge holds "
		 "20.1.0.1 (mode feasible), and no other peer announces it\n"
		 "edge r1 eth1 customer\n"
		 "set r1 eth1 role -\n"
		 "explain r1 eth1 20.1.0.1 the edge has no role yet: it filters nothing\n");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_explain),
		CASE(test_explain_what_others_announce),
		CASE(test_explain_before_anything_ran),
	};

	return cmocka_run_group_tests_name("engine_explain", tests, NULL, NULL);
}
