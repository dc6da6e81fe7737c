/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * message - one IKE message: header, chain of payloads, protection.
 *
 * Decoders keep no state and look no further than the bytes given; a message
 * points into them and lives no longer than they do.
 *
 * Source: RFC 7296 3.1, 3.2, 3.14; RFC 7383 2.5 (fragments); RFC 5282 (AEAD).
 */
#ifndef SAV_MESSAGE_H
#define SAV_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/crypto.h"
#include "ipsec/ike/ike.h"
#include "lib/rd.h"
#include "lib/wr.h"

/* What we take from the wire. A chain of 64 certificates of 2 KB fits. */
#define IKE_MESSAGE_MAX (256 * 1024)
#define IKE_PAYLOADS_MAX 128

struct ike_header {
	uint8_t spi_i[IKE_SPI_SIZE];
	uint8_t spi_r[IKE_SPI_SIZE];
	uint8_t next; /* type of the first payload */
	uint8_t version;
	uint8_t exchange;
	uint8_t flags; /* enum ike_flag */
	uint32_t id;
	uint32_t len; /* of the whole message */
};

struct ike_payload {
	uint8_t type;
	bool critical;
	struct rd body; /* without the generic header */
};

struct ike_payloads {
	unsigned n;
	struct ike_payload list[IKE_PAYLOADS_MAX];
};

/* Why a message is no message. */
enum ike_decode {
	IKE_DECODED = 0,
	IKE_TRUNCATED,		/* lengths don't meet the bytes: not worth an answer */
	IKE_BAD_VERSION,	/* another major version (2.5) */
	IKE_BAD_SYNTAX,		/* INVALID_SYNTAX */
	IKE_UNKNOWN_CRITICAL,	/* UNSUPPORTED_CRITICAL_PAYLOAD; the type is in *bad */
	IKE_BAD_INTEGRITY,	/* SK or SKF that does not open: to be ignored (2.21) */
};

/* One line for a log. */
const char *ike_decode_text(enum ike_decode what);

/* The header of a datagram, the non-ESP marker already gone. The length in it
 * must be the datagram's. With IKE_BAD_VERSION *header is filled too. */
enum ike_decode ike_header_decode(const uint8_t *data, size_t len, struct ike_header *header);

/* A chain: in the clear after the header, or inside SK. Payloads of types that
 * we don't know are left out if not critical (2.5). A second SA, KE, nonce, ID
 * of one side, AUTH, TS of one side or SK is INVALID_SYNTAX, and so is SK or
 * SKF that is not the last. *bad: type of the payload at fault, 0 if none. */
enum ike_decode ike_payloads_decode(uint8_t first, struct rd rd, struct ike_payloads *out, uint8_t *bad);

/* The first payload of this type, or NULL. */
const struct ike_payload *ike_payload_find(const struct ike_payloads *payloads, uint8_t type);

/* ---- protection, in place */

/* Opens the SK payload that ends the message. data is the whole message and is
 * written to; on success *first and *plain say what was inside. */
enum ike_decode ike_sk_open(struct crypto_cipher *cipher, uint8_t *data, size_t len, uint8_t *first,
			    struct rd *plain);

/* One fragment (RFC 7383 2.5), opened. */
struct ike_fragment {
	uint16_t number; /* from 1 */
	uint16_t total;
	uint8_t first; /* type of the first payload inside; 0 but in number 1 */
	struct rd plain;
};

enum ike_decode ike_skf_open(struct crypto_cipher *cipher, uint8_t *data, size_t len, struct ike_fragment *out);

/* ---- writing */

/* Payloads are put one after another; each knows its successor only when that
 * comes, so the place of the last "next payload" is kept. */
struct ike_writer {
	struct wr wr;
	size_t next_at; /* where the type of the next payload goes */
	uint8_t first;	/* type of the first, for a chain without a header */
};

/* A chain alone: what goes into SK. */
void ike_writer_init(struct ike_writer *w);
/* With the header in front; its length and next are filled in at the end. */
void ike_writer_init_header(struct ike_writer *w, const struct ike_header *header);
/* The same in the memory that a writer has; one of zeros has none yet. */
void ike_writer_reuse(struct ike_writer *w, const struct ike_header *header);
void ike_writer_fini(struct ike_writer *w);

/* Begins a payload; the caller writes its body to w->wr; ends it. */
size_t ike_payload_begin(struct ike_writer *w, uint8_t type);
void ike_payload_end(struct ike_writer *w, size_t begun);
/* With a header in front: sets its length. */
void ike_writer_finish(struct ike_writer *w);

/* header and the chain inside SK -> out (appended). counter: as crypto_seal(). */
int ike_sk_seal(struct crypto_cipher *cipher, uint64_t counter, const struct ike_header *header,
		const struct ike_writer *chain, struct wr *out);
/* One fragment of the chain: its bytes from..from+len. */
int ike_skf_seal(struct crypto_cipher *cipher, uint64_t counter, const struct ike_header *header,
		 const struct ike_writer *chain, uint16_t number, uint16_t total, size_t from, size_t len,
		 struct wr *out);
/* How many bytes of a chain one fragment carries when the whole IKE message is
 * to be at most max bytes; 0: not even one. */
size_t ike_skf_room(const struct crypto_cipher *cipher, size_t max);
/* Length of the message that ike_sk_seal() would make. */
size_t ike_sk_size(const struct crypto_cipher *cipher, size_t chain_len);

#endif /* SAV_MESSAGE_H */
