/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store_test - what the tests of the store share; cmocka's headers included.
 */
#ifndef SAV_STORE_TEST_H
#define SAV_STORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/store/store.h"
#include "lib/wr.h"

#define assert_contains(text, part)                                                      \
	do {                                                                             \
		if (!strstr((text), (part)))                                             \
			fail_msg("\"%s\" is not in \"%s\"", (part), (text));             \
	} while (0)

/* cmocka setup and teardown: a scratch directory, and the path of a database
 * in it that does not exist yet. */
extern char test_dir[64];
extern char test_path[128];
int test_setup(void **state);
int test_teardown(void **state);

/* Opens test_path, which must work, and loads cfg, whose sink it becomes. */
struct store *test_open(struct config *cfg);
void test_close(struct store *store, struct config *cfg);
/* Opening test_path must fail: text in diag, the file's bytes unchanged. */
void test_refused(struct diag *diag);

struct ip_prefix test_prefix(const char *text);
struct ip_addr test_addr(const char *text);
struct config_edge test_edge(const char *router, const char *interface);
struct filter test_filter(const char *interface, uint64_t generation);

/* One of everything, put through cfg; twice has no effect. */
void test_fill_config(struct config *cfg);
void test_fill_rest(struct store *store);

/* All of it as text to compare; NUL-terminated, the caller frees. */
char *test_config_text(const struct config *cfg);
char *test_store_text(struct store *store);

/* A whole file; aborts if it is not there. NUL-terminated. */
char *test_read_file(const char *path, size_t *len);
void test_write_file(const char *path, const void *data, size_t len);
/* A file of the source tree. */
char *test_read_source(const char *name);
/* SQL into a database of our own connection, which must work. */
void test_sql(const char *path, const char *sql);

#endif /* SAV_STORE_TEST_H */
