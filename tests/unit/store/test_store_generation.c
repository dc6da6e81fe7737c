/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/store_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen {
	struct filter f;
	char router[CONFIG_NAME_SIZE];
	int64_t saved;
	size_t n;
};

static void take(const char *router, const struct filter *f, int64_t saved, void *arg)
{
	struct seen *seen = arg;

	snprintf(seen->router, sizeof(seen->router), "%s", router);
	filter_copy(&seen->f, f);
	seen->saved = saved;
	seen->n++;
}

/* The only saved one, from a database that was closed and opened again. */
static struct seen reload(struct store **store, struct config *cfg)
{
	struct seen seen = { .n = 0 };
	struct diag diag = { "" };

	test_close(*store, cfg);
	*store = test_open(cfg);
	assert_int_equal(store_generations_load(*store, take, &seen, &diag), 0);
	assert_string_equal(diag.text, "");
	return seen;
}

static void assert_round_trip(const struct filter *f)
{
	uint8_t want[FILTER_HASH_SIZE], have[FILTER_HASH_SIZE];
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct seen seen;

	assert_int_equal(store_generation_save(store, "r1", f, 99, &diag), 0);
	seen = reload(&store, &cfg);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.router, "r1");
	assert_int_equal(seen.saved, 99);
	assert_true(seen.f.generation == f->generation);
	filter_hash(f, want);
	filter_hash(&seen.f, have);
	assert_memory_equal(want, have, sizeof(want));
	filter_fini(&seen.f);
	assert_int_equal(store_generation_delete(store, "r1", f->interface, &diag), 0);
	seen = reload(&store, &cfg);
	assert_int_equal(seen.n, 0);
	test_close(store, &cfg);
}

static void test_round_trip(void **state)
{
	struct filter f = test_filter("eth0", INT64_MAX);
	struct filter nothing = { .interface = "e", .action = FILTER_OBSERVE };
	struct ip_prefix all4 = test_prefix("0.0.0.0/0"), all6 = test_prefix("::/0");
	struct ip_addr peers[FILTER_PEERS_MAX];

	assert_round_trip(&f);
	assert_round_trip(&nothing);
	addrset_append(&f.accept, &all4);
	addrset_append(&f.accept, &all6);
	addrset_normalize(&f.accept);
	for (size_t i = 0; i < FILTER_PEERS_MAX; i++)
		peers[i] = (struct ip_addr){ .v = i, .family = i % 2 };
	filter_set_peers(&f, peers, FILTER_PEERS_MAX);
	assert_round_trip(&f);
	filter_fini(&f);
}

static void test_large_set(void **state)
{
	struct filter f = { .interface = "eth0", .generation = 3 };

	for (unsigned int i = 0; i < 100000; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V4, (u128)i << 9, 24);
		struct ip_prefix p6 = ip_prefix_make(IP_V6, (u128)i << 81, 48);

		addrset_append(&f.accept, &p);
		addrset_append(&f.accept, &p6);
	}
	addrset_normalize(&f.accept);
	assert_round_trip(&f);
	filter_fini(&f);
}

static void test_random_sets(void **state)
{
	unsigned int seed = 3;

	for (int round = 0; round < 30; round++) {
		struct filter f = { .interface = "eth0", .generation = (uint64_t)round };

		for (int i = rand_r(&seed) % 40; i > 0; i--) {
			enum ip_family family = rand_r(&seed) % 2;
			unsigned int bits = ip_bits(family);
			u128 first = ((u128)(unsigned int)rand_r(&seed) << (bits - 32)) |
				     (unsigned int)rand_r(&seed);
			struct ip_prefix p =
				ip_prefix_make(family, first & ip_max(family),
					       (unsigned int)rand_r(&seed) % (bits + 1));

			addrset_append(&f.accept, &p);
		}
		addrset_normalize(&f.accept);
		assert_round_trip(&f);
		filter_fini(&f);
	}
}

static void test_newest_replaces(void **state)
{
	struct filter f1 = test_filter("eth0", 1),
		      f2 = { .interface = "eth0", .generation = 2 };
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct seen seen;

	assert_int_equal(store_generation_save(store, "r1", &f1, 10, &diag), 0);
	assert_int_equal(store_generation_save(store, "r1", &f2, 11, &diag), 0);
	seen = reload(&store, &cfg);
	assert_int_equal(seen.n, 1);
	assert_true(seen.f.generation == 2);
	assert_true(addrset_is_empty(&seen.f.accept));
	filter_fini(&seen.f);
	filter_fini(&f1);
	test_close(store, &cfg);
}

static void test_number_beyond_sqlite(void **state)
{
	struct filter f = { .interface = "eth0", .generation = (uint64_t)INT64_MAX + 1 };
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);

	assert_int_equal(store_generation_save(store, "r1", &f, 1, &diag), -1);
	assert_contains(diag.text, "r1 eth0");
	test_close(store, &cfg);
}

/* Each of these leaves a database that is whole to SQLite. */
static const char *const damages[] = {
	"SET accept4 = x'0a00000008'",
	"SET accept4 = x'0a000000'",
	"SET accept4 = x'0a00000021'",
	"SET accept4 = x'0a00000108'",
	"SET accept4 = 5",
	"SET accept6 = accept6 || x'00'",
	"SET accept6 = ''",
	"SET peers = x'05'",
	"SET peers = x'04c00002'",
	"SET peers = zeroblob(5000)",
	"SET peers = x''",
	"SET action = 'observe'",
	"SET action = 'drop'",
	"SET generation = generation + 1",
	"SET saved = saved + 1",
	"SET router = 'r9'",
	"SET interface = 'eth9'",
	"SET interface = 'a/b'",
	"SET interface = ''",
	"SET interface = printf('%.200c', 'x')",
	"SET hash = zeroblob(32)",
	"SET hash = x''",
	"SET hash = hash || x'00'",
};

static void test_damaged_rows_are_left_out(void **state)
{
	struct filter f = test_filter("eth0", 1), g = test_filter("eth1", 2);
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct seen seen = { .n = 0 };
		char sql[160];

		assert_int_equal(store_generation_save(store, "r1", &f, 10, &diag), 0);
		assert_int_equal(store_generation_save(store, "r1", &g, 10, &diag), 0);
		snprintf(sql, sizeof(sql),
			 "UPDATE generation %s WHERE interface = 'eth0'", damages[i]);
		test_sql(test_path, sql);
		assert_int_equal(store_generations_load(store, take, &seen, &diag), 0);
		if (seen.n != 1 || strcmp(seen.f.interface, "eth1") != 0)
			fail_msg("%s: %zu rows, the last %s", damages[i], seen.n,
				 seen.f.interface);
		assert_contains(diag.text, "damaged");
		assert_contains(diag.text, test_path);
		filter_fini(&seen.f);
		test_sql(test_path, "DELETE FROM generation");
	}
	filter_fini(&f);
	filter_fini(&g);
	test_close(store, &cfg);
}

static void test_many_damaged_rows(void **state)
{
	struct filter f = test_filter("eth0", 1);
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct seen seen = { .n = 0 };

	for (unsigned int i = 0; i < 50; i++) {
		char router[32];

		snprintf(router, sizeof(router), "router-with-a-name-%02u", i);
		assert_int_equal(store_generation_save(store, router, &f, 10, &diag), 0);
	}
	test_sql(test_path, "UPDATE generation SET saved = 0");
	assert_int_equal(store_generations_load(store, take, &seen, &diag), 0);
	assert_int_equal(seen.n, 0);
	assert_contains(diag.text, "router-with-a-name-03 eth0, and more");
	filter_fini(&f);
	test_close(store, &cfg);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)
	const struct CMUnitTest tests[] = {
		T(test_round_trip),	      T(test_large_set),
		T(test_random_sets),	      T(test_newest_replaces),
		T(test_number_beyond_sqlite), T(test_damaged_rows_are_left_out),
		T(test_many_damaged_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
