/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sav-ike-signer - holds the keys of sav-iked's tunnels.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ipsec/helper.h"
#include "ipsec/signer.h"
#include "lib/sandbox.h"

static struct proc_chan *main_chan, *ike_chan;
static struct signer *signer;

/* Into the directory, as its owner, and there is nothing else any more. */
static int enter(const char *dir, struct diag *diag)
{
	static const long open_calls[] = { SYS_openat, SYS_fstat,
#ifdef SYS_newfstatat
					   SYS_newfstatat,
#endif
	};
	struct stat st;

	if (chdir(dir) < 0 || stat(".", &st) < 0)
		return diag_set(diag, "cannot enter the directory of keys %s: %s", dir, strerror(errno));
	if (st.st_mode & 022)
		return diag_set(diag, "the directory of keys %s has mode %04o: others than its owner can put keys there; "
				      "chmod go-w %s",
				dir, (unsigned)st.st_mode & 07777, dir);
	if (geteuid() == 0 && chroot(".") < 0)
		return diag_set(diag, "chroot %s: %s", dir, strerror(errno));
	(void)mlockall(MCL_CURRENT); /* bounded by limits; what it locks it locks */
	if (sandbox_become(st.st_uid, st.st_gid, diag) < 0 || sandbox_drop_caps(diag) < 0)
		return -1;
	signer = signer_new(st.st_uid);
	return sandbox_enter_with(open_calls, sizeof(open_calls) / sizeof(open_calls[0]), diag);
}

static void take_key(struct rd body)
{
	struct proc_key_state state = { .ok = true };
	struct proc_key key;
	struct diag diag;
	struct wr w = { 0 };

	if (!proc_key_decode(body, &key))
		return;
	memcpy(state.tunnel, key.tunnel, sizeof(state.tunnel));
	if (signer_key_set(signer, &key, &diag) != 0) {
		state.ok = false;
		snprintf(state.text, sizeof(state.text), "%s", diag.text);
	}
	proc_key_state_encode(&w, &state);
	proc_chan_send(main_chan, &w, -1);
}

static void from_main(const struct proc_header *header, struct rd body, int fd)
{
	struct proc_peer peer;
	struct proc_name name;

	if (header->type == PROC_KEY) {
		take_key(body);
	} else if (header->type == PROC_KEY_GONE && proc_name_decode(body, &name)) {
		signer_key_gone(signer, name.name);
	} else if (header->type == PROC_PEER && fd >= 0 && proc_peer_decode(body, &peer) && peer.who == PROC_IKE) {
		proc_chan_free(ike_chan);
		ike_chan = proc_chan_new(fd);
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void lose_ike(void)
{
	struct wr w = { 0 };

	helper_log(main_chan, "signer: ike sent a request that makes no sense; nothing more is signed for it");
	proc_plain_encode(&w, PROC_LOST);
	proc_chan_send(main_chan, &w, -1);
	proc_chan_free(ike_chan);
	ike_chan = NULL;
}

/* It has ended, or said what is no message. */
static void ike_gone(void)
{
	if (!proc_chan_has_ended(ike_chan)) {
		lose_ike();
		return;
	}
	proc_chan_free(ike_chan);
	ike_chan = NULL;
}

/* ike is not trusted: anything but a request ends the talk with it. */
static void from_ike(const struct proc_header *header, struct rd body, int fd)
{
	struct proc_sign sign;
	struct wr w = { 0 };

	if (fd >= 0)
		close(fd);
	if (header->type == PROC_SIGN && proc_sign_decode(body, &sign)) {
		signer_answer(signer, &sign, &w);
		proc_chan_send(ike_chan, &w, -1);
		return;
	}
	lose_ike();
}

static void drain(struct proc_chan *chan, void (*take)(const struct proc_header *header, struct rd body, int fd))
{
	struct proc_header header;
	struct rd body;
	int fd;

	/* a bounded number, so that neither starves the other */
	for (unsigned i = 0; i < 64 && proc_chan_receive(chan, &header, &body, &fd) == 1; i++) {
		take(&header, body, fd);
		if (take == from_ike && !ike_chan)
			return;
	}
}

static short events_of(const struct proc_chan *chan)
{
	return (short)(POLLIN | (proc_chan_wants_write(chan) ? POLLOUT : 0));
}

/* Who does not read its answers is asked for no more requests. */
static short ike_events(void)
{
	return proc_chan_wants_write(ike_chan) ? POLLOUT : POLLIN;
}

static void serve(void)
{
	while (!proc_chan_is_broken(main_chan)) {
		struct pollfd fds[2] = { { proc_chan_fd(main_chan), events_of(main_chan), 0 }, { -1, 0, 0 } };

		if (ike_chan)
			fds[1] = (struct pollfd){ proc_chan_fd(ike_chan), ike_events(), 0 };
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		proc_chan_flush(main_chan);
		drain(main_chan, from_main);
		if (ike_chan) {
			proc_chan_flush(ike_chan);
			if (!proc_chan_wants_write(ike_chan))
				drain(ike_chan, from_ike);
		}
		if (ike_chan && proc_chan_is_broken(ike_chan))
			ike_gone();
	}
}

int main(int argc, char **argv)
{
	static const struct option known[] = { { "keys", required_argument, NULL, 'k' }, { 0 } };
	const char *dir = NULL;
	struct diag diag;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) == 'k')
		dir = optarg;
	main_chan = helper_begin("sav-ike-signer");
	if (!dir || c != -1)
		return 2;
	if (enter(dir, &diag) != 0)
		helper_give_up(main_chan, &diag);
	helper_ready(main_chan);
	serve();
	signer_free(signer);
	_exit(0); /* exit handlers would want system calls that are gone */
}
