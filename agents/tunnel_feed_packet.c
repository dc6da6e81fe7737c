/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "agents/tunnel_feed_packet.h"

#include "agents/trouble.h"
#include "lib/mem.h"

#define MESSAGES_MAX 1000 /* in one turn */

struct tunnel_feed {
	struct event_loop *loop;
	const char *socket;
	long retry_ms;
	const struct tunnel_feed_ops *ops;
	void *ctx;
	int fd;
	struct trouble trouble;
	struct event *t_read, *t_connect;
};

static void on_connect(struct event *t);

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

static void later(struct tunnel_feed *feed, long ms)
{
	event_add_timer_msec(feed->loop, on_connect, feed, ms, &feed->t_connect);
}

static void failed(struct tunnel_feed *feed, const struct diag *diag)
{
	if (trouble_begins(&feed->trouble, diag->text, now_ms()))
		feed->ops->note(feed->ctx, true, feed->trouble.text);
	later(feed, feed->retry_ms);
}

static void disconnect(struct tunnel_feed *feed)
{
	EVENT_OFF(feed->t_read);
	EVENT_OFF(feed->t_connect);
	if (feed->fd >= 0)
		close(feed->fd);
	feed->fd = -1;
}

static void take(struct tunnel_feed *feed, const struct tunnel_update *update)
{
	feed->ops->take(feed->ctx, update);
	if (update->type == TUNNEL_UPDATE_COMPLETE && trouble_ends(&feed->trouble, now_ms()))
		feed->ops->note(feed->ctx, false, "sav-iked tells its tunnels again");
}

/* turn() comes last: it may want no more of this. */
static void on_read(struct event *t)
{
	static struct tunnel_update update; /* large */
	struct tunnel_feed *feed = EVENT_ARG(t);
	struct diag diag;
	int rc = 1;

	for (unsigned i = 0; i < MESSAGES_MAX && (rc = tunnel_reader_next(feed->fd, &update, &diag)) == 1; i++)
		take(feed, &update);
	if (rc < 0) {
		disconnect(feed);
		failed(feed, &diag);
		feed->ops->end(feed->ctx);
	} else {
		event_add_read(feed->loop, on_read, feed, feed->fd, &feed->t_read);
	}
	feed->ops->turn(feed->ctx);
}

static void on_connect(struct event *t)
{
	struct tunnel_feed *feed = EVENT_ARG(t);
	struct diag diag;

	feed->fd = tunnel_reader_open(feed->socket, &diag);
	if (feed->fd < 0) {
		failed(feed, &diag);
		return;
	}
	feed->ops->begin(feed->ctx);
	event_add_read(feed->loop, on_read, feed, feed->fd, &feed->t_read);
}

struct tunnel_feed *tunnel_feed_new(struct event_loop *loop, const char *socket, long retry_ms,
				    const struct tunnel_feed_ops *ops, void *ctx)
{
	struct tunnel_feed *feed = mem_alloc(sizeof(*feed));

	*feed = (struct tunnel_feed){ .loop = loop, .socket = socket, .retry_ms = retry_ms,
				      .ops = ops, .ctx = ctx, .fd = -1 };
	return feed;
}

void tunnel_feed_free(struct tunnel_feed *feed)
{
	if (feed)
		disconnect(feed);
	free(feed);
}

void tunnel_feed_want(struct tunnel_feed *feed, bool wanted)
{
	if (!wanted) {
		disconnect(feed);
		feed->trouble = (struct trouble){ .n_told = 0 };
	} else if (feed->fd < 0 && !feed->t_connect) {
		later(feed, 0);
	}
}

void tunnel_feed_again(struct tunnel_feed *feed)
{
	disconnect(feed);
	later(feed, 0);
}

bool tunnel_feed_is_up(const struct tunnel_feed *feed)
{
	return feed && feed->fd >= 0;
}

const char *tunnel_feed_error(const struct tunnel_feed *feed)
{
	return feed ? feed->trouble.text : "";
}
