/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "agents/uplink_packet.h"

#include <netdb.h>
#include <netinet/tcp.h>

#include "log.h"
#include "network.h"

#include "agents/north.h"
#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/tls.h"

#define CONNECT_S	10 /* TCP and TLS together */
#define CHUNK_BYTES	65536
#define WAKE_MAX_BYTES	(4u << 20) /* each way and wake-up; then others get their turn */

struct uplink {
	struct event_loop *loop;
	struct uplink_config config;
	struct uplink_ops ops;
	void *ctx;
	char host[UPLINK_HOST_SIZE], peer[UPLINK_PEER_SIZE];
	uint16_t port;
	int fd; /* -1: none */
	struct tls *tls;
	bool up;	       /* the handshake is done */
	unsigned int failures; /* in a row */
	int64_t pause_ms;      /* at least, before the next attempt */
	char last_logged[256];
	struct event *t_read, *t_write, *t_retry, *t_limit;
};

static void on_io(struct event *t);
static void on_retry(struct event *t);

/* ---- end of a session ---- */

static void hang_up(struct uplink *u)
{
	EVENT_OFF(u->t_read);
	EVENT_OFF(u->t_write);
	EVENT_OFF(u->t_limit);
	if (u->tls)
		tls_free(u->tls);
	u->tls = NULL;
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
	u->up = false;
}

static void retry_later(struct uplink *u)
{
	uint32_t random;
	int64_t ms;

	digest_random(&random, sizeof(random));
	u->failures++;
	ms = north_backoff_ms(u->failures, random);
	EVENT_OFF(u->t_retry);
	if (ms < u->pause_ms)
		ms = u->pause_ms;
	u->pause_ms = 0;
	event_add_timer_msec(u->loop, on_retry, u, (long)ms, &u->t_retry);
}

/* A controller that is away for a day is one line in the log, not a thousand. */
static void log_once(struct uplink *u, const char *why)
{
	if (strncmp(u->last_logged, why, sizeof(u->last_logged) - 1) != 0)
		zlog_warn("%s %s: %s", u->config.what, u->peer, why);
	snprintf(u->last_logged, sizeof(u->last_logged), "%s", why);
}

static void lost(struct uplink *u, const char *why)
{
	hang_up(u);
	log_once(u, why);
	/* first, so that the owner sees when it will be tried again */
	retry_later(u);
	u->ops.lost(u->ctx, why);
}

void uplink_good(struct uplink *u)
{
	u->failures = 0;
	u->last_logged[0] = '\0';
}

/* ---- bytes ---- */

/* -1: lost. */
static int write_out(struct uplink *u)
{
	size_t total = 0;
	struct diag diag;
	struct wr *out;

	while (total < WAKE_MAX_BYTES && (out = u->ops.output(u->ctx))->len != 0) {
		size_t chunk = out->len < CHUNK_BYTES ? out->len : CHUNK_BYTES;
		int put = tls_write(u->tls, out->data, chunk, &diag);

		if (put == TLS_AGAIN)
			return 0;
		if (put <= 0) {
			lost(u, put == TLS_CLOSED ? "closed the session" : diag.text);
			return -1;
		}
		wr_consume(out, (size_t)put);
		total += (size_t)put;
	}
	return 0;
}

void uplink_hang_up(struct uplink *u, const char *why, int64_t pause_ms)
{
	struct diag copy;

	diag_set(&copy, "%s", why);
	if (u->fd < 0)
		return;
	u->pause_ms = pause_ms;
	if (u->up && write_out(u) < 0)
		return;
	lost(u, copy.text);
}

static int read_in(struct uplink *u)
{
	char *buf = mem_alloc(CHUNK_BYTES);
	size_t total = 0;
	struct diag diag;
	int got = TLS_AGAIN, rc = 0;

	while (rc == 0 && total < WAKE_MAX_BYTES) {
		got = tls_read(u->tls, buf, CHUNK_BYTES, &diag);
		if (got <= 0)
			break;
		total += (size_t)got;
		rc = u->ops.bytes(u->ctx, buf, (size_t)got, &diag);
	}
	free(buf);
	/* What came before the end is complete and worth applying. */
	if (u->ops.read_done)
		u->ops.read_done(u->ctx);
	if (rc < 0) /* the protocol ends it: tell the other side why */
		uplink_hang_up(u, diag.text, 0);
	else if (got == TLS_CLOSED)
		lost(u, "closed the session");
	else if (got == TLS_ERROR)
		lost(u, diag.text);
	return u->tls ? 0 : -1;
}

static void wait_for_io(struct uplink *u)
{
	bool write = tls_wants_write(u->tls) || (u->up && u->ops.output(u->ctx)->len != 0);

	if (!u->t_read && tls_has_pending(u->tls))
		event_add_timer_msec(u->loop, on_io, u, 0, &u->t_read);
	else if (!u->t_read)
		event_add_read(u->loop, on_io, u, u->fd, &u->t_read);
	if (write && !u->t_write)
		event_add_write(u->loop, on_io, u, u->fd, &u->t_write);
}

static int shake_hands(struct uplink *u)
{
	struct diag diag;
	int rc = tls_handshake(u->tls, &diag);

	if (rc < 0) {
		lost(u, diag.text);
		return -1;
	}
	if (rc == 1) {
		u->up = true;
		EVENT_OFF(u->t_limit);
		u->ops.up(u->ctx);
	}
	return 0;
}

static void step(struct uplink *u)
{
	EVENT_OFF(u->t_read);
	EVENT_OFF(u->t_write);
	if (!u->up && shake_hands(u) < 0)
		return;
	if (u->up && (read_in(u) < 0 || write_out(u) < 0))
		return;
	wait_for_io(u);
}

static void on_io(struct event *t)
{
	step(EVENT_ARG(t));
}

void uplink_wake(struct uplink *u)
{
	if (!u->up || write_out(u) < 0)
		return;
	wait_for_io(u);
}

/* ---- connecting ---- */

/* A router said that the controller cannot be reached while we still knock: libfrr
 * tells readers of such an error, and without one logs it in an endless loop. */
static void on_connect_error(struct event *t)
{
	struct uplink *u = EVENT_ARG(t);
	int error = sock_error(u->fd);

	if (error != 0)
		lost(u, strerror(error));
	else
		event_add_read(u->loop, on_connect_error, u, u->fd, &u->t_read);
}

static void on_connected(struct event *t)
{
	struct uplink *u = EVENT_ARG(t);
	struct tls_config *config;
	struct diag diag;
	int error = sock_error(u->fd);

	u->t_write = NULL;
	if (error != 0) {
		lost(u, strerror(error));
		return;
	}
	/* Read each time: a new certificate needs no restart. */
	config = tls_config_client(u->config.cert, u->config.key, u->config.ca, &diag);
	if (!config) {
		diag_prepend(&diag, "%s", u->config.no_certificate);
		lost(u, diag.text);
		return;
	}
	u->tls = tls_new(config, u->fd, u->peer);
	tls_config_free(config);
	step(u);
}

static void on_limit(struct event *t)
{
	struct uplink *u = EVENT_ARG(t);

	u->t_limit = NULL;
	lost(u, "no answer");
}

/* Names are looked up where they must be, and then the daemon waits for the
 * resolver: the manual advises an address. */
static struct addrinfo *resolve(struct uplink *u, const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found = NULL;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", u->port);
	rc = getaddrinfo(u->host, port, &hints, &found);
	if (rc != 0) {
		hints.ai_flags = AI_ADDRCONFIG;
		rc = getaddrinfo(u->host, port, &hints, &found);
	}
	if (rc == 0)
		return found;
	*why = gai_strerror(rc);
	return NULL;
}

static int start_connect(struct uplink *u, const struct addrinfo *to)
{
	int on = 1, rc;

	u->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0)
		return -1;
	setsockopt(u->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (u->config.send_buffer != 0)
		setsockopt(u->fd, SOL_SOCKET, SO_SNDBUF, &u->config.send_buffer,
			   sizeof(u->config.send_buffer));
	rc = connect(u->fd, to->ai_addr, to->ai_addrlen);
	return rc == 0 || errno == EINPROGRESS ? 0 : -1;
}

static void on_retry(struct event *t)
{
	struct uplink *u = EVENT_ARG(t);
	const char *why = NULL;
	struct addrinfo *found;
	int rc = -1;

	u->t_retry = NULL;
	found = resolve(u, &why);
	/* The next of several addresses with each attempt. */
	if (found) {
		unsigned int n = 0, pick;
		const struct addrinfo *a;

		for (a = found; a; a = a->ai_next)
			n++;
		pick = u->failures % n;
		for (a = found; pick != 0; pick--)
			a = a->ai_next;
		rc = start_connect(u, a);
		if (rc < 0)
			why = strerror(errno);
		freeaddrinfo(found);
	}
	if (rc < 0) {
		lost(u, why);
		return;
	}
	event_add_timer(u->loop, on_limit, u, CONNECT_S, &u->t_limit);
	event_add_read(u->loop, on_connect_error, u, u->fd, &u->t_read);
	event_add_write(u->loop, on_connected, u, u->fd, &u->t_write);
}

struct uplink *uplink_new(struct event_loop *loop, const struct uplink_config *config,
			  const struct uplink_ops *ops, void *ctx)
{
	struct uplink *u = mem_alloc(sizeof(*u));

	u->loop = loop;
	u->config = *config;
	u->ops = *ops;
	u->ctx = ctx;
	u->fd = -1;
	return u;
}

void uplink_free(struct uplink *u)
{
	EVENT_OFF(u->t_retry);
	hang_up(u);
	free(u);
}

void uplink_connect(struct uplink *u, const char *host, uint16_t port, const char *why)
{
	bool was = u->fd >= 0;

	hang_up(u);
	EVENT_OFF(u->t_retry);
	u->failures = 0;
	u->last_logged[0] = '\0';
	u->port = port;
	snprintf(u->host, sizeof(u->host), "%s", host);
	u->peer[0] = '\0';
	if (was)
		u->ops.lost(u->ctx, why);
	if (!host[0])
		return;
	snprintf(u->peer, sizeof(u->peer), "%s port %u", host, port);
	event_add_timer_msec(u->loop, on_retry, u, 0, &u->t_retry);
}

const char *uplink_peer(const struct uplink *u)
{
	return u->peer;
}

int64_t uplink_retry_ms(const struct uplink *u)
{
	return u->t_retry ? (int64_t)event_timer_remain_msec(u->t_retry) : -1;
}
