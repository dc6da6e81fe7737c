/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_sock - trains of datagrams in and out of one UDP socket, or packets of one
 * raw socket of protocol 50.
 *
 * Equal datagrams to one place go to the kernel as one (UDP_SEGMENT) and come
 * from it as one (UDP_GRO); what the kernel or the device under it can't do is
 * tried once and then done the plain way.
 *
 * Packets are sent with DF. What the kernel has learnt of a path by ICMP (for
 * packets that a socket of ours sent, and not below 552 bytes or IPv6's 1280)
 * it says when a longer one is sent: esp_sock_error().
 */
#ifndef SAV_ESP_SOCK_H
#define SAV_ESP_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ipsec/ike/tunnel.h"
#include "lib/diag.h"

/* UDP_MAX_SEGMENTS of the kernels that we know, and what a datagram can hold. */
#define ESP_TRAIN_MAX	    64
#define ESP_TRAIN_BYTES_MAX 65000

struct esp_train {
	uint8_t *data;
	size_t len;   /* of all datagrams */
	uint16_t size; /* of each but the last */
	uint8_t tos;
	bool fragment; /* out: whoever finds it too long may cut it */
	struct ike_endpoint peer; /* whom to, or where from; raw: port 0 */
};

#define ESP_WORKERS_MAX 16 /* threads that share what comes; a power of two */

#define ESP_BATCH 32
/* Of each train that is received. */
#define ESP_RECEIVE_MAX 65536

struct esp_sock {
	int fd;
	uint32_t link;
	uint8_t family;	 /* enum ip_family */
	bool raw;	 /* protocol 50, not UDP */
	bool segment;	 /* UDP_SEGMENT works so far */
	bool fragmenting; /* the socket lets its packets be cut now */
	uint32_t mtu;	 /* of the link, for all that is not known better */
	/* datagrams; dropped: the socket's buffer was full; refused: EMSGSIZE and the
	 * like, the last one kept */
	uint64_t sent, dropped, refused;
	int last_error;
	/* the system's; a test puts its own here */
	int (*sendmmsg)(int fd, struct mmsghdr *messages, unsigned int n, int flags);
};

struct esp_sock_conf {
	int fd;
	uint32_t link;
	enum ip_family family;
	bool raw;
	uint32_t mtu; /* 0: not known */
};

/* Of the group of sockets (SO_REUSEPORT) that fd is in, in the order in which they
 * were bound: first so many others, of which the first gets IKE (whatever begins
 * with the non-ESP marker or is shorter); then a socket for each worker, which gets
 * the SPIs that have its number in their lowest bits. workers: a power of two. */
int esp_sock_spread(int fd, unsigned int others, unsigned int workers);
/* A raw socket takes only that worker's. */
int esp_sock_only(int fd, enum ip_family family, unsigned int worker, unsigned int workers);

/* Takes the descriptor, sets its options. */
struct esp_sock *esp_sock_new(const struct esp_sock_conf *conf);
void esp_sock_free(struct esp_sock *sock);

struct esp_receive; /* buffers for one batch */
struct esp_receive *esp_receive_new(void);
void esp_receive_free(struct esp_receive *receive);

/* Up to ESP_BATCH trains, without waiting. They point into receive. */
unsigned int esp_sock_receive(struct esp_sock *sock, struct esp_receive *receive, struct esp_train *out);

/* Sends in order, without waiting: what a full buffer does not take is dropped
 * and counted, as a router's queue would, so that one slow link never stops
 * another. */
void esp_sock_send(struct esp_sock *sock, const struct esp_train *trains, unsigned int n);

/* Takes the next error from the socket's queue: 1 and how long a packet to that
 * peer may be (the IP header included), 0: about something else, -1: none. */
int esp_sock_error(struct esp_sock *sock, struct ip_addr *peer, uint32_t *mtu);

#endif /* SAV_ESP_SOCK_H */
