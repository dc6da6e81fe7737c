/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_inner - what an IP packet inside (or outside) a tunnel says of itself.
 */
#ifndef SAV_ESP_INNER_H
#define SAV_ESP_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"

struct esp_inner {
	uint8_t family; /* enum ip_family */
	uint8_t proto;	/* of what follows the IP headers */
	uint8_t tos;	/* DSCP and ECN */
	bool df;	/* may not be fragmented; always with IPv6 */
	bool fragment;	/* a part of a packet, the first one too */
	/* TCP, UDP, SCTP: the ports; ICMP: type and code in both (RFC 4301 4.4.1.1);
	 * not in a later fragment */
	bool has_ports;
	uint16_t header; /* bytes before what follows */
	uint32_t len;	 /* of the whole packet, by its own header */
	uint16_t sport, dport;
	struct ip_addr src, dst;
};

/* -1: not an IP packet, or longer than the bytes that are there. Trailing bytes
 * after len are the caller's (TFC padding, RFC 4303 2.7). IPv6 extension
 * headers are followed to at most 8. */
int esp_inner_read(const uint8_t *packet, size_t size, struct esp_inner *out);

/* Congestion seen outside is told inside (RFC 6040 4.2, figure 4): CE, or ECT(1)
 * in place of ECT(0), on an outer header goes to an inner one that can carry it.
 * -1: drop the packet, since the inner one can't. Rewrites the packet (and its
 * IPv4 header checksum), and inner->tos. */
int esp_inner_ecn(uint8_t *packet, struct esp_inner *inner, uint8_t outer_tos);

#endif /* SAV_ESP_INNER_H */
