/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ike_engine_impl - private to the engine's files.
 *
 *   ike_engine.c   SAs, and which of them a packet is for
 *   ike_admit.c    strangers: cookies, half-open SAs, what is limited
 *   ike_due.c      who is due, and what shall be up
 *   ike_tunnels.c  tunnels by name and by identity
 *   ike_pairs.c    how many SAs a peer has: INITIAL_CONTACT, and a bound
 *   ike_addresses.c  which of a tunnel's peers has which addresses
 *   ike_wishes.c   what the operator and the datapath want
 *   ike_show.c     what there is
 */
#ifndef SAV_IKE_ENGINE_IMPL_H
#define SAV_IKE_ENGINE_IMPL_H

#include "ipsec/ike/cookie.h"
#include "ipsec/ike/sa.h"
#include "ipsec/ike/tables.h"

#define NAMES 4096 /* buckets of tunnels' names */
#define SOURCES 4096 /* a power of two */
#define HALF_OPEN_MAX 8192 /* some 10 KB each */

/* What the operator wanted of a tunnel at some time: SAs outlive a change. */
struct tunnel_ref {
	struct ike_tunnel tunnel; /* first: the reference is found by its address */
	unsigned refs;
	struct tunnel_slot *slot;
};

/* A tunnel's name, and all that is called so. */
struct tunnel_slot {
	struct tunnel_slot *next_hash, *prev, *next; /* all, in their order */
	struct tunnel_slot *next_id; /* same hash of the peer's identity */
	struct tunnel_slot *prev_down, *next_down; /* wanted, and has no SA */
	bool is_down;
	char name[IKE_TUNNEL_NAME];
	struct tunnel_ref *ref; /* as it is wanted now, NULL: not any more */
	struct ike_sa *sas;
	unsigned n_sas;
	struct ranges *ranges; /* of their children, once there were many; else NULL */
	struct ike_path path; /* where ike_engine_up() was told to begin */
	bool wanted;
	uint64_t retry_at_ms, retry_ms;
	uint64_t next_address;
};

/* How often in this second. */
struct ike_rate {
	uint64_t second;
	unsigned n;
};

/* What IKE_SA_INIT's answer depends on, before anybody has a name: most tunnels
 * have it in common. */
struct offer {
	struct offer *next;
	unsigned n; /* tunnels */
	struct ike_tunnel tunnel; /* of them, the first */
};

struct ike_engine {
	struct ike_ops ops;
	void *ctx;
	struct tunnel_slot *first, *last;
	struct tunnel_slot *names[NAMES];
	struct ike_sa *sas; /* all of them */
	struct tunnel_slot *ids[NAMES];
	struct ike_sa *running; /* being looked at, and so not to be looked at again */
	struct ike_sa *touched, *last_touched; /* first in, first out */
	size_t n_touched;
	struct ike_sa *first_half, *last_half; /* half open, the oldest first */
	struct ike_sa **heap; /* by due_ms, the earliest first */
	size_t n_heap, heap_size;
	struct tunnel_slot *down;
	uint64_t retry_next_ms;
	struct tables tables;
	uint16_t source[SOURCES]; /* half-open SAs, by a hash of where they come from */
	uint64_t next_number, next_sign;
	struct cookies cookies;
	struct ike_counters counters;
	struct ike_rate answers, tells;
	size_t strangers_bytes; /* fragments of half-open SAs */
	unsigned n_lingering;	/* SAs that were refused and are kept for their answers */
	struct ike_writer plain; /* of answers without an SA, so that a flood allocates nothing */
	struct offer *offers;
	uint64_t now_ms; /* of the call that is being served */
};

/* ---- ike_tunnels.c */
struct tunnel_ref *engine_ref_of(const struct ike_tunnel *tunnel);
/* The tunnel of that name, if there is one now. */
struct tunnel_slot *engine_slot_find(struct ike_engine *e, const char *name);
/* Tunnels whose remote identity may be this one; the next is slot->next_id. */
struct tunnel_slot **engine_id_bucket(struct ike_engine *e, const struct ike_identity *id);
void engine_slot_set_ref(struct ike_engine *e, struct tunnel_slot *slot, struct tunnel_ref *ref);
void engine_slot_is_up(struct ike_engine *e, struct tunnel_slot *slot); /* out of those that wait for a retry */
void engine_slot_drop(struct ike_engine *e, struct tunnel_slot *slot);	/* unless something is called so */

/* ---- ike_engine.c */
void engine_sa_unlink(struct ike_engine *e, struct ike_sa *sa); /* it is not freed */
struct sa_child *engine_child_by_spi(struct ike_engine *e, uint32_t spi_in, struct ike_sa **owner);

/* ---- ike_admit.c */
void engine_half_open_begin(struct ike_engine *e, struct ike_sa *sa, uint64_t now_ms);
/* Something unasked, to nobody known: so many a second. */
bool engine_may_answer(struct ike_engine *e, uint64_t now_ms);
/* A notify, without an SA. */
void engine_answer_plain(struct ike_engine *e, const struct ike_path *path, const struct ike_header *to, uint16_t notify,
			 const void *data, size_t len);
/* True: there is room, or its cookie is good. False: it was asked for one. */
bool engine_pass_cookie(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
			const struct ike_payloads *payloads, uint64_t now_ms);

/* ---- ike_due.c */
void engine_due_add(struct ike_engine *e, struct ike_sa *sa);
void engine_due_remove(struct ike_engine *e, struct ike_sa *sa);
struct ike_sa *engine_initiate(struct ike_engine *e, struct tunnel_slot *slot, uint64_t now_ms);
bool engine_slot_has_sa(const struct tunnel_slot *slot); /* up, or on its way */

#endif /* SAV_IKE_ENGINE_IMPL_H */
