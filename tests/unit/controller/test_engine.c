/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Scripts of what happens to a network, see lab.h.
 */
#include "tests/unit/controller/lab.h"

#include <stdlib.h>
#include <string.h>

/* One edge that reads its own peer, and hold-downs of 100 s. */
#define ONE_EDGE                                                                        \
	"router r1\n"                                                                   \
	"edge r1 eth0 customer feasible enforce\n"                                      \
	"set r1 eth0 holddown 100\n"                                                    \
	"inventory r1 eth0=10.0.0.1 eth1=10.0.1.1 lo=10.255.0.1\n"
#define ONE_PEER ONE_PEER_AND("")
/* with what a command or record adds */
#define ONE_PEER_AND(more)                                                              \
	"connect r1\n"                                                                  \
	"up r1 10.0.0.2 10.0.0.1\n"                                                     \
	"add r1 10.0.0.2 20.1.0.0/16\n"                                                 \
	"add r1 10.0.0.2 20.3.0.0/16\n"                                                 \
	"eor r1 10.0.0.2\n"                                                             \
	"wait 40\n"                                                                     \
	"expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 " more "\n"

/* Two customers at two routers, a provider; efp-b reads all of them. */
#define NETWORK                                                                         \
	"router r1\n"                                                                   \
	"router r2\n"                                                                   \
	"edge r1 eth0 customer efp-b enforce\n"                                         \
	"edge r2 eth0 customer efp-b enforce\n"                                         \
	"edge r2 up provider loose\n"                                                   \
	"set r1 eth0 holddown 100\n"                                                    \
	"set r2 eth0 holddown 100\n"                                                    \
	"inventory r1 eth0=10.0.0.1\n"                                                  \
	"inventory r2 eth0=10.0.1.1 up=10.9.0.1\n"
#define R1_UP                                                                           \
	"connect r1 10.255.0.1\n"                                                       \
	"up r1 10.0.0.2 10.0.0.1 65001\n"                                               \
	"add r1 10.0.0.2 20.1.0.0/16 65001\n"                                           \
	"eor r1 10.0.0.2\n"
#define R2_UP                                                                           \
	"connect r2 10.255.0.2\n"                                                       \
	"up r2 10.0.1.2 10.0.1.1 65002\n"                                               \
	"up r2 10.9.0.2 10.9.0.1 3356\n"                                                \
	"add r2 10.0.1.2 20.2.0.0/16 65002\n"                                           \
	"add r2 10.9.0.2 20.3.0.0/16 3356 65002\n"                                      \
	"add r2 10.9.0.2 20.9.0.0/16 3356 15169\n"                                      \
	"eor r2 10.0.1.2\n"                                                             \
	"eor r2 10.9.0.2\n"
#define NETWORK_SET "20.1.0.0/16 20.2.0.0/15"

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

/* ---- the brake ---- */

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

/* ---- peers and their edges ---- */

static void test_mapping(void **state)
{
	lab_play(*state, "router r1\n"
			 "edge r1 eth0 customer feasible\n"
			 "edge r1 eth1 customer feasible\n"
			 "connect r1\n"
			 "up r1 10.0.0.2 10.0.0.1\n"
			 "add r1 10.0.0.2 20.1.0.0/16\n"
			 "wait 0\n"
			 "peer r1 10.0.0.2 the router's agent has sent no inventory yet\n"
			 "expect r1 eth0 observe\n"
			 "inventory r1 eth0=10.0.0.1 eth1=10.0.1.1 eth2=10.0.2.1\n"
			 "wait 0\n"
			 "peer r1 10.0.0.2 by the session's local address\n"
			 "expect r1 eth0 observe 20.1.0.0/16\n"
			 "# the address moves to another interface\n"
			 "inventory r1 eth0=10.0.9.1 eth1=10.0.0.1 eth2=10.0.2.1\n"
			 "wait 0\n"
			 "expect r1 eth0 observe\n"
			 "expect r1 eth1 observe 20.1.0.0/16\n"
			 "# the operator knows better\n"
			 "set r1 eth0 peer 10.0.0.2\n"
			 "wait 0\n"
			 "peer r1 10.0.0.2 by its peer statement\n"
			 "expect r1 eth0 observe 20.1.0.0/16\n"
			 "expect r1 eth1 observe\n"
			 "set r1 eth0 no-peer 10.0.0.2\n"
			 "inventory r1 eth2=10.0.0.1\n"
			 "wait 0\n"
			 "peer r1 10.0.0.2 its interface is not an edge\n"
			 "inventory r1 eth2=10.0.2.1\n"
			 "wait 0\n"
			 "peer r1 10.0.0.2 no interface has the session's local address\n");
}

static void test_link_local_sessions(void **state)
{
	lab_play(*state, "router r1\n"
			 "edge r1 eth0 customer feasible\n"
			 "inventory r1 eth0=fe80::1 eth1=fe80::2\n"
			 "connect r1\n"
			 "up r1 fe80::9 fe80::1\n"
			 "add r1 fe80::9 2a00:1::/32\n"
			 "wait 0\n"
			 "expect r1 eth0 observe 2a00:1::/32\n"
			 "inventory r1 eth0=fe80::1 eth1=fe80::1 eth2=fe80::1\n"
			 "wait 0\n"
			 "expect r1 eth0 observe\n"
			 "peer r1 fe80::9 several interfaces have the session's local address: "
			 "type \"peer ADDRESS\" in its edge\n"
			 "set r1 eth0 peer fe80::9\n"
			 "wait 0\n"
			 "expect r1 eth0 observe 2a00:1::/32\n");
}

/* An internal session may run over any address of the router, also that of a
 * customer's interface: it must not open it. */
static void test_internal_sessions_open_no_edge(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.255.0.2 10.0.0.1 64500\n"
		 "add r1 10.255.0.2 20.1.0.0/16 3356\n"
		 "wait 0\n"
		 "peer r1 10.255.0.2 an internal session: its routes are no edge's\n"
		 "expect r1 eth0 observe\n");
}

static void test_peers_are_told_to_the_router(void **state)
{
	struct lab *lab = *state;
	const struct lab_filter *f;
	char text[IP_TEXT_SIZE];

	lab_play(lab, ONE_EDGE
		 "set r1 eth0 peer 10.0.0.9\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "wait 0\n");
	f = lab_filter(lab, "r1", "eth0");
	assert_int_equal(f->filter.n_peers, 2);
	assert_string_equal(ip_addr_format(&f->filter.peers[0], text), "10.0.0.2");
	assert_string_equal(ip_addr_format(&f->filter.peers[1], text), "10.0.0.9");
	/* a session that is down has to come up again through the filter */
	lab_play(lab, "mark r1 eth0\n"
		      "down r1 10.0.0.2\n"
		      "wait 1000\n"
		      "same r1 eth0\n");
}

/* ---- RFC 9234 ---- */

/* The peer of a customer's edge calls itself provider (0), then customer (3). */
static void test_a_role_mismatch_keeps_an_edge_from_starting(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1 65001 0\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 60\n"
		 "expect r1 eth0 observe 20.1.0.0/16\n"
		 "reason r1 eth0 peer 10.0.0.2 calls itself provider in BGP (RFC 9234), the "
		 "edge's role is customer\n"
		 "alarmed edge r1 eth0 has role customer, but its peer 10.0.0.2 calls itself "
		 "provider in BGP (RFC 9234): correct one of the two\n"
		 "down r1 10.0.0.2\n"
		 "up r1 10.0.0.2 10.0.0.1 65001 3\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 60\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* "the other side must not be able to switch its own filter off" */
static void test_a_role_mismatch_only_alarms_later(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "down r1 10.0.0.2\n"
		 "up r1 10.0.0.2 10.0.0.1 65001 4\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 20\n"
		 "alarmed calls itself peer in BGP\n"
		 "reason r1 eth0 -\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 110\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* ---- who is who ---- */

static void test_unknown_router(void **state)
{
	lab_play(*state, "router r1\n"
			 "open r7 10.255.0.7\n"
			 "bad r7 BMP speaker at 10.255.0.7 calls itself r7 and there is no such "
			 "router: type \"router r7\", or \"bmp source 10.255.0.7\" in the router "
			 "that it is\n"
			 "router r7\n"
			 "connect r7 10.255.0.7\n"
			 "noted router r7: BMP connected\n");
}

static void test_a_source_names_the_router(void **state)
{
	lab_play(*state, "router r1\n"
			 "source r1 10.255.0.7\n"
			 "open r1 10.255.0.7\n"
			 "init r1 core7.example.net\n"
			 "noted router r1: BMP connected\n"
			 "# and nobody else may take its name\n"
			 "open r1 10.255.0.8\n"
			 "bad r1 BMP speaker at 10.255.0.8 calls itself r1, whose bmp source is "
			 "another address: type \"bmp source 10.255.0.8\" in router r1 if it is "
			 "right\n");
}

static void test_two_routers_of_one_name(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "mark r1 eth0\n"
		 "open r1 10.255.0.66\n"
		 "bad r1 BMP speaker at 10.255.0.66 claims to be router r1, which is connected "
		 "from 10.255.0.1: one of the two has the wrong name\n"
		 "wait 100\n"
		 "reason r1 eth0 -\n"
		 "same r1 eth0\n");
}

/* ---- bytes that are no BMP ---- */

static void check_garbage(struct lab *lab, const void *data, size_t len, const char *text)
{
	struct lab_stream *s;
	struct wr bytes = { 0 };

	lab_play(lab, "open r9 10.255.0.9");
	s = lab_stream(lab, "r9");
	wr_bytes(&bytes, data, len);
	assert_int_equal(lab_bytes(lab, s, &bytes), -1);
	assert_string_equal(lab->diag.text, text);
	engine_feed_close(s->feed, "refused", lab->now_ms);
	s->feed = NULL;
}

static void test_garbage(void **state)
{
	static const uint8_t statistics[] = { 3, 0, 0, 0, 6, 1 };
	struct lab *lab = *state;

	lab_play(lab, ONE_EDGE ONE_PEER "mark r1 eth0\n");
	check_garbage(lab, "GET / HTTP/1.0\r\n\r\n", 18,
		      "BMP from 10.255.0.9: byte 0: this is not BMP version 3 (version byte is "
		      "71)");
	check_garbage(lab, "\3\0\0\0\5\4", 6,
		      "BMP from 10.255.0.9: byte 0: a BMP message of 5 bytes cannot be (6 to "
		      "1048576 can)");
	check_garbage(lab, statistics, sizeof(statistics),
		      "BMP from 10.255.0.9 does not begin with an Initiation message (RFC 7854 "
		      "sec. 4.3)");
	lab_play(lab, "wait 100\n"
		      "same r1 eth0\n");
}

/* A stream that breaks in the middle is one that ended. */
static void test_garbage_after_a_good_start(void **state)
{
	struct lab *lab = *state;
	struct lab_stream *s;
	struct wr bytes = { 0 };

	lab_play(lab, ONE_EDGE ONE_PEER "mark r1 eth0\n");
	s = lab_stream(lab, "r1");
	wr_be64(&bytes, 0xdeadbeef);
	assert_int_equal(lab_bytes(lab, s, &bytes), -1);
	assert_non_null(strstr(lab->diag.text, "BMP from 10.255.0.1, router r1: byte "));
	engine_feed_close(s->feed, lab->diag.text, lab->now_ms);
	s->feed = NULL;
	lab_play(lab, "wait 10000\n"
		      "same r1 eth0\n"
		      "reason r1 eth0 has no live feed\n");
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

/* ---- why ---- */

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
		CASE(test_a_lost_feed_freezes),
		CASE(test_a_dead_feed_degrades_by_policy),
		CASE(test_a_dead_feed_holds_by_default),
		CASE(test_reconnect_refreshes_then_sweeps),
		CASE(test_a_peer_that_the_new_stream_does_not_name),
		CASE(test_half_open_stream),
		CASE(test_bgpd_restart),
		CASE(test_flapping_peer),
		CASE(test_whole_table_withdrawn_and_back),
		CASE(test_clock_jump),
		CASE(test_seen_again_in_an_incomplete_dump),
		CASE(test_pre_policy_never_adds),
		CASE(test_pre_policy_delays_a_removal_until_a_dump),
		CASE(test_the_dump_brings_back_what_was_lost),
		CASE(test_gone_from_both_views),
		CASE(test_pre_policy_delays_for_network_modes_too),
		CASE(test_the_brake_holds_a_shrink_to_nothing),
		CASE(test_additions_go_on_while_braked),
		CASE(test_a_braked_removal_that_comes_back),
		CASE(test_release_is_for_once),
		CASE(test_a_command_does_not_release_the_brake),
		CASE(test_mode_off_is_no_measure),
		CASE(test_a_command_takes_effect_at_once),
		CASE(test_a_command_is_for_its_own_effect_only),
		CASE(test_a_command_among_withdrawals),
		CASE(test_a_command_while_a_peer_is_down),
		CASE(test_a_new_mode_waits_for_its_feeds),
		CASE(test_an_edge_is_deleted_between_two_routes),
		CASE(test_role_and_edge_come_and_go),
		CASE(test_action_is_at_once),
		CASE(test_restored_until_the_feeds_are_complete),
		CASE(test_restored_and_unchanged),
		CASE(test_a_restored_observer_keeps_its_set),
		CASE(test_restored_then_off),
		CASE(test_restored_but_not_configured_any_more),
		CASE(test_the_brake_after_a_restart),
		CASE(test_mapping),
		CASE(test_link_local_sessions),
		CASE(test_internal_sessions_open_no_edge),
		CASE(test_peers_are_told_to_the_router),
		CASE(test_a_role_mismatch_keeps_an_edge_from_starting),
		CASE(test_a_role_mismatch_only_alarms_later),
		CASE(test_unknown_router),
		CASE(test_a_source_names_the_router),
		CASE(test_two_routers_of_one_name),
		CASE(test_garbage),
		CASE(test_garbage_after_a_good_start),
		CASE(test_generations),
		CASE(test_explain),
		CASE(test_explain_what_others_announce),
		CASE(test_explain_before_anything_ran),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
