/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/esp/esp_table.h"
#include "ipsec/ike/ike.h"
#include "ipsec/ike/ts.h"
#include "tests/unit/esp/packets.h"

static struct esp_sa *make(uint32_t tunnel, uint32_t spi, const char *remote)
{
	static const struct ike_child_keys keys = { .encr = { .len = 20 } };
	struct ike_ts_list local_ts = { .n = 1 }, remote_ts = { .n = 1 };
	struct diag diag;
	struct esp_sa_conf conf = {
		.tunnel = tunnel,
		.spi_in = spi,
		.spi_out = spi,
		.suite = { ENCR_AES_GCM_16, 128, AUTH_NONE },
		.in = &keys,
		.out = &keys,
		.local_ts = &local_ts,
		.remote_ts = &remote_ts,
	};

	assert_int_equal(ike_ts_parse("0.0.0.0/0", &local_ts.list[0], &diag), 0);
	assert_int_equal(ike_ts_parse(remote, &remote_ts.list[0], &diag), 0);
	return esp_sa_new(&conf);
}

static uint32_t chosen(struct esp_table *t, uint32_t tunnel, const char *dst)
{
	struct esp_inner in = { .family = IP_V4, .proto = 17, .has_ports = true };
	struct esp_sa *sa;

	assert_true(ip_addr_parse(dst, &in.dst));
	assert_true(ip_addr_parse("192.0.2.1", &in.src));
	sa = esp_table_choose(t, tunnel, &in, 0);
	return sa ? sa->spi_in : 0;
}

static struct esp_sa *put(struct esp_table *t, uint32_t tunnel, uint32_t spi, const char *remote)
{
	struct esp_sa *sa = make(tunnel, spi, remote);

	assert_int_equal(esp_table_add(t, sa), 0);
	return sa;
}

static void test_an_spi_is_there_once(void **state)
{
	struct esp_table *t = esp_table_new(1);
	struct esp_sa *again = make(1, 300, "0.0.0.0/0");

	put(t, 1, 300, "0.0.0.0/0");
	assert_int_equal(esp_table_add(t, again), -1);
	esp_sa_free(again);
	assert_null(esp_table_by_spi(t, 301));
	assert_int_equal(esp_table_del(t, 300), 0);
	assert_int_equal(esp_table_del(t, 300), -1);
	esp_table_free(t);
}

static void test_sends_only_when_told(void **state)
{
	struct esp_table *t = esp_table_new(1);
	struct esp_sa *sa = put(t, 1, 300, "198.51.100.0/24");

	assert_int_equal(chosen(t, 1, "198.51.100.1"), 0);
	esp_table_use(t, sa);
	esp_table_use(t, sa);
	assert_int_equal(chosen(t, 1, "198.51.100.1"), 300);
	assert_int_equal(chosen(t, 2, "198.51.100.1"), 0);
	assert_int_equal(chosen(t, 1, "198.51.101.1"), 0);
	esp_table_free(t);
}

static void test_the_newest_sends_and_the_old_takes_over_again(void **state)
{
	struct esp_table *t = esp_table_new(1);

	esp_table_use(t, put(t, 1, 300, "0.0.0.0/0"));
	esp_table_use(t, put(t, 1, 400, "0.0.0.0/0"));
	assert_int_equal(chosen(t, 1, "198.51.100.1"), 400);
	assert_int_equal(esp_table_del(t, 400), 0);
	assert_int_equal(chosen(t, 1, "198.51.100.1"), 300);
	assert_int_equal(esp_table_del(t, 300), 0);
	assert_int_equal(chosen(t, 1, "198.51.100.1"), 0);
	assert_int_equal(esp_table_count(t), 0);
	esp_table_free(t);
}

static void test_the_longest_prefix_decides(void **state)
{
	struct esp_table *t = esp_table_new(1);

	esp_table_use(t, put(t, 1, 300, "198.51.100.0/25"));
	esp_table_use(t, put(t, 1, 301, "198.51.100.0/24"));
	esp_table_use(t, put(t, 1, 302, "0.0.0.0/0"));
	assert_int_equal(chosen(t, 1, "198.51.100.1"), 300);
	assert_int_equal(chosen(t, 1, "198.51.100.129"), 301);
	assert_int_equal(chosen(t, 1, "203.0.113.1"), 302);
	esp_table_free(t);
}

/* A longer one that does not carry the packet lets a shorter one. */
static void test_ports_send_on_to_the_next(void **state)
{
	struct esp_table *t = esp_table_new(1);

	esp_table_use(t, put(t, 1, 300, "198.51.100.1/32 proto tcp"));
	esp_table_use(t, put(t, 1, 301, "198.51.100.0/24"));
	assert_int_equal(chosen(t, 1, "198.51.100.1"), 301);
	esp_table_free(t);
}

/* Two peers have the same private network: what is routed to a device goes to its peer. */
static void test_equal_networks_behind_two_devices_are_kept_apart(void **state)
{
	struct esp_table *t = esp_table_new(1);

	esp_table_use(t, put(t, 1, 300, "192.168.1.0/24"));
	esp_table_use(t, put(t, 2, 301, "192.168.1.0/24"));
	assert_int_equal(chosen(t, 1, "192.168.1.11"), 300);
	assert_int_equal(chosen(t, 2, "192.168.1.11"), 301);
	assert_int_equal(esp_table_del(t, 301), 0);
	assert_int_equal(chosen(t, 1, "192.168.1.11"), 300);
	assert_int_equal(chosen(t, 2, "192.168.1.11"), 0);
	esp_table_free(t);
}

static void test_ten_thousand_behind_one_device(void **state)
{
	struct esp_table *t = esp_table_new(1);
	char text[40];

	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u/32", i >> 16, i >> 8 & 255, i & 255);
		esp_table_use(t, put(t, 7, 1000 + i, text));
	}
	assert_int_equal(esp_table_count(t), 10000);
	/* one for the rest, the newest of all: it gets what nobody has for himself */
	esp_table_use(t, put(t, 7, 999, "10.0.0.0/8"));
	assert_int_equal(chosen(t, 7, "10.200.0.1"), 999);
	for (uint32_t i = 0; i < 10000; i += 7) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		assert_int_equal(chosen(t, 7, text), 1000 + i);
		assert_int_equal(esp_table_by_spi(t, 1000 + i)->spi_in, 1000 + i);
	}
	for (uint32_t i = 0; i < 10000; i += 2)
		assert_int_equal(esp_table_del(t, 1000 + i), 0);
	for (uint32_t i = 0; i < 10000; i += 7) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		assert_int_equal(chosen(t, 7, text), i % 2 ? 1000 + i : 999);
	}
	esp_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_spi_is_there_once),
		cmocka_unit_test(test_sends_only_when_told),
		cmocka_unit_test(test_the_newest_sends_and_the_old_takes_over_again),
		cmocka_unit_test(test_the_longest_prefix_decides),
		cmocka_unit_test(test_ports_send_on_to_the_next),
		cmocka_unit_test(test_equal_networks_behind_two_devices_are_kept_apart),
		cmocka_unit_test(test_ten_thousand_behind_one_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
