/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bgp.h"

#include "controller/feed/bgp_impl.h"

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

#define NO_ADVERTISE 0xffffff02 /* RFC 1997 */

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
	[ATTR_IPV6_EXT_COMMUNITIES] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 20, true,
					WITHDRAW },
	[ATTR_LARGE_COMMUNITIES] = { FLAG_OPTIONAL | FLAG_TRANSITIVE, 12, true,
				     WITHDRAW },
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
	if (!bgp_family_of(afi, safi, &family)) {
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
	if (!bgp_family_of(afi, safi, &family)) {
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
		return bgp_path_check(value, st->ctx->as2 ? 2 : 4, &st->hops);
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
	case ATTR_COMMUNITIES:
		while (rd_left(&value) != 0) {
			if (rd_be32(&value) == NO_ADVERTISE)
				attr->no_advertise = 1;
		}
		return true;
	case ATTR_MP_REACH:
		return mp_reach(st, value);
	case ATTR_MP_UNREACH:
		return mp_unreach(st, value);
	case ATTR_AS4_PATH:
		/* RFC 6793 sec. 6: not between speakers of 4-octet numbers */
		if (!st->ctx->as2 || rd_left(&value) < 6 ||
		    !bgp_path_check(value, 4, &st->as4_hops))
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
			   type == ATTR_MP_REACH || type == ATTR_MP_UNREACH ? SKIP
									    : DISCARD);
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
	bool merge = st->has_as4_path && st->hops >= st->as4_hops;
	long len;

	/* AS4_PATH is older than the last aggregation */
	if (st->has_as4_aggregator && st->aggregator_as != 0 &&
	    st->aggregator_as != BGP_AS_TRANS)
		merge = false;
	len = merge ? bgp_path_merge(scratch, st->path, st->hops - st->as4_hops,
				     st->as4_path)
		    : bgp_path_widen(scratch, st->path);
	if (len < 0)
		return false;
	bgp_attr_set_path(&st->u->attr, scratch, (uint16_t)len);
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

enum bgp_update_verdict bgp_attrs_decode(struct rd attrs,
					 const struct bgp_update_ctx *ctx,
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

enum bgp_update_verdict bgp_update_decode(struct rd body,
					  const struct bgp_update_ctx *ctx,
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
