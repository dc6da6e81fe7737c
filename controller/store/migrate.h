/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * migrate - brings a database to the schema this program works with.
 *
 * schema/sql/NNN_name.sql is built in. PRAGMA user_version counts how many
 * have run. Forward only: a migration that has been released never changes.
 */
#ifndef SAV_STORE_MIGRATE_H
#define SAV_STORE_MIGRATE_H

#include <sqlite3.h>
#include <stddef.h>

#include "lib/diag.h"

struct migration {
	const char *name;
	const char *sql;
};
extern const struct migration migrations[]; /* [0] leads to schema 1 */
extern const size_t n_migrations;

/* -1 with diag if it cannot be read. */
int migrate_version(sqlite3 *db, struct diag *diag);

/* Runs what list has beyond the database's version, each with its new version
 * number in one transaction: after -1 the database is at the last version that
 * succeeded. A version beyond the list is refused. */
int migrate_run(sqlite3 *db, const struct migration *list, size_t n, struct diag *diag);

#endif /* SAV_STORE_MIGRATE_H */
