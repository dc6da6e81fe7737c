/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/drops.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/rd.h"

#define EXTENSIONS_MAX 8 /* of IPv6 headers that are skipped */
#define IP6_HEADER     40

void drops_init(struct drops *d, size_t max)
{
	*d = (struct drops){ .max = max };
}

void drops_fini(struct drops *d)
{
	free(d->rows);
	*d = (struct drops){ 0 };
}

/* ---- packets ---- */

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP ||
	       protocol == IPPROTO_UDPLITE;
}

static void parse_port(struct rd *rd, struct drop *out)
{
	struct rd ports = *rd;
	uint32_t port;

	out->port = DROPS_NO_PORT;
	if (out->protocol == IPPROTO_ICMP || out->protocol == IPPROTO_ICMPV6) {
		port = rd_u8(&ports);
	} else if (has_ports(out->protocol)) {
		rd_skip(&ports, 2);
		port = rd_be16(&ports);
	} else {
		return;
	}
	if (!ports.failed)
		out->port = port;
}

static bool parse4(struct rd *rd, struct drop *out)
{
	uint8_t raw[4];
	unsigned int words = rd_u8(rd) & 15;
	uint16_t fragment;

	rd_skip(rd, 1);
	out->bytes = rd_be16(rd);
	rd_skip(rd, 2);
	fragment = rd_be16(rd) & 0x1fff;
	rd_skip(rd, 1);
	out->protocol = rd_u8(rd);
	rd_skip(rd, 2);
	rd_bytes(rd, raw, sizeof(raw));
	out->source = (struct ip_addr){ ip_from_bytes(raw, IP_V4), IP_V4 };
	rd_bytes(rd, raw, sizeof(raw));
	out->destination = (struct ip_addr){ ip_from_bytes(raw, IP_V4), IP_V4 };
	if (rd->failed || words < 5)
		return false;
	rd_skip(rd, 4 * (words - 5));
	out->port = DROPS_NO_PORT;
	if (fragment == 0)
		parse_port(rd, out);
	return true;
}

/* RFC 8200 section 4: hop-by-hop, routing, destination options, fragment. */
static bool skip_extension(struct rd *rd, struct drop *out)
{
	uint8_t next = rd_u8(rd), words = rd_u8(rd);
	uint16_t offset;

	switch (out->protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		rd_skip(rd, 6u + 8u * words);
		break;
	case IPPROTO_FRAGMENT:
		offset = rd_be16(rd) & 0xfff8;
		rd_skip(rd, 4);
		if (!rd->failed && offset != 0) {
			out->protocol = next;
			return false; /* what follows is no header */
		}
		break;
	}
	if (!rd->failed)
		out->protocol = next;
	return !rd->failed;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT;
}

static bool parse6(struct rd *rd, struct drop *out)
{
	uint8_t raw[16];
	bool header = true;

	rd_skip(rd, 4);
	out->bytes = IP6_HEADER + rd_be16(rd);
	out->protocol = rd_u8(rd);
	rd_skip(rd, 1);
	rd_bytes(rd, raw, sizeof(raw));
	out->source = (struct ip_addr){ ip_from_bytes(raw, IP_V6), IP_V6 };
	rd_bytes(rd, raw, sizeof(raw));
	out->destination = (struct ip_addr){ ip_from_bytes(raw, IP_V6), IP_V6 };
	if (rd->failed)
		return false;
	for (int i = 0; header && i < EXTENSIONS_MAX && is_extension(out->protocol); i++)
		header = skip_extension(rd, out);
	out->port = DROPS_NO_PORT;
	if (header && !is_extension(out->protocol))
		parse_port(rd, out);
	return true;
}

bool drop_parse(const void *packet, size_t len, struct drop *out)
{
	struct rd rd = rd_init(packet, len), version = rd;
	struct drop row = *out;
	bool ok = false;

	switch (rd_u8(&version) >> 4) {
	case 4:
		ok = parse4(&rd, &row);
		break;
	case 6:
		ok = parse6(&rd, &row);
		break;
	}
	if (ok)
		*out = row;
	return ok;
}

/* ---- rows ---- */

struct ip_prefix drop_network(const struct drop *row)
{
	return ip_prefix_make((enum ip_family)row->source.family, row->source.v,
			      row->source.family == IP_V4 ? DROPS_NET_LEN4
							  : DROPS_NET_LEN6);
}

static bool same_row(const struct drop *a, const struct drop *b)
{
	struct ip_prefix x = drop_network(a), y = drop_network(b);

	return a->protocol == b->protocol && a->port == b->port &&
	       ip_prefix_cmp(&x, &y) == 0 && strcmp(a->interface, b->interface) == 0;
}

static struct drop *place(struct drops *d, const struct drop *sample, int64_t now_ms)
{
	struct drop *least = NULL;

	for (size_t i = 0; i < d->n; i++) {
		struct drop *row = &d->rows[i];

		if (same_row(row, sample))
			return row;
		if (!least || row->samples < least->samples ||
		    (row->samples == least->samples && row->last_ms < least->last_ms))
			least = row;
	}
	if (d->n < d->max) {
		if (!d->rows)
			d->rows = mem_calloc(d->max, sizeof(*d->rows));
		least = &d->rows[d->n++];
		*least = (struct drop){ .first_ms = now_ms };
	} else {
		d->evicted++;
		least->doubt = least->samples;
		least->bytes = least->unsent = least->unsent_bytes = 0;
		least->first_ms = now_ms;
	}
	memcpy(least->interface, sample->interface, sizeof(least->interface));
	least->protocol = sample->protocol;
	least->port = sample->port;
	return least;
}

void drops_add(struct drops *d, const struct drop *sample, int64_t now_ms)
{
	struct drop *row = place(d, sample, now_ms);

	row->source = sample->source;
	row->destination = sample->destination;
	row->samples += sample->samples;
	row->bytes += sample->bytes;
	row->unsent += sample->samples;
	row->unsent_bytes += sample->bytes;
	row->last_ms = now_ms;
	d->samples += sample->samples;
}

void drops_expire(struct drops *d, int64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (now_ms - d->rows[i].last_ms < DROPS_IDLE_MS)
			d->rows[n++] = d->rows[i];
	}
	d->n = n;
}

static int by_samples(const void *a, const void *b)
{
	const struct drop *x = a, *y = b;

	if (x->samples != y->samples)
		return x->samples > y->samples ? -1 : 1;
	return (x->last_ms < y->last_ms) - (x->last_ms > y->last_ms);
}

size_t drops_top(const struct drops *d, const char *interface, struct drop *out,
		 size_t max)
{
	struct drop *all = mem_calloc(d->n + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (!interface || strcmp(d->rows[i].interface, interface) == 0)
			all[n++] = d->rows[i];
	}
	qsort(all, n, sizeof(*all), by_samples);
	if (n > max)
		n = max;
	memcpy(out, all, n * sizeof(*out));
	free(all);
	return n;
}

size_t drops_take(struct drops *d, struct drop *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n && n < max; i++) {
		if (d->rows[i].unsent == 0)
			continue;
		out[n] = d->rows[i];
		out[n].samples = d->rows[i].unsent;
		out[n++].bytes = d->rows[i].unsent_bytes;
		d->rows[i].unsent = d->rows[i].unsent_bytes = 0;
	}
	return n;
}

const char *drop_what(const struct drop *row, char text[DROP_WHAT_SIZE])
{
	static const struct {
		uint8_t protocol;
		const char *name;
	} names[] = {
		{ IPPROTO_TCP, "tcp" },		{ IPPROTO_UDP, "udp" },
		{ IPPROTO_ICMP, "icmp" },	{ IPPROTO_ICMPV6, "icmpv6" },
		{ IPPROTO_SCTP, "sctp" },	{ IPPROTO_DCCP, "dccp" },
		{ IPPROTO_UDPLITE, "udplite" },
	};
	bool icmp = row->protocol == IPPROTO_ICMP || row->protocol == IPPROTO_ICMPV6;
	char name[16];

	snprintf(name, sizeof(name), "protocol %u", row->protocol);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].protocol == row->protocol)
			snprintf(name, sizeof(name), "%s", names[i].name);
	}
	if (row->port == DROPS_NO_PORT)
		snprintf(text, DROP_WHAT_SIZE, "%s", name);
	else
		snprintf(text, DROP_WHAT_SIZE, icmp ? "%s type %u" : "%s %u", name,
			 row->port);
	return text;
}
