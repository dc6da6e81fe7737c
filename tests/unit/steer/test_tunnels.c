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

/* A site whose providers name these tunnels, and a link. */
static struct site_path paths[] = {
	{ .kind = PATH_TUNNEL, .name = "one" },	  { .kind = PATH_LINK, .name = "wan0" },
	{ .kind = PATH_TUNNEL, .name = "two" },	  { .kind = PATH_TUNNEL, .name = "three" },
	{ .kind = PATH_TUNNEL, .name = "four" },
};
static struct site_provider providers[] = { { .paths = paths, .n_paths = 3 },
					    { .paths = paths + 3, .n_paths = 2 } };
static const struct site site = { .providers = providers, .n_providers = 2 };

static bool say(struct tunnel_list *l, const char *name, const char *device, bool up)
{
	static struct tunnel_update u; /* large */

	u = (struct tunnel_update){ .type = TUNNEL_UPDATE_TUNNEL };
	u.tunnel.up = up;
	snprintf(u.tunnel.name, sizeof(u.tunnel.name), "%s", name);
	snprintf(u.tunnel.interface, sizeof(u.tunnel.interface), "%s", device);
	return tunnels_take(l, &u);
}

static bool say_kind(struct tunnel_list *l, enum tunnel_update_kind type, const char *name)
{
	static struct tunnel_update u;

	u = (struct tunnel_update){ .type = type };
	snprintf(u.tunnel.name, sizeof(u.tunnel.name), "%s", name);
	return tunnels_take(l, &u);
}

static void known(struct tunnel_list *l)
{
	*l = (struct tunnel_list){ 0 };
	tunnels_begin(l, &site);
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
	tunnels_begin(&l, &site);
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
	tunnels_begin(&l, &site);
	say(&l, "three", "tun9", true);
	tunnels_begin(&l, &site); /* connected anew */
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

/* On a head end: thousands come before the one that a provider names. */
static void test_of_thousands_what_the_site_names_is_kept(void **state)
{
	struct tunnel_list l = { 0 };
	char name[16];

	(void)state;
	tunnels_begin(&l, &site);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_false(say(&l, name, name, true));
	}
	assert_true(say(&l, "one", "tun7", true));
	assert_true(say_kind(&l, TUNNEL_UPDATE_COMPLETE, ""));
	assert_int_equal(l.n, 1);
	assert_string_equal(tunnels_find(&l, "one")->device, "tun7");
	/* and are no news when they change */
	assert_false(say(&l, "t7", "", false));
	assert_false(say_kind(&l, TUNNEL_UPDATE_GONE, "t7"));
	assert_true(say(&l, "one", "tun7", false));
	tunnels_fini(&l);
}

static void test_a_tunnel_that_is_named_later_is_asked_for(void **state)
{
	struct site smaller = site;
	struct tunnel_list l = { 0 };

	(void)state;
	smaller.n_providers = 1;
	assert_true(tunnels_lacks(&l, &smaller));
	tunnels_begin(&l, &smaller);
	assert_false(say(&l, "three", "tun9", true));
	say_kind(&l, TUNNEL_UPDATE_COMPLETE, "");
	assert_false(tunnels_lacks(&l, &smaller));
	assert_true(tunnels_lacks(&l, &site));
	tunnels_begin(&l, &site);
	assert_true(say(&l, "three", "tun9", true));
	say_kind(&l, TUNNEL_UPDATE_COMPLETE, "");
	assert_non_null(tunnels_find(&l, "three"));
	assert_false(tunnels_lacks(&l, &site));
	assert_false(tunnels_lacks(&l, &smaller));
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
	tunnels_begin(&l, &site);
	say_kind(&l, TUNNEL_UPDATE_COMPLETE, "");
	u.tunnel.n_local = 2;
	u.tunnel.local_ts[0] = (struct tunnel_selector){ .first = { 0xc0000200, IP_V4 },
							 .last = { 0xc00002ff, IP_V4 } };
	u.tunnel.local_ts[1] = (struct tunnel_selector){ .first = { 0, IP_V6 }, .last = { 1, IP_V6 } };
	tunnels_take(&l, &u);
	assert_true(addrset_contains(&l.items[0].sources, &inside));
	assert_false(addrset_contains(&l.items[0].sources, &outside));
	/* another snapshot, of which only the beginning comes */
	tunnels_begin(&l, &site);
	tunnels_take(&l, &u);
	tunnels_begin(&l, &site);
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
		cmocka_unit_test(test_of_thousands_what_the_site_names_is_kept),
		cmocka_unit_test(test_a_tunnel_that_is_named_later_is_asked_for),
		cmocka_unit_test(test_selectors_at_our_end_are_the_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
