/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/store/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/rd.h"

#define HEADER_SIZE	      100 /* of every SQLite database */
#define HEADER_APPLICATION_ID 68

char *store_file_name(const char *path, const char *suffix)
{
	size_t size = strlen(path) + strlen(suffix) + 1;
	char *name = mem_alloc(size);

	snprintf(name, size, "%s%s", path, suffix);
	return name;
}

static char *directory_of(const char *path)
{
	char *copy = mem_strdup(path);
	char *name = mem_strdup(dirname(copy));

	free(copy);
	return name;
}

/* ---- lock ---- */

static int check_directory(const char *path, struct diag *diag)
{
	char *dir = directory_of(path);
	struct stat st;
	int rc = 0;

	if (stat(dir, &st) < 0)
		rc = diag_set(
			diag,
			"%s: cannot use directory %s: %s; make it (mode 0700) for the "
			"user savd runs as",
			path, dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		rc = diag_set(diag, "%s: %s is not a directory", path, dir);
	free(dir);
	return rc;
}

static int lock_is_held(int fd, const char *path, struct diag *diag)
{
	char pid[32] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	if (n > 0)
		pid[strcspn(pid, "\n")] = '\0';
	return diag_set(
		diag,
		"%s: in use by another savd (process %s): end that one first, or give "
		"this one a state of its own",
		path, n > 0 ? pid : "unknown");
}

static int lock_take(int fd, const char *name, const char *path, struct diag *diag)
{
	char pid[32];
	int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return lock_is_held(fd, path, diag);
		return diag_set(diag, "cannot lock %s: %s", name, strerror(errno));
	}
	/* The number is for people: a full disk must not stop us here. */
	if (ftruncate(fd, 0) == 0)
		len = (int)pwrite(fd, pid, (size_t)len, 0);
	return 0;
}

/* A lock of our own beside the database: SQLite's exclusive mode would keep
 * out sqlite3 and backups, which only read. The file stays for ever, since
 * removing it would let two programs lock two files of one name. */
int store_file_lock(const char *path, struct diag *diag)
{
	char *name;
	int fd;

	if (check_directory(path, diag) < 0)
		return -1;
	name = store_file_name(path, ".lock");
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		diag_set(diag,
			 "cannot open %s: %s; its directory must be writable by the user "
			 "savd "
			 "runs as",
			 name, strerror(errno));
	} else if (lock_take(fd, name, path, diag) < 0) {
		close(fd);
		fd = -1;
	}
	free(name);
	return fd;
}

/* ---- what is there ---- */

static int check_header(int fd, const char *path, struct diag *diag)
{
	static const char magic[16] = "SQLite format 3";
	uint8_t header[HEADER_SIZE];
	ssize_t n = pread(fd, header, sizeof(header), 0);
	struct rd rd;

	if (n < 0)
		return diag_set(diag, "%s: cannot be read: %s", path, strerror(errno));
	if (n == 0)
		return diag_set(diag, "%s: the file is empty: " STORE_FILE_REMEDY, path,
				path, path);
	if ((size_t)n < sizeof(header) || memcmp(header, magic, sizeof(magic)) != 0)
		return diag_set(diag,
				"%s: not a database, or damaged: " STORE_FILE_REMEDY,
				path, path, path);
	rd = rd_init(header, sizeof(header));
	rd_skip(&rd, HEADER_APPLICATION_ID);
	if (rd_be32(&rd) != STORE_APPLICATION_ID)
		return diag_set(
			diag, "%s: a database of another program: give savd another path",
			path);
	return 0;
}

/* Token hashes and customers' addresses are nobody else's business. A backup
 * put back by hand often comes with the mode of a new file. */
static void narrow_mode(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_mode & 0077) != 0 && fchmod(fd, 0600) < 0)
		return; /* not the owner: not ours to say */
}

static int check_file(const char *path, struct diag *diag)
{
	struct stat st;
	int fd, rc;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return diag_set(diag, "%s: not a file: give savd another path", path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return diag_set(
			diag,
			"%s: cannot be opened: %s; savd's user must own it and be able "
			"to read and write it",
			path, strerror(errno));
	rc = check_header(fd, path, diag);
	if (rc == 0)
		narrow_mode(fd);
	close(fd); /* before SQLite locks it: closing would drop its locks */
	return rc;
}

/* SQLite would play a journal without its database into a new, empty one. */
static int check_orphan(const char *path, const char *suffix, struct diag *diag)
{
	char *name = store_file_name(path, suffix);
	struct stat st;
	int rc = 0;

	if (lstat(name, &st) == 0 && st.st_size > 0)
		rc = diag_set(
			diag,
			"%s: missing, but %s is there and holds some of its changes: put "
			"the file back, or move %s away too to begin with an empty one",
			path, name, name);
	free(name);
	return rc;
}

int store_file_check(const char *path, bool *exists, struct diag *diag)
{
	struct stat st;

	*exists = true;
	if (lstat(path, &st) == 0)
		return check_file(path, diag);
	if (errno != ENOENT)
		return diag_set(diag, "%s: cannot be looked at: %s", path,
				strerror(errno));
	*exists = false;
	if (check_orphan(path, "-wal", diag) < 0)
		return -1;
	return check_orphan(path, "-journal", diag);
}

/* ---- making one ---- */

int store_file_create(const char *path, struct diag *diag)
{
	char *name = store_file_name(path, ".new");
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = 0;

	if (fd < 0)
		rc = diag_set(diag,
			      "cannot create %s: %s; its directory must be writable by "
			      "the user "
			      "savd runs as",
			      name, strerror(errno));
	else
		close(fd);
	free(name);
	return rc;
}

static int sync_directory(const char *path, struct diag *diag)
{
	char *dir = directory_of(path);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (rc < 0)
		diag_set(diag, "%s: cannot write its directory to disk: %s", path,
			 strerror(errno));
	if (fd >= 0)
		close(fd);
	free(dir);
	return rc;
}

int store_file_sync(const char *path, struct diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (rc < 0)
		diag_set(diag, "%s: cannot be written to disk: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

int store_file_publish(const char *path, struct diag *diag)
{
	char *name = store_file_name(path, ".new");
	int rc;

	/* Not rename(): never over something that has appeared meanwhile. */
	if (link(name, path) < 0)
		rc = diag_set(diag, "cannot create %s: %s", path, strerror(errno));
	else
		rc = sync_directory(path, diag);
	unlink(name);
	free(name);
	return rc;
}

void store_file_discard(const char *path)
{
	char *name = store_file_name(path, ".new");
	char *journal = store_file_name(path, ".new-journal");

	unlink(name);
	unlink(journal);
	free(name);
	free(journal);
}
