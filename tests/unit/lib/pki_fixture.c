/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/lib/pki_fixture.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x)) {                                                              \
			fprintf(stderr, "fixture: %s\n", #x);                            \
			abort();                                                         \
		}                                                                        \
	} while (0)

const char *pki_fixture_path(const struct pki_fixture *fix, const char *file)
{
	static char paths[8][128];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", fix->dir, file);
	return path;
}

void pki_fixture_init(struct pki_fixture *fix)
{
	int64_t now = time(NULL);
	struct diag diag;

	*fix = (struct pki_fixture){ .dir = "/tmp/opensav-test.XXXXXX" };
	MUST(mkdtemp(fix->dir));
	fix->ca_key = pki_key_new();
	MUST(pki_ca_make(fix->ca_key, "test CA", now - 3600, now + PKI_CA_S, &fix->ca,
			 &diag) == 0);
	MUST(pki_cert_save(&fix->ca, 1, pki_fixture_path(fix, "ca.pem"), &diag) == 0);
}

void pki_fixture_fini(struct pki_fixture *fix)
{
	DIR *dir = opendir(fix->dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			unlink(pki_fixture_path(fix, entry->d_name));
	}
	if (dir)
		closedir(dir);
	rmdir(fix->dir);
	pki_key_free(fix->ca_key);
	wr_fini(&fix->ca);
}

void pki_fixture_issue(struct pki_fixture *fix, const char *file, enum pki_kind kind,
		       const char *name, int64_t not_before, int64_t not_after)
{
	struct pki_request request = { .not_before = not_before, .not_after = not_after };
	struct wr csr = { 0 }, spki = { 0 }, chain[2] = { { 0 } };
	struct pki_key *key = pki_key_new();
	char leaf[64];
	struct diag diag;

	MUST(pki_csr_make(key, name, &csr, &diag) == 0);
	MUST(pki_csr_spki(csr.data, csr.len, &spki, &diag) == 0);
	request.id.kind = kind;
	snprintf(request.id.name, sizeof(request.id.name), "%s", name);
	request.spki = spki.data;
	request.spki_len = spki.len;
	MUST(pki_issue(fix->ca_key, fix->ca.data, fix->ca.len, &request, &chain[0],
		       &diag) == 0);
	chain[1] = fix->ca;
	snprintf(leaf, sizeof(leaf), "%s.pem", file);
	MUST(pki_cert_save(chain, 2, pki_fixture_path(fix, leaf), &diag) == 0);
	snprintf(leaf, sizeof(leaf), "%s.key", file);
	MUST(pki_key_save(key, pki_fixture_path(fix, leaf), &diag) == 0);
	wr_fini(&csr);
	wr_fini(&spki);
	wr_fini(&chain[0]);
	pki_key_free(key);
}
