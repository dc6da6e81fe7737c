/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/observed.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/feed/capture.h"
#include "lib/mem.h"
#include "lib/wr.h"

#define LINE_MAX_BYTES 512
#define FIRST_CAP      1024

enum format {
	FORMAT_UNKNOWN,
	FORMAT_LIST,
	FORMAT_CAPTURE,
};

struct observed {
	struct observed_source *s;
	size_t n, cap, sorted; /* the first ones are sorted and differ */

	enum format format; /* of the present file */
	struct wr pending;
	uint64_t at; /* line, or byte of the file at the beginning of pending */
	bool has_header, any_line;
	struct capture capture;
	struct observed_stats stats;
};

struct observed *observed_new(void)
{
	return mem_alloc(sizeof(struct observed));
}

void observed_free(struct observed *o)
{
	if (!o)
		return;
	wr_fini(&o->pending);
	free(o->s);
	free(o);
}

/* ---- adding up */

static int by_address(const void *a, const void *b)
{
	const struct observed_source *x = a, *y = b;

	if (x->addr.family != y->addr.family)
		return x->addr.family - y->addr.family;
	return (x->addr.v > y->addr.v) - (x->addr.v < y->addr.v);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static void merge(struct observed *o)
{
	size_t n = 0;

	if (o->sorted == o->n)
		return;
	qsort(o->s, o->n, sizeof(*o->s), by_address);
	for (size_t i = 0; i < o->n; i++) {
		if (n != 0 && by_address(&o->s[n - 1], &o->s[i]) == 0) {
			o->s[n - 1].bytes = sum(o->s[n - 1].bytes, o->s[i].bytes);
			o->s[n - 1].packets = sum(o->s[n - 1].packets, o->s[i].packets);
		} else {
			o->s[n++] = o->s[i];
		}
	}
	o->n = o->sorted = n;
}

/* Addresses of the link itself: IGMP, DHCP, neighbour discovery, routing
 * protocols. The kernel's filter lets them through to the router. */
static bool is_link_scope(const struct ip_addr *addr)
{
	return addr->v == 0 || (addr->family == IP_V6 && addr->v >> 118 == 0xfe80 >> 6);
}

/* Room at least doubles when half of it is still needed, so that sorting costs
 * little for each source. */
static int add(struct observed *o, const struct observed_source *s, struct diag *diag)
{
	if (is_link_scope(&s->addr)) {
		o->stats.link_scope++;
		return 0;
	}
	if (o->n == o->cap) {
		merge(o);
		if (o->n > OBSERVED_SOURCES_MAX)
			return diag_set(diag,
					"more than %u different sources: divide the file",
					OBSERVED_SOURCES_MAX);
		if (o->n >= o->cap / 2) {
			o->cap = o->cap ? o->cap * 2 : FIRST_CAP;
			o->s = mem_realloc(o->s, o->cap, sizeof(*o->s));
		}
	}
	o->s[o->n++] = *s;
	return 0;
}

/* ---- lists */

/* The next field, blanks around it removed; NULL after the last one. */
static char *next_field(char **rest)
{
	char *field = *rest, *end;

	if (!field)
		return NULL;
	end = strchr(field, ',');
	*rest = end ? end + 1 : NULL;
	if (!end)
		end = field + strlen(field);
	while (end > field && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return field + strspn(field, " \t");
}

static bool number_parse(const char *text, uint64_t *v)
{
	uint64_t n = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*v = n;
	return true;
}

/* What came from a file, in a message: short and printable. */
static const char *quoted(const char *text, char buf[64])
{
	size_t i;

	for (i = 0; text[i] && i < 60; i++)
		buf[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
	buf[i] = '\0';
	return buf;
}

static int take_fields(struct observed *o, char *line, struct diag *diag)
{
	struct observed_source s = { 0 };
	char *rest = line, *addr, *bytes, *packets, buf[64];
	bool first = !o->any_line;

	addr = next_field(&rest);
	bytes = next_field(&rest);
	packets = next_field(&rest);
	o->any_line = true;
	if (!ip_addr_parse(addr, &s.addr)) {
		/* a heading */
		if (first && isalpha((unsigned char)addr[0]) && !strpbrk(addr, ".:") &&
		    bytes)
			return 0;
		return diag_set(diag,
				"\"%s\" is not an IP address; a line is ADDRESS,BYTES or "
				"ADDRESS,BYTES,PACKETS",
				quoted(addr, buf));
	}
	if (!bytes || !number_parse(bytes, &s.bytes))
		return diag_set(diag, "\"%s\" is not a number of bytes",
				quoted(bytes ? bytes : "", buf));
	if (packets && !number_parse(packets, &s.packets))
		return diag_set(diag, "\"%s\" is not a number of packets",
				quoted(packets, buf));
	if (rest)
		return diag_set(diag,
				"more than three columns: leave ADDRESS,BYTES,PACKETS");
	o->stats.packets++;
	return add(o, &s, diag);
}

static int take_line(struct observed *o, const uint8_t *data, size_t len,
		     struct diag *diag)
{
	char line[LINE_MAX_BYTES + 1];
	int ret;

	o->at++;
	if (len > LINE_MAX_BYTES) {
		ret = diag_set(diag, "the line is too long");
	} else if (memchr(data, '\0', len)) {
		ret = diag_set(diag, "this is neither text nor a pcap file");
	} else {
		memcpy(line, data, len);
		line[len] = '\0';
		if (line[strspn(line, " \t\r")] == '\0' ||
		    line[strspn(line, " \t")] == '#')
			return 0;
		ret = take_fields(o, line, diag);
	}
	return ret < 0 ? diag_prepend(diag, "line %llu", (unsigned long long)o->at) : 0;
}

static int take_lines(struct observed *o, struct diag *diag)
{
	const uint8_t *data = o->pending.data;
	size_t done = 0;

	for (;;) {
		size_t left = o->pending.len - done;
		const uint8_t *end = left ? memchr(data + done, '\n', left) : NULL;

		if (!end)
			break;
		if (take_line(o, data + done, (size_t)(end - (data + done)), diag) < 0)
			return -1;
		done = (size_t)(end - data) + 1;
	}
	wr_consume(&o->pending, done);
	/* too long for a line, before there is memory for more of it */
	if (o->pending.len > LINE_MAX_BYTES)
		return take_line(o, o->pending.data, o->pending.len, diag);
	return 0;
}

/* ---- captures */

static int take_packet(struct observed *o, const struct capture_record *r,
		       struct rd packet, struct diag *diag)
{
	struct observed_source s = { .packets = 1 };
	uint32_t bytes;

	o->stats.packets++;
	switch (capture_source(&o->capture, r, packet, &s.addr, &bytes)) {
	case CAPTURE_SOURCE:
		s.bytes = bytes;
		return add(o, &s, diag);
	case CAPTURE_OUTGOING:
		o->stats.outgoing++;
		break;
	case CAPTURE_OTHER:
		o->stats.other++;
		break;
	case CAPTURE_SHORT:
		o->stats.cut++;
		break;
	}
	return 0;
}

static int take_packets(struct observed *o, struct diag *diag)
{
	struct rd rd = rd_init(o->pending.data, o->pending.len);
	size_t done = 0;
	int ret = 0;

	if (!o->has_header) {
		if (rd_left(&rd) < CAPTURE_HEADER_BYTES)
			return 0;
		if (capture_header_decode(&rd, &o->capture, diag) < 0)
			return -1;
		o->has_header = true;
		done = o->pending.len - rd_left(&rd);
	}
	while (ret == 0 && rd_left(&rd) >= CAPTURE_RECORD_BYTES) {
		struct capture_record r;

		if (!capture_record_decode(&rd, &o->capture, &r))
			return diag_set(diag,
					"byte %llu: no packet of a capture is like this",
					(unsigned long long)(o->at + done));
		if (rd_left(&rd) < r.stored)
			break;
		ret = take_packet(o, &r, rd_sub(&rd, r.stored), diag);
		done = o->pending.len - rd_left(&rd);
	}
	wr_consume(&o->pending, done);
	o->at += done;
	return ret;
}

/* ---- files */

static int take(struct observed *o, struct diag *diag)
{
	if (o->format == FORMAT_UNKNOWN && o->pending.len >= CAPTURE_MAGIC_BYTES)
		o->format = capture_is_one(rd_init(o->pending.data, o->pending.len))
				    ? FORMAT_CAPTURE
				    : FORMAT_LIST;
	switch (o->format) {
	case FORMAT_LIST:
		return take_lines(o, diag);
	case FORMAT_CAPTURE:
		return take_packets(o, diag);
	case FORMAT_UNKNOWN:
		break;
	}
	return 0;
}

int observed_bytes(struct observed *o, const void *data, size_t len, struct diag *diag)
{
	wr_bytes(&o->pending, data, len);
	return take(o, diag);
}

int observed_end(struct observed *o, struct diag *diag)
{
	int ret = 0;

	if (o->format == FORMAT_CAPTURE && !o->has_header) {
		struct rd rd = rd_init(o->pending.data, o->pending.len);

		ret = capture_header_decode(&rd, &o->capture, diag);
	} else if (o->format == FORMAT_CAPTURE) {
		o->stats.unfinished += o->pending.len;
	} else {
		ret = take_lines(o, diag);
		if (ret == 0 && o->pending.len != 0) /* no newline at the end */
			ret = take_line(o, o->pending.data, o->pending.len, diag);
	}
	wr_consume(&o->pending, o->pending.len);
	o->format = FORMAT_UNKNOWN;
	o->at = 0;
	o->has_header = o->any_line = false;
	return ret;
}

const struct observed_source *observed_sources(struct observed *o, size_t *n)
{
	merge(o);
	*n = o->n;
	return o->s;
}

const struct observed_stats *observed_stats(const struct observed *o)
{
	return &o->stats;
}
