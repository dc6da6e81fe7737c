/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * flow - traffic for benchmarks of a path: TCP streams, and UDP packets one by one
 * or in trains that the kernel cuts. Prints one line of JSON.
 *
 *   flow tcp-sink ADDRESS                          until standard input ends
 *   flow tcp ADDRESS STREAMS SECONDS
 *   flow udp-sink ADDRESS[/BITS] SECONDS-OF-SILENCE  to any address of the network;
 *                                                half a minute more until the first packet
 *   flow udp SOURCE ADDRESS SIZE SECONDS [OPTION]...
 *     train N    packets of one send, to be cut by the kernel (default: 1)
 *     hosts N    from and to N addresses in turn, counted from SOURCE and ADDRESS
 *     random     hosts in random order
 *     rate N     packets a second; else as many as there is room for
 *
 * IPv4, port 5001. UDP packets begin with their number.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#define PORT	    5001
#define STREAMS_MAX 64
#define CHUNK	    (256 * 1024)
#define BATCH	    32

static uint8_t buffer[BATCH][65536];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &in.sin_addr) != 1) {
		fprintf(stderr, "flow: %s: not an IPv4 address\n", text);
		exit(1);
	}
	return in;
}

static void set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		die("setsockopt");
}

/* ---- TCP */

static int tcp_sink(const char *to)
{
	struct pollfd fds[STREAMS_MAX + 2] = { { 0, POLLIN, 0 } };
	struct sockaddr_in in = address(to, PORT);
	int n = 2, fd = socket(AF_INET, SOCK_STREAM, 0);

	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, STREAMS_MAX) < 0)
		die("listen");
	fds[1] = (struct pollfd){ fd, POLLIN, 0 };
	for (;;) {
		if (poll(fds, (nfds_t)n, -1) < 0)
			die("poll");
		if (fds[0].revents)
			return 0;
		for (int i = 2; i < n; i++)
			if (fds[i].revents && recv(fds[i].fd, buffer, sizeof(buffer), 0) <= 0) {
				close(fds[i].fd);
				fds[i--] = fds[--n];
			}
		if (fds[1].revents && n < STREAMS_MAX + 2)
			fds[n++] = (struct pollfd){ accept(fd, NULL, NULL), POLLIN, 0 };
	}
}

static int tcp(const char *to, int streams, double seconds)
{
	struct sockaddr_in in = address(to, PORT);
	struct pollfd fds[STREAMS_MAX];
	uint64_t bytes = 0;
	double start, end;

	for (int i = 0; i < streams; i++) {
		fds[i] = (struct pollfd){ socket(AF_INET, SOCK_STREAM, 0), POLLOUT, 0 };
		if (connect(fds[i].fd, (struct sockaddr *)&in, sizeof(in)) < 0)
			die("connect");
	}
	start = now();
	while ((end = now()) < start + seconds) {
		if (poll(fds, (nfds_t)streams, 100) < 0)
			die("poll");
		for (int i = 0; i < streams; i++) {
			ssize_t n = fds[i].revents ? send(fds[i].fd, buffer, CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

			if (n < 0 && errno != EAGAIN)
				die("send");
			bytes += n > 0 ? (uint64_t)n : 0;
		}
	}
	for (int i = 0; i < streams; i++) {
		int waiting = 0;

		if (ioctl(fds[i].fd, SIOCOUTQ, &waiting) == 0)
			bytes -= (uint64_t)waiting;
	}
	printf("{\"bytes\": %lu, \"seconds\": %.3f, \"mbitPerSecond\": %.1f}\n", (unsigned long)bytes, end - start,
	       (double)bytes * 8 / (end - start) / 1e6);
	return 0;
}

/* ---- UDP */

#define NUMBERS_KEPT (1u << 26)

struct seen {
	uint64_t packets, bytes, highest, twice;
	double first, last, gap;
};

/* Each number once; those beyond what is kept are taken for new. */
static bool seen_before(uint64_t number)
{
	static uint8_t seen[NUMBERS_KEPT / 8];
	uint8_t bit = (uint8_t)(1u << (number % 8));
	bool was;

	if (number >= NUMBERS_KEPT)
		return false;
	was = seen[number / 8] & bit;
	seen[number / 8] |= bit;
	return was;
}

static void see(struct seen *s, const uint8_t *data, size_t len, double at)
{
	uint64_t number;

	if (len < sizeof(number))
		return;
	memcpy(&number, data, sizeof(number));
	if (s->packets == 0)
		s->first = at;
	else if (at - s->last > s->gap)
		s->gap = at - s->last;
	s->last = at;
	s->packets++;
	s->bytes += len;
	s->twice += seen_before(number);
	if (number > s->highest)
		s->highest = number;
}

static int udp_socket(const char *at, uint16_t port)
{
	struct sockaddr_in in = address(at, port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20);
	set(fd, SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("bind");
	return fd;
}

static size_t segment_of(struct msghdr *msg, size_t whole)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(c), sizeof(size));
			return size > 0 ? (size_t)size : whole;
		}
	return whole;
}

static int udp_sink(const char *at, double silence)
{
	static uint8_t control[BATCH][64];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	struct seen s = { 0 };
	int fd = udp_socket(strchr(at, '/') ? "0.0.0.0" : at, PORT);
	struct pollfd p = { fd, POLLIN, 0 };

	set(fd, IPPROTO_UDP, UDP_GRO, 1);
	while (poll(&p, 1, (int)(silence * 1000) + (s.packets ? 0 : 30000)) > 0) {
		int n;

		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ buffer[i], sizeof(buffer[i]) };
			m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
							.msg_iovlen = 1,
							.msg_control = control[i],
							.msg_controllen = sizeof(control[i]) };
		}
		n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			size_t len = m[i].msg_len, size = segment_of(&m[i].msg_hdr, len ? len : 1);

			for (size_t off = 0; off < len; off += size)
				see(&s, buffer[i] + off, len - off < size ? len - off : size, now());
		}
	}
	printf("{\"packets\": %lu, \"bytes\": %lu, \"highest\": %lu, \"twice\": %lu, \"seconds\": %.3f, \"gapMs\": %.1f, "
	       "\"packetsPerSecond\": %.0f, \"mbitPerSecond\": %.1f}\n",
	       (unsigned long)s.packets, (unsigned long)s.bytes, (unsigned long)s.highest, (unsigned long)s.twice,
	       s.last - s.first, s.gap * 1000,
	       s.last > s.first ? (double)s.packets / (s.last - s.first) : 0,
	       s.last > s.first ? (double)s.bytes * 8 / (s.last - s.first) / 1e6 : 0);
	return 0;
}

struct plan {
	uint32_t src, dst;
	size_t size;
	unsigned int train, hosts;
	bool random;
	double rate, seconds;
};

static void send_train(int fd, const struct plan *plan, uint32_t host, uint64_t *number)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(plan->dst + host) };
	struct in_pktinfo from = { .ipi_spec_dst.s_addr = htonl(plan->src + host) };
	uint8_t control[CMSG_SPACE(sizeof(from)) + CMSG_SPACE(sizeof(uint16_t))] = { 0 };
	struct iovec iov = { buffer, plan->size * plan->train };
	struct msghdr msg = { .msg_name = &to,
			      .msg_namelen = sizeof(to),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = plan->train > 1 ? sizeof(control) : CMSG_SPACE(sizeof(from)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	uint16_t size = (uint16_t)plan->size;

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(from));
	memcpy(CMSG_DATA(c), &from, sizeof(from));
	if (plan->train > 1) {
		c = CMSG_NXTHDR(&msg, c);
		c->cmsg_level = IPPROTO_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof(size));
		memcpy(CMSG_DATA(c), &size, sizeof(size));
	}
	for (unsigned int i = 0; i < plan->train; i++) {
		(*number)++;
		memcpy((uint8_t *)buffer + i * plan->size, number, sizeof(*number));
	}
	/* a full buffer waits: the sender is not to be what loses */
	while (sendmsg(fd, &msg, 0) < 0)
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
			die("sendmsg");
}

static int udp(const struct plan *plan)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr src = { htonl(plan->src) };
	int fd = udp_socket(plan->hosts > 1 ? "0.0.0.0" : inet_ntop(AF_INET, &src, text, sizeof(text)), PORT);
	uint64_t number = 0;
	uint32_t host = 0;
	double start = now(), end;

	srandom(1);
	while ((end = now()) < start + plan->seconds) {
		double due = plan->rate > 0 ? start + (double)number / plan->rate : 0;

		if (due > end) {
			struct timespec ts = { 0, (long)((due - end) * 1e9) };

			nanosleep(&ts, NULL);
		}
		send_train(fd, plan, host, &number);
		host = plan->random ? (uint32_t)random() % plan->hosts : (host + 1) % plan->hosts;
	}
	printf("{\"packets\": %lu, \"seconds\": %.3f}\n", (unsigned long)number, end - start);
	return 0;
}

static int udp_parse(int argc, char **argv)
{
	struct plan plan = { .train = 1, .hosts = 1 };

	plan.src = ntohl(address(argv[2], 0).sin_addr.s_addr);
	plan.dst = ntohl(address(argv[3], 0).sin_addr.s_addr);
	plan.size = strtoul(argv[4], NULL, 10);
	plan.seconds = atof(argv[5]);
	for (int i = 6; i < argc; i++) {
		if (strcmp(argv[i], "random") == 0)
			plan.random = true;
		else if (i + 1 < argc && strcmp(argv[i], "train") == 0)
			plan.train = (unsigned int)atoi(argv[++i]);
		else if (i + 1 < argc && strcmp(argv[i], "hosts") == 0)
			plan.hosts = (unsigned int)atoi(argv[++i]);
		else if (i + 1 < argc && strcmp(argv[i], "rate") == 0)
			plan.rate = atof(argv[++i]);
	}
	if (plan.size < 8 || plan.size * plan.train > 65000 || plan.train == 0 || plan.hosts == 0)
		return 2;
	return udp(&plan);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "tcp-sink") == 0)
		return tcp_sink(argv[2]);
	if (argc == 5 && strcmp(argv[1], "tcp") == 0 && atoi(argv[3]) <= STREAMS_MAX)
		return tcp(argv[2], atoi(argv[3]), atof(argv[4]));
	if (argc == 4 && strcmp(argv[1], "udp-sink") == 0)
		return udp_sink(argv[2], atof(argv[3]));
	if (argc >= 6 && strcmp(argv[1], "udp") == 0)
		return udp_parse(argc, argv);
	fprintf(stderr, "usage: see the head of tests/bench/flow.c\n");
	return 2;
}
