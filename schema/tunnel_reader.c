/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The subscriber's side of sav-iked's socket.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "schema/tunnel_update.h"

int tunnel_reader_open(const char *path, struct diag *diag)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return diag_set(diag, "%s: the name is too long for a socket", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return diag_set(diag, "no unix socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		diag_set(diag, "%s: %s%s", path, strerror(errno),
			 errno == ENOENT || errno == ECONNREFUSED ? " (does sav-iked run?)" : "");
		close(fd);
		return -1;
	}
	return fd;
}

int tunnel_reader_next(int fd, struct tunnel_update *msg, struct diag *diag)
{
	uint8_t buf[TUNNEL_UPDATE_MAX_BYTES];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(fd, &h, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return diag_set(diag, "sav-iked's tunnels: %s", strerror(errno));
	if (n == 0)
		return diag_set(diag, "sav-iked has ended the connection");
	if (h.msg_flags & MSG_TRUNC)
		return diag_set(diag, "sav-iked's message is longer than %u bytes", TUNNEL_UPDATE_MAX_BYTES);
	return tunnel_update_unpack(buf, (size_t)n, msg, diag) == 0 ? 1 : -1;
}
