/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A router's own BGP session as a feed: next hops to edges, readiness, loss.
 */
#include "tests/unit/controller/lab_bgp.h"

#include <stdlib.h>
#include <string.h>

#define ONE_EDGE                                                                         \
	"router r1\n"                                                                    \
	"edge r1 eth0 customer feasible enforce\n"                                       \
	"set r1 eth0 holddown 100\n"                                                     \
	"inventory r1 eth0=10.0.0.1 eth1=10.0.1.1 lo=10.255.0.1\n"

static void test_complete_after_end_of_rib(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;

	lab_play(lab, ONE_EDGE "wait 1\n");
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_bgp_add(lab, b, "20.2.0.0/16", 1, "10.0.1.2");
	lab_play(lab, "wait 1\n"
		      "expect r1 eth0 observe 20.1.0.0/16\n"
		      "reason r1 eth0 has not sent its whole table yet\n"
		      "peer r1 10.0.0.2 next hop's connected prefix\n"
		      "peer r1 10.0.1.2 not an edge\n");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n"
		      "expect r1 eth0 enforce 20.1.0.0/16\n"
		      "reason r1 eth0 -\n");
}

static void test_a_router_without_end_of_rib_is_complete_when_quiet(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;
	struct diag diag;
	int64_t next;

	lab_play(lab, ONE_EDGE "wait 1\n");
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_play(lab, "wait 59\n");
	assert_int_equal(engine_bgp_timer(b, lab->now_ms, &next, &diag), 0);
	assert_true(next > lab->now_ms && next <= lab->now_ms + 1000);
	lab_play(lab, "wait 1\n"
		      "expect r1 eth0 observe 20.1.0.0/16\n");
	assert_int_equal(engine_bgp_timer(b, lab->now_ms, &next, &diag), 0);
	lab_play(lab, "wait 0\n"
		      "expect r1 eth0 enforce 20.1.0.0/16\n");
}

/* The router's own address, two interfaces, none: reported and never guessed. */
static void test_next_hops_that_name_no_edge(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;

	lab_play(lab, "router r1\n"
		      "edge r1 eth0 customer feasible enforce\n"
		      "edge r1 eth1 customer feasible enforce\n"
		      "inventory r1 eth0=10.0.0.1 eth1=10.0.1.1 eth2=10.0.1.254\n");
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.1");
	lab_bgp_add(lab, b, "20.2.0.0/16", 1, "10.0.1.2");
	lab_bgp_add(lab, b, "20.3.0.0/16", 1, "10.9.9.9");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n"
		      "reason r1 eth1 peer 10.9.9.9 of router r1 is on no edge before the router's "
		      "routes are here\n"
		      "feed r1 exclude 10.9.9.9\n"
		      "wait 1\n"
		      "expect r1 eth0 observe\n"
		      "expect r1 eth1 observe\n"
		      "reason r1 eth1 peer 10.0.1.2 of router r1 may be on one edge or another\n"
		      "peer r1 10.0.0.1 the router itself\n"
		      "peer r1 10.0.1.2 several interfaces\n"
		      "peer r1 10.9.9.9 no interface\n"
		      "set r1 eth1 peer 10.0.1.2\n"
		      "wait 1\n"
		      "peer r1 10.0.1.2 peer statement\n"
		      "expect r1 eth1 enforce 20.2.0.0/16\n");
}

static void test_a_lost_session_freezes(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;

	lab_play(lab, ONE_EDGE);
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_bgp_add(lab, b, "20.3.0.0/16", 1, "10.0.0.2");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
	lab_bgp_lose(lab, b);
	lab_play(lab, "alarmed BGP session lost\n"
		      "wait 1000\n"
		      "reason r1 eth0 has no live feed\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 7, "10.0.0.2");
	lab_play(lab, "wait 200\n" /* no End-of-RIB yet: nothing leaves */
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 99\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		      "wait 10\n"
		      "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_a_withdrawal_waits_for_its_hold_down(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;

	lab_play(lab, ONE_EDGE);
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_bgp_add(lab, b, "20.1.0.0/16", 2, "10.0.1.2");
	lab_bgp_add(lab, b, "20.3.0.0/16", 1, "10.0.0.2");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n");
	lab_bgp_del(lab, b, "20.1.0.0/16", 1); /* the other link's path stays */
	lab_play(lab, "wait 99\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		      "wait 2\n"
		      "expect r1 eth0 enforce 20.3.0.0/16\n");
}

/* With BMP as well both count: an addition by either is one. */
static void test_beside_bmp(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;

	lab_play(lab, ONE_EDGE "connect r1\n"
			       "up r1 10.0.0.2 10.0.0.1\n"
			       "add r1 10.0.0.2 20.1.0.0/16\n"
			       "eor r1 10.0.0.2\n"
			       "wait 40\n"
			       "expect r1 eth0 enforce 20.1.0.0/16\n");
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.3.0.0/16", 1, "10.0.0.2");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 40\n" /* BMP has settled: what it did not name stays */
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n"
		      "del r1 10.0.0.2 20.1.0.0/16\n");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_play(lab, "wait 200\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* strict-direct reads the customers' routes wherever they come from. */
static void test_strict_direct_by_the_session_alone(void **state)
{
	struct agent_interface eth0 = { .name = "eth0", .index = 1, .up = true };
	struct agent_inventory inv = { &eth0, 1 };
	struct agent_address addr;
	struct agent_routes table = { .reset = true, .complete = true };
	struct lab *lab = *state;
	struct engine_bgp *b;
	struct ip_prefix p;
	uint32_t index = 1;

	assert_true(ip_addr_parse("10.0.0.1", &addr.addr));
	addr.len = 24;
	eth0.addresses = &addr;
	eth0.n_addresses = 1;
	lab_play(lab, ONE_EDGE "set r1 eth0 mode strict-direct\n");
	engine_inventory(lab->engine, "r1", &inv);
	assert_int_equal(ip_prefix_parse("20.1.0.0/16", &p), IP_PARSE_OK);
	agent_routes_add(&table, &p, AGENT_ROUTE_UNICAST, &index, 1);
	engine_fib(lab->engine, "r1", &table, lab->now_ms);
	free(table.routes);
	free(table.indexes);
	lab_play(lab, "wait 1\n"
		      "reason r1 eth0 router r1 has no live feed of BMP or BGP\n");
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_play(lab, "wait 1\n"
		      "reason r1 eth0 router r1 has not sent a whole table yet\n");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n"
		      "expect r1 eth0 enforce 20.1.0.0/16\n"
		      "reason r1 eth0 -\n");
}

static void test_forgetting_the_neighbor_takes_its_routes(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;
	struct rib_stats stats;

	lab_play(lab, ONE_EDGE);
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n");
	engine_bgp_forget(lab->engine, "r1");
	rib_stats(engine_rib(lab->engine), &stats);
	assert_int_equal(stats.paths, 0);
	assert_int_equal(stats.peers, 0);
	lab_play(lab, "wait 1000\n"
		      "reason r1 eth0 no BGP peer is known\n"
		      "expect r1 eth0 enforce 20.1.0.0/16\n");
	assert_non_null(lab_bgp_begin(lab, "r1"));
}

static void forget_r1(struct lab *lab)
{
	engine_bgp_forget(lab->engine, "r1");
}

/* As savd does when "no bgp neighbor" is typed; it aborted then. */
static void test_forgetting_the_neighbor_within_a_command(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;

	lab_play(lab, ONE_EDGE);
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\nexpect r1 eth0 enforce 20.1.0.0/16\n");
	lab->routers_changed = forget_r1;
	lab_play(lab, "source r1 192.0.2.1\n"
		      "wait 1\n"
		      "# it is the routes that went, not the command that took them\n"
		      "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void ignore_wait(const struct engine_wait *wait, void *arg)
{
	++*(int *)arg;
	assert_non_null(wait->why);
}

/* What is shown before the engine has run again named a peer that was freed. */
static void test_shown_right_after_a_peer_is_forgotten(void **state)
{
	struct lab *lab = *state;
	struct engine_edge_status status;
	struct engine_bgp *b;
	int waits = 0;

	lab_play(lab, ONE_EDGE);
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.0.2");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\nexpect r1 eth0 enforce 20.1.0.0/16\n");
	engine_bgp_forget(lab->engine, "r1");
	engine_edge_waits(lab->engine, "r1", "eth0", ignore_wait, &waits);
	assert_true(engine_edge_status(lab->engine, "r1", "eth0", &status));
	lab_play(lab, "wait 1\n"
		      "reason r1 eth0 no BGP peer is known\n");
	assert_int_equal(waits, 0);
}

static void test_no_session_for_a_router_that_is_gone(void **state)
{
	struct lab *lab = *state;
	struct bgp_session_config config = { .as = LAB_BGP_AS, .id = 1 };

	assert_null(engine_bgp_open(lab->engine, "r9", &config, lab->now_ms));
	engine_bgp_forget(lab->engine, "r9");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(test_complete_after_end_of_rib),
		T(test_a_router_without_end_of_rib_is_complete_when_quiet),
		T(test_next_hops_that_name_no_edge),
		T(test_a_lost_session_freezes),
		T(test_a_withdrawal_waits_for_its_hold_down),
		T(test_beside_bmp),
		T(test_strict_direct_by_the_session_alone),
		T(test_forgetting_the_neighbor_takes_its_routes),
		T(test_forgetting_the_neighbor_within_a_command),
		T(test_shown_right_after_a_peer_is_forgotten),
		T(test_no_session_for_a_router_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
