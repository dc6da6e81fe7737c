/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What others do that concerns us: default routes, delegations, our own rules.
 */
#include "agents/steer/rules_nl_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>

#include "agents/steer/rules_nl_msg.h"
#include "lib/route_filter.h"

#define EVENT_BUFFER_BYTES (1 << 20)
#define READS_MAX	   1024 /* per wake-up */
#define DHCP_PROTOCOL	   16	/* RTPROT_DHCP */

/* ---- the socket ---- */

/* A router with a full table changes it a thousand times a second; none of
 * that may wake us. "ldh" reads in network order what netlink writes in the
 * host's. */
static int attach_filter(int fd)
{
	const uint32_t new_route = htons(RTM_NEWROUTE), del_route = htons(RTM_DELROUTE);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ROUTE_FILTER_AT_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, new_route, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, del_route, 0, 14), /* rules: take */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ROUTE_FILTER_AT(rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RULES_NL_PROTOCOL, 12, 0), /* ours: take */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ROUTE_FILTER_AT(rtm_table)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RT_TABLE_MAIN, 0, 9),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ROUTE_FILTER_AT(rtm_dst_len)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 8, 0), /* a default route: take */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ROUTE_FILTER_AT(rtm_family)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ROUTE_FILTER_AT(rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_PROTOCOL, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ROUTE_FILTER_AT(rtm_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTN_UNREACHABLE, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTN_BLACKHOLE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int join(struct mnl_socket *s, int group)
{
	return mnl_socket_setsockopt(s, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
}

int rules_nl_open_events(struct rules_nl *nl)
{
	int size = EVENT_BUFFER_BYTES, fd;

	nl->events = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->events)
		return -1;
	fd = mnl_socket_get_fd(nl->events);
	/* the filter before the groups: not one message comes without it */
	if (attach_filter(fd) < 0 || mnl_socket_bind(nl->events, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    join(nl->events, RTNLGRP_IPV4_ROUTE) < 0 ||
	    join(nl->events, RTNLGRP_IPV6_ROUTE) < 0 || join(nl->events, RTNLGRP_IPV4_RULE) < 0 ||
	    join(nl->events, RTNLGRP_IPV6_RULE) < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

int rules_nl_fd(const struct rules_nl *nl)
{
	return mnl_socket_get_fd(nl->events);
}

/* ---- gateways ---- */

struct asked {
	uint32_t ifindex;
	struct steer_gateway *out;
};

static void gateway_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct asked *a = arg;

	rules_nl_read_default(nlh, a->ifindex, a->out);
}

/* One look-up, as of a packet with this mark: the answer is the route that was found. */
static int ask_route(struct rules_nl *nl, const struct ip_addr *to, uint32_t oif, uint32_t mark,
		     rules_nl_answer_fn *fn, void *arg)
{
	const enum ip_family f = to->family;
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	uint8_t bytes[16];
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = f == IP_V4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = (unsigned char)ip_bits(f);
	/* IPv6 says the table anyhow, and refuses to be asked for it */
	rtm->rtm_flags = RTM_F_FIB_MATCH | (f == IP_V4 ? RTM_F_LOOKUP_TABLE : 0);
	ip_to_bytes(to->v, f, bytes);
	mnl_attr_put(nlh, RTA_DST, ip_bytes(f), bytes);
	if (oif)
		mnl_attr_put_u32(nlh, RTA_OIF, oif);
	mnl_attr_put_u32(nlh, RTA_MARK, mark);
	return rules_nl_talk(nl, nlh, fn, arg);
}

void rules_nl_gateway(struct rules_nl *nl, const struct site *site, uint32_t ifindex,
		      struct steer_gateway *out)
{
	/* Addresses that nothing but a default route leads to: 240.0.0.0/4 is reserved
	 * (RFC 1112 section 4), 4000::/3 not allocated (RFC 4291 section 2.4). */
	const struct ip_addr nowhere[IP_FAMILIES] = { { (u128)0xf0000001, IP_V4 },
						      { (u128)0x4 << 124 | 1, IP_V6 } };
	struct asked a = { ifindex, out };

	*out = (struct steer_gateway){ .ifindex = ifindex };
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		ask_route(nl, &nowhere[f], ifindex, site_mark(site, SITE_MARK_QUESTION, 1),
			  gateway_answer, &a);
}

/* ---- notifications ---- */

static void take_news(struct rules_nl *nl, const struct nlmsghdr *nlh, struct rules_nl_news *news)
{
	struct ip_prefix p;

	switch (rules_nl_read_news(nlh, RULES_NL_PROTOCOL, &p)) {
	case RULES_NL_DEFAULT:
		news->defaults = true;
		break;
	case RULES_NL_OURS:
		news->ours = true;
		break;
	case RULES_NL_DELEGATION:
		if (delegations_change(&nl->delegations, &p, nlh->nlmsg_type == RTM_NEWROUTE))
			news->delegations = true;
		else if (nlh->nlmsg_type == RTM_DELROUTE)
			news->delegations = nl->doubtful = true; /* of two that were taken for one? */
		break;
	case RULES_NL_NOTHING:
		break;
	}
}

void rules_nl_drain(struct rules_nl *nl, struct rules_nl_news *news)
{
	*news = (struct rules_nl_news){ 0 };
	for (int i = 0; i < READS_MAX; i++) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->answer;
		ssize_t got = recv(rules_nl_fd(nl), nl->answer, sizeof(nl->answer), MSG_DONTWAIT);
		int left = (int)got;

		if (got < 0 && errno == ENOBUFS) {
			*news = (struct rules_nl_news){ true, true, true };
			nl->doubtful = true;
			continue;
		}
		if (got <= 0)
			return;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			nl->messages++;
			take_news(nl, nlh, news);
		}
	}
}

/* ---- delegations ---- */

static void more_specific(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(nlh) >= sizeof(*rtm))
		*(uint8_t *)arg = rtm->rtm_dst_len;
}

struct looking {
	struct rules_nl *nl;
	const struct site *site;
};

/* Its route makes the look-up of an address in it fail: "unreachable" with
 * EHOSTUNREACH, "blackhole" with EINVAL. Where a part of it has been handed on
 * the look-up finds that. */
static enum delegation_seen look(void *ctx, const struct ip_addr *a, uint8_t len)
{
	const struct looking *l = ctx;
	uint8_t found = 0;
	int rc = ask_route(l->nl, a, 0, site_mark(l->site, SITE_MARK_QUESTION, 1), more_specific,
			   &found);

	switch (-rc) {
	case 0:
		return found > len ? DELEGATION_PART : DELEGATION_OTHER;
	case EHOSTUNREACH:
	case EINVAL:
		return DELEGATION_SINK;
	case ENETUNREACH:
	case EACCES:
		return DELEGATION_OTHER;
	default:
		return DELEGATION_UNKNOWN;
	}
}

bool rules_nl_look(struct rules_nl *nl, const struct site *site, const struct ip_prefix *subnet)
{
	struct looking l = { nl, site };
	struct ip_prefix p;

	for (size_t i = 0; i < nl->delegations.n; i++) {
		if (ip_prefix_covers(&nl->delegations.list[i], subnet))
			return false;
	}
	return delegation_around(subnet, look, &l, &p) &&
	       delegations_change(&nl->delegations, &p, true);
}

static bool check_delegations(struct rules_nl *nl, const struct site *site)
{
	struct delegations known = nl->delegations;
	struct looking l = { nl, site };
	bool changed = false;

	for (size_t i = 0; i < known.n; i++) {
		if (!delegation_is_there(&known.list[i], look, &l))
			changed |= delegations_change(&nl->delegations, &known.list[i], false);
	}
	return changed;
}

int rules_nl_remember(struct rules_nl *nl, const struct site *site, const char *state_path,
		      struct diag *diag)
{
	int rc = delegations_load(&nl->delegations, state_path, diag);

	check_delegations(nl, site);
	return rc;
}

int rules_nl_save(struct rules_nl *nl, const char *state_path, struct diag *diag)
{
	return delegations_save(&nl->delegations, state_path, diag);
}

bool rules_nl_is_doubtful(const struct rules_nl *nl)
{
	return nl->doubtful;
}

const struct ip_prefix *rules_nl_known_delegations(const struct rules_nl *nl, size_t *n)
{
	*n = nl->delegations.n;
	return nl->delegations.list;
}

const struct ip_prefix *rules_nl_delegations(struct rules_nl *nl, const struct site *site,
					     size_t *n)
{
	if (nl->doubtful)
		check_delegations(nl, site);
	nl->doubtful = false;
	return rules_nl_known_delegations(nl, n);
}
