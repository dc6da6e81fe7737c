/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/landlock.h>

#include <cmocka.h>

#include "lib/sandbox.h"

#define NOBODY 65534

/* In a process of its own: there is no way back. How many things were wrong. */
static int in_child(int (*wrong)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(wrong());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int calls(void)
{
	struct diag diag;
	int bad = 0;

	if (sandbox_enter(&diag) < 0)
		return 100;
	bad += open("/etc/passwd", 0) >= 0 || errno != EPERM;
	bad += socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM;
	bad += fork() >= 0 || errno != EPERM;
	bad += execl("/bin/true", "true", NULL) >= 0 || errno != EPERM;
	bad += kill(getppid(), 0) >= 0;
	bad += syscall(SYS_tgkill, getppid(), getppid(), 0) >= 0 || errno != EPERM;
	bad += syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0) < 0;
	return bad;
}

static void test_system_calls(void **state)
{
	(void)state;
	assert_int_equal(in_child(calls), 0);
}

/* Also for a user that is not root, and without the filter of system calls. */
static int files(void)
{
	struct diag diag;
	int kept = open("/etc/passwd", O_RDONLY), bad = 0;
	char byte;

	if (geteuid() == 0 && sandbox_become(NOBODY, NOBODY, &diag) < 0)
		return 100;
	if (sandbox_hide_files(&diag) < 0)
		return 101;
	bad += open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES;
	bad += open("/tmp", O_RDONLY | O_DIRECTORY) >= 0 || errno != EACCES;
	bad += open("/tmp/opensav-sandbox-test", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES;
	bad += read(kept, &byte, 1) != 1; /* what is open stays so */
	return bad;
}

static void test_files(void **state)
{
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
		skip();
	assert_int_equal(in_child(files), 0);
}

static int files_of_root(void)
{
	struct diag diag;

	if (sandbox_hide_files(&diag) < 0)
		return 100;
	return access("/etc", F_OK) == 0 || errno != ENOENT;
}

static void test_files_of_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(files_of_root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system_calls),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_files_of_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
