/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_prefix.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool radius_type_is_prefix(uint8_t type)
{
	switch (type) {
	case RADIUS_FRAMED_IP_ADDRESS:
	case RADIUS_FRAMED_IP_NETMASK:
	case RADIUS_FRAMED_ROUTE:
	case RADIUS_FRAMED_IPV6_PREFIX:
	case RADIUS_FRAMED_IPV6_ROUTE:
	case RADIUS_DELEGATED_IPV6_PREFIX:
	case RADIUS_FRAMED_IPV6_ADDRESS:
		return true;
	default:
		return false;
	}
}

const char *radius_type_name(uint8_t type)
{
	switch (type) {
	case RADIUS_FRAMED_IP_ADDRESS:
		return "Framed-IP-Address";
	case RADIUS_FRAMED_IP_NETMASK:
		return "Framed-IP-Netmask";
	case RADIUS_FRAMED_ROUTE:
		return "Framed-Route";
	case RADIUS_FRAMED_IPV6_PREFIX:
		return "Framed-IPv6-Prefix";
	case RADIUS_FRAMED_IPV6_ROUTE:
		return "Framed-IPv6-Route";
	case RADIUS_DELEGATED_IPV6_PREFIX:
		return "Delegated-IPv6-Prefix";
	case RADIUS_FRAMED_IPV6_ADDRESS:
		return "Framed-IPv6-Address";
	default:
		return "attribute";
	}
}

/* ---- routes ---- */

/* RFC 2865 5.22: without a length it is that of the address's class. */
static int classful_len(u128 v)
{
	uint8_t first = (uint8_t)(v >> 24);

	if (v == 0)
		return 0;
	if (first < 128)
		return 8;
	if (first < 192)
		return 16;
	return first < 224 ? 24 : -1;
}

/* Bits of a mask without holes, or -1. */
static int mask_len(uint32_t mask)
{
	int len = __builtin_popcount(mask);

	return len == 0 || mask == UINT32_MAX << (32 - len) ? len : -1;
}

static int parse_len(const char *text, unsigned int max, unsigned int *len)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end != '\0' || v > max)
		return -1;
	*len = (unsigned int)v;
	return 0;
}

static int parse_destination(char *word, enum ip_family family, struct ip_prefix *p,
			     bool *has_len)
{
	char *slash = strchr(word, '/');
	unsigned int len = ip_bits(family);
	struct ip_addr addr, mask;

	*has_len = slash != NULL;
	if (slash)
		*slash++ = '\0';
	if (!ip_addr_parse(word, &addr) || addr.family != family)
		return -1;
	if (slash && parse_len(slash, ip_bits(family), &len) < 0) {
		/* 192.0.2.0/255.255.255.0 */
		if (family != IP_V4 || !ip_addr_parse(slash, &mask) || mask.family != IP_V4 ||
		    mask_len((uint32_t)mask.v) < 0)
			return -1;
		len = (unsigned int)mask_len((uint32_t)mask.v);
	} else if (!slash && family == IP_V4) {
		if (classful_len(addr.v) < 0)
			return -1;
		len = (unsigned int)classful_len(addr.v);
	}
	*p = ip_prefix_make(family, addr.v, len);
	return 0;
}

/* Words as people and equipment write them: blanks of any kind and number, a NUL
 * at the end (RFC 3162 forbids it, C programmers send it). */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t\r\n");
	size_t len = strcspn(word, " \t\r\n");

	if (len == 0)
		return NULL;
	*at = word + len;
	if (**at != '\0')
		*(*at)++ = '\0';
	return word;
}

/* "192.0.2.0 255.255.255.0 GATEWAY": a mask where the gateway belongs. No gateway
 * is such an address: 128.0.0.0 and up to 255.255.255.255 in the form of a mask. */
static bool take_mask(const struct ip_addr *word, struct ip_prefix *p)
{
	int len = word->family == IP_V4 ? mask_len((uint32_t)word->v) : -1;

	if (len <= 0)
		return false;
	*p = ip_prefix_make(IP_V4, p->v, (unsigned int)len);
	return true;
}

int radius_route_parse(const char *text, size_t len, enum ip_family family,
		       struct ip_prefix *prefix, struct ip_addr *gateway, struct diag *diag)
{
	char copy[RADIUS_VALUE_MAX + 1], *at = copy, *word;
	struct ip_addr via = { 0, (uint8_t)family };
	bool has_len;

	if (len > RADIUS_VALUE_MAX)
		return diag_set(diag, "a route of %zu bytes", len);
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strlen(copy) + 1 < len)
		return diag_set(diag, "a route with a zero byte in it");
	word = next_word(&at);
	if (!word)
		return diag_set(diag, "an empty route");
	if (parse_destination(word, family, prefix, &has_len) < 0)
		return diag_set(diag, "\"%.60s\" is not where an IPv%d route can lead to", word,
				family == IP_V4 ? 4 : 6);
	word = next_word(&at);
	if (word && !has_len && ip_addr_parse(word, &via) && take_mask(&via, prefix))
		word = next_word(&at);
	/* RFC 2865: the metrics may follow a gateway; a lone number is one already */
	if (word && (!ip_addr_parse(word, &via) || via.family != family)) {
		if (word[strspn(word, "-0123456789")] != '\0')
			return diag_set(diag, "\"%.60s\" is not the gateway of a route", word);
		word = NULL;
	}
	*gateway = word ? via : (struct ip_addr){ 0, (uint8_t)family };
	return 0;
}

/* ---- attributes ---- */

struct reader {
	struct radius_prefixes *out;
	struct ip_addr framed; /* Framed-IP-Address, if has_framed */
	bool has_framed;
	int netmask; /* its length; -1: none, or no mask */
};

static void unusable(struct radius_prefixes *out, const struct radius_attr *attr,
		     const char *why)
{
	if (out->unusable++ == 0)
		diag_set(&out->diag, "%s: %s", radius_type_name(attr->type), why);
}

static void add(struct radius_prefixes *out, uint8_t type, const struct ip_prefix *p)
{
	for (size_t i = 0; i < out->n; i++) {
		if (ip_prefix_cmp(&out->p[i].prefix, p) == 0)
			return;
	}
	if (out->n == RADIUS_PREFIXES_MAX) {
		out->unusable++;
		return;
	}
	out->p[out->n++] = (struct radius_prefix){ *p, type };
}

/* 255.255.255.255: the user chooses, 255.255.255.254: the NAS does (5.8). */
static void take_framed(struct reader *r, const struct radius_attr *attr)
{
	if (attr->len != 4) {
		unusable(r->out, attr, "not 4 bytes");
		return;
	}
	r->framed = (struct ip_addr){ ip_from_bytes(attr->data, IP_V4), IP_V4 };
	r->has_framed = r->framed.v != 0 && r->framed.v < 0xfffffffe;
}

static void take_netmask(struct reader *r, const struct radius_attr *attr)
{
	if (attr->len == 4)
		r->netmask = mask_len((uint32_t)ip_from_bytes(attr->data, IP_V4));
	if (attr->len != 4 || r->netmask < 0)
		unusable(r->out, attr, "not a mask");
	if (r->netmask == 0) /* what equipment sends that has none to tell */
		r->netmask = -1;
}

/* Reserved, length, as many bytes of the prefix as one likes (RFC 3162 2.3). */
static void take_ipv6_prefix(struct reader *r, const struct radius_attr *attr)
{
	uint8_t raw[16] = { 0 };
	struct ip_prefix p;

	if (attr->len < 2 || attr->len > 18) {
		unusable(r->out, attr, "not 2 to 18 bytes");
		return;
	}
	if (attr->data[1] > 128) {
		unusable(r->out, attr, "a length beyond 128");
		return;
	}
	memcpy(raw, attr->data + 2, attr->len - 2);
	p = ip_prefix_make(IP_V6, ip_from_bytes(raw, IP_V6), attr->data[1]);
	add(r->out, attr->type, &p);
}

static void take_ipv6_address(struct reader *r, const struct radius_attr *attr)
{
	struct ip_prefix p;

	if (attr->len != 16) {
		unusable(r->out, attr, "not 16 bytes");
		return;
	}
	p = ip_prefix_make(IP_V6, ip_from_bytes(attr->data, IP_V6), 128);
	add(r->out, attr->type, &p);
}

static void take_one(struct reader *r, const struct radius_attr *attr)
{
	switch (attr->type) {
	case RADIUS_FRAMED_IP_ADDRESS:
		take_framed(r, attr);
		break;
	case RADIUS_FRAMED_IP_NETMASK:
		take_netmask(r, attr);
		break;
	case RADIUS_FRAMED_IPV6_PREFIX:
	case RADIUS_DELEGATED_IPV6_PREFIX:
		take_ipv6_prefix(r, attr);
		break;
	case RADIUS_FRAMED_IPV6_ADDRESS:
		take_ipv6_address(r, attr);
		break;
	default:
		break;
	}
}

/* The user: unspecified (RFC 2865 5.22), on the link, or an address of its own.
 * Behind any other gateway there is somebody else. */
static bool is_user(const struct radius_prefixes *own, const struct ip_addr *gateway)
{
	if (gateway->v == 0 || (gateway->family == IP_V6 && gateway->v >> 118 == 0x3fa))
		return true;
	for (size_t i = 0; i < own->n; i++) {
		if (ip_prefix_contains(&own->p[i].prefix, gateway->family, gateway->v))
			return true;
	}
	return false;
}

static void take_route(struct reader *r, const struct radius_attr *attr)
{
	enum ip_family family = attr->type == RADIUS_FRAMED_ROUTE ? IP_V4 : IP_V6;
	struct ip_addr gateway;
	struct ip_prefix p;
	struct diag why;

	if (radius_route_parse((const char *)attr->data, attr->len, family, &p, &gateway, &why) <
	    0)
		unusable(r->out, attr, why.text);
	else if (!is_user(r->out, &gateway))
		unusable(r->out, attr, "its gateway is not the user");
	else
		add(r->out, attr->type, &p);
}

void radius_prefixes_read(struct radius_attrs attrs, struct radius_prefixes *out)
{
	struct reader r = { .out = out, .netmask = -1 };
	struct radius_attr attr;
	struct radius_iter it;

	out->n = out->unusable = 0;
	out->diag.text[0] = '\0';
	radius_iter_init(&it, attrs);
	while (radius_next(&it, &attr)) {
		if (attr.vendor == 0)
			take_one(&r, &attr);
	}
	if (r.has_framed) {
		struct ip_prefix p = ip_prefix_make(
			IP_V4, r.framed.v, r.netmask > 0 ? (unsigned int)r.netmask : 32);

		add(out, RADIUS_FRAMED_IP_ADDRESS, &p);
	}
	/* last: a gateway may be an address that the others name */
	radius_iter_init(&it, attrs);
	while (radius_next(&it, &attr)) {
		if (attr.vendor == 0 && (attr.type == RADIUS_FRAMED_ROUTE ||
					 attr.type == RADIUS_FRAMED_IPV6_ROUTE))
			take_route(&r, &attr);
	}
}
