/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From any configuration to any other: all changes are possible in the order in
 * which they are made, and nothing is left to do afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/policy/config_replace.h"

#define ROUNDS 3000
#define CHANGES 40

/* ---- configurations by chance, out of so few things that they collide ---- */

static unsigned int seed = 11;

static unsigned int chance(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

static struct ip_prefix some_prefix(void)
{
	return ip_prefix_make(IP_V4, (u128)(10 + chance(6)) << 24, 8);
}

static struct ip_addr some_addr(void)
{
	return (struct ip_addr){ 0xc0000200 + 1 + chance(5), IP_V4 };
}

static const char *some_name(void)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	return names[chance(4)];
}

static void change_router(struct config *cfg)
{
	const struct config_router *old = config_router_find(cfg, some_name());
	struct config_router r = { .name = "" };
	struct ip_addr addr = some_addr();
	struct diag diag;

	if (old)
		config_router_copy(&r, old);
	else
		snprintf(r.name, sizeof(r.name), "%s", some_name());
	config_addrs_set(&r.bmp_sources, &r.n_bmp_sources, &addr, chance(2));
	config_addrs_set(&r.excluded, &r.n_excluded, &addr, chance(2));
	r.exclude_bgp = chance(2);
	r.bmp_stats_s = chance(3);
	r.bgp = (struct config_bgp){ .as = chance(2) };
	if (r.bgp.as != 0) {
		r.bgp.addr = some_addr();
		r.bgp.port = CONFIG_BGP_PORT;
		snprintf(r.bgp.password, sizeof(r.bgp.password), "%s", some_name());
	}
	config_router_put(cfg, &r, &diag);
	config_router_fini(&r);
}

static void change_customer(struct config *cfg)
{
	const struct config_customer *old = config_customer_find(cfg, some_name());
	struct config_customer c = { .name = "" };
	struct config_term t = { some_prefix(), chance(3), chance(2) ? 10 + chance(9) : 0,
				 chance(3) == 0 };
	struct diag diag;

	if (old)
		config_customer_copy(&c, old);
	else
		snprintf(c.name, sizeof(c.name), "%s", some_name());
	c.as = chance(3);
	if (chance(3))
		config_record_set(&c, &t);
	else
		config_record_remove(&c, &t.prefix);
	config_customer_put(cfg, &c, &diag);
	config_customer_fini(&c);
}

static void change_edge(struct config *cfg)
{
	const char *router = some_name(), *interface = some_name();
	const struct config_edge *old = config_edge_find(cfg, router, interface);
	struct ip_addr addr = some_addr();
	struct ip_prefix p = some_prefix();
	struct config_edge e;
	struct diag diag;

	if (old)
		config_edge_copy(&e, old);
	else
		config_edge_init(&e, router, interface);
	snprintf(e.customer, sizeof(e.customer), "%s", chance(2) ? some_name() : "");
	e.role = chance(ROLE_INTERNAL + 1);
	e.mode = chance(MODE_OFF + 1);
	e.action = chance(2) ? FILTER_ENFORCE : FILTER_OBSERVE;
	e.holddown_s = chance(3);
	e.brake_growth_percent = chance(3);
	e.stale_policy = chance(3);
	config_addrs_set(&e.peers, &e.n_peers, &addr, chance(2));
	config_prefixes_set(&e.prefixes, &e.n_prefixes, &p, chance(2));
	config_edge_put(cfg, &e, &diag);
	config_edge_fini(&e);
}

static void change_list(struct config *cfg)
{
	struct ip_prefix p = some_prefix();
	struct config_listen l = { some_addr(), 1 };
	struct config_bmp_allow a = { .prefix = p };
	struct config_history h = { chance(3), chance(3) };
	struct diag diag;

	snprintf(a.password, sizeof(a.password), "%s", some_name());
	config_own_set(cfg, &p, chance(2), &diag);
	config_permit_set(cfg, &p, chance(2), &diag);
	config_bmp_listen_set(cfg, &l, chance(2), &diag);
	config_agent_listen_set(cfg, &l, chance(2), &diag);
	config_metrics_listen_set(cfg, &l, chance(2), &diag);
	config_bmp_allow_set(cfg, &a, chance(2), &diag);
	config_history_set(cfg, &h, &diag);
}

static void change_radius(struct config *cfg)
{
	struct config_radius_client c = { .name = "" };
	struct config_radius_rule r = { .number = 1 + chance(4), .create = chance(3) };
	struct config_radius_server s = { .addr = some_addr(), .port = 1812 };
	struct config_radius_listen l = { chance(2), some_addr(), 1813 };
	struct ip_prefix p = some_prefix();
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "%s", some_name());
	snprintf(c.secret, sizeof(c.secret), "%s", some_name());
	config_prefixes_set(&c.addresses, &c.n_addresses, &p, chance(2));
	if (chance(3))
		config_radius_client_put(cfg, &c, &diag);
	else
		config_radius_client_del(cfg, c.name, &diag);
	config_radius_client_fini(&c);
	snprintf(r.port, sizeof(r.port), "%s", some_name());
	if (chance(3))
		config_radius_rule_put(cfg, &r, &diag);
	else
		config_radius_rule_del(cfg, r.number, &diag);
	snprintf(s.secret, sizeof(s.secret), "%s", some_name());
	config_radius_server_set(cfg, &s, chance(2), &diag);
	config_radius_listen_set(cfg, &l, chance(2), &diag);
}

static void some_config(struct config *cfg)
{
	struct diag diag;

	config_init(cfg);
	config_set_time(cfg, 5);
	for (int i = 0; i < CHANGES; i++) {
		switch (chance(7)) {
		case 0:
			change_router(cfg);
			break;
		case 1:
		case 2:
			change_customer(cfg);
			break;
		case 3:
		case 4:
			change_edge(cfg);
			break;
		case 5:
			change_list(cfg);
			break;
		default:
			change_radius(cfg);
			break;
		}
	}
	config_router_del(cfg, some_name(), &diag);
	config_customer_del(cfg, some_name(), &diag);
}

/* ---- what is told and stored ---- */

static int puts_seen;

static int put_any(void)
{
	puts_seen++;
	return 0;
}

/* Counts what is stored; the functions take no notice of their arguments. */
static const struct config_sink counting = {
	.router = (void *)put_any,
	.customer = (void *)put_any,
	.edge = (void *)put_any,
	.own_prefix = (void *)put_any,
	.permit = (void *)put_any,
	.bmp_listen = (void *)put_any,
	.agent_listen = (void *)put_any,
	.metrics_listen = (void *)put_any,
	.bmp_allow = (void *)put_any,
	.max_paths = (void *)put_any,
	.history = (void *)put_any,
	.radius_client = (void *)put_any,
	.radius_rule = (void *)put_any,
	.radius_server = (void *)put_any,
	.radius_listen = (void *)put_any,
	.radius_settings = (void *)put_any,
};

static void test_from_any_to_any(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct config from, to, back;
		struct diag diag = { "" };

		some_config(&from);
		some_config(&to);
		config_clone(&back, &from);
		if (config_replace(&from, &to, &diag) < 0)
			fail_msg("round %d: %s", i, diag.text);
		/* nothing is left, seen from either side */
		puts_seen = 0;
		from.sink = to.sink = &counting;
		assert_int_equal(config_replace(&from, &to, &diag), 0);
		assert_int_equal(config_replace(&to, &from, &diag), 0);
		assert_int_equal(puts_seen, 0);
		from.sink = to.sink = NULL;
		if (config_replace(&from, &back, &diag) < 0)
			fail_msg("round %d, back: %s", i, diag.text);
		from.sink = &counting;
		assert_int_equal(config_replace(&from, &back, &diag), 0);
		assert_int_equal(puts_seen, 0);
		from.sink = NULL;
		config_fini(&from);
		config_fini(&to);
		config_fini(&back);
	}
}

struct heard {
	int before, parts[CONFIG_PARTS];
};

static void hear_before(enum config_part part, const char *router, const char *interface,
			void *arg)
{
	(void)part, (void)router, (void)interface;
	((struct heard *)arg)->before++;
}

static void hear(enum config_part part, const char *router, const char *interface, void *arg)
{
	(void)router, (void)interface;
	((struct heard *)arg)->parts[part]++;
}

static void test_who_watches_is_told_once(void **state)
{
	struct config cfg, target;
	struct diag diag = { "" };
	struct heard heard = { 0 };

	(void)state;
	config_init(&cfg);
	config_init(&target);
	for (int i = 0; i < 50; i++) {
		struct config_router r = { .name = "" };
		struct config_edge e;

		snprintf(r.name, sizeof(r.name), "r%d", i);
		assert_int_equal(config_router_put(&target, &r, &diag), 0);
		config_edge_init(&e, r.name, "eth0");
		assert_int_equal(config_edge_put(&target, &e, &diag), 0);
	}
	cfg.before = hear_before;
	cfg.watch = hear;
	cfg.watch_arg = &heard;
	assert_int_equal(config_replace(&cfg, &target, &diag), 0);
	assert_int_equal(heard.before, 1);
	assert_int_equal(heard.parts[CONFIG_ROUTER], 1);
	assert_int_equal(heard.parts[CONFIG_EDGE], 1);
	assert_int_equal(heard.parts[CONFIG_CUSTOMER], 0);
	assert_ptr_equal(cfg.watch, hear);
	assert_ptr_equal(cfg.before, hear_before);
	config_fini(&cfg);
	config_fini(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_any_to_any),
		cmocka_unit_test(test_who_watches_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
