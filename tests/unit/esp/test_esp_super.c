/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Cutting large packets and joining small ones: each piece is a right packet,
 * and what was cut joins to what it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_merge.h"
#include "ipsec/esp/esp_super.h"
#include "tests/unit/esp/packets.h"

#define PIECES 80
static uint8_t large[PACKET_MAX], pieces[PIECES][PACKET_MAX], expected[PACKET_MAX];

static struct virtio_net_hdr vnet_for(const struct packet_conf *conf, uint16_t size)
{
	struct virtio_net_hdr vnet = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_size = size,
		.csum_start = conf->v6 ? 40 : 20,
		.csum_offset = conf->proto == 6 ? 16 : 6,
	};

	vnet.gso_type = conf->proto == 17 ? VIRTIO_NET_HDR_GSO_UDP_L4 :
			conf->v6	    ? VIRTIO_NET_HDR_GSO_TCPV6 :
					      VIRTIO_NET_HDR_GSO_TCPV4;
	return vnet;
}

static const struct packet_conf flows[] = {
	{ .proto = 6, .last_src = 1, .last_dst = 2, .sport = 1000, .dport = 80, .id = 7, .df = true, .flags = 0x10, .seq = 5 },
	{ .proto = 6, .last_src = 1, .last_dst = 2, .sport = 1000, .dport = 80, .id = 65530, .flags = 0x10, .options = 12, .seq = UINT32_MAX - 4000 },
	{ .proto = 6, .v6 = true, .tos = 0xb8, .last_src = 1, .last_dst = 2, .sport = 1000, .dport = 80, .flags = 0x10, .options = 12 },
	{ .proto = 17, .last_src = 1, .last_dst = 2, .sport = 1000, .dport = 443, .id = 9 },
	{ .proto = 17, .v6 = true, .last_src = 1, .last_dst = 2, .sport = 1000, .dport = 443 },
};
#define N_FLOWS (sizeof(flows) / sizeof(flows[0]))

/* The packet that the sender would have sent as piece i of many. */
static size_t expect_piece(const struct packet_conf *flow, uint32_t i, uint16_t size, size_t total)
{
	struct packet_conf conf = *flow;
	size_t at = (size_t)i * size;

	conf.payload = total - at < size ? total - at : size;
	conf.seq = flow->seq + (uint32_t)at;
	conf.id = (uint16_t)(flow->id + i);
	return packet_make(&conf, expected);
}

static void test_each_piece_is_what_the_sender_would_have_sent(void **state)
{
	for (size_t f = 0; f < N_FLOWS; f++)
		for (size_t total = 1; total < 12000; total += 997) {
			struct packet_conf conf = flows[f];
			struct virtio_net_hdr vnet = vnet_for(&conf, 1300);
			struct esp_super s;

			conf.payload = total;
			assert_int_equal(esp_super_read(&vnet, large, packet_make(&conf, large), &s), 0);
			assert_int_equal(s.count, (total + 1299) / 1300);
			for (uint32_t i = 0; i < s.count; i++) {
				size_t len = expect_piece(&flows[f], i, 1300, total);

				assert_int_equal(esp_super_length(&s, i), len);
				assert_int_equal(esp_super_put(&s, i, pieces[0]), len);
				assert_true(packet_is_right(pieces[0], len));
				assert_memory_equal(pieces[0], expected, len);
			}
		}
}

static void test_flags_of_the_ends(void **state)
{
	struct packet_conf conf = flows[0];
	struct virtio_net_hdr vnet = vnet_for(&conf, 100);
	struct esp_super s;

	conf.flags = 0x10 | 0x01 | 0x08 | 0x80; /* ACK FIN PSH CWR */
	conf.payload = 300;
	vnet.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	assert_int_equal(esp_super_read(&vnet, large, packet_make(&conf, large), &s), 0);
	esp_super_put(&s, 0, pieces[0]);
	assert_int_equal(pieces[0][33], 0x90);
	esp_super_put(&s, 1, pieces[0]);
	assert_int_equal(pieces[0][33], 0x10);
	esp_super_put(&s, 2, pieces[0]);
	assert_int_equal(pieces[0][33], 0x19);
}

static void test_a_checksum_left_to_us_is_made(void **state)
{
	struct packet_conf conf = flows[3];
	struct virtio_net_hdr vnet = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 20, .csum_offset = 6 };
	struct esp_super s;
	uint32_t pseudo = 0xc000 + 0x0201 + 0xc633 + 0x6402 + 17 + 8 + 500;
	size_t len;

	conf.payload = 500;
	len = packet_make(&conf, large);
	while (pseudo >> 16)
		pseudo = (pseudo & 0xffff) + (pseudo >> 16);
	esp_put16(large + 26, (uint16_t)pseudo); /* as the kernel leaves it */
	assert_int_equal(esp_super_read(&vnet, large, len, &s), 0);
	assert_int_equal(esp_super_put(&s, 0, pieces[0]), len);
	assert_true(packet_is_right(pieces[0], len));
}

static void test_headers_that_lie_are_refused(void **state)
{
	struct packet_conf conf = flows[0];
	struct virtio_net_hdr good = vnet_for(&conf, 1300), vnet;
	struct esp_super s;
	size_t len;

	conf.payload = 5000;
	len = packet_make(&conf, large);
	assert_int_equal(esp_super_read(&good, large, len, &s), 0);
	vnet = good;
	vnet.gso_size = 0;
	assert_int_equal(esp_super_read(&vnet, large, len, &s), -1);
	vnet = good;
	vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	assert_int_equal(esp_super_read(&vnet, large, len, &s), -1);
	vnet.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	assert_int_equal(esp_super_read(&vnet, large, len, &s), -1);
	vnet.gso_type = 77;
	assert_int_equal(esp_super_read(&vnet, large, len, &s), -1);
	vnet = good;
	vnet.gso_size = 1; /* 5000 packets */
	assert_int_equal(esp_super_read(&vnet, large, len, &s), -1);
	vnet = good;
	vnet.csum_start = 65000;
	assert_int_equal(esp_super_read(&vnet, large, len, &s), -1);
	vnet.csum_start = 0; /* would overwrite the IP header */
	assert_int_equal(esp_super_read(&vnet, large, len, &s), -1);
	large[32] = 0x40; /* TCP header of 16 bytes */
	assert_int_equal(esp_super_read(&good, large, len, &s), -1);
	large[32] = 0xf0; /* of 60, that is there */
	assert_int_equal(esp_super_read(&good, large, len, &s), 0);
	esp_put16(large + 2, 60); /* and now it is not */
	assert_int_equal(esp_super_read(&good, large, len, &s), -1);
	for (size_t cut = 0; cut < 60; cut++) {
		uint8_t *copy = malloc(cut + 1);

		memcpy(copy, large, cut);
		assert_int_equal(esp_super_read(&good, copy, cut, &s), -1);
		free(copy);
	}
}

/* Cuts into pieces[], returns how many. */
static uint32_t cut(const struct packet_conf *flow, size_t total, uint16_t size, size_t lens[PIECES])
{
	struct packet_conf conf = *flow;
	struct virtio_net_hdr vnet = vnet_for(flow, size);
	struct esp_super s;

	conf.payload = total;
	assert_int_equal(esp_super_read(&vnet, large, packet_make(&conf, large), &s), 0);
	assert_true(s.count <= PIECES);
	for (uint32_t i = 0; i < s.count; i++)
		lens[i] = esp_super_put(&s, i, pieces[i]);
	return s.count;
}

static bool add(struct esp_merge *m, uint32_t tunnel, unsigned int piece, size_t len)
{
	struct esp_inner in;

	assert_int_equal(esp_inner_read(pieces[piece], len, &in), 0);
	return esp_merge_add(m, tunnel, pieces[piece], &in);
}

static size_t gather(const struct esp_frame *f, uint8_t *out)
{
	size_t len = 0;

	for (unsigned int i = 1; i < f->n_iov; i++) {
		memcpy(out + len, f->iov[i].iov_base, f->iov[i].iov_len);
		len += f->iov[i].iov_len;
	}
	return len;
}

static void test_what_was_cut_joins_again(void **state)
{
	struct esp_merge m;

	esp_merge_init(&m, PIECES, true);
	for (size_t f = 0; f < N_FLOWS; f++) {
		size_t lens[PIECES], total = 20000;
		uint32_t n = cut(&flows[f], total, 1300, lens);
		struct esp_super s;
		size_t len;

		esp_merge_reset(&m);
		for (uint32_t i = 0; i < n; i++)
			assert_true(add(&m, 1, i, lens[i]));
		esp_merge_finish(&m);
		assert_int_equal(m.n, 1);
		/* reads as one packet of the kernel, and cuts to the same pieces */
		len = gather(&m.frames[0], large);
		assert_int_equal(esp_super_read(&m.frames[0].vnet, large, len, &s), 0);
		assert_int_equal(s.count, n);
		for (uint32_t i = 0; i < n; i++) {
			size_t want = expect_piece(&flows[f], i, 1300, total);
			static uint8_t piece[PACKET_MAX];

			assert_int_equal(esp_super_put(&s, i, piece), want);
			assert_memory_equal(piece, expected, want);
		}
	}
	esp_merge_fini(&m);
}

static unsigned int frames_of(struct packet_conf first, struct packet_conf second)
{
	struct esp_merge m;
	size_t lens[2];
	unsigned int n;

	lens[0] = packet_make(&first, pieces[0]);
	lens[1] = packet_make(&second, pieces[1]);
	esp_merge_init(&m, 4, true);
	add(&m, 1, 0, lens[0]);
	add(&m, 1, 1, lens[1]);
	n = m.n;
	esp_merge_fini(&m);
	return n;
}

static void test_what_differs_is_not_joined(void **state)
{
	struct packet_conf a = flows[0], good, b;

	a.payload = 500;
	good = a;
	good.seq += 500;
	good.id++;
	assert_int_equal(frames_of(a, good), 1);
#define CHANGED(...)                                                                                                   \
	do {                                                                                                           \
		b = good;                                                                                              \
		__VA_ARGS__;                                                                                           \
		assert_int_equal(frames_of(a, b), 2);                                                                  \
	} while (0)
	CHANGED(b.seq++);
	CHANGED(b.seq--);
	CHANGED(b.sport++);
	CHANGED(b.dport++);
	CHANGED(b.last_src++);
	CHANGED(b.last_dst++);
	CHANGED(b.tos = 3);
	CHANGED(b.df = false);
	CHANGED(b.flags |= 0x01);
	CHANGED(b.flags |= 0x02);
	CHANGED(b.flags |= 0x20);
	CHANGED(b.options = 4);
	CHANGED(b.payload = 501);
	CHANGED(b.payload = 0);
	/* PSH ends a train, and none begins after it */
	b = good;
	b.flags |= 0x08;
	assert_int_equal(frames_of(a, b), 1);
	a.flags |= 0x08;
	assert_int_equal(frames_of(a, good), 2);
}

static void test_a_broken_checksum_stays_broken(void **state)
{
	struct packet_conf a = flows[0], b;
	struct esp_merge m;
	size_t len;

	a.payload = 500;
	b = a;
	b.seq += 500;
	len = packet_make(&a, pieces[0]);
	packet_make(&b, pieces[1]);
	pieces[1][100] ^= 1;
	esp_merge_init(&m, 4, true);
	add(&m, 1, 0, len);
	add(&m, 1, 1, len);
	esp_merge_finish(&m);
	assert_int_equal(m.n, 2);
	assert_int_equal(m.frames[0].vnet.flags, VIRTIO_NET_HDR_F_DATA_VALID);
	assert_int_equal(m.frames[1].vnet.flags, 0);
	assert_false(packet_is_right(pieces[1], len));
	esp_merge_fini(&m);
}

static void test_flows_side_by_side_keep_their_order(void **state)
{
	struct esp_merge m;
	size_t len = 0;
	struct packet_conf conf;

	esp_merge_init(&m, PIECES, true);
	for (unsigned int i = 0; i < 40; i++) {
		conf = flows[0];
		conf.last_src = (uint8_t)(i % 4);
		conf.seq = 100 * (i / 4);
		conf.payload = 100;
		len = packet_make(&conf, pieces[i]);
		assert_true(add(&m, i % 4, i, len));
	}
	assert_int_equal(m.n, 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(m.frames[i].tunnel, i);
		assert_int_equal(m.frames[i].payload, 1000);
	}
	esp_merge_fini(&m);
}

static void test_a_packet_between_stops_the_train(void **state)
{
	struct esp_merge m;
	size_t len = 0;

	esp_merge_init(&m, PIECES, true);
	for (unsigned int i = 0; i < 3; i++) {
		struct packet_conf conf = flows[0];

		conf.seq = i == 2 ? 100 : 0;
		conf.flags = i == 1 ? 0x11 : 0x10; /* a FIN comes between */
		conf.payload = 100;
		len = packet_make(&conf, pieces[i]);
		assert_true(add(&m, 1, i, len));
	}
	assert_int_equal(m.n, 3);
	esp_merge_fini(&m);
}

static void test_bounds(void **state)
{
	struct esp_merge m;
	struct packet_conf conf = flows[0];
	unsigned int i;

	esp_merge_init(&m, 2, true);
	conf.payload = 100;
	for (i = 0; i < PIECES; i++) { /* pieces of one frame, then the next frame */
		conf.seq = flows[0].seq + 100 * i;
		assert_true(add(&m, 1, i, packet_make(&conf, pieces[i])));
	}
	assert_int_equal(m.n, 2);
	assert_int_equal(m.frames[0].n_iov, 1 + ESP_MERGE_PIECES);
	conf.last_src = 99;
	assert_false(add(&m, 1, 0, packet_make(&conf, pieces[0])));
	esp_merge_reset(&m);
	conf.payload = 9000;
	for (i = 0; i < 8; i++) { /* never above 64 KiB */
		conf.seq = 9000 * i;
		conf.last_src = 1;
		add(&m, 1, i, packet_make(&conf, pieces[i]));
	}
	assert_int_equal(m.n, 2);
	assert_true(m.frames[0].headers + m.frames[0].payload <= 65535);
	esp_merge_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_piece_is_what_the_sender_would_have_sent),
		cmocka_unit_test(test_flags_of_the_ends),
		cmocka_unit_test(test_a_checksum_left_to_us_is_made),
		cmocka_unit_test(test_headers_that_lie_are_refused),
		cmocka_unit_test(test_what_was_cut_joins_again),
		cmocka_unit_test(test_what_differs_is_not_joined),
		cmocka_unit_test(test_a_broken_checksum_stays_broken),
		cmocka_unit_test(test_flows_side_by_side_keep_their_order),
		cmocka_unit_test(test_a_packet_between_stops_the_train),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
