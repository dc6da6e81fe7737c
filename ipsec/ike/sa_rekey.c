/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * CREATE_CHILD_SA that replaces the IKE SA: RFC 7296 1.3.2, 2.8.2, 2.18, 2.25.2.
 */
#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/sa.h"
#include "lib/mem.h"

#define TRY_AGAIN_MS 10000

static void put_proposals(struct ike_writer *w, const struct ike_proposals *from, const uint8_t spi[IKE_SPI_SIZE])
{
	struct ike_proposals *list = mem_dup(from, ike_proposals_bytes(from));
	size_t begun = ike_payload_begin(w, IKE_PL_SA);

	for (unsigned i = 0; i < list->n; i++) {
		list->list[i].spi_len = IKE_SPI_SIZE;
		memcpy(list->list[i].spi, spi, IKE_SPI_SIZE);
	}
	ike_proposals_encode(list, &w->wr);
	ike_payload_end(w, begun);
	free(list);
}

static void put_ke(struct ike_writer *w, const struct crypto_dh *dh)
{
	uint8_t public[CRYPTO_DH_MAX];

	crypto_dh_public(dh, public);
	ike_ke_encode(w, crypto_dh_group(dh), public, crypto_dh_size(crypto_dh_group(dh)));
}

void sa_rekey_begin(struct ike_sa *sa, uint64_t now_ms)
{
	struct sa_exchange *out = &sa->out;
	uint16_t group = out->req.group ? out->req.group : sa->keys.suite.dh;
	struct ike_writer w;

	if (sa->state != SA_UP)
		return;
	out->dh = crypto_dh_new(group);
	if (!out->dh)
		return;
	crypto_random(out->nonce, sizeof(out->nonce));
	crypto_random(out->new_ike_spi, IKE_SPI_SIZE);
	ike_writer_init(&w);
	put_proposals(&w, sa->tunnel->ike, out->new_ike_spi);
	ike_nonce_encode(&w, out->nonce, sizeof(out->nonce));
	put_ke(&w, out->dh);
	sa_request_send(sa, CREATE_CHILD_SA, &w, now_ms);
	ike_writer_fini(&w);
}

/* A new SA that has all of the old one but keys, numbers and children. */
static struct ike_sa *successor_new(struct ike_sa *old, bool initiator, const uint8_t spi_i[IKE_SPI_SIZE],
				    const uint8_t spi_r[IKE_SPI_SIZE], uint64_t now_ms)
{
	struct ike_sa *sa = sa_new(old->engine, initiator, &old->path, now_ms);

	sa_setup_free(sa);
	memcpy(sa->spi_i, spi_i, IKE_SPI_SIZE);
	memcpy(sa->spi_r, spi_r, IKE_SPI_SIZE);
	engine_sa_tunnel(sa, old->tunnel);
	sa->peer_id = old->peer_id;
	sa->own_id = old->own_id;
	sa->nat = old->nat;
	sa->peer_natt = old->peer_natt;
	sa->peer_fragments = old->peer_fragments;
	sa->peer_mobike = old->peer_mobike;
	sa->peer_hashes = old->peer_hashes;
	sa->n_peer_addrs = old->n_peer_addrs;
	memcpy(sa->peer_addrs, old->peer_addrs, sizeof(sa->peer_addrs));
	sa->virtual_addr = old->virtual_addr;
	sa->began = old->began;
	sa->child_since_ms = old->child_since_ms;
	sa->child_wait_ms = old->child_wait_ms;
	sa->state = SA_UP;
	sa->spare_of = old->number;
	sa->up_ms = old->up_ms;
	sa->die_at_ms = UINT64_MAX;
	sa->rekey_at_ms = sa_jittered(now_ms, old->tunnel->ike_rekey_s);
	sa->reauth_at_ms = old->reauth_at_ms;
	return sa;
}

static void move_children(struct ike_sa *from, struct ike_sa *to)
{
	for (unsigned i = 0; i < from->n_children; i++) {
		from->children[i]->known_from = 0; /* numbers begin anew */
		from->children[i]->sa = to;
		to->children[to->n_children++] = from->children[i];
	}
	from->n_children = 0;
	/* what was to be done about them goes with them */
	for (unsigned i = 0; i < from->n_queue; i++)
		if (from->queue[i].kind != REQ_IKE_REKEY)
			sa_queue(to, &from->queue[i]);
	from->n_queue = 0;
	sa_event(to, IKE_EVENT_REKEYED, "the IKE SA has new keys");
}

static void replaced(struct ike_sa *old, struct ike_sa *by, bool we_delete, uint64_t now_ms)
{
	const struct sa_request delete = { .kind = REQ_IKE_DELETE };
	const struct sa_request move = { .kind = REQ_MOVE };

	move_children(old, by);
	by->spare_of = 0;
	/* the hash of where the peer sees us is over the SPIs too, so what it was is not
	 * known any more; an update too many does no harm (RFC 4555 3.8) */
	if (by->began && by->peer_mobike && by->nat.local)
		sa_queue(by, &move);
	sa_set_state(old, SA_REPLACED);
	/* if the peer forgets to delete it */
	old->die_at_ms = now_ms + SA_HALF_OPEN_MS;
	if (we_delete)
		sa_queue(old, &delete);
}

/* ---- ours */

static void refused(struct ike_sa *sa, const struct sa_request *req, const struct ike_notify *n, uint64_t now_ms)
{
	struct ike_sa *theirs = sa->peer_successor ? engine_sa_by_number(sa->engine, sa->peer_successor) : NULL;
	struct sa_request again = *req;
	struct rd rd = rd_init(n->data.data, n->data.len);

	if (sa->state == SA_REPLACED)
		return;
	if (theirs) {
		sa->peer_successor = 0;
		replaced(sa, theirs, false, now_ms);
		return;
	}
	sa_event(sa, IKE_EVENT_REFUSED, "the IKE SA is not rekeyed: %s", ike_notify_name(n->type));
	if (n->type == N_INVALID_KE_PAYLOAD && !req->group) {
		again.group = rd_be16(&rd);
		if (!rd_done(&rd) || !ike_proposals_have_group(sa->tunnel->ike, again.group))
			return;
	} else {
		again.not_before_ms = now_ms + TRY_AGAIN_MS * (1ULL + req->tries);
	}
	if (again.tries < UINT8_MAX)
		again.tries++;
	sa_queue(sa, &again);
}

static struct ike_sa *accept(struct ike_sa *sa, const struct sa_said *said, uint64_t now_ms)
{
	struct sa_exchange *out = &sa->out;
	struct ike_bytes ni = { out->nonce, sizeof(out->nonce) };
	struct crypto_secret shared;
	struct ike_suite suite;
	struct ike_sa *made;
	bool ok;

	if (ike_proposal_accept(sa->tunnel->ike, &said->proposals, IKE_PROTO_IKE, true, &suite) != 0 ||
	    said->proposals.list[0].spi_len != IKE_SPI_SIZE || said->ke.group != suite.dh ||
	    suite.dh != crypto_dh_group(out->dh))
		return NULL;
	if (crypto_dh_shared(out->dh, said->ke.value.data, said->ke.value.len, &shared) != 0)
		return NULL;
	made = successor_new(sa, true, out->new_ike_spi, said->proposals.list[0].spi, now_ms);
	ok = ike_keys_derive(&suite, &sa->keys, &shared, &ni, &said->nonce, made->spi_i, made->spi_r, &made->keys) == 0 &&
	     sa_keys_use(made) == 0;
	crypto_secret_wipe(&shared);
	if (!ok) {
		sa_free(made);
		return NULL;
	}
	engine_sa_link(sa->engine, made);
	return made;
}

void sa_rekey_response(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms)
{
	struct sa_request req = sa->out.req;
	struct ike_bytes ni = { sa->out.nonce, sizeof(sa->out.nonce) };
	struct ike_sa *theirs = sa->peer_successor ? engine_sa_by_number(sa->engine, sa->peer_successor) : NULL, *made;
	const struct sa_request delete = { .kind = REQ_IKE_DELETE };
	struct ike_notify n = { .type = N_INVALID_SYNTAX };
	struct sa_said said;
	struct sa_nonce ours;

	if (sa_error(payloads, &n) || sa_said_decode(payloads, &said) != 0 || (made = accept(sa, &said, now_ms)) == NULL) {
		sa_exchange_end(sa);
		refused(sa, &req, &n, now_ms);
		return;
	}
	ours = sa_lowest(&ni, &said.nonce);
	sa_exchange_end(sa);
	sa->peer_successor = 0;
	if (sa->state == SA_REPLACED || (theirs && sa_nonce_is_lower(&ours, &sa->peer_lowest))) {
		/* ours has the lowest nonce, so ours goes (2.8.2), and the peer deletes the old one */
		if (sa->state != SA_REPLACED)
			replaced(sa, theirs, false, now_ms);
		sa_set_state(made, SA_REPLACED);
		sa_queue(made, &delete);
		return;
	}
	replaced(sa, made, true, now_ms);
	if (theirs) {
		/* the peer deletes what it made */
		sa_set_state(theirs, SA_REPLACED);
		theirs->die_at_ms = now_ms + SA_HALF_OPEN_MS;
	}
}

/* ---- the peer's */

/* 2.25.2: not while a child is in the making or on its way out. */
static bool is_busy(const struct ike_sa *sa)
{
	return sa->out.active && sa->out.req.kind != REQ_LIVENESS && sa->out.req.kind != REQ_MOVE &&
	       sa->out.req.kind != REQ_ADDRESSES && sa->out.req.kind != REQ_IKE_REKEY;
}

static uint16_t make(struct ike_sa *sa, const struct sa_said *said, const struct ike_bytes *nr, struct crypto_dh **dh,
		     uint8_t *number, uint16_t *group, struct ike_sa **made, uint64_t now_ms)
{
	const struct ike_proposal *chosen;
	struct crypto_secret shared;
	uint8_t spi_r[IKE_SPI_SIZE];
	struct ike_suite suite;

	if (ike_proposal_select(sa->tunnel->ike, &said->proposals, IKE_PROTO_IKE, true, &suite, &chosen) != 0 ||
	    chosen->spi_len != IKE_SPI_SIZE)
		return N_NO_PROPOSAL_CHOSEN;
	*group = suite.dh;
	if (said->ke.group != suite.dh)
		return N_INVALID_KE_PAYLOAD;
	*dh = crypto_dh_new(suite.dh);
	if (!*dh || crypto_dh_shared(*dh, said->ke.value.data, said->ke.value.len, &shared) != 0)
		return N_INVALID_SYNTAX;
	crypto_random(spi_r, sizeof(spi_r));
	*made = successor_new(sa, false, chosen->spi, spi_r, now_ms);
	*number = chosen->number;
	if (ike_keys_derive(&suite, &sa->keys, &shared, &said->nonce, nr, chosen->spi, spi_r, &(*made)->keys) != 0 ||
	    sa_keys_use(*made) != 0) {
		sa_free(*made);
		*made = NULL;
	}
	crypto_secret_wipe(&shared);
	return *made ? 0 : N_NO_PROPOSAL_CHOSEN;
}

void sa_rekey_request(struct ike_sa *sa, uint32_t id, const struct ike_payloads *payloads, uint64_t now_ms)
{
	uint8_t nonce[2 * IKE_NONCE_MIN], data[2], number = 1;
	struct ike_bytes nr = { nonce, sizeof(nonce) };
	struct ike_proposals answer;
	struct crypto_dh *dh = NULL;
	struct ike_sa *made = NULL;
	struct sa_said said;
	struct ike_writer w;
	uint16_t error, group = 0;

	crypto_random(nonce, sizeof(nonce));
	if (sa_said_decode(payloads, &said) != 0)
		error = N_INVALID_SYNTAX;
	else if (sa->state != SA_UP || is_busy(sa) || sa->peer_successor || !engine_peer_may_rekey(sa))
		error = N_TEMPORARY_FAILURE;
	else
		error = make(sa, &said, &nr, &dh, &number, &group, &made, now_ms);
	if (error) {
		data[0] = (uint8_t)(group >> 8);
		data[1] = (uint8_t)group;
		sa_respond_notify(sa, CREATE_CHILD_SA, id, error, data, error == N_INVALID_KE_PAYLOAD ? 2 : 0, now_ms);
		crypto_dh_free(dh);
		return;
	}
	engine_sa_link(sa->engine, made);
	answer.n = 1;
	ike_proposal_of_suite(&made->keys.suite, IKE_PROTO_IKE, number, &answer.list[0]);
	ike_writer_init(&w);
	put_proposals(&w, &answer, made->spi_r);
	ike_nonce_encode(&w, nonce, sizeof(nonce));
	put_ke(&w, dh);
	sa_respond(sa, CREATE_CHILD_SA, id, &w, now_ms);
	ike_writer_fini(&w);
	crypto_dh_free(dh);
	if (sa->out.active && sa->out.req.kind == REQ_IKE_REKEY) {
		/* both at once: decided when ours is answered */
		sa->peer_successor = made->number;
		sa->peer_lowest = sa_lowest(&said.nonce, &nr);
		return;
	}
	replaced(sa, made, false, now_ms);
}

void sa_rekey_deleted(struct ike_sa *sa, uint64_t now_ms)
{
	struct ike_sa *theirs = sa->peer_successor ? engine_sa_by_number(sa->engine, sa->peer_successor) : NULL;

	if (!theirs)
		return;
	/* our own rekeying will get no answer; the peer's has taken its place */
	sa_exchange_end(sa);
	sa->peer_successor = 0;
	replaced(sa, theirs, false, now_ms);
}

void sa_rekey_taken(struct ike_sa *spare, uint64_t now_ms)
{
	struct ike_sa *old = engine_sa_by_number(spare->engine, spare->spare_of);

	if (!old || old->peer_successor != spare->number)
		return;
	old->peer_successor = 0;
	replaced(old, spare, false, now_ms);
}
