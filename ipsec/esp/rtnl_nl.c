/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/rtnl_nl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

struct asking {
	int error;
	void (*got)(void *ctx, struct nlmsghdr *h);
	void *ctx;
};

struct nl_msg *rtnl_link(int type, int flags, const char *name)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };

	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0)
		abort(); /* out of memory */
	if (name)
		nla_put_string(msg, IFLA_IFNAME, name);
	return msg;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct asking *a = arg;

	a->error = error->error;
	return NL_STOP;
}

static int on_answer(struct nl_msg *msg, void *arg)
{
	struct asking *a = arg;

	if (a->got)
		a->got(a->ctx, nlmsg_hdr(msg));
	return NL_OK;
}

int rtnl_talk(struct nl_msg *msg, void (*got)(void *ctx, struct nlmsghdr *h), void *ctx)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct asking a = { .got = got, .ctx = ctx };
	int n, on = 1;

	if (!sock)
		abort();
	if (nl_connect(sock, NETLINK_ROUTE) < 0) {
		nlmsg_free(msg);
		nl_socket_free(sock);
		return -EIO;
	}
	/* the kernel looks at what is asked for, and does not send whole tables; not before
	 * Linux 4.20 */
	(void)setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	nl_socket_disable_auto_ack(sock);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_answer, &a);
	nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, on_error, &a);
	n = nl_send_auto(sock, msg);
	if (n >= 0)
		n = nlmsg_hdr(msg)->nlmsg_flags & NLM_F_ACK ? nl_wait_for_ack(sock) : nl_recvmsgs_default(sock);
	nlmsg_free(msg);
	nl_socket_free(sock);
	return a.error ? a.error : n < 0 ? -EIO : 0;
}

void rtnl_link_del(const char *name)
{
	(void)rtnl_talk(rtnl_link(RTM_DELLINK, NLM_F_ACK, name), NULL, NULL);
}

struct nlattr *rtnl_kind_data(struct nlmsghdr *h, const char *kind)
{
	struct nlattr *info, *its;

	if (h->nlmsg_type != RTM_NEWLINK || nlmsg_datalen(h) < (int)sizeof(struct ifinfomsg))
		return NULL;
	info = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	its = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND) : NULL;
	/* some kernels end it with a NUL, some do not */
	if (!its || strncmp(nla_data(its), kind, (size_t)nla_len(its)) != 0 || (size_t)nla_len(its) < strlen(kind))
		return NULL;
	return nla_find(nla_data(info), nla_len(info), IFLA_INFO_DATA);
}
