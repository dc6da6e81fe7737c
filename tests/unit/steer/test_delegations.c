/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/steer/delegations.h"

static char dir[64], path[96];
static struct diag diag;

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

static bool change(struct delegations *d, const char *text, bool add)
{
	const struct ip_prefix p = prefix(text);

	return delegations_change(d, &p, add);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_delegations.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/delegations", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void what_was_delegated_is_kept(void **state)
{
	struct delegations d = { .n = 0 }, again;

	(void)state;
	assert_int_equal(delegations_load(&again, path, &diag), 0);
	assert_int_equal(again.n, 0);
	assert_true(change(&d, "2001:db8:1::/56", true));
	assert_false(change(&d, "2001:db8:1::/56", true));
	assert_true(change(&d, "2001:db8:2::/48", true));
	assert_int_equal(delegations_save(&d, path, &diag), 0);
	assert_int_equal(delegations_load(&again, path, &diag), 0);
	assert_int_equal(again.n, 2);
	assert_int_equal(ip_prefix_cmp(&again.list[1], &d.list[1]), 0);
	assert_true(change(&d, "2001:db8:1::/56", false));
	assert_false(change(&d, "2001:db8:1::/56", false));
	assert_true(change(&d, "2001:db8:2::/48", false));
	assert_int_equal(delegations_save(&d, path, &diag), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void there_is_a_most_and_it_is_read_back(void **state)
{
	struct delegations d = { .n = 0 }, again;
	char text[32];

	(void)state;
	for (int i = 0; i < DELEGATIONS_MAX + 3; i++) {
		snprintf(text, sizeof(text), "2001:db8:%x::/56", i + 1);
		assert_int_equal(change(&d, text, true), i < DELEGATIONS_MAX);
	}
	assert_false(change(&d, "2001:db8:ffff::/56", false));
	assert_int_equal(delegations_save(&d, path, &diag), 0);
	assert_int_equal(delegations_load(&again, path, &diag), 0);
	assert_int_equal(again.n, DELEGATIONS_MAX);
}

static void a_damaged_file_is_told_and_nothing_of_it_taken(void **state)
{
	static const char *const bad[] = {
		"",
		"opensav accept_ra 1\n",
		"opensav delegations 1\n2001:db8::/56\n2001:db8::1/56\n",
		"opensav delegations 1\n192.0.2.0/24\n",
		"opensav delegations 1\n2001:db8:1::/56\n2001:db8:1::/56\n",
		"opensav delegations 1\n2001:db8:1::/56",
		"opensav delegations 1\nx\n",
	};
	struct delegations d;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(bad[i]);
		d.n = 7;
		assert_int_equal(delegations_load(&d, path, &diag), -1);
		assert_int_equal(d.n, 0);
		assert_non_null(strstr(diag.text, path));
	}
}

/* A main table: sinks, and longer routes of parts. */
struct table {
	const char *sinks[4], *parts[4];
	unsigned int looks;
};

static enum delegation_seen look(void *ctx, const struct ip_addr *a, uint8_t len)
{
	struct table *t = ctx;
	enum delegation_seen seen = DELEGATION_OTHER;
	uint8_t longest = 0;

	t->looks++;
	for (size_t i = 0; i < 8; i++) {
		const char *text = i < 4 ? t->sinks[i] : t->parts[i - 4];
		struct ip_prefix p;

		if (!text)
			continue;
		p = prefix(text);
		if (p.len < longest || !ip_prefix_contains(&p, a->family, a->v))
			continue;
		longest = p.len;
		seen = i < 4 ? DELEGATION_SINK : p.len > len ? DELEGATION_PART : DELEGATION_OTHER;
	}
	return seen;
}

static const char *around(struct table *t, const char *subnet)
{
	static char text[IP_TEXT_SIZE];
	const struct ip_prefix p = prefix(subnet);
	struct ip_prefix out;

	return delegation_around(&p, look, t, &out) ? ip_prefix_format(&out, text) : "none";
}

static void a_delegation_is_found_around_its_subnet(void **state)
{
	struct table t = { .sinks = { "2001:db8:b012::/56" }, .parts = { "2001:db8:b012:1::/64", "::/0" } };

	(void)state;
	assert_string_equal(around(&t, "2001:db8:b012:1::/64"), "2001:db8:b012::/56");
	assert_true(t.looks <= 32);
	/* a quarter of it handed on, and the neighbour of the subnet */
	t.parts[2] = "2001:db8:b012::/58";
	t.parts[3] = "2001:db8:b012:ff::/64";
	assert_string_equal(around(&t, "2001:db8:b012:fe::/64"), "2001:db8:b012::/56");
	/* half of it: what lies beyond is as well another's */
	t.parts[2] = "2001:db8:b012::/57";
	assert_string_equal(around(&t, "2001:db8:b012:fe::/64"), "2001:db8:b012:80::/57");
	/* of lengths that are no multiple of four, or the subnet's own parent */
	t = (struct table){ .sinks = { "2001:db8:b012:10::/61", "2001:db8:a::/63" } };
	assert_string_equal(around(&t, "2001:db8:b012:13::/64"), "2001:db8:b012:10::/61");
	assert_string_equal(around(&t, "2001:db8:a::/64"), "2001:db8:a::/63");
}

static void where_nothing_is_unreachable_nothing_was_delegated(void **state)
{
	struct table t = { .parts = { "::/0", "2001:db8::/32", "2001:db8:1:1::/64" } };

	(void)state;
	assert_string_equal(around(&t, "2001:db8:1:1::/64"), "none");
	/* what makes the rest of the world unreachable is no delegation */
	t.sinks[0] = "2000::/3";
	t.parts[1] = NULL;
	assert_string_equal(around(&t, "2001:db8:1:1::/64"), "none");
	t.sinks[0] = "2001:db8::/32";
	assert_string_equal(around(&t, "2001:db8:1:1::/64"), "none");
	t.sinks[0] = "2001:db8::/33";
	assert_string_equal(around(&t, "2001:db8:1:1::/64"), "2001:db8::/33");
	assert_string_equal(around(&t, "2001:d00::/24"), "none");
}

static bool there(struct table *t, const char *text)
{
	const struct ip_prefix p = prefix(text);

	return delegation_is_there(&p, look, t);
}

static void one_that_went_in_half_is_not_there(void **state)
{
	struct table t = { .sinks = { "2001:db8:b012::/56", "2001:db8:b012:100::/56" },
			   .parts = { "::/0", "2001:db8:b012:fe::/64" } };

	(void)state;
	assert_string_equal(around(&t, "2001:db8:b012:1::/64"), "2001:db8:b012::/55");
	assert_true(there(&t, "2001:db8:b012::/55"));
	assert_true(there(&t, "2001:db8:b012::/56"));
	t.sinks[0] = NULL;
	assert_false(there(&t, "2001:db8:b012::/55"));
	assert_false(there(&t, "2001:db8:b012::/56"));
	assert_true(there(&t, "2001:db8:b012:100::/56"));
	t.sinks[0] = "2001:db8::1/128";
	assert_true(there(&t, "2001:db8::1/128"));
	assert_false(there(&t, "2001:db8::2/128"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_delegated_is_kept),
		CASE(there_is_a_most_and_it_is_read_back),
		CASE(a_damaged_file_is_told_and_nothing_of_it_taken),
		CASE(a_delegation_is_found_around_its_subnet),
		CASE(where_nothing_is_unreachable_nothing_was_delegated),
		CASE(one_that_went_in_half_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
