/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Liveness in virtual time, by the scenarios in liveness/: what the network does,
 * and what is expected of each path. Commands, one a line:
 *
 *   path N PROVIDER gateway|head A... [target A...] [quorum N] [interval MS]
 *        [timeout MS] [hold MS] [bfd [deaf]] [noprobe] [dead] [silent A...]
 *   set N WORD VALUE        the same path with another time, or "source" A
 *   link N up|down|away|restarting|made|keyless
 *                           its interface; away: there is none; restarting: nor
 *                           is there sav-iked, which has then made another one
 *                           and not yet set it up, or has no keys for it
 *   mute N on|off           requests do not leave this machine
 *   loss N PERCENT [A]      of packets each way, or what A answers
 *   delay N MS              of an answer
 *   can N all|ipv4|none     what could be routed by it if it lives
 *   peer N admin-down|up    of the BFD session
 *   run MS
 *   flap N MS TIMES         its interface goes and comes, each time for MS
 *   stall MS                nobody calls for so long; the network goes on
 *   jump MS                 the clock is set, and nobody calls
 *   mark                    "within" counts from here, "changes" too
 *   state N STATE [REASON]  unknown, up or down, and how its reason begins
 *   within N MIN MAX        its last change came so many ms after the mark
 *   changes N MIN MAX       so many since the mark
 *   spoof N                 answers by somebody who has not seen the requests
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/steer/liveness.h"
#include "lib/mem.h"

#define MS	   1000
#define PATHS	   10
#define FLIGHT_MAX 512

struct far {
	struct path path;
	bool away, mute;
	unsigned int loss;
	int64_t delay_us;
	struct ip_addr lossy, silent[PATH_TARGETS_MAX];
	size_t n_silent;
	unsigned int lossy_percent;
	bool has_lossy, bfd;
	struct bfd peer;
	unsigned int changes;
	int64_t changed_us;
	enum path_alive alive;
	uint64_t asked;
};

struct flight {
	int64_t at_us;
	uint32_t number;
	struct ip_addr from;
	uint8_t data[20 + PROBE_ECHO_BYTES];
	size_t len;
};

struct world {
	struct liveness *l;
	int64_t now, clock, due; /* clock: what liveness is told */
	int64_t mark;
	uint64_t random;
	struct far far[PATHS];
	struct flight flight[FLIGHT_MAX];
	size_t n_flight;
	unsigned int runs;
	int line;
	const char *file;
};

static uint64_t next_random(void *ctx)
{
	struct world *w = ctx;

	w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return w->random ^ w->random >> 29;
}

static bool is_lost(struct world *w, unsigned int percent)
{
	return (next_random(w) >> 20) % 100 < percent;
}

static void complain(const struct world *w, const char *what)
{
	print_error("%s:%d: %s\n", w->file, w->line, what);
	fail();
}

/* ---- the network ---- */

static void no_open(void *ctx, const struct path *path, uint16_t ident)
{
	(void)ctx;
	(void)ident;
	assert_true(path->ifindex > 0);
}

static void no_close(void *ctx, uint32_t number)
{
	(void)ctx;
	(void)number;
}

static bool answers(const struct far *f, const struct ip_addr *to)
{
	for (size_t i = 0; i < f->n_silent; i++) {
		if (ip_addr_equal(&f->silent[i], to))
			return false;
	}
	return true;
}

/* The reply, as a raw socket gives it. */
static bool send_echo(void *ctx, uint32_t number, const struct ip_addr *to,
		      const uint8_t *data, size_t len)
{
	struct world *w = ctx;
	struct far *f = &w->far[number];
	unsigned int lossy =
		f->has_lossy && ip_addr_equal(to, &f->lossy) ? f->lossy_percent : 0;
	struct flight *fl = &w->flight[w->n_flight];
	size_t header = to->family == IP_V4 ? 20 : 0;

	if (f->mute)
		return false;
	f->asked++;
	assert_true(f->path.device_up && f->path.ifindex);
	assert_int_equal(len, PROBE_ECHO_BYTES);
	assert_int_equal(data[0], to->family == IP_V4 ? 8 : 128);
	if (is_lost(w, f->loss) || is_lost(w, lossy) || !answers(f, to))
		return true;
	assert_true(w->n_flight < FLIGHT_MAX);
	w->n_flight++;
	*fl = (struct flight){ .at_us = w->now + f->delay_us,
			       .number = number,
			       .from = *to };
	fl->data[0] = 0x45;
	memcpy(fl->data + header, data, len);
	fl->data[header] = to->family == IP_V4 ? 0 : 129;
	fl->len = header + len;
	return true;
}

static void to_us(struct world *w, uint32_t number, const uint8_t *data, size_t len)
{
	struct far *f = &w->far[number];
	struct liveness_datagram d = { .from = f->path.gateway[IP_V4],
				       .to = f->path.source[IP_V4],
				       .ifindex = f->path.ifindex,
				       .ttl = 255,
				       .data = data,
				       .len = len };

	if (f->path.device_up && !is_lost(w, f->loss))
		liveness_bfd(w->l, &d, w->clock);
}

static void send_bfd(void *ctx, uint32_t number, const struct ip_addr *to, uint16_t port,
		     const uint8_t *data, size_t len)
{
	struct world *w = ctx;
	struct far *f = &w->far[number];
	struct bfd_packet packet;

	assert_int_equal(port, BFD_PORT_SINGLE_HOP);
	assert_true(ip_addr_equal(to, &f->path.gateway[IP_V4]));
	assert_int_equal(bfd_decode(data, len, &packet), BFD_OK);
	if (f->bfd && !is_lost(w, f->loss))
		bfd_receive(&f->peer, &packet, data, len, w->now);
}

static void changed(void *ctx, uint32_t number, const struct path_state *state)
{
	struct world *w = ctx;
	struct far *f = &w->far[number];

	assert_int_not_equal(state->alive, f->alive);
	if (state->alive == PATH_DOWN)
		assert_string_not_equal(state->reason, "");
	f->alive = state->alive;
	f->changes++;
	f->changed_us = w->now;
}

static const struct liveness_ops ops = {
	.open = no_open,
	.close = no_close,
	.send_echo = send_echo,
	.send_bfd = send_bfd,
	.changed = changed,
	.random = next_random,
};

static void drop_bfd(void *ctx, uint32_t number, const struct ip_addr *to, uint16_t port,
		     const uint8_t *data, size_t len)
{
	(void)ctx;
	(void)number;
	(void)to;
	(void)data;
	(void)len;
	assert_true(port == BFD_PORT_MULTIHOP || port == BFD_PORT_SINGLE_HOP);
}

static const struct liveness_ops multihop_ops = {
	.open = no_open,
	.close = no_close,
	.send_echo = send_echo,
	.send_bfd = drop_bfd,
	.changed = changed,
	.random = next_random,
};

/* ---- time ---- */

static void peers_send(struct world *w)
{
	uint8_t out[BFD_PACKET_MAX];
	size_t len;

	for (uint32_t i = 0; i < PATHS; i++) {
		if (!w->far[i].bfd)
			continue;
		bfd_tick(&w->far[i].peer, w->now);
		while ((len = bfd_next(&w->far[i].peer, w->now, out)) > 0)
			to_us(w, i, out, len);
	}
}

static void land(struct world *w)
{
	for (size_t i = 0; i < w->n_flight;) {
		struct flight f = w->flight[i];

		if (f.at_us > w->now) {
			i++;
			continue;
		}
		w->flight[i] = w->flight[--w->n_flight];
		if (w->far[f.number].path.device_up)
			liveness_echo(w->l, f.number, &f.from, f.data, f.len, w->clock);
	}
}

static void call(struct world *w)
{
	int64_t due;

	peers_send(w);
	land(w);
	due = liveness_run(w->l, w->clock);
	peers_send(w);
	w->due = due == INT64_MAX ? due : due - w->clock + w->now;
	w->runs++;
}

static int64_t next_event(const struct world *w)
{
	int64_t next = w->due;

	for (size_t i = 0; i < w->n_flight; i++)
		next = w->flight[i].at_us < next ? w->flight[i].at_us : next;
	for (int i = 0; i < PATHS; i++) {
		int64_t due = w->far[i].bfd ? bfd_due_us(&w->far[i].peer) : INT64_MAX;

		next = due < next ? due : next;
	}
	return next;
}

static void run(struct world *w, int64_t us)
{
	int64_t end = w->now + us, step;
	unsigned int spins = 0;

	call(w);
	while (next_event(w) <= end) {
		step = next_event(w) - w->now;
		spins = step > 0 ? 0 : spins + 1;
		if (spins > 20)
			complain(w, "runs without end");
		if (step > 0) {
			w->now += step;
			w->clock += step;
		}
		call(w);
	}
	w->clock += end - w->now;
	w->now = end;
}

/* ---- commands ---- */

static struct far *far_of(struct world *w, const char *word)
{
	long n = word ? strtol(word, NULL, 10) : 0;

	if (n < 1 || n >= PATHS)
		complain(w, "no path of that number");
	return &w->far[n];
}

static void tell_paths(struct world *w)
{
	struct path paths[PATHS];
	size_t n = 0;

	for (int i = 1; i < PATHS; i++) {
		if (w->far[i].path.number)
			paths[n++] = w->far[i].path;
	}
	liveness_set(w->l, paths, n, w->clock);
	call(w);
}

static bool take_time(struct path_watch *watch, const char *word, const char *value)
{
	uint32_t n = (uint32_t)strtoul(value, NULL, 10);

	if (strcmp(word, "interval") == 0)
		watch->interval_ms = n;
	else if (strcmp(word, "timeout") == 0)
		watch->timeout_ms = n;
	else if (strcmp(word, "hold") == 0)
		watch->hold_ms = n;
	else if (strcmp(word, "quorum") == 0)
		watch->quorum = n;
	else if (strcmp(word, "bfd-interval") == 0)
		watch->bfd_interval_ms = n;
	else
		return false;
	return true;
}

static void take_address(struct far *f, const char *what, const struct ip_addr *a)
{
	struct path *p = &f->path;

	if (strcmp(what, "target") == 0) {
		p->watch.targets[p->watch.n_targets++] = *a;
	} else if (strcmp(what, "silent") == 0) {
		f->silent[f->n_silent++] = *a;
	} else if (strcmp(what, "head") == 0) {
		p->kind = PATH_TUNNEL;
		p->has_head[a->family] = true;
		p->head[a->family] = *a;
	} else {
		p->has_gateway[a->family] = true;
		p->gateway[a->family] = *a;
	}
}

static void make_path(struct world *w, struct far *f, uint32_t number,
		      const char *provider, char **rest)
{
	const struct bfd_conf fast = { .min_tx_us = 100 * MS,
				       .min_rx_us = 100 * MS,
				       .mult = 3 };
	const char *word, *what = "";
	struct ip_addr a;

	*f = (struct far){ .delay_us = 5 * MS };
	path_watch_default(&f->path.watch);
	f->path.number = number;
	f->path.ifindex = number + 100;
	f->path.device_up = true;
	f->path.has_source[IP_V4] = f->path.has_source[IP_V6] = true;
	f->path.possible[IP_V4] = f->path.possible[IP_V6] = true;
	ip_addr_parse("192.0.2.2", &f->path.source[IP_V4]);
	ip_addr_parse("2001:db8::2", &f->path.source[IP_V6]);
	snprintf(f->path.provider, sizeof(f->path.provider), "%s", provider);
	while ((word = strtok_r(NULL, " ", rest))) {
		if (strcmp(word, "bfd") == 0) {
			f->bfd = f->path.watch.bfd = true;
			bfd_init(&f->peer, &fast, number + 77, number, w->now);
		} else if (strcmp(word, "deaf") == 0) {
			f->bfd = false;
		} else if (strcmp(word, "dead") == 0) {
			f->path.was_dead = true;
			f->alive = PATH_DOWN;
		} else if (strcmp(word, "noprobe") == 0) {
			f->path.watch.probe = false;
		} else if (ip_addr_parse(word, &a)) {
			take_address(f, what, &a);
		} else if (strspn(word, "0123456789") == strlen(word)) {
			if (!take_time(&f->path.watch, what, word))
				complain(w, "no such time");
		} else {
			what = word;
		}
	}
	tell_paths(w);
}

static void set_link(struct world *w, struct far *f, const char *to)
{
	const bool gone = strcmp(to, "restarting") == 0 || strcmp(to, "away") == 0;
	const bool made = strcmp(to, "made") == 0, keyless = strcmp(to, "keyless") == 0;

	f->path.device_up = strcmp(to, "up") == 0 || keyless;
	if (f->away && (f->path.device_up || made))
		f->path.ifindex += 1000;
	f->path.excused = strcmp(to, "restarting") == 0 || made || keyless;
	f->away = gone;
	if (f->away)
		f->path.ifindex = 0;
	else if (!f->path.ifindex)
		f->path.ifindex = f->path.number + 200;
	tell_paths(w);
}

/* The answer to every request that there can be but for the random number. */
static void spoof(struct world *w, struct far *f, uint32_t number)
{
	struct probe_echo echo = { 0 };
	uint8_t data[20 + PROBE_ECHO_BYTES] = { 0x45 };

	for (uint32_t i = 0; i < 1 << 16; i++) {
		echo.sequence = (uint16_t)i;
		echo.token = next_random(w);
		probe_encode(IP_V4, &echo, data + 20);
		data[20] = 0;
		for (uint32_t ident = 0; ident < 1 << 16; ident += 4099) {
			data[24] = (uint8_t)(ident >> 8);
			data[25] = (uint8_t)ident;
			liveness_echo(w->l, number, &f->path.gateway[IP_V4], data,
				      sizeof(data), w->clock);
		}
	}
}

static void expect_state(struct world *w, uint32_t number, const char *want,
			 const char *reason)
{
	struct path_state s;
	char text[256];

	assert_true(liveness_state(w->l, number, &s));
	snprintf(text, sizeof(text), "%s %s", path_alive_name(s.alive), s.reason);
	if (strcmp(path_alive_name(s.alive), want) != 0 ||
	    (*reason && strncmp(s.reason, reason, strlen(reason)) != 0))
		complain(w, text);
}

static void expect_range(struct world *w, int64_t value, char **rest)
{
	int64_t min = strtoll(strtok_r(NULL, " ", rest), NULL, 10);
	int64_t max = strtoll(strtok_r(NULL, " ", rest), NULL, 10);
	char text[80];

	snprintf(text, sizeof(text), "it was %" PRId64, value);
	if (value < min || value > max)
		complain(w, text);
}

static void mark(struct world *w)
{
	w->mark = w->now;
	for (int i = 0; i < PATHS; i++) {
		w->far[i].changes = 0;
		w->far[i].changed_us = -1;
	}
}

static int64_t number_of(char **rest)
{
	const char *word = strtok_r(NULL, " ", rest);

	return word ? strtoll(word, NULL, 10) : 0;
}

/* Commands of the whole world; false: it is one of a path. */
static bool world_command(struct world *w, const char *command, char **rest)
{
	int64_t n;

	if (strcmp(command, "run") == 0) {
		run(w, number_of(rest) * MS);
	} else if (strcmp(command, "stall") == 0) {
		n = number_of(rest) * MS;
		w->now += n;
		w->clock += n;
		call(w);
	} else if (strcmp(command, "jump") == 0) {
		w->clock += number_of(rest) * MS;
		call(w);
	} else if (strcmp(command, "mark") == 0) {
		mark(w);
	} else {
		return false;
	}
	return true;
}

static void set_value(struct world *w, struct far *f, char **rest)
{
	const char *word = strtok_r(NULL, " ", rest), *value = strtok_r(NULL, " ", rest);

	if (strcmp(word, "source") == 0)
		assert_true(ip_addr_parse(value, &f->path.source[IP_V4]));
	else if (!take_time(&f->path.watch, word, value))
		complain(w, "no such time");
	tell_paths(w);
}

static void set_loss(struct far *f, char **rest)
{
	unsigned int percent = (unsigned int)number_of(rest);
	const char *address = strtok_r(NULL, " ", rest);

	f->has_lossy = address && ip_addr_parse(address, &f->lossy);
	if (f->has_lossy)
		f->lossy_percent = percent;
	else
		f->loss = percent;
}

static void flap(struct world *w, struct far *f, char **rest)
{
	int64_t period = number_of(rest) * MS, times = number_of(rest);

	for (int64_t i = 0; i < times; i++) {
		set_link(w, f, "down");
		run(w, period);
		set_link(w, f, "up");
		run(w, period);
	}
}

static void path_command(struct world *w, const char *command, char **rest)
{
	const char *number = strtok_r(NULL, " ", rest);
	struct far *f = far_of(w, number);
	uint32_t n = (uint32_t)(f - w->far);
	const char *word;

	if (strcmp(command, "path") == 0) {
		word = strtok_r(NULL, " ", rest);
		make_path(w, f, n, word, rest);
	} else if (strcmp(command, "set") == 0) {
		set_value(w, f, rest);
	} else if (strcmp(command, "link") == 0) {
		set_link(w, f, strtok_r(NULL, " ", rest));
	} else if (strcmp(command, "loss") == 0) {
		set_loss(f, rest);
	} else if (strcmp(command, "delay") == 0) {
		f->delay_us = number_of(rest) * MS;
	} else if (strcmp(command, "flap") == 0) {
		flap(w, f, rest);
	} else if (strcmp(command, "mute") == 0) {
		word = strtok_r(NULL, " ", rest);
		f->mute = strcmp(word, "on") == 0;
	} else if (strcmp(command, "can") == 0) {
		word = strtok_r(NULL, " ", rest);
		f->path.possible[IP_V4] = strcmp(word, "none") != 0;
		f->path.possible[IP_V6] = strcmp(word, "all") == 0;
		tell_paths(w);
	} else if (strcmp(command, "peer") == 0) {
		word = strtok_r(NULL, " ", rest);
		bfd_set_admin_down(&f->peer, strcmp(word, "up") != 0, w->now);
		call(w);
	} else if (strcmp(command, "state") == 0) {
		word = strtok_r(NULL, " ", rest);
		expect_state(w, n, word, *rest ? *rest : "");
	} else if (strcmp(command, "within") == 0) {
		expect_range(w, f->changed_us < 0 ? -1 : (f->changed_us - w->mark) / MS,
			     rest);
	} else if (strcmp(command, "changes") == 0) {
		expect_range(w, f->changes, rest);
	} else if (strcmp(command, "spoof") == 0) {
		spoof(w, f, n);
	} else {
		complain(w, "no such command");
	}
}

static void run_scenario(void **state)
{
	const char *src = getenv("OPENSAV_SRC"), *command;
	struct world *w = mem_alloc(sizeof(*w));
	char path[512], line[512], *rest;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/unit/agents/liveness/%s", src ? src : ".",
		 (const char *)*state);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s is not there (set OPENSAV_SRC)", path);
	w->file = *state;
	w->now = w->clock = 1000000 * (int64_t)MS;
	w->random = 42;
	w->l = liveness_new(&ops, w);
	while (fgets(line, sizeof(line), f)) {
		w->line++;
		line[strcspn(line, "#\n")] = '\0';
		command = strtok_r(line, " ", &rest);
		if (command && !world_command(w, command, &rest))
			path_command(w, command, &rest);
	}
	fclose(f);
	liveness_free(w->l);
	free(w);
}

/* ---- BFD packets that are not for us, or that nobody on the link can have sent ---- */

static uint64_t counted(struct world *w, enum bfd_error error)
{
	return liveness_counters(w->l)->bfd[error];
}

/* With one path, whose BFD nobody answers. */
static struct world *bfd_world(const struct liveness_ops *with)
{
	char line[] = "isp1 gateway 192.0.2.1 bfd deaf", *rest, *word;
	struct world *w = mem_alloc(sizeof(*w));

	w->now = w->clock = 1000000 * (int64_t)MS;
	w->random = 42;
	w->l = liveness_new(with, w);
	word = strtok_r(line, " ", &rest);
	make_path(w, &w->far[1], 1, word, &rest);
	return w;
}

static void test_strange_bfd(void **state)
{
	struct world *w = bfd_world(&ops);
	struct bfd_packet p = { .state = BFD_DOWN,
				.mult = 3,
				.my_discr = 5,
				.min_rx_us = 1000000,
				.min_tx_us = 1000000 };
	uint8_t data[BFD_PACKET_MAX];
	struct liveness_datagram good, d;
	struct ip_addr peer;

	(void)state;
	good = (struct liveness_datagram){ .from = w->far[1].path.gateway[IP_V4],
					   .to = w->far[1].path.source[IP_V4],
					   .ifindex = w->far[1].path.ifindex,
					   .ttl = 255,
					   .data = data,
					   .len = bfd_encode(&p, data) };

	d = good;
	d.ttl = 254; /* RFC 5881 section 5: from beyond the link */
	liveness_bfd(w->l, &d, w->clock);
	d.ttl = -1;
	liveness_bfd(w->l, &d, w->clock);
	assert_int_equal(counted(w, BFD_BAD_TTL), 2);
	d = good;
	d.from.v++;
	liveness_bfd(w->l, &d, w->clock);
	d = good;
	d.to.v++;
	liveness_bfd(w->l, &d, w->clock);
	d = good;
	d.ifindex++; /* RFC 5881 section 3: by another link */
	liveness_bfd(w->l, &d, w->clock);
	d = good;
	d.multihop = true; /* by the other port */
	liveness_bfd(w->l, &d, w->clock);
	assert_int_equal(counted(w, BFD_NO_SESSION), 4);
	d = good;
	d.len--;
	liveness_bfd(w->l, &d, w->clock);
	assert_int_equal(counted(w, BFD_BAD_LENGTH), 1);
	/* discriminators of nobody, of every path and family */
	for (uint32_t i = 1; i < 1u << 9; i++) {
		p.your_discr = i;
		d = good;
		d.len = bfd_encode(&p, data);
		liveness_bfd(w->l, &d, w->clock);
	}
	assert_int_equal(counted(w, BFD_NO_SESSION), 4 + (1 << 9) - 1);
	assert_int_equal(counted(w, BFD_OK), 0);
	assert_int_equal(liveness_bfd_session(w->l, 1, IP_V4, &peer)->state, BFD_DOWN);
	p.your_discr = 0;
	d = good;
	d.len = bfd_encode(&p, data);
	liveness_bfd(w->l, &d, w->clock);
	assert_int_equal(counted(w, BFD_OK), 1);
	assert_int_equal(liveness_bfd_session(w->l, 1, IP_V4, &peer)->state, BFD_INIT);
	liveness_free(w->l);
	free(w);
}

/* RFC 5883 has no TTL of 255 to go by, but who is farther away than the peer can be
 * told from it. */
static void test_multihop_ttl(void **state)
{
	struct world *w = bfd_world(&multihop_ops);
	struct bfd_packet p = { .state = BFD_DOWN,
				.mult = 3,
				.my_discr = 5,
				.min_rx_us = 1000000,
				.min_tx_us = 1000000 };
	struct path *path = &w->far[1].path;
	struct liveness_datagram d = { .multihop = true };
	uint8_t data[BFD_PACKET_MAX];

	(void)state;
	path->watch.bfd_multihop = true;
	assert_true(ip_addr_parse("198.51.100.1", &path->watch.bfd_peer));
	tell_paths(w);
	d.from = path->watch.bfd_peer;
	d.to = path->source[IP_V4];
	d.data = data;
	d.len = bfd_encode(&p, data);
	for (d.ttl = -1; d.ttl < 254; d.ttl++)
		liveness_bfd(w->l, &d, w->clock);
	assert_int_equal(counted(w, BFD_BAD_TTL), 255);
	assert_int_equal(counted(w, BFD_OK), 0);
	liveness_bfd(w->l, &d, w->clock);
	assert_int_equal(counted(w, BFD_OK), 1);
	path->watch.bfd_min_ttl = 250;
	tell_paths(w);
	d.ttl = 249;
	liveness_bfd(w->l, &d, w->clock);
	assert_int_equal(counted(w, BFD_OK), 1);
	d.ttl = 250;
	liveness_bfd(w->l, &d, w->clock);
	assert_int_equal(counted(w, BFD_OK), 2);
	liveness_free(w->l);
	free(w);
}

#define SCENARIO(name)                                                                   \
	{                                                                                \
		name, run_scenario, NULL, NULL, (char *)(uintptr_t)name                  \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO("silence"),
		SCENARIO("link"),
		SCENARIO("targets"),
		SCENARIO("hold"),
		SCENARIO("restart"),
		SCENARIO("impossible"),
		SCENARIO("loss"),
		SCENARIO("unsent"),
		SCENARIO("flaps"),
		SCENARIO("clock"),
		SCENARIO("bfd"),
		SCENARIO("bfd-beyond"),
		SCENARIO("families"),
		SCENARIO("other-ways"),
		SCENARIO("satellite"),
		SCENARIO("spoofed"),
		cmocka_unit_test(test_strange_bfd),
		cmocka_unit_test(test_multihop_ttl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
