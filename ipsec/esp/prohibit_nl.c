/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/prohibit_nl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

#include "ipsec/esp/rtnl_nl.h"

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

static void on_route(void *ctx, struct nlmsghdr *h)
{
	const struct rtmsg *rtm = nlmsg_data(h);
	struct nlattr *dst, *metric;
	struct list *list = ctx;
	struct ip_prefix p;
	enum ip_family family;

	if (h->nlmsg_type != RTM_NEWROUTE || nlmsg_datalen(h) < (int)sizeof(*rtm))
		return;
	family = rtm->rtm_family == AF_INET ? IP_V4 : IP_V6;
	dst = nlmsg_find_attr(h, sizeof(*rtm), RTA_DST);
	metric = nlmsg_find_attr(h, sizeof(*rtm), RTA_PRIORITY);
	if (rtm->rtm_protocol != PROHIBIT_NL_PROTOCOL || rtm->rtm_type != RTN_PROHIBIT || rtm->rtm_table != RT_TABLE_MAIN ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) || rtm->rtm_dst_len > ip_bits(family) ||
	    !dst || nla_len(dst) < (int)ip_bytes(family) || !metric || nla_len(metric) < 4 || nla_get_u32(metric) != METRIC)
		return;
	p = ip_prefix_make(family, ip_from_bytes(nla_data(dst), family), rtm->rtm_dst_len);
	list->fn(list->ctx, &p);
}

void prohibit_each(void (*fn)(void *ctx, const struct ip_prefix *prefix), void *ctx)
{
	struct list list = { fn, ctx };

	for (unsigned int f = 0; f < IP_FAMILIES; f++) {
		(void)rtnl_talk(about(RTM_GETROUTE, NLM_F_DUMP, (enum ip_family)f, 0), on_route, &list);
	}
}
