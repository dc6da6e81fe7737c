/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ipsec/host_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <cmocka.h>

struct proc_chan *fixture_channel(int *other)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	*other = fds[1];
	return proc_chan_new(fds[0]);
}

struct host *fixture_host(struct proc_chan **main_chan)
{
	int other;

	*main_chan = fixture_channel(&other);
	return host_new(proc_chan_new(other));
}

void fixture_host_free(struct host *host, struct proc_chan *main_chan)
{
	struct proc_chan *of_host = host->main_chan;

	host_free(host);
	proc_chan_free(of_host);
	proc_chan_free(main_chan);
}
