/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "controller/sets/best_path.h"
#include "lib/mem.h"
#include "tests/unit/sets/net.h"

#define MAX 8

struct table {
	struct rib_attr attr[MAX];
	struct best_candidate c[MAX];
	size_t n;
};

/* "PEER PATH", "ibgp PEER PATH" */
static void add(struct table *t, const char *text)
{
	struct best_candidate *c = &t->c[t->n];
	char peer[IP_TEXT_SIZE];

	assert_true(t->n < MAX);
	*c = (struct best_candidate){ .attr = &t->attr[t->n], .out = true };
	if (strncmp(text, "ibgp ", 5) == 0) {
		c->ibgp = true;
		text += 5;
	}
	memcpy(peer, text, strcspn(text, " "));
	peer[strcspn(text, " ")] = '\0';
	c->peer = net_addr(peer);
	t->attr[t->n++] = net_attr(text + strcspn(text, " "));
}

/* The first of the texts wins, wherever in the table it stands. */
static void check_best(const char *const *texts, size_t n)
{
	for (size_t shift = 0; shift < n; shift++) {
		struct table t = { .n = 0 };
		size_t won;

		for (size_t i = 0; i < n; i++)
			add(&t, texts[(i + shift) % n]);
		won = best_path(t.c, n);
		if ((won + shift) % n != 0)
			fail_msg("\"%s\" lost to \"%s\"", texts[0],
				 texts[(won + shift) % n]);
	}
}
#define BEST(...)                                                                        \
	check_best((const char *const[]){ __VA_ARGS__ },                                 \
		   sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void test_the_order_of_the_steps(void **state)
{
	/* degree of preference */
	BEST("10.0.0.2 1 2 3 pref=200 code=2 med=9", "10.0.0.1 1 pref=199");
	BEST("10.0.0.2 1 2 3 pref=101", "10.0.0.1 1");
	BEST("10.0.0.2 1", "10.0.0.1 1 pref=99");
	BEST("10.0.0.1 1", "10.0.0.2 1 pref=100");
	BEST("10.0.0.2 1 2 3 pref=4294967295", "10.0.0.1 1 pref=4294967294");
	BEST("10.0.0.2 1 pref=1", "10.0.0.1 1 pref=0");
	/* (a) path length, a set counts one */
	BEST("10.0.0.2 1 2 code=2 med=9", "10.0.0.1 1 2 3");
	BEST("10.0.0.2 1 {}", "10.0.0.1 1 2 3");
	BEST("ibgp 10.0.0.2 ", "10.0.0.1 1");
	/* (b) lowest ORIGIN */
	BEST("10.0.0.2 1 med=9", "10.0.0.1 1 code=1");
	BEST("10.0.0.2 1 code=1", "10.0.0.1 1 code=2");
	/* (c) MED, of one neighbour only; an absent one is the lowest */
	BEST("ibgp 10.0.0.2 1 med=5", "10.0.0.1 1 med=6");
	BEST("10.0.0.2 1", "10.0.0.1 1 med=1");
	BEST("10.0.0.1 1 med=6", "10.0.0.2 2 med=5");
	/* (d) eBGP over iBGP */
	BEST("10.0.0.2 1", "ibgp 10.0.0.1 1");
	BEST("10.0.0.2 2 med=9", "ibgp 10.0.0.1 1 med=1");
	/* (g) lowest peer address, and IPv4 sessions before IPv6 ones */
	BEST("10.0.0.1 1", "10.0.0.2 2", "10.0.0.3 3");
	BEST("255.255.255.255 1", "::1 1");
	BEST("2001:db8::1 1", "2001:db8::2 1");
}

/* The path with the least MED of one neighbour may fall later; those that it
 * ousted do not come back (RFC 4271 9.1.2.2 (c) removes them for good). */
static void test_med_is_no_order(void **state)
{
	BEST("10.0.0.4 2 med=100", "ibgp 10.0.0.1 1 med=1", "10.0.0.3 1 med=2");
}

/* The texts are in the order in which they win, wherever they stand. */
static void check_order(const char *const *texts, size_t n)
{
	for (size_t shift = 0; shift < n; shift++) {
		struct table t = { .n = 0 };

		for (size_t i = 0; i < n; i++)
			add(&t, texts[(i + shift) % n]);
		for (size_t max = 0; max <= n + 1; max++) {
			best_paths(t.c, n, max);
			for (size_t i = 0; i < n; i++) {
				size_t at = (i + shift) % n;

				if (t.c[i].rank != (at < max ? at + 1 : 0))
					fail_msg("\"%s\" has rank %zu of %zu", texts[at],
						 t.c[i].rank, max);
			}
		}
	}
}
#define ORDER(...)                                                                       \
	check_order((const char *const[]){ __VA_ARGS__ },                                \
		    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void test_the_best_in_order(void **state)
{
	ORDER("10.0.0.9 1 pref=200", "10.0.0.8 1", "10.0.0.1 1 2", "10.0.0.2 1 2",
	      "10.0.0.1 1 2 3");
	/* the second is the best of the others: ousted paths come back for it */
	ORDER("10.0.0.3 1 med=2", "10.0.0.4 2 med=100", "ibgp 10.0.0.1 1 med=3");
	/* several paths of one peer */
	ORDER("10.0.0.1 1 med=7", "10.0.0.1 2 med=5", "10.0.0.1 2 med=6");
}

/* A peer that several links lead to has one path of a prefix on all of them. */
static void test_one_path_on_two_links(void **state)
{
	const struct rib_peer *p = (const void *)state;
	struct table t = { .n = 0 };

	(void)state;
	add(&t, "10.0.0.1 1");
	add(&t, "10.0.0.2 2");
	add(&t, "10.0.0.1 1");
	add(&t, "10.0.0.1 1"); /* another peer of that address */
	t.c[2].attr = t.c[0].attr;
	t.c[0].from = t.c[2].from = p;
	best_paths(t.c, t.n, 2);
	assert_int_equal(t.c[0].rank, t.c[2].rank);
	assert_int_equal(t.c[0].rank + t.c[3].rank, 3);
	assert_int_equal(t.c[1].rank, 0);
	best_paths(t.c, t.n, 3);
	assert_int_equal(t.c[1].rank, 3);
}

static void test_one_candidate(void **state)
{
	BEST("10.0.0.1 1");
	BEST("ibgp 10.0.0.1 {} med=4294967295 pref=0 code=2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_order_of_the_steps),
		cmocka_unit_test(test_med_is_no_order),
		cmocka_unit_test(test_the_best_in_order),
		cmocka_unit_test(test_one_path_on_two_links),
		cmocka_unit_test(test_one_candidate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
