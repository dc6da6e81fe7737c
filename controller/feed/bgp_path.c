/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bgp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controller/feed/bgp_impl.h"

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
bool bgp_path_check(struct rd path, size_t as_size, unsigned int *hops)
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

/* Ends with "..." when it does not fit. */
struct text {
	char *at;
	size_t left;
	bool cut;
};

static void text_add(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void text_add(struct text *t, const char *fmt, ...)
{
	char word[16];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(word, sizeof(word), fmt, ap);
	va_end(ap);
	if (t->cut)
		return;
	if ((size_t)n + 4 > t->left) { /* room for the dots and the end */
		t->cut = true;
		memcpy(t->at, "...", t->left < 4 ? t->left : 4);
		return;
	}
	memcpy(t->at, word, (size_t)n + 1);
	t->at += n;
	t->left -= (size_t)n;
}

static void segment_format(struct text *t, struct path_segment *seg, bool first)
{
	static const char *const open[] = { "", "{", "", "(", "[" };
	static const char *const shut[] = { "", "}", "", ")", "]" };
	bool set = seg->type == AS_SET || seg->type == AS_CONFED_SET;

	text_add(t, "%s%s", first ? "" : " ", open[seg->type]);
	for (unsigned int i = 0; i < seg->n && !t->cut; i++)
		text_add(t, "%s%u", i == 0 ? "" : set ? "," : " ", rd_be32(&seg->as));
	text_add(t, "%s", shut[seg->type]);
}

void bgp_path_format(const struct rib_attr *attr, char *text, size_t size)
{
	struct rd rd = rd_init(attr->as_path, attr->as_path_len);
	struct text t = { .at = text, .left = size };
	struct path_segment seg;
	bool first = true;

	text[0] = '\0';
	while (segment_next(&rd, 4, &seg) && !t.cut) {
		segment_format(&t, &seg, first);
		first = false;
	}
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

/* RFC 7705 sec. 3: with a local AS the router puts that number before the paths
 * it receives, and before what it shows of them its own and that one again. A
 * path that a peer sends begins with the peer's number (RFC 4271 5.1.2), so what
 * stands before that is the router's doing. */
bool bgp_attr_strip_local(struct rib_attr *attr, uint32_t local_as, uint32_t peer_as,
			  uint8_t *scratch, uint32_t *own_as)
{
	struct rd rd = rd_init(attr->as_path, attr->as_path_len);
	uint8_t type = rd_u8(&rd), n = rd_u8(&rd);
	uint32_t as[4] = { 0 };
	unsigned int k = 0;

	*own_as = 0;
	for (unsigned int i = 0; i < 4 && i < n; i++)
		as[i] = rd_be32(&rd);
	if (rd.failed || type != AS_SEQUENCE || as[0] != local_as)
		return false;
	while (k < 4 && as[k] != peer_as)
		k++;
	if (k == 4 || (k == 3 && as[2] != local_as))
		return false;
	if (k > 1 && as[1] != local_as)
		*own_as = as[1];
	for (unsigned int i = 0; i < k; i++)
		bgp_attr_strip_first(attr, as[i], scratch);
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

long bgp_path_widen(uint8_t *dst, struct rd path)
{
	struct path_out out = { .p = dst };
	struct path_segment seg;

	while (segment_next(&path, 2, &seg))
		out_segment(&out, seg, seg.n, 2);
	return out.full ? -1 : (long)out.len;
}

long bgp_path_merge(uint8_t *dst, struct rd path, unsigned int hops, struct rd as4_path)
{
	struct path_out out = { .p = dst };
	struct path_segment seg;

	out_leading(&out, path, hops);
	/* sec. 6: confederation segments of AS4_PATH are dropped */
	while (segment_next(&as4_path, 4, &seg)) {
		if (!is_confed(seg.type))
			out_segment(&out, seg, seg.n, 4);
	}
	return out.full ? -1 : (long)out.len;
}
