/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "agents/steer/liveness_packet.h"

#include <sys/timerfd.h>

#include "agents/steer/liveness_io.h"
#include "lib/mem.h"

/* Two sockets of each path, and the listeners. */
#define FDS_MAX (2 * PATH_NUMBER_MAX + 8)

struct liveness_packet {
	struct event_loop *loop;
	struct liveness_packet_ops ops;
	void *ctx;
	struct liveness_io *io;
	/* libfrr waits for its timers in whole milliseconds and polls without end in
	 * the last one, which would cost more than the probes themselves. */
	int timer;
	int64_t armed_us; /* INT64_MAX: not */
	struct event *t_run;
	struct watched_fd {
		struct liveness_packet *owner;
		int fd; /* -1: free */
		struct event *t_read;
	} fds[FDS_MAX];
};

static void run_at(struct liveness_packet *lp, int64_t due_us)
{
	struct itimerspec at = { 0 };

	if (due_us == lp->armed_us)
		return;
	lp->armed_us = due_us;
	if (due_us != INT64_MAX) {
		/* in the past: at once; 0 would disarm it */
		due_us = due_us > 0 ? due_us : 1;
		at.it_value.tv_sec = due_us / 1000000;
		at.it_value.tv_nsec = due_us % 1000000 * 1000;
	}
	timerfd_settime(lp->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void run(struct liveness_packet *lp)
{
	run_at(lp, liveness_io_run(lp->io, frr_now_us()));
}

static void on_run(struct event *t)
{
	struct liveness_packet *lp = EVENT_ARG(t);
	uint64_t times;

	event_add_read(lp->loop, on_run, lp, lp->timer, &lp->t_run);
	if (read(lp->timer, &times, sizeof(times)) != sizeof(times))
		return;
	lp->armed_us = INT64_MAX;
	run(lp);
}

static void on_readable(struct event *t)
{
	struct watched_fd *w = EVENT_ARG(t);
	struct liveness_packet *lp = w->owner;

	event_add_read(lp->loop, on_readable, w, w->fd, &w->t_read);
	liveness_io_readable(lp->io, w->fd, frr_now_us());
	run(lp);
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
	lp->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (lp->timer < 0)
		abort(); /* no descriptors left at the start: nothing would work */
	lp->armed_us = INT64_MAX;
	event_add_read(loop, on_run, lp, lp->timer, &lp->t_run);
	lp->io = liveness_io_new(&io, lp);
	return lp;
}

void liveness_packet_free(struct liveness_packet *lp)
{
	if (!lp)
		return;
	EVENT_OFF(lp->t_run);
	close(lp->timer);
	liveness_io_free(lp->io);
	free(lp);
}

void liveness_packet_set(struct liveness_packet *lp, const struct path *paths, size_t n)
{
	liveness_io_set(lp->io, paths, n, frr_now_us());
	run_at(lp, 0);
}

const struct liveness *liveness_packet_core(const struct liveness_packet *lp)
{
	return liveness_io_core(lp->io);
}
