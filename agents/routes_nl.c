/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/routes_nl.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "lib/mem.h"

#define EVENT_BUFFER_BYTES (8 << 20)
#define READ_BYTES	   65536
#define READS_MAX	   64 /* per wake-up */
#define DUMP_MIN_MS	   1000
#define DUMP_FACTOR	   20 /* at most 5 % of the time */
#define AUDIT_MS	   600000
#define INTERRUPTED_MAX	   3 /* dumps in a row that changes ran into */

struct routes_nl {
	struct routes *routes;
	struct nl_sock *events, *queries;
	struct routes_nl_status status;
	int family; /* being dumped; AF_UNSPEC: no dump */
	bool wanted;
	bool interrupted;
	unsigned int n_interrupted;
	int64_t began_ms, next_ms, audit_ms;
	size_t unresolved; /* in this dump */
	union {
		struct nlmsghdr align;
		uint8_t data[READ_BYTES];
	} buf;
};

struct routes_nl *routes_nl_open(struct routes *r, struct diag *diag)
{
	struct routes_nl *nl = mem_alloc(sizeof(*nl));
	int on = 1, size = EVENT_BUFFER_BYTES;

	nl->routes = r;
	nl->events = nl_socket_alloc();
	nl->queries = nl_socket_alloc();
	if (!nl->events || !nl->queries || nl_connect(nl->events, NETLINK_ROUTE) < 0 ||
	    nl_connect(nl->queries, NETLINK_ROUTE) < 0 ||
	    nl_socket_add_memberships(nl->events, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
				      RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_NEXTHOP, 0) < 0) {
		diag_set(diag, "cannot watch the routes by rtnetlink: %s", strerror(errno));
		routes_nl_close(nl);
		return NULL;
	}
	/* the first needs the right to do so, the second is what else there is */
	if (setsockopt(nl_socket_get_fd(nl->events), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) < 0)
		nl_socket_set_buffer_size(nl->events, EVENT_BUFFER_BYTES, 0);
	/* The kernel then dumps one table only; an older one dumps all of them. */
	(void)setsockopt(nl_socket_get_fd(nl->queries), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
			 sizeof(on));
	nl->wanted = true;
	return nl;
}

void routes_nl_close(struct routes_nl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->events);
	nl_socket_free(nl->queries);
	free(nl);
}

int routes_nl_event_fd(const struct routes_nl *nl)
{
	return nl_socket_get_fd(nl->events);
}

int routes_nl_dump_fd(const struct routes_nl *nl)
{
	return nl_socket_get_fd(nl->queries);
}

const struct routes_nl_status *routes_nl_status(const struct routes_nl *nl)
{
	return &nl->status;
}

/* ---- one route ---- */

static bool read_kind(const struct rtmsg *rtm, struct route_entry *e)
{
	switch (rtm->rtm_type) {
	case RTN_UNICAST:
		e->kind = AGENT_ROUTE_UNICAST;
		return true;
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		e->kind = AGENT_ROUTE_REJECT;
		return true;
	default: /* local, broadcast, multicast, throw: nothing is forwarded by it */
		return false;
	}
}

static bool read_prefix(const struct rtmsg *rtm, const struct nlattr *dst,
			struct ip_prefix *out)
{
	enum ip_family family = rtm->rtm_family == AF_INET ? IP_V4 : IP_V6;
	uint8_t raw[16] = { 0 };

	if (rtm->rtm_dst_len > ip_bits(family))
		return false;
	if (dst) {
		if (nla_len(dst) != (int)ip_bytes(family))
			return false;
		memcpy(raw, nla_data(dst), ip_bytes(family));
	}
	*out = ip_prefix_make(family, ip_from_bytes(raw, family), rtm->rtm_dst_len);
	return true;
}

/* Link-local and multicast prefixes are no sources that anyone forwards. */
static bool is_of_interest(const struct ip_prefix *p)
{
	const struct ip_prefix local = ip_prefix_make(IP_V6, (u128)0xfe80 << 112, 10);
	const struct ip_prefix multicast = ip_prefix_make(IP_V6, (u128)0xff << 120, 8);

	return !ip_prefix_covers(&local, p) && !ip_prefix_covers(&multicast, p);
}

static void add_member(struct route_entry *e, int index, unsigned int flags)
{
	if (index > 0 && !(flags & RTNH_F_DEAD) && e->n < AGENT_ROUTE_INDEXES_MAX)
		e->indexes[e->n++] = (uint32_t)index;
}

static void read_multipath(const struct nlattr *attr, struct route_entry *e)
{
	const uint8_t *at = nla_data(attr);
	int left = nla_len(attr);

	while (left >= (int)sizeof(struct rtnexthop)) {
		struct rtnexthop hop;
		int len;

		memcpy(&hop, at, sizeof(hop));
		len = (int)NLMSG_ALIGN(hop.rtnh_len);
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		add_member(e, hop.rtnh_ifindex, hop.rtnh_flags);
		at += len;
		left -= len;
	}
}

static uint32_t u32_or_0(const struct nlattr *attr)
{
	return attr && nla_len(attr) == 4 ? nla_get_u32(attr) : 0;
}

/* False: not a route that forwarding of unmarked packets in the main table
 * uses. */
static bool read_route(struct routes_nl *nl, struct nlmsghdr *h, struct route_entry *e)
{
	struct nlattr *tb[RTA_MAX + 1];
	const struct rtmsg *rtm = nlmsg_data(h);

	if (nlmsg_parse(h, sizeof(*rtm), tb, RTA_MAX, NULL) < 0)
		return false;
	*e = (struct route_entry){ 0 };
	if ((rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) ||
	    (tb[RTA_TABLE] ? u32_or_0(tb[RTA_TABLE]) : rtm->rtm_table) != RT_TABLE_MAIN ||
	    rtm->rtm_src_len != 0 || rtm->rtm_tos != 0 || (rtm->rtm_flags & RTM_F_CLONED) ||
	    !read_kind(rtm, e) || !read_prefix(rtm, tb[RTA_DST], &e->prefix) ||
	    !is_of_interest(&e->prefix))
		return false;
	e->metric = u32_or_0(tb[RTA_PRIORITY]);
	e->nexthop_id = u32_or_0(tb[RTA_NH_ID]);
	if (e->kind != AGENT_ROUTE_UNICAST)
		return true;
	if (tb[RTA_MULTIPATH])
		read_multipath(tb[RTA_MULTIPATH], e);
	else if (tb[RTA_OIF])
		add_member(e, (int)u32_or_0(tb[RTA_OIF]), rtm->rtm_flags);
	else if (e->nexthop_id != 0)
		nl->unresolved++;
	return true;
}

/* ---- dumps ---- */

static void want_dump(struct routes_nl *nl)
{
	nl->wanted = true;
}

static bool ask(struct routes_nl *nl, int family)
{
	struct rtmsg rtm = { .rtm_family = (unsigned char)family, .rtm_table = RT_TABLE_MAIN };
	struct nl_msg *msg =
		nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP);
	bool ok = msg && nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) == 0 &&
		  nl_send_auto(nl->queries, msg) >= 0;

	nlmsg_free(msg);
	nl->family = ok ? family : AF_UNSPEC;
	return ok;
}

static void fail(struct routes_nl *nl, const char *what, int error)
{
	snprintf(nl->status.error, sizeof(nl->status.error), "%s: %s", what, strerror(error));
	nl->family = AF_UNSPEC;
	nl->status.dumping = false;
	nl->wanted = true;
}

void routes_nl_run(struct routes_nl *nl, int64_t now_ms)
{
	if (nl->family != AF_UNSPEC)
		return;
	if (nl->status.dumps != 0 && now_ms >= nl->audit_ms)
		nl->wanted = true;
	if (!nl->wanted || now_ms < nl->next_ms)
		return;
	nl->wanted = nl->interrupted = false;
	nl->unresolved = 0;
	nl->began_ms = now_ms;
	nl->next_ms = now_ms + DUMP_MIN_MS;
	routes_dump_begin(nl->routes);
	nl->status.dumping = true;
	if (!ask(nl, AF_INET))
		fail(nl, "cannot ask for the routes", errno);
}

static void dump_done(struct routes_nl *nl, int64_t now_ms)
{
	int64_t took = now_ms - nl->began_ms;

	nl->family = AF_UNSPEC;
	nl->status.dumping = false;
	nl->status.dumps++;
	nl->status.dump_took_ms = took;
	nl->status.unresolved = nl->unresolved;
	nl->next_ms = now_ms + (took * DUMP_FACTOR > DUMP_MIN_MS ? took * DUMP_FACTOR : DUMP_MIN_MS);
	nl->audit_ms = now_ms + AUDIT_MS;
	nl->status.error[0] = '\0';
	/* The kernel may have passed a route over while others came and went; the
	 * notifications of those do not mend that. */
	nl->n_interrupted = nl->interrupted ? nl->n_interrupted + 1 : 0;
	if (nl->interrupted) {
		want_dump(nl);
		if (nl->n_interrupted < INTERRUPTED_MAX)
			return;
		nl->n_interrupted = 0;
	}
	routes_dump_end(nl->routes);
	if (nl->unresolved != 0) {
		routes_lost(nl->routes);
		snprintf(nl->status.error, sizeof(nl->status.error),
			 "%zu routes name a nexthop object only: set sysctl "
			 "net.ipv4.nexthop_compat_mode to 1",
			 nl->unresolved);
	}
}

static void family_done(struct routes_nl *nl, int64_t now_ms)
{
	if (nl->family == AF_INET6)
		dump_done(nl, now_ms);
	else if (!ask(nl, AF_INET6))
		fail(nl, "cannot ask for the IPv6 routes", errno);
}

/* A kernel without IPv6 has no such routes. */
static void dump_error(struct routes_nl *nl, const struct nlmsghdr *h, int64_t now_ms)
{
	const struct nlmsgerr *err = nlmsg_data(h);

	if (nlmsg_datalen(h) < (int)sizeof(*err) || err->error == 0)
		return;
	if (nl->family == AF_INET6 && (-err->error == EAFNOSUPPORT || -err->error == EOPNOTSUPP))
		dump_done(nl, now_ms);
	else
		fail(nl, "the kernel does not dump its routes", -err->error);
}

static void dump_message(struct routes_nl *nl, struct nlmsghdr *h, int64_t now_ms)
{
	struct route_entry e;

	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		nl->interrupted = true;
	if (h->nlmsg_type == NLMSG_DONE)
		family_done(nl, now_ms);
	else if (h->nlmsg_type == NLMSG_ERROR)
		dump_error(nl, h, now_ms);
	else if (h->nlmsg_type == RTM_NEWROUTE && read_route(nl, h, &e))
		routes_put(nl->routes, &e, true);
}

/* ---- notifications ---- */

static void on_new_route(struct routes_nl *nl, struct nlmsghdr *h)
{
	size_t unresolved = nl->unresolved;
	struct route_entry e;

	if (!read_route(nl, h, &e))
		return;
	if (nl->unresolved != unresolved) {
		want_dump(nl);
		return;
	}
	/* behind another of the same metric: an IPv4 one that is not used */
	if (h->nlmsg_flags & NLM_F_APPEND) {
		want_dump(nl);
		if (e.prefix.family == IP_V4)
			return;
	}
	routes_put(nl->routes, &e, false);
}

static void event_message(struct routes_nl *nl, struct nlmsghdr *h)
{
	struct route_entry e;

	switch (h->nlmsg_type) {
	case RTM_NEWROUTE:
		on_new_route(nl, h);
		break;
	case RTM_DELROUTE:
		if (read_route(nl, h, &e) && !routes_del(nl->routes, &e))
			want_dump(nl);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK: {
		const struct ifinfomsg *ifi = nlmsg_data(h);

		if (nlmsg_datalen(h) >= (int)sizeof(*ifi) &&
		    (h->nlmsg_type == RTM_DELLINK || !(ifi->ifi_flags & IFF_UP)) &&
		    routes_use_index(nl->routes, (uint32_t)ifi->ifi_index))
			want_dump(nl);
		break;
	}
	case RTM_DELADDR:
		want_dump(nl); /* IPv4 routes that prefer it as source went with it */
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP: {
		struct nlattr *tb[NHA_ID + 1];

		if (nlmsg_parse(h, sizeof(struct nhmsg), tb, NHA_ID, NULL) == 0 &&
		    routes_use_nexthop(nl->routes, u32_or_0(tb[NHA_ID])))
			want_dump(nl);
		break;
	}
	default:
		break;
	}
}

/* ---- reading ---- */

/* One datagram; 0: nothing there, -1: the kernel dropped something. */
static int read_one(struct routes_nl *nl, struct nl_sock *from)
{
	ssize_t got = recv(nl_socket_get_fd(from), nl->buf.data, sizeof(nl->buf.data),
			   MSG_DONTWAIT | MSG_TRUNC);

	if (got < 0)
		return errno == ENOBUFS ? -1 : 0;
	return got > (ssize_t)sizeof(nl->buf.data) ? -1 : (int)got;
}

void routes_nl_events(struct routes_nl *nl, int64_t now_ms)
{
	for (int i = 0; i < READS_MAX; i++) {
		struct nlmsghdr *h = &nl->buf.align;
		int left = read_one(nl, nl->events);

		if (left == 0)
			break;
		if (left < 0) {
			nl->status.overruns++;
			routes_lost(nl->routes);
			want_dump(nl);
			continue;
		}
		for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			event_message(nl, h);
	}
	routes_nl_run(nl, now_ms);
}

void routes_nl_dump(struct routes_nl *nl, int64_t now_ms)
{
	for (int i = 0; i < READS_MAX && nl->family != AF_UNSPEC; i++) {
		struct nlmsghdr *h = &nl->buf.align;
		int left = read_one(nl, nl->queries);

		if (left == 0)
			break;
		if (left < 0) {
			fail(nl, "the dump of the routes was cut", ENOBUFS);
			break;
		}
		for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			dump_message(nl, h, now_ms);
	}
}
