/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where else the peer is: RFC 4555 3.4, 3.6 and 3.10. Only who began the IKE SA
 * moves it, so the list is of use to it alone; who answers says where it is.
 *
 * The list has passed the peer's integrity check, and IP headers have not: no
 * address that is not in it is moved to, but for that from which the list came,
 * when the present one is in it no more (3.6).
 */
#include <string.h>

#include "ipsec/ike/sa.h"

#define PROBE_FROM 3 /* times that a request was sent on the present way before others are tried */

static bool is_listed(const struct ike_sa *sa, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < sa->n_peer_addrs; i++)
		if (ip_addr_equal(&sa->peer_addrs[i], addr))
			return true;
	return false;
}

static void list(struct ike_sa *sa, const struct ike_notify *n, enum ip_family family)
{
	struct ip_addr addr = { .family = family };

	if (n->data.len != ip_bytes(family) || sa->n_peer_addrs == SA_PEER_ADDRS_MAX)
		return;
	addr.v = ip_from_bytes(n->data.data, family);
	if (addr.v != 0 && addr.family == sa->path.local.addr.family && !is_listed(sa, &addr))
		sa->peer_addrs[sa->n_peer_addrs++] = addr;
}

bool sa_mobike_learn(struct ike_sa *sa, const struct ike_payloads *payloads)
{
	struct ike_notify n;
	bool told = false;

	for (unsigned i = 0; i < payloads->n; i++) {
		if (payloads->list[i].type != IKE_PL_NOTIFY || ike_notify_decode(payloads->list[i].body, &n) != 0 ||
		    n.type < N_ADDITIONAL_IP4_ADDRESS || n.type > N_NO_ADDITIONAL_ADDRESSES)
			continue;
		/* a new list replaces the old one */
		if (!told)
			sa->n_peer_addrs = 0;
		told = true;
		if (n.type != N_NO_ADDITIONAL_ADDRESSES)
			list(sa, &n, n.type == N_ADDITIONAL_IP4_ADDRESS ? IP_V4 : IP_V6);
	}
	return told;
}

/* The IKE SA is elsewhere now; its children follow when the peer has answered from
 * there, with COOKIE2 (3.5, 3.7). */
static void go(struct ike_sa *sa, const struct ip_addr *remote)
{
	const struct sa_request move = { .kind = REQ_MOVE };
	char text[IP_TEXT_SIZE];

	/* which is tried too if nobody answers there: the header may be forged */
	if (!is_listed(sa, &sa->path.remote.addr)) {
		sa->n_peer_addrs -= sa->n_peer_addrs == SA_PEER_ADDRS_MAX;
		sa->peer_addrs[sa->n_peer_addrs++] = sa->path.remote.addr;
	}
	sa->path.remote.addr = *remote;
	sa_queue(sa, &move);
	sa_event(sa, IKE_EVENT_MOVED, "the peer is tried at its address %s", ip_addr_format(remote, text));
}

void sa_mobike_told(struct ike_sa *sa, const struct ike_path *path, const struct ike_payloads *payloads)
{
	if (!sa_mobike_learn(sa, payloads) || !sa->began || path->local.addr.family != path->remote.addr.family)
		return;
	if (!ip_addr_equal(&sa->path.remote.addr, &path->remote.addr) && !is_listed(sa, &sa->path.remote.addr))
		go(sa, &path->remote.addr);
}

void sa_mobike_probe(struct ike_sa *sa)
{
	struct ike_path path = sa->path;

	/* what a request says of the path would not be so on another one */
	if (!sa->began || !sa->peer_mobike || sa->out.sent <= PROBE_FROM || sa->tunnel->nat == IKE_NAT_REFUSE)
		return;
	for (unsigned i = 0; i < sa->n_peer_addrs; i++) {
		path.remote.addr = sa->peer_addrs[i];
		if (!ip_addr_equal(&path.remote.addr, &sa->path.remote.addr))
			sa_send_packets(sa, &sa->out.packets, &path);
	}
}

void sa_mobike_answered(struct ike_sa *sa, const struct ike_path *path)
{
	if (sa->began && sa->peer_mobike && sa->state == SA_UP && !ip_addr_equal(&path->remote.addr, &sa->path.remote.addr) &&
	    is_listed(sa, &path->remote.addr))
		go(sa, &path->remote.addr);
}
