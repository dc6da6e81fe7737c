/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sets/net.h"

static const enum edge_mode all_modes[] = {
	MODE_ACL,   MODE_STRICT, MODE_STRICT_DIRECT,	MODE_FEASIBLE, MODE_EFP_A,
	MODE_EFP_B, MODE_LOOSE,	 MODE_LOOSE_NO_DEFAULT, MODE_EGRESS,
};
#define MODES (sizeof(all_modes) / sizeof(all_modes[0]))

/* The modes that read routes of any kind: all but acl and egress. */
static bool reads_routes(enum edge_mode mode)
{
	return mode != MODE_ACL && mode != MODE_EGRESS;
}

/* ---- the order of operations, for every mode ---- */

static void test_empty_network(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_CUSTOMER, MODE_DEFAULT);
	for (size_t i = 0; i < MODES; i++) {
		net_edge_mode(&net, "r", "e", all_modes[i]);
		assert_net_set(&net, "r", "e", "");
	}
	net_fini(&net);
}

static void test_record_in_every_mode(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_CUSTOMER, MODE_DEFAULT);
	net_edge(&net, "r", "f", ROLE_CUSTOMER, MODE_DEFAULT);
	net_record(&net, "acme", "20.1.0.0/16 2a00:1::/32", "r", "e");
	for (size_t i = 0; i < MODES; i++) {
		bool everywhere = all_modes[i] == MODE_LOOSE ||
				  all_modes[i] == MODE_LOOSE_NO_DEFAULT;

		net_edge_mode(&net, "r", "e", all_modes[i]);
		assert_net_set(&net, "r", "e", "20.1.0.0/16 2a00:1::/32");
		/* loose: "union of FIBs, Adj-RIBs-In and records" */
		net_edge_mode(&net, "r", "f", all_modes[i]);
		assert_net_set(&net, "r", "f",
			       everywhere ? "20.1.0.0/16 2a00:1::/32" : "");
	}
	net_fini(&net);
}

static void test_special_and_own_leave_every_mode(void **state)
{
	struct rib_peer *peer;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_CUSTOMER, MODE_DEFAULT);
	net_record(&net, "acme", "20.0.0.0/15 192.168.0.0/16 2a00:1::/32 fe80::/10", "r",
		   "e");
	peer = net_peer(&net, "r", "e", "10.0.0.1");
	net_route(peer, "20.0.0.0/14", "1");
	net_route(peer, "192.0.0.0/8", "1");
	net_route(peer, "2001::/16", "1");
	net_own(&net, "20.2.0.0/16");
	net_own(&net, "2a00:1::/32"); /* all of it is the customer's record */
	for (size_t i = 0; i < MODES; i++) {
		net_edge_mode(&net, "r", "e", all_modes[i]);
		assert_true(net_accepts(&net, "r", "e", "20.1.2.3"));
		assert_false(net_accepts(&net, "r", "e", "20.2.2.3"));
		assert_int_equal(net_accepts(&net, "r", "e", "20.3.2.3"),
				 reads_routes(all_modes[i]));
		assert_false(net_accepts(&net, "r", "e", "192.168.1.1"));
		assert_false(net_accepts(&net, "r", "e", "192.0.2.1"));
		assert_int_equal(net_accepts(&net, "r", "e", "192.0.0.9"),
				 reads_routes(all_modes[i]));
		assert_true(net_accepts(&net, "r", "e", "2a00:1::1"));
		assert_false(net_accepts(&net, "r", "e", "fe80::1"));
		assert_false(net_accepts(&net, "r", "e", "2001:db8::1"));
		assert_int_equal(net_accepts(&net, "r", "e", "2001:470::1"),
				 reads_routes(all_modes[i]));
	}
	net_fini(&net);
}

static void test_exceptions_come_last(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_CUSTOMER, MODE_DEFAULT);
	net_own(&net, "20.2.0.0/16");
	net_edge_exception(&net, "r", "e", "20.2.3.0/24");
	net_edge_exception(&net, "r", "e", "10.1.0.0/16");
	net_edge_exception(&net, "r", "e", "fe80::/64");
	for (size_t i = 0; i < MODES; i++) {
		net_edge_mode(&net, "r", "e", all_modes[i]);
		assert_net_set(&net, "r", "e", "10.1.0.0/16 20.2.3.0/24 fe80::/64");
	}
	net_fini(&net);
}

static void test_permit(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_CUSTOMER, MODE_ACL);
	net_record(&net, "acme", "100.64.1.0/24 192.168.0.0/16", "r", "e");
	assert_net_set(&net, "r", "e", "");
	net_permit(&net, "100.64.0.0/10");
	assert_net_set(&net, "r", "e", "100.64.1.0/24");
	/* it opens nothing by itself */
	net_edge(&net, "r", "f", ROLE_CUSTOMER, MODE_ACL);
	assert_net_set(&net, "r", "f", "");
	net_fini(&net);
}

static void test_internal_edges_may_send_anything_routed(void **state)
{
	struct rib_peer *peer;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_INTERNAL, MODE_FEASIBLE);
	net_record(&net, "us", "192.168.0.0/16", "r", "e");
	net_own(&net, "20.2.0.0/16");
	peer = net_peer(&net, "r", "e", "10.0.0.1");
	net_route(peer, "20.2.0.0/16", "");
	net_route(peer, "10.0.0.0/8", "");
	assert_net_set(&net, "r", "e", "10.0.0.0/8 20.2.0.0/16 192.168.0.0/16");
	net_fini(&net);
}

static void test_off_is_everything(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_CUSTOMER, MODE_OFF);
	net_edge(&net, "r", "f", ROLE_INTERNAL, MODE_DEFAULT);
	net_own(&net, "20.2.0.0/16");
	assert_net_set(&net, "r", "e", "0.0.0.0/0 ::/0");
	assert_net_set(&net, "r", "f", "0.0.0.0/0 ::/0");
	net_fini(&net);
}

/* ---- own space ---- */

static void test_own_space_less_the_records(void **state)
{
	struct addrset own = { 0 };
	struct net net;
	char *text;

	net_init(&net);
	net_own(&net, "20.2.0.0/16");
	net_own(&net, "2a00::/29");
	/* records of any customer, on an edge or not */
	net_record(&net, "acme", "20.2.128.0/17 30.0.0.0/8", NULL, NULL);
	sets_own_space(&net.cfg, &own);
	text = net_set_text(&own);
	assert_string_equal(text, "20.2.0.0/17 2a00::/29");
	free(text);
	addrset_fini(&own);
	net_fini(&net);
}

/* "a multihomed customer's provider-assigned block still gets in by the other
 * way; an announcement inside own space without a record opens nothing" */
static void test_provider_assigned_block_by_the_other_way(void **state)
{
	struct rib_peer *cust, *up;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_FEASIBLE);
	net_edge(&net, "r", "up", ROLE_PROVIDER, MODE_LOOSE);
	cust = net_peer(&net, "r", "cust", "10.0.0.1");
	up = net_peer(&net, "r", "up", "10.9.0.1");
	net_own(&net, "20.2.0.0/16");
	net_route(cust, "20.2.8.0/24", "1");
	net_route(up, "20.2.8.0/24", "3356 1");
	net_route(cust, "20.2.9.0/24", "1");
	assert_net_set(&net, "r", "cust", "");
	assert_net_set(&net, "r", "up", "");
	net_record(&net, "acme", "20.2.8.0/24", NULL, NULL);
	assert_net_set(&net, "r", "cust", "20.2.8.0/24");
	assert_net_set(&net, "r", "up", "20.2.8.0/24");
	net_fini(&net);
}

/* ---- prefixes that nobody should believe ---- */

static void test_default_and_short_prefixes(void **state)
{
	static const struct {
		const char *prefix;
		bool too_short;
	} cases[] = {
		{ "0.0.0.0/0", true },	 { "0.0.0.0/1", true },	 { "20.0.0.0/7", true },
		{ "20.0.0.0/8", false }, { "::/0", true },	 { "2000::/3", true },
		{ "2a00::/15", true },	 { "2a00::/16", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_prefix p = net_prefix(cases[i].prefix);

		assert_int_equal(sets_prefix_is_too_short(&p), cases[i].too_short);
	}
}

static void test_leaked_default_opens_no_mode_but_loose(void **state)
{
	static const char *const leaks[] = { "0.0.0.0/0", "20.0.0.0/7", "::/0",
					     "2a00::/15" };

	for (size_t i = 0; i < MODES; i++) {
		struct rib_peer *peer;
		struct net net;

		net_init(&net);
		net_edge(&net, "r", "e", ROLE_CUSTOMER, all_modes[i]);
		net_edge(&net, "r", "f", ROLE_CUSTOMER, MODE_FEASIBLE);
		peer = net_peer(&net, "r", "e", "10.0.0.1");
		for (size_t k = 0; k < 4; k++)
			net_route(peer, leaks[k], "1");
		assert_int_equal(net_accepts(&net, "r", "e", "20.1.2.3"),
				 all_modes[i] == MODE_LOOSE);
		assert_int_equal(net_accepts(&net, "r", "e", "2a00:1::1"),
				 all_modes[i] == MODE_LOOSE);
		net_fini(&net);
	}
}

/* Its origin is not seen either: the discard comes before the mode. */
static void test_leaked_default_names_no_origin(void **state)
{
	struct rib_peer *up;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "cust", ROLE_CUSTOMER, MODE_EFP_B);
	net_edge(&net, "r", "up", ROLE_PROVIDER, MODE_LOOSE);
	net_route(net_peer(&net, "r", "cust", "10.0.0.1"), "0.0.0.0/0", "1 15169");
	up = net_peer(&net, "r", "up", "10.9.0.1");
	net_route(up, "20.1.0.0/16", "3356 15169");
	assert_net_set(&net, "r", "cust", "");
	net_fini(&net);
}

static void test_output_may_be_shorter(void **state)
{
	struct rib_peer *peer;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_CUSTOMER, MODE_FEASIBLE);
	peer = net_peer(&net, "r", "e", "10.0.0.1");
	net_route(peer, "8.0.0.0/8", "1");
	net_route(peer, "9.0.0.0/8", "1");
	net_route(peer, "2a00::/16", "1");
	net_route(peer, "2a01::/16", "1");
	assert_net_set(&net, "r", "e", "8.0.0.0/7 2a00::/15");
	net_fini(&net);
}

static void test_loose_with_and_without_default(void **state)
{
	struct rib_peer *up;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "up", ROLE_PROVIDER, MODE_LOOSE_NO_DEFAULT);
	up = net_peer(&net, "r", "up", "10.9.0.1");
	net_route(up, "20.1.0.0/16", "1");
	net_route(up, "0.0.0.0/0", "1");
	/* a peer of another router that is on no edge counts as well */
	net_edge(&net, "s", "x", ROLE_CUSTOMER, MODE_ACL);
	net_route(net_peer(&net, "s", NULL, "10.8.0.1"), "20.3.0.0/16", "2");
	net_route(net_ibgp_peer(&net, "s", "10.8.0.2"), "2a00:3::/32", "");
	assert_net_set(&net, "r", "up", "20.1.0.0/16 20.3.0.0/16 2a00:3::/32");
	net_edge_mode(&net, "r", "up", MODE_LOOSE);
	assert_true(net_accepts(&net, "r", "up", "99.1.2.3"));
	assert_false(net_accepts(&net, "r", "up", "10.1.2.3"));
	assert_false(net_accepts(&net, "r", "up", "240.1.2.3"));
	assert_false(net_accepts(&net, "r", "up", "2a00:4::1"));
	net_fini(&net);
}

/* ---- strict ---- */

static void test_strict_more_specifics_elsewhere(void **state)
{
	struct rib_peer *a, *b;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "a", ROLE_STUB, MODE_STRICT);
	net_edge(&net, "r", "b", ROLE_STUB, MODE_STRICT);
	a = net_peer(&net, "r", "a", "10.0.0.1");
	b = net_peer(&net, "r", "b", "10.0.0.2");
	net_route(a, "20.0.0.0/14", "1");
	net_route(b, "20.1.0.0/16", "2");
	net_route(a, "20.1.128.0/17", "1");
	net_route(net_ibgp_peer(&net, "r", "10.8.0.1"), "20.3.0.0/16", "3");
	net_route(b, "2a00:1::/32", "2");
	assert_net_set(&net, "r", "a", "20.0.0.0/16 20.1.128.0/17 20.2.0.0/16");
	assert_net_set(&net, "r", "b", "20.1.0.0/17 2a00:1::/32");
	net_fini(&net);
}

/* Another router's table is not this one's. */
static void test_strict_reads_its_own_router(void **state)
{
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "a", ROLE_STUB, MODE_STRICT);
	net_edge(&net, "s", "a", ROLE_STUB, MODE_STRICT);
	net_route(net_peer(&net, "r", "a", "10.0.0.1"), "20.0.0.0/14", "1 1 1");
	net_route(net_peer(&net, "s", "a", "10.0.0.1"), "20.1.0.0/16", "1");
	assert_net_set(&net, "r", "a", "20.0.0.0/14");
	assert_net_set(&net, "s", "a", "20.1.0.0/16");
	net_fini(&net);
}

static void test_strict_direct(void **state)
{
	struct rib_peer *a, *b, *p, *ibgp;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "a", ROLE_CUSTOMER, MODE_STRICT_DIRECT);
	net_edge(&net, "r", "b", ROLE_STUB, MODE_STRICT_DIRECT);
	net_edge(&net, "r", "p", ROLE_PEER, MODE_STRICT_DIRECT);
	a = net_peer(&net, "r", "a", "10.0.0.1");
	b = net_peer(&net, "r", "b", "10.0.0.2");
	p = net_peer(&net, "r", "p", "10.0.0.3");
	ibgp = net_ibgp_peer(&net, "r", "10.8.0.1");
	/* all customers' edges, though the best path is the peer's */
	net_route(a, "20.1.0.0/16", "1 1 1");
	net_route(b, "20.1.0.0/16", "2 1 1");
	net_route(p, "20.1.0.0/16", "1");
	/* no customer path: as strict */
	net_route(p, "20.2.0.0/16", "1");
	net_route(ibgp, "20.2.0.0/16", "3 1");
	net_route(ibgp, "20.3.0.0/16", "1");
	net_route(p, "20.3.0.0/16", "5 1");
	/* only for the matching prefix */
	net_route(a, "20.4.0.0/15", "1");
	net_route(p, "20.5.0.0/16", "1");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.4.0.0/16");
	assert_net_set(&net, "r", "b", "20.1.0.0/16");
	assert_net_set(&net, "r", "p", "20.2.0.0/16 20.5.0.0/16");
	net_edge_mode(&net, "r", "a", MODE_STRICT);
	net_edge_mode(&net, "r", "p", MODE_STRICT);
	assert_net_set(&net, "r", "a", "20.4.0.0/16");
	assert_net_set(&net, "r", "p", "20.1.0.0/16 20.2.0.0/16 20.5.0.0/16");
	net_fini(&net);
}

/* ---- feasible ---- */

static void test_feasible_is_per_edge(void **state)
{
	struct net net;

	net_init(&net);
	/* an exchange: two peers on one interface, one on another */
	net_edge(&net, "r", "ix", ROLE_PEER, MODE_FEASIBLE);
	net_edge(&net, "r", "other", ROLE_PEER, MODE_FEASIBLE);
	net_route(net_peer(&net, "r", "ix", "10.0.0.1"), "20.1.0.0/16", "1");
	net_route(net_peer(&net, "r", "ix", "2a00::1"), "2a00:1::/32", "2");
	net_route(net_peer(&net, "r", "other", "10.0.0.3"), "20.3.0.0/16", "3");
	net_route(net_peer(&net, "r", NULL, "10.0.0.4"), "20.4.0.0/16", "4");
	net_route(net.peers[0].rib, "20.1.7.0/24", "1 7");
	assert_net_set(&net, "r", "ix", "20.1.0.0/16 2a00:1::/32");
	assert_net_set(&net, "r", "other", "20.3.0.0/16");
	net_fini(&net);
}

/* ---- RFC 8704 ---- */

static void two_customers(struct net *net, enum edge_mode mode)
{
	net_init(net);
	net_edge(net, "r", "a", ROLE_CUSTOMER, mode);
	net_edge(net, "s", "b", ROLE_STUB, mode);
	net_edge(net, "s", "up", ROLE_PROVIDER, MODE_LOOSE);
	net_peer(net, "r", "a", "10.0.0.1");
	net_peer(net, "s", "b", "10.0.0.2");
	net_peer(net, "s", "up", "10.9.0.1");
}
#define A(net)	(net)->peers[0].rib
#define B(net)	(net)->peers[1].rib
#define UP(net) (net)->peers[2].rib

/* Set A comes from all customer and stub edges, whatever their mode or router. */
static void test_efp_reads_the_whole_network(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_edge_mode(&net, "s", "b", MODE_ACL);
	net_route(A(&net), "20.1.0.0/16", "7");
	net_route(B(&net), "20.2.0.0/16", "8");
	net_route(UP(&net), "20.3.0.0/16", "3356 8");
	net_route(UP(&net), "20.4.0.0/16", "3356 7");
	net_route(UP(&net), "20.5.0.0/16", "7 3356");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.4.0.0/16");
	net_edge_mode(&net, "r", "a", MODE_EFP_B);
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.2.0.0/15 20.4.0.0/16");
	net_edge_mode(&net, "s", "b", MODE_EFP_A);
	assert_net_set(&net, "s", "b", "20.2.0.0/15");
	net_fini(&net);
}

/* A provider's or internal peer's path names no member of Set A. */
static void test_efp_only_customers_make_set_a(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_B);
	net_route(A(&net), "20.1.0.0/16", "7");
	net_route(UP(&net), "20.3.0.0/16", "3356 9");
	net_route(net_ibgp_peer(&net, "r", "10.8.0.1"), "20.4.0.0/16", "9");
	net_route(net.peers[3].rib, "20.5.0.0/16", "7");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.5.0.0/16");
	net_edge_mode(&net, "r", "a", MODE_EFP_A);
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.5.0.0/16");
	net_fini(&net);
}

/* Sec. 3.4.2 P: all prefixes of customer edges; X and Q ask for the origin, and
 * an AS_SET has none. */
static void test_efp_as_set_has_no_origin(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_route(A(&net), "20.1.0.0/16", "7 {}");
	net_route(A(&net), "20.2.0.0/16", "7");
	net_route(UP(&net), "20.3.0.0/16", "3356 7 {}");
	assert_net_set(&net, "r", "a", "20.2.0.0/16");
	net_edge_mode(&net, "r", "a", MODE_EFP_B);
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.2.0.0/16");
	net_edge_mode(&net, "r", "a", MODE_FEASIBLE);
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.2.0.0/16");
	net_fini(&net);
}

/* The empty path is the own AS's, one that no number equals. */
static void test_efp_own_origin(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_route(net_ibgp_peer(&net, "r", "10.8.0.1"), "20.4.0.0/16", "");
	net_route(A(&net), "20.1.0.0/16", "0");
	net_route(B(&net), "20.2.0.0/16", "4294967295");
	assert_net_set(&net, "r", "a", "20.1.0.0/16");
	assert_net_set(&net, "s", "b", "20.2.0.0/16");
	net_route(A(&net), "20.6.0.0/16", "");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.4.0.0/16 20.6.0.0/16");
	net_fini(&net);
}

/* Sec. 3.1.1 step 3 is by prefix: who received a prefix of X gets all of X,
 * though his own path for it has another origin. */
static void test_efp_a_moas_is_read_by_prefix(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_route(A(&net), "20.1.0.0/16", "7");
	net_route(B(&net), "20.1.0.0/16", "8");
	net_route(UP(&net), "20.3.0.0/16", "3356 7");
	net_route(UP(&net), "20.4.0.0/16", "3356 8");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.3.0.0/16 20.4.0.0/16");
	assert_net_set(&net, "s", "b", "20.1.0.0/16 20.3.0.0/16 20.4.0.0/16");
	net_fini(&net);
}

/* Also where only the provider gives the prefix the other origin. */
static void test_efp_a_moas_seen_at_the_provider(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_route(A(&net), "20.1.0.0/16", "7");
	net_route(B(&net), "20.2.0.0/16", "8");
	net_route(UP(&net), "20.1.0.0/16", "3356 8");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.2.0.0/16");
	assert_net_set(&net, "s", "b", "20.1.0.0/16 20.2.0.0/16");
	net_fini(&net);
}

/* The same prefix and no other: a more specific one is another prefix. */
static void test_efp_a_wants_the_same_prefix(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_route(A(&net), "20.1.0.0/16", "7");
	net_route(B(&net), "20.1.0.0/17", "8");
	net_route(UP(&net), "20.4.0.0/16", "3356 8");
	assert_net_set(&net, "r", "a", "20.1.0.0/16");
	assert_net_set(&net, "s", "b", "20.1.0.0/17 20.4.0.0/16");
	net_fini(&net);
}

/* With add-path every origin of a prefix counts. */
static void test_efp_add_path(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_route_id(A(&net), "20.1.0.0/16", 1, "7");
	net_route_id(A(&net), "20.1.0.0/16", 2, "7 8");
	net_route(UP(&net), "20.3.0.0/16", "3356 7");
	net_route_id(UP(&net), "20.4.0.0/16", 1, "3356 9");
	net_route_id(UP(&net), "20.4.0.0/16", 2, "3356 8");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.3.0.0/16 20.4.0.0/16");
	net_edge_mode(&net, "r", "a", MODE_EFP_B);
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.3.0.0/16 20.4.0.0/16");
	net_fini(&net);
}

/* RFC 6996: private numbers are numbers like others. */
static void test_efp_private_as(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_route(A(&net), "20.1.0.0/16", "64512");
	net_route(B(&net), "20.2.0.0/16", "64512");
	net_route(UP(&net), "20.3.0.0/16", "3356 4200000000");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.2.0.0/16");
	net_fini(&net);
}

static void test_efp_prepends(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_A);
	net_route(A(&net), "20.1.0.0/16", "7 7 7 7");
	net_route(UP(&net), "20.3.0.0/16", "3356 7 7");
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.3.0.0/16");
	net_fini(&net);
}

static void test_efp_b_is_one_set(void **state)
{
	struct net net;

	two_customers(&net, MODE_EFP_B);
	net_route(A(&net), "20.1.0.0/16", "7");
	net_route(B(&net), "20.2.0.0/16", "8");
	net_route(UP(&net), "2a00:3::/32", "3356 8");
	net_edge(&net, "t", "silent", ROLE_CUSTOMER, MODE_EFP_B);
	assert_net_set(&net, "r", "a", "20.1.0.0/16 20.2.0.0/16 2a00:3::/32");
	assert_net_set(&net, "s", "b", "20.1.0.0/16 20.2.0.0/16 2a00:3::/32");
	/* limited propagation: the customer announces nothing on this link */
	assert_net_set(&net, "t", "silent", "20.1.0.0/16 20.2.0.0/16 2a00:3::/32");
	net_edge_mode(&net, "t", "silent", MODE_EFP_A);
	assert_net_set(&net, "t", "silent", "");
	net_fini(&net);
}

/* ---- views ---- */

static void put(struct rib_peer *peer, enum rib_view view, const char *prefix)
{
	struct ip_prefix p = net_prefix(prefix);
	struct rib_attr attr = net_attr("1");

	rib_announce(peer, view, &p, 0, &attr);
}

static void test_post_policy_counts_where_it_is_sent(void **state)
{
	struct rib_peer *peer;
	struct net net;

	net_init(&net);
	net_edge(&net, "r", "e", ROLE_CUSTOMER, MODE_FEASIBLE);
	peer = net_peer(&net, "r", "e", "10.0.0.1");
	put(peer, RIB_PRE, "20.1.0.0/16");
	put(peer, RIB_PRE, "2a00:1::/32");
	put(peer, RIB_POST, "20.2.0.0/16");
	assert_net_set(&net, "r", "e", "20.1.0.0/16 2a00:1::/32");
	rib_peer_saw_post(peer, IP_V4);
	assert_net_set(&net, "r", "e", "20.2.0.0/16 2a00:1::/32");
	rib_peer_saw_post(peer, IP_V6);
	assert_net_set(&net, "r", "e", "20.2.0.0/16");
	net_fini(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_network),
		cmocka_unit_test(test_record_in_every_mode),
		cmocka_unit_test(test_special_and_own_leave_every_mode),
		cmocka_unit_test(test_exceptions_come_last),
		cmocka_unit_test(test_permit),
		cmocka_unit_test(test_internal_edges_may_send_anything_routed),
		cmocka_unit_test(test_off_is_everything),
		cmocka_unit_test(test_own_space_less_the_records),
		cmocka_unit_test(test_provider_assigned_block_by_the_other_way),
		cmocka_unit_test(test_default_and_short_prefixes),
		cmocka_unit_test(test_leaked_default_opens_no_mode_but_loose),
		cmocka_unit_test(test_leaked_default_names_no_origin),
		cmocka_unit_test(test_output_may_be_shorter),
		cmocka_unit_test(test_loose_with_and_without_default),
		cmocka_unit_test(test_strict_more_specifics_elsewhere),
		cmocka_unit_test(test_strict_reads_its_own_router),
		cmocka_unit_test(test_strict_direct),
		cmocka_unit_test(test_feasible_is_per_edge),
		cmocka_unit_test(test_efp_reads_the_whole_network),
		cmocka_unit_test(test_efp_only_customers_make_set_a),
		cmocka_unit_test(test_efp_as_set_has_no_origin),
		cmocka_unit_test(test_efp_own_origin),
		cmocka_unit_test(test_efp_a_moas_is_read_by_prefix),
		cmocka_unit_test(test_efp_a_moas_seen_at_the_provider),
		cmocka_unit_test(test_efp_a_wants_the_same_prefix),
		cmocka_unit_test(test_efp_add_path),
		cmocka_unit_test(test_efp_private_as),
		cmocka_unit_test(test_efp_prepends),
		cmocka_unit_test(test_efp_b_is_one_set),
		cmocka_unit_test(test_post_policy_counts_where_it_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
