/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/north.h"
#include "lib/frame.h"

/* The agent's side in virtual time; the test is the controller. */
struct bench {
	struct north *north;
	struct frame_in *in; /* what the agent sends */
	int64_t now;
	struct held held;
	struct agent_inventory inventory;
	size_t batches, filters, lists, alarms;
	uint64_t epoch;
	bool all_off;
	enum pki_kind due; /* PKI_CONTROLLER: none */
	size_t certified;
	char certify_error[256];
};

static void on_filters(void *ctx, const struct agent_filter *const *filters, size_t n)
{
	struct bench *b = ctx;

	(void)filters;
	b->batches++;
	b->filters += n;
}

static void on_edge_list(void *ctx, const char (*interfaces)[FILTER_IFNAME_SIZE],
			 size_t n)
{
	(void)interfaces;
	(void)n;
	((struct bench *)ctx)->lists++;
}

static void on_welcome(void *ctx, uint64_t epoch)
{
	((struct bench *)ctx)->epoch = epoch;
}

static const struct held *get_held(void *ctx)
{
	return &((struct bench *)ctx)->held;
}

static const struct agent_inventory *get_inventory(void *ctx)
{
	return &((struct bench *)ctx)->inventory;
}

static int get_counters(void *ctx, struct kernel_counters **out, size_t *n)
{
	(void)ctx;
	*out = calloc(1, sizeof(**out));
	strcpy((*out)->interface, "eth0");
	(*out)->drop_packets = 42;
	*n = 1;
	return 0;
}

static void on_note(void *ctx, bool alarm, const char *text)
{
	(void)text;
	((struct bench *)ctx)->alarms += alarm;
}

static bool get_all_off(void *ctx)
{
	return ((struct bench *)ctx)->all_off;
}

static bool certify(void *ctx, enum pki_kind *kind, struct wr *csr)
{
	struct bench *b = ctx;

	if (b->due == PKI_CONTROLLER)
		return false;
	*kind = b->due;
	wr_bytes(csr, "csr", 3);
	return true;
}

static void certified(void *ctx, enum pki_kind kind, const struct agent_blob *cert,
		      const char *error)
{
	struct bench *b = ctx;

	assert_int_equal(kind, b->due);
	snprintf(b->certify_error, sizeof(b->certify_error), "%s", error);
	if (error[0])
		return;
	assert_int_equal(cert->len, 4);
	b->certified++;
	b->due = PKI_CONTROLLER;
}

static const struct north_ops ops = {
	.filters = on_filters,
	.edge_list = on_edge_list,
	.welcome = on_welcome,
	.held = get_held,
	.inventory = get_inventory,
	.counters = get_counters,
	.certify = certify,
	.certified = certified,
	.all_off = get_all_off,
	.note = on_note,
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct filter f = { .interface = "eth0", .generation = 12 };

	b->north = north_new(&ops, b);
	b->in = frame_in_new(AGENT_FRAME_MAX_BYTES);
	b->now = 1000000;
	b->due = PKI_CONTROLLER;
	b->held.epoch = 7;
	held_put(&b->held, &f);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	north_free(b->north);
	frame_in_free(b->in);
	held_fini(&b->held);
	free(b);
	return 0;
}

/* The next message of the agent; AGENT_MSG_UNKNOWN if there is none. */
static enum agent_msg_type next(struct bench *b, struct agent_msg *msg)
{
	struct wr *out = north_output(b->north);
	const uint8_t *body;
	struct diag diag;
	size_t len;

	*msg = (struct agent_msg){ .type = AGENT_MSG_UNKNOWN };
	if (out->len != 0) {
		assert_int_equal(frame_in_bytes(b->in, out->data, out->len, &diag), 0);
		wr_consume(out, out->len);
	}
	if (frame_in_next(b->in, &body, &len))
		assert_int_equal(agent_msg_unpack(body, len, msg, &diag), 0);
	return msg->type;
}

static void expect(struct bench *b, enum agent_msg_type type)
{
	struct agent_msg msg;

	assert_int_equal(next(b, &msg), type);
	agent_msg_fini(&msg);
}

static int tell(struct bench *b, const struct agent_msg *msg, struct diag *diag)
{
	struct wr wr = { 0 };
	int rc;

	agent_msg_pack(msg, &wr);
	rc = north_bytes(b->north, wr.data, wr.len, b->now, diag);
	wr_fini(&wr);
	return rc;
}

static void welcome(struct bench *b)
{
	struct agent_msg msg = { .type = AGENT_MSG_WELCOME };
	struct diag diag;

	msg.u.welcome.protocol = AGENT_PROTOCOL;
	msg.u.welcome.epoch = 99;
	msg.u.welcome.lease_s = 3600;
	msg.u.welcome.counters_interval_s = 10;
	assert_int_equal(tell(b, &msg, &diag), 0);
}

static void bring_up(struct bench *b)
{
	north_begin(b->north, b->now);
	expect(b, AGENT_MSG_HELLO);
	welcome(b);
	expect(b, AGENT_MSG_INVENTORY);
	assert_int_equal(north_status(b->north)->state, NORTH_UP);
}

static void it_says_what_it_holds(void **state)
{
	struct bench *b = *state;
	struct agent_msg msg;

	north_begin(b->north, b->now);
	assert_int_equal(next(b, &msg), AGENT_MSG_HELLO);
	assert_int_equal(msg.u.hello.protocol, AGENT_PROTOCOL);
	assert_int_equal(msg.u.hello.epoch, 7);
	assert_int_equal(msg.u.hello.n_held, 1);
	assert_int_equal(msg.u.hello.held[0].generation, 12);
	agent_msg_fini(&msg);
	welcome(b);
	assert_int_equal(b->epoch, 99);
	expect(b, AGENT_MSG_INVENTORY);
	expect(b, AGENT_MSG_UNKNOWN);
}

static void the_hand_brake_is_told(void **state)
{
	struct bench *b = *state;
	struct agent_msg msg;

	north_all_off_changed(b->north); /* nobody is there */
	b->all_off = true;
	north_begin(b->north, b->now);
	assert_int_equal(next(b, &msg), AGENT_MSG_HELLO);
	assert_true(msg.u.hello.all_off);
	agent_msg_fini(&msg);
	welcome(b);
	expect(b, AGENT_MSG_INVENTORY);
	b->all_off = false;
	north_all_off_changed(b->north);
	assert_int_equal(next(b, &msg), AGENT_MSG_ALL_OFF);
	assert_false(msg.u.all_off.on);
	expect(b, AGENT_MSG_UNKNOWN);
}

static int answer(struct bench *b, const char *error)
{
	struct agent_msg msg = { .type = AGENT_MSG_CERTIFIED };
	uint8_t cert[] = "cert";
	struct diag diag;

	msg.u.certified.kind = PKI_RELAY;
	snprintf(msg.u.certified.error, sizeof(msg.u.certified.error), "%s", error);
	if (!error[0])
		msg.u.certified.certificate = (struct agent_blob){ cert, 4 };
	return tell(b, &msg, &diag);
}

static void a_certificate_is_asked_for_once(void **state)
{
	struct bench *b = *state;
	struct agent_msg msg;

	b->due = PKI_RELAY;
	bring_up(b);
	assert_int_equal(next(b, &msg), AGENT_MSG_CERTIFY);
	assert_int_equal(msg.u.certify.kind, PKI_RELAY);
	assert_int_equal(msg.u.certify.csr.len, 3);
	agent_msg_fini(&msg);
	north_certify(b->north); /* not again before the answer */
	expect(b, AGENT_MSG_UNKNOWN);
	assert_int_equal(answer(b, ""), 0);
	assert_int_equal(b->certified, 1);
	expect(b, AGENT_MSG_UNKNOWN);
	/* one that nobody asked for ends the session */
	assert_int_equal(answer(b, ""), -1);
	assert_int_equal(b->certified, 1);
}

static void a_refused_certificate_is_asked_for_in_an_hour(void **state)
{
	struct agent_msg keepalive = { .type = AGENT_MSG_KEEPALIVE }, msg;
	struct bench *b = *state;
	struct diag diag;
	size_t asked = 0;

	b->due = PKI_RELAY;
	bring_up(b);
	expect(b, AGENT_MSG_CERTIFY);
	assert_int_equal(answer(b, "disk full"), 0);
	assert_string_equal(b->certify_error, "disk full");
	for (int64_t s = 0; s < 7000; s += 10) {
		b->now += 10000;
		assert_int_equal(tell(b, &keepalive, &diag), 0);
		assert_int_equal(north_tick(b->north, b->now, &diag), 0);
		while (next(b, &msg) != AGENT_MSG_UNKNOWN) {
			asked += msg.type == AGENT_MSG_CERTIFY;
			agent_msg_fini(&msg);
		}
	}
	assert_int_equal(asked, 1);
	assert_int_equal(answer(b, ""), 0);
	assert_int_equal(b->certified, 1);
}

static void filter_message(struct agent_msg *msg, const char *interface)
{
	*msg = (struct agent_msg){ .type = AGENT_MSG_FILTER };
	msg->u.filter.filter.generation = 13;
	snprintf(msg->u.filter.filter.interface, FILTER_IFNAME_SIZE, "%s", interface);
}

static void filters_that_come_together_stay_together(void **state)
{
	struct bench *b = *state;
	struct agent_msg msg;
	struct diag diag;

	bring_up(b);
	for (int i = 0; i < 5; i++) {
		filter_message(&msg, "eth0");
		msg.u.filter.filter.interface[3] = (char)('0' + i);
		assert_int_equal(tell(b, &msg, &diag), 0);
	}
	assert_int_equal(b->batches, 0);
	north_flush(b->north);
	assert_int_equal(b->batches, 1);
	assert_int_equal(b->filters, 5);
}

static void the_batch_is_bounded(void **state)
{
	struct bench *b = *state;
	struct agent_msg msg;
	struct diag diag;

	bring_up(b);
	filter_message(&msg, "eth0");
	for (int i = 0; i < NORTH_BATCH_MAX + 1; i++)
		assert_int_equal(tell(b, &msg, &diag), 0);
	assert_int_equal(b->batches, 1);
	assert_int_equal(b->filters, NORTH_BATCH_MAX);
}

static void filters_before_a_list_are_applied_before_it(void **state)
{
	struct bench *b = *state;
	struct agent_msg msg, list = { .type = AGENT_MSG_EDGE_LIST };
	struct diag diag;

	bring_up(b);
	filter_message(&msg, "eth0");
	assert_int_equal(tell(b, &msg, &diag), 0);
	assert_int_equal(tell(b, &list, &diag), 0);
	assert_int_equal(b->batches, 1);
	assert_int_equal(b->lists, 1);
}

static void a_filter_before_the_welcome_ends_the_session(void **state)
{
	struct bench *b = *state;
	struct agent_msg msg;
	struct diag diag;

	north_begin(b->north, b->now);
	expect(b, AGENT_MSG_HELLO);
	filter_message(&msg, "eth0");
	assert_int_equal(tell(b, &msg, &diag), -1);
	expect(b, AGENT_MSG_FAILURE);
	assert_int_equal(b->filters, 0);
}

static void rubbish_ends_the_session_with_a_reason(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	bring_up(b);
	assert_int_equal(north_bytes(b->north, "\0\0\0\2\xff\xff", 6, b->now, &diag), -1);
	expect(b, AGENT_MSG_FAILURE);
	north_end(b->north, diag.text, b->now);
	bring_up(b);
	assert_int_equal(north_bytes(b->north, "\xff\xff\xff\xff", 4, b->now, &diag), -1);
}

static void the_controllers_reason_is_kept(void **state)
{
	struct bench *b = *state;
	struct agent_msg msg = { .type = AGENT_MSG_FAILURE };
	struct diag diag;

	bring_up(b);
	strcpy(msg.u.failure.text, "revoked");
	assert_int_equal(tell(b, &msg, &diag), -1);
	assert_non_null(strstr(diag.text, "revoked"));
	expect(b, AGENT_MSG_UNKNOWN); /* no argument back */
}

static void silence_ends_the_session(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	bring_up(b);
	b->now += NORTH_IDLE_MS;
	assert_int_equal(north_tick(b->north, b->now, &diag), 0);
	b->now += 1;
	assert_int_equal(north_tick(b->north, b->now, &diag), -1);
	assert_non_null(strstr(diag.text, "silent"));
}

static void no_welcome_ends_the_session(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	north_begin(b->north, b->now);
	b->now += NORTH_HANDSHAKE_MS + 1;
	assert_int_equal(north_tick(b->north, b->now, &diag), -1);
}

static void counters_and_keepalives_go_out_in_time(void **state)
{
	const struct agent_msg alive = { .type = AGENT_MSG_KEEPALIVE };
	struct bench *b = *state;
	struct agent_msg msg;
	struct diag diag;
	size_t counters = 0, keepalives = 0;

	bring_up(b);
	for (int s = 0; s < 60; s++) {
		b->now += 1000;
		assert_int_equal(tell(b, &alive, &diag), 0);
		assert_int_equal(north_tick(b->north, b->now, &diag), 0);
		while (next(b, &msg) != AGENT_MSG_UNKNOWN) {
			if (msg.type == AGENT_MSG_COUNTERS) {
				assert_int_equal(msg.u.counters.edges[0].drop_packets,
						 42);
				counters++;
			}
			keepalives += msg.type == AGENT_MSG_KEEPALIVE;
			agent_msg_fini(&msg);
		}
	}
	assert_int_equal(counters, 6);
	assert_in_range(counters + keepalives, 6, 12); /* never silent for long */
}

static void the_lease_runs_from_the_last_contact(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	assert_false(north_lease_expired(b->north, b->now));
	bring_up(b);
	north_end(b->north, "gone", b->now);
	b->now += 3600 * 1000;
	north_tick(b->north, b->now, &diag);
	assert_false(north_lease_expired(b->north, b->now));
	b->now += 1;
	north_tick(b->north, b->now, &diag);
	north_tick(b->north, b->now, &diag);
	assert_true(north_lease_expired(b->north, b->now));
	assert_int_equal(b->alarms, 1); /* once */
	bring_up(b);
	assert_false(north_lease_expired(b->north, b->now));
}

static void an_agent_without_session_queues_nothing(void **state)
{
	struct bench *b = *state;
	const uint8_t hash[FILTER_HASH_SIZE] = { 0 };

	north_ack(b->north, "eth0", 1, hash, "");
	north_inventory_changed(b->north);
	assert_int_equal(north_output(b->north)->len, 0);
}

static void the_backoff_is_bounded_and_spread(void **state)
{
	int64_t low = INT64_MAX, high = 0;

	(void)state;
	for (uint32_t r = 0; r < 100000; r += 7) {
		int64_t ms = north_backoff_ms(4, r);

		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
		assert_in_range(north_backoff_ms(1, r), 1000, 1250);
		assert_in_range(north_backoff_ms(1000, r), 22500, 30000);
	}
	assert_in_range(low, 6000, 6100);
	assert_in_range(high, 9900, 10000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_says_what_it_holds),
		TEST(the_hand_brake_is_told),
		TEST(a_certificate_is_asked_for_once),
		TEST(a_refused_certificate_is_asked_for_in_an_hour),
		TEST(filters_that_come_together_stay_together),
		TEST(the_batch_is_bounded),
		TEST(filters_before_a_list_are_applied_before_it),
		TEST(a_filter_before_the_welcome_ends_the_session),
		TEST(rubbish_ends_the_session_with_a_reason),
		TEST(the_controllers_reason_is_kept),
		TEST(silence_ends_the_session),
		TEST(no_welcome_ends_the_session),
		TEST(counters_and_keepalives_go_out_in_time),
		TEST(the_lease_runs_from_the_last_contact),
		TEST(an_agent_without_session_queues_nothing),
		TEST(the_backoff_is_bounded_and_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
