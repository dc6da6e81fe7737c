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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_restart_of_sav_iked_takes_no_tunnel_away),
		cmocka_unit_test(test_a_snapshot_that_breaks_off),
		cmocka_unit_test(test_changes_after_it),
		cmocka_unit_test(test_more_than_there_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
