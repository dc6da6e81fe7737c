/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An engine's tunnels: by name, by the peer's identity, and in their order.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/ike_engine_impl.h"
#include "ipsec/ike/ranges.h"
#include "lib/fnv.h"
#include "lib/mem.h"

struct tunnel_ref *engine_ref_of(const struct ike_tunnel *tunnel)
{
	return (struct tunnel_ref *)(uintptr_t)tunnel;
}

static struct tunnel_slot **slot_place(struct ike_engine *e, const char *name)
{
	struct tunnel_slot **at = &e->names[fnv_text(name) % NAMES];

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next_hash;
	return at;
}

/* The tunnel of that name, if there is one now. */
struct tunnel_slot *engine_slot_find(struct ike_engine *e, const char *name)
{
	struct tunnel_slot *slot = *slot_place(e, name);

	return slot && slot->ref ? slot : NULL;
}

static struct tunnel_slot *slot_get(struct ike_engine *e, const char *name)
{
	struct tunnel_slot **at = slot_place(e, name), *slot = *at;

	if (slot)
		return slot;
	slot = *at = mem_alloc(sizeof(*slot));
	memcpy(slot->name, name, strlen(name) + 1);
	slot->prev = e->last;
	if (e->last)
		e->last->next = slot;
	else
		e->first = slot;
	e->last = slot;
	return slot;
}

static void ref_put(struct tunnel_ref *ref)
{
	if (--ref->refs > 0)
		return;
	ike_tunnel_drop(&ref->tunnel);
	free(ref);
}

struct tunnel_slot **engine_id_bucket(struct ike_engine *e, const struct ike_identity *id)
{
	return &e->ids[tables_mix(&e->tables, ike_identity_hash(id)) >> 32 & (NAMES - 1)];
}

/* ---- what strangers are answered */

static bool same_offer(const struct ike_tunnel *a, const struct ike_tunnel *b)
{
	/* lists are kept once, so the same algorithms are at the same place */
	return a->ike == b->ike && a->link == b->link && a->nat == b->nat && a->childless == b->childless &&
	       (a->fragment_bytes != 0) == (b->fragment_bytes != 0) && ip_addr_equal(&a->local_addr, &b->local_addr);
}

static void offer_add(struct ike_engine *e, const struct ike_tunnel *tunnel)
{
	struct offer **at = &e->offers;

	while (*at && !same_offer(&(*at)->tunnel, tunnel))
		at = &(*at)->next;
	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		(*at)->tunnel = *tunnel;
		ike_tunnel_keep(&(*at)->tunnel);
	}
	(*at)->n++;
}

static void offer_remove(struct ike_engine *e, const struct ike_tunnel *tunnel)
{
	struct offer **at = &e->offers, *offer;

	while (!same_offer(&(*at)->tunnel, tunnel))
		at = &(*at)->next;
	offer = *at;
	if (--offer->n > 0)
		return;
	*at = offer->next;
	ike_tunnel_drop(&offer->tunnel);
	free(offer);
}

/* ---- what a slot stands for */

void engine_slot_set_ref(struct ike_engine *e, struct tunnel_slot *slot, struct tunnel_ref *ref)
{
	struct tunnel_slot **at;

	if (slot->ref) {
		at = engine_id_bucket(e, &slot->ref->tunnel.remote_id);
		while (*at != slot)
			at = &(*at)->next_id;
		*at = slot->next_id;
		offer_remove(e, &slot->ref->tunnel);
		ref_put(slot->ref);
	}
	slot->ref = ref;
	if (ref) {
		/* behind the others: the first that fits is taken */
		for (at = engine_id_bucket(e, &ref->tunnel.remote_id); *at; at = &(*at)->next_id)
			;
		slot->next_id = NULL;
		*at = slot;
		offer_add(e, &ref->tunnel);
	}
}

void engine_slot_is_up(struct ike_engine *e, struct tunnel_slot *slot)
{
	if (!slot->is_down)
		return;
	if (slot->prev_down)
		slot->prev_down->next_down = slot->next_down;
	else
		e->down = slot->next_down;
	if (slot->next_down)
		slot->next_down->prev_down = slot->prev_down;
	slot->is_down = false;
	slot->retry_at_ms = 0;
}

/* Nothing is called so any more. */
void engine_slot_drop(struct ike_engine *e, struct tunnel_slot *slot)
{
	if (slot->ref || slot->sas)
		return;
	engine_slot_is_up(e, slot);
	*slot_place(e, slot->name) = slot->next_hash;
	if (slot->prev)
		slot->prev->next = slot->next;
	else
		e->first = slot->next;
	if (slot->next)
		slot->next->prev = slot->prev;
	else
		e->last = slot->prev;
	free(slot);
}

void engine_sa_tunnel(struct ike_sa *sa, const struct ike_tunnel *tunnel)
{
	struct tunnel_ref *ref = engine_ref_of(tunnel);

	ref->refs++;
	ref->slot->n_sas++;
	sa->tunnel = tunnel;
	sa->prev_tunnel = NULL;
	sa->next_tunnel = ref->slot->sas;
	if (sa->next_tunnel)
		sa->next_tunnel->prev_tunnel = sa;
	ref->slot->sas = sa;
}

void engine_sa_untunnel(struct ike_sa *sa)
{
	struct tunnel_ref *ref = engine_ref_of(sa->tunnel);

	if (!ref)
		return;
	if (sa->prev_tunnel)
		sa->prev_tunnel->next_tunnel = sa->next_tunnel;
	else
		ref->slot->sas = sa->next_tunnel;
	if (sa->next_tunnel)
		sa->next_tunnel->prev_tunnel = sa->prev_tunnel;
	sa->tunnel = NULL;
	if (--ref->slot->n_sas == 0) {
		ranges_free(ref->slot->ranges);
		ref->slot->ranges = NULL;
	}
	engine_slot_drop(sa->engine, ref->slot);
	ref_put(ref);
}

void ike_engine_tunnel_set(struct ike_engine *e, const struct ike_tunnel *tunnel)
{
	struct tunnel_slot *slot = slot_get(e, tunnel->name);
	struct tunnel_ref *ref = mem_alloc(sizeof(*ref));

	ref->tunnel = *tunnel;
	ike_tunnel_keep(&ref->tunnel);
	ref->refs = 1;
	ref->slot = slot;
	engine_slot_set_ref(e, slot, ref);
}

/* Where the peer is says nothing: a NAT may be between (N7). */
static bool path_fits(const struct ike_tunnel *t, const struct ike_path *path)
{
	return (!t->link || t->link == path->link) && (!t->local_addr.v || ip_addr_equal(&t->local_addr, &path->local.addr));
}

static bool slot_fits(const struct tunnel_slot *slot, const struct ike_path *path)
{
	return slot->ref && path_fits(&slot->ref->tunnel, path);
}

const struct ike_tunnel *engine_offer_next(struct ike_engine *e, const struct ike_path *path, const struct ike_tunnel *after)
{
	const struct offer *offer =
		after ? ((const struct offer *)((uintptr_t)after - offsetof(struct offer, tunnel)))->next : e->offers;

	while (offer && !path_fits(&offer->tunnel, path))
		offer = offer->next;
	return offer ? &offer->tunnel : NULL;
}

const struct ike_tunnel *engine_tunnel_of(struct ike_engine *e, const struct ike_path *path, const struct ike_identity *id,
					  const struct ike_tunnel *after)
{
	struct tunnel_slot *slot = after ? engine_ref_of(after)->slot->next_id : *engine_id_bucket(e, id);

	while (slot && (!slot_fits(slot, path) || !ike_identity_equal(&slot->ref->tunnel.remote_id, id)))
		slot = slot->next_id;
	return slot ? &slot->ref->tunnel : NULL;
}
