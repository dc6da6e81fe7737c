/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/south/signer_ca.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/digest.h"

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Several controllers may be seen by one human: the number tells CAs apart. */
static int make_cert(struct signer_ca *ca, const char *path, int64_t now,
		     struct diag *diag)
{
	uint8_t raw[4];
	char hex[9], subject[32];

	digest_random(raw, sizeof(raw));
	digest_hex(raw, sizeof(raw), hex);
	snprintf(subject, sizeof(subject), "OpenSAV CA %s", hex);
	if (pki_ca_make(ca->key, subject, now - SIGNER_BACKDATE_S, now + PKI_CA_S,
			&ca->cert, diag) < 0)
		return -1;
	return pki_cert_save(&ca->cert, 1, path, diag);
}

/* The key is on disk before the certificate, so a crash in between leaves a key
 * without a certificate, which is no harm: nothing was signed with it yet. */
static int make_missing(struct signer_ca *ca, const char *key_path, const char *cert_path,
			int64_t now, struct diag *diag)
{
	if (!exists(key_path) && exists(cert_path))
		return diag_set(diag,
				"%s is there but its key %s is not: restore the key from "
				"a backup (or remove the certificate too: a new CA is "
				"made, and every agent has to enroll again)",
				cert_path, key_path);
	if (exists(key_path)) {
		ca->key = pki_key_load(key_path, diag);
		if (!ca->key)
			return -1;
	} else {
		ca->key = pki_key_new();
		if (pki_key_save(ca->key, key_path, diag) < 0)
			return -1;
	}
	if (!exists(cert_path))
		return make_cert(ca, cert_path, now, diag);
	return pki_cert_load(cert_path, &ca->cert, diag);
}

int signer_ca_open(struct signer_ca *ca, const char *dir, int64_t now, struct diag *diag)
{
	char key_path[PATH_MAX], cert_path[PATH_MAX];
	struct pki_cert cert;

	*ca = (struct signer_ca){ 0 };
	if ((size_t)snprintf(key_path, sizeof(key_path), "%s/ca.key", dir) >=
		    sizeof(key_path) ||
	    (size_t)snprintf(cert_path, sizeof(cert_path), "%s/ca.crt", dir) >=
		    sizeof(cert_path))
		return diag_set(diag, "%s: path too long", dir);
	if (make_missing(ca, key_path, cert_path, now, diag) < 0 ||
	    pki_cert_read(ca->cert.data, ca->cert.len, &cert, diag) < 0 ||
	    pki_cert_check(ca->cert.data, ca->cert.len, ca->key, ca->cert.data,
			   ca->cert.len, diag) < 0) {
		signer_ca_fini(ca);
		return -1;
	}
	ca->not_after = cert.not_after;
	return 0;
}

void signer_ca_fini(struct signer_ca *ca)
{
	pki_key_free(ca->key);
	wr_fini(&ca->cert);
	*ca = (struct signer_ca){ 0 };
}

static int issue(const struct signer_ca *ca, const struct signer_request *request,
		 int64_t now, struct wr *cert, struct diag *diag)
{
	struct pki_request out = { .id = request->identity,
				   .spki = request->spki,
				   .spki_len = request->spki_len,
				   .not_before = now - SIGNER_BACKDATE_S };

	if (request->validity_s == 0 || request->validity_s > SIGNER_VALIDITY_MAX_S)
		return diag_set(diag, "validity of %u s", request->validity_s);
	if (now >= ca->not_after)
		return diag_set(diag, "the CA has expired; remove it, and every agent "
				      "has to enroll again with the new one");
	out.not_after = now + request->validity_s;
	if (out.not_after > ca->not_after)
		out.not_after = ca->not_after;
	return pki_issue(ca->key, ca->cert.data, ca->cert.len, &out, cert, diag);
}

void signer_ca_handle(const struct signer_ca *ca, const void *packet, size_t len,
		      int64_t now, struct wr *out)
{
	struct signer_request request;
	struct signer_reply reply = { 0 };
	struct wr cert = { 0 };
	struct diag diag;

	if (!signer_request_decode(packet, len, &request)) {
		diag_set(&diag, "malformed request");
	} else {
		reply.id = request.id;
		reply.ok = issue(ca, &request, now, &cert, &diag) == 0;
	}
	if (reply.ok) {
		reply.data = cert.data;
		reply.len = cert.len;
	} else {
		reply.data = (const uint8_t *)diag.text;
		reply.len = strlen(diag.text);
	}
	signer_reply_encode(&reply, out);
	wr_fini(&cert);
}
