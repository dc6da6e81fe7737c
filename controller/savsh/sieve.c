/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/sieve.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "controller/savsh/text.h"
#include "lib/mem.h"

enum sieve_kind {
	SIEVE_INCLUDE,
	SIEVE_EXCLUDE,
	SIEVE_BEGIN,
	SIEVE_COUNT,
};

struct sieve_step {
	enum sieve_kind kind;
	regex_t regex; /* not for SIEVE_COUNT */
};

/* In the order of enum sieve_kind. */
static const struct sieve_name names[] = {
	{ "include", "Only lines that match a regular expression" },
	{ "exclude", "Only lines that do not match a regular expression" },
	{ "begin", "Everything from the first line that matches" },
	{ "count", "The number of lines" },
	{ NULL, NULL },
};

const struct sieve_name *sieve_names(void)
{
	return names;
}

const char *sieve_start(const char *line)
{
	const char *bar;

	for (bar = strchr(line, '|'); bar; bar = strchr(bar + 1, '|'))
		if (bar > line && isspace((unsigned char)bar[-1]))
			return bar;
	return NULL;
}

bool sieve_is_empty(const struct sieve *sieve)
{
	return sieve->n_steps == 0;
}

void sieve_fini(struct sieve *sieve)
{
	size_t i;

	for (i = 0; i < sieve->n_steps; i++)
		if (sieve->steps[i].kind != SIEVE_COUNT)
			regfree(&sieve->steps[i].regex);
	free(sieve->steps);
	*sieve = (struct sieve){ 0 };
}

static char *trimmed(const char *text, size_t len)
{
	char *copy;

	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	copy = mem_alloc(len + 1);
	memcpy(copy, text, len);
	return copy;
}

/* Any beginning of a name will do, as for the daemons' own words. */
static int kind_parse(const char *word, size_t len, enum sieve_kind *kind)
{
	int i;

	for (i = 0; len && names[i].name; i++) {
		if (strncmp(names[i].name, word, len) == 0) {
			*kind = (enum sieve_kind)i;
			return 0;
		}
	}
	return -1;
}

static int regex_parse(struct sieve_step *step, const char *text, struct diag *diag)
{
	char why[128];
	int rc;

	if (*text == '\0')
		return diag_set(diag, "expected: a regular expression after \"%s\"",
				names[step->kind].name);
	rc = regcomp(&step->regex, text, REG_EXTENDED | REG_NOSUB);
	if (rc == 0)
		return 0;
	regerror(rc, &step->regex, why, sizeof(why));
	return diag_set(diag, "\"%s\" is no regular expression: %s", text, why);
}

/* text: "include REGEX", trimmed */
static int step_parse(struct sieve_step *step, const char *text, struct diag *diag)
{
	size_t len = strcspn(text, " \t");
	const char *rest = text + len + strspn(text + len, " \t");

	if (kind_parse(text, len, &step->kind) < 0)
		return diag_set(diag,
				"unknown filter \"%.*s\"; expected: include, exclude, "
				"begin, count",
				(int)len, text);
	if (step->kind != SIEVE_COUNT)
		return regex_parse(step, rest, diag);
	if (*rest)
		return diag_set(diag,
				"\"count\" takes no argument, not \"%s\"; filter "
				"with \"| include ...\" before it",
				rest);
	return 0;
}

int sieve_parse(const char *line, struct sieve *sieve, char **command, struct diag *diag)
{
	const char *bar = sieve_start(line);

	*sieve = (struct sieve){ .steps = mem_calloc(SIEVE_STEPS_MAX,
						     sizeof(*sieve->steps)) };
	*command = trimmed(line, bar ? (size_t)(bar - line) : strlen(line));
	while (bar) {
		const char *next = sieve_start(bar + 1);
		size_t len = next ? (size_t)(next - bar - 1) : strlen(bar + 1);
		char *text;
		int rc;

		if (sieve->n_steps == SIEVE_STEPS_MAX) {
			diag_set(diag, "more than %d filters", SIEVE_STEPS_MAX);
			goto fail;
		}
		text = trimmed(bar + 1, len);
		rc = step_parse(&sieve->steps[sieve->n_steps], text, diag);
		free(text);
		if (rc < 0)
			goto fail;
		sieve->n_steps++;
		bar = next;
	}
	return 0;
fail:
	sieve_fini(sieve);
	free(*command);
	*command = NULL;
	return -1;
}

/* regexec() wants a terminated string; scratch is reused for all lines. */
static bool line_matches(const struct sieve_step *step, const char *line, size_t len,
			 struct wr *scratch)
{
	scratch->len = 0;
	wr_bytes(scratch, line, len);
	wr_u8(scratch, 0);
	return regexec(&step->regex, (const char *)scratch->data, 0, NULL, 0) == 0;
}

static void step_apply(const struct sieve_step *step, const char *text, size_t len,
		       struct wr *out)
{
	const char *end = text + len;
	unsigned long count = 0;
	bool begun = false;
	struct wr scratch = { 0 };

	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *next = nl ? nl + 1 : end;
		size_t line_len = (size_t)((nl ? nl : end) - text);
		bool keep = false;

		switch (step->kind) {
		case SIEVE_INCLUDE:
			keep = line_matches(step, text, line_len, &scratch);
			break;
		case SIEVE_EXCLUDE:
			keep = !line_matches(step, text, line_len, &scratch);
			break;
		case SIEVE_BEGIN:
			begun = begun || line_matches(step, text, line_len, &scratch);
			keep = begun;
			break;
		case SIEVE_COUNT:
			count++;
			break;
		}
		if (keep)
			wr_bytes(out, text, (size_t)(next - text));
		text = next;
	}
	if (step->kind == SIEVE_COUNT)
		text_addf(out, "%lu\n", count);
	wr_fini(&scratch);
}

void sieve_apply(const struct sieve *sieve, const char *text, size_t len, struct wr *out)
{
	struct wr in = { 0 };
	size_t i;

	for (i = 0; i < sieve->n_steps; i++) {
		struct wr step_out = { 0 };

		step_apply(&sieve->steps[i], i ? (const char *)in.data : text,
			   i ? in.len : len, &step_out);
		wr_fini(&in);
		in = step_out;
	}
	if (sieve->n_steps)
		wr_bytes(out, in.data, in.len);
	else
		wr_bytes(out, text, len);
	wr_fini(&in);
}
