/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * stamp - points in time as operators write and read them: UTC, in the form of
 * RFC 3339 (ISO 8601), which sorts and needs no blanks.
 */
#ifndef SAV_STAMP_H
#define SAV_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define STAMP_TEXT_SIZE 32

/* "2026-11-21", "2026-11-21T14:05", "2026-11-21T14:05:09.250Z" (a Z may end
 * each), as milliseconds since 1970; false: none of these, or no such day. */
bool stamp_parse(const char *text, int64_t *ms);
/* Or "-90s", "-15m", "-2h", "-3d": so long before now. */
bool stamp_parse_ago(const char *text, int64_t now_ms, int64_t *ms);

/* The whole, with milliseconds only where there are some. */
const char *stamp_format(int64_t ms, char text[STAMP_TEXT_SIZE]);
/* The shortest that stamp_parse() reads as the same. */
const char *stamp_format_short(int64_t ms, char text[STAMP_TEXT_SIZE]);

#endif /* SAV_STAMP_H */
