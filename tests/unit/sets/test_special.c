/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "controller/sets/special.h"
#include "tests/unit/sets/net.h"

/* The IANA registries as of 2025, written down a second time: columns Source
 * and Globally Reachable. */
enum column {
	NO,
	YES,
	NA,
};

static const struct row {
	const char *prefix;
	enum column source, global;
} registry[] = {
	{ "0.0.0.0/8", YES, NO },
	{ "0.0.0.0/32", YES, NO },
	{ "10.0.0.0/8", YES, NO },
	{ "100.64.0.0/10", YES, NO },
	{ "127.0.0.0/8", NO, NO },
	{ "169.254.0.0/16", YES, NO },
	{ "172.16.0.0/12", YES, NO },
	{ "192.0.0.0/24", NO, NO },
	{ "192.0.0.0/29", YES, NO },
	{ "192.0.0.8/32", YES, NO },
	{ "192.0.0.9/32", YES, YES },
	{ "192.0.0.10/32", YES, YES },
	{ "192.0.0.170/32", NO, NO },
	{ "192.0.0.171/32", NO, NO },
	{ "192.0.2.0/24", NO, NO },
	{ "192.31.196.0/24", YES, YES },
	{ "192.52.193.0/24", YES, YES },
	{ "192.88.99.0/24", NA, NA },
	{ "192.88.99.2/32", YES, NO },
	{ "192.168.0.0/16", YES, NO },
	{ "192.175.48.0/24", YES, YES },
	{ "198.18.0.0/15", YES, NO },
	{ "198.51.100.0/24", NO, NO },
	{ "203.0.113.0/24", NO, NO },
	{ "240.0.0.0/4", NO, NO },
	{ "255.255.255.255/32", NO, NO },
	{ "::1/128", NO, NO },
	{ "::/128", YES, NO },
	{ "::ffff:0:0/96", NO, NO },
	{ "64:ff9b::/96", YES, YES },
	{ "64:ff9b:1::/48", YES, NO },
	{ "100::/64", YES, NO },
	{ "100:0:0:1::/64", YES, NO },
	{ "2001::/23", NO, NO },
	{ "2001::/32", YES, NA },
	{ "2001:1::1/128", YES, YES },
	{ "2001:1::2/128", YES, YES },
	{ "2001:1::3/128", YES, YES },
	{ "2001:2::/48", YES, NO },
	{ "2001:3::/32", YES, YES },
	{ "2001:4:112::/48", YES, YES },
	/* ended in 2014: RFC 6890's False, not the registry's N/A of today */
	{ "2001:10::/28", NO, NO },
	{ "2001:20::/28", YES, YES },
	{ "2001:30::/28", YES, YES },
	{ "2001:db8::/32", NO, NO },
	{ "2002::/16", YES, NA },
	{ "2620:4f:8000::/48", YES, YES },
	{ "3fff::/20", NO, NO },
	{ "5f00::/16", YES, NO },
	{ "fc00::/7", YES, NO },
	{ "fe80::/10", YES, NO },
	/* no registry entries: RFC 1112, RFC 4291 */
	{ "224.0.0.0/4", NO, NO },
	{ "ff00::/8", NO, NO },
};
#define ROWS (sizeof(registry) / sizeof(registry[0]))

/* The most specific row decides. */
static bool is_special(enum ip_family family, u128 v)
{
	const struct row *best = NULL;
	int len = -1;

	for (size_t i = 0; i < ROWS; i++) {
		struct ip_prefix p = net_prefix(registry[i].prefix);

		if (ip_prefix_contains(&p, family, v) && p.len > len) {
			best = &registry[i];
			len = p.len;
		}
	}
	return best && (best->source == NO || best->global == NO);
}

static void check_address(const struct addrset *set, enum ip_family family, u128 v)
{
	struct ip_addr addr = { v & ip_max(family), (uint8_t)family };
	bool want = is_special(family, addr.v);
	char text[IP_TEXT_SIZE];

	if (addrset_contains(set, &addr) != want)
		fail_msg("%s is %sspecial", ip_addr_format(&addr, text),
			 want ? "" : "not ");
	if ((special_name(&addr) != NULL) != want)
		fail_msg("%s has %s name", ip_addr_format(&addr, text),
			 want ? "no" : "a");
}

static void test_each_entry_at_its_ends(void **state)
{
	struct addrset set = { 0 };

	special_sources(&set, NULL, 0);
	for (size_t i = 0; i < ROWS; i++) {
		struct ip_prefix p = net_prefix(registry[i].prefix);

		check_address(&set, p.family, p.v);
		check_address(&set, p.family, ip_prefix_last(&p));
		check_address(&set, p.family, p.v - 1);
		check_address(&set, p.family, ip_prefix_last(&p) + 1);
		check_address(&set, p.family, p.v + (ip_prefix_last(&p) - p.v) / 2);
	}
	addrset_fini(&set);
}

static void test_the_whole_set(void **state)
{
	struct addrset set = { 0 };
	char *text;

	special_sources(&set, NULL, 0);
	text = net_set_text(&set);
	assert_string_equal(
		text,
		"0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 "
		"172.16.0.0/12 "
		"192.0.0.0/29 192.0.0.8/32 192.0.0.11/32 192.0.0.12/30 192.0.0.16/28 "
		"192.0.0.32/27 192.0.0.64/26 192.0.0.128/25 192.0.2.0/24 192.88.99.2/32 "
		"192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 "
		"::/127 ::ffff:0.0.0.0/96 64:ff9b:1::/48 100::/63 2001:1::/128 "
		"2001:1::4/126 "
		"2001:1::8/125 2001:1::10/124 2001:1::20/123 2001:1::40/122 "
		"2001:1::80/121 "
		"2001:1::100/120 2001:1::200/119 2001:1::400/118 2001:1::800/117 "
		"2001:1::1000/116 2001:1::2000/115 2001:1::4000/114 2001:1::8000/113 "
		"2001:1::1:0/112 2001:1::2:0/111 2001:1::4:0/110 2001:1::8:0/109 "
		"2001:1::10:0/108 2001:1::20:0/107 2001:1::40:0/106 2001:1::80:0/105 "
		"2001:1::100:0/104 2001:1::200:0/103 2001:1::400:0/102 2001:1::800:0/101 "
		"2001:1::1000:0/100 2001:1::2000:0/99 2001:1::4000:0/98 "
		"2001:1::8000:0/97 "
		"2001:1::1:0:0/96 2001:1::2:0:0/95 2001:1::4:0:0/94 2001:1::8:0:0/93 "
		"2001:1::10:0:0/92 2001:1::20:0:0/91 2001:1::40:0:0/90 2001:1::80:0:0/89 "
		"2001:1::100:0:0/88 2001:1::200:0:0/87 2001:1::400:0:0/86 "
		"2001:1::800:0:0/85 "
		"2001:1::1000:0:0/84 2001:1::2000:0:0/83 2001:1::4000:0:0/82 "
		"2001:1::8000:0:0/81 2001:1:0:0:1::/80 2001:1:0:0:2::/79 "
		"2001:1:0:0:4::/78 "
		"2001:1:0:0:8::/77 2001:1:0:0:10::/76 2001:1:0:0:20::/75 "
		"2001:1:0:0:40::/74 "
		"2001:1:0:0:80::/73 2001:1:0:0:100::/72 2001:1:0:0:200::/71 "
		"2001:1:0:0:400::/70 2001:1:0:0:800::/69 2001:1:0:0:1000::/68 "
		"2001:1:0:0:2000::/67 2001:1:0:0:4000::/66 2001:1:0:0:8000::/65 "
		"2001:1:0:1::/64 2001:1:0:2::/63 2001:1:0:4::/62 2001:1:0:8::/61 "
		"2001:1:0:10::/60 2001:1:0:20::/59 2001:1:0:40::/58 2001:1:0:80::/57 "
		"2001:1:0:100::/56 2001:1:0:200::/55 2001:1:0:400::/54 2001:1:0:800::/53 "
		"2001:1:0:1000::/52 2001:1:0:2000::/51 2001:1:0:4000::/50 "
		"2001:1:0:8000::/49 "
		"2001:1:1::/48 2001:1:2::/47 2001:1:4::/46 2001:1:8::/45 2001:1:10::/44 "
		"2001:1:20::/43 2001:1:40::/42 2001:1:80::/41 2001:1:100::/40 "
		"2001:1:200::/39 "
		"2001:1:400::/38 2001:1:800::/37 2001:1:1000::/36 2001:1:2000::/35 "
		"2001:1:4000::/34 2001:1:8000::/33 2001:2::/32 2001:4::/40 "
		"2001:4:100::/44 "
		"2001:4:110::/47 2001:4:113::/48 2001:4:114::/46 2001:4:118::/45 "
		"2001:4:120::/43 2001:4:140::/42 2001:4:180::/41 2001:4:200::/39 "
		"2001:4:400::/38 2001:4:800::/37 2001:4:1000::/36 2001:4:2000::/35 "
		"2001:4:4000::/34 2001:4:8000::/33 2001:5::/32 2001:6::/31 2001:8::/29 "
		"2001:10::/28 2001:40::/26 2001:80::/25 2001:100::/24 2001:db8::/32 "
		"3fff::/20 5f00::/16 fc00::/7 fe80::/10 ff00::/8");
	free(text);
	addrset_fini(&set);
}

static void test_permits(void **state)
{
	struct ip_prefix permits[] = { net_prefix("100.64.0.0/10"),
				       net_prefix("192.0.2.128/25"),
				       net_prefix("2001:db8:1::/48"),
				       net_prefix("8.0.0.0/8") };
	struct addrset none = { 0 }, set = { 0 }, diff = { 0 };
	char *text;

	special_sources(&none, NULL, 0);
	special_sources(&set, permits, 4);
	addrset_subtract(&diff, &none, &set);
	text = net_set_text(&diff);
	assert_string_equal(text, "100.64.0.0/10 192.0.2.128/25 2001:db8:1::/48");
	free(text);
	addrset_subtract(&diff, &set, &none);
	assert_true(addrset_is_empty(&diff));
	addrset_fini(&diff);
	/* a permit is the operator's word, whatever the registry says inside it */
	permits[0] = net_prefix("0.0.0.0/0");
	permits[1] = net_prefix("::/0");
	special_sources(&set, permits, 2);
	assert_true(addrset_is_empty(&set));
	addrset_fini(&none);
}

static void test_names_are_of_the_most_specific_entry(void **state)
{
	static const struct {
		const char *addr, *name;
	} cases[] = {
		{ "192.0.0.1", "IETF protocol assignments (RFC 6890)" },
		{ "192.88.99.2", "6a44 relay anycast (RFC 6751)" },
		{ "255.255.255.255", "limited broadcast (RFC 919)" },
		{ "255.255.255.254", "reserved (RFC 1112)" },
		{ "239.1.2.3", "multicast" },
		{ "10.1.2.3", "private use (RFC 1918)" },
		{ "2001:2::1", "benchmarking (RFC 5180)" },
		{ "2001:2:1::1", "IETF protocol assignments (RFC 2928)" },
		{ "::1", "loopback (RFC 4291)" },
		{ "::ffff:8.8.8.8", "IPv4-mapped (RFC 4291)" },
		{ "ff02::1", "multicast" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_addr addr = net_addr(cases[i].addr);

		assert_string_equal(special_name(&addr), cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_entry_at_its_ends),
		cmocka_unit_test(test_the_whole_set),
		cmocka_unit_test(test_permits),
		cmocka_unit_test(test_names_are_of_the_most_specific_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
