/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RADIUS sessions in the sets of edges: with the mode's own, against time, policy
 * and brakes; in virtual time.
 */
#include "tests/unit/controller/lab.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/sets/random.h"

#define NOTHING ""

/* r1 eth0 has so many sessions, to which came and from which went prefixes. */
static void change(struct lab *lab, unsigned int n, const char *came, const char *went,
		   enum engine_leave leave)
{
	struct addrset added = lab_set(came), removed = lab_set(went);

	engine_sessions_change(lab->engine, "r1", "eth0", &added, &removed, leave, n);
	addrset_fini(&added);
	addrset_fini(&removed);
}

static void give(struct lab *lab, unsigned int n, const char *prefixes)
{
	change(lab, n, prefixes, NOTHING, ENGINE_LEAVE_NOW);
}

static void take(struct lab *lab, unsigned int n, const char *prefixes)
{
	change(lab, n, NOTHING, prefixes, ENGINE_LEAVE_NOW);
}

static void lose(struct lab *lab, unsigned int n, const char *prefixes)
{
	change(lab, n, NOTHING, prefixes, ENGINE_LEAVE_HOLD);
}

static void set_pending(struct lab *lab, enum edge_pending pending)
{
	struct config_edge e;
	struct diag diag;

	config_edge_copy(&e, config_edge_find(&lab->cfg, "r1", "eth0"));
	e.pending = pending;
	assert_int_equal(config_edge_put(&lab->cfg, &e, &diag), 0);
	config_edge_fini(&e);
}

#define SUBSCRIBER                                                                      \
	"router r1\n"                                                                   \
	"edge r1 eth0 host enforce\n"                                                   \
	"set r1 eth0 holddown 100\n"                                                    \
	"inventory r1 eth0=10.0.0.1\n"

static void test_a_session_is_there_at_once_and_goes_at_once(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, SUBSCRIBER "run\n"
				 "expect r1 eth0 observe\n");
	give(lab, 1, "20.1.1.1/32 2a00:1::/56");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.1.1/32 2a00:1::/56\n");
	give(lab, 2, "20.1.1.2/32");
	take(lab, 1, "20.1.1.1/32 2a00:1::/56");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.1.2/32\n"
		      "waiting r1 eth0\n"
		      "braked r1 eth0 no\n");
}

static void test_what_nobody_ended_waits(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, SUBSCRIBER);
	give(lab, 2, "20.1.1.0/30 20.2.1.1/32");
	lab_play(lab, "run\n");
	lose(lab, 1, "20.2.1.1/32");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.1.0/30 20.2.1.1/32\n"
		      "waiting r1 eth0 20.2.1.1/32\n"
		      "wait 110\n"
		      "expect r1 eth0 enforce 20.1.1.0/30\n"
		      "# to nothing is too much at once\n");
	lose(lab, 0, "20.1.1.0/30");
	lab_play(lab, "wait 200\n"
		      "expect r1 eth0 enforce 20.1.1.0/30\n"
		      "braked r1 eth0 yes\n"
		      "release r1 eth0\n"
		      "wait 1\n"
		      "expect r1 eth0 observe\n");
}

/* A NAS that began anew, and whose users come again. */
static void test_a_session_that_comes_again_never_left(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, SUBSCRIBER);
	give(lab, 1, "20.1.1.1/32");
	lab_play(lab, "run\n"
		      "mark r1 eth0\n");
	lose(lab, 0, "20.1.1.1/32");
	lab_play(lab, "wait 50\n");
	give(lab, 1, "20.1.1.1/32");
	lab_play(lab, "wait 500\n"
		      "same r1 eth0\n"
		      "waiting r1 eth0\n");
}

static void test_own_space_is_the_users_and_special_space_is_nobodys(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, SUBSCRIBER "own 20.0.0.0/8\n");
	give(lab, 2, "20.1.1.1/32 100.64.1.1/32 192.168.1.1/32");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.1.1/32\n");
	assert_int_equal(config_permit_set(&lab->cfg,
					   &(struct ip_prefix){ .v = (u128)0x64400000,
								.len = 10,
								.family = IP_V4 },
					   true, &lab->diag),
			 0);
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.1.1/32 100.64.1.1/32\n"
		      "set r1 eth0 role internal\n"
		      "set r1 eth0 mode acl\n"
		      "run\n"
		      "expect r1 eth0 enforce 20.1.1.1/32 100.64.1.1/32 192.168.1.1/32\n"
		      "set r1 eth0 role host\n"
		      "run\n"
		      "expect r1 eth0 enforce 20.1.1.1/32 100.64.1.1/32\n");
}

#define ROUTED                                                                          \
	"router r1\n"                                                                   \
	"edge r1 eth0 customer feasible enforce\n"                                      \
	"set r1 eth0 holddown 100\n"                                                    \
	"set r1 eth0 brake 100\n"                                                       \
	"inventory r1 eth0=10.0.0.1\n"                                                  \
	"connect r1\n"                                                                  \
	"up r1 10.0.0.2 10.0.0.1\n"                                                     \
	"add r1 10.0.0.2 20.1.0.0/16\n"                                                 \
	"add r1 10.0.0.2 20.3.0.0/16\n"                                                 \
	"eor r1 10.0.0.2\n"                                                             \
	"wait 40\n"

static void test_a_route_and_a_session_stand_for_each_other(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ROUTED);
	give(lab, 1, "20.1.4.0/24 20.9.0.0/24");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 20.9.0.0/24\n"
		      "# the route goes: the session's part does not wait\n"
		      "del r1 10.0.0.2 20.1.0.0/16\n"
		      "wait 110\n"
		      "expect r1 eth0 enforce 20.1.4.0/24 20.3.0.0/16 20.9.0.0/24\n"
		      "add r1 10.0.0.2 20.1.0.0/16\n"
		      "wait 1\n");
	take(lab, 0, "20.1.4.0/24 20.9.0.0/24");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

/* What a brake on growth keeps out, a session lets in. */
static void test_growth_by_sessions_is_believed(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ROUTED "set r1 eth0 growth 50\n"
			     "wait 1\n"
			     "add r1 10.0.0.2 40.0.0.0/8\n"
			     "wait 1\n"
			     "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
	give(lab, 1, "40.1.0.0/16 50.0.0.0/9");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 40.1.0.0/16 50.0.0.0/9\n"
		      "release r1 eth0\n"
		      "wait 1\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 40.0.0.0/8 50.0.0.0/9\n");
}

static void test_an_edge_may_come_after_its_sessions(void **state)
{
	struct lab *lab = *state;

	give(lab, 1, "20.1.1.1/32");
	lab_play(lab, SUBSCRIBER "run\n"
				 "expect r1 eth0 enforce 20.1.1.1/32\n"
				 "no-edge r1 eth0\n"
				 "run\n"
				 "expect r1 eth0 gone\n");
	give(lab, 2, "20.1.1.2/32");
	lab_play(lab, SUBSCRIBER "run\n"
				 "expect r1 eth0 enforce 20.1.1.1/32 20.1.1.2/32\n"
				 "set r1 eth0 role -\n"
				 "run\n"
				 "expect r1 eth0 gone\n");
	take(lab, 1, "20.1.1.1/32");
	lab_play(lab, "set r1 eth0 role host\n"
		      "run\n"
		      "expect r1 eth0 enforce 20.1.1.2/32\n");
}

static void test_pending_observe_counts_without_a_session(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, SUBSCRIBER "customer c1 20.5.0.0/16\n"
				 "set r1 eth0 customer c1\n");
	set_pending(lab, PENDING_OBSERVE);
	lab_play(lab, "run\n"
		      "expect r1 eth0 observe 20.5.0.0/16\n"
		      "reason r1 eth0 there is no RADIUS session\n");
	give(lab, 1, "20.1.1.1/32");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.1.1/32 20.5.0.0/16\n"
		      "reason r1 eth0 -\n");
	take(lab, 0, "20.1.1.1/32");
	lab_play(lab, "run\n"
		      "expect r1 eth0 observe 20.5.0.0/16\n");
}

static void test_pending_drop_drops_without_a_session(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, SUBSCRIBER);
	set_pending(lab, PENDING_DROP);
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce\n");
	give(lab, 1, "20.1.1.1/32");
	take(lab, 0, "20.1.1.1/32");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce\n"
		      "reason r1 eth0 -\n");
}

static void test_without_pending_the_last_session_opens_an_empty_edge(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, SUBSCRIBER);
	give(lab, 1, "20.1.1.1/32");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.1.1/32\n");
	take(lab, 0, "20.1.1.1/32");
	lab_play(lab, "run\n"
		      "expect r1 eth0 observe\n"
		      "# but not one that admits something\n"
		      "set r1 eth0 prefix 20.7.0.0/16\n"
		      "run\n"
		      "expect r1 eth0 enforce 20.7.0.0/16\n");
}

/* The saved filter is worth keeping until the sessions are known again. */
static void test_after_a_restart_it_is_as_before(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, SUBSCRIBER "restore r1 eth0 enforce 7 20.1.1.1/32 20.1.1.2/32\n");
	give(lab, 1, "20.1.1.1/32");
	lab_play(lab, "run\n"
		      "expect r1 eth0 enforce 20.1.1.1/32 20.1.1.2/32\n"
		      "generation r1 eth0 7\n"
		      "wait 110\n"
		      "expect r1 eth0 enforce 20.1.1.1/32\n");
}

/* ---- at random: what is enforced is what is computed, and what waits ---- */

#define ROUNDS 300
#define STEPS  60
#define CELLS  8 /* 20.0.0.0/16 to 20.7.0.0/16, of which sessions have /24s */

static void random_step(struct lab *lab, uint64_t *seed, bool has[CELLS])
{
	unsigned int cell = (unsigned int)random_below(seed, CELLS);
	unsigned int n = 0;
	char p[32];

	for (unsigned int i = 0; i < CELLS; i++)
		n += has[i];
	snprintf(p, sizeof(p), "20.%u.%u.0/24", cell, cell);
	switch (random_below(seed, 6)) {
	case 0:
	case 1:
		if (has[cell])
			change(lab, n - 1, NOTHING, p,
			       random_below(seed, 2) ? ENGINE_LEAVE_NOW : ENGINE_LEAVE_HOLD);
		else
			give(lab, n + 1, p);
		has[cell] = !has[cell];
		break;
	case 2:
		lab_playf(lab, "add r1 10.0.0.2 20.%u.0.0/16", cell);
		break;
	case 3:
		lab_playf(lab, "del r1 10.0.0.2 20.%u.0.0/16", cell);
		break;
	case 4:
		lab_playf(lab, random_below(seed, 2) ? "own 20.%u.0.0/16" : "no-own 20.%u.0.0/16",
			  cell);
		break;
	default:
		lab_playf(lab, "wait %u", (unsigned int)random_below(seed, 60));
		break;
	}
}

static void test_random_sessions_and_routes(void **state)
{
	struct lab *lab = *state;
	uint64_t seed = random_seed();

	lab_play(lab, ROUTED);
	for (int round = 0; round < ROUNDS; round++) {
		bool has[CELLS] = { false };

		for (int step = 0; step < STEPS; step++) {
			random_step(lab, &seed, has);
			if (random_below(&seed, 3) == 0)
				lab_play(lab, "run\n"); /* compares with sets from scratch */
		}
		for (unsigned int cell = 0; cell < CELLS; cell++) {
			char p[32];

			snprintf(p, sizeof(p), "20.%u.%u.0/24", cell, cell);
			if (has[cell])
				take(lab, 0, p);
		}
		lab_play(lab, "run\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_session_is_there_at_once_and_goes_at_once, lab_setup,
			lab_teardown),
		cmocka_unit_test_setup_teardown(test_what_nobody_ended_waits, lab_setup,
						lab_teardown),
		cmocka_unit_test_setup_teardown(test_a_session_that_comes_again_never_left,
						lab_setup, lab_teardown),
		cmocka_unit_test_setup_teardown(
			test_own_space_is_the_users_and_special_space_is_nobodys, lab_setup,
			lab_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_route_and_a_session_stand_for_each_other, lab_setup,
			lab_teardown),
		cmocka_unit_test_setup_teardown(test_growth_by_sessions_is_believed,
						lab_setup, lab_teardown),
		cmocka_unit_test_setup_teardown(test_an_edge_may_come_after_its_sessions,
						lab_setup, lab_teardown),
		cmocka_unit_test_setup_teardown(test_pending_observe_counts_without_a_session,
						lab_setup, lab_teardown),
		cmocka_unit_test_setup_teardown(test_pending_drop_drops_without_a_session,
						lab_setup, lab_teardown),
		cmocka_unit_test_setup_teardown(
			test_without_pending_the_last_session_opens_an_empty_edge, lab_setup,
			lab_teardown),
		cmocka_unit_test_setup_teardown(test_after_a_restart_it_is_as_before,
						lab_setup, lab_teardown),
		cmocka_unit_test_setup_teardown(test_random_sessions_and_routes, lab_setup,
						lab_teardown),
	};

	return cmocka_run_group_tests_name("engine sessions", tests, NULL, NULL);
}
