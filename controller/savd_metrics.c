/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/mem.h"
#include "lib/pki.h"

#define CERTIFICATE_MS 60000 /* between looks at the files */

SAVD_COUNTER(m_sessions, "savd_agents_sessions_total", "Sessions of agents so far");
SAVD_COUNTER(m_agents_refused, "savd_agents_refused_total",
	     "Connections of agents that were refused");
SAVD_COUNTER(m_acks, "savd_filters_acknowledged_total", "Filters that routers have applied");
SAVD_COUNTER(m_filter_errors, "savd_filters_refused_total",
	     "Filters that routers could not apply");
SAVD_COUNTER(m_sent, "savd_filters_sent_total", "Filters sent, whole or as a difference");
SAVD_GAUGE(m_pending, "savd_pending_seconds",
	   "How long the oldest change has waited for its computation");
SAVD_COUNTER(m_runs, "savd_compute_runs_total", "Computations");
SAVD_COUNTER(m_work, "savd_compute_seconds_total", "Time spent on computations");
SAVD_GAUGE(m_longest, "savd_compute_max_seconds", "Longest computation so far");
SAVD_GAUGE(m_configured, "savd_configured", "Configured objects by kind");
SAVD_GAUGE(m_store_bytes, "savd_store_size_bytes", "Size of the database's files");
SAVD_GAUGE(m_unsaved, "savd_store_unsaved_filters",
	   "Filters that were sent and are not in the database yet");
SAVD_GAUGE(m_certificate, "savd_certificate_expiry_timestamp_seconds",
	   "When the certificates of savd and of its CA end");

struct savd_metrics {
	struct savd *savd;
	struct metrics_registry *registry;
	const char *state_dir;
	struct savd_metrics_edges *edges;
	struct metric_labels labels;
	int64_t certificate_ms, own_end_s, ca_end_s;
};

int64_t savd_metrics_offset_ms(void)
{
	static int64_t kept;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return metric_steady_ms(&kept, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 -
					       savd_now_ms());
}

void savd_metrics_add(struct metrics *m, const struct metric *f, struct metric_labels *labels,
		      const char *label, const char *value, uint64_t v)
{
	size_t at = metric_label(labels, label, value);

	metric_add(m, f, labels, v);
	metric_labels_cut(labels, at);
}

static void collect_work(const struct savd *s, struct metrics *m)
{
	metric_add_us(m, &m_pending, NULL,
		      s->changed_us == 0 ? 0 : savd_now_ms() * 1000 - s->changed_us);
	metric_add(m, &m_runs, NULL, s->runs);
	metric_add_us(m, &m_work, NULL, s->run_total_us);
	metric_add_us(m, &m_longest, NULL, s->run_max_us);
}

static void collect_totals(const struct savd *s, struct metrics *m)
{
	const struct south_totals *t = south_totals(south_packet_south(s->south));

	metric_add(m, &m_sessions, NULL, t->sessions);
	metric_add(m, &m_agents_refused, NULL, t->refused);
	metric_add(m, &m_sent, NULL, t->snapshots + t->deltas);
	metric_add(m, &m_acks, NULL, t->acks);
	metric_add(m, &m_filter_errors, NULL, t->errors);
}

static void collect_configured(struct savd_metrics *sm, struct metrics *m)
{
	const struct config *cfg = &sm->savd->cfg;

	metric_labels_clear(&sm->labels);
	savd_metrics_add(m, &m_configured, &sm->labels, "kind", "router", cfg->n_routers);
	savd_metrics_add(m, &m_configured, &sm->labels, "kind", "customer", cfg->n_customers);
	savd_metrics_add(m, &m_configured, &sm->labels, "kind", "edge", cfg->n_edges);
}

static void collect_file(struct savd_metrics *sm, struct metrics *m, const char *kind,
			 const char *name)
{
	struct stat st;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", sm->state_dir, name);
	if (stat(path, &st) == 0)
		savd_metrics_add(m, &m_store_bytes, &sm->labels, "file", kind,
				 (uint64_t)st.st_size);
}

static void collect_store(struct savd_metrics *sm, struct metrics *m)
{
	uint64_t unsaved = 0;

	for (size_t i = 0; i < sm->savd->n_edges; i++)
		unsaved += sm->savd->edges[i]->unsaved;
	metric_add(m, &m_unsaved, NULL, unsaved);
	metric_labels_clear(&sm->labels);
	collect_file(sm, m, "database", "savd.db");
	collect_file(sm, m, "log", "savd.db-wal");
}

static int64_t end_of(const void *der, size_t len)
{
	struct pki_cert cert;
	struct diag unused;

	return pki_cert_read(der, len, &cert, &unused) == 0 ? cert.not_after : 0;
}

static void read_certificates(struct savd_metrics *sm)
{
	const struct wr *ca = signer_ca(sm->savd->signer);
	struct wr der = { 0 };
	struct diag unused;
	char path[4096];

	if (sm->certificate_ms != 0 && savd_now_ms() < sm->certificate_ms + CERTIFICATE_MS)
		return;
	sm->certificate_ms = savd_now_ms();
	snprintf(path, sizeof(path), "%s/savd.crt", sm->state_dir);
	sm->own_end_s = pki_cert_load(path, &der, &unused) == 0 ? end_of(der.data, der.len) : 0;
	sm->ca_end_s = end_of(ca->data, ca->len);
	wr_fini(&der);
}

static void collect_certificates(struct savd_metrics *sm, struct metrics *m)
{
	read_certificates(sm);
	metric_labels_clear(&sm->labels);
	if (sm->own_end_s > 0)
		savd_metrics_add(m, &m_certificate, &sm->labels, "certificate", "savd",
				 (uint64_t)sm->own_end_s);
	if (sm->ca_end_s > 0)
		savd_metrics_add(m, &m_certificate, &sm->labels, "certificate", "ca",
				 (uint64_t)sm->ca_end_s);
}

static bool collect_savd(struct metrics *m, uint64_t *step, void *arg)
{
	struct savd_metrics *sm = arg;

	(void)step;
	collect_work(sm->savd, m);
	collect_totals(sm->savd, m);
	collect_configured(sm, m);
	collect_store(sm, m);
	collect_certificates(sm, m);
	return true;
}

struct savd_metrics *savd_metrics_new(struct savd *savd, struct metrics_registry *registry,
				      const char *state_dir)
{
	struct savd_metrics *sm = mem_alloc(sizeof(*sm));

	sm->savd = savd;
	sm->registry = registry;
	sm->state_dir = state_dir;
	sm->edges = savd_metrics_edges_new(savd);
	metrics_registry_add(registry, collect_savd, sm);
	metrics_registry_add(registry, savd_metrics_feeds, savd);
	metrics_registry_add(registry, savd_metrics_edges, sm->edges);
	return sm;
}

void savd_metrics_free(struct savd_metrics *sm)
{
	if (!sm)
		return;
	metrics_registry_remove(sm->registry, collect_savd, sm);
	metrics_registry_remove(sm->registry, savd_metrics_feeds, sm->savd);
	metrics_registry_remove(sm->registry, savd_metrics_edges, sm->edges);
	savd_metrics_edges_free(sm->edges);
	metric_labels_fini(&sm->labels);
	free(sm);
}
