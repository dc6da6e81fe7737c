/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/store/migrate.h"

#include <stdio.h>

#include "controller/store/store_db.h"

int migrate_version(sqlite3 *db, struct diag *diag)
{
	sqlite3_stmt *q = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_step(q) != SQLITE_ROW) {
		store_db_explain(db, diag);
	} else {
		version = sqlite3_column_int(q, 0);
		if (version < 0)
			diag_set(diag, "schema number %d is impossible", version);
	}
	sqlite3_finalize(q);
	return version < 0 ? -1 : version;
}

/* Rows of other tables may point at what a migration rebuilds; the keys are
 * checked as a whole before the commit instead. */
static int check_references(sqlite3 *db, struct diag *diag)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		diag_set(diag, "rows of table %s would lose what they refer to",
			 (const char *)sqlite3_column_text(q, 0));
	else if (rc != SQLITE_DONE)
		store_db_explain(db, diag);
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int execute(sqlite3 *db, const char *sql, struct diag *diag)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return store_db_explain(db, diag);
}

static int migrate_one(sqlite3 *db, const struct migration *m, size_t version,
		       struct diag *diag)
{
	char stamp[64];

	snprintf(stamp, sizeof(stamp), "PRAGMA user_version = %zu", version);
	if (execute(db, "BEGIN IMMEDIATE", diag) == 0 && execute(db, m->sql, diag) == 0 &&
	    check_references(db, diag) == 0 && execute(db, stamp, diag) == 0 &&
	    execute(db, "COMMIT", diag) == 0)
		return 0;
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return diag_prepend(diag, "migration %s failed and was undone", m->name);
}

int migrate_run(sqlite3 *db, const struct migration *list, size_t n, struct diag *diag)
{
	int version = migrate_version(db, diag);
	int rc = 0;

	if (version < 0)
		return -1;
	if ((size_t)version > n)
		return diag_set(
			diag,
			"it has schema %d, written by a newer OpenSAV; this one knows up "
			"to %zu: install the newer one again, or restore a backup from "
			"before its installation",
			version, n);
	if ((size_t)version == n)
		return 0;
	/* A no-op inside a transaction, so here. */
	if (execute(db, "PRAGMA foreign_keys = OFF", diag) < 0)
		return -1;
	for (size_t i = (size_t)version; rc == 0 && i < n; i++)
		rc = migrate_one(db, &list[i], i + 1, diag);
	sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
	return rc;
}
