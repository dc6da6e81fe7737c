/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store_maintain - looking after the database: is it sound, a copy of it, its
 * free room.
 *
 * Check and backup take long. They use a connection of their own, which only
 * reads, and may run in a thread of their own while the store is in use.
 */
#ifndef SAV_STORE_MAINTAIN_H
#define SAV_STORE_MAINTAIN_H

#include <stdatomic.h>

#include "controller/store/store.h"

/* Reads every page and index of the database at path. 0: it is sound; -1 with diag:
 * the first thing that is wrong, and what to do. *stop, once true, ends it. */
int store_check(const char *path, const atomic_bool *stop, struct diag *diag);
/* Writes what the database is now to a new file, mode 0600, which appears under its
 * name when it is complete and on disk. */
int store_backup(const char *path, const char *to, const atomic_bool *stop,
		 struct diag *diag);

/* Gives up to so many free pages back to the file system: 1 there are more, 0 that
 * was all, or -1. A matter of milliseconds for some hundred. */
int store_vacuum(struct store *store, int pages, struct diag *diag);

struct store_size {
	const char *path;
	int schema;
	int64_t bytes;	    /* of the database */
	int64_t free_bytes; /* of these; store_vacuum() gives them back */
	int64_t wal_bytes;  /* of the write-ahead log */
};
int store_size(struct store *store, struct store_size *size, struct diag *diag);

#endif /* SAV_STORE_MAINTAIN_H */
