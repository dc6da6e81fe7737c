/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/xfrm_device_nl.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "ipsec/esp/xfrm_nl.h"

struct asking {
	int error;
	const char *name; /* whose identifier is asked for; NULL: the highest of ours */
	uint32_t if_id;
};

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct asking *a = arg;

	a->error = error->error;
	return NL_STOP;
}

/* The identifier in IFLA_LINKINFO if the kind is xfrm, else 0. */
static uint32_t if_id_of(struct nlmsghdr *h)
{
	struct nlattr *info = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_LINKINFO), *kind, *data, *id;

	kind = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND) : NULL;
	data = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_DATA) : NULL;
	if (!kind || !data || nla_len(kind) < 4 || memcmp(nla_data(kind), "xfrm", 4) != 0)
		return 0;
	id = nla_find(nla_data(data), nla_len(data), IFLA_XFRM_IF_ID);
	return id && nla_len(id) >= 4 ? nla_get_u32(id) : 0;
}

static int on_link(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct asking *a = arg;
	uint32_t if_id;

	if (h->nlmsg_type != RTM_NEWLINK || nlmsg_datalen(h) < (int)sizeof(struct ifinfomsg))
		return NL_OK;
	if_id = if_id_of(h);
	if (a->name || (if_id >= XFRM_OURS && if_id < XFRM_OURS_END && if_id > a->if_id))
		a->if_id = if_id;
	return NL_OK;
}

/* Sends and frees; 0 or -errno. */
static int talk(struct nl_msg *msg, struct asking *a)
{
	struct nl_sock *sock = nl_socket_alloc();
	int n;

	if (!sock)
		abort();
	a->error = 0;
	if (nl_connect(sock, NETLINK_ROUTE) < 0) {
		nlmsg_free(msg);
		nl_socket_free(sock);
		return -EIO;
	}
	nl_socket_disable_auto_ack(sock);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_link, a);
	nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, on_error, a);
	n = nl_send_auto(sock, msg);
	if (n >= 0)
		n = nlmsg_hdr(msg)->nlmsg_flags & NLM_F_ACK ? nl_wait_for_ack(sock) : nl_recvmsgs_default(sock);
	nlmsg_free(msg);
	nl_socket_free(sock);
	return a->error ? a->error : n < 0 ? -EIO : 0;
}

static struct nl_msg *message(int type, int flags, const char *name)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };

	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0)
		abort(); /* out of memory */
	if (name)
		nla_put_string(msg, IFLA_IFNAME, name);
	return msg;
}

static int add(const char *name, uint32_t if_id)
{
	struct nl_msg *msg = message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, name);
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;
	struct asking a = { 0 };

	nla_put_string(msg, IFLA_INFO_KIND, "xfrm");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_XFRM_IF_ID, if_id);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return talk(msg, &a);
}

uint32_t xfrm_device_if_id(const char *name)
{
	struct asking a = { .name = name };

	return talk(message(RTM_GETLINK, 0, name), &a) == 0 ? a.if_id : 0;
}

uint32_t xfrm_device_last_if_id(void)
{
	struct asking a = { 0 };

	(void)talk(message(RTM_GETLINK, NLM_F_DUMP, NULL), &a);
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
	struct asking a = { 0 };

	if (xfrm_device_if_id(name))
		(void)talk(message(RTM_DELLINK, NLM_F_ACK, name), &a);
}
