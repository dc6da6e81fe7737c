/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "ipsec/crypto_cert.h"
#include "ipsec/crypto_impl.h"

struct parts {
	EVP_PKEY *key;
	STACK_OF(X509) *certs;
};

static void parts_free(struct parts *p)
{
	EVP_PKEY_free(p->key);
	sk_X509_pop_free(p->certs, X509_free);
}

static int give_passphrase(char *buf, int size, int rwflag, void *arg)
{
	const char *passphrase = arg;
	size_t len = passphrase ? strlen(passphrase) : 0;

	if (!passphrase || len > (size_t)size)
		return -1;
	memcpy(buf, passphrase, len);
	return (int)len;
}

static int read_pkcs12(PKCS12 *p12, const char *passphrase, struct parts *out, struct diag *diag)
{
	X509 *own = NULL;
	STACK_OF(X509) *others = NULL;

	if (PKCS12_parse(p12, passphrase ? passphrase : "", &out->key, &own, &others) != 1)
		return crypto_impl_error(diag, "the passphrase is wrong, or the file is encrypted as this OpenSSL does not know");
	if (own)
		sk_X509_push(out->certs, own);
	while (others && sk_X509_num(others) > 0)
		sk_X509_push(out->certs, sk_X509_shift(others));
	sk_X509_free(others);
	return 0;
}

static void read_pem(BIO *bio, const char *passphrase, struct parts *out)
{
	STACK_OF(X509_INFO) *list = PEM_X509_INFO_read_bio(bio, NULL, give_passphrase, (void *)(uintptr_t)passphrase);

	for (int i = 0; list && i < sk_X509_INFO_num(list); i++) {
		X509_INFO *info = sk_X509_INFO_value(list, i);

		if (info->x509 && X509_up_ref(info->x509))
			sk_X509_push(out->certs, info->x509);
	}
	sk_X509_INFO_pop_free(list, X509_INFO_free);
	/* that reads no key with a passphrase on its own, this does */
	if (BIO_reset(bio) >= 0)
		out->key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)(uintptr_t)passphrase);
	ERR_clear_error();
}

static void take(BIO *bio, struct wr *out)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	if (len > 0) {
		wr_bytes(out, data, (size_t)len);
		OPENSSL_cleanse(data, (size_t)len);
	}
	(void)BIO_reset(bio);
}

static void put_cert(X509 *cert, struct wr *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_X509(bio, cert) != 1)
		abort();
	take(bio, out);
	BIO_free(bio);
}

static void put_key(EVP_PKEY *key, struct wr *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		abort();
	take(bio, out);
	BIO_free(bio);
}

static void sort(const struct parts *p, struct crypto_import *out)
{
	struct wr chain = { 0 };

	for (int i = 0; i < sk_X509_num(p->certs); i++) {
		X509 *cert = sk_X509_value(p->certs, i);

		if (p->key && out->own.len == 0 && X509_check_private_key(cert, p->key) == 1)
			put_cert(cert, &out->own);
		else if (X509_self_signed(cert, 0) == 1)
			put_cert(cert, &out->ca);
		else
			put_cert(cert, &chain);
	}
	ERR_clear_error();
	if (chain.len)
		wr_bytes(&out->own, chain.data, chain.len);
	wr_fini(&chain);
	if (p->key)
		put_key(p->key, &out->key);
}

int crypto_import_read(const void *data, size_t len, const char *passphrase, struct crypto_import *out, struct diag *diag)
{
	BIO *bio = len <= CRYPTO_FILE_MAX ? BIO_new_mem_buf(data, (int)len) : NULL;
	struct parts p = { .certs = sk_X509_new_null() };
	PKCS12 *p12 = bio ? d2i_PKCS12_bio(bio, NULL) : NULL;
	int ret = 0;

	*out = (struct crypto_import){ 0 };
	ERR_clear_error();
	if (p12)
		ret = read_pkcs12(p12, passphrase, &p, diag);
	else if (bio && BIO_reset(bio) >= 0)
		read_pem(bio, passphrase, &p);
	if (ret == 0 && !p.key && sk_X509_num(p.certs) == 0)
		ret = diag_set(diag, "there is neither a key nor a certificate in it (PKCS #12 or PEM), or the passphrase is wrong");
	if (ret == 0 && p.key && crypto_impl_key_usable(p.key, diag) != 0)
		ret = -1;
	if (ret == 0)
		sort(&p, out);
	PKCS12_free(p12);
	BIO_free(bio);
	parts_free(&p);
	return ret;
}

void crypto_import_free(struct crypto_import *import)
{
	if (import->key.data)
		crypto_wipe(import->key.data, import->key.cap);
	wr_fini(&import->key);
	wr_fini(&import->own);
	wr_fini(&import->ca);
}
