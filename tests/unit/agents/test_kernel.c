/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What can be known of the nftables back end without a kernel; the rest is
 * tests/net/agent-kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agents/kernel.h"
#include "agents/nft_elems.h"
#include "agents/nft_rules.h"

static void old_kernels_get_fresh_sets(void **state)
{
	(void)state;
	assert_int_equal(kernel_strategy_for("6.1.0-28-amd64", false), KERNEL_SWAP);
	assert_int_equal(kernel_strategy_for("5.10.0", false), KERNEL_SWAP);
	assert_int_equal(kernel_strategy_for("6.18.3", false), KERNEL_SWAP);
	assert_int_equal(kernel_strategy_for("6.18.44-fc", true), KERNEL_DELTA);
	assert_int_equal(kernel_strategy_for("7.0.0", false), KERNEL_DELTA);
	assert_int_equal(kernel_strategy_for("10.2", false), KERNEL_DELTA);
	assert_int_equal(kernel_strategy_for("", false), KERNEL_SWAP);
}

static void names_of_objects(void **state)
{
	char name[TXN_NAME_SIZE];
	struct rules_name parsed;

	(void)state;
	rules_name(RULES_CONNECTED, IP_V6, "eth0.100-very-", UINT64_MAX, name);
	assert_string_equal(name, "connected6/eth0.100-very-/18446744073709551615");
	assert_true(rules_name_parse(name, &parsed));
	assert_int_equal(parsed.object, RULES_CONNECTED);
	assert_int_equal(parsed.family, IP_V6);
	assert_string_equal(parsed.interface, "eth0.100-very-");
	assert_true(parsed.version == UINT64_MAX);
	assert_false(rules_name_parse("accept4/eth0", &parsed));
	assert_false(rules_name_parse("accept4/eth0/0", &parsed));
	assert_false(rules_name_parse("accept4/eth0/01", &parsed));
	assert_false(rules_name_parse("other4/eth0/1", &parsed));
	assert_false(rules_name_parse("accept4//1", &parsed));
	rules_counter_name(RULES_COUNT_EXCEPT, "eth0", name);
	assert_string_equal(name, "except/eth0");
	rules_chain_name("eth0", name);
	assert_string_equal(name, "edge/eth0");
}

static struct rangeset set_of(const uint32_t (*r)[2], size_t n)
{
	struct rangeset s = { 0 };

	for (size_t i = 0; i < n; i++)
		rangeset_append(&s, r[i][0], r[i][1]);
	rangeset_normalize(&s);
	return s;
}

/* A change costs what changes, not what is there. */
static void a_delta_is_small(void **state)
{
	struct rangeset old = { 0 }, new = { 0 };
	struct txn *t = txn_new();
	size_t empty = txn_bytes(t);

	(void)state;
	for (uint32_t i = 0; i < 10000; i++)
		rangeset_append(&old, i * 4096, i * 4096 + 255);
	rangeset_copy(&new, &old);
	elems_delta(t, "s", IP_V4, &old, &new);
	assert_int_equal(txn_bytes(t), empty); /* no message at all */
	new.r[5000].last++;
	elems_delta(t, "s", IP_V4, &old, &new);
	assert_in_range(txn_bytes(t), empty + 100, empty + 400);
	txn_free(t);
	rangeset_fini(&old);
	rangeset_fini(&new);
}

/* The last address of the family has no address after it. */
static void the_last_range_has_no_end(void **state)
{
	static const uint32_t to_end[][2] = { { 10, UINT32_MAX } };
	static const uint32_t not_to_end[][2] = { { 10, UINT32_MAX - 1 } };
	struct rangeset a = set_of(to_end, 1), b = set_of(not_to_end, 1);
	struct txn *t = txn_new();
	size_t n0 = txn_bytes(t), n1, n2;

	(void)state;
	elems_add(t, "s", IP_V4, &a);
	n1 = txn_bytes(t);
	elems_add(t, "s", IP_V4, &b);
	n2 = txn_bytes(t);
	assert_true(n1 - n0 < n2 - n1);
	txn_free(t);
	rangeset_fini(&a);
	rangeset_fini(&b);
}

static void rules_differ_by_action(void **state)
{
	struct rules_edge e = { .interface = "eth0",
				.accept = { { KERNEL_SHAPE_ACCEPT, 0, 1 },
					    { KERNEL_SHAPE_DROP, 0, 2 } },
				.others = 3 };
	char *text[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		e.action = (enum filter_action)i;
		text[i] = rules_edge_text(&e);
	}
	assert_string_not_equal(text[0], text[1]);
	assert_string_not_equal(text[1], text[2]);
	assert_null(strstr(text[1], "drop ;")); /* observe never drops */
	assert_non_null(strstr(text[2], "drop ;"));
	for (int i = 0; i < 3; i++)
		free(text[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_kernels_get_fresh_sets),
		cmocka_unit_test(names_of_objects),
		cmocka_unit_test(a_delta_is_small),
		cmocka_unit_test(the_last_range_has_no_end),
		cmocka_unit_test(rules_differ_by_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
