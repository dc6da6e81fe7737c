/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/south/signer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "controller/south/signer_wire.h"
#include "lib/mem.h"
#include "lib/name.h"

#define START_TIMEOUT_MS 10000
#define RENEW_S		 (30LL * PKI_DAY_S)

struct signer {
	char *program, *state_dir, *user;
	pid_t pid; /* 0: none */
	int fd;
	uint32_t last_id;
	struct wr ca;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the child ---- */

/* Only calls that are safe between fork and exec. */
static void child_exec(struct signer *signer, int fd)
{
	char state[] = "--state", user[] = "--user";
	char *argv[] = { signer->program,   state,
			 signer->state_dir, signer->user ? user : NULL,
			 signer->user,	    NULL };
	sigset_t none;

	setsid(); /* the terminal's signals are not for it */
	if (fd == SIGNER_FD ? dup2(dup(fd), SIGNER_FD) < 0 : dup2(fd, SIGNER_FD) < 0)
		_exit(126);
	syscall(SYS_close_range, SIGNER_FD + 1, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(signer->program, argv);
	_exit(127);
}

/* Ends the child, if it has not ended by itself, and leaves no zombie. */
static int child_end(struct signer *signer)
{
	int status = 0;

	if (signer->fd >= 0)
		close(signer->fd);
	signer->fd = -1;
	if (signer->pid > 0) {
		kill(signer->pid, SIGKILL);
		while (waitpid(signer->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	signer->pid = 0;
	return status;
}

/* ---- packets ---- */

/* One packet into buf: its length, or -1 with diag. */
static ssize_t packet_wait(struct signer *signer, uint8_t *buf, size_t size,
			   int64_t until_ms, struct diag *diag)
{
	for (;;) {
		int64_t left = until_ms - now_ms();
		struct pollfd pfd = { signer->fd, POLLIN, 0 };
		int n = left <= 0 ? 0 : poll(&pfd, 1, (int)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return diag_set(diag, "no answer from savd-signer in time");
		break;
	}
	return recv(signer->fd, buf, size, MSG_DONTWAIT);
}

static int reply_wait(struct signer *signer, uint32_t id, int timeout_ms, struct wr *out,
		      struct diag *diag)
{
	uint8_t *buf = mem_alloc(SIGNER_PACKET_BYTES);
	struct signer_reply reply;
	ssize_t n;
	int ret = -1;

	diag_set(diag, "savd-signer has ended");
	n = packet_wait(signer, buf, SIGNER_PACKET_BYTES, now_ms() + timeout_ms, diag);
	if (n > 0 && (!signer_reply_decode(buf, (size_t)n, &reply) || reply.id != id)) {
		diag_set(diag, "savd-signer gave an answer that makes no sense");
	} else if (n > 0 && !reply.ok) {
		diag_set(diag, "savd-signer: %.*s", (int)reply.len,
			 (const char *)reply.data);
		ret = 1; /* it lives and says no */
	} else if (n > 0) {
		wr_bytes(out, reply.data, reply.len);
		ret = 0;
	}
	free(buf);
	return ret;
}

/* ---- life ---- */

static int take_ca(struct signer *signer, struct wr *ca, struct diag *diag)
{
	/* A restarted signer must be the same CA, or agents and controller would
	 * no longer know each other. */
	if (signer->ca.len != 0 && (signer->ca.len != ca->len ||
				    memcmp(signer->ca.data, ca->data, ca->len) != 0))
		return diag_set(diag, "the CA on disk was replaced; restart savd");
	wr_fini(&signer->ca);
	signer->ca = *ca;
	*ca = (struct wr){ 0 };
	return 0;
}

static int child_start(struct signer *signer, struct diag *diag)
{
	struct wr ca = { 0 };
	int fd[2], ret;
	pid_t pid;

	if (access(signer->program, X_OK) < 0)
		return diag_set(diag, "cannot run %s: %s", signer->program,
				strerror(errno));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return diag_set(diag, "no socket for savd-signer: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		child_exec(signer, fd[1]);
	close(fd[1]);
	signer->fd = fd[0];
	signer->pid = pid > 0 ? pid : 0;
	if (pid < 0)
		ret = diag_set(diag, "cannot start savd-signer: %s", strerror(errno));
	else
		ret = reply_wait(signer, 0, START_TIMEOUT_MS, &ca, diag);
	if (ret == 0)
		ret = take_ca(signer, &ca, diag);
	if (ret != 0)
		child_end(signer);
	wr_fini(&ca);
	return ret == 0 ? 0 : -1;
}

struct signer *signer_start(const char *program, const char *state_dir, const char *user,
			    struct diag *diag)
{
	struct signer *signer = mem_alloc(sizeof(*signer));

	signer->program = mem_strdup(program);
	signer->state_dir = mem_strdup(state_dir);
	signer->user = user ? mem_strdup(user) : NULL;
	signer->fd = -1;
	if (child_start(signer, diag) < 0) {
		signer_stop(signer);
		return NULL;
	}
	return signer;
}

void signer_stop(struct signer *signer)
{
	if (!signer)
		return;
	child_end(signer);
	free(signer->program);
	free(signer->state_dir);
	free(signer->user);
	wr_fini(&signer->ca);
	free(signer);
}

const struct wr *signer_ca(const struct signer *signer)
{
	return &signer->ca;
}

/* ---- requests ---- */

/* 0, 1: refused, -1: the signer is of no more use. */
static int ask(struct signer *signer, const struct wr *packet, uint32_t id,
	       struct wr *cert, struct diag *diag)
{
	if (signer->fd < 0)
		return diag_set(diag, "savd-signer has ended");
	if (send(signer->fd, packet->data, packet->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return diag_set(diag, "savd-signer: %s", strerror(errno));
	return reply_wait(signer, id, SIGNER_TIMEOUT_MS, cert, diag);
}

int signer_issue(struct signer *signer, const struct pki_identity *id,
		 const uint8_t *spki, size_t spki_len, struct wr *cert, struct diag *diag)
{
	struct signer_request request = { .identity = *id,
					  .validity_s = (uint32_t)PKI_AGENT_S,
					  .spki = spki,
					  .spki_len = spki_len };
	struct wr packet = { 0 };
	int ret;

	if (spki_len > PKI_DER_MAX_BYTES)
		return diag_set(diag, "public key of %zu bytes", spki_len);
	request.id = ++signer->last_id ? signer->last_id : ++signer->last_id;
	signer_request_encode(&request, &packet);
	ret = ask(signer, &packet, request.id, cert, diag);
	if (ret < 0) {
		/* Dead, or stuck and then killed: one more try with a new one. */
		child_end(signer);
		if (child_start(signer, diag) == 0)
			ret = ask(signer, &packet, request.id, cert, diag);
	}
	wr_fini(&packet);
	return ret == 0 ? 0 : -1;
}

/* ---- the controller's own files ---- */

static bool files_are_good(struct signer *signer, const char *name, const char *cert_path,
			   const char *key_path)
{
	struct pki_key *key = NULL;
	struct pki_cert cert;
	struct wr der = { 0 };
	struct diag diag;
	bool good;

	good = pki_cert_load(cert_path, &der, &diag) == 0 &&
	       pki_cert_read(der.data, der.len, &cert, &diag) == 0 && cert.has_id &&
	       cert.id.kind == PKI_CONTROLLER && strcmp(cert.id.name, name) == 0 &&
	       cert.not_after >= time(NULL) + RENEW_S &&
	       (key = pki_key_load(key_path, &diag)) != NULL &&
	       pki_cert_check(der.data, der.len, key, signer->ca.data, signer->ca.len,
			      &diag) == 0;
	pki_key_free(key);
	wr_fini(&der);
	return good;
}

static int own_certificate(struct signer *signer, const char *name,
			   const struct pki_key *key, struct wr *cert, struct diag *diag)
{
	struct pki_identity id = { .kind = PKI_CONTROLLER };
	struct wr csr = { 0 }, spki = { 0 };
	int ret = -1;

	if (!name_is_valid(name))
		return diag_set(diag, "\"%s\" is not a valid name", name);
	memcpy(id.name, name, strlen(name) + 1);
	if (pki_csr_make(key, name, &csr, diag) == 0 &&
	    pki_csr_spki(csr.data, csr.len, &spki, diag) == 0)
		ret = signer_issue(signer, &id, spki.data, spki.len, cert, diag);
	wr_fini(&csr);
	wr_fini(&spki);
	return ret;
}

int signer_controller_files(struct signer *signer, const char *name,
			    const char *cert_path, const char *key_path, bool *renewed,
			    struct diag *diag)
{
	struct wr chain[2] = { { 0 }, signer->ca };
	struct pki_key *key;
	int ret = -1;

	*renewed = false;
	if (files_are_good(signer, name, cert_path, key_path))
		return 0;
	key = pki_key_new();
	if (own_certificate(signer, name, key, &chain[0], diag) == 0 &&
	    pki_key_save(key, key_path, diag) == 0 &&
	    pki_cert_save(chain, 2, cert_path, diag) == 0) {
		*renewed = true;
		ret = 0;
	}
	wr_fini(&chain[0]);
	pki_key_free(key);
	return ret;
}
