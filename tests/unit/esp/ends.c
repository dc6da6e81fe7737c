/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "ipsec/ike/ts.h"
#include "tests/unit/esp/ends.h"

struct end ends[3];
uint8_t packet[PACKET_MAX + 20], frame[PACKET_MAX + sizeof(struct virtio_net_hdr)];
uint64_t now_ms;

/* ---- what the worker says */

static bool on_ike(void *ctx, uint32_t link, const struct ike_endpoint *from, const uint8_t *data, size_t len)
{
	((struct end *)ctx)->ike++;
	return true;
}
static void on_moved(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote)
{
	((struct end *)ctx)->moved++;
}
static void on_expiring(void *ctx, uint32_t spi_in)
{
	((struct end *)ctx)->expiring++;
}
static void on_wanted(void *ctx, uint32_t device)
{
	((struct end *)ctx)->wanted++;
}
static void on_room(void *ctx, uint32_t owner, uint32_t bytes, bool learnt)
{
	((struct end *)ctx)->room = bytes;
}
static void on_lost(void *ctx, uint32_t device)
{
	((struct end *)ctx)->lost++;
}
static bool no_hand_out(void *ctx, uint32_t spi_in, uint32_t device, const uint8_t *data, size_t len)
{
	return false;
}
static bool no_hand_in(void *ctx, uint32_t spi_in, const struct esp_train *train)
{
	return false;
}
static void no_watch(void *ctx, int fd)
{
}

static const struct esp_worker_ops ops = { on_ike, on_moved, on_expiring, on_wanted, on_room, on_lost,
					  no_hand_out, no_hand_in, no_watch, no_watch };

/* ---- two ends, one SA */

struct ike_ts_list net(const char *prefix4, unsigned int bits4, const char *prefix6)
{
	struct in_addr a;
	struct in6_addr a6;
	struct ip_prefix p4, p6;

	inet_pton(AF_INET, prefix4, &a);
	inet_pton(AF_INET6, prefix6, &a6);
	p4 = ip_prefix_make(IP_V4, ntohl(a.s_addr), bits4);
	p6 = ip_prefix_make(IP_V6, ip_from_bytes(a6.s6_addr, IP_V6), 48);
	return (struct ike_ts_list){ .n = 2, .list = { ike_ts_of_prefix(&p4), ike_ts_of_prefix(&p6) } };
}

struct esp_ipip between;

void add_sa(unsigned int side, uint32_t generation, bool transport, bool sending)
{
	const struct ike_ts_list link = net("203.0.113.0", 30, "2001:db8:3::");
	struct ike_child_keys keys[2] = { { .encr = { .len = 20 } }, { .encr = { .len = 20 } } };
	struct ike_ts_list local = net("192.0.2.0", 24, "2001:db8:1::"), remote = net("198.51.100.0", 24, "2001:db8:2::");
	struct end *e = &ends[side];
	struct esp_sa_conf conf = {
		.tunnel = e->device,
		.owner = 1,
		.spi_in = 0x1000 + side + 16 * generation,
		.spi_out = 0x1000 + !side + 16 * generation,
		.suite = { ENCR_AES_GCM_16, 128, AUTH_NONE },
		.in = &keys[!side],
		.out = &keys[side],
		.local_ts = side == LEFT ? &local : &remote,
		.remote_ts = side == LEFT ? &remote : &local,
		.transport = transport,
		.path = { .link = 1, .local = e->at, .remote = ends[!side].at, .encap = true },
	};

	if (generation >= IPIP) {
		conf.local_ts = conf.remote_ts = &link;
		if (between.local.v)
			conf.ipip = side == LEFT ? between : (struct esp_ipip){ between.remote, between.local };
	}
	memset(keys[0].encr.bytes, 0x11 + (int)generation, 20);
	memset(keys[1].encr.bytes, 0x77 + (int)generation, 20);
	assert_int_equal(esp_worker_add(e->worker, &conf, sending), 0);
}

int end_open(struct end *e, unsigned int side)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int pair[2];

	*e = (struct end){ 0 };
	e->worker = esp_worker_new(&ops, e, 7 + side);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	e->device = 3;
	esp_worker_device(e->worker, e->device, pair[0]);
	e->tun = pair[1];
	e->queue = pair[0];
	e->sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(e->sock, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(e->sock, (struct sockaddr *)&in, &len), 0);
	e->at = (struct ike_endpoint){ .addr = { INADDR_LOOPBACK, IP_V4 }, .port = ntohs(in.sin_port) };
	esp_worker_socket(e->worker, &(struct esp_sock_conf){ .fd = e->sock, .link = 1, .family = IP_V4, .mtu = 1500 });
	return pair[0];
}

int tun_of_left;

/* The test keeps to one processor. */
static void stay(void)
{
	int cpu = sched_getcpu();
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(cpu < 0 ? 0 : (unsigned int)cpu, &here);
	(void)sched_setaffinity(0, sizeof(here), &here);
}

int setup(void **state)
{
	stay();
	now_ms = 1000;
	tun_of_left = end_open(&ends[LEFT], LEFT);
	end_open(&ends[RIGHT], RIGHT);
	add_sa(LEFT, 0, false, true);
	add_sa(RIGHT, 0, false, true);
	return 0;
}

int teardown(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		esp_worker_free(ends[i].worker);
		if (ends[i].tun >= 0)
			close(ends[i].tun);
	}
	return 0;
}

struct esp_worker_counters counters(unsigned int side)
{
	struct esp_worker_counters c;

	esp_worker_counters(ends[side].worker, &c);
	return c;
}

struct esp_sock *sock_of(unsigned int side)
{
	return ends[side].worker->socks[0];
}

/* ---- packets through the device */

void put_frame(const struct virtio_net_hdr *vnet, const uint8_t *data, size_t len)
{
	memcpy(frame, vnet, sizeof(*vnet));
	memcpy(frame + sizeof(*vnet), data, len);
	assert_true(send(ends[LEFT].tun, frame, sizeof(*vnet) + len, 0) > 0);
	esp_worker_ready(ends[LEFT].worker, tun_of_left, now_ms);
}

void leave(const struct packet_conf *conf)
{
	static const struct virtio_net_hdr plain;

	put_frame(&plain, packet, packet_make(conf, packet));
}

/* What was sent to this system before is there: packets of one processor to itself
 * keep their order, so one that comes says that all have come. */
static void settle(void)
{
	static int to_self = -1;
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	struct pollfd p = { .events = POLLIN };
	char byte = 0;

	if (to_self < 0) {
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		to_self = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(to_self, (struct sockaddr *)&in, sizeof(in)), 0);
		assert_int_equal(getsockname(to_self, (struct sockaddr *)&in, &len), 0);
		assert_int_equal(connect(to_self, (struct sockaddr *)&in, len), 0);
	}
	p.fd = to_self;
	assert_int_equal(send(to_self, &byte, 1, 0), 1);
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(to_self, &byte, 1, 0), 1);
}

void arrive_at(unsigned int side)
{
	struct pollfd p = { ends[side].sock, POLLIN, 0 };

	settle();
	while (poll(&p, 1, 0) > 0)
		esp_worker_ready(ends[side].worker, ends[side].sock, now_ms);
}

void arrive(void)
{
	arrive_at(RIGHT);
}

size_t got(unsigned int side, uint8_t *out)
{
	ssize_t n = recv(ends[side].tun, frame, sizeof(frame), MSG_DONTWAIT);

	if (n < 0)
		return 0;
	assert_true((size_t)n > sizeof(struct virtio_net_hdr));
	memcpy(out, frame + sizeof(struct virtio_net_hdr), (size_t)n - sizeof(struct virtio_net_hdr));
	return (size_t)n - sizeof(struct virtio_net_hdr);
}

const struct packet_conf small = { .proto = 17, .last_src = 1, .last_dst = 2, .sport = 9, .dport = 10, .payload = 100 };
uint8_t back[PACKET_MAX];

void expect_small(void)
{
	size_t len;

	leave(&small);
	arrive();
	len = packet_make(&small, packet);
	assert_int_equal(got(RIGHT, back), len);
	assert_memory_equal(back, packet, len);
}

size_t take(const struct packet_conf *conf, uint8_t *out, size_t size)
{
	struct pollfd p = { ends[RIGHT].sock, POLLIN, 0 };
	ssize_t n;

	leave(conf);
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	n = recv(ends[RIGHT].sock, out, size, 0);
	assert_true(n > 0);
	return (size_t)n;
}
