/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * payload - the insides of each payload but SA (proposal.h) and SK (message.h).
 *
 * A decoder takes a payload's body and fills *out only when all of it is right:
 * 0, or -1 for INVALID_SYNTAX. What it fills points into the message. An
 * encoder appends a whole payload, generic header included.
 *
 * Source: RFC 7296 section 3; RFC 4555 4; RFC 7427 3 and 4.
 */
#ifndef SAV_PAYLOAD_H
#define SAV_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/ike/message.h"
#include "lib/ip.h"
#include "lib/rd.h"

/* A run of bytes in the message. */
struct ike_bytes {
	const uint8_t *data;
	size_t len;
};

struct ike_bytes ike_rest(struct rd *rd); /* all that is left, taken */

/* 3.4 */
struct ike_ke {
	uint16_t group;
	struct ike_bytes value;
};
int ike_ke_decode(struct rd body, struct ike_ke *out);
void ike_ke_encode(struct ike_writer *w, uint16_t group, const uint8_t *value, size_t len);

/* 3.5; what is inside depends on the type and is identity.h's business */
struct ike_id_payload {
	uint8_t type;
	struct ike_bytes data;
};
int ike_id_decode(struct rd body, struct ike_id_payload *out);
void ike_id_encode(struct ike_writer *w, uint8_t payload_type, uint8_t id_type, const void *data, size_t len);

/* 3.6, 3.7: the encoding and what it says */
struct ike_cert {
	uint8_t encoding;
	struct ike_bytes data;
};
int ike_cert_decode(struct rd body, struct ike_cert *out); /* CERT and CERTREQ */
void ike_cert_encode(struct ike_writer *w, uint8_t payload_type, uint8_t encoding, const void *data, size_t len);

/* 3.8 */
struct ike_auth {
	uint8_t method;
	struct ike_bytes data;
};
int ike_auth_decode(struct rd body, struct ike_auth *out);
void ike_auth_encode(struct ike_writer *w, uint8_t method, const void *data, size_t len);

/* 3.9: 16 to 256 bytes */
int ike_nonce_decode(struct rd body, struct ike_bytes *out);
void ike_nonce_encode(struct ike_writer *w, const uint8_t *nonce, size_t len);

/* 3.10 */
struct ike_notify {
	uint8_t protocol;
	uint8_t spi_len; /* 0, 4 or 8 */
	uint8_t spi[IKE_SPI_SIZE];
	uint16_t type;
	struct ike_bytes data;
};
int ike_notify_decode(struct rd body, struct ike_notify *out);
void ike_notify_encode(struct ike_writer *w, uint16_t type, const void *data, size_t len);
void ike_notify_spi_encode(struct ike_writer *w, uint16_t type, uint8_t protocol, uint32_t spi);
/* The name in RFC style ("NO_PROPOSAL_CHOSEN"), or a number in a static text. */
const char *ike_notify_name(uint16_t type);

/* 3.11: of an IKE SA (no SPIs), or ESP SPIs */
#define IKE_DELETE_MAX 64
struct ike_delete {
	uint8_t protocol;
	unsigned n;
	uint32_t spis[IKE_DELETE_MAX];
};
int ike_delete_decode(struct rd body, struct ike_delete *out);
void ike_delete_encode(struct ike_writer *w, uint8_t protocol, const uint32_t *spis, unsigned n);

/* 3.13.1. Addresses first..last of one family; ports 0..65535 is any; first
 * port 65535 and last 0 is OPAQUE (RFC 4301 4.4.1.1). */
#define IKE_TS_MAX 64
struct ike_ts {
	uint8_t protocol; /* 0: any */
	uint16_t port_first, port_last;
	struct ip_addr first, last;
};
struct ike_ts_list {
	unsigned n;
	struct ike_ts list[IKE_TS_MAX];
};
/* Selectors of types we don't know are left out (3.13); so n can be 0. */
int ike_ts_decode(struct rd body, struct ike_ts_list *out);
void ike_ts_encode(struct ike_writer *w, uint8_t payload_type, const struct ike_ts_list *list);

/* 3.15. Attributes that we know; each at most IKE_CFG_MAX times in all. */
#define IKE_CFG_MAX 32
struct ike_cfg_item {
	uint16_t type; /* enum ike_cfg_attr */
	struct ike_bytes value;
};
struct ike_cfg {
	uint8_t type; /* enum ike_cfg_type */
	unsigned n;
	struct ike_cfg_item items[IKE_CFG_MAX];
};
int ike_cfg_decode(struct rd body, struct ike_cfg *out);
void ike_cfg_encode(struct ike_writer *w, const struct ike_cfg *cfg);

#endif /* SAV_PAYLOAD_H */
