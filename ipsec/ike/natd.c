/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/natd.h"

#include <string.h>

void natd_hash(const uint8_t spi_i[IKE_SPI_SIZE], const uint8_t spi_r[IKE_SPI_SIZE], const struct ike_endpoint *at,
	       uint8_t out[NATD_SIZE])
{
	uint8_t addr[16], port[2] = { (uint8_t)(at->port >> 8), (uint8_t)at->port };
	const struct crypto_part parts[] = {
		{ spi_i, IKE_SPI_SIZE }, { spi_r, IKE_SPI_SIZE }, { addr, ip_bytes(at->addr.family) }, { port, 2 }
	};

	ip_to_bytes(at->addr.v, at->addr.family, addr);
	crypto_hash(CRYPTO_SHA1, parts, 4, out);
}

void natd_encode(struct ike_writer *w, const uint8_t spi_i[IKE_SPI_SIZE], const uint8_t spi_r[IKE_SPI_SIZE],
		 const struct ike_endpoint *local, const struct ike_endpoint *remote, bool forced)
{
	uint8_t hash[NATD_SIZE];

	natd_hash(spi_i, spi_r, local, hash);
	if (forced)
		crypto_random(hash, sizeof(hash));
	ike_notify_encode(w, N_NAT_DETECTION_SOURCE_IP, hash, sizeof(hash));
	natd_hash(spi_i, spi_r, remote, hash);
	ike_notify_encode(w, N_NAT_DETECTION_DESTINATION_IP, hash, sizeof(hash));
}

/* Next notify of this type with a hash in it. */
static bool next_hash(const struct ike_payloads *payloads, unsigned *at, uint16_t type, uint8_t out[NATD_SIZE])
{
	struct ike_notify n;

	for (; *at < payloads->n; (*at)++) {
		if (payloads->list[*at].type != IKE_PL_NOTIFY ||
		    ike_notify_decode(payloads->list[*at].body, &n) != 0 || n.type != type || n.data.len != NATD_SIZE)
			continue;
		memcpy(out, n.data.data, NATD_SIZE);
		(*at)++;
		return true;
	}
	return false;
}

bool natd_judge(const struct ike_payloads *payloads, const uint8_t spi_i[IKE_SPI_SIZE],
		const uint8_t spi_r[IKE_SPI_SIZE], const struct ike_endpoint *local,
		const struct ike_endpoint *remote, struct natd_result *out)
{
	uint8_t ours[NATD_SIZE], theirs[NATD_SIZE], seen[NATD_SIZE];
	bool source = false, source_equal = false, destination = false, destination_equal = false;

	*out = (struct natd_result){ 0 };
	natd_hash(spi_i, spi_r, remote, theirs);
	natd_hash(spi_i, spi_r, local, ours);
	for (unsigned at = 0; next_hash(payloads, &at, N_NAT_DETECTION_SOURCE_IP, seen); source = true)
		source_equal |= memcmp(seen, theirs, NATD_SIZE) == 0;
	for (unsigned at = 0; next_hash(payloads, &at, N_NAT_DETECTION_DESTINATION_IP, seen); destination = true)
		destination_equal |= memcmp(seen, ours, NATD_SIZE) == 0;
	if (!source || !destination)
		return false;
	out->remote = !source_equal;
	out->local = !destination_equal;
	return true;
}

static size_t put_endpoints(const struct ike_endpoint *from, const struct ike_endpoint *to, uint8_t out[NATD_FORBIDDEN_MAX])
{
	size_t bytes = ip_bytes(from->addr.family), at = 2 * bytes;

	ip_to_bytes(from->addr.v, from->addr.family, out);
	ip_to_bytes(to->addr.v, to->addr.family, out + bytes);
	out[at++] = (uint8_t)(from->port >> 8);
	out[at++] = (uint8_t)from->port;
	out[at++] = (uint8_t)(to->port >> 8);
	out[at++] = (uint8_t)to->port;
	return at;
}

void natd_forbid(struct ike_writer *w, const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	uint8_t data[NATD_FORBIDDEN_MAX];
	size_t len = put_endpoints(local, remote, data);

	ike_notify_encode(w, N_NO_NATS_ALLOWED, data, len);
}

bool natd_is_forbidden(const struct ike_payloads *payloads, const struct ike_endpoint *local,
		       const struct ike_endpoint *remote)
{
	uint8_t data[NATD_FORBIDDEN_MAX];
	size_t len = put_endpoints(remote, local, data);
	struct ike_notify n;

	for (unsigned i = 0; i < payloads->n; i++)
		if (payloads->list[i].type == IKE_PL_NOTIFY && ike_notify_decode(payloads->list[i].body, &n) == 0 &&
		    n.type == N_NO_NATS_ALLOWED && (n.data.len != len || memcmp(n.data.data, data, len) != 0))
			return true;
	return false;
}

bool natd_destination(const struct ike_payloads *payloads, uint8_t out[NATD_SIZE])
{
	unsigned at = 0;

	return next_hash(payloads, &at, N_NAT_DETECTION_DESTINATION_IP, out);
}
