/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_ipip - IP in IP inside an SA, for peers that have no tunnel interfaces: the
 * SA is agreed upon for two addresses, and all packets travel in others from one
 * of them to the other.
 *
 * What the two addresses say to each other without a second header (a ping of the
 * peer's end, an ICMP error) goes both ways as it is.
 *
 * Source: RFC 2003, RFC 2473 3; RFC 6040 for the headers' ECN.
 */
#ifndef SAV_ESP_IPIP_H
#define SAV_ESP_IPIP_H

#include "ipsec/esp/esp_sa.h"

/* Bytes in front of this outbound packet: 0, 20 or 40. */
size_t esp_ipip_header(const struct esp_sa *sa, const struct esp_inner *inner);
/* The header for a packet of that family and length; returns its bytes. */
size_t esp_ipip_put(const struct esp_sa *sa, enum ip_family family, uint8_t tos, size_t len, uint8_t *out);
/* Takes the header off an inbound packet that has one between the ends, else
 * changes nothing: packet and inner are then those inside. -1: there is no packet
 * inside, or it is to be dropped (RFC 6040 4.2). */
int esp_ipip_open(const struct esp_sa *sa, uint8_t **packet, struct esp_inner *inner);

#endif /* SAV_ESP_IPIP_H */
