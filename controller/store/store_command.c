/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Commands of operators and what they changed in the configuration's text.
 */
#include "controller/store/store_history.h"

#include <stdio.h>

#include "controller/store/store_db.h"

/* The only row of a statement; *found says whether there is one. */
static sqlite3_stmt *one_row(struct store *s, const char *sql, bool *found,
			     struct diag *diag)
{
	sqlite3_stmt *q = store_db_query(s, diag, sql, "");
	int got = q ? store_db_row(s, q, diag) : -1;

	*found = got == 1;
	return got < 0 ? NULL : q;
}

static int next_revision(struct store *s, int64_t *revision, struct diag *diag)
{
	int64_t oldest;

	if (store_revisions(s, revision, &oldest, diag) < 0)
		return -1;
	(*revision)++;
	return 0;
}

int store_command_add(struct store *store, struct store_command *c, bool revision,
		      struct diag *diag)
{
	c->revision = 0;
	if (revision && next_revision(store, &c->revision, diag) < 0)
		return -1;
	if (store_db_exec(store, diag,
			  "INSERT INTO command (at_ms, who, line, revision, result)"
			  " VALUES (?1, ?2, ?3, nullif(?4, 0), ?5)",
			  "ittit", c->at_ms, c->who, c->line, c->revision, c->result) < 0)
		return -1;
	c->id = sqlite3_last_insert_rowid(store->db);
	return 0;
}

int store_command_change(struct store *store, int64_t command, int64_t seq,
			 const char *object, const char *diff, struct diag *diag)
{
	return store_db_exec(store, diag,
			     "INSERT INTO command_change (command, seq, object, diff)"
			     " VALUES (?1, ?2, ?3, ?4)",
			     "iitt", command, seq, object, diff);
}

static const char *text_of(sqlite3_stmt *q, int column)
{
	const char *text = (const char *)sqlite3_column_text(q, column);

	return text ? text : "";
}

int store_commands_walk(struct store *store, store_command_fn *fn, void *arg,
			struct diag *diag)
{
	sqlite3_stmt *q =
		store_db_query(store, diag,
			       "SELECT id, at_ms, ifnull(revision, 0), who, line,"
			       " result FROM command ORDER BY id DESC",
			       "");
	int got;

	if (!q)
		return -1;
	while ((got = store_db_row(store, q, diag)) == 1) {
		struct store_command c = {
			.id = sqlite3_column_int64(q, 0),
			.at_ms = sqlite3_column_int64(q, 1),
			.revision = sqlite3_column_int64(q, 2),
			.who = text_of(q, 3),
			.line = text_of(q, 4),
			.result = text_of(q, 5),
		};

		if (!fn(&c, arg)) {
			store_db_end(q);
			return 0;
		}
	}
	return got;
}

int store_changes_walk(struct store *store, int64_t after, store_change_fn *fn, void *arg,
		       struct diag *diag)
{
	sqlite3_stmt *q =
		store_db_query(store, diag,
			       "SELECT revision, object, diff FROM command"
			       " JOIN command_change ON command = id WHERE revision > ?1"
			       " ORDER BY revision DESC, seq DESC",
			       "i", after);
	int got;

	if (!q)
		return -1;
	while ((got = store_db_row(store, q, diag)) == 1)
		fn(sqlite3_column_int64(q, 0), text_of(q, 1), text_of(q, 2), arg);
	return got;
}

/* Revisions that were taken away by age cannot be undone any more; what is left
 * is without gaps up to the newest. AUTOINCREMENT is not asked: it counts
 * commands, not revisions. */
int store_revisions(struct store *store, int64_t *newest, int64_t *oldest,
		    struct diag *diag)
{
	bool found;
	sqlite3_stmt *q =
		one_row(store,
			"SELECT ifnull((SELECT max(revision) FROM command), 0),"
			" ifnull((SELECT min(revision) FROM command), 1)",
			&found, diag);

	if (!q)
		return -1;
	*newest = found ? sqlite3_column_int64(q, 0) : 0;
	*oldest = found ? sqlite3_column_int64(q, 1) - 1 : 0;
	if (found)
		store_db_end(q);
	return 0;
}

int store_pending_set(struct store *store, const struct store_pending *p,
		      struct diag *diag)
{
	if (!p)
		return store_db_exec(store, diag, "DELETE FROM pending_commit", "");
	return store_db_exec(store, diag,
			     "INSERT INTO pending_commit (id, revision, due_ms, who)"
			     " VALUES (1, ?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET"
			     " revision = excluded.revision, due_ms = excluded.due_ms,"
			     " who = excluded.who",
			     "iit", p->revision, p->due_ms, p->who);
}

int store_pending_get(struct store *store, struct store_pending *p, struct diag *diag)
{
	bool found;
	sqlite3_stmt *q = one_row(
		store, "SELECT revision, due_ms, who FROM pending_commit", &found, diag);

	if (!q)
		return -1;
	if (!found)
		return 0;
	p->revision = sqlite3_column_int64(q, 0);
	p->due_ms = sqlite3_column_int64(q, 1);
	snprintf(p->who, sizeof(p->who), "%s", text_of(q, 2));
	store_db_end(q);
	return 1;
}
