/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The brake on growth in virtual time, and which honest growth it must not see.
 */
#include "tests/unit/controller/lab.h"

/* 20.1.0.0/16 and 20.3.0.0/16 at first: 50 percent more is one /16. */
#define ONE_EDGE                                                                        \
	"router r1\n"                                                                   \
	"edge r1 eth0 customer feasible enforce\n"                                      \
	"set r1 eth0 holddown 100\n"                                                    \
	"set r1 eth0 growth 50\n"                                                       \
	"inventory r1 eth0=10.0.0.1\n"
#define ONE_PEER                                                                        \
	"connect r1\n"                                                                  \
	"up r1 10.0.0.2 10.0.0.1\n"                                                     \
	"add r1 10.0.0.2 20.1.0.0/16\n"                                                 \
	"add r1 10.0.0.2 20.3.0.0/16\n"                                                 \
	"eor r1 10.0.0.2\n"                                                             \
	"wait 40\n"                                                                     \
	"expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"

static void test_a_leak_is_held_and_an_honest_prefix_is_not(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "add r1 10.0.0.2 40.0.0.0/8\n"
		 "add r1 10.0.0.2 20.5.0.0/17\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.5.0.0/17\n"
		 "alarmed growth by more than 50% of its addresses is held back; if it is no "
		 "leak, type \"brake release r1 eth0\"\n"
		 "explain r1 eth0 40.1.2.3 mode feasible admits 40.1.2.3 by 40.0.0.0/8 of peer "
		 "10.0.0.2, but so much came that it stays out until you type \"brake release "
		 "r1 eth0\"\n"
		 "# days later still\n"
		 "wait 200000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.5.0.0/17\n"
		 "release r1 eth0\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.5.0.0/17 40.0.0.0/8\n"
		 "explain r1 eth0 40.1.2.3 40.1.2.3 is in 40.0.0.0/8, which peer 10.0.0.2 "
		 "announces on this edge (origin AS 65001, mode feasible)\n");
}

static void test_a_leak_that_ends_leaves_no_trace(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "mark r1 eth0\n"
		 "add r1 10.0.0.2 40.0.0.0/8\n"
		 "wait 1\n"
		 "same r1 eth0\n"
		 "del r1 10.0.0.2 40.0.0.0/8\n"
		 "wait 1\n"
		 "waiting r1 eth0\n"
		 "same r1 eth0\n"
		 "# and the next one is told of as well\n"
		 "noted edge\n"
		 "add r1 10.0.0.2 41.0.0.0/8\n"
		 "wait 1\n"
		 "alarmed growth by more than 50%\n");
}

static void test_step_by_step_is_no_way_around(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "add r1 10.0.0.2 20.5.0.0/17\n"
		 "wait 1\n"
		 "add r1 10.0.0.2 20.7.0.0/17\n"
		 "wait 1\n"
		 "add r1 10.0.0.2 20.9.0.0/17\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.5.0.0/17 20.7.0.0/17\n");
}

/* What is in its hold-down is no growth when it comes again. */
static void test_a_flap_is_no_growth(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "down r1 10.0.0.2\n"
		 "wait 50\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "add r1 10.0.0.2 20.5.0.0/16\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.5.0.0/16\n");
}

static void test_the_first_fill_is_free(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 1\n"
		 "add r1 10.0.0.2 40.0.0.0/8\n"
		 "eor r1 10.0.0.2\n"
		 "wait 40\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 40.0.0.0/8\n");
}

/* Records, RADIUS's among them, exceptions and modes: the operator said so. */
static void test_commands_are_free(void **state)
{
	lab_play(*state, ONE_EDGE
		 "customer c 20.100.0.0/16\n"
		 ONE_PEER
		 "set r1 eth0 prefix 50.0.0.0/8\n"
		 "set r1 eth0 customer c\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.100.0.0/16 50.0.0.0/8\n"
		 "customer c 60.0.0.0/8\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 50.0.0.0/8 60.0.0.0/8\n");
}

static void test_the_brake_is_taken_off_by_a_command(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "add r1 10.0.0.2 40.0.0.0/8\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "set r1 eth0 growth 0\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 40.0.0.0/8\n");
}

static void test_small_customers_grow_freely(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/24\n"
		 "eor r1 10.0.0.2\n"
		 "wait 40\n"
		 "add r1 10.0.0.2 20.1.128.0/17\n"
		 "add r1 10.0.0.2 20.2.0.0/18\n"
		 "add r1 10.0.0.2 2001:db00::/32\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/24 20.1.128.0/17 20.2.0.0/18 2001:db00::/32\n"
		 "add r1 10.0.0.2 20.9.0.0/17\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/24 20.1.128.0/17 20.2.0.0/18 2001:db00::/32\n");
}

/* The saved set is without what was held, so that it is held again. */
static void test_held_over_a_restart(void **state)
{
	lab_play(*state, ONE_EDGE
		 "restore r1 eth0 enforce 7 20.1.0.0/16 20.3.0.0/16\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "add r1 10.0.0.2 40.0.0.0/8\n"
		 "eor r1 10.0.0.2\n"
		 "wait 100\n"
		 "reason r1 eth0 -\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "release r1 eth0\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 40.0.0.0/8\n");
}

/* What an edge knew before it was ready is no measure: the tables of a first start
 * that was broken off come after it. */
static void test_the_first_fill_is_free_after_a_restart_too(void **state)
{
	lab_play(*state, ONE_EDGE
		 "restore r1 eth0 observe 7 20.1.0.0/16\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 1\n"
		 "add r1 10.0.0.2 40.0.0.0/8\n"
		 "eor r1 10.0.0.2\n"
		 "wait 40\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 40.0.0.0/8\n"
		 "# and it is what growth is measured by from now on\n"
		 "add r1 10.0.0.2 41.0.0.0/10\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 40.0.0.0/8 41.0.0.0/10\n"
		 "add r1 10.0.0.2 50.0.0.0/8\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 40.0.0.0/8 41.0.0.0/10\n");
}

/* A shorter hold-down is for what waits already, and so is a longer one. */
static void test_another_hold_down_is_for_what_waits(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "set r1 eth0 brake 100\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 50\n"
		 "set r1 eth0 holddown 200\n"
		 "wait 100\n"
		 "waiting r1 eth0 20.3.0.0/16\n"
		 "set r1 eth0 holddown 10\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_leak_is_held_and_an_honest_prefix_is_not),
		CASE(test_a_leak_that_ends_leaves_no_trace),
		CASE(test_step_by_step_is_no_way_around),
		CASE(test_a_flap_is_no_growth),
		CASE(test_the_first_fill_is_free),
		CASE(test_commands_are_free),
		CASE(test_the_brake_is_taken_off_by_a_command),
		CASE(test_small_customers_grow_freely),
		CASE(test_held_over_a_restart),
		CASE(test_the_first_fill_is_free_after_a_restart_too),
		CASE(test_another_hold_down_is_for_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
