/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Feeds that die, come back, or show half of the truth; and restarts of savd.
 */
#include "tests/unit/controller/lab.h"

#include <stdio.h>

#include "tests/unit/controller/lab_nets.h"

/* ---- feeds that die ---- */

static void test_a_lost_feed_freezes(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 50\n"
		 "close r1\n"
		 "alarmed router r1: BMP closed (closed by the test); its routes stay as they\n"
		 "mark r1 eth0\n"
		 "wait 100000\n"
		 "same r1 eth0\n"
		 "waiting r1 eth0 20.3.0.0/16\n"
		 "reason r1 eth0 peer 10.0.0.2 of router r1 has no live feed\n");
}

/* Another router's routes become loose's; off and back by the feed's return. */
static void test_a_dead_feed_degrades_by_policy(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "set r1 eth0 stale loose\n"
		 "add r1 10.0.0.9 20.9.0.0/16 65009\n"
		 "run\n"
		 "close r1\n"
		 "wait 3500\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 200\n"
		 "alarmed its feed is dead: loose as well\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.9.0.0/16\n"
		 "set r1 eth0 stale off\n"
		 "wait 1\n"
		 "expect r1 eth0 off 20.1.0.0/16 20.3.0.0/16\n"
		 "connect r1\n"
		 "wait 1\n"
		 "noted its feed is back\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

static void test_a_dead_feed_holds_by_default(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "close r1\n"
		 "mark r1 eth0\n"
		 "wait 100000\n"
		 "same r1 eth0\n");
}

static void test_reconnect_refreshes_then_sweeps(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "close r1\n"
		 "wait 500\n"
		 "connect r1\n"
		 "mark r1 eth0\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 9\n"
		 "# 20.3.0.0/16 was withdrawn while nobody looked\n"
		 "waiting r1 eth0\n"
		 "eor r1 10.0.0.2\n"
		 "wait 5\n"
		 "waiting r1 eth0 20.3.0.0/16\n"
		 "wait 90\n"
		 "same r1 eth0\n"
		 "wait 20\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* The router lost its customer's session while it could not tell. */
static void test_a_peer_that_the_new_stream_does_not_name(void **state)
{
	lab_play(*state, ONE_EDGE
		 "edge r1 eth1 customer efp-b enforce\n"
		 "set r1 eth1 holddown 100\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1 65001\n"
		 "up r1 10.0.1.2 10.0.1.1 65002\n"
		 "add r1 10.0.0.2 20.1.0.0/16 65001\n"
		 "add r1 10.0.1.2 20.3.0.0/16 65002\n"
		 "eor r1 10.0.0.2\n"
		 "eor r1 10.0.1.2\n"
		 "wait 40\n"
		 "expect r1 eth1 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "close r1\n"
		 "connect r1\n"
		 "up r1 10.0.1.2 10.0.1.1 65002\n"
		 "add r1 10.0.1.2 20.3.0.0/16 65002\n"
		 "eor r1 10.0.1.2\n"
		 "wait 29\n"
		 "reason r1 eth1 peer 10.0.0.2 of router r1 has no live feed\n"
		 "waiting r1 eth1\n"
		 "wait 2\n"
		 "peer r1 10.0.0.2 unknown\n"
		 "waiting r1 eth1 20.1.0.0/16\n"
		 "wait 110\n"
		 "expect r1 eth1 enforce 20.3.0.0/16\n"
		 "# its own edge knows no peer any more, and keeps what it had\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n"
		 "reason r1 eth0 no BGP peer is known on this edge\n");
}

/* TCP has not noticed that the router restarted: its new stream is the one. */
static void test_half_open_stream(void **state)
{
	struct lab *lab = *state;
	struct lab_stream *old;
	struct wr none = { 0 };

	lab_play(lab, ONE_EDGE ONE_PEER "mark r1 eth0\n");
	old = lab_stream(lab, "r1");
	lab_play(lab, "connect r1\n"
		      "up r1 10.0.0.2 10.0.0.1\n"
		      "add r1 10.0.0.2 20.1.0.0/16\n"
		      "add r1 10.0.0.2 20.3.0.0/16\n"
		      "eor r1 10.0.0.2\n"
		      "wait 40\n"
		      "reason r1 eth0 -\n");
	assert_ptr_not_equal(lab_stream(lab, "r1"), old);
	assert_int_equal(lab_bytes(lab, old, &none), -1);
	assert_string_equal(lab->diag.text,
			    "BMP from 10.255.0.1: the router has opened a newer stream");
	engine_feed_close(old->feed, "refused", lab->now_ms);
	old->feed = NULL;
	lab_play(lab, "wait 100\n"
		      "reason r1 eth0 -\n"
		      "same r1 eth0\n");
}

static void test_bgpd_restart(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "mark r1 eth0\n"
		 "close r1\n"
		 "wait 20\n"
		 "# the new bgpd connects before its own sessions are up\n"
		 "connect r1\n"
		 "wait 20\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "wait 3\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 15\n"
		 "# no End-of-RIB for it: one more dump\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 40\n"
		 "reason r1 eth0 -\n"
		 "waiting r1 eth0\n"
		 "same r1 eth0\n");
}

/* Never up for long enough to be believed, never down for a hold-down. */
static void test_flapping_peer(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ONE_EDGE ONE_PEER "mark r1 eth0\n");
	for (int i = 0; i < 50; i++)
		lab_play(lab, "down r1 10.0.0.2\n"
			      "wait 40\n"
			      "up r1 10.0.0.2 10.0.0.1\n"
			      "add r1 10.0.0.2 20.1.0.0/16\n"
			      "add r1 10.0.0.2 20.3.0.0/16\n"
			      "wait 8\n");
	lab_play(lab, "same r1 eth0\n");
}

static void test_whole_table_withdrawn_and_back(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "mark r1 eth0\n"
		 "del r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 1\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 60\n"
		 "waiting r1 eth0 20.1.0.0/16 20.3.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 1000\n"
		 "waiting r1 eth0\n"
		 "same r1 eth0\n");
}

static void test_clock_jump(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "run\n"
		 "jump 1000000\n"
		 "noted s passed in which savd did not run\n"
		 "# what the sockets hold is read first\n"
		 "wait 4\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 2\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n"
		 "# days in which nothing ran are no absence of what is there\n"
		 "jump 1000000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n"
		 "# and a withdrawal after them begins its own hold-down\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "jump 1000000\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 99\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* savd was stopped in a hold-down, and the prefix came back meanwhile: its hold-down
 * ran out in the same moment as the bytes could be read. */
static void test_back_while_savd_was_stopped(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "run\n"
		 "mark r1 eth0\n"
		 "jump 1000\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 1000\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "same r1 eth0\n");
}

/* Nor is a feed silent, or a table whole, that nobody has read for so long. */
static void test_a_feed_while_savd_was_stopped(void **state)
{
	lab_play(*state, ONE_EDGE
		 "feed r1 stats 60\n" ONE_PEER
		 "stats r1 10.0.0.2 2\n"
		 "run\n"
		 "jump 1000\n"
		 "quiet r1\n"
		 "stats r1 10.0.0.2 2\n"
		 "wait 10\n"
		 "quiet r1\n"
		 "reason r1 eth0 -\n"
		 "# it is, if nothing was to be read\n"
		 "jump 1000\n"
		 "quiet r1\n"
		 "wait 6\n"
		 "alarmed router r1: BMP has been silent\n");
}

/* It came back in a dump that was not over, and went again: the hold-down
 * begins anew, though no complete table had it. */
static void test_seen_again_in_an_incomplete_dump(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 80\n"
		 "close r1\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 1\n"
		 "waiting r1 eth0\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 60\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 60\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* ---- pre-policy and post-policy ---- */

#define BOTH_VIEWS                                                                      \
	"connect r1\n"                                                                  \
	"up r1 10.0.0.2 10.0.0.1\n"                                                     \
	"add r1 10.0.0.2 20.1.0.0/16\n"                                                 \
	"add r1 10.0.0.2 20.3.0.0/16\n"                                                 \
	"post add r1 10.0.0.2 20.1.0.0/16\n"                                            \
	"post add r1 10.0.0.2 20.3.0.0/16\n"                                            \
	"eor r1 10.0.0.2\n"                                                             \
	"post eor r1 10.0.0.2\n"                                                        \
	"wait 40\n"                                                                     \
	"expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"

static void test_pre_policy_never_adds(void **state)
{
	lab_play(*state, ONE_EDGE BOTH_VIEWS
		 "add r1 10.0.0.2 20.7.0.0/16\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* FRR sends paths as withdrawn that it has: only a dump can tell. */
static void test_pre_policy_delays_a_removal_until_a_dump(void **state)
{
	lab_play(*state, ONE_EDGE BOTH_VIEWS
		 "post del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 99\n"
		 "quiet r1\n"
		 "wait 5\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "noted pre-policy and post-policy routes disagree\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "post add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 9\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 20\n"
		 "# the dump leaves it out as well: it was policy\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_the_dump_brings_back_what_was_lost(void **state)
{
	lab_play(*state, ONE_EDGE BOTH_VIEWS
		 "mark r1 eth0\n"
		 "post del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 105\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "post add r1 10.0.0.2 20.1.0.0/16\n"
		 "post add r1 10.0.0.2 20.3.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 1000\n"
		 "waiting r1 eth0\n"
		 "same r1 eth0\n");
}

/* Gone from both views: the router is not in doubt, nothing is asked for. */
static void test_gone_from_both_views(void **state)
{
	lab_play(*state, ONE_EDGE BOTH_VIEWS
		 "post del r1 10.0.0.2 20.3.0.0/16\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 103\n"
		 "quiet r1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* The lost path is another customer's, at another router. */
static void test_pre_policy_delays_for_network_modes_too(void **state)
{
	lab_play(*state, NETWORK
		 R1_UP
		 R2_UP
		 "post add r2 10.0.1.2 20.2.0.0/16 65002\n"
		 "wait 40\n"
		 "expect r1 eth0 enforce " NETWORK_SET "\n"
		 "# the views agreed when it went\n"
		 "post del r2 10.0.1.2 20.2.0.0/16\n"
		 "wait 105\n"
		 "expect r1 eth0 enforce " NETWORK_SET "\n"
		 "quiet r1\n"
		 "redump r2\n");
}

/* ---- after a restart ---- */

static void test_restored_until_the_feeds_are_complete(void **state)
{
	lab_play(*state, ONE_EDGE
		 "restore r1 eth0 enforce 7 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 0\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "generation r1 eth0 7\n"
		 "wait 100000\n"
		 "generation r1 eth0 7\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.4.0.0/16\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.4.0.0/16\n"
		 "wait 5\n"
		 "eor r1 10.0.0.2\n"
		 "wait 30\n"
		 "waiting r1 eth0 20.3.0.0/16\n"
		 "wait 50\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.4.0.0/16\n"
		 "wait 50\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.4.0.0/16\n");
}

/* With the same table as before nothing is sent again. */
static void test_restored_and_unchanged(void **state)
{
	lab_play(*state, ONE_EDGE
		 "restore r1 eth0 enforce 7 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 5\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 1000\n"
		 "# the peer is what is new\n"
		 "generation r1 eth0 8\n");
}

static void test_a_restored_observer_keeps_its_set(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 action observe\n"
		 "restore r1 eth0 observe 7 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 1000\n"
		 "expect r1 eth0 observe 20.1.0.0/16 20.3.0.0/16\n"
		 "# told to enforce before the feeds are there: not yet\n"
		 "set r1 eth0 action enforce\n"
		 "wait 0\n"
		 "expect r1 eth0 observe 20.1.0.0/16 20.3.0.0/16\n");
}

static void test_restored_then_off(void **state)
{
	lab_play(*state, ONE_EDGE
		 "set r1 eth0 mode off\n"
		 "restore r1 eth0 off 7 0.0.0.0/0 ::/0\n"
		 "wait 0\n"
		 "expect r1 eth0 off 0.0.0.0/0 ::/0\n"
		 "set r1 eth0 mode feasible\n"
		 "wait 0\n"
		 "expect r1 eth0 observe\n"
		 ONE_PEER);
}

static void test_restored_but_not_configured_any_more(void **state)
{
	lab_play(*state, ONE_EDGE
		 "restore r1 eth7 enforce 7 20.1.0.0/16\n"
		 "expect r1 eth7 gone\n"
		 "edge r1 eth8 customer\n"
		 "set r1 eth8 role -\n"
		 "restore r1 eth8 enforce 7 20.1.0.0/16\n"
		 "wait 0\n"
		 "expect r1 eth8 gone\n");
}

/* The brake knows the restored size. */
static void test_the_brake_after_a_restart(void **state)
{
	lab_play(*state, ONE_EDGE
		 "restore r1 eth0 enforce 7 20.0.0.0/12\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 1000\n"
		 "expect r1 eth0 enforce 20.0.0.0/12\n"
		 "braked r1 eth0 yes\n");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

/* A full table by a slow line: for minutes there are no five quiet seconds, and the
 * End-of-RIB is still to come. It is neither believed nor asked for anew. */
static void test_a_dump_of_minutes_is_waited_for(void **state)
{
	struct lab *lab = *state;
	char script[200];

	lab_play(lab, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n");
	for (unsigned int i = 0; i < 60; i++) {
		snprintf(script, sizeof(script), "add r1 10.0.0.2 20.%u.0.0/16\nwait 4\nquiet r1\n", i);
		lab_play(lab, script);
	}
	lab_play(lab, "reason r1 eth0 10.0.0.2\n"
		      "eor r1 10.0.0.2\n"
		      "wait 6\n"
		      "reason r1 eth0 -\n"
		      "quiet r1\n");
}

/* Routers dump one peer's table after the other's. What was there before the dump
 * is no sign that this one is over. */
static void test_a_peer_whose_turn_has_not_come(void **state)
{
	struct lab *lab = *state;
	char script[200];

	lab_play(lab, ONE_EDGE ONE_PEER
		 "close r1\n"
		 "wait 700\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "up r1 10.0.1.2 10.0.1.1\n");
	for (unsigned int i = 0; i < 60; i++) {
		snprintf(script, sizeof(script), "add r1 10.0.1.2 30.%u.0.0/16\nwait 2\nquiet r1\nwaiting r1 eth0\n", i);
		lab_play(lab, script);
	}
	lab_play(lab, "eor r1 10.0.1.2\n"
		      "wait 2\n"
		      "waiting r1 eth0\n"
		      "add r1 10.0.0.2 20.1.0.0/16\n"
		      "add r1 10.0.0.2 20.3.0.0/16\n"
		      "eor r1 10.0.0.2\n"
		      "wait 6\n"
		      "waiting r1 eth0\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		      "quiet r1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_lost_feed_freezes),
		CASE(test_a_dump_of_minutes_is_waited_for),
		CASE(test_a_peer_whose_turn_has_not_come),
		CASE(test_a_dead_feed_degrades_by_policy),
		CASE(test_a_dead_feed_holds_by_default),
		CASE(test_reconnect_refreshes_then_sweeps),
		CASE(test_a_peer_that_the_new_stream_does_not_name),
		CASE(test_half_open_stream),
		CASE(test_bgpd_restart),
		CASE(test_flapping_peer),
		CASE(test_whole_table_withdrawn_and_back),
		CASE(test_clock_jump),
		CASE(test_back_while_savd_was_stopped),
		CASE(test_a_feed_while_savd_was_stopped),
		CASE(test_seen_again_in_an_incomplete_dump),
		CASE(test_pre_policy_never_adds),
		CASE(test_pre_policy_delays_a_removal_until_a_dump),
		CASE(test_the_dump_brings_back_what_was_lost),
		CASE(test_gone_from_both_views),
		CASE(test_pre_policy_delays_for_network_modes_too),
		CASE(test_restored_until_the_feeds_are_complete),
		CASE(test_restored_and_unchanged),
		CASE(test_a_restored_observer_keeps_its_set),
		CASE(test_restored_then_off),
		CASE(test_restored_but_not_configured_any_more),
		CASE(test_the_brake_after_a_restart),
	};

	return cmocka_run_group_tests_name("engine_outage", tests, NULL, NULL);
}
