/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "controller/south/signer.h"
#include "controller/south/signer_ca.h"

static char state[64];
static char program[4096];

static const char *in_state(const char *file)
{
	static char paths[4][256];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", state, file);
	return path;
}

static int fresh_state(void **st)
{
	snprintf(state, sizeof(state), "/tmp/opensav-signer.XXXXXX");
	return mkdtemp(state) ? 0 : -1;
}

static int drop_state(void **st)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", state);
	return system(command);
}

static void spki_make(struct wr *spki)
{
	struct pki_key *key = pki_key_new();
	struct wr csr = { 0 };
	struct diag diag;

	assert_int_equal(pki_csr_make(key, "x", &csr, &diag), 0);
	assert_int_equal(pki_csr_spki(csr.data, csr.len, spki, &diag), 0);
	wr_fini(&csr);
	pki_key_free(key);
}

/* ---- wire ---- */

static void request_round_trip(void **st)
{
	struct signer_request in = { .id = 7,
				     .identity = { PKI_EDGE, "edge-1" },
				     .validity_s = 3600,
				     .spki = (const uint8_t *)"key",
				     .spki_len = 3 };
	struct signer_request out;
	struct wr wr = { 0 };

	signer_request_encode(&in, &wr);
	assert_true(signer_request_decode(wr.data, wr.len, &out));
	assert_int_equal(out.id, 7);
	assert_int_equal(out.identity.kind, PKI_EDGE);
	assert_string_equal(out.identity.name, "edge-1");
	assert_int_equal(out.validity_s, 3600);
	assert_int_equal(out.spki_len, 3);
	assert_memory_equal(out.spki, "key", 3);
	for (size_t len = 0; len < wr.len; len++)
		assert_false(signer_request_decode(wr.data, len, &out));
	wr_u8(&wr, 0);
	assert_false(signer_request_decode(wr.data, wr.len, &out));
	wr_fini(&wr);
}

static void bad_requests(void **st)
{
	struct signer_request in = { .id = 7,
				     .identity = { PKI_EDGE, "edge-1" },
				     .validity_s = 3600,
				     .spki = (const uint8_t *)"key",
				     .spki_len = 3 };
	struct signer_request out;
	struct wr wr = { 0 };

	signer_request_encode(&in, &wr);
	/* version, id, kind, first character and a NUL in the name */
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = { { 0, 2 },	 { 4, 0 },  { 5, 4 },	{ 5, 255 },
		    { 11, '-' }, { 13, 0 }, { 13, ',' } };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t old = wr.data[bad[i].at];

		wr.data[bad[i].at] = bad[i].value;
		assert_false(signer_request_decode(wr.data, wr.len, &out));
		wr.data[bad[i].at] = old;
	}
	assert_true(signer_request_decode(wr.data, wr.len, &out));
	wr_fini(&wr);
}

/* ---- the CA ---- */

static void ca_is_made_once(void **st)
{
	struct signer_ca one, two;
	struct stat info;
	struct diag diag;

	assert_int_equal(signer_ca_open(&one, state, time(NULL), &diag), 0);
	assert_int_equal(stat(in_state("ca.key"), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(signer_ca_open(&two, state, time(NULL), &diag), 0);
	assert_int_equal(one.cert.len, two.cert.len);
	assert_memory_equal(one.cert.data, two.cert.data, one.cert.len);
	signer_ca_fini(&one);
	signer_ca_fini(&two);
}

/* A new CA in place of a lost key would lock every agent out for good. */
static void lost_key_is_no_new_ca(void **st)
{
	struct signer_ca ca;
	struct diag diag;

	assert_int_equal(signer_ca_open(&ca, state, time(NULL), &diag), 0);
	signer_ca_fini(&ca);
	unlink(in_state("ca.key"));
	assert_int_equal(signer_ca_open(&ca, state, time(NULL), &diag), -1);
	assert_non_null(strstr(diag.text, "backup"));
	assert_int_equal(access(in_state("ca.key"), F_OK), -1);
}

static void key_of_another_ca(void **st)
{
	struct pki_key *key = pki_key_new();
	struct signer_ca ca;
	struct diag diag;

	assert_int_equal(signer_ca_open(&ca, state, time(NULL), &diag), 0);
	signer_ca_fini(&ca);
	assert_int_equal(pki_key_save(key, in_state("ca.key"), &diag), 0);
	pki_key_free(key);
	assert_int_equal(signer_ca_open(&ca, state, time(NULL), &diag), -1);
}

static void handle(const struct signer_ca *ca, struct signer_request *request,
		   int64_t now, struct signer_reply *reply, struct wr *out)
{
	struct wr packet = { 0 };

	signer_request_encode(request, &packet);
	signer_ca_handle(ca, packet.data, packet.len, now, out);
	assert_true(signer_reply_decode(out->data, out->len, reply));
	wr_fini(&packet);
}

static void requests_answered(void **st)
{
	struct signer_request request = { .id = 9, .identity = { PKI_ROUTER, "r1" } };
	int64_t now = time(NULL);
	struct wr spki = { 0 }, out = { 0 };
	struct signer_reply reply;
	struct pki_cert cert;
	struct signer_ca ca;
	struct diag diag;

	assert_int_equal(signer_ca_open(&ca, state, now, &diag), 0);
	spki_make(&spki);
	request.spki = spki.data;
	request.spki_len = spki.len;
	request.validity_s = 1000;
	handle(&ca, &request, now, &reply, &out);
	assert_true(reply.ok);
	assert_int_equal(reply.id, 9);
	assert_int_equal(pki_cert_read(reply.data, reply.len, &cert, &diag), 0);
	assert_string_equal(cert.id.name, "r1");
	assert_int_equal(cert.not_after, now + 1000);
	wr_fini(&out);

	request.validity_s = (uint32_t)SIGNER_VALIDITY_MAX_S + 1;
	handle(&ca, &request, now, &reply, &out);
	assert_false(reply.ok);
	wr_fini(&out);

	/* Never longer than the CA itself, never after its end. */
	request.validity_s = 1000;
	handle(&ca, &request, ca.not_after - 10, &reply, &out);
	assert_true(reply.ok);
	assert_int_equal(pki_cert_read(reply.data, reply.len, &cert, &diag), 0);
	assert_int_equal(cert.not_after, ca.not_after);
	wr_fini(&out);
	handle(&ca, &request, ca.not_after, &reply, &out);
	assert_false(reply.ok);
	wr_fini(&out);

	request.spki = (const uint8_t *)"not a key";
	request.spki_len = 9;
	handle(&ca, &request, now, &reply, &out);
	assert_false(reply.ok);
	wr_fini(&out);
	signer_ca_handle(&ca, "x", 1, now, &out);
	assert_true(signer_reply_decode(out.data, out.len, &reply));
	assert_false(reply.ok);
	wr_fini(&out);
	wr_fini(&spki);
	signer_ca_fini(&ca);
}

/* ---- the process ---- */

static pid_t child_of(pid_t parent)
{
	char path[64];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent,
		 (int)parent);
	file = fopen(path, "r");
	if (file) {
		if (fscanf(file, "%d", &pid) != 1)
			pid = 0;
		fclose(file);
	}
	return pid;
}

static struct signer *start(void)
{
	struct signer *signer;
	struct diag diag = { "" };

	signer = signer_start(program, state, NULL, &diag);
	if (!signer)
		fail_msg("%s", diag.text);
	return signer;
}

static void issue_one(struct signer *signer)
{
	struct pki_identity id = { PKI_ROUTER, "r1" };
	struct wr spki = { 0 }, cert = { 0 };
	struct pki_cert read;
	struct diag diag = { "" };

	spki_make(&spki);
	if (signer_issue(signer, &id, spki.data, spki.len, &cert, &diag) != 0)
		fail_msg("%s", diag.text);
	assert_int_equal(pki_cert_read(cert.data, cert.len, &read, &diag), 0);
	assert_string_equal(read.id.name, "r1");
	assert_true(read.not_after > time(NULL) + 300 * PKI_DAY_S);
	wr_fini(&spki);
	wr_fini(&cert);
}

static void process_issues(void **st)
{
	struct signer *signer = start();

	issue_one(signer);
	issue_one(signer);
	signer_stop(signer);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
	assert_int_equal(access(in_state("ca/ca.key"), F_OK), 0);
}

static void process_says_no(void **st)
{
	struct signer *signer = start();
	struct pki_identity id = { PKI_ROUTER, "r1" };
	struct wr cert = { 0 };
	struct diag diag;
	pid_t pid = child_of(getpid());

	assert_int_equal(
		signer_issue(signer, &id, (const uint8_t *)"junk", 4, &cert, &diag), -1);
	assert_non_null(strstr(diag.text, "not a public key"));
	assert_int_equal(cert.len, 0);
	assert_int_equal(child_of(getpid()), pid); /* a no is no reason to restart */
	signer_stop(signer);
}

static void killed_signer_is_started_again(void **st)
{
	struct signer *signer = start();
	struct wr ca = { 0 };
	pid_t pid = child_of(getpid());

	wr_bytes(&ca, signer_ca(signer)->data, signer_ca(signer)->len);
	assert_true(pid > 0);
	kill(pid, SIGKILL);
	issue_one(signer);
	assert_true(child_of(getpid()) != pid);
	assert_int_equal(ca.len, signer_ca(signer)->len);
	assert_memory_equal(ca.data, signer_ca(signer)->data, ca.len);
	wr_fini(&ca);
	signer_stop(signer);
}

static void stuck_signer_is_replaced(void **st)
{
	struct signer *signer = start();
	pid_t pid = child_of(getpid());

	kill(pid, SIGSTOP);
	issue_one(signer);
	assert_true(child_of(getpid()) != pid);
	signer_stop(signer);
}

static void replaced_ca_is_refused(void **st)
{
	struct pki_identity id = { PKI_ROUTER, "r1" };
	struct signer *signer = start();
	struct wr spki = { 0 }, cert = { 0 };
	struct diag diag;

	spki_make(&spki);
	kill(child_of(getpid()), SIGKILL);
	unlink(in_state("ca/ca.key"));
	unlink(in_state("ca/ca.crt"));
	assert_int_equal(signer_issue(signer, &id, spki.data, spki.len, &cert, &diag),
			 -1);
	assert_non_null(strstr(diag.text, "replaced"));
	wr_fini(&spki);
	signer_stop(signer);
}

static void start_reports_why_not(void **st)
{
	struct diag diag;

	assert_null(signer_start("/nonexistent/savd-signer", state, NULL, &diag));
	assert_non_null(strstr(diag.text, "/nonexistent/savd-signer"));
	assert_null(signer_start(program, "/nonexistent", NULL, &diag));
	assert_non_null(strstr(diag.text, "/nonexistent/ca"));
	assert_null(signer_start(program, state, "no-such-user", &diag));
	assert_non_null(strstr(diag.text, "no-such-user"));
	assert_null(signer_start("/bin/true", state, NULL, &diag));
	assert_non_null(strstr(diag.text, "ended"));
}

static void ends_with_savd(void **st)
{
	int pipe_fd[2], status;
	pid_t parent, grandchild = 0;

	assert_int_equal(pipe(pipe_fd), 0);
	parent = fork();
	if (parent == 0) {
		struct diag diag;
		struct signer *signer = signer_start(program, state, NULL, &diag);
		pid_t pid = signer ? child_of(getpid()) : 0;

		if (write(pipe_fd[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		_exit(0); /* without signer_stop(), as in a crash */
	}
	assert_int_equal(read(pipe_fd[0], &grandchild, sizeof(grandchild)),
			 sizeof(grandchild));
	waitpid(parent, &status, 0);
	assert_true(grandchild > 0);
	for (int i = 0; i < 6000 && kill(grandchild, 0) == 0; i++) {
		/* Where nobody reaps orphans it stays as a zombie. */
		char path[64], line[256] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)grandchild);
		file = fopen(path, "r");
		if (file) {
			if (fgets(line, sizeof(line), file) && strstr(line, ") Z "))
				i = 6000;
			fclose(file);
		}
		if (i == 5999)
			fail_msg("the signer outlives savd");
		usleep(10000);
	}
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void status_of(pid_t pid, const char *field, char *value, size_t size)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	value[0] = '\0';
	while (fgets(line, sizeof(line), file)) {
		size_t len = strlen(field);

		if (strncmp(line, field, len) == 0 && line[len] == ':')
			snprintf(value, size, "%.*s", (int)strcspn(line + len + 2, "\n"),
				 line + len + 2);
	}
	fclose(file);
}

static void has_given_up_privileges(void **st)
{
	struct signer *signer = start();
	char value[128];

	status_of(child_of(getpid()), "NoNewPrivs", value, sizeof(value));
	assert_string_equal(value, "1");
	status_of(child_of(getpid()), "Seccomp", value, sizeof(value));
	assert_string_equal(value, "2");
	signer_stop(signer);
}

static void root_becomes_the_user(void **st)
{
	struct signer *signer;
	struct stat info;
	char value[128];
	struct diag diag;

	if (geteuid() != 0)
		skip();
	/* Others may not even reach the directory by its path. */
	assert_int_equal(chmod(state, 0700), 0);
	signer = signer_start(program, state, "nobody", &diag);
	if (!signer)
		fail_msg("%s", diag.text);
	status_of(child_of(getpid()), "Uid", value, sizeof(value));
	assert_null(strstr(value, "\t0"));
	status_of(child_of(getpid()), "CapPrm", value, sizeof(value));
	assert_string_equal(value, "0000000000000000");
	assert_int_equal(stat(in_state("ca/ca.key"), &info), 0);
	assert_int_not_equal(info.st_uid, 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(stat(in_state("ca/ca.crt"), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0644);
	issue_one(signer);
	signer_stop(signer);
	signer = start(); /* the owner of the directory now says who */
	status_of(child_of(getpid()), "Uid", value, sizeof(value));
	assert_null(strstr(value, "\t0"));
	signer_stop(signer);
}

static void controller_files(void **st)
{
	struct signer *signer = start();
	const char *cert = in_state("savd.crt"), *key = in_state("savd.key");
	struct wr der = { 0 };
	struct pki_cert read;
	struct stat info;
	struct diag diag;
	bool renewed;

	assert_int_equal(
		signer_controller_files(signer, "main", cert, key, &renewed, &diag), 0);
	assert_true(renewed);
	assert_int_equal(stat(key, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(pki_cert_load(cert, &der, &diag), 0);
	assert_int_equal(pki_cert_read(der.data, der.len, &read, &diag), 0);
	assert_int_equal(read.id.kind, PKI_CONTROLLER);
	wr_fini(&der);
	assert_int_equal(
		signer_controller_files(signer, "main", cert, key, &renewed, &diag), 0);
	assert_false(renewed);
	assert_int_equal(
		signer_controller_files(signer, "other", cert, key, &renewed, &diag), 0);
	assert_true(renewed);
	unlink(key);
	assert_int_equal(
		signer_controller_files(signer, "other", cert, key, &renewed, &diag), 0);
	assert_true(renewed);
	assert_int_equal(
		signer_controller_files(signer, "a b", cert, key, &renewed, &diag), -1);
	signer_stop(signer);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, fresh_state, drop_state)

int main(void)
{
	const char *build = getenv("OPENSAV_BUILD");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_round_trip),
		cmocka_unit_test(bad_requests),
		CASE(ca_is_made_once),
		CASE(lost_key_is_no_new_ca),
		CASE(key_of_another_ca),
		CASE(requests_answered),
		CASE(process_issues),
		CASE(process_says_no),
		CASE(killed_signer_is_started_again),
		CASE(stuck_signer_is_replaced),
		CASE(replaced_ca_is_refused),
		CASE(start_reports_why_not),
		CASE(ends_with_savd),
		CASE(has_given_up_privileges),
		CASE(root_becomes_the_user),
		CASE(controller_files),
	};

	snprintf(program, sizeof(program), "%s/savd-signer", build ? build : ".");
	return cmocka_run_group_tests_name("signer", tests, NULL, NULL);
}
