/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show_json_vty - how every show command answers in JSON.
 */
#ifndef SAV_SHOW_JSON_VTY_H
#define SAV_SHOW_JSON_VTY_H

#include "command.h"
#include "json.h"
#include "vty.h"

#include "lib/rangeset.h"

#define JSON_HELP "JavaScript Object Notation\n"

/* The last word of the command is json. */
bool show_wants_json(struct cmd_token *argv[], int argc);
/* Prints and frees it; CMD_SUCCESS. */
int show_print_json(struct vty *vty, struct json_object *json);

/* A list that may be long: {"NAME":[ROW,...]} with one row a line, so that neither all
 * of it is in memory at once nor are its rows hard to tell apart. head: an object with
 * at least one other member, which is freed; or NULL. */
struct show_rows {
	struct vty *vty;
	unsigned long n;
};

void show_rows_begin(struct show_rows *rows, struct vty *vty, struct json_object *head,
		     const char *name);
void show_rows_add(struct show_rows *rows, struct json_object *row); /* frees it */
int show_rows_end(struct show_rows *rows);			     /* CMD_SUCCESS */

/* {"ipv4":[PREFIX...],"ipv6":[...]} */
struct json_object *show_set_json(const struct addrset *set);
/* Indented below a title with their number. */
void show_set(struct vty *vty, const char *title, const struct addrset *set);

#endif /* SAV_SHOW_JSON_VTY_H */
