/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "ipsec/esp/esp_sum.h"

#include <endian.h>
#include <string.h>

#include "ipsec/esp/esp_bytes.h"

/* Ones' complement sums don't care for the order of bytes within words as long
 * as it is the same everywhere (RFC 1071 2 B), so whole words are added as the
 * machine has them and turned at the end. */
uint64_t esp_sum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t a = 0, b = 0;
	uint32_t w[4];
	uint16_t folded;

	for (; len >= sizeof(w); p += sizeof(w), len -= sizeof(w)) {
		memcpy(w, p, sizeof(w));
		a += (uint64_t)w[0] + w[1];
		b += (uint64_t)w[2] + w[3];
	}
	for (; len >= 2; p += 2, len -= 2) {
		uint16_t half;

		memcpy(&half, p, 2);
		a += half;
	}
	if (len > 0) {
		uint16_t half = 0;

		memcpy(&half, p, 1);
		a += half;
	}
	folded = esp_sum_fold(a + b);
	return sum + be16toh(folded);
}

uint64_t esp_sum_pseudo(enum ip_family family, const uint8_t *src, const uint8_t *dst, uint8_t proto,
			uint32_t len)
{
	uint64_t sum = proto + (uint64_t)(len >> 16) + (len & 0xffff);

	sum = esp_sum_add(sum, src, ip_bytes(family));
	return esp_sum_add(sum, dst, ip_bytes(family));
}

uint16_t esp_sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t esp_sum_final(uint64_t sum, bool nonzero)
{
	uint16_t final = (uint16_t)~esp_sum_fold(sum);

	return final == 0 && nonzero ? 0xffff : final;
}

void esp_sum_change(uint8_t field[2], const uint8_t *old, const uint8_t *new, size_t offset, size_t len)
{
	uint16_t was = esp_sum_fold(esp_sum_add(0, old, len)), is = esp_sum_fold(esp_sum_add(0, new, len));

	if (offset % 2 != 0) { /* each byte is in the other half of its word */
		was = (uint16_t)(was << 8 | was >> 8);
		is = (uint16_t)(is << 8 | is >> 8);
	}
	esp_put16(field, (uint16_t)~esp_sum_fold((uint64_t)(uint16_t)~esp_get16(field) + (uint16_t)~was + is));
}
