/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * creds - what a tunnel trusts, and what it shows of itself: public things only.
 *
 * Source: RFC 7296 2.15, 3.6, 3.7; RFC 7670 (raw public keys).
 */
#ifndef SAV_CREDS_H
#define SAV_CREDS_H

#include "ipsec/ike/ike_engine.h"
#include "ipsec/proc.h"

struct creds;

struct creds *creds_new(void);
void creds_free(struct creds *creds);
/* A file's contents. -1 with what is wrong with it. */
int creds_add(struct creds *creds, enum proc_file_kind kind, const void *data, size_t len, struct diag *diag);

/* As ike_ops.verify. now_s: seconds since 1970. */
int creds_verify(const struct creds *creds, const struct ike_verify *verify, int64_t now_s, struct diag *diag);
/* As ike_ops.put_certs. */
void creds_put_certs(const struct creds *creds, const struct ike_tunnel *tunnel, struct ike_writer *w);
/* SHA-1 of our CAs' keys, appended if not there yet. */
void creds_add_key_ids(const struct creds *creds, struct wr *ids);
/* When the first of ours and of the CAs' certificates ends, seconds since 1970, and
 * whose it is; INT64_MAX: there is none. */
int64_t creds_end(const struct creds *creds, const char **whose);

#endif /* SAV_CREDS_H */
