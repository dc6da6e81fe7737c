/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/agent_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/array.h"
#include "lib/mem.h"
#include "lib/pki.h"

/* The kernel is asked for counters in one call, whose time grows with the
 * edges: for at most a fiftieth of the time, however often somebody scrapes. */
#define COUNTERS_FACTOR 50
#define CERTIFICATE_MS	60000 /* between looks at the file */

GAUGE(m_up, "sav_agent_session_up", "1 while the session with the controller is up");
GAUGE(m_contact, "sav_agent_last_contact_timestamp_seconds",
      "When the controller was heard last");
COUNTER(m_sessions, "sav_agent_sessions_total", "Sessions with the controller");
COUNTER(m_received, "sav_agent_filters_received_total", "Filters that the controller sent");
COUNTER(m_acks, "sav_agent_acknowledgements_total", "Answers to filters");
GAUGE(m_lease, "sav_agent_lease_expiry_timestamp_seconds",
      "When the filters have been without a controller for longer than their lease");
GAUGE(m_certificate, "sav_agent_certificate_expiry_timestamp_seconds",
      "When the agent's certificate ends");
GAUGE(m_all_off, "sav_agent_all_off", "1 while the hand brake lets everything pass");
GAUGE(m_released, "sav_agent_released", "1 after filter release");
COUNTER(m_applied, "sav_agent_filters_applied_total", "Filters put into force");
COUNTER(m_refused, "sav_agent_filters_refused_total", "Filters answered with an error");
COUNTER(m_repairs, "sav_agent_repairs_total",
	"Times that somebody else's change of the table was undone");
GAUGE(m_error, "sav_agent_error", "1 while something is wrong, by kind");
GAUGE(m_relay_up, "sav_agent_relay_connected",
      "1 while the connection that carries BMP to the controller is up");
GAUGE(m_relay_session, "sav_agent_relay_bmp_session_up", "1 while bgpd sends BMP");
GAUGE(m_relay_waiting, "sav_agent_relay_waiting_bytes", "BMP that the controller has not taken");
GAUGE(m_relay_high, "sav_agent_relay_waiting_max_bytes", "The most that ever waited");
GAUGE(m_relay_limit, "sav_agent_relay_limit_bytes", "At so many bytes the session ends");
COUNTER(m_relay_bytes, "sav_agent_relay_bytes_total", "BMP relayed");
COUNTER(m_relay_sessions, "sav_agent_relay_sessions_total", "BMP sessions of bgpd");
COUNTER(m_relay_refused, "sav_agent_relay_refused_total",
	"Connections of bgpd refused: no controller, or a second one");
COUNTER(m_relay_overflows, "sav_agent_relay_overflows_total",
	"Sessions that ended since too much waited");
COUNTER(m_relay_dropped, "sav_agent_relay_dropped_bytes_total",
	"BMP that was not sent on when its session ended");
GAUGE(m_filters, "sav_agent_filters", "Filters held");

GAUGE(m_prefixes, "sav_agent_filter_prefixes", "Prefixes that may be sources");
GAUGE(m_generation, "sav_agent_filter_generation", "Number of the filter in force");
GAUGE(m_enforcing, "sav_agent_filter_enforcing", "1 if other sources are dropped");
COUNTER(m_packets, "sav_agent_filter_packets_total",
	"Packets by verdict; an observing filter counts what it would drop");
COUNTER(m_bytes, "sav_agent_filter_bytes_total",
	"Bytes by verdict; an observing filter counts what it would drop");

/* How many prefixes a set has takes a walk over it: once per generation. */
struct counted {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t epoch, generation;
	size_t prefixes[IP_FAMILIES];
};

struct counted_list {
	struct counted *c; /* sorted by interface */
	size_t n, cap;
};

struct agent_metrics {
	const struct agent *agent;
	struct metrics_registry *registry;
	struct kernel_counters *counters; /* as the kernel listed them */
	const struct kernel_counters **by_name;
	size_t n_counters;
	int64_t counters_ms; /* not to be read before */
	struct counted_list known, fresh;
	char last[FILTER_IFNAME_SIZE]; /* the interface of the step before */
	struct metric_labels labels;
	int64_t certificate_s, certificate_ms;
	int64_t offset_ms; /* the wall clock less agent_now_ms() */
};

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the agent ---- */

static int64_t certificate_end(struct agent_metrics *am)
{
	struct wr der = { 0 };
	struct pki_cert cert;
	struct diag unused;

	if (am->certificate_ms != 0 && agent_now_ms() < am->certificate_ms + CERTIFICATE_MS)
		return am->certificate_s;
	am->certificate_ms = agent_now_ms();
	am->certificate_s = 0;
	if (pki_cert_load(am->agent->files.cert, &der, &unused) == 0 &&
	    pki_cert_read(der.data, der.len, &cert, &unused) == 0)
		am->certificate_s = cert.not_after;
	wr_fini(&der);
	return am->certificate_s;
}

static void collect_session(struct agent_metrics *am, struct metrics *m)
{
	const struct north_status *n = north_status(am->agent->north);
	int64_t offset_ms = metric_steady_ms(&am->offset_ms, wall_ms() - agent_now_ms()), end = certificate_end(am);

	metric_add_bool(m, &m_up, NULL, n->state == NORTH_UP);
	if (n->last_contact_ms >= 0)
		metric_add_ms(m, &m_contact, NULL, n->last_contact_ms + offset_ms);
	if (n->last_contact_ms >= 0 && n->lease_s != 0)
		metric_add_ms(m, &m_lease, NULL,
			      n->last_contact_ms + offset_ms + (int64_t)n->lease_s * 1000);
	metric_add(m, &m_sessions, NULL, n->sessions);
	metric_add(m, &m_received, NULL, n->filters);
	metric_add(m, &m_acks, NULL, n->acks);
	if (end > 0)
		metric_add(m, &m_certificate, NULL, (uint64_t)end);
}

static void collect_error(struct agent_metrics *am, struct metrics *m, const char *kind,
			  const struct diag *error)
{
	metric_labels_clear(&am->labels);
	metric_label(&am->labels, "kind", kind);
	metric_add_bool(m, &m_error, &am->labels, error->text[0] != '\0');
}

static void collect_totals(struct agent_metrics *am, struct metrics *m)
{
	const struct agent *a = am->agent;
	const struct apply_totals *t = apply_totals(a->apply);

	metric_add_bool(m, &m_all_off, NULL, kernel_brake_is_on(a->kernel));
	metric_add_bool(m, &m_released, NULL, a->released);
	metric_add(m, &m_applied, NULL, t->applied);
	metric_add(m, &m_refused, NULL, t->refused);
	metric_add(m, &m_repairs, NULL, t->repairs);
	metric_add(m, &m_filters, NULL, apply_held(a->apply)->n);
	collect_error(am, m, "disk", &a->cache_error);
	collect_error(am, m, "rp_filter", &a->rpfilter_error);
	collect_error(am, m, "interfaces", &a->links_error);
	collect_error(am, m, "certificates", &a->certs_error);
}

static void collect_relay(const struct agent *a, struct metrics *m)
{
	const struct relay_status *s;

	if (a->relay_listen.port == 0)
		return;
	s = relay_packet_status(a->relay);
	metric_add_bool(m, &m_relay_up, NULL, s->state >= RELAY_READY);
	metric_add_bool(m, &m_relay_session, NULL, s->state == RELAY_BUSY);
	metric_add(m, &m_relay_waiting, NULL, s->waiting_bytes);
	metric_add(m, &m_relay_high, NULL, s->totals.high_bytes);
	metric_add(m, &m_relay_limit, NULL, s->totals.limit_bytes);
	metric_add(m, &m_relay_bytes, NULL, s->totals.bytes);
	metric_add(m, &m_relay_sessions, NULL, s->totals.sessions);
	metric_add(m, &m_relay_refused, NULL, s->totals.refused);
	metric_add(m, &m_relay_overflows, NULL, s->totals.overflows);
	metric_add(m, &m_relay_dropped, NULL, s->totals.dropped_bytes);
}

static bool collect_agent(struct metrics *m, uint64_t *step, void *arg)
{
	(void)step;
	collect_session(arg, m);
	collect_totals(arg, m);
	collect_relay(((struct agent_metrics *)arg)->agent, m);
	return true;
}

/* ---- filters ---- */

static int by_name(const void *a, const void *b)
{
	const struct kernel_counters *const *x = a, *const *y = b;

	return strcmp((*x)->interface, (*y)->interface);
}

/* On an error the last values stay. */
static void read_counters(struct agent_metrics *am)
{
	struct kernel_counters *fresh;
	int64_t began_ms = agent_now_ms();
	struct diag unused;
	size_t n;

	if (am->agent->released || began_ms < am->counters_ms ||
	    kernel_counters(am->agent->kernel, &fresh, &n, &unused) < 0)
		return;
	am->counters_ms = agent_now_ms() + (agent_now_ms() - began_ms) * COUNTERS_FACTOR;
	free(am->counters);
	am->counters = fresh;
	am->n_counters = n;
	am->by_name = mem_realloc(am->by_name, n + 1, sizeof(*am->by_name));
	for (size_t i = 0; i < n; i++)
		am->by_name[i] = &fresh[i];
	qsort(am->by_name, n, sizeof(*am->by_name), by_name);
}

static const struct kernel_counters *counters_of(const struct agent_metrics *am,
						 const char *interface)
{
	struct kernel_counters key;
	const struct kernel_counters *k = &key, **found;

	if (am->n_counters == 0)
		return NULL;
	snprintf(key.interface, sizeof(key.interface), "%s", interface);
	found = bsearch(&k, am->by_name, am->n_counters, sizeof(*am->by_name), by_name);
	return found ? *found : NULL;
}

static int counted_cmp(const void *a, const void *b)
{
	return strcmp(((const struct counted *)a)->interface,
		      ((const struct counted *)b)->interface);
}

/* Into the list of this snapshot, whose interfaces come sorted. */
static const struct counted *count_prefixes(struct agent_metrics *am, const struct filter *f,
					    uint64_t epoch)
{
	struct counted c = { .epoch = epoch, .generation = f->generation };
	const struct counted *old = NULL;
	struct counted_list *l = &am->fresh;

	snprintf(c.interface, sizeof(c.interface), "%s", f->interface);
	if (am->known.n > 0)
		old = bsearch(&c, am->known.c, am->known.n, sizeof(c), counted_cmp);
	for (int i = 0; i < IP_FAMILIES; i++)
		c.prefixes[i] =
			old && old->epoch == epoch && old->generation == f->generation ?
				old->prefixes[i] :
				rangeset_prefix_count(&f->accept.f[i], (enum ip_family)i);
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 16;
		l->c = mem_realloc(l->c, l->cap, sizeof(*l->c));
	}
	l->c[l->n] = c;
	return &l->c[l->n++];
}

static void add_labelled(struct agent_metrics *am, struct metrics *m, const struct metric *f,
			 const char *label, const char *value, uint64_t v)
{
	size_t at = metric_label(&am->labels, label, value);

	metric_add(m, f, &am->labels, v);
	metric_labels_cut(&am->labels, at);
}

static void collect_counters(struct agent_metrics *am, struct metrics *m,
			     const struct kernel_counters *c)
{
	add_labelled(am, m, &m_packets, "verdict", "accepted", c->accept_packets);
	add_labelled(am, m, &m_packets, "verdict", "dropped", c->drop_packets);
	add_labelled(am, m, &m_packets, "verdict", "excepted", c->except_packets);
	add_labelled(am, m, &m_bytes, "verdict", "accepted", c->accept_bytes);
	add_labelled(am, m, &m_bytes, "verdict", "dropped", c->drop_bytes);
	add_labelled(am, m, &m_bytes, "verdict", "excepted", c->except_bytes);
}

static void collect_filter(struct agent_metrics *am, struct metrics *m, const struct filter *f,
			   uint64_t epoch)
{
	const struct counted *n = count_prefixes(am, f, epoch);
	const struct kernel_counters *c = counters_of(am, f->interface);

	metric_labels_clear(&am->labels);
	metric_label(&am->labels, "interface", f->interface);
	metric_add(m, &m_generation, &am->labels, f->generation);
	metric_add_bool(m, &m_enforcing, &am->labels, f->action == FILTER_ENFORCE);
	add_labelled(am, m, &m_prefixes, "family", "ipv4", n->prefixes[IP_V4]);
	add_labelled(am, m, &m_prefixes, "family", "ipv6", n->prefixes[IP_V6]);
	if (c)
		collect_counters(am, m, c);
}

static int by_interface(const void *item, const void *key)
{
	return strcmp(((const struct filter *)item)->interface, key);
}

/* The first filter after the last interface: the list may change between two
 * steps. */
static const struct filter *next_filter(const struct agent_metrics *am)
{
	const struct held *h = apply_held(am->agent->apply);
	const size_t at = array_after(h->filters, h->n, sizeof(*h->filters), am->last, by_interface);

	return at < h->n ? &h->filters[at] : NULL;
}

static void filters_done(struct agent_metrics *am)
{
	struct counted_list old = am->known;

	am->known = am->fresh;
	am->fresh = old;
}

static bool collect_filters(struct metrics *m, uint64_t *step, void *arg)
{
	struct agent_metrics *am = arg;
	const struct filter *f;

	if ((*step)++ == 0) {
		am->last[0] = '\0';
		am->fresh.n = 0;
		read_counters(am);
		return false;
	}
	f = next_filter(am);
	if (!f) {
		filters_done(am);
		return true;
	}
	snprintf(am->last, sizeof(am->last), "%s", f->interface);
	collect_filter(am, m, f, apply_held(am->agent->apply)->epoch);
	return false;
}

struct agent_metrics *agent_metrics_new(const struct agent *agent,
					struct metrics_registry *registry)
{
	struct agent_metrics *am = mem_alloc(sizeof(*am));

	am->agent = agent;
	am->registry = registry;
	metrics_registry_add(registry, collect_agent, am);
	metrics_registry_add(registry, collect_filters, am);
	return am;
}

void agent_metrics_free(struct agent_metrics *am)
{
	if (!am)
		return;
	metrics_registry_remove(am->registry, collect_agent, am);
	metrics_registry_remove(am->registry, collect_filters, am);
	free(am->counters);
	free(am->by_name);
	free(am->known.c);
	free(am->fresh.c);
	metric_labels_fini(&am->labels);
	free(am);
}
