/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * strict, strict-direct and loose from forwarding tables.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sets/net.h"

/* Edges are sorted: r1 eth1, r1 eth2, r1 up, r2 eth1. Their indexes: */
static const uint32_t indexes[] = { 11, 12, 13, 11 };

struct lab {
	struct net net;
	struct fib *fib[2];
	const struct fib *fibs[2];
};

static int setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	net_init(&lab->net);
	net_edge(&lab->net, "r1", "eth1", ROLE_CUSTOMER, MODE_STRICT);
	net_edge(&lab->net, "r1", "eth2", ROLE_CUSTOMER, MODE_STRICT);
	net_edge(&lab->net, "r1", "up", ROLE_PROVIDER, MODE_STRICT);
	net_edge(&lab->net, "r2", "eth1", ROLE_CUSTOMER, MODE_STRICT);
	for (unsigned int i = 0; i < 2; i++)
		lab->fibs[i] = lab->fib[i] = fib_new(i);
	lab->net.fibs = lab->fibs;
	lab->net.index = indexes;
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	fib_free(lab->fib[0]);
	fib_free(lab->fib[1]);
	net_fini(&lab->net);
	free(lab);
	return 0;
}

/* by: interface indexes, ending with 0; none at all: a blackhole. */
static void route(struct lab *lab, unsigned int router, const char *prefix,
		  const uint32_t *by)
{
	struct ip_prefix p = net_prefix(prefix);
	size_t n = 0;

	while (by[n] != 0)
		n++;
	fib_set(lab->fib[router], &p, n ? AGENT_ROUTE_UNICAST : AGENT_ROUTE_REJECT, by, n);
}

#define BY(...) ((const uint32_t[]){ __VA_ARGS__, 0 })
#define REJECT	((const uint32_t[]){ 0 })

static void strict_follows_the_table(void **state)
{
	struct lab *lab = *state;

	route(lab, 0, "20.0.0.0/16", BY(11));
	route(lab, 0, "2a00:1::/32", BY(11));
	route(lab, 0, "30.0.0.0/16", BY(99)); /* no edge */
	route(lab, 1, "40.0.0.0/16", BY(11)); /* the same number on another router */
	assert_net_set(&lab->net, "r1", "eth1", "20.0.0.0/16 2a00:1::/32");
	assert_net_set(&lab->net, "r1", "eth2", "");
	assert_net_set(&lab->net, "r2", "eth1", "40.0.0.0/16");
}

static void all_members_accept(void **state)
{
	struct lab *lab = *state;

	route(lab, 0, "20.0.0.0/16", BY(11, 12));
	assert_net_set(&lab->net, "r1", "eth1", "20.0.0.0/16");
	assert_net_set(&lab->net, "r1", "eth2", "20.0.0.0/16");
}

static void more_specific_cuts_a_hole(void **state)
{
	struct lab *lab = *state;

	route(lab, 0, "20.0.0.0/16", BY(11));
	route(lab, 0, "20.0.128.0/17", BY(12));
	route(lab, 0, "20.0.192.0/18", BY(11));
	assert_net_set(&lab->net, "r1", "eth1", "20.0.0.0/17 20.0.192.0/18");
	assert_net_set(&lab->net, "r1", "eth2", "20.0.128.0/18");
}

static void blackhole_cuts_a_hole(void **state)
{
	struct lab *lab = *state;

	route(lab, 0, "20.0.0.0/31", BY(11));
	route(lab, 0, "20.0.0.1/32", REJECT);
	assert_net_set(&lab->net, "r1", "eth1", "20.0.0.0/32");
}

/* RFC 3704 sec. 2.2: the default route would make strict accept the rest. */
static void short_routes_open_nothing(void **state)
{
	struct lab *lab = *state;

	route(lab, 0, "0.0.0.0/0", BY(13));
	route(lab, 0, "::/0", BY(13));
	route(lab, 0, "20.0.0.0/7", BY(13));
	route(lab, 0, "2000::/15", BY(13));
	route(lab, 0, "20.0.0.0/8", BY(13));
	assert_net_set(&lab->net, "r1", "up", "20.0.0.0/8");
}

static void no_table_is_no_route(void **state)
{
	struct lab *lab = *state;
	struct rib_peer *p = net_peer(&lab->net, "r1", "eth1", "192.0.2.1");

	net_route(p, "20.0.0.0/16", "64501");
	lab->fibs[0] = NULL;
	assert_net_set(&lab->net, "r1", "eth1", "");
	lab->net.fibs = NULL; /* offline: by best path */
	assert_net_set(&lab->net, "r1", "eth1", "20.0.0.0/16");
}

/* A customer on two edges: the table says one of them, its paths say both. */
static void strict_direct_accepts_on_all_direct_edges(void **state)
{
	struct lab *lab = *state;
	struct rib_peer *p1 = net_peer(&lab->net, "r1", "eth1", "192.0.2.1");
	struct rib_peer *p2 = net_peer(&lab->net, "r1", "eth2", "192.0.2.5");

	net_edge_mode(&lab->net, "r1", "eth2", MODE_STRICT_DIRECT);
	net_route(p1, "20.0.0.0/16", "64501");
	net_route(p2, "20.0.0.0/16", "64501 64501 64501");
	net_route(p2, "20.1.0.0/16", "64501");
	route(lab, 0, "20.0.0.0/16", BY(11));
	route(lab, 0, "20.2.0.0/16", BY(12));
	route(lab, 0, "20.0.7.0/24", BY(11));
	assert_net_set(&lab->net, "r1", "eth1", "20.0.0.0/16");
	assert_net_set(&lab->net, "r1", "eth2",
		       "20.0.0.0/22 20.0.4.0/23 20.0.6.0/24 20.0.8.0/21 20.0.16.0/20 "
		       "20.0.32.0/19 20.0.64.0/18 20.0.128.0/17 20.2.0.0/16");
}

static void strict_direct_does_not_open_a_blackhole(void **state)
{
	struct lab *lab = *state;
	struct rib_peer *p2 = net_peer(&lab->net, "r1", "eth2", "192.0.2.5");

	net_edge_mode(&lab->net, "r1", "eth2", MODE_STRICT_DIRECT);
	net_route(p2, "20.0.0.0/16", "64501");
	route(lab, 0, "20.0.0.0/16", REJECT);
	assert_net_set(&lab->net, "r1", "eth2", "");
}

static void loose_takes_tables_in(void **state)
{
	struct lab *lab = *state;

	net_edge_mode(&lab->net, "r1", "up", MODE_LOOSE_NO_DEFAULT);
	route(lab, 0, "0.0.0.0/0", BY(13));
	route(lab, 0, "20.0.0.0/16", BY(99));
	route(lab, 1, "20.1.0.0/16", BY(99));
	route(lab, 1, "20.0.9.0/24", REJECT); /* of the other router: no matter */
	assert_net_set(&lab->net, "r1", "up", "20.0.0.0/15");
}

static void loose_rejects_blackholes(void **state)
{
	struct lab *lab = *state;
	struct rib_peer *p = net_peer(&lab->net, "r1", "up", "192.0.2.9");

	net_edge_mode(&lab->net, "r1", "up", MODE_LOOSE_NO_DEFAULT);
	net_route(p, "20.0.0.0/30", "64501");
	route(lab, 0, "::/0", REJECT); /* common, and says nothing of a prefix */
	route(lab, 0, "20.0.0.0/31", REJECT);
	route(lab, 0, "20.0.0.1/32", BY(99));
	assert_net_set(&lab->net, "r1", "up", "20.0.0.1/32 20.0.0.2/31");
}

static void loose_by_default_route_is_open(void **state)
{
	struct lab *lab = *state;

	net_edge_mode(&lab->net, "r1", "up", MODE_LOOSE);
	route(lab, 0, "0.0.0.0/0", BY(13));
	route(lab, 0, "20.0.0.0/16", REJECT);
	assert_true(net_accepts(&lab->net, "r1", "up", "30.0.0.1"));
	assert_false(net_accepts(&lab->net, "r1", "up", "20.0.0.1"));
	assert_false(net_accepts(&lab->net, "r1", "up", "10.0.0.1")); /* special */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(strict_follows_the_table),
		TEST(all_members_accept),
		TEST(more_specific_cuts_a_hole),
		TEST(blackhole_cuts_a_hole),
		TEST(short_routes_open_nothing),
		TEST(no_table_is_no_route),
		TEST(strict_direct_accepts_on_all_direct_edges),
		TEST(strict_direct_does_not_open_a_blackhole),
		TEST(loose_takes_tables_in),
		TEST(loose_rejects_blackholes),
		TEST(loose_by_default_route_is_open),
	};

	return cmocka_run_group_tests_name("sets_fib", tests, NULL, NULL);
}
