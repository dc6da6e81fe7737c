/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What live tells, and when it says nothing. That its sets are right is what
 * test_live_random is for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sets/live.h"
#include "lib/mem.h"
#include "tests/unit/sets/net.h"

struct fixture {
	struct net net;
	struct live *live;
	size_t edges_told, shared_told;
	struct addrset added, removed; /* of the last edge told */
};

static void on_edge(void *ctx, size_t edge, const struct addrset *added,
		    const struct addrset *removed)
{
	struct fixture *f = ctx;

	(void)edge;
	f->edges_told++;
	addrset_copy(&f->added, added);
	addrset_copy(&f->removed, removed);
}

static void on_shared(void *ctx, enum live_shared which, const struct addrset *added,
		      const struct addrset *removed)
{
	struct fixture *f = ctx;

	(void)which;
	(void)added;
	(void)removed;
	f->shared_told++;
}

static const struct live_ops by_edge = { .edge = on_edge };
static const struct live_ops by_set = { .edge = on_edge, .shared = on_shared };

static void drain(struct fixture *f, const struct live_ops *ops)
{
	f->edges_told = f->shared_told = 0;
	addrset_fini(&f->added);
	addrset_fini(&f->removed);
	live_drain(f->live, ops, f);
}

static void assert_text(const struct addrset *set, const char *text)
{
	char *got = net_set_text(set);

	assert_string_equal(got, text);
	free(got);
}

static void on_route(struct rib_peer *peer, enum rib_view view,
		     const struct ip_prefix *prefix, const struct rib_attr *old,
		     const struct rib_attr *new, void *arg)
{
	struct fixture *f = arg;

	if (rib_peer_user(peer))
		live_route(f->live, rib_peer_user(peer), view, prefix, old, new);
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	net_init(&f->net);
	f->live = live_new(LIVE_STRICT_BEST_PATH);
	rib_watch(f->net.rib, on_route, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	live_free(f->live);
	net_fini(&f->net);
	addrset_fini(&f->added);
	addrset_fini(&f->removed);
	free(f);
	return 0;
}

static size_t edge_index(const struct fixture *f, const char *interface)
{
	const struct config_edge *e = config_edge_find(&f->net.cfg, "r", interface);

	return e ? (size_t)(e - f->net.cfg.edges) : SETS_NO_EDGE;
}

static void policy(struct fixture *f)
{
	live_policy(f->live, &f->net.cfg);
	drain(f, &by_edge);
}

static struct rib_peer *peer(struct fixture *f, const char *interface, const char *addr)
{
	struct rib_peer *p = net_peer(&f->net, "r", interface, addr);
	const struct sets_source s = { .peer = p, .edge = edge_index(f, interface) };

	rib_peer_set_user(p, live_source_add(f->live, &s));
	return p;
}

static void withdraw(struct rib_peer *p, const char *prefix)
{
	struct ip_prefix q = net_prefix(prefix);

	assert_true(rib_withdraw(p, RIB_PRE, &q, 0));
}

/* ---- routes */

static void test_a_route_is_told_once(void **state)
{
	struct fixture *f = *state;
	struct rib_peer *p;

	net_edge(&f->net, "r", "c", ROLE_CUSTOMER, MODE_FEASIBLE);
	policy(f);
	p = peer(f, "c", "10.0.0.1");
	net_route(p, "20.0.0.0/16", "65001");
	assert_true(live_is_dirty(f->live));
	drain(f, &by_edge);
	assert_int_equal(f->edges_told, 1);
	assert_text(&f->added, "20.0.0.0/16");
	drain(f, &by_edge);
	assert_int_equal(f->edges_told, 0);
	withdraw(p, "20.0.0.0/16");
	drain(f, &by_edge);
	assert_text(&f->removed, "20.0.0.0/16");
}

static void test_what_changes_no_set_is_not_told(void **state)
{
	struct fixture *f = *state;
	struct rib_peer *p;

	net_edge(&f->net, "r", "c", ROLE_CUSTOMER, MODE_FEASIBLE);
	policy(f);
	p = peer(f, "c", "10.0.0.1");
	net_route(p, "20.0.0.0/16", "65001");
	drain(f, &by_edge);

	net_route(p, "20.0.1.0/24", "65001"); /* covered */
	net_route(p, "20.0.0.0/16", "65001 65001 65001");
	net_route(p, "0.0.0.0/0", "65001");   /* a leak */
	net_route(p, "10.1.0.0/16", "65001"); /* special-purpose */
	drain(f, &by_edge);
	assert_int_equal(f->edges_told, 0);
	withdraw(p, "20.0.0.0/16"); /* a flap between two looks */
	net_route(p, "20.0.0.0/16", "65001");
	drain(f, &by_edge);
	assert_int_equal(f->edges_told, 0);
}

static void test_a_withdrawal_leaves_what_more_specifics_hold(void **state)
{
	struct fixture *f = *state;
	struct rib_peer *p;

	net_edge(&f->net, "r", "c", ROLE_CUSTOMER, MODE_FEASIBLE);
	policy(f);
	p = peer(f, "c", "10.0.0.1");
	net_route(p, "20.0.0.0/22", "65001");
	net_route(p, "20.0.1.0/24", "65001");
	drain(f, &by_edge);
	withdraw(p, "20.0.0.0/22");
	drain(f, &by_edge);
	assert_text(&f->removed, "20.0.0.0/24 20.0.2.0/23");
	assert_text(&f->added, "");
}

static void test_an_origin_brings_all_its_prefixes(void **state)
{
	struct fixture *f = *state;
	struct rib_peer *customer, *provider;

	net_edge(&f->net, "r", "c", ROLE_CUSTOMER, MODE_EFP_A);
	net_edge(&f->net, "r", "p", ROLE_PROVIDER, MODE_ACL);
	policy(f);
	customer = peer(f, "c", "10.0.0.1");
	provider = peer(f, "p", "10.0.0.2");
	net_route(provider, "20.0.0.0/16", "3356 65001");
	net_route(provider, "30.0.0.0/16", "3356 65001");
	net_route(provider, "2a00::/32", "3356 65001");
	net_route(provider, "40.0.0.0/16", "3356 65002");
	drain(f, &by_edge);
	assert_int_equal(f->edges_told, 0);
	net_route(customer, "20.0.0.0/16", "65001");
	drain(f, &by_edge);
	assert_text(&f->added, "20.0.0.0/16 30.0.0.0/16 2a00::/32");
	net_route(provider, "30.0.0.0/16", "3356 65002");
	drain(f, &by_edge);
	assert_text(&f->removed, "30.0.0.0/16");
	withdraw(customer, "20.0.0.0/16");
	drain(f, &by_edge);
	assert_text(&f->removed, "20.0.0.0/16 2a00::/32");
}

/* ---- sets that are shared */

static void test_a_shared_set_is_told_once_for_all(void **state)
{
	struct fixture *f = *state;
	char name[FILTER_IFNAME_SIZE];
	struct addrset raw = { 0 }, set = { 0 };

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "c%02d", i);
		net_edge(&f->net, "r", name, ROLE_CUSTOMER, MODE_EFP_B);
	}
	net_edge_exception(&f->net, "r", "c07", "20.0.1.0/24");
	policy(f);
	net_route(peer(f, "c00", "10.0.0.1"), "20.0.0.0/16", "65001");
	drain(f, &by_set);
	assert_int_equal(f->shared_told, 1);
	assert_int_equal(f->edges_told, 0);
	live_shared_set(f->live, LIVE_EFP_B, &raw);
	live_edge_decorate(f->live, edge_index(f, "c07"), &raw, &set);
	assert_text(&set, "20.0.0.0/16");
	addrset_fini(&raw);
	addrset_fini(&set);
	/* and edge by edge, less what that edge accepts anyway */
	net_route(peer(f, "c07", "10.0.0.2"), "20.1.0.0/16", "65001");
	drain(f, &by_edge);
	assert_int_equal(f->edges_told, 50);
}

/* ---- policy */

static void test_an_exception_touches_its_edge_only(void **state)
{
	struct fixture *f = *state;

	net_edge(&f->net, "r", "a", ROLE_CUSTOMER, MODE_EFP_B);
	net_edge(&f->net, "r", "b", ROLE_CUSTOMER, MODE_EFP_B);
	policy(f);
	net_route(peer(f, "a", "10.0.0.1"), "20.0.0.0/16", "65001");
	drain(f, &by_edge);
	net_edge_exception(&f->net, "r", "b", "20.0.0.0/15");
	policy(f);
	assert_int_equal(f->edges_told, 1);
	assert_text(&f->added, "20.1.0.0/16");
	assert_text(&f->removed, "");
}

static void test_a_command_and_routes_are_one_change(void **state)
{
	struct fixture *f = *state;
	struct rib_peer *p;

	net_edge(&f->net, "r", "a", ROLE_CUSTOMER, MODE_FEASIBLE);
	policy(f);
	p = peer(f, "a", "10.0.0.1");
	net_route(p, "20.0.0.0/16", "65001");
	net_route(p, "30.0.0.0/16", "65001");
	drain(f, &by_edge);
	net_own(&f->net, "20.0.0.0/16");
	live_policy(f->live, &f->net.cfg);
	withdraw(p, "20.0.0.0/16"); /* gone by own space already */
	withdraw(p, "30.0.0.0/16");
	net_route(p, "40.0.0.0/16", "65001");
	drain(f, &by_edge);
	assert_int_equal(f->edges_told, 1);
	assert_text(&f->added, "40.0.0.0/16");
	assert_text(&f->removed, "20.0.0.0/16 30.0.0.0/16");
}

static void test_a_mode_is_changed_with_routes_in_place(void **state)
{
	static const enum edge_mode modes[] = {
		MODE_STRICT, MODE_EFP_A, MODE_STRICT_DIRECT,	MODE_EFP_B, MODE_FEASIBLE,
		MODE_LOOSE,  MODE_ACL,	 MODE_LOOSE_NO_DEFAULT, MODE_OFF,
	};
	struct fixture *f = *state;
	struct addrset truth = { 0 }, kept = { 0 };
	struct rib_peer *p;

	net_edge(&f->net, "r", "a", ROLE_CUSTOMER, MODE_ACL);
	net_edge(&f->net, "r", "p", ROLE_PROVIDER, MODE_ACL);
	policy(f);
	net_route(peer(f, "a", "10.0.0.1"), "20.0.0.0/16", "65001");
	p = peer(f, "p", "10.0.0.2");
	net_route(p, "20.0.1.0/24", "3356 65001");
	net_route(p, "30.0.0.0/16", "3356 65001");
	net_route(p, "40.0.0.0/16", "3356 65002");
	drain(f, &by_edge);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		net_edge_mode(&f->net, "r", "a", modes[i]);
		policy(f);
		net_set(&f->net, "r", "a", &truth);
		live_edge_set(f->live, edge_index(f, "a"), &kept);
		assert_true(addrset_equal(&truth, &kept));
		net_edge_mode(&f->net, "r", "a", MODE_LOOSE);
		net_set(&f->net, "r", "a", &truth);
		net_edge_mode(&f->net, "r", "a", modes[i]);
		live_edge_set_as(f->live, &f->net.cfg, edge_index(f, "a"), MODE_LOOSE,
				 &kept);
		assert_true(addrset_equal(&truth, &kept));
	}
	addrset_fini(&truth);
	addrset_fini(&kept);
}

/* ---- views */

/* The table is taken away before its paths are told gone, so a walk of it in
 * between finds nothing, and paths stayed counted for ever. */
static void test_a_peer_that_clears_the_view_that_counted(void **state)
{
	struct fixture *f = *state;
	struct rib_peer *p;
	struct live_stats stats;

	net_edge(&f->net, "r", "c", ROLE_CUSTOMER, MODE_FEASIBLE);
	policy(f);
	p = peer(f, "c", "10.0.0.1");
	net_route(p, "20.0.0.0/16", "65001");
	net_route(p, "30.0.0.0/16", "65001");
	drain(f, &by_edge);
	rib_peer_saw_post(p, IP_V4);
	rib_peer_clear(p, RIB_PRE, IP_V4);
	live_source_refresh(f->live, rib_peer_user(p));
	drain(f, &by_edge);
	assert_text(&f->removed, "20.0.0.0/16 30.0.0.0/16");
	live_stats(f->live, &stats);
	assert_int_equal(stats.prefixes, 0);
	assert_int_equal(stats.origins, 0);
}

static void test_the_first_post_policy_route_ends_the_others(void **state)
{
	struct fixture *f = *state;
	struct ip_prefix prefix = net_prefix("40.0.0.0/16");
	struct rib_attr attr = net_attr("65001");
	struct rib_peer *p;

	net_edge(&f->net, "r", "c", ROLE_CUSTOMER, MODE_FEASIBLE);
	policy(f);
	p = peer(f, "c", "10.0.0.1");
	net_route(p, "20.0.0.0/16", "65001");
	drain(f, &by_edge);
	rib_peer_saw_post(p, IP_V4);
	rib_announce(p, RIB_POST, &prefix, 0, &attr);
	drain(f, &by_edge);
	assert_text(&f->added, "40.0.0.0/16");
	assert_text(&f->removed, "20.0.0.0/16");
}

/* ---- strict from a forwarding table */

static void test_strict_may_be_given(void **state)
{
	struct fixture *f = *state;
	struct addrset part = { 0 };
	struct ip_prefix p = net_prefix("20.0.0.0/15");

	live_free(f->live);
	f->live = live_new(LIVE_STRICT_GIVEN);
	net_edge(&f->net, "r", "c", ROLE_CUSTOMER, MODE_STRICT);
	net_own(&f->net, "20.1.0.0/16");
	policy(f);
	net_route(peer(f, "c", "10.0.0.1"), "50.0.0.0/16", "65001");
	drain(f, &by_edge);
	assert_int_equal(f->edges_told, 0);
	addrset_append(&part, &p);
	live_strict_part(f->live, edge_index(f, "c"), IP_V4, 0, ip_max(IP_V4),
			 &part.f[IP_V4]);
	drain(f, &by_edge);
	assert_text(&f->added, "20.0.0.0/16");
	addrset_fini(&part);
	live_strict_part(f->live, edge_index(f, "c"), IP_V4, p.v, p.v + 255,
			 &part.f[IP_V4]);
	drain(f, &by_edge);
	assert_text(&f->removed, "20.0.0.0/24");
}

/* ---- memory */

static void test_nothing_is_left_of_a_source(void **state)
{
	struct fixture *f = *state;
	struct rib_peer *p;
	struct live_stats stats;

	net_edge(&f->net, "r", "c", ROLE_CUSTOMER, MODE_EFP_A);
	policy(f);
	p = peer(f, "c", "10.0.0.1");
	for (int i = 0; i < 1000; i++) {
		char prefix[IP_TEXT_SIZE];

		snprintf(prefix, sizeof(prefix), "20.%d.%d.0/24", i / 256, i % 256);
		net_route(p, prefix, i % 3 ? "65001" : "65001 65002");
	}
	drain(f, &by_edge);
	live_source_remove(f->live, rib_peer_user(p));
	rib_peer_set_user(p, NULL);
	drain(f, &by_edge);
	live_stats(f->live, &stats);
	assert_int_equal(stats.prefixes, 0);
	assert_int_equal(stats.origins, 0);
	assert_int_equal(stats.sources, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_route_is_told_once),
		TEST(test_what_changes_no_set_is_not_told),
		TEST(test_a_withdrawal_leaves_what_more_specifics_hold),
		TEST(test_an_origin_brings_all_its_prefixes),
		TEST(test_a_shared_set_is_told_once_for_all),
		TEST(test_an_exception_touches_its_edge_only),
		TEST(test_a_command_and_routes_are_one_change),
		TEST(test_a_mode_is_changed_with_routes_in_place),
		TEST(test_a_peer_that_clears_the_view_that_counted),
		TEST(test_the_first_post_policy_route_ends_the_others),
		TEST(test_strict_may_be_given),
		TEST(test_nothing_is_left_of_a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
