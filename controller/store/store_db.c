/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/store/store_db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/store_file.h"

/* ---- errors ---- */

static bool is_full(sqlite3 *db)
{
	int error = sqlite3_system_errno(db);

	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_FULL:
		return true;
	case SQLITE_IOERR: /* a quota, or no room for the -shm file */
	case SQLITE_CANTOPEN:
		return error == ENOSPC || error == EDQUOT;
	default:
		return false;
	}
}

int store_db_explain(sqlite3 *db, struct diag *diag)
{
	const char *file = sqlite3_db_filename(db, "main");
	const char *text = sqlite3_errmsg(db);

	if (is_full(db))
		return diag_set(diag,
				"no room left on its disk: nothing was changed; free "
				"some space and try again");
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_NOMEM:
		abort();
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return diag_set(diag,
				"another program is writing to it: nothing was changed; "
				"end that program (sqlite3?) and try again");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return diag_set(diag, "the file is damaged (%s): " STORE_FILE_REMEDY,
				text, file, file);
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return diag_set(
			diag,
			"%s: nothing was changed; savd's user must own the file and be "
			"able to write to its directory",
			text);
	case SQLITE_IOERR:
		return diag_set(diag, "%s (%s): nothing was changed; check the disk",
				text, strerror(sqlite3_system_errno(db)));
	default:
		return diag_set(diag, "%s: nothing was changed", text);
	}
}

static bool batch_is_lost(const struct store *s)
{
	return s->batch && sqlite3_get_autocommit(s->db);
}

static bool is_blocked(sqlite3 *db)
{
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return true;
	default:
		return false;
	}
}

/* Every error of a statement ends here. */
static int fail(struct store *s, struct diag *diag)
{
	s->blocked = is_blocked(s->db);
	store_db_explain(s->db, diag);
	diag_prepend(diag, "%s", s->path);
	if (batch_is_lost(s))
		s->batch_cause = *diag;
	return -1;
}

/* ---- statements ---- */

static sqlite3_stmt *statement(struct store *s, const char *sql, struct diag *diag)
{
	sqlite3_stmt *stmt;

	for (size_t i = 0; i < s->n_statements; i++) {
		if (s->statements[i].sql == sql)
			return s->statements[i].stmt;
	}
	if (s->n_statements == STORE_DB_STATEMENTS_MAX)
		abort(); /* the texts are literals: their number is known */
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
	    SQLITE_OK) {
		fail(s, diag);
		return NULL;
	}
	s->statements[s->n_statements].sql = sql;
	s->statements[s->n_statements++].stmt = stmt;
	return stmt;
}

static int bind_one(sqlite3_stmt *q, int at, char type, va_list *ap)
{
	const void *data;

	switch (type) {
	case 't':
		return sqlite3_bind_text(q, at, va_arg(*ap, const char *), -1,
					 SQLITE_STATIC);
	case 'i':
		return sqlite3_bind_int64(q, at, va_arg(*ap, int64_t));
	case 'b':
		data = va_arg(*ap, const void *);
		/* a null pointer would be an SQL NULL */
		return sqlite3_bind_blob64(q, at, data ? data : "", va_arg(*ap, size_t),
					   SQLITE_STATIC);
	default:
		abort();
	}
}

static sqlite3_stmt *start(struct store *s, struct diag *diag, const char *sql,
			   const char *fmt, va_list *ap)
{
	sqlite3_stmt *q;

	if (batch_is_lost(s)) {
		*diag = s->batch_cause;
		return NULL;
	}
	q = statement(s, sql, diag);
	if (!q)
		return NULL;
	for (int i = 0; fmt[i] != '\0'; i++) {
		if (bind_one(q, i + 1, fmt[i], ap) != SQLITE_OK) {
			fail(s, diag);
			store_db_end(q);
			return NULL;
		}
	}
	return q;
}

sqlite3_stmt *store_db_query(struct store *s, struct diag *diag, const char *sql,
			     const char *fmt, ...)
{
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = start(s, diag, sql, fmt, &ap);
	va_end(ap);
	return q;
}

int store_db_row(struct store *s, sqlite3_stmt *q, struct diag *diag)
{
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		fail(s, diag);
	else if (!sqlite3_stmt_readonly(q))
		s->blocked = false;
	store_db_end(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

void store_db_end(sqlite3_stmt *q)
{
	sqlite3_reset(q); /* an error was told when it happened */
	sqlite3_clear_bindings(q);
}

int store_db_exec(struct store *s, struct diag *diag, const char *sql, const char *fmt,
		  ...)
{
	sqlite3_stmt *q;
	va_list ap;

	va_start(ap, fmt);
	q = start(s, diag, sql, fmt, &ap);
	va_end(ap);
	return q ? store_db_row(s, q, diag) : -1;
}

/* ---- changes ---- */

/* SQLite would go on writing to a file that nobody finds again. */
static bool is_gone(struct store *s, struct diag *diag)
{
	int moved = 0;

	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
	    !moved)
		return false;
	s->blocked = true;
	diag_set(diag,
		 "%s: the file has been removed, or is another one: nothing was changed; put "
		 "savd's own back in its place, or keep what \"show running-config\" prints and "
		 "restart savd",
		 s->path);
	return true;
}

int store_db_begin(struct store *s, struct diag *diag)
{
	return is_gone(s, diag) ? -1 : store_db_exec(s, diag, "BEGIN IMMEDIATE", "");
}

int store_db_change_begin(struct store *s, struct diag *diag)
{
	return s->batch ? store_db_exec(s, diag, "SAVEPOINT change", "") :
			  store_db_begin(s, diag);
}

static void undo(struct store *s)
{
	struct diag unused;

	if (sqlite3_get_autocommit(s->db))
		return; /* SQLite has undone it */
	if (!s->batch) {
		store_db_exec(s, &unused, "ROLLBACK", "");
		return;
	}
	store_db_exec(s, &unused, "ROLLBACK TO change", "");
	store_db_exec(s, &unused, "RELEASE change", "");
}

int store_db_change_end(struct store *s, int rc, struct diag *diag)
{
	if (rc == 0)
		rc = store_db_exec(s, diag, s->batch ? "RELEASE change" : "COMMIT", "");
	if (rc < 0)
		undo(s);
	return rc;
}

bool store_db_text(sqlite3_stmt *q, int column, char *dst, size_t size)
{
	const void *text;
	size_t len;

	if (sqlite3_column_type(q, column) != SQLITE_TEXT)
		return false;
	text = sqlite3_column_text(q, column);
	len = (size_t)sqlite3_column_bytes(q, column);
	if (!text || len >= size || memchr(text, '\0', len))
		return false;
	memcpy(dst, text, len);
	dst[len] = '\0';
	return true;
}
