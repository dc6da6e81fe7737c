/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * array - sorted arrays of small objects, searched by halves.
 *
 * For lists that people configure: some hundred items, read far more often
 * than changed. An item's key is its beginning, or what cmp makes of it.
 */
#ifndef SAV_ARRAY_H
#define SAV_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* cmp(item, key), as strcmp(). */
typedef int array_cmp_fn(const void *item, const void *key);

/* Position of key, or where it belongs (*found false). */
size_t array_locate(const void *array, size_t n, size_t size, const void *key,
		    array_cmp_fn *cmp, bool *found);
/* Position of the first item beyond key, whether key is there or not; n: there is none.
 * For walks in steps between which the list may change. */
size_t array_after(const void *array, size_t n, size_t size, const void *key, array_cmp_fn *cmp);
/* Bytes are copied; the array grows by one. */
void array_insert(void **array, size_t *n, size_t size, size_t at, const void *item);
void array_remove(void *array, size_t *n, size_t size, size_t at);
/* Set semantics for plain items: false when there was nothing to do. */
bool array_set(void **array, size_t *n, size_t size, const void *item, array_cmp_fn *cmp,
	       bool add);

#endif /* SAV_ARRAY_H */
