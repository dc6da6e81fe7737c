/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/colour.h"

#include <stdlib.h>
#include <string.h>

#include "controller/savsh/text.h"

#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

/* What ends a word: "cust-b" and "pe1/up" are names, not states. */
#define BREAKS " \t\n,:;()"

static const struct {
	const char *word, *colour;
} words[] = {
	{ "up", GREEN },	   { "enforce", GREEN },     { "enforcing", GREEN },
	{ "established", GREEN },  { "complete", GREEN },    { "ready", GREEN },
	{ "sync", GREEN },	   { "live", GREEN },	     { "observe", YELLOW },
	{ "observing", YELLOW },   { "waiting", YELLOW },    { "stale", YELLOW },
	{ "braked", YELLOW },	   { "loading", YELLOW },    { "behind", YELLOW },
	{ "silent", YELLOW },	   { "pending", YELLOW },    { "incomplete", YELLOW },
	{ "warning", YELLOW },	   { "down", RED },	     { "inactive", RED },
	{ "off", RED },		   { "OFF", RED },	     { "dropped", RED },
	{ "refused", RED },	   { "failed", RED },	     { "alarm", RED },
	{ "error", RED },	   { "critical", RED },
};

bool colour_is_wanted(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return term && *term && strcmp(term, "dumb") != 0 && (!no || !*no);
}

static const char *colour_of(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0)
			return words[i].colour;
	}
	return NULL;
}

static bool is_negation(const char *word, size_t len)
{
	return (len == 2 && memcmp(word, "no", 2) == 0) ||
	       (len == 3 && memcmp(word, "not", 3) == 0);
}

static void add_in(const char *colour, const char *text, size_t len, struct wr *out)
{
	if (colour)
		text_add(out, colour);
	wr_bytes(out, text, len);
	if (colour)
		text_add(out, PLAIN);
}

static size_t word_length(const char *text, const char *end)
{
	size_t len = 0;

	while (text + len < end && !strchr(BREAKS, text[len]))
		len++;
	return len;
}

static void add_line(const char *text, const char *end, struct wr *out)
{
	bool negated = false;

	while (text < end) {
		size_t len = word_length(text, end);

		if (len == 0) {
			wr_u8(out, (uint8_t)*text++);
			continue;
		}
		/* "not complete" is no good state */
		add_in(negated ? NULL : colour_of(text, len), text, len, out);
		negated = is_negation(text, len);
		text += len;
	}
}

static bool is_json(const char *text, size_t len)
{
	return len > 0 && (*text == '{' || *text == '[');
}

void colour_add(const char *text, size_t len, struct wr *out)
{
	const char *end = text + len;

	if (is_json(text, len)) {
		wr_bytes(out, text, len);
		return;
	}
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *stop = nl ? nl : end;

		if (*text == '%') /* libfrr's mark of a complaint */
			add_in(RED, text, (size_t)(stop - text), out);
		else
			add_line(text, stop, out);
		if (nl)
			wr_u8(out, '\n');
		text = nl ? nl + 1 : end;
	}
}
