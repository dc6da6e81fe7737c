/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The brake on removals.
 */
#include "tests/unit/controller/lab.h"

#include "tests/unit/controller/lab_nets.h"

static void test_the_brake_holds_a_shrink_to_nothing(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 brake 100\n"
		 ONE_PEER
		 "down r1 10.0.0.2\n"
		 "mark r1 eth0\n"
		 "wait 100000\n"
		 "same r1 eth0\n"
		 "braked r1 eth0 yes\n"
		 "alarmed a removal of more than 100% of its addresses is held back; check the "
		 "feed, then type \"brake release r1 eth0\"\n"
		 "explain r1 eth0 20.1.0.1 nothing admits 20.1.0.1 any more, but so much would "
		 "leave with it that it stays accepted until you type \"brake release r1 "
		 "eth0\"\n"
		 "release r1 eth0\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce\n"
		 "braked r1 eth0 no\n");
}

static void test_additions_go_on_while_braked(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 brake 40\n"
		 ONE_PEER
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 110\n"
		 "braked r1 eth0 yes\n"
		 "add r1 10.0.0.2 20.5.0.0/16\n"
		 "wait 1\n"
		 "# with it the removal is a third, which is allowed\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.5.0.0/16\n"
		 "braked r1 eth0 no\n");
}

static void test_a_braked_removal_that_comes_back(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 brake 40\n"
		 ONE_PEER
		 "mark r1 eth0\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 110\n"
		 "braked r1 eth0 yes\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 1\n"
		 "braked r1 eth0 no\n"
		 "waiting r1 eth0\n"
		 "same r1 eth0\n");
}

/* "brake release" agrees to what it holds now, not to what comes. */
static void test_release_is_for_once(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 brake 40\n"
		 ONE_PEER
		 "release r1 eth0\n"
		 "wait 1\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 110\n"
		 "braked r1 eth0 yes\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* A command that takes a little must not let go of what the brake holds. */
static void test_a_command_does_not_release_the_brake(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 prefix 20.8.0.0/25\n"
		 "set r1 eth0 prefix 20.8.0.128/25\n"
		 ONE_PEER_AND("20.8.0.0/24")
		 "down r1 10.0.0.2\n"
		 "wait 110\n"
		 "braked r1 eth0 yes\n"
		 "set r1 eth0 no-prefix 20.8.0.0/25\n"
		 "wait 1000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.8.0.128/25\n"
		 "braked r1 eth0 yes\n");
}

/* Days in mode off are no measure of what the edge had. */
static void test_mode_off_is_no_measure(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "set r1 eth0 mode off\n"
		 "wait 10\n"
		 "expect r1 eth0 off 0.0.0.0/0 ::/0\n"
		 "set r1 eth0 mode feasible\n"
		 "wait 10\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 110\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_the_brake_holds_a_shrink_to_nothing),
		CASE(test_additions_go_on_while_braked),
		CASE(test_a_braked_removal_that_comes_back),
		CASE(test_release_is_for_once),
		CASE(test_a_command_does_not_release_the_brake),
		CASE(test_mode_off_is_no_measure),
	};

	return cmocka_run_group_tests_name("engine_brake", tests, NULL, NULL);
}
