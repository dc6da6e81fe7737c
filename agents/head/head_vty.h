/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * head_vty - the node "head-end", and what shows it.
 */
#ifndef SAV_HEAD_VTY_H
#define SAV_HEAD_VTY_H

/* A node of our own; steer_vty.h has the ones before. Needs command.h. */
#define HEAD_NODE_SAV (NODE_TYPE_MAX + 4)

void head_vty_init(void);

#endif /* SAV_HEAD_VTY_H */
