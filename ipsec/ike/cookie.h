/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cookie - proof that who begins an exchange is where it says (RFC 7296 2.6).
 *
 * Cookie = version | SHA-256(Ni | address | port | SPIi | secret). Nothing is
 * kept for the one who is asked. A secret serves for some minutes and its
 * predecessor for as long again.
 */
#ifndef SAV_COOKIE_H
#define SAV_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipsec/ike/payload.h"
#include "ipsec/ike/tunnel.h"

#define COOKIE_SIZE 33

struct cookies {
	uint8_t version;
	uint64_t changed_ms;
	bool begun;
	uint8_t secret[2][32]; /* now, before */
};

void cookie_make(struct cookies *cookies, const struct ike_bytes *nonce, const struct ike_endpoint *from,
		 const uint8_t spi_i[IKE_SPI_SIZE], uint64_t now_ms, uint8_t out[COOKIE_SIZE]);
bool cookie_is_good(struct cookies *cookies, const struct ike_bytes *cookie, const struct ike_bytes *nonce,
		    const struct ike_endpoint *from, const uint8_t spi_i[IKE_SPI_SIZE], uint64_t now_ms);

#endif /* SAV_COOKIE_H */
