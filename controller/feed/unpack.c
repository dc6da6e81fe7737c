/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/unpack.h"

#include <bzlib.h>
#include <errno.h>
#include <limits.h>
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/mem.h"

#define IN_SIZE	  ((size_t)256 << 10)
#define MAGIC_MAX 6
/* xz -9 needs 65 MiB; the format allows gigabytes. */
#define XZ_MEMORY_MAX ((uint64_t)256 << 20)

/* What one call of a decompressor came to. */
enum progress {
	MORE,	 /* it wants more input or more room */
	FINISH,	 /* this compressed file is over */
	DAMAGED,
};

struct format {
	const char *name;
	uint8_t magic[MAGIC_MAX];
	size_t magic_len;
	bool (*start)(struct unpack *u);
	enum progress (*run)(struct unpack *u, uint8_t *out, size_t size, size_t *made);
	void (*stop)(struct unpack *u);
};

struct unpack {
	FILE *file;
	const struct format *format; /* NULL: plain */
	bool running;		     /* inside a compressed file */
	bool eof, cut;
	union {
		z_stream z;
		bz_stream bz;
		lzma_stream xz;
	} s;
	uint8_t in[IN_SIZE];
	size_t at, len; /* what of in[] has not been used */
};

/* ---- gzip */

static bool gz_start(struct unpack *u)
{
	u->s.z = (z_stream){ 0 };
	return inflateInit2(&u->s.z, 16 + MAX_WBITS) == Z_OK;
}

static enum progress gz_run(struct unpack *u, uint8_t *out, size_t size, size_t *made)
{
	z_stream *z = &u->s.z;
	int rc;

	z->next_in = u->in + u->at;
	z->avail_in = (uInt)(u->len - u->at);
	z->next_out = out;
	z->avail_out = (uInt)size;
	rc = inflate(z, Z_NO_FLUSH);
	u->at = u->len - z->avail_in;
	*made = size - z->avail_out;
	if (rc == Z_STREAM_END)
		return FINISH;
	return rc == Z_OK || rc == Z_BUF_ERROR ? MORE : DAMAGED;
}

static void gz_stop(struct unpack *u)
{
	inflateEnd(&u->s.z);
}

/* ---- bzip2 */

static bool bz_start(struct unpack *u)
{
	u->s.bz = (bz_stream){ 0 };
	return BZ2_bzDecompressInit(&u->s.bz, 0, 0) == BZ_OK;
}

static enum progress bz_run(struct unpack *u, uint8_t *out, size_t size, size_t *made)
{
	bz_stream *bz = &u->s.bz;
	int rc;

	bz->next_in = (char *)(u->in + u->at);
	bz->avail_in = (unsigned int)(u->len - u->at);
	bz->next_out = (char *)out;
	bz->avail_out = (unsigned int)size;
	rc = BZ2_bzDecompress(bz);
	u->at = u->len - bz->avail_in;
	*made = size - bz->avail_out;
	if (rc == BZ_STREAM_END)
		return FINISH;
	return rc == BZ_OK ? MORE : DAMAGED;
}

static void bz_stop(struct unpack *u)
{
	BZ2_bzDecompressEnd(&u->s.bz);
}

/* ---- xz */

static bool xz_start(struct unpack *u)
{
	u->s.xz = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_stream_decoder(&u->s.xz, XZ_MEMORY_MAX, 0) == LZMA_OK;
}

static enum progress xz_run(struct unpack *u, uint8_t *out, size_t size, size_t *made)
{
	lzma_stream *xz = &u->s.xz;
	lzma_ret rc;

	xz->next_in = u->in + u->at;
	xz->avail_in = u->len - u->at;
	xz->next_out = out;
	xz->avail_out = size;
	rc = lzma_code(xz, LZMA_RUN);
	u->at = u->len - xz->avail_in;
	*made = size - xz->avail_out;
	if (rc == LZMA_STREAM_END)
		return FINISH;
	return rc == LZMA_OK || rc == LZMA_BUF_ERROR ? MORE : DAMAGED;
}

static void xz_stop(struct unpack *u)
{
	lzma_end(&u->s.xz);
}

/* ---- files */

static const struct format formats[] = {
	{ "gzip", { 0x1f, 0x8b, 8 }, 3, gz_start, gz_run, gz_stop },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, bz_start, bz_run, bz_stop },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, xz_start, xz_run, xz_stop },
};

/* Reads more; what is left stays in front. */
static int fill(struct unpack *u, struct diag *diag)
{
	memmove(u->in, u->in + u->at, u->len - u->at);
	u->len -= u->at;
	u->at = 0;
	u->len += fread(u->in + u->len, 1, IN_SIZE - u->len, u->file);
	if (ferror(u->file))
		return diag_set(diag, "%s", strerror(errno));
	u->eof = u->len < IN_SIZE;
	return 0;
}

static const struct format *format_of(const struct unpack *u)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (u->len - u->at >= formats[i].magic_len &&
		    memcmp(u->in + u->at, formats[i].magic, formats[i].magic_len) == 0)
			return &formats[i];
	}
	return NULL;
}

struct unpack *unpack_open(const char *path, struct diag *diag)
{
	struct unpack *u;
	FILE *file = fopen(path, "re");

	if (!file) {
		diag_set(diag, "%s", strerror(errno));
		return NULL;
	}
	u = mem_alloc(sizeof(*u));
	u->file = file;
	if (fill(u, diag) < 0) {
		unpack_close(u);
		return NULL;
	}
	u->format = format_of(u);
	return u;
}

void unpack_close(struct unpack *u)
{
	if (u == NULL)
		return;
	if (u->running)
		u->format->stop(u);
	fclose(u->file);
	free(u);
}

static long plain_read(struct unpack *u, void *buf, size_t size, struct diag *diag)
{
	if (u->at == u->len && !u->eof && fill(u, diag) < 0)
		return -1;
	if (size > u->len - u->at)
		size = u->len - u->at;
	memcpy(buf, u->in + u->at, size);
	u->at += size;
	return (long)size;
}

/* Between compressed files: another one of the same format, or the end. What
 * else may follow (padding of tapes, signatures) is ignored, as gzip does. */
static int next_file(struct unpack *u, struct diag *diag)
{
	if (u->len - u->at < MAGIC_MAX && !u->eof && fill(u, diag) < 0)
		return -1;
	if (format_of(u) != u->format)
		return 0;
	if (!u->format->start(u))
		return diag_set(diag, "%s: out of memory", u->format->name);
	u->running = true;
	return 1;
}

static long packed_read(struct unpack *u, uint8_t *buf, size_t size, struct diag *diag)
{
	size_t made = 0;
	int rc;

	while (made == 0) {
		enum progress p;

		if (!u->running) {
			rc = next_file(u, diag);
			if (rc <= 0)
				return rc;
		}
		if (u->at == u->len && !u->eof && fill(u, diag) < 0)
			return -1;
		p = u->format->run(u, buf, size, &made);
		if (p == DAMAGED && made == 0)
			return diag_set(diag, "the %s data is damaged", u->format->name);
		if (p == FINISH) {
			u->format->stop(u);
			u->running = false;
		} else if (made == 0 && u->at == u->len && u->eof) {
			u->cut = true;
			return 0;
		}
	}
	return (long)made;
}

long unpack_read(struct unpack *u, void *buf, size_t size, struct diag *diag)
{
	if (size > INT_MAX)
		size = INT_MAX;
	return u->format ? packed_read(u, buf, size, diag) : plain_read(u, buf, size, diag);
}

bool unpack_is_cut(const struct unpack *u)
{
	return u->cut;
}
