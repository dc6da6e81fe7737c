/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/proposal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

#define LAST_PROPOSAL 0
#define MORE_PROPOSALS 2
#define MORE_TRANSFORMS 3
#define ATTR_KEY_LENGTH 14
#define ATTR_TV 0x8000 /* the value is in the header */

/* ---- the wire: RFC 7296 3.3 */

/* Attributes of one transform (3.3.5). Key Length is the only one there is. */
static void attributes_decode(struct rd *rd, struct ike_transform *transform)
{
	while (!rd->failed && rd_left(rd) > 0) {
		uint16_t type = rd_be16(rd);
		uint16_t value = rd_be16(rd);

		if (type == (ATTR_TV | ATTR_KEY_LENGTH) && transform->key_bits == 0 && value != 0)
			transform->key_bits = value;
		else
			transform->unknown = true;
		if (!(type & ATTR_TV))
			rd_skip(rd, value);
	}
}

static int transform_decode(struct rd *rd, bool last, struct ike_transform *transform)
{
	uint8_t more = rd_u8(rd);
	uint16_t len;
	struct rd body;

	rd_skip(rd, 1);
	len = rd_be16(rd);
	if (len < 8 || more != (last ? 0 : MORE_TRANSFORMS))
		return -1;
	body = rd_sub(rd, len - 4u);
	transform->type = rd_u8(&body);
	rd_skip(&body, 1);
	transform->id = rd_be16(&body);
	attributes_decode(&body, transform);
	return rd_done(&body) ? 0 : -1;
}

static bool spi_len_is_valid(uint8_t protocol, uint8_t len)
{
	/* 3.3.1: an initial IKE SA has none, its rekeying has eight bytes */
	if (protocol == IKE_PROTO_IKE)
		return len == 0 || len == IKE_SPI_SIZE;
	return len == 4 || protocol > IKE_PROTO_ESP;
}

static int proposal_decode(struct rd *rd, struct ike_proposal *p, bool *more)
{
	uint8_t mark = rd_u8(rd);
	struct rd body;
	uint16_t len;

	rd_skip(rd, 1);
	len = rd_be16(rd);
	if (len < 8 || (mark != LAST_PROPOSAL && mark != MORE_PROPOSALS))
		return -1;
	*more = mark == MORE_PROPOSALS;
	body = rd_sub(rd, len - 4u);
	p->number = rd_u8(&body);
	p->protocol = rd_u8(&body);
	p->spi_len = rd_u8(&body);
	p->n_transforms = rd_u8(&body);
	if (p->n_transforms > IKE_TRANSFORMS_MAX || p->spi_len > sizeof(p->spi) ||
	    !spi_len_is_valid(p->protocol, p->spi_len))
		return -1;
	rd_bytes(&body, p->spi, p->spi_len);
	for (unsigned i = 0; i < p->n_transforms; i++)
		if (transform_decode(&body, i + 1 == p->n_transforms, &p->transforms[i]) != 0)
			return -1;
	return rd_done(&body) ? 0 : -1;
}

int ike_proposals_decode(struct rd rd, struct ike_proposals *out)
{
	struct ike_proposals list;
	bool more = true;

	for (list.n = 0; more; list.n++) {
		struct ike_proposal *p = &list.list[list.n];

		/* numbers go 1, 2, 3; an answer repeats the number it chose */
		if (list.n == IKE_PROPOSALS_MAX)
			return -1;
		*p = (struct ike_proposal){ 0 };
		if (proposal_decode(&rd, p, &more) != 0 || (list.n > 0 && p->number != p[-1].number + 1))
			return -1;
	}
	if (!rd_done(&rd))
		return -1;
	out->n = list.n;
	memcpy(out->list, list.list, list.n * sizeof(list.list[0]));
	return 0;
}

static void transform_encode(const struct ike_transform *t, bool last, struct wr *wr)
{
	wr_u8(wr, last ? 0 : MORE_TRANSFORMS);
	wr_u8(wr, 0);
	wr_be16(wr, t->key_bits ? 12 : 8);
	wr_u8(wr, t->type);
	wr_u8(wr, 0);
	wr_be16(wr, t->id);
	if (t->key_bits) {
		wr_be16(wr, ATTR_TV | ATTR_KEY_LENGTH);
		wr_be16(wr, t->key_bits);
	}
}

void ike_proposals_encode(const struct ike_proposals *proposals, struct wr *wr)
{
	for (unsigned i = 0; i < proposals->n; i++) {
		const struct ike_proposal *p = &proposals->list[i];
		size_t start = wr->len;

		wr_u8(wr, i + 1 == proposals->n ? LAST_PROPOSAL : MORE_PROPOSALS);
		wr_u8(wr, 0);
		wr_be16(wr, 0);
		wr_u8(wr, p->number);
		wr_u8(wr, p->protocol);
		wr_u8(wr, p->spi_len);
		wr_u8(wr, p->n_transforms);
		wr_bytes(wr, p->spi, p->spi_len);
		for (unsigned t = 0; t < p->n_transforms; t++)
			transform_encode(&p->transforms[t], t + 1u == p->n_transforms, wr);
		wr_patch16(wr, start + 2, (uint16_t)(wr->len - start));
	}
}

/* ---- choice: RFC 7296 3.3.6 */

static bool has_type(const struct ike_proposal *p, uint8_t type)
{
	for (unsigned i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == type)
			return true;
	return false;
}

/* An algorithm for this type that says "none" (3.3.3: AUTH_NONE and group
 * NONE may be named or left out, with one meaning; ESN must be named but
 * older peers leave out "no"). */
static bool offers(const struct ike_proposal *p, const struct ike_transform *want)
{
	for (unsigned i = 0; i < p->n_transforms; i++) {
		const struct ike_transform *t = &p->transforms[i];

		if (t->type == want->type && t->id == want->id && t->key_bits == want->key_bits && !t->unknown)
			return true;
	}
	return want->id == 0 && !has_type(p, want->type);
}

static bool choose_type(const struct ike_proposal *ours, const struct ike_proposal *theirs, uint8_t type,
			struct ike_transform *out)
{
	const struct ike_transform none = { .type = type };

	for (unsigned i = 0; i < ours->n_transforms; i++)
		if (ours->transforms[i].type == type && offers(theirs, &ours->transforms[i])) {
			*out = ours->transforms[i];
			return true;
		}
	*out = none;
	return !has_type(ours, type) && offers(theirs, &none);
}

/* A type that neither of us knows must not be there (RFC 7296 3.3.6). */
static bool knows_all_types(const struct ike_proposal *p)
{
	for (unsigned i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type < IKE_T_ENCR || p->transforms[i].type > IKE_T_MAX)
			return false;
	return true;
}

static bool choose(const struct ike_proposal *ours, const struct ike_proposal *theirs, bool with_dh,
		   struct ike_suite *suite)
{
	struct ike_transform encr, prf, integ, dh = { .type = IKE_T_DH }, esn;
	struct crypto_shape shape;

	if (ours->protocol != theirs->protocol || !knows_all_types(theirs) ||
	    !choose_type(ours, theirs, IKE_T_ENCR, &encr) || !choose_type(ours, theirs, IKE_T_PRF, &prf) ||
	    !choose_type(ours, theirs, IKE_T_INTEG, &integ) || !choose_type(ours, theirs, IKE_T_ESN, &esn) ||
	    (with_dh && !choose_type(ours, theirs, IKE_T_DH, &dh)))
		return false;
	*suite = (struct ike_suite){ .cipher = { encr.id, encr.key_bits, integ.id }, .prf = prf.id, .dh = dh.id,
				     .esn = esn.id == 1 };
	return crypto_suite_shape(&suite->cipher, &shape) == 0;
}

int ike_proposal_select(const struct ike_proposals *ours, const struct ike_proposals *theirs,
			enum ike_protocol protocol, bool with_dh, struct ike_suite *suite,
			const struct ike_proposal **chosen)
{
	for (unsigned i = 0; i < ours->n; i++)
		for (unsigned j = 0; j < theirs->n; j++)
			if (ours->list[i].protocol == protocol &&
			    choose(&ours->list[i], &theirs->list[j], with_dh, suite)) {
				if (chosen)
					*chosen = &theirs->list[j];
				return 0;
			}
	return -1;
}

static void add(struct ike_proposal *p, uint8_t type, uint16_t id, uint16_t key_bits)
{
	p->transforms[p->n_transforms++] = (struct ike_transform){ .type = type, .id = id, .key_bits = key_bits };
}

void ike_proposal_of_suite(const struct ike_suite *suite, enum ike_protocol protocol, uint8_t number,
			   struct ike_proposal *out)
{
	*out = (struct ike_proposal){ .number = number, .protocol = (uint8_t)protocol };
	add(out, IKE_T_ENCR, suite->cipher.encr, suite->cipher.key_bits);
	if (suite->cipher.integ != AUTH_NONE)
		add(out, IKE_T_INTEG, suite->cipher.integ, 0);
	if (protocol == IKE_PROTO_IKE)
		add(out, IKE_T_PRF, suite->prf, 0);
	if (suite->dh != DH_NONE)
		add(out, IKE_T_DH, suite->dh, 0);
	if (protocol == IKE_PROTO_ESP)
		add(out, IKE_T_ESN, suite->esn, 0);
}

static void add_group(struct ike_proposal *p, uint16_t group)
{
	for (unsigned i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == IKE_T_DH && p->transforms[i].id == group)
			return;
	if (p->n_transforms < IKE_TRANSFORMS_MAX)
		add(p, IKE_T_DH, group, 0);
}

void ike_proposals_with_groups(const struct ike_proposals *from, uint16_t first, const struct ike_proposals *groups,
			       struct ike_proposals *out)
{
	out->n = from->n;
	for (unsigned i = 0; i < from->n; i++) {
		struct ike_proposal *p = &out->list[i];

		*p = from->list[i];
		if (has_type(p, IKE_T_DH))
			continue;
		add_group(p, first);
		for (unsigned g = 0; g < groups->n; g++)
			for (unsigned t = 0; t < groups->list[g].n_transforms; t++)
				if (groups->list[g].transforms[t].type == IKE_T_DH)
					add_group(p, groups->list[g].transforms[t].id);
		add_group(p, DH_NONE);
	}
}

int ike_proposal_accept(const struct ike_proposals *ours, const struct ike_proposals *answer,
			enum ike_protocol protocol, bool with_dh, struct ike_suite *suite)
{
	const struct ike_proposal *theirs = &answer->list[0];
	unsigned seen[IKE_T_MAX + 1] = { 0 };

	if (answer->n != 1 || !knows_all_types(theirs))
		return -1;
	for (unsigned i = 0; i < theirs->n_transforms; i++)
		if (seen[theirs->transforms[i].type]++ > 0)
			return -1;
	return ike_proposal_select(ours, answer, protocol, with_dh, suite, NULL);
}

bool ike_proposals_have_group(const struct ike_proposals *proposals, uint16_t group)
{
	const struct ike_transform want = { .type = IKE_T_DH, .id = group };

	for (unsigned i = 0; i < proposals->n; i++)
		if (has_type(&proposals->list[i], IKE_T_DH) && offers(&proposals->list[i], &want))
			return true;
	return false;
}

uint16_t ike_proposals_first_group(const struct ike_proposals *proposals)
{
	for (unsigned i = 0; i < proposals->n; i++)
		for (unsigned t = 0; t < proposals->list[i].n_transforms; t++)
			if (proposals->list[i].transforms[t].type == IKE_T_DH)
				return proposals->list[i].transforms[t].id;
	return DH_NONE;
}

/* ---- text */

static const struct word {
	const char *name;
	uint8_t type;
	uint16_t id;
	uint16_t key_bits;
} words[] = {
	{ "aes128gcm16", IKE_T_ENCR, ENCR_AES_GCM_16, 128 },
	{ "aes192gcm16", IKE_T_ENCR, ENCR_AES_GCM_16, 192 },
	{ "aes256gcm16", IKE_T_ENCR, ENCR_AES_GCM_16, 256 },
	{ "chacha20poly1305", IKE_T_ENCR, ENCR_CHACHA20_POLY1305, 0 },
	{ "aes128", IKE_T_ENCR, ENCR_AES_CBC, 128 },
	{ "aes192", IKE_T_ENCR, ENCR_AES_CBC, 192 },
	{ "aes256", IKE_T_ENCR, ENCR_AES_CBC, 256 },
	{ "null", IKE_T_ENCR, ENCR_NULL, 0 },
	{ "sha256", IKE_T_INTEG, AUTH_HMAC_SHA2_256_128, 0 },
	{ "sha384", IKE_T_INTEG, AUTH_HMAC_SHA2_384_192, 0 },
	{ "sha512", IKE_T_INTEG, AUTH_HMAC_SHA2_512_256, 0 },
	{ "sha1", IKE_T_INTEG, AUTH_HMAC_SHA1_96, 0 },
	{ "prfsha256", IKE_T_PRF, PRF_HMAC_SHA2_256, 0 },
	{ "prfsha384", IKE_T_PRF, PRF_HMAC_SHA2_384, 0 },
	{ "prfsha512", IKE_T_PRF, PRF_HMAC_SHA2_512, 0 },
	{ "x25519", IKE_T_DH, DH_X25519, 0 },
	{ "x448", IKE_T_DH, DH_X448, 0 },
	{ "ecp256", IKE_T_DH, DH_ECP256, 0 },
	{ "ecp384", IKE_T_DH, DH_ECP384, 0 },
	{ "ecp521", IKE_T_DH, DH_ECP521, 0 },
	{ "modp2048", IKE_T_DH, DH_MODP2048, 0 },
	{ "modp3072", IKE_T_DH, DH_MODP3072, 0 },
	{ "modp4096", IKE_T_DH, DH_MODP4096, 0 },
	{ "none", IKE_T_DH, DH_NONE, 0 },
	{ "esn", IKE_T_ESN, 1, 0 },
	{ "noesn", IKE_T_ESN, 0, 0 },
	/* strongSwan's other names; never printed, since they come second */
	{ "aes128gcm", IKE_T_ENCR, ENCR_AES_GCM_16, 128 },
	{ "aes256gcm", IKE_T_ENCR, ENCR_AES_GCM_16, 256 },
	{ "aes128gcm128", IKE_T_ENCR, ENCR_AES_GCM_16, 128 },
	{ "aes256gcm128", IKE_T_ENCR, ENCR_AES_GCM_16, 256 },
	{ "aes", IKE_T_ENCR, ENCR_AES_CBC, 128 },
	{ "sha2_256", IKE_T_INTEG, AUTH_HMAC_SHA2_256_128, 0 },
	{ "sha2_384", IKE_T_INTEG, AUTH_HMAC_SHA2_384_192, 0 },
	{ "sha2_512", IKE_T_INTEG, AUTH_HMAC_SHA2_512_256, 0 },
	{ "sha", IKE_T_INTEG, AUTH_HMAC_SHA1_96, 0 },
	{ "modpnone", IKE_T_DH, DH_NONE, 0 },
	{ "curve25519", IKE_T_DH, DH_X25519, 0 },
	{ "curve448", IKE_T_DH, DH_X448, 0 },
};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

#define WORDS_HELP \
	"ciphers aes128gcm16 aes256gcm16 chacha20poly1305 aes128 aes256, integrity sha256 sha384 sha512, " \
	"prfsha256 prfsha384 prfsha512, groups x25519 x448 ecp256 ecp384 ecp521 modp2048 modp3072 modp4096"

/* What people try, and why it is not here. */
static const struct {
	const char *name;
	const char *why;
} refused[] = {
	{ "des", "DES can be searched through (RFC 8247 2.1: MUST NOT)" },
	{ "3des", "3DES has 64-bit blocks (RFC 8247 2.1: MAY, RFC 8221 5: SHOULD NOT)" },
	{ "md5", "MD5 is broken (RFC 8247 2.3: MUST NOT)" },
	{ "prfmd5", "MD5 is broken (RFC 8247 2.2: MUST NOT)" },
	{ "prfsha1", "use prfsha256 (RFC 8247 2.2: SHA-1 is MUST-)" },
	{ "modp768", "768 bits are broken (RFC 8247 2.4: MUST NOT)" },
	{ "modp1024", "1024 bits can be broken (RFC 8247 2.4: SHOULD NOT)" },
	{ "modp1536", "1536 bits are too few (RFC 8247 2.4: SHOULD NOT)" },
};

static const struct word *find_word(const char *token, size_t len)
{
	for (size_t i = 0; i < N_WORDS; i++)
		if (strlen(words[i].name) == len && strncasecmp(words[i].name, token, len) == 0)
			return &words[i];
	return NULL;
}

static int unknown_word(const char *token, size_t len, struct diag *diag)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strlen(refused[i].name) == len && strncasecmp(refused[i].name, token, len) == 0)
			return diag_set(diag, "%s is not offered: %s", refused[i].name, refused[i].why);
	return diag_set(diag, "\"%.*s\" is no algorithm; there are %s", (int)(len < 32 ? len : 32), token, WORDS_HELP);
}

static bool is_aead(uint16_t encr)
{
	return encr == ENCR_AES_GCM_16 || encr == ENCR_CHACHA20_POLY1305;
}

/* An AEAD and a plain cipher can't share one proposal (RFC 7296 3.3). */
static int check_ciphers(const struct ike_proposal *p, enum ike_protocol protocol, struct diag *diag)
{
	unsigned aeads = 0, plain = 0;

	for (unsigned i = 0; i < p->n_transforms; i++) {
		if (p->transforms[i].type != IKE_T_ENCR)
			continue;
		if (is_aead(p->transforms[i].id))
			aeads++;
		else
			plain++;
		if (p->transforms[i].id == ENCR_NULL && protocol == IKE_PROTO_IKE)
			return diag_set(diag, "IKE can't run without encryption: null is for ESP");
	}
	if (aeads + plain == 0)
		return diag_set(diag, "no cipher; name one, such as aes256gcm16");
	if (aeads > 0 && plain > 0)
		return diag_set(diag, "a cipher with integrity of its own (gcm, poly1305) and one without "
				      "can't share a proposal; give two proposals");
	if (aeads > 0 && has_type(p, IKE_T_INTEG))
		return protocol == IKE_PROTO_IKE ?
			       diag_set(diag, "the cipher has integrity of its own; write prfsha256 for a PRF") :
			       diag_set(diag, "the cipher has integrity of its own; leave the sha part out");
	if (plain > 0 && !has_type(p, IKE_T_INTEG))
		return diag_set(diag, "the cipher needs an integrity algorithm, such as sha256");
	return 0;
}

static void add_default_prfs(struct ike_proposal *p)
{
	unsigned n = p->n_transforms;

	for (unsigned i = 0; i < n; i++) {
		uint16_t integ = p->transforms[i].id;

		if (p->transforms[i].type != IKE_T_INTEG || p->n_transforms == IKE_TRANSFORMS_MAX)
			continue;
		if (integ == AUTH_HMAC_SHA2_256_128)
			add(p, IKE_T_PRF, PRF_HMAC_SHA2_256, 0);
		else if (integ == AUTH_HMAC_SHA2_384_192)
			add(p, IKE_T_PRF, PRF_HMAC_SHA2_384, 0);
		else if (integ == AUTH_HMAC_SHA2_512_256)
			add(p, IKE_T_PRF, PRF_HMAC_SHA2_512, 0);
	}
}

static bool has_no_group(const struct ike_proposal *p)
{
	const struct ike_transform none = { .type = IKE_T_DH, .id = DH_NONE };

	return offers(p, &none);
}

static int check_protocol(struct ike_proposal *p, enum ike_protocol protocol, struct diag *diag)
{
	if (protocol == IKE_PROTO_ESP) {
		if (has_type(p, IKE_T_PRF))
			return diag_set(diag, "ESP has no PRF of its own; leave the prf part out");
		if (!has_type(p, IKE_T_ESN))
			add(p, IKE_T_ESN, 0, 0);
		return 0;
	}
	if (has_type(p, IKE_T_ESN))
		return diag_set(diag, "esn is for ESP");
	if (has_no_group(p))
		return diag_set(diag, "no group; name one, such as x25519");
	if (!has_type(p, IKE_T_PRF))
		add_default_prfs(p);
	if (!has_type(p, IKE_T_PRF))
		return diag_set(diag, "no PRF; name one, such as prfsha256");
	return 0;
}

int ike_proposal_parse(const char *text, enum ike_protocol protocol, struct ike_proposal *out, struct diag *diag)
{
	struct ike_proposal p = { .number = 1, .protocol = (uint8_t)protocol };
	const char *at = text;

	for (;;) {
		size_t len = strcspn(at, "-");
		const struct word *word = find_word(at, len);
		struct ike_transform t;

		if (!word)
			return unknown_word(at, len, diag);
		t = (struct ike_transform){ .type = word->type, .id = word->id, .key_bits = word->key_bits };
		if (has_type(&p, t.type) && offers(&p, &t))
			return diag_set(diag, "%s is named twice", word->name);
		/* room for what is added below */
		if (p.n_transforms >= IKE_TRANSFORMS_MAX / 2)
			return diag_set(diag, "more than %d algorithms; give several proposals", IKE_TRANSFORMS_MAX / 2);
		add(&p, t.type, t.id, t.key_bits);
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	if (check_ciphers(&p, protocol, diag) != 0 || check_protocol(&p, protocol, diag) != 0)
		return -1;
	*out = p;
	return 0;
}

static const char *name_of(const struct ike_transform *t)
{
	for (size_t i = 0; i < N_WORDS; i++)
		if (words[i].type == t->type && words[i].id == t->id && words[i].key_bits == t->key_bits)
			return words[i].name;
	return NULL;
}

void ike_proposal_format(const struct ike_proposal *p, char *out, size_t size)
{
	const struct ike_transform esn = { .type = IKE_T_ESN, .id = 1 };
	size_t at = 0;

	if (size > 0)
		out[0] = '\0';
	for (unsigned i = 0; i < p->n_transforms && at < size; i++) {
		const struct ike_transform *t = &p->transforms[i];
		const char *name = name_of(t), *dash = at > 0 ? "-" : "";
		int n;

		if (t->type == IKE_T_ESN && t->id == 0 && !offers(p, &esn))
			continue; /* the default, unless both are named */
		if (name)
			n = snprintf(out + at, size - at, "%s%s", dash, name);
		else if (t->key_bits)
			n = snprintf(out + at, size - at, "%s%u:%u:%u", dash, t->type, t->id, t->key_bits);
		else
			n = snprintf(out + at, size - at, "%s%u:%u", dash, t->type, t->id);
		at += (size_t)n;
	}
}

void ike_suite_format(const struct ike_suite *suite, enum ike_protocol protocol, char *out, size_t size)
{
	struct ike_proposal p;

	ike_proposal_of_suite(suite, protocol, 1, &p);
	ike_proposal_format(&p, out, size);
}
