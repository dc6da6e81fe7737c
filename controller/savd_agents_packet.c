/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_agents_packet.h"

#include <pwd.h>

#include "log.h"

#include "controller/savd_edge.h"
#include "controller/savd_radius_packet.h"
#include "lib/mem.h"
#include "lib/tls.h"

#define RENEW_S	    86400
#define SIGNER_USER "opensav-ca"
#define LEASE_S	    86400
#define COUNTERS_S  10

static struct {
	struct savd *savd;
	struct event_loop *loop;
	struct tls_config *tls;
	struct event *t_renew;
	const char *state_dir;
} agents;

static bool so_enroll(void *ctx, const char *name, const uint8_t secret_hash[32],
		      enum pki_kind *kind, struct diag *diag)
{
	char text[16];

	(void)ctx;
	if (store_token_consume(agents.savd->store, name, secret_hash, time(NULL), text, diag) < 0)
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
	return signer_issue(agents.savd->signer, id, spki, spki_len, cert, diag);
}

static bool so_enrolled(void *ctx, const struct pki_cert *cert, struct diag *diag)
{
	(void)ctx;
	savd_note(false, "agent %s: %s certificate %s issued", cert->id.name,
		  pki_kind_name(cert->id.kind), cert->serial);
	return store_certificate_add(agents.savd->store, cert->id.name, pki_kind_name(cert->id.kind),
				     cert->serial, time(NULL), cert->not_after, diag) == 0;
}

static bool so_certificate_ok(void *ctx, const char *name, const char *serial_hex,
			      struct diag *diag)
{
	(void)ctx;
	switch (store_certificate_state(agents.savd->store, name, serial_hex)) {
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

	for (size_t i = 0; i < agents.savd->cfg.n_edges; i++) {
		const struct config_edge *c = &agents.savd->cfg.edges[i];

		if (strcmp(c->router, router) != 0 || c->role == ROLE_NONE)
			continue;
		list = mem_realloc(list, n + 1, sizeof(*list));
		snprintf(list[n++], sizeof(*list), "%s", c->interface);
	}
	south_edges(south_packet_south(agents.savd->south), router,
		    (const char(*)[FILTER_IFNAME_SIZE])list, n, savd_now_ms());
	free(list);
}

static void so_up(void *ctx, const struct south_peer *peer)
{
	(void)ctx;
	savd_note(false, "agent %s connected from %s (%s)", peer->name, peer->address,
		  peer->software);
	if (config_router_find(&agents.savd->cfg, peer->name))
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
	engine_fib_lost(agents.savd->engine, name);
}

static void so_routes(void *ctx, const char *name, const struct agent_routes *routes)
{
	(void)ctx;
	if (config_router_find(&agents.savd->cfg, name))
		engine_fib(agents.savd->engine, name, routes, savd_now_ms());
}

static void so_inventory(void *ctx, const char *name, const struct agent_inventory *inv)
{
	(void)ctx;
	if (config_router_find(&agents.savd->cfg, name))
		engine_inventory(agents.savd->engine, name, inv);
}

static void so_ack(void *ctx, const char *name, const char *interface, uint64_t generation,
		   const uint8_t hash[FILTER_HASH_SIZE], const char *error)
{
	struct savd_edge *e = savd_edge_get(agents.savd, name, interface);
	char text[512];

	(void)ctx;
	(void)hash;
	if (error[0] != '\0') {
		snprintf(text, sizeof(text),
			 "edge %s %s: the router could not apply generation %llu: %s; its last "
			 "filter stays",
			 name, interface, (unsigned long long)generation, error);
		savd_note(true, "%s", text);
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
		struct savd_edge *e = savd_edge_get(agents.savd, name, c[i].interface);

		if (e) {
			e->c = c[i];
			e->counted = true;
		}
	}
}

static void so_drops(void *ctx, const char *name, const struct drop *rows, size_t n)
{
	(void)ctx;
	drop_store_add(agents.savd->drops, &agents.savd->cfg, name, rows, n, savd_now_ms());
}

static bool so_relay_ok(void *ctx, const char *router, struct diag *diag)
{
	(void)ctx;
	if (config_router_find(&agents.savd->cfg, router))
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
	feed = engine_feed_open(agents.savd->engine, &source, ss, savd_now_ms());
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

static void so_note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	savd_note(alarm, "%s", text);
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
	.note = so_note,
};

/* ---- certificates ---- */

/* savd's own certificate, made or renewed when it has less than 30 days left.
 * On failure the present one stays in use. */
static int load_tls(struct diag *diag)
{
	char cert[PATH_MAX], key[PATH_MAX], ca[PATH_MAX];
	struct tls_config *fresh;
	bool renewed;

	snprintf(cert, sizeof(cert), "%s/savd.crt", agents.state_dir);
	snprintf(key, sizeof(key), "%s/savd.key", agents.state_dir);
	snprintf(ca, sizeof(ca), "%s/ca/ca.crt", agents.state_dir);
	if (signer_controller_files(agents.savd->signer, "savd", cert, key, &renewed, diag) < 0)
		return -1;
	if (agents.tls && !renewed)
		return 0;
	fresh = tls_config_server(cert, key, ca, diag);
	if (!fresh)
		return -1;
	if (agents.savd->south)
		south_packet_set_tls(agents.savd->south, fresh);
	tls_config_free(agents.tls);
	agents.tls = fresh;
	return 0;
}

static void on_renew(struct event *t)
{
	struct diag diag;

	(void)t;
	if (load_tls(&diag) < 0)
		savd_note(true, "%s", diag.text);
	event_add_timer(agents.loop, on_renew, NULL, RENEW_S, &agents.t_renew);
}

int savd_agents_signer_apart(struct savd *savd, const char *program, const char *state_dir,
			     struct diag *diag)
{
	if (geteuid() != 0 || !getpwnam(SIGNER_USER))
		return 0;
	savd->signer = signer_start(program, state_dir, SIGNER_USER, diag);
	return savd->signer ? 0 : -1;
}

int savd_agents_start(struct savd *savd, struct event_loop *loop, struct turns *turns,
		      const char *program, const char *state_dir, struct diag *diag)
{
	struct south_config config;

	agents.savd = savd;
	agents.loop = loop;
	agents.state_dir = state_dir;
	if (!savd->signer)
		savd->signer = signer_start(program, state_dir, NULL, diag);
	if (!savd->signer || load_tls(diag) < 0)
		return -1;
	config = (struct south_config){
		.epoch = store_epoch(savd->store),
		.lease_s = LEASE_S,
		.counters_interval_s = COUNTERS_S,
		.ca = signer_ca(savd->signer)->data,
		.ca_len = signer_ca(savd->signer)->len,
	};
	savd->south = south_packet_new(loop, turns, agents.tls, &config, &south_ops, NULL);
	event_add_timer(loop, on_renew, NULL, RENEW_S, &agents.t_renew);
	return 0;
}

void savd_agents_stop(void)
{
	EVENT_OFF(agents.t_renew);
	south_packet_free(agents.savd->south); /* its sessions tell the engine that they end */
	signer_stop(agents.savd->signer);
	tls_config_free(agents.tls);
}
