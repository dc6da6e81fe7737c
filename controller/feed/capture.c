/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/capture.h"

enum magic {
	MAGIC_MICRO = 0xa1b2c3d4,
	MAGIC_NANO = 0xa1b23c4d,
	MAGIC_MICRO_SWAPPED = 0xd4c3b2a1,
	MAGIC_NANO_SWAPPED = 0x4d3cb2a1,
	MAGIC_NG = 0x0a0d0d0a,
};

/* tcpdump.org's LINKTYPE_ numbers */
enum link {
	LINK_ETHERNET = 1,
	LINK_RAW = 101,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
	/* LINKTYPE_RAW as BSDs wrote it */
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
};

enum ethertype {
	ETHER_IPV4 = 0x0800,
	ETHER_IPV6 = 0x86dd,
	ETHER_VLAN = 0x8100,
	ETHER_QINQ = 0x88a8,
	ETHER_QINQ_OLD = 0x9100,
};

#define SLL_OUTGOING 4

static uint16_t u16(struct rd *rd, const struct capture *c)
{
	uint16_t v = rd_be16(rd);

	return c->swapped ? (uint16_t)(v >> 8 | v << 8) : v;
}

static uint32_t u32(struct rd *rd, const struct capture *c)
{
	uint32_t v = rd_be32(rd);

	return c->swapped ? __builtin_bswap32(v) : v;
}

bool capture_is_one(struct rd rd)
{
	uint32_t magic = rd_be32(&rd);

	return !rd.failed && (magic == MAGIC_MICRO || magic == MAGIC_NANO ||
			      magic == MAGIC_MICRO_SWAPPED ||
			      magic == MAGIC_NANO_SWAPPED || magic == MAGIC_NG);
}

static bool is_link(uint32_t link)
{
	return link == LINK_ETHERNET || link == LINK_RAW || link == LINK_SLL ||
	       link == LINK_IPV4 || link == LINK_IPV6 || link == LINK_SLL2 ||
	       link == LINK_RAW_BSD || link == LINK_RAW_OPENBSD;
}

int capture_header_decode(struct rd *rd, struct capture *c, struct diag *diag)
{
	struct capture found = { 0 };
	uint32_t magic = rd_be32(rd), link;
	uint16_t major;

	if (!rd->failed && magic == MAGIC_NG)
		return diag_set(diag,
				"this is pcapng: convert it with \"tcpdump -r FILE -w "
				"NEW\" or \"editcap -F pcap FILE NEW\"");
	found.swapped = magic == MAGIC_MICRO_SWAPPED || magic == MAGIC_NANO_SWAPPED;
	if (!found.swapped && magic != MAGIC_MICRO && magic != MAGIC_NANO)
		return diag_set(diag, "this is not a pcap file");
	major = u16(rd, &found);
	rd_skip(rd, 2 + 4 + 4 + 4); /* minor version, zone, accuracy, snapshot length */
	link = u32(rd, &found);
	if (rd->failed)
		return diag_set(diag, "the header of the capture is cut short");
	if (major != 2)
		return diag_set(diag, "version %u of pcap is not known, only 2", major);
	link &= 0xffff; /* above: length of the frame check sequence */
	if (!is_link(link))
		return diag_set(
			diag,
			"link type %u cannot be read: capture on an Ethernet or IP "
			"interface, or with \"tcpdump -i any\"",
			link);
	found.link = (uint16_t)link;
	*c = found;
	return 0;
}

bool capture_record_decode(struct rd *rd, const struct capture *c,
			   struct capture_record *r)
{
	struct capture_record found;

	rd_skip(rd, 4 + 4); /* time stamp */
	found.stored = u32(rd, c);
	found.length = u32(rd, c);
	if (rd->failed || found.stored > CAPTURE_PACKET_MAX)
		return false;
	if (found.length < found.stored)
		found.length = found.stored;
	*r = found;
	return true;
}

/* Behind any VLAN tags; each takes bytes, so there is an end. */
static uint16_t ethernet_type(struct rd *packet)
{
	uint16_t type = rd_be16(packet);

	while (!packet->failed &&
	       (type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD)) {
		rd_skip(packet, 2);
		type = rd_be16(packet);
	}
	return type;
}

/* To the IP header. 0: raw, the version tells; else an Ethernet type. */
static uint16_t skip_link(const struct capture *c, struct rd *packet, bool *outgoing)
{
	uint16_t type;

	switch (c->link) {
	case LINK_ETHERNET:
		rd_skip(packet, 6 + 6);
		return ethernet_type(packet);
	case LINK_SLL:
		*outgoing = rd_be16(packet) == SLL_OUTGOING;
		rd_skip(packet, 2 + 2 + 8);
		return ethernet_type(packet);
	case LINK_SLL2:
		type = rd_be16(packet);
		rd_skip(packet, 2 + 4 + 2);
		*outgoing = rd_u8(packet) == SLL_OUTGOING;
		rd_skip(packet, 1 + 8);
		/* tags are still in the packet, as behind an Ethernet type */
		if (type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD) {
			rd_skip(packet, 2);
			type = ethernet_type(packet);
		}
		return type;
	default:
		return 0;
	}
}

enum capture_kind capture_source(const struct capture *c, const struct capture_record *r,
				 struct rd packet, struct ip_addr *src, uint32_t *bytes)
{
	size_t before = rd_left(&packet);
	bool outgoing = false;
	uint16_t type = skip_link(c, &packet, &outgoing);
	uint32_t header = (uint32_t)(before - rd_left(&packet));
	uint8_t address[16], version;
	enum ip_family family;

	if (packet.failed)
		return CAPTURE_SHORT;
	if (outgoing)
		return CAPTURE_OUTGOING;
	if (type != 0 && type != ETHER_IPV4 && type != ETHER_IPV6)
		return CAPTURE_OTHER;
	version = rd_u8(&packet) >> 4;
	if (packet.failed)
		return CAPTURE_SHORT;
	if ((version != 4 && version != 6) || (type == ETHER_IPV4 && version != 4) ||
	    (type == ETHER_IPV6 && version != 6))
		return CAPTURE_OTHER;
	family = version == 4 ? IP_V4 : IP_V6;
	rd_skip(&packet, family == IP_V4 ? 11 : 7);
	rd_bytes(&packet, address, ip_bytes(family));
	if (packet.failed)
		return CAPTURE_SHORT;
	*src = (struct ip_addr){ .v = ip_from_bytes(address, family), .family = family };
	*bytes = r->length - header;
	return CAPTURE_SOURCE;
}
