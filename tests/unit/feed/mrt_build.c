/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/feed/mrt_build.h"

/* ---- records */

void build_mrt_addr(struct wr *out, const char *text)
{
	struct ip_addr addr;
	uint8_t raw[16];

	assert_true(ip_addr_parse(text, &addr));
	ip_to_bytes(addr.v, (enum ip_family)addr.family, raw);
	wr_bytes(out, raw, ip_bytes((enum ip_family)addr.family));
}

void build_mrt_record(struct wr *out, uint16_t type, uint16_t subtype, struct wr *body)
{
	wr_be32(out, 1300475700);
	wr_be16(out, type);
	wr_be16(out, subtype);
	wr_be32(out, (uint32_t)body->len);
	wr_bytes(out, body->data, body->len);
	wr_fini(body);
}

static void put_peer(struct wr *out, uint8_t type, const char *addr, uint32_t as)
{
	wr_u8(out, type);
	wr_be32(out, 0xc6336405);
	build_mrt_addr(out, addr);
	if (type & 2)
		wr_be32(out, as);
	else
		wr_be16(out, (uint16_t)as);
}

void build_mrt_index(struct wr *out)
{
	struct wr body = { 0 };

	wr_be32(&body, 0xc6336404);
	wr_be16(&body, 3);
	wr_bytes(&body, "all", 3);
	wr_be16(&body, 2);
	put_peer(&body, 2, PEER1, 65541);
	put_peer(&body, 1, PEER2, 64496);
	build_mrt_record(out, MRT_TABLE_DUMP_V2, 1, &body);
}

void build_mrt_entry(struct wr *out, uint16_t peer, const struct wr *attrs)
{
	wr_be16(out, peer);
	wr_be32(out, 0);
	wr_be16(out, (uint16_t)attrs->len);
	wr_bytes(out, attrs->data, attrs->len);
}

void build_mrt_rib(struct wr *out, uint16_t subtype, const char *prefix, uint16_t peer,
		    const struct wr *attrs)
{
	struct wr body = { 0 };

	wr_be32(&body, 42);
	build_prefix(&body, prefix);
	wr_be16(&body, 1);
	build_mrt_entry(&body, peer, attrs);
	build_mrt_record(out, MRT_TABLE_DUMP_V2, subtype, &body);
}

const struct build_session build_ext = { .peer = PEER1, .peer_as = 64496, .local_as = 64500 };

static void put_session(struct wr *body, const struct build_session *s)
{
	bool v6 = strchr(s->peer, ':') != NULL;

	if (s->et)
		wr_be32(body, 999999);
	if (s->as2) {
		wr_be16(body, (uint16_t)s->peer_as);
		wr_be16(body, (uint16_t)s->local_as);
	} else {
		wr_be32(body, s->peer_as);
		wr_be32(body, s->local_as);
	}
	wr_be16(body, 0);
	wr_be16(body, v6 ? 2 : 1);
	build_mrt_addr(body, s->peer);
	build_mrt_addr(body, v6 ? "2001:db8::1" : "192.0.2.1");
}

void build_mrt_update(struct wr *out, const struct build_session *s, uint16_t subtype,
		       struct build_update *u)
{
	struct wr body = { 0 }, update = { 0 };

	put_session(&body, s);
	build_update_body(&update, u);
	build_bgp(&body, 2, &update);
	build_mrt_record(out, s->et ? MRT_BGP4MP_ET : MRT_BGP4MP, subtype, &body);
	wr_fini(&update);
	build_update_fini(u);
}

void build_mrt_announce(struct wr *out, const struct build_session *s, const char *prefix,
			 const uint32_t *as, size_t n)
{
	struct build_update u = { 0 };

	build_usual(&u.attrs, as, n);
	build_prefix(&u.nlri, prefix);
	build_mrt_update(out, s, 4, &u);
}

void build_mrt_withdraw(struct wr *out, const struct build_session *s, const char *prefix)
{
	struct build_update u = { 0 };

	build_prefix(&u.withdrawn, prefix);
	build_mrt_update(out, s, 4, &u);
}

void build_mrt_state(struct wr *out, const struct build_session *s, uint16_t old, uint16_t new)
{
	struct wr body = { 0 };

	put_session(&body, s);
	wr_be16(&body, old);
	wr_be16(&body, new);
	build_mrt_record(out, s->et ? MRT_BGP4MP_ET : MRT_BGP4MP, s->as2 ? 0 : 5, &body);
}

/* ---- the world that takes them */

int mrt_world_setup(void **state)
{
	struct mrt_world *w = calloc(1, sizeof(*w));

	w->rib = rib_new();
	*state = w;
	return 0;
}

int mrt_world_teardown(void **state)
{
	struct mrt_world *w = *state;

	rib_free(w->rib);
	wr_fini(&w->in);
	free(w);
	return 0;
}

static void on_session(struct rib_peer *peer, const struct mrt_session *s, void *arg)
{
	struct mrt_world *w = arg;

	assert_true(ip_addr_equal(&rib_peer_key(peer)->addr, &s->peer));
	w->sessions++;
}

int mrt_world_run_piecewise(struct mrt_world *w, size_t piece)
{
	struct mrt_feed *feed = mrt_feed_new(w->rib, 0, on_session, w);
	int rc = 0;

	for (size_t at = 0; at < w->in.len && rc == 0; at += piece) {
		size_t n = w->in.len - at < piece ? w->in.len - at : piece;

		rc = mrt_feed_bytes(feed, w->in.data + at, n, &w->diag);
	}
	if (rc == 0)
		rc = mrt_feed_end(feed, &w->diag);
	w->stats = *mrt_feed_stats(feed);
	w->pending = mrt_feed_pending(feed);
	mrt_feed_free(feed);
	return rc;
}

void mrt_world_run(struct mrt_world *w)
{
	assert_int_equal(mrt_world_run_piecewise(w, w->in.len ? w->in.len : 1), 0);
	assert_int_equal(w->stats.bytes, w->in.len);
}

const struct rib_attr *mrt_world_route(const struct mrt_world *w, const char *peer,
				    const char *prefix)
{
	struct rib_peer_key key = { 0 };
	const struct rib_peer *p;
	struct ip_prefix pfx;

	assert_true(ip_addr_parse(peer, &key.addr));
	assert_int_equal(ip_prefix_parse(prefix, &pfx), IP_PARSE_OK);
	p = rib_peer_find(w->rib, &key);
	return p ? rib_lookup(p, RIB_PRE, &pfx) : NULL;
}

size_t mrt_world_paths(const struct mrt_world *w)
{
	struct rib_stats stats;

	rib_stats(w->rib, &stats);
	return stats.paths;
}
