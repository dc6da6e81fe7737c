/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pki_fixture - a CA and certificates in a temporary directory, for tests.
 */
#ifndef SAV_PKI_FIXTURE_H
#define SAV_PKI_FIXTURE_H

#include "lib/pki.h"

struct pki_fixture {
	char dir[64];
	struct pki_key *ca_key;
	struct wr ca; /* DER */
};

void pki_fixture_init(struct pki_fixture *fix);
void pki_fixture_fini(struct pki_fixture *fix); /* removes the directory */

/* DIR/FILE in one of a few static buffers. */
const char *pki_fixture_path(const struct pki_fixture *fix, const char *file);

/* Writes DIR/FILE.pem (with the CA behind it) and DIR/FILE.key. */
void pki_fixture_issue(struct pki_fixture *fix, const char *file, enum pki_kind kind,
		       const char *name, int64_t not_before, int64_t not_after);

#endif /* SAV_PKI_FIXTURE_H */
