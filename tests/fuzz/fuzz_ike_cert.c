/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a stranger's IKE_AUTH has of certificates and signatures: a chain, a raw
 * public key, AUTH of each method for keys of each kind. OpenSSL decodes; what is
 * fuzzed here is what we make of it. And the files that an operator names.
 *
 * The input: kind, a byte that the kind uses, and for chains and raw keys runs of
 * bytes with their length in front.
 */
#include <string.h>

#include "ipsec/crypto_cert.h"
#include "ipsec/ike/ike.h"
#include "lib/rd.h"
#include "tests/fuzz/fuzz_assert.h"

#define NOW_S 1800000000 /* in which the CA is valid */

/* Its chain is in the corpus; nobody has the private keys any more. */
static const char ca_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBjDCCATGgAwIBAgIUO86w7KB7RJ7W1WBMwtMi0gdOv7swCgYIKoZIzj0EAwIw\n"
	"EjEQMA4GA1UEAwwHRnV6eiBDQTAgFw0yNjExMjIwMjE3MTdaGA8yMTI2MTAyOTAy\n"
	"MTcxN1owEjEQMA4GA1UEAwwHRnV6eiBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
	"A0IABCaBPNDHOlHhqiVk99Eo6ORgStmCshhpwxG9O7sTqgptPtlKveMFLqMkB5nl\n"
	"7pHeGDHYau85ITKfFZ77S5CR4kOjYzBhMB0GA1UdDgQWBBSFWYWpT8+fruqXLLGy\n"
	"ZpDN2WeMnzAfBgNVHSMEGDAWgBSFWYWpT8+fruqXLLGyZpDN2WeMnzAPBgNVHRMB\n"
	"Af8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNJADBGAiEAnHVJ\n"
	"4zAzitWy8d5YCrgkHvqdd4QpxZYUdQ+Lc0AnYGACIQD/DK8wlUDsm4LxpH2458cm\n"
	"SOr+hWpko+B1hz8axHnC0A==\n"
	"-----END CERTIFICATE-----\n";
static const char *const known_pem[] = {
	"-----BEGIN PUBLIC KEY-----\n"
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAous50+kNdeHwaDlE7+3K\n"
	"Cvpc92PHpEN1tCDnIqZsmohXDSPERgura85KQQXWfSwaakQJ3kyj6A26ASKY0Wu8\n"
	"x3DVDiUhuG0MQ4YdU65oAFPUhg77fK2M2KyYj39mgzBD8Biq5tkxplfH+7DOOLl1\n"
	"XJx6Tuhx1ogG/suK5jQuA4CqStAIJQFBoX7sWNUWpaEr0WbZGIGU5r86RvFx5P5P\n"
	"3rwWL4MTuQtfZlguWgk3BSVkXg19WxPuQeuygT5kjqhdKJVYFQ+AzCWmk/Fd9OKB\n"
	"VR9b3VFatZwv0DT+0lwlR2NiYfp5vmItWp8utpoL3ZCNg+uMqQz/pgjJ453Y41Mu\n"
	"4wIDAQAB\n"
	"-----END PUBLIC KEY-----\n",
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWlXU3OaRuRV+ew37TTJvpXe7jJ3o\n"
	"sDqhwJ+QOz/mybKPWkVyZEGzAeHpsX6xar7UfgTepQbq/WymRqtmMaeQQw==\n"
	"-----END PUBLIC KEY-----\n",
	"-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VwAyEAwHX+dT9tbS52CqvaiygRjvApvltD/E/YYdGG5r4osPU=\n"
	"-----END PUBLIC KEY-----\n",
};
#define KNOWN (sizeof(known_pem) / sizeof(known_pem[0]))

static const struct crypto_part parts[] = { { "message", 7 }, { "nonce", 5 }, { "mac", 3 } };

static void check(const struct crypto_public *key, uint8_t method, struct rd *rd)
{
	struct diag diag = { "" };

	/* nobody can sign by chance */
	HOLDS(crypto_public_check(key, method, rd->p, rd_left(rd), parts, 3, &diag) != 0);
	HOLDS(diag.text[0]);
}

static struct rd run_of(struct rd *rd)
{
	size_t len = rd_be16(rd);

	return rd_sub(rd, len < rd_left(rd) ? len : rd_left(rd));
}

static void a_chain(struct rd *rd, uint8_t type)
{
	struct crypto_der certs[CRYPTO_CHAIN_MAX + 1];
	struct crypto_trust *trust = crypto_trust_new();
	struct crypto_public *key;
	struct diag diag = { "" };
	unsigned n = 0;

	HOLDS(crypto_trust_add_ca(trust, ca_pem, sizeof(ca_pem) - 1, &diag) == 0);
	while (n <= CRYPTO_CHAIN_MAX && rd_left(rd) > 2) {
		struct rd der = run_of(rd);

		certs[n++] = (struct crypto_der){ der.p, rd_left(&der) };
	}
	key = crypto_chain_check(trust, certs, n, NOW_S, &diag);
	HOLDS(key || diag.text[0]);
	if (n > 0) /* the last run is an identity too */
		(void)crypto_cert_is(&certs[0], type % 12, certs[n - 1].data, certs[n - 1].len, &diag);
	if (key)
		check(key, IKE_AUTH_SIGNATURE, rd);
	crypto_public_free(key);
	crypto_trust_free(trust);
}

static void a_raw_key(struct rd *rd, uint8_t method)
{
	struct rd der = run_of(rd);
	struct diag diag = { "" };
	struct crypto_public *key = crypto_public_der(der.p, rd_left(&der), &diag);

	HOLDS(key || diag.text[0]);
	if (key)
		check(key, method, rd);
	crypto_public_free(key);
}

static void a_signature(struct rd *rd, uint8_t method)
{
	static struct crypto_public *known[KNOWN];
	struct diag diag;

	for (size_t i = 0; i < KNOWN; i++) {
		if (!known[i])
			known[i] = crypto_public_pem(known_pem[i], strlen(known_pem[i]), &diag);
		HOLDS(known[i]);
		check(known[i], method, rd);
	}
}

static void a_file(struct rd *rd)
{
	struct crypto_trust *trust = crypto_trust_new();
	struct crypto_certs own;
	struct diag diag;

	(void)crypto_trust_add_ca(trust, rd->p, rd_left(rd), &diag);
	(void)crypto_trust_add_crl(trust, rd->p, rd_left(rd), &diag);
	(void)crypto_trust_end(trust);
	if (crypto_certs_read(rd->p, rd_left(rd), &own, &diag) == 0)
		HOLDS(own.n > 0 && own.n <= CRYPTO_OWN_MAX);
	crypto_certs_free(&own);
	crypto_public_free(crypto_public_pem(rd->p, rd_left(rd), &diag));
	crypto_private_free(crypto_private_pem(rd->p, rd_left(rd), &diag));
	crypto_trust_free(trust);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_init(data, size);
	uint8_t kind = rd_u8(&rd), more = rd_u8(&rd);

	if (rd.failed)
		return 0;
	switch (kind % 4) {
	case 0:
		a_chain(&rd, more);
		break;
	case 1:
		a_raw_key(&rd, more);
		break;
	case 2:
		a_signature(&rd, more);
		break;
	default:
		a_file(&rd);
	}
	return 0;
}
