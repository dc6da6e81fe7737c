/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/array.h"

#include <string.h>

#include "lib/mem.h"

size_t array_locate(const void *array, size_t n, size_t size, const void *key,
		    array_cmp_fn *cmp, bool *found)
{
	size_t lo = 0, hi = n;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = cmp((const char *)array + mid * size, key);

		if (c == 0)
			*found = true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t array_after(const void *array, size_t n, size_t size, const void *key, array_cmp_fn *cmp)
{
	bool found;
	const size_t at = array_locate(array, n, size, key, cmp, &found);

	return at + found;
}

void array_insert(void **array, size_t *n, size_t size, size_t at, const void *item)
{
	char *base;

	*array = mem_realloc(*array, *n + 1, size);
	base = *array;
	memmove(base + (at + 1) * size, base + at * size, (*n - at) * size);
	memcpy(base + at * size, item, size);
	(*n)++;
}

void array_remove(void *array, size_t *n, size_t size, size_t at)
{
	char *base = array;

	memmove(base + at * size, base + (at + 1) * size, (*n - at - 1) * size);
	(*n)--;
}

bool array_set(void **array, size_t *n, size_t size, const void *item, array_cmp_fn *cmp,
	       bool add)
{
	bool found;
	size_t at = array_locate(*array, *n, size, item, cmp, &found);

	if (found == add)
		return false;
	if (add)
		array_insert(array, n, size, at, item);
	else
		array_remove(*array, n, size, at);
	return true;
}
