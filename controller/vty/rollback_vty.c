/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/rollback_vty.h"

#include "json.h"

#include "controller/vty/grammar_vty.h"
#include "controller/vty/journal_vty.h"
#include "controller/vty/show_json_vty.h"
#include "controller/vty/text_diff.h"
#include "lib/mem.h"
#include "lib/stamp.h"

#define RETRY_S	  5
#define TOLD_EACH 12 /* failures: once a minute */

static struct savd *savd;
static struct event_loop *loop;
static struct event *t_due;
static unsigned int failures; /* of the return, in a row */

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int fail(struct vty *vty, const struct diag *diag)
{
	vty_out(vty, "%% %s\n", diag->text);
	return CMD_WARNING_CONFIG_FAILED;
}

/* ---- differences ---- */

static int each_diff(const char *old, const char *new, text_diff_fn *fn, void *arg)
{
	struct text_config a, b;
	int rc;

	text_config_parse(&a, old);
	text_config_parse(&b, new);
	rc = text_config_diff(&a, &b, fn, arg);
	text_config_fini(&a);
	text_config_fini(&b);
	return rc;
}

struct printer {
	struct vty *vty;
	bool any;
};

/* What stays of the object is only named. */
static int print_object(const char *heading, const char *diff, void *arg)
{
	struct printer *p = arg;
	size_t len = strlen(heading);

	if (len != 0 &&
	    (strncmp(diff + 1, heading, len) != 0 || diff[1 + len] != '\n'))
		vty_out(p->vty, " %s\n", heading);
	vty_out(p->vty, "%s", diff);
	p->any = true;
	return 0;
}

bool rollback_print_diff(struct vty *vty, const char *old, const char *new)
{
	struct printer p = { .vty = vty };

	each_diff(old, new, print_object, &p);
	return p.any;
}

static int json_object_of(const char *heading, const char *diff, void *arg)
{
	struct json_object *json = json_object_new_object();
	struct json_object *lists[2] = { json_object_new_array(), json_object_new_array() };

	while (*diff != '\0') {
		size_t len = strcspn(diff, "\n");

		json_object_array_add(lists[diff[0] == '+'],
				      json_object_new_string_len(diff + 1, (int)len - 1));
		diff += len + 1;
	}
	json_object_string_add(json, "object", heading);
	json_object_object_add(json, "removed", lists[0]);
	json_object_object_add(json, "added", lists[1]);
	json_object_array_add(arg, json);
	return 0;
}

/* What the newest revision did, or all that would be undone. */
static int default_revision(int64_t *revision, struct diag *diag)
{
	struct store_pending p;
	int got = store_pending_get(savd->store, &p, diag);

	if (got < 0)
		return -1;
	*revision = got == 1 ? p.revision : journal_revision() - 1;
	if (*revision >= 0)
		return 0;
	return diag_set(diag, "there is no revision yet: nothing was changed so far");
}

DEFUN (show_configuration_diff,
       show_configuration_diff_cmd,
       "show configuration diff [(0-2147483647)] [json]",
       SHOW_STR
       "Configuration information\n"
       "What changed since a revision; else the last change, or what waits for \"commit\"\n"
       "Number of the revision, as \"show history\" has it\n"
       JSON_HELP)
{
	struct json_object *json, *list;
	int64_t revision;
	struct diag diag;
	char *old, *new;
	int at = 0;

	if (argv_find(argv, argc, "(0-2147483647)", &at))
		revision = strtoll(argv[at]->arg, NULL, 10);
	else if (default_revision(&revision, &diag) < 0)
		return fail(vty, &diag);
	old = journal_text_of(revision, &diag);
	if (!old)
		return fail(vty, &diag);
	new = config_vty_text(&savd->cfg);
	if (show_wants_json(argv, argc)) {
		json = json_object_new_object();
		list = json_object_new_array();
		each_diff(old, new, json_object_of, list);
		json_object_int_add(json, "fromRevision", revision);
		json_object_int_add(json, "toRevision", journal_revision());
		json_object_object_add(json, "changes", list);
		show_print_json(vty, json);
	} else if (!rollback_print_diff(vty, old, new)) {
		vty_out(vty, "nothing changed since revision %lld\n", (long long)revision);
	}
	free(old);
	free(new);
	return CMD_SUCCESS;
}

/* ---- back ---- */

static int return_to(int64_t revision, struct diag *diag)
{
	struct config target;
	int rc;

	if (journal_config_of(revision, &target, diag) < 0)
		return -1;
	rc = journal_replace(&target, diag);
	config_fini(&target);
	return rc;
}

DEFUN (rollback,
       rollback_cmd,
       "rollback (0-2147483647)",
       "Go back to an earlier configuration, as one new change\n"
       "Number of the revision to return to, as \"show history\" has it\n")
{
	int64_t revision = strtoll(argv[1]->arg, NULL, 10), before = journal_revision();
	struct diag diag;

	if (return_to(revision, &diag) < 0)
		return grammar_result(vty, -1, &diag);
	if (journal_revision() == before)
		vty_out(vty, "the configuration is that of revision %lld already\n",
			(long long)revision);
	else
		vty_out(vty,
			"the configuration is that of revision %lld; to undo: \"rollback "
			"%lld\"\n",
			(long long)revision, (long long)before);
	return CMD_SUCCESS;
}

/* ---- commit confirmed ---- */

static void on_due(struct event *t)
{
	struct store_pending p;
	struct diag diag;
	char who[STORE_WHO_SIZE], line[64];
	int rc;

	(void)t;
	rc = store_pending_get(savd->store, &p, &diag);
	if (rc == 0)
		return;
	if (rc == 1) {
		snprintf(who, sizeof(who), "savd for %.100s", p.who);
		snprintf(line, sizeof(line), "rollback %lld", (long long)p.revision);
		journal_self_begin(who, line);
		rc = return_to(p.revision, &diag);
		journal_self_end();
	}
	/* gone last: if savd ends in between, it returns once more */
	if (rc == 0)
		rc = store_pending_set(savd->store, NULL, &diag);
	if (rc < 0) {
		if (failures++ % TOLD_EACH == 0)
			savd_note(true, "the commit was not confirmed, and going back failed: "
					"%s; trying again every %d s", diag.text, RETRY_S);
		event_add_timer(loop, on_due, NULL, RETRY_S, &t_due);
		return;
	}
	failures = 0;
	savd_note(true,
		  "the commit of %s was not confirmed: the configuration is that of revision "
		  "%lld again",
		  p.who, (long long)p.revision);
}

static void await(const struct store_pending *p)
{
	int64_t left_ms = p->due_ms - wall_ms();

	EVENT_OFF(t_due);
	event_add_timer_msec(loop, on_due, NULL, left_ms > 0 ? (long)left_ms : 0, &t_due);
}

/* The first of several in a row says what to return to. */
static int pending_begin(struct store_pending *p, int64_t since, struct diag *diag)
{
	char *text;
	int got = store_pending_get(savd->store, p, diag);

	if (got < 0)
		return -1;
	if (got == 0)
		p->revision = since < 0 ? journal_revision() : since;
	else if (since >= 0 && since != p->revision)
		return diag_set(diag,
				"a commit waits already, to return to revision %lld: type "
				"\"commit\" or \"rollback %lld\" first",
				(long long)p->revision, (long long)p->revision);
	text = journal_text_of(p->revision, diag); /* is there such a revision? */
	if (!text && journal_revision() != 0)
		return -1;
	free(text);
	return 0;
}

DEFUN (commit_confirmed,
       commit_confirmed_cmd,
       "commit confirmed (1-1440) [since (0-2147483647)]",
       "Changes that undo themselves\n"
       "Undo all changes from now on, unless \"commit\" comes in time\n"
       "Minutes\n"
       "Undo also what was changed after a revision\n"
       "Number of the revision, as \"show history\" has it\n")
{
	struct store_pending p = { 0 };
	char text[STAMP_TEXT_SIZE];
	struct diag diag;

	if (pending_begin(&p, argc > 4 ? strtoll(argv[4]->arg, NULL, 10) : -1, &diag) < 0)
		return grammar_result(vty, -1, &diag);
	p.due_ms = wall_ms() + strtoll(argv[2]->arg, NULL, 10) * 60000;
	journal_who(p.who);
	if (store_pending_set(savd->store, &p, &diag) < 0)
		return grammar_result(vty, -1, &diag);
	journal_action();
	await(&p);
	vty_out(vty, "unless \"commit\" comes before %s, the configuration returns to "
		     "revision %lld\n",
		stamp_format(p.due_ms / 1000 * 1000, text), (long long)p.revision);
	return CMD_SUCCESS;
}

DEFUN (commit,
       commit_cmd,
       "commit",
       "Keep the changes made since \"commit confirmed\"\n")
{
	struct store_pending p;
	struct diag diag;
	int got = store_pending_get(savd->store, &p, &diag);

	if (got == 0) {
		vty_out(vty, "nothing waits for it: each command is in force and saved when "
			     "it is done\n");
		return CMD_SUCCESS;
	}
	if (got < 0 || store_pending_set(savd->store, NULL, &diag) < 0)
		return grammar_result(vty, -1, &diag);
	EVENT_OFF(t_due);
	journal_action();
	vty_out(vty, "confirmed: revision %lld stays\n", (long long)journal_revision());
	return CMD_SUCCESS;
}

void rollback_vty_start(void)
{
	struct store_pending p;
	struct diag diag;
	int got = store_pending_get(savd->store, &p, &diag);

	if (got < 0)
		zlog_err("%s", diag.text);
	else if (got == 1)
		await(&p);
}

void rollback_vty_init(struct event_loop *l, struct savd *s)
{
	loop = l;
	savd = s;
	install_element(ENABLE_NODE, &show_configuration_diff_cmd);
	install_element(ENABLE_NODE, &rollback_cmd);
	install_element(ENABLE_NODE, &commit_confirmed_cmd);
	install_element(ENABLE_NODE, &commit_cmd);
	install_element(CONFIG_NODE, &rollback_cmd);
	install_element(CONFIG_NODE, &commit_confirmed_cmd);
	install_element(CONFIG_NODE, &commit_cmd);
}

void rollback_vty_stop(void)
{
	EVENT_OFF(t_due);
}
