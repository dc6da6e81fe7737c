/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tests/unit/esp/packets.h"

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t add(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static uint32_t l4_sum(const uint8_t *packet, size_t len)
{
	bool v6 = packet[0] >> 4 == 6;
	size_t header = v6 ? 40 : 20, l4_len = len - header;
	uint8_t tail[4] = { 0, v6 ? packet[6] : packet[9], (uint8_t)(l4_len >> 8), (uint8_t)l4_len };
	uint32_t sum = add(0, packet + (v6 ? 8 : 12), v6 ? 32 : 8);

	return add(add(sum, tail, 4), packet + header, l4_len);
}

static size_t make_l4(const struct packet_conf *conf, uint8_t *l4)
{
	size_t header = conf->proto == 6 ? 20 + conf->options : 8;

	put16(l4, conf->sport);
	put16(l4 + 2, conf->dport);
	if (conf->proto == 6) {
		put16(l4 + 4, conf->seq >> 16);
		put16(l4 + 6, conf->seq & 0xffff);
		l4[11] = 77; /* acknowledgement */
		l4[12] = (uint8_t)(header / 4 << 4);
		l4[13] = conf->flags;
		put16(l4 + 14, 500);
		memset(l4 + 20, 1, conf->options);
	} else {
		put16(l4 + 4, header + conf->payload);
	}
	for (size_t i = 0; i < conf->payload; i++)
		l4[header + i] = (uint8_t)((conf->seq + i) * 2654435761u >> 24);
	return header + conf->payload;
}

size_t packet_make(const struct packet_conf *conf, uint8_t out[PACKET_MAX])
{
	size_t header = conf->v6 ? 40 : 20, len;
	uint32_t sum;

	memset(out, 0, PACKET_MAX);
	len = header + make_l4(conf, out + header);
	if (conf->v6) {
		out[0] = (uint8_t)(0x60 | conf->tos >> 4);
		out[1] = (uint8_t)(conf->tos << 4);
		put16(out + 4, len - 40);
		out[6] = conf->proto;
		out[7] = 63;
		memcpy(out + 8, "\x20\x01\x0d\xb8\x00\x01", 6);
		memcpy(out + 24, "\x20\x01\x0d\xb8\x00\x02", 6);
		out[23] = conf->last_src;
		out[39] = conf->last_dst;
	} else {
		out[0] = 0x45;
		out[1] = conf->tos;
		put16(out + 2, len);
		put16(out + 4, conf->id);
		put16(out + 6, conf->df ? 0x4000 : 0);
		out[8] = 63;
		out[9] = conf->proto;
		memcpy(out + 12, "\xc0\x00\x02", 3);
		memcpy(out + 16, "\xc6\x33\x64", 3);
		out[15] = conf->last_src;
		out[19] = conf->last_dst;
		put16(out + 10, (uint16_t)~add(0, out, 20));
	}
	if (conf->proto == 6 || conf->proto == 17) {
		sum = (uint16_t)~l4_sum(out, len);
		put16(out + header + (conf->proto == 6 ? 16 : 6), sum == 0 ? 0xffff : sum);
	}
	return len;
}

bool packet_is_right(const uint8_t *packet, size_t len)
{
	if (packet[0] >> 4 == 4 && add(0, packet, 20) != 0xffff)
		return false;
	return l4_sum(packet, len) == 0xffff;
}
