/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/pki.h"
#include "lib/rd.h"

/* magic, version, epoch, number of edges; per edge: name (length, bytes),
 * generation, action, per family the ranges, the peers; at last SHA-256 of
 * all before it. Big-endian. */
static const uint8_t magic[8] = { 'O', 'S', 'A', 'V', 'h', 'e', 'l', 'd' };
#define VERSION	  1
#define FILE_MAX  ((size_t)1 << 31)
#define FILE_MODE 0600

static void put_addr(struct wr *out, enum ip_family family, u128 v)
{
	uint8_t raw[16];

	ip_to_bytes(v, family, raw);
	wr_bytes(out, raw, ip_bytes(family));
}

static void put_filter(struct wr *out, const struct filter *f)
{
	wr_u8(out, (uint8_t)strlen(f->interface));
	wr_bytes(out, f->interface, strlen(f->interface));
	wr_be64(out, f->generation);
	wr_u8(out, (uint8_t)f->action);
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		const struct rangeset *s = &f->accept.f[family];

		wr_be32(out, (uint32_t)s->n);
		for (size_t i = 0; i < s->n; i++) {
			put_addr(out, family, s->r[i].first);
			put_addr(out, family, s->r[i].last);
		}
	}
	wr_be16(out, (uint16_t)f->n_peers);
	for (size_t i = 0; i < f->n_peers; i++) {
		wr_u8(out, f->peers[i].family);
		put_addr(out, f->peers[i].family, f->peers[i].v);
	}
}

void cache_encode(const struct held *h, struct wr *out)
{
	uint8_t sum[DIGEST_SIZE];
	size_t start = out->len;

	wr_bytes(out, magic, sizeof(magic));
	wr_be32(out, VERSION);
	wr_be64(out, h->epoch);
	wr_be32(out, (uint32_t)h->n);
	for (size_t i = 0; i < h->n; i++)
		put_filter(out, &h->filters[i]);
	digest_sha256(out->data + start, out->len - start, sum);
	wr_bytes(out, sum, sizeof(sum));
}

static u128 get_addr(struct rd *rd, enum ip_family family)
{
	uint8_t raw[16] = { 0 };

	rd_bytes(rd, raw, ip_bytes(family));
	return ip_from_bytes(raw, family);
}

/* Sorted, disjoint, not touching: as a rangeset must be. */
static bool get_ranges(struct rd *rd, enum ip_family family, struct rangeset *s)
{
	uint32_t n = rd_be32(rd);

	if (rd->failed || n > rd_left(rd) / (2 * ip_bytes(family)))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		u128 first = get_addr(rd, family), last = get_addr(rd, family);

		if (first > last || (i != 0 && (s->r[i - 1].last == ip_max(family) ||
						first <= s->r[i - 1].last + 1)))
			return false;
		rangeset_append(s, first, last);
	}
	return true;
}

static bool get_peers(struct rd *rd, struct filter *f)
{
	struct ip_addr peers[FILTER_PEERS_MAX];
	uint16_t n = rd_be16(rd);

	if (n > FILTER_PEERS_MAX)
		return false;
	for (uint16_t i = 0; i < n; i++) {
		peers[i].family = rd_u8(rd);
		if (peers[i].family >= IP_FAMILIES)
			return false;
		peers[i].v = get_addr(rd, peers[i].family);
	}
	filter_set_peers(f, peers, n);
	return f->n_peers == n;
}

static bool get_filter(struct rd *rd, struct filter *f)
{
	uint8_t len = rd_u8(rd), action;

	if (len >= sizeof(f->interface))
		return false;
	rd_bytes(rd, f->interface, len);
	f->generation = rd_be64(rd);
	action = rd_u8(rd);
	f->action = (enum filter_action)action;
	return !rd->failed && strlen(f->interface) == len &&
	       filter_ifname_is_valid(f->interface) && action <= FILTER_ENFORCE &&
	       get_ranges(rd, IP_V4, &f->accept.f[IP_V4]) &&
	       get_ranges(rd, IP_V6, &f->accept.f[IP_V6]) && get_peers(rd, f) &&
	       !rd->failed;
}

static bool get_filters(struct rd *rd, struct held *h)
{
	uint32_t n = rd_be32(rd);

	if (n > HELD_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct filter f = { 0 };
		bool good = get_filter(rd, &f) && !held_find(h, f.interface);

		if (good)
			held_put(h, &f);
		filter_fini(&f);
		if (!good)
			return false;
	}
	return rd_done(rd);
}

int cache_decode(const void *data, size_t len, struct held *h, struct diag *diag)
{
	struct rd rd = rd_init(data, len);
	uint8_t start[sizeof(magic)] = { 0 }, sum[DIGEST_SIZE];
	struct held read = { 0 };
	uint32_t version;

	rd_bytes(&rd, start, sizeof(start));
	version = rd_be32(&rd);
	if (rd.failed || memcmp(start, magic, sizeof(magic)) != 0)
		return diag_set(diag, "not a file of saved filters");
	if (version != VERSION)
		return diag_set(diag, "version %" PRIu32 "; this agent reads version %d",
				version, VERSION);
	if (rd_left(&rd) < sizeof(sum))
		return diag_set(diag, "cut short at %zu bytes", len);
	digest_sha256(data, len - sizeof(sum), sum);
	if (memcmp(sum, (const uint8_t *)data + len - sizeof(sum), sizeof(sum)) != 0)
		return diag_set(diag, "the checksum does not fit; the file is damaged");
	rd = rd_sub(&rd, rd_left(&rd) - sizeof(sum));
	read.epoch = rd_be64(&rd);
	if (!get_filters(&rd, &read)) {
		held_fini(&read);
		return diag_set(diag, "the checksum fits but the contents do not");
	}
	held_fini(h);
	*h = read;
	return 0;
}

int cache_save(const char *path, const struct held *h, struct diag *diag)
{
	struct wr wr = { 0 };
	int rc;

	cache_encode(h, &wr);
	rc = pki_file_write(path, FILE_MODE, wr.data, wr.len, diag);
	wr_fini(&wr);
	return rc;
}

/* 0, or a negative errno. */
static int read_file(const char *path, struct wr *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	uint8_t buf[65536];
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, buf, sizeof(buf))) > 0 && out->len < FILE_MAX)
		wr_bytes(out, buf, (size_t)got);
	if (got < 0)
		rc = -errno;
	else if (got > 0)
		rc = -EFBIG;
	close(fd);
	return rc;
}

static void move_aside(const char *path, struct diag *diag)
{
	size_t size = strlen(path) + sizeof(".damaged");
	char *aside = mem_alloc(size);

	snprintf(aside, size, "%s.damaged", path);
	if (rename(path, aside) == 0)
		diag_prepend(diag, "%s (moved to %s)", path, aside);
	else
		diag_prepend(diag, "%s", path);
	free(aside);
}

int cache_load(const char *path, struct held *h, struct diag *diag)
{
	struct wr wr = { 0 };
	int rc = read_file(path, &wr);

	if (rc == -ENOENT) {
		wr_fini(&wr);
		return 0;
	}
	if (rc < 0) {
		diag_set(diag, "cannot read %s: %s", path, strerror(-rc));
	} else {
		rc = cache_decode(wr.data, wr.len, h, diag);
		if (rc < 0)
			move_aside(path, diag);
	}
	wr_fini(&wr);
	return rc < 0 ? -1 : 1;
}
