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

/* {"ipv4":[PREFIX...],"ipv6":[...]} */
struct json_object *show_set_json(const struct addrset *set);
/* Indented below a title with their number. */
void show_set(struct vty *vty, const char *title, const struct addrset *set);

#endif /* SAV_SHOW_JSON_VTY_H */
