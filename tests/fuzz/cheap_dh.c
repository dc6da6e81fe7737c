/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A key exchange that costs nothing, for fuzz targets that look at what the
 * engine does with it and not at the mathematics: linked with
 * --wrap=crypto_dh_new and its like. A public value is random bytes, the secret
 * is both values added, so two sides agree. A value of zeros is none.
 */
#include <stdlib.h>
#include <string.h>

#include "ipsec/crypto.h"
#include "lib/mem.h"

struct crypto_dh {
	uint16_t group;
	uint8_t public[CRYPTO_DH_MAX];
};

struct crypto_dh *__wrap_crypto_dh_new(uint16_t group);
void __wrap_crypto_dh_free(struct crypto_dh *dh);
uint16_t __wrap_crypto_dh_group(const struct crypto_dh *dh);
void __wrap_crypto_dh_public(const struct crypto_dh *dh, uint8_t *out);
int __wrap_crypto_dh_shared(struct crypto_dh *dh, const uint8_t *peer, size_t peer_len, struct crypto_secret *secret);

struct crypto_dh *__wrap_crypto_dh_new(uint16_t group)
{
	struct crypto_dh *dh;

	if (crypto_dh_size(group) == 0)
		return NULL;
	dh = mem_alloc(sizeof(*dh));
	dh->group = group;
	/* as much as makes one differ from another; what stands behind is read too */
	crypto_random(dh->public, 8);
	return dh;
}

void __wrap_crypto_dh_free(struct crypto_dh *dh)
{
	free(dh);
}

uint16_t __wrap_crypto_dh_group(const struct crypto_dh *dh)
{
	return dh->group;
}

void __wrap_crypto_dh_public(const struct crypto_dh *dh, uint8_t *out)
{
	memcpy(out, dh->public, crypto_dh_size(dh->group));
}

int __wrap_crypto_dh_shared(struct crypto_dh *dh, const uint8_t *peer, size_t peer_len, struct crypto_secret *secret)
{
	uint8_t seen = 0;

	crypto_secret_wipe(secret);
	if (peer_len != crypto_dh_size(dh->group))
		return -1;
	for (size_t i = 0; i < peer_len; i++)
		seen |= peer[i];
	if (seen == 0)
		return -1;
	secret->len = peer_len < 32 ? peer_len : 32;
	for (size_t i = 0; i < secret->len; i++)
		secret->bytes[i] = (uint8_t)(peer[i] + dh->public[i]);
	return 0;
}
