/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * natd - is there a NAT between us? (RFC 7296 2.23)
 *
 * What it says decides about encapsulation and keepalives, never about trust:
 * whoever can write the outer header can be taken for a NAT (RFC 3947 7).
 */
#ifndef SAV_NATD_H
#define SAV_NATD_H

#include <stdbool.h>
#include <stdint.h>

#include "ipsec/ike/payload.h"
#include "ipsec/ike/tunnel.h"

#define NATD_SIZE 20

struct natd_result {
	bool local;  /* the peer sees us elsewhere than we are */
	bool remote; /* the peer is elsewhere than it thinks */
};

/* SHA-1 over SPIs, address and port. */
void natd_hash(const uint8_t spi_i[IKE_SPI_SIZE], const uint8_t spi_r[IKE_SPI_SIZE], const struct ike_endpoint *at,
	       uint8_t out[NATD_SIZE]);

/* The two notifies about a path. forced: the source hash is one that no address
 * has, so that the peer encapsulates. */
void natd_encode(struct ike_writer *w, const uint8_t spi_i[IKE_SPI_SIZE], const uint8_t spi_r[IKE_SPI_SIZE],
		 const struct ike_endpoint *local, const struct ike_endpoint *remote, bool forced);

/* From the peer's notifies, of which there may be several of a source. False: it
 * sent none, it does no NAT traversal; *out is then all false. */
bool natd_judge(const struct ike_payloads *payloads, const uint8_t spi_i[IKE_SPI_SIZE],
		const uint8_t spi_r[IKE_SPI_SIZE], const struct ike_endpoint *local,
		const struct ike_endpoint *remote, struct natd_result *out);

/* The destination hash itself: a change of it is a change of our mapping. */
bool natd_destination(const struct ike_payloads *payloads, uint8_t out[NATD_SIZE]);

/* NO_NATS_ALLOWED, of who wants none on the path (RFC 4555 3.9). */
#define NATD_FORBIDDEN_MAX (2 * 16 + 4)
void natd_forbid(struct ike_writer *w, const struct ike_endpoint *local, const struct ike_endpoint *remote);
/* The peer wants none, and there is one: the packet has other addresses than it
 * was sent with. */
bool natd_is_forbidden(const struct ike_payloads *payloads, const struct ike_endpoint *local,
		       const struct ike_endpoint *remote);

#endif /* SAV_NATD_H */
