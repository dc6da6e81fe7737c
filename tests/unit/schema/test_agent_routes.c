/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Routes and WantRoutes: there and back, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "schema/agent.pb-c.h"
#include "schema/agent_msg.h"

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

static void round_trip(const struct agent_msg *msg, struct agent_msg *back)
{
	struct wr wr = { 0 };
	struct diag diag = { "" };

	agent_msg_pack(msg, &wr);
	if (agent_msg_unpack(wr.data + 4, wr.len - 4, back, &diag) != 0)
		fail_msg("%s", diag.text);
	assert_int_equal(back->type, msg->type);
	wr_fini(&wr);
}

static void routes(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_ROUTES }, back;
	struct ip_prefix a = prefix("192.0.2.0/24"), b = prefix("0.0.0.0/0"),
			 c = prefix("2001:db8::/32"), d = prefix("198.51.100.7/32");
	const uint32_t two[] = { 3, 70000 };

	(void)state;
	msg.u.routes.reset = true;
	agent_routes_add(&msg.u.routes, &a, AGENT_ROUTE_UNICAST, two, 2);
	agent_routes_add(&msg.u.routes, &c, AGENT_ROUTE_UNICAST, two, 1);
	agent_routes_add(&msg.u.routes, &b, AGENT_ROUTE_REJECT, NULL, 0);
	agent_routes_add(&msg.u.routes, &d, AGENT_ROUTE_GONE, NULL, 0);
	round_trip(&msg, &back);
	assert_true(back.u.routes.reset);
	assert_false(back.u.routes.complete);
	assert_int_equal(back.u.routes.n, 4);
	assert_int_equal(back.u.routes.n_indexes, 3);
	assert_int_equal(back.u.routes.routes[0].n, 2);
	assert_int_equal(back.u.routes.indexes[1], 70000);
	assert_int_equal(ip_prefix_cmp(&back.u.routes.routes[1].prefix, &b), 0);
	assert_int_equal(back.u.routes.routes[1].kind, AGENT_ROUTE_REJECT);
	assert_int_equal(back.u.routes.routes[2].kind, AGENT_ROUTE_GONE);
	assert_int_equal(ip_prefix_cmp(&back.u.routes.routes[3].prefix, &c), 0);
	assert_int_equal(back.u.routes.indexes[back.u.routes.routes[3].first], 3);
	agent_msg_fini(&msg);
	agent_msg_fini(&back);
}

static void a_message_without_routes_tells_the_state(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_ROUTES }, back;

	(void)state;
	msg.u.routes.complete = true;
	round_trip(&msg, &back);
	assert_true(back.u.routes.complete);
	assert_int_equal(back.u.routes.n, 0);
	agent_msg_fini(&back);
}

static void want_routes(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_WANT_ROUTES }, back;

	(void)state;
	round_trip(&msg, &back);
	assert_false(back.u.want_routes.want);
	msg.u.want_routes.want = true;
	round_trip(&msg, &back);
	assert_true(back.u.want_routes.want);
}

static void largest_message_is_accepted(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_ROUTES }, back;
	uint32_t indexes[AGENT_ROUTE_INDEXES_MAX];

	(void)state;
	for (uint32_t i = 0; i < AGENT_ROUTE_INDEXES_MAX; i++)
		indexes[i] = i + 1;
	for (uint32_t i = 0; i < AGENT_ROUTES_MAX; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V6, (u128)0x20010db8 << 96 | i, 128);

		agent_routes_add(&msg.u.routes, &p, AGENT_ROUTE_UNICAST, indexes,
				 AGENT_ROUTE_INDEXES_MAX);
	}
	round_trip(&msg, &back);
	assert_int_equal(back.u.routes.n, AGENT_ROUTES_MAX);
	agent_msg_fini(&msg);
	agent_msg_fini(&back);
}

static void refuse(const void *v4, size_t n4, const void *v6, size_t n6, const char *says)
{
	uint8_t copy4[64], copy6[64], raw[256];
	Opensav__Routes in = OPENSAV__ROUTES__INIT;
	Opensav__Message m = OPENSAV__MESSAGE__INIT;
	struct agent_msg msg;
	struct diag diag = { "" };
	size_t len;

	memcpy(copy4, v4, n4);
	memcpy(copy6, v6, n6);
	in.routes4 = (ProtobufCBinaryData){ n4, copy4 };
	in.routes6 = (ProtobufCBinaryData){ n6, copy6 };
	m.body_case = OPENSAV__MESSAGE__BODY_ROUTES;
	m.routes = &in;
	len = opensav__message__pack(&m, raw);
	assert_int_equal(agent_msg_unpack(raw, len, &msg, &diag), -1);
	if (!strstr(diag.text, says))
		fail_msg("\"%s\" instead of \"%s\"", diag.text, says);
}

#define REFUSE4(bytes, says) refuse(bytes, sizeof(bytes) - 1, "", 0, says)

static void refuse_routes(void **state)
{
	(void)state;
	REFUSE4("\xc0\x00\x02\x00\x18\x01", "routes4: not a list");
	REFUSE4("\xc0\x00\x02\x00\x21\x00\x00", "routes4: not a list");
	REFUSE4("\xc0\x00\x02\x01\x18\x00\x00", "host bits");
	REFUSE4("\xc0\x00\x02\x00\x18\x03\x00", "kind 3");
	REFUSE4("\xc0\x00\x02\x00\x18\x01\x00", "0 interfaces of a route of kind 1");
	REFUSE4("\xc0\x00\x02\x00\x18\x02\x01\x00\x00\x00\x01", "1 interfaces of a route of kind 2");
	REFUSE4("\xc0\x00\x02\x00\x18\x01\x01\x00\x00\x00\x00", "out of order");
	REFUSE4("\xc0\x00\x02\x00\x18\x01\x02\x00\x00\x00\x02\x00\x00\x00\x02", "out of order");
	REFUSE4("\xc0\x00\x02\x00\x18\x01\x02\x00\x00\x00\x02\x00\x00", "not a list");
	refuse("", 0, "\xc0\x00\x02\x00\x18\x00\x00", 7, "routes6: not a list");
}

static void refuse_too_many(void **state)
{
	static uint8_t raw[64 + 7 * (AGENT_ROUTES_MAX + 1)];
	Opensav__Routes in = OPENSAV__ROUTES__INIT;
	Opensav__Message m = OPENSAV__MESSAGE__INIT;
	struct agent_msg msg;
	struct diag diag = { "" };
	size_t n = 7 * (AGENT_ROUTES_MAX + 1), len;

	(void)state;
	in.routes4 = (ProtobufCBinaryData){ n, calloc(n, 1) };
	m.body_case = OPENSAV__MESSAGE__BODY_ROUTES;
	m.routes = &in;
	len = opensav__message__pack(&m, raw);
	assert_int_equal(agent_msg_unpack(raw, len, &msg, &diag), -1);
	assert_non_null(strstr(diag.text, "more than 5000 routes"));
	free(in.routes4.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes),
		cmocka_unit_test(a_message_without_routes_tells_the_state),
		cmocka_unit_test(want_routes),
		cmocka_unit_test(largest_message_is_accepted),
		cmocka_unit_test(refuse_routes),
		cmocka_unit_test(refuse_too_many),
	};

	return cmocka_run_group_tests_name("agent_routes", tests, NULL, NULL);
}
