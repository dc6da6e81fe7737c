/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/helper.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ipsec/crypto.h"
#include "lib/sandbox.h"

#define NOBODY 65534

struct proc_chan *helper_begin(const char *name)
{
	/* meant for main's group: the channel says when to end */
	static const int ignored[] = { SIGINT, SIGHUP, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2 };
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(PROC_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_SEQPACKET) {
		fprintf(stderr, "%s is started by sav-iked, with a socket as descriptor %d\n", name, PROC_CONTROL_FD);
		exit(2);
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	tzset();
	crypto_warm_up();
	return proc_chan_new(PROC_CONTROL_FD);
}

int helper_give_up_rights(int argc, char **argv, const long *calls, size_t n, struct diag *diag)
{
	static const struct option known[] = { { "uid", required_argument, NULL, 'u' },
					       { "gid", required_argument, NULL, 'g' },
					       { 0 } };
	unsigned long uid = NOBODY, gid = NOBODY; /* unless sav-iked knows better */
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'u')
			uid = strtoul(optarg, NULL, 10);
		else if (c == 'g')
			gid = strtoul(optarg, NULL, 10);
	}
	if (sandbox_hide_files(diag) < 0 || sandbox_become((uid_t)uid, (gid_t)gid, diag) < 0 ||
	    sandbox_drop_caps(diag) < 0)
		return -1;
	return sandbox_enter_with(calls, n, diag);
}

void helper_ready(struct proc_chan *main_chan)
{
	struct wr w = { 0 };

	proc_plain_encode(&w, PROC_READY);
	proc_chan_send(main_chan, &w, -1);
}

void helper_log(struct proc_chan *main_chan, const char *fmt, ...)
{
	struct proc_event event = { .event = PROC_EVENT_LOG };
	struct wr w = { 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(event.text, sizeof(event.text), fmt, ap);
	va_end(ap);
	proc_event_encode(&w, &event);
	proc_chan_send(main_chan, &w, -1);
}

void helper_give_up(struct proc_chan *main_chan, const struct diag *diag)
{
	helper_log(main_chan, "%s", diag->text);
	_exit(1);
}

uint64_t helper_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
