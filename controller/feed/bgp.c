/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bgp.h"

#include <string.h>

#define AFI_IP	     1
#define AFI_IP6	     2
#define SAFI_UNICAST 1

bool bgp_msg_decode(struct rd *rd, struct bgp_msg *msg)
{
	struct rd r = *rd;
	uint64_t marker = rd_be64(&r) & rd_be64(&r);
	uint16_t len = rd_be16(&r);
	uint8_t type = rd_u8(&r);
	struct rd body;

	if (r.failed || marker != UINT64_MAX || len < BGP_HEADER_SIZE)
		return false;
	body = rd_sub(&r, len - (size_t)BGP_HEADER_SIZE);
	if (r.failed)
		return false;
	*msg = (struct bgp_msg){ .type = type, .body = body };
	*rd = r;
	return true;
}

static bool family_of(uint16_t afi, uint8_t safi, enum ip_family *family)
{
	if (safi != SAFI_UNICAST || (afi != AFI_IP && afi != AFI_IP6))
		return false;
	*family = afi == AFI_IP ? IP_V4 : IP_V6;
	return true;
}

/* ---- OPEN */

struct open_state {
	struct bgp_open open;
	bool mp_seen, role_seen;
};

static void capability_addpath(struct open_state *st, struct rd value)
{
	while (rd_left(&value) != 0) {
		uint16_t afi = rd_be16(&value);
		uint8_t safi = rd_u8(&value), mode = rd_u8(&value);
		enum ip_family family;

		/* RFC 7911 sec. 4: 1 receive, 2 send, 3 both, others are ignored */
		if (value.failed || mode > 3 || !family_of(afi, safi, &family))
			continue;
		st->open.addpath_receive[family] = mode & 1;
		st->open.addpath_send[family] = mode & 2;
	}
}

static void capability_role(struct open_state *st, struct rd value)
{
	uint8_t role = rd_u8(&value);
	int8_t seen = role <= BGP_ROLE_PEER ? (int8_t)role : (int8_t)BGP_ROLE_NONE;

	/* RFC 9234 sec. 4.2: unlike roles in one OPEN are no role */
	if (st->role_seen && st->open.role != seen)
		seen = BGP_ROLE_NONE;
	st->open.role = seen;
	st->role_seen = true;
}

/* A capability of a wrong length is as good as absent (RFC 5492 sec. 3). */
static void capability(struct open_state *st, uint8_t code, struct rd value)
{
	size_t len = rd_left(&value);
	enum ip_family family;
	uint16_t afi;

	switch (code) {
	case 1: /* multiprotocol, RFC 4760 sec. 8 */
		st->mp_seen = true;
		afi = rd_be16(&value);
		rd_skip(&value, 1);
		if (len == 4 && family_of(afi, rd_u8(&value), &family))
			st->open.mp[family] = true;
		break;
	case 6: /* extended message, RFC 8654 */
		st->open.extended_message = true;
		break;
	case 9:
		if (len == 1)
			capability_role(st, value);
		break;
	case 64:
		st->open.graceful_restart = len >= 2;
		break;
	case 65: /* RFC 6793 */
		if (len == 4) {
			st->open.as = rd_be32(&value);
			st->open.as4 = true;
		}
		break;
	case 69:
		if (len % 4 == 0)
			capability_addpath(st, value);
		break;
	default:
		break;
	}
}

bool bgp_open_decode(struct rd body, struct bgp_open *open)
{
	struct open_state st = { .open.role = BGP_ROLE_NONE };
	uint8_t version = rd_u8(&body);
	struct rd params, peek;
	bool extended;
	uint8_t len;

	st.open.as = rd_be16(&body);
	st.open.hold_time = rd_be16(&body);
	st.open.id = rd_be32(&body);
	len = rd_u8(&body);
	peek = body;
	/* RFC 9072 sec. 2: type 255 in the place of the first parameter */
	extended = len != 0 && rd_u8(&peek) == 255;
	if (extended) {
		rd_skip(&body, 1);
		params = rd_sub(&body, rd_be16(&body));
	} else {
		params = rd_sub(&body, len);
	}
	if (version != 4 || !rd_done(&body))
		return false;
	while (rd_left(&params) != 0) {
		uint8_t type = rd_u8(&params);
		struct rd caps = rd_sub(&params, extended ? rd_be16(&params)
							  : rd_u8(&params));

		while (type == 2 && rd_left(&caps) != 0) {
			uint8_t code = rd_u8(&caps);
			struct rd value = rd_sub(&caps, rd_u8(&caps));

			if (caps.failed)
				return false;
			capability(&st, code, value);
		}
	}
	if (!rd_done(&params))
		return false;
	/* RFC 4760: without the capability it is IPv4 unicast alone */
	if (!st.mp_seen)
		st.open.mp[IP_V4] = true;
	*open = st.open;
	return true;
}

/* ---- NLRI */

static bool nlri_check(struct rd rd, enum ip_family family, bool addpath, size_t *n)
{
	for (*n = 0; rd_left(&rd) != 0; (*n)++) {
		unsigned int len;

		if (addpath)
			rd_skip(&rd, 4);
		len = rd_u8(&rd);
		if (len > ip_bits(family))
			return false;
		rd_skip(&rd, (len + 7) / 8);
	}
	return !rd.failed;
}

bool bgp_nlri_init(struct bgp_nlri *nlri, struct rd rd, enum ip_family family,
		   enum bgp_nlri_form form)
{
	bool addpath = form != BGP_NLRI_PLAIN;
	size_t n;

	if (rd.failed)
		return false;
	if (form == BGP_NLRI_ADDPATH_OR_ONE && nlri_check(rd, family, false, &n) && n == 1)
		addpath = false;
	if (!nlri_check(rd, family, addpath, &n))
		return false;
	*nlri = (struct bgp_nlri){ .rd = rd, .family = (uint8_t)family, .addpath = addpath };
	return true;
}

bool bgp_nlri_next(struct bgp_nlri *nlri, struct ip_prefix *prefix, uint32_t *path_id,
		   bool *masked)
{
	enum ip_family family = (enum ip_family)nlri->family;
	uint8_t raw[16] = { 0 };
	unsigned int len;
	u128 v;

	if (rd_left(&nlri->rd) == 0)
		return false;
	*path_id = nlri->addpath ? rd_be32(&nlri->rd) : 0;
	len = rd_u8(&nlri->rd);
	rd_bytes(&nlri->rd, raw, (len + 7) / 8);
	v = ip_from_bytes(raw, family);
	*prefix = ip_prefix_make(family, v, len);
	*masked = prefix->v != v;
	return true;
}

/* ---- AS paths */

enum segment {
	AS_SET = 1,
	AS_SEQUENCE = 2,
	AS_CONFED_SEQUENCE = 3, /* RFC 5065 */
	AS_CONFED_SET = 4,
};

struct path_segment {
	uint8_t type;
	uint8_t n;
	struct rd as;
};

static bool is_confed(uint8_t type)
{
	return type == AS_CONFED_SEQUENCE || type == AS_CONFED_SET;
}

/* The next segment; false at the end and, with path->failed, on damage
 * (RFC 7606 7.2). */
static bool segment_next(struct rd *path, size_t as_size, struct path_segment *seg)
{
	if (rd_left(path) == 0)
		return false;
	seg->type = rd_u8(path);
	seg->n = rd_u8(path);
	seg->as = rd_sub(path, seg->n * as_size);
	if (seg->n == 0 || seg->type < AS_SET || seg->type > AS_CONFED_SET)
		path->failed = true;
	return !path->failed;
}

/* Route selection's length: a set counts one, confederations nothing
 * (RFC 4271 9.1.2.2 (a), RFC 5065 5.3). */
static unsigned int segment_hops(const struct path_segment *seg)
{
	if (is_confed(seg->type))
		return 0;
	return seg->type == AS_SET ? 1 : seg->n;
}

static uint32_t as_next(struct rd *as, size_t as_size)
{
	return as_size == 2 ? rd_be16(as) : rd_be32(as);
}

/* Checks a path and counts its hops. AS 0 makes it malformed (RFC 7607). */
static bool path_check(struct rd path, size_t as_size, unsigned int *hops)
{
	struct path_segment seg;

	*hops = 0;
	while (segment_next(&path, as_size, &seg)) {
		*hops += segment_hops(&seg);
		while (rd_left(&seg.as) != 0) {
			if (as_next(&seg.as, as_size) == 0)
				return false;
		}
	}
	return !path.failed;
}

void bgp_attr_set_path(struct rib_attr *attr, const uint8_t *path, uint16_t len)
{
	struct rd rd = rd_init(path, len);
	struct path_segment seg;
	unsigned int hops = 0;
	bool first = true;

	attr->as_path = path;
	attr->as_path_len = len;
	attr->origin_kind = RIB_ORIGIN_OWN;
	attr->origin_as = 0;
	attr->neighbor_as = 0;
	while (segment_next(&rd, 4, &seg)) {
		uint32_t as = rd_be32(&seg.as);

		hops += segment_hops(&seg);
		if (first && !is_confed(seg.type)) {
			attr->neighbor_as = seg.type == AS_SEQUENCE ? as : 0;
			first = false;
		}
		if (rd_left(&rd) != 0)
			continue;
		/* the final segment decides (RFC 6811 sec. 2) */
		if (seg.type == AS_SEQUENCE) {
			while (rd_left(&seg.as) != 0)
				as = rd_be32(&seg.as);
			attr->origin_as = as;
			attr->origin_kind = RIB_ORIGIN_AS;
		} else if (seg.type == AS_SET) {
			attr->origin_kind = RIB_ORIGIN_NONE;
		}
	}
	attr->as_path_hops = (uint16_t)hops; /* at most 65535 / 4 */
}

bool bgp_path_contains(const struct rib_attr *attr, uint32_t as)
{
	struct rd rd = rd_init(attr->as_path, attr->as_path_len);
	struct path_segment seg;

	while (segment_next(&rd, 4, &seg)) {
		while (rd_left(&seg.as) != 0) {
			if (rd_be32(&seg.as) == as)
				return true;
		}
	}
	return false;
}

bool bgp_attr_strip_first(struct rib_attr *attr, uint32_t as, uint8_t *scratch)
{
	struct rd rd = rd_init(attr->as_path, attr->as_path_len);
	uint8_t type = rd_u8(&rd), n = rd_u8(&rd);
	size_t left;

	if (rd_be32(&rd) != as || rd.failed || type != AS_SEQUENCE)
		return false;
	left = rd_left(&rd);
	if (n == 1) {
		bgp_attr_set_path(attr, rd.p, (uint16_t)left);
		return true;
	}
	memmove(scratch + 2, rd.p, left);
	scratch[0] = type;
	scratch[1] = (uint8_t)(n - 1);
	bgp_attr_set_path(attr, scratch, (uint16_t)(left + 2));
	return true;
}

/* A path being rebuilt with 4-octet numbers. */
struct path_out {
	uint8_t *p;
	size_t len;
	bool full;
};

/* The first n numbers of a segment. */
static void out_segment(struct path_out *out, struct path_segment seg, unsigned int n,
			size_t as_size)
{
	if (out->full || out->len + 2 + 4 * (size_t)n > BGP_PATH_MAX) {
		out->full = true;
		return;
	}
	out->p[out->len++] = seg.type;
	out->p[out->len++] = (uint8_t)n;
	for (; n != 0; n--) {
		uint32_t as = as_next(&seg.as, as_size);

		out->p[out->len++] = (uint8_t)(as >> 24);
		out->p[out->len++] = (uint8_t)(as >> 16);
		out->p[out->len++] = (uint8_t)(as >> 8);
		out->p[out->len++] = (uint8_t)as;
	}
}

/* The leading part of a 2-octet path that has `hops` hops. A confederation
 * segment comes along when it leads or touches what is taken. */
static void out_leading(struct path_out *out, struct rd path, unsigned int hops)
{
	struct path_segment seg;

	while (segment_next(&path, 2, &seg)) {
		unsigned int n = seg.n;

		if (!is_confed(seg.type)) {
			if (hops == 0)
				return;
			if (seg.type == AS_SEQUENCE && n > hops)
				n = hops;
			hops -= seg.type == AS_SEQUENCE ? n : 1;
		}
		out_segment(out, seg, n, 2);
		if (n < seg.n)
			return;
	}
}

/* ---- path attributes */

#define FLAG_OPTIONAL	0x80
#define FLAG_TRANSITIVE 0x40
#define FLAG_EXTENDED	0x10

enum attr_type {
	ATTR_ORIGIN = 1,
	ATTR_AS_PATH = 2,
	ATTR_NEXT_HOP = 3,
	ATTR_MED = 4,
	ATTR_LOCAL_PREF = 5,
	ATTR_ATOMIC_AGGREGATE = 6,
	ATTR_AGGREGATOR = 7,
	ATTR_COMMUNITIES = 8,
	ATTR_ORIGINATOR_ID = 9,
	ATTR_CLUSTER_LIST = 10,
	ATTR_MP_REACH = 14,
	ATTR_MP_UNREACH = 15,
	ATTR_EXT_COMMUNITIES = 16,
	ATTR_AS4_PATH = 17,
	ATTR_AS4_AGGREGATOR = 18,
	ATTR_IPV6_EXT_COMMUNITIES = 25,
	ATTR_LARGE_COMMUNITIES = 32, /* RFC 8092 */
	ATTR_OTC = 35,		     /* RFC 9234 */
	ATTR_TABLE_SIZE,
};

enum on_error {
	NO_RULE,
	DISCARD,
	WITHDRAW,
	SKIP,
};

/* Flags and lengths by type, and what RFC 7606 sec. 7 (or the attribute's own
 * specification) does when they are wrong. */
static const struct attr_rule {
	uint8_t flags;
	uint8_t unit; /* the length is this, */
	bool many;    /* or a multiple of it but not zero; unit 0: any length */
	uint8_t on_error;
} rules[ATTR_TABLE_SIZE] = {
	[ATTR_ORIGIN] = { FLAG_TRANSITIVE, 1, false, WITHDRAW },
	[ATTR_AS_PATH] = { FLAG_TRANSITIVE, 0, true, WITHDRAW },
	[ATTR_NEXT_HOP] = { FLAG_TRANSITIVE, 4, false, WITHDRAW },
	[ATTR_MED] = { FLAG_OPTIONAL, 4, false, WITHDRAW },
	[ATTR_LOCAL_PREF] = { FLAG_TRANSITIVE, 4, false, WITHDRAW },
	[ATTR_ATOMIC_AGGREGATE] = { FLAG_TRANSITIVE, 0, false, DISCARD },
	[ATTR_AGGREGATOR] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 0, true, DISCARD },
	[ATTR_COMMUNITIES] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 4, true, WITHDRAW },
	[ATTR_ORIGINATOR_ID] = { FLAG_OPTIONAL, 4, false, WITHDRAW },
	[ATTR_CLUSTER_LIST] = { FLAG_OPTIONAL, 4, true, WITHDRAW },
	[ATTR_MP_REACH] = { FLAG_OPTIONAL, 0, true, SKIP },
	[ATTR_MP_UNREACH] = { FLAG_OPTIONAL, 0, true, SKIP },
	[ATTR_EXT_COMMUNITIES] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 8, true, WITHDRAW },
	[ATTR_AS4_PATH] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 2, true, DISCARD },
	[ATTR_AS4_AGGREGATOR] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 8, false, DISCARD },
	[ATTR_IPV6_EXT_COMMUNITIES] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 20, true, WITHDRAW },
	[ATTR_LARGE_COMMUNITIES] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 12, true, WITHDRAW },
	[ATTR_OTC] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 4, false, WITHDRAW },
};

struct attr_state {
	const struct bgp_update_ctx *ctx;
	struct bgp_update *u;
	uint64_t seen[4];
	unsigned int n; /* attributes, whatever became of them */
	enum bgp_update_verdict verdict;
	bool has_reach; /* MP_REACH_NLRI of any family */
	bool has_path, has_as4_path, has_as4_aggregator;
	uint16_t aggregator_as; /* of a 2-octet AGGREGATOR; 0: none */
	struct rd path, as4_path;
	unsigned int hops, as4_hops;
};

static void attr_error(struct attr_state *st, uint8_t type, enum on_error what)
{
	if (st->u->bad_attr == 0)
		st->u->bad_attr = type;
	switch (what) {
	case NO_RULE:
		break;
	case DISCARD:
		st->u->attr_discarded++;
		break;
	case WITHDRAW:
		if (st->verdict < BGP_UPDATE_WITHDRAW)
			st->verdict = BGP_UPDATE_WITHDRAW;
		break;
	case SKIP:
		st->verdict = BGP_UPDATE_SKIP;
		break;
	}
}

/* RFC 4760 sec. 3, RFC 2545 sec. 3, RFC 8950 sec. 3: a link-local address may
 * follow the global one. */
static bool next_hop_decode(struct rd *rd, size_t len, enum ip_family family,
			    struct ip_addr *nh)
{
	enum ip_family nh_family = len == 4 ? IP_V4 : IP_V6;
	struct rd sub = rd_sub(rd, len);
	uint8_t raw[16];

	if (len != 16 && len != 32 && !(len == 4 && family == IP_V4))
		return false;
	rd_bytes(&sub, raw, ip_bytes(nh_family));
	*nh = (struct ip_addr){ ip_from_bytes(raw, nh_family), (uint8_t)nh_family };
	return !sub.failed;
}

static bool mp_reach(struct attr_state *st, struct rd value)
{
	struct rd peek = value;
	enum ip_family family;
	uint16_t afi;
	uint8_t safi;
	size_t len;

	st->has_reach = true;
	/* RFC 6396 4.3.4 has only length and next hop; dumps that hold the
	 * whole attribute exist. No address family number is above 255 here,
	 * so a first byte other than zero is the length. */
	len = rd_u8(&peek);
	if (st->ctx->mrt && len != 0)
		return next_hop_decode(&peek, len, len == 4 ? IP_V4 : IP_V6,
				       &st->u->mp_next_hop) &&
		       rd_done(&peek);
	afi = rd_be16(&value);
	safi = rd_u8(&value);
	len = rd_u8(&value);
	if (rd_left(&value) < len + 1)
		return false;
	if (!family_of(afi, safi, &family)) {
		st->u->other_afi++;
		return true;
	}
	if (!next_hop_decode(&value, len, family, &st->u->mp_next_hop))
		return false;
	rd_skip(&value, 1); /* reserved */
	return bgp_nlri_init(&st->u->announced[1], value, family,
			     (enum bgp_nlri_form)st->ctx->form[family]);
}

static bool mp_unreach(struct attr_state *st, struct rd value)
{
	uint16_t afi = rd_be16(&value);
	uint8_t safi = rd_u8(&value);
	enum ip_family family;

	if (value.failed)
		return false;
	if (!family_of(afi, safi, &family)) {
		st->u->other_afi++;
		return true;
	}
	/* Alone in its message and empty it is an End-of-RIB; the rest of the
	 * attributes may still come, so the caller takes that back. */
	st->u->end_of_rib[family] = rd_left(&value) == 0;
	return bgp_nlri_init(&st->u->withdrawn[1], value, family,
			     (enum bgp_nlri_form)st->ctx->form[family]);
}

/* True if fine. Lengths and flags have been checked against the rules. */
static bool attr_value(struct attr_state *st, uint8_t type, struct rd value)
{
	struct rib_attr *attr = &st->u->attr;

	switch (type) {
	case ATTR_ORIGIN:
		attr->origin_code = rd_u8(&value);
		return attr->origin_code <= 2;
	case ATTR_AS_PATH:
		st->path = value;
		st->has_path = true;
		return path_check(value, st->ctx->as2 ? 2 : 4, &st->hops);
	case ATTR_NEXT_HOP:
		attr->next_hop = (struct ip_addr){ rd_be32(&value), IP_V4 };
		return true;
	case ATTR_MED:
		attr->med = rd_be32(&value);
		attr->has_med = 1;
		return true;
	case ATTR_LOCAL_PREF:
		attr->local_pref = rd_be32(&value);
		attr->has_local_pref = 1;
		return true;
	case ATTR_AGGREGATOR:
		/* RFC 7606 7.7 */
		if (rd_left(&value) != (st->ctx->as2 ? 6u : 8u))
			return false;
		st->aggregator_as = st->ctx->as2 ? rd_be16(&value) : 0;
		return true;
	case ATTR_MP_REACH:
		return mp_reach(st, value);
	case ATTR_MP_UNREACH:
		return mp_unreach(st, value);
	case ATTR_AS4_PATH:
		/* RFC 6793 sec. 6: not between speakers of 4-octet numbers */
		if (!st->ctx->as2 || rd_left(&value) < 6 ||
		    !path_check(value, 4, &st->as4_hops))
			return false;
		st->as4_path = value;
		st->has_as4_path = true;
		return true;
	case ATTR_AS4_AGGREGATOR:
		st->has_as4_aggregator = st->ctx->as2;
		return st->ctx->as2;
	default:
		return true;
	}
}

/* RFC 7606 7.5, 7.9, 7.10: not to be believed from an external neighbor. */
static bool is_internal_only(uint8_t type)
{
	return type == ATTR_LOCAL_PREF || type == ATTR_ORIGINATOR_ID ||
	       type == ATTR_CLUSTER_LIST;
}

static bool rule_ok(const struct attr_rule *rule, uint8_t flags, size_t len)
{
	if ((flags & (FLAG_OPTIONAL | FLAG_TRANSITIVE)) != rule->flags)
		return false;
	if (!rule->many)
		return len == rule->unit;
	return rule->unit == 0 || (len != 0 && len % rule->unit == 0);
}

static void attr_one(struct attr_state *st, uint8_t flags, uint8_t type, struct rd value)
{
	const struct attr_rule *rule = type < ATTR_TABLE_SIZE ? &rules[type] : &rules[0];
	uint64_t bit = (uint64_t)1 << (type & 63);

	st->n++;
	if (st->seen[type >> 6] & bit) {
		/* RFC 7606 3(g) */
		attr_error(st, type,
			   type == ATTR_MP_REACH || type == ATTR_MP_UNREACH ? SKIP : DISCARD);
		return;
	}
	st->seen[type >> 6] |= bit;
	if (rule->on_error == NO_RULE) {
		/* RFC 4271 6.3: a well-known attribute that we do not know */
		if (!(flags & FLAG_OPTIONAL))
			attr_error(st, type, SKIP);
		return;
	}
	if (st->ctx->external && is_internal_only(type)) {
		st->u->attr_discarded++;
		return;
	}
	if (!rule_ok(rule, flags, rd_left(&value)) || !attr_value(st, type, value))
		attr_error(st, type, (enum on_error)rule->on_error);
}

static void attrs_loop(struct attr_state *st, struct rd attrs)
{
	while (rd_left(&attrs) != 0 && st->verdict != BGP_UPDATE_SKIP) {
		uint8_t flags = rd_u8(&attrs), type = rd_u8(&attrs);
		size_t len = flags & FLAG_EXTENDED ? rd_be16(&attrs) : rd_u8(&attrs);
		struct rd value = rd_sub(&attrs, len);

		if (value.failed) {
			/* RFC 7606 sec. 4: the total length is relied upon */
			st->n++;
			attr_error(st, type, WITHDRAW);
			return;
		}
		attr_one(st, flags, type, value);
	}
}

/* AS_PATH of an exporter with 2-octet numbers, RFC 6793 4.2.3. */
static bool path_from_as2(struct attr_state *st, uint8_t *scratch)
{
	struct path_out out = { .p = scratch };
	bool merge = st->has_as4_path && st->hops >= st->as4_hops;
	struct path_segment seg;

	if (st->has_as4_aggregator && st->aggregator_as != 0 &&
	    st->aggregator_as != BGP_AS_TRANS)
		merge = false;
	if (merge) {
		out_leading(&out, st->path, st->hops - st->as4_hops);
		/* sec. 6: confederation segments are dropped */
		while (segment_next(&st->as4_path, 4, &seg)) {
			if (!is_confed(seg.type))
				out_segment(&out, seg, seg.n, 4);
		}
	} else {
		while (segment_next(&st->path, 2, &seg))
			out_segment(&out, seg, seg.n, 2);
	}
	if (out.full)
		return false;
	bgp_attr_set_path(&st->u->attr, scratch, (uint16_t)out.len);
	return true;
}

static bool has(const struct attr_state *st, enum attr_type type)
{
	return st->seen[0] >> type & 1;
}

/* All attributes are read: the mandatory ones, and the path as a whole. */
static void attrs_finish(struct attr_state *st, bool mandatory, bool next_hop,
			 uint8_t *scratch)
{
	if (st->verdict == BGP_UPDATE_OK && mandatory) {
		/* RFC 7606 3(d); RFC 4760 makes NEXT_HOP a matter of RFC 4271 NLRI */
		if (!has(st, ATTR_ORIGIN))
			attr_error(st, ATTR_ORIGIN, WITHDRAW);
		else if (!st->has_path)
			attr_error(st, ATTR_AS_PATH, WITHDRAW);
		else if (next_hop && !has(st, ATTR_NEXT_HOP))
			attr_error(st, ATTR_NEXT_HOP, WITHDRAW);
	}
	if (st->verdict != BGP_UPDATE_OK || !st->has_path)
		return;
	if (st->ctx->as2) {
		if (!path_from_as2(st, scratch))
			attr_error(st, ATTR_AS_PATH, WITHDRAW);
		return;
	}
	bgp_attr_set_path(&st->u->attr, st->path.p, (uint16_t)rd_left(&st->path));
}

enum bgp_update_verdict bgp_attrs_decode(struct rd attrs, const struct bgp_update_ctx *ctx,
					 uint8_t *scratch, struct bgp_update *update)
{
	struct attr_state st = { .ctx = ctx, .u = update };

	*update = (struct bgp_update){ .attr.origin_kind = RIB_ORIGIN_OWN };
	if (attrs.failed)
		return BGP_UPDATE_SKIP;
	attrs_loop(&st, attrs);
	attrs_finish(&st, true, false, scratch);
	return st.verdict;
}

enum bgp_update_verdict bgp_update_decode(struct rd body, const struct bgp_update_ctx *ctx,
					  uint8_t *scratch, struct bgp_update *update)
{
	struct attr_state st = { .ctx = ctx, .u = update };
	struct bgp_update *u = update;
	struct rd withdrawn, attrs;
	bool v4, mp, routes;

	*u = (struct bgp_update){ .attr.origin_kind = RIB_ORIGIN_OWN };
	withdrawn = rd_sub(&body, rd_be16(&body));
	attrs = rd_sub(&body, rd_be16(&body));
	/* RFC 7606 3(b), 5.3 */
	if (body.failed ||
	    !bgp_nlri_init(&u->withdrawn[0], withdrawn, IP_V4,
			   (enum bgp_nlri_form)ctx->form[IP_V4]) ||
	    !bgp_nlri_init(&u->announced[0], body, IP_V4,
			   (enum bgp_nlri_form)ctx->form[IP_V4]))
		return BGP_UPDATE_SKIP;
	attrs_loop(&st, attrs);
	v4 = rd_left(&u->announced[0].rd) != 0;
	mp = rd_left(&u->announced[1].rd) != 0;
	routes = v4 || rd_left(&withdrawn) != 0;
	/* RFC 4724 sec. 2 */
	if (st.n != 1 || routes)
		u->end_of_rib[IP_V4] = u->end_of_rib[IP_V6] = false;
	if (st.n == 0 && !routes)
		u->end_of_rib[IP_V4] = true;
	attrs_finish(&st, v4 || mp, v4 && !ctx->next_hop_optional, scratch);
	/* RFC 7606 5.2: which routes a damaged message without any is about
	 * cannot be known. */
	if (st.verdict == BGP_UPDATE_WITHDRAW && !v4 && !mp && !st.has_reach)
		st.verdict = BGP_UPDATE_SKIP;
	return st.verdict;
}
