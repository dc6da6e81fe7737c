/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Metrics of IKE, and of the kernel's ESP.
 */
#include "lib/frr_compat.h"

#include "ipsec/iked_kernel.h"
#include "ipsec/iked_metrics_vty.h"
#include "lib/metrics.h"

/* ike is asked, and waited for: not more often than that. */
#define ASK_US 1000000

static struct {
	uint64_t events[IKE_EVENTS];
	struct ike_counters ike; /* as it said last */
	int64_t asked_us;
} here;

GAUGE(m_sas, "sav_iked_ike_sas", "IKE SAs");
GAUGE(m_half_open, "sav_iked_half_open_sas", "IKE SAs that are just being begun");
GAUGE(m_children, "sav_iked_child_sas", "Child SAs, by what carries their packets");
COUNTER(m_up, "sav_iked_handshakes_total", "IKE SAs that came up");
COUNTER(m_failed, "sav_iked_handshake_failures_total", "IKE SAs that did not");
COUNTER(m_down, "sav_iked_ends_total", "IKE SAs that were up and are no more");
COUNTER(m_rekeyed, "sav_iked_rekeyings_total", "New keys in the place of old ones");
COUNTER(m_moved, "sav_iked_moves_total", "Times that a peer was followed to another address");
COUNTER(m_refused, "sav_iked_refusals_total", "Things of a peer's that were turned down");
COUNTER(m_messages, "sav_iked_messages_total", "IKE messages that came");
COUNTER(m_dropped, "sav_iked_messages_dropped_total", "IKE messages that were not taken");
COUNTER(m_limited, "sav_iked_unanswered_total", "What was not answered, because of too much of it");
COUNTER(m_cookies, "sav_iked_cookies_total", "Challenges under load, and their answers");
COUNTER(m_again, "sav_iked_retransmissions_total", "Requests sent again");
COUNTER(m_timeouts, "sav_iked_timeouts_total", "Peers that went silent");
COUNTER(m_kernel_packets, "sav_iked_kernel_packets_total", "Packets that the kernel's ESP carried, inner ones");
COUNTER(m_kernel_bytes, "sav_iked_kernel_bytes_total", "Their bytes");

void iked_metrics_event(const struct proc_event *e)
{
	if (e->event < IKE_EVENTS)
		here.events[e->event]++;
}

/* ---- samples */

static void add_of(struct metrics *m, const struct metric *f, const char *label, const char *value, uint64_t n)
{
	struct metric_labels labels = { 0 };

	metric_label(&labels, label, value);
	metric_add(m, f, &labels, n);
	metric_labels_fini(&labels);
}

static void no_sa(void *ctx, const struct proc_sa *sa)
{
}

static void no_child(void *ctx, const struct proc_child_row *child)
{
}

static void on_counters(void *ctx, const struct ike_counters *counters)
{
	here.ike = *counters;
}

static void ask_ike(void)
{
	static const struct iked_rows rows = { no_sa, no_child, on_counters, NULL };
	/* of no tunnel: the counters alone */
	const struct proc_command c = { .verb = PROC_SHOW, .tunnel = "-" };
	struct diag diag;

	if (here.asked_us && frr_now_us() - here.asked_us < ASK_US)
		return;
	here.asked_us = frr_now_us();
	(void)iked_command(&c, &rows, &diag); /* one that is being started: as it was */
}

static void collect_events(struct metrics *m)
{
	metric_add(m, &m_up, NULL, here.events[IKE_EVENT_UP]);
	metric_add(m, &m_failed, NULL, here.events[IKE_EVENT_FAILED]);
	metric_add(m, &m_down, NULL, here.events[IKE_EVENT_DOWN]);
	add_of(m, &m_rekeyed, "sa", "ike", here.events[IKE_EVENT_REKEYED]);
	add_of(m, &m_rekeyed, "sa", "child", here.events[IKE_EVENT_CHILD_REKEYED]);
	metric_add(m, &m_moved, NULL, here.events[IKE_EVENT_MOVED]);
	metric_add(m, &m_refused, NULL, here.events[IKE_EVENT_REFUSED]);
}

static void collect_ike(struct metrics *m)
{
	const struct ike_counters *c = &here.ike;

	ask_ike();
	metric_add(m, &m_sas, NULL, c->sas);
	metric_add(m, &m_half_open, NULL, c->half_open);
	add_of(m, &m_children, "datapath", "kernel", iked_kernel_children());
	add_of(m, &m_children, "datapath", "user", c->children > iked_kernel_children() ? c->children - iked_kernel_children() : 0);
	metric_add(m, &m_messages, NULL, c->packets);
	add_of(m, &m_dropped, "reason", "truncated", c->truncated);
	add_of(m, &m_dropped, "reason", "version", c->bad_version);
	add_of(m, &m_dropped, "reason", "syntax", c->bad_syntax);
	add_of(m, &m_dropped, "reason", "integrity", c->bad_integrity);
	add_of(m, &m_dropped, "reason", "spi", c->unknown_spi);
	add_of(m, &m_dropped, "reason", "message_id", c->bad_id);
	add_of(m, &m_limited, "what", "half_open", c->half_open_refused);
	add_of(m, &m_limited, "what", "error", c->replies_limited);
	add_of(m, &m_cookies, "cookie", "sent", c->cookies_sent);
	add_of(m, &m_cookies, "cookie", "good", c->cookies_good);
	add_of(m, &m_cookies, "cookie", "bad", c->cookies_bad);
	metric_add(m, &m_again, NULL, c->retransmits);
	metric_add(m, &m_timeouts, NULL, c->timeouts);
}

static void collect_kernel(struct metrics *m)
{
	struct xfrm_use in, out;

	iked_kernel_totals(&in, &out);
	add_of(m, &m_kernel_packets, "direction", "in", in.packets);
	add_of(m, &m_kernel_packets, "direction", "out", out.packets);
	add_of(m, &m_kernel_bytes, "direction", "in", in.bytes);
	add_of(m, &m_kernel_bytes, "direction", "out", out.bytes);
}

bool iked_metrics_ike(struct metrics *m, uint64_t *step, void *arg)
{
	collect_events(m);
	collect_ike(m);
	collect_kernel(m);
	return true;
}
