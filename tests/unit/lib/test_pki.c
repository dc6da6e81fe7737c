/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/digest.h"
#include "lib/pki.h"
#include "tests/unit/lib/pki_fixture.h"

static struct pki_fixture fix;

/* ---- identities ---- */

static void identities(void **state)
{
	static const char *const bad[] = {
		"",
		"urn:opensav:",
		"urn:opensav:router",
		"urn:opensav:router:",
		"urn:opensav:Router:r1",
		"urn:opensav:router:r 1",
		"urn:opensav:router:a:b",
		"URN:opensav:router:r1",
		"urn:opensav:admin:r1",
		"xurn:opensav:router:r1",
		"urn:opensav:verylongkindofthing:r1",
	};
	struct pki_identity id = { PKI_ROUTER, "r1" }, back;
	char uri[PKI_URI_SIZE];

	assert_string_equal(pki_identity_format(&id, uri), "urn:opensav:router:r1");
	for (int kind = PKI_ROUTER; kind <= PKI_CONTROLLER; kind++) {
		id.kind = (enum pki_kind)kind;
		memset(id.name, 'x', PKI_NAME_SIZE - 1);
		assert_true(pki_identity_parse(pki_identity_format(&id, uri), &back));
		assert_int_equal(back.kind, kind);
		assert_string_equal(back.name, id.name);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (pki_identity_parse(bad[i], &back))
			fail_msg("accepted \"%s\"", bad[i]);
	}
}

/* ---- requests ---- */

static void request_gives_its_key(void **state)
{
	struct pki_key *key = pki_key_new();
	struct wr csr = { 0 }, spki = { 0 };
	struct diag diag;

	assert_int_equal(pki_csr_make(key, "r1", &csr, &diag), 0);
	assert_int_equal(pki_csr_spki(csr.data, csr.len, &spki, &diag), 0);
	assert_int_equal(spki.len, 91); /* P-256, uncompressed point */
	wr_fini(&spki);
	wr_u8(&csr, 0);
	assert_int_equal(pki_csr_spki(csr.data, csr.len, &spki, &diag), -1);
	assert_int_equal(pki_csr_spki(csr.data, 0, &spki, &diag), -1);
	assert_int_equal(pki_csr_spki("garbage", 7, &spki, &diag), -1);
	assert_int_equal(spki.len, 0);
	wr_fini(&csr);
	pki_key_free(key);
}

/* No single byte of a request can be changed unnoticed, and no cut or changed
 * one upsets the parser. */
static void damaged_requests(void **state)
{
	struct pki_key *key = pki_key_new();
	struct wr csr = { 0 }, spki = { 0 };
	struct diag diag;

	assert_int_equal(pki_csr_make(key, "r1", &csr, &diag), 0);
	for (size_t i = 0; i < csr.len; i++) {
		csr.data[i] ^= 0x01;
		assert_int_equal(pki_csr_spki(csr.data, csr.len, &spki, &diag), -1);
		csr.data[i] ^= 0x01;
		assert_int_equal(pki_csr_spki(csr.data, i, &spki, &diag), -1);
	}
	assert_int_equal(spki.len, 0);
	wr_fini(&csr);
	pki_key_free(key);
}

static void csr_with_key(EVP_PKEY *pkey, struct wr *out)
{
	X509_REQ *csr = X509_REQ_new();
	unsigned char *der = NULL;
	int len;

	assert_int_equal(X509_REQ_set_pubkey(csr, pkey), 1);
	assert_true(X509_REQ_sign(csr, pkey, EVP_sha256()) > 0);
	len = i2d_X509_REQ(csr, &der);
	assert_true(len > 0);
	wr_bytes(out, der, (size_t)len);
	OPENSSL_free(der);
	X509_REQ_free(csr);
}

static void other_algorithms_are_refused(void **state)
{
	EVP_PKEY *keys[] = { EVP_RSA_gen(2048), EVP_EC_gen("P-384"),
			     EVP_EC_gen("secp256k1") };
	struct wr spki = { 0 };
	struct diag diag;

	for (size_t i = 0; i < 3; i++) {
		struct wr csr = { 0 };

		csr_with_key(keys[i], &csr);
		assert_int_equal(pki_csr_spki(csr.data, csr.len, &spki, &diag), -1);
		assert_non_null(strstr(diag.text, "P-256"));
		wr_fini(&csr);
		EVP_PKEY_free(keys[i]);
	}
}

/* ---- certificates ---- */

static void spki_of(const struct pki_key *key, struct wr *spki)
{
	struct wr csr = { 0 };
	struct diag diag;

	assert_int_equal(pki_csr_make(key, "some subject", &csr, &diag), 0);
	assert_int_equal(pki_csr_spki(csr.data, csr.len, spki, &diag), 0);
	wr_fini(&csr);
}

static void issue_and_read(void **state)
{
	struct pki_key *key = pki_key_new(), *other = pki_key_new();
	struct pki_request request = { .id = { PKI_EDGE, "edge-1" },
				       .not_before = 1700000000,
				       .not_after = 1731536000 };
	struct wr spki = { 0 }, cert = { 0 }, again = { 0 };
	struct pki_cert read, read2;
	uint8_t sum[32];
	struct diag diag;

	spki_of(key, &spki);
	request.spki = spki.data;
	request.spki_len = spki.len;
	assert_int_equal(
		pki_issue(fix.ca_key, fix.ca.data, fix.ca.len, &request, &cert, &diag),
		0);
	assert_int_equal(pki_cert_read(cert.data, cert.len, &read, &diag), 0);
	assert_true(read.has_id);
	assert_int_equal(read.id.kind, PKI_EDGE);
	assert_string_equal(read.id.name, "edge-1");
	assert_int_equal(read.not_before, 1700000000);
	assert_int_equal(read.not_after, 1731536000);
	assert_int_equal(strlen(read.serial), 32);
	digest_sha256(cert.data, cert.len, sum);
	assert_memory_equal(sum, read.fingerprint, sizeof(sum));
	assert_int_equal(
		pki_cert_check(cert.data, cert.len, key, fix.ca.data, fix.ca.len, &diag),
		0);
	assert_int_equal(pki_cert_check(cert.data, cert.len, other, fix.ca.data,
					fix.ca.len, &diag),
			 -1);
	assert_non_null(strstr(diag.text, "another key"));

	/* serials are random */
	assert_int_equal(
		pki_issue(fix.ca_key, fix.ca.data, fix.ca.len, &request, &again, &diag),
		0);
	assert_int_equal(pki_cert_read(again.data, again.len, &read2, &diag), 0);
	assert_string_not_equal(read.serial, read2.serial);

	/* signed by someone else with the same name in the CA certificate */
	wr_fini(&again);
	assert_int_equal(
		pki_issue(other, fix.ca.data, fix.ca.len, &request, &again, &diag), 0);
	assert_int_equal(pki_cert_check(again.data, again.len, key, fix.ca.data,
					fix.ca.len, &diag),
			 -1);
	assert_non_null(strstr(diag.text, "not signed by this CA"));
	wr_fini(&spki);
	wr_fini(&cert);
	wr_fini(&again);
	pki_key_free(key);
	pki_key_free(other);
}

static void impossible_requests(void **state)
{
	struct pki_key *key = pki_key_new();
	struct pki_request request = { .id = { PKI_ROUTER, "r1" },
				       .not_before = 1000,
				       .not_after = 1000 };
	struct wr spki = { 0 }, cert = { 0 };
	struct diag diag;

	spki_of(key, &spki);
	request.spki = spki.data;
	request.spki_len = spki.len;
	assert_int_equal(
		pki_issue(fix.ca_key, fix.ca.data, fix.ca.len, &request, &cert, &diag),
		-1);
	request.not_after = 2000;
	/* would become a second name in the extension */
	strcpy(request.id.name, "r1,URI:urn:opensav:controller:x");
	assert_int_equal(
		pki_issue(fix.ca_key, fix.ca.data, fix.ca.len, &request, &cert, &diag),
		-1);
	strcpy(request.id.name, "r1");
	request.id.kind = (enum pki_kind)4;
	assert_int_equal(
		pki_issue(fix.ca_key, fix.ca.data, fix.ca.len, &request, &cert, &diag),
		-1);
	request.id.kind = PKI_ROUTER;
	request.spki_len--;
	assert_int_equal(
		pki_issue(fix.ca_key, fix.ca.data, fix.ca.len, &request, &cert, &diag),
		-1);
	assert_int_equal(cert.len, 0);
	wr_fini(&spki);
	pki_key_free(key);
}

/* A certificate of the fixture's CA with these alternative names. */
static void cert_with_names(const char *names, struct wr *out)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	unsigned char *der = NULL;
	X509V3_CTX ctx;
	int len;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 5);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 100);
	X509_set_pubkey(cert, pkey);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	if (names) {
		X509_EXTENSION *ext =
			X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, names);

		assert_non_null(ext);
		X509_add_ext(cert, ext, -1);
		X509_EXTENSION_free(ext);
	}
	assert_true(X509_sign(cert, pkey, EVP_sha256()) > 0);
	len = i2d_X509(cert, &der);
	wr_bytes(out, der, (size_t)len);
	OPENSSL_free(der);
	X509_free(cert);
	EVP_PKEY_free(pkey);
}

static void one_name_or_none(void **state)
{
	static const struct {
		const char *names;
		bool ok;
	} cases[] = {
		{ NULL, false },
		{ "URI:urn:opensav:router:r1", true },
		{ "DNS:x.example,URI:urn:opensav:router:r1", true },
		{ "DNS:urn:opensav:router:r1", false },
		{ "URI:http://example.net/", false },
		{ "URI:urn:opensav:router:r1,URI:urn:opensav:router:r2", false },
		{ "URI:urn:opensav:router:r1,URI:http://example.net/", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wr der = { 0 };
		struct pki_cert cert;
		struct diag diag;

		cert_with_names(cases[i].names, &der);
		assert_int_equal(pki_cert_read(der.data, der.len, &cert, &diag), 0);
		assert_int_equal(cert.has_id, cases[i].ok);
		assert_string_equal(cert.serial, "05");
		wr_fini(&der);
	}
}

/* "urn:opensav:router:r1\0.evil" must not read as r1. */
static void name_with_a_nul(void **state)
{
	struct wr der = { 0 };
	struct pki_cert cert;
	struct diag diag;
	uint8_t *at;

	cert_with_names("URI:urn:opensav:router:r1xevil", &der);
	at = memmem(der.data, der.len, "r1xevil", 7);
	assert_non_null(at);
	at[2] = '\0';
	assert_int_equal(pki_cert_read(der.data, der.len, &cert, &diag), 0);
	assert_false(cert.has_id);
	wr_fini(&der);
}

static void damaged_certificates(void **state)
{
	struct wr der = { 0 };
	struct pki_cert cert;
	struct diag diag;

	cert_with_names("URI:urn:opensav:router:r1", &der);
	for (size_t i = 0; i < der.len; i++) {
		assert_int_equal(pki_cert_read(der.data, i, &cert, &diag), -1);
		der.data[i] ^= 0x55;
		(void)pki_cert_read(der.data, der.len, &cert, &diag); /* no crash */
		der.data[i] ^= 0x55;
	}
	wr_u8(&der, 0);
	assert_int_equal(pki_cert_read(der.data, der.len, &cert, &diag), -1);
	wr_fini(&der);
}

/* ---- files ---- */

static void key_files(void **state)
{
	const char *path = pki_fixture_path(&fix, "some.key");
	struct pki_key *key = pki_key_new(), *back;
	struct wr a = { 0 }, b = { 0 };
	struct stat st;
	struct diag diag;
	mode_t old = umask(0);

	assert_int_equal(pki_key_save(key, path, &diag), 0);
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	back = pki_key_load(path, &diag);
	assert_non_null(back);
	spki_of(key, &a);
	spki_of(back, &b);
	assert_memory_equal(a.data, b.data, a.len);
	assert_null(pki_key_load(pki_fixture_path(&fix, "none"), &diag));
	assert_non_null(strstr(diag.text, "No such file"));
	assert_null(pki_key_load(pki_fixture_path(&fix, "ca.pem"), &diag));
	assert_non_null(strstr(diag.text, "ca.pem"));
	wr_fini(&a);
	wr_fini(&b);
	pki_key_free(key);
	pki_key_free(back);
}

/* No prompt for a passphrase: a daemon would hang. */
static void encrypted_key(void **state)
{
	const char *path = pki_fixture_path(&fix, "locked.key");
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	FILE *file = fopen(path, "w");
	struct diag diag;

	assert_int_equal(PEM_write_PKCS8PrivateKey(file, pkey, EVP_aes_128_cbc(), "abcd",
						   4, NULL, NULL),
			 1);
	fclose(file);
	EVP_PKEY_free(pkey);
	assert_null(pki_key_load(path, &diag));
	assert_non_null(strstr(diag.text, "unencrypted"));
}

static void files_are_replaced_whole(void **state)
{
	const char *path = pki_fixture_path(&fix, "file");
	char buf[16];
	struct diag diag;
	struct stat st;
	FILE *file;

	assert_int_equal(pki_file_write(path, 0644, "one and more", 12, &diag), 0);
	assert_int_equal(pki_file_write(path, 0600, "two", 3, &diag), 0);
	file = fopen(path, "r");
	assert_int_equal(fread(buf, 1, sizeof(buf), file), 3);
	fclose(file);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(pki_file_write("/nonexistent/file", 0600, "x", 1, &diag), -1);
	assert_non_null(strstr(diag.text, "/nonexistent/file"));
	/* a failed write leaves no temporary file behind */
	assert_int_equal(mkdir(pki_fixture_path(&fix, "dir"), 0700), 0);
	assert_int_equal(
		pki_file_write(pki_fixture_path(&fix, "dir"), 0600, "x", 1, &diag), -1);
	rmdir(pki_fixture_path(&fix, "dir"));
}

static void cert_files(void **state)
{
	struct wr der = { 0 }, bad = { 0 };
	struct diag diag;

	assert_int_equal(pki_cert_load(pki_fixture_path(&fix, "ca.pem"), &der, &diag), 0);
	assert_int_equal(der.len, fix.ca.len);
	assert_memory_equal(der.data, fix.ca.data, der.len);
	assert_int_equal(pki_cert_load(pki_fixture_path(&fix, "some.key"), &bad, &diag),
			 -1);
	wr_bytes(&bad, "junk", 4);
	assert_int_equal(pki_cert_save(&bad, 1, pki_fixture_path(&fix, "x.pem"), &diag),
			 -1);
	assert_int_equal(access(pki_fixture_path(&fix, "x.pem"), F_OK), -1);
	wr_fini(&der);
	wr_fini(&bad);
}

/* ---- tokens ---- */

static void tokens(void **state)
{
	char text[PKI_TOKEN_TEXT_SIZE], cut[PKI_TOKEN_TEXT_SIZE];
	uint8_t ca[PKI_FINGERPRINT_SIZE], h1[32], h2[32];
	struct pki_token token, back;
	struct diag diag;

	memset(ca, 0xab, sizeof(ca));
	pki_token_make(&token, "edge-1.example", ca);
	pki_token_format(&token, text);
	assert_memory_equal(text, "opensav1:edge-1.example:abab", 28);
	assert_int_equal(pki_token_parse(text, &back, &diag), 0);
	assert_string_equal(back.name, "edge-1.example");
	assert_memory_equal(back.ca, ca, sizeof(ca));
	assert_memory_equal(back.secret, token.secret, PKI_SECRET_SIZE);
	pki_secret_hash(token.secret, h1);
	digest_sha256(token.secret, PKI_SECRET_SIZE, h2);
	assert_memory_equal(h1, h2, 32);

	for (size_t len = 0; len < strlen(text); len++) {
		snprintf(cut, sizeof(cut), "%.*s", (int)len, text);
		assert_int_equal(pki_token_parse(cut, &back, &diag), -1);
		/* half a secret is still a secret: not in the message */
		assert_null(strstr(diag.text, "abab"));
	}
	strcpy(cut, text);
	cut[30] = 'g';
	assert_int_equal(pki_token_parse(cut, &back, &diag), -1);
	cut[30] = 'A'; /* upper case hex is fine */
	assert_int_equal(pki_token_parse(cut, &back, &diag), 0);
	cut[0] = 'O';
	assert_int_equal(pki_token_parse(cut, &back, &diag), -1);
}

static void longest_token(void **state)
{
	char text[PKI_TOKEN_TEXT_SIZE];
	uint8_t ca[PKI_FINGERPRINT_SIZE] = { 0 };
	struct pki_token token, back;
	char name[PKI_NAME_SIZE];
	struct diag diag;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	pki_token_make(&token, name, ca);
	pki_token_format(&token, text);
	assert_int_equal(pki_token_parse(text, &back, &diag), 0);
	assert_string_equal(back.name, name);
}

static void secrets_differ(void **state)
{
	uint8_t ca[PKI_FINGERPRINT_SIZE] = { 0 };
	struct pki_token a, b;

	pki_token_make(&a, "x", ca);
	pki_token_make(&b, "x", ca);
	assert_memory_not_equal(a.secret, b.secret, PKI_SECRET_SIZE);
}

static int setup(void **state)
{
	pki_fixture_init(&fix);
	return 0;
}

static int teardown(void **state)
{
	pki_fixture_fini(&fix);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities),
		cmocka_unit_test(request_gives_its_key),
		cmocka_unit_test(damaged_requests),
		cmocka_unit_test(other_algorithms_are_refused),
		cmocka_unit_test(issue_and_read),
		cmocka_unit_test(impossible_requests),
		cmocka_unit_test(one_name_or_none),
		cmocka_unit_test(name_with_a_nul),
		cmocka_unit_test(damaged_certificates),
		cmocka_unit_test(key_files),
		cmocka_unit_test(encrypted_key),
		cmocka_unit_test(files_are_replaced_whole),
		cmocka_unit_test(cert_files),
		cmocka_unit_test(tokens),
		cmocka_unit_test(longest_token),
		cmocka_unit_test(secrets_differ),
	};

	return cmocka_run_group_tests_name("pki", tests, setup, teardown);
}
