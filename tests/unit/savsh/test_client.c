/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "controller/savsh/client.h"
#include "controller/savsh/vtyframe.h"

/* ---- the decoder */

static const char answer[] = "one\ntwo\n\0\0\0\x02";
#define ANSWER_LEN (sizeof(answer) - 1)

static void whole_answer(void **state)
{
	struct vtyframe frame;

	vtyframe_init(&frame, 100);
	assert_int_equal(vtyframe_feed(&frame, answer, ANSWER_LEN), VTYFRAME_DONE);
	assert_string_equal((char *)frame.text.data, "one\ntwo\n");
	assert_int_equal(frame.text.len, 8);
	assert_int_equal(frame.result, 2);
	vtyframe_fini(&frame);
}

static void trailer_split_over_reads(void **state)
{
	for (size_t a = 0; a <= ANSWER_LEN; a++) {
		for (size_t b = a; b <= ANSWER_LEN; b++) {
			struct vtyframe frame;

			vtyframe_init(&frame, 100);
			vtyframe_feed(&frame, answer, a);
			vtyframe_feed(&frame, answer + a, b - a);
			vtyframe_feed(&frame, answer + b, ANSWER_LEN - b);
			assert_int_equal(frame.state, VTYFRAME_DONE);
			assert_string_equal((char *)frame.text.data, "one\ntwo\n");
			assert_int_equal(frame.result, 2);
			vtyframe_fini(&frame);
		}
	}
}

static void empty_answer(void **state)
{
	struct vtyframe frame;

	vtyframe_init(&frame, 0);
	assert_int_equal(vtyframe_feed(&frame, "\0\0\0", 3), VTYFRAME_MORE);
	assert_int_equal(vtyframe_feed(&frame, "\0", 1), VTYFRAME_DONE);
	assert_string_equal((char *)frame.text.data, "");
	assert_int_equal(frame.result, 0);
	vtyframe_fini(&frame);
}

static void nul_inside_the_text(void **state)
{
	struct vtyframe frame;

	vtyframe_init(&frame, 100);
	assert_int_equal(vtyframe_feed(&frame, "a\0b\0\0\0\0", 7), VTYFRAME_BAD);
	assert_int_equal(vtyframe_feed(&frame, answer, ANSWER_LEN), VTYFRAME_BAD);
	vtyframe_fini(&frame);
}

static void bytes_after_the_result(void **state)
{
	struct vtyframe frame;

	vtyframe_init(&frame, 100);
	assert_int_equal(vtyframe_feed(&frame, "a\0\0\0\0b", 6), VTYFRAME_BAD);
	vtyframe_fini(&frame);
}

static void text_beyond_the_limit(void **state)
{
	struct vtyframe frame;

	vtyframe_init(&frame, 8);
	assert_int_equal(vtyframe_feed(&frame, answer, ANSWER_LEN), VTYFRAME_DONE);
	vtyframe_fini(&frame);
	vtyframe_init(&frame, 7);
	assert_int_equal(vtyframe_feed(&frame, answer, ANSWER_LEN), VTYFRAME_TOO_BIG);
	assert_int_equal(vtyframe_feed(&frame, "\0\0\0\0", 4), VTYFRAME_TOO_BIG);
	vtyframe_fini(&frame);
}

/* ---- the connection: a daemon that says what a case wants it to */

struct fake {
	char dir[32];
	char path[64];
	int listener;
	pthread_t thread;
	const char *say; /* after the answer to "enable" */
	size_t say_len;
	bool mute; /* no answer to "enable" either */
	bool by_bytes;
	char heard[8192]; /* the second command */
};

static void hear(int fd, char *line, size_t size)
{
	size_t n = 0;

	while (n < size && read(fd, line + n, 1) == 1 && line[n])
		n++;
}

static void *fake_main(void *arg)
{
	struct fake *fake = arg;
	char line[64];
	int fd = accept(fake->listener, NULL, NULL);

	if (fd < 0)
		return NULL;
	hear(fd, line, sizeof(line));
	if (!fake->mute) {
		send(fd, "\0\0\0\0", 4, MSG_NOSIGNAL);
		hear(fd, fake->heard, sizeof(fake->heard));
	}
	for (size_t i = 0; fake->by_bytes && i < fake->say_len; i++)
		send(fd, fake->say + i, 1, MSG_NOSIGNAL);
	if (!fake->by_bytes)
		send(fd, fake->say, fake->say_len, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static void fake_start(struct fake *fake, const char *say, size_t say_len)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	fake->say = say;
	fake->say_len = say_len;
	strcpy(fake->dir, "/tmp/savshtest.XXXXXX");
	assert_non_null(mkdtemp(fake->dir));
	snprintf(fake->path, sizeof(fake->path), "%s/d.vty", fake->dir);
	strcpy(sa.sun_path, fake->path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fake->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fake->listener, 1), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, fake_main, fake), 0);
}

static void fake_stop(struct fake *fake)
{
	pthread_join(fake->thread, NULL);
	close(fake->listener);
	unlink(fake->path);
	rmdir(fake->dir);
}

/* Runs "show x" against a daemon that says these bytes and hangs up. */
static int run_against(const char *say, size_t len, size_t limit, struct reply *reply)
{
	struct fake fake = { 0 };
	struct client *client;
	int rc;

	fake_start(&fake, say, len);
	client = client_new("fake", fake.path);
	if (limit)
		client_set_limit(client, limit);
	assert_int_equal(client_open(client), 0);
	rc = client_run(client, "show x", reply);
	assert_int_equal(client_is_open(client), rc == 0);
	fake_stop(&fake);
	assert_string_equal(fake.heard, "show x");
	if (rc == 0)
		assert_false(client_is_alive(client)); /* it has hung up since */
	else
		assert_int_equal(client_run(client, "show x", reply), -ENOTCONN);
	client_free(client);
	return rc;
}

static void answer_of_a_daemon(void **state)
{
	struct reply reply;

	assert_int_equal(run_against(answer, ANSWER_LEN, 0, &reply), 0);
	assert_string_equal(reply.text, "one\ntwo\n");
	assert_int_equal(reply.result, VTY_NO_MATCH);
	reply_fini(&reply);
}

static void daemon_dies_in_its_answer(void **state)
{
	struct reply reply;

	for (size_t len = 0; len < ANSWER_LEN; len++)
		assert_int_equal(run_against(answer, len, 0, &reply), -ECONNRESET);
}

static void garbage_is_refused(void **state)
{
	struct reply reply;

	assert_int_equal(run_against("x\0garbage", 9, 0, &reply), -EPROTO);
}

static void endless_answer_is_cut(void **state)
{
	struct reply reply;
	size_t size = 1 << 20;
	char *endless = malloc(size);

	memset(endless, 'x', size);
	assert_int_equal(run_against(endless, size, 1000, &reply), -EFBIG);
	free(endless);
}

static void answer_in_single_bytes(void **state)
{
	struct fake fake = { .by_bytes = true };
	struct client *client;
	struct reply reply;

	fake_start(&fake, answer, ANSWER_LEN);
	client = client_new("fake", fake.path);
	assert_int_equal(client_open(client), 0);
	assert_int_equal(client_run(client, "show x", &reply), 0);
	assert_int_equal(reply.len, 8);
	reply_fini(&reply);
	client_free(client);
	fake_stop(&fake);
}

static void too_long_a_command_is_not_sent(void **state)
{
	struct fake fake = { 0 };
	char command[CLIENT_COMMAND_MAX + 2];
	struct client *client;
	struct reply reply;

	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	fake_start(&fake, answer, ANSWER_LEN);
	client = client_new("fake", fake.path);
	assert_int_equal(client_open(client), 0);
	assert_int_equal(client_run(client, command, &reply), -EMSGSIZE);
	assert_true(client_is_alive(client));
	command[CLIENT_COMMAND_MAX] = '\0';
	assert_int_equal(client_run(client, command, &reply), 0);
	reply_fini(&reply);
	client_free(client);
	fake_stop(&fake);
	assert_string_equal(fake.heard, command);
}

static void nobody_listens(void **state)
{
	struct client *client = client_new("gone", "/nonexistent/gone.vty");
	struct reply reply;

	assert_int_equal(client_open(client), -ENOENT);
	assert_false(client_is_open(client));
	assert_false(client_is_alive(client));
	assert_int_equal(client_run(client, "x", &reply), -ENOTCONN);
	client_free(client);
}

static void path_longer_than_an_address(void **state)
{
	char path[200];
	struct client *client;

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	client = client_new("long", path);
	assert_int_equal(client_open(client), -ENAMETOOLONG);
	client_free(client);
}

static volatile sig_atomic_t stop;

static void *stop_soon(void *arg)
{
	stop = 1;
	return NULL;
}

static void interrupted_wait(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct fake fake = { .mute = true };
	struct client *client;
	pthread_t thread;
	int first = socket(AF_UNIX, SOCK_STREAM, 0);

	/* The daemon serves one connection, which is ours: the client connects,
	 * and nothing but the flag ends its wait. */
	fake_start(&fake, "", 0);
	strcpy(sa.sun_path, fake.path);
	assert_int_equal(connect(first, (struct sockaddr *)&sa, sizeof(sa)), 0);
	client = client_new("fake", fake.path);
	client_set_stop(client, &stop);
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
	assert_int_equal(client_open(client), -EINTR);
	assert_false(client_is_open(client));
	pthread_join(thread, NULL);
	close(first);
	client_free(client);
	fake_stop(&fake);
	stop = 0;
}

static void daemon_refuses_enable(void **state)
{
	struct fake fake = { .mute = true };
	struct client *client;

	fake_start(&fake, "% no\n\0\0\0\x02", 9);
	client = client_new("fake", fake.path);
	assert_int_equal(client_open(client), -EPROTO);
	assert_false(client_is_open(client));
	client_free(client);
	fake_stop(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_answer),
		cmocka_unit_test(trailer_split_over_reads),
		cmocka_unit_test(empty_answer),
		cmocka_unit_test(nul_inside_the_text),
		cmocka_unit_test(bytes_after_the_result),
		cmocka_unit_test(text_beyond_the_limit),
		cmocka_unit_test(answer_of_a_daemon),
		cmocka_unit_test(daemon_dies_in_its_answer),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(endless_answer_is_cut),
		cmocka_unit_test(answer_in_single_bytes),
		cmocka_unit_test(too_long_a_command_is_not_sent),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(path_longer_than_an_address),
		cmocka_unit_test(interrupted_wait),
		cmocka_unit_test(daemon_refuses_enable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
