/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/relay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "opensav_config.h"

#include "agents/relay_buffer.h"
#include "lib/frame.h"
#include "lib/mem.h"

/* The controller has little to say here. */
#define IN_BYTES 4096

struct relay {
	struct relay_status status;
	struct relay_buffer buffer;
	struct frame_in *in;
	struct wr out;
	int64_t heard_ms, told_ms;
	bool status_due;
	unsigned int overflows; /* in a row */
};

const char *relay_state_name(enum relay_state state)
{
	switch (state) {
	case RELAY_DOWN:
		return "down";
	case RELAY_HELLO:
		return "greeting";
	case RELAY_READY:
		return "ready";
	case RELAY_BUSY:
		return "relaying";
	}
	return "";
}

struct relay *relay_new(size_t limit_bytes)
{
	struct relay *r = mem_alloc(sizeof(*r));

	relay_buffer_init(&r->buffer, limit_bytes);
	return r;
}

static void forget_session(struct relay *r)
{
	r->status.totals.dropped_bytes += r->buffer.bytes;
	relay_buffer_clear(&r->buffer);
	frame_in_free(r->in);
	r->in = NULL;
	wr_fini(&r->out);
}

void relay_free(struct relay *r)
{
	forget_session(r);
	free(r);
}

void relay_set_limit(struct relay *r, size_t limit_bytes)
{
	r->buffer.limit = limit_bytes;
}

static void set_state(struct relay *r, enum relay_state state, int64_t now_ms)
{
	r->status.state = state;
	r->status.since_ms = now_ms;
	r->status_due = state == RELAY_READY || state == RELAY_BUSY;
}

/* ---- out ---- */

static void send_hello(struct relay *r)
{
	struct agent_msg msg = { .type = AGENT_MSG_HELLO };

	msg.u.hello.protocol = AGENT_PROTOCOL;
	snprintf(msg.u.hello.software, sizeof(msg.u.hello.software),
		 "sav-agent " PACKAGE_VERSION);
	agent_msg_pack(&msg, &r->out);
}

static int fail(struct relay *r, const struct diag *diag)
{
	struct agent_msg msg = { .type = AGENT_MSG_FAILURE };

	snprintf(msg.u.failure.text, sizeof(msg.u.failure.text), "%.*s",
		 AGENT_TEXT_SIZE - 1, diag->text);
	agent_msg_pack(&msg, &r->out);
	return -1;
}

const struct relay_status *relay_status(struct relay *r)
{
	r->status.waiting_bytes = r->buffer.bytes;
	r->status.totals.high_bytes = r->buffer.high;
	r->status.totals.limit_bytes = r->buffer.limit;
	r->status.totals.session = r->status.state == RELAY_BUSY;
	return &r->status;
}

static void send_status(struct relay *r)
{
	struct agent_msg msg = { .type = AGENT_MSG_RELAY_STATUS };

	r->status_due = false;
	msg.u.relay_status = relay_status(r)->totals;
	agent_msg_pack(&msg, &r->out);
}

static void send_bmp(struct relay *r)
{
	struct agent_msg msg = { .type = AGENT_MSG_BMP };
	union {
		const uint8_t *in;
		uint8_t *out;
	} data; /* only read, but blobs know no const */
	size_t len = relay_buffer_peek(&r->buffer, &data.in);

	if (len == 0)
		return;
	if (len > AGENT_BMP_MAX_BYTES)
		len = AGENT_BMP_MAX_BYTES;
	msg.u.bmp.data = (struct agent_blob){ data.out, len };
	msg.u.bmp.waiting = r->buffer.bytes - len;
	agent_msg_pack(&msg, &r->out);
	relay_buffer_drop(&r->buffer, len);
	r->status.totals.bytes += len;
}

/* At most one message is packed ahead: the rest waits where it is counted. */
struct wr *relay_output(struct relay *r)
{
	if (r->out.len == 0 && r->status_due)
		send_status(r);
	if (r->out.len == 0 && r->status.state == RELAY_BUSY)
		send_bmp(r);
	return &r->out;
}

/* ---- begin, end ---- */

void relay_begin(struct relay *r, int64_t now_ms)
{
	forget_session(r);
	r->in = frame_in_new(IN_BYTES);
	r->heard_ms = r->told_ms = now_ms;
	set_state(r, RELAY_HELLO, now_ms);
	send_hello(r);
}

void relay_end(struct relay *r, const char *why, int64_t now_ms)
{
	if (r->status.state != RELAY_DOWN)
		set_state(r, RELAY_DOWN, now_ms);
	snprintf(r->status.last_error, sizeof(r->status.last_error), "%s", why);
	forget_session(r);
}

/* ---- the controller ---- */

static int take_welcome(struct relay *r, const struct agent_msg *msg, int64_t now_ms,
			struct diag *diag)
{
	if (r->status.state != RELAY_HELLO)
		return diag_set(diag, "a second welcome");
	if (msg->u.welcome.protocol < 1 || msg->u.welcome.protocol > AGENT_PROTOCOL)
		return diag_set(diag,
				"the controller speaks protocol %" PRIu32
				", this agent 1 to %d; update one of them",
				msg->u.welcome.protocol, AGENT_PROTOCOL);
	r->status.last_error[0] = '\0';
	set_state(r, RELAY_READY, now_ms);
	return 0;
}

static int take_frame(struct relay *r, const uint8_t *body, size_t len, int64_t now_ms,
		      struct diag *diag)
{
	struct agent_msg msg = { .type = AGENT_MSG_UNKNOWN };
	int rc = 0;

	if (agent_msg_unpack(body, len, &msg, diag) < 0) {
		diag_prepend(diag, "the controller sent a malformed message");
		return fail(r, diag);
	}
	if (msg.type == AGENT_MSG_FAILURE) {
		diag_set(diag, "the controller says: %s", msg.u.failure.text);
		agent_msg_fini(&msg);
		return -1;
	}
	if (msg.type == AGENT_MSG_WELCOME)
		rc = take_welcome(r, &msg, now_ms, diag);
	else if (msg.type != AGENT_MSG_KEEPALIVE && msg.type != AGENT_MSG_UNKNOWN)
		rc = diag_set(diag, "a message that is not for relays");
	agent_msg_fini(&msg);
	return rc < 0 ? fail(r, diag) : 0;
}

int relay_bytes(struct relay *r, const void *data, size_t len, int64_t now_ms,
		struct diag *diag)
{
	const uint8_t *body;
	size_t body_len;

	r->heard_ms = now_ms;
	if (frame_in_bytes(r->in, data, len, diag) < 0)
		return fail(r, diag);
	while (frame_in_next(r->in, &body, &body_len)) {
		if (take_frame(r, body, body_len, now_ms, diag) < 0)
			return -1;
	}
	return 0;
}

int relay_tick(struct relay *r, int64_t now_ms, struct diag *diag)
{
	if (r->status.state == RELAY_DOWN)
		return 0;
	if (r->status.state == RELAY_HELLO &&
	    now_ms - r->status.since_ms > RELAY_HANDSHAKE_MS) {
		diag_set(diag, "the controller did not answer the greeting");
		return fail(r, diag);
	}
	if (now_ms - r->heard_ms > RELAY_IDLE_MS) {
		diag_set(diag, "the controller was silent for %d s", RELAY_IDLE_MS / 1000);
		return fail(r, diag);
	}
	if (now_ms - r->told_ms >= RELAY_STATUS_MS) {
		r->told_ms = now_ms;
		r->status_due = r->status.state != RELAY_HELLO;
	}
	return 0;
}

/* ---- bgpd ---- */

bool relay_take(struct relay *r, int64_t now_ms)
{
	if (r->status.state != RELAY_READY) {
		r->status.totals.refused++;
		return false;
	}
	r->status.totals.sessions++;
	set_state(r, RELAY_BUSY, now_ms);
	return true;
}

int relay_put(struct relay *r, const void *data, size_t len, int64_t now_ms,
	      struct diag *diag)
{
	if (r->status.state != RELAY_BUSY)
		return diag_set(diag, "there is no BMP session");
	if (relay_buffer_put(&r->buffer, data, len))
		return 0;
	if (now_ms - r->status.since_ms >= RELAY_PAUSE_MAX_MS)
		r->overflows = 0;
	r->overflows++;
	r->status.totals.overflows++;
	/* what waits would be of no use without what follows */
	r->status.totals.dropped_bytes += r->buffer.bytes + len;
	relay_buffer_clear(&r->buffer);
	diag_set(diag,
		 "the controller takes BMP more slowly than bgpd sends it, and the buffer of "
		 "%zu MiB is full: bgpd has to send its table again; \"bmp relay listen ... "
		 "buffer\" makes it larger",
		 r->buffer.limit >> 20);
	return fail(r, diag);
}

int64_t relay_pause_ms(const struct relay *r)
{
	int64_t ms = RELAY_PAUSE_MIN_MS;

	if (r->overflows == 0)
		return 0;
	for (unsigned int i = 1; i < r->overflows && ms < RELAY_PAUSE_MAX_MS; i++)
		ms *= 2;
	return ms < RELAY_PAUSE_MAX_MS ? ms : RELAY_PAUSE_MAX_MS;
}
