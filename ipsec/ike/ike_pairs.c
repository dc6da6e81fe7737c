/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How many IKE SAs one pair of identities has.
 *
 * Source: RFC 7296 2.4.
 */
#include "ipsec/ike/ike_engine_impl.h"

/* ---- INITIAL_CONTACT */

static bool same_pair(const struct ike_sa *a, const struct ike_sa *b)
{
	return a != b && b->state == SA_UP && ike_identity_equal(&a->own_id, &b->own_id);
}

/* A peer that begins anew comes back on the link where it was: two links of one
 * site are two pairs of places for one pair of names. */
void engine_initial_contact(struct ike_engine *e, struct ike_sa *sa, uint64_t now_ms)
{
	struct ike_sa *other = NULL;

	while ((other = tables_by_identity(&e->tables, &sa->peer_id, other)) != NULL)
		if (same_pair(sa, other) && other->path.link == sa->path.link) {
			/* its datapath may have outlived its IKE, and uses the old ones for now */
			other->yields = true;
			sa_kill(other, IKE_EVENT_DOWN, "the peer has begun anew", now_ms);
		}
}

/* It may begin at the same time, or be up with a peer that has one link only. */
static bool is_pair_of_another(struct ike_engine *e, const struct ike_sa *sa)
{
	const struct tunnel_slot *own = engine_ref_of(sa->tunnel)->slot;
	const struct tunnel_slot *slot = *engine_id_bucket(e, &sa->tunnel->remote_id);

	while (slot && (slot == own || !ike_identity_equal(&slot->ref->tunnel.remote_id, &sa->tunnel->remote_id) ||
			!ike_identity_equal(&slot->ref->tunnel.local_id, &sa->own_id)))
		slot = slot->next_id;
	return slot != NULL;
}

bool engine_is_first_contact(struct ike_engine *e, const struct ike_sa *sa)
{
	const struct ike_identity *peer = &sa->tunnel->remote_id;
	struct ike_sa *other = NULL;

	if (sa->tunnel->shared_identity || peer->type == 0 || is_pair_of_another(e, sa))
		return false;
	while ((other = tables_by_identity(&e->tables, peer, other)) != NULL)
		if (same_pair(sa, other))
			return false;
	return true;
}

/* ---- without INITIAL_CONTACT
 *
 * A peer that has lost its SAs without a word leaves them to us until liveness ends
 * them, and one that means ill begins as many as it likes. One of one tunnel has so
 * many: when there are more than it should need they are asked whether it is there,
 * and for one too many the one goes that has not answered for the longest time. Where
 * it answers on all, they are in use, and the new one is refused. */
#define PEER_ASKED 8
#define PEER_MAX   16
#define PEER_ALL   32	  /* with those that have been rekeyed and wait for their end */
#define HEARD_MS   2000	  /* it is there */
#define SILENT_SENT 3	  /* times that a request went out: after 1.5 s */

/* Peers that share an identity are told apart by their places. */
static bool is_of_peer(const struct ike_sa *sa, const struct ike_sa *other)
{
	return other != sa && other->state != SA_DEAD && engine_ref_of(other->tunnel)->slot == engine_ref_of(sa->tunnel)->slot &&
	       (!sa->tunnel->shared_identity || ike_endpoint_equal(&sa->path.remote, &other->path.remote)) &&
	       ike_identity_equal(&sa->own_id, &other->own_id);
}

static struct ike_sa *next_of_peer(struct ike_sa *sa, struct ike_sa *after)
{
	struct ike_sa *other = after;

	do
		other = tables_by_identity(&sa->engine->tables, &sa->peer_id, other);
	while (other && !is_of_peer(sa, other));
	return other;
}

static void ask_each(struct ike_sa *sa, uint64_t now_ms)
{
	const struct sa_request liveness = { .kind = REQ_LIVENESS };

	for (struct ike_sa *other = NULL; (other = next_of_peer(sa, other)) != NULL;)
		if (other->state == SA_UP && !other->out.active && sa_heard_ms(other) + HEARD_MS <= now_ms)
			sa_queue(other, &liveness);
}

static bool is_silent(const struct ike_sa *sa, uint64_t now_ms)
{
	return sa->out.active && sa->out.sent >= SILENT_SENT && sa_heard_ms(sa) + HEARD_MS <= now_ms;
}

bool engine_peer_may_begin(struct ike_sa *sa, uint64_t now_ms)
{
	struct ike_sa *silent = NULL;
	unsigned n = 0;

	for (struct ike_sa *other = NULL; (other = next_of_peer(sa, other)) != NULL;) {
		if (other->state != SA_UP)
			continue;
		n++;
		if (is_silent(other, now_ms) && (!silent || sa_heard_ms(other) < sa_heard_ms(silent)))
			silent = other;
	}
	if (n >= PEER_ASKED)
		ask_each(sa, now_ms);
	if (n < PEER_MAX)
		return true;
	if (silent) {
		sa->engine->counters.timeouts++;
		sa_kill(silent, IKE_EVENT_DOWN, "the peer does not answer, and has begun 16 more", now_ms);
		return true;
	}
	sa->engine->counters.peer_refused++;
	return false;
}

bool engine_peer_may_rekey(struct ike_sa *sa)
{
	unsigned n = 0;

	for (struct ike_sa *other = NULL; (other = next_of_peer(sa, other)) != NULL;)
		n++;
	if (n < PEER_ALL)
		return true;
	sa->engine->counters.peer_refused++;
	return false;
}
