/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * certs - certificates that the agent gets without a token.
 *
 * An enrolled agent asks on its session with the controller: for a relay
 * certificate when it relays BMP, and for another of its own kind before that
 * one ends. A renewed certificate is for the same key, so that a crash at any
 * moment leaves a pair that fits; a relay gets a new key each time, since it
 * can always ask again.
 *
 * Enrolling anew deletes the relay certificate, since the reason may be that the
 * old ones were revoked.
 */
#ifndef SAV_CERTS_H
#define SAV_CERTS_H

#include "agents/agent_files.h"
#include "lib/pki.h"

#define CERTS_RENEW_S (30LL * PKI_DAY_S)

struct certs;

struct certs *certs_new(const struct agent_files *files); /* files stay the caller's */
void certs_free(struct certs *c);

/* What has to be asked for now (seconds since 1970), and the request, appended
 * to csr; false: nothing. Trouble with the agent's own files is no news here:
 * the session that it asks on would not be there. */
bool certs_due(struct certs *c, bool relay, int64_t now_s, enum pki_kind *kind,
	       struct wr *csr);
/* There is a relay certificate that may be used. */
bool certs_relay_ok(const struct certs *c, int64_t now_s);
/* The answer: checked against request, name and CA, and saved. -1 with diag:
 * what was there before still is. */
int certs_take(struct certs *c, enum pki_kind kind, const void *der, size_t len,
	       struct diag *diag);

#endif /* SAV_CERTS_H */
