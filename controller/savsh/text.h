/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * text - strings appended to a byte writer.
 */
#ifndef SAVSH_TEXT_H
#define SAVSH_TEXT_H

#include "lib/wr.h"

void text_add(struct wr *out, const char *text);
void text_addf(struct wr *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* SAVSH_TEXT_H */
