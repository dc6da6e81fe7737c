/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tls - one TLS 1.3 session over a non-blocking socket.
 *
 * No resumption, tickets, early data or older versions: a session is rare and
 * long, and what is not there needs no care. Writing to a closed socket raises
 * no signal. The caller owns the descriptor and waits for it; errors name the
 * peer, the cause and the remedy.
 */
#ifndef SAV_TLS_H
#define SAV_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/pki.h"

struct tls_config;
struct tls;

/* All three give NULL and a diag when a file is missing or does not fit. Paths
 * are PEM; configurations may be freed while sessions made from them live.
 *
 * Server: cert is a chain that includes the CA (see pki_cert_save); client
 * certificates are asked for, checked against ca, and may be absent. */
struct tls_config *tls_config_server(const char *cert, const char *key, const char *ca,
				     struct diag *diag);
/* Client: the server must hold a controller certificate of this CA. cert and
 * key may both be NULL. */
struct tls_config *tls_config_client(const char *cert, const char *key, const char *ca,
				     struct diag *diag);
/* Enrolling client: the server must hold a controller certificate of the CA
 * that has this SHA-256 fingerprint, and must show that CA. */
struct tls_config *tls_config_pinned(const uint8_t ca[PKI_FINGERPRINT_SIZE],
				     struct diag *diag);
void tls_config_free(struct tls_config *config);

/* peer is what errors call the other side ("192.0.2.1 port 4711"). */
struct tls *tls_new(struct tls_config *config, int fd, const char *peer);
/* Says goodbye if that is possible without waiting. Does not close fd. */
void tls_free(struct tls *tls);

/* 1 done, 0 call again when the socket is ready, -1 failed with diag. */
int tls_handshake(struct tls *tls, struct diag *diag);

/* Bytes moved (more than 0), or one of these. TLS_AGAIN: wait for the socket.
 * TLS_ERROR comes with diag; the session is over then and after TLS_CLOSED. */
enum {
	TLS_AGAIN = -1,
	TLS_CLOSED = -2, /* the peer said goodbye */
	TLS_ERROR = -3,
};
int tls_read(struct tls *tls, void *buf, size_t len, struct diag *diag);
int tls_write(struct tls *tls, const void *buf, size_t len, struct diag *diag);

/* After 0 or TLS_AGAIN: wait until the socket can be written, not read. */
bool tls_wants_write(const struct tls *tls);
/* Bytes are waiting inside; the socket need not become readable for them. */
bool tls_has_pending(const struct tls *tls);

/* After the handshake. What the peer has shown and proved with its CA. */
bool tls_peer_has_certificate(const struct tls *tls);
const struct pki_cert *tls_peer_certificate(const struct tls *tls); /* NULL: none */

#endif /* SAV_TLS_H */
