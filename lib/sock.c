/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Enough for a burst of routers that come back together. */
#define BACKLOG 128

socklen_t sock_to_sockaddr(const struct ip_addr *addr, uint16_t port,
			   struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (addr->family == IP_V4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		ip_to_bytes(addr->v, IP_V4, (uint8_t *)&in->sin_addr);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	ip_to_bytes(addr->v, IP_V6, in6->sin6_addr.s6_addr);
	return sizeof(*in6);
}

void sock_from_sockaddr(const struct sockaddr_storage *ss, struct ip_addr *addr,
			uint16_t *port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	if (ss->ss_family == AF_INET) {
		*addr = (struct ip_addr){ ntohl(in->sin_addr.s_addr), IP_V4 };
		*port = ntohs(in->sin_port);
	} else {
		*addr = (struct ip_addr){ ip_from_bytes(in6->sin6_addr.s6_addr, IP_V6), IP_V6 };
		*port = ntohs(in6->sin6_port);
	}
}

const char *sock_format(const struct ip_addr *addr, uint16_t port, char buf[SOCK_TEXT_SIZE])
{
	char text[IP_TEXT_SIZE];

	snprintf(buf, SOCK_TEXT_SIZE, "%s port %u", ip_addr_format(addr, text), port);
	return buf;
}

static void set_option(int fd, int level, int name, int value)
{
	/* every option here improves a socket that works without it */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

static int give_up(int fd, const char *what, const struct ip_addr *addr, uint16_t port,
		   struct diag *diag)
{
	char text[SOCK_TEXT_SIZE];
	int err = errno;

	if (fd >= 0)
		close(fd);
	return diag_set(diag, "cannot %s %s: %s%s", what, sock_format(addr, port, text),
			strerror(err),
			err == EADDRINUSE    ? " (is another daemon running?)" :
			err == EADDRNOTAVAIL ? " (no interface has this address)" :
					       "");
}

int sock_listen(const struct ip_addr *addr, uint16_t port, struct diag *diag)
{
	struct sockaddr_storage ss;
	socklen_t len = sock_to_sockaddr(addr, port, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return give_up(fd, "open a socket for", addr, port, diag);
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (addr->family == IP_V6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, BACKLOG) < 0)
		return give_up(fd, "listen on", addr, port, diag);
	return fd;
}

int sock_udp(const struct ip_addr *addr, uint16_t port, int buffer_bytes,
	     struct diag *diag)
{
	struct sockaddr_storage ss;
	socklen_t len = sock_to_sockaddr(addr, port, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return give_up(fd, "open a socket for", addr, port, diag);
	if (addr->family == IP_V6) {
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	} else {
		set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	}
	set_option(fd, SOL_SOCKET, SO_RCVBUF, buffer_bytes);
	if (bind(fd, (struct sockaddr *)&ss, len) < 0)
		return give_up(fd, "listen on", addr, port, diag);
	return fd;
}

static void keep_alive(int fd)
{
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 6);
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int sock_accept(int listener, struct ip_addr *from, uint16_t *port)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	int fd = accept4(listener, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return -1;
	keep_alive(fd);
	sock_from_sockaddr(&ss, from, port);
	return fd;
}

/* The kernel keeps a copy for as long as the socket lives. sig: who it is for,
 * by the option of that name. */
static int set_md5(int fd, int option, struct tcp_md5sig sig, const char *password)
{
	size_t len = strlen(password);
	int ret;

	if (len > sizeof(sig.tcpm_key)) {
		errno = EINVAL;
		return -1;
	}
	sig.tcpm_keylen = (uint16_t)len;
	memcpy(sig.tcpm_key, password, len);
	ret = setsockopt(fd, IPPROTO_TCP, option, &sig, sizeof(sig));
	explicit_bzero(&sig, sizeof(sig));
	return ret;
}

int sock_require_md5(int listener, const struct ip_prefix *from, const char *password,
		     struct diag *diag)
{
	const struct ip_addr addr = { from->v, from->family };
	struct tcp_md5sig sig = { .tcpm_flags = TCP_MD5SIG_FLAG_PREFIX,
				  .tcpm_prefixlen = from->len };
	char text[IP_TEXT_SIZE];

	sock_to_sockaddr(&addr, 0, &sig.tcpm_addr);
	if (set_md5(listener, TCP_MD5SIG_EXT, sig, password) == 0 ||
	    (password[0] == '\0' && errno == ENOENT))
		return 0;
	return diag_set(diag, "cannot set the password for %s: %s",
			ip_prefix_format(from, text), strerror(errno));
}

int sock_connect(const struct ip_addr *addr, uint16_t port, struct diag *diag)
{
	return sock_connect_md5(addr, port, "", diag);
}

int sock_connect_md5(const struct ip_addr *addr, uint16_t port, const char *password,
		     struct diag *diag)
{
	struct sockaddr_storage ss;
	socklen_t len = sock_to_sockaddr(addr, port, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return give_up(fd, "open a socket for", addr, port, diag);
	keep_alive(fd);
	if (password[0] != '\0' &&
	    set_md5(fd, TCP_MD5SIG, (struct tcp_md5sig){ .tcpm_addr = ss }, password) < 0)
		return give_up(fd, "set the password for", addr, port, diag);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS)
		return give_up(fd, "connect to", addr, port, diag);
	return fd;
}

bool sock_local(int fd, struct ip_addr *addr)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	uint16_t port;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return false;
	sock_from_sockaddr(&ss, addr, &port);
	return true;
}

int sock_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return errno;
	return err;
}
