/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * agent_msg - the messages of agent.proto as plain, validated structs.
 *
 * The one place that touches generated code. What agent_msg_unpack() lets
 * through is safe to use: names are valid interface names or agent names,
 * prefixes have no host bits and a legal length, hashes have their size,
 * lists are bounded, enums are known. A message of an unknown kind (a newer
 * peer) unpacks as AGENT_MSG_UNKNOWN and is to be ignored.
 */
#ifndef SAV_AGENT_MSG_H
#define SAV_AGENT_MSG_H

#include "lib/diag.h"
#include "lib/drops.h"
#include "lib/filter.h"
#include "lib/pki.h"
#include "lib/wr.h"

#define AGENT_PROTOCOL	      1
#define AGENT_NAME_SIZE	      64	  /* with the NUL */
#define AGENT_FRAME_MAX_BYTES (32u << 20) /* checked before unpacking */
#define AGENT_SECRET_SIZE     32
#define AGENT_TEXT_SIZE	      256
#define AGENT_INTERFACES_MAX  65536
#define AGENT_ADDRESSES_MAX   4096 /* per interface */
#define AGENT_DER_MAX_BYTES   16384
#define AGENT_INTERVAL_MAX_S  86400 /* of counters; at least 1 */
#define AGENT_ROUTES_MAX      5000  /* in one message, both families */
#define AGENT_ROUTE_INDEXES_MAX 255 /* interfaces of one route */
#define AGENT_DROPS_MAX	      1024  /* rows in one message */
#define AGENT_SAMPLES_MAX     1000000000 /* in one of them */
#define AGENT_PACKET_MAX      65575 /* bytes of an IPv6 header and the longest payload */
#define AGENT_BMP_MAX_BYTES   65536 /* in one message; at least 1 */

enum agent_msg_type {
	AGENT_MSG_UNKNOWN,
	AGENT_MSG_ENROLL,
	AGENT_MSG_ENROLLED,
	AGENT_MSG_HELLO,
	AGENT_MSG_WELCOME,
	AGENT_MSG_INVENTORY,
	AGENT_MSG_FILTER,
	AGENT_MSG_EDGE_LIST,
	AGENT_MSG_ACK,
	AGENT_MSG_COUNTERS,
	AGENT_MSG_KEEPALIVE,
	AGENT_MSG_FAILURE,
	AGENT_MSG_ROUTES,
	AGENT_MSG_WANT_ROUTES,
	AGENT_MSG_ALL_OFF,
	AGENT_MSG_CERTIFY,
	AGENT_MSG_CERTIFIED,
	AGENT_MSG_BMP,
	AGENT_MSG_RELAY_STATUS,
	AGENT_MSG_DROPS,
};

struct agent_blob {
	uint8_t *data;
	size_t len;
};

struct agent_held {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t generation;
	uint8_t hash[FILTER_HASH_SIZE];
};

struct agent_address {
	struct ip_addr addr; /* the interface's own address */
	uint8_t len;	     /* of the connected prefix */
	uint8_t fit;	     /* enum address_fit of agents/links.h; not sent */
};

struct agent_interface {
	char name[FILTER_IFNAME_SIZE];
	uint32_t index;
	bool up;
	struct agent_address *addresses;
	size_t n_addresses;
	char vrf[FILTER_IFNAME_SIZE]; /* that it lies in, "": the default one; not sent */
};

struct agent_inventory {
	struct agent_interface *interfaces; /* sorted by name */
	size_t n;
};

struct agent_filter {
	struct filter filter;	  /* its accept is what to add; all else is complete */
	struct addrset del;	  /* removed before accept is added */
	uint64_t base_generation; /* 0: snapshot */
	uint8_t base_hash[FILTER_HASH_SIZE];
	uint8_t hash[FILTER_HASH_SIZE]; /* after applying */
};

struct agent_counters {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t accept_packets, accept_bytes;
	uint64_t drop_packets, drop_bytes;
	uint64_t except_packets, except_bytes;
};

enum agent_route_kind {
	AGENT_ROUTE_GONE,
	AGENT_ROUTE_UNICAST, /* leaves by its interfaces */
	AGENT_ROUTE_REJECT,  /* blackhole, unreachable, prohibit: no interfaces */
};

struct agent_route {
	struct ip_prefix prefix;
	enum agent_route_kind kind;
	size_t first; /* its interfaces: in agent_routes.indexes, */
	size_t n;     /* that many, ascending; 1 or more if unicast, else 0 */
};

struct agent_routes {
	bool reset;
	bool complete;
	struct agent_route *routes; /* IPv4 before IPv6; later ones overrule */
	size_t n;
	uint32_t *indexes;
	size_t n_indexes;
};

/* What a relay has done since its agent's start. */
struct agent_relay_status {
	uint64_t sessions, refused, overflows;
	uint64_t dropped_bytes; /* not sent when a session was closed */
	uint64_t bytes;		/* relayed */
	uint64_t high_bytes;	/* most that ever waited */
	uint64_t limit_bytes;
	bool session; /* there is one now */
};

struct agent_msg {
	enum agent_msg_type type;
	union {
		struct {
			char name[AGENT_NAME_SIZE];
			uint8_t secret[AGENT_SECRET_SIZE];
			struct agent_blob csr;
		} enroll;
		struct {
			struct agent_blob certificate, ca;
		} enrolled;
		struct {
			uint32_t protocol;
			char software[AGENT_NAME_SIZE];
			uint64_t epoch;
			struct agent_held *held;
			size_t n_held;
			bool all_off;
		} hello;
		struct {
			uint32_t protocol;
			uint64_t epoch;
			uint32_t lease_s;
			uint32_t counters_interval_s;
		} welcome;
		struct agent_inventory inventory;
		struct agent_filter filter;
		struct {
			char (*interfaces)[FILTER_IFNAME_SIZE];
			size_t n;
		} edge_list;
		struct {
			char interface[FILTER_IFNAME_SIZE];
			uint64_t generation;
			uint8_t hash[FILTER_HASH_SIZE]; /* zero when error is set */
			char error[AGENT_TEXT_SIZE];
		} ack;
		struct {
			struct agent_counters *edges;
			size_t n;
		} counters;
		struct {
			char text[AGENT_TEXT_SIZE];
		} failure;
		struct agent_routes routes;
		struct {
			bool want;
		} want_routes;
		struct {
			bool on;
		} all_off;
		struct {
			enum pki_kind kind; /* never PKI_CONTROLLER */
			struct agent_blob csr;
		} certify;
		struct {
			enum pki_kind kind;
			struct agent_blob certificate; /* empty when error is set */
			char error[AGENT_TEXT_SIZE];
		} certified;
		struct {
			struct agent_blob data;
			uint64_t waiting; /* bytes of the stream behind these */
		} bmp;
		struct agent_relay_status relay_status;
		struct {
			struct drop *rows; /* samples as said above; no times */
			size_t n;
		} drops;
	} u;
};

/* Unpacks the body of one frame. On -1 *msg is untouched and diag names the
 * field. The caller frees with agent_msg_fini(). */
int agent_msg_unpack(const void *data, size_t len, struct agent_msg *msg,
		     struct diag *diag);
/* Appends one whole frame (length prefix included). Asserts that msg is valid
 * by the rules above and not larger than AGENT_FRAME_MAX_BYTES. */
void agent_msg_pack(const struct agent_msg *msg, struct wr *out);
void agent_msg_fini(struct agent_msg *msg);

/* Building a message: appends one route. */
void agent_routes_add(struct agent_routes *routes, const struct ip_prefix *p,
		      enum agent_route_kind kind, const uint32_t *indexes, size_t n);

void agent_inventory_fini(struct agent_inventory *inv);
void agent_inventory_copy(struct agent_inventory *dst, const struct agent_inventory *src);

#endif /* SAV_AGENT_MSG_H */
