/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "controller/vty/history_vty.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/vty/journal_vty.h"
#include "controller/vty/show_json_vty.h"
#include "lib/stamp.h"

#define LAST_DEFAULT 30

static struct savd *savd;

struct lister {
	struct vty *vty;
	struct json_object *list; /* NULL: text */
	int64_t left;
	const char *router; /* events that name it, NULL: all */
};

static void lister_init(struct lister *l, struct vty *vty, struct cmd_token *argv[], int argc)
{
	int at = 0;

	*l = (struct lister){ .vty = vty, .left = LAST_DEFAULT };
	if (argv_find(argv, argc, "last", &at))
		l->left = strtoll(argv[at + 1]->arg, NULL, 10);
	if (show_wants_json(argv, argc))
		l->list = json_object_new_array();
}

static const char *when(int64_t ms, char text[STAMP_TEXT_SIZE])
{
	return stamp_format(ms / 1000 * 1000, text);
}

/* json: the object that the list goes to; NULL: text. */
static int end_list(struct lister *l, int rc, struct json_object *json,
		    const struct diag *diag)
{
	if (rc == 0)
		return json ? show_print_json(l->vty, json) : CMD_SUCCESS;
	vty_out(l->vty, "%% %s\n", diag->text);
	json_object_free(json);
	return CMD_WARNING;
}

/* ---- commands ---- */

static void json_command(struct lister *l, const struct store_command *c)
{
	struct json_object *json = json_object_new_object();
	char text[STAMP_TEXT_SIZE];

	json_object_int_add(json, "id", c->id);
	json_object_string_add(json, "time", stamp_format(c->at_ms, text));
	json_object_string_add(json, "who", c->who);
	json_object_string_add(json, "command", c->line);
	if (c->revision != 0)
		json_object_int_add(json, "revision", c->revision);
	json_object_string_add(json, "result", c->result[0] ? c->result : "done");
	json_object_array_add(l->list, json);
}

static bool list_command(const struct store_command *c, void *arg)
{
	struct lister *l = arg;
	char text[STAMP_TEXT_SIZE], revision[24] = "-";

	if (l->left-- <= 0)
		return false;
	if (l->list) {
		json_command(l, c);
		return true;
	}
	if (c->revision != 0)
		snprintf(revision, sizeof(revision), "%lld", (long long)c->revision);
	vty_out(l->vty, "%-20s %8s  %-28s %s\n", when(c->at_ms, text), revision, c->who,
		c->line);
	if (c->result[0] != '\0')
		vty_out(l->vty, "    refused: %s\n", c->result);
	return true;
}

static void print_pending(struct vty *vty)
{
	struct store_pending p;
	struct diag diag;
	char text[STAMP_TEXT_SIZE];

	if (store_pending_get(savd->store, &p, &diag) == 1)
		vty_out(vty, "at %s the configuration returns to revision %lld, unless "
			     "\"commit\" comes first\n",
			when(p.due_ms, text), (long long)p.revision);
}

static void json_pending(struct json_object *json)
{
	struct json_object *pending = json_object_new_object();
	struct store_pending p;
	struct diag diag;
	char text[STAMP_TEXT_SIZE];

	if (store_pending_get(savd->store, &p, &diag) == 1) {
		json_object_string_add(pending, "time", stamp_format(p.due_ms, text));
		json_object_string_add(pending, "who", p.who);
		json_object_int_add(pending, "revision", p.revision);
	}
	json_object_object_add(json, "pending", pending);
}

DEFUN (show_history,
       opensav_show_history_cmd,
       "show history [last (1-1000000)] [json]",
       SHOW_STR
       "Commands that changed something or were refused, newest first\n"
       "How many\n"
       "Number of commands\n"
       JSON_HELP)
{
	struct json_object *json = NULL;
	struct lister l;
	struct diag diag;
	int rc;

	lister_init(&l, vty, argv, argc);
	if (l.list) {
		json = json_object_new_object();
		json_pending(json);
		json_object_object_add(json, "commands", l.list);
	} else {
		print_pending(vty);
		vty_out(vty, "%-20s %8s  %-28s %s\n", "Time", "Revision", "Who", "Command");
	}
	rc = store_commands_walk(savd->store, list_command, &l, &diag);
	return end_list(&l, rc, json, &diag);
}

/* ---- events ---- */

/* The name as a word of its own: r1 is not in "router r10". */
static bool names(const char *text, const char *router)
{
	static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._-";
	size_t len = strlen(router);

	for (const char *at = strstr(text, router); at; at = strstr(at + 1, router)) {
		if ((at == text || !strchr(more, at[-1])) &&
		    (at[len] == '\0' || !strchr(more, at[len])))
			return true;
	}
	return false;
}

static bool list_event(const struct store_event *e, void *arg)
{
	struct lister *l = arg;
	struct json_object *json;
	char text[STAMP_TEXT_SIZE];

	if (l->router && !names(e->text, l->router))
		return true;
	if (l->left-- <= 0)
		return false;
	if (!l->list) {
		vty_out(l->vty, "%-20s %-5s  %s\n", when(e->at_ms, text),
			e->alarm ? "ALARM" : "", e->text);
		return true;
	}
	json = json_object_new_object();
	json_object_string_add(json, "time", stamp_format(e->at_ms, text));
	json_object_boolean_add(json, "alarm", e->alarm);
	json_object_string_add(json, "text", e->text);
	json_object_array_add(l->list, json);
	return true;
}

static int events(struct vty *vty, struct cmd_token *argv[], int argc, const char *router)
{
	struct json_object *json = NULL;
	struct lister l;
	struct diag diag;
	int rc;

	savd_save();
	lister_init(&l, vty, argv, argc);
	l.router = router;
	if (l.list) {
		json = json_object_new_object();
		json_object_object_add(json, "events", l.list);
	}
	rc = store_events_walk(savd->store, INT64_MAX, list_event, &l, &diag);
	return end_list(&l, rc, json, &diag);
}

DEFUN (show_events,
       show_events_cmd,
       "show events [last (1-1000000)] [json]",
       SHOW_STR
       "What happened to feeds, routers, edges: newest first\n"
       "How many\n"
       "Number of events\n"
       JSON_HELP)
{
	return events(vty, argv, argc, NULL);
}

DEFUN (show_events_router,
       show_events_router_cmd,
       "show events ROUTER [last (1-1000000)] [json]",
       SHOW_STR
       "What happened to feeds, routers, edges: newest first\n"
       "Events that name this router\n"
       "How many\n"
       "Number of events\n"
       JSON_HELP)
{
	return events(vty, argv, argc, argv[2]->arg);
}

/* ---- install ---- */

static void take_away(enum node_type node, const char *string)
{
	struct cmd_node *cnode = vector_lookup(cmdvec, node);

	for (unsigned int i = 0; cnode && i < vector_active(cnode->cmd_vector); i++) {
		const struct cmd_element *cmd = vector_slot(cnode->cmd_vector, i);

		if (cmd && strcmp(cmd->string, string) == 0) {
			uninstall_element(node, cmd);
			return;
		}
	}
}

void history_vty_init(struct savd *s)
{
	savd = s;
	take_away(VIEW_NODE, "show history");
	take_away(CONFIG_NODE, "show history");
	install_element(VIEW_NODE, &opensav_show_history_cmd);
	install_element(VIEW_NODE, &show_events_cmd);
	install_element(VIEW_NODE, &show_events_router_cmd);
	past_vty_init(s);
}
