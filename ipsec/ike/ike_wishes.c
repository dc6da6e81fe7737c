/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the operator and the datapath want of an engine.
 */
#include "ipsec/ike/ike_engine_impl.h"

int ike_engine_up(struct ike_engine *e, const char *name, const struct ike_path *path, uint64_t now_ms, struct diag *diag)
{
	struct tunnel_slot *slot = engine_slot_find(e, name);
	const struct sa_request child = { .kind = REQ_CHILD_NEW };

	if (!slot)
		return diag_set(diag, "there is no tunnel %s", name);
	if (slot->ref->tunnel.remote_addr.v == 0)
		return diag_set(diag, "tunnel %s only answers: it has no remote address", name);
	slot->path = *path;
	slot->wanted = slot->ref->tunnel.start;
	slot->retry_ms = 0;
	if (!engine_slot_has_sa(slot))
		engine_initiate(e, slot, now_ms);
	for (struct ike_sa *sa = slot->sas; sa; sa = sa->next_tunnel)
		if (sa->state == SA_UP && !sa_child_stays(sa) && !sa_is_queued(sa, REQ_IKE_DELETE, 0))
			sa_queue(sa, &child);
	return 0;
}

static void down(struct ike_sa *sa, uint64_t now_ms)
{
	const struct sa_request delete = { .kind = REQ_IKE_DELETE };

	if (sa->state == SA_UP)
		sa_queue(sa, &delete);
	else if (sa->state < SA_UP)
		sa_kill(sa, IKE_EVENT_DOWN, "taken down", now_ms);
}

int ike_engine_down(struct ike_engine *e, const char *name, uint64_t now_ms, struct diag *diag)
{
	struct tunnel_slot *slot = engine_slot_find(e, name);

	if (!slot)
		return diag_set(diag, "there is no tunnel %s", name);
	slot->wanted = false;
	for (struct ike_sa *sa = slot->sas; sa; sa = sa->next_tunnel)
		down(sa, now_ms);
	return 0;
}

void ike_engine_tunnel_del(struct ike_engine *e, const char *name, uint64_t now_ms)
{
	struct tunnel_slot *slot = engine_slot_find(e, name);
	struct diag diag;

	if (!slot)
		return;
	ike_engine_down(e, name, now_ms, &diag);
	engine_slot_set_ref(e, slot, NULL);
	engine_slot_drop(e, slot);
}

int ike_engine_rekey(struct ike_engine *e, const char *name, bool children, uint64_t now_ms, struct diag *diag)
{
	struct tunnel_slot *slot = engine_slot_find(e, name);
	unsigned n = 0;

	for (struct ike_sa *sa = slot ? slot->sas : NULL; sa; sa = sa->next_tunnel) {
		const struct sa_request rekey = { .kind = REQ_IKE_REKEY };

		if (sa->state != SA_UP)
			continue;
		n++;
		if (!children)
			sa_queue(sa, &rekey);
		for (unsigned i = 0; children && i < sa->n_children; i++) {
			const struct sa_request child = { .kind = REQ_CHILD_REKEY, .spi = sa->children[i]->spi_in };

			sa_queue(sa, &child);
		}
	}
	return n ? 0 : diag_set(diag, "tunnel %s is not up", name);
}

void ike_engine_child_expiring(struct ike_engine *e, uint32_t spi_in, uint64_t now_ms)
{
	struct sa_child *child;
	struct ike_sa *sa;

	child = engine_child_by_spi(e, spi_in, &sa);
	if (!child || sa->state != SA_UP || child->rekey_at_ms <= now_ms)
		return;
	child->rekey_at_ms = now_ms; /* again, if it comes to nothing */
	engine_touch(sa);
}

void ike_engine_child_failed(struct ike_engine *e, uint32_t spi_in, uint64_t now_ms)
{
	const struct sa_request delete = { .kind = REQ_CHILD_DELETE, .spi = spi_in };
	struct ike_sa *sa;

	if (!engine_child_by_spi(e, spi_in, &sa) || sa->state != SA_UP)
		return;
	sa_event(sa, IKE_EVENT_REFUSED, "the datapath cannot carry child SA %08x", spi_in);
	sa_queue(sa, &delete);
}

void ike_engine_esp_moved(struct ike_engine *e, uint32_t spi_in, const struct ike_endpoint *remote, uint64_t now_ms)
{
	struct ike_path path;
	struct ike_sa *sa;

	/* who is behind a NAT itself does not follow (2.23), nor who wants none */
	if (!engine_child_by_spi(e, spi_in, &sa) || sa->state != SA_UP || sa->nat.local || !sa->peer_natt ||
	    sa->tunnel->nat == IKE_NAT_REFUSE || ike_endpoint_equal(&sa->path.remote, remote))
		return;
	path = sa->path;
	path.remote = *remote;
	sa->nat.remote = true;
	sa_move(sa, &path, now_ms);
}

void ike_engine_link_moved(struct ike_engine *e, uint32_t link, const struct ip_addr *local, uint64_t now_ms)
{
	for (struct tunnel_slot *slot = e->first; slot; slot = slot->next)
		if (slot->path.link == link && slot->path.local.addr.family == local->family)
			slot->path.local.addr = *local;
	for (struct ike_sa *sa = e->sas; sa; sa = sa->next) {
		if (sa->state != SA_UP || sa->path.link != link || sa->path.local.addr.family != local->family ||
		    ip_addr_equal(&sa->path.local.addr, local))
			continue;
		sa_relocate(sa, local, now_ms);
	}
}
