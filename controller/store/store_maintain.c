/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/store/store_maintain.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/store/store_db.h"
#include "controller/store/store_file.h"

/* SQLite's own steps between two looks at *stop. */
#define PROGRESS_STEPS 10000
/* Of a backup, between two: 256 KiB. */
#define SLICE_PAGES 64

/* ---- with a connection of its own ---- */

static int is_stopped(void *arg)
{
	return atomic_load((const atomic_bool *)arg);
}

static sqlite3 *reader_open(const char *path, const atomic_bool *stop, struct diag *diag)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		diag_set(diag, "%s: cannot be opened: %s", path, sqlite3_errmsg(db));
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, 5000); /* a thread of its own may wait */
	sqlite3_progress_handler(db, PROGRESS_STEPS, is_stopped,
				 (void *)(uintptr_t)stop);
	return db;
}

/* What the statement's first row says, which must be "ok". */
static int expect_ok(sqlite3 *db, const char *path, const char *sql, struct diag *diag)
{
	sqlite3_stmt *q = NULL;
	const char *text;
	int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0)
				: sqlite3_errmsg(db);
	if (rc == SQLITE_INTERRUPT)
		diag_set(diag, "%s: the check was not finished", path);
	else if (rc == SQLITE_DONE || (text && strcmp(text, "ok") == 0))
		diag->text[0] = '\0';
	else
		diag_set(diag, "%s: the file is damaged (%.*s): " STORE_FILE_REMEDY, path,
			 (int)strcspn(text ? text : "", "\n"), text ? text : "", path, path);
	sqlite3_finalize(q);
	return diag->text[0] == '\0' ? 0 : -1;
}

int store_check(const char *path, const atomic_bool *stop, struct diag *diag)
{
	sqlite3 *db = reader_open(path, stop, diag);
	int rc = -1;

	if (!db)
		return -1;
	rc = expect_ok(db, path, "PRAGMA integrity_check(1)", diag);
	if (rc == 0)
		rc = expect_ok(db, path,
			       "SELECT 'table ' || \"table\" || ' refers to what is not there'"
			       " FROM pragma_foreign_key_check LIMIT 1",
			       diag);
	sqlite3_close(db);
	return rc;
}

/* A copy that nobody reads before it is whole and on disk needs no journal. Its
 * pages go out as they come. */
static sqlite3 *copy_open(const char *name, struct diag *diag)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
		    SQLITE_OK &&
	    sqlite3_exec(db,
			 "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
			 "PRAGMA cache_size = 64",
			 NULL, NULL, NULL) == SQLITE_OK)
		return db;
	diag_set(diag, "%s: %s: no backup was made", name, sqlite3_errmsg(db));
	sqlite3_close(db);
	return NULL;
}

/* Each slice is synced before the next is read: a file system that keeps data in
 * order (ext4) makes a commit of savd's wait for all that is written before it. */
static int copy_slices(sqlite3_backup *backup, int fd, const atomic_bool *stop)
{
	int rc = SQLITE_OK;

	while (rc == SQLITE_OK && !atomic_load(stop)) {
		rc = sqlite3_backup_step(backup, SLICE_PAGES);
		if (rc == SQLITE_OK && fdatasync(fd) < 0)
			rc = SQLITE_IOERR_FSYNC;
	}
	return rc;
}

/* In one read transaction, so that what is written meanwhile does not make the
 * backup begin anew. */
static int copy(sqlite3 *db, const char *name, const atomic_bool *stop, struct diag *diag)
{
	sqlite3 *to = copy_open(name, diag);
	sqlite3_backup *backup = NULL;
	int fd, rc = SQLITE_CANTOPEN;

	if (!to)
		return -1;
	/* closed after the database: it would take its locks along */
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		rc = sqlite3_exec(db, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL,
				  NULL, NULL);
	if (rc == SQLITE_OK)
		backup = sqlite3_backup_init(to, "main", db, "main");
	if (backup)
		rc = copy_slices(backup, fd, stop);
	sqlite3_backup_finish(backup);
	if (rc == SQLITE_OK)
		diag_set(diag, "%s: stopped: no backup was made", name);
	else if (rc != SQLITE_DONE)
		diag_set(diag, "%s: %s: no backup was made", name, sqlite3_errstr(rc));
	sqlite3_close(to);
	if (fd >= 0)
		close(fd);
	return rc == SQLITE_DONE ? 0 : -1;
}

int store_backup(const char *path, const char *to, const atomic_bool *stop,
		 struct diag *diag)
{
	char *name;
	struct stat st;
	sqlite3 *db;
	int rc;

	if (to[0] != '/')
		return diag_set(diag, "\"%s\": type a path that begins with /", to);
	if (lstat(to, &st) == 0)
		return diag_set(diag, "%s is there already: type another name", to);
	if (store_file_create(to, diag) < 0)
		return -1;
	db = reader_open(path, stop, diag);
	name = store_file_name(to, ".new");
	rc = db ? copy(db, name, stop, diag) : -1;
	if (rc == 0)
		rc = store_file_sync(name, diag);
	if (rc == 0)
		rc = store_file_publish(to, diag);
	store_file_discard(to);
	free(name);
	sqlite3_close(db);
	return rc;
}

/* ---- with the store's ---- */

static int number(struct store *s, const char *sql, int64_t *value, struct diag *diag)
{
	sqlite3_stmt *q = store_db_query(s, diag, sql, "");
	int got = q ? store_db_row(s, q, diag) : -1;

	*value = 0;
	if (got < 0)
		return -1;
	if (got == 1) {
		*value = sqlite3_column_int64(q, 0);
		store_db_end(q);
	}
	return 0;
}

int store_vacuum(struct store *store, int pages, struct diag *diag)
{
	char *sql = sqlite3_mprintf("PRAGMA incremental_vacuum(%d)", pages);
	int64_t mode, left;
	int rc;

	if (!sql)
		abort();
	rc = number(store, "PRAGMA auto_vacuum", &mode, diag);
	if (rc == 0 && sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		rc = store_db_explain(store->db, diag);
	sqlite3_free(sql);
	if (rc < 0 || number(store, "PRAGMA freelist_count", &left, diag) < 0)
		return -1;
	return mode != 0 && left > 0;
}

int store_size(struct store *store, struct store_size *size, struct diag *diag)
{
	char *wal = store_file_name(store->path, "-wal");
	int64_t pages, page, unused, schema;
	struct stat st;
	int rc = 0;

	if (number(store, "PRAGMA page_count", &pages, diag) < 0 ||
	    number(store, "PRAGMA page_size", &page, diag) < 0 ||
	    number(store, "PRAGMA freelist_count", &unused, diag) < 0 ||
	    number(store, "PRAGMA user_version", &schema, diag) < 0)
		rc = -1;
	else
		*size = (struct store_size){
			.path = store->path,
			.schema = (int)schema,
			.bytes = pages * page,
			.free_bytes = unused * page,
			.wal_bytes = stat(wal, &st) == 0 ? st.st_size : 0,
		};
	free(wal);
	return rc;
}
