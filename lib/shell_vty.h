/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * shell_vty - what a daemon tells savsh about its own commands.
 *
 * libfrr's unix VTY socket runs commands but offers neither completion, nor
 * help, nor a prompt. Hidden commands give savsh all three, computed from the
 * daemon's command graph for the node that the connection is in, so the shell
 * has no command table of its own that could get out of step:
 *
 *   +prompt            LEVEL <tab> NODE <tab> PROMPT
 *                      level 0 view, 1 enable, 2 config, 3... below config
 *   +complete [LINE]   one candidate for the last word per line
 *   +help [LINE]       TOKEN <tab> DESCRIPTION per possible token; lines that
 *                      begin with a tab are known values of the token before
 *
 * LINE is the text left of the cursor with every byte outside [A-Za-z0-9./:_-]
 * written as %XX, so that blanks at its end and characters that mean something
 * to libfrr ("| include", "!") arrive. Nothing fits: no output, still success
 * (libfrr answers an error by trying the parent nodes, and leaves the node).
 * The leading plus keeps the names clear of the operators' abbreviations.
 */
#ifndef SAV_SHELL_VTY_H
#define SAV_SHELL_VTY_H

/* Once, between frr_init() and frr_config_fork(), which then puts the commands
 * into every node that there is. */
void shell_vty_init(void);

/* For a node that is installed later (an enum node_type, or one above
 * NODE_TYPE_MAX); no harm if it has the commands. A node without them loses
 * the operator's place: libfrr would find them in the parent and go there. */
void shell_vty_install(int node);

#endif /* SAV_SHELL_VTY_H */
