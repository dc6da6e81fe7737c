/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "version.h"

#include "opensav_config.h"

#include "ipsec/esp/esp_counters.h"
#include "ipsec/iked.h"
#include "ipsec/iked_metrics_vty.h"
#include "lib/metrics_listen_vty.h"

#define TUNNELS_AT_ONCE 64

GAUGE(m_process, "sav_iked_process_up", "1 while this process of sav-iked runs");
COUNTER(m_restarts, "sav_iked_process_restarts_total", "How often it had to be started again");
GAUGE(m_link, "sav_iked_link_up", "1 while the link has an address and its sockets");
GAUGE(m_tunnel, "sav_iked_tunnel_up", "1 while the tunnel carries packets");
GAUGE(m_error, "sav_iked_tunnel_error",
      "1 while it is unfinished or something is wrong with its keys or files");
COUNTER(m_esp, "sav_iked_esp_events_total",
	"Packets and events of the user-space datapath, by kind as in show ipsec counters json");

static struct metrics_registry *registry;

static struct metrics_build build = {
	.family = { "sav_iked_build_info", "Versions of this program", METRIC_GAUGE },
	.version = PACKAGE_VERSION,
	.library = FRR_VERSION,
};

static void collect_processes(struct metrics *m, struct metric_labels *l)
{
	for (enum proc_who who = PROC_IKE; who <= PROC_WHO_MAX; who++) {
		metric_labels_clear(l);
		metric_label(l, "process", proc_who_name(who));
		metric_add_bool(m, &m_process, l, iked_helper_is_up(who));
		metric_add(m, &m_restarts, l, iked_helper_restarts(who));
	}
}

static bool link_is_up(const struct iked_link *link)
{
	struct ip_addr addr;

	return iked_link_error(link)[0] == '\0' &&
	       (iked_link_address(link, IP_V4, &addr) || iked_link_address(link, IP_V6, &addr));
}

static void collect_links(struct metrics *m, struct metric_labels *l)
{
	for (const struct iked_link *link = iked.config.links; link; link = link->next) {
		metric_labels_clear(l);
		metric_label(l, "link", link->name);
		metric_add_bool(m, &m_link, l, link_is_up(link));
	}
}

static void collect_esp(struct metrics *m, struct metric_labels *l)
{
	const struct proc_esp_counters *c = iked_esp_counters();

	for (unsigned i = 0; i < c->n && esp_counter_name(i); i++) {
		metric_labels_clear(l);
		metric_label(l, "kind", esp_counter_name(i));
		metric_add(m, &m_esp, l, c->list[i]);
	}
}

static bool collect_common(struct metrics *m, uint64_t *step, void *arg)
{
	struct metric_labels l = { 0 };

	(void)step;
	(void)arg;
	collect_processes(m, &l);
	collect_links(m, &l);
	collect_esp(m, &l);
	metric_labels_fini(&l);
	return true;
}

static void collect_tunnel(struct metrics *m, struct metric_labels *l,
			   const struct iked_tunnel *t)
{
	metric_labels_clear(l);
	metric_label(l, "tunnel", t->t.name);
	if (t->of[0])
		metric_label(l, "client_of", t->of);
	if (!iked_tunnel_is_frame(t))
		metric_add_bool(m, &m_tunnel, l, iked_publish_is_up(t->t.name));
	metric_add_bool(m, &m_error, l,
			iked_tunnel_missing(&iked.config, t) ||
				iked_tunnel_error(t->t.name)[0] != '\0');
}

/* Tunnels that come or go between two steps shift the others; the next snapshot
 * is right again. */
static bool collect_tunnels(struct metrics *m, uint64_t *step, void *arg)
{
	const struct iked_tunnel *t = iked.config.tunnels;
	struct metric_labels l = { 0 };

	(void)arg;
	for (uint64_t i = 0; t && i < *step * TUNNELS_AT_ONCE; i++)
		t = t->next;
	for (unsigned i = 0; t && i < TUNNELS_AT_ONCE; i++, t = t->next)
		collect_tunnel(m, &l, t);
	metric_labels_fini(&l);
	++*step;
	return !t;
}

void iked_metrics_vty_init(void)
{
	metrics_listen_vty_init();
}

void iked_metrics_start(void)
{
	registry = metrics_registry_new();
	metrics_registry_add(registry, metrics_collect_build, &build);
	metrics_registry_add(registry, collect_common, NULL);
	metrics_registry_add(registry, iked_metrics_ike, NULL);
	metrics_registry_add(registry, collect_tunnels, NULL);
	metrics_listen_vty_start(iked.loop, registry);
}

void iked_metrics_stop(void)
{
	metrics_listen_vty_stop();
	metrics_registry_free(registry);
}
