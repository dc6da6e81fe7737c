/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store_radius - RADIUS sessions that survive a restart.
 *
 * One row each. Savers put many changes into one batch (store_begin()), since
 * an answer to a NAS waits for its commit.
 */
#ifndef SAV_STORE_RADIUS_H
#define SAV_STORE_RADIUS_H

#include "controller/store/store.h"

#define STORE_RADIUS_SESSION_MAX 253 /* bytes of an Acct-Session-Id */

struct store_radius_session {
	const char *client, *nas; /* the key, with session */
	const uint8_t *session;
	size_t session_len;
	const char *router, *interface;
	int64_t started, changed; /* seconds since the epoch, of the NAS */
	const uint8_t *attributes; /* RADIUS attributes, as on the wire */
	size_t attributes_len;
};

int store_radius_session_save(struct store *store, const struct store_radius_session *s,
			      struct diag *diag);
/* Only the key is read; there may be no such row. */
int store_radius_session_delete(struct store *store, const struct store_radius_session *s,
				struct diag *diag);
/* What *s points to lives until fn returns. 0 with a text in diag: rows that
 * cannot be read were left out. */
typedef void store_radius_session_fn(const struct store_radius_session *s, void *arg);
int store_radius_sessions_load(struct store *store, store_radius_session_fn *fn, void *arg,
			       struct diag *diag);

#endif /* SAV_STORE_RADIUS_H */
