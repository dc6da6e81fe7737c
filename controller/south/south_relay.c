/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sessions of relays: BMP that a router's agent brings in a connection of its
 * own. What it says is the router's whose name is in the certificate.
 */
#include <stdio.h>
#include <string.h>

#include "controller/south/south_impl.h"

/* A relay that was cut off without noticing comes back before its old session
 * times out, so the newer one is the live one. */
static void replace_older(struct south_session *ss, struct south_router *r, int64_t now_ms)
{
	if (!r->relay)
		return;
	ss->south->totals.replaced++;
	south_session_end(r->relay, now_ms, true, "a newer session, from %s, took over",
			  ss->address);
}

void south_relay_hello(struct south_session *ss, const struct agent_msg *msg, int64_t now_ms)
{
	struct south *s = ss->south;
	struct south_router *r;
	struct diag diag = { "not accepted" };

	if (msg->u.hello.protocol < AGENT_PROTOCOL) {
		south_session_refuse(ss, now_ms, "the agent's protocol is too old; upgrade it");
		return;
	}
	if (!s->ops.relay_ok || !s->ops.relay_ok(s->ctx, ss->cert.id.name, &diag)) {
		south_session_refuse(ss, now_ms, diag.text);
		return;
	}
	r = south_router_get(s, ss->cert.id.name);
	replace_older(ss, r, now_ms);
	ss->phase = PHASE_RELAY;
	ss->relay_of = r;
	r->relay = ss;
	r->relay_seen = true;
	r->relay_since_ms = now_ms;
	memcpy(r->relay_address, ss->address, sizeof(r->relay_address));
	south_session_welcome(ss, now_ms);
}

/* The feed begins with the first byte of BMP: a relay that waits for its bgpd
 * is none. */
static void on_bmp(struct south_session *ss, const struct agent_msg *msg, int64_t now_ms)
{
	struct south *s = ss->south;
	struct diag diag = { "not accepted" };

	if (!ss->feed) {
		ss->feed = s->ops.relay_open(s->ctx, ss->relay_of->name, ss->address, ss);
		s->totals.relayed++;
	}
	if (s->ops.relay_bytes(s->ctx, ss->feed, &msg->u.bmp.data, msg->u.bmp.waiting,
			       &diag) < 0) {
		south_note(s, true, "%s", diag.text);
		south_session_end(ss, now_ms, true, "%s", diag.text);
	}
}

void south_relay_message(struct south_session *ss, const struct agent_msg *msg,
			 int64_t now_ms)
{
	switch (msg->type) {
	case AGENT_MSG_BMP:
		on_bmp(ss, msg, now_ms);
		break;
	case AGENT_MSG_RELAY_STATUS:
		ss->relay_of->relay_status = msg->u.relay_status;
		break;
	case AGENT_MSG_KEEPALIVE:
	case AGENT_MSG_UNKNOWN: /* of a newer agent */
		break;
	case AGENT_MSG_FAILURE:
		south_note(ss->south, true, "BMP relay of %s: %s", ss->relay_of->name,
			   msg->u.failure.text);
		south_session_end(ss, now_ms, false, "the relay gave up: %.200s",
				  msg->u.failure.text);
		break;
	default:
		south_session_unexpected(ss, now_ms);
		break;
	}
}

void south_relay_leave(struct south_session *ss, int64_t now_ms)
{
	struct south_router *r = ss->relay_of;
	void *feed = ss->feed;

	if (!r)
		return;
	ss->relay_of = NULL;
	ss->feed = NULL;
	r->relay = NULL;
	r->relay_since_ms = now_ms;
	r->relay_status.session = false;
	snprintf(r->relay_error, sizeof(r->relay_error), "%s", ss->why);
	if (feed)
		ss->south->ops.relay_close(ss->south->ctx, feed, ss->why);
}

/* The engine asks in the middle of its feeds, so the session ends later. */
void south_relay_redump(struct south_session *ss)
{
	ss->redump = true;
	if (ss->south->ops.wake)
		ss->south->ops.wake(ss->io);
}

void south_session_settle(struct south_session *ss, int64_t now_ms)
{
	if (!ss->redump)
		return;
	ss->redump = false;
	south_session_end(ss, now_ms, true, "for a complete dump");
}
