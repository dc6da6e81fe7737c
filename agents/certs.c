/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/certs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct certs {
	const struct agent_files *files;
	struct pki_key *relay_key; /* of a request that has no answer yet */
};

struct certs *certs_new(const struct agent_files *files)
{
	struct certs *c = mem_alloc(sizeof(*c));

	c->files = files;
	return c;
}

void certs_free(struct certs *c)
{
	pki_key_free(c->relay_key);
	free(c);
}

/* A certificate on disk that fits its key and the CA. */
static bool load(const struct certs *c, const char *cert_path, const char *key_path,
		 struct pki_cert *cert)
{
	struct wr der = { 0 }, ca = { 0 };
	struct pki_key *key = NULL;
	struct diag diag;
	bool ok;

	ok = pki_cert_load(cert_path, &der, &diag) == 0 &&
	     pki_cert_load(c->files->ca, &ca, &diag) == 0 &&
	     (key = pki_key_load(key_path, &diag)) != NULL &&
	     pki_cert_check(der.data, der.len, key, ca.data, ca.len, &diag) == 0 &&
	     pki_cert_read(der.data, der.len, cert, &diag) == 0 && cert->has_id;
	pki_key_free(key);
	wr_fini(&der);
	wr_fini(&ca);
	return ok;
}

static bool load_own(const struct certs *c, struct pki_cert *cert)
{
	return load(c, c->files->cert, c->files->key, cert);
}

static bool relay_fits(const struct certs *c, const struct pki_cert *own,
		       struct pki_cert *cert)
{
	return load(c, c->files->relay_cert, c->files->relay_key, cert) &&
	       cert->id.kind == PKI_RELAY && strcmp(cert->id.name, own->id.name) == 0;
}

bool certs_relay_ok(const struct certs *c, int64_t now_s)
{
	struct pki_cert own, relay;

	return load_own(c, &own) && relay_fits(c, &own, &relay) && relay.not_after > now_s;
}

static bool renewal_due(struct certs *c, const struct pki_cert *own, int64_t now_s,
			struct wr *csr)
{
	struct pki_key *key;
	struct diag diag;
	bool ok;

	if (own->not_after >= now_s + CERTS_RENEW_S)
		return false;
	key = pki_key_load(c->files->key, &diag);
	ok = key && pki_csr_make(key, own->id.name, csr, &diag) == 0;
	pki_key_free(key);
	return ok;
}

static bool relay_due(struct certs *c, const struct pki_cert *own, int64_t now_s,
		      struct wr *csr)
{
	struct pki_cert relay;
	struct diag diag;

	if (relay_fits(c, own, &relay) && relay.not_after >= now_s + CERTS_RENEW_S)
		return false;
	pki_key_free(c->relay_key);
	c->relay_key = pki_key_new();
	return pki_csr_make(c->relay_key, own->id.name, csr, &diag) == 0;
}

bool certs_due(struct certs *c, bool relay, int64_t now_s, enum pki_kind *kind,
	       struct wr *csr)
{
	struct pki_cert own;

	if (!load_own(c, &own))
		return false;
	*kind = own.id.kind;
	if (renewal_due(c, &own, now_s, csr))
		return true;
	*kind = PKI_RELAY;
	return relay && own.id.kind == PKI_ROUTER && relay_due(c, &own, now_s, csr);
}

/* The certificate is what was asked for: this kind, our name, this key. */
static int check(const struct certs *c, enum pki_kind kind, const struct wr *der,
		 const struct pki_key *key, struct diag *diag)
{
	struct wr ca = { 0 };
	struct pki_cert own, cert;
	int rc;

	if (!load_own(c, &own))
		return diag_set(diag, "the agent's own certificate is gone");
	if (pki_cert_load(c->files->ca, &ca, diag) < 0)
		return -1;
	rc = pki_cert_check(der->data, der->len, key, ca.data, ca.len, diag);
	wr_fini(&ca);
	if (rc < 0 || pki_cert_read(der->data, der->len, &cert, diag) < 0)
		return -1;
	if (!cert.has_id || cert.id.kind != kind || strcmp(cert.id.name, own.id.name) != 0)
		return diag_set(diag, "it is a certificate for somebody else");
	return 0;
}

static int take_own(struct certs *c, enum pki_kind kind, const struct wr *der,
		    struct diag *diag)
{
	struct pki_key *key = pki_key_load(c->files->key, diag);
	int rc = -1;

	if (key && check(c, kind, der, key, diag) == 0)
		rc = pki_cert_save(der, 1, c->files->cert, diag);
	pki_key_free(key);
	return rc;
}

/* A crash between the two leaves a pair that does not fit: it is asked again. */
static int take_relay(struct certs *c, const struct wr *der, struct diag *diag)
{
	int rc = -1;

	if (!c->relay_key)
		return diag_set(diag, "nobody has asked for it");
	if (check(c, PKI_RELAY, der, c->relay_key, diag) == 0 &&
	    pki_key_save(c->relay_key, c->files->relay_key, diag) == 0 &&
	    pki_cert_save(der, 1, c->files->relay_cert, diag) == 0)
		rc = 0;
	pki_key_free(c->relay_key);
	c->relay_key = NULL;
	return rc;
}

int certs_take(struct certs *c, enum pki_kind kind, const void *der, size_t len,
	       struct diag *diag)
{
	struct wr copy = { 0 };
	int rc;

	wr_bytes(&copy, der, len);
	rc = kind == PKI_RELAY ? take_relay(c, &copy, diag) : take_own(c, kind, &copy, diag);
	wr_fini(&copy);
	return rc;
}
