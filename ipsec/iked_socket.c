/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipsec/esp/esp_sock.h"

#define BUFFER_BYTES (4 << 20) /* thousands of peers may come at once */

static int on(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int bind_to(int fd, const struct ike_endpoint *local)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(local->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(local->port) };

	if (local->addr.family == IP_V4) {
		ip_to_bytes(local->addr.v, IP_V4, (uint8_t *)&v4.sin_addr);
		return bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	}
	ip_to_bytes(local->addr.v, IP_V6, v6.sin6_addr.s6_addr);
	return bind(fd, (struct sockaddr *)&v6, sizeof(v6));
}

int iked_socket_open(const struct ike_endpoint *local, uint32_t mark, struct diag *diag)
{
	bool v6 = local->addr.family == IP_V6;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	char text[IKE_ENDPOINT_TEXT];

	if (fd < 0)
		return diag_set(diag, "no UDP socket: %s", strerror(errno));
	if (on(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || (v6 && on(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0) ||
	    (mark && on(fd, SOL_SOCKET, SO_MARK, (int)mark) < 0) || bind_to(fd, local) < 0) {
		diag_set(diag, "UDP %s: %s%s", ike_endpoint_format(local, text), strerror(errno),
			 errno == EADDRINUSE ? " (does another IKE daemon run?)" : "");
		close(fd);
		return -1;
	}
	/* an IKE message that is too long goes in IP fragments, unless both sides
	 * know RFC 7383 */
	(void)on(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, v6 ? IPV6_PMTUDISC_DONT : IP_PMTUDISC_DONT);
	if (on(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES) < 0)
		(void)on(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
	return fd;
}

bool iked_socket_is_free(const struct ike_endpoint *local, struct diag *diag)
{
	bool v6 = local->addr.family == IP_V6;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	char text[IKE_ENDPOINT_TEXT];
	bool taken;

	/* without SO_REUSEPORT: it joins no group. What else can be wrong, opening says */
	taken = fd >= 0 && (!v6 || on(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0) && bind_to(fd, local) < 0 && errno == EADDRINUSE;
	if (taken)
		diag_set(diag, "UDP %s: %s (does another IKE daemon run?)", ike_endpoint_format(local, text), strerror(EADDRINUSE));
	if (fd >= 0)
		close(fd);
	return !taken;
}

void iked_socket_mark(int fd, uint32_t mark)
{
	if (fd >= 0)
		(void)on(fd, SOL_SOCKET, SO_MARK, (int)mark);
}

int iked_socket_open_raw(const struct ip_addr *local, uint32_t mark, unsigned worker, unsigned workers, struct diag *diag)
{
	const struct ike_endpoint any_port = { *local, 0 };
	bool v6 = local->family == IP_V6;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ESP);

	if (fd < 0 || (mark && on(fd, SOL_SOCKET, SO_MARK, (int)mark) < 0) || bind_to(fd, &any_port) < 0 ||
	    esp_sock_only(fd, (enum ip_family)local->family, worker, workers) < 0) {
		diag_set(diag, "no socket for protocol 50: %s; ESP goes in UDP", strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

int iked_socket_share(int fd, unsigned workers, struct diag *diag)
{
	if (esp_sock_spread(fd, 1, workers) < 0)
		return diag_set(diag, "the kernel does not tell IKE from ESP: %s", strerror(errno));
	return 0;
}
