/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

#define BLANKS " \t\r\n"

void words_init(struct words *words, const char *line)
{
	char *state = NULL, *word;

	*words = (struct words){ .text = mem_strdup(line) };
	for (word = strtok_r(words->text, BLANKS, &state); word;
	     word = strtok_r(NULL, BLANKS, &state)) {
		words->word =
			mem_realloc(words->word, words->n + 1, sizeof(*words->word));
		words->word[words->n++] = word;
	}
}

void words_fini(struct words *words)
{
	free(words->text);
	free(words->word);
	*words = (struct words){ 0 };
}

char *words_join(const struct words *words, size_t n)
{
	size_t len = 1, i;
	char *text, *at;

	for (i = 0; i < n; i++)
		len += strlen(words->word[i]) + 1;
	text = at = mem_alloc(len);
	for (i = 0; i < n; i++) {
		at = stpcpy(at, words->word[i]);
		at = stpcpy(at, " ");
	}
	return text;
}

bool line_is_blank(const char *line)
{
	line += strspn(line, BLANKS);
	return *line == '\0' || *line == '!' || *line == '#';
}

bool line_is_do(const char *line)
{
	line += strspn(line, BLANKS);
	return strncmp(line, "do", 2) == 0 && line[2] && strchr(BLANKS, line[2]);
}

/* word against "ru.nning-config" */
static bool word_is(const char *word, const char *pattern, size_t pattern_len)
{
	size_t least = 0, i = 0, at;

	for (at = 0; at < pattern_len; at++) {
		if (pattern[at] == '.') {
			least = i;
			continue;
		}
		if (word[i] == '\0')
			return least && i >= least;
		if (word[i++] != pattern[at])
			return false;
	}
	return word[i] == '\0';
}

bool line_is(const char *line, const char *pattern)
{
	struct words words;
	size_t at;
	bool is = true;

	words_init(&words, line);
	at = words.n > 1 && strcmp(words.word[0], "do") == 0 ? 1 : 0;
	while (is && *pattern) {
		size_t len = strcspn(pattern, " ");

		is = at < words.n && word_is(words.word[at], pattern, len);
		at++;
		pattern += len + strspn(pattern + len, " ");
	}
	words_fini(&words);
	return is;
}

/* Operators abbreviate: "sec" is "secret" for a daemon. A harmless line that
 * is kept out of the history by mistake costs nothing. */
static bool word_is_secret(const char *word)
{
	static const char *const patterns[] = {
		"sec.ret",	   "pass.word", "passp.hrase", "psk",
		"pre-.shared-key", "tok.en",	"enr.oll",
	};
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (word_is(word, patterns[i], strlen(patterns[i])))
			return true;
	return strcasestr(word, "secret") || strcasestr(word, "passw") ||
	       strcasestr(word, "passphrase");
}

bool line_is_secret(const char *line)
{
	struct words words;
	bool secret = false;
	size_t i;

	words_init(&words, line);
	for (i = 0; i < words.n && !secret; i++)
		secret = word_is_secret(words.word[i]);
	/* "agent enroll NAME" prints a token, but takes only the name. */
	if (secret && words.n == 3 && line_is(line, "ag.ent en.roll") &&
	    !word_is_secret(words.word[2]))
		secret = false;
	words_fini(&words);
	return secret;
}
