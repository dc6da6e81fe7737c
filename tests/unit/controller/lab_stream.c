/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/controller/lab_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/feed/bmp.h"
#include "tests/unit/feed/bmp_build.h"

struct lab_stream *lab_stream(struct lab *lab, const char *router)
{
	for (size_t i = LAB_STREAMS_MAX; i-- > 0;) {
		struct lab_stream *s = &lab->streams[i];

		if (s->feed && !s->dead && strcmp(s->router, router) == 0)
			return s;
	}
	lab_fail(lab, "bad script: %s has no stream", router);
}

int lab_bytes(struct lab *lab, struct lab_stream *s, struct wr *bytes)
{
	int ret = engine_feed_bytes(s->feed, bytes->data, bytes->len, lab->now_ms,
				    &lab->diag);

	wr_fini(bytes);
	if (ret < 0)
		s->dead = true;
	return ret;
}

static void flow(struct lab *lab, struct lab_stream *s, struct wr *bytes)
{
	if (lab_bytes(lab, s, bytes) < 0)
		lab_fail(lab, "%s", lab->diag.text);
}

static struct lab_stream *stream_open(struct lab *lab, const char *router,
				      const char *from)
{
	struct ip_addr source = lab_addr(lab, from);
	struct lab_stream *s = NULL;
	size_t i;

	/* after those of the same router that are open still */
	for (i = LAB_STREAMS_MAX; i > 0; i--) {
		if (lab->streams[i - 1].feed &&
		    strcmp(lab->streams[i - 1].router, router) == 0)
			break;
	}
	for (; i < LAB_STREAMS_MAX && !s; i++) {
		if (!lab->streams[i].feed)
			s = &lab->streams[i];
	}
	if (!s)
		lab_fail(lab, "bad script: too many streams");
	*s = (struct lab_stream){ .feed = NULL };
	snprintf(s->router, sizeof(s->router), "%s", router);
	s->feed = engine_feed_open(lab->engine, &source, s, lab->now_ms);
	return s;
}

static void do_open(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);

	stream_open(lab, router, words_next_or(w, "10.255.0.1"));
}

static void do_init(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, words_next(w));
	struct wr out = { 0 };

	build_initiation(&out, "test 1.0", words_next(w));
	flow(lab, s, &out);
}

static void do_connect(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);
	struct lab_stream *s = stream_open(lab, router, words_next_or(w, "10.255.0.1"));
	struct wr out = { 0 };

	build_initiation(&out, "test 1.0", router);
	flow(lab, s, &out);
}

static void stream_close(struct lab *lab, struct lab_stream *s, const char *why)
{
	engine_feed_close(s->feed, why, lab->now_ms);
	s->feed = NULL;
}

static void do_close(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);

	for (size_t i = 0; i < LAB_STREAMS_MAX; i++) {
		if (lab->streams[i].feed && strcmp(lab->streams[i].router, router) == 0) {
			stream_close(lab, &lab->streams[i], "closed by the test");
			return;
		}
	}
	lab_fail(lab, "bad script: %s has no stream", router);
}

static void do_redump(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, words_next(w));

	if (!s->redump)
		lab_fail(lab, "it was not asked for");
	stream_close(lab, s, "re-dump");
	w->at = 1;
	do_connect(lab, w);
}

static void do_quiet(struct lab *lab, struct words *w)
{
	if (lab_stream(lab, words_next(w))->redump)
		lab_fail(lab, "it was asked for");
}

static void do_up(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, words_next(w));
	struct build_peer peer = { .addr = words_next(w) };
	const char *local = words_next(w);
	struct build_open us = { .as = LAB_OWN_AS, .id = 1, .role = -1 };
	struct build_open them = { .id = 2, .role = -1 };
	struct wr out = { 0 };

	them.as = peer.as = (uint32_t)atoi(words_next_or(w, "65001"));
	them.role = atoi(words_next_or(w, "-1"));
	us.graceful_restart = true;
	them.graceful_restart = them.restart =
		strcmp(words_next_or(w, ""), "restart") == 0;
	build_peer_up(&out, &peer, local, &us, &them);
	flow(lab, s, &out);
}

static void do_down(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, words_next(w));
	struct build_peer peer = { .addr = words_next(w) };
	struct wr out = { 0 };

	build_peer_down(&out, &peer,
			strcmp(words_next_or(w, ""), "notified") == 0
				? BMP_DOWN_REMOTE_NOTIFICATION
				: BMP_DOWN_REMOTE);
	flow(lab, s, &out);
}

static void route(struct lab *lab, struct words *w, const char *verb, uint8_t flags)
{
	struct lab_stream *s = lab_stream(lab, words_next(w));
	struct build_peer peer = { .addr = words_next(w), .as = 65001, .flags = flags };
	uint32_t path[LAB_WORDS_MAX];
	const char *prefix;
	struct wr out = { 0 };
	size_t n = 0;

	if (strcmp(verb, "eor") == 0) {
		build_end_of_rib(&out, &peer, IP_V4);
		build_end_of_rib(&out, &peer, IP_V6);
		flow(lab, s, &out);
		return;
	}
	prefix = words_next(w);
	while (w->at < w->n)
		path[n++] = (uint32_t)strtoul(words_next(w), NULL, 10);
	if (n == 0)
		path[n++] = 65001;
	if (strcmp(verb, "add") == 0)
		build_announce(&out, &peer, prefix, path, n);
	else
		build_withdraw(&out, &peer, prefix);
	flow(lab, s, &out);
}

/* Its Adj-RIB-In has so many routes, the router reports. */
static void do_stats(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, words_next(w));
	struct build_peer peer = { .addr = words_next(w), .as = 65001 };
	struct wr out = { 0 }, body = { 0 };

	build_peer_header(&body, &peer);
	wr_be32(&body, 1);
	wr_be16(&body, 7);
	wr_be16(&body, 8);
	wr_be64(&body, strtoull(words_next(w), NULL, 10));
	build_bmp(&out, BMP_STATISTICS, &body);
	wr_fini(&body);
	flow(lab, s, &out);
}

static void do_add(struct lab *lab, struct words *w)
{
	route(lab, w, "add", 0);
}

static void do_del(struct lab *lab, struct words *w)
{
	route(lab, w, "del", 0);
}

static void do_eor(struct lab *lab, struct words *w)
{
	route(lab, w, "eor", 0);
}

static void do_post(struct lab *lab, struct words *w)
{
	const char *verb = words_next(w);

	route(lab, w, verb, BMP_FLAG_POST);
}

/* Every second /24 from 40.0.0.0, so that they do not join. */
static void prefix_text(uint32_t i, char text[32])
{
	snprintf(text, 32, "%u.%u.%u.0/24", 40 + (i >> 15), i >> 7 & 255, (i & 127) * 2);
}

/* Many to a message, as other exporters than FRR have it. */
static void many(struct lab *lab, struct words *w, bool announce)
{
	struct lab_stream *s = lab_stream(lab, words_next(w));
	struct build_peer peer = { .addr = words_next(w), .as = 65001 };
	uint32_t from = (uint32_t)atoi(words_next(w)), to = (uint32_t)atoi(words_next(w));
	struct wr out = { 0 };

	while (from < to) {
		struct build_update u = { 0 };

		if (announce)
			build_usual(&u.attrs, &peer.as, 1);
		for (int n = 0; n < 900 && from < to; n++, from++) {
			char text[32];

			prefix_text(from, text);
			build_prefix(announce ? &u.nlri : &u.withdrawn, text);
		}
		build_routes(&out, &peer, &u);
	}
	if (lab_bytes(lab, s, &out) < 0)
		lab_fail(lab, "%s", lab->diag.text);
}

static void do_fill(struct lab *lab, struct words *w)
{
	many(lab, w, true);
}

static void do_drain(struct lab *lab, struct words *w)
{
	many(lab, w, false);
}

static void do_bad(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, words_next(w));
	struct wr out = { 0 };

	build_initiation(&out, "test 1.0", s->router);
	if (lab_bytes(lab, s, &out) == 0)
		lab_fail(lab, "the bytes are taken");
	if (strcmp(lab->diag.text, words_rest(w)) != 0)
		lab_fail(lab, "it says \"%s\"", lab->diag.text);
	stream_close(lab, s, "refused");
}

const struct lab_command lab_stream_commands[] = {
	{ "connect", do_connect }, { "open", do_open },	  { "init", do_init },
	{ "up", do_up },	   { "down", do_down },	  { "stats", do_stats },
	{ "add", do_add },	   { "del", do_del },	  { "eor", do_eor },
	{ "post", do_post },	   { "close", do_close }, { "bad", do_bad },
	{ "fill", do_fill },	   { "drain", do_drain },
	{ "redump", do_redump },   { "quiet", do_quiet }, { NULL, NULL },
};
