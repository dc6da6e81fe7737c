/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_sum - the Internet checksum.
 *
 * Source: RFC 1071; RFC 1624 for changing one.
 */
#ifndef SAV_ESP_SUM_H
#define SAV_ESP_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"

/* Adds up the bytes as big-endian words on top of sum; an odd length is as if a
 * zero followed. At most 64 KiB a call. */
uint64_t esp_sum_add(uint64_t sum, const void *data, size_t len);
/* Of the pseudo header: addresses in bytes of the family, and the length of what
 * follows the IP header. */
uint64_t esp_sum_pseudo(enum ip_family family, const uint8_t *src, const uint8_t *dst, uint8_t proto,
			uint32_t len);
/* Folded to 16 bits, not inverted. */
uint16_t esp_sum_fold(uint64_t sum);
/* What goes into a header: inverted; 0 is written as 0xffff when it must not be
 * (UDP, RFC 768). */
uint16_t esp_sum_final(uint64_t sum, bool nonzero);
/* Mends the checksum in field for len bytes that change from old to new, at that
 * offset from where the sum began (RFC 1624 section 3). */
void esp_sum_change(uint8_t field[2], const uint8_t *old, const uint8_t *new, size_t offset, size_t len);

#endif /* SAV_ESP_SUM_H */
