/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *p, size_t size)
{
	if (p == NULL && size != 0) {
		fprintf(stderr, "out of memory (%zu bytes)\n", size);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return or_die(calloc(1, size), size);
}

void *mem_calloc(size_t n, size_t size)
{
	return or_die(calloc(n, size), n);
}

void *mem_realloc(void *p, size_t n, size_t size)
{
	return or_die(reallocarray(p, n, size), n);
}

void *mem_dup(const void *p, size_t size)
{
	void *copy = mem_alloc(size);

	if (size != 0)
		memcpy(copy, p, size);
	return copy;
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s) + 1);
}
