/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd - the controller: routes and policy in, filters out.
 *
 * Wires the parts together and has no decisions of its own. Data goes one way:
 * bmp_packet -> engine -> store and south -> agents; what comes back from
 * agents is inventories, acknowledgements and counters.
 */
#include "lib/frr_compat.h"

#include <pwd.h>

#include "command.h"
#include "libfrr.h"
#include "log.h"
#include "privs.h"
#include "sigevent.h"
#include "version.h"
#include "vty.h"

#include "opensav_config.h"

#include "controller/feed/bgp_packet.h"
#include "controller/feed/bmp_packet.h"
#include "controller/savd.h"
#include "controller/savd_history.h"
#include "controller/savd_metrics.h"
#include "controller/savd_radius_packet.h"
#include "controller/vty/config_vty.h"
#include "controller/vty/database_vty.h"
#include "controller/vty/history_vty.h"
#include "controller/vty/journal_vty.h"
#include "controller/vty/rollback_vty.h"
#include "controller/vty/customer_vty.h"
#include "controller/vty/drops_vty.h"
#include "controller/vty/radius_vty.h"
#include "controller/vty/show_fib_vty.h"
#include "controller/vty/show_vty.h"
#include "controller/vty/whatif_vty.h"
#include "lib/mem.h"
#include "lib/metrics_vty.h"
#include "lib/shell_vty.h"
#include "lib/sock.h"
#include "lib/tls.h"

/* Route changes come in bursts. The first is worked off at once, later ones are
 * gathered for this time; after an expensive computation for longer, so that
 * savd never spends more than a quarter of its time on sets and always answers
 * its VTY. */
#define RUN_DELAY_MS	  10
#define SAVE_DELAY_MS	  20
#define SAVE_RETRY_S	  30
#define TRIM_S		  600
#define TRIM_FIRST_S	  10
#define TRIM_NEXT_MS	  100
#define RUN_DELAY_FACTOR  3
/* Routes that go en masse are taken away for so long between two looks at the
 * feeds, the VTY and the agents. */
#define SWEEP_US	  5000
#define SWEEP_PATHS	  256
#define LISTEN_RETRY_S	  5
#define RENEW_S		  86400
#define TERMS_S		  60
#define SIGNER_USER	  "opensav-ca"
#define LEASE_S		  86400
#define COUNTERS_S	  10

static struct savd savd;
static struct event_loop *loop;
static struct turns *turns;
static struct bgp_neighbors *bgp;
static struct tls_config *tls;
static struct metrics_http *http;
static struct savd_metrics *collectors;
static struct savd_history *history;
static struct metrics_listen *metrics_listens;
static size_t n_metrics_listens;
static struct event *t_run;
static struct event *t_sweep;
static struct event *t_save;
static struct event *t_trim;
static int64_t run_not_before_ms;
static struct event *t_listen;
static struct event *t_renew;
static struct event *t_terms;
static char state_dir[PATH_MAX - 32] = "/var/lib/opensav";
static char signer_path[PATH_MAX];

static zebra_capabilities_t no_caps[] = {};
static struct zebra_privs_t privs = {
	.user = "opensav",
	.group = "opensav",
	.caps_p = no_caps,
	.cap_num_p = 0,
};

static void on_term(void);
static void on_usr1(void)
{
	zlog_rotate();
}
static struct frr_signal_t signals[] = {
	{ .signal = SIGINT, .handler = on_term },
	{ .signal = SIGTERM, .handler = on_term },
	{ .signal = SIGUSR1, .handler = on_usr1 },
};

/* Configuration is in the store, never in a file of libfrr's; the VTY is a unix
 * socket, TCP only by -P. */
FRR_DAEMON_INFO(savd, SAVD, .vty_port = 0, .flags = FRR_NO_SPLIT_CONFIG,
		.proghelp = "Computes source address filters from routes and policy.",
		.copyright = "", .signals = signals, .n_signals = array_size(signals),
		.privs = &privs, );

int64_t savd_now_ms(void)
{
	return frr_now_us() / 1000;
}

/* ---- edges ---- */

static size_t edge_locate(const struct savd *s, const char *router, const char *interface,
			  bool *found)
{
	size_t lo = 0, hi = s->n_edges;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(s->edges[mid].router, router);

		if (c == 0)
			c = strcmp(s->edges[mid].interface, interface);
		if (c == 0)
			*found = true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct savd_edge *savd_edge_find(const struct savd *s, const char *router,
				       const char *interface)
{
	bool found;
	size_t at = edge_locate(s, router, interface, &found);

	return found ? &s->edges[at] : NULL;
}

/* For configured edges only, so that an agent cannot fill memory: else NULL. */
static struct savd_edge *edge_get(const char *router, const char *interface)
{
	struct savd_edge *e;
	bool found;
	size_t at = edge_locate(&savd, router, interface, &found);

	if (found)
		return &savd.edges[at];
	if (!config_edge_find(&savd.cfg, router, interface))
		return NULL;
	savd.edges = mem_realloc(savd.edges, savd.n_edges + 1, sizeof(*savd.edges));
	memmove(&savd.edges[at + 1], &savd.edges[at],
		(savd.n_edges - at) * sizeof(*savd.edges));
	savd.n_edges++;
	e = &savd.edges[at];
	*e = (struct savd_edge){ 0 };
	snprintf(e->router, sizeof(e->router), "%s", router);
	snprintf(e->interface, sizeof(e->interface), "%s", interface);
	return e;
}

static void edge_forget(const char *router, const char *interface)
{
	bool found;
	size_t at = edge_locate(&savd, router, interface, &found);

	if (!found)
		return;
	savd.n_edges--;
	memmove(&savd.edges[at], &savd.edges[at + 1],
		(savd.n_edges - at) * sizeof(*savd.edges));
}

/* ---- what the engine asks for ---- */

static void on_save(struct event *t);

static void save_soon(void)
{
	if (!t_save)
		event_add_timer_msec(loop, on_save, NULL, SAVE_DELAY_MS, &t_save);
}

static void eng_note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	if (alarm)
		zlog_warn("%s", text);
	else
		zlog_info("%s", text);
	if (!history)
		return;
	savd_history_event(history, alarm, text);
	save_soon();
}

void savd_note(bool alarm, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	eng_note(NULL, alarm, text);
}

int64_t savd_revision(void)
{
	return journal_revision();
}

/* Honest traffic may wait for a filter, and a disk may be busy or full: it is
 * sent first and saved after, bit by bit. Meanwhile the disk has an older good one. */
static int save_some(void)
{
	struct diag diag;
	int more = savd_history_save(history, &diag);

	EVENT_OFF(t_save);
	if (more < 0) {
		zlog_warn("%s", diag.text);
		event_add_timer(loop, on_save, NULL, SAVE_RETRY_S, &t_save);
	}
	return more;
}

static void on_save(struct event *t)
{
	int64_t began_us = frr_now_us();

	(void)t;
	if (save_some() > 0) /* no more than a third of the time */
		event_add_timer_msec(loop, on_save, NULL,
				     (long)((frr_now_us() - began_us) / 500) + 1, &t_save);
}

void savd_save(void)
{
	while (t_save && save_some() > 0)
		save_soon();
}

/* Bit by bit, so that nothing else waits for it. */
static void on_trim(struct event *t)
{
	struct diag diag;
	int more = savd_history_trim(history, &diag);

	(void)t;
	if (more < 0)
		eng_note(NULL, true, diag.text);
	event_add_timer_msec(loop, on_trim, NULL, more > 0 ? TRIM_NEXT_MS : TRIM_S * 1000,
			     &t_trim);
}

/* A filter that is handed out again, after a restart, is no change. */
static void edge_changed(struct savd_edge *e, uint64_t generation, int64_t when_s)
{
	if (e->changed_generation != generation)
		e->changed_s = when_s;
	e->changed_generation = generation;
}

static void eng_filter_set(void *ctx, const char *router, const struct filter *f)
{
	struct savd_edge *e = edge_get(router, f->interface);

	(void)ctx;
	if (e) {
		e->generation = f->generation;
		e->changed_us = savd.changed_us;
		savd_history_sent(history, e);
		edge_changed(e, f->generation, time(NULL));
	}
	south_filter_set(south_packet_south(savd.south), router,
			 engine_filter(savd.engine, router, f->interface), savd_now_ms());
	save_soon();
}

static void eng_filter_gone(void *ctx, const char *router, const char *interface)
{
	(void)ctx;
	savd_history_gone(history, router, interface);
	save_soon();
	edge_forget(router, interface);
	drop_store_forget(savd.drops, router, interface);
	south_filter_remove(south_packet_south(savd.south), router, interface, savd_now_ms());
}

static void eng_redump(void *ctx, struct engine_feed *feed)
{
	(void)ctx;
	if (engine_feed_is_relayed(feed))
		south_relay_redump(engine_feed_user(feed));
	else
		bmp_listeners_redump(savd.bmp, feed);
}

static void on_run(struct event *t);

static void run_at(int64_t at_ms)
{
	int64_t delay = at_ms - savd_now_ms();

	EVENT_OFF(t_run);
	event_add_timer_msec(loop, on_run, NULL, delay > 0 ? (long)delay : 0, &t_run);
}

static void eng_wake(void *ctx)
{
	int64_t now_ms = savd_now_ms(), delay = run_not_before_ms - now_ms;

	(void)ctx;
	if (savd.changed_us == 0)
		savd.changed_us = frr_now_us();
	if (delay < 0)
		delay = 0;
	if (!t_run || (int64_t)event_timer_remain_msec(t_run) > delay)
		run_at(now_ms + delay);
}

static int64_t run_once(void)
{
	int64_t began_us = frr_now_us(), next;

	if (savd.changed_us == 0) /* time alone brought us here */
		savd.changed_us = began_us;
	savd_history_run(history);
	next = engine_run(savd.engine, began_us / 1000);
	savd.changed_us = 0;
	savd.run_last_us = frr_now_us() - began_us;
	savd.runs++;
	savd.run_total_us += savd.run_last_us;
	if (savd.run_last_us > savd.run_max_us)
		savd.run_max_us = savd.run_last_us;
	run_not_before_ms =
		savd_now_ms() + RUN_DELAY_MS + savd.run_last_us * RUN_DELAY_FACTOR / 1000;
	return next;
}

void savd_catch_up(void)
{
	if (engine_is_dirty(savd.engine))
		on_run(NULL);
}

/* South tells an agent only what is news to it. */
static void tell_wants(void)
{
	for (size_t i = 0; i < savd.cfg.n_routers; i++) {
		const char *router = savd.cfg.routers[i].name;

		south_want_routes(south_packet_south(savd.south), router,
				  engine_wants_fib(savd.engine, router), savd_now_ms());
	}
}

static void on_sweep(struct event *t)
{
	int64_t until_us = frr_now_us() + SWEEP_US;
	bool more;

	(void)t;
	do
		more = engine_sweep(savd.engine, SWEEP_PATHS);
	while (more && frr_now_us() < until_us);
	if (more)
		event_add_event(loop, on_sweep, NULL, 0, &t_sweep);
}

static void on_run(struct event *t)
{
	int64_t next = run_once();

	(void)t;
	tell_wants();
	if (engine_is_sweeping(savd.engine))
		event_add_event(loop, on_sweep, NULL, 0, &t_sweep);
	if (engine_is_dirty(savd.engine))
		eng_wake(NULL);
	else if (next >= 0)
		run_at(next);
}

/* ---- listening ---- */

static void listens_apply(void);

static void on_listen_retry(struct event *t)
{
	(void)t;
	listens_apply();
}

static void metrics_apply(void)
{
	n_metrics_listens = savd.cfg.n_metrics_listens;
	metrics_listens =
		mem_realloc(metrics_listens, n_metrics_listens + 1, sizeof(*metrics_listens));
	for (size_t i = 0; i < n_metrics_listens; i++)
		metrics_listens[i] = (struct metrics_listen){
			.addr = savd.cfg.metrics_listens[i].addr,
			.port = savd.cfg.metrics_listens[i].port,
		};
	metrics_http_listen(http, metrics_listens, n_metrics_listens);
}

static void metrics_report(struct vty *vty, const struct config_listen *l)
{
	metrics_vty_report(vty, &(struct metrics_listen){ .addr = l->addr, .port = l->port });
}

static void listens_apply(void)
{
	bool failed = false;

	bmp_listeners_set(savd.bmp, &savd.cfg);
	metrics_apply();
	south_unlisten(savd.south);
	for (size_t i = 0; i < savd.cfg.n_agent_listens; i++) {
		const struct config_listen *l = &savd.cfg.agent_listens[i];
		char addr[IP_TEXT_SIZE];
		struct diag diag;

		if (south_listen(savd.south, ip_addr_format(&l->addr, addr), l->port, &diag) <
		    0) {
			zlog_err("agent listen: %s; trying again every %d s", diag.text,
				 LISTEN_RETRY_S);
			failed = true;
		}
	}
	EVENT_OFF(t_listen);
	if (failed)
		event_add_timer(loop, on_listen_retry, NULL, LISTEN_RETRY_S, &t_listen);
}

static void eng_listens_changed(void *ctx)
{
	(void)ctx;
	listens_apply();
}

static void eng_routers_changed(void *ctx)
{
	(void)ctx;
	bgp_neighbors_apply(bgp, &savd.cfg);
}

static const struct engine_ops engine_ops = {
	.filter_set = eng_filter_set,
	.filter_gone = eng_filter_gone,
	.feed_redump = eng_redump,
	.wake = eng_wake,
	.listens_changed = eng_listens_changed,
	.routers_changed = eng_routers_changed,
	.edges_changed = savd_radius_edges_changed,
	.session = savd_radius_explain,
	.note = eng_note,
};

/* ---- what agents bring ---- */

static bool so_enroll(void *ctx, const char *name, const uint8_t secret_hash[32],
		      enum pki_kind *kind, struct diag *diag)
{
	char text[16];

	(void)ctx;
	if (store_token_consume(savd.store, name, secret_hash, time(NULL), text, diag) < 0)
		return false;
	if (!pki_kind_parse(text, kind)) {
		diag_set(diag, "the token of %s is of an unknown kind %s", name, text);
		return false;
	}
	return true;
}

static int so_issue(void *ctx, const struct pki_identity *id, const uint8_t *spki,
		    size_t spki_len, struct wr *cert, struct diag *diag)
{
	(void)ctx;
	return signer_issue(savd.signer, id, spki, spki_len, cert, diag);
}

static bool so_enrolled(void *ctx, const struct pki_cert *cert, struct diag *diag)
{
	(void)ctx;
	savd_note(false, "agent %s: %s certificate %s issued", cert->id.name,
		  pki_kind_name(cert->id.kind), cert->serial);
	return store_certificate_add(savd.store, cert->id.name, pki_kind_name(cert->id.kind),
				     cert->serial, time(NULL), cert->not_after, diag) == 0;
}

static bool so_certificate_ok(void *ctx, const char *name, const char *serial_hex,
			      struct diag *diag)
{
	(void)ctx;
	switch (store_certificate_state(savd.store, name, serial_hex)) {
	case STORE_CERT_VALID:
		return true;
	case STORE_CERT_REVOKED:
		diag_set(diag,
			 "certificate %s of agent %s is revoked: type \"agent enroll %s\" and "
			 "enrol it again",
			 serial_hex, name, name);
		return false;
	case STORE_CERT_UNKNOWN:
		break;
	}
	diag_set(diag,
		 "certificate %s of agent %s is not known here: type \"agent enroll %s\" and "
		 "enrol it again",
		 serial_hex, name, name);
	return false;
}

/* An agent is told its whole list when it connects, so that it releases what is
 * not an edge any more. */
static void tell_edges(const char *router)
{
	char(*list)[FILTER_IFNAME_SIZE] = NULL;
	size_t n = 0;

	for (size_t i = 0; i < savd.cfg.n_edges; i++) {
		const struct config_edge *c = &savd.cfg.edges[i];

		if (strcmp(c->router, router) != 0 || c->role == ROLE_NONE)
			continue;
		list = mem_realloc(list, n + 1, sizeof(*list));
		snprintf(list[n++], sizeof(*list), "%s", c->interface);
	}
	south_edges(south_packet_south(savd.south), router,
		    (const char(*)[FILTER_IFNAME_SIZE])list, n, savd_now_ms());
	free(list);
}

static void so_up(void *ctx, const struct south_peer *peer)
{
	(void)ctx;
	savd_note(false, "agent %s connected from %s (%s)", peer->name, peer->address,
		  peer->software);
	if (config_router_find(&savd.cfg, peer->name))
		tell_edges(peer->name);
	else
		savd_note(true, "agent %s has no router of that name: type \"router %s\" in "
			  "configuration mode",
			  peer->name, peer->name);
}

static void so_down(void *ctx, const char *name, const char *why)
{
	(void)ctx;
	savd_note(true, "agent %s disconnected: %s; its filters stay", name, why);
	engine_fib_lost(savd.engine, name);
}

static void so_routes(void *ctx, const char *name, const struct agent_routes *routes)
{
	(void)ctx;
	if (config_router_find(&savd.cfg, name))
		engine_fib(savd.engine, name, routes, savd_now_ms());
}

static void so_inventory(void *ctx, const char *name, const struct agent_inventory *inv)
{
	(void)ctx;
	if (config_router_find(&savd.cfg, name))
		engine_inventory(savd.engine, name, inv);
}

static void so_ack(void *ctx, const char *name, const char *interface, uint64_t generation,
		   const uint8_t hash[FILTER_HASH_SIZE], const char *error)
{
	struct savd_edge *e = edge_get(name, interface);
	char text[512];

	(void)ctx;
	(void)hash;
	if (error[0] != '\0') {
		snprintf(text, sizeof(text),
			 "edge %s %s: the router could not apply generation %llu: %s; its last "
			 "filter stays",
			 name, interface, (unsigned long long)generation, error);
		eng_note(NULL, true, text);
		return;
	}
	if (!e || e->generation != generation || e->changed_us == 0)
		return;
	e->applied_last_us = frr_now_us() - e->changed_us;
	if (e->applied_last_us > e->applied_max_us)
		e->applied_max_us = e->applied_last_us;
	e->generation = 0;
	savd_radius_applied(name, interface);
	zlog_debug("edge %s %s: generation %llu is in the kernel after %lld us", name,
		   interface, (unsigned long long)generation, (long long)e->applied_last_us);
}

static void so_counters(void *ctx, const char *name, const struct agent_counters *c, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		struct savd_edge *e = edge_get(name, c[i].interface);

		if (e) {
			e->c = c[i];
			e->counted = true;
		}
	}
}

static void so_drops(void *ctx, const char *name, const struct drop *rows, size_t n)
{
	(void)ctx;
	drop_store_add(savd.drops, &savd.cfg, name, rows, n, savd_now_ms());
}

static bool so_relay_ok(void *ctx, const char *router, struct diag *diag)
{
	(void)ctx;
	if (config_router_find(&savd.cfg, router))
		return true;
	diag_set(diag, "there is no router %s: type \"router %s\" in configuration mode of savd",
		 router, router);
	return false;
}

static void *so_relay_open(void *ctx, const char *router, const char *address,
			   struct south_session *ss)
{
	struct engine_feed *feed;
	struct ip_addr source = { 0, IP_V4 };

	(void)ctx;
	(void)ip_addr_parse(address, &source); /* south made the text of an address */
	feed = engine_feed_open(savd.engine, &source, ss, savd_now_ms());
	engine_feed_relayed(feed, router);
	return feed;
}

static int so_relay_bytes(void *ctx, void *feed, const struct agent_blob *data,
			  uint64_t waiting, struct diag *diag)
{
	(void)ctx;
	if (engine_feed_bytes(feed, data->data, data->len, savd_now_ms(), diag) < 0)
		return -1;
	engine_feed_queued(feed, (size_t)waiting);
	return 0;
}

static void so_relay_close(void *ctx, void *feed, const char *why)
{
	(void)ctx;
	engine_feed_close(feed, why, savd_now_ms());
}

static const struct south_ops south_ops = {
	.enroll = so_enroll,
	.issue = so_issue,
	.enrolled = so_enrolled,
	.certificate_ok = so_certificate_ok,
	.up = so_up,
	.down = so_down,
	.inventory = so_inventory,
	.routes = so_routes,
	.ack = so_ack,
	.counters = so_counters,
	.drops = so_drops,
	.relay_ok = so_relay_ok,
	.relay_open = so_relay_open,
	.relay_bytes = so_relay_bytes,
	.relay_close = so_relay_close,
	.note = eng_note,
};

/* ---- start and stop ---- */

static void die(const struct diag *diag)
{
	fprintf(stderr, "savd: %s\n", diag->text);
	zlog_err("%s", diag->text);
	exit(1);
}

static void open_store(void)
{
	char path[PATH_MAX];
	struct diag diag;

	snprintf(path, sizeof(path), "%s/savd.db", state_dir);
	savd.store = store_open(path, &diag);
	if (!savd.store || store_config_load(savd.store, &savd.cfg, &diag) < 0)
		die(&diag);
	savd.cfg.sink = store_config_sink();
	savd.cfg.sink_ctx = savd.store;
	snprintf(path, sizeof(path), "%s/secrets.key", state_dir);
	if (config_vty_seal(path, &diag) < 0)
		die(&diag);
	journal_init(&savd.cfg, savd.store);
	history = savd_history_new(&savd);
}

/* Every command is saved when it is done. `write` has nothing left to do but to
 * leave a copy as text: for people and for version control, never read here. */
static void set_write_path(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/running.conf", state_dir);
	host_config_set(path);
}

/* savd's own certificate, made or renewed when it has less than 30 days left.
 * On failure the present one stays in use. */
static int load_tls(struct diag *diag)
{
	char cert[PATH_MAX], key[PATH_MAX], ca[PATH_MAX];
	struct tls_config *fresh;
	bool renewed;

	snprintf(cert, sizeof(cert), "%s/savd.crt", state_dir);
	snprintf(key, sizeof(key), "%s/savd.key", state_dir);
	snprintf(ca, sizeof(ca), "%s/ca/ca.crt", state_dir);
	if (signer_controller_files(savd.signer, "savd", cert, key, &renewed, diag) < 0)
		return -1;
	if (tls && !renewed)
		return 0;
	fresh = tls_config_server(cert, key, ca, diag);
	if (!fresh)
		return -1;
	if (savd.south)
		south_packet_set_tls(savd.south, fresh);
	tls_config_free(tls);
	tls = fresh;
	return 0;
}

static void on_renew(struct event *t)
{
	struct diag diag;

	(void)t;
	if (load_tls(&diag) < 0)
		eng_note(NULL, true, diag.text);
	event_add_timer(loop, on_renew, NULL, RENEW_S, &t_renew);
}

static void start_south(void)
{
	struct south_config config;
	struct diag diag;

	if (!savd.signer)
		savd.signer = signer_start(signer_path, state_dir, NULL, &diag);
	if (!savd.signer || load_tls(&diag) < 0)
		die(&diag);
	config = (struct south_config){
		.epoch = store_epoch(savd.store),
		.lease_s = LEASE_S,
		.counters_interval_s = COUNTERS_S,
		.ca = signer_ca(savd.signer)->data,
		.ca_len = signer_ca(savd.signer)->len,
	};
	savd.south = south_packet_new(loop, turns, tls, &config, &south_ops, NULL);
	event_add_timer(loop, on_renew, NULL, RENEW_S, &t_renew);
}

/* Prefixes of records begin and cease to count by the calendar. Asked often
 * enough that a clock that is set does not matter. */
static void on_terms(struct event *t)
{
	int64_t now_s = time(NULL), next = config_set_time(&savd.cfg, now_s);

	(void)t;
	event_add_timer(loop, on_terms, NULL,
			next != 0 && next - now_s < TERMS_S ? (long)(next - now_s) : TERMS_S,
			&t_terms);
}

static void restore_one(const char *router, const struct filter *f, int64_t saved, void *arg)
{
	struct savd_edge *e = edge_get(router, f->interface);

	(void)arg;
	if (e)
		edge_changed(e, f->generation, saved);
	engine_restore(savd.engine, router, f);
}

/* Off unless configured. The registry is there first: modules that start later
 * add to it. */
static void start_metrics(void)
{
	static struct metrics_build build = {
		.family = { "savd_build_info", "Versions of this program", METRIC_GAUGE },
		.version = PACKAGE_VERSION,
		.library = FRR_VERSION,
	};

	savd.metrics = metrics_registry_new();
	metrics_registry_add(savd.metrics, metrics_collect_build, &build);
	collectors = savd_metrics_new(&savd, savd.metrics, state_dir);
	http = metrics_http_new(loop, savd.metrics);
	metrics_vty_set(http, &metrics_listens, &n_metrics_listens);
}

static void start_engine(void)
{
	struct diag diag;

	savd.engine = engine_new(&savd.cfg, &engine_ops, NULL);
	savd.bmp = bmp_listeners_new(loop, turns, savd.engine);
	bgp = bgp_neighbors_new(loop, turns, savd.engine);
	diag.text[0] = '\0';
	if (store_generations_load(savd.store, restore_one, NULL, &diag) < 0)
		die(&diag);
	if (diag.text[0] != '\0') /* rows that were damaged and left out */
		eng_note(NULL, true, diag.text);
	savd.radius = savd_radius_start(&savd, loop, turns);
	on_terms(NULL);
	run_once();
	listens_apply();
	bgp_neighbors_apply(bgp, &savd.cfg);
	eng_wake(NULL);
	rollback_vty_start();
	event_add_timer(loop, on_trim, NULL, TRIM_FIRST_S, &t_trim);
}

static void on_term(void)
{
	zlog_notice("stopping; the routers keep their filters");
	EVENT_OFF(t_run);
	EVENT_OFF(t_sweep);
	EVENT_OFF(t_trim);
	rollback_vty_stop();
	database_vty_stop();
	while (save_some() > 0)
		;
	EVENT_OFF(t_save);
	EVENT_OFF(t_listen);
	EVENT_OFF(t_renew);
	EVENT_OFF(t_terms);
	metrics_http_free(http);
	savd_metrics_free(collectors);
	metrics_registry_free(savd.metrics);
	free(metrics_listens);
	bmp_listeners_free(savd.bmp);
	bgp_neighbors_free(bgp);
	savd_radius_stop();
	south_packet_free(savd.south); /* its sessions tell the engine that they end */
	engine_free(savd.engine);
	turns_free(turns);
	signer_stop(savd.signer);
	tls_config_free(tls);
	savd_history_free(history);
	history = NULL;
	store_close(savd.store);
	config_fini(&savd.cfg);
	free(savd.edges);
	drop_store_free(savd.drops);
	frr_fini();
	exit(0);
}

enum {
	OPT_STATE = 2000, /* libfrr has its own from 1000 on */
	OPT_SIGNER,
};

static const struct option options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "signer", required_argument, NULL, OPT_SIGNER },
	{ 0 },
};

static void parse_options(int argc, char **argv)
{
	int opt;

	frr_opt_add("", options,
		    "      --state        Directory of database and keys\n"
		    "      --signer       Path of the program savd-signer\n");
	while ((opt = frr_getopt(argc, argv, NULL)) != EOF) {
		switch (opt) {
		case 0:
			break;
		case OPT_STATE:
			snprintf(state_dir, sizeof(state_dir), "%s", optarg);
			break;
		case OPT_SIGNER:
			snprintf(signer_path, sizeof(signer_path), "%s", optarg);
			break;
		default:
			frr_help_exit(1);
		}
	}
}

/* Beside savd itself if it is there (a build tree), else where it is installed. */
static void find_signer(void)
{
	ssize_t n = readlink("/proc/self/exe", signer_path, sizeof(signer_path) - 16);
	char *slash;

	if (n > 0) {
		signer_path[n] = '\0';
		slash = strrchr(signer_path, '/');
		strlcpy(slash + 1, "savd-signer",
			sizeof(signer_path) - (size_t)(slash + 1 - signer_path));
		if (access(signer_path, X_OK) == 0)
			return;
	}
	snprintf(signer_path, sizeof(signer_path), "%s/savd-signer", PKGLIBEXECDIR);
}

/* While savd still is root the CA key can belong to an account of its own,
 * where the system has it: a savd that was taken over cannot read the key then. */
static void start_signer_apart(void)
{
	struct diag diag;

	if (geteuid() != 0 || !getpwnam(SIGNER_USER))
		return;
	savd.signer = signer_start(signer_path, state_dir, SIGNER_USER, &diag);
	if (!savd.signer)
		die(&diag);
}

int main(int argc, char **argv)
{
	frr_version_option("savd", argc, argv);
	frr_preinit(&savd_di, argc, argv);
	find_signer();
	parse_options(argc, argv);
	privs.vty_group = frr_vty_group(privs.user);
	start_signer_apart();
	loop = frr_init();
	turns = turns_new(loop);
	config_init(&savd.cfg);
	config_vty_init(&savd.cfg);
	savd.drops = drop_store_new();
	show_vty_init(&savd);
	drops_vty_init(&savd);
	customer_vty_init(&savd);
	whatif_vty_init(&savd);
	metrics_vty_init();
	config_vty_on_metrics_listen(metrics_report);
	show_fib_vty_init(&savd);
	radius_vty_init(&savd);
	history_vty_init(&savd);
	rollback_vty_init(loop, &savd);
	config_copy_vty_init(&savd);
	database_vty_init(loop, &savd);
	shell_vty_init();
	frr_config_fork();
	set_write_path();
	open_store(); /* its locks do not survive a fork */
	start_south();
	start_metrics();
	start_engine();
	frr_run(loop);
	return 0;
}
