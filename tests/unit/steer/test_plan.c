/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The planner over a table of worlds: what must be among the rules and routes,
 * and what must not.
 */
#include "tests/unit/steer/plan_world.h"

#include <stdio.h>
#include <string.h>

#include "agents/steer/plan_flows.h"

static void sources_choose_the_provider(void **state)
{
	struct fixture *x = *state;

	make(x);
	RULE(x, "1000: from all fwmark 0x10000/0xff0000 lookup 26301");
	RULE(x, "1010: from all fwmark 0x410000/0xff0000 lookup 26365");
	RULE(x, "1011: from all fwmark 0x410000/0xff0000 lookup 26429");
	RULE(x, "1020: from all to 198.18.0.0/24 iif lan goto 1055");
	RULE(x, "1040: from all lookup 254 suppress_prefixlength 0");
	RULE(x, "1050: from all fwmark 0xc00000/0xff0000 prohibit");
	RULE(x, "1055: from all nop");
	RULE(x, "1060: from all fwmark 0x820000/0xff0000 lookup 26430");
	RULE(x, "1070: from 192.0.2.0/26 iif lan lookup 26429");
	RULE(x, "1074: from 203.0.113.2/32 iif lo lookup 26301");
	RULE(x, "1075: from 192.0.2.0/26 iif lo lookup 26429");
	RULE(x, "1070: from 198.18.0.2/32 iif lan lookup 26430");
	RULE(x, "1080: from all iif lan prohibit");
	RULE(x, "-6 1080: from all iif lan prohibit");
	assert_false(has_rule(x, "1090: from all iif lo lookup 26492"));
	for (size_t i = 1; i < x->plan.n_rules; i++)
		assert_true(x->plan.rules[i - 1].priority <= x->plan.rules[i].priority);
}

static void the_best_live_path_has_the_lowest_metric(void **state)
{
	struct fixture *x = *state;

	make(x);
	ROUTE(x, "default via 203.0.113.1 dev wan0 src 203.0.113.2 table 26429 metric 10");
	ROUTE(x, "203.0.113.0/30 dev wan0 src 203.0.113.2 table 26429 metric 10");
	ROUTE(x, "default dev tun0 src 192.0.2.1 table 26429 metric 20");
	ROUTE(x, "prohibit default table 26429 metric 4000000000");
	ROUTE(x, "-6 default via fe80::ff dev wan0 src 2001:db8:ff0::2 table 26429 metric 10");
	ROUTE(x, "default via 198.18.0.1 dev wan1 src 198.18.0.2 table 26430 metric 10");
	/* no IPv6 gateway there */
	ROUTE(x, "-6 prohibit default table 26430 metric 4000000000");
	assert_false(x->plan.paths[2].usable[IP_V6]);
	assert_non_null(strstr(x->plan.paths[2].why[IP_V6], "no gateway"));
}

static void a_dead_path_is_left_but_can_be_probed(void **state)
{
	struct fixture *x = *state;

	x->states[1] = (struct path_state){ .alive = PATH_DOWN, .reason = "no answer" };
	make(x);
	NO_ROUTE(x, "default via 203.0.113.1 dev wan0 src 203.0.113.2 table 26429 metric 10");
	ROUTE(x, "default dev tun0 src 192.0.2.1 table 26429 metric 10");
	ROUTE(x, "default via 203.0.113.1 dev wan0 src 203.0.113.2 table 26301 metric 10");
	/* flows that came by it have an empty table, and go on to the provider's */
	NO_ROUTE(x, "default via 203.0.113.1 dev wan0 src 203.0.113.2 table 26365 metric 10");
	assert_string_equal(x->plan.paths[0].why[IP_V4], "no answer");
	assert_true(plan_provider_find(&x->plan, 1)->alive[IP_V4]);
}

static void a_provider_that_is_dead_in_all_ways_prohibits(void **state)
{
	struct fixture *x = *state;
	size_t n = 0;

	x->states[1].alive = PATH_DOWN;
	x->tunnel.up = false;
	make(x);
	assert_false(plan_provider_find(&x->plan, 1)->alive[IP_V4]);
	for (size_t i = 0; i < x->plan.n_routes; i++) {
		if (x->plan.routes[i].table == 26429) {
			assert_true(x->plan.routes[i].prohibit);
			n++;
		}
	}
	assert_int_equal(n, 2);
	RULE(x, "1070: from 192.0.2.0/26 iif lan lookup 26429");
}

static void interfaces_that_are_gone_or_down_are_no_path(void **state)
{
	struct fixture *x = *state;

	x->links.inventory.interfaces[2].up = false;
	make(x);
	assert_string_equal(x->plan.paths[0].why[IP_V4], "the interface is down");
	NO_ROUTE(x, "default via 203.0.113.1 dev wan0 src 203.0.113.2 table 26301 metric 10");
	snprintf(x->links.inventory.interfaces[2].name, 16, "other");
	make(x);
	assert_string_equal(x->plan.paths[0].why[IP_V4], "there is no such interface");
	assert_int_equal(x->plan.paths[0].path.ifindex, 0);
}

/* The kernel would take the rules and refuse the routes, for an address of a VRF is none of
 * the default one's: what is steered by others must not fail with it. */
static void what_lies_in_a_vrf_is_no_path_and_says_so(void **state)
{
	struct fixture *x = *state;
	struct agent_interface *wan1 = &x->links.inventory.interfaces[WAN1];
	const struct plan_path *pp;

	provider(x, "b")->nat = true;
	make(x);
	RULE(x, "1074: from 198.18.0.2/32 iif lo lookup 26302");
	snprintf(wan1->vrf, sizeof(wan1->vrf), "red");
	make(x);
	pp = plan_path_find(&x->plan, 2);
	assert_string_equal(pp->vrf, "red");
	assert_string_equal(pp->why[IP_V4],
			    "in VRF red, only the default one is steered: \"ip link set wan1 nomaster\"");
	assert_string_equal(pp->why[IP_V6], pp->why[IP_V4]);
	assert_false(pp->path.possible[IP_V4]);
	assert_false(pp->path.has_source[IP_V4]);
	for (size_t i = 0; i < x->plan.n_routes; i++)
		assert_int_not_equal(x->plan.routes[i].ifindex, wan1->index);
	NO_RULE(x, "1074: from 198.18.0.2/32 iif lo lookup 26302");
	NO_RULE(x, "1070: from 198.18.0.2/32 iif lan lookup 26430");
	NO_RULE(x, "1020: from all to 198.18.0.0/24 iif lan goto 1055");
	assert_false(plan_provider_find(&x->plan, 2)->alive[IP_V4]);
	assert_false(plan_provider_find(&x->plan, 2)->has_nat[IP_V4]);
	/* who has its mark goes nowhere else, and what leaves is filtered as ever */
	RULE(x, "1000: from all fwmark 0x20000/0xff0000 lookup 26302");
	ROUTE(x, "prohibit default table 26302 metric 4000000000");
	assert_string_equal(pp->path.device, "wan1");
	assert_true(may_leave(x, 2, "198.18.0.2"));
	ROUTE(x, "default via 203.0.113.1 dev wan0 src 203.0.113.2 table 26429 metric 10");
	wan1->vrf[0] = '\0';
	make(x);
	assert_true(plan_path_find(&x->plan, 2)->usable[IP_V4]);
}

static void a_tunnel_borrows_no_address_of_a_vrf(void **state)
{
	struct fixture *x = *state;
	struct agent_interface *in = &x->links.inventory.interfaces[LAN];

	make(x);
	assert_string_equal(source_of(x, 3, IP_V4), "192.0.2.1");
	snprintf(in->vrf, sizeof(in->vrf), "red");
	make(x);
	assert_string_equal(source_of(x, 3, IP_V4), "");
	assert_string_equal(x->plan.problem, "inside lan is in VRF red, only the default one is steered: "
					     "\"ip link set lan nomaster\"");
}

static bool pop_is_excused(struct fixture *x)
{
	make(x);
	for (size_t i = 0; i < x->plan.n_paths; i++) {
		if (x->plan.paths[i].path.kind == PATH_TUNNEL)
			return x->plan.paths[i].path.excused;
	}
	return false;
}

static void a_tunnel_whose_sav_iked_begins_anew_is_excused_until_it_has_keys(void **state)
{
	struct fixture *x = *state;
	struct agent_interface *in = &x->links.inventory.interfaces[TUN0];

	in->up = x->tunnel.up = false;
	assert_false(pop_is_excused(x));
	x->world.tunnels_away = true;
	in->name[0] = 'x'; /* gone */
	assert_true(pop_is_excused(x));
	in->name[0] = 't'; /* made, and not yet up */
	assert_true(pop_is_excused(x));
	in->up = true;
	assert_true(pop_is_excused(x));
	x->tunnel.up = true;
	assert_false(pop_is_excused(x));
	in->up = false;
	assert_true(pop_is_excused(x));
	x->links.inventory.interfaces[WAN0].up = false;
	make(x);
	assert_false(x->plan.paths[0].path.excused); /* a link is nobody's that is started anew */
}

static void own_traffic_has_the_default_provider_first(void **state)
{
	struct fixture *x = *state;

	snprintf(x->site.default_provider, PATH_NAME_SIZE, "b");
	make(x);
	RULE(x, "1090: from all iif lo lookup 26492");
	ROUTE(x, "default via 198.18.0.1 dev wan1 src 198.18.0.2 table 26492 metric 10");
	ROUTE(x, "default via 203.0.113.1 dev wan0 src 203.0.113.2 table 26492 metric 1010");
	assert_int_equal(x->plan.providers[0].number, 2);
}

static void private_sources_are_translated_by_each_provider(void **state)
{
	struct fixture *x = *state;
	const struct plan_provider *a, *b;

	provider(x, "a")->nat = true;
	provider(x, "b")->nat = true;
	x->delegation = prefix("2001:db8:b00::/56");
	x->world.delegations = &x->delegation;
	x->world.n_delegations = 1;
	put_prefix(x, provider(x, "b"), SITE_DELEGATION, "2001:db8:b00::/40",
		   "wan1");
	make(x);
	a = plan_provider_find(&x->plan, 1);
	b = plan_provider_find(&x->plan, 2);
	assert_true(plan_can_nat(a, IP_V4));
	assert_true(a->nat_to[IP_V4].v == addr("203.0.113.2").v);
	assert_int_equal(a->nat_to[IP_V6].len, 128);
	assert_int_equal(b->nat_to[IP_V6].len, 56);
	/* it has no way for IPv6 */
	assert_false(plan_can_nat(b, IP_V6));
	assert_int_equal(x->plan.n_privates, 4); /* RFC 1918, and fd00:9::/64 of lan */
	RULE(x, "-6 1070: from 2001:db8:b00::/56 iif lan lookup 26430");
}

static void only_the_providers_sources_leave(void **state)
{
	struct fixture *x = *state;
	struct ip_addr a = addr("192.0.2.5"), link0 = addr("203.0.113.2"),
		       link1 = addr("198.18.0.2"), none = addr("10.9.0.5");

	provider(x, "a")->nat = true;
	make(x);
	/* wan0, pop, wan1 */
	assert_true(addrset_contains(&x->plan.paths[0].egress, &a));
	assert_true(addrset_contains(&x->plan.paths[0].egress, &link0));
	assert_false(addrset_contains(&x->plan.paths[0].egress, &link1));
	assert_false(addrset_contains(&x->plan.paths[0].egress, &none));
	assert_true(addrset_contains(&x->plan.paths[1].egress, &a));
	assert_true(addrset_contains(&x->plan.paths[1].egress, &link0));
	assert_false(addrset_contains(&x->plan.paths[2].egress, &a));
	assert_false(addrset_contains(&x->plan.paths[2].egress, &link0));
	assert_true(addrset_contains(&x->plan.paths[2].egress, &link1));
}

static void a_new_address_moves_rules_routes_and_translation(void **state)
{
	struct fixture *x = *state;
	struct agent_interface *in = &x->links.inventory.interfaces[3];

	make(x);
	in->addresses[0].addr = addr("198.18.0.77");
	make(x);
	RULE(x, "1070: from 198.18.0.77/32 iif lan lookup 26430");
	RULE(x, "1074: from 198.18.0.77/32 iif lo lookup 26302");
	assert_false(has_rule(x, "1070: from 198.18.0.2/32 iif lan lookup 26430"));
	ROUTE(x, "default via 198.18.0.1 dev wan1 src 198.18.0.77 table 26430 metric 10");
}

static void a_leased_address_in_anothers_prefix_is_not_used(void **state)
{
	struct fixture *x = *state;

	x->links.inventory.interfaces[3].addresses[0].addr = addr("192.0.2.9");
	make(x);
	assert_int_equal(plan_provider_find(&x->plan, 2)->n_prefixes, 0);
	assert_non_null(strstr(plan_provider_find(&x->plan, 2)->problem, "192.0.2.9/32"));
}

static void nothing_is_planned_without_providers(void **state)
{
	struct fixture *x = *state;

	site_fini(&x->site);
	make(x);
	assert_int_equal(x->plan.n_rules + x->plan.n_routes, 0);
}

static void a_tunnel_that_is_called_like_a_link_is_not_the_link(void **state)
{
	struct fixture *x = *state;

	snprintf(provider(x, "a")->paths[1].name, PATH_NAME_SIZE, "wan1");
	make(x);
	assert_non_null(strstr(x->plan.paths[1].why[IP_V4], "wan1: it is a link"));
	assert_string_equal(x->plan.paths[1].path.device, "");
	/* nor the inside interface, whoever says so */
	snprintf(provider(x, "a")->paths[1].name, PATH_NAME_SIZE, "pop");
	snprintf(x->tunnel.device, sizeof(x->tunnel.device), "lan");
	make(x);
	assert_non_null(strstr(x->plan.paths[1].why[IP_V4], "lan: it is an inside"));
	assert_false(x->plan.paths[1].usable[IP_V4]);
}

static void an_inside_subnet_within_a_links_is_inside(void **state)
{
	struct fixture *x = *state;

	put_address(x, LAN, "198.18.0.129/25", ADDRESS_FIT);
	make(x);
	RULE(x, "1018: from all to 198.18.0.128/25 iif lan goto 1040");
	RULE(x, "1020: from all to 198.18.0.0/24 iif lan goto 1055");
	assert_int_equal(x->plan.n_nested, 1);
	NO_RULE(x, "1018: from all to 192.0.2.0/26 iif lan goto 1040");
}

/* ---- which source ---- */

static void a_virtual_or_secondary_address_is_no_source(void **state)
{
	struct fixture *x = *state;

	drop_addresses(x, WAN1);
	put_address(x, WAN1, "198.18.0.2/32", ADDRESS_FIT); /* lower, not in the gateway's subnet */
	put_address(x, WAN1, "198.18.0.3/24", ADDRESS_SECONDARY);
	put_address(x, WAN1, "198.18.0.4/24", ADDRESS_FIT);
	make(x);
	assert_string_equal(source_of(x, 2, IP_V4), "198.18.0.4");
	ROUTE(x, "default via 198.18.0.1 dev wan1 src 198.18.0.4 table 26430 metric 10");
}

static void a_deprecated_address_is_the_last_resort(void **state)
{
	struct fixture *x = *state;

	drop_addresses(x, WAN0);
	put_address(x, WAN0, "2001:db8:ff0::2/64", ADDRESS_DEPRECATED);
	make(x);
	assert_string_equal(source_of(x, 1, IP_V6), "2001:db8:ff0::2");
	put_address(x, WAN0, "2001:db8:ff1::2/64", ADDRESS_FIT);
	make(x);
	assert_string_equal(source_of(x, 1, IP_V6), "2001:db8:ff1::2");
}

static void a_tentative_address_is_in_no_route(void **state)
{
	struct fixture *x = *state;

	drop_addresses(x, WAN0);
	put_address(x, WAN0, "2001:db8:ff0::2/64", ADDRESS_TENTATIVE);
	provider(x, "a")->nat = true;
	make(x);
	assert_string_equal(source_of(x, 1, IP_V6), "");
	ROUTE(x, "-6 default via fe80::ff dev wan0 table 26429 metric 10");
	assert_false(plan_can_nat(plan_provider_find(&x->plan, 1), IP_V6));
	drop_addresses(x, WAN0);
	put_address(x, WAN0, "2001:db8:ff0::2/64", ADDRESS_FIT);
	make(x);
	assert_string_equal(source_of(x, 1, IP_V6), "2001:db8:ff0::2");
	assert_true(plan_can_nat(plan_provider_find(&x->plan, 1), IP_V6));
}

static void the_source_stays_while_it_is_there(void **state)
{
	struct fixture *x = *state;

	make(x);
	drop_addresses(x, WAN1);
	put_address(x, WAN1, "198.18.0.1/24", ADDRESS_FIT); /* lower */
	put_address(x, WAN1, "198.18.0.2/24", ADDRESS_FIT);
	make(x);
	assert_string_equal(source_of(x, 2, IP_V4), "198.18.0.2");
	drop_addresses(x, WAN1);
	put_address(x, WAN1, "198.18.0.1/24", ADDRESS_FIT);
	make(x);
	assert_string_equal(source_of(x, 2, IP_V4), "198.18.0.1");
}

static void an_address_in_anothers_prefix_is_none_of_the_links(void **state)
{
	struct fixture *x = *state;

	put_address(x, WAN1, "192.0.2.9/32", ADDRESS_FIT); /* a's */
	provider(x, "b")->nat = true;
	make(x);
	assert_false(may_leave(x, 2, "192.0.2.9"));
	assert_true(may_leave(x, 2, "198.18.0.2"));
	assert_true(may_leave(x, 1, "192.0.2.9"));
	NO_RULE(x, "1074: from 192.0.2.9/32 iif lo lookup 26302");
	RULE(x, "1075: from 192.0.2.0/26 iif lo lookup 26429");
	assert_string_equal(source_of(x, 2, IP_V4), "198.18.0.2");
	assert_non_null(strstr(plan_provider_find(&x->plan, 2)->problem, "192.0.2.9/32"));
	/* and where it is the only one, there is nothing to translate to */
	drop_addresses(x, WAN1);
	put_address(x, WAN1, "192.0.2.9/24", ADDRESS_FIT);
	make(x);
	assert_string_equal(source_of(x, 2, IP_V4), "");
	assert_false(plan_provider_find(&x->plan, 2)->has_nat[IP_V4]);
	assert_false(may_leave(x, 2, "192.0.2.9"));
}

static void what_is_translated_to_is_no_leased_prefix_of_another(void **state)
{
	struct fixture *x = *state;
	struct ip_addr to = addr("198.18.0.2"); /* wan1 has it, by DHCP */
	struct diag diag;

	assert_int_equal(site_nat_to(&x->site, provider(x, "a"), &to, &diag), 0);
	make(x);
	assert_false(plan_provider_find(&x->plan, 1)->has_nat[IP_V4]);
	assert_false(may_leave(x, 1, "198.18.0.2"));
	assert_non_null(strstr(plan_provider_find(&x->plan, 1)->problem, "198.18.0.2/32"));
}

static void a_tunnels_own_link_local_address_asks_its_head(void **state)
{
	struct fixture *x = *state;
	struct site_path *pop = &provider(x, "a")->paths[1];

	put_address(x, TUN0, "169.254.7.2/30", ADDRESS_FIT);
	make(x);
	assert_true(may_leave(x, 3, "169.254.7.2"));
	assert_false(may_leave(x, 3, "169.254.7.1"));
	assert_string_equal(source_of(x, 3, IP_V4), "192.0.2.1");
	pop->has_head[IP_V4] = true;
	pop->head[IP_V4] = addr("169.254.7.1");
	make(x);
	assert_string_equal(source_of(x, 3, IP_V4), "169.254.7.2");
	/* own traffic to anywhere does not have it */
	ROUTE(x, "default dev tun0 src 192.0.2.1 table 26429 metric 20");
}

/* ---- flows ---- */

/* The marks of IPv4 flows that the last plan left behind, in order, as text. */
static const char *flows_gone(const struct fixture *x)
{
	static struct plan_flows gone[PLAN_FLOWS_MAX];
	static char text[256];
	const size_t n = plan_flows_gone(&x->before, &x->plan, gone);

	text[0] = '\0';
	for (size_t i = 0; i < n && strlen(text) < sizeof(text) - 24; i++) {
		if (gone[i].family == IP_V4)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%x/%x ",
				 gone[i].mark, gone[i].mask);
	}
	return text;
}

static void let_in(struct fixture *x, const char *sources)
{
	struct ip_prefix one = prefix(sources);

	addrset_append(&x->tunnel.sources, &one);
	addrset_normalize(&x->tunnel.sources);
}

/* sav-esp would drop whatever it is given. */
static void a_tunnel_whose_selectors_have_no_source_of_the_provider_is_no_path(void **state)
{
	struct fixture *x = *state;

	let_in(x, "198.51.100.0/24");
	make(x);
	assert_false(x->plan.paths[1].usable[IP_V4]);
	assert_false(x->plan.paths[1].path.possible[IP_V4]);
	assert_string_equal(x->plan.paths[1].why[IP_V4],
			    "its selectors have no source of the provider's, as 192.0.2.0/26");
	NO_ROUTE(x, "default dev tun0 src 192.0.2.1 table 26429 metric 20");
	x->states[1].alive = PATH_DOWN;
	make(x);
	assert_false(plan_provider_find(&x->plan, 1)->alive[IP_V4]);
	/* some of them: it is used, and told */
	let_in(x, "192.0.2.0/27");
	make(x);
	ROUTE(x, "default dev tun0 src 192.0.2.1 table 26429 metric 10");
	assert_string_equal(plan_provider_find(&x->plan, 1)->problem,
			    "tunnel pop: selectors without 192.0.2.32/27");
	let_in(x, "192.0.2.0/24");
	make(x);
	assert_string_equal(plan_provider_find(&x->plan, 1)->problem, "");
	addrset_fini(&x->tunnel.sources);
}

/* Private ones are translated before. */
static void a_tunnels_selectors_have_what_is_translated_to(void **state)
{
	struct fixture *x = *state;

	site_provider_find(&x->site, "b")->nat = true;
	put_path(x, provider(x, "b"), PATH_TUNNEL, "popb", "wan0");
	snprintf(x->tunnel.name, sizeof(x->tunnel.name), "popb");
	let_in(x, "10.0.0.0/8");
	make(x);
	assert_non_null(strstr(x->plan.paths[3].why[IP_V4], "as 198.18.0.2/32"));
	let_in(x, "198.18.0.2/32");
	make(x);
	assert_true(x->plan.paths[3].usable[IP_V4]);
	addrset_fini(&x->tunnel.sources);
}

static void flows_of_what_is_dead_or_moved_are_forgotten(void **state)
{
	struct fixture *x = *state;

	make(x);
	make(x);
	assert_string_equal(flows_gone(x), "");
	x->states[1].alive = PATH_DOWN;
	make(x);
	assert_string_equal(flows_gone(x), ""); /* the tunnel goes on with them */
	x->tunnel.up = false;
	make(x);
	assert_string_equal(flows_gone(x), "810000/ff0000 410000/ff0000 430000/ff0000 ");
	drop_addresses(x, WAN1);
	put_address(x, WAN1, "198.18.0.77/24", ADDRESS_FIT);
	make(x);
	assert_string_equal(flows_gone(x), "420000/ff0000 ");
}

static void flows_of_a_removed_provider_are_forgotten(void **state)
{
	struct fixture *x = *state;
	struct diag diag;

	make(x);
	assert_int_equal(site_path_del(&x->site, provider(x, "a"), PATH_TUNNEL, "pop", &diag), 0);
	make(x);
	assert_string_equal(flows_gone(x), "430000/ff0000 ");
	assert_int_equal(site_provider_del(&x->site, "b", &diag), 0);
	make(x);
	assert_string_equal(flows_gone(x), "820000/ff0000 420000/ff0000 ");
	/* another one takes the number at once */
	assert_int_equal(site_provider_del(&x->site, "a", &diag), 0);
	put_path(x, site_provider_get(&x->site, "c", &diag), PATH_LINK, "wan0", "");
	make(x);
	assert_int_equal(provider(x, "c")->number, 1);
	assert_string_equal(flows_gone(x), "810000/ff0000 410000/ff0000 ");
	assert_int_equal(site_provider_del(&x->site, "c", &diag), 0);
	make(x);
	assert_string_equal(flows_gone(x), "810000/ff0000 410000/ff0000 ");
}

static void flows_with_marks_of_before_are_forgotten(void **state)
{
	struct fixture *x = *state;
	struct diag diag;

	make(x);
	assert_int_equal(site_mark_mask(&x->site, 0xff, &diag), 0);
	make(x);
	assert_string_equal(flows_gone(x), "810000/ff0000 410000/ff0000 430000/ff0000 820000/ff0000 420000/ff0000 ");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(sources_choose_the_provider),
		CASE(the_best_live_path_has_the_lowest_metric),
		CASE(a_dead_path_is_left_but_can_be_probed),
		CASE(a_provider_that_is_dead_in_all_ways_prohibits),
		CASE(interfaces_that_are_gone_or_down_are_no_path),
		CASE(what_lies_in_a_vrf_is_no_path_and_says_so),
		CASE(a_tunnel_borrows_no_address_of_a_vrf),
		CASE(a_tunnel_whose_sav_iked_begins_anew_is_excused_until_it_has_keys),
		CASE(own_traffic_has_the_default_provider_first),
		CASE(private_sources_are_translated_by_each_provider),
		CASE(only_the_providers_sources_leave),
		CASE(a_new_address_moves_rules_routes_and_translation),
		CASE(a_leased_address_in_anothers_prefix_is_not_used),
		CASE(a_tunnel_that_is_called_like_a_link_is_not_the_link),
		CASE(an_inside_subnet_within_a_links_is_inside),
		CASE(a_virtual_or_secondary_address_is_no_source),
		CASE(a_deprecated_address_is_the_last_resort),
		CASE(a_tentative_address_is_in_no_route),
		CASE(the_source_stays_while_it_is_there),
		CASE(an_address_in_anothers_prefix_is_none_of_the_links),
		CASE(what_is_translated_to_is_no_leased_prefix_of_another),
		CASE(a_tunnels_own_link_local_address_asks_its_head),
		CASE(a_tunnel_whose_selectors_have_no_source_of_the_provider_is_no_path),
		CASE(a_tunnels_selectors_have_what_is_translated_to),
		CASE(flows_of_what_is_dead_or_moved_are_forgotten),
		CASE(flows_of_a_removed_provider_are_forgotten),
		CASE(flows_with_marks_of_before_are_forgotten),
		CASE(nothing_is_planned_without_providers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
