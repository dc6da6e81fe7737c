/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * words - what the shell itself reads out of a command line.
 */
#ifndef SAVSH_WORDS_H
#define SAVSH_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* The words of a line; text holds them, NUL-separated. */
struct words {
	char *text;
	char **word;
	size_t n;
};

void words_init(struct words *words, const char *line);
void words_fini(struct words *words);
/* The first n words with one blank after each; the caller frees. */
char *words_join(const struct words *words, size_t n);

/* Nothing to run: empty, or a comment ('!' or '#' first). */
bool line_is_blank(const char *line);

/* Whether the line begins with the words of a pattern such as "sh.ow
 * ru.nning-config": each may be abbreviated down to its dot. A leading "do" of
 * the line is skipped. */
bool line_is(const char *line, const char *pattern);

bool line_is_do(const char *line);

/* A line that may hold a secret: it must not reach the history or a message. */
bool line_is_secret(const char *line);

#endif /* SAVSH_WORDS_H */
