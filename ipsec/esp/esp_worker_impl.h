/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_worker_impl - private to esp_worker.c (devices, sockets, SAs), esp_out.c and
 * esp_in.c.
 */
#ifndef SAV_ESP_WORKER_IMPL_H
#define SAV_ESP_WORKER_IMPL_H

#include "ipsec/esp/esp_merge.h"
#include "ipsec/esp/esp_sock.h"
#include "ipsec/esp/esp_table.h"
#include "ipsec/esp/esp_twin.h"
#include "ipsec/esp/esp_worker.h"

/* Reads of one device at a wake-up: the others get their turn. */
#define ESP_READS_MAX 32
#define ESP_READ_SIZE (sizeof(struct virtio_net_hdr) + 65536)

/* What is sealed before it is sent: stays within a second-level cache. */
#define ESP_ARENA_SPARE (ESP_TRAIN_BYTES_MAX + 512)
#define ESP_ARENA_SIZE	(4 * ESP_ARENA_SPARE)

/* Packets of transport mode, with the header that they get. */
#define ESP_COPIES_SIZE (256 * 1024)

/* A device's packets without an SA are told of so often at most. */
#define ESP_WANTED_EVERY_MS 100

struct esp_device {
	uint32_t number;
	int fd; /* -1: taken away */
	uint64_t wanted_ms; /* when they were told of last; 0: never */
};

struct esp_worker {
	struct esp_worker_ops ops;
	void *ctx;
	struct esp_table *table;
	size_t n_orphans;
	struct esp_twins *twins, *own_twins; /* NULL: there are none; not shared */
	bool has_twins; /* some SA is or was a twin's */
	struct esp_device *devices;
	size_t n_devices;
	struct esp_sock **socks;
	size_t n_socks;
	struct esp_worker_counters counters;
	uint64_t now_ms;

	/* out: sealed, and to be sent by one socket */
	uint8_t *arena, *read_buffer, *scratch;
	size_t arena_used;
	struct esp_train trains[ESP_BATCH];
	unsigned int n_trains;
	struct esp_sock *trains_sock;
	uint64_t told_second; /* messages to inner sources are few a second */
	unsigned int told;

	/* in: opened, and to be written */
	struct esp_receive *receive;
	struct esp_merge merge;
	uint8_t *copies; /* NULL without transport mode */
	size_t copies_used;
};

/* ---- esp_worker.c */
struct esp_device *esp_device_by_number(const struct esp_worker *w, uint32_t number);
/* Its interface is no more: it is not read again, and whoever made it is told. */
void esp_device_lost(struct esp_worker *w, struct esp_device *d);
/* The socket that the SA's packets leave by; NULL: its link has none. */
struct esp_sock *esp_sock_of(const struct esp_worker *w, const struct esp_sa *sa);
/* Works out what fits, and says so to who asks for it. */
void esp_worker_fit(struct esp_worker *w, struct esp_sa *sa, const struct esp_sock *sock);
void esp_tell_expiring(struct esp_worker *w, struct esp_sa *sa);

/* Counts what the SA did not carry, among all and of this one. */
static inline void esp_sa_drop(struct esp_worker *w, struct esp_sa *sa, uint64_t *of_all, uint32_t *of_sa)
{
	++*of_all;
	++*of_sa;
	sa->dropped_ms = w->now_ms;
}

/* ---- esp_out.c */
void esp_out_read(struct esp_worker *w, struct esp_device *d);
void esp_out_frame(struct esp_worker *w, struct esp_device *d, uint8_t *frame, size_t len);
void esp_out_flush(struct esp_worker *w);

/* ---- esp_in.c */
void esp_in_read(struct esp_worker *w, struct esp_sock *sock);
void esp_in_open(struct esp_worker *w, const struct esp_train *train, uint8_t *packet, size_t len);
void esp_in_write(struct esp_worker *w);
/* Of a frame for a device: true when it took it. */
bool esp_device_write(const struct esp_device *d, const struct iovec *iov, unsigned int n);

#endif /* SAV_ESP_WORKER_IMPL_H */
