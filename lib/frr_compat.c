/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include <grp.h>

#include "version.h"
#include "yang.h"

#include "opensav_config.h"

/* frr_init() ends the process if there is no module frr-module-translator. A
 * static libfrr has it in an object that nothing refers to, so the linker drops
 * it, and FRR's own file is there only where FRR is installed. The module
 * describes translation files for YANG; none of our daemons loads one, so an
 * empty one does. */
static struct yang_module_embed translator = {
	.mod_name = "frr-module-translator",
	.mod_rev = "",
	.sub_mod_name = "",
	.sub_mod_rev = "",
	.data = "module frr-module-translator {\n"
		" yang-version 1.1;\n"
		" namespace \"http://frrouting.org/yang/frr-module-translator\";\n"
		" prefix frr-module-translator;\n"
		"}\n",
	.format = LYS_IN_YANG,
};

/* Before main(), so that no daemon can forget it. */
__attribute__((constructor)) static void translator_embed(void)
{
	yang_module_embed(&translator);
}

void frr_compat_link(void)
{
}

void frr_version_option(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") != 0 && strcmp(argv[i], "--version") != 0)
			continue;
		printf("%s %s (with FRRouting's library %s)\n", name, PACKAGE_VERSION,
		       FRR_VERSION);
		exit(0);
	}
}

const char *frr_vty_group(const char *user)
{
	static const char name[] = "opensavvty";
	struct group *group = getgrnam(name);

	for (char **m = group ? group->gr_mem : NULL; m && *m; m++) {
		if (strcmp(*m, user) == 0)
			return name;
	}
	return NULL;
}
