/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/enroll.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/digest.h"
#include "lib/frame.h"
#include "lib/mem.h"
#include "lib/pki.h"
#include "lib/tls.h"
#include "schema/agent_msg.h"

#define TIMEOUT_MS 30000

struct enrolment {
	struct pki_token token;
	struct pki_key *key;
	struct wr cert, ca; /* DER */
	int64_t deadline_ms;
	int fd;
	struct tls *tls;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int read_token(const char *from, struct pki_token *token, struct diag *diag)
{
	bool is_stdin = strcmp(from, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(from, "re");
	char line[PKI_TOKEN_TEXT_SIZE + 2] = "";
	int rc;

	if (!f)
		return diag_set(diag, "cannot read %s: %s", from, strerror(errno));
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (!is_stdin)
		fclose(f);
	line[strcspn(line, " \t\r\n")] = '\0';
	rc = line[0] ? pki_token_parse(line, token, diag)
		     : diag_set(diag, "there is no token in it");
	pki_wipe(line, sizeof(line));
	return rc < 0 ? diag_prepend(diag, "%s", is_stdin ? "standard input" : from) : 0;
}

/* ---- talking ---- */

static int wait_io(const struct enrolment *e, bool write, struct diag *diag)
{
	struct pollfd p = { .fd = e->fd, .events = write ? POLLOUT : POLLIN };
	int64_t left = e->deadline_ms - now_ms();
	int rc;

	do {
		rc = left <= 0 ? 0 : poll(&p, 1, (int)left);
	} while (rc < 0 && errno == EINTR);
	return rc > 0 ? 0 : diag_set(diag, "no answer within %d s", TIMEOUT_MS / 1000);
}

static int connect_one(struct enrolment *e, const struct addrinfo *to, struct diag *diag)
{
	socklen_t len = sizeof(int);
	int error = 0;

	e->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (e->fd < 0)
		return diag_set(diag, "%s", strerror(errno));
	if (connect(e->fd, to->ai_addr, to->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			error = errno;
		else if (wait_io(e, true, diag) < 0)
			error = ETIMEDOUT;
		else
			getsockopt(e->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error == 0)
		return 0;
	close(e->fd);
	e->fd = -1;
	return diag_set(diag, "%s", strerror(error));
}

static int connect_any(struct enrolment *e, const char *host, unsigned int port,
		       struct diag *diag)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char service[16];
	int rc;

	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &found);
	if (rc != 0)
		return diag_set(diag, "%s", gai_strerror(rc));
	rc = -1;
	for (const struct addrinfo *a = found; a && rc < 0; a = a->ai_next)
		rc = connect_one(e, a, diag);
	freeaddrinfo(found);
	return rc;
}

static int shake_hands(struct enrolment *e, const char *host, struct diag *diag)
{
	struct tls_config *config = tls_config_pinned(e->token.ca, diag);
	int rc;

	if (!config)
		return -1;
	e->tls = tls_new(config, e->fd, host);
	tls_config_free(config);
	while ((rc = tls_handshake(e->tls, diag)) == 0) {
		if (wait_io(e, tls_wants_write(e->tls), diag) < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

static int send_request(struct enrolment *e, struct diag *diag)
{
	struct agent_msg msg = { .type = AGENT_MSG_ENROLL };
	struct wr csr = { 0 }, out = { 0 };
	int rc = pki_csr_make(e->key, e->token.name, &csr, diag);

	if (rc < 0)
		return rc;
	snprintf(msg.u.enroll.name, sizeof(msg.u.enroll.name), "%s", e->token.name);
	memcpy(msg.u.enroll.secret, e->token.secret, sizeof(msg.u.enroll.secret));
	msg.u.enroll.csr = (struct agent_blob){ csr.data, csr.len };
	agent_msg_pack(&msg, &out);
	pki_wipe(&msg, sizeof(msg));
	while (rc == 0 && out.len != 0) {
		int put = tls_write(e->tls, out.data, out.len, diag);

		if (put == TLS_AGAIN)
			rc = wait_io(e, tls_wants_write(e->tls), diag);
		else if (put <= 0)
			rc = put == TLS_CLOSED ? diag_set(diag, "closed the session")
					       : -1;
		else
			wr_consume(&out, (size_t)put);
	}
	wr_fini(&out);
	wr_fini(&csr);
	return rc;
}

static int take_answer(struct enrolment *e, const uint8_t *body, size_t len,
		       struct diag *diag)
{
	struct agent_msg msg = { .type = AGENT_MSG_UNKNOWN };
	int rc = agent_msg_unpack(body, len, &msg, diag);

	if (rc < 0)
		return rc;
	if (msg.type == AGENT_MSG_ENROLLED) {
		wr_bytes(&e->cert, msg.u.enrolled.certificate.data,
			 msg.u.enrolled.certificate.len);
		wr_bytes(&e->ca, msg.u.enrolled.ca.data, msg.u.enrolled.ca.len);
	} else if (msg.type == AGENT_MSG_FAILURE) {
		rc = diag_set(diag, "%s", msg.u.failure.text);
	} else {
		rc = diag_set(diag, "an answer of the wrong kind");
	}
	agent_msg_fini(&msg);
	return rc;
}

static int read_answer(struct enrolment *e, struct diag *diag)
{
	struct frame_in *in = frame_in_new(AGENT_FRAME_MAX_BYTES);
	const uint8_t *body;
	size_t len;
	uint8_t buf[4096];
	int rc = 0;

	while (rc == 0 && !frame_in_next(in, &body, &len)) {
		int got = tls_read(e->tls, buf, sizeof(buf), diag);

		if (got == TLS_AGAIN)
			rc = wait_io(e, tls_wants_write(e->tls), diag);
		else if (got > 0)
			rc = frame_in_bytes(in, buf, (size_t)got, diag);
		else
			rc = got == TLS_CLOSED ? diag_set(diag, "closed the session")
					       : -1;
	}
	if (rc == 0)
		rc = take_answer(e, body, len, diag);
	frame_in_free(in);
	return rc;
}

/* The answer must be a certificate for our key by the CA of the token. */
static int check_answer(const struct enrolment *e, struct diag *diag)
{
	uint8_t fingerprint[DIGEST_SIZE];

	digest_sha256(e->ca.data, e->ca.len, fingerprint);
	if (memcmp(fingerprint, e->token.ca, sizeof(fingerprint)) != 0)
		return diag_set(diag, "sent a CA that is not the token's");
	return pki_cert_check(e->cert.data, e->cert.len, e->key, e->ca.data, e->ca.len,
			      diag);
}

static int talk(struct enrolment *e, const char *host, unsigned int port,
		struct diag *diag)
{
	if (connect_any(e, host, port, diag) < 0 || shake_hands(e, host, diag) < 0 ||
	    send_request(e, diag) < 0 || read_answer(e, diag) < 0 ||
	    check_answer(e, diag) < 0)
		return diag_prepend(diag, "controller %s port %u", host, port);
	return 0;
}

/* ---- storing ---- */

/* Run by root for a daemon that is not: the directory's owner is to read it. */
static int give_to_owner(const struct agent_files *files, const char *path,
			 struct diag *diag)
{
	struct stat st;

	if (geteuid() != 0 || stat(files->dir, &st) < 0)
		return 0;
	if (chown(path, st.st_uid, st.st_gid) < 0)
		return diag_set(diag, "cannot give %s to the owner of %s: %s", path,
				files->dir, strerror(errno));
	return 0;
}

/* The certificate is last: an agent that starts in between sees an old one
 * that does not fit the key, and says so. */
static int store(const struct enrolment *e, const struct agent_files *files,
		 struct diag *diag)
{
	/* It was given for the old certificate, and may be revoked with that. */
	if (unlink(files->relay_cert) < 0 && errno != ENOENT)
		return diag_set(diag, "cannot delete %s: %s", files->relay_cert,
				strerror(errno));
	if (pki_key_save(e->key, files->key, diag) < 0 ||
	    pki_cert_save(&e->ca, 1, files->ca, diag) < 0 ||
	    pki_cert_save(&e->cert, 1, files->cert, diag) < 0)
		return -1;
	if (give_to_owner(files, files->key, diag) < 0 ||
	    give_to_owner(files, files->ca, diag) < 0)
		return -1;
	return give_to_owner(files, files->cert, diag);
}

int enroll(const char *from, const char *host, unsigned int port,
	   const struct agent_files *files, struct diag *diag)
{
	struct enrolment e = { .fd = -1, .deadline_ms = now_ms() + TIMEOUT_MS };
	int rc = read_token(from, &e.token, diag);

	if (rc == 0)
		rc = agent_files_make_dir(files, diag);
	if (rc == 0) {
		e.key = pki_key_new();
		rc = talk(&e, host, port, diag);
	}
	if (rc == 0)
		rc = store(&e, files, diag);
	if (e.tls)
		tls_free(e.tls);
	if (e.fd >= 0)
		close(e.fd);
	if (e.key)
		pki_key_free(e.key);
	wr_fini(&e.cert);
	wr_fini(&e.ca);
	pki_wipe(&e.token, sizeof(e.token));
	return rc;
}
