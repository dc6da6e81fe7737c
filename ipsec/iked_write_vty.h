/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_write_vty - links and tunnels as text, as they are typed.
 */
#ifndef SAV_IKED_WRITE_VTY_H
#define SAV_IKED_WRITE_VTY_H

#include "command.h"

/* libfrr's enum has no room for foreign nodes, but its vector of nodes grows.
 * The order is that of `show running-config`: links before who names them. */
enum iked_node {
	LINK_NODE_SAV = NODE_TYPE_MAX + 1,
	TUNNEL_NODE_SAV,
};

int iked_write_links(struct vty *vty);
int iked_write_tunnels(struct vty *vty);

#endif /* SAV_IKED_WRITE_VTY_H */
