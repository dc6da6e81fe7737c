/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which peer of a tunnel has which addresses inside: those of its pool, and those that
 * peers ask for by selectors.
 */
#include "ipsec/ike/ike_engine_impl.h"
#include "ipsec/ike/ranges.h"

/* ---- a pool */

/* Of peers that share an identity, one that has moved looks like another one. */
static bool is_same_peer(const struct ike_sa *a, const struct ike_sa *b)
{
	return ike_identity_equal(&a->peer_id, &b->peer_id) &&
	       (!a->tunnel->shared_identity || ike_endpoint_equal(&a->path.remote, &b->path.remote));
}

/* What another SA of this peer has already: else a client could have the whole pool, an
 * address with each SA. v 0: it has none. */
static struct ip_addr pool_of_peer(struct ike_engine *e, const struct ike_sa *sa)
{
	struct ike_sa *other = NULL;

	while ((other = tables_by_identity(&e->tables, &sa->peer_id, other)) != NULL)
		if (other->state != SA_DEAD && other->virtual_addr.v && !other->began &&
		    engine_ref_of(other->tunnel)->slot == engine_ref_of(sa->tunnel)->slot &&
		    ip_prefix_contains(&sa->tunnel->pool, (enum ip_family)other->virtual_addr.family, other->virtual_addr.v) &&
		    is_same_peer(sa, other))
			return other->virtual_addr;
	return (struct ip_addr){ 0 };
}

static bool pool_give(struct ike_engine *e, struct ike_sa *sa, struct ip_addr addr, struct ip_addr *out)
{
	sa->virtual_addr = *out = addr;
	tables_add_address(&e->tables, sa);
	return true;
}

bool engine_pool_take(struct ike_engine *e, struct ike_sa *sa, struct ip_addr *out)
{
	struct tunnel_slot *slot = engine_ref_of(sa->tunnel)->slot;
	const struct ip_prefix *pool = &sa->tunnel->pool;
	unsigned host_bits = ip_bits(pool->family) - pool->len;
	uint64_t size = host_bits >= 32 ? UINT32_MAX : (1ULL << host_bits) - 1;
	struct ip_addr its;

	/* its own earlier SA may have it still */
	if (ike_tunnel_gives_one(sa->tunnel))
		return pool_give(e, sa, (struct ip_addr){ pool->v, pool->family }, out);
	if (pool->len == 0 || size < 1)
		return false;
	its = pool_of_peer(e, sa);
	if (its.v)
		return pool_give(e, sa, its, out);
	for (uint64_t tries = 0; tries < size && tries < 65536; tries++) {
		struct ip_addr addr = { pool->v + 1 + slot->next_address++ % size, pool->family };

		if (!tables_by_address(&e->tables, &addr))
			return pool_give(e, sa, addr, out);
	}
	return false;
}

/* ---- who has what another one asks for */

#define MANY_SAS 16 /* of one tunnel, so that a look at each costs more than an index */

struct asked {
	struct ike_sa *sa;
	const struct ike_ts_list *remote;
	bool transport;
};

static bool overlaps(const struct sa_child *child, const struct ike_ts_list *remote)
{
	struct ike_ts common;

	for (unsigned i = 0; i < remote->n; i++)
		for (unsigned j = 0; j < child->remote_ts->n; j++)
			if (ike_ts_intersect(&remote->list[i], &child->remote_ts->list[j], &common))
				return true;
	return false;
}

/* Another peer has some of it. */
static bool is_in_the_way(void *ctx, const struct sa_child *child)
{
	const struct asked *asked = ctx;

	/* hosts behind one NAT are told apart by the datapath (RFC 7296 2.23.1); the names
	 * last: distinguished names take long */
	return child->sa != asked->sa && child->sa->state == SA_UP && !(asked->transport && child->transport) &&
	       overlaps(child, asked->remote) && !is_same_peer(asked->sa, child->sa);
}

static struct sa_child *look_at_each(const struct tunnel_slot *slot, struct asked *asked)
{
	for (struct ike_sa *other = slot->sas; other; other = other->next_tunnel)
		for (unsigned i = 0; i < other->n_children; i++)
			if (is_in_the_way(asked, other->children[i]))
				return other->children[i];
	return NULL;
}

static struct sa_child *look_up(const struct tunnel_slot *slot, struct asked *asked)
{
	struct sa_child *child = NULL;

	for (unsigned i = 0; i < asked->remote->n && !child; i++)
		child = ranges_find(slot->ranges, &asked->remote->list[i], is_in_the_way, asked);
	return child;
}

static void ranges_make(struct ike_engine *e, struct tunnel_slot *slot)
{
	slot->ranges = ranges_new(e->tables.seed);
	for (struct ike_sa *sa = slot->sas; sa; sa = sa->next_tunnel)
		for (unsigned i = 0; i < sa->n_children; i++)
			ranges_add(slot->ranges, sa->children[i]);
}

bool engine_ts_is_taken(struct ike_sa *sa, const struct ike_ts_list *remote, bool transport)
{
	const struct sa_request liveness = { .kind = REQ_LIVENESS };
	char id[IKE_IDENTITY_TEXT], other_id[IKE_IDENTITY_TEXT], at[IKE_ENDPOINT_TEXT], ts[IKE_TS_TEXT];
	struct tunnel_slot *slot = engine_ref_of(sa->tunnel)->slot;
	struct asked asked = { sa, remote, transport };
	const struct sa_child *child;
	struct ike_sa *other;

	/* an address of a pool is no other's already, and is all that its peer has */
	if (sa->virtual_addr.v && !sa->began && !ike_tunnel_gives_one(sa->tunnel))
		return false;
	if (!slot->ranges && slot->n_sas > MANY_SAS)
		ranges_make(sa->engine, slot);
	child = slot->ranges ? look_up(slot, &asked) : look_at_each(slot, &asked);
	if (!child)
		return false;
	other = child->sa;
	sa_event(sa, IKE_EVENT_REFUSED, "%.150s wants what %.150s at %s has already: %s",
		 ike_identity_format(&sa->peer_id, id), ike_identity_format(&other->peer_id, other_id),
		 ike_endpoint_format(&other->path.remote, at), ike_ts_format(&child->remote_ts->list[0], ts));
	/* unless that one is gone: then the next try is answered otherwise */
	if (!sa_is_queued(other, REQ_LIVENESS, 0))
		sa_queue(other, &liveness);
	return true;
}
