/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bgp - decoders of BGP-4 messages (RFC 4271, 4760, 6793, 7606, 7911).
 *
 * No state, no memory of their own: what comes back points into the caller's
 * bytes. Errors are sorted as RFC 7606 sorts them. Where it asks for a session
 * reset these decoders say "skip": a monitor has no session to reset.
 */
#ifndef SAV_BGP_H
#define SAV_BGP_H

#include "controller/rib/rib.h"
#include "lib/rd.h"

enum bgp_msg_type {
	BGP_MSG_OPEN = 1,
	BGP_MSG_UPDATE = 2,
	BGP_MSG_NOTIFICATION = 3,
	BGP_MSG_KEEPALIVE = 4,
	BGP_MSG_ROUTE_REFRESH = 5,
};

#define BGP_HEADER_SIZE 19
#define BGP_AS_TRANS	23456 /* RFC 6793 */

struct bgp_msg {
	uint8_t type; /* enum bgp_msg_type, or anything else */
	struct rd body;
};

/* Takes one message off rd. False when marker or length are wrong; up to
 * 65,535 bytes pass (RFC 8654). */
bool bgp_msg_decode(struct rd *rd, struct bgp_msg *msg);

/* RFC 9234 sec. 4.1 role codes; -1 where the OPEN carries none. */
enum bgp_role {
	BGP_ROLE_NONE = -1,
	BGP_ROLE_PROVIDER = 0,
	BGP_ROLE_RS = 1,
	BGP_ROLE_RS_CLIENT = 2,
	BGP_ROLE_CUSTOMER = 3,
	BGP_ROLE_PEER = 4,
};

struct bgp_open {
	uint32_t as; /* of the 4-octet capability where there is one */
	uint32_t id; /* BGP identifier, host order */
	uint16_t hold_time;
	int8_t role; /* enum bgp_role */
	bool as4;
	bool graceful_restart;		   /* RFC 4724: the capability is there */
	uint16_t restart_s;		   /* its restart time */
	bool restart[IP_FAMILIES];	   /* whose forwarding outlives a restart */
	bool extended_message;		   /* RFC 8654 */
	bool mp[IP_FAMILIES];		   /* multiprotocol, unicast */
	bool addpath_receive[IP_FAMILIES]; /* RFC 7911: able to receive path ids */
	bool addpath_send[IP_FAMILIES];
};

/* body: of a message of type OPEN. False (and *open untouched) when it is
 * malformed or not version 4. Unknown capabilities are no error. */
bool bgp_open_decode(struct rd body, struct bgp_open *open);

/* How NLRI are written. */
enum bgp_nlri_form {
	BGP_NLRI_PLAIN,
	BGP_NLRI_ADDPATH, /* RFC 7911: each prefix has a path id in front */
	/* Add-path was negotiated, but some exporters (FRR's BMP) write the
	 * one prefix of each message without a path id all the same: a field
	 * that is exactly one prefix is plain, anything else has path ids. */
	BGP_NLRI_ADDPATH_OR_ONE,
};

struct bgp_update_ctx {
	bool as2;		/* AS_PATH has 2-octet numbers: AS4_PATH is merged in */
	bool external;		/* sent by an eBGP peer and not yet through policy:
				 * LOCAL_PREF and the like are discarded (RFC 7606 7.5) */
	bool next_hop_optional; /* IPv4 routes without NEXT_HOP are taken: FRR's BMP
				 * leaves it out where the next hop is IPv6 (RFC 8950) */
	bool mrt;		/* RFC 6396 4.3.4: MP_REACH_NLRI may be only a next hop */
	uint8_t form[IP_FAMILIES]; /* enum bgp_nlri_form */
};

/* The worst thing found (RFC 7606 sec. 2). */
enum bgp_update_verdict {
	BGP_UPDATE_OK,
	BGP_UPDATE_WITHDRAW, /* treat-as-withdraw: announced[] are withdrawn too */
	BGP_UPDATE_SKIP,     /* nothing of the message may be used */
};

/* Prefixes that have been checked; read them with bgp_nlri_next(). */
struct bgp_nlri {
	struct rd rd;
	uint8_t family;
	bool addpath;
};

/* AS_PATH rebuilt from 2-octet numbers; bytes. */
#define BGP_PATH_MAX UINT16_MAX

struct bgp_update {
	struct bgp_nlri withdrawn[2]; /* RFC 4271's field, MP_UNREACH_NLRI's */
	struct bgp_nlri announced[2]; /* RFC 4271's field, MP_REACH_NLRI's */
	/* next_hop is that of announced[0]. as_path points into the message
	 * or into *scratch. Complete with BGP_UPDATE_OK only. */
	struct rib_attr attr;
	struct ip_addr mp_next_hop;   /* that of announced[1] */
	bool end_of_rib[IP_FAMILIES]; /* RFC 4724 sec. 2 */
	unsigned int attr_discarded; /* attributes: malformed, repeated or out of place */
	unsigned int other_afi;	     /* MP attributes of families not decoded */
	uint8_t bad_attr;	     /* type of the first attribute that was malformed */
};

/* body: of a message of type UPDATE. scratch: BGP_PATH_MAX bytes, must live as
 * long as update->attr is used. */
enum bgp_update_verdict bgp_update_decode(struct rd body,
					  const struct bgp_update_ctx *ctx,
					  uint8_t *scratch, struct bgp_update *update);
/* Path attributes alone, as in an MRT table dump; no NLRI but those in the
 * MP attributes. ORIGIN and AS_PATH must be there, a next hop need not. */
enum bgp_update_verdict bgp_attrs_decode(struct rd attrs,
					 const struct bgp_update_ctx *ctx,
					 uint8_t *scratch, struct bgp_update *update);

/* The next prefix, host bits masked (RFC 4271 4.3) and *masked set if there
 * were any; path_id 0 without add-path. False at the end. */
bool bgp_nlri_next(struct bgp_nlri *nlri, struct ip_prefix *prefix, uint32_t *path_id,
		   bool *masked);
/* Whether a field is syntactically correct (RFC 7606 5.3); *nlri untouched if not. */
bool bgp_nlri_init(struct bgp_nlri *nlri, struct rd rd, enum ip_family family,
		   enum bgp_nlri_form form);

/* ---- AS paths: segments of 4-octet numbers, as in struct rib_attr */

/* Sets as_path and what follows from it: origin, neighbour, hops. */
void bgp_attr_set_path(struct rib_attr *attr, const uint8_t *path, uint16_t len);
/* As text, e.g. "64500 64501 {64502,64503}", confederation segments in brackets;
 * cut with "..." where it is longer. size: 4 at least. */
void bgp_path_format(const struct rib_attr *attr, char *text, size_t size);
bool bgp_path_contains(const struct rib_attr *attr, uint32_t as);
/* Takes the first number off when it is as, in an AS_SEQUENCE; false if it is
 * not. The new path lies in the old one's bytes or in scratch. */
bool bgp_attr_strip_first(struct rib_attr *attr, uint32_t as, uint8_t *scratch);
/* Takes off what the router that shows a path has put before it: its number in
 * the session with the peer and, where that is a local AS, its other numbers.
 * *own_as is then the router's own AS, else 0. False: the path begins otherwise. */
bool bgp_attr_strip_local(struct rib_attr *attr, uint32_t local_as, uint32_t peer_as,
			  uint8_t *scratch, uint32_t *own_as);

#endif /* SAV_BGP_H */
