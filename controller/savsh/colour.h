/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * colour - states and errors in an answer that goes to a terminal.
 *
 * Green is what works, yellow what waits or only counts, red what does not work
 * and what was refused. No meaning is in a colour alone: the words stay. JSON
 * stays as it is.
 */
#ifndef SAVSH_COLOUR_H
#define SAVSH_COLOUR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/wr.h"

/* Whether this terminal shows colours and its user wants them: not for TERM=dumb
 * or an empty one, nor with NO_COLOR set to anything. */
bool colour_is_wanted(void);

/* Appends text (len bytes, without control characters but tab and newline) to
 * out, with ECMA-48 sequences around the words that have a colour. */
void colour_add(const char *text, size_t len, struct wr *out);

#endif /* SAVSH_COLOUR_H */
