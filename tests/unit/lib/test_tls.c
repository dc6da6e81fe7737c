/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/ssl.h>

#include "lib/tls.h"
#include "tests/unit/lib/pki_fixture.h"

static struct pki_fixture fix, other;

/* Two ends of a socket pair and how their handshakes ended. */
struct pair {
	int fd[2];
	struct tls *client, *server;
	int client_ret, server_ret;
	struct diag client_diag, server_diag;
};

static struct tls_config *server_config(const char *name)
{
	struct tls_config *config;
	char cert[64], key[64];
	struct diag diag;

	snprintf(cert, sizeof(cert), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	config = tls_config_server(pki_fixture_path(&fix, cert),
				   pki_fixture_path(&fix, key),
				   pki_fixture_path(&fix, "ca.pem"), &diag);
	if (!config)
		fail_msg("%s", diag.text);
	return config;
}

static struct tls_config *client_config(const struct pki_fixture *from, const char *name)
{
	struct tls_config *config;
	char cert[64], key[64];
	struct diag diag;

	snprintf(cert, sizeof(cert), "%s.pem", name ? name : "");
	snprintf(key, sizeof(key), "%s.key", name ? name : "");
	config = tls_config_client(name ? pki_fixture_path(from, cert) : NULL,
				   name ? pki_fixture_path(from, key) : NULL,
				   pki_fixture_path(&fix, "ca.pem"), &diag);
	if (!config)
		fail_msg("%s", diag.text);
	return config;
}

static void pair_open(struct pair *p, struct tls_config *client,
		      struct tls_config *server)
{
	*p = (struct pair){ 0 };
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p->fd),
		0);
	p->client = tls_new(client, p->fd[0], "controller");
	p->server = tls_new(server, p->fd[1], "192.0.2.1");
	tls_config_free(client);
	tls_config_free(server);
	for (int i = 0; i < 20; i++) {
		if (p->client_ret == 0)
			p->client_ret = tls_handshake(p->client, &p->client_diag);
		if (p->server_ret == 0)
			p->server_ret = tls_handshake(p->server, &p->server_diag);
	}
}

static void pair_close(struct pair *p)
{
	tls_free(p->client);
	tls_free(p->server);
	close(p->fd[0]);
	close(p->fd[1]);
}

static void both_certificates(void **state)
{
	char buf[16];
	struct pair p;

	pair_open(&p, client_config(&fix, "r1"), server_config("ctl"));
	assert_int_equal(p.client_ret, 1);
	assert_int_equal(p.server_ret, 1);
	assert_true(tls_peer_has_certificate(p.server));
	assert_true(tls_peer_certificate(p.server)->has_id);
	assert_int_equal(tls_peer_certificate(p.server)->id.kind, PKI_ROUTER);
	assert_string_equal(tls_peer_certificate(p.server)->id.name, "r1");
	assert_int_equal(strlen(tls_peer_certificate(p.server)->serial), 32);
	assert_string_equal(tls_peer_certificate(p.client)->id.name, "main");

	assert_int_equal(tls_read(p.server, buf, sizeof(buf), &p.server_diag), TLS_AGAIN);
	assert_int_equal(tls_write(p.client, "hello", 5, &p.client_diag), 5);
	assert_int_equal(tls_read(p.server, buf, 2, &p.server_diag), 2);
	assert_true(tls_has_pending(p.server));
	assert_int_equal(tls_read(p.server, buf + 2, 14, &p.server_diag), 3);
	assert_memory_equal(buf, "hello", 5);
	tls_free(p.client);
	p.client = NULL;
	assert_int_equal(tls_read(p.server, buf, 2, &p.server_diag), TLS_CLOSED);
	pair_close(&p);
}

/* A full socket: AGAIN, then everything arrives in order. */
static void large_transfer_with_back_pressure(void **state)
{
	static uint8_t out[4 << 20], in[sizeof(out)];
	size_t sent = 0, got = 0, again = 0;
	struct pair p;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 2654435761u >> 24);
	pair_open(&p, client_config(&fix, "r1"), server_config("ctl"));
	while (got < sizeof(in)) {
		int n;

		while (sent < sizeof(out)) {
			n = tls_write(p.client, out + sent, sizeof(out) - sent,
				      &p.client_diag);
			if (n == TLS_AGAIN) {
				assert_true(tls_wants_write(p.client));
				again++;
				break;
			}
			assert_true(n > 0);
			sent += (size_t)n;
		}
		while ((n = tls_read(p.server, in + got, sizeof(in) - got,
				     &p.server_diag)) > 0)
			got += (size_t)n;
		assert_int_equal(n, TLS_AGAIN);
	}
	assert_true(again > 0);
	assert_memory_equal(in, out, sizeof(in));
	pair_close(&p);
}

static void client_without_certificate(void **state)
{
	struct pair p;

	pair_open(&p, client_config(&fix, NULL), server_config("ctl"));
	assert_int_equal(p.client_ret, 1);
	assert_int_equal(p.server_ret, 1);
	assert_false(tls_peer_has_certificate(p.server));
	assert_null(tls_peer_certificate(p.server));
	pair_close(&p);
}

/* TLS 1.3: the client believes itself done before it reads the refusal. */
static void expect_client_refused(struct pair *p, const char *server_says,
				  const char *client_says)
{
	char c;

	assert_int_equal(p->server_ret, -1);
	assert_non_null(strstr(p->server_diag.text, server_says));
	assert_non_null(strstr(p->server_diag.text, "192.0.2.1"));
	assert_int_equal(p->client_ret, 1);
	assert_int_equal(tls_read(p->client, &c, 1, &p->client_diag), TLS_ERROR);
	assert_non_null(strstr(p->client_diag.text, client_says));
	assert_non_null(strstr(p->client_diag.text, "controller"));
	pair_close(p);
}

static void client_of_another_ca(void **state)
{
	struct pair p;

	pair_open(&p, client_config(&other, "r1"), server_config("ctl"));
	expect_client_refused(&p, "unknown CA", "does not know the CA");
}

static void client_expired(void **state)
{
	struct pair p;

	pair_open(&p, client_config(&fix, "expired"), server_config("ctl"));
	expect_client_refused(&p, "expired on 2001-09-09 01:46:40 UTC", "has expired");
}

static void client_not_yet_valid(void **state)
{
	struct pair p;

	pair_open(&p, client_config(&fix, "future"), server_config("ctl"));
	expect_client_refused(&p, "correct the clock", "refuses our certificate");
}

static void client_shows_a_controller_certificate(void **state)
{
	struct pair p;

	pair_open(&p, client_config(&fix, "ctl"), server_config("ctl"));
	expect_client_refused(&p, "not for this side", "refuses our certificate");
}

static void server_of_another_ca(void **state)
{
	struct tls_config *config;
	struct diag diag;
	struct pair p;

	config = tls_config_client(NULL, NULL, pki_fixture_path(&other, "ca.pem"), &diag);
	pair_open(&p, config, server_config("ctl"));
	assert_int_equal(p.client_ret, -1);
	assert_non_null(strstr(p.client_diag.text, "unknown CA"));
	assert_int_equal(p.server_ret, -1);
	pair_close(&p);
}

static void server_expired(void **state)
{
	struct pair p;

	pair_open(&p, client_config(&fix, "r1"), server_config("oldctl"));
	assert_int_equal(p.client_ret, -1);
	assert_non_null(strstr(p.client_diag.text, "expired on 2001-09-09"));
	pair_close(&p);
}

/* A router's own certificate must not let it pose as the controller. */
static void server_is_a_router(void **state)
{
	struct pair p;

	pair_open(&p, client_config(&fix, "r1"), server_config("r1"));
	assert_int_equal(p.client_ret, -1);
	assert_non_null(strstr(p.client_diag.text, "not for this side"));
	pair_close(&p);
}

static struct tls_config *pinned(const struct wr *ca)
{
	uint8_t pin[PKI_FINGERPRINT_SIZE];
	struct pki_cert cert;
	struct diag diag;

	assert_int_equal(pki_cert_read(ca->data, ca->len, &cert, &diag), 0);
	memcpy(pin, cert.fingerprint, sizeof(pin));
	return tls_config_pinned(pin, &diag);
}

static void pinned_right(void **state)
{
	struct pair p;

	pair_open(&p, pinned(&fix.ca), server_config("ctl"));
	assert_int_equal(p.client_ret, 1);
	assert_int_equal(p.server_ret, 1);
	assert_false(tls_peer_has_certificate(p.server));
	pair_close(&p);
}

static void pinned_wrong(void **state)
{
	struct pair p;

	pair_open(&p, pinned(&other.ca), server_config("ctl"));
	assert_int_equal(p.client_ret, -1);
	assert_non_null(strstr(p.client_diag.text, "fingerprint in the token"));
	pair_close(&p);
}

/* The right CA in the chain of a stranger: shown, but it signed nothing. */
static void pinned_ca_beside_a_foreign_leaf(void **state)
{
	struct tls_config *config;
	struct wr chain[2] = { { 0 } };
	struct diag diag;
	struct pair p;

	assert_int_equal(
		pki_cert_load(pki_fixture_path(&other, "ctl.pem"), &chain[0], &diag), 0);
	chain[1] = fix.ca;
	assert_int_equal(
		pki_cert_save(chain, 2, pki_fixture_path(&other, "mix.pem"), &diag), 0);
	wr_fini(&chain[0]);
	config = tls_config_server(pki_fixture_path(&other, "mix.pem"),
				   pki_fixture_path(&other, "ctl.key"),
				   pki_fixture_path(&fix, "ca.pem"), &diag);
	assert_non_null(config);
	pair_open(&p, pinned(&fix.ca), config);
	assert_int_equal(p.client_ret, -1);
	pair_close(&p);
}

static void pinned_expired(void **state)
{
	struct pair p;

	pair_open(&p, pinned(&fix.ca), server_config("oldctl"));
	assert_int_equal(p.client_ret, -1);
	assert_non_null(strstr(p.client_diag.text, "expired"));
	pair_close(&p);
}

static void pinned_router(void **state)
{
	struct pair p;

	pair_open(&p, pinned(&fix.ca), server_config("r1"));
	assert_int_equal(p.client_ret, -1);
	pair_close(&p);
}

static void server_meets(const char *bytes, size_t len, const char *says)
{
	struct tls_config *config = server_config("ctl");
	struct diag diag;
	struct tls *tls;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	tls = tls_new(config, fd[1], "192.0.2.1");
	tls_config_free(config);
	assert_int_equal(tls_handshake(tls, &diag), 0);
	assert_false(tls_wants_write(tls));
	assert_int_equal(write(fd[0], bytes, len), len);
	if (!says)
		shutdown(fd[0], SHUT_WR);
	assert_int_equal(tls_handshake(tls, &diag), -1);
	assert_non_null(strstr(diag.text, says ? says : "closed during the handshake"));
	tls_free(tls);
	close(fd[0]);
	close(fd[1]);
}

static void plaintext(void **state)
{
	server_meets("GET / HTTP/1.0\r\n\r\n", 18, "does not speak TLS");
	server_meets("\0\0\0\4abcdefghijkl", 16, "does not speak TLS");
	server_meets("\x16\x03\x01\x00\x05", 5, NULL);
	server_meets("", 0, NULL);
}

static void tls_1_2_client(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct tls_config *config = server_config("ctl");
	struct diag diag;
	struct tls *tls;
	int fd[2];
	SSL *ssl;

	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd[0]);
	assert_true(SSL_connect(ssl) < 0);
	tls = tls_new(config, fd[1], "192.0.2.1");
	tls_config_free(config);
	assert_int_equal(tls_handshake(tls, &diag), -1);
	assert_non_null(strstr(diag.text, "does not speak TLS 1.3"));
	tls_free(tls);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd[0]);
	close(fd[1]);
}

/* A signal would end the test program. */
static void peer_is_gone(void **state)
{
	struct pair p;
	int ret;

	pair_open(&p, client_config(&fix, "r1"), server_config("ctl"));
	close(p.fd[0]);
	ret = tls_write(p.server, "x", 1, &p.server_diag);
	assert_int_equal(ret, TLS_ERROR);
	assert_non_null(strstr(p.server_diag.text, "192.0.2.1"));
	p.fd[0] = dup(p.fd[1]);
	pair_close(&p);
}

static void cut_without_goodbye(void **state)
{
	struct pair p;
	char c;

	pair_open(&p, client_config(&fix, "r1"), server_config("ctl"));
	shutdown(p.fd[0], SHUT_WR);
	assert_int_equal(tls_read(p.server, &c, 1, &p.server_diag), TLS_ERROR);
	assert_non_null(strstr(p.server_diag.text, "cut"));
	pair_close(&p);
}

static void transfer_before_handshake(void **state)
{
	struct tls_config *config = server_config("ctl");
	struct diag diag;
	struct tls *tls;
	int fd[2];
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	tls = tls_new(config, fd[1], "192.0.2.1");
	tls_config_free(config);
	assert_int_equal(tls_read(tls, &c, 1, &diag), TLS_ERROR);
	assert_int_equal(tls_write(tls, "c", 1, &diag), TLS_ERROR);
	tls_free(tls);
	close(fd[0]);
	close(fd[1]);
}

static void bad_files(void **state)
{
	const char *cert = pki_fixture_path(&fix, "ctl.pem");
	const char *key = pki_fixture_path(&fix, "ctl.key");
	const char *ca = pki_fixture_path(&fix, "ca.pem");
	struct diag diag;

	assert_null(tls_config_server("/nonexistent", key, ca, &diag));
	assert_non_null(strstr(diag.text, "/nonexistent"));
	assert_null(tls_config_server(cert, "/nonexistent", ca, &diag));
	assert_null(tls_config_server(cert, key, "/nonexistent", &diag));
	assert_null(tls_config_server(cert, pki_fixture_path(&fix, "r1.key"), ca, &diag));
	assert_null(tls_config_client(cert, ca, ca, &diag));
}

static int setup(void **state)
{
	int64_t now = time(NULL), y2001 = 1000000000;

	pki_fixture_init(&fix);
	pki_fixture_init(&other);
	pki_fixture_issue(&fix, "ctl", PKI_CONTROLLER, "main", now - 60, now + 3600);
	pki_fixture_issue(&fix, "oldctl", PKI_CONTROLLER, "main", y2001 - 60, y2001);
	pki_fixture_issue(&fix, "r1", PKI_ROUTER, "r1", now - 60, now + 3600);
	pki_fixture_issue(&fix, "expired", PKI_ROUTER, "r1", y2001 - 60, y2001);
	pki_fixture_issue(&fix, "future", PKI_ROUTER, "r1", now + 3600, now + 7200);
	pki_fixture_issue(&other, "r1", PKI_ROUTER, "r1", now - 60, now + 3600);
	pki_fixture_issue(&other, "ctl", PKI_CONTROLLER, "main", now - 60, now + 3600);
	return 0;
}

static int teardown(void **state)
{
	pki_fixture_fini(&fix);
	pki_fixture_fini(&other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_certificates),
		cmocka_unit_test(large_transfer_with_back_pressure),
		cmocka_unit_test(client_without_certificate),
		cmocka_unit_test(client_of_another_ca),
		cmocka_unit_test(client_expired),
		cmocka_unit_test(client_not_yet_valid),
		cmocka_unit_test(client_shows_a_controller_certificate),
		cmocka_unit_test(server_of_another_ca),
		cmocka_unit_test(server_expired),
		cmocka_unit_test(server_is_a_router),
		cmocka_unit_test(pinned_right),
		cmocka_unit_test(pinned_wrong),
		cmocka_unit_test(pinned_ca_beside_a_foreign_leaf),
		cmocka_unit_test(pinned_expired),
		cmocka_unit_test(pinned_router),
		cmocka_unit_test(plaintext),
		cmocka_unit_test(tls_1_2_client),
		cmocka_unit_test(peer_is_gone),
		cmocka_unit_test(cut_without_goodbye),
		cmocka_unit_test(transfer_before_handshake),
		cmocka_unit_test(bad_files),
	};

	return cmocka_run_group_tests_name("tls", tests, setup, teardown);
}
