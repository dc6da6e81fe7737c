/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/reach.h"

#include <string.h>

#include "agents/steer/key_file.h"
#include "lib/digest.h"
#include "lib/rd.h"
#include "lib/wr.h"

#define SIGNED_BYTES  (REACH_BYTES - DIGEST_SIZE)
#define ADDRESS_BYTES 16

static const uint8_t magic[4] = { 'S', 'A', 'V', 'R' };

/* ---- key ---- */

int reach_key_read(const char *file, struct reach_key *key, struct diag *diag)
{
	return key_file_read(file, REACH_KEY_MIN, REACH_KEY_MAX, key->bytes, &key->len, diag);
}

void reach_key_wipe(struct reach_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

/* ---- bytes ---- */

void reach_encode(const struct reach_message *m, const struct reach_key *key,
		  uint8_t out[REACH_BYTES])
{
	uint8_t addr[ADDRESS_BYTES] = { 0 };
	struct wr wr = { 0 };

	ip_to_bytes(m->addr.v, m->addr.family, addr);
	wr_bytes(&wr, magic, sizeof(magic));
	wr_u8(&wr, (uint8_t)m->kind);
	wr_u8(&wr, m->addr.family == IP_V4 ? 4 : 6);
	wr_be16(&wr, m->port);
	wr_be64(&wr, (uint64_t)m->time_ms);
	wr_bytes(&wr, m->token, sizeof(m->token));
	wr_bytes(&wr, addr, sizeof(addr));
	memcpy(out, wr.data, SIGNED_BYTES);
	wr_fini(&wr);
	digest_hmac_sha256(key->bytes, key->len, out, SIGNED_BYTES, out + SIGNED_BYTES);
}

/* Each message has one form only: what is not used is zero. */
static bool parse(enum reach_kind kind, struct rd *rd, struct reach_message *m)
{
	const uint8_t *start = rd_take(rd, sizeof(magic)), *token, *addr;
	uint8_t family;
	u128 rest;

	m->kind = (enum reach_kind)rd_u8(rd);
	family = rd_u8(rd);
	m->port = rd_be16(rd);
	m->time_ms = (int64_t)rd_be64(rd);
	token = rd_take(rd, sizeof(m->token));
	addr = rd_take(rd, ADDRESS_BYTES);
	if (!addr || memcmp(start, magic, sizeof(magic)) != 0 || m->kind != kind ||
	    (family != 4 && family != 6) || (m->port == 0) != (kind == REACH_ANSWER) ||
	    m->time_ms < 0)
		return false;
	memcpy(m->token, token, sizeof(m->token));
	m->addr.family = family == 4 ? IP_V4 : IP_V6;
	m->addr.v = ip_from_bytes(addr, m->addr.family);
	rest = ip_from_bytes(addr, IP_V6) << 32;
	return family == 6 || rest == 0;
}

enum reach_fault reach_decode(enum reach_kind kind, const uint8_t *data, size_t len,
			      const struct reach_key *key, struct reach_message *m)
{
	struct rd rd = rd_init(data, len);
	struct reach_message found;
	uint8_t mac[DIGEST_SIZE];

	if (len != REACH_BYTES || !parse(kind, &rd, &found))
		return REACH_MALFORMED;
	digest_hmac_sha256(key->bytes, key->len, data, SIGNED_BYTES, mac);
	if (!digest_equal(mac, data + SIGNED_BYTES, sizeof(mac)))
		return REACH_KEY;
	*m = found;
	return REACH_OK;
}

const char *reach_fault_name(enum reach_fault fault)
{
	static const char *const names[REACH_FAULTS] = { "answered", "malformed", "wrongKey",
							 "old", "replayed", "busy" };

	return names[fault];
}

/* ---- the responder ---- */

static bool bucket_take(struct reach_bucket *b, int64_t rate, int64_t size, int64_t now_ms)
{
	/* a clock that is set, either way, gives nothing and takes nothing */
	const int64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;

	b->at_ms = now_ms;
	b->milli = passed > 1000 * size ? 1000 * size : b->milli + passed * rate;
	if (b->milli > 1000 * size)
		b->milli = 1000 * size;
	if (b->milli < 1000)
		return false;
	b->milli -= 1000;
	return true;
}

void reach_guard_init(struct reach_guard *g, int64_t now_ms)
{
	memset(g, 0, sizeof(*g));
	g->since_ms = now_ms;
	g->checks = (struct reach_bucket){ 1000 * REACH_CHECKS, now_ms };
	g->answers = (struct reach_bucket){ 1000 * REACH_BURST, now_ms };
}

static bool was_seen(const struct reach_guard *g, const uint8_t *token)
{
	for (size_t i = 0; i < g->n_seen; i++) {
		if (memcmp(g->seen[i], token, REACH_TOKEN_BYTES) == 0)
			return true;
	}
	return false;
}

static void remember(struct reach_guard *g, const uint8_t *token)
{
	memcpy(g->seen[g->next], token, REACH_TOKEN_BYTES);
	g->next = (g->next + 1) % REACH_SEEN;
	if (g->n_seen < REACH_SEEN)
		g->n_seen++;
}

static enum reach_fault judge(struct reach_guard *g, const struct reach_key *key,
			      const uint8_t *data, size_t len, int64_t now_ms,
			      struct reach_message *question)
{
	enum reach_fault fault;

	if (len != REACH_BYTES)
		return REACH_MALFORMED;
	if (!bucket_take(&g->checks, REACH_CHECKS, REACH_CHECKS, now_ms))
		return REACH_BUSY;
	fault = reach_decode(REACH_QUESTION, data, len, key, question);
	if (fault != REACH_OK)
		return fault;
	/* what was seen before the start is not known any more */
	if (question->time_ms < g->since_ms || question->time_ms < now_ms - REACH_WINDOW_MS ||
	    question->time_ms > now_ms + REACH_WINDOW_MS)
		return REACH_OLD;
	if (was_seen(g, question->token))
		return REACH_REPLAY;
	if (!bucket_take(&g->answers, REACH_RATE, REACH_BURST, now_ms))
		return REACH_BUSY;
	remember(g, question->token);
	return REACH_OK;
}

enum reach_fault reach_respond(struct reach_guard *g, const struct reach_key *key,
			       const uint8_t *data, size_t len, const struct ip_addr *from,
			       int64_t now_ms, struct reach_message *question,
			       uint8_t answer[REACH_BYTES])
{
	const enum reach_fault fault = judge(g, key, data, len, now_ms, question);
	struct reach_message m = { .kind = REACH_ANSWER, .addr = *from };

	g->counts[fault]++;
	if (fault != REACH_OK)
		return fault;
	m.time_ms = question->time_ms;
	memcpy(m.token, question->token, sizeof(m.token));
	reach_encode(&m, key, answer);
	return REACH_OK;
}
