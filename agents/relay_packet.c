/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "agents/relay_packet.h"

#include "agents/uplink_packet.h"
#include "lib/mem.h"
#include "lib/sock.h"

#define READ_BYTES     65536
#define WAKE_MAX_BYTES (4u << 20) /* then others get their turn */
#define LISTEN_RETRY_S 5
#define REFUSED_EVERY_MS 60000 /* between log lines */
/* What the kernel holds for the controller comes on top of our own bound. */
#define SEND_BUFFER_BYTES (256 << 10)

struct relay_packet {
	struct event_loop *loop;
	struct relay_packet_ops ops;
	void *ctx;
	struct relay *relay;
	struct uplink *uplink;
	struct relay_listen listen;
	char host[UPLINK_HOST_SIZE];
	uint16_t port;
	bool connecting; /* the uplink has an address */
	int listener, bmp; /* -1: none */
	struct diag listen_error;
	int64_t refused_ms; /* of the last line on that, or 0 */
	struct event *t_tick, *t_accept, *t_read, *t_listen;
};

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

static void on_acceptable(struct event *t);
static void on_bmp(struct event *t);
static void listener_sync(struct relay_packet *rp);

/* ---- bgpd's socket ---- */

static void bmp_close(struct relay_packet *rp)
{
	EVENT_OFF(rp->t_read);
	if (rp->bmp >= 0)
		close(rp->bmp);
	rp->bmp = -1;
}

static void listener_close(struct relay_packet *rp)
{
	EVENT_OFF(rp->t_accept);
	EVENT_OFF(rp->t_listen);
	if (rp->listener >= 0)
		close(rp->listener);
	rp->listener = -1;
}

static void on_listen_retry(struct event *t)
{
	listener_sync(EVENT_ARG(t));
}

static void listener_open(struct relay_packet *rp)
{
	struct diag diag;

	rp->listener = sock_listen(&rp->listen.addr, rp->listen.port, &diag);
	if (rp->listener >= 0) {
		rp->listen_error.text[0] = '\0';
		event_add_read(rp->loop, on_acceptable, rp, rp->listener, &rp->t_accept);
		return;
	}
	if (strcmp(rp->listen_error.text, diag.text) != 0)
		rp->ops.note(rp->ctx, true, diag.text);
	rp->listen_error = diag;
	event_add_timer(rp->loop, on_listen_retry, rp, LISTEN_RETRY_S, &rp->t_listen);
}

/* bgpd finds a closed port unless its bytes can go on at once: then it tries
 * again by itself, ever less often, and sends its whole table when it gets in. */
static void listener_sync(struct relay_packet *rp)
{
	enum relay_state state = relay_status(rp->relay)->state;
	bool want = rp->listen.port != 0 && (state == RELAY_READY || state == RELAY_BUSY);

	if (!want)
		listener_close(rp);
	else if (rp->listener < 0)
		listener_open(rp);
}

static void refuse(struct relay_packet *rp)
{
	struct diag diag;

	if (rp->refused_ms != 0 && now_ms() - rp->refused_ms < REFUSED_EVERY_MS)
		return;
	rp->refused_ms = now_ms();
	diag_set(&diag,
		 "a second BMP session at the same time was refused (%llu so far): one "
		 "\"bmp connect\" per router is enough",
		 (unsigned long long)relay_status(rp->relay)->totals.refused);
	rp->ops.note(rp->ctx, true, diag.text);
}

static void on_acceptable(struct event *t)
{
	struct relay_packet *rp = EVENT_ARG(t);
	struct ip_addr from;
	uint16_t port;
	int fd;

	event_add_read(rp->loop, on_acceptable, rp, rp->listener, &rp->t_accept);
	fd = sock_accept(rp->listener, &from, &port);
	if (fd < 0)
		return;
	if (!relay_take(rp->relay, now_ms())) {
		close(fd);
		refuse(rp);
		return;
	}
	rp->bmp = fd;
	rp->ops.note(rp->ctx, false, "BMP relay: bgpd has connected");
	event_add_read(rp->loop, on_bmp, rp, fd, &rp->t_read);
}

/* 1: go on reading, 0: enough for now, -1: the session is over. */
static int bmp_read(struct relay_packet *rp)
{
	char buf[READ_BYTES];
	ssize_t n = read(rp->bmp, buf, sizeof(buf));
	struct diag diag;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		diag_set(&diag, "bgpd closed its BMP session%s%s", n < 0 ? ": " : "",
			 n < 0 ? strerror(errno) : "");
		uplink_hang_up(rp->uplink, diag.text, 0);
		return -1;
	}
	if (relay_put(rp->relay, buf, (size_t)n, now_ms(), &diag) < 0) {
		uplink_hang_up(rp->uplink, diag.text, relay_pause_ms(rp->relay));
		return -1;
	}
	return 1;
}

/* Reads whatever there is, always: bgpd must not wait for the controller. */
static void on_bmp(struct event *t)
{
	struct relay_packet *rp = EVENT_ARG(t);
	int rc = 1;

	for (size_t i = 0; i < WAKE_MAX_BYTES / READ_BYTES && rc == 1; i++)
		rc = bmp_read(rp);
	if (rc < 0)
		return;
	event_add_read(rp->loop, on_bmp, rp, rp->bmp, &rp->t_read);
	uplink_wake(rp->uplink);
}

/* ---- what the uplink asks for ---- */

static void on_up(void *ctx)
{
	struct relay_packet *rp = ctx;

	relay_begin(rp->relay, now_ms());
}

static int on_bytes(void *ctx, const void *data, size_t len, struct diag *diag)
{
	struct relay_packet *rp = ctx;
	bool was_ready = relay_status(rp->relay)->state >= RELAY_READY;
	int rc = relay_bytes(rp->relay, data, len, now_ms(), diag);

	if (rc == 0 && !was_ready && relay_status(rp->relay)->state >= RELAY_READY) {
		uplink_good(rp->uplink);
		listener_sync(rp);
	}
	return rc;
}

static struct wr *get_output(void *ctx)
{
	struct relay_packet *rp = ctx;

	return relay_output(rp->relay);
}

static void on_lost(void *ctx, const char *why)
{
	struct relay_packet *rp = ctx;

	relay_end(rp->relay, why, now_ms());
	bmp_close(rp);
	listener_sync(rp);
}

static const struct uplink_ops uplink_ops = {
	.up = on_up,
	.bytes = on_bytes,
	.output = get_output,
	.lost = on_lost,
};

/* ---- the whole ---- */

static void on_tick(struct event *t)
{
	struct relay_packet *rp = EVENT_ARG(t);
	struct diag diag;

	rp->t_tick = NULL;
	event_add_timer(rp->loop, on_tick, rp, 1, &rp->t_tick);
	if (relay_tick(rp->relay, now_ms(), &diag) < 0)
		uplink_hang_up(rp->uplink, diag.text, 0);
	else
		uplink_wake(rp->uplink);
}

struct relay_packet *relay_packet_new(struct event_loop *loop,
				      const struct agent_files *files,
				      const struct relay_packet_ops *ops, void *ctx)
{
	struct relay_packet *rp = mem_alloc(sizeof(*rp));
	const struct uplink_config config = {
		.what = "BMP relay: controller",
		.no_certificate = "no relay certificate",
		.cert = files->relay_cert,
		.key = files->relay_key,
		.ca = files->ca,
		.send_buffer = SEND_BUFFER_BYTES,
	};

	rp->loop = loop;
	rp->ops = *ops;
	rp->ctx = ctx;
	rp->listener = rp->bmp = -1;
	rp->relay = relay_new((size_t)RELAY_BUFFER_MIB << 20);
	rp->uplink = uplink_new(loop, &config, &uplink_ops, rp);
	event_add_timer(loop, on_tick, rp, 1, &rp->t_tick);
	return rp;
}

void relay_packet_free(struct relay_packet *rp)
{
	EVENT_OFF(rp->t_tick);
	bmp_close(rp);
	listener_close(rp);
	uplink_free(rp->uplink);
	relay_free(rp->relay);
	free(rp);
}

/* Connects if there is a reason to and all that it takes. */
static void restart(struct relay_packet *rp, const char *why)
{
	rp->connecting = rp->listen.port != 0 && rp->host[0] && rp->ops.certified(rp->ctx);
	uplink_connect(rp->uplink, rp->connecting ? rp->host : "", rp->port, why);
}

void relay_packet_listen(struct relay_packet *rp, const struct relay_listen *listen)
{
	bool same = ip_addr_equal(&rp->listen.addr, &listen->addr) &&
		    rp->listen.port == listen->port;

	rp->listen = *listen;
	if (listen->port != 0)
		relay_set_limit(rp->relay, (size_t)listen->buffer_mib << 20);
	if (same)
		return;
	listener_close(rp);
	rp->listen_error.text[0] = '\0';
	restart(rp, "the relay's address was changed");
}

void relay_packet_connect(struct relay_packet *rp, const char *host, uint16_t port)
{
	snprintf(rp->host, sizeof(rp->host), "%s", host);
	rp->port = port;
	restart(rp, "the controller's address was changed");
}

void relay_packet_certified(struct relay_packet *rp)
{
	/* a session in use goes on with the certificate it began with */
	if (!rp->connecting || relay_status(rp->relay)->state == RELAY_DOWN)
		restart(rp, "");
}

const struct relay_listen *relay_packet_where(const struct relay_packet *rp)
{
	return &rp->listen;
}

const struct relay_status *relay_packet_status(const struct relay_packet *rp)
{
	return relay_status(rp->relay);
}

int64_t relay_packet_retry_ms(const struct relay_packet *rp)
{
	return uplink_retry_ms(rp->uplink);
}

const char *relay_packet_error(const struct relay_packet *rp)
{
	return rp->listen_error.text;
}
