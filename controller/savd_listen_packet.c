/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_listen_packet.h"

#include "log.h"
#include "vty.h"

#include "controller/feed/bgp_packet.h"
#include "controller/feed/bmp_packet.h"
#include "controller/vty/config_vty.h"
#include "lib/mem.h"
#include "lib/metrics_vty.h"

#define LISTEN_RETRY_S 5

static struct {
	struct savd *savd;
	struct event_loop *loop;
	struct bgp_neighbors *bgp;
	struct metrics_http *http;
	struct metrics_listen *metrics;
	size_t n_metrics;
	struct event *t_retry;
} sockets;

static void on_listen_retry(struct event *t)
{
	(void)t;
	savd_listen_apply();
}

static void metrics_apply(void)
{
	sockets.n_metrics = sockets.savd->cfg.n_metrics_listens;
	sockets.metrics =
		mem_realloc(sockets.metrics, sockets.n_metrics + 1, sizeof(*sockets.metrics));
	for (size_t i = 0; i < sockets.n_metrics; i++)
		sockets.metrics[i] = (struct metrics_listen){
			.addr = sockets.savd->cfg.metrics_listens[i].addr,
			.port = sockets.savd->cfg.metrics_listens[i].port,
		};
	metrics_http_listen(sockets.http, sockets.metrics, sockets.n_metrics);
}

static void metrics_report(struct vty *vty, const struct config_listen *l)
{
	metrics_vty_report(vty, &(struct metrics_listen){ .addr = l->addr, .port = l->port });
}

void savd_listen_apply(void)
{
	bool failed = false;

	bmp_listeners_set(sockets.savd->bmp, &sockets.savd->cfg);
	metrics_apply();
	south_unlisten(sockets.savd->south);
	for (size_t i = 0; i < sockets.savd->cfg.n_agent_listens; i++) {
		const struct config_listen *l = &sockets.savd->cfg.agent_listens[i];
		char addr[IP_TEXT_SIZE];
		struct diag diag;

		if (south_listen(sockets.savd->south, ip_addr_format(&l->addr, addr), l->port,
				 &diag) < 0) {
			zlog_err("agent listen: %s; trying again every %d s", diag.text,
				 LISTEN_RETRY_S);
			failed = true;
		}
	}
	EVENT_OFF(sockets.t_retry);
	if (failed)
		event_add_timer(sockets.loop, on_listen_retry, NULL, LISTEN_RETRY_S,
				&sockets.t_retry);
}

void savd_listen_routers(void)
{
	bgp_neighbors_apply(sockets.bgp, &sockets.savd->cfg);
}

void savd_listen_init(void)
{
	metrics_vty_init();
	config_vty_on_metrics_listen(metrics_report);
}

void savd_listen_start(struct savd *savd, struct event_loop *loop, struct turns *turns)
{
	sockets.savd = savd;
	sockets.loop = loop;
	savd->bmp = bmp_listeners_new(loop, turns, savd->engine);
	sockets.bgp = bgp_neighbors_new(loop, turns, savd->engine);
	sockets.http = metrics_http_new(loop, savd->metrics);
	metrics_vty_set(sockets.http, &sockets.metrics, &sockets.n_metrics);
}

void savd_listen_stop(void)
{
	EVENT_OFF(sockets.t_retry);
	metrics_http_free(sockets.http);
	free(sockets.metrics);
	bmp_listeners_free(sockets.savd->bmp);
	bgp_neighbors_free(sockets.bgp);
}
