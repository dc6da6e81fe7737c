/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a head end announces, with the time of the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/head/head.h"

static struct head_config config;
static struct head *head;
static char said[4096]; /* "+PREFIX" and "-PREFIX" in order */
static size_t n_added, n_withdrawn;

static void on_route(void *ctx, const struct head_route *r, bool add)
{
	char text[IP_TEXT_SIZE];
	size_t at = strlen(said);

	(void)ctx;
	n_added += add;
	n_withdrawn += !add;
	assert_true(r->ifindex != 0);
	if (at + 200 < sizeof(said))
		snprintf(said + at, sizeof(said) - at, "%c%s:%u@%u ", add ? '+' : '-', ip_prefix_format(&r->prefix, text),
			 r->ifindex, r->table);
}

static char noted[256];

static void on_note(void *ctx, const char *client, size_t prefixes, const char *why)
{
	(void)ctx;
	snprintf(noted, sizeof(noted), "%s %zu %s", client, prefixes, why);
}

static void expect(const char *text)
{
	assert_string_equal(said, text);
	said[0] = '\0';
}

static int set_up(void **state)
{
	struct diag diag;

	(void)state;
	head_config_init(&config);
	assert_int_equal(head_config_announce(&config, "clients", 0, &diag), 0);
	head = head_new(&config, on_route, on_note, NULL);
	said[0] = '\0';
	n_added = n_withdrawn = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	head_free(head);
	head_config_fini(&config);
	return 0;
}

/* selectors: "192.0.2.0-192.0.2.255 ..." or prefixes, all ports */
static struct tunnel_update update(const char *name, const char *of, bool up, const char *selectors)
{
	struct tunnel_update u = { .type = TUNNEL_UPDATE_TUNNEL };
	char copy[1024], *save = NULL;

	snprintf(u.tunnel.name, sizeof(u.tunnel.name), "%s", name);
	snprintf(u.tunnel.client_of, sizeof(u.tunnel.client_of), "%s", of);
	snprintf(u.tunnel.interface, sizeof(u.tunnel.interface), "clients");
	u.tunnel.ifindex = 7;
	u.tunnel.up = up;
	snprintf(copy, sizeof(copy), "%s", selectors);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct tunnel_selector *ts = &u.tunnel.remote_ts[u.tunnel.n_remote++];
		char *dash = strchr(word, '-');
		struct ip_prefix p;

		ts->port_last = UINT16_MAX;
		if (dash) {
			*dash = '\0';
			assert_true(ip_addr_parse(word, &ts->first) && ip_addr_parse(dash + 1, &ts->last));
			continue;
		}
		assert_int_equal(ip_prefix_parse(word, &p), IP_PARSE_OK);
		ts->first = (struct ip_addr){ p.v, p.family };
		ts->last = (struct ip_addr){ ip_prefix_last(&p), p.family };
	}
	return u;
}

static void tell(const char *name, bool up, const char *selectors, int64_t now_ms)
{
	const struct tunnel_update u = update(name, "clients", up, selectors);

	head_update(head, &u, now_ms);
	(void)head_run(head, now_ms);
}

static void complete(int64_t now_ms)
{
	head_update(head, &(struct tunnel_update){ .type = TUNNEL_UPDATE_COMPLETE }, now_ms);
}

/* ---- */

static void a_tunnel_that_lives_is_announced_and_one_that_dies_withdrawn_at_once(void **state)
{
	(void)state;
	tell("a", false, "192.0.2.0/25", 1000);
	expect("");
	tell("a", true, "192.0.2.0/25 2001:db8:a::/48", 1001);
	expect("+192.0.2.0/25:7@0 +2001:db8:a::/48:7@0 ");
	assert_string_equal(noted, "a 2 ");
	tell("a", true, "192.0.2.0/25 2001:db8:a::/48", 1002); /* keys anew, say */
	expect("");
	tell("a", false, "192.0.2.0/25 2001:db8:a::/48", 1003);
	expect("-192.0.2.0/25:7@0 -2001:db8:a::/48:7@0 ");
	assert_string_equal(noted, "a 2 the tunnel is down");
}

static void one_that_flaps_waits_for_the_hold(void **state)
{
	int64_t t;

	(void)state;
	tell("a", true, "192.0.2.0/25", 1000);
	/* down for the first time at 1100, and then each 200 ms */
	for (t = 1100; t < 11100; t += 100)
		tell("a", (t / 100) % 2 == 0, "192.0.2.0/25", t);
	expect("+192.0.2.0/25:7@0 -192.0.2.0/25:7@0 ");
	tell("a", true, "192.0.2.0/25", 11100);
	expect("+192.0.2.0/25:7@0 ");
}

static void the_hold_ends_by_itself(void **state)
{
	(void)state;
	tell("a", true, "192.0.2.0/25", 1000);
	tell("a", false, "192.0.2.0/25", 2000);
	tell("a", true, "192.0.2.0/25", 2500);
	expect("+192.0.2.0/25:7@0 -192.0.2.0/25:7@0 ");
	assert_int_equal(head_run(head, 2500), 12000);
	assert_int_equal(head_run(head, 11999), 12000);
	expect("");
	assert_int_equal(head_run(head, 12000), INT64_MAX);
	expect("+192.0.2.0/25:7@0 ");
}

static void only_whole_prefixes_and_never_the_default_route(void **state)
{
	struct tunnel_update u = update("a", "clients", true, "0.0.0.0/0 192.0.2.5-192.0.2.8");

	(void)state;
	head_update(head, &u, 1); /* the default route covers the other */
	expect("");
	u = update("a", "clients", true, "192.0.2.5-192.0.2.8 ::/0");
	head_update(head, &u, 2);
	expect("+192.0.2.5/32:7@0 +192.0.2.6/31:7@0 +192.0.2.8/32:7@0 ");
	u = update("b", "clients", true, "198.51.100.0/24 203.0.113.0/24");
	u.tunnel.remote_ts[0].protocol = 17;
	u.tunnel.remote_ts[1].port_first = 80;
	head_update(head, &u, 3);
	expect("");
}

static void selectors_that_change_touch_only_what_differs(void **state)
{
	(void)state;
	tell("a", true, "192.0.2.0/26 192.0.2.128/26", 1);
	expect("+192.0.2.0/26:7@0 +192.0.2.128/26:7@0 ");
	tell("a", true, "192.0.2.0/26 198.51.100.0/24", 2);
	expect("-192.0.2.128/26:7@0 +198.51.100.0/24:7@0 ");
}

static void a_new_interface_takes_the_routes_along(void **state)
{
	struct tunnel_update u = update("a", "clients", true, "192.0.2.0/25");

	(void)state;
	head_update(head, &u, 1);
	u.tunnel.ifindex = 0;
	head_update(head, &u, 2);
	expect("+192.0.2.0/25:7@0 -192.0.2.0/25:7@0 ");
	u.tunnel.ifindex = 9;
	head_update(head, &u, 3); /* the tunnel was up all the time: no hold */
	expect("+192.0.2.0/25:9@0 ");
	u.tunnel.ifindex = 10;
	head_update(head, &u, 4);
	expect("-192.0.2.0/25:9@0 +192.0.2.0/25:10@0 ");
}

static void what_is_not_configured_is_not_announced(void **state)
{
	struct tunnel_update u = update("other", "", true, "192.0.2.0/25");
	struct head_totals totals;
	struct diag diag;

	(void)state;
	head_update(head, &u, 1);
	expect("");
	head_totals(head, 1, &totals);
	assert_int_equal(totals.clients, 0);
	assert_int_equal(head_config_announce(&config, "other", 0, &diag), 0);
	head_configured(head, 2);
	expect("+192.0.2.0/25:7@0 ");
	assert_int_equal(head_config_silence(&config, "other", &diag), 0);
	head_configured(head, 3);
	expect("-192.0.2.0/25:7@0 ");
	assert_int_equal(head_config_silence(&config, "other", &diag), -1);
	assert_non_null(strstr(diag.text, "announce other"));
	assert_int_equal(head_config_announce(&config, "a/b", 0, &diag), -1);
}

static void equal_prefixes_live_in_tables_of_their_own(void **state)
{
	struct diag diag;

	(void)state;
	assert_int_equal(head_config_announce(&config, "b", 200, &diag), 0);
	tell("a", true, "192.168.1.0/24", 1);
	tell("b", true, "192.168.1.0/24", 2);
	expect("+192.168.1.0/24:7@0 +192.168.1.0/24:7@200 ");
	assert_int_equal(head_config_announce(&config, "b", 201, &diag), 0);
	head_configured(head, 3);
	expect("-192.168.1.0/24:7@200 +192.168.1.0/24:7@201 ");
	tell("a", false, "192.168.1.0/24", 4);
	expect("-192.168.1.0/24:7@0 ");
}

/* zebra clears no table but the main one of what a daemon has left. */
static void routes_that_outlive_the_daemon_are_in_the_main_table(void **state)
{
	struct diag diag;

	(void)state;
	assert_int_equal(head_config_announce(&config, "b", 200, &diag), 0);
	assert_int_equal(head_config_graceful(&config, 60, &diag), -1);
	assert_non_null(strstr(diag.text, "\"announce b\""));
	assert_int_equal(config.graceful_s, 0);
	assert_int_equal(head_config_announce(&config, "b", 0, &diag), 0);
	assert_int_equal(head_config_graceful(&config, 60, &diag), 0);
	assert_int_equal(head_config_announce(&config, "b", 200, &diag), -1);
	assert_non_null(strstr(diag.text, "\"no graceful-restart\""));
	assert_int_equal(config.list[0].table, 0);
	assert_int_equal(head_config_graceful(&config, 0, &diag), 0);
	assert_int_equal(head_config_announce(&config, "b", 200, &diag), 0);
	assert_int_equal(head_config_graceful(&config, 0, &diag), 0);
}

static void the_second_of_two_with_one_prefix_waits_for_the_first(void **state)
{
	(void)state;
	tell("a", true, "192.0.2.0/25", 1);
	tell("b", true, "192.0.2.0/25 198.51.100.0/24", 2);
	expect("+192.0.2.0/25:7@0 +198.51.100.0/24:7@0 ");
	tell("a", false, "192.0.2.0/25", 3);
	expect("-192.0.2.0/25:7@0 +192.0.2.0/25:7@0 "); /* b's now */
	tell("a", true, "192.0.2.0/25", 20000);
	expect("");
	head_update(head, &(struct tunnel_update){ .type = TUNNEL_UPDATE_GONE, .tunnel.name = "b" }, 20001);
	expect("-192.0.2.0/25:7@0 -198.51.100.0/24:7@0 +192.0.2.0/25:7@0 ");
}

static void what_a_snapshot_lacks_is_gone(void **state)
{
	(void)state;
	tell("a", true, "192.0.2.0/25", 1);
	tell("b", true, "192.0.2.128/25", 1);
	complete(1);
	said[0] = '\0';
	head_lost(head, 100);
	head_snapshot(head);
	tell("b", true, "192.0.2.128/25", 200);
	expect("");
	complete(201);
	expect("-192.0.2.0/25:7@0 ");
}

static void without_sav_iked_what_was_known_holds_for_a_while(void **state)
{
	(void)state;
	tell("a", true, "192.0.2.0/25", 1);
	complete(1);
	head_lost(head, 1000);
	assert_int_equal(head_run(head, 1000), 11000);
	expect("+192.0.2.0/25:7@0 ");
	assert_int_equal(head_run(head, 11000), INT64_MAX);
	expect("-192.0.2.0/25:7@0 ");
}

static void what_a_new_snapshot_has_told_outlives_the_hold(void **state)
{
	(void)state;
	tell("a", true, "192.0.2.0/25", 1);
	tell("b", true, "192.0.2.128/25", 1);
	complete(1);
	head_lost(head, 1000);
	head_snapshot(head);
	said[0] = '\0';
	tell("b", true, "192.0.2.128/25", 10900);
	(void)head_run(head, 11000); /* before the snapshot is complete */
	expect("-192.0.2.0/25:7@0 ");
	tell("a", true, "192.0.2.0/25", 11100);
	complete(11200);
	expect("+192.0.2.0/25:7@0 ");
}

static void half_a_snapshot_holds_no_longer_than_a_whole_one(void **state)
{
	(void)state;
	head_snapshot(head);
	tell("a", true, "192.0.2.0/25", 1000);
	head_lost(head, 1000);
	head_lost(head, 5000); /* again, and nothing was told */
	assert_int_equal(head_run(head, 5000), 11000);
	assert_int_equal(head_run(head, 11000), INT64_MAX);
	expect("+192.0.2.0/25:7@0 -192.0.2.0/25:7@0 ");
}

/* While a tunnel is down its selectors are as configured. */
static void one_that_had_part_of_its_prefix_waits_for_the_hold_too(void **state)
{
	(void)state;
	tell("a", true, "192.0.2.0/26", 1000);
	tell("a", false, "192.0.2.0/25", 2000);
	assert_string_equal(noted, "a 1 the tunnel is down");
	tell("a", true, "192.0.2.0/26", 2500);
	expect("+192.0.2.0/26:7@0 -192.0.2.0/26:7@0 ");
	assert_int_equal(head_run(head, 12000), INT64_MAX);
	expect("+192.0.2.0/26:7@0 ");
}

static void a_new_zebra_gets_all_and_what_it_says_is_shown(void **state)
{
	struct ip_prefix p;
	struct head_totals totals;

	(void)state;
	assert_int_equal(ip_prefix_parse("192.0.2.0/25", &p), IP_PARSE_OK);
	tell("a", true, "192.0.2.0/25", 1);
	head_fate(head, &p, 0, HEAD_IN_USE);
	head_totals(head, 1, &totals);
	assert_int_equal(totals.in_use, 1);
	head_resend(head, false);
	head_totals(head, 1, &totals);
	assert_int_equal(totals.in_use, 1);
	head_resend(head, true);
	expect("+192.0.2.0/25:7@0 +192.0.2.0/25:7@0 +192.0.2.0/25:7@0 ");
	head_totals(head, 1, &totals);
	assert_int_equal(totals.in_use, 0);
	assert_int_equal(totals.announced, 1);
}

static void thousands_come_and_go(void **state)
{
	struct head_totals totals;
	char name[32], prefix[64];
	const unsigned n = 20000;

	(void)state;
	for (unsigned up = 2; up-- > 0;)
		for (unsigned i = 0; i < n; i++) {
			struct tunnel_update u;

			snprintf(name, sizeof(name), "c%u", i);
			snprintf(prefix, sizeof(prefix), "10.%u.%u.0/28", i / 250, i % 250);
			u = update(name, "clients", up, prefix);
			head_update(head, &u, 1);
		}
	assert_int_equal(n_added, n);
	assert_int_equal(n_withdrawn, n);
	head_totals(head, 1, &totals);
	assert_int_equal(totals.clients, n);
	assert_int_equal(totals.announced, 0);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_tunnel_that_lives_is_announced_and_one_that_dies_withdrawn_at_once),
		T(one_that_flaps_waits_for_the_hold),
		T(the_hold_ends_by_itself),
		T(only_whole_prefixes_and_never_the_default_route),
		T(selectors_that_change_touch_only_what_differs),
		T(a_new_interface_takes_the_routes_along),
		T(what_is_not_configured_is_not_announced),
		T(equal_prefixes_live_in_tables_of_their_own),
		T(routes_that_outlive_the_daemon_are_in_the_main_table),
		T(the_second_of_two_with_one_prefix_waits_for_the_first),
		T(what_a_snapshot_lacks_is_gone),
		T(without_sav_iked_what_was_known_holds_for_a_while),
		T(what_a_new_snapshot_has_told_outlives_the_hold),
		T(half_a_snapshot_holds_no_longer_than_a_whole_one),
		T(one_that_had_part_of_its_prefix_waits_for_the_hold_too),
		T(a_new_zebra_gets_all_and_what_it_says_is_shown),
		T(thousands_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
