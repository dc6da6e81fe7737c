/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/store_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/store_db.h"

/* What is in memory is what a restart finds. */
static void assert_kept(struct store **store, struct config *cfg)
{
	char *before = test_config_text(cfg), *after;

	test_close(*store, cfg);
	*store = test_open(cfg);
	after = test_config_text(cfg);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void test_everything_survives(void **state)
{
	struct config cfg;
	struct store *store = test_open(&cfg);

	test_fill_config(&cfg);
	assert_int_equal(cfg.n_edges, 2);
	assert_kept(&store, &cfg);
	test_fill_config(&cfg);
	assert_kept(&store, &cfg);
	test_close(store, &cfg);
}

static void test_changes_and_removals(void **state)
{
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct config_edge e;
	struct config_customer c;
	struct ip_prefix p = test_prefix("203.0.113.0/24");
	struct config_listen l = { test_addr("0.0.0.0"), 11019 };
	struct config_bmp_allow allow;
	struct diag diag = { "" };

	test_fill_config(&cfg);
	config_edge_copy(&e, config_edge_find(&cfg, "r1", "eth0"));
	e.customer[0] = '\0';
	e.mode = MODE_FEASIBLE;
	e.feasible_paths = CONFIG_PATHS_MAX;
	assert_int_equal(config_edge_put(&cfg, &e, &diag), 0);
	assert_kept(&store, &cfg);
	e.mode = MODE_DEFAULT;
	assert_int_equal(config_edge_put(&cfg, &e, &diag), -1);
	assert_string_equal(diag.text, "paths belong to mode feasible");
	e.feasible_paths = 0;
	e.action = FILTER_OFF;
	e.peers[0] = test_addr("192.0.2.10");
	e.n_prefixes = 0;
	assert_int_equal(config_edge_put(&cfg, &e, &diag), 0);
	config_edge_fini(&e);
	config_customer_copy(&c, config_customer_find(&cfg, "acme"));
	c.as = 0;
	memmove(c.prefixes, c.prefixes + 1, 2 * sizeof(*c.prefixes));
	c.n_prefixes = 2;
	assert_int_equal(config_customer_put(&cfg, &c, &diag), 0);
	config_customer_fini(&c);
	assert_kept(&store, &cfg);

	assert_int_equal(config_edge_del(&cfg, "r1", "eth0", &diag), 0);
	assert_int_equal(config_edge_del(&cfg, "r2", "xe-0.100", &diag), 0);
	assert_int_equal(config_customer_del(&cfg, "acme", &diag), 0);
	assert_int_equal(config_router_del(&cfg, "r1", &diag), 0);
	assert_int_equal(config_own_set(&cfg, &p, false, &diag), 0);
	p = test_prefix("100.64.0.0/10");
	assert_int_equal(config_permit_set(&cfg, &p, false, &diag), 0);
	assert_int_equal(config_bmp_listen_set(&cfg, &l, false, &diag), 0);
	l = (struct config_listen){ test_addr("2001:db8::2"), 65535 };
	assert_int_equal(config_agent_listen_set(&cfg, &l, false, &diag), 0);
	assert_int_equal(config_metrics_listen_set(&cfg, &l, false, &diag), 0);
	allow = cfg.bmp_allows[1];
	strcpy(allow.password, "another");
	assert_int_equal(config_bmp_allow_set(&cfg, &allow, true, &diag), 0);
	assert_kept(&store, &cfg);
	assert_string_equal(cfg.bmp_allows[1].password, "another");
	assert_int_equal(config_bmp_allow_set(&cfg, &allow, false, &diag), 0);
	assert_kept(&store, &cfg);
	assert_int_equal(cfg.n_edges, 0);
	assert_int_equal(cfg.n_routers, 1);
	assert_int_equal(cfg.n_bmp_listens, 0);
	assert_int_equal(cfg.n_metrics_listens, 0);
	assert_int_equal(cfg.n_bmp_allows, 1);
	test_close(store, &cfg);
}

/* A list is compared with what is stored, whatever the order of its texts. */
static void test_lists_change_by_difference(void **state)
{
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct config_customer c = { .name = "acme" };
	struct diag diag = { "" };
	unsigned int seed = 1;

	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 5; i++) {
			unsigned int r = (unsigned int)rand_r(&seed);
			struct ip_prefix p =
				ip_prefix_make(r & 1 ? IP_V4 : IP_V6,
					       (u128)(r >> 4 & 31) << (r & 1 ? 24 : 120),
					       8 + (r >> 2 & 3));

			p = ip_prefix_make(p.family, p.v, p.len);
			config_prefixes_set(&c.prefixes, &c.n_prefixes, &p, r & 2);
		}
		assert_int_equal(config_customer_put(&cfg, &c, &diag), 0);
		if (round % 20 == 0)
			assert_kept(&store, &cfg);
	}
	assert_kept(&store, &cfg);
	config_customer_fini(&c);
	test_close(store, &cfg);
}

static void test_batch_is_all_or_nothing(void **state)
{
	struct config cfg, again;
	struct store *store = test_open(&cfg);
	struct diag diag = { "" };

	assert_int_equal(store_begin(store, &diag), 0);
	test_fill_config(&cfg);
	store_rollback(store);
	config_init(&again);
	assert_int_equal(store_config_load(store, &again, &diag), 0);
	assert_int_equal(again.n_routers, 0);
	config_fini(&again);

	assert_int_equal(store_begin(store, &diag), 0);
	test_fill_config(&cfg);
	assert_int_equal(store_commit(store, &diag), 0);
	assert_kept(&store, &cfg);

	assert_int_equal(store_begin(store, &diag), 0);
	store_rollback(store);
	store_rollback(store);
	assert_kept(&store, &cfg);
	test_close(store, &cfg);
}

/* A refused change within a batch takes nothing else with it. */
static void test_batch_goes_on_after_refusal(void **state)
{
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct config_router r9 = { .name = "r9" };
	struct diag diag = { "" };

	test_fill_config(&cfg);
	assert_int_equal(store_begin(store, &diag), 0);
	assert_int_equal(config_router_put(&cfg, &r9, &diag), 0);
	/* the database's own rule, were policy to forget its */
	assert_int_equal(store_config_sink()->router(store, "r1", NULL, &diag), -1);
	assert_contains(diag.text, "FOREIGN KEY");
	assert_int_equal(store_commit(store, &diag), 0);
	assert_kept(&store, &cfg);
	assert_non_null(config_router_find(&cfg, "r9"));
	assert_non_null(config_router_find(&cfg, "r1"));
	test_close(store, &cfg);
}

static void expect_load_error(const char *sql, const char *where, const char *why)
{
	struct diag diag = { "" };
	struct store *store;
	struct config cfg;

	test_sql(test_path, sql);
	store = store_open(test_path, &diag);
	assert_non_null(store);
	config_init(&cfg);
	assert_int_equal(store_config_load(store, &cfg, &diag), -1);
	assert_contains(diag.text, test_path);
	assert_contains(diag.text, where);
	assert_contains(diag.text, why);
	assert_contains(diag.text, "restore a backup");
	config_fini(&cfg);
	store_close(store);
}

static const struct {
	const char *sql, *undo, *where, *why;
} bad_rows[] = {
	{ "INSERT INTO own_prefix VALUES ('10.0.0.1/8')",
	  "DELETE FROM own_prefix WHERE prefix = '10.0.0.1/8'", "own_prefix",
	  "10.0.0.1/8" },
	{ "INSERT INTO permit VALUES ('2001:DB8::/32')",
	  "DELETE FROM permit WHERE prefix = '2001:DB8::/32'", "permit", "plain form" },
	{ "INSERT INTO bmp_listen VALUES ('localhost', 1)",
	  "DELETE FROM bmp_listen WHERE address = 'localhost'", "bmp_listen",
	  "localhost" },
	{ "INSERT INTO agent_listen VALUES ('::1', 1.5)",
	  "DELETE FROM agent_listen WHERE address = '::1'", "agent_listen", "port" },
	{ "INSERT INTO bmp_allow VALUES ('10.0.0.0/8', 'two words')",
	  "DELETE FROM bmp_allow WHERE prefix = '10.0.0.0/8'", "bmp_allow",
	  "without blanks" },
	{ "UPDATE feed_limits SET max_paths = 7", "UPDATE feed_limits SET max_paths = 1500000",
	  "feed_limits", "is not a number from 1000" },
	{ "UPDATE edge SET role = 'boss' WHERE interface = 'eth0'",
	  "UPDATE edge SET role = 'customer' WHERE interface = 'eth0'", "row r1 eth0",
	  "unknown role \"boss\"" },
	{ "UPDATE edge SET mode = 'efp' WHERE interface = 'eth0'",
	  "UPDATE edge SET mode = 'efp-a' WHERE interface = 'eth0'", "row r1 eth0",
	  "unknown mode" },
	{ "UPDATE edge SET action = '' WHERE interface = 'eth0'",
	  "UPDATE edge SET action = 'observe' WHERE interface = 'eth0'", "row r1 eth0",
	  "unknown action" },
	{ "UPDATE edge SET stale_policy = x'00' WHERE interface = 'eth0'",
	  "UPDATE edge SET stale_policy = 'hold' WHERE interface = 'eth0'", "row r1 eth0",
	  "stale_policy" },
	{ "UPDATE edge SET brake_shrink_percent = 101 WHERE interface = 'eth0'",
	  "UPDATE edge SET brake_shrink_percent = 50 WHERE interface = 'eth0'",
	  "row r1 eth0", "brake shrink" },
	{ "PRAGMA foreign_keys = OFF; UPDATE edge SET customer = 'gone' WHERE interface "
	  "= 'eth0'",
	  "UPDATE edge SET customer = 'acme' WHERE interface = 'eth0'", "row r1 eth0",
	  "no customer gone" },
	{ "PRAGMA foreign_keys = OFF; INSERT INTO edge_peer VALUES ('r1', 'a', '::1')",
	  "DELETE FROM edge_peer WHERE interface = 'a'", "edge_peer, row r1 a",
	  "belongs to nothing" },
	{ "PRAGMA foreign_keys = OFF; INSERT INTO edge_prefix VALUES ('z', 'z', '::/0')",
	  "DELETE FROM edge_prefix WHERE interface = 'z'", "edge_prefix, row z z",
	  "belongs to nothing" },
	{ "PRAGMA foreign_keys = OFF; INSERT INTO customer_prefix VALUES ('A', '::/0')",
	  "DELETE FROM customer_prefix WHERE customer = 'A'", "customer_prefix, row A",
	  "belongs to nothing" },
	{ "INSERT INTO customer_prefix VALUES ('acme', '9.0.0.0/33')",
	  "DELETE FROM customer_prefix WHERE prefix = '9.0.0.0/33'",
	  "customer_prefix, row acme", "9.0.0.0/33" },
	{ "INSERT INTO router VALUES ('a b')", "DELETE FROM router WHERE name = 'a b'",
	  "table router, row a b", "not valid" },
	{ "INSERT INTO router VALUES (printf('%.100c', 'x'))",
	  "DELETE FROM router WHERE length(name) > 64", "table router", "63 bytes" },
	{ "INSERT INTO router VALUES ('r3' || char(0) || 'x')",
	  "DELETE FROM router WHERE name > 'r3' AND name < 'r4'", "table router",
	  "name" },
};

static void test_rows_edited_badly_are_named(void **state)
{
	struct config cfg;
	struct store *store = test_open(&cfg);

	test_fill_config(&cfg);
	test_close(store, &cfg);
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		expect_load_error(bad_rows[i].sql, bad_rows[i].where, bad_rows[i].why);
		test_sql(test_path, bad_rows[i].undo);
		store = test_open(&cfg); /* nothing is left of it */
		test_close(store, &cfg);
	}
}

/* A failed load leaves no statement and no transaction open. */
static void test_store_works_after_failed_load(void **state)
{
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct config_router r3 = { .name = "r3" };
	struct diag diag = { "" };

	test_fill_config(&cfg);
	test_sql(test_path, "UPDATE edge SET role = 'boss' WHERE interface = 'eth0'");
	config_fini(&cfg);
	assert_int_equal(store_config_load(store, &cfg, &diag), -1);
	config_fini(&cfg);
	assert_int_equal(store_config_load(store, &cfg, &diag), -1);
	assert_contains(diag.text, "boss");
	assert_int_equal(store_config_sink()->router(store, "r3", &r3, &diag), 0);
	test_sql(test_path, "UPDATE edge SET role = 'peer' WHERE interface = 'eth0'");
	config_fini(&cfg);
	assert_int_equal(store_config_load(store, &cfg, &diag), 0);
	assert_non_null(config_router_find(&cfg, "r3"));
	test_close(store, &cfg);
}

#ifdef __SANITIZE_ADDRESS__ /* whose realloc() always copies */
#define MANY_ROUTERS 10
#else
#define MANY_ROUTERS 100
#endif
#define MANY_EDGES 100 /* each */

static void fill_many(struct config *cfg)
{
	struct diag diag = { "" };

	for (unsigned int i = 0; i < MANY_ROUTERS; i++) {
		struct config_router r = { "" };

		snprintf(r.name, sizeof(r.name), "r%u", i);
		assert_int_equal(config_router_put(cfg, &r, &diag), 0);
		for (unsigned int k = 0; k < MANY_EDGES; k++) {
			char interface[16];
			struct config_edge e;
			struct ip_addr peer = { .v = 0x0a000000u + i * MANY_EDGES + k };
			struct ip_prefix p = ip_prefix_make(IP_V4, peer.v, 32);

			snprintf(interface, sizeof(interface), "eth%u", k);
			e = test_edge(r.name, interface);
			config_addrs_set(&e.peers, &e.n_peers, &peer, true);
			config_prefixes_set(&e.prefixes, &e.n_prefixes, &p, true);
			assert_int_equal(config_edge_put(cfg, &e, &diag), 0);
			config_edge_fini(&e);
		}
	}
}

static int count_statement(unsigned int type, void *arg, void *stmt, void *text)
{
	++*(unsigned int *)arg;
	return 0;
}

/* Each table is asked once, not once per edge. */
static void test_ten_thousand_edges(void **state)
{
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct diag diag = { "" };
	unsigned int statements = 0;

	assert_int_equal(store_begin(store, &diag), 0);
	fill_many(&cfg);
	assert_int_equal(store_commit(store, &diag), 0);
	config_fini(&cfg);
	sqlite3_trace_v2(store->db, SQLITE_TRACE_STMT, count_statement, &statements);
	assert_int_equal(store_config_load(store, &cfg, &diag), 0);
	assert_in_range(statements, 1, 30);
	assert_int_equal(cfg.n_edges, MANY_ROUTERS * MANY_EDGES);
	assert_int_equal(cfg.edges[777].n_peers, 1);
	assert_int_equal(cfg.edges[777].n_prefixes, 1);
	test_close(store, &cfg);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)
	const struct CMUnitTest tests[] = {
		T(test_everything_survives),
		T(test_changes_and_removals),
		T(test_lists_change_by_difference),
		T(test_batch_is_all_or_nothing),
		T(test_batch_goes_on_after_refusal),
		T(test_rows_edited_badly_are_named),
		T(test_store_works_after_failed_load),
		T(test_ten_thousand_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
