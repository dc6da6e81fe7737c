/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "ipsec/esp/esp_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_merge.h"
#include "ipsec/esp/esp_sock.h"
#include "ipsec/esp/esp_super.h"
#include "ipsec/esp/esp_table.h"
#include "lib/mem.h"

/* Reads of one device at a wake-up: the others get their turn. */
#define READS_MAX 32
#define READ_SIZE (sizeof(struct virtio_net_hdr) + 65536)

/* What is sealed before it is sent: stays within a second-level cache. */
#define ARENA_SIZE  (4 * (ESP_TRAIN_BYTES_MAX + 512))
#define ARENA_SPARE (ESP_TRAIN_BYTES_MAX + 512)

#define FRAMES_MAX 256

#define KEEPALIVE 0xff /* RFC 3948 2.3 */

#define NAME_SIZE 16 /* IFNAMSIZ */

struct device {
	uint32_t number;
	char name[NAME_SIZE];
	int fd;
};

struct esp_worker {
	struct esp_worker_ops ops;
	void *ctx;
	struct esp_table *table;
	size_t n_orphans;
	struct device *devices;
	size_t n_devices;
	uint32_t last_number;
	struct esp_sock **socks;
	size_t n_socks;
	struct esp_worker_counters counters;
	uint64_t now_ms;

	/* out: sealed, and to be sent by one socket */
	uint8_t *arena, *read_buffer;
	size_t arena_used;
	struct esp_train trains[ESP_BATCH];
	unsigned int n_trains;
	struct esp_sock *trains_sock;

	/* in: opened, and to be written */
	struct esp_receive *receive;
	struct esp_merge merge;
};

struct esp_worker *esp_worker_new(const struct esp_worker_ops *ops, void *ctx, uint64_t seed)
{
	struct esp_worker *w = mem_alloc(sizeof(*w));

	w->ops = *ops;
	w->ctx = ctx;
	w->table = esp_table_new(seed);
	w->arena = mem_alloc(ARENA_SIZE);
	w->read_buffer = mem_alloc(READ_SIZE);
	w->receive = esp_receive_new();
	esp_merge_init(&w->merge, FRAMES_MAX, true);
	return w;
}

void esp_worker_free(struct esp_worker *w)
{
	if (!w)
		return;
	esp_table_free(w->table);
	for (size_t i = 0; i < w->n_devices; i++)
		close(w->devices[i].fd);
	for (size_t i = 0; i < w->n_socks; i++)
		esp_sock_free(w->socks[i]);
	free(w->devices);
	free(w->socks);
	free(w->arena);
	free(w->read_buffer);
	esp_receive_free(w->receive);
	esp_merge_fini(&w->merge);
	free(w);
}

/* ---- devices and sockets: a handful, or one per tunnel; found by number on
 * each batch, not on each packet */

static struct device *device_by_number(const struct esp_worker *w, uint32_t number)
{
	for (size_t i = 0; i < w->n_devices; i++)
		if (w->devices[i].number == number)
			return &w->devices[i];
	return NULL;
}

static struct device *device_by_fd(const struct esp_worker *w, int fd)
{
	for (size_t i = 0; i < w->n_devices; i++)
		if (w->devices[i].fd == fd)
			return &w->devices[i];
	return NULL;
}

uint32_t esp_worker_device(struct esp_worker *w, const char *name, int fd)
{
	struct device *d;

	for (size_t i = 0; i < w->n_devices; i++)
		if (strcmp(w->devices[i].name, name) == 0) {
			close(fd);
			return w->devices[i].number;
		}
	w->devices = mem_realloc(w->devices, w->n_devices + 1, sizeof(w->devices[0]));
	d = &w->devices[w->n_devices++];
	*d = (struct device){ .number = ++w->last_number, .fd = fd };
	strncpy(d->name, name, sizeof(d->name) - 1);
	w->ops.watch(w->ctx, fd);
	return d->number;
}

void esp_worker_device_gone(struct esp_worker *w, uint32_t number)
{
	struct device *d = device_by_number(w, number);

	if (!d)
		return;
	w->ops.unwatch(w->ctx, d->fd);
	close(d->fd);
	*d = w->devices[--w->n_devices];
}

static struct esp_sock *sock_of(const struct esp_worker *w, uint32_t link, uint8_t family)
{
	for (size_t i = 0; i < w->n_socks; i++)
		if (w->socks[i]->link == link && w->socks[i]->family == family)
			return w->socks[i];
	return NULL;
}

void esp_worker_socket_gone(struct esp_worker *w, uint32_t link, enum ip_family family)
{
	for (size_t i = 0; i < w->n_socks; i++) {
		struct esp_sock *sock = w->socks[i];

		if (sock->link != link || sock->family != family)
			continue;
		w->counters.queue_full += sock->dropped;
		w->counters.refused += sock->refused;
		w->ops.unwatch(w->ctx, sock->fd);
		esp_sock_free(sock);
		w->socks[i] = w->socks[--w->n_socks];
		return;
	}
}

void esp_worker_socket(struct esp_worker *w, uint32_t link, enum ip_family family, int fd)
{
	esp_worker_socket_gone(w, link, family);
	w->socks = mem_realloc(w->socks, w->n_socks + 1, sizeof(w->socks[0]));
	w->socks[w->n_socks++] = esp_sock_new(fd, link, family);
	w->ops.watch(w->ctx, fd);
}

/* ---- SAs */

struct replacing {
	struct esp_worker *w;
	uint32_t owner;
};

static void drop_orphan(void *ctx, struct esp_sa *sa)
{
	struct replacing *r = ctx;

	if (!sa->orphan || sa->owner != r->owner)
		return;
	r->w->n_orphans--;
	(void)esp_table_del(r->w->table, sa->spi_in);
}

static void start_sending(struct esp_worker *w, struct esp_sa *sa)
{
	struct replacing r = { w, sa->owner };

	esp_table_use(w->table, sa);
	if (w->n_orphans > 0)
		esp_table_each(w->table, drop_orphan, &r);
}

int esp_worker_add(struct esp_worker *w, const struct esp_sa_conf *conf, bool sending)
{
	struct esp_sa *sa = esp_sa_new(conf);

	if (!sa)
		return -1;
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

static void orphan_one(void *ctx, struct esp_sa *sa)
{
	struct esp_worker *w = ctx;

	w->n_orphans += !sa->orphan;
	sa->orphan = true;
}

void esp_worker_orphan(struct esp_worker *w)
{
	esp_table_each(w->table, orphan_one, w);
}

void esp_worker_move(struct esp_worker *w, uint32_t spi_in, const struct esp_path *path)
{
	struct esp_sa *sa = esp_table_by_spi(w->table, spi_in);

	if (sa)
		sa->path = *path;
}

void esp_worker_del(struct esp_worker *w, uint32_t spi_in)
{
	const struct esp_sa *sa = esp_table_by_spi(w->table, spi_in);

	w->n_orphans -= sa && sa->orphan;
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

static void tell_expiring(struct esp_worker *w, struct esp_sa *sa)
{
	if (esp_sa_is_expiring(sa))
		w->ops.expiring(w->ctx, sa->spi_in);
}

/* ---- from devices to sockets */

static void flush(struct esp_worker *w)
{
	if (w->n_trains > 0)
		esp_sock_send(w->trains_sock, w->trains, w->n_trains);
	w->n_trains = 0;
	w->arena_used = 0;
}

/* The next datagram goes behind the last one when it can share its train. */
static bool fits_train(const struct esp_worker *w, const struct esp_sa *sa, size_t size, uint8_t tos)
{
	const struct esp_train *t = &w->trains[w->n_trains - 1];

	return w->trains_sock->segment && t->len % t->size == 0 && size <= t->size && t->tos == tos &&
	       t->len + size <= ESP_TRAIN_BYTES_MAX && t->len / t->size < ESP_TRAIN_MAX &&
	       ike_endpoint_equal(&t->peer, &sa->path.remote);
}

/* A place for one ESP packet of that size, which then must be filled. */
static uint8_t *place(struct esp_worker *w, struct esp_sock *sock, const struct esp_sa *sa, size_t size, uint8_t tos)
{
	struct esp_train *t;

	if (w->n_trains > 0 && w->trains_sock != sock)
		flush(w);
	if (w->n_trains == 0 || !fits_train(w, sa, size, tos)) {
		if (w->n_trains == ESP_BATCH || w->arena_used + ARENA_SPARE > ARENA_SIZE)
			flush(w);
		t = &w->trains[w->n_trains++];
		*t = (struct esp_train){ .data = w->arena + w->arena_used,
					 .size = (uint16_t)size,
					 .tos = tos,
					 .peer = sa->path.remote };
		w->trains_sock = sock;
	}
	t = &w->trains[w->n_trains - 1];
	t->len += size;
	w->arena_used += size;
	return t->data + t->len - size;
}

/* The place is not used after all. */
static void unplace(struct esp_worker *w, size_t size)
{
	struct esp_train *t = &w->trains[w->n_trains - 1];

	t->len -= size;
	w->arena_used -= size;
	if (t->len == 0)
		w->n_trains--;
}

static void send_super(struct esp_worker *w, struct esp_sa *sa, struct esp_sock *sock, const struct esp_super *s)
{
	uint8_t next = s->inner.family == IP_V4 ? ESP_NEXT_V4 : ESP_NEXT_V6;

	for (uint32_t i = 0; i < s->count; i++) {
		size_t len = esp_super_length(s, i), size = esp_sa_length(sa, len);
		uint8_t *packet;

		if (size > ESP_TRAIN_BYTES_MAX) {
			w->counters.refused++;
			return;
		}
		/* the outer header says what the inner one says: DSCP (RFC 4301 5.1.2.1)
		 * and ECN (RFC 6040 4.1) */
		packet = place(w, sock, sa, size, s->inner.tos);
		esp_super_put(s, i, packet + ESP_HEADER + sa->iv);
		if (esp_sa_seal(sa, packet, len, next) != size) {
			unplace(w, size);
			w->counters.exhausted++;
			return;
		}
		w->counters.out++;
	}
	sa->spoke_ms = w->now_ms;
}

static void from_device(struct esp_worker *w, const struct device *d, size_t len)
{
	struct virtio_net_hdr vnet;
	struct esp_super s;
	struct esp_sa *sa;
	struct esp_sock *sock;

	memcpy(&vnet, w->read_buffer, sizeof(vnet));
	if (esp_super_read(&vnet, w->read_buffer + sizeof(vnet), len - sizeof(vnet), &s) != 0) {
		w->counters.bad_super++;
		return;
	}
	sa = esp_table_choose(w->table, d->number, &s.inner);
	if (!sa) {
		w->counters.no_sa++;
		w->ops.wanted(w->ctx, d->number);
		return;
	}
	sock = sock_of(w, sa->path.link, sa->path.remote.addr.family);
	if (!sock) {
		w->counters.no_socket++;
		return;
	}
	send_super(w, sa, sock, &s);
	tell_expiring(w, sa);
}

static void read_device(struct esp_worker *w, const struct device *d)
{
	for (unsigned int i = 0; i < READS_MAX; i++) {
		ssize_t n = read(d->fd, w->read_buffer, READ_SIZE);

		if (n < (ssize_t)sizeof(struct virtio_net_hdr))
			break;
		from_device(w, d, (size_t)n);
	}
	flush(w);
}

/* ---- from sockets to devices */

static bool device_write(const struct device *d, const struct iovec *iov, unsigned int n)
{
	return writev(d->fd, iov, (int)n) >= 0;
}

/* The kernel did not take a joined frame: its packets one by one. */
static bool write_cut(const struct device *d, const struct esp_frame *f)
{
	struct virtio_net_hdr vnet = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	uint8_t *whole = mem_alloc(65536), *piece = mem_alloc(65536);
	struct esp_super s;
	size_t len = 0;
	bool ok = true;

	for (unsigned int i = 1; i < f->n_iov; i++) {
		memcpy(whole + len, f->iov[i].iov_base, f->iov[i].iov_len);
		len += f->iov[i].iov_len;
	}
	if (esp_super_read(&f->vnet, whole, len, &s) == 0) {
		for (uint32_t i = 0; i < s.count; i++) {
			struct iovec iov[2] = { { &vnet, sizeof(vnet) }, { piece, esp_super_put(&s, i, piece) } };

			ok = device_write(d, iov, 2) && ok;
		}
	}
	free(whole);
	free(piece);
	return ok;
}

static void write_frames(struct esp_worker *w)
{
	struct device *d = NULL;

	esp_merge_finish(&w->merge);
	for (unsigned int i = 0; i < w->merge.n; i++) {
		const struct esp_frame *f = &w->merge.frames[i];
		bool ok;

		if (!d || d->number != f->tunnel)
			d = device_by_number(w, f->tunnel);
		ok = d && device_write(d, f->iov, f->n_iov);
		if (!ok && d && errno == EINVAL && f->n_iov > 2) {
			if (f->vnet.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4)
				w->merge.udp = false; /* before Linux 6.2 */
			ok = write_cut(d, f);
		}
		w->counters.tun_refused += !ok;
	}
	esp_merge_reset(&w->merge);
}

static void to_device(struct esp_worker *w, const struct esp_sa *sa, const struct esp_plain *plain, uint8_t outer_tos)
{
	struct esp_inner inner;

	if (esp_inner_read(plain->data, plain->len, &inner) != 0 ||
	    plain->next_header != (inner.family == IP_V4 ? ESP_NEXT_V4 : ESP_NEXT_V6)) {
		w->counters.verdicts[ESP_BAD_INNER]++;
	} else if (!esp_sa_selects(sa, &inner, false)) {
		w->counters.verdicts[ESP_BAD_SELECTOR]++;
	} else if (esp_inner_ecn(plain->data, &inner, outer_tos) != 0) {
		w->counters.ce_dropped++;
	} else {
		w->counters.verdicts[ESP_OK]++;
		if (!esp_merge_add(&w->merge, sa->tunnel, plain->data, &inner)) {
			write_frames(w);
			esp_merge_add(&w->merge, sa->tunnel, plain->data, &inner);
		}
	}
}

/* The source of an authentic packet with the highest number so far is where the
 * peer is now; ike decides whether it is followed. */
static void note_source(struct esp_worker *w, struct esp_sa *sa, const struct ike_endpoint *from)
{
	if (ike_endpoint_equal(from, &sa->path.remote) || ike_endpoint_equal(from, &sa->told))
		return;
	sa->told = *from;
	w->ops.moved(w->ctx, sa->spi_in, from);
}

static void open_esp(struct esp_worker *w, const struct esp_train *train, uint8_t *packet, size_t len)
{
	struct esp_sa *sa = esp_table_by_spi(w->table, esp_get32(packet));
	struct esp_plain plain;
	enum esp_verdict verdict;

	w->counters.in++;
	if (!sa) {
		w->counters.unknown_spi++;
		return;
	}
	verdict = esp_sa_open(sa, packet, len, &plain);
	if (verdict != ESP_OK) {
		w->counters.verdicts[verdict]++;
		return;
	}
	sa->heard_ms = w->now_ms;
	if (plain.newest)
		note_source(w, sa, &train->peer);
	to_device(w, sa, &plain, train->tos);
	tell_expiring(w, sa);
}

static void from_socket(struct esp_worker *w, const struct esp_sock *sock, const struct esp_train *train)
{
	for (size_t at = 0; at < train->len; at += train->size) {
		uint8_t *packet = train->data + at;
		size_t len = train->len - at < train->size ? train->len - at : train->size;

		if (len == 1 && packet[0] == KEEPALIVE) {
			w->counters.keepalives++;
		} else if (len <= ESP_HEADER) {
			w->counters.stray++;
		} else if (esp_get32(packet) == 0) { /* the non-ESP marker (RFC 3948 2.2) */
			w->counters.ike++;
			w->ops.ike(w->ctx, sock->link, &train->peer, packet + 4, len - 4);
		} else {
			open_esp(w, train, packet, len);
		}
	}
}

static void read_socket(struct esp_worker *w, struct esp_sock *sock)
{
	struct esp_train trains[ESP_BATCH];
	unsigned int n = esp_sock_receive(sock, w->receive, trains);

	for (unsigned int i = 0; i < n; i++)
		from_socket(w, sock, &trains[i]);
	write_frames(w);
}

void esp_worker_ready(struct esp_worker *w, int fd, uint64_t now_ms)
{
	const struct device *d = device_by_fd(w, fd);

	w->now_ms = now_ms;
	if (d) {
		read_device(w, d);
		return;
	}
	for (size_t i = 0; i < w->n_socks; i++)
		if (w->socks[i]->fd == fd) {
			read_socket(w, w->socks[i]);
			return;
		}
}
