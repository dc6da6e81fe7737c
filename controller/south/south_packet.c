/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "controller/south/south_packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/tls.h"
#include "lib/turn_packet.h"

#define TICK_MS	       1000
#define ACCEPT_WAIT_MS 100 /* while enough handshakes are under way */
#define ACCEPT_BURST   16
/* One wake-up sends at most this much to one agent, so that a large snapshot
 * starves neither the others nor the VTY. */
#define WAKE_BYTES   (512u << 10)
#define BUFFER_BYTES 65536
/* All agents come at once after a restart and wait in the kernel meanwhile. */
#define BACKLOG	      4096
#define LISTENERS_MAX 16

struct listener {
	struct south_packet *owner;
	int fd;
	struct event *t_accept;
};

struct conn {
	struct conn *next;
	struct south_packet *owner;
	struct south_session *session;
	struct tls *tls;
	int fd;
	bool up; /* TLS is */
	bool read_wants_write;
	char peer[SOCK_TEXT_SIZE];
	struct turn turn;
	struct event *t_write;
	struct event *t_kick;
};

struct south_packet {
	struct event_loop *loop;
	struct turns *turns;
	struct tls_config *tls;
	struct south *south;
	struct listener *listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct conn *conns;
	struct event *t_tick;
	uint8_t buf[BUFFER_BYTES];
};

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

/* ---- connections ---- */

static void conn_close(struct conn *conn, const char *why)
{
	struct conn **at = &conn->owner->conns;

	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	turn_off(&conn->turn);
	EVENT_OFF(conn->t_write);
	EVENT_OFF(conn->t_kick);
	south_session_close(conn->session, why, now_ms());
	EVENT_OFF(conn->t_kick); /* closing may have woken it again */
	tls_free(conn->tls);
	close(conn->fd);
	free(conn);
}

static void on_writable(struct event *t);

static void want_write(struct conn *conn)
{
	event_add_write(conn->owner->loop, on_writable, conn, conn->fd, &conn->t_write);
}

/* Sends what fits. False: the connection is gone. */
static bool conn_flush(struct conn *conn)
{
	size_t moved = 0, len;
	const uint8_t *data;
	struct diag diag;

	while (conn->up && (len = south_session_output(conn->session, &data)) != 0) {
		int n = tls_write(conn->tls, data,
				  len < BUFFER_BYTES ? len : BUFFER_BYTES, &diag);

		if (n == TLS_AGAIN) {
			/* Waiting for input instead (a key update) cannot be
			 * answered by a write event: reading goes on anyway. */
			if (tls_wants_write(conn->tls))
				want_write(conn);
			break;
		}
		if (n < 0) {
			conn_close(conn, n == TLS_CLOSED ? "by the agent" : diag.text);
			return false;
		}
		south_session_sent(conn->session, (size_t)n, now_ms());
		moved += (size_t)n;
		if (moved >= WAKE_BYTES) {
			want_write(conn);
			break;
		}
	}
	if (south_session_state(conn->session) != SOUTH_DEAD)
		return true;
	conn_close(conn, "done");
	return false;
}

/* What the session decided while someone else's event ran (or our own): the
 * caller may be in the middle of the session, so nothing is freed there. */
static void on_kick(struct event *t)
{
	struct conn *conn = EVENT_ARG(t);

	south_session_settle(conn->session, now_ms());
	conn_flush(conn);
}

static void wake(void *io)
{
	struct conn *conn = io;

	event_add_event(conn->owner->loop, on_kick, conn, 0, &conn->t_kick);
}

/* False: the connection is gone. */
static bool conn_handshake(struct conn *conn)
{
	struct diag diag;
	int ret = tls_handshake(conn->tls, &diag);

	if (ret < 0) {
		south_refused(conn->owner->south, diag.text, now_ms());
		conn_close(conn, diag.text);
		return false;
	}
	if (ret == 0) {
		if (tls_wants_write(conn->tls))
			want_write(conn);
		else
			turn_want(&conn->turn);
		return true;
	}
	conn->up = true;
	south_session_secure(conn->session, tls_peer_certificate(conn->tls), time(NULL),
			     now_ms());
	return true;
}

/* False: the connection is gone. */
static bool conn_read(struct conn *conn)
{
	struct south_packet *sp = conn->owner;
	size_t moved = 0;
	struct diag diag;
	int n;

	while (moved < TURN_BYTES) {
		n = tls_read(conn->tls, sp->buf, sizeof(sp->buf), &diag);
		if (n == TLS_AGAIN) {
			conn->read_wants_write = tls_wants_write(conn->tls);
			break;
		}
		if (n < 0) {
			conn_close(conn, n == TLS_CLOSED ? "by the agent" : diag.text);
			return false;
		}
		south_session_bytes(conn->session, sp->buf, (size_t)n, now_ms());
		moved += (size_t)n;
	}
	if (conn->read_wants_write)
		want_write(conn);
	/* Stopped early: what TLS holds already makes no socket readable. */
	if (moved >= TURN_BYTES)
		turn_again(&conn->turn);
	else
		turn_want(&conn->turn);
	return true;
}

static void on_turn(void *arg)
{
	struct conn *conn = arg;

	if (!conn->up && !conn_handshake(conn))
		return;
	if (conn->up && conn_read(conn))
		conn_flush(conn);
}

static void on_writable(struct event *t)
{
	struct conn *conn = EVENT_ARG(t);

	if (!conn->up) {
		if (conn_handshake(conn) && conn->up && conn_read(conn))
			conn_flush(conn);
		return;
	}
	if (conn->read_wants_write) {
		conn->read_wants_write = false;
		turn_off(&conn->turn);
		if (!conn_read(conn))
			return;
	}
	conn_flush(conn);
}

static void conn_new(struct south_packet *sp, int fd, const struct ip_addr *from,
		     uint16_t port)
{
	struct conn *conn = mem_alloc(sizeof(*conn));
	char address[IP_TEXT_SIZE];

	sock_format(from, port, conn->peer);
	conn->owner = sp;
	conn->fd = fd;
	conn->next = sp->conns;
	sp->conns = conn;
	conn->tls = tls_new(sp->tls, fd, conn->peer);
	conn->session = south_session_open(sp->south, ip_addr_format(from, address), conn,
					   now_ms());
	turn_init(&conn->turn, sp->turns, fd, on_turn, conn);
	turn_want(&conn->turn);
}

/* ---- listeners ---- */

static void on_acceptable(struct event *t)
{
	struct listener *l = EVENT_ARG(t);
	struct south_packet *sp = l->owner;
	struct ip_addr from;
	uint16_t port;

	for (int i = 0; i < ACCEPT_BURST; i++) {
		int fd;

		if (!south_can_accept(sp->south, now_ms())) {
			event_add_timer_msec(sp->loop, on_acceptable, l, ACCEPT_WAIT_MS,
					     &l->t_accept);
			return;
		}
		fd = sock_accept(l->fd, &from, &port);
		if (fd < 0)
			break;
		conn_new(sp, fd, &from, port);
	}
	event_add_read(sp->loop, on_acceptable, l, l->fd, &l->t_accept);
}

static int listen_one(struct south_packet *sp, const struct ip_addr *addr, uint16_t port,
		      struct diag *diag)
{
	struct listener *l;
	int fd;

	if (sp->n_listeners == LISTENERS_MAX)
		return diag_set(diag, "more than %d addresses to listen on",
				LISTENERS_MAX);
	fd = sock_listen(addr, port, diag);
	if (fd < 0)
		return -1;
	(void)listen(fd, BACKLOG); /* it listens already, with a shorter queue */
	l = mem_alloc(sizeof(*l));
	l->owner = sp;
	l->fd = fd;
	sp->listeners[sp->n_listeners++] = l;
	event_add_read(sp->loop, on_acceptable, l, fd, &l->t_accept);
	return 0;
}

/* A host without IPv6, or without IPv4, is served on what it has. */
static int listen_any(struct south_packet *sp, uint16_t port, struct diag *diag)
{
	struct ip_addr any4 = { 0, IP_V4 }, any6 = { 0, IP_V6 };
	struct diag ignored;
	int ok = 0;

	ok += listen_one(sp, &any6, port, &ignored) == 0;
	ok += listen_one(sp, &any4, port, diag) == 0;
	return ok != 0 ? 0 : -1;
}

int south_listen(struct south_packet *sp, const char *address, uint16_t port,
		 struct diag *diag)
{
	struct ip_addr addr;

	if (!address)
		return listen_any(sp, port, diag);
	if (!ip_addr_parse(address, &addr))
		return diag_set(diag, "\"%s\" is not an address", address);
	return listen_one(sp, &addr, port, diag);
}

void south_unlisten(struct south_packet *sp)
{
	while (sp->n_listeners != 0) {
		struct listener *l = sp->listeners[--sp->n_listeners];

		EVENT_OFF(l->t_accept);
		close(l->fd);
		free(l);
	}
}

/* ---- the whole ---- */

static void on_tick(struct event *t)
{
	struct south_packet *sp = EVENT_ARG(t);

	event_add_timer_msec(sp->loop, on_tick, sp, TICK_MS, &sp->t_tick);
	south_run(sp->south, now_ms());
}

struct south_packet *south_packet_new(struct event_loop *loop, struct turns *turns,
				      struct tls_config *tls,
				      const struct south_config *config,
				      const struct south_ops *ops, void *ctx)
{
	struct south_packet *sp = mem_alloc(sizeof(*sp));
	struct south_ops own = *ops;

	own.wake = wake;
	sp->loop = loop;
	sp->turns = turns;
	sp->tls = tls;
	sp->south = south_new(config, &own, ctx);
	event_add_timer_msec(loop, on_tick, sp, TICK_MS, &sp->t_tick);
	return sp;
}

void south_packet_free(struct south_packet *sp)
{
	if (!sp)
		return;
	south_unlisten(sp);
	EVENT_OFF(sp->t_tick);
	while (sp->conns)
		conn_close(sp->conns, "the controller stops");
	south_free(sp->south);
	free(sp);
}

struct south *south_packet_south(struct south_packet *sp)
{
	return sp->south;
}

void south_packet_set_tls(struct south_packet *sp, struct tls_config *tls)
{
	sp->tls = tls;
}
