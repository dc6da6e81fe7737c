/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/mrt_feed.h"
#include "tests/unit/feed/bmp_build.h"

#define PEER1 "192.0.2.85"
#define PEER2 "2001:db8::2"

/* ---- records */

static void put_addr(struct wr *out, const char *text)
{
	struct ip_addr addr;
	uint8_t raw[16];

	assert_true(ip_addr_parse(text, &addr));
	ip_to_bytes(addr.v, (enum ip_family)addr.family, raw);
	wr_bytes(out, raw, ip_bytes((enum ip_family)addr.family));
}

/* Empties body. */
static void put_record(struct wr *out, uint16_t type, uint16_t subtype, struct wr *body)
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
	put_addr(out, addr);
	if (type & 2)
		wr_be32(out, as);
	else
		wr_be16(out, (uint16_t)as);
}

/* PEER1 of AS 65541 and PEER2 of AS 64496, in two octets */
static void put_index(struct wr *out)
{
	struct wr body = { 0 };

	wr_be32(&body, 0xc6336404);
	wr_be16(&body, 3);
	wr_bytes(&body, "all", 3);
	wr_be16(&body, 2);
	put_peer(&body, 2, PEER1, 65541);
	put_peer(&body, 1, PEER2, 64496);
	put_record(out, MRT_TABLE_DUMP_V2, 1, &body);
}

static void put_entry(struct wr *out, uint16_t peer, const struct wr *attrs)
{
	wr_be16(out, peer);
	wr_be32(out, 0);
	wr_be16(out, (uint16_t)attrs->len);
	wr_bytes(out, attrs->data, attrs->len);
}

static void put_rib(struct wr *out, uint16_t subtype, const char *prefix, uint16_t peer,
		    const struct wr *attrs)
{
	struct wr body = { 0 };

	wr_be32(&body, 42);
	build_prefix(&body, prefix);
	wr_be16(&body, 1);
	put_entry(&body, peer, attrs);
	put_record(out, MRT_TABLE_DUMP_V2, subtype, &body);
}

struct session {
	bool et, as2;
	const char *peer;
	uint32_t peer_as, local_as;
};
static const struct session ext = { .peer = PEER1, .peer_as = 64496, .local_as = 64500 };

static void put_session(struct wr *body, const struct session *s)
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
	put_addr(body, s->peer);
	put_addr(body, v6 ? "2001:db8::1" : "192.0.2.1");
}

/* Empties u. */
static void put_update(struct wr *out, const struct session *s, uint16_t subtype,
		       struct build_update *u)
{
	struct wr body = { 0 }, update = { 0 };

	put_session(&body, s);
	build_update_body(&update, u);
	build_bgp(&body, 2, &update);
	put_record(out, s->et ? MRT_BGP4MP_ET : MRT_BGP4MP, subtype, &body);
	wr_fini(&update);
	build_update_fini(u);
}

static void put_announce(struct wr *out, const struct session *s, const char *prefix,
			 const uint32_t *as, size_t n)
{
	struct build_update u = { 0 };

	build_usual(&u.attrs, as, n);
	build_prefix(&u.nlri, prefix);
	put_update(out, s, 4, &u);
}

static void put_withdraw(struct wr *out, const struct session *s, const char *prefix)
{
	struct build_update u = { 0 };

	build_prefix(&u.withdrawn, prefix);
	put_update(out, s, 4, &u);
}

static void put_state(struct wr *out, const struct session *s, uint16_t old, uint16_t new)
{
	struct wr body = { 0 };

	put_session(&body, s);
	wr_be16(&body, old);
	wr_be16(&body, new);
	put_record(out, s->et ? MRT_BGP4MP_ET : MRT_BGP4MP, s->as2 ? 0 : 5, &body);
}

/* ---- the world that takes them */

struct world {
	struct rib *rib;
	struct wr in;
	struct mrt_feed_stats stats;
	size_t pending;
	unsigned int sessions;
	struct diag diag;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->rib = rib_new();
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	rib_free(w->rib);
	wr_fini(&w->in);
	free(w);
	return 0;
}

static void on_session(struct rib_peer *peer, const struct mrt_session *s, void *arg)
{
	struct world *w = arg;

	assert_true(ip_addr_equal(&rib_peer_key(peer)->addr, &s->peer));
	w->sessions++;
}

static int run_piecewise(struct world *w, size_t piece)
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

static void run(struct world *w)
{
	assert_int_equal(run_piecewise(w, w->in.len ? w->in.len : 1), 0);
	assert_int_equal(w->stats.bytes, w->in.len);
}

static const struct rib_attr *route(const struct world *w, const char *peer,
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

static size_t paths(const struct world *w)
{
	struct rib_stats stats;

	rib_stats(w->rib, &stats);
	return stats.paths;
}

/* ---- headers */

static enum mrt_verdict judge(uint16_t type, uint16_t subtype, uint32_t len)
{
	const struct mrt_header h = { .type = type, .subtype = subtype, .len = len };

	return mrt_header_judge(&h);
}

static void test_header_judge(void **state)
{
	(void)state;
	assert_int_equal(judge(13, 2, 100), MRT_HEADER_YES);
	assert_int_equal(judge(13, 2, 6), MRT_HEADER_NO); /* shorter than any */
	assert_int_equal(judge(13, 13, 100), MRT_HEADER_MAYBE);
	assert_int_equal(judge(16, 4, 43), MRT_HEADER_YES);
	assert_int_equal(judge(16, 12, 43), MRT_HEADER_MAYBE);
	assert_int_equal(judge(17, 1, 38), MRT_HEADER_NO);
	assert_int_equal(judge(12, 2, 46), MRT_HEADER_YES);
	assert_int_equal(judge(11, 0, 50), MRT_HEADER_MAYBE); /* OSPFv2 */
	assert_int_equal(judge(64, 0, 0), MRT_HEADER_MAYBE);
	assert_int_equal(judge(0, 0, 0), MRT_HEADER_NO); /* a hole of zeros */
	assert_int_equal(judge(13, 2, UINT32_MAX), MRT_HEADER_NO);
	assert_int_equal(judge(13, 2, (uint32_t)MRT_RECORD_MAX), MRT_HEADER_YES);
}

/* ---- the examples of RFC 6396 appendix A */

/* The RFC's total attribute length, 0x1f, is wrong: there are 0x23 bytes. */
static void test_rfc6396_figure_16(void **state)
{
	static const uint8_t update[] = "\x00\x00\xfb\xf0\x00\x00\xfb\xf1\x00\x00\x00\x01"
					"\xc0\x00\x02\x55\xc6\x33\x64\x04"
					"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
					"\xff\xff\xff\xff\x00\x3e\x02\x00"
					"\x00\x00\x1f\x40\x01\x01\x02\x40\x02\x0e\x02\x03"
					"\x00\x00\xfb\xf0\x00\x00\xfb\xff"
					"\x00\x00\xfb\xf6\x40\x03\x04\xc6\x33\x64\x55\xc0"
					"\x08\x04\xfb\xf0\x00\x0e\x18\xcb"
					"\x00\x71";
	const struct rib_attr *attr;
	struct world *w = *state;
	struct wr body = { 0 };

	wr_bytes(&body, update, sizeof(update) - 1);
	assert_int_equal(body.len, 82);
	put_record(&w->in, 16, 4, &body);
	run(w);
	assert_int_equal(w->stats.malformed, 1);
	w->in.data[12 + 42] = 0x23;
	run(w);
	attr = route(w, PEER1, "203.0.113.0/24");
	assert_non_null(attr);
	assert_int_equal(attr->origin_as, 64502);
	assert_int_equal(attr->neighbor_as, 64496);
	assert_int_equal(attr->as_path_hops, 3);
	assert_int_equal(attr->origin_code, 2);
	assert_int_equal(w->sessions, 1);
}

static void test_rfc6396_figure_18(void **state)
{
	static const uint8_t table[] =
		"\xc6\x33\x64\x04\x00\x00\x00\x02\x02\xc6\x33\x64\x05\xc6\x33\x64\x05\x00"
		"\x01\x00\x05"
		"\x02\xc0\x00\x02\x21\xc0\x00\x02\x21\x00\x01\x00\x06";
	struct mrt_peer_index index;
	struct mrt_peer peer;

	(void)state;
	assert_true(mrt_peer_index_decode(rd_init(table, sizeof(table) - 1), &index));
	assert_int_equal(index.n, 2);
	assert_true(mrt_peer_next(&index, &peer));
	assert_int_equal(peer.as, 65541);
	assert_int_equal((uint32_t)peer.addr.v, 0xc6336405);
	assert_true(mrt_peer_next(&index, &peer));
	assert_int_equal(peer.as, 65542);
	assert_int_equal(peer.id, 0xc0000221);
	assert_false(mrt_peer_next(&index, &peer));
	for (size_t len = 0; len < sizeof(table) - 1; len++)
		assert_false(mrt_peer_index_decode(rd_init(table, len), &index));
	assert_false(mrt_peer_index_decode(rd_init(table, sizeof(table)), &index));
}

/* Its MP_REACH_NLRI is the whole attribute, against the RFC's own 4.3.4; dumps
 * of both forms exist. */
static const uint8_t figure_19_attrs[] = "\x40\x01\x01\x00\x50\x02\x00\x0e\x02\x03\x00"
					 "\x00\xfb\xf0\x00\x00\xfb\xff\x00\x00\xfb"
					 "\xf6\x80\x0e\x2b\x00\x02\x01\x20\x20\x01\x0d"
					 "\xb8\x00\x0d\x00\xff\x00\x00\x00\x00\x00"
					 "\x00\x01\x87\xfe\x80\x00\x00\x00\x00\x00\x00"
					 "\x02\x12\xf2\xff\xfe\x9f\x1b\x00\x00\x00"
					 "\x20\x20\x01\x0d\xb8";

static void test_rfc6396_figure_19(void **state)
{
	struct wr attrs = { 0 };
	struct world *w = *state;
	const struct rib_attr *attr;
	struct ip_addr hop;

	wr_bytes(&attrs, figure_19_attrs, sizeof(figure_19_attrs) - 1);
	assert_int_equal(attrs.len, 68);
	put_index(&w->in);
	put_rib(&w->in, 4, "2001:db8::/32", 1, &attrs);
	run(w);
	attr = route(w, PEER2, "2001:db8::/32");
	assert_non_null(attr);
	assert_int_equal(attr->origin_as, 64502);
	ip_addr_parse("2001:db8:d:ff::187", &hop);
	assert_true(ip_addr_equal(&attr->next_hop, &hop));
	assert_int_equal(paths(w), 1);
	wr_fini(&attrs);
}

static void test_short_mp_reach(void **state)
{
	const uint32_t as[] = { 64496, 64502 };
	struct wr attrs = { 0 }, nh = { 0 };
	struct world *w = *state;
	const struct rib_attr *attr;
	struct ip_addr hop;

	build_origin(&attrs, 0);
	build_as_path(&attrs, as, 2);
	wr_u8(&nh, 16);
	put_addr(&nh, "2001:db8:d:ff::187");
	build_attr(&attrs, 0x80, 14, nh.data, nh.len);
	put_index(&w->in);
	put_rib(&w->in, 4, "2001:db8::/32", 0, &attrs);
	run(w);
	attr = route(w, PEER1, "2001:db8::/32");
	assert_non_null(attr);
	ip_addr_parse("2001:db8:d:ff::187", &hop);
	assert_true(ip_addr_equal(&attr->next_hop, &hop));
	wr_fini(&attrs);
	wr_fini(&nh);
}

/* ---- tables */

static void test_empty_path_has_no_origin(void **state)
{
	struct world *w = *state;
	struct wr attrs = { 0 };

	build_usual(&attrs, NULL, 0);
	put_index(&w->in);
	put_rib(&w->in, 2, "198.51.100.0/24", 0, &attrs);
	put_announce(&w->in, &ext, "198.51.101.0/24", NULL, 0);
	run(w);
	assert_int_equal(route(w, PEER1, "198.51.100.0/24")->origin_kind,
			 RIB_ORIGIN_NONE);
	assert_int_equal(route(w, PEER1, "198.51.101.0/24")->origin_kind,
			 RIB_ORIGIN_NONE);
	wr_fini(&attrs);
}

static void test_many_entries_one_bad(void **state)
{
	const uint32_t as[] = { 64496 };
	struct wr attrs = { 0 }, bad = { 0 }, body = { 0 };
	struct world *w = *state;

	build_usual(&attrs, as, 1);
	build_origin(&bad, 7); /* neither AS_PATH nor a value that exists */
	put_index(&w->in);
	wr_be32(&body, 0);
	build_prefix(&body, "198.51.101.0/23");
	wr_be16(&body, 3);
	put_entry(&body, 0, &bad);
	put_entry(&body, 1, &attrs);
	put_entry(&body, 2, &attrs); /* no such peer */
	put_record(&w->in, 13, 2, &body);
	run(w);
	assert_null(route(w, PEER1, "198.51.100.0/23"));
	assert_non_null(route(w, PEER2, "198.51.100.0/23"));
	assert_int_equal(w->stats.entries, 3);
	assert_int_equal(w->stats.announced, 1);
	assert_int_equal(w->stats.treat_as_withdraw, 1);
	assert_int_equal(w->stats.no_peer, 1);
	assert_int_equal(w->stats.host_bits, 1);
	assert_int_equal(w->stats.malformed, 0);
	wr_fini(&attrs);
	wr_fini(&bad);
}

/* All of a record or nothing: the last of its entries runs over the end. */
static void test_record_cut_inside(void **state)
{
	const uint32_t as[] = { 64496 };
	struct wr attrs = { 0 }, body = { 0 };
	struct world *w = *state;

	build_usual(&attrs, as, 1);
	put_index(&w->in);
	wr_be32(&body, 0);
	build_prefix(&body, "198.51.100.0/24");
	wr_be16(&body, 3);
	put_entry(&body, 0, &attrs);
	put_entry(&body, 1, &attrs);
	put_record(&w->in, 13, 2, &body);
	put_rib(&w->in, 2, "198.51.101.0/24", 0, &attrs);
	run(w);
	assert_int_equal(w->stats.malformed, 1);
	assert_int_equal(w->stats.searches, 0);
	assert_int_equal(paths(w), 1);
	wr_fini(&attrs);
}

static void test_table_without_index(void **state)
{
	const uint32_t as[] = { 64496 };
	struct wr attrs = { 0 }, body = { 0 };
	struct world *w = *state;

	build_usual(&attrs, as, 1);
	put_rib(&w->in, 2, "198.51.100.0/24", 0, &attrs);
	put_index(&w->in);
	put_rib(&w->in, 2, "198.51.101.0/24", 0, &attrs);
	/* a damaged index must not leave the one before in force */
	wr_be32(&body, 0);
	wr_be32(&body, 9);
	put_record(&w->in, 13, 1, &body);
	put_rib(&w->in, 2, "198.51.102.0/24", 0, &attrs);
	run(w);
	assert_int_equal(w->stats.no_peer, 2);
	assert_int_equal(w->stats.malformed, 1);
	assert_int_equal(paths(w), 1);
	wr_fini(&attrs);
}

static void put_entry_id(struct wr *out, uint16_t peer, uint32_t id,
			 const struct wr *attrs)
{
	wr_be16(out, peer);
	wr_be32(out, 0);
	wr_be32(out, id);
	wr_be16(out, (uint16_t)attrs->len);
	wr_bytes(out, attrs->data, attrs->len);
}

static void test_rib_addpath(void **state)
{
	const uint32_t as[] = { 64496 }, other[] = { 64496, 64511 };
	struct wr a = { 0 }, b = { 0 }, body = { 0 };
	struct world *w = *state;

	build_usual(&a, as, 1);
	build_usual(&b, other, 2);
	put_index(&w->in);
	wr_be32(&body, 0);
	build_prefix(&body, "198.51.100.0/24");
	wr_be16(&body, 3);
	put_entry_id(&body, 0, 1, &a);
	put_entry_id(&body, 0, 2, &b);
	put_entry_id(&body, 0, 1, &b); /* the last word on path 1 */
	put_record(&w->in, 13, 8, &body);
	run(w);
	assert_int_equal(w->stats.announced, 3);
	assert_int_equal(paths(w), 2);
	assert_int_equal(route(w, PEER1, "198.51.100.0/24")->origin_as, 64511);
	wr_fini(&a);
	wr_fini(&b);
}

static void put_generic(struct wr *out, uint16_t subtype, uint16_t afi, uint8_t safi,
			const char *prefix, const struct wr *attrs)
{
	struct wr body = { 0 };

	wr_be32(&body, 0);
	wr_be16(&body, afi);
	wr_u8(&body, safi);
	if (subtype == 12)
		build_prefix_id(&body, 7, prefix);
	else
		build_prefix(&body, prefix);
	wr_be16(&body, 1);
	put_entry(&body, 0, attrs);
	put_record(out, 13, subtype, &body);
}

static void test_rib_generic(void **state)
{
	const uint32_t as[] = { 64496 };
	struct world *w = *state;
	struct wr attrs = { 0 };

	build_usual(&attrs, as, 1);
	put_index(&w->in);
	put_generic(&w->in, 6, 1, 1, "198.51.100.0/24", &attrs);
	put_generic(&w->in, 6, 2, 1, "2001:db8::/32", &attrs);
	put_generic(&w->in, 12, 1, 1, "198.51.101.0/24", &attrs);
	put_generic(&w->in, 6, 1, 128, "198.51.102.0/24", &attrs); /* VPN */
	put_generic(&w->in, 6, 25, 70, "198.51.103.0/24", &attrs); /* EVPN */
	run(w);
	assert_int_equal(paths(w), 3);
	assert_int_equal(w->stats.ignored_afi, 2);
	assert_int_equal(w->stats.malformed, 0);
	wr_fini(&attrs);
}

static void test_table_dump(void **state)
{
	/* AS_PATH 64496 23456 in two octets, AS4_PATH 4200000001 */
	static const uint8_t path[] = "\x02\x02\xfb\xf0\x5b\xa0";
	static const uint8_t as4_path[] = "\x02\x01\xfa\x56\xea\x01";
	struct wr attrs = { 0 }, body = { 0 };
	const struct rib_attr *attr;
	struct world *w = *state;

	build_origin(&attrs, 0);
	build_attr(&attrs, 0x40, 2, path, 6);
	build_next_hop(&attrs, "192.0.2.1");
	build_attr(&attrs, 0xc0, 17, as4_path, 6);
	wr_be32(&body, 1); /* view 0, sequence 1 */
	put_addr(&body, "198.51.100.7");
	wr_u8(&body, 24);
	wr_u8(&body, 1);
	wr_be32(&body, 0);
	put_addr(&body, PEER1);
	wr_be16(&body, 64496);
	wr_be16(&body, (uint16_t)attrs.len);
	wr_bytes(&body, attrs.data, attrs.len);
	put_record(&w->in, 12, 1, &body);
	run(w);
	attr = route(w, PEER1, "198.51.100.0/24");
	assert_non_null(attr);
	assert_int_equal(attr->origin_as, 4200000001u);
	assert_int_equal(w->stats.host_bits, 1);
	wr_fini(&attrs);
}

/* ---- messages */

static void test_last_word_wins(void **state)
{
	const uint32_t as[] = { 64496 }, longer[] = { 64496, 64511 };
	struct world *w = *state;
	struct wr attrs = { 0 };

	build_usual(&attrs, as, 1);
	put_index(&w->in);
	put_rib(&w->in, 2, "198.51.100.0/24", 0, &attrs);
	put_rib(&w->in, 2, "198.51.101.0/24", 0, &attrs);
	put_announce(&w->in, &ext, "198.51.100.0/24", longer, 2);
	put_withdraw(&w->in, &ext, "198.51.101.0/24");
	put_withdraw(&w->in, &ext, "198.51.102.0/24");
	run(w);
	assert_int_equal(route(w, PEER1, "198.51.100.0/24")->origin_as, 64511);
	assert_null(route(w, PEER1, "198.51.101.0/24"));
	assert_int_equal(w->stats.withdrawn, 2);
	assert_int_equal(w->stats.withdrawn_unknown, 1);
	wr_fini(&attrs);
}

static void test_extended_time_and_two_octets(void **state)
{
	static const uint8_t path[] = "\x02\x01\xfb\xf0";
	const struct session s = { .et = true,
				   .as2 = true,
				   .peer = PEER2,
				   .peer_as = 64496,
				   .local_as = 64500 };
	struct build_update u = { 0 };
	struct world *w = *state;

	build_origin(&u.attrs, 0);
	build_attr(&u.attrs, 0x40, 2, path, 4);
	build_next_hop(&u.attrs, "192.0.2.1");
	build_u32_attr(&u.attrs, 0x40, 5, 300);
	build_prefix(&u.nlri, "198.51.100.0/24");
	put_update(&w->in, &s, 1, &u);
	run(w);
	assert_int_equal(route(w, PEER2, "198.51.100.0/24")->origin_as, 64496);
	/* LOCAL_PREF from outside (RFC 7606 7.5) */
	assert_false(route(w, PEER2, "198.51.100.0/24")->has_local_pref);
}

static void test_message_addpath(void **state)
{
	const uint32_t as[] = { 64496 };
	struct build_update u = { 0 };
	struct world *w = *state;

	build_usual(&u.attrs, as, 1);
	build_prefix_id(&u.nlri, 1, "198.51.100.0/24");
	build_prefix_id(&u.nlri, 2, "198.51.100.0/24");
	put_update(&w->in, &ext, 9, &u);
	build_prefix_id(&u.withdrawn, 2, "198.51.100.0/24");
	put_update(&w->in, &ext, 9, &u);
	run(w);
	assert_int_equal(w->stats.announced, 2);
	assert_int_equal(w->stats.withdrawn, 1);
	assert_int_equal(paths(w), 1);
}

static void test_own_messages_are_left_out(void **state)
{
	const uint32_t as[] = { 64500 };
	struct build_update u = { 0 };
	struct world *w = *state;

	for (uint16_t subtype = 6; subtype <= 11; subtype++) {
		if (subtype == 8 || subtype == 9)
			continue;
		build_usual(&u.attrs, as, 1);
		build_prefix(&u.nlri, "198.51.100.0/24");
		put_update(&w->in, &ext, subtype, &u);
	}
	run(w);
	assert_int_equal(w->stats.ignored_local, 4);
	assert_int_equal(paths(w), 0);
}

static void test_leaving_established_removes_routes(void **state)
{
	const uint32_t as[] = { 64496 };
	const struct session other = { .peer = PEER2,
				       .peer_as = 64497,
				       .local_as = 64500 };
	struct world *w = *state;

	put_announce(&w->in, &ext, "198.51.100.0/24", as, 1);
	put_announce(&w->in, &other, "198.51.100.0/24", as, 1);
	/* a second connection that is refused, while the first one stays up */
	put_state(&w->in, &ext, 3, 4);
	put_state(&w->in, &ext, 4, 1);
	run(w);
	assert_int_equal(w->stats.states, 2);
	assert_int_equal(paths(w), 2);
	put_state(&w->in, &ext, 6, 1);
	run(w);
	assert_null(route(w, PEER1, "198.51.100.0/24"));
	assert_non_null(route(w, PEER2, "198.51.100.0/24"));
	assert_int_equal(w->sessions, 4);
}

static void test_reflected_route_is_ignored(void **state)
{
	const uint32_t plain[] = { 64496 }, loop[] = { 64496, 64500, 64497 };
	const uint32_t beacon[] = { 64496, 64500 };
	struct world *w = *state;

	put_announce(&w->in, &ext, "198.51.100.0/24", plain, 1);
	put_announce(&w->in, &ext, "198.51.100.0/24", loop, 3);
	put_announce(&w->in, &ext, "198.51.101.0/24", beacon, 2);
	run(w);
	assert_null(route(w, PEER1, "198.51.100.0/24"));
	assert_non_null(route(w, PEER1, "198.51.101.0/24"));
	assert_int_equal(w->stats.looped, 1);
}

static void test_bad_attributes_withdraw(void **state)
{
	const uint32_t as[] = { 64496 };
	struct build_update u = { 0 };
	struct world *w = *state;

	put_announce(&w->in, &ext, "198.51.100.0/24", as, 1);
	build_usual(&u.attrs, as, 1);
	build_attr(&u.attrs, 0xc0, 8, "abc", 3);
	build_prefix(&u.nlri, "198.51.100.0/24");
	put_update(&w->in, &ext, 4, &u);
	run(w);
	assert_int_equal(w->stats.treat_as_withdraw, 1);
	assert_int_equal(w->stats.malformed, 0);
	assert_int_equal(paths(w), 0);
}

static void test_other_records_are_counted(void **state)
{
	const uint32_t as[] = { 64496 };
	struct world *w = *state;
	struct wr body = { 0 };

	wr_bytes(&body, "what OSPF said", 14);
	put_record(&w->in, 11, 0, &body);
	put_announce(&w->in, &ext, "198.51.100.0/24", as, 1);
	wr_bytes(&body, "of a later RFC", 14);
	put_record(&w->in, 99, 3, &body);
	wr_bytes(&body, "and again", 9);
	put_record(&w->in, 99, 3, &body);
	put_announce(&w->in, &ext, "198.51.101.0/24", as, 1);
	wr_bytes(&body, "BGP4MP_ENTRY", 12);
	put_record(&w->in, 16, 2, &body);
	wr_bytes(&body, "multicast", 9);
	put_record(&w->in, 13, 3, &body);
	run(w);
	assert_int_equal(w->stats.ignored_type, 5);
	assert_int_equal(w->stats.records, 7);
	assert_int_equal(w->stats.searches, 0);
	assert_int_equal(paths(w), 2);
}

/* ---- damage */

/* Five routes; returns where each record begins. */
static void put_five(struct world *w, size_t at[6])
{
	static const char *const prefix[] = { "198.51.100.0/24", "198.51.101.0/24",
					      "198.51.102.0/24", "198.51.103.0/24",
					      "198.51.104.0/24" };
	const uint32_t as[] = { 64496 };

	for (int i = 0; i < 5; i++) {
		at[i] = w->in.len;
		put_announce(&w->in, &ext, prefix[i], as, 1);
	}
	at[5] = w->in.len;
}

static void lost_one(struct world *w, size_t skipped)
{
	run(w);
	assert_int_equal(paths(w), 4);
	assert_null(route(w, PEER1, "198.51.101.0/24"));
	assert_int_equal(w->stats.searches, skipped != 0);
	assert_int_equal(w->stats.skipped, skipped);
	assert_int_equal(w->pending, 0);
}

static void test_length_too_short(void **state)
{
	struct world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 8, (uint32_t)(at[2] - at[1] - 12 - 7));
	lost_one(w, at[2] - at[1]);
	assert_int_equal(w->stats.first_skip, at[1]);
}

static void test_length_too_long(void **state)
{
	struct world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 8, (uint32_t)(at[2] - at[1] + 3));
	lost_one(w, at[2] - at[1]);
}

static void test_length_beyond_the_end(void **state)
{
	struct world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 8, (uint32_t)MRT_RECORD_MAX);
	lost_one(w, at[2] - at[1]);
}

static void test_type_damaged(void **state)
{
	struct world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 4, 0);
	lost_one(w, at[2] - at[1]);
}

static void test_message_damaged(void **state)
{
	struct world *w = *state;
	size_t at[6];

	put_five(w, at);
	w->in.data[at[1] + 12 + 20] = 0; /* of the marker */
	lost_one(w, 0);
	assert_int_equal(w->stats.malformed, 1);
}

static void test_bytes_put_in(void **state)
{
	struct world *w = *state;
	struct wr whole;
	size_t at[6];

	put_five(w, at);
	whole = w->in;
	w->in = (struct wr){ 0 };
	wr_bytes(&w->in, whole.data, at[3]);
	for (int i = 0; i < 100; i++)
		wr_u8(&w->in, 0);
	wr_bytes(&w->in, whole.data + at[3], at[5] - at[3]);
	run(w);
	assert_int_equal(paths(w), 5);
	assert_int_equal(w->stats.skipped, 100);
	wr_fini(&whole);
}

static void test_first_record_damaged(void **state)
{
	struct world *w = *state;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, 4, UINT32_MAX);
	run(w);
	assert_int_equal(paths(w), 4);
}

static void test_every_cut_is_a_warning(void **state)
{
	struct world *w = *state;
	size_t at[6], whole;

	put_five(w, at);
	whole = w->in.len;
	for (w->in.len = at[4] + 1; w->in.len < whole; w->in.len++) {
		run(w);
		assert_int_equal(w->stats.records, 4);
		assert_int_equal(w->stats.searches, 0);
		assert_int_equal(w->pending, w->in.len - at[4]);
	}
}

static void test_how_it_is_cut_makes_no_difference(void **state)
{
	struct world *w = *state;
	struct mrt_feed_stats whole;
	size_t at[6];

	put_five(w, at);
	wr_patch32(&w->in, at[1] + 8, (uint32_t)(at[2] - at[1] + 3));
	w->in.data[at[3] + 12 + 20] = 0;
	w->in.len -= 5;
	run(w);
	whole = w->stats;
	assert_int_equal(whole.searches, 1);
	assert_int_equal(whole.malformed, 1);
	assert_int_equal(w->pending, at[5] - at[4] - 5);
	for (size_t piece = 1; piece < 40; piece++) {
		assert_int_equal(run_piecewise(w, piece), 0);
		assert_memory_equal(&w->stats, &whole, sizeof(whole));
	}
}

static void test_no_mrt_at_all(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/bash\n";
	struct world *w = *state;

	wr_bytes(&w->in, text, sizeof(text) - 1);
	assert_int_equal(run_piecewise(w, 1000), -1);
	assert_string_equal(w->diag.text, "this is not MRT: no record in 32 bytes");
}

static void test_search_is_bounded(void **state)
{
	struct world *w = *state;
	struct mrt_feed *feed;
	char zeros[4096] = { 0 };
	size_t at[6], n = 0;
	int rc;

	put_five(w, at);
	feed = mrt_feed_new(w->rib, 0, NULL, NULL);
	assert_int_equal(mrt_feed_bytes(feed, w->in.data, w->in.len, &w->diag), 0);
	do {
		rc = mrt_feed_bytes(feed, zeros, sizeof(zeros), &w->diag);
		n += sizeof(zeros);
	} while (rc == 0);
	assert_true(n >= MRT_SEARCH_MAX && n <= MRT_SEARCH_MAX + 2 * sizeof(zeros));
	assert_int_equal(mrt_feed_bytes(feed, zeros, 1, &w->diag), -1);
	assert_int_equal(mrt_feed_end(feed, &w->diag), -1);
	mrt_feed_free(feed);
	assert_int_equal(paths(w), 5);
}

static void test_nothing_at_all(void **state)
{
	struct world *w = *state;

	run(w);
	assert_int_equal(w->stats.records, 0);
}

/* Without a RIB everything is decoded and counted all the same. */
static void test_count_only(void **state)
{
	struct world *w = *state;
	struct mrt_feed *feed = mrt_feed_new(NULL, 0, NULL, NULL);
	size_t at[6];

	put_five(w, at);
	put_withdraw(&w->in, &ext, "198.51.100.0/24");
	put_state(&w->in, &ext, 6, 1);
	assert_int_equal(mrt_feed_bytes(feed, w->in.data, w->in.len, &w->diag), 0);
	assert_int_equal(mrt_feed_end(feed, &w->diag), 0);
	assert_int_equal(mrt_feed_stats(feed)->announced, 5);
	assert_int_equal(mrt_feed_stats(feed)->withdrawn, 1);
	assert_int_equal(mrt_feed_stats(feed)->states, 1);
	mrt_feed_free(feed);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_header_judge),
		CASE(test_rfc6396_figure_16),
		CASE(test_rfc6396_figure_18),
		CASE(test_rfc6396_figure_19),
		CASE(test_short_mp_reach),
		CASE(test_empty_path_has_no_origin),
		CASE(test_many_entries_one_bad),
		CASE(test_record_cut_inside),
		CASE(test_table_without_index),
		CASE(test_rib_addpath),
		CASE(test_rib_generic),
		CASE(test_table_dump),
		CASE(test_last_word_wins),
		CASE(test_extended_time_and_two_octets),
		CASE(test_message_addpath),
		CASE(test_own_messages_are_left_out),
		CASE(test_leaving_established_removes_routes),
		CASE(test_reflected_route_is_ignored),
		CASE(test_bad_attributes_withdraw),
		CASE(test_other_records_are_counted),
		CASE(test_length_too_short),
		CASE(test_length_too_long),
		CASE(test_length_beyond_the_end),
		CASE(test_type_damaged),
		CASE(test_message_damaged),
		CASE(test_bytes_put_in),
		CASE(test_first_record_damaged),
		CASE(test_every_cut_is_a_warning),
		CASE(test_how_it_is_cut_makes_no_difference),
		CASE(test_no_mrt_at_all),
		CASE(test_search_is_bounded),
		CASE(test_nothing_at_all),
		CASE(test_count_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
