/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which edges a peer is on: every kind of peer, by what is known, and what is
 * reported where that does not decide. The sets follow: lab compares them.
 */
#include "tests/unit/controller/lab_bgp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* s1 and s2 are edges, core is none. */
#define ROUTER                                                                           \
	"router r1\n"                                                                    \
	"edge r1 s1 customer feasible\n"                                                 \
	"edge r1 s2 customer feasible\n"
#define LINKS                                                                            \
	"s1=10.0.1.1/30 s2=10.0.2.1/30 core=10.9.0.1/24 lo=10.255.0.1/32 "               \
	"s1=2001:db8:1::1/64 s2=2001:db8:2::1/64 lo=2001:db8:ff::1/128"

enum kind {
	EXTERNAL, /* shown by BMP */
	INTERNAL,
	HOP, /* of the router's own BGP session */
};

enum report {
	QUIET,
	NOTE,  /* in the log */
	ALARM, /* as a warning */
};

static const struct row {
	const char *name;
	enum kind kind;
	const char *peer, *local;
	const char *inventory; /* NULL: none */
	const char *fib;       /* NULL: it has not come */
	const char *more;      /* script, or NULL */
	const char *edges;
	const char *mapping;
	enum report report;
	bool wants_fib;
} rows[] = {
	/* one link, one session */
	{ "direct", EXTERNAL, "10.0.1.2", "10.0.1.1", LINKS, NULL, NULL, "s1",
	  "by the session's local address", QUIET, false },
	{ "direct, IPv6", EXTERNAL, "2001:db8:2::2", "2001:db8:2::1", LINKS, NULL, NULL, "s2",
	  "by the session's local address", QUIET, false },
	{ "direct, and a route says otherwise", EXTERNAL, "10.0.1.2", "10.0.1.1", LINKS,
	  "10.0.1.2/32=s2", NULL, "s1", "by the session's local address", QUIET, false },
	{ "no inventory", EXTERNAL, "10.0.1.2", "10.0.1.1", NULL, NULL, NULL, "",
	  "has sent no inventory yet", QUIET, false },
	{ "direct, on no edge", EXTERNAL, "10.9.0.2", "10.9.0.1", LINKS, NULL, NULL, "",
	  "its interface is not an edge: core", QUIET, false },
	{ "the router is not told its own address", EXTERNAL, "10.0.1.2", "0.0.0.0", LINKS, NULL,
	  NULL, "s1", "by the prefix that its interface is connected to", QUIET, false },
	{ "a longer connected prefix on another link", EXTERNAL, "10.0.2.2", "10.0.0.1",
	  LINKS " s1=10.0.0.1/16", NULL, NULL, "s2", "its interface is connected to", QUIET,
	  false },
	{ "one prefix on two links, the session on one", EXTERNAL, "10.0.1.2", "10.0.1.1",
	  "s1=10.0.1.1/24 s2=10.0.1.3/24", NULL, NULL, "s1", "by the session's local address",
	  QUIET, false },
	{ "one address on two links", EXTERNAL, "10.0.1.2", "10.0.1.1",
	  "s1=10.0.1.1/24 s2=10.0.1.1/24", NULL, NULL, "",
	  "several interfaces have the session's local address: type \"peer", ALARM, false },
	{ "one address on two links that are no edges", EXTERNAL, "10.0.1.2", "10.0.1.1",
	  "core=10.0.1.1/24 lan=10.0.1.1/24", NULL, NULL, "", "several interfaces have", QUIET,
	  false },
	{ "link-local", EXTERNAL, "fe80::9", "fe80::1", "s1=fe80::1/64 s2=fe80::2/64", NULL, NULL,
	  "s1", "by the session's local address", QUIET, false },
	{ "link-local, the same everywhere", EXTERNAL, "fe80::9", "fe80::1",
	  "s1=fe80::1/64 s2=fe80::1/64", "fe80::/64=s1", NULL, "", "several interfaces have",
	  ALARM, false },
	{ "link-local, nowhere", EXTERNAL, "fe80::9", "fe80::7", "s1=fe80::1/64", NULL, NULL, "",
	  "no interface has the session's local address", ALARM, false },
	{ "unnumbered", EXTERNAL, "10.8.0.9", "10.8.0.1", "s1=10.8.0.1/32 s2=10.8.0.2/32", NULL,
	  NULL, "s1", "by the session's local address", QUIET, false },
	{ "unnumbered, the routes known", EXTERNAL, "10.8.0.9", "10.8.0.1",
	  "s1=10.8.0.1/32 s2=10.8.0.2/32", "10.8.0.9/32=s2", NULL, "s2",
	  "by the route to it, which leaves by s2", QUIET, true },
	{ "unnumbered, a borrowed address", EXTERNAL, "10.8.0.9", "10.255.0.1",
	  "s1=10.255.0.1/32 s2=10.255.0.1/32 lo=10.255.0.1/32", "10.8.0.9/32=s2", NULL, "s2",
	  "by the route to it", QUIET, true },

	/* the operator */
	{ "peer statement", EXTERNAL, "10.0.1.2", "10.0.1.1", LINKS, NULL,
	  "set r1 s2 peer 10.0.1.2\n", "s2", "by its peer statement", QUIET, false },
	{ "peer statement, nothing known", EXTERNAL, "10.7.0.1", "10.255.0.1", NULL, NULL,
	  "set r1 s1 peer 10.7.0.1\n", "s1", "by its peer statement", QUIET, false },
	{ "peer statement for an internal session", INTERNAL, "10.255.0.2", "10.255.0.1", LINKS,
	  NULL, "set r1 s1 peer 10.255.0.2\n", "s1", "by its peer statement", QUIET, false },
	{ "internal", INTERNAL, "10.255.0.2", "10.0.1.1", LINKS, "10.255.0.2/32=s1", NULL, "",
	  "an internal session", QUIET, false },

	/* loopback and multihop */
	{ "loopback, routes to come", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS, NULL, NULL, "",
	  "the agent has not sent the router's routes (yet): wait for them, or type \"peer",
	  NOTE, true },
	{ "loopback", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS, "10.7.0.1/32=s2", NULL, "s2",
	  "by the route to it, which leaves by s2", QUIET, true },
	{ "loopback, IPv6", EXTERNAL, "2001:db8:77::1", "2001:db8:ff::1", LINKS,
	  "2001:db8:77::/48=s1", NULL, "s1", "by the route to it", QUIET, true },
	{ "loopback over two links", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS,
	  "10.7.0.1/32=s1,s2", NULL, "s1 s2", "by the route to it, which leaves by s1, s2",
	  QUIET, true },
	{ "loopback over an edge and another link", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS,
	  "10.7.0.1/32=core,s1", NULL, "s1", "leaves by s1; not an edge: core", QUIET, true },
	{ "loopback behind the core", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS,
	  "10.7.0.0/16=core", NULL, "",
	  "its interface is not an edge: the route to it leaves by core", QUIET, true },
	{ "multihop from a link's address", EXTERNAL, "10.7.0.1", "10.0.1.1", LINKS,
	  "10.7.0.0/16=s2", NULL, "s2", "by the route to it", QUIET, true },
	{ "multihop from a link's address, routes to come", EXTERNAL, "10.7.0.1", "10.0.1.1",
	  LINKS, NULL, NULL, "", "no interface is connected to it", NOTE, true },
	{ "the longest route decides", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS,
	  "10.7.0.0/16=s1 10.7.0.0/24=s2", NULL, "s2", "leaves by s2", QUIET, true },
	{ "a default route alone", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS, "0.0.0.0/0=s1",
	  NULL, "", "a default route does not count", ALARM, true },
	{ "no route", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS, "10.6.0.0/16=s1", NULL, "",
	  "has no route to it", ALARM, true },
	{ "a blackhole", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS, "10.7.0.0/16=x", NULL, "",
	  "is a blackhole", ALARM, true },
	{ "a peer statement ends the need of routes", EXTERNAL, "10.7.0.1", "10.255.0.1", LINKS,
	  NULL, "set r1 s1 peer 10.7.0.1\n", "s1", "by its peer statement", QUIET, false },

	/* next hops of the router's own session */
	{ "next hop on a link", HOP, "10.0.2.2", NULL, LINKS, NULL, NULL, "s2",
	  "by the next hop's connected prefix", QUIET, false },
	{ "next hop on a link, IPv6", HOP, "2001:db8:1::2", NULL, LINKS, NULL, NULL, "s1",
	  "by the next hop's connected prefix", QUIET, false },
	{ "next hop, no inventory", HOP, "10.0.2.2", NULL, NULL, NULL, NULL, "",
	  "has sent no inventory yet", QUIET, false },
	{ "next-hop-self", HOP, "10.255.0.1", NULL, LINKS, NULL, NULL, "",
	  "the next hop is the router itself", QUIET, false },
	{ "next hop on two links", HOP, "10.0.1.2", NULL, "s1=10.0.1.1/24 s2=10.0.1.3/24", NULL,
	  NULL, "", "several interfaces are connected to it: type \"peer", ALARM, false },
	{ "next hop on two links, routes known", HOP, "10.0.1.2", NULL,
	  "s1=10.0.1.1/24 s2=10.0.1.3/24", "10.0.1.0/24=s2", NULL, "s2", "leaves by s2", QUIET,
	  true },
	{ "next hop on two links that are no edges", HOP, "10.0.1.2", NULL,
	  "core=10.0.1.1/24 lan=10.0.1.3/24", NULL, NULL, "", "several interfaces", QUIET,
	  false },
	{ "next hop, link-local", HOP, "fe80::9", NULL, "s1=fe80::1/64 s2=fe80::2/64",
	  "fe80::/64=s1", NULL, "", "several interfaces are connected to it", ALARM, false },
	{ "next hop afar", HOP, "10.7.0.1", NULL, LINKS, NULL, NULL, "",
	  "no interface is connected to it, and the agent has not sent", NOTE, true },
	{ "next hop afar over two links", HOP, "10.7.0.1", NULL, LINKS, "10.7.0.1/32=s2,s1", NULL,
	  "s1 s2", "by the route to it", QUIET, true },
	{ "next hop afar in the core", HOP, "10.7.0.1", NULL, LINKS, "10.7.0.1/32=core", NULL, "",
	  "its interface is not an edge", QUIET, true },
	{ "next hop by peer statement", HOP, "10.7.0.1", NULL, LINKS, NULL,
	  "set r1 s2 peer 10.7.0.1\n", "s2", "by its peer statement", QUIET, false },
};

/* A session of the router with one path to this next hop. */
static void open_session(struct lab *lab, const char *hop)
{
	struct engine_bgp *b = lab_bgp_establish(lab, "r1");

	lab_bgp_add(lab, b, strchr(hop, ':') ? "2a00:1::/32" : "20.1.0.0/16", 1, hop);
}

static void open_feed(struct lab *lab, const struct row *row)
{
	bool v6 = strchr(row->peer, ':') != NULL;

	lab_playf(lab, "connect r1\nup r1 %s %s%s\nadd r1 %s %s\n", row->peer, row->local,
		  row->kind == INTERNAL ? " 64500" : "", row->peer,
		  v6 ? "2a00:1::/32" : "20.1.0.0/16");
}

static void forget_log(struct lab *lab)
{
	free(lab->notes);
	free(lab->alarms);
	lab->notes = lab->alarms = NULL;
}

/* How often a log has this peer on no edge. */
static unsigned int told(const char *log, const struct row *row)
{
	char text[100];
	unsigned int n = 0;

	snprintf(text, sizeof(text), "peer %s is on no edge", row->peer);
	while (log && (log = strstr(log, text))) {
		log++;
		n++;
	}
	return n;
}

static void check_row(const struct row *row)
{
	struct lab *lab;

	lab_setup((void **)&lab);
	lab_play(lab, ROUTER);
	if (row->inventory)
		lab_playf(lab, "inventory r1 %s\n", row->inventory);
	if (row->fib)
		lab_playf(lab, "fib r1 %s\n", row->fib);
	lab_play(lab, row->more ? row->more : "");
	if (row->kind == HOP)
		open_session(lab, row->peer);
	else
		open_feed(lab, row);
	lab_playf(lab, "wait 1\non r1 %s %s\npeer r1 %s %s\n", row->peer, row->edges, row->peer,
		  row->mapping);
	/* its paths count for these edges and for no other */
	for (int i = 1; i <= 2; i++) {
		char name[8];

		snprintf(name, sizeof(name), "s%d", i);
		lab_playf(lab, "expect r1 %s observe %s\n", name,
			  !strstr(row->edges, name)  ? "" :
			  strchr(row->peer, ':') ? "2a00:1::/32" :
						       "20.1.0.0/16");
	}
	if (row->inventory) /* it is told once */
		lab_playf(lab, "inventory r1 %s\nwait 1\n", row->inventory);
	assert_int_equal(told(lab->alarms, row), row->report == ALARM);
	assert_int_equal(told(lab->notes, row), row->report == NOTE);
	assert_int_equal(engine_wants_fib(lab->engine, "r1"), row->wants_fib);
	lab_teardown((void **)&lab);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("  %s\n", rows[i].name);
		check_row(&rows[i]);
	}
}

#define LOOPBACK                                                                         \
	ROUTER "set r1 s1 action enforce\nset r1 s2 action enforce\n"                    \
	       "set r1 s1 holddown 100\nset r1 s2 holddown 100\n"                        \
	       "set r1 s1 brake 100\nset r1 s2 brake 100\n"                              \
	       "inventory r1 " LINKS "\n"                                                \
	       "connect r1\n"                                                            \
	       "up r1 10.7.0.1 10.255.0.1\n"                                             \
	       "add r1 10.7.0.1 20.1.0.0/16\n"                                           \
	       "up r1 10.0.1.2 10.0.1.1\n"                                               \
	       "add r1 10.0.1.2 20.9.0.0/16\n"                                           \
	       "eor r1 10.0.1.2\n"                                                       \
	       "up r1 10.0.2.2 10.0.2.1\n"                                               \
	       "add r1 10.0.2.2 20.2.0.0/16\n"                                           \
	       "eor r1 10.7.0.1\n"                                                       \
	       "eor r1 10.0.2.2\n"

/* No edge begins without a peer that may be its own, and nothing leaves. */
static void test_edges_wait_for_the_routes(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "expect r1 s2 observe 20.2.0.0/16\n"
		 "waits r1 s2 r1 10.7.0.1 is on no edge before the router's routes are here, or a "
		 "\"peer\" statement\n"
		 "noted peer 10.7.0.1 is on no edge: no interface is connected to it\n"
		 "fib r1 10.7.0.1/32=s1,s2\n"
		 "wait 1\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.9.0.0/16\n"
		 "expect r1 s2 enforce 20.1.0.0/16 20.2.0.0/16\n"
		 "waits r1 s2 -\n"
		 "explain r1 s2 20.1.0.1 20.1.0.1 is in 20.1.0.0/16, which peer 10.7.0.1 announces "
		 "on this edge (origin AS 65001, mode feasible)\n");
}

static void test_without_routes_a_statement_does(void **state)
{
	lab_play(*state, LOOPBACK
		 "wait 40\n"
		 "reason r1 s2 peer 10.7.0.1\n"
		 "set r1 s1 peer 10.7.0.1\n"
		 "wait 1\n"
		 "reason r1 s2 -\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.9.0.0/16\n"
		 "expect r1 s2 enforce 20.2.0.0/16\n");
}

/* What an excluded peer sends counts, if it is placed, but nothing waits for it. */
static void test_excluded_peers_hold_nothing_up(void **state)
{
	lab_play(*state, LOOPBACK
		 "feed r1 exclude 10.7.0.1\n"
		 "wait 40\n"
		 "reason r1 s2 -\n"
		 "expect r1 s2 enforce 20.2.0.0/16\n");
}

/* Another way: there at once, gone from the old one after its hold-down. */
static void test_a_route_that_moves(void **state)
{
	lab_play(*state, LOOPBACK
		 "fib r1 10.7.0.1/32=s1\n"
		 "wait 40\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.9.0.0/16\n"
		 "expect r1 s2 enforce 20.2.0.0/16\n"
		 "route r1 10.7.0.1/32=s1,s2\n"
		 "run\n"
		 "on r1 10.7.0.1 s1 s2\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.9.0.0/16\n"
		 "expect r1 s2 enforce 20.1.0.0/16 20.2.0.0/16\n"
		 "# a path that comes now is on both\n"
		 "add r1 10.7.0.1 20.3.0.0/16\n"
		 "run\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.3.0.0/16 20.9.0.0/16\n"
		 "expect r1 s2 enforce 20.1.0.0/16 20.2.0.0/15\n"
		 "route r1 10.7.0.1/32=s2\n"
		 "run\n"
		 "on r1 10.7.0.1 s2\n"
		 "waiting r1 s1 20.1.0.0/16 20.3.0.0/16\n"
		 "wait 99\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.3.0.0/16 20.9.0.0/16\n"
		 "# back again within the hold-down\n"
		 "route r1 10.7.0.1/32=s1,s2\n"
		 "run\n"
		 "waiting r1 s1\n"
		 "route r1 10.7.0.0/16=s1\n"
		 "route r1 10.7.0.1/32=-\n"
		 "run\n"
		 "on r1 10.7.0.1 s1\n"
		 "wait 130\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.3.0.0/16 20.9.0.0/16\n"
		 "expect r1 s2 enforce 20.2.0.0/16\n");
}

/* The agent is away: its last routes place peers on, and a table that is sent
 * anew takes their place when it is whole. */
static void test_routes_that_freeze(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, LOOPBACK "fib r1 10.7.0.1/32=s1\n"
			       "wait 40\n");
	engine_fib_lost(lab->engine, "r1");
	lab_play(lab, "wait 200\n"
		      "on r1 10.7.0.1 s1\n"
		      "expect r1 s1 enforce 20.1.0.0/16 20.9.0.0/16\n"
		      "fib r1 10.7.0.1/32=s2\n"
		      "run\n"
		      "on r1 10.7.0.1 s2\n"
		      "expect r1 s2 enforce 20.1.0.0/16 20.2.0.0/16\n");
}

/* The route is lost: the peer is on no edge, an alarm, removal after hold-down. */
static void test_a_route_that_is_lost(void **state)
{
	lab_play(*state, LOOPBACK
		 "fib r1 10.7.0.1/32=s1\n"
		 "wait 40\n"
		 "route r1 10.7.0.1/32=-\n"
		 "run\n"
		 "on r1 10.7.0.1\n"
		 "alarmed peer 10.7.0.1 is on no edge: no interface is connected to it, and the "
		 "router has no route to it\n"
		 "wait 50\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.9.0.0/16\n"
		 "route r1 10.7.0.1/32=s1\n"
		 "run\n"
		 "on r1 10.7.0.1 s1\n"
		 "waiting r1 s1\n");
}

/* Edges come and go around a peer of two: its paths follow the names. */
static void test_edges_that_come_and_go(void **state)
{
	lab_play(*state, LOOPBACK
		 "fib r1 10.7.0.1/32=s1,s2\n"
		 "wait 40\n"
		 "edge r1 a1 customer feasible\n"
		 "wait 1\n"
		 "on r1 10.7.0.1 s1 s2\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.9.0.0/16\n"
		 "expect r1 s2 enforce 20.1.0.0/16 20.2.0.0/16\n"
		 "waiting r1 s1\n"
		 "waiting r1 s2\n"
		 "no-edge r1 s1\n"
		 "wait 1\n"
		 "on r1 10.7.0.1 s2\n"
		 "peer r1 10.7.0.1 leaves by s2; not an edge: s1\n"
		 "expect r1 s2 enforce 20.1.0.0/16 20.2.0.0/16\n"
		 "edge r1 s1 customer feasible\n"
		 "wait 1\n"
		 "on r1 10.7.0.1 s1 s2\n"
		 "expect r1 s1 observe 20.1.0.0/16 20.9.0.0/16\n"
		 "down r1 10.7.0.1\n"
		 "wait 200\n"
		 "expect r1 s2 enforce 20.2.0.0/16\n");
}

/* An exchange, or a session for each family: one edge has the routes of all, and
 * waits for each; the router's own session adds to them. */
static void test_several_peers_on_one_link(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b;

	lab_play(lab, ROUTER "set r1 s1 action enforce\n"
			     "inventory r1 " LINKS " s1=10.0.3.1/24\n"
			     "connect r1\n"
			     "up r1 10.0.1.2 10.0.1.1\n"
			     "add r1 10.0.1.2 20.1.0.0/16\n"
			     "eor r1 10.0.1.2\n"
			     "up r1 10.0.3.7 10.0.3.1\n"
			     "add r1 10.0.3.7 20.2.0.0/16\n"
			     "eor r1 10.0.3.7\n"
			     "up r1 2001:db8:1::2 2001:db8:1::1\n"
			     "add r1 2001:db8:1::2 2a00:1::/32\n"
			     "wait 5\n"
			     "on r1 10.0.1.2 s1\n"
			     "on r1 10.0.3.7 s1\n"
			     "on r1 2001:db8:1::2 s1\n"
			     "reason r1 s1 has not sent its whole table yet\n"
			     "eor r1 2001:db8:1::2\n"
			     "wait 40\n"
			     "expect r1 s1 enforce 20.1.0.0/16 20.2.0.0/16 2a00:1::/32\n"
			     "expect r1 s2 observe\n");
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.3.0.0/16", 1, "10.0.3.9");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n"
		      "on r1 10.0.3.9 s1\n"
		      "expect r1 s1 enforce 20.1.0.0/16 20.2.0.0/15 2a00:1::/32\n");
}

/* Modes that read the whole network count it once on each of its edges. */
static void test_network_wide_modes(void **state)
{
	lab_play(*state, LOOPBACK
		 "set r1 s1 mode efp-a\n"
		 "set r1 s2 mode efp-b\n"
		 "edge r1 core provider loose\n"
		 "wait 40\n"
		 "reason r1 s1 peer 10.7.0.1 of router r1 is on no edge before\n"
		 "fib r1 10.7.0.1/32=s1,s2\n"
		 "wait 1\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.2.0.0/16 20.9.0.0/16\n"
		 "expect r1 s2 enforce 20.1.0.0/16 20.2.0.0/16 20.9.0.0/16\n"
		 "route r1 10.7.0.1/32=s1\n"
		 "wait 1\n"
		 "expect r1 s1 enforce 20.1.0.0/16 20.2.0.0/16 20.9.0.0/16\n"
		 "del r1 10.7.0.1 20.1.0.0/16\n"
		 "wait 200\n"
		 "expect r1 s2 enforce 20.2.0.0/16 20.9.0.0/16\n");
}

/* RFC 9234: 0 is a provider's role. On each of its edges, told once for each. */
static void test_roles_of_a_loopback_peer(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ROUTER "inventory r1 " LINKS "\n"
			     "fib r1 10.7.0.1/32=s1,s2\n"
			     "set r1 s2 role provider\n"
			     "set r1 s1 action enforce\n"
			     "set r1 s2 action enforce\n"
			     "connect r1\n"
			     "up r1 10.7.0.1 10.255.0.1 65001 0\n"
			     "add r1 10.7.0.1 20.1.0.0/16\n"
			     "eor r1 10.7.0.1\n"
			     "wait 40\n"
			     "reason r1 s1 peer 10.7.0.1 calls itself provider\n"
			     "expect r1 s1 observe 20.1.0.0/16\n"
			     "reason r1 s2 -\n"
			     "expect r1 s2 enforce 20.1.0.0/16\n"
			     "alarmed edge r1 s1 has role customer, but its peer 10.7.0.1 calls\n"
			     "wait 100\n");
	assert_null(lab->alarms);
}

/* An edge does not begin while a peer may be its own; one that has goes on. */
static void test_an_unclear_peer_keeps_edges_from_beginning(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, ROUTER "set r1 s1 action enforce\n"
			     "inventory r1 s1=10.0.1.1 s1=fe80::1 s2=fe80::1 core=fe80::2\n"
			     "connect r1\n"
			     "up r1 10.0.1.2 10.0.1.1\n"
			     "add r1 10.0.1.2 20.1.0.0/16\n"
			     "eor r1 10.0.1.2\n"
			     "up r1 fe80::9 fe80::1\n"
			     "add r1 fe80::9 2a00:1::/32\n"
			     "eor r1 fe80::9\n"
			     "wait 40\n"
			     "reason r1 s1 peer fe80::9 of router r1 may be on one edge or another\n"
			     "expect r1 s1 observe 20.1.0.0/16\n"
			     "set r1 s2 peer fe80::9\n"
			     "wait 1\n"
			     "reason r1 s1 -\n"
			     "expect r1 s1 enforce 20.1.0.0/16\n"
			     "set r1 s2 no-peer fe80::9\n"
			     "wait 1\n"
			     "reason r1 s1 may be on one edge or another\n"
			     "expect r1 s1 enforce 20.1.0.0/16\n");
	forget_log(lab);
}

/* Routes, links, sessions, paths and policy in any order: after each step the
 * lab compares the sets with those from scratch, where each of a peer's edges is
 * a source of its own. */
static void random_step(struct lab *lab, unsigned int seed)
{
	static const char *const ways[] = { "s1", "s2", "s1,s2", "core", "s1,s2,s3", "x", "-" };
	static const char *const peers[] = { "10.7.0.1", "10.7.0.2", "10.0.1.2", "10.7.0.1" };
	static const char *const modes[] = { "feasible", "efp-a", "efp-b", "loose", "strict-direct" };
	unsigned int what = seed % 13, k = seed / 13;
	const char *peer = peers[k / 7 % 4];

	if (what < 3)
		lab_playf(lab, "route r1 10.7.0.%u/%u=%s\n", what == 2 ? 0 : k % 2 + 1,
			  what == 2 ? 24 : 32, ways[k / 2 % 7]);
	else if (what < 7)
		lab_playf(lab, "add r1 %s 20.%u.0.0/16 %u\n", peer, k % 7 + 1, 65001 + k / 28 % 3);
	else if (what < 9)
		lab_playf(lab, "del r1 %s 20.%u.0.0/16\n", peer, k % 7 + 1);
	else if (what == 9)
		lab_playf(lab, "down r1 %s\nup r1 %s %s\n", peer, peer,
			  k / 7 % 4 == 2 ? "10.0.1.1" : "10.255.0.1");
	else if (what == 10)
		lab_playf(lab, "set r1 s%u mode %s\n", k % 3 + 1, modes[k / 3 % 5]);
	else if (what == 11)
		lab_playf(lab, "set r1 s%u %speer 10.7.0.1\n", k % 2 + 1, k / 2 % 2 ? "no-" : "");
	else
		lab_playf(lab, k % 2 ? "no-edge r1 s3\n" : "edge r1 s3 stub feasible\n");
}

/* What the configuration would refuse is not asked for. */
static bool is_allowed(struct lab *lab, unsigned int seed)
{
	unsigned int what = seed % 13, k = seed / 13;
	const struct config_edge *s3 = config_edge_find(&lab->cfg, "r1", "s3");
	struct ip_addr addr;

	assert_true(ip_addr_parse("10.7.0.1", &addr));
	if (what == 11) {
		const struct config_edge *on = config_edge_by_peer(&lab->cfg, "r1", &addr);
		const char *edge = k % 2 ? "s2" : "s1";

		return k / 2 % 2 ? on && strcmp(on->interface, edge) == 0 : !on;
	}
	if (what == 12)
		return (k % 2 != 0) == (s3 != NULL);
	return what != 10 || k % 3 != 2 || s3;
}

static void test_any_order(void **state)
{
	struct lab *lab = *state;
	uint32_t seed = 12345;

	lab_play(lab, LOOPBACK "edge r1 core provider loose\n"
			       "fib r1 10.7.0.1/32=s1 20.1.0.0/16=s1 20.2.0.0/15=s2\n"
			       "up r1 10.7.0.2 10.255.0.1\n");
	for (int i = 0; i < 4000; i++) {
		seed = seed * 1664525 + 1013904223;
		if (!is_allowed(lab, seed >> 8))
			continue;
		random_step(lab, seed >> 8);
		if (i % 3 == 0)
			lab_play(lab, "run\n");
		if (i % 50 == 0)
			lab_play(lab, "wait 7\n");
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		T(test_edges_wait_for_the_routes),
		T(test_without_routes_a_statement_does),
		T(test_excluded_peers_hold_nothing_up),
		T(test_a_route_that_moves),
		T(test_routes_that_freeze),
		T(test_a_route_that_is_lost),
		T(test_edges_that_come_and_go),
		T(test_several_peers_on_one_link),
		T(test_network_wide_modes),
		T(test_roles_of_a_loopback_peer),
		T(test_an_unclear_peer_keeps_edges_from_beginning),
		T(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
