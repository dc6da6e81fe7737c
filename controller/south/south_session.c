/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/south/south_impl.h"
#include "lib/mem.h"

/* A stranger has one thing to say: an Enroll with a certificate request. */
#define STRANGER_FRAME_BYTES (AGENT_DER_MAX_BYTES + 1024)
/* The largest inventory is about 5 MB; filters go the other way. */
#define AGENT_SENDS_BYTES (8u << 20)
#define RELAY_FRAME_BYTES (AGENT_BMP_MAX_BYTES + 1024)
#define FLUSH_MS	  5000
/* An agent asks for another certificate 30 days before the end of its own. */
#define RENEW_NOTICE_S	  (20LL * PKI_DAY_S)
#define REFUSAL_WINDOW_MS 60000
#define REFUSAL_NOTES	  10

size_t south_session_queued(const struct south_session *ss)
{
	return ss->out.len - ss->out_off;
}

enum south_state south_session_state(const struct south_session *ss)
{
	return ss->state;
}

static void wake(struct south_session *ss)
{
	if (ss->south->ops.wake)
		ss->south->ops.wake(ss->io);
}

void south_session_send(struct south_session *ss, const struct agent_msg *msg,
			int64_t now_ms)
{
	if (ss->state != SOUTH_RUNNING)
		return;
	agent_msg_pack(msg, &ss->out);
	ss->tx_ms = now_ms;
	wake(ss);
}

/* The router is down at once, although the goodbye is still to be sent. */
static void leave_router(struct south_session *ss, int64_t now_ms)
{
	struct south *s = ss->south;
	struct south_router *r = ss->router;

	south_relay_leave(ss, now_ms);
	if (!r)
		return;
	ss->router = NULL;
	south_router_detach(r, now_ms);
	snprintf(r->last_error, sizeof(r->last_error), "%s", ss->why);
	s->ops.down(s->ctx, r->name, ss->why);
}

void south_session_end(struct south_session *ss, int64_t now_ms, bool tell,
		       const char *fmt, ...)
{
	struct agent_msg msg = { .type = AGENT_MSG_FAILURE };
	va_list ap;

	if (ss->state != SOUTH_RUNNING)
		return;
	va_start(ap, fmt);
	vsnprintf(ss->why, sizeof(ss->why), fmt, ap);
	va_end(ap);
	if (tell && ss->phase != PHASE_TLS) {
		memcpy(msg.u.failure.text, ss->why, sizeof(msg.u.failure.text));
		south_session_send(ss, &msg, now_ms);
	}
	ss->state = south_session_queued(ss) ? SOUTH_FLUSHING : SOUTH_DEAD;
	ss->flush_ms = now_ms + FLUSH_MS;
	leave_router(ss, now_ms);
	wake(ss);
}

/* A refusal is no alarm, and anyone can cause them in any number: the log gets
 * a few a minute, the counter all. */
void south_refused(struct south *s, const char *why, int64_t now_ms)
{
	if (s->totals.refused == 0 || s->refusals_ms + REFUSAL_WINDOW_MS <= now_ms) {
		if (s->refusals > REFUSAL_NOTES)
			south_note(s, false, "%u more agent sessions refused",
				   s->refusals - REFUSAL_NOTES);
		s->refusals_ms = now_ms;
		s->refusals = 0;
	}
	s->totals.refused++;
	if (s->refusals++ < REFUSAL_NOTES)
		south_note(s, false, "agent session refused: %s", why);
}

void south_session_refuse(struct south_session *ss, int64_t now_ms, const char *why)
{
	char text[AGENT_TEXT_SIZE + SOUTH_ADDRESS_SIZE + PKI_NAME_SIZE];

	/* TLS has checked the certificate: the name is not just a claim */
	snprintf(text, sizeof(text), "%s%s%s: %s", ss->cert.has_id ? ss->cert.id.name : "",
		 ss->cert.has_id ? " at " : "", ss->address, why);
	south_refused(ss->south, text, now_ms);
	south_session_end(ss, now_ms, true, "%s", why);
}

/* ---- bounds on strangers ---- */

static bool is_up(const struct south_session *ss)
{
	return ss->phase == PHASE_UP || ss->phase == PHASE_RELAY;
}

static bool is_stranger(const struct south_session *ss)
{
	return !is_up(ss) && ss->state == SOUTH_RUNNING;
}

static unsigned int strangers_count(const struct south *s, const char *address)
{
	unsigned int n = 0;

	for (const struct south_session *ss = s->sessions; ss; ss = ss->next)
		n += is_stranger(ss) && (!address || strcmp(ss->address, address) == 0);
	return n;
}

bool south_can_accept(const struct south *s, int64_t now_ms)
{
	if (strangers_count(s, NULL) < SOUTH_STRANGERS_MAX)
		return true;
	for (const struct south_session *ss = s->sessions; ss; ss = ss->next) {
		if (is_stranger(ss) && ss->opened_ms + SOUTH_STRANGER_MS <= now_ms)
			return true;
	}
	return false;
}

/* Refusing the newcomer would let anyone lock agents out by holding idle
 * connections. */
static void evict_one(struct south *s, int64_t now_ms)
{
	struct south_session *victim = NULL;
	unsigned int most = 0;

	for (struct south_session *ss = s->sessions; ss; ss = ss->next) {
		unsigned int n = is_stranger(ss) ? strangers_count(s, ss->address) : 0;

		if (n != 0 && n >= most) { /* the list is newest first */
			most = n;
			victim = ss;
		}
	}
	if (victim)
		south_session_end(victim, now_ms, false, "too many new sessions");
}

struct south_session *south_session_open(struct south *s, const char *address, void *io,
					 int64_t now_ms)
{
	struct south_session *ss = mem_alloc(sizeof(*ss));

	if (strangers_count(s, NULL) >= SOUTH_STRANGERS_MAX)
		evict_one(s, now_ms);
	ss->south = s;
	ss->io = io;
	snprintf(ss->address, sizeof(ss->address), "%s", address);
	ss->opened_ms = ss->rx_ms = ss->tx_ms = now_ms;
	ss->expires_ms = INT64_MAX;
	ss->next = s->sessions;
	s->sessions = ss;
	s->totals.sessions++;
	return ss;
}

/* ---- who it is ---- */

static bool kind_is_agent(enum pki_kind kind)
{
	return kind == PKI_ROUTER || kind == PKI_EDGE || kind == PKI_RELAY;
}

static bool is_relay(const struct pki_cert *cert)
{
	return cert->has_id && cert->id.kind == PKI_RELAY;
}

static int check_certificate(struct south_session *ss, const struct pki_cert *cert,
			     int64_t wall_s, struct diag *diag)
{
	struct south *s = ss->south;

	if (!cert->has_id)
		return diag_set(diag, "certificate %s names nobody; enroll again",
				cert->serial);
	if (!kind_is_agent(cert->id.kind))
		return diag_set(diag, "%s: a %s certificate cannot be an agent's",
				cert->id.name, pki_kind_name(cert->id.kind));
	if (cert->not_after <= wall_s)
		return diag_set(diag, "%s: the certificate has expired; enroll again",
				cert->id.name);
	if (!s->ops.certificate_ok(s->ctx, cert->id.name, cert->serial, diag))
		return -1;
	return 0;
}

void south_session_secure(struct south_session *ss, const struct pki_cert *cert,
			  int64_t wall_s, int64_t now_ms)
{
	struct diag diag = { "not accepted" };

	if (ss->state != SOUTH_RUNNING || ss->phase != PHASE_TLS)
		return;
	ss->rx_ms = now_ms;
	ss->phase = cert ? PHASE_KNOWN : PHASE_STRANGER;
	ss->in = frame_in_new(!cert		    ? STRANGER_FRAME_BYTES
			      : is_relay(cert) ? RELAY_FRAME_BYTES
					       : AGENT_SENDS_BYTES);
	if (!cert)
		return;
	ss->cert = *cert;
	if (check_certificate(ss, cert, wall_s, &diag) < 0) {
		south_session_refuse(ss, now_ms, diag.text);
		return;
	}
	ss->expires_ms = now_ms + (cert->not_after - wall_s) * 1000;
}

/* ---- the session proper ---- */

void south_session_welcome(struct south_session *ss, int64_t now_ms)
{
	struct agent_msg msg = { .type = AGENT_MSG_WELCOME };
	const struct south_config *config = &ss->south->config;

	msg.u.welcome.protocol = AGENT_PROTOCOL;
	msg.u.welcome.epoch = config->epoch;
	msg.u.welcome.lease_s = config->lease_s;
	msg.u.welcome.counters_interval_s = config->counters_interval_s;
	south_session_send(ss, &msg, now_ms);
}

/* An agent that was cut off without noticing comes back before its old session
 * times out, so the newer one is the live one. */
static void replace_older(struct south_session *ss, struct south_router *r,
			  int64_t now_ms)
{
	struct south *s = ss->south;

	if (!r->session)
		return;
	s->totals.replaced++;
	south_note(s, false, "agent %s: session from %s replaces the one from %s",
		   r->name, ss->address, r->session->address);
	south_session_end(r->session, now_ms, true, "a newer session, from %s, took over",
			  ss->address);
}

static void attach(struct south_session *ss, struct south_router *r,
		   const struct agent_msg *msg, int64_t now_ms)
{
	ss->phase = PHASE_UP;
	ss->router = r;
	r->session = ss;
	r->told_want_routes = false;
	r->all_off = msg->u.hello.all_off;
	r->since_ms = now_ms;
	r->kind = ss->cert.id.kind;
	r->not_after = ss->cert.not_after;
	memcpy(r->serial, ss->cert.serial, sizeof(r->serial));
	memcpy(r->address, ss->address, sizeof(r->address));
	memcpy(r->software, msg->u.hello.software, sizeof(r->software));
}

/* An older agent does not know the message, and its routes stay unknown. */
static void send_want_routes(struct south_session *ss, int64_t now_ms)
{
	struct agent_msg msg = { .type = AGENT_MSG_WANT_ROUTES };
	struct south_router *r = ss->router;

	if (!r || r->want_routes == r->told_want_routes)
		return;
	r->told_want_routes = msg.u.want_routes.want = r->want_routes;
	south_session_send(ss, &msg, now_ms);
}

void south_want_routes(struct south *s, const char *router, bool want, int64_t now_ms)
{
	struct south_router *r = south_router_get(s, router);

	r->want_routes = want;
	if (r->session)
		send_want_routes(r->session, now_ms);
}

static void on_hello(struct south_session *ss, const struct agent_msg *msg,
		     int64_t now_ms)
{
	struct south *s = ss->south;
	struct south_router *r;

	if (msg->u.hello.protocol < AGENT_PROTOCOL) {
		south_session_refuse(ss, now_ms, "the agent's protocol is too old; upgrade it");
		return;
	}
	r = south_router_get(s, ss->cert.id.name);
	replace_older(ss, r, now_ms);
	attach(ss, r, msg, now_ms);
	south_router_held(r, msg->u.hello.epoch, s->config.epoch, msg->u.hello.held,
			  msg->u.hello.n_held, now_ms);
	south_session_welcome(ss, now_ms);
	if (ss->expires_ms - now_ms < RENEW_NOTICE_S * 1000)
		south_note(s, true,
			   "the certificate of %s ends in %lld days and its agent has not "
			   "asked for another; enroll it again",
			   r->name,
			   (long long)((ss->expires_ms - now_ms) / 1000 / PKI_DAY_S));
	s->ops.up(s->ctx, &(struct south_peer){ .name = r->name,
						.kind = r->kind,
						.address = r->address,
						.software = r->software,
						.serial = r->serial,
						.not_after = r->not_after });
	send_want_routes(ss, now_ms);
	south_router_fill(s, r, now_ms);
}

void south_session_unexpected(struct south_session *ss, int64_t now_ms)
{
	ss->south->totals.malformed++;
	south_session_refuse(ss, now_ms, "a message that does not belong here");
}

/* Without a certificate: Enroll or nothing. */
static void on_stranger(struct south_session *ss, const struct agent_msg *msg,
			int64_t now_ms)
{
	if (msg->type == AGENT_MSG_ENROLL)
		south_enroll(ss, msg, now_ms);
	else
		south_session_refuse(ss, now_ms, "no certificate; enroll first");
}

static void on_known(struct south_session *ss, const struct agent_msg *msg,
		     int64_t now_ms)
{
	if (msg->type == AGENT_MSG_HELLO && is_relay(&ss->cert))
		south_relay_hello(ss, msg, now_ms);
	else if (msg->type == AGENT_MSG_HELLO)
		on_hello(ss, msg, now_ms);
	else
		south_session_unexpected(ss, now_ms);
}

static void on_up(struct south_session *ss, const struct agent_msg *msg, int64_t now_ms)
{
	struct south *s = ss->south;
	struct south_router *r = ss->router;

	switch (msg->type) {
	case AGENT_MSG_INVENTORY:
		s->ops.inventory(s->ctx, r->name, &msg->u.inventory);
		break;
	case AGENT_MSG_ACK:
		south_router_ack(s, r, msg, now_ms);
		break;
	case AGENT_MSG_COUNTERS:
		s->ops.counters(s->ctx, r->name, msg->u.counters.edges,
				msg->u.counters.n);
		break;
	case AGENT_MSG_DROPS:
		if (s->ops.drops)
			s->ops.drops(s->ctx, r->name, msg->u.drops.rows, msg->u.drops.n);
		break;
	case AGENT_MSG_KEEPALIVE:
	case AGENT_MSG_UNKNOWN: /* of a newer agent */
		break;
	case AGENT_MSG_ROUTES:
		/* without being asked, or after it was told to stop */
		if (r->want_routes && s->ops.routes)
			s->ops.routes(s->ctx, r->name, &msg->u.routes);
		break;
	case AGENT_MSG_ALL_OFF:
		r->all_off = msg->u.all_off.on;
		south_note(s, true, "agent %s: %s", r->name,
			   r->all_off ? "all off: its operator lets everything pass"
				      : "no all off: its filters are in force again");
		break;
	case AGENT_MSG_CERTIFY:
		south_certify(ss, msg, now_ms);
		break;
	case AGENT_MSG_FAILURE:
		south_session_end(ss, now_ms, false, "the agent gave up: %.200s",
				  msg->u.failure.text);
		break;
	case AGENT_MSG_ENROLL:
	case AGENT_MSG_ENROLLED:
	case AGENT_MSG_HELLO:
	case AGENT_MSG_WELCOME:
	case AGENT_MSG_FILTER:
	case AGENT_MSG_EDGE_LIST:
	case AGENT_MSG_WANT_ROUTES:
	case AGENT_MSG_CERTIFIED:
	case AGENT_MSG_BMP:
	case AGENT_MSG_RELAY_STATUS:
		south_session_unexpected(ss, now_ms);
		break;
	}
	if (ss->router)
		south_router_fill(s, ss->router, now_ms);
}

static void on_frame(struct south_session *ss, const uint8_t *body, size_t len,
		     int64_t now_ms)
{
	struct agent_msg msg;
	struct diag diag;

	if (agent_msg_unpack(body, len, &msg, &diag) < 0) {
		ss->south->totals.malformed++;
		diag_prepend(&diag, "malformed message");
		south_session_refuse(ss, now_ms, diag.text);
		return;
	}
	switch (ss->phase) {
	case PHASE_TLS:
		break;
	case PHASE_STRANGER:
		on_stranger(ss, &msg, now_ms);
		break;
	case PHASE_KNOWN:
		on_known(ss, &msg, now_ms);
		break;
	case PHASE_UP:
		on_up(ss, &msg, now_ms);
		break;
	case PHASE_RELAY:
		south_relay_message(ss, &msg, now_ms);
		break;
	}
	agent_msg_fini(&msg);
}

void south_session_bytes(struct south_session *ss, const void *data, size_t len,
			 int64_t now_ms)
{
	const uint8_t *body;
	struct diag diag;
	size_t body_len;

	if (ss->state != SOUTH_RUNNING || !ss->in)
		return;
	ss->rx_ms = now_ms;
	if (frame_in_bytes(ss->in, data, len, &diag) < 0) {
		ss->south->totals.malformed++;
		south_session_refuse(ss, now_ms, diag.text);
		return;
	}
	while (ss->state == SOUTH_RUNNING && frame_in_next(ss->in, &body, &body_len))
		on_frame(ss, body, body_len, now_ms);
}

size_t south_session_output(const struct south_session *ss, const uint8_t **data)
{
	*data = ss->out.data + ss->out_off;
	return south_session_queued(ss);
}

void south_session_sent(struct south_session *ss, size_t len, int64_t now_ms)
{
	ss->out_off += len;
	if (south_session_queued(ss) == 0) {
		wr_fini(&ss->out); /* a snapshot's worth of memory is not kept */
		ss->out_off = 0;
		if (ss->state == SOUTH_FLUSHING)
			ss->state = SOUTH_DEAD;
	} else if (ss->out_off > ss->out.len / 2) {
		wr_consume(&ss->out, ss->out_off);
		ss->out_off = 0;
	}
	if (ss->router)
		south_router_fill(ss->south, ss->router, now_ms);
}

void south_session_close(struct south_session *ss, const char *why, int64_t now_ms)
{
	struct south *s = ss->south;
	struct south_session **at = &s->sessions;

	if (!ss->why[0])
		snprintf(ss->why, sizeof(ss->why), "%s", why);
	ss->state = SOUTH_DEAD;
	leave_router(ss, now_ms);
	while (*at != ss)
		at = &(*at)->next;
	*at = ss->next;
	frame_in_free(ss->in);
	wr_fini(&ss->out);
	free(ss);
}

/* ---- time ---- */

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void run_up(struct south_session *ss, int64_t now_ms)
{
	struct agent_msg keepalive = { .type = AGENT_MSG_KEEPALIVE };
	const struct south_edge *late =
		ss->router ? south_router_overdue(ss->router, now_ms) : NULL;

	if (late) {
		south_session_end(ss, now_ms, true,
				  "no answer for %s generation %llu within %d s",
				  late->interface,
				  (unsigned long long)late->inflight->filter.generation,
				  SOUTH_ACK_MS / 1000);
		return;
	}
	if (ss->tx_ms + SOUTH_KEEPALIVE_MS <= now_ms)
		south_session_send(ss, &keepalive, now_ms);
	if (ss->router)
		south_router_fill(ss->south, ss->router, now_ms);
}

static int64_t session_due(const struct south_session *ss, int64_t now_ms)
{
	int64_t due = ss->expires_ms;

	if (ss->state == SOUTH_DEAD)
		return INT64_MAX;
	if (ss->state == SOUTH_FLUSHING)
		return ss->flush_ms;
	if (!is_up(ss))
		return min64(due, ss->opened_ms + SOUTH_HANDSHAKE_MS);
	due = min64(due, ss->rx_ms + SOUTH_IDLE_MS);
	due = min64(due, ss->tx_ms + SOUTH_KEEPALIVE_MS);
	return ss->router ? min64(due, south_router_due(ss->router, now_ms)) : due;
}

int64_t south_session_run(struct south_session *ss, int64_t now_ms)
{
	south_session_settle(ss, now_ms);
	if (ss->state == SOUTH_FLUSHING && ss->flush_ms <= now_ms) {
		ss->state = SOUTH_DEAD;
		wake(ss);
	} else if (ss->state == SOUTH_RUNNING && ss->expires_ms <= now_ms) {
		south_session_end(ss, now_ms, true,
				  "the certificate has expired; enroll again");
	} else if (ss->state == SOUTH_RUNNING && !is_up(ss) &&
		   ss->opened_ms + SOUTH_HANDSHAKE_MS <= now_ms) {
		south_session_end(ss, now_ms, true, "no Hello within %d s",
				  SOUTH_HANDSHAKE_MS / 1000);
	} else if (ss->state == SOUTH_RUNNING && is_up(ss) &&
		   ss->rx_ms + SOUTH_IDLE_MS <= now_ms) {
		ss->south->totals.idle++;
		south_session_end(ss, now_ms, true, "nothing heard for %d s",
				  SOUTH_IDLE_MS / 1000);
	} else if (ss->state == SOUTH_RUNNING && is_up(ss)) {
		run_up(ss, now_ms);
	}
	return session_due(ss, now_ms);
}
