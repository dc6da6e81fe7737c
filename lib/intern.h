/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * intern - short lists of numbers, equal ones kept once.
 *
 * A million routes leave by a few hundred sets of interfaces: each route then
 * holds a number instead of a list.
 */
#ifndef SAV_INTERN_H
#define SAV_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern_list;

struct intern {
	struct intern_list **lists; /* by number; lists[0] is none */
	uint32_t n, cap, free;
	uint32_t used;
	uint32_t *slots; /* numbers, open addressing */
	uint32_t cap_slots;
};

void intern_fini(struct intern *in); /* it is empty and usable */
size_t intern_bytes(const struct intern *in);

/* The number of the list, never 0; each call wants its intern_put(). */
uint32_t intern_get(struct intern *in, const uint32_t *values, size_t n);
void intern_keep(struct intern *in, uint32_t number); /* once more */
void intern_put(struct intern *in, uint32_t number);  /* 0 is nothing to do */
/* NULL: the number is not in use (for walks from 1 to in->n - 1). */
const uint32_t *intern_values(const struct intern *in, uint32_t number, size_t *n);

#endif /* SAV_INTERN_H */
