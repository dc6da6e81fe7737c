/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/store/store_radius.h"

#include <string.h>

#include "controller/store/store_db.h"

int store_radius_session_save(struct store *store, const struct store_radius_session *s,
			      struct diag *diag)
{
	return store_db_exec(
		store, diag,
		"INSERT INTO radius_session (client, nas, session, router, interface, started,"
		" changed, attributes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT (client, nas, session) DO UPDATE SET"
		" router = excluded.router, interface = excluded.interface,"
		" started = excluded.started, changed = excluded.changed,"
		" attributes = excluded.attributes",
		"ttbttiib", s->client, s->nas, (const void *)s->session, s->session_len,
		s->router, s->interface, s->started, s->changed, (const void *)s->attributes,
		s->attributes_len);
}

int store_radius_session_delete(struct store *store, const struct store_radius_session *s,
				struct diag *diag)
{
	return store_db_exec(store, diag,
			     "DELETE FROM radius_session"
			     " WHERE client = ?1 AND nas = ?2 AND session = ?3",
			     "ttb", s->client, s->nas, (const void *)s->session,
			     s->session_len);
}

struct names {
	char client[CONFIG_NAME_SIZE], nas[256];
	char router[CONFIG_NAME_SIZE], interface[FILTER_IFNAME_SIZE];
};

static bool row_read(sqlite3_stmt *q, struct names *n, struct store_radius_session *s)
{
	if (!store_db_text(q, 0, n->client, sizeof(n->client)) ||
	    !store_db_text(q, 1, n->nas, sizeof(n->nas)) ||
	    !store_db_text(q, 3, n->router, sizeof(n->router)) ||
	    !store_db_text(q, 4, n->interface, sizeof(n->interface)))
		return false;
	*s = (struct store_radius_session){
		.client = n->client,
		.nas = n->nas,
		.session = sqlite3_column_blob(q, 2),
		.session_len = (size_t)sqlite3_column_bytes(q, 2),
		.router = n->router,
		.interface = n->interface,
		.started = sqlite3_column_int64(q, 5),
		.changed = sqlite3_column_int64(q, 6),
		.attributes = sqlite3_column_blob(q, 7),
		.attributes_len = (size_t)sqlite3_column_bytes(q, 7),
	};
	return s->session_len > 0 && s->session_len <= STORE_RADIUS_SESSION_MAX;
}

int store_radius_sessions_load(struct store *store, store_radius_session_fn *fn, void *arg,
			       struct diag *diag)
{
	struct diag report = { "" };
	struct store_radius_session s;
	struct names names;
	unsigned int bad = 0;
	sqlite3_stmt *q;
	int got;

	q = store_db_query(store, diag,
			   "SELECT client, nas, session, router, interface, started, changed,"
			   " attributes FROM radius_session ORDER BY id",
			   "");
	if (!q)
		return -1;
	while ((got = store_db_row(store, q, diag)) == 1) {
		if (row_read(q, &names, &s))
			fn(&s, arg);
		else
			bad++;
	}
	if (got == 0 && bad > 0)
		diag_set(&report, "%s: %u saved RADIUS sessions are damaged and were left out",
			 store->path, bad);
	if (got == 0)
		*diag = report;
	return got;
}
