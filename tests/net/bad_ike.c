/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bad_ike - stands in for sav-ike after somebody took it over: says that it is
 * ready, and does harm to main, the signer and esp over the channels it has.
 *
 * Each start does the next harm, by a number in the file "harm" beside the
 * program.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ipsec/proc.h"
#include "lib/mem.h"

static struct proc_chan *main_chan, *signer, *esp;

static unsigned next_harm(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 8);
	unsigned number = 0;
	FILE *f;

	if (n < 0)
		return 0;
	path[n] = '\0';
	strcpy(strrchr(path, '/'), "/harm");
	f = fopen(path, "r+");
	if (!f || fscanf(f, "%u", &number) != 1)
		return 0;
	rewind(f);
	fprintf(f, "%u\n", number + 1);
	fclose(f);
	return number;
}

static void send_bytes(struct proc_chan *chan, const void *data, size_t len)
{
	struct wr w = { 0 };

	wr_bytes(&w, data, len);
	proc_chan_send(chan, &w, -1);
}

/* A message of this type with that many bytes of nonsense. */
static void send_nonsense(struct proc_chan *chan, uint8_t type, size_t len)
{
	uint8_t *data = mem_alloc(len + 2);

	data[0] = PROC_VERSION;
	data[1] = type;
	memset(data + 2, 0xff, len);
	send_bytes(chan, data, len + 2);
	free(data);
}

static void send_event(const char *text)
{
	struct proc_event event = { .event = PROC_EVENT_LOG };
	struct wr w = { 0 };

	snprintf(event.text, sizeof(event.text), "%s", text);
	proc_event_encode(&w, &event);
	proc_chan_send(main_chan, &w, -1);
}

/* What is whole but never asked for: nothing may come of it. */
static void send_unasked(void)
{
	struct proc_result result = { .id = 1, .ok = true, .text = "\033[2J" };
	struct proc_sa *sa = mem_alloc(sizeof(*sa));
	struct wr w = { 0 };

	snprintf(sa->state, sizeof(sa->state), "\033]0;x\a");
	sa->path.local.addr.family = sa->path.remote.addr.family = IP_V4;
	for (unsigned i = 0; i < 500; i++) {
		proc_result_encode(&w, &result);
		proc_chan_send(main_chan, &w, -1);
		proc_sa_encode(&w, sa);
		proc_chan_send(main_chan, &w, -1);
		proc_plain_encode(&w, PROC_READY);
		proc_chan_send(main_chan, &w, -1);
	}
	free(sa);
}

/* Until the ends of signer and esp come, or a second has passed. */
static void wait_for_the_others(void)
{
	for (unsigned i = 0; i < 100 && (!signer || !esp); i++) {
		struct pollfd pfd = { proc_chan_fd(main_chan), POLLIN, 0 };
		struct proc_header header;
		struct proc_peer peer;
		struct rd body;
		int fd;

		(void)poll(&pfd, 1, 10);
		while (proc_chan_receive(main_chan, &header, &body, &fd) == 1)
			if (header.type == PROC_PEER && proc_peer_decode(body, &peer) && peer.who == PROC_SIGNER)
				signer = proc_chan_new(fd);
			else if (header.type == PROC_PEER && peer.who == PROC_ESP)
				esp = proc_chan_new(fd);
			else if (fd >= 0)
				close(fd);
	}
}

static void flood(struct proc_chan *chan, unsigned n)
{
	for (unsigned i = 0; i < n && !proc_chan_is_broken(chan); i++) {
		struct pollfd pfd = { proc_chan_fd(chan), POLLOUT, 0 };

		send_event("\033[31mflood\n\r\x01");
		while (proc_chan_wants_write(chan)) {
			(void)poll(&pfd, 1, 100);
			proc_chan_flush(chan);
		}
	}
}

static void harm(unsigned number)
{
	static const uint8_t types_to_main[] = { PROC_EVENT, PROC_SA, PROC_COUNTERS, PROC_KEY_STATE, PROC_WANTED, 0, 255 };

	switch (number % 6) {
	case 0:
		send_unasked();
		flood(main_chan, 2000000);
		break;
	case 1: /* an empty packet is an end; a message of another version is none */
		send_bytes(main_chan, "\x77\x01", 2);
		break;
	case 2:
		wait_for_the_others();
		if (signer)
			send_nonsense(signer, PROC_SIGN, 4000);
		break;
	case 3:
		wait_for_the_others();
		if (signer)
			send_bytes(signer, "\x77\x77\x77", 3);
		break;
	case 4:
		wait_for_the_others();
		if (esp)
			send_nonsense(esp, PROC_CHILD_ADD, 500);
		break;
	default:
		send_nonsense(main_chan, types_to_main[number / 6 % sizeof(types_to_main)], 64 << number % 10);
	}
}

int main(void)
{
	struct timespec long_time = { 30, 0 };
	struct wr w = { 0 };

	main_chan = proc_chan_new(PROC_CONTROL_FD);
	proc_plain_encode(&w, PROC_READY);
	proc_chan_send(main_chan, &w, -1);
	harm(next_harm());
	/* it is ended by main, or it stays, and the test fails */
	nanosleep(&long_time, NULL);
	return 0;
}
