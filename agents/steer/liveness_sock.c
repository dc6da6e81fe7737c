/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/liveness_sock.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/icmp.h>

#include "lib/digest.h"
#include "lib/sock.h"

#define PORT_FIRST   49152
#define PORT_TRIES   64
#define TOS_CONTROL  0xc0 /* CS6: network control, as other BFD speakers do */
#define BUFFER_BYTES (64 << 10)

static int failed(int fd, const char *what, struct diag *diag)
{
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return diag_set(diag, "cannot %s: %s", what, strerror(err));
}

static bool set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static bool bind_to(int fd, const struct ip_addr *addr, uint16_t port, uint32_t ifindex)
{
	struct sockaddr_storage ss;
	socklen_t len = sock_to_sockaddr(addr, port, &ss);

	if (addr->family == IP_V6)
		((struct sockaddr_in6 *)&ss)->sin6_scope_id = ifindex;
	return bind(fd, (struct sockaddr *)&ss, len) == 0;
}

/* ---- echo ---- */

/* The kernel wakes us for our own replies only. */
static bool filter_v4(int fd, uint16_t ident)
{
	struct icmp_filter only = { .data = ~(1u << ICMP_ECHOREPLY) };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* the IP header's length */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ident, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_RAW, ICMP_FILTER, &only, sizeof(only)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ==
		       0;
}

static bool filter_v6(int fd, uint16_t ident)
{
	struct icmp6_filter only;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ident, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	ICMP6_FILTER_SETBLOCKALL(&only);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ==
		       0;
}

static int open_marked(enum ip_family family, int type, int protocol, uint32_t mark,
		       struct diag *diag)
{
	int fd = socket(family == IP_V4 ? AF_INET : AF_INET6,
			type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return failed(fd, "open a socket for probes", diag);
	if (mark && !set(fd, SOL_SOCKET, SO_MARK, (int)mark))
		return failed(fd, "mark a socket for probes", diag);
	(void)set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
	return fd;
}

static int bound(int fd, const struct path *path, enum ip_family family, uint16_t port,
		 struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	if (bind_to(fd, &path->source[family], port, path->ifindex))
		return fd;
	failed(fd, "send from", diag);
	return diag_prepend(diag, "path %s, source %s", path->name,
			    ip_addr_format(&path->source[family], text));
}

int liveness_sock_echo(const struct path *path, enum ip_family family, uint16_t ident,
		       struct diag *diag)
{
	int fd = open_marked(family, SOCK_RAW,
			     family == IP_V4 ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6,
			     path->mark, diag);

	if (fd < 0)
		return fd;
	/* before bind(): nothing of others gets into the queue */
	if (!(family == IP_V4 ? filter_v4(fd, ident) : filter_v6(fd, ident)))
		return failed(fd, "filter echo replies", diag);
	return bound(fd, path, family, 0, diag);
}

/* ---- BFD ---- */

int liveness_sock_bfd(const struct path *path, enum ip_family family, struct diag *diag)
{
	int fd = open_marked(family, SOCK_DGRAM, 0, path->mark, diag);
	bool v4 = family == IP_V4;
	uint16_t random;

	if (fd < 0)
		return fd;
	if (!set(fd, v4 ? (int)IPPROTO_IP : (int)IPPROTO_IPV6,
		 v4 ? IP_TTL : IPV6_UNICAST_HOPS, BFD_TTL))
		return failed(fd, "set the TTL of BFD packets", diag);
	(void)set(fd, v4 ? (int)IPPROTO_IP : (int)IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS,
		  TOS_CONTROL);
	for (int i = 0; i < PORT_TRIES; i++) {
		digest_random(&random, sizeof(random));
		if (bind_to(fd, &path->source[family], PORT_FIRST | random,
			    path->ifindex))
			return fd;
		if (errno != EADDRINUSE)
			break;
	}
	failed(fd, "send BFD packets", diag);
	return diag_prepend(diag, "path %s", path->name);
}

int liveness_sock_bfd_listen(enum ip_family family, bool multihop, struct diag *diag)
{
	uint16_t port = multihop ? BFD_PORT_MULTIHOP : BFD_PORT_SINGLE_HOP;
	struct ip_addr any = { 0, (uint8_t)family };
	int fd = sock_udp(&any, port, BUFFER_BYTES, diag);
	bool v4 = family == IP_V4;

	if (fd < 0)
		return diag_prepend(
			diag, "BFD (another BFD daemon, such as FRR's bfdd, may have "
			      "the port: stop it, or use probes instead)");
	/* without it no packet would be believed */
	if (!set(fd, v4 ? (int)IPPROTO_IP : (int)IPPROTO_IPV6,
		 v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, 1))
		return failed(fd, "see the TTL of BFD packets", diag);
	return fd;
}

/* ---- datagrams ---- */

bool liveness_sock_send(int fd, const struct ip_addr *to, uint16_t port, uint32_t ifindex,
			const uint8_t *data, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t size = sock_to_sockaddr(to, port, &ss);

	if (to->family == IP_V6 && to->v >> 118 == 0x3fa) /* fe80::/10 */
		((struct sockaddr_in6 *)&ss)->sin6_scope_id = ifindex;
	return sendto(fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&ss, size) ==
	       (ssize_t)len;
}

static void read_control(struct cmsghdr *c, struct liveness_datagram *d)
{
	struct in_pktinfo v4;
	struct in6_pktinfo v6;

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		memcpy(&v4, CMSG_DATA(c), sizeof(v4));
		d->ifindex = (uint32_t)v4.ipi_ifindex;
		d->to = (struct ip_addr){ ntohl(v4.ipi_addr.s_addr), IP_V4 };
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&v6, CMSG_DATA(c), sizeof(v6));
		d->ifindex = v6.ipi6_ifindex;
		d->to = (struct ip_addr){ ip_from_bytes(v6.ipi6_addr.s6_addr, IP_V6),
					  IP_V6 };
	} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
		memcpy(&d->ttl, CMSG_DATA(c), sizeof(d->ttl));
	}
}

bool liveness_sock_receive(int fd, uint8_t buf[LIVENESS_READ_BYTES],
			   struct liveness_datagram *d)
{
	union {
		struct cmsghdr align;
		char bytes[256];
	} control;
	struct sockaddr_storage from = { 0 };
	struct iovec iov = { buf, LIVENESS_READ_BYTES };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	uint16_t port;
	ssize_t len;

	do
		len = recvmsg(fd, &msg, MSG_DONTWAIT);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return false;
	*d = (struct liveness_datagram){ .ttl = -1, .data = buf, .len = (size_t)len };
	sock_from_sockaddr(&from, &d->from, &port);
	d->to.family = d->from.family;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		read_control(c, d);
	return true;
}
