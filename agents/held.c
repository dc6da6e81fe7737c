/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/held.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void held_fini(struct held *h)
{
	for (size_t i = 0; i < h->n; i++)
		filter_fini(&h->filters[i]);
	free(h->filters);
	*h = (struct held){ 0 };
}

static size_t place(const struct held *h, const char *interface)
{
	size_t lo = 0, hi = h->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(h->filters[mid].interface, interface) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_at(const struct held *h, size_t at, const char *interface)
{
	return at < h->n && strcmp(h->filters[at].interface, interface) == 0;
}

const struct filter *held_find(const struct held *h, const char *interface)
{
	size_t at = place(h, interface);

	return is_at(h, at, interface) ? &h->filters[at] : NULL;
}

void held_put(struct held *h, const struct filter *f)
{
	size_t at = place(h, f->interface);

	if (!is_at(h, at, f->interface)) {
		if (h->n == h->cap) {
			h->cap = h->cap * 2 + 8;
			h->filters = mem_realloc(h->filters, h->cap, sizeof(*h->filters));
		}
		memmove(&h->filters[at + 1], &h->filters[at],
			(h->n - at) * sizeof(*h->filters));
		h->filters[at] = (struct filter){ 0 };
		h->n++;
	}
	filter_copy(&h->filters[at], f);
}

void held_remove(struct held *h, const char *interface)
{
	size_t at = place(h, interface);

	if (!is_at(h, at, interface))
		return;
	filter_fini(&h->filters[at]);
	h->n--;
	memmove(&h->filters[at], &h->filters[at + 1], (h->n - at) * sizeof(*h->filters));
}
