/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bgp.h"

#include "controller/feed/bgp_impl.h"

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

bool bgp_family_of(uint16_t afi, uint8_t safi, enum ip_family *family)
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
		if (value.failed || mode > 3 || !bgp_family_of(afi, safi, &family))
			continue;
		st->open.addpath_receive[family] = mode & 1;
		st->open.addpath_send[family] = mode & 2;
	}
}

static void capability_restart(struct open_state *st, struct rd value)
{
	st->open.graceful_restart = true;
	st->open.restart_s = rd_be16(&value) & 0xfff; /* 4 bits of flags */
	while (rd_left(&value) >= 4) {
		uint16_t afi = rd_be16(&value);
		enum ip_family family;

		if (bgp_family_of(afi, rd_u8(&value), &family))
			st->open.restart[family] = true;
		rd_skip(&value, 1);
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
		if (len == 4 && bgp_family_of(afi, rd_u8(&value), &family))
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
		if (len % 4 == 2)
			capability_restart(st, value);
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
		struct rd caps =
			rd_sub(&params, extended ? rd_be16(&params) : rd_u8(&params));

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
	if (form == BGP_NLRI_ADDPATH_OR_ONE && nlri_check(rd, family, false, &n) &&
	    n == 1)
		addpath = false;
	if (!nlri_check(rd, family, addpath, &n))
		return false;
	*nlri = (struct bgp_nlri){ .rd = rd,
				   .family = (uint8_t)family,
				   .addpath = addpath };
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
