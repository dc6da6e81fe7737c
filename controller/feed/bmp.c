/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bmp.h"

bool bmp_header_decode(struct rd *rd, struct bmp_header *header)
{
	uint8_t version = rd_u8(rd);
	uint32_t len = rd_be32(rd);
	uint8_t type = rd_u8(rd);

	if (rd->failed)
		return false;
	*header = (struct bmp_header){ .version = version, .type = type, .len = len };
	return true;
}

/* 16 bytes, an IPv4 address in the last four of them. */
static struct ip_addr address(struct rd *rd, bool v6)
{
	enum ip_family family = v6 ? IP_V6 : IP_V4;
	uint8_t raw[16];

	rd_bytes(rd, raw, sizeof(raw));
	return (struct ip_addr){ ip_from_bytes(v6 ? raw : raw + 12, family),
				 (uint8_t)family };
}

bool bmp_peer_decode(struct rd *rd, struct bmp_peer *peer)
{
	uint8_t type = rd_u8(rd), flags = rd_u8(rd);
	struct bmp_peer p = { .type = type, .flags = flags };

	p.distinguisher = rd_be64(rd);
	p.addr = address(rd, flags & BMP_FLAG_V6);
	p.as = rd_be32(rd);
	p.id = rd_be32(rd);
	p.sec = rd_be32(rd);
	p.usec = rd_be32(rd);
	if (rd->failed)
		return false;
	*peer = p;
	return true;
}

bool bmp_tlv_next(struct rd *rd, struct bmp_tlv *tlv)
{
	uint16_t type;
	struct rd value;

	if (rd_left(rd) == 0)
		return false;
	type = rd_be16(rd);
	value = rd_sub(rd, rd_be16(rd));
	if (rd->failed)
		return false;
	*tlv = (struct bmp_tlv){ type, value };
	return true;
}

static bool tlvs_ok(struct rd rd)
{
	struct bmp_tlv tlv;

	while (bmp_tlv_next(&rd, &tlv))
		;
	return !rd.failed;
}

static bool open_decode(struct rd *rd, struct bgp_open *open)
{
	struct bgp_msg msg;

	return bgp_msg_decode(rd, &msg) && msg.type == BGP_MSG_OPEN &&
	       bgp_open_decode(msg.body, open);
}

bool bmp_peer_up_decode(struct rd rd, const struct bmp_peer *peer, struct bmp_peer_up *up)
{
	struct bmp_peer_up u = { 0 };

	u.local_addr = address(&rd, peer->flags & BMP_FLAG_V6);
	u.local_port = rd_be16(&rd);
	u.remote_port = rd_be16(&rd);
	if (!open_decode(&rd, &u.sent) || !open_decode(&rd, &u.received) || !tlvs_ok(rd))
		return false;
	u.tlvs = rd;
	*up = u;
	return true;
}

bool bmp_peer_down_decode(struct rd rd, struct bmp_peer_down *down)
{
	struct bmp_peer_down d = { .reason = rd_u8(&rd) };
	struct bgp_msg msg;

	if (rd.failed)
		return false;
	switch (d.reason) {
	case BMP_DOWN_LOCAL_NOTIFICATION:
	case BMP_DOWN_REMOTE_NOTIFICATION:
		/* The peer is down whether or not we can read why. */
		if (bgp_msg_decode(&rd, &msg) && msg.type == BGP_MSG_NOTIFICATION) {
			d.code = rd_u8(&msg.body);
			d.subcode = rd_u8(&msg.body);
		}
		break;
	case BMP_DOWN_LOCAL:
		d.fsm_event = rd_be16(&rd);
		break;
	default:
		break;
	}
	*down = d;
	return true;
}

bool bmp_statistics_decode(struct rd rd, bmp_stat_fn *fn, void *arg)
{
	uint32_t n = rd_be32(&rd), seen = 0;
	struct rd tlvs = rd;
	struct bmp_tlv tlv;

	while (bmp_tlv_next(&rd, &tlv))
		seen++;
	if (!rd_done(&rd) || seen != n)
		return false;
	while (fn && bmp_tlv_next(&tlvs, &tlv)) {
		if (rd_left(&tlv.value) == 4)
			fn(tlv.type, rd_be32(&tlv.value), arg);
		else if (rd_left(&tlv.value) == 8)
			fn(tlv.type, rd_be64(&tlv.value), arg);
	}
	return true;
}
