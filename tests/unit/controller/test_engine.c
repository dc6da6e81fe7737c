/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Scripts of what happens to a network, see lab.h: from the start to a command.
 */
#include "tests/unit/controller/lab.h"

#include "tests/unit/controller/lab_nets.h"

/* ---- the start ---- */

static void test_first_start_without_a_feed_drops_nothing(void **state)
{
	lab_play(*state, ONE_EDGE
		 "wait 0\n"
		 "expect r1 eth0 observe\n"
		 "generation r1 eth0 1\n"
		 "reason r1 eth0 no BGP peer is known on this edge\n"
		 "mark r1 eth0\n"
		 "wait 100000\n"
		 "same r1 eth0\n"
		 "noted edge r1 eth0: observe, no BGP peer is known on this edge\n");
}

static void test_ready_by_end_of_rib(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "wait 0\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 0\n"
		 "# additions count at once, but nobody is dropped by half a table\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "reason r1 eth0 peer 10.0.0.2 of router r1 has not sent its whole table yet\n"
		 "eor r1 10.0.0.2\n"
		 "wait 4\n"
		 "add r1 10.0.0.2 2a00:1::/32\n"
		 "wait 5\n"
		 "expect r1 eth0 observe 20.1.0.0/16 2a00:1::/32\n"
		 "wait 2\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 2a00:1::/32\n"
		 "reason r1 eth0 -\n"
		 "quiet r1\n"
		 "noted router r1: peer 10.0.0.2 is complete, 2 paths\n");
}

/* A peer that is never quiet has its limit. */
static void test_ready_though_never_quiet(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "eor r1 10.0.0.2\n");
	for (int i = 0; i < 59; i++)
		lab_playf(lab, "add r1 10.0.0.2 20.%d.0.0/16\nwait 1", i);
	lab_play(lab, "reason r1 eth0 has not sent its whole table yet");
	for (int i = 59; i < 62; i++)
		lab_playf(lab, "add r1 10.0.0.2 20.%d.0.0/16\nwait 1", i);
	lab_play(lab, "reason r1 eth0 -");
}

/* An exporter that sends no End-of-RIB is closed once: what comes then, and
 * ends in silence, is the whole table. */
static void test_ready_by_re_dump(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 9\n"
		 "quiet r1\n"
		 "wait 3\n"
		 "noted router r1: closing BMP for a complete dump: sessions came up after the\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 5\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "wait 7\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n"
		 "quiet r1\n"
		 "# a session that comes up later has to wait for the next permitted dump, or\n"
		 "# until all that it had is back\n"
		 "down r1 10.0.0.2\n"
		 "wait 5\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 29\n"
		 "reason r1 eth0 has not sent its whole table yet\n"
		 "wait 471\n"
		 "quiet r1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n"
		 "reason r1 eth0 -\n"
		 "wait 100\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 12\n"
		 "reason r1 eth0 -\n");
}

static void test_an_empty_set_is_not_enforced(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "eor r1 10.0.0.2\n"
		 "wait 60\n"
		 "expect r1 eth0 observe\n"
		 "reason r1 eth0 the computed set is empty: it would drop everything\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_network_modes_wait_for_every_router(void **state)
{
	lab_play(*state, NETWORK
		 R1_UP
		 "wait 60\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "reason r1 eth0 router r2 has no live feed\n"
		 "# a stream that has not named its peers yet says nothing about them\n"
		 "connect r2 10.255.0.2\n"
		 "wait 1\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "reason r1 eth0 router r2 has not sent a whole table yet\n"
		 "close r2\n"
		 R2_UP
		 "wait 5\n"
		 "expect r1 eth0 observe " NETWORK_SET "\n"
		 "wait 7\n"
		 "expect r1 eth0 enforce " NETWORK_SET "\n"
		 "expect r2 eth0 enforce " NETWORK_SET "\n"
		 "expect r2 up observe 20.1.0.0/16 20.2.0.0/15 20.9.0.0/16\n");
}

/* A peer named by the operator is waited for even before any feed shows it. */
static void test_a_named_peer_is_waited_for(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 peer 10.0.0.9\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 60\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "reason r1 eth0 peer 10.0.0.9 of router r1 has been shown by no feed\n"
		 "set r1 eth0 no-peer 10.0.0.9\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_strict_without_a_fib_only_observes(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 mode strict\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 60\n"
		 "expect r1 eth0 observe\n"
		 "reason r1 eth0 the agent of router r1 has not sent its routes yet\n");
}

static void test_acl_needs_no_feed(void **state)
{
	lab_play(*state, "router r1\n"
			 "customer acme 20.1.0.0/16\n"
			 "edge r1 eth0 host enforce\n"
			 "set r1 eth0 customer acme\n"
			 "wait 0\n"
			 "expect r1 eth0 enforce 20.1.0.0/16\n"
			 "edge r1 eth1 internal\n"
			 "wait 0\n"
			 "expect r1 eth1 off 0.0.0.0/0 ::/0\n");
}

/* ---- what comes and goes ---- */

static void test_additions_at_once(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "add r1 10.0.0.2 20.2.0.0/16\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.2.0.0/15\n");
}

static void test_withdrawal_honours_the_hold_down(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "mark r1 eth0\n"
		 "wait 99\n"
		 "same r1 eth0\n"
		 "waiting r1 eth0 20.3.0.0/16\n"
		 "wait 3\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n"
		 "waiting r1 eth0\n");
}

static void test_what_comes_back_in_time_never_leaves(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "mark r1 eth0\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 90\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 5\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 95\n"
		 "waiting r1 eth0 20.3.0.0/16\n"
		 "same r1 eth0\n"
		 "wait 10\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* The prefix that goes is covered by another one: nothing changes at all. */
static void test_covered_prefixes_change_nothing(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "mark r1 eth0\n"
		 "add r1 10.0.0.2 20.1.7.0/24\n"
		 "wait 1\n"
		 "del r1 10.0.0.2 20.1.7.0/24\n"
		 "add r1 10.0.0.2 20.1.0.0/16 65001 65001 65001\n"
		 "wait 1000\n"
		 "waiting r1 eth0\n"
		 "same r1 eth0\n");
}

static void test_peer_down_is_a_removal_like_others(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 brake 100\n"
		 "inventory r1 eth0=10.0.0.1 eth0=10.0.0.5\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "up r1 10.0.0.6 10.0.0.5\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.6 20.3.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "eor r1 10.0.0.6\n"
		 "wait 40\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "down r1 10.0.0.6\n"
		 "wait 99\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "reason r1 eth0 peer 10.0.0.6 of router r1 is down\n"
		 "wait 3\n"
		 "# an edge that has been ready once goes on enforcing\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* ---- the operator's word ---- */

static void test_a_command_takes_effect_at_once(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 prefix 20.8.0.0/16\n"
		 "customer acme 20.9.0.0/16\n"
		 "set r1 eth0 customer acme\n"
		 ONE_PEER_AND("20.8.0.0/15")
		 "set r1 eth0 no-prefix 20.8.0.0/16\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.9.0.0/16\n"
		 "customer acme 20.9.0.0/17\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.9.0.0/17\n"
		 "set r1 eth0 customer -\n"
		 "own 20.3.128.0/17\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/17\n"
		 "waiting r1 eth0\n"
		 "no-own 20.3.128.0/17\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* What waits for other causes goes on waiting. */
static void test_a_command_is_for_its_own_effect_only(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 prefix 20.8.0.0/16\n"
		 ONE_PEER_AND("20.8.0.0/16")
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 50\n"
		 "set r1 eth0 no-prefix 20.8.0.0/16\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "waiting r1 eth0 20.3.0.0/16\n"
		 "wait 49\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 3\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* Routes that change just before or after it, before the engine runs. */
static void test_a_command_among_withdrawals(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 prefix 20.8.0.0/16\n"
		 ONE_PEER_AND("20.8.0.0/16")
		 "add r1 10.0.0.2 20.5.0.0/16\n"
		 "wait 1\n"
		 "wait 3600\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "set r1 eth0 no-prefix 20.8.0.0/16\n"
		 "del r1 10.0.0.2 20.5.0.0/16\n"
		 "run\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.5.0.0/16\n"
		 "waiting r1 eth0 20.3.0.0/16 20.5.0.0/16\n"
		 "# an hour without a run before is no absence\n"
		 "wait 99\n"
		 "waiting r1 eth0 20.3.0.0/16 20.5.0.0/16\n");
}

/* There is always a session down somewhere. */
static void test_a_command_while_a_peer_is_down(void **state)
{
	lab_play(*state, NETWORK
		 "set r1 eth0 prefix 20.8.0.0/16\n"
		 R1_UP
		 R2_UP
		 "wait 40\n"
		 "down r2 10.9.0.2\n"
		 "wait 1000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.2.0.0/16 20.8.0.0/16\n"
		 "reason r1 eth0 is down\n"
		 "set r1 eth0 no-prefix 20.8.0.0/16\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.2.0.0/16\n");
}

/* A new mode whose table is not whole takes nothing away. */
static void test_a_new_mode_waits_for_its_feeds(void **state)
{
	lab_play(*state, ONE_EDGE
		 "router r2\n"
		 "edge r2 eth0 customer efp-b\n"
		 ONE_PEER
		 "set r1 eth0 mode efp-b\n"
		 "wait 1000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "reason r1 eth0 router r2 has no live feed\n"
		 "set r1 eth0 mode strict\n"
		 "wait 1000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "set r1 eth0 mode acl\n"
		 "wait 1000\n"
		 "# an empty record would drop everything\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "reason r1 eth0 the computed set is empty\n");
}

static void test_an_edge_is_deleted_between_two_routes(void **state)
{
	lab_play(*state, ONE_EDGE
		 "edge r1 eth1 customer feasible enforce\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "up r1 10.0.1.2 10.0.1.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.1.2 20.3.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "eor r1 10.0.1.2\n"
		 "wait 40\n"
		 "expect r1 eth1 enforce 20.3.0.0/16\n"
		 "no-edge r1 eth0\n"
		 "expect r1 eth0 gone\n"
		 "add r1 10.0.1.2 20.4.0.0/16\n"
		 "add r1 10.0.0.2 20.5.0.0/16\n"
		 "peer r1 10.0.0.2 its interface is not an edge\n"
		 "no-edge r1 eth1\n"
		 "add r1 10.0.1.2 20.6.0.0/16\n"
		 "down r1 10.0.0.2\n"
		 "wait 1\n"
		 "expect r1 eth1 gone\n");
}

static void test_role_and_edge_come_and_go(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "mark r1 eth0\n"
		 "set r1 eth0 role -\n"
		 "wait 0\n"
		 "expect r1 eth0 gone\n"
		 "reason r1 eth0 the edge has no role\n"
		 "explain r1 eth0 20.1.0.1 the edge has no role yet: it filters nothing\n"
		 "set r1 eth0 role customer\n"
		 "wait 0\n"
		 "# the lab sees to it that generations go on\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "no-edge r1 eth0\n"
		 "wait 0\n"
		 "expect r1 eth0 gone\n"
		 "edge r1 eth0 customer feasible enforce\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

static void test_action_is_at_once(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "set r1 eth0 action observe\n"
		 "wait 0\n"
		 "expect r1 eth0 observe 20.1.0.0/16 20.3.0.0/16\n"
		 "set r1 eth0 action enforce\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* ---- generations ---- */

static void test_generations(void **state)
{
	lab_play(*state, ONE_EDGE
		 "run\n"
		 "generation r1 eth0 1\n"
		 "run\n"
		 "generation r1 eth0 1\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "run\n"
		 "generation r1 eth0 2\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.2.0.0/16\n"
		 "run\n"
		 "generation r1 eth0 3\n"
		 "# there and gone again between two runs\n"
		 "add r1 10.0.0.2 20.7.0.0/16\n"
		 "del r1 10.0.0.2 20.7.0.0/16\n"
		 "run\n"
		 "generation r1 eth0 3\n"
		 "# what concerns it in no way\n"
		 "router r2\n"
		 "customer acme 20.50.0.0/16\n"
		 "own 20.60.0.0/16\n"
		 "edge r1 eth1 customer\n"
		 "set r1 eth0 holddown 50\n"
		 "set r1 eth0 brake 20\n"
		 "run\n"
		 "generation r1 eth0 3\n");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_first_start_without_a_feed_drops_nothing),
		CASE(test_ready_by_end_of_rib),
		CASE(test_ready_though_never_quiet),
		CASE(test_ready_by_re_dump),
		CASE(test_an_empty_set_is_not_enforced),
		CASE(test_network_modes_wait_for_every_router),
		CASE(test_a_named_peer_is_waited_for),
		CASE(test_strict_without_a_fib_only_observes),
		CASE(test_acl_needs_no_feed),
		CASE(test_additions_at_once),
		CASE(test_withdrawal_honours_the_hold_down),
		CASE(test_what_comes_back_in_time_never_leaves),
		CASE(test_covered_prefixes_change_nothing),
		CASE(test_peer_down_is_a_removal_like_others),
		CASE(test_a_command_takes_effect_at_once),
		CASE(test_a_command_is_for_its_own_effect_only),
		CASE(test_a_command_among_withdrawals),
		CASE(test_a_command_while_a_peer_is_down),
		CASE(test_a_new_mode_waits_for_its_feeds),
		CASE(test_an_edge_is_deleted_between_two_routes),
		CASE(test_role_and_edge_come_and_go),
		CASE(test_action_is_at_once),
		CASE(test_generations),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
