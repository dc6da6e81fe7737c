/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_super - packets as a TUN device gives them: up to 64 KiB of one TCP or UDP
 * flow with one header in front, to be cut into packets of the tunnel's size.
 *
 * Each packet is written once, to where it will be encrypted. Checksums that
 * the kernel left to the device are made here.
 *
 * Source: virtio 1.2 section 5.1.6.2 for the header; RFC 9293, RFC 768.
 */
#ifndef SAV_ESP_SUPER_H
#define SAV_ESP_SUPER_H

#include <linux/virtio_net.h>

#include "ipsec/esp/esp_inner.h"

/* More pieces than the smallest segment that Linux sends makes of 64 KiB. */
#define ESP_SUPER_SEGMENTS_MAX 1500

struct esp_super {
	const uint8_t *data;
	struct esp_inner inner; /* of the whole */
	uint16_t headers;	/* bytes before the payload, IP and TCP or UDP */
	uint16_t size;		/* payload of each packet but the last */
	uint32_t count;		/* packets */
	uint8_t gso;		/* VIRTIO_NET_HDR_GSO_NONE, _TCPV4, _TCPV6, _UDP_L4 */
	bool csum;		/* the checksum is ours to make */
	uint16_t csum_start, csum_offset;
};

/* -1: not an IP packet, or a header that does not fit it. */
int esp_super_read(const struct virtio_net_hdr *vnet, const uint8_t *data, size_t len, struct esp_super *out);

/* Length of packet i < count. */
size_t esp_super_length(const struct esp_super *s, uint32_t i);
/* Writes packet i; returns its length. */
size_t esp_super_put(const struct esp_super *s, uint32_t i, uint8_t *out);

#endif /* SAV_ESP_SUPER_H */
