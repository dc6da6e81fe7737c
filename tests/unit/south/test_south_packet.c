/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * South over real sockets, TLS and libfrr's event loop; the agents are child
 * processes. Waits are for conditions, with a bound.
 */
#include "lib/frr_compat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "monotime.h"

#include "controller/south/south_packet.h"
#include "lib/frame.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/tls.h"
#include "lib/turn_packet.h"
#include "tests/unit/lib/pki_fixture.h"

#define LIMIT_MS 120000
#define N_PREFIX 200000
#define N_AGENTS 150
#define N_NAMES 10
#define CHILD_BAD(x)                                                                     \
	do {                                                                             \
		if (!(x)) {                                                              \
			fprintf(stderr, "agent: line %d: %s: %s\n", __LINE__, #x,        \
				diag.text);                                              \
			_exit(1);                                                        \
		}                                                                        \
	} while (0)

static struct pki_fixture fix, other;
static struct event_loop *loop;
static struct turns *turns;
static struct south_packet *sp;
static struct tls_config *tls;
static uint16_t port;
static unsigned int n_up, n_down, n_acks, n_enrolled, n_notes;
static struct event *t_cut;
static bool timed_out;
static char last_note[512];

/* ---- the engine's side ---- */

static bool f_enroll(void *ctx, const char *name, const uint8_t hash[32],
		     enum pki_kind *kind, struct diag *diag)
{
	*kind = PKI_ROUTER;
	return true;
}

static int f_issue(void *ctx, const struct pki_identity *id, const uint8_t *spki,
		   size_t spki_len, struct wr *cert, struct diag *diag)
{
	struct pki_request request = { .id = *id,
				       .spki = spki,
				       .spki_len = spki_len,
				       .not_before = time(NULL) - 60,
				       .not_after = time(NULL) + PKI_AGENT_S };

	return pki_issue(fix.ca_key, fix.ca.data, fix.ca.len, &request, cert, diag);
}

static bool f_enrolled(void *ctx, const struct pki_cert *cert, struct diag *diag)
{
	n_enrolled++;
	return true;
}

static bool f_certificate_ok(void *ctx, const char *name, const char *serial,
			     struct diag *diag)
{
	return true;
}

static void f_up(void *ctx, const struct south_peer *peer)
{
	n_up++;
}

static void f_down(void *ctx, const char *name, const char *why)
{
	n_down++;
}

static void f_inventory(void *ctx, const char *name, const struct agent_inventory *inv)
{
}

static void f_ack(void *ctx, const char *name, const char *interface, uint64_t generation,
		  const uint8_t *hash, const char *error)
{
	if (!error[0])
		n_acks++;
}

static void f_counters(void *ctx, const char *name, const struct agent_counters *c,
		       size_t n)
{
}

static void f_note(void *ctx, bool alarm, const char *text)
{
	n_notes++;
	snprintf(last_note, sizeof(last_note), "%s", text);
}

static const struct south_ops ops = {
	.enroll = f_enroll,
	.issue = f_issue,
	.enrolled = f_enrolled,
	.certificate_ok = f_certificate_ok,
	.up = f_up,
	.down = f_down,
	.inventory = f_inventory,
	.ack = f_ack,
	.counters = f_counters,
	.note = f_note,
};

static void on_limit(struct event *t)
{
	timed_out = true;
}

/* Runs the event loop until *what is at least n. */
static void run_until(const unsigned int *what, unsigned int n)
{
	struct event *t_limit = NULL;
	struct event fetched;

	timed_out = false;
	event_add_timer_msec(loop, on_limit, NULL, LIMIT_MS, &t_limit);
	while (*what < n && !timed_out && event_fetch(loop, &fetched))
		event_call(&fetched);
	EVENT_OFF(t_limit);
	if (timed_out)
		fail_msg("%u of %u in time; last note: %s", *what, n, last_note);
}

static bool has_ended;
static pid_t waited;

static void on_poll(struct event *t)
{
	int status;

	if (waitpid(waited, &status, WNOHANG) == waited) {
		has_ended = true;
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		return;
	}
	event_add_timer_msec(loop, on_poll, NULL, 5, NULL);
}

static void run_until_ended(pid_t pid)
{
	struct event fetched;
	int64_t until = monotime(NULL) / 1000 + LIMIT_MS;

	waited = pid;
	has_ended = false;
	event_add_timer_msec(loop, on_poll, NULL, 5, NULL);
	while (!has_ended && event_fetch(loop, &fetched)) {
		event_call(&fetched);
		assert_true(monotime(NULL) / 1000 < until);
	}
}

/* ---- an agent, in a child ---- */

struct agent {
	int fd;
	struct tls *tls;
	struct frame_in *in;
};

static void wait_for(struct agent *a)
{
	struct pollfd pfd = { a->fd, tls_wants_write(a->tls) ? POLLOUT : POLLIN, 0 };

	if (poll(&pfd, 1, LIMIT_MS) <= 0)
		_exit(2);
}

static struct agent agent_connect(struct tls_config *config, const char *address)
{
	struct agent a = { .in = frame_in_new(AGENT_FRAME_MAX_BYTES) };
	struct diag diag = { "" };
	struct ip_addr addr;
	struct pollfd pfd;
	int ret;

	CHILD_BAD(ip_addr_parse(address, &addr));
	a.fd = sock_connect(&addr, port, &diag);
	CHILD_BAD(a.fd >= 0);
	pfd = (struct pollfd){ a.fd, POLLOUT, 0 };
	CHILD_BAD(poll(&pfd, 1, LIMIT_MS) == 1 && sock_error(a.fd) == 0);
	a.tls = tls_new(config, a.fd, "controller");
	while ((ret = tls_handshake(a.tls, &diag)) == 0)
		wait_for(&a);
	CHILD_BAD(ret == 1);
	return a;
}

static void agent_say(struct agent *a, const struct agent_msg *msg)
{
	struct wr wr = { 0 };
	struct diag diag = { "" };

	agent_msg_pack(msg, &wr);
	while (wr.len != 0) {
		int n = tls_write(a->tls, wr.data, wr.len, &diag);

		if (n == TLS_AGAIN) {
			wait_for(a);
			continue;
		}
		CHILD_BAD(n > 0);
		wr_consume(&wr, (size_t)n);
	}
	wr_fini(&wr);
}

static void agent_hear(struct agent *a, struct agent_msg *msg)
{
	static uint8_t buf[65536];
	struct diag diag = { "" };
	const uint8_t *body;
	size_t len;

	while (!frame_in_next(a->in, &body, &len)) {
		int n = tls_read(a->tls, buf, sizeof(buf), &diag);

		if (n == TLS_AGAIN) {
			wait_for(a);
			continue;
		}
		CHILD_BAD(n > 0);
		CHILD_BAD(frame_in_bytes(a->in, buf, (size_t)n, &diag) == 0);
	}
	CHILD_BAD(agent_msg_unpack(body, len, msg, &diag) == 0);
}

static struct tls_config *config_of(const char *name)
{
	struct tls_config *config;
	struct diag diag = { "" };
	char cert[64], key[64];

	snprintf(cert, sizeof(cert), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	config = tls_config_client(pki_fixture_path(&fix, cert),
				   pki_fixture_path(&fix, key),
				   pki_fixture_path(&fix, "ca.pem"), &diag);
	CHILD_BAD(config != NULL);
	return config;
}

/* Hello, then every Filter is checked and acknowledged, up to generation n. */
static void agent_serve(struct agent *a, unsigned int n)
{
	struct agent_msg msg = { .type = AGENT_MSG_HELLO };
	struct diag diag = { "" };

	msg.u.hello.protocol = AGENT_PROTOCOL;
	strlcpy(msg.u.hello.software, "test 1", sizeof(msg.u.hello.software));
	agent_say(a, &msg);
	while (n > 0) {
		struct agent_msg ack = { .type = AGENT_MSG_ACK };

		agent_hear(a, &msg);
		CHILD_BAD(msg.type != AGENT_MSG_FAILURE);
		if (msg.type == AGENT_MSG_FILTER) {
			struct filter *f = &msg.u.filter.filter;

			memcpy(ack.u.ack.interface, f->interface, FILTER_IFNAME_SIZE);
			ack.u.ack.generation = f->generation;
			filter_hash(f, ack.u.ack.hash);
			CHILD_BAD(msg.u.filter.base_generation != 0 ||
				  memcmp(ack.u.ack.hash, msg.u.filter.hash, 32) == 0);
			memcpy(ack.u.ack.hash, msg.u.filter.hash, 32);
			agent_say(a, &ack);
			n = ack.u.ack.generation < n ? n : 0;
		}
		agent_msg_fini(&msg);
	}
}

static pid_t agent_fork(const char *name, const char *address, unsigned int filters)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct agent a = agent_connect(config_of(name), address);
		struct agent_msg msg;

		agent_serve(&a, filters);
		do
			agent_hear(&a, &msg);
		while (msg.type != AGENT_MSG_FAILURE); /* until cut */
		_exit(0);
	}
	return pid;
}

/* ---- cases ---- */

static void want(const char *router, uint64_t generation, uint32_t n)
{
	struct filter f = { .interface = "eth0", .generation = generation };

	for (uint32_t i = 0; i < n; i++)
		rangeset_append(&f.accept.f[IP_V4], i * 2, i * 2);
	south_filter_set(south_packet_south(sp), router, &f, monotime(NULL) / 1000);
	filter_fini(&f);
}

static void cut(const char *router)
{
	assert_true(south_session_cut(south_packet_south(sp), router, "the test is over",
				      monotime(NULL) / 1000));
}

static void large_snapshot_and_delta(void **state)
{
	pid_t pid = agent_fork("r1", "127.0.0.1", 2);

	want("r1", 1, N_PREFIX); /* 1 MB */
	run_until(&n_acks, 1);
	want("r1", 2, N_PREFIX + 1);
	run_until(&n_acks, 2);
	cut("r1");
	run_until_ended(pid);
	assert_int_equal(south_totals(south_packet_south(sp))->snapshots, 1);
	assert_int_equal(south_totals(south_packet_south(sp))->deltas, 1);
}

static void ipv6_agent(void **state)
{
	struct south_status st;
	pid_t pid = agent_fork("r2", "::1", 0);

	n_up = 0;
	run_until(&n_up, 1);
	assert_true(south_status(south_packet_south(sp), "r2", &st));
	assert_true(st.connected);
	assert_string_equal(st.address, "::1");
	south_status_fini(&st);
	cut("r2");
	run_until_ended(pid);
}

static void enrolment(void **state)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct agent_msg msg = { .type = AGENT_MSG_ENROLL };
		struct pki_key *key = pki_key_new();
		struct pki_cert ca;
		struct wr csr = { 0 };
		struct diag diag = { "" };
		struct agent a;

		CHILD_BAD(pki_cert_read(fix.ca.data, fix.ca.len, &ca, &diag) == 0);
		a = agent_connect(tls_config_pinned(ca.fingerprint, &diag), "127.0.0.1");
		CHILD_BAD(pki_csr_make(key, "r9", &csr, &diag) == 0);
		strlcpy(msg.u.enroll.name, "r9", sizeof(msg.u.enroll.name));
		msg.u.enroll.csr = (struct agent_blob){ csr.data, csr.len };
		agent_say(&a, &msg);
		agent_hear(&a, &msg);
		CHILD_BAD(msg.type == AGENT_MSG_ENROLLED);
		CHILD_BAD(pki_cert_check(msg.u.enrolled.certificate.data,
					 msg.u.enrolled.certificate.len, key,
					 msg.u.enrolled.ca.data, msg.u.enrolled.ca.len,
					 &diag) == 0);
		_exit(0);
	}
	run_until_ended(pid);
	assert_int_equal(n_enrolled, 1);
}

static void strangers(void **state)
{
	static const char garbage[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	unsigned int before = n_notes;
	pid_t pid = fork();

	if (pid == 0) {
		struct ip_addr addr = { 0x7f000001, IP_V4 };
		struct diag diag = { "" };
		struct pollfd pfd;
		char c;
		int fd = sock_connect(&addr, port, &diag);

		pfd = (struct pollfd){ fd, POLLOUT, 0 };
		CHILD_BAD(poll(&pfd, 1, LIMIT_MS) == 1);
		CHILD_BAD(write(fd, garbage, sizeof(garbage)) == sizeof(garbage));
		pfd.events = POLLIN;
		while (poll(&pfd, 1, LIMIT_MS) == 1 && read(fd, &c, 1) > 0)
			;
		_exit(0);
	}
	run_until(&n_notes, before + 1);
	assert_non_null(strstr(last_note, "does not speak TLS"));
	run_until_ended(pid);

	before = n_notes;
	pid = fork();
	if (pid == 0) {
		struct diag diag = { "" };
		struct tls_config *config =
			tls_config_client(pki_fixture_path(&other, "r1.pem"),
					  pki_fixture_path(&other, "r1.key"),
					  pki_fixture_path(&fix, "ca.pem"), &diag);
		struct agent a = agent_connect(config, "127.0.0.1");
		char c;
		int n;

		while ((n = tls_read(a.tls, &c, 1, &diag)) == TLS_AGAIN)
			wait_for(&a);
		CHILD_BAD(n == TLS_ERROR && strstr(diag.text, "does not know the CA"));
		_exit(0);
	}
	run_until(&n_notes, before + 1);
	assert_non_null(strstr(last_note, "unknown CA"));
	run_until_ended(pid);
}

/* One that is too slow with its Hello may be cut for another, and comes again. */
static pid_t agent_fork_until_served(const char *name)
{
	pid_t pid = fork();

	for (int i = 0; pid == 0; i++) {
		int status;

		waitpid(agent_fork(name, "127.0.0.1", 0), &status, 0);
		if (status == 0 || i == 100)
			_exit(status != 0);
	}
	return pid;
}

static void cut_whoever_is_up(struct event *t)
{
	for (int i = 0; i < N_NAMES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%d", i);
		(void)south_session_cut(south_packet_south(sp), name, "the test is over",
					monotime(NULL) / 1000);
	}
	event_add_timer_msec(loop, cut_whoever_is_up, NULL, 5, &t_cut);
}

/* All come back at once, as after a restart of the controller: more than may be
 * in a handshake. */
static void everyone_at_once(void **state)
{
	pid_t pids[N_AGENTS];

	n_up = n_down = 0;
	for (int i = 0; i < N_AGENTS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%d", i % N_NAMES);
		pids[i] = agent_fork_until_served(name);
	}
	run_until(&n_up, N_AGENTS);
	/* also one that was cut and comes again after this */
	event_add_timer_msec(loop, cut_whoever_is_up, NULL, 0, &t_cut);
	for (int i = 0; i < N_AGENTS; i++)
		run_until_ended(pids[i]);
	run_until(&n_down, n_up);
	EVENT_OFF(t_cut);
	assert_int_equal(n_down, n_up);
}

static void addresses(void **state)
{
	struct diag diag;

	assert_int_equal(south_listen(sp, "not an address", port, &diag), -1);
	assert_int_equal(south_listen(sp, "127.0.0.1", port, &diag), -1);
	assert_non_null(strstr(diag.text, "in use"));
}

static void free_with_open_sessions(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct agent a = agent_connect(config_of("r1"), "127.0.0.1");
		struct diag diag = { "" };
		char buf[1000];
		int n;

		agent_serve(&a, 0);
		while ((n = tls_read(a.tls, buf, sizeof(buf), &diag)) > 0 ||
		       n == TLS_AGAIN)
			if (n == TLS_AGAIN)
				wait_for(&a);
		CHILD_BAD(n == TLS_CLOSED);
		_exit(0);
	}
	n_up = n_down = 0;
	run_until(&n_up, 1);
	south_packet_free(sp);
	sp = NULL;
	assert_int_equal(n_down, 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int setup(void **state)
{
	int64_t now = time(NULL);
	struct south_config config = { .epoch = 1,
				       .lease_s = 60,
				       .counters_interval_s = 10 };
	struct diag diag;

	pki_fixture_init(&fix);
	pki_fixture_init(&other);
	pki_fixture_issue(&fix, "ctl", PKI_CONTROLLER, "main", now - 60, now + 3600);
	pki_fixture_issue(&fix, "r1", PKI_ROUTER, "r1", now - 60, now + PKI_AGENT_S);
	pki_fixture_issue(&fix, "r2", PKI_ROUTER, "r2", now - 60, now + PKI_AGENT_S);
	pki_fixture_issue(&other, "r1", PKI_ROUTER, "r1", now - 60, now + PKI_AGENT_S);
	for (int i = 0; i < N_NAMES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%d", i);
		pki_fixture_issue(&fix, name, PKI_ROUTER, name, now - 60,
				  now + PKI_AGENT_S);
	}
	config.ca = fix.ca.data;
	config.ca_len = fix.ca.len;
	tls = tls_config_server(pki_fixture_path(&fix, "ctl.pem"),
				pki_fixture_path(&fix, "ctl.key"),
				pki_fixture_path(&fix, "ca.pem"), &diag);
	loop = event_master_create("test");
	turns = turns_new(loop);
	sp = south_packet_new(loop, turns, tls, &config, &ops, NULL);
	for (port = 20000 + (uint16_t)(getpid() % 20000); port < 60000; port++) {
		if (south_listen(sp, "127.0.0.1", port, &diag) < 0)
			continue;
		/* A machine without IPv6 still runs the rest. */
		(void)south_listen(sp, "::1", port, &diag);
		return 0;
	}
	return -1;
}

static int teardown(void **state)
{
	south_packet_free(sp);
	tls_config_free(tls);
	turns_free(turns);
	event_master_free(loop);
	pki_fixture_fini(&fix);
	pki_fixture_fini(&other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_snapshot_and_delta),
		cmocka_unit_test(ipv6_agent),
		cmocka_unit_test(enrolment),
		cmocka_unit_test(strangers),
		cmocka_unit_test(everyone_at_once),
		cmocka_unit_test(addresses),
		cmocka_unit_test(free_with_open_sessions),
	};

	return cmocka_run_group_tests_name("south_packet", tests, setup, teardown);
}
