/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/grammar_vty.h"
#include "controller/vty/journal_vty.h"
#include "controller/vty/rollback_vty.h"
#include "lib/mem.h"

/* A file of another kind has an error in each of its lines. */
#define ERRORS_MAX 1000

static struct savd *savd;

struct teller {
	struct vty *vty;
	int told;
};

static void tell(const char *text, void *arg)
{
	struct teller *t = arg;

	if (t->told++ < ERRORS_MAX)
		grammar_error(t->vty, "%s", text);
}

/* The running configuration with the lines of the file; false: said what is wrong. */
static bool read_onto(struct vty *vty, const char *path, struct config *scratch)
{
	struct teller t = { .vty = vty };
	int errors;

	config_clone(scratch, &savd->cfg);
	errors = config_vty_read_into(scratch, path, tell, &t);
	if (errors == 0)
		return true;
	config_fini(scratch);
	if (errors < 0)
		return false;
	if (errors > ERRORS_MAX)
		vty_out(vty, "%% and %d more\n", errors - ERRORS_MAX);
	grammar_error(vty, "%s: %d line%s in error, nothing was changed", path, errors,
		      errors == 1 ? " is" : "s are");
	return false;
}

/* Read whole onto a copy first, then one transaction makes it so. */
DEFUN (copy_file,
       copy_file_cmd,
       "copy FILE running-config",
       "Copy configuration\n"
       "Path of a file on the controller's host\n"
       "Add its lines to the running configuration: all of them or none\n")
{
	struct config scratch;
	struct diag diag;
	int rc;

	if (!read_onto(vty, argv[1]->arg, &scratch))
		return CMD_WARNING;
	rc = journal_replace(&scratch, &diag);
	config_fini(&scratch);
	if (rc < 0)
		grammar_error(vty, "%s", diag.text);
	return rc < 0 ? CMD_WARNING : CMD_SUCCESS;
}

DEFUN (configure_check_file,
       configure_check_file_cmd,
       "configure check FILE",
       "Configuration\n"
       "Change nothing: what is wrong with it, or what it would change\n"
       "Path of a file on the controller's host\n")
{
	struct config scratch;
	char *old, *new;

	if (!read_onto(vty, argv[2]->arg, &scratch))
		return CMD_WARNING;
	old = config_vty_text(&savd->cfg);
	new = config_vty_text(&scratch);
	config_fini(&scratch);
	if (!rollback_print_diff(vty, old, new))
		vty_out(vty, "%s: no errors, and nothing that is not there already\n",
			argv[2]->arg);
	free(old);
	free(new);
	return CMD_SUCCESS;
}

DEFUN (configure_check,
       configure_check_cmd,
       "configure check",
       "Configuration\n"
       "Does what \"show running-config\" prints re-read to the same?\n")
{
	struct teller t = { .vty = vty };
	char *old = config_vty_text(&savd->cfg), *new;
	struct config scratch;
	int errors;

	config_init(&scratch);
	errors = config_vty_read_text(&scratch, old, tell, &t);
	new = config_vty_text(&scratch);
	config_fini(&scratch);
	if (errors == 0 && strcmp(old, new) == 0)
		vty_out(vty, "the running configuration is complete and re-reads to the same\n");
	else if (errors == 0)
		errors = rollback_print_diff(vty, old, new);
	free(old);
	free(new);
	return errors == 0 ? CMD_SUCCESS : CMD_WARNING;
}

void config_copy_vty_init(struct savd *s)
{
	savd = s;
	install_element(ENABLE_NODE, &copy_file_cmd);
	install_element(ENABLE_NODE, &configure_check_cmd);
	install_element(ENABLE_NODE, &configure_check_file_cmd);
}
