/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tunnel - what the operator wants of one peer, or of many peers alike.
 *
 * Values only, no secrets: keys are named, and the signer has them.
 */
#ifndef SAV_TUNNEL_H
#define SAV_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/ike/identity.h"
#include "ipsec/ike/payload.h"
#include "ipsec/ike/proposal.h"
#include "lib/ip.h"

#define IKE_TUNNEL_NAME 32

struct ike_endpoint {
	struct ip_addr addr;
	uint16_t port;
};

/* One of a host: no multicast, no broadcast, and none that says nothing without an
 * interface (fe80::/10). */
bool ike_addr_is_host(const struct ip_addr *addr);
bool ike_endpoint_equal(const struct ike_endpoint *a, const struct ike_endpoint *b);
/* "192.0.2.1:4500", "[2001:db8::1]:4500" */
#define IKE_ENDPOINT_TEXT (IP_TEXT_SIZE + 10)
const char *ike_endpoint_format(const struct ike_endpoint *e, char out[IKE_ENDPOINT_TEXT]);

enum ike_nat_policy {
	IKE_NAT_AUTO,	/* encapsulate when a NAT is found */
	IKE_NAT_FORCE,	/* always: our own source hash is falsified (DESIGN: "nat force") */
	IKE_NAT_REFUSE, /* a NAT on the path fails the SA */
};

enum ike_auth_kind {
	IKE_KIND_PSK,
	IKE_KIND_CERT,	/* X.509: chain up to a trusted CA */
	IKE_KIND_RAW,	/* the key itself is known (RFC 7670) */
};

enum ike_childless {
	IKE_CHILDLESS_ALLOW, /* answer it, don't ask for it */
	IKE_CHILDLESS_FORCE, /* RFC 6023 only */
	IKE_CHILDLESS_NEVER,
};

struct ike_tunnel {
	char name[IKE_TUNNEL_NAME];
	char keys[IKE_TUNNEL_NAME]; /* of the tunnel whose keys and certificates it uses; "": its own */
	bool only_keys;		    /* nobody comes to it: others use what it has */

	/* who */
	struct ike_identity local_id, remote_id;
	enum ike_auth_kind local_auth, remote_auth;
	/* an address's peers may share one identity: then INITIAL_CONTACT says nothing */
	bool shared_identity;

	/* where */
	uint32_t link;		   /* number of the link whose sockets it uses, 0: any */
	struct ip_addr local_addr; /* v 0: as the link has it */
	struct ip_addr remote_addr; /* v 0: any; such a tunnel only answers */
	uint16_t remote_port;	   /* 0: 500, or 4500 with start_natt */
	bool start_natt;	   /* begin on 4500 (RFC 7296 2.23 allows it) */

	/* how */
	const struct ike_proposals *ike, *esp; /* see ike_tunnel_keep() */
	const struct ike_ts_list *local_ts, *remote_ts;
	bool transport;
	enum ike_nat_policy nat;
	enum ike_childless childless;
	bool mobike;
	bool request_address;	 /* ask for a virtual address (RFC 7296 3.15) */
	/* and what to give from; len 0: nothing; one address: it is this peer's, asked for or not */
	struct ip_prefix pool;
	uint16_t fragment_bytes; /* largest IP packet of an IKE fragment; 0: no fragments */

	/* when, in seconds; 0: never */
	uint32_t keepalive_s;
	uint32_t liveness_s;
	uint32_t ike_rekey_s;
	uint32_t child_rekey_s;
	uint32_t reauth_s;
	bool start; /* keep it up by ourselves */
};

/* It gives one address, always the same. */
bool ike_tunnel_gives_one(const struct ike_tunnel *tunnel);

/* Name of the tunnel whose keys and certificates it uses. */
const char *ike_tunnel_keys(const struct ike_tunnel *tunnel);

/* Whatever an operator does not say. The lists are constants. */
void ike_tunnel_defaults(struct ike_tunnel *tunnel);

/* A tunnel's four lists have room for more than any message, and most tunnels
 * have the same few algorithms. So whoever keeps a tunnel keeps its lists here,
 * cut to their length and equal ones once; any other copy of a tunnel borrows
 * them. For one thread. */
void ike_tunnel_keep(struct ike_tunnel *tunnel); /* the lists are others from now on, with the same contents */
void ike_tunnel_drop(struct ike_tunnel *tunnel);
size_t ike_tunnel_lists(void); /* how many are kept: 0 when all were dropped */

/* Bytes of a list without the room behind. */
size_t ike_proposals_bytes(const struct ike_proposals *proposals);
size_t ike_ts_list_bytes(const struct ike_ts_list *list);

#endif /* SAV_TUNNEL_H */
