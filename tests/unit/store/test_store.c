/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/store_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/store/store_db.h"
#include "controller/store/store_file.h"


static void make_filled(void)
{
	struct config cfg;
	struct store *store = test_open(&cfg);

	test_fill_config(&cfg);
	test_fill_rest(store);
	test_close(store, &cfg);
}

/* ---- a new one ---- */

static void test_new_database(void **state)
{
	struct diag diag = { "" };
	struct store *store = store_open(test_path, &diag);
	uint64_t epoch;
	struct stat st;
	char *text;

	assert_non_null(store);
	epoch = store_epoch(store);
	assert_true(epoch > 0 && epoch <= INT64_MAX);
	assert_int_equal(stat(test_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	store_close(store);
	store = store_open(test_path, &diag);
	assert_true(store_epoch(store) == epoch);
	store_close(store);

	assert_int_equal(unlink(test_path), 0);
	store = store_open(test_path, &diag);
	assert_true(store_epoch(store) != epoch);
	text = test_store_text(store);
	assert_string_equal(text, "");
	free(text);
	store_close(store);
}

static void test_files_beside_are_private(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	mode_t old = umask(0);
	struct config cfg;
	struct store *store = test_open(&cfg);

	test_fill_config(&cfg);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *name = store_file_name(test_path, suffixes[i]);
		struct stat st;

		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		free(name);
	}
	umask(old);
	test_close(store, &cfg);
}

static void test_restored_backup_gets_private(void **state)
{
	struct config cfg;
	struct stat st;

	make_filled();
	assert_int_equal(chmod(test_path, 0644), 0);
	test_close(test_open(&cfg), &cfg);
	assert_int_equal(stat(test_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_directory_must_exist(void **state)
{
	struct diag diag = { "" };
	char path[160];

	snprintf(path, sizeof(path), "%s/none/savd.db", test_dir);
	assert_null(store_open(path, &diag));
	assert_contains(diag.text, path);
	assert_contains(diag.text, "make it");
	test_write_file(test_path, "", 0);
	snprintf(path, sizeof(path), "%s/savd.db", test_path);
	assert_null(store_open(path, &diag));
	assert_contains(diag.text, "not a directory");
}

/* Killed while making it: the half is not taken for a database. */
static void test_half_made_one_is_dropped(void **state)
{
	char *name = store_file_name(test_path, ".new");
	struct config cfg;

	test_write_file(name, "SQLite format 3", 16);
	test_close(test_open(&cfg), &cfg);
	assert_int_equal(access(name, F_OK), -1);
	free(name);
}

/* ---- bad files ---- */

static void test_empty_file(void **state)
{
	struct diag diag;

	test_write_file(test_path, "", 0);
	test_refused(&diag);
	assert_contains(diag.text, "empty");
	assert_contains(diag.text, "restore a backup");
	assert_contains(diag.text, "keep filtering");
}

static void test_garbage(void **state)
{
	char bytes[4096];
	struct diag diag;

	memset(bytes, 0x5a, sizeof(bytes));
	test_write_file(test_path, bytes, sizeof(bytes));
	test_refused(&diag);
	assert_contains(diag.text, "restore a backup");
	test_write_file(test_path, "SQLite format 3", 16);
	test_refused(&diag);
	assert_contains(diag.text, "restore a backup");
}

static void test_other_programs_database(void **state)
{
	struct diag diag;

	test_sql(test_path, "CREATE TABLE t (x); PRAGMA application_id = 7");
	test_refused(&diag);
	assert_contains(diag.text, "another program");
}

static void test_no_schema(void **state)
{
	struct diag diag;

	test_sql(test_path, "PRAGMA application_id = 1330856278");
	test_refused(&diag);
	assert_contains(diag.text, "no schema");
}

static void test_no_epoch(void **state)
{
	struct diag diag;

	make_filled();
	test_sql(test_path, "DELETE FROM meta");
	test_refused(&diag);
	assert_contains(diag.text, "epoch");
}

static void test_directory_in_its_place(void **state)
{
	struct diag diag = { "" };

	assert_int_equal(mkdir(test_path, 0700), 0);
	assert_null(store_open(test_path, &diag));
	assert_contains(diag.text, "not a file");
}

static void test_newer_schema(void **state)
{
	struct diag diag;

	make_filled();
	test_sql(test_path, "PRAGMA user_version = 12345");
	test_refused(&diag);
	assert_contains(diag.text, "12345");
	assert_contains(diag.text, "newer OpenSAV");
}

static void test_log_without_database(void **state)
{
	char *wal = store_file_name(test_path, "-wal");
	struct diag diag = { "" };

	test_write_file(wal, "12345", 5);
	assert_null(store_open(test_path, &diag));
	assert_contains(diag.text, wal);
	assert_int_equal(access(test_path, F_OK), -1);
	assert_int_equal(access(wal, F_OK), 0);
	free(wal);
}

/* Root may read everything by its capabilities, so a child gives them up. It
 * stays who it is: another user may not be allowed to walk down to the file. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	return (int)syscall(SYS_capset, &header, none);
}

static void test_unreadable(void **state)
{
	pid_t child;
	int status;

	make_filled();
	assert_int_equal(chmod(test_path, 0), 0);
	child = fork();
	if (child == 0) {
		struct diag diag = { "" };

		if (drop_capabilities() < 0)
			_exit(2);
		if (store_open(test_path, &diag))
			_exit(3);
		_exit(strstr(diag.text, strerror(EACCES)) &&
				      strstr(diag.text, "must own it")
			      ? 0
			      : 4);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Every page in turn: refused as it is, or opened with what can be read; what
 * is given out has passed the checks, and nothing crashes. */
static void test_damaged_pages(void **state)
{
	size_t len, refused = 0;
	char *good, *bad;
	char *wal = store_file_name(test_path, "-wal");

	make_filled();
	good = test_read_file(test_path, &len);
	bad = malloc(len);
	for (size_t page = 0; page < len / 4096; page++) {
		struct diag diag = { "" };
		struct store *store;
		struct config cfg;

		memcpy(bad, good, len);
		memset(bad + page * 4096 + (page == 0 ? 100 : 0), 0xa5,
		       page == 0 ? 3996 : 4096);
		test_write_file(test_path, bad, len);
		store = store_open(test_path, &diag);
		if (store) {
			config_init(&cfg);
			store_config_load(store, &cfg, &diag);
			free(test_store_text(store));
			test_close(store, &cfg);
		} else {
			refused++;
			assert_contains(diag.text, "restore a backup");
			test_refused(&diag);
		}
		unlink(wal);
	}
	assert_true(refused >= len / 4096 - 1);
	free(wal);
	free(good);
	free(bad);
}

static void test_cut_off(void **state)
{
	struct diag diag;
	size_t len;
	char *good;

	make_filled();
	good = test_read_file(test_path, &len);
	for (size_t cut = 1; cut < len; cut += cut < 200 ? 13 : 4096 - 13) {
		test_write_file(test_path, good, cut);
		test_refused(&diag);
		assert_contains(diag.text, "restore a backup");
	}
	free(good);
}

/* Single bytes may pass the checks of the file; then a hash or a value's own
 * rules must hold them back, and nothing may crash. */
static void test_changed_bytes(void **state)
{
	unsigned int seed = 7;
	size_t len;
	char *good;

	make_filled();
	good = test_read_file(test_path, &len);
	for (int i = 0; i < 300; i++) {
		struct diag diag = { "" };
		size_t at = (size_t)rand_r(&seed) % len;
		char old = good[at];
		struct store *store;

		good[at] = (char)rand_r(&seed);
		test_write_file(test_path, good, len);
		good[at] = old;
		store = store_open(test_path, &diag);
		if (store) {
			struct config cfg;

			config_init(&cfg);
			store_config_load(store, &cfg, &diag);
			store_agent_revoke(store, "r1", 1, &(int){ 0 }, &diag);
			config_fini(&cfg);
			store_close(store);
		} else {
			assert_contains(diag.text, test_path);
		}
	}
	free(good);
}

/* ---- others at the same file ---- */

static void test_second_savd_is_refused(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	char pid[32];
	pid_t child;
	int status;

	child = fork();
	if (child == 0)
		_exit(store_open(test_path, &diag) ? 1 : 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_null(store_open(test_path, &diag));
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_contains(diag.text, pid);
	assert_contains(diag.text, test_path);
	test_fill_config(&cfg); /* the first one goes on */
	test_close(store, &cfg);
	test_close(test_open(&cfg), &cfg);
}

static void test_readers_are_welcome(void **state)
{
	struct config cfg;
	struct store *store = test_open(&cfg);
	sqlite3_stmt *q;
	sqlite3 *db;

	test_fill_config(&cfg);
	assert_int_equal(sqlite3_open_v2(test_path, &db, SQLITE_OPEN_READONLY, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT prefix FROM customer_prefix", -1,
					    &q, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(q, 0), "10.0.0.0/8");
	test_fill_rest(store); /* in the middle of the reader's read */
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	sqlite3_finalize(q);
	sqlite3_close(db);
	test_close(store, &cfg);
}

static void test_other_writer(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct config_router r9 = { .name = "r9" };
	sqlite3 *db;

	sqlite3_busy_timeout(store->db, 5);
	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(config_router_put(&cfg, &r9, &diag), -1);
	assert_contains(diag.text, test_path);
	assert_contains(diag.text, "another program");
	assert_true(store_is_blocked(store));
	assert_null(config_router_find(&cfg, "r9"));
	assert_int_equal(store_begin(store, &diag), -1);
	sqlite3_close(db);
	assert_int_equal(config_router_put(&cfg, &r9, &diag), 0);
	assert_false(store_is_blocked(store));
	test_close(store, &cfg);
}

/* ---- no room ---- */

static void limit_pages(struct store *store, int more)
{
	char sql[80];
	sqlite3_stmt *q;
	int pages;

	assert_int_equal(sqlite3_prepare_v2(store->db, "PRAGMA page_count", -1, &q, NULL),
			 0);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	pages = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %d", pages + more);
	assert_int_equal(sqlite3_exec(store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void put_large_customer(struct config_customer *c, const char *name)
{
	*c = (struct config_customer){ .as = 1 };
	snprintf(c->name, sizeof(c->name), "%s", name);
	for (unsigned int i = 0; i < 2000; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V6, (u128)i << 80, 48);

		config_prefixes_set(&c->prefixes, &c->n_prefixes, &p, true);
	}
}

static void test_no_room(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct config_customer c;
	char *before, *after;

	put_large_customer(&c, "large");
	test_fill_config(&cfg);
	limit_pages(store, 1);
	assert_int_equal(config_customer_put(&cfg, &c, &diag), -1);
	assert_contains(diag.text, test_path);
	assert_contains(diag.text, "no room");
	assert_contains(diag.text, "free some space");
	assert_null(config_customer_find(&cfg, "large"));
	before = test_config_text(&cfg);
	test_close(store, &cfg);
	store = test_open(&cfg);
	after = test_config_text(&cfg);
	assert_string_equal(before, after); /* nothing of it was written */
	free(before);
	free(after);

	limit_pages(store, 1);
	assert_int_equal(config_customer_put(&cfg, &c, &diag), -1);
	limit_pages(store, 1000);
	assert_int_equal(config_customer_put(&cfg, &c, &diag), 0);
	config_customer_fini(&c);
	test_close(store, &cfg);
	store = test_open(&cfg);
	assert_int_equal(config_customer_find(&cfg, "large")->n_prefixes, 2000);
	test_close(store, &cfg);
}

/* SQLite may undo the whole batch by itself. What came before is lost and what
 * comes after must not be kept on its own; the commit says so. */
static void test_lost_batch(void **state)
{
	struct diag diag = { "" };
	struct config cfg, again;
	struct store *store = test_open(&cfg);
	struct config_router r9 = { .name = "r9" };

	assert_int_equal(store_begin(store, &diag), 0);
	test_fill_config(&cfg);
	assert_int_equal(sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(store_config_sink()->router(store, "zz", NULL, &diag), -1);
	assert_int_equal(store_config_sink()->router(store, "r9", &r9, &diag), -1);
	assert_int_equal(store_commit(store, &diag), -1);
	config_init(&again);
	assert_int_equal(store_config_load(store, &again, &diag), 0);
	assert_int_equal(again.n_routers, 0);
	config_fini(&again);
	assert_int_equal(store_config_sink()->router(store, "r9", &r9, &diag), 0);
	test_close(store, &cfg);
}

static void test_batch_without_room(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	struct config_customer c;
	struct config_router r9 = { .name = "r9" };
	int small, commit;

	test_fill_config(&cfg);
	limit_pages(store, 1);
	put_large_customer(&c, "large");
	assert_int_equal(store_begin(store, &diag), 0);
	assert_int_equal(config_router_put(&cfg, &r9, &diag), 0);
	assert_int_equal(config_customer_put(&cfg, &c, &diag), -1);
	small = config_own_set(&cfg, &(struct ip_prefix){ .len = 0 }, true, &diag);
	commit = store_commit(store, &diag);
	/* Lost as a whole, or the refused change alone is missing: never between. */
	assert_int_equal(small, commit);
	config_customer_fini(&c);
	test_close(store, &cfg);
	store = test_open(&cfg);
	assert_int_equal(config_router_find(&cfg, "r9") != NULL, commit == 0);
	assert_int_equal(cfg.n_own, commit == 0 ? 3 : 2);
	assert_null(config_customer_find(&cfg, "large"));
	test_close(store, &cfg);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)
	const struct CMUnitTest tests[] = {
		T(test_new_database),
		T(test_files_beside_are_private),
		T(test_restored_backup_gets_private),
		T(test_directory_must_exist),
		T(test_half_made_one_is_dropped),
		T(test_empty_file),
		T(test_garbage),
		T(test_other_programs_database),
		T(test_no_schema),
		T(test_no_epoch),
		T(test_directory_in_its_place),
		T(test_newer_schema),
		T(test_log_without_database),
		T(test_unreadable),
		T(test_damaged_pages),
		T(test_cut_off),
		T(test_changed_bytes),
		T(test_second_savd_is_refused),
		T(test_readers_are_welcome),
		T(test_other_writer),
		T(test_no_room),
		T(test_lost_batch),
		T(test_batch_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
