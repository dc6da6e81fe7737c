/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * name - the one rule for names of routers, customers and agents.
 */
#ifndef SAV_NAME_H
#define SAV_NAME_H

#include <stdbool.h>

#define NAME_SIZE 64 /* with the NUL */

/* 1..63 of letters, digits, '.', '_', '-', starting with a letter or digit:
 * safe in configuration text, file names, certificates and metrics. */
bool name_is_valid(const char *name);

#endif /* SAV_NAME_H */
