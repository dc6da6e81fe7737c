/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * logline - decoder of what libfrr sends a shell after "terminal monitor".
 *
 * Each message is one packet: a header in the byte order of the machine, as
 * libfrr's lib/zlog_live.h has it, then the text. The offsets used here have
 * been the same since that file appeared in FRR 8.3.
 */
#ifndef SAVSH_LOGLINE_H
#define SAVSH_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/wr.h"

#define LOGLINE_PACKET_MAX 8192 /* the rest of a longer one is not shown */

/* Appends "DATE TIME DAEMON: PRIORITY: TEXT\n" to out, after a line about
 * messages that were lost, if some were. False: not such a packet, out is as it
 * was. */
bool logline_add(const char *daemon, const void *data, size_t len, struct wr *out);

#endif /* SAVSH_LOGLINE_H */
