/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store - everything savd must not lose, in one SQLite database.
 *
 * WAL, synchronous=FULL: what a command reported as done survives kill -9 and
 * power loss. Migrations are numbered, forward only, one transaction each.
 * All functions return 0, or -1 with diag naming the file and the remedy; a
 * failed write changes nothing. The only home of sqlite3.h.
 */
#ifndef SAV_STORE_H
#define SAV_STORE_H

#include "controller/policy/config.h"

struct store;

/* Opens or creates; runs missing migrations; checks integrity (quick_check).
 * A newer schema than this program knows, or a damaged file, is refused with
 * what to do about it; the file is never deleted or overwritten. */
struct store *store_open(const char *path, struct diag *diag);
void store_close(struct store *store);

/* Random, made with the database: generations of another epoch are not ours. */
uint64_t store_epoch(const struct store *store);

/* The last write failed not for what it was but because another program has the
 * database, or its disk is full or faulty: the same may succeed later. */
bool store_is_blocked(const struct store *store);

/* Fills an empty config; rows that no longer validate are an error naming
 * them. The sink writes each accepted change in one transaction. */
int store_config_load(struct store *store, struct config *cfg, struct diag *diag);
const struct config_sink *store_config_sink(void); /* ctx: struct store * */

/* Several config changes as one transaction (a file, a multi-step command). */
int store_begin(struct store *store, struct diag *diag);
int store_commit(struct store *store, struct diag *diag);
void store_rollback(struct store *store);

/* The last filter of each edge that was handed to its router. */
int store_generation_save(struct store *store, const char *router, const struct filter *f,
			  int64_t now, struct diag *diag);
int store_generation_delete(struct store *store, const char *router,
			    const char *interface, struct diag *diag);
typedef void store_generation_fn(const char *router, const struct filter *f, int64_t saved,
				 void *arg);
int store_generations_load(struct store *store, store_generation_fn *fn, void *arg,
			   struct diag *diag);

/* Enrolment tokens: stored hashed, bound to a name, single use. now and
 * expires are seconds since the epoch. consume: 0 = valid and now used up. */
int store_token_add(struct store *store, const char *name, const char *kind,
		    const uint8_t hash[32], int64_t expires, struct diag *diag);
int store_token_consume(struct store *store, const char *name, const uint8_t hash[32],
			int64_t now, char kind[16], struct diag *diag);

enum store_certificate {
	STORE_CERT_UNKNOWN,
	STORE_CERT_VALID,
	STORE_CERT_REVOKED,
};
/* A certificate that was issued; serial_hex as pki_cert has it, times in seconds since 1970. */
int store_certificate_add(struct store *store, const char *name, const char *kind,
			  const char *serial_hex, int64_t issued, int64_t not_after,
			  struct diag *diag);
/* UNKNOWN too when the database cannot be read: whoever asks refuses then. */
enum store_certificate store_certificate_state(struct store *store, const char *name,
					       const char *serial_hex);
/* Revokes all certificates of the agent; *n is how many there were. */
int store_agent_revoke(struct store *store, const char *name, int64_t now, int *n,
		       struct diag *diag);

struct store_agent {
	char name[CONFIG_NAME_SIZE], kind[16], serial_hex[64];
	int64_t issued, not_after;
	bool revoked;
};
typedef void store_agent_fn(const struct store_agent *agent, void *arg);
/* fn gets the newest certificate of each agent and kind. */
int store_agents_walk(struct store *store, store_agent_fn *fn, void *arg, struct diag *diag);

#endif /* SAV_STORE_H */
