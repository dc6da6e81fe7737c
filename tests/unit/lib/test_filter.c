/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/digest.h"
#include "lib/filter.h"

static void add(struct filter *f, const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	addrset_append(&f->accept, &p);
	addrset_normalize(&f->accept);
}

static struct filter sample(void)
{
	struct filter f = { .interface = "eth0",
			    .generation = 3,
			    .action = FILTER_ENFORCE };
	struct ip_addr peers[] = { { 2, IP_V6 }, { 1, IP_V4 } };

	add(&f, "192.0.2.0/24");
	add(&f, "2001:db8::/32");
	filter_set_peers(&f, peers, 2);
	return f;
}

static bool same_hash(const struct filter *a, const struct filter *b)
{
	uint8_t x[FILTER_HASH_SIZE], y[FILTER_HASH_SIZE];

	filter_hash(a, x);
	filter_hash(b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

/* The encoding under the hash is part of the protocol: an agent of last year
 * computes this value. */
static void hash_never_changes(void **state)
{
	static const char want[] =
		"8a49dbd960928fdcc03e884e0681c443bbdd88b8c06a0cf728af1f3a2dce86e9";
	struct filter f = sample();
	uint8_t hash[FILTER_HASH_SIZE];
	char hex[2 * FILTER_HASH_SIZE + 1];

	filter_hash(&f, hash);
	digest_hex(hash, sizeof(hash), hex);
	assert_string_equal(hex, want);
	filter_fini(&f);
}

static void generation_is_not_content(void **state)
{
	struct filter a = sample(), b = sample();

	b.generation = 99;
	assert_true(same_hash(&a, &b));
	filter_fini(&a);
	filter_fini(&b);
}

/* The same addresses by another history. */
static void history_is_not_content(void **state)
{
	struct filter a = sample(), b = { .interface = "eth0", .action = FILTER_ENFORCE };
	struct ip_addr peers[] = { { 1, IP_V4 }, { 2, IP_V6 }, { 1, IP_V4 } };

	add(&b, "2001:db8:8000::/33");
	add(&b, "192.0.2.128/25");
	add(&b, "192.0.2.0/25");
	add(&b, "2001:db8::/33");
	filter_set_peers(&b, peers, 3);
	assert_true(same_hash(&a, &b));
	filter_fini(&a);
	filter_fini(&b);
}

static void every_field_is_content(void **state)
{
	struct ip_addr four = { 2, IP_V4 };
	struct filter a = sample(), b = sample();

	strcpy(b.interface, "eth1");
	assert_false(same_hash(&a, &b));
	strcpy(b.interface, "eth0");
	b.action = FILTER_OBSERVE;
	assert_false(same_hash(&a, &b));
	b.action = FILTER_ENFORCE;
	assert_true(same_hash(&a, &b));
	add(&b, "192.0.3.0/32");
	assert_false(same_hash(&a, &b));
	filter_fini(&b);
	b = sample();
	add(&b, "2001:db9::/128");
	assert_false(same_hash(&a, &b));
	filter_fini(&b);
	b = sample();
	filter_set_peers(&b, NULL, 0);
	assert_false(same_hash(&a, &b));
	filter_set_peers(&b, &four, 1);
	assert_false(same_hash(&a, &b));
	filter_fini(&a);
	filter_fini(&b);
}

/* The same numbers in the other family are other addresses. */
static void families_do_not_mix(void **state)
{
	struct filter a = { .interface = "eth0" }, b = { .interface = "eth0" };

	rangeset_append(&a.accept.f[IP_V4], 5, 9);
	rangeset_append(&b.accept.f[IP_V6], 5, 9);
	assert_false(same_hash(&a, &b));
	filter_fini(&a);
	filter_fini(&b);
}

static void copies_are_deep(void **state)
{
	struct filter a = sample(), b = { 0 };

	filter_copy(&b, &a);
	assert_true(same_hash(&a, &b));
	assert_int_equal(b.generation, 3);
	assert_true(a.peers != b.peers);
	filter_copy(&b, &b);
	assert_true(same_hash(&a, &b));
	filter_fini(&a);
	assert_int_equal(b.n_peers, 2);
	filter_copy(&b, &a); /* of an empty one over a full one */
	assert_int_equal(b.n_peers, 0);
	assert_true(addrset_is_empty(&b.accept));
	filter_fini(&b);
}

static void peers_are_a_set(void **state)
{
	struct ip_addr list[] = {
		{ 9, IP_V6 }, { 7, IP_V4 }, { 9, IP_V4 }, { 7, IP_V4 }
	};
	struct filter f = { 0 };

	filter_set_peers(&f, list, 4);
	assert_int_equal(f.n_peers, 3);
	assert_true(f.peers[0].v == 7 && f.peers[0].family == IP_V4);
	assert_true(f.peers[1].v == 9 && f.peers[1].family == IP_V4);
	assert_true(f.peers[2].v == 9 && f.peers[2].family == IP_V6);
	filter_fini(&f);
}

static void interface_names(void **state)
{
	static const char *const good[] = { "e",     "eth0", "eth0.100",       "ge-0_0@x",
					    "wan+1", "...",  "123456789012345" };
	static const char *const bad[] = { "",	   ".",	   "..",    "1234567890123456",
					   "a b",  "a/b",  "a:b",   "a\"b",
					   "a'b",  "a\\b", "a!b",   "a|b",
					   "a\tb", "a\nb", "a\x7f", "\xc3\xa9" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!filter_ifname_is_valid(good[i]))
			fail_msg("refused \"%s\"", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (filter_ifname_is_valid(bad[i]))
			fail_msg("accepted \"%s\"", bad[i]);
	}
}

static void actions(void **state)
{
	enum filter_action action;

	for (int i = FILTER_OFF; i <= FILTER_ENFORCE; i++) {
		assert_true(filter_action_parse(filter_action_name((enum filter_action)i),
						&action));
		assert_int_equal(action, i);
	}
	assert_string_equal(filter_action_name(FILTER_OBSERVE), "observe");
	action = FILTER_OBSERVE;
	assert_false(filter_action_parse("Enforce", &action));
	assert_false(filter_action_parse("", &action));
	assert_int_equal(action, FILTER_OBSERVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_never_changes),
		cmocka_unit_test(generation_is_not_content),
		cmocka_unit_test(history_is_not_content),
		cmocka_unit_test(every_field_is_content),
		cmocka_unit_test(families_do_not_mix),
		cmocka_unit_test(copies_are_deep),
		cmocka_unit_test(peers_are_a_set),
		cmocka_unit_test(interface_names),
		cmocka_unit_test(actions),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
