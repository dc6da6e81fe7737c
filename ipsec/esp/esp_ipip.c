/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_ipip.h"

#include <string.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"

#define TTL 64

size_t esp_ipip_header(const struct esp_sa *sa, const struct esp_inner *inner)
{
	if (sa->ipip_header == 0 || (ip_addr_equal(&inner->src, &sa->ipip.local) &&
				     ip_addr_equal(&inner->dst, &sa->ipip.remote) && esp_sa_carries(sa, inner, true)))
		return 0;
	return sa->ipip_header;
}

/* Never to be cut: what is inside was cut before (RFC 2003 3.1; so its number may
 * be 0, RFC 6864 4.1). */
static size_t put_v4(const struct esp_sa *sa, uint8_t proto, uint8_t tos, size_t len, uint8_t *out)
{
	memset(out, 0, 20);
	out[0] = 0x45;
	out[1] = tos;
	esp_put16(out + 2, (uint16_t)(20 + len));
	esp_put16(out + 6, 0x4000);
	out[8] = TTL;
	out[9] = proto;
	ip_to_bytes(sa->ipip.local.v, IP_V4, out + 12);
	ip_to_bytes(sa->ipip.remote.v, IP_V4, out + 16);
	esp_put16(out + 10, esp_sum_final(esp_sum_add(0, out, 20), false));
	return 20;
}

size_t esp_ipip_put(const struct esp_sa *sa, enum ip_family family, uint8_t tos, size_t len, uint8_t *out)
{
	uint8_t proto = family == IP_V4 ? ESP_NEXT_V4 : ESP_NEXT_V6;

	if (sa->ipip.local.family == IP_V4)
		return put_v4(sa, proto, tos, len, out);
	memset(out, 0, 8);
	out[0] = (uint8_t)(0x60 | tos >> 4);
	out[1] = (uint8_t)(tos << 4);
	esp_put16(out + 4, (uint16_t)len);
	out[6] = proto;
	out[7] = TTL;
	ip_to_bytes(sa->ipip.local.v, IP_V6, out + 8);
	ip_to_bytes(sa->ipip.remote.v, IP_V6, out + 24);
	return 40;
}

int esp_ipip_open(const struct esp_sa *sa, uint8_t **packet, struct esp_inner *inner)
{
	const struct esp_inner outer = *inner;
	enum ip_family family = outer.proto == ESP_NEXT_V4 ? IP_V4 : IP_V6;

	if (sa->ipip_header == 0 || (outer.proto != ESP_NEXT_V4 && outer.proto != ESP_NEXT_V6) ||
	    !ip_addr_equal(&outer.src, &sa->ipip.remote) || !ip_addr_equal(&outer.dst, &sa->ipip.local))
		return 0;
	*packet += outer.header;
	if (outer.fragment || esp_inner_read(*packet, outer.len - outer.header, inner) != 0 || inner->family != family)
		return -1;
	return esp_inner_ecn(*packet, inner, outer.tos);
}
