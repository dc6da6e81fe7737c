/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Liveness without the agent around it, for tests/net/liveness.
 *
 * usage: live_driver <commands
 *   set N WORD=VALUE...   a path: if, src, gw, target, mhop, mark, interval, timeout,
 *                         hold, quorum, bfd (ms), mult, ttl, auth (4, 5), key,
 *                         probe (0), provider
 *   delete N
 *   shutdown N, no-shutdown N  of its BFD sessions
 *   show                  a line for each thing there is, what is counted last
 * Prints a line of JSON for each change; "ms" is the machine's monotonic clock.
 */
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/steer/liveness_io.h"

#define PATHS_MAX   8
#define WATCHED_MAX 64

struct driver {
	struct path paths[PATHS_MAX];
	struct pollfd fds[WATCHED_MAX];
	size_t n_fds;
	struct liveness_io *io;
	enum bfd_state bfd_told[PATHS_MAX];
};

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void on_changed(void *ctx, uint32_t number, const struct path_state *s)
{
	(void)ctx;
	printf("{\"ms\":%" PRId64 ",\"path\":%u,\"state\":\"%s\",\"reason\":\"%s\"}\n",
	       now_us() / 1000, number, path_alive_name(s->alive), s->reason);
}

static void on_note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s%s\n", alarm ? "alarm: " : "", text);
}

static void on_watch(void *ctx, int fd, bool on)
{
	struct driver *d = ctx;

	for (size_t i = 0; !on && i < d->n_fds; i++) {
		if (d->fds[i].fd == fd) {
			d->fds[i] = d->fds[--d->n_fds];
			return;
		}
	}
	if (on && d->n_fds < WATCHED_MAX)
		d->fds[d->n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void set_address(struct path *p, const char *word, const struct ip_addr *a)
{
	if (strcmp(word, "src") == 0) {
		p->has_source[a->family] = true;
		p->source[a->family] = *a;
	} else if (strcmp(word, "gw") == 0) {
		p->has_gateway[a->family] = true;
		p->gateway[a->family] = *a;
	} else if (strcmp(word, "target") == 0 && p->watch.n_targets < PATH_TARGETS_MAX) {
		p->watch.targets[p->watch.n_targets++] = *a;
	} else if (strcmp(word, "mhop") == 0) {
		p->watch.bfd = p->watch.bfd_multihop = true;
		p->watch.bfd_peer = *a;
	}
}

static void set_word(struct path *p, const char *word, const char *value)
{
	uint32_t n = (uint32_t)strtoul(value, NULL, 0);
	struct path_watch *w = &p->watch;
	struct ip_addr a;

	if (ip_addr_parse(value, &a)) {
		set_address(p, word, &a);
	} else if (strcmp(word, "if") == 0) {
		p->ifindex = if_nametoindex(value);
		p->device_up = p->ifindex != 0;
		snprintf(p->name, sizeof(p->name), "%s", value);
	} else if (strcmp(word, "provider") == 0) {
		snprintf(p->provider, sizeof(p->provider), "%s", value);
	} else if (strcmp(word, "mark") == 0) {
		p->mark = n;
	} else if (strcmp(word, "interval") == 0) {
		w->interval_ms = n;
	} else if (strcmp(word, "timeout") == 0) {
		w->timeout_ms = n;
	} else if (strcmp(word, "hold") == 0) {
		w->hold_ms = n;
	} else if (strcmp(word, "quorum") == 0) {
		w->quorum = n;
	} else if (strcmp(word, "bfd") == 0) {
		w->bfd = true;
		w->bfd_interval_ms = n;
	} else if (strcmp(word, "ttl") == 0) {
		w->bfd_min_ttl = n;
	} else if (strcmp(word, "auth") == 0) {
		w->bfd_auth = (uint8_t)n; /* its number on the wire */
		w->bfd_key_id = 7;
	} else if (strcmp(word, "key") == 0) {
		memset(w->bfd_key, 0, sizeof(w->bfd_key));
		memcpy(w->bfd_key, value, strnlen(value, sizeof(w->bfd_key)));
	} else if (strcmp(word, "mult") == 0) {
		w->bfd_multiplier = n;
	} else if (strcmp(word, "probe") == 0) {
		w->probe = n;
	} else {
		fprintf(stderr, "no word \"%s\"\n", word);
		exit(2);
	}
}

static void tell_paths(struct driver *d)
{
	struct path list[PATHS_MAX];
	size_t n = 0;

	for (int i = 1; i < PATHS_MAX; i++) {
		if (d->paths[i].number)
			list[n++] = d->paths[i];
	}
	liveness_io_set(d->io, list, n, now_us());
}

static void set_path(struct driver *d, uint32_t number, char *rest)
{
	struct path *p = &d->paths[number];
	char *word, *save;

	if (!p->number) {
		p->number = number;
		p->possible[IP_V4] = p->possible[IP_V6] = true;
		path_watch_default(&p->watch);
	}
	for (word = strtok_r(rest, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		set_word(p, word, value);
	}
	tell_paths(d);
}

static void delete_path(struct driver *d, uint32_t number)
{
	d->paths[number] = (struct path){ 0 };
	d->bfd_told[number] = BFD_ADMIN_DOWN;
	tell_paths(d);
}

static void show_bfd(struct driver *d, uint32_t number, const char *end)
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		struct ip_addr peer;
		const struct bfd *s =
			liveness_bfd_session(liveness_io_core(d->io), number, f, &peer);
		char text[IP_TEXT_SIZE];

		if (!s)
			continue;
		printf("{\"ms\":%" PRId64 ",\"path\":%u,\"bfd\":\"%s\",\"peer\":\"%s\","
		       "\"diag\":\"%s\",\"interval_us\":%u,\"detection_us\":%" PRIu64
		       ",\"remote_tx_us\":%u,\"poll\":%d,\"received\":%" PRIu64 "}%s",
		       now_us() / 1000, number, bfd_state_name(s->state),
		       ip_addr_format(&peer, text), bfd_diag_text(s->diag),
		       bfd_interval_us(s), bfd_detection_us(s), s->remote_min_tx_us,
		       s->poll, s->received, end);
	}
}

static void show(struct driver *d)
{
	const struct liveness_counters *c =
		liveness_counters(liveness_io_core(d->io));
	struct path_state s;

	for (uint32_t i = 1; i < PATHS_MAX; i++) {
		if (!liveness_state(liveness_io_core(d->io), i, &s))
			continue;
		printf("{\"show\":%u,\"state\":\"%s\",\"reason\":\"%s\",\"rtt_us\":"
		       "%" PRId64 ",\"loss\":%d}\n",
		       i, path_alive_name(s.alive), s.reason, s.rtt_us, s.loss_percent);
		show_bfd(d, i, "\n");
	}
	printf("{\"show\":0,\"refused\":%" PRIu64 ",\"ttl\":%" PRIu64 "}\n",
	       c->bfd[BFD_BAD_AUTH], c->bfd[BFD_BAD_TTL]);
}

static bool command(struct driver *d)
{
	char line[512], *rest;
	uint32_t number;

	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (strncmp(line, "show", 4) == 0) {
		show(d);
		return true;
	}
	rest = strchr(line, ' ');
	number = rest ? (uint32_t)strtoul(rest, &rest, 10) : 0;
	if (number == 0 || number >= PATHS_MAX) {
		fprintf(stderr, "what? %s", line);
		exit(2);
	}
	if (strncmp(line, "set ", 4) == 0)
		set_path(d, number, rest);
	else if (strncmp(line, "delete ", 7) == 0)
		delete_path(d, number);
	else
		liveness_bfd_shutdown(liveness_io_core(d->io), number, line[0] == 's',
				      now_us());
	return true;
}

/* A line for each change of a session's state. */
static void tell_bfd(struct driver *d)
{
	for (uint32_t i = 1; i < PATHS_MAX; i++) {
		struct ip_addr peer;
		const struct bfd *s =
			liveness_bfd_session(liveness_io_core(d->io), i, IP_V4, &peer);

		if (!s || s->state == d->bfd_told[i])
			continue;
		d->bfd_told[i] = s->state;
		show_bfd(d, i, "\n");
	}
}

static void read_ready(struct driver *d)
{
	int ready[WATCHED_MAX];
	size_t n = 0;

	for (size_t i = 1; i < d->n_fds; i++) {
		if (d->fds[i].revents)
			ready[n++] = d->fds[i].fd;
	}
	for (size_t i = 0; i < n; i++)
		liveness_io_readable(d->io, ready[i], now_us());
}

int main(void)
{
	static const struct liveness_io_ops ops = {
		.changed = on_changed,
		.note = on_note,
		.watch = on_watch,
	};
	static struct driver d;

	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	d.fds[d.n_fds++] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	d.io = liveness_io_new(&ops, &d);
	for (;;) {
		int64_t due = liveness_io_run(d.io, now_us()), wait;

		tell_bfd(&d);
		wait = due == INT64_MAX ? -1 : (due - now_us() + 999) / 1000;
		if (wait < 0 && due != INT64_MAX)
			wait = 0;
		if (poll(d.fds, d.n_fds, (int)(wait > 60000 ? 60000 : wait)) < 0)
			continue;
		if (d.fds[0].revents && !command(&d))
			break;
		read_ready(&d);
	}
	liveness_io_free(d.io);
	return 0;
}
