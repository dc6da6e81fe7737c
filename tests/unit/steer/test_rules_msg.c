/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rules and routes as messages: what is written reads back the same, what is
 * somebody else's is not ours, and a message that is cut is no crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "agents/steer/rules_nl_msg.h"
#include "lib/mem.h"

#define OURS 79

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p = { 0 };

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static const struct plan_rule *rules(size_t *n)
{
	static struct plan_rule r[8];

	*n = 0;
	r[(*n)++] = (struct plan_rule){ .priority = 1000, .family = IP_V4, .action = PLAN_LOOKUP,
					.mark = 0x10000, .mask = 0xff0000, .target = 26301 };
	r[(*n)++] = (struct plan_rule){ .priority = 1020, .family = IP_V6, .action = PLAN_GOTO,
					.has_to = true, .to = prefix("2001:db8:b0::/64"),
					.iif = "lan", .target = 1055 };
	r[(*n)++] = (struct plan_rule){ .priority = 1040, .family = IP_V4, .action = PLAN_LOOKUP,
					.specific_only = true, .target = 254 };
	r[(*n)++] = (struct plan_rule){ .priority = 1055, .family = IP_V6, .action = PLAN_NOP };
	r[(*n)++] = (struct plan_rule){ .priority = 1070, .family = IP_V4, .action = PLAN_LOOKUP,
					.has_from = true, .from = prefix("192.0.2.0/25"),
					.iif = "interface-name1", .target = 26429 };
	r[(*n)++] = (struct plan_rule){ .priority = 1075, .family = IP_V6, .action = PLAN_LOOKUP,
					.has_from = true, .from = prefix("2001:db8::1/128"),
					.iif = "lo", .target = 4294967000u };
	r[(*n)++] = (struct plan_rule){ .priority = 1080, .family = IP_V4,
					.action = PLAN_PROHIBIT, .iif = "lan" };
	return r;
}

static const struct plan_route *routes(size_t *n)
{
	static struct plan_route r[8];

	*n = 0;
	r[(*n)++] = (struct plan_route){ .family = IP_V4, .table = 26429, .metric = 10,
					 .ifindex = 12, .has_gateway = true, .has_source = true,
					 .gateway = addr("203.0.113.1"),
					 .source = addr("203.0.113.2") };
	r[(*n)++] = (struct plan_route){ .family = IP_V6, .table = 26429, .metric = 20,
					 .ifindex = 3, .has_gateway = true,
					 .to = { .family = IP_V6 }, .gateway = addr("fe80::1") };
	r[(*n)++] = (struct plan_route){ .family = IP_V4, .table = 26300, .metric = 10,
					 .ifindex = 3, .to = prefix("198.51.100.0/24") };
	r[(*n)++] = (struct plan_route){ .family = IP_V6, .table = 26300,
					 .metric = 4000000000u, .prohibit = true,
					 .to = { .family = IP_V6 } };
	return r;
}

static void rules_read_back_the_same(void **state)
{
	size_t n;
	const struct plan_rule *r = rules(&n);
	struct plan_rule back;
	char buf[512];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = rules_nl_put_rule(buf, &r[i], OURS, true);

		assert_true(rules_nl_read_rule(nlh, OURS, &back));
		assert_true(plan_rule_equal(&r[i], &back));
		assert_false(rules_nl_read_rule(nlh, 4, &back));
		/* a notification of somebody's deletion is none of what there is */
		nlh = rules_nl_put_rule(buf, &r[i], OURS, false);
		assert_false(rules_nl_read_rule(nlh, OURS, &back));
	}
}

static void routes_read_back_the_same(void **state)
{
	size_t n;
	const struct plan_route *r = routes(&n);
	struct plan_route back;
	char buf[512];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = rules_nl_put_route(buf, &r[i], OURS, true);

		assert_true(rules_nl_read_route(nlh, OURS, &back));
		assert_true(plan_route_equal(&r[i], &back));
		assert_false(rules_nl_read_route(nlh, 186, &back));
	}
}

/* Only what is there is read (the sanitizers see to that). Messages of the
 * kernel are padded to four bytes, and so are the pieces. */
static void cut_messages_are_no_crash(void **state)
{
	struct steer_gateway gateway = { 0 };
	struct ip_prefix p;
	size_t n;
	const struct plan_route *r = routes(&n);
	struct plan_route route;
	struct plan_rule rule;
	char buf[512];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const uint32_t len = rules_nl_put_route(buf, &r[i], OURS, true)->nlmsg_len;

		for (uint32_t cut = NLMSG_HDRLEN; cut < len; cut += NLMSG_ALIGNTO) {
			struct nlmsghdr *copy = mem_dup(buf, cut);

			copy->nlmsg_len = cut;
			rules_nl_read_route(copy, OURS, &route);
			rules_nl_read_rule(copy, OURS, &rule);
			rules_nl_read_default(copy, 12, &gateway);
			rules_nl_read_news(copy, OURS, &p);
			free(copy);
		}
	}
}

static void the_default_route_by_an_interface_names_the_gateway(void **state)
{
	struct plan_route r = { .family = IP_V4, .table = 254, .metric = 100, .ifindex = 12,
				.has_gateway = true, .gateway = addr("203.0.113.1") };
	struct steer_gateway g = { 0 };
	char buf[512];

	(void)state;
	rules_nl_read_default(rules_nl_put_route(buf, &r, 16, true), 12, &g);
	assert_true(g.found[IP_V4] && g.has_address[IP_V4]);
	assert_true(ip_addr_equal(&g.address[IP_V4], &r.gateway));
	g = (struct steer_gateway){ 0 };
	rules_nl_read_default(rules_nl_put_route(buf, &r, 16, true), 13, &g);
	assert_false(g.found[IP_V4]); /* another interface's */
	r.table = 100;
	rules_nl_read_default(rules_nl_put_route(buf, &r, 16, true), 12, &g);
	assert_false(g.found[IP_V4]); /* another table's */
	r.table = 254;
	r.has_gateway = false;
	rules_nl_read_default(rules_nl_put_route(buf, &r, 16, true), 12, &g);
	assert_true(g.found[IP_V4]);
	assert_false(g.has_address[IP_V4]); /* point to point */
	g = (struct steer_gateway){ 0 };
	r.to = prefix("198.51.100.0/24");
	rules_nl_read_default(rules_nl_put_route(buf, &r, 16, true), 12, &g);
	assert_false(g.found[IP_V4]); /* no default route */
}

static void news_are_told_apart(void **state)
{
	struct plan_route r = { .family = IP_V6, .table = 254, .ifindex = 1,
				.to = prefix("2001:db8:b00::/56") };
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	struct ip_prefix p;
	char buf[512];

	(void)state;
	nlh = rules_nl_put_route(buf, &r, OURS, true);
	assert_int_equal(rules_nl_read_news(nlh, OURS, &p), RULES_NL_OURS);
	nlh = rules_nl_put_route(buf, &r, 16, true);
	assert_int_equal(rules_nl_read_news(nlh, OURS, &p), RULES_NL_NOTHING);
	rtm = (struct rtmsg *)(buf + NLMSG_HDRLEN);
	rtm->rtm_type = RTN_UNREACHABLE;
	assert_int_equal(rules_nl_read_news(nlh, OURS, &p), RULES_NL_DELEGATION);
	assert_int_equal(ip_prefix_cmp(&p, &r.to), 0);
	r.to = (struct ip_prefix){ .family = IP_V6 };
	nlh = rules_nl_put_route(buf, &r, 16, true);
	assert_int_equal(rules_nl_read_news(nlh, OURS, &p), RULES_NL_DEFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_read_back_the_same),
		cmocka_unit_test(routes_read_back_the_same),
		cmocka_unit_test(cut_messages_are_no_crash),
		cmocka_unit_test(the_default_route_by_an_interface_names_the_gateway),
		cmocka_unit_test(news_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
