/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * signer - private keys and pre-shared keys of tunnels, and what they sign.
 *
 * The keys are files of the current directory, which nobody but their owner may
 * read. Who asks gets a signature or a MAC over IKE_AUTH's octets (RFC 7296
 * 2.15) and nothing else: not a key, and no signature over bytes that do not
 * begin as an IKE_SA_INIT message.
 */
#ifndef SAV_IPSEC_SIGNER_H
#define SAV_IPSEC_SIGNER_H

#include <sys/types.h>

#include "ipsec/proc.h"
#include "lib/diag.h"

struct signer;

/* Key files belong to owner, or to root. */
struct signer *signer_new(uid_t owner);
void signer_free(struct signer *signer); /* wipes */

/* Reads the file. -1 with what is wrong with it: the tunnel then has no key of
 * this kind. */
int signer_key_set(struct signer *signer, const struct proc_key *key, struct diag *diag);
void signer_key_gone(struct signer *signer, const char *tunnel);
/* Always appends a PROC_SIGNED; method 0 and a reason if it can't. */
void signer_answer(const struct signer *signer, const struct proc_sign *sign, struct wr *out);

#endif /* SAV_IPSEC_SIGNER_H */
