/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/radius/radius_cache.h"
#include "controller/radius/radius_server_impl.h"
#include "lib/array.h"
#include "lib/mem.h"

/* Equipment sends again for some tens of seconds. */
#define ACCOUNTING_AGE_MS 30000
#define ACCOUNTING_MAX	  131072
#define DYNAMIC_MAX	  65536
#define STRANGER_MS	  60000 /* one line in so much about unknown clients */
#define WAITING_MAX	  16384

struct waiting {
	struct radius_source to;
	struct radius_cache_key key;
	struct radius_client_stats *stats;
	struct wr packet;
};

struct radius_server {
	const struct config *cfg;
	struct radius_sessions *rs;
	struct radius_server_ops ops;
	void *ctx;
	struct radius_cache *accounting, *dynamic;
	struct waiting *waiting;
	size_t n_waiting;
	struct radius_client_stats **stats; /* by name; kept when a client goes */
	size_t n_stats;
	uint64_t unknown, unknown_told;
	int64_t unknown_ms; /* of the last line about them */
};

struct radius_server *radius_server_new(const struct config *cfg, struct radius_sessions *rs,
					const struct radius_server_ops *ops, void *ctx)
{
	struct radius_server *srv = mem_alloc(sizeof(*srv));

	srv->cfg = cfg;
	srv->rs = rs;
	srv->ops = *ops;
	srv->ctx = ctx;
	srv->accounting = radius_cache_new(ACCOUNTING_MAX, true);
	/* what is forgotten could be replayed: rather refuse */
	srv->dynamic = radius_cache_new(DYNAMIC_MAX, false);
	srv->waiting = mem_calloc(WAITING_MAX, sizeof(*srv->waiting));
	srv->unknown_ms = INT64_MIN;
	return srv;
}

void radius_server_free(struct radius_server *srv)
{
	if (!srv)
		return;
	radius_cache_free(srv->accounting);
	radius_cache_free(srv->dynamic);
	for (size_t i = 0; i < srv->n_waiting; i++)
		wr_fini(&srv->waiting[i].packet);
	for (size_t i = 0; i < srv->n_stats; i++)
		free(srv->stats[i]);
	free(srv->stats);
	free(srv->waiting);
	free(srv);
}

/* ---- counting ---- */

static int stats_cmp(const void *item, const void *name)
{
	const struct radius_client_stats *const *s = item;

	return strcmp((*s)->client, name);
}

static struct radius_client_stats *stats_get(struct radius_server *srv, const char *client)
{
	void *array = srv->stats;
	struct radius_client_stats *s;
	bool found;
	size_t at = array_locate(array, srv->n_stats, sizeof(s), client, stats_cmp, &found);

	if (found)
		return srv->stats[at];
	s = mem_alloc(sizeof(*s));
	snprintf(s->client, sizeof(s->client), "%s", client);
	array_insert(&array, &srv->n_stats, sizeof(s), at, &s);
	srv->stats = array;
	return s;
}

void radius_server_clients(const struct radius_server *srv, radius_client_stats_fn *fn,
			   void *arg)
{
	for (size_t i = 0; i < srv->n_stats; i++)
		fn(srv->stats[i], arg);
}

uint64_t radius_server_unknown(const struct radius_server *srv)
{
	return srv->unknown;
}

/* A flood of them must cost a counter each, and no log. */
static void stranger(struct radius_server *srv, const struct radius_source *from,
		     const struct config_radius_client *client, int64_t now_ms)
{
	char addr[IP_TEXT_SIZE], text[300];

	srv->unknown++;
	if (srv->unknown_ms != INT64_MIN && now_ms < srv->unknown_ms + STRANGER_MS)
		return;
	ip_addr_format(&from->addr, addr);
	if (client)
		snprintf(text, sizeof(text),
			 "RADIUS: client %s (%s) has no secret: type \"secret WORD\" in \"radius "
			 "client %s\"",
			 client->name, addr, client->name);
	else
		snprintf(text, sizeof(text),
			 "RADIUS: %llu requests from unknown clients, the last from %s: type "
			 "\"radius client NAME\" and \"address %s\" if it is one of yours",
			 (unsigned long long)(srv->unknown - srv->unknown_told), addr, addr);
	srv->unknown_told = srv->unknown;
	srv->unknown_ms = now_ms;
	srv->ops.note(srv->ctx, true, text);
}

/* ---- answers ---- */

static void copy_proxy_state(const struct radius_packet *request, struct wr *wr)
{
	struct radius_attr attr;
	struct radius_iter it;

	radius_iter_init(&it, request->attrs);
	while (radius_next(&it, &attr)) {
		if (attr.vendor == 0 && attr.type == RADIUS_PROXY_STATE &&
		    wr->len + attr.len + 64 < RADIUS_PACKET_MAX)
			radius_put(wr, attr.type, attr.data, attr.len);
	}
}

static void queue_answer(struct radius_server *srv, const struct radius_source *from,
			 const struct radius_cache_key *key, const struct radius_request *req,
			 struct radius_answer answer)
{
	struct waiting *w = &srv->waiting[srv->n_waiting++];

	*w = (struct waiting){ .to = *from, .key = *key, .stats = req->stats };
	radius_begin(&w->packet, answer.code, req->packet.id);
	if (answer.cause != 0)
		radius_put_u32(&w->packet, RADIUS_ERROR_CAUSE, answer.cause);
	copy_proxy_state(&req->packet, &w->packet);
	radius_end_response(&w->packet, &req->packet, req->is_signed, req->client->secret);
}

void radius_server_answer(struct radius_server *srv, bool saved)
{
	for (size_t i = 0; i < srv->n_waiting; i++) {
		struct waiting *w = &srv->waiting[i];
		struct radius_cache *cache = w->to.dynamic ? srv->dynamic : srv->accounting;

		radius_cache_answer(cache, &w->key, w->packet.data, saved ? w->packet.len : 0);
		if (saved) {
			srv->ops.send(srv->ctx, &w->to, w->packet.data, w->packet.len);
			w->stats->answered++;
		}
		wr_fini(&w->packet);
	}
	srv->n_waiting = 0;
}

size_t radius_server_waiting(const struct radius_server *srv)
{
	return srv->n_waiting;
}

/* ---- is it genuine ---- */

static bool check_code(const struct radius_source *from, struct radius_request *req)
{
	switch (req->packet.code) {
	case RADIUS_ACCOUNTING_REQUEST:
	case RADIUS_STATUS_SERVER:
		if (!from->dynamic)
			return true;
		break;
	case RADIUS_COA_REQUEST:
	case RADIUS_DISCONNECT_REQUEST:
		if (from->dynamic && req->client->dynamic_authorization)
			return true;
		break;
	default:
		break;
	}
	req->stats->not_permitted++;
	return false;
}

static bool check_authenticators(struct radius_request *req)
{
	const struct config_radius_client *client = req->client;
	bool status = req->packet.code == RADIUS_STATUS_SERVER;
	enum radius_signed is_signed = radius_signature(
		&req->packet, status ? req->packet.authenticator : NULL, client->secret);

	req->is_signed = is_signed == RADIUS_SIGNED;
	if (is_signed == RADIUS_SIGNED_WRONG ||
	    (!status && !radius_request_is_from(&req->packet, client->secret))) {
		req->stats->not_genuine++;
		return false;
	}
	/* RFC 5997 sec. 3: a Status-Server proves itself by nothing else */
	if (is_signed == RADIUS_UNSIGNED && (status || client->message_authenticator)) {
		req->stats->unsigned_count++;
		return false;
	}
	return true;
}

/* Event time in seconds since the epoch; false: not of now. An accounting request
 * that is sent again keeps its time and counts the delay (RFC 2866 5.2); of CoA
 * and Disconnect only a time that is there shows that it is no old one. */
static bool check_time(const struct radius_server *srv, struct radius_request *req,
		       int64_t wall_s, int64_t *at, bool *known)
{
	int64_t window = srv->cfg->radius.settings.window_s, sent;
	bool accounting = req->packet.code == RADIUS_ACCOUNTING_REQUEST;
	uint32_t stamp = 0, delay = 0;

	if (accounting)
		radius_find_u32(req->packet.attrs, RADIUS_ACCT_DELAY_TIME, &delay);
	*known = radius_find_u32(req->packet.attrs, RADIUS_EVENT_TIMESTAMP, &stamp);
	*at = *known ? (int64_t)stamp : wall_s - delay;
	sent = (int64_t)stamp + delay;
	if (window == 0 || (accounting && !*known))
		return true;
	if (*known && sent >= wall_s - window && sent <= wall_s + window)
		return true;
	req->stats->stale++;
	return false;
}

/* ---- accounting ---- */

static bool take_session(struct radius_server *srv, struct radius_request *req,
			 struct radius_event *ev, uint32_t status)
{
	struct radius_attr id;

	if (!radius_find(req->packet.attrs, 0, RADIUS_ACCT_SESSION_ID, &id) || id.len == 0) {
		req->stats->malformed++;
		return false;
	}
	ev->session = id.data;
	ev->session_len = id.len;
	switch (status) {
	case RADIUS_START:
		req->stats->start++;
		return radius_session_start(srv->rs, ev, req->now_ms) != RADIUS_FULL;
	case RADIUS_INTERIM:
		req->stats->interim++;
		return radius_session_interim(srv->rs, ev, req->now_ms) != RADIUS_FULL;
	default:
		req->stats->stop++;
		return radius_session_stop(srv->rs, ev, req->now_ms) != RADIUS_FULL;
	}
}

/* false: no answer, so that it comes again or goes to another server. */
static bool accounting(struct radius_server *srv, struct radius_request *req, int64_t at,
		       bool at_known)
{
	struct radius_event ev = {
		.client = req->client, .at = at, .at_known = at_known, .attrs = req->packet.attrs
	};
	char nas[RADIUS_NAS_SIZE];
	uint32_t status;

	radius_nas_name(req->packet.attrs, nas);
	ev.nas = nas;
	if (!radius_find_u32(req->packet.attrs, RADIUS_ACCT_STATUS_TYPE, &status)) {
		req->stats->malformed++;
		return false;
	}
	switch (status) {
	case RADIUS_START:
	case RADIUS_STOP:
	case RADIUS_INTERIM:
		return take_session(srv, req, &ev, status);
	case RADIUS_ACCOUNTING_ON:
	case RADIUS_ACCOUNTING_OFF:
		req->stats->on_off++;
		radius_nas_restart(srv->rs, &ev, req->now_ms);
		return true;
	default: /* of tunnels and links; nothing to do, but an answer is due */
		req->stats->other++;
		return true;
	}
}

static bool handle(struct radius_server *srv, struct radius_request *req, int64_t at,
		   bool at_known, struct radius_answer *answer)
{
	*answer = (struct radius_answer){ .code = RADIUS_ACCOUNTING_RESPONSE };
	if (req->packet.code == RADIUS_STATUS_SERVER)
		return true;
	if (req->packet.code == RADIUS_ACCOUNTING_REQUEST)
		return accounting(srv, req, at, at_known);
	if (req->packet.code == RADIUS_COA_REQUEST)
		req->stats->coa++;
	else
		req->stats->disconnect++;
	*answer = radius_dynamic_request(srv->rs, req);
	req->stats->naks += answer->cause != 0;
	return true;
}

/* ---- one datagram ---- */

static bool is_new(struct radius_server *srv, const struct radius_source *from,
		   const struct radius_cache_key *key, struct radius_request *req)
{
	struct radius_cache *cache = from->dynamic ? srv->dynamic : srv->accounting;
	int64_t window_ms = (int64_t)srv->cfg->radius.settings.window_s * 1000;
	/* an accepted time is at most a window away on either side of now */
	int64_t age_ms = from->dynamic && window_ms > 0 ? 2 * window_ms + 1000 :
							  ACCOUNTING_AGE_MS;
	const uint8_t *answer;
	size_t len;

	switch (radius_cache_see(cache, key, age_ms, req->now_ms, &answer, &len)) {
	case RADIUS_NEW:
		return true;
	case RADIUS_ANSWERED:
		srv->ops.send(srv->ctx, from, answer, len);
		req->stats->duplicates++;
		return false;
	case RADIUS_WAITING:
		req->stats->duplicates++;
		return false;
	case RADIUS_NO_ROOM:
		req->stats->dropped++;
		return false;
	}
	return false;
}

static void genuine(struct radius_server *srv, const struct radius_source *from,
		    struct radius_request *req, int64_t wall_s)
{
	struct radius_cache_key key = { .addr = from->addr, .port = from->port,
					.id = req->packet.id };
	struct radius_cache *cache = from->dynamic ? srv->dynamic : srv->accounting;
	struct radius_answer answer;
	bool at_known = false;
	int64_t at = wall_s;

	if (srv->n_waiting == WAITING_MAX) {
		req->stats->dropped++;
		return;
	}
	if (req->packet.code != RADIUS_STATUS_SERVER &&
	    !check_time(srv, req, wall_s, &at, &at_known))
		return;
	memcpy(key.authenticator, req->packet.authenticator, sizeof(key.authenticator));
	if (!is_new(srv, from, &key, req))
		return;
	req->stats->last_ms = req->now_ms;
	if (handle(srv, req, at, at_known, &answer)) {
		queue_answer(srv, from, &key, req, answer);
	} else {
		req->stats->dropped++;
		radius_cache_answer(cache, &key, NULL, 0);
	}
}

void radius_server_datagram(struct radius_server *srv, const struct radius_source *from,
			    const void *data, size_t len, int64_t now_ms, int64_t wall_s)
{
	struct radius_request req = { .now_ms = now_ms };
	struct diag diag;

	req.client = config_radius_client_by_addr(srv->cfg, &from->addr);
	if (!req.client || req.client->secret[0] == '\0') {
		stranger(srv, from, req.client, now_ms);
		return;
	}
	req.stats = stats_get(srv, req.client->name);
	req.stats->received++;
	if (radius_decode(data, len, &req.packet, &diag) < 0) {
		req.stats->malformed++;
		return;
	}
	if (check_code(from, &req) && check_authenticators(&req))
		genuine(srv, from, &req, wall_s);
}
