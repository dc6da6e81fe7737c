/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include "libfrr.h"
#include "log.h"

#include "ipsec/esp/ipip_device_nl.h"
#include "ipsec/iked.h"
#include "ipsec/iked_virtual.h"
#include "lib/mem.h"

/* Of one tunnel. */
struct given {
	struct given *next;
	char tunnel[IKE_TUNNEL_NAME];
	char device[IKED_IFNAME];
	struct ip_addr addr;
	bool ours; /* we have put it there */
};
static struct given *all;

static struct given **find(const char *tunnel)
{
	struct given **at = &all;

	while (*at && strcmp((*at)->tunnel, tunnel) != 0)
		at = &(*at)->next;
	return at;
}

static struct esp_ipip ends_of(const struct given *g)
{
	return (struct esp_ipip){ g->addr, g->addr };
}

static void drop(struct given **at)
{
	struct given *g = *at;
	const struct esp_ipip ends = ends_of(g);

	if (g->ours) {
		iked_privileges(true);
		ipip_address_del(g->device, &ends);
		iked_privileges(false);
	}
	*at = g->next;
	free(g);
}

void iked_virtual_gone(const char *tunnel)
{
	struct given **at = find(tunnel);

	if (*at)
		drop(at);
}

static bool is_same(const struct sockaddr *sa, const struct ip_addr *addr)
{
	if (sa->sa_family == AF_INET && addr->family == IP_V4)
		return ip_from_bytes((const uint8_t *)&((const struct sockaddr_in *)sa)->sin_addr, IP_V4) == addr->v;
	return sa->sa_family == AF_INET6 && addr->family == IP_V6 &&
	       ip_from_bytes(((const struct sockaddr_in6 *)sa)->sin6_addr.s6_addr, IP_V6) == addr->v;
}

/* Somewhere else than on that interface. */
static bool system_has(const struct given *g)
{
	struct ifaddrs *list, *i;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (i = list; i && !found; i = i->ifa_next)
		found = i->ifa_addr && strcmp(i->ifa_name, g->device) != 0 && is_same(i->ifa_addr, &g->addr);
	freeifaddrs(list);
	return found;
}

/* Again too: the interface may be another one than it was. */
static void put(struct given *g, bool tell)
{
	const struct esp_ipip ends = ends_of(g);
	char text[IP_TEXT_SIZE];
	struct diag diag;
	int ret;

	iked_privileges(true);
	ret = ipip_address_add(g->device, &ends, &diag);
	iked_privileges(false);
	g->ours = true;
	if (ret != 0)
		zlog_warn("tunnel %s: %s", g->tunnel, diag.text);
	else if (tell)
		zlog_info("tunnel %s: interface %s has the address %s, which the peer gave us", g->tunnel, g->device,
			  ip_addr_format(&g->addr, text));
}

static void set(const struct iked_tunnel *t, const struct ip_addr *addr, const char *device)
{
	struct given *g = mem_alloc(sizeof(*g));
	char text[IP_TEXT_SIZE];
	struct diag diag;

	snprintf(g->tunnel, sizeof(g->tunnel), "%s", t->t.name);
	snprintf(g->device, sizeof(g->device), "%s", device);
	g->addr = *addr;
	g->next = all;
	all = g;
	if (iked_virtual_check(&t->t, addr, &diag) != 0)
		zlog_warn("tunnel %s: %s; it is not used", t->t.name, diag.text);
	else if (system_has(g))
		zlog_info("tunnel %s: this system has the address %s already, which the peer gave us", t->t.name,
			  ip_addr_format(addr, text));
	else
		put(g, true);
}

void iked_virtual_set(const struct iked_tunnel *t, const struct ike_ts_list *local_ts)
{
	struct given **at = find(t->t.name);
	const struct ip_addr *addr = NULL;
	char device[IKED_IFNAME];

	if (t->t.request_address && local_ts && local_ts->n == 1 && ip_addr_equal(&local_ts->list[0].first, &local_ts->list[0].last))
		addr = &local_ts->list[0].first;
	iked_tunnel_device(t, device);
	if (*at && (!addr || !ip_addr_equal(&(*at)->addr, addr) || strcmp((*at)->device, device) != 0))
		drop(at);
	if (!addr)
		return;
	at = find(t->t.name);
	if (!*at)
		set(t, addr, device);
	else if ((*at)->ours)
		put(*at, false);
}
