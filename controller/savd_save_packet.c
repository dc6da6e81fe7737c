/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_save_packet.h"

#include "log.h"

#include "controller/savd_history.h"

#define SAVE_DELAY_MS 20
/* Another program has the database, or its disk is full. */
#define SAVE_RETRY_MS 500
#define TRIM_S	      600
#define TRIM_FIRST_S  10
#define TRIM_NEXT_MS  100

static struct {
	struct savd *savd;
	struct event_loop *loop;
	struct event *t_save, *t_trim;
	int64_t failing_ms; /* since when nothing can be saved; 0: all is well */
	struct diag why;
} save;

static void on_save(struct event *t);

void savd_save_soon(void)
{
	if (!save.t_save)
		event_add_timer_msec(save.loop, on_save, NULL, SAVE_DELAY_MS, &save.t_save);
}

void savd_note(bool alarm, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (alarm)
		zlog_warn("%s", text);
	else
		zlog_info("%s", text);
	if (!save.savd)
		return;
	savd_history_event(save.savd->history, alarm, text);
	savd_save_soon();
}

/* Said once: it may last, and what is said is to be saved as well. */
static void failed(const struct diag *diag)
{
	save.why = *diag;
	if (save.failing_ms == 0) {
		save.failing_ms = savd_now_ms();
		savd_note(true, "%s; filters go out all the same, and are saved when that is "
				"possible", diag->text);
	}
	EVENT_OFF(save.t_save);
	event_add_timer_msec(save.loop, on_save, NULL, SAVE_RETRY_MS, &save.t_save);
}

const char *savd_save_trouble(int64_t *since_ms)
{
	*since_ms = save.failing_ms;
	return save.failing_ms != 0 ? save.why.text : NULL;
}

static void succeeded(void)
{
	int64_t ms = savd_now_ms() - save.failing_ms;

	if (save.failing_ms == 0)
		return;
	save.failing_ms = 0;
	savd_note(false, "the database takes changes again, after %lld.%03lld s",
		  (long long)(ms / 1000), (long long)(ms % 1000));
}

/* Honest traffic may wait for a filter, and a disk may be busy or full: it is
 * sent first and saved after, bit by bit. Meanwhile the disk has an older good one. */
static int save_some(void)
{
	struct diag diag;
	int more = savd_history_save(save.savd->history, &diag);

	EVENT_OFF(save.t_save);
	if (more < 0)
		failed(&diag);
	else
		succeeded();
	return more;
}

static void on_save(struct event *t)
{
	int64_t began_us = frr_now_us();

	(void)t;
	if (save_some() > 0) { /* no more than a third of the time */
		EVENT_OFF(save.t_save);
		event_add_timer_msec(save.loop, on_save, NULL,
				     (long)((frr_now_us() - began_us) / 500) + 1,
				     &save.t_save);
	}
}

void savd_save(void)
{
	while (save.t_save && save_some() > 0)
		savd_save_soon();
}

/* Bit by bit, so that nothing else waits for it. */
static void on_trim(struct event *t)
{
	struct diag diag;
	int more = savd_history_trim(save.savd->history, &diag);

	(void)t;
	if (more < 0)
		savd_note(true, "%s", diag.text);
	event_add_timer_msec(save.loop, on_trim, NULL, more > 0 ? TRIM_NEXT_MS : TRIM_S * 1000,
			     &save.t_trim);
}

void savd_save_trim(void)
{
	event_add_timer(save.loop, on_trim, NULL, TRIM_FIRST_S, &save.t_trim);
}

void savd_save_start(struct savd *savd, struct event_loop *loop)
{
	savd->history = savd_history_new(savd);
	save.savd = savd;
	save.loop = loop;
}

void savd_save_all(void)
{
	while (save_some() > 0)
		;
}

void savd_save_stop(void)
{
	EVENT_OFF(save.t_save);
	EVENT_OFF(save.t_trim);
	savd_history_free(save.savd->history);
	save.savd->history = NULL;
	save.savd = NULL;
}
