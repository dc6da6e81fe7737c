/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a feed may be believed, in virtual time: silence, empty tables, re-dumps,
 * restarts, and what an edge does not wait for.
 */
#include "tests/unit/controller/lab.h"

#define ONE_EDGE                                                                         \
	"router r1\n"                                                                    \
	"edge r1 eth0 customer feasible enforce\n"                                       \
	"set r1 eth0 holddown 100\n"                                                     \
	"set r1 eth0 brake 100\n"                                                        \
	"inventory r1 eth0=10.0.0.1 eth1=10.0.1.1\n"
#define ONE_PEER                                                                         \
	"connect r1\n"                                                                   \
	"up r1 10.0.0.2 10.0.0.1\n"                                                      \
	"add r1 10.0.0.2 20.1.0.0/16\n"                                                  \
	"add r1 10.0.0.2 20.3.0.0/16\n"                                                  \
	"eor r1 10.0.0.2\n"                                                              \
	"wait 40\n"                                                                      \
	"expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
#define TWO_ROUTERS                                                                      \
	"router r1\n"                                                                    \
	"router r2\n"                                                                    \
	"edge r1 eth0 customer efp-b enforce\n"                                          \
	"edge r2 eth0 customer efp-b enforce\n"                                          \
	"set r1 eth0 holddown 100\n"                                                     \
	"inventory r1 eth0=10.0.0.1\n"                                                   \
	"inventory r2 eth0=10.0.1.1\n"
#define TWO_PEERS                                                                        \
	"connect r1 10.255.0.1\n"                                                        \
	"up r1 10.0.0.2 10.0.0.1 65001\n"                                                \
	"add r1 10.0.0.2 20.1.0.0/16 65001\n"                                            \
	"eor r1 10.0.0.2\n"                                                              \
	"connect r2 10.255.0.2\n"                                                        \
	"up r2 10.0.1.2 10.0.1.1 65002\n"                                                \
	"add r2 10.0.1.2 20.2.0.0/16 65002\n"                                            \
	"eor r2 10.0.1.2\n"                                                              \
	"wait 40\n"

/* ---- exclude ---- */

static void test_an_excluded_peer_is_not_waited_for(void **state)
{
	lab_play(*state, TWO_ROUTERS
		 "set r1 eth0 peer 10.0.0.9\n"
		 "inventory r1 eth0=10.0.0.1 eth1=10.0.9.1\n"
		 "connect r1 10.255.0.1\n"
		 "up r1 10.0.0.2 10.0.0.1 65001\n"
		 "up r1 10.0.0.9 10.0.0.1 65009\n"
		 "add r1 10.0.0.2 20.1.0.0/16 65001\n"
		 "add r1 10.0.0.9 20.9.0.0/16 65009\n"
		 "down r1 10.0.0.9\n"
		 "eor r1 10.0.0.2\n"
		 "connect r2 10.255.0.2\n"
		 "up r2 10.0.1.2 10.0.1.1 65002\n"
		 "add r2 10.0.1.2 20.2.0.0/16 65002\n"
		 "eor r2 10.0.1.2\n"
		 "wait 40\n"
		 "reason r1 eth0 peer 10.0.0.9 of router r1 is down\n"
		 "waits r1 eth0 r1 10.0.0.9 is down\n"
		 "expect r1 eth0 observe 20.1.0.0/16 20.2.0.0/16\n"
		 "feed r1 exclude 10.0.0.9\n"
		 "wait 1\n"
		 "reason r1 eth0 -\n"
		 "waits r1 eth0 -\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.2.0.0/16\n"
		 "# what it sends counts all the same\n"
		 "up r1 10.0.0.9 10.0.0.1 65009\n"
		 "add r1 10.0.0.9 20.9.0.0/16 65009\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.2.0.0/16 20.9.0.0/16\n"
		 "reason r1 eth0 -\n"
		 "feed r1 no-exclude 10.0.0.9\n"
		 "wait 1\n"
		 "waits r1 eth0 r1 10.0.0.9 has not sent its whole table yet\n");
}

static void test_a_router_without_bgp_is_not_waited_for(void **state)
{
	lab_play(*state, TWO_ROUTERS
		 "set r2 eth0 mode strict\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 60\n"
		 "waits r1 eth0 r2 has no live feed of BMP or BGP\n"
		 "feed r2 exclude bgp\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n"
		 "feed r2 no-exclude bgp\n"
		 "wait 1\n"
		 "reason r1 eth0 router r2 has no live feed of BMP or BGP\n"
		 "# it has been ready once\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_all_that_an_edge_waits_for(void **state)
{
	lab_play(*state, TWO_ROUTERS
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "up r1 10.0.0.3 10.0.0.1\n"
		 "down r1 10.0.0.3\n"
		 "wait 1\n"
		 "waits r1 eth0 r1 10.0.0.3 is down, r1 10.0.0.2 has not sent its whole table "
		 "yet, r1 has not sent a whole table yet, r2 has no live feed of BMP or BGP\n");
}

/* ---- stale ---- */

/* efp reads all routers: without one of them it learns nothing new either. */
static void test_another_routers_dead_feed_degrades_too(void **state)
{
	lab_play(*state, TWO_ROUTERS TWO_PEERS
		 "set r1 eth0 stale off\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.2.0.0/16\n"
		 "close r2\n"
		 "wait 3500\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.2.0.0/16\n"
		 "wait 200\n"
		 "alarmed edge r1 eth0: its feed is dead: nothing is filtered\n"
		 "expect r1 eth0 off 20.1.0.0/16 20.2.0.0/16\n"
		 "feed r2 exclude bgp\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.2.0.0/16\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_excluded_peer_is_not_waited_for),
		T(test_a_router_without_bgp_is_not_waited_for),
		T(test_all_that_an_edge_waits_for),
		T(test_another_routers_dead_feed_degrades_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
