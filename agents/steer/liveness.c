/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/liveness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/steer/liveness_path.h"
#include "lib/mem.h"

#define MS 1000
/* So late a call is the machine's ordinary business; what is more is a stall, or
 * a clock that was set. */
#define LATE_US (100 * MS)
/* A session's discriminator has the path's number and family in its low bits. */
#define DISCR_NUMBER(discr) ((discr) >> 1 & PATH_NUMBER_MAX)
#define DISCR_FAMILY(discr) ((enum ip_family)((discr)&1))

struct liveness {
	struct liveness_ops ops;
	void *ctx;
	struct watched *paths[PATH_NUMBER_MAX + 1]; /* by number, or NULL */
	/* Our time is the clock's minus offset_us. */
	int64_t offset_us, last_us, due_us;
	struct liveness_counters counters;
};

struct liveness *liveness_new(const struct liveness_ops *ops, void *ctx)
{
	struct liveness *l = mem_alloc(sizeof(*l));

	l->ops = *ops;
	l->ctx = ctx;
	l->due_us = INT64_MAX;
	return l;
}

static void forget(struct liveness *l, uint32_t number)
{
	if (!l->paths[number])
		return;
	l->ops.close(l->ctx, number);
	free(l->paths[number]);
	l->paths[number] = NULL;
}

void liveness_free(struct liveness *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; i <= PATH_NUMBER_MAX; i++)
		forget(l, i);
	free(l);
}

/* Our time, which goes neither back nor on while nobody calls. */
static int64_t our_time(struct liveness *l, int64_t clock_us)
{
	int64_t now = clock_us - l->offset_us, most = l->due_us;

	if (now < l->last_us)
		now = l->last_us;
	if (most < l->last_us)
		most = l->last_us;
	if (most < INT64_MAX - LATE_US && now > most + LATE_US)
		now = most + LATE_US;
	l->offset_us = clock_us - now;
	l->last_us = now;
	return now;
}

/* ---- paths ---- */

/* Only times differ, or the interface's state. */
static bool same_way(const struct path *a, const struct path *b)
{
	struct path copy = *a;

	copy.watch.interval_ms = b->watch.interval_ms;
	copy.watch.timeout_ms = b->watch.timeout_ms;
	copy.watch.hold_ms = b->watch.hold_ms;
	copy.watch.bfd_interval_ms = b->watch.bfd_interval_ms;
	copy.watch.bfd_multiplier = b->watch.bfd_multiplier;
	copy.watch.bfd_min_ttl = b->watch.bfd_min_ttl;
	copy.watch.quorum = b->watch.quorum;
	return path_same_way(&copy, b);
}

static void begin(struct liveness *l, struct watched *w, const struct path *path,
		  int64_t now)
{
	watched_begin(w, path, now, l->ops.random, l->ctx);
	if (watched_can_send(w))
		l->ops.open(l->ctx, path, w->ident);
}

/* Nobody is told: who calls us has said so. */
static void begin_dead(struct watched *w)
{
	liveness_fsm_dead(&w->fsm);
	w->told.alive = PATH_DOWN;
	snprintf(w->reason, sizeof(w->reason), "%s",
		 "it was dead when sav-agent was started");
}

static void set_path(struct liveness *l, const struct path *path, int64_t now)
{
	struct watched *w = l->paths[path->number];

	if (!w) {
		w = l->paths[path->number] = mem_alloc(sizeof(*w));
		w->told = (struct path_state){ .alive = PATH_UNKNOWN,
					       .since_ms = (now + l->offset_us) / MS,
					       .rtt_us = -1,
					       .loss_percent = -1 };
		if (path->was_dead)
			begin_dead(w);
		begin(l, w, path, now);
	} else if (same_way(&w->path, path) && !(w->path.excused && !path->excused)) {
		watched_update(w, path, now);
	} else {
		/* what was asked while it was excused says nothing either */
		l->ops.close(l->ctx, path->number);
		/* an interface that goes away is a failure; another one is none */
		if (path->ifindex)
			liveness_fsm_restart(&w->fsm);
		begin(l, w, path, now);
	}
}

void liveness_set(struct liveness *l, const struct path *paths, size_t n, int64_t now_us)
{
	int64_t now = our_time(l, now_us);
	bool listed[PATH_NUMBER_MAX + 1] = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (paths[i].number == 0 || paths[i].number > PATH_NUMBER_MAX)
			continue;
		listed[paths[i].number] = true;
		set_path(l, &paths[i], now);
	}
	for (uint32_t i = 0; i <= PATH_NUMBER_MAX; i++) {
		if (!listed[i])
			forget(l, i);
	}
	l->due_us = now;
}

/* ---- what comes in ---- */

static struct watched *watched_of(const struct liveness *l, uint32_t number)
{
	return number <= PATH_NUMBER_MAX ? l->paths[number] : NULL;
}

void liveness_echo(struct liveness *l, uint32_t number, const struct ip_addr *from,
		   const uint8_t *data, size_t len, int64_t now_us)
{
	struct watched *w = watched_of(l, number);
	int64_t now = our_time(l, now_us);
	struct probe_echo echo;

	/* another path's, or another program's */
	if (!w || !probe_decode(from->family, data, len, &echo) || echo.ident != w->ident)
		return;
	for (size_t i = 0; i < w->n_probes; i++) {
		if (ip_addr_equal(&w->probes[i].to, from) &&
		    probe_answer(&w->probes[i], &echo, liveness_fsm_need(&w->fsm), now)) {
			l->due_us = now;
			return;
		}
	}
	l->counters.strange_echo++;
}

static bool is_of(const struct watched *w, const struct liveness_datagram *d)
{
	const struct watched_bfd *b = &w->bfd[d->from.family];

	return b->used && w->path.watch.bfd_multihop == d->multihop &&
	       ip_addr_equal(&b->peer, &d->from) &&
	       ip_addr_equal(&w->path.source[d->to.family], &d->to) &&
	       (d->multihop || d->ifindex == w->path.ifindex);
}

/* RFC 5880 section 6.3: by our discriminator, which must also fit; else by what
 * the packet was sent between (RFC 5881 section 3, RFC 5883 section 4.1). */
static struct watched *owner_of(struct liveness *l, const struct liveness_datagram *d,
				uint32_t discr)
{
	struct watched *w = l->paths[DISCR_NUMBER(discr)];

	if (discr) {
		if (!w || !is_of(w, d) ||
		    w->bfd[d->from.family].session.local_discr != discr)
			return NULL;
		return w;
	}
	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		if (l->paths[i] && is_of(l->paths[i], d))
			return l->paths[i];
	}
	return NULL;
}

static enum bfd_error take_bfd(struct liveness *l, const struct liveness_datagram *d,
			       int64_t now)
{
	struct bfd_packet packet;
	enum bfd_error error;
	struct watched *w;

	if (!d->multihop && d->ttl != BFD_TTL)
		return BFD_BAD_TTL;
	error = bfd_decode(d->data, d->len, &packet);
	if (error != BFD_OK)
		return error;
	w = owner_of(l, d, packet.your_discr);
	if (!w)
		return BFD_NO_SESSION;
	/* who is farther away than the peer cannot have it arrive with as much */
	if (d->multihop && d->ttl < (int)w->path.watch.bfd_min_ttl)
		return BFD_BAD_TTL;
	return bfd_receive(&w->bfd[d->from.family].session, &packet, d->data, d->len,
			   now);
}

void liveness_bfd(struct liveness *l, const struct liveness_datagram *d, int64_t now_us)
{
	int64_t now = our_time(l, now_us);

	l->counters.bfd[take_bfd(l, d, now)]++;
	l->due_us = now;
}

bool liveness_bfd_shutdown(struct liveness *l, uint32_t number, bool down, int64_t now_us)
{
	struct watched *w = watched_of(l, number);
	int64_t now = our_time(l, now_us);
	bool any = false;

	for (enum ip_family f = IP_V4; w && f < IP_FAMILIES; f++) {
		if (!w->bfd[f].used)
			continue;
		bfd_set_admin_down(&w->bfd[f].session, down, now);
		any = true;
	}
	l->due_us = now;
	return any;
}

/* ---- what goes out ---- */

static void run_probe(struct liveness *l, struct watched *w, struct probe *p, int64_t now)
{
	uint8_t out[PROBE_ECHO_BYTES];
	struct probe_echo echo;

	probe_tick(p, &w->conf, now);
	if (now < p->due_us)
		return;
	echo = probe_next(p, &w->conf, l->ops.random(l->ctx), now);
	echo.ident = w->ident;
	probe_encode(p->to.family, &echo, out);
	probe_sent(p, l->ops.send_echo(l->ctx, w->path.number, &p->to, out, sizeof(out)),
		   now);
}

static void run_bfd(struct liveness *l, struct watched *w, struct watched_bfd *b,
		    int64_t now)
{
	uint16_t port =
		w->path.watch.bfd_multihop ? BFD_PORT_MULTIHOP : BFD_PORT_SINGLE_HOP;
	uint8_t out[BFD_PACKET_MAX];
	size_t len;

	bfd_tick(&b->session, now);
	while ((len = bfd_next(&b->session, now, out)) > 0)
		l->ops.send_bfd(l->ctx, w->path.number, &b->peer, port, out, len);
}

static void run_path(struct liveness *l, struct watched *w, int64_t now)
{
	char reason[PATH_REASON_SIZE] = "";
	enum evidence evidence;

	for (size_t i = 0; i < w->n_probes && w->path.device_up; i++)
		run_probe(l, w, &w->probes[i], now);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (w->bfd[f].used && w->path.device_up)
			run_bfd(l, w, &w->bfd[f], now);
	}
	evidence = watched_judge(w, now, reason);
	liveness_fsm_step(&w->fsm, evidence, w->path.watch.hold_ms, now / MS);
	if (evidence == EVIDENCE_BAD)
		memcpy(w->reason, reason, sizeof(w->reason));
}

/* ---- what becomes known ---- */

static bool is_live(const struct watched *w)
{
	return (w->fsm.phase == LIVENESS_UP || w->fsm.phase == LIVENESS_UNKNOWN) &&
	       watched_can_send(w) && w->path.device_up;
}

static bool has_other_of(const struct liveness *l, const struct watched *w,
			 enum ip_family f)
{
	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		const struct watched *other = l->paths[i];

		if (other && other != w && is_live(other) && other->path.possible[f] &&
		    strcmp(other->path.provider, w->path.provider) == 0)
			return true;
	}
	return false;
}

/* Other paths of the same provider carry all that this one could. */
static bool has_other(const struct liveness *l, const struct watched *w)
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (w->path.possible[f] && !has_other_of(l, w, f))
			return false;
	}
	return true;
}

static void promote(struct liveness *l, int64_t now)
{
	bool alone[PATH_NUMBER_MAX + 1] = { 0 };

	/* all of them, before the first makes the others wait */
	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		struct watched *w = l->paths[i];

		alone[i] = w && w->fsm.phase == LIVENESS_HELD && !has_other(l, w);
	}
	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		if (alone[i])
			liveness_fsm_promote(&l->paths[i]->fsm, now / MS);
	}
}

static enum path_alive alive_of(const struct watched *w)
{
	switch (w->fsm.phase) {
	case LIVENESS_UNKNOWN:
		return PATH_UNKNOWN;
	case LIVENESS_UP:
		return PATH_UP;
	case LIVENESS_HELD:
	case LIVENESS_DOWN:
		return PATH_DOWN;
	}
	return PATH_UNKNOWN;
}

/* The round trip is that of the nearest that answers; the loss is the worst of
 * those that ever answered (a gateway that never does is no loss). */
static void figures(const struct liveness *l, const struct watched *w,
		    struct path_state *out)
{
	out->rtt_us = -1;
	out->loss_percent = -1;
	for (size_t i = w->n_probes; i-- > 0;) {
		const struct probe *p = &w->probes[i];
		int loss = probe_loss(p, &w->conf, l->last_us);

		if (p->received == 0)
			continue;
		out->rtt_us = p->rtt_us;
		out->loss_percent = loss > out->loss_percent ? loss : out->loss_percent;
	}
	if (out->rtt_us < 0 && w->n_probes)
		out->loss_percent = probe_loss(&w->probes[0], &w->conf, l->last_us);
}

static void summary(const struct liveness *l, const struct watched *w,
		    struct path_state *out)
{
	int64_t left;

	*out = w->told;
	figures(l, w, out);
	out->reason[0] = '\0';
	if (w->fsm.phase == LIVENESS_DOWN)
		memcpy(out->reason, w->reason, sizeof(out->reason));
	if (w->fsm.phase != LIVENESS_HELD)
		return;
	left = liveness_fsm_due_ms(&w->fsm, w->path.watch.hold_ms) - l->last_us / MS;
	snprintf(out->reason, sizeof(out->reason),
		 "answers again, on hold for %lld s more",
		 (long long)(left < 0 ? 0 : (left + 999) / 1000));
}

static void tell(struct liveness *l, struct watched *w)
{
	enum path_alive alive = alive_of(w);
	struct path_state state;

	if (alive == w->told.alive)
		return;
	w->told.alive = alive;
	w->told.since_ms = (l->last_us + l->offset_us) / MS;
	summary(l, w, &state);
	l->ops.changed(l->ctx, w->path.number, &state);
}

int64_t liveness_run(struct liveness *l, int64_t now_us)
{
	int64_t now = our_time(l, now_us), due = INT64_MAX;

	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		if (l->paths[i])
			run_path(l, l->paths[i], now);
	}
	promote(l, now);
	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		if (l->paths[i])
			tell(l, l->paths[i]);
	}
	for (uint32_t i = 1; i <= PATH_NUMBER_MAX; i++) {
		int64_t next = l->paths[i] ? watched_due_us(l->paths[i], now) : INT64_MAX;

		due = next < due ? next : due;
	}
	l->due_us = due;
	return due == INT64_MAX ? due : due + l->offset_us;
}

/* ---- for people ---- */

bool liveness_state(const struct liveness *l, uint32_t number, struct path_state *out)
{
	const struct watched *w = watched_of(l, number);

	if (w)
		summary(l, w, out);
	return w;
}

size_t liveness_probes(const struct liveness *l, uint32_t number,
		       struct liveness_probe_status out[LIVENESS_PROBES_MAX])
{
	const struct watched *w = watched_of(l, number);
	size_t n = w ? w->n_probes : 0;

	for (size_t i = 0; i < n; i++) {
		const struct probe *p = &w->probes[i];

		out[i] = (struct liveness_probe_status){
			.to = p->to,
			.beyond = w->beyond[i],
			.state = p->state,
			.rtt_us = p->rtt_us,
			.loss_percent = probe_loss(p, &w->conf, l->last_us),
			.sent = p->sent,
			.received = p->received,
		};
	}
	return n;
}

const struct bfd *liveness_bfd_session(const struct liveness *l, uint32_t number,
				       enum ip_family family, struct ip_addr *peer)
{
	const struct watched *w = watched_of(l, number);

	if (!w || !w->bfd[family].used)
		return NULL;
	*peer = w->bfd[family].peer;
	return &w->bfd[family].session;
}

const struct liveness_counters *liveness_counters(const struct liveness *l)
{
	return &l->counters;
}
