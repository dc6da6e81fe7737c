/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * unpack - a file, decompressed if it is compressed: gzip, bzip2, xz or plain,
 * told by its first bytes.
 *
 * Concatenated compressed files read as one, as their own tools do it. Memory
 * is bounded whatever the file says.
 */
#ifndef SAV_UNPACK_H
#define SAV_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/diag.h"

struct unpack;

/* NULL with diag when the file cannot be read. */
struct unpack *unpack_open(const char *path, struct diag *diag);
/* The next bytes, at most size: how many, 0 at the end, -1 with diag when the
 * file cannot be read or the compressed data is damaged. */
long unpack_read(struct unpack *u, void *buf, size_t size, struct diag *diag);
/* At the end: the compressed data was cut short. What could be decompressed of
 * it has been read. */
bool unpack_is_cut(const struct unpack *u);
void unpack_close(struct unpack *u); /* NULL is fine */

#endif /* SAV_UNPACK_H */
