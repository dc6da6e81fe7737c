/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ike_engine_impl - private to ike_engine.c and ike_tunnels.c.
 */
#ifndef SAV_IKE_ENGINE_IMPL_H
#define SAV_IKE_ENGINE_IMPL_H

#include "ipsec/ike/cookie.h"
#include "ipsec/ike/sa.h"
#include "ipsec/ike/tables.h"

#define NAMES 4096 /* buckets of tunnels' names */
#define SOURCES 4096

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
	struct tunnel_slot *next_down; /* wanted, and has no SA */
	bool is_down;
	char name[IKE_TUNNEL_NAME];
	struct tunnel_ref *ref; /* as it is wanted now, NULL: not any more */
	struct ike_sa *sas;
	struct ike_path path; /* where ike_engine_up() was told to begin */
	bool wanted;
	uint64_t retry_at_ms, retry_ms;
	uint64_t next_address;
};

struct ike_engine {
	struct ike_ops ops;
	void *ctx;
	struct tunnel_slot *first, *last;
	struct tunnel_slot *names[NAMES];
	struct ike_sa *sas; /* all of them */
	struct tunnel_slot *ids[NAMES];
	struct ike_sa *running; /* being looked at, and so not to be looked at again */
	struct ike_sa *touched;
	struct ike_sa **heap; /* by due_ms, the earliest first */
	size_t n_heap, heap_size;
	struct tunnel_slot *down;
	uint64_t retry_next_ms;
	struct tables tables;
	uint16_t source[SOURCES]; /* half-open SAs, by a hash of where they come from */
	uint64_t next_number, next_sign;
	struct cookies cookies;
	struct ike_counters counters;
	uint64_t second;
	unsigned answers;
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

#endif /* SAV_IKE_ENGINE_IMPL_H */
