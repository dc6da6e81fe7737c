/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/mrt.h"

#define AFI_IP	     1
#define AFI_IP6	     2
#define SAFI_UNICAST 1

/* Subtypes, by type. */
enum {
	V2_PEER_INDEX_TABLE = 1,
	V2_RIB_IPV4_UNICAST = 2,
	V2_RIB_IPV4_MULTICAST = 3,
	V2_RIB_IPV6_UNICAST = 4,
	V2_RIB_IPV6_MULTICAST = 5,
	V2_RIB_GENERIC = 6,
	V2_GEO_PEER_TABLE = 7, /* RFC 6397 */
	V2_RIB_IPV4_UNICAST_ADDPATH = 8,
	V2_RIB_IPV6_UNICAST_ADDPATH = 10,
	V2_RIB_GENERIC_ADDPATH = 12,
};
enum {
	BGP4MP_STATE_CHANGE = 0,
	BGP4MP_MESSAGE = 1,
	BGP4MP_ENTRY = 2,    /* deprecated */
	BGP4MP_SNAPSHOT = 3, /* deprecated */
	BGP4MP_MESSAGE_AS4 = 4,
	BGP4MP_STATE_CHANGE_AS4 = 5,
	BGP4MP_MESSAGE_LOCAL = 6,
	BGP4MP_MESSAGE_AS4_LOCAL = 7,
	BGP4MP_MESSAGE_ADDPATH = 8,
	BGP4MP_MESSAGE_AS4_ADDPATH = 9,
	BGP4MP_MESSAGE_LOCAL_ADDPATH = 10,
	BGP4MP_MESSAGE_AS4_LOCAL_ADDPATH = 11,
};

/* ---- headers */

bool mrt_header_decode(struct rd *rd, struct mrt_header *h)
{
	struct mrt_header out;

	out.time_s = rd_be32(rd);
	out.type = rd_be16(rd);
	out.subtype = rd_be16(rd);
	out.len = rd_be32(rd);
	if (rd->failed)
		return false;
	*h = out;
	return true;
}

/* The shortest body a record of this kind can have; IPv4 addresses, no NLRI. */
static uint32_t shortest(const struct mrt_header *h)
{
	uint32_t et = h->type == MRT_BGP4MP_ET ? 4 : 0;

	switch (mrt_kind_of(h)) {
	case MRT_PEER_INDEX:
		return 8;
	case MRT_RIB:
		return 7;
	case MRT_TABLE:
		return h->subtype == AFI_IP ? 22 : 46;
	case MRT_MESSAGE:
	case MRT_LOCAL:
		return 16 + 19 + et;
	case MRT_STATE:
		return 20 + et;
	case MRT_OTHER:
		return et;
	}
	return 0;
}

enum mrt_verdict mrt_header_judge(const struct mrt_header *h)
{
	/* A hole of zeros reads as NULL records (type 0); RFC 6396 B.1 knows of
	 * no writer of types 0 to 4. */
	if (h->len > MRT_RECORD_MAX || h->type <= 4 || h->len < shortest(h))
		return MRT_HEADER_NO;
	switch (h->type) {
	case MRT_TABLE_DUMP:
		return h->subtype == AFI_IP || h->subtype == AFI_IP6 ? MRT_HEADER_YES
								     : MRT_HEADER_MAYBE;
	case MRT_TABLE_DUMP_V2:
		return h->subtype >= V2_PEER_INDEX_TABLE &&
				       h->subtype <= V2_RIB_GENERIC_ADDPATH
			       ? MRT_HEADER_YES
			       : MRT_HEADER_MAYBE;
	case MRT_BGP4MP:
	case MRT_BGP4MP_ET:
		return h->subtype <= BGP4MP_MESSAGE_AS4_LOCAL_ADDPATH ? MRT_HEADER_YES
								      : MRT_HEADER_MAYBE;
	default:
		return MRT_HEADER_MAYBE;
	}
}

static enum mrt_kind v2_kind(uint16_t subtype)
{
	switch (subtype) {
	case V2_PEER_INDEX_TABLE:
		return MRT_PEER_INDEX;
	case V2_RIB_IPV4_UNICAST:
	case V2_RIB_IPV6_UNICAST:
	case V2_RIB_GENERIC:
	case V2_RIB_IPV4_UNICAST_ADDPATH:
	case V2_RIB_IPV6_UNICAST_ADDPATH:
	case V2_RIB_GENERIC_ADDPATH:
		return MRT_RIB;
	default:
		return MRT_OTHER;
	}
}

static enum mrt_kind bgp4mp_kind(uint16_t subtype)
{
	switch (subtype) {
	case BGP4MP_MESSAGE:
	case BGP4MP_MESSAGE_AS4:
	case BGP4MP_MESSAGE_ADDPATH:
	case BGP4MP_MESSAGE_AS4_ADDPATH:
		return MRT_MESSAGE;
	case BGP4MP_MESSAGE_LOCAL:
	case BGP4MP_MESSAGE_AS4_LOCAL:
	case BGP4MP_MESSAGE_LOCAL_ADDPATH:
	case BGP4MP_MESSAGE_AS4_LOCAL_ADDPATH:
		return MRT_LOCAL;
	case BGP4MP_STATE_CHANGE:
	case BGP4MP_STATE_CHANGE_AS4:
		return MRT_STATE;
	default:
		return MRT_OTHER;
	}
}

enum mrt_kind mrt_kind_of(const struct mrt_header *h)
{
	switch (h->type) {
	case MRT_TABLE_DUMP:
		return h->subtype == AFI_IP || h->subtype == AFI_IP6 ? MRT_TABLE : MRT_OTHER;
	case MRT_TABLE_DUMP_V2:
		return v2_kind(h->subtype);
	case MRT_BGP4MP:
	case MRT_BGP4MP_ET:
		return bgp4mp_kind(h->subtype);
	default:
		return MRT_OTHER;
	}
}

/* ---- parts */

static struct ip_addr addr_decode(struct rd *rd, enum ip_family family)
{
	uint8_t raw[16] = { 0 };

	rd_bytes(rd, raw, ip_bytes(family));
	return (struct ip_addr){ ip_from_bytes(raw, family), (uint8_t)family };
}

/* As in BGP's NLRI: no more bytes than the length needs. */
static bool prefix_decode(struct rd *rd, enum ip_family family, struct ip_prefix *prefix,
			  bool *masked)
{
	unsigned int len = rd_u8(rd);
	uint8_t raw[16] = { 0 };
	u128 v;

	if (len > ip_bits(family)) {
		rd->failed = true;
		return false;
	}
	rd_bytes(rd, raw, (len + 7) / 8);
	v = ip_from_bytes(raw, family);
	*prefix = ip_prefix_make(family, v, len);
	*masked = prefix->v != v;
	return !rd->failed;
}

/* ---- TABLE_DUMP_V2 */

static void peer_decode(struct rd *rd, struct mrt_peer *peer)
{
	uint8_t type = rd_u8(rd);

	peer->id = rd_be32(rd);
	peer->addr = addr_decode(rd, type & 1 ? IP_V6 : IP_V4);
	peer->as = type & 2 ? rd_be32(rd) : rd_be16(rd);
}

bool mrt_peer_index_decode(struct rd body, struct mrt_peer_index *index)
{
	struct mrt_peer_index out;
	struct mrt_peer peer;
	struct rd check;

	out.collector_id = rd_be32(&body);
	rd_skip(&body, rd_be16(&body)); /* view name */
	out.n = rd_be16(&body);
	out.peers = check = body;
	for (unsigned int i = 0; i < out.n && !check.failed; i++)
		peer_decode(&check, &peer);
	if (!rd_done(&check))
		return false;
	*index = out;
	return true;
}

bool mrt_peer_next(struct mrt_peer_index *index, struct mrt_peer *peer)
{
	if (rd_left(&index->peers) == 0)
		return false;
	peer_decode(&index->peers, peer);
	return true;
}

/* RIB_GENERIC's place for the prefix; false: damaged. */
static bool generic_decode(struct rd *rd, bool addpath, struct mrt_rib *rib)
{
	uint16_t afi = rd_be16(rd);
	uint8_t safi = rd_u8(rd);

	if (rd->failed)
		return false;
	/* RFC 6396 4.3.3: the remainder of the record is discarded */
	rib->other_family = safi != SAFI_UNICAST || (afi != AFI_IP && afi != AFI_IP6);
	if (rib->other_family)
		return true;
	/* RFC 8050 4.2: the path id is part of the NLRI, not of the entries */
	if (addpath)
		rib->path_id = rd_be32(rd);
	return prefix_decode(rd, afi == AFI_IP ? IP_V4 : IP_V6, &rib->prefix, &rib->masked);
}

static void entry_decode(struct rd *rd, bool addpath, struct mrt_rib_entry *entry)
{
	entry->peer = rd_be16(rd);
	rd_skip(rd, 4); /* originated time */
	entry->path_id = addpath ? rd_be32(rd) : 0;
	entry->attrs = rd_sub(rd, rd_be16(rd));
}

bool mrt_rib_decode(uint16_t subtype, struct rd body, struct mrt_rib *rib)
{
	struct mrt_rib out = { 0 };
	struct mrt_rib_entry entry;
	struct rd check;

	rd_skip(&body, 4); /* sequence number */
	switch (subtype) {
	case V2_RIB_IPV4_UNICAST_ADDPATH:
	case V2_RIB_IPV4_UNICAST:
		prefix_decode(&body, IP_V4, &out.prefix, &out.masked);
		break;
	case V2_RIB_IPV6_UNICAST_ADDPATH:
	case V2_RIB_IPV6_UNICAST:
		prefix_decode(&body, IP_V6, &out.prefix, &out.masked);
		break;
	default:
		if (!generic_decode(&body, subtype == V2_RIB_GENERIC_ADDPATH, &out))
			return false;
		break;
	}
	if (out.other_family) {
		*rib = out;
		return true;
	}
	out.addpath = subtype == V2_RIB_IPV4_UNICAST_ADDPATH ||
		      subtype == V2_RIB_IPV6_UNICAST_ADDPATH;
	out.n = rd_be16(&body);
	out.entries = check = body;
	for (unsigned int i = 0; i < out.n && !check.failed; i++)
		entry_decode(&check, out.addpath, &entry);
	if (!rd_done(&check))
		return false;
	*rib = out;
	return true;
}

bool mrt_rib_entry_next(struct mrt_rib *rib, struct mrt_rib_entry *entry)
{
	if (rd_left(&rib->entries) == 0)
		return false;
	entry_decode(&rib->entries, rib->addpath, entry);
	if (!rib->addpath)
		entry->path_id = rib->path_id;
	return true;
}

/* ---- TABLE_DUMP */

bool mrt_table_decode(uint16_t subtype, struct rd body, struct mrt_table *table)
{
	enum ip_family family = subtype == AFI_IP ? IP_V4 : IP_V6;
	struct mrt_table out = { 0 };
	struct ip_addr addr;
	unsigned int len;

	rd_skip(&body, 4); /* view and sequence numbers */
	addr = addr_decode(&body, family);
	len = rd_u8(&body);
	rd_skip(&body, 5); /* status, originated time */
	out.peer.addr = addr_decode(&body, family);
	out.peer.as = rd_be16(&body);
	out.attrs = rd_sub(&body, rd_be16(&body));
	if (!rd_done(&body) || len > ip_bits(family))
		return false;
	out.prefix = ip_prefix_make(family, addr.v, len);
	out.masked = out.prefix.v != addr.v;
	*table = out;
	return true;
}

/* ---- BGP4MP */

static bool session_decode(const struct mrt_header *h, struct rd *rd, bool as2,
			   struct mrt_session *s)
{
	enum ip_family family;
	uint16_t afi;

	if (h->type == MRT_BGP4MP_ET)
		rd_skip(rd, 4); /* microseconds */
	s->peer_as = as2 ? rd_be16(rd) : rd_be32(rd);
	s->local_as = as2 ? rd_be16(rd) : rd_be32(rd);
	rd_skip(rd, 2); /* interface index */
	afi = rd_be16(rd);
	if (afi != AFI_IP && afi != AFI_IP6)
		return false;
	family = afi == AFI_IP ? IP_V4 : IP_V6;
	s->peer = addr_decode(rd, family);
	s->local = addr_decode(rd, family);
	return !rd->failed;
}

bool mrt_message_decode(const struct mrt_header *h, struct rd body, struct mrt_message *m)
{
	struct mrt_message out = {
		.as2 = h->subtype == BGP4MP_MESSAGE || h->subtype == BGP4MP_MESSAGE_ADDPATH,
		.addpath = h->subtype == BGP4MP_MESSAGE_ADDPATH ||
			   h->subtype == BGP4MP_MESSAGE_AS4_ADDPATH,
	};

	if (!session_decode(h, &body, out.as2, &out.session))
		return false;
	out.bgp = body;
	*m = out;
	return true;
}

bool mrt_state_decode(const struct mrt_header *h, struct rd body, struct mrt_state *s)
{
	struct mrt_state out = { 0 };

	if (!session_decode(h, &body, h->subtype == BGP4MP_STATE_CHANGE, &out.session))
		return false;
	out.old = rd_be16(&body);
	out.new = rd_be16(&body);
	if (!rd_done(&body))
		return false;
	*s = out;
	return true;
}
