/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The hash of a filter is spoken on the wire, kept on disk and compared after
 * each read-back: its bytes must never change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/digest.h"
#include "lib/filter.h"

static void add(struct filter *f, const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	addrset_append(&f->accept, &p);
}

static void make(struct filter *f)
{
	struct ip_addr peers[2];

	*f = (struct filter){ .interface = "eth0",
			      .generation = 7,
			      .action = FILTER_ENFORCE };
	add(f, "198.51.100.0/24");
	add(f, "0.0.0.0/8");
	add(f, "255.255.255.255/32");
	add(f, "2001:db8::/32");
	addrset_normalize(&f->accept);
	assert_true(ip_addr_parse("2001:db8::1", &peers[0]));
	assert_true(ip_addr_parse("192.0.2.1", &peers[1]));
	filter_set_peers(f, peers, 2);
}

static void hex_of(const struct filter *f, char hex[2 * FILTER_HASH_SIZE + 1])
{
	uint8_t hash[FILTER_HASH_SIZE];

	filter_hash(f, hash);
	digest_hex(hash, sizeof(hash), hex);
}

static void the_hash_is_golden(void **state)
{
	char hex[2 * FILTER_HASH_SIZE + 1];
	struct filter f, empty = { .interface = "e" };

	(void)state;
	make(&f);
	hex_of(&f, hex);
	assert_string_equal(
		hex, "61e8d960bb7ecb901b0847cc3cacb2ec1fd20dfe1fca5430642663a912565359");
	hex_of(&empty, hex);
	assert_string_equal(
		hex, "e1a01d3a2d170718e0a76c18140aa47cfb8f4c0e64fd9452376c75d4d9c730d8");
	filter_fini(&f);
}

static void the_generation_is_not_hashed(void **state)
{
	char a[2 * FILTER_HASH_SIZE + 1], b[2 * FILTER_HASH_SIZE + 1];
	struct filter f;

	(void)state;
	make(&f);
	hex_of(&f, a);
	f.generation = 8;
	hex_of(&f, b);
	assert_string_equal(a, b);
	filter_fini(&f);
}

static void everything_else_is(void **state)
{
	char a[2 * FILTER_HASH_SIZE + 1], b[2 * FILTER_HASH_SIZE + 1];
	struct filter f;

	(void)state;
	make(&f);
	hex_of(&f, a);
	f.action = FILTER_OBSERVE;
	hex_of(&f, b);
	assert_string_not_equal(a, b);
	f.action = FILTER_ENFORCE;
	f.interface[3] = '1';
	hex_of(&f, b);
	assert_string_not_equal(a, b);
	f.interface[3] = '0';
	filter_set_peers(&f, f.peers, 1);
	hex_of(&f, b);
	assert_string_not_equal(a, b);
	filter_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_golden),
		cmocka_unit_test(the_generation_is_not_hashed),
		cmocka_unit_test(everything_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
