/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agents/steer/site.h"

static struct site site;
static struct diag diag;

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

static struct site_provider *provider(const char *name)
{
	struct site_provider *p = site_provider_get(&site, name, &diag);

	assert_non_null(p);
	return p;
}

static int put_static(const char *name, const char *text)
{
	struct site_prefix p = { .source = SITE_STATIC, .prefix = prefix(text) };

	return site_prefix(&site, provider(name), &p, true, &diag);
}

static int put_path(const char *name, enum path_kind kind, const char *what, const char *via,
		    uint32_t number)
{
	struct site_path p = { .kind = kind, .number = number };

	snprintf(p.name, sizeof(p.name), "%s", what);
	snprintf(p.via, sizeof(p.via), "%s", via);
	return site_path_put(&site, provider(name), &p, &diag);
}

static int put_device(const char *name, const char *tunnel, const char *device)
{
	struct site_path p = { .kind = PATH_TUNNEL };

	snprintf(p.name, sizeof(p.name), "%s", tunnel);
	snprintf(p.via, sizeof(p.via), "wan0");
	snprintf(p.device, sizeof(p.device), "%s", device);
	return site_path_put(&site, provider(name), &p, &diag);
}

static int setup(void **state)
{
	(void)state;
	site_init(&site);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	site_fini(&site);
	return 0;
}

static void refused(int rc, const char *words)
{
	assert_int_equal(rc, -1);
	if (!strstr(diag.text, words))
		fail_msg("\"%s\" is not in: %s", words, diag.text);
}

static void overlapping_prefixes_are_refused_with_the_other_provider(void **state)
{
	(void)state;
	assert_int_equal(put_static("a", "192.0.2.0/24"), 0);
	refused(put_static("b", "192.0.2.128/25"), "192.0.2.0/24 of provider a");
	refused(put_static("b", "192.0.0.0/16"), "192.0.2.0/24 of provider a");
	refused(put_static("b", "0.0.0.0/0"), "everybody");
	assert_int_equal(put_static("b", "198.51.100.0/24"), 0);
	/* its own may overlap, and twice is once */
	assert_int_equal(put_static("a", "192.0.2.128/25"), 0);
	assert_int_equal(put_static("a", "192.0.2.128/25"), 0);
	assert_int_equal(provider("a")->n_prefixes, 2);
}

static void an_inside_interface_is_no_link(void **state)
{
	(void)state;
	assert_int_equal(site_inside(&site, "lan0", true, &diag), 0);
	refused(put_path("a", PATH_LINK, "lan0", "", 0), "no inside lan0");
	assert_int_equal(put_path("a", PATH_LINK, "wan0", "", 0), 0);
	refused(site_inside(&site, "wan0", true, &diag), "no link wan0");
	refused(put_path("b", PATH_LINK, "wan0", "", 0), "provider a's");
	refused(site_inside(&site, "wan1", false, &diag), "no inside interface");
}

static void a_tunnel_needs_its_link(void **state)
{
	(void)state;
	refused(put_path("a", PATH_TUNNEL, "t0", "wan1", 0), "no link wan1");
	assert_int_equal(put_path("b", PATH_LINK, "wan1", "", 0), 0);
	assert_int_equal(put_path("a", PATH_TUNNEL, "t0", "wan1", 0), 0);
	refused(site_path_del(&site, provider("b"), PATH_LINK, "wan1", &diag), "no tunnel t0");
	refused(site_provider_del(&site, "b", &diag), "no tunnel t0");
	assert_int_equal(site_path_del(&site, provider("a"), PATH_TUNNEL, "t0", &diag), 0);
	assert_int_equal(site_provider_del(&site, "b", &diag), 0);
}

static void a_tunnels_device_is_nobody_elses(void **state)
{
	(void)state;
	assert_int_equal(site_inside(&site, "lan0", true, &diag), 0);
	assert_int_equal(put_path("a", PATH_LINK, "wan0", "", 0), 0);
	assert_int_equal(put_path("b", PATH_LINK, "wan1", "", 0), 0);
	refused(put_device("a", "t0", "lan0"), "inside");
	refused(put_device("a", "t0", "wan0"), "it is a link");
	refused(put_device("a", "t0", "wan1"), "it is a link");
	refused(put_device("a", "t0", "all"), "no interface of a tunnel");
	refused(put_device("a", "t0", "default"), "no interface of a tunnel");
	refused(put_device("a", "t0", "lo"), "no interface of a tunnel");
	refused(put_device("a", "t0", "../all"), "no interface of a tunnel");
	refused(put_device("a", "t0", ".."), "no interface of a tunnel");
	assert_int_equal(provider("a")->n_paths, 1);
	assert_int_equal(put_device("a", "t0", "tun0"), 0);
	assert_int_equal(put_device("a", "t0", "tun0"), 0);
	refused(put_device("b", "t1", "tun0"), "another tunnel's");
	/* nor does anybody take it afterwards */
	refused(site_inside(&site, "tun0", true, &diag), "no tunnel t0");
	refused(put_path("b", PATH_LINK, "tun0", "", 0), "no tunnel t0");
	refused(put_path("b", PATH_LINK, "all", "", 0), "no interface's name");
	refused(put_path("b", PATH_LINK, "../wan", "", 0), "no interface's name");
	refused(site_inside(&site, "lo", true, &diag), "no interface's name");
}

static void numbers_stay_when_others_go(void **state)
{
	(void)state;
	assert_int_equal(put_path("a", PATH_LINK, "wan0", "", 0), 0);
	assert_int_equal(put_path("b", PATH_LINK, "wan1", "", 0), 0);
	assert_int_equal(provider("b")->number, 2);
	assert_int_equal(provider("b")->paths[0].number, 2);
	assert_int_equal(site_provider_del(&site, "a", &diag), 0);
	assert_int_equal(provider("b")->number, 2);
	/* typed again, with other details */
	assert_int_equal(put_path("b", PATH_LINK, "wan1", "", 0), 0);
	assert_int_equal(provider("b")->paths[0].number, 2);
	assert_int_equal(provider("c")->number, 1);
	refused(site_provider_number(&site, provider("c"), 2, &diag), "another provider's");
	refused(put_path("c", PATH_LINK, "wan2", "", 2), "another path's");
	refused(put_path("c", PATH_LINK, "wan2", "", 64), "63");
	assert_int_equal(put_path("c", PATH_LINK, "wan2", "", 9), 0);
}

static void paths_are_in_order_of_preference(void **state)
{
	struct site_path p = { .kind = PATH_TUNNEL, .name = "t9", .via = "wan0", .preference = 150 };
	static const char *const order[] = { "wan0", "t9", "t1", "t2", "wan9" };

	(void)state;
	assert_int_equal(put_path("a", PATH_LINK, "wan0", "", 0), 0);
	assert_int_equal(put_path("a", PATH_TUNNEL, "t1", "wan0", 0), 0);
	assert_int_equal(put_path("a", PATH_TUNNEL, "t2", "wan0", 0), 0);
	assert_int_equal(site_path_put(&site, provider("a"), &p, &diag), 0);
	p = (struct site_path){ .kind = PATH_LINK, .name = "wan9", .preference = 250 };
	assert_int_equal(site_path_put(&site, provider("a"), &p, &diag), 0);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(provider("a")->paths[i].name, order[i]);
}

static bool may_delegate(const char *text)
{
	const struct ip_prefix p = prefix(text);

	return site_may_delegate(&site, &p);
}

static void delegations_are_told_apart_by_their_block(void **state)
{
	struct site_prefix a = { .source = SITE_DELEGATION, .prefix = prefix("::/0"), .link = "wan0" };
	struct site_prefix b = a;

	(void)state;
	refused(site_prefix(&site, provider("a"), &a, true, &diag), "no link wan0");
	assert_int_equal(put_path("a", PATH_LINK, "wan0", "", 0), 0);
	assert_int_equal(put_path("b", PATH_LINK, "wan1", "", 0), 0);
	assert_int_equal(site_prefix(&site, provider("a"), &a, true, &diag), 0);
	refused(site_prefix(&site, provider("b"), &a, true, &diag), "provider a's");
	memcpy(b.link, "wan1", 5);
	refused(site_prefix(&site, provider("b"), &b, true, &diag), "within");
	assert_int_equal(site_prefix(&site, provider("a"), &a, false, &diag), 0);
	a.prefix = prefix("2001:db8:a000::/36");
	b.prefix = prefix("2001:db8:b000::/36");
	assert_int_equal(site_prefix(&site, provider("a"), &a, true, &diag), 0);
	assert_int_equal(site_prefix(&site, provider("b"), &b, true, &diag), 0);
	refused(site_path_del(&site, provider("a"), PATH_LINK, "wan0", &diag), "prefix");
	assert_true(may_delegate("2001:db8:a123:4::/64"));
	assert_false(may_delegate("2001:db8:c000::/64"));
	assert_int_equal(put_static("b", "2001:db8:a120::/44"), 0);
	assert_false(may_delegate("2001:db8:a123:4::/64"));
	assert_true(may_delegate("2001:db8:a130::/64"));
}

static void translation_to_another_providers_address_is_refused(void **state)
{
	struct ip_prefix net = prefix("10.1.0.0/16");
	struct ip_addr to;

	(void)state;
	assert_int_equal(put_static("a", "192.0.2.0/24"), 0);
	assert_true(ip_addr_parse("192.0.2.7", &to));
	refused(site_nat_to(&site, provider("b"), &to, &diag), "provider a");
	assert_int_equal(site_nat_to(&site, provider("a"), &to, &diag), 0);
	assert_int_equal(site_private(&site, &net, true, &diag), 0);
	refused(put_static("b", "10.0.0.0/8"), "no private 10.1.0.0/16");
	net = prefix("192.0.0.0/16");
	refused(site_private(&site, &net, true, &diag), "provider a");
}

static void ranges_have_bounds(void **state)
{
	(void)state;
	refused(site_mark_mask(&site, 0, &diag), "eight bits");
	refused(site_mark_mask(&site, 0x0ff00ff0, &diag), "eight bits");
	refused(site_mark_mask(&site, 0x7f, &diag), "eight bits");
	assert_int_equal(site_mark_mask(&site, 0x0ff0, &diag), 0);
	assert_int_equal(site_mark(&site, SITE_MARK_PATH, 3), 0x30);
	assert_int_equal(site_mark(&site, SITE_MARK_PROVIDER, 63), 0xbf0);
	assert_int_equal(site_mark_mask(&site, 0xff000000, &diag), 0);
	assert_int_equal(site_mark(&site, SITE_MARK_QUESTION, 0), 0xc0000000);
	refused(site_rule_base(&site, 32700, &diag), "32766");
	refused(site_rule_base(&site, 0, &diag), "local");
	refused(site_table_base(&site, 254, &diag), "1000");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(overlapping_prefixes_are_refused_with_the_other_provider),
		CASE(an_inside_interface_is_no_link),
		CASE(a_tunnel_needs_its_link),
		CASE(a_tunnels_device_is_nobody_elses),
		CASE(numbers_stay_when_others_go),
		CASE(paths_are_in_order_of_preference),
		CASE(delegations_are_told_apart_by_their_block),
		CASE(translation_to_another_providers_address_is_refused),
		CASE(ranges_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
