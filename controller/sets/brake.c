/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/brake.h"

#include <string.h>

#define HOUR_MS ((int64_t)3600 * 1000)

void brake_release(struct brake *b)
{
	*b = (struct brake){ 0 };
}

void brake_note(struct brake *b, const struct addrset *set, int64_t now_ms)
{
	int64_t hour = now_ms / HOUR_MS;

	if (!b->used || hour - b->hour >= BRAKE_HOURS) {
		memset(b->peak, 0, sizeof(b->peak));
		b->hour = hour;
		b->used = true;
	}
	while (b->hour < hour) {
		b->hour++;
		memset(b->peak[b->hour % BRAKE_HOURS], 0, sizeof(b->peak[0]));
	}
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		u128 size = rangeset_size(&set->f[family]);
		u128 *peak = &b->peak[hour % BRAKE_HOURS][family];

		if (size > *peak)
			*peak = size;
	}
}

void brake_forget(struct brake *b, const struct addrset *gone)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		u128 size = rangeset_size(&gone->f[family]);

		for (size_t i = 0; i < BRAKE_HOURS; i++) {
			u128 *peak = &b->peak[i][family];

			*peak -= size < *peak ? size : *peak;
		}
	}
}

bool brake_allows(const struct brake *b, const struct addrset *after, unsigned int percent)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		u128 size = rangeset_size(&after->f[family]), peak = 0;

		for (size_t i = 0; i < BRAKE_HOURS; i++) {
			if (b->peak[i][family] > peak)
				peak = b->peak[i][family];
		}
		if (peak == 0)
			continue;
		/* 128-bit counts times 100 do not fit; the ratio needs no
		 * more precision than this */
		if (size == 0 ||
		    (long double)size < (long double)peak * (100 - percent) / 100)
			return false;
	}
	return true;
}
