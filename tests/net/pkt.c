/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pkt - sends numbered UDP packets from any source address, and counts them.
 *
 * The network tests ask two things of every packet: did it arrive, and if a
 * stream was hurt, for how long. So each flow is numbered from zero, and the
 * receiver knows what is missing without talking to the sender. Everything is
 * bounded in rate, count and time: a forgotten pkt ends by itself.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/ip.h"
#include "lib/mem.h"
#include "lib/rd.h"
#include "lib/wr.h"

#define MAX_LIFE_S   600
#define MAX_RATE     20000	/* packets/s of one flow */
#define MAX_SEQ	     (1u << 22) /* of one flow */
#define MAX_FLOWS    4096
#define MAX_RANGES   8	 /* of missing numbers shown for one flow */
#define DRAIN_MS     300 /* silence that ends the reception */
#define ANSWERS_MS   600 /* the same where processes that wait for a processor are on the way */
#define DRAIN_MAX_MS 20000
#define PORT	     9000
#define RECV_BUFFER  (8 << 20)
#define MAGIC	     0x53415650u /* "SAVP" */
#define HOP_LIMIT    32

enum kind {
	KIND_ONE_WAY,
	KIND_ASK, /* the receiver answers if it was told to (-e) */
	KIND_ANSWER,
};

#define BODY_BYTES 17 /* magic, flow, kind, seq */
struct body {
	uint32_t flow;
	uint8_t kind; /* enum kind */
	uint64_t seq;
};

struct options {
	unsigned int rate;
	uint64_t count;	      /* 0: until the time is over */
	unsigned int seconds; /* 0: MAX_LIFE_S */
	uint16_t port;
	bool answer;
	const char *out;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "pkt: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- what is in a packet */

static void body_encode(const struct body *b, struct wr *wr)
{
	wr_be32(wr, MAGIC);
	wr_be32(wr, b->flow);
	wr_u8(wr, b->kind);
	wr_be64(wr, b->seq);
}

static bool body_decode(const void *data, size_t len, struct body *b)
{
	struct rd rd = rd_init(data, len);

	if (rd_be32(&rd) != MAGIC)
		return false;
	b->flow = rd_be32(&rd);
	b->kind = rd_u8(&rd);
	b->seq = rd_be64(&rd);
	return rd_done(&rd) && b->seq < MAX_SEQ;
}

/* RFC 1071 over big-endian bytes. */
static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
	return sum;
}

static uint16_t sum16_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void wr_addr(struct wr *wr, const struct ip_addr *a)
{
	uint8_t bytes[16];

	ip_to_bytes(a->v, a->family, bytes);
	wr_bytes(wr, bytes, ip_bytes(a->family));
}

static void ip_header(struct wr *wr, const struct ip_addr *src, const struct ip_addr *dst,
		      size_t payload)
{
	if (src->family == IP_V4) {
		wr_be16(wr, 0x4500);
		wr_be16(wr, (uint16_t)(20 + payload));
		wr_be32(wr, 0); /* the kernel fills id and header checksum */
		wr_u8(wr, HOP_LIMIT);
		wr_u8(wr, IPPROTO_UDP);
		wr_be16(wr, 0);
	} else {
		wr_be32(wr, 6u << 28);
		wr_be16(wr, (uint16_t)payload);
		wr_u8(wr, IPPROTO_UDP);
		wr_u8(wr, HOP_LIMIT);
	}
	wr_addr(wr, src);
	wr_addr(wr, dst);
}

static void packet_encode(struct wr *wr, const struct ip_addr *src,
			  const struct ip_addr *dst, uint16_t port, const struct body *b)
{
	size_t addrs = 2 * ip_bytes(src->family), udp, udp_len = 8 + BODY_BYTES;
	uint32_t sum;
	uint16_t check;

	ip_header(wr, src, dst, udp_len);
	udp = wr->len;
	wr_be16(wr, port);
	wr_be16(wr, port);
	wr_be16(wr, (uint16_t)udp_len);
	wr_be16(wr, 0);
	body_encode(b, wr);
	sum = sum16(IPPROTO_UDP + (uint32_t)udp_len, wr->data + udp - addrs, addrs);
	check = sum16_fold(sum16(sum, wr->data + udp, udp_len));
	wr_patch16(wr, udp + 6, check ? check : 0xffff);
}

static socklen_t sockaddr_make(struct sockaddr_storage *ss, const struct ip_addr *a,
			       uint16_t port)
{
	memset(ss, 0, sizeof(*ss));
	if (a->family == IP_V4) {
		struct sockaddr_in *sin = (struct sockaddr_in *)ss;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		ip_to_bytes(a->v, IP_V4, (uint8_t *)&sin->sin_addr);
		return sizeof(*sin);
	}

	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	ip_to_bytes(a->v, IP_V6, (uint8_t *)&sin6->sin6_addr);
	return sizeof(*sin6);
}

static struct ip_addr sockaddr_addr(const struct sockaddr_storage *ss)
{
	struct ip_addr a;

	if (ss->ss_family == AF_INET) {
		a.family = IP_V4;
		a.v = ip_from_bytes(
			(const uint8_t *)&((const struct sockaddr_in *)ss)->sin_addr,
			IP_V4);
	} else {
		a.family = IP_V6;
		a.v = ip_from_bytes(
			(const uint8_t *)&((const struct sockaddr_in6 *)ss)->sin6_addr,
			IP_V6);
	}
	return a;
}

/* ---- results: whole or not at all, so that a reader never sees half a file */

static void result_write(const char *path, const char *text)
{
	char tmp[4096];
	FILE *f;

	if (!path) {
		puts(text);
		return;
	}
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	f = fopen(tmp, "w");
	if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0 ||
	    rename(tmp, path) != 0)
		die(path);
}

/* ---- send */

struct send_flow {
	uint32_t id;
	struct ip_addr src, dst;
	uint8_t kind; /* enum kind */
	uint64_t sent, errors;
	int last_errno;
};

static bool flow_parse(const char *line, struct send_flow *f)
{
	char src[64], dst[64], kind[16] = "";

	memset(f, 0, sizeof(*f));
	if (sscanf(line, "%" SCNu32 " %63s %63s %15s", &f->id, src, dst, kind) < 3)
		return false;
	if (!ip_addr_parse(src, &f->src) || !ip_addr_parse(dst, &f->dst))
		return false;
	if (kind[0] && strcmp(kind, "ask") != 0)
		return false;
	f->kind = kind[0] ? KIND_ASK : KIND_ONE_WAY;
	return f->src.family == f->dst.family;
}

static size_t flows_read(struct send_flow flows[MAX_FLOWS])
{
	char line[256];
	size_t n = 0;

	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (n == MAX_FLOWS || !flow_parse(line, &flows[n])) {
			fprintf(stderr,
				"pkt: line %zu: want 'FLOW SOURCE DESTINATION [ask]'"
				" of one family, and at most %d lines: %s",
				n + 1, MAX_FLOWS, line);
			exit(2);
		}
		n++;
	}
	return n;
}

static void raw_open(int fds[IP_FAMILIES])
{
	int on = 1;

	fds[IP_V4] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	fds[IP_V6] = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fds[IP_V4] < 0 || fds[IP_V6] < 0 ||
	    setsockopt(fds[IP_V4], IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)) != 0 ||
	    setsockopt(fds[IP_V6], IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on)) != 0)
		die("raw socket");
}

static void send_one(int fd, struct send_flow *f, uint16_t port, struct wr *wr)
{
	struct body b = { .flow = f->id, .kind = f->kind, .seq = f->sent + f->errors };
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, &f->dst, 0);

	wr_consume(wr, wr->len);
	packet_encode(wr, &f->src, &f->dst, port, &b);
	if (sendto(fd, wr->data, wr->len, 0, (struct sockaddr *)&ss, len) >= 0) {
		f->sent++;
	} else {
		f->errors++;
		f->last_errno = errno;
	}
}

static void sent_write(const struct send_flow *flows, size_t n, const char *path)
{
	char *text = NULL, src[IP_TEXT_SIZE], dst[IP_TEXT_SIZE];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		die("memory");
	fputs("{\"flows\":[", f);
	for (size_t i = 0; i < n; i++) {
		const struct send_flow *s = &flows[i];

		fprintf(f,
			"%s{\"flow\":%" PRIu32
			",\"source\":\"%s\",\"destination\":\"%s\","
			"\"sent\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"error\":\"%s\"}",
			i ? ",\n" : "", s->id, ip_addr_format(&s->src, src),
			ip_addr_format(&s->dst, dst), s->sent, s->errors,
			s->errors ? strerror(s->last_errno) : "");
	}
	fputs("]}", f);
	fclose(f);
	result_write(path, text);
	free(text);
}

/* Every flow sends its packet of one tick, then all wait for the next tick. */
static int send_main(const struct options *o)
{
	struct send_flow *flows = mem_calloc(MAX_FLOWS, sizeof(*flows));
	unsigned int seconds = o->seconds ? o->seconds : MAX_LIFE_S;
	uint64_t count = o->count ? o->count : (uint64_t)seconds * o->rate;
	uint64_t start, end, step = 1000000000u / o->rate;
	struct wr wr = { 0 };
	int fds[IP_FAMILIES];
	size_t n;

	if (count > MAX_SEQ)
		count = MAX_SEQ;
	n = flows_read(flows);
	raw_open(fds);
	start = now_ns();
	end = start + (uint64_t)seconds * 1000000000u;
	for (uint64_t tick = 0; tick < count && !stopped && now_ns() < end; tick++) {
		uint64_t at = start + tick * step;
		struct timespec ts = { .tv_sec = (time_t)(at / 1000000000u),
				       .tv_nsec = (long)(at % 1000000000u) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		for (size_t i = 0; i < n; i++)
			send_one(fds[flows[i].src.family], &flows[i], o->port, &wr);
	}
	sent_write(flows, n, o->out);
	wr_fini(&wr);
	free(flows);
	return 0;
}

/* ---- receive */

struct recv_flow {
	uint32_t id;
	struct ip_addr src;
	bool answers;
	uint64_t received, duplicates;
	uint64_t last;			     /* highest number seen */
	uint64_t last_ns, gap_ns, gap_after; /* the number before the longest silence */
	uint8_t *seen;			     /* bitmap */
	size_t seen_bytes;
};

struct receiver {
	struct recv_flow flows[MAX_FLOWS];
	size_t n;
	uint64_t other; /* not ours, or more flows than we keep */
};

static struct recv_flow *recv_flow_get(struct receiver *r, uint32_t id,
				       const struct ip_addr *src, bool answers)
{
	struct recv_flow *f;

	for (size_t i = 0; i < r->n; i++) {
		f = &r->flows[i];
		if (f->id == id && f->answers == answers && ip_addr_equal(&f->src, src))
			return f;
	}
	if (r->n == MAX_FLOWS)
		return NULL;
	f = &r->flows[r->n++];
	f->id = id;
	f->src = *src;
	f->answers = answers;
	return f;
}

/* false: it was there before */
static bool seen_set(struct recv_flow *f, uint64_t seq)
{
	size_t byte = seq / 8;
	uint8_t bit = (uint8_t)(1u << (seq % 8));

	if (byte >= f->seen_bytes) {
		size_t bytes = byte * 2 + 64;

		f->seen = mem_realloc(f->seen, bytes, 1);
		memset(f->seen + f->seen_bytes, 0, bytes - f->seen_bytes);
		f->seen_bytes = bytes;
	}
	if (f->seen[byte] & bit)
		return false;
	f->seen[byte] |= bit;
	return true;
}

static bool seen_get(const struct recv_flow *f, uint64_t seq)
{
	return f->seen[seq / 8] >> (seq % 8) & 1;
}

static void recv_flow_count(struct recv_flow *f, uint64_t seq, uint64_t now)
{
	if (!seen_set(f, seq)) {
		f->duplicates++;
		return;
	}
	if (f->received > 0 && now - f->last_ns > f->gap_ns) {
		f->gap_ns = now - f->last_ns;
		f->gap_after = f->last;
	}
	f->last_ns = now;
	f->received++;
	if (seq > f->last)
		f->last = seq;
}

static void missing_write(FILE *out, const struct recv_flow *f)
{
	unsigned int n = 0;

	for (uint64_t seq = 0, first; seq <= f->last && n < MAX_RANGES; seq++) {
		if (seen_get(f, seq))
			continue;
		for (first = seq; seq <= f->last && !seen_get(f, seq); seq++)
			;
		fprintf(out, "%s[%" PRIu64 ",%" PRIu64 "]", n++ ? "," : "", first,
			seq - 1);
	}
}

static void received_write(const struct receiver *r, const char *path)
{
	char *text = NULL, src[IP_TEXT_SIZE];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		die("memory");
	fputs("{\"flows\":[", out);
	for (size_t i = 0; i < r->n; i++) {
		const struct recv_flow *f = &r->flows[i];

		fprintf(out,
			"%s{\"flow\":%" PRIu32 ",\"source\":\"%s\",\"answers\":%s,"
			"\"received\":%" PRIu64 ",\"duplicates\":%" PRIu64
			",\"last\":%" PRIu64 ",\"missing\":%" PRIu64
			",\"longest_gap_ms\":%.1f,\"gap_after\":%" PRIu64
			",\"missing_ranges\":[",
			i ? ",\n" : "", f->id, ip_addr_format(&f->src, src),
			f->answers ? "true" : "false", f->received, f->duplicates,
			f->last, f->last + 1 - f->received, (double)f->gap_ns / 1e6,
			f->gap_after);
		missing_write(out, f);
		fputs("]}", out);
	}
	fprintf(out, "],\"other\":%" PRIu64 "}", r->other);
	fclose(out);
	result_write(path, text);
	free(text);
}

static int udp_open(int domain, const struct options *o)
{
	int on = 1, size = RECV_BUFFER, fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ip_addr any = { .family = domain == AF_INET ? IP_V4 : IP_V6 };
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_make(&ss, &any, o->port);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	/* an answer must leave from the address that was asked */
	if (domain == AF_INET) {
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	if (bind(fd, (struct sockaddr *)&ss, len) != 0)
		die("bind");
	return fd;
}

/* msg is as recvmsg() left it, so its control data names our address. */
static void answer(int fd, struct msghdr *msg, const struct body *asked)
{
	struct body b = { .flow = asked->flow, .kind = KIND_ANSWER, .seq = asked->seq };
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct wr wr = { 0 };
	struct iovec iov;

	if (c && c->cmsg_level == IPPROTO_IP)
		((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
	else if (c && c->cmsg_level == IPPROTO_IPV6)
		((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
	body_encode(&b, &wr);
	iov = (struct iovec){ .iov_base = wr.data, .iov_len = wr.len };
	msg->msg_iov = &iov;
	msg->msg_flags = 0;
	/* a forged source has no way back; that is not our trouble */
	(void)!sendmsg(fd, msg, MSG_DONTWAIT);
	wr_fini(&wr);
}

/* Takes one packet; false when there is none. */
static bool recv_one(struct receiver *r, int fd, bool answering)
{
	union {
		char buf[128];
		struct cmsghdr align;
	} control;
	uint8_t data[2048];
	struct sockaddr_storage from;
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	ssize_t len = recvmsg(fd, &msg, MSG_DONTWAIT);
	struct recv_flow *f = NULL;
	struct ip_addr src;
	struct body b;

	if (len < 0)
		return false;
	src = sockaddr_addr(&from);
	if (body_decode(data, (size_t)len, &b))
		f = recv_flow_get(r, b.flow, &src, b.kind == KIND_ANSWER);
	if (!f) {
		r->other++;
		return true;
	}
	recv_flow_count(f, b.seq, now_ns());
	if (answering && b.kind == KIND_ASK)
		answer(fd, &msg, &b);
	return true;
}

/* Until told to stop, then until nothing is on its way any more. */
static void recv_loop(struct receiver *r, const struct options *o)
{
	uint64_t end =
		now_ns() + (uint64_t)(o->seconds ? o->seconds : MAX_LIFE_S) * 1000000000u;
	struct pollfd p[3] = { { .fd = udp_open(AF_INET, o), .events = POLLIN },
			       { .fd = udp_open(AF_INET6, o), .events = POLLIN } };
	bool draining = false;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p[2] = (struct pollfd){ .fd = signalfd(-1, &set, SFD_CLOEXEC), .events = POLLIN };
	if (p[2].fd < 0)
		die("signalfd");
	puts("listening");
	fflush(stdout);
	while (now_ns() < end) {
		int n = poll(p, 3, !draining ? 1000 : o->answer ? ANSWERS_MS : DRAIN_MS);

		if (n < 0 && errno != EINTR)
			die("poll");
		if (n == 0 && draining)
			break;
		for (int i = 0; i < 2; i++)
			for (int k = 0; k < 64 && recv_one(r, p[i].fd, o->answer); k++)
				;
		if (!draining && (p[2].revents & POLLIN)) {
			draining = true;
			p[2].fd = -1;
			end = now_ns() + DRAIN_MAX_MS * 1000000ull;
		}
	}
}

static int recv_main(const struct options *o)
{
	struct receiver *r = mem_alloc(sizeof(*r));

	recv_loop(r, o);
	received_write(r, o->out);
	for (size_t i = 0; i < r->n; i++)
		free(r->flows[i].seen);
	free(r);
	return 0;
}

/* ---- command line */

static void usage(void)
{
	fputs("usage: pkt send [-r RATE] [-n COUNT] [-t SECONDS] [-p PORT] [-o FILE] "
	      "<FLOWS\n"
	      "       pkt recv [-e] [-t SECONDS] [-p PORT] [-o FILE]\n"
	      "FLOWS are lines 'NUMBER SOURCE DESTINATION [ask]'; each flow sends RATE "
	      "packets\n"
	      "a second, numbered from 0, until COUNT, SECONDS or SIGTERM. recv answers "
	      "flows\n"
	      "that ask (-e), and after SIGTERM writes what it received as JSON.\n",
	      stderr);
	exit(2);
}

static unsigned int number(const char *text, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n == 0 || n > max) {
		fprintf(stderr, "pkt: %s: not a number from 1 to %lu\n", text, max);
		exit(2);
	}
	return (unsigned int)n;
}

int main(int argc, char **argv)
{
	struct options o = { .rate = 100, .port = PORT };
	const char *verb = argc > 1 ? argv[1] : "";
	int c;

	while ((c = getopt(argc - (argc > 1), argv + (argc > 1), "r:n:t:p:o:e")) != -1) {
		switch (c) {
		case 'r':
			o.rate = number(optarg, MAX_RATE);
			break;
		case 'n':
			o.count = number(optarg, MAX_SEQ);
			break;
		case 't':
			o.seconds = number(optarg, MAX_LIFE_S);
			break;
		case 'p':
			o.port = (uint16_t)number(optarg, 65535);
			break;
		case 'o':
			o.out = optarg;
			break;
		case 'e':
			o.answer = true;
			break;
		default:
			usage();
		}
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (strcmp(verb, "send") == 0)
		return send_main(&o);
	if (strcmp(verb, "recv") == 0)
		return recv_main(&o);
	usage();
	return 2;
}
