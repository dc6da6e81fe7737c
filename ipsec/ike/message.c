/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/message.h"

#include <string.h>

#define GENERIC_SIZE 4
#define FRAGMENT_SIZE 4 /* number and total, RFC 7383 2.5 */
#define CRITICAL 0x80

const char *ike_decode_text(enum ike_decode what)
{
	switch (what) {
	case IKE_DECODED:
		return "ok";
	case IKE_TRUNCATED:
		return "lengths do not meet the datagram";
	case IKE_BAD_VERSION:
		return "another major version of IKE";
	case IKE_BAD_SYNTAX:
		return "malformed payload";
	case IKE_UNKNOWN_CRITICAL:
		return "unknown critical payload";
	case IKE_BAD_INTEGRITY:
		return "integrity check failed";
	}
	return "?";
}

/* ---- header: 3.1 */

enum ike_decode ike_header_decode(const uint8_t *data, size_t len, struct ike_header *header)
{
	struct rd rd = rd_init(data, len);
	struct ike_header h;

	rd_bytes(&rd, h.spi_i, sizeof(h.spi_i));
	rd_bytes(&rd, h.spi_r, sizeof(h.spi_r));
	h.next = rd_u8(&rd);
	h.version = rd_u8(&rd);
	h.exchange = rd_u8(&rd);
	h.flags = rd_u8(&rd);
	h.id = rd_be32(&rd);
	h.len = rd_be32(&rd);
	if (rd.failed || h.len != len || len > IKE_MESSAGE_MAX)
		return IKE_TRUNCATED;
	*header = h;
	/* the minor version is ignored (2.5) */
	return (h.version & 0xf0) == (IKE_VERSION & 0xf0) ? IKE_DECODED : IKE_BAD_VERSION;
}

static void header_encode(const struct ike_header *h, uint8_t next, uint32_t len, struct wr *wr)
{
	wr_bytes(wr, h->spi_i, sizeof(h->spi_i));
	wr_bytes(wr, h->spi_r, sizeof(h->spi_r));
	wr_u8(wr, next);
	wr_u8(wr, IKE_VERSION);
	wr_u8(wr, h->exchange);
	wr_u8(wr, h->flags);
	wr_be32(wr, h->id);
	wr_be32(wr, len);
}

/* ---- the chain: 3.2 */

static bool is_known(uint8_t type)
{
	return (type >= IKE_PL_SA && type <= IKE_PL_EAP) || type == IKE_PL_SKF;
}

static bool is_single(uint8_t type)
{
	switch (type) {
	case IKE_PL_SA:
	case IKE_PL_KE:
	case IKE_PL_IDI:
	case IKE_PL_IDR:
	case IKE_PL_AUTH:
	case IKE_PL_NONCE:
	case IKE_PL_TSI:
	case IKE_PL_TSR:
	case IKE_PL_SK:
	case IKE_PL_SKF:
	case IKE_PL_CP:
	case IKE_PL_EAP:
		return true;
	}
	return false;
}

static enum ike_decode bad_payload(uint8_t type, enum ike_decode what, uint8_t *bad)
{
	*bad = type;
	return what;
}

enum ike_decode ike_payloads_decode(uint8_t first, struct rd rd, struct ike_payloads *out, uint8_t *bad)
{
	uint8_t type = first;

	out->n = 0;
	*bad = 0;
	while (type != IKE_PL_NONE) {
		uint8_t next = rd_u8(&rd), flags = rd_u8(&rd);
		uint16_t len = rd_be16(&rd);
		struct rd body = rd_sub(&rd, len < GENERIC_SIZE ? SIZE_MAX : len - (size_t)GENERIC_SIZE);

		if (body.failed)
			return bad_payload(type, IKE_BAD_SYNTAX, bad);
		if (!is_known(type) && (flags & CRITICAL))
			return bad_payload(type, IKE_UNKNOWN_CRITICAL, bad);
		if (is_single(type) && ike_payload_find(out, type))
			return bad_payload(type, IKE_BAD_SYNTAX, bad);
		if (is_known(type)) {
			if (out->n == IKE_PAYLOADS_MAX)
				return bad_payload(type, IKE_BAD_SYNTAX, bad);
			out->list[out->n++] =
				(struct ike_payload){ .type = type, .critical = flags & CRITICAL, .body = body };
		}
		/* its "next payload" is the first one inside (3.14) */
		if (type == IKE_PL_SK || type == IKE_PL_SKF)
			break;
		type = next;
	}
	return rd_done(&rd) ? IKE_DECODED : bad_payload(type, IKE_BAD_SYNTAX, bad);
}

const struct ike_payload *ike_payload_find(const struct ike_payloads *payloads, uint8_t type)
{
	for (unsigned i = 0; i < payloads->n; i++)
		if (payloads->list[i].type == type)
			return &payloads->list[i];
	return NULL;
}

/* ---- opening: 3.14, RFC 7383 2.5 */

/* The whole encrypted payload, opened: associated data is all before the IV. */
static enum ike_decode open_at(struct crypto_cipher *cipher, uint8_t *data, size_t len, uint8_t *iv,
			       struct rd *plain)
{
	const struct crypto_shape *shape = crypto_cipher_shape(cipher);
	size_t room = (size_t)(data + len - iv), body;
	uint8_t *text;
	unsigned pad;

	/* at least the pad length byte */
	if (room < (size_t)shape->iv + shape->icv + 1)
		return IKE_BAD_SYNTAX;
	body = room - shape->iv - shape->icv;
	text = iv + shape->iv;
	if (body % shape->block != 0)
		return IKE_BAD_SYNTAX;
	if (crypto_open(cipher, data, (size_t)(iv - data), NULL, iv, text, body, text + body) != 0)
		return IKE_BAD_INTEGRITY;
	pad = text[body - 1];
	if (pad + 1u > body)
		return IKE_BAD_SYNTAX;
	*plain = rd_init(text, body - 1 - pad);
	return IKE_DECODED;
}

/* Walks to the payload of this type that ends the message. NULL: not there. */
static uint8_t *last_payload(uint8_t *data, size_t len, uint8_t want, uint8_t *next)
{
	struct ike_header header;
	size_t at = IKE_HEADER_SIZE;
	uint8_t type;

	if (ike_header_decode(data, len, &header) != IKE_DECODED)
		return NULL;
	type = header.next;
	for (;;) {
		struct rd rd = rd_init(data + at, len - at);
		uint16_t size;

		*next = rd_u8(&rd);
		rd_skip(&rd, 1);
		size = rd_be16(&rd);
		if (rd.failed || size < GENERIC_SIZE || size > len - at)
			return NULL;
		if (type == want)
			return at + size == len ? data + at : NULL;
		if (type == IKE_PL_NONE || type == IKE_PL_SK || type == IKE_PL_SKF)
			return NULL;
		type = *next;
		at += size;
	}
}

enum ike_decode ike_sk_open(struct crypto_cipher *cipher, uint8_t *data, size_t len, uint8_t *first,
			    struct rd *plain)
{
	uint8_t *payload = last_payload(data, len, IKE_PL_SK, first);

	return payload ? open_at(cipher, data, len, payload + GENERIC_SIZE, plain) : IKE_BAD_SYNTAX;
}

enum ike_decode ike_skf_open(struct crypto_cipher *cipher, uint8_t *data, size_t len, struct ike_fragment *out)
{
	uint8_t first;
	uint8_t *payload = last_payload(data, len, IKE_PL_SKF, &first);
	struct ike_fragment f = { .first = first };
	enum ike_decode ret;
	struct rd rd;

	if (!payload)
		return IKE_BAD_SYNTAX;
	rd = rd_init(payload + GENERIC_SIZE, (size_t)(data + len - payload) - GENERIC_SIZE);
	f.number = rd_be16(&rd);
	f.total = rd_be16(&rd);
	if (rd.failed || f.number == 0 || f.number > f.total)
		return IKE_BAD_SYNTAX;
	ret = open_at(cipher, data, len, payload + GENERIC_SIZE + FRAGMENT_SIZE, &f.plain);
	if (ret == IKE_DECODED)
		*out = f;
	return ret;
}

/* ---- writing */

void ike_writer_init(struct ike_writer *w)
{
	*w = (struct ike_writer){ .next_at = SIZE_MAX };
}

void ike_writer_init_header(struct ike_writer *w, const struct ike_header *header)
{
	*w = (struct ike_writer){ .next_at = 2 * IKE_SPI_SIZE };
	header_encode(header, IKE_PL_NONE, 0, &w->wr);
}

void ike_writer_reuse(struct ike_writer *w, const struct ike_header *header)
{
	struct wr wr = w->wr;

	wr.len = 0;
	*w = (struct ike_writer){ .wr = wr, .next_at = 2 * IKE_SPI_SIZE };
	header_encode(header, IKE_PL_NONE, 0, &w->wr);
}

void ike_writer_fini(struct ike_writer *w)
{
	if (w->wr.data)
		crypto_wipe(w->wr.data, w->wr.len);
	wr_fini(&w->wr);
}

size_t ike_payload_begin(struct ike_writer *w, uint8_t type)
{
	size_t begun = w->wr.len;

	if (w->next_at != SIZE_MAX)
		w->wr.data[w->next_at] = type;
	if (w->first == 0)
		w->first = type;
	w->next_at = begun;
	wr_u8(&w->wr, IKE_PL_NONE);
	wr_u8(&w->wr, 0); /* never critical: all that we send are defined in RFC 7296 (3.2) */
	wr_be16(&w->wr, 0);
	return begun;
}

void ike_payload_end(struct ike_writer *w, size_t begun)
{
	wr_patch16(&w->wr, begun + 2, (uint16_t)(w->wr.len - begun));
}

void ike_writer_finish(struct ike_writer *w)
{
	wr_patch32(&w->wr, IKE_HEADER_SIZE - 4, (uint32_t)w->wr.len);
}

/* Bytes of padding and its length that bring a text to whole blocks. */
static size_t padding(const struct crypto_shape *shape, size_t text)
{
	return shape->block - text % shape->block;
}

static size_t sealed_size(const struct crypto_shape *shape, size_t text)
{
	return shape->iv + text + padding(shape, text) + shape->icv;
}

size_t ike_sk_size(const struct crypto_cipher *cipher, size_t chain_len)
{
	return IKE_HEADER_SIZE + GENERIC_SIZE + sealed_size(crypto_cipher_shape(cipher), chain_len);
}

size_t ike_skf_room(const struct crypto_cipher *cipher, size_t max)
{
	const struct crypto_shape *shape = crypto_cipher_shape(cipher);
	size_t fixed = IKE_HEADER_SIZE + GENERIC_SIZE + FRAGMENT_SIZE + shape->iv + shape->icv;

	if (max < fixed + shape->block)
		return 0;
	/* whole blocks, the last byte of which is the pad length */
	return (max - fixed) / shape->block * shape->block - 1;
}

static void put(struct wr *wr, const void *data, size_t len)
{
	if (len > 0)
		wr_bytes(wr, data, len);
}

/* Header, the payload's beginning, and the sealed text behind them. */
static int seal(struct crypto_cipher *cipher, uint64_t counter, const struct ike_header *header, uint8_t type,
		uint8_t next, const uint8_t *fragment, const uint8_t *text, size_t len, struct wr *out)
{
	static const uint8_t zeros[64];
	const struct crypto_shape *shape = crypto_cipher_shape(cipher);
	size_t start = out->len, extra = fragment ? FRAGMENT_SIZE : 0, pad = padding(shape, len);
	size_t payload = GENERIC_SIZE + extra + sealed_size(shape, len), iv;

	if (payload > UINT16_MAX)
		return -1;
	header_encode(header, type, (uint32_t)(IKE_HEADER_SIZE + payload), out);
	wr_u8(out, next);
	wr_u8(out, 0);
	wr_be16(out, (uint16_t)payload);
	put(out, fragment, extra);
	iv = out->len;
	put(out, zeros, shape->iv);
	put(out, text, len);
	put(out, zeros, pad - 1);
	wr_u8(out, (uint8_t)(pad - 1));
	put(out, zeros, shape->icv);
	return crypto_seal(cipher, counter, out->data + start, iv - start, NULL, out->data + iv,
			   out->data + iv + shape->iv, len + pad, out->data + iv + shape->iv + len + pad);
}

int ike_sk_seal(struct crypto_cipher *cipher, uint64_t counter, const struct ike_header *header,
		const struct ike_writer *chain, struct wr *out)
{
	return seal(cipher, counter, header, IKE_PL_SK, chain->first, NULL, chain->wr.data, chain->wr.len, out);
}

int ike_skf_seal(struct crypto_cipher *cipher, uint64_t counter, const struct ike_header *header,
		 const struct ike_writer *chain, uint16_t number, uint16_t total, size_t from, size_t len,
		 struct wr *out)
{
	uint8_t fragment[FRAGMENT_SIZE] = { (uint8_t)(number >> 8), (uint8_t)number, (uint8_t)(total >> 8),
					    (uint8_t)total };

	/* only the first names what follows (RFC 7383 2.5) */
	return seal(cipher, counter, header, IKE_PL_SKF, number == 1 ? chain->first : IKE_PL_NONE, fragment,
		    chain->wr.data + from, len, out);
}
