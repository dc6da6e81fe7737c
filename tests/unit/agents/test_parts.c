/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agents/nft_parts.h"

static uint64_t seed = 1;

static uint64_t rnd(void) /* splitmix64 */
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Few addresses, so that ranges touch, vanish and reach both ends. */
#define UNIVERSE 400

static struct rangeset random_set(size_t most)
{
	struct rangeset s = { 0 };

	for (size_t n = rnd() % (most + 1); n != 0; n--) {
		u128 first = rnd() % UNIVERSE, last = first + rnd() % 5;

		if (rnd() % 30 == 0)
			last = ip_max(IP_V4);
		rangeset_append(&s, first, last);
	}
	rangeset_normalize(&s);
	return s;
}

/* As the kernel does: the part by address, then its list. */
static bool passes(const struct parts *ps, const struct rangeset *contents, u128 v)
{
	size_t i = 0;

	while (i + 1 < ps->n && ps->p[i + 1].first <= v)
		i++;
	return rangeset_contains(&contents[i], v) != (ps->shape == KERNEL_SHAPE_DROP);
}

static void check_verdicts(const struct parts *ps, const struct rangeset *accept)
{
	struct rangeset contents[UNIVERSE] = { 0 }, back = { 0 };

	assert_in_range(ps->n, 1, UNIVERSE);
	for (size_t i = 0; i < ps->n; i++) {
		parts_slice(ps, i, IP_V4, accept, &contents[i]);
		parts_join(ps, i, IP_V4, &contents[i], &back);
	}
	for (u128 v = 0; v < UNIVERSE + 8; v++)
		assert_int_equal(passes(ps, contents, v), rangeset_contains(accept, v));
	assert_int_equal(passes(ps, contents, ip_max(IP_V4)),
			 rangeset_contains(accept, ip_max(IP_V4)));
	rangeset_normalize(&back);
	assert_true(rangeset_equal(&back, accept));
	for (size_t i = 0; i < ps->n; i++)
		rangeset_fini(&contents[i]);
	rangeset_fini(&back);
}

static void both_shapes_give_the_same_verdicts(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct rangeset accept = random_set(60);
		size_t target = 1 + rnd() % 20;

		for (enum kernel_shape shape = KERNEL_SHAPE_ACCEPT;
		     shape <= KERNEL_SHAPE_DROP; shape++) {
			struct parts ps = { 0 };
			uint64_t version = 0;

			parts_plan(&ps, shape, &accept, target, &version);
			check_verdicts(&ps, &accept);
			parts_fini(&ps);
		}
		rangeset_fini(&accept);
	}
}

/* Bounds stay while contents change: ranges that cross them are cut. */
static void bounds_hold_for_other_contents(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct rangeset a = random_set(60), b = random_set(60);
		struct parts ps = { 0 };
		uint64_t version = 0;

		parts_plan(&ps, KERNEL_SHAPE_ACCEPT + rnd() % 2, &a, 3, &version);
		check_verdicts(&ps, &b);
		for (size_t i = 0; i < ps.n; i++) {
			struct rangeset x = { 0 }, y = { 0 };

			parts_slice(&ps, i, IP_V4, &a, &x);
			parts_slice(&ps, i, IP_V4, &b, &y);
			assert_int_equal(parts_differ(&ps, i, IP_V4, &a, &b),
					 !rangeset_equal(&x, &y));
			rangeset_fini(&x);
			rangeset_fini(&y);
		}
		parts_fini(&ps);
		rangeset_fini(&a);
		rangeset_fini(&b);
	}
}

static void sizes_are_those_of_the_complement(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct rangeset a = random_set(round % 8), c = { 0 };

		rangeset_complement(&c, &a, IP_V4);
		assert_int_equal(kernel_shape_size(&a, IP_V4, KERNEL_SHAPE_ACCEPT), a.n);
		assert_int_equal(kernel_shape_size(&a, IP_V4, KERNEL_SHAPE_DROP), c.n);
		rangeset_fini(&a);
		rangeset_fini(&c);
	}
}

/* One range more or less must not cost a new list each time. */
static void the_shape_does_not_flap(void **state)
{
	struct rangeset all = { 0 }, many = { 0 }, none = { 0 };

	(void)state;
	rangeset_append(&all, 0, ip_max(IP_V6));
	assert_int_equal(parts_choose(&all, IP_V6, KERNEL_SHAPE_AUTO), KERNEL_SHAPE_DROP);
	assert_int_equal(parts_choose(&none, IP_V6, KERNEL_SHAPE_DROP),
			 KERNEL_SHAPE_ACCEPT);
	rangeset_append(&many, 0, 9);
	for (size_t i = 1; i < 1000; i++)
		rangeset_append(&many, i * 20, i * 20 + 9);
	rangeset_append(&many, 1u << 20, ip_max(IP_V6));
	rangeset_normalize(&many); /* both ends: the complement is smaller by one */
	assert_int_equal(kernel_shape_size(&many, IP_V6, KERNEL_SHAPE_DROP), many.n - 1);
	assert_int_equal(parts_choose(&many, IP_V6, KERNEL_SHAPE_ACCEPT),
			 KERNEL_SHAPE_ACCEPT);
	assert_int_equal(parts_choose(&many, IP_V6, KERNEL_SHAPE_DROP),
			 KERNEL_SHAPE_DROP);
	rangeset_fini(&all);
	rangeset_fini(&many);
}

static struct rangeset comb(size_t n)
{
	struct rangeset s = { 0 };

	for (size_t i = 0; i < n; i++)
		rangeset_append(&s, i * 4, i * 4);
	rangeset_normalize(&s);
	return s;
}

static void bounds_are_drawn_anew_when_they_no_longer_fit(void **state)
{
	struct rangeset a = comb(1000), b = comb(8000), c = comb(20);
	struct parts ps = { 0 };
	uint64_t version = 41;

	(void)state;
	parts_plan(&ps, KERNEL_SHAPE_ACCEPT, &a, 100, &version);
	assert_int_equal(ps.n, 10);
	assert_int_equal(version, 41 + 11); /* the map and ten sets */
	assert_true(parts_fit(&ps, IP_V4, &a, 100));
	assert_false(parts_fit(&ps, IP_V4, &b, 100)); /* all in the last part */
	assert_false(parts_fit(&ps, IP_V4, &c, 100));
	parts_fini(&ps);
	parts_plan(&ps, KERNEL_SHAPE_ACCEPT, &c, 100, &version);
	assert_int_equal(ps.n, 1);
	assert_int_equal(ps.map, 0);
	assert_false(parts_fit(&ps, IP_V4, &a, 100));
	parts_fini(&ps);
	rangeset_fini(&a);
	rangeset_fini(&b);
	rangeset_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_shapes_give_the_same_verdicts),
		cmocka_unit_test(bounds_hold_for_other_contents),
		cmocka_unit_test(sizes_are_those_of_the_complement),
		cmocka_unit_test(the_shape_does_not_flap),
		cmocka_unit_test(bounds_are_drawn_anew_when_they_no_longer_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
