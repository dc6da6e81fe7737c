/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_crew - workers, each a thread of its own, and the mail between them and the
 * one thread that controls them.
 *
 * An SA belongs to the worker that its inbound SPI names (esp_crew_home()): the
 * kernel gives that worker's socket what comes for it, and nobody else has its
 * keys, its window or its sequence. The others know its selectors, and hand over
 * what they read from their queue of a device. The kernel gives the packets of a
 * flow to the queue that got the last packet of its other direction, so that is
 * for the first packets of a flow.
 *
 * A packet takes no lock unless it is handed over. All functions are for the
 * controlling thread, and all of esp_crew_ops are called in it.
 */
#ifndef SAV_ESP_CREW_H
#define SAV_ESP_CREW_H

#include "ipsec/esp/esp_counters.h"
#include "ipsec/proc.h"

struct esp_crew;

/* As esp_worker_ops, and what a worker has to say by itself once a second. */
struct esp_crew_ops {
	void (*ike)(void *ctx, uint32_t link, const struct ike_endpoint *from, const uint8_t *data, size_t len);
	void (*moved)(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote);
	void (*expiring)(void *ctx, uint32_t spi_in);
	void (*wanted)(void *ctx, uint32_t device);
	void (*room)(void *ctx, uint32_t owner, uint32_t bytes, bool learnt);
	void (*lost)(void *ctx, uint32_t device); /* once for all its queues */
	void (*failed)(void *ctx, uint32_t spi_in); /* it can't be added */
	void (*times)(void *ctx, const struct proc_times *times);
	/* the sum of all workers', when it has changed */
	void (*counters)(void *ctx, const uint64_t list[ESP_COUNTERS]);
};

/* n: a power of two, at most ESP_WORKERS_MAX. NULL: no threads to be had. */
struct esp_crew *esp_crew_new(unsigned int n, uint64_t seed, const struct esp_crew_ops *ops, void *ctx);
/* The workers begin, each with this in its thread (NULL: nothing); returns when all
 * have. -1: one said false. */
int esp_crew_start(struct esp_crew *crew, bool (*begin)(void));
void esp_crew_free(struct esp_crew *crew);

/* Readable when esp_crew_read() has something to tell. */
int esp_crew_fd(const struct esp_crew *crew);
void esp_crew_read(struct esp_crew *crew);

unsigned int esp_crew_home(const struct esp_crew *crew, uint32_t spi_in);

/* One queue and one socket for each worker; descriptors are taken over. */
void esp_crew_device(struct esp_crew *crew, unsigned int worker, uint32_t number, int fd);
void esp_crew_device_gone(struct esp_crew *crew, uint32_t number);
void esp_crew_socket(struct esp_crew *crew, unsigned int worker, const struct esp_sock_conf *conf);
void esp_crew_socket_gone(struct esp_crew *crew, uint32_t link, enum ip_family family);

/* The keys are copied, and wiped when they are in use. */
void esp_crew_add(struct esp_crew *crew, const struct esp_sa_conf *conf, bool sending);
void esp_crew_use(struct esp_crew *crew, uint32_t spi_in);
void esp_crew_unuse(struct esp_crew *crew, uint32_t spi_in);
void esp_crew_move(struct esp_crew *crew, uint32_t spi_in, const struct esp_path *path);
void esp_crew_del(struct esp_crew *crew, uint32_t spi_in);
void esp_crew_orphan(struct esp_crew *crew, uint64_t now_ms);
void esp_crew_orphans_end(struct esp_crew *crew, uint64_t until_ms);

#endif /* SAV_ESP_CREW_H */
