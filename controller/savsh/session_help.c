/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/session.h"

#include <stdlib.h>
#include <string.h>

#include "controller/savsh/session_impl.h"
#include "controller/savsh/text.h"
#include "controller/savsh/words.h"
#include "lib/mem.h"

#define END_OF_COMMAND "<cr>"
/* As many tokens are named in a hint; the rest is for '?'. */
#define EXPECTED_MAX	10
#define HELP_COLUMN_MAX 26
#define HELP_WIDTH	78

/* One token that may stand at the end of a line. */
struct choice {
	char *token;
	char *description;
	char **values; /* known ones, of a variable token */
	size_t n_values;
};

struct choices {
	struct choice *choice;
	size_t n;
};

static void choices_fini(struct choices *choices)
{
	size_t i, j;

	for (i = 0; i < choices->n; i++) {
		for (j = 0; j < choices->choice[i].n_values; j++)
			free(choices->choice[i].values[j]);
		free(choices->choice[i].values);
		free(choices->choice[i].token);
		free(choices->choice[i].description);
	}
	free(choices->choice);
	*choices = (struct choices){ 0 };
}

static struct choice *choice_find(const struct choices *choices, const char *token)
{
	size_t i;

	for (i = 0; i < choices->n; i++)
		if (strcmp(choices->choice[i].token, token) == 0)
			return &choices->choice[i];
	return NULL;
}

static struct choice *choice_add(struct choices *choices, const char *token,
				 const char *description)
{
	struct choice *choice = choice_find(choices, token);

	if (choice)
		return choice;
	choices->choice = mem_realloc(choices->choice, choices->n + 1, sizeof(*choice));
	choice = &choices->choice[choices->n++];
	*choice = (struct choice){ .token = mem_strdup(token),
				   .description = mem_strdup(description) };
	return choice;
}

static void value_add(struct choice *choice, const char *value)
{
	size_t i;

	for (i = 0; i < choice->n_values; i++)
		if (strcmp(choice->values[i], value) == 0)
			return;
	choice->values =
		mem_realloc(choice->values, choice->n_values + 1, sizeof(char *));
	choice->values[choice->n_values++] = mem_strdup(value);
}

/* Only the daemons that are as deep as the operator offer something; "do"
 * works in all that are being configured. */
static bool offers(const struct session *session, const struct seat *seat,
		   const char *line)
{
	if (!seat_is_open(seat))
		return false;
	return seat->place.level == session_level(session) ||
	       (line_is_do(line) && seat->place.level >= LEVEL_CONFIG);
}

/* "TOKEN <tab> DESCRIPTION" lines, and "<tab> VALUE" ones for the token before. */
static void choices_parse(struct choices *choices, char *text)
{
	struct choice *last = NULL;
	char *state = NULL, *line;

	for (line = strtok_r(text, "\n", &state); line;
	     line = strtok_r(NULL, "\n", &state)) {
		char *tab = strchr(line, '\t');

		if (!tab)
			continue;
		*tab = '\0';
		if (*line)
			last = choice_add(choices, line, tab + 1);
		else if (last)
			value_add(last, tab + 1);
	}
}

/* The end of the command comes last, as a footnote; the rest by name. */
static int choice_compare(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;
	int x_end = strcmp(x->token, END_OF_COMMAND) == 0;
	int y_end = strcmp(y->token, END_OF_COMMAND) == 0;

	return x_end != y_end ? x_end - y_end : strcmp(x->token, y->token);
}

static int compare_strings(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static struct choices choices_get(struct session *session, const char *line)
{
	struct choices choices = { 0 };
	size_t i;

	for (i = 0; i < session->n; i++) {
		struct reply reply;

		if (!offers(session, &session->seats[i], line))
			continue;
		if (seat_ask(&session->seats[i], "+help", line, &reply) < 0)
			continue;
		choices_parse(&choices, reply.text);
		reply_fini(&reply);
	}
	if (choices.n)
		qsort(choices.choice, choices.n, sizeof(*choices.choice), choice_compare);
	for (i = 0; i < choices.n; i++)
		if (choices.choice[i].n_values)
			qsort(choices.choice[i].values, choices.choice[i].n_values,
			      sizeof(char *), compare_strings);
	return choices;
}

char **session_complete(struct session *session, const char *line)
{
	/* Reuse: a candidate is a value of one nameless choice. */
	struct choice found = { 0 };
	size_t i;

	for (i = 0; i < session->n; i++) {
		struct reply reply;
		char *state = NULL, *one;

		if (!offers(session, &session->seats[i], line))
			continue;
		if (seat_ask(&session->seats[i], "+complete", line, &reply) < 0)
			continue;
		for (one = strtok_r(reply.text, "\n", &state); one;
		     one = strtok_r(NULL, "\n", &state))
			value_add(&found, one);
		reply_fini(&reply);
	}
	if (found.n_values == 0)
		return NULL;
	qsort(found.values, found.n_values, sizeof(char *), compare_strings);
	found.values = mem_realloc(found.values, found.n_values + 1, sizeof(char *));
	found.values[found.n_values] = NULL;
	return found.values;
}

static void values_print(const struct choice *choice, struct wr *out)
{
	size_t column = 0, i;

	for (i = 0; i < choice->n_values; i++) {
		size_t len = strlen(choice->values[i]);

		if (column && column + len + 1 > HELP_WIDTH) {
			text_add(out, "\n");
			column = 0;
		}
		if (column == 0) {
			text_add(out, "     ");
			column = 5;
		}
		text_addf(out, " %s", choice->values[i]);
		column += len + 1;
	}
	if (column)
		text_add(out, "\n");
}

bool session_help(struct session *session, const char *line, struct wr *out)
{
	struct choices choices = choices_get(session, line);
	bool any = choices.n > 0;
	size_t width = 0, i;

	for (i = 0; i < choices.n; i++) {
		size_t len = strlen(choices.choice[i].token);

		if (len > width && len <= HELP_COLUMN_MAX)
			width = len;
	}
	for (i = 0; i < choices.n; i++) {
		const struct choice *choice = &choices.choice[i];

		if (*choice->description)
			text_addf(out, "  %-*s  %s\n", (int)width, choice->token,
				  choice->description);
		else
			text_addf(out, "  %s\n", choice->token);
		values_print(choice, out);
	}
	choices_fini(&choices);
	return any;
}

/* ---- hints after a line that was not understood */

static size_t common_prefix(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* Appends those tokens that share least to most letters with word at their
 * beginning; returns how many. */
static size_t list_similar(const struct choices *choices, const char *word, size_t least,
			   size_t most, size_t listed, struct wr *out)
{
	size_t n = 0, i;

	for (i = 0; i < choices->n && listed + n < EXPECTED_MAX; i++) {
		const struct choice *choice = &choices->choice[i];
		bool is_end = strcmp(choice->token, END_OF_COMMAND) == 0;
		size_t common = common_prefix(choice->token, word);

		if (common < least || common > most)
			continue;
		text_addf(out, "%s%s", listed + n ? ", " : "",
			  is_end ? "the end of the command" : choice->token);
		if (choices->n <= 3 && *choice->description)
			text_addf(out, " (%s)", choice->description);
		n++;
	}
	return n;
}

/* Names the tokens, the ones that look most like word first; one letter in
 * common is chance. The others too, if there are not too many of them. */
static void list_choices(const struct choices *choices, const char *word, struct wr *out)
{
	size_t listed = 0, common;

	for (common = strlen(word); common > 1; common--)
		listed += list_similar(choices, word, common, common, listed, out);
	if (listed == 0 || choices->n <= EXPECTED_MAX)
		listed += list_similar(choices, word, 0, 1, listed, out);
	if (choices->n > listed)
		text_addf(out, ", ... (%zu in all, \"?\" lists them)", choices->n);
}

/* words[0..at) were understood, words[at] was not (or is not there). */
static void expected_print(const struct choices *choices, const struct words *words,
			   size_t at, struct wr *out)
{
	const char *word = at < words->n ? words->word[at] : "";
	char *before = words_join(words, at);
	size_t len = strlen(before);

	if (len)
		before[len - 1] = '\0';
	text_add(out, "% expected: ");
	list_choices(choices, word, out);
	if (*word)
		text_addf(out, "; not \"%s\"", word);
	if (*before)
		text_addf(out, " after \"%s\"", before);
	text_add(out, "\n");
	free(before);
}

/* The first word that more than one token begins with. */
static void expected_ambiguous(struct session *session, const struct words *words,
			       struct wr *out)
{
	size_t at;

	for (at = 0; at < words->n; at++) {
		char *line = words_join(words, at + 1);
		struct choices choices;

		line[strlen(line) - 1] = '\0'; /* no blank: the word is still open */
		choices = choices_get(session, line);
		if (choices.n > 1 && !choice_find(&choices, words->word[at])) {
			text_add(out, "% expected: ");
			list_choices(&choices, "", out);
			text_addf(out, "; \"%s\" may be any of them\n", words->word[at]);
			at = words->n;
		}
		choices_fini(&choices);
		free(line);
	}
}

void session_expected(struct session *session, const char *line, enum verdict verdict,
		      struct wr *out)
{
	struct words words;
	size_t at;

	if (line_is_secret(line))
		return;
	words_init(&words, line);
	if (verdict == VERDICT_AMBIGUOUS) {
		expected_ambiguous(session, &words, out);
	} else if (verdict == VERDICT_NO_MATCH || verdict == VERDICT_INCOMPLETE) {
		/* The longest beginning after which the daemon has something to offer. */
		for (at = words.n + 1; at-- > 0;) {
			char *before = words_join(&words, at);
			struct choices choices = choices_get(session, before);
			bool any = choices.n > 0;

			free(before);
			if (any)
				expected_print(&choices, &words, at, out);
			choices_fini(&choices);
			if (any)
				break;
		}
	}
	words_fini(&words);
}
