/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Several workers with one device and one port: what each may do is done by the
 * one that owns it, whichever got the packet. Run with the thread sanitizer, this
 * shows that nothing else is shared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "ipsec/esp/esp_crew.h"
#include "ipsec/esp/esp_bytes.h"
#include "ipsec/ike/ike.h"
#include "ipsec/helper.h"
#include "ipsec/ike/ts.h"
#include "tests/unit/esp/packets.h"

#define WORKERS 4
#define SAS	8
#define PATIENCE_MS 60000 /* for what must come */
#define DEVICE	5

struct end {
	struct esp_crew *crew;
	int queues[WORKERS]; /* the kernel's sides */
	struct ike_endpoint at;
	unsigned int moved, wanted, failed, expiring, times;
	uint64_t counters[ESP_COUNTERS];
	struct proc_use use[SAS]; /* as told last */
	uint32_t spoke_ago_ms[SAS];
};

static struct end ends[3]; /* the third in one test, behind the same NAT as the first */
static bool rekeyed; /* then packets of one flow come by several queues */
static uint8_t packet[PACKET_MAX], frame[PACKET_MAX + sizeof(struct virtio_net_hdr)];

static void on_ike(void *ctx, uint32_t link, const struct ike_endpoint *from, const uint8_t *data, size_t len)
{
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
}
static void on_lost(void *ctx, uint32_t device)
{
}
static void on_failed(void *ctx, uint32_t spi_in)
{
	((struct end *)ctx)->failed++;
}
static void on_times(void *ctx, const struct proc_times *times)
{
	struct end *e = ctx;

	e->times += times->n;
	for (unsigned int i = 0; i < times->n; i++) {
		e->use[times->list[i].spi_in & (SAS - 1)] = times->list[i].use;
		e->spoke_ago_ms[times->list[i].spi_in & (SAS - 1)] = times->list[i].spoke_ago_ms;
	}
}
static void on_counters(void *ctx, const uint64_t list[ESP_COUNTERS])
{
	memcpy(((struct end *)ctx)->counters, list, sizeof(ends[0].counters));
}

static const struct esp_crew_ops ops = { on_ike,  on_moved,  on_expiring, on_wanted,  on_room,
					 on_lost, on_failed, on_times,	  on_counters };

static uint64_t counter(const struct end *e, const char *name)
{
	for (unsigned int i = 0; i < ESP_COUNTERS; i++)
		if (strcmp(esp_counter_name(i), name) == 0)
			return e->counters[i];
	fail();
	return 0;
}

static int open_socket(struct end *e)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(e->at.port) };
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	e->at = (struct ike_endpoint){ .addr = { INADDR_LOOPBACK, IP_V4 }, .port = ntohs(in.sin_port) };
	return fd;
}

static void end_open(struct end *e)
{
	*e = (struct end){ 0 };
	e->crew = esp_crew_new(WORKERS, 7, &ops, e);
	assert_non_null(e->crew);
	assert_int_equal(esp_crew_start(e->crew, NULL), 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		int pair[2], fd = open_socket(e);

		if (i == 0)
			assert_int_equal(esp_sock_spread(fd, 0, WORKERS), 0);
		esp_crew_socket(e->crew, i, &(struct esp_sock_conf){ .fd = fd, .link = 1, .family = IP_V4, .mtu = 1500 });
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
		esp_crew_device(e->crew, i, DEVICE, pair[0]);
		e->queues[i] = pair[1];
	}
}

static uint32_t spi(unsigned int side, unsigned int n, unsigned int generation)
{
	/* each generation belongs to another worker than the last */
	return 0x10000 * (side + 1) + 0x100 * generation + n + generation;
}

static struct ike_ts_list host(const char *base, unsigned int n)
{
	struct in_addr a;
	struct ip_prefix p;

	inet_pton(AF_INET, base, &a);
	p = ip_prefix_make(IP_V4, ntohl(a.s_addr) + n, 32);
	return (struct ike_ts_list){ .n = 1, .list = { ike_ts_of_prefix(&p) } };
}

/* SA n is between 192.0.2.n and 198.51.100.n. */
static void add(unsigned int side, unsigned int n, unsigned int generation, bool sending)
{
	struct ike_child_keys keys[2] = { { .encr = { .len = 20 } }, { .encr = { .len = 20 } } };
	struct ike_ts_list left = host("192.0.2.0", n), right = host("198.51.100.0", n);
	struct esp_sa_conf conf = {
		.tunnel = DEVICE,
		.owner = 1,
		.spi_in = spi(side, n, generation),
		.spi_out = spi(!side, n, generation),
		.suite = { ENCR_AES_GCM_16, 128, AUTH_NONE },
		.in = &keys[!side],
		.out = &keys[side],
		.local_ts = side == 0 ? &left : &right,
		.remote_ts = side == 0 ? &right : &left,
		.path = { .link = 1, .local = ends[side].at, .remote = ends[!side].at, .encap = true },
	};

	memset(keys[0].encr.bytes, (int)(1 + n + 16 * generation), 20);
	memset(keys[1].encr.bytes, (int)(100 + n + 16 * generation), 20);
	esp_crew_add(ends[side].crew, &conf, sending);
}

static int setup(void **state)
{
	rekeyed = false;
	end_open(&ends[0]);
	end_open(&ends[1]);
	for (unsigned int side = 0; side < 2; side++)
		for (unsigned int n = 0; n < SAS; n++)
			add(side, n, 0, true);
	return 0;
}

static int teardown(void **state)
{
	for (unsigned int side = 0; side < 2; side++) {
		esp_crew_free(ends[side].crew);
		for (unsigned int i = 0; i < WORKERS; i++)
			close(ends[side].queues[i]);
	}
	return 0;
}

static void hear(struct end *e)
{
	struct pollfd p = { esp_crew_fd(e->crew), POLLIN, 0 };

	while (poll(&p, 1, 0) > 0)
		esp_crew_read(e->crew);
}

/* A packet of SA n comes out of the device by that queue. */
static void leave(unsigned int side, unsigned int queue, unsigned int n, uint16_t number)
{
	const struct packet_conf conf = { .proto = 17,
					  .last_src = (uint8_t)n,
					  .last_dst = (uint8_t)n,
					  .sport = number,
					  .dport = 10,
					  .payload = 100 };
	struct virtio_net_hdr vnet = { 0 };
	size_t len = packet_make(&conf, packet);

	if (side == 1) { /* the other way round */
		uint8_t src[4];

		memcpy(src, packet + 12, 4);
		memcpy(packet + 12, packet + 16, 4);
		memcpy(packet + 16, src, 4);
	}
	memcpy(frame, &vnet, sizeof(vnet));
	memcpy(frame + sizeof(vnet), packet, len);
	while (send(ends[side].queues[queue], frame, sizeof(vnet) + len, 0) < 0) {
		assert_int_equal(errno, EAGAIN);
		poll(NULL, 0, 1);
	}
}

/* Bytes of UDP payload that come out of all queues, until so many have; each must
 * come by the queue of the worker whose SA it is. */
static size_t arrive(unsigned int side, size_t want)
{
	size_t total = 0;

	for (unsigned int silent = 0; total < want && silent < PATIENCE_MS;) {
		bool any = false;

		for (unsigned int q = 0; q < WORKERS; q++) {
			ssize_t n = recv(ends[side].queues[q], frame, sizeof(frame), MSG_DONTWAIT);
			const struct virtio_net_hdr *vnet = (const struct virtio_net_hdr *)(const void *)frame;
			const uint8_t *ip = frame + sizeof(*vnet);

			if (n <= 0)
				continue;
			any = true;
			total += (size_t)n - sizeof(*vnet) - 28;
			assert_true(rekeyed || esp_crew_home(ends[side].crew, spi(side, ip[15], 0)) == q);
		}
		silent = any ? 0 : silent + 1;
		if (!any)
			poll(NULL, 0, 1);
	}
	return total;
}

/* Packets of 128 bytes, so many from the first end of each and so many back. */
static bool has_counted(unsigned int n, unsigned int to, unsigned int from)
{
	const struct proc_use *left = &ends[0].use[n], *right = &ends[1].use[n];

	return left->packets_out == to && left->bytes_out == to * 128u && left->packets_in == from &&
	       right->packets_in == to && right->bytes_in == to * 128u && right->packets_out == from;
}

static void assert_each_sa_has_counted(unsigned int to, unsigned int from)
{
	for (unsigned int n = 0; n < SAS; n++) {
		for (unsigned int i = 0; i < PATIENCE_MS && !has_counted(n, to, from); i++) {
			poll(NULL, 0, 1);
			hear(&ends[0]);
			hear(&ends[1]);
		}
		assert_true(has_counted(n, to, from));
	}
}

static void test_each_packet_is_carried_by_the_owner_of_its_sa(void **state)
{
	unsigned int sent = 0;

	for (unsigned int round = 0; round < 20; round++)
		for (unsigned int n = 0; n < SAS; n++)
			for (unsigned int q = 0; q < WORKERS; q++, sent++)
				leave(0, q, n, (uint16_t)sent);
	assert_int_equal(arrive(1, sent * 100), sent * 100);
	/* and back, by whatever queue */
	for (unsigned int i = 0; i < 400; i++)
		leave(1, i % WORKERS, i % SAS, (uint16_t)i);
	assert_int_equal(arrive(0, 40000), 40000);
	/* each worker tells what it has counted for itself */
	for (unsigned int i = 0; i < PATIENCE_MS && counter(&ends[0], "espOut") + counter(&ends[1], "espDelivered") +
							    counter(&ends[0], "espHanded") < 2 * sent + sent * 3 / 4; i++) {
		poll(NULL, 0, 1);
		hear(&ends[0]);
		hear(&ends[1]);
	}
	assert_int_equal(counter(&ends[0], "espOut"), sent);
	assert_int_equal(counter(&ends[1], "espDelivered"), sent);
	assert_int_equal(counter(&ends[1], "espReplayed"), 0);
	assert_int_equal(counter(&ends[0], "espHandedFull"), 0);
	/* of four queues three are another's */
	assert_int_equal(counter(&ends[0], "espHanded"), sent * 3 / 4);
	assert_each_sa_has_counted(sent / SAS, 50);
	assert_true(ends[0].times >= SAS);
	assert_int_equal(ends[0].moved + ends[1].moved + ends[0].failed, 0);
}

/* Nothing comes to its own queue and socket: what it does is known all the same. */
static void test_a_worker_that_is_only_handed_packets_knows_the_time(void **state)
{
	uint64_t began = helper_now_ms();

	leave(0, 0, 1, 7);
	assert_int_equal(arrive(1, 100), 100);
	for (unsigned int i = 0; i < PATIENCE_MS && ends[0].use[1].packets_out == 0; i++) {
		poll(NULL, 0, 1);
		hear(&ends[0]);
	}
	assert_int_equal(ends[0].use[1].packets_out, 1);
	assert_true(ends[0].spoke_ago_ms[1] <= helper_now_ms() - began);
}

static void test_rekeying_from_worker_to_worker_loses_nothing(void **state)
{
	unsigned int sent = 0;

	rekeyed = true;
	for (unsigned int generation = 1; generation < 5; generation++) {
		for (unsigned int side = 2; side-- > 0;)
			for (unsigned int n = 0; n < SAS; n++) {
				add(side, n, generation, false);
				leave(0, sent % WORKERS, n, (uint16_t)sent);
				sent++;
			}
		for (unsigned int n = 0; n < SAS; n++) {
			leave(0, n % WORKERS, n, (uint16_t)sent++);
			esp_crew_use(ends[0].crew, spi(0, n, generation));
			leave(0, (n + 1) % WORKERS, n, (uint16_t)sent++);
		}
	}
	assert_int_equal(arrive(1, sent * 100), sent * 100);
}

static void test_what_is_taken_is_refused_and_told(void **state)
{
	add(0, 3, 0, true);
	for (unsigned int i = 0; i < PATIENCE_MS && !ends[0].failed; i++) {
		poll(NULL, 0, 1);
		hear(&ends[0]);
	}
	assert_int_equal(ends[0].failed, 1);
	for (unsigned int n = 0; n < SAS; n++)
		esp_crew_del(ends[0].crew, spi(0, n, 0));
	for (unsigned int i = 0; i < PATIENCE_MS && !ends[0].wanted; i++) {
		leave(0, 1, 2, 1);
		poll(NULL, 0, 1);
		hear(&ends[0]);
	}
	assert_true(ends[0].wanted > 0);
}

/* ---- transport mode */

static struct ike_ts_list all_of_v4(void)
{
	struct ip_prefix p = ip_prefix_make(IP_V4, 0, 0);

	return (struct ike_ts_list){ .n = 1, .list = { ike_ts_of_prefix(&p) } };
}

/* A host that the second end sees at the loopback address, as all. */
static void add_host(unsigned int side, uint32_t spi_there)
{
	struct ike_child_keys keys[2] = { { .encr = { .len = 20 } }, { .encr = { .len = 20 } } };
	struct ike_ts_list any = all_of_v4(), seen = host("127.0.0.1", 0);

	memset(keys[0].encr.bytes, 0x33 + (int)side, 20);
	memset(keys[1].encr.bytes, 0x99 + (int)side, 20);
	for (unsigned int there = 0; there < 2; there++) {
		unsigned int at = there ? 1 : side;
		struct esp_sa_conf conf = {
			.tunnel = DEVICE,
			.owner = 1,
			.spi_in = there ? spi_there : 0x70000 + side,
			.spi_out = there ? 0x70000 + side : spi_there,
			.suite = { ENCR_AES_GCM_16, 128, AUTH_NONE },
			.in = &keys[!there],
			.out = &keys[there],
			.local_ts = there ? &seen : &any,
			.remote_ts = there ? &seen : &any,
			.transport = true,
			.path = { .link = 1, .local = ends[at].at, .remote = ends[there ? side : 1].at, .encap = true },
		};

		esp_crew_add(ends[at].crew, &conf, true);
	}
}

/* The next frame that comes out of any queue; the length of its packet, 0: none. */
static size_t got(unsigned int side)
{
	for (unsigned int i = 0; i < PATIENCE_MS; i++) {
		for (unsigned int q = 0; q < WORKERS; q++) {
			ssize_t n = recv(ends[side].queues[q], frame, sizeof(frame), MSG_DONTWAIT);

			if (n > (ssize_t)sizeof(struct virtio_net_hdr)) {
				memcpy(packet, frame + sizeof(struct virtio_net_hdr), (size_t)n - sizeof(struct virtio_net_hdr));
				return (size_t)n - sizeof(struct virtio_net_hdr);
			}
		}
		poll(NULL, 0, 1);
	}
	return 0;
}

/* Each worker has its own part of the SAs, and any of them gets the answers. */
static void test_an_answer_finds_its_host_by_every_queue(void **state)
{
	static const unsigned int hosts[] = { 0, 2 };
	struct virtio_net_hdr vnet = { 0 };
	uint16_t seen[2];
	size_t len = 0;

	end_open(&ends[2]);
	for (unsigned int n = 0; n < SAS; n++) /* the tunnels of the other tests have this device too */
		for (unsigned int side = 0; side < 2; side++)
			esp_crew_del(ends[side].crew, spi(side, n, 0));
	add_host(0, 0x80000);
	add_host(2, 0x80002); /* another worker's */
	for (unsigned int i = 0; i < 2; i++) {
		leave(hosts[i], 0, 1, 1701);
		len = got(1);
		assert_int_equal(len, 128);
		seen[i] = esp_get16(packet + 20);
	}
	assert_int_equal(seen[0], 1701);
	assert_int_not_equal(seen[1], 1701);
	for (unsigned int q = 0; q < WORKERS; q++)
		for (unsigned int i = 0; i < 2; i++) {
			struct packet_conf conf = { .proto = 17, .sport = 10, .dport = seen[i], .payload = 100 };

			memcpy(frame, &vnet, sizeof(vnet));
			len = packet_make(&conf, frame + sizeof(vnet));
			memcpy(frame + sizeof(vnet) + 12, "\x7f\0\0\1\x7f\0\0\1", 8);
			assert_true(send(ends[1].queues[q], frame, sizeof(vnet) + len, 0) > 0);
			assert_int_equal(got(hosts[i]), 128);
			assert_int_equal(esp_get16(packet + 22), 1701);
		}
	esp_crew_free(ends[2].crew);
	for (unsigned int i = 0; i < WORKERS; i++)
		close(ends[2].queues[i]);
}

static bool refuse(void)
{
	return false;
}

static void test_a_worker_that_may_not_begin_ends_all(void **state)
{
	struct esp_crew *crew = esp_crew_new(2, 1, &ops, &ends[0]);

	assert_non_null(crew);
	assert_int_equal(esp_crew_start(crew, refuse), -1);
	esp_crew_free(crew);
	/* and one that never began */
	esp_crew_free(esp_crew_new(2, 1, &ops, &ends[0]));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_each_packet_is_carried_by_the_owner_of_its_sa),
		CASE(test_a_worker_that_is_only_handed_packets_knows_the_time),
		CASE(test_rekeying_from_worker_to_worker_loses_nothing),
		CASE(test_what_is_taken_is_refused_and_told),
		CASE(test_an_answer_finds_its_host_by_every_queue),
		cmocka_unit_test(test_a_worker_that_may_not_begin_ends_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
