/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_super.h"

#include <string.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"

#define PROTO_TCP 6
#define PROTO_UDP 17

#define TCP_HEADER 20
#define UDP_HEADER 8
#define TCP_FIN	   0x01
#define TCP_PSH	   0x08
#define TCP_CWR	   0x80

/* A whole number of packets, and headers that are really there: the device's
 * own hdr_len is a hint only (virtio 5.1.6.2). */
static int read_gso(const struct virtio_net_hdr *vnet, struct esp_super *s)
{
	const struct esp_inner *in = &s->inner;
	uint32_t payload;

	switch (s->gso) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		if (in->proto != PROTO_TCP || in->len < in->header + (uint32_t)TCP_HEADER ||
		    (in->family == IP_V4) != (s->gso == VIRTIO_NET_HDR_GSO_TCPV4))
			return -1;
		s->headers = in->header + (s->data[in->header + 12] >> 4) * 4;
		if (s->headers < in->header + TCP_HEADER)
			return -1;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		if (in->proto != PROTO_UDP)
			return -1;
		s->headers = in->header + UDP_HEADER;
		break;
	default:
		return -1;
	}
	if (in->fragment || in->len <= s->headers || vnet->gso_size == 0)
		return -1;
	payload = in->len - s->headers;
	s->size = vnet->gso_size;
	s->count = (payload + s->size - 1) / s->size;
	return s->count <= ESP_SUPER_SEGMENTS_MAX ? 0 : -1;
}

int esp_super_read(const struct virtio_net_hdr *vnet, const uint8_t *data, size_t len, struct esp_super *out)
{
	struct esp_super s = { .data = data, .count = 1 };

	if (esp_inner_read(data, len, &s.inner) != 0)
		return -1;
	s.gso = vnet->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	if (s.gso != VIRTIO_NET_HDR_GSO_NONE && read_gso(vnet, &s) != 0)
		return -1;
	if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		s.csum = true;
		s.csum_start = vnet->csum_start;
		s.csum_offset = vnet->csum_offset;
		if (s.csum_start < s.inner.header || (uint32_t)s.csum_start + s.csum_offset + 2 > s.inner.len)
			return -1;
	}
	*out = s;
	return 0;
}

static size_t payload_length(const struct esp_super *s, uint32_t i)
{
	size_t payload = s->inner.len - s->headers, at = (size_t)i * s->size;

	return payload - at < s->size ? payload - at : s->size;
}

size_t esp_super_length(const struct esp_super *s, uint32_t i)
{
	return s->gso == VIRTIO_NET_HDR_GSO_NONE ? s->inner.len : s->headers + payload_length(s, i);
}

static size_t put_whole(const struct esp_super *s, uint8_t *out)
{
	memcpy(out, s->data, s->inner.len);
	if (s->csum) /* the field holds the pseudo header's sum already */
		esp_put16(out + s->csum_start + s->csum_offset,
		      esp_sum_final(esp_sum_add(0, out + s->csum_start, s->inner.len - s->csum_start), true));
	return s->inner.len;
}

static void put_ip(const struct esp_super *s, uint32_t i, uint8_t *out, size_t len)
{
	if (s->inner.family == IP_V6) {
		esp_put16(out + 4, (uint16_t)(len - 40));
		return;
	}
	esp_put16(out + 2, (uint16_t)len);
	esp_put16(out + 4, (uint16_t)(esp_get16(s->data + 4) + i));
	esp_put16(out + 10, 0);
	/* as long as the IPv4 header says, options and all */
	esp_put16(out + 10, esp_sum_final(esp_sum_add(0, out, s->inner.header), false));
}

static void put_tcp(const struct esp_super *s, uint32_t i, uint8_t *tcp)
{
	esp_put32(tcp + 4, esp_get32(tcp + 4) + i * s->size);
	if (i + 1 < s->count)
		tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	if (i > 0) /* said once (RFC 3168 6.1.2) */
		tcp[13] &= (uint8_t)~TCP_CWR;
}

size_t esp_super_put(const struct esp_super *s, uint32_t i, uint8_t *out)
{
	size_t payload, len, l4_len;
	uint8_t *l4 = out + s->inner.header, *sum_at;
	uint64_t sum;

	if (s->gso == VIRTIO_NET_HDR_GSO_NONE)
		return put_whole(s, out);
	payload = payload_length(s, i);
	len = s->headers + payload;
	l4_len = len - s->inner.header;
	memcpy(out, s->data, s->headers);
	memcpy(out + s->headers, s->data + s->headers + (size_t)i * s->size, payload);
	put_ip(s, i, out, len);
	if (s->inner.proto == PROTO_TCP) {
		put_tcp(s, i, l4);
		sum_at = l4 + 16;
	} else {
		esp_put16(l4 + 4, (uint16_t)l4_len);
		sum_at = l4 + 6;
	}
	esp_put16(sum_at, 0);
	/* the addresses end the fixed header of both families */
	sum = s->inner.family == IP_V4 ? esp_sum_pseudo(IP_V4, out + 12, out + 16, s->inner.proto, (uint32_t)l4_len) :
					 esp_sum_pseudo(IP_V6, out + 8, out + 24, s->inner.proto, (uint32_t)l4_len);
	esp_put16(sum_at, esp_sum_final(esp_sum_add(sum, l4, l4_len), true));
	return len;
}
