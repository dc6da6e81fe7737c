/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/store_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/store_history.h"

#define STEPS 400

/* Small sets out of 64 blocks, so that each step changes some. */
static void some_set(struct filter *f, unsigned int *seed)
{
	addrset_fini(&f->accept);
	for (unsigned int i = 0; i < 64; i++) {
		struct ip_prefix p = ip_prefix_make(i % 2 ? IP_V4 : IP_V6,
						    (u128)i << (i % 2 ? 26 : 122), 6);

		if (rand_r(seed) % 3 == 0)
			addrset_append(&f->accept, &p);
	}
	addrset_normalize(&f->accept);
}

static void save(struct store *store, const struct filter *f, int64_t at_ms)
{
	struct diag diag = { "" };

	assert_int_equal(store_begin(store, &diag), 0);
	assert_int_equal(store_set_change_add(store, "r1", f, at_ms, "a test", &diag), 0);
	assert_int_equal(store_generation_save(store, "r1", f, at_ms / 1000, &diag), 0);
	assert_int_equal(store_commit(store, &diag), 0);
}

static bool count_whole(const struct store_set_change *c, void *arg)
{
	*(int *)arg += c->has_whole;
	return true;
}

static void assert_set_at(struct store *store, int64_t at_ms, const struct addrset *want,
			  uint64_t generation)
{
	struct diag diag = { "" };
	struct store_set set;

	assert_int_equal(store_set_at(store, "r1", "eth0", at_ms, &set, &diag), 1);
	assert_true(set.generation == generation);
	assert_string_equal(set.action, "enforce");
	assert_true(addrset_equal(&set.accept, want));
	store_set_fini(&set);
}

static void test_any_time_can_be_asked_for(void **state)
{
	struct addrset *was = calloc(STEPS, sizeof(*was));
	struct filter f = { .interface = "eth0", .action = FILTER_ENFORCE };
	struct diag diag = { "" };
	struct store_set set;
	struct config cfg;
	struct store *store = test_open(&cfg);
	unsigned int seed = 3;
	int whole = 0, trimmed;

	(void)state;
	for (int i = 0; i < STEPS; i++) {
		some_set(&f, &seed);
		f.generation = (uint64_t)i + 1;
		save(store, &f, 1000 + 10 * i);
		addrset_copy(&was[i], &f.accept);
	}
	for (int i = 0; i < STEPS; i++)
		assert_set_at(store, 1005 + 10 * i, &was[i], (uint64_t)i + 1);
	assert_int_equal(store_set_at(store, "r1", "eth0", 999, &set, &diag), 0);
	assert_int_equal(store_set_at(store, "r1", "eth1", 9999, &set, &diag), 0);
	assert_int_equal(store_set_changes_walk(store, "r1", "eth0", INT64_MAX,
						count_whole, &whole, &diag),
			 0);
	assert_in_range(whole, 2, STEPS / 4);
	/* what is older goes, and from then on all can still be told */
	trimmed = store_history_trim(store, 1000 + 10 * (STEPS - 10), INT64_MAX, 1000000,
				     &diag);
	assert_in_range(trimmed, STEPS / 2, STEPS - 10);
	for (int i = STEPS - 10; i < STEPS; i++)
		assert_set_at(store, 1005 + 10 * i, &was[i], (uint64_t)i + 1);
	for (int i = 0; i < STEPS; i++)
		addrset_fini(&was[i]);
	free(was);
	filter_fini(&f);
	test_close(store, &cfg);
}

static void test_an_edge_that_went_and_came(void **state)
{
	struct filter f = test_filter("eth0", 5);
	struct diag diag = { "" };
	struct store_set set;
	struct config cfg;
	struct store *store = test_open(&cfg);

	(void)state;
	f.action = FILTER_ENFORCE;
	save(store, &f, 1000);
	assert_int_equal(store_set_gone_add(store, "r1", "eth0", 2000, &diag), 0);
	assert_int_equal(store_generation_delete(store, "r1", "eth0", &diag), 0);
	f.generation = 9;
	save(store, &f, 3000);
	assert_set_at(store, 1500, &f.accept, 5);
	assert_int_equal(store_set_at(store, "r1", "eth0", 2500, &set, &diag), 1);
	assert_string_equal(set.action, "");
	assert_true(addrset_is_empty(&set.accept));
	store_set_fini(&set);
	assert_set_at(store, 3000, &f.accept, 9);
	filter_fini(&f);
	test_close(store, &cfg);
}

static bool take_text(const struct store_command *c, void *arg)
{
	char *text = arg;

	snprintf(text + strlen(text), 200 - strlen(text), "%s %lld;", c->line,
		 (long long)c->revision);
	return true;
}

static void test_revisions_count_on_after_a_trim(void **state)
{
	char text[200] = "";
	int64_t newest, oldest;
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct store_command c = {
			.at_ms = i, .who = "w", .line = "l", .result = ""
		};

		assert_int_equal(store_command_add(store, &c, i != 1, &diag), 0);
		assert_int_equal(store_command_change(store, c.id, 0, "", "+l\n", &diag),
				 0);
	}
	assert_int_equal(store_revisions(store, &newest, &oldest, &diag), 0);
	assert_int_equal(newest, 3);
	assert_int_equal(oldest, 0);
	assert_int_equal(store_history_trim(store, 100, INT64_MAX, 100, &diag), 3);
	assert_int_equal(store_revisions(store, &newest, &oldest, &diag), 0);
	assert_int_equal(newest, 3);
	assert_int_equal(oldest, 2);
	assert_int_equal(store_commands_walk(store, take_text, text, &diag), 0);
	assert_string_equal(text, "l 3;");
	test_close(store, &cfg);
}

static void test_bytes_are_bounded(void **state)
{
	struct diag diag = { "" };
	int64_t rows, bytes;
	struct config cfg;
	struct store *store = test_open(&cfg);
	int trimmed = 1;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct store_event e = { i, false, "something that is worth to be told" };

		assert_int_equal(store_event_add(store, &e, &diag), 0);
	}
	for (int i = 0; i < 20 && trimmed > 0; i++)
		trimmed = store_history_trim(store, 0, 10000, 1000, &diag);
	assert_int_equal(trimmed, 0);
	assert_int_equal(store_history_size(store, &rows, &bytes, &diag), 0);
	assert_in_range(bytes, 1, 10000);
	assert_in_range(rows, 1, 999);
	test_close(store, &cfg);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)
	const struct CMUnitTest tests[] = {
		T(test_any_time_can_be_asked_for),
		T(test_an_edge_that_went_and_came),
		T(test_revisions_count_on_after_a_trim),
		T(test_bytes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
