/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * identity - who a peer says it is: the ID payloads' contents.
 *
 * Peers are known by name, user@name, key id or certificate subject; an
 * address is allowed and unwise, since a NAT changes it (RFC 3715 2.1(c)).
 *
 * Source: RFC 7296 3.5, RFC 4945 3.1.
 */
#ifndef SAV_IDENTITY_H
#define SAV_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/ike/ike.h"
#include "ipsec/ike/payload.h"
#include "lib/diag.h"

#define IKE_IDENTITY_MAX 512
/* A key id in hex, or a long DN, and the word in front. */
#define IKE_IDENTITY_TEXT (2 * IKE_IDENTITY_MAX + 16)

struct ike_identity {
	uint8_t type; /* enum ike_id_type; 0: none given, matches all */
	uint16_t len;
	uint8_t data[IKE_IDENTITY_MAX];
};

/* "fqdn NAME", "email USER@NAME", "key-id TEXT", "key-id 0xHEX", "dn C=.., CN=..",
 * "address ADDRESS", "any". */
int ike_identity_parse(const char *text, struct ike_identity *out, struct diag *diag);
/* The same form. Bytes that don't print are escaped, so it may go to a log. */
const char *ike_identity_format(const struct ike_identity *id, char out[IKE_IDENTITY_TEXT]);

/* From the payload: -1 when the length does not fit the type, the type is
 * unknown, or a name has bytes that no name has. */
int ike_identity_from_payload(const struct ike_id_payload *payload, struct ike_identity *out);

bool ike_identity_is_any(const struct ike_identity *id); /* whoever it is */
/* Names without regard to case, distinguished names as X.509 compares them. */
bool ike_identity_equal(const struct ike_identity *a, const struct ike_identity *b);
/* Equal ones have equal numbers. */
uint64_t ike_identity_hash(const struct ike_identity *id);
/* Equal, or wanted is "any". */
bool ike_identity_match(const struct ike_identity *wanted, const struct ike_identity *seen);

#endif /* SAV_IDENTITY_H */
