/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates that a peer may show, good and bad.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "ipsec/crypto_cert.h"
#include "ipsec/ike/ike.h"
#include "tests/unit/ipsec/cert_fixture.h"

static X509 *root;
static struct diag diag;

static EVP_PKEY *root_key(void)
{
	return fixture_key("P-384");
}

static struct fixture_cert leaf_of_root(void)
{
	return (struct fixture_cert){ .cn = "a.example", .issuer = root, .issuer_key = root_key(), .san = "DNS:a.example" };
}

static int make_root(void **st)
{
	root = fixture_cert(&(struct fixture_cert){ .cn = "Root", .ca = true }, root_key());
	return 0;
}

static int free_root(void **st)
{
	X509_free(root);
	return 0;
}

static struct crypto_trust *trust_root(void)
{
	struct crypto_trust *trust = crypto_trust_new();
	struct wr pem = { 0 };

	fixture_pem(root, &pem);
	assert_int_equal(crypto_trust_add_ca(trust, pem.data, pem.len, &diag), 0);
	wr_fini(&pem);
	return trust;
}

static struct crypto_public *check_chain(struct crypto_trust *trust, X509 *const *certs, unsigned n)
{
	struct crypto_der der[70];
	struct wr bytes[70] = { { 0 } };
	struct crypto_public *key;

	for (unsigned i = 0; i < n; i++) {
		fixture_der(certs[i], &bytes[i]);
		der[i] = (struct crypto_der){ bytes[i].data, bytes[i].len };
	}
	diag.text[0] = '\0';
	key = crypto_chain_check(trust, der, n, FIXTURE_NOW, &diag);
	for (unsigned i = 0; i < n; i++)
		wr_fini(&bytes[i]);
	return key;
}

static void assert_reason(const char *part)
{
	if (!strstr(diag.text, part))
		fail_msg("\"%s\" says nothing of \"%s\"", diag.text, part);
}

/* One leaf of the root, which is refused for this reason. */
static void assert_refused(const struct fixture_cert *what, EVP_PKEY *key, const char *reason)
{
	struct crypto_trust *trust = trust_root();
	X509 *leaf = fixture_cert(what, key);

	assert_null(check_chain(trust, &leaf, 1));
	assert_reason(reason);
	X509_free(leaf);
	crypto_trust_free(trust);
}

static void good_ones_pass(void **st)
{
	static const char *const kinds[] = { "RSA", "P-256", "P-384", "P-521", "ED25519" };
	static const char *const usages[] = { NULL, "digitalSignature", "nonRepudiation", "digitalSignature,keyEncipherment" };
	static const char *const ekus[] = { NULL, "1.3.6.1.5.5.7.3.17", "serverAuth,clientAuth", "anyExtendedKeyUsage" };
	struct crypto_trust *trust = trust_root();

	for (unsigned k = 0; k < 5; k++)
		for (unsigned u = 0; u < 4; u++) {
			struct fixture_cert what = leaf_of_root();
			struct crypto_public *key;
			X509 *leaf;

			what.key_usage = usages[u];
			what.eku = ekus[(u + k) % 4];
			leaf = fixture_cert(&what, fixture_key(kinds[k]));
			key = check_chain(trust, &leaf, 1);
			if (!key)
				fail_msg("%s: %s", kinds[k], diag.text);
			crypto_public_free(key);
			X509_free(leaf);
		}
	crypto_trust_free(trust);
}

static void intermediates_in_any_order(void **st)
{
	struct crypto_trust *trust = trust_root();
	struct fixture_cert what = { .cn = "Intermediate 1", .issuer = root, .issuer_key = root_key(), .ca = true };
	X509 *first = fixture_cert(&what, fixture_key("RSA")), *second, *leaf;
	struct crypto_public *key;

	what = (struct fixture_cert){ .cn = "Intermediate 2", .issuer = first, .issuer_key = fixture_key("RSA"), .ca = true };
	second = fixture_cert(&what, fixture_key("P-256"));
	what = (struct fixture_cert){ .cn = "leaf", .issuer = second, .issuer_key = fixture_key("P-256") };
	leaf = fixture_cert(&what, fixture_key("ED25519"));
	key = check_chain(trust, (X509 *const[]){ leaf, first, second }, 3);
	assert_non_null(key);
	crypto_public_free(key);
	key = check_chain(trust, (X509 *const[]){ leaf, second, first, root }, 4);
	assert_non_null(key);
	crypto_public_free(key);
	assert_null(check_chain(trust, (X509 *const[]){ leaf, first }, 2));
	assert_reason("unable to get local issuer certificate");
	X509_free(first);
	X509_free(second);
	X509_free(leaf);
	crypto_trust_free(trust);
}

static void expired(void **st)
{
	struct fixture_cert what = leaf_of_root();

	what.from = -86400;
	what.to = -1;
	assert_refused(&what, fixture_key("P-256"), "certificate has expired; it has to be renewed");
	assert_reason("CN=a.example");
}

static void not_yet_valid(void **st)
{
	struct fixture_cert what = leaf_of_root();

	what.from = 60;
	what.to = 86400;
	assert_refused(&what, fixture_key("P-256"), "not yet valid; the clock");
}

static void for_other_uses(void **st)
{
	struct fixture_cert what = leaf_of_root();

	what.key_usage = "keyEncipherment";
	assert_refused(&what, fixture_key("RSA"), "digitalSignature nor nonRepudiation: issue one");
	what.key_usage = NULL;
	what.eku = "codeSigning";
	assert_refused(&what, fixture_key("RSA"), "extendedKeyUsage allows other things");
}

static void unknown_critical_extension(void **st)
{
	struct fixture_cert what = leaf_of_root();

	what.unknown_critical = true;
	assert_refused(&what, fixture_key("P-256"), "unhandled critical extension; it has to be issued without");
}

static void another_ca(void **st)
{
	struct fixture_cert what = { .cn = "Root", .ca = true };
	X509 *other = fixture_cert(&what, fixture_other_key("P-384"));

	what = (struct fixture_cert){ .cn = "a.example", .issuer = other, .issuer_key = fixture_other_key("P-384") };
	/* same name, another key */
	assert_refused(&what, fixture_key("P-256"), "signature failure");
	what = (struct fixture_cert){ .cn = "a.example" };
	assert_refused(&what, fixture_key("P-256"), "self-signed");
	X509_free(other);
}

static void a_leaf_is_no_ca(void **st)
{
	struct crypto_trust *trust = trust_root();
	struct fixture_cert what = leaf_of_root();
	X509 *middle = fixture_cert(&what, fixture_key("P-256")), *leaf;
	struct wr pem = { 0 };

	what = (struct fixture_cert){ .cn = "b.example", .issuer = middle, .issuer_key = fixture_key("P-256") };
	leaf = fixture_cert(&what, fixture_key("ED25519"));
	assert_null(check_chain(trust, (X509 *const[]){ leaf, middle }, 2));
	assert_reason("invalid CA certificate");
	fixture_pem(middle, &pem);
	assert_int_equal(crypto_trust_add_ca(trust, pem.data, pem.len, &diag), -1);
	assert_reason("no CA's");
	wr_fini(&pem);
	X509_free(leaf);
	X509_free(middle);
	crypto_trust_free(trust);
}

static void rsa_of_16k(void **st)
{
	struct fixture_cert what = leaf_of_root();
	EVP_PKEY *huge = fixture_rsa_bits(16384), *small = fixture_rsa_bits(1024);

	assert_refused(&what, huge, "16384 bits");
	assert_refused(&what, small, "1024 bits");
	EVP_PKEY_free(huge);
	EVP_PKEY_free(small);
}

/* Each signed by the one before; 64 of them cost nothing. */
/* CVE-2026-35331, CVE-2026-35332: a CA that vouches for one domain only. */
static void cve_2026_35331_names_that_the_ca_may_not_give(void **st)
{
	struct fixture_cert ca = { .cn = "CA of example.org", .issuer = root, .issuer_key = root_key(), .ca = true,
				   .name_constraints = "critical,permitted;DNS:example.org,excluded;DNS:bad.example.org" };
	static const char *const names[] = { "DNS:gate.example.org", "DNS:gate.example.com", "DNS:gate.bad.example.org" };
	X509 *between = fixture_cert(&ca, fixture_key("P-256"));
	struct crypto_trust *trust = trust_root();

	for (unsigned i = 0; i < 3; i++) {
		struct fixture_cert leaf = { .cn = "gate", .issuer = between, .issuer_key = fixture_key("P-256"), .san = names[i],
					     .key_usage = "digitalSignature" };
		X509 *chain[2] = { fixture_cert(&leaf, fixture_other_key("P-256")), between };
		struct crypto_public *key = check_chain(trust, chain, 2);

		assert_int_equal(key != NULL, i == 0);
		crypto_public_free(key);
		X509_free(chain[0]);
	}
	X509_free(between);
	crypto_trust_free(trust);
}

static unsigned sockets; /* that were asked for */

/* In libc's place, also for libcrypto. */
int socket(int domain, int type, int protocol)
{
	sockets++;
	errno = EPERM;
	return -1;
}

/* CVE-2022-40617: a certificate of a stranger names where to fetch something. */

static void cve_2022_40617_nothing_is_fetched(void **st)
{
	struct fixture_cert ca = { .cn = "Somebody's CA", .ca = true, .crl_at = "URI:http://crl.example.org/crl" };
	struct fixture_cert leaf = { .cn = "gate", .issuer_key = fixture_other_key("P-256"), .san = "DNS:gate.example.org",
				     .key_usage = "digitalSignature", .crl_at = "URI:http://crl.example.org/crl" };
	X509 *stranger = fixture_cert(&ca, fixture_other_key("P-256")), *chain[2] = { NULL, stranger };
	struct crypto_trust *trust = trust_root();
	BIO *web = BIO_new_connect("127.0.0.1:9");

	leaf.issuer = stranger;
	chain[0] = fixture_cert(&leaf, fixture_key("P-256"));
	sockets = 0;
	assert_null(check_chain(trust, chain, 2));
	assert_int_equal(sockets, 0);
	assert_true(BIO_do_connect(web) <= 0); /* it would be seen */
	assert_int_equal(sockets, 1);
	BIO_free(web);
	X509_free(chain[0]);
	X509_free(stranger);
	crypto_trust_free(trust);
}

static void chains_too_long(void **st)
{
	struct crypto_trust *trust = trust_root();
	X509 *chain[64], *up = root, *reversed[64];

	for (unsigned i = 0; i < 64; i++) {
		struct fixture_cert what = { .cn = "Level", .issuer = up, .issuer_key = i ? fixture_key("P-256") : root_key(),
					     .ca = true };
		char cn[16];

		snprintf(cn, sizeof(cn), "Level %u", i);
		what.cn = cn;
		up = chain[i] = fixture_cert(&what, fixture_key("P-256"));
	}
	for (unsigned i = 0; i < 64; i++)
		reversed[i] = chain[63 - i];
	assert_null(check_chain(trust, reversed, 64));
	assert_reason("64 certificates; 10 are the most");
	/* 10 are taken, and too deep */
	assert_null(check_chain(trust, &reversed[54], 10));
	assert_reason("certificate chain too long; name a CA that is nearer");
	for (unsigned i = 0; i < 64; i++)
		X509_free(chain[i]);
	crypto_trust_free(trust);
}

static void damaged_ones(void **st)
{
	struct crypto_trust *trust = trust_root();
	struct fixture_cert what = leaf_of_root();
	X509 *leaf = fixture_cert(&what, fixture_key("P-256"));
	static uint8_t large[CRYPTO_CERT_MAX + 1];
	struct wr der = { 0 };
	struct crypto_der one;

	fixture_der(leaf, &der);
	for (size_t len = 0; len < der.len; len += 7) {
		one = (struct crypto_der){ der.data, len };
		assert_null(crypto_chain_check(trust, &one, 1, FIXTURE_NOW, &diag));
	}
	wr_u8(&der, 0);
	one = (struct crypto_der){ der.data, der.len };
	assert_null(crypto_chain_check(trust, &one, 1, FIXTURE_NOW, &diag));
	assert_reason("damaged");
	one = (struct crypto_der){ large, sizeof(large) };
	assert_null(crypto_chain_check(trust, &one, 1, FIXTURE_NOW, &diag));
	assert_reason("16384 are the most");
	assert_null(crypto_chain_check(trust, &one, 0, FIXTURE_NOW, &diag));
	assert_reason("no certificate");
	wr_fini(&der);
	X509_free(leaf);
	crypto_trust_free(trust);
}

static void add_crl(struct crypto_trust *trust, X509_CRL *crl)
{
	struct wr pem = { 0 };

	fixture_crl_pem(crl, &pem);
	assert_int_equal(crypto_trust_add_crl(trust, pem.data, pem.len, &diag), 0);
	wr_fini(&pem);
	X509_CRL_free(crl);
}

static void revoked_ones(void **st)
{
	struct fixture_cert what = leaf_of_root();
	X509 *good = fixture_cert(&what, fixture_key("P-256")), *bad = fixture_cert(&what, fixture_key("P-256"));
	struct crypto_trust *trust = trust_root();
	struct crypto_public *key;

	add_crl(trust, fixture_crl(root, root_key(), bad, 86400));
	key = check_chain(trust, &good, 1);
	assert_non_null(key);
	crypto_public_free(key);
	assert_null(check_chain(trust, &bad, 1));
	assert_reason("certificate revoked; the peer needs another one");
	crypto_trust_free(trust);

	trust = trust_root();
	add_crl(trust, fixture_crl(root, root_key(), NULL, -60));
	assert_null(check_chain(trust, &good, 1));
	assert_reason("CRL has expired; \"remote crl\" needs");
	crypto_trust_free(trust);

	trust = trust_root();
	add_crl(trust, fixture_crl(root, fixture_key("P-256"), NULL, 86400));
	assert_null(check_chain(trust, &good, 1));
	assert_reason("CRL signature failure");
	crypto_trust_free(trust);

	/* a file of CRLs that is damaged, or gone: nobody knows who was revoked */
	trust = trust_root();
	assert_int_equal(crypto_trust_add_crl(trust, "nothing", 7, &diag), -1);
	assert_null(check_chain(trust, &good, 1));
	assert_reason("there has to be one of each CA in the chain");
	crypto_trust_free(trust);
	X509_free(good);
	X509_free(bad);
}

/* ---- identities */

static int is(const struct wr *der, uint8_t type, const void *id, size_t len)
{
	const struct crypto_der one = { der->data, der->len };

	return crypto_cert_is(&one, type, id, len, &diag);
}

static int is_text(const struct wr *der, uint8_t type, const char *id)
{
	return is(der, type, id, strlen(id));
}

static void identity_stands_in_the_certificate(void **st)
{
	struct fixture_cert what = leaf_of_root();
	struct wr der = { 0 };
	uint8_t dn[256];
	size_t len;
	X509 *leaf;

	what.san = "DNS:gw.example,DNS:*.wild.example,email:op@example.net,IP:192.0.2.7,IP:2001:db8::7";
	leaf = fixture_cert(&what, fixture_key("P-256"));
	fixture_der(leaf, &der);
	assert_int_equal(is_text(&der, IKE_ID_FQDN, "gw.example"), 0);
	assert_int_equal(is_text(&der, IKE_ID_FQDN, "GW.Example"), 0);
	assert_int_equal(is_text(&der, IKE_ID_FQDN, "a.example"), -1); /* the CN is none */
	assert_reason("subjectAltName");
	assert_int_equal(is_text(&der, IKE_ID_FQDN, "x.wild.example"), -1);
	assert_int_equal(is_text(&der, IKE_ID_FQDN, ".example"), -1);
	assert_int_equal(is(&der, IKE_ID_FQDN, "gw.example\0.evil", 16), -1);
	assert_int_equal(is_text(&der, IKE_ID_EMAIL, "op@example.net"), 0);
	assert_int_equal(is_text(&der, IKE_ID_EMAIL, "root@example.net"), -1);
	assert_int_equal(is(&der, IKE_ID_IPV4, "\xc0\x00\x02\x07", 4), 0);
	assert_int_equal(is(&der, IKE_ID_IPV4, "\xc0\x00\x02\x08", 4), -1);
	assert_int_equal(is(&der, IKE_ID_IPV6, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16), 0);
	assert_int_equal(crypto_dn_encode("O=Example, CN=a.example", dn, sizeof(dn), &len), 0);
	assert_int_equal(is(&der, IKE_ID_DN, dn, len), 0);
	assert_int_equal(crypto_dn_encode("O=Example, CN=b.example", dn, sizeof(dn), &len), 0);
	assert_int_equal(is(&der, IKE_ID_DN, dn, len), -1);
	assert_int_equal(is(&der, IKE_ID_KEY_ID, ASN1_STRING_get0_data(X509_get0_subject_key_id(leaf)), 20), 0);
	assert_int_equal(is_text(&der, IKE_ID_KEY_ID, "x"), -1);
	assert_int_equal(is_text(&der, 99, "x"), -1);
	wr_fini(&der);
	X509_free(leaf);
}

static void certreq_names_our_cas(void **st)
{
	struct crypto_trust *trust = trust_root();
	struct wr ids = { 0 };

	crypto_trust_key_ids(trust, &ids);
	assert_int_equal(ids.len, CRYPTO_KEYID_SIZE);
	wr_fini(&ids);
	crypto_trust_free(trust);
}

static void too_many_of_our_own(void **st)
{
	struct wr pem = { 0 };
	struct crypto_certs certs;

	for (unsigned i = 0; i < CRYPTO_OWN_MAX; i++)
		fixture_pem(root, &pem);
	assert_int_equal(crypto_certs_read(pem.data, pem.len, &certs, &diag), 0);
	assert_int_equal(certs.n, CRYPTO_OWN_MAX);
	crypto_certs_free(&certs);
	fixture_pem(root, &pem);
	assert_int_equal(crypto_certs_read(pem.data, pem.len, &certs, &diag), -1);
	assert_reason("more than 8 certificates");
	crypto_certs_free(&certs);
	wr_fini(&pem);
}

static void files_with_nothing_in_them(void **st)
{
	struct crypto_trust *trust = crypto_trust_new();
	struct crypto_certs certs;

	assert_int_equal(crypto_trust_add_ca(trust, "", 0, &diag), -1);
	assert_int_equal(crypto_trust_add_ca(trust, "nothing", 7, &diag), -1);
	assert_int_equal(crypto_trust_add_crl(trust, "nothing", 7, &diag), -1);
	assert_int_equal(crypto_certs_read("nothing", 7, &certs, &diag), -1);
	assert_null(crypto_public_pem("nothing", 7, &diag));
	assert_null(crypto_private_pem("nothing", 7, &diag));
	crypto_trust_free(trust);
}

/* ---- import */

static void import_takes_apart(void **st)
{
	struct fixture_cert what = leaf_of_root();
	X509 *leaf = fixture_cert(&what, fixture_key("P-256"));
	STACK_OF(X509) *others = sk_X509_new_null();
	struct crypto_import import;
	struct crypto_certs certs;
	struct crypto_private *key;
	uint8_t *data = NULL;
	PKCS12 *p12;
	int len;

	sk_X509_push(others, root);
	p12 = PKCS12_create("secret", "a", fixture_key("P-256"), leaf, others, 0, 0, 0, 0, 0);
	len = i2d_PKCS12(p12, &data);
	assert_true(len > 0);
	assert_int_equal(crypto_import_read(data, (size_t)len, "secret", &import, &diag), 0);
	key = crypto_private_pem(import.key.data, import.key.len, &diag);
	assert_non_null(key);
	crypto_private_free(key);
	assert_int_equal(crypto_certs_read(import.own.data, import.own.len, &certs, &diag), 0);
	assert_int_equal(certs.n, 1);
	crypto_certs_free(&certs);
	assert_true(import.ca.len > 0);
	crypto_import_free(&import);
	assert_int_equal(crypto_import_read(data, (size_t)len, "wrong", &import, &diag), -1);
	assert_reason("passphrase");
	assert_int_equal(crypto_import_read("x", 1, NULL, &import, &diag), -1);
	OPENSSL_free(data);
	PKCS12_free(p12);
	sk_X509_free(others);
	X509_free(leaf);
}

static void import_of_pem(void **st)
{
	struct fixture_cert what = leaf_of_root();
	X509 *leaf = fixture_cert(&what, fixture_key("RSA"));
	struct crypto_import import;
	struct wr pem = { 0 };

	fixture_pem(root, &pem);
	fixture_key_pem(fixture_key("RSA"), &pem);
	fixture_pem(leaf, &pem);
	assert_int_equal(crypto_import_read(pem.data, pem.len, NULL, &import, &diag), 0);
	assert_true(import.key.len > 0 && import.own.len > 0 && import.ca.len > 0);
	crypto_import_free(&import);
	wr_fini(&pem);
	X509_free(leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_pass),
		cmocka_unit_test(intermediates_in_any_order),
		cmocka_unit_test(expired),
		cmocka_unit_test(not_yet_valid),
		cmocka_unit_test(for_other_uses),
		cmocka_unit_test(unknown_critical_extension),
		cmocka_unit_test(another_ca),
		cmocka_unit_test(a_leaf_is_no_ca),
		cmocka_unit_test(rsa_of_16k),
		cmocka_unit_test(cve_2026_35331_names_that_the_ca_may_not_give),
		cmocka_unit_test(cve_2022_40617_nothing_is_fetched),
		cmocka_unit_test(chains_too_long),
		cmocka_unit_test(damaged_ones),
		cmocka_unit_test(revoked_ones),
		cmocka_unit_test(identity_stands_in_the_certificate),
		cmocka_unit_test(certreq_names_our_cas),
		cmocka_unit_test(files_with_nothing_in_them),
		cmocka_unit_test(too_many_of_our_own),
		cmocka_unit_test(import_takes_apart),
		cmocka_unit_test(import_of_pem),
	};

	return cmocka_run_group_tests(tests, make_root, free_root);
}
