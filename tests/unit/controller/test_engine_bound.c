/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A peer with more paths than "feed max-paths" allows: it alone is held back, and
 * what was left out comes when there is room.
 */
#include "tests/unit/controller/lab_bgp.h"

#include <stdio.h>
#include <string.h>

#define BOUND                                                                              \
	"max-paths 1000\n"                                                                 \
	"router r1\n"                                                                      \
	"edge r1 eth0 customer feasible enforce\n"                                         \
	"edge r1 eth1 customer feasible enforce\n"                                         \
	"set r1 eth0 holddown 100\n"                                                       \
	"set r1 eth0 prefix 20.9.0.0/16\n"                                                 \
	"inventory r1 eth0=10.0.0.1 eth1=10.0.1.1\n"                                       \
	"connect r1 10.255.0.1\n"                                                          \
	"up r1 10.0.0.2 10.0.0.1\n"                                                        \
	"up r1 10.0.1.2 10.0.1.1\n"                                                        \
	"add r1 10.0.1.2 20.1.0.0/16\n"                                                    \
	"eor r1 10.0.1.2\n"

#define ALARM "router r1: peer 10.0.0.2 is at its bound of 1000 paths (feed max-paths)"
#define FULL                                                                               \
	"reason r1 eth0 peer 10.0.0.2 of router r1 has more paths than \"feed max-paths\" " \
	"allows\n"

/* Without the exception. */
static size_t blocks(struct lab *lab, bool computed)
{
	struct addrset set = { 0 };
	size_t n;

	if (computed)
		engine_edge_computed(lab->engine, "r1", "eth0", &set);
	else
		addrset_copy(&set, &engine_filter(lab->engine, "r1", "eth0")->accept);
	n = set.f[IP_V4].n - 1;
	addrset_fini(&set);
	return n;
}

struct seen {
	const char *router;
	uint64_t refused;
	bool full;
};

static void see(const struct engine_peer_status *p, void *arg)
{
	struct seen *seen = arg;
	char addr[IP_TEXT_SIZE];

	if (strcmp(ip_addr_format(&rib_peer_key(p->peer)->addr, addr), "10.0.0.2") != 0)
		return;
	seen->refused = rib_peer_refused(p->peer);
	seen->full = p->full;
}

static void assert_seen(struct lab *lab, uint64_t refused, bool full)
{
	struct seen seen = { 0 };

	engine_peers_walk(lab->engine, see, &seen);
	assert_int_equal(seen.refused, refused);
	assert_int_equal(seen.full, full);
}

/* eth0 enforces what 900 paths admit; then a thousand more come. */
static void overflow(struct lab *lab)
{
	lab_play(lab, BOUND "fill r1 10.0.0.2 0 900\n"
			    "eor r1 10.0.0.2\n"
			    "wait 40\n"
			    "reason r1 eth0 -\n"
			    "fill r1 10.0.0.2 900 1900\n"
			    "run\n" FULL "alarmed " ALARM ", more are left out");
	assert_int_equal(blocks(lab, false), 1000);
	assert_seen(lab, 900, true);
}

static void test_only_its_own_new_paths_are_left_out(void **state)
{
	struct lab *lab = *state;

	overflow(lab);
	/* what is known goes on being updated and withdrawn, and the stream is open */
	lab_play(lab, "add r1 10.0.0.2 40.0.0.0/24 65001 65009\n"
		      "drain r1 10.0.0.2 5 6\n"
		      "add r1 10.0.1.2 20.3.0.0/16\n"
		      "run\n"
		      "expect r1 eth1 enforce 20.1.0.0/16 20.3.0.0/16\n"
		      "reason r1 eth1 -\n");
	assert_seen(lab, 900, true);
	assert_int_equal(blocks(lab, true), 999);
	/* but nothing leaves, for something may be missing */
	lab_play(lab, "wait 1000\n"
		      "quiet r1\n" FULL);
	assert_int_equal(blocks(lab, false), 1000);
	/* unless the operator says so */
	lab_play(lab, "feed r1 exclude 10.0.0.2\n"
		      "wait 300\n"
		      "reason r1 eth0 -\n");
	assert_int_equal(blocks(lab, false), 999);
}

static void test_no_edge_begins_to_enforce_on_it(void **state)
{
	struct lab *lab = *state;
	struct engine_edge_status status;

	lab_play(lab, BOUND "fill r1 10.0.0.2 0 1500\n"
			    "eor r1 10.0.0.2\n"
			    "wait 200\n" FULL "reason r1 eth1 -\n"
			    "alarmed type a larger \"feed max-paths\", or \"exclude peer "
			    "10.0.0.2\" in router r1\n");
	assert_true(engine_edge_status(lab->engine, "r1", "eth0", &status));
	assert_false(status.started);
	assert_seen(lab, 500, true);
}

/* The whole stream anew, in which the peer has these. */
static void dump(struct lab *lab, unsigned int from, unsigned int to)
{
	lab_playf(lab,
		  "redump r1\n"
		  "up r1 10.0.0.2 10.0.0.1\n"
		  "up r1 10.0.1.2 10.0.1.1\n"
		  "add r1 10.0.1.2 20.1.0.0/16\n"
		  "eor r1 10.0.1.2\n"
		  "fill r1 10.0.0.2 %u %u\n"
		  "eor r1 10.0.0.2\n"
		  "run\n",
		  from, to);
}

static void test_room_again_brings_what_was_left_out(void **state)
{
	struct lab *lab = *state;

	overflow(lab);
	/* not much room is none */
	lab_play(lab, "drain r1 10.0.0.2 0 100\n"
		      "wait 100\n"
		      "quiet r1\n"
		      "drain r1 10.0.0.2 100 200\n"
		      "wait 1\n"
		      "noted closing BMP for a complete dump: there is room for paths that "
		      "were left out\n");
	dump(lab, 200, 1150);
	lab_play(lab, "wait 40\n"
		      "reason r1 eth0 -\n");
	assert_seen(lab, 900, false);
	assert_int_equal(blocks(lab, true), 950);
	assert_int_equal(blocks(lab, false), 1150);
	lab_play(lab, "wait 100\n");
	assert_int_equal(blocks(lab, false), 950);
}

static void test_a_peer_that_is_full_again_is_asked_less_often(void **state)
{
	struct lab *lab = *state;

	overflow(lab);
	lab_play(lab, "drain r1 10.0.0.2 0 200\n"
		      "wait 1\n");
	dump(lab, 0, 1900);
	lab_play(lab, FULL "drain r1 10.0.0.2 0 200\n"
			   "wait 1190\n"
			   "quiet r1\n"
			   "wait 20\n");
	dump(lab, 0, 1900);
	lab_play(lab, "drain r1 10.0.0.2 0 200\n"
		      "wait 2390\n"
		      "quiet r1\n"
		      "wait 20\n");
	/* and told once */
	assert_true(!lab->alarms || !strstr(lab->alarms, "at its bound"));
	dump(lab, 0, 900);
	lab_play(lab, "wait 40\n"
		      "reason r1 eth0 -\n"
		      /* it was whole: that counts anew */
		      "fill r1 10.0.0.2 900 1900\n"
		      "run\n"
		      "alarmed " ALARM "\n");
}

static void test_a_larger_bound_brings_what_was_left_out(void **state)
{
	struct lab *lab = *state;

	overflow(lab);
	lab_play(lab, "wait 100\n"
		      "quiet r1\n"
		      "max-paths 3000\n"
		      "wait 1\n");
	dump(lab, 0, 1900);
	lab_play(lab, "wait 40\n"
		      "reason r1 eth0 -\n"
		      /* a smaller one takes nothing away */
		      "max-paths 1000\n"
		      "wait 100\n"
		      "reason r1 eth0 -\n");
	assert_int_equal(blocks(lab, false), 1900);
	lab_play(lab, "fill r1 10.0.0.2 1900 1901\n"
		      "run\n" FULL);
	assert_int_equal(blocks(lab, false), 1900);
}

static void test_a_session_that_comes_up_has_another_chance(void **state)
{
	struct lab *lab = *state;

	overflow(lab);
	lab_play(lab, "down r1 10.0.0.2\n"
		      "wait 1\n"
		      "up r1 10.0.0.2 10.0.0.1\n"
		      "fill r1 10.0.0.2 0 900\n"
		      "wait 11\n"
		      "noted sessions came up after the last one\n");
	assert_seen(lab, 900, false);
	dump(lab, 0, 900);
	lab_play(lab, "wait 40\n"
		      "reason r1 eth0 -\n");
	assert_int_equal(blocks(lab, true), 900);
}

/* A next hop of a router's own session is such a peer too; there only another
 * session tells the whole table. */
static void test_a_session_begins_anew_when_there_is_room(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;
	struct diag diag;
	char prefix[32];
	int64_t next;

	lab_play(lab, "max-paths 1000\n"
		      "router r1\n"
		      "edge r1 eth0 customer feasible enforce\n"
		      "inventory r1 eth0=10.0.0.1 eth1=10.0.1.1\n"
		      "feed r1 exclude 10.0.1.2\n");
	b = lab_bgp_establish(lab, "r1");
	for (int i = 0; i < 1100; i++) {
		snprintf(prefix, sizeof(prefix), "40.%d.%d.0/24", i >> 7, (i & 127) * 2);
		lab_bgp_add(lab, b, prefix, 1, "10.0.0.2");
	}
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.1.2");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n" FULL "alarmed " ALARM "\n");
	assert_seen(lab, 100, true);
	/* nothing to be had from another session yet */
	assert_int_equal(engine_bgp_timer(b, lab->now_ms, &next, &diag), 0);
	lab_play(lab, "max-paths 2000\n");
	assert_int_equal(engine_bgp_timer(b, lab->now_ms, &next, &diag), -1);
	assert_string_equal(diag.text, "closed for a complete table: there is room for paths "
				       "that were left out");
	lab_bgp_lose(lab, b);
	b = lab_bgp_establish(lab, "r1");
	for (int i = 0; i < 1100; i++) {
		snprintf(prefix, sizeof(prefix), "40.%d.%d.0/24", i >> 7, (i & 127) * 2);
		lab_bgp_add(lab, b, prefix, 1, "10.0.0.2");
	}
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n"
		      "reason r1 eth0 -\n");
	assert_seen(lab, 100, false);
	assert_int_equal(engine_bgp_timer(b, lab->now_ms, &next, &diag), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(test_only_its_own_new_paths_are_left_out),
		T(test_no_edge_begins_to_enforce_on_it),
		T(test_room_again_brings_what_was_left_out),
		T(test_a_peer_that_is_full_again_is_asked_less_often),
		T(test_a_larger_bound_brings_what_was_left_out),
		T(test_a_session_that_comes_up_has_another_chance),
		T(test_a_session_begins_anew_when_there_is_room),
	};

	return cmocka_run_group_tests_name("engine_bound", tests, NULL, NULL);
}
