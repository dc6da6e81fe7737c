/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "controller/savsh/vtyframe.h"
#include "lib/mem.h"

#define ANSWER_LIMIT (256UL << 20)
/* A daemon that cannot say "enable" in this time hangs. */
#define OPEN_TIMEOUT_MS 10000
/* The stop flag is looked at this often: a signal may come just before poll(). */
#define STOP_CHECK_MS 500

struct client {
	char *name;
	char *path;
	int fd;
	size_t limit;
	const volatile sig_atomic_t *stop;
	int passed_fd; /* with the answer that is being read, or -1 */
};

void reply_fini(struct reply *reply)
{
	free(reply->text);
	if (reply->fd >= 0)
		close(reply->fd);
	*reply = (struct reply){ .fd = -1 };
}

struct client *client_new(const char *name, const char *path)
{
	struct client *client = mem_alloc(sizeof(*client));

	client->name = mem_strdup(name);
	client->path = mem_strdup(path);
	client->fd = -1;
	client->passed_fd = -1;
	client->limit = ANSWER_LIMIT;
	return client;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	client_close(client);
	free(client->name);
	free(client->path);
	free(client);
}

const char *client_name(const struct client *client)
{
	return client->name;
}

const char *client_path(const struct client *client)
{
	return client->path;
}

void client_set_limit(struct client *client, size_t bytes)
{
	client->limit = bytes;
}

void client_set_stop(struct client *client, const volatile sig_atomic_t *stop)
{
	client->stop = stop;
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

bool client_is_open(const struct client *client)
{
	return client->fd >= 0;
}

bool client_is_alive(const struct client *client)
{
	char byte;
	ssize_t n;

	if (client->fd < 0)
		return false;
	n = recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	/* Bytes that nobody asked for are a broken connection as well. */
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Waits until the socket is ready for events; deadline < 0: for ever. */
static int wait_for(const struct client *client, short events, long long deadline)
{
	for (;;) {
		struct pollfd pfd = { .fd = client->fd, .events = events };
		long long left = deadline < 0 ? STOP_CHECK_MS : deadline - now_ms();
		int n;

		if (client->stop && *client->stop)
			return -EINTR;
		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&pfd, 1, left < STOP_CHECK_MS ? (int)left : STOP_CHECK_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int send_command(struct client *client, const char *command, long long deadline)
{
	size_t len = strlen(command) + 1, done = 0;

	while (done < len) {
		ssize_t n = send(client->fd, command + done, len - done,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc;

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return errno == EPIPE ? -ECONNRESET : -errno;
		rc = wait_for(client, POLLOUT, deadline);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void forget_passed(struct client *client)
{
	if (client->passed_fd >= 0)
		close(client->passed_fd);
	client->passed_fd = -1;
}

/* One is all that libfrr passes; of more the last is kept. */
static void take_passed(struct client *client, struct msghdr *msg)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		    c->cmsg_len != CMSG_LEN(sizeof(int)))
			continue;
		forget_passed(client);
		memcpy(&client->passed_fd, CMSG_DATA(c), sizeof(int));
	}
}

/* Room for one descriptor: the kernel closes others. */
static ssize_t receive(struct client *client, void *buf, size_t size)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(client->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n >= 0)
		take_passed(client, &msg);
	return n;
}

static int read_answer(struct client *client, struct vtyframe *frame, long long deadline)
{
	char buf[65536];

	for (;;) {
		ssize_t n = receive(client, buf, sizeof(buf));
		int rc = 0;

		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno == EAGAIN)
			rc = wait_for(client, POLLIN, deadline);
		else if (n < 0 && errno != EINTR)
			return -errno;
		if (rc < 0)
			return rc;
		switch (n > 0 ? vtyframe_feed(frame, buf, (size_t)n) : VTYFRAME_MORE) {
		case VTYFRAME_MORE:
			break;
		case VTYFRAME_DONE:
			return 0;
		case VTYFRAME_BAD:
			return -EPROTO;
		case VTYFRAME_TOO_BIG:
			return -EFBIG;
		}
	}
}

static int run(struct client *client, const char *command, struct reply *reply,
	       long long deadline)
{
	struct vtyframe frame;
	int rc;

	*reply = (struct reply){ .fd = -1 };
	if (client->fd < 0)
		return -ENOTCONN;
	if (strlen(command) > CLIENT_COMMAND_MAX)
		return -EMSGSIZE;
	vtyframe_init(&frame, client->limit);
	rc = send_command(client, command, deadline);
	if (rc == 0)
		rc = read_answer(client, &frame, deadline);
	if (rc < 0) {
		vtyframe_fini(&frame);
		forget_passed(client);
		client_close(client);
		return rc;
	}
	*reply = (struct reply){ .text = (char *)frame.text.data,
				 .len = frame.text.len,
				 .result = frame.result,
				 .fd = client->passed_fd };
	client->passed_fd = -1;
	return 0;
}

int client_run(struct client *client, const char *command, struct reply *reply)
{
	return run(client, command, reply, -1);
}

static int connect_to(struct client *client)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	/* A full backlog makes connect() wait, for this long at most. */
	struct timeval tv = { .tv_sec = OPEN_TIMEOUT_MS / 1000 };
	int rc;

	if (strlen(client->path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, client->path, strlen(client->path) + 1);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return -errno;
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	do {
		rc = connect(client->fd, (struct sockaddr *)&sa, sizeof(sa));
	} while (rc < 0 && errno == EINTR && !(client->stop && *client->stop));
	if (rc == 0)
		return 0;
	rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
	client_close(client);
	return rc;
}

int client_open(struct client *client)
{
	struct reply reply;
	int rc;

	client_close(client);
	rc = connect_to(client);
	if (rc == 0)
		rc = run(client, "enable", &reply, now_ms() + OPEN_TIMEOUT_MS);
	if (rc < 0)
		return rc;
	rc = reply.result == VTY_SUCCESS ? 0 : -EPROTO;
	reply_fini(&reply);
	if (rc < 0)
		client_close(client);
	return rc;
}
