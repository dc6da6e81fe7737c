/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

unsigned int ip_bits(enum ip_family family)
{
	return family == IP_V4 ? 32 : 128;
}

unsigned int ip_bytes(enum ip_family family)
{
	return family == IP_V4 ? 4 : 16;
}

u128 ip_max(enum ip_family family)
{
	return family == IP_V4 ? (u128)UINT32_MAX : ~(u128)0;
}

u128 ip_from_bytes(const uint8_t *src, enum ip_family family)
{
	u128 v = 0;

	for (unsigned int i = 0; i < ip_bytes(family); i++)
		v = v << 8 | src[i];
	return v;
}

void ip_to_bytes(u128 v, enum ip_family family, uint8_t *dst)
{
	for (unsigned int i = ip_bytes(family); i-- > 0; v >>= 8)
		dst[i] = (uint8_t)v;
}

static int af(enum ip_family family)
{
	return family == IP_V4 ? AF_INET : AF_INET6;
}

bool ip_addr_parse(const char *text, struct ip_addr *addr)
{
	enum ip_family family = strchr(text, ':') ? IP_V6 : IP_V4;
	uint8_t raw[16];

	if (inet_pton(af(family), text, raw) != 1)
		return false;
	*addr = (struct ip_addr){ ip_from_bytes(raw, family), family };
	return true;
}

const char *ip_addr_format(const struct ip_addr *addr, char buf[IP_TEXT_SIZE])
{
	uint8_t raw[16];

	ip_to_bytes(addr->v, addr->family, raw);
	if (!inet_ntop(af(addr->family), raw, buf, IP_TEXT_SIZE))
		buf[0] = '\0';
	return buf;
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && a->v == b->v;
}

/* The bits of a family that a prefix of this length leaves free. */
static u128 host_mask(enum ip_family family, unsigned int len)
{
	return len == 0 ? ip_max(family) : ((u128)1 << (ip_bits(family) - len)) - 1;
}

struct ip_prefix ip_prefix_make(enum ip_family family, u128 v, unsigned int len)
{
	return (struct ip_prefix){ .v = v & ~host_mask(family, len),
				   .family = family,
				   .len = (uint8_t)len };
}

u128 ip_prefix_last(const struct ip_prefix *p)
{
	return p->v | host_mask(p->family, p->len);
}

bool ip_prefix_contains(const struct ip_prefix *p, enum ip_family family, u128 v)
{
	return p->family == family && (v & ~host_mask(family, p->len)) == p->v;
}

bool ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
	return outer->len <= inner->len &&
	       ip_prefix_contains(outer, inner->family, inner->v);
}

int ip_prefix_cmp(const struct ip_prefix *a, const struct ip_prefix *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->v != b->v)
		return a->v < b->v ? -1 : 1;
	return (a->len > b->len) - (a->len < b->len);
}

enum ip_parse ip_prefix_parse(const char *text, struct ip_prefix *p)
{
	const char *slash = strchr(text, '/');
	char head[IP_TEXT_SIZE];
	struct ip_addr addr;
	unsigned int len = 0;

	if (!slash || (size_t)(slash - text) >= sizeof(head) || slash[1] == '\0')
		return IP_PARSE_SYNTAX;
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	if (!ip_addr_parse(head, &addr))
		return IP_PARSE_SYNTAX;
	for (const char *c = slash + 1; *c; c++) {
		if (*c < '0' || *c > '9' || c - slash > 3)
			return IP_PARSE_SYNTAX;
		len = len * 10 + (unsigned int)(*c - '0');
	}
	if (len > ip_bits(addr.family))
		return IP_PARSE_SYNTAX;
	*p = ip_prefix_make(addr.family, addr.v, len);
	return p->v == addr.v ? IP_PARSE_OK : IP_PARSE_HOST_BITS;
}

const char *ip_prefix_format(const struct ip_prefix *p, char buf[IP_TEXT_SIZE])
{
	struct ip_addr addr = { p->v, p->family };
	size_t used;

	used = strlen(ip_addr_format(&addr, buf));
	snprintf(buf + used, IP_TEXT_SIZE - used, "/%u", p->len);
	return buf;
}
