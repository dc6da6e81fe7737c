/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bzlib.h>
#include <cmocka.h>
#include <lzma.h>
#include <zlib.h>

#include "controller/feed/unpack.h"
#include "lib/wr.h"

#define TEXT_SIZE 300000

static char path[] = "/tmp/test_unpack.XXXXXX";
static uint8_t text[TEXT_SIZE];

static void save(const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Of the file; the result, and what could be read in *out. */
static long read_all(struct wr *out, bool *cut, struct diag *diag)
{
	struct unpack *u = unpack_open(path, diag);
	uint8_t buf[7001];
	long n;

	assert_non_null(u);
	while ((n = unpack_read(u, buf, sizeof(buf), diag)) > 0)
		wr_bytes(out, buf, (size_t)n);
	/* the end stays the end */
	if (n == 0)
		assert_int_equal(unpack_read(u, buf, sizeof(buf), diag), 0);
	*cut = unpack_is_cut(u);
	unpack_close(u);
	return n;
}

typedef void pack_fn(const void *data, size_t len, struct wr *out);

static void pack_gzip(const void *data, size_t len, struct wr *out)
{
	uint8_t *buf = malloc(2 * TEXT_SIZE);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data,
		       .avail_in = (uInt)len,
		       .next_out = buf,
		       .avail_out = 2 * TEXT_SIZE };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	wr_bytes(out, buf, z.total_out);
	deflateEnd(&z);
	free(buf);
}

static void pack_bzip2(const void *data, size_t len, struct wr *out)
{
	unsigned int size = 2 * TEXT_SIZE;
	char *buf = malloc(size);

	assert_int_equal(BZ2_bzBuffToBuffCompress(buf, &size, (char *)(uintptr_t)data,
						  (unsigned int)len, 1, 0, 0),
			 BZ_OK);
	wr_bytes(out, buf, size);
	free(buf);
}

static void pack_xz(const void *data, size_t len, struct wr *out)
{
	uint8_t *buf = malloc(2 * TEXT_SIZE);
	size_t size = 0;

	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, data, len, buf,
						 &size, 2 * (size_t)TEXT_SIZE),
			 LZMA_OK);
	wr_bytes(out, buf, size);
	free(buf);
}

static pack_fn *const packers[] = { pack_gzip, pack_bzip2, pack_xz };
#define PACKERS (sizeof(packers) / sizeof(packers[0]))

static int setup(void **state)
{
	uint32_t random = 1;
	int fd = mkstemp(path);

	(void)state;
	/* compresses to about a half */
	for (size_t i = 0; i < TEXT_SIZE; i++) {
		random = random * 1664525 + 1013904223;
		text[i] = (uint8_t)("0123456789abcdef"[random >> 28]);
	}
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void test_plain(void **state)
{
	struct wr out = { 0 };
	struct diag diag;
	bool cut;

	(void)state;
	save(text, TEXT_SIZE);
	assert_int_equal(read_all(&out, &cut, &diag), 0);
	assert_int_equal(out.len, TEXT_SIZE);
	assert_memory_equal(out.data, text, TEXT_SIZE);
	assert_false(cut);
	wr_fini(&out);
	save("BZ", 2); /* shorter than any magic */
	assert_int_equal(read_all(&out, &cut, &diag), 0);
	assert_int_equal(out.len, 2);
	wr_fini(&out);
	save("", 0);
	assert_int_equal(read_all(&out, &cut, &diag), 0);
	assert_int_equal(out.len, 0);
	assert_false(cut);
}

static void test_packed(void **state)
{
	(void)state;
	for (size_t i = 0; i < PACKERS; i++) {
		struct wr file = { 0 }, out = { 0 };
		struct diag diag;
		bool cut;

		packers[i](text, TEXT_SIZE, &file);
		save(file.data, file.len);
		assert_int_equal(read_all(&out, &cut, &diag), 0);
		assert_int_equal(out.len, TEXT_SIZE);
		assert_memory_equal(out.data, text, TEXT_SIZE);
		assert_false(cut);
		wr_fini(&file);
		wr_fini(&out);
	}
}

static void test_concatenated_files_read_as_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < PACKERS; i++) {
		struct wr file = { 0 }, out = { 0 };
		struct diag diag;
		bool cut;

		packers[i](text, 100000, &file);
		packers[i](text + 100000, 0, &file);
		packers[i](text + 100000, TEXT_SIZE - 100000, &file);
		wr_bytes(&file, "\0\0\0\0tape", 8);
		save(file.data, file.len);
		assert_int_equal(read_all(&out, &cut, &diag), 0);
		assert_int_equal(out.len, TEXT_SIZE);
		assert_memory_equal(out.data, text, TEXT_SIZE);
		assert_false(cut);
		wr_fini(&file);
		wr_fini(&out);
	}
}

static void test_cut_short_keeps_what_came(void **state)
{
	(void)state;
	for (size_t i = 0; i < PACKERS; i++) {
		struct wr file = { 0 };

		packers[i](text, TEXT_SIZE, &file);
		for (size_t len = 8; len < file.len; len += file.len / 23) {
			struct wr out = { 0 };
			struct diag diag;
			bool cut;

			save(file.data, len);
			assert_int_equal(read_all(&out, &cut, &diag), 0);
			assert_true(cut);
			assert_true(out.len <= TEXT_SIZE);
			if (out.len != 0)
				assert_memory_equal(out.data, text, out.len);
			/* bzip2 works in blocks of 100,000 bytes here */
			assert_true(out.len + 110000 > TEXT_SIZE * (len / (double)file.len));
			wr_fini(&out);
		}
		wr_fini(&file);
	}
}

static void test_damage_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < PACKERS; i++) {
		struct wr file = { 0 }, out = { 0 };
		struct diag diag;
		bool cut;

		packers[i](text, TEXT_SIZE, &file);
		for (size_t at = file.len / 2; at < file.len / 2 + 40; at++)
			file.data[at] ^= 0xff;
		save(file.data, file.len);
		assert_int_equal(read_all(&out, &cut, &diag), -1);
		assert_non_null(strstr(diag.text, "data is damaged"));
		wr_fini(&file);
		wr_fini(&out);
	}
}

static void test_what_cannot_be_read(void **state)
{
	struct diag diag;
	struct unpack *u;

	(void)state;
	assert_null(unpack_open("/nonexistent", &diag));
	assert_string_equal(diag.text, "No such file or directory");
	u = unpack_open("/", &diag);
	assert_null(u);
	assert_string_equal(diag.text, "Is a directory");
	unpack_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_concatenated_files_read_as_one),
		cmocka_unit_test(test_cut_short_keeps_what_came),
		cmocka_unit_test(test_damage_is_an_error),
		cmocka_unit_test(test_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
