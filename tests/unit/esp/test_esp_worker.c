/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A worker between a device (a pair of sockets that keep packets apart) and UDP
 * sockets on the loopback interface: what happens to packets that lie, that are
 * too long, that nobody takes, and when the kernel lacks or takes away something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"
#include "ipsec/esp/esp_counters.h"
#include "ipsec/ike/ike.h"
#include "ipsec/ike/ts.h"
#include "tests/unit/esp/ends.h"

static void test_a_packet_goes_through(void **state)
{
	expect_small();
	assert_int_equal(counters(RIGHT).verdicts[ESP_OK], 1);
	assert_int_equal(ends[LEFT].room, 1438); /* 1500 - 20 - 8 - 8 - 8 - 16 and the trailer, in fours */
}

static void test_frames_that_lie_are_counted_and_nothing_leaves(void **state)
{
	static const struct virtio_net_hdr lies[] = {
		{ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 0 },
		{ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1 }, /* 64,000 packets */
		{ .gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 1400 },
		{ .gso_type = VIRTIO_NET_HDR_GSO_UDP_L4, .gso_size = 1400 },
		{ .gso_type = 77, .gso_size = 1400 },
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 16 },
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 20, .csum_offset = 65535 },
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 2, .csum_offset = 16 },
	};
	const struct packet_conf conf = { .proto = 6, .last_src = 1, .last_dst = 2, .df = true, .flags = 0x10, .payload = 65000 };
	size_t n = sizeof(lies) / sizeof(lies[0]), len = packet_make(&conf, packet);

	for (size_t i = 0; i < n; i++)
		put_frame(&lies[i], packet, len);
	assert_int_equal(counters(LEFT).bad_super, n);
	/* an IP length beyond the frame, a header length beyond everything */
	esp_put16(packet + 2, 65535);
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, len);
	packet_make(&conf, packet);
	packet[20 + 12] = 0xf0;
	put_frame(&(struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1400, .hdr_len = 65535 }, packet, 40);
	assert_int_equal(counters(LEFT).bad_super, n + 2);
	assert_int_equal(counters(LEFT).out, 0);
	expect_small();
}

static void test_a_lying_header_length_is_only_a_hint(void **state)
{
	const struct packet_conf conf = { .proto = 6, .last_src = 1, .last_dst = 2, .df = true, .flags = 0x10, .payload = 60000 };
	size_t len = packet_make(&conf, packet), total = 0, n;

	put_frame(&(struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					    .gso_size = 1300,
					    .hdr_len = 65535,
					    .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					    .csum_start = 20,
					    .csum_offset = 16 },
		  packet, len);
	assert_int_equal(counters(LEFT).out, 47);
	arrive();
	while ((n = got(RIGHT, back)) > 0)
		total += n - 40;
	assert_int_equal(total, 60000);
}

static void test_too_long_with_df_is_told_to_the_source(void **state)
{
	struct packet_conf conf = small;
	struct esp_inner in;

	conf.payload = 1438;
	conf.df = true;
	leave(&conf);
	assert_int_equal(counters(LEFT).too_big, 1);
	assert_int_equal(counters(LEFT).out, 0);
	assert_int_equal(esp_inner_read(back, got(LEFT, back), &in), 0);
	assert_int_equal(in.proto, 1);
	assert_int_equal(in.dst.v, 0xc0000201);
	assert_int_equal(esp_get16(back + 26), 1438);
	conf.payload = 1438 - 28; /* exactly */
	leave(&conf);
	arrive();
	assert_int_equal(got(RIGHT, back), 1438);
}

static void test_too_long_without_df_is_cut(void **state)
{
	struct packet_conf conf = small;
	size_t total = 0, n;

	conf.payload = 4000;
	leave(&conf);
	arrive();
	while ((n = got(RIGHT, back)) > 0) {
		assert_true(n <= 1438);
		total += n - 20;
	}
	assert_int_equal(total, 4008);
	assert_int_equal(counters(LEFT).cut, 1);
}

static void test_messages_to_sources_are_few(void **state)
{
	struct packet_conf conf = small;
	unsigned int told = 0;

	conf.payload = 2000;
	conf.df = true;
	for (unsigned int i = 0; i < 1500; i++) {
		leave(&conf);
		told += got(LEFT, back) > 0;
	}
	assert_int_equal(told, now_ms);
	assert_int_equal(counters(LEFT).too_big, 1500);
}

static void test_an_mtu_that_shrinks_to_576(void **state)
{
	struct esp_sa *sa = esp_table_by_spi(ends[LEFT].worker->table, 0x1000);
	struct packet_conf conf = small;
	size_t n;

	expect_small();
	sa->pmtu = 576;
	sa->pmtu_until_ms = UINT64_MAX;
	esp_worker_fit(ends[LEFT].worker, sa, sock_of(LEFT));
	assert_int_equal(sa->room, 514);
	/* IPv4 may not be cut: told; IPv6 has a right to 1280 bytes */
	conf.payload = 600;
	conf.df = true;
	leave(&conf);
	assert_true(got(LEFT, back) > 0);
	assert_int_equal(esp_get16(back + 26), 514);
	conf.v6 = true;
	leave(&conf);
	arrive();
	assert_int_equal(got(RIGHT, back), 648);
	conf.payload = 1300;
	leave(&conf);
	n = got(LEFT, back);
	assert_true(n > 0);
	assert_int_equal(esp_get32(back + 44), 1280);
	/* what ICMP told is forgotten in time */
	sa->pmtu_until_ms = 500;
	conf = small;
	conf.df = true;
	conf.payload = 1400;
	leave(&conf);
	arrive();
	assert_int_equal(got(RIGHT, back), 1428);
}

/* ---- what strangers send */

static void stranger(const uint8_t *data, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(ends[RIGHT].at.port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)len);
	close(fd);
	arrive();
}

static size_t intercept(uint8_t *out, size_t size)
{
	return take(&small, out, size);
}

static void test_replays_truncations_and_strangers_are_counted(void **state)
{
	static uint8_t good[2000], bad[2000];
	size_t len = intercept(good, sizeof(good));
	const struct esp_sa *sa = esp_table_by_spi(ends[RIGHT].worker->table, 0x1001);
	struct esp_worker_counters c;

	stranger(good, len);
	assert_int_equal(counters(RIGHT).verdicts[ESP_OK], 1);
	assert_int_equal(ends[RIGHT].moved, 1); /* authentic, from elsewhere */
	stranger(good, len);
	assert_int_equal(counters(RIGHT).verdicts[ESP_REPLAYED], 1);
	for (size_t cut = 9; cut < len; cut += 7) {
		size_t n = intercept(bad, sizeof(bad));

		assert_int_equal(n, len);
		stranger(bad, cut);
	}
	len = intercept(bad, sizeof(bad));
	bad[len - 1] ^= 1;
	stranger(bad, len);
	bad[0] ^= 0x40; /* a foreign SPI */
	stranger(bad, len);
	stranger((const uint8_t *)"\0\0\0\0\0\0\0\0", 8);
	stranger((const uint8_t *)"\xff", 1);
	c = counters(RIGHT);
	assert_int_equal(c.verdicts[ESP_OK], 1);
	/* and of this SA, but for the strangers */
	assert_int_equal(sa->in.packets, 1);
	assert_int_equal(sa->in.bytes, 128);
	assert_int_equal(sa->drops.verdicts[ESP_REPLAYED], 1);
	assert_int_equal(sa->drops.verdicts[ESP_SHORT], c.verdicts[ESP_SHORT]);
	assert_int_equal(sa->drops.verdicts[ESP_BAD_ICV], c.verdicts[ESP_BAD_ICV]);
	assert_int_equal(sa->dropped_ms, now_ms);
	assert_true(c.verdicts[ESP_SHORT] > 0);
	assert_true(c.verdicts[ESP_BAD_ICV] > 0);
	assert_int_equal(c.unknown_spi, 1);
	assert_int_equal(c.stray, 1);
	assert_int_equal(c.keepalives, 1);
	assert_int_equal(ends[RIGHT].moved, 1);
	assert_true(got(RIGHT, back) > 0);
	assert_int_equal(got(RIGHT, back), 0);
}

/* Whoever can copy the peer's packets lets them come from many places. */
static void test_a_peer_that_moves_all_the_time_is_told_of_now_and_then(void **state)
{
	static uint8_t good[2000];

	for (unsigned int i = 0; i < 20; i++)
		stranger(good, intercept(good, sizeof(good)));
	assert_int_equal(ends[RIGHT].moved, 1);
	now_ms += 199;
	stranger(good, intercept(good, sizeof(good)));
	assert_int_equal(ends[RIGHT].moved, 1);
	now_ms++;
	stranger(good, intercept(good, sizeof(good)));
	assert_int_equal(ends[RIGHT].moved, 2);
	assert_int_equal(counters(RIGHT).verdicts[ESP_OK], 22);
}

/* Padding of traffic (RFC 4303 2.6, 2.7): dummies say that the peer is there, and
 * where; what follows a packet inside is not a part of it. */
static void test_dummies_and_padding_of_a_peer_that_hides_its_traffic(void **state)
{
	struct esp_sa *left = esp_table_by_spi(ends[LEFT].worker->table, 0x1000),
		      *right = esp_table_by_spi(ends[RIGHT].worker->table, 0x1001);
	static uint8_t esp[2 * PACKET_MAX];
	size_t len;

	memset(esp + 16, 0x5a, 900);
	len = esp_sa_seal(left, esp, 900, ESP_NEXT_DUMMY);
	assert_true(len > 0);
	now_ms += 500;
	stranger(esp, len);
	assert_int_equal(got(RIGHT, back), 0);
	assert_int_equal(right->heard_ms, now_ms);
	assert_int_equal(ends[RIGHT].moved, 1);
	memset(esp + 16, 0x5a, 900);
	packet_make(&small, esp + 16);
	len = esp_sa_seal(left, esp, 900, ESP_NEXT_V4);
	stranger(esp, len);
	assert_int_equal(got(RIGHT, back), 128);
	assert_true(packet_is_right(back, 128));
}

static void test_a_source_that_the_sa_does_not_carry(void **state)
{
	struct packet_conf conf = small;
	struct esp_sa *sa = esp_table_by_spi(ends[RIGHT].worker->table, 0x1001);

	sa->remote_ts.list[0].first.v += 64; /* less than the other end believes */
	leave(&conf);
	arrive();
	assert_int_equal(got(RIGHT, back), 0);
	assert_int_equal(counters(RIGHT).verdicts[ESP_BAD_SELECTOR], 1);
}

/* ---- rekeying */

static void test_the_new_sa_receives_before_it_sends_and_nothing_is_lost(void **state)
{
	expect_small();
	add_sa(RIGHT, 1, false, false);
	add_sa(LEFT, 1, false, false);
	expect_small();
	assert_int_equal(esp_table_by_spi(ends[LEFT].worker->table, 0x1000)->seq, 2);
	esp_worker_use(ends[LEFT].worker, 0x1010);
	expect_small();
	assert_int_equal(esp_table_by_spi(ends[LEFT].worker->table, 0x1010)->seq, 1);
	/* back to the one before, and then forth */
	esp_worker_unuse(ends[LEFT].worker, 0x1010);
	expect_small();
	assert_int_equal(esp_table_by_spi(ends[LEFT].worker->table, 0x1000)->seq, 3);
	esp_worker_use(ends[LEFT].worker, 0x1010);
	esp_worker_del(ends[LEFT].worker, 0x1000);
	esp_worker_del(ends[RIGHT].worker, 0x1001);
	expect_small();
}

/* ---- an IKE process that is no more */

#define BEGAN_ANEW_MS 5000

/* A client of left's tunnel for all comers: that one address. */
static void add_client(uint8_t last, uint32_t spi, bool sending)
{
	struct ike_child_keys keys = { .encr = { .len = 20 } };
	struct ike_ts_list local = net("192.0.2.0", 24, "2001:db8:1::"), remote = net("198.51.100.0", 32, "2001:db8:2::");
	struct esp_sa_conf conf = {
		.tunnel = ends[LEFT].device,
		.owner = 2,
		.spi_in = spi,
		.spi_out = spi,
		.suite = { ENCR_AES_GCM_16, 128, AUTH_NONE },
		.in = &keys,
		.out = &keys,
		.local_ts = &local,
		.remote_ts = &remote,
		.path = { .link = 1, .local = ends[LEFT].at, .remote = ends[RIGHT].at, .encap = true },
	};

	remote.n = 1;
	remote.list[0].first.v += last;
	remote.list[0].last.v += last;
	assert_int_equal(esp_worker_add(ends[LEFT].worker, &conf, sending), 0);
}

static bool is_there(uint32_t spi)
{
	return esp_table_by_spi(ends[LEFT].worker->table, spi) != NULL;
}

static bool is_sending(uint32_t spi)
{
	return esp_table_by_spi(ends[LEFT].worker->table, spi)->sending;
}

static void test_a_client_that_comes_back_replaces_its_own_sa_only(void **state)
{
	for (uint8_t client = 1; client <= 3; client++)
		add_client(client, 0x5000u + client, true);
	esp_worker_orphan(ends[LEFT].worker, BEGAN_ANEW_MS);
	add_client(2, 0x6002, false);
	assert_true(is_there(0x5002)); /* until the new one sends */
	assert_true(is_sending(0x5002));
	esp_worker_use(ends[LEFT].worker, 0x6002);
	/* what is on the way still comes in */
	assert_true(is_there(0x5002));
	assert_false(is_sending(0x5002));
	assert_true(is_sending(0x6002) && is_sending(0x5001) && is_sending(0x5003) && is_sending(0x1000));
	for (unsigned int look = 0; look < ESP_LATE_LOOKS; look++)
		esp_worker_orphans_end(ends[LEFT].worker, 0);
	assert_true(is_there(0x5002));
	esp_worker_orphans_end(ends[LEFT].worker, 0);
	assert_false(is_there(0x5002));
	assert_true(is_there(0x5001));
	assert_true(is_there(0x5003));
	assert_true(is_there(0x1000)); /* another tunnel's */
	assert_true(is_there(0x6002));
}

static void test_what_nobody_succeeds_ends(void **state)
{
	add_client(1, 0x5001, true);
	esp_worker_orphan(ends[LEFT].worker, BEGAN_ANEW_MS);
	add_client(2, 0x5002, true);
	/* again: what has waited does not wait longer for that */
	esp_worker_orphan(ends[LEFT].worker, BEGAN_ANEW_MS + 1000);
	add_client(3, 0x5003, true);
	esp_worker_orphans_end(ends[LEFT].worker, BEGAN_ANEW_MS - 1);
	assert_true(is_there(0x5001));
	esp_worker_orphans_end(ends[LEFT].worker, BEGAN_ANEW_MS);
	assert_false(is_there(0x5001));
	assert_true(is_there(0x5002));
	esp_worker_orphans_end(ends[LEFT].worker, UINT64_MAX);
	assert_false(is_there(0x5002));
	assert_true(is_there(0x5003));
	assert_int_equal(ends[LEFT].worker->n_orphans, 0);
}

static void test_a_soft_limit_is_told_once_and_numbers_end(void **state)
{
	struct esp_sa *sa = esp_table_by_spi(ends[LEFT].worker->table, 0x1000);

	sa->soft_packets = 2;
	expect_small();
	assert_int_equal(ends[LEFT].expiring, 0);
	expect_small();
	expect_small();
	assert_int_equal(ends[LEFT].expiring, 1);
	sa->seq = UINT32_MAX - 1;
	leave(&small);
	assert_int_equal(counters(LEFT).exhausted, 0);
	leave(&small);
	assert_int_equal(counters(LEFT).exhausted, 1);
	assert_int_equal(sa->seq, UINT32_MAX);
}

/* Two tunnels that are down: whoever sends to them by turns is no work for others. */
static void test_packets_that_want_out_are_told_now_and_then(void **state)
{
	struct virtio_net_hdr vnet = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	esp_worker_device(ends[LEFT].worker, ends[LEFT].device + 1, pair[0]);
	esp_worker_del(ends[LEFT].worker, 0x1000);
	for (unsigned int i = 0; i < 50; i++) {
		leave(&small);
		assert_true(send(pair[1], frame, sizeof(vnet) + packet_make(&small, packet), 0) > 0);
		esp_worker_ready(ends[LEFT].worker, pair[0], now_ms);
	}
	assert_int_equal(counters(LEFT).no_sa, 100);
	assert_int_equal(ends[LEFT].wanted, 2);
	now_ms += ESP_WANTED_EVERY_MS;
	leave(&small);
	assert_int_equal(ends[LEFT].wanted, 3);
	close(pair[1]);
}

/* ---- what the kernel does not do */

static int calls, fail_with;

static int failing_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	calls++;
	if ((fail_with == EIO || fail_with == EINVAL) && messages[0].msg_hdr.msg_controllen == 0)
		return sendmmsg(fd, messages, n, flags); /* it is UDP_SEGMENT that fails */
	if (fail_with == ECONNREFUSED && calls > 1)
		return sendmmsg(fd, messages, n, flags); /* the answer to an earlier one */
	errno = fail_with;
	return -1;
}

static void leave_train(size_t payload)
{
	struct packet_conf conf = { .proto = 6, .last_src = 1, .last_dst = 2, .df = true, .flags = 0x10, .payload = payload };
	size_t len = packet_make(&conf, packet);

	put_frame(&(struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					    .gso_size = 1300,
					    .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					    .csum_start = 20,
					    .csum_offset = 16 },
		  packet, len);
}

static size_t arrived(void)
{
	size_t total = 0, n;

	arrive();
	while ((n = got(RIGHT, back)) > 0)
		total += n - 40;
	return total;
}

static void break_with(int error)
{
	calls = 0;
	fail_with = error;
	sock_of(LEFT)->sendmmsg = failing_sendmmsg;
}

static void test_without_udp_segment_each_datagram_goes_alone(void **state)
{
	break_with(EIO);
	leave_train(13000);
	assert_false(sock_of(LEFT)->segment);
	assert_int_equal(arrived(), 13000);
	leave_train(13000); /* and is not tried again */
	assert_int_equal(arrived(), 13000);
	assert_int_equal(counters(LEFT).refused, 0);
}

/* Before Linux 4.18; but a train that is too long for its path says the same. */
static void test_a_kernel_without_udp_segment_is_asked_once(void **state)
{
	break_with(EINVAL);
	leave_train(13000);
	assert_int_equal(arrived(), 13000);
	assert_false(sock_of(LEFT)->segment);
	calls = 0;
	leave_train(13000);
	assert_int_equal(arrived(), 13000);
	assert_true(calls <= 2);
	assert_int_equal(counters(LEFT).refused, 0);
}

static void test_a_full_socket_drops_and_counts(void **state)
{
	break_with(EAGAIN);
	leave_train(13000);
	assert_int_equal(counters(LEFT).queue_full, 10);
	break_with(ENOBUFS);
	leave(&small);
	assert_int_equal(counters(LEFT).queue_full, 11);
	assert_int_equal(counters(LEFT).refused, 0);
	assert_true(sock_of(LEFT)->segment);
}

static void test_an_error_of_an_earlier_packet_costs_none(void **state)
{
	break_with(ECONNREFUSED);
	leave(&small);
	arrive();
	assert_true(got(RIGHT, back) > 0);
	assert_int_equal(counters(LEFT).refused, 0);
}

/* What another worker handed over waits to be sent when its socket goes. */
static void test_what_waits_leaves_before_its_socket_goes(void **state)
{
	static uint8_t handed[PACKET_MAX + sizeof(struct virtio_net_hdr)];
	size_t len = packet_make(&small, handed + sizeof(struct virtio_net_hdr));

	memset(handed, 0, sizeof(struct virtio_net_hdr));
	esp_worker_handed_out(ends[LEFT].worker, ends[LEFT].device, handed, sizeof(struct virtio_net_hdr) + len);
	esp_worker_socket_gone(ends[LEFT].worker, 1, IP_V4);
	esp_worker_handed_all(ends[LEFT].worker);
	arrive();
	assert_int_equal(got(RIGHT, back), len);
}

static void test_a_train_that_does_not_fit_is_refused_once(void **state)
{
	break_with(EMSGSIZE);
	leave_train(13000);
	assert_int_equal(counters(LEFT).refused, 10);
	assert_true(calls <= 4);
	assert_true(sock_of(LEFT)->segment);
}

static void test_a_device_that_is_taken_away_is_told_and_comes_again(void **state)
{
	int pair[2], old = tun_of_left, write_only;

	/* the descriptor of a deleted interface can't be read (EBADFD); one that is
	 * for writing only neither */
	write_only = open("/dev/null", O_WRONLY);
	assert_int_equal(dup2(write_only, old), old);
	close(write_only);
	esp_worker_ready(ends[LEFT].worker, old, now_ms);
	assert_int_equal(ends[LEFT].lost, 1);
	assert_int_equal(counters(LEFT).devices_lost, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	esp_worker_device(ends[LEFT].worker, ends[LEFT].device, pair[0]);
	close(ends[LEFT].tun);
	ends[LEFT].tun = pair[1];
	tun_of_left = pair[0];
	expect_small();
}

/* ---- transport mode */

/* Right sees the loopback address, as behind a NAT, and agreed upon it. */
static void transport_through_a_nat(void)
{
	struct esp_sa *sa;

	esp_worker_del(ends[LEFT].worker, 0x1000);
	esp_worker_del(ends[RIGHT].worker, 0x1001);
	add_sa(LEFT, 1, true, true);
	add_sa(RIGHT, 1, true, true);
	sa = esp_table_by_spi(ends[RIGHT].worker->table, 0x1011);
	sa->remote_ts.list[0].first.v = sa->remote_ts.list[0].last.v = INADDR_LOOPBACK;
	sa->local_ts.list[0].first.v = sa->local_ts.list[0].last.v = INADDR_LOOPBACK;
}

static void test_transport_mode_carries_what_is_behind_the_header(void **state)
{
	struct packet_conf conf = small;
	struct esp_inner in;

	transport_through_a_nat();
	leave(&conf);
	arrive();
	assert_int_equal(esp_inner_read(back, got(RIGHT, back), &in), 0);
	assert_int_equal(in.src.v, INADDR_LOOPBACK);
	assert_int_equal(in.len, 128);
	assert_true(packet_is_right(back, in.len)); /* mended */
	conf.proto = 6;
	conf.flags = 0x18;
	leave(&conf);
	arrive();
	assert_true(packet_is_right(back, got(RIGHT, back)));
	/* UDP without a checksum stays so (RFC 768) */
	packet_make(&small, packet);
	esp_put16(packet + 26, 0);
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, 128);
	arrive();
	assert_int_equal(got(RIGHT, back), 128);
	assert_int_equal(esp_get16(back + 26), 0);
}

/* SCTP's sum is over itself alone, GRE's is too: no byte may change. */
static void test_transport_mode_leaves_sums_without_addresses_alone(void **state)
{
	struct packet_conf conf = small;

	transport_through_a_nat();
	for (unsigned int i = 0; i < 2; i++) {
		conf.proto = i ? 47 : 132;
		leave(&conf);
		arrive();
		assert_int_equal(got(RIGHT, back), 128);
		assert_int_equal(back[9], conf.proto);
		assert_memory_equal(back + 20, packet + 20, 108);
	}
}

static void test_transport_mode_takes_no_fragments(void **state)
{
	esp_worker_del(ends[LEFT].worker, 0x1000);
	add_sa(LEFT, 1, true, true);
	packet_make(&small, packet);
	packet[6] = 0x20;
	put_frame(&(struct virtio_net_hdr){ 0 }, packet, 128);
	assert_int_equal(counters(LEFT).out, 0);
	assert_int_equal(counters(LEFT).too_long, 1);
}

/* More packets in one batch than there is room for: one that waits for the second
 * write must not be written over by those that follow it. */
static void test_transport_mode_keeps_what_waits_to_be_written(void **state)
{
	enum { MANY = 300, SHORT_ONES = 257 };
	static uint8_t sealed[MANY][2000];
	struct packet_conf conf = small;
	int size = 1 << 20;

	transport_through_a_nat();
	setsockopt(ends[RIGHT].queue, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (unsigned int i = 0; i < MANY; i++) {
		struct esp_train train = { .data = sealed[i], .peer = ends[LEFT].at };

		conf.sport = (uint16_t)(1000 + i);
		conf.payload = i < SHORT_ONES ? 20 : 1200;
		train.len = take(&conf, sealed[i], sizeof(sealed[i]));
		esp_worker_handed_in(ends[RIGHT].worker, &train);
		for (unsigned int k = 0; i == SHORT_ONES - 1 && k < SHORT_ONES - 1; k++)
			assert_int_equal(got(RIGHT, back), 48);
	}
	esp_worker_handed_all(ends[RIGHT].worker);
	assert_int_equal(got(RIGHT, back), 48);
	assert_true(packet_is_right(back, 48));
	assert_int_equal(esp_get16(back + 20), 1000 + SHORT_ONES - 1);
	for (unsigned int i = SHORT_ONES; i < MANY; i++)
		assert_true(packet_is_right(back, got(RIGHT, back)));
}

/* One of two hosts that right sees at one address. */
static void add_transport(unsigned int side, uint32_t spi)
{
	struct ike_child_keys keys[2] = { { .encr = { .len = 20 } }, { .encr = { .len = 20 } } };
	struct ike_ts_list local = net("192.0.2.0", 24, "2001:db8:1::"), remote = net("198.51.100.0", 24, "2001:db8:2::"),
			   seen = net("127.0.0.1", 32, "::1");

	memset(keys[0].encr.bytes, 0x33 + (int)side, 20);
	memset(keys[1].encr.bytes, 0x99 + (int)side, 20);
	for (unsigned int there = 0; there < 2; there++) {
		struct end *e = there ? &ends[RIGHT] : &ends[side];
		struct esp_sa_conf conf = {
			.tunnel = e->device,
			.owner = 1,
			.spi_in = spi + there,
			.spi_out = spi + !there,
			.suite = { ENCR_AES_GCM_16, 128, AUTH_NONE },
			.in = &keys[!there],
			.out = &keys[there],
			.local_ts = there ? &seen : &local,
			.remote_ts = there ? &seen : &remote,
			.transport = true,
			.path = { .link = 1,
				  .local = e->at,
				  .remote = there ? ends[side].at : ends[RIGHT].at,
				  .encap = true },
		};

		assert_int_equal(esp_worker_add(e->worker, &conf, true), 0);
	}
}

static void leave_from(unsigned int side, const uint8_t *data, size_t len)
{
	struct virtio_net_hdr vnet = { 0 };

	memcpy(frame, &vnet, sizeof(vnet));
	memcpy(frame + sizeof(vnet), data, len);
	assert_true(send(ends[side].tun, frame, sizeof(vnet) + len, 0) > 0);
	esp_worker_ready(ends[side].worker, ends[side].queue, now_ms);
}

/* A packet from that host to right; its source port as right sees it. Right
 * answers, and the answer must reach this host with the port that it knows. */
static uint16_t ask_and_answer(unsigned int side, const struct packet_conf *conf)
{
	unsigned int not = side == LEFT ? OTHER : LEFT;
	size_t len = packet_make(conf, packet);
	uint16_t seen;

	leave_from(side, packet, len);
	arrive_at(RIGHT);
	assert_int_equal(got(RIGHT, back), len);
	assert_true(packet_is_right(back, len));
	assert_int_equal(esp_get16(back + 22), conf->dport);
	seen = esp_get16(back + 20);
	esp_put16(back + 20, conf->dport);
	esp_put16(back + 22, seen); /* the sum is the same; both addresses too */
	leave_from(RIGHT, back, len);
	arrive_at(not);
	assert_int_equal(got(not, back), 0);
	arrive_at(side);
	assert_int_equal(got(side, back), len);
	assert_true(packet_is_right(back, len));
	assert_int_equal(esp_get16(back + 22), conf->sport);
	return seen;
}

static void see_loopback(struct esp_worker *w, uint32_t spi)
{
	struct esp_sa *sa = esp_table_by_spi(w->table, spi);

	/* what comes back has that source; what leaves is still 192.0.2.x */
	sa->remote_ts.list[1] = sa->remote_ts.list[0];
	sa->local_ts.list[1] = sa->local_ts.list[0];
	sa->remote_ts.list[1].first.v = sa->remote_ts.list[1].last.v = INADDR_LOOPBACK;
	sa->local_ts.list[1].first.v = sa->local_ts.list[1].last.v = INADDR_LOOPBACK;
}

static void two_hosts(void)
{
	end_open(&ends[OTHER], OTHER);
	esp_worker_del(ends[LEFT].worker, 0x1000);
	add_transport(LEFT, 0x2000);
	add_transport(OTHER, 0x3000);
	see_loopback(ends[LEFT].worker, 0x2000);
	see_loopback(ends[OTHER].worker, 0x3000);
}

static void two_hosts_end(void)
{
	esp_worker_free(ends[OTHER].worker);
	close(ends[OTHER].tun);
}

/* One that has packets from all ports is held at its share, and another gets its own. */
static void test_a_twin_does_not_take_the_ports_of_the_others(void **state)
{
	struct esp_twins *twins = esp_twins_new();
	uint8_t udp[28] = { 0x45, [3] = 28, [9] = 17, [12] = 192, 0, 2, 1, 198, 51, 100, 1, [25] = 8 };
	struct esp_inner inner;
	unsigned int passed[3] = { 0 };

	for (uint32_t twin = 1; twin < 3; twin++)
		for (uint32_t port = 1; port < 20000; port += twin == 1 ? 1 : 1000) {
			udp[20] = (uint8_t)(port >> 8);
			udp[21] = (uint8_t)port;
			assert_int_equal(esp_inner_read(udp, sizeof(udp), &inner), 0);
			passed[twin] += esp_twins_in(twins, twin, udp, &inner, 5000);
		}
	assert_int_equal(passed[1], ESP_TWIN_SHARE);
	assert_int_equal(passed[2], 20);
	/* idle ones go, and there is room again */
	udp[20] = 0x4e;
	udp[21] = 0x21;
	assert_int_equal(esp_inner_read(udp, sizeof(udp), &inner), 0);
	assert_true(esp_twins_in(twins, 1, udp, &inner, 5000 + ESP_TWIN_IDLE_MS));
	esp_twins_free(twins);
}

static void test_two_hosts_behind_one_nat_with_the_same_ports(void **state)
{
	const struct packet_conf l2tp = { .proto = 17, .last_src = 1, .last_dst = 2, .sport = 1701, .dport = 1701, .payload = 60 };
	const struct packet_conf tcp = { .proto = 6, .last_src = 1, .last_dst = 2, .sport = 40000, .dport = 80, .flags = 0x18, .payload = 60 };
	uint16_t first, other;

	two_hosts();
	for (unsigned int round = 0; round < 3; round++) {
		first = ask_and_answer(LEFT, &l2tp);
		other = ask_and_answer(OTHER, &l2tp);
		assert_int_equal(first, 1701);
		assert_true(other >= 32768);
		assert_int_equal(ask_and_answer(LEFT, &tcp), 40000);
		assert_int_not_equal(ask_and_answer(OTHER, &tcp), 40000);
	}
	/* new keys: the same peer, the same alias */
	add_transport(OTHER, 0x4000);
	see_loopback(ends[OTHER].worker, 0x4000);
	esp_worker_del(ends[RIGHT].worker, 0x3001);
	esp_worker_del(ends[OTHER].worker, 0x3000);
	assert_int_equal(ask_and_answer(OTHER, &l2tp), other);
	two_hosts_end();
}

/* Any port may be one that the first host uses itself. */
static void test_an_alias_is_no_port_of_the_first_host(void **state)
{
	struct packet_conf conf = { .proto = 17, .last_src = 1, .last_dst = 2, .sport = 7, .dport = 9, .payload = 60 };
	uint16_t alias, step, taken[3];
	size_t len;

	two_hosts();
	alias = ask_and_answer(OTHER, &conf);
	conf.sport = 8;
	step = (uint16_t)(ask_and_answer(OTHER, &conf) - alias);
	alias += step;
	/* one that is given: the first host has another then, and both are answered */
	conf.sport = alias;
	assert_int_not_equal(ask_and_answer(LEFT, &conf), alias);
	conf.sport = 8;
	assert_int_equal(ask_and_answer(OTHER, &conf), alias);
	/* those that would be next, but the first host has them: it was the first to
	 * speak, or was spoken to */
	for (unsigned int i = 0; i < 3; i++) {
		taken[i] = (uint16_t)(alias + (2 + i) * step);
		conf.sport = taken[i];
		assert_int_equal(ask_and_answer(LEFT, &conf), taken[i]);
	}
	conf.sport = 9;
	conf.dport = (uint16_t)(alias + 5 * step);
	len = packet_make(&conf, packet);
	memcpy(packet + 12, "\x7f\0\0\1\x7f\0\0\1", 8);
	leave_from(RIGHT, packet, len);
	arrive_at(LEFT);
	assert_int_equal(got(LEFT, back), len);
	conf.dport = 9;
	for (unsigned int i = 0; i < 8; i++) {
		conf.sport = (uint16_t)(100 + i);
		alias = ask_and_answer(OTHER, &conf);
		for (unsigned int k = 0; k < 3; k++)
			assert_int_not_equal(alias, taken[k]);
		assert_int_not_equal(alias, (uint16_t)(taken[2] + step));
	}
	two_hosts_end();
}

static void test_each_counter_has_a_name(void **state)
{
	for (unsigned int i = 0; i < ESP_COUNTERS; i++)
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(esp_counter_name(i), esp_counter_name(k));
	assert_null(esp_counter_name(ESP_COUNTERS));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_packet_goes_through),
		CASE(test_frames_that_lie_are_counted_and_nothing_leaves),
		CASE(test_a_lying_header_length_is_only_a_hint),
		CASE(test_too_long_with_df_is_told_to_the_source),
		CASE(test_too_long_without_df_is_cut),
		CASE(test_messages_to_sources_are_few),
		CASE(test_an_mtu_that_shrinks_to_576),
		CASE(test_replays_truncations_and_strangers_are_counted),
		CASE(test_a_peer_that_moves_all_the_time_is_told_of_now_and_then),
		CASE(test_dummies_and_padding_of_a_peer_that_hides_its_traffic),
		CASE(test_a_source_that_the_sa_does_not_carry),
		CASE(test_the_new_sa_receives_before_it_sends_and_nothing_is_lost),
		CASE(test_a_client_that_comes_back_replaces_its_own_sa_only),
		CASE(test_what_nobody_succeeds_ends),
		CASE(test_a_soft_limit_is_told_once_and_numbers_end),
		CASE(test_packets_that_want_out_are_told_now_and_then),
		CASE(test_without_udp_segment_each_datagram_goes_alone),
		CASE(test_a_kernel_without_udp_segment_is_asked_once),
		CASE(test_a_full_socket_drops_and_counts),
		CASE(test_an_error_of_an_earlier_packet_costs_none),
		CASE(test_what_waits_leaves_before_its_socket_goes),
		CASE(test_a_train_that_does_not_fit_is_refused_once),
		CASE(test_a_device_that_is_taken_away_is_told_and_comes_again),
		CASE(test_transport_mode_carries_what_is_behind_the_header),
		CASE(test_transport_mode_leaves_sums_without_addresses_alone),
		CASE(test_transport_mode_takes_no_fragments),
		CASE(test_transport_mode_keeps_what_waits_to_be_written),
		CASE(test_a_twin_does_not_take_the_ports_of_the_others),
		CASE(test_two_hosts_behind_one_nat_with_the_same_ports),
		CASE(test_an_alias_is_no_port_of_the_first_host),
		cmocka_unit_test(test_each_counter_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
