/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/fnv.h"

#include <string.h>

uint32_t fnv_more(uint32_t h, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * 16777619u;
	return h;
}

uint32_t fnv_text(const char *text)
{
	return fnv_more(FNV_BEGIN, text, strlen(text));
}
