/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * lab_impl - what the lab's own files share.
 *
 * lab.c: scripts, time, and what the engine hands out. lab_policy.c: configuration.
 * lab_stream.c: BMP streams. lab_check.c: what is expected.
 */
#ifndef SAV_TEST_LAB_IMPL_H
#define SAV_TEST_LAB_IMPL_H

#include "tests/unit/controller/lab.h"

#define LAB_OWN_AS    64500
#define LAB_WORDS_MAX 64

/* The words of a line of a script. */
struct words {
	struct lab *lab;
	char *w[LAB_WORDS_MAX];
	size_t n, at;
	const char *line; /* for words_rest() */
};

const char *words_next(struct words *w); /* there has to be one */
const char *words_next_or(struct words *w, const char *other);
/* Everything after the words read so far, as it is written. */
const char *words_rest(struct words *w);

struct lab_command {
	const char *word; /* NULL: the end */
	void (*fn)(struct lab *lab, struct words *w);
};
extern const struct lab_command lab_policy_commands[], lab_stream_commands[],
	lab_check_commands[];

/* The test fails, at this line of the script. */
void lab_fail(const struct lab *lab, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
struct ip_addr lab_addr(struct lab *lab, const char *text);
struct ip_prefix lab_prefix(struct lab *lab, const char *text);
void lab_check_set(struct lab *lab, const struct addrset *set, const char *want);
/* NULL: none was handed out. */
struct lab_filter *lab_filter_find(struct lab *lab, const char *router,
				   const char *interface);
/* What was promised of the edge holds for this filter of it. */
void lab_check_promises(struct lab *lab, const char *router, const struct filter *f);
/* What is computed, and not held back, is accepted where it is enforced. */
void lab_check_computed(struct lab *lab, const char *router, const struct filter *f);
/* The engine works once; when it wants to work again, or -1. */
int64_t lab_run(struct lab *lab);

#endif /* SAV_TEST_LAB_IMPL_H */
