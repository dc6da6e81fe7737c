/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "agents/cache.h"
#include "lib/digest.h"

static char dir[64], path[128], aside[160];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_cache.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/filters", dir);
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(aside);
	return rmdir(dir);
}

static void make(struct held *h)
{
	const struct ip_addr peer = { (u128)0x20010db8 << 96 | 1, IP_V6 };

	*h = (struct held){ .epoch = 0x1122334455667788 };
	for (unsigned int i = 0; i < 20; i++) {
		struct filter f = { .generation = i + 1,
				    .action = (enum filter_action)(i % 3) };

		snprintf(f.interface, sizeof(f.interface), "eth%u", i);
		for (unsigned int j = 0; j < i; j++) {
			rangeset_append(&f.accept.f[IP_V4], j * 1000, j * 1000 + i);
			rangeset_append(&f.accept.f[IP_V6], (u128)j << 64,
					((u128)j << 64) + i);
		}
		if (i == 7)
			rangeset_append(&f.accept.f[IP_V4], UINT32_MAX, UINT32_MAX);
		addrset_normalize(&f.accept);
		if (i % 2)
			filter_set_peers(&f, &peer, 1);
		held_put(h, &f);
		filter_fini(&f);
	}
}

static void assert_same(const struct held *a, const struct held *b)
{
	uint8_t x[FILTER_HASH_SIZE], y[FILTER_HASH_SIZE];

	assert_int_equal(a->epoch, b->epoch);
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		filter_hash(&a->filters[i], x);
		filter_hash(&b->filters[i], y);
		assert_memory_equal(x, y, sizeof(x));
		assert_int_equal(a->filters[i].generation, b->filters[i].generation);
	}
}

static void what_is_saved_is_loaded(void **state)
{
	struct held a, b = { 0 };
	struct diag diag;
	struct stat st;

	(void)state;
	make(&a);
	assert_int_equal(cache_save(path, &a, &diag), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(cache_load(path, &b, &diag), 1);
	assert_same(&a, &b);
	held_fini(&a);
	held_fini(&b);
}

static void no_file_is_no_error(void **state)
{
	struct held h = { 0 };
	struct diag diag;

	(void)state;
	unlink(path);
	assert_int_equal(cache_load(path, &h, &diag), 0);
	assert_int_equal(h.n, 0);
}

static void put_file(const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	fclose(f);
}

static void a_damaged_file_is_moved_aside(void **state)
{
	struct held h = { 0 };
	struct diag diag;

	(void)state;
	put_file("OSAVheld\0\0\0\1rubbish rubbish rubbish rubbish rubbish rubbish", 60);
	assert_int_equal(cache_load(path, &h, &diag), -1);
	assert_non_null(strstr(diag.text, "checksum"));
	assert_non_null(strstr(diag.text, ".damaged"));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(aside, F_OK), 0);
	assert_int_equal(h.n, 0);
}

/* Cut or changed anywhere, it is refused, and nothing of it is used. */
static void every_flipped_or_missing_byte_is_seen(void **state)
{
	struct held a, b = { 0 };
	struct wr wr = { 0 };
	struct diag diag;

	(void)state;
	make(&a);
	cache_encode(&a, &wr);
	for (size_t i = 0; i < wr.len; i++) {
		assert_int_equal(cache_decode(wr.data, i, &b, &diag), -1);
		wr.data[i] ^= 0x10;
		assert_int_equal(cache_decode(wr.data, wr.len, &b, &diag), -1);
		wr.data[i] ^= 0x10;
	}
	assert_int_equal(b.n, 0);
	assert_int_equal(cache_decode(wr.data, wr.len, &b, &diag), 0);
	held_fini(&a);
	held_fini(&b);
	wr_fini(&wr);
}

static void sign(struct wr *wr)
{
	uint8_t sum[DIGEST_SIZE];

	digest_sha256(wr->data, wr->len, sum);
	wr_bytes(wr, sum, sizeof(sum));
}

static void begin(struct wr *wr, uint32_t edges)
{
	wr_bytes(wr, "OSAVheld", 8);
	wr_be32(wr, 1);
	wr_be64(wr, 1);
	wr_be32(wr, edges);
}

/* A checksum is no proof of sense: ranges must be in order and apart. */
static void contents_that_make_no_sense_are_refused(void **state)
{
	static const uint32_t bad[][4] = {
		{ 9, 8, 20, 21 },
		{ 1, 5, 5, 9 },
		{ 1, 5, 6, 9 },
		{ 20, 21, 1, 2 },
	};
	struct held h = { 0 };
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wr wr = { 0 };

		begin(&wr, 1);
		wr_u8(&wr, 2);
		wr_bytes(&wr, "e0", 2);
		wr_be64(&wr, 1);
		wr_u8(&wr, 2);
		wr_be32(&wr, 2);
		for (size_t j = 0; j < 4; j++)
			wr_be32(&wr, bad[i][j]);
		wr_be32(&wr, 0);
		wr_be16(&wr, 0);
		sign(&wr);
		assert_int_equal(cache_decode(wr.data, wr.len, &h, &diag), -1);
		assert_non_null(strstr(diag.text, "contents"));
		wr_fini(&wr);
	}
}

static void a_newer_version_says_so(void **state)
{
	struct held h = { 0 };
	struct wr wr = { 0 };
	struct diag diag;

	(void)state;
	wr_bytes(&wr, "OSAVheld", 8);
	wr_be32(&wr, 9);
	sign(&wr);
	assert_int_equal(cache_decode(wr.data, wr.len, &h, &diag), -1);
	assert_non_null(strstr(diag.text, "version 9"));
	wr_fini(&wr);
}

/* The file size limit stands in for a full disk. */
static void a_full_disk_leaves_the_old_file(void **state)
{
	struct rlimit old, tiny;
	struct held a, none = { .epoch = 5 }, b = { 0 };
	struct diag diag;

	(void)state;
	make(&a);
	assert_int_equal(cache_save(path, &none, &diag), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	tiny = (struct rlimit){ 64, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &tiny);
	assert_int_equal(cache_save(path, &a, &diag), -1);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_non_null(strstr(diag.text, path));
	assert_int_equal(cache_load(path, &b, &diag), 1);
	assert_int_equal(b.epoch, 5);
	held_fini(&a);
	held_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_is_loaded),
		cmocka_unit_test(no_file_is_no_error),
		cmocka_unit_test(a_damaged_file_is_moved_aside),
		cmocka_unit_test(every_flipped_or_missing_byte_is_seen),
		cmocka_unit_test(contents_that_make_no_sense_are_refused),
		cmocka_unit_test(a_newer_version_says_so),
		cmocka_unit_test(a_full_disk_leaves_the_old_file),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
