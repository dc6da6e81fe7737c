/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct wr *out, const char *text)
{
	wr_bytes(out, text, strlen(text));
}

void text_addf(struct wr *out, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort(); /* out of memory */
	va_end(ap);
	text_add(out, text);
	free(text);
}
