/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/diag.h"

#include <stdio.h>
#include <string.h>

int diag_set(struct diag *diag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(diag->text, sizeof(diag->text), fmt, ap);
	va_end(ap);
	return -1;
}

int diag_prepend(struct diag *diag, const char *fmt, ...)
{
	char old[sizeof(diag->text)];
	va_list ap;
	size_t used;

	memcpy(old, diag->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(diag->text, sizeof(diag->text), fmt, ap);
	va_end(ap);
	used = strlen(diag->text);
	snprintf(diag->text + used, sizeof(diag->text) - used, ": %s", old);
	return -1;
}
