/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/logline.h"

#include <stdint.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "controller/savsh/text.h"

enum offset {
	AT_SECONDS = 0,
	AT_HEADER_LEN = 12,
	AT_LOST = 32,
	AT_PRIORITY = 36,
	AT_TEXT_LEN = 44,
	AT_MARK_LEN = 48, /* "[XXXXX-XXXXX] " at the beginning of the text */
	HEADER_MIN = 72,
};

static uint32_t get_u32(const uint8_t *data, enum offset at)
{
	uint32_t v;

	memcpy(&v, data + at, sizeof(v));
	return v;
}

static const char *priority_name(uint32_t priority)
{
	static const char *const names[] = {
		[LOG_EMERG] = "emergency", [LOG_ALERT] = "alert",
		[LOG_CRIT] = "critical",   [LOG_ERR] = "error",
		[LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
		[LOG_INFO] = "info",	   [LOG_DEBUG] = "debug",
	};

	return priority < sizeof(names) / sizeof(*names) ? names[priority] : "log";
}

/* As in the daemons' log files. */
static void stamp_add(const uint8_t *data, struct wr *out)
{
	uint64_t seconds;
	struct tm tm = { 0 };
	char text[64];
	time_t when;

	memcpy(&seconds, data + AT_SECONDS, sizeof(seconds));
	when = (time_t)seconds;
	if (localtime_r(&when, &tm) &&
	    strftime(text, sizeof(text), "%Y/%m/%d %H:%M:%S ", &tm) > 0)
		text_add(out, text);
}

bool logline_add(const char *daemon, const void *data, size_t len, struct wr *out)
{
	uint32_t header, text_len, mark, lost;
	const uint8_t *p = data;

	if (len < HEADER_MIN)
		return false;
	header = get_u32(p, AT_HEADER_LEN);
	text_len = get_u32(p, AT_TEXT_LEN);
	mark = get_u32(p, AT_MARK_LEN);
	lost = get_u32(p, AT_LOST);
	if (header < HEADER_MIN || header > len)
		return false;
	if (text_len > len - header)
		text_len = (uint32_t)(len - header);
	if (mark > text_len)
		mark = 0;
	if (lost > 0)
		text_addf(out, "%s: %u log messages before this were lost\n", daemon, lost);
	stamp_add(p, out);
	text_addf(out, "%s: %s: ", daemon, priority_name(get_u32(p, AT_PRIORITY)));
	wr_bytes(out, p + header + mark, text_len - mark);
	wr_u8(out, '\n');
	return true;
}
