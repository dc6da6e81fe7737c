/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/identity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ipsec/crypto.h"
#include "lib/ip.h"

static const struct {
	const char *word;
	uint8_t type;
	const char *example;
} words[] = {
	{ "any", 0, "" },
	{ "fqdn", IKE_ID_FQDN, "fqdn berlin.example" },
	{ "email", IKE_ID_EMAIL, "email user@berlin.example" },
	{ "key-id", IKE_ID_KEY_ID, "key-id berlin or key-id 0x0a1b" },
	{ "dn", IKE_ID_DN, "dn C=DE,O=Example,CN=berlin" },
	{ "address", IKE_ID_IPV4, "address 192.0.2.1" },
};

static const char *word_of(uint8_t type)
{
	if (type == IKE_ID_IPV6)
		type = IKE_ID_IPV4;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].type == type)
			return words[i].word;
	return "?";
}

/* Printing ASCII without spaces: host names, and what stands before an @. */
static bool is_name(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] <= ' ' || data[i] > '~')
			return false;
	return len > 0;
}

static bool content_is_valid(uint8_t type, const uint8_t *data, size_t len)
{
	switch (type) {
	case IKE_ID_IPV4:
		return len == 4;
	case IKE_ID_IPV6:
		return len == 16;
	case IKE_ID_FQDN:
		return is_name(data, len) && !memchr(data, '@', len);
	case IKE_ID_EMAIL:
		return is_name(data, len) && memchr(data, '@', len);
	case IKE_ID_DN:
		return crypto_dn_is_valid(data, len);
	case IKE_ID_KEY_ID:
		return len > 0;
	}
	return false;
}

int ike_identity_from_payload(const struct ike_id_payload *payload, struct ike_identity *out)
{
	if (payload->data.len > IKE_IDENTITY_MAX ||
	    !content_is_valid(payload->type, payload->data.data, payload->data.len))
		return -1;
	out->type = payload->type;
	out->len = (uint16_t)payload->data.len;
	memcpy(out->data, payload->data.data, payload->data.len);
	return 0;
}

bool ike_identity_is_any(const struct ike_identity *id)
{
	return id->type == 0;
}

bool ike_identity_equal(const struct ike_identity *a, const struct ike_identity *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == IKE_ID_DN)
		return crypto_dn_equal(a->data, a->len, b->data, b->len);
	if (a->len != b->len)
		return false;
	if (a->type == IKE_ID_FQDN || a->type == IKE_ID_EMAIL)
		return strncasecmp((const char *)a->data, (const char *)b->data, a->len) == 0;
	return memcmp(a->data, b->data, a->len) == 0;
}

uint64_t ike_identity_hash(const struct ike_identity *id)
{
	bool name = id->type == IKE_ID_FQDN || id->type == IKE_ID_EMAIL;
	uint64_t h = 14695981039346656037ULL ^ id->type;

	if (id->type == IKE_ID_DN)
		return h + crypto_dn_hash(id->data, id->len);
	for (unsigned i = 0; i < id->len; i++) {
		uint8_t c = id->data[i];

		h = (h ^ (name && c >= 'A' && c <= 'Z' ? c | 0x20 : c)) * 1099511628211ULL;
	}
	return h;
}

bool ike_identity_match(const struct ike_identity *wanted, const struct ike_identity *seen)
{
	return ike_identity_is_any(wanted) || ike_identity_equal(wanted, seen);
}

/* ---- text */

static int parse_hex(const char *text, struct ike_identity *out)
{
	size_t n = strlen(text);

	if (n == 0 || n % 2 != 0 || n / 2 > IKE_IDENTITY_MAX || strspn(text, "0123456789abcdefABCDEF") != n)
		return -1;
	for (size_t i = 0; i < n / 2; i++) {
		unsigned byte;

		sscanf(text + 2 * i, "%2x", &byte);
		out->data[i] = (uint8_t)byte;
	}
	out->len = (uint16_t)(n / 2);
	return 0;
}

static int parse_bytes(const char *text, struct ike_identity *out)
{
	size_t n = strlen(text);

	if (n > IKE_IDENTITY_MAX)
		return -1;
	out->len = (uint16_t)n;
	memcpy(out->data, text, n);
	return 0;
}

static int parse_address(const char *text, struct ike_identity *out)
{
	struct ip_addr addr;

	if (!ip_addr_parse(text, &addr))
		return -1;
	out->type = addr.family == IP_V6 ? IKE_ID_IPV6 : IKE_ID_IPV4;
	out->len = (uint16_t)ip_bytes(addr.family);
	ip_to_bytes(addr.v, addr.family, out->data);
	return 0;
}

static int parse_value(const char *value, struct ike_identity *id)
{
	size_t len;

	if (id->type == IKE_ID_IPV4)
		return parse_address(value, id);
	if (id->type == IKE_ID_KEY_ID && strncmp(value, "0x", 2) == 0)
		return parse_hex(value + 2, id);
	if (id->type != IKE_ID_DN)
		return parse_bytes(value, id);
	if (crypto_dn_encode(value, id->data, IKE_IDENTITY_MAX, &len) != 0)
		return -1;
	id->len = (uint16_t)len;
	return 0;
}

int ike_identity_parse(const char *text, struct ike_identity *out, struct diag *diag)
{
	struct ike_identity id = { 0 };
	size_t word = strcspn(text, " ");
	const char *value = text + word + strspn(text + word, " ");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) != word || strncasecmp(words[i].word, text, word) != 0)
			continue;
		id.type = words[i].type;
		if (id.type != 0 && (parse_value(value, &id) != 0 || !content_is_valid(id.type, id.data, id.len)))
			return diag_set(diag, "\"%.80s\" is no identity of type %s; write such as %s", value, words[i].word,
					words[i].example);
		*out = id;
		return 0;
	}
	return diag_set(diag, "\"%s\" is no identity; write fqdn NAME, email USER@NAME, key-id TEXT, "
			      "dn \"C=.., CN=..\", address ADDRESS, or any", text);
}

/* As it is when it prints and does not look like hex, else hex. */
static void format_key_id(const struct ike_identity *id, char *out, size_t size)
{
	size_t at;

	if (is_name(id->data, id->len) && !(id->len > 1 && memcmp(id->data, "0x", 2) == 0)) {
		snprintf(out, size, "%.*s", id->len, (const char *)id->data);
		return;
	}
	at = (size_t)snprintf(out, size, "0x");
	for (unsigned i = 0; i < id->len && at + 2 < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%02x", id->data[i]);
}

const char *ike_identity_format(const struct ike_identity *id, char out[IKE_IDENTITY_TEXT])
{
	size_t at = (size_t)snprintf(out, IKE_IDENTITY_TEXT, "%s", word_of(id->type));
	size_t size = IKE_IDENTITY_TEXT - at - 1;
	struct ip_addr addr = { .family = id->type == IKE_ID_IPV6 ? IP_V6 : IP_V4 };
	char text[IP_TEXT_SIZE];

	if (id->type == 0)
		return out;
	out[at++] = ' ';
	switch (id->type) {
	case IKE_ID_IPV4:
	case IKE_ID_IPV6:
		addr.v = ip_from_bytes(id->data, addr.family);
		snprintf(out + at, size, "%s", ip_addr_format(&addr, text));
		break;
	case IKE_ID_DN:
		crypto_dn_format(id->data, id->len, out + at, size);
		break;
	case IKE_ID_KEY_ID:
		format_key_id(id, out + at, size);
		break;
	default: /* names: content_is_valid() let only printing bytes in */
		snprintf(out + at, size, "%.*s", id->len, (const char *)id->data);
	}
	return out;
}
