/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frr_compat - the one door to libfrr; include it before any other header.
 *
 * FRR 9 renamed its event loop (thread_add_read to event_add_read, struct
 * thread to struct event, ...). The daemons use the new names; on FRR 8 they
 * are mapped here onto the old ones. Only files with an edge suffix (_main,
 * _vty, _zebra, _packet, _nl) include this header: cores never see libfrr.
 *
 * On FRR 8 "event" itself is a macro. A field or variable of that name is
 * renamed with it, which is harmless as long as all of its uses come after
 * this header: hence the rule above.
 */
#ifndef SAV_FRR_COMPAT_H
#define SAV_FRR_COMPAT_H

/* zebra.h reads its own config.h (struct layouts depend on it) only if told
 * that there is one. It lies next to zebra.h, so ours is not taken for it. */
#ifndef HAVE_CONFIG_H
#define HAVE_CONFIG_H 1
#endif

#include <zebra.h>

/* The header's name is the most reliable mark of the series: FRR_VERSION is
 * a string, and distributions patch it. */
#if __has_include("frrevent.h")

#include "frrevent.h"

#ifndef EVENT_OFF /* gone again in later releases */
#define EVENT_OFF(ev) event_cancel(&(ev))
#endif

#else /* FRR 8 */

#include "thread.h"

#define event thread
#define event_loop thread_master

#define EVENT_ARG(ev) THREAD_ARG(ev)
#define EVENT_FD(ev) THREAD_FD(ev)
#define EVENT_VAL(ev) THREAD_VAL(ev)
#define EVENT_OFF(ev) THREAD_OFF(ev)

#define event_add_read(loop, fn, arg, fd, ref) thread_add_read(loop, fn, arg, fd, ref)
#define event_add_write(loop, fn, arg, fd, ref) thread_add_write(loop, fn, arg, fd, ref)
#define event_add_timer(loop, fn, arg, s, ref) thread_add_timer(loop, fn, arg, s, ref)
#define event_add_timer_msec(loop, fn, arg, ms, ref)                                      \
	thread_add_timer_msec(loop, fn, arg, ms, ref)
#define event_add_timer_tv(loop, fn, arg, tv, ref)                                        \
	thread_add_timer_tv(loop, fn, arg, tv, ref)
#define event_add_event(loop, fn, arg, val, ref) thread_add_event(loop, fn, arg, val, ref)
#define event_execute(loop, fn, arg, val) thread_execute(loop, fn, arg, val)

#define event_cancel(ref) thread_cancel(ref)
#define event_cancel_async(loop, ref, arg) thread_cancel_async(loop, ref, arg)
#define event_cancel_event(loop, arg) thread_cancel_event(loop, arg)
#define event_cancel_event_ready(loop, arg) thread_cancel_event_ready(loop, arg)
#define event_is_scheduled(ev) thread_is_scheduled(ev)
#define event_timer_remain(ev) thread_timer_remain(ev)
#define event_timer_remain_second(ev) thread_timer_remain_second(ev)
#define event_timer_remain_msec(ev) thread_timer_remain_msec(ev)
#define event_should_yield(ev) thread_should_yield(ev)
#define event_set_yield_time(ev, us) thread_set_yield_time(ev, us)

#define event_master_create(name) thread_master_create(name)
#define event_master_free(loop) thread_master_free(loop)
#define event_fetch(loop, ev) thread_fetch(loop, ev)
#define event_call(ev) thread_call(ev)

#endif /* FRR 8 */

#include "monotime.h"

/* The clock of the event loop in microseconds. monotime() itself returns whole
 * seconds. */
static inline int64_t frr_now_us(void)
{
	struct timeval tv;

	monotime(&tv);
	return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

/* Does nothing; a reference to it links frr_compat.c, which repairs what a
 * static libfrr lacks. lib/shell_vty.c has one, and every daemon links that. */
void frr_compat_link(void);

/* Answers -v and --version with our version, where libfrr would give its own.
 * Before frr_preinit(). */
void frr_version_option(const char *name, int argc, char **argv);

/* The group that may use the daemons' VTY sockets, if this system has it and
 * user is in it; else NULL. libfrr ends the process over a group that the
 * daemon's user is not in. Ask after frr_getopt(), for it knows -u. */
const char *frr_vty_group(const char *user);

#endif /* SAV_FRR_COMPAT_H */
