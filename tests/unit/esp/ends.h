/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ends - two workers of the ESP datapath, each between a device (a pair of sockets
 * that keep packets apart) and a UDP socket on the loopback interface.
 */
#ifndef SAV_TEST_ENDS_H
#define SAV_TEST_ENDS_H

#include "ipsec/esp/esp_worker_impl.h"
#include "tests/unit/esp/packets.h"

#define LEFT  0
#define RIGHT 1
#define OTHER 2 /* behind the same NAT as left, in one test */
#define IPIP  8 /* the first generation of SAs that are agreed upon for 203.0.113.0/30 */

struct end {
	struct esp_worker *worker;
	uint32_t device;
	int tun; /* the kernel's side of the device */
	int queue; /* the worker's */
	int sock;
	struct ike_endpoint at;
	unsigned int moved, expiring, wanted, lost, ike;
	uint32_t room;
};

#define PATIENCE_MS 60000 /* for what must come */

extern struct end ends[3];
extern uint64_t now_ms; /* of the workers */
extern int tun_of_left;
extern uint8_t packet[PACKET_MAX + 20], frame[PACKET_MAX + sizeof(struct virtio_net_hdr)], back[PACKET_MAX];
extern const struct packet_conf small;
extern struct esp_ipip between; /* IP in IP, as left has it; none unless a test says so */

struct ike_ts_list net(const char *prefix4, unsigned int bits4, const char *prefix6);
/* SPIs are 0x1000, left's, and 0x1001, and 16 more for each generation. */
void add_sa(unsigned int side, uint32_t generation, bool transport, bool sending);
/* Returns the worker's queue of the device. */
int end_open(struct end *e, unsigned int side);
/* Of a test: both ends, with SAs of generation 0 in tunnel mode. */
int setup(void **state);
int teardown(void **state);

struct esp_worker_counters counters(unsigned int side);
struct esp_sock *sock_of(unsigned int side);

/* Left's kernel sends. */
void put_frame(const struct virtio_net_hdr *vnet, const uint8_t *data, size_t len);
void leave(const struct packet_conf *conf);
/* Left's kernel sends, and this is the ESP packet that right's socket gets. */
size_t take(const struct packet_conf *conf, uint8_t *out, size_t size);
/* Right reads all that has come. */
void arrive(void);
void arrive_at(unsigned int side);
/* The next packet that an end's kernel gets, without the device's header; 0: none. */
size_t got(unsigned int side, uint8_t *out);
void expect_small(void);

#endif /* SAV_TEST_ENDS_H */
