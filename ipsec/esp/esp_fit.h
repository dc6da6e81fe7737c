/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_fit - inner packets that are too long for the tunnel: told to the sender,
 * cut, or made shorter from the beginning.
 */
#ifndef SAV_ESP_FIT_H
#define SAV_ESP_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/esp/esp_inner.h"

/* Every IPv6 path carries so much (RFC 8200 5). */
#define ESP_V6_MTU_MIN 1280

/* A message on a packet quotes at most so much of it (RFC 1812 4.3.2.3, RFC
 * 4443 2.4 c), headers of the message included. */
#define ESP_TOO_BIG_MAX 1280

/* The message that a packet is too long: ICMP fragmentation needed (RFC 1191 4)
 * or ICMPv6 packet too big (RFC 4443 3.2), for the packet's source, with its
 * destination as the sender: the only address that comes by this interface for
 * sure, is no own one when the source is (the kernel would drop that), and
 * passes the filters that let the answers in. Returns its length; 0: none may
 * be sent (RFC 1122 3.2.2: not on an error message, a later fragment, or to
 * many). */
size_t esp_too_big(const uint8_t *packet, const struct esp_inner *inner, uint32_t mtu, uint8_t out[ESP_TOO_BIG_MAX]);

/* IPv4 fragments of at most mtu bytes of a packet without options (RFC 791 2.3):
 * how many; 0: it can't be cut so. */
uint32_t esp_fragments(const struct esp_inner *inner, uint32_t mtu);
size_t esp_fragment_length(const struct esp_inner *inner, uint32_t mtu, uint32_t i);
/* Writes fragment i; returns its length. */
size_t esp_fragment_put(const uint8_t *packet, const struct esp_inner *inner, uint32_t mtu, uint32_t i, uint8_t *out);

/* Lowers the MSS option of a TCP SYN so that a segment fits mtu (RFC 9293 3.7.1);
 * never raises it. partial: the checksum is not made yet. True: it was lowered. */
bool esp_mss_clamp(uint8_t *packet, const struct esp_inner *inner, uint32_t mtu, bool partial);

#endif /* SAV_ESP_FIT_H */
