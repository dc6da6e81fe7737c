/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What modes that read the whole network wait for before they drop anything.
 */
#include "tests/unit/controller/lab.h"

/* A customer at r1 whose second prefix is known by the provider at r2 alone. */
#define TWO_ROUTERS                                                                      \
	"router r1\n"                                                                    \
	"router r2\n"                                                                    \
	"edge r1 eth0 customer efp-a enforce\n"                                          \
	"edge r2 up provider loose\n"                                                    \
	"set r1 eth0 holddown 100\n"                                                     \
	"inventory r1 eth0=10.0.0.1\n"                                                   \
	"inventory r2 up=10.9.0.1\n"
#define R1_UP                                                                            \
	"connect r1 10.255.0.1\n"                                                        \
	"up r1 10.0.0.2 10.0.0.1 65001\n"                                                \
	"add r1 10.0.0.2 20.1.0.0/16 65001\n"                                            \
	"eor r1 10.0.0.2\n"
#define R2_UP                                                                            \
	"connect r2 10.255.0.2\n"                                                        \
	"up r2 10.9.0.2 10.9.0.1 3356\n"                                                 \
	"add r2 10.9.0.2 20.1.0.0/16 3356 65001\n"                                       \
	"add r2 10.9.0.2 20.3.0.0/16 3356 65001\n"                                       \
	"eor r2 10.9.0.2\n"

static void test_the_router_of_a_provider_is_waited_for(void **state)
{
	lab_play(*state, TWO_ROUTERS
		 R1_UP
		 "wait 60\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "reason r1 eth0 router r2 has no live feed\n"
		 R2_UP
		 "wait 40\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

static void test_one_without_bgp_is_excluded(void **state)
{
	lab_play(*state, TWO_ROUTERS
		 "feed r2 exclude bgp\n"
		 R1_UP
		 "wait 60\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* Hosts and the network's inside have no BGP to wait for. */
static void test_a_router_of_hosts_is_not_waited_for(void **state)
{
	lab_play(*state, TWO_ROUTERS
		 "set r2 up role host\n"
		 "set r2 up mode acl\n"
		 "edge r2 lan internal loose\n"
		 R1_UP
		 "wait 60\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* After a restart of savd nothing leaves for want of a feed that is late. */
static void test_a_restored_set_waits_for_the_providers_router(void **state)
{
	lab_play(*state, TWO_ROUTERS
		 "restore r1 eth0 enforce 7 20.1.0.0/16 20.3.0.0/16\n"
		 R1_UP
		 "wait 100000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 R2_UP
		 "wait 1000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* An internal session that brings what no feed of ours does, and is slow. */
#define INTERNAL                                                                         \
	"router r1\n"                                                                    \
	"edge r1 eth0 customer efp-a enforce\n"                                          \
	"set r1 eth0 holddown 100\n"                                                     \
	"inventory r1 eth0=10.0.0.1 lo=10.255.0.1\n"                                     \
	"connect r1 10.255.0.1\n"                                                        \
	"up r1 10.0.0.2 10.0.0.1 65001\n"                                                \
	"up r1 10.255.0.9 10.255.0.1 64500\n"                                            \
	"add r1 10.0.0.2 20.1.0.0/16 65001\n"                                            \
	"eor r1 10.0.0.2\n"

static void test_an_internal_session_in_the_middle_of_its_table(void **state)
{
	lab_play(*state, INTERNAL
		 "add r1 10.255.0.9 20.9.0.0/16 3356\n"
		 "wait 4\n"
		 "add r1 10.255.0.9 20.10.0.0/16 3356\n"
		 "wait 4\n"
		 "add r1 10.255.0.9 20.11.0.0/16 3356\n"
		 "wait 4\n"
		 "reason r1 eth0 peer 10.255.0.9 of router r1 has not sent its whole table yet\n"
		 "add r1 10.255.0.9 20.3.0.0/16 3356 65001\n"
		 "wait 1\n"
		 "expect r1 eth0 observe 20.1.0.0/16 20.3.0.0/16\n"
		 "eor r1 10.255.0.9\n"
		 "wait 30\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* A route reflector that is down is no reason to wait: what it tells others tell
 * as well, or nobody. */
static void test_an_internal_session_that_is_down(void **state)
{
	lab_play(*state, INTERNAL
		 "down r1 10.255.0.9\n"
		 "wait 60\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* FRR without soft-reconfiguration shows nothing of it, ever. */
static void test_an_internal_session_that_is_not_believed(void **state)
{
	lab_play(*state, INTERNAL
		 "del r1 10.255.0.9 20.9.0.0/16\n"
		 "eor r1 10.255.0.9\n"
		 "wait 60\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* A customer at each router; where r2's session ends, only its agent can say. */
#define TWO_CUSTOMERS                                                                    \
	"router r1\n"                                                                    \
	"router r2\n"                                                                    \
	"edge r1 eth0 customer efp-b enforce\n"                                          \
	"edge r2 eth0 customer efp-b enforce\n"                                          \
	"set r1 eth0 holddown 100\n"                                                     \
	"inventory r1 eth0=10.0.0.1\n"
#define R2_CUSTOMER                                                                      \
	"connect r2 10.255.0.2\n"                                                        \
	"up r2 10.0.1.2 10.0.1.1 65002\n"                                                \
	"add r2 10.0.1.2 20.3.0.0/16 65002\n"                                            \
	"eor r2 10.0.1.2\n"

static void test_an_agent_that_is_late_with_its_interfaces(void **state)
{
	lab_play(*state, TWO_CUSTOMERS
		 R1_UP
		 R2_CUSTOMER
		 "wait 60\n"
		 "reason r1 eth0 router r2 has an agent that has not told its interfaces yet\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "inventory r2 eth0=10.0.1.1\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

static void test_a_restored_set_waits_for_the_agents_interfaces(void **state)
{
	lab_play(*state, TWO_CUSTOMERS
		 "restore r1 eth0 enforce 7 20.1.0.0/16 20.3.0.0/16\n"
		 R1_UP
		 R2_CUSTOMER
		 "wait 100000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "inventory r2 eth0=10.0.1.1\n"
		 "wait 1000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* A peer statement needs no agent, and an excluded router has no peers. */
static void test_without_an_agent(void **state)
{
	lab_play(*state, TWO_CUSTOMERS
		 "set r2 eth0 peer 10.0.1.2\n"
		 R1_UP
		 R2_CUSTOMER
		 "wait 60\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "edge r2 eth1 customer acl\n"
		 "wait 1\n"
		 "reason r1 eth0 router r2 has an agent that has not told its interfaces yet\n"
		 "feed r2 exclude bgp\n"
		 "wait 1\n"
		 "reason r1 eth0 -\n");
}

/* The rest of a dump waits in the agent: a pause is not its end. */
static void test_a_dump_that_is_stuck_on_its_way(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, INTERNAL
		 "down r1 10.255.0.9\n"
		 "add r1 10.0.0.2 20.3.0.0/16 65001\n");
	engine_feed_queued(lab_stream(lab, "r1")->feed, 5000);
	lab_play(lab, "wait 30\n"
		      "expect r1 eth0 observe 20.1.0.0/16 20.3.0.0/16\n"
		      "reason r1 eth0 has not sent its whole table yet\n"
		      "add r1 10.0.0.2 20.5.0.0/16 65001\n");
	engine_feed_queued(lab_stream(lab, "r1")->feed, 0);
	lab_play(lab, "wait 10\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.5.0.0/16\n");
}

/* One that never is through is no reason to wait for ever. */
static void test_a_feed_that_always_lags(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, INTERNAL "down r1 10.255.0.9\n");
	engine_feed_queued(lab_stream(lab, "r1")->feed, 5000);
	lab_play(lab, "wait 61\n"
		      "expect r1 eth0 enforce 20.1.0.0/16\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_router_of_a_provider_is_waited_for),
		T(test_one_without_bgp_is_excluded),
		T(test_a_router_of_hosts_is_not_waited_for),
		T(test_a_restored_set_waits_for_the_providers_router),
		T(test_an_internal_session_in_the_middle_of_its_table),
		T(test_an_internal_session_that_is_down),
		T(test_an_internal_session_that_is_not_believed),
		T(test_an_agent_that_is_late_with_its_interfaces),
		T(test_a_restored_set_waits_for_the_agents_interfaces),
		T(test_without_an_agent),
		T(test_a_dump_that_is_stuck_on_its_way),
		T(test_a_feed_that_always_lags),
	};

	return cmocka_run_group_tests_name("engine_network", tests, NULL, NULL);
}
