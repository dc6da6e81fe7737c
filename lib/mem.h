/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mem - allocation that aborts when memory is out.
 *
 * Running out of memory is not an input error: nothing sensible is left to
 * do, and a half-built set must never reach a kernel. Input-controlled sizes
 * are bounded by the caller before they come here.
 */
#ifndef SAV_MEM_H
#define SAV_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);	       /* zeroed */
void *mem_calloc(size_t n, size_t size); /* zeroed; aborts on overflow */
void *mem_realloc(void *p, size_t n, size_t size);
void *mem_dup(const void *p, size_t size);
char *mem_strdup(const char *s);

#endif /* SAV_MEM_H */
