/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bmp_packet.h"

#include <sys/ioctl.h>

#include "log.h"

#include "lib/mem.h"
#include "lib/sock.h"

#define RETRY_S	    5
#define CONNECTIONS 4096
#define REFUSED_EVERY_MS 60000 /* between lines on that */

struct listener {
	struct listener *next;
	struct bmp_listeners *owner;
	struct config_listen where;
	int fd; /* -1: cannot be bound yet */
	bool wanted;
	struct ip_prefix *signers; /* who has to sign, as the kernel was told */
	size_t n_signers;
	struct event *t_accept;
	struct event *t_retry;
};

struct conn {
	struct conn *next;
	struct bmp_listeners *owner;
	struct engine_feed *feed;
	struct ip_addr from;
	int fd;
	struct turn turn;
	struct event *t_close;
};

struct bmp_listeners {
	struct event_loop *loop;
	struct turns *turns;
	struct engine *engine;
	struct listener *listeners;
	struct conn *conns;
	size_t n_conns;
	const struct config *cfg; /* NULL before the first of them */
	struct bmp_refusals refusals;
	int64_t refused_ms; /* of the last line in the log, 0: none */
	uint8_t buf[TURN_BYTES];
};

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

static void conn_close(struct conn *conn, const char *why)
{
	struct bmp_listeners *bl = conn->owner;
	struct conn **at = &bl->conns;

	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	bl->n_conns--;
	turn_off(&conn->turn);
	EVENT_OFF(conn->t_close);
	engine_feed_close(conn->feed, why, now_ms());
	close(conn->fd);
	free(conn);
}

static void note_queue(const struct conn *conn)
{
	int left;

	if (ioctl(conn->fd, FIONREAD, &left) == 0)
		engine_feed_queued(conn->feed, (size_t)left);
}

static void on_turn(void *arg)
{
	struct conn *conn = arg;
	struct bmp_listeners *bl = conn->owner;
	ssize_t n = read(conn->fd, bl->buf, sizeof(bl->buf));
	struct diag diag;

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		turn_want(&conn->turn);
		return;
	}
	if (n <= 0) {
		conn_close(conn, n == 0 ? "by the router" : safe_strerror(errno));
		return;
	}
	if (engine_feed_bytes(conn->feed, bl->buf, (size_t)n, now_ms(), &diag) < 0) {
		zlog_warn("%s", diag.text);
		conn_close(conn, "the stream is refused");
		return;
	}
	note_queue(conn);
	if ((size_t)n == sizeof(bl->buf))
		turn_again(&conn->turn);
	else
		turn_want(&conn->turn);
}

/* Anyone can cause these in any number: a line a minute, and the counter all. */
static void refuse(struct bmp_listeners *bl, const struct ip_addr *from)
{
	char text[IP_TEXT_SIZE];

	bl->refusals.n++;
	bl->refusals.last = *from;
	if (bl->refused_ms != 0 && now_ms() - bl->refused_ms < REFUSED_EVERY_MS)
		return;
	bl->refused_ms = now_ms();
	ip_addr_format(from, text);
	zlog_warn("BMP from %s refused, no \"feed bmp allow\" has it (%llu refused so far): "
		  "type \"feed bmp allow %s/%u\" in configuration mode if it is a router of "
		  "yours",
		  text, (unsigned long long)bl->refusals.n, text, ip_bits(from->family));
}

static void on_acceptable(struct event *t)
{
	struct listener *l = EVENT_ARG(t);
	struct bmp_listeners *bl = l->owner;
	struct ip_addr from;
	struct conn *conn;
	uint16_t port;
	int fd;

	event_add_read(bl->loop, on_acceptable, l, l->fd, &l->t_accept);
	fd = sock_accept(l->fd, &from, &port);
	if (fd < 0)
		return;
	if (!config_bmp_is_allowed(bl->cfg, &from)) {
		close(fd);
		refuse(bl, &from);
		return;
	}
	if (bl->n_conns >= CONNECTIONS) {
		char text[SOCK_TEXT_SIZE];

		zlog_warn("BMP from %s refused: %d sessions are open already",
			  sock_format(&from, port, text), CONNECTIONS);
		close(fd);
		return;
	}
	conn = mem_alloc(sizeof(*conn));
	conn->owner = bl;
	conn->fd = fd;
	conn->from = from;
	conn->feed = engine_feed_open(bl->engine, &from, conn, now_ms());
	conn->next = bl->conns;
	bl->conns = conn;
	bl->n_conns++;
	turn_init(&conn->turn, bl->turns, fd, on_turn, conn);
	turn_want(&conn->turn);
}

/* ---- who has to sign ---- */

static void sign(struct listener *l, const struct ip_prefix *from, const char *password)
{
	struct diag diag;

	if (sock_require_md5(l->fd, from, password, &diag) < 0)
		zlog_err("feed bmp allow: %s; until then nobody there has to sign", diag.text);
}

static bool has_to_sign(const struct listener *l, const struct config_bmp_allow *a)
{
	return a->password[0] != '\0' && a->prefix.family == l->where.addr.family;
}

/* New ones before old ones go, so that nobody slips in between. Connections keep
 * what they began with. */
static void listener_sign(struct listener *l)
{
	const struct config *cfg = l->owner->cfg;
	struct ip_prefix *old = l->signers;
	size_t n_old = l->n_signers;

	if (l->fd < 0)
		return;
	l->signers = mem_calloc(cfg->n_bmp_allows + 1, sizeof(*l->signers));
	l->n_signers = 0;
	for (size_t i = 0; i < cfg->n_bmp_allows; i++) {
		const struct config_bmp_allow *a = &cfg->bmp_allows[i];

		if (!has_to_sign(l, a))
			continue;
		sign(l, &a->prefix, a->password);
		l->signers[l->n_signers++] = a->prefix;
	}
	for (size_t i = 0, k = 0; i < n_old; i++) { /* both are sorted */
		while (k < l->n_signers && ip_prefix_cmp(&l->signers[k], &old[i]) < 0)
			k++;
		if (k == l->n_signers || ip_prefix_cmp(&l->signers[k], &old[i]) != 0)
			sign(l, &old[i], "");
	}
	free(old);
}

static void listener_open(struct listener *l);

static void on_retry(struct event *t)
{
	listener_open(EVENT_ARG(t));
}

static void listener_open(struct listener *l)
{
	struct diag diag;
	char text[SOCK_TEXT_SIZE];

	l->fd = sock_listen(&l->where.addr, l->where.port, &diag);
	if (l->fd < 0) {
		zlog_err("feed bmp listen: %s; trying again every %d s", diag.text, RETRY_S);
		event_add_timer(l->owner->loop, on_retry, l, RETRY_S, &l->t_retry);
		return;
	}
	l->n_signers = 0;
	listener_sign(l);
	zlog_info("BMP: listening on %s", sock_format(&l->where.addr, l->where.port, text));
	event_add_read(l->owner->loop, on_acceptable, l, l->fd, &l->t_accept);
}

static void listener_close(struct listener *l)
{
	EVENT_OFF(l->t_accept);
	EVENT_OFF(l->t_retry);
	if (l->fd >= 0)
		close(l->fd);
	free(l->signers);
	free(l);
}

static struct listener *listener_find(struct bmp_listeners *bl,
				      const struct config_listen *where)
{
	struct listener *l;

	for (l = bl->listeners; l; l = l->next) {
		if (ip_addr_equal(&l->where.addr, &where->addr) &&
		    l->where.port == where->port)
			return l;
	}
	return NULL;
}

static void listeners_want(struct bmp_listeners *bl, const struct config_listen *listens,
			   size_t n)
{
	struct listener *l, **at;

	for (l = bl->listeners; l; l = l->next)
		l->wanted = false;
	for (size_t i = 0; i < n; i++) {
		l = listener_find(bl, &listens[i]);
		if (!l) {
			l = mem_alloc(sizeof(*l));
			l->owner = bl;
			l->where = listens[i];
			l->next = bl->listeners;
			bl->listeners = l;
			listener_open(l);
		}
		l->wanted = true;
	}
	for (at = &bl->listeners; (l = *at);) {
		if (l->wanted) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		listener_close(l);
	}
}

void bmp_listeners_set(struct bmp_listeners *bl, const struct config *cfg)
{
	struct conn *next;

	bl->cfg = cfg;
	listeners_want(bl, cfg->bmp_listens, cfg->n_bmp_listens);
	for (struct listener *l = bl->listeners; l; l = l->next)
		listener_sign(l);
	for (struct conn *conn = bl->conns; conn; conn = next) {
		next = conn->next;
		if (!config_bmp_is_allowed(cfg, &conn->from))
			conn_close(conn, "it is not allowed any more");
	}
}

const struct bmp_refusals *bmp_listeners_refusals(const struct bmp_listeners *bl)
{
	return &bl->refusals;
}

static void on_close(struct event *t)
{
	conn_close(EVENT_ARG(t), "for a complete dump");
}

/* The engine is in the middle of its feeds when it asks for this. */
void bmp_listeners_redump(struct bmp_listeners *bl, struct engine_feed *feed)
{
	struct conn *conn = engine_feed_user(feed);

	event_add_event(bl->loop, on_close, conn, 0, &conn->t_close);
}

struct bmp_listeners *bmp_listeners_new(struct event_loop *loop, struct turns *turns,
					struct engine *engine)
{
	struct bmp_listeners *bl = mem_alloc(sizeof(*bl));

	bl->loop = loop;
	bl->turns = turns;
	bl->engine = engine;
	return bl;
}

void bmp_listeners_free(struct bmp_listeners *bl)
{
	if (!bl)
		return;
	listeners_want(bl, NULL, 0);
	while (bl->conns)
		conn_close(bl->conns, "savd stops");
	free(bl);
}
