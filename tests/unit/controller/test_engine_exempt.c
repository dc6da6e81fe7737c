/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who may talk to the router itself: an edge's peers at once, and one that left
 * it until the hold-down has passed, whatever made it leave. Its own side may go
 * on sending by the link that the router's route to it has left.
 */
#include "tests/unit/controller/lab.h"

/* A peer between loopbacks, 10.7.0.1, and one on each link. Hold-downs of 100 s are
 * rounded up, to 1.6 s. */
#define LOOPBACK                                                                         \
	"router r1\n"                                                                    \
	"edge r1 s1 customer feasible enforce\n"                                         \
	"edge r1 s2 customer feasible enforce\n"                                         \
	"set r1 s1 holddown 100\nset r1 s2 holddown 100\n"                               \
	"set r1 s1 brake 100\nset r1 s2 brake 100\n" LINKS                               \
	"fib r1 10.7.0.1/32=s1\n" STREAM
#define LINKS                                                                            \
	"inventory r1 s1=10.0.1.1/30 s2=10.0.2.1/30 lo=10.255.0.1/32\n"
#define STREAM                                                                           \
	"connect r1\n"                                                                   \
	"up r1 10.7.0.1 10.255.0.1\n"                                                    \
	"add r1 10.7.0.1 20.1.0.0/16\n"                                                  \
	"eor r1 10.7.0.1\n" DIRECT
#define DIRECT                                                                           \
	"up r1 10.0.1.2 10.0.1.1\n"                                                      \
	"add r1 10.0.1.2 20.9.0.0/16\n"                                                  \
	"eor r1 10.0.1.2\n"                                                              \
	"up r1 10.0.2.2 10.0.2.1\n"                                                      \
	"add r1 10.0.2.2 20.2.0.0/16\n"                                                  \
	"eor r1 10.0.2.2\n"

#define WAS_A_PEER                                                                       \
	"10.7.0.1 may still talk to the router itself: it was a BGP peer of this edge, " \
	"and stays one "

/* On the new edge at once, and on the old one as long as what it announced. */
static void test_a_route_that_moves(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "peers r1 s2 10.0.2.2\n"
		 "left r1 s1\n"
		 "to-router r1 s1 10.7.0.1 10.7.0.1 may still talk to the router itself, as a BGP "
		 "peer of this edge\n"
		 "to-router r1 s2 10.7.0.1 -\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "run\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "peers r1 s2 10.0.2.2 10.7.0.1\n"
		 "left r1 s1 10.7.0.1=101\n"
		 "left r1 s2\n"
		 "to-router r1 s1 10.7.0.1 " WAS_A_PEER "for its hold-down, 101 s more\n"
		 "wait 99\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.9.0.0/16\n"
		 "wait 3\n"
		 "peers r1 s1 10.0.1.2\n"
		 "expect r1 s1 enforce 20.9.0.0/16\n"
		 "left r1 s1\n"
		 "to-router r1 s1 10.7.0.1 -\n"
		 "peers r1 s2 10.0.2.2 10.7.0.1\n");
}

/* Back in time, nothing has happened. Each departure begins a hold-down of its own. */
static void test_a_route_that_moves_often(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "mark r1 s1\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "wait 60\n"
		 "route r1 10.7.0.1/32=s1,s2\n"
		 "wait 200\n"
		 "same r1 s1\n"
		 "left r1 s1\n"
		 "route r1 10.7.0.1/32=s1\n"
		 "wait 50\n"
		 "left r1 s2 10.7.0.1=52\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "wait 70\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "left r1 s1 10.7.0.1=32\n"
		 "left r1 s2\n"
		 "route r1 10.7.0.1/32=s1\n"
		 "wait 10\n"
		 "left r1 s1\n"
		 "left r1 s2 10.7.0.1=92\n"
		 "wait 93\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "peers r1 s2 10.0.2.2\n"
		 "# to none at all\n"
		 "route r1 10.7.0.1/32=-\n"
		 "wait 1\n"
		 "on r1 10.7.0.1\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n");
}

/* To name another edge is to move the peer, and its session is up. */
static void test_a_statement_that_moves(void **state)
{
	lab_play(*state, LOOPBACK
		 "set r1 s1 peer 10.7.0.1\n"
		 "set r1 s1 peer 10.8.0.1\n"
		 "feed r1 exclude 10.8.0.1\n"
		 "wait 40\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1 10.8.0.1\n"
		 "set r1 s1 no-peer 10.7.0.1\n"
		 "set r1 s1 no-peer 10.8.0.1\n"
		 "set r1 s2 peer 10.7.0.1\n"
		 "run\n"
		 "# what it announced is the command's to take\n"
		 "expect r1 s1 enforce 20.9.0.0/16\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1 10.8.0.1\n"
		 "peers r1 s2 10.0.2.2 10.7.0.1\n"
		 "wait 99\n"
		 "left r1 s1 10.7.0.1=2 10.8.0.1=2\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1 10.8.0.1\n"
		 "wait 3\n"
		 "peers r1 s1 10.0.1.2\n"
		 "# at once, for who wants that\n"
		 "set r1 s2 no-peer 10.7.0.1\n"
		 "run\n"
		 "on r1 10.7.0.1 s1\n"
		 "peers r1 s2 10.0.2.2 10.7.0.1\n"
		 "set r1 s2 holddown 0\n"
		 "run\n"
		 "peers r1 s2 10.0.2.2\n");
}

/* bgpd has it no more, and its next dump does not name it. */
static void test_a_peer_that_is_taken_out_of_bgpd(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "down r1 10.7.0.1\n"
		 "wait 1\n"
		 "left r1 s1\n"
		 "close r1\n"
		 "connect r1\n" DIRECT
		 "wait 40\n"
		 "peer r1 10.7.0.1 unknown\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "wait 102\n"
		 "peers r1 s1 10.0.1.2\n");
}

/* While feeds are away nothing leaves: neither what it announced nor itself. */
static void test_without_a_feed_it_stays(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "wait 50\n"
		 "close r1\n"
		 "wait 200\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "left r1 s1 10.7.0.1=-\n"
		 "to-router r1 s1 10.7.0.1 " WAS_A_PEER "until the feeds are complete\n"
		 STREAM
		 "wait 40\n"
		 "peers r1 s1 10.0.1.2\n"
		 "expect r1 s1 enforce 20.9.0.0/16\n"
		 "# it leaves while they are away: its time begins when they are back\n"
		 "close r1\n"
		 "wait 1\n"
		 "route r1 10.7.0.1/32=s1\n"
		 "wait 200\n"
		 "peers r1 s2 10.0.2.2 10.7.0.1\n"
		 "left r1 s2 10.7.0.1=-\n"
		 STREAM
		 "wait 90\n"
		 "peers r1 s2 10.0.2.2 10.7.0.1\n"
		 "wait 60\n"
		 "peers r1 s2 10.0.2.2\n");
}

/* After a restart nobody knows the peers yet, and some have left. */
static void test_a_restart(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "wait 50\n"
		 "generation r1 s1 2\n"
		 "restart\n"
		 "wait 300\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "peers r1 s2 10.0.2.2 10.7.0.1\n"
		 "left r1 s2 10.0.2.2=- 10.7.0.1=-\n"
		 LINKS
		 "fib r1 10.7.0.1/32=s2\n"
		 STREAM
		 "wait 90\n"
		 "left r1 s2\n"
		 "generation r1 s1 2\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "wait 60\n"
		 "peers r1 s1 10.0.1.2\n"
		 "expect r1 s1 enforce 20.9.0.0/16\n"
		 "peers r1 s2 10.0.2.2 10.7.0.1\n");
}

/* Where nothing is dropped nobody has to be let through. */
static void test_before_an_edge_enforces_it_leaves_at_once(void **state)
{
	lab_play(*state,
		 "router r1\n"
		 "edge r1 s1 customer feasible enforce\n"
		 "edge r1 s2 customer acl enforce\n"
		 "set r1 s2 mode off\n"
		 LINKS
		 "connect r1\n"
		 "set r1 s1 peer 10.7.0.1\n"
		 "set r1 s2 peer 10.8.0.1\n"
		 "run\n"
		 "peers r1 s1 10.7.0.1\n"
		 "peers r1 s2 10.8.0.1\n"
		 "set r1 s1 no-peer 10.7.0.1\n"
		 "set r1 s2 no-peer 10.8.0.1\n"
		 "run\n"
		 "peers r1 s1\n"
		 "peers r1 s2\n");
}

/* Another hold-down counts from when it left. */
static void test_another_hold_down(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "wait 50\n"
		 "set r1 s1 holddown 300\n"
		 "run\n"
		 "wait 200\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "set r1 s1 holddown 200\n"
		 "run\n"
		 "peers r1 s1 10.0.1.2\n");
}

/* Asleep for longer than the hold-down: what was missed is read first. */
static void test_nobody_leaves_while_it_slept(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "run\n"
		 "jump 500\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "left r1 s1 10.7.0.1=5\n"
		 "wait 4\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "route r1 10.7.0.1/32=s1\n"
		 "wait 10\n"
		 "peers r1 s1 10.0.1.2 10.7.0.1\n"
		 "left r1 s1\n");
}

/* An edge that is unmade takes them along. */
static void test_an_edge_without_a_role(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "run\n"
		 "set r1 s1 role -\n"
		 "run\n"
		 "left r1 s1\n"
		 "set r1 s1 role customer\n"
		 "wait 1\n"
		 "peers r1 s1 10.0.1.2\n");
}

static void name_peers(struct lab *lab, const char *word, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		lab_playf(lab, "set r1 s1 %s 10.8.%u.%u", word, i >> 8, i & 255);
}

/* A filter has room for so many. Those that left first go, and no peer does. */
static void test_more_than_a_filter_holds(void **state)
{
	struct lab *lab = *state;
	const struct filter *f;

	lab_play(lab, "router r1\n"
		      "customer c 20.1.0.0/16\n"
		      "edge r1 s1 customer acl enforce\n"
		      "set r1 s1 customer c\n"
		      "set r1 s1 holddown 1000\n");
	name_peers(lab, "peer", 0, FILTER_PEERS_MAX);
	lab_play(lab, "run\n");
	name_peers(lab, "no-peer", 0, 10);
	lab_play(lab, "wait 100\n");
	name_peers(lab, "no-peer", 10, 20);
	lab_play(lab, "wait 100\n");
	f = &lab_filter(lab, "r1", "s1")->filter;
	assert_int_equal(f->n_peers, FILTER_PEERS_MAX);
	name_peers(lab, "peer", 300, 305);
	lab_play(lab, "run\n"
		      "to-router r1 s1 10.8.0.4 -\n"
		      "to-router r1 s1 10.8.0.5 10.8.0.5 may still talk to the router itself: it "
		      "was a BGP peer of this edge, and stays one for its hold-down, 800 s more\n");
	assert_int_equal(f->n_peers, FILTER_PEERS_MAX);
	name_peers(lab, "peer", 305, 320);
	lab_play(lab, "run\n"
		      "left r1 s1\n"
		      "to-router r1 s1 10.8.0.19 -\n"
		      "to-router r1 s1 10.8.0.20 10.8.0.20 may still talk to the router itself, as "
		      "a BGP peer of this edge\n");
	assert_int_equal(f->n_peers, FILTER_PEERS_MAX);
	/* all of them for others, at once */
	name_peers(lab, "no-peer", 20, FILTER_PEERS_MAX);
	name_peers(lab, "no-peer", 300, 320);
	name_peers(lab, "peer", 400, 400 + FILTER_PEERS_MAX);
	lab_play(lab, "run\nleft r1 s1\n");
	assert_int_equal(f->n_peers, FILTER_PEERS_MAX);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_route_that_moves),
		TEST(test_a_route_that_moves_often),
		TEST(test_a_statement_that_moves),
		TEST(test_a_peer_that_is_taken_out_of_bgpd),
		TEST(test_without_a_feed_it_stays),
		TEST(test_a_restart),
		TEST(test_before_an_edge_enforces_it_leaves_at_once),
		TEST(test_another_hold_down),
		TEST(test_nobody_leaves_while_it_slept),
		TEST(test_an_edge_without_a_role),
		TEST(test_more_than_a_filter_holds),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
