/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "controller/vty/show_json_vty.h"

bool show_wants_json(struct cmd_token *argv[], int argc)
{
	return argc > 0 && strcmp(argv[argc - 1]->text, "json") == 0;
}

int show_print_json(struct vty *vty, struct json_object *json)
{
	vty_out(vty, "%s\n",
		json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
	return CMD_SUCCESS;
}

static const char *on_one_line(struct json_object *json)
{
	return json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
}

void show_rows_begin(struct show_rows *rows, struct vty *vty, struct json_object *head,
		     const char *name)
{
	*rows = (struct show_rows){ .vty = vty };
	if (head) {
		const char *text = on_one_line(head);

		vty_out(vty, "%.*s,\n", (int)strlen(text) - 1, text); /* stays open */
		json_object_free(head);
	} else {
		vty_out(vty, "{\n");
	}
	vty_out(vty, "\"%s\":[", name);
}

void show_rows_add(struct show_rows *rows, struct json_object *row)
{
	vty_out(rows->vty, "%s\n%s", rows->n++ == 0 ? "" : ",", on_one_line(row));
	json_object_free(row);
}

int show_rows_end(struct show_rows *rows)
{
	vty_out(rows->vty, "%s]\n}\n", rows->n == 0 ? "" : "\n");
	return CMD_SUCCESS;
}
