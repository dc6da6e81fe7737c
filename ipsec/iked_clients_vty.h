/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_clients_vty - clients in the node of their tunnel.
 */
#ifndef SAV_IKED_CLIENTS_VTY_H
#define SAV_IKED_CLIENTS_VTY_H

#include "ipsec/iked_config.h"

struct vty;

void iked_clients_vty_init(void);
void iked_write_clients(struct vty *vty, const struct iked_tunnel *of); /* the lines in its node */

#endif /* SAV_IKED_CLIENTS_VTY_H */
