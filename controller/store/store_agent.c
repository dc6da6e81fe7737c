/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who may connect: enrolment tokens and the certificates made for them.
 */
#include "controller/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "controller/store/store_db.h"
#include "lib/digest.h"
#include "lib/mem.h"

/* ---- tokens ---- */

/* One per name: whoever asks for another has lost the first. */
int store_token_add(struct store *store, const char *name, const char *kind,
		    const uint8_t hash[32], int64_t expires, struct diag *diag)
{
	return store_db_exec(store, diag,
			     "INSERT INTO token (name, kind, hash, expires)"
			     " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET"
			     " kind = excluded.kind, hash = excluded.hash,"
			     " expires = excluded.expires",
			     "ttbi", name, kind, (const void *)hash, (size_t)DIGEST_SIZE,
			     expires);
}

/* The hash is of a long random secret, so the time that a comparison takes
 * tells nothing that could be used. */
static bool hash_is(sqlite3_stmt *q, int column, const uint8_t hash[32])
{
	return sqlite3_column_type(q, column) == SQLITE_BLOB &&
	       sqlite3_column_bytes(q, column) == DIGEST_SIZE &&
	       memcmp(sqlite3_column_blob(q, column), hash, DIGEST_SIZE) == 0;
}

static int token_check(struct store *s, const char *name, const uint8_t hash[32],
		       int64_t now, char kind[16], struct diag *diag)
{
	sqlite3_stmt *q = store_db_query(
		s, diag, "SELECT kind, hash, expires FROM token WHERE name = ?1", "t",
		name);
	int rc;

	if (!q)
		return -1;
	rc = store_db_row(s, q, diag);
	if (rc < 0)
		return -1;
	if (rc == 0 || !hash_is(q, 1, hash))
		rc = diag_set(
			diag,
			"not the token of agent %s, or used already: type \"agent enroll "
			"%s\" for a new one",
			name, name);
	else if (sqlite3_column_int64(q, 2) <= now)
		rc = diag_set(
			diag,
			"the token of agent %s has expired: type \"agent enroll %s\" for "
			"a new one",
			name, name);
	else if (!store_db_text(q, 0, kind, 16))
		rc = diag_set(diag, "%s: the token of agent %s is damaged", s->path,
			      name);
	else
		rc = 0;
	store_db_end(q);
	return rc;
}

/* A guess at a wrong secret leaves the token as it is: 256 bits cannot be
 * guessed, and whoever knows a name could otherwise keep its agent out. */
int store_token_consume(struct store *store, const char *name, const uint8_t hash[32],
			int64_t now, char kind[16], struct diag *diag)
{
	int rc;

	if (store_db_change_begin(store, diag) < 0)
		return -1;
	rc = token_check(store, name, hash, now, kind, diag);
	if (rc == 0)
		rc = store_db_exec(store, diag, "DELETE FROM token WHERE name = ?1", "t",
				   name);
	return store_db_change_end(store, rc, diag);
}

/* ---- certificates ---- */

static bool serial_is_valid(const char *serial)
{
	size_t len = strlen(serial);

	return len > 0 && len < sizeof(((struct store_agent *)0)->serial_hex) &&
	       strspn(serial, "0123456789abcdef") == len;
}

/* Expired ones are of no more use; those that were revoked neither, since
 * time refuses them too, and an unknown certificate is no valid one. */
int store_certificate_add(struct store *store, const char *name, const char *kind,
			  const char *serial_hex, int64_t issued, int64_t not_after,
			  struct diag *diag)
{
	int rc;

	if (!serial_is_valid(serial_hex))
		return diag_set(diag,
				"certificate serial \"%s\" is not lower-case hex of at "
				"most 63 digits",
				serial_hex);
	if (store_db_change_begin(store, diag) < 0)
		return -1;
	rc = store_db_exec(store, diag,
			   "DELETE FROM certificate WHERE name = ?1 AND not_after < ?2",
			   "ti", name, issued);
	if (rc == 0)
		rc = store_db_exec(store, diag,
				   "INSERT INTO certificate (name, kind, serial, issued,"
				   " not_after) VALUES (?1, ?2, ?3, ?4, ?5)",
				   "tttii", name, kind, serial_hex, issued, not_after);
	return store_db_change_end(store, rc, diag);
}

/* An error reads as unknown: better no session than one that was cut. */
enum store_certificate store_certificate_state(struct store *store, const char *name,
					       const char *serial_hex)
{
	enum store_certificate state = STORE_CERT_UNKNOWN;
	struct diag unused;
	sqlite3_stmt *q = store_db_query(
		store, &unused,
		"SELECT revoked FROM certificate WHERE serial = ?1 AND name = ?2", "tt",
		serial_hex, name);

	if (!q)
		return state;
	if (store_db_row(store, q, &unused) == 1) {
		state = sqlite3_column_type(q, 0) == SQLITE_NULL ? STORE_CERT_VALID
								 : STORE_CERT_REVOKED;
		store_db_end(q);
	}
	return state;
}

/* A token that is still open would undo it. */
int store_agent_revoke(struct store *store, const char *name, int64_t now, int *n,
		       struct diag *diag)
{
	int rc, changed = 0;

	if (store_db_change_begin(store, diag) < 0)
		return -1;
	rc = store_db_exec(store, diag, "DELETE FROM token WHERE name = ?1", "t", name);
	if (rc == 0)
		rc = store_db_exec(store, diag,
				   "UPDATE certificate SET revoked = ?2"
				   " WHERE name = ?1 AND revoked IS NULL",
				   "ti", name, now);
	if (rc == 0)
		changed = sqlite3_changes(store->db);
	rc = store_db_change_end(store, rc, diag);
	if (rc == 0)
		*n = changed;
	return rc;
}

static bool agent_read(sqlite3_stmt *q, struct store_agent *a)
{
	*a = (struct store_agent){
		.issued = sqlite3_column_int64(q, 3),
		.not_after = sqlite3_column_int64(q, 4),
		.revoked = sqlite3_column_type(q, 5) != SQLITE_NULL,
	};
	return store_db_text(q, 0, a->name, sizeof(a->name)) &&
	       store_db_text(q, 1, a->kind, sizeof(a->kind)) &&
	       store_db_text(q, 2, a->serial_hex, sizeof(a->serial_hex));
}

/* fn is called within the read: it must not write to the store. */
int store_agents_walk(struct store *store, store_agent_fn *fn, void *arg,
		      struct diag *diag)
{
	sqlite3_stmt *q;
	int got;

	q = store_db_query(store, diag,
			   "SELECT name, kind, serial, issued, not_after, revoked"
			   " FROM certificate AS c WHERE id = (SELECT id FROM certificate"
			   " WHERE name = c.name AND kind = c.kind"
			   " ORDER BY issued DESC, id DESC LIMIT 1)"
			   " ORDER BY name, kind",
			   "");
	if (!q)
		return -1;
	while ((got = store_db_row(store, q, diag)) == 1) {
		struct store_agent agent;

		if (!agent_read(q, &agent)) {
			store_db_end(q);
			return diag_set(
				diag,
				"%s: table certificate, row %s is damaged: restore a "
				"backup",
				store->path, agent.name);
		}
		fn(&agent, arg);
	}
	return got;
}
