/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "libfrr.h"

#include "agents/head/head_main.h"
#include "agents/head/head_zebra.h"
#include "agents/tunnel_feed_packet.h"
#include "lib/metrics.h"

#define ZEBRA_PATH    "/run/frr/zserv.api"
#define RETRY_MS      1000 /* between attempts to hear sav-iked */
#define NOTES_MAX     100  /* of clients in a second */

GAUGE(m_zebra, "sav_agent_head_zebra_up", "Is there a connection to zebra for the routes of a head end's clients.");
GAUGE(m_known, "sav_agent_head_tunnels_known", "Has sav-iked told all its tunnels, and is it there.");
GAUGE(m_clients, "sav_agent_head_clients", "Clients whose prefixes are to be announced.");
GAUGE(m_up, "sav_agent_head_clients_up", "Clients with a tunnel that is up.");
GAUGE(m_prefixes, "sav_agent_head_prefixes", "Prefixes announced to zebra.");
GAUGE(m_in_use, "sav_agent_head_prefixes_in_use", "Prefixes whose packets take the tunnel.");
COUNTER(m_added, "sav_agent_head_announced_total", "Prefixes announced to zebra so far.");
COUNTER(m_withdrawn, "sav_agent_head_withdrawn_total", "Prefixes withdrawn from zebra so far.");

static struct {
	struct event_loop *loop;
	struct zebra_privs_t *privs;
	void (*note)(void *ctx, bool alarm, const char *text);
	void *ctx;
	struct head_config config;
	bool config_ready;
	struct head *head;
	struct tunnel_feed *feed;
	struct event *t_run, *t_changed;
} h;

int64_t head_agent_now_ms(void)
{
	return frr_now_us() / 1000;
}

struct head_config *head_agent_config(void)
{
	if (!h.config_ready)
		head_config_init(&h.config);
	h.config_ready = true;
	return &h.config;
}

const struct head *head_agent_head(void)
{
	return h.head;
}

const char *head_agent_error(void)
{
	return tunnel_feed_error(h.feed);
}

void head_zebra_default(void)
{
	snprintf(frr_zclientpath, sizeof(frr_zclientpath), "%s", ZEBRA_PATH);
}

/* ---- routes and time ---- */

static void on_route(void *ctx, const struct head_route *route, bool add)
{
	(void)ctx;
	head_zebra_route(route, add, &h.config);
}

/* Thousands come at once after a power failure: so many a second and no more. */
static void on_note(void *ctx, const char *client, size_t prefixes, const char *why)
{
	static int64_t second;
	static unsigned n;
	const int64_t now = head_agent_now_ms() / 1000;
	char text[256];

	(void)ctx;
	if (now != second)
		n = 0;
	second = now;
	if (n++ > NOTES_MAX)
		return;
	if (n > NOTES_MAX)
		snprintf(text, sizeof(text), "more clients come and go: see \"show head-end clients\"");
	else if (why[0])
		snprintf(text, sizeof(text), "client %s: withdrawn: %s", client, why);
	else
		snprintf(text, sizeof(text), "client %s: %zu prefixes announced", client, prefixes);
	h.note(h.ctx, false, text);
}

static void run(void);

static void on_run(struct event *t)
{
	(void)t;
	run();
}

static void run(void)
{
	const int64_t now = head_agent_now_ms(), next = head_run(h.head, now);

	EVENT_OFF(h.t_run);
	if (next != INT64_MAX)
		event_add_timer_msec(h.loop, on_run, NULL, (long)(next > now ? next - now : 0), &h.t_run);
}

/* ---- zebra ---- */

static void tell_complete(void)
{
	struct head_totals totals;

	head_totals(h.head, head_agent_now_ms(), &totals);
	if (totals.known)
		head_zebra_complete();
}

static void zebra_connected(void *ctx)
{
	(void)ctx;
	head_resend(h.head, true);
	tell_complete();
}

static void zebra_fate(void *ctx, const struct ip_prefix *prefix, uint32_t table, enum head_fate fate)
{
	(void)ctx;
	head_fate(h.head, prefix, table, fate);
}

static void pass_on(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	h.note(h.ctx, alarm, text);
}

static const struct head_zebra_ops zebra_ops = {
	.connected = zebra_connected,
	.fate = zebra_fate,
	.note = pass_on,
};

/* ---- sav-iked ---- */

static void tunnels_begin(void *ctx)
{
	(void)ctx;
	head_snapshot(h.head);
}

static void tunnels_take(void *ctx, const struct tunnel_update *update)
{
	(void)ctx;
	head_update(h.head, update, head_agent_now_ms());
	if (update->type == TUNNEL_UPDATE_COMPLETE)
		tell_complete();
}

static void tunnels_end(void *ctx)
{
	(void)ctx;
	head_lost(h.head, head_agent_now_ms());
}

static void tunnels_turn(void *ctx)
{
	(void)ctx;
	run();
}

static const struct tunnel_feed_ops tunnel_ops = {
	.begin = tunnels_begin,
	.take = tunnels_take,
	.end = tunnels_end,
	.turn = tunnels_turn,
	.note = pass_on,
};

bool head_agent_collect(struct metrics *m, uint64_t *step, void *arg)
{
	struct head_totals t;

	(void)step, (void)arg;
	if (!h.head || h.config.n == 0)
		return true;
	head_totals(h.head, head_agent_now_ms(), &t);
	metric_add_bool(m, &m_zebra, NULL, head_zebra_is_up());
	metric_add_bool(m, &m_known, NULL, t.known);
	metric_add(m, &m_clients, NULL, t.clients);
	metric_add(m, &m_up, NULL, t.up);
	metric_add(m, &m_prefixes, NULL, t.announced);
	metric_add(m, &m_in_use, NULL, t.in_use);
	metric_add(m, &m_added, NULL, t.added);
	metric_add(m, &m_withdrawn, NULL, t.withdrawn);
	return true;
}

/* ---- configuration ---- */

/* Where nothing is to be announced, nobody is asked for anything. */
static void on_changed(struct event *t)
{
	(void)t;
	tunnel_feed_want(h.feed, h.config.n != 0);
	head_zebra_graceful(h.config.graceful_s);
	if (h.config.n)
		head_zebra_start(h.loop, h.privs, &zebra_ops, NULL);
	head_configured(h.head, head_agent_now_ms());
	run();
	if (h.config.n)
		return;
	head_snapshot(h.head);
	head_update(h.head, &(struct tunnel_update){ .type = TUNNEL_UPDATE_COMPLETE }, head_agent_now_ms());
	head_lost(h.head, head_agent_now_ms()); /* nobody tells of tunnels now */
}

void head_agent_changed(void)
{
	if (h.head && !h.t_changed)
		event_add_timer_msec(h.loop, on_changed, NULL, 0, &h.t_changed);
}

void head_agent_again(void)
{
	if (h.head)
		head_resend(h.head, false);
}

void head_agent_start(struct event_loop *loop, struct zebra_privs_t *privs, const char *tunnel_socket,
		      void (*note)(void *ctx, bool alarm, const char *text), void *ctx)
{
	h.loop = loop;
	h.privs = privs;
	h.note = note;
	h.ctx = ctx;
	h.head = head_new(head_agent_config(), on_route, on_note, NULL);
	h.feed = tunnel_feed_new(loop, tunnel_socket, RETRY_MS, &tunnel_ops, NULL);
	head_agent_changed();
}

void head_agent_stop(void)
{
	EVENT_OFF(h.t_changed);
	EVENT_OFF(h.t_run);
	tunnel_feed_free(h.feed);
	h.feed = NULL;
	head_zebra_stop();
	head_free(h.head);
	h.head = NULL;
	head_config_fini(&h.config);
}
