/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * signer_ca - the CA itself: its files, and requests answered.
 */
#ifndef SAV_SIGNER_CA_H
#define SAV_SIGNER_CA_H

#include "controller/south/signer_wire.h"

#define SIGNER_VALIDITY_MAX_S (400LL * PKI_DAY_S)
#define SIGNER_BACKDATE_S     3600 /* for clocks that are a little behind */

struct signer_ca {
	struct pki_key *key;
	struct wr cert; /* DER */
	int64_t not_after;
};

/* Loads dir/ca.key and dir/ca.crt, or makes both if neither is there. */
int signer_ca_open(struct signer_ca *ca, const char *dir, int64_t now, struct diag *diag);
void signer_ca_fini(struct signer_ca *ca);

/* Appends the packet that answers this one; always answers. */
void signer_ca_handle(const struct signer_ca *ca, const void *packet, size_t len,
		      int64_t now, struct wr *out);

#endif /* SAV_SIGNER_CA_H */
