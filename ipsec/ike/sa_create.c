/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * CREATE_CHILD_SA for a child SA, new or in the place of another, and what comes of two
 * that cross: RFC 7296 1.3.1, 1.3.3, 2.8, 2.25.
 */
#include <string.h>

#include "ipsec/ike/sa.h"

#define TRY_AGAIN_MS 10000 /* after TEMPORARY_FAILURE, and more each time (2.25) */
#define TRIES_MAX 5

/* ---- ours */

void sa_child_begin(struct ike_sa *sa, uint64_t now_ms)
{
	struct sa_exchange *out = &sa->out;
	struct sa_child *rekeyed = out->req.kind == REQ_CHILD_REKEY ? sa_child_find(sa, out->req.spi) : NULL;
	struct ike_proposals esp;
	struct ike_writer w;
	uint16_t group;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	if (sa->state != SA_UP || (out->req.kind == REQ_CHILD_REKEY && (!rekeyed || rekeyed->state != CHILD_UP)))
		return;
	if (rekeyed && !sa_child_is_known(sa, rekeyed, now_ms)) {
		out->req.not_before_ms = now_ms + TRY_AGAIN_MS;
		sa_queue(sa, &out->req);
		return;
	}
	out->new_spi = ops->spi(ctx);
	if (out->new_spi == 0)
		return;
	sa_child_proposals(sa, sa->keys.suite.dh, &esp);
	group = out->req.group ? out->req.group : ike_proposals_first_group(&esp);
	crypto_random(out->nonce, sizeof(out->nonce));
	out->dh = group != DH_NONE ? crypto_dh_new(group) : NULL;
	if (rekeyed)
		rekeyed->state = CHILD_REKEYING;
	ike_writer_init(&w);
	sa_child_offer(sa, rekeyed, out->new_spi, false, &w);
	sa_request_send(sa, CREATE_CHILD_SA, &w, now_ms);
	ike_writer_fini(&w);
}

static const struct sa_nonce *lower(const struct sa_nonce *a, const struct sa_nonce *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int cmp = memcmp(a->bytes, b->bytes, n);

	if (cmp != 0)
		return cmp < 0 ? a : b;
	return a->len <= b->len ? a : b;
}

struct sa_nonce sa_lowest(const struct ike_bytes *ni, const struct ike_bytes *nr)
{
	struct sa_nonce a = { .len = (uint16_t)ni->len }, b = { .len = (uint16_t)nr->len };

	memcpy(a.bytes, ni->data, ni->len);
	memcpy(b.bytes, nr->data, nr->len);
	return *lower(&a, &b);
}

bool sa_nonce_is_lower(const struct sa_nonce *a, const struct sa_nonce *b)
{
	return lower(a, b) == a;
}

static void delete_later(struct ike_sa *sa, const struct sa_child *child)
{
	const struct sa_request request = { .kind = REQ_CHILD_DELETE, .spi = child->spi_in };

	sa_queue(sa, &request);
}

/* Ours was answered. When the peer rekeyed the same child meanwhile, the one
 * with the lowest of the four nonces goes, deleted by who began it (2.8.1). */
static void rekeyed_by_us(struct ike_sa *sa, struct sa_child *old, struct sa_child *made, const struct sa_nonce *ours)
{
	struct sa_child *theirs = old->successor ? sa_child_find(sa, old->successor) : NULL;

	old->state = CHILD_REKEYED;
	if (theirs && sa_nonce_is_lower(ours, &old->peer_lowest)) {
		/* never used, so nothing is on its way in it when the peer drops it; and
		 * the peer deletes the old one, which sends until then */
		delete_later(sa, made);
		return;
	}
	sa_child_use(sa, made);
	old->successor = made->spi_in;
	delete_later(sa, old);
}

static void child_refused(struct ike_sa *sa, const struct sa_request *req, struct sa_child *old,
			  const struct ike_notify *n, uint64_t now_ms)
{
	struct sa_request again = *req;
	struct rd rd = rd_init(n->data.data, n->data.len);
	struct ike_proposals esp;

	if (old && old->state == CHILD_REKEYING)
		old->state = old->successor ? CHILD_REKEYED : CHILD_UP;
	if (old && old->successor)
		return; /* the peer's rekeying did it */
	sa_event(sa, IKE_EVENT_REFUSED, "no child SA: %s", ike_notify_name(n->type));
	if (n->type == N_CHILD_SA_NOT_FOUND && old) {
		sa_child_remove(sa, old); /* 2.25: the peer does not have it */
		again = (struct sa_request){ .kind = REQ_CHILD_NEW };
	} else if (n->type == N_INVALID_KE_PAYLOAD) {
		again.group = rd_be16(&rd);
		sa_child_proposals(sa, sa->keys.suite.dh, &esp);
		if (!rd_done(&rd) || !ike_proposals_have_group(&esp, again.group) || req->group)
			return;
	} else {
		again.not_before_ms = now_ms + (uint64_t)TRY_AGAIN_MS * (1u + req->tries);
	}
	if (again.tries++ < TRIES_MAX)
		sa_queue(sa, &again);
}

void sa_child_response(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms)
{
	struct sa_exchange *out = &sa->out;
	const struct ike_payload *nonce = ike_payload_find(payloads, IKE_PL_NONCE);
	struct sa_request req = out->req;
	struct child_exchange x = { .payloads = payloads, .ni = { out->nonce, sizeof(out->nonce) }, .now_ms = now_ms };
	struct ike_notify n = { 0 };
	struct sa_nonce ours = { 0 };
	uint32_t spi = out->new_spi;
	uint16_t error;
	bool made;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	x.rekeyed = req.kind == REQ_CHILD_REKEY ? sa_child_find(sa, req.spi) : NULL;
	error = sa_error(payloads, &n);
	made = !error;
	if (!error && (!nonce || ike_nonce_decode(nonce->body, &x.nr) != 0))
		error = N_INVALID_SYNTAX;
	if (!error) {
		ours = sa_lowest(&x.ni, &x.nr);
		error = sa_child_accept(sa, &x, spi, out->dh);
	}
	sa_exchange_end(sa);
	if (error) {
		n.type = error;
		ops->child_del(ctx, spi);
		if (made)
			sa_child_unmake(sa, spi);
		child_refused(sa, &req, x.rekeyed, &n, now_ms);
		return;
	}
	if (x.rekeyed)
		rekeyed_by_us(sa, x.rekeyed, x.made, &ours);
	else if (req.kind == REQ_CHILD_REKEY)
		delete_later(sa, x.made); /* the old one was deleted meanwhile, so nobody wants it */
	else
		sa_child_use(sa, x.made);
}

/* ---- the peer's */

static bool is_ike_rekey(const struct ike_payloads *payloads)
{
	const struct ike_payload *s = ike_payload_find(payloads, IKE_PL_SA);
	struct ike_proposals proposals;

	return s && ike_proposals_decode(s->body, &proposals) == 0 && proposals.list[0].protocol == IKE_PROTO_IKE;
}

/* 2.25.1: what a request about a child meets. 0: go on. */
static uint16_t rekey_target(struct ike_sa *sa, const struct ike_notify *n, struct sa_child **child)
{
	struct rd rd = rd_init(n->spi, n->spi_len);

	if (n->protocol != IKE_PROTO_ESP || n->spi_len != 4)
		return N_INVALID_SYNTAX;
	*child = sa_child_find_out(sa, rd_be32(&rd));
	if (!*child)
		return N_CHILD_SA_NOT_FOUND;
	/* done already from its side, or on its way out from ours */
	return (*child)->successor || (*child)->state == CHILD_DELETING || (*child)->state == CHILD_REKEYED ?
		       N_TEMPORARY_FAILURE :
		       0;
}

static uint16_t answer(struct ike_sa *sa, struct child_exchange *x, struct ike_writer *w)
{
	const struct ike_payload *nonce = ike_payload_find(x->payloads, IKE_PL_NONCE);
	struct ike_notify n;
	uint16_t error;

	if (sa->state != SA_UP)
		return N_TEMPORARY_FAILURE;
	if (sa_is_queued(sa, REQ_IKE_REKEY, 0) && sa->out.active && sa->out.req.kind == REQ_IKE_REKEY)
		return N_TEMPORARY_FAILURE; /* 2.25.2 */
	if (!nonce || ike_nonce_decode(nonce->body, &x->ni) != 0)
		return N_INVALID_SYNTAX;
	if (sa_notify(x->payloads, N_REKEY_SA, &n) && (error = rekey_target(sa, &n, &x->rekeyed)) != 0)
		return error;
	return sa_child_answer(sa, x, w);
}

void sa_create_request(struct ike_sa *sa, uint32_t id, const struct ike_payloads *payloads, uint64_t now_ms)
{
	uint8_t nr[2 * IKE_NONCE_MIN], group[2];
	struct child_exchange x = { .payloads = payloads, .nr = { nr, sizeof(nr) }, .now_ms = now_ms };
	struct ike_writer w;
	uint16_t error;

	if (is_ike_rekey(payloads)) {
		sa_rekey_request(sa, id, payloads, now_ms);
		return;
	}
	crypto_random(nr, sizeof(nr));
	ike_writer_init(&w);
	error = answer(sa, &x, &w);
	if (error) {
		group[0] = (uint8_t)(x.wanted_group >> 8);
		group[1] = (uint8_t)x.wanted_group;
		sa_respond_notify(sa, CREATE_CHILD_SA, id, error, group, error == N_INVALID_KE_PAYLOAD ? 2 : 0, now_ms);
		sa_event(sa, IKE_EVENT_REFUSED, "CREATE_CHILD_SA answered with %s", ike_notify_name(error));
	} else {
		x.made->known_from = id + 1;
		if (x.rekeyed) {
			x.rekeyed->successor = x.made->spi_in;
			x.rekeyed->peer_lowest = sa_lowest(&x.ni, &x.nr);
			if (x.rekeyed->state == CHILD_UP)
				x.rekeyed->state = CHILD_REKEYED;
		} else {
			sa_unqueue(sa, REQ_CHILD_NEW, 0); /* what we would have asked for is there */
		}
		sa_respond(sa, CREATE_CHILD_SA, id, &w, now_ms);
	}
	ike_writer_fini(&w);
}
