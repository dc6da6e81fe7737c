/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show_relay_vty - the relays of BMP, as part of "show feed".
 */
#ifndef SAV_SHOW_RELAY_VTY_H
#define SAV_SHOW_RELAY_VTY_H

#include "controller/savd.h"

struct json_object;
struct vty;

/* Of every router whose agent has brought BMP since the start: into list, or as
 * text when that is NULL. */
void show_relays(struct vty *vty, struct savd *savd, struct json_object *list);

#endif /* SAV_SHOW_RELAY_VTY_H */
