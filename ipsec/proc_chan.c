/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipsec/crypto.h"
#include "ipsec/proc.h"
#include "lib/mem.h"

#define WAITING_MAX (64u << 20) /* 5,000 tunnels' configuration is a good half */

struct waiting {
	struct waiting *next;
	struct wr message;
	int fd; /* our own copy, or -1 */
};

struct proc_chan {
	int fd;
	bool broken;
	struct waiting *first, **last;
	size_t waiting_bytes;
	uint8_t *buffer;
	size_t received; /* bytes of the last message: they may be keys */
};

struct proc_chan *proc_chan_new(int fd)
{
	struct proc_chan *chan = mem_alloc(sizeof(*chan));

	chan->fd = fd;
	chan->last = &chan->first;
	chan->buffer = mem_alloc(PROC_MESSAGE_MAX);
	return chan;
}

static void waiting_drop(struct proc_chan *chan)
{
	struct waiting *w = chan->first;

	chan->first = w->next;
	if (!chan->first)
		chan->last = &chan->first;
	chan->waiting_bytes -= w->message.len;
	crypto_wipe(w->message.data, w->message.len);
	wr_fini(&w->message);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

void proc_chan_free(struct proc_chan *chan)
{
	if (!chan)
		return;
	while (chan->first)
		waiting_drop(chan);
	close(chan->fd);
	crypto_wipe(chan->buffer, PROC_MESSAGE_MAX);
	free(chan->buffer);
	free(chan);
}

void proc_chan_lock(struct proc_chan *chan)
{
	(void)mlock(chan->buffer, PROC_MESSAGE_MAX);
}

int proc_chan_fd(const struct proc_chan *chan)
{
	return chan->fd;
}

bool proc_chan_is_broken(const struct proc_chan *chan)
{
	return chan->broken;
}

bool proc_chan_has_ended(const struct proc_chan *chan)
{
	struct pollfd pfd = { chan->fd, 0, 0 };

	(void)poll(&pfd, 1, 0);
	return pfd.revents & POLLHUP;
}

bool proc_chan_wants_write(const struct proc_chan *chan)
{
	return chan->first && !chan->broken;
}

/* 1: sent, 0: not now, -1: never. */
static int send_one(struct proc_chan *chan, const struct wr *message, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { message->data, message->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(chan->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 1;
	return errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS ? 0 : -1;
}

static void queue_one(struct proc_chan *chan, struct wr *message, int fd)
{
	struct waiting *w;

	if (chan->waiting_bytes + message->len > WAITING_MAX) {
		chan->broken = true;
		return;
	}
	w = mem_alloc(sizeof(*w));
	w->message = *message;
	*message = (struct wr){ 0 };
	w->fd = fd >= 0 ? dup(fd) : -1;
	*chan->last = w;
	chan->last = &w->next;
	chan->waiting_bytes += w->message.len;
}

void proc_chan_send(struct proc_chan *chan, struct wr *w, int fd)
{
	int sent = chan->broken ? -1 : chan->first ? 0 : send_one(chan, w, fd);

	if (sent < 0)
		chan->broken = true;
	if (sent == 0)
		queue_one(chan, w, fd);
	if (w->data)
		crypto_wipe(w->data, w->len);
	wr_fini(w);
}

bool proc_chan_offer(struct proc_chan *chan, struct wr *w)
{
	int sent = chan->broken || chan->first ? 0 : send_one(chan, w, -1);

	if (sent < 0)
		chan->broken = true;
	wr_fini(w);
	return sent > 0;
}

void proc_chan_flush(struct proc_chan *chan)
{
	while (chan->first && !chan->broken) {
		int sent = send_one(chan, &chan->first->message, chan->first->fd);

		if (sent == 0)
			return;
		if (sent < 0)
			chan->broken = true;
		waiting_drop(chan);
	}
}

/* One descriptor at most may travel; more are closed. */
static int take_fd(struct msghdr *msg)
{
	int taken = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = c->cmsg_len > CMSG_LEN(0) ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (taken < 0)
				taken = fd;
			else
				close(fd);
		}
	}
	return taken;
}

int proc_chan_receive(struct proc_chan *chan, struct proc_header *header, struct rd *body, int *fd)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { chan->buffer, PROC_MESSAGE_MAX };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	*fd = -1;
	crypto_wipe(chan->buffer, chan->received);
	chan->received = 0;
	do
		n = recvmsg(chan->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n > 0) {
		chan->received = (size_t)n;
		*fd = take_fd(&msg);
		*body = rd_init(chan->buffer, (size_t)n);
		if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && proc_header_decode(body, header))
			return 1;
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
	chan->broken = true;
	return -1;
}
