/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_merge.h"

#include <stdlib.h>
#include <string.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"
#include "lib/mem.h"

#define PROTO_TCP 6
#define PROTO_UDP 17

#define TCP_HEADER 20
#define UDP_HEADER 8
#define TCP_PSH	   0x08
#define TCP_ACK	   0x10

#define IP_TOTAL_MAX 65535

void esp_merge_init(struct esp_merge *m, unsigned int max, bool udp)
{
	*m = (struct esp_merge){ .frames = mem_calloc(max, sizeof(m->frames[0])), .max = max, .udp = udp };
}

void esp_merge_fini(struct esp_merge *m)
{
	free(m->frames);
	*m = (struct esp_merge){ 0 };
}

void esp_merge_reset(struct esp_merge *m)
{
	m->n = 0;
}

bool esp_merge_is_full(const struct esp_merge *m)
{
	return m->n == m->max;
}

static uint64_t pseudo(const uint8_t *packet, const struct esp_inner *in, size_t l4_len)
{
	return in->family == IP_V4 ? esp_sum_pseudo(IP_V4, packet + 12, packet + 16, in->proto, (uint32_t)l4_len) :
				     esp_sum_pseudo(IP_V6, packet + 8, packet + 24, in->proto, (uint32_t)l4_len);
}

/* Bytes of headers when the packet is one that may be joined: plain data, no IP
 * options or extension headers, not a fragment, a right checksum (we would
 * otherwise mend what was broken). 0: it goes alone. */
static uint16_t joinable(const struct esp_merge *m, const uint8_t *packet, const struct esp_inner *in)
{
	const uint8_t *l4 = packet + in->header;
	size_t l4_len = in->len - in->header;
	uint16_t headers;

	if (in->fragment || in->header != (in->family == IP_V4 ? 20 : 40))
		return 0;
	if (in->proto == PROTO_TCP && l4_len > TCP_HEADER) {
		uint8_t flags = l4[13];

		headers = (l4[12] >> 4) * 4;
		if ((flags & ~TCP_PSH) != TCP_ACK || headers < TCP_HEADER || headers >= l4_len)
			return 0;
	} else if (in->proto == PROTO_UDP && m->udp && l4_len > UDP_HEADER && esp_get16(l4 + 4) == l4_len &&
		   esp_get16(l4 + 6) != 0) {
		headers = UDP_HEADER;
	} else {
		return 0;
	}
	if (esp_sum_fold(esp_sum_add(pseudo(packet, in, l4_len), l4, l4_len)) != 0xffff)
		return 0;
	return in->header + headers;
}

static bool same_flow(const struct esp_frame *f, uint32_t tunnel, const struct esp_inner *in)
{
	return f->tunnel == tunnel && f->inner.proto == in->proto && f->inner.has_ports && in->has_ports &&
	       f->inner.sport == in->sport && f->inner.dport == in->dport && f->inner.family == in->family &&
	       f->inner.src.v == in->src.v && f->inner.dst.v == in->dst.v;
}

/* Everything that the kernel will copy to each packet when it cuts the frame
 * again is the same. */
static bool same_headers(const struct esp_frame *f, const uint8_t *packet, const struct esp_inner *in,
			 uint16_t headers)
{
	const uint8_t *first = f->iov[1].iov_base, *a = first + in->header, *b = packet + in->header;

	if (f->headers != headers || f->inner.tos != in->tos || f->inner.df != in->df)
		return false;
	if (in->family == IP_V4) {
		/* without DF the identifiers must go on as they would be made */
		if (first[8] != packet[8] ||
		    (!in->df && esp_get16(packet + 4) != (uint16_t)(esp_get16(first + 4) + f->n_iov - 1)))
			return false;
	} else if (first[7] != packet[7] || memcmp(first, packet, 4) != 0) {
		return false;
	}
	/* acknowledgement, length, window, options; the last may carry PSH */
	return in->proto == PROTO_UDP ||
	       (esp_get32(b + 4) == f->next && memcmp(a + 8, b + 8, 5) == 0 && !(a[13] & TCP_PSH) &&
		esp_get16(a + 14) == esp_get16(b + 14) && esp_get16(a + 18) == esp_get16(b + 18) &&
		memcmp(a + TCP_HEADER, b + TCP_HEADER, headers - in->header - TCP_HEADER) == 0);
}

static bool append(struct esp_frame *f, uint8_t *packet, const struct esp_inner *in, uint16_t headers)
{
	uint32_t payload = in->len - headers;

	if (!f->open || f->n_iov > ESP_MERGE_PIECES || payload > f->size ||
	    f->headers + f->payload + payload > IP_TOTAL_MAX || !same_headers(f, packet, in, headers))
		return false;
	f->iov[f->n_iov++] = (struct iovec){ .iov_base = packet + headers, .iov_len = payload };
	f->payload += payload;
	f->next += payload;
	if (payload < f->size)
		f->open = false;
	if (in->proto == PROTO_TCP && (packet[in->header + 13] & TCP_PSH)) {
		uint8_t *first = f->iov[1].iov_base;

		first[in->header + 13] |= TCP_PSH;
		f->open = false;
	}
	return true;
}

bool esp_merge_add(struct esp_merge *m, uint32_t tunnel, uint8_t *packet, const struct esp_inner *inner)
{
	uint16_t headers = joinable(m, packet, inner);
	struct esp_frame *f;

	for (unsigned int i = m->n, looked = 0; i-- > 0 && looked < ESP_MERGE_FLOWS; looked++) {
		f = &m->frames[i];
		if (!same_flow(f, tunnel, inner))
			continue;
		if (headers > 0 && append(f, packet, inner, headers))
			return true;
		f->open = false; /* what follows this packet must not overtake it */
		break;
	}
	if (esp_merge_is_full(m))
		return false;
	f = &m->frames[m->n++];
	*f = (struct esp_frame){ .tunnel = tunnel, .inner = *inner, .headers = headers, .n_iov = 2 };
	f->iov[1] = (struct iovec){ .iov_base = packet, .iov_len = inner->len };
	if (headers > 0) {
		f->verified = true;
		f->size = (uint16_t)(inner->len - headers);
		f->payload = f->size;
		f->open = true;
		if (inner->proto == PROTO_TCP) {
			f->next = esp_get32(packet + inner->header + 4) + f->size;
			f->open = !(packet[inner->header + 13] & TCP_PSH);
		}
	}
	return true;
}

static void finish_joined(struct esp_frame *f)
{
	uint8_t *packet = f->iov[1].iov_base, *l4 = packet + f->inner.header;
	size_t len = f->headers + f->payload, l4_len = len - f->inner.header;
	bool tcp = f->inner.proto == PROTO_TCP;

	if (f->inner.family == IP_V4) {
		esp_put16(packet + 2, (uint16_t)len);
		esp_put16(packet + 10, 0);
		esp_put16(packet + 10, esp_sum_final(esp_sum_add(0, packet, f->inner.header), false));
	} else {
		esp_put16(packet + 4, (uint16_t)(len - 40));
	}
	if (!tcp)
		esp_put16(l4 + 4, (uint16_t)l4_len);
	esp_put16(l4 + (tcp ? 16 : 6), esp_sum_fold(pseudo(packet, &f->inner, l4_len)));
	f->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	f->vnet.gso_type = !tcp				? VIRTIO_NET_HDR_GSO_UDP_L4 :
			   f->inner.family == IP_V4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
							VIRTIO_NET_HDR_GSO_TCPV6;
	f->vnet.hdr_len = f->headers;
	f->vnet.gso_size = f->size;
	f->vnet.csum_start = f->inner.header;
	f->vnet.csum_offset = tcp ? 16 : 6;
}

void esp_merge_finish(struct esp_merge *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		struct esp_frame *f = &m->frames[i];

		f->vnet = (struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_NONE };
		if (f->n_iov > 2)
			finish_joined(f);
		else if (f->verified)
			f->vnet.flags = VIRTIO_NET_HDR_F_DATA_VALID;
		f->iov[0] = (struct iovec){ .iov_base = &f->vnet, .iov_len = sizeof(f->vnet) };
		f->open = false;
	}
}
