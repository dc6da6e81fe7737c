/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/bfd_wire.h"

#include <string.h>

#include "lib/rd.h"

#define VERSION 1

/* The byte with state and flags. */
#define FLAG_POLL	 0x20
#define FLAG_FINAL	 0x10
#define FLAG_INDEPENDENT 0x08
#define FLAG_AUTH	 0x04
#define FLAG_DEMAND	 0x02
#define FLAG_MULTIPOINT	 0x01

const char *bfd_state_name(enum bfd_state state)
{
	switch (state) {
	case BFD_ADMIN_DOWN:
		return "admin-down";
	case BFD_DOWN:
		return "down";
	case BFD_INIT:
		return "init";
	case BFD_UP:
		return "up";
	}
	return "";
}

const char *bfd_diag_text(uint8_t diag)
{
	static const char *const texts[] = {
		[BFD_DIAG_NONE] = "no diagnostic",
		[BFD_DIAG_EXPIRED] = "control detection time expired",
		[BFD_DIAG_ECHO] = "echo function failed",
		[BFD_DIAG_NEIGHBOR_DOWN] = "neighbor signaled session down",
		[BFD_DIAG_FORWARDING_RESET] = "forwarding plane reset",
		[BFD_DIAG_PATH_DOWN] = "path down",
		[BFD_DIAG_CONCATENATED] = "concatenated path down",
		[BFD_DIAG_ADMIN_DOWN] = "administratively down",
		[BFD_DIAG_REVERSE_CONCATENATED] = "reverse concatenated path down",
	};

	return diag < sizeof(texts) / sizeof(texts[0]) ? texts[diag]
						       : "unknown diagnostic";
}

/* Section 4.4. The digest is judged by the session, which has the key. */
static enum bfd_error decode_auth(struct rd *rd, struct bfd_auth *auth)
{
	uint8_t len;

	auth->type = rd_u8(rd);
	len = rd_u8(rd);
	if (auth->type == 0 || len < 2)
		return BFD_BAD_AUTH;
	if (auth->type != BFD_AUTH_SHA1 && auth->type != BFD_AUTH_METICULOUS_SHA1) {
		rd_skip(rd, len - 2u);
		return rd_done(rd) ? BFD_OK : BFD_BAD_AUTH;
	}
	if (len != BFD_AUTH_SHA1_BYTES)
		return BFD_BAD_AUTH;
	auth->key_id = rd_u8(rd);
	rd_u8(rd); /* reserved */
	auth->sequence = rd_be32(rd);
	rd_bytes(rd, auth->digest, sizeof(auth->digest));
	return rd_done(rd) ? BFD_OK : BFD_BAD_AUTH;
}

static void decode_times(struct rd *rd, struct bfd_packet *p)
{
	p->min_tx_us = rd_be32(rd);
	p->min_rx_us = rd_be32(rd);
	p->min_echo_us = rd_be32(rd);
}

enum bfd_error bfd_decode(const uint8_t *data, size_t len, struct bfd_packet *p)
{
	struct rd all = rd_init(data, len), rd;
	uint8_t version, flags, length;
	struct bfd_packet q = { 0 };
	enum bfd_error error;

	version = rd_u8(&all);
	flags = rd_u8(&all);
	q.mult = rd_u8(&all);
	length = rd_u8(&all);
	if (all.failed)
		return BFD_BAD_LENGTH;
	if (version >> 5 != VERSION)
		return BFD_BAD_VERSION;
	if (length < BFD_HEADER_BYTES + (flags & FLAG_AUTH ? 2 : 0))
		return BFD_BAD_LENGTH;
	rd = rd_sub(&all, length - 4u);
	if (all.failed)
		return BFD_BAD_LENGTH;
	if (q.mult == 0)
		return BFD_BAD_MULT;
	if (flags & FLAG_MULTIPOINT)
		return BFD_BAD_MULTIPOINT;
	q.diag = version & 0x1f;
	q.state = flags >> 6;
	q.poll = flags & FLAG_POLL;
	q.final = flags & FLAG_FINAL;
	q.independent = flags & FLAG_INDEPENDENT;
	q.demand = flags & FLAG_DEMAND;
	q.my_discr = rd_be32(&rd);
	q.your_discr = rd_be32(&rd);
	decode_times(&rd, &q);
	if (q.my_discr == 0)
		return BFD_BAD_MY_DISCR;
	if (q.your_discr == 0 && (q.state == BFD_INIT || q.state == BFD_UP))
		return BFD_BAD_STATE;
	if (flags & FLAG_AUTH) {
		error = decode_auth(&rd, &q.auth);
		if (error != BFD_OK)
			return error;
	}
	*p = q;
	return BFD_OK;
}

static uint8_t *put_be32(uint8_t *out, uint32_t v)
{
	*out++ = (uint8_t)(v >> 24);
	*out++ = (uint8_t)(v >> 16);
	*out++ = (uint8_t)(v >> 8);
	*out++ = (uint8_t)v;
	return out;
}

static uint8_t *encode_auth(const struct bfd_auth *auth, uint8_t *out)
{
	*out++ = auth->type;
	*out++ = BFD_AUTH_SHA1_BYTES;
	*out++ = auth->key_id;
	*out++ = 0;
	out = put_be32(out, auth->sequence);
	memcpy(out, auth->digest, sizeof(auth->digest));
	return out + sizeof(auth->digest);
}

size_t bfd_encode(const struct bfd_packet *p, uint8_t out[BFD_PACKET_MAX])
{
	bool auth =
		p->auth.type == BFD_AUTH_SHA1 || p->auth.type == BFD_AUTH_METICULOUS_SHA1;
	uint8_t *o = out;

	*o++ = (uint8_t)(VERSION << 5 | (p->diag & 0x1f));
	*o++ = (uint8_t)(p->state << 6 | (p->poll ? FLAG_POLL : 0) |
			 (p->final ? FLAG_FINAL : 0) |
			 (p->independent ? FLAG_INDEPENDENT : 0) |
			 (auth ? FLAG_AUTH : 0) | (p->demand ? FLAG_DEMAND : 0));
	*o++ = p->mult;
	*o++ = auth ? BFD_PACKET_MAX : BFD_HEADER_BYTES;
	o = put_be32(o, p->my_discr);
	o = put_be32(o, p->your_discr);
	o = put_be32(o, p->min_tx_us);
	o = put_be32(o, p->min_rx_us);
	o = put_be32(o, p->min_echo_us);
	if (auth)
		o = encode_auth(&p->auth, o);
	return (size_t)(o - out);
}
