/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "libfrr.h"
#include "vector.h"
#include "version.h"
#include "vty.h"

#include "opensav_config.h"

#include "lib/version_vty.h"

DEFUN (version_show,
       version_show_cmd,
       "show version [json]",
       SHOW_STR
       "Version of this daemon\n"
       "JavaScript Object Notation\n")
{
	struct json_object *json;

	if (strcmp(argv[argc - 1]->text, "json") != 0) {
		vty_out(vty, "%s %s of OpenSAV, with FRRouting's library %s\n",
			frr_get_progname(), PACKAGE_VERSION, FRR_VERSION);
		return CMD_SUCCESS;
	}
	json = json_object_new_object();
	json_object_string_add(json, "program", frr_get_progname());
	json_object_string_add(json, "version", PACKAGE_VERSION);
	json_object_string_add(json, "libfrr", FRR_VERSION);
	vty_out(vty, "%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY));
	json_object_free(json);
	return CMD_SUCCESS;
}

/* It is static there. */
static const struct cmd_element *command_of_libfrr(const char *text)
{
	struct cmd_node *node = vector_lookup(cmdvec, VIEW_NODE);

	for (unsigned int i = 0; i < vector_active(node->cmd_vector); i++) {
		const struct cmd_element *cmd = vector_slot(node->cmd_vector, i);

		if (cmd && strcmp(cmd->string, text) == 0)
			return cmd;
	}
	return NULL;
}

void version_vty_init(void)
{
	const struct cmd_element *theirs = command_of_libfrr("show version");

	if (theirs)
		uninstall_element(VIEW_NODE, theirs);
	install_element(VIEW_NODE, &version_show_cmd);
}
