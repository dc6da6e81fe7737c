/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/keys.h"

#include <string.h>

void ike_keys_wipe(struct ike_keys *keys)
{
	crypto_wipe(keys, sizeof(*keys));
}

void ike_child_keys_wipe(struct ike_child_keys *keys)
{
	crypto_wipe(keys, sizeof(*keys));
}

static const uint8_t *take(const uint8_t *at, size_t len, struct crypto_key *out)
{
	crypto_key_set(out, at, len);
	return at + len;
}

/* SKEYSEED: 2.14 for the first, 2.18 for a successor, with the old PRF. */
static int seed(const struct ike_suite *suite, const struct ike_keys *old, const struct crypto_secret *shared,
		const struct ike_bytes *ni, const struct ike_bytes *nr, uint8_t out[CRYPTO_PRF_MAX])
{
	const struct crypto_part parts[] = { { shared->bytes, shared->len }, { ni->data, ni->len }, { nr->data, nr->len } };
	uint8_t nonces[2 * IKE_NONCE_MAX];

	if (old)
		return crypto_prf(old->suite.prf, old->d.bytes, old->d.len, parts, 3, out);
	if (ni->len > IKE_NONCE_MAX || nr->len > IKE_NONCE_MAX)
		return -1;
	memcpy(nonces, ni->data, ni->len);
	memcpy(nonces + ni->len, nr->data, nr->len);
	return crypto_prf(suite->prf, nonces, ni->len + nr->len, parts, 1, out);
}

int ike_keys_derive(const struct ike_suite *suite, const struct ike_keys *old, const struct crypto_secret *shared,
		    const struct ike_bytes *ni, const struct ike_bytes *nr, const uint8_t spi_i[IKE_SPI_SIZE],
		    const uint8_t spi_r[IKE_SPI_SIZE], struct ike_keys *keys)
{
	const struct crypto_part parts[] = {
		{ ni->data, ni->len }, { nr->data, nr->len }, { spi_i, IKE_SPI_SIZE }, { spi_r, IKE_SPI_SIZE }
	};
	size_t prf = crypto_prf_size(suite->prf);
	uint8_t skeyseed[CRYPTO_PRF_MAX], material[CRYPTO_SECRET_MAX];
	const uint8_t *at = material;
	struct crypto_shape shape;
	/* after rekeying, SKEYSEED comes from the old PRF and prf+ is the new one's */
	size_t seed_len = crypto_prf_size(old ? old->suite.prf : suite->prf), len;
	int ret = -1;

	if (crypto_suite_shape(&suite->cipher, &shape) != 0 || prf == 0)
		return -1;
	len = 3 * prf + 2u * shape.integ_key + 2u * shape.encr_key;
	if (len > sizeof(material) || seed(suite, old, shared, ni, nr, skeyseed) != 0 ||
	    crypto_prf_plus(suite->prf, skeyseed, seed_len, parts, 4, material, len) != 0)
		goto out;
	keys->suite = *suite;
	at = take(at, prf, &keys->d);
	at = take(at, shape.integ_key, &keys->ai);
	at = take(at, shape.integ_key, &keys->ar);
	at = take(at, shape.encr_key, &keys->ei);
	at = take(at, shape.encr_key, &keys->er);
	at = take(at, prf, &keys->pi);
	take(at, prf, &keys->pr);
	ret = 0;
out:
	crypto_wipe(skeyseed, sizeof(skeyseed));
	crypto_wipe(material, sizeof(material));
	return ret;
}

int ike_keys_child(const struct ike_keys *keys, const struct ike_suite *suite, const struct crypto_secret *shared,
		   const struct ike_bytes *ni, const struct ike_bytes *nr, struct ike_child_keys *i_to_r,
		   struct ike_child_keys *r_to_i)
{
	const struct crypto_part parts[] = {
		{ shared ? shared->bytes : NULL, shared ? shared->len : 0 }, { ni->data, ni->len }, { nr->data, nr->len }
	};
	uint8_t material[CRYPTO_SECRET_MAX];
	const uint8_t *at = material;
	struct crypto_shape shape;
	size_t len;
	int ret = -1;

	if (crypto_suite_shape(&suite->cipher, &shape) != 0)
		return -1;
	len = 2u * shape.integ_key + 2u * shape.encr_key;
	if (crypto_prf_plus(keys->suite.prf, keys->d.bytes, keys->d.len, parts, 3, material, len) == 0) {
		/* encryption before integrity, and i to r before r to i (2.17) */
		at = take(at, shape.encr_key, &i_to_r->encr);
		at = take(at, shape.integ_key, &i_to_r->integ);
		at = take(at, shape.encr_key, &r_to_i->encr);
		take(at, shape.integ_key, &r_to_i->integ);
		ret = 0;
	}
	crypto_wipe(material, sizeof(material));
	return ret;
}

int ike_auth_octets(const struct ike_keys *keys, const struct crypto_key *p, const struct ike_bytes *message,
		    const struct ike_bytes *nonce, const struct ike_bytes *id_body, struct ike_auth_octets *out)
{
	const struct crypto_part id = { id_body->data, id_body->len };

	if (crypto_prf(keys->suite.prf, p->bytes, p->len, &id, 1, out->mac) != 0)
		return -1;
	out->parts[0] = (struct crypto_part){ message->data, message->len };
	out->parts[1] = (struct crypto_part){ nonce->data, nonce->len };
	out->parts[2] = (struct crypto_part){ out->mac, crypto_prf_size(keys->suite.prf) };
	return 0;
}

int ike_auth_psk(uint16_t prf, const struct crypto_secret *psk, const struct ike_auth_octets *octets,
		 uint8_t out[CRYPTO_PRF_MAX])
{
	static const char pad[] = "Key Pad for IKEv2";
	const struct crypto_part part = { pad, sizeof(pad) - 1 }; /* 17 bytes, no NUL */
	uint8_t key[CRYPTO_PRF_MAX];
	int ret = -1;

	if (crypto_prf(prf, psk->bytes, psk->len, &part, 1, key) == 0)
		ret = crypto_prf(prf, key, crypto_prf_size(prf), octets->parts, 3, out);
	crypto_wipe(key, sizeof(key));
	return ret;
}
