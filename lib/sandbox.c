/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

/* While there is CAP_SETPCAP; later no_new_privs counts. */
static void drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int sandbox_become(uid_t uid, gid_t gid, struct diag *diag)
{
	if (geteuid() != 0)
		return 0;
	drop_bounding_set();
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return diag_set(diag, "cannot become user %u: %s", (unsigned int)uid,
				strerror(errno));
	return 0;
}

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define SANDBOX_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SANDBOX_ARCH AUDIT_ARCH_PPC64LE
#endif

#ifdef SANDBOX_ARCH

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))
#define LOAD(at)    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define ALLOW	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* An error, not a signal: a library that looks for a file it can do without
 * goes on, and nothing is given away. */
#define DENY	 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define CALL(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##nr, 0, 1), ALLOW
/* The third argument is the protection: no memory becomes code. */
#define CALL_NO_EXEC(nr)                                                                 \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##nr, 0, 4), LOAD(ARG3_LOW),            \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), DENY, ALLOW

/* All of these are little-endian: the low half of an argument is first. */
#define ARG1_LOW FIELD(args[0])
#define ARG3_LOW FIELD(args[2])

static const struct sock_filter begin[] = {
	LOAD(FIELD(arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	LOAD(FIELD(nr)),
	CALL_NO_EXEC(mmap),
	CALL_NO_EXEC(mprotect),
	CALL(read),
	CALL(write),
	CALL(close),
	CALL(sendto),
	CALL(sendmsg),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(ppoll),
#ifdef __NR_poll
	CALL(poll),
#endif
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(futex),
	CALL(getrandom),
	CALL(clock_gettime),
	CALL(gettimeofday),
#ifdef __NR_time
	CALL(time),
#endif
	CALL(getpid),
	CALL(gettid),
	CALL(rt_sigreturn),
	CALL(rt_sigprocmask),
	CALL(rt_sigaction),
	CALL(sigaltstack),
	CALL(sched_yield),
	CALL(restart_syscall),
	CALL(exit),
	CALL(exit_group),
};
#define BEGIN	   (sizeof(begin) / sizeof(begin[0]))
#define SIGNAL_LEN 5

static int filter_calls(const long *extra, size_t n, struct diag *diag)
{
	static const struct sock_filter allow = ALLOW, deny = DENY;
	const struct sock_filter abort_only[SIGNAL_LEN] = {
		/* abort(); others of the same user get no signal */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 0, 4),
		LOAD(ARG1_LOW),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1),
		ALLOW,
		DENY,
	};
	struct sock_filter program[BEGIN + SIGNAL_LEN + 2 * SANDBOX_EXTRA_MAX + 1];
	struct sock_fprog fprog = { BEGIN + SIGNAL_LEN, program };

	memcpy(program, begin, sizeof(begin));
	memcpy(program + BEGIN, abort_only, sizeof(abort_only));
	for (size_t i = 0; i < n && i < SANDBOX_EXTRA_MAX; i++) {
		program[fprog.len++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)extra[i], 0, 1);
		program[fprog.len++] = allow;
	}
	program[fprog.len++] = deny;

	/* A kernel built without it: the other measures stand. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fprog) < 0 && errno != EINVAL)
		return diag_set(diag, "cannot restrict system calls: %s",
				strerror(errno));
	return 0;
}

#else

static int filter_calls(const long *extra, size_t n, struct diag *diag)
{
	return 0;
}

#endif /* SANDBOX_ARCH */

static int limit(int resource)
{
	struct rlimit none = { 0, 0 };

	return setrlimit((__rlimit_resource_t)resource, &none);
}

/* Landlock without a rule: no name leads to a file. A kernel older than 5.13, or
 * without it, goes on: the filter of system calls stands. */
static int deny_files(struct diag *diag)
{
	struct landlock_ruleset_attr all = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				     LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
				     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
				     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
				     LANDLOCK_ACCESS_FS_MAKE_SYM,
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	long done;

	if (fd < 0)
		return 0;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	done = syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return done < 0 ? diag_set(diag, "cannot leave the file system: %s", strerror(errno)) : 0;
}

/* A directory that has no name any more: nothing is in it and nothing can be
 * made in it. */
static int leave_files(struct diag *diag)
{
	char dir[] = "/tmp/sandbox.XXXXXX", run[] = "/run/sandbox.XXXXXX";
	char *made;

	made = mkdtemp(dir);
	made = made ? made : mkdtemp(run); /* of a system that is read only */
	if (!made || chdir(made) < 0 || rmdir(made) < 0 || chroot(".") < 0)
		return diag_set(diag, "cannot leave the file system: %s", strerror(errno));
	return 0;
}

int sandbox_hide_files(struct diag *diag)
{
	if (geteuid() == 0 && leave_files(diag) < 0)
		return -1;
	return deny_files(diag);
}

int sandbox_drop_caps(struct diag *diag)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	drop_bounding_set();
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) < 0)
		return diag_set(diag, "cannot drop capabilities: %s", strerror(errno));
	return 0;
}

int sandbox_enter(struct diag *diag)
{
	return sandbox_enter_with(NULL, 0, diag);
}

int sandbox_enter_with(const long *extra, size_t n, struct diag *diag)
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    limit(RLIMIT_CORE) < 0 || limit(RLIMIT_NPROC) < 0 || limit(RLIMIT_FSIZE) < 0)
		return diag_set(diag, "cannot drop privileges: %s", strerror(errno));
	return filter_calls(extra, n, diag);
}
