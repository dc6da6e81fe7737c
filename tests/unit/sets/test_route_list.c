/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Routes of both families, sorted at once and in bins, with many of one prefix.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sets/route_list.h"
#include "lib/mem.h"

static uint64_t random_state = 1;

static uint32_t below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}

/* From the whole space, with short ones, hosts and repetitions. */
static struct ip_prefix some_prefix(void)
{
	enum ip_family family = below(2) ? IP_V6 : IP_V4;
	unsigned int bits = ip_bits(family);
	u128 v = (u128)below(64) << (bits - 6) | (u128)below(16) << (bits - 20) | below(4);

	return ip_prefix_make(family, v, below(bits + 1));
}

static void sort_some(size_t n)
{
	struct routes routes = { 0 };
	size_t *seen = mem_calloc(n, sizeof(*seen)), runs = 1;
	struct ip_prefix *was = mem_calloc(n, sizeof(*was));

	for (size_t i = 0; i < n; i++) {
		was[i] = some_prefix();
		route_list_add(&routes, &(struct route){ was[i], NULL, i });
	}
	route_list_sort(&routes);
	assert_int_equal(routes.n, n);
	for (size_t i = 0; i < n; i++) {
		const struct route *r = &routes.r[i];

		assert_int_equal(seen[r->source]++, 0);
		assert_int_equal(ip_prefix_cmp(&r->prefix, &was[r->source]), 0);
		if (i == 0)
			continue;
		assert_true(ip_prefix_cmp(&r[-1].prefix, &r->prefix) <= 0);
		runs += ip_prefix_cmp(&r[-1].prefix, &r->prefix) != 0;
	}
	for (size_t i = 0; i < n; i = route_list_run_end(&routes, i))
		runs--;
	assert_int_equal(runs, 0);
	route_list_fini(&routes);
	assert_null(routes.r);
	free(was);
	free(seen);
}

static void test_sorted_whatever_their_number(void **state)
{
	static const size_t sizes[] = { 1, 2, 100, 4095, 4096, 4097, 30000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		sort_some(sizes[i]);
}

static void test_none_can_be_sorted(void **state)
{
	struct routes routes = { 0 };

	route_list_sort(&routes);
	assert_int_equal(routes.n, 0);
	route_list_fini(&routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_whatever_their_number),
		cmocka_unit_test(test_none_can_be_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
