/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rd.h"

#include <string.h>

uint64_t rd_be64(struct rd *rd)
{
	struct rd eight = rd_sub(rd, 8); /* all or nothing */
	uint64_t hi = rd_be32(&eight);

	return hi << 32 | rd_be32(&eight);
}

void rd_bytes(struct rd *rd, void *dst, size_t len)
{
	const uint8_t *p = rd_take(rd, len);

	if (len == 0)
		return;
	if (p)
		memcpy(dst, p, len);
	else
		memset(dst, 0, len);
}
