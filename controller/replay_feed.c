/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/replay.h"

#include <stdlib.h>
#include <time.h>

#include "controller/feed/bmp_feed.h"
#include "controller/feed/mrt_feed.h"
#include "controller/feed/unpack.h"
#include "controller/policy/config_feed.h"
#include "lib/mem.h"

/* What is known of a peer besides its routes; hangs on it in the rib. */
struct peer_note {
	bool ibgp;
};

struct reading {
	struct replay *r;
	struct replay_input *in;
	struct bmp_feed *bmp; /* one of the two */
	struct mrt_feed *mrt;
};

double replay_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void note_ibgp(struct rib_peer *peer, bool ibgp)
{
	struct peer_note *note = rib_peer_user(peer);

	if (!note) {
		note = mem_alloc(sizeof(*note));
		rib_peer_set_user(peer, note);
	}
	note->ibgp = ibgp;
}

static void on_bmp_event(const struct bmp_event *event, void *arg)
{
	const struct reading *rd = arg;

	if (event->type == BMP_EVENT_REFUSED)
		fprintf(stderr, "sav-replay: %s: %s\n", rd->in->path, event->text);
	if (event->type == BMP_EVENT_PEER_UP)
		note_ibgp(event->peer, event->info->is_ibgp);
}

static void on_mrt_session(struct rib_peer *peer, const struct mrt_session *s, void *arg)
{
	(void)arg;
	note_ibgp(peer, s->peer_as == s->local_as && s->peer_as != 0 &&
				s->peer_as != BGP_AS_TRANS);
}

/* ---- what is wrong with an input */

static void warn_count(const struct replay_input *in, uint64_t n, const char *what)
{
	if (n != 0)
		fprintf(stderr, "sav-replay: %s: %llu %s\n", in->path, (unsigned long long)n,
			what);
}

/* The first of them lies in the message or record at this byte. */
static void warn_place(const struct replay_input *in, uint64_t n, const char *what,
		       uint64_t first)
{
	if (n != 0)
		fprintf(stderr, "sav-replay: %s: %llu %s, the first at byte %llu\n", in->path,
			(unsigned long long)n, what, (unsigned long long)first);
}

static void warn_searches(const struct replay_input *in, uint64_t searches, uint64_t bytes,
			  const char *what, uint64_t first)
{
	if (searches != 0)
		fprintf(stderr,
			"sav-replay: %s: %llu bytes in %llu places are not %s, the first at "
			"byte %llu (skipped)\n",
			in->path, (unsigned long long)bytes, (unsigned long long)searches, what,
			(unsigned long long)first);
}

#define LEFT_OUT "paths beyond the bound of their peer left out (feed max-paths)"

static void warn_bmp(const struct replay_input *in, const struct bmp_feed *feed)
{
	const struct bmp_feed_stats *s = bmp_feed_stats(feed);

	uint64_t first = s->first_damaged;

	warn_place(in, s->malformed, "damaged messages skipped", first);
	warn_searches(in, s->searches, s->skipped, "BMP messages", s->first_skip);
	warn_place(in, s->treat_as_withdraw, "damaged updates taken as withdrawals (RFC 7606)",
		   first);
	warn_place(in, s->host_bits, "prefixes with host bits set (masked)",
		   s->first_host_bits);
	warn_place(in, s->left_out, LEFT_OUT, s->first_left_out);
	warn_count(in, s->by_type[7], "messages of unknown type ignored");
	warn_count(in, bmp_feed_pending(feed),
		   "bytes of an unfinished message at the end of the file");
}

static void warn_mrt(const struct replay_input *in, const struct mrt_feed *feed)
{
	const struct mrt_feed_stats *s = mrt_feed_stats(feed);

	uint64_t first = s->first_damaged;

	warn_place(in, s->malformed, "damaged records skipped", first);
	warn_searches(in, s->searches, s->skipped, "MRT records", s->first_skip);
	warn_place(in, s->treat_as_withdraw,
		   "announcements with bad attributes taken as withdrawals (RFC 7606)", first);
	warn_count(in, s->looped, "announcements with the local AS on their path ignored");
	warn_place(in, s->host_bits, "prefixes with host bits set (masked)",
		   s->first_host_bits);
	warn_place(in, s->left_out, LEFT_OUT, s->first_left_out);
	warn_count(in, s->no_peer,
		   "table entries skipped: no PEER_INDEX_TABLE names their peer");
	warn_count(in, s->ignored_type, "records of other kinds ignored");
	warn_count(in, s->ignored_local, "messages that the collector sent itself ignored");
	warn_count(in, mrt_feed_pending(feed),
		   "bytes of an unfinished record at the end of the file");
}

/* ---- reading */

static void reading_start(struct reading *rd)
{
	if (rd->in->kind == REPLAY_MRT) {
		rd->mrt = mrt_feed_new(rd->r->rib, rd->in->number, on_mrt_session, rd);
		return;
	}
	rd->bmp = bmp_feed_new(rd->r->rib, rd->in->number, on_bmp_event, rd);
	bmp_feed_set_allow_rd(rd->bmp, true);
	bmp_feed_set_recording(rd->bmp);
}

static int reading_bytes(struct reading *rd, const void *data, size_t len, struct diag *diag)
{
	return rd->mrt ? mrt_feed_bytes(rd->mrt, data, len, diag)
		       : bmp_feed_bytes(rd->bmp, data, len, diag);
}

/* All peers are complete here: what a second Peer Up's table did not bring again
 * is gone, also where no End-of-RIB says that the table was over. */
static void complete_peers(const struct reading *rd)
{
	for (struct rib_peer *p = rib_peer_first(rd->r->rib); p; p = rib_peer_next(p)) {
		if (bmp_feed_peer_info(rd->bmp, p))
			bmp_feed_peer_complete(rd->bmp, p);
	}
}

static void reading_end(struct reading *rd)
{
	struct replay_input *in = rd->in;

	if (rd->mrt) {
		const struct mrt_feed_stats *s = mrt_feed_stats(rd->mrt);

		in->records = s->records;
		in->announced = s->announced;
		in->withdrawn = s->withdrawn;
		in->unusable = s->treat_as_withdraw + s->looped;
		in->damaged = s->malformed + s->searches;
		warn_mrt(in, rd->mrt);
		mrt_feed_free(rd->mrt);
	} else {
		const struct bmp_feed_stats *s = bmp_feed_stats(rd->bmp);

		in->records = s->messages;
		in->announced = s->announced;
		in->withdrawn = s->withdrawn;
		in->unusable = s->looped;
		in->damaged = s->malformed + s->searches;
		warn_bmp(in, rd->bmp);
		complete_peers(rd);
		bmp_feed_free(rd->bmp);
	}
}

static int read_all(struct reading *rd, struct unpack *file, struct diag *diag)
{
	static uint8_t buf[1 << 20];
	struct replay_input *in = rd->in;

	in->unpack_s = in->load_s = 0;
	in->bytes = 0;
	for (;;) {
		double t0 = replay_seconds(), t1;
		long n = unpack_read(file, buf, sizeof(buf), diag);

		t1 = replay_seconds();
		in->unpack_s += t1 - t0;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		in->bytes += (uint64_t)n;
		if (reading_bytes(rd, buf, (size_t)n, diag) < 0)
			return -1;
		in->load_s += replay_seconds() - t1;
	}
	return rd->mrt ? mrt_feed_end(rd->mrt, diag) : bmp_feed_end(rd->bmp, diag);
}

/* How many it has left out is told at the end, with the place of the first. */
static void on_full(struct rib_peer *peer, void *arg)
{
	const struct reading *rd = arg;
	char addr[IP_TEXT_SIZE];

	fprintf(stderr, "sav-replay: %s: peer %s is at its bound of %u paths (feed max-paths)\n", rd->in->path,
		ip_addr_format(&rib_peer_key(peer)->addr, addr), config_max_paths(&rd->r->cfg));
}

int replay_read(struct replay *r, struct replay_input *in)
{
	struct reading rd = { .r = r, .in = in };
	struct unpack *file;
	struct diag diag;
	int ret;

	file = unpack_open(in->path, &diag);
	if (!file) {
		replay_complain(r, "%s: %s", in->path, diag.text);
		return -1;
	}
	rib_bound(r->rib, config_max_paths(&r->cfg), on_full, &rd);
	reading_start(&rd);
	ret = read_all(&rd, file, &diag);
	if (ret < 0)
		replay_complain(r, "%s: %s", in->path, diag.text);
	else if (unpack_is_cut(file))
		fprintf(stderr, "sav-replay: %s: the compressed data is cut short\n", in->path);
	reading_end(&rd);
	unpack_close(file);
	return ret;
}

/* ---- edges */

static void add_source(struct replay *r, const struct sets_source *source, size_t *cap)
{
	if (r->n_sources == *cap) {
		*cap = *cap ? *cap * 2 : 16;
		r->sources = mem_realloc(r->sources, *cap, sizeof(*r->sources));
	}
	r->sources[r->n_sources++] = *source;
}

void replay_sources(struct replay *r)
{
	struct rib_peer *peer;
	size_t cap = 0;

	for (peer = rib_peer_first(r->rib); peer; peer = rib_peer_next(peer)) {
		const struct rib_peer_key *key = rib_peer_key(peer);
		const char *name = r->routers[key->router];
		const struct config_router *router = config_router_find(&r->cfg, name);
		const struct config_edge *c = config_edge_by_peer(&r->cfg, name, &key->addr);
		const struct peer_note *note = rib_peer_user(peer);
		struct sets_source source = { .peer = peer,
					      .edge = SETS_NO_EDGE,
					      .ibgp = note && note->ibgp };
		char addr[IP_TEXT_SIZE];

		if (!router) /* of the other policy; said when the inputs were checked */
			continue;
		if (c)
			source.edge = (size_t)(c - r->cfg.edges);
		else
			fprintf(stderr,
				"sav-replay: peer %s of router %s is on no edge%s%s; it counts "
				"as an internal or unknown path\n",
				ip_addr_format(&key->addr, addr), name,
				r->compares ? " of " : "", r->compares ? r->config_path : "");
		source.router = (size_t)(router - r->cfg.routers);
		add_source(r, &source, &cap);
	}
}
