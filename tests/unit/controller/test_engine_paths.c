/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Mode feasible with some of the best paths: RFC 3704 sec. 2.3, RFC 4271 sec. 9.1.
 */
#include "tests/unit/controller/lab.h"

/* eth0 and eth1 lead to one customer, eth2 to a provider. */
static const char network[] = "router r1 10.255.0.1\n"
			      "edge r1 eth0 customer feasible enforce\n"
			      "edge r1 eth1 customer feasible enforce\n"
			      "edge r1 eth2 provider loose\n"
			      "set r1 eth0 holddown 30\n"
			      "set r1 eth0 brake 100\n"
			      "inventory r1 eth0=10.0.0.1 eth1=10.0.1.1 eth2=10.0.2.1\n"
			      "connect r1 10.255.0.1\n"
			      "up r1 10.0.0.2 10.0.0.1 65001\n"
			      "add r1 10.0.0.2 20.0.0.0/16 65001\n"
			      "add r1 10.0.0.2 21.0.0.0/16 65001 65001 65001\n"
			      "add r1 10.0.0.2 22.0.0.0/16 65001 65009 65009\n"
			      "eor r1 10.0.0.2\n"
			      "up r1 10.0.1.2 10.0.1.1 65001\n"
			      "add r1 10.0.1.2 20.0.0.0/16 65001 65001\n"
			      "add r1 10.0.1.2 21.0.0.0/16 65001\n"
			      "eor r1 10.0.1.2\n"
			      "up r1 10.0.2.2 10.0.2.1 65002\n"
			      "add r1 10.0.2.2 21.0.0.0/16 65002 65001\n"
			      "add r1 10.0.2.2 22.0.0.0/16 65002 65009\n"
			      "eor r1 10.0.2.2\n"
			      "wait 60\n";

static void set_paths(struct lab *lab, const char *interface, uint32_t paths)
{
	struct config_edge e;
	struct diag diag;

	config_edge_copy(&e, config_edge_find(&lab->cfg, "r1", interface));
	e.feasible_paths = paths;
	assert_int_equal(config_edge_put(&lab->cfg, &e, &diag), 0);
	config_edge_fini(&e);
	lab_play(lab, "run\n");
}

/* The best so many of the router's, whoever announces the others. */
static void only_the_best_paths_count(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, network);
	lab_play(lab, "expect r1 eth0 enforce 20.0.0.0/16 21.0.0.0/16 22.0.0.0/16\n");
	set_paths(lab, "eth0", 1); /* a command takes effect at once */
	lab_play(lab,
		 "expect r1 eth0 enforce 20.0.0.0/16\n"
		 "expect r1 eth1 enforce 20.0.0.0/16 21.0.0.0/16\n"
		 "explain r1 eth0 20.0.0.1 20.0.0.1 is in 20.0.0.0/16, which peer 10.0.0.2 "
		 "announces on this edge (origin AS 65001, mode feasible paths 1)\n"
		 "explain r1 eth0 21.0.0.1 21.0.0.1 is in 21.0.0.0/16, which peer 10.0.0.2 "
		 "announces on this edge, but the best path of it here is number 3 of the "
		 "router's (mode feasible paths 1)\n"
		 "explain r1 eth0 9.9.9.9 no route, record or exception of this edge holds "
		 "9.9.9.9 (mode feasible paths 1), and no other peer announces it\n");
	set_paths(lab, "eth0", 2);
	lab_play(lab, "expect r1 eth0 enforce 20.0.0.0/16 22.0.0.0/16\n"
		      "explain r1 eth0 22.0.0.1 22.0.0.1 is in 22.0.0.0/16, which peer "
		      "10.0.0.2 announces on this edge (origin AS 65009, mode feasible paths "
		      "2)\n");
	set_paths(lab, "eth0", 3);
	lab_play(lab, "expect r1 eth0 enforce 20.0.0.0/16 21.0.0.0/16 22.0.0.0/16\n");
}

/* Others' routes move what counts: up at once, down after the hold-down. */
static void others_paths_move_it(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, network);
	set_paths(lab, "eth0", 2);
	lab_play(lab,
		 "expect r1 eth0 enforce 20.0.0.0/16 22.0.0.0/16\n"
		 "del r1 10.0.2.2 21.0.0.0/16\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.0.0.0/16 21.0.0.0/16 22.0.0.0/16\n"
		 "add r1 10.0.2.2 20.0.0.0/16 65002\n"
		 "add r1 10.0.2.2 21.0.0.0/16 65002\n"
		 "wait 20\n"
		 "waiting r1 eth0 21.0.0.0/16\n"
		 "expect r1 eth0 enforce 20.0.0.0/16 21.0.0.0/16 22.0.0.0/16\n"
		 "wait 20\n"
		 "expect r1 eth0 enforce 20.0.0.0/16 22.0.0.0/16\n"
		 /* the best path goes, and with it the peer */
		 "down r1 10.0.1.2\n"
		 "wait 1\n"
		 "expect r1 eth0 enforce 20.0.0.0/16 21.0.0.0/16 22.0.0.0/16\n");
	set_paths(lab, "eth0", 0);
	lab_play(lab, "expect r1 eth0 enforce 20.0.0.0/16 21.0.0.0/16 22.0.0.0/16\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_the_best_paths_count, lab_setup,
						lab_teardown),
		cmocka_unit_test_setup_teardown(others_paths_move_it, lab_setup,
						lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
