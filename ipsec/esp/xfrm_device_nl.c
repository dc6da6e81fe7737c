/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/xfrm_device_nl.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "ipsec/esp/rtnl_nl.h"
#include "ipsec/esp/xfrm_nl.h"

struct asking {
	bool one; /* any; else the highest of ours */
	uint32_t if_id;
};

static void on_link(void *ctx, struct nlmsghdr *h)
{
	struct nlattr *data = rtnl_kind_data(h, "xfrm"), *id;
	struct asking *a = ctx;
	uint32_t if_id;

	id = data ? nla_find(nla_data(data), nla_len(data), IFLA_XFRM_IF_ID) : NULL;
	if_id = id && nla_len(id) >= 4 ? nla_get_u32(id) : 0;
	if (a->one || (if_id >= XFRM_OURS && if_id < XFRM_OURS_END && if_id > a->if_id))
		a->if_id = if_id;
}

static int add(const char *name, uint32_t if_id)
{
	struct nl_msg *msg = rtnl_link(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, name);
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;

	nla_put_string(msg, IFLA_INFO_KIND, "xfrm");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_XFRM_IF_ID, if_id);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return rtnl_talk(msg, NULL, NULL);
}

uint32_t xfrm_device_if_id(const char *name)
{
	struct asking a = { .one = true };

	return rtnl_talk(rtnl_link(RTM_GETLINK, 0, name), on_link, &a) == 0 ? a.if_id : 0;
}

uint32_t xfrm_device_last_if_id(void)
{
	struct asking a = { 0 };

	(void)rtnl_talk(rtnl_link(RTM_GETLINK, NLM_F_DUMP, NULL), on_link, &a);
	return a.if_id;
}

int xfrm_device_add(const char *name, uint32_t if_id, struct diag *diag)
{
	int ret;

	if (xfrm_device_if_id(name) == if_id)
		return 0;
	ret = add(name, if_id);
	if (ret == -EEXIST && if_nametoindex(name))
		return diag_set(diag, "device %s is there already and none of ours: \"device IFNAME\" gives the tunnel another", name);
	if (ret == -EEXIST)
		return diag_set(diag, "device %s: another has the identifier %u", name, if_id);
	if (ret == -EOPNOTSUPP)
		return diag_set(diag, "device %s: the kernel has no xfrm interfaces (module xfrm_interface); \"datapath user\" does "
				      "without",
				name);
	return ret == 0 ? 0 : diag_set(diag, "device %s: %s", name, strerror(-ret));
}

void xfrm_device_del(const char *name)
{
	if (xfrm_device_if_id(name))
		rtnl_link_del(name);
}
