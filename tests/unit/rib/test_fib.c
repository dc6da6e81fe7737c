/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The FIB against a plain list, in small universes where prefixes collide and
 * nest, at the low and the high end of both families.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/rib/fib.h"
#include "tests/unit/sets/random.h"

#define BITS   6
#define PLACES (1u << BITS)

struct entry {
	bool there;
	enum agent_route_kind kind;
	uint32_t indexes[3];
	size_t n;
};

/* A family's last or first bits. */
struct world {
	enum ip_family family;
	u128 base;
	struct entry e[BITS + 1][PLACES];
	struct fib *fib;
};

static struct ip_prefix place(const struct world *w, unsigned int bits, unsigned int at)
{
	return ip_prefix_make(w->family, w->base + at, ip_bits(w->family) - BITS + bits);
}

static const struct entry *longest(const struct world *w, unsigned int at, unsigned int min)
{
	for (unsigned int bits = BITS + 1; bits-- > min;) {
		unsigned int net = at & ~((1u << (BITS - bits)) - 1) & (PLACES - 1);

		if (w->e[bits][net].there)
			return &w->e[bits][net];
	}
	return NULL;
}

static bool same(const struct entry *e, const struct fib_route *r)
{
	return e->kind == r->kind && e->n == r->n &&
	       (e->n == 0 || memcmp(e->indexes, r->indexes, e->n * sizeof(*e->indexes)) == 0);
}

struct told {
	const struct world *w;
	unsigned int min;
	unsigned int next; /* the first place not looked at */
};

static void on_range(const struct fib_route *route, u128 first, u128 last, void *arg)
{
	struct told *t = arg;

	assert_true(first <= last && last <= t->w->base + PLACES - 1);
	for (u128 v = first; v <= last; v++) {
		unsigned int at = (unsigned int)(v - t->w->base);
		const struct entry *e = longest(t->w, at, t->min);

		for (; t->next < at; t->next++)
			assert_null(longest(t->w, t->next, t->min));
		assert_non_null(e);
		assert_true(same(e, route));
		t->next = at + 1;
		if (v == ip_max(t->w->family))
			break;
	}
}

static void compare(const struct world *w, uint64_t *seed)
{
	unsigned int min = random_below(seed, BITS + 1);
	unsigned int min_len = ip_bits(w->family) - BITS + min;
	const struct ip_prefix all = { .family = (uint8_t)w->family };
	struct told t = { .w = w, .min = min };
	size_t n = 0, rejects = 0;

	for (unsigned int bits = 0; bits <= BITS; bits++) {
		for (unsigned int at = 0; at < PLACES; at++)
			n += w->e[bits][at].there;
		for (unsigned int at = 0; at < PLACES; at++)
			rejects += w->e[bits][at].there &&
				   w->e[bits][at].kind == AGENT_ROUTE_REJECT;
	}
	assert_int_equal(fib_rejects(w->fib, w->family), rejects);
	assert_int_equal(fib_count(w->fib, w->family), n);
	for (unsigned int at = 0; at < PLACES; at++) {
		struct ip_addr addr = { w->base + at, (uint8_t)w->family };
		const struct entry *e = longest(w, at, min);
		struct fib_route r;
		bool found = fib_longest(w->fib, &addr, min_len, &r);

		assert_int_equal(found, e != NULL);
		assert_true(!e || same(e, &r));
	}
	fib_cut(w->fib, &all, min_len, on_range, &t);
	for (; t.next < PLACES; t.next++)
		assert_null(longest(w, t.next, min));
}

/* A part of it alone: what covers the part, what is inside, nothing beside. */
static void compare_part(const struct world *w, uint64_t *seed)
{
	unsigned int bits = random_below(seed, BITS + 1), min = random_below(seed, BITS + 1);
	unsigned int at = random_below(seed, 1u << bits) << (BITS - bits);
	unsigned int size = 1u << (BITS - bits), min_len = ip_bits(w->family) - BITS + min;
	struct ip_prefix p = place(w, bits, at);
	struct told t = { .w = w, .min = min, .next = at };
	struct rangeset rest = { 0 };
	struct fib_route r;

	fib_cut(w->fib, &p, min_len, on_range, &t);
	assert_in_range(t.next, at, at + size);
	for (; t.next < at + size; t.next++)
		assert_null(longest(w, t.next, min));
	assert_int_equal(fib_exact(w->fib, &p, &r), w->e[bits][at].there);
	fib_uncovered(w->fib, &p, &rest);
	for (unsigned int i = at; i < at + size; i++)
		assert_int_equal(rangeset_contains(&rest, w->base + i),
				 bits == BITS || !longest(w, i, bits + 1));
	rangeset_fini(&rest);
}

static void change(struct world *w, uint64_t *seed)
{
	unsigned int bits = random_below(seed, BITS + 1);
	unsigned int at = random_below(seed, 1u << bits) << (BITS - bits);
	struct ip_prefix p = place(w, bits, at);
	struct entry *e = &w->e[bits][at];

	*e = (struct entry){ .kind = (enum agent_route_kind)random_below(seed, 3) };
	e->there = e->kind != AGENT_ROUTE_GONE;
	if (e->kind == AGENT_ROUTE_UNICAST) {
		e->n = 1 + random_below(seed, 3);
		for (size_t i = 0; i < e->n; i++)
			e->indexes[i] = (uint32_t)(i * 4 + 1 + random_below(seed, 4));
	}
	fib_set(w->fib, &p, e->kind, e->indexes, e->n);
}

static void equals_brute_force(void **state)
{
	uint64_t seed = random_seed();

	(void)state;
	for (unsigned int round = 0; round < 40; round++) {
		struct world w = { .family = round & 1 ? IP_V6 : IP_V4 };

		w.base = round & 2 ? ip_max(w.family) - (PLACES - 1) : 0;
		w.fib = fib_new(random_u64(&seed));
		for (unsigned int i = 0; i < 150; i++) {
			change(&w, &seed);
			compare_part(&w, &seed);
			if (i % 10 == 0)
				compare(&w, &seed);
		}
		compare(&w, &seed);
		fib_free(w.fib);
	}
}

/* A whole Internet table, its memory, and that all of it goes again. */
static void a_million_routes(void **state)
{
	struct fib *fib = fib_new(1);
	const uint32_t index = 7;

	(void)state;
	for (uint32_t i = 0; i < 1000000; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V4, (u128)(i + 65536) << 8, 24);

		fib_set(fib, &p, AGENT_ROUTE_UNICAST, &index, 1);
	}
	assert_int_equal(fib_count(fib, IP_V4), 1000000);
	assert_in_range(fib_bytes(fib), 1, 80u * 1000000);
	for (uint32_t i = 0; i < 200000; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V6, (u128)(i + 0x20010000) << 96, 32);

		fib_set(fib, &p, AGENT_ROUTE_UNICAST, &index, 1);
	}
	assert_in_range(fib_bytes(fib), 1, 80u * 1200000);
	for (uint32_t i = 0; i < 1000000; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V4, (u128)(i + 65536) << 8, 24);

		fib_set(fib, &p, AGENT_ROUTE_GONE, NULL, 0);
	}
	assert_int_equal(fib_count(fib, IP_V4), 0);
	assert_int_equal(fib_count(fib, IP_V6), 200000);
	fib_free(fib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_brute_force),
		cmocka_unit_test(a_million_routes),
	};

	return cmocka_run_group_tests_name("fib", tests, NULL, NULL);
}
