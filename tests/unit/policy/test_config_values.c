/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "controller/policy/config.h"
#include "tests/unit/policy/texts.h"

static void test_small_sets(void **state)
{
	static const char *const texts[] = { "9.0.0.0/8", "2001:db8::/32", "10.0.0.0/8",
					     "10.0.0.0/9", "2001:db8::/33" };
	static const char *const want[] = { "9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/9",
					    "2001:db8::/32", "2001:db8::/33" };
	struct ip_prefix *list = NULL;
	struct ip_addr *addrs = NULL, a = addr_of("::1"), c = addr_of("0.0.0.1");
	size_t n = 0, n_addrs = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 5; i++) {
			struct ip_prefix p = prefix_of(texts[i]);

			assert_int_equal(config_prefixes_set(&list, &n, &p, true),
					 round == 0);
		}
	}
	assert_int_equal(n, 5);
	for (size_t i = 0; i < 5; i++) {
		struct ip_prefix p = prefix_of(want[i]);

		assert_int_equal(ip_prefix_cmp(&list[i], &p), 0);
	}
	for (size_t i = 0; i < 5; i++) {
		struct ip_prefix p = prefix_of(texts[i]);

		assert_true(config_prefixes_set(&list, &n, &p, false));
		assert_false(config_prefixes_set(&list, &n, &p, false));
	}
	assert_int_equal(n, 0);
	/* the families' addresses of the same number are different ones */
	assert_true(config_addrs_set(&addrs, &n_addrs, &a, true));
	assert_true(config_addrs_set(&addrs, &n_addrs, &c, true));
	assert_int_equal(addrs[0].family, IP_V4);
	assert_true(config_addrs_set(&addrs, &n_addrs, &c, false));
	assert_int_equal(addrs[0].family, IP_V6);
	free(addrs);
	free(list);
}

static void test_edge_defaults(void **state)
{
	struct config_edge e;

	config_edge_init(&e, "r1", "eth0");
	assert_int_equal(e.role, ROLE_NONE);
	assert_int_equal(e.mode, MODE_DEFAULT);
	assert_int_equal(e.action, FILTER_OBSERVE);
	assert_int_equal(e.holddown_s, 900);
	assert_int_equal(e.brake_shrink_percent, 50);
	assert_int_equal(e.stale_policy, STALE_HOLD);
	assert_int_equal(config_edge_mode(&e), MODE_OFF);
	e.role = ROLE_INTERNAL;
	e.mode = MODE_FEASIBLE;
	assert_int_equal(config_edge_mode(&e), MODE_FEASIBLE);
}

static void test_words(void **state)
{
	enum edge_role role = ROLE_PEER;
	enum edge_mode mode = MODE_LOOSE;
	enum stale_policy stale = STALE_OFF;

	for (enum edge_role r = ROLE_CUSTOMER; r <= ROLE_INTERNAL; r++) {
		assert_true(edge_role_parse(edge_role_name(r), &role));
		assert_int_equal(role, r);
	}
	for (enum edge_mode m = MODE_ACL; m <= MODE_OFF; m++) {
		assert_true(edge_mode_parse(edge_mode_name(m), &mode));
		assert_int_equal(mode, m);
	}
	for (enum stale_policy s = STALE_HOLD; s <= STALE_OFF; s++) {
		assert_true(stale_policy_parse(stale_policy_name(s), &stale));
		assert_int_equal(stale, s);
	}
	assert_false(edge_role_parse("", &role));
	assert_false(edge_mode_parse("", &mode));
	assert_false(edge_mode_parse("efp", &mode));
	assert_false(stale_policy_parse("Hold", &stale));
	assert_int_equal(role, ROLE_INTERNAL);
	assert_int_equal(mode, MODE_OFF);
	assert_string_equal(edge_role_name(ROLE_NONE), "");
	assert_string_equal(edge_mode_name(MODE_DEFAULT), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_sets),
		cmocka_unit_test(test_edge_defaults),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
