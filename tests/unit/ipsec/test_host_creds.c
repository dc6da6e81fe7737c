/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates that come anew while tunnels are up, and those that end soon.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/ipsec/cert_fixture.h"
#include "tests/unit/ipsec/host_fixture.h"

#define DAY (24 * 3600)

static struct host *host;
static struct proc_chan *main_chan;
static char told[4096]; /* what main heard, a line each */

static int setup(void **state)
{
	host = fixture_host(&main_chan);
	return 0;
}

static int teardown(void **state)
{
	fixture_host_free(host, main_chan);
	return 0;
}

static void hear(void)
{
	struct proc_header header;
	struct proc_event event;
	struct rd body;
	int fd;

	told[0] = '\0';
	while (proc_chan_receive(main_chan, &header, &body, &fd) == 1)
		if (header.type == PROC_EVENT && proc_event_decode(body, &event))
			snprintf(told + strlen(told), sizeof(told) - strlen(told), "%u %s: %s\n", event.event, event.tunnel,
				 event.text);
}

static void file_comes(enum proc_file_kind kind, const char *name, const struct wr *data)
{
	struct proc_file file = { .tunnel = "t", .kind = (uint8_t)kind };
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	snprintf(file.name, sizeof(file.name), "%s", name);
	if (data->len)
		assert_int_equal(write(fd, data->data, data->len), data->len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	host_creds_file(host, &file, fd);
	close(fd);
}

static X509 *ca(int64_t to)
{
	return fixture_cert(&(struct fixture_cert){ .cn = "CA", .from = -DAY, .to = to, .ca = true }, fixture_key("P-256"));
}

static void pem_of(X509 *cert, struct wr *out)
{
	wr_fini(out);
	fixture_pem(cert, out);
	X509_free(cert);
}

static const struct wr nothing;

/* In force is what was there when the tunnel came, all at once. */
static void files_are_in_force_together(void **state)
{
	struct wr first = { 0 }, second = { 0 };
	const struct creds *before;

	pem_of(ca(100 * DAY), &first);
	pem_of(ca(200 * DAY), &second);
	file_comes(PROC_FILE_CA, "ca", &first);
	host_creds_set(host, "t", 1);
	before = host_creds_find(host, "t")->creds;
	file_comes(PROC_FILE_CA, "ca", &second);
	file_comes(PROC_FILE_CA, "other", &second);
	assert_ptr_equal(host_creds_find(host, "t")->creds, before);
	host_creds_set(host, "t", 1);
	assert_ptr_not_equal(host_creds_find(host, "t")->creds, before);
	assert_null(host_creds_find(host, "t")->coming);
	host_creds_set(host, "t", 2); /* without files: as they were */
	assert_non_null(host_creds_find(host, "t")->creds);
	assert_int_equal(host_creds_find(host, "t")->link, 2);
	wr_fini(&first);
	wr_fini(&second);
}

static void a_damaged_file_leaves_what_was(void **state)
{
	static const struct wr damaged = { .data = (uint8_t *)(uintptr_t)"-----BEGIN", .len = 10 };
	const struct creds *before;
	struct wr good = { 0 };

	pem_of(ca(100 * DAY), &good);
	file_comes(PROC_FILE_CA, "ca", &good);
	host_creds_set(host, "t", 1);
	before = host_creds_find(host, "t")->creds;
	for (unsigned i = 0; i < 2; i++) {
		file_comes(PROC_FILE_CA, "ca", i ? &damaged : &nothing);
		host_creds_set(host, "t", 1);
		assert_ptr_equal(host_creds_find(host, "t")->creds, before);
		hear();
		assert_non_null(strstr(told, "tunnel t: ca: no certificate is in it"));
		assert_non_null(strstr(told, "of before stay in use"));
	}
	/* another file is another wish: what was is not trusted any more */
	file_comes(PROC_FILE_CA, "another", &damaged);
	host_creds_set(host, "t", 1);
	assert_ptr_not_equal(host_creds_find(host, "t")->creds, before);
	wr_fini(&good);
}

/* 30 days before, each day. */
static void certificates_that_end_soon_are_told(void **state)
{
	struct wr pem = { 0 };

	pem_of(ca(40 * DAY), &pem);
	file_comes(PROC_FILE_CA, "ca", &pem);
	host_creds_set(host, "t", 1);
	host->now_ms = 1000;
	assert_int_equal(host_creds_run(host, FIXTURE_NOW), 1000 + DAY * 1000ull);
	hear();
	assert_string_equal(told, "");
	host->now_ms += DAY * 1000ull;
	host_creds_run(host, FIXTURE_NOW + 20 * DAY);
	hear();
	assert_non_null(strstr(told, "a CA's certificate expires in 20 days, on 2027-"));
	host->now_ms += 1000;
	host_creds_run(host, FIXTURE_NOW + 20 * DAY);
	hear();
	assert_string_equal(told, "");
	host->now_ms += DAY * 1000ull;
	host_creds_run(host, FIXTURE_NOW + 41 * DAY);
	hear();
	assert_non_null(strstr(told, "a CA's certificate has expired on 2027-"));
	/* ours ends before it; a new one is looked at at once */
	file_comes(PROC_FILE_CA, "ca", &pem);
	pem_of(ca(39 * DAY), &pem);
	file_comes(PROC_FILE_OWN, "own", &pem);
	host_creds_set(host, "t", 1);
	host_creds_run(host, FIXTURE_NOW + 35 * DAY);
	hear();
	assert_non_null(strstr(told, "our certificate expires in 4 days"));
	wr_fini(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_are_in_force_together, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_file_leaves_what_was, setup, teardown),
		cmocka_unit_test_setup_teardown(certificates_that_end_soon_are_told, setup, teardown),
	};

	return cmocka_run_group_tests_name("host_creds", tests, NULL, NULL);
}
