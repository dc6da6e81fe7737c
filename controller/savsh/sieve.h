/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sieve - "COMMAND | include REGEX": filters that the shell applies to the
 * lines of an answer, whatever daemon it came from.
 *
 * (Not called a filter: in OpenSAV that is what an edge has.)
 */
#ifndef SAVSH_SIEVE_H
#define SAVSH_SIEVE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/diag.h"
#include "lib/wr.h"

#define SIEVE_STEPS_MAX 8

struct sieve_step;

struct sieve {
	struct sieve_step *steps;
	size_t n_steps;
};

/* Splits line into the command, which the caller frees, and its filters. A
 * filter begins at a '|' with white space before it; the ones inside a regular
 * expression have none. -1: diag says what is wrong, nothing is allocated. */
int sieve_parse(const char *line, struct sieve *sieve, char **command, struct diag *diag);
void sieve_fini(struct sieve *sieve);

bool sieve_is_empty(const struct sieve *sieve);

/* Appends what is left of text (len bytes) to out. */
void sieve_apply(const struct sieve *sieve, const char *text, size_t len, struct wr *out);

/* Where the first filter of the line begins (its '|'), or NULL. */
const char *sieve_start(const char *line);

/* The filters' names and descriptions, for completion and help; NULL ends. */
struct sieve_name {
	const char *name;
	const char *description;
};
const struct sieve_name *sieve_names(void);

#endif /* SAVSH_SIEVE_H */
