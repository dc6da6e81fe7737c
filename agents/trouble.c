/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/trouble.h"

#include <stdio.h>

#include "lib/fnv.h"

static bool is_news(struct trouble *t, const char *text)
{
	const uint32_t key = fnv_text(text);

	for (size_t i = 0; i < t->n_told; i++)
		if (t->told[i] == key)
			return false;
	if (t->n_told == TROUBLE_TOLD_MAX)
		return false;
	t->told[t->n_told++] = key;
	return true;
}

bool trouble_begins(struct trouble *t, const char *text, int64_t now_ms)
{
	if (t->works && now_ms - t->works_ms >= TROUBLE_CALM_MS)
		t->n_told = 0;
	t->works = false;
	snprintf(t->text, sizeof(t->text), "%s", text);
	return is_news(t, t->text);
}

bool trouble_ends(struct trouble *t, int64_t now_ms)
{
	if (!t->works)
		t->works_ms = now_ms;
	t->works = true;
	t->text[0] = '\0';
	return t->n_told && is_news(t, "");
}
