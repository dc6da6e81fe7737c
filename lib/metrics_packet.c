/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include <microhttpd.h>

#include "log.h"

#include "lib/mem.h"
#include "lib/metrics_packet.h"
#include "lib/sock.h"

/* A quarter of the time while a snapshot is made, and a fifth over many. */
#define SLICE_US     1000
#define GAP_MS	     3
#define PAUSE_FACTOR 4
#define LOG_US	     60000000 /* between two messages of libmicrohttpd */
#define MEMORY_BYTES 16384 /* of a connection: request line and headers */

struct listener {
	struct listener *next;
	struct metrics_http *http;
	struct metrics_listen where;
	struct MHD_Daemon *daemon; /* NULL: cannot listen */
	bool wanted;
	struct diag error;
	struct event *t_ready, *t_timer, *t_retry;
};

/* A request whose connection is suspended until the snapshot is there. */
struct waiter {
	struct waiter *next;
	struct MHD_Connection *connection;
	struct listener *listener;
};

struct metrics_http {
	struct event_loop *loop;
	struct metrics_registry *registry;
	struct listener *listeners;
	struct waiter *waiters;
	struct metrics *snapshot; /* being made */
	struct metrics_walk walk;
	int64_t work_us; /* of this one so far */
	int64_t not_before_us;
	int64_t logged_us; /* when libmicrohttpd's last message was logged */
	struct event *t_build;
	struct MHD_Response *not_found, *not_allowed;
	struct metrics_http_stats stats;
};

/* ---- metrics about the metrics ---- */

static const struct metric m_requests = { "sav_metrics_requests_total",
					  "HTTP requests for metrics by result",
					  METRIC_COUNTER };
static const struct metric m_snapshots = { "sav_metrics_snapshots_total",
					   "Snapshots made for scrapes", METRIC_COUNTER };
static const struct metric m_work = { "sav_metrics_work_seconds_total",
				      "Time spent on making snapshots", METRIC_COUNTER };
static const struct metric m_slice = { "sav_metrics_slice_max_seconds",
				       "Longest time that a snapshot held up the daemon",
				       METRIC_GAUGE };

static bool collect_self(struct metrics *m, uint64_t *step, void *arg)
{
	const struct metrics_http_stats *s = &((struct metrics_http *)arg)->stats;
	struct metric_labels labels = { 0 };

	(void)step;
	metric_label(&labels, "result", "answered");
	metric_add(m, &m_requests, &labels, s->answered);
	metric_labels_clear(&labels);
	metric_label(&labels, "result", "refused");
	metric_add(m, &m_requests, &labels, s->refused);
	metric_labels_fini(&labels);
	metric_add(m, &m_snapshots, NULL, s->snapshots);
	metric_add_us(m, &m_work, NULL, s->work_us);
	metric_add_us(m, &m_slice, NULL, s->slice_max_us);
	return true;
}

/* ---- answers ---- */

static struct MHD_Response *text_response(const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	if (!r)
		abort();
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	return r;
}

static void free_snapshot(void *arg)
{
	metrics_free(arg);
}

static struct MHD_Response *snapshot_response(struct metrics *m)
{
	const struct wr *const *pieces;
	size_t n = metrics_pieces(m, &pieces);
	struct MHD_IoVec *iov = mem_calloc(n + 1, sizeof(*iov));
	struct MHD_Response *r;

	for (size_t i = 0; i < n; i++)
		iov[i] = (struct MHD_IoVec){ pieces[i]->data, pieces[i]->len };
	r = MHD_create_response_from_iovec(iov, (unsigned int)n, free_snapshot, m);
	free(iov);
	if (!r)
		abort();
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
				"text/plain; version=0.0.4; charset=utf-8");
	return r;
}

static void listener_run(struct listener *l);

/* Suspended connections wait for this; the same text is for all of them. */
static void answer_all(struct metrics_http *h, struct MHD_Response *response)
{
	struct waiter *all = h->waiters;

	h->waiters = NULL;
	for (struct waiter *next, *w = all; w; w = next) {
		next = w->next;
		h->stats.answered++;
		MHD_queue_response(w->connection, MHD_HTTP_OK, response);
		MHD_resume_connection(w->connection);
		free(w);
	}
	/* a resumed connection wakes nothing by itself */
	for (struct listener *l = h->listeners; l; l = l->next) {
		if (l->daemon)
			listener_run(l);
	}
}

/* ---- snapshots ---- */

static void on_build(struct event *t);

static void finish(struct metrics_http *h)
{
	struct MHD_Response *response;

	h->stats.snapshots++;
	h->stats.bytes = metrics_bytes(h->snapshot);
	h->stats.work_last_us = h->work_us;
	h->not_before_us = frr_now_us() + h->work_us * PAUSE_FACTOR;
	response = snapshot_response(h->snapshot);
	h->snapshot = NULL;
	answer_all(h, response);
	MHD_destroy_response(response); /* the connections have references */
}

static void on_build(struct event *t)
{
	struct metrics_http *h = EVENT_ARG(t);
	int64_t began_us = frr_now_us(), took_us;
	bool more;

	if (!h->snapshot) {
		h->snapshot = metrics_new();
		h->walk = (struct metrics_walk){ 0 };
		h->work_us = 0;
	}
	do {
		more = metrics_walk_step(h->registry, &h->walk, h->snapshot);
		took_us = frr_now_us() - began_us;
	} while (more && took_us < SLICE_US);
	h->work_us += took_us;
	h->stats.work_us += took_us;
	if (took_us > h->stats.slice_max_us)
		h->stats.slice_max_us = took_us;
	if (more)
		event_add_timer_msec(h->loop, on_build, h, GAP_MS, &h->t_build);
	else
		finish(h);
}

/* A timer and not an event: what has arrived meanwhile comes first. */
static void wait_for_snapshot(struct listener *l, struct MHD_Connection *connection)
{
	struct metrics_http *h = l->http;
	struct waiter *w = mem_alloc(sizeof(*w));
	int64_t delay_us = h->not_before_us - frr_now_us();

	*w = (struct waiter){ .next = h->waiters, .connection = connection, .listener = l };
	h->waiters = w;
	MHD_suspend_connection(connection);
	if (!h->t_build)
		event_add_timer_msec(h->loop, on_build, h,
				     delay_us > 0 ? (long)(delay_us / 1000) : 0, &h->t_build);
}

/* ---- HTTP ---- */

/* Called when a request's headers are there, and again for its body: only GET
 * waits for that, since others are refused with or without one. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
				  const char *url, const char *method, const char *version,
				  const char *body, size_t *body_len, void **seen)
{
	struct listener *l = arg;
	bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;

	(void)version;
	(void)body;
	if (strcmp(url, "/metrics") != 0 || !get) {
		l->http->stats.refused++;
		if (strcmp(url, "/metrics") != 0)
			return MHD_queue_response(connection, MHD_HTTP_NOT_FOUND,
						  l->http->not_found);
		return MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
					  l->http->not_allowed);
	}
	if (!*seen) {
		*seen = l;
		return MHD_YES;
	}
	if (*body_len != 0) {
		*body_len = 0;
		return MHD_YES;
	}
	wait_for_snapshot(l, connection);
	return MHD_YES;
}

/* Strangers can cause these at will. */
static void on_log(void *arg, const char *fmt, va_list ap)
{
	struct metrics_http *h = arg;
	int64_t now_us = frr_now_us();
	char text[256];

	if (h->logged_us != 0 && now_us - h->logged_us < LOG_US)
		return;
	h->logged_us = now_us;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	zlog_debug("metrics: %s", text);
}

static void listener_soon(struct listener *l);

static void listener_run(struct listener *l)
{
	MHD_run(l->daemon);
	listener_soon(l);
}

static void on_ready(struct event *t)
{
	listener_run(EVENT_ARG(t));
}

/* Timeouts of connections, and work that libmicrohttpd knows of already. */
static void on_timer(struct event *t)
{
	listener_run(EVENT_ARG(t));
}

static void listener_soon(struct listener *l)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	MHD_UNSIGNED_LONG_LONG ms;

	event_add_read(l->http->loop, on_ready, l, info->epoll_fd, &l->t_ready);
	EVENT_OFF(l->t_timer);
	if (MHD_get_timeout(l->daemon, &ms) == MHD_YES)
		event_add_timer_msec(l->http->loop, on_timer, l, (long)ms, &l->t_timer);
}

/* ---- listening ---- */

static struct MHD_Daemon *daemon_start(struct listener *l, int fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		on_request, l, MHD_OPTION_EXTERNAL_LOGGER, on_log, l->http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)METRICS_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned int)METRICS_CONNECTIONS_PER_IP, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)METRICS_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY_BYTES, MHD_OPTION_END);
}

static void listener_open(struct listener *l);

static void on_retry(struct event *t)
{
	listener_open(EVENT_ARG(t));
}

static int listener_try(struct listener *l)
{
	int fd = sock_listen(&l->where.addr, l->where.port, &l->error);

	if (fd < 0)
		return -1;
	l->daemon = daemon_start(l, fd);
	if (l->daemon)
		return 0;
	close(fd);
	return diag_set(&l->error, "libmicrohttpd cannot start");
}

static void listener_open(struct listener *l)
{
	char text[SOCK_TEXT_SIZE];

	if (listener_try(l) < 0) {
		zlog_err("metrics listen: %s; trying again every %d s", l->error.text,
			 METRICS_RETRY_S);
		event_add_timer(l->http->loop, on_retry, l, METRICS_RETRY_S, &l->t_retry);
		return;
	}
	l->error.text[0] = '\0';
	zlog_info("metrics: listening on %s",
		  sock_format(&l->where.addr, l->where.port, text));
	listener_soon(l);
}

/* Connections of this listener that wait must not be suspended when it stops. */
static void drop_waiters(struct listener *l)
{
	struct waiter **at = &l->http->waiters, *w;

	while ((w = *at)) {
		if (w->listener != l) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		MHD_resume_connection(w->connection);
		free(w);
	}
}

static void listener_close(struct listener *l)
{
	EVENT_OFF(l->t_ready);
	EVENT_OFF(l->t_timer);
	EVENT_OFF(l->t_retry);
	drop_waiters(l);
	if (l->daemon)
		MHD_stop_daemon(l->daemon);
	free(l);
}

static bool same_listen(const struct metrics_listen *a, const struct metrics_listen *b)
{
	return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

static struct listener *listener_find(const struct metrics_http *h,
				      const struct metrics_listen *where)
{
	struct listener *l = h->listeners;

	while (l && !same_listen(&l->where, where))
		l = l->next;
	return l;
}

static void listener_add(struct metrics_http *h, const struct metrics_listen *where)
{
	struct listener *l = mem_alloc(sizeof(*l));

	l->http = h;
	l->where = *where;
	l->wanted = true;
	l->next = h->listeners;
	h->listeners = l;
	listener_open(l);
}

static void close_unwanted(struct metrics_http *h)
{
	struct listener **at = &h->listeners, *l;

	while ((l = *at)) {
		if (l->wanted) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		listener_close(l);
	}
}

/* The old ones go first: their port may be wanted on another address. */
void metrics_http_listen(struct metrics_http *h, const struct metrics_listen *list, size_t n)
{
	struct listener *l;

	for (l = h->listeners; l; l = l->next)
		l->wanted = false;
	for (size_t i = 0; i < n; i++) {
		l = listener_find(h, &list[i]);
		if (l)
			l->wanted = true;
	}
	close_unwanted(h);
	for (size_t i = 0; i < n; i++) {
		if (!listener_find(h, &list[i]))
			listener_add(h, &list[i]);
	}
}

const char *metrics_http_error(const struct metrics_http *h, const struct metrics_listen *where)
{
	const struct listener *l = listener_find(h, where);

	return l ? l->error.text : "";
}

const struct metrics_http_stats *metrics_http_stats(const struct metrics_http *h)
{
	return &h->stats;
}

struct metrics_http *metrics_http_new(struct event_loop *loop,
				      struct metrics_registry *registry)
{
	struct metrics_http *h = mem_alloc(sizeof(*h));

	h->loop = loop;
	h->registry = registry;
	h->not_found = text_response("not found: metrics are at /metrics\n");
	h->not_allowed = text_response("only GET\n");
	MHD_add_response_header(h->not_allowed, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_GET);
	metrics_registry_add(registry, metrics_collect_process, NULL);
	metrics_registry_add(registry, collect_self, h);
	return h;
}

void metrics_http_free(struct metrics_http *h)
{
	if (!h)
		return;
	metrics_registry_remove(h->registry, metrics_collect_process, NULL);
	metrics_registry_remove(h->registry, collect_self, h);
	metrics_http_listen(h, NULL, 0);
	EVENT_OFF(h->t_build);
	metrics_free(h->snapshot);
	MHD_destroy_response(h->not_found);
	MHD_destroy_response(h->not_allowed);
	free(h);
}
