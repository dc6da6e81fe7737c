/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_packet.h"

#include <assert.h>
#include <string.h>

#include "lib/digest.h"

#define AUTH_AT	   4
#define ATTRS_AT   20
#define SECRET_MAX 256

/* ---- decoding ---- */

static int check_attributes(struct rd rd, struct diag *diag)
{
	size_t total = rd_left(&rd);

	while (rd_left(&rd) > 0) {
		size_t at = ATTRS_AT + total - rd_left(&rd);
		uint8_t type = rd_u8(&rd), len = rd_u8(&rd);

		if (rd.failed)
			return diag_set(diag, "an attribute at byte %zu has no length", at);
		if (len < 2)
			return diag_set(diag, "attribute %u at byte %zu has length %u", type, at,
					len);
		rd_skip(&rd, len - 2u);
		if (rd.failed)
			return diag_set(diag,
					"attribute %u at byte %zu has length %u, beyond the "
					"packet's end",
					type, at, len);
	}
	return 0;
}

int radius_decode(const void *data, size_t len, struct radius_packet *p, struct diag *diag)
{
	struct rd rd = rd_init(data, len), attrs;
	struct radius_packet got = { .bytes = data };
	uint16_t claimed;

	got.code = rd_u8(&rd);
	got.id = rd_u8(&rd);
	claimed = rd_be16(&rd);
	rd_bytes(&rd, got.authenticator, sizeof(got.authenticator));
	if (rd.failed)
		return diag_set(diag, "%zu bytes are no RADIUS packet", len);
	if (claimed < RADIUS_PACKET_MIN || claimed > RADIUS_PACKET_MAX)
		return diag_set(diag, "a length of %u is not between %u and %u", claimed,
				RADIUS_PACKET_MIN, RADIUS_PACKET_MAX);
	attrs = rd_sub(&rd, claimed - (size_t)RADIUS_PACKET_MIN);
	if (attrs.failed)
		return diag_set(diag, "it says to have %u bytes and has %zu", claimed, len);
	if (check_attributes(attrs, diag) < 0)
		return -1;
	got.len = claimed;
	got.attrs = (struct radius_attrs){ attrs.p, rd_left(&attrs) };
	*p = got;
	return 0;
}

/* ---- attributes ---- */

void radius_iter_init(struct radius_iter *it, struct radius_attrs attrs)
{
	*it = (struct radius_iter){ .top = rd_init(attrs.data, attrs.len) };
	it->inner = rd_init(attrs.data, 0);
}

/* Type, length, value; false at the end, or where it is not well-formed. */
static bool take(struct rd *rd, struct radius_attr *attr)
{
	struct rd value;
	uint8_t len;

	if (rd_left(rd) == 0)
		return false;
	attr->type = rd_u8(rd);
	len = rd_u8(rd);
	if (len < 2)
		rd->failed = true; /* what follows cannot be found */
	if (rd->failed)
		return false;
	value = rd_sub(rd, len - 2u);
	if (value.failed)
		return false;
	attr->data = value.p;
	attr->len = rd_left(&value);
	return true;
}

static bool is_made_of_attributes(struct rd rd)
{
	struct radius_attr attr;

	if (rd_left(&rd) == 0)
		return false;
	while (take(&rd, &attr))
		;
	return rd_done(&rd);
}

/* false: what it holds comes one by one from it->inner. */
static bool take_vendor(struct radius_iter *it, struct radius_attr *attr)
{
	struct rd rd = rd_init(attr->data, attr->len);
	uint32_t vendor = rd_be32(&rd);

	if (rd.failed || vendor == 0)
		return true; /* as it is: type 26 */
	it->vendor = vendor;
	if (is_made_of_attributes(rd)) {
		it->inner = rd;
		return false;
	}
	*attr = (struct radius_attr){ vendor, 0, rd.p, rd_left(&rd) };
	return true;
}

bool radius_next(struct radius_iter *it, struct radius_attr *attr)
{
	for (;;) {
		if (take(&it->inner, attr)) {
			attr->vendor = it->vendor;
			return true;
		}
		if (!take(&it->top, attr))
			return false;
		attr->vendor = 0;
		if (attr->type != RADIUS_VENDOR_SPECIFIC || take_vendor(it, attr))
			return true;
	}
}

bool radius_find(struct radius_attrs attrs, uint32_t vendor, uint8_t type,
		 struct radius_attr *attr)
{
	struct radius_iter it;

	radius_iter_init(&it, attrs);
	while (radius_next(&it, attr)) {
		if (attr->vendor == vendor && attr->type == type)
			return true;
	}
	return false;
}

bool radius_find_u32(struct radius_attrs attrs, uint8_t type, uint32_t *value)
{
	struct radius_attr attr;
	struct rd rd;

	if (!radius_find(attrs, 0, type, &attr) || attr.len != 4)
		return false;
	rd = rd_init(attr.data, attr.len);
	*value = rd_be32(&rd);
	return true;
}

bool radius_find_addr(struct radius_attrs attrs, uint8_t type, struct ip_addr *addr)
{
	struct radius_attr attr;

	if (!radius_find(attrs, 0, type, &attr) || (attr.len != 4 && attr.len != 16))
		return false;
	addr->family = attr.len == 4 ? IP_V4 : IP_V6;
	addr->v = ip_from_bytes(attr.data, addr->family);
	return true;
}

size_t radius_count(struct radius_attrs attrs, uint8_t type)
{
	struct radius_attr attr;
	struct radius_iter it;
	size_t n = 0;

	radius_iter_init(&it, attrs);
	while (radius_next(&it, &attr))
		n += attr.vendor == 0 && attr.type == type;
	return n;
}

void radius_text(const struct radius_attr *attr, char *dst, size_t size)
{
	size_t len = attr->len < size ? attr->len : size - 1;

	for (size_t i = 0; i < len; i++)
		dst[i] = attr->data[i] > ' ' && attr->data[i] <= '~' ? (char)attr->data[i] : '?';
	dst[len] = '\0';
}

/* ---- authenticators ---- */

/* A packet with something else in place of its authenticator, and the secret
 * behind it. */
struct scratch {
	uint8_t bytes[RADIUS_PACKET_MAX + SECRET_MAX];
	size_t len;
};

static void scratch_set(struct scratch *s, const uint8_t *bytes, size_t len,
			const uint8_t *authenticator)
{
	memcpy(s->bytes, bytes, len);
	s->len = len;
	if (authenticator)
		memcpy(s->bytes + AUTH_AT, authenticator, RADIUS_AUTH_SIZE);
	else
		memset(s->bytes + AUTH_AT, 0, RADIUS_AUTH_SIZE);
}

static void scratch_md5(struct scratch *s, const char *secret, uint8_t out[DIGEST_MD5_SIZE])
{
	size_t len = strnlen(secret, SECRET_MAX);

	memcpy(s->bytes + s->len, secret, len);
	digest_md5(s->bytes, s->len + len, out);
	explicit_bzero(s->bytes + s->len, len);
}

static bool is_from(const struct radius_packet *p, const uint8_t *authenticator,
		    const char *secret)
{
	uint8_t want[DIGEST_MD5_SIZE];
	struct scratch s;

	scratch_set(&s, p->bytes, p->len, authenticator);
	scratch_md5(&s, secret, want);
	return digest_equal(want, p->authenticator, sizeof(want));
}

bool radius_request_is_from(const struct radius_packet *p, const char *secret)
{
	return is_from(p, NULL, secret);
}

bool radius_response_is_from(const struct radius_packet *p,
			     const uint8_t request[RADIUS_AUTH_SIZE], const char *secret)
{
	return is_from(p, request, secret);
}

enum radius_signed radius_signature(const struct radius_packet *p,
				    const uint8_t *authenticator, const char *secret)
{
	uint8_t want[DIGEST_MD5_SIZE], have[DIGEST_MD5_SIZE];
	size_t n = radius_count(p->attrs, RADIUS_MESSAGE_AUTHENTICATOR);
	struct radius_attr attr;
	struct scratch s;

	if (n == 0)
		return RADIUS_UNSIGNED;
	if (n > 1 || !radius_find(p->attrs, 0, RADIUS_MESSAGE_AUTHENTICATOR, &attr) ||
	    attr.len != sizeof(have))
		return RADIUS_SIGNED_WRONG;
	memcpy(have, attr.data, sizeof(have));
	scratch_set(&s, p->bytes, p->len, authenticator);
	memset(s.bytes + (attr.data - p->bytes), 0, sizeof(have));
	digest_hmac_md5(secret, strlen(secret), s.bytes, s.len, want);
	return digest_equal(want, have, sizeof(want)) ? RADIUS_SIGNED : RADIUS_SIGNED_WRONG;
}

/* ---- making one ---- */

void radius_begin(struct wr *wr, enum radius_code code, uint8_t id)
{
	static const uint8_t zeros[RADIUS_AUTH_SIZE];

	wr_u8(wr, (uint8_t)code);
	wr_u8(wr, id);
	wr_be16(wr, 0);
	wr_bytes(wr, zeros, sizeof(zeros));
}

void radius_put(struct wr *wr, uint8_t type, const void *data, size_t len)
{
	assert(len <= RADIUS_VALUE_MAX);
	wr_u8(wr, type);
	wr_u8(wr, (uint8_t)(len + 2));
	wr_bytes(wr, data, len);
}

void radius_put_u32(struct wr *wr, uint8_t type, uint32_t value)
{
	wr_u8(wr, type);
	wr_u8(wr, 6);
	wr_be32(wr, value);
}

void radius_put_text(struct wr *wr, uint8_t type, const char *text)
{
	radius_put(wr, type, text, strnlen(text, RADIUS_VALUE_MAX));
}

void radius_put_vendor(struct wr *wr, uint32_t vendor, uint8_t type, const void *data,
		       size_t len)
{
	assert(len <= RADIUS_VALUE_MAX - 6);
	wr_u8(wr, RADIUS_VENDOR_SPECIFIC);
	wr_u8(wr, (uint8_t)(len + 8));
	wr_be32(wr, vendor);
	radius_put(wr, type, data, len);
}

#define PASSWORD_MAX 128

void radius_put_password(struct wr *wr, const char *password,
			 const uint8_t authenticator[RADIUS_AUTH_SIZE], const char *secret)
{
	uint8_t hidden[PASSWORD_MAX] = { 0 }, block[SECRET_MAX + 16], mask[16];
	size_t len = strnlen(password, PASSWORD_MAX), secret_len = strnlen(secret, SECRET_MAX);
	const uint8_t *before = authenticator;
	size_t padded = len == 0 ? 16 : (len + 15) / 16 * 16;

	memcpy(hidden, password, len);
	for (size_t at = 0; at < padded; at += 16) {
		memcpy(block, secret, secret_len);
		memcpy(block + secret_len, before, 16);
		digest_md5(block, secret_len + 16, mask);
		for (size_t i = 0; i < 16; i++)
			hidden[at + i] ^= mask[i];
		before = hidden + at;
	}
	radius_put(wr, RADIUS_USER_PASSWORD, hidden, padded);
	explicit_bzero(block, sizeof(block));
	explicit_bzero(mask, sizeof(mask));
}

/* Signs over this authenticator (NULL: zeros), at the end. */
static void sign(struct wr *wr, const uint8_t *authenticator, const char *secret)
{
	static const uint8_t zeros[DIGEST_MD5_SIZE];
	struct scratch s;
	size_t at;

	radius_put(wr, RADIUS_MESSAGE_AUTHENTICATOR, zeros, sizeof(zeros));
	wr_patch16(wr, 2, (uint16_t)wr->len);
	at = wr->len - sizeof(zeros);
	scratch_set(&s, wr->data, wr->len, authenticator);
	digest_hmac_md5(secret, strlen(secret), s.bytes, s.len, wr->data + at);
}

static void set_authenticator(struct wr *wr, const uint8_t *over, const char *secret)
{
	struct scratch s;

	wr_patch16(wr, 2, (uint16_t)wr->len);
	scratch_set(&s, wr->data, wr->len, over);
	scratch_md5(&s, secret, wr->data + AUTH_AT);
}

void radius_end_access(struct wr *wr, const uint8_t authenticator[RADIUS_AUTH_SIZE],
		       const char *secret)
{
	memcpy(wr->data + AUTH_AT, authenticator, RADIUS_AUTH_SIZE);
	sign(wr, authenticator, secret);
}

void radius_end_request(struct wr *wr, bool with_signature, const char *secret)
{
	if (with_signature)
		sign(wr, NULL, secret);
	set_authenticator(wr, NULL, secret);
}

void radius_end_response(struct wr *wr, const struct radius_packet *request,
			 bool with_signature, const char *secret)
{
	if (with_signature)
		sign(wr, request->authenticator, secret);
	set_authenticator(wr, request->authenticator, secret);
}
