/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * keys - from a shared secret to the keys of an IKE SA and of its children.
 *
 * Source: RFC 7296 2.13 to 2.18.
 */
#ifndef SAV_KEYS_H
#define SAV_KEYS_H

#include <stdint.h>

#include "ipsec/crypto.h"
#include "ipsec/ike/ike.h"
#include "ipsec/ike/payload.h"
#include "ipsec/ike/proposal.h"

/* SK_* of RFC 7296 2.14; i: what the original initiator sends with. */
struct ike_keys {
	struct ike_suite suite;
	struct crypto_key d;
	struct crypto_key ai, ar; /* empty with an AEAD */
	struct crypto_key ei, er; /* with the salt of an AEAD */
	struct crypto_key pi, pr;
};

void ike_keys_wipe(struct ike_keys *keys);

/* old: NULL for a new IKE SA (2.14), the keys of the SA that is replaced when
 * rekeying (2.18). spi_i and spi_r are those of the new SA. */
int ike_keys_derive(const struct ike_suite *suite, const struct ike_keys *old, const struct crypto_secret *shared,
		    const struct ike_bytes *ni, const struct ike_bytes *nr, const uint8_t spi_i[IKE_SPI_SIZE],
		    const uint8_t spi_r[IKE_SPI_SIZE], struct ike_keys *keys);

/* What one direction of a child SA takes. */
struct ike_child_keys {
	struct crypto_key encr; /* with the salt of an AEAD */
	struct crypto_key integ;
};

/* 2.17; initiator of the exchange that made the child is i. shared: NULL
 * without a key exchange of its own. */
int ike_keys_child(const struct ike_keys *keys, const struct ike_suite *suite, const struct crypto_secret *shared,
		   const struct ike_bytes *ni, const struct ike_bytes *nr, struct ike_child_keys *i_to_r,
		   struct ike_child_keys *r_to_i);
void ike_child_keys_wipe(struct ike_child_keys *keys);

/* 2.15: the octets that one side signs: its first message, the other's nonce,
 * prf(SK_px, body of its own ID payload). mac has room for CRYPTO_PRF_MAX and
 * is named by the last of the three parts. */
struct ike_auth_octets {
	struct crypto_part parts[3];
	uint8_t mac[CRYPTO_PRF_MAX];
};
int ike_auth_octets(const struct ike_keys *keys, const struct crypto_key *p, const struct ike_bytes *message,
		    const struct ike_bytes *nonce, const struct ike_bytes *id_body, struct ike_auth_octets *out);

/* AUTH with a shared key: prf(prf(psk, "Key Pad for IKEv2"), octets);
 * crypto_prf_size() bytes. */
int ike_auth_psk(uint16_t prf, const struct crypto_secret *psk, const struct ike_auth_octets *octets,
		 uint8_t out[CRYPTO_PRF_MAX]);

#endif /* SAV_KEYS_H */
