/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_packet - RADIUS on the wire (RFC 2865, 2866, 2869, 5176): bytes to
 * attributes and back, and the authenticators that say who sent them.
 *
 * Bytes come from strangers. A packet is taken only if every attribute in it
 * is well-formed; what an attribute means is not decided here.
 */
#ifndef SAV_RADIUS_PACKET_H
#define SAV_RADIUS_PACKET_H

#include "lib/diag.h"
#include "lib/ip.h"
#include "lib/rd.h"
#include "lib/wr.h"

#define RADIUS_PACKET_MIN  20
#define RADIUS_PACKET_MAX  4096
#define RADIUS_AUTH_SIZE   16
#define RADIUS_VALUE_MAX   253 /* bytes of an attribute's value */

enum radius_code {
	RADIUS_ACCESS_REQUEST = 1,
	RADIUS_ACCESS_ACCEPT = 2,
	RADIUS_ACCESS_REJECT = 3,
	RADIUS_ACCOUNTING_REQUEST = 4,
	RADIUS_ACCOUNTING_RESPONSE = 5,
	RADIUS_ACCESS_CHALLENGE = 11,
	RADIUS_STATUS_SERVER = 12, /* RFC 5997: FreeRADIUS asks so whether we live */
	RADIUS_DISCONNECT_REQUEST = 40,
	RADIUS_DISCONNECT_ACK = 41,
	RADIUS_DISCONNECT_NAK = 42,
	RADIUS_COA_REQUEST = 43,
	RADIUS_COA_ACK = 44,
	RADIUS_COA_NAK = 45,
};

enum radius_type {
	RADIUS_USER_NAME = 1,
	RADIUS_USER_PASSWORD = 2,
	RADIUS_NAS_IP_ADDRESS = 4,
	RADIUS_NAS_PORT = 5,
	RADIUS_SERVICE_TYPE = 6,
	RADIUS_FRAMED_IP_ADDRESS = 8,
	RADIUS_FRAMED_IP_NETMASK = 9,
	RADIUS_REPLY_MESSAGE = 18,
	RADIUS_FRAMED_ROUTE = 22,
	RADIUS_CLASS = 25,
	RADIUS_VENDOR_SPECIFIC = 26,
	RADIUS_CALLED_STATION_ID = 30,
	RADIUS_CALLING_STATION_ID = 31,
	RADIUS_NAS_IDENTIFIER = 32,
	RADIUS_PROXY_STATE = 33,
	RADIUS_ACCT_STATUS_TYPE = 40,
	RADIUS_ACCT_DELAY_TIME = 41,
	RADIUS_ACCT_SESSION_ID = 44,
	RADIUS_ACCT_SESSION_TIME = 46,
	RADIUS_ACCT_TERMINATE_CAUSE = 49,
	RADIUS_ACCT_MULTI_SESSION_ID = 50,
	RADIUS_EVENT_TIMESTAMP = 55,
	RADIUS_MESSAGE_AUTHENTICATOR = 80,
	RADIUS_NAS_PORT_ID = 87,
	RADIUS_CHARGEABLE_USER_IDENTITY = 89,
	RADIUS_NAS_IPV6_ADDRESS = 95,
	RADIUS_FRAMED_INTERFACE_ID = 96,
	RADIUS_FRAMED_IPV6_PREFIX = 97,
	RADIUS_FRAMED_IPV6_ROUTE = 99,
	RADIUS_ERROR_CAUSE = 101,
	RADIUS_DELEGATED_IPV6_PREFIX = 123,
	RADIUS_FRAMED_IPV6_ADDRESS = 168,
};

/* OpenSAV's own, below the vendor of `radius vendor`; contrib/radius. */
enum radius_opensav_type {
	RADIUS_OPENSAV_MODE = 1,
	RADIUS_OPENSAV_ACTION = 2,
	RADIUS_OPENSAV_CUSTOMER = 3,
	RADIUS_OPENSAV_INTERFACE = 4, /* for rules to take the edge from */
};

enum radius_status {
	RADIUS_START = 1,
	RADIUS_STOP = 2,
	RADIUS_INTERIM = 3,
	RADIUS_ACCOUNTING_ON = 7,
	RADIUS_ACCOUNTING_OFF = 8,
};

/* Attributes as on the wire: of a packet, or kept of one. */
struct radius_attrs {
	const uint8_t *data;
	size_t len;
};

struct radius_packet {
	uint8_t code, id;
	uint8_t authenticator[RADIUS_AUTH_SIZE];
	struct radius_attrs attrs;
	const uint8_t *bytes; /* the whole packet, in the caller's buffer */
	size_t len;	      /* without padding behind it */
};

/* 0, or -1 with diag. Lengths outside 20..4096, a packet longer than what came,
 * attributes of length 0 or 1 or beyond the end are refused; what follows the
 * packet's own length is padding (RFC 2865 sec. 3). */
int radius_decode(const void *data, size_t len, struct radius_packet *p, struct diag *diag);

/* ---- attributes ---- */

/* A sub-attribute of a Vendor-Specific (RFC 2865 5.26) comes with its vendor's
 * number and its own type; a Vendor-Specific that is not made of them comes as
 * type 0 with all that follows the number. What is nested deeper stays bytes. */
struct radius_attr {
	uint32_t vendor; /* 0: a standard attribute */
	uint8_t type;
	const uint8_t *data;
	size_t len;
};

struct radius_iter {
	struct rd top, inner;
	uint32_t vendor;
};
void radius_iter_init(struct radius_iter *it, struct radius_attrs attrs);
bool radius_next(struct radius_iter *it, struct radius_attr *attr);

/* The first of its kind; false: there is none. */
bool radius_find(struct radius_attrs attrs, uint32_t vendor, uint8_t type,
		 struct radius_attr *attr);
/* Likewise, and of the right size; false: none or malformed. */
bool radius_find_u32(struct radius_attrs attrs, uint8_t type, uint32_t *value);
bool radius_find_addr(struct radius_attrs attrs, uint8_t type, struct ip_addr *addr);
size_t radius_count(struct radius_attrs attrs, uint8_t type);
/* An attribute as text: what is not printable becomes '?', too long is cut. */
void radius_text(const struct radius_attr *attr, char *dst, size_t size);

/* ---- who sent it ---- */

/* Of an Accounting, CoA or Disconnect request (RFC 2866 sec. 3, 5176 sec. 2.3). */
bool radius_request_is_from(const struct radius_packet *p, const char *secret);
/* Of a response to a request with this authenticator (RFC 2865 sec. 3). */
bool radius_response_is_from(const struct radius_packet *p,
			     const uint8_t request[RADIUS_AUTH_SIZE], const char *secret);

enum radius_signed {
	RADIUS_UNSIGNED,
	RADIUS_SIGNED,
	RADIUS_SIGNED_WRONG, /* also: two of them, or of the wrong size */
};
/* Message-Authenticator (RFC 2869 5.14). authenticator: the packet's own in an
 * Access-Request or Status-Server, the request's in a response to it; NULL:
 * zeros, as in the other requests and responses. */
enum radius_signed radius_signature(const struct radius_packet *p,
				    const uint8_t *authenticator, const char *secret);

/* ---- making one ---- */

/* begin, put..., end: the packet is in *wr, which was empty before. */
void radius_begin(struct wr *wr, enum radius_code code, uint8_t id);
void radius_put(struct wr *wr, uint8_t type, const void *data, size_t len); /* <= 253 */
void radius_put_u32(struct wr *wr, uint8_t type, uint32_t value);
void radius_put_text(struct wr *wr, uint8_t type, const char *text);
void radius_put_vendor(struct wr *wr, uint32_t vendor, uint8_t type, const void *data,
		       size_t len); /* <= 247 */
/* User-Password hidden as RFC 2865 5.2 says; at most 128 bytes. */
void radius_put_password(struct wr *wr, const char *password,
			 const uint8_t authenticator[RADIUS_AUTH_SIZE], const char *secret);

/* An Access-Request or Status-Server: signed, with this random authenticator. */
void radius_end_access(struct wr *wr, const uint8_t authenticator[RADIUS_AUTH_SIZE],
		       const char *secret);
/* An Accounting, CoA or Disconnect request. */
void radius_end_request(struct wr *wr, bool sign, const char *secret);
/* A response; Message-Authenticator counts the request's authenticator. */
void radius_end_response(struct wr *wr, const struct radius_packet *request, bool sign,
			 const char *secret);

#endif /* SAV_RADIUS_PACKET_H */
