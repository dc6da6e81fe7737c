/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Requests as NASes and strangers send them, in virtual time, to what each edge
 * accepts by its sessions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/radius/radius_server.h"

#define WALL 1700000000
#define EDGES 4

struct lab {
	struct config cfg;
	struct radius_sessions *rs;
	struct radius_server *srv;
	int64_t now_ms, wall_s;
	uint8_t id;
	struct {
		char name[32];
		struct addrset set;
		unsigned int sessions;
		size_t held; /* removals that go under hold-down */
	} edges[EDGES];
	char order[256]; /* "+eth0 -eth1 " */
	uint8_t answer[RADIUS_PACKET_MAX];
	size_t answer_len;
	unsigned int answers, notes, alarms;
	char last_note[600];
	struct wr wr;
};

static void on_edge(void *ctx, const char *router, const char *interface,
		    const struct addrset *added, const struct addrset *removed,
		    enum radius_leave leave, unsigned int sessions)
{
	struct lab *l = ctx;
	size_t i = 0;

	assert_string_equal(router, "pe1");
	while (l->edges[i].name[0] != '\0' && strcmp(l->edges[i].name, interface) != 0)
		assert_true(++i < EDGES);
	snprintf(l->edges[i].name, sizeof(l->edges[i].name), "%s", interface);
	l->edges[i].sessions = sessions;
	if (!addrset_is_empty(added)) {
		addrset_union(&l->edges[i].set, &l->edges[i].set, added);
		strcat(strcat(strcat(l->order, "+"), interface), " ");
	}
	if (!addrset_is_empty(removed)) {
		addrset_subtract(&l->edges[i].set, &l->edges[i].set, removed);
		l->edges[i].held += leave == RADIUS_LEAVE_HOLD;
		strcat(strcat(strcat(l->order, "-"), interface), " ");
	}
}

static void on_wanted(void *ctx, const struct radius_where *where, const char *mode,
		      const char *action, const char *customer)
{
	(void)ctx, (void)where, (void)mode, (void)action, (void)customer;
}

static void on_note(void *ctx, bool alarm, const char *text)
{
	struct lab *l = ctx;

	l->notes++;
	l->alarms += alarm;
	snprintf(l->last_note, sizeof(l->last_note), "%s", text);
}

static void on_send(void *ctx, const struct radius_source *to, const uint8_t *data, size_t len)
{
	struct lab *l = ctx;

	(void)to;
	memcpy(l->answer, data, len);
	l->answer_len = len;
	l->answers++;
}

static const struct radius_session_ops session_ops = { on_edge, on_wanted, on_note };
static const struct radius_server_ops server_ops = { on_send, on_note };

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

static void add_client(struct lab *l, const char *name, const char *address, bool dynamic)
{
	struct config_radius_client c = { .secret = "s3cret", .router = "pe1" };
	struct ip_prefix from = prefix(address), pool = prefix("198.51.100.0/24"),
			 pool6 = prefix("2001:db8::/32");
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "%s", name);
	config_prefixes_set(&c.addresses, &c.n_addresses, &from, true);
	config_prefixes_set(&c.pool, &c.n_pool, &pool, true);
	config_prefixes_set(&c.pool, &c.n_pool, &pool6, true);
	c.dynamic_authorization = dynamic;
	assert_int_equal(config_radius_client_put(&l->cfg, &c, &diag), 0);
	config_radius_client_fini(&c);
}

static int setup(void **state)
{
	struct lab *l = calloc(1, sizeof(*l));

	config_init(&l->cfg);
	l->rs = radius_sessions_new(&l->cfg, &session_ops, l);
	l->srv = radius_server_new(&l->cfg, l->rs, &server_ops, l);
	l->now_ms = 1000;
	l->wall_s = WALL;
	add_client(l, "bng1", "192.0.2.1/32", false);
	add_client(l, "bng2", "192.0.2.2/32", false);
	add_client(l, "aaa", "192.0.2.9/32", true);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct lab *l = *state;

	radius_server_free(l->srv);
	radius_sessions_free(l->rs);
	for (size_t i = 0; i < EDGES; i++)
		addrset_fini(&l->edges[i].set);
	config_fini(&l->cfg);
	wr_fini(&l->wr);
	free(l);
	return 0;
}

/* ---- sending ---- */

static void begin(struct lab *l, enum radius_code code)
{
	wr_fini(&l->wr);
	radius_begin(&l->wr, code, l->id++);
}

static void put_stamp(struct lab *l, int64_t at)
{
	radius_put_u32(&l->wr, RADIUS_EVENT_TIMESTAMP, (uint32_t)at);
}

/* An accounting request of a session on a port, with an address if not 0. */
static void acct(struct lab *l, enum radius_status status, const char *session,
		 const char *port, uint32_t address)
{
	begin(l, RADIUS_ACCOUNTING_REQUEST);
	radius_put_u32(&l->wr, RADIUS_ACCT_STATUS_TYPE, status);
	if (session)
		radius_put_text(&l->wr, RADIUS_ACCT_SESSION_ID, session);
	radius_put_text(&l->wr, RADIUS_NAS_IDENTIFIER, "nas");
	if (port)
		radius_put_text(&l->wr, RADIUS_NAS_PORT_ID, port);
	if (address)
		radius_put_u32(&l->wr, RADIUS_FRAMED_IP_ADDRESS, address);
}

static void again_from(struct lab *l, const char *addr, bool dynamic)
{
	struct radius_source from = { .port = 1024, .dynamic = dynamic };

	assert_true(ip_addr_parse(addr, &from.addr));
	radius_server_datagram(l->srv, &from, l->wr.data, l->wr.len, l->now_ms, l->wall_s);
}

/* Whether there was an answer. */
static bool send_from(struct lab *l, const char *addr, bool dynamic)
{
	unsigned int before = l->answers;

	radius_end_request(&l->wr, false, "s3cret");
	again_from(l, addr, dynamic);
	radius_server_answer(l->srv, true);
	return l->answers > before;
}

static bool start(struct lab *l, const char *session, const char *port, uint32_t address)
{
	acct(l, RADIUS_START, session, port, address);
	put_stamp(l, l->wall_s);
	return send_from(l, "192.0.2.1", false);
}

static bool stop(struct lab *l, const char *session, int64_t at)
{
	acct(l, RADIUS_STOP, session, NULL, 0);
	put_stamp(l, at);
	return send_from(l, "192.0.2.1", false);
}

static void later(struct lab *l, int64_t s)
{
	l->now_ms += s * 1000;
	l->wall_s += s;
	radius_sessions_run(l->rs, l->now_ms);
}

static bool accepts(const struct lab *l, const char *interface, const char *address)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(address, &a));
	for (size_t i = 0; i < EDGES; i++) {
		if (strcmp(l->edges[i].name, interface) == 0)
			return addrset_contains(&l->edges[i].set, &a);
	}
	return false;
}

static struct radius_client_stats stats;
static const char *stats_of;

static void take_stats(const struct radius_client_stats *s, void *arg)
{
	(void)arg;
	if (strcmp(s->client, stats_of) == 0)
		stats = *s;
}

static const struct radius_client_stats *of(struct lab *l, const char *client)
{
	memset(&stats, 0, sizeof(stats));
	stats_of = client;
	radius_server_clients(l->srv, take_stats, NULL);
	return &stats;
}

#define IP(n) (0xc6336400u + (n)) /* 198.51.100.n */

/* ---- sessions ---- */

static void test_start_interim_stop(void **state)
{
	struct lab *l = *state;
	struct radius_packet p;
	struct diag diag;
	static const uint8_t v6[] = { 0, 56, 0x20, 1, 0xd, 0xb8, 0, 1, 2 };

	assert_true(start(l, "a", "ppp0", IP(9)));
	assert_int_equal(radius_decode(l->answer, l->answer_len, &p, &diag), 0);
	assert_int_equal(p.code, RADIUS_ACCOUNTING_RESPONSE);
	assert_true(radius_response_is_from(&p, l->wr.data + 4, "s3cret"));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_false(accepts(l, "ppp0", "198.51.100.10"));
	assert_int_equal(l->edges[0].sessions, 1);
	/* another kind of attribute takes nothing of the first */
	later(l, 10);
	acct(l, RADIUS_INTERIM, "a", "ppp0", 0);
	radius_put(&l->wr, RADIUS_DELEGATED_IPV6_PREFIX, v6, sizeof(v6));
	assert_true(send_from(l, "192.0.2.1", false));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_true(accepts(l, "ppp0", "2001:db8:1:200::1"));
	later(l, 10);
	assert_true(stop(l, "a", l->wall_s));
	assert_false(accepts(l, "ppp0", "198.51.100.9"));
	assert_false(accepts(l, "ppp0", "2001:db8:1:200::1"));
	assert_int_equal(l->edges[0].held, 0); /* at once */
	assert_int_equal(l->edges[0].sessions, 0);
}

static void test_lost_repeated_reordered(void **state)
{
	struct lab *l = *state;
	unsigned int answers;

	/* the Start is lost: an Interim-Update begins the session */
	acct(l, RADIUS_INTERIM, "a", "ppp0", IP(9));
	put_stamp(l, l->wall_s);
	assert_true(send_from(l, "192.0.2.1", false));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	/* the same packet again: the same answer, nothing new */
	answers = l->answers;
	again_from(l, "192.0.2.1", false);
	assert_int_equal(l->answers, answers + 1);
	assert_int_equal(of(l, "bng1")->duplicates, 1);
	assert_int_equal(of(l, "bng1")->interim, 1);
	/* an Interim-Update from before the Stop comes after it */
	later(l, 20);
	assert_true(stop(l, "a", l->wall_s));
	acct(l, RADIUS_INTERIM, "a", "ppp0", IP(9));
	put_stamp(l, l->wall_s - 5);
	assert_true(send_from(l, "192.0.2.1", false));
	assert_false(accepts(l, "ppp0", "198.51.100.9"));
	/* a Stop overtakes its Start */
	assert_true(stop(l, "b", l->wall_s));
	acct(l, RADIUS_START, "b", "ppp1", IP(11));
	put_stamp(l, l->wall_s - 1);
	assert_true(send_from(l, "192.0.2.1", false));
	assert_false(accepts(l, "ppp1", "198.51.100.11"));
	/* a Stop of the last life of a session does not end this one */
	later(l, 5);
	assert_true(start(l, "b", "ppp1", IP(11)));
	assert_true(stop(l, "b", l->wall_s - 3));
	assert_true(accepts(l, "ppp1", "198.51.100.11"));
}

static void test_no_answer_without_a_save(void **state)
{
	struct lab *l = *state;

	acct(l, RADIUS_START, "a", "ppp0", IP(9));
	radius_end_request(&l->wr, false, "s3cret");
	again_from(l, "192.0.2.1", false);
	assert_int_equal(l->answers, 0);
	assert_true(accepts(l, "ppp0", "198.51.100.9")); /* traffic first */
	again_from(l, "192.0.2.1", false); /* while the first waits */
	assert_int_equal(radius_server_waiting(l->srv), 1);
	radius_server_answer(l->srv, false);
	assert_int_equal(l->answers, 0);
	again_from(l, "192.0.2.1", false); /* taken as new, and answered */
	radius_server_answer(l->srv, true);
	assert_int_equal(l->answers, 1);
}

static void test_pool(void **state)
{
	struct lab *l = *state;

	acct(l, RADIUS_START, "a", "ppp0", IP(9));
	radius_put_text(&l->wr, RADIUS_FRAMED_ROUTE, "0.0.0.0/0 0.0.0.0 1");
	radius_put_text(&l->wr, RADIUS_FRAMED_ROUTE, "203.0.113.0/24 0.0.0.0 1");
	radius_put_text(&l->wr, RADIUS_FRAMED_ROUTE, "198.51.100.128/25 0.0.0.0 1");
	assert_true(send_from(l, "192.0.2.1", false));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_true(accepts(l, "ppp0", "198.51.100.200"));
	assert_false(accepts(l, "ppp0", "203.0.113.1"));
	assert_false(accepts(l, "ppp0", "192.0.2.77"));
	assert_int_equal(l->alarms, 1); /* one line, not one for each */
}

static void test_prefix_length(void **state)
{
	struct lab *l = *state;
	struct config_radius_settings s = l->cfg.radius.settings;
	struct diag diag;

	s.min_len[IP_V4] = 26;
	s.max_len[IP_V4] = 30;
	assert_int_equal(config_radius_settings_put(&l->cfg, &s, &diag), 0);
	acct(l, RADIUS_START, "a", "ppp0", IP(9)); /* a /32 */
	radius_put_text(&l->wr, RADIUS_FRAMED_ROUTE, "198.51.100.128/25 0.0.0.0 1");
	radius_put_text(&l->wr, RADIUS_FRAMED_ROUTE, "198.51.100.64/27 0.0.0.0 1");
	assert_true(send_from(l, "192.0.2.1", false));
	assert_false(accepts(l, "ppp0", "198.51.100.9"));
	assert_false(accepts(l, "ppp0", "198.51.100.200"));
	assert_true(accepts(l, "ppp0", "198.51.100.70"));
	/* what policy says now counts for sessions that are there */
	s.min_len[IP_V4] = 24;
	s.max_len[IP_V4] = 32;
	assert_int_equal(config_radius_settings_put(&l->cfg, &s, &diag), 0);
	radius_sessions_reconfigure(l->rs, l->now_ms);
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_true(accepts(l, "ppp0", "198.51.100.200"));
	s.max_len[IP_V4] = 33;
	assert_int_equal(config_radius_settings_put(&l->cfg, &s, &diag), -1);
	s.max_len[IP_V4] = 8;
	assert_int_equal(config_radius_settings_put(&l->cfg, &s, &diag), -1);
}

static void set_conflict(struct lab *l, enum radius_conflict conflict)
{
	struct config_radius_settings s = l->cfg.radius.settings;
	struct diag diag;

	s.conflict = conflict;
	assert_int_equal(config_radius_settings_put(&l->cfg, &s, &diag), 0);
	radius_sessions_reconfigure(l->rs, l->now_ms);
}

static void test_conflict(void **state)
{
	struct lab *l = *state;

	assert_true(start(l, "a", "ppp0", IP(9)));
	later(l, 10);
	assert_true(start(l, "b", "ppp1", IP(9)));
	assert_int_equal(l->alarms, 1);
	assert_non_null(strstr(l->last_note, "198.51.100.9/32 is claimed by"));
	assert_true(accepts(l, "ppp1", "198.51.100.9"));
	assert_true(accepts(l, "ppp0", "198.51.100.9")); /* until the new one is in */
	radius_sessions_applied(l->rs, "pe1", "ppp1", l->now_ms);
	assert_false(accepts(l, "ppp0", "198.51.100.9"));
	set_conflict(l, RADIUS_BOTH);
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_true(accepts(l, "ppp1", "198.51.100.9"));
	set_conflict(l, RADIUS_REFUSE);
	later(l, 11);
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_false(accepts(l, "ppp1", "198.51.100.9"));
	/* the one that had it ends: the other gets it */
	assert_true(stop(l, "a", l->wall_s));
	assert_true(accepts(l, "ppp1", "198.51.100.9"));
	assert_false(accepts(l, "ppp0", "198.51.100.9"));
}

static void test_move_adds_before_it_takes(void **state)
{
	struct lab *l = *state;

	assert_true(start(l, "a", "ppp0", IP(9)));
	later(l, 10);
	l->order[0] = '\0';
	acct(l, RADIUS_INTERIM, "a", "ppp1", IP(9));
	put_stamp(l, l->wall_s);
	assert_true(send_from(l, "192.0.2.1", false));
	assert_string_equal(l->order, "+ppp1 ");
	radius_sessions_applied(l->rs, "pe1", "ppp0", l->now_ms); /* not that one */
	assert_string_equal(l->order, "+ppp1 ");
	radius_sessions_applied(l->rs, "pe1", "ppp1", l->now_ms);
	assert_string_equal(l->order, "+ppp1 -ppp0 ");
	/* and back; nobody says that it is in, so time does */
	later(l, 10);
	acct(l, RADIUS_INTERIM, "a", "ppp0", IP(9));
	put_stamp(l, l->wall_s);
	assert_true(send_from(l, "192.0.2.1", false));
	assert_true(accepts(l, "ppp1", "198.51.100.9"));
	later(l, 11);
	assert_false(accepts(l, "ppp1", "198.51.100.9"));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
}

static void test_overlap_on_one_edge(void **state)
{
	struct lab *l = *state;

	acct(l, RADIUS_START, "a", "ppp0", 0);
	radius_put_text(&l->wr, RADIUS_FRAMED_ROUTE, "198.51.100.0/28 0.0.0.0 1");
	assert_true(send_from(l, "192.0.2.1", false));
	assert_true(start(l, "b", "ppp0", IP(9)));
	later(l, 1);
	assert_true(stop(l, "a", l->wall_s));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_false(accepts(l, "ppp0", "198.51.100.8"));
}

static void test_nas_restart_goes_under_hold(void **state)
{
	struct lab *l = *state;

	assert_true(start(l, "a", "ppp0", IP(9)));
	later(l, 10);
	acct(l, RADIUS_ACCOUNTING_ON, NULL, NULL, 0);
	put_stamp(l, l->wall_s);
	assert_true(send_from(l, "192.0.2.1", false));
	assert_int_equal(l->edges[0].held, 1);
	assert_int_equal(l->edges[0].sessions, 0);
	/* the NAS counts anew, and may come with the same name */
	later(l, 1);
	assert_true(start(l, "a", "ppp0", IP(9)));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	/* the On comes again, late: what began since stays */
	acct(l, RADIUS_ACCOUNTING_ON, NULL, NULL, 0);
	put_stamp(l, l->wall_s - 1);
	assert_true(send_from(l, "192.0.2.1", false));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_int_equal(l->edges[0].held, 1);
}

static void test_silence(void **state)
{
	struct lab *l = *state;

	assert_true(start(l, "quiet", "ppp1", IP(8))); /* never sends any */
	assert_true(start(l, "a", "ppp0", IP(9)));
	for (int i = 0; i < 2; i++) {
		later(l, 300);
		acct(l, RADIUS_INTERIM, "a", "ppp0", IP(9));
		put_stamp(l, l->wall_s);
		assert_true(send_from(l, "192.0.2.1", false));
	}
	later(l, 3601); /* silent: told, nothing leaves */
	assert_int_equal(l->alarms, 1);
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	later(l, 3600); /* and its hold is over */
	assert_false(accepts(l, "ppp0", "198.51.100.9"));
	assert_int_equal(l->edges[1].held, 1);
	assert_true(accepts(l, "ppp1", "198.51.100.8"));
}

/* ---- strangers and forgers ---- */

static void test_strangers_and_forgers(void **state)
{
	struct lab *l = *state;

	acct(l, RADIUS_START, "a", "ppp0", IP(9));
	for (int i = 0; i < 10000; i++)
		assert_false(send_from(l, "203.0.113.5", false));
	assert_int_equal(radius_server_unknown(l->srv), 10000);
	assert_int_equal(l->notes, 1);
	/* a wrong secret */
	acct(l, RADIUS_START, "a", "ppp0", IP(9));
	radius_end_request(&l->wr, false, "guess");
	again_from(l, "192.0.2.1", false);
	assert_int_equal(of(l, "bng1")->not_genuine, 1);
	/* a byte changed on the way */
	acct(l, RADIUS_START, "a", "ppp0", IP(9));
	radius_end_request(&l->wr, true, "s3cret");
	l->wr.data[25] ^= 1;
	again_from(l, "192.0.2.1", false);
	assert_int_equal(of(l, "bng1")->not_genuine, 2);
	/* recorded an hour ago, and a clock that is an hour ahead */
	acct(l, RADIUS_START, "a", "ppp0", IP(9));
	put_stamp(l, l->wall_s - 3600);
	assert_false(send_from(l, "192.0.2.1", false));
	acct(l, RADIUS_START, "a", "ppp0", IP(9));
	put_stamp(l, l->wall_s + 3600);
	assert_false(send_from(l, "192.0.2.1", false));
	assert_int_equal(of(l, "bng1")->stale, 2);
	/* without a session, without a status */
	acct(l, RADIUS_START, NULL, "ppp0", IP(9));
	assert_false(send_from(l, "192.0.2.1", false));
	begin(l, RADIUS_ACCOUNTING_REQUEST);
	assert_false(send_from(l, "192.0.2.1", false));
	assert_false(accepts(l, "ppp0", "198.51.100.9"));
	/* an hour late, and says so itself: sent again, not replayed */
	acct(l, RADIUS_START, "a", "ppp0", IP(9));
	put_stamp(l, l->wall_s - 3600);
	radius_put_u32(&l->wr, RADIUS_ACCT_DELAY_TIME, 3600);
	assert_true(send_from(l, "192.0.2.1", false));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
}

static void test_same_name_of_another_client(void **state)
{
	struct lab *l = *state;

	assert_true(start(l, "a", "ppp0", IP(9)));
	acct(l, RADIUS_STOP, "a", NULL, 0);
	assert_true(send_from(l, "192.0.2.2", false));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
}

/* ---- CoA and Disconnect ---- */

static uint32_t error_cause(const struct lab *l, enum radius_code code)
{
	struct radius_packet p;
	struct diag diag;
	uint32_t cause = 0;

	assert_int_equal(radius_decode(l->answer, l->answer_len, &p, &diag), 0);
	assert_int_equal(p.code, code);
	radius_find_u32(p.attrs, RADIUS_ERROR_CAUSE, &cause);
	return cause;
}

static void test_disconnect(void **state)
{
	struct lab *l = *state;

	assert_true(start(l, "a", "ppp0", IP(9)));
	begin(l, RADIUS_DISCONNECT_REQUEST);
	radius_put_text(&l->wr, RADIUS_ACCT_SESSION_ID, "a");
	assert_false(send_from(l, "192.0.2.9", true)); /* without a time: could be an old one */
	assert_int_equal(of(l, "aaa")->stale, 1);
	put_stamp(l, l->wall_s);
	assert_false(send_from(l, "192.0.2.1", true)); /* it may not */
	assert_int_equal(of(l, "bng1")->not_permitted, 1);
	begin(l, RADIUS_DISCONNECT_REQUEST);
	put_stamp(l, l->wall_s);
	assert_true(send_from(l, "192.0.2.9", true));
	assert_int_equal(error_cause(l, RADIUS_DISCONNECT_NAK), 402);
	begin(l, RADIUS_DISCONNECT_REQUEST);
	put_stamp(l, l->wall_s);
	radius_put_text(&l->wr, RADIUS_ACCT_SESSION_ID, "other");
	assert_true(send_from(l, "192.0.2.9", true));
	assert_int_equal(error_cause(l, RADIUS_DISCONNECT_NAK), 503);
	begin(l, RADIUS_DISCONNECT_REQUEST);
	put_stamp(l, l->wall_s);
	radius_put_text(&l->wr, RADIUS_ACCT_SESSION_ID, "a");
	radius_put_text(&l->wr, RADIUS_NAS_IDENTIFIER, "elsewhere");
	assert_true(send_from(l, "192.0.2.9", true));
	assert_int_equal(error_cause(l, RADIUS_DISCONNECT_NAK), 403);
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	begin(l, RADIUS_DISCONNECT_REQUEST);
	put_stamp(l, l->wall_s);
	radius_put_text(&l->wr, RADIUS_ACCT_SESSION_ID, "a");
	radius_put_text(&l->wr, RADIUS_PROXY_STATE, "abc");
	assert_true(send_from(l, "192.0.2.9", true));
	assert_int_equal(error_cause(l, RADIUS_DISCONNECT_ACK), 0);
	assert_int_equal(l->answer_len, 20 + 5); /* Proxy-State comes back */
	assert_false(accepts(l, "ppp0", "198.51.100.9"));
}

static void test_coa(void **state)
{
	struct lab *l = *state;

	assert_true(start(l, "a", "ppp0", IP(9)));
	begin(l, RADIUS_COA_REQUEST);
	put_stamp(l, l->wall_s);
	radius_put_u32(&l->wr, RADIUS_FRAMED_IP_ADDRESS, IP(9)); /* names it, changes nothing */
	radius_put_text(&l->wr, RADIUS_FRAMED_ROUTE, "198.51.100.16/28 0.0.0.0 1");
	assert_true(send_from(l, "192.0.2.9", true));
	assert_int_equal(error_cause(l, RADIUS_COA_ACK), 0);
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	assert_true(accepts(l, "ppp0", "198.51.100.20"));
	begin(l, RADIUS_COA_REQUEST);
	put_stamp(l, l->wall_s);
	radius_put_text(&l->wr, RADIUS_ACCT_SESSION_ID, "a");
	radius_put_text(&l->wr, RADIUS_FRAMED_ROUTE, "nonsense");
	assert_true(send_from(l, "192.0.2.9", true));
	assert_int_equal(error_cause(l, RADIUS_COA_NAK), 407);
	assert_true(accepts(l, "ppp0", "198.51.100.20"));
	begin(l, RADIUS_COA_REQUEST);
	put_stamp(l, l->wall_s);
	radius_put_text(&l->wr, RADIUS_ACCT_SESSION_ID, "a");
	radius_put_u32(&l->wr, RADIUS_SERVICE_TYPE, 17);
	assert_true(send_from(l, "192.0.2.9", true));
	assert_int_equal(error_cause(l, RADIUS_COA_NAK), 405);
}

/* ---- a restart ---- */

struct saved_row {
	struct radius_saved s;
	uint8_t attrs[RADIUS_ATTRS_MAX];
	unsigned int n, gone;
};

static int save(const struct radius_saved *s, bool gone, void *arg)
{
	struct saved_row *row = arg;

	row->n++;
	row->gone += gone;
	row->s = *s;
	memcpy(row->attrs, s->attrs.data ? s->attrs.data : row->attrs, s->attrs.len);
	return 0;
}

static int save_fails(const struct radius_saved *s, bool gone, void *arg)
{
	(void)s, (void)gone, (void)arg;
	return -1;
}

static void test_restart(void **state)
{
	static struct saved_row row;
	struct lab *l = *state;
	struct radius_sessions *old = l->rs, *fresh;

	memset(&row, 0, sizeof(row));
	assert_true(start(l, "a", "ppp0", IP(9)));
	assert_true(radius_sessions_unsaved(old));
	assert_int_equal(radius_sessions_save(old, save_fails, NULL), -1);
	assert_true(radius_sessions_unsaved(old));
	assert_int_equal(radius_sessions_save(old, save, &row), 0);
	radius_sessions_saved(old);
	assert_false(radius_sessions_unsaved(old));
	assert_int_equal(row.n, 1);
	addrset_fini(&l->edges[0].set);
	fresh = radius_sessions_new(&l->cfg, &session_ops, l);
	row.s.attrs.data = row.attrs;
	assert_true(radius_sessions_restore(fresh, &row.s, l->now_ms));
	assert_true(accepts(l, "ppp0", "198.51.100.9"));
	radius_sessions_free(fresh);
	later(l, 1);
	assert_true(stop(l, "a", l->wall_s));
	assert_int_equal(radius_sessions_save(old, save, &row), 0);
	radius_sessions_saved(old);
	assert_int_equal(row.gone, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_start_interim_stop),
		T(test_lost_repeated_reordered),
		T(test_no_answer_without_a_save),
		T(test_pool),
		T(test_prefix_length),
		T(test_conflict),
		T(test_move_adds_before_it_takes),
		T(test_overlap_on_one_edge),
		T(test_nas_restart_goes_under_hold),
		T(test_silence),
		T(test_strangers_and_forgers),
		T(test_same_name_of_another_client),
		T(test_disconnect),
		T(test_coa),
		T(test_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
