/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_bytes - big-endian fields of a packet that is rewritten in place, where a
 * reader (lib/rd.h) has shown already that they are there; and the names of
 * offloads that older kernel headers lack.
 */
#ifndef SAV_ESP_BYTES_H
#define SAV_ESP_BYTES_H

#include <stdint.h>

#include <linux/if_tun.h>
#include <linux/virtio_net.h>

/* Linux 6.2 */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static inline uint16_t esp_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t esp_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void esp_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void esp_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

#endif /* SAV_ESP_BYTES_H */
