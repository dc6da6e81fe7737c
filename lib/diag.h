/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * diag - the text of one error: what is wrong, where, and what to do.
 *
 * Functions that can fail on input or environment take a struct diag and
 * return a negative number; whoever gives up prints or logs the text once.
 */
#ifndef SAV_DIAG_H
#define SAV_DIAG_H

#include <stdarg.h>

struct diag {
	char text[512];
};

/* Both return -1, so that "return diag_set(...)" reads well. */
int diag_set(struct diag *diag, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Puts "fmt: " in front of the present text (the caller knows the place). */
int diag_prepend(struct diag *diag, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* SAV_DIAG_H */
