/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Compressed files. The first byte: bits 0-1 gzip, bzip2, xz or as it is; 2: in
 * two pieces; 3: cut short; 4: a bit is turned; 5: no compressing here, the rest is
 * the file; the next three bytes say where. What is compressed is the rest. The
 * decompressors themselves are not instrumented; what matters here is what
 * unpack makes of their answers.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>

#include "controller/feed/unpack.h"
#include "lib/rd.h"
#include "lib/wr.h"
#include "tests/fuzz/fuzz_assert.h"

/* What a small file can grow to is not of interest. */
#define READ_MAX  ((size_t)4 << 20)
#define PACK_MAX  ((size_t)64 << 10)
#define PACK_ROOM (PACK_MAX * 2)

static uint8_t room[PACK_ROOM], buf[5003];

static size_t pack_gzip(const uint8_t *data, size_t len)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data,
		       .avail_in = (uInt)len,
		       .next_out = room,
		       .avail_out = PACK_ROOM };

	HOLDS(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, 0) == Z_OK);
	HOLDS(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return PACK_ROOM - z.avail_out;
}

static size_t pack_bzip2(const uint8_t *data, size_t len)
{
	unsigned int size = PACK_ROOM;

	HOLDS(BZ2_bzBuffToBuffCompress((char *)room, &size, (char *)(uintptr_t)data,
				       (unsigned int)len, 1, 0, 0) == BZ_OK);
	return size;
}

static size_t pack_xz(const uint8_t *data, size_t len)
{
	size_t size = 0;

	HOLDS(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, data, len, room, &size,
				      PACK_ROOM) == LZMA_OK);
	return size;
}

static void pack(uint8_t how, const uint8_t *data, size_t len, struct wr *out)
{
	static size_t (*const packers[])(const uint8_t *, size_t) = { pack_gzip, pack_bzip2,
								       pack_xz };

	if ((how & 3) == 3)
		wr_bytes(out, data, len);
	else
		wr_bytes(out, room, packers[how & 3](data, len));
}

/* Of a file with these bytes, what can be read of it. */
static long read_file(const struct wr *file, struct wr *out, bool *cut)
{
	static int fd = -1;
	struct unpack *u;
	struct diag diag;
	char path[32];
	long n;

	if (fd < 0)
		fd = memfd_create("packed", 0);
	HOLDS(fd >= 0 && ftruncate(fd, 0) == 0);
	HOLDS(pwrite(fd, file->data, file->len, 0) == (ssize_t)file->len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	u = unpack_open(path, &diag);
	HOLDS(u);
	while ((n = unpack_read(u, buf, sizeof(buf), &diag)) > 0 && out->len < READ_MAX) {
		HOLDS((size_t)n <= sizeof(buf));
		wr_bytes(out, buf, (size_t)n);
	}
	*cut = unpack_is_cut(u);
	HOLDS(n >= 0 || memchr(diag.text, 0, sizeof(diag.text)));
	HOLDS(n >= 0 || !*cut);
	/* the end stays the end */
	HOLDS(n != 0 || unpack_read(u, buf, sizeof(buf), &diag) == 0);
	unpack_close(u);
	return n;
}

static bool begins_with(const struct wr *out, const uint8_t *data, size_t len)
{
	return out->len <= len && (out->len == 0 || memcmp(out->data, data, out->len) == 0);
}

static void check(uint8_t how, size_t cut_by, bool turned, const uint8_t *data, size_t len,
		  const struct wr *file)
{
	struct wr out = { 0 };
	bool cut;
	long n = read_file(file, &out, &cut);

	if (how & 32) { /* whatever this is */
		wr_fini(&out);
		return;
	}
	if (!turned && cut_by == 0 && (how & 3) != 3)
		HOLDS(n == 0 && !cut && out.len == len);
	/* a cut is no damage, and nothing but what was there is read */
	if (!turned && (how & 3) != 3) {
		HOLDS(n == 0);
		HOLDS(begins_with(&out, data, len));
		/* one that is no longer known as compressed is read as it is */
		HOLDS(cut_by == 0 || cut || out.len < len || len == 0);
	}
	wr_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	uint8_t how = rd_u8(&in);
	uint32_t where = (uint32_t)rd_u8(&in) << 16 | rd_be16(&in);
	size_t len = rd_left(&in), half = how & 4 ? len / 2 : len, cut_by = 0;
	struct wr file = { 0 };

	if (size < 4 || len > PACK_MAX)
		return 0;
	if (how & 32) {
		wr_bytes(&file, in.p, len);
	} else {
		pack(how, in.p, half, &file);
		if (half != len)
			pack(how, in.p + half, len - half, &file);
	}
	/* so short that the first bytes still tell what it is */
	if (how & 8 && file.len > 6) {
		cut_by = 1 + where % (file.len - 6);
		file.len -= cut_by;
	}
	if (how & 16 && file.len > 0)
		file.data[where / 8 % file.len] ^= (uint8_t)(1 << where % 8);
	check(how, cut_by, how & 16 && file.len > 0, in.p, len, &file);
	wr_fini(&file);
	return 0;
}
