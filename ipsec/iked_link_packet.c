/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Links: which address each has now, and its sockets. main keeps every one, so
 * that a process that is started anew gets the same.
 */
#include "lib/frr_compat.h"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "log.h"

#include "ipsec/iked_kernel.h"
#include "ipsec/iked_socket.h"
#include "lib/mem.h"

#define SOON_MS 50     /* addresses change in bursts */
#define RETRY_MS 5000  /* a port that another has */
#define CLOSING_MAX 40 /* times that is tried soon, after sockets were closed */

/* Of one link and family. */
struct bound {
	struct bound *next;
	uint32_t link;
	enum ip_family family;
	struct ip_addr addr;
	uint32_t mark;
	bool kernel; /* its ESP has the socket of port 4500 */
	int ike, natt; /* port 500, 4500 */
	int esp[ESP_WORKERS_MAX]; /* 4500's other parts, one of each worker */
	int raw[ESP_WORKERS_MAX]; /* protocol 50; -1: it can't be had, ESP goes in UDP then */
	uint32_t mtu; /* of the interface with the address, 0: not known */
};

static struct {
	struct bound *bound;
	int netlink;
	struct event *t_netlink, *t_soon, *t_retry;
	struct {
		uint32_t link;
		char text[200];
	} errors[64];
	unsigned n_errors;
	unsigned closing; /* how many times more */
} links = { .netlink = -1, .closing = CLOSING_MAX };

/* ---- addresses */

static bool address_of(const struct sockaddr *sa, enum ip_family family, struct ip_addr *out)
{
	if (!sa || sa->sa_family != (family == IP_V6 ? AF_INET6 : AF_INET))
		return false;
	out->family = family;
	if (family == IP_V4) {
		out->v = ip_from_bytes((const uint8_t *)&((const struct sockaddr_in *)sa)->sin_addr, IP_V4);
		return true;
	}
	out->v = ip_from_bytes(((const struct sockaddr_in6 *)sa)->sin6_addr.s6_addr, IP_V6);
	return !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)sa)->sin6_addr);
}

bool iked_link_address(const struct iked_link *link, enum ip_family family, struct ip_addr *out)
{
	struct ifaddrs *list;
	bool found = false;

	if (link->has_source[family]) {
		*out = link->source[family];
		return true;
	}
	if (!link->device[0] || getifaddrs(&list) < 0)
		return false;
	for (struct ifaddrs *i = list; i && !found; i = i->ifa_next)
		found = strcmp(i->ifa_name, link->device) == 0 && address_of(i->ifa_addr, family, out);
	freeifaddrs(list);
	return found;
}

/* ---- errors, for show */

const char *iked_link_error(const struct iked_link *link)
{
	for (unsigned i = 0; i < links.n_errors; i++)
		if (links.errors[i].link == link->number)
			return links.errors[i].text;
	return "";
}

static void set_error(uint32_t link, const char *text)
{
	unsigned i = 0;

	while (i < links.n_errors && links.errors[i].link != link)
		i++;
	if (i == sizeof(links.errors) / sizeof(links.errors[0]))
		return;
	if (i == links.n_errors)
		links.n_errors++;
	if (text[0] && strcmp(links.errors[i].text, text) != 0)
		zlog_warn("link %s: %s",
			  iked_link_by_number(&iked.config, link) ? iked_link_by_number(&iked.config, link)->name : "?", text);
	links.errors[i].link = link;
	snprintf(links.errors[i].text, sizeof(links.errors[i].text), "%s", text);
}

/* ---- sockets */

static void tell_one(enum proc_who who, const struct bound *b, uint16_t port, unsigned worker, int fd)
{
	const struct proc_socket message = { b->link, { b->addr, port }, b->mtu, worker, b->kernel };
	struct wr w = { 0 };

	if (fd < 0)
		return;
	proc_socket_encode(&w, PROC_SOCKET, &message);
	iked_send(who, &w, fd);
}

static void tell(enum proc_who who, const struct bound *b)
{
	if (who == PROC_IKE) {
		tell_one(PROC_IKE, b, IKE_PORT, 0, b->ike);
		tell_one(PROC_IKE, b, IKE_NATT_PORT, 0, b->natt);
	} else if (who == PROC_ESP) {
		for (unsigned i = 0; i < iked.esp_threads; i++) {
			tell_one(PROC_ESP, b, IKE_NATT_PORT, i, b->esp[i]);
			tell_one(PROC_ESP, b, 0, i, b->raw[i]);
		}
	}
}

static void tell_gone(const struct bound *b)
{
	const struct proc_socket message = { b->link, { b->addr, 0 }, 0, 0, b->kernel };

	for (enum proc_who who = PROC_IKE; who <= PROC_ESP; who++) {
		struct wr w = { 0 };

		if (who == PROC_SIGNER)
			continue;
		proc_socket_encode(&w, PROC_SOCKET_GONE, &message);
		iked_send(who, &w, -1);
	}
}

void iked_links_push(enum proc_who who)
{
	for (const struct bound *b = links.bound; b; b = b->next)
		tell(who, b);
}

uint32_t iked_link_mtu(uint32_t link, enum ip_family family)
{
	const struct bound *b = links.bound;

	while (b && (b->link != link || b->family != family))
		b = b->next;
	return b ? b->mtu : 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void bound_close(struct bound *b)
{
	close_one(&b->ike);
	close_one(&b->natt);
	for (unsigned i = 0; i < ESP_WORKERS_MAX; i++) {
		close_one(&b->esp[i]);
		close_one(&b->raw[i]);
	}
}

static uint32_t mtu_of(const struct ip_addr *addr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifaddrs *list = NULL;
	uint32_t mtu = 0;

	if (fd < 0)
		return 0;
	if (getifaddrs(&list) < 0)
		list = NULL;
	for (struct ifaddrs *i = list; i && mtu == 0; i = i->ifa_next) {
		struct ifreq ifr = { 0 };
		struct ip_addr found;

		snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", i->ifa_name);
		if (address_of(i->ifa_addr, (enum ip_family)addr->family, &found) && ip_addr_equal(&found, addr) &&
		    ioctl(fd, SIOCGIFMTU, &ifr) == 0)
			mtu = (uint32_t)ifr.ifr_mtu;
	}
	freeifaddrs(list);
	close(fd);
	return mtu;
}

/* Without any, ESP goes in UDP. */
static void open_raw(struct bound *b)
{
	struct diag diag;

	for (unsigned i = 0; i < iked.esp_threads; i++) {
		b->raw[i] = iked_socket_open_raw(&b->addr, b->mark, i, iked.esp_threads, &diag);
		if (b->raw[i] >= 0)
			continue;
		zlog_warn("link %s: %s", iked_link_by_number(&iked.config, b->link)->name, diag.text);
		/* all or none: a worker has to have it */
		for (unsigned k = 0; k < i; k++)
			close_one(&b->raw[k]);
		return;
	}
}

static int open_esp(struct bound *b, const struct ike_endpoint *natt, struct diag *diag)
{
	for (unsigned i = 0; i < iked.esp_threads; i++) {
		b->esp[i] = iked_socket_open(natt, b->mark, diag);
		if (b->esp[i] < 0)
			return -1;
	}
	open_raw(b);
	return iked_socket_share(b->natt, iked.esp_threads, diag);
}

static int open_kernel(const struct bound *b, struct diag *diag)
{
	return xfrm_socket(b->ike, b->family, diag) == 0 && xfrm_socket(b->natt, b->family, diag) == 0 ? 0 : -1;
}

/* The order of binding is the order in the group: IKE's first. */
static int bound_open(struct bound *b, struct diag *diag)
{
	const struct ike_endpoint ike = { b->addr, IKE_PORT }, natt = { b->addr, IKE_NATT_PORT };
	bool ok;

	iked_privileges(true);
	b->mtu = mtu_of(&b->addr);
	b->ike = iked_socket_open(&ike, b->mark, diag);
	b->natt = b->ike < 0 ? -1 : iked_socket_open(&natt, b->mark, diag);
	ok = b->natt >= 0;
	if (ok && b->kernel)
		ok = open_kernel(b, diag) == 0;
	else if (ok && !iked.without_esp)
		ok = open_esp(b, &natt, diag) == 0;
	iked_privileges(false);
	if (!ok)
		bound_close(b);
	return ok ? 0 : -1;
}

static struct bound **bound_find(uint32_t link, enum ip_family family)
{
	struct bound **at = &links.bound;

	while (*at && ((*at)->link != link || (*at)->family != family))
		at = &(*at)->next;
	return at;
}

static void drop(struct bound **at, bool say)
{
	struct bound *b = *at;

	if (say)
		tell_gone(b);
	*at = b->next;
	bound_close(b);
	free(b);
	links.closing = CLOSING_MAX;
}

/* The same sockets: new ones in the group of the old, which other processes have open
 * for a moment, would be in another order, and ESP would come to ike. */
static void remark(struct bound *b, uint32_t mark)
{
	b->mark = mark;
	iked_privileges(true);
	iked_socket_mark(b->ike, mark);
	iked_socket_mark(b->natt, mark);
	for (unsigned i = 0; i < ESP_WORKERS_MAX; i++) {
		iked_socket_mark(b->esp[i], mark);
		iked_socket_mark(b->raw[i], mark);
	}
	iked_privileges(false);
}

static bool is_bound(const struct ip_addr *addr)
{
	for (const struct bound *b = links.bound; b; b = b->next)
		if (ip_addr_equal(&b->addr, addr))
			return true;
	return false;
}

/* Nobody has the ports of an address: not another program, and not a process of ours
 * that has not yet closed what it had of the group before. */
static bool is_free(const struct ip_addr *addr, struct diag *diag)
{
	const uint16_t ports[] = { IKE_PORT, IKE_NATT_PORT };
	bool yes = true;

	iked_privileges(true);
	for (unsigned i = 0; i < 2 && yes; i++)
		yes = iked_socket_is_free(&(struct ike_endpoint){ *addr, ports[i] }, diag);
	iked_privileges(false);
	return yes;
}

/* Milliseconds until it is to be tried again; 0: not at all. */
static unsigned check_one(const struct iked_link *link, enum ip_family family)
{
	struct bound **at = bound_find(link->number, family), *b = *at;
	bool kernel = iked_link_is_kernel(&iked.config, link->name);
	struct ip_addr addr;
	struct diag diag;

	if (!iked_link_address(link, family, &addr)) {
		if (b)
			drop(at, true);
		return 0;
	}
	if (b && ip_addr_equal(&b->addr, &addr) && b->kernel == kernel) {
		if (b->mark != link->mark) {
			remark(b, link->mark);
			iked_kernel_link(link);
		}
		return 0;
	}
	/* the new ones are given under the same link and family: ike sees a move */
	if (b)
		drop(at, b->kernel != kernel);
	if (!is_bound(&addr) && !is_free(&addr, &diag)) {
		if (links.closing > 0) {
			links.closing--;
			return SOON_MS;
		}
		set_error(link->number, diag.text);
		return RETRY_MS;
	}
	b = mem_alloc(sizeof(*b));
	*b = (struct bound){ .next = links.bound, .link = link->number, .family = family, .addr = addr, .mark = link->mark,
			     .kernel = kernel, .ike = -1, .natt = -1 };
	for (unsigned i = 0; i < ESP_WORKERS_MAX; i++)
		b->esp[i] = b->raw[i] = -1;
	links.bound = b;
	if (bound_open(b, &diag) != 0) {
		set_error(link->number, diag.text);
		drop(bound_find(link->number, family), true);
		return RETRY_MS;
	}
	set_error(link->number, "");
	tell(PROC_IKE, b);
	tell(PROC_ESP, b);
	iked_kernel_link(link);
	return 0;
}

static void check_all(struct event *t)
{
	unsigned again = 0;

	for (struct bound **at = &links.bound; *at;) {
		if (!iked_link_by_number(&iked.config, (*at)->link))
			drop(at, true);
		else
			at = &(*at)->next;
	}
	for (const struct iked_link *link = iked.config.links; link; link = link->next)
		for (unsigned f = 0; f < IP_FAMILIES; f++) {
			unsigned ms = check_one(link, (enum ip_family)f);

			again = ms && (again == 0 || ms < again) ? ms : again;
		}
	EVENT_OFF(links.t_retry);
	if (again)
		event_add_timer_msec(iked.loop, check_all, NULL, again, &links.t_retry);
}

void iked_links_check(void)
{
	EVENT_OFF(links.t_soon);
	check_all(NULL);
}

void iked_links_changed(void)
{
	if (!links.t_soon)
		event_add_timer_msec(iked.loop, check_all, NULL, SOON_MS, &links.t_soon);
}

/* ---- the kernel says that addresses have changed */

static void on_netlink(struct event *t)
{
	char buf[8192];

	/* what it says is looked up anew; only that it says something counts */
	while (recv(links.netlink, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	event_add_read(iked.loop, on_netlink, NULL, links.netlink, &links.t_netlink);
	iked_links_changed();
	iked_publish_soon();
}

void iked_links_start(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK };

	links.netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (links.netlink < 0 || bind(links.netlink, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		zlog_warn("changes of addresses are not seen: %s", strerror(errno));
	else
		event_add_read(iked.loop, on_netlink, NULL, links.netlink, &links.t_netlink);
	iked_links_changed();
}

void iked_links_stop(void)
{
	EVENT_OFF(links.t_netlink);
	EVENT_OFF(links.t_soon);
	EVENT_OFF(links.t_retry);
	if (links.netlink >= 0)
		close(links.netlink);
	while (links.bound)
		drop(&links.bound, false);
}
