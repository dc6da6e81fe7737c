/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bmp - decoders of BGP Monitoring Protocol messages, version 3 (RFC 7854).
 *
 * No state, no memory of their own: what comes back points into the caller's
 * bytes.
 */
#ifndef SAV_BMP_H
#define SAV_BMP_H

#include "controller/feed/bgp.h"

enum bmp_msg_type {
	BMP_ROUTE_MONITORING = 0,
	BMP_STATISTICS = 1,
	BMP_PEER_DOWN = 2,
	BMP_PEER_UP = 3,
	BMP_INITIATION = 4,
	BMP_TERMINATION = 5,
	BMP_ROUTE_MIRRORING = 6,
};

#define BMP_VERSION	3
#define BMP_HEADER_SIZE 6
#define BMP_PEER_SIZE	42

/* Longest message taken. RFC 7854 names no bound; the largest legal ones are
 * a Peer Up with two OPENs and a Route Monitoring with one extended message of
 * BGP (RFC 8654), 65 KiB each, while a mirroring message may hold some PDUs.
 * Anything longer is a stream out of step, and memory that a broken or hostile
 * exporter could claim. */
#define BMP_MESSAGE_MAX ((size_t)1 << 20)

struct bmp_header {
	uint8_t version;
	uint8_t type; /* enum bmp_msg_type, or anything else */
	uint32_t len; /* with this header */
};

/* False: fewer than BMP_HEADER_SIZE bytes. Says nothing about the values. */
bool bmp_header_decode(struct rd *rd, struct bmp_header *header);

/* RFC 7854 4.2, RFC 9069 4.1 */
enum bmp_peer_type {
	BMP_PEER_GLOBAL = 0,
	BMP_PEER_RD = 1,
	BMP_PEER_LOCAL = 2,
	BMP_PEER_LOC_RIB = 3,
};
enum bmp_peer_flags {
	BMP_FLAG_V6 = 0x80,
	BMP_FLAG_POST = 0x40,
	BMP_FLAG_AS2 = 0x20,
	BMP_FLAG_ADJ_OUT = 0x10, /* RFC 8671 */
};

/* The per-peer header. */
struct bmp_peer {
	uint8_t type;
	uint8_t flags;
	uint64_t distinguisher;
	struct ip_addr addr;
	uint32_t as, id;
	uint32_t sec, usec;
};

bool bmp_peer_decode(struct rd *rd, struct bmp_peer *peer);

/* Information TLVs of Initiation, Termination and Peer Up. */
enum bmp_info_type {
	BMP_INFO_STRING = 0,
	BMP_INFO_SYSDESCR = 1, /* Initiation */
	BMP_INFO_SYSNAME = 2,
	BMP_INFO_REASON = 1, /* Termination: 2 bytes */
};

struct bmp_tlv {
	uint16_t type;
	struct rd value;
};

/* False at the end, and with rd->failed when a TLV does not fit. */
bool bmp_tlv_next(struct rd *rd, struct bmp_tlv *tlv);

/* The rest of a Peer Up (RFC 7854 4.10). */
struct bmp_peer_up {
	struct ip_addr local_addr;
	uint16_t local_port, remote_port;
	struct bgp_open sent, received;
	struct rd tlvs; /* checked */
};

bool bmp_peer_up_decode(struct rd rd, const struct bmp_peer *peer,
			struct bmp_peer_up *up);

/* RFC 7854 4.9 */
enum bmp_down_reason {
	BMP_DOWN_LOCAL_NOTIFICATION = 1,
	BMP_DOWN_LOCAL = 2, /* FSM event code */
	BMP_DOWN_REMOTE_NOTIFICATION = 3,
	BMP_DOWN_REMOTE = 4,
	BMP_DOWN_DECONFIGURED = 5,
	BMP_DOWN_TLVS = 6, /* RFC 9069 */
};

struct bmp_peer_down {
	uint8_t reason;
	uint16_t fsm_event;    /* BMP_DOWN_LOCAL */
	uint8_t code, subcode; /* of the NOTIFICATION; 0 where there is none */
};

bool bmp_peer_down_decode(struct rd rd, struct bmp_peer_down *down);

/* Statistics Report: calls fn for each 4- or 8-byte gauge or counter (others
 * are passed over). False when the message is damaged; fn was then not
 * called at all. fn may be NULL. */
typedef void bmp_stat_fn(uint16_t type, uint64_t value, void *arg);
bool bmp_statistics_decode(struct rd rd, bmp_stat_fn *fn, void *arg);

#endif /* SAV_BMP_H */
