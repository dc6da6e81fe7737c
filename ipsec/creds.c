/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/creds.h"

#include <stdlib.h>
#include <string.h>

#include "ipsec/crypto_cert.h"
#include "lib/mem.h"

#define PEER_KEYS_MAX 8

struct creds {
	struct crypto_trust *trust;
	struct crypto_certs own;
	struct wr own_raw; /* SubjectPublicKeyInfo */
	unsigned n_peers;
	struct crypto_public *peers[PEER_KEYS_MAX];
};

struct creds *creds_new(void)
{
	struct creds *creds = mem_alloc(sizeof(*creds));

	creds->trust = crypto_trust_new();
	return creds;
}

void creds_free(struct creds *creds)
{
	if (!creds)
		return;
	crypto_trust_free(creds->trust);
	crypto_certs_free(&creds->own);
	wr_fini(&creds->own_raw);
	for (unsigned i = 0; i < creds->n_peers; i++)
		crypto_public_free(creds->peers[i]);
	free(creds);
}

/* A certificate with its chain, or only a public key. */
static int add_own(struct creds *creds, const void *data, size_t len, struct diag *diag)
{
	struct crypto_public *key = crypto_public_pem(data, len, diag);

	if (!key)
		return diag_prepend(diag, "neither a certificate nor a public key in PEM");
	wr_fini(&creds->own_raw);
	crypto_public_encode(key, &creds->own_raw);
	crypto_public_free(key);
	crypto_certs_free(&creds->own);
	if (crypto_certs_read(data, len, &creds->own, diag) == 0 || creds->own.n == 0)
		return 0; /* none: a raw key */
	crypto_certs_free(&creds->own);
	return -1;
}

static int add_peer(struct creds *creds, const void *data, size_t len, struct diag *diag)
{
	struct crypto_public *key;

	if (creds->n_peers == PEER_KEYS_MAX)
		return diag_set(diag, "more than %u public keys of one peer", PEER_KEYS_MAX);
	key = crypto_public_pem(data, len, diag);
	if (!key)
		return -1;
	creds->peers[creds->n_peers++] = key;
	return 0;
}

int creds_add(struct creds *creds, enum proc_file_kind kind, const void *data, size_t len, struct diag *diag)
{
	switch (kind) {
	case PROC_FILE_OWN:
		return add_own(creds, data, len, diag);
	case PROC_FILE_CA:
		return crypto_trust_add_ca(creds->trust, data, len, diag);
	case PROC_FILE_CRL:
		return crypto_trust_add_crl(creds->trust, data, len, diag);
	case PROC_FILE_PEER:
		return add_peer(creds, data, len, diag);
	}
	return diag_set(diag, "a file of no use");
}

/* ---- checking a peer */

static int check_with(const struct crypto_public *key, const struct ike_verify *v, struct diag *diag)
{
	return crypto_public_check(key, v->auth.method, v->auth.data.data, v->auth.data.len, v->octets, 3, diag);
}

static int verify_cert(const struct creds *creds, const struct ike_verify *v, int64_t now_s, struct diag *diag)
{
	struct crypto_der certs[CRYPTO_CHAIN_MAX + 1];
	struct crypto_public *key;
	unsigned n = 0;
	int ret;

	for (unsigned i = 0; i < v->n_certs; i++)
		if (v->certs[i].encoding == IKE_CERT_X509) {
			/* one too many is enough to be refused by its number */
			if (n <= CRYPTO_CHAIN_MAX)
				certs[n] = (struct crypto_der){ v->certs[i].data.data, v->certs[i].data.len };
			n++;
		}
	key = crypto_chain_check(creds->trust, certs, n, now_s, diag);
	if (!key)
		return -1;
	ret = crypto_cert_is(&certs[0], v->remote->type, v->remote->data, v->remote->len, diag);
	if (ret == 0)
		ret = check_with(key, v, diag);
	crypto_public_free(key);
	return ret;
}

/* RFC 7670: the key that came, if one came, must be one that we know. */
static int verify_raw(const struct creds *creds, const struct ike_verify *v, struct diag *diag)
{
	struct crypto_public *sent = NULL;
	int ret = diag_set(diag, "no public key of the peer is configured");

	for (unsigned i = 0; i < v->n_certs && !sent; i++)
		if (v->certs[i].encoding == IKE_CERT_RAW_KEY) {
			sent = crypto_public_der(v->certs[i].data.data, v->certs[i].data.len, diag);
			if (!sent)
				return diag_prepend(diag, "the peer's raw public key");
		}
	for (unsigned i = 0; i < creds->n_peers && ret != 0; i++) {
		if (sent && !crypto_public_equal(sent, creds->peers[i]))
			diag_set(diag, "the peer's public key is none that is configured");
		else
			ret = check_with(creds->peers[i], v, diag);
	}
	crypto_public_free(sent);
	return ret;
}

int creds_verify(const struct creds *creds, const struct ike_verify *v, int64_t now_s, struct diag *diag)
{
	switch (v->tunnel->remote_auth) {
	case IKE_KIND_CERT:
		return verify_cert(creds, v, now_s, diag);
	case IKE_KIND_RAW:
		return verify_raw(creds, v, diag);
	case IKE_KIND_PSK:
		break;
	}
	return diag_set(diag, "the tunnel wants a pre-shared key");
}

/* ---- what we show */

void creds_put_certs(const struct creds *creds, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
	if (tunnel->local_auth == IKE_KIND_RAW && creds->own_raw.len)
		ike_cert_encode(w, IKE_PL_CERT, IKE_CERT_RAW_KEY, creds->own_raw.data, creds->own_raw.len);
	for (unsigned i = 0; tunnel->local_auth == IKE_KIND_CERT && i < creds->own.n; i++)
		ike_cert_encode(w, IKE_PL_CERT, IKE_CERT_X509, creds->own.der[i].data, creds->own.der[i].len);
}

void creds_add_key_ids(const struct creds *creds, struct wr *ids)
{
	struct wr own = { 0 };

	crypto_trust_key_ids(creds->trust, &own);
	for (size_t i = 0; i < own.len; i += CRYPTO_KEYID_SIZE) {
		size_t at = 0;

		while (at < ids->len && memcmp(ids->data + at, own.data + i, CRYPTO_KEYID_SIZE) != 0)
			at += CRYPTO_KEYID_SIZE;
		if (at == ids->len)
			wr_bytes(ids, own.data + i, CRYPTO_KEYID_SIZE);
	}
	wr_fini(&own);
}

/* ---- how long they are good */

int64_t creds_end(const struct creds *creds, const char **whose)
{
	int64_t own = crypto_certs_end(&creds->own), ca = crypto_trust_end(creds->trust);

	*whose = own <= ca ? "our certificate" : "a CA's certificate";
	return own <= ca ? own : ca;
}
