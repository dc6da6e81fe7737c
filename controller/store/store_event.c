/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Events, and how old the history may become.
 */
#include "controller/store/store_history.h"

#include "controller/store/store_db.h"
#include "controller/store/store_maintain.h"

int store_event_add(struct store *store, const struct store_event *e, struct diag *diag)
{
	return store_db_exec(store, diag,
			     "INSERT INTO event (at_ms, alarm, text) VALUES (?1, ?2, ?3)",
			     "iit", e->at_ms, (int64_t)e->alarm, e->text);
}

int store_events_walk(struct store *store, int64_t until_ms, store_event_fn *fn,
		      void *arg, struct diag *diag)
{
	sqlite3_stmt *q = store_db_query(store, diag,
					 "SELECT at_ms, alarm, text FROM event"
					 " WHERE +at_ms <= ?1 ORDER BY id DESC",
					 "i", until_ms);
	int got;

	if (!q)
		return -1;
	while ((got = store_db_row(store, q, diag)) == 1) {
		struct store_event e = {
			.at_ms = sqlite3_column_int64(q, 0),
			.alarm = sqlite3_column_int64(q, 1) != 0,
			.text = (const char *)sqlite3_column_text(q, 2),
		};

		if (e.text && !fn(&e, arg)) {
			store_db_end(q);
			return 0;
		}
	}
	return got;
}

/* ---- limits ---- */

#define SET_BYTES                                                                        \
	"length(added4) + length(added6) + length(removed4) + length(removed6)"          \
	" + ifnull(length(whole4), 0) + ifnull(length(whole6), 0) + length(reason) + "   \
	"100"

static int number(struct store *s, const char *sql, int64_t *a, int64_t *b,
		  struct diag *diag)
{
	sqlite3_stmt *q = store_db_query(s, diag, sql, "");
	int got = q ? store_db_row(s, q, diag) : -1;

	if (got < 0)
		return -1;
	*a = *b = 0;
	if (got == 1) {
		*a = sqlite3_column_int64(q, 0);
		*b = sqlite3_column_int64(q, 1);
		store_db_end(q);
	}
	return 0;
}

int store_history_size(struct store *store, int64_t *rows, int64_t *bytes,
		       struct diag *diag)
{
	int64_t n, size;

	if (number(store,
		   "SELECT count(*), ifnull(sum(" SET_BYTES "), 0) FROM set_change", rows,
		   bytes, diag) < 0 ||
	    number(store, "SELECT count(*), ifnull(sum(length(text) + 50), 0) FROM event",
		   &n, &size, diag) < 0)
		return -1;
	*rows += n;
	*bytes += size;
	if (number(store,
		   "SELECT count(*), ifnull(sum(length(line) + length(result) + 150), 0)"
		   " FROM command",
		   &n, &size, diag) < 0)
		return -1;
	*rows += n;
	*bytes += size;
	if (number(store,
		   "SELECT 0, ifnull(sum(length(diff) + 80), 0) FROM command_change", &n,
		   &size, diag) < 0)
		return -1;
	*bytes += size;
	return 0;
}

static int trim(struct store *s, const char *sql, int64_t before_ms, int max_rows,
		int *done, struct diag *diag)
{
	if (*done >= max_rows)
		return 0;
	if (store_db_exec(s, diag, sql, "ii", before_ms, (int64_t)(max_rows - *done)) < 0)
		return -1;
	*done += sqlite3_changes(s->db);
	return 0;
}

/* Of the rows of an edge, those before its newest whole set of that age. The
 * newest revision keeps its number alive. */
static int trim_before(struct store *s, int64_t before_ms, int max_rows, int *done,
		       struct diag *diag)
{
	if (trim(s,
		 "DELETE FROM set_change WHERE id IN (SELECT c.id FROM set_change c"
		 " WHERE c.at_ms < ?1 AND EXISTS (SELECT 1 FROM set_change w"
		 " WHERE w.router = c.router AND w.interface = c.interface"
		 " AND w.at_ms BETWEEN c.at_ms AND ?1 AND w.id > c.id"
		 " AND w.whole4 IS NOT NULL) LIMIT ?2)",
		 before_ms, max_rows, done, diag) < 0 ||
	    trim(s,
		 "DELETE FROM event WHERE id IN"
		 " (SELECT id FROM event WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
		 before_ms, max_rows, done, diag) < 0)
		return -1;
	return trim(
		s,
		"DELETE FROM command WHERE id IN (SELECT id FROM command"
		" WHERE at_ms < ?1 AND ifnull(revision, 0) <"
		" (SELECT ifnull(max(revision), 1) FROM command) ORDER BY at_ms LIMIT "
		"?2)",
		before_ms, max_rows, done, diag);
}

static int used_bytes(struct store *s, int64_t *bytes, struct diag *diag)
{
	struct store_size size;

	if (store_size(s, &size, diag) < 0)
		return -1;
	*bytes = size.bytes - size.free_bytes;
	return 0;
}

/* The history is counted, which takes its time, only when the whole database has
 * become larger. Half of the time that it spans goes at once, so that the question
 * is not asked again soon. */
static int cut_for_bytes(struct store *s, int64_t max_bytes, int64_t *before_ms,
			 struct diag *diag)
{
	int64_t rows, bytes, first, last;

	if (used_bytes(s, &bytes, diag) < 0)
		return -1;
	if (bytes <= max_bytes)
		return 0;
	if (store_history_size(s, &rows, &bytes, diag) < 0)
		return -1;
	if (bytes <= max_bytes)
		return 0;
	if (number(s,
		   "SELECT min(at_ms), max(at_ms) FROM (SELECT at_ms FROM set_change"
		   " UNION ALL SELECT at_ms FROM event UNION ALL SELECT at_ms FROM "
		   "command)",
		   &first, &last, diag) < 0)
		return -1;
	if (first + (last - first) / 2 > *before_ms)
		*before_ms = first + (last - first) / 2;
	return 0;
}

int store_history_trim(struct store *store, int64_t before_ms, int64_t max_bytes,
		       int max_rows, struct diag *diag)
{
	int done = 0, rc;

	if (cut_for_bytes(store, max_bytes, &before_ms, diag) < 0 ||
	    store_db_change_begin(store, diag) < 0)
		return -1;
	rc = trim_before(store, before_ms, max_rows, &done, diag);
	return store_db_change_end(store, rc, diag) < 0 ? -1 : done;
}
