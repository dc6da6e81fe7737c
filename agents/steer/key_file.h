/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * key_file - a shared key: one line of a file that only its owner may read.
 */
#ifndef SAV_KEY_FILE_H
#define SAV_KEY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"

#define KEY_FILE_MAX 256

/* min to max (at most KEY_FILE_MAX) bytes into out; the end of line does not count.
 * -1 with diag: out is not touched. */
int key_file_read(const char *file, size_t min, size_t max, uint8_t *out, size_t *len,
		  struct diag *diag);

#endif /* SAV_KEY_FILE_H */
