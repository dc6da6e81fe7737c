/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_sa - one child SA: both directions, their keys, numbers and selectors.
 *
 * Works on one packet in memory. An SA belongs to one thread: its outbound
 * sequence is the IV of its ciphers and must never come twice (RFC 4106 3.1),
 * so nothing here can be set back, and an SA is never restored from anywhere.
 *
 * Source: RFC 4303; RFC 4301 5.1 and 5.2 for the selectors.
 */
#ifndef SAV_ESP_SA_H
#define SAV_ESP_SA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/crypto.h"
#include "ipsec/esp/esp_inner.h"
#include "ipsec/esp/esp_window.h"
#include "ipsec/ike/keys.h"
#include "ipsec/ike/payload.h"
#include "ipsec/ike/tunnel.h"

/* SPI and sequence number, in front of the IV. */
#define ESP_HEADER 8
/* Pad Length and Next Header. */
#define ESP_TRAILER 2
/* The most that ESP adds: header, IV, padding, trailer, ICV. */
#define ESP_OVERHEAD_MAX (ESP_HEADER + 16 + 15 + ESP_TRAILER + 32)

#define ESP_NEXT_V4    4
#define ESP_NEXT_V6    41
#define ESP_NEXT_DUMMY 59 /* RFC 4303 2.6 */

/* Where the outer packets go. */
struct esp_path {
	uint32_t link; /* whose socket */
	struct ike_endpoint local, remote;
	bool encap; /* in UDP, else protocol 50 where the link has a socket for it */
};

/* IP in IP inside the SA (esp_ipip.h), between these two; local.v 0: no. */
struct esp_ipip {
	struct ip_addr local, remote; /* of one family */
};

/* Ranges of a selector list, as the datapath asks for them. */
struct esp_selectors {
	unsigned int n;
	struct ike_ts *list;
};

struct esp_sa_conf {
	uint32_t tunnel; /* number of the tunnel's device */
	uint32_t owner;	 /* number of the tunnel: several may share a device */
	bool elsewhere;	 /* another worker's: it is known here without keys */
	uint32_t spi_in, spi_out;
	struct crypto_suite suite;
	const struct ike_child_keys *in, *out;
	bool esn;
	bool transport;
	const struct ike_ts_list *local_ts, *remote_ts;
	struct esp_ipip ipip; /* its ends are in the selectors */
	struct esp_path path;
	/* a soft limit is told once; 0: the default, far below what the sequence
	 * and the cipher bear */
	uint64_t soft_packets, soft_bytes;
};

/* A quarter of the numbers is left then, so that rekeying has time; 2^48
 * with extended ones. */
#define ESP_SOFT_PACKETS	 (UINT64_C(3) << 30)
#define ESP_SOFT_PACKETS_ESN (UINT64_C(1) << 48)
/* CBC leaks from 2^(n/2) blocks on (RFC 8221 section 4); GCM's bound is above. */
#define ESP_SOFT_BYTES (UINT64_C(1) << 36)

/* Its soft limits, or the default ones. */
static inline uint64_t esp_sa_soft_packets(const struct esp_sa_conf *conf)
{
	return conf->soft_packets ? conf->soft_packets : conf->esn ? ESP_SOFT_PACKETS_ESN : ESP_SOFT_PACKETS;
}

static inline uint64_t esp_sa_soft_bytes(const struct esp_sa_conf *conf)
{
	return conf->soft_bytes ? conf->soft_bytes : ESP_SOFT_BYTES;
}

enum esp_verdict {
	ESP_OK,
	ESP_SHORT,     /* too short, or no whole blocks */
	ESP_REPLAYED,  /* seen, or left of the window */
	ESP_BAD_ICV,   /* not from the peer */
	ESP_BAD_PAD,   /* authentic, and wrong inside */
	ESP_DUMMY,     /* to be dropped silently */
	ESP_BAD_INNER, /* no IP packet, or not of the mode agreed */
	ESP_BAD_SELECTOR, /* addresses that this SA does not carry */
};
#define ESP_VERDICTS (ESP_BAD_SELECTOR + 1)

struct esp_sa_counters {
	uint64_t packets, bytes; /* of inner packets */
};

/* What it did not carry. */
struct esp_sa_drops {
	uint32_t verdicts[ESP_VERDICTS]; /* inbound */
	uint32_t congestion, too_big, unsent;
};

struct esp_sa {
	uint32_t tunnel, owner;
	uint64_t orphan_ms; /* since when its IKE process is no more; 0: it is there */
	uint8_t succeeded;  /* an orphan's: looks since another one took its place, and 1; 0: none did */
	bool elsewhere;
	uint32_t spi_in, spi_out;
	struct crypto_cipher *seal, *open;
	uint8_t iv, icv, align; /* of the suite; align: of what is encrypted */
	bool esn, transport;
	uint32_t twin; /* esp_twin.h; 0: no other peer has its address */
	bool sending; /* outbound packets may use it */
	bool told_soft;
	uint64_t seq; /* last one sent */
	uint64_t soft_packets, soft_bytes;
	struct esp_window window;
	/* what may use it: what was agreed upon, or all of a family with IP in IP */
	struct esp_selectors local_ts, remote_ts;
	uint8_t ipip_header; /* bytes; 0: no IP in IP, and the next three are empty */
	struct esp_ipip ipip;
	struct esp_selectors agreed_local_ts, agreed_remote_ts;
	struct esp_path path;
	struct ike_endpoint told; /* the last place elsewhere that was reported, and when */
	uint64_t told_ms;
	/* what the path takes (esp_worker.c): the outer packet as far as ICMP told, 0
	 * if it did not; the longest inner one, 0 until it is worked out */
	uint32_t pmtu, room;
	uint64_t pmtu_until_ms;
	struct ike_endpoint to; /* where packets go: path.remote, and the port */
	bool whole; /* selectors ask for ports: a fragment does not match */
	uint64_t heard_ms, spoke_ms; /* last packet each way; the worker's clock */
	uint64_t dropped_ms;
	struct esp_sa_counters in, out;
	struct esp_sa_drops drops;
	struct esp_sa *next_spi; /* of esp_table.c */
};

/* NULL when the suite or a key's length is not one that crypto.h knows, or the
 * ends of IP in IP are not in the selectors. The
 * keys are copied into the ciphers; the caller wipes his. One that is elsewhere
 * has no ciphers: it can be found, and neither seal nor open. */
struct esp_sa *esp_sa_new(const struct esp_sa_conf *conf);
void esp_sa_free(struct esp_sa *sa);

/* Works out sa->room for outer IP packets of at most mtu bytes with so many bytes
 * in front of ESP; never less than IPv4 allows. */
void esp_sa_fit(struct esp_sa *sa, uint32_t mtu, uint32_t outer);

/* The whole ESP packet's length for an inner one of len bytes. */
size_t esp_sa_length(const struct esp_sa *sa, size_t len);
/* The largest inner packet whose ESP packet is not longer than size; 0: none. */
size_t esp_sa_room(const struct esp_sa *sa, size_t size);

/* Makes the packet around len bytes that lie at packet + ESP_HEADER + sa->iv;
 * packet has room for esp_sa_length(). Returns that length, or 0 when the
 * numbers are used up (the SA must be rekeyed; RFC 4303 3.3.3). */
size_t esp_sa_seal(struct esp_sa *sa, uint8_t *packet, size_t len, uint8_t next_header);

/* A soft limit was passed since the last time this said so. */
bool esp_sa_is_expiring(struct esp_sa *sa);

struct esp_plain {
	uint8_t *data; /* inside the packet */
	size_t len;
	uint8_t next_header;
	bool newest; /* the highest number so far: its source may be followed */
};

/* Opens the packet in place. *out is set with ESP_OK only, and newest with ESP_DUMMY. */
enum esp_verdict esp_sa_open(struct esp_sa *sa, uint8_t *packet, size_t size, struct esp_plain *out);

/* In transport mode through a NAT: others may have its peer's address (esp_twin.h). */
static inline bool esp_sa_may_be_twin(const struct esp_sa *sa)
{
	return sa->transport && sa->path.encap;
}

/* Have both at least one address of the peer's side? */
bool esp_sa_meets(const struct esp_sa *a, const struct esp_sa *b);

/* May this inner packet use the SA? outbound: from our side to the peer's. A
 * fragment without ports matches only selectors without (RFC 4301 7.1). */
bool esp_sa_selects(const struct esp_sa *sa, const struct esp_inner *inner, bool outbound);
/* May it be in ESP as it is, with the header of IP in IP if there is one? */
bool esp_sa_carries(const struct esp_sa *sa, const struct esp_inner *inner, bool outbound);

#endif /* SAV_ESP_SA_H */
