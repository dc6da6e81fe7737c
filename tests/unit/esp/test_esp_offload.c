/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Trains of packets both ways where the kernel takes them and where it does not;
 * what is said in the outer header of what is inside; transport mode over IPv6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_worker_impl.h"
#include "ipsec/ike/ts.h"
#include "tests/unit/esp/ends.h"

/* ---- a device before Linux 6.2 takes no UDP trains */

static bool old_device;
static unsigned int udp_trains;

ssize_t __real_writev(int fd, const struct iovec *iov, int n);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int n);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int n)
{
	struct virtio_net_hdr vnet;

	if (iov[0].iov_len == sizeof(vnet)) {
		memcpy(&vnet, iov[0].iov_base, sizeof(vnet));
		udp_trains += vnet.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4;
		if (old_device && vnet.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4) {
			errno = EINVAL;
			return -1;
		}
	}
	return __real_writev(fd, iov, n);
}

/* Left's kernel sends that as one. */
static void leave_udp_train(bool v6, size_t payload, uint16_t each)
{
	const struct packet_conf conf = { .v6 = v6, .proto = 17, .last_src = 1, .last_dst = 2, .sport = 9, .dport = 10, .df = true, .payload = payload };
	size_t len = packet_make(&conf, packet);

	put_frame(&(struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
					    .gso_size = each,
					    .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					    .csum_start = v6 ? 40 : 20,
					    .csum_offset = 6 },
		  packet, len);
	arrive();
}

static void test_a_udp_train_stays_one(void **state)
{
	old_device = false;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct virtio_net_hdr vnet;
		size_t headers = (v6 ? 40 : 20) + 8;

		udp_trains = 0;
		leave_udp_train(v6, 13000, 1300);
		assert_int_equal(counters(LEFT).out, 10 * (v6 + 1));
		assert_int_equal(got(RIGHT, back), headers + 13000);
		memcpy(&vnet, frame, sizeof(vnet));
		assert_int_equal(vnet.gso_type, VIRTIO_NET_HDR_GSO_UDP_L4);
		assert_int_equal(vnet.gso_size, 1300);
		assert_int_equal(udp_trains, 1);
	}
}

static void test_a_device_without_udp_trains_gets_each_packet(void **state)
{
	old_device = true;
	udp_trains = 0;
	for (unsigned int round = 0; round < 2; round++) {
		leave_udp_train(false, 13000 - 300, 1300);
		for (unsigned int i = 0; i < 10; i++) {
			size_t len = got(RIGHT, back);

			assert_int_equal(len, 28 + (i < 9 ? 1300 : 1000));
			assert_true(packet_is_right(back, len));
		}
		assert_int_equal(got(RIGHT, back), 0);
	}
	assert_int_equal(udp_trains, 1); /* tried once */
	assert_int_equal(counters(RIGHT).tun_refused, 0);
	old_device = false;
}

/* ---- the outer header says what the inner one does (RFC 4301 5.1.2, RFC 6040 4) */

/* The outer TOS of what left sends. */
static uint8_t outer_tos(const struct packet_conf *conf)
{
	uint8_t data[2000], control[256] __attribute__((aligned(8)));
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct pollfd p = { ends[RIGHT].sock, POLLIN, 0 };

	leave(conf);
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true(recvmsg(ends[RIGHT].sock, &msg, 0) > 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			return *CMSG_DATA(c);
	fail();
	return 0;
}

static void test_dscp_and_ecn_are_copied_outside(void **state)
{
	struct packet_conf conf = small;

	for (unsigned int v6 = 0; v6 < 2; v6++)
		for (unsigned int ecn = 0; ecn < 4; ecn++) {
			conf.v6 = v6;
			conf.tos = (uint8_t)(0xb8 | ecn); /* EF */
			assert_int_equal(outer_tos(&conf), conf.tos);
		}
	conf.tos = 0;
	assert_int_equal(outer_tos(&conf), 0);
}

/* A router on the way has marked what left sends. */
static size_t marked(uint8_t inner, uint8_t outer)
{
	static uint8_t esp[2000];
	struct packet_conf conf = small;
	struct esp_train train = { .data = esp, .tos = outer, .peer = ends[LEFT].at };

	conf.tos = inner;
	train.len = take(&conf, esp, sizeof(esp));
	esp_worker_handed_in(ends[RIGHT].worker, &train);
	esp_worker_handed_all(ends[RIGHT].worker);
	return got(RIGHT, back);
}

static void test_congestion_on_the_way_is_told_inside_or_drops(void **state)
{
	assert_int_equal(marked(0xba, 0xbb), 128);
	assert_int_equal(back[1], 0xbb);
	assert_true(packet_is_right(back, 128));
	/* DSCP that was changed on the way is the way's own */
	assert_int_equal(marked(0xba, 0x02), 128);
	assert_int_equal(back[1], 0xba);
	/* who does not know ECN hears it by the loss */
	assert_int_equal(marked(0xb8, 0xbb), 0);
	assert_int_equal(counters(RIGHT).ce_dropped, 1);
	assert_int_equal(esp_table_by_spi(ends[RIGHT].worker->table, 0x1001)->drops.congestion, 1);
}

/* ---- transport mode over IPv6: the addresses are others than the sender's */

static struct ip_addr v6(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static void test_transport_mode_mends_checksums_of_ipv6(void **state)
{
	static const uint8_t protos[] = { 17, 6, 58 };
	static uint8_t esp[2000];
	struct ip_prefix any = ip_prefix_make(IP_V6, 0, 0);
	struct esp_sa *sa;

	esp_worker_del(ends[LEFT].worker, 0x1000);
	add_sa(LEFT, 1, true, true);
	add_sa(RIGHT, 1, true, true);
	sa = esp_table_by_spi(ends[RIGHT].worker->table, 0x1011);
	sa->path.local.addr = v6("2001:db8:99::2");
	sa->remote_ts.list[0] = sa->local_ts.list[0] = ike_ts_of_prefix(&any);
	for (size_t i = 0; i < sizeof(protos); i++) {
		struct packet_conf conf = { .v6 = true, .proto = protos[i], .last_src = 1, .last_dst = 2, .sport = 9, .dport = 10, .flags = 0x18, .payload = 99 };
		struct esp_train train = { .data = esp, .peer = { .addr = v6("2001:db8:77::1"), .port = 4500 } };
		struct esp_inner in;
		size_t len;

		train.len = take(&conf, esp, sizeof(esp));
		esp_worker_handed_in(ends[RIGHT].worker, &train);
		esp_worker_handed_all(ends[RIGHT].worker);
		len = got(RIGHT, back);
		assert_int_equal(esp_inner_read(back, len, &in), 0);
		assert_true(ip_addr_equal(&in.src, &train.peer.addr));
		assert_true(ip_addr_equal(&in.dst, &sa->path.local.addr));
		assert_int_equal(len, packet_make(&conf, packet));
		assert_true(packet_is_right(back, len));
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_udp_train_stays_one),
		CASE(test_a_device_without_udp_trains_gets_each_packet),
		CASE(test_dscp_and_ecn_are_copied_outside),
		CASE(test_congestion_on_the_way_is_told_inside_or_drops),
		CASE(test_transport_mode_mends_checksums_of_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
