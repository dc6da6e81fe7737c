/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Set algebra against a bitmap of 256 addresses, in windows at the low and the
 * high end of both families, where off-by-one and wrap-around would show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/rangeset.h"

#define WINDOW 256

struct window {
	enum ip_family family;
	u128 base;
};

static struct window windows[4];

struct bits {
	bool b[WINDOW];
};

static int setup(void **state)
{
	windows[0] = (struct window){ IP_V4, 0 };
	windows[1] = (struct window){ IP_V4, ip_max(IP_V4) - (WINDOW - 1) };
	windows[2] = (struct window){ IP_V6, 0 };
	windows[3] = (struct window){ IP_V6, ip_max(IP_V6) - (WINDOW - 1) };
	return 0;
}

static void check_canonical(const struct rangeset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		assert_true(s->r[i].first <= s->r[i].last);
		if (i != 0) {
			assert_true(s->r[i - 1].last < s->r[i].first);
			assert_true(s->r[i].first - s->r[i - 1].last > 1);
		}
	}
}

static void check_equals(const struct rangeset *s, const struct window *w,
			 const struct bits *bits)
{
	u128 size = 0;

	check_canonical(s);
	for (unsigned int i = 0; i < WINDOW; i++) {
		assert_int_equal(rangeset_contains(s, w->base + i), bits->b[i]);
		size += bits->b[i];
	}
	assert_true(rangeset_size(s) == size);
	assert_int_equal(rangeset_is_empty(s), size == 0);
}

/* Random ranges, in random order, overlapping and touching. */
static void random_set(struct rangeset *s, const struct window *w, struct bits *bits)
{
	int n = rand() % 12;

	memset(bits, 0, sizeof(*bits));
	for (int i = 0; i < n; i++) {
		unsigned int first = (unsigned int)rand() % WINDOW;
		unsigned int len = (unsigned int)rand() % (rand() % 4 ? 8 : WINDOW);
		unsigned int last = first + len < WINDOW ? first + len : WINDOW - 1;

		rangeset_append(s, w->base + first, w->base + last);
		for (unsigned int j = first; j <= last; j++)
			bits->b[j] = true;
	}
	rangeset_normalize(s);
}

static void operations_match_brute_force(void **state)
{
	srand(1);
	for (int round = 0; round < 4000; round++) {
		const struct window *w = &windows[round % 4];
		struct rangeset a = { 0 }, b = { 0 }, out = { 0 };
		struct bits x, y, want;
		bool covers = true, equal = true;

		random_set(&a, w, &x);
		random_set(&b, w, &y);
		check_equals(&a, w, &x);

		for (int i = 0; i < WINDOW; i++)
			want.b[i] = x.b[i] || y.b[i];
		rangeset_union(&out, &a, &b);
		check_equals(&out, w, &want);

		for (int i = 0; i < WINDOW; i++)
			want.b[i] = x.b[i] && !y.b[i];
		rangeset_subtract(&out, &a, &b);
		check_equals(&out, w, &want);

		for (int i = 0; i < WINDOW; i++)
			want.b[i] = x.b[i] && y.b[i];
		rangeset_intersect(&out, &a, &b);
		check_equals(&out, w, &want);

		for (int i = 0; i < WINDOW; i++) {
			covers &= x.b[i] || !y.b[i];
			equal &= x.b[i] == y.b[i];
		}
		assert_int_equal(rangeset_covers(&a, &b), covers);
		assert_int_equal(rangeset_equal(&a, &b), equal);
		rangeset_fini(&a);
		rangeset_fini(&b);
		rangeset_fini(&out);
	}
}

static void complement(void **state)
{
	srand(2);
	for (int round = 0; round < 1000; round++) {
		const struct window *w = &windows[round % 4];
		struct rangeset a = { 0 }, not = { 0 }, again = { 0 }, common = { 0 };
		struct bits x;

		random_set(&a, w, &x);
		rangeset_complement(&not, &a, w->family);
		check_canonical(&not );
		for (unsigned int i = 0; i < WINDOW; i++)
			assert_int_equal(rangeset_contains(&not, w->base + i), !x.b[i]);
		/* outside the window everything is in the complement */
		assert_true(rangeset_contains(&not, ip_max(w->family) / 2));
		rangeset_intersect(&common, &a, &not );
		assert_true(rangeset_is_empty(&common));
		rangeset_complement(&again, &not, w->family);
		assert_true(rangeset_equal(&again, &a));
		rangeset_fini(&a);
		rangeset_fini(&not );
		rangeset_fini(&again);
		rangeset_fini(&common);
	}
}

/* What a delta is: subtract both ways, remove, add. */
static void apply_of_diff(void **state)
{
	srand(3);
	for (int round = 0; round < 2000; round++) {
		const struct window *w = &windows[round % 4];
		struct rangeset a = { 0 }, b = { 0 }, add = { 0 }, del = { 0 };
		struct bits x, y;

		random_set(&a, w, &x);
		random_set(&b, w, &y);
		rangeset_subtract(&add, &a, &b);
		rangeset_subtract(&del, &b, &a);
		rangeset_subtract(&b, &b, &del); /* dst is an operand */
		rangeset_union(&b, &b, &add);
		assert_true(rangeset_equal(&a, &b));
		rangeset_fini(&a);
		rangeset_fini(&b);
		rangeset_fini(&add);
		rangeset_fini(&del);
	}
}

static void results_may_be_operands(void **state)
{
	srand(4);
	for (int round = 0; round < 500; round++) {
		const struct window *w = &windows[round % 4];
		struct rangeset a = { 0 }, b = { 0 }, want = { 0 }, got = { 0 };
		struct bits x, y;

		random_set(&a, w, &x);
		random_set(&b, w, &y);
		rangeset_intersect(&want, &a, &b);
		rangeset_copy(&got, &a);
		rangeset_intersect(&got, &got, &b);
		assert_true(rangeset_equal(&want, &got));
		rangeset_subtract(&want, &a, &b);
		rangeset_copy(&got, &b);
		rangeset_subtract(&got, &a, &got);
		assert_true(rangeset_equal(&want, &got));
		rangeset_subtract(&got, &got, &got);
		assert_true(rangeset_is_empty(&got));
		rangeset_complement(&want, &a, w->family);
		rangeset_complement(&a, &a, w->family);
		assert_true(rangeset_equal(&want, &a));
		rangeset_fini(&a);
		rangeset_fini(&b);
		rangeset_fini(&want);
		rangeset_fini(&got);
	}
}

static void order_of_appends_does_not_matter(void **state)
{
	srand(5);
	for (int round = 0; round < 500; round++) {
		const struct window *w = &windows[round % 4];
		struct ip_range list[20];
		struct rangeset a = { 0 }, b = { 0 };

		for (size_t i = 0; i < 20; i++) {
			list[i].first = w->base + (u128)(rand() % WINDOW);
			list[i].last = list[i].first + (u128)(rand() % 10);
			if (list[i].last < list[i].first ||
			    list[i].last > w->base + WINDOW - 1)
				list[i].last = w->base + WINDOW - 1;
			rangeset_append(&a, list[i].first, list[i].last);
		}
		for (size_t i = 20; i-- > 0;) {
			size_t j = (size_t)rand() % (i + 1);
			struct ip_range t = list[i];

			list[i] = list[j];
			list[j] = t;
			rangeset_append(&b, list[i].first, list[i].last);
			rangeset_append(&b, list[i].first, list[i].last); /* twice */
		}
		rangeset_normalize(&a);
		rangeset_normalize(&b);
		assert_true(rangeset_equal(&a, &b));
		rangeset_normalize(&b);
		assert_true(rangeset_equal(&a, &b));
		rangeset_fini(&a);
		rangeset_fini(&b);
	}
}

/* ---- CIDR ---- */

struct blocks {
	struct ip_prefix p[2 * WINDOW];
	size_t n;
};

static void collect(const struct ip_prefix *p, void *arg)
{
	struct blocks *blocks = arg;

	assert_true(blocks->n < 2 * WINDOW);
	blocks->p[blocks->n++] = *p;
}

/* The smallest number of aligned blocks, by recursion over the window. */
static size_t fewest_blocks(const struct bits *bits, size_t first, size_t len)
{
	size_t set = 0;

	for (size_t i = first; i < first + len; i++)
		set += bits->b[i];
	if (set == 0 || set == len)
		return set != 0;
	return fewest_blocks(bits, first, len / 2) +
	       fewest_blocks(bits, first + len / 2, len / 2);
}

static void cidr_is_exact_and_minimal(void **state)
{
	srand(6);
	for (int round = 0; round < 4000; round++) {
		const struct window *w = &windows[round % 4];
		struct rangeset a = { 0 }, back = { 0 };
		struct blocks blocks = { .n = 0 };
		struct bits x;

		random_set(&a, w, &x);
		rangeset_each_prefix(&a, w->family, collect, &blocks);
		assert_int_equal(blocks.n, rangeset_prefix_count(&a, w->family));
		assert_int_equal(blocks.n, fewest_blocks(&x, 0, WINDOW));
		for (size_t i = 0; i < blocks.n; i++) {
			struct ip_prefix *p = &blocks.p[i];

			assert_int_equal(p->family, w->family);
			/* no host bits */
			assert_true(ip_prefix_make(p->family, p->v, p->len).v == p->v);
			if (i != 0)
				assert_true(ip_prefix_last(p - 1) < p->v);
			rangeset_append_prefix(&back, p);
		}
		rangeset_normalize(&back);
		assert_true(rangeset_equal(&a, &back));
		rangeset_fini(&a);
		rangeset_fini(&back);
	}
}

static int by_range(const void *a, const void *b)
{
	const struct ip_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Sorting has several ways, by size and by how many leading bytes are common. */
static void large_sets_sort(void **state)
{
	enum { N = 5000 };
	static struct ip_range list[N];

	srand(7);
	for (int round = 0; round < 64; round++) {
		struct rangeset s = { 0 }, merged = { 0 };
		size_t n = (size_t)(round < 8 ? N : rand() % 200);

		for (size_t i = 0; i < n; i++) {
			u128 v = 0;

			for (int j = 0; j < 8; j++)
				v = v << 16 | (u128)(rand() & 0xffff);
			/* from all bytes unlike down to all alike */
			v >>= round % 8 * 16;
			if (round % 3 == 1)
				v &= (u128)0xff << 40 | 0xff;
			list[i] = (struct ip_range){ v, v };
			rangeset_append(&s, v, v);
		}
		qsort(list, n, sizeof(list[0]), by_range);
		for (size_t i = 0; i < n; i++)
			rangeset_append(&merged, list[i].first, list[i].last);
		rangeset_normalize(&s);
		rangeset_normalize(&merged); /* in order already: nothing is sorted */
		check_canonical(&s);
		assert_true(rangeset_equal(&s, &merged));
		rangeset_fini(&s);
		rangeset_fini(&merged);
	}
}

static void whole_space(void **state)
{
	for (enum ip_family family = IP_V4; family <= IP_V6; family++) {
		struct rangeset none = { 0 }, all = { 0 }, out = { 0 };
		struct blocks blocks = { .n = 0 };
		struct ip_prefix half;

		rangeset_complement(&all, &none, family);
		assert_int_equal(all.n, 1);
		rangeset_each_prefix(&all, family, collect, &blocks);
		assert_int_equal(blocks.n, 1);
		assert_int_equal(blocks.p[0].len, 0);
		assert_true(blocks.p[0].v == 0);
		assert_true(rangeset_contains(&all, 0));
		assert_true(rangeset_contains(&all, ip_max(family)));
		assert_true(rangeset_size(&all) ==
			    (family == IP_V4 ? (u128)1 << 32 : ~(u128)0));
		rangeset_complement(&out, &all, family);
		assert_true(rangeset_is_empty(&out));
		rangeset_union(&out, &all, &all);
		assert_true(rangeset_equal(&out, &all));
		/* two halves are one */
		rangeset_fini(&out);
		half = ip_prefix_make(family, ip_max(family), 1);
		rangeset_append_prefix(&out, &half);
		half = ip_prefix_make(family, 0, 1);
		rangeset_append_prefix(&out, &half);
		rangeset_normalize(&out);
		assert_true(rangeset_equal(&out, &all));
		rangeset_fini(&all);
		rangeset_fini(&out);
	}
}

static void worst_cases_in_cidr(void **state)
{
	for (enum ip_family family = IP_V4; family <= IP_V6; family++) {
		struct rangeset s = { 0 };

		/* all but the first and the last address */
		rangeset_append(&s, 1, ip_max(family) - 1);
		assert_int_equal(rangeset_prefix_count(&s, family),
				 2 * (ip_bits(family) - 1));
		rangeset_fini(&s);
		rangeset_append(&s, ip_max(family), ip_max(family));
		rangeset_append(&s, 0, 0);
		rangeset_normalize(&s);
		assert_int_equal(s.n, 2); /* the ends are not neighbours */
		assert_int_equal(rangeset_prefix_count(&s, family), 2);
		rangeset_fini(&s);
	}
	/* 8/8 + 9/8 = 8.0.0.0/7; 9/8 + 10/8 stay two */
	struct rangeset s = { 0 };
	rangeset_append(&s, 0x08000000, 0x09ffffff);
	assert_int_equal(rangeset_prefix_count(&s, IP_V4), 1);
	rangeset_fini(&s);
	rangeset_append(&s, 0x09000000, 0x0affffff);
	assert_int_equal(rangeset_prefix_count(&s, IP_V4), 2);
	rangeset_fini(&s);
}

static void size_saturates(void **state)
{
	struct rangeset s = { 0 };

	rangeset_append(&s, 0, ip_max(IP_V6) - 1);
	assert_true(rangeset_size(&s) == ~(u128)0);
	rangeset_fini(&s);
	rangeset_append(&s, 0, ip_max(IP_V6) - 5);
	rangeset_append(&s, ip_max(IP_V6) - 3, ip_max(IP_V6));
	rangeset_normalize(&s);
	assert_true(rangeset_size(&s) == ~(u128)0);
	rangeset_fini(&s);
	rangeset_append(&s, 1, ip_max(IP_V6) - 2);
	assert_true(rangeset_size(&s) == ip_max(IP_V6) - 2);
	rangeset_fini(&s);
}

static void empty_sets(void **state)
{
	struct rangeset a = { 0 }, b = { 0 }, out = { 0 };

	rangeset_normalize(&a);
	rangeset_union(&out, &a, &b);
	assert_true(rangeset_is_empty(&out));
	rangeset_subtract(&out, &a, &b);
	rangeset_intersect(&out, &a, &b);
	assert_true(rangeset_is_empty(&out));
	assert_true(rangeset_equal(&a, &b));
	assert_true(rangeset_covers(&a, &b));
	assert_false(rangeset_contains(&a, 0));
	assert_true(rangeset_size(&a) == 0);
	rangeset_append(&b, 5, 5);
	assert_false(rangeset_covers(&a, &b));
	assert_true(rangeset_covers(&b, &a));
	assert_false(rangeset_equal(&a, &b));
	rangeset_copy(&b, &a);
	assert_true(rangeset_is_empty(&b));
	rangeset_fini(&b);
}

/* ---- both families together ---- */

static void families_are_apart(void **state)
{
	struct addrset a = { 0 }, b = { 0 }, out = { 0 };
	struct ip_prefix p4, p6;
	struct ip_addr addr = { 0x0a000001, IP_V4 };

	assert_int_equal(ip_prefix_parse("10.0.0.0/8", &p4), IP_PARSE_OK);
	assert_int_equal(ip_prefix_parse("::a00:0/104", &p6), IP_PARSE_OK);
	addrset_append(&a, &p4);
	addrset_append(&b, &p6); /* the same numbers */
	addrset_normalize(&a);
	addrset_normalize(&b);
	assert_true(addrset_contains(&a, &addr));
	assert_false(addrset_contains(&b, &addr));
	addr.family = IP_V6;
	assert_true(addrset_contains(&b, &addr));
	addrset_intersect(&out, &a, &b);
	assert_true(addrset_is_empty(&out));
	addrset_union(&out, &a, &b);
	assert_int_equal(addrset_prefix_count(&out), 2);
	addrset_subtract(&out, &out, &b);
	assert_true(addrset_equal(&out, &a));
	addrset_copy(&out, &b);
	assert_true(addrset_equal(&out, &b));
	assert_false(addrset_equal(&out, &a));
	addrset_fini(&a);
	addrset_fini(&b);
	addrset_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_match_brute_force),
		cmocka_unit_test(complement),
		cmocka_unit_test(apply_of_diff),
		cmocka_unit_test(results_may_be_operands),
		cmocka_unit_test(order_of_appends_does_not_matter),
		cmocka_unit_test(cidr_is_exact_and_minimal),
		cmocka_unit_test(large_sets_sort),
		cmocka_unit_test(whole_space),
		cmocka_unit_test(worst_cases_in_cidr),
		cmocka_unit_test(size_saturates),
		cmocka_unit_test(empty_sets),
		cmocka_unit_test(families_are_apart),
	};

	return cmocka_run_group_tests_name("rangeset", tests, setup, NULL);
}
