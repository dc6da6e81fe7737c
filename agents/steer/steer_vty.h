/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * steer_vty - the nodes "site" and "provider", and what shows them.
 */
#ifndef SAV_STEER_VTY_H
#define SAV_STEER_VTY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/ip.h"

struct cmd_token;
struct vty;

/* Nodes of our own; agent_vty.c has the one before. Needs command.h. */
#define PROVIDER_NODE_SAV (NODE_TYPE_MAX + 2)
#define SITE_NODE_SAV	  (NODE_TYPE_MAX + 3)

void steer_vty_init(void);
void site_vty_init(void);
/* The files of keys anew; failed: of each that could not be read. */
void site_vty_reload(void (*failed)(void *ctx, const char *text), void *ctx);

/* For commands: says it, and what a command returns. */
int steer_vty_failed(struct vty *vty, const struct diag *diag);
/* rc < 0: failed; else the site has been changed. */
int steer_vty_done(struct vty *vty, int rc, const struct diag *diag);
bool steer_vty_is_no(struct cmd_token *argv[]);
/* The argument after a word, or NULL; as a number, or 0. */
const char *steer_vty_after(struct cmd_token *argv[], int argc, const char *word);
uint32_t steer_vty_number_after(struct cmd_token *argv[], int argc, const char *word);
/* False: it was no prefix, and that has been said. */
bool steer_vty_parse_prefix(struct vty *vty, const char *text, struct ip_prefix *p);

void steer_show_vty_init(void);
int steer_write_site(struct vty *vty);
int steer_write_providers(struct vty *vty);

#endif /* SAV_STEER_VTY_H */
