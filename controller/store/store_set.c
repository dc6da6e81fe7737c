/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What became of the filters. Each row is the change from the row before of the
 * same edge; when the changes have grown as large as the set, a row carries the
 * set as well, so that reading never goes back further than that.
 */
#include "controller/store/store_history.h"

#include <string.h>

#include "controller/store/store_prefixes.h"

#define WHOLE_EVERY_BYTES 4096 /* a small set is not repeated sooner */

/* ---- writing ---- */

/* The set that was saved last, and how the changes since a whole one add up. */
struct before {
	bool known, has_whole;
	char action[16];
	int64_t since;
	struct addrset accept;
};

static int before_read(struct store *s, const char *router, const char *interface,
		       struct before *b, struct diag *diag)
{
	sqlite3_stmt *q = store_db_query(s, diag,
					 "SELECT accept4, accept6, action FROM generation"
					 " WHERE router = ?1 AND interface = ?2",
					 "tt", router, interface);
	int got = q ? store_db_row(s, q, diag) : -1;

	if (got <= 0)
		return got;
	b->known = store_prefixes_decode(store_blob(q, 0), IP_V4, &b->accept) &&
		   store_prefixes_decode(store_blob(q, 1), IP_V6, &b->accept) &&
		   store_db_text(q, 2, b->action, sizeof(b->action));
	addrset_normalize(&b->accept);
	store_db_end(q);
	q = store_db_query(s, diag,
			   "SELECT since, action FROM set_change WHERE router = ?1"
			   " AND interface = ?2 ORDER BY id DESC LIMIT 1",
			   "tt", router, interface);
	got = q ? store_db_row(s, q, diag) : -1;
	if (got <= 0)
		return got;
	b->since = sqlite3_column_int64(q, 0);
	b->has_whole = sqlite3_column_bytes(q, 1) > 0;
	store_db_end(q);
	return 0;
}

struct blobs {
	struct wr f[IP_FAMILIES];
};

static void blobs_of(struct blobs *b, const struct addrset *set)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		store_prefixes_encode(set, family, &b->f[family]);
}

static size_t blobs_size(const struct blobs *b)
{
	return b->f[IP_V4].len + b->f[IP_V6].len;
}

static void blobs_fini(struct blobs *b)
{
	wr_fini(&b->f[IP_V4]);
	wr_fini(&b->f[IP_V6]);
}

struct row {
	struct blobs added, removed, whole;
	bool has_whole;
	int64_t since;
};

static int row_insert(struct store *s, const char *router, const struct filter *f,
		      const char *action, int64_t at_ms, const struct row *r,
		      const char *reason, struct diag *diag)
{
#define BLOB(b, family) (const void *)(b).f[family].data, (b).f[family].len
	if (store_db_exec(s, diag,
			  "INSERT INTO set_change (at_ms, router, interface, generation, "
			  "action,"
			  " added4, added6, removed4, removed6, since, reason)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
			  "ittitbbbbit", at_ms, router, f->interface,
			  (int64_t)f->generation, action, BLOB(r->added, IP_V4),
			  BLOB(r->added, IP_V6), BLOB(r->removed, IP_V4),
			  BLOB(r->removed, IP_V6), r->since, reason) < 0)
		return -1;
	if (!r->has_whole)
		return 0;
	return store_db_exec(
		s, diag, "UPDATE set_change SET whole4 = ?2, whole6 = ?3 WHERE id = ?1",
		"ibb", (int64_t)sqlite3_last_insert_rowid(s->db), BLOB(r->whole, IP_V4),
		BLOB(r->whole, IP_V6));
#undef BLOB
}

int store_set_change_add(struct store *store, const char *router, const struct filter *f,
			 int64_t at_ms, const char *reason, struct diag *diag)
{
	struct before b = { 0 };
	struct addrset added = { 0 }, removed = { 0 };
	struct row r = { 0 };
	int rc = before_read(store, router, f->interface, &b, diag);

	if (rc == 0) {
		addrset_subtract(&added, &f->accept, &b.accept);
		addrset_subtract(&removed, &b.accept, &f->accept);
		blobs_of(&r.added, &added);
		blobs_of(&r.removed, &removed);
		blobs_of(&r.whole, &f->accept);
		r.since = b.since +
			  (int64_t)(blobs_size(&r.added) + blobs_size(&r.removed));
		r.has_whole = !b.known || !b.has_whole ||
			      (r.since > WHOLE_EVERY_BYTES &&
			       r.since > (int64_t)blobs_size(&r.whole));
		if (r.has_whole)
			r.since = 0;
		/* a new number alone, after a restart for one, is no change */
		if (r.has_whole || blobs_size(&r.added) + blobs_size(&r.removed) != 0 ||
		    strcmp(b.action, filter_action_name(f->action)) != 0)
			rc = row_insert(store, router, f, filter_action_name(f->action),
					at_ms, &r, reason, diag);
	}
	blobs_fini(&r.added);
	blobs_fini(&r.removed);
	blobs_fini(&r.whole);
	addrset_fini(&added);
	addrset_fini(&removed);
	addrset_fini(&b.accept);
	return rc;
}

int store_set_gone_add(struct store *store, const char *router, const char *interface,
		       int64_t at_ms, struct diag *diag)
{
	struct filter f = { 0 };
	struct row r = { .has_whole = true };

	memcpy(f.interface, interface, strnlen(interface, sizeof(f.interface) - 1));
	return row_insert(store, router, &f, "", at_ms, &r, "the edge was removed", diag);
}

/* ---- reading ---- */

static bool set_decode(sqlite3_stmt *q, int column, struct addrset *set)
{
	bool good = store_prefixes_decode(store_blob(q, column), IP_V4, set) &&
		    store_prefixes_decode(store_blob(q, column + 1), IP_V6, set);

	addrset_normalize(set);
	return good;
}

static void change_fini(struct store_set_change *c)
{
	addrset_fini(&c->added);
	addrset_fini(&c->removed);
	addrset_fini(&c->whole);
}

static bool change_decode(sqlite3_stmt *q, struct store_set_change *c)
{
	*c = (struct store_set_change){
		.at_ms = sqlite3_column_int64(q, 0),
		.generation = (uint64_t)sqlite3_column_int64(q, 1),
		.action = (const char *)sqlite3_column_text(q, 2),
		.has_whole = sqlite3_column_type(q, 7) == SQLITE_BLOB,
		.reason = (const char *)sqlite3_column_text(q, 9),
	};
	return c->action && c->reason && set_decode(q, 3, &c->added) &&
	       set_decode(q, 5, &c->removed) &&
	       (!c->has_whole || set_decode(q, 7, &c->whole));
}

int store_set_changes_walk(struct store *store, const char *router, const char *interface,
			   int64_t until_ms, store_set_change_fn *fn, void *arg,
			   struct diag *diag)
{
	/* the order of the columns: of whole6 and reason */
	sqlite3_stmt *q = store_db_query(
		store, diag,
		"SELECT at_ms, generation, action, added4, added6, removed4, removed6,"
		" whole4, whole6, reason FROM set_change"
		" WHERE router = ?1 AND interface = ?2 AND +at_ms <= ?3 ORDER BY id DESC",
		"tti", router, interface, until_ms);
	int got;

	if (!q)
		return -1;
	while ((got = store_db_row(store, q, diag)) == 1) {
		struct store_set_change c;
		bool good = change_decode(q, &c), more = good && fn(&c, arg);

		change_fini(&c);
		if (more)
			continue;
		store_db_end(q);
		return good ? 0
			    : diag_set(diag,
				       "%s: a row of set_change of %s %s is damaged: "
				       "what was "
				       "before it cannot be told",
				       store->path, router, interface);
	}
	return got;
}

/* Going back from newer changes to the last whole set: an address is decided by
 * the newest change that names it. */
struct rewind {
	struct store_set *set;
	struct addrset added, removed; /* after the row at hand */
	bool found, done;
};

static bool rewind_one(const struct store_set_change *c, void *arg)
{
	struct rewind *w = arg;
	struct addrset fresh = { 0 };

	if (!w->found) {
		w->found = true;
		w->set->at_ms = c->at_ms;
		w->set->generation = c->generation;
		memcpy(w->set->action, c->action,
		       strnlen(c->action, sizeof(w->set->action) - 1));
	}
	if (c->has_whole) {
		addrset_subtract(&w->set->accept, &c->whole, &w->removed);
		addrset_union(&w->set->accept, &w->set->accept, &w->added);
		w->done = true;
		return false;
	}
	addrset_subtract(&fresh, &c->added, &w->removed);
	addrset_union(&w->added, &w->added, &fresh);
	addrset_subtract(&fresh, &c->removed, &w->added);
	addrset_union(&w->removed, &w->removed, &fresh);
	addrset_fini(&fresh);
	return true;
}

int store_set_at(struct store *store, const char *router, const char *interface,
		 int64_t at_ms, struct store_set *set, struct diag *diag)
{
	struct rewind w = { .set = set };
	int rc;

	*set = (struct store_set){ 0 };
	rc = store_set_changes_walk(store, router, interface, at_ms, rewind_one, &w,
				    diag);
	addrset_fini(&w.added);
	addrset_fini(&w.removed);
	if (rc < 0 || !w.done) {
		store_set_fini(set);
		return rc < 0 ? -1 : 0;
	}
	return 1;
}

void store_set_fini(struct store_set *set)
{
	addrset_fini(&set->accept);
}
