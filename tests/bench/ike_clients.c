/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ike_clients - many IKE initiators in one process, each with an address, a pair
 * of UDP sockets and an identity of its own: what a responder has to bear.
 *
 * usage: ike_clients --to ADDRESS --from ADDRESS --clients N [option]...
 *
 *   --from A       the first client's address; the others follow. All must be local
 *                  here (ip route add local PREFIX dev lo)
 *   --window N     so many begin at a time, default 8
 *   --psk TEXT     the key of all; "%" in it is the client's number
 *   --own F --key F --ca F  instead: certificate, key, CA's certificate; "%" as above
 *   --give-up S    seconds to wait for all, default 60
 *   --stay S       then stay so long: liveness and all; default 0
 *
 * Client number I is "fqdn clientI.example", asks for its part of 10.128.0.0/9, and
 * the responder is "fqdn hub.example". One line of JSON when all are up; exit
 * status 1 if not all are. It leaves without a word, as one whose power fails.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ipsec/creds.h"
#include "ipsec/crypto_cert.h"
#include "ipsec/ike/ike_engine.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"

#define MARKER 4
#define WAITING_MAX 256

struct client {
	struct ike_endpoint at;
	int fd[2]; /* 500, 4500 */
	uint64_t began_ms, took_ms; /* 0: not yet */
	struct creds *creds;
	struct crypto_private *key;
};

static struct options {
	struct ip_addr to, from;
	unsigned n, window;
	const char *psk, *own, *key, *ca;
	unsigned give_up_s, stay_s;
} opt = { .n = 1, .window = 8, .give_up_s = 60 };

/* An engine each for a few clients, as many hosts would have: one with thousands of tunnels to one identity
 * looks whether it is up with it already, for INITIAL_CONTACT, and that would be most of the work here. */
#define ENGINE_CLIENTS 64
static struct ike_engine **engines, *engine; /* the one that is talked to */
static struct client *clients;
static unsigned begun, up, failed, downs, children;
static uint32_t last_spi = 4096;
static int epoll_fd;

/* AUTH values that wait for the engine to return. */
static struct waiting {
	uint64_t id;
	uint8_t method;
	struct wr auth;
} waiting[WAITING_MAX];
static unsigned n_waiting;

static void die(const char *what)
{
	fprintf(stderr, "ike_clients: %s: %s\n", what, errno ? strerror(errno) : "refused");
	exit(2);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void talk_to(unsigned client)
{
	engine = engines[client / ENGINE_CLIENTS];
}

/* "%" in a pattern is the client's number. */
static const char *numbered(const char *pattern, unsigned number, char out[256])
{
	const char *at = strchr(pattern, '%');

	if (at)
		snprintf(out, 256, "%.*s%u%s", (int)(at - pattern), pattern, number, at + 1);
	else
		snprintf(out, 256, "%s", pattern);
	return out;
}

static unsigned number_of(const char *tunnel)
{
	return (unsigned)strtoul(tunnel + 1, NULL, 10);
}

/* ---- what the engine asks for */

static void send_to(const struct ike_path *path, const void *data, size_t len, bool keepalive)
{
	static uint8_t marker[MARKER];
	union {
		const void *in;
		void *out;
	} cast = { data };
	bool natt = path->local.port == IKE_NATT_PORT;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(path->remote.port) };
	struct iovec iov[2] = { { marker, natt && !keepalive ? MARKER : 0 }, { cast.out, len } };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov, .msg_iovlen = 2 };

	ip_to_bytes(path->remote.addr.v, IP_V4, (uint8_t *)&to.sin_addr);
	(void)sendmsg(clients[path->link - 1].fd[natt], &msg, MSG_DONTWAIT);
}

static void on_send(void *ctx, const struct ike_path *path, const uint8_t *data, size_t len)
{
	send_to(path, data, len, false);
}

static void on_keepalive(void *ctx, const struct ike_path *path)
{
	static const uint8_t byte = 0xff;

	send_to(path, &byte, 1, true);
}

static void on_sign(void *ctx, const struct ike_sign *sign)
{
	struct client *c = &clients[number_of(sign->tunnel)];
	struct waiting *w = &waiting[n_waiting];
	struct ike_auth_octets octets;
	struct crypto_secret psk;
	uint8_t mac[CRYPTO_PRF_MAX];
	char text[256];
	struct diag diag;

	if (n_waiting == WAITING_MAX)
		return;
	w->id = sign->id;
	w->auth = (struct wr){ 0 };
	if (!sign->psk) {
		if (crypto_private_sign(c->key, sign->hashes, sign->octets, 3, &w->method, &w->auth, &diag) != 0)
			return;
	} else {
		memcpy(octets.parts, sign->octets, sizeof(octets.parts));
		numbered(opt.psk, number_of(sign->tunnel), text);
		crypto_secret_set(&psk, text, strlen(text));
		if (ike_auth_psk(sign->prf, &psk, &octets, mac) != 0)
			return;
		w->method = IKE_AUTH_PSK;
		wr_bytes(&w->auth, mac, crypto_prf_size(sign->prf));
	}
	n_waiting++;
}

static int on_verify(void *ctx, const struct ike_verify *verify, struct diag *diag)
{
	struct client *c = &clients[number_of(verify->tunnel->name)];

	return c->creds ? creds_verify(c->creds, verify, time(NULL), diag) : diag_set(diag, "no certificates here");
}

static void on_certs(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
	struct client *c = &clients[number_of(tunnel->name)];

	if (c->creds)
		creds_put_certs(c->creds, tunnel, w);
}

static void on_certreq(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
	struct wr ids = { 0 };

	if (tunnel && clients[number_of(tunnel->name)].creds)
		creds_add_key_ids(clients[number_of(tunnel->name)].creds, &ids);
	if (ids.len)
		ike_cert_encode(w, IKE_PL_CERTREQ, IKE_CERT_X509, ids.data, ids.len);
	wr_fini(&ids);
}

static uint32_t on_spi(void *ctx)
{
	return ++last_spi;
}

static int on_child_add(void *ctx, const struct ike_child_sa *child)
{
	children++;
	return 0;
}

static void on_child_use(void *ctx, uint32_t spi_in)
{
}

static void on_child_move(void *ctx, uint32_t spi_in, const struct ike_path *path, bool encap)
{
}

static void on_child_del(void *ctx, uint32_t spi_in)
{
}

static void on_child_times(void *ctx, uint32_t spi_in, uint64_t *heard_ms, uint64_t *spoke_ms)
{
}

static void on_event(void *ctx, enum ike_event event, uint64_t sa, const char *tunnel, const char *text)
{
	struct client *c = &clients[number_of(tunnel)];

	if (event == IKE_EVENT_UP && c->took_ms == 0) {
		c->took_ms = now_ms() - c->began_ms + 1;
		up++;
	}
	if (event == IKE_EVENT_FAILED && failed++ < 5)
		fprintf(stderr, "ike_clients: %s: %s\n", tunnel, text);
	if (event == IKE_EVENT_DOWN && downs++ < 5)
		fprintf(stderr, "ike_clients: %s went down: %s\n", tunnel, text);
}

static const struct ike_ops ops = {
	.send = on_send, .keepalive = on_keepalive, .sign = on_sign, .verify = on_verify, .put_certs = on_certs,
	.put_certreq = on_certreq, .spi = on_spi, .child_add = on_child_add, .child_use = on_child_use,
	.child_unuse = on_child_use, .child_move = on_child_move, .child_del = on_child_del,
	.child_retire = on_child_del, .child_yield = on_child_del, .child_times = on_child_times, .event = on_event,
};

/* ---- clients */

static int socket_open(const struct ip_addr *addr, uint16_t port, unsigned tag)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = tag };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ip_to_bytes(addr->v, IP_V4, (uint8_t *)&at.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		die("socket");
	return fd;
}

static uint8_t *file_read(const char *pattern, unsigned number, size_t *len)
{
	uint8_t *data = mem_alloc(CRYPTO_FILE_MAX);
	char name[256];
	FILE *f = fopen(numbered(pattern, number, name), "rb");

	if (!f)
		die(name);
	*len = fread(data, 1, CRYPTO_FILE_MAX, f);
	fclose(f);
	return data;
}

static void creds_add_file(struct client *c, enum proc_file_kind kind, const char *pattern, unsigned number)
{
	struct diag diag;
	size_t len;
	uint8_t *data = file_read(pattern, number, &len);

	if (creds_add(c->creds, kind, data, len, &diag) != 0)
		die(diag.text);
	free(data);
}

static void creds_load(struct client *c, unsigned number)
{
	struct diag diag;
	uint8_t *data;
	size_t len;

	c->creds = creds_new();
	creds_add_file(c, PROC_FILE_OWN, opt.own, number);
	creds_add_file(c, PROC_FILE_CA, opt.ca, number);
	data = file_read(opt.key, number, &len);
	c->key = crypto_private_pem(data, len, &diag);
	if (!c->key)
		die(diag.text);
	free(data);
}

static void tunnel_set(unsigned i)
{
	struct ike_ts_list own = { .n = 1 }, hub = { .n = 1 };
	struct ike_tunnel t;
	char text[64];
	struct diag diag;
	int bad;

	ike_tunnel_defaults(&t);
	snprintf(t.name, sizeof(t.name), "c%u", i);
	t.link = i + 1;
	t.remote_addr = opt.to;
	t.local_auth = t.remote_auth = opt.psk ? IKE_KIND_PSK : IKE_KIND_CERT;
	snprintf(text, sizeof(text), "fqdn client%u.example", i);
	bad = ike_identity_parse(text, &t.local_id, &diag);
	bad |= ike_identity_parse("fqdn hub.example", &t.remote_id, &diag);
	snprintf(text, sizeof(text), "10.%u.%u.%u/32", 128 + (i >> 16 & 127), i >> 8 & 255, i & 255);
	bad |= ike_ts_parse(text, &own.list[0], &diag);
	bad |= ike_ts_parse("172.31.0.0/16", &hub.list[0], &diag);
	if (bad != 0)
		die("tunnel");
	t.local_ts = &own;
	t.remote_ts = &hub;
	ike_engine_tunnel_set(engine, &t);
}

static void client_init(unsigned i)
{
	struct client *c = &clients[i];

	if (i % ENGINE_CLIENTS == 0)
		engines[i / ENGINE_CLIENTS] = ike_engine_new(&ops, NULL);
	talk_to(i);
	c->at = (struct ike_endpoint){ { opt.from.v + i, IP_V4 }, IKE_PORT };
	c->fd[0] = socket_open(&c->at.addr, IKE_PORT, 2 * i);
	c->fd[1] = socket_open(&c->at.addr, IKE_NATT_PORT, 2 * i + 1);
	if (!opt.psk)
		creds_load(c, i);
	tunnel_set(i);
}

static void client_begin(unsigned i)
{
	const struct ike_path path = { i + 1, clients[i].at, { opt.to, IKE_PORT } };
	struct diag diag;
	char name[16];

	snprintf(name, sizeof(name), "c%u", i);
	clients[i].began_ms = now_ms();
	talk_to(i);
	if (ike_engine_up(engine, name, &path, clients[i].began_ms, &diag) != 0)
		die(diag.text);
}

/* ---- in and out */

static void answer_signs(void)
{
	while (n_waiting > 0) {
		struct waiting w = waiting[--n_waiting];

		ike_engine_signed(engine, w.id, w.method, w.auth.data, w.auth.len, now_ms());
		wr_fini(&w.auth);
	}
}

static void read_socket(unsigned tag)
{
	static uint8_t buffer[65536];
	static const uint8_t marker[MARKER];
	struct client *c = &clients[tag / 2];
	bool natt = tag % 2 == 1;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t len;

	talk_to(tag / 2);
	while ((len = recvfrom(c->fd[natt], buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &from_len)) >= 0) {
		struct ike_path path = { tag / 2 + 1, { c->at.addr, natt ? IKE_NATT_PORT : IKE_PORT }, { { 0, IP_V4 }, 0 } };
		uint8_t *data = buffer;

		path.remote.addr.v = ip_from_bytes((const uint8_t *)&from.sin_addr, IP_V4);
		path.remote.port = ntohs(from.sin_port);
		if (natt && (len < MARKER || memcmp(buffer, marker, MARKER) != 0))
			continue;
		if (natt)
			data += MARKER, len -= MARKER;
		ike_engine_packet(engine, &path, data, (size_t)len, now_ms());
		answer_signs();
		from_len = sizeof(from);
	}
}

static void step(uint64_t until_ms)
{
	struct epoll_event events[64];
	uint64_t now = now_ms(), next = until_ms, due;
	int n;

	for (unsigned i = 0; i < opt.n; i += ENGINE_CLIENTS) {
		talk_to(i);
		due = ike_engine_run(engine, now);
		next = due < next ? due : next;
		answer_signs();
	}
	n = epoll_wait(epoll_fd, events, 64, next > now ? (int)(next - now) : 0);
	for (int i = 0; i < n; i++)
		read_socket(events[i].data.u32);
}

/* ---- options */

static bool option_take(int c)
{
	switch (c) {
	case 't': return ip_addr_parse(optarg, &opt.to);
	case 'f': return ip_addr_parse(optarg, &opt.from);
	case 'n': opt.n = (unsigned)atoi(optarg); return opt.n > 0 && opt.n <= 100000;
	case 'w': opt.window = (unsigned)atoi(optarg); return opt.window > 0;
	case 'p': opt.psk = optarg; return true;
	case 'o': opt.own = optarg; return true;
	case 'k': opt.key = optarg; return true;
	case 'a': opt.ca = optarg; return true;
	case 'g': opt.give_up_s = (unsigned)atoi(optarg); return true;
	case 's': opt.stay_s = (unsigned)atoi(optarg); return true;
	default: return false;
	}
}

static void options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "to", 1, NULL, 't' }, { "from", 1, NULL, 'f' }, { "clients", 1, NULL, 'n' }, { "window", 1, NULL, 'w' },
		{ "psk", 1, NULL, 'p' }, { "own", 1, NULL, 'o' }, { "key", 1, NULL, 'k' }, { "ca", 1, NULL, 'a' },
		{ "give-up", 1, NULL, 'g' }, { "stay", 1, NULL, 's' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (!option_take(c)) {
			fprintf(stderr, "usage: see the head of tests/bench/ike_clients.c\n");
			exit(2);
		}
	if (!opt.psk && !(opt.own && opt.key && opt.ca))
		die("needs --psk, or --own, --key and --ca");
}

int main(int argc, char **argv)
{
	struct rlimit files = { 1 << 20, 1 << 20 };
	uint64_t began, ended, longest = 0;

	options(argc, argv);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	crypto_warm_up();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	engines = mem_calloc((opt.n + ENGINE_CLIENTS - 1) / ENGINE_CLIENTS, sizeof(engines[0]));
	clients = mem_calloc(opt.n, sizeof(clients[0]));
	for (unsigned i = 0; i < opt.n; i++)
		client_init(i);
	began = now_ms();
	while (up < opt.n && now_ms() < began + opt.give_up_s * 1000ULL) {
		while (begun < opt.n && begun < up + opt.window)
			client_begin(begun++);
		step(now_ms() + 100);
	}
	ended = now_ms();
	for (unsigned i = 0; i < opt.n; i++)
		longest = clients[i].took_ms > longest ? clients[i].took_ms : longest;
	printf("{\"clients\": %u, \"up\": %u, \"children\": %u, \"failed\": %u, \"seconds\": %.3f, \"longest_ms\": %llu}\n", opt.n,
	       up, children, failed, (double)(ended - began) / 1000,
	       (unsigned long long)longest);
	fflush(stdout);
	while (now_ms() < ended + opt.stay_s * 1000ULL)
		step(ended + opt.stay_s * 1000ULL);
	/* what is still up after the stay says whether it was quiet */
	return up == opt.n && downs == 0 ? 0 : 1;
}
