/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What must hold for any input: like assert(), but never compiled out.
 */
#ifndef SAV_FUZZ_ASSERT_H
#define SAV_FUZZ_ASSERT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define HOLDS(what)                                                                      \
	do {                                                                             \
		if (!(what)) {                                                           \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__,          \
				__LINE__, #what);                                        \
			abort();                                                         \
		}                                                                        \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* SAV_FUZZ_ASSERT_H */
