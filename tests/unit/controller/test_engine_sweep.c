/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Routes that go en masse: bit by bit, and everything else goes on beside it.
 */
#include "tests/unit/controller/lab.h"

#include <stdio.h>
#include <stdlib.h>

/* More than a few runs of the engine take away. */
#define MANY	 40000u
#define PER_RUN	 2048u
#define PER_CALL 256u

#define TWO_ROUTERS                                                                      \
	"router r1\n"                                                                    \
	"router r2\n"                                                                    \
	"edge r1 eth0 customer feasible enforce\n"                                       \
	"edge r2 eth0 customer feasible enforce\n"                                       \
	"set r1 eth0 holddown 100\n"                                                     \
	"set r1 eth0 brake 100\n"                                                        \
	"set r1 eth0 prefix 20.9.0.0/16\n"                                               \
	"inventory r1 eth0=10.0.0.1\n"                                                   \
	"inventory r2 eth0=10.0.1.1\n"                                                   \
	"connect r1 10.255.0.1\n"                                                        \
	"up r1 10.0.0.2 10.0.0.1\n"                                                      \
	"connect r2 10.255.0.2\n"                                                        \
	"up r2 10.0.1.2 10.0.1.1\n"                                                      \
	"add r2 10.0.1.2 20.2.0.0/16\n"                                                  \
	"eor r2 10.0.1.2\n"

/* r1's peer announces these prefixes. */
static void fill_from(struct lab *lab, uint32_t from, uint32_t to)
{
	lab_playf(lab, "fill r1 10.0.0.2 %u %u\n", from, to);
}

/* Of r1 without its exception, which keeps its set from being emptied. */
static size_t blocks(struct lab *lab, const char *router)
{
	struct addrset computed = { 0 };
	size_t n;

	engine_edge_computed(lab->engine, router, "eth0", &computed);
	n = computed.f[IP_V4].n - (router[1] == '1');
	addrset_fini(&computed);
	return n;
}

static size_t waiting(struct lab *lab)
{
	struct engine_edge_status status;
	struct addrset set = { 0 };
	size_t n;

	assert_true(engine_edge_status(lab->engine, "r1", "eth0", &status));
	hold_waiting(status.hold, &set);
	n = set.f[IP_V4].n;
	addrset_fini(&set);
	return n;
}

/* Runs until all is swept, in milliseconds of virtual time; returns how often. */
static unsigned int run_all(struct lab *lab)
{
	unsigned int runs = 0;

	do {
		assert_true(++runs < 1000);
		lab->now_ms++;
		engine_run(lab->engine, lab->now_ms);
	} while (engine_is_dirty(lab->engine));
	assert_false(engine_is_sweeping(lab->engine));
	return runs;
}

static void fill(struct lab *lab)
{
	lab_play(lab, TWO_ROUTERS);
	fill_from(lab, 0, MANY);
	lab_play(lab, "eor r1 10.0.0.2\n"
		      "wait 40\n"
		      "reason r1 eth0 -\n");
	assert_int_equal(blocks(lab, "r1"), MANY);
}

static void test_peer_down_lets_other_feeds_speak(void **state)
{
	struct lab *lab = *state;
	size_t before;
	unsigned int runs;

	fill(lab);
	lab_play(lab, "down r1 10.0.0.2\n");
	for (runs = 0; engine_is_sweeping(lab->engine); runs++) {
		before = blocks(lab, "r1");
		/* another router's customer is let in meanwhile, without delay */
		lab_playf(lab, "add r2 10.0.1.2 30.%u.0.0/16\n", runs * 2);
		engine_run(lab->engine, ++lab->now_ms);
		assert_int_equal(blocks(lab, "r2"), 2 + runs);
		assert_true(before - blocks(lab, "r1") <= PER_RUN);
	}
	assert_in_range(runs, MANY / PER_RUN, MANY / PER_RUN * 5 / 4);
	lab_play(lab, "run\n");
	/* gone, and in its hold-down like any other removal */
	assert_int_equal(blocks(lab, "r1"), 0);
	assert_int_equal(waiting(lab), MANY);
	lab_play(lab, "wait 99\n");
	assert_int_equal(waiting(lab), MANY);
	lab_play(lab, "wait 2\n"
		      "expect r1 eth0 enforce 20.9.0.0/16\n"
		      "waiting r1 eth0\n");
}

static void test_slices_between_two_runs_are_bounded(void **state)
{
	struct lab *lab = *state;
	unsigned int calls = 1;

	fill(lab);
	lab_play(lab, "down r1 10.0.0.2\n");
	engine_run(lab->engine, lab->now_ms);
	assert_true(engine_is_sweeping(lab->engine));
	while (engine_sweep(lab->engine, PER_CALL))
		calls++;
	/* the rest waits until the sets have followed */
	assert_true(engine_is_sweeping(lab->engine));
	assert_in_range(calls, 10, MANY / PER_CALL / 2);
	assert_false(engine_sweep(lab->engine, PER_CALL));
	engine_run(lab->engine, lab->now_ms);
	assert_true(engine_sweep(lab->engine, PER_CALL));
	run_all(lab);
	assert_int_equal(blocks(lab, "r1"), 0);
}

static void test_a_session_that_is_back_before_its_routes_are_gone(void **state)
{
	struct lab *lab = *state;

	fill(lab);
	lab_play(lab, "down r1 10.0.0.2\n");
	engine_run(lab->engine, ++lab->now_ms);
	assert_true(engine_is_sweeping(lab->engine));
	lab_play(lab, "up r1 10.0.0.2 10.0.0.1\n");
	fill_from(lab, MANY / 2, MANY + 100);
	run_all(lab);
	assert_int_equal(blocks(lab, "r1"), MANY / 2 + 100);
	/* what was gone when it came back, and has not come back with it; while its
	 * table is not whole nothing else begins to leave */
	assert_in_range(waiting(lab), 1, PER_RUN);
	/* it came up after the stream's dump, so it is only believed in a new one */
	lab_play(lab, "wait 11\n"
		      "redump r1\n"
		      "up r1 10.0.0.2 10.0.0.1\n");
	fill_from(lab, MANY / 2, MANY + 100);
	lab_play(lab, "eor r1 10.0.0.2\n"
		      "wait 40\n"
		      "reason r1 eth0 -\n");
	assert_int_equal(blocks(lab, "r1"), MANY / 2 + 100);
	assert_int_equal(waiting(lab), MANY / 2);
}

static void test_what_a_redump_leaves_out_goes_before_it_is_complete(void **state)
{
	struct lab *lab = *state;

	fill(lab);
	lab_play(lab, "close r1\n"
		      "connect r1 10.255.0.1\n"
		      "up r1 10.0.0.2 10.0.0.1\n");
	fill_from(lab, 0, 100);
	lab_play(lab, "eor r1 10.0.0.2\n");
	assert_true(engine_is_sweeping(lab->engine));
	assert_in_range(run_all(lab), MANY / PER_RUN, MANY / PER_RUN * 5 / 4);
	assert_int_equal(blocks(lab, "r1"), 100);
	lab_play(lab, "reason r1 eth0 peer 10.0.0.2 of router r1 has not sent its whole "
		      "table yet\n"
		      "wait 40\n"
		      "reason r1 eth0 -\n");
	assert_int_equal(waiting(lab), MANY - 100);
}

/* Of a peer that the new stream does not name. */
static void test_a_peer_goes_when_its_routes_are_gone(void **state)
{
	struct lab *lab = *state;
	unsigned int runs = 0;

	fill(lab);
	lab_play(lab, "close r1\n"
		      "connect r1 10.255.0.1\n"
		      "wait 29\n"
		      "peer r1 10.0.0.2 by the session's local address\n");
	lab->now_ms += 2000;
	engine_run(lab->engine, lab->now_ms);
	while (engine_is_sweeping(lab->engine)) {
		assert_true(++runs < 2 * MANY / PER_RUN);
		lab_play(lab, "peer r1 10.0.0.2 by the session's local address\n");
		engine_run(lab->engine, ++lab->now_ms);
	}
	assert_true(runs >= MANY / PER_RUN - 1);
	lab_play(lab, "run\n"
		      "peer r1 10.0.0.2 unknown\n");
	assert_int_equal(blocks(lab, "r1"), 0);
	assert_int_equal(blocks(lab, "r2"), 1);
}

/* A session that comes up with the stream after the one that did not name it,
 * before its old routes are gone: its tables are empty for a moment, and it was
 * forgotten then, while it was up. */
static void test_a_peer_that_a_later_stream_names(void **state)
{
	struct lab *lab = *state;

	fill(lab);
	lab_play(lab, "close r1\n"
		      "connect r1 10.255.0.1\n"
		      "wait 29\n");
	lab->now_ms += 2000;
	engine_run(lab->engine, lab->now_ms);
	assert_true(engine_is_sweeping(lab->engine));
	lab_play(lab, "close r1\n"
		      "connect r1 10.255.0.1\n"
		      "up r1 10.0.0.2 10.0.0.1\n");
	run_all(lab);
	lab_play(lab, "run\n"
		      "peer r1 10.0.0.2 by the session's local address\n"
		      "add r1 10.0.0.2 20.1.0.0/16\n"
		      "eor r1 10.0.0.2\n"
		      "wait 60\n"
		      "peer r1 10.0.0.2 by the session's local address\n"
		      "reason r1 eth0 -\n");
	assert_int_equal(blocks(lab, "r1"), 1);
	/* it has nothing left, but it is still up */
	lab_play(lab, "del r1 10.0.0.2 20.1.0.0/16\n"
		      "wait 1\n"
		      "peer r1 10.0.0.2 by the session's local address\n");
}

/* What only pre-policy has is looked for in slices, and the removal waits. */
static void test_a_long_table_is_searched_for_what_is_in_doubt(void **state)
{
	struct lab *lab = *state;
	struct engine_edge_status status;
	unsigned int runs = 0;

	lab_play(lab, TWO_ROUTERS "wait 11\n"
				  "redump r1\n"
				  "up r1 10.0.0.2 10.0.0.1\n"
				  "post add r1 10.0.0.2 21.1.0.0/16\n"
				  "post add r1 10.0.0.2 21.5.0.0/16\n"
				  "add r1 10.0.0.2 21.1.0.0/16\n");
	fill_from(lab, 0, MANY);
	lab_play(lab, "eor r1 10.0.0.2\n"
		      "post eor r1 10.0.0.2\n"
		      "wait 700\n"
		      "reason r1 eth0 -\n"
		      "expect r1 eth0 enforce 20.9.0.0/16 21.1.0.0/16 21.5.0.0/16\n"
		      /* pre-policy has not this one, */
		      "post del r1 10.0.0.2 21.5.0.0/16\n"
		      "wait 10\n"
		      /* but that one */
		      "post del r1 10.0.0.2 21.1.0.0/16\n"
		      "wait 80\n");
	assert_true(engine_edge_status(lab->engine, "r1", "eth0", &status));
	lab->now_ms = hold_next_ms(status.hold);
	while (engine_filter(lab->engine, "r1", "eth0")->accept.f[IP_V4].n == 3) {
		assert_true(runs++ < 100);
		engine_run(lab->engine, lab->now_ms);
		lab->now_ms += 50;
	}
	assert_in_range(runs, 3, 4);
	lab_play(lab, "quiet r1\n"
		      "wait 15\n"
		      "noted pre-policy and post-policy routes disagree\n"
		      "expect r1 eth0 enforce 20.9.0.0/16 21.1.0.0/16\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(test_peer_down_lets_other_feeds_speak),
		T(test_slices_between_two_runs_are_bounded),
		T(test_a_session_that_is_back_before_its_routes_are_gone),
		T(test_what_a_redump_leaves_out_goes_before_it_is_complete),
		T(test_a_peer_goes_when_its_routes_are_gone),
		T(test_a_peer_that_a_later_stream_names),
		T(test_a_long_table_is_searched_for_what_is_in_doubt),
	};

	return cmocka_run_group_tests_name("engine_sweep", tests, NULL, NULL);
}
