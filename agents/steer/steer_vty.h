/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * steer_vty - the nodes "site" and "provider", and what shows them.
 */
#ifndef SAV_STEER_VTY_H
#define SAV_STEER_VTY_H

struct vty;

/* Nodes of our own; agent_vty.c has the one before. Needs command.h. */
#define PROVIDER_NODE_SAV (NODE_TYPE_MAX + 2)
#define SITE_NODE_SAV	  (NODE_TYPE_MAX + 3)

void steer_vty_init(void);

void steer_show_vty_init(void);
int steer_write_site(struct vty *vty);
int steer_write_providers(struct vty *vty);

#endif /* SAV_STEER_VTY_H */
