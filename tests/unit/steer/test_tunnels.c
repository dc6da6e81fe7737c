/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What sav-iked says of its tunnels, over its restarts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "agents/steer/tunnels.h"

static void say(struct tunnel_list *l, const char *name, const char *device, bool up)
{
	static struct tunnel_update u; /* large */

	u = (struct tunnel_update){ .type = TUNNEL_UPDATE_TUNNEL };
	u.tunnel.up = up;
	snprintf(u.tunnel.name, sizeof(u.tunnel.name), "%s", name);
	snprintf(u.tunnel.interface, sizeof(u.tunnel.interface), "%s", device);
	tunnels_take(l, &u);
}

static void say_kind(struct tunnel_list *l, enum tunnel_update_kind type, const char *name)
{
	static struct tunnel_update u;

	u = (struct tunnel_update){ .type = type };
	snprintf(u.tunnel.name, sizeof(u.tunnel.name), "%s", name);
	tunnels_take(l, &u);
}

static void known(struct tunnel_list *l)
{
	*l = (struct tunnel_list){ 0 };
	tunnels_begin(l);
	say(l, "one", "tun7", true);
	say(l, "two", "tun8", true);
	assert_false(l->known);
	assert_null(tunnels_find(l, "one"));
	say_kind(l, TUNNEL_UPDATE_COMPLETE, "");
	assert_true(l->known);
	assert_int_equal(l->n, 2);
}

static void test_a_restart_of_sav_iked_takes_no_tunnel_away(void **state)
{
	struct tunnel_list l;

	(void)state;
	known(&l);
	tunnels_begin(&l);
	/* nothing said yet: what was known holds */
	assert_true(l.known);
	assert_true(tunnels_find(&l, "one")->up);
	assert_string_equal(tunnels_find(&l, "two")->device, "tun8");
	say(&l, "one", "", false);
	assert_true(tunnels_find(&l, "one")->up);
	say_kind(&l, TUNNEL_UPDATE_COMPLETE, "");
	/* now what is new holds, but for the interface that it does not name */
	assert_false(tunnels_find(&l, "one")->up);
	assert_string_equal(tunnels_find(&l, "one")->device, "tun7");
	assert_null(tunnels_find(&l, "two"));
	tunnels_fini(&l);
}

static void test_a_snapshot_that_breaks_off(void **state)
{
	struct tunnel_list l;

	(void)state;
	known(&l);
	tunnels_begin(&l);
	say(&l, "three", "tun9", true);
	tunnels_begin(&l); /* connected anew */
	say(&l, "one", "tun7", true);
	say(&l, "four", "tun6", true);
	say_kind(&l, TUNNEL_UPDATE_GONE, "four");
	say_kind(&l, TUNNEL_UPDATE_COMPLETE, "");
	assert_int_equal(l.n, 1);
	assert_non_null(tunnels_find(&l, "one"));
	tunnels_fini(&l);
}

static void test_changes_after_it(void **state)
{
	struct tunnel_list l;

	(void)state;
	known(&l);
	say(&l, "one", "", false);
	assert_false(tunnels_find(&l, "one")->up);
	assert_string_equal(tunnels_find(&l, "one")->device, "tun7");
	say(&l, "one", "tun5", true);
	assert_string_equal(tunnels_find(&l, "one")->device, "tun5");
	say_kind(&l, TUNNEL_UPDATE_GONE, "one");
	assert_null(tunnels_find(&l, "one"));
	say_kind(&l, TUNNEL_UPDATE_GONE, "one");
	say_kind(&l, TUNNEL_UPDATE_COMPLETE, "");
	assert_int_equal(l.n, 1);
	tunnels_fini(&l);
}

static void test_more_than_there_may_be(void **state)
{
	struct tunnel_list l = { 0 };
	char name[16];

	(void)state;
	tunnels_begin(&l);
	for (int i = 0; i < TUNNELS_MAX + 9; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		say(&l, name, name, true);
	}
	say_kind(&l, TUNNEL_UPDATE_COMPLETE, "");
	assert_int_equal(l.n, TUNNELS_MAX);
	tunnels_fini(&l);
}

static void test_selectors_at_our_end_are_the_sources(void **state)
{
	static struct tunnel_update u;
	struct tunnel_list l = { 0 };
	const struct ip_addr inside = { 0xc0000205, IP_V4 }, outside = { 0xc0000305, IP_V4 };

	(void)state;
	u = (struct tunnel_update){ .type = TUNNEL_UPDATE_TUNNEL };
	snprintf(u.tunnel.name, sizeof(u.tunnel.name), "one");
	u.tunnel.n_local = 2;
	u.tunnel.local_ts[0] = (struct tunnel_selector){ .first = { 0xc0000200, IP_V4 },
							 .last = { 0xc00002ff, IP_V4 } };
	u.tunnel.local_ts[1] = (struct tunnel_selector){ .first = { 0, IP_V6 }, .last = { 1, IP_V6 } };
	tunnels_take(&l, &u);
	assert_true(addrset_contains(&l.items[0].sources, &inside));
	assert_false(addrset_contains(&l.items[0].sources, &outside));
	/* another snapshot, of which only the beginning comes */
	tunnels_begin(&l);
	tunnels_take(&l, &u);
	tunnels_begin(&l);
	u.tunnel.n_local = 0;
	tunnels_take(&l, &u);
	say_kind(&l, TUNNEL_UPDATE_COMPLETE, "");
	assert_true(addrset_is_empty(&l.items[0].sources));
	say_kind(&l, TUNNEL_UPDATE_GONE, "one");
	assert_int_equal(l.n, 0);
	tunnels_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_restart_of_sav_iked_takes_no_tunnel_away),
		cmocka_unit_test(test_a_snapshot_that_breaks_off),
		cmocka_unit_test(test_changes_after_it),
		cmocka_unit_test(test_more_than_there_may_be),
		cmocka_unit_test(test_selectors_at_our_end_are_the_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
