/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * proposal - the SA payload: what one side offers, and what both can do.
 *
 * A proposal is written as strongSwan and users write it: algorithms joined by
 * "-", "aes256gcm16-prfsha384-x25519". Several of one type are alternatives.
 *
 * Source: RFC 7296 3.3; which algorithms there are: RFC 8247 and RFC 8221.
 */
#ifndef SAV_PROPOSAL_H
#define SAV_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/crypto.h"
#include "ipsec/ike/ike.h"
#include "lib/diag.h"
#include "lib/rd.h"
#include "lib/wr.h"

/* More of anything in a message is refused as INVALID_SYNTAX. strongSwan's
 * default proposals have up to 26 transforms, other makers' some more. */
#define IKE_PROPOSALS_MAX 32
#define IKE_TRANSFORMS_MAX 64

struct ike_transform {
	uint8_t type;	   /* enum ike_transform_type; others are kept, and never chosen */
	uint16_t id;
	uint16_t key_bits; /* the Key Length attribute, 0 without */
	bool unknown;	   /* an attribute that we don't know: this transform is no choice (3.3.6) */
};

struct ike_proposal {
	uint8_t number; /* from 1 */
	uint8_t protocol; /* enum ike_protocol */
	uint8_t spi_len;  /* 0, 4 or 8 */
	uint8_t spi[IKE_SPI_SIZE];
	uint8_t n_transforms;
	struct ike_transform transforms[IKE_TRANSFORMS_MAX];
};

struct ike_proposals {
	unsigned n;
	struct ike_proposal list[IKE_PROPOSALS_MAX];
};

/* One transform of each type, as chosen. 0 where the type takes no part. */
struct ike_suite {
	struct crypto_suite cipher;
	uint16_t prf; /* IKE only */
	uint16_t dh;  /* DH_NONE: a child without a key exchange of its own */
	bool esn;     /* ESP only */
};

/* Text -> one proposal for IKE or ESP; "-" between algorithms. For IKE a PRF
 * that is not named follows from the integrity algorithm. -1 with the reason
 * and the words there are. */
int ike_proposal_parse(const char *text, enum ike_protocol protocol, struct ike_proposal *out, struct diag *diag);
/* One proposal -> text that parses to the same. Cut short at size. */
void ike_proposal_format(const struct ike_proposal *proposal, char *out, size_t size);
void ike_suite_format(const struct ike_suite *suite, enum ike_protocol protocol, char *out, size_t size);

/* The body of an SA payload. Decoding refuses what 3.3 forbids (numbers out of
 * order, lengths that don't meet, SPI of the wrong size), and is complete or
 * leaves *out untouched. */
int ike_proposals_decode(struct rd rd, struct ike_proposals *out);
void ike_proposals_encode(const struct ike_proposals *proposals, struct wr *wr);

/* The first of ours that one of theirs meets, with our order inside it: the
 * suite, and which of theirs (for its number and SPI). with_dh false: a child
 * SA in IKE_AUTH has no key exchange (1.2), so groups on either side count for
 * nothing. -1: none. */
int ike_proposal_select(const struct ike_proposals *ours, const struct ike_proposals *theirs,
			enum ike_protocol protocol, bool with_dh, struct ike_suite *suite,
			const struct ike_proposal **chosen);

/* A proposal of just this suite: what a responder answers. */
void ike_proposal_of_suite(const struct ike_suite *suite, enum ike_protocol protocol, uint8_t number,
			   struct ike_proposal *out);
/* What the responder chose must be one of ours and one transform of each type
 * (3.3.6: "the initiator must check"). -1 if not. */
int ike_proposal_accept(const struct ike_proposals *ours, const struct ike_proposals *answer,
			enum ike_protocol protocol, bool with_dh, struct ike_suite *suite);

/* For a key exchange of a child SA: proposals that name no group of their own get
 * the first one given, then the groups of another list, and then none, which is
 * no key exchange; with first DH_NONE that comes before the groups. *out has
 * room for all. */
void ike_proposals_with_groups(const struct ike_proposals *from, uint16_t first, const struct ike_proposals *groups,
			       struct ike_proposals *out);

/* Is the group offered by one of them? For INVALID_KE_PAYLOAD (1.2). */
bool ike_proposals_have_group(const struct ike_proposals *proposals, uint16_t group);
/* The first group of the first proposal: what an initiator guesses. 0: none. */
uint16_t ike_proposals_first_group(const struct ike_proposals *proposals);

#endif /* SAV_PROPOSAL_H */
