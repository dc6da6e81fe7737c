/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/store_test.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t secret1[32] = { 1 }, secret2[32] = { 2 };

static void test_token_works_once(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	char kind[16] = "";

	assert_int_equal(store_token_add(store, "r1", "router", secret1, 100, &diag), 0);
	test_close(store, &cfg);
	store = test_open(&cfg);
	assert_int_equal(store_token_consume(store, "r1", secret1, 99, kind, &diag), 0);
	assert_string_equal(kind, "router");
	assert_int_equal(store_token_consume(store, "r1", secret1, 99, kind, &diag), -1);
	assert_contains(diag.text, "used already");
	test_close(store, &cfg);
	store = test_open(&cfg);
	assert_int_equal(store_token_consume(store, "r1", secret1, 99, kind, &diag), -1);
	test_close(store, &cfg);
}

static void test_token_is_bound(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	char kind[16] = "";

	assert_int_equal(store_token_add(store, "r1", "router", secret1, 100, &diag), 0);
	assert_int_equal(store_token_consume(store, "r2", secret1, 50, kind, &diag), -1);
	assert_int_equal(store_token_consume(store, "r1", secret2, 50, kind, &diag), -1);
	assert_int_equal(store_token_consume(store, "", secret1, 50, kind, &diag), -1);
	assert_int_equal(store_token_consume(store, "r1", secret1, 100, kind, &diag), -1);
	assert_contains(diag.text, "expired");
	assert_string_equal(kind, "");
	/* none of these attempts used it up */
	assert_int_equal(store_token_consume(store, "r1", secret1, 50, kind, &diag), 0);
	test_close(store, &cfg);
}

static void test_new_token_voids_old(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	char kind[16] = "";

	assert_int_equal(store_token_add(store, "r1", "router", secret1, 100, &diag), 0);
	assert_int_equal(store_token_add(store, "r1", "edge", secret2, 100, &diag), 0);
	assert_int_equal(store_token_consume(store, "r1", secret1, 50, kind, &diag), -1);
	assert_int_equal(store_token_consume(store, "r1", secret2, 50, kind, &diag), 0);
	assert_string_equal(kind, "edge");
	test_close(store, &cfg);
}

static void test_certificate_states(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	int n = -1;

	assert_int_equal(store_certificate_state(store, "r1", "0a"), STORE_CERT_UNKNOWN);
	assert_int_equal(store_certificate_add(store, "r1", "router", "0a", 1, 9, &diag),
			 0);
	assert_int_equal(store_certificate_add(store, "r1", "router", "0b", 2, 9, &diag),
			 0);
	assert_int_equal(store_certificate_add(store, "r2", "router", "0c", 2, 9, &diag),
			 0);
	assert_int_equal(store_certificate_state(store, "r1", "0a"), STORE_CERT_VALID);
	assert_int_equal(store_certificate_state(store, "r2", "0a"), STORE_CERT_UNKNOWN);
	assert_int_equal(store_certificate_state(store, "r1", "0A"), STORE_CERT_UNKNOWN);
	assert_int_equal(store_agent_revoke(store, "r1", 5, &n, &diag), 0);
	assert_int_equal(n, 2);
	test_close(store, &cfg);
	store = test_open(&cfg);
	assert_int_equal(store_certificate_state(store, "r1", "0a"), STORE_CERT_REVOKED);
	assert_int_equal(store_certificate_state(store, "r1", "0b"), STORE_CERT_REVOKED);
	assert_int_equal(store_certificate_state(store, "r2", "0c"), STORE_CERT_VALID);
	assert_int_equal(store_agent_revoke(store, "r1", 6, &n, &diag), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_agent_revoke(store, "nobody", 6, &n, &diag), 0);
	assert_int_equal(n, 0);
	/* enrolled again after that */
	assert_int_equal(store_certificate_add(store, "r1", "router", "0d", 7, 9, &diag),
			 0);
	assert_int_equal(store_certificate_state(store, "r1", "0d"), STORE_CERT_VALID);
	assert_int_equal(store_certificate_state(store, "r1", "0b"), STORE_CERT_REVOKED);
	test_close(store, &cfg);
}

static void test_serials(void **state)
{
	char longest[65];
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);

	memset(longest, 'f', sizeof(longest));
	longest[64] = '\0';
	assert_int_equal(store_certificate_add(store, "a", "edge", longest, 1, 9, &diag),
			 -1);
	longest[63] = '\0';
	assert_int_equal(store_certificate_add(store, "a", "edge", longest, 1, 9, &diag),
			 0);
	assert_int_equal(store_certificate_add(store, "b", "edge", longest, 1, 9, &diag),
			 -1);
	assert_contains(diag.text, "UNIQUE");
	assert_int_equal(store_certificate_add(store, "b", "edge", "", 1, 9, &diag), -1);
	assert_int_equal(store_certificate_add(store, "b", "edge", "0x1", 1, 9, &diag),
			 -1);
	assert_int_equal(store_certificate_state(store, "a", longest), STORE_CERT_VALID);
	test_close(store, &cfg);
}

static void test_expired_ones_go_at_renewal(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);

	assert_int_equal(store_certificate_add(store, "a", "edge", "01", 1, 9, &diag), 0);
	assert_int_equal(store_certificate_add(store, "b", "edge", "02", 1, 9, &diag), 0);
	assert_int_equal(store_certificate_add(store, "a", "edge", "03", 9, 20, &diag),
			 0);
	assert_int_equal(store_certificate_state(store, "a", "01"), STORE_CERT_VALID);
	assert_int_equal(store_certificate_add(store, "a", "edge", "04", 10, 30, &diag),
			 0);
	assert_int_equal(store_certificate_state(store, "a", "01"), STORE_CERT_UNKNOWN);
	assert_int_equal(store_certificate_state(store, "a", "03"), STORE_CERT_VALID);
	assert_int_equal(store_certificate_state(store, "b", "02"), STORE_CERT_VALID);
	test_close(store, &cfg);
}

static void test_revocation_voids_token(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	char kind[16];
	int n;

	assert_int_equal(store_token_add(store, "r1", "router", secret1, 100, &diag), 0);
	assert_int_equal(store_agent_revoke(store, "r1", 5, &n, &diag), 0);
	assert_int_equal(store_token_consume(store, "r1", secret1, 50, kind, &diag), -1);
	test_close(store, &cfg);
}

static void test_walk_shows_newest(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);
	char *text;
	int n;

	assert_int_equal(store_certificate_add(store, "z", "edge", "01", 1, 9, &diag), 0);
	assert_int_equal(store_certificate_add(store, "a", "router", "02", 5, 9, &diag),
			 0);
	assert_int_equal(store_certificate_add(store, "a", "router", "03", 5, 9, &diag),
			 0);
	assert_int_equal(store_certificate_add(store, "a", "router", "04", 4, 9, &diag),
			 0);
	assert_int_equal(store_agent_revoke(store, "z", 5, &n, &diag), 0);
	text = test_store_text(store);
	assert_string_equal(text, "certificate a router 03 5 9\n"
				  "certificate z edge 01 1 9 revoked\n");
	free(text);
	test_close(store, &cfg);
}

static void test_damaged_certificate_is_named(void **state)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = test_open(&cfg);

	assert_int_equal(store_certificate_add(store, "a", "edge", "01", 1, 9, &diag), 0);
	test_sql(test_path, "UPDATE certificate SET kind = printf('%.99c', 'x')");
	assert_int_equal(store_agents_walk(store, NULL, NULL, &diag), -1);
	assert_contains(diag.text, "row a");
	test_close(store, &cfg);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)
	const struct CMUnitTest tests[] = {
		T(test_token_works_once),
		T(test_token_is_bound),
		T(test_new_token_voids_old),
		T(test_certificate_states),
		T(test_serials),
		T(test_expired_ones_go_at_renewal),
		T(test_revocation_voids_token),
		T(test_walk_shows_newest),
		T(test_damaged_certificate_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
