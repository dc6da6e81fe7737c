/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An index that is not small: in parts, each of which grows by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "lib/mem.h"
#include "lib/prefix_index.h"

#define MANY 80000u

static uint64_t random_state = 3;

static uint32_t below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}

/* A fifth covers the next four each; told apart by i for both families. */
static struct ip_prefix nth(enum ip_family family, uint32_t i)
{
	unsigned int len = i % 5 == 0 ? 20 : 24;
	uint32_t addr = i / 5 << 12 | i % 5 << 8;

	return family == IP_V4 ? ip_prefix_make(IP_V4, addr, len)
			       : ip_prefix_make(IP_V6, (u128)addr << 80, len + 16);
}

static void compare(struct prefix_index *x, enum ip_family family, const bool *there)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		struct ip_prefix p = nth(family, i), q;
		uint32_t node = prefix_index_find(x, &p), parent;

		n += there[i];
		assert_int_equal(node != 0, there[i]);
		if (node != 0) {
			q = prefix_index_prefix(x, node);
			assert_int_equal(ip_prefix_cmp(&p, &q), 0);
			assert_int_equal(prefix_index_data(x, node)[0], i);
		}
		parent = prefix_index_parent(x, &p);
		assert_int_equal(parent != 0, i % 5 != 0 && there[i - i % 5]);
		if (parent != 0)
			assert_int_equal(prefix_index_data(x, parent)[0], i - i % 5);
	}
	assert_int_equal(x->n, n);
}

static void play(enum ip_family family)
{
	bool *there = mem_calloc(MANY, sizeof(*there));
	struct prefix_index x;

	prefix_index_init(&x, family, 12345);
	for (int round = 0; round < 4; round++) {
		for (uint32_t k = 0; k < 3 * MANY; k++) {
			uint32_t i = below(MANY), node;
			struct ip_prefix p = nth(family, i);

			there[i] = below(10) < (round % 2 ? 1u : 9u);
			if (there[i]) {
				node = prefix_index_get(&x, &p);
				prefix_index_data(&x, node)[0] = i;
			} else if ((node = prefix_index_find(&x, &p)) != 0) {
				prefix_index_erase(&x, node);
			}
		}
		compare(&x, family, there);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct ip_prefix p = nth(family, i);
		uint32_t node = prefix_index_find(&x, &p);

		if (node != 0)
			prefix_index_erase(&x, node);
	}
	assert_int_equal(prefix_index_bytes(&x), 0);
	prefix_index_fini(&x);
	free(there);
}

static void test_random_history(void **state)
{
	play(IP_V4);
	play(IP_V6);
}

static void test_no_prefix_waits_for_all_others(void **state)
{
	struct prefix_index x;
	uint32_t in_step = 0, until = 0;

	prefix_index_init(&x, IP_V4, 12345);
	for (uint32_t i = 0; i < 5 * MANY; i++) {
		struct ip_prefix p = nth(IP_V4, i);
		uint32_t before = x.cap_slots;

		prefix_index_get(&x, &p);
		assert_true(x.n_unlinked < 20000);
		if (i < 30000)
			continue;
		assert_true(x.cap_slots - before <= x.cap_slots / 50);
		/* nor do many of the 256 parts grow at about one time: each grows once
		 * while the index grows by a half, so 13 of them by 2% */
		if (i > until) {
			until = i + i / 50;
			in_step = 0;
		}
		in_step += x.cap_slots != before;
		assert_true(in_step < 40);
	}
	prefix_index_fini(&x);
	/* what is reserved does not grow */
	prefix_index_init(&x, IP_V4, 12345);
	prefix_index_reserve(&x, MANY);
	in_step = x.cap_slots;
	for (uint32_t i = 0; i < MANY; i++)
		prefix_index_get(&x, (struct ip_prefix[]){ nth(IP_V4, i) });
	assert_in_range(x.cap_slots, in_step, in_step + in_step / 20);
	prefix_index_fini(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_history),
		cmocka_unit_test(test_no_prefix_waits_for_all_others),
	};

	return cmocka_run_group_tests_name("prefix_index", tests, NULL, NULL);
}
