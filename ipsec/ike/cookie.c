/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/cookie.h"

#include <string.h>

#include "ipsec/crypto.h"

#define SECRET_MS (120 * 1000)

static void turn(struct cookies *c, uint64_t now_ms)
{
	if (c->begun && now_ms - c->changed_ms < SECRET_MS)
		return;
	memcpy(c->secret[1], c->secret[0], sizeof(c->secret[0]));
	crypto_random(c->secret[0], sizeof(c->secret[0]));
	if (!c->begun)
		crypto_random(c->secret[1], sizeof(c->secret[1]));
	c->begun = true;
	c->changed_ms = now_ms;
	c->version++;
}

static void make(const struct cookies *c, unsigned which, const struct ike_bytes *nonce,
		 const struct ike_endpoint *from, const uint8_t spi_i[IKE_SPI_SIZE], uint8_t out[COOKIE_SIZE])
{
	uint8_t addr[18];
	unsigned bytes = ip_bytes(from->addr.family);
	const struct crypto_part parts[] = { { nonce->data, nonce->len },
					     { addr, bytes + 2 },
					     { spi_i, IKE_SPI_SIZE },
					     { c->secret[which], sizeof(c->secret[which]) } };

	ip_to_bytes(from->addr.v, from->addr.family, addr);
	addr[bytes] = (uint8_t)(from->port >> 8);
	addr[bytes + 1] = (uint8_t)from->port;
	out[0] = (uint8_t)(c->version - which);
	crypto_hash(CRYPTO_SHA256, parts, 4, out + 1);
}

void cookie_make(struct cookies *c, const struct ike_bytes *nonce, const struct ike_endpoint *from,
		 const uint8_t spi_i[IKE_SPI_SIZE], uint64_t now_ms, uint8_t out[COOKIE_SIZE])
{
	turn(c, now_ms);
	make(c, 0, nonce, from, spi_i, out);
}

bool cookie_is_good(struct cookies *c, const struct ike_bytes *cookie, const struct ike_bytes *nonce,
		    const struct ike_endpoint *from, const uint8_t spi_i[IKE_SPI_SIZE], uint64_t now_ms)
{
	uint8_t want[COOKIE_SIZE];
	unsigned which;

	turn(c, now_ms);
	if (cookie->len != COOKIE_SIZE)
		return false;
	which = cookie->data[0] == c->version ? 0 : 1;
	make(c, which, nonce, from, spi_i, want);
	return crypto_equal(want, cookie->data, COOKIE_SIZE);
}
