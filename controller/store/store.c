/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/store/migrate.h"
#include "controller/store/store_db.h"
#include "controller/store/store_file.h"
#include "lib/digest.h"
#include "lib/mem.h"

/* How long another program may have the database before it is an error: at the
 * start, and then, when savd serves nobody else while it waits. What has to be
 * saved is tried again later by those who save it. */
#define OPEN_BUSY_MS 2000
#define BUSY_MS	     10

/* ---- making ---- */

/* Below 2^63: SQLite's integers are signed. 0 means "none" to agents. */
static int64_t epoch_make(void)
{
	uint64_t epoch = 0;

	while (epoch == 0) {
		digest_random(&epoch, sizeof(epoch));
		epoch &= INT64_MAX;
	}
	return (int64_t)epoch;
}

static int fill_new(sqlite3 *db, struct diag *diag)
{
	char *sql = sqlite3_mprintf("INSERT INTO meta (id, epoch) VALUES (1, %lld)",
				    (long long)epoch_make());
	int rc = 0;

	if (!sql)
		abort();
	/* before the first table: free pages can be given back bit by bit */
	if (sqlite3_exec(db, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL) !=
	    SQLITE_OK)
		rc = store_db_explain(db, diag);
	else if (migrate_run(db, migrations, n_migrations, diag) < 0)
		rc = -1;
	else if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		rc = store_db_explain(db, diag);
	sqlite3_free(sql);
	return rc;
}

static int make_new(const char *path, struct diag *diag)
{
	char *name = store_file_name(path, ".new");
	sqlite3 *db = NULL;
	int rc = -1;

	if (store_file_create(path, diag) < 0)
		goto out;
	if (sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		rc = store_db_explain(db, diag);
	else
		rc = fill_new(db, diag);
	if (rc < 0)
		diag_prepend(diag, "cannot create %s", path);
	/* Each commit was synced: the file is whole on disk. */
	sqlite3_close(db);
	if (rc == 0)
		rc = store_file_publish(path, diag);
	else
		store_file_discard(path);
out:
	free(name);
	return rc;
}

/* ---- opening ---- */

/* Damaged or strange files must stay as they are: no checkpoint on close
 * until the file has passed. */
static int connect(struct store *s, struct diag *diag)
{
	int rc = sqlite3_open_v2(s->path, &s->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(s->db, OPEN_BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db,
				  "PRAGMA trusted_schema = OFF;"
				  "PRAGMA cell_size_check = ON;"
				  "PRAGMA foreign_keys = ON;"
				  "PRAGMA synchronous = FULL;"
				  "PRAGMA journal_size_limit = 16777216;",
				  NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : store_db_explain(s->db, diag);
}

/* The first column of a statement's first row. */
static int first_word(struct store *s, const char *sql, char *word, size_t size,
		      struct diag *diag)
{
	sqlite3_stmt *q = NULL;
	const unsigned char *text;
	int rc = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_step(q) != SQLITE_ROW) {
		rc = store_db_explain(s->db, diag);
	} else {
		text = sqlite3_column_text(q, 0);
		snprintf(word, size, "%s", text ? (const char *)text : "");
	}
	sqlite3_finalize(q);
	return rc;
}

static int check_content(struct store *s, struct diag *diag)
{
	char word[128];

	if (first_word(s, "PRAGMA quick_check(1)", word, sizeof(word), diag) < 0)
		return -1;
	if (strcmp(word, "ok") == 0)
		return 0;
	word[strcspn(word, "\n")] = '\0';
	return diag_set(diag, "the file is damaged (%s): " STORE_FILE_REMEDY, word,
			s->path, s->path);
}

static int check_schema(struct store *s, struct diag *diag)
{
	int version = migrate_version(s->db, diag);

	if (version < 0)
		return -1;
	if (version == 0) /* never left behind by make_new() */
		return diag_set(diag, "it has no schema: restore a backup");
	if (check_content(s, diag) < 0)
		return -1;
	return migrate_run(s->db, migrations, n_migrations, diag);
}

static int set_journal(struct store *s, struct diag *diag)
{
	char word[32];

	if (first_word(s, "PRAGMA journal_mode = WAL", word, sizeof(word), diag) < 0)
		return -1;
	if (strcmp(word, "wal") == 0)
		return 0;
	return diag_set(diag,
			"cannot keep a write-ahead log here: use a local file system");
}

static int read_epoch(struct store *s, struct diag *diag)
{
	sqlite3_stmt *q = NULL;
	int64_t epoch = 0;

	if (sqlite3_prepare_v2(s->db, "SELECT epoch FROM meta", -1, &q, NULL) ==
		    SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW)
		epoch = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	if (epoch <= 0)
		return diag_set(diag, "its table meta has no epoch: restore a backup");
	s->epoch = (uint64_t)epoch;
	return 0;
}

/* Databases from before store_vacuum() are made anew once, if that is quick. If it
 * fails, for want of room, they work as they are. */
#define REMAKE_PAGES "16384"

static void allow_vacuum(struct store *s)
{
	struct diag unused;
	char word[8] = "";

	if (first_word(s,
		       "SELECT auto_vacuum = 0 AND page_count < " REMAKE_PAGES
		       " FROM pragma_auto_vacuum, pragma_page_count",
		       word, sizeof(word), &unused) == 0 &&
	    strcmp(word, "1") == 0)
		sqlite3_exec(s->db, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM", NULL, NULL,
			     NULL);
}

static int open_existing(struct store *s, struct diag *diag)
{
	if (connect(s, diag) < 0 || check_schema(s, diag) < 0 ||
	    read_epoch(s, diag) < 0 || set_journal(s, diag) < 0)
		return diag_prepend(diag, "%s", s->path);
	allow_vacuum(s);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	return 0;
}

/* After the daemon's last fork: neither SQLite's locks nor its memory may be
 * carried into a child. */
struct store *store_open(const char *path, struct diag *diag)
{
	struct store *s = mem_alloc(sizeof(*s));
	bool exists;

	s->path = mem_strdup(path);
	s->lock_fd = store_file_lock(path, diag);
	if (s->lock_fd < 0)
		goto fail;
	store_file_discard(path); /* a crash may have left it */
	if (store_file_check(path, &exists, diag) < 0 ||
	    (!exists && make_new(path, diag) < 0) || open_existing(s, diag) < 0)
		goto fail;
	return s;
fail:
	store_close(s);
	return NULL;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_rollback(store);
	for (size_t i = 0; i < store->n_statements; i++)
		sqlite3_finalize(store->statements[i].stmt);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->path);
	free(store);
}

uint64_t store_epoch(const struct store *store)
{
	return store->epoch;
}

bool store_is_blocked(const struct store *store)
{
	return store->blocked;
}

/* ---- batches ---- */

int store_begin(struct store *store, struct diag *diag)
{
	assert(!store->batch);
	if (store_db_begin(store, diag) < 0)
		return -1;
	store->batch = true;
	diag_set(&store->batch_cause, "%s: all changes of the batch were undone",
		 store->path);
	return 0;
}

int store_commit(struct store *store, struct diag *diag)
{
	int rc;

	assert(store->batch);
	rc = store_db_exec(store, diag, "COMMIT", ""); /* fails if it was undone */
	store_rollback(store);
	return rc;
}

/* No harm without a batch, or after a commit that failed. */
void store_rollback(struct store *store)
{
	struct diag unused;

	if (store->batch && !sqlite3_get_autocommit(store->db))
		store_db_exec(store, &unused, "ROLLBACK", "");
	store->batch = false;
}
