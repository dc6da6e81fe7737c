/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One SA at each end: every suite, number space and length; and what a network
 * can do to a packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/esp/esp_sa.h"
#include "ipsec/ike/ike.h"
#include "ipsec/ike/ts.h"
#include "tests/unit/esp/packets.h"

static const struct suite {
	struct crypto_suite suite;
	size_t encr, integ;
} suites[] = {
	{ { ENCR_AES_GCM_16, 128, AUTH_NONE }, 20, 0 },
	{ { ENCR_AES_GCM_16, 256, AUTH_NONE }, 36, 0 },
	{ { ENCR_CHACHA20_POLY1305, 0, AUTH_NONE }, 36, 0 },
	{ { ENCR_AES_CBC, 128, AUTH_HMAC_SHA2_256_128 }, 16, 32 },
	{ { ENCR_AES_CBC, 256, AUTH_HMAC_SHA2_512_256 }, 32, 64 },
	{ { ENCR_NULL, 0, AUTH_HMAC_SHA2_256_128 }, 0, 32 },
};
#define N_SUITES (sizeof(suites) / sizeof(suites[0]))

static struct ike_ts_list ts_of(const char *text)
{
	struct ike_ts_list list = { .n = 1 };
	struct diag diag;

	assert_int_equal(ike_ts_parse(text, &list.list[0], &diag), 0);
	return list;
}

static struct esp_sa *make(const struct suite *suite, bool left, bool esn, const char *local, const char *remote)
{
	struct ike_child_keys keys[2] = { 0 };
	struct ike_ts_list local_ts = ts_of(local), remote_ts = ts_of(remote);
	struct esp_sa_conf conf = {
		.tunnel = 1,
		.spi_in = left ? 0x100 : 0x200,
		.spi_out = left ? 0x200 : 0x100,
		.suite = suite->suite,
		.in = &keys[left],
		.out = &keys[!left],
		.esn = esn,
		.local_ts = &local_ts,
		.remote_ts = &remote_ts,
	};

	for (unsigned int i = 0; i < 2; i++) {
		keys[i].encr.len = suite->encr;
		keys[i].integ.len = suite->integ;
		memset(keys[i].encr.bytes, (int)(17 + i), suite->encr);
		memset(keys[i].integ.bytes, (int)(70 + i), suite->integ);
	}
	return esp_sa_new(&conf);
}

struct pair {
	struct esp_sa *left, *right;
};

static struct pair make_pair(const struct suite *suite, bool esn)
{
	struct pair pair = { make(suite, true, esn, "192.0.2.0/24", "198.51.100.0/24"),
			     make(suite, false, esn, "198.51.100.0/24", "192.0.2.0/24") };

	assert_non_null(pair.left);
	assert_non_null(pair.right);
	return pair;
}

static void free_pair(struct pair *pair)
{
	esp_sa_free(pair->left);
	esp_sa_free(pair->right);
}

/* Seals len counted bytes. */
static size_t seal(struct esp_sa *sa, uint8_t *packet, size_t len)
{
	for (size_t i = 0; i < len; i++)
		packet[ESP_HEADER + sa->iv + i] = (uint8_t)(i * 7);
	return esp_sa_seal(sa, packet, len, ESP_NEXT_V4);
}

static void test_what_is_sealed_opens(void **state)
{
	uint8_t packet[2000];
	struct esp_plain plain;

	for (size_t s = 0; s < N_SUITES * 2; s++) {
		struct pair pair = make_pair(&suites[s / 2], s % 2);

		for (size_t len = 0; len < 300; len++) {
			size_t size = seal(pair.left, packet, len);

			assert_int_equal(size, esp_sa_length(pair.left, len));
			assert_true(size <= len + ESP_OVERHEAD_MAX);
			/* no TFC padding, which a peer may not support (RFC 7296 1.3.1) */
			assert_in_range(size - ESP_HEADER - pair.left->iv - len - ESP_TRAILER - pair.left->icv, 0,
					pair.left->align - 1u);
			assert_int_equal(size % 4, 0);
			assert_int_equal(packet[2], 0x02); /* SPI 0x200 */
			assert_int_equal(esp_sa_open(pair.right, packet, size, &plain), ESP_OK);
			assert_int_equal(plain.len, len);
			assert_int_equal(plain.next_header, ESP_NEXT_V4);
			assert_true(plain.newest);
			for (size_t i = 0; i < len; i++)
				assert_int_equal(plain.data[i], (uint8_t)(i * 7));
		}
		assert_int_equal(pair.left->out.packets, 300);
		assert_int_equal(pair.right->in.bytes, pair.left->out.bytes);
		free_pair(&pair);
	}
}

static void test_room_is_the_inverse_of_length(void **state)
{
	for (size_t s = 0; s < N_SUITES; s++) {
		struct pair pair = make_pair(&suites[s], false);

		for (size_t size = 0; size < 2000; size++) {
			size_t room = esp_sa_room(pair.left, size);

			if (room > 0) {
				assert_true(esp_sa_length(pair.left, room) <= size);
				assert_true(esp_sa_length(pair.left, room + 1) > size);
			} else {
				assert_true(size < 100);
			}
		}
		free_pair(&pair);
	}
}

static void test_a_flipped_bit_anywhere_is_seen_and_moves_nothing(void **state)
{
	uint8_t packet[300], copy[300];
	struct esp_plain plain;

	for (size_t s = 0; s < N_SUITES * 2; s++) {
		struct pair pair = make_pair(&suites[s / 2], s % 2);
		size_t size = seal(pair.left, packet, 61);

		for (size_t bit = 32; bit < size * 8; bit++) { /* the SPI chose the SA */
			enum esp_verdict verdict;

			memcpy(copy, packet, size);
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
			verdict = esp_sa_open(pair.right, copy, size, &plain);
			assert_true(verdict == ESP_BAD_ICV || verdict == ESP_REPLAYED);
			assert_true(pair.right->window.top == 0);
		}
		assert_int_equal(esp_sa_open(pair.right, packet, size, &plain), ESP_OK);
		free_pair(&pair);
	}
}

static void test_every_shorter_packet_is_refused(void **state)
{
	uint8_t packet[300];
	struct esp_plain plain;

	for (size_t s = 0; s < N_SUITES; s++) {
		struct pair pair = make_pair(&suites[s], false);
		size_t size = seal(pair.left, packet, 61);

		for (size_t len = 0; len < size; len++) {
			uint8_t *copy = malloc(len + 1);

			memcpy(copy, packet, len);
			assert_true(esp_sa_open(pair.right, copy, len, &plain) != ESP_OK);
			free(copy);
		}
		free_pair(&pair);
	}
}

static void test_a_replayed_packet_is_refused(void **state)
{
	uint8_t packets[8][300], copy[300];
	struct pair pair = make_pair(&suites[0], true);
	struct esp_plain plain;
	size_t size = 0;

	for (unsigned int i = 0; i < 8; i++)
		size = seal(pair.left, packets[i], 100);
	for (unsigned int i = 8; i-- > 0;) { /* the wrong way round is fine, once */
		memcpy(copy, packets[i], size);
		assert_int_equal(esp_sa_open(pair.right, copy, size, &plain), ESP_OK);
		assert_int_equal(plain.newest, i == 7);
		memcpy(copy, packets[i], size);
		assert_int_equal(esp_sa_open(pair.right, copy, size, &plain), ESP_REPLAYED);
	}
	free_pair(&pair);
}

static void test_extended_numbers_pass_the_half(void **state)
{
	uint8_t packet[300];
	struct esp_plain plain;

	for (size_t s = 0; s < N_SUITES; s++) {
		struct pair pair = make_pair(&suites[s], true);

		pair.left->seq = UINT32_MAX - 20;
		pair.right->window.top = UINT32_MAX - 20;
		for (unsigned int i = 0; i < 40; i++) {
			size_t size = seal(pair.left, packet, 64);

			assert_int_equal(esp_sa_open(pair.right, packet, size, &plain), ESP_OK);
		}
		assert_true(pair.right->window.top == UINT64_C(0xffffffff) + 20);
		free_pair(&pair);
	}
}

static void test_numbers_never_come_twice(void **state)
{
	uint8_t packet[300];
	struct pair pair = make_pair(&suites[0], false);

	pair.left->seq = UINT32_MAX - 1;
	assert_true(seal(pair.left, packet, 10) > 0);
	assert_int_equal(seal(pair.left, packet, 10), 0);
	assert_int_equal(seal(pair.left, packet, 10), 0);
	free_pair(&pair);
	pair = make_pair(&suites[0], true);
	pair.left->seq = UINT64_MAX;
	assert_int_equal(seal(pair.left, packet, 10), 0);
	free_pair(&pair);
}

static void test_a_soft_limit_is_told_once(void **state)
{
	uint8_t packet[300];
	struct pair pair = make_pair(&suites[0], false);

	assert_false(esp_sa_is_expiring(pair.left));
	pair.left->soft_packets = 3;
	for (unsigned int i = 0; i < 2; i++)
		seal(pair.left, packet, 10);
	assert_false(esp_sa_is_expiring(pair.left));
	seal(pair.left, packet, 10);
	assert_true(esp_sa_is_expiring(pair.left));
	assert_false(esp_sa_is_expiring(pair.left));
	free_pair(&pair);
	pair = make_pair(&suites[0], false);
	pair.right->soft_bytes = 50; /* and by what comes in */
	for (unsigned int i = 0; i < 5; i++) {
		struct esp_plain plain;
		size_t size = seal(pair.left, packet, 10);

		assert_false(esp_sa_is_expiring(pair.right));
		assert_int_equal(esp_sa_open(pair.right, packet, size, &plain), ESP_OK);
	}
	assert_true(esp_sa_is_expiring(pair.right));
	free_pair(&pair);
}

static void test_dummies_and_wrong_padding(void **state)
{
	uint8_t packet[300];
	struct pair pair = make_pair(&suites[5], false); /* in clear, so that it can be made */
	struct esp_plain plain;
	struct crypto_cipher *cipher;
	uint8_t key[32];
	size_t size = esp_sa_seal(pair.left, packet, 20, ESP_NEXT_DUMMY);

	assert_int_equal(esp_sa_open(pair.right, packet, size, &plain), ESP_DUMMY);

	/* authentic, and its tail says that 200 bytes of padding came before */
	memset(packet, 0, sizeof(packet));
	packet[2] = 2; /* SPI 0x200 */
	packet[7] = 9; /* sequence */
	packet[ESP_HEADER + 18] = 200;
	packet[ESP_HEADER + 19] = ESP_NEXT_V4;
	memset(key, 70, sizeof(key)); /* what the left sends with */
	cipher = crypto_cipher_new(&suites[5].suite, true, NULL, 0, key, sizeof(key));
	assert_non_null(cipher);
	assert_int_equal(crypto_seal(cipher, 0, packet, 8, NULL, packet + 8, packet + 8, 20, packet + 28), 0);
	crypto_cipher_free(cipher);
	assert_int_equal(esp_sa_open(pair.right, packet, 28 + 16, &plain), ESP_BAD_PAD);
	free_pair(&pair);
}

static bool selects(const struct esp_sa *sa, const struct packet_conf *conf, bool outbound)
{
	static uint8_t packet[PACKET_MAX];
	struct esp_inner in;
	size_t len = packet_make(conf, packet);

	assert_int_equal(esp_inner_read(packet, len, &in), 0);
	return esp_sa_selects(sa, &in, outbound);
}

static void test_selectors_of_both_directions(void **state)
{
	struct esp_sa *sa = make(&suites[0], true, false, "192.0.2.0/30", "198.51.100.8/32");
	struct packet_conf conf = { .proto = 17, .last_src = 3, .last_dst = 8, .payload = 9 };

	assert_true(selects(sa, &conf, true));
	assert_false(selects(sa, &conf, false));
	conf.last_src = 4;
	assert_false(selects(sa, &conf, true));
	conf.last_src = 3;
	conf.last_dst = 9;
	assert_false(selects(sa, &conf, true));
	conf.last_dst = 8;
	conf.v6 = true;
	assert_false(selects(sa, &conf, true));
	esp_sa_free(sa);
}

static void test_selectors_of_ports(void **state)
{
	struct esp_sa *sa = make(&suites[0], true, false, "192.0.2.0/24", "198.51.100.0/24 proto tcp port 80-90");
	struct packet_conf conf = { .proto = 6, .last_src = 3, .last_dst = 8, .dport = 80, .payload = 9 };

	assert_true(selects(sa, &conf, true));
	conf.dport = 91;
	assert_false(selects(sa, &conf, true));
	conf.dport = 85;
	conf.proto = 17;
	assert_false(selects(sa, &conf, true));
	esp_sa_free(sa);
}

static void test_unknown_suites_and_keys_of_wrong_length(void **state)
{
	struct suite bad = suites[0];

	bad.encr = 19;
	assert_null(make(&bad, true, false, "192.0.2.0/24", "198.51.100.0/24"));
	bad = suites[0];
	bad.suite.encr = 3; /* 3DES */
	assert_null(make(&bad, true, false, "192.0.2.0/24", "198.51.100.0/24"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_sealed_opens),
		cmocka_unit_test(test_room_is_the_inverse_of_length),
		cmocka_unit_test(test_a_flipped_bit_anywhere_is_seen_and_moves_nothing),
		cmocka_unit_test(test_every_shorter_packet_is_refused),
		cmocka_unit_test(test_a_replayed_packet_is_refused),
		cmocka_unit_test(test_extended_numbers_pass_the_half),
		cmocka_unit_test(test_numbers_never_come_twice),
		cmocka_unit_test(test_a_soft_limit_is_told_once),
		cmocka_unit_test(test_dummies_and_wrong_padding),
		cmocka_unit_test(test_selectors_of_both_directions),
		cmocka_unit_test(test_selectors_of_ports),
		cmocka_unit_test(test_unknown_suites_and_keys_of_wrong_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
