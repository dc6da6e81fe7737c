/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates that the agent asks for; the test is the controller's CA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agents/certs.h"
#include "lib/mem.h"
#include "tests/unit/lib/pki_fixture.h"

struct bench {
	struct pki_fixture fix;
	struct agent_files files;
	struct certs *certs;
	int64_t now;
};

static void copy_path(char *to, const struct pki_fixture *fix, const char *file)
{
	snprintf(to, AGENT_PATH_SIZE, "%s", pki_fixture_path(fix, file));
}

/* An agent of that kind, called r1, with so much time to go. */
static void enrol(struct bench *b, enum pki_kind kind, int64_t left_s)
{
	pki_fixture_issue(&b->fix, "own", kind, "r1", b->now - 100, b->now + left_s);
	copy_path(b->files.cert, &b->fix, "own.pem");
	copy_path(b->files.key, &b->fix, "own.key");
}

static int set_up(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));
	struct diag diag;

	pki_fixture_init(&b->fix);
	b->now = time(NULL);
	assert_int_equal(agent_files_init(&b->files, b->fix.dir, &diag), 0);
	copy_path(b->files.ca, &b->fix, "ca.pem");
	enrol(b, PKI_ROUTER, PKI_AGENT_S);
	b->certs = certs_new(&b->files);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	certs_free(b->certs);
	pki_fixture_fini(&b->fix);
	free(b);
	return 0;
}

static void issue(struct bench *b, const struct wr *csr, enum pki_kind kind,
		  const char *name, int64_t left_s, struct wr *cert)
{
	struct pki_request request = { .id = { .kind = kind },
				       .not_before = b->now - 3600,
				       .not_after = b->now + left_s };
	struct wr spki = { 0 };
	struct diag diag;

	assert_int_equal(pki_csr_spki(csr->data, csr->len, &spki, &diag), 0);
	snprintf(request.id.name, sizeof(request.id.name), "%s", name);
	request.spki = spki.data;
	request.spki_len = spki.len;
	assert_int_equal(pki_issue(b->fix.ca_key, b->fix.ca.data, b->fix.ca.len, &request,
				   cert, &diag),
			 0);
	wr_fini(&spki);
}

static void answer(struct bench *b, const struct wr *csr, enum pki_kind kind, int64_t left_s)
{
	struct wr cert = { 0 };
	struct diag diag;

	issue(b, csr, kind, "r1", left_s, &cert);
	if (certs_take(b->certs, kind, cert.data, cert.len, &diag) != 0)
		fail_msg("%s", diag.text);
	wr_fini(&cert);
}

/* Asks, and gets what it asked for; what that was. */
static enum pki_kind ask(struct bench *b, int64_t left_s)
{
	struct wr csr = { 0 };
	enum pki_kind kind;

	assert_true(certs_due(b->certs, true, b->now, &kind, &csr));
	answer(b, &csr, kind, left_s);
	wr_fini(&csr);
	return kind;
}

static bool is_due(struct bench *b, bool relay, int64_t now_s)
{
	struct wr csr = { 0 };
	enum pki_kind kind;
	bool due = certs_due(b->certs, relay, now_s, &kind, &csr);

	assert_true(due == (csr.len != 0));
	wr_fini(&csr);
	return due;
}

static void a_relay_gets_a_certificate_once(void **state)
{
	struct bench *b = *state;
	struct stat st;

	assert_false(is_due(b, false, b->now)); /* nobody relays */
	assert_false(certs_relay_ok(b->certs, b->now));
	assert_int_equal(ask(b, PKI_AGENT_S), PKI_RELAY);
	assert_true(certs_relay_ok(b->certs, b->now));
	assert_false(is_due(b, true, b->now));
	assert_int_equal(stat(b->files.relay_key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_relay_certificate_is_renewed_before_its_end(void **state)
{
	struct bench *b = *state;

	assert_int_equal(ask(b, CERTS_RENEW_S + 100), PKI_RELAY);
	assert_false(is_due(b, true, b->now + 100));
	assert_true(is_due(b, true, b->now + 101));
	assert_false(certs_relay_ok(b->certs, b->now + CERTS_RENEW_S + 100));
}

static void the_own_certificate_is_renewed_for_the_same_key(void **state)
{
	struct bench *b = *state;
	struct wr before = { 0 }, after = { 0 }, csr = { 0 };
	struct diag diag;
	enum pki_kind kind;
	struct stat old, new;

	enrol(b, PKI_ROUTER, CERTS_RENEW_S - 1);
	assert_int_equal(stat(b->files.key, &old), 0);
	assert_int_equal(pki_cert_load(b->files.cert, &before, &diag), 0);
	assert_true(certs_due(b->certs, true, b->now, &kind, &csr));
	assert_int_equal(kind, PKI_ROUTER); /* before the relay's */
	answer(b, &csr, kind, PKI_AGENT_S);
	wr_fini(&csr);
	assert_int_equal(stat(b->files.key, &new), 0);
	assert_int_equal(old.st_ino, new.st_ino);
	assert_int_equal(pki_cert_load(b->files.cert, &after, &diag), 0);
	assert_true(before.len != after.len || memcmp(before.data, after.data, after.len) != 0);
	assert_int_equal(ask(b, PKI_AGENT_S), PKI_RELAY);
	assert_false(is_due(b, true, b->now));
	wr_fini(&before);
	wr_fini(&after);
}

static void an_edge_has_no_relay(void **state)
{
	struct bench *b = *state;
	struct wr csr = { 0 };
	enum pki_kind kind;

	enrol(b, PKI_EDGE, PKI_AGENT_S);
	assert_false(is_due(b, true, b->now));
	enrol(b, PKI_EDGE, 100);
	assert_true(certs_due(b->certs, true, b->now, &kind, &csr));
	assert_int_equal(kind, PKI_EDGE);
	wr_fini(&csr);
}

static void refuse(struct bench *b, enum pki_kind kind, const struct wr *cert,
		   const char *says)
{
	struct wr csr = { 0 };
	struct diag diag;
	enum pki_kind asked;

	assert_int_equal(certs_take(b->certs, kind, cert->data, cert->len, &diag), -1);
	if (!strstr(diag.text, says))
		fail_msg("\"%s\" says nothing of \"%s\"", diag.text, says);
	assert_false(certs_relay_ok(b->certs, b->now)); /* nothing was saved */
	assert_true(certs_due(b->certs, true, b->now, &asked, &csr));
	wr_fini(&csr);
}

static void only_what_was_asked_for_is_taken(void **state)
{
	struct bench *b = *state;
	struct wr csr = { 0 }, cert = { 0 };
	enum pki_kind kind;
	struct pki_key *other = pki_key_new();
	struct diag diag;

	wr_bytes(&cert, "noise", 5);
	refuse(b, PKI_RELAY, &cert, "nobody has asked");
	refuse(b, PKI_RELAY, &cert, ""); /* not a certificate */
	wr_fini(&cert);
	assert_true(certs_due(b->certs, true, b->now, &kind, &csr));
	issue(b, &csr, PKI_RELAY, "r2", PKI_AGENT_S, &cert);
	refuse(b, PKI_RELAY, &cert, "somebody else");
	wr_fini(&cert);
	wr_fini(&csr);
	assert_true(certs_due(b->certs, true, b->now, &kind, &csr));
	issue(b, &csr, PKI_ROUTER, "r1", PKI_AGENT_S, &cert);
	refuse(b, PKI_RELAY, &cert, "somebody else");
	wr_fini(&cert);
	wr_fini(&csr);
	assert_int_equal(pki_csr_make(other, "r1", &csr, &diag), 0);
	issue(b, &csr, PKI_RELAY, "r1", PKI_AGENT_S, &cert);
	refuse(b, PKI_RELAY, &cert, "another key");
	/* nor does a relay's become the agent's own */
	refuse(b, PKI_ROUTER, &cert, "another key");
	wr_fini(&cert);
	wr_fini(&csr);
	pki_key_free(other);
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	int c;

	assert_true(in && out);
	while ((c = fgetc(in)) != EOF)
		fputc(c, out);
	fclose(in);
	fclose(out);
}

/* A crash between key and certificate, a lost or another's file. */
static void a_pair_that_does_not_fit_is_asked_for_again(void **state)
{
	struct bench *b = *state;

	ask(b, PKI_AGENT_S);
	copy_file(b->files.key, b->files.relay_key);
	assert_false(certs_relay_ok(b->certs, b->now));
	assert_int_equal(ask(b, PKI_AGENT_S), PKI_RELAY);
	assert_int_equal(unlink(b->files.relay_cert), 0); /* as enrolling anew does */
	assert_false(certs_relay_ok(b->certs, b->now));
	assert_int_equal(ask(b, PKI_AGENT_S), PKI_RELAY);
	/* the agent's own pair in the relay's place */
	copy_file(b->files.key, b->files.relay_key);
	copy_file(b->files.cert, b->files.relay_cert);
	assert_false(certs_relay_ok(b->certs, b->now));
	assert_true(is_due(b, true, b->now));
}

static void without_an_own_certificate_nothing_is_asked(void **state)
{
	struct bench *b = *state;

	ask(b, PKI_AGENT_S);
	assert_int_equal(unlink(b->files.cert), 0);
	assert_false(is_due(b, true, b->now));
	assert_false(certs_relay_ok(b->certs, b->now));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_relay_gets_a_certificate_once),
		TEST(a_relay_certificate_is_renewed_before_its_end),
		TEST(the_own_certificate_is_renewed_for_the_same_key),
		TEST(an_edge_has_no_relay),
		TEST(only_what_was_asked_for_is_taken),
		TEST(a_pair_that_does_not_fit_is_asked_for_again),
		TEST(without_an_own_certificate_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
