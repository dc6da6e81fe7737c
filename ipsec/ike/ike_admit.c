/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Strangers: what is kept and said before anybody has proved anything.
 *
 * A source that shows a cookie is where it says, and many behind one NAT are
 * many, so none is locked out. When more begin than end, the one that has been
 * half open for the longest goes: an honest peer needs a few round trips only.
 *
 * Source: RFC 7296 2.5, 2.6; RFC 8019.
 */
#include <string.h>

#include "ipsec/ike/ike_engine_impl.h"

#define COOKIE_TOTAL 64	    /* half-open SAs that make everybody show a cookie */
#define COOKIE_SOURCE 8	    /* and those of one source, a NAT's many clients too */
#define ANSWERS_PER_S 20    /* to what is no IKEv2, unasked (RFC 7296 2.5) */
#define EVENTS_PER_S 50	    /* that strangers cause */
#define LINGER_MAX 1024	    /* some 2 KB each */

/* An IPv6 host has a /64 for itself. */
static size_t source_of(const struct ike_engine *e, const struct ike_endpoint *from)
{
	uint64_t v = from->addr.family == IP_V6 ? (uint64_t)(from->addr.v >> 64) : (uint64_t)from->addr.v;

	return tables_mix(&e->tables, v) >> 32 & (SOURCES - 1);
}

/* ---- half-open SAs, in the order in which they came */

void engine_half_open_done(struct ike_engine *e, struct ike_sa *sa)
{
	if (!sa->half_open_counted)
		return;
	sa->half_open_counted = false;
	if (sa->prev_half)
		sa->prev_half->next_half = sa->next_half;
	else
		e->first_half = sa->next_half;
	if (sa->next_half)
		sa->next_half->prev_half = sa->prev_half;
	else
		e->last_half = sa->prev_half;
	e->source[sa->half_open_source]--;
	e->counters.half_open--;
}

void engine_half_open_begin(struct ike_engine *e, struct ike_sa *sa, uint64_t now_ms)
{
	if (e->counters.half_open >= HALF_OPEN_MAX) {
		e->counters.half_open_refused++;
		sa_kill(e->first_half, IKE_EVENT_FAILED, "too many begin and do not go on: the oldest goes", now_ms);
	}
	sa->half_open_counted = true;
	sa->half_open_source = source_of(e, &sa->path.remote);
	sa->prev_half = e->last_half;
	sa->next_half = NULL;
	if (e->last_half)
		e->last_half->next_half = sa;
	else
		e->first_half = sa;
	e->last_half = sa;
	e->source[sa->half_open_source]++;
	e->counters.half_open++;
}

size_t *engine_fragment_bytes(struct ike_sa *sa)
{
	return !sa->initiator && sa->state < SA_UP ? &sa->engine->strangers_bytes : NULL;
}

bool engine_may_linger(struct ike_sa *sa)
{
	if (sa->up_ms)
		return true;
	if (sa->engine->n_lingering == LINGER_MAX)
		return false;
	sa->engine->n_lingering++;
	sa->lingers = true;
	return true;
}

/* ---- what is said without an SA */

static bool in_second(struct ike_rate *rate, uint64_t now_ms, unsigned most)
{
	if (rate->second != now_ms / 1000) {
		rate->second = now_ms / 1000;
		rate->n = 0;
	}
	if (rate->n == most)
		return false;
	rate->n++;
	return true;
}

bool engine_may_answer(struct ike_engine *e, uint64_t now_ms)
{
	if (in_second(&e->answers, now_ms, ANSWERS_PER_S))
		return true;
	e->counters.replies_limited++;
	return false;
}

/* Each goes to main, which could not keep up with all that a flood can cause. */
bool engine_may_tell(struct ike_engine *e, enum ike_event event, const struct ike_sa *sa)
{
	if (event != IKE_EVENT_REFUSED && (event != IKE_EVENT_FAILED || sa->initiator))
		return true;
	return in_second(&e->tells, e->now_ms, EVENTS_PER_S);
}

void engine_answer_plain(struct ike_engine *e, const struct ike_path *path, const struct ike_header *to, uint16_t notify,
			 const void *data, size_t len)
{
	struct ike_header header = { .exchange = to->exchange, .flags = IKE_FLAG_RESPONSE, .id = to->id };

	memcpy(header.spi_i, to->spi_i, IKE_SPI_SIZE);
	memcpy(header.spi_r, to->spi_r, IKE_SPI_SIZE);
	ike_writer_reuse(&e->plain, &header);
	ike_notify_encode(&e->plain, notify, data, len);
	ike_writer_finish(&e->plain);
	e->ops.send(e->ctx, path, e->plain.wr.data, e->plain.wr.len);
}

bool engine_pass_cookie(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
			const struct ike_payloads *payloads, uint64_t now_ms)
{
	const struct ike_payload *n = ike_payload_find(payloads, IKE_PL_NONCE);
	uint8_t cookie[COOKIE_SIZE];
	struct ike_notify notify;
	struct ike_bytes nonce;

	if (e->counters.half_open < COOKIE_TOTAL && e->source[source_of(e, &path->remote)] < COOKIE_SOURCE)
		return true;
	if (!n || ike_nonce_decode(n->body, &nonce) != 0)
		return false;
	if (sa_notify(payloads, N_COOKIE, &notify)) {
		if (cookie_is_good(&e->cookies, &notify.data, &nonce, &path->remote, header->spi_i, now_ms)) {
			e->counters.cookies_good++;
			return true;
		}
		e->counters.cookies_bad++;
	}
	cookie_make(&e->cookies, &nonce, &path->remote, header->spi_i, now_ms, cookie);
	e->counters.cookies_sent++;
	engine_answer_plain(e, path, header, N_COOKIE, cookie, sizeof(cookie));
	return false;
}
