/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/ipip_device_nl.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "ipsec/esp/rtnl_nl.h"

#define TTL	    64
#define TOS_INHERIT 1

static const char *kind_of(const struct esp_ipip *ends)
{
	return ends->local.family == IP_V4 ? "ipip" : "ip6tnl";
}

static void put_addr(struct nl_msg *msg, int type, const struct ip_addr *addr)
{
	uint8_t bytes[16];

	ip_to_bytes(addr->v, (enum ip_family)addr->family, bytes);
	nla_put(msg, type, (int)ip_bytes((enum ip_family)addr->family), bytes);
}

/* ---- the device */

struct found {
	bool device, tunnel; /* some device; one of such a kind */
	uint32_t over;
	struct esp_ipip ends;
};

static bool get_addr(struct nlattr *data, int type, enum ip_family family, struct ip_addr *out)
{
	struct nlattr *a = nla_find(nla_data(data), nla_len(data), type);

	if (!a || nla_len(a) < (int)ip_bytes(family))
		return false;
	*out = (struct ip_addr){ ip_from_bytes(nla_data(a), family), family };
	return true;
}

static void on_link(void *ctx, struct nlmsghdr *h)
{
	struct nlattr *v4 = rtnl_kind_data(h, "ipip"), *v6 = rtnl_kind_data(h, "ip6tnl"), *data = v4 ? v4 : v6, *over;
	enum ip_family family = v4 ? IP_V4 : IP_V6;
	struct found *f = ctx;

	f->device = f->device || h->nlmsg_type == RTM_NEWLINK;
	over = data ? nla_find(nla_data(data), nla_len(data), IFLA_IPTUN_LINK) : NULL;
	if (!over || nla_len(over) < 4 || !get_addr(data, IFLA_IPTUN_LOCAL, family, &f->ends.local) ||
	    !get_addr(data, IFLA_IPTUN_REMOTE, family, &f->ends.remote))
		return;
	f->tunnel = true;
	f->over = nla_get_u32(over);
}

static struct found find(const char *name)
{
	struct found f = { 0 };

	(void)rtnl_talk(rtnl_link(RTM_GETLINK, 0, name), on_link, &f);
	return f;
}

static int add(const char *name, uint32_t over, const struct esp_ipip *ends)
{
	struct nl_msg *msg = rtnl_link(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, name);
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;

	nla_put_string(msg, IFLA_INFO_KIND, kind_of(ends));
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_IPTUN_LINK, over);
	put_addr(msg, IFLA_IPTUN_LOCAL, &ends->local);
	put_addr(msg, IFLA_IPTUN_REMOTE, &ends->remote);
	nla_put_u8(msg, IFLA_IPTUN_TTL, TTL);
	if (ends->local.family == IP_V4) {
		nla_put_u8(msg, IFLA_IPTUN_TOS, TOS_INHERIT);
		nla_put_u8(msg, IFLA_IPTUN_PMTUDISC, 1);
		nla_put_u8(msg, IFLA_IPTUN_PROTO, ESP_NEXT_V4);
	} else {
		nla_put_u8(msg, IFLA_IPTUN_PROTO, 0); /* both families */
		/* without it each packet would have a header more (RFC 2473 4.1.1) */
		nla_put_u32(msg, IFLA_IPTUN_FLAGS, IP6_TNL_F_IGN_ENCAP_LIMIT | IP6_TNL_F_USE_ORIG_TCLASS);
	}
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return rtnl_talk(msg, NULL, NULL);
}

int ipip_device_add(const char *name, const char *over, const struct esp_ipip *ends, struct diag *diag)
{
	uint32_t index = if_nametoindex(over);
	struct found f = find(name);
	char gone[IF_NAMESIZE];
	int ret;

	if (f.tunnel && f.over == index && ip_addr_equal(&f.ends.local, &ends->local) &&
	    ip_addr_equal(&f.ends.remote, &ends->remote))
		return 0;
	/* one with other ends, or left from an interface that is no more */
	if (f.tunnel && f.over && (f.over == index || !if_indextoname(f.over, gone))) {
		rtnl_link_del(name);
		f.device = false;
	}
	if (f.device)
		return diag_set(diag, "device %s is there already and none of ours: \"device IFNAME\" gives the tunnel another", name);
	ret = add(name, index, ends);
	if (ret == -EEXIST)
		return diag_set(diag, "device %s: another has the same ends", name);
	if (ret == -EOPNOTSUPP)
		return diag_set(diag, "device %s: the kernel has no IP in IP (module %s); \"datapath user\" does without", name,
				ends->local.family == IP_V4 ? "ipip" : "ip6_tunnel");
	return ret == 0 ? 0 : diag_set(diag, "device %s: %s", name, strerror(-ret));
}

void ipip_device_del(const char *name, const char *over)
{
	struct found f = find(name);

	if (f.tunnel && f.over && f.over == if_nametoindex(over))
		rtnl_link_del(name);
}

/* ---- its address */

static int change_address(int type, int flags, const char *device, const struct esp_ipip *ends)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);
	enum ip_family family = (enum ip_family)ends->local.family;
	struct ifaddrmsg info = { .ifa_family = family == IP_V4 ? AF_INET : AF_INET6,
				  .ifa_prefixlen = (uint8_t)ip_bits(family),
				  .ifa_flags = family == IP_V6 ? IFA_F_NODAD : 0,
				  .ifa_index = if_nametoindex(device) };

	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0)
		abort(); /* out of memory */
	put_addr(msg, IFA_LOCAL, &ends->local);
	put_addr(msg, IFA_ADDRESS, &ends->remote);
	return rtnl_talk(msg, NULL, NULL);
}

int ipip_address_add(const char *device, const struct esp_ipip *ends, struct diag *diag)
{
	char text[IP_TEXT_SIZE];
	int ret = change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, device, ends);

	return ret == 0 ? 0 :
			  diag_set(diag, "device %s: address %s: %s", device, ip_addr_format(&ends->local, text), strerror(-ret));
}

void ipip_address_del(const char *device, const struct esp_ipip *ends)
{
	(void)change_address(RTM_DELADDR, 0, device, ends);
}
