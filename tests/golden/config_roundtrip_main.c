/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads a configuration file and prints what `show running-config` prints of
 * it, below libfrr's heading. Errors go to standard error; the exit status is
 * 1 if there were any. What could be read is printed all the same.
 */
#include "lib/frr_compat.h"

#include "buffer.h"
#include "command.h"
#include "memory.h"
#include "vector.h"
#include "vty.h"

#include "controller/vty/config_vty.h"

static struct config cfg;

static void complain(const char *text, void *arg)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

/* As libfrr's vty_write_config() does, less its heading, its own nodes and what
 * it puts between nodes, which differ from version to version. */
static void write_config(struct vty *vty)
{
	for (unsigned int i = NODE_TYPE_MAX + 1; i < vector_active(cmdvec); i++) {
		struct cmd_node *node = vector_slot(cmdvec, i);

		if (node && node->config_write)
			node->config_write(vty);
	}
}

int main(int argc, char **argv)
{
	struct event_loop *loop = event_master_create("config_roundtrip");
	struct vty *vty;
	char *text;
	int errors;

	if (argc != 2) {
		fprintf(stderr, "usage: config_roundtrip FILE\n");
		return 2;
	}
	cmd_init(1);
	vty_init(loop, false);
	config_init(&cfg);
	config_vty_init(&cfg);
	errors = config_vty_read(argv[1], complain, NULL);
	vty = vty_new();
	vty->type = VTY_FILE;
	write_config(vty);
	text = buffer_getstr(vty->obuf);
	fputs(text, stdout);
	XFREE(MTYPE_TMP, text);
	vty_close(vty);
	config_fini(&cfg);
	return errors == 0 ? 0 : 1;
}
