/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The planner over a table of worlds: what must be among the rules and routes,
 * and what must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agents/steer/plan.h"
#include "lib/mem.h"

#define DEVICES 5

/* lan 10.9.0.1/24 192.0.2.1/26 2001:db8:a::1/64 fd00:9::1/64, wan0 203.0.113.2/30
 * 2001:db8:ff0::2/64, wan1 198.18.0.2/24, tun0 without addresses, wan2 not there */
static const char *const names[DEVICES] = { "lan", "tun0", "wan0", "wan1", "zz" };
static const char *const addresses[DEVICES][6] = {
	{ "192.0.2.1/26", "10.9.0.1/24", "2001:db8:a::1/64", "fd00:9::1/64", "fe80::1/64" },
	{ NULL },
	{ "203.0.113.2/30", "2001:db8:ff0::2/64", "fe80::2/64" },
	{ "198.18.0.2/24" },
	{ "198.18.9.9/24" },
};

struct fixture {
	struct site site;
	struct link_table links;
	struct steer_gateway gateways[2];
	struct steer_tunnel tunnel;
	struct ip_prefix delegation;
	struct path_state states[PATH_NUMBER_MAX + 1];
	struct steer_world world;
	struct plan plan;
};

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p = { 0 };

	assert_int_not_equal(ip_prefix_parse(text, &p), IP_PARSE_SYNTAX);
	return p;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static void put_address(struct fixture *x, size_t device, const char *text)
{
	struct agent_interface *in = &x->links.inventory.interfaces[device];
	char own[IP_TEXT_SIZE];
	struct ip_prefix p = prefix(text);
	struct ip_addr a;

	snprintf(own, sizeof(own), "%.*s", (int)(strchr(text, '/') - text), text);
	a = addr(own);
	in->addresses = mem_realloc(in->addresses, in->n_addresses + 1, sizeof(*in->addresses));
	in->addresses[in->n_addresses++] = (struct agent_address){ a, p.len };
	if (p.v >> 118 != 0x3fa)
		addrset_append(&x->links.connected[device], &p);
}

static void put_path(struct fixture *x, struct site_provider *p, enum path_kind kind,
		     const char *name, const char *via)
{
	struct site_path c = { .kind = kind };
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.via, sizeof(c.via), "%s", via);
	assert_int_equal(site_path_put(&x->site, p, &c, &diag), 0);
}

static void put_prefix(struct fixture *x, struct site_provider *p, enum site_source source,
		       const char *text, const char *link)
{
	struct site_prefix c = { .source = source, .prefix = prefix(text) };
	struct diag diag;

	snprintf(c.link, sizeof(c.link), "%s", link);
	assert_int_equal(site_prefix(&x->site, p, &c, true, &diag), 0);
}

static int setup(void **state)
{
	struct fixture *x = mem_alloc(sizeof(*x));
	struct site_provider *p;
	struct diag diag;

	*state = x;
	x->links.inventory.interfaces = mem_calloc(DEVICES, sizeof(struct agent_interface));
	x->links.inventory.n = DEVICES;
	x->links.connected = mem_calloc(DEVICES, sizeof(struct addrset));
	for (size_t i = 0; i < DEVICES; i++) {
		struct agent_interface *in = &x->links.inventory.interfaces[i];

		snprintf(in->name, sizeof(in->name), "%s", names[i]);
		in->index = (uint32_t)(i + 10);
		in->up = true;
		for (size_t j = 0; j < 6 && addresses[i][j]; j++)
			put_address(x, i, addresses[i][j]);
		addrset_normalize(&x->links.connected[i]);
	}
	x->gateways[0] = (struct steer_gateway){
		.ifindex = 12, .found = { true, true }, .has_address = { true, true },
		.address = { addr("203.0.113.1"), addr("fe80::ff") },
	};
	x->gateways[1] = (struct steer_gateway){
		.ifindex = 13, .found = { true, false }, .has_address = { true, false },
		.address = { addr("198.18.0.1") },
	};
	x->tunnel = (struct steer_tunnel){ .name = "pop", .device = "tun0", .up = true,
					   .carries = { true, true } };
	x->world = (struct steer_world){
		.links = &x->links, .gateways = x->gateways, .n_gateways = 2,
		.tunnels = &x->tunnel, .n_tunnels = 1, .tunnels_known = true,
		.states = x->states,
	};
	site_init(&x->site);
	assert_int_equal(site_inside(&x->site, "lan", true, &diag), 0);
	p = site_provider_get(&x->site, "a", &diag);
	put_path(x, p, PATH_LINK, "wan0", "");
	put_prefix(x, p, SITE_STATIC, "192.0.2.0/26", "");
	p = site_provider_get(&x->site, "b", &diag);
	put_path(x, p, PATH_LINK, "wan1", "");
	put_prefix(x, p, SITE_ADDRESS, "::/0", "wan1");
	put_path(x, site_provider_find(&x->site, "a"), PATH_TUNNEL, "pop", "wan1");
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	plan_fini(&x->plan);
	site_fini(&x->site);
	link_table_fini(&x->links);
	free(x);
	return 0;
}

static void make(struct fixture *x)
{
	plan_fini(&x->plan);
	plan_make(&x->plan, &x->site, &x->world);
}

static bool has_rule(const struct fixture *x, const char *text)
{
	char line[PLAN_TEXT_SIZE];

	for (size_t i = 0; i < x->plan.n_rules; i++) {
		if (strcmp(plan_rule_format(&x->plan.rules[i], line), text) == 0)
			return true;
	}
	return false;
}

static bool has_route(const struct fixture *x, const char *text)
{
	char line[PLAN_TEXT_SIZE], device[16];

	for (size_t i = 0; i < x->plan.n_routes; i++) {
		const struct plan_route *r = &x->plan.routes[i];

		snprintf(device, sizeof(device), "%s",
			 r->ifindex ? names[r->ifindex - 10] : "");
		if (strcmp(plan_route_format(r, device, line), text) == 0)
			return true;
	}
	return false;
}

static void dump(const struct fixture *x)
{
	char line[PLAN_TEXT_SIZE];

	for (size_t i = 0; i < x->plan.n_rules; i++)
		print_error("%s\n", plan_rule_format(&x->plan.rules[i], line));
	for (size_t i = 0; i < x->plan.n_routes; i++)
		print_error("%s\n", plan_route_format(&x->plan.routes[i], "?", line));
}

#define RULE(x, text)                                        \
	do {                                                 \
		if (!has_rule(x, text)) {                    \
			dump(x);                             \
			fail_msg("no rule \"%s\"", text);    \
		}                                            \
	} while (0)
#define ROUTE(x, text)                                       \
	do {                                                 \
		if (!has_route(x, text)) {                   \
			dump(x);                             \
			fail_msg("no route \"%s\"", text);   \
		}                                            \
	} while (0)
#define NO_ROUTE(x, text) assert_false(has_route(x, text))

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

	site_provider_find(&x->site, "a")->nat = true;
	site_provider_find(&x->site, "b")->nat = true;
	x->delegation = prefix("2001:db8:b00::/56");
	x->world.delegations = &x->delegation;
	x->world.n_delegations = 1;
	put_prefix(x, site_provider_find(&x->site, "b"), SITE_DELEGATION, "2001:db8:b00::/40",
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

	site_provider_find(&x->site, "a")->nat = true;
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

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(sources_choose_the_provider),
		CASE(the_best_live_path_has_the_lowest_metric),
		CASE(a_dead_path_is_left_but_can_be_probed),
		CASE(a_provider_that_is_dead_in_all_ways_prohibits),
		CASE(interfaces_that_are_gone_or_down_are_no_path),
		CASE(own_traffic_has_the_default_provider_first),
		CASE(private_sources_are_translated_by_each_provider),
		CASE(only_the_providers_sources_leave),
		CASE(a_new_address_moves_rules_routes_and_translation),
		CASE(a_leased_address_in_anothers_prefix_is_not_used),
		CASE(nothing_is_planned_without_providers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
