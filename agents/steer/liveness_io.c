/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/liveness_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/steer/liveness_sock.h"
#include "lib/digest.h"
#include "lib/mem.h"

#define RETRY_US  250000
/* An IPv6 address cannot be used while it is looked for twins (RFC 4862 section 5.4),
 * which is no news. */
#define NEWS_US	  4000000
#define READS_MAX 64 /* of one socket, then others get their turn */
#define LISTENERS (2 * IP_FAMILIES)

/* A path's sockets, -1 where there is none. */
struct path_sockets {
	bool open;
	struct path path;
	uint16_t ident;
	int echo[IP_FAMILIES], bfd[IP_FAMILIES];
};

struct liveness_io {
	struct liveness_io_ops ops;
	void *ctx;
	struct liveness *core;
	struct path_sockets paths[PATH_NUMBER_MAX + 1];
	int listeners[LISTENERS]; /* family + 2 * multihop */
	int64_t now_us, retry_us; /* INT64_MAX: all is open */
	int64_t failing_us;	  /* since when something could not be opened; 0 */
	struct diag error;
};

static void raise_privileges(struct liveness_io *io, bool raise)
{
	if (io->ops.privileges)
		io->ops.privileges(raise);
}

/* ---- opening and closing ---- */

static void drop(struct liveness_io *io, int *fd, bool watched)
{
	if (*fd < 0)
		return;
	if (watched)
		io->ops.watch(io->ctx, *fd, false);
	close(*fd);
	*fd = -1;
}

/* What cannot be opened is logged when it is news, and tried again. */
static bool opened(struct liveness_io *io, int *slot, int fd, const struct diag *diag)
{
	*slot = fd;
	if (fd >= 0)
		return true;
	io->retry_us = io->now_us + RETRY_US;
	if (io->failing_us == 0)
		io->failing_us = io->now_us;
	if (io->now_us - io->failing_us < NEWS_US)
		return false;
	if (strcmp(io->error.text, diag->text) != 0)
		io->ops.note(io->ctx, true, diag->text);
	io->error = *diag;
	return false;
}

static void open_family(struct liveness_io *io, struct path_sockets *s, enum ip_family f)
{
	const struct path_watch *watch = &s->path.watch;
	struct diag diag;

	if (!s->path.has_source[f])
		return;
	if (watch->probe && s->echo[f] < 0 &&
	    opened(io, &s->echo[f], liveness_sock_echo(&s->path, f, s->ident, &diag),
		   &diag))
		io->ops.watch(io->ctx, s->echo[f], true);
	if (watch->bfd && s->bfd[f] < 0)
		opened(io, &s->bfd[f], liveness_sock_bfd(&s->path, f, &diag), &diag);
}

static void open_listener(struct liveness_io *io, enum ip_family f, bool multihop)
{
	int *slot = &io->listeners[f + 2 * multihop];
	struct diag diag;

	if (*slot < 0 &&
	    opened(io, slot, liveness_sock_bfd_listen(f, multihop, &diag), &diag))
		io->ops.watch(io->ctx, *slot, true);
}

/* Whatever is wanted and not there. */
static void open_all(struct liveness_io *io)
{
	bool wanted[LISTENERS] = { 0 };

	io->retry_us = INT64_MAX;
	raise_privileges(io, true);
	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		struct path_sockets *s = &io->paths[i];

		for (enum ip_family f = IP_V4; s->open && f < IP_FAMILIES; f++) {
			open_family(io, s, f);
			if (s->path.watch.bfd && s->path.has_source[f])
				wanted[f + 2 * s->path.watch.bfd_multihop] = true;
		}
	}
	for (int i = 0; i < LISTENERS; i++) {
		if (wanted[i])
			open_listener(io, (enum ip_family)(i % 2), i / 2);
		else
			drop(io, &io->listeners[i], true);
	}
	raise_privileges(io, false);
	if (io->retry_us == INT64_MAX) {
		io->error.text[0] = '\0';
		io->failing_us = 0;
	}
}

static void io_close(void *ctx, uint32_t number)
{
	struct liveness_io *io = ctx;
	struct path_sockets *s = &io->paths[number];

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		drop(io, &s->echo[f], true);
		drop(io, &s->bfd[f], false);
	}
	s->open = false;
}

/* They are opened together, when the whole list is known. */
static void io_open(void *ctx, const struct path *path, uint16_t ident)
{
	struct liveness_io *io = ctx;
	struct path_sockets *s = &io->paths[path->number];

	s->open = true;
	s->path = *path;
	s->ident = ident;
	io->retry_us = 0;
}

/* ---- packets ---- */

/* What cannot be sent is lost, like any other packet: the path's routes may
 * prohibit it, and that is an answer too. But the path is not to blame for an
 * address that is not ready or has just gone, nor for want of memory. */
static bool io_send_echo(void *ctx, uint32_t number, const struct ip_addr *to,
			 const uint8_t *data, size_t len)
{
	struct liveness_io *io = ctx;
	struct path_sockets *s = &io->paths[number];

	if (s->echo[to->family] < 0)
		return false;
	if (liveness_sock_send(s->echo[to->family], to, 0, s->path.ifindex, data, len))
		return true;
	return errno != EINVAL && errno != EADDRNOTAVAIL && errno != ENOBUFS &&
	       errno != EAGAIN && errno != ENOMEM;
}

static void io_send_bfd(void *ctx, uint32_t number, const struct ip_addr *to,
			uint16_t port, const uint8_t *data, size_t len)
{
	struct liveness_io *io = ctx;
	struct path_sockets *s = &io->paths[number];

	if (s->bfd[to->family] >= 0)
		liveness_sock_send(s->bfd[to->family], to, port, s->path.ifindex, data,
				   len);
}

static void io_changed(void *ctx, uint32_t number, const struct path_state *state)
{
	struct liveness_io *io = ctx;

	io->ops.changed(io->ctx, number, state);
}

static uint64_t io_random(void *ctx)
{
	uint64_t random;

	(void)ctx;
	digest_random(&random, sizeof(random));
	return random;
}

static const struct liveness_ops core_ops = {
	.open = io_open,
	.close = io_close,
	.send_echo = io_send_echo,
	.send_bfd = io_send_bfd,
	.changed = io_changed,
	.random = io_random,
};

static void read_bfd(struct liveness_io *io, int fd, bool multihop)
{
	uint8_t buf[LIVENESS_READ_BYTES];
	struct liveness_datagram d;

	for (int i = 0; i < READS_MAX && liveness_sock_receive(fd, buf, &d); i++) {
		d.multihop = multihop;
		liveness_bfd(io->core, &d, io->now_us);
	}
}

static void read_echo(struct liveness_io *io, int fd, uint32_t number)
{
	uint8_t buf[LIVENESS_READ_BYTES];
	struct liveness_datagram d;

	for (int i = 0; i < READS_MAX && liveness_sock_receive(fd, buf, &d); i++)
		liveness_echo(io->core, number, &d.from, d.data, d.len, io->now_us);
}

void liveness_io_readable(struct liveness_io *io, int fd, int64_t now_us)
{
	io->now_us = now_us;
	for (int i = 0; i < LISTENERS; i++) {
		if (io->listeners[i] == fd) {
			read_bfd(io, fd, i / 2);
			return;
		}
	}
	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		if (io->paths[i].echo[IP_V4] == fd || io->paths[i].echo[IP_V6] == fd) {
			read_echo(io, fd, i);
			return;
		}
	}
}

/* ---- the whole ---- */

struct liveness_io *liveness_io_new(const struct liveness_io_ops *ops, void *ctx)
{
	struct liveness_io *io = mem_alloc(sizeof(*io));

	io->ops = *ops;
	io->ctx = ctx;
	io->retry_us = INT64_MAX;
	for (int i = 0; i < LISTENERS; i++)
		io->listeners[i] = -1;
	for (uint32_t i = 0; i <= PATH_NUMBER_MAX; i++) {
		struct path_sockets *s = &io->paths[i];

		s->echo[IP_V4] = s->echo[IP_V6] = s->bfd[IP_V4] = s->bfd[IP_V6] = -1;
	}
	io->core = liveness_new(&core_ops, io);
	return io;
}

void liveness_io_free(struct liveness_io *io)
{
	if (!io)
		return;
	liveness_free(io->core);
	for (int i = 0; i < LISTENERS; i++)
		drop(io, &io->listeners[i], true);
	free(io);
}

void liveness_io_set(struct liveness_io *io, const struct path *paths, size_t n,
		     int64_t now_us)
{
	io->now_us = now_us;
	liveness_set(io->core, paths, n, now_us);
	open_all(io);
}

int64_t liveness_io_run(struct liveness_io *io, int64_t now_us)
{
	int64_t due;

	io->now_us = now_us;
	if (now_us >= io->retry_us)
		open_all(io);
	due = liveness_run(io->core, now_us);
	return due < io->retry_us ? due : io->retry_us;
}

struct liveness *liveness_io_core(struct liveness_io *io)
{
	return io->core;
}
