/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/drops_nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include "agents/nft_rules.h"
#include "lib/mem.h"

#define BUFFER_BYTES  65536
#define READS_AT_ONCE 64

struct drops_nl {
	struct mnl_socket *nl;
	uint64_t lost;
};

static struct nlmsghdr *config_message(char *buf, unsigned int group)
{
	struct nfulnl_msg_config_mode mode = { .copy_range = htonl(RULES_SAMPLE_BYTES),
					       .copy_mode = NFULNL_COPY_PACKET };
	struct nfulnl_msg_config_cmd cmd = { .command = NFULNL_CFG_CMD_BIND };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons((uint16_t)group);
	mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(cmd), &cmd);
	mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(mode), &mode);
	return nlh;
}

/* The kernel's answer: 0 or a negative errno. */
static int wait_for_ack(struct mnl_socket *nl)
{
	char buf[BUFFER_BYTES];

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		int left = (int)got;

		if (got < 0 && errno != EINTR && errno != ENOBUFS)
			return -errno;
		for (; got > 0 && mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type == NLMSG_ERROR)
				return err->error;
			/* else a sample that was quicker; there will be others */
		}
	}
}

static int bind_group(struct mnl_socket *nl, unsigned int group)
{
	char buf[256];
	struct nlmsghdr *nlh = config_message(buf, group);

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	return wait_for_ack(nl);
}

static const char *remedy(int error)
{
	switch (error) {
	case EPERM:
	case EBUSY:
	case EEXIST:
		return "another program reads that group (ulogd, tcpdump -i nflog; "
		       "/proc/net/netfilter/nfnetlink_log names its port), or "
		       "CAP_NET_ADMIN is missing; end that program";
	case EINVAL:
	case EOPNOTSUPP:
		return "the kernel module nfnetlink_log is missing";
	default:
		return strerror(error);
	}
}

struct drops_nl *drops_nl_open(unsigned int group, struct diag *diag)
{
	struct drops_nl *nl = mem_alloc(sizeof(*nl));
	int rc;

	nl->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	rc = nl->nl && mnl_socket_bind(nl->nl, 0, MNL_SOCKET_AUTOPID) == 0
		     ? bind_group(nl->nl, group)
		     : -errno;
	if (rc == 0)
		return nl;
	diag_set(diag, "no samples of drops: cannot read NFLOG group %u: %s", group,
		 remedy(-rc));
	drops_nl_close(nl);
	return NULL;
}

void drops_nl_close(struct drops_nl *nl)
{
	if (nl && nl->nl)
		mnl_socket_close(nl->nl);
	free(nl);
}

int drops_nl_fd(const struct drops_nl *nl)
{
	return mnl_socket_get_fd(nl->nl);
}

uint64_t drops_nl_lost(const struct drops_nl *nl)
{
	return nl->lost;
}

/* Others may log to the same group; our rules say who they are. */
static void take_packet(const struct nlmsghdr *nlh, drops_nl_fn *fn, void *ctx)
{
	const struct nlattr *attr, *payload = NULL;
	uint32_t ifindex = 0;
	bool ours = false;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFULA_PREFIX:
			ours = mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 &&
			       strcmp(mnl_attr_get_str(attr), TXN_TABLE) == 0;
			break;
		case NFULA_IFINDEX_INDEV:
			if (mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
				ifindex = ntohl(mnl_attr_get_u32(attr));
			break;
		case NFULA_PAYLOAD:
			payload = attr;
			break;
		}
	}
	if (ours && ifindex != 0 && payload)
		fn(ctx, ifindex, mnl_attr_get_payload(payload),
		   mnl_attr_get_payload_len(payload));
}

bool drops_nl_read(struct drops_nl *nl, drops_nl_fn *fn, void *ctx)
{
	char buf[BUFFER_BYTES];

	for (int i = 0; i < READS_AT_ONCE; i++) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		ssize_t got = recv(drops_nl_fd(nl), buf, sizeof(buf), MSG_DONTWAIT);
		int left = (int)got;

		if (got < 0 && errno == ENOBUFS)
			nl->lost++;
		if (got < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (got <= 0)
			return false;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_type ==
			    (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
				take_packet(nlh, fn, ctx);
		}
	}
	return true;
}
