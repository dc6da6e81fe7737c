/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * relay_vty - the commands of the BMP relay.
 */
#ifndef SAV_RELAY_VTY_H
#define SAV_RELAY_VTY_H

#include "agents/agent.h"

struct vty;

void relay_vty_init(struct agent *agent);
int relay_vty_write(struct vty *vty); /* its configuration; whether there is any */

#endif /* SAV_RELAY_VTY_H */
