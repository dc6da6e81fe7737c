/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store_file - what can be said about the database file before SQLite opens
 * it, which may already write (it rolls journals back, it makes -wal files).
 */
#ifndef SAV_STORE_FILE_H
#define SAV_STORE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/diag.h"

#define STORE_APPLICATION_ID 0x4f534156u /* "OSAV" */

/* What to do about a damaged file; a format with the path, twice. */
#define STORE_FILE_REMEDY                                                                \
	"restore a backup, or move it, %s-wal and %s-shm away to begin with an empty "   \
	"one; agents keep filtering meanwhile"

/* Takes PATH.lock for this process: a descriptor to keep open, or -1. */
int store_file_lock(const char *path, struct diag *diag);

/* *exists, or -1 if what is there is not a database of ours. */
int store_file_check(const char *path, bool *exists, struct diag *diag);

/* A database appears under its name only when it is complete, so that a crash
 * while making it leaves none. _create makes PATH.new, empty and mode 0600;
 * _publish gives it its name; _discard takes it away. */
int store_file_create(const char *path, struct diag *diag);
int store_file_publish(const char *path, struct diag *diag);
void store_file_discard(const char *path);
/* What was written to the file is on disk. */
int store_file_sync(const char *path, struct diag *diag);

/* PATH with a suffix; the caller frees. */
char *store_file_name(const char *path, const char *suffix);

#endif /* SAV_STORE_FILE_H */
