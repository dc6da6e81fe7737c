/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_worker - one thread of the user-space datapath: TUN devices, sockets and SAs.
 *
 * All that belongs to a worker is used by its thread alone, so no packet takes a
 * lock. Times are milliseconds of the monotonic clock.
 */
#ifndef SAV_ESP_WORKER_H
#define SAV_ESP_WORKER_H

#include "ipsec/esp/esp_sa.h"
#include "ipsec/esp/esp_sock.h"

struct esp_twins;
struct esp_worker;

/* What the worker has to say; each must be quick and must not call back. */
struct esp_worker_ops {
	/* an IKE message that came among ESP, without the marker; false: dropped, since
	 * others wait already */
	bool (*ike)(void *ctx, uint32_t link, const struct ike_endpoint *from, const uint8_t *data, size_t len);
	/* the newest authentic packet came from elsewhere; once for each place, and
	 * of one SA no more often than every 200 ms */
	void (*moved)(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote);
	void (*expiring)(void *ctx, uint32_t spi_in);
	/* a packet wants out of a device that has no SA for it; of one device no more
	 * often than every 100 ms */
	void (*wanted)(void *ctx, uint32_t device);
	/* the longest packet that the owner's newest sending SA carries whole, each
	 * time it is worked out; learnt: by what ICMP said of the path */
	void (*room)(void *ctx, uint32_t owner, uint32_t bytes, bool learnt);
	/* a device's interface is gone; a new one may be given under the same name */
	void (*lost)(void *ctx, uint32_t device);
	/* what another worker's SA is to carry: a frame as the device gave it, or an
	 * ESP packet. Copied, or dropped when there is no room: false */
	bool (*hand_out)(void *ctx, uint32_t spi_in, uint32_t device, const uint8_t *frame, size_t len);
	bool (*hand_in)(void *ctx, uint32_t spi_in, const struct esp_train *packet);
	/* descriptors to read from when there is something */
	void (*watch)(void *ctx, int fd);
	void (*unwatch)(void *ctx, int fd);
};

/* Packets that were not carried, by reason; and what was. */
struct esp_worker_counters {
	uint64_t in, out; /* ESP packets */
	uint64_t bytes_in, bytes_out; /* of what was inside */
	uint64_t verdicts[ESP_VERDICTS];
	uint64_t unknown_spi;
	uint64_t keepalives, ike, stray; /* stray: too short for either */
	uint64_t too_big;    /* from a device: longer than the path takes, and not to be cut */
	uint64_t cut;	     /* from a device: sent as fragments */
	uint64_t mss_lowered; /* TCP SYNs of both directions */
	uint64_t too_long;   /* longer than ESP takes, or fragments in transport mode */
	uint64_t pmtu_told;  /* the kernel learnt of a shorter path */
	uint64_t aliases_full; /* from a twin (esp_twin.h): no port is left */
	uint64_t devices_lost;
	uint64_t handed;     /* to the worker whose SA it is */
	uint64_t handed_full; /* and dropped, since that one has enough to do */
	uint64_t no_sa;	     /* from a device, and no SA carries it */
	uint64_t bad_super;  /* from a device, and no packet */
	uint64_t no_socket;  /* the SA's link has none */
	uint64_t ce_dropped; /* RFC 6040: congestion that can't be told inside */
	uint64_t queue_full; /* the socket's */
	uint64_t refused;    /* by the kernel on sending */
	uint64_t tun_refused; /* by the device */
	uint64_t exhausted;  /* sequence numbers used up */
	uint64_t ike_full;   /* IKE messages that were dropped on their way to the IKE process */
};

struct esp_worker *esp_worker_new(const struct esp_worker_ops *ops, void *ctx, uint64_t seed);
/* The aliases that it shares with others (esp_twin.h); they must outlive it. */
void esp_worker_share(struct esp_worker *w, struct esp_twins *twins);
void esp_worker_free(struct esp_worker *w);

/* A queue of a TUN device (IFF_VNET_HDR | IFF_NO_PI, non-blocking), taken over;
 * number is for esp_sa_conf.tunnel. Takes the place of the one that it had. */
void esp_worker_device(struct esp_worker *w, uint32_t number, int fd);
void esp_worker_device_gone(struct esp_worker *w, uint32_t number);

/* A link's socket for ESP in UDP, or for protocol 50, non-blocking, taken over;
 * takes the place of one of that kind that the link has for that family. */
void esp_worker_socket(struct esp_worker *w, const struct esp_sock_conf *conf);
/* Both kinds. */
void esp_worker_socket_gone(struct esp_worker *w, uint32_t link, enum ip_family family);

/* -1: keys or suite can't be used, or the SPI is taken. sending false: it only
 * receives until esp_worker_use(). */
int esp_worker_add(struct esp_worker *w, const struct esp_sa_conf *conf, bool sending);
void esp_worker_use(struct esp_worker *w, uint32_t spi_in);
void esp_worker_unuse(struct esp_worker *w, uint32_t spi_in); /* receives still */
void esp_worker_move(struct esp_worker *w, uint32_t spi_in, const struct esp_path *path);
void esp_worker_del(struct esp_worker *w, uint32_t spi_in);

/* Whoever made the SAs is gone, at that time. They carry on until one sends that
 * takes their place: of the same owner, and for some of the same addresses, or in
 * transport mode at the same place (a tunnel for all comers has many peers; each
 * knows only its new one then). Then they only receive what is on the way. */
void esp_worker_orphan(struct esp_worker *w, uint64_t now_ms);
/* To be called once a second: those that have been succeeded for so many calls go,
 * and those that were made orphans then or before. */
#define ESP_LATE_LOOKS 5
void esp_worker_orphans_end(struct esp_worker *w, uint64_t until_ms);

/* The time, before what others hand over. */
void esp_worker_now(struct esp_worker *w, uint64_t now_ms);
/* What another worker handed over; must stay until esp_worker_handed_all(). The
 * frame is written to. */
void esp_worker_handed_out(struct esp_worker *w, uint32_t device, uint8_t *frame, size_t len);
void esp_worker_handed_in(struct esp_worker *w, const struct esp_train *packet);
void esp_worker_handed_all(struct esp_worker *w);

/* A watched descriptor is ready. Bounded work; now_ms is noted for the SAs. */
void esp_worker_ready(struct esp_worker *w, int fd, uint64_t now_ms);
/* One has errors to read (EPOLLERR). */
void esp_worker_error(struct esp_worker *w, int fd, uint64_t now_ms);

void esp_worker_each(struct esp_worker *w, void (*fn)(void *ctx, struct esp_sa *sa), void *ctx);
void esp_worker_counters(const struct esp_worker *w, struct esp_worker_counters *out);

#endif /* SAV_ESP_WORKER_H */
