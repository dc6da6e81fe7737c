/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/rules_nl_msg.h"

#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

static unsigned char af(enum ip_family f)
{
	return f == IP_V4 ? AF_INET : AF_INET6;
}

static bool family_of(unsigned char in, uint8_t *out)
{
	if (in != AF_INET && in != AF_INET6)
		return false;
	*out = in == AF_INET ? IP_V4 : IP_V6;
	return true;
}

static void put_address(struct nlmsghdr *nlh, uint16_t type, enum ip_family f, u128 v)
{
	uint8_t bytes[16];

	ip_to_bytes(v, f, bytes);
	mnl_attr_put(nlh, type, ip_bytes(f), bytes);
}

static struct nlmsghdr *begin(char buf[512], uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return nlh;
}

/* ---- rules ---- */

static const uint8_t actions[] = {
	[PLAN_LOOKUP] = FR_ACT_TO_TBL,
	[PLAN_GOTO] = FR_ACT_GOTO,
	[PLAN_NOP] = FR_ACT_NOP,
	[PLAN_PROHIBIT] = FR_ACT_PROHIBIT,
};

struct nlmsghdr *rules_nl_put_rule(char buf[512], const struct plan_rule *r, uint8_t protocol,
				   bool add)
{
	struct nlmsghdr *nlh = begin(buf, add ? RTM_NEWRULE : RTM_DELRULE,
				     add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct fib_rule_hdr *h = mnl_nlmsg_put_extra_header(nlh, sizeof(*h));

	h->family = af(r->family);
	h->action = actions[r->action];
	h->src_len = r->has_from ? r->from.len : 0;
	h->dst_len = r->has_to ? r->to.len : 0;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, r->priority);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, protocol);
	if (r->has_from)
		put_address(nlh, FRA_SRC, r->family, r->from.v);
	if (r->has_to)
		put_address(nlh, FRA_DST, r->family, r->to.v);
	if (r->iif[0])
		mnl_attr_put_strz(nlh, FRA_IIFNAME, r->iif);
	if (r->mask) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, r->mark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, r->mask);
	}
	if (r->action == PLAN_LOOKUP)
		mnl_attr_put_u32(nlh, FRA_TABLE, r->target);
	if (r->action == PLAN_GOTO)
		mnl_attr_put_u32(nlh, FRA_GOTO, r->target);
	if (r->specific_only)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, 0);
	return nlh;
}

struct attrs {
	const struct nlattr *a[64];
};

static int take_attr(const struct nlattr *attr, void *data)
{
	struct attrs *all = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < sizeof(all->a) / sizeof(all->a[0]))
		all->a[type] = attr;
	return MNL_CB_OK;
}

static bool parse(const struct nlmsghdr *nlh, size_t header, struct attrs *out)
{
	*out = (struct attrs){ 0 };
	return mnl_nlmsg_get_payload_len(nlh) >= header &&
	       mnl_attr_parse(nlh, (unsigned int)header, take_attr, out) >= 0;
}

static uint32_t u32(const struct nlattr *a, uint32_t otherwise)
{
	return a && mnl_attr_get_payload_len(a) == 4 ? mnl_attr_get_u32(a) : otherwise;
}

static bool read_prefix(const struct nlattr *a, uint8_t family, uint8_t len,
			struct ip_prefix *out)
{
	uint8_t bytes[16] = { 0 };

	if (len > ip_bits(family))
		return false;
	if (a) {
		if (mnl_attr_get_payload_len(a) != ip_bytes(family))
			return false;
		memcpy(bytes, mnl_attr_get_payload(a), ip_bytes(family));
	}
	*out = ip_prefix_make(family, ip_from_bytes(bytes, family), len);
	return true;
}

static bool read_action(uint8_t in, uint8_t *out)
{
	for (uint8_t i = 0; i < sizeof(actions); i++) {
		if (actions[i] == in) {
			*out = i;
			return true;
		}
	}
	return false;
}

static void read_name(const struct nlattr *a, char out[FILTER_IFNAME_SIZE])
{
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	if (len >= FILTER_IFNAME_SIZE)
		len = FILTER_IFNAME_SIZE - 1;
	if (len)
		memcpy(out, mnl_attr_get_payload(a), len);
	out[len] = '\0';
}

bool rules_nl_read_rule(const struct nlmsghdr *nlh, uint8_t protocol, struct plan_rule *r)
{
	const struct fib_rule_hdr *h = mnl_nlmsg_get_payload(nlh);
	struct attrs tb;

	*r = (struct plan_rule){ 0 };
	if (nlh->nlmsg_type != RTM_NEWRULE || !parse(nlh, sizeof(*h), &tb) ||
	    !tb.a[FRA_PROTOCOL] || mnl_attr_get_u8(tb.a[FRA_PROTOCOL]) != protocol ||
	    !family_of(h->family, &r->family) || !read_action(h->action, &r->action) ||
	    !read_prefix(tb.a[FRA_SRC], r->family, h->src_len, &r->from) ||
	    !read_prefix(tb.a[FRA_DST], r->family, h->dst_len, &r->to))
		return false;
	r->has_from = h->src_len != 0;
	r->has_to = h->dst_len != 0;
	r->priority = u32(tb.a[FRA_PRIORITY], 0);
	read_name(tb.a[FRA_IIFNAME], r->iif);
	r->mark = u32(tb.a[FRA_FWMARK], 0);
	r->mask = u32(tb.a[FRA_FWMASK], 0);
	r->specific_only = u32(tb.a[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX) == 0;
	if (r->action == PLAN_LOOKUP)
		r->target = u32(tb.a[FRA_TABLE], h->table);
	else if (r->action == PLAN_GOTO)
		r->target = u32(tb.a[FRA_GOTO], 0);
	return true;
}

/* ---- routes ---- */

struct nlmsghdr *rules_nl_put_route(char buf[512], const struct plan_route *r, uint8_t protocol,
				    bool add)
{
	struct nlmsghdr *nlh = begin(buf, add ? RTM_NEWROUTE : RTM_DELROUTE,
				     add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = af(r->family);
	rtm->rtm_dst_len = r->to.len;
	rtm->rtm_protocol = protocol;
	rtm->rtm_type = r->prohibit ? RTN_PROHIBIT : RTN_UNICAST;
	rtm->rtm_scope = r->prohibit || r->has_gateway || r->family == IP_V6 ? RT_SCOPE_UNIVERSE
									      : RT_SCOPE_LINK;
	mnl_attr_put_u32(nlh, RTA_TABLE, r->table);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->to.len != 0)
		put_address(nlh, RTA_DST, r->family, r->to.v);
	if (r->prohibit)
		return nlh;
	mnl_attr_put_u32(nlh, RTA_OIF, r->ifindex);
	if (r->has_gateway) {
		/* no other table has to know the way to the gateway */
		rtm->rtm_flags = RTNH_F_ONLINK;
		put_address(nlh, RTA_GATEWAY, r->family, r->gateway.v);
	}
	if (r->has_source)
		put_address(nlh, RTA_PREFSRC, r->family, r->source.v);
	return nlh;
}

static bool read_address(const struct nlattr *a, uint8_t family, struct ip_addr *out)
{
	if (!a || mnl_attr_get_payload_len(a) != ip_bytes(family))
		return false;
	*out = (struct ip_addr){ ip_from_bytes(mnl_attr_get_payload(a), family), family };
	return true;
}

bool rules_nl_read_route(const struct nlmsghdr *nlh, uint8_t protocol, struct plan_route *r)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct attrs tb;

	*r = (struct plan_route){ 0 };
	if (nlh->nlmsg_type != RTM_NEWROUTE || !parse(nlh, sizeof(*rtm), &tb) ||
	    rtm->rtm_protocol != protocol || !family_of(rtm->rtm_family, &r->family) ||
	    !read_prefix(tb.a[RTA_DST], r->family, rtm->rtm_dst_len, &r->to))
		return false;
	r->table = u32(tb.a[RTA_TABLE], rtm->rtm_table);
	r->metric = u32(tb.a[RTA_PRIORITY], 0);
	r->prohibit = rtm->rtm_type == RTN_PROHIBIT;
	if (r->prohibit)
		return true;
	r->ifindex = u32(tb.a[RTA_OIF], 0);
	r->has_gateway = read_address(tb.a[RTA_GATEWAY], r->family, &r->gateway);
	r->has_source = read_address(tb.a[RTA_PREFSRC], r->family, &r->source);
	return true;
}

/* ---- default routes ---- */

static void found(struct steer_gateway *out, uint8_t family, const struct nlattr *gateway)
{
	out->found[family] = true;
	out->has_address[family] = read_address(gateway, family, &out->address[family]);
}

static void find_member(const struct nlattr *multipath, uint8_t family, uint32_t ifindex,
			struct steer_gateway *out)
{
	const uint8_t *at = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);

	while (left >= sizeof(struct rtnexthop)) {
		struct rtnexthop hop;
		const struct nlattr *gateway = NULL, *attr;
		size_t len;

		memcpy(&hop, at, sizeof(hop));
		len = MNL_ALIGN((size_t)hop.rtnh_len);
		if (hop.rtnh_len < sizeof(hop) || len > left)
			return;
		mnl_attr_for_each_payload((const void *)(at + sizeof(hop)),
					  hop.rtnh_len - sizeof(hop))
		{
			if (mnl_attr_get_type(attr) == RTA_GATEWAY)
				gateway = attr;
		}
		if ((uint32_t)hop.rtnh_ifindex == ifindex) {
			found(out, family, gateway);
			return;
		}
		at += len;
		left -= len;
	}
}

void rules_nl_read_default(const struct nlmsghdr *nlh, uint32_t ifindex,
			   struct steer_gateway *out)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct attrs tb;
	uint8_t family;

	if (nlh->nlmsg_type != RTM_NEWROUTE || !parse(nlh, sizeof(*rtm), &tb) ||
	    !family_of(rtm->rtm_family, &family) || rtm->rtm_type != RTN_UNICAST ||
	    rtm->rtm_dst_len != 0 ||
	    u32(tb.a[RTA_TABLE], rtm->rtm_table) != RT_TABLE_MAIN)
		return;
	if (tb.a[RTA_MULTIPATH])
		find_member(tb.a[RTA_MULTIPATH], family, ifindex, out);
	else if (u32(tb.a[RTA_OIF], 0) == ifindex)
		found(out, family, tb.a[RTA_GATEWAY]);
}

/* ---- notifications ---- */

enum rules_nl_kind rules_nl_read_news(const struct nlmsghdr *nlh, uint8_t protocol,
				      struct ip_prefix *p)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct attrs tb;
	uint8_t family;

	if (nlh->nlmsg_type == RTM_NEWRULE || nlh->nlmsg_type == RTM_DELRULE)
		return RULES_NL_OURS;
	if ((nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE) ||
	    !parse(nlh, sizeof(*rtm), &tb) || !family_of(rtm->rtm_family, &family))
		return RULES_NL_NOTHING;
	if (rtm->rtm_protocol == protocol)
		return RULES_NL_OURS;
	if (rtm->rtm_dst_len == 0)
		return RULES_NL_DEFAULT;
	if (rtm->rtm_type != RTN_UNREACHABLE && rtm->rtm_type != RTN_BLACKHOLE)
		return RULES_NL_NOTHING;
	return read_prefix(tb.a[RTA_DST], family, rtm->rtm_dst_len, p) ? RULES_NL_DELEGATION
								       : RULES_NL_NOTHING;
}
