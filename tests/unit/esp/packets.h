/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * packets - inner packets for the tests of the ESP datapath, made with a
 * checksum of their own, written the plain way.
 */
#ifndef SAV_TEST_PACKETS_H
#define SAV_TEST_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet_conf {
	bool v6;
	uint8_t proto; /* 6 or 17, others without ports */
	uint8_t tos;
	uint8_t last_src, last_dst; /* of 192.0.2.x and 198.51.100.x, 2001:db8:1::x and 2001:db8:2::x */
	uint16_t sport, dport;
	uint16_t id;
	bool df;
	uint32_t seq;	/* TCP */
	uint8_t flags;	/* TCP */
	size_t options; /* bytes of TCP options, a multiple of 4 */
	size_t payload;
};

#define PACKET_MAX 65535
/* Payload byte i is a function of seq + i. Returns the length. */
size_t packet_make(const struct packet_conf *conf, uint8_t out[PACKET_MAX]);

/* Are the IPv4 header's and the TCP or UDP checksum right? */
bool packet_is_right(const uint8_t *packet, size_t len);

#endif /* SAV_TEST_PACKETS_H */
