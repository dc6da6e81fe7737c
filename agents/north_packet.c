/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include <netdb.h>
#include <netinet/tcp.h>

#include "log.h"
#include "network.h"

#include "agents/north_packet.h"
#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/tls.h"

#define CONNECT_S      10 /* TCP and TLS together */
#define READ_BYTES     65536
#define READ_MAX_BYTES (4u << 20) /* per wake-up; then others get their turn */

struct north_packet {
	struct event_loop *loop;
	struct north *north;
	const struct north_files *files;
	char host[NORTH_HOST_SIZE], peer[NORTH_PEER_SIZE];
	uint16_t port;
	int fd; /* -1: none */
	struct tls *tls;
	bool up;	       /* the handshake is done */
	bool more;	       /* routes wait for room in the queue */
	unsigned int failures; /* in a row; a session that was welcomed ends it */
	char last_logged[256];
	struct event *t_read, *t_write, *t_tick, *t_retry, *t_limit;
};

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

static void on_io(struct event *t);
static void on_retry(struct event *t);

/* ---- end of a session ---- */

static void hang_up(struct north_packet *np)
{
	EVENT_OFF(np->t_read);
	EVENT_OFF(np->t_write);
	EVENT_OFF(np->t_limit);
	if (np->tls)
		tls_free(np->tls);
	np->tls = NULL;
	if (np->fd >= 0)
		close(np->fd);
	np->fd = -1;
	np->up = false;
}

static void retry_later(struct north_packet *np)
{
	uint32_t random;

	digest_random(&random, sizeof(random));
	np->failures++;
	EVENT_OFF(np->t_retry);
	event_add_timer_msec(np->loop, on_retry, np,
			     (long)north_backoff_ms(np->failures, random), &np->t_retry);
}

/* A controller that is away for a day is one line in the log, not a thousand. */
static void log_once(struct north_packet *np, const char *why)
{
	if (strncmp(np->last_logged, why, sizeof(np->last_logged) - 1) != 0)
		zlog_warn("controller %s: %s", np->peer, why);
	snprintf(np->last_logged, sizeof(np->last_logged), "%s", why);
}

static void session_lost(struct north_packet *np, const char *why)
{
	hang_up(np);
	if (north_status(np->north)->state == NORTH_UP) {
		np->failures = 0;
		np->last_logged[0] = '\0';
	}
	log_once(np, why);
	north_end(np->north, why, now_ms());
	retry_later(np);
}

/* ---- bytes ---- */

/* -1: lost. */
static int write_out(struct north_packet *np)
{
	struct wr *out = north_output(np->north);
	struct diag diag;

	np->more = north_routes(np->north);
	while (out->len != 0) {
		size_t chunk = out->len < READ_BYTES ? out->len : READ_BYTES;
		int put = tls_write(np->tls, out->data, chunk, &diag);

		if (put == TLS_AGAIN)
			return 0;
		if (put <= 0) {
			session_lost(np, put == TLS_CLOSED ? "closed the session"
							   : diag.text);
			return -1;
		}
		wr_consume(out, (size_t)put);
	}
	return 0;
}

/* The protocol has ended the session: tell the other side why if it fits. */
static void session_over(struct north_packet *np, const struct diag *why)
{
	struct diag diag = *why;

	if (np->up && write_out(np) < 0)
		return;
	session_lost(np, diag.text);
}

static int read_in(struct north_packet *np)
{
	char *buf = mem_alloc(READ_BYTES);
	size_t total = 0;
	struct diag diag;
	int got = TLS_AGAIN, rc = 0;

	while (rc == 0 && total < READ_MAX_BYTES) {
		got = tls_read(np->tls, buf, READ_BYTES, &diag);
		if (got <= 0)
			break;
		total += (size_t)got;
		rc = north_bytes(np->north, buf, (size_t)got, now_ms(), &diag);
	}
	free(buf);
	/* What came before the end is complete and worth applying. */
	north_flush(np->north);
	if (rc < 0)
		session_over(np, &diag);
	else if (got == TLS_CLOSED)
		session_lost(np, "closed the session");
	else if (got == TLS_ERROR)
		session_lost(np, diag.text);
	return np->tls ? 0 : -1;
}

static void wait_for_io(struct north_packet *np)
{
	bool write =
		np->up ? north_output(np->north)->len != 0 || np->more ||
				 tls_wants_write(np->tls)
		       : tls_wants_write(np->tls);

	if (!np->t_read && tls_has_pending(np->tls))
		event_add_timer_msec(np->loop, on_io, np, 0, &np->t_read);
	else if (!np->t_read)
		event_add_read(np->loop, on_io, np, np->fd, &np->t_read);
	if (write && !np->t_write)
		event_add_write(np->loop, on_io, np, np->fd, &np->t_write);
}

static int shake_hands(struct north_packet *np)
{
	struct diag diag;
	int rc = tls_handshake(np->tls, &diag);

	if (rc < 0) {
		session_lost(np, diag.text);
		return -1;
	}
	if (rc == 1) {
		np->up = true;
		EVENT_OFF(np->t_limit);
		north_begin(np->north, now_ms());
	}
	return 0;
}

static void step(struct north_packet *np)
{
	EVENT_OFF(np->t_read);
	EVENT_OFF(np->t_write);
	if (!np->up && shake_hands(np) < 0)
		return;
	if (np->up && (read_in(np) < 0 || write_out(np) < 0))
		return;
	wait_for_io(np);
}

static void on_io(struct event *t)
{
	step(EVENT_ARG(t));
}

void north_packet_wake(struct north_packet *np)
{
	if (!np->up || write_out(np) < 0)
		return;
	wait_for_io(np);
}

/* ---- connecting ---- */

static void on_connected(struct event *t)
{
	struct north_packet *np = EVENT_ARG(t);
	struct tls_config *config;
	struct diag diag;
	int error = 0;
	socklen_t len = sizeof(error);

	np->t_write = NULL;
	if (getsockopt(np->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0) {
		session_lost(np, strerror(error));
		return;
	}
	/* Read each time: a new enrolment needs no restart. */
	config = tls_config_client(np->files->cert, np->files->key, np->files->ca, &diag);
	if (!config) {
		diag_prepend(&diag, "not enrolled? (sav-agent --enroll)");
		session_lost(np, diag.text);
		return;
	}
	np->tls = tls_new(config, np->fd, np->peer);
	tls_config_free(config);
	step(np);
}

static void on_limit(struct event *t)
{
	struct north_packet *np = EVENT_ARG(t);

	np->t_limit = NULL;
	session_lost(np, "no answer");
}

/* Names are looked up where they must be, and then the daemon waits for the
 * resolver: the manual advises an address. */
static struct addrinfo *resolve(struct north_packet *np, const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found = NULL;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", np->port);
	rc = getaddrinfo(np->host, port, &hints, &found);
	if (rc != 0) {
		hints.ai_flags = AI_ADDRCONFIG;
		rc = getaddrinfo(np->host, port, &hints, &found);
	}
	if (rc == 0)
		return found;
	*why = gai_strerror(rc);
	return NULL;
}

static int start_connect(struct north_packet *np, const struct addrinfo *to)
{
	int on = 1, rc;

	np->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (np->fd < 0)
		return -1;
	setsockopt(np->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	rc = connect(np->fd, to->ai_addr, to->ai_addrlen);
	return rc == 0 || errno == EINPROGRESS ? 0 : -1;
}

static void on_retry(struct event *t)
{
	struct north_packet *np = EVENT_ARG(t);
	const char *why = NULL;
	struct addrinfo *found;
	int rc = -1;

	np->t_retry = NULL;
	found = resolve(np, &why);
	/* The next of several addresses with each attempt. */
	if (found) {
		unsigned int n = 0, pick;
		const struct addrinfo *a;

		for (a = found; a; a = a->ai_next)
			n++;
		pick = np->failures % n;
		for (a = found; pick != 0; pick--)
			a = a->ai_next;
		rc = start_connect(np, a);
		if (rc < 0)
			why = strerror(errno);
		freeaddrinfo(found);
	}
	if (rc < 0) {
		session_lost(np, why);
		return;
	}
	event_add_timer(np->loop, on_limit, np, CONNECT_S, &np->t_limit);
	event_add_write(np->loop, on_connected, np, np->fd, &np->t_write);
}

static void on_tick(struct event *t)
{
	struct north_packet *np = EVENT_ARG(t);
	struct diag diag;

	np->t_tick = NULL;
	event_add_timer(np->loop, on_tick, np, 1, &np->t_tick);
	if (north_tick(np->north, now_ms(), &diag) < 0)
		session_over(np, &diag);
	else
		north_packet_wake(np);
}

struct north_packet *north_packet_new(struct event_loop *loop, struct north *north,
				      const struct north_files *files)
{
	struct north_packet *np = mem_alloc(sizeof(*np));

	np->loop = loop;
	np->north = north;
	np->files = files;
	np->fd = -1;
	event_add_timer(loop, on_tick, np, 1, &np->t_tick);
	return np;
}

void north_packet_free(struct north_packet *np)
{
	EVENT_OFF(np->t_tick);
	EVENT_OFF(np->t_retry);
	hang_up(np);
	free(np);
}

void north_packet_connect(struct north_packet *np, const char *host, uint16_t port)
{
	if (np->fd >= 0) {
		hang_up(np);
		north_end(np->north, "the controller's address was changed", now_ms());
	}
	EVENT_OFF(np->t_retry);
	np->failures = 0;
	np->port = port;
	snprintf(np->host, sizeof(np->host), "%s", host);
	np->peer[0] = '\0';
	if (!host[0])
		return;
	snprintf(np->peer, sizeof(np->peer), "%s port %u", host, port);
	event_add_timer_msec(np->loop, on_retry, np, 0, &np->t_retry);
}

const char *north_packet_peer(const struct north_packet *np)
{
	return np->peer;
}

int64_t north_packet_retry_ms(const struct north_packet *np)
{
	return np->t_retry ? (int64_t)event_timer_remain_msec(np->t_retry) : -1;
}
