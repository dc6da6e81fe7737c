/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/policy/config.h"

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

/* One statement more for a customer, as a command makes it. */
static int say(struct config *cfg, const char *name, const char *text, int64_t from,
	       int64_t until, bool overlap, struct diag *diag)
{
	const struct config_customer *old = config_customer_find(cfg, name);
	struct config_term t = { prefix(text), from, until, overlap };
	struct config_customer c = { 0 };
	int rc;

	if (old)
		config_customer_copy(&c, old);
	snprintf(c.name, sizeof(c.name), "%s", name);
	config_record_set(&c, &t);
	rc = config_customer_put(cfg, &c, diag);
	config_customer_fini(&c);
	return rc;
}

static int unsay(struct config *cfg, const char *name, const char *text)
{
	struct ip_prefix p = prefix(text);
	struct config_customer c;
	struct diag diag;
	int rc;

	config_customer_copy(&c, config_customer_find(cfg, name));
	assert_true(config_record_remove(&c, &p));
	assert_false(config_record_remove(&c, &p));
	rc = config_customer_put(cfg, &c, &diag);
	config_customer_fini(&c);
	return rc;
}

static void test_overlap_is_refused_unless_confirmed(void **state)
{
	struct diag diag = { "" };
	struct config cfg;

	(void)state;
	config_init(&cfg);
	assert_int_equal(say(&cfg, "a", "10.0.0.0/8", 0, 0, false, &diag), 0);
	assert_int_equal(say(&cfg, "a", "10.1.0.0/16", 0, 0, false, &diag),
			 0); /* its own */
	assert_int_equal(say(&cfg, "b", "10.1.2.0/24", 0, 0, false, &diag), -1);
	assert_non_null(strstr(diag.text, "customer a"));
	assert_non_null(strstr(diag.text, "\"prefix 10.1.2.0/24 allow-overlap\""));
	assert_null(config_customer_find(&cfg, "b"));
	assert_int_equal(say(&cfg, "b", "0.0.0.0/1", 0, 0, false, &diag),
			 -1); /* around it */
	assert_int_equal(say(&cfg, "b", "10.0.0.0/8", 0, 0, false, &diag), -1);
	assert_int_equal(say(&cfg, "b", "::/0", 0, 0, false, &diag), 0);
	assert_int_equal(say(&cfg, "b", "10.1.2.0/24", 0, 0, true, &diag), 0);
	/* taking the confirmation back is a new claim */
	assert_int_equal(say(&cfg, "b", "10.1.2.0/24", 0, 0, false, &diag), -1);
	assert_int_equal(config_customer_find(&cfg, "b")->n_terms, 1);
	/* it need stand at one of the two only */
	assert_int_equal(say(&cfg, "c", "10.1.2.0/25", 0, 0, false, &diag), -1);
	assert_int_equal(say(&cfg, "a", "10.0.0.0/8", 0, 0, true, &diag), 0);
	assert_int_equal(say(&cfg, "a", "10.1.0.0/16", 0, 0, true, &diag), 0);
	assert_int_equal(say(&cfg, "c", "10.1.2.0/25", 0, 0, false, &diag), 0);
	/* who has gone is in nobody's way */
	assert_int_equal(unsay(&cfg, "c", "10.1.2.0/25"), 0);
	assert_int_equal(config_customer_del(&cfg, "a", &diag), 0);
	assert_int_equal(config_customer_del(&cfg, "b", &diag), 0);
	assert_int_equal(say(&cfg, "c", "0.0.0.0/0", 0, 0, false, &diag), 0);
	config_fini(&cfg);
}

static void test_periods_that_do_not_meet_do_not_overlap(void **state)
{
	struct diag diag = { "" };
	struct config cfg;

	(void)state;
	config_init(&cfg);
	assert_int_equal(say(&cfg, "a", "10.0.0.0/8", 0, 1000, false, &diag), 0);
	assert_int_equal(say(&cfg, "b", "10.0.0.0/8", 999, 0, false, &diag), -1);
	assert_int_equal(say(&cfg, "b", "10.0.0.0/8", 1000, 0, false, &diag), 0);
	assert_int_equal(say(&cfg, "c", "10.0.0.0/9", 500, 600, false, &diag), -1);
	assert_int_equal(say(&cfg, "c", "10.0.0.0/9", 600, 600, false, &diag), -1);
	assert_non_null(strstr(diag.text, "later than"));
	config_fini(&cfg);
}

static void count(enum config_part part, const char *router, const char *interface,
		  void *arg)
{
	(void)router;
	(void)interface;
	assert_int_equal(part, CONFIG_CUSTOMER);
	(*(int *)arg)++;
}

static void test_time_begins_and_ends_what_counts(void **state)
{
	const struct config_customer *c;
	struct diag diag = { "" };
	struct config cfg;
	int told = 0;

	(void)state;
	config_init(&cfg);
	assert_int_equal(config_set_time(&cfg, 100), 0);
	assert_int_equal(say(&cfg, "a", "10.0.0.0/8", 200, 300, false, &diag), 0);
	assert_int_equal(say(&cfg, "a", "11.0.0.0/8", 0, 250, false, &diag), 0);
	assert_int_equal(say(&cfg, "a", "12.0.0.0/8", 0, 0, false, &diag), 0);
	cfg.watch = count;
	cfg.watch_arg = &told;
	c = config_customer_find(&cfg, "a");
	assert_int_equal(c->n_prefixes, 2);
	assert_int_equal(config_set_time(&cfg, 199), 200);
	assert_int_equal(told, 0);
	assert_int_equal(config_set_time(&cfg, 200), 250);
	assert_int_equal(told, 1);
	assert_int_equal(c->n_prefixes, 3);
	assert_int_equal(config_set_time(&cfg, 250), 300);
	assert_int_equal(c->n_prefixes, 2);
	assert_int_equal(config_set_time(&cfg, 300), 0);
	assert_int_equal(told, 3);
	assert_int_equal(c->n_prefixes, 1);
	assert_int_equal(c->n_terms, 2); /* still stated */
	/* a clock that is set back brings them back */
	assert_int_equal(config_set_time(&cfg, 220), 250);
	assert_int_equal(c->n_prefixes, 3);
	config_fini(&cfg);
}

static void test_a_trusted_overlap_is_confirmed_and_survives(void **state)
{
	const struct config_customer *b;
	struct diag diag = { "" };
	struct config cfg, copy;

	(void)state;
	config_init(&cfg);
	cfg.trusts = true;
	assert_int_equal(say(&cfg, "a", "10.0.0.0/8", 0, 0, false, &diag), 0);
	assert_int_equal(say(&cfg, "b", "10.1.0.0/16", 0, 0, false, &diag), 0);
	cfg.trusts = false;
	b = config_customer_find(&cfg, "b");
	assert_int_equal(b->n_terms, 1);
	assert_true(b->terms[0].overlap);
	assert_int_equal(b->n_prefixes, 1);
	/* a copy judges by itself */
	config_clone(&copy, &cfg);
	assert_int_equal(say(&copy, "c", "10.2.0.0/16", 0, 0, false, &diag), -1);
	assert_int_equal(config_customer_del(&copy, "a", &diag), 0);
	assert_int_equal(say(&copy, "c", "10.2.0.0/16", 0, 0, false, &diag), 0);
	config_fini(&copy);
	assert_int_equal(say(&cfg, "c", "10.2.0.0/16", 0, 0, false, &diag), -1);
	config_fini(&cfg);
}

/* Against looking at all pairs. */
static bool clash(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

static void test_random_claims(void **state)
{
	struct {
		struct ip_prefix p;
		int owner; /* -1: nobody */
	} said[64];
	struct diag diag;
	struct config cfg;
	unsigned int seed = 7;

	(void)state;
	config_init(&cfg);
	for (int i = 0; i < 64; i++)
		said[i].owner = -1;
	for (int n = 0; n < 20000; n++) {
		int slot = rand_r(&seed) % 64, owner = rand_r(&seed) % 4;
		unsigned int len = 1 + (unsigned int)rand_r(&seed) % 6;
		bool want = true;
		char name[8], text[IP_TEXT_SIZE];

		if (said[slot].owner >= 0) {
			snprintf(name, sizeof(name), "c%d", said[slot].owner);
			ip_prefix_format(&said[slot].p, text);
			assert_int_equal(unsay(&cfg, name, text), 0);
			said[slot].owner = -1;
			continue;
		}
		said[slot].p =
			ip_prefix_make(IP_V4, (u128)(rand_r(&seed) % 64) << 26, len);
		for (int i = 0; i < 64; i++) {
			if (said[i].owner >= 0 && said[i].owner != owner &&
			    clash(&said[i].p, &said[slot].p))
				want = false;
			/* twice the same says nothing more */
			if (said[i].owner == owner &&
			    ip_prefix_cmp(&said[i].p, &said[slot].p) == 0)
				len = 0;
		}
		if (len == 0)
			continue;
		snprintf(name, sizeof(name), "c%d", owner);
		ip_prefix_format(&said[slot].p, text);
		assert_int_equal(say(&cfg, name, text, 0, 0, false, &diag),
				 want ? 0 : -1);
		if (want)
			said[slot].owner = owner;
	}
	config_fini(&cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlap_is_refused_unless_confirmed),
		cmocka_unit_test(test_periods_that_do_not_meet_do_not_overlap),
		cmocka_unit_test(test_time_begins_and_ends_what_counts),
		cmocka_unit_test(test_a_trusted_overlap_is_confirmed_and_survives),
		cmocka_unit_test(test_random_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
