/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/stamp.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS	   86400000
#define NUMBER_MAX 9999999

/* ---- reading ---- */

/* Exactly so many digits. */
static bool digits(const char **at, unsigned int n, int *value)
{
	*value = 0;
	for (unsigned int i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*value = *value * 10 + (**at - '0');
	}
	return true;
}

static bool sign(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool date_parse(const char **at, struct tm *tm)
{
	if (!digits(at, 4, &tm->tm_year) || !sign(at, '-') ||
	    !digits(at, 2, &tm->tm_mon) || !sign(at, '-') || !digits(at, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return tm->tm_year >= 70;
}

static bool clock_parse(const char **at, struct tm *tm, int *ms)
{
	if (!digits(at, 2, &tm->tm_hour) || !sign(at, ':') || !digits(at, 2, &tm->tm_min))
		return false;
	if (sign(at, ':') && !digits(at, 2, &tm->tm_sec))
		return false;
	return !sign(at, '.') || digits(at, 3, ms);
}

bool stamp_parse(const char *text, int64_t *ms)
{
	struct tm tm = { 0 }, again;
	const char *at = text;
	int part = 0;
	time_t t;

	if (!date_parse(&at, &tm) || (sign(&at, 'T') && !clock_parse(&at, &tm, &part)))
		return false;
	sign(&at, 'Z');
	if (*at != '\0')
		return false;
	again = tm;
	t = timegm(&again);
	/* a day or an hour that there is not has become another */
	if (again.tm_mon != tm.tm_mon || again.tm_mday != tm.tm_mday ||
	    again.tm_hour != tm.tm_hour || again.tm_min != tm.tm_min ||
	    again.tm_sec != tm.tm_sec)
		return false;
	*ms = (int64_t)t * 1000 + part;
	return true;
}

bool stamp_parse_ago(const char *text, int64_t now_ms, int64_t *ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', DAY_MS } };
	const char *at = text;
	int64_t n = 0;

	if (!sign(&at, '-'))
		return stamp_parse(text, ms);
	for (; *at >= '0' && *at <= '9'; at++) {
		n = n * 10 + (*at - '0');
		if (n > NUMBER_MAX)
			return false;
	}
	if (at == text + 1 || *at == '\0' || at[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit == *at) {
			*ms = now_ms - n * units[i].ms;
			return true;
		}
	}
	return false;
}

/* ---- writing ---- */

static void split(int64_t ms, struct tm *tm)
{
	time_t t = (time_t)(ms / 1000);

	gmtime_r(&t, tm);
	tm->tm_year += 1900;
	tm->tm_mon += 1;
}

const char *stamp_format(int64_t ms, char text[STAMP_TEXT_SIZE])
{
	char part[8] = "";
	struct tm tm;

	split(ms, &tm);
	if (ms % 1000 != 0)
		snprintf(part, sizeof(part), ".%03u", (unsigned int)(ms % 1000) % 1000);
	snprintf(text, STAMP_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%sZ",
		 tm.tm_year % 10000, tm.tm_mon % 100, tm.tm_mday % 100, tm.tm_hour % 100,
		 tm.tm_min % 100, tm.tm_sec % 100, part);
	return text;
}

const char *stamp_format_short(int64_t ms, char text[STAMP_TEXT_SIZE])
{
	struct tm tm;

	split(ms, &tm);
	if (ms % DAY_MS == 0)
		snprintf(text, STAMP_TEXT_SIZE, "%04d-%02d-%02d", tm.tm_year % 10000,
			 tm.tm_mon % 100, tm.tm_mday % 100);
	else if (ms % 60000 == 0)
		snprintf(text, STAMP_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02dZ",
			 tm.tm_year % 10000, tm.tm_mon % 100, tm.tm_mday % 100,
			 tm.tm_hour % 100, tm.tm_min % 100);
	else
		stamp_format(ms, text);
	return text;
}
