/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who a stream is, which edge a peer is reached by, and what it calls itself.
 */
#include "tests/unit/controller/lab.h"

#include <string.h>

#include "tests/unit/controller/lab_nets.h"

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
			 "peer r1 10.0.0.2 no interface is connected to it, and the agent has not "
			 "sent the router's routes\n");
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

#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("engine_peer", tests, NULL, NULL);
}
