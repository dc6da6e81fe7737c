/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The process sav-ike-signer, live, and an ike that somebody has taken over:
 * every type of message with lengths that are none, requests without end.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "ipsec/ike/keys.h"
#include "ipsec/proc.h"
#include "lib/mem.h"

#define PATIENCE_MS 60000

static char dir[] = "/tmp/test_signer_process.XXXXXX";
static struct proc_chan *main_chan;
static pid_t pid;

/* The next message; false: the channel is closed, or nothing came. */
static bool hear(struct proc_chan *chan, struct proc_header *header, struct rd *body)
{
	struct pollfd pfd = { proc_chan_fd(chan), POLLIN, 0 };
	int fd, n;

	while ((n = proc_chan_receive(chan, header, body, &fd)) == 0)
		if (poll(&pfd, 1, PATIENCE_MS) == 0)
			return false;
	if (fd >= 0)
		close(fd);
	return n == 1;
}

static void expect(enum proc_type type, struct rd *body)
{
	struct proc_header header;

	/* log lines come in between */
	do
		assert_true(hear(main_chan, &header, body));
	while (header.type == PROC_EVENT);
	assert_int_equal(header.type, type);
}

static void send_all(struct proc_chan *chan, struct wr *w)
{
	proc_chan_send(chan, w, -1);
	for (unsigned i = 0; i < 1000 && proc_chan_wants_write(chan); i++) {
		struct pollfd pfd = { proc_chan_fd(chan), POLLOUT, 0 };

		(void)poll(&pfd, 1, 10);
		proc_chan_flush(chan);
	}
}

static void key_set(void)
{
	struct proc_key key = { .tunnel = "t", .kind = PROC_KEY_PSK, .file = "psk" };
	struct proc_key_state state;
	struct wr w = { 0 };
	struct rd body;

	proc_key_encode(&w, &key);
	send_all(main_chan, &w);
	expect(PROC_KEY_STATE, &body);
	assert_true(proc_key_state_decode(body, &state) && state.ok);
}

static int start(void **state)
{
	char path[64];
	int fds[2], file;
	struct rd body;

	if (access("./sav-ike-signer", X_OK) < 0 || !mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/psk", dir);
	file = open(path, O_WRONLY | O_CREAT, 0600);
	if (file < 0 || write(file, "secret\n", 7) != 7 || close(file) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], PROC_CONTROL_FD);
		(void)fcntl(PROC_CONTROL_FD, F_SETFD, 0);
		execl("./sav-ike-signer", "sav-ike-signer", "--keys", dir, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	main_chan = proc_chan_new(fds[0]);
	expect(PROC_READY, &body);
	key_set();
	return 0;
}

static int stop(void **state)
{
	char path[64];
	int status = -1;

	proc_chan_free(main_chan);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snprintf(path, sizeof(path), "%s/psk", dir);
	return unlink(path) | rmdir(dir) | status;
}

/* A new ike, as main would introduce it. */
static struct proc_chan *ike_new(void)
{
	const struct proc_peer peer = { PROC_IKE };
	struct wr w = { 0 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	proc_peer_encode(&w, &peer);
	proc_chan_send(main_chan, &w, fds[1]);
	close(fds[1]);
	return proc_chan_new(fds[0]);
}

static void request_put(struct wr *w, uint64_t id)
{
	static uint8_t init[64] = { [17] = 0x20, [18] = IKE_SA_INIT, [27] = sizeof(init) };
	static const uint8_t nonce[32], mac[32];
	const struct proc_sign sign = { .id = id, .tunnel = "t", .psk = true, .prf = PRF_HMAC_SHA2_256,
					.octets = { { init, sizeof(init) }, { nonce, 32 }, { mac, 32 } } };

	proc_sign_encode(w, &sign);
}

static void assert_serves(void)
{
	struct proc_chan *ike = ike_new();
	struct proc_header header;
	struct proc_signed answer;
	struct wr w = { 0 };
	struct rd body;

	request_put(&w, 77);
	send_all(ike, &w);
	assert_true(hear(ike, &header, &body));
	assert_int_equal(header.type, PROC_SIGNED);
	assert_true(proc_signed_decode(body, &answer));
	assert_int_equal(answer.id, 77);
	assert_int_equal(answer.method, IKE_AUTH_PSK);
	assert_int_equal(answer.data.len, 32);
	proc_chan_free(ike);
}

static void the_right_request_is_answered(void **state)
{
	assert_serves();
}

static void nonsense_ends_the_talk_and_main_is_told(void **state)
{
	static const size_t lengths[] = { 0, 1, 7, 64, 4000, 150000 };
	static uint8_t data[150002];

	for (unsigned type = 0; type <= 255; type += type > PROC_TYPE_MAX ? 40 : 1)
		for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct proc_chan *ike = ike_new();
			struct proc_header header;
			struct wr w = { 0 };
			struct rd body;

			memset(data, (int)(type * 7 + i), sizeof(data));
			data[0] = PROC_VERSION;
			data[1] = (uint8_t)type;
			wr_bytes(&w, data, lengths[i] + 2);
			send_all(ike, &w);
			assert_false(hear(ike, &header, &body));
			expect(PROC_LOST, &body);
			proc_chan_free(ike);
		}
	assert_serves();
}

/* A request cut short anywhere is none. */
static void half_a_request_is_none(void **state)
{
	struct wr whole = { 0 };

	request_put(&whole, 1);
	for (size_t len = 1; len < whole.len; len++) {
		struct proc_chan *ike = ike_new();
		struct proc_header header;
		struct wr w = { 0 };
		struct rd body;

		wr_bytes(&w, whole.data, len);
		send_all(ike, &w);
		assert_false(hear(ike, &header, &body));
		expect(PROC_LOST, &body);
		proc_chan_free(ike);
	}
	wr_fini(&whole);
	assert_serves();
}

static size_t resident_kb(void)
{
	char path[64], line[256];
	size_t kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %zu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/* Its answers are not read, so no more of its requests are. */
static void requests_without_end_starve_nobody(void **state)
{
	struct proc_chan *ike = ike_new();
	size_t before = resident_kb();

	for (uint64_t i = 0; i < 50000; i++) {
		struct wr w = { 0 };

		request_put(&w, i);
		proc_chan_send(ike, &w, -1);
		proc_chan_flush(ike);
		if (i % 10000 == 0)
			key_set(); /* main is heard in between */
	}
	/* time to take more than it should */
	for (unsigned i = 0; i < 200 && proc_chan_wants_write(ike); i++) {
		(void)poll(NULL, 0, 5);
		proc_chan_flush(ike);
	}
	assert_true(proc_chan_wants_write(ike));
	key_set();
	assert_true(resident_kb() < before + 32768);
	proc_chan_free(ike);
	assert_serves();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_request_is_answered),
		cmocka_unit_test(nonsense_ends_the_talk_and_main_is_told),
		cmocka_unit_test(half_a_request_is_none),
		cmocka_unit_test(requests_without_end_starve_nobody),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
