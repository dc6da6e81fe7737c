/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Streams that a router's agent brings: whose they are, and which of two counts.
 * In the scripts the first word names a stream, whatever router it is of.
 */
#include "tests/unit/controller/lab.h"

#include <string.h>

#define ROUTERS                                                                          \
	"router r1\n"                                                                    \
	"router r2\n"                                                                    \
	"edge r1 eth0 customer feasible enforce\n"                                       \
	"set r1 eth0 brake 100\n"                                                        \
	"inventory r1 eth0=10.0.0.1\n"
#define TABLE(stream)                                                                    \
	"up " stream " 10.0.0.2 10.0.0.1\n"                                              \
	"add " stream " 10.0.0.2 20.1.0.0/16\n"                                          \
	"eor " stream " 10.0.0.2\n"                                                      \
	"wait 40\n"

/* The stream called so begins, brought by the agent of router. */
static struct lab_stream *relay(struct lab *lab, const char *stream, const char *router,
				const char *says)
{
	struct lab_stream *s;

	lab_playf(lab, "open %s 192.0.2.7\n", stream);
	s = lab_stream(lab, stream);
	engine_feed_relayed(s->feed, router);
	assert_true(engine_feed_is_relayed(s->feed));
	lab_playf(lab, "init %s %s\n", stream, says);
	return s;
}

struct seen {
	const char *router;
	unsigned int relayed, direct;
};

static void look(const struct engine_feed_status *status, void *arg)
{
	struct seen *seen = arg;

	if (strcmp(status->router, seen->router) == 0 && status->relayed)
		seen->relayed++;
	else if (strcmp(status->router, seen->router) == 0)
		seen->direct++;
}

static void assert_feeds(const struct lab *lab, const char *router, unsigned int relayed,
			 unsigned int direct)
{
	struct seen seen = { .router = router };

	engine_feeds_walk(lab->engine, look, &seen);
	assert_int_equal(seen.relayed, relayed);
	assert_int_equal(seen.direct, direct);
}

static void test_the_certificate_names_the_router(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ROUTERS);
	relay(lab, "x", "r1", "r2"); /* whatever bgpd calls itself */
	lab_play(lab, TABLE("x") "expect r1 eth0 enforce 20.1.0.0/16\n");
	assert_feeds(lab, "r1", 1, 0);
	assert_feeds(lab, "r2", 0, 0);
}

static void test_a_relay_needs_no_source(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ROUTERS "source r1 10.255.0.1\n");
	relay(lab, "x", "r1", "r1"); /* from elsewhere */
	lab_play(lab, TABLE("x") "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_a_relay_beside_the_source_of_another(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ROUTERS "source r2 192.0.2.7\n"); /* the relay's own address */
	relay(lab, "x", "r1", "r2");
	lab_play(lab, TABLE("x") "expect r1 eth0 enforce 20.1.0.0/16\n");
	assert_feeds(lab, "r2", 0, 0);
}

static void test_a_direct_session_gives_way_to_the_relay(void **state)
{
	struct lab *lab = *state;
	struct lab_stream *direct;
	struct wr none = { 0 };

	lab_play(lab, ROUTERS "connect r1 10.255.0.1\n" TABLE("r1")
		      "expect r1 eth0 enforce 20.1.0.0/16\n"
		      "mark r1 eth0\n");
	direct = lab_stream(lab, "r1");
	relay(lab, "x", "r1", "r1");
	assert_feeds(lab, "r1", 1, 0);
	assert_int_equal(lab_bytes(lab, direct, &none), -1);
	assert_string_equal(lab->diag.text,
			    "BMP from 10.255.0.1: the router has opened a newer stream");
	lab_play(lab, TABLE("x") "same r1 eth0\n"
		      "reason r1 eth0 -\n");
}

static void test_no_direct_session_beside_a_relay(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ROUTERS);
	relay(lab, "x", "r1", "r1");
	lab_play(lab, TABLE("x") "open r1 192.0.2.7\n" /* not even from its address */
		      "bad r1 BMP speaker at 192.0.2.7 claims to be router r1, which is "
		      "connected from 192.0.2.7: one of the two has the wrong name\n"
		      "add x 10.0.0.2 20.3.0.0/16\n"
		      "wait 5\n"
		      "expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16\n");
}

static void test_the_newer_relay_counts(void **state)
{
	struct lab *lab = *state;
	struct lab_stream *old;
	struct wr none = { 0 };

	lab_play(lab, ROUTERS);
	old = relay(lab, "x", "r1", "r1");
	lab_play(lab, TABLE("x"));
	relay(lab, "y", "r1", "r1");
	assert_feeds(lab, "r1", 1, 0);
	assert_int_equal(lab_bytes(lab, old, &none), -1);
	lab_play(lab, TABLE("y") "expect r1 eth0 enforce 20.1.0.0/16\n");
}

static void test_a_router_that_is_gone(void **state)
{
	struct lab *lab = *state;
	struct lab_stream *s;

	lab_play(lab, "router r1\n"
		      "open x 192.0.2.7\n");
	s = lab_stream(lab, "x");
	engine_feed_relayed(s->feed, "r9");
	lab_play(lab, "bad x BMP relayed from 192.0.2.7: there is no router r9 any more\n");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_the_certificate_names_the_router),
		CASE(test_a_relay_needs_no_source),
		CASE(test_a_relay_beside_the_source_of_another),
		CASE(test_a_direct_session_gives_way_to_the_relay),
		CASE(test_no_direct_session_beside_a_relay),
		CASE(test_the_newer_relay_counts),
		CASE(test_a_router_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
