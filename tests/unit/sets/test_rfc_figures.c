/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What RFC 3704 sections 2 to 4 and RFC 8704 sections 2 and 3 print about
 * their examples, line by line.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sets/net.h"

#define P1	  "20.1.0.0/16"
#define P2	  "20.2.0.0/16"
#define P3	  "20.3.0.0/16"
#define IN_P1	  "20.1.2.3"
#define IN_P2	  "20.2.2.3"
#define IN_P3	  "20.3.2.3"
#define ELSEWHERE "20.99.2.3" /* routed, but of somebody else */

/* Does the interface of router r in this mode accept the address? */
static bool passes(struct net *net, const char *interface, enum edge_mode mode,
		   const char *addr)
{
	net_edge_mode(net, "r", interface, mode);
	return net_accepts(net, "r", interface, addr);
}

#define FAILS(net, interface, mode, addr) assert_false(passes(net, interface, mode, addr))
#define WORKS(net, interface, mode, addr) assert_true(passes(net, interface, mode, addr))
/* "works (but not desirable)": also for everybody else's addresses */
#define BLIND(net, interface, mode, addr)                                                \
	do {                                                                             \
		WORKS(net, interface, mode, addr);                                       \
		WORKS(net, interface, mode, ELSEWHERE);                                  \
	} while (0)
/* "works best": and not for others */
#define BEST(net, interface, mode, addr)                                                 \
	do {                                                                             \
		WORKS(net, interface, mode, addr);                                       \
		FAILS(net, interface, mode, ELSEWHERE);                                  \
	} while (0)

/* A transit provider whose table has everything. */
static void transit(struct net *net)
{
	net_edge(net, "r", "up", ROLE_PROVIDER, MODE_DEFAULT);
	net_route(net_peer(net, "r", "up", "10.9.0.1"), "20.99.0.0/16", "3356 99");
}

/* ---- RFC 3704 ---- */

/* 2.1: "checks the source address ... against a list of acceptable prefixes";
 * "forgetting to have the list updated ... might lead to discarding" */
static void test_3704_2_1_access_list(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_ACL);
	net_record(&net, "acme", P1, "r", "cust");
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P2, "1");
	BEST(&net, "cust", MODE_ACL, IN_P1);
	FAILS(&net, "cust", MODE_ACL, IN_P2);
	net_fini(&net);
}

/* 2.2: "received on the interface which would be used to forward the traffic
 * to the source" */
static void test_3704_2_2_strict(void **state)
{
	struct rib_peer *cust, *other;
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_STRICT);
	net_edge(&net, "r", "other", ROLE_CUSTOMER, MODE_STRICT);
	cust = net_peer(&net, "r", "cust", "10.0.0.1");
	other = net_peer(&net, "r", "other", "10.0.0.2");
	net_route(cust, P1, "1");
	net_route(cust, P2, "1 1 1");
	net_route(other, P2, "2 1");
	BEST(&net, "cust", MODE_STRICT, IN_P1);
	FAILS(&net, "cust", MODE_STRICT, IN_P2);
	WORKS(&net, "other", MODE_STRICT, IN_P2);
	/* "prefer the directly received routes": both, whichever is best */
	WORKS(&net, "cust", MODE_STRICT_DIRECT, IN_P2);
	WORKS(&net, "other", MODE_STRICT_DIRECT, IN_P2);
	net_fini(&net);
}

/* "some legitimate traffic is filtered for lack of a route" */
static void test_3704_2_2_no_route(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_STRICT);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P1, "1");
	FAILS(&net, "cust", MODE_STRICT, IN_P2);
	FAILS(&net, "cust", MODE_STRICT_DIRECT, IN_P2);
	net_fini(&net);
}

/* The primary link is at another router; this one has the secondary. "The route
 * will always be the best one ... even in the scenarios where only the primary
 * connectivity would be used". */
static void test_3704_2_2_weight_at_the_secondary_router(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_STRICT);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P1, "1 1 1");
	net_route(net_ibgp_peer(&net, "r", "10.255.0.2"), P1, "1");
	FAILS(&net, "cust", MODE_STRICT, IN_P1);
	WORKS(&net, "cust", MODE_STRICT_DIRECT, IN_P1);
	net_fini(&net);
}

/* 2.3: "the alternative paths (if any) have been added as well"; "if an
 * advertisement is filtered, the packets will be filtered as well" */
static void test_3704_2_3_feasible(void **state)
{
	struct rib_peer *cust;
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_FEASIBLE);
	net_edge(&net, "r", "other", ROLE_CUSTOMER, MODE_FEASIBLE);
	cust = net_peer(&net, "r", "cust", "10.0.0.1");
	net_route(cust, P1, "1 1 1 1");
	net_route(net_peer(&net, "r", "other", "10.0.0.2"), P1, "2 1");
	net_route(net_ibgp_peer(&net, "r", "10.255.0.2"), P2, "1");
	BEST(&net, "cust", MODE_FEASIBLE, IN_P1);
	BEST(&net, "other", MODE_FEASIBLE, IN_P1);
	FAILS(&net, "cust", MODE_FEASIBLE, IN_P2);
	net_fini(&net);
}

/* 2.3: "including all or N (where N is less than all) feasible BGP paths" */
static void test_3704_2_3_n_paths(void **state)
{
	struct config_edge *cust;
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_FEASIBLE);
	net_edge(&net, "r", "second", ROLE_CUSTOMER, MODE_FEASIBLE);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P1, "1 1 1");
	net_route(net_peer(&net, "r", "second", "10.0.0.2"), P1, "2 1");
	net_route(net.peers[0].rib, P1, "3356 3257 5 5 1");
	cust = &net.cfg.edges[0];
	assert_string_equal(cust->interface, "cust");
	cust->feasible_paths = 1;
	FAILS(&net, "cust", MODE_FEASIBLE, IN_P1);
	BEST(&net, "second", MODE_FEASIBLE, IN_P1);
	net.cfg.edges[0].feasible_paths = 2;
	BEST(&net, "cust", MODE_FEASIBLE, IN_P1);
	net_fini(&net);
}

/* 2.4: "checks only for the existence of a route (even a default route)", "a
 * packet is dropped if there is no route at all"; "presence of a default route
 * nullifies the effect". 2.5: "default routes are excluded". */
static void test_3704_2_4_and_2_5_loose(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	BLIND(&net, "up", MODE_LOOSE, ELSEWHERE);
	FAILS(&net, "up", MODE_LOOSE, IN_P1);
	FAILS(&net, "up", MODE_LOOSE, "10.1.2.3");
	net_route(net.peers[0].rib, "0.0.0.0/0", "3356");
	WORKS(&net, "up", MODE_LOOSE, IN_P1);
	/* but no default route makes a Martian a source */
	FAILS(&net, "up", MODE_LOOSE, "10.1.2.3");
	FAILS(&net, "up", MODE_LOOSE_NO_DEFAULT, IN_P1);
	WORKS(&net, "up", MODE_LOOSE_NO_DEFAULT, ELSEWHERE);
	net_fini(&net);
}

/* 3.1: "the same arrangements also apply to the ISP's upstream": a list that the ISP
 * keeps by hand is unknown there, a route is not. */
static void test_3704_3_1_multiple_levels(void **state)
{
	struct rib_peer *isp;
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_ACL);	  /* at the ISP */
	net_edge(&net, "r", "isp", ROLE_CUSTOMER, MODE_FEASIBLE); /* at its upstream */
	net_record(&net, "arranged", P1, "r", "cust");
	isp = net_peer(&net, "r", "isp", "10.0.0.1");
	net_route(isp, P2, "1");
	BEST(&net, "cust", MODE_ACL, IN_P1);
	FAILS(&net, "isp", MODE_FEASIBLE, IN_P1);
	FAILS(&net, "isp", MODE_STRICT, IN_P1);
	net_route(isp, P1, "1");
	BEST(&net, "isp", MODE_FEASIBLE, IN_P1);
	BEST(&net, "isp", MODE_STRICT, IN_P1);
	net_fini(&net);
}

/* 3.2: "blocking the use of your own addresses as source addresses" */
static void test_3704_3_2_own_infrastructure(void **state)
{
	struct rib_peer *up;
	struct net net;

	net_init(&net);
	transit(&net);
	net_own(&net, P3);
	up = net.peers[0].rib;
	net_route(up, P3, "3356 7");
	net_route(up, "20.0.0.0/8", "3356 7");
	FAILS(&net, "up", MODE_LOOSE, IN_P3);
	FAILS(&net, "up", MODE_FEASIBLE, IN_P3);
	FAILS(&net, "up", MODE_STRICT, IN_P3);
	WORKS(&net, "up", MODE_LOOSE, IN_P1);
	net_fini(&net);
}

/* 3.3: "Strict RPF ... works just fine as long as the routing between the peers
 * is kept reasonably symmetric" */
static void test_3704_3_3_peering_link(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "peer", ROLE_PEER, MODE_STRICT);
	net_route(net_peer(&net, "r", "peer", "10.2.0.1"), P1, "5 1");
	net_route(net.peers[0].rib, P1, "3356 3257 5 1");
	BEST(&net, "peer", MODE_STRICT, IN_P1);
	/* "which should have come over a peering link" */
	FAILS(&net, "up", MODE_STRICT, IN_P1);
	net_fini(&net);
}

/* 4.1: "the use of Loose RPF cannot be recommended, except as a way to measure whether
 * martian or other unrouted addresses are being used" */
static void test_3704_4_1_loose_measures(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_LOOSE);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P1, "1");
	BLIND(&net, "cust", MODE_LOOSE, IN_P1);
	FAILS(&net, "cust", MODE_LOOSE, IN_P2);
	FAILS(&net, "cust", MODE_LOOSE, "10.1.2.3");
	FAILS(&net, "cust", MODE_LOOSE, "192.0.2.1");
	net_fini(&net);
}

/* 4.2: "provider-independent prefixes and exchange routes with its ISPs"; "the
 * customer information is generated from databases such as Radius" */
static void test_3704_4_2_complete_filters(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_FEASIBLE);
	net_edge(&net, "r", "line", ROLE_HOST, MODE_DEFAULT);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P1, "1 1 1 1");
	net_route(net.peers[0].rib, P1, "3356 1");
	net_record(&net, "user", P2, "r", "line");
	BEST(&net, "cust", MODE_FEASIBLE, IN_P1);
	BEST(&net, "line", MODE_DEFAULT, IN_P2);
	net_fini(&net);
}

/* 4.3: "traffic originating from any other prefix can be summarily discarded" */
static void test_3704_4_3_provider_prefix_to_that_provider(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "isp1", ROLE_INTERNAL, MODE_EGRESS);
	net_edge(&net, "r", "isp2", ROLE_INTERNAL, MODE_EGRESS);
	net_record(&net, "one", P1, "r", "isp1");
	net_record(&net, "two", P2, "r", "isp2");
	BEST(&net, "isp1", MODE_EGRESS, IN_P1);
	FAILS(&net, "isp1", MODE_EGRESS, IN_P2);
	BEST(&net, "isp2", MODE_EGRESS, IN_P2);
	FAILS(&net, "isp2", MODE_EGRESS, IN_P1);
	FAILS(&net, "isp1", MODE_EGRESS, "192.168.1.1");
	net_fini(&net);
}

/* ---- RFC 8704 ---- */

/* 2.1: ingress ACLs "drop ingress packets when the source address is spoofed (e.g.,
 * belongs to obviously disallowed prefix blocks, IANA special-purpose prefixes,
 * provider's own prefixes, etc.)"; egress ACLs permit what "is associated with the
 * interface on which the customer network is connected". */
static void test_8704_2_1_acl(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_own(&net, P3);
	net_edge(&net, "r", "line", ROLE_HOST, MODE_DEFAULT);
	net_record(&net, "user", "20.1.0.0/16 20.3.7.0/24 10.0.0.0/8", "r", "line");
	BEST(&net, "line", MODE_DEFAULT, IN_P1);
	FAILS(&net, "line", MODE_DEFAULT, IN_P2);
	FAILS(&net, "line", MODE_DEFAULT, IN_P3);
	WORKS(&net, "line", MODE_DEFAULT, "20.3.7.1"); /* the provider's, given to it */
	FAILS(&net, "line", MODE_DEFAULT, "10.1.2.3");
	FAILS(&net, "up", MODE_DEFAULT, IN_P3);
	FAILS(&net, "up", MODE_DEFAULT, "127.0.0.1");
	FAILS(&net, "up", MODE_DEFAULT, "2001:db8::1");
	net_fini(&net);
}

/* Figure 1: AS2's view. "Enhanced feasible-path uRPF works best" for a packet
 * from AS3, a lateral peer, takes the extension to peers of sec. 3.1; here AS3
 * is a customer as AS1 is, which is what the algorithms are defined for. */
static void figure_1(struct net *net)
{
	net_init(net);
	transit(net);
	net_edge(net, "r", "as1", ROLE_CUSTOMER, MODE_DEFAULT);
	net_edge(net, "r", "as3", ROLE_CUSTOMER, MODE_DEFAULT);
	net_route(net_peer(net, "r", "as1", "10.0.0.1"), P1, "1");
	net_route(net_peer(net, "r", "as3", "10.0.0.3"), P2, "3 1");
}

static void test_8704_figure_1(void **state)
{
	static const struct {
		const char *interface, *addr;
	} packets[] = { { "as1", IN_P2 }, { "as3", IN_P1 } };
	struct net net;

	figure_1(&net);
	for (size_t i = 0; i < 2; i++) {
		FAILS(&net, packets[i].interface, MODE_STRICT, packets[i].addr);
		FAILS(&net, packets[i].interface, MODE_FEASIBLE, packets[i].addr);
		BLIND(&net, packets[i].interface, MODE_LOOSE, packets[i].addr);
		BEST(&net, packets[i].interface, MODE_EFP_A, packets[i].addr);
		BEST(&net, packets[i].interface, MODE_EFP_B, packets[i].addr);
	}
	net_fini(&net);
}

/* With AS3 as the lateral peer of the drawing: AS1's own link is served by
 * either algorithm, and sec. 3.7 gives AS3 the loose mode. */
static void test_8704_figure_1_with_a_lateral_peer(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "as1", ROLE_CUSTOMER, MODE_DEFAULT);
	net_edge(&net, "r", "as3", ROLE_PEER, MODE_DEFAULT);
	net_route(net_peer(&net, "r", "as1", "10.0.0.1"), P1, "1");
	net_route(net_peer(&net, "r", "as3", "10.0.0.3"), P2, "3 1");
	BEST(&net, "as1", MODE_EFP_A, IN_P2);
	BEST(&net, "as1", MODE_EFP_B, IN_P2);
	BLIND(&net, "as3", MODE_DEFAULT, IN_P1);
	net_fini(&net);
}

/* Figure 2: packets at AS2 via AS3 with a source in P1. */
static void figure_2(struct net *net, bool as3_prefers_the_customer)
{
	struct rib_peer *as1, *as3;

	net_init(net);
	transit(net);
	net_edge(net, "r", "as1", ROLE_CUSTOMER, MODE_DEFAULT);
	net_edge(net, "r", "as3", ROLE_CUSTOMER, MODE_DEFAULT);
	as1 = net_peer(net, "r", "as1", "10.0.0.1");
	as3 = net_peer(net, "r", "as3", "10.0.0.3");
	net_route(as1, P1, "1");
	net_route(as1, P2, "1 1 1");
	net_route(as3, P2, "3 1");
	if (as3_prefers_the_customer)
		net_route(as3, P1, "3 1 1 1");
}

static void test_8704_figure_2(void **state)
{
	struct net net;

	figure_2(&net, true);
	WORKS(&net, "as3", MODE_FEASIBLE, IN_P1);
	net_fini(&net);
	figure_2(&net, false);
	FAILS(&net, "as3", MODE_FEASIBLE, IN_P1);
	BLIND(&net, "as3", MODE_LOOSE, IN_P1);
	BEST(&net, "as3", MODE_EFP_A, IN_P1);
	BEST(&net, "as3", MODE_EFP_B, IN_P1);
	net_fini(&net);
}

/* Sec. 2.3 (b): "announcement of an aggregate less-specific prefix to all
 * transit providers while announcing more-specific prefixes" to some. */
static void test_8704_2_3_aggregate(void **state)
{
	struct rib_peer *a, *b;
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "a", ROLE_CUSTOMER, MODE_DEFAULT);
	net_edge(&net, "r", "b", ROLE_CUSTOMER, MODE_DEFAULT);
	a = net_peer(&net, "r", "a", "10.0.0.1");
	b = net_peer(&net, "r", "b", "10.0.0.2");
	net_route(a, "20.0.0.0/14", "1");
	net_route(b, "20.0.0.0/14", "2 1");
	net_route(a, P1, "1");
	net_route(b, P2, "2 1");
	BEST(&net, "a", MODE_FEASIBLE, IN_P2);
	BEST(&net, "b", MODE_FEASIBLE, IN_P1);
	FAILS(&net, "a", MODE_STRICT, IN_P2);
	FAILS(&net, "b", MODE_STRICT, IN_P1);
	net_fini(&net);
}

/* Sec. 2.4: "It only drops packets if the source address is unreachable in the current
 * FIB (e.g., IANA special-purpose prefixes, unallocated, allocated but currently not
 * routed)." */
static void test_8704_2_4_loose(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_LOOSE);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P1, "1");
	WORKS(&net, "up", MODE_LOOSE, IN_P1);
	WORKS(&net, "cust", MODE_LOOSE, ELSEWHERE);
	FAILS(&net, "up", MODE_LOOSE, IN_P2);
	FAILS(&net, "up", MODE_LOOSE, "240.1.2.3");
	FAILS(&net, "up", MODE_LOOSE, "fe80::1");
	net_fini(&net);
}

/* Sec. 2.5: "A VRF table can be dedicated per eBGP peer and used for uRPF for only that
 * peer, resulting in strict mode operation": mode feasible with one peer on the
 * interface. "For implementing loose uRPF ... the corresponding VRF table would be
 * global." */
static void test_8704_2_5_vrf_table(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_FEASIBLE);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P1, "1 1 1");
	net_route(net.peers[0].rib, P1, "3356 1"); /* that is in the FIB */
	net_route(net.peers[0].rib, P2, "3356 1");
	BEST(&net, "cust", MODE_FEASIBLE, IN_P1);
	FAILS(&net, "cust", MODE_FEASIBLE, IN_P2);
	BLIND(&net, "cust", MODE_LOOSE, IN_P2);
	net_fini(&net);
}

/* Sec. 3.1: "Q1 over a customer-facing interface while it learned the routes for
 * prefixes Q2 and Q3 from a lateral peer and an upstream transit provider" */
static void test_8704_3_1_example(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_EFP_A);
	net_edge(&net, "r", "peer", ROLE_PEER, MODE_DEFAULT);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), P1, "7");
	net_route(net_peer(&net, "r", "peer", "10.0.0.2"), P2, "8 7");
	net_route(net.peers[0].rib, P3, "3356 7");
	assert_net_set(&net, "r", "cust", "20.1.0.0/16 20.2.0.0/15");
	net_edge_mode(&net, "r", "cust", MODE_EFP_B);
	assert_net_set(&net, "r", "cust", "20.1.0.0/16 20.2.0.0/15");
	net_fini(&net);
}

/* Figure 3: at AS4, from AS2 and AS3. */
static void test_8704_figure_3(void **state)
{
	static const char *const customers[] = { "as2", "as3" };
	static const char *const sources[] = { IN_P1, IN_P2, IN_P3 };
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "as2", ROLE_CUSTOMER, MODE_DEFAULT);
	net_edge(&net, "r", "as3", ROLE_CUSTOMER, MODE_DEFAULT);
	net_edge(&net, "r", "as5", ROLE_PEER, MODE_DEFAULT);
	net_route(net_peer(&net, "r", "as2", "10.0.0.2"), P1, "2 1");
	net_route(net_peer(&net, "r", "as3", "10.0.0.3"), P2, "3 1");
	net_route(net_peer(&net, "r", "as5", "10.0.0.5"), P3, "5 1");
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 3; k++) {
			bool announced_here = i == k;

			assert_int_equal(
				passes(&net, customers[i], MODE_FEASIBLE, sources[k]),
				announced_here);
			BLIND(&net, customers[i], MODE_LOOSE, sources[k]);
			BEST(&net, customers[i], MODE_EFP_A, sources[k]);
			BEST(&net, customers[i], MODE_EFP_B, sources[k]);
		}
	}
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(passes(&net, "as5", MODE_FEASIBLE, sources[k]), k == 2);
		BLIND(&net, "as5", MODE_LOOSE, sources[k]);
	}
	net_fini(&net);
}

/* Figure 4: "since routes for neither P1 nor P2 are propagated on the AS2-AS4
 * interface (due to the presence of NO_EXPORT Community)" */
static void test_8704_figure_4(void **state)
{
	static const char *const sources[] = { IN_P1, IN_P2 };
	struct rib_peer *as2, *as3;
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "as2", ROLE_CUSTOMER, MODE_DEFAULT);
	net_edge(&net, "r", "as3", ROLE_CUSTOMER, MODE_DEFAULT);
	as2 = net_peer(&net, "r", "as2", "10.0.0.2");
	as3 = net_peer(&net, "r", "as3", "10.0.0.3");
	net_route(as2, "20.42.0.0/16", "2"); /* what AS2 has of its own */
	net_route(as3, P1, "3 1");
	net_route(as3, P2, "3 1");
	for (size_t k = 0; k < 2; k++) {
		FAILS(&net, "as2", MODE_FEASIBLE, sources[k]);
		BLIND(&net, "as2", MODE_LOOSE, sources[k]);
		FAILS(&net, "as2", MODE_EFP_A, sources[k]);
		BEST(&net, "as2", MODE_EFP_B, sources[k]);
	}
	/* sec. 3.2: one route per origin to each provider is enough for A */
	net_route(as2, P1, "2 1");
	BEST(&net, "as2", MODE_EFP_A, IN_P2);
	net_fini(&net);
}

/* Algorithms A (sec. 3.1.1) and B (sec. 3.4) step by step, with two origins: 1 is heard
 * from both customers, 7 from one of them, 99 from no customer. */
static void algorithms(struct net *net, enum edge_mode mode)
{
	struct rib_peer *a, *b, *up, *peer;

	net_init(net);
	transit(net);
	up = net->peers[0].rib;
	net_edge(net, "r", "a", ROLE_CUSTOMER, mode);
	net_edge(net, "r", "b", ROLE_CUSTOMER, mode);
	net_edge(net, "r", "c", ROLE_CUSTOMER, mode); /* nothing is heard from it */
	net_edge(net, "r", "peer", ROLE_PEER, MODE_DEFAULT);
	a = net_peer(net, "r", "a", "10.0.0.1");
	b = net_peer(net, "r", "b", "10.0.0.2");
	peer = net_peer(net, "r", "peer", "10.0.0.5");
	net_route(a, P1, "2 1");
	net_route(b, P2, "3 1");
	net_route(peer, P3, "5 1");
	net_route(a, "21.1.0.0/16", "2 7");
	net_route(up, "21.3.0.0/16", "3356 7");
}

static void test_8704_3_1_1_algorithm_a(void **state)
{
	struct net net;

	algorithms(&net, MODE_EFP_A);
	/* X1 is on both, since "one or more of the prefixes in Set X1 were received" */
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.2.0.0/15 21.1.0.0/16 21.3.0.0/16");
	/* X7 is not on the other */
	assert_net_set(&net, "r", "b", "20.1.0.0/16 20.2.0.0/15");
	assert_net_set(&net, "r", "c", "");
	net_fini(&net);
}

static void test_8704_3_4_algorithm_b(void **state)
{
	static const char *const customers[] = { "a", "b", "c" };
	struct net net;

	algorithms(&net, MODE_EFP_B);
	/* Z "is the RPF list that is applied for every customer interface" */
	for (size_t i = 0; i < 3; i++)
		assert_net_set(&net, "r", customers[i],
			       "20.1.0.0/16 20.2.0.0/15 21.1.0.0/16 21.3.0.0/16");
	net_fini(&net);
}

/* Sec. 3.2: who "should announce at least one of the prefixes it originates to each of
 * its transit provider ASes", and a non-stub "at least one route per origin AS". */
static void test_8704_3_2_recommendations(void **state)
{
	struct rib_peer *a, *b;
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "a", ROLE_CUSTOMER, MODE_EFP_A);
	net_edge(&net, "r", "b", ROLE_CUSTOMER, MODE_EFP_A);
	a = net_peer(&net, "r", "a", "10.0.0.1");
	b = net_peer(&net, "r", "b", "10.0.0.2");
	/* a stub, 1, and behind the non-stub 2 the customer 7, by both links */
	net_route(a, P1, "1");
	net_route(a, "21.1.0.0/16", "2 7");
	net_route(a, "22.1.0.0/16", "2");
	FAILS(&net, "b", MODE_EFP_A, IN_P1);
	FAILS(&net, "b", MODE_EFP_A, "21.1.2.3");
	net_route(b, P2, "1");
	net_route(b, "22.2.0.0/16", "2");
	BEST(&net, "b", MODE_EFP_A, IN_P1);
	BEST(&net, "b", MODE_EFP_A, "22.1.2.3");
	FAILS(&net, "b", MODE_EFP_A, "21.1.2.3");
	net_route(b, "21.2.0.0/16", "2 7");
	BEST(&net, "b", MODE_EFP_A, "21.1.2.3");
	net_fini(&net);
}

/* Sec. 3.7: what is recommended is the default of each role. */
static void test_8704_3_7_defaults(void **state)
{
	static const struct {
		enum edge_role role;
		enum edge_mode mode;
	} cases[] = {
		{ ROLE_HOST, MODE_ACL },       { ROLE_STUB, MODE_STRICT },
		{ ROLE_CUSTOMER, MODE_EFP_B }, { ROLE_PEER, MODE_LOOSE },
		{ ROLE_PROVIDER, MODE_LOOSE }, { ROLE_INTERNAL, MODE_OFF },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_edge e;

		config_edge_init(&e, "r", "eth0");
		e.role = cases[i].role;
		assert_int_equal(config_edge_mode(&e), cases[i].mode);
	}
}

/* Sec. 3.7.1: algorithm A "is trivially equivalent to strict uRPF if an ISP
 * deploys it for a single-homed stub customer" */
static void test_8704_3_7_1_stub(void **state)
{
	struct net net;

	net_init(&net);
	transit(&net);
	net_edge(&net, "r", "stub", ROLE_STUB, MODE_DEFAULT);
	net_route(net_peer(&net, "r", "stub", "10.0.0.1"), P1, "1");
	net_route(net.peers[1].rib, P2, "1");
	assert_net_set(&net, "r", "stub", "20.1.0.0/16 20.2.0.0/16");
	net_edge_mode(&net, "r", "stub", MODE_EFP_A);
	assert_net_set(&net, "r", "stub", "20.1.0.0/16 20.2.0.0/16");
	net_fini(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_3704_2_1_access_list),
		cmocka_unit_test(test_3704_2_2_strict),
		cmocka_unit_test(test_3704_2_2_no_route),
		cmocka_unit_test(test_3704_2_2_weight_at_the_secondary_router),
		cmocka_unit_test(test_3704_2_3_feasible),
		cmocka_unit_test(test_3704_2_3_n_paths),
		cmocka_unit_test(test_3704_2_4_and_2_5_loose),
		cmocka_unit_test(test_3704_3_1_multiple_levels),
		cmocka_unit_test(test_3704_3_2_own_infrastructure),
		cmocka_unit_test(test_3704_3_3_peering_link),
		cmocka_unit_test(test_3704_4_1_loose_measures),
		cmocka_unit_test(test_3704_4_2_complete_filters),
		cmocka_unit_test(test_3704_4_3_provider_prefix_to_that_provider),
		cmocka_unit_test(test_8704_2_1_acl),
		cmocka_unit_test(test_8704_figure_1),
		cmocka_unit_test(test_8704_figure_1_with_a_lateral_peer),
		cmocka_unit_test(test_8704_figure_2),
		cmocka_unit_test(test_8704_2_3_aggregate),
		cmocka_unit_test(test_8704_2_4_loose),
		cmocka_unit_test(test_8704_2_5_vrf_table),
		cmocka_unit_test(test_8704_3_1_example),
		cmocka_unit_test(test_8704_figure_3),
		cmocka_unit_test(test_8704_figure_4),
		cmocka_unit_test(test_8704_3_1_1_algorithm_a),
		cmocka_unit_test(test_8704_3_4_algorithm_b),
		cmocka_unit_test(test_8704_3_2_recommendations),
		cmocka_unit_test(test_8704_3_7_defaults),
		cmocka_unit_test(test_8704_3_7_1_stub),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
