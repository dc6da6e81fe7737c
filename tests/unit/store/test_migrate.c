/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * For each schema number there are fixtures/schema-NNN.sql, a database of that
 * time with something in every table (sqlite3 FILE .dump, with the two PRAGMA
 * lines), and schema-NNN.txt, what it holds as today's code sees it. A new
 * migration brings the pair of its own number; the old ones stay.
 */
#include "tests/unit/store/store_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/store/migrate.h"

static sqlite3 *db_open(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	return db;
}

static void sql(sqlite3 *db, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", text, message);
}

/* All of a query's cells, with spaces; the caller frees. */
static char *answer(sqlite3 *db, const char *query)
{
	sqlite3_stmt *q;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &q, NULL), SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(q); i++)
			fprintf(out, "%s ", (const char *)sqlite3_column_text(q, i));
	}
	sqlite3_finalize(q);
	fclose(out);
	return text;
}

static void assert_answer(sqlite3 *db, const char *query, const char *want)
{
	char *have = answer(db, query);

	assert_string_equal(have, want);
	free(have);
}

static const struct migration steps[] = {
	{ "001_a",
	  "CREATE TABLE a (x PRIMARY KEY); CREATE TABLE b (a REFERENCES a (x));" },
	{ "002_b", "ALTER TABLE a ADD COLUMN y DEFAULT 7;" },
	{ "003_c", "CREATE TABLE c (x PRIMARY KEY, y); INSERT INTO c SELECT x, y FROM a;"
		   "DROP TABLE a; ALTER TABLE c RENAME TO a;" },
};

static void test_from_each_version(void **state)
{
	for (size_t from = 0; from <= 3; from++) {
		struct diag diag = { "" };
		sqlite3 *db = db_open();

		sql(db, "PRAGMA foreign_keys = ON");
		assert_int_equal(migrate_run(db, steps, from, &diag), 0);
		if (from > 0)
			sql(db, "INSERT INTO a (x) VALUES (5); INSERT INTO b VALUES (5)");
		assert_int_equal(migrate_run(db, steps, 3, &diag), 0);
		assert_int_equal(migrate_version(db, &diag), 3);
		if (from > 0) /* a default given before is kept, else there is none */
			assert_answer(db, "SELECT x, ifnull(y, '-'), b.a FROM a, b",
				      from == 3 ? "5 - 5 " : "5 7 5 ");
		assert_int_equal(migrate_run(db, steps, 3, &diag), 0);
		assert_answer(db, "PRAGMA foreign_keys", "1 ");
		sqlite3_close(db);
		unlink(test_path);
	}
}

static void test_failure_is_undone(void **state)
{
	struct migration list[] = {
		steps[0],
		{ "002_bad",
		  "CREATE TABLE d (x); INSERT INTO d VALUES (1); SELECT * FROM none;" },
		steps[2],
	};
	struct diag diag = { "" };
	sqlite3 *db = db_open();

	assert_int_equal(migrate_run(db, list, 3, &diag), -1);
	assert_contains(diag.text, "002_bad");
	assert_contains(diag.text, "none");
	assert_int_equal(migrate_version(db, &diag), 1);
	assert_answer(db,
		      "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
		      "a b ");
	assert_true(sqlite3_get_autocommit(db));
	sqlite3_close(db);
}

static void test_lost_references_are_refused(void **state)
{
	struct migration list[] = { steps[0], { "002_drop", "DELETE FROM a;" } };
	struct diag diag = { "" };
	sqlite3 *db = db_open();

	assert_int_equal(migrate_run(db, list, 1, &diag), 0);
	sql(db, "INSERT INTO a (x) VALUES (5); INSERT INTO b VALUES (5)");
	assert_int_equal(migrate_run(db, list, 2, &diag), -1);
	assert_contains(diag.text, "table b");
	assert_answer(db, "SELECT x FROM a", "5 ");
	sqlite3_close(db);
}

static void test_newer_and_impossible_versions(void **state)
{
	struct diag diag = { "" };
	sqlite3 *db = db_open();

	sql(db, "PRAGMA user_version = 4");
	assert_int_equal(migrate_run(db, steps, 3, &diag), -1);
	assert_contains(diag.text, "newer OpenSAV");
	sql(db, "PRAGMA user_version = -1");
	assert_int_equal(migrate_run(db, steps, 3, &diag), -1);
	sqlite3_close(db);
}

/* ---- the real ones ---- */

#define TABLES "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"

static char *fresh_tables(void)
{
	struct config cfg;
	sqlite3 *db;
	char *text;

	test_close(test_open(&cfg), &cfg);
	db = db_open();
	text = answer(db, TABLES);
	sqlite3_close(db);
	unlink(test_path);
	return text;
}

static void make_fixture(size_t version)
{
	char name[80], *dump;

	snprintf(name, sizeof(name), "tests/unit/store/fixtures/schema-%03zu.sql",
		 version);
	dump = test_read_source(name);
	unlink(test_path);
	test_sql(test_path, dump);
	free(dump);
}

static void check_fixture_content(size_t version)
{
	char name[80], kind[16], *want, *config, *rest, *all = NULL;
	const uint8_t token[32] = { 1, 2, 3 };
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);

	snprintf(name, sizeof(name), "tests/unit/store/fixtures/schema-%03zu.txt",
		 version);
	want = test_read_source(name);
	config = test_config_text(&cfg);
	rest = test_store_text(store);
	assert_true(asprintf(&all, "epoch %llu\n%s%s",
			     (unsigned long long)store_epoch(store), config, rest) > 0);
	assert_string_equal(all, want);
	assert_int_equal(store_token_consume(store, "r2", token, 1, kind, &diag), 0);
	free(all);
	free(rest);
	free(config);
	free(want);
	test_fill_config(&cfg); /* and it takes changes */
	test_close(store, &cfg);
}

static void test_every_schema_so_far(void **state)
{
	char *fresh = fresh_tables();

	for (size_t version = 1; version <= n_migrations; version++) {
		sqlite3 *db;

		make_fixture(version);
		check_fixture_content(version);
		db = db_open();
		assert_answer(db, TABLES, fresh);
		sqlite3_close(db);
	}
	free(fresh);
}

static void test_fixtures_use_every_table(void **state)
{
	sqlite3 *db;
	char *names, *save = NULL;

	make_fixture(n_migrations);
	db = db_open();
	names = answer(db, "SELECT name FROM sqlite_master WHERE type = 'table'");
	for (char *name = strtok_r(names, " ", &save); name;
	     name = strtok_r(NULL, " ", &save)) {
		char query[128], *count;

		snprintf(query, sizeof(query), "SELECT count(*) FROM %s", name);
		count = answer(db, query);
		if (atoi(count) == 0)
			fail_msg("the fixture has nothing in table %s", name);
		free(count);
	}
	free(names);
	sqlite3_close(db);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)
	const struct CMUnitTest tests[] = {
		T(test_from_each_version),
		T(test_failure_is_undone),
		T(test_lost_references_are_refused),
		T(test_newer_and_impossible_versions),
		T(test_every_schema_so_far),
		T(test_fixtures_use_every_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
