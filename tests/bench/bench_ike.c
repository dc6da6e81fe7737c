/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bench_ike - IKE SAs by the thousand: two engines in one process.
 *
 * usage: bench_ike [TUNNELS [all-comers]]      default: 5000
 *
 * With all-comers they are peers of one tunnel of the responder, none of which may have
 * what another one has.
 *
 * Processor time of either side for a handshake with a pre-shared key (signer's
 * work included), with X25519 and AES-GCM, memory of the responder, and what an
 * hour of liveness costs. One line of JSON at the end.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipsec/ike/ike_engine.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"

struct datagram {
	struct datagram *next;
	unsigned to;
	struct ike_path path;
	size_t len;
	uint8_t data[];
};

struct signature {
	uint64_t id;
	size_t len;
	uint8_t auth[CRYPTO_PRF_MAX];
};

static struct side {
	struct ike_engine *engine;
	struct ike_endpoint at;
	uint32_t next_spi;
	unsigned n_signs, ups, children;
	struct signature signs[64];
	double cpu_s;
} sides[2];
static struct datagram *first, **last = &first;
static uint64_t now_ms = 1000;
static bool all_comers;

static double cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- what the engines ask for */

static void on_send(void *ctx, const struct ike_path *path, const uint8_t *data, size_t len)
{
	struct datagram *d = mem_alloc(sizeof(*d) + len);

	d->to = ctx == &sides[0];
	d->path = (struct ike_path){ 1, path->remote, path->local };
	d->len = len;
	memcpy(d->data, data, len);
	*last = d;
	last = &d->next;
}

static void on_keepalive(void *ctx, const struct ike_path *path)
{
}

static void on_sign(void *ctx, const struct ike_sign *sign)
{
	struct side *side = ctx;
	struct signature *s = &side->signs[side->n_signs++];
	struct ike_auth_octets octets;
	struct crypto_secret psk;

	memcpy(octets.parts, sign->octets, sizeof(octets.parts));
	crypto_secret_set(&psk, "a secret of both", 16);
	s->id = sign->id;
	s->len = crypto_prf_size(sign->prf);
	if (ike_auth_psk(sign->prf, &psk, &octets, s->auth) != 0)
		abort();
}

static int on_verify(void *ctx, const struct ike_verify *verify, struct diag *diag)
{
	return diag_set(diag, "no certificates here");
}

static void on_certs(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
}

static uint32_t on_spi(void *ctx)
{
	return 0x10000 + ((struct side *)ctx)->next_spi++;
}

static int on_child_add(void *ctx, const struct ike_child_sa *child)
{
	((struct side *)ctx)->children++;
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
	((struct side *)ctx)->ups += event == IKE_EVENT_UP;
}

static const struct ike_ops ops = {
	.send = on_send, .keepalive = on_keepalive, .sign = on_sign, .verify = on_verify, .put_certs = on_certs,
	.put_certreq = on_certs, .spi = on_spi, .child_add = on_child_add, .child_use = on_child_use,
	.child_unuse = on_child_use, .child_move = on_child_move, .child_del = on_child_del,
	.child_retire = on_child_del, .child_yield = on_child_del, .child_times = on_child_times, .event = on_event,
};

/* ---- driving */

static void answer_signs(struct side *side)
{
	while (side->n_signs > 0) {
		const struct signature s = side->signs[--side->n_signs];

		ike_engine_signed(side->engine, s.id, IKE_AUTH_PSK, s.auth, s.len, now_ms);
	}
}

static uint64_t run(struct side *side)
{
	double began = cpu();
	uint64_t next = ike_engine_run(side->engine, now_ms);

	answer_signs(side);
	side->cpu_s += cpu() - began;
	return next;
}

/* Until nothing is on the wire: each packet is a wake-up of its own. */
static void settle(void)
{
	while (first) {
		struct datagram *d = first;
		struct side *side = &sides[d->to];
		double began = cpu();

		first = d->next;
		if (!first)
			last = &first;
		ike_engine_packet(side->engine, &d->path, d->data, d->len, now_ms);
		answer_signs(side);
		ike_engine_run(side->engine, now_ms);
		side->cpu_s += cpu() - began;
		free(d);
	}
}

static void set_tunnel(unsigned side, unsigned number)
{
	struct ike_ts_list client = { .n = 1 }, hub = { .n = 1 };
	struct ike_tunnel t;
	char text[64];
	struct diag diag;
	int ok;

	ike_tunnel_defaults(&t);
	snprintf(t.name, sizeof(t.name), "t%u", number);
	t.link = 1;
	snprintf(text, sizeof(text), "fqdn client%u.example", number);
	ok = ike_identity_parse(text, side ? &t.remote_id : &t.local_id, &diag);
	/* one side is many clients, of which each knows one hub */
	snprintf(text, sizeof(text), "fqdn hub%u.example", all_comers ? 0 : number);
	ok |= ike_identity_parse(text, side ? &t.local_id : &t.remote_id, &diag);
	if (side == 0)
		t.remote_addr = sides[1].at.addr;
	snprintf(text, sizeof(text), "10.%u.%u.0/24", number / 256 % 256, number % 256);
	ok |= ike_ts_parse("203.0.113.0/24", &hub.list[0], &diag);
	if (all_comers && side) {
		memset(&t.remote_id, 0, sizeof(t.remote_id));
		snprintf(text, sizeof(text), "10.0.0.0/8");
	}
	ok |= ike_ts_parse(text, &client.list[0], &diag);
	t.local_ts = side ? &hub : &client;
	t.remote_ts = side ? &client : &hub;
	if (ok != 0)
		abort();
	ike_engine_tunnel_set(sides[side].engine, &t);
}

static void establish(unsigned n)
{
	struct ike_path path = { 1, sides[0].at, sides[1].at };
	struct diag diag;
	char name[16];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		if (ike_engine_up(sides[0].engine, name, &path, now_ms, &diag) != 0)
			abort();
		settle();
	}
}

/* An hour in which nothing is sent: each SA asks every 30 s, and new keys. */
static double idle(uint64_t ms)
{
	uint64_t until = now_ms + ms;
	double began = cpu();

	while (now_ms < until) {
		uint64_t a = run(&sides[0]), b = run(&sides[1]), next = a < b ? a : b;

		settle();
		/* a wake-up for several that are due within ten milliseconds, as with many peers */
		now_ms = next > now_ms + 10 ? next : now_ms + 10;
	}
	return cpu() - began;
}

static size_t used(void)
{
	return mallinfo2().uordblks;
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 5000;
	size_t before, configured, up;
	double cpu_s[2], hour_s;

	all_comers = argc > 2 && strcmp(argv[2], "all-comers") == 0;
	if (n == 0 || n > 60000 || (argc > 2 && !all_comers) || !ip_addr_parse("192.0.2.1", &sides[0].at.addr) ||
	    !ip_addr_parse("198.51.100.1", &sides[1].at.addr))
		return 2;
	crypto_warm_up();
	for (unsigned i = 0; i < 2; i++)
		sides[i].engine = ike_engine_new(&ops, &sides[i]);
	before = used();
	for (unsigned i = 0; i < n; i++)
		for (unsigned side = 0; side < (all_comers && i > 0 ? 1 : 2); side++)
			set_tunnel(side, i);
	configured = used();
	establish(n);
	up = used();
	if (sides[0].ups != n || sides[1].ups != n || sides[1].children != n) {
		fprintf(stderr, "only %u of %u are up\n", sides[1].ups, n);
		return 1;
	}
	cpu_s[0] = sides[0].cpu_s;
	cpu_s[1] = sides[1].cpu_s;
	hour_s = idle(60000);
	for (unsigned i = 0; i < 2; i++)
		ike_engine_free(sides[i].engine);
	printf("{\"bench\": \"ike\", \"tunnels\": %u, \"initiator_us\": %.0f, \"responder_us\": %.0f, "
	       "\"tunnel_bytes\": %zu, \"sa_bytes\": %zu, \"idle_minute_cpu_ms_both_sides\": %.0f}\n",
	       n, cpu_s[0] * 1e6 / n, cpu_s[1] * 1e6 / n, (configured - before) / n / 2, (up - configured) / n / 2, hour_s * 1e3);
	return 0;
}
