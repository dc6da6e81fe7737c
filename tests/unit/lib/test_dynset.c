/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random edits of a dynset against the same on a rangeset, which is simple:
 * small universes, where everything touches, at both ends of both families,
 * and sets of many chunks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/dynset.h"
#include "tests/unit/sets/random.h"

struct window {
	enum ip_family family;
	u128 base;
	unsigned int size;
	unsigned int longest; /* edit */
};

static u128 pick(const struct window *w, uint64_t *seed)
{
	return w->base + random_below(seed, w->size);
}

/* Canonical ranges inside [first, last]. */
static void some_content(uint64_t *seed, u128 first, u128 last, struct rangeset *out)
{
	unsigned int n = random_below(seed, 4);

	if (random_below(seed, 3) == 0) /* all of it */
		rangeset_append(out, first, last);
	for (unsigned int i = 0; i < n; i++) {
		u128 span = last - first + 1;
		u128 from = first + random_u64(seed) % span;

		rangeset_append(out, from, from + random_u64(seed) % (last - from + 1));
	}
	rangeset_normalize(out);
}

static void model_replace(struct rangeset *model, u128 first, u128 last,
			  const struct rangeset *with)
{
	struct rangeset hole = { 0 };

	rangeset_append(&hole, first, last);
	rangeset_subtract(model, model, &hole);
	rangeset_union(model, model, with);
	rangeset_fini(&hole);
}

static void check_same(const struct dynset *s, const struct rangeset *model)
{
	struct rangeset all = { 0 };

	dynset_export(s, &all);
	assert_int_equal(s->n, model->n);
	assert_true(rangeset_equal(&all, model));
	rangeset_fini(&all);
}

static void check_part(const struct dynset *s, const struct rangeset *model, u128 first,
		       u128 last)
{
	struct rangeset part = { 0 }, where = { 0 };

	rangeset_append(&where, first, last);
	rangeset_intersect(&where, &where, model);
	dynset_part(s, first, last, &part);
	assert_true(rangeset_equal(&part, &where));
	assert_int_equal(dynset_contains(s, first), rangeset_contains(model, first));
	rangeset_fini(&where);
	rangeset_append(&where, first, last);
	assert_int_equal(dynset_covers(s, first, last), rangeset_covers(model, &where));
	rangeset_fini(&part);
	rangeset_fini(&where);
}

static void edit(struct dynset *s, struct rangeset *model, const struct window *w,
		 uint64_t *seed)
{
	struct rangeset with = { 0 }, added = { 0 }, removed = { 0 }, was = { 0 };
	u128 first = pick(w, seed), last = first + random_below(seed, w->longest);
	u128 end = w->base + (w->size - 1);

	if (last > end || last < first)
		last = end;
	rangeset_copy(&was, model);
	some_content(seed, first, last, &with);
	model_replace(model, first, last, &with);
	dynset_replace(s, first, last, &with, &added, &removed);
	rangeset_normalize(&added);
	rangeset_normalize(&removed);
	check_part(s, model, first, last);
	/* what was said to change did */
	rangeset_subtract(&with, model, &was);
	assert_true(rangeset_equal(&added, &with));
	rangeset_subtract(&with, &was, model);
	assert_true(rangeset_equal(&removed, &with));
	rangeset_fini(&with);
	rangeset_fini(&added);
	rangeset_fini(&removed);
	rangeset_fini(&was);
}

static void run(const struct window *w, unsigned int edits, uint64_t *seed)
{
	struct rangeset model = { 0 };
	struct dynset s;

	dynset_init(&s, w->family);
	for (unsigned int i = 0; i < edits; i++) {
		edit(&s, &model, w, seed);
		if (i % 64 == 0)
			check_same(&s, &model);
	}
	check_same(&s, &model);
	dynset_remove(&s, 0, ip_max(w->family), NULL);
	assert_int_equal(s.n, 0);
	dynset_fini(&s);
	rangeset_fini(&model);
}

/* Canonical ranges of the window, few or many, in one place or all over it. */
static void some_set(const struct window *w, uint64_t *seed, struct rangeset *out)
{
	unsigned int n = random_below(seed, random_below(seed, 4) ? 8 : w->size / 2);
	unsigned int span = random_below(seed, 3) ? 1 + random_below(seed, w->size) : w->size;
	u128 base = w->base + random_below(seed, w->size - span + 1);

	for (unsigned int i = 0; i < n; i++) {
		unsigned int from = random_below(seed, span), len = random_below(seed, 3);

		rangeset_append(out, base + from,
				base + (from + len < span ? from + len : span - 1));
	}
	rangeset_normalize(out);
}

/* Whole sets come and go; what is told, and what it comes to since the beginning. */
static void run_sets(const struct window *w, unsigned int edits, uint64_t *seed)
{
	struct dynaddrset s, came, went;
	struct rangeset model = { 0 };

	dynaddrset_init(&s);
	dynaddrset_init(&came);
	dynaddrset_init(&went);
	for (unsigned int i = 0; i < edits; i++) {
		struct addrset what = { 0 }, changed = { 0 };
		struct rangeset expected = { 0 };
		bool add = random_below(seed, 5) != 0;

		some_set(w, seed, &what.f[w->family]);
		if (add) {
			rangeset_subtract(&expected, &what.f[w->family], &model);
			rangeset_union(&model, &model, &what.f[w->family]);
			dynaddrset_add(&s, &what, &changed);
		} else {
			rangeset_intersect(&expected, &what.f[w->family], &model);
			rangeset_subtract(&model, &model, &what.f[w->family]);
			dynaddrset_remove(&s, &what, &changed);
		}
		addrset_normalize(&changed);
		assert_true(rangeset_equal(&changed.f[w->family], &expected));
		dynaddrset_note(add ? &came : &went, add ? &went : &came, &changed);
		check_same(&s.f[w->family], &model);
		check_same(&came.f[w->family], &model);
		assert_true(dynaddrset_is_empty(&went));
		rangeset_fini(&expected);
		addrset_fini(&what);
		addrset_fini(&changed);
	}
	dynaddrset_fini(&s);
	dynaddrset_fini(&came);
	dynaddrset_fini(&went);
	rangeset_fini(&model);
}

static void test_whole_sets_come_and_go(void **state)
{
	uint64_t seed = random_seed();
	const struct window windows[] = {
		{ IP_V4, 0, 64, 0 },
		{ IP_V4, ip_max(IP_V4) - 63, 64, 0 },
		{ IP_V6, ip_max(IP_V6) - 63, 64, 0 },
		{ IP_V4, ip_max(IP_V4) - 3999, 4000, 0 },
		{ IP_V6, 0, 4000, 0 },
	};

	for (unsigned int i = 0; i < 100; i++)
		run_sets(&windows[i % 5], 60, &seed);
}

static void test_small_universes(void **state)
{
	uint64_t seed = random_seed();
	const struct window windows[] = {
		{ IP_V4, 0, 64, 8 },
		{ IP_V4, ip_max(IP_V4) - 63, 64, 8 },
		{ IP_V6, 0, 64, 8 },
		{ IP_V6, ip_max(IP_V6) - 63, 64, 8 },
	};

	for (unsigned int i = 0; i < 200; i++)
		run(&windows[i % 4], 300, &seed);
}

static void test_many_chunks(void **state)
{
	uint64_t seed = random_seed();
	const struct window windows[] = {
		{ IP_V4, 0, 40000, 12 },
		{ IP_V6, (u128)1 << 127, 40000, 12 },
		{ IP_V4, ip_max(IP_V4) - 9999, 10000, 3000 },
	};

	run(&windows[0], 6000, &seed);
	run(&windows[1], 6000, &seed);
	run(&windows[2], 2000, &seed);
}

static void test_a_set_of_many_ranges_costs_eight_bytes_each(void **state)
{
	struct rangeset all = { 0 };
	struct dynset s;

	for (uint32_t i = 0; i < 100000; i++)
		rangeset_append(&all, (u128)i * 512, (u128)i * 512 + 255);
	dynset_init(&s, IP_V4);
	dynset_replace(&s, 0, ip_max(IP_V4), &all, NULL, NULL);
	check_same(&s, &all);
	assert_true(dynset_bytes(&s) < 100000 * 12);
	/* each second one again */
	for (uint32_t i = 0; i < 100000; i += 2)
		dynset_remove(&s, (u128)i * 512, (u128)i * 512 + 511, NULL);
	assert_int_equal(s.n, 50000);
	assert_true(dynset_bytes(&s) < 100000 * 12);
	dynset_fini(&s);
	rangeset_fini(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_sets_come_and_go),
		cmocka_unit_test(test_small_universes),
		cmocka_unit_test(test_many_chunks),
		cmocka_unit_test(test_a_set_of_many_ranges_costs_eight_bytes_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
