/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "agents/north_packet.h"

#include "lib/mem.h"

struct north_packet {
	struct event_loop *loop;
	struct north *north;
	struct uplink *uplink;
	struct event *t_tick;
};

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

/* ---- what the uplink asks for ---- */

static void on_up(void *ctx)
{
	struct north_packet *np = ctx;

	north_begin(np->north, now_ms());
}

static int on_bytes(void *ctx, const void *data, size_t len, struct diag *diag)
{
	struct north_packet *np = ctx;
	bool was_up = north_status(np->north)->state == NORTH_UP;
	int rc = north_bytes(np->north, data, len, now_ms(), diag);

	if (!was_up && north_status(np->north)->state == NORTH_UP)
		uplink_good(np->uplink);
	return rc;
}

static void on_read_done(void *ctx)
{
	struct north_packet *np = ctx;

	north_flush(np->north);
}

static struct wr *get_output(void *ctx)
{
	struct north_packet *np = ctx;

	north_routes(np->north);
	return north_output(np->north);
}

static void on_lost(void *ctx, const char *why)
{
	struct north_packet *np = ctx;

	north_end(np->north, why, now_ms());
}

static const struct uplink_ops uplink_ops = {
	.up = on_up,
	.bytes = on_bytes,
	.read_done = on_read_done,
	.output = get_output,
	.lost = on_lost,
};

/* ---- the whole ---- */

static void on_tick(struct event *t)
{
	struct north_packet *np = EVENT_ARG(t);
	struct diag diag;

	np->t_tick = NULL;
	event_add_timer(np->loop, on_tick, np, 1, &np->t_tick);
	if (north_tick(np->north, now_ms(), &diag) < 0)
		uplink_hang_up(np->uplink, diag.text, 0);
	else
		uplink_wake(np->uplink);
}

struct north_packet *north_packet_new(struct event_loop *loop, struct north *north,
				      const struct agent_files *files)
{
	struct north_packet *np = mem_alloc(sizeof(*np));
	const struct uplink_config config = {
		.what = "controller",
		.no_certificate = "not enrolled? (sav-agent --enroll)",
		.cert = files->cert,
		.key = files->key,
		.ca = files->ca,
	};

	np->loop = loop;
	np->north = north;
	np->uplink = uplink_new(loop, &config, &uplink_ops, np);
	event_add_timer(loop, on_tick, np, 1, &np->t_tick);
	return np;
}

void north_packet_free(struct north_packet *np)
{
	EVENT_OFF(np->t_tick);
	uplink_free(np->uplink);
	free(np);
}

void north_packet_connect(struct north_packet *np, const char *host, uint16_t port)
{
	uplink_connect(np->uplink, host, port, "the controller's address was changed");
}

void north_packet_wake(struct north_packet *np)
{
	uplink_wake(np->uplink);
}

int64_t north_packet_retry_ms(const struct north_packet *np)
{
	return uplink_retry_ms(np->uplink);
}
