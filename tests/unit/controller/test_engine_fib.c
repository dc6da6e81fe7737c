/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Edges of mode strict in virtual time: from which table, when they are ready,
 * and that nothing leaves while the table is not whole.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/controller/lab.h"

#define STRICT                                                                          \
	"router r1\n"                                                                   \
	"edge r1 eth0 stub strict enforce\n"                                            \
	"edge r1 eth1 stub strict enforce\n"                                            \
	"set r1 eth0 holddown 100\n"                                                    \
	"set r1 eth1 holddown 100\n"                                                    \
	"set r1 eth0 brake 100\n"

/* eth0 is 1, eth1 is 2. */
static void interfaces(struct lab *lab, uint32_t eth0, uint32_t eth1)
{
	struct agent_interface list[] = { { .name = "eth0", .index = eth0, .up = true },
					  { .name = "eth1", .index = eth1, .up = true } };
	struct agent_inventory inv = { list, 2 };

	engine_inventory(lab->engine, "r1", &inv);
}

enum { RESET = 1, COMPLETE = 2 };

/* "PREFIX=INDEX", "PREFIX=x" (a blackhole), "PREFIX=-" (gone), separated by blanks. */
static void routes(struct lab *lab, int flags, const char *text)
{
	struct agent_routes m = { .reset = flags & RESET, .complete = (flags & COMPLETE) != 0 };
	char *copy = strdup(text), *rest = copy, *word;

	while ((word = strtok_r(rest, " ", &rest))) {
		char *equals = strchr(word, '=');
		struct ip_prefix p;
		uint32_t index;

		*equals = '\0';
		assert_int_equal(ip_prefix_parse(word, &p), IP_PARSE_OK);
		index = (uint32_t)atoi(equals + 1);
		agent_routes_add(&m, &p,
				 index		     ? AGENT_ROUTE_UNICAST :
				 equals[1] == 'x' ? AGENT_ROUTE_REJECT :
						       AGENT_ROUTE_GONE,
				 &index, index != 0);
	}
	free(copy);
	engine_fib(lab->engine, "r1", &m, lab->now_ms);
	free(m.routes);
	free(m.indexes);
}

static void enforces_once_the_table_is_whole(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT);
	interfaces(lab, 1, 2);
	lab_play(lab, "run\nreason r1 eth0 has not sent its routes yet\n");
	routes(lab, RESET, "20.0.0.0/16=1");
	lab_play(lab, "run\nexpect r1 eth0 observe\nreason r1 eth0 has not sent its routes yet\n");
	routes(lab, COMPLETE, "20.0.1.0/24=2");
	lab_play(lab, "run\nreason r1 eth0 -\n"
		      "expect r1 eth1 enforce 20.0.1.0/24\n"
		      "explain r1 eth1 20.0.1.7 20.0.1.7: longest match 20.0.1.0/24 of router r1 "
		      "leaves by eth1 (mode strict)\n"
		      "explain r1 eth0 20.0.1.7 20.0.1.7: longest match 20.0.1.0/24 of router r1 "
		      "leaves by eth1 (mode strict)\n"
		      "explain r1 eth0 30.0.1.7 30.0.1.7: router r1 has no route of /8 or longer "
		      "for it (mode strict)\n");
}

static void a_change_asks_for_a_run(void **state)
{
	struct lab *lab = *state;
	unsigned int wakes;

	lab_play(lab, STRICT);
	interfaces(lab, 1, 2);
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1");
	lab_play(lab, "run\n");
	wakes = lab->wakes;
	routes(lab, COMPLETE, "20.1.0.0/16=1");
	assert_true(lab->wakes > wakes);
	assert_true(engine_is_dirty(lab->engine));
}

static void a_moved_route_is_here_at_once_and_there_for_the_hold_down(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT);
	interfaces(lab, 1, 2);
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1 20.1.0.0/16=1 20.2.0.0/16=2");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.0/15\n");
	routes(lab, COMPLETE, "20.1.0.0/16=2");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.0/15\n"
		      "expect r1 eth1 enforce 20.1.0.0/16 20.2.0.0/16\n"
		      "wait 99\nexpect r1 eth0 enforce 20.0.0.0/15\n"
		      "wait 30\nexpect r1 eth0 enforce 20.0.0.0/16\n");
}

static void nothing_leaves_without_the_agent(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT);
	interfaces(lab, 1, 2);
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1 20.1.0.0/16=1 20.2.0.0/16=2");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.0/15\n");
	routes(lab, COMPLETE, "20.1.0.0/16=-");
	engine_fib_lost(lab->engine, "r1");
	lab_play(lab, "run\nwait 1000\nexpect r1 eth0 enforce 20.0.0.0/15\n"
		      "reason r1 eth0 is away\n");
	/* it is back: the same table, in pieces, and at once as before */
	routes(lab, RESET, "20.0.0.0/16=1");
	lab_play(lab, "wait 1000\nexpect r1 eth0 enforce 20.0.0.0/15\n"
		      "expect r1 eth1 enforce 20.2.0.0/16\n");
	routes(lab, COMPLETE, "20.2.0.0/16=2");
	lab_play(lab, "run\nreason r1 eth0 -\nexpect r1 eth1 enforce 20.2.0.0/16\n"
		      "wait 130\nexpect r1 eth0 enforce 20.0.0.0/16\n");
}

/* Half a table would give eth0 what the second half sends to eth1. */
static void half_a_table_gives_nothing(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT);
	interfaces(lab, 1, 2);
	routes(lab, RESET | COMPLETE, "20.0.0.0/30=1 20.0.0.0/32=2");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.1/32 20.0.0.2/31\n");
	routes(lab, RESET, "20.0.0.0/30=1");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.1/32 20.0.0.2/31\n");
	routes(lab, COMPLETE, "20.0.0.0/32=2");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.1/32 20.0.0.2/31\n");
}

static void an_agent_that_lost_the_thread_freezes(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT);
	interfaces(lab, 1, 2);
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1 20.1.0.0/16=1 20.2.0.0/16=2");
	lab_play(lab, "run\n");
	routes(lab, 0, "20.1.0.0/16=- 20.4.0.0/16=1");
	lab_play(lab, "wait 500\nexpect r1 eth0 enforce 20.0.0.0/15 20.4.0.0/16\n");
	routes(lab, COMPLETE, "");
	lab_play(lab, "run\nwait 130\nexpect r1 eth0 enforce 20.0.0.0/16 20.4.0.0/16\n");
}

static void interfaces_are_told_by_their_numbers(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT);
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1 20.2.0.0/16=2");
	lab_play(lab, "run\nreason r1 eth0 the computed set is empty\n");
	interfaces(lab, 1, 2);
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.0/16\n");
	interfaces(lab, 7, 2); /* it came again under another number */
	routes(lab, COMPLETE, "20.0.0.0/16=7");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.0/16\nwaiting r1 eth0\n");
}

static void changes_without_a_table_are_ignored(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT);
	interfaces(lab, 1, 2);
	routes(lab, COMPLETE, "20.0.0.0/16=1");
	lab_play(lab, "run\nreason r1 eth0 has not sent its routes yet\n");
}

static void who_is_asked(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, "router r1\nrouter r2\nedge r1 eth0 customer efp-b\n");
	assert_false(engine_wants_fib(lab->engine, "r1"));
	lab_play(lab, "edge r1 eth1 stub\n"); /* strict by default */
	assert_true(engine_wants_fib(lab->engine, "r1"));
	assert_false(engine_wants_fib(lab->engine, "r2"));
	lab_play(lab, "edge r2 up provider\n"); /* loose by default */
	assert_true(engine_wants_fib(lab->engine, "r2"));
}

/* strict-direct needs the customers' sessions as well. */
static void strict_direct_waits_for_bgp(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT "set r1 eth1 mode strict-direct\nset r1 eth1 peer 10.0.0.2\n");
	interfaces(lab, 1, 2);
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1 20.2.0.0/16=2");
	lab_play(lab, "run\nreason r1 eth0 -\nreason r1 eth1 router r1 has no live feed\n"
		      "connect r1\nup r1 10.0.0.2 10.0.0.1\nadd r1 10.0.0.2 20.0.0.0/16 64501\n"
		      "eor r1 10.0.0.2\nwait 60\nreason r1 eth1 -\n"
		      "expect r1 eth1 enforce 20.0.0.0/16 20.2.0.0/16\n"
		      "expect r1 eth0 enforce 20.0.0.0/16\n");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

/* stale counts from the loss of what the mode reads: here the agent's routes. */
static void without_the_agent_strict_degrades_by_policy(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, STRICT "set r1 eth0 stale off\n");
	interfaces(lab, 1, 2);
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1 20.2.0.0/16=2");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.0/16\n");
	engine_fib_lost(lab->engine, "r1");
	lab_play(lab, "wait 3500\nexpect r1 eth0 enforce 20.0.0.0/16\n"
		      "wait 200\nexpect r1 eth0 off 20.0.0.0/16\n"
		      "alarmed edge r1 eth0: its feed is dead\n"
		      "expect r1 eth1 enforce 20.2.0.0/16\n");
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1 20.2.0.0/16=2");
	lab_play(lab, "run\nexpect r1 eth0 enforce 20.0.0.0/16\n");
}

/* The union of FIBs is that of the network's. */
static void loose_reads_the_tables_of_all_routers(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, "router r1\nrouter r2\n"
		      "edge r2 up provider loose enforce\n"
		      "inventory r2 up=10.0.9.1\n");
	assert_true(engine_wants_fib(lab->engine, "r1"));
	assert_true(engine_wants_fib(lab->engine, "r2"));
	assert_false(engine_wants_fib(lab->engine, "r3"));
	interfaces(lab, 1, 2);
	lab_play(lab, "connect r2\n"
		      "up r2 10.0.9.2 10.0.9.1\n"
		      "add r2 10.0.9.2 20.9.0.0/16\n"
		      "eor r2 10.0.9.2\n"
		      "feed r1 exclude bgp\n"
		      "wait 60\n"
		      "reason r2 up agent of router r1 has not sent its routes yet\n"
		      "expect r2 up observe 20.9.0.0/16\n");
	routes(lab, RESET | COMPLETE, "20.0.0.0/16=1");
	lab_play(lab, "run\nreason r2 up agent of router r2 has not sent its routes yet\n"
		      "expect r2 up observe 20.0.0.0/16 20.9.0.0/16\n"
		      "set r2 up mode off\n");
	assert_false(engine_wants_fib(lab->engine, "r1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(enforces_once_the_table_is_whole),
		CASE(a_change_asks_for_a_run),
		CASE(a_moved_route_is_here_at_once_and_there_for_the_hold_down),
		CASE(nothing_leaves_without_the_agent),
		CASE(half_a_table_gives_nothing),
		CASE(an_agent_that_lost_the_thread_freezes),
		CASE(interfaces_are_told_by_their_numbers),
		CASE(changes_without_a_table_are_ignored),
		CASE(who_is_asked),
		CASE(strict_direct_waits_for_bgp),
		CASE(without_the_agent_strict_degrades_by_policy),
		CASE(loose_reads_the_tables_of_all_routers),
	};

	return cmocka_run_group_tests_name("engine_fib", tests, NULL, NULL);
}
