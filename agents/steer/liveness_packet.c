/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "agents/steer/liveness_packet.h"

#include "agents/steer/liveness_io.h"
#include "lib/mem.h"

/* Two sockets of each path, and the listeners. */
#define FDS_MAX (2 * PATH_NUMBER_MAX + 8)

struct liveness_packet {
	struct event_loop *loop;
	struct liveness_packet_ops ops;
	void *ctx;
	struct liveness_io *io;
	struct event *t_run;
	struct watched_fd {
		struct liveness_packet *owner;
		int fd; /* -1: free */
		struct event *t_read;
	} fds[FDS_MAX];
};

static void on_run(struct event *t);

static void run_at(struct liveness_packet *lp, int64_t due_us)
{
	int64_t wait_us = due_us - frr_now_us();

	EVENT_OFF(lp->t_run);
	if (due_us == INT64_MAX)
		return;
	event_add_timer_msec(lp->loop, on_run, lp,
			     wait_us > 0 ? (long)((wait_us + 999) / 1000) : 0,
			     &lp->t_run);
}

static void on_run(struct event *t)
{
	struct liveness_packet *lp = EVENT_ARG(t);

	run_at(lp, liveness_io_run(lp->io, frr_now_us()));
}

static void on_readable(struct event *t)
{
	struct watched_fd *w = EVENT_ARG(t);
	struct liveness_packet *lp = w->owner;

	event_add_read(lp->loop, on_readable, w, w->fd, &w->t_read);
	liveness_io_readable(lp->io, w->fd, frr_now_us());
	run_at(lp, liveness_io_run(lp->io, frr_now_us()));
}

static void io_watch(void *ctx, int fd, bool on)
{
	struct liveness_packet *lp = ctx;

	for (int i = 0; i < FDS_MAX; i++) {
		struct watched_fd *w = &lp->fds[i];

		if (w->fd != (on ? -1 : fd))
			continue;
		w->fd = on ? fd : -1;
		EVENT_OFF(w->t_read);
		if (on)
			event_add_read(lp->loop, on_readable, w, fd, &w->t_read);
		return;
	}
}

static void io_changed(void *ctx, uint32_t number, const struct path_state *state)
{
	struct liveness_packet *lp = ctx;

	lp->ops.changed(lp->ctx, number, state);
}

static void io_note(void *ctx, bool alarm, const char *text)
{
	struct liveness_packet *lp = ctx;

	lp->ops.note(lp->ctx, alarm, text);
}

struct liveness_packet *liveness_packet_new(struct event_loop *loop,
					    const struct liveness_packet_ops *ops,
					    void *ctx)
{
	struct liveness_packet *lp = mem_alloc(sizeof(*lp));
	struct liveness_io_ops io = {
		.changed = io_changed,
		.privileges = ops->privileges,
		.note = io_note,
		.watch = io_watch,
	};

	lp->loop = loop;
	lp->ops = *ops;
	lp->ctx = ctx;
	for (int i = 0; i < FDS_MAX; i++) {
		lp->fds[i].owner = lp;
		lp->fds[i].fd = -1;
	}
	lp->io = liveness_io_new(&io, lp);
	return lp;
}

void liveness_packet_free(struct liveness_packet *lp)
{
	if (!lp)
		return;
	EVENT_OFF(lp->t_run);
	liveness_io_free(lp->io);
	free(lp);
}

void liveness_packet_set(struct liveness_packet *lp, const struct path *paths, size_t n)
{
	liveness_io_set(lp->io, paths, n, frr_now_us());
	run_at(lp, 0);
}

bool liveness_packet_bfd_shutdown(struct liveness_packet *lp, uint32_t number, bool down)
{
	bool any = liveness_bfd_shutdown(liveness_io_core(lp->io), number, down,
					 frr_now_us());

	run_at(lp, 0);
	return any;
}

const struct liveness *liveness_packet_core(const struct liveness_packet *lp)
{
	return liveness_io_core(lp->io);
}
