/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/feed/bmp_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Test data that is wrong by accident must not pass for a result. */
static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "bad test data: %s\n", what);
		abort();
	}
}

static void put_addr(struct wr *out, const struct ip_addr *addr)
{
	uint8_t raw[16];

	ip_to_bytes(addr->v, (enum ip_family)addr->family, raw);
	wr_bytes(out, raw, ip_bytes((enum ip_family)addr->family));
}

static struct ip_addr get_addr(const char *text)
{
	struct ip_addr addr;

	must(ip_addr_parse(text, &addr), text);
	return addr;
}

void build_bgp(struct wr *out, uint8_t type, const struct wr *body)
{
	for (int i = 0; i < 16; i++)
		wr_u8(out, 0xff);
	wr_be16(out, (uint16_t)(19 + body->len));
	wr_u8(out, type);
	wr_bytes(out, body->data, body->len);
}

static void capability(struct wr *caps, uint8_t code, uint8_t len)
{
	wr_u8(caps, code);
	wr_u8(caps, len);
}

static void capabilities(struct wr *caps, const struct build_open *open)
{
	for (uint16_t afi = 1; afi <= 2; afi++) {
		capability(caps, 1, 4);
		wr_be16(caps, afi);
		wr_be16(caps, 1);
	}
	if (!open->no_as4) {
		capability(caps, 65, 4);
		wr_be32(caps, open->as);
	}
	if (open->role >= 0) {
		capability(caps, 9, 1);
		wr_u8(caps, (uint8_t)open->role);
	}
	for (uint16_t family = 0; family < IP_FAMILIES; family++) {
		if (open->addpath[family] == 0)
			continue;
		capability(caps, 69, 4);
		wr_be16(caps, (uint16_t)(family + 1));
		wr_u8(caps, 1);
		wr_u8(caps, open->addpath[family]);
	}
	if (open->graceful_restart) {
		capability(caps, 64, open->restart ? 10 : 2);
		wr_be16(caps, 120);
		for (uint16_t afi = 1; open->restart && afi <= 2; afi++) {
			wr_be16(caps, afi);
			wr_be16(caps, 1 << 8 | 0x80);
		}
	}
}

void build_open(struct wr *out, const struct build_open *open)
{
	struct wr body = { 0 }, caps = { 0 };

	capabilities(&caps, open);
	wr_u8(&body, 4);
	wr_be16(&body, open->as > 65535 ? 23456 : (uint16_t)open->as);
	wr_be16(&body, 180);
	wr_be32(&body, open->id);
	wr_u8(&body, (uint8_t)(caps.len + 2));
	wr_u8(&body, 2);
	wr_u8(&body, (uint8_t)caps.len);
	wr_bytes(&body, caps.data, caps.len);
	build_bgp(out, 1, &body);
	wr_fini(&caps);
	wr_fini(&body);
}

void build_update_fini(struct build_update *u)
{
	wr_fini(&u->withdrawn);
	wr_fini(&u->attrs);
	wr_fini(&u->nlri);
}

void build_update_body(struct wr *out, const struct build_update *u)
{
	wr_be16(out, (uint16_t)u->withdrawn.len);
	wr_bytes(out, u->withdrawn.data, u->withdrawn.len);
	wr_be16(out, (uint16_t)u->attrs.len);
	wr_bytes(out, u->attrs.data, u->attrs.len);
	wr_bytes(out, u->nlri.data, u->nlri.len);
}

void build_attr(struct wr *attrs, uint8_t flags, uint8_t type, const void *value,
		size_t len)
{
	if (len > 255)
		flags |= 0x10;
	wr_u8(attrs, flags);
	wr_u8(attrs, type);
	if (flags & 0x10)
		wr_be16(attrs, (uint16_t)len);
	else
		wr_u8(attrs, (uint8_t)len);
	wr_bytes(attrs, value, len);
}

void build_origin(struct wr *attrs, uint8_t code)
{
	build_attr(attrs, 0x40, 1, &code, 1);
}

void build_as_path(struct wr *attrs, const uint32_t *as, size_t n)
{
	struct wr path = { 0 };

	if (n != 0) {
		wr_u8(&path, 2);
		wr_u8(&path, (uint8_t)n);
	}
	for (size_t i = 0; i < n; i++)
		wr_be32(&path, as[i]);
	build_attr(attrs, 0x40, 2, path.data, path.len);
	wr_fini(&path);
}

void build_next_hop(struct wr *attrs, const char *addr)
{
	struct ip_addr nh = get_addr(addr);

	build_u32_attr(attrs, 0x40, 3, (uint32_t)nh.v);
}

void build_u32_attr(struct wr *attrs, uint8_t flags, uint8_t type, uint32_t v)
{
	uint8_t raw[4];

	ip_to_bytes(v, IP_V4, raw);
	build_attr(attrs, flags, type, raw, 4);
}

void build_usual(struct wr *attrs, const uint32_t *as, size_t n)
{
	build_origin(attrs, 0);
	build_as_path(attrs, as, n);
	build_next_hop(attrs, "192.0.2.1");
}

static struct ip_addr split_prefix(const char *text, unsigned int *len)
{
	char addr[IP_TEXT_SIZE];
	const char *slash = strchr(text, '/');

	must(slash != NULL && (size_t)(slash - text) < sizeof(addr), text);
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	*len = (unsigned int)atoi(slash + 1);
	return get_addr(addr);
}

void build_prefix(struct wr *out, const char *text)
{
	unsigned int len;
	struct ip_addr addr = split_prefix(text, &len);
	uint8_t raw[16];

	ip_to_bytes(addr.v, (enum ip_family)addr.family, raw);
	wr_u8(out, (uint8_t)len);
	wr_bytes(out, raw, (len + 7) / 8);
}

void build_prefix_id(struct wr *out, uint32_t path_id, const char *text)
{
	wr_be32(out, path_id);
	build_prefix(out, text);
}

void build_mp_reach(struct wr *attrs, uint16_t afi, uint8_t safi, const char *next_hop,
		    const struct wr *nlri)
{
	struct ip_addr nh = get_addr(next_hop);
	struct wr value = { 0 };

	wr_be16(&value, afi);
	wr_u8(&value, safi);
	wr_u8(&value, (uint8_t)ip_bytes((enum ip_family)nh.family));
	put_addr(&value, &nh);
	wr_u8(&value, 0);
	wr_bytes(&value, nlri->data, nlri->len);
	build_attr(attrs, 0x80, 14, value.data, value.len);
	wr_fini(&value);
}

void build_mp_unreach(struct wr *attrs, uint16_t afi, uint8_t safi, const struct wr *nlri)
{
	struct wr value = { 0 };

	wr_be16(&value, afi);
	wr_u8(&value, safi);
	wr_bytes(&value, nlri->data, nlri->len);
	build_attr(attrs, 0x80, 15, value.data, value.len);
	wr_fini(&value);
}

void build_bmp(struct wr *out, uint8_t type, const struct wr *body)
{
	wr_u8(out, 3);
	wr_be32(out, (uint32_t)(6 + body->len));
	wr_u8(out, type);
	wr_bytes(out, body->data, body->len);
}

static void put_addr16(struct wr *out, const struct ip_addr *addr)
{
	for (unsigned int i = ip_bytes((enum ip_family)addr->family); i < 16; i++)
		wr_u8(out, 0);
	put_addr(out, addr);
}

void build_peer_header(struct wr *out, const struct build_peer *peer)
{
	struct ip_addr addr = get_addr(peer->addr);

	wr_u8(out, peer->type);
	wr_u8(out, (uint8_t)(peer->flags | (addr.family == IP_V6 ? 0x80 : 0)));
	wr_be64(out, peer->distinguisher);
	put_addr16(out, &addr);
	wr_be32(out, peer->as);
	wr_be32(out, 0x0a000001);
	wr_be64(out, 0);
}

static void put_tlv(struct wr *out, uint16_t type, const char *text)
{
	wr_be16(out, type);
	wr_be16(out, (uint16_t)strlen(text));
	wr_bytes(out, text, strlen(text));
}

void build_initiation(struct wr *out, const char *sysdescr, const char *sysname)
{
	struct wr body = { 0 };

	put_tlv(&body, 1, sysdescr);
	put_tlv(&body, 2, sysname);
	build_bmp(out, 4, &body);
	wr_fini(&body);
}

void build_peer_up(struct wr *out, const struct build_peer *peer, const char *local,
		   const struct build_open *sent, const struct build_open *received)
{
	struct ip_addr addr = get_addr(local);
	struct wr body = { 0 };

	build_peer_header(&body, peer);
	put_addr16(&body, &addr);
	wr_be16(&body, 179);
	wr_be16(&body, 40000);
	build_open(&body, sent);
	build_open(&body, received);
	build_bmp(out, 3, &body);
	wr_fini(&body);
}

void build_peer_down(struct wr *out, const struct build_peer *peer, uint8_t reason)
{
	struct wr body = { 0 };

	build_peer_header(&body, peer);
	wr_u8(&body, reason);
	if (reason == 2)
		wr_be16(&body, 0);
	build_bmp(out, 2, &body);
	wr_fini(&body);
}

void build_routes(struct wr *out, const struct build_peer *peer, struct build_update *u)
{
	struct wr body = { 0 }, update = { 0 };

	build_peer_header(&body, peer);
	build_update_body(&update, u);
	build_bgp(&body, 2, &update);
	build_bmp(out, 0, &body);
	wr_fini(&update);
	wr_fini(&body);
	build_update_fini(u);
}

void build_announce(struct wr *out, const struct build_peer *peer, const char *prefix,
		    const uint32_t *as, size_t n)
{
	struct build_update u = { 0 };
	struct wr nlri = { 0 };

	if (strchr(prefix, ':')) {
		build_prefix(&nlri, prefix);
		build_origin(&u.attrs, 0);
		build_as_path(&u.attrs, as, n);
		build_mp_reach(&u.attrs, 2, 1, "2001:db8::1", &nlri);
		wr_fini(&nlri);
	} else {
		build_usual(&u.attrs, as, n);
		build_prefix(&u.nlri, prefix);
	}
	build_routes(out, peer, &u);
}

void build_withdraw(struct wr *out, const struct build_peer *peer, const char *prefix)
{
	struct build_update u = { 0 };
	struct wr nlri = { 0 };

	if (strchr(prefix, ':')) {
		build_prefix(&nlri, prefix);
		build_mp_unreach(&u.attrs, 2, 1, &nlri);
		wr_fini(&nlri);
	} else {
		build_prefix(&u.withdrawn, prefix);
	}
	build_routes(out, peer, &u);
}

void build_end_of_rib(struct wr *out, const struct build_peer *peer,
		      enum ip_family family)
{
	struct build_update u = { 0 };
	struct wr none = { 0 };

	if (family == IP_V6)
		build_mp_unreach(&u.attrs, 2, 1, &none);
	build_routes(out, peer, &u);
}
