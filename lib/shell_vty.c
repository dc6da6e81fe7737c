/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "command_graph.h"
#include "hash.h"
#include "hook.h"
#include "libfrr.h"
#include "memory.h"
#include "vector.h"
#include "vty.h"

#include "lib/shell_vty.h"
#include "lib/version_vty.h"

/* Parents are followed this far; a node that is its own ancestor is a bug. */
#define LEVEL_MAX 16

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Undoes the shell's %XX in place. A line that ends too early or holds a NUL
 * is not one that savsh sends: false. */
static bool line_decode(char *line)
{
	const char *in = line;
	char *out = line;

	while (*in) {
		int hi, lo;

		if (*in != '%') {
			*out++ = *in++;
			continue;
		}
		hi = hex_digit(in[1]);
		lo = hi < 0 ? -1 : hex_digit(in[2]);
		if (lo < 0 || (hi == 0 && lo == 0))
			return false;
		*out++ = (char)(hi << 4 | lo);
		in += 3;
	}
	*out = '\0';
	return true;
}

/* The words of the line as libfrr's matcher wants them: a NULL word at the end
 * stands for "the next word has not been begun". NULL: no command line. */
static vector line_words(const char *encoded)
{
	char *line = XSTRDUP(MTYPE_TMP, encoded);
	vector words = NULL;
	size_t len;

	if (!line_decode(line))
		goto out;
	words = cmd_make_strvec(line);
	len = strlen(line);
	if (words) {
		if (isspace((unsigned char)line[len - 1]))
			vector_set(words, NULL);
	} else if (strspn(line, " \t\r\n") == len) {
		words = vector_init(1);
		vector_set(words, NULL);
	}
	/* "do" alone is stripped by the matcher, which then has no word to
	 * look at: it would offer the tokens of the line's beginning. */
	if (words && vector_active(words) == 1 && vector_slot(words, 0) &&
	    strcmp(vector_slot(words, 0), "do") == 0) {
		cmd_free_strvec(words);
		words = NULL;
	}
out:
	XFREE(MTYPE_TMP, line);
	return words;
}

/* Values that the daemon knows for a variable token (names of customers...). */
static void values_out(struct vty *vty, struct cmd_token *token, const char *begun)
{
	vector values = vector_init(8);
	unsigned int i;

	cmd_variable_complete(token, begun ? begun : "", values);
	for (i = 0; i < vector_active(values); i++) {
		char *value = vector_slot(values, i);

		vty_out(vty, "\t%s\n", value);
		XFREE(MTYPE_COMPLETION, value);
	}
	vector_free(values);
}

DEFUN_HIDDEN(shell_help, shell_help_cmd, "+help [LINE]",
	     "Help of the shell\n"
	     "Encoded line\n")
{
	vector words = line_words(argc > 1 ? argv[1]->arg : "");
	vector tokens;
	unsigned int i;
	int status;

	if (!words)
		return CMD_SUCCESS;
	tokens = cmd_describe_command(words, vty, &status);
	for (i = 0; tokens && i < vector_active(tokens); i++) {
		struct cmd_token *token = vector_slot(tokens, i);

		vty_out(vty, "%s\t%s\n", token->text, token->desc ? token->desc : "");
		if (IS_VARYING_TOKEN(token->type))
			values_out(vty, token,
				   vector_slot(words, vector_active(words) - 1));
	}
	if (tokens)
		vector_free(tokens);
	cmd_free_strvec(words);
	return CMD_SUCCESS;
}

DEFUN_HIDDEN(shell_complete, shell_complete_cmd, "+complete [LINE]",
	     "Completion of the shell\n"
	     "Encoded line\n")
{
	vector words = line_words(argc > 1 ? argv[1]->arg : "");
	char **found;
	int i, status;

	if (!words)
		return CMD_SUCCESS;
	found = cmd_complete_command(words, vty, &status);
	for (i = 0; found && found[i]; i++) {
		vty_out(vty, "%s\n", found[i]);
		XFREE(MTYPE_COMPLETION, found[i]);
	}
	XFREE(MTYPE_TMP, found);
	cmd_free_strvec(words);
	return CMD_SUCCESS;
}

static int node_level(int node)
{
	int level;

	if (node <= VIEW_NODE)
		return 0;
	if (node < CONFIG_NODE)
		return 1;
	for (level = 2; node > CONFIG_NODE && level < LEVEL_MAX; level++) {
		struct cmd_node *cnode = vector_lookup(cmdvec, node);

		node = cnode ? (int)cnode->parent_node : CONFIG_NODE;
	}
	return level;
}

DEFUN_HIDDEN(shell_prompt, shell_prompt_cmd, "+prompt", "Prompt of the shell\n")
{
	struct cmd_node *cnode = vector_lookup(cmdvec, vty->node);
	const char *prompt = cnode && cnode->prompt ? cnode->prompt : "%s# ";
	const char *host = cmd_hostname_get();
	const char *mark = strstr(prompt, "%s");

	vty_out(vty, "%d\t%s\t", node_level(vty->node), cnode ? cnode->name : "?");
	/* Not as a format: a prompt is another module's text. */
	if (mark)
		vty_out(vty, "%.*s%s%s\n", (int)(mark - prompt), prompt, host ? host : "",
			mark + 2);
	else
		vty_out(vty, "%s\n", prompt);
	return CMD_SUCCESS;
}

static void install(struct cmd_node *cnode, const struct cmd_element *cmd)
{
	/* VIEW's commands are put into ENABLE by libfrr itself. */
	if (!hash_lookup(cnode->cmd_hash, (void *)(uintptr_t)cmd))
		_install_element(cnode->node, cmd);
}

void shell_vty_install(int node)
{
	struct cmd_node *cnode = vector_lookup(cmdvec, node);

	assert(cnode);
	install(cnode, &shell_prompt_cmd);
	install(cnode, &shell_complete_cmd);
	install(cnode, &shell_help_cmd);
}

/* A hook of frr_config_fork(): by then the daemon has all of its nodes. */
static int install_everywhere(struct event_loop *loop)
{
	int node;

	for (node = VIEW_NODE; node < (int)vector_active(cmdvec); node++) {
		if (node == AUTH_ENABLE_NODE || !vector_slot(cmdvec, node))
			continue;
		shell_vty_install(node);
	}
	return 0;
}

void shell_vty_init(void)
{
	frr_compat_link();
	version_vty_init();
	hook_register(frr_late_init, install_everywhere);
}
