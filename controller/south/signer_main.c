/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd-signer - holds the CA key and makes certificates for savd.
 *
 * Started by savd with a socket as descriptor 3; ends when that closes. It has
 * no configuration, listens to nobody else and, once it serves, can open
 * neither files nor sockets.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "controller/south/signer_ca.h"
#include "lib/sandbox.h"

struct options {
	const char *state;
	const char *user;
};

static void reply_send(const struct signer_reply *reply)
{
	struct wr out = { 0 };

	signer_reply_encode(reply, &out);
	(void)send(SIGNER_FD, out.data, out.len, MSG_NOSIGNAL);
	wr_fini(&out);
}

/* savd is told, because a daemon's standard error goes nowhere. */
static int give_up(const struct diag *diag)
{
	struct signer_reply reply = { .data = (const uint8_t *)diag->text,
				      .len = strlen(diag->text) };

	fprintf(stderr, "savd-signer: %s\n", diag->text);
	reply_send(&reply);
	return 1;
}

static bool options_parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "state", required_argument, NULL, 's' },
		{ "user", required_argument, NULL, 'u' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 's')
			options->state = optarg;
		else if (c == 'u')
			options->user = optarg;
		else
			return false;
	}
	return options->state && optind == argc;
}

static bool has_socket(void)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(SIGNER_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_SEQPACKET;
}

/* The named user; without a name, whoever owns the directory. */
static int owner_find(const struct options *options, const char *dir, uid_t *uid,
		      gid_t *gid, struct diag *diag)
{
	struct passwd *pw;
	struct stat st;

	if (!options->user) {
		if (stat(dir, &st) < 0)
			return diag_set(diag, "%s: %s", dir, strerror(errno));
		*uid = st.st_uid;
		*gid = st.st_gid;
		return 0;
	}
	pw = getpwnam(options->user);
	if (!pw)
		return diag_set(diag, "there is no user %s", options->user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

/* Makes the directory, gives it to its owner, steps into it and becomes that
 * owner, who need not be able to reach it by its path. */
static int directory_enter(const struct options *options, const char *dir,
			   struct diag *diag)
{
	/* Others may pass: savd reads the CA's certificate, mode 0644. */
	bool made = mkdir(dir, 0711) == 0;
	uid_t uid = 0;
	gid_t gid = 0;

	if (!made && errno != EEXIST)
		return diag_set(diag, "cannot make %s: %s", dir, strerror(errno));
	if (owner_find(options, dir, &uid, &gid, diag) < 0)
		return -1;
	if (made && geteuid() == 0 && chown(dir, uid, gid) < 0)
		return diag_set(diag, "cannot give %s to its owner: %s", dir,
				strerror(errno));
	if (chdir(dir) < 0)
		return diag_set(diag, "cannot enter %s: %s", dir, strerror(errno));
	return sandbox_become(uid, gid, diag);
}

/* Two signers at first start must not make two CAs. */
static int ca_open_locked(struct signer_ca *ca, const char *dir, struct diag *diag)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		ret = diag_set(diag, "cannot lock %s: %s", dir, strerror(errno));
	} else {
		ret = signer_ca_open(ca, ".", time(NULL), diag);
		if (ret < 0)
			diag_prepend(diag, "CA in %s", dir);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/* A certificate for nobody: what the libraries load at first use (algorithms,
 * time zone) is loaded while files can still be opened. */
static int rehearse(const struct signer_ca *ca, struct diag *diag)
{
	struct pki_request request = { .id = { PKI_ROUTER, "rehearsal" },
				       .not_before = 0,
				       .not_after = 1 };
	struct wr csr = { 0 }, spki = { 0 }, cert = { 0 };
	int ret = -1;

	tzset();
	if (pki_csr_make(ca->key, "rehearsal", &csr, diag) == 0 &&
	    pki_csr_spki(csr.data, csr.len, &spki, diag) == 0) {
		request.spki = spki.data;
		request.spki_len = spki.len;
		ret = pki_issue(ca->key, ca->cert.data, ca->cert.len, &request, &cert,
				diag);
	}
	wr_fini(&csr);
	wr_fini(&spki);
	wr_fini(&cert);
	return ret;
}

/* Returns when savd has closed its end. */
static void serve(const struct signer_ca *ca)
{
	static uint8_t packet[SIGNER_PACKET_BYTES];

	for (;;) {
		struct iovec iov = { packet, sizeof(packet) };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n = recvmsg(SIGNER_FD, &msg, 0);
		struct wr out = { 0 };

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		if (msg.msg_flags & MSG_TRUNC)
			n = 0; /* answered as malformed */
		signer_ca_handle(ca, packet, (size_t)n, time(NULL), &out);
		(void)send(SIGNER_FD, out.data, out.len, MSG_NOSIGNAL);
		wr_fini(&out);
	}
}

/* Signals meant for savd's group: the socket says when to end. */
static void ignore_signals(void)
{
	static const int list[] = { SIGINT, SIGHUP, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2 };

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		signal(list[i], SIG_IGN);
}

static int start(const struct options *options, struct signer_ca *ca, struct diag *diag)
{
	char dir[PATH_MAX];

	umask(066);
	if ((size_t)snprintf(dir, sizeof(dir), "%s/ca", options->state) >= sizeof(dir))
		return diag_set(diag, "%s: path too long", options->state);
	if (directory_enter(options, dir, diag) < 0 ||
	    ca_open_locked(ca, dir, diag) < 0 || rehearse(ca, diag) < 0)
		return -1;
	return sandbox_enter(diag);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct signer_ca ca = { 0 };
	struct diag diag;

	if (!options_parse(argc, argv, &options) || !has_socket()) {
		fprintf(stderr, "savd-signer is started by savd: "
				"savd-signer --state DIR [--user NAME], with a socket "
				"as descriptor 3\n");
		return 2;
	}
	ignore_signals();
	if (start(&options, &ca, &diag) < 0)
		return give_up(&diag);
	reply_send(&(struct signer_reply){
		.ok = true, .data = ca.cert.data, .len = ca.cert.len });
	serve(&ca);
	signer_ca_fini(&ca);
	_exit(0); /* exit handlers would want system calls that are gone */
}
