/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * IKE_SA_INIT: RFC 7296 1.2, 2.6, 2.7, 2.14, 2.23.
 */
#include <stdio.h>
#include <string.h>

#include "ipsec/ike/sa.h"

#define RESTARTS_MAX 5 /* cookie, another group, cookie again */

/* What we can check in a signature (RFC 7427 4). */
static const uint16_t our_hashes[] = { CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512, CRYPTO_IDENTITY };

static void put_hashes(struct ike_writer *w)
{
	uint8_t list[2 * sizeof(our_hashes) / sizeof(our_hashes[0])];

	for (size_t i = 0; i < sizeof(our_hashes) / sizeof(our_hashes[0]); i++) {
		list[2 * i] = (uint8_t)(our_hashes[i] >> 8);
		list[2 * i + 1] = (uint8_t)our_hashes[i];
	}
	ike_notify_encode(w, N_SIGNATURE_HASH_ALGORITHMS, list, sizeof(list));
}

static uint32_t read_hashes(const struct ike_payloads *payloads)
{
	struct ike_notify n;
	uint32_t hashes = 0;
	struct rd rd;

	if (!sa_notify(payloads, N_SIGNATURE_HASH_ALGORITHMS, &n))
		return 0;
	rd = rd_init(n.data.data, n.data.len);
	while (rd_left(&rd) >= 2) {
		uint16_t hash = rd_be16(&rd);

		/* SHA-1 may be announced; it is never used (RFC 8247 4) */
		if (hash >= CRYPTO_SHA256 && hash <= CRYPTO_IDENTITY)
			hashes |= 1u << hash;
	}
	return hashes;
}

static void put_ke(struct ike_writer *w, const struct crypto_dh *dh)
{
	uint8_t public[CRYPTO_DH_MAX];

	crypto_dh_public(dh, public);
	ike_ke_encode(w, crypto_dh_group(dh), public, crypto_dh_size(crypto_dh_group(dh)));
}

static void nonce_keep(struct sa_nonce *nonce, const struct ike_bytes *from)
{
	nonce->len = (uint16_t)from->len;
	memcpy(nonce->bytes, from->data, from->len);
}

/* What both sides say besides SA, KE and nonce. */
static void put_notifies(struct ike_sa *sa, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
	if (tunnel->fragment_bytes && (sa->initiator || sa->peer_fragments))
		ike_notify_encode(w, N_IKEV2_FRAGMENTATION_SUPPORTED, NULL, 0);
	put_hashes(w);
}

/* ---- initiator */

static void put_own_sa(struct ike_sa *sa, struct ike_writer *w)
{
	size_t begun = ike_payload_begin(w, IKE_PL_SA);

	ike_proposals_encode(sa->tunnel->ike, &w->wr);
	ike_payload_end(w, begun);
}

void sa_init_begin(struct ike_sa *sa, uint64_t now_ms)
{
	struct sa_setup *setup = sa->setup;
	struct ike_header header = sa_header(sa, IKE_SA_INIT, false, 0);
	struct ike_writer w;

	if (!setup->dh) {
		crypto_random(setup->own_nonce, sizeof(setup->own_nonce));
		if (!setup->group)
			setup->group = ike_proposals_first_group(sa->tunnel->ike);
		setup->dh = crypto_dh_new(setup->group);
		if (!setup->dh) {
			sa_kill(sa, IKE_EVENT_FAILED, "no such group", now_ms);
			return;
		}
	}
	ike_writer_init_header(&w, &header);
	/* with a cookie all else stays as it was (2.6) */
	if (setup->cookie_len)
		ike_notify_encode(&w, N_COOKIE, setup->cookie, setup->cookie_len);
	put_own_sa(sa, &w);
	put_ke(&w, setup->dh);
	ike_nonce_encode(&w, setup->own_nonce, sizeof(setup->own_nonce));
	natd_encode(&w, sa->spi_i, sa->spi_r, &sa->path.local, &sa->path.remote, sa->tunnel->nat == IKE_NAT_FORCE);
	put_notifies(sa, sa->tunnel, &w);
	ike_writer_finish(&w);
	wr_fini(&setup->own_message);
	wr_bytes(&setup->own_message, w.wr.data, w.wr.len);
	sa_request_send_plain(sa, &w, now_ms);
	ike_writer_fini(&w);
}

static void restart(struct ike_sa *sa, uint64_t now_ms)
{
	if (++sa->setup->restarts > RESTARTS_MAX)
		sa_kill(sa, IKE_EVENT_FAILED, "the peer asks for one change after another", now_ms);
	else
		sa_init_begin(sa, now_ms);
}

/* 1.2, 2.7: only a group that we offered, or an attacker could choose the weakest by
 * hand. */
static void other_group(struct ike_sa *sa, const struct ike_notify *n, uint64_t now_ms)
{
	struct rd rd = rd_init(n->data.data, n->data.len);
	uint16_t group = rd_be16(&rd);

	/* the answer to a repeated message, which comes after we began anew */
	if (rd_done(&rd) && group == sa->setup->group)
		return;
	if (!rd_done(&rd) || !ike_proposals_have_group(sa->tunnel->ike, group)) {
		sa_kill(sa, IKE_EVENT_FAILED, "the peer wants a group that we did not offer", now_ms);
		return;
	}
	crypto_dh_free(sa->setup->dh);
	sa->setup->dh = NULL;
	sa->setup->group = group;
	restart(sa, now_ms);
}

/* True when the response was one of the kinds that begin the exchange anew, or
 * end it. */
static bool init_refused(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms)
{
	struct ike_notify n;
	uint16_t error;
	char text[96];

	if (sa_notify(payloads, N_COOKIE, &n)) {
		if (n.data.len == 0 || n.data.len > sizeof(sa->setup->cookie))
			return true;
		memcpy(sa->setup->cookie, n.data.data, n.data.len);
		sa->setup->cookie_len = n.data.len;
		restart(sa, now_ms);
		return true;
	}
	error = sa_error(payloads, &n);
	if (error == N_INVALID_KE_PAYLOAD) {
		other_group(sa, &n, now_ms);
		return true;
	}
	if (error) {
		snprintf(text, sizeof(text), "the peer answers %s to IKE_SA_INIT", ike_notify_name(error));
		sa_kill(sa, IKE_EVENT_FAILED, text, now_ms);
		return true;
	}
	return false;
}

int sa_said_decode(const struct ike_payloads *payloads, struct sa_said *out)
{
	const struct ike_payload *s = ike_payload_find(payloads, IKE_PL_SA);
	const struct ike_payload *k = ike_payload_find(payloads, IKE_PL_KE);
	const struct ike_payload *n = ike_payload_find(payloads, IKE_PL_NONCE);

	return s && k && n && ike_proposals_decode(s->body, &out->proposals) == 0 &&
			       ike_ke_decode(k->body, &out->ke) == 0 && ike_nonce_decode(n->body, &out->nonce) == 0 ?
		       0 :
		       -1;
}

static void learn_peer(struct ike_sa *sa, const struct ike_payloads *payloads)
{
	struct ike_notify n;

	sa->peer_natt = natd_judge(payloads, sa->spi_i, sa->spi_r, &sa->path.local, &sa->path.remote, &sa->nat);
	sa->peer_fragments = sa_notify(payloads, N_IKEV2_FRAGMENTATION_SUPPORTED, &n) != NULL;
	sa->peer_childless = sa_notify(payloads, N_CHILDLESS_IKEV2_SUPPORTED, &n) != NULL;
	sa->peer_hashes = read_hashes(payloads);
}

/* The responder's hashes are over its own SPI, that the initiator's first
 * message could not know: there SPIr is zero on both sides. */
static void learn_initiator(struct ike_sa *sa, const struct ike_payloads *payloads)
{
	static const uint8_t zero[IKE_SPI_SIZE];
	uint8_t spi_r[IKE_SPI_SIZE];

	memcpy(spi_r, sa->spi_r, IKE_SPI_SIZE);
	memcpy(sa->spi_r, zero, IKE_SPI_SIZE);
	learn_peer(sa, payloads);
	memcpy(sa->spi_r, spi_r, IKE_SPI_SIZE);
}

static int derive(struct ike_sa *sa, const struct ike_suite *suite, const uint8_t *value, size_t len)
{
	struct sa_setup *setup = sa->setup;
	struct ike_bytes own = { setup->own_nonce, sizeof(setup->own_nonce) };
	struct ike_bytes peer = { setup->peer_nonce.bytes, setup->peer_nonce.len };
	struct crypto_secret shared;
	int ret;

	ret = crypto_dh_shared(setup->dh, value, len, &shared);
	if (ret == 0)
		ret = ike_keys_derive(suite, NULL, &shared, sa->initiator ? &own : &peer, sa->initiator ? &peer : &own,
				      sa->spi_i, sa->spi_r, &sa->keys);
	crypto_secret_wipe(&shared);
	crypto_dh_free(setup->dh);
	setup->dh = NULL;
	return ret == 0 ? sa_keys_use(sa) : -1;
}

/* 2.23: to 4500 when there is a NAT, and when MOBIKE may meet one later
 * (RFC 4555 3.3). */
static void float_port(struct ike_sa *sa)
{
	if (!sa->peer_natt || sa->path.local.port != IKE_PORT || sa->path.remote.port != IKE_PORT ||
	    sa->tunnel->nat == IKE_NAT_REFUSE)
		return;
	if (sa_encap(sa) || sa->tunnel->mobike) {
		sa->path.local.port = sa->path.remote.port = IKE_NATT_PORT;
		sa->reply_path = sa->path;
	}
}

void sa_init_response(struct ike_sa *sa, const struct ike_path *path, const struct ike_header *header,
		      const struct ike_payloads *payloads, const uint8_t *data, size_t len, uint64_t now_ms)
{
	static const uint8_t zero[IKE_SPI_SIZE];
	struct ike_suite suite;
	struct sa_said init;

	if (sa->state != SA_INIT_SENT || !sa->out.active || header->id != 0)
		return;
	if (init_refused(sa, payloads, now_ms))
		return;
	/* not ours, or damaged on the way: the right one may still come (2.21.1) */
	if (sa_said_decode(payloads, &init) != 0 || memcmp(header->spi_r, zero, IKE_SPI_SIZE) == 0)
		return;
	if (ike_proposal_accept(sa->tunnel->ike, &init.proposals, IKE_PROTO_IKE, true, &suite) != 0 ||
	    init.ke.group != suite.dh || init.ke.group != sa->setup->group) {
		sa_kill(sa, IKE_EVENT_FAILED, "the peer chose what we did not offer", now_ms);
		return;
	}
	memcpy(sa->spi_r, header->spi_r, IKE_SPI_SIZE);
	nonce_keep(&sa->setup->peer_nonce, &init.nonce);
	wr_bytes(&sa->setup->peer_message, data, len);
	sa->path.remote = path->remote;
	learn_peer(sa, payloads);
	if (derive(sa, &suite, init.ke.value.data, init.ke.value.len) != 0) {
		sa_kill(sa, IKE_EVENT_FAILED, "the peer's key exchange value is none", now_ms);
		return;
	}
	sa_exchange_end(sa);
	if (sa->tunnel->nat == IKE_NAT_REFUSE && (sa->nat.local || sa->nat.remote)) {
		sa_kill(sa, IKE_EVENT_FAILED, "there is a NAT on the path and the tunnel says nat refuse", now_ms);
		return;
	}
	float_port(sa);
	sa_auth_begin(sa, now_ms);
}

/* ---- responder */

static void answer_error(struct ike_sa *sa, uint16_t notify, const void *data, size_t len)
{
	struct ike_header header = sa_header(sa, IKE_SA_INIT, true, 0);
	struct ike_writer w;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	/* nothing is kept, so there is no SPI of ours */
	memset(header.spi_r, 0, IKE_SPI_SIZE);
	ike_writer_init_header(&w, &header);
	ike_notify_encode(&w, notify, data, len);
	ike_writer_finish(&w);
	ops->send(ctx, &sa->path, w.wr.data, w.wr.len);
	ike_writer_fini(&w);
	sa_event(sa, IKE_EVENT_REFUSED, "IKE_SA_INIT answered with %s", ike_notify_name(notify));
}

/* The first of the offers that may be meant, and has algorithms in common. */
static const struct ike_tunnel *choose(struct ike_sa *sa, const struct ike_proposals *theirs, struct ike_suite *suite,
				       const struct ike_proposal **chosen)
{
	const struct ike_tunnel *tunnel = NULL;

	while ((tunnel = engine_offer_next(sa->engine, &sa->path, tunnel)) != NULL)
		if (ike_proposal_select(tunnel->ike, theirs, IKE_PROTO_IKE, true, suite, chosen) == 0)
			return tunnel;
	return NULL;
}

static void put_chosen(struct ike_writer *w, const struct ike_suite *suite, uint8_t number)
{
	struct ike_proposals answer = { .n = 1 };
	size_t begun = ike_payload_begin(w, IKE_PL_SA);

	ike_proposal_of_suite(suite, IKE_PROTO_IKE, number, &answer.list[0]);
	ike_proposals_encode(&answer, &w->wr);
	ike_payload_end(w, begun);
}

static void answer_build(struct ike_sa *sa, const struct ike_tunnel *tunnel, uint8_t number, struct ike_writer *w)
{
	struct ike_header header = sa_header(sa, IKE_SA_INIT, true, 0);
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	ike_writer_init_header(w, &header);
	put_chosen(w, &sa->setup->suite, number);
	put_ke(w, sa->setup->dh);
	ike_nonce_encode(w, sa->setup->own_nonce, sizeof(sa->setup->own_nonce));
	natd_encode(w, sa->spi_i, sa->spi_r, &sa->path.local, &sa->path.remote, tunnel->nat == IKE_NAT_FORCE);
	put_notifies(sa, tunnel, w);
	if (tunnel->childless != IKE_CHILDLESS_NEVER)
		ike_notify_encode(w, N_CHILDLESS_IKEV2_SUPPORTED, NULL, 0);
	ops->put_certreq(ctx, NULL, w);
	ike_writer_finish(w);
}

static void answer_send(struct ike_sa *sa, const struct ike_writer *w, uint64_t now_ms)
{
	struct wr *copy;

	wr_bytes(&sa->setup->own_message, w->wr.data, w->wr.len);
	sa_packets_free(&sa->response);
	copy = sa_packets_next(&sa->response);
	wr_bytes(copy, w->wr.data, w->wr.len);
	sa->recv_id = 1;
	sa->spoke_ms = now_ms;
	sa_send_packets(sa, &sa->response, &sa->path);
}

bool sa_init_answer(struct ike_sa *sa, const struct ike_payloads *payloads, const uint8_t *data, size_t len,
		    uint64_t now_ms)
{
	struct sa_setup *setup = sa->setup;
	const struct ike_proposal *chosen;
	const struct ike_tunnel *tunnel;
	struct sa_said init;
	struct ike_writer w;
	uint8_t group[2];

	if (sa_said_decode(payloads, &init) != 0) {
		answer_error(sa, N_INVALID_SYNTAX, NULL, 0);
		return false;
	}
	tunnel = choose(sa, &init.proposals, &setup->suite, &chosen);
	if (!tunnel) {
		answer_error(sa, N_NO_PROPOSAL_CHOSEN, NULL, 0);
		return false;
	}
	if (init.ke.group != setup->suite.dh) {
		group[0] = (uint8_t)(setup->suite.dh >> 8);
		group[1] = (uint8_t)setup->suite.dh;
		answer_error(sa, N_INVALID_KE_PAYLOAD, group, sizeof(group));
		return false;
	}
	if (init.ke.value.len != crypto_dh_size(init.ke.group) || !(setup->dh = crypto_dh_new(init.ke.group))) {
		answer_error(sa, N_INVALID_SYNTAX, NULL, 0);
		return false;
	}
	learn_initiator(sa, payloads);
	crypto_random(setup->own_nonce, sizeof(setup->own_nonce));
	nonce_keep(&setup->peer_nonce, &init.nonce);
	wr_bytes(&setup->peer_ke, init.ke.value.data, init.ke.value.len);
	wr_bytes(&setup->peer_message, data, len);
	answer_build(sa, tunnel, chosen->number, &w);
	answer_send(sa, &w, now_ms);
	ike_writer_fini(&w);
	return true;
}

int sa_init_derive(struct ike_sa *sa)
{
	struct sa_setup *setup = sa->setup;

	/* once: a value that is none stays none */
	if (!setup || !setup->dh)
		return -1;
	return derive(sa, &setup->suite, setup->peer_ke.data, setup->peer_ke.len);
}
