/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * INFORMATIONAL: RFC 7296 1.4, 2.4, 2.21, 2.25; MOBIKE: RFC 4555 3.5 to 3.8.
 */
#include <string.h>

#include "ipsec/ike/sa.h"

#define DELETE_AGAIN_MS 1000

/* ---- ours */

static void put_delete(struct ike_sa *sa, struct ike_writer *w, uint64_t now_ms)
{
	if (sa->auth_failed) {
		ike_notify_encode(w, N_AUTHENTICATION_FAILED, NULL, 0);
		return;
	}
	ike_delete_encode(w, IKE_PROTO_IKE, NULL, 0);
	if (sa->state == SA_UP)
		sa_set_state(sa, SA_DELETING);
}

/* NAT_DETECTION shows both sides whether the mapping is still the same; COOKIE2
 * that the answer is of this question (RFC 4555 3.7, 3.8). */
static void put_mobike(struct ike_sa *sa, struct ike_writer *w)
{
	if (!sa->peer_mobike)
		return;
	crypto_random(sa->out.cookie2, sizeof(sa->out.cookie2));
	natd_encode(w, sa->spi_i, sa->spi_r, &sa->path.local, &sa->path.remote, sa->tunnel->nat == IKE_NAT_FORCE);
	ike_notify_encode(w, N_COOKIE2, sa->out.cookie2, sizeof(sa->out.cookie2));
}

void sa_info_begin(struct ike_sa *sa, uint64_t now_ms)
{
	struct sa_child *child;
	struct ike_writer w;
	bool nothing = false;

	ike_writer_init(&w);
	switch (sa->out.req.kind) {
	case REQ_IKE_DELETE:
		put_delete(sa, &w, now_ms);
		break;
	case REQ_CHILD_DELETE:
		child = sa_child_find(sa, sa->out.req.spi);
		nothing = !child || child->state == CHILD_DELETING;
		if (!nothing && !sa_child_unuse(sa, child, now_ms)) {
			sa->out.req.not_before_ms = now_ms + DELETE_AGAIN_MS;
			sa_queue(sa, &sa->out.req);
			nothing = true;
		}
		if (!nothing) {
			child->state = CHILD_DELETING;
			ike_delete_encode(&w, IKE_PROTO_ESP, &child->spi_in, 1);
		}
		break;
	case REQ_CHILD_UNMADE:
		ike_delete_encode(&w, IKE_PROTO_ESP, &sa->out.req.spi, 1);
		break;
	case REQ_MOVE:
		nothing = !sa->peer_mobike || sa->state != SA_UP;
		ike_notify_encode(&w, N_UPDATE_SA_ADDRESSES, NULL, 0);
		if (sa->tunnel->nat == IKE_NAT_REFUSE)
			natd_forbid(&w, &sa->path.local, &sa->path.remote);
		put_mobike(sa, &w);
		break;
	case REQ_ADDRESSES:
		/* only the pinned link's, and that is in the header */
		ike_notify_encode(&w, N_NO_ADDITIONAL_ADDRESSES, NULL, 0);
		/* fallthrough */
	default:
		nothing = sa->state != SA_UP;
		put_mobike(sa, &w);
		break;
	}
	if (!nothing)
		sa_request_send(sa, IKE_INFORMATIONAL, &w, now_ms);
	ike_writer_fini(&w);
}

static void end_for_nat(struct ike_sa *sa)
{
	const struct sa_request delete = { .kind = REQ_IKE_DELETE };

	sa_event(sa, IKE_EVENT_REFUSED, "a NAT has come up on the path, and the tunnel says nat refuse");
	sa_queue(sa, &delete);
}

/* The peer sees our packets come from elsewhere than before: a NAT on our side
 * has another mapping, and ESP must follow it (RFC 4555 3.8). */
static void judge_mapping(struct ike_sa *sa, const struct ike_payloads *payloads)
{
	const struct sa_request move = { .kind = REQ_MOVE };
	uint8_t seen[NATD_SIZE];

	if (!sa->began || !natd_destination(payloads, seen))
		return;
	/* where there was no NAT, what it should see needs no asking */
	if (!sa->has_nat_baseline && !sa->nat.local) {
		natd_hash(sa->spi_i, sa->spi_r, &sa->path.local, sa->nat_baseline);
		sa->has_nat_baseline = true;
	}
	if (sa->has_nat_baseline && memcmp(seen, sa->nat_baseline, NATD_SIZE) != 0 && sa->out.req.kind != REQ_MOVE) {
		if (sa->tunnel->nat == IKE_NAT_REFUSE)
			end_for_nat(sa);
		else
			sa_queue(sa, &move);
	}
	memcpy(sa->nat_baseline, seen, NATD_SIZE);
	sa->has_nat_baseline = true;
}

static bool cookie2_is_right(const struct ike_sa *sa, const struct ike_payloads *payloads)
{
	struct ike_notify n;

	return sa_notify(payloads, N_COOKIE2, &n) && n.data.len == sizeof(sa->out.cookie2) &&
	       crypto_equal(n.data.data, sa->out.cookie2, n.data.len);
}

static void moved(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms)
{
	const struct sa_request move = { .kind = REQ_MOVE };
	struct ike_path sent = sa->out.path;
	struct natd_result nat;
	struct ike_notify n;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	if (sa_error(payloads, &n)) {
		sa_event(sa, IKE_EVENT_REFUSED, "the peer refuses our new address: %s", ike_notify_name(n.type));
		if (n.type == N_UNEXPECTED_NAT_DETECTED)
			end_for_nat(sa);
		return;
	}
	/* moved on while this was on its way: once more (RFC 4555 3.5) */
	if (!ike_endpoint_equal(&sent.local, &sa->path.local) || !ike_endpoint_equal(&sent.remote, &sa->path.remote)) {
		sa_queue(sa, &move);
		return;
	}
	if (natd_judge(payloads, sa->spi_i, sa->spi_r, &sa->path.local, &sa->path.remote, &nat))
		sa->nat = nat;
	if (sa->tunnel->nat == IKE_NAT_REFUSE && (sa->nat.local || sa->nat.remote))
		end_for_nat(sa);
	for (unsigned i = 0; i < sa->n_children; i++)
		ops->child_move(ctx, sa->children[i]->spi_in, &sa->path, sa_encap(sa));
}

void sa_info_response(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms)
{
	struct sa_request req = sa->out.req;
	struct sa_child *child;

	if ((req.kind == REQ_LIVENESS || req.kind == REQ_MOVE || req.kind == REQ_ADDRESSES) && sa->peer_mobike) {
		if (!cookie2_is_right(sa, payloads)) {
			sa_kill(sa, IKE_EVENT_DOWN, "the answer has another COOKIE2: it is not of our question", now_ms);
			return;
		}
		if (req.kind == REQ_MOVE)
			moved(sa, payloads, now_ms);
		judge_mapping(sa, payloads);
	}
	sa_exchange_end(sa);
	switch (req.kind) {
	case REQ_IKE_DELETE:
		sa_kill(sa, IKE_EVENT_DOWN, "deleted by us", now_ms);
		return;
	case REQ_CHILD_DELETE:
		child = sa_child_find(sa, req.spi);
		if (child) {
			if (!child->successor)
				sa_event(sa, IKE_EVENT_CHILD_DOWN, "child SA %08x deleted by us", child->spi_in);
			sa_child_remove(sa, child);
		}
		return;
	default:
		return;
	}
}

/* ---- the peer's */

/* Each of its SPIs: the other half goes too, and is named in the answer, unless
 * our own delete for it is on its way (1.4.1). */
static void delete_children(struct ike_sa *sa, const struct ike_delete *d, struct ike_writer *w)
{
	uint32_t gone[IKE_DELETE_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < d->n; i++) {
		struct sa_child *child = sa_child_find_out(sa, d->spis[i]);

		if (!child)
			continue;
		if (child->state != CHILD_DELETING)
			gone[n++] = child->spi_in;
		if (!child->successor)
			sa_event(sa, IKE_EVENT_CHILD_DOWN, "child SA %08x deleted by the peer", child->spi_in);
		sa_child_remove(sa, child);
	}
	if (n > 0)
		ike_delete_encode(w, IKE_PROTO_ESP, gone, n);
}

/* Deletes in it. True: the IKE SA itself. */
static bool handle_deletes(struct ike_sa *sa, const struct ike_payloads *payloads, struct ike_writer *w)
{
	struct ike_delete d;
	bool all = false;

	for (unsigned i = 0; i < payloads->n; i++) {
		if (payloads->list[i].type != IKE_PL_DELETE || ike_delete_decode(payloads->list[i].body, &d) != 0)
			continue;
		if (d.protocol == IKE_PROTO_IKE)
			all = true;
		else if (d.protocol == IKE_PROTO_ESP)
			delete_children(sa, &d, w);
	}
	return all;
}

/* UPDATE_SA_ADDRESSES: 0, or the error that answers it (3.5, 3.9). */
static uint16_t take_update(struct ike_sa *sa, const struct ike_path *path, const struct ike_payloads *payloads,
			    uint64_t now_ms)
{
	struct natd_result nat;

	if (!natd_judge(payloads, sa->spi_i, sa->spi_r, &path->local, &path->remote, &nat))
		nat = sa->nat;
	if (sa->tunnel->nat == IKE_NAT_REFUSE && (nat.local || nat.remote)) {
		sa_event(sa, IKE_EVENT_REFUSED, "the peer moves behind a NAT, and the tunnel says nat refuse");
		return N_UNACCEPTABLE_ADDRESSES;
	}
	sa->nat = nat;
	sa_move(sa, path, now_ms);
	return 0;
}

static void answer_mobike(struct ike_sa *sa, const struct ike_path *path, const struct ike_payloads *payloads,
			  struct ike_writer *w, uint64_t now_ms)
{
	struct ike_notify n;
	uint16_t error = 0;

	if (!sa->peer_mobike)
		return;
	if (natd_is_forbidden(payloads, &path->local, &path->remote))
		error = N_UNEXPECTED_NAT_DETECTED;
	else if (sa_notify(payloads, N_UPDATE_SA_ADDRESSES, &n) && !sa->began)
		error = take_update(sa, path, payloads, now_ms);
	if (error)
		ike_notify_encode(w, error, NULL, 0);
	else
		sa_mobike_told(sa, path, payloads);
	if (sa_notify(payloads, N_NAT_DETECTION_SOURCE_IP, &n))
		natd_encode(w, sa->spi_i, sa->spi_r, &path->local, &path->remote, sa->tunnel->nat == IKE_NAT_FORCE);
	if (sa_notify(payloads, N_COOKIE2, &n) && n.data.len >= 8 && n.data.len <= 64)
		ike_notify_encode(w, N_COOKIE2, n.data.data, n.data.len);
}

void sa_info_request(struct ike_sa *sa, const struct ike_path *path, uint32_t id, const struct ike_payloads *payloads,
		     uint64_t now_ms)
{
	struct ike_notify n;
	struct ike_writer w;
	bool gone, failed = sa_notify(payloads, N_AUTHENTICATION_FAILED, &n) != NULL;

	ike_writer_init(&w);
	gone = handle_deletes(sa, payloads, &w);
	/* a question that crosses our delete has its COOKIE2 too, or the answer is none */
	if (!gone && (sa->state == SA_UP || sa->state == SA_DELETING))
		answer_mobike(sa, path, payloads, &w, now_ms);
	sa_respond(sa, IKE_INFORMATIONAL, id, &w, now_ms);
	ike_writer_fini(&w);
	if (sa->state == SA_DEAD)
		return;
	if (gone) {
		sa_rekey_deleted(sa, now_ms);
		sa_kill(sa, IKE_EVENT_DOWN, "deleted by the peer", now_ms);
	} else if (failed) {
		sa_kill(sa, IKE_EVENT_DOWN, "the peer does not take us for who we say", now_ms);
	}
}
