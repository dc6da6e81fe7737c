/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Check and backup run in a thread with a connection of its own, vacuum bit by bit
 * in the event loop: nobody waits for them but the VTY that asked.
 */
#include "controller/vty/database_vty.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/store/store_maintain.h"
#include "controller/vty/journal_vty.h"
#include "controller/vty/later_vty.h"
#include "controller/vty/show_json_vty.h"
#include "lib/mem.h"
#include "lib/stamp.h"

/* Some milliseconds of work, then everybody else's turn. */
#define VACUUM_PAGES 32
#define VACUUM_MS    2
/* Of check and backup: what savd itself does comes first. */
#define THREAD_NICE 10

enum work_kind {
	WORK_NONE,
	WORK_CHECK,
	WORK_BACKUP,
	WORK_VACUUM,
};

static const char *const kind_words[] = {
	[WORK_NONE] = "",
	[WORK_CHECK] = "check",
	[WORK_BACKUP] = "backup",
	[WORK_VACUUM] = "vacuum",
};

/* One at a time; what it is given and gives back is the thread's while it runs. */
static struct {
	enum work_kind kind;
	char path[PATH_MAX], to[PATH_MAX];
	atomic_bool stop;
	int result;
	struct diag diag;
	pthread_t thread;
	int done[2];   /* a pipe; the thread's end of it closes when it has finished */
	struct later *later; /* of the VTY that waits, or NULL */
	int64_t began_ms;
	int64_t freed; /* bytes, by vacuum */
	/* the last one of each kind */
	struct {
		int64_t at_ms; /* since 1970; 0: none yet */
		int64_t took_ms;
		bool good;
		char text[sizeof(((struct diag *)0)->text)];
	} last[WORK_VACUUM + 1];
} work;

static struct savd *savd;
static struct event_loop *loop;
static struct event *t_work;

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the VTY that waits ---- */

static int suspend(struct vty *vty)
{
	work.later = later_new(loop, vty);
	if (work.later)
		return CMD_SUSPEND;
	vty_out(vty, "it has begun: \"show database\" tells how it ends\n");
	return CMD_SUCCESS;
}

static void answer(const char *text, int status)
{
	char out[sizeof(work.diag.text) + 8];

	snprintf(out, sizeof(out), "%s%s\n", status == CMD_SUCCESS ? "" : "% ", text);
	if (work.later)
		later_answer(work.later, mem_strdup(out), status);
	work.later = NULL;
}

static void finish(void)
{
	enum work_kind kind = work.kind;
	int64_t now_ms = wall_ms();

	work.kind = WORK_NONE;
	work.last[kind].at_ms = now_ms;
	work.last[kind].took_ms = now_ms - work.began_ms;
	work.last[kind].good = work.result == 0;
	snprintf(work.last[kind].text, sizeof(work.last[kind].text), "%s", work.diag.text);
	savd_note(work.result < 0, "database %s: %s", kind_words[kind], work.diag.text);
	answer(work.diag.text, work.result == 0 ? CMD_SUCCESS : CMD_WARNING);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
	(void)arg;
	setpriority(PRIO_PROCESS, 0, THREAD_NICE); /* of this thread, on Linux */
	if (work.kind == WORK_CHECK)
		work.result = store_check(work.path, &work.stop, &work.diag);
	else
		work.result = store_backup(work.path, work.to, &work.stop, &work.diag);
	if (work.result == 0 && work.kind == WORK_CHECK)
		diag_set(&work.diag, "%s is sound", work.path);
	else if (work.result == 0)
		diag_set(&work.diag, "%s is complete and on disk", work.to);
	close(work.done[1]);
	return NULL;
}

static void join(void)
{
	pthread_join(work.thread, NULL);
	close(work.done[0]);
}

static void on_done(struct event *t)
{
	(void)t;
	join();
	finish();
}

/* Signals are the main thread's. */
static int thread_start(void)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&work.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static bool is_busy(struct vty *vty)
{
	if (work.kind != WORK_NONE)
		vty_out(vty,
			"%% database %s is still at work: wait for it, \"show database\" "
			"tells\n",
			kind_words[work.kind]);
	return work.kind != WORK_NONE;
}

static void begin(enum work_kind kind)
{
	work.kind = kind;
	work.result = 0;
	work.began_ms = wall_ms();
	work.later = NULL;
	atomic_store(&work.stop, false);
	journal_action();
}

static int start(struct vty *vty, enum work_kind kind)
{
	struct store_size size;
	struct diag diag;
	int rc;

	if (is_busy(vty))
		return CMD_WARNING;
	savd_save();
	if (store_size(savd->store, &size, &diag) < 0) {
		vty_out(vty, "%% %s\n", diag.text);
		return CMD_WARNING;
	}
	snprintf(work.path, sizeof(work.path), "%s", size.path);
	if (pipe2(work.done, O_CLOEXEC) < 0) {
		vty_out(vty, "%% no pipe: %s\n", strerror(errno));
		return CMD_WARNING;
	}
	begin(kind);
	rc = thread_start();
	if (rc != 0) {
		work.kind = WORK_NONE;
		close(work.done[0]);
		close(work.done[1]);
		vty_out(vty, "%% no thread: %s\n", strerror(rc));
		return CMD_WARNING;
	}
	event_add_read(loop, on_done, NULL, work.done[0], &t_work);
	return suspend(vty);
}

DEFUN (database_check,
       database_check_cmd,
       "database check",
       "The database that has configuration, filters and history\n"
       "Read all of it: is it sound?\n")
{
	return start(vty, WORK_CHECK);
}

DEFUN (database_backup,
       database_backup_cmd,
       "database backup FILE",
       "The database that has configuration, filters and history\n"
       "A copy as it is now, while savd goes on\n"
       "Path of a file that is not there yet\n")
{
	if (!is_busy(vty))
		snprintf(work.to, sizeof(work.to), "%s", argv[2]->arg);
	return start(vty, WORK_BACKUP);
}

/* ---- vacuum ---- */

static int free_bytes(int64_t *bytes, struct diag *diag)
{
	struct store_size size;

	if (store_size(savd->store, &size, diag) < 0)
		return -1;
	*bytes = size.free_bytes;
	return 0;
}

static void on_vacuum(struct event *t)
{
	int more = store_vacuum(savd->store, VACUUM_PAGES, &work.diag);
	int64_t left = 0;

	(void)t;
	if (more > 0) {
		event_add_timer_msec(loop, on_vacuum, NULL, VACUUM_MS, &t_work);
		return;
	}
	if (more == 0)
		more = free_bytes(&left, &work.diag);
	work.result = more;
	if (more == 0)
		diag_set(&work.diag, "%lld bytes were given back to the file system%s",
			 (long long)(work.freed - left),
			 left > 0 ? "; the rest needs a restart of savd" : "");
	finish();
}

DEFUN (database_vacuum,
       database_vacuum_cmd,
       "database vacuum",
       "The database that has configuration, filters and history\n"
       "Give the room of what was deleted back to the file system\n")
{
	struct diag diag;

	if (is_busy(vty))
		return CMD_WARNING;
	if (free_bytes(&work.freed, &diag) < 0) {
		vty_out(vty, "%% %s\n", diag.text);
		return CMD_WARNING;
	}
	begin(WORK_VACUUM);
	event_add_event(loop, on_vacuum, NULL, 0, &t_work);
	return suspend(vty);
}

/* ---- show ---- */

static void print_last(struct vty *vty, enum work_kind kind)
{
	char text[STAMP_TEXT_SIZE];

	if (work.last[kind].at_ms == 0)
		return;
	vty_out(vty, "  last %s %s (%lld ms): %s\n", kind_words[kind],
		stamp_format(work.last[kind].at_ms / 1000 * 1000, text),
		(long long)work.last[kind].took_ms, work.last[kind].text);
}

static struct json_object *json_last(enum work_kind kind)
{
	struct json_object *json = json_object_new_object();
	char text[STAMP_TEXT_SIZE];

	if (work.last[kind].at_ms == 0)
		return json;
	json_object_string_add(json, "time", stamp_format(work.last[kind].at_ms, text));
	json_object_int_add(json, "milliseconds", work.last[kind].took_ms);
	json_object_boolean_add(json, "good", work.last[kind].good);
	json_object_string_add(json, "text", work.last[kind].text);
	return json;
}

DEFUN (show_database,
       show_database_cmd,
       "show database [json]",
       SHOW_STR
       "The database: its size, and what was done to it\n"
       JSON_HELP)
{
	struct store_size size;
	struct json_object *json;
	struct diag diag;
	const char *trouble;
	int64_t since_ms;

	if (store_size(savd->store, &size, &diag) < 0) {
		vty_out(vty, "%% %s\n", diag.text);
		return CMD_WARNING;
	}
	trouble = savd_save_trouble(&since_ms);
	if (show_wants_json(argv, argc)) {
		json = json_object_new_object();
		json_object_string_add(json, "path", size.path);
		json_object_int_add(json, "schema", size.schema);
		json_object_int_add(json, "bytes", size.bytes);
		json_object_int_add(json, "freeBytes", size.free_bytes);
		json_object_int_add(json, "logBytes", size.wal_bytes);
		json_object_string_add(json, "trouble", trouble ? trouble : "");
		json_object_string_add(json, "running", kind_words[work.kind]);
		json_object_object_add(json, "check", json_last(WORK_CHECK));
		json_object_object_add(json, "backup", json_last(WORK_BACKUP));
		json_object_object_add(json, "vacuum", json_last(WORK_VACUUM));
		return show_print_json(vty, json);
	}
	vty_out(vty, "%s\n  schema %d, %lld bytes, %lld of them free; write-ahead log %lld "
		     "bytes\n",
		size.path, size.schema, (long long)size.bytes, (long long)size.free_bytes,
		(long long)size.wal_bytes);
	if (trouble)
		vty_out(vty, "  ALARM: for %lld s it takes no changes: %s\n",
			(long long)((savd_now_ms() - since_ms) / 1000), trouble);
	if (work.kind != WORK_NONE)
		vty_out(vty, "  %s is at work\n", kind_words[work.kind]);
	for (enum work_kind kind = WORK_CHECK; kind <= WORK_VACUUM; kind++)
		print_last(vty, kind);
	return CMD_SUCCESS;
}

void database_vty_init(struct event_loop *l, struct savd *s)
{
	loop = l;
	savd = s;
	install_element(ENABLE_NODE, &database_check_cmd);
	install_element(ENABLE_NODE, &database_backup_cmd);
	install_element(ENABLE_NODE, &database_vacuum_cmd);
	install_element(VIEW_NODE, &show_database_cmd);
}

void database_vty_stop(void)
{
	bool thread = work.kind == WORK_CHECK || work.kind == WORK_BACKUP;

	atomic_store(&work.stop, true);
	EVENT_OFF(t_work);
	if (thread)
		join();
	if (work.kind != WORK_NONE)
		answer("savd was stopped before it had finished", CMD_WARNING);
	work.kind = WORK_NONE;
}
