/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/prohibit_nl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "ipsec/esp/rtnl_nl.h"
#include "lib/mem.h"
#include "lib/route_filter.h"

#define METRIC UINT32_MAX

static struct nl_msg *about(int type, int flags, enum ip_family family, unsigned int len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	struct rtmsg rtm = {
		.rtm_family = family == IP_V4 ? AF_INET : AF_INET6,
		.rtm_dst_len = (uint8_t)len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = PROHIBIT_NL_PROTOCOL,
		.rtm_type = RTN_PROHIBIT,
	};

	if (!msg || nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) < 0)
		abort(); /* out of memory */
	return msg;
}

int prohibit_set(bool there, const struct ip_prefix *p, struct diag *diag)
{
	enum ip_family family = (enum ip_family)p->family;
	struct nl_msg *msg = about(there ? RTM_NEWROUTE : RTM_DELROUTE,
				   NLM_F_ACK | (there ? NLM_F_CREATE | NLM_F_EXCL : 0), family, p->len);
	uint8_t bytes[16];
	char text[IP_TEXT_SIZE];
	int ret;

	ip_to_bytes(p->v, family, bytes);
	nla_put(msg, RTA_DST, (int)ip_bytes(family), bytes);
	nla_put_u32(msg, RTA_PRIORITY, METRIC);
	ret = rtnl_talk(msg, NULL, NULL);
	if (ret == 0 || ret == -EEXIST || ret == -ESRCH)
		return 0;
	return diag_set(diag, "route prohibit %s: %s", ip_prefix_format(p, text), strerror(-ret));
}

struct list {
	void (*fn)(void *ctx, const struct ip_prefix *prefix);
	void *ctx;
};

/* False: it is none of these. */
static bool decode(struct nlmsghdr *h, struct ip_prefix *out)
{
	const struct rtmsg *rtm = nlmsg_data(h);
	struct nlattr *dst, *metric;
	enum ip_family family;

	if (nlmsg_datalen(h) < (int)sizeof(*rtm))
		return false;
	family = rtm->rtm_family == AF_INET ? IP_V4 : IP_V6;
	dst = nlmsg_find_attr(h, sizeof(*rtm), RTA_DST);
	metric = nlmsg_find_attr(h, sizeof(*rtm), RTA_PRIORITY);
	if (rtm->rtm_protocol != PROHIBIT_NL_PROTOCOL || rtm->rtm_type != RTN_PROHIBIT || rtm->rtm_table != RT_TABLE_MAIN ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) || rtm->rtm_dst_len > ip_bits(family) ||
	    !dst || nla_len(dst) < (int)ip_bytes(family) || !metric || nla_len(metric) < 4 || nla_get_u32(metric) != METRIC)
		return false;
	*out = ip_prefix_make(family, ip_from_bytes(nla_data(dst), family), rtm->rtm_dst_len);
	return true;
}

static void on_route(void *ctx, struct nlmsghdr *h)
{
	const struct list *list = ctx;
	struct ip_prefix p;

	if (h->nlmsg_type == RTM_NEWROUTE && decode(h, &p))
		list->fn(list->ctx, &p);
}

void prohibit_each(void (*fn)(void *ctx, const struct ip_prefix *prefix), void *ctx)
{
	struct list list = { fn, ctx };

	for (unsigned int f = 0; f < IP_FAMILIES; f++) {
		(void)rtnl_talk(about(RTM_GETROUTE, NLM_F_DUMP, (enum ip_family)f, 0), on_route, &list);
	}
}

/* ---- who deletes them */

struct prohibit_watch {
	struct nl_sock *sock;
	prohibit_gone_fn *gone;
	void *ctx;
};

static int attach_filter(int fd)
{
	const uint32_t del_route = htons(RTM_DELROUTE);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ROUTE_FILTER_AT_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, del_route, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ROUTE_FILTER_AT(rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROHIBIT_NL_PROTOCOL, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ROUTE_FILTER_AT(rtm_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTN_PROHIBIT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int on_news(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	const struct prohibit_watch *w = arg;
	struct ip_prefix p;

	if (h->nlmsg_type == RTM_DELROUTE && decode(h, &p))
		w->gone(w->ctx, &p, h->nlmsg_pid);
	return NL_OK;
}

struct prohibit_watch *prohibit_watch_new(prohibit_gone_fn *gone, void *ctx, struct diag *diag)
{
	struct prohibit_watch *w = mem_alloc(sizeof(*w));

	*w = (struct prohibit_watch){ nl_socket_alloc(), gone, ctx };
	if (!w->sock)
		abort(); /* out of memory */
	nl_socket_disable_seq_check(w->sock);
	nl_socket_modify_cb(w->sock, NL_CB_VALID, NL_CB_CUSTOM, on_news, w);
	/* the filter before the groups: not one message comes without it */
	if (nl_connect(w->sock, NETLINK_ROUTE) < 0 || attach_filter(nl_socket_get_fd(w->sock)) < 0 ||
	    nl_socket_set_nonblocking(w->sock) < 0 ||
	    nl_socket_add_memberships(w->sock, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, 0) < 0) {
		diag_set(diag, "listening to the kernel's routes: %s", strerror(errno));
		prohibit_watch_free(w);
		return NULL;
	}
	return w;
}

void prohibit_watch_free(struct prohibit_watch *w)
{
	if (!w)
		return;
	nl_socket_free(w->sock);
	free(w);
}

int prohibit_watch_fd(const struct prohibit_watch *w)
{
	return nl_socket_get_fd(w->sock);
}

bool prohibit_watch_ready(struct prohibit_watch *w)
{
	int ret = nl_recvmsgs_default(w->sock);

	return ret >= 0 || ret == -NLE_AGAIN;
}
