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

/* ---- silence ---- */

/* The router is off without a FIN: nothing ends the stream, and nothing is said. */
static void test_a_half_open_stream_is_stale(void **state)
{
	lab_play(*state, ONE_EDGE
		 "feed r1 stats 60\n"
		 "set r1 eth0 stale off\n" ONE_PEER
		 "wait 130\n"
		 "stats r1 10.0.0.2 2\n"
		 "wait 179\n"
		 "reason r1 eth0 -\n"
		 "quiet r1\n"
		 "wait 2\n"
		 "alarmed router r1: BMP has been silent for 180 s\n"
		 "reason r1 eth0 peer 10.0.0.2 of router r1 has no live feed\n"
		 "noted closing BMP for a complete dump: it says nothing\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "close r1\n"
		 "wait 3700\n"
		 "alarmed its feed is dead: nothing is filtered\n"
		 "expect r1 eth0 off 20.1.0.0/16 20.3.0.0/16\n");
}

/* Where dumps are used up already it is frozen, and a word is enough. */
static void test_silence_freezes_until_a_word_comes(void **state)
{
	lab_play(*state, ONE_EDGE
		 "feed r1 stats 60\n" ONE_PEER
		 "wait 200\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 20\n"
		 "set r1 eth0 holddown 300\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 50\n"
		 "stats r1 10.0.0.2 1\n"
		 "wait 251\n"
		 "quiet r1\n"
		 "reason r1 eth0 has no live feed\n"
		 "# its hold-down does not run out in the dark\n"
		 "wait 100\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "stats r1 10.0.0.2 1\n"
		 "wait 1\n"
		 "reason r1 eth0 -\n"
		 "wait 300\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_silence_is_nothing_without_an_interval(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "wait 100000\n"
		 "quiet r1\n"
		 "reason r1 eth0 -\n");
}

/* ---- empty tables ---- */

/* bgpd restarts its BMP session and says that a customer has nothing. */
static void test_an_empty_dump_has_to_be_confirmed(void **state)
{
	lab_play(*state, ONE_EDGE ONE_PEER
		 "close r1\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "eor r1 10.0.0.2\n"
		 "wait 12\n"
		 "reason r1 eth0 shows no routes any more: a new dump has to confirm it\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 12\n"
		 "reason r1 eth0 -\n"
		 "waiting r1 eth0\n");
}

static void test_a_confirmed_empty_table_is_believed(void **state)
{
	lab_play(*state, ONE_EDGE "set r1 eth0 prefix 20.8.0.0/16\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 40\n"
		 "close r1\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "eor r1 10.0.0.2\n"
		 "wait 12\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "eor r1 10.0.0.2\n"
		 "wait 12\n"
		 "reason r1 eth0 -\n"
		 "waiting r1 eth0 20.1.0.0/16\n"
		 "wait 120\n"
		 "expect r1 eth0 enforce 20.8.0.0/16\n");
}

/* A peer that never announced anything is a peer like others. */
static void test_a_peer_without_routes_is_whole(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "eor r1 10.0.0.2\n"
		 "wait 12\n"
		 "quiet r1\n"
		 "reason r1 eth0 the computed set is empty\n");
}

/* FRR 8.4 without soft-reconfiguration inbound: withdrawals are all it sends. */
static void test_withdrawals_alone_are_no_table(void **state)
{
	lab_play(*state, ONE_EDGE
		 "edge r1 eth1 customer efp-b enforce\n"
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1 65001\n"
		 "up r1 10.0.1.2 10.0.1.1 65002\n"
		 "add r1 10.0.0.2 20.1.0.0/16 65001\n"
		 "del r1 10.0.1.2 20.2.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "eor r1 10.0.1.2\n"
		 "wait 12\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1 65001\n"
		 "up r1 10.0.1.2 10.0.1.1 65002\n"
		 "add r1 10.0.0.2 20.1.0.0/16 65001\n"
		 "del r1 10.0.1.2 20.2.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "eor r1 10.0.1.2\n"
		 "wait 700\n"
		 "quiet r1\n"
		 "alarmed withdraws routes that it never announced\n"
		 "reason r1 eth1 peer 10.0.1.2 of router r1 shows no routes, but withdraws\n"
		 "expect r1 eth1 observe 20.1.0.0/16\n"
		 "feed r1 exclude 10.0.1.2\n"
		 "wait 1\n"
		 "expect r1 eth1 enforce 20.1.0.0/16\n");
}

/* Post-policy is empty where policy denies all: said twice, it is believed. */
static void test_all_denied_by_policy_is_a_table(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "post del r1 10.0.0.2 20.1.0.0/16\n"
		 "post eor r1 10.0.0.2\n"
		 "wait 12\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "post del r1 10.0.0.2 20.1.0.0/16\n"
		 "post eor r1 10.0.0.2\n"
		 "wait 12\n"
		 "reason r1 eth0 the computed set is empty\n");
}

static void test_statistics_contradict_an_empty_table(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "eor r1 10.0.0.2\n"
		 "stats r1 10.0.0.2 7\n"
		 "wait 12\n"
		 "reason r1 eth0 shows no routes, but its statistics count some\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "stats r1 10.0.0.2 7\n"
		 "wait 12\n"
		 "reason r1 eth0 -\n");
}

/* ---- re-dumps ---- */

static void test_a_dump_on_the_timer(void **state)
{
	lab_play(*state, ONE_EDGE
		 "feed r1 redump 3600\n" ONE_PEER
		 "wait 3500\n"
		 "quiet r1\n"
		 "wait 100\n"
		 "noted closing BMP for a complete dump: its timer has run out\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "eor r1 10.0.0.2\n"
		 "wait 3500\n"
		 "quiet r1\n"
		 "waiting r1 eth0\n"
		 "wait 200\n"
		 "redump r1\n");
}

/* What a flap brought back in part is not whole before the next dump. */
static void test_half_of_it_is_not_back(void **state)
{
	lab_play(*state, ONE_EDGE
		 "connect r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 12\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 40\n"
		 "reason r1 eth0 -\n"
		 "down r1 10.0.0.2\n"
		 "up r1 10.0.0.2 10.0.0.1\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 300\n"
		 "quiet r1\n"
		 "reason r1 eth0 has not sent its whole table yet\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 12\n"
		 "quiet r1\n"
		 "reason r1 eth0 -\n"
		 "# and is asked for all the same\n"
		 "wait 300\n"
		 "redump r1\n");
}

/* ---- graceful restart (RFC 4724) ---- */

#define RESTARTER                                                                        \
	"set r1 eth0 holddown 0\n"                                                       \
	"connect r1\n"                                                                   \
	"up r1 10.0.0.2 10.0.0.1 65001 -1 restart\n"                                     \
	"add r1 10.0.0.2 20.1.0.0/16\n"                                                  \
	"add r1 10.0.0.2 20.3.0.0/16\n"                                                  \
	"eor r1 10.0.0.2\n"                                                              \
	"wait 40\n"                                                                      \
	"expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"

/* The router forwards by its routes: they count, whatever the hold-down. */
static void test_routes_of_a_restarting_peer_count(void **state)
{
	lab_play(*state, ONE_EDGE RESTARTER
		 "down r1 10.0.0.2\n"
		 "wait 100\n"
		 "noted peer 10.0.0.2 restarts gracefully: its routes stay for 120 s\n"
		 "reason r1 eth0 is down\n"
		 "waiting r1 eth0\n"
		 "up r1 10.0.0.2 10.0.0.1 65001 -1 restart\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "wait 12\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "# the dump has what the router keeps for the peer, until the peer's own\n"
		 "# End-of-RIB or the router's patience ends that\n"
		 "redump r1\n"
		 "up r1 10.0.0.2 10.0.0.1 65001 -1 restart\n"
		 "add r1 10.0.0.2 20.1.0.0/16\n"
		 "add r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 12\n"
		 "reason r1 eth0 -\n"
		 "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		 "del r1 10.0.0.2 20.3.0.0/16\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_a_peer_that_does_not_come_back(void **state)
{
	lab_play(*state, ONE_EDGE RESTARTER
		 "set r1 eth0 holddown 100\n"
		 "down r1 10.0.0.2\n"
		 "wait 119\n"
		 "waiting r1 eth0\n"
		 "wait 2\n"
		 "noted peer 10.0.0.2 has not come back\n"
		 "waiting r1 eth0 20.1.0.0/16 20.3.0.0/16\n");
}

/* A NOTIFICATION ends a session for good (RFC 4724 sec. 4). */
static void test_a_notification_is_no_restart(void **state)
{
	lab_play(*state, ONE_EDGE RESTARTER
		 "set r1 eth0 holddown 100\n"
		 "down r1 10.0.0.2 notified\n"
		 "wait 1\n"
		 "waiting r1 eth0 20.1.0.0/16 20.3.0.0/16\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_an_excluded_peer_is_not_waited_for),
		T(test_a_router_without_bgp_is_not_waited_for),
		T(test_all_that_an_edge_waits_for),
		T(test_another_routers_dead_feed_degrades_too),
		T(test_a_half_open_stream_is_stale),
		T(test_silence_freezes_until_a_word_comes),
		T(test_silence_is_nothing_without_an_interval),
		T(test_an_empty_dump_has_to_be_confirmed),
		T(test_a_confirmed_empty_table_is_believed),
		T(test_a_peer_without_routes_is_whole),
		T(test_withdrawals_alone_are_no_table),
		T(test_all_denied_by_policy_is_a_table),
		T(test_statistics_contradict_an_empty_table),
		T(test_a_dump_on_the_timer),
		T(test_half_of_it_is_not_back),
		T(test_routes_of_a_restarting_peer_count),
		T(test_a_peer_that_does_not_come_back),
		T(test_a_notification_is_no_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
