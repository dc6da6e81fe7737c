/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/south/signer_wire.h"

#include <string.h>

#include "lib/name.h"
#include "lib/rd.h"

#define WIRE_VERSION 1

void signer_request_encode(const struct signer_request *request, struct wr *out)
{
	size_t name_len = strlen(request->identity.name);

	wr_u8(out, WIRE_VERSION);
	wr_be32(out, request->id);
	wr_u8(out, (uint8_t)request->identity.kind);
	wr_be32(out, request->validity_s);
	wr_u8(out, (uint8_t)name_len);
	wr_bytes(out, request->identity.name, name_len);
	wr_be16(out, (uint16_t)request->spki_len);
	wr_bytes(out, request->spki, request->spki_len);
}

bool signer_request_decode(const void *data, size_t len, struct signer_request *request)
{
	struct rd rd = rd_init(data, len), spki;
	struct signer_request out = { 0 };
	uint8_t version = rd_u8(&rd), kind, name_len;

	out.id = rd_be32(&rd);
	kind = rd_u8(&rd);
	out.validity_s = rd_be32(&rd);
	name_len = rd_u8(&rd);
	if (name_len >= sizeof(out.identity.name))
		return false;
	rd_bytes(&rd, out.identity.name, name_len);
	spki = rd_sub(&rd, rd_be16(&rd));
	out.spki = spki.p;
	out.spki_len = rd_left(&spki);
	out.identity.kind = (enum pki_kind)kind;
	if (!rd_done(&rd) || version != WIRE_VERSION || out.id == 0 ||
	    kind > PKI_CONTROLLER || strlen(out.identity.name) != name_len ||
	    !name_is_valid(out.identity.name) || out.spki_len == 0)
		return false;
	*request = out;
	return true;
}

void signer_reply_encode(const struct signer_reply *reply, struct wr *out)
{
	wr_u8(out, WIRE_VERSION);
	wr_be32(out, reply->id);
	wr_u8(out, reply->ok);
	wr_be16(out, (uint16_t)reply->len);
	wr_bytes(out, reply->data, reply->len);
}

bool signer_reply_decode(const void *data, size_t len, struct signer_reply *reply)
{
	struct rd rd = rd_init(data, len), body;
	struct signer_reply out = { 0 };
	uint8_t version = rd_u8(&rd), ok;

	out.id = rd_be32(&rd);
	ok = rd_u8(&rd);
	body = rd_sub(&rd, rd_be16(&rd));
	if (!rd_done(&rd) || version != WIRE_VERSION || ok > 1)
		return false;
	out.ok = ok == 1;
	out.data = body.p;
	out.len = rd_left(&body);
	*reply = out;
	return true;
}
