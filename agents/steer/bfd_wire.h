/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bfd_wire - BFD Control packets (RFC 5880 section 4) as bytes and as values.
 *
 * Decoding makes all checks of section 6.8.6 that need no session.
 */
#ifndef SAV_BFD_WIRE_H
#define SAV_BFD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BFD_PORT_SINGLE_HOP 3784 /* RFC 5881 section 4 */
#define BFD_PORT_MULTIHOP   4784 /* RFC 5883 section 5 */
#define BFD_TTL		    255	 /* RFC 5881 section 5 */

enum bfd_state {
	BFD_ADMIN_DOWN,
	BFD_DOWN,
	BFD_INIT,
	BFD_UP,
};

/* Section 4.1; numbers beyond these are kept as they are. */
enum bfd_diag {
	BFD_DIAG_NONE,
	BFD_DIAG_EXPIRED,
	BFD_DIAG_ECHO,
	BFD_DIAG_NEIGHBOR_DOWN,
	BFD_DIAG_FORWARDING_RESET,
	BFD_DIAG_PATH_DOWN,
	BFD_DIAG_CONCATENATED,
	BFD_DIAG_ADMIN_DOWN,
	BFD_DIAG_REVERSE_CONCATENATED,
};

/* Why a packet is discarded, in the order of section 6.8.6. */
enum bfd_error {
	BFD_OK,
	BFD_BAD_TTL, /* RFC 5881 section 5, before all else */
	BFD_BAD_VERSION,
	BFD_BAD_LENGTH, /* less than the header, or more than there is */
	BFD_BAD_MULT,	/* Detect Mult is zero */
	BFD_BAD_MULTIPOINT,
	BFD_BAD_MY_DISCR,  /* zero */
	BFD_NO_SESSION,	   /* Your Discriminator, or the addresses, name none */
	BFD_BAD_STATE,	   /* Your Discriminator zero in Init or Up */
	BFD_BAD_AUTH,	   /* present and not in use, absent and in use, or wrong */
	BFD_IS_ADMIN_DOWN, /* our side is */
	BFD_ERRORS,
};

#define BFD_HEADER_BYTES	 24
#define BFD_AUTH_SHA1		 4 /* keyed SHA1, section 4.4 */
#define BFD_AUTH_METICULOUS_SHA1 5
#define BFD_AUTH_SHA1_BYTES	 28
#define BFD_SHA1_BYTES		 20
#define BFD_PACKET_MAX		 (BFD_HEADER_BYTES + BFD_AUTH_SHA1_BYTES)

/* Of types other than the two SHA1 only the type is read. */
struct bfd_auth {
	uint8_t type; /* 0: no authentication section */
	uint8_t key_id;
	uint32_t sequence;
	uint8_t digest[BFD_SHA1_BYTES];
};

struct bfd_packet {
	uint8_t diag;  /* enum bfd_diag or beyond, 0-31 */
	uint8_t state; /* enum bfd_state */
	bool poll, final, independent, demand;
	uint8_t mult;
	uint32_t my_discr, your_discr;
	uint32_t min_tx_us, min_rx_us, min_echo_us;
	struct bfd_auth auth;
};

/* len bytes of a datagram; *p is untouched unless BFD_OK. Bytes behind the
 * packet's own length are ignored: the RFC permits them. */
enum bfd_error bfd_decode(const uint8_t *data, size_t len, struct bfd_packet *p);
/* Returns the length; authentication of other types than the two is not written. */
size_t bfd_encode(const struct bfd_packet *p, uint8_t out[BFD_PACKET_MAX]);

const char *bfd_state_name(enum bfd_state state); /* "up" */
const char *bfd_diag_text(uint8_t diag);	  /* "neighbor signaled session down" */

#endif /* SAV_BFD_WIRE_H */
