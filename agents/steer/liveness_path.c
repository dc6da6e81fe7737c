/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/liveness_path.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MS 1000
/* The first answer may have to wait for address resolution, or a tunnel's keys. */
#define PATIENCE_US (1000 * MS)
/* A BFD session that is all we have must come up in this time: two slow packets. */
#define BFD_PATIENCE_US (3000 * MS)
/* A daemon that is started anew so often is a failure. */
#define EXCUSE_US (60000 * (int64_t)MS)

static const char *near_name(const struct path *path)
{
	return path->kind == PATH_LINK ? "gateway" : "head";
}

bool watched_can_send(const struct watched *w)
{
	return w->path.ifindex &&
	       (w->path.has_source[IP_V4] || w->path.has_source[IP_V6]);
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- beginning ---- */

static const struct ip_addr *near_address(const struct path *path, enum ip_family f)
{
	if (!path->has_source[f])
		return NULL;
	if (path->kind == PATH_LINK)
		return path->has_gateway[f] ? &path->gateway[f] : NULL;
	return path->has_head[f] ? &path->head[f] : NULL;
}

static void add_probe(struct watched *w, const struct ip_addr *to, bool beyond,
		      uint64_t random, int64_t now_us)
{
	/* not all paths' probes at the same moment */
	int64_t first =
		now_us + (int64_t)(random % (uint64_t)(w->conf.interval_us / 4 + 1));

	w->beyond[w->n_probes] = beyond;
	probe_init(&w->probes[w->n_probes++], to, first, now_us);
}

static struct bfd_conf bfd_conf_of(const struct path_watch *watch)
{
	struct bfd_conf conf = { .min_tx_us = watch->bfd_interval_ms * MS,
				 .min_rx_us = watch->bfd_interval_ms * MS,
				 .mult = (uint8_t)watch->bfd_multiplier,
				 .auth_type = watch->bfd_auth,
				 .key_id = watch->bfd_key_id };

	static_assert(sizeof(conf.key) == sizeof(watch->bfd_key), "SHA1 keys");
	memcpy(conf.key, watch->bfd_key, sizeof(conf.key));
	return conf;
}

static void take_times(struct watched *w)
{
	const struct path_watch *watch = &w->path.watch;

	w->conf.interval_us = (int64_t)watch->interval_ms * MS;
	w->conf.timeout_us = (int64_t)watch->timeout_ms * MS;
	w->conf.patience_us = w->conf.timeout_us + PATIENCE_US;
}

static void begin_bfd(struct watched *w, enum ip_family f, const struct ip_addr *peer,
		      uint64_t random, int64_t now_us)
{
	struct watched_bfd *b = &w->bfd[f];
	struct bfd_conf conf = bfd_conf_of(&w->path.watch);
	/* the low bits say whose it is: see liveness.c */
	uint32_t discr = (uint32_t)random << 7 | w->path.number << 1 | f;

	*b = (struct watched_bfd){ .used = true, .peer = *peer };
	bfd_init(&b->session, &conf, discr, random, now_us);
}

static void begin_all_bfd(struct watched *w, int64_t now_us,
			  uint64_t (*random)(void *ctx), void *ctx)
{
	const struct path_watch *watch = &w->path.watch;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		const struct ip_addr *peer = near_address(&w->path, f);

		w->bfd[f].used = false;
		if (watch->bfd_multihop)
			peer = w->path.has_source[f] && watch->bfd_peer.family == f
				       ? &watch->bfd_peer
				       : NULL;
		if (watch->bfd && peer)
			begin_bfd(w, f, peer, random(ctx), now_us);
	}
}

void watched_begin(struct watched *w, const struct path *path, int64_t now_us,
		   uint64_t (*random)(void *ctx), void *ctx)
{
	w->path = *path;
	w->begun_us = now_us;
	w->ident = (uint16_t)random(ctx);
	w->n_probes = 0;
	take_times(w);
	if (!watched_can_send(w))
		return;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES && path->watch.probe; f++) {
		const struct ip_addr *to = near_address(path, f);

		if (to)
			add_probe(w, to, false, random(ctx), now_us);
	}
	for (size_t i = 0; i < path->watch.n_targets && path->watch.probe; i++) {
		const struct ip_addr *to = &path->watch.targets[i];

		if (path->has_source[to->family])
			add_probe(w, to, true, random(ctx), now_us);
	}
	begin_all_bfd(w, now_us, random, ctx);
}

void watched_update(struct watched *w, const struct path *path, int64_t now_us)
{
	struct bfd_conf conf = bfd_conf_of(&path->watch);
	bool went = w->path.device_up && !path->device_up;

	w->path = *path;
	take_times(w);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (w->bfd[f].used)
			bfd_configure(&w->bfd[f].session, &conf, now_us);
	}
	for (size_t i = 0; i < w->n_probes && went; i++)
		probe_forget(&w->probes[i]);
}

/* ---- judging ---- */

/* RFC 5882 section 4.2: a neighbor that takes its session down says nothing of
 * the path. Nor does one that has never been up. */
static enum evidence judge_bfd(struct watched *w, int64_t now_us,
			       char reason[PATH_REASON_SIZE])
{
	enum evidence all = EVIDENCE_NONE;
	char text[IP_TEXT_SIZE];

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		struct watched_bfd *b = &w->bfd[f];

		if (!b->used || b->session.state == BFD_ADMIN_DOWN ||
		    b->session.remote_state == BFD_ADMIN_DOWN) {
			b->known = false;
			continue;
		}
		if (b->session.state == BFD_UP) {
			b->known = true;
			all = EVIDENCE_GOOD;
		} else if (b->known || (!w->path.watch.probe &&
					now_us - w->begun_us >= BFD_PATIENCE_US)) {
			snprintf(reason, PATH_REASON_SIZE, "BFD with %s: %s",
				 ip_addr_format(&b->peer, text),
				 b->known ? bfd_diag_text(b->session.diag) : "never up");
			return EVIDENCE_BAD;
		}
	}
	return all;
}

/* The next hop is there, though it answers no echo. Of what is beyond, a target's
 * silence is what the operator has asked for. */
static bool bfd_proves(const struct watched *w, const struct probe *p, bool beyond)
{
	const struct watched_bfd *b = &w->bfd[p->to.family];

	if (beyond)
		return false;
	return b->used && b->session.state == BFD_UP && ip_addr_equal(&b->peer, &p->to);
}

static enum evidence judge_probes(const struct watched *w, char reason[PATH_REASON_SIZE])
{
	struct quorum_item items[LIVENESS_PROBES_MAX];

	for (size_t i = 0; i < w->n_probes; i++) {
		items[i].to = &w->probes[i].to;
		items[i].beyond = w->beyond[i];
		items[i].state = bfd_proves(w, &w->probes[i], w->beyond[i])
					 ? PROBE_ALIVE
					 : w->probes[i].state;
	}
	return quorum_judge(items, w->n_probes, w->path.watch.quorum, near_name(&w->path),
			    reason);
}

static bool has_bfd(const struct watched *w)
{
	return w->bfd[IP_V4].used || w->bfd[IP_V6].used;
}

/* Where nothing is known yet there is nothing to excuse: the first start of sav-iked
 * is none of two. */
static bool is_excused(struct watched *w, int64_t now_us)
{
	bool begins = w->path.excused && !w->excused && w->fsm.phase != LIVENESS_UNKNOWN;

	w->excused = w->path.excused;
	if (begins && w->excused_us && now_us - w->excused_us < EXCUSE_US)
		w->refused = true;
	else if (begins)
		w->excused_us = now_us;
	if (!w->excused)
		w->refused = false;
	return w->excused && !w->refused;
}

enum evidence watched_judge(struct watched *w, int64_t now_us,
			    char reason[PATH_REASON_SIZE])
{
	enum evidence bfd;

	if (is_excused(w, now_us))
		return EVIDENCE_NONE;
	if (w->path.ifindex ? !w->path.device_up : w->fsm.phase != LIVENESS_UNKNOWN) {
		snprintf(reason, PATH_REASON_SIZE, "%s",
			 w->path.kind == PATH_TUNNEL ? "the tunnel is down"
			 : w->path.ifindex	     ? "the interface is down"
						     : "the interface is gone, or in a VRF");
		return EVIDENCE_BAD;
	}
	if (!watched_can_send(w))
		return EVIDENCE_NONE;
	bfd = judge_bfd(w, now_us, reason);
	if (bfd == EVIDENCE_BAD)
		return bfd;
	if (w->n_probes)
		return judge_probes(w, reason);
	/* nothing to ask: what the interface says is all there is */
	return has_bfd(w) ? bfd : EVIDENCE_GOOD;
}

int64_t watched_due_us(const struct watched *w, int64_t now_us)
{
	int64_t due = liveness_fsm_due_ms(&w->fsm, w->path.watch.hold_ms);

	if (due != INT64_MAX)
		due *= MS;
	if (!w->path.device_up)
		return due;
	for (size_t i = 0; i < w->n_probes; i++)
		due = min64(due, probe_due_us(&w->probes[i], &w->conf));
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (!w->bfd[f].used)
			continue;
		due = min64(due, bfd_due_us(&w->bfd[f].session));
		if (now_us < w->begun_us + BFD_PATIENCE_US)
			due = min64(due, w->begun_us + BFD_PATIENCE_US);
	}
	return due;
}
