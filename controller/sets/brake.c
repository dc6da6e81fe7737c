/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/brake.h"

#include <string.h>

#define HOUR_MS ((int64_t)3600 * 1000)

void brake_release(struct brake *b)
{
	*b = (struct brake){ 0 };
}

static u128 maximum(const struct brake *b, enum ip_family family)
{
	u128 peak = 0;

	for (size_t i = 0; i < BRAKE_HOURS; i++) {
		if (b->peak[i][family] > peak)
			peak = b->peak[i][family];
	}
	return peak;
}

/* Of hours without a note all had the size of the last one. */
static void advance(struct brake *b, int64_t hour)
{
	if (hour - b->hour > BRAKE_HOURS)
		b->hour = hour - BRAKE_HOURS;
	while (b->hour < hour) {
		b->hour++;
		memcpy(b->peak[b->hour % BRAKE_HOURS], b->last, sizeof(b->last));
	}
	for (enum ip_family family = IP_V4; !b->holding && family < IP_FAMILIES; family++)
		b->base[family] = maximum(b, family);
}

void brake_note(struct brake *b, const u128 size[IP_FAMILIES], int64_t now_ms)
{
	int64_t hour = now_ms / HOUR_MS;

	if (!b->used) {
		b->hour = hour;
		b->used = true;
		memcpy(b->base, size, sizeof(b->base));
	} else if (b->hour < hour) {
		advance(b, hour);
	}
	memcpy(b->last, size, sizeof(b->last));
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		u128 *peak = &b->peak[hour % BRAKE_HOURS][family];

		if (size[family] > *peak)
			*peak = size[family];
	}
}

static void less(u128 *count, u128 by)
{
	*count -= by < *count ? by : *count;
}

static void more(u128 *count, u128 by)
{
	*count = by > ~(u128)0 - *count ? ~(u128)0 : *count + by;
}

void brake_forget(struct brake *b, const u128 gone[IP_FAMILIES])
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		for (size_t i = 0; i < BRAKE_HOURS; i++)
			less(&b->peak[i][family], gone[family]);
		less(&b->last[family], gone[family]);
		less(&b->base[family], gone[family]);
	}
}

void brake_grant(struct brake *b, const u128 came[IP_FAMILIES])
{
	for (enum ip_family family = IP_V4; b->used && family < IP_FAMILIES; family++)
		more(&b->base[family], came[family]);
}

bool brake_allows(const struct brake *b, const u128 after[IP_FAMILIES],
		  unsigned int percent)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		u128 size = after[family], peak = maximum(b, family);

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

u128 brake_room(const struct brake *b, enum ip_family family, u128 size,
		unsigned int percent)
{
	u128 bound = b->base[family], all = ~(u128)0, growth;
	u128 floor = family == IP_V4 ? BRAKE_FLOOR_V4 : BRAKE_FLOOR_V6;

	if (!b->used || percent == 0)
		return all;
	growth = bound / 100;
	growth = growth > all / percent ? all
					: growth * percent + bound % 100 * percent / 100;
	more(&bound, growth);
	if (bound < floor)
		bound = floor;
	return bound > size ? bound - size : 0;
}
