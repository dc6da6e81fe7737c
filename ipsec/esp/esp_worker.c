/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "ipsec/esp/esp_worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipsec/esp/esp_worker_impl.h"
#include "lib/mem.h"

#define FRAMES_MAX 256
#define ERRORS_MAX 64 /* of one socket at a wake-up */

/* What ICMP told of a path is tried anew after so long (RFC 1191 6.3). */
#define PMTU_MS (10 * 60 * 1000)

#define UDP_HEADER 8

struct esp_worker *esp_worker_new(const struct esp_worker_ops *ops, void *ctx, uint64_t seed)
{
	struct esp_worker *w = mem_alloc(sizeof(*w));

	w->ops = *ops;
	w->ctx = ctx;
	w->table = esp_table_new(seed);
	w->arena = mem_alloc(ESP_ARENA_SIZE);
	w->read_buffer = mem_alloc(ESP_READ_SIZE);
	w->scratch = mem_alloc(65536);
	w->receive = esp_receive_new();
	esp_merge_init(&w->merge, FRAMES_MAX, true);
	return w;
}

void esp_worker_share(struct esp_worker *w, struct esp_twins *twins)
{
	w->twins = twins;
}

void esp_worker_free(struct esp_worker *w)
{
	if (!w)
		return;
	esp_table_free(w->table);
	esp_twins_free(w->own_twins);
	for (size_t i = 0; i < w->n_devices; i++)
		if (w->devices[i].fd >= 0)
			close(w->devices[i].fd);
	for (size_t i = 0; i < w->n_socks; i++)
		esp_sock_free(w->socks[i]);
	free(w->devices);
	free(w->socks);
	free(w->arena);
	free(w->read_buffer);
	free(w->scratch);
	free(w->copies);
	esp_receive_free(w->receive);
	esp_merge_fini(&w->merge);
	free(w);
}

/* ---- devices and sockets: a handful, or one per tunnel; found by number on
 * each batch, not on each packet */

struct esp_device *esp_device_by_number(const struct esp_worker *w, uint32_t number)
{
	for (size_t i = 0; i < w->n_devices; i++)
		if (w->devices[i].number == number)
			return &w->devices[i];
	return NULL;
}

static struct esp_device *device_by_fd(const struct esp_worker *w, int fd)
{
	for (size_t i = 0; i < w->n_devices; i++)
		if (w->devices[i].fd == fd)
			return &w->devices[i];
	return NULL;
}

void esp_worker_device(struct esp_worker *w, uint32_t number, int fd)
{
	struct esp_device *d = esp_device_by_number(w, number);

	if (d && d->fd >= 0) {
		w->ops.unwatch(w->ctx, d->fd);
		close(d->fd);
	}
	if (!d) {
		w->devices = mem_realloc(w->devices, w->n_devices + 1, sizeof(w->devices[0]));
		d = &w->devices[w->n_devices++];
		*d = (struct esp_device){ .number = number };
	}
	d->fd = fd;
	w->ops.watch(w->ctx, fd);
}

void esp_device_lost(struct esp_worker *w, struct esp_device *d)
{
	if (d->fd < 0)
		return;
	w->ops.unwatch(w->ctx, d->fd);
	close(d->fd);
	d->fd = -1;
	w->counters.devices_lost++;
	w->ops.lost(w->ctx, d->number);
}

void esp_worker_device_gone(struct esp_worker *w, uint32_t number)
{
	struct esp_device *d = esp_device_by_number(w, number);

	if (!d)
		return;
	if (d->fd >= 0) {
		w->ops.unwatch(w->ctx, d->fd);
		close(d->fd);
	}
	*d = w->devices[--w->n_devices];
}

static struct esp_sock *find_sock(const struct esp_worker *w, uint32_t link, uint8_t family, bool raw)
{
	for (size_t i = 0; i < w->n_socks; i++)
		if (w->socks[i]->link == link && w->socks[i]->family == family && w->socks[i]->raw == raw)
			return w->socks[i];
	return NULL;
}

/* A peer that knows NAT traversal takes UDP at any time (RFC 7296 2.23). */
struct esp_sock *esp_sock_of(const struct esp_worker *w, const struct esp_sa *sa)
{
	struct esp_sock *sock = find_sock(w, sa->path.link, sa->path.remote.addr.family, !sa->path.encap);

	return sock || sa->path.encap ? sock : find_sock(w, sa->path.link, sa->path.remote.addr.family, false);
}

static void forget_room(void *ctx, struct esp_sa *sa)
{
	sa->room = 0;
}

static void sock_gone(struct esp_worker *w, uint32_t link, enum ip_family family, bool raw)
{
	for (size_t i = 0; i < w->n_socks; i++) {
		struct esp_sock *sock = w->socks[i];

		if (sock->link != link || sock->family != family || sock->raw != raw)
			continue;
		/* frames that were handed over may wait for it */
		if (w->trains_sock == sock)
			esp_out_flush(w);
		w->counters.queue_full += sock->dropped;
		w->counters.refused += sock->refused;
		w->ops.unwatch(w->ctx, sock->fd);
		esp_sock_free(sock);
		w->socks[i] = w->socks[--w->n_socks];
		return;
	}
}

void esp_worker_socket_gone(struct esp_worker *w, uint32_t link, enum ip_family family)
{
	sock_gone(w, link, family, false);
	sock_gone(w, link, family, true);
	esp_table_each(w->table, forget_room, NULL);
}

void esp_worker_socket(struct esp_worker *w, const struct esp_sock_conf *conf)
{
	sock_gone(w, conf->link, conf->family, conf->raw);
	w->socks = mem_realloc(w->socks, w->n_socks + 1, sizeof(w->socks[0]));
	w->socks[w->n_socks++] = esp_sock_new(conf);
	w->ops.watch(w->ctx, conf->fd);
	esp_table_each(w->table, forget_room, NULL);
}

/* ---- what fits */

static uint32_t outer_headers(const struct esp_sock *sock)
{
	return (sock->family == IP_V4 ? 20 : 40) + (sock->raw ? 0 : UDP_HEADER);
}

void esp_worker_fit(struct esp_worker *w, struct esp_sa *sa, const struct esp_sock *sock)
{
	if (sa->pmtu != 0 && w->now_ms >= sa->pmtu_until_ms)
		sa->pmtu = 0;
	sa->to = sa->path.remote;
	if (!sock->raw && !sa->path.encap)
		sa->to.port = IKE_NATT_PORT;
	esp_sa_fit(sa, sa->pmtu != 0 && sa->pmtu < sock->mtu ? sa->pmtu : sock->mtu, outer_headers(sock));
	w->ops.room(w->ctx, sa->owner, sa->room + (!sa->transport ? 0 : sock->family == IP_V4 ? 20 : 40), sa->pmtu != 0);
}

struct shrinking {
	struct esp_worker *w;
	struct ip_addr peer;
	uint32_t mtu;
	const struct esp_sock *sock;
};

static void shrink(void *ctx, struct esp_sa *sa)
{
	struct shrinking *s = ctx;

	if (!ip_addr_equal(&sa->path.remote.addr, &s->peer) || sa->path.link != s->sock->link || sa->pmtu == s->mtu)
		return;
	sa->pmtu = s->mtu;
	sa->pmtu_until_ms = s->w->now_ms + PMTU_MS;
	if (!sa->elsewhere && esp_sock_of(s->w, sa) == s->sock)
		esp_worker_fit(s->w, sa, s->sock);
}

static void read_errors(struct esp_worker *w, struct esp_sock *sock)
{
	struct shrinking s = { .w = w, .sock = sock };
	struct ip_addr last = { 0 };
	uint32_t last_mtu = 0;
	int got;

	for (unsigned int i = 0; i < ERRORS_MAX && (got = esp_sock_error(sock, &s.peer, &s.mtu)) >= 0; i++) {
		/* a train of 64 says the same 64 times */
		if (got == 0 || (s.mtu == last_mtu && ip_addr_equal(&s.peer, &last)))
			continue;
		last = s.peer;
		last_mtu = s.mtu;
		w->counters.pmtu_told++;
		esp_table_each(w->table, shrink, &s);
	}
}

/* ---- SAs */

struct replacing {
	struct esp_worker *w;
	const struct esp_sa *by;
};

/* Hosts behind one NAT have one address, so it is their port that tells. */
static bool takes_place(const struct esp_sa *sa, const struct esp_sa *of)
{
	if (sa->owner != of->owner)
		return false;
	return sa->transport && of->transport ? ike_endpoint_equal(&sa->path.remote, &of->path.remote) : esp_sa_meets(sa, of);
}

static void succeed_orphan(void *ctx, struct esp_sa *sa)
{
	struct replacing *r = ctx;

	if (sa->orphan_ms == 0 || sa->succeeded || !takes_place(r->by, sa))
		return;
	sa->succeeded = 1;
	esp_table_unuse(r->w->table, sa);
}

static void start_sending(struct esp_worker *w, struct esp_sa *sa)
{
	struct replacing r = { w, sa };

	const struct esp_sock *sock = esp_sock_of(w, sa);

	esp_table_use(w->table, sa);
	if (sock && !sa->elsewhere)
		esp_worker_fit(w, sa, sock);
	if (w->n_orphans > 0)
		esp_table_each(w->table, succeed_orphan, &r);
}

struct family {
	const struct esp_sa *sa;
	const struct esp_sa *same; /* an older one of the same peer */
	bool others;		   /* peers at its address */
};

static void find_family(void *ctx, struct esp_sa *other)
{
	struct family *f = ctx;

	if (!other->transport || !ip_addr_equal(&other->path.remote.addr, &f->sa->path.remote.addr))
		return;
	if (ike_endpoint_equal(&other->path.remote, &f->sa->path.remote))
		f->same = other;
	else
		f->others = true;
}

/* In transport mode, peers behind one NAT have its address. */
static void set_twin(struct esp_worker *w, struct esp_sa *sa)
{
	struct family f = { .sa = sa };

	esp_table_each(w->table, find_family, &f);
	if (f.same)
		sa->twin = f.same->twin;
	else if (f.others)
		sa->twin = sa->spi_in; /* all workers have the same number for it */
	if (sa->twin == 0)
		return;
	w->has_twins = true;
	if (!w->twins)
		w->twins = w->own_twins = esp_twins_new();
}

int esp_worker_add(struct esp_worker *w, const struct esp_sa_conf *conf, bool sending)
{
	struct esp_sa *sa = esp_sa_new(conf);

	if (!sa)
		return -1;
	if (conf->transport && !w->copies)
		w->copies = mem_alloc(ESP_COPIES_SIZE);
	if (sa->transport && sa->path.encap)
		set_twin(w, sa);
	if (esp_table_add(w->table, sa) != 0) {
		esp_sa_free(sa);
		return -1;
	}
	if (sending)
		start_sending(w, sa);
	return 0;
}

void esp_worker_use(struct esp_worker *w, uint32_t spi_in)
{
	struct esp_sa *sa = esp_table_by_spi(w->table, spi_in);

	if (sa)
		start_sending(w, sa);
}

void esp_worker_unuse(struct esp_worker *w, uint32_t spi_in)
{
	struct esp_sa *sa = esp_table_by_spi(w->table, spi_in);

	if (sa)
		esp_table_unuse(w->table, sa);
}

struct orphaning {
	struct esp_worker *w;
	uint64_t at_ms;
};

static void orphan_one(void *ctx, struct esp_sa *sa)
{
	struct orphaning *o = ctx;

	if (sa->orphan_ms != 0)
		return;
	o->w->n_orphans++;
	sa->orphan_ms = o->at_ms;
}

void esp_worker_orphan(struct esp_worker *w, uint64_t now_ms)
{
	esp_table_each(w->table, orphan_one, &(struct orphaning){ w, now_ms });
}

static void orphan_ends(void *ctx, struct esp_sa *sa)
{
	struct orphaning *o = ctx;

	if (sa->orphan_ms == 0)
		return;
	if (sa->orphan_ms <= o->at_ms || (sa->succeeded && sa->succeeded++ > ESP_LATE_LOOKS))
		esp_worker_del(o->w, sa->spi_in);
}

void esp_worker_orphans_end(struct esp_worker *w, uint64_t until_ms)
{
	if (w->n_orphans > 0)
		esp_table_each(w->table, orphan_ends, &(struct orphaning){ w, until_ms });
}

void esp_worker_move(struct esp_worker *w, uint32_t spi_in, const struct esp_path *path)
{
	struct esp_sa *sa = esp_table_by_spi(w->table, spi_in);

	if (!sa)
		return;
	sa->path = *path;
	sa->pmtu = sa->room = 0;
}

void esp_worker_del(struct esp_worker *w, uint32_t spi_in)
{
	const struct esp_sa *sa = esp_table_by_spi(w->table, spi_in);

	w->n_orphans -= sa && sa->orphan_ms != 0;
	(void)esp_table_del(w->table, spi_in);
}

void esp_worker_each(struct esp_worker *w, void (*fn)(void *ctx, struct esp_sa *sa), void *ctx)
{
	esp_table_each(w->table, fn, ctx);
}

void esp_worker_counters(const struct esp_worker *w, struct esp_worker_counters *out)
{
	*out = w->counters;
	for (size_t i = 0; i < w->n_socks; i++) {
		out->queue_full += w->socks[i]->dropped;
		out->refused += w->socks[i]->refused;
	}
}

void esp_tell_expiring(struct esp_worker *w, struct esp_sa *sa)
{
	if (esp_sa_is_expiring(sa))
		w->ops.expiring(w->ctx, sa->spi_in);
}

/* ---- from other workers */

void esp_worker_now(struct esp_worker *w, uint64_t now_ms)
{
	w->now_ms = now_ms;
}

void esp_worker_handed_out(struct esp_worker *w, uint32_t device, uint8_t *frame, size_t len)
{
	struct esp_device *d = esp_device_by_number(w, device);

	if (d)
		esp_out_frame(w, d, frame, len);
}

void esp_worker_handed_in(struct esp_worker *w, const struct esp_train *packet)
{
	esp_in_open(w, packet, packet->data, packet->len);
}

void esp_worker_handed_all(struct esp_worker *w)
{
	esp_out_flush(w);
	esp_in_write(w);
}

/* ---- ready */

void esp_worker_ready(struct esp_worker *w, int fd, uint64_t now_ms)
{
	struct esp_device *d = device_by_fd(w, fd);

	w->now_ms = now_ms;
	if (d) {
		esp_out_read(w, d);
		return;
	}
	for (size_t i = 0; i < w->n_socks; i++)
		if (w->socks[i]->fd == fd) {
			esp_in_read(w, w->socks[i]);
			return;
		}
}

void esp_worker_error(struct esp_worker *w, int fd, uint64_t now_ms)
{
	w->now_ms = now_ms;
	for (size_t i = 0; i < w->n_socks; i++)
		if (w->socks[i]->fd == fd)
			read_errors(w, w->socks[i]);
}
