/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/links.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "lib/mem.h"

#define EVENT_BUFFER_BYTES (1 << 20)
#define DRAIN_MAX	   4096 /* messages per wake-up */

struct links {
	struct nl_sock *events;
	struct nl_sock *queries;
};

static struct nl_sock *connect_route(void)
{
	struct nl_sock *s = nl_socket_alloc();

	if (s && nl_connect(s, NETLINK_ROUTE) < 0) {
		nl_socket_free(s);
		return NULL;
	}
	return s;
}

struct links *links_open(struct diag *diag)
{
	struct links *l = mem_alloc(sizeof(*l));

	l->events = connect_route();
	l->queries = connect_route();
	if (l->events && l->queries &&
	    nl_socket_add_memberships(l->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
				      RTNLGRP_IPV6_IFADDR, 0) == 0 &&
	    nl_socket_set_nonblocking(l->events) == 0) {
		nl_socket_set_buffer_size(l->events, EVENT_BUFFER_BYTES, 0);
		return l;
	}
	diag_set(diag, "cannot watch the interfaces by rtnetlink: %s", strerror(errno));
	links_close(l);
	return NULL;
}

void links_close(struct links *l)
{
	nl_socket_free(l->events);
	nl_socket_free(l->queries);
	free(l);
}

int links_fd(const struct links *l)
{
	return nl_socket_get_fd(l->events);
}

bool links_drain(struct links *l)
{
	bool changed = false;
	char byte;

	for (int i = 0; i < DRAIN_MAX; i++) {
		ssize_t got = recv(links_fd(l), &byte, 1, MSG_DONTWAIT | MSG_TRUNC);

		if (got < 0 && errno == EAGAIN)
			break;
		changed = true; /* ENOBUFS too: something was lost */
	}
	return changed;
}

/* ---- dump ---- */

struct builder {
	struct link_table *t;
	struct nl_cache *links;
	size_t cap;
};

/* Its master, if that is a VRF: a bridge or a bond is none. */
static void note_vrf(const struct builder *b, struct rtnl_link *link, char out[FILTER_IFNAME_SIZE])
{
	const char *kind = rtnl_link_get_slave_type(link), *name;
	struct rtnl_link *master;

	if (!kind || strcmp(kind, "vrf") != 0)
		return;
	master = rtnl_link_get(b->links, rtnl_link_get_master(link));
	name = master ? rtnl_link_get_name(master) : NULL;
	/* one that was made while they were listed: its news are on their way */
	snprintf(out, FILTER_IFNAME_SIZE, "%s", name ? name : "?");
	rtnl_link_put(master);
}

static void add_link(struct nl_object *object, void *arg)
{
	struct builder *b = arg;
	struct rtnl_link *link = (struct rtnl_link *)object;
	struct agent_inventory *inv = &b->t->inventory;
	const char *name = rtnl_link_get_name(link);
	struct agent_interface *i;
	const unsigned int up = IFF_UP | IFF_RUNNING;
	const int family = rtnl_link_get_family(link);

	/* AF_BRIDGE and AF_INET6 details of a link come as objects of their own;
	 * libnl calls the bridge itself AF_BRIDGE too */
	if ((family != AF_UNSPEC && family != AF_BRIDGE) || !name ||
	    !filter_ifname_is_valid(name) || inv->n == AGENT_INTERFACES_MAX)
		return;
	if (inv->n == b->cap) {
		b->cap = b->cap * 2 + 16;
		inv->interfaces =
			mem_realloc(inv->interfaces, b->cap, sizeof(*inv->interfaces));
	}
	i = &inv->interfaces[inv->n++];
	*i = (struct agent_interface){ .index = (uint32_t)rtnl_link_get_ifindex(link) };
	snprintf(i->name, sizeof(i->name), "%s", name);
	i->up = (rtnl_link_get_flags(link) & up) == up;
	note_vrf(b, link, i->vrf);
}

static int by_index(const void *a, const void *b)
{
	const struct agent_interface *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* Each once. */
static void sort_by_index(struct agent_inventory *inv)
{
	struct agent_interface *in = inv->interfaces;
	size_t n = 0;

	if (inv->n == 0)
		return;
	qsort(in, inv->n, sizeof(*in), by_index);
	for (size_t i = 1; i < inv->n; i++) {
		if (in[i].index != in[n].index)
			in[++n] = in[i];
	}
	inv->n = n + 1;
}

static bool to_ip(const struct nl_addr *in, struct ip_addr *out)
{
	enum ip_family family;

	if (!in)
		return false;
	switch (nl_addr_get_family(in)) {
	case AF_INET:
		family = IP_V4;
		break;
	case AF_INET6:
		family = IP_V6;
		break;
	default:
		return false;
	}
	if (nl_addr_get_len(in) != ip_bytes(family))
		return false;
	*out = (struct ip_addr){ ip_from_bytes(nl_addr_get_binary_addr(in), family),
				 (uint8_t)family };
	return true;
}

static uint8_t fit_of(unsigned int flags)
{
	if (flags & IFA_F_DADFAILED ||
	    (flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC)))
		return ADDRESS_TENTATIVE;
	if (flags & IFA_F_DEPRECATED)
		return ADDRESS_DEPRECATED;
	return flags & IFA_F_SECONDARY ? ADDRESS_SECONDARY : ADDRESS_FIT;
}

static void add_connected(struct addrset *set, const struct ip_addr *addr,
			  unsigned int len)
{
	const struct ip_prefix link_local =
		ip_prefix_make(IP_V6, (u128)0xfe80 << 112, 10);
	const struct ip_prefix p = ip_prefix_make(addr->family, addr->v, len);

	if (!ip_prefix_covers(&link_local, &p))
		addrset_append(set, &p);
}

/* Interfaces are sorted by index while addresses are added. */
static struct agent_interface *find_index(const struct agent_inventory *inv,
					  uint32_t index)
{
	const struct agent_interface key = { .index = index };

	return inv->n ? bsearch(&key, inv->interfaces, inv->n, sizeof(key), by_index)
		      : NULL;
}

static void add_addr(struct nl_object *object, void *arg)
{
	struct builder *b = arg;
	struct rtnl_addr *a = (struct rtnl_addr *)object;
	struct agent_inventory *inv = &b->t->inventory;
	struct agent_interface *i = find_index(inv, (uint32_t)rtnl_addr_get_ifindex(a));
	int len = rtnl_addr_get_prefixlen(a);
	const uint8_t fit = fit_of(rtnl_addr_get_flags(a));
	struct ip_addr own, peer;
	struct addrset *connected;

	if (!i || i->n_addresses == AGENT_ADDRESSES_MAX ||
	    !to_ip(rtnl_addr_get_local(a), &own) || len < 0 ||
	    (unsigned int)len > ip_bits(own.family))
		return;
	connected = &b->t->connected[i - inv->interfaces];
	i->addresses =
		mem_realloc(i->addresses, i->n_addresses + 1, sizeof(*i->addresses));
	if (to_ip(rtnl_addr_get_peer(a), &peer) && !ip_addr_equal(&own, &peer)) {
		/* point to point: the length belongs to the other side */
		i->addresses[i->n_addresses++] =
			(struct agent_address){ own, (uint8_t)ip_bits(own.family), fit };
		add_connected(connected, &peer, (unsigned int)len);
	} else {
		i->addresses[i->n_addresses++] =
			(struct agent_address){ own, (uint8_t)len, fit };
		add_connected(connected, &own, (unsigned int)len);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct agent_address *x = a, *y = b;
	const struct ip_addr *p = &x->addr, *q = &y->addr;

	if (p->family != q->family)
		return p->family < q->family ? -1 : 1;
	if (p->v != q->v)
		return p->v < q->v ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->fit > y->fit) - (x->fit < y->fit);
}

/* The inventory is sorted by name; the parallel array goes with it. */
struct both {
	struct agent_interface interface;
	struct addrset connected;
};

static int by_name(const void *a, const void *b)
{
	const struct both *x = a, *y = b;

	return strcmp(x->interface.name, y->interface.name);
}

static void sort_by_name(struct link_table *t)
{
	size_t n = t->inventory.n;
	struct both *all = mem_calloc(n, sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		struct agent_interface *in = &t->inventory.interfaces[i];

		if (in->n_addresses > 1)
			qsort(in->addresses, in->n_addresses, sizeof(*in->addresses),
			      by_address);
		addrset_normalize(&t->connected[i]);
		all[i] = (struct both){ *in, t->connected[i] };
	}
	if (n != 0)
		qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 0; i < n; i++) {
		t->inventory.interfaces[i] = all[i].interface;
		t->connected[i] = all[i].connected;
	}
	free(all);
}

int links_dump(struct links *l, struct link_table *out, struct diag *diag)
{
	struct nl_cache *links = NULL, *addresses = NULL;
	struct link_table t = { 0 };
	struct builder b = { .t = &t };
	int err = rtnl_link_alloc_cache(l->queries, AF_UNSPEC, &links);

	if (err == 0)
		err = rtnl_addr_alloc_cache(l->queries, &addresses);
	if (err == 0) {
		b.links = links;
		nl_cache_foreach(links, add_link, &b);
		sort_by_index(&t.inventory);
		t.connected = mem_calloc(t.inventory.n, sizeof(*t.connected));
		nl_cache_foreach(addresses, add_addr, &b);
		sort_by_name(&t);
		link_table_fini(out);
		*out = t;
	}
	if (addresses)
		nl_cache_free(addresses);
	if (links)
		nl_cache_free(links);
	return err == 0 ? 0
			: diag_set(diag, "cannot list the interfaces: %s",
				   nl_geterror(err));
}

/* ---- the table ---- */

void link_table_init(struct link_table *t)
{
	*t = (struct link_table){ 0 };
}

void link_table_fini(struct link_table *t)
{
	for (size_t i = 0; i < t->inventory.n; i++)
		addrset_fini(&t->connected[i]);
	free(t->connected);
	agent_inventory_fini(&t->inventory);
	link_table_init(t);
}

const struct addrset *link_table_connected(const struct link_table *t,
					   const char *interface)
{
	static const struct addrset none;
	size_t lo = 0, hi = t->inventory.n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(t->inventory.interfaces[mid].name, interface);

		if (c == 0)
			return &t->connected[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return &none;
}

static bool same_interface(const struct agent_interface *a,
			   const struct agent_interface *b)
{
	if (strcmp(a->name, b->name) != 0 || a->index != b->index || a->up != b->up ||
	    strcmp(a->vrf, b->vrf) != 0 || a->n_addresses != b->n_addresses)
		return false;
	for (size_t i = 0; i < a->n_addresses; i++) {
		if (by_address(&a->addresses[i], &b->addresses[i]) != 0)
			return false;
	}
	return true;
}

bool link_table_equal(const struct link_table *a, const struct link_table *b)
{
	if (a->inventory.n != b->inventory.n)
		return false;
	for (size_t i = 0; i < a->inventory.n; i++) {
		if (!same_interface(&a->inventory.interfaces[i],
				    &b->inventory.interfaces[i]) ||
		    !addrset_equal(&a->connected[i], &b->connected[i]))
			return false;
	}
	return true;
}
