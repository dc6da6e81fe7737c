/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/north.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opensav_config.h"

#include "lib/frame.h"
#include "lib/mem.h"

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000

struct north {
	struct north_ops ops;
	void *ctx;
	struct north_status status;
	struct frame_in *in;
	struct wr out;
	struct agent_msg batch[NORTH_BATCH_MAX]; /* of AGENT_MSG_FILTER */
	size_t n_batch;
	int64_t last_sent_ms, next_counters_ms;
	uint32_t counters_interval_s;
	bool inventory_due, lease_noted;
	bool routes_wanted; /* on this session */
	bool certify_asked; /* and not answered */
	int64_t next_certify_ms;
};

struct north *north_new(const struct north_ops *ops, void *ctx)
{
	struct north *n = mem_alloc(sizeof(*n));

	n->ops = *ops;
	n->ctx = ctx;
	n->status.last_contact_ms = -1;
	return n;
}

static void drop_batch(struct north *n)
{
	for (size_t i = 0; i < n->n_batch; i++)
		agent_msg_fini(&n->batch[i]);
	n->n_batch = 0;
}

static void forget_session(struct north *n)
{
	drop_batch(n);
	if (n->in)
		frame_in_free(n->in);
	n->in = NULL;
	n->routes_wanted = n->certify_asked = false;
	wr_fini(&n->out);
}

void north_free(struct north *n)
{
	forget_session(n);
	free(n);
}

struct wr *north_output(struct north *n)
{
	return &n->out;
}

const struct north_status *north_status(const struct north *n)
{
	return &n->status;
}

const char *north_state_name(enum north_state state)
{
	switch (state) {
	case NORTH_DOWN:
		return "down";
	case NORTH_HELLO:
		return "greeting";
	case NORTH_UP:
		return "up";
	}
	return "";
}

static void set_state(struct north *n, enum north_state state, int64_t now_ms)
{
	n->status.state = state;
	n->status.since_ms = now_ms;
}

/* ---- out ---- */

static void send_hello(struct north *n)
{
	const struct held *held = n->ops.held(n->ctx);
	struct agent_msg msg = { .type = AGENT_MSG_HELLO };

	msg.u.hello.protocol = AGENT_PROTOCOL;
	snprintf(msg.u.hello.software, sizeof(msg.u.hello.software),
		 "sav-agent " PACKAGE_VERSION);
	msg.u.hello.epoch = held->epoch;
	msg.u.hello.all_off = n->ops.all_off && n->ops.all_off(n->ctx);
	msg.u.hello.held = mem_calloc(held->n, sizeof(*msg.u.hello.held));
	msg.u.hello.n_held = held->n;
	for (size_t i = 0; i < held->n; i++) {
		struct agent_held *h = &msg.u.hello.held[i];

		memcpy(h->interface, held->filters[i].interface, sizeof(h->interface));
		h->generation = held->filters[i].generation;
		filter_hash(&held->filters[i], h->hash);
	}
	agent_msg_pack(&msg, &n->out);
	agent_msg_fini(&msg);
}

static void send_inventory(struct north *n)
{
	struct agent_msg msg = { .type = AGENT_MSG_INVENTORY };

	if (n->out.len > NORTH_QUEUE_BYTES)
		return; /* stays due */
	msg.u.inventory = *n->ops.inventory(n->ctx);
	agent_msg_pack(&msg, &n->out);
	n->inventory_due = false;
}

static void send_counters(struct north *n)
{
	struct agent_msg msg = { .type = AGENT_MSG_COUNTERS };
	struct kernel_counters *c;
	size_t count;

	if (n->out.len > NORTH_QUEUE_BYTES || n->ops.counters(n->ctx, &c, &count) < 0)
		return;
	msg.u.counters.edges = mem_calloc(count, sizeof(*msg.u.counters.edges));
	msg.u.counters.n = count;
	for (size_t i = 0; i < count; i++) {
		struct agent_counters *out = &msg.u.counters.edges[i];

		memcpy(out->interface, c[i].interface, sizeof(out->interface));
		out->accept_packets = c[i].accept_packets;
		out->accept_bytes = c[i].accept_bytes;
		out->drop_packets = c[i].drop_packets;
		out->drop_bytes = c[i].drop_bytes;
		out->except_packets = c[i].except_packets;
		out->except_bytes = c[i].except_bytes;
	}
	free(c);
	agent_msg_pack(&msg, &n->out);
	agent_msg_fini(&msg);
}

static void send_drops(struct north *n)
{
	struct agent_msg msg = { .type = AGENT_MSG_DROPS };

	if (!n->ops.drops || n->out.len > NORTH_QUEUE_BYTES)
		return;
	msg.u.drops.rows = mem_calloc(AGENT_DROPS_MAX, sizeof(*msg.u.drops.rows));
	msg.u.drops.n = n->ops.drops(n->ctx, msg.u.drops.rows, AGENT_DROPS_MAX);
	if (msg.u.drops.n != 0)
		agent_msg_pack(&msg, &n->out);
	agent_msg_fini(&msg);
}

void north_all_off_changed(struct north *n)
{
	struct agent_msg msg = { .type = AGENT_MSG_ALL_OFF };

	if (n->status.state != NORTH_UP)
		return; /* the next Hello says it */
	msg.u.all_off.on = n->ops.all_off(n->ctx);
	agent_msg_pack(&msg, &n->out);
}

/* An older controller does not answer; it is asked once a session. */
void north_certify(struct north *n)
{
	struct agent_msg msg = { .type = AGENT_MSG_CERTIFY };
	struct wr csr = { 0 };

	if (n->status.state != NORTH_UP || n->certify_asked || !n->ops.certify ||
	    !n->ops.certify(n->ctx, &msg.u.certify.kind, &csr))
		return;
	n->certify_asked = true;
	msg.u.certify.csr = (struct agent_blob){ csr.data, csr.len };
	agent_msg_pack(&msg, &n->out);
	wr_fini(&csr);
}

static int fail(struct north *n, struct diag *diag)
{
	struct agent_msg msg = { .type = AGENT_MSG_FAILURE };

	snprintf(msg.u.failure.text, sizeof(msg.u.failure.text), "%.*s",
		 AGENT_TEXT_SIZE - 1, diag->text);
	agent_msg_pack(&msg, &n->out);
	return -1;
}

void north_ack(struct north *n, const char *interface, uint64_t generation,
	       const uint8_t hash[FILTER_HASH_SIZE], const char *error)
{
	struct agent_msg msg = { .type = AGENT_MSG_ACK };

	if (n->status.state != NORTH_UP)
		return;
	snprintf(msg.u.ack.interface, sizeof(msg.u.ack.interface), "%s", interface);
	msg.u.ack.generation = generation;
	memcpy(msg.u.ack.hash, hash, sizeof(msg.u.ack.hash));
	snprintf(msg.u.ack.error, sizeof(msg.u.ack.error), "%s", error);
	agent_msg_pack(&msg, &n->out);
	n->status.acks++;
}

void north_inventory_changed(struct north *n)
{
	n->inventory_due = true;
	if (n->status.state == NORTH_UP)
		send_inventory(n);
}

bool north_routes(struct north *n)
{
	struct agent_msg msg = { .type = AGENT_MSG_ROUTES };

	while (n->status.state == NORTH_UP && n->routes_wanted && n->ops.routes) {
		if (n->out.len > NORTH_QUEUE_BYTES)
			return true;
		if (!n->ops.routes(n->ctx, &msg.u.routes))
			break;
		agent_msg_pack(&msg, &n->out);
		agent_msg_fini(&msg);
		msg.type = AGENT_MSG_ROUTES;
	}
	return false;
}

/* ---- begin, end ---- */

void north_begin(struct north *n, int64_t now_ms)
{
	forget_session(n);
	n->in = frame_in_new(AGENT_FRAME_MAX_BYTES);
	n->last_sent_ms = now_ms;
	n->status.sessions++;
	set_state(n, NORTH_HELLO, now_ms);
	send_hello(n);
}

void north_end(struct north *n, const char *why, int64_t now_ms)
{
	if (n->status.state != NORTH_DOWN)
		set_state(n, NORTH_DOWN, now_ms);
	snprintf(n->status.last_error, sizeof(n->status.last_error), "%s", why);
	forget_session(n);
}

/* ---- in ---- */

void north_flush(struct north *n)
{
	const struct agent_filter *filters[NORTH_BATCH_MAX];

	for (size_t i = 0; i < n->n_batch; i++)
		filters[i] = &n->batch[i].u.filter;
	if (n->n_batch != 0)
		n->ops.filters(n->ctx, filters, n->n_batch);
	n->status.filters += n->n_batch;
	drop_batch(n);
}

static int take_welcome(struct north *n, const struct agent_msg *msg, int64_t now_ms,
			struct diag *diag)
{
	struct diag note;

	if (n->status.state != NORTH_HELLO)
		return diag_set(diag, "a second welcome");
	if (msg->u.welcome.protocol < 1 || msg->u.welcome.protocol > AGENT_PROTOCOL)
		return diag_set(diag,
				"the controller speaks protocol %" PRIu32
				", this agent 1 to %d; update one of them",
				msg->u.welcome.protocol, AGENT_PROTOCOL);
	n->status.epoch = msg->u.welcome.epoch;
	n->status.lease_s = msg->u.welcome.lease_s;
	n->counters_interval_s = msg->u.welcome.counters_interval_s;
	n->next_counters_ms = now_ms + 1000 * (int64_t)n->counters_interval_s;
	n->status.last_error[0] = '\0';
	set_state(n, NORTH_UP, now_ms);
	diag_set(&note, "session with the controller is up");
	n->ops.note(n->ctx, false, note.text);
	n->ops.welcome(n->ctx, n->status.epoch);
	send_inventory(n);
	n->next_certify_ms = now_ms + NORTH_CERTIFY_MS;
	north_certify(n);
	return 0;
}

static int take_certified(struct north *n, const struct agent_msg *msg, struct diag *diag)
{
	if (!n->certify_asked)
		return diag_set(diag, "a certificate that nobody asked for");
	n->certify_asked = false;
	n->ops.certified(n->ctx, msg->u.certified.kind, &msg->u.certified.certificate,
			 msg->u.certified.error);
	return 0;
}

/* Takes over msg if it is a filter. */
static int take(struct north *n, struct agent_msg *msg, int64_t now_ms, struct diag *diag)
{
	if (n->status.state != NORTH_UP && msg->type != AGENT_MSG_WELCOME &&
	    msg->type != AGENT_MSG_FAILURE && msg->type != AGENT_MSG_UNKNOWN &&
	    msg->type != AGENT_MSG_KEEPALIVE)
		return diag_set(diag, "a message before the welcome");
	switch (msg->type) {
	case AGENT_MSG_WELCOME:
		return take_welcome(n, msg, now_ms, diag);
	case AGENT_MSG_FILTER:
		if (n->n_batch == NORTH_BATCH_MAX)
			north_flush(n);
		n->batch[n->n_batch++] = *msg;
		*msg = (struct agent_msg){ .type = AGENT_MSG_UNKNOWN };
		return 0;
	case AGENT_MSG_EDGE_LIST:
		north_flush(n); /* in the order of arrival */
		n->ops.edge_list(
			n->ctx,
			(const char(*)[FILTER_IFNAME_SIZE])msg->u.edge_list.interfaces,
			msg->u.edge_list.n);
		return 0;
	case AGENT_MSG_WANT_ROUTES:
		n->routes_wanted = msg->u.want_routes.want;
		if (n->ops.want_routes)
			n->ops.want_routes(n->ctx, n->routes_wanted);
		return 0;
	case AGENT_MSG_CERTIFIED:
		return take_certified(n, msg, diag);
	case AGENT_MSG_FAILURE:
		return diag_set(diag, "the controller says: %s", msg->u.failure.text);
	case AGENT_MSG_KEEPALIVE:
	case AGENT_MSG_UNKNOWN: /* a newer controller */
		return 0;
	case AGENT_MSG_ENROLL:
	case AGENT_MSG_ENROLLED:
	case AGENT_MSG_HELLO:
	case AGENT_MSG_INVENTORY:
	case AGENT_MSG_ACK:
	case AGENT_MSG_COUNTERS:
	case AGENT_MSG_ROUTES:
	case AGENT_MSG_ALL_OFF:
	case AGENT_MSG_CERTIFY:
	case AGENT_MSG_BMP:
	case AGENT_MSG_RELAY_STATUS:
	case AGENT_MSG_DROPS:
		break;
	}
	return diag_set(diag, "a message that is not for agents");
}

static int take_frame(struct north *n, const uint8_t *body, size_t len, int64_t now_ms,
		      struct diag *diag)
{
	struct agent_msg msg = { .type = AGENT_MSG_UNKNOWN };
	bool said_why;
	int rc;

	if (agent_msg_unpack(body, len, &msg, diag) < 0) {
		diag_prepend(diag, "the controller sent a malformed message");
		return fail(n, diag);
	}
	said_why = msg.type == AGENT_MSG_FAILURE;
	rc = take(n, &msg, now_ms, diag);
	agent_msg_fini(&msg);
	return rc < 0 && !said_why ? fail(n, diag) : rc;
}

int north_bytes(struct north *n, const void *data, size_t len, int64_t now_ms,
		struct diag *diag)
{
	const uint8_t *body;
	size_t body_len;

	n->status.last_contact_ms = now_ms;
	n->lease_noted = false;
	if (frame_in_bytes(n->in, data, len, diag) < 0)
		return fail(n, diag);
	while (frame_in_next(n->in, &body, &body_len)) {
		if (take_frame(n, body, body_len, now_ms, diag) < 0)
			return -1;
	}
	return 0;
}

/* ---- time ---- */

bool north_lease_expired(const struct north *n, int64_t now_ms)
{
	return n->status.lease_s != 0 &&
	       now_ms - n->status.last_contact_ms > 1000 * (int64_t)n->status.lease_s;
}

static void watch_lease(struct north *n, int64_t now_ms)
{
	struct diag diag;

	if (n->lease_noted || !north_lease_expired(n, now_ms))
		return;
	n->lease_noted = true;
	diag_set(&diag,
		 "no contact with the controller for %" PRIu32
		 " s: the lease has expired; the filters stay in force",
		 n->status.lease_s);
	n->ops.note(n->ctx, true, diag.text);
}

static int watch_session(struct north *n, int64_t now_ms, struct diag *diag)
{
	if (n->status.state == NORTH_HELLO &&
	    now_ms - n->status.since_ms > NORTH_HANDSHAKE_MS)
		return diag_set(diag, "the controller did not answer the greeting");
	if (n->status.state == NORTH_UP &&
	    now_ms - n->status.last_contact_ms > NORTH_IDLE_MS)
		return diag_set(diag, "the controller was silent for %d s",
				NORTH_IDLE_MS / 1000);
	return 0;
}

int north_tick(struct north *n, int64_t now_ms, struct diag *diag)
{
	const struct agent_msg keepalive = { .type = AGENT_MSG_KEEPALIVE };

	watch_lease(n, now_ms);
	if (watch_session(n, now_ms, diag) < 0)
		return fail(n, diag);
	if (n->status.state != NORTH_UP)
		return 0;
	if (n->inventory_due)
		send_inventory(n);
	if (now_ms >= n->next_certify_ms) {
		n->next_certify_ms = now_ms + NORTH_CERTIFY_MS;
		north_certify(n);
	}
	if (now_ms >= n->next_counters_ms) {
		n->next_counters_ms = now_ms + 1000 * (int64_t)n->counters_interval_s;
		send_counters(n);
		send_drops(n);
	}
	if (now_ms - n->last_sent_ms >= NORTH_KEEPALIVE_MS) {
		n->last_sent_ms = now_ms;
		if (n->out.len == 0)
			agent_msg_pack(&keepalive, &n->out);
	}
	return 0;
}

int64_t north_backoff_ms(unsigned int failures, uint32_t random)
{
	int64_t ms = BACKOFF_MIN_MS;

	for (unsigned int i = 1; i < failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	ms += ms / 4 - random % (ms / 2);
	return ms < BACKOFF_MIN_MS   ? BACKOFF_MIN_MS
	       : ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
				     : ms;
}
