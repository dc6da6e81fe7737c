/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A router's BGP session into a RIB. The first byte: bit 0 set: raw bytes;
 * clear: after a handshake, messages as type (1), length (2) and body, which
 * this target frames. bit 1: the router sends path ids. bits 2-7: the stream is
 * cut into pieces of that many bytes (0: whole).
 */
#include <string.h>

#include "controller/feed/bgp_session.h"
#include "controller/feed/bgp_table.h"
#include "lib/wr.h"
#include "tests/fuzz/fuzz_assert.h"

struct world {
	struct rib *rib;
	struct bgp_table *table;
	long paths; /* as the watcher was told */
	unsigned int established;
	bool over; /* the session has said so */
};

static void watch(struct rib_peer *peer, enum rib_view view,
		  const struct ip_prefix *prefix, const struct rib_attr *old,
		  const struct rib_attr *new, void *arg)
{
	struct world *w = arg;

	HOLDS(view == RIB_POST && rib_peer_key(peer)->type == RIB_PEER_NEXT_HOP);
	HOLDS(prefix->len <= ip_bits((enum ip_family)prefix->family));
	w->paths += (new != NULL) - (old != NULL);
}

static void on_established(void *arg, const struct bgp_open *open)
{
	struct world *w = arg;

	HOLDS(open->as == 64500 && open->hold_time != 1 && open->hold_time != 2);
	w->established++;
	bgp_table_stale_mark(w->table);
}

static void on_announce(void *arg, const struct ip_prefix *prefix, uint32_t path_id,
			const struct rib_attr *attr)
{
	struct world *w = arg;

	HOLDS(w->established == 1 && !w->over);
	bgp_table_announce(w->table, prefix, path_id, attr);
}

static void on_withdraw(void *arg, const struct ip_prefix *prefix, uint32_t path_id)
{
	struct world *w = arg;

	HOLDS(w->established == 1 && !w->over);
	bgp_table_withdraw(w->table, prefix, path_id);
}

static void on_end_of_rib(void *arg, enum ip_family family)
{
	struct world *w = arg;
	bgp_table_stale_kill(w->table, family);
	while (bgp_table_sweep(w->table, &(size_t){ 3 }))
		HOLDS(bgp_table_is_sweeping(w->table));
}

static const struct bgp_session_ops ops = {
	.established = on_established,
	.announce = on_announce,
	.withdraw = on_withdraw,
	.end_of_rib = on_end_of_rib,
};

static void put_message(struct wr *out, uint8_t type, const void *body, size_t len)
{
	wr_be64(out, UINT64_MAX);
	wr_be64(out, UINT64_MAX);
	wr_be16(out, (uint16_t)(BGP_HEADER_SIZE + len));
	wr_u8(out, type);
	wr_bytes(out, body, len);
}

static void put_handshake(struct wr *out, bool addpath)
{
	/* AS 64500, 90 s, both families; the last 12 bytes: path ids of both */
	static const uint8_t open[] = { 4,  0xfb, 0xf4, 0, 90, 0, 0, 0, 9, 24, 2, 22,
					1,  4,	  0,	1, 0,  1, 1, 4, 0, 2,  0, 1,
					69, 8,	  0,	1, 1,  2, 0, 2, 1, 2 };
	uint8_t body[sizeof(open)];

	memcpy(body, open, sizeof(open));
	if (!addpath)
		body[29] = body[33] = 0;
	put_message(out, BGP_MSG_OPEN, body, sizeof(body));
	put_message(out, BGP_MSG_KEEPALIVE, NULL, 0);
}

static void put_stream(struct wr *out, struct rd in)
{
	while (rd_left(&in) >= 3) {
		uint8_t type = rd_u8(&in);
		size_t len = rd_be16(&in);

		if (len > rd_left(&in))
			len = rd_left(&in);
		if (len > 60000)
			len = 60000;
		put_message(out, type, in.p, len);
		rd_skip(&in, len);
	}
}

static void check(const struct world *w)
{
	struct rib_stats stats;

	rib_stats(w->rib, &stats);
	HOLDS((long)stats.paths == w->paths);
	HOLDS(stats.paths ==
	      bgp_table_count(w->table, IP_V4) + bgp_table_count(w->table, IP_V6));
}

static struct bgp_session_stats play(struct world *w, const struct wr *in, size_t piece,
				     size_t *sent)
{
	struct bgp_session_config config = { .as = 64500, .id = 1 };
	struct bgp_session *s = bgp_session_new(&config, &ops, w, 0);
	struct bgp_session_stats stats;
	struct diag diag;

	w->established = 0;
	w->over = false;
	for (size_t at = 0; at < in->len; at += piece) {
		bool over;

		if (piece > in->len - at)
			piece = in->len - at;
		over = bgp_session_bytes(s, in->data + at, piece, 0, &diag) < 0;
		HOLDS(over == (bgp_session_state(s) == BGP_CLOSED));
		w->over = over;
	}
	check(w);
	HOLDS((bgp_session_timer(s, 1000000, &diag) < 0) ==
	      (bgp_session_state(s) == BGP_CLOSED));
	stats = *bgp_session_stats(s);
	stats.bytes = 0;
	*sent = bgp_session_output(s)->len;
	bgp_session_free(s);
	return stats;
}

static void world_init(struct world *w)
{
	*w = (struct world){ .rib = rib_new() };
	w->table = bgp_table_new(w->rib, 0);
	rib_watch(w->rib, watch, w);
}

static void world_fini(struct world *w)
{
	size_t budget = SIZE_MAX;

	bgp_table_stale_mark(w->table);
	for (int f = 0; f < IP_FAMILIES; f++)
		bgp_table_stale_kill(w->table, (enum ip_family)f);
	HOLDS(!bgp_table_sweep(w->table, &budget));
	check(w);
	HOLDS(w->paths == 0);
	bgp_table_free(w->table);
	rib_free(w->rib);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t mode = size ? data[0] : 1;
	struct bgp_session_stats a, b;
	struct world cut, whole;
	struct wr in = { 0 };
	size_t sa, sb;

	world_init(&cut);
	world_init(&whole);
	if (mode & 1) {
		wr_bytes(&in, data + (size != 0), size - (size != 0));
	} else {
		put_handshake(&in, mode & 2);
		put_stream(&in, rd_init(data + 1, size - 1));
	}
	/* how the stream is cut makes no difference */
	a = play(&cut, &in, mode >> 2 ? mode >> 2 : in.len, &sa);
	b = play(&whole, &in, in.len, &sb);
	HOLDS(memcmp(&a, &b, sizeof(a)) == 0 && sa == sb);
	HOLDS(cut.paths == whole.paths && cut.established == whole.established);
	HOLDS((mode & 1) || cut.established == 1);
	play(&cut, &in, in.len, &sa); /* a second session on top of the first */
	world_fini(&cut);
	world_fini(&whole);
	wr_fini(&in);
	return 0;
}
