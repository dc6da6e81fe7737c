/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bgp_packet.h"

#include "log.h"

#include "lib/mem.h"
#include "lib/sock.h"

/* RFC 4271 8.1.3 gives ConnectRetry 120 s, for links that flap; a router that
 * restarts should not be frozen for as long. */
#define RETRY_S	   5
#define CONNECT_S  10
/* Nothing but KEEPALIVEs goes out: a router that takes none is dead. */
#define OUTPUT_MAX  4096
#define LOG_EVERY_S 600

struct neighbor {
	struct neighbor *next;
	struct bgp_neighbors *owner;
	char router[CONFIG_NAME_SIZE];
	struct config_bgp config;
	struct engine_bgp *bgp; /* NULL: TCP is not there */
	int fd;			/* -1 */
	bool wanted;
	int64_t logged_s; /* when a failure to connect was told last */
	struct event *t_retry;
	struct event *t_connect; /* becomes writable, or does not in time */
	struct event *t_error;	 /* while connecting: a gateway says that it is in vain */
	struct event *t_timeout;
	struct turn turn;
	struct event *t_write;
	struct event *t_timer;
};

struct bgp_neighbors {
	struct event_loop *loop;
	struct turns *turns;
	struct engine *engine;
	struct neighbor *list;
	uint8_t buf[TURN_BYTES];
};

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

static void neighbor_open(struct neighbor *n);

static void on_retry(struct event *t)
{
	neighbor_open(EVENT_ARG(t));
}

static void drop_socket(struct neighbor *n)
{
	EVENT_OFF(n->t_retry);
	EVENT_OFF(n->t_connect);
	EVENT_OFF(n->t_error);
	EVENT_OFF(n->t_timeout);
	turn_off(&n->turn);
	EVENT_OFF(n->t_write);
	EVENT_OFF(n->t_timer);
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

/* The last words of a session, as far as the socket takes them at once. */
static void last_words(struct neighbor *n)
{
	struct wr *out = engine_bgp_output(n->bgp);

	if (n->fd >= 0 && out->len > 0 && write(n->fd, out->data, out->len) < 0)
		return;
}

static void neighbor_close(struct neighbor *n, const char *why)
{
	if (n->bgp) {
		last_words(n);
		engine_bgp_close(n->bgp, why, now_ms());
		n->bgp = NULL;
	}
	drop_socket(n);
}

static void neighbor_retry(struct neighbor *n, const char *why)
{
	neighbor_close(n, why);
	event_add_timer(n->owner->loop, on_retry, n, RETRY_S, &n->t_retry);
}

/* A router that is down for a night does not fill the log. */
static void connect_failed(struct neighbor *n, const char *why)
{
	int64_t now_s = now_ms() / 1000;
	char text[SOCK_TEXT_SIZE];

	if (n->logged_s == 0 || now_s - n->logged_s >= LOG_EVERY_S) {
		n->logged_s = now_s;
		zlog_warn(
			"router %s: no BGP connection to %s: %s; trying again every %d s",
			n->router, sock_format(&n->config.addr, n->config.port, text),
			why, RETRY_S);
	}
	neighbor_retry(n, why);
}

/* ---- a session ---- */

static void on_writable(struct event *t);
static void on_timer(struct event *t);

/* Sends what there is and asks for the time of the next look. False: it is over. */
static bool serve(struct neighbor *n)
{
	struct wr *out = engine_bgp_output(n->bgp);
	int64_t next_ms = -1, delay_ms;
	struct diag diag;
	ssize_t sent;

	if (engine_bgp_timer(n->bgp, now_ms(), &next_ms, &diag) < 0) {
		neighbor_retry(n, diag.text);
		return false;
	}
	if (out->len > 0) {
		sent = write(n->fd, out->data, out->len);
		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			neighbor_retry(n, safe_strerror(errno));
			return false;
		}
		if (sent > 0)
			wr_consume(out, (size_t)sent);
	}
	if (out->len > OUTPUT_MAX) {
		neighbor_retry(n, "the router reads nothing");
		return false;
	}
	if (out->len > 0)
		event_add_write(n->owner->loop, on_writable, n, n->fd, &n->t_write);
	EVENT_OFF(n->t_timer);
	if (next_ms >= 0) {
		delay_ms = next_ms - now_ms();
		event_add_timer_msec(n->owner->loop, on_timer, n,
				     delay_ms > 0 ? (long)delay_ms : 0, &n->t_timer);
	}
	return true;
}

static void on_writable(struct event *t)
{
	serve(EVENT_ARG(t));
}

static void on_timer(struct event *t)
{
	serve(EVENT_ARG(t));
}

static void on_turn(void *arg)
{
	struct neighbor *n = arg;
	struct bgp_neighbors *bn = n->owner;
	ssize_t got = read(n->fd, bn->buf, sizeof(bn->buf));
	struct diag diag;

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		turn_want(&n->turn);
		return;
	}
	if (got <= 0) {
		neighbor_retry(n, got == 0 ? "closed by the router" : safe_strerror(errno));
		return;
	}
	if (engine_bgp_bytes(n->bgp, bn->buf, (size_t)got, now_ms(), &diag) < 0) {
		zlog_warn("router %s: BGP: %s", n->router, diag.text);
		neighbor_retry(n, diag.text);
		return;
	}
	if (!serve(n))
		return;
	if ((size_t)got == sizeof(bn->buf))
		turn_again(&n->turn);
	else
		turn_want(&n->turn);
}

/* ---- connecting ---- */

/* RFC 4271 4.2 wants an address of ours; RFC 6286 only that it is not zero and
 * differs from others: what an IPv6 address is folded to. */
static uint32_t identifier(const struct ip_addr *local)
{
	uint32_t id = 0;

	for (int i = 0; i < 4; i++)
		id ^= (uint32_t)(local->v >> (32 * i));
	return id ? id : 1;
}

/* libfrr tells readers of such an error, and without one logs it in an endless
 * loop. */
static void on_connect_error(struct event *t)
{
	struct neighbor *n = EVENT_ARG(t);
	int err = sock_error(n->fd);

	if (err != 0)
		connect_failed(n, safe_strerror(err));
	else
		event_add_read(n->owner->loop, on_connect_error, n, n->fd, &n->t_error);
}

static void on_connected(struct event *t)
{
	struct neighbor *n = EVENT_ARG(t);
	struct bgp_session_config config = { .as = n->config.as };
	struct ip_addr local;
	int err = sock_error(n->fd);

	EVENT_OFF(n->t_timeout);
	EVENT_OFF(n->t_error);
	if (err == 0 && !sock_local(n->fd, &local))
		err = errno;
	if (err != 0) {
		connect_failed(n, safe_strerror(err));
		return;
	}
	config.id = identifier(&local);
	n->bgp = engine_bgp_open(n->owner->engine, n->router, &config, now_ms());
	if (!n->bgp) {
		drop_socket(n);
		return;
	}
	n->logged_s = 0;
	turn_init(&n->turn, n->owner->turns, n->fd, on_turn, n);
	if (serve(n))
		turn_want(&n->turn);
}

static void on_timeout(struct event *t)
{
	connect_failed(EVENT_ARG(t), "no answer");
}

static void neighbor_open(struct neighbor *n)
{
	struct diag diag;

	n->fd = sock_connect_md5(&n->config.addr, n->config.port, n->config.password,
				 &diag);
	if (n->fd < 0) {
		connect_failed(n, diag.text);
		return;
	}
	event_add_read(n->owner->loop, on_connect_error, n, n->fd, &n->t_error);
	event_add_write(n->owner->loop, on_connected, n, n->fd, &n->t_connect);
	event_add_timer(n->owner->loop, on_timeout, n, CONNECT_S, &n->t_timeout);
}

/* ---- configuration ---- */

static bool same(const struct config_bgp *a, const struct config_bgp *b)
{
	return ip_addr_equal(&a->addr, &b->addr) && a->as == b->as &&
	       a->port == b->port && strcmp(a->password, b->password) == 0;
}

static struct neighbor *neighbor_find(struct bgp_neighbors *bn, const char *router)
{
	struct neighbor *n = bn->list;

	while (n && strcmp(n->router, router) != 0)
		n = n->next;
	return n;
}

static void neighbor_set(struct bgp_neighbors *bn, const struct config_router *r)
{
	struct neighbor *n = neighbor_find(bn, r->name);

	if (n && same(&n->config, &r->bgp)) {
		n->wanted = true;
		return;
	}
	if (!n) {
		n = mem_alloc(sizeof(*n));
		n->owner = bn;
		n->fd = -1;
		turn_init(&n->turn, bn->turns, -1, on_turn, n);
		snprintf(n->router, sizeof(n->router), "%s", r->name);
		n->next = bn->list;
		bn->list = n;
	} else if (n->bgp) { /* its routes stay until the new session has told all */
		engine_bgp_cease(n->bgp, BGP_CEASE_DECONFIGURED);
	}
	neighbor_close(n, "its configuration was changed");
	n->wanted = true;
	n->logged_s = 0;
	n->config = r->bgp;
	neighbor_open(n);
}

void bgp_neighbors_apply(struct bgp_neighbors *bn, const struct config *cfg)
{
	struct neighbor *n, **at;

	for (n = bn->list; n; n = n->next)
		n->wanted = false;
	for (size_t i = 0; i < cfg->n_routers; i++) {
		if (cfg->routers[i].bgp.as != 0)
			neighbor_set(bn, &cfg->routers[i]);
	}
	for (at = &bn->list; (n = *at);) {
		if (n->wanted) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		if (n->bgp)
			engine_bgp_cease(n->bgp, BGP_CEASE_DECONFIGURED);
		neighbor_close(n, "it was taken out of the configuration");
		engine_bgp_forget(bn->engine, n->router);
		free(n);
	}
}

struct bgp_neighbors *bgp_neighbors_new(struct event_loop *loop, struct turns *turns,
					struct engine *engine)
{
	struct bgp_neighbors *bn = mem_alloc(sizeof(*bn));

	bn->loop = loop;
	bn->turns = turns;
	bn->engine = engine;
	return bn;
}

void bgp_neighbors_free(struct bgp_neighbors *bn)
{
	struct neighbor *n;

	if (!bn)
		return;
	while ((n = bn->list)) {
		bn->list = n->next;
		if (n->bgp)
			engine_bgp_cease(n->bgp, BGP_CEASE_SHUTDOWN);
		neighbor_close(n, "savd stops");
		free(n);
	}
	free(bn);
}
