/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_inner.h"

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"
#include "lib/rd.h"

#define PROTO_HOPOPTS  0
#define PROTO_ICMP     1
#define PROTO_TCP      6
#define PROTO_UDP      17
#define PROTO_ROUTING  43
#define PROTO_FRAGMENT 44
#define PROTO_AH       51
#define PROTO_ICMP6    58
#define PROTO_DSTOPTS  60
#define PROTO_SCTP     132
#define PROTO_UDPLITE  136

#define EXTENSIONS_MAX 8

static struct ip_addr take_addr(struct rd *rd, enum ip_family family)
{
	struct ip_addr addr = { .family = family };
	uint8_t bytes[16] = { 0 };

	rd_bytes(rd, bytes, ip_bytes(family));
	addr.v = ip_from_bytes(bytes, family);
	return addr;
}

static bool read_v4(struct rd *rd, size_t size, struct esp_inner *in)
{
	uint8_t first = rd_u8(rd);
	uint16_t fragment;

	in->family = IP_V4;
	in->header = (first & 0x0f) * 4;
	in->tos = rd_u8(rd);
	in->len = rd_be16(rd);
	rd_skip(rd, 2);
	fragment = rd_be16(rd);
	rd_skip(rd, 1);
	in->proto = rd_u8(rd);
	rd_skip(rd, 2);
	in->src = take_addr(rd, IP_V4);
	in->dst = take_addr(rd, IP_V4);
	in->df = (fragment & 0x4000) != 0;
	in->fragment = (fragment & 0x3fff) != 0;
	in->has_ports = (fragment & 0x1fff) == 0;
	if (in->header < 20 || in->len < in->header || in->len > size)
		return false;
	rd_skip(rd, in->header - 20u);
	return !rd->failed;
}

/* The headers that may stand between the fixed one and the upper layer (RFC
 * 8200 4.1). */
static bool read_extensions(struct rd *rd, struct esp_inner *in)
{
	for (unsigned int n = 0; n < EXTENSIONS_MAX; n++) {
		uint8_t next, units;
		uint32_t len;

		if (in->proto != PROTO_HOPOPTS && in->proto != PROTO_ROUTING && in->proto != PROTO_FRAGMENT &&
		    in->proto != PROTO_AH && in->proto != PROTO_DSTOPTS)
			return true;
		next = rd_u8(rd);
		units = rd_u8(rd);
		if (in->proto == PROTO_FRAGMENT) {
			uint16_t offset = rd_be16(rd);

			len = 8;
			rd_skip(rd, 4);
			in->fragment = true;
			in->has_ports = offset < 8;
			if (!in->has_ports) {
				in->proto = next;
				in->header += len;
				return !rd->failed;
			}
		} else {
			len = in->proto == PROTO_AH ? (units + 2) * 4u : (units + 1) * 8u;
			rd_skip(rd, len - 2);
		}
		in->proto = next;
		in->header += len;
		if (rd->failed)
			return false;
	}
	return false;
}

static bool read_v6(struct rd *rd, size_t size, struct esp_inner *in)
{
	uint32_t first = rd_be32(rd);

	in->family = IP_V6;
	in->header = 40;
	in->tos = (uint8_t)(first >> 20);
	in->len = 40u + rd_be16(rd);
	in->proto = rd_u8(rd);
	rd_skip(rd, 1);
	in->src = take_addr(rd, IP_V6);
	in->dst = take_addr(rd, IP_V6);
	in->df = true;
	in->has_ports = true;
	if (rd->failed || in->len > size)
		return false;
	return read_extensions(rd, in);
}

static void read_ports(struct rd *rd, struct esp_inner *in)
{
	bool icmp = in->proto == PROTO_ICMP || in->proto == PROTO_ICMP6;

	in->has_ports = (icmp || in->proto == PROTO_TCP || in->proto == PROTO_UDP || in->proto == PROTO_SCTP ||
			 in->proto == PROTO_UDPLITE) &&
			in->len - in->header >= 4;
	if (!in->has_ports)
		return;
	in->sport = rd_be16(rd);
	in->dport = icmp ? in->sport : rd_be16(rd);
}

int esp_inner_read(const uint8_t *packet, size_t size, struct esp_inner *out)
{
	struct rd rd = rd_init(packet, size);
	struct esp_inner in = { 0 };
	bool ok = false;

	if (size > 0 && packet[0] >> 4 == 4)
		ok = read_v4(&rd, size, &in);
	else if (size > 0 && packet[0] >> 4 == 6)
		ok = read_v6(&rd, size, &in);
	if (!ok || in.header > in.len)
		return -1;
	if (in.has_ports)
		read_ports(&rd, &in);
	*out = in;
	return 0;
}

/* ---- ECN */

#define ECN_MASK 3
enum ecn {
	ECN_NONE = 0, /* not capable */
	ECN_ECT1 = 1,
	ECN_ECT0 = 2,
	ECN_CE = 3,
};

static void write_ecn(uint8_t *packet, struct esp_inner *inner, uint8_t ecn)
{
	uint8_t tos = (inner->tos & ~ECN_MASK) | ecn;
	uint16_t sum;

	inner->tos = tos; /* packets of one flow are joined by it */
	if (inner->family == IP_V6) {
		packet[1] = (uint8_t)((packet[1] & 0x0f) | tos << 4);
		return;
	}
	packet[1] = tos;
	esp_put16(packet + 10, 0);
	sum = esp_sum_final(esp_sum_add(0, packet, (size_t)(packet[0] & 0x0f) * 4), false);
	esp_put16(packet + 10, sum);
}

int esp_inner_ecn(uint8_t *packet, struct esp_inner *inner, uint8_t outer_tos)
{
	uint8_t in = inner->tos & ECN_MASK, outer = outer_tos & ECN_MASK;

	if (outer == ECN_CE && in == ECN_NONE)
		return -1;
	if ((outer == ECN_CE && in != ECN_CE) || (outer == ECN_ECT1 && in == ECN_ECT0))
		write_ecn(packet, inner, outer);
	return 0;
}
