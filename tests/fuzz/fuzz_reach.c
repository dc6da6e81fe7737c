/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Completeness probe: what is taken is encoded as the same again, and a responder
 * answers a question once. The input is a message without its MAC.
 */
#include <string.h>

#include "agents/steer/reach.h"
#include "lib/digest.h"
#include "tests/fuzz/fuzz_assert.h"

#define SIGNED_BYTES (REACH_BYTES - DIGEST_SIZE)

static const struct reach_key key = { "0123456789abcdef", 16 };

static void encodes_the_same(enum reach_kind kind, const uint8_t data[REACH_BYTES])
{
	struct reach_message m;
	uint8_t out[REACH_BYTES];

	if (reach_decode(kind, data, REACH_BYTES, &key, &m) != REACH_OK)
		return;
	reach_encode(&m, &key, out);
	HOLDS(memcmp(out, data, sizeof(out)) == 0);
}

static void is_answered_once(const uint8_t data[REACH_BYTES])
{
	static struct reach_guard guard;
	const struct ip_addr from = { 1, IP_V4 };
	struct reach_message m;
	uint8_t answer[REACH_BYTES];

	if (reach_decode(REACH_QUESTION, data, REACH_BYTES, &key, &m) != REACH_OK)
		return;
	if (m.time_ms < REACH_WINDOW_MS || m.time_ms > INT64_MAX - REACH_WINDOW_MS)
		return; /* no clock says so */
	reach_guard_init(&guard, m.time_ms);
	HOLDS(reach_respond(&guard, &key, data, REACH_BYTES, &from, m.time_ms, &m, answer) == REACH_OK);
	HOLDS(reach_respond(&guard, &key, data, REACH_BYTES, &from, m.time_ms, &m, answer) ==
	      REACH_REPLAY);
	encodes_the_same(REACH_ANSWER, answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t message[REACH_BYTES] = { 0 };
	struct reach_message m;

	HOLDS(reach_decode(REACH_QUESTION, data, size, &key, &m) != REACH_OK || size == REACH_BYTES);
	memcpy(message, data, size < SIGNED_BYTES ? size : SIGNED_BYTES);
	digest_hmac_sha256(key.bytes, key.len, message, SIGNED_BYTES, message + SIGNED_BYTES);
	encodes_the_same(REACH_QUESTION, message);
	encodes_the_same(REACH_ANSWER, message);
	is_answered_once(message);
	return 0;
}
