/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * signer - savd's side of savd-signer, the process that holds the CA key.
 *
 * The process that parses strangers' bytes must not be able to read the key,
 * so certificates are made by a small program without sockets or files, asked
 * over an inherited socket pair. A request takes well under a millisecond and
 * is waited for, at most SIGNER_TIMEOUT_MS.
 */
#ifndef SAV_SIGNER_H
#define SAV_SIGNER_H

#include "lib/diag.h"
#include "lib/pki.h"
#include "lib/wr.h"

#define SIGNER_TIMEOUT_MS 2000

struct signer;

/* Starts program (the path of savd-signer) with its CA below state_dir: made
 * if it is not there. user may be NULL; as root, the key belongs to user, or
 * to the owner of state_dir/ca. Call it before savd gives up root, where it
 * has it: the key can then have an owner of its own. */
struct signer *signer_start(const char *program, const char *state_dir, const char *user,
			    struct diag *diag);
void signer_stop(struct signer *signer);

/* The CA certificate, DER. */
const struct wr *signer_ca(const struct signer *signer);

/* A certificate of the kind's usual validity, DER appended to cert. A signer
 * that has died is started again first. */
int signer_issue(struct signer *signer, const struct pki_identity *id,
		 const uint8_t *spki, size_t spki_len, struct wr *cert,
		 struct diag *diag);

/* Makes sure that cert_path and key_path (PEM) are what tls_config_server()
 * wants: a certificate of this CA for the controller called name, with the CA
 * behind it and at least 30 days to go, and its key. Otherwise makes both;
 * *renewed says whether it did. The CA alone is state_dir/ca/ca.crt. */
int signer_controller_files(struct signer *signer, const char *name,
			    const char *cert_path, const char *key_path, bool *renewed,
			    struct diag *diag);

#endif /* SAV_SIGNER_H */
