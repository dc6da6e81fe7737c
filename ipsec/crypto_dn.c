/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

#include "ipsec/crypto.h"

static X509_NAME *name_new(const uint8_t *der, size_t len)
{
	const uint8_t *at = der;
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)len);

	if (name && at != der + len) {
		X509_NAME_free(name);
		name = NULL;
	}
	return name;
}

/* One "TYPE=VALUE" up to a comma that no backslash escapes; *text moves on. */
static int add_entry(X509_NAME *name, const char **text)
{
	char type[32], value[256];
	const char *at = *text + strspn(*text, " ");
	size_t n = strcspn(at, "="), v = 0;

	if (n == 0 || n >= sizeof(type) || at[n] != '=')
		return -1;
	memcpy(type, at, n);
	type[n] = '\0';
	for (at += n + 1; *at != '\0' && *at != ','; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		if (v + 1 >= sizeof(value))
			return -1;
		value[v++] = *at;
	}
	while (v > 0 && value[v - 1] == ' ')
		v--;
	*text = *at == ',' ? at + 1 : at;
	return v > 0 && X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const uint8_t *)value, (int)v, -1, 0) == 1 ?
		       0 :
		       -1;
}

int crypto_dn_encode(const char *text, uint8_t *der, size_t size, size_t *len)
{
	X509_NAME *name = X509_NAME_new();
	uint8_t *made = NULL;
	int ret = -1, n;

	do {
		if (!name || add_entry(name, &text) != 0)
			goto out;
	} while (*text != '\0');
	n = i2d_X509_NAME(name, &made);
	if (n > 0 && (size_t)n <= size) {
		memcpy(der, made, (size_t)n);
		*len = (size_t)n;
		ret = 0;
	}
out:
	OPENSSL_free(made);
	X509_NAME_free(name);
	return ret;
}

bool crypto_dn_is_valid(const uint8_t *der, size_t len)
{
	X509_NAME *name = name_new(der, len);
	bool valid = name && X509_NAME_entry_count(name) > 0;

	X509_NAME_free(name);
	return valid;
}

bool crypto_dn_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	X509_NAME *name_a = name_new(a, a_len), *name_b = name_new(b, b_len);
	bool equal = name_a && name_b && X509_NAME_cmp(name_a, name_b) == 0;

	X509_NAME_free(name_a);
	X509_NAME_free(name_b);
	return equal;
}

uint32_t crypto_dn_hash(const uint8_t *der, size_t len)
{
	X509_NAME *name = name_new(der, len);
	int ok = 0;
	unsigned long hash = name ? X509_NAME_hash_ex(name, NULL, NULL, &ok) : 0;

	X509_NAME_free(name);
	return ok ? (uint32_t)hash : 0;
}

void crypto_dn_format(const uint8_t *der, size_t len, char *out, size_t size)
{
	X509_NAME *name = name_new(der, len);
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	/* escapes what does not print; the order stays that of the DER */
	if (name && bio &&
	    X509_NAME_print_ex(bio, name, 0, ASN1_STRFLGS_RFC2253 | XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_FN_SN) >= 0)
		n = BIO_read(bio, out, (int)size - 1);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
	X509_NAME_free(name);
}
