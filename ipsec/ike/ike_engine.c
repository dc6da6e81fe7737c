/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/ike_engine.h"

#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/ike_engine_impl.h"
#include "ipsec/ike/ranges.h"
#include "lib/mem.h"

struct ike_engine *ike_engine_new(const struct ike_ops *ops, void *ctx)
{
	struct ike_engine *e = mem_alloc(sizeof(*e));

	e->ops = *ops;
	e->ctx = ctx;
	e->next_number = e->next_sign = 1;
	e->retry_next_ms = UINT64_MAX;
	tables_init(&e->tables);
	return e;
}

const struct ike_ops *engine_ops(struct ike_engine *e, void **ctx)
{
	*ctx = e->ctx;
	return &e->ops;
}

struct ike_counters *engine_counters(struct ike_engine *e)
{
	return &e->counters;
}

void ike_engine_counters(const struct ike_engine *e, struct ike_counters *out)
{
	*out = e->counters;
}

/* ---- SAs */

void engine_sa_link(struct ike_engine *e, struct ike_sa *sa)
{
	sa->number = e->next_number++;
	tables_add(&e->tables, sa);
	sa->next = e->sas;
	if (e->sas)
		e->sas->prev = sa;
	e->sas = sa;
	e->counters.sas++;
	sa->due_ms = UINT64_MAX;
	engine_due_add(e, sa);
	engine_touch(sa);
}

void engine_sa_unlink(struct ike_engine *e, struct ike_sa *sa)
{
	tables_remove(&e->tables, sa);
	engine_due_remove(e, sa);
	if (sa->prev)
		sa->prev->next = sa->next;
	else
		e->sas = sa->next;
	if (sa->next)
		sa->next->prev = sa->prev;
	e->counters.sas--;
	e->n_lingering -= sa->lingers;
}

struct ike_sa *engine_sa_by_number(struct ike_engine *e, uint64_t number)
{
	struct ike_sa *sa = tables_by_number(&e->tables, number);

	return sa && sa->state != SA_DEAD ? sa : NULL;
}

void engine_child_link(struct ike_sa *sa, struct sa_child *child)
{
	struct tunnel_slot *slot = engine_ref_of(sa->tunnel)->slot;

	child->sa = sa;
	tables_add_child(&sa->engine->tables, child);
	if (slot->ranges)
		ranges_add(slot->ranges, child);
	sa->engine->counters.children++;
	engine_touch(sa);
}

void engine_child_unlink(struct ike_sa *sa, struct sa_child *child)
{
	struct tunnel_slot *slot = engine_ref_of(sa->tunnel)->slot;

	tables_remove_child(&sa->engine->tables, child);
	if (slot->ranges)
		ranges_remove(slot->ranges, child);
	sa->engine->counters.children--;
	engine_touch(sa);
}

struct sa_child *engine_child_by_spi(struct ike_engine *e, uint32_t spi_in, struct ike_sa **owner)
{
	struct sa_child *child = tables_child(&e->tables, spi_in);

	if (child)
		*owner = child->sa;
	return child;
}

void ike_engine_free(struct ike_engine *e)
{
	for (struct ike_sa *sa = e->sas, *next; sa; sa = next) {
		next = sa->next;
		e->running = sa; /* nobody looks at it again */
		sa_free(sa);
	}
	while (e->first) {
		struct tunnel_slot *slot = e->first;

		engine_slot_set_ref(e, slot, NULL);
		engine_slot_drop(e, slot);
	}
	free(e->heap);
	tables_fini(&e->tables);
	ike_writer_fini(&e->plain);
	crypto_wipe(e, sizeof(*e));
	free(e);
}

/* So that the answer leads to the SA. */
uint64_t engine_sign_id(struct ike_engine *e, struct ike_sa *sa)
{
	return sa->number << 8 | (e->next_sign++ & 0xff);
}

void engine_sa_is_up(struct ike_sa *sa)
{
	tables_add_identity(&sa->engine->tables, sa);
}

/* ---- packets */

#define SAME_MAX 4 /* half-open SAs of one SPI and one place: an honest peer begins one, or two */
#define REPEATS_MAX 12 /* copies that are answered: more than any peer sends */
#define INIT_MAX 8192 /* RFC 7296 2: 3,000 bytes; strangers' are kept until IKE_AUTH comes */

/* 2.1: the same first message again is answered as before, and not at all when
 * IKE_AUTH has come. It comes before the cookie (2.6): the answer costs no more
 * than a cookie does, and whoever was let in without one still gets it. True:
 * that was all. */
static bool init_is_known(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
			  const uint8_t *data, size_t len)
{
	const struct crypto_part whole = { data, len };
	struct ike_sa *sa = NULL;
	unsigned n = 0, half_open = 0;
	uint8_t hash[20];

	while ((sa = tables_begun(&e->tables, header->spi_i, &path->remote, sa)) != NULL) {
		/* only where there may be one, and once */
		if (n++ == 0)
			crypto_hash(CRYPTO_SHA1, &whole, 1, hash);
		if (sa->state == SA_DEAD)
			continue;
		half_open += sa->state == SA_INIT_DONE;
		if (memcmp(sa->request_hash, hash, sizeof(hash)) != 0)
			continue;
		e->counters.duplicates++;
		if (sa->state == SA_INIT_DONE && sa->init_repeats < REPEATS_MAX) {
			sa->init_repeats++;
			sa_send_packets(sa, &sa->response, &sa->path);
		}
		return true;
	}
	e->counters.half_open_refused += half_open >= SAME_MAX;
	return half_open >= SAME_MAX;
}

static void init_begun(struct ike_engine *e, struct ike_sa *sa, const uint8_t *data, size_t len, uint64_t now_ms)
{
	const struct crypto_part whole = { data, len };

	crypto_hash(CRYPTO_SHA1, &whole, 1, sa->request_hash);
	engine_sa_link(e, sa);
	tables_add_begun(&e->tables, sa);
	engine_half_open_begin(e, sa, now_ms);
}

static void init_request(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
			 const uint8_t *data, size_t len, uint64_t now_ms)
{
	struct ike_payloads payloads;
	enum ike_decode what;
	struct ike_sa *sa;
	uint8_t bad;

	if (len > INIT_MAX) {
		e->counters.bad_syntax++;
		return;
	}
	if (init_is_known(e, path, header, data, len))
		return;
	what = ike_payloads_decode(header->next, rd_init(data + IKE_HEADER_SIZE, len - IKE_HEADER_SIZE), &payloads, &bad);
	if (what == IKE_UNKNOWN_CRITICAL && engine_may_answer(e, now_ms))
		engine_answer_plain(e, path, header, N_UNSUPPORTED_CRITICAL_PAYLOAD, &bad, 1);
	if (what != IKE_DECODED) {
		e->counters.bad_syntax++;
		return;
	}
	if (!engine_pass_cookie(e, path, header, &payloads, now_ms))
		return;
	sa = sa_new(e, false, path, now_ms);
	memcpy(sa->spi_i, header->spi_i, IKE_SPI_SIZE);
	if (sa_init_answer(sa, &payloads, data, len, now_ms))
		init_begun(e, sa, data, len, now_ms);
	else
		sa_free(sa);
}

static void init_response(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
			  const uint8_t *data, size_t len, uint64_t now_ms)
{
	struct ike_sa *sa = tables_by_spi(&e->tables, header->spi_i, true);
	struct ike_payloads payloads;
	uint8_t bad;

	if (!sa || sa->state != SA_INIT_SENT)
		return;
	if (ike_payloads_decode(header->next, rd_init(data + IKE_HEADER_SIZE, len - IKE_HEADER_SIZE), &payloads, &bad) !=
	    IKE_DECODED) {
		e->counters.bad_syntax++;
		return;
	}
	sa_init_response(sa, path, header, &payloads, data, len, now_ms);
}

void ike_engine_packet(struct ike_engine *e, const struct ike_path *path, uint8_t *data, size_t len, uint64_t now_ms)
{
	static const uint8_t zero[IKE_SPI_SIZE];
	static const uint8_t version = IKE_VERSION;
	struct ike_header h;
	enum ike_decode what;
	struct ike_sa *sa;
	bool to_initiator, fresh;

	e->counters.packets++;
	e->now_ms = now_ms;
	what = ike_header_decode(data, len, &h);
	if (what == IKE_TRUNCATED) {
		e->counters.truncated++;
		return;
	}
	if (what == IKE_BAD_VERSION) {
		e->counters.bad_version++;
		/* only to something newer (2.5), or two daemons could answer each other */
		if (h.version > (IKE_VERSION | 0x0f) && !(h.flags & IKE_FLAG_RESPONSE) && engine_may_answer(e, now_ms))
			engine_answer_plain(e, path, &h, N_INVALID_MAJOR_VERSION, &version, 1);
		return;
	}
	fresh = memcmp(h.spi_r, zero, IKE_SPI_SIZE) == 0;
	if (h.exchange == IKE_SA_INIT) {
		if (memcmp(h.spi_i, zero, IKE_SPI_SIZE) == 0 || h.id != 0)
			e->counters.bad_syntax++;
		else if (h.flags & IKE_FLAG_RESPONSE)
			init_response(e, path, &h, data, len, now_ms);
		else if ((h.flags & IKE_FLAG_INITIATOR) && fresh)
			init_request(e, path, &h, data, len, now_ms);
		return;
	}
	to_initiator = !(h.flags & IKE_FLAG_INITIATOR);
	sa = tables_by_spi(&e->tables, to_initiator ? h.spi_i : h.spi_r, to_initiator);
	if (!sa || memcmp(to_initiator ? h.spi_r : h.spi_i, to_initiator ? sa->spi_r : sa->spi_i, IKE_SPI_SIZE) != 0) {
		e->counters.unknown_spi++;
		return;
	}
	sa_packet(sa, path, &h, data, len, now_ms);
}

void ike_engine_signed(struct ike_engine *e, uint64_t id, uint8_t method, const uint8_t *auth, size_t len, uint64_t now_ms)
{
	struct ike_sa *sa = engine_sa_by_number(e, id >> 8);

	e->now_ms = now_ms;
	if (sa && sa->setup && sa->setup->sign_id == id && id != 0)
		sa_auth_signed(sa, method, auth, len, now_ms);
}
