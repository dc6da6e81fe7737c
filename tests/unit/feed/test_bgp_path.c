/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AS paths as text, communities, and the paths of a prefix in a bgp_table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "controller/feed/bgp.h"
#include "controller/feed/bgp_table.h"
#include "tests/unit/feed/bmp_build.h"

/* The text lies at the end of its memory, so that a byte more is seen. */
static void check_text(const uint8_t *path, size_t len, size_t size, const char *want)
{
	struct rib_attr attr = { .as_path = path, .as_path_len = (uint16_t)len };
	char text[200];

	assert_true(size <= sizeof(text));
	memset(text, 'x', sizeof(text));
	bgp_path_format(&attr, text, size);
	assert_string_equal(text, want);
	for (size_t i = size; i < sizeof(text); i++)
		assert_int_equal(text[i], 'x');
}

static void test_paths_as_text(void **state)
{
	static const uint8_t sequence[] = { 2, 2, 0, 0, 0xfd, 0xe8, 0, 1, 0, 0 };
	static const uint8_t set[] = { 2, 1, 0, 0, 0, 7, 1, 2, 0, 0, 0, 8, 0, 0, 0, 9 };
	static const uint8_t confederation[] = { 3, 2, 0, 0, 0, 1, 0, 0, 0, 2,
						 4, 1, 0, 0, 0, 3, 2, 1, 0, 0, 0, 4 };
	static const uint8_t damaged[] = { 2, 1, 0, 0, 0, 7, 9, 1, 0, 0, 0, 8 };

	(void)state;
	check_text(NULL, 0, 20, "");
	check_text(sequence, sizeof(sequence), 40, "65000 65536");
	check_text(set, sizeof(set), 40, "7 {8,9}");
	check_text(confederation, sizeof(confederation), 40, "(1 2) [3] 4");
	check_text(damaged, sizeof(damaged), 40, "7");
}

static void test_a_long_path_is_cut(void **state)
{
	static const uint8_t path[] = { 2, 3, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd, 0xea };
	static const char *const want[] = { "...", "...", "...", "...", "...", "65000..." };

	(void)state;
	for (size_t size = 4; size <= 9; size++)
		check_text(path, sizeof(path), size, want[size - 4]);
	check_text(path, sizeof(path), 21, "65000 65001 65002");
	for (size_t size = 4; size < 40; size++) { /* whole, or ends with dots, never more */
		char text[200];
		struct rib_attr attr = { .as_path = path, .as_path_len = sizeof(path) };

		bgp_path_format(&attr, text, size);
		assert_true(strlen(text) < size);
		assert_true(strcmp(text, "65000 65001 65002") == 0 ||
			    strcmp(text + strlen(text) - 3, "...") == 0);
	}
}

static bool no_advertise(const uint8_t *communities, size_t len)
{
	static uint8_t scratch[BGP_PATH_MAX];
	struct bgp_update_ctx ctx = { .as2 = false };
	uint32_t as = 65001;
	struct bgp_update u;
	struct wr attrs = { 0 };
	bool set;

	build_usual(&attrs, &as, 1);
	build_attr(&attrs, 0xc0, 8, communities, len);
	assert_int_equal(bgp_attrs_decode(rd_init(attrs.data, attrs.len), &ctx, scratch, &u),
			 BGP_UPDATE_OK);
	set = u.attr.no_advertise;
	wr_fini(&attrs);
	return set;
}

static void test_no_advertise(void **state)
{
	static const uint8_t list[] = { 0xff, 0xff, 0xff, 1, 0, 7, 0xff, 2, 0xff, 0xff, 0xff, 2 };

	(void)state;
	assert_true(no_advertise(list, 12));
	assert_true(no_advertise(list + 8, 4));
	assert_false(no_advertise(list, 8)); /* NO_EXPORT, and one of our own */
	assert_false(no_advertise(list, 4));
}

struct found {
	unsigned int n;
	uint64_t hops; /* sum of the last octets */
};

static void see(struct rib_peer *hop, const struct rib_attr *attr, void *arg)
{
	struct found *f = arg;

	assert_non_null(attr);
	assert_true(ip_addr_equal(&attr->next_hop, &rib_peer_key(hop)->addr));
	f->hops += (uint8_t)attr->next_hop.v;
	f->n++;
}

static void test_all_paths_of_a_prefix(void **state)
{
	struct rib *rib = rib_new();
	struct bgp_table *t = bgp_table_new(rib, 3);
	struct ip_prefix p[2];

	(void)state;
	assert_int_equal(ip_prefix_parse("20.1.0.0/16", &p[0]), IP_PARSE_OK);
	assert_int_equal(ip_prefix_parse("20.1.0.0/17", &p[1]), IP_PARSE_OK);
	for (uint32_t i = 1; i <= 40; i++) {
		struct rib_attr attr = { .next_hop = { 0x0a000000 + i % 4, IP_V4 } };

		bgp_table_announce(t, &p[0], i, &attr);
		bgp_table_announce(t, &p[1], i, &attr);
	}
	for (uint32_t i = 1; i <= 40; i++) {
		struct found f = { 0 };
		uint64_t hops = 0;

		for (uint32_t k = i; k <= 40; k++)
			hops += k % 4;
		assert_int_equal(bgp_table_walk_prefix(t, &p[0], see, &f), 41 - i);
		assert_int_equal(f.n, 41 - i);
		assert_int_equal(f.hops, hops);
		assert_true(bgp_table_withdraw(t, &p[0], i));
	}
	assert_int_equal(bgp_table_walk_prefix(t, &p[0], see, NULL), 0);
	bgp_table_free(t);
	rib_free(rib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_as_text),
		cmocka_unit_test(test_a_long_path_is_cut),
		cmocka_unit_test(test_no_advertise),
		cmocka_unit_test(test_all_paths_of_a_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
