/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Protected messages: what is inside a sealed SK or SKF payload is any bytes,
 * its padding too, with a right ICV or a damaged one; fragments of several
 * messages in any order are put together. What opens lies inside the message.
 *
 * The input is a list of messages: kind, first payload, fragment's number and
 * total, message ID, which byte is damaged, length, bytes.
 */
#include <string.h>

#include "ipsec/ike/fragment.h"
#include "ipsec/ike/payload.h"
#include "tests/fuzz/fuzz_assert.h"

#define PLAIN_MAX 1024
#define MESSAGES_MAX 64

static const struct crypto_suite suites[] = {
	{ ENCR_AES_GCM_16, 128, AUTH_NONE },
	{ ENCR_CHACHA20_POLY1305, 0, AUTH_NONE },
	{ ENCR_AES_CBC, 128, AUTH_HMAC_SHA2_256_128 },
};
#define N_SUITES (sizeof(suites) / sizeof(suites[0]))

static struct crypto_cipher *seal[N_SUITES], *opener[N_SUITES];

static void make_ciphers(void)
{
	static const uint8_t key[CRYPTO_KEY_MAX] = { 1, 2, 3 };

	for (size_t i = 0; i < N_SUITES; i++) {
		struct crypto_shape shape;

		HOLDS(crypto_suite_shape(&suites[i], &shape) == 0);
		seal[i] = crypto_cipher_new(&suites[i], true, key, shape.encr_key, key, shape.integ_key);
		opener[i] = crypto_cipher_new(&suites[i], false, key, shape.encr_key, key, shape.integ_key);
		HOLDS(seal[i] && opener[i]);
	}
}

/* Header, one payload that is all there is, and inside it exactly these bytes. */
static size_t build(struct rd *rd, size_t suite, bool fragment, uint32_t id, uint8_t out[PLAIN_MAX + 256])
{
	const struct crypto_shape *shape = crypto_cipher_shape(seal[suite]);
	static uint64_t counter;
	uint8_t first = rd_u8(rd);
	uint16_t number = rd_be16(rd), total = rd_be16(rd);
	size_t len = rd_be16(rd) % PLAIN_MAX, at = IKE_HEADER_SIZE + 4;
	struct rd part;
	struct wr w = { 0 };

	len -= len % shape->block;
	part = rd_sub(rd, len < rd_left(rd) ? len : rd_left(rd) - rd_left(rd) % shape->block);
	len = rd_left(&part);
	at += fragment ? 4 : 0;
	for (unsigned i = 0; i < 2 * IKE_SPI_SIZE; i++)
		wr_u8(&w, (uint8_t)(i + 1));
	wr_u8(&w, fragment ? IKE_PL_SKF : IKE_PL_SK);
	wr_u8(&w, IKE_VERSION);
	wr_u8(&w, IKE_INFORMATIONAL);
	wr_u8(&w, 0);
	wr_be32(&w, id);
	wr_be32(&w, (uint32_t)(at + shape->iv + len + shape->icv));
	wr_u8(&w, first);
	wr_u8(&w, 0);
	wr_be16(&w, (uint16_t)(at + shape->iv + len + shape->icv - IKE_HEADER_SIZE));
	if (fragment) {
		wr_be16(&w, number);
		wr_be16(&w, total);
	}
	HOLDS(w.len == at);
	memcpy(out, w.data, at);
	wr_fini(&w);
	if (len > 0)
		memcpy(out + at + shape->iv, part.p, len);
	HOLDS(crypto_seal(seal[suite], ++counter, out, at, NULL, out + at, out + at + shape->iv, len, out + at + shape->iv + len) == 0);
	return at + shape->iv + len + shape->icv;
}

static void is_inside(const struct rd *plain, const uint8_t *data, size_t len)
{
	HOLDS(plain->p >= data && plain->end <= data + len && plain->p <= plain->end);
}

static void read_chain(uint8_t first, struct rd plain)
{
	struct ike_payloads payloads;
	uint8_t bad;

	if (ike_payloads_decode(first, plain, &payloads, &bad) == IKE_DECODED)
		HOLDS(payloads.n <= IKE_PAYLOADS_MAX);
}

static void one(struct rd *rd, struct fragments *fragments)
{
	uint8_t data[PLAIN_MAX + 256], kind = rd_u8(rd), id = rd_u8(rd);
	uint16_t damage = rd_be16(rd);
	size_t suite = (kind >> 1) % N_SUITES, len = build(rd, suite, kind & 1, id % 4, data);
	bool damaged = kind & 0x40;
	struct ike_fragment f;
	struct rd plain;
	enum ike_decode what;
	uint8_t first;

	if (damaged)
		data[damage % len] ^= 1;
	if (!(kind & 1)) {
		what = ike_sk_open(opener[suite], data, len, &first, &plain);
		HOLDS(!damaged || what != IKE_DECODED);
		if (what == IKE_DECODED) {
			is_inside(&plain, data, len);
			read_chain(first, plain);
		}
		return;
	}
	what = ike_skf_open(opener[suite], data, len, &f);
	HOLDS(!damaged || what != IKE_DECODED);
	if (what != IKE_DECODED)
		return;
	is_inside(&f.plain, data, len);
	HOLDS(f.number > 0 && f.number <= f.total);
	if (fragments_add(fragments, id % 4, kind & 0x80, &f, &first, &plain))
		read_chain(first, plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_init(data, size);
	struct fragments *fragments = fragments_new(NULL);

	if (!seal[0])
		make_ciphers();
	for (unsigned i = 0; i < MESSAGES_MAX && rd_left(&rd) > 0; i++)
		one(&rd, fragments);
	fragments_free(fragments);
	return 0;
}
