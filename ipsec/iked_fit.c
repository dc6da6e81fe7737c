/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_fit.h"

#include <stdlib.h>

#include "lib/mem.h"

static struct iked_fit_size *find(const struct iked_fit *fit, uint32_t bytes)
{
	for (size_t i = 0; i < fit->n; i++)
		if (fit->list[i].bytes == bytes)
			return &fit->list[i];
	return NULL;
}

void iked_fit_add(struct iked_fit *fit, uint32_t bytes)
{
	struct iked_fit_size *size = find(fit, bytes);

	if (bytes == 0)
		return;
	if (!size) {
		fit->list = mem_realloc(fit->list, fit->n + 1, sizeof(fit->list[0]));
		size = &fit->list[fit->n++];
		*size = (struct iked_fit_size){ .bytes = bytes };
	}
	size->users++;
}

void iked_fit_remove(struct iked_fit *fit, uint32_t bytes)
{
	struct iked_fit_size *size = find(fit, bytes);

	if (size && --size->users == 0)
		*size = fit->list[--fit->n];
}

uint32_t iked_fit_least(const struct iked_fit *fit)
{
	uint32_t least = 0;

	for (size_t i = 0; i < fit->n; i++)
		if (least == 0 || fit->list[i].bytes < least)
			least = fit->list[i].bytes;
	return least;
}

void iked_fit_fini(struct iked_fit *fit)
{
	free(fit->list);
	*fit = (struct iked_fit){ 0 };
}
