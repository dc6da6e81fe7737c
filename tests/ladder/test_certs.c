/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two ends with certificates: chains so long that IKE_AUTH goes in fragments, of
 * which any may be lost, doubled, or come in any order; and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/ladder/ladder.h"
#include "tests/unit/ipsec/cert_fixture.h"

static const char *const kinds[] = { "RSA", "P-256", "ED25519" };
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* What is wrong with the first end's. */
enum wrong { NOTHING, REVOKED, EXPIRED, FOR_OTHERS, OF_ANOTHER };

static struct {
	X509 *ca, *middle, *leaf[2], *expired, *other;
	X509_CRL *crl, *crl_revoked, *crl_middle;
} pki[N_KINDS];

static X509 *made(const char *cn, X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *key, int64_t to)
{
	char san[64];
	const struct fixture_cert what = { .cn = cn, .issuer = issuer, .issuer_key = issuer_key, .from = -86400, .to = to,
					   .ca = strstr(cn, ".example") == NULL, .san = san };
	struct fixture_cert ca = what;

	snprintf(san, sizeof(san), "DNS:%s", cn);
	if (ca.ca)
		ca.san = NULL;
	return fixture_cert(&ca, key);
}

static int make_all(void **state)
{
	for (unsigned k = 0; k < N_KINDS; k++) {
		EVP_PKEY *key = fixture_key(kinds[k]), *other = fixture_other_key(kinds[k]);

		pki[k].ca = made("a CA", NULL, NULL, key, 86400);
		pki[k].middle = made("one between", pki[k].ca, key, other, 86400);
		pki[k].leaf[0] = made("a.example", pki[k].middle, other, key, 86400);
		pki[k].leaf[1] = made("b.example", pki[k].middle, other, other, 86400);
		pki[k].expired = made("a.example", pki[k].middle, other, key, -10);
		pki[k].other = made("c.example", pki[k].middle, other, key, 86400);
		pki[k].crl = fixture_crl(pki[k].middle, other, pki[k].other, 86400);
		pki[k].crl_revoked = fixture_crl(pki[k].middle, other, pki[k].leaf[0], 86400);
		pki[k].crl_middle = fixture_crl(pki[k].ca, key, NULL, 86400);
	}
	return 0;
}

static int free_all(void **state)
{
	for (unsigned k = 0; k < N_KINDS; k++) {
		X509 *const certs[] = { pki[k].ca, pki[k].middle, pki[k].leaf[0], pki[k].leaf[1], pki[k].expired, pki[k].other };

		for (unsigned i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
			X509_free(certs[i]);
		X509_CRL_free(pki[k].crl);
		X509_CRL_free(pki[k].crl_revoked);
		X509_CRL_free(pki[k].crl_middle);
	}
	return 0;
}

static void add(struct end *e, enum proc_file_kind kind, struct wr *pem)
{
	struct diag diag;

	assert_int_equal(creds_add(e->creds, kind, pem->data, pem->len, &diag), 0);
	wr_fini(pem);
}

static void give(unsigned end, unsigned kind, enum wrong wrong)
{
	struct end *e = &ladder.ends[end];
	unsigned ca = end == 1 && wrong == OF_ANOTHER ? (kind + 1) % N_KINDS : kind;
	struct wr w = { 0 };
	struct diag diag;

	e->creds = creds_new();
	fixture_pem(end ? pki[kind].leaf[1] : wrong == EXPIRED ? pki[kind].expired : wrong == FOR_OTHERS ? pki[kind].other : pki[kind].leaf[0], &w);
	fixture_pem(pki[kind].middle, &w);
	add(e, PROC_FILE_OWN, &w);
	fixture_pem(pki[ca].ca, &w);
	add(e, PROC_FILE_CA, &w);
	fixture_crl_pem(wrong == REVOKED ? pki[kind].crl_revoked : pki[kind].crl, &w);
	fixture_crl_pem(pki[kind].crl_middle, &w);
	if (ca == kind)
		add(e, PROC_FILE_CRL, &w);
	wr_fini(&w);
	fixture_key_pem(end ? fixture_other_key(kinds[kind]) : fixture_key(kinds[kind]), &w);
	e->key = crypto_private_pem(w.data, w.len, &diag);
	assert_non_null(e->key);
	wr_fini(&w);
}

static void with_certs(struct ike_tunnel *t, unsigned end)
{
	t->local_auth = t->remote_auth = IKE_KIND_CERT;
	t->fragment_bytes = 576;
}

static void begin(unsigned kind, enum wrong wrong)
{
	ladder_begin(with_certs);
	give(0, kind, wrong);
	give(1, kind, wrong);
}

static void go(unsigned end)
{
	struct ike_path path = { .link = 1, .local = ladder.ends[end].at, .remote = ladder.ends[!end].at };
	struct diag diag;

	assert_int_equal(ike_engine_up(ladder.ends[end].engine, "t", &path, ladder.now, &diag), 0);
}

/* Until nothing more happens, with time for what was lost to come again. */
static void settle(void)
{
	for (unsigned i = 0; i < 40; i++) {
		ladder_settle();
		ladder.now += 1000;
	}
}

static void assert_one(void)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ladder_counters(i).sas, 1);
		assert_int_equal(ladder_counters(i).half_open, 0);
		assert_int_equal(ladder.ends[i].n_kids, 1);
	}
}

/* ---- cases */

static void each_kind_comes_up_in_fragments(void **state)
{
	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		unsigned most = 0;

		begin(kind, NOTHING);
		go(0);
		for (unsigned i = 0; i < 1000; i++) {
			ladder_run();
			most = ladder.n_wire > most ? ladder.n_wire : most;
			for (unsigned k = 0; k < ladder.n_wire; k++)
				assert_true(ladder.wire[k].len <= 576);
			if (ladder.n_wire > 0)
				ladder_deliver(0);
		}
		assert_true(most >= 3);
		assert_one();
		ladder_end();
	}
}

/* How many were sent; the one of that number is lost. */
static unsigned come_up_without(unsigned lost)
{
	unsigned sent = 0;

	begin(1, NOTHING);
	go(0);
	for (unsigned i = 0; i < 100; i++) {
		ladder_run();
		while (ladder.n_wire > 0)
			if (sent++ == lost)
				ladder_drop(0);
			else
				ladder_deliver(0);
	}
	settle();
	assert_one();
	ladder_end();
	return sent;
}

static void any_one_may_be_lost(void **state)
{
	unsigned sent = come_up_without(UINT32_MAX);

	assert_true(sent >= 6); /* IKE_SA_INIT, and two fragments or more each way */
	for (unsigned lost = 0; lost < sent; lost++)
		come_up_without(lost);
}

static void in_any_order_with_losses_and_doubles(void **state)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		srandom(seed);
		begin(1 + seed % 2, NOTHING);
		go(0);
		for (unsigned i = 0; i < 3000 && (ladder.ends[0].n_kids == 0 || ladder.ends[1].n_kids == 0); i++) {
			unsigned at = ladder.n_wire ? (unsigned)random() % ladder.n_wire : 0;
			long what = random() % 10;

			ladder_run();
			if (ladder.n_wire == 0 || what == 0)
				ladder.now += 300;
			else if (what == 1)
				ladder_drop(at);
			else if (what == 2)
				ladder_inject(ladder.wire[at].to, ladder.wire[at].data, ladder.wire[at].len, 0);
			else
				ladder_deliver(at);
		}
		settle();
		assert_one();
		ladder_end();
	}
}

static void both_rekey_at_once(void **state)
{
	struct diag diag;

	for (unsigned children = 0; children < 2; children++) {
		begin(1, NOTHING);
		go(0);
		settle();
		for (unsigned end = 0; end < 2; end++)
			assert_int_equal(ike_engine_rekey(ladder.ends[end].engine, "t", children, ladder.now, &diag), 0);
		ladder_run();
		assert_int_equal(ladder.n_wire, 2); /* they cross */
		settle();
		assert_one();
		assert_int_equal(ladder.ends[0].downs + ladder.ends[1].downs, 0);
		ladder_end();
	}
}

/* Both sides want it up and begin in the same moment. */
static void both_begin_at_once(void **state)
{
	begin(0, NOTHING);
	go(0);
	go(1);
	settle();
	for (unsigned end = 0; end < 2; end++) {
		assert_true(ladder_counters(end).sas >= 1);
		assert_int_equal(ladder_counters(0).sas, ladder_counters(1).sas);
		assert_int_equal(ladder.ends[0].n_kids, ladder.ends[1].n_kids);
	}
	ladder_end();
}

static void what_is_wrong_is_refused(void **state)
{
	static const enum wrong wrongs[] = { REVOKED, EXPIRED, FOR_OTHERS, OF_ANOTHER };

	for (unsigned kind = 0; kind < N_KINDS; kind++)
		for (unsigned i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
			begin(kind, wrongs[i]);
			go(0);
			settle();
			settle();
			assert_int_equal(ladder.ends[1].ups, 0);
			assert_int_equal(ladder.ends[0].n_kids + ladder.ends[1].n_kids, 0);
			assert_int_equal(ladder_counters(1).half_open, 0);
			ladder_end();
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_comes_up_in_fragments),
		cmocka_unit_test(any_one_may_be_lost),
		cmocka_unit_test(in_any_order_with_losses_and_doubles),
		cmocka_unit_test(both_rekey_at_once),
		cmocka_unit_test(both_begin_at_once),
		cmocka_unit_test(what_is_wrong_is_refused),
	};

	return cmocka_run_group_tests_name("certificates", tests, make_all, free_all);
}
