/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store_db - the store's one connection, for the files of the store only.
 *
 * Statements are prepared once and found again by the address of their text,
 * so that the SQL stands where it is used. Arguments follow a format, one
 * letter each, for ?1, ?2, ...:
 *
 *   t  const char *, NULL for SQL NULL      i  int64_t
 *   b  const void * and size_t
 *
 * What they point to must live until the statement has ended.
 */
#ifndef SAV_STORE_DB_H
#define SAV_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"

#define STORE_DB_STATEMENTS_MAX 160

struct store {
	char *path;
	int lock_fd;
	sqlite3 *db;
	uint64_t epoch;
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} statements[STORE_DB_STATEMENTS_MAX];
	size_t n_statements;
	bool blocked; /* see store_is_blocked() */
	/* Between store_begin() and its end. SQLite undoes a transaction as a
	 * whole after some errors (a full disk); what comes then must not become
	 * durable on its own. */
	bool batch;
	struct diag batch_cause; /* why it was undone, if it was */
};

/* The connection's last error and what to do about it; returns -1. */
int store_db_explain(sqlite3 *db, struct diag *diag);

/* Starts a statement with rows; NULL with diag. End it by reading up to 0 or
 * -1, or with store_db_end(). A statement cannot be started within itself. */
sqlite3_stmt *store_db_query(struct store *s, struct diag *diag, const char *sql,
			     const char *fmt, ...);
int store_db_row(struct store *s, sqlite3_stmt *q, struct diag *diag); /* 1, 0, -1 */
void store_db_end(sqlite3_stmt *q);

/* A statement without rows. */
int store_db_exec(struct store *s, struct diag *diag, const char *sql, const char *fmt,
		  ...);

/* The beginning of a transaction, of which there is none yet. */
int store_db_begin(struct store *s, struct diag *diag);
/* Several statements that take effect together or not at all, also within a
 * batch. change_end(rc) is given how the statements went; returns 0 or -1. */
int store_db_change_begin(struct store *s, struct diag *diag);
int store_db_change_end(struct store *s, int rc, struct diag *diag);

/* Copies a text column; false if it is not text, has a NUL or does not fit. */
bool store_db_text(sqlite3_stmt *q, int column, char *dst, size_t size);

#endif /* SAV_STORE_DB_H */
