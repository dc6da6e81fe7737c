/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_check.h"

#include "ipsec/ike/ts.h"

static bool is_host(const struct ike_ts_list *list, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < list->n; i++)
		if (!ip_addr_equal(&list->list[i].first, addr) || !ip_addr_equal(&list->list[i].last, addr))
			return false;
	return list->n > 0;
}

/* An address that the peer has given, or that it was given: one, with all ports. */
static bool is_virtual(const struct ike_ts_list *list, const struct ip_prefix *pool)
{
	const struct ike_ts *ts = &list->list[0];

	return list->n == 1 && ip_addr_equal(&ts->first, &ts->last) &&
	       (!pool || ip_prefix_contains(pool, (enum ip_family)ts->first.family, ts->first.v));
}

static int check_selectors(const struct proc_child *m, const struct ike_tunnel *t, struct diag *diag)
{
	if (m->local_ts.n == 0 || m->remote_ts.n == 0)
		return diag_set(diag, "it has no selectors");
	if (!ike_ts_list_covers(t->local_ts, &m->local_ts) && !(t->request_address && is_virtual(&m->local_ts, NULL)))
		return diag_set(diag, "its local selectors are not the tunnel's");
	if (!ike_ts_list_covers(t->remote_ts, &m->remote_ts) && !(t->pool.len && is_virtual(&m->remote_ts, &t->pool)))
		return diag_set(diag, "its remote selectors are not the tunnel's");
	return 0;
}

static bool suite_is_offered(const struct proc_child *m, const struct ike_tunnel *t)
{
	const struct ike_suite suite = { .cipher = m->suite, .esn = m->esn };
	struct ike_proposals one = { .n = 1 };
	struct ike_suite chosen;

	ike_proposal_of_suite(&suite, IKE_PROTO_ESP, 1, &one.list[0]);
	return ike_proposal_accept(t->esp, &one, IKE_PROTO_ESP, false, &chosen) == 0;
}

int iked_child_check(const struct proc_child *m, const struct ike_tunnel *t, const struct ip_addr *local, struct diag *diag)
{
	if (t->link != m->path.link || m->transport != t->transport)
		return diag_set(diag, "it is not of this tunnel's configuration");
	if (!ip_addr_equal(local, &m->path.local.addr))
		return diag_set(diag, "the link has another address");
	if (!suite_is_offered(m, t))
		return diag_set(diag, "its algorithms are not the tunnel's");
	/* policies of no interface could take everybody's traffic. Behind a NAT the
	 * peer has another address inside */
	if (m->transport && (!is_host(&m->local_ts, &m->path.local.addr) ||
			     !is_host(&m->remote_ts, m->encap ? &m->remote_ts.list[0].first : &m->path.remote.addr)))
		return diag_set(diag, "transport mode is for what the two ends say themselves");
	return check_selectors(m, t, diag);
}

void iked_host_selectors(const struct ike_tunnel *t, const struct ip_addr *local, const struct ip_addr *remote,
			 struct ike_ts_list *local_ts, struct ike_ts_list *remote_ts)
{
	struct ike_ts_list host = { .n = 1, .list = { { .first = *local, .last = *local, .port_last = UINT16_MAX } } };

	ike_ts_narrow(t->local_ts, &host, local_ts);
	host.list[0].first = host.list[0].last = *remote;
	ike_ts_narrow(t->remote_ts, &host, remote_ts);
}
